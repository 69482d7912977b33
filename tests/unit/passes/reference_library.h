// Reference of the ops that no loop expresses; part of reference.h.
#ifndef SNI_TESTS_PASSES_REFERENCE_LIBRARY_H
#define SNI_TESTS_PASSES_REFERENCE_LIBRARY_H

#include "runtime/gamma_gradient.h"
#include "runtime/linalg.h"
#include "runtime/linalg/reflect.h"
#include "runtime/random.h"

// Whether a comes before b in ascending order: NaN is greater than every number. u64 counts as i64.
static inline bool ref_before(const ref_value *of, ref_cell a, ref_cell b) {
  if (!ref_is_float(of)) return a.i < b.i;
  return isnan(b.f) ? !isnan(a.f) : a.f < b.f;
}

// places: the stable order of row `row` of a, by insertion.
static inline void ref_order(const ref_value *a, int64_t row, bool descending, int64_t *places) {
  const int64_t n = a->dims[a->rank - 1];
  const ref_cell *x = a->cells + row * n;
  for (int64_t i = 0; i < n; i++) {
    int64_t k = i;
    for (; k > 0; k--) {
      const ref_cell other = x[places[k - 1]];
      if (!(descending ? ref_before(a, other, x[i]) : ref_before(a, x[i], other))) break;
      places[k] = places[k - 1];
    }
    places[k] = i;
  }
}

static inline void ref_sort(const ref_run *run, const sni_node *node, const ref_value *a,
                            ref_value *y) {
  const int64_t n = a->dims[a->rank - 1], m = y->dims[y->rank - 1];
  const bool descending = node->op == SNI_OP_TOP_K || ref_attr(run, node, 0) != 0;
  int64_t *places = calloc((size_t)n + 1, sizeof(*places));
  for (int64_t row = 0; n && row < a->count / n; row++) {
    ref_order(a, row, descending, places);
    for (int64_t i = 0; i < m; i++) {
      y->cells[row * m + i].i = places[i];
      if (node->op == SNI_OP_SORT) y->cells[row * m + i] = a->cells[row * n + places[i]];
    }
  }
  free(places);
}

static inline void ref_search(const ref_run *run, const sni_node *node, const ref_value *a,
                              const ref_value *b, ref_value *y) {
  const int64_t n = a->dims[a->rank - 1], m = b->dims[b->rank - 1];
  const bool right = ref_attr(run, node, 0) != 0;
  for (int64_t i = 0; i < y->count; i++) {
    const ref_cell *row = a->cells + i / m * n;
    int64_t count = 0;
    for (int64_t k = 0; k < n; k++)
      count += right ? !ref_before(a, b->cells[i], row[k]) : ref_before(a, row[k], b->cells[i]);
    y->cells[i].i = count;
  }
}

// Of a factorisation signs and order are a matter of taste: the function itself, in f64. What it does is
// tested by residuals (tests/ops/test_factor.c).
static inline void ref_factor(const ref_run *run, const sni_node *node, const ref_value *const *a,
                              ref_value *y) {
  void *buffers[4] = {0};
  const int n = node->n_operands, rank = a[0]->rank;
  const int64_t p = a[0]->dims[rank - 2], q = a[0]->dims[rank - 1];
  const int64_t m = n > 1 ? a[1]->dims[rank - 1] : q, both = p + q + m + 4;
  const int64_t batch = p && q ? a[0]->count / (p * q) : 0;
  sni_linalg_call call = {.dtype = SN_F64};
  call.gemm_bytes = (int64_t)sni_matrix_gemm_bytes();
  call.scratch_work = true;  // of those that ask for much
  const size_t scratch_bytes = sizeof(sni_scratch_header) + (size_t)call.gemm_bytes +
                               (size_t)sni_svd_doubles(both, both) * sizeof(double);
  sni_scratch_header *scratch = aligned_alloc(64, (scratch_bytes + 63) / 64 * 64);
  memset(scratch, 0, sizeof *scratch);
  if (node->op == SNI_OP_TRIANGULAR_SOLVE) {
    call.lower = ref_attr(run, node, 0);
    call.transpose = ref_attr(run, node, 1);
    call.unit = ref_attr(run, node, 2);
  }
  call.quiet = true;
  if (node->op == SNI_OP_DETERMINANT) call.part = (sni_determinant_part)ref_attr(run, node, 0);
  for (int i = 0; i < n; i++) buffers[i] = a[i]->cells;  // a cell is a double
  buffers[n] = y->cells;
  buffers[n + 1] = calloc((size_t)(batch * both * both) + 1, sizeof(double));
  const sni_kernel_function run_of = node->op == SNI_OP_CHOLESKY ? sni_cholesky_run
                                     : node->op == SNI_OP_TRIANGULAR_SOLVE
                                         ? sni_triangular_solve_run
                                     : node->op == SNI_OP_SOLVE       ? sni_solve_run
                                     : node->op == SNI_OP_DETERMINANT ? sni_determinant_run
                                     : node->op == SNI_OP_QR          ? sni_qr_run
                                     : node->op == SNI_OP_EIGH        ? sni_eigh_run
                                                                      : sni_svd_run;
  const bool tall = node->op == SNI_OP_QR || node->op == SNI_OP_SVD;
  const int64_t params[2] = {p, tall ? q : m};
  run_of(&call, buffers, params, 0, batch, scratch);
  free(scratch);
  free(buffers[n + 1]);
  for (int64_t i = 0; i < y->count; i++) y->cells[i] = ref_fit(run, y->dtype, y->cells[i]);
}

// Random numbers: any pure function of the operands will do, as long as passes do not change it. Words are the
// generator's; others are numbers made of them. What they should be is tested in tests/ops/test_random.c.
static inline void ref_random(const ref_run *run, const sni_node *node, const ref_value *const *a,
                              ref_value *y) {
  const sni_random_call call = {SN_I64, (sni_random_algorithm)ref_attr(run, node, 0), false};
  const int64_t units = (y->count + SNI_RANDOM_UNIT - 1) / SNI_RANDOM_UNIT;
  int64_t *words = calloc((size_t)y->count + 1, sizeof(*words));
  void *buffers[2] = {a[0]->cells, words};
  sni_random_bits_run(&call, buffers, &y->count, 0, units, NULL);
  for (int64_t i = 0; i < y->count; i++) {
    y->cells[i].i = words[i];
    if (ref_is_float(y)) y->cells[i].f = (double)(words[i] >> 40);
    if (node->op == SNI_OP_RANDOM_PERMUTATION) y->cells[i].i = i;
    y->cells[i] = ref_fit(run, y->dtype, y->cells[i]);
  }
  free(words);
}

static inline void ref_gcd(const ref_run *run, const ref_value *a, const ref_value *b,
                           ref_value *y) {
  const bool is_signed = sni_dtype_infos[y->dtype].kind == SNI_KIND_SIGNED;
  for (int64_t i = 0; i < y->count; i++) {
    uint64_t p = (uint64_t)a->cells[i].i, q = (uint64_t)b->cells[i].i;
    if (is_signed && a->cells[i].i < 0) p = 0 - p;
    if (is_signed && b->cells[i].i < 0) q = 0 - q;
    while (q) {
      const uint64_t rest = p % q;
      p = q;
      q = rest;
    }
    y->cells[i] = ref_fit(run, y->dtype, (ref_cell){.i = (int64_t)p});
  }
}

// Numbers stand for strings here, in the same order.
static inline void ref_strings(const sni_node *node, const ref_value *const *a, ref_value *y) {
  const int64_t n = node->op == SNI_OP_STRING_RANK ? y->dims[y->rank - 1] : 1;
  for (int64_t i = 0; i < y->count; i++) {
    const ref_cell *row = a[0]->cells + i / n * n;
    int64_t rank = 0;
    for (int64_t k = 0; k < n; k++) {
      bool is_first = row[k].i < row[i % n].i;
      for (int64_t j = 0; j < k; j++) is_first &= row[j].i != row[k].i;
      rank += is_first;
    }
    y->cells[i].i = rank;
    if (node->op == SNI_OP_STRING_COMPARE)
      y->cells[i].i = (row->i > a[1]->cells[i].i) - (row->i < a[1]->cells[i].i);
  }
}

// The sums of its definition, in f64.
static inline void ref_transform(const ref_run *run, const sni_node *node, const ref_value *a,
                                 ref_value *y) {
  const double pi = 3.14159265358979323846;
  const bool from_real = node->op == SNI_OP_RFFT, to_real = node->op == SNI_OP_IRFFT;
  const int64_t norm = ref_attr(run, node, to_real ? 2 : 1);
  const int64_t in = from_real ? a->dims[a->rank - 1] : a->dims[a->rank - 2];
  const int64_t out = to_real ? y->dims[y->rank - 1] : y->dims[y->rank - 2];
  const int64_t n = to_real ? out : in, rows = in ? a->count / (in * (from_real ? 1 : 2)) : 0;
  const bool twice = node->op != SNI_OP_FFT && ref_attr(run, node, to_real);
  const double sign = to_real || (!from_real && ref_attr(run, node, 0)) ? 1 : -1;
  const double scale = norm == 0 ? 1 : norm == 1 ? 1 / sqrt((double)n) : 1 / (double)n;
  for (int64_t row = 0; row < rows; row++)
    for (int64_t k = 0; k < out; k++) {
      double re = 0, im = 0;
      for (int64_t j = 0; j < in; j++) {
        const double angle = sign * 2 * pi * (double)(j * k % n) / (double)n;
        const ref_cell *x = a->cells + (row * in + j) * (from_real ? 1 : 2);
        const double x_im = from_real || (to_real && 2 * j % n == 0) ? 0 : x[1].f;
        const double weight = to_real && twice && 2 * j % n != 0 ? 2 : 1;
        re += weight * (x->f * cos(angle) - x_im * sin(angle));
        im += weight * (x->f * sin(angle) + x_im * cos(angle));
      }
      const double by = scale * (from_real && twice && 2 * k % n != 0 ? 2 : 1);
      ref_cell *to = y->cells + (row * out + k) * (to_real ? 1 : 2);
      to[0] = ref_fit(run, y->dtype, (ref_cell){.f = re * by});
      if (!to_real) to[1] = ref_fit(run, y->dtype, (ref_cell){.f = im * by});
    }
}

static inline void ref_library(const ref_run *run, const sni_node *node, const ref_value *const *a,
                               ref_value *y) {
  switch ((int)node->op) {
    case SNI_OP_SORT:
    case SNI_OP_ARGSORT:
    case SNI_OP_TOP_K:
      ref_sort(run, node, a[0], y);
      break;
    case SNI_OP_SEARCH_SORTED:
      ref_search(run, node, a[0], a[1], y);
      break;
    case SNI_OP_RANDOM_BITS:
    case SNI_OP_RANDOM_NORMAL:
    case SNI_OP_RANDOM_TRUNCATED_NORMAL:
    case SNI_OP_RANDOM_PERMUTATION:
    case SNI_OP_RANDOM_INTEGERS:
    case SNI_OP_RANDOM_GAMMA:
    case SNI_OP_RANDOM_POISSON:
      ref_random(run, node, a, y);
      break;
    case SNI_OP_RANDOM_GAMMA_GRADIENT:
      for (int64_t i = 0; i < y->count; i++) {
        const bool logarithm = ref_attr(run, node, 0) != 0;
        const double z = a[1]->cells[i].f;
        y->cells[i].f = sni_gamma_gradient(a[0]->cells[i].f, logarithm ? exp(z) : z,
                                           logarithm ? z : log(z), logarithm);
        y->cells[i] = ref_fit(run, y->dtype, y->cells[i]);
      }
      break;
    case SNI_OP_GCD:
      ref_gcd(run, a[0], a[1], y);
      break;
    case SNI_OP_STRING_COMPARE:
    case SNI_OP_STRING_RANK:
      ref_strings(node, a, y);
      break;
    case SNI_OP_FFT:
    case SNI_OP_RFFT:
    case SNI_OP_IRFFT:
      ref_transform(run, node, a[0], y);
      break;
    default:
      ref_factor(run, node, a, y);
  }
}

#endif
