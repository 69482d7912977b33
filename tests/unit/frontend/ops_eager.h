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
    if (dtype == SN_BOOL) v = v > (low + high) / 2;
    if (sni_is_integer(dtype)) v = floor(v);
    const sni_scalar value = sni_scalar_of(dtype, v);
    sni_scalar_store(value, data, i);
    v = sni_scalar_value(value);
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
  if (sni_is_half(dtype)) units += 4;  // each step of a composed op is rounded
  return sni_is_float(dtype) ? units * ldexp(1, 1 - sni_dtype_infos[dtype].digits) : 0;
}
static inline bool has(int kinds, sn_dtype d) {
  return (kinds & F && sni_is_float(d)) || (kinds & I && sni_is_integer(d)) ||
         (kinds & B && d == SN_BOOL);
}
// What the dtype makes of a reference's result: rounded or wrapped.
static inline double fit(sn_dtype dtype, double y) {
  if (sni_is_float(dtype)) return sni_scalar_of(dtype, y).f;
  const sni_scalar whole = {SN_I64, {.i = (int64_t)y}};
  return dtype == SN_BOOL ? y : sni_scalar_value(sni_scalar_cast(whole, dtype));
}

static inline double b_max(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
}
static inline double b_min(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
}

#endif
