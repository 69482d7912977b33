// Random numbers: which words an element gets, and the distributions that reject some of them.
//
// Invariant: an element's bits depend on the state, its parameter and its place. Attempt t of element i reads
// block i of a stream whose upper counter is t steps of an odd constant away, so that no attempt meets
// another's words, nor those of the next draw.
#include "runtime/random.h"

#include "runtime/base.h"
#include "runtime/cpu.h"

#include <math.h>
#include <string.h>

static const double two_pi = 6.28318530717958647692, pi = 3.14159265358979323846;

const sni_random_fills *sni_random_fills_best(void) {
#if defined(__x86_64__)
  const sni_isa best = sni_cpu_isa();
  if (best == SNI_ISA_AVX512) return &sni_random_fills_avx512;
  if (best == SNI_ISA_AVX2) return &sni_random_fills_avx2;
#endif
  return &sni_random_fills_baseline;
}

// ---- streams
// TensorFlow's: the user's seeds are mixed by a block under a key of its own.
static sni_philox mixed_stream(const int64_t *state) {
  const sni_philox seeds = {0x02461e293ec8f720, (uint64_t)state[0], (uint64_t)state[1]};
  uint32_t mix[4];
  sni_philox_block(&seeds, 0, mix);
  return (sni_philox){mix[0] | (uint64_t)mix[1] << 32, (uint64_t)state[2],
                      mix[2] | (uint64_t)mix[3] << 32};
}

sni_philox sni_random_stream(sni_random_algorithm algorithm, const int64_t *state) {
  if (algorithm == SNI_RANDOM_PHILOX_TF) return mixed_stream(state);
  if (algorithm == SNI_RANDOM_PHILOX)
    return (sni_philox){(uint64_t)state[0], (uint64_t)state[2], (uint64_t)state[1]};
  const uint64_t key = (uint32_t)state[0] | (uint64_t)(uint32_t)state[1] << 32;
  return (sni_philox){key, (uint64_t)state[2], 0};
}

// Elements of a unit of `size`.
typedef struct span {
  int64_t first, end;
} span;
static span elements_of(const int64_t *params, int64_t unit, int64_t size) {
  const int64_t first = unit * size, left = params[0] - first;
  return (span){first, first + (left < size ? left : size)};
}

// ---- words
static void threefry_bits(sn_dtype dtype, const int64_t *state, span s, void *y) {
  const uint32_t key[2] = {(uint32_t)state[0], (uint32_t)state[1]};
  uint32_t a[SNI_RANDOM_UNIT], b[SNI_RANDOM_UNIT];
  const int n = (int)(s.end - s.first);
  sni_random_fills_best()->threefry(key, (uint64_t)state[2] + (uint64_t)s.first, n, a, b);
  for (int i = 0; i < n; i++)
    if (dtype == SN_I64)
      ((uint64_t *)y)[s.first + i] = (uint64_t)a[i] << 32 | b[i];
    else
      ((uint32_t *)y)[s.first + i] = a[i] ^ b[i];
}

static void philox_bits(sn_dtype dtype, const sni_philox *stream, span s, void *y) {
  const int wide = dtype == SN_I64 ? 2 : 1;
  uint32_t words[2 * SNI_RANDOM_UNIT];
  const int64_t n = s.end - s.first;
  if (wide == 1) {
    sni_random_fills_best()->words(stream, (uint64_t)s.first, n, (uint32_t *)y + s.first);
    return;
  }
  sni_random_fills_best()->words(stream, 2 * (uint64_t)s.first, 2 * n, words);
  for (int64_t i = 0; i < n; i++)
    ((uint64_t *)y)[s.first + i] = words[2 * i] | (uint64_t)words[2 * i + 1] << 32;
}

void sni_random_bits_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_random_call *call = code;
  const int64_t *state = buffers[0];
  const sni_philox stream = sni_random_stream(call->algorithm, state);
  for (int64_t unit = begin; unit < end; unit++) {
    const span s = elements_of(params, unit, SNI_RANDOM_UNIT);
    if (call->algorithm == SNI_RANDOM_THREEFRY)
      threefry_bits(call->dtype, state, s, buffers[1]);
    else
      philox_bits(call->dtype, &stream, s, buffers[1]);
  }
}

void sni_random_normal_run(const void *code, void *const *buffers, const int64_t *params,
                           int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_philox stream =
      sni_random_stream(((const sni_random_call *)code)->algorithm, buffers[0]);
  for (int64_t unit = begin; unit < end; unit++) {
    const span s = elements_of(params, unit, SNI_RANDOM_UNIT);
    sni_random_fills_best()->normal(&stream, (uint64_t)s.first, s.end - s.first,
                                    (float *)buffers[1] + s.first);
  }
}

// ---- truncated normal numbers
static float uniform_f32(uint32_t word) {
  const uint32_t bits = (word & 0x7fffff) | 0x3f800000;
  float u;
  memcpy(&u, &bits, sizeof u);
  return u - 1;
}

static double uniform_f64(uint32_t high, uint32_t low) {
  const uint64_t bits = (uint64_t)(high & 0xfffff) << 32 | low | (uint64_t)1023 << 52;
  double u;
  memcpy(&u, &bits, sizeof u);
  return u - 1;
}

static void polar(double u, double angle, double z[2]) {
  const double radius = sqrt(-2 * log(u < 1e-7 ? 1e-7 : u));
  z[0] = sin(angle) * radius;
  z[1] = cos(angle) * radius;
}

// The normal numbers of a block: four of f32, two of f64.
static int normals_of(sn_dtype dtype, const uint32_t *w, double z[4]) {
  if (dtype == SN_F64) {
    polar(uniform_f64(w[0], w[1]), two_pi * uniform_f64(w[2], w[3]), z);
    return 2;
  }
  for (int i = 0; i < 4; i += 2) {
    const float u = uniform_f32(w[i]), least = 1e-7f;
    polar((double)(u < least ? least : u), (double)(float)(two_pi * (double)uniform_f32(w[i + 1])),
          z + i);
  }
  return 4;
}

static void store(sn_dtype dtype, void *y, int64_t i, double value) {
  if (dtype == SN_F64)
    ((double *)y)[i] = value;
  else
    ((float *)y)[i] = (float)value;
}

static void truncated_group(sn_dtype dtype, const sni_philox *stream, int64_t first, int64_t end,
                            void *y) {
  const int64_t size = dtype == SN_F64 ? 2 : 4;
  uint64_t block = (uint64_t)first / (uint64_t)size * (dtype == SN_F64 ? 128 : 256);
  for (int64_t i = first; i < end; block++) {
    uint32_t words[4];
    double z[4];
    sni_philox_block(stream, block, words);
    const int n = normals_of(dtype, words, z);
    for (int k = 0; k < n && i < end; k++)
      if (fabs(dtype == SN_F64 ? z[k] : (double)(float)z[k]) < 2) store(dtype, y, i++, z[k]);
  }
}

void sni_random_truncated_normal_run(const void *code, void *const *buffers, const int64_t *params,
                                     int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_random_call *call = code;
  const sni_philox stream = sni_random_stream(call->algorithm, buffers[0]);
  const int64_t size = call->dtype == SN_F64 ? 2 : 4;
  for (int64_t unit = begin; unit < end; unit++) {
    const span s = elements_of(params, unit, SNI_RANDOM_UNIT);
    for (int64_t i = s.first; i < s.end; i += size)
      truncated_group(call->dtype, &stream, i, i + size < s.end ? i + size : s.end, buffers[1]);
  }
}

// ---- permutations: places to exchange with are known a while before they are needed, and fetched
enum { ahead = 256 };

static void exchange(int32_t *y, int64_t first, int count, const uint32_t *words, int64_t n) {
  uint32_t other[ahead];
  for (int i = 0; i < count; i++) {
    const uint32_t from = (uint32_t)(first + i);
    other[i] = from + words[i] % ((uint32_t)n - from);
    __builtin_prefetch(y + other[i], 1);
  }
  for (int i = 0; i < count; i++) {
    const int32_t here = y[first + i];
    y[first + i] = y[other[i]];
    y[other[i]] = here;
  }
}

void sni_random_permutation_run(const void *code, void *const *buffers, const int64_t *params,
                                int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_philox stream =
      sni_random_stream(((const sni_random_call *)code)->algorithm, buffers[0]);
  const int64_t n = params[0];
  int32_t *y = buffers[1];
  if (begin == end) return;
  for (int64_t i = 0; i < n; i++) y[i] = (int32_t)i;
  for (int64_t i = 0; i + 1 < n; i += ahead) {
    const int count = n - 1 - i < ahead ? (int)(n - 1 - i) : ahead;
    uint32_t words[ahead];
    sni_random_fills_best()->words(&stream, (uint64_t)i, count, words);
    exchange(y, i, count, words, n);
  }
}

// ---- samplers: the attempts of an element
typedef struct attempts {
  sni_philox stream;
  uint64_t element;
  const uint32_t *first;  // words of the first attempt; NULL: it has passed
} attempts;

static void next_block(attempts *a, uint32_t words[4]) {
  if (a->first)
    memcpy(words, a->first, 4 * sizeof *words);
  else
    sni_philox_block(&a->stream, a->element, words);
  a->first = NULL;
  a->stream.high += 0x9E3779B97F4A7C15;
}

// In (0, 1): the middles of 2^53, and of 2^32, intervals.
static double open_unit(uint32_t high, uint32_t low) {
  const uint64_t bits = (uint64_t)high << 20 | low >> 12;
  return ((double)bits + 0.5) * 0x1p-52;
}
static double open_short(uint32_t word) {
  return ((double)word + 0.5) * 0x1p-32;
}

// ---- integers: the upper half of word times range; what would make some numbers more frequent than
// others is rejected (Lemire, "Fast random integer generation in an interval", 2019)
__extension__ typedef unsigned __int128 wide;

// Of element i, whose first word has been read already.
static uint64_t below(uint64_t range, uint64_t word, const sni_philox *stream, int64_t i) {
  if (!range) return word;
  wide product = (wide)word * range;
  attempts a = {*stream, (uint64_t)i, NULL};
  if ((uint64_t)product < range) {
    const uint64_t least = (0 - range) % range;
    while ((uint64_t)product < least) {
      uint32_t words[4];
      a.stream.high += 0x9E3779B97F4A7C15;  // the first attempt was of a shared block
      sni_philox_block(&a.stream, a.element, words);
      product = (wide)(words[0] | (uint64_t)words[1] << 32) * range;
    }
  }
  return (uint64_t)(product >> 64);
}

void sni_random_integers_run(const void *code, void *const *buffers, const int64_t *params,
                             int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_random_call *call = code;
  const sni_philox stream = sni_random_stream(call->algorithm, buffers[0]);
  const uint64_t range = *(const uint64_t *)buffers[1];
  uint64_t *y = buffers[2];
  for (int64_t unit = begin; unit < end; unit++) {
    const span s = elements_of(params, unit, SNI_RANDOM_UNIT);
    philox_bits(SN_I64, &stream, s, y);
    for (int64_t i = s.first; i < s.end; i++) y[i] = below(range, y[i], &stream, i);
  }
}

// ---- gamma: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below 1 the shape is raised
// by 1, and the number times u^(1 / shape). Its logarithm, since it may be too small for a number.
// The number is e^*out_less times what is returned; a squeeze saves most logarithms.
static double gamma_times(double shape, attempts *a, double *out_less) {
  uint32_t w[4];
  *out_less = 0;
  if (shape < 1) {
    next_block(a, w);
    *out_less = log(open_unit(w[0], w[1])) / shape;
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    next_block(a, w);
    const double radius = sqrt(-2 * log(open_unit(w[0], w[1])));
    const double x = radius * cos(two_pi * open_short(w[2])), u = open_short(w[3]), t = 1 + c * x,
                 v = t * t * t, x2 = x * x;
    if (!(t > 0)) continue;
    if (u < 1 - 0.0331 * x2 * x2 || log(u) < 0.5 * x2 + d - d * v + d * log(v)) return d * v;
  }
}

static double gamma_of(double shape, attempts a) {
  double less;
  const double y = gamma_times(shape, &a, &less);
  return less < 0 ? y * exp(less) : y;
}

static double log_gamma_of(double shape, attempts a) {
  double less;
  const double y = gamma_times(shape, &a, &less);
  return log(y) + less;
}

// ---- Poisson
static double log_factorial(double k) {
  static const double small[] = {0,
                                 0,
                                 0.693147180559945309,
                                 1.79175946922805500,
                                 3.17805383034794562,
                                 4.78749174278204599,
                                 6.57925121201010100,
                                 8.52516136106541430,
                                 10.6046029027452502,
                                 12.8018274800814696};
  if (k < 10) return small[(int)k];
  const double x = k + 1, r = 1 / x, z = r * r;  // Stirling's series
  return (x - 0.5) * log(x) - x + 0.5 * log(2 * pi) +
         r * (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680)));
}

// Of a small rate: how many uniform numbers can be multiplied before the product is below e^-rate.
static double poisson_by_product(double rate, attempts a) {
  const double least = exp(-rate);
  double k = 0, product = 1;
  for (;;) {
    uint32_t w[4];
    next_block(&a, w);
    for (int i = 0; i < 4; i += 2) {
      product *= open_unit(w[i], w[i + 1]);
      if (product <= least) return k;
      k += 1;
    }
  }
}

// Hoermann, "The transformed rejection method for generating Poisson random variables", 1993: PTRS.
static double poisson_by_rejection(double rate, attempts a) {
  const double root = sqrt(rate), log_rate = log(rate), b = 0.931 + 2.53 * root,
               slope = -0.059 + 0.02483 * b, inverse = 1.1239 + 1.1328 / (b - 3.4),
               quick = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    uint32_t w[4];
    next_block(&a, w);
    const double u = open_unit(w[0], w[1]) - 0.5, v = open_unit(w[2], w[3]), s = 0.5 - fabs(u),
                 k = floor((2 * slope / s + b) * u + rate + 0.43);
    if (s >= 0.07 && v <= quick) return k;
    if (k < 0 || (s < 0.013 && v > s)) continue;
    if (log(v) + log(inverse) - log(slope / (s * s) + b) <= k * log_rate - rate - log_factorial(k))
      return k;
  }
}

// ---- an element of each, or a fault
static void note_fault(void *scratch, int64_t place) {
  sni_scratch_header *header = scratch;
  if (!header->fault || place < header->place) header->place = place;
  header->fault = 1;
}

static double load(sn_dtype dtype, const void *x, int64_t i) {
  return dtype == SN_F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static double poisson_of(double rate, attempts a) {
  if (rate == 0) return 0;
  return rate < 10 ? poisson_by_product(rate, a) : poisson_by_rejection(rate, a);
}

typedef struct sampler {
  double (*draw)(double parameter, attempts a);
  bool takes_zero;
} sampler;

static void sample(const sampler *how, const sni_random_call *call, void *const *buffers,
                   const int64_t *params, int64_t begin, int64_t end, void *scratch) {
  const sni_philox stream = sni_random_stream(call->algorithm, buffers[0]);
  for (int64_t unit = begin; unit < end; unit++) {
    const span s = elements_of(params, unit, SNI_RANDOM_SAMPLE_UNIT);
    uint32_t words[4 * SNI_RANDOM_SAMPLE_UNIT];
    sni_random_fills_best()->words(&stream, 4 * (uint64_t)s.first, 4 * (s.end - s.first), words);
    for (int64_t i = s.first; i < s.end; i++) {
      const double b = load(call->dtype, buffers[1], i);
      const bool taken = isfinite(b) && (b > 0 || (b == 0 && how->takes_zero));
      if (!taken) note_fault(scratch, i);
      store(call->dtype, buffers[2], i,
            taken ? how->draw(b, (attempts){stream, (uint64_t)i, words + 4 * (i - s.first)})
                  : (double)NAN);
    }
  }
}

void sni_random_gamma_run(const void *code, void *const *buffers, const int64_t *params,
                          int64_t begin, int64_t end, void *scratch) {
  const sni_random_call *call = code;
  const sampler how = {call->logarithm ? log_gamma_of : gamma_of, false};
  sample(&how, call, buffers, params, begin, end, scratch);
}

void sni_random_poisson_run(const void *code, void *const *buffers, const int64_t *params,
                            int64_t begin, int64_t end, void *scratch) {
  const sampler how = {poisson_of, true};
  sample(&how, code, buffers, params, begin, end, scratch);
}
