// Tensor objects: their memory, references, and what can be asked of them. Creation from values is
// in create.c, reading in read.c.
//
// A struct holds a reference to its context's memory for as long as it exists, also while it waits
// in one of the context's lists of dead ones: making and dropping a result in a loop touches no
// shared counter. Only the context's own thread uses those lists; what dies elsewhere (sn_release
// from any thread) is pushed onto `released`, which that thread empties.
//
// Invariant: dead structs say so (SNI_TENSOR_ENDED) and are used again in the order in which they
// died, never among the latest SNI_GRAVES and never while a callback runs that may hold them: an op
// that is given one finds out.
#include "frontend/context/internal.h"
#include "frontend/ops/compose.h"

#include <stdatomic.h>
#include <string.h>

#undef sn_keep
#undef sn_release
#undef sn_failed
#undef sn_context_of

static sn_tensor *const closed = (sn_tensor *)1;  // context->released of a destroyed one

// ---- dead ones
static inline sn_tensor *next_of(const sn_tensor *t) {
  return (sn_tensor *)(void *)t->trace;
}

static inline void append(sni_tensor_list *list, sn_tensor *t) {
  t->trace = NULL;
  if (list->last)
    list->last->trace = (sni_trace *)(void *)t;
  else
    list->first = t;
  list->last = t;
  list->n++;
}

static inline sn_tensor *take_first(sni_tensor_list *list) {
  sn_tensor *t = list->first;
  list->first = next_of(t);
  if (!list->first) list->last = NULL;
  list->n--;
  return t;
}

static void move_all(sni_tensor_list *from, sni_tensor_list *to) {
  if (!from->n) return;
  if (to->last)
    to->last->trace = (sni_trace *)(void *)from->first;
  else
    to->first = from->first;
  to->last = from->last;
  to->n += from->n;
  *from = (sni_tensor_list){NULL, NULL, 0};
}

// left: NULL or `closed`.
static void collect_released(sn_context *context, sn_tensor *left) {
  sn_tensor *t = atomic_exchange_explicit(&context->released, left, memory_order_acquire);
  while (t) {
    sn_tensor *next = next_of(t);
    append(&context->dead, t);
    t = next;
  }
}

// ---- memory
static sn_tensor *alloc_struct(sn_context *context) {
  sn_tensor *t = sni_alloc(&context->family->allocator, sizeof(*t));
  if (!t) {
    sni_error_from(context, sni_fail_memory(&context->diag, sizeof(*t), "a tensor"), NULL);
    return NULL;
  }
  t->context = context;
  t->family = context->family;
  t->object = NULL;
  atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
  return t;
}

static inline sn_tensor *new_tensor(sn_context *context, sni_tensor_kind kind) {
  if (context->dead.n <= SNI_GRAVES && !context->callbacks &&
      atomic_load_explicit(&context->released, memory_order_relaxed))
    collect_released(context, NULL);
  sn_tensor *t = context->dead.n > SNI_GRAVES ? take_first(&context->dead) : alloc_struct(context);
  if (!t) return NULL;
  if (__builtin_expect(t->object != NULL, 0)) sni_object_free(t);
  atomic_store_explicit(&t->references, 1, memory_order_relaxed);
  t->kind = kind;
  t->escapes = 0;
  t->live_index = UINT32_MAX;
  t->buffer = NULL;
  t->data = NULL;
  t->trace = NULL;
  t->node = SNI_NO_NODE;
  t->record_id = 0;
  t->record_node = SNI_NO_NODE;
  t->is_static = t->is_released = t->trainable = false;
  t->of_context = NULL;
  t->static_value = 0;
  t->marked = 0;
  t->name = NULL;
  t->location = (sni_location){0};
  return t;
}

static void free_contents(sn_tensor *t) {
  bool variable = t->kind == SNI_TENSOR_VARIABLE;
  t->kind = SNI_TENSOR_ENDED;
  if (__builtin_expect(t->object != NULL, 0)) sni_object_end(t);
  sni_buffer_release(t->buffer);
  if (!variable) return;
  pthread_mutex_destroy(&t->lock);
  if (t->name) sni_free(&t->family->allocator, t->name, strlen(t->name) + 1);
  t->name = NULL;
}

static bool is_one_of_the_first(const sn_tensor *t) {
  const uintptr_t first = (uintptr_t)t->context->first_tensors;
  return (uintptr_t)t - first < sizeof(t->context->first_tensors);
}

static void free_struct(sn_tensor *t) {
  sn_context *context = t->context;
  if (t->object) sni_object_free(t);
  if (!is_one_of_the_first(t)) sni_free(&t->family->allocator, t, sizeof(*t));
  sni_context_release(context);
}

void sni_tensors_init(sn_context *context) {
  for (int i = 0; i < SNI_FIRST_TENSORS; i++) {
    sn_tensor *t = &context->first_tensors[i];
    t->kind = SNI_TENSOR_ENDED;
    t->context = context;
    t->family = context->family;
    append(&context->dead, t);
  }
  atomic_fetch_add_explicit(&context->references, SNI_FIRST_TENSORS, memory_order_relaxed);
}

void sni_free_tensors(sn_context *context) {
  sni_tensor_list all = {NULL, NULL, 0};
  collect_released(context, NULL);
  move_all(&context->dead, &all);
  while (all.n) {
    sn_tensor *t = take_first(&all);
    if (t->object) sni_object_free(t);
    if (is_one_of_the_first(t))
      append(&context->dead, t);
    else
      free_struct(t);
  }
}

void sni_close_tensors(sn_context *context) {
  collect_released(context, closed);
  while (context->dead.n) free_struct(take_first(&context->dead));
}

// In sn_tensor.references: one reference, and one that is the library's own.
static const uint64_t one = 1, one_held = (uint64_t)1 << 32 | 1;

// True when that was the last reference.
static inline bool unreference(sn_tensor *t, uint64_t unit) {
  return atomic_load_explicit(&t->references, memory_order_acquire) == unit ||
         atomic_fetch_sub_explicit(&t->references, unit, memory_order_acq_rel) == unit;
}

void sni_tensor_drop(sn_tensor *t) {
  t->live_index = UINT32_MAX;
  t->escapes = 0;
  if (!unreference(t, one)) return;
  sn_context *context = t->context;
  free_contents(t);
  if (context->destroyed)
    free_struct(t);
  else
    append(context->callbacks ? &context->dying : &context->dead, t);
}

void sni_callback_begins(sn_context *context, sni_callback_frame *out_around) {
  *out_around = (sni_callback_frame){context->frame, context->marks_floor};
  context->frame =
      (sni_frame){.depth = 1, .base = 1, .floor = context->frame.floor + context->frame.n_open};
  context->marks_floor = context->n_marks;
  context->callbacks++;
}

void sni_callback_ends(sn_context *context, const sni_callback_frame *around) {
  // Scopes and frames that the callback left open: the results are those of the scope around.
  sni_scopes_leave(context, context->marks_floor);
  context->marks_floor = around->marks_floor;
  context->frame = around->frame;
  if (--context->callbacks > 0) return;
  move_all(&context->dying, &context->dead);
}

sn_tensor *(sn_keep)(sn_tensor *t) {
  if (!t || t->kind == SNI_TENSOR_ERROR) return t;
  if (t->kind == SNI_TENSOR_TRACED || t->kind == SNI_TENSOR_ENDED) {
    sn_tensor *failed;
    SNI_ENTERED c = sni_begin("sn_keep", &t, 1, &failed);
    if (!c) return failed;
    return sni_error(c, SN_ERR_STATE,
                     "sn_keep: a traced tensor cannot outlive its trace: make it an output of the "
                     "function, or assign it to a variable");
  }
  atomic_fetch_add_explicit(&t->references, one, memory_order_relaxed);
  return t;
}

// What is left is held by its scope, and by functions and programs: the caller has no reference to
// give up.
static bool is_not_the_callers(const sn_tensor *t) {
  // In this order: a scope that ends on the context's thread lets go of its place first.
  const uint64_t references = atomic_load_explicit(&t->references, memory_order_acquire);
  const uint32_t all = (uint32_t)references, held = (uint32_t)(references >> 32);
  return all - held <= (t->live_index != UINT32_MAX);
}

static void log_refused(const sn_tensor *t) {
  char text[SNI_TENSOR_NAME];
  const char *why = t->kind == SNI_TENSOR_ENDED
                        ? "it is dead already: its scope has ended, or it has been released"
                    : t->live_index != UINT32_MAX
                        ? "it belongs to its scope: only what was kept (sn_keep) is to be released"
                        : "it has been released; a function or a program uses it still";
  sni_log(t->family, SN_LOG_WARNING, "sn_release of %s, made at %s:%d: %s", sni_describe(t, text),
          t->location.file ? t->location.file : "?", t->location.line, why);
}

// The struct stays, marked, until the context's thread uses it again.
static void bury(sn_tensor *t) {
  t->is_released = true;
  sn_tensor *_Atomic *released = &t->context->released;
  sn_tensor *first = atomic_load_explicit(released, memory_order_relaxed);
  do {
    if (first == closed) {
      free_struct(t);
      return;
    }
    t->trace = (sni_trace *)(void *)first;
  } while (!atomic_compare_exchange_weak_explicit(released, &first, t, memory_order_release,
                                                  memory_order_relaxed));
}

static void end(sn_tensor *t) {
  free_contents(t);
  bury(t);
}

void sn_release(sn_tensor *t) {
  if (!t || t->kind == SNI_TENSOR_ERROR || t->kind == SNI_TENSOR_TRACED) return;
  if (t->kind == SNI_TENSOR_ENDED || is_not_the_callers(t)) {
    log_refused(t);
    return;
  }
  if (unreference(t, one)) end(t);
}

sn_tensor *sni_hold(sn_tensor *t) {
  if (t) atomic_fetch_add_explicit(&t->references, one_held, memory_order_relaxed);
  return t;
}

void sni_let_go(sn_tensor *t) {
  if (t && unreference(t, one_held)) end(t);
}

sn_tensor *sni_tensor_alloc(sn_context *context, sni_tensor_kind kind) {
  return new_tensor(context, kind);
}

// ---- results

sn_tensor *sni_tensor_from_buffer(sn_context *context, const sni_type *type, sni_buffer *buffer,
                                  char *data) {
  sn_tensor *t = new_tensor(context, SNI_TENSOR_EAGER);
  if (!t) {
    sni_buffer_release(buffer);
    return NULL;
  }
  t->type = *type;
  t->buffer = buffer;
  t->data = data;
  context->frame.latest = t;
  return sni_scope_adopt(context, t);
}

sn_tensor *sni_tensor_new(sn_context *context, const sni_type *type) {
  return sni_tensor_sized(context, type, sni_type_bytes(type));
}

sn_tensor *sni_tensor_sized(sn_context *context, const sni_type *type, size_t bytes) {
  sni_buffer *buffer = sni_buffer_create(context->family->buffers, bytes);
  if (!buffer) {
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "a tensor's elements"), NULL);
    return NULL;
  }
  return sni_tensor_from_buffer(context, type, buffer, sni_buffer_host(buffer));
}

sn_tensor *sni_tensor_traced(sn_context *context, sni_trace *trace, sni_node_id node) {
  sn_tensor *t = sni_tensor_alloc(context, SNI_TENSOR_TRACED);
  if (!t) return NULL;
  t->type = *sni_graph_type(sni_trace_graph(trace), node);
  t->trace = trace;
  t->node = node;
  context->frame.latest = t;
  return sni_scope_adopt(context, t);
}

void sni_tensor_snapshot(sn_tensor *t, sni_buffer **out_buffer, char **out_data) {
  bool locked = t->kind == SNI_TENSOR_VARIABLE && t->family->shared;
  if (locked) pthread_mutex_lock(&t->lock);
  *out_buffer = sni_buffer_keep(t->buffer);
  *out_data = t->data;
  if (locked) pthread_mutex_unlock(&t->lock);
}

// ---- queries
static bool is_alive(const sn_tensor *t) {
  return t && t->kind != SNI_TENSOR_ENDED;
}

int sn_rank(const sn_tensor *t) {
  return is_alive(t) ? t->type.rank : -1;
}

sn_dtype sn_dtype_of(const sn_tensor *t) {
  return is_alive(t) ? t->type.dtype : SN_BOOL;
}

static bool open_trace(const sn_tensor *t) {
  return t->kind == SNI_TENSOR_TRACED && sni_trace_reaches(t->context->trace, t);
}

static int64_t dim_of(const char *name, const sn_tensor *t, int axis, const char *file, int line) {
  int64_t value;
  if (sni_dim_is_constant(NULL, t->type.dims[axis], &value)) return value;
  if (!open_trace(t)) return -1;
  sn_context *context = t->context;
  sni_dim_table *dims = sni_context_dims(context);
  const int first = sni_dim_guard_count(dims);
  if (sni_pin_dim(context, t->type.dims[axis], &value)) {
    sni_dim_label_guards(dims, first, name, file, line);
    return value;
  }
  const bool is_first = !context->diag.status;
  char text[SNI_TENSOR_NAME];
  sni_error(context, SN_ERR_SHAPE,
            "%s: dim %d of %s is not known in this trace: sn_symbolic_dim names it in shapes, "
            "sn_axis_size computes with it; or compile for a number",
            name, axis, sni_describe(t, text));
  if (is_first) sni_locate_error(context, file, line);
  return -1;
}

int64_t sn_dim_at(const sn_tensor *t, int axis, const char *file, int line) {
  int rank = sn_rank(t);
  if (axis < 0) axis += rank;
  return axis < 0 || axis >= rank ? -1 : dim_of("sn_dim", t, axis, file, line);
}

int64_t(sn_dim)(const sn_tensor *t, int axis) {
  return sn_dim_at(t, axis, NULL, 0);
}

int64_t sn_symbolic_dim(const sn_tensor *t, int axis) {
  const int rank = sn_rank(t);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return -1;
  int64_t value;
  const sni_dim dim = t->type.dims[axis];
  if (sni_dim_is_constant(NULL, dim, &value)) return value;
  if (!open_trace(t)) return -1;
  return sni_dim_is_constant(sni_context_dims(t->context), dim, &value)
             ? value
             : sni_dim_token(t->context, dim);
}

int64_t sn_size_at(const sn_tensor *t, const char *file, int line) {
  int64_t size = 1;
  if (sn_rank(t) < 0) return 0;
  for (int i = 0; i < t->type.rank; i++) {
    int64_t dim = dim_of("sn_size", t, i, file, line);
    if (dim < 0) return -1;
    size *= dim;
  }
  return size;
}

int64_t(sn_size)(const sn_tensor *t) {
  return sn_size_at(t, NULL, 0);
}

sn_context *sn_context_of(const sn_tensor *t) {
  return t ? t->context : NULL;
}

bool sn_failed(const sn_tensor *t) {
  return !t || t->kind == SNI_TENSOR_ERROR;
}

bool sn_is_tracing(const sn_context *context) {
  return context && context->trace;
}

bool sn_is_recording(const sn_context *context) {
  return context && context->record;
}

bool sn_is_traced(const sn_tensor *t) {
  return t && t->kind == SNI_TENSOR_TRACED;
}

const char *sn_name(const sn_tensor *t) {
  return t && t->name ? t->name : "";
}
