// What is called for the cases of queues, tensor arrays and tables (tf_queues.py).
#include "cross/cases.h"

#include <stdio.h>
#include <string.h>

#define T(i) cross_tensor(c, i)

// ---- queues
static sn_spec spec_of(const sn_tensor *column) {
  sn_spec spec = {sn_dtype_of(column), {sn_rank(column) - 1, {0}}};
  for (int d = 0; d < spec.shape.rank; d++) spec.shape.dims[d] = sn_dim(column, d + 1);
  return spec;
}

static sn_queue *queue_of(const cross_case *c, int n, sn_queue_kind kind, int64_t least) {
  sn_spec specs[CROSS_VALUES];
  sn_tensor *columns[CROSS_VALUES];
  for (int i = 0; i < n; i++) specs[i] = spec_of(columns[i] = T(i));
  sn_queue *q = sn_queue_create(c->context, specs, n, .kind = kind, .capacity = 20,
                                .min_after_dequeue = least);
  (void)sn_queue_enqueue_many(c->context, q, columns, n);
  return q;
}

static int put(cross_value *results, int at, sn_tensor *const *tensors, int n) {
  for (int i = 0; i < n; i++) results[at++] = cross_of_tensor(tensors[i]);
  return at;
}

static void fifo(const cross_case *c, cross_value *results) {
  const int n = c->n_in;
  sn_queue *q = queue_of(c, n, SN_QUEUE_FIFO, 0);
  sn_tensor *record[CROSS_VALUES];
  for (int i = 0; i < n; i++) record[i] = sn_zeros(c->context, SN_F32, SN_SHAPE(7));
  if (cross_int(c, "bad", 0)) (void)sn_queue_enqueue(c->context, q, record, n);
  for (int64_t k = 0; k < sn_dim(T(0), 0); k++) {
    for (int i = 0; i < n; i++) record[i] = sn_index(T(i), 0, k);
    (void)sn_queue_enqueue(c->context, q, record, n);
  }
  (void)sn_queue_close(c->context, q, false);
  (void)sn_queue_dequeue_many(c->context, q, cross_int(c, "first", 0), record, n);
  int at = put(results, 0, record, n);
  (void)sn_queue_dequeue_up_to(c->context, q, cross_int(c, "second", 0), record, n);
  at = put(results, at, record, n);
  sn_tensor *size = sn_queue_size(c->context, q);
  (void)sn_queue_dequeue(c->context, q, record, n);
  at = put(results, at, record, n);
  (void)put(results, at, &size, 1);
}

static void padding(const cross_case *c, cross_value *results) {
  sn_spec spec = {sn_dtype_of(T(0)), {sn_rank(T(0)), {0}}};
  for (int d = 0; d < spec.shape.rank; d++) spec.shape.dims[d] = SN_UNKNOWN;
  spec.shape.dims[spec.shape.rank - 1] = cross_int(c, "last", -1);
  sn_queue *q = sn_queue_create(c->context, &spec, 1, .kind = SN_QUEUE_PADDING_FIFO);
  for (int i = 0; i < c->n_in; i++) {
    sn_tensor *record = T(i);
    (void)sn_queue_enqueue(c->context, q, &record, 1);
  }
  sn_tensor *out;
  (void)sn_queue_close(c->context, q, false);
  (void)sn_queue_dequeue_many(c->context, q, cross_int(c, "count", 0), &out, 1);
  (void)put(results, 0, &out, 1);
}

static void priority(const cross_case *c, cross_value *results) {
  sn_queue *q = queue_of(c, 2, SN_QUEUE_PRIORITY, 0);
  const int64_t first = cross_int(c, "first", 0);
  sn_tensor *out[2];
  (void)sn_queue_close(c->context, q, false);
  (void)sn_queue_dequeue_many(c->context, q, first, out, 2);
  const int at = put(results, 0, out, 2);
  (void)sn_queue_dequeue_many(c->context, q, sn_dim(T(0), 0) - first, out, 2);
  (void)put(results, at, out, 2);
}

static void shuffle(const cross_case *c, cross_value *results) {
  sn_queue *q = queue_of(c, 1, SN_QUEUE_SHUFFLE, cross_int(c, "least", 0));
  sn_tensor *out;
  (void)sn_queue_close(c->context, q, false);
  (void)sn_queue_dequeue_up_to(c->context, q, sn_dim(T(0), 0) + 1, &out, 1);
  results[0] = cross_of_tensor(sn_sort(out, 0));
}

// ---- arrays
static int64_t step(const cross_case *c, const char *what, int k) {
  char name[32];
  (void)snprintf(name, sizeof(name), "%s%d", what, k);
  return cross_int(c, name, 0);
}

static void array(const cross_case *c, cross_value *results) {
  sn_shape shape = spec_of(T(0)).shape;
  sn_tensor_array *a = sn_tensor_array_create(
      c->context, sn_dtype_of(T(0)), cross_int(c, "n", 0), .dynamic = cross_int(c, "dynamic", 0),
      .keep_after_read = cross_int(c, "keep", 0), .element_shape = &shape);
  sn_tensor *read[CROSS_VALUES];
  int n = 0;
  for (int k = 0; k < cross_int(c, "steps", 0); k++) {
    sn_tensor *index = sn_scalar_i64(c->context, step(c, "at", k));
    if (step(c, "read", k))
      read[n++] = sn_tensor_array_read(a, index, &a);
    else
      a = sn_tensor_array_write(a, index, sn_index(T(0), 0, k));
  }
  sn_tensor *all = sn_tensor_array_stack(a);
  if (c->fails) {  // whichever it is that fails: a compiled function does what its results need
    if (n) all = sn_concat(SN_ARGS(sn_stack(read, n, 0), all), 0);
    results[0] = cross_of_tensor(all);
    return;
  }
  n = put(results, 0, read, n);
  results[n++] = cross_of_tensor(all);
  results[n++] = cross_of_tensor(sn_tensor_array_size(a));
  if (shape.rank) results[n] = cross_of_tensor(sn_tensor_array_concat(a));
}

static sn_tensor_array *made(const cross_case *c) {
  return sn_tensor_array_create(c->context, sn_dtype_of(T(0)), cross_int(c, "n", 0));
}

static void array_gather(const cross_case *c, cross_value *results) {
  sn_tensor_array *a = sn_tensor_array_unstack(made(c), T(0));
  results[0] = cross_of_tensor(sn_tensor_array_gather(a, T(1)));
}

static void array_scatter(const cross_case *c, cross_value *results) {
  sn_tensor_array *a = sn_tensor_array_scatter(made(c), T(1), T(0));
  results[0] = cross_of_tensor(sn_tensor_array_stack(a));
}

static void array_split(const cross_case *c, cross_value *results) {
  sn_tensor_array *a = sn_tensor_array_split(made(c), T(0));
  sn_tensor *last = sn_scalar_i64(c->context, cross_int(c, "n", 0) - 1);
  results[0] = cross_of_tensor(sn_tensor_array_read(a, last, NULL));
  results[1] = cross_of_tensor(sn_tensor_array_stack(a));
}

// ---- tables
static void table_static(const cross_case *c, cross_value *results) {
  sn_table *t = sn_table_create(c->context, sn_dtype_of(T(0)), T(2), .keys = T(0), .values = T(1),
                                .frozen = true);
  results[0] = cross_of_tensor(sn_table_lookup(c->context, t, T(3)));
  results[1] = cross_of_tensor(sn_table_size(c->context, t));
}

static void table_mutable(const cross_case *c, cross_value *results) {
  sn_table *t = sn_table_create(c->context, sn_dtype_of(T(0)), T(2));
  (void)sn_table_insert(c->context, t, T(0), T(1));
  results[0] = cross_of_tensor(sn_table_lookup(c->context, t, T(3)));
  if (c->n_in == 4) {
    results[1] = cross_of_tensor(sn_table_size(c->context, t));
    return;
  }
  (void)sn_table_insert(c->context, t, T(4), T(5));
  (void)sn_table_remove(c->context, t, T(6));
  results[1] = cross_of_tensor(sn_table_lookup(c->context, t, T(3)));
  results[2] = cross_of_tensor(sn_table_size(c->context, t));
}

const cross_op cross_ops[] = {
    {"fifo", fifo, true},
    {"padding", padding, true},
    {"priority", priority, true},
    {"shuffle", shuffle, true},
    {"array", array, false},
    {"array_growing", array, true},  // in a trace no array grows
    {"array_gather", array_gather, false},
    {"array_scatter", array_scatter, false},
    {"array_split", array_split, false},
    {"table_static", table_static, true},
    {"table_mutable", table_mutable, true},
    {"table_vectors", table_mutable, true},
    {NULL, NULL, false},
};
