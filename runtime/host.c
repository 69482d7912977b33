// Calling functions of the host's: in the float modes of kernels, with its context closed.
#include "runtime/host.h"

#include "runtime/float_modes.h"
#include "runtime/strings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { message_size = 256, operands_size = 600, most_operands = 64 };

sn_status sni_host_fail(sni_diag *diag, sn_status status, const char *prefix, const char *message,
                        const char *operands) {
  return sni_fail(diag, status, "%s%s%s%s%s%s", prefix ? prefix : "", prefix ? ": " : "",
                  *message ? message : sn_status_meaning(status), *operands ? " (operands " : "",
                  operands, *operands ? ")" : "");
}

static void format_views(const sn_view *views, int n, char *text, size_t capacity) {
  size_t at = 0;
  text[0] = 0;
  for (int i = 0; i < n && at + 200 < capacity; i++) {
    at += (size_t)snprintf(text + at, capacity - at, "%s%s[", i ? ", " : "",
                           sn_dtype_name(views[i].dtype));
    for (int d = 0; d < views[i].shape.rank; d++)
      at += (size_t)snprintf(text + at, capacity - at, "%s%lld", d ? "," : "",
                             (long long)views[i].shape.dims[d]);
    at += (size_t)snprintf(text + at, capacity - at, "]");
  }
}

// ---- strings
static int64_t size_of(const sn_view *view) {
  int64_t size = 1;
  for (int d = 0; d < view->shape.rank; d++) size *= view->shape.dims[d];
  return size;
}

static void clear_strings(const sn_host_args *args) {
  for (int i = 0; i < args->n_out; i++)
    if (args->out[i].dtype == SN_STRING)
      memset(args->out[i].data, 0, (size_t)size_of(&args->out[i]) * sizeof(sni_string));
}

sn_text sn_view_string(const sn_view *view, int64_t i) {
  if (!view || view->dtype != SN_STRING || i < 0 || i >= size_of(view)) return (sn_text){"", 0};
  return sni_string_text(((const sni_string *)view->data)[i]);
}

void sn_view_strings(const sn_view *view, int64_t first, int64_t n, sn_text *out) {
  if (!view || !out || view->dtype != SN_STRING || first < 0) return;
  const int64_t size = size_of(view);
  const sni_string *elements = (const sni_string *)view->data + first;
  const int64_t last = n < size - first ? n : size - first;
  bool is_long = false;
  for (int64_t i = 0; i < last; i++) {
    const uint64_t length = elements[i] >> SNI_STRING_BITS;
    const char *at =
        (const char *)(uintptr_t)(elements[i] & (((uint64_t)1 << SNI_STRING_BITS) - 1));
    out[i] = (sn_text){length ? at : "", (size_t)length};
    is_long |= length > SNI_STRING_SHORT;
  }
  for (int64_t i = 0; is_long && i < last; i++) out[i] = sni_string_text(elements[i]);
}

void sn_view_lengths(const sn_view *view, int64_t first, int64_t n, size_t *out) {
  if (!view || !out || view->dtype != SN_STRING || first < 0) return;
  const int64_t size = size_of(view);
  const sni_string *elements = (const sni_string *)view->data + first;
  const int64_t last = n < size - first ? n : size - first;
  bool is_long = false;
  for (int64_t i = 0; i < last; i++) {
    out[i] = (size_t)(elements[i] >> SNI_STRING_BITS);
    is_long |= out[i] > SNI_STRING_SHORT;
  }
  for (int64_t i = 0; is_long && i < last; i++) out[i] = sni_string_length(elements[i]);
}

// NULL: there is none.
static sni_string *element_of(const sn_host_args *args, int output, int64_t i) {
  if (!args || !args->strings || output < 0 || output >= args->n_out) return NULL;
  const sn_view *view = &args->out[output];
  const bool is_there = view->dtype == SN_STRING && i >= 0 && i < size_of(view);
  return is_there ? (sni_string *)view->data + i : NULL;
}

char *sn_host_new_string(const sn_host_args *args, int output, int64_t i, size_t length) {
  static char none[1];
  sni_string *element = element_of(args, output, i);
  sni_string_writer *writer = element ? args->strings : NULL;
  char *bytes;
  if (!writer || (length && !writer->heap)) return NULL;
  if (!sni_string_add(writer, length, element, &bytes)) return NULL;
  return length ? bytes : none;
}

// first .. first + n - 1; NULL: there is one that is none.
static sni_string *elements_of(const sn_host_args *args, int output, int64_t first, int64_t n) {
  sni_string *elements = n > 0 ? element_of(args, output, first) : NULL;
  return elements && n <= size_of(&args->out[output]) - first ? elements : NULL;
}

bool sn_host_new_strings(const sn_host_args *args, int output, int64_t first, int64_t n,
                         const size_t *lengths, char **out) {
  static char none[1];
  sni_string *elements = elements_of(args, output, first, n);
  sni_string_writer *writer = elements && lengths && out ? args->strings : NULL;
  if (!writer || !writer->heap || !sni_string_add_many(writer, lengths, n, elements, out))
    return n == 0;
  for (int64_t i = 0; i < n; i++)
    if (!lengths[i]) out[i] = none;
  return true;
}

sn_status sn_host_share_strings(const sn_host_args *args, int output, int64_t first, int64_t n,
                                const sn_text *texts) {
  sni_string *elements = elements_of(args, output, first, n);
  if (!n) return SN_OK;
  if (!elements || !texts) return SN_ERR_ARGUMENT;
  for (int64_t i = 0; i < n; i++) {
    if (texts[i].length && !texts[i].data) return SN_ERR_ARGUMENT;
    if (!sni_string_over(args->strings, texts[i], &elements[i])) return SN_ERR_MEMORY;
  }
  return SN_OK;
}

sn_status sn_host_set_string(const sn_host_args *args, int output, int64_t i, sn_text text) {
  if (!element_of(args, output, i) || (text.length && !text.data)) return SN_ERR_ARGUMENT;
  char *to = sn_host_new_string(args, output, i, text.length);
  if (!to) return SN_ERR_MEMORY;
  if (text.length) memcpy(to, text.data, text.length);
  return SN_OK;
}

sn_status sn_host_share_string(const sn_host_args *args, int output, int64_t i, sn_text text) {
  sni_string *element = element_of(args, output, i);
  if (!element || (text.length && !text.data)) return SN_ERR_ARGUMENT;
  if (text.length > SNI_STRING_SHORT) return sn_host_set_string(args, output, i, text);
  return sni_string_over(args->strings, text, element) ? SN_OK : SN_ERR_MEMORY;
}

// ---- calls
static bool same_attribute(const sn_attr *a, const sn_attr *b) {
  return a->dtype == b->dtype && a->integer == b->integer &&
         !memcmp(&a->real, &b->real, sizeof(a->real));
}

bool sni_host_equal(const sni_host *a, const sni_host *b) {
  if (a == b) return true;
  if (!a || !b || a->callback != b->callback || a->vmap != b->vmap || a->user != b->user ||
      a->n_attrs != b->n_attrs)
    return false;
  for (int i = 0; i < a->n_attrs; i++)
    if (!same_attribute(&a->attrs[i], &b->attrs[i])) return false;
  return true;
}

sn_status sni_host_run(const sni_host *host, const sn_host_args *args, uint64_t batch,
                       const char *prefix, const sni_watch *watch, sni_diag *diag) {
  char message[message_size] = "", operands[operands_size];
  bool batched[most_operands];
  sn_host_args given = *args;
  for (int i = 0; batch && i < given.n_in; i++) batched[i] = batch >> i & 1;
  given.batched = batch ? batched : NULL;
  given.attrs = host->attrs;
  given.n_attrs = host->n_attrs;
  given.size = sizeof(given);
  given.user = host->user;
  given.message = message;
  given.message_size = sizeof(message);
  sni_string_writer writer = {.heap = watch ? watch->strings : NULL};
  given.strings = &writer;
  given.watch = (void *)(uintptr_t)watch;
  clear_strings(&given);
  sni_watch_close(watch, true);
  const unsigned modes = sni_enter_float_modes();
  sn_status status = batch ? host->vmap(&given) : host->callback(&given);
  sni_leave_float_modes(modes);
  if (writer.heap) sni_string_writer_end(&writer);
  const sn_status misused = sni_watch_close(watch, false);
  if (!status) status = misused;
  if (!status) return SN_OK;
  message[sizeof(message) - 1] = 0;
  format_views(args->in, args->n_in, operands, sizeof(operands));
  return sni_host_fail(diag, status, prefix, message, operands);
}

sn_status sn_host_interrupted(const sn_host_args *args) {
  sni_diag diag = {0};
  if (!args || !args->watch) return SN_OK;
  return sni_watch_poll(args->watch, HUGE_VAL, &diag);
}

// ---- journals
static size_t bytes_of(const sn_view *view) {
  size_t bytes = sn_dtype_size(view->dtype);
  for (int d = 0; d < view->shape.rank; d++) bytes *= (size_t)view->shape.dims[d];
  return bytes;
}

sn_status sni_host_journal_add(sni_host_journal *journal, const sn_view *out, int n,
                               sni_diag *diag) {
  for (int i = 0; i < n; i++) {
    const size_t bytes = bytes_of(&out[i]);
    SNI_TRY(sni_vec_reserve(journal->allocator, diag, (void **)&journal->entries,
                            &journal->capacity, journal->n + 1, sizeof(*journal->entries)));
    struct sni_host_entry *entry = &journal->entries[journal->n];
    *entry = (struct sni_host_entry){bytes ? sni_alloc(journal->allocator, bytes) : NULL, bytes};
    if (bytes && !entry->data) return sni_fail_memory(diag, bytes, "what a host call gives");
    if (bytes) memcpy(entry->data, out[i].data, bytes);
    journal->n++;
  }
  return SN_OK;
}

void sni_host_journal_deinit(sni_host_journal *journal) {
  for (uint32_t i = 0; i < journal->n; i++)
    sni_free(journal->allocator, journal->entries[i].data, journal->entries[i].bytes);
  sni_free(journal->allocator, journal->entries, journal->capacity * sizeof(*journal->entries));
}
