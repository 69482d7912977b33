// What the tests of public ops in eager mode share: random tensors with their values in double, and
// the comparison with what plain C gives.
#ifndef SNI_TESTS_OPS_EAGER_H
#define SNI_TESTS_OPS_EAGER_H

#include "frontend_fixture.h"

enum { room = 4096 };

// ---- inputs
static uint64_t random_bits_state = 1;
static inline double random_in(double low, double high) {
  random_bits_state = random_bits_state * 6364136223846793005u + 1442695040888963407u;
  return low + (high - low) * (double)(random_bits_state >> 11) * 0x1p-53;
}

static inline void setup_seeded(void) {
  setup();
  random_bits_state = 1;
}

static inline int64_t count(const sn_shape *shape) {
  int64_t n = 1;
  for (int i = 0; i < shape->rank; i++) n *= shape->dims[i];
  return n;
}

// A tensor of random numbers in [low, high], and their values as rounded to the dtype.
static inline sn_tensor *make(sn_dtype dtype, sn_shape shape, double low, double high,
                              double *values) {
  int64_t n = count(&shape);
  void *data = malloc((size_t)n * 8 + 8);
  ck_assert_int_le(n, room);
  for (int64_t i = 0; i < n; i++) {
    double v = random_in(low, high);
    switch (dtype) {
      case SN_BOOL:
        v = ((uint8_t *)data)[i] = v > (low + high) / 2;
        break;
      case SN_I32:
        v = ((int32_t *)data)[i] = (int32_t)floor(v);
        break;
      case SN_I64:
        v = (double)(((int64_t *)data)[i] = (int64_t)floor(v));
        break;
      case SN_F32:
        v = (double)(((float *)data)[i] = (float)v);
        break;
      case SN_F64:
        ((double *)data)[i] = v;
        break;
      case SN_DTYPE_COUNT:
        break;
    }
    values[i] = v;
  }
  sn_tensor *t = sn_constant(ctx, dtype, shape, data);
  free(data);
  return t;
}

// tolerance: relative, or absolute for numbers below `least` (where a formula cancels).
static inline void check_above(double least, const char *what, const sn_tensor *t,
                               const sn_shape *shape, const double *wanted, double tolerance) {
  static double given[room];
  int64_t n = count(shape);
  ck_assert_msg(!sn_failed(t), "%s: %s", what, sn_error_message(ctx));
  ck_assert_msg(sn_rank(t) == shape->rank, "%s: rank %d", what, sn_rank(t));
  for (int i = 0; i < shape->rank; i++)
    ck_assert_msg(sn_dim(t, i) == shape->dims[i], "%s: dim %d", what, i);
  read_doubles(t, given, n);
  for (int64_t i = 0; i < n; i++) {
    bool same = given[i] == wanted[i] || (isnan(given[i]) && isnan(wanted[i])) ||
                fabs(given[i] - wanted[i]) <= tolerance * fmax(fabs(wanted[i]), least);
    ck_assert_msg(same, "%s (%s): element %lld is %.17g, wanted %.17g", what,
                  sn_dtype_name(sn_dtype_of(t)), (long long)i, given[i], wanted[i]);
  }
}

static inline void check(const char *what, const sn_tensor *t, const sn_shape *shape,
                         const double *wanted, double tolerance) {
  check_above(1e-30, what, t, shape, wanted, tolerance);
}

// ---- dtypes and tolerances
enum { F = 1, I = 2, B = 4 };
static inline double tolerance_of(sn_dtype dtype, double units) {
  return dtype == SN_F32 ? units * 0x1p-23 : dtype == SN_F64 ? units * 0x1p-52 : 0;
}
static inline bool has(int kinds, sn_dtype d) {
  return (kinds & F && (d == SN_F32 || d == SN_F64)) ||
         (kinds & I && (d == SN_I32 || d == SN_I64)) || (kinds & B && d == SN_BOOL);
}

static inline double b_max(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
}
static inline double b_min(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
}

#endif
