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
#include "runtime/watch.h"

#include <sinter/sinter.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>

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
  pthread_mutex_t lock;  // guards the list of contexts, and that of texts
  struct sni_kept_text *texts;
  sn_context *contexts;  // not yet destroyed
  sn_op *ops;            // defined by the host, the latest first; each as long as the family
  _Atomic int32_t n_contexts, n_runners;  // alive
} sni_family;
// With one reference.
sn_status sni_family_create(const sn_context_options *options, sni_family **out_family);
sni_family *sni_family_keep(sni_family *family);
// The one copy of text that the family keeps as long as it lives; NULL without memory.
const char *sni_family_text(sni_family *family, const char *text);
// To the host's log callback, if there is one.
void sni_log(const sni_family *family, sn_log_level level, const char *format, ...)
    SNI_PRINTF(3, 4);
void sni_family_release(sni_family *family);
void sni_ops_destroy(sni_family *family);  // (host_ops.c) those that the host has defined

typedef enum sni_tensor_kind {
  SNI_TENSOR_ERROR,
  SNI_TENSOR_EAGER,     // type is static; elements in buffer, row-major and contiguous
  SNI_TENSOR_VARIABLE,  // as EAGER, assignable
  SNI_TENSOR_TRACED,    // node of trace's graph
  SNI_TENSOR_OBJECT,    // no tensor: owns an object (frontend/tensor/object.c)
  SNI_TENSOR_ENDED,     // dead: its scope has ended, or its last reference was released
} sni_tensor_kind;

struct sn_tensor {
  // All of them, and in the upper half how many of these are the library's own (sni_hold), so that
  // the caller cannot release more than the caller has.
  _Atomic uint64_t references;
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
  uint8_t marked;    // EAGER: bit per dim of sn_mark_dim
  bool is_static;    // (function/static_value.c)
  bool is_released;  // ENDED: by sn_release
  int64_t static_value;
  bool trainable;  // VARIABLE
  // VARIABLE that is a context's: runs use that of the context they run in, which this gives.
  sn_tensor *(*of_context)(sn_context *context);
  char *name;  // VARIABLE: owned; else NULL
  // VARIABLE: guards buffer and data against siblings (initialised for variables only).
  pthread_mutex_t lock;
  sni_location location;  // of the call that made it
  sn_object *object;      // OBJECT, and VARIABLE of a resource: owned; else NULL
};

typedef struct sni_error_object sni_error_object;

typedef struct sni_tensor_list {
  sn_tensor *first, *last;
  uint32_t n;
} sni_tensor_list;

// Handles on the user's stack (scopes, frames) reach their context through this; it outlives the
// context as long as some of them are open, so that they can be ended in any order.
typedef struct sni_anchor {
  sn_context *context;  // NULL: destroyed
  // Handles still to be ended though their scopes have: the guarded ones that ended with a scope
  // around them, and once the context is destroyed all that were open then.
  uint32_t open;
  _Atomic uint32_t lost;  // of these, those whose end was refused: another thread was at work
  sn_allocator host;      // frees this with the last of them
} sni_anchor;

typedef struct sni_mark {
  uint32_t n_live;      // at the scope's begin
  uint32_t generation;  // * 2, + 1: guarded, its handle is sure to be ended (SN_SCOPE)
} sni_mark;

typedef struct sni_open_frame {
  const char *name, *file;
  int line;
  uint32_t generation;
} sni_open_frame;

// What the context is at. Callbacks begin a new one, so that what is said of their ops is theirs.
typedef struct sni_frame {
  const char *op;  // the public function at work ("sn_add"), for messages; stale between them
  int depth;       // public functions at work, one within another; `base` more in a callback
  int base;
  // In the graph at work: the first node that the op, or the outermost open sn_frame, has made;
  // sn_locate labels from there on.
  sni_node_id first_node;
  int first_guard;    // the same of what the trace's dims must satisfy
  sn_tensor *latest;  // made last, for sn_locate
  // Its own part of context->frames, those that are open: from floor on. What lies below is open
  // around the callback.
  uint32_t floor, n_open;
  // An sn_frame ended just now. What has its line, the nodes from first_node on and the error, may
  // still get a better one by the sn_locate of its caller.
  bool provisional;
} sni_frame;

// Whether the latest error's message has a line.
typedef enum sni_error_line {
  SNI_LINE_FINAL,   // it has, or gets none
  SNI_LINE_WANTED,  // the caller's sn_locate or boundary gives it
  SNI_LINE_FRAME,   // it has the line of an sn_frame
} sni_error_line;

enum {
  SNI_SCALAR_CACHE = 32,
  SNI_MOST_FRAMES = 32,  // open at a time; more have no name in messages
  SNI_GRAVES = 64,       // structs of dead tensors that are not used again yet
  SNI_FIRST_TENSORS = 96,
};

// Where gradients in the body end that runs in place (frontend/gradient/boundary.h): nodes before `given` are around it,
// those from there to `first` are what it was given.
typedef struct sni_boundary {
  const char *name;
  uint64_t graph;  // that they are nodes of; 0: none
  sni_node_id given, first;
  const struct sni_boundary *around;  // of the body around it; NULL: none
} sni_boundary;

struct sn_context {
  sni_family *family;
  sni_diag diag;           // pending error; status SN_OK: none
  char message[1400];      // text of the latest error
  sn_tensor error_tensor;  // kind ERROR
  sn_tensor **live;        // scope-owned references, in order of creation
  uint32_t n_live, live_capacity;
  sni_mark *marks;  // of the open scopes; sn_scope.mark is an index
  uint32_t n_marks, marks_capacity;
  uint32_t marks_floor;  // scopes below were opened outside the callback that runs
  uint32_t generation;   // of the newest scope or frame
  sni_anchor *anchor;
  sni_frame frame;
  sni_open_frame frames[SNI_MOST_FRAMES];
  bool error_noted;           // diag has become `message`
  sni_error_line error_line;  // of `message`
  uint32_t error_length;      // of `message` before its line
  sni_trace *trace;           // innermost open trace; NULL: eager
  uint64_t n_traces;          // opened so far
  sni_record *record;         // while tapes are open, else NULL
  sni_boundary boundary;
  sn_tape *ended_tapes;  // the latest ones, newest first
  sni_eager_cache *eager;
  sn_tensor *random_state;  // variable i64[3] {key, stream, counter}; made at first use
  sn_tensor
      *host_order;  // variable i64[]: calls of the host's functions in programs; made at first use
  const sn_attr *op_attrs;  // of the op of the host's that is being called; NULL: none
  // What this context keeps of the functions that it has called (call_site.c).
  sni_call_site *sites;
  uint64_t last_record_id;  // ids of records are never used again
  uint64_t seed;
  // The user's handle, and one per tensor: keeps the memory of this struct.
  _Atomic int32_t references;
  _Atomic bool destroyed;  // only the memory is left
  // That used it last, which tells siblings apart when the operands do not; + sni_busy while a
  // public function is at work.
  _Atomic uintptr_t thread;
  _Atomic bool misused;         // by a second thread meanwhile; the next boundary says so
  sn_context *next, *previous;  // in family->contexts
  int thread_limit;             // of a call; 0: all of the pool
  sni_watch watch;              // who may end its calls
  sni_error_object *error_objects;
  bool debug_nonfinite;  // of the options; of a function while that runs op by op
  int callbacks;         // running, one within another
  // Structs of dead tensors (ENDED), oldest first, linked by .trace; each keeps its reference to
  // this context. dead: to be used again. dying: died while callbacks run, which may still hold
  // them. released: of sn_release, pushed by any thread.
  sni_tensor_list dead, dying;
  sn_tensor *_Atomic released;
  sn_tensor first_tensors[SNI_FIRST_TENSORS];  // so that the graves are there from the start
  sn_tensor *scalars[SNI_SCALAR_CACHE];  // eager constants of composed ops, direct-mapped by value
};

enum { sni_busy = 1 };  // in context->thread
static inline uintptr_t sni_thread_self(void) {
  return (uintptr_t)__builtin_thread_pointer();
}

// The sibling that the calling thread works with (one that is tracing first, then `preferred`);
// preferred, or NULL if that is destroyed.
// One more sibling. Errors: SN_ERR_MEMORY.
sn_status sni_context_in_family(sni_family *family, sn_context **out_context);
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
// ---- public functions at work: each enters its context and leaves it
// The public function `name` is at work in context: takes it for the calling thread, remembers the
// name and the first node for messages and sn_locate. *out_entered is for sni_leave. Errors:
// SN_ERR_ARGUMENT (NULL, destroyed), SN_ERR_STATE (another thread is at work in it); nothing is
// entered then.
sn_status sni_enter(sn_context *context, const char *name, sn_context **out_entered);
static inline void sni_leave(sn_context *const *entered) {
  sn_context *context = *entered;
  if (!context || --context->frame.depth) return;
  atomic_store_explicit(&context->thread, sni_thread_self(), memory_order_release);
}
// The half of sni_enter that takes the context, and names nothing. False: another thread is at work
// in it, and has been told.
void sni_note_misuse(sn_context *context);
// Added to frame.depth while a function of the host's runs in the midst of a call: the context is not to be entered.
enum { SNI_CLOSED_DEPTH = 1 << 24 };
void sni_note_closed(sn_context *context);
static inline bool sni_claim(sn_context *context) {
  const uintptr_t mine = sni_thread_self() | sni_busy;
  if (__libc_single_threaded) {
    atomic_store_explicit(&context->thread, mine, memory_order_relaxed);
  } else {
    uintptr_t user = atomic_load_explicit(&context->thread, memory_order_relaxed);
    if (user != mine && ((user & sni_busy) || !atomic_compare_exchange_strong_explicit(
                                                  &context->thread, &user, mine,
                                                  memory_order_acquire, memory_order_relaxed))) {
      sni_note_misuse(context);
      return false;
    }
  }
  if (__builtin_expect(context->frame.depth >= SNI_CLOSED_DEPTH, 0)) {
    sni_note_closed(context);
    return false;
  }
  context->frame.depth++;
  return true;
}
// Whether the calling thread is the one that used the context last.
bool sni_is_mine(const sn_context *context);
// A variable of this kind leaves the context that it holds when it goes out of scope.
#define SNI_ENTERED __attribute__((cleanup(sni_leave), unused)) sn_context *
// Enters context, or returns `failed`, in which `context##_refused` is the status.
#define SNI_ENTER(context, name, failed)                                            \
  SNI_ENTERED context##_entered = NULL;                                             \
  const sn_status context##_refused = sni_enter(context, name, &context##_entered); \
  if (context##_refused) return failed
// What a function that makes a tensor returns then: NULL, or the error tensor.
sn_tensor *sni_refused(sn_context *context, sn_status status);
// Starts the public op `name` on operands: finds the context, enters it, checks every operand
// (sni_operand_ok). NULL, and then nothing is entered: *out_failed is what the op must return (the
// error tensor, or NULL when no operand has a context).
sn_context *sni_begin(const char *name, sn_tensor *const *operands, int n, sn_tensor **out_failed);
// "f32[B,3]" of a tensor of any kind, into buffer (SNI_TENSOR_NAME bytes); returns buffer.
const char *sni_describe(const sn_tensor *t, char *buffer);
const char *sni_describe_type(const sn_context *context, const sni_type *type, char *buffer);
// What a message calls op, the public function at work: behind the open frames. In the arena; NULL
// without memory.
const char *sni_name_op(const sn_context *context, const char *op, sni_arena *arena);
// Turns a pending failure into the context's message if that has not happened yet.
void sni_note_error(sn_context *context);
// The pending error came in with an operand of the user's: the line of this call is not its line.
static inline void sni_error_is_older(sn_context *context) {
  if (context->frame.depth > context->frame.base + 1) return;  // a step of a composed op
  if (context->error_line == SNI_LINE_WANTED) context->error_line = SNI_LINE_FINAL;
}
// Puts " (file:line)" behind the text of the latest error if it waits for it. May be called when
// the context has been left.
void sni_locate_error(sn_context *context, const char *file, int line);
// For boundary functions with the caller's line: status, and the line in the message of an error.
static inline sn_status sni_located(sn_context *context, sn_status status, const char *file,
                                    int line) {
  if (status && context) sni_locate_error(context, file, line);
  return status;
}

// ---- what outlives its context (scope.c)
// From now on this memory of the family's is its handle's: sni_free_orphan frees it.
sn_allocator sni_make_orphan(sn_context *context, size_t bytes);
void sni_free_orphan(const sn_allocator *host, void *memory, size_t bytes);
sn_status sni_anchor_create(sn_context *context);
// The context is gone for the handles that are open.
void sni_anchor_leave(sn_context *context);
// Closes the inner scopes, all but n_left; their results are those of the scope around.
void sni_scopes_leave(sn_context *context, uint32_t n_left);
// The context of a handle that is to be ended; NULL: none any more, and the handle is done.
sn_context *sni_anchor_reach(sni_anchor *anchor);

// ---- tensors
// A scope-owned tensor with uninitialised elements (one reference, the scope's). NULL and a pending
// error without memory.
sn_tensor *sni_tensor_new(sn_context *context, const sni_type *type);
sn_tensor *sni_tensor_sized(sn_context *context, const sni_type *type, size_t bytes);
// The same over an existing buffer (takes over one reference to it, also on failure).
sn_tensor *sni_tensor_from_buffer(sn_context *context, const sni_type *type, sni_buffer *buffer,
                                  char *data);
sn_tensor *sni_tensor_traced(sn_context *context, sni_trace *trace, sni_node_id node);
// A new struct, in no scope, with one reference. NULL without memory, and then an error is pending.
sn_tensor *sni_tensor_alloc(sn_context *context, sni_tensor_kind kind);
// One more reference that is the library's own: of a trace, a program, a run, a record. Returns t,
// which is no traced tensor. One less; NULL is accepted. Thread-safe, as sn_keep and sn_release.
sn_tensor *sni_hold(sn_tensor *t);
void sni_let_go(sn_tensor *t);
// Ends the innermost scope's ownership of the newest result, which dies (of an op that failed after
// all).
void sni_scope_drop_newest(sn_context *context);
// (object.c) What is left to do when the last reference of an owner is gone; the memory, later; the context's error objects.
static inline sn_tensor **sni_object_tensors(const sn_object *object) {
  return (sn_tensor **)(void *)((char *)(uintptr_t)object + object->type->tensors_offset);
}
void sni_object_end(sn_tensor *owner);
void sni_object_free(sn_tensor *owner);
void sni_error_objects_free(sn_context *context);
void sni_tensor_drop(sn_tensor *t);  // one reference less, on the context's own thread
void sni_tensors_init(sn_context *context);
void sni_free_tensors(sn_context *context);   // frees structs of dead tensors
void sni_close_tensors(sn_context *context);  // the same for good, when the context ends
// Around a callback. Until it ends, results that die in it are told from newer ones, the scopes
// around it stay open, and messages are about its own ops.
typedef struct sni_callback_frame {
  sni_frame frame;
  uint32_t marks_floor;
} sni_callback_frame;
void sni_callback_begins(sn_context *context, sni_callback_frame *out_around);
void sni_callback_ends(sn_context *context, const sni_callback_frame *around);
// Table of the context's innermost trace, or NULL in eager mode.
sni_dim_table *sni_context_dims(const sn_context *context);
// Fixes a symbolic dim to its value at trace time; false when that is unknown.
bool sni_pin_dim(sn_context *context, sni_dim dim, int64_t *out_value);
// Gives one reference of t to the innermost scope. Without memory: releases that reference, error
// pending, NULL.
sn_tensor *sni_scope_grow(sn_context *context, sn_tensor *t);
static inline sn_tensor *sni_scope_adopt(sn_context *context, sn_tensor *t) {
  if (context->n_live == context->live_capacity) return sni_scope_grow(context, t);
  t->live_index = context->n_live;
  context->live[context->n_live++] = t;
  return t;
}
// Checks an operand: not NULL, not the error tensor, same family, not of a foreign or finished
// trace. position: for messages. On failure false and an error pending in the context (which is
// found from the first usable operand).
bool sni_operand_ok(sn_context *context, const char *op_name, int position, const sn_tensor *t);
// What nearly every operand is; sni_operand_ok says what is wrong with the others.
static inline bool sni_plainly_ok(const sn_context *context, const sn_tensor *t) {
  return t && t->family == context->family &&
         (t->kind == SNI_TENSOR_EAGER || t->kind == SNI_TENSOR_VARIABLE ||
          (t->kind == SNI_TENSOR_TRACED && t->trace == context->trace));
}
// The context of the first operand that has one (the error tensor has); NULL if none.
sn_context *sni_operands_context(sn_tensor *const *operands, int n);
// The elements now: {buffer (one more reference), data}; takes a variable's lock.
void sni_tensor_snapshot(sn_tensor *t, sni_buffer **out_buffer, char **out_data);
// (read.c) The context that will report (entered), and whether the elements are there. NULL: there is none
// to report in, or it refused; *out_refused is what to return.
sn_context *sni_begin_read(const char *name, const sn_tensor *t, const char *file, int line,
                           bool *out_ready, sn_status *out_refused);
// The same of what is no string.
sn_context *sni_begin_read_numbers(const char *name, const sn_tensor *t, const char *file, int line,
                                   bool *out_ready, sn_status *out_refused);

// (random.c) The context's generator, a variable; made at first use. The error tensor without
// memory.
sn_tensor *sni_random_state(sn_context *context);
// (host_ops.c) A HOST node of a text: its op by its name. Errors: SN_ERR_UNSUPPORTED (there is none), SN_ERR_SHAPE, SN_ERR_DTYPE.
sn_status sni_link_host(sn_context *context, const sni_graph *graph, sni_node *node);
// (host_calls.c) The order of calls of the host's functions, a variable, as that.
sn_tensor *sni_host_order(sn_context *context);

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

// What a graph of one control node is compiled to, as its content was before; given back after its runs. (eager_programs.c)
typedef struct sni_eager_program sni_eager_program;
sn_status sni_eager_program_take(sn_context *context, const sni_graph *graph, sni_diag *diag,
                                 sni_eager_program **out_program);
const sni_compiled *sni_eager_program_compiled(const sni_eager_program *program);
void sni_eager_program_give(sn_context *context, sni_eager_program *program);  // NULL: none

sni_graph *sni_record_graph(sni_record *record);  // (record.c)

// ---- traces (trace.c)
sni_graph *sni_trace_graph(sni_trace *trace);
bool sni_trace_reaches(const sni_trace *trace, const sn_tensor *t);  // its own, or of one around
uint64_t sni_trace_tag(const sni_trace *trace);  // no other trace's, as far as 64 bits tell
// Of the open trace, else what tapes record; NULL: none.
static inline sni_graph *sni_graph_at_work(const sn_context *context) {
  if (context->trace) return sni_trace_graph(context->trace);
  return context->record ? sni_record_graph(context->record) : NULL;
}
static inline void sni_note_first_node(sn_context *context) {
  const sni_graph *graph = sni_graph_at_work(context);
  if (!graph) return;
  context->frame.first_node = graph->n_nodes;
  context->frame.first_guard = sni_dim_guard_count(graph->dims);
}
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
// sn_gradients in eager mode: the innermost open tape.
typedef struct sni_gradient_call sni_gradient_call;  // (gradients.h)
void sni_record_gradients(sn_context *context, const sni_gradient_call *call);
// Before an eager assignment while a record is open: keeps the old value, should the call of a
// function around it fail.
sn_status sni_record_before_assign(sn_context *context, sn_tensor *variable);
// Opens / closes the tape of sn_call_eager, which watches everything.
sn_status sni_record_open_all(sn_context *context, sn_tape **out_tape);

#endif
