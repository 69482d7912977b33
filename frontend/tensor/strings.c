// Tensors of strings: made of the caller's, and read. A trace captures them: the graph has none as constants, as the
// addresses in elements mean nothing outside this process.
#include "runtime/strings.h"
#include "frontend/ops/compose.h"

#include <string.h>

// ---- creation
// The type, and room for its elements; NULL: an error is pending.
static sn_tensor *make(sn_context *c, const sn_shape *shape, int64_t *out_n) {
  sni_type type;
  if (!sni_known_shape_type(c, SN_STRING, shape, &type)) return NULL;
  *out_n = sni_type_size(NULL, &type);
  return sni_tensor_new(c, &type);
}

// The newest result cannot be finished.
static sn_tensor *fail_strings(sn_context *c, size_t bytes) {
  sni_scope_drop_newest(c);
  return sni_error_from(c, sni_fail_memory(&c->diag, bytes, "strings"), NULL);
}

static sn_tensor *finish(sn_context *c, sn_tensor *t, int64_t n, sni_string_heap *heap) {
  const sn_status status =
      sni_strings_settle(&c->family->allocator, (sni_string *)(void *)t->data, (size_t)n, NULL, 0,
                         heap, &t->buffer->strings, &c->diag);
  sni_string_heap_release(heap);
  if (!status) return t;
  sni_scope_drop_newest(c);
  return sni_error_from(c, status, NULL);
}

static size_t room_for(size_t length) {
  return length + (length > SNI_STRING_SHORT ? sizeof(uint64_t) : 0);
}

static sn_tensor *copy_texts(sn_context *c, const sn_shape *shape, const sn_text *texts,
                             const char *const *ended) {
  int64_t n = 0;
  size_t bytes = 0;
  sn_tensor *t = make(c, shape, &n);
  if (!t) return &c->error_tensor;
  for (int64_t i = 0; i < n; i++) bytes += room_for(ended ? strlen(ended[i]) : texts[i].length);
  sni_string *elements = (sni_string *)(void *)t->data;
  sni_string_writer w = {.heap = sni_string_heap_create(&c->family->allocator)};
  bool ok = w.heap && sni_string_reserve(&w, bytes);
  for (int64_t i = 0; ok && i < n; i++)
    ok =
        sni_string_copy(&w, ended ? (sn_text){ended[i], strlen(ended[i])} : texts[i], &elements[i]);
  if (ok) return finish(c, t, n, w.heap);
  sni_string_heap_release(w.heap);
  return fail_strings(c, bytes);
}

sn_tensor *sni_strings_of(sn_context *c, const sn_shape *shape, const sn_text *texts) {
  return copy_texts(c, shape, texts, NULL);
}

// Whether there are n, none of them NULL.
static bool check_texts(sn_context *c, const sn_shape *shape, const sn_text *texts,
                        const char *const *ended) {
  sni_type type;
  if (!sni_known_shape_type(c, SN_STRING, shape, &type)) return false;
  const int64_t n = sni_type_size(NULL, &type);
  if (n && !texts && !ended) sni_error(c, SN_ERR_ARGUMENT, "%s: texts is NULL", c->frame.op);
  for (int64_t i = 0; i < n && !c->diag.status; i++)
    if (ended ? !ended[i] : !texts[i].data && texts[i].length)
      sni_error(c, SN_ERR_ARGUMENT, "%s: text %lld is NULL", c->frame.op, (long long)i);
  return !c->diag.status;
}

static sn_tensor *strings(sn_context *context, const char *name, sn_shape shape,
                          const sn_text *texts, const char *const *ended) {
  SNI_ENTER(context, name, sni_refused(context, context_refused));
  if (!check_texts(context, &shape, texts, ended)) return &context->error_tensor;
  return copy_texts(context, &shape, texts, ended);
}

sn_tensor *(sn_strings)(sn_context *context, sn_shape shape, const char *const *texts) {
  return strings(context, "sn_strings", shape, NULL, texts);
}

sn_tensor *(sn_scalar_string)(sn_context *context, const char *text) {
  return strings(context, "sn_scalar_string", SN_SCALAR, NULL, &text);
}

sn_tensor *(sn_strings_from_texts)(sn_context *context, sn_shape shape, const sn_text *texts) {
  return strings(context, "sn_strings_from_texts", shape, texts, NULL);
}

static bool check_offsets(sn_context *c, int64_t n, const int64_t *offsets, const void *bytes) {
  if (!offsets) sni_error(c, SN_ERR_ARGUMENT, "%s: offsets is NULL", c->frame.op);
  for (int64_t i = 0; offsets && i <= n && !c->diag.status; i++)
    if (offsets[i] < (i ? offsets[i - 1] : 0))
      sni_error(c, SN_ERR_ARGUMENT, "%s: offset %lld is %lld, %s", c->frame.op, (long long)i,
                (long long)offsets[i], i ? "less than the one before" : "below 0");
  if (!c->diag.status && !bytes && offsets[n] > offsets[0])
    sni_error(c, SN_ERR_ARGUMENT, "%s: bytes is NULL", c->frame.op);
  return !c->diag.status;
}

sn_tensor *(sn_strings_from_offsets)(sn_context *context, sn_shape shape, const int64_t *offsets,
                                     const void *bytes, void (*release)(void *user), void *user) {
  SNI_ENTER(context, "sn_strings_from_offsets", sni_refused(context, context_refused));
  int64_t n = 0;
  sn_tensor *t = make(context, &shape, &n);
  if (!t) return &context->error_tensor;
  if (!check_offsets(context, n, offsets, bytes)) {
    sni_scope_drop_newest(context);
    return &context->error_tensor;
  }
  sni_string *elements = (sni_string *)(void *)t->data;
  sni_string_writer w = {.heap = sni_string_heap_create(&context->family->allocator)};
  bool ok = w.heap != NULL;
  for (int64_t i = 0; ok && i < n; i++)
    ok = sni_string_over(
        &w, (sn_text){(const char *)bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i])},
        &elements[i]);
  const size_t size = n ? (size_t)(offsets[n] - offsets[0]) : 0;
  if (ok) sni_string_writer_end(&w);
  // last: from here on the bytes are released with the heap
  if (ok && sni_string_heap_adopt(w.heap, bytes, size, release, user))
    return finish(context, t, n, w.heap);
  sni_string_heap_release(w.heap);
  return fail_strings(context, size);
}

// ---- reading
sn_status sn_read_strings_at(const sn_tensor *t, sn_text *out, int64_t n, const char *file,
                             int line) {
  bool ready;
  char text[SNI_TENSOR_NAME];
  sn_status refused;
  SNI_ENTERED c = sni_begin_read("sn_read_strings", t, file, line, &ready, &refused);
  if (!c) return refused;
  if (!ready) return sni_finish(c);
  const int64_t size = sni_type_size(NULL, &t->type);
  if (t->type.dtype != SN_STRING)
    sni_error(c, SN_ERR_DTYPE, "sn_read_strings: %s, expected strings", sni_describe(t, text));
  else if (n != size || (!out && size))
    sni_error(c, SN_ERR_ARGUMENT, "sn_read_strings: %s has %lld strings, given %s for %lld",
              sni_describe(t, text), (long long)size, out ? "room" : "NULL", (long long)n);
  if (c->diag.status) {
    sni_locate_error(c, file, line);
    return sni_finish(c);
  }
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot((sn_tensor *)(uintptr_t)t, &buffer, &data);
  const sni_string *elements = (const sni_string *)(const void *)data;
  for (int64_t i = 0; i < n; i++) out[i] = sni_string_text(elements[i]);
  sni_buffer_release(buffer);
  return sni_finish(c);
}

sn_status(sn_read_strings)(const sn_tensor *t, sn_text *out, int64_t n) {
  return sn_read_strings_at(t, out, n, NULL, 0);
}
