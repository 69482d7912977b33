// What the files of composed ops share: checks of operands in the caller's terms, the
// end of intermediate results, slices and dims.
#include "frontend/ops/compose.h"

#include <string.h>

bool sni_expect_dtype(sn_context *c, int position, const sn_tensor *t, uint32_t dtypes) {
  if (dtypes >> t->type.dtype & 1) return true;
  char text[SNI_TENSOR_NAME], expected[64];
  sni_dtypes_format(dtypes, expected, sizeof(expected));
  sni_error(c, SN_ERR_DTYPE, "%s: operand #%d is %s, expected %s", c->frame.op, position,
            sni_describe(t, text), expected);
  return false;
}

static bool holds_all(sn_dtype dtype, sn_dtype from) {
  const sni_dtype_info *to = &sni_dtype_infos[dtype], *x = &sni_dtype_infos[from];
  if (sni_is_float(from)) return sni_is_float(dtype) && to->bytes > x->bytes;
  if (sni_is_complex(from)) return sni_is_complex(dtype) && to->bytes > x->bytes;
  return sni_is_integer(dtype) && to->bytes > x->bytes &&
         (to->kind == x->kind || to->kind == SNI_KIND_SIGNED);
}

bool sni_expect_result(sn_context *c, const sn_tensor *x, sn_dtype given, sn_dtype *out) {
  const sn_dtype dtype = x->type.dtype;
  char text[SNI_TENSOR_NAME];
  *out = given ? given : dtype;
  if (!given || given == dtype) return true;
  if ((unsigned)given < SN_DTYPE_COUNT && holds_all(given, dtype)) return true;
  sni_error(c, SN_ERR_DTYPE, "%s: .result is %s, which does not hold all numbers of operand #0 %s",
            c->frame.op, (unsigned)given < SN_DTYPE_COUNT ? sn_dtype_name(given) : "no dtype",
            sni_describe(x, text));
  return false;
}

sn_tensor *sni_product_operand(sn_context *c, sn_tensor *x, sn_dtype result) {
  if (sn_failed(x) || x->type.dtype == result) return x;
  return sni_compute_dtype(x->type.dtype) == result ? x : sni_convert(c, x, result);
}

bool sni_expect_rank(sn_context *c, int position, const sn_tensor *t, int least) {
  if (t->type.rank >= least) return true;
  char text[SNI_TENSOR_NAME];
  sni_error(c, SN_ERR_SHAPE, "%s: operand #%d is %s, expected at least %d dim%s", c->frame.op,
            position, sni_describe(t, text), least, least == 1 ? "" : "s");
  return false;
}

int sni_axis(sn_context *c, const sn_tensor *x, int axis) {
  int rank = x->type.rank;
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  char text[SNI_TENSOR_NAME];
  sni_error(c, SN_ERR_SHAPE, "%s: axis %d is out of range for operand #0 %s of rank %d",
            c->frame.op, axis, sni_describe(x, text), rank);
  return -1;
}

bool sni_dims_agree(sn_context *c, sni_dim a, sni_dim b) {
  sni_dim_table *dims = sni_context_dims(c);
  return sni_dim_equal(dims, a, b) || (dims && sni_dim_unify(dims, a, b));
}

static bool is_among(const sn_tensor *t, sn_tensor *const *ys, int n) {
  for (int i = 0; i < n; i++)
    if (ys[i] == t) return true;
  return false;
}

void sni_keep_these(sn_context *c, uint32_t first, sn_tensor *const *ys, int n) {
  uint32_t kept = first;
  for (uint32_t i = first; i < c->n_live; i++) {
    sn_tensor *t = c->live[i];
    if (is_among(t, ys, n)) {
      t->live_index = kept;
      c->live[kept++] = t;
    } else {
      if (c->frame.latest == t) c->frame.latest = NULL;
      sni_tensor_drop(t);
    }
  }
  c->n_live = kept;
}

sn_tensor *sni_keep_only(sn_context *c, uint32_t first, sn_tensor *y) {
  sni_keep_these(c, first, &y, 1);
  return y;
}

sn_tensor *sni_take(sn_context *c, sn_tensor *x, int axis, sni_dim start, sni_dim size) {
  if (sn_failed(x)) return x;
  sni_dim attrs[2 * SN_MAX_RANK];
  sni_type type = x->type;
  for (int i = 0; i < type.rank; i++) {
    attrs[i] = 0;
    attrs[type.rank + i] = 1;
  }
  attrs[axis] = start;
  type.dims[axis] = size;
  return sni_emit(c, SNI_OP_SLICE, &x, 1, attrs, 2 * type.rank, &type);
}

sn_tensor *sni_last_axis(sn_context *c, sn_tensor *x, int axis, bool back) {
  sni_dim perm[SN_MAX_RANK];
  if (sn_failed(x) || axis == x->type.rank - 1) return x;
  const int last = x->type.rank - 1;
  for (int i = 0; i <= last; i++) {
    const int moved = i < axis ? i : i < last ? i + 1 : axis;  // dim i of what has it last
    perm[back ? moved : i] = back ? i : moved;
  }
  return sni_emit(c, SNI_OP_TRANSPOSE, &x, 1, perm, x->type.rank, NULL);
}

// ---- symbolic dims in shapes: which trace, and which dim of it. Far below all that callers write.
static int64_t trace_tag(const sn_context *c) {
  return (int64_t)(sni_trace_tag(c->trace) >> 36);
}

int64_t sni_dim_token(const sn_context *c, sni_dim dim) {
  return dim - ((int64_t)1 << 60) - trace_tag(c) * ((int64_t)1 << 32);
}

bool sni_is_dim_token(int64_t dim) {
  return dim < -((int64_t)1 << 60) && dim >= -((int64_t)1 << 61);
}

bool sni_token_dim(const sn_context *c, int64_t token, sni_dim *out_dim) {
  if (!c->trace || !sni_is_dim_token(token)) return false;
  *out_dim = token + ((int64_t)1 << 60) + trace_tag(c) * ((int64_t)1 << 32);
  return *out_dim < 0 && *out_dim >= -(int64_t)UINT32_MAX &&
         sni_dim_valid(sni_context_dims(c), *out_dim);
}
