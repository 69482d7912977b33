// What the C library lacks or names otherwise, in double and wider: references for tests of mathematical functions.
#ifndef SINTER_TESTS_MATH_REFERENCES_H
#define SINTER_TESTS_MATH_REFERENCES_H

#include <math.h>

static inline double sigmoid(double x) {
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}
static inline long double wide_sigmoid(long double x) {
  return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}
static inline double rsqrt(double x) {
  return 1 / sqrt(x);
}
static inline long double wide_rsqrt(long double x) {
  return 1 / sqrtl(x);
}

static inline long double wide_lgamma(long double x) {
  int sign;
  return lgammal_r(x, &sign);
}
static inline double narrow_lgamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}
// By the recurrence up to 30, then the asymptotic series with Bernoulli's numbers; reflected.
static inline long double wide_digamma(long double x) {
  const long double pi_wide = 3.14159265358979323846264338328L;
  if (x < 0) {
    const long double offset = x - roundl(x);
    if (offset == 0) return (long double)NAN;
    return wide_digamma(1 - x) - pi_wide / tanl(pi_wide * offset);
  }
  long double sum = 0;
  const int steps = x < 30 ? (int)ceill(30 - x) : 0;
  for (int i = 0; i < steps; i++) {
    sum -= 1 / x;
    x += 1;
  }
  const long double z = 1 / (x * x);
  const long double series =
      z * (1 / 12.0L - z * (1 / 120.0L - z * (1 / 252.0L - z * (1 / 240.0L - z * (1 / 132.0L)))));
  return sum + logl(x) - 1 / (2 * x) - series;
}
static inline double lgamma_terms(double x) {
  return x < 0 ? fmax(1, lgamma(-x)) : x < 2 ? 0.25 : 0;
}
static inline double digamma_terms(double x) {
  if (x >= 0) return 1;
  return fmax(fmax(1, log(1 - x)), fabs(M_PI / tan(M_PI * (x - round(x)))));
}
static inline double narrow_digamma(double x) {
  return (double)wide_digamma(x);
}
static inline long double wide_trigamma(long double x) {
  const long double pi_wide = 3.14159265358979323846264338328L;
  if (x < 0) {
    const long double sine = sinl(pi_wide * (x - roundl(x)));
    return pi_wide * pi_wide / (sine * sine) - wide_trigamma(1 - x);
  }
  long double sum = 0;
  const int steps = x < 30 ? (int)ceill(30 - x) : 0;
  for (int i = 0; i < steps; i++) {
    sum += 1 / (x * x);
    x += 1;
  }
  const long double z = 1 / (x * x);
  const long double series =
      z * (1 / 6.0L - z * (1 / 30.0L - z * (1 / 42.0L - z * (1 / 30.0L - z * (5 / 66.0L)))));
  return sum + 1 / x + z / 2 + series / x;
}
static inline double narrow_trigamma(double x) {
  return (double)wide_trigamma(x);
}
// By Newton's method on erf, or on erfc in the tail.
static inline long double wide_erfinv(long double x) {
  const long double size = fabsl(x), root_pi = 1.77245385090551602730L;
  if (size >= 1) return size == 1 ? copysignl(INFINITY, x) : (long double)NAN;
  if (size < 1e-8L) return x * root_pi / 2;
  long double y = size < 0.7L ? size : sqrtl(-logl(1 - size));
  for (int i = 0; i < 60; i++) {
    const long double rest = size < 0.5L ? erfl(y) - size : (1 - size) - erfcl(y);
    const long double step = rest * root_pi / 2 * expl(y * y);
    y -= step / (1 + y * step);
    if (fabsl(step) < 1e-19L * y) break;
  }
  return copysignl(y, x);
}
static inline double narrow_erfinv(double x) {
  return (double)wide_erfinv(x);
}

#endif
