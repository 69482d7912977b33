// Ops of order: rows along the last axis are what the primitives sort and search; other axes are moved
// there and back.
#include "frontend/ops/compose.h"

#include <math.h>
#include <string.h>

static bool check_axis(sn_context *c, const sn_tensor *x, int *axis) {
  *axis = sni_axis(c, x, *axis);
  return *axis >= 0;
}

// Places along an axis are i32.
static bool check_places(sn_context *c, const sn_tensor *x, int axis) {
  char text[SNI_TENSOR_NAME];
  if (sni_dim_require_most(sni_context_dims(c), x->type.dims[axis], INT32_MAX)) return true;
  sni_error(c, SN_ERR_SHAPE, "%s: axis %d of %s, expected at most %d elements", c->frame.op, axis,
            sni_describe(x, text), INT32_MAX);
  return false;
}

static sn_tensor *sort_along(sn_context *c, sni_op op, sn_tensor *x, int axis, bool descending) {
  const sni_dim attrs[] = {descending};
  x = sni_last_axis(c, x, axis, false);
  sn_tensor *ranks = sni_ranks(c, x), *y;
  if (ranks == x || op == SNI_OP_ARGSORT) {
    y = sni_emit(c, op, &ranks, 1, attrs, 1, NULL);
  } else {
    sn_tensor *places = sni_emit(c, SNI_OP_ARGSORT, &ranks, 1, attrs, 1, NULL);
    y = sni_take_along(c, x, places, x->type.rank - 1);
  }
  return sni_last_axis(c, y, axis, true);
}

sn_tensor *sn_sort_opts(sn_tensor *x, int axis, const sn_sort_options *options) {
  sn_sort_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_sort", x);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!check_axis(c, x, &axis)) return &c->error_tensor;
  return sni_keep_only(c, c_first, sort_along(c, SNI_OP_SORT, x, axis, o.descending));
}

sn_tensor *sn_argsort_opts(sn_tensor *x, int axis, const sn_sort_options *options) {
  sn_sort_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_argsort", x);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!check_axis(c, x, &axis) || !check_places(c, x, axis)) return &c->error_tensor;
  return sni_keep_only(c, c_first, sort_along(c, SNI_OP_ARGSORT, x, axis, o.descending));
}

// ---- the greatest elements
static sn_tensor *top_k(sn_tensor *x, int64_t k, sn_tensor **out_indices) {
  SNI_BEGIN(c, "sn_top_k", x);
  char text[SNI_TENSOR_NAME];
  int last = -1;
  if (k < 0) return sni_error(c, SN_ERR_ARGUMENT, "sn_top_k: k is %lld", (long long)k);
  if (!check_axis(c, x, &last) || !check_places(c, x, last)) return &c->error_tensor;
  if (!sni_dim_require(sni_context_dims(c), x->type.dims[last], k))
    return sni_error(c, SN_ERR_SHAPE,
                     "sn_top_k: operand #0 %s has fewer than %lld elements in a row",
                     sni_describe(x, text), (long long)k);
  *out_indices = sni_emit(c, SNI_OP_TOP_K, &x, 1, (sni_dim[]){k}, 1, NULL);
  const uint32_t first = c->n_live;
  return sni_keep_only(c, first, sni_take_along(c, x, *out_indices, last));
}

sn_tensor *(sn_top_k)(sn_tensor *x, int64_t k, sn_tensor **out_indices) {
  sn_tensor *indices = NULL, *y = top_k(x, k, &indices);
  if (out_indices) *out_indices = sn_failed(y) ? y : indices;
  return y;
}

// ---- searching
static sn_tensor *search(sn_context *c, sn_tensor *sorted, sn_tensor *values,
                         const sn_search_options *options) {
  sn_search_options o = {0};
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  sni_type type = values->type;
  const int rank = sorted->type.rank;
  if (values->type.dtype != sorted->type.dtype)
    return sni_error(c, SN_ERR_DTYPE,
                     "%s: the values are %s, expected %s like those that are sorted %s",
                     c->frame.op, sni_describe(values, b), sn_dtype_name(sorted->type.dtype),
                     sni_describe(sorted, a));
  bool agree = rank == 1 || (rank > 1 && rank == type.rank);
  for (int k = 0; agree && k < rank - 1; k++)
    agree = sni_dims_agree(c, sorted->type.dims[k], type.dims[k]);
  if (!agree)
    return sni_error(
        c, SN_ERR_SHAPE,
        "%s: what is sorted is %s, expected rank 1, or the dims of the values %s but for "
        "the last",
        c->frame.op, sni_describe(sorted, a), sni_describe(values, b));
  if (!check_places(c, sorted, rank - 1)) return &c->error_tensor;
  const sni_dim right = o.right;
  const sni_type flat = {type.dtype, 1, {sni_type_size(sni_context_dims(c), &type)}};
  if (rank == 1) values = sni_reshape_to(c, values, &flat);
  sn_tensor *y = sni_emit(c, SNI_OP_SEARCH_SORTED, SNI_OPERANDS(sorted, values), &right, 1, NULL);
  type.dtype = SN_I32;
  return sni_reshape_to(c, y, &type);
}

sn_tensor *sn_searchsorted_opts(sn_tensor *sorted, sn_tensor *values,
                                const sn_search_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_searchsorted", sorted, values);
  return sni_keep_only(c, c_first, search(c, sorted, values, options));
}

sn_tensor *sn_bucketize_opts(sn_tensor *x, sn_tensor *boundaries,
                             const sn_search_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_bucketize", x, boundaries);
  char text[SNI_TENSOR_NAME];
  if (boundaries->type.rank != 1)
    return sni_error(c, SN_ERR_SHAPE, "sn_bucketize: operand #1 is %s, expected rank 1",
                     sni_describe(boundaries, text));
  return sni_keep_only(c, c_first, search(c, boundaries, x, options));
}

// ---- quantiles
static sn_tensor *begin_quantile(sn_context *c, sn_tensor *x, int *axis) {
  char text[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !check_axis(c, x, axis))
    return &c->error_tensor;
  if (!sni_dim_require(sni_context_dims(c), x->type.dims[*axis], 1))
    return sni_error(c, SN_ERR_SHAPE, "%s: axis %d of operand #0 %s is empty", c->frame.op, *axis,
                     sni_describe(x, text));
  x = sni_last_axis(c, x, *axis, false);
  return sni_emit(c, SNI_OP_SORT, &x, 1, (sni_dim[]){0}, 1, NULL);
}

// Element `place` of each row.
static sn_tensor *column(sn_context *c, sn_tensor *x, sni_dim place) {
  if (sn_failed(x)) return x;
  sni_type type = x->type;
  type.rank--;
  return sni_reshape_to(c, sni_take(c, x, type.rank, place, 1), &type);
}

// y, but NaN where the greatest element is one.
static sn_tensor *pass_nan(sn_context *c, sn_tensor *sorted, sn_tensor *y) {
  if (sn_failed(sorted) || sn_failed(y)) return &c->error_tensor;
  const sni_dim n = sorted->type.dims[sorted->type.rank - 1];
  sn_tensor *last = column(c, sorted, sni_dim_add_constant(sni_context_dims(c), n, -1));
  return sni_select(c, sni_binary(c, SNI_OP_EQ, last, last), y, last);
}

sn_tensor *(sn_median)(sn_tensor *x, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_median", x);
  sni_dim_table *dims = sni_context_dims(c);
  sn_tensor *sorted = begin_quantile(c, x, &axis);
  if (sn_failed(sorted)) return sorted;
  const sni_dim n = sorted->type.dims[sorted->type.rank - 1];
  sn_tensor *low = column(c, sorted, sni_dim_floor_div(dims, sni_dim_add_constant(dims, n, -1), 2));
  sn_tensor *high = column(c, sorted, sni_dim_floor_div(dims, n, 2));
  sn_tensor *y = sni_binary(c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MUL, low, 0.5),
                            sni_with_number(c, SNI_OP_MUL, high, 0.5));
  return sni_keep_only(c, c_first, pass_nan(c, sorted, y));
}

sn_tensor *(sn_quantile)(sn_tensor *x, double q, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_quantile", x);
  char text[SNI_TENSOR_NAME];
  int64_t n = 0;
  if (!(q >= 0 && q <= 1))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_quantile: q is %g, expected 0 to 1", q);
  sn_tensor *sorted = begin_quantile(c, x, &axis);
  if (sn_failed(sorted)) return sorted;
  if (!sni_pin_dim(c, sorted->type.dims[sorted->type.rank - 1], &n))
    return sni_error(c, SN_ERR_SHAPE,
                     "sn_quantile: the size of axis %d of operand #0 %s is not known", axis,
                     sni_describe(x, text));
  const double place = q * (double)(n - 1), low = floor(place);
  sn_tensor *a = column(c, sorted, (int64_t)low);
  sn_tensor *b = column(c, sorted, (int64_t)low + (low < place));
  // Not by way of b - a, which may be infinite.
  const double t = place - low;
  sn_tensor *between = sni_binary(c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MUL, a, 1 - t),
                                  sni_with_number(c, SNI_OP_MUL, b, t));
  sn_tensor *y = t > 0 ? sni_select(c, sni_binary(c, SNI_OP_EQ, a, b), a, between) : a;
  return sni_keep_only(c, c_first, pass_nan(c, sorted, y));
}
