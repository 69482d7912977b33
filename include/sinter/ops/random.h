// Random numbers: streams of words that are functions of a key and a place, and distributions made of them.
//
// Without a key numbers come from the context's generator (Philox 4x32-10, Salmon et al. 2011), whose state advances per
// call in every mode: also inside a compiled function, which draws anew in each of its runs. With a key they are a function
// of it: the same call gives the same numbers. A key is a tensor, so one made inside of a function costs no new trace.
// Bits do not depend on the mode, the number of threads or the machine; those of gamma, beta and Poisson numbers on the C
// library's logarithm. Dims may be symbolic: SN_SHAPE(sn_symbolic_dim(x, 0), 10).
//
// No gradient flows through what is drawn: scale and shift it (y = mean + sigma z), and it flows to mean and sigma. Errors of all:
// SN_ERR_DTYPE, SN_ERR_SHAPE (also a .key that is no [2]), SN_ERR_ARGUMENT (no such .algorithm).
#ifndef SINTER_OPS_RANDOM_H
#define SINTER_OPS_RANDOM_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// What a key of two integers means.
typedef enum sn_random_algorithm {
  // JAX's keys (jax.random of 0.5 to 0.10, jax_threefry_partitionable): Threefry 2x32-20. Bits, integers and uniform numbers
  // are JAX's bits, normal numbers within 4 ulp (truncated ones within 4 ulp of 1), orders JAX's; gamma, beta and Poisson
  // numbers are not JAX's.
  SN_RANDOM_THREEFRY,
  // The two seeds of TensorFlow's stateless ops, tf.random.stateless_*: Philox under a key mixed of them. Words,
  // integers and uniform numbers are TensorFlow's bits, (truncated) normal numbers within 4 ulp.
  SN_RANDOM_PHILOX_TF,
  // {seed, seed2} of TensorFlow's stateful ops, at their first call: Philox of key seed and the counter's upper half seed2.
  SN_RANDOM_PHILOX,
} sn_random_algorithm;

typedef struct sn_random_options {
  size_t size;                    // sizeof(sn_random_options); filled in by the macros
  sn_tensor *key;                 // integers [2]; NULL: the context's generator
  sn_random_algorithm algorithm;  // of the key
  bool endpoint;                  // sn_random_integers: `high` is among them
  int64_t samples;  // sn_random_categorical: this many of each row; 0: one, without a dim
} sn_random_options;

// ---- keys, u32[2]. No gradient.
// The key of a seed: integers, its upper and its lower word, as jax.random.key. Errors: SN_ERR_MEMORY. No gradient.
SN_API sn_tensor *sn_random_key(sn_context *context, uint64_t seed);
// n keys u32[n,2] of one; integers. Errors: SN_ERR_SHAPE (key no [2]; n < 0). No gradient. Source: jax.random.split.
SN_API sn_tensor *sn_random_split(sn_tensor *key, int64_t n);
// Another key, of the key and a number: a scalar, whose lower 32 bits count; integers, both of any. Errors: SN_ERR_SHAPE. No
// gradient. Source: jax.random.fold_in.
SN_API sn_tensor *sn_random_fold_in(sn_tensor *key, sn_tensor *number);

// ---- the context's generator
typedef struct sn_random_state {
  uint64_t key;      // the seed
  uint64_t stream;   // the counter's upper half; 0 after sn_set_seed
  uint64_t counter;  // its lower half: blocks of four words drawn so far
} sn_random_state;
// Errors: SN_ERR_STATE in a trace; SN_ERR_ARGUMENT (out_state NULL).
SN_API SN_MUST_USE sn_status sn_random_get_state(sn_context *context, sn_random_state *out_state);
// Continues there; in a trace an effect of the function.
SN_API void sn_random_set_state(sn_context *context, sn_random_state state);

// ---- distributions
// Uniform in [0, 1), floats. Errors: SN_ERR_SHAPE, SN_ERR_ARGUMENT (options). No gradient.
SN_API sn_tensor *sn_random_uniform_opts(sn_context *context, sn_dtype dtype, sn_shape shape,
                                         const sn_random_options *options);
// Standard normal, floats. Errors: as sn_random_uniform. No gradient.
SN_API sn_tensor *sn_random_normal_opts(sn_context *context, sn_dtype dtype, sn_shape shape,
                                        const sn_random_options *options);
// The same, of like's dtype, shape (symbolic dims stay so) and context, from the context's generator. floats. No gradient.
SN_API sn_tensor *sn_random_uniform_like(sn_tensor *like);
SN_API sn_tensor *sn_random_normal_like(sn_tensor *like);
// Standard normal ones between -2 and 2, floats (16-bit ones may round to 2). Errors: as sn_random_uniform. No gradient.
SN_API sn_tensor *sn_random_truncated_normal_opts(sn_context *context, sn_dtype dtype,
                                                  sn_shape shape, const sn_random_options *options);
// Of mean 1, floats: -log1p(-u). Errors: as sn_random_uniform. No gradient.
SN_API sn_tensor *sn_random_exponential_opts(sn_context *context, sn_dtype dtype, sn_shape shape,
                                             const sn_random_options *options);
// All bits of integers random. Errors: as sn_random_uniform. No gradient.
SN_API sn_tensor *sn_random_bits_opts(sn_context *context, sn_dtype dtype, sn_shape shape,
                                      const sn_random_options *options);
// integers low <= y < high, .endpoint: <= high; of u64 both as the bits of an u64. From the context's generator each is equally
// frequent (by rejection); with a key as the library of its algorithm has them, by a remainder. Errors: SN_ERR_ARGUMENT (no
// number in the range; one that dtype has not). No gradient. Source: NumPy Generator.integers.
SN_API sn_tensor *sn_random_integers_opts(sn_context *context, sn_dtype dtype, sn_shape shape,
                                          int64_t low, int64_t high,
                                          const sn_random_options *options);
// bool of p's shape, true with probability p; floats. Errors: SN_ERR_ARGUMENT (p outside [0, 1], where its elements are known at
// the call: in eager mode; in a trace what is below or NaN is never true, above always). No gradient. Source:
// jax.random.bernoulli.
SN_API sn_tensor *sn_random_bernoulli_opts(sn_tensor *p, const sn_random_options *options);
// i32 index along the last axis, i with probability softmax(logits)[i], for each row [..., k]: [...], or [..., samples]. floats.
// Errors: SN_ERR_SHAPE (rank 0; k = 0), SN_ERR_ARGUMENT (.samples < 0). No gradient. Source: jax.random.categorical (the argmax
// of logits + Gumbel noise).
SN_API sn_tensor *sn_random_categorical_opts(sn_tensor *logits, const sn_random_options *options);
// 0, 1, ..., n - 1 in random order, i32 [n]; n may be symbolic, but not with a key of SN_RANDOM_THREEFRY, which fixes it. Errors:
// SN_ERR_SHAPE (n < 0 or above 2^31 - 1), SN_ERR_ARGUMENT (options). integers. No gradient. Source: tf.random.shuffle, jax.random.permutation.
SN_API sn_tensor *sn_random_permutation_opts(sn_context *context, int64_t n,
                                             const sn_random_options *options);
// x with its rows along axis 0 in that order. any dtype. Errors: SN_ERR_SHAPE (rank 0), SN_ERR_ARGUMENT (options). VJP: dy, in x's order.
SN_API sn_tensor *sn_random_shuffle_opts(sn_tensor *x, const sn_random_options *options);
// From gamma distributions of scale 1, floats; the operand has their shape parameters, and the result its shape. Errors:
// SN_ERR_ARGUMENT at the next boundary (not finite and > 0). No gradient. Source: Marsaglia and Tsang 2000.
SN_API sn_tensor *sn_random_gamma_opts(sn_tensor *shape, const sn_random_options *options);
// Beta(a, b), of the shape to which a and b broadcast. floats. Errors: as sn_random_gamma. No gradient.
SN_API sn_tensor *sn_random_beta_opts(sn_tensor *a, sn_tensor *b, const sn_random_options *options);
// From Poisson distributions of these rates, floats; of their shape and dtype. Errors: SN_ERR_ARGUMENT at the next boundary (not finite and >= 0). No
// gradient. Source: Hoermann 1993 (PTRS).
SN_API sn_tensor *sn_random_poisson_opts(sn_tensor *rate, const sn_random_options *options);

SNI_EXTERN_C_END
#endif
