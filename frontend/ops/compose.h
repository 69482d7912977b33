// How composed ops are written: short names for the emitters. All of them accept the error tensor
// and pass it on.
#ifndef SNI_FRONTEND_COMPOSE_H
#define SNI_FRONTEND_COMPOSE_H

#include "frontend/context/internal.h"

#include <sinter/ops/index.h>

#include <stdarg.h>

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
// 16-bit floats as f32, the others as they are: for the steps of a composed op, so that its result is rounded once.
static inline sn_tensor *sni_for_steps(sn_context *c, sn_tensor *x) {
  return !sn_failed(x) && sni_is_half(x->type.dtype) ? sni_convert(c, x, SN_F32) : x;
}
// What they led to, in the op's dtype.
static inline sn_tensor *sni_rounded(sn_context *c, sn_tensor *y, sn_dtype dtype) {
  return sn_failed(y) || y->type.dtype == dtype ? y : sni_convert(c, y, dtype);
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
// The same for several results; some may be NULL.
void sni_keep_these(sn_context *c, uint32_t first, sn_tensor *const *ys, int n);

// False, with an error pending, unless t's dtype is in the set.
// ---- strings.c
bool sni_are_strings(sn_tensor *a, sn_tensor *b);
// a op b, broadcast; op: EQ, LT, LE.
sn_tensor *sni_compare_strings(sn_context *c, sni_op op, sn_tensor *a, sn_tensor *b);
// Numbers in the order of x's strings along the last axis, equal where these are; of numbers: x.
sn_tensor *sni_ranks(sn_context *c, sn_tensor *x);

// No strings. False: an error is pending, which says what there is instead.
bool sni_expect_numbers(sn_context *c, sn_dtype dtype, const char *instead);
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

// ---- places.c: tables of rows, and where in them indices lie
// An i64 number that is the dim's size, to be an operand only.
sn_tensor *sni_dim_number(sn_context *c, sni_dim dim);
sni_dim sni_dims_product(sn_context *c, const sni_dim *dims, int n);
// x [o, n, i] as rows [o n, i] and indices along n as places in them, [o, r] (batch: [b, r] of o = b o').
typedef struct sni_places {
  sni_type table;  // a view of x: rank 1 where single elements are its rows
  sn_tensor *at;   // i64; the error tensor after a failure
  sni_type rows;   // of what is read there
} sni_places;
// Indices along the axis, all dims of which but the first `batch` count along it.
sni_places sni_places_along(sn_context *c, const sni_type *x, sn_tensor *indices, int axis,
                            int batch);
// The depth of indices along the axes from `batch` on, their last dim, and the type of what they name; false, with an
// error pending: they name nothing in x.
bool sni_nd_type(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int batch,
                 int *out_depth, sni_type *out);
sni_places sni_places_nd(sn_context *c, const sni_type *x, sn_tensor *indices, int batch,
                         int depth);
// Indices of x's shape but along the axis, as in sn_take_along_axis.
sni_places sni_places_of_elements(sn_context *c, const sni_type *x, sn_tensor *indices, int axis);
// The window of that shape from `starts` on.
sni_places sni_places_of_window(sn_context *c, const sni_type *x, sn_tensor *starts,
                                const sni_type *window);
// A slice's elements: starts and steps per axis, and its type.
sni_places sni_places_of_slice(sn_context *c, const sni_type *x, const sni_dim *starts,
                               const sni_dim *steps, const sni_type *slice);
// Indices [n, 1] or of any shape, flattened: i64, checked against the size of axis 0.
sn_tensor *sni_checked_indices(sn_context *c, sn_tensor *indices, sni_dim size);
// What lies there, as a tensor of that type; the other way round x with it.
sn_tensor *sni_read_places(sn_context *c, sn_tensor *x, const sni_places *places,
                           const sni_type *type);
sn_tensor *sni_write_places(sn_context *c, sni_op op, sn_tensor *x, const sni_places *places,
                            sn_tensor *rows);
sn_tensor *sni_take_along(sn_context *c, sn_tensor *x, sn_tensor *indices, int axis);
// False, with an error pending, unless indices are integers of x's dims but for the axis, which becomes one >= 0.
bool sni_check_along(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int *axis);
// False, with an error pending, unless there is such an axis and such batch dims; both are made >= 0.
bool sni_check_rows(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int *axis,
                    int batch);
// The type of the rows of x that the indices name; false, with an error pending: of too many dims.
bool sni_rows_type(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int axis, int batch,
                   sni_type *out);

// ---- slice.c, at.c
typedef struct sni_slice_of {
  sni_dim starts_steps[2 * SN_MAX_RANK];  // rank starts, then rank steps
  sni_type type;
} sni_slice_of;
// False: an error is pending.
bool sni_find_slice(sn_context *c, const sn_tensor *x, const sn_range_spec *ranges, int n,
                    sni_slice_of *out);
// x with value, which broadcasts to `type`, in the place of the slice; type: the slice's, but for dims of 1.
sn_tensor *sni_set_slice(sn_context *c, sn_tensor *x, sn_tensor *value, const sni_slice_of *slice,
                         const sni_type *type);
sn_tensor *sni_set_at(sn_context *c, sn_tensor *x, sn_tensor *value, const char *format,
                      va_list arguments);
// ---- scatter.c
// The public functions behind their checks of tensors.
sn_tensor *sni_scatter_rows(sn_context *c, sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                            sn_scatter_mode mode);
sn_tensor *sni_scatter_nd(sn_context *c, sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                          sn_scatter_mode mode);

// ---- extract.c
// The size of a result that depends on elements: what the caller gives, or the number (i64[]; NULL where that is given).
// *out_number: that size, to compute with. False: an error is pending.
bool sni_length_of_result(sn_context *c, sn_tensor *number, int64_t given, sni_dim *out,
                          sn_tensor **out_number);

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
// The same for elements that the caller has: without symbolic dims.
bool sni_known_shape_type(sn_context *c, sn_dtype dtype, const sn_shape *shape, sni_type *out_type);
// (memory.c) A tensor of the elements at data, strides in bytes (NULL: row-major): where they lie if they are
// row-major and aligned, and then release(user) is called with the last of their users; else a copy, and it is called
// at once. After an error it is not called. release may be NULL.
sn_tensor *sni_over_memory(sn_context *c, const sni_type *type, void *data, const int64_t *strides,
                           void (*release)(void *user), void *user);
// Whether the dtype has value exactly (integers, bool), or nearly (floats).
bool sni_dtype_has(sn_dtype dtype, double value);
// What stands for a symbolic dim of the open trace in the caller's shapes, and back. False: it
// stands for none of this trace.
int64_t sni_dim_token(const sn_context *c, sni_dim dim);
bool sni_is_dim_token(int64_t dim);
bool sni_token_dim(const sn_context *c, int64_t token, sni_dim *out_dim);
// (strings.c) Copies of the texts of this shape. Eager.
sn_tensor *sni_strings_of(sn_context *c, const sn_shape *shape, const sn_text *texts);
// An eager tensor or a constant of the open trace, scope-owned, holding a copy of data.
sn_tensor *sni_constant(sn_context *c, const sni_type *type, const void *data);

#endif
