// Reductions: over chosen axes, composed where the table has no row.
#include "frontend/ops/compose.h"

#include <string.h>

typedef struct reduction {
  uint32_t mask;  // bit per axis that is reduced
  bool keepdims;
  int64_t ddof;
  double ord;
} reduction;

// ---- options
static bool read_options(sn_context *c, const sn_tensor *x, const sn_reduce_options *options,
                         reduction *out) {
  sn_reduce_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  *out = (reduction){(1u << x->type.rank) - 1, o.keepdims, o.ddof, o.ord};
  if (!o.axes.count) return true;
  if (o.axes.count < 0 || o.axes.count > SN_MAX_RANK) {
    sni_error(c, SN_ERR_SHAPE, "%s: %d axes, at most %d are possible", c->frame.op, o.axes.count,
              SN_MAX_RANK);
    return false;
  }
  out->mask = 0;
  for (int i = 0; i < o.axes.count; i++) {
    int axis = sni_axis(c, x, o.axes.axis[i]);
    if (axis < 0) return false;
    if (out->mask >> axis & 1) {
      char text[SNI_TENSOR_NAME];
      sni_error(c, SN_ERR_SHAPE, "%s: axis %d of operand #0 %s is given twice", c->frame.op, axis,
                sni_describe(x, text));
      return false;
    }
    out->mask |= 1u << axis;
  }
  return true;
}

// ---- parts
static sn_tensor *reduce(sn_context *c, sni_op op, sn_tensor *x, reduction r) {
  if (sn_failed(x)) return x;
  sni_dim axes[SN_MAX_RANK];
  int n = 0;
  sni_type kept = x->type;
  for (int i = 0; i < x->type.rank; i++) {
    if (!(r.mask >> i & 1)) continue;
    axes[n++] = i;
    kept.dims[i] = 1;
  }
  if (!n) return sni_unary(c, SNI_OP_IDENTITY, x);
  sn_tensor *y = sni_emit(c, op, &x, 1, axes, n, NULL);
  return r.keepdims ? sni_reshape_to(c, y, &kept) : y;
}

// Leaves out dims of 1.
static sn_tensor *drop_axes(sn_context *c, sn_tensor *x, uint32_t mask) {
  if (sn_failed(x)) return x;
  sni_type type = {.dtype = x->type.dtype};
  for (int i = 0; i < x->type.rank; i++)
    if (!(mask >> i & 1)) type.dims[type.rank++] = x->type.dims[i];
  return sni_reshape_to(c, x, &type);
}

sn_tensor *sni_reduce_keep(sn_context *c, sni_op op, sn_tensor *x, int axis) {
  return reduce(c, op, x, (reduction){.mask = 1u << axis, .keepdims = true});
}

// Number of elements that go into each result, as a scalar of x's dtype, or of its parts'.
static sn_tensor *count(sn_context *c, const sn_tensor *x, uint32_t mask) {
  sni_dim_table *dims = sni_context_dims(c);
  sni_type reduced = {.dtype = SN_I64};
  for (int i = 0; i < x->type.rank; i++)
    if (mask >> i & 1) reduced.dims[reduced.rank++] = x->type.dims[i];
  sni_dim n = sni_type_size(dims, &reduced);
  int64_t value;
  const sn_dtype dtype = sni_part_dtype(x->type.dtype);
  if (sni_dim_is_constant(dims, n, &value)) return sni_number(c, dtype, (double)value);
  sni_type scalar = {.dtype = SN_I64};
  return sni_convert(c, sni_emit(c, SNI_OP_DIM_SIZE, NULL, 0, &n, 1, &scalar), dtype);
}

// 16-bit floats: in f32, where the sum and the number of elements fit, and rounded once.
static sn_tensor *mean(sn_context *c, sn_tensor *x, reduction r) {
  if (sn_failed(x)) return x;
  const sn_dtype dtype = x->type.dtype;
  if (sni_is_half(dtype)) return sni_convert(c, mean(c, sni_convert(c, x, SN_F32), r), dtype);
  sn_tensor *sum = reduce(c, SNI_OP_REDUCE_SUM, x, r);
  sn_tensor *n = count(c, x, r.mask);
  return sni_is_complex(dtype) ? sni_complex_mean(c, sum, n) : sni_binary(c, SNI_OP_DIV, sum, n);
}

sn_tensor *sni_mean_all(sn_context *c, sn_tensor *x) {
  return sn_failed(x) ? x : mean(c, x, (reduction){.mask = (1u << x->type.rank) - 1});
}

static sn_tensor *variance(sn_context *c, sn_tensor *x, reduction r) {
  if (sn_failed(x)) return x;
  const sn_dtype dtype = x->type.dtype;
  if (sni_is_half(dtype)) return sni_convert(c, variance(c, sni_convert(c, x, SN_F32), r), dtype);
  sn_tensor *d =
      sni_binary(c, SNI_OP_SUB, x, mean(c, x, (reduction){.mask = r.mask, .keepdims = true}));
  const bool complex = sni_is_complex(dtype);
  sn_tensor *square = complex ? sni_complex_norm(c, d) : sni_binary(c, SNI_OP_MUL, d, d);
  if (!r.ddof) return mean(c, square, r);
  sn_tensor *freedom = sni_with_number(c, SNI_OP_SUB, count(c, x, r.mask), (double)r.ddof);
  return sni_binary(c, SNI_OP_DIV, reduce(c, SNI_OP_REDUCE_SUM, square, r),
                    sni_with_number(c, SNI_OP_MAX, freedom, 0));
}

// ---- one row of the table
static sn_tensor *primitive(const char *name, sni_op op, uint32_t dtypes, sn_tensor *x,
                            const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, name, x);
  if (!sni_expect_dtype(c, 0, x, dtypes) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  return sni_keep_only(c, c_first, reduce(c, op, x, r));
}

sn_tensor *sn_sum_opts(sn_tensor *x, const sn_reduce_options *options) {
  return primitive("sn_sum", SNI_OP_REDUCE_SUM, SNI_DTYPES_NUMBER, x, options);
}

sn_tensor *sn_prod_opts(sn_tensor *x, const sn_reduce_options *options) {
  return primitive("sn_prod", SNI_OP_REDUCE_PROD, SNI_DTYPES_NUMBER, x, options);
}

sn_tensor *sn_max_opts(sn_tensor *x, const sn_reduce_options *options) {
  return primitive("sn_max", SNI_OP_REDUCE_MAX, SNI_DTYPES_REAL, x, options);
}

sn_tensor *sn_min_opts(sn_tensor *x, const sn_reduce_options *options) {
  return primitive("sn_min", SNI_OP_REDUCE_MIN, SNI_DTYPES_REAL, x, options);
}

sn_tensor *sn_all_opts(sn_tensor *x, const sn_reduce_options *options) {
  return primitive("sn_all", SNI_OP_REDUCE_MIN, SNI_DTYPES_BOOL, x, options);
}

sn_tensor *sn_any_opts(sn_tensor *x, const sn_reduce_options *options) {
  return primitive("sn_any", SNI_OP_REDUCE_MAX, SNI_DTYPES_BOOL, x, options);
}

// ---- composed
sn_tensor *sn_mean_opts(sn_tensor *x, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_mean", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INEXACT) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  return sni_keep_only(c, c_first, mean(c, x, r));
}

sn_tensor *sn_var_opts(sn_tensor *x, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_var", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INEXACT) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  return sni_keep_only(c, c_first, variance(c, x, r));
}

sn_tensor *sn_std_opts(sn_tensor *x, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_std", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INEXACT) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  return sni_keep_only(c, c_first, sni_unary(c, SNI_OP_SQRT, variance(c, x, r)));
}

sn_tensor *sn_count_nonzero_opts(sn_tensor *x, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_count_nonzero", x);
  if (!read_options(c, x, options, &r)) return &c->error_tensor;
  sn_tensor *hit = x->type.dtype == SN_BOOL ? x : sni_convert(c, x, SN_BOOL);
  return sni_keep_only(c, c_first, reduce(c, SNI_OP_REDUCE_SUM, sni_convert(c, hit, SN_I64), r));
}

// sqrt(sum(x^2)). Where that is 0, so are all elements, and the root is taken of 1 instead: the gradient is 0, not NaN.
static sn_tensor *euclidean(sn_context *c, sn_tensor *x, reduction r) {
  sn_tensor *sum = reduce(c, SNI_OP_REDUCE_SUM, sni_binary(c, SNI_OP_MUL, x, x), r);
  if (sn_failed(sum)) return sum;
  sn_tensor *zero = sni_number(c, sum->type.dtype, 0), *one = sni_number(c, sum->type.dtype, 1);
  sn_tensor *none = sni_binary(c, SNI_OP_EQ, sum, zero);
  return sni_select(c, none, zero, sni_unary(c, SNI_OP_SQRT, sni_select(c, none, one, sum)));
}

static sn_tensor *norm(sn_context *c, sn_tensor *x, reduction r) {
  const double infinity = __builtin_inf();
  if (r.ord == 0 || r.ord == 2) return euclidean(c, x, r);
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, x);
  if (r.ord == infinity) return reduce(c, SNI_OP_REDUCE_MAX, size, r);
  if (r.ord == -infinity) return reduce(c, SNI_OP_REDUCE_MIN, size, r);
  if (r.ord == 1) return reduce(c, SNI_OP_REDUCE_SUM, size, r);
  sn_tensor *sum = reduce(c, SNI_OP_REDUCE_SUM, sni_with_number(c, SNI_OP_POW, size, r.ord), r);
  return sn_failed(sum) ? sum : sni_with_number(c, SNI_OP_POW, sum, 1 / r.ord);
}

sn_tensor *sn_norm_opts(sn_tensor *x, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_norm", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  if (__builtin_isnan(r.ord)) return sni_error(c, SN_ERR_ARGUMENT, "sn_norm: .ord is NaN");
  const bool is_half = sni_is_half(x->type.dtype);
  sn_tensor *y = norm(c, is_half ? sni_convert(c, x, SN_F32) : x, r);
  return sni_keep_only(c, c_first, is_half && !sn_failed(y) ? sni_convert(c, y, x->type.dtype) : y);
}

// x min(1, limit / |x|), with limit / max(|x|, limit), so that a norm of 0 divides by no 0.
sn_tensor *sn_clip_by_norm_opts(sn_tensor *x, double limit, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_clip_by_norm", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  if (!(limit > 0))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_clip_by_norm: the limit is %g, expected a number > 0",
                     limit);
  r.keepdims = true;
  sn_tensor *size = sni_with_number(c, SNI_OP_MAX, euclidean(c, x, r), limit);
  sn_tensor *factor = sni_binary(c, SNI_OP_DIV, sni_number(c, x->type.dtype, limit), size);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MUL, x, factor));
}

// m + log(sum(exp(x - m))) with m the maximum, or 0 where that is not finite (all -inf gives -inf,
// not NaN). No gradient flows through m: what is left is exactly softmax.
static sn_tensor *logsumexp(sn_context *c, sn_tensor *x, reduction r) {
  const reduction keep = {.mask = r.mask, .keepdims = true};
  const sn_dtype dtype = x->type.dtype;
  if (sni_is_half(dtype)) return sni_convert(c, logsumexp(c, sni_convert(c, x, SN_F32), r), dtype);
  sn_tensor *m = sni_unary(c, SNI_OP_STOP_GRADIENT, reduce(c, SNI_OP_REDUCE_MAX, x, keep));
  sn_tensor *zero = sni_number(c, dtype, 0);
  sn_tensor *finite = sni_binary(c, SNI_OP_EQ, sni_binary(c, SNI_OP_SUB, m, m), zero);
  m = sni_select(c, finite, m, zero);
  sn_tensor *e = sni_unary(c, SNI_OP_EXP, sni_binary(c, SNI_OP_SUB, x, m));
  sn_tensor *log = sni_unary(c, SNI_OP_LOG, reduce(c, SNI_OP_REDUCE_SUM, e, keep));
  sn_tensor *y = sni_binary(c, SNI_OP_ADD, log, m);
  return r.keepdims ? y : drop_axes(c, y, r.mask);
}

sn_tensor *sn_logsumexp_opts(sn_tensor *x, const sn_reduce_options *options) {
  reduction r;
  SNI_BEGIN_COMPOSED(c, "sn_logsumexp", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !read_options(c, x, options, &r))
    return &c->error_tensor;
  return sni_keep_only(c, c_first, logsumexp(c, x, r));
}

// Of no elements: the axis, as long as it may be, is not counted through.
static sn_tensor *no_indices(sn_context *c, const sn_tensor *x, int axis) {
  sni_type type = {.dtype = SN_I32};
  for (int i = 0; i < x->type.rank; i++)
    if (i != axis) type.dims[type.rank++] = x->type.dims[i];
  return sni_emit_full(c, &type, 0);
}

// The first of the greatest elements is the least index of the extreme one. In a graph comparisons fuse with
// what makes x; op by op each of them would be a pass over memory.
static sn_tensor *first_greatest(sn_context *c, sni_op op, sn_tensor *x, int axis) {
  const sni_op turn = sni_is_float(x->type.dtype) ? SNI_OP_NEG : SNI_OP_NOT;
  if (op == SNI_OP_REDUCE_MIN) x = sni_unary(c, turn, x);
  x = sni_last_axis(c, x, axis, false);
  x = sni_emit(c, SNI_OP_TOP_K, &x, 1, (sni_dim[]){1}, 1, NULL);
  return sn_failed(x) ? x : drop_axes(c, x, 1u << (x->type.rank - 1));
}

// The least index whose element is the extreme one, NaN being the most extreme.
static sn_tensor *arg_extreme(const char *name, sni_op op, sn_tensor *x, int axis) {
  SNI_BEGIN_COMPOSED(c, name, x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_REAL)) return &c->error_tensor;
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim size = x->type.dims[axis];
  char text[SNI_TENSOR_NAME];
  if (!sni_dim_require(dims, size, 1) || !sni_dim_require_most(dims, size, INT32_MAX))
    return sni_error(c, SN_ERR_SHAPE, "%s: axis %d of operand #0 %s, expected 1 to %d elements",
                     c->frame.op, axis, sni_describe(x, text), INT32_MAX);
  if (sni_dim_is(c, sni_type_size(sni_context_dims(c), &x->type), 0)) return no_indices(c, x, axis);
  if (!c->trace && !c->record) return sni_keep_only(c, c_first, first_greatest(c, op, x, axis));
  sn_tensor *hit = sni_binary(c, SNI_OP_EQ, x, sni_reduce_keep(c, op, x, axis));
  if (sni_is_float(x->type.dtype)) {
    sn_tensor *nan = sni_unary(c, SNI_OP_NOT, sni_binary(c, SNI_OP_EQ, x, x));
    hit = sni_binary(c, SNI_OP_OR, hit, nan);
  }
  sni_type type = {.dtype = SN_I32, .rank = x->type.rank - axis};
  type.dims[0] = x->type.dims[axis];
  for (int i = 1; i < type.rank; i++) type.dims[i] = 1;
  sn_tensor *index = sni_select(c, hit, sni_iota(c, &type, 0), sni_number(c, SN_I32, INT32_MAX));
  sn_tensor *least = reduce(c, SNI_OP_REDUCE_MIN, index, (reduction){.mask = 1u << axis});
  return sni_keep_only(c, c_first, least);
}

sn_tensor *(sn_argmax)(sn_tensor *x, int axis) {
  return arg_extreme("sn_argmax", SNI_OP_REDUCE_MAX, x, axis);
}

sn_tensor *(sn_argmin)(sn_tensor *x, int axis) {
  return arg_extreme("sn_argmin", SNI_OP_REDUCE_MIN, x, axis);
}
