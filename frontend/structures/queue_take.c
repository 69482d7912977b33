// Queues: taking records out. Results whose sizes the records say come in two steps: a call takes the records and says their sizes (a "ticket"),
// and one for each component fills it in; op by op the second step is none, so that a call that ends takes nothing.
#include "frontend/structures/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { part = 1 + SN_MAX_RANK };

// Attributes.
enum { COUNT, UP_TO, TIMEOUT };  // COUNT: -1: a record, no column of some

// Sizes of all records of a column, or of the record.
static void unite_shapes(sn_shape *shape, const sn_shape *of, bool first) {
  if (first) *shape = *of;
  for (int d = 0; d < shape->rank; d++)
    if (of->dims[d] > shape->dims[d]) shape->dims[d] = of->dims[d];
}

// What components with sizes that differ are padded to.
static sn_shape column_shape(const sns_store *s, const sns_attempt *a, int component) {
  sn_shape shape = s->components[component].shape;
  for (int d = 0; d < shape.rank; d++)
    if (shape.dims[d] < 0) shape.dims[d] = 0;
  for (int64_t i = 0; i < a->n; i++) {
    const sns_cell cell = sns_record_cell(s, a->records[i], component);
    unite_shapes(&shape, &cell.shape, !i);
  }
  return shape;
}

static sn_status write_records(const sns_store *s, int component, const sns_sink *sink,
                               sns_record *const *records, int64_t n, bool many) {
  sn_status status = SN_OK;
  for (int64_t i = 0; i < n && !status; i++) {
    const sns_cell cell = sns_record_cell(s, records[i], component);
    status = sns_cell_write(sink, many ? i : -1, &cell);
  }
  return status;
}

static sns_sink sink_of(const sn_host_args *args, int output) {
  const sn_view *out = &args->out[output];
  return (sns_sink){
      .dtype = out->dtype, .shape = out->shape, .data = out->data, .args = args, .output = output};
}

static sn_status take_records(const sn_host_args *args, sns_attempt *a) {
  const int64_t count = args->attrs[COUNT].integer;
  sns_store *s = sns_queue_of(args)->store;
  *a = (sns_attempt){
      .takes = true, .up_to = args->attrs[UP_TO].integer != 0, .n = count < 0 ? 1 : count};
  if (a->n > INT64_C(1) << 40) return SN_ERR_MEMORY;
  a->records = calloc((size_t)(a->n ? a->n : 1), sizeof(*a->records));
  if (!a->records) return SN_ERR_MEMORY;
  const int64_t wanted = a->n;
  const sns_wait wait = {args, args->user, args->attrs[TIMEOUT].real};
  const sn_status status = sns_store_serve(s, a, &wait);
  if (!status) return SN_OK;
  if (status == SN_ERR_END && !*args->message)
    (void)sns_refuse(args, status, "queue \"%s\" is closed: records wanted: %lld, less are left",
                     s->name, (long long)wanted);
  sns_records_free(s, a->records, a->done);
  free(a->records);
  return status;
}

static sn_status take(const sn_host_args *args) {
  sns_store *s = sns_queue_of(args)->store;
  sns_attempt a;
  sn_status status = take_records(args, &a);
  if (status) return status;
  for (int i = 0; i < s->n_components && !status; i++) {
    const sns_sink sink = sink_of(args, i);
    status = write_records(s, i, &sink, a.records, a.n, args->attrs[COUNT].integer >= 0);
  }
  sns_records_free(s, a.records, a.n);
  free(a.records);
  return status;
}

// out[0]: the ticket, the number of records, then rank and dims of each component.
static sn_status take_ticket(const sn_host_args *args) {
  sns_store *s = sns_queue_of(args)->store;
  int64_t *out = sns_i64(&args->out[0]);
  sns_attempt a;
  const sn_status status = take_records(args, &a);
  if (status) return status;
  out[1] = a.n;
  for (int i = 0; i < s->n_components; i++) {
    const sn_shape shape = column_shape(s, &a, i);
    out[2 + i * part] = shape.rank;
    for (int d = 0; d < SN_MAX_RANK; d++)
      out[3 + i * part + d] = d < shape.rank ? shape.dims[d] : 0;
  }
  out[0] = sns_ticket_put(s, a.records, a.n);
  if (out[0] < 0) sns_records_free(s, a.records, a.n);
  free(a.records);
  return out[0] < 0 ? SN_ERR_MEMORY : SN_OK;
}

// in[0]: the variable, in[1]: what take_ticket gave. Numbers: the component; whether it is a column; whether it is the last.
static sn_status fill(const sn_host_args *args) {
  sns_store *s = sns_queue_of(args)->store;
  const int64_t number = sns_i64(&args->in[1])[0];
  sns_ticket *ticket = sns_ticket_take(s, number);
  if (!ticket) return sns_refuse(args, SN_ERR_STATE, "these records have been fetched before");
  const sns_sink sink = sink_of(args, 0);
  const sn_status status = write_records(s, (int)sns_number(args, 0), &sink, ticket->records,
                                         ticket->n, sns_number(args, 1) != 0);
  if (status || !sns_number(args, 2)) {
    sns_ticket_back(s, ticket);
    return status;
  }
  sns_records_free(s, ticket->records, ticket->n);
  free(ticket);
  return SN_OK;
}

static sn_status infer_take(const sn_infer_args *args) {
  const sns_store *s = ((const sn_queue *)args->user)->store;
  const int64_t count = args->attrs[COUNT].integer;
  for (int i = 0; i < args->n_out; i++) {
    args->out[i] = s->components[i];
    if (count < 0) continue;
    sn_shape *shape = &args->out[i].shape;
    memmove(shape->dims + 1, shape->dims, (size_t)shape->rank++ * sizeof(int64_t));
    shape->dims[0] = count;
  }
  return SN_OK;
}

static sn_status infer_ticket(const sn_infer_args *args) {
  const sns_store *s = ((const sn_queue *)args->user)->store;
  args->out[0] = (sn_spec){SN_I64, {.rank = 1, .dims = {2 + s->n_components * part}}};
  return SN_OK;
}

// ---- where it is called
static bool is_known(const sn_spec *component) {
  bool known = component->shape.rank >= 0;
  for (int d = 0; d < component->shape.rank; d++) known = known && component->shape.dims[d] >= 0;
  return known;
}

static bool check_shapes(sn_context *c, const sns_store *s, int64_t count) {
  const bool padded = s->kind == SN_QUEUE_PADDING_FIFO;
  if (count < -1) {
    sn_fail(c, SN_ERR_ARGUMENT, "queue \"%s\": %lld records, expected 0 or more", s->name,
            (long long)count);
    return false;
  }
  for (int i = 0; i < s->n_components; i++) {
    const sn_spec *component = &s->components[i];
    const bool ok = count < 0 ? component->shape.rank >= 0 || !sn_is_tracing(c)
                              : is_known(component) || (padded && component->shape.rank >= 0);
    char text[200];
    if (ok) continue;
    (void)sns_add_spec(text, sizeof(text), component->dtype, &component->shape);
    sn_fail(c, SN_ERR_SHAPE, "queue \"%s\": component %d is %s: %s", s->name, i, text,
            count < 0 ? "in a trace its rank must be known"
                      : "records of unknown size make no column, but in a padding FIFO queue of "
                        "known ranks");
    return false;
  }
  return true;
}

static sn_shape traced_shape(const sns_store *s, sn_tensor *ticket, int i, int64_t count,
                             bool up_to) {
  const sn_spec *component = &s->components[i];
  const bool many = count >= 0;
  sn_shape shape = {.rank = component->shape.rank + many};
  for (int d = 0; d < component->shape.rank; d++) {
    const int64_t dim = component->shape.dims[d];
    shape.dims[d + many] = dim >= 0 ? dim : sn_late_dim(sn_index(ticket, 0, 3 + i * part + d));
  }
  if (many) shape.dims[0] = up_to ? sn_late_dim(sn_index(ticket, 0, 1)) : count;
  return shape;
}

static void fill_traced(sn_context *c, sn_queue *queue, sn_tensor *ticket, int64_t count,
                        bool up_to, sn_tensor **out) {
  const sns_store *s = queue->store;
  sn_tensor *const in[] = {sn_object_variable(queue), ticket};
  for (int i = 0; i < s->n_components; i++)
    out[i] = SNS_RUN(c, in, 2, .name = "fill", .callback = fill, .dtype = s->components[i].dtype,
                     .shape = traced_shape(s, ticket, i, count, up_to),
                     .numbers = {i, count >= 0, i + 1 == s->n_components}, .user = queue,
                     .effects = true);
}

// Op by op taking and filling are one: what ends in between takes nothing.
static sn_tensor *component_of(sn_context *c, const sns_store *s, int i, const sns_ticket *ticket,
                               bool many) {
  const sns_attempt a = {.records = (sns_record **)(uintptr_t)ticket->records, .n = ticket->n};
  sns_sink sink = {.dtype = s->components[i].dtype, .shape = column_shape(s, &a, i)};
  if (many) {
    memmove(sink.shape.dims + 1, sink.shape.dims, (size_t)sink.shape.rank++ * sizeof(int64_t));
    sink.shape.dims[0] = ticket->n;
  }
  const size_t size = sink.dtype == SN_STRING ? sizeof(sn_text) : sn_dtype_size(sink.dtype);
  const size_t bytes = sns_elements(&sink.shape) * size;
  sink.data = calloc(1, bytes ? bytes : 1);
  if (!sink.data) {
    sn_fail(c, SN_ERR_MEMORY, "%zu bytes of component %d", bytes, i);
    return sn_error_tensor(c);
  }
  if (sink.dtype == SN_STRING) sink.texts = (sn_text *)(void *)sink.data;
  (void)write_records(s, i, &sink, ticket->records, ticket->n, many);
  sn_tensor *out = sink.texts ? sn_strings_from_texts(c, sink.shape, sink.texts)
                              : sn_constant(c, sink.dtype, sink.shape, sink.data);
  free(sink.data);
  return out;
}

static void fill_at_once(sn_context *c, sn_queue *queue, sn_tensor *ticket, bool many,
                         sn_tensor **out) {
  sns_store *s = queue->store;
  const void *numbers = NULL;
  if (sn_data(ticket, &numbers)) return;
  sns_ticket *taken = sns_ticket_take(s, *(const int64_t *)numbers);
  if (!taken) return;
  for (int i = 0; i < s->n_components; i++) out[i] = component_of(c, s, i, taken, many);
  if (sn_pending_error(c))
    sns_records_back(s, taken->records, taken->n);
  else
    sns_records_free(s, taken->records, taken->n);
  free(taken);
}

// There was no memory for the results.
static void put_back(sns_store *s, const char *bytes) {
  sns_record *record = sns_record_new(s, s->record_bytes);
  if (!record) return;
  memcpy(record->bytes, bytes, s->record_bytes);
  if (s->kind == SN_QUEUE_PRIORITY) memcpy(&record->priority, bytes, sizeof(record->priority));
  sns_records_back(s, &record, 1);
}

static bool take_at_once(sn_context *c, const sn_queue *queue, sn_tensor **out) {
  _Alignas(16) char bytes[SNS_AT_ONCE_BYTES];
  sns_store *s = queue->store;
  if (!s->record_bytes || s->record_bytes > SNS_AT_ONCE_BYTES || !sns_is_plain(c) ||
      sn_interrupted(c))
    return false;
  bool taken = sns_store_take_now(s, bytes);
  if (!taken && sn_object_users(queue) > 1) {  // a moment, before it sleeps
    for (int spins = 0; spins < SNS_SPINS && s->size <= s->min_after && !s->closed; spins++)
      sns_pause();
    taken = sns_store_take_now(s, bytes);
  }
  for (int i = 0; taken && i < s->n_components; i++)
    out[i] = sn_constant(c, s->components[i].dtype, s->components[i].shape, bytes + s->offsets[i]);
  if (taken && sn_pending_error(c)) put_back(s, bytes);
  return taken;
}

static void take_by_calls(sn_context *c, sn_queue *queue, int64_t count, bool up_to,
                          const sn_wait_options *options, sn_tensor **out) {
  const sns_store *s = queue->store;
  bool known = !up_to;
  for (int i = 0; i < s->n_components; i++) known = known && is_known(&s->components[i]);
  sn_attr attrs[] = {[COUNT] = sn_attr_i64("count", count),
                     [UP_TO] = sn_attr_i64("up_to", up_to),
                     [TIMEOUT] = sn_attr_f64("timeout", sns_timeout_of(options))};
  sn_tensor *variable = sn_object_variable(queue), *ticket = NULL;
  const sn_status status = sn_host_call(c, known ? take : take_ticket, &variable, 1,
                                        known ? out : &ticket, known ? s->n_components : 1,
                                        .name = "take", .infer = known ? infer_take : infer_ticket,
                                        .user = queue, .attrs = attrs, .n_attrs = 3);
  if (status || known) return;
  if (sn_is_tracing(c))
    fill_traced(c, queue, ticket, count, up_to, out);
  else
    fill_at_once(c, queue, ticket, count >= 0, out);
}

static sn_status dequeue(sn_context *c, sn_queue *queue, int64_t count, bool up_to, sn_tensor **out,
                         int n, const sn_wait_options *options) {
  for (int i = 0; out && i < n; i++) out[i] = sn_error_tensor(c);
  if (!sns_is_queue(c, queue, out, n) || !check_shapes(c, queue->store, count))
    return sn_pending_error(c);
  if (count >= 0 || !take_at_once(c, queue, out)) {
    if (sn_pending_error(c)) return sn_pending_error(c);
    queue = sn_keep(queue);
    take_by_calls(c, queue, count, up_to, options, out);
    sn_release(queue);
  }
  const sn_status status = sn_pending_error(c);
  for (int i = 0; status && i < n; i++) out[i] = sn_error_tensor(c);
  return status;
}

sn_status sn_queue_dequeue_at(sn_context *context, sn_queue *queue, sn_tensor **out, int n,
                              const sn_wait_options *options, const char *file, int line) {
  SN_FRAME_AT(context, "sn_queue_dequeue", file, line);
  return dequeue(context, queue, -1, false, out, n, options);
}

sn_status sn_queue_dequeue_many_at(sn_context *context, sn_queue *queue, int64_t count,
                                   sn_tensor **out, int n, const sn_wait_options *options,
                                   const char *file, int line) {
  SN_FRAME_AT(context, "sn_queue_dequeue_many", file, line);
  return dequeue(context, queue, count < 0 ? -2 : count, false, out, n, options);
}

sn_status sn_queue_dequeue_up_to_at(sn_context *context, sn_queue *queue, int64_t count,
                                    sn_tensor **out, int n, const sn_wait_options *options,
                                    const char *file, int line) {
  SN_FRAME_AT(context, "sn_queue_dequeue_up_to", file, line);
  return dequeue(context, queue, count < 0 ? -2 : count, true, out, n, options);
}
