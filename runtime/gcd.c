// Greatest common divisors by halving and subtracting (Stein 1967): no division, at most a step per bit.
#include "runtime/gcd.h"

#include "runtime/dtype.h"

#include <string.h>

static uint64_t gcd(uint64_t a, uint64_t b) {
  if (!a || !b) return a | b;
  const int twos = __builtin_ctzll(a | b);
  a >>= __builtin_ctzll(a);
  do {
    b >>= __builtin_ctzll(b);
    const uint64_t less = a < b ? a : b;
    b = a < b ? b - a : a - b;
    a = less;
  } while (b);
  return a << twos;
}

// |x[i]|
static uint64_t magnitude(const sni_dtype_info *info, const char *x, int64_t i) {
  uint64_t bits = 0;
  const int unused = 64 - 8 * info->bytes;
  memcpy(&bits, x + i * info->bytes, (size_t)info->bytes);  // the lowest bytes come first
  if (info->kind != SNI_KIND_SIGNED) return bits;
  const int64_t value = (int64_t)(bits << unused) >> unused;
  return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void sni_gcd_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch) {
  (void)scratch;
  const sni_dtype_info *info = &sni_dtype_infos[((const sni_gcd_call *)code)->dtype];
  const int64_t last = end * SNI_GCD_BLOCK < params[0] ? end * SNI_GCD_BLOCK : params[0];
  for (int64_t i = begin * SNI_GCD_BLOCK; i < last; i++) {
    const uint64_t y = gcd(magnitude(info, buffers[0], i), magnitude(info, buffers[1], i));
    memcpy((char *)buffers[2] + i * info->bytes, &y, (size_t)info->bytes);
  }
}
