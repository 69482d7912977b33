// Factorisations: primitives for a batch of matrices, whose results may stand on each other in one tensor;
// here they are taken apart. Vectors on the right are columns.
#include "frontend/ops/compose.h"
#include "runtime/linalg.h"

#include <string.h>

static bool begin_matrix(sn_context *c, const sn_tensor *x, bool square) {
  char text[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !sni_expect_rank(c, 0, x, 2)) return false;
  const int rank = x->type.rank;
  if (!square || sni_dims_agree(c, x->type.dims[rank - 2], x->type.dims[rank - 1])) return true;
  sni_error(c, SN_ERR_SHAPE, "%s: operand #0 is %s, expected square matrices", c->frame.op,
            sni_describe(x, text));
  return false;
}

static sn_tensor *swap_last(sn_context *c, sn_tensor *x) {
  if (sn_failed(x)) return x;
  const int rank = x->type.rank;
  sni_dim perm[SN_MAX_RANK];
  for (int i = 0; i < rank; i++) perm[i] = i;
  perm[rank - 2] = rank - 1;
  perm[rank - 1] = rank - 2;
  return sni_emit(c, SNI_OP_TRANSPOSE, &x, 1, perm, rank, NULL);
}

static sn_tensor *factored(sn_context *c, sni_op op, sn_tensor *x) {
  return sni_emit(c, op, &x, 1, NULL, 0, NULL);
}

sn_tensor *(sn_cholesky)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_cholesky", x);
  if (!begin_matrix(c, x, true)) return &c->error_tensor;
  return factored(c, SNI_OP_CHOLESKY, x);
}

// ---- two operands
// Gives both the batch dims that they have together; *b: columns. False: refused.
static bool join_batches(sn_context *c, sn_tensor **a, sn_tensor **b) {
  char of_a[SNI_TENSOR_NAME], of_b[SNI_TENSOR_NAME];
  sni_type lead_a = (*a)->type, lead_b = (*b)->type, both;
  const int rank_a = lead_a.rank, rank_b = lead_b.rank;
  lead_a.rank -= 2;
  lead_b.rank -= 2;
  if (!sni_dims_agree(c, (*a)->type.dims[rank_a - 2], (*b)->type.dims[rank_b - 2]) ||
      sni_broadcast_shapes(NULL, sni_context_dims(c), NULL, &lead_a, &lead_b, &both)) {
    sni_error(
        c, SN_ERR_SHAPE,
        "%s: operand #1 is %s, expected columns for operand #0 %s, and batch dims that broadcast",
        c->frame.op, sni_describe(*b, of_b), sni_describe(*a, of_a));
    return false;
  }
  sn_tensor **operands[] = {a, b};
  for (int i = 0; i < 2; i++) {
    sn_tensor *t = *operands[i];
    sni_type type = both;
    type.dtype = t->type.dtype;
    for (int d = 2; d > 0; d--) type.dims[type.rank++] = t->type.dims[t->type.rank - d];
    *operands[i] = sni_broadcast_to(c, t, &type);
  }
  return true;
}

typedef sn_tensor *(*solver)(sn_context *c, sn_tensor *a, sn_tensor *b, const void *options);

static sn_tensor *solve_any(sn_context *c, sn_tensor *a, sn_tensor *b, bool square, solver solve,
                            const void *options) {
  char of_a[SNI_TENSOR_NAME], of_b[SNI_TENSOR_NAME];
  if (!begin_matrix(c, a, square)) return &c->error_tensor;
  if (b->type.dtype != a->type.dtype)
    return sni_error(c, SN_ERR_DTYPE, "%s: operand #1 is %s, expected %s like operand #0 %s",
                     c->frame.op, sni_describe(b, of_b), sn_dtype_name(a->type.dtype),
                     sni_describe(a, of_a));
  if (!sni_expect_rank(c, 1, b, 1)) return &c->error_tensor;
  const bool vector = b->type.rank == 1;
  sni_type type = b->type;
  if (vector) type.dims[type.rank++] = 1;
  if (vector) b = sni_reshape_to(c, b, &type);
  if (sn_failed(b) || !join_batches(c, &a, &b)) return &c->error_tensor;
  sn_tensor *y = sn_failed(a) || sn_failed(b) ? &c->error_tensor : solve(c, a, b, options);
  if (!vector || sn_failed(y)) return y;
  type = y->type;
  type.rank--;
  return sni_reshape_to(c, y, &type);
}

static sn_tensor *triangular(sn_context *c, sn_tensor *a, sn_tensor *b, const void *options) {
  const sn_triangular_options *o = options;
  const sni_dim attrs[] = {o->lower, o->transpose, o->unit};
  return sni_emit(c, SNI_OP_TRIANGULAR_SOLVE, SNI_OPERANDS(a, b), attrs, 3, NULL);
}

sn_tensor *sn_triangular_solve_opts(sn_tensor *a, sn_tensor *b,
                                    const sn_triangular_options *options) {
  sn_triangular_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_triangular_solve", a, b);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  return sni_keep_only(c, c_first, solve_any(c, a, b, true, triangular, &o));
}

static sn_tensor *general(sn_context *c, sn_tensor *a, sn_tensor *b, const void *options) {
  (void)options;
  return sni_emit(c, SNI_OP_SOLVE, SNI_OPERANDS(a, b), (sni_dim[]){0}, 1, NULL);
}

sn_tensor *(sn_solve)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_solve", a, b);
  return sni_keep_only(c, c_first, solve_any(c, a, b, true, general, NULL));
}

sn_tensor *(sn_inverse)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_inverse", x);
  if (!begin_matrix(c, x, true)) return &c->error_tensor;
  const int rank = x->type.rank;
  const sni_dim n = x->type.dims[rank - 1];
  const sni_type row = {SN_I64, 2, {n, 1}}, column = {SN_I64, 1, {n}};
  sn_tensor *unit = sni_binary(c, SNI_OP_EQ, sni_iota(c, &row, 0), sni_iota(c, &column, 0));
  unit = sni_broadcast_to(c, sni_convert(c, unit, x->type.dtype), &x->type);
  return sni_keep_only(c, c_first, general(c, x, unit, NULL));
}

// ---- determinants
static sn_tensor *determinant(sn_context *c, sn_tensor *x, sni_determinant_part part) {
  return sni_emit(c, SNI_OP_DETERMINANT, &x, 1, (sni_dim[]){part}, 1, NULL);
}

sn_tensor *(sn_det)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_det", x);
  if (!begin_matrix(c, x, true)) return &c->error_tensor;
  return determinant(c, x, SNI_DETERMINANT_VALUE);
}

static sn_tensor *slogdet(sn_tensor *x, bool wanted, sn_tensor **out_sign) {
  SNI_BEGIN(c, "sn_slogdet", x);
  if (!begin_matrix(c, x, true)) return &c->error_tensor;
  if (wanted) *out_sign = determinant(c, x, SNI_DETERMINANT_SIGN);
  if (wanted && sn_failed(*out_sign)) return *out_sign;
  return determinant(c, x, SNI_DETERMINANT_LOG_ABS);
}

sn_tensor *(sn_slogdet)(sn_tensor *x, sn_tensor **out_sign) {
  sn_tensor *sign = NULL, *y = slogdet(x, out_sign != NULL, &sign);
  if (out_sign) *out_sign = sn_failed(y) ? y : sign;
  return y;
}

// ---- rows of a stack
static sn_tensor *rows_of(sn_context *c, sn_tensor *x, sni_dim first, sni_dim count) {
  return sn_failed(x) ? x : sni_take(c, x, x->type.rank - 2, first, count);
}

static sn_tensor *last_row(sn_context *c, sn_tensor *x) {
  if (sn_failed(x)) return x;
  sni_type type = x->type;
  const sni_dim rows = type.dims[type.rank - 2];
  type.dims[type.rank - 2] = type.dims[type.rank - 1];
  type.rank--;
  return sni_reshape_to(c, rows_of(c, x, sni_dim_add_constant(sni_context_dims(c), rows, -1), 1),
                        &type);
}

static bool pin_sizes(sn_context *c, const sn_tensor *x, int64_t *m, int64_t *n) {
  char text[SNI_TENSOR_NAME];
  const int rank = x->type.rank;
  if (sni_pin_dim(c, x->type.dims[rank - 2], m) && sni_pin_dim(c, x->type.dims[rank - 1], n))
    return true;
  sni_error(c, SN_ERR_SHAPE, "%s: the size of the matrices of operand #0 %s is not known",
            c->frame.op, sni_describe(x, text));
  return false;
}

static sn_tensor *product(sn_context *c, sn_tensor *a, sn_tensor *b, bool ta) {
  return sni_emit(c, SNI_OP_MATMUL, SNI_OPERANDS(a, b), (sni_dim[]){ta, 0}, 2, NULL);
}

// A wide matrix is [X, Y], X square: Q and R of X, and R's other columns are Q^T Y.
static sn_tensor *split_qr(sn_context *c, sn_tensor *x, int64_t m, int64_t n, sn_tensor **out_r) {
  const bool wide = m < n;
  const int last = x->type.rank - 1;
  const int64_t k = wide ? m : n;
  sn_tensor *stack = factored(c, SNI_OP_QR, wide ? sni_take(c, x, last, 0, m) : x);
  sn_tensor *q = rows_of(c, stack, 0, m), *r = rows_of(c, stack, m, k);
  if (wide && !sn_failed(q)) {
    sn_tensor *rest = product(c, q, sni_take(c, x, last, m, n - m), true);
    r = sni_emit(c, SNI_OP_CONCAT, SNI_OPERANDS(r, rest), (sni_dim[]){last}, 1, NULL);
  }
  *out_r = r;
  return sn_failed(r) ? r : q;
}

static sn_tensor *qr(sn_tensor *x, sn_tensor **out_r) {
  SNI_BEGIN(c, "sn_qr", x);
  int64_t m, n;
  if (!begin_matrix(c, x, false) || !pin_sizes(c, x, &m, &n)) return &c->error_tensor;
  return split_qr(c, x, m, n, out_r);
}

sn_tensor *(sn_qr)(sn_tensor *x, sn_tensor **out_r) {
  sn_tensor *r = NULL, *y = qr(x, &r);
  if (out_r) *out_r = sn_failed(y) ? y : r;
  return y;
}

static sn_tensor *eigh(sn_tensor *x, sn_tensor **out_vectors) {
  SNI_BEGIN(c, "sn_eigh", x);
  if (!begin_matrix(c, x, true)) return &c->error_tensor;
  sn_tensor *stack = factored(c, SNI_OP_EIGH, x);
  *out_vectors = rows_of(c, stack, 0, x->type.dims[x->type.rank - 1]);
  return sn_failed(*out_vectors) ? *out_vectors : last_row(c, stack);
}

sn_tensor *(sn_eigh)(sn_tensor *x, sn_tensor **out_vectors) {
  sn_tensor *vectors = NULL, *y = eigh(x, &vectors);
  if (out_vectors) *out_vectors = sn_failed(y) ? y : vectors;
  return y;
}

static sn_tensor *svd(sn_tensor *x, sn_tensor **out_u, sn_tensor **out_v) {
  SNI_BEGIN(c, "sn_svd", x);
  if (!begin_matrix(c, x, false)) return &c->error_tensor;
  const sni_dim m = x->type.dims[x->type.rank - 2], n = x->type.dims[x->type.rank - 1];
  sn_tensor *stack = factored(c, SNI_OP_SVD, x);
  *out_u = rows_of(c, stack, 0, m);
  *out_v = rows_of(c, stack, m, n);
  return sn_failed(*out_u) || sn_failed(*out_v) ? &c->error_tensor : last_row(c, stack);
}

sn_tensor *(sn_svd)(sn_tensor *x, sn_tensor **out_u, sn_tensor **out_v) {
  sn_tensor *u = NULL, *v = NULL, *y = svd(x, &u, &v);
  if (out_u) *out_u = sn_failed(y) ? y : u;
  if (out_v) *out_v = sn_failed(y) ? y : v;
  return y;
}

// a = Q R: y = R^-1 Q^T b; of a wide a, a^T = Q R: y = Q R^-T b.
static sn_tensor *least_squares(sn_context *c, sn_tensor *a, sn_tensor *b, const void *options) {
  (void)options;
  int64_t m, n;
  if (!pin_sizes(c, a, &m, &n)) return &c->error_tensor;
  sn_triangular_options o = {.transpose = m < n};
  sn_tensor *r, *q = split_qr(c, m < n ? swap_last(c, a) : a, m < n ? n : m, m < n ? m : n, &r);
  if (sn_failed(q)) return q;
  return m < n ? product(c, q, triangular(c, r, b, &o), false)
               : triangular(c, r, product(c, q, b, true), &o);
}

sn_tensor *(sn_lstsq)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_lstsq", a, b);
  return sni_keep_only(c, c_first, solve_any(c, a, b, false, least_squares, NULL));
}
