// Vectorisation: a function of one example, applied to a batch of them as one graph of batched ops.
#ifndef SINTER_VECTORIZE_H
#define SINTER_VECTORIZE_H

#include <sinter/function.h>

SNI_EXTERN_C_BEGIN

#define SN_UNBATCHED INT32_MIN  // an axis of .in_axes: all examples get the tensor as it is

typedef struct sn_vectorized_map_options {
  size_t size;  // sizeof(sn_vectorized_map_options); filled in by the macro
  // Per x: the axis that counts the examples, negative from the last on, or SN_UNBATCHED; NULL: 0 each.
  const int *in_axes;
  int64_t length;  // number of examples, where no x has them
} sn_vectorized_map_options;
// out = body(one example of each x), for all examples at once; the outputs' examples lie along a new axis 0. body is
// called once, in a trace, whatever the number of examples: it gets xs without the axis that counts them, in their order,
// and sets out[0 .. n_out); it may use what is around it, branches, loops, sn_gradients (as in bodies of
// control.h: not through what is computed around) and sn_vectorized_map. What it computes of no example is computed once. The bits are those of one example after the other (sn_map_fn), where the body
// draws no random numbers.
//
// Random numbers of the context's generator are others in each example: one draw for the call gives each a seed (the words
// of sn_random_bits, i64), and the body draws as after sn_set_seed with it. Numbers under a key are as the key says: give
// each example its own (sn_random_split).
//
// A branch whose predicate is one per example computes all branches, and chooses; a loop goes on until the last example
// is done. Where a branch or loop like that holds ops that may find a fault (indices, factorisations), the examples are
// computed one after the other, so that none has the faults of a branch that it does not take; so they are for ops that have
// no batched form, and where a size depends on an example's elements (sn_boolean_mask, ...; of outputs it must not: SN_ERR_UNSUPPORTED). Gradients are those of the branch that an example takes, whatever the others would have.
//
// A function of the host's (host.h) is called once for all examples where it has a .vmap, else for one example after the other; if it has
// effects its calls are made in the order of the examples, and it must not be in a branch or loop that each example takes for itself
// (SN_ERR_STATE).
//
// A variable may be assigned what no example is part of: once for all. Works in eager mode, in traces and under tapes, and has
// gradients. out gets scope-owned tensors; after an error, which stays pending and is returned, the error tensor. Errors:
// those of the body; SN_ERR_SHAPE (numbers of examples that differ, an axis that is not there, a value of rank SN_MAX_RANK),
// SN_ERR_ARGUMENT (NULL, a negative count, no x has examples), SN_ERR_STATE (an example's value is assigned to a variable;
// bodies nested more than 32 deep), SN_ERR_CALLBACK (an output left unset), SN_ERR_MEMORY. Source: tf.vectorized_map,
// jax.vmap.
SN_API sn_status sn_vectorized_map_at(sn_context *context, sn_callback body, void *user,
                                      sn_tensor *const *xs, int n_xs, sn_tensor **out, int n_out,
                                      const sn_vectorized_map_options *options, const char *file,
                                      int line);

SNI_EXTERN_C_END

#ifdef __cplusplus
static inline sn_status sn_vectorized_map(
    sn_context *context, sn_callback body, void *user, sn_tensor *const *xs, int n_xs,
    sn_tensor **out, int n_out, sn_vectorized_map_options options = sn_vectorized_map_options(),
    SNI_CALLER) {
  options.size = sizeof(options);
  return sn_vectorized_map_at(context, body, user, xs, n_xs, out, n_out, &options, file, line);
}
#else
// sn_vectorized_map(context, body, user, SN_ARGS(x, w), SN_ARRAY(out), .in_axes = (int[]){0, SN_UNBATCHED})
#define sn_vectorized_map(...) \
  SNI_VECTORIZED_MAP(__VA_ARGS__, .size = sizeof(sn_vectorized_map_options))
#define SNI_VECTORIZED_MAP(context, body, user, xs, n_xs, out, n_out, ...) \
  sn_vectorized_map_at(context, body, user, xs, n_xs, out, n_out,          \
                       &(sn_vectorized_map_options){__VA_ARGS__}, __FILE__, __LINE__)
#endif

#endif
