// Eager execution: one op at a time, at once. Views that need no copy share their operand's buffer;
// everything else finds its cached entry (eager_cache.c) and calls it.
//
// Most entries are one command too small to split: its kernel is called right here, with addresses
// filled in and sizes prepared when the entry was made. Others go through their run state, which
// splits over threads. Invariant: a hit infers nothing, builds no graph and allocates the result
// alone.
#include "frontend/eager/eager.h"
#include "runtime/float_modes.h"
#include "runtime/strings.h"

#include <string.h>

enum { few = 8 };  // operands that need no allocation

typedef struct eager_result {
  const sni_type *type;
  sni_buffer *buffer;  // one reference
  char *data;
} eager_result;

// ---- running an entry
static sn_status fail_index(sn_context *context, const sni_eager_call *call) {
  char text[1000];
  const char *op = sni_op_infos[call->op].name;
  if (call->n == 1) {  // a FLAT_INDEX: it reads no table
    const int n = call->n_attrs / 3;
    sni_axes_fault_format(op, call->attrs, call->attrs + n, n, text, sizeof(text));
  } else {
    sni_index_fault_format(op, call->operands[0].type, call->operands[1].type, text, sizeof(text));
  }
  return sni_fail(&context->diag, SN_ERR_INDEX, "%s", text);
}

static sn_status run_direct(sn_context *context, const sni_eager_entry *entry,
                            const sni_eager_call *call, void *out) {
  for (uint32_t i = 0; i < entry->n_buffers; i++) {
    int32_t source = entry->sources[i];
    sni_assert(source < call->n);
    entry->addresses[i] =
        source >= 0 ? call->operands[source].data
        : source == SNI_EAGER_RESULT
            ? out
            : (void *)(uintptr_t)entry->compiled->constants[SNI_EAGER_CONSTANT - source];
  }
  if (!entry->units) return SN_OK;
  static const double op_ns = 200;
  SNI_TRY(sni_watch_poll(&context->watch, op_ns, &context->diag));
  sni_scratch_header *scratch = context->eager->scratch;
  unsigned modes = sni_enter_float_modes();
  entry->function(entry->code, entry->addresses, entry->params, 0, entry->units, scratch);
  sni_leave_float_modes(modes);
  if (!entry->faults || !scratch->fault) return SN_OK;
  scratch->fault = 0;
  return fail_index(context, call);
}

static sn_status run_state(sn_context *context, const sni_eager_entry *entry,
                           const sni_eager_call *call, void *out) {
  for (int i = call->update; i < call->n; i++)
    entry->inputs[i - call->update] = call->operands[i].data;
  void *variable = call->update ? call->operands[0].data : NULL;
  sni_run_state_limit_threads(entry->state, context->thread_limit);
  sn_status status = sni_run_state_run(entry->state, entry->inputs, &out, &variable, &out,
                                       (void *const *)(uintptr_t)entry->compiled->constants);
  if (status != SN_ERR_INDEX) return status;
  sni_diag_clear(&context->diag);
  return fail_index(context, call);
}

static inline sn_status run_entry(sn_context *context, const sni_eager_entry *entry,
                                  const sni_eager_call *call, void *out) {
  return entry->function ? run_direct(context, entry, call, out)
                         : run_state(context, entry, call, out);
}

// ---- views without a copy
// Moves a slice's start into the operand's address, so that slices that differ in their start alone
// share an entry: attrs become those of the slice that begins as early as possible. True: the slice
// is contiguous, so no copy is needed at all.
static bool place_slice(const sni_eager_call *call, sni_eager_operand *operand, sni_dim *attrs) {
  const sni_type *from = operand->type, *to = call->declared;
  int64_t stride = 1, offset = 0, step, start;
  bool contiguous = true, whole = true;  // whole: all inner dims are taken entirely
  bool empty = sni_type_size(NULL, to) == 0;
  for (int i = from->rank - 1; i >= 0; i--) {
    sni_dim_is_constant(NULL, call->attrs[i], &start);
    sni_dim_is_constant(NULL, call->attrs[from->rank + i], &step);
    int64_t first = step < 0 && to->dims[i] > 0 ? (1 - to->dims[i]) * step : 0;
    attrs[i] = first;
    attrs[from->rank + i] = call->attrs[from->rank + i];
    offset += (start - first) * stride;
    stride *= from->dims[i];
    if (to->dims[i] != 1 && (step != 1 || !whole)) contiguous = false;
    if (to->dims[i] != from->dims[i]) whole = false;
  }
  if (!empty) operand->data += offset * (int64_t)sn_dtype_size(from->dtype);
  return contiguous || empty;
}

static bool is_identity_permutation(const sni_eager_call *call) {
  for (int i = 0; i < call->n_attrs; i++)
    if (call->attrs[i] != i) return false;
  return true;
}

// The type of a result that is the operand's elements as they lie; NULL: it is not.
static const sni_type *shared_type(const sni_eager_call *call) {
  const sni_type *type = call->n ? call->operands[0].type : NULL;
  if (sni_op_passes_on(call->op)) return type;
  if (call->op == SNI_OP_RESHAPE) return call->declared;
  if (call->op == SNI_OP_BROADCAST && sni_shape_equal(NULL, type, call->declared)) return type;
  if (call->op == SNI_OP_TRANSPOSE && is_identity_permutation(call)) return type;
  return NULL;
}

// ---- calls
// The strings of a result are those of the operands.
static sn_status settle(sn_context *context, const sni_eager_call *call, const sni_type *type,
                        sni_buffer *buffer) {
  enum { few_sources = 16 };
  sni_strings *sources[few_sources], **all = sources;
  sni_allocator *allocator = &context->family->allocator;
  const size_t bytes = (size_t)call->n * sizeof(*all);
  if (call->n > few_sources && !(all = sni_alloc(allocator, bytes)))
    return sni_fail_memory(&context->diag, bytes, "strings");
  size_t n = 0;
  for (int i = 0; i < call->n; i++)
    if (call->operands[i].type->dtype == SN_STRING) all[n++] = call->operands[i].buffer->strings;
  const sn_status status =
      sni_strings_settle(allocator, sni_buffer_host(buffer), (size_t)sni_type_size(NULL, type), all,
                         n, NULL, &buffer->strings, &context->diag);
  if (all != sources) sni_free(allocator, all, bytes);
  return status;
}

static sn_status run_call(sn_context *context, const sni_eager_call *call, eager_result *out) {
  sni_eager_entry *entry;
  SNI_TRY(sni_eager_find(context, call, &entry));
  out->buffer = sni_buffer_create(context->family->buffers, entry->bytes);
  if (!out->buffer) return sni_fail_memory(&context->diag, entry->bytes, "a tensor's elements");
  out->data = sni_buffer_host(out->buffer);
  out->type = &entry->type;
  sn_status status = run_entry(context, entry, call, out->data);
  if (!status && entry->type.dtype == SN_STRING)
    status = settle(context, call, &entry->type, out->buffer);
  if (status) sni_buffer_release(out->buffer);
  return status;
}

static sn_status run_view(sn_context *context, const sni_eager_call *call, eager_result *out) {
  sni_assert(call->n >= 1);
  const sni_type *type = shared_type(call);
  if (type) {
    *out = (eager_result){type, sni_buffer_keep(call->operands[0].buffer), call->operands[0].data};
    return SN_OK;
  }
  if (call->op != SNI_OP_SLICE) return run_call(context, call, out);
  sni_eager_operand operand = call->operands[0];
  sni_dim attrs[2 * SN_MAX_RANK];
  if (place_slice(call, &operand, attrs)) {
    *out = (eager_result){call->declared, sni_buffer_keep(operand.buffer), operand.data};
    return SN_OK;
  }
  sni_eager_call placed = *call;
  placed.operands = &operand;
  placed.attrs = attrs;
  return run_call(context, &placed, out);
}

static inline sn_status run_any(sn_context *context, const sni_eager_call *call,
                                eager_result *out) {
  bool view = sni_op_infos[call->op].op_class == SNI_CLASS_VIEW || sni_op_passes_on(call->op);
  return view ? run_view(context, call, out) : run_call(context, call, out);
}

static sni_eager_operand *make_operands(sn_context *context, sni_eager_operand *room, int n) {
  if (n <= few) return room;
  size_t bytes = sizeof(*room) * (size_t)n;
  room = sni_alloc(&context->family->allocator, bytes);
  if (!room) sni_error_from(context, sni_fail_memory(&context->diag, bytes, "operands"), NULL);
  return room;
}

static void free_operands(sn_context *context, sni_eager_operand *operands, int n) {
  if (n > few) sni_free(&context->family->allocator, operands, sizeof(*operands) * (size_t)n);
}

// A variable that siblings may assign at any moment is held by reference while the op runs.
static inline bool is_held(const sn_tensor *t, bool shared) {
  return shared && t->kind == SNI_TENSOR_VARIABLE;
}

sn_tensor *sni_eager_emit(sn_context *context, sni_op op, sn_tensor *const *operands,
                          int n_operands, const sni_dim *attrs, int n_attrs,
                          const sni_type *declared) {
  sni_eager_operand room[few];
  sni_eager_operand *values = make_operands(context, room, n_operands);
  if (!values) return &context->error_tensor;
  const bool shared = context->family->shared;
  for (int i = 0; i < n_operands; i++) {
    sn_tensor *t = operands[i];
    values[i].type = &t->type;
    if (is_held(t, shared)) {
      sni_tensor_snapshot(t, &values[i].buffer, &values[i].data);
    } else {
      values[i].buffer = t->buffer;
      values[i].data = t->data;
    }
  }
  sni_eager_call call = {op, false, n_operands, values, attrs, n_attrs, declared};
  eager_result result = {NULL, NULL, NULL};
  sn_status status = run_any(context, &call, &result);
  for (int i = 0; i < n_operands; i++)
    if (is_held(operands[i], shared)) sni_buffer_release(values[i].buffer);
  free_operands(context, values, n_operands);
  if (status) return sni_error_from(context, status, NULL);
  sn_tensor *t = sni_tensor_from_buffer(context, result.type, result.buffer, result.data);
  return t ? t : &context->error_tensor;
}

sn_status sni_eager_run(sn_context *context, sni_op op, const sni_value *const *operands,
                        int n_operands, const sni_dim *attrs, int n_attrs, const sni_type *declared,
                        sni_value *out) {
  sni_eager_operand room[few];
  sni_eager_operand *values = make_operands(context, room, n_operands);
  if (!values) return SN_ERR_MEMORY;
  for (int i = 0; i < n_operands; i++)
    values[i] = (sni_eager_operand){&operands[i]->type, operands[i]->buffer, operands[i]->data};
  sni_eager_call call = {op, false, n_operands, values, attrs, n_attrs, declared};
  eager_result result = {NULL, NULL, NULL};
  sn_status status = run_any(context, &call, &result);
  sni_assert(status || result.type);
  if (!status) *out = (sni_value){*result.type, result.buffer, result.data};
  free_operands(context, values, n_operands);
  return status;
}

sn_status sni_eager_update(sn_context *context, sni_op op, sn_tensor *variable,
                           const sni_value *value) {
  sni_eager_operand operands[] = {{&variable->type, variable->buffer, variable->data},
                                  {&value->type, value->buffer, value->data}};
  sni_eager_call call = {op, true, 2, operands, NULL, 0, NULL};
  sni_eager_entry *entry;
  SNI_TRY(sni_eager_find(context, &call, &entry));
  sni_buffer *old = variable->buffer;
  const bool strings = entry->type.dtype == SN_STRING;
  if (entry->in_place && !strings && sni_buffer_is_unique(old))
    return run_entry(context, entry, &call, variable->data);
  sni_buffer *fresh = sni_buffer_create(context->family->buffers, entry->bytes);
  if (!fresh) return sni_fail_memory(&context->diag, entry->bytes, "a variable's elements");
  sn_status status = run_entry(context, entry, &call, sni_buffer_host(fresh));
  if (!status && strings) status = settle(context, &call, &entry->type, fresh);
  if (status) {
    sni_buffer_release(fresh);
    return status;
  }
  variable->buffer = fresh;
  variable->data = sni_buffer_host(fresh);
  sni_buffer_release(old);
  return SN_OK;
}
