// gelu(a + b) as a C programmer would write it, with the polynomial of codegen/expand/expand_exp.c, less
// its correction of small quotients: the loop has a little less to do than the kernel. Compiled
// with -O3 -march=native, the widest vectors and contraction allowed, so that the compiler can do
// its best.
#include "bench/bench.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

// tanh |a| = h / (h + 1), h = (e^2|a| - 1) / 2.
static inline float tanh_reference(float a) {
  const float magic = 0x1.8p+23f;
  float magnitude = __builtin_fabsf(a);
  float inside = magnitude < 9.5f ? magnitude : 9.5f;
  float shifted = __builtin_fmaf(inside, 2 * 0x1.715476p+0f, magic);
  float k = shifted - magic;
  float r = __builtin_fmaf(k, -0x1.62e43p-2f, inside);
  r = __builtin_fmaf(k, 0x1.05c61p-30f, r);
  float q = 32 * 0x1.6b39ecp-10f;
  q = __builtin_fmaf(q, r, 16 * 0x1.123e48p-7f);
  q = __builtin_fmaf(q, r, 8 * 0x1.55574ep-5f);
  q = __builtin_fmaf(q, r, 4 * 0x1.555494p-3f);
  q = __builtin_fmaf(q, r, 2 * 0x1.fffffep-2f);
  float p = __builtin_fmaf(r * r, q, r);
  uint32_t bits, magic_bits;
  memcpy(&bits, &shifted, sizeof(bits));
  memcpy(&magic_bits, &magic, sizeof(magic_bits));
  bits = (bits - magic_bits + 127) << 23;  // of 2^k
  float s;
  memcpy(&s, &bits, sizeof(s));
  float h = __builtin_fmaf(p, s, __builtin_fmaf(s, 0.5f, -0.5f));
  return __builtin_copysignf(h / (h + 1), a);
}

void bench_gelu_reference(const float *restrict a, const float *restrict b, float *restrict c,
                          int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float x = a[i] + b[i];
    float t = tanh_reference((x + x * x * x * 0.044715f) * 0.79788456f);
    c[i] = 0.5f * x * (t + 1);
  }
}

void bench_add_reference(const float *restrict a, const float *restrict b, float *restrict c,
                         int64_t n) {
  for (int64_t i = 0; i < n; i++) c[i] = a[i] + b[i];
}

#ifdef __x86_64__
void bench_add_stream(const float *restrict a, const float *restrict b, float *restrict c,
                      int64_t n) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16)
    _mm512_stream_ps(c + i, _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)));
#elif defined(__AVX__)
  for (; i + 8 <= n; i += 8)
    _mm256_stream_ps(c + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
#else
  for (; i + 4 <= n; i += 4)
    _mm_stream_ps(c + i, _mm_add_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i)));
#endif
  for (; i < n; i++) c[i] = a[i] + b[i];
  _mm_sfence();
}
#endif
