// Implicit derivatives of gamma numbers (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018): with
// F the distribution function and p the density, dz/da = -(dF/da) / p.
//
//   z <= a + 1    the series of F, each term with its derivative: all add up
//   beyond        the continued fraction of 1 - F and its derivative, by Lentz's recurrence
//   a > 2000      Temme's uniform expansion, where both would take hundreds of terms
//
// Invariant: every loop is bounded.
#include "runtime/gamma_gradient.h"

#include <float.h>
#include <math.h>

enum { most_terms = 5000 };

// Of x > 0, by the recurrence up to 10 and Bernoulli's numbers.
static double digamma(double x) {
  double sum = 0;
  while (x < 10) {
    sum -= 1 / x;
    x += 1;
  }
  const double z = 1 / (x * x);
  return sum + log(x) - 0.5 / x -
         z * (1.0 / 12 -
              z * (1.0 / 120 -
                   z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * 691.0 / 32760)))));
}

// F = z^a e^-z / Gamma(a + 1) S, S the sum of c[k] = z^k / ((a + 1) ... (a + k)): dz/da is z / a times this.
static double by_series(double a, double z, double log_z) {
  double term = 1, sum = 1, inverses = 0, weighted = 0;
  for (int k = 1; k < most_terms; k++) {
    term *= z / (a + k);
    inverses += 1 / (a + k);
    sum += term;
    weighted += term * inverses;
    if (term < DBL_EPSILON / 4 * sum) break;
  }
  return (digamma(a + 1) - log_z) * sum + weighted;
}

// 1 - F = z^a e^-z / Gamma(a) f: dz/da is z times this.
static double by_fraction(double a, double z, double log_z) {
  double b = z + 1 - a, d = 1 / b, dd = d * d, c = 1e300, dc = 0, f = d, df = dd;
  for (int i = 1; i < most_terms; i++) {
    const double n = -i * (i - a), dn = i;
    b += 2;
    const double under = n * d + b, d_under = dn * d + n * dd - 1;
    const double next = b + n / c, d_next = dn / c - n * dc / (c * c) - 1;
    d = 1 / under;
    dd = -d_under * d * d;
    c = next;
    dc = d_next;
    const double step = c * d, d_step = dc * d + c * dd;
    df = df * step + f * d_step;
    f *= step;
    if (fabs(step - 1) < DBL_EPSILON && fabs(f * d_step) <= DBL_EPSILON * fabs(df)) break;
  }
  return (log_z - digamma(a)) * f + df;
}

// 1 - F = erfc(eta sqrt(a / 2)) / 2 + e^(-a eta^2 / 2) / sqrt(2 pi a) (c0 + c1 / a), eta^2 / 2 = l - 1 - ln l, l = z / a
// (DLMF 8.12): dz/da is z / a times this.
static double by_expansion(double a, double z) {
  static const double c0[] = {-1.0 / 3,   1.0 / 12,        -2.0 / 135, 1.0 / 864,
                              1.0 / 2835, -139.0 / 777600, 1.0 / 25515},
                      c1[] = {-1.0 / 540, -1.0 / 288, 25.0 / 12096, -223.0 / 1088640};
  const double m = (z - a) / a;
  const double log_l = log1p(m);
  // m - ln(1 + m) cancels where m is small
  double half = m - log_l;
  if (fabs(m) < 0.1) {
    double power = m * m;
    half = 0;
    for (int k = 2; k < 24; k++) {
      half += power / k;
      power *= -m;
    }
  }
  const double eta = copysign(sqrt(2 * half), m), ratio = m == 0 ? 1 : m / eta;
  double first = 0, slope = 0, second = 0;
  for (int k = 6; k >= 0; k--) {
    slope = slope * eta + first;
    first = first * eta + c0[k];
  }
  for (int k = 3; k >= 0; k--) second = second * eta + c1[k];
  const double scaled = 1 + 1 / (12 * a) + 1 / (288 * a * a);  // Gamma(a) of Stirling's
  const double sum = ratio - eta / 2 + (log_l - 0.5 / a) * (first + second / a) -
                     ratio / a * slope - second / (a * a);
  return scaled * sum;
}

double sni_gamma_gradient(double a, double z, double log_z, bool logarithm) {
  if (z == 0 && !logarithm) return a > 0 ? 0 : (double)NAN;
  if (!(a > 0 && a < INFINITY && log_z > -INFINITY && z < INFINITY)) return (double)NAN;
  const bool far = a > 2000 && fabs(z - a) < 0.5 * a;
  const double relative = far          ? by_expansion(a, z) / a
                          : z <= a + 1 ? by_series(a, z, log_z) / a
                                       : by_fraction(a, z, log_z);
  return logarithm ? relative : z * relative;
}

static double load(sn_dtype dtype, const void *x, int64_t i) {
  return dtype == SN_F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

void sni_random_gamma_gradient_run(const void *code, void *const *buffers, const int64_t *params,
                                   int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_gamma_gradient_call *call = code;
  const int64_t last = end * SNI_GAMMA_BLOCK < params[0] ? end * SNI_GAMMA_BLOCK : params[0];
  for (int64_t i = begin * SNI_GAMMA_BLOCK; i < last; i++) {
    const double a = load(call->dtype, buffers[0], i), x = load(call->dtype, buffers[1], i);
    const double y = call->logarithm ? sni_gamma_gradient(a, exp(x), x, true)
                                     : sni_gamma_gradient(a, x, log(x), false);
    if (call->dtype == SN_F64)
      ((double *)buffers[2])[i] = y;
    else
      ((float *)buffers[2])[i] = (float)y;
  }
}
