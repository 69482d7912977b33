// Sparse tensors: their parts, and what is asked of them.
#include "frontend/structures/sparse.h"

const sn_object_class sns_sparse_class = {.size = sizeof(sn_object_class),
                                          .name = "sn_sparse",
                                          .object_size = sizeof(sn_sparse),
                                          .n_tensors = SNS_SPARSE_PARTS,
                                          .tensors_offset = offsetof(sn_sparse, parts)};

// ---- as a part of structs
void sn_sparse_open(const void *s, sn_tensor **tensors) {
  for (int i = 0; i < SNS_SPARSE_PARTS; i++) tensors[i] = ((const sn_sparse *)s)->parts[i];
}

void *sn_sparse_make(sn_context *context, sn_tensor *const *tensors) {
  return sn_object_create(context, &sns_sparse_class, tensors);
}

sn_shape sns_known_shape(const sn_tensor *shape) {
  sn_shape known = {.rank = 0};
  // what is no result of a trace may be read, unless it is in one: then results are
  if (sn_is_traced(shape) || sn_is_traced(sns_own((sn_tensor *)(uintptr_t)shape))) return known;
  const int rank = (int)sn_dim(shape, 0);
  if (rank < 1 || rank > SN_MAX_RANK || sn_read(shape, known.dims, (size_t)rank * sizeof(int64_t)))
    return known;
  known.rank = rank;
  for (int d = 0; d < rank; d++)
    if (known.dims[d] < 0) known.rank = 0;
  return known;
}

static sn_sparse *made(sn_context *c, sn_tensor *const *parts, const sn_shape *known) {
  if (sn_pending_error(c)) return sns_no_sparse(c);
  const sn_shape own = known->rank ? *known : sns_known_shape(parts[SNS_DENSE_SHAPE]);
  sn_sparse *s = sn_sparse_make(c, parts);
  if (!sn_object_failed(s)) s->known = own;
  return sn_object_escape(s);
}

sn_sparse *sns_sparse_of_coo(sn_context *c, const sns_coo *s) {
  sn_tensor *const parts[SNS_SPARSE_PARTS] = {
      [SNS_INDICES] = s->indices, [SNS_VALUES] = s->values, [SNS_DENSE_SHAPE] = s->shape};
  return made(c, parts, &s->known);
}

sn_sparse *sns_sparse_of(sn_context *c, sn_tensor *indices, sn_tensor *values, sn_tensor *shape) {
  const sns_coo s = {.indices = indices, .values = values, .shape = shape};
  return sns_sparse_of_coo(c, &s);
}

sn_sparse *sns_sparse_of_parts(sn_context *c, sn_tensor *const *parts, const sn_shape *known) {
  return made(c, parts, known);
}

// ---- made of parts
static bool is_index_dtype(sn_dtype dtype) {
  return dtype == SN_I64 || dtype == SN_I32;
}

// Integers of this rank; false: an error is pending.
static bool check_part(sn_context *c, const sn_tensor *t, const char *name, int rank, bool index) {
  if (sn_failed(t))
    sn_fail(c, SN_ERR_ARGUMENT, "%s is %s", name, t ? "the error tensor" : "NULL");
  else if (sn_rank(t) != rank)
    sn_fail(c, SN_ERR_SHAPE, "%s has rank %d, expected %d", name, sn_rank(t), rank);
  else if (index && !is_index_dtype(sn_dtype_of(t)))
    sn_fail(c, SN_ERR_DTYPE, "%s is %s, expected i32 or i64", name, sn_dtype_name(sn_dtype_of(t)));
  return !sn_pending_error(c);
}

// Sizes that are known, and differ.
static bool differ(const sn_tensor *a, int axis, const sn_tensor *b, int other) {
  const int64_t x = sn_symbolic_dim(a, axis), y = sn_symbolic_dim(b, other);
  return x >= 0 && y >= 0 && x != y;
}

// False: an error is pending.
static bool check_entries(sn_context *c, const sn_tensor *indices, const sn_tensor *values) {
  if (!check_part(c, indices, "indices", 2, true) || !check_part(c, values, "values", 1, false))
    return false;
  if (!differ(indices, 0, values, 0)) return true;
  sn_fail(c, SN_ERR_SHAPE, "%lld indices and %lld values", (long long)sn_symbolic_dim(indices, 0),
          (long long)sn_symbolic_dim(values, 0));
  return false;
}

static bool check_rank(sn_context *c, const sn_tensor *indices, int64_t rank) {
  const int64_t numbers = sn_symbolic_dim(indices, 1);
  if (rank < 0 || rank > SN_MAX_RANK)
    sn_fail(c, SN_ERR_SHAPE, "a dense shape of %lld dims, at most %d are possible", (long long)rank,
            SN_MAX_RANK);
  else if (numbers >= 0 && numbers != rank)
    sn_fail(c, SN_ERR_SHAPE, "indices of %lld numbers, a dense shape of %lld dims",
            (long long)numbers, (long long)rank);
  return !sn_pending_error(c);
}

sn_sparse *(sn_sparse_create)(sn_tensor *indices, sn_tensor *values, sn_shape dense_shape) {
  sn_context *c = sn_context_of(indices ? indices : values);
  SN_FRAME(c, "sn_sparse_create");
  SN_SCOPE(c);
  if (!check_entries(c, indices, values) || !check_rank(c, indices, dense_shape.rank))
    return sns_no_sparse(c);
  const sns_coo s = {sns_wide(indices), values, sns_shape_tensor(c, dense_shape), dense_shape.rank,
                     dense_shape};
  return sns_sparse_of_coo(c, &s);
}

sn_sparse *(sn_sparse_from_parts)(sn_tensor *indices, sn_tensor *values, sn_tensor *dense_shape) {
  sn_context *c = sn_context_of(indices ? indices : values ? values : dense_shape);
  SN_FRAME(c, "sn_sparse_from_parts");
  SN_SCOPE(c);
  if (!check_entries(c, indices, values) || !check_part(c, dense_shape, "dense_shape", 1, true) ||
      !check_rank(c, indices, sn_dim(dense_shape, 0)))
    return sns_no_sparse(c);
  // a dense shape that is a variable is what it is now
  return sns_sparse_of(c, sns_wide(indices), values, sns_own(sns_wide(dense_shape)));
}

sn_sparse *(sn_sparse_constant)(sn_context *context, sn_dtype dtype, sn_shape dense_shape,
                                const int64_t *indices, const void *values, int64_t n) {
  SN_FRAME(context, "sn_sparse_constant");
  SN_SCOPE(context);
  static const int64_t none;
  if (n < 0 || (n && (!indices || !values)))
    sn_fail(context, SN_ERR_ARGUMENT, "%lld values%s", (long long)n,
            n < 0      ? ""
            : !indices ? ", indices is NULL"
                       : ", values is NULL");
  else if (dense_shape.rank < 0 || dense_shape.rank > SN_MAX_RANK)
    sn_fail(context, SN_ERR_SHAPE, "a dense shape of %d dims", dense_shape.rank);
  for (int i = 0; !sn_pending_error(context) && i < dense_shape.rank; i++)
    if (dense_shape.dims[i] < 0)
      sn_fail(context, SN_ERR_SHAPE, "dim %d of the dense shape is %lld", i,
              (long long)dense_shape.dims[i]);
  if (sn_pending_error(context)) return sns_no_sparse(context);
  sn_tensor *at = sn_constant(context, SN_I64, SN_SHAPE(n, dense_shape.rank),
                              n && dense_shape.rank ? indices : &none);
  sn_tensor *v = dtype == SN_STRING ? sn_strings_from_texts(context, SN_SHAPE(n), values)
                                    : sn_constant(context, dtype, SN_SHAPE(n), n ? values : &none);
  const sns_coo s = {at, v, sns_numbers(context, dense_shape.dims, dense_shape.rank),
                     dense_shape.rank, dense_shape};
  return sns_sparse_of_coo(context, &s);
}

sn_sparse *(sn_sparse_eye)(sn_context *context, sn_dtype dtype, int64_t rows, int64_t columns) {
  SN_FRAME(context, "sn_sparse_eye");
  SN_SCOPE(context);
  if (rows < 0 || columns < 0) {
    sn_fail(context, SN_ERR_SHAPE, "%lld rows and %lld columns", (long long)rows,
            (long long)columns);
    return sns_no_sparse(context);
  }
  sn_tensor *ones = sn_ones(context, dtype, SN_SHAPE(rows < columns ? rows : columns));
  sn_tensor *i = sns_rows_of(ones);
  const sn_shape shape = {2, {rows, columns}};
  const sns_coo s = {sn_stack((sn_tensor *const[]){i, i}, 2, 1), ones,
                     sns_numbers(context, shape.dims, 2), 2, shape};
  return sns_sparse_of_coo(context, &s);
}

// ---- small tensors of sizes
sn_tensor *sns_numbers(sn_context *c, const int64_t *numbers, int n) {
  static const int64_t none;
  return sn_constant(c, SN_I64, SN_SHAPE(n), n ? numbers : &none);
}

sn_tensor *sns_shape_tensor(sn_context *c, sn_shape shape) {
  bool known = true;
  for (int i = 0; i < shape.rank; i++) known = known && shape.dims[i] >= 0;
  if (known) return sns_numbers(c, shape.dims, shape.rank);
  sn_tensor *dims[SN_MAX_RANK], *like = sn_zeros(c, SN_BOOL, shape);  // never made
  for (int i = 0; i < shape.rank; i++) dims[i] = sn_axis_size(like, i, SN_I64);
  return sn_stack(dims, shape.rank, 0);
}

int64_t sns_dense_dim(const sns_coo *s, int axis) {
  return s->known.rank ? s->known.dims[axis] : sn_late_dim(sn_index(s->shape, 0, axis));
}

sn_shape sns_dense_shape(const sns_coo *s) {
  sn_shape shape = {.rank = s->rank};
  for (int i = 0; i < s->rank; i++) shape.dims[i] = sns_dense_dim(s, i);
  return shape;
}

int64_t sns_flat_dim(sn_context *c, sn_shape shape) {
  int64_t n = 1;
  bool known = true;
  for (int i = 0; i < shape.rank; i++) known = known && shape.dims[i] >= 0;
  if (!known)  // of what is never made
    return sn_symbolic_dim(sn_reshape(sn_zeros(c, SN_BOOL, shape), SN_SHAPE(-1)), 0);
  if (sns_product(shape.dims, shape.rank, SNS_ALL_AXES, &n)) return n;
  sn_fail(c, SN_ERR_SHAPE, "the dense shape has more elements than 63 bits count");
  return 0;
}

int sns_sparse_axis(sn_context *c, int rank, int axis) {
  const int found = axis < 0 ? axis + rank : axis;
  if (found >= 0 && found < rank) return found;
  sn_fail(c, SN_ERR_SHAPE, "axis %d of a sparse tensor of %d dims", axis, rank);
  return -1;
}

// ---- questions
int sn_sparse_rank(const sn_sparse *s) {
  return sn_failed(s) ? -1 : (int)sn_dim(s->parts[SNS_DENSE_SHAPE], 0);
}

sn_tensor *(sn_sparse_indices)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_indices", s);
  if (!sns_sparse_ok(c, s, "s")) return sn_error_tensor(c);
  return sn_escape(sns_own(sns_indices_of(c, s)));
}

sn_tensor *(sn_sparse_values)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_values", s);
  if (!sns_sparse_ok(c, s, "s")) return sn_error_tensor(c);
  return sn_escape(sns_own(s->parts[SNS_VALUES]));
}

sn_tensor *(sn_sparse_dense_shape)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_dense_shape", s);
  if (!sns_sparse_ok(c, s, "s")) return sn_error_tensor(c);
  return sn_escape(sns_own(s->parts[SNS_DENSE_SHAPE]));
}

// ---- other values
static sn_sparse *with_values(sn_context *c, const sn_sparse *s, sn_tensor *values,
                              const char *name) {
  if (!check_part(c, values, name, 1, false)) return sns_no_sparse(c);
  if (differ(values, 0, s->parts[SNS_VALUES], 0)) {
    sn_fail(c, SN_ERR_SHAPE, "%s has %lld elements, expected %lld", name,
            (long long)sn_symbolic_dim(values, 0),
            (long long)sn_symbolic_dim(s->parts[SNS_VALUES], 0));
    return sns_no_sparse(c);
  }
  sn_tensor *parts[SNS_SPARSE_PARTS];
  sn_sparse_open(s, parts);
  parts[SNS_VALUES] = values;
  return sns_sparse_of_parts(c, parts, &s->known);
}

sn_sparse *(sn_sparse_with_values)(const sn_sparse *s, sn_tensor *values) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_with_values", s);
  return sns_sparse_ok(c, s, "s") ? with_values(c, s, values, "values") : sns_no_sparse(c);
}

sn_sparse *(sn_sparse_map)(sn_tensor *(*op)(sn_tensor *x), const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_map", s);
  if (!op) sn_fail(c, SN_ERR_ARGUMENT, "op is NULL");
  if (!op || !sns_sparse_ok(c, s, "s")) return sns_no_sparse(c);
  return with_values(c, s, op(s->parts[SNS_VALUES]), "what op gives");
}

sn_sparse *(sn_sparse_map_with)(sn_tensor *(*op)(sn_tensor *x, void *user), const sn_sparse *s,
                                void *user) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_map_with", s);
  if (!op) sn_fail(c, SN_ERR_ARGUMENT, "op is NULL");
  if (!op || !sns_sparse_ok(c, s, "s")) return sns_no_sparse(c);
  return with_values(c, s, op(s->parts[SNS_VALUES], user), "what op gives");
}

sn_sparse *(sn_sparse_mul_scalar)(const sn_sparse *s, double value) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_mul_scalar", s);
  if (!sns_sparse_ok(c, s, "s")) return sns_no_sparse(c);
  return with_values(c, s, sn_mul(s->parts[SNS_VALUES], value), "the product");
}

sn_sparse *(sn_sparse_add_scalar)(const sn_sparse *s, double value) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_add_scalar", s);
  if (sns_sparse_ok(c, s, "s"))
    sn_fail(c, SN_ERR_UNSUPPORTED,
            "a sparse tensor + %g would have no element that is not there: sn_sparse_map changes "
            "the values alone, sn_sparse_to_dense gives all elements",
            value);
  return sns_no_sparse(c);
}
