// Products of sparse matrices with dense ones and with each other.
//
// Two host functions and their gradients are closed: the product M(v, x) = sums of v x[from, :] at rows `to`, and the dots D(p, q) = p[to, :] . q[from, :], of a pair of columns of
// indices. dM/dv = D(dy, x), dM/dx = M with the columns changed; D's are products. They take f32 and f64; products of other dtypes are composed of gathers and
// segment sums.
#include "frontend/structures/kernels.h"
#include "frontend/structures/sparse.h"
#include "frontend/structures/sparse_kernels.h"

#include <stdlib.h>
#include <string.h>

// ---- the copy of the loops for this machine
extern const sns_sparse_kernels sns_sparse_kernels_baseline;
#if defined(__x86_64__)
extern const sns_sparse_kernels sns_sparse_kernels_avx2, sns_sparse_kernels_avx512;
#endif

const sns_sparse_kernels *sns_sparse_kernels_copy(int copy) {
#if defined(__x86_64__)
  if (copy == SNS_AVX2) return &sns_sparse_kernels_avx2;
  if (copy == SNS_AVX512) return &sns_sparse_kernels_avx512;
#endif
  return copy == SNS_BASELINE ? &sns_sparse_kernels_baseline : NULL;
}

// ---- M: in: indices, values, x, dense shape; number: the column of indices that is `to`
static sn_status pairs_of(const sn_host_args *args, int shape, int64_t to, const sn_view *of_to,
                          const sn_view *of_from, sns_row_pairs *out) {
  sns_entries e;
  const sn_status status = sns_entries_of(args, 0, shape, &e);
  if (status) return status;
  const sn_view *const operands[] = {of_to, of_from};
  for (int k = 0; k < 2; k++)
    if (e.dims[k ? 1 - to : to] != operands[k]->shape.dims[0])
      return sns_refuse(args, SN_ERR_SHAPE,
                        "a sparse matrix of [%lld, %lld]%s and a dense operand of %lld rows",
                        (long long)e.dims[0], (long long)e.dims[1], to ? ", transposed," : "",
                        (long long)operands[k]->shape.dims[0]);
  *out = (sns_row_pairs){e.at + 1 - to, e.at + to, 2, e.n, of_from->shape.dims[1]};
  return SN_OK;
}

static bool rows_ascend(const sns_row_pairs *p) {
  for (int64_t i = 1; i < p->n; i++)
    if (p->to[i * p->stride] < p->to[(i - 1) * p->stride]) return false;
  return true;
}

// Zeros of all rows that no pair has; of all where sums are added up.
static void clear_rows(const sns_row_pairs *p, char *y, int64_t rows, size_t row_bytes, bool all) {
  int64_t next = 0;
  for (int64_t i = 0; !all && i < p->n; i++) {
    const int64_t to = p->to[i * p->stride];
    if (to > next) memset(y + (size_t)next * row_bytes, 0, (size_t)(to - next) * row_bytes);
    next = to + 1;
  }
  if (rows > next) memset(y + (size_t)next * row_bytes, 0, (size_t)(rows - next) * row_bytes);
}

static sn_status product(const sn_host_args *args) {
  const sns_sparse_kernels *k = sns_sparse_kernels_copy(sns_best_copy());
  const sn_view *y = &args->out[0];
  sns_row_pairs p;
  const sn_status status = pairs_of(args, 3, sns_number(args, 0), y, &args->in[2], &p);
  if (status) return status;
  const bool ordered = rows_ascend(&p), wide = y->dtype == SN_F64;
  clear_rows(&p, y->data, y->shape.dims[0], (size_t)p.m * sn_dtype_size(y->dtype), !ordered);
  if (wide)
    (ordered ? k->gather_f64 : k->scatter_f64)(&p, args->in[1].data, args->in[2].data, y->data);
  else
    (ordered ? k->gather_f32 : k->scatter_f32)(&p, args->in[1].data, args->in[2].data, y->data);
  return SN_OK;
}

// ---- D: in: indices, p [rows of `to`, m], q [rows of `from`, m], dense shape
static sn_status dots(const sn_host_args *args) {
  const sns_sparse_kernels *k = sns_sparse_kernels_copy(sns_best_copy());
  sns_row_pairs p;
  const sn_status status = pairs_of(args, 3, sns_number(args, 0), &args->in[1], &args->in[2], &p);
  if (status) return status;
  if (args->out[0].dtype == SN_F64)
    k->dot_f64(&p, args->in[2].data, args->in[1].data, args->out[0].data);
  else
    k->dot_f32(&p, args->in[2].data, args->in[1].data, args->out[0].data);
  return SN_OK;
}

// The gradients of what gives gradients are composed: a function's gradient is traced where the function is called, so that one of its own would be traced
// without end.
typedef enum caller { A_CALL, A_GRADIENT } caller;
static sn_tensor *run_product(sn_context *c, sn_tensor *const *in, int to, int64_t rows, caller of);
static sn_tensor *run_dots(sn_context *c, sn_tensor *const *in, int to);

static sns_coo matrix_of(sn_tensor *const *in, sn_tensor *values) {
  return (sns_coo){.indices = in[0], .values = values, .shape = in[3], .rank = 2};
}

static sn_tensor *rows_named(sn_context *c, const sns_coo *s, sn_tensor *x, int axis) {
  return sn_gather(x, sns_column(c, s, axis));
}

static sn_tensor *composed_product(sn_context *c, const sns_coo *s, sn_tensor *x, int to,
                                   int64_t rows) {
  sn_tensor *terms = sn_mul(rows_named(c, s, x, 1 - to), sn_expand_dims(s->values, 1));
  return sn_segment_sum(terms, sns_column(c, s, to), rows);
}

static sn_tensor *composed_dots(sn_context *c, const sns_coo *s, sn_tensor *p, sn_tensor *q,
                                int to) {
  sn_tensor *terms = sn_mul(rows_named(c, s, p, to), rows_named(c, s, q, 1 - to));
  return sn_sum(terms, .axes = SN_AXES(1));
}

// of M: in: indices, values, x, dense shape; y; its cotangent
static void product_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, int to, caller of) {
  sn_tensor *const dy = in[5], *const about[] = {in[0], dy, in[2], in[3]},
                   *const back[] = {in[0], in[1], dy, in[3]};
  const int64_t rows = sn_symbolic_dim(in[2], 0);
  const sns_coo s = matrix_of(in, in[1]);
  if (of == A_CALL) {
    out[1] = run_dots(c, about, to);
    out[2] = run_product(c, back, 1 - to, rows, A_GRADIENT);
  } else {
    out[1] = composed_dots(c, &s, dy, in[2], to);
    out[2] = composed_product(c, &s, dy, 1 - to, rows);
  }
}

// of D: in: indices, p, q, dense shape; the dots; their cotangent
static void dots_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, int to) {
  const sns_coo s = matrix_of(in, in[5]);
  out[1] = composed_product(c, &s, in[2], to, sn_symbolic_dim(in[1], 0));
  out[2] = composed_product(c, &s, in[1], 1 - to, sn_symbolic_dim(in[2], 0));
}

// A gradient is given no attributes: there is one for each.
#define SNS_BACK(name, call)                                                                \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) { \
    (void)user;                                                                             \
    call;                                                                                   \
    return SN_OK;                                                                           \
  }
SNS_BACK(product_back_0, product_back(c, in, out, 0, A_CALL))
SNS_BACK(product_back_1, product_back(c, in, out, 1, A_CALL))
SNS_BACK(product_again_0, product_back(c, in, out, 0, A_GRADIENT))
SNS_BACK(product_again_1, product_back(c, in, out, 1, A_GRADIENT))
SNS_BACK(dots_back_0, dots_back(c, in, out, 0))
SNS_BACK(dots_back_1, dots_back(c, in, out, 1))

static sn_tensor *run_product(sn_context *c, sn_tensor *const *in, int to, int64_t rows,
                              caller of) {
  static const sn_callback back[2][2] = {[A_CALL] = {product_back_0, product_back_1},
                                         [A_GRADIENT] = {product_again_0, product_again_1}};
  return SNS_RUN(c, in, 4, .name = "sparse_product", .callback = product,
                 .dtype = sn_dtype_of(in[1]), .shape = SN_SHAPE(rows, sn_symbolic_dim(in[2], 1)),
                 .vjp = back[of][to], .numbers = {to});
}

static sn_tensor *run_dots(sn_context *c, sn_tensor *const *in, int to) {
  return SNS_RUN(c, in, 4, .name = "sparse_dots", .callback = dots, .dtype = sn_dtype_of(in[1]),
                 .shape = SN_SHAPE(sn_symbolic_dim(in[0], 0)),
                 .vjp = to ? dots_back_1 : dots_back_0, .numbers = {to});
}

// ---- of any dtype
// One column of the indices, where the matrix has as many rows as x: in: indices, dense shape, x's rows; numbers: which, the axis of x's rows
static sn_status fill_factors(const sn_host_args *args) {
  sns_entries e;
  const int64_t rows = *sns_i64(&args->in[2]), from = sns_number(args, 1);
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  if (e.dims[from] != rows)
    return sns_refuse(
        args, SN_ERR_SHAPE, "a sparse matrix of [%lld, %lld]%s and a dense operand of %lld rows",
        (long long)e.dims[0], (long long)e.dims[1], from ? "" : ", transposed,", (long long)rows);
  for (int64_t i = 0; i < e.n; i++) sns_i64(&args->out[0])[i] = e.at[2 * i + sns_number(args, 0)];
  return SN_OK;
}

static sn_tensor *factors(sn_context *c, const sns_coo *s, sn_tensor *x, int which, int from) {
  sn_tensor *const in[] = {s->indices, s->shape, sn_axis_size(x, 0, SN_I64)};
  return SNS_RUN(c, in, 3, .name = "sparse_factors", .callback = fill_factors, .dtype = SN_I64,
                 .shape = SN_SHAPE(sn_symbolic_dim(s->indices, 0)), .numbers = {which, from});
}

sn_tensor *sns_product_of(sn_context *c, const sns_coo *s, sn_tensor *x, int to, int64_t rows) {
  const sn_dtype dtype = sn_dtype_of(x);
  if (dtype == SN_F16 || dtype == SN_BF16) {  // rounded once
    sns_coo wide = *s;
    wide.values = sn_cast(s->values, SN_F32);
    return sn_cast(sns_product_of(c, &wide, sn_cast(x, SN_F32), to, rows), dtype);
  }
  if (dtype == SN_F32 || dtype == SN_F64) {
    sn_tensor *const in[] = {s->indices, s->values, x, s->shape};
    return run_product(c, in, to, rows, A_CALL);
  }
  sn_tensor *const rows_of_x = sn_gather(x, factors(c, s, x, 1 - to, 1 - to));
  sn_tensor *terms = sn_mul(rows_of_x, sn_expand_dims(s->values, 1));
  return sn_segment_sum(terms, factors(c, s, x, to, 1 - to), rows);
}

// ---- sparse times dense
static bool is_complex(sn_dtype dtype) {
  return dtype == SN_C64 || dtype == SN_C128;
}

static bool check_product(sn_context *c, const sns_coo *s, const sn_tensor *x, bool left) {
  const sn_dtype a = sn_dtype_of(s->values), b = sn_dtype_of(x);
  if (sn_failed(x))
    sn_fail(c, SN_ERR_ARGUMENT, "x is %s", x ? "the error tensor" : "NULL");
  else if (s->rank != 2)
    sn_fail(c, SN_ERR_SHAPE, "s has %d dims, expected the 2 of a matrix", s->rank);
  else if (sn_rank(x) != 2 && (left || sn_rank(x) != 1))
    sn_fail(c, SN_ERR_SHAPE, "x has rank %d, expected 2%s", sn_rank(x), left ? "" : " or 1");
  else if (a != b || a == SN_BOOL || a == SN_STRING)
    sn_fail(c, SN_ERR_DTYPE, "s is %s, x %s: expected numbers of one dtype", sn_dtype_name(a),
            sn_dtype_name(b));
  return !sn_pending_error(c);
}

static void conjugate(sns_coo *s) {
  if (is_complex(sn_dtype_of(s->values))) s->values = sn_conj(s->values);
}

static sn_tensor *turned(sn_tensor *x, bool transpose, bool adjoint) {
  if (adjoint && is_complex(sn_dtype_of(x))) x = sn_conj(x);
  return transpose || adjoint ? sn_transpose(x) : x;
}

static sn_tensor *times(sn_context *c, const sns_coo *s, sn_tensor *x, int to) {
  return sns_product_of(c, s, x, to, sns_dense_dim(s, to));
}

sn_tensor *sn_sparse_matmul_opts(const sn_sparse *s, sn_tensor *x,
                                 const sn_sparse_matmul_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_matmul", s);
  const sn_sparse_matmul_options none = {0}, *o = options ? options : &none;
  sns_coo a;
  if (!sns_coo_of(c, s, "s", &a) || !check_product(c, &a, x, false)) return sn_error_tensor(c);
  const bool vector = sn_rank(x) == 1;
  x = vector ? sn_expand_dims(x, 1) : turned(x, o->transpose_b, o->adjoint_b);
  if (o->adjoint_a) conjugate(&a);
  sn_tensor *y = times(c, &a, x, o->transpose_a || o->adjoint_a);
  return sn_escape(vector ? sn_squeeze(y, 1) : y);
}

sn_tensor *sn_sparse_rmatmul_opts(sn_tensor *x, const sn_sparse *s,
                                  const sn_sparse_matmul_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_rmatmul", s);
  const sn_sparse_matmul_options none = {0}, *o = options ? options : &none;
  sns_coo b;
  if (!sns_coo_of(c, s, "s", &b) || !check_product(c, &b, x, true)) return sn_error_tensor(c);
  x = turned(x, o->transpose_a, o->adjoint_a);
  if (o->adjoint_b) conjugate(&b);
  // x s = (s^T x^T)^T
  return sn_escape(sn_transpose(times(c, &b, sn_transpose(x), !(o->transpose_b || o->adjoint_b))));
}
