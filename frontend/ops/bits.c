// Integers by their divisors, elements by their bits. Parts of wider elements are shifted out of them, and put together again: what the least significant ones are does
// not depend on the machine's order of bytes.
#include "frontend/ops/compose.h"

static sn_tensor *as(sn_context *c, sn_tensor *x, sn_dtype dtype) {
  if (sn_failed(x) || x->type.dtype == dtype) return x;
  return sni_emit_pointwise(c, SNI_OP_BITCAST, &x, 1, &(sni_type){.dtype = dtype});
}

static sn_dtype unsigned_of(size_t bytes) {
  return bytes == 1 ? SN_U8 : bytes == 2 ? SN_U16 : bytes == 4 ? SN_U32 : SN_U64;
}

static sn_tensor *shifted(sn_context *c, sni_op op, sn_tensor *x, size_t bytes) {
  return bytes && !sn_failed(x) ? sni_with_number(c, op, x, 8 * (double)bytes) : x;
}

static sn_tensor *narrower(sn_context *c, sn_tensor *x, sn_dtype dtype) {
  const size_t from = sn_dtype_size(x->type.dtype), to = sn_dtype_size(dtype);
  const int rank = x->type.rank;
  sni_type column = x->type;
  sn_tensor *parts[8];
  column.dtype = dtype;
  column.dims[column.rank++] = 1;
  sn_tensor *bits = as(c, x, unsigned_of(from));
  for (size_t i = 0; i < from / to; i++) {
    sn_tensor *part = sni_convert(c, shifted(c, SNI_OP_SHR, bits, i * to), unsigned_of(to));
    parts[i] = sni_reshape_to(c, as(c, part, dtype), &column);
  }
  return sni_emit(c, SNI_OP_CONCAT, parts, (int)(from / to), &(sni_dim){rank}, 1, NULL);
}

static sn_tensor *wider(sn_context *c, sn_tensor *x, sn_dtype dtype) {
  const size_t from = sn_dtype_size(x->type.dtype), to = sn_dtype_size(dtype);
  const int last = x->type.rank - 1;
  sni_type whole = x->type;
  whole.dtype = unsigned_of(to);
  whole.rank--;
  sn_tensor *bits = as(c, x, unsigned_of(from)), *y = NULL;
  for (size_t i = 0; i < to / from; i++) {
    sn_tensor *part = sni_reshape_to(
        c, sni_convert(c, sni_take(c, bits, last, (sni_dim)i, 1), whole.dtype), &whole);
    part = shifted(c, SNI_OP_SHL, part, i * from);
    y = y ? sni_binary(c, SNI_OP_OR, y, part) : part;
  }
  return as(c, y, dtype);
}

// ---- divisors
static sn_tensor *divisor(sn_context *c, sn_tensor **a, sn_tensor **b) {
  const sni_type *types[] = {&(*a)->type, &(*b)->type};
  sni_type shape;
  // What a shift of integers takes.
  if (!sni_check_pointwise(c, SNI_OP_SHL, types, 2, &shape)) return &c->error_tensor;
  shape.dtype = (*a)->type.dtype;
  *a = sni_broadcast_to(c, *a, &shape);
  *b = sni_broadcast_to(c, *b, &shape);
  return sni_emit(c, SNI_OP_GCD, SNI_OPERANDS(*a, *b), NULL, 0, NULL);
}

sn_tensor *(sn_gcd)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_gcd", a, b);
  return sni_keep_only(c, c_first, divisor(c, &a, &b));
}

// A quotient by a divisor of 0 is 0, as the product is then.
sn_tensor *(sn_lcm)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_lcm", a, b);
  sn_tensor *y = divisor(c, &a, &b);
  if (sn_failed(y)) return y;
  y = sni_binary(c, SNI_OP_MUL, sni_binary(c, SNI_OP_DIV, a, y), b);
  return sni_keep_only(c, c_first, sni_unary(c, SNI_OP_ABS, y));
}

// ---- bits
sn_tensor *(sn_bitcast)(sn_tensor *x, sn_dtype dtype) {
  SNI_BEGIN_COMPOSED(c, "sn_bitcast", x);
  char text[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_REAL)) return &c->error_tensor;
  if ((unsigned)dtype >= SN_DTYPE_COUNT || !(SNI_DTYPES_REAL >> dtype & 1))
    return sni_error(c, SN_ERR_DTYPE, "sn_bitcast: to %s, expected a real number",
                     (unsigned)dtype < SN_DTYPE_COUNT ? sn_dtype_name(dtype) : "no dtype");
  const size_t from = sn_dtype_size(x->type.dtype), to = sn_dtype_size(dtype);
  const int rank = x->type.rank;
  if (from > to && rank == SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_bitcast: operand #0 is %s, expected rank < %d",
                     sni_describe(x, text), SN_MAX_RANK);
  if (from < to && (!rank || !sni_dims_agree(c, x->type.dims[rank - 1], (sni_dim)(to / from))))
    return sni_error(c, SN_ERR_SHAPE,
                     "sn_bitcast: operand #0 is %s, expected a last dim of %d for %s",
                     sni_describe(x, text), (int)(to / from), sn_dtype_name(dtype));
  if (x->type.dtype == dtype) return sni_unary(c, SNI_OP_STOP_GRADIENT, x);
  sn_tensor *y = from == to  ? as(c, x, dtype)
                 : from > to ? narrower(c, x, dtype)
                             : wider(c, x, dtype);
  return sni_keep_only(c, c_first, y);
}
