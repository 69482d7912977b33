// Static values: inputs that are fixed at trace time, a signature each. They are tensors too.
//
// Invariant: two statics are the same exactly where their types and static_value are: an integer, the bits of a float, or
// the address of a text that the family keeps once.
#include "frontend/function/static_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- making
static sn_tensor *make(sn_context *context, const sni_type *type, const void *data, int64_t value) {
  sn_tensor *t = sni_tensor_new(context, type);
  if (!t) return &context->error_tensor;
  memcpy(t->data, data, sni_type_bytes(type));
  t->is_static = true;
  t->static_value = value;
  return t;
}

sn_tensor *(sn_static)(sn_context *context, int64_t value) {
  SNI_ENTER(context, "sn_static", sni_refused(context, context_refused));
  const sni_type type = sni_type_make(SN_I64, 0, NULL);
  return make(context, &type, &value, value);
}

sn_tensor *(sn_static_f64)(sn_context *context, double value) {
  SNI_ENTER(context, "sn_static_f64", sni_refused(context, context_refused));
  const sni_type type = sni_type_make(SN_F64, 0, NULL);
  int64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return make(context, &type, &value, bits);
}

sn_tensor *(sn_static_bool)(sn_context *context, bool value) {
  SNI_ENTER(context, "sn_static_bool", sni_refused(context, context_refused));
  const sni_type type = sni_type_make(SN_BOOL, 0, NULL);
  return make(context, &type, &value, value);
}

sn_tensor *(sn_static_text)(sn_context *context, const char *text) {
  SNI_ENTER(context, "sn_static_text", sni_refused(context, context_refused));
  if (!text) return sni_error(context, SN_ERR_ARGUMENT, "sn_static_text: text is NULL");
  const char *kept = sni_family_text(context->family, text);
  if (!kept)
    return sni_error_from(context, sni_fail_memory(&context->diag, strlen(text), "a static text"),
                          NULL);
  const sni_type type = sni_type_make(SN_U8, 1, (sni_dim[]){(sni_dim)strlen(text) + 1});
  return make(context, &type, kept, (int64_t)(intptr_t)kept);
}

static sni_type absent_type(void) {
  return sni_type_make(SN_BOOL, SN_MAX_RANK - 1, (sni_dim[SN_MAX_RANK]){0});
}

sn_tensor *sni_absent(sn_context *context) {
  const sni_type type = absent_type();
  return make(context, &type, "", sni_absent_value);
}

// Its rows along a new axis 0 are absent, too.
bool sni_is_absent_type(const sni_type *type) {
  if (type->dtype != SN_BOOL || type->rank < SN_MAX_RANK - 1) return false;
  for (int d = type->rank - SN_MAX_RANK + 1; d < type->rank; d++)
    if (type->dims[d]) return false;
  return true;
}

// ---- asking
static bool is_of(const sn_tensor *t, sn_dtype dtype) {
  return t && t->kind == SNI_TENSOR_EAGER && t->is_static && t->type.dtype == dtype &&
         !sni_is_absent_value(dtype, t->static_value);
}

static void refuse(const char *name, sn_tensor *t, const char *expected, const char *file,
                   int line) {
  sn_tensor *failed;
  char text[SNI_TENSOR_NAME];
  SNI_ENTERED context = sni_begin(name, &t, 1, &failed);
  if (context)
    sni_error(context, SN_ERR_ARGUMENT, "%s: %s is no static %s", name, sni_describe(t, text),
              expected);
  sn_locate(failed, file, line);
}

int64_t sn_static_value_at(sn_tensor *t, const char *file, int line) {
  if (is_of(t, SN_I64)) return t->static_value;
  refuse("sn_static_value", t, "input", file, line);
  return 0;
}

double sn_static_value_f64_at(sn_tensor *t, const char *file, int line) {
  double value = 0;
  if (is_of(t, SN_F64))
    memcpy(&value, &t->static_value, sizeof(value));
  else
    refuse("sn_static_value_f64", t, "double", file, line);
  return value;
}

bool sn_static_value_bool_at(sn_tensor *t, const char *file, int line) {
  if (is_of(t, SN_BOOL)) return t->static_value != 0;
  refuse("sn_static_value_bool", t, "bool", file, line);
  return false;
}

const char *sn_static_value_text_at(sn_tensor *t, const char *file, int line) {
  if (is_of(t, SN_U8)) return (const char *)(intptr_t)t->static_value;
  refuse("sn_static_value_text", t, "text", file, line);
  return "";
}

int64_t(sn_static_value)(sn_tensor *t) {
  return sn_static_value_at(t, NULL, 0);
}

// ---- words
void sni_describe_static(sn_dtype dtype, int64_t value, char *buffer, size_t capacity) {
  double number;
  memcpy(&number, &value, sizeof(number));
  if (dtype == SN_F64)
    snprintf(buffer, capacity, "%.17g", number);
  else if (dtype == SN_BOOL)
    snprintf(buffer, capacity, "%s", value ? "true" : "false");
  else if (dtype == SN_U8)
    snprintf(buffer, capacity, "\"%.60s\"", (const char *)(intptr_t)value);
  else
    snprintf(buffer, capacity, "%" PRId64, value);
}
