// Programs: one specialisation of a function each, and what running one takes.
#ifndef SNI_FRONTEND_PROGRAM_H
#define SNI_FRONTEND_PROGRAM_H

#include "frontend/context/internal.h"
#include "frontend/function/trace.h"
#include "passes/compile.h"

typedef enum sni_input_kind {
  SNI_INPUT_TENSOR,    // by dtype and shape
  SNI_INPUT_STATIC,    // by value
  SNI_INPUT_VARIABLE,  // by identity: what the trace assigns is this variable
} sni_input_kind;

// One input of a signature.
typedef struct sni_input_key {
  sni_input_kind kind;
  sni_type type;                // dims: constants or, in a program, symbols of its graph's table
  int32_t symbol[SN_MAX_RANK];  // number of each dim's symbol; -1: constant
  int64_t value;                // STATIC: sn_tensor.static_value
  const sn_tensor *variable;    // VARIABLE; the program holds a reference
} sni_input_key;

struct sn_program {
  _Atomic int32_t references;
  sni_family *family;
  sni_arena arena;  // of all below, graph included
  const char *name;
  int n_inputs, n_outputs;
  sni_input_key *keys;
  const char **input_names;   // "" or the user's
  const char **output_names;  // NULL, or a name each
  const char *signature;      // in words
  bool from_specs;            // made by sn_function_compile
  bool debug_nonfinite;       // its results are looked at
  bool from_text;             // its sizes must be checked when they are known
  sni_graph *graph;           // as traced
  sni_type *outputs;
  bool static_outputs;  // no output type has symbols
  bool *late;           // per output: its size is known in a run alone
  bool has_late_outputs;
  bool has_strings;          // somewhere in its graph
  size_t *output_bytes;      // of static outputs
  uint32_t n_symbols;        // late ones too
  uint32_t n_input_symbols;  // of a trace: these come first
  uint32_t n_guards;
  sni_dim_guard *guards;
  uint32_t n_variables;
  sn_tensor **variables;  // one reference each
  bool *assigned;
  size_t *variable_bytes;
  uint32_t n_captures;
  sn_tensor **captures;  // one reference each
  sni_compiled *compiled;
  void **constants;  // addresses of captures and literals
  // of the function's cache
  _Atomic bool evicted;
  _Atomic uint64_t used;
  _Atomic uint64_t arena_bytes;
};

// A program with uninitialised keys and no graph yet. With one reference.
sn_status sni_program_create(sni_family *family, const char *name, int n_inputs, int n_outputs,
                             sni_diag *diag, sn_program **out_program);
// Takes over what the trace has captured, and compiles. The trace's graph has its results.
sn_status sni_program_finish(sn_program *program, const sni_trace *trace, sn_backend backend,
                             sni_diag *diag);
// (signature_text.c) Sets program->signature.
sn_status sni_program_sign(sn_program *program, sni_diag *diag);
bool sni_program_guards_hold(const sn_program *program, const int64_t *symbols);
// Whether the inputs (usable eager tensors and variables) have the dtypes, shapes and values of
// this signature. Fills symbols.
bool sni_program_fits(const sn_program *program, sn_tensor *const *inputs, int64_t *symbols);
// The same, and the guards hold.
bool sni_program_matches(const sn_program *program, sn_tensor *const *inputs, int64_t *symbols);

// Whether dims, as many as the key's, are those of the input; fills in its symbols, which are -1 as
// long as no input has set them: in a text several inputs may share one.
bool sni_program_bind_dims(const sni_input_key *key, const int64_t *dims, int64_t *symbols);

// What one thread needs to run a program: resolved addresses and the run state. Thread-compatible.
typedef struct sni_run {
  sn_program *program;  // one reference
  sni_run_state *state;
  sni_diag diag;  // of the state
  sni_arena arena;
  sn_tensor **bound;     // the program's variables, with the context's own random state
  uint32_t *lock_order;  // bound by address
  int64_t *symbols;      // of the call at hand
  void **inputs, **outputs, **variables, **new_variables;
  sn_tensor **results;  // sn_call: the tensors behind outputs; NULL: not made yet
  sn_context *context;  // of these
  int n_results;        // that there are
  sni_buffer **fresh;   // per variable: where its new value goes when that is not its own buffer
  sni_watch *watch;     // who may end the runs
  bool keep_spares;     // a replaced buffer stays here for the next run
  struct sni_string_heap *made;  // strings of the run at hand; NULL: none
} sni_run;
// context: whose random state the program draws from. watch: outlives the run.
sn_status sni_run_create(sn_context *context, sn_program *program, int threads, sni_watch *watch,
                         sni_run **out_run);
void sni_run_destroy(sni_run *run);
// Locks the variables (when siblings exist) and finds where old and new values are. Errors:
// SN_ERR_MEMORY, nothing is locked then.
sn_status sni_run_open_variables(sni_run *run);
// Unlocks. commit: the new values become the variables'; cannot fail.
void sni_run_close_variables(sni_run *run, bool commit);
// Binds the symbols and runs; inputs, outputs and variables are in place. Failures are described in
// run->diag.
sn_status sni_run_execute(sni_run *run);

// ---- strings.c
bool sni_graph_has_strings(const sni_graph *graph);
// Of a program that has some, behind a run that has succeeded: what the results and new variables point into is theirs.
// Errors: SN_ERR_MEMORY, in run->diag; then the run has failed.
sn_status sni_run_settle_strings(sni_run *run, sn_tensor *const *inputs);

// What the elements of a run's outputs may come from, but for its inputs': at most so many sets, appended to sources.
size_t sni_run_most_sources(const sni_run *run);
void sni_run_add_sources(const sni_run *run, struct sni_strings **sources, size_t *n);
// The set that elements point into becomes *held.
sn_status sni_run_settle(sni_run *run, struct sni_strings **held, uint64_t *elements,
                         size_t n_elements, struct sni_strings *const *sources, size_t n);
sn_status sni_run_settle_variables(sni_run *run, struct sni_strings *const *sources, size_t n);

// ---- runner_strings.c: elements of strings in the place of the caller's sn_text
typedef struct sni_runner_strings sni_runner_strings;
// Errors: SN_ERR_MEMORY.
sn_status sni_runner_strings_create(sn_program *program, sni_diag *diag, sni_runner_strings **out);
void sni_runner_strings_destroy(sni_runner_strings *s);  // NULL is accepted
// Copies of the texts that in holds become inputs of the run. Errors, in run->diag: SN_ERR_MEMORY, SN_ERR_ARGUMENT (a text without data).
sn_status sni_runner_strings_take(sni_runner_strings *s, sni_run *run, const sn_view *in);
// Memory for the elements of an output that is as large as the view; NULL without memory.
void *sni_runner_strings_place(sni_runner_strings *s, int output, const sn_view *view);
// Behind a run that has succeeded: the texts of its outputs, which live until the next run, and new variables.
sn_status sni_runner_strings_give(sni_runner_strings *s, sni_run *run, const sn_view *out);

// ---- views of sn_run (overlap.c)
size_t sni_view_bytes(const sn_view *view);
typedef struct sni_overlap {
  const sn_view *out, *in;
  uint32_t n_out, n_in;
  uint32_t *order;  // a permutation of [0, n_out + n_in): outputs, then inputs
} sni_overlap;
// Two views that share memory, one of them an output: the numbers *out_a < *out_b. Sorts order.
bool sni_find_overlap(const sni_overlap *views, uint32_t *out_a, uint32_t *out_b);

#endif
