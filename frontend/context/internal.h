// What the files of frontend/ share: the objects behind the public handles, and how an op reaches
// eager execution or a trace.
//
//   sn_xyz() in ops_*.c -> sni_emit / sni_emit_pointwise (emit.c)
//     -> tracing: a node in the trace's graph (trace.c)
//     -> else: eager.c runs it at once, and record.c notes it for open tapes
#ifndef SNI_FRONTEND_INTERNAL_H
#define SNI_FRONTEND_INTERNAL_H

#include "frontend/context/internal.h"
#include "graph/graph.h"
#include "passes/compile.h"
#include "runtime/blas.h"
#include "runtime/buffer.h"
#include "runtime/cpu.h"
#include "runtime/executable.h"
#include "runtime/thread_pool.h"

#include <sinter/sinter.h>

#include <pthread.h>

typedef struct sni_trace sni_trace;
typedef struct sni_record sni_record;
typedef struct sni_eager_cache sni_eager_cache;
typedef struct sni_call_site sni_call_site;

// What sibling contexts share. Reference-counted (contexts, functions, programs, tensors);
// Thread-safe.
typedef struct sni_family {
  _Atomic int32_t references;
  sni_allocator allocator;
  sni_buffer_pool *buffers;
  sni_thread_pool *threads;
  sni_cpu cpu;
  sni_compiler *compiler;  // plugin, BLAS, compiled-kernel cache (compile.h); made lazily inside
  sn_context_options options;  // strings copied
  // A sibling context or a runner exists or has existed: variables are locked. Set by whoever makes
  // one.
  bool shared;
  pthread_mutex_t lock;  // guards the list of contexts
  sn_context *contexts;  // not yet destroyed
  _Atomic int32_t n_contexts;
} sni_family;
// With one reference.
sn_status sni_family_create(const sn_context_options *options, sni_family **out_family);
sni_family *sni_family_keep(sni_family *family);
// To the host's log callback, if there is one.
void sni_log(const sni_family *family, sn_log_level level, const char *format, ...)
    SNI_PRINTF(3, 4);
void sni_family_release(sni_family *family);

typedef enum sni_tensor_kind {
  SNI_TENSOR_ERROR,
  SNI_TENSOR_EAGER,     // type is static; elements in buffer, row-major and contiguous
  SNI_TENSOR_VARIABLE,  // as EAGER, assignable
  SNI_TENSOR_TRACED,    // node of trace's graph
  SNI_TENSOR_ENDED,     // its scope has ended while a callback runs; no longer anything
} sni_tensor_kind;

struct sn_tensor {
  _Atomic int32_t references;
  sni_tensor_kind kind;
  uint32_t escapes;     // scopes still to be left before the scope's reference dies
  uint32_t live_index;  // its place in context->live while a scope owns it; else UINT32_MAX
  // Where it was made; a variable is shared by the family. Never dangling: each tensor holds a
  // reference to its context's memory (which may be `destroyed`), that one to the family.
  sn_context *context;
  sni_family *family;
  sni_type type;
  sni_buffer *buffer;  // EAGER, VARIABLE
  char *data;          // element 0, inside buffer
  sni_trace *trace;    // TRACED
  sni_node_id node;    // TRACED: node of the trace's graph
  uint64_t record_id;  // EAGER: which record `record_node` belongs to; 0: none
  sni_node_id record_node;
  bool is_static;  // sn_static
  int64_t static_value;
  bool trainable;        // VARIABLE
  bool is_random_state;  // VARIABLE: a context's; runs use that of the context they run in
  char *name;            // VARIABLE: owned; else NULL
  // VARIABLE: guards buffer and data against siblings (initialised for variables only).
  pthread_mutex_t lock;
  sni_location location;  // of the call that made it
};

enum { SNI_SCALAR_CACHE = 32 };

struct sn_context {
  sni_family *family;
  sni_diag diag;           // pending error; status SN_OK: none
  char message[1400];      // text of the latest error
  sn_tensor error_tensor;  // kind ERROR
  sn_tensor **live;        // scope-owned references, in order of creation
  uint32_t n_live, live_capacity;
  // Of the open scopes: n_live at their begin. sn_scope.mark is an index into marks.
  uint32_t *marks;
  uint32_t n_marks, marks_capacity;
  sn_tensor *latest;     // tensor made by the latest op, for sn_locate of errors and nodes
  bool error_noted;      // diag has become `message`
  bool error_unlocated;  // the latest error still waits for its caller's line
  const char *op_name;   // public function at work ("sn_add"), for messages; set by sni_begin
  // Tracing: first node that the latest public op made; sn_locate labels from there on.
  sni_node_id first_node;
  sni_trace *trace;    // innermost open trace; NULL: eager
  sni_record *record;  // while tapes are open, else NULL
  sni_eager_cache *eager;
  sn_tensor *random_state;  // variable i64[2] {key, counter}; made at first use
  // What this context keeps of the functions that it has called (call_site.c).
  sni_call_site *sites;
  uint64_t last_record_id;  // ids of records are never used again
  uint64_t seed;
  // The user's handle, and one per tensor: keeps the memory of this struct.
  _Atomic int32_t references;
  _Atomic bool destroyed;       // only the memory is left
  _Atomic uintptr_t thread;     // that used it last: tells siblings apart when the operands do not
  sn_context *next, *previous;  // in family->contexts
  sn_tensor *free_tensors;      // linked by .trace; each keeps its reference to this context
  sn_tensor *ended_tensors;     // the same, not used again before the callbacks that run have ended
  int callbacks;                // running, one within another
  uint32_t n_free_tensors;
  sn_tensor *scalars[SNI_SCALAR_CACHE];  // eager constants of composed ops, direct-mapped by value
};

void sni_context_enter(sn_context *context);  // notes the calling thread
// The sibling that the calling thread works with (one that is tracing first, then `preferred`);
// preferred, or NULL if that is destroyed.
sn_context *sni_context_of_thread(sni_family *family, sn_context *preferred);
void sni_context_release(sn_context *context);     // one reference to its memory
void sni_call_sites_destroy(sn_context *context);  // frees context->sites (call_site.c)

enum { SNI_TENSOR_NAME = 96 };  // room for one type in a message

// ---- errors
// Records an error in the context (the first one wins), returns its error tensor.
sn_tensor *sni_error(sn_context *context, sn_status status, const char *format, ...)
    SNI_PRINTF(3, 4);
// Takes over a failure that a lower layer described in context->diag or in other; returns the error
// tensor.
sn_tensor *sni_error_from(sn_context *context, sn_status status, const sni_diag *other);
// For boundary functions: returns and clears the pending error, keeping its text as the message.
sn_status sni_finish(sn_context *context);
// Starts the public op `name` on operands: finds the context, checks every operand
// (sni_operand_ok), and remembers the name and the first node for messages and sn_locate. NULL:
// *out_failed is what the op must return (the error tensor, or NULL when no operand has a context).
sn_context *sni_begin(const char *name, sn_tensor *const *operands, int n, sn_tensor **out_failed);
// The same for a public op that is given its context. False: context is NULL or destroyed.
bool sni_begin_in(sn_context *context, const char *name);
// "f32[B,3]" of a tensor of any kind, into buffer (SNI_TENSOR_NAME bytes); returns buffer.
const char *sni_describe(const sn_tensor *t, char *buffer);
const char *sni_describe_type(const sn_context *context, const sni_type *type, char *buffer);
// Turns a pending failure into the context's message if that has not happened yet.
void sni_note_error(sn_context *context);
// Puts " (file:line)" behind the text of the latest error if it waits for it.
void sni_locate_error(sn_context *context, const char *file, int line);

// ---- tensors
// A scope-owned tensor with uninitialised elements (one reference, the scope's). NULL and a pending
// error without memory.
sn_tensor *sni_tensor_new(sn_context *context, const sni_type *type);
// The same over an existing buffer (takes over one reference to it, also on failure).
sn_tensor *sni_tensor_from_buffer(sn_context *context, const sni_type *type, sni_buffer *buffer,
                                  char *data);
sn_tensor *sni_tensor_traced(sn_context *context, sni_trace *trace, sni_node_id node);
// A new struct, in no scope, with one reference. NULL without memory, and then an error is pending.
sn_tensor *sni_tensor_alloc(sn_context *context, sni_tensor_kind kind);
// Ends the innermost scope's ownership of the newest result, which dies (of an op that failed after
// all).
void sni_scope_drop_newest(sn_context *context);
void sni_tensor_drop(sn_tensor *t);          // one reference less, on the context's own thread
void sni_free_tensors(sn_context *context);  // empties context->free_tensors
// Around a callback: a result whose scope ends in it is told from newer ones.
void sni_callback_begins(sn_context *context);
void sni_callback_ends(sn_context *context);
// Table of the context's innermost trace, or NULL in eager mode.
sni_dim_table *sni_context_dims(const sn_context *context);
// Fixes a symbolic dim to its value at trace time; false when that is unknown.
bool sni_pin_dim(sn_context *context, sni_dim dim, int64_t *out_value);
// (context.c) Gives one reference of t to the innermost scope. Without memory: releases that
// reference, error pending, NULL.
sn_tensor *sni_scope_adopt(sn_context *context, sn_tensor *t);
// Checks an operand: not NULL, not the error tensor, same family, not of a foreign or finished
// trace. position: for messages. On failure false and an error pending in the context (which is
// found from the first usable operand).
bool sni_operand_ok(sn_context *context, const char *op_name, int position, const sn_tensor *t);
// The context of the first operand that has one (the error tensor has); NULL if none.
sn_context *sni_operands_context(sn_tensor *const *operands, int n);
// The elements now: {buffer (one more reference), data}; takes a variable's lock.
void sni_tensor_snapshot(sn_tensor *t, sni_buffer **out_buffer, char **out_data);

// (random.c) The context's generator, a variable; made at first use. The error tensor without
// memory.
sn_tensor *sni_random_state(sn_context *context);

// ---- emitting ops (emit.c). Operands as the user gave them; result scope-owned, or the error
// tensor.
sn_tensor *sni_emit(sn_context *context, sni_op op, sn_tensor *const *operands, int n_operands,
                    const sni_dim *attrs, int n_attrs, const sni_type *declared);
// A pointwise op: broadcasts the operands against each other first (BROADCAST nodes in a graph;
// free in eager mode).
sn_tensor *sni_emit_pointwise(sn_context *context, sni_op op, sn_tensor *const *operands,
                              int n_operands,
                              const sni_type *declared /* cast, bitcast: dtype; else NULL */);
// Every element value, truncated and saturated for integers. Not owned by a scope when it is a
// scalar made in eager mode: the context keeps those for reuse; treat it as an operand only.
sn_tensor *sni_emit_full(sn_context *context, const sni_type *type, double value);
// What sni_emit_pointwise checks: dtypes and broadcasting of the caller's operands. False: an error
// is pending.
bool sni_check_pointwise(sn_context *context, sni_op op, const sni_type *const *types, int n,
                         sni_type *out_shape);

// ---- eager execution (eager.c): one op, through cached single-op plans on the interpreter.
sn_status sni_eager_cache_create(sn_context *context, sni_eager_cache **out_cache);
void sni_eager_cache_destroy(sn_context *context, sni_eager_cache *cache);
void sni_eager_cache_trim(sn_context *context);  // empties context->eager
// The eager half of sni_emit: usable operands of eager mode.
sn_tensor *sni_eager_emit(sn_context *context, sni_op op, sn_tensor *const *operands,
                          int n_operands, const sni_dim *attrs, int n_attrs,
                          const sni_type *declared);
typedef struct sni_value {
  sni_type type;       // static
  sni_buffer *buffer;  // one reference each
  char *data;
} sni_value;
// variable = op(variable, value) by one kernel, in the variable's own buffer if nobody else holds
// it. The caller holds its lock.
sn_status sni_eager_update(sn_context *context, sni_op op, sn_tensor *variable,
                           const sni_value *value);
// Runs op on values (shapes of a pointwise op may need broadcasting), making *out (one reference).
// Describes failures in context->diag.
sn_status sni_eager_run(sn_context *context, sni_op op, const sni_value *const *operands,
                        int n_operands, const sni_dim *attrs, int n_attrs, const sni_type *declared,
                        sni_value *out);

// ---- traces (trace.c)
sni_graph *sni_trace_graph(sni_trace *trace);
// Node of any usable tensor in this trace: traced ones as they are, variables as their present
// value, eager ones captured.
sn_status sni_trace_node(sni_trace *trace, sn_tensor *t, sni_node_id *out_node);
// Makes node the variable's present value in this trace.
sn_status sni_trace_assign(sni_trace *trace, sn_tensor *variable, sni_node_id node);

// sn_context_destroy calls this first, before any tensor is released: ends open tapes and drops
// what functions keep for the context.
void sni_context_leave(sn_context *context);

// ---- the record of eager ops for tapes (record.c, tape.c). A record lives from the first tape's
// opening to the last one's closing.
bool sni_record_wants(const sni_record *record, sn_tensor *const *operands, int n);
// Notes op(operands) = result. Pointwise operands may need broadcasting. Failures become the
// context's error.
void sni_record_op(sn_context *context, sni_op op, sn_tensor *const *operands, int n_operands,
                   const sni_dim *attrs, int n_attrs, const sni_type *declared, sn_tensor *result);
// sn_gradients_opts in eager mode: the innermost open tape.
void sni_record_gradients(sn_context *context, sn_tensor *y, sn_tensor *const *xs, int n,
                          sn_tensor **out, const sn_gradients_options *options);
// Before an eager assignment while a record is open: keeps the old value, should the call of a
// function around it fail.
sn_status sni_record_before_assign(sn_context *context, sn_tensor *variable);
// Opens / closes the tape of sn_call_eager, which watches everything.
sn_status sni_record_open_all(sn_context *context, sn_tape **out_tape);

#endif
