// Tensor objects: their memory, references, and what can be asked of them. Creation from values is
// in create.c, reading in read.c.
//
// A struct holds a reference to its context's memory for as long as it exists, also while it waits
// in the context's list of free structs: making and dropping a result in a loop touches no shared
// counter. Only the context's own thread uses that list; a last reference that dies elsewhere
// (sn_release from any thread) frees the struct instead.
#include "frontend/context/internal.h"

#include <stdatomic.h>
#include <string.h>

#undef sn_keep

enum { max_free_tensors = 1024 };

// ---- memory
sn_tensor *sni_tensor_alloc(sn_context *context, sni_tensor_kind kind) {
  sn_tensor *t = context->free_tensors;
  if (t) {
    context->free_tensors = (sn_tensor *)(void *)t->trace;
    context->n_free_tensors--;
  } else {
    t = sni_alloc(&context->family->allocator, sizeof(*t));
    if (!t) {
      sni_error_from(context, sni_fail_memory(&context->diag, sizeof(*t), "a tensor"), NULL);
      return NULL;
    }
    t->context = context;
    t->family = context->family;
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
  }
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
  t->is_static = t->trainable = t->is_random_state = false;
  t->static_value = 0;
  t->name = NULL;
  t->location = (sni_location){NULL, 0};
  return t;
}

static void free_contents(sn_tensor *t) {
  sni_buffer_release(t->buffer);
  if (t->kind != SNI_TENSOR_VARIABLE) return;
  pthread_mutex_destroy(&t->lock);
  if (t->name) sni_free(&t->family->allocator, t->name, strlen(t->name) + 1);
}

static void free_struct(sn_tensor *t) {
  sn_context *context = t->context;
  sni_free(&t->family->allocator, t, sizeof(*t));
  sni_context_release(context);
}

void sni_free_tensors(sn_context *context) {
  while (context->free_tensors) {
    sn_tensor *t = context->free_tensors;
    context->free_tensors = (sn_tensor *)(void *)t->trace;
    free_struct(t);
  }
  context->n_free_tensors = 0;
}

// True when that was the last reference.
static inline bool unreference(sn_tensor *t) {
  return atomic_load_explicit(&t->references, memory_order_acquire) == 1 ||
         atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) == 1;
}

static void recycle(sn_context *context, sn_tensor *t) {
  if (context->n_free_tensors >= max_free_tensors || context->destroyed) {
    free_struct(t);
    return;
  }
  t->trace = (sni_trace *)(void *)context->free_tensors;
  context->free_tensors = t;
  context->n_free_tensors++;
}

void sni_tensor_drop(sn_tensor *t) {
  t->live_index = UINT32_MAX;
  t->escapes = 0;
  if (!unreference(t)) return;
  sn_context *context = t->context;
  free_contents(t);
  if (context->callbacks > 0) {
    t->kind = SNI_TENSOR_ENDED;
    t->trace = (sni_trace *)(void *)context->ended_tensors;
    context->ended_tensors = t;
  } else {
    recycle(context, t);
  }
}

void sni_callback_begins(sn_context *context) {
  context->callbacks++;
}

void sni_callback_ends(sn_context *context) {
  if (--context->callbacks > 0) return;
  while (context->ended_tensors) {
    sn_tensor *t = context->ended_tensors;
    context->ended_tensors = (sn_tensor *)(void *)t->trace;
    recycle(context, t);
  }
}

sn_tensor *(sn_keep)(sn_tensor *t) {
  if (!t || t->kind == SNI_TENSOR_ERROR) return t;
  if (t->kind == SNI_TENSOR_TRACED) {
    t->context->op_name = "sn_keep";
    return sni_error(t->context, SN_ERR_STATE,
                     "sn_keep: a traced tensor cannot outlive its trace: make it an output of the "
                     "function, or assign it to a variable");
  }
  atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
  return t;
}

void sn_release(sn_tensor *t) {
  if (!t || t->kind == SNI_TENSOR_ERROR || t->kind == SNI_TENSOR_TRACED) return;
  if (!unreference(t)) return;
  free_contents(t);
  free_struct(t);
}

// ---- results

sn_tensor *sni_tensor_from_buffer(sn_context *context, const sni_type *type, sni_buffer *buffer,
                                  char *data) {
  sn_tensor *t = sni_tensor_alloc(context, SNI_TENSOR_EAGER);
  if (!t) {
    sni_buffer_release(buffer);
    return NULL;
  }
  t->type = *type;
  t->buffer = buffer;
  t->data = data;
  context->latest = t;
  return sni_scope_adopt(context, t);
}

sn_tensor *sni_tensor_new(sn_context *context, const sni_type *type) {
  size_t bytes = sni_type_bytes(type);
  sni_buffer *buffer = sni_buffer_create(context->family->buffers, bytes);
  if (!buffer) {
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "a tensor's elements"), NULL);
    return NULL;
  }
  return sni_tensor_from_buffer(context, type, buffer, buffer->data);
}

sn_tensor *sni_tensor_traced(sn_context *context, sni_trace *trace, sni_node_id node) {
  sn_tensor *t = sni_tensor_alloc(context, SNI_TENSOR_TRACED);
  if (!t) return NULL;
  t->type = *sni_graph_type(sni_trace_graph(trace), node);
  t->trace = trace;
  t->node = node;
  context->latest = t;
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
int sn_rank(const sn_tensor *t) {
  return t ? t->type.rank : -1;
}

sn_dtype sn_dtype_of(const sn_tensor *t) {
  return t ? t->type.dtype : SN_BOOL;
}

static bool open_trace(const sn_tensor *t) {
  return t->kind == SNI_TENSOR_TRACED && t->trace == t->context->trace;
}

int64_t sn_dim(const sn_tensor *t, int axis) {
  int rank = sn_rank(t);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return -1;
  int64_t value;
  if (sni_dim_is_constant(NULL, t->type.dims[axis], &value)) return value;
  if (!open_trace(t)) return -1;
  if (sni_pin_dim(t->context, t->type.dims[axis], &value)) return value;
  char text[SNI_TENSOR_NAME];
  t->context->op_name = "sn_dim";
  sni_error(
      t->context, SN_ERR_SHAPE,
      "sn_dim: dim %d of %s is not known in this trace: compile for a number, or compute with "
      "the tensor instead of its size",
      axis, sni_describe(t, text));
  return -1;
}

int64_t sn_size(const sn_tensor *t) {
  int64_t size = 1;
  if (sn_rank(t) < 0) return 0;
  for (int i = 0; i < t->type.rank; i++) {
    int64_t dim = sn_dim(t, i);
    if (dim < 0) return -1;
    size *= dim;
  }
  return size;
}

sn_context *sn_context_of(const sn_tensor *t) {
  return t ? t->context : NULL;
}

bool sn_failed(const sn_tensor *t) {
  return !t || t->kind == SNI_TENSOR_ERROR;
}

bool sn_is_traced(const sn_tensor *t) {
  return t && t->kind == SNI_TENSOR_TRACED;
}

const char *sn_name(const sn_tensor *t) {
  return t && t->name ? t->name : "";
}
