// Random numbers, as kernels: bits are a function of the state, the parameters and an element's place alone.
// Elements are those of a contiguous result in order; a unit is a block of them.
//
// The state is i64[3]. What it means, the algorithm says:
//   PHILOX     {key, high, low}: the counter's upper and lower half
//   PHILOX_TF  {seed 0, seed 1, low}: TensorFlow's stateless ops; key and high are a block of the seeds
//   THREEFRY   {key 0, key 1, counter}: JAX's keys; their lower words count
#ifndef SNI_RUNTIME_RANDOM_H
#define SNI_RUNTIME_RANDOM_H

#include "runtime/kernel_call.h"
#include "runtime/philox.h"

#include <sinter/tensor.h>

#include <stdbool.h>

typedef enum sni_random_algorithm {
  SNI_RANDOM_PHILOX,
  SNI_RANDOM_PHILOX_TF,
  SNI_RANDOM_THREEFRY,
  SNI_RANDOM_ALGORITHMS
} sni_random_algorithm;

typedef struct sni_random_call {
  sn_dtype dtype;  // of the result
  sni_random_algorithm algorithm;
  bool logarithm;  // gamma: of the number
} sni_random_call;

enum {
  SNI_RANDOM_UNIT = 1024,        // elements, of what takes a word or two each
  SNI_RANDOM_SAMPLE_UNIT = 128,  // of what takes a loop each
};

// The Philox stream of a state; of a Threefry key that of its 64 bits.
sni_philox sni_random_stream(sni_random_algorithm algorithm, const int64_t *state);

// All: buffers {state, y}, params {n}; n elements in units of SNI_RANDOM_UNIT.
//
// Philox: i32 word i of the stream; i64 words 2 i and, above, 2 i + 1. Threefry, of block i with words (a, b):
// i32 a ^ b, i64 a above b.
void sni_random_bits_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch);
// f32. Box-Muller of words 2 i and 2 i + 1, as TensorFlow's: sine, then cosine; a block gives four.
void sni_random_normal_run(const void *code, void *const *buffers, const int64_t *params,
                           int64_t begin, int64_t end, void *scratch);
// f32, f64: those within (-2, 2). A group of 4 (f64: 2) elements has 256 (128) blocks to itself, as TensorFlow's.
void sni_random_truncated_normal_run(const void *code, void *const *buffers, const int64_t *params,
                                     int64_t begin, int64_t end, void *scratch);
// i32: one unit; element i is exchanged with i + word i mod (n - i) one after the other, as TensorFlow's shuffle.
void sni_random_permutation_run(const void *code, void *const *buffers, const int64_t *params,
                                int64_t begin, int64_t end, void *scratch);

// Buffers {state, b, y}. Element i of them that is rejected tries block i of another stream.
// i64: 0 <= y < *b as unsigned numbers, *b = 0: any; at first of words 2 i and 2 i + 1.
void sni_random_integers_run(const void *code, void *const *buffers, const int64_t *params,
                             int64_t begin, int64_t end, void *scratch);
// f32 or f64, as b is, in f64, at first of block i; units of SNI_RANDOM_SAMPLE_UNIT. gamma: shape b > 0. poisson: rate b >= 0. What they
// cannot take is a fault, its place the element.
void sni_random_gamma_run(const void *code, void *const *buffers, const int64_t *params,
                          int64_t begin, int64_t end, void *scratch);
void sni_random_poisson_run(const void *code, void *const *buffers, const int64_t *params,
                            int64_t begin, int64_t end, void *scratch);

// ---- random_fill.c, one copy per instruction set, of the same bits
typedef struct sni_random_fills {
  // Words [first, first + n) of the stream; first is a multiple of 4.
  void (*words)(const sni_philox *stream, uint64_t first, int64_t n, uint32_t *out);
  // Normal numbers of these words.
  void (*normal)(const sni_philox *stream, uint64_t first, int64_t n, float *out);
  // Both words of blocks [first, first + n) under key, the counter's upper word first.
  void (*threefry)(const uint32_t key[2], uint64_t first, int n, uint32_t *a, uint32_t *b);
} sni_random_fills;
extern const sni_random_fills sni_random_fills_baseline;
#if defined(__x86_64__)
extern const sni_random_fills sni_random_fills_avx2;
extern const sni_random_fills sni_random_fills_avx512;
#endif
const sni_random_fills *sni_random_fills_best(void);

#endif
