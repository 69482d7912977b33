// Calls of host functions, and what their callbacks share.
#include "frontend/text/calls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// ---- calls
void snt_run_two(sn_context *c, const snt_call *call, sn_tensor *const *in, int n,
                 sn_tensor **out) {
  static const char *const names[SNT_NUMBERS] = {"a", "b", "c", "d"};
  const sn_spec specs[] = {{call->dtype, call->shape}, {call->second, call->shape}};
  const int n_out = call->two ? 2 : 1;
  sn_attr attrs[SNT_NUMBERS];
  for (int i = 0; i < SNT_NUMBERS; i++) attrs[i] = sn_attr_i64(names[i], call->numbers[i]);
  for (int k = 0; k < n_out; k++) out[k] = NULL;
  (void)sn_host_call(c, call->callback, in, n, out, n_out, .name = call->name, .specs = specs,
                     .pure = true, .attrs = attrs, .n_attrs = SNT_NUMBERS);
  for (int k = 0; k < n_out; k++)
    if (!out[k]) out[k] = sn_error_tensor(c);
}

sn_tensor *snt_run(sn_context *c, const snt_call *call, sn_tensor *const *in, int n) {
  sn_tensor *out[2] = {NULL, NULL};
  snt_run_two(c, call, in, n, out);
  return out[0];
}

// ---- operands
static const char *dtype_of(sn_tensor *t) {
  return sn_dtype_name(sn_dtype_of(t));
}

bool snt_strings_ok(sn_context *c, sn_tensor *t, const char *name) {
  if (!t) sn_fail(c, SN_ERR_ARGUMENT, "%s is NULL", name);
  if (!t || sn_failed(t)) return false;
  if (sn_dtype_of(t) == SN_STRING) return true;
  sn_fail(c, SN_ERR_DTYPE, "%s: %s, expected strings", name, dtype_of(t));
  return false;
}

bool snt_integers_ok(sn_context *c, sn_tensor *t, const char *name) {
  if (!t) sn_fail(c, SN_ERR_ARGUMENT, "%s is NULL", name);
  if (!t || sn_failed(t)) return false;
  if (sn_dtype_of(t) == SN_I32 || sn_dtype_of(t) == SN_I64) return true;
  sn_fail(c, SN_ERR_DTYPE, "%s: %s, expected i32 or i64", name, dtype_of(t));
  return false;
}

bool snt_in_range(sn_context *c, int value, int last, const char *name) {
  if (value >= 0 && value <= last) return true;
  sn_fail(c, SN_ERR_ARGUMENT, "%s %d is none", name, value);
  return false;
}

sn_shape snt_shape_of(const sn_tensor *t) {
  sn_shape shape = {.rank = sn_rank(t) < 0 ? 0 : sn_rank(t)};
  for (int i = 0; i < shape.rank; i++) shape.dims[i] = sn_symbolic_dim(t, i);
  return shape;
}

sn_shape snt_broadcast(sn_context *c, sn_tensor *const *in, int n) {
  sn_shape out = {.rank = 0};
  for (int k = 0; k < n; k++) {
    const sn_shape one = snt_shape_of(in[k]);
    for (; out.rank < one.rank; out.rank++) {
      memmove(out.dims + 1, out.dims, (size_t)out.rank * sizeof(*out.dims));
      out.dims[0] = 1;
    }
    for (int i = 0; i < one.rank; i++) {
      int64_t *dim = &out.dims[out.rank - one.rank + i];
      if (*dim == 1) *dim = one.dims[i];
      if (one.dims[i] == 1 || one.dims[i] == *dim) continue;
      sn_fail(c, SN_ERR_SHAPE, "operand %d does not broadcast: dim %d is not that of the others", k,
              i);
      return (sn_shape){.rank = 0};
    }
  }
  return out;
}

// ---- places
void snt_places_begin(snt_places *p, const sn_host_args *args) {
  const sn_shape *shape = &args->out[0].shape;
  memset(p, 0, sizeof(*p));
  p->rank = shape->rank;
  p->n = args->n_in < SNT_MOST_IN ? args->n_in : SNT_MOST_IN;
  p->size = snt_size(&args->out[0]);
  for (int d = 0; d < p->rank; d++) p->dims[d] = shape->dims[d];
  for (int k = 0; k < p->n; k++) {
    const sn_shape *one = &args->in[k].shape;
    int64_t step = 1;
    for (int d = one->rank - 1; d >= 0; d--) {
      const int to = d + p->rank - one->rank;
      if (to >= 0) p->steps[k][to] = one->dims[d] == 1 ? 0 : step;
      step *= one->dims[d];
    }
  }
}

void snt_places_next(snt_places *p) {
  for (int d = p->rank - 1; d >= 0; d--) {
    for (int k = 0; k < p->n; k++) p->at[k] += p->steps[k][d];
    if (++p->index[d] < p->dims[d]) return;
    for (int k = 0; k < p->n; k++) p->at[k] -= p->steps[k][d] * p->dims[d];
    p->index[d] = 0;
  }
}

bool snt_stream_block(snt_stream *s) {
  s->n = s->size - s->first < SNT_BLOCK ? s->size - s->first : SNT_BLOCK;
  if (s->n <= 0) return false;
  sn_view_strings(s->view, s->first, s->n, s->texts);
  s->first += s->n;
  s->at = 0;
  return true;
}

sn_text snt_refill(snt_stream *s) {
  return snt_stream_block(s) ? s->texts[s->at++] : snt_text("", 0);
}

int64_t snt_size(const sn_view *view) {
  int64_t n = 1;
  for (int d = 0; d < view->shape.rank; d++) n *= view->shape.dims[d];
  return n;
}

// ---- words
// "[2,1]", or "" of a scalar.
static void format_index(const sn_view *view, int64_t i, char *to, size_t size) {
  size_t n = 0;
  int64_t rest = snt_size(view);
  to[0] = 0;
  for (int d = 0; d < view->shape.rank && n < size; d++) {
    rest /= view->shape.dims[d] ? view->shape.dims[d] : 1;
    n += (size_t)snprintf(to + n, size - n, "%s%lld", d ? "," : "[", (long long)(i / rest));
    i %= rest;
  }
  if (view->shape.rank && n < size) (void)snprintf(to + n, size - n, "]");
}

// The first bytes of a text, those that do not print as '?'.
static void format_text(const sn_view *view, int64_t i, char *to, size_t size) {
  size_t n = 0;
  to[0] = 0;
  if (view->dtype != SN_STRING) return;
  const sn_text text = sn_view_string(view, i);
  to[n++] = ' ';
  to[n++] = '"';
  for (size_t k = 0; k < text.length && n + 5 < size; k++)
    to[n++] = text.data[k] >= 32 && text.data[k] < 127 ? text.data[k] : '?';
  (void)snprintf(to + n, size - n, "%s", n - 2 < text.length ? "..\"" : "\"");
}

sn_status snt_refuse_element(const sn_host_args *args, sn_status status, const sn_view *view,
                             int64_t i, const char *format, ...) {
  char index[96], text[48];
  format_index(view, i, index, sizeof(index));
  format_text(view, i, text, sizeof(text));
  const int n = snprintf(args->message, args->message_size, "element %s%s ", index, text);
  if (n < 0 || (size_t)n >= args->message_size) return status;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(args->message + n, args->message_size - (size_t)n, format, arguments);
  va_end(arguments);
  return status;
}

sn_status snt_refuse(const sn_host_args *args, sn_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(args->message, args->message_size, format, arguments);
  va_end(arguments);
  return status;
}

// ---- rows
int64_t snt_total(sn_tensor *lengths) {
  return sn_late_dim(sn_sum(lengths));
}

// The error object: what a failed function of ragged tensors gives.
sn_ragged *snt_no_ragged(sn_context *c) {
  return (sn_ragged_from_row_lengths)(sn_error_tensor(c), sn_error_tensor(c));
}

// Row splits of level `number 0` of a tensor's dims: in: the tensor.
static sn_status fill_splits(const sn_host_args *args) {
  int64_t *out = (int64_t *)args->out[0].data;
  const int64_t length = args->in[0].shape.dims[snt_number(args, 0) + 1];
  for (int64_t i = 0, n = snt_size(args->out); i < n; i++) out[i] = i * length;
  return SN_OK;
}

static sn_tensor *splits_of_level(sn_context *c, sn_tensor *t, int level) {
  sn_tensor *rows = sn_axis_size(t, 0, SN_I64);
  for (int d = 1; d <= level; d++) rows = sn_mul(rows, sn_axis_size(t, d, SN_I64));
  const int64_t n = sn_late_dim(sn_add(rows, sn_scalar_i64(c, 1)));
  return SNT_RUN(c, &t, 1, .name = "row_splits", .callback = fill_splits, .dtype = SN_I64,
                 .shape = SN_SHAPE(n), .numbers = {level});
}

sn_ragged *snt_rows(sn_context *c, sn_tensor *t, sn_tensor *lengths, sn_tensor *values) {
  const int rank = sn_rank(t);
  if (rank == 0) return sn_ragged_from_dense(values);
  sn_ragged *rows =
      sn_ragged_from_row_lengths(values, rank == 1 ? lengths : sn_reshape(lengths, SN_SHAPE(-1)));
  for (int level = rank - 2; level >= 0; level--)
    rows = sn_ragged_nest(rows, splits_of_level(c, lengths, level));
  return rows;
}

// ---- buffers
char *snt_buffer_room(snt_buffer *b, size_t more) {
  if (b->failed || more > SIZE_MAX / 4 - b->length) {
    b->failed = true;
    return NULL;
  }
  if (b->length + more > b->capacity) {
    const size_t capacity = 2 * (b->length + more) + 64;
    char *data = realloc(b->data, capacity);
    b->failed = !data;
    if (!data) return NULL;
    b->data = data;
    b->capacity = capacity;
  }
  return b->data + b->length;
}

void snt_buffer_add(snt_buffer *b, sn_text text) {
  char *to = snt_buffer_room(b, text.length);
  if (!to || !text.length) return;
  memcpy(to, text.data, text.length);
  b->length += text.length;
}

void snt_buffer_end(snt_buffer *b) {
  free(b->data);
  *b = (snt_buffer){NULL, 0, 0, false};
}

sn_status snt_buffer_flush(snt_buffer *b, const sn_host_args *args, int64_t i) {
  if (b->failed) return SN_ERR_MEMORY;
  const sn_status status =
      sn_host_set_string(args, 0, i, snt_text(b->length ? b->data : "", b->length));
  b->length = 0;
  return status;
}
