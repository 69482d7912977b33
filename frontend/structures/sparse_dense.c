// Sparse tensors to dense ones and back; the two with each other, element by element.
#include "frontend/structures/sparse.h"

// ---- to and from
static sn_tensor *default_of(sn_context *c, const sn_tensor *values, sn_tensor *given) {
  const sn_dtype dtype = sn_dtype_of(values);
  if (!given) return sn_zeros(c, dtype, SN_SCALAR);
  if (sn_failed(given))
    sn_fail(c, SN_ERR_ARGUMENT, "default_value is the error tensor");
  else if (sn_rank(given))
    sn_fail(c, SN_ERR_SHAPE, "default_value has rank %d, expected a scalar", sn_rank(given));
  else if (sn_dtype_of(given) != dtype)
    sn_fail(c, SN_ERR_DTYPE, "default_value is %s, the values are %s",
            sn_dtype_name(sn_dtype_of(given)), sn_dtype_name(dtype));
  return given;
}

static sn_tensor *to_dense(sn_context *c, const sns_coo *x, sn_tensor *fill, bool ordered) {
  const sn_shape shape = sns_dense_shape(x);
  const int64_t flat = sns_flat_dim(c, shape);
  sn_tensor *places = sns_places(c, x, SNS_ALL_AXES, ordered);
  if (sn_pending_error(c)) return sn_error_tensor(c);
  sn_tensor *all = sn_broadcast_to(fill, SN_SHAPE(flat));
  return sn_escape(sn_reshape(sn_scatter_update(all, places, x->values), shape));
}

sn_tensor *sn_sparse_to_dense_opts(const sn_sparse *s, const sn_sparse_to_dense_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_to_dense", s);
  const sn_sparse_to_dense_options none = {0}, *o = options ? options : &none;
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sn_error_tensor(c);
  sn_tensor *fill = default_of(c, x.values, o->default_value);
  return to_dense(c, &x, fill, !o->unchecked);
}

sn_sparse *(sn_sparse_from_dense)(sn_tensor *x) {
  sn_context *c = sn_context_of(x);
  SN_FRAME(c, "sn_sparse_from_dense");
  SN_SCOPE(c);
  if (sn_failed(x))
    sn_fail(c, SN_ERR_ARGUMENT, "x is %s", x ? "the error tensor" : "NULL");
  else if (sn_rank(x) < 1)
    sn_fail(c, SN_ERR_SHAPE, "x is a scalar, expected rank 1 or more");
  if (sn_pending_error(c)) return sns_no_sparse(c);
  const bool text = sn_dtype_of(x) == SN_STRING;
  sn_tensor *at = sn_argwhere(text ? sn_not_equal(x, sn_zeros(c, SN_STRING, SN_SCALAR)) : x);
  const sns_coo s = {at, sn_gather_nd(x, at), sns_dims(c, x), sn_rank(x), sns_shape_of(x)};
  return sns_sparse_of_coo(c, &s);
}

// ---- to an indicator: in: indices, dense shape, values
static sn_status fill_indicated(const sn_host_args *args) {
  sns_entries e;
  const int64_t n = sns_number(args, 0), *values = sns_i64(&args->in[2]);
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  if (e.rank < 1) return sns_refuse(args, SN_ERR_SHAPE, "s has no last axis");
  int64_t *out = sns_i64(&args->out[0]);
  for (int64_t i = 0; i < e.n; i++) {
    if (values[i] < 0 || values[i] >= n)
      return sns_refuse(args, SN_ERR_INDEX, "values[%lld] = %lld: expected in [0, %lld)",
                        (long long)i, (long long)values[i], (long long)n);
    out[i] = 0;
    for (int d = 0; d + 1 < e.rank; d++) out[i] = out[i] * e.dims[d] + e.at[i * e.rank + d];
    out[i] = out[i] * n + values[i];
  }
  return SN_OK;
}

static bool is_integer(sn_dtype dtype) {
  return dtype == SN_I64 || dtype == SN_I32 || dtype == SN_I16 || dtype == SN_I8 ||
         dtype == SN_U8 || dtype == SN_U16 || dtype == SN_U32 || dtype == SN_U64;
}

sn_tensor *(sn_sparse_to_indicator)(const sn_sparse *s, int64_t n) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_to_indicator", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sn_error_tensor(c);
  if (n < 0)
    sn_fail(c, SN_ERR_ARGUMENT, "n is %lld", (long long)n);
  else if (x.rank < 1)
    sn_fail(c, SN_ERR_SHAPE, "s has no last axis");
  else if (!is_integer(sn_dtype_of(x.values)))
    sn_fail(c, SN_ERR_DTYPE, "values are %s, expected integers",
            sn_dtype_name(sn_dtype_of(x.values)));
  if (sn_pending_error(c)) return sn_error_tensor(c);
  sn_shape shape = sns_dense_shape(&x);
  shape.dims[shape.rank - 1] = n;
  sn_tensor *const in[] = {x.indices, x.shape, sns_wide(x.values)};
  const int64_t flat = sns_flat_dim(c, shape);
  sn_tensor *at =
      SNS_RUN(c, in, 3, .name = "sparse_indicated", .callback = fill_indicated, .dtype = SN_I64,
              .shape = SN_SHAPE(sn_symbolic_dim(x.indices, 0)), .numbers = {n});
  sn_tensor *none = sn_zeros(c, SN_BOOL, SN_SHAPE(flat));
  sn_tensor *ones = sn_full(c, SN_BOOL, SN_SHAPE(sn_symbolic_dim(x.indices, 0)), 1);
  return sn_escape(sn_reshape(sn_scatter_update(none, at, ones), shape));
}

// ---- with dense operands
// The place in x of each value, x broadcast to the dense shape: in: indices, dense shape, x's dims
static sn_status fill_broadcast(const sn_host_args *args) {
  sns_entries e;
  const int64_t *dims = sns_i64(&args->in[2]), rank = sns_view_size(&args->in[2]);
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  const int skip = e.rank - (int)rank;
  for (int64_t d = 0; d < rank; d++)
    if (skip < 0 || (dims[d] != 1 && dims[d] != e.dims[skip + d]))
      return sns_refuse(args, SN_ERR_SHAPE,
                        "dim %lld of the dense operand is %lld: it does not broadcast to the "
                        "sparse one's shape",
                        (long long)d, (long long)dims[d]);
  int64_t *out = sns_i64(&args->out[0]);
  for (int64_t i = 0; i < e.n; i++) {
    out[i] = 0;
    for (int64_t d = 0; d < rank; d++)
      out[i] = out[i] * dims[d] + (dims[d] == 1 ? 0 : e.at[i * e.rank + skip + d]);
  }
  return SN_OK;
}

// x's element at each value; NULL: an error is pending.
static sn_tensor *at_values(sn_context *c, const sns_coo *s, sn_tensor *x) {
  if (sn_failed(x))
    sn_fail(c, SN_ERR_ARGUMENT, "x is %s", x ? "the error tensor" : "NULL");
  else if (sn_rank(x) > s->rank)
    sn_fail(c, SN_ERR_SHAPE, "x has %d dims, s %d: x broadcasts to s, not the other way",
            sn_rank(x), s->rank);
  if (sn_pending_error(c)) return NULL;
  sn_tensor *const in[] = {s->indices, s->shape, sns_dims(c, x)};
  return sn_take(x, SNS_RUN(c, in, 3, .name = "sparse_broadcast", .callback = fill_broadcast,
                            .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(s->indices, 0))));
}

sn_sparse *(sn_sparse_mul)(const sn_sparse *s, sn_tensor *x) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_mul", s);
  sns_coo a;
  if (!sns_coo_of(c, s, "s", &a)) return sns_no_sparse(c);
  sn_tensor *factor = at_values(c, &a, x);
  if (!factor) return sns_no_sparse(c);
  a.values = sn_mul(a.values, factor);
  return sns_sparse_of_coo(c, &a);
}

// Which divisors are 0: none, or it fails: in: indices, dense shape, that
static sn_status check_divisors(const sn_host_args *args) {
  sns_entries e;
  const uint8_t *zero = args->in[2].data;
  uint8_t *out = args->out[0].data;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  for (int64_t i = 0; i < e.n; i++) {
    if (zero[i]) {
      (void)sns_refuse_entry(args, &e, i, "is divided by 0");
      return SN_ERR_ARGUMENT;
    }
    out[i] = 0;
  }
  return SN_OK;
}

sn_sparse *(sn_sparse_div)(const sn_sparse *s, sn_tensor *x) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_div", s);
  sns_coo a;
  if (!sns_coo_of(c, s, "s", &a)) return sns_no_sparse(c);
  sn_tensor *divisor = at_values(c, &a, x);
  if (!divisor) return sns_no_sparse(c);
  sn_tensor *const in[] = {a.indices, a.shape, sn_equal(divisor, 0)};
  sn_tensor *zero = SNS_RUN(c, in, 3, .name = "sparse_divisors", .callback = check_divisors,
                            .dtype = SN_BOOL, .shape = sns_shape_of(in[2]));
  a.values = sn_div(a.values, sn_where(zero, 1, divisor));  // so that the check is made
  return sns_sparse_of_coo(c, &a);
}

// The places of values in x, which has the dense shape: in: indices, dense shape, x's dims
static sn_status fill_same(const sn_host_args *args) {
  const int64_t *dims = sns_i64(&args->in[1]), *other = sns_i64(&args->in[2]);
  for (int64_t d = 0; d < sns_view_size(&args->in[2]); d++)
    if (dims[d] != other[d])
      return sns_refuse(args, SN_ERR_SHAPE, "dim %lld is %lld of s, %lld of x: no broadcasting",
                        (long long)d, (long long)dims[d], (long long)other[d]);
  return fill_broadcast(args);
}

sn_tensor *(sn_sparse_add_dense)(const sn_sparse *s, sn_tensor *x) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_add_dense", s);
  sns_coo a;
  if (!sns_coo_of(c, s, "s", &a)) return sn_error_tensor(c);
  if (sn_failed(x))
    sn_fail(c, SN_ERR_ARGUMENT, "x is %s", x ? "the error tensor" : "NULL");
  else if (sn_rank(x) != a.rank)
    sn_fail(c, SN_ERR_SHAPE, "x has %d dims, s %d: no broadcasting", sn_rank(x), a.rank);
  if (sn_pending_error(c)) return sn_error_tensor(c);
  sn_tensor *const in[] = {a.indices, a.shape, sns_dims(c, x)};
  sn_tensor *at = SNS_RUN(c, in, 3, .name = "sparse_places", .callback = fill_same, .dtype = SN_I64,
                          .shape = SN_SHAPE(sn_symbolic_dim(a.indices, 0)));
  sn_tensor *flat = sn_scatter_add(sn_reshape(x, SN_SHAPE(-1)), at, a.values);
  return sn_escape(sn_reshape(flat, sns_shape_of(x)));
}
