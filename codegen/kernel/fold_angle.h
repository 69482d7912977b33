// FOLD_ANGLE, element by element: Payne and Hanek's reduction of large arguments of sine and cosine,
// in integers, so that every backend gives the same bits. Its constants serve the LLVM plugin too.
//
// |a| = m 2^e with m an integer of 53 bits. Of the binary digits of 1 / pi those from weight 2^-e
// on, times m, are |a| / pi mod 2; 192 digits leave 139 behind the point, 77 of them right even for
// the f64 that is nearest to a multiple of pi / 2. To that mod 2 the sign of a and b / 2 (b quarter
// turns) are added; the nearest integer n is dropped, its parity flips the sign, and the rest, as
// 64 digits from its first one on, is multiplied by pi and rounded once.
#ifndef SNI_CODEGEN_KERNEL_FOLD_ANGLE_H
#define SNI_CODEGEN_KERNEL_FOLD_ANGLE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SNI_FOLD_LIMIT 0x1p45                     // larger angles are folded
#define SNI_FOLD_PI UINT64_C(0xc90fdaa22168c234)  // floor(pi 2^62)

// 64 zeros, then the binary digits of 1 / pi.
#define SNI_FOLD_WORDS 20
#define SNI_FOLD_TABLE                                                                  \
  {                                                                                     \
    0x0000000000000000, 0x517cc1b727220a94, 0xfe13abe8fa9a6ee0, 0x6db14acc9e21c820,     \
        0xff28b1d5ef5de2b0, 0xdb92371d2126e970, 0x0324977504e8c90e, 0x7f0ef58e5894d39f, \
        0x74411afa975da242, 0x74ce38135a2fbf20, 0x9cc8eb1cc1a99cfa, 0x4e422fc5defc941d, \
        0x8ffc4bffef02cc07, 0xf79788c5ad05368f, 0xb69b3f6793e584db, 0xa7a31fb34f2ff516, \
        0xba93dd63f5f2f8bd, 0x9e839cfbc5294975, 0x35fdafd88fc6ae84, 0x2b0198237e3db5d5  \
  }

__extension__ typedef unsigned __int128 sni_uint128;

static inline uint64_t sni_fold_digits(uint64_t high, uint64_t low, unsigned shift) {
  return shift ? high << shift | low >> (64 - shift) : high;
}

// a with SNI_FOLD_LIMIT < |a| <= inf; b 0 or 1.
static inline double sni_fold_large_angle(double a, double b) {
  static const uint64_t table[SNI_FOLD_WORDS] = SNI_FOLD_TABLE;
  uint64_t bits;
  memcpy(&bits, &a, sizeof(bits));
  const unsigned exponent = (unsigned)(bits >> 52) & 0x7ff;
  const uint64_t m = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
  if (exponent == 0x7ff) return (double)NAN;
  const unsigned first = exponent - 1075 + 63, shift = first % 64;
  const uint64_t *digits = table + first / 64;
  const uint64_t high = sni_fold_digits(digits[0], digits[1], shift),
                 middle = sni_fold_digits(digits[1], digits[2], shift),
                 low = sni_fold_digits(digits[2], digits[3], shift);
  const sni_uint128 carry = (sni_uint128)m * low >> 64;
  // |a| / pi mod 2, of 127 digits behind the point
  sni_uint128 turns = ((sni_uint128)(m * high) << 64) + (sni_uint128)m * middle + carry;
  if (bits >> 63) turns = 0 - turns;
  if (b != 0) turns += (sni_uint128)1 << 126;
  const sni_uint128 rest = turns << 1;
  const uint64_t upper = (uint64_t)(rest >> 127), odd = (uint64_t)(turns >> 127) ^ upper;
  const sni_uint128 size = (upper ? 0 - rest : rest) | 1;
  const uint64_t size_high = (uint64_t)(size >> 64);
  const int zeros = size_high ? __builtin_clzll(size_high) : 64 + __builtin_clzll((uint64_t)size);
  const uint64_t leading = (uint64_t)(size << zeros >> 64);
  const int64_t product = (int64_t)((uint64_t)((sni_uint128)leading * SNI_FOLD_PI >> 64) >> 1);
  const double scaled = (double)product;  // y 2^(61 + zeros)
  memcpy(&bits, &scaled, sizeof(bits));
  bits -= (uint64_t)(61 + zeros) << 52;
  bits |= (upper ^ odd) << 63;
  double y;
  memcpy(&y, &bits, sizeof(y));
  return y;
}

static inline double sni_fold_angle(double a, double b) {
  return fabs(a) > SNI_FOLD_LIMIT ? sni_fold_large_angle(a, b) : a;
}

#endif
