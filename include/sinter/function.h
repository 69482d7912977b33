// Functions: C callbacks traced into graphs, compiled once per input signature, and run.
#ifndef SINTER_FUNCTION_H
#define SINTER_FUNCTION_H

#include <sinter/variable.h>

SNI_EXTERN_C_BEGIN

// Thread-compatible through its context; shared by sibling contexts, whose calls may overlap.
typedef struct sn_function sn_function;
// Immutable and Thread-safe: one compiled specialisation of a function. Reference-counted.
typedef struct sn_program sn_program;
// Thread-compatible: the scratch memory and the error of one thread that runs a program.
typedef struct sn_runner sn_runner;

// The user's code. in: borrowed inputs. out: to be filled with tensors of this context
// (scope-owned). A non-zero return makes the call fail with that status; the message is the
// callback's own (sn_fail) or a general one.
typedef sn_status (*sn_callback)(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user);

#define SN_UNKNOWN (-1)  // a dim that varies from call to call
// Where an op needs two unknown dims to be equal, or one of them to be 1, the traced code takes
// them for equal: sizes that differ are then an error of sn_run, and traced anew by sn_call.
// All sizes run one program, with the bits of eager mode but for a size of 1, in two places: a float
// sum or product (sn_sum, sn_mean, sn_var, sn_prod, ...) takes its elements in another order where all
// dims that it keeps behind its last axis are of size 1 and one of these is unknown; and the gradient
// of what is broadcast along the dim is a sum, so that -0.0 becomes +0.0 and cotangents may be added
// in another order. A dim that is always 1 is declared as 1.
// Sizes that depend on elements (sn_boolean_mask, sn_nonzero, sn_unique, ...) are such dims, too, and no call traces anew for them: one that turns
// out to be 1 where the op needs another size is an error of the call, which eager mode would broadcast.

// Dim `axis` of t (from -rank on) varies from call to call: a function without specs that is traced for t takes it for symbolic at once, and
// not only when a second size has come. Of a traced tensor or a variable it means nothing. Returns t. Errors: SN_ERR_SHAPE (no such axis).
SN_API sn_tensor *sn_mark_dim(sn_tensor *t, int axis);
#define sn_mark_dim(t, axis) SNI_AT(sn_mark_dim(t, axis))

// dtype and shape of an input; SN_UNKNOWN dims are symbolic.
typedef struct sn_spec {
  sn_dtype dtype;
  sn_shape shape;
} sn_spec;

typedef struct sn_function_options {
  size_t size;                     // sizeof(sn_function_options); filled in by the macro
  const char *name;                // copied; NULL: "function"
  void *user;                      // given to the callback
  int inputs, outputs;             // fixed numbers of inputs and outputs
  const sn_spec *specs;            // NULL or one per input: the only signature accepted; copied
  const char *const *input_names;  // NULL or one per input; copied
  int cache_capacity;  // specialisations kept; 0: 64. The least recently used one goes first
  bool static_shapes;  // every new shape is a new trace: no dim becomes symbolic by itself
  // A call that would trace again fails with the reason (after the first); explicit compilation does not.
  bool forbid_recompile;
  sn_backend backend;  // SN_BACKEND_AUTO: the context's
  // A call whose outputs, or variables' new values, hold NaN or infinities is SN_ERR_NONFINITE and changes no variable. The message names
  // the first op they depend on whose result holds one while no operand does (else the first that makes NaN of none): its operands' ranges, the
  // user's line, whether it is a gradient's, in which iteration; or the input or variable that held one. Results have the same
  // bits (of outputs whose sizes a run finds out the elements are not looked at); as long as they are finite that costs a look at them, and new memory for variables that are updated.
  bool debug_nonfinite;
} sn_function_options;

// Creates a function; owned: sn_function_destroy. NULL after an error, which is then pending in the
// context: SN_ERR_ARGUMENT (callback NULL, options out of range), SN_ERR_MEMORY.
SN_API sn_function *sn_function_create_opts(sn_context *context, sn_callback callback,
                                            const sn_function_options *options);
// The same, naming the caller's line in the message of an error.
SN_API sn_function *sn_function_create_at(sn_context *context, sn_callback callback,
                                          const sn_function_options *options, const char *file,
                                          int line);
// Frees the function and its specialisations; programs still held by others live on. NULL is
// accepted.
SN_API void sn_function_destroy(sn_function *function);

// Boundary function. Traces on the first call with a new signature (dtypes, ranks, dims, static
// values), compiles and runs; later calls reuse. Results are scope-owned. A dim that differs from
// an earlier trace's becomes symbolic. Inside a trace the callback is inlined; while a tape records
// it runs op by op, so that gradients flow through, with a tape of its own for the callback's
// sn_gradients. On error no output is set, no variable is changed. Errors: any pending error;
// SN_ERR_ARGUMENT (counts; NULL or foreign inputs), SN_ERR_SHAPE and SN_ERR_DTYPE (the function's
// specs), SN_ERR_STATE (forbid_recompile; a function that calls itself without end: in a trace more than 100 calls in one another, op by op
// more than 64), SN_ERR_CALLBACK (an output
// left unset), SN_ERR_INDEX, SN_ERR_UNSUPPORTED (SN_BACKEND_LLVM without its plugin),
// SN_ERR_MEMORY, and the callback's own.
SN_API SN_MUST_USE sn_status sn_call(sn_function *function, sn_tensor *const *inputs, int n_inputs,
                                     sn_tensor **outputs, int n_outputs);
// The same, op by op, with a tape open, so that sn_gradients works in it.
SN_API SN_MUST_USE sn_status sn_call_eager(sn_function *function, sn_tensor *const *inputs,
                                           int n_inputs, sn_tensor **outputs, int n_outputs);
// As sn_call and sn_call_eager, in the given sibling context: results and errors belong to it.
// sn_call and sn_call_eager themselves work in the context that made the function.
SN_API SN_MUST_USE sn_status sn_call_in(sn_context *context, sn_function *function,
                                        sn_tensor *const *inputs, int n_inputs, sn_tensor **outputs,
                                        int n_outputs);
SN_API SN_MUST_USE sn_status sn_call_eager_in(sn_context *context, sn_function *function,
                                              sn_tensor *const *inputs, int n_inputs,
                                              sn_tensor **outputs, int n_outputs);

// Runs callback (no inputs, no outputs) in eager mode, in the middle of a trace too: what a function makes of its own once, such as its
// variables, where its first inputs say what they are:
//
//   if (!m->w) sn_init(context, make_weights, m);  // m->w = sn_variable(...), sn_keep: m owns it
//
// Neither the trace nor a tape sees what it does. Returns the status of the callback, which stays pending. Errors: SN_ERR_STATE (in a trace of
// a function that has been traced before), SN_ERR_ARGUMENT (NULL), the callback's own.
SN_API sn_status sn_init_at(sn_context *context, sn_callback callback, void *user, const char *file,
                            int line);
#define sn_init(...) sn_init_at(__VA_ARGS__, __FILE__, __LINE__)

// The same, naming the caller's line in the message of an error that has no line yet.
SN_API SN_MUST_USE sn_status sn_call_at(sn_function *function, sn_tensor *const *inputs,
                                        int n_inputs, sn_tensor **outputs, int n_outputs,
                                        const char *file, int line);
SN_API SN_MUST_USE sn_status sn_call_eager_at(sn_function *function, sn_tensor *const *inputs,
                                              int n_inputs, sn_tensor **outputs, int n_outputs,
                                              const char *file, int line);
SN_API SN_MUST_USE sn_status sn_call_in_at(sn_context *context, sn_function *function,
                                           sn_tensor *const *inputs, int n_inputs,
                                           sn_tensor **outputs, int n_outputs, const char *file,
                                           int line);
SN_API SN_MUST_USE sn_status sn_call_eager_in_at(sn_context *context, sn_function *function,
                                                 sn_tensor *const *inputs, int n_inputs,
                                                 sn_tensor **outputs, int n_outputs,
                                                 const char *file, int line);
#define sn_call(...) sn_call_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_call_eager(...) sn_call_eager_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_call_in(...) sn_call_in_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_call_eager_in(...) sn_call_eager_in_at(__VA_ARGS__, __FILE__, __LINE__)

// Two arguments of a call, inputs and their number: SN_ARGS(x, y) of tensors one by one,
// SN_ARRAY(tensors) of an array as a whole (a variable, not a pointer). So are outputs:
// sn_call(f, SN_ARRAY(in), SN_ARRAY(out)).
#ifdef __cplusplus
#define SN_ARGS(...) \
  sni_make_args(__VA_ARGS__).items, (int)decltype(sni_make_args(__VA_ARGS__))::count
#define SN_ARRAY(array) sni_items(array), (int)sni_count(array)
#else
#define SN_ARGS(...)                   \
  ((sn_tensor *const[]){__VA_ARGS__}), \
      ((int)(sizeof((sn_tensor *const[]){__VA_ARGS__}) / sizeof(sn_tensor *)))
#define SN_ARRAY(array) (array), ((int)(sizeof(array) / sizeof(*(array)) + SNI_POINTER(array)))
// 0, or no program: the number of elements behind a pointer is not known.
#define SNI_POINTER(array) \
  (0 *                     \
   sizeof(char[__builtin_types_compatible_p(__typeof__(array), __typeof__(&*(array))) ? -1 : 1]))
#endif

// A static input: a value fixed at trace time and part of the signature, so that another value is another trace: an integer, a
// double (by its bits), a bool, a text (by its characters; kept as long as the context's family). Usable as a tensor too (i64[], f64[],
// bool[], u8[length + 1] with the 0 behind; scope-owned). Errors: SN_ERR_MEMORY, SN_ERR_ARGUMENT (NULL).
SN_API sn_tensor *sn_static(sn_context *context, int64_t value);
SN_API sn_tensor *sn_static_f64(sn_context *context, double value);
SN_API sn_tensor *sn_static_bool(sn_context *context, bool value);
SN_API sn_tensor *sn_static_text(sn_context *context, const char *text);
// The value of a static input. SN_ERR_ARGUMENT (pending) and 0 if t is not a static integer.
SN_API int64_t sn_static_value(sn_tensor *t);
// The same, naming the caller's line in the message of an error. Of the other kinds: 0, false and "" if t is none of them.
SN_API int64_t sn_static_value_at(sn_tensor *t, const char *file, int line);
SN_API double sn_static_value_f64_at(sn_tensor *t, const char *file, int line);
SN_API bool sn_static_value_bool_at(sn_tensor *t, const char *file, int line);
SN_API const char *sn_static_value_text_at(sn_tensor *t, const char *file, int line);
#define sn_static(context, value) SN_AT(sn_static(context, value))
#define sn_static_f64(context, value) SN_AT(sn_static_f64(context, value))
#define sn_static_bool(context, value) SN_AT(sn_static_bool(context, value))
#define sn_static_text(context, text) SN_AT(sn_static_text(context, text))
#define sn_static_value(t) sn_static_value_at(t, __FILE__, __LINE__)
#define sn_static_value_f64(t) sn_static_value_f64_at(t, __FILE__, __LINE__)
#define sn_static_value_bool(t) sn_static_value_bool_at(t, __FILE__, __LINE__)
#define sn_static_value_text(t) sn_static_value_text_at(t, __FILE__, __LINE__)

// ---- concrete programs
// Traces and compiles for the given specs. *out_program is owned: sn_program_release. Asking twice
// for the same specs gives the same object. specs: one per input; NULL: the function's own. Errors:
// those of tracing and compiling (sn_call); SN_ERR_STATE in a trace.
SN_API SN_MUST_USE sn_status sn_function_compile(sn_function *function, const sn_spec *specs,
                                                 int n_specs, sn_program **out_program);
// The same, naming the caller's line in the message of an error.
SN_API SN_MUST_USE sn_status sn_function_compile_at(sn_function *function, const sn_spec *specs,
                                                    int n_specs, sn_program **out_program,
                                                    const char *file, int line);
#define sn_function_compile(...) sn_function_compile_at(__VA_ARGS__, __FILE__, __LINE__)
// As sn_function_compile, in the given sibling context: its callback runs there, and errors belong to
// it.
SN_API SN_MUST_USE sn_status sn_function_compile_in(sn_context *context, sn_function *function,
                                                    const sn_spec *specs, int n_specs,
                                                    sn_program **out_program);
// The same, naming the caller's line in the message of an error.
SN_API SN_MUST_USE sn_status sn_function_compile_in_at(sn_context *context, sn_function *function,
                                                       const sn_spec *specs, int n_specs,
                                                       sn_program **out_program, const char *file,
                                                       int line);
#define sn_function_compile_in(...) sn_function_compile_in_at(__VA_ARGS__, __FILE__, __LINE__)
// One more reference; returns program. One less; the last one frees it. NULL is accepted.
SN_API sn_program *sn_program_keep(sn_program *program);
SN_API void sn_program_release(sn_program *program);
// Numbers of inputs and outputs; 0 for NULL.
SN_API int sn_program_inputs(const sn_program *program);
SN_API int sn_program_outputs(const sn_program *program);
// Compiles a graph given as text, as SN_STAGE_TRACE prints it. Variables of the text are new ones
// and start at zero; tensors that it captured are zeros. *out_program is owned: sn_program_release.
// Errors: SN_ERR_SYNTAX with line:column, SN_ERR_UNSUPPORTED (an input dim that is neither a number
// nor a symbol; a symbol that no input has).
SN_API SN_MUST_USE sn_status sn_program_from_text(sn_context *context, const char *text,
                                                  size_t length, sn_program **out_program);
// The same, naming the caller's line in the message of an error; so the other _at below.
SN_API SN_MUST_USE sn_status sn_program_from_text_at(sn_context *context, const char *text,
                                                     size_t length, sn_program **out_program,
                                                     const char *file, int line);
#define sn_program_from_text(...) sn_program_from_text_at(__VA_ARGS__, __FILE__, __LINE__)
// dtype and shape of input i; dims that vary are SN_UNKNOWN. Errors: SN_ERR_ARGUMENT (no such
// input).
SN_API SN_MUST_USE sn_status sn_program_input_spec(sn_context *context, const sn_program *program,
                                                   int i, sn_spec *out_spec);
SN_API SN_MUST_USE sn_status sn_program_input_spec_at(sn_context *context,
                                                      const sn_program *program, int i,
                                                      sn_spec *out_spec, const char *file,
                                                      int line);
#define sn_program_input_spec(...) sn_program_input_spec_at(__VA_ARGS__, __FILE__, __LINE__)
// dtype and shape of output i when the inputs have these dtypes and shapes; a dim that a run finds out is SN_UNKNOWN. Errors: SN_ERR_ARGUMENT
// (no such output, wrong number of inputs), SN_ERR_DTYPE, SN_ERR_SHAPE (the inputs do not fit the
// program); of a program from text also SN_ERR_INDEX (a slice outside an axis of these sizes).
SN_API SN_MUST_USE sn_status sn_program_output_spec(sn_context *context, const sn_program *program,
                                                    const sn_spec *inputs, int n_inputs, int i,
                                                    sn_spec *out_spec);
SN_API SN_MUST_USE sn_status sn_program_output_spec_at(sn_context *context,
                                                       const sn_program *program,
                                                       const sn_spec *inputs, int n_inputs, int i,
                                                       sn_spec *out_spec, const char *file,
                                                       int line);
#define sn_program_output_spec(...) sn_program_output_spec_at(__VA_ARGS__, __FILE__, __LINE__)
// What sn_program_dump shows of a program.
typedef enum sn_stage {
  SN_STAGE_TRACE,  // as the user's calls made it
  SN_STAGE_GRAPH,  // after the graph passes
  SN_STAGE_FUSED,  // the inputs' dims that symbols are; fusion groups in order of execution; of each
                   // value whether it was joined, recomputed, kept or stored, why, and what that
                   // costs (bytes, ns on one core)
  SN_STAGE_KERNEL,  // kernel IR and the command list
  SN_STAGE_LLVM,    // LLVM IR
  SN_STAGE_ASM,     // machine code as assembly
  SN_STAGE_DOT,     // the optimised graph for Graphviz
} sn_stage;
// *out_text is owned: free it with sn_text_free. Errors: SN_ERR_UNSUPPORTED for SN_STAGE_LLVM and
// SN_STAGE_ASM without LLVM, SN_ERR_COMPILE, SN_ERR_ARGUMENT, SN_ERR_MEMORY.
SN_API SN_MUST_USE sn_status sn_program_dump(sn_context *context, sn_program *program,
                                             sn_stage stage, char **out_text);
SN_API SN_MUST_USE sn_status sn_program_dump_at(sn_context *context, sn_program *program,
                                                sn_stage stage, char **out_text, const char *file,
                                                int line);
#define sn_program_dump(...) sn_program_dump_at(__VA_ARGS__, __FILE__, __LINE__)
SN_API void sn_text_free(sn_context *context, char *text);
// Number of nodes of the graph as traced, or of those with this op name ("add"); NULL counts all.
SN_API int sn_program_count_ops(const sn_program *program, const char *op);

// Memory of the caller, row-major, aligned to dtype. bool: each byte is 0 or 1. SN_STRING, in sn_run: data is an array of sn_text, whose bytes are read in the
// run; those of outputs are the runner's, until its next run.
typedef struct sn_view {
  void *data;
  sn_dtype dtype;
  sn_shape shape;
} sn_view;

// A runner for one thread; owned: sn_runner_destroy; it keeps the program. threads: 0: the
// context's (sn_context_set_threads); 1: the calling thread alone. Errors: SN_ERR_ARGUMENT (NULL; a foreign program; threads
// < 0), SN_ERR_MEMORY.
SN_API SN_MUST_USE sn_status sn_runner_create(sn_context *context, sn_program *program, int threads,
                                              sn_runner **out_runner);
// The same, naming the caller's line in the message of an error.
SN_API SN_MUST_USE sn_status sn_runner_create_at(sn_context *context, sn_program *program,
                                                 int threads, sn_runner **out_runner,
                                                 const char *file, int line);
#define sn_runner_create(context, program, threads, out_runner) \
  sn_runner_create_at(context, program, threads, out_runner, __FILE__, __LINE__)
// NULL is accepted.
SN_API void sn_runner_destroy(sn_runner *runner);
// Runs in the caller's memory: in[i] holds input i, out[i] receives output i; the shapes of out
// must be right: of an output whose size the run finds out, those of this run (else SN_ERR_SHAPE, whose message has them). With one thread, shapes as in the call before and no strings it does not allocate, lock or
// log. in and out must not overlap. Errors, in the runner alone: SN_ERR_DTYPE, SN_ERR_SHAPE,
// SN_ERR_ARGUMENT (NULL, unaligned or overlapping data), SN_ERR_INDEX, SN_ERR_MEMORY; no variable
// is changed then.
SN_API SN_MUST_USE sn_status sn_run(sn_runner *runner, const sn_view *in, const sn_view *out);
// Text of the runner's latest error ("" if there was none); borrowed, valid until its next one.
SN_API const char *sn_runner_error(const sn_runner *runner);

// ---- statistics
typedef struct sn_function_statistics {
  size_t size;  // in: sizeof
  uint64_t traces, compiles, hits, evictions;
  uint64_t specialisations;     // held now
  double trace_ms, compile_ms;  // totals
  uint64_t commands;            // of the program used last
  uint64_t native_commands;     // LLVM kernels
  uint64_t blas_commands;
  uint64_t
      interpreted_commands;    // all others are calls of the library's own (sorts, factorisations)
  uint64_t temporary_buffers;  // planned for intermediates
  uint64_t arena_bytes;        // after reuse; for the symbol values of the last call
  uint64_t code_bytes;         // of native code; kernels that commands share count once
} sn_function_statistics;
// Fills as much of *out_stats as its size says. Thread-safe.
SN_API void sn_function_stats(const sn_function *function, sn_function_statistics *out_stats);
// Why trace number i (from 0) happened: "first call", "input 0 "x": dim 0 was 32, is 7", ... NULL
// past the end (256 are kept). Borrowed: lives as long as the function.
SN_API const char *sn_function_trace_reason(const sn_function *function, int i);

typedef enum sn_retrace_cause {
  SN_RETRACE_FIRST,    // there was nothing to compare with
  SN_RETRACE_REQUEST,  // sn_function_compile has asked for it
  SN_RETRACE_KIND,  // a tensor, static value or variable in the place of another kind; absent, or no longer
  SN_RETRACE_STATIC,    // another static value; old_value, new_value: of integers and bools
  SN_RETRACE_VARIABLE,  // another variable
  SN_RETRACE_DTYPE,     // old_value, new_value: sn_dtype
  SN_RETRACE_RANK,      // old_value, new_value
  SN_RETRACE_DIM,  // old_value, new_value: sizes; op, file, line: what used the dim as a number, where that is why
  SN_RETRACE_CONDITION,  // an earlier trace asks something of sizes that does not hold: `was` says what; op, file, line: whose call asks
  SN_RETRACE_EVICTED,    // its program was dropped: cache_capacity
} sn_retrace_cause;
// One difference that made a trace necessary.
typedef struct sn_retrace {
  size_t size;  // in: sizeof(sn_retrace)
  sn_retrace_cause cause;
  int input;               // -1: none
  const char *input_name;  // "" where inputs have none; lives as long as the function
  int dim;                 // -1: none
  int64_t old_value, new_value;
  char was[160], is[112];  // in words: "f32[3]", "static 2", "absent"
  const char *op, *file;   // NULL: not known
  int line;
  double trace_ms, compile_ms;  // of the whole trace
} sn_retrace;
// Fills as much of *out as its size says with difference i of trace number `trace`, both from 0. False: there is none. Thread-safe.
SN_API bool sn_function_retrace(const sn_function *function, int trace, int i, sn_retrace *out);

SNI_EXTERN_C_END

#ifdef __cplusplus
template <typename... Tensors>
struct sni_args {
  enum { count = sizeof...(Tensors) };
  sn_tensor *items[sizeof...(Tensors) ? sizeof...(Tensors) : 1];
};
template <typename... Tensors>
static inline sni_args<Tensors...> sni_make_args(Tensors... tensors) {
  return {{tensors...}};
}
// A C array, or a container such as std::vector.
template <size_t n>
static inline sn_tensor **sni_items(sn_tensor *(&array)[n]) {
  return array;
}
template <size_t n>
static inline sn_tensor *const *sni_items(sn_tensor *const (&array)[n]) {
  return array;
}
template <typename T>
static inline auto sni_items(T &container) -> decltype(container.data()) {
  return container.data();
}
template <typename T, size_t n>
static inline size_t sni_count(T (&)[n]) {
  return n;
}
template <typename T>
static inline auto sni_count(T &container) -> decltype(container.size()) {
  return container.size();
}
static inline sn_function *sn_function_create(sn_context *context, sn_callback callback,
                                              sn_function_options options, SNI_CALLER) {
  options.size = sizeof(options);
  return sn_function_create_at(context, callback, &options, file, line);
}
#else
// sn_function_create(context, callback, .inputs = 2, .outputs = 1, .user = &model)
#define sn_function_create(...) \
  SNI_FUNCTION_CREATE(__VA_ARGS__, .size = sizeof(sn_function_options))
#define SNI_FUNCTION_CREATE(context, callback, ...) \
  sn_function_create_at(context, callback, &(sn_function_options){__VA_ARGS__}, __FILE__, __LINE__)
#endif
#endif
