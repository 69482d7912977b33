// Gradients: a graph transformation, in a trace, under a tape, or inside sn_call_eager. A variable
// is a leaf: reading it after an assignment gives no way back to what was assigned, in no mode. The
// result of the assignment is the value itself and has one.
#ifndef SINTER_GRADIENT_H
#define SINTER_GRADIENT_H

#include <sinter/function.h>

SNI_EXTERN_C_BEGIN

typedef enum sn_unconnected {
  SN_UNCONNECTED_ERROR,  // an error that says where the path breaks
  SN_NONE,               // NULL
  SN_ZEROS,              // zeros of the input's shape
} sn_unconnected;

typedef struct sn_gradients_options {
  size_t size;
  sn_unconnected unconnected;
  sn_tensor *seed;  // cotangent of y, of y's shape; NULL: ones (the gradient of the sum of y)
  sn_tensor *const *seeds;  // of several ys one for each, NULL: ones
} sn_gradients_options;

// out[i] = d sum(y) / d xs[i], of xs[i]'s shape and dtype; scope-owned. On error every out[i] is
// the error tensor. Works in a trace, in sn_call_eager, and with an open tape of y's context (the
// innermost one). With respect to a variable means: the sum over all reads of it that y depends on,
// before and after assignments. y: a float of any shape, or complex with a seed: out[i] is then the
// VJP of the seed. With respect to complex xs: ops/complex.h. Errors: SN_ERR_GRADIENT (unconnected; y is no float; the seed's
// dtype or shape is not y's), SN_ERR_STATE (no trace or tape), SN_ERR_ARGUMENT (NULL).
SN_API void sn_gradients_opts(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                              const sn_gradients_options *options);

// The same, naming the caller's line in the message of an error.
SN_API void sn_gradients_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                            const sn_gradients_options *options, const char *file, int line);

// out[i] = d sum(ys) / d xs[i] of several ys, n_ys > 0, in one sweep: the gradient of a list is that of the sum of its elements.
// One of the ys may be computed from another. Errors: as sn_gradients.
SN_API void sn_gradients_of_at(sn_tensor *const *ys, int n_ys, sn_tensor *const *xs, int n,
                               sn_tensor **out, const sn_gradients_options *options,
                               const char *file, int line);

// Thread-compatible through its context. Records eager ops on trainable variables and watched
// tensors.
typedef struct sn_tape sn_tape;
typedef struct sn_tape_options {
  size_t size;
  bool persistent;    // sn_tape_gradient may be called more than once
  bool no_variables;  // do not watch trainable variables by themselves
} sn_tape_options;
// Opens a tape; owned: sn_tape_end, also when its context has ended before (and the tape with it).
// Tapes nest: every open tape records, gradients included. Not inside a trace. With respect to a variable means: the
// sum over all its reads that the tape recorded. NULL after an error, which is then pending:
// SN_ERR_STATE (in a trace; more than 64 tapes), SN_ERR_MEMORY.
SN_API sn_tape *sn_tape_begin_opts(sn_context *context, const sn_tape_options *options);
// The same, naming the caller's line in the message of an error.
SN_API sn_tape *sn_tape_begin_at(sn_context *context, const sn_tape_options *options,
                                 const char *file, int line);
// Frees the tape and what it alone recorded; its gradients live on. NULL is accepted. A tape that has
// ended lately is told from an open one: ending it again does nothing, any other use is SN_ERR_STATE.
SN_API void sn_tape_end(sn_tape *tape);
// Records ops on t, a tensor of the tape's context or a variable, from here on.
SN_API void sn_tape_watch(sn_tape *tape, sn_tensor *t);
// The same, naming the caller's line in the message of an error.
SN_API void sn_tape_watch_at(sn_tape *tape, sn_tensor *t, const char *file, int line);
#define sn_tape_watch(tape, t) sn_tape_watch_at(tape, t, __FILE__, __LINE__)
// Ops in between are not recorded: no gradient flows through them. NULL is accepted.
SN_API void sn_tape_stop_recording(sn_tape *tape);
SN_API void sn_tape_resume_recording(sn_tape *tape);
// The same, naming the caller's line in the message of an error.
SN_API void sn_tape_stop_recording_at(sn_tape *tape, const char *file, int line);
SN_API void sn_tape_resume_recording_at(sn_tape *tape, const char *file, int line);
#define sn_tape_stop_recording(tape) sn_tape_stop_recording_at(tape, __FILE__, __LINE__)
#define sn_tape_resume_recording(tape) sn_tape_resume_recording_at(tape, __FILE__, __LINE__)
// As sn_gradients, of the recorded ops. A second use of a tape that is not persistent is
// SN_ERR_STATE, and so is use in a trace. An xs[i] that is not watched counts as unconnected.
SN_API void sn_tape_gradient_opts(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                  sn_tensor **out, const sn_gradients_options *options);

// The same, naming the caller's line in the message of an error.
SN_API void sn_tape_gradient_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                sn_tensor **out, const sn_gradients_options *options,
                                const char *file, int line);

// The same of several ys, as sn_gradients_of.
SN_API void sn_tape_gradient_of_at(sn_tape *tape, sn_tensor *const *ys, int n_ys,
                                   sn_tensor *const *xs, int n, sn_tensor **out,
                                   const sn_gradients_options *options, const char *file, int line);

// Forward mode: how y changes where each xs[i] changes by tangents[i] (of its dtype and shape): the sum over i of
// dy/dxs[i] tangents[i], of y's dtype and shape; scope-owned, or the error tensor. Works in a trace and in sn_call_eager, and may be
// differentiated again. An xs[i] that y does not depend on adds nothing; where y depends on none of them the result is zeros.
// Computed as the gradient of the gradient with respect to its seed, of which a compiled function leaves the forward pass
// alone. Errors: SN_ERR_GRADIENT (y or xs[i] is no float; a tangent's dtype or shape is not xs[i]'s), SN_ERR_STATE,
// SN_ERR_ARGUMENT (NULL, n < 1). Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
SN_API sn_tensor *sn_jvp(sn_tensor *y, sn_tensor *const *xs, sn_tensor *const *tangents, int n);
// sn_jvp(y, xs, SN_ARGS(t, u)), sn_jvp(y, xs, tangents, 2)
#define sn_jvp(...) SNI_AT(sn_jvp(__VA_ARGS__))
// out[i] = (H v)[i], with H the matrix of second derivatives of y (a float scalar, else of its sum) with respect to the
// xs together and v = vs (of their dtypes and shapes): one gradient of a gradient, H is never made. scope-owned, or the error
// tensor. Works where sn_gradients may be used twice: in a trace and in sn_call_eager. Zeros where a second derivative is not
// connected. Errors: as sn_jvp.
SN_API void sn_hvp_at(sn_tensor *y, sn_tensor *const *xs, sn_tensor *const *vs, int n,
                      sn_tensor **out, const char *file, int line);
#define sn_hvp(...) sn_hvp_at(__VA_ARGS__, __FILE__, __LINE__)

typedef enum sn_jacobian_mode {
  SN_JACOBIAN_AUTO,     // forward where the xs have fewer elements than y, else reverse
  SN_JACOBIAN_FORWARD,  // as many tangents as the xs have elements
  SN_JACOBIAN_REVERSE,  // as many cotangents as y has elements
} sn_jacobian_mode;
typedef struct sn_jacobian_options {
  size_t size;
  sn_jacobian_mode mode;
  sn_unconnected unconnected;
} sn_jacobian_options;
// out[i] = dy / d xs[i], of y's dims and then those of xs[i], of xs[i]'s dtype; scope-owned, or the error tensor. One pass, with
// all cotangents or tangents as a batch of it (vectorize.h), not a pass each. Works where sn_gradients does, and may be
// differentiated again. Errors: as sn_gradients; SN_ERR_GRADIENT (y or xs[i] is complex: take its parts; forward: what has no
// second derivative), SN_ERR_SHAPE (more than SN_MAX_RANK dims together), SN_ERR_ARGUMENT (mode). Source:
// tf.GradientTape.jacobian, jax.jacrev, jax.jacfwd.
SN_API void sn_jacobian_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                           const sn_jacobian_options *options, const char *file, int line);
// The same for y and xs that have rows along axis 0, of equal number, where row i of y depends on row i of the xs alone (that
// is not looked at): that dim is there once, out[i] is [rows, dims of a row of y, dims of one of xs[i]]. Errors: as
// sn_jacobian; SN_ERR_SHAPE (the numbers of rows differ). Source: tf.GradientTape.batch_jacobian.
SN_API void sn_batch_jacobian_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                                 const sn_jacobian_options *options, const char *file, int line);
// out[i n + k]: the second derivatives of y (a float scalar) with respect to xs[i] and xs[k], of xs[i]'s dims and then those of
// xs[k]; n n of them, scope-owned, or the error tensor. Zeros where they are not connected. The Jacobian of the gradient, a batch
// per x. Works where sn_gradients may be used twice: in a trace and in sn_call_eager. Errors: as sn_jvp, sn_jacobian;
// SN_ERR_SHAPE (y is no scalar). Source: jax.hessian.
SN_API void sn_hessian_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                          const char *file, int line);
#define sn_hessian(y, xs, n, out) sn_hessian_at(y, xs, n, out, __FILE__, __LINE__)
// sn_jacobian and sn_batch_jacobian of the ops that the tape has recorded; otherwise as sn_tape_gradient.
SN_API void sn_tape_jacobian_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                sn_tensor **out, const sn_jacobian_options *options,
                                const char *file, int line);
SN_API void sn_tape_batch_jacobian_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                      sn_tensor **out, const sn_jacobian_options *options,
                                      const char *file, int line);

// out[0 .. n_out) = forward(in[0 .. n_in)), with the gradient that backward says in the place of that of forward's ops. backward is
// given in, out and the cotangents of out, one behind the other, and sets those of in, n_in of them, of in's dtypes and shapes;
// NULL: zeros. What either uses besides is constant to the gradient. backward's ops have gradients of their own, so second
// derivatives work; it assigns no variable. Works in a trace, in sn_call_eager and under tapes; user is given to both. out gets
// scope-owned tensors; after an error, which stays pending and is returned, the error tensor. Errors: those of the callbacks;
// SN_ERR_ARGUMENT (NULL, negative counts), SN_ERR_SHAPE and SN_ERR_DTYPE (a cotangent of another type than its input),
// SN_ERR_STATE (backward assigns).
SN_API sn_status sn_custom_gradient_at(sn_context *context, sn_callback forward,
                                       sn_callback backward, void *user, sn_tensor *const *in,
                                       int n_in, sn_tensor **out, int n_out, const char *file,
                                       int line);
#define sn_custom_gradient(...) sn_custom_gradient_at(__VA_ARGS__, __FILE__, __LINE__)

typedef struct sn_gradient_check_options {
  size_t size;
  void *user;         // given to the callback
  bool second_order;  // the gradients of the gradients too
  bool eager;         // op by op; else in compiled functions
  double step;        // of an element, times max(1, its size); 0: 6e-6 of f64, 5e-3 of f32
  double rtol,
      atol;  // allowed: rtol of the difference quotient + atol times max(1, the value); 0: 1e-6, 1e-8; of f32 1e-2, 5e-3
} sn_gradient_check_options;
// The element whose error is the largest part of what is allowed.
typedef struct sn_gradient_error {
  size_t size;    // in: sizeof(sn_gradient_error)
  int input;      // -1: none was compared
  int order;      // 1, or 2: of the second derivatives
  int64_t index;  // row-major, in the input
  double gradient, difference, error;
} sn_gradient_error;
// Whether the gradients of callback, of n_outputs > 0 outputs, are those of its values: compares the gradient of a weighted sum of all elements
// of its float outputs with central differences, element by element of each f64 and f32 input; other dtypes and static inputs stay as they are,
// variables count by their present value. The callback has no effects, and draws no random numbers. *out_worst (may be NULL) is filled as far as its size
// says. Errors: SN_ERR_GRADIENT (they differ: the message has input, element and both values; no input or output is a float),
// SN_ERR_DTYPE (an f16, bf16 or complex input), SN_ERR_ARGUMENT, SN_ERR_STATE (in a trace), those of the callback.
SN_API SN_MUST_USE sn_status sn_check_gradients_at(sn_context *context, sn_callback callback,
                                                   sn_tensor *const *inputs, int n_inputs,
                                                   int n_outputs,
                                                   const sn_gradient_check_options *options,
                                                   sn_gradient_error *out_worst, const char *file,
                                                   int line);

// out[0 .. n_out) = forward(in[0 .. n_in)), of which a gradient keeps nothing but what forward reads: the rest is computed once
// more on the way back, random numbers and variables as they were then. The same bits as without, but for the order in which
// cotangents add up of a value that is used inside and outside. Nests; works in a trace, in sn_call_eager and under tapes, where
// forward is traced once more (so it opens none itself). It may read and assign variables, and use any tensor around it. user is given to forward. out gets scope-owned
// tensors; after an error, which stays pending and is returned, the error tensor. Errors: those of forward; SN_ERR_ARGUMENT (NULL,
// negative counts), SN_ERR_CALLBACK (an output left unset). Source: jax.checkpoint, tf.recompute_grad.
SN_API sn_status sn_checkpoint_at(sn_context *context, sn_callback forward, void *user,
                                  sn_tensor *const *in, int n_in, sn_tensor **out, int n_out,
                                  const char *file, int line);
#define sn_checkpoint(...) sn_checkpoint_at(__VA_ARGS__, __FILE__, __LINE__)

// y = x, of any dtype; no gradient flows through.
SN_API sn_tensor *sn_stop_gradient(sn_tensor *x);
#define sn_stop_gradient(x) SNI_AT(sn_stop_gradient(x))

SNI_EXTERN_C_END

#ifdef __cplusplus
static inline void sn_gradients(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                                sn_gradients_options options = sn_gradients_options(), SNI_CALLER) {
  options.size = sizeof(options);
  sn_gradients_at(y, xs, n, out, &options, file, line);
}
static inline sn_status sn_check_gradients(
    sn_context *context, sn_callback callback, sn_tensor *const *inputs, int n_inputs,
    int n_outputs, sn_gradient_error *out_worst,
    sn_gradient_check_options options = sn_gradient_check_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_check_gradients_at(context, callback, inputs, n_inputs, n_outputs, &options, out_worst,
                               file, line);
}
static inline void sn_gradients_of(sn_tensor *const *ys, int n_ys, sn_tensor *const *xs, int n,
                                   sn_tensor **out,
                                   sn_gradients_options options = sn_gradients_options(),
                                   SNI_CALLER) {
  options.size = sizeof(options);
  sn_gradients_of_at(ys, n_ys, xs, n, out, &options, file, line);
}
static inline void sn_tape_gradient_of(sn_tape *tape, sn_tensor *const *ys, int n_ys,
                                       sn_tensor *const *xs, int n, sn_tensor **out,
                                       sn_gradients_options options = sn_gradients_options(),
                                       SNI_CALLER) {
  options.size = sizeof(options);
  sn_tape_gradient_of_at(tape, ys, n_ys, xs, n, out, &options, file, line);
}
static inline void sn_tape_gradient(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                    sn_tensor **out,
                                    sn_gradients_options options = sn_gradients_options(),
                                    SNI_CALLER) {
  options.size = sizeof(options);
  sn_tape_gradient_at(tape, y, xs, n, out, &options, file, line);
}
static inline sn_tape *sn_tape_begin(sn_context *context,
                                     sn_tape_options options = sn_tape_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_tape_begin_at(context, &options, file, line);
}
static inline void sn_jacobian(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                               sn_jacobian_options options = sn_jacobian_options(), SNI_CALLER) {
  options.size = sizeof(options);
  sn_jacobian_at(y, xs, n, out, &options, file, line);
}
static inline void sn_batch_jacobian(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                                     sn_jacobian_options options = sn_jacobian_options(),
                                     SNI_CALLER) {
  options.size = sizeof(options);
  sn_batch_jacobian_at(y, xs, n, out, &options, file, line);
}
static inline void sn_tape_jacobian(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                    sn_tensor **out,
                                    sn_jacobian_options options = sn_jacobian_options(),
                                    SNI_CALLER) {
  options.size = sizeof(options);
  sn_tape_jacobian_at(tape, y, xs, n, out, &options, file, line);
}
static inline void sn_tape_batch_jacobian(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                                          sn_tensor **out,
                                          sn_jacobian_options options = sn_jacobian_options(),
                                          SNI_CALLER) {
  options.size = sizeof(options);
  sn_tape_batch_jacobian_at(tape, y, xs, n, out, &options, file, line);
}
#else
// sn_gradients(loss, params, 4, grads, .unconnected = SN_ZEROS)
#define sn_gradients(...) SNI_GRADIENTS(__VA_ARGS__, .size = sizeof(sn_gradients_options))
#define SNI_GRADIENTS(y, xs, n, out, ...) \
  sn_gradients_at(y, xs, n, out, &(sn_gradients_options){__VA_ARGS__}, __FILE__, __LINE__)
// sn_check_gradients(context, callback, SN_ARGS(x, w), 1, NULL, .second_order = true)
#define sn_check_gradients(...) \
  SNI_CHECK_GRADIENTS(__VA_ARGS__, .size = sizeof(sn_gradient_check_options))
#define SNI_CHECK_GRADIENTS(context, callback, inputs, n_inputs, n_outputs, out_worst, ...) \
  sn_check_gradients_at(context, callback, inputs, n_inputs, n_outputs,                     \
                        &(sn_gradient_check_options){__VA_ARGS__}, out_worst, __FILE__, __LINE__)
// sn_gradients_of(SN_ARGS(loss, penalty), params, 4, grads, .seeds = seeds)
#define sn_gradients_of(...) SNI_GRADIENTS_OF(__VA_ARGS__, .size = sizeof(sn_gradients_options))
#define SNI_GRADIENTS_OF(ys, n_ys, xs, n, out, ...) \
  sn_gradients_of_at(ys, n_ys, xs, n, out, &(sn_gradients_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_tape_gradient_of(...) \
  SNI_TAPE_GRADIENT_OF(__VA_ARGS__, .size = sizeof(sn_gradients_options))
#define SNI_TAPE_GRADIENT_OF(tape, ys, n_ys, xs, n, out, ...)                              \
  sn_tape_gradient_of_at(tape, ys, n_ys, xs, n, out, &(sn_gradients_options){__VA_ARGS__}, \
                         __FILE__, __LINE__)
#define sn_tape_gradient(...) SNI_TAPE_GRADIENT(__VA_ARGS__, .size = sizeof(sn_gradients_options))
#define SNI_TAPE_GRADIENT(tape, y, xs, n, out, ...) \
  sn_tape_gradient_at(tape, y, xs, n, out, &(sn_gradients_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_tape_begin(...) SNI_TAPE_BEGIN(__VA_ARGS__, .size = sizeof(sn_tape_options))
#define SNI_TAPE_BEGIN(context, ...) \
  sn_tape_begin_at(context, &(sn_tape_options){__VA_ARGS__}, __FILE__, __LINE__)
// sn_jacobian(y, SN_ARGS(x, w), out, .mode = SN_JACOBIAN_REVERSE)
#define sn_jacobian(...) SNI_JACOBIAN(__VA_ARGS__, .size = sizeof(sn_jacobian_options))
#define SNI_JACOBIAN(y, xs, n, out, ...) \
  sn_jacobian_at(y, xs, n, out, &(sn_jacobian_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_batch_jacobian(...) SNI_BATCH_JACOBIAN(__VA_ARGS__, .size = sizeof(sn_jacobian_options))
#define SNI_BATCH_JACOBIAN(y, xs, n, out, ...) \
  sn_batch_jacobian_at(y, xs, n, out, &(sn_jacobian_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_tape_jacobian(...) SNI_TAPE_JACOBIAN(__VA_ARGS__, .size = sizeof(sn_jacobian_options))
#define SNI_TAPE_JACOBIAN(tape, y, xs, n, out, ...) \
  sn_tape_jacobian_at(tape, y, xs, n, out, &(sn_jacobian_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_tape_batch_jacobian(...) \
  SNI_TAPE_BATCH_JACOBIAN(__VA_ARGS__, .size = sizeof(sn_jacobian_options))
#define SNI_TAPE_BATCH_JACOBIAN(tape, y, xs, n, out, ...)                                       \
  sn_tape_batch_jacobian_at(tape, y, xs, n, out, &(sn_jacobian_options){__VA_ARGS__}, __FILE__, \
                            __LINE__)
#endif
#endif
