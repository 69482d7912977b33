// What the host has to say while Sinter computes: ending calls before their time, hearing of their progress, functions of its
// own inside of graphs, and ops that it defines.
#ifndef SINTER_HOST_H
#define SINTER_HOST_H

#include <sinter/function.h>

SNI_EXTERN_C_BEGIN

// ---- ending calls
// What computes looks, between commands, once per iteration of each loop and every few milliseconds of a long command, whether it is
// to end: sn_call, sn_run, eager ops and loops alike. The call that ends returns SN_ERR_CANCELLED or SN_ERR_DEADLINE (eager ops:
// the pending error); no variable is changed and no output set, and the next call works. A call that is already writing variables in place is
// finished. Compiling looks between its passes.

// Ends the call that is at work in context or, if there is none, the next one; the call that reports it takes the wish
// back. Thread-safe and async-signal-safe: from any thread while the context lives. NULL is accepted.
SN_API void sn_cancel(sn_context *context);
// Takes back a wish that no call has reported yet. Thread-safe.
SN_API void sn_cancel_withdraw(sn_context *context);
// Calls in context that are at work in `seconds` from now, and those made later, end with SN_ERR_DEADLINE, until another deadline is
// set. 0 or less: at once; SN_NO_DEADLINE or more: never. Errors: SN_ERR_ARGUMENT (pending; NaN).
SN_API void sn_set_deadline(sn_context *context, double seconds);
#define SN_NO_DEADLINE 1e9

// A loop that runs: sn_while_loop and the others in any mode, and their gradients.
typedef struct sn_progress {
  const char *name;  // "sn_while_loop"
  const char *file;  // the line that made it; NULL: unknown
  int line;
  int64_t iteration;                // from 0
  int64_t length;                   // iterations; -1: not known
  const struct sn_progress *outer;  // the loop around; NULL: none
} sn_progress;
// progress: the innermost loop that runs; valid during the call. False: the call ends with SN_ERR_CANCELLED. Called on the thread that
// made the call. The context must not be used in it: SN_ERR_STATE.
typedef bool (*sn_progress_callback)(void *user, const sn_progress *progress);
// callback is called every `seconds` or so while a loop runs in context; NULL: no more. Errors: SN_ERR_ARGUMENT (pending;
// seconds negative or NaN).
SN_API void sn_set_progress(sn_context *context, sn_progress_callback callback, void *user,
                            double seconds);

// The same for the runs of one runner, which sn_cancel and sn_set_deadline of its context say nothing about.
// sn_runner_cancel: Thread-safe and async-signal-safe. NULL is accepted; NaN is SN_NO_DEADLINE.
SN_API void sn_runner_cancel(sn_runner *runner);
SN_API void sn_runner_set_deadline(sn_runner *runner, double seconds);

// ---- functions of the host's inside of graphs
// A parameter of an op, fixed where the op is called: part of the graph, not of the operands.
typedef struct sn_attr {
  const char *name;
  sn_dtype dtype;  // SN_I64: integer counts; SN_F64: real
  int64_t integer;
  double real;
} sn_attr;
static inline sn_attr sn_attr_i64(const char *name, int64_t value) {
  const sn_attr attr = {name, SN_I64, value, 0};
  return attr;
}
static inline sn_attr sn_attr_f64(const char *name, double value) {
  const sn_attr attr = {name, SN_F64, 0, value};
  return attr;
}

// What one call is given. in: borrowed, only to be read. out: to be filled, every element. All of them row-major; none overlaps
// another one. Valid during the call.
typedef struct sn_host_args {
  size_t size;
  const sn_view *in, *out;
  int n_in, n_out;
  void *user;
  char *message;  // words about a failure, for the message of the error; message_size bytes
  size_t message_size;
  const sn_attr *attrs;  // of an op: those of its definition, in that order, with the call's values
  int n_attrs;
  const bool *batched;  // of .vmap: whether in[i] has examples, along axis 0; else NULL
  void *strings;        // of sn_host_new_string and its like
  void *watch;          // of sn_host_interrupted
} sn_host_args;
// A non-zero return makes the call that it is part of fail with that status: the op's name, the words, the operands' types and the user's
// line are the message, and no variable is changed. Runs on the thread that made the call, in the float modes of kernels (round to nearest,
// denormals kept). The context whose call it is part of must not be used in it (SN_ERR_STATE, pending), nor variables of the
// call through a sibling (they are locked); other contexts may. Calls of siblings may run it on several threads at a time.
typedef sn_status (*sn_host_callback)(const sn_host_args *args);

// Strings are read and written by these. String i of a view of dtype SN_STRING: valid as long as the view.
SN_API sn_text sn_view_string(const sn_view *view, int64_t i);
// Strings first .. first + n - 1 of a view, which has them; faster than one by one.
SN_API void sn_view_strings(const sn_view *view, int64_t first, int64_t n, sn_text *out);
// Their lengths alone, faster yet.
SN_API void sn_view_lengths(const sn_view *view, int64_t first, int64_t n, size_t *out);
// Element i of an output of strings: a copy of text. Those that are never set are empty. Errors: SN_ERR_ARGUMENT (no such element),
// SN_ERR_MEMORY.
SN_API SN_MUST_USE sn_status sn_host_set_string(const sn_host_args *args, int output, int64_t i,
                                                sn_text text);
// The same over bytes of a string of the inputs, or of one that this call has made, without a copy.
SN_API SN_MUST_USE sn_status sn_host_share_string(const sn_host_args *args, int output, int64_t i,
                                                  sn_text text);
// Room for the bytes of a string of this length, all of which are to be written before the call ends. NULL: no such element, or no
// memory. (A length of 0 gives room of none.)
SN_API char *sn_host_new_string(const sn_host_args *args, int output, int64_t i, size_t length);
// The same of elements first .. first + n - 1 at once, which is faster: out[i] becomes the room of a string of lengths[i] bytes. False: no such elements, or
// no memory.
SN_API SN_MUST_USE bool sn_host_new_strings(const sn_host_args *args, int output, int64_t first,
                                            int64_t n, const size_t *lengths, char **out);
SN_API SN_MUST_USE sn_status sn_host_share_strings(const sn_host_args *args, int output,
                                                   int64_t first, int64_t n, const sn_text *texts);

// Whether the call is to end: SN_ERR_CANCELLED or SN_ERR_DEADLINE, once, which the callback then returns; else SN_OK. For callbacks
// that wait or compute for long.
SN_API SN_MUST_USE sn_status sn_host_interrupted(const sn_host_args *args);
// The same for composed functions that do something op by op without an op: the status is then pending, too.
SN_API SN_MUST_USE sn_status sn_interrupted(sn_context *context);

// What the outputs are, by the inputs' dtypes and shapes: called when the op is traced, and in eager mode before each call. A dim that is not
// known yet is a token, which may be put into out but not computed with (sn_symbolic_dim).
typedef struct sn_infer_args {
  size_t size;
  const sn_spec *in;
  int n_in;
  sn_spec *out;  // as many as the call has outputs
  int n_out;
  void *user;
  char *message;
  size_t message_size;
  const sn_attr *attrs;  // as in sn_host_args
  int n_attrs;
} sn_infer_args;
// A non-zero return refuses the operands, as an op does: SN_ERR_SHAPE, SN_ERR_DTYPE, ...
typedef sn_status (*sn_infer_callback)(const sn_infer_args *args);

typedef struct sn_host_options {
  size_t size;
  const char *name;         // what messages and dumps call it; copied; NULL: "sn_host_call"
  sn_infer_callback infer;  // NULL: each output is like in[0]
  void *user;               // given to callback, infer and vjp
  // It has no effect, and its outputs depend on its inputs' elements alone: calls that nobody reads are left out, equal ones merged.
  bool pure;
  // The gradient, as backward of sn_custom_gradient: traced, of ins, outs and the outs' cotangents; it may call pure functions of the host's.
  // NULL: none.
  sn_callback vjp;
  // What sn_vectorized_map and sn_jacobian make of a call: one call for all examples. Operands that have examples have them along
  // axis 0 (.batched says which), and so have all outputs; there may be no examples, or many of them in one axis where maps
  // nest. NULL: callback is called for one example after the other, in their order.
  sn_host_callback vmap;
  // Given to callback, infer and vmap with this call's values; copied.
  const sn_attr *attrs;
  int n_attrs;  // at most 16
  // What the outputs are, one for each, where the caller knows it: in the place of infer. Dims may be tokens (sn_symbolic_dim, sn_late_dim).
  const sn_spec *specs;
} sn_host_options;
// out[0 .. n_out) = callback(in[0 .. n_in)): at once in eager mode, in a trace a node of the graph. A call that is not pure is made exactly
// once in each execution of where it stands, in loops and branches too, whether or not its outputs are read, and after those that
// come before it; gradients use what it gave, and are SN_ERR_GRADIENT where they would have to call it again: of a loop or branch in another
// one, of a second derivative of sn_while_loop, and op by op of sn_checkpoint. user and what it points to must outlive the programs that hold the call. out gets scope-owned tensors; after an error, which stays
// pending and is returned, the error tensor. At most 30 inputs and 30 outputs. Not in the condition of sn_while_loop unless it is pure. Errors: those of
// infer and, in eager mode, of callback; SN_ERR_ARGUMENT (NULL, counts), SN_ERR_SHAPE and SN_ERR_DTYPE (infer gives what is no type),
// SN_ERR_MEMORY. In a compiled function callback's errors are the call's.
SN_API sn_status sn_host_call_at(sn_context *context, sn_host_callback callback,
                                 sn_tensor *const *in, int n_in, sn_tensor **out, int n_out,
                                 const sn_host_options *options, const char *file, int line);

// ---- ops defined by the host
// Immutable, Thread-safe; lives as long as the family of contexts that it is defined in.
typedef struct sn_op sn_op;
typedef struct sn_op_definition {
  size_t size;       // sizeof(sn_op_definition); filled in by the macro
  const char *name;  // letters, digits, _ and .; not that of an op of the library; copied
  int version;       // of a name that is defined already, another one
  int n_in, n_out;   // at most 30
  // One of the two: a function of the host's; or a callback of the library's ops, which is called where the op stands: so it is fused,
  // differentiated, batched and compiled as these are.
  sn_host_callback host;
  sn_callback compose;
  sn_infer_callback infer;  // of host; NULL: each output is like in[0]
  bool pure;                // of host
  sn_callback vjp;  // as in sn_host_options; NULL: host has no gradient, compose that of its ops
  void *user;       // given to all of them
  void (*destroy)(void *user);  // when the last of the family is gone; NULL: user is borrowed
  sn_host_callback vmap;        // of host, as in sn_host_options; compose is batched as its ops are
  const sn_attr *attrs;  // with the values that a call has which says nothing of them; copied
  int n_attrs;           // at most 16
} sn_op_definition;
// Boundary function. Defines an op for the context and its siblings. In graph text it is "host", with its name behind; a text that names it is
// parsed where the name is defined (its latest version). Errors, after which destroy is not called: SN_ERR_ARGUMENT, SN_ERR_MEMORY.
SN_API SN_MUST_USE sn_status sn_op_define_opts(sn_context *context,
                                               const sn_op_definition *definition, sn_op **out_op);
// The op of this name defined last; NULL: none.
SN_API sn_op *sn_op_defined(sn_context *context, const char *name);
// Calls op as sn_host_call does: n_in and n_out are the definition's. Errors: as sn_host_call; those of compose.
SN_API sn_status sn_op_call_at(sn_context *context, const sn_op *op, sn_tensor *const *in, int n_in,
                               sn_tensor **out, int n_out, const char *file, int line);
#define sn_op_call(...) sn_op_call_at(__VA_ARGS__, __FILE__, __LINE__)
// The same with values of some attributes, found by name. Calls of other values are other nodes of a graph, which
// dumps show as "name(steps=3, rate=0.5)". Errors also: SN_ERR_ARGUMENT (no attribute of that name and dtype, one named twice).
SN_API sn_status sn_op_call_with_at(sn_context *context, const sn_op *op, sn_tensor *const *in,
                                    int n_in, sn_tensor **out, int n_out, const sn_attr *attrs,
                                    int n_attrs, const char *file, int line);
#define sn_op_call_with(...) sn_op_call_with_at(__VA_ARGS__, __FILE__, __LINE__)
// In compose and vjp of an op: its attributes, as in sn_host_args. NULL: it has none, or no op is being called.
SN_API const sn_attr *sn_op_attrs(sn_context *context);

SNI_EXTERN_C_END

#ifdef __cplusplus
static inline sn_status sn_host_call(sn_context *context, sn_host_callback callback,
                                     sn_tensor *const *in, int n_in, sn_tensor **out, int n_out,
                                     sn_host_options options = sn_host_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_host_call_at(context, callback, in, n_in, out, n_out, &options, file, line);
}
static inline sn_status sn_op_define(sn_context *context, sn_op **out_op,
                                     sn_op_definition definition) {
  definition.size = sizeof(definition);
  return sn_op_define_opts(context, &definition, out_op);
}
#else
// sn_host_call(context, callback, SN_ARGS(x, y), &z, 1, .infer = shapes, .user = &data)
#define sn_host_call(...) SNI_HOST_CALL(__VA_ARGS__, .size = sizeof(sn_host_options))
#define SNI_HOST_CALL(context, callback, in, n_in, out, n_out, ...)                         \
  sn_host_call_at(context, callback, in, n_in, out, n_out, &(sn_host_options){__VA_ARGS__}, \
                  __FILE__, __LINE__)
// sn_op_define(context, &op, .name = "my_op", .n_in = 1, .n_out = 1, .host = f)
#define sn_op_define(context, out_op, ...)                                                       \
  sn_op_define_opts(context, &(sn_op_definition){__VA_ARGS__, .size = sizeof(sn_op_definition)}, \
                    out_op)
#endif

#endif
