// Distances from what MPFR gives, in units in the last place: where the C library's wider format is in doubt.
#ifndef SINTER_TESTS_MPFR_REFERENCES_H
#define SINTER_TESTS_MPFR_REFERENCES_H

#include "codegen/kernel/kops.h"

#include <math.h>
#include <mpfr.h>

enum { mpfr_bits = 200 };

typedef int (*mpfr_one)(mpfr_t y, const mpfr_t x, mpfr_rnd_t mode);

static inline int mpfr_reference_sigmoid(mpfr_t y, const mpfr_t x, mpfr_rnd_t mode) {
  mpfr_neg(y, x, mode);
  mpfr_exp(y, y, mode);
  mpfr_add_ui(y, y, 1, mode);
  return mpfr_ui_div(y, 1, y, mode);
}
static inline int mpfr_reference_lgamma(mpfr_t y, const mpfr_t x, mpfr_rnd_t mode) {
  int sign;
  return mpfr_lgamma(y, &sign, x, mode);
}
// By Newton's method from the double y = erfinv(x), which is right to some digits: y -= (erf(y) - x) sqrt(pi) / 2 exp(y^2).
static inline void mpfr_reference_erfinv(mpfr_t y, const mpfr_t x, double near) {
  mpfr_t rest, slope;
  mpfr_inits2(2 * mpfr_bits, rest, slope, (mpfr_ptr)NULL);
  mpfr_set_prec(y, 2 * mpfr_bits);
  mpfr_set_d(y, near, MPFR_RNDN);
  for (int i = 0; i < 5; i++) {
    mpfr_erf(rest, y, MPFR_RNDN);
    mpfr_sub(rest, rest, x, MPFR_RNDN);
    mpfr_const_pi(slope, MPFR_RNDN);
    mpfr_sqrt(slope, slope, MPFR_RNDN);
    mpfr_div_2ui(slope, slope, 1, MPFR_RNDN);
    mpfr_mul(rest, rest, slope, MPFR_RNDN);
    mpfr_sqr(slope, y, MPFR_RNDN);
    mpfr_exp(slope, slope, MPFR_RNDN);
    mpfr_mul(rest, rest, slope, MPFR_RNDN);
    mpfr_sub(y, y, rest, MPFR_RNDN);
  }
  mpfr_clears(rest, slope, (mpfr_ptr)NULL);
}

static inline mpfr_one mpfr_function(sni_kop op) {
  static const struct {
    sni_kop op;
    mpfr_one of;
  } all[] = {{SNI_KOP_EXP, mpfr_exp},
             {SNI_KOP_EXPM1, mpfr_expm1},
             {SNI_KOP_LOG, mpfr_log},
             {SNI_KOP_LOG1P, mpfr_log1p},
             {SNI_KOP_SIN, mpfr_sin},
             {SNI_KOP_COS, mpfr_cos},
             {SNI_KOP_TANH, mpfr_tanh},
             {SNI_KOP_SIGMOID, mpfr_reference_sigmoid},
             {SNI_KOP_ERF, mpfr_erf},
             {SNI_KOP_RSQRT, mpfr_rec_sqrt},
             {SNI_KOP_EXP2, mpfr_exp2},
             {SNI_KOP_LOG2, mpfr_log2},
             {SNI_KOP_LOG10, mpfr_log10},
             {SNI_KOP_CBRT, mpfr_cbrt},
             {SNI_KOP_TAN, mpfr_tan},
             {SNI_KOP_ASIN, mpfr_asin},
             {SNI_KOP_ACOS, mpfr_acos},
             {SNI_KOP_ATAN, mpfr_atan},
             {SNI_KOP_SINH, mpfr_sinh},
             {SNI_KOP_COSH, mpfr_cosh},
             {SNI_KOP_ASINH, mpfr_asinh},
             {SNI_KOP_ACOSH, mpfr_acosh},
             {SNI_KOP_ATANH, mpfr_atanh},
             {SNI_KOP_ERFC, mpfr_erfc},
             {SNI_KOP_LGAMMA, mpfr_reference_lgamma},
             {SNI_KOP_DIGAMMA, mpfr_digamma}};
  for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
    if (all[i].op == op) return all[i].of;
  return NULL;
}

// Of got = op(x) in a format of so many digits whose least number is 2^least; of numbers of that size at least. Negative: MPFR has no
// such function, or one of both is no finite number.
static inline double mpfr_distance(sni_kop op, double x, double got, double size, int digits,
                                   int least) {
  const mpfr_one function = mpfr_function(op);
  if ((!function && op != SNI_KOP_ERFINV) || !isfinite(got) || !isfinite(x)) return -1;
  mpfr_t y, from;
  mpfr_inits2(mpfr_bits, y, from, (mpfr_ptr)NULL);
  mpfr_set_d(from, x, MPFR_RNDN);
  if (function)
    (void)function(y, from, MPFR_RNDN);
  else
    mpfr_reference_erfinv(y, from, got);
  double distance = mpfr_regular_p(y) ? 0 : -1;
  if (distance == 0) {
    int exponent;
    frexp(fmax(size, fabs(mpfr_get_d(y, MPFR_RNDN))), &exponent);
    const long unit = exponent - digits > least ? exponent - digits : least;
    mpfr_sub_d(y, y, got, MPFR_RNDN);
    mpfr_mul_2si(y, y, -unit, MPFR_RNDN);
    distance = fabs(mpfr_get_d(y, MPFR_RNDN));
  }
  mpfr_clears(y, from, (mpfr_ptr)NULL);
  return distance;
}

#endif
