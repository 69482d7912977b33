// Queues: the public functions. Each is a call of the host's with effects, whose inputs begin with the queue's variable; of records of fixed
// sizes op by op, where nothing is traced or noted, it is done at once.
#include "frontend/structures/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void end_queue(void *object) {
  sns_store_destroy(((sn_queue *)object)->store);
}

const sn_object_class sns_queue_class = {.size = sizeof(sn_object_class),
                                         .name = "sn_queue",
                                         .object_size = sizeof(sn_queue),
                                         .destroy = end_queue,
                                         .is_resource = true};

// ---- texts
size_t sns_add_spec(char *text, size_t capacity, sn_dtype dtype, const sn_shape *shape) {
  size_t at = (size_t)snprintf(text, capacity, "%s[", sn_dtype_name(dtype));
  if (shape->rank < 0) at += (size_t)snprintf(text + at, capacity - at, "...");
  for (int d = 0; d < shape->rank; d++) {
    at += (size_t)snprintf(text + at, capacity - at, d ? "," : "");
    at += shape->dims[d] < 0
              ? (size_t)snprintf(text + at, capacity - at, "?")
              : (size_t)snprintf(text + at, capacity - at, "%lld", (long long)shape->dims[d]);
  }
  return at + (size_t)snprintf(text + at, capacity - at, "]");
}

size_t sn_queue_format(const sn_queue *queue, char *buffer, size_t capacity) {
  static const char *const kinds[] = {"FIFO", "padding FIFO", "priority", "shuffle"};
  char text[SNS_QUEUE_COMPONENTS * 200 + 200];
  const sns_store *s = queue ? queue->store : NULL;
  if (!s) return (size_t)snprintf(buffer, capacity, "queue: none");
  size_t at = (size_t)snprintf(text, sizeof(text), "queue \"%s\": %s, %lld", s->name,
                               kinds[s->kind], (long long)s->size);
  if (s->capacity < INT64_MAX)
    at += (size_t)snprintf(text + at, sizeof(text) - at, " of %lld", (long long)s->capacity);
  at += (size_t)snprintf(text + at, sizeof(text) - at, " records of (");
  for (int i = 0; i < s->n_components; i++) {
    if (i) at += (size_t)snprintf(text + at, sizeof(text) - at, ", ");
    at +=
        sns_add_spec(text + at, sizeof(text) - at, s->components[i].dtype, &s->components[i].shape);
  }
  (void)snprintf(text + at, sizeof(text) - at, ")%s", s->closed ? ", closed" : "");
  return (size_t)snprintf(buffer, capacity, "%s", text);
}

// ---- creation
static bool is_component(const sn_spec *spec) {
  bool ok = (spec->dtype == SN_STRING || sn_dtype_size(spec->dtype)) && spec->shape.rank >= -1 &&
            spec->shape.rank < SN_MAX_RANK;  // sn_queue_dequeue_many has an axis more
  for (int d = 0; ok && d < spec->shape.rank; d++)
    ok = spec->shape.dims[d] >= SN_UNKNOWN && spec->shape.dims[d] < INT64_C(1) << 40;
  return ok;
}

static void check_components(sn_context *c, const sn_spec *components, int n, bool priority) {
  if (!components || n < 1 || n > SNS_QUEUE_COMPONENTS) {
    sn_fail(c, SN_ERR_ARGUMENT, "%d components, expected 1 to %d%s", n, SNS_QUEUE_COMPONENTS,
            components ? "" : "; they are NULL");
    return;
  }
  for (int i = 0; i < n; i++)
    if (!is_component(&components[i]))
      sn_fail(c, SN_ERR_SHAPE, "component %d is no dtype with a shape of at most %d dims", i,
              SN_MAX_RANK - 1);
  if (priority && !sn_pending_error(c) &&
      (components[0].dtype != SN_I64 || components[0].shape.rank != 0)) {
    char text[200];
    (void)sns_add_spec(text, sizeof(text), components[0].dtype, &components[0].shape);
    sn_fail(c, SN_ERR_DTYPE, "component 0, the priority, is %s, expected i64[]", text);
  }
}

sn_queue *sn_queue_create_opts(sn_context *context, const sn_spec *components, int n,
                               const sn_queue_options *options) {
  SN_FRAME(context, "sn_queue_create");
  sn_queue_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if ((unsigned)o.kind > SN_QUEUE_SHUFFLE || o.capacity < 0 || o.min_after_dequeue < 0 ||
      (o.capacity && o.min_after_dequeue >= o.capacity))
    sn_fail(context, SN_ERR_ARGUMENT,
            "kind %d, capacity %lld, min_after_dequeue %lld: expected a kind, no negative number, "
            "and a minimum below the capacity",
            (int)o.kind, (long long)o.capacity, (long long)o.min_after_dequeue);
  check_components(context, components, n, o.kind == SN_QUEUE_PRIORITY);
  if (!context || sn_pending_error(context)) return sn_object_error(context, &sns_queue_class);
  sn_queue *queue = sn_object_create(context, &sns_queue_class, NULL);
  if (sn_object_failed(queue)) return queue;
  sns_store like = {.kind = o.kind,
                    .n_components = n,
                    .capacity = o.capacity ? o.capacity : INT64_MAX,
                    .min_after = o.kind == SN_QUEUE_SHUFFLE ? o.min_after_dequeue : 0};
  memcpy(like.components, components, (size_t)n * sizeof(*components));
  (void)snprintf(like.name, sizeof(like.name), "%s", o.name ? o.name : "queue");
  if (!sns_store_create(&like, o.seed, &queue->store)) return queue;
  sn_fail(context, SN_ERR_MEMORY, "a queue");
  return sn_object_error(context, &sns_queue_class);
}

// ---- what all calls have in common
// Whether dims (negative: not known yet) are those of a component; many: behind an axis of records.
static bool fits(const sn_spec *component, const sn_shape *shape, bool many) {
  const sn_shape *wanted = &component->shape;
  if (shape->rank < many || (wanted->rank >= 0 && shape->rank - many != wanted->rank)) return false;
  for (int d = 0; d < wanted->rank; d++)
    if (wanted->dims[d] >= 0 && shape->dims[d + many] >= 0 &&
        shape->dims[d + many] != wanted->dims[d])
      return false;
  return true;
}

static void say_misfit(char *text, size_t capacity, const sns_store *s, int i, sn_dtype dtype,
                       const sn_shape *shape, bool many) {
  char given[200], wanted[200];
  const sn_spec *component = &s->components[i];
  sn_shape all = component->shape;
  if (many && all.rank >= 0) {
    memmove(all.dims + 1, all.dims, (size_t)all.rank++ * sizeof(int64_t));
    all.dims[0] = -1;
  }
  (void)sns_add_spec(given, sizeof(given), dtype, shape);
  (void)sns_add_spec(wanted, sizeof(wanted), component->dtype, &all);
  (void)snprintf(text, capacity, "queue \"%s\": component %d is %s, expected %s", s->name, i, given,
                 wanted);
}

bool sns_is_queue(sn_context *c, const sn_queue *queue, sn_tensor *const *list, int n) {
  if (!c || !sn_object_check(c, queue, &sns_queue_class, "queue")) return false;
  if (list && n == queue->store->n_components) return true;
  sn_fail(c, SN_ERR_ARGUMENT, "queue \"%s\" has records of %d components, given %d%s",
          queue->store->name, queue->store->n_components, n, list ? "" : ", NULL");
  return false;
}

static bool check_record(sn_context *c, const sns_store *s, sn_tensor *const *record, bool many) {
  char text[600];
  for (int i = 0; i < s->n_components; i++) {
    if (sn_rank(record[i]) < 0) {
      sn_fail(c, SN_ERR_ARGUMENT, "queue \"%s\": component %d is %s", s->name, i,
              record[i] ? "the error tensor, or dead" : "NULL");
      return false;
    }
    const sn_shape shape = sns_shape_of(record[i]);
    const bool is_dtype = sn_dtype_of(record[i]) == s->components[i].dtype;
    if (is_dtype && fits(&s->components[i], &shape, many)) continue;
    say_misfit(text, sizeof(text), s, i, sn_dtype_of(record[i]), &shape, many);
    sn_fail(c, is_dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE, "%s", text);
    return false;
  }
  return true;
}

static sn_status no_results(const sn_infer_args *args) {
  (void)args;
  return SN_OK;
}

// ---- put
static sn_status check_views(const sn_host_args *args, bool many) {
  const sns_store *s = sns_queue_of(args)->store;
  const sn_view *columns = args->in + 1;
  for (int i = 0; i < s->n_components; i++) {
    const bool ok = fits(&s->components[i], &columns[i].shape, many);
    if (ok && (!many || columns[i].shape.dims[0] == columns[0].shape.dims[0])) continue;
    if (ok)
      return sns_refuse(
          args, SN_ERR_SHAPE, "queue \"%s\": component %d is of %lld records, component 0 of %lld",
          s->name, i, (long long)columns[i].shape.dims[0], (long long)columns[0].shape.dims[0]);
    say_misfit(args->message, args->message_size, s, i, columns[i].dtype, &columns[i].shape, many);
    return SN_ERR_SHAPE;
  }
  return SN_OK;
}

static sn_status put(const sn_host_args *args) {
  sns_store *s = sns_queue_of(args)->store;
  const bool many = args->attrs[0].integer != 0;
  const sn_status misfit = check_views(args, many);
  if (misfit) return misfit;
  sns_attempt a = {.n = many ? args->in[1].shape.dims[0] : 1};
  sn_status status = SN_OK;
  a.records = calloc((size_t)(a.n ? a.n : 1), sizeof(*a.records));
  if (!a.records) return SN_ERR_MEMORY;
  for (int64_t i = 0; i < a.n && !status; i++) {
    a.records[i] = sns_record_of(s, args->in + 1, many ? i : -1);
    if (a.records[i]) continue;
    a.n = i;
    status = SN_ERR_MEMORY;
  }
  const sns_wait wait = {args, args->user, args->attrs[1].real};
  if (!status) {
    status = sns_store_serve(s, &a, &wait);
    if (status == SN_ERR_CANCELLED && !*args->message)
      (void)sns_refuse(args, status, "queue \"%s\" is closed: %lld of %lld records were put in",
                       s->name, (long long)a.done, (long long)a.n);
  }
  sns_records_free(s, a.records + a.done, a.n - a.done);
  free(a.records);
  return status;
}

static bool put_at_once(sn_context *c, const sn_queue *queue, sn_tensor *const *record) {
  const void *data[SNS_QUEUE_COMPONENTS];
  sns_store *s = queue->store;
  if (!s->record_bytes || s->record_bytes > SNS_AT_ONCE_BYTES || !sns_is_plain(c)) return false;
  for (int i = 0; i < s->n_components; i++)
    if (sn_is_variable(record[i]) || sn_data(record[i], &data[i])) return false;
  if (sn_interrupted(c)) return false;
  if (s->size >= s->capacity && sn_object_users(queue) > 1)  // a moment, before it sleeps
    for (int spins = 0; spins < SNS_SPINS && s->size >= s->capacity; spins++) sns_pause();
  return sns_store_put_now(s, data);
}

static sn_status enqueue(sn_context *c, sn_queue *queue, sn_tensor *const *record, int n, bool many,
                         const sn_wait_options *options) {
  if (!sns_is_queue(c, queue, record, n) || !check_record(c, queue->store, record, many))
    return sn_pending_error(c);
  if (!many && put_at_once(c, queue, record)) return SN_OK;
  if (sn_pending_error(c)) return sn_pending_error(c);
  sn_tensor *in[1 + SNS_QUEUE_COMPONENTS] = {sn_object_variable(queue)}, *none[1];
  memcpy(in + 1, record, (size_t)n * sizeof(*in));
  const sn_attr attrs[] = {sn_attr_i64("many", many),
                           sn_attr_f64("timeout", sns_timeout_of(options))};
  queue = sn_keep(queue);  // others may release it while this one waits
  const sn_status status = sn_host_call(c, put, in, 1 + n, none, 0, .name = "put", .user = queue,
                                        .infer = no_results, .attrs = attrs, .n_attrs = 2);
  sn_release(queue);
  return status;
}

sn_status sn_queue_enqueue_at(sn_context *context, sn_queue *queue, sn_tensor *const *record, int n,
                              const sn_wait_options *options, const char *file, int line) {
  SN_FRAME_AT(context, "sn_queue_enqueue", file, line);
  return enqueue(context, queue, record, n, false, options);
}

sn_status sn_queue_enqueue_many_at(sn_context *context, sn_queue *queue, sn_tensor *const *columns,
                                   int n, const sn_wait_options *options, const char *file,
                                   int line) {
  SN_FRAME_AT(context, "sn_queue_enqueue_many", file, line);
  return enqueue(context, queue, columns, n, true, options);
}

// ---- the rest
static sn_status close_it(const sn_host_args *args) {
  sns_store_close(sns_queue_of(args)->store, args->attrs[0].integer != 0);
  return SN_OK;
}

sn_status sn_queue_close_at(sn_context *context, sn_queue *queue, bool cancel, const char *file,
                            int line) {
  SN_FRAME_AT(context, "sn_queue_close", file, line);
  if (!context || !sn_object_check(context, queue, &sns_queue_class, "queue"))
    return context ? sn_pending_error(context) : SN_ERR_ARGUMENT;
  sn_tensor *variable = sn_object_variable(queue), *none[1];
  const sn_attr attr = sn_attr_i64("cancel", cancel);
  return sn_host_call(context, close_it, &variable, 1, none, 0, .name = "close", .user = queue,
                      .infer = no_results, .attrs = &attr, .n_attrs = 1);
}

static sn_status tell_size(const sn_host_args *args) {
  *sns_i64(&args->out[0]) = sns_queue_of(args)->store->size;
  return SN_OK;
}

static sn_status tell_closed(const sn_host_args *args) {
  *(bool *)args->out[0].data = sns_queue_of(args)->store->closed;
  return SN_OK;
}

static sn_tensor *ask(sn_context *c, sn_queue *queue, sn_host_callback callback, sn_dtype dtype) {
  if (!c || !sn_object_check(c, queue, &sns_queue_class, "queue")) return sn_error_tensor(c);
  sn_tensor *variable = sn_object_variable(queue);
  return SNS_RUN(c, &variable, 1, .name = "ask", .callback = callback, .dtype = dtype,
                 .user = queue, .effects = true);
}

sn_tensor *(sn_queue_size)(sn_context *context, sn_queue *queue) {
  SN_FRAME(context, "sn_queue_size");
  return ask(context, queue, tell_size, SN_I64);
}

sn_tensor *(sn_queue_is_closed)(sn_context *context, sn_queue *queue) {
  SN_FRAME(context, "sn_queue_is_closed");
  return ask(context, queue, tell_closed, SN_BOOL);
}
