// Gradient rules of the factorisations, in terms of these ops and of products. Sources: Giles 2008
// (Collected matrix derivative results), Murray 2016 (Cholesky), Walter and Lehmann 2012 (QR), Townsend
// 2016 (singular values).
#include "passes/gradient/vjp.h"

// ---- matrices: all dims but the last two are batch dims
static sni_node_id product(sni_build *b, sni_node_id x, sni_node_id y) {
  return sni_build_matmul(b, x, y, false, false);
}
static sni_node_id transposed(sni_build *b, sni_node_id x) {
  const int rank = sni_build_type(b, x).rank;
  int perm[SN_MAX_RANK];
  if (rank < 2) return x;
  for (int i = 0; i < rank; i++) perm[i] = i;
  perm[rank - 2] = rank - 1;
  perm[rank - 1] = rank - 2;
  return sni_build_transpose(b, x, perm);
}
static sni_node_id scaled(sni_build *b, sni_node_id x, double factor) {
  return sni_build_mul(b, x, sni_build_scalar(b, sni_build_type(b, x).dtype, factor));
}
static sni_node_id zeros_like(sni_build *b, sni_node_id x) {
  const sni_type type = sni_build_type(b, x);
  return sni_build_full(b, &type, 0);
}

// Whether row < column (below: column < row) in matrices of the last two dims of x.
static sni_node_id triangle(sni_build *b, sni_node_id x, bool below) {
  const sni_type type = sni_build_type(b, x);
  if (type.rank < 2) return SNI_NO_NODE;
  const sni_type matrix = {SN_I64, 2, {type.dims[type.rank - 2], type.dims[type.rank - 1]}};
  const sni_node_id row = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){0}, 1, &matrix);
  const sni_node_id column = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){1}, 1, &matrix);
  return sni_build_binary(b, SNI_OP_LT, below ? column : row, below ? row : column);
}
// What lies below the diagonal (above it), and on it unless strict.
static sni_node_id keep(sni_build *b, sni_node_id x, bool below, bool strict) {
  const sni_node_id zero = zeros_like(b, x);
  if (strict) return sni_build_select(b, triangle(b, x, below), x, zero);
  return sni_build_select(b, triangle(b, x, !below), zero, x);
}
static sni_node_id keep_diagonal(sni_build *b, sni_node_id x) {
  return keep(b, keep(b, x, true, false), false, false);
}
static sni_node_id symmetric(sni_build *b, sni_node_id x) {
  return scaled(b, sni_build_add(b, x, transposed(b, x)), 0.5);
}
// The last dim of x repeated along a new dim before it (behind it).
static sni_node_id as_rows(sni_build *b, sni_node_id x, sni_dim n, bool behind) {
  sni_type type = sni_build_type(b, x), wide;
  if (type.rank < 1 || type.rank == SN_MAX_RANK) return x;
  const sni_dim size = type.dims[type.rank - 1];
  type.rank++;
  wide = type;
  type.dims[type.rank - 2] = behind ? size : 1;
  type.dims[type.rank - 1] = behind ? 1 : size;
  wide.dims[type.rank - 2] = behind ? size : n;
  wide.dims[type.rank - 1] = behind ? n : size;
  return sni_build_broadcast(b, sni_build_reshape(b, x, &type), &wide);
}
// Rows [first, first + count) of a stack of matrices.
static sni_node_id rows_of(sni_build *b, sni_node_id x, sni_dim first, sni_dim count) {
  sni_type type = sni_build_type(b, x);
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  if (type.rank < 2) return x;
  for (int i = 0; i < type.rank; i++) steps[i] = 1;
  starts[type.rank - 2] = first;
  type.dims[type.rank - 2] = count;
  return sni_build_slice(b, x, starts, steps, type.dims);
}
// The one row of a matrix as a vector.
static sni_node_id vector_of(sni_build *b, sni_node_id x) {
  sni_type type = sni_build_type(b, x);
  if (type.rank < 2) return x;
  type.dims[type.rank - 2] = type.dims[type.rank - 1];
  type.rank--;
  return sni_build_reshape(b, x, &type);
}
static sni_node_id triangular(sni_build *b, sni_node_id a, sni_node_id x, bool lower,
                              bool transpose, bool unit) {
  return sni_build_node(b, SNI_OP_TRIANGULAR_SOLVE, (sni_node_id[]){a, x}, 2,
                        (sni_dim[]){lower, transpose, unit}, 3, NULL);
}
// x r^-1 = (r^-T x^T)^T, of a lower (upper) r.
static sni_node_id divided(sni_build *b, sni_node_id x, sni_node_id r, bool lower, bool transpose) {
  return transposed(b, triangular(b, r, transposed(b, x), lower, !transpose, false));
}

// ---- elimination
// S = L^-T P L^-1, P the lower triangle of L^T dL with half its diagonal; of (a + a^T) / 2.
void sni_vjp_cholesky(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_node_id inner = sni_build_matmul(b, v->y, v->dy, true, false);
  const sni_node_id half = scaled(b, keep_diagonal(b, inner), 0.5);
  const sni_node_id p = sni_build_add(b, keep(b, inner, true, true), half);
  const sni_node_id left = triangular(b, v->y, p, true, true, false);
  v->out[0] = symmetric(b, divided(b, left, v->y, true, false));
}

void sni_vjp_triangular_solve(const sni_vjp *v) {
  sni_build *b = v->b;
  const bool lower = v->node.attrs[0] != 0, transpose = v->node.attrs[1] != 0,
             unit = v->node.attrs[2] != 0;
  const sni_node_id db = triangular(b, v->node.operands[0], v->dy, lower, !transpose, unit);
  if (v->wanted[1]) v->out[1] = db;
  if (!v->wanted[0]) return;
  const sni_node_id da = transpose ? sni_build_matmul(b, v->y, db, false, true)
                                   : sni_build_matmul(b, db, v->y, false, true);
  v->out[0] = keep(b, sni_build_neg(b, da), lower, unit);
}

static sni_node_id solved(sni_build *b, sni_node_id a, sni_node_id x, sni_dim quiet) {
  return sni_build_node(b, SNI_OP_SOLVE, (sni_node_id[]){a, x}, 2, &quiet, 1, NULL);
}

void sni_vjp_solve(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_node_id db = solved(b, transposed(b, v->node.operands[0]), v->dy, v->node.attrs[0]);
  if (v->wanted[1]) v->out[1] = db;
  if (v->wanted[0]) v->out[0] = sni_build_neg(b, sni_build_matmul(b, db, v->y, false, true));
}

// d det = det tr(a^-1 da); d log|det| = tr(a^-1 da). Its sign is a step: nothing flows.
void sni_vjp_determinant(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_type type = sni_build_type(b, v->node.operands[0]);
  const bool sign = v->node.attrs[0] == 1, value = v->node.attrs[0] == 0;
  if (sign) return;
  const sni_node_id ones = sni_build_full(b, &type, 1);
  const sni_node_id inverse =
      solved(b, transposed(b, v->node.operands[0]), keep_diagonal(b, ones), 1);
  const sni_node_id dy = value ? sni_build_mul(b, v->dy, v->y) : v->dy;
  sni_type wide = sni_build_type(b, dy);
  if (wide.rank + 2 != type.rank) return;  // a failure before
  wide.dims[wide.rank++] = 1;
  wide.dims[wide.rank++] = 1;
  v->out[0] =
      sni_build_mul(b, sni_build_broadcast(b, sni_build_reshape(b, dy, &wide), &type), inverse);
}

// ---- rotations
// (dQ + Q C) R^-T, C the symmetric matrix with the lower triangle of R dR^T - dQ^T Q.
void sni_vjp_qr(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_type type = sni_build_type(b, v->node.operands[0]);
  const sni_dim m = type.dims[type.rank - 2], n = type.dims[type.rank - 1];
  const sni_node_id q = rows_of(b, v->y, 0, m), r = rows_of(b, v->y, m, n);
  const sni_node_id dq = rows_of(b, v->dy, 0, m),
                    dr = keep(b, rows_of(b, v->dy, m, n), false, false);
  const sni_node_id inner = sni_build_sub(b, sni_build_matmul(b, r, dr, false, true),
                                          sni_build_matmul(b, dq, q, true, false));
  const sni_node_id c =
      sni_build_add(b, keep(b, inner, true, false), transposed(b, keep(b, inner, true, true)));
  v->out[0] = divided(b, sni_build_add(b, dq, product(b, q, c)), r, false, true);
}

// 1 / (x[column] - x[row]) of matrices; 0 where they are equal.
static sni_node_id gaps(sni_build *b, sni_node_id x, sni_dim n) {
  const sni_node_id gap = sni_build_sub(b, as_rows(b, x, n, false), as_rows(b, x, n, true));
  const sn_dtype dtype = sni_build_type(b, gap).dtype;
  const sni_node_id none = sni_build_binary(b, SNI_OP_EQ, gap, sni_build_scalar(b, dtype, 0));
  const sni_node_id one = sni_build_scalar(b, dtype, 1), zero = sni_build_scalar(b, dtype, 0);
  return sni_build_select(b, none, zero,
                          sni_build_div(b, one, sni_build_select(b, none, one, gap)));
}

// V (diag(dw) + F o V^T dV) V^T, F = 1 / (w[column] - w[row]); of (a + a^T) / 2.
void sni_vjp_eigh(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_type type = sni_build_type(b, v->node.operands[0]);
  const sni_dim n = type.dims[type.rank - 1];
  const sni_node_id q = rows_of(b, v->y, 0, n), w = vector_of(b, rows_of(b, v->y, n, 1));
  const sni_node_id dq = rows_of(b, v->dy, 0, n), dw = vector_of(b, rows_of(b, v->dy, n, 1));
  const sni_node_id turned =
      sni_build_mul(b, gaps(b, w, n), sni_build_matmul(b, q, dq, true, false));
  const sni_node_id inner = sni_build_add(b, keep_diagonal(b, as_rows(b, dw, n, false)), turned);
  const sni_node_id da = sni_build_matmul(b, product(b, q, inner), q, false, true);
  v->out[0] = symmetric(b, da);
}

// Columns of x times (divided by) the vector s.
static sni_node_id by_columns(sni_build *b, sni_op op, sni_node_id x, sni_node_id s) {
  const sni_type type = sni_build_type(b, x);
  if (type.rank < 2) return x;
  return sni_build_binary(b, op, x, as_rows(b, s, type.dims[type.rank - 2], false));
}

// x - u (u^T x)
static sni_node_id outside(sni_build *b, sni_node_id u, sni_node_id x) {
  return sni_build_sub(b, x, product(b, u, sni_build_matmul(b, u, x, true, false)));
}

// U ((F o (U^T dU - dU^T U)) S + S (F o (V^T dV - dV^T V)) + diag(ds)) V^T + (1 - U U^T) dU S^-1 V^T + U S^-1 dV^T
// (1 - V V^T), F = 1 / (s[column]^2 - s[row]^2).
void sni_vjp_svd(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_type type = sni_build_type(b, v->node.operands[0]);
  const sni_type stack = v->node.type;
  const sni_dim m = type.dims[type.rank - 2], n = type.dims[type.rank - 1];
  const sni_dim k = stack.dims[stack.rank - 1], last = sni_dim_add(b->graph->dims, m, n);
  const sni_node_id u = rows_of(b, v->y, 0, m), w = rows_of(b, v->y, m, n);
  const sni_node_id s = vector_of(b, rows_of(b, v->y, last, 1));
  const sni_node_id du = rows_of(b, v->dy, 0, m), dw = rows_of(b, v->dy, m, n);
  const sni_node_id ds = vector_of(b, rows_of(b, v->dy, last, 1));
  const sni_node_id f = gaps(b, sni_build_mul(b, s, s), k);
  const sni_node_id uu = sni_build_matmul(b, u, du, true, false);
  const sni_node_id ww = sni_build_matmul(b, w, dw, true, false);
  const sni_node_id left = sni_build_mul(b, f, sni_build_sub(b, uu, transposed(b, uu)));
  const sni_node_id right = sni_build_mul(b, f, sni_build_sub(b, ww, transposed(b, ww)));
  sni_node_id inner = by_columns(b, SNI_OP_MUL, left, s);
  inner = sni_build_add(b, inner, sni_build_mul(b, as_rows(b, s, k, true), right));
  inner = sni_build_add(b, inner, keep_diagonal(b, as_rows(b, ds, k, false)));
  sni_node_id rows = product(b, u, inner);
  rows = sni_build_add(b, rows, by_columns(b, SNI_OP_DIV, outside(b, u, du), s));
  const sni_node_id columns = by_columns(b, SNI_OP_DIV, outside(b, w, dw), s);
  v->out[0] = sni_build_add(b, sni_build_matmul(b, rows, w, false, true),
                            sni_build_matmul(b, u, columns, false, true));
}
