// Ops on shape: the elements stay as they are. Slices are in ops_slice.c.
#include "frontend/ops/compose.h"

#include <stdio.h>

// "[2,-1,4]" as the caller wrote it.
static const char *shape_text(const sn_shape *shape, char *buffer, size_t capacity) {
  size_t length = (size_t)snprintf(buffer, capacity, "[");
  for (int i = 0; i < shape->rank && i < SN_MAX_RANK && length < capacity; i++)
    length +=
        sni_is_dim_token(shape->dims[i])
            ? (size_t)snprintf(buffer + length, capacity - length, "%s<symbolic>", i ? "," : "")
            : (size_t)snprintf(buffer + length, capacity - length, "%s%lld", i ? "," : "",
                               (long long)shape->dims[i]);
  if (length < capacity) snprintf(buffer + length, capacity - length, "]");
  return buffer;
}

// ---- reshape
static sn_tensor *fail_reshape(sn_context *c, const sn_tensor *x, const sn_shape *shape) {
  char a[SNI_TENSOR_NAME], b[256];
  return sni_error(c, SN_ERR_SHAPE, "%s: operand #0 %s cannot become %s: the sizes differ",
                   c->frame.op, sni_describe(x, a), shape_text(shape, b, sizeof(b)));
}

// size / known when that is whole: exactly for constants, and for a symbolic size when every call's
// size must divide so.
static bool divide(sn_context *c, sni_dim size, int64_t known, sni_dim *out) {
  sni_dim_table *dims = sni_context_dims(c);
  int64_t value;
  if (known == 0) return false;
  *out = sni_dim_floor_div(dims, size, known);
  if (sni_dim_is_constant(dims, size, &value)) return value % known == 0;
  return sni_dims_agree(c, sni_dim_mul_constant(dims, *out, known), size);
}

// The caller's shape: -1 at *out_free_axis (or none: -1), symbolic dims where tokens stand.
static bool read_shape(sn_context *c, const sn_shape *shape, sni_type *type, int *out_free_axis) {
  int64_t known = 1;
  *out_free_axis = -1;
  if (shape->rank < 0 || shape->rank > SN_MAX_RANK) return false;
  for (int i = 0; i < shape->rank; i++) {
    type->dims[i] = shape->dims[i];
    if (sni_is_dim_token(shape->dims[i])) {
      if (!sni_token_dim(c, shape->dims[i], &type->dims[i])) return false;
    } else if (shape->dims[i] == -1 && *out_free_axis < 0) {
      *out_free_axis = i;
    } else if (shape->dims[i] < 0 ||
               (shape->dims[i] && __builtin_mul_overflow(known, shape->dims[i], &known))) {
      return false;
    }
  }
  return true;
}

// What is left of x's size for the free axis: the symbolic dims of the shape are among x's dims, the
// numbers divide the rest.
static bool find_free_dim(sn_context *c, const sn_tensor *x, sni_type *type, int free_axis) {
  sni_dim_table *dims = sni_context_dims(c);
  sni_type rest = x->type;
  int64_t known = 1, value;
  for (int i = 0; i < type->rank; i++) {
    if (i == free_axis) continue;
    if (sni_dim_is_constant(dims, type->dims[i], &value)) {
      known *= value;
      continue;
    }
    int k = 0;
    while (k < rest.rank && !sni_dim_equal(dims, rest.dims[k], type->dims[i])) k++;
    if (k == rest.rank) return false;
    rest.dims[k] = 1;
  }
  return divide(c, sni_type_size(dims, &rest), known, &type->dims[free_axis]);
}

sn_tensor *(sn_reshape)(sn_tensor *x, sn_shape shape) {
  SNI_BEGIN(c, "sn_reshape", x);
  char text[256];
  sni_type type = {.dtype = x->type.dtype, .rank = shape.rank};
  int free_axis;
  if (!read_shape(c, &shape, &type, &free_axis))
    return sni_error(c, SN_ERR_SHAPE,
                     "sn_reshape: %s is no shape: at most %d dims >= 0, one of them may be -1",
                     shape_text(&shape, text, sizeof(text)), SN_MAX_RANK);
  sni_dim_table *dims = sni_context_dims(c);
  if (free_axis >= 0
          ? !find_free_dim(c, x, &type, free_axis)
          : !sni_dims_agree(c, sni_type_size(dims, &x->type), sni_type_size(dims, &type)))
    return fail_reshape(c, x, &shape);
  return sni_reshape_to(c, x, &type);
}

sn_tensor *(sn_expand_dims)(sn_tensor *x, int axis) {
  SNI_BEGIN(c, "sn_expand_dims", x);
  char text[SNI_TENSOR_NAME];
  int rank = x->type.rank;
  if (axis < -rank - 1 || axis > rank || rank == SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE,
                     "sn_expand_dims: no new axis %d in operand #0 %s: expected one in [%d, %d], "
                     "and at most %d dims in all",
                     axis, sni_describe(x, text), -rank - 1, rank, SN_MAX_RANK);
  if (axis < 0) axis += rank + 1;
  sni_type type = {.dtype = x->type.dtype, .rank = rank + 1};
  for (int i = 0, k = 0; i <= rank; i++) type.dims[i] = i == axis ? 1 : x->type.dims[k++];
  return sni_reshape_to(c, x, &type);
}

static sn_tensor *drop_axis(sn_context *c, sn_tensor *x, int axis) {
  if (sn_failed(x)) return x;
  sni_type type = {.dtype = x->type.dtype};
  for (int i = 0; i < x->type.rank; i++)
    if (i != axis) type.dims[type.rank++] = x->type.dims[i];
  return sni_reshape_to(c, x, &type);
}

sn_tensor *(sn_squeeze)(sn_tensor *x, int axis) {
  SNI_BEGIN(c, "sn_squeeze", x);
  char text[SNI_TENSOR_NAME];
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  if (!sni_dims_agree(c, x->type.dims[axis], 1))
    return sni_error(c, SN_ERR_SHAPE, "sn_squeeze: dim %d of operand #0 %s is not 1", axis,
                     sni_describe(x, text));
  return drop_axis(c, x, axis);
}

// ---- permutations
static sn_tensor *permute(sn_context *c, sn_tensor *x, const int *perm) {
  sni_dim attrs[SN_MAX_RANK];
  for (int i = 0; i < x->type.rank; i++) attrs[i] = perm[i];
  return sni_emit(c, SNI_OP_TRANSPOSE, &x, 1, attrs, x->type.rank, NULL);
}

sn_tensor *(sn_transpose)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_transpose", x);
  int perm[SN_MAX_RANK];
  for (int i = 0; i < x->type.rank; i++) perm[i] = x->type.rank - 1 - i;
  return permute(c, x, perm);
}

sn_tensor *(sn_permute)(sn_tensor *x, const int *perm, int n) {
  SNI_BEGIN(c, "sn_permute", x);
  char text[SNI_TENSOR_NAME];
  uint32_t seen = 0;
  bool valid = n == x->type.rank && (perm || !n);
  for (int i = 0; valid && i < n; i++) {
    valid = perm[i] >= 0 && perm[i] < n && !(seen >> perm[i] & 1);
    if (valid) seen |= 1u << perm[i];
  }
  if (!valid)
    return sni_error(
        c, SN_ERR_SHAPE,
        "sn_permute: the %d axes given are no permutation of the %d axes of operand #0 %s", n,
        x->type.rank, sni_describe(x, text));
  return permute(c, x, perm);
}

// ---- broadcasting
static sn_tensor *broadcast(sn_context *c, sn_tensor *x, const sni_type *type) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  int added = type->rank - x->type.rank;
  bool fits = added >= 0;
  for (int i = 0; fits && i < x->type.rank; i++)
    fits = sni_dim_is(c, x->type.dims[i], 1) ||
           sni_dims_agree(c, x->type.dims[i], type->dims[added + i]);
  if (!fits)
    return sni_error(c, SN_ERR_SHAPE,
                     "%s: operand #0 %s does not broadcast to %s: dims, from the last one on, must "
                     "be equal or 1",
                     c->frame.op, sni_describe(x, a), sni_describe_type(c, type, b));
  return sni_broadcast_to(c, x, type);
}

sn_tensor *(sn_broadcast_to)(sn_tensor *x, sn_shape shape) {
  SNI_BEGIN(c, "sn_broadcast_to", x);
  sni_type type;
  if (!sni_shape_type(c, x->type.dtype, &shape, &type)) return &c->error_tensor;
  return broadcast(c, x, &type);
}

sn_tensor *(sn_broadcast_like)(sn_tensor *x, sn_tensor *like) {
  SNI_BEGIN(c, "sn_broadcast_like", x, like);
  sni_type type = like->type;
  type.dtype = x->type.dtype;
  return broadcast(c, x, &type);
}

// ---- joining
static bool check_joined(sn_context *c, sn_tensor *const *xs, int n, int axis) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const sni_type *first = &xs[0]->type;
  for (int i = 1; i < n; i++) {
    const sni_type *type = &xs[i]->type;
    if (type->dtype != first->dtype) {
      sni_error(c, SN_ERR_DTYPE, "%s: operand #%d is %s, expected %s like operand #0 %s",
                c->frame.op, i, sni_describe(xs[i], a), sn_dtype_name(first->dtype),
                sni_describe(xs[0], b));
      return false;
    }
    bool fits = type->rank == first->rank;
    for (int k = 0; fits && k < first->rank; k++)
      fits = k == axis || sni_dims_agree(c, type->dims[k], first->dims[k]);
    if (fits) continue;
    sni_error(c, SN_ERR_SHAPE, "%s: operand #%d is %s, which does not fit operand #0 %s%s",
              c->frame.op, i, sni_describe(xs[i], a), sni_describe(xs[0], b),
              axis < 0 ? "" : ": all dims but that of the axis must be equal");
    return false;
  }
  return true;
}

sn_tensor *(sn_concat)(sn_tensor *const *xs, int n, int axis) {
  sn_tensor *failed;
  if (!xs || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_concat", xs, n, &failed);
  if (!c) return failed;
  axis = sni_axis(c, xs[0], axis);
  if (axis < 0 || !check_joined(c, xs, n, axis)) return &c->error_tensor;
  return sni_emit(c, SNI_OP_CONCAT, xs, n, &(sni_dim){axis}, 1, NULL);
}

sn_tensor *(sn_stack)(sn_tensor *const *xs, int n, int axis) {
  sn_tensor *failed;
  if (!xs || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_stack", xs, n, &failed);
  if (!c) return failed;
  char text[SNI_TENSOR_NAME];
  int rank = xs[0]->type.rank;
  if (axis < -rank - 1 || axis > rank || rank == SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_stack: no new axis %d in operand #0 %s", axis,
                     sni_describe(xs[0], text));
  if (!check_joined(c, xs, n, -1)) return &c->error_tensor;
  if (axis < 0) axis += rank + 1;
  sni_type type = {.dtype = xs[0]->type.dtype, .rank = rank + 1};
  for (int i = 0, k = 0; i <= rank; i++) type.dims[i] = i == axis ? 1 : xs[0]->type.dims[k++];
  size_t bytes = sizeof(sn_tensor *) * (size_t)n;
  const uint32_t first = c->n_live;
  sn_tensor **expanded = sni_alloc(&c->family->allocator, bytes);
  if (!expanded) return sni_error_from(c, sni_fail_memory(&c->diag, bytes, "operands"), NULL);
  for (int i = 0; i < n; i++) expanded[i] = sni_reshape_to(c, xs[i], &type);
  sn_tensor *y = sni_emit(c, SNI_OP_CONCAT, expanded, n, &(sni_dim){axis}, 1, NULL);
  sni_free(&c->family->allocator, expanded, bytes);
  return sni_keep_only(c, first, y);
}

// ---- padding
sn_tensor *(sn_pad)(sn_tensor *x, const int64_t *low, const int64_t *high, int n, double value) {
  SNI_BEGIN(c, "sn_pad", x);
  char text[SNI_TENSOR_NAME];
  int rank = x->type.rank;
  if (n < 0 || n > rank || (n && (!low || !high)))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_pad: widths of %d axes for operand #0 %s of rank %d",
                     n, sni_describe(x, text), rank);
  sni_dim attrs[3 * SN_MAX_RANK];
  for (int i = 0; i < rank; i++) {
    attrs[i] = i < n ? low[i] : 0;
    attrs[rank + i] = i < n ? high[i] : 0;
    attrs[2 * rank + i] = 0;
    if (attrs[i] >= 0 && attrs[rank + i] >= 0) continue;
    return sni_error(c, SN_ERR_ARGUMENT,
                     "sn_pad: the widths of axis %d of operand #0 %s are negative: %lld, %lld", i,
                     sni_describe(x, text), (long long)low[i], (long long)high[i]);
  }
  sn_tensor *operands[2] = {x, sni_number(c, x->type.dtype, value)};
  return sni_emit(c, SNI_OP_PAD, operands, 2, attrs, 3 * rank, NULL);
}
