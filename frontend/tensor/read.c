// Reading: boundary functions that hand elements to the caller.
#include "frontend/ops/compose.h"
#include "runtime/float_modes.h"
#include "runtime/scalar.h"

#include <string.h>

sn_context *sni_begin_read(const char *name, const sn_tensor *t, const char *file, int line,
                           bool *out_ready, sn_status *out_refused) {
  sn_tensor *operand = (sn_tensor *)(uintptr_t)t;  // looked at, not changed
  sn_context *c = sni_operands_context(&operand, 1);
  sn_context *entered = NULL;
  *out_ready = false;
  *out_refused = sni_enter(c, name, &entered);
  if (*out_refused) return NULL;
  if (c->diag.status) return c;
  if (t->kind == SNI_TENSOR_ERROR || t->kind == SNI_TENSOR_ENDED)
    sni_operand_ok(c, name, 0, t);
  else if (t->kind == SNI_TENSOR_TRACED)
    sni_error(c, SN_ERR_STATE,
              "%s: a traced tensor has no elements yet: make it an output of the function and read "
              "what sn_call gives",
              name);
  else if (c->trace)
    sni_error(c, SN_ERR_STATE,
              "%s: nothing can be read while a function is traced: the value would be frozen into "
              "it. Read before sn_call, or make the tensor an output of the function",
              name);
  else
    *out_ready = true;
  if (!*out_ready) sni_locate_error(c, file, line);
  return c;
}

sn_context *sni_begin_read_numbers(const char *name, const sn_tensor *t, const char *file, int line,
                                   bool *out_ready, sn_status *out_refused) {
  sn_context *c = sni_begin_read(name, t, file, line, out_ready, out_refused);
  if (!c || !*out_ready || t->type.dtype != SN_STRING) return c;
  *out_ready = false;
  char text[SNI_TENSOR_NAME];
  sni_error(c, SN_ERR_DTYPE, "%s: %s: sn_read_strings reads strings", name, sni_describe(t, text));
  sni_locate_error(c, file, line);
  return c;
}

static sn_status finish(sn_context *c, const char *file, int line) {
  sni_locate_error(c, file, line);
  return sni_finish(c);
}

sn_status sn_read_at(const sn_tensor *t, void *out, size_t bytes, const char *file, int line) {
  bool ready;
  char text[SNI_TENSOR_NAME];
  sn_status refused;
  SNI_ENTERED c = sni_begin_read_numbers("sn_read", t, file, line, &ready, &refused);
  if (!c) return refused;
  if (!ready) return sni_finish(c);
  size_t needed = sni_type_bytes(&t->type);
  if (bytes != needed || (!out && needed)) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_read: %s takes %zu bytes, given %s of %zu",
              sni_describe(t, text), needed, out ? "room" : "NULL", bytes);
    return finish(c, file, line);
  }
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot((sn_tensor *)(uintptr_t)t, &buffer, &data);
  if (bytes) memcpy(out, data, bytes);
  sni_buffer_release(buffer);
  return sni_finish(c);
}

sn_status sn_item_at(const sn_tensor *t, double *out_value, const char *file, int line) {
  bool ready;
  char text[SNI_TENSOR_NAME];
  sn_status refused;
  SNI_ENTERED c = sni_begin_read_numbers("sn_item", t, file, line, &ready, &refused);
  if (!c) return refused;
  if (!ready) return sni_finish(c);
  if (!out_value) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_item: out_value is NULL");
    return finish(c, file, line);
  }
  if (sni_type_size(NULL, &t->type) != 1) {
    sni_error(c, SN_ERR_SHAPE, "sn_item: %s, expected one element", sni_describe(t, text));
    return finish(c, file, line);
  }
  if (sni_is_complex(t->type.dtype)) {
    sni_error(c, SN_ERR_DTYPE, "sn_item: %s is complex: sn_read gives both parts",
              sni_describe(t, text));
    return finish(c, file, line);
  }
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot((sn_tensor *)(uintptr_t)t, &buffer, &data);
  const unsigned modes = sni_enter_float_modes();  // large integers are rounded
  *out_value = sni_scalar_value(sni_scalar_load(t->type.dtype, data, 0));
  sni_leave_float_modes(modes);
  sni_buffer_release(buffer);
  return sni_finish(c);
}

sn_status sn_data_at(const sn_tensor *t, const void **out_data, const char *file, int line) {
  bool ready;
  sn_status refused;
  SNI_ENTERED c = sni_begin_read_numbers("sn_data", t, file, line, &ready, &refused);
  if (out_data) *out_data = NULL;
  if (!c) return refused;
  if (!ready) return sni_finish(c);
  if (!out_data) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_data: out_data is NULL");
    return finish(c, file, line);
  }
  *out_data = t->data;
  return sni_finish(c);
}

sn_status(sn_read)(const sn_tensor *t, void *out, size_t bytes) {
  return sn_read_at(t, out, bytes, NULL, 0);
}

sn_status(sn_item)(const sn_tensor *t, double *out_value) {
  return sn_item_at(t, out_value, NULL, 0);
}

sn_status(sn_data)(const sn_tensor *t, const void **out_data) {
  return sn_data_at(t, out_data, NULL, 0);
}
