// Variables: tensors that can be assigned.
//
// A variable owns a buffer from the pool, used from its start. Values are immutable: a read shares
// the buffer, and an assignment writes in place only into a buffer that nobody else holds;
// otherwise the variable moves to another one. So earlier results never change, and nothing is
// copied that need not be. With siblings in the family each access holds the variable's lock.
#include "frontend/ops/compose.h"
#include "runtime/strings.h"

#include <string.h>

// True when there was anything to lock against.
static bool lock(sn_tensor *variable) {
  bool shared = variable->family->shared;
  if (shared) pthread_mutex_lock(&variable->lock);
  return shared;
}

static void unlock(sn_tensor *variable, bool locked) {
  if (locked) pthread_mutex_unlock(&variable->lock);
}

// ---- creation
sn_tensor *sni_variable_new(sn_context *c, const sni_type *type, const void *data, const char *name,
                            bool trainable) {
  sni_allocator *allocator = &c->family->allocator;
  size_t bytes = sni_type_bytes(type), name_bytes = name ? strlen(name) + 1 : 0;
  char *copy = name ? sni_strdup(allocator, name) : NULL;
  sni_buffer *buffer = sni_buffer_create(c->family->buffers, bytes);
  sn_tensor *t = (copy || !name) && buffer ? sni_tensor_alloc(c, SNI_TENSOR_VARIABLE) : NULL;
  if (!t || pthread_mutex_init(&t->lock, NULL)) {
    if (t) {
      t->kind = SNI_TENSOR_EAGER;
      sni_tensor_drop(t);
    }
    sni_buffer_release(buffer);
    sni_free(allocator, copy, name_bytes);
    sni_error_from(c, sni_fail_memory(&c->diag, bytes, "a variable"), NULL);
    return NULL;
  }
  if (bytes) memcpy(sni_buffer_host(buffer), data, bytes);
  t->type = *type;
  t->buffer = buffer;
  t->data = sni_buffer_host(buffer);
  t->name = copy;
  t->trainable = trainable;
  c->frame.latest = t;
  return t;
}

sn_tensor *sn_variable_opts(sn_tensor *initial, const sn_variable_options *options) {
  SNI_BEGIN(c, "sn_variable", initial);
  sn_variable_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (c->trace)
    return sni_error(c, SN_ERR_STATE,
                     "sn_variable: no variable can be made inside a trace: it would be made once, "
                     "not in each call. Make it before, or in the callback of sn_init, and use it "
                     "in the function");
  if (c->diag.status) return &c->error_tensor;
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot(initial, &buffer, &data);
  sn_tensor *t = sni_variable_new(c, &initial->type, data, o.name ? o.name : "variable", !o.frozen);
  if (t) t->buffer->strings = sni_strings_keep(buffer->strings);
  sni_buffer_release(buffer);
  return t ? t : &c->error_tensor;
}

bool sn_is_variable(const sn_tensor *t) {
  return t && t->kind == SNI_TENSOR_VARIABLE;
}

bool sn_is_trainable(const sn_tensor *t) {
  return sn_is_variable(t) && t->trainable;
}

// ---- eager assignment
// The variable takes over value's elements: their buffer, when it is one that a variable may own,
// else a copy.
static sn_status store(sn_context *c, sn_tensor *variable, const sn_tensor *value) {
  size_t bytes = sni_type_bytes(&value->type);
  sni_buffer *buffer;
  if (c->record) SNI_TRY(sni_record_before_assign(c, variable));
  if (value->buffer->owned && value->data == sni_buffer_host(value->buffer) &&
      value->buffer->bytes <= 2 * bytes + 64) {
    buffer = sni_buffer_keep(value->buffer);
  } else {
    buffer = sni_buffer_create(c->family->buffers, bytes);
    if (!buffer) return sni_fail_memory(&c->diag, bytes, "a variable's elements");
    if (bytes) memcpy(sni_buffer_host(buffer), value->data, bytes);
    buffer->strings = sni_strings_keep(value->buffer->strings);
  }
  bool locked = lock(variable);
  sni_buffer *old = variable->buffer;
  variable->buffer = buffer;
  variable->data = sni_buffer_host(buffer);
  unlock(variable, locked);
  sni_buffer_release(old);
  return SN_OK;
}

// The result exists before the variable changes: after that nothing can fail.
static sn_tensor *update(sn_context *c, sni_op op, sn_tensor *variable, sn_tensor *value) {
  sn_tensor *result = sni_tensor_from_buffer(c, &variable->type, NULL, NULL);
  if (!result) return &c->error_tensor;
  sni_value operand = {.type = value->type};
  sni_tensor_snapshot(value, &operand.buffer, &operand.data);
  bool locked = lock(variable);
  sn_status status = sni_eager_update(c, op, variable, &operand);
  if (!status) {
    result->buffer = sni_buffer_keep(variable->buffer);
    result->data = variable->data;
  }
  unlock(variable, locked);
  sni_buffer_release(operand.buffer);
  if (!status) return result;
  sni_scope_drop_newest(c);
  return sni_error_from(c, status, NULL);
}

// ---- both modes
static bool is_variable(sn_context *c, const sn_tensor *t) {
  char text[SNI_TENSOR_NAME];
  const char *name = c->frame.op ? c->frame.op : "sn_assign";
  if (t->kind == SNI_TENSOR_VARIABLE) return true;
  sni_error(c, SN_ERR_ARGUMENT, "%s: operand #0 is %s, which is no variable", name,
            sni_describe(t, text));
  return false;
}

static bool check_variable(sn_context *c, const sn_tensor *variable, const sn_tensor *value) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const char *name = c->frame.op ? c->frame.op : "sn_assign";
  if (!is_variable(c, variable)) return false;
  if (value->type.dtype != variable->type.dtype)
    sni_error(c, SN_ERR_DTYPE, "%s: operand #1 is %s, expected %s like the variable \"%s\" %s",
              name, sni_describe(value, a), sn_dtype_name(variable->type.dtype), sn_name(variable),
              sni_describe(variable, b));
  return !c->diag.status;
}

static sn_tensor *fail_shape(sn_context *c, const sn_tensor *variable, const sn_tensor *value,
                             const char *rule) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  return sni_error(c, SN_ERR_SHAPE, "%s: operand #1 is %s, %s the variable \"%s\" %s",
                   c->frame.op ? c->frame.op : "sn_assign", sni_describe(value, a), rule,
                   sn_name(variable), sni_describe(variable, b));
}

static bool same_shape(sn_context *c, const sni_type *a, const sni_type *b) {
  if (a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++)
    if (!sni_dims_agree(c, a->dims[i], b->dims[i])) return false;
  return true;
}

static sn_tensor *assign_node(sn_context *c, sn_tensor *variable, sn_tensor *value) {
  sni_node_id node;
  sn_status status = sni_trace_node(c->trace, value, &node);
  if (!status) status = sni_trace_assign(c->trace, variable, node);
  if (status) return sni_error_from(c, status, sni_trace_graph(c->trace)->diag);
  sn_tensor *t = sni_tensor_traced(c, c->trace, node);
  return t ? t : &c->error_tensor;
}

sn_tensor *sni_assign(sn_context *c, sn_tensor *variable, sn_tensor *value) {
  if (c->diag.status || sn_failed(variable) || sn_failed(value)) return &c->error_tensor;
  if (!check_variable(c, variable, value)) return &c->error_tensor;
  if (!same_shape(c, &value->type, &variable->type))
    return fail_shape(c, variable, value, "expected the shape of");
  // A node of its own in every mode: cotangents of the value add up in the order of their nodes.
  sn_tensor *t = sni_emit(c, SNI_OP_IDENTITY, &value, 1, NULL, 0, NULL);
  if (sn_failed(t)) return t;
  if (c->trace) return assign_node(c, variable, t);
  sn_status status = store(c, variable, t);
  return status ? sni_error_from(c, status, NULL) : t;
}

sn_tensor *sni_assign_op(sn_context *c, sni_op op, sn_tensor *variable, sn_tensor *value) {
  if (c->diag.status || sn_failed(variable) || sn_failed(value)) return &c->error_tensor;
  if (!check_variable(c, variable, value)) return &c->error_tensor;
  sni_type shape;
  const sni_type *types[2] = {&variable->type, &value->type};
  if (!sni_check_pointwise(c, op, types, 2, &shape)) return &c->error_tensor;
  if (!same_shape(c, &shape, &variable->type))
    return fail_shape(c, variable, value, "which does not broadcast to the shape of");
  if (!c->trace && !c->record && !c->debug_nonfinite) return update(c, op, variable, value);
  sn_tensor *t = sni_binary(c, op, variable, value);
  if (sn_failed(t)) return t;
  if (c->trace) return assign_node(c, variable, t);
  sn_status status = store(c, variable, t);
  return status ? sni_error_from(c, status, NULL) : t;
}

sn_tensor *(sn_assign)(sn_tensor *variable, sn_tensor *value) {
  SNI_BEGIN(c, "sn_assign", variable, value);
  return sni_assign(c, variable, value);
}

sn_tensor *(sn_assign_add)(sn_tensor *variable, sn_tensor *value) {
  SNI_BEGIN(c, "sn_assign_add", variable, value);
  return sni_assign_op(c, SNI_OP_ADD, variable, value);
}

sn_tensor *(sn_assign_sub)(sn_tensor *variable, sn_tensor *value) {
  SNI_BEGIN(c, "sn_assign_sub", variable, value);
  return sni_assign_op(c, SNI_OP_SUB, variable, value);
}

// ---- parts of one
sn_tensor *(sn_assign_at)(sn_tensor *variable, sn_tensor *value, const char *format, ...) {
  SNI_BEGIN_COMPOSED(c, "sn_assign_at", variable, value);
  if (!check_variable(c, variable, value)) return &c->error_tensor;
  va_list arguments;
  va_start(arguments, format);
  sn_tensor *next = sni_set_at(c, variable, value, format, arguments);
  va_end(arguments);
  return sni_keep_only(c, c_first, sni_assign(c, variable, next));
}

sn_tensor *(sn_assign_scatter)(sn_tensor *variable, sn_tensor *indices, sn_tensor *updates,
                               sn_scatter_mode mode) {
  SNI_BEGIN_COMPOSED(c, "sn_assign_scatter", variable, indices, updates);
  if (!is_variable(c, variable)) return &c->error_tensor;
  sn_tensor *next = sni_scatter_rows(c, variable, indices, updates, mode);
  return sni_keep_only(c, c_first, sni_assign(c, variable, next));
}

sn_tensor *(sn_assign_scatter_nd)(sn_tensor *variable, sn_tensor *indices, sn_tensor *updates,
                                  sn_scatter_mode mode) {
  SNI_BEGIN_COMPOSED(c, "sn_assign_scatter_nd", variable, indices, updates);
  if (!is_variable(c, variable)) return &c->error_tensor;
  sn_tensor *next = sni_scatter_nd(c, variable, indices, updates, mode);
  return sni_keep_only(c, c_first, sni_assign(c, variable, next));
}

sn_tensor *(sn_read_variable)(sn_tensor *variable) {
  SNI_BEGIN(c, "sn_read_variable", variable);
  if (!is_variable(c, variable)) return &c->error_tensor;
  return sni_emit(c, SNI_OP_IDENTITY, &variable, 1, NULL, 0, NULL);
}
