// Control flow: branches and loops whose bodies are C callbacks. In a trace a body is traced once and becomes part of
// the graph, whatever the number of iterations; in eager mode it is called as it is needed. The same bits either way, but for
// the order in which a gradient adds up the cotangents of a value that is used in several places in a branch and around it; loops
// add them up as their unrolled steps do.
//
// A body may use any tensor around it besides its own inputs, and read and assign variables; random numbers in it are
// drawn anew in each iteration. Carried values keep their dtype and shape. Bodies nest, and sn_gradients may be used in
// them and on what they give. A gradient in a body ends at what the body was given and what is around it: carries and rows
// are leaves, so it has no way through an earlier iteration; where y depends on xs[i] through what is computed outside of
// the body, it is SN_ERR_GRADIENT. Only a tape of the user's sees all that it has recorded (sn_tape_gradient).
#ifndef SINTER_CONTROL_H
#define SINTER_CONTROL_H

#include <sinter/function.h>

SNI_EXTERN_C_BEGIN

// What all of them have in common: out gets scope-owned tensors; after an error, which stays pending and is returned,
// the error tensor. user is given to the callbacks. Errors: those of the callbacks; SN_ERR_ARGUMENT (a callback or array
// NULL, a negative count), SN_ERR_CALLBACK (an output left unset), SN_ERR_SHAPE and SN_ERR_DTYPE (a carried value or a
// branch's output of another type: the message has both), SN_ERR_STATE (bodies nested more than 32 deep; op by op, callbacks
// in one another more than 200), SN_ERR_MEMORY.

// pred (bool[]) ? then_body : else_body, which get in[0 .. n_in) and set out[0 .. n_out) of equal dtypes and ranks; what differs in size has late sizes behind it (sn_late_dim), and in a trace a gradient once, of real numbers, where no body assigns: computed by the bodies again. In eager mode,
// or where pred does not depend on the function's inputs, one of them is called. In a trace both are traced, one is run;
// a variable that one of them assigns keeps its value where the other is taken. Errors: SN_ERR_DTYPE, SN_ERR_SHAPE
// (pred is not bool[]).
SN_API sn_status sn_cond_at(sn_context *context, sn_tensor *pred, sn_callback then_body,
                            sn_callback else_body, void *user, sn_tensor *const *in, int n_in,
                            sn_tensor **out, int n_out, const char *file, int line);
// The body of this number (an integer scalar), of n_bodies > 0; of a number that there is none for, the last one, as
// tf.switch_case has it.
SN_API sn_status sn_switch_case_at(sn_context *context, sn_tensor *number,
                                   const sn_callback *bodies, int n_bodies, void *user,
                                   sn_tensor *const *in, int n_in, sn_tensor **out, int n_out,
                                   const char *file, int line);

// While condition(carries) is true: carries = body(carries), beginning with init[0 .. n), n > 0. condition sets out[0]
// (bool[]) and assigns nothing. out: the last carries, n of them.
SN_API sn_status sn_while_loop_at(sn_context *context, sn_callback condition, sn_callback body,
                                  void *user, sn_tensor *const *init, int n, sn_tensor **out,
                                  int n_out, bool sizes_change, const char *file, int line);

// For i from first to end - 1: carries = body(i, carries); i is i64[]. out: the last carries, n of them. first and the number of
// iterations: within 2^53, else SN_ERR_ARGUMENT; there are none where end <= first.
SN_API sn_status sn_fori_loop_at(sn_context *context, int64_t first, int64_t end, sn_callback body,
                                 void *user, sn_tensor *const *init, int n, sn_tensor **out,
                                 int n_out, bool sizes_change, const char *file, int line);

typedef struct sn_scan_options {
  size_t size;     // sizeof(sn_scan_options); filled in by the macro
  int64_t length;  // iterations, where there are no xs; else 0, or the size of their axis 0
  bool reverse;    // from the last row to the first; ys lie as xs do
  // Gradients keep the carries of two times the square root of so many steps instead of those of all, and compute the
  // steps once more: in a trace, of a length that is known there. The same bits. xs and ys have an axis
  // less to spare.
  bool checkpoint;
  bool sizes_change;  // as of sn_while_loop_resizing; then .checkpoint keeps all
} sn_scan_options;
// (carries, ys[i]) = body(carries, xs[i]) for each row i along axis 0 of the xs, of equal size there. body: in: n_carries
// carries, then n_xs rows; out: the next carries, then n_out - n_carries rows of the ys. out: the last carries, then the
// ys, with an axis 0 as long as the xs'. Errors: SN_ERR_SHAPE (an x of rank 0; sizes of axis 0 that differ; ys of rank
// SN_MAX_RANK), SN_ERR_ARGUMENT (no length). Source: jax.lax.scan.
SN_API sn_status sn_scan_at(sn_context *context, sn_callback body, void *user,
                            sn_tensor *const *init, int n_carries, sn_tensor *const *xs, int n_xs,
                            sn_tensor **out, int n_out, const sn_scan_options *options,
                            const char *file, int line);
// ys[i] = body(xs[i]) for each row i along axis 0. Source: tf.map_fn.
SN_API sn_status sn_map_fn_at(sn_context *context, sn_callback body, void *user,
                              sn_tensor *const *xs, int n_xs, sn_tensor **out, int n_out,
                              const char *file, int line);

typedef struct sn_associative_scan_options {
  size_t size;   // sizeof(sn_associative_scan_options); filled in by the macro
  bool reverse;  // from the last row to the first
} sn_associative_scan_options;
// out[k][i] = xs[k][0] * .. * xs[k][i], rows along axis 0, of an operation * that is associative. combine: in: n tensors a, then n
// tensors b, rows of the xs or of what it has made of them, as many of each; sets n outputs, the rows a[i] * b[i]. It is called some
// 2 log2(rows) times, each time for many rows at once; the rows of a stand before those of b (reverse: behind them). out: of the
// types of the xs. In a trace the number of rows must be known. VJP: that of combine's ops. Errors also: SN_ERR_SHAPE (an x of rank 0; rows that differ in number; an output of combine of
// another shape), SN_ERR_DTYPE (of another dtype), SN_ERR_ARGUMENT (n < 1, n_out other than n). Source: jax.lax.associative_scan.
SN_API sn_status sn_associative_scan_at(sn_context *context, sn_callback combine, void *user,
                                        sn_tensor *const *xs, int n, sn_tensor **out, int n_out,
                                        const sn_associative_scan_options *options,
                                        const char *file, int line);

// SN_ARGS(x, y) and SN_ARRAY(array) stand for an array and its count.
#define sn_cond(...) sn_cond_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_switch_case(...) sn_switch_case_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_while_loop(...) sn_while_loop_at(__VA_ARGS__, false, __FILE__, __LINE__)
#define sn_fori_loop(...) sn_fori_loop_at(__VA_ARGS__, false, __FILE__, __LINE__)
// The same where the body may give carries of other sizes than it is given. In a trace those that it does so have late sizes (sn_late_dim) in it
// and behind the loop, are copied twice an iteration, and have no gradient there (SN_ERR_GRADIENT). dtypes and ranks stay.
#define sn_while_loop_resizing(...) sn_while_loop_at(__VA_ARGS__, true, __FILE__, __LINE__)
#define sn_fori_loop_resizing(...) sn_fori_loop_at(__VA_ARGS__, true, __FILE__, __LINE__)
#define sn_map_fn(...) sn_map_fn_at(__VA_ARGS__, __FILE__, __LINE__)

SNI_EXTERN_C_END

#ifdef __cplusplus
static inline sn_status sn_scan(sn_context *context, sn_callback body, void *user,
                                sn_tensor *const *init, int n_carries, sn_tensor *const *xs,
                                int n_xs, sn_tensor **out, int n_out,
                                sn_scan_options options = sn_scan_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_scan_at(context, body, user, init, n_carries, xs, n_xs, out, n_out, &options, file,
                    line);
}
static inline sn_status sn_associative_scan(
    sn_context *context, sn_callback combine, void *user, sn_tensor *const *xs, int n,
    sn_tensor **out, int n_out, sn_associative_scan_options options = sn_associative_scan_options(),
    SNI_CALLER) {
  options.size = sizeof(options);
  return sn_associative_scan_at(context, combine, user, xs, n, out, n_out, &options, file, line);
}
#else
#define sn_associative_scan(...) \
  SNI_ASSOCIATIVE_SCAN(__VA_ARGS__, .size = sizeof(sn_associative_scan_options))
#define SNI_ASSOCIATIVE_SCAN(context, combine, user, xs, n, out, n_out, ...) \
  sn_associative_scan_at(context, combine, user, xs, n, out, n_out,          \
                         &(sn_associative_scan_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_scan(...) SNI_SCAN(__VA_ARGS__, .size = sizeof(sn_scan_options))
#define SNI_SCAN(context, body, user, init, n_carries, xs, n_xs, out, n_out, ...) \
  sn_scan_at(context, body, user, init, n_carries, xs, n_xs, out, n_out,          \
             &(sn_scan_options){__VA_ARGS__}, __FILE__, __LINE__)
#endif

#endif
