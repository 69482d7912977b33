// How composed ops are written: short names for the emitters. All of them accept the error tensor
// and pass it on.
#ifndef SNI_FRONTEND_COMPOSE_H
#define SNI_FRONTEND_COMPOSE_H

#include "frontend/context/internal.h"

#define SNI_OPERANDS(...)              \
  ((sn_tensor *const[]){__VA_ARGS__}), \
      (int)(sizeof((sn_tensor *const[]){__VA_ARGS__}) / sizeof(sn_tensor *))

static inline sn_tensor *sni_unary(sn_context *c, sni_op op, sn_tensor *x) {
  return sni_emit_pointwise(c, op, &x, 1, NULL);
}
static inline sn_tensor *sni_binary(sn_context *c, sni_op op, sn_tensor *a, sn_tensor *b) {
  return sni_emit_pointwise(c, op, SNI_OPERANDS(a, b), NULL);
}
static inline sn_tensor *sni_select(sn_context *c, sn_tensor *condition, sn_tensor *a,
                                    sn_tensor *b) {
  return sni_emit_pointwise(c, SNI_OP_SELECT, SNI_OPERANDS(condition, a, b), NULL);
}
static inline sn_tensor *sni_convert(sn_context *c, sn_tensor *x, sn_dtype dtype) {
  return sni_emit_pointwise(c, SNI_OP_CAST, &x, 1, &(sni_type){.dtype = dtype});
}
// Indices or labels as i32 or i64, so that any axis and number of classes can be counted in them; of
// u64 from 2^63 on negative.
static inline sn_tensor *sni_wide_indices(sn_context *c, sn_tensor *x) {
  const sn_dtype dtype = x->type.dtype;
  if (sn_failed(x) || sni_is_compute(dtype)) return x;
  return sni_convert(c, x, sni_dtype_infos[dtype].digits < 32 ? SN_I32 : SN_I64);
}
// A scalar constant, to be an operand only.
static inline sn_tensor *sni_number(sn_context *c, sn_dtype dtype, double value) {
  return sni_emit_full(c, &(sni_type){.dtype = dtype}, value);
}
// x op value, with value a constant of x's dtype.
static inline sn_tensor *sni_with_number(sn_context *c, sni_op op, sn_tensor *x, double value) {
  return sn_failed(x) ? x : sni_binary(c, op, x, sni_number(c, x->type.dtype, value));
}
static inline sn_tensor *sni_reshape_to(sn_context *c, sn_tensor *x, const sni_type *type) {
  return sni_emit(c, SNI_OP_RESHAPE, &x, 1, NULL, 0, type);
}
static inline sn_tensor *sni_broadcast_to(sn_context *c, sn_tensor *x, const sni_type *type) {
  return sni_emit(c, SNI_OP_BROADCAST, &x, 1, NULL, 0, type);
}
static inline sn_tensor *sni_iota(sn_context *c, const sni_type *type, int axis) {
  return sni_emit(c, SNI_OP_IOTA, NULL, 0, &(sni_dim){axis}, 1, type);
}
// Elements [start, start + size) of axis.
sn_tensor *sni_take(sn_context *c, sn_tensor *x, int axis, sni_dim start, sni_dim size);
// Axis `axis` behind all others; back: from there to its place.
sn_tensor *sni_last_axis(sn_context *c, sn_tensor *x, int axis, bool back);

// The context and the checked operands of a public op, or what it must return at once.
#define SNI_BEGIN(c, name, ...)                                            \
  sn_tensor *c##_failed;                                                   \
  SNI_ENTERED c = sni_begin(name, SNI_OPERANDS(__VA_ARGS__), &c##_failed); \
  if (!c) return c##_failed
// The same for an op of several steps: c_first marks where its results begin, for sni_keep_only.
#define SNI_BEGIN_COMPOSED(c, name, ...) \
  SNI_BEGIN(c, name, __VA_ARGS__);       \
  const uint32_t c##_first = (c)->n_live

// Whole public ops of one row: op(x), op(a, b), and x op value (swap: value op x) with value as in
// sn_full.
sn_tensor *sni_public_unary(const char *name, sni_op op, sn_tensor *x);
sn_tensor *sni_public_binary(const char *name, sni_op op, sn_tensor *a, sn_tensor *b);
sn_tensor *sni_public_number(const char *name, sni_op op, sn_tensor *x, double value, bool swap);

// Of the results that the scope owns from `first` on y alone stays; the steps that led to it die
// now, unless a tape holds their elements. Returns y. Inside a composed op: scalars that it holds
// may be among those that die.
sn_tensor *sni_keep_only(sn_context *c, uint32_t first, sn_tensor *y);

// False, with an error pending, unless t's dtype is in the set.
bool sni_expect_dtype(sn_context *c, int position, const sn_tensor *t, uint32_t dtypes);
// The dtype of a product of x's dtype whose option .result is `given` (0: that of x); false, with an error
// pending, where it does not hold all of x's numbers.
bool sni_expect_result(sn_context *c, const sn_tensor *x, sn_dtype given, sn_dtype *out);
// An operand of such a product: converted, unless a product of its dtype may give the result itself.
sn_tensor *sni_product_operand(sn_context *c, sn_tensor *x, sn_dtype result);
// False, with an error pending, unless t has at least so many dims.
bool sni_expect_rank(sn_context *c, int position, const sn_tensor *t, int least);
// Axis in [0, rank) of one in [-rank, rank); -1 with an error pending.
int sni_axis(sn_context *c, const sn_tensor *x, int axis);
// Two dims that must be equal: they are, or can be made so in the open trace.
bool sni_dims_agree(sn_context *c, sni_dim a, sni_dim b);
static inline bool sni_dim_is(const sn_context *c, sni_dim dim, int64_t wanted) {
  int64_t value;
  return sni_dim_is_constant(sni_context_dims(c), dim, &value) && value == wanted;
}

// Reductions inside composed ops, over one axis, which is kept with size 1.
sn_tensor *sni_reduce_keep(sn_context *c, sni_op op, sn_tensor *x, int axis);
// Sum over all elements / their number.
sn_tensor *sni_mean_all(sn_context *c, sn_tensor *x);

// ---- complex.c
sn_tensor *sni_complex_sign(sn_context *c, sn_tensor *x);
// sum / count, a real number.
sn_tensor *sni_complex_mean(sn_context *c, sn_tensor *sum, sn_tensor *count);
// re^2 + im^2.
sn_tensor *sni_complex_norm(sn_context *c, sn_tensor *x);

// A variable with a value of its own. name may be NULL. One reference, the caller's; NULL and an
// error pending without memory.
sn_tensor *sni_variable_new(sn_context *c, const sni_type *type, const void *data, const char *name,
                            bool trainable);
// The halves of sn_assign, sn_assign_add and sn_assign_sub behind their checks of operands:
// variable = value; variable = op(variable, value). Return the new value, or the error tensor.
sn_tensor *sni_assign(sn_context *c, sn_tensor *variable, sn_tensor *value);
sn_tensor *sni_assign_op(sn_context *c, sni_op op, sn_tensor *variable, sn_tensor *value);
// False, with an error pending, when dtype or shape cannot be.
bool sni_shape_type(sn_context *c, sn_dtype dtype, const sn_shape *shape, sni_type *out_type);
// Whether the dtype has value exactly (integers, bool), or nearly (floats).
bool sni_dtype_has(sn_dtype dtype, double value);
// What stands for a symbolic dim of the open trace in the caller's shapes, and back. False: it
// stands for none of this trace.
int64_t sni_dim_token(const sn_context *c, sni_dim dim);
bool sni_is_dim_token(int64_t dim);
bool sni_token_dim(const sn_context *c, int64_t token, sni_dim *out_dim);
// An eager tensor or a constant of the open trace, scope-owned, holding a copy of data.
sn_tensor *sni_constant(sn_context *c, const sni_type *type, const void *data);

#endif
