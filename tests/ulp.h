// Distances in units in the last place.
#ifndef SINTER_TESTS_ULP_H
#define SINTER_TESTS_ULP_H

#include <math.h>

// Of a format with `digits`, the least exponent `least` and the greatest `most`; infinity counts as the next
// power of two. Signs of zeros are not looked at.
static inline double ulp_distance(long double got, long double want, int digits, int least,
                                  int most) {
  if (isnan(got) || isnan(want)) return isnan(got) && isnan(want) ? 0 : (double)INFINITY;
  if (isinf(got)) got = copysignl(ldexpl(1, most), got);
  if (isinf(want) || fabsl(want) > ldexpl(1, most)) want = copysignl(ldexpl(1, most), want);
  if (want == 0) return got == 0 ? 0 : (double)(fabsl(got) / ldexpl(1, least));
  if (got != 0 && signbit(got) != signbit(want)) return (double)INFINITY;
  int exponent;
  frexpl(want, &exponent);
  const int ulp = exponent - digits < least ? least : exponent - digits;
  return (double)ldexpl(fabsl(got - want), -ulp);
}

#endif
