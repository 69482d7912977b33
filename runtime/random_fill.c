// Words of the counter-based generators and normal numbers of them, whole blocks at a time. Compiled once per
// instruction set (SNI_ISA_SUFFIX).
//
// Invariant: all copies give the same bits. A product or sum is rounded by itself (-ffp-contract=off).
#include "runtime/base.h"
#include "runtime/random.h"
#include "runtime/vectors.h"

#include <math.h>

enum { lanes = SNI_VECTOR_BYTES / 4, turn = 4 };  // words of a vector; vectors whose chains overlap

// ---- what the instruction sets say in their own ways, on each 128 bits of a vector alike
#if defined(__AVX512F__)
SNI_INLINE sni_vec_u32 multiply_even(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
SNI_INLINE sni_vec_u32 reverse_words(sni_vec_u32 a) {
  return (sni_vec_u32)_mm512_shuffle_epi32((__m512i)a, (_MM_PERM_ENUM)0x1B);
}
SNI_INLINE sni_vec_u32 even_words(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)_mm512_shuffle_ps((__m512)a, (__m512)b, 0x88);
}
SNI_INLINE sni_vec_u32 odd_words(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)_mm512_shuffle_ps((__m512)a, (__m512)b, 0xDD);
}
SNI_INLINE sni_vec_f32 lower_pairs(sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32)_mm512_unpacklo_ps((__m512)a, (__m512)b);
}
SNI_INLINE sni_vec_f32 upper_pairs(sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32)_mm512_unpackhi_ps((__m512)a, (__m512)b);
}
SNI_INLINE sni_vec_f32 root(sni_vec_f32 a) {
  return (sni_vec_f32)_mm512_sqrt_ps((__m512)a);
}
SNI_INLINE sni_vec_f32 times_f64(sni_vec_f32 a, double factor) {
  const __m512d f = _mm512_set1_pd(factor);
  const __m256 low = _mm512_cvtpd_ps(_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)a)) * f);
  const __m256 high = _mm512_cvtpd_ps(_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)a, 1)) * f);
  return (sni_vec_f32)_mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}
#elif defined(__AVX2__)
SNI_INLINE sni_vec_u32 multiply_even(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
SNI_INLINE sni_vec_u32 reverse_words(sni_vec_u32 a) {
  return (sni_vec_u32)_mm256_shuffle_epi32((__m256i)a, 0x1B);
}
SNI_INLINE sni_vec_u32 even_words(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88);
}
SNI_INLINE sni_vec_u32 odd_words(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)_mm256_shuffle_ps((__m256)a, (__m256)b, 0xDD);
}
SNI_INLINE sni_vec_f32 lower_pairs(sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32)_mm256_unpacklo_ps((__m256)a, (__m256)b);
}
SNI_INLINE sni_vec_f32 upper_pairs(sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32)_mm256_unpackhi_ps((__m256)a, (__m256)b);
}
SNI_INLINE sni_vec_f32 root(sni_vec_f32 a) {
  return (sni_vec_f32)_mm256_sqrt_ps((__m256)a);
}
SNI_INLINE sni_vec_f32 times_f64(sni_vec_f32 a, double factor) {
  const __m256d f = _mm256_set1_pd(factor);
  const __m128 low = _mm256_cvtpd_ps(_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)a)) * f);
  const __m128 high = _mm256_cvtpd_ps(_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)a, 1)) * f);
  return (sni_vec_f32)_mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}
#else
SNI_INLINE sni_vec_u32 multiply_even(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32)(sni_vec_u64){(uint64_t)a[0] * b[0], (uint64_t)a[2] * b[2]};
}
SNI_INLINE sni_vec_u32 reverse_words(sni_vec_u32 a) {
  return (sni_vec_u32){a[3], a[2], a[1], a[0]};
}
SNI_INLINE sni_vec_u32 even_words(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32){a[0], a[2], b[0], b[2]};
}
SNI_INLINE sni_vec_u32 odd_words(sni_vec_u32 a, sni_vec_u32 b) {
  return (sni_vec_u32){a[1], a[3], b[1], b[3]};
}
SNI_INLINE sni_vec_f32 lower_pairs(sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32){a[0], b[0], a[1], b[1]};
}
SNI_INLINE sni_vec_f32 upper_pairs(sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32){a[2], b[2], a[3], b[3]};
}
SNI_INLINE sni_vec_f32 root(sni_vec_f32 a) {
  return (sni_vec_f32){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}
SNI_INLINE sni_vec_f32 times_f64(sni_vec_f32 a, double factor) {
  for (int i = 0; i < 4; i++) a[i] = (float)((double)a[i] * factor);
  return a;
}
#endif

// ---- Philox: lanes are the words of a block, the next four those of the next one. A round multiplies the even
// words; turned round, the halves of both products are where the next round wants them.
typedef struct keys {
  sni_vec_u32 factors, of_round[SNI_PHILOX_ROUNDS];
} keys;

static keys make_keys(uint64_t key) {
  keys k;
  for (int l = 0; l < lanes; l++) k.factors[l] = l % 4 < 2 ? SNI_PHILOX_M0 : SNI_PHILOX_M1;
  uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
  for (int round = 0; round < SNI_PHILOX_ROUNDS; round++) {
    for (int l = 0; l < lanes; l++) k.of_round[round][l] = l % 2 ? 0 : l % 4 ? high : low;
    low += SNI_PHILOX_W0;
    high += SNI_PHILOX_W1;
  }
  return k;
}

// The counters of `turn` vectors from a block on.
SNI_INLINE void set_counters(const sni_philox *p, uint64_t block, sni_vec_u32 *c) {
  sni_vec_u64 first;
  for (int l = 0; l < lanes / 2; l++)
    first[l] = l % 2 ? p->high : p->low + block + (uint64_t)(l / 2);
  for (int v = 0; v < turn; v++) {
    sni_vec_u64 more;
    for (int l = 0; l < lanes / 2; l++) more[l] = l % 2 ? 0 : (uint64_t)(v * lanes / 4);
    c[v] = (sni_vec_u32)(first + more);
  }
}

SNI_INLINE void encipher(const keys *k, sni_vec_u32 *c) {
  for (int round = 0; round < SNI_PHILOX_ROUNDS; round++)
    for (int v = 0; v < turn; v++) {
      const sni_vec_u32 odd = (sni_vec_u32)((sni_vec_u64)c[v] >> 32);
      c[v] = reverse_words(multiply_even(c[v], k->factors)) ^ odd ^ k->of_round[round];
    }
}

static void words(const sni_philox *stream, uint64_t first, int64_t n, uint32_t *out) {
  const keys k = make_keys(stream->key);
  sni_vec_u32 c[turn];
  int64_t i = 0;
  for (; i + turn * lanes <= n; i += turn * lanes) {
    set_counters(stream, (first + (uint64_t)i) / 4, c);
    encipher(&k, c);
    for (int v = 0; v < turn; v++) *(sni_vec_u32 *)(out + i + v * lanes) = c[v];
  }
  if (i == n) return;
  set_counters(stream, (first + (uint64_t)i) / 4, c);
  encipher(&k, c);
  __builtin_memcpy(out + i, c, (size_t)(n - i) * sizeof *out);
}

// ---- normal numbers: the functions' polynomials are those of Cephes, in single precision
SNI_INLINE sni_vec_f32 choose(sni_vec_i32 mask, sni_vec_f32 a, sni_vec_f32 b) {
  return (sni_vec_f32)(((sni_vec_i32)a & mask) | ((sni_vec_i32)b & ~mask));
}
// [0, 1) of the lower 23 bits
SNI_INLINE sni_vec_f32 uniform(sni_vec_u32 bits) {
  return (sni_vec_f32)((bits & 0x7fffff) | 0x3f800000) - 1.0f;
}

// ln x of an ordinary x: of x = m 2^e with m in [sqrt(1/2), sqrt(2)), m = 1 + f
SNI_INLINE sni_vec_f32 logarithm(sni_vec_f32 x) {
  const sni_vec_i32 bits = (sni_vec_i32)x, exponent = (bits - 0x3f3504f3) >> 23;
  const sni_vec_f32 f = (sni_vec_f32)((sni_vec_u32)bits - ((sni_vec_u32)exponent << 23)) - 1.0f,
                    e = __builtin_convertvector(exponent, sni_vec_f32), f2 = f * f;
  static const float c[] = {-1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f,
                            1.4249322787e-1f,  -1.6668057665e-1f, 2.0000714765e-1f,
                            -2.4999993993e-1f, 3.3333331174e-1f};
  sni_vec_f32 y = f * 7.0376836292e-2f + c[0];
  for (int i = 1; i < 8; i++) y = y * f + c[i];
  y = y * f * f2 + e * -2.12194440e-4f - f2 * 0.5f;  // ln 2 is 0.693359375 - 2.1219444e-4
  return (f + y) + e * 0.693359375f;
}

// Sine and cosine of x in [0, 2 pi], each times the radius: r = x - q pi/2 in [-pi/4, pi/4].
SNI_INLINE void rotate(sni_vec_f32 x, sni_vec_f32 radius, sni_vec_f32 *sine, sni_vec_f32 *cosine) {
  const sni_vec_i32 q = __builtin_convertvector(x * 0.63661977236758f + 0.5f, sni_vec_i32);
  const sni_vec_f32 k = __builtin_convertvector(q, sni_vec_f32);
  const sni_vec_f32 r =
      x - k * 1.5703125f - k * 4.837512969970703125e-4f - k * 7.54978995489188216e-8f;
  const sni_vec_f32 z = r * r;
  const sni_vec_f32 s =
      ((z * -1.9515295891e-4f + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const sni_vec_f32 c =
      ((z * 2.443315711809948e-5f - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z -
      z * 0.5f + 1.0f;
  const sni_vec_i32 odd = -(q & 1);
  const sni_vec_u32 quadrant = (sni_vec_u32)q;
  *sine = (sni_vec_f32)((sni_vec_u32)choose(odd, c, s) ^ ((quadrant & 2) << 30)) * radius;
  *cosine = (sni_vec_f32)((sni_vec_u32)choose(odd, s, c) ^ (((quadrant + 1) & 2) << 30)) * radius;
}

// Words of two vectors, pairs of neighbours, in their places.
SNI_INLINE void box_muller(const sni_vec_u32 *c, float *out) {
  const sni_vec_f32 least = (sni_vec_f32){0} + 1e-7f;
  sni_vec_f32 u = uniform(even_words(c[0], c[1])), sine, cosine;
  u = choose(u < least, least, u);
  const sni_vec_f32 angle = times_f64(uniform(odd_words(c[0], c[1])), 6.28318530717958647692);
  rotate(angle, root(logarithm(u) * -2.0f), &sine, &cosine);
  *(sni_vec_f32 *)out = lower_pairs(sine, cosine);
  *(sni_vec_f32 *)(out + lanes) = upper_pairs(sine, cosine);
}

static void normal(const sni_philox *stream, uint64_t first, int64_t n, float *out) {
  const keys k = make_keys(stream->key);
  sni_vec_u32 c[turn];
  float rest[turn * lanes];
  for (int64_t i = 0; i < n; i += turn * lanes) {
    const bool whole = n - i >= turn * lanes;
    float *to = whole ? out + i : rest;
    set_counters(stream, (first + (uint64_t)i) / 4, c);
    encipher(&k, c);
    for (int v = 0; v < turn; v += 2) box_muller(c + v, to + v * lanes);
    if (!whole) __builtin_memcpy(out + i, rest, (size_t)(n - i) * sizeof *out);
  }
}

// ---- Threefry: a loop over blocks is a vector loop
static void threefry(const uint32_t key[2], uint64_t first, int n, uint32_t *restrict a,
                     uint32_t *restrict b) {
  static const int rotations[2][4] = SNI_THREEFRY_ROTATIONS;
  const uint32_t k[3] = {key[0], key[1], key[0] ^ key[1] ^ SNI_THREEFRY_PARITY};
  for (int i = 0; i < n; i++) {
    const uint64_t counter = first + (uint64_t)i;
    a[i] = (uint32_t)(counter >> 32) + k[0];
    b[i] = (uint32_t)counter + k[1];
  }
  for (uint32_t t = 0; t < SNI_THREEFRY_TURNS; t++) {
    const int *by = rotations[t % 2];
    const uint32_t more[2] = {k[(t + 1) % 3], k[(t + 2) % 3] + t + 1};
    for (int i = 0; i < n; i++) {
      uint32_t x = a[i], y = b[i];
      for (int r = 0; r < 4; r++) {
        x += y;
        y = (y << by[r] | y >> (32 - by[r])) ^ x;
      }
      a[i] = x + more[0];
      b[i] = y + more[1];
    }
  }
}

const sni_random_fills SNI_EXPAND(sni_random_fills, SNI_ISA_SUFFIX) = {words, normal, threefry};
