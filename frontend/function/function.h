// Functions: a callback, its specialisations, and what each context keeps to call them without a
// lock.
//
//   function.c         creation, explicit compilation, statistics
//   call.c             the call path
//   call_site.c        what a context keeps of a function: the run of a call, without a lock
//   signature.c        keys of inputs, groups of signatures that differ in dims alone
//   specialise.c       a new trace: callback -> graph -> program
//   symbolic_policy.c  which dims of a new trace are symbolic
//   retrace_reason.c   why there was a new trace, in words
//   run_callback.c     the user's code, and what becomes of its errors
#ifndef SNI_FRONTEND_FUNCTION_H
#define SNI_FRONTEND_FUNCTION_H

#include "frontend/program/program.h"

enum {
  sni_default_capacity = 64,
  sni_most_groups = 256,      // signature classes whose history is kept per function
  sni_most_reasons = 256,     // kept
  sni_most_differences = 32,  // of one trace
  sni_memo_size = 64,         // of a call site; a power of two
  sni_most_inlined = 100,     // functions inlined into one another
};

// What made a trace use a dim as a number; op NULL: not known.
typedef struct sni_pin {
  const char *op, *file;
  int line;
} sni_pin;

// Why there was one trace.
typedef struct sni_trace_reason {
  char *text;
  sn_retrace *items;
  int n;
} sni_trace_reason;

// What has been seen of signatures that differ in dims only. Guarded by the function's trace_lock.
typedef struct sni_shape_group {
  sni_input_key *keys;  // n_inputs: of the first trace, but for last
  sni_type *last;       // n_inputs: types of the latest trace
  uint8_t *varied;      // n_inputs: bit per dim that has had two values
  uint8_t *pinned;      // n_inputs: bit per dim that a trace has used as a number
  sni_pin *pins;        // n_inputs * SN_MAX_RANK: by what
  bool traced;          // some trace succeeded; else the rest means nothing
  uint64_t used;
} sni_shape_group;

// What one context keeps of one function: found without a lock, used by the context's thread alone.
struct sni_call_site {
  sn_context *_Atomic context;  // NULL: free for another one
  sn_function *function;
  sni_call_site *next_of_function;
  sni_call_site *next_of_context;  // guarded by the family's lock
  uint64_t generation;             // of the function, when runs were looked through last
  sni_run *last;
  sni_run *memo[sni_memo_size];  // by hash of the inputs' types and values; checked before use
  sni_run **runs;
  uint32_t n_runs, runs_capacity;
  _Atomic uint64_t hits;
};

struct sn_function {
  sni_family *family;
  sn_context *context;
  sn_callback callback;
  void *user;
  char *name;
  int n_inputs, n_outputs;
  sn_spec *specs;                // NULL or n_inputs
  char **input_names;            // NULL or n_inputs
  char **output_names;           // NULL or n_outputs
  struct sni_struct_code *code;  // of a function of structs; else NULL
  uint32_t capacity;
  bool static_shapes, forbid_recompile, debug_nonfinite;
  sn_backend backend;

  // Held while tracing; error-checking: a callback that calls back is told so.
  pthread_mutex_t trace_lock;
  sni_shape_group *groups;
  uint32_t n_groups, groups_capacity;

  pthread_mutex_t lock;  // guards what follows, for moments
  sn_program **programs;
  uint32_t n_programs, programs_capacity;
  sni_trace_reason *reasons;
  uint32_t n_reasons, reasons_capacity;
  uint64_t traces, compiles, evictions;
  double trace_ms, compile_ms;

  _Atomic int32_t users;         // calls at work that may run the callback
  _Atomic bool doomed;           // destroyed by its own callback: the last user does it
  _Atomic uint64_t generation;   // counts evictions
  _Atomic uint64_t clock;        // for the least recently used
  sni_call_site *_Atomic sites;  // grows only
};

// ---- call_site.c
// The site of this context, made if there is none. NULL: no memory, described in diag.
sni_call_site *sni_call_site_of(sn_function *function, sn_context *context, sni_diag *diag);
void sni_call_sites_release(sn_function *function);  // all sites of a function
// The run for these inputs among those that the site has; NULL: none.
sni_run *sni_call_site_find(sni_call_site *site, sn_tensor *const *inputs);
// Remembers run (its owner from now on, also on failure).
sn_status sni_call_site_add(sni_call_site *site, sn_tensor *const *inputs, sni_run *run,
                            sni_diag *diag);

// ---- signature.c
void sni_key_of(const sn_tensor *t, sni_input_key *out_key);
// Whether it is a spec at all. Errors: SN_ERR_ARGUMENT, naming spec i of `of`.
sn_status sni_validate_spec(const sn_spec *spec, int i, const char *of, sni_diag *diag);
// The type of input i (unknown dims: -1) against the function's specs, which it has. Errors:
// SN_ERR_SHAPE, SN_ERR_DTYPE with both types.
sn_status sni_check_spec(const sn_function *function, int i, const sni_type *type, sni_diag *diag);
// The group of these signatures. *out_fresh: none of them has been traced yet.
sn_status sni_group_of(sn_function *function, const sni_input_key *keys, sni_diag *diag,
                       sni_shape_group **out_group, bool *out_fresh);
size_t sni_group_bytes(int n);  // of a group's arrays for n inputs
// `input 0 "x"`
void sni_describe_input(const sn_function *function, int i, char *buffer, size_t capacity);
// "f32[?,28,28]" of a key's type, with "?" for unknown (negative) dims.
void sni_describe_key_type(const sni_type *type, char *buffer, size_t capacity);

// ---- retrace_reason.c
// What makes a new trace necessary, the most important first.
typedef struct sni_retrace_list {
  sn_retrace items[sni_most_differences + 1];
  int n;
} sni_retrace_list;
// blocking: a program of the right pattern whose guards do not hold, with the symbol values; or NULL.
void sni_find_retrace(const sn_function *function, const sni_shape_group *group, bool fresh,
                      const sni_input_key *keys, const sn_program *blocking, const int64_t *symbols,
                      sni_retrace_list *out);
// sn_function_compile has asked for it.
void sni_retrace_by_request(sni_retrace_list *out);
// All of it in words.
void sni_describe_retrace(const sn_function *function, const sni_retrace_list *list, char *buffer,
                          size_t capacity);
sn_status sni_keep_reason(sni_allocator *allocator, const sni_retrace_list *list, const char *text,
                          sni_diag *diag, sni_trace_reason *out);
void sni_drop_reason(sni_allocator *allocator, sni_trace_reason *reason);

// ---- function.c
// Around whatever may run the callback, which may destroy the function.
void sni_function_begin_use(sn_function *function);
void sni_function_end_use(sn_function *function);

// ---- specialise.c
// The program for these inputs: from the function's cache, or traced and compiled now. With one
// reference.
// asked: explicitly, so that forbid_recompile does not stop it.
sn_status sni_specialise(sn_function *function, sn_context *context, sn_tensor *const *inputs,
                         bool asked, sn_program **out_program);
sn_status sni_specialise_specs(sn_function *function, sn_context *context, const sn_spec *specs,
                               sn_program **out_program);

// ---- frontend/composite/function.c
typedef struct sni_struct_code sni_struct_code;
void sni_struct_code_destroy(sni_struct_code *code);

// ---- run_callback.c
// Runs the callback: out gets n_outputs usable tensors. Failures are pending in the context.
sn_status sni_run_callback(sn_function *function, sn_context *context, sn_tensor *const *inputs,
                           sn_tensor **out);

#endif
