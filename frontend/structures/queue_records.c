// Records: the elements of all components in one block, copied from the operands of a call and to the results of another one.
#include "frontend/structures/queue.h"

#include <stdlib.h>
#include <string.h>

// ---- layout
static bool is_fixed(const sn_spec *component) {
  if (component->dtype == SN_STRING || component->shape.rank < 0) return false;
  for (int d = 0; d < component->shape.rank; d++)
    if (component->shape.dims[d] < 0) return false;
  return true;
}

static size_t aligned(size_t bytes) {
  return (bytes + 15) & ~(size_t)15;
}

size_t sns_elements(const sn_shape *shape) {
  size_t n = 1;
  for (int d = 0; d < shape->rank; d++) n *= (size_t)shape->dims[d];
  return n;
}

size_t sns_component_bytes(const sn_spec *component) {
  return sns_elements(&component->shape) * sn_dtype_size(component->dtype);
}

void sns_plan_records(sns_store *store) {
  size_t at = 0;
  for (int i = 0; i < store->n_components; i++) {
    if (!is_fixed(&store->components[i])) return;
    store->offsets[i] = at;
    at += aligned(sns_component_bytes(&store->components[i]));
  }
  store->record_bytes = at ? at : 16;
}

sns_cell sns_record_cell(const sns_store *store, sns_record *record, int component) {
  if (!store->record_bytes) return ((const sns_cell *)(void *)record->bytes)[component];
  return (sns_cell){record->bytes + store->offsets[component], store->components[component].shape};
}

// ---- from operands
typedef struct row {
  const sn_view *view;
  sn_shape shape;
  int64_t first;  // element
  size_t n, bytes;
} row;

static row row_of(const sn_view *view, int64_t at) {
  row r = {.view = view, .shape = view->shape};
  if (at >= 0) {
    r.shape.rank--;
    memmove(r.shape.dims, r.shape.dims + 1, (size_t)r.shape.rank * sizeof(int64_t));
  }
  r.n = sns_elements(&r.shape);
  r.first = at < 0 ? 0 : at * (int64_t)r.n;
  r.bytes = r.n * sn_dtype_size(view->dtype);
  if (view->dtype != SN_STRING) return r;
  r.bytes = (r.n + 1) * sizeof(int64_t);
  for (size_t i = 0; i < r.n; i++) r.bytes += sn_view_string(view, r.first + (int64_t)i).length;
  return r;
}

static void copy_row(const row *r, char *to) {
  if (r->view->dtype != SN_STRING) {
    const size_t size = sn_dtype_size(r->view->dtype);
    if (r->bytes) memcpy(to, (const char *)r->view->data + (size_t)r->first * size, r->bytes);
    return;
  }
  int64_t *offsets = (int64_t *)(void *)to, at = 0;
  char *bytes = to + (r->n + 1) * sizeof(int64_t);
  for (size_t i = 0; i < r->n; i++) {
    const sn_text text = sn_view_string(r->view, r->first + (int64_t)i);
    offsets[i] = at;
    if (text.length) memcpy(bytes + at, text.data, text.length);
    at += (int64_t)text.length;
  }
  offsets[r->n] = at;
}

static void set_priority(const sns_store *store, sns_record *record) {
  if (store->kind != SN_QUEUE_PRIORITY) return;
  memcpy(&record->priority, sns_record_cell(store, record, 0).data, sizeof(record->priority));
}

sns_record *sns_record_of(sns_store *store, const sn_view *views, int64_t at) {
  row rows[SNS_QUEUE_COMPONENTS];
  const bool fixed = store->record_bytes != 0;
  size_t bytes = fixed ? 0 : aligned((size_t)store->n_components * sizeof(sns_cell));
  for (int i = 0; i < store->n_components; i++) {
    rows[i] = row_of(&views[i], at);
    bytes += aligned(rows[i].bytes);
  }
  sns_record *record = sns_record_new(store, fixed ? store->record_bytes : bytes);
  if (!record) return NULL;
  char *to = record->bytes;
  if (!fixed) to += aligned((size_t)store->n_components * sizeof(sns_cell));
  for (int i = 0; i < store->n_components; i++) {
    if (!fixed) ((sns_cell *)(void *)record->bytes)[i] = (sns_cell){to, rows[i].shape};
    copy_row(&rows[i], to);
    to += aligned(rows[i].bytes);
  }
  set_priority(store, record);
  return record;
}

// ---- to results
static sn_text string_of(const sns_cell *cell, size_t i) {
  const int64_t *offsets = (const int64_t *)(void *)cell->data;
  const char *bytes = cell->data + (sns_elements(&cell->shape) + 1) * sizeof(int64_t);
  return (sn_text){bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i])};
}

// A run of n elements of the cell to place `to`.
static sn_status write_run(const sns_sink *sink, int64_t to, const sns_cell *cell, size_t from,
                           size_t n) {
  if (sink->dtype != SN_STRING) {
    const size_t size = sn_dtype_size(sink->dtype);
    if (n) memcpy(sink->data + (size_t)to * size, cell->data + from * size, n * size);
    return SN_OK;
  }
  sn_status status = SN_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const sn_text text = string_of(cell, from + i);
    if (sink->texts)
      sink->texts[to + (int64_t)i] = text;
    else
      status = sn_host_set_string(sink->args, sink->output, to + (int64_t)i, text);
  }
  return status;
}

sn_status sns_cell_write(const sns_sink *sink, int64_t at, const sns_cell *cell) {
  const row r = row_of(&(const sn_view){NULL, SN_BOOL, sink->shape}, at);
  const int rank = r.shape.rank;
  bool same = true;
  for (int d = 0; d < rank; d++) same = same && r.shape.dims[d] == cell->shape.dims[d];
  const size_t n = sns_elements(&cell->shape);
  if (same) return write_run(sink, r.first, cell, 0, n);
  if (sink->dtype != SN_STRING) {  // strings are "" as they are given
    const size_t size = sn_dtype_size(sink->dtype);
    memset(sink->data + (size_t)r.first * size, 0, r.n * size);
  }
  if (!n) return SN_OK;
  const size_t run = (size_t)cell->shape.dims[rank - 1];
  sn_status status = SN_OK;
  for (size_t from = 0; from < n && !status; from += run) {
    size_t rest = from / run;
    int64_t to = 0, stride = r.shape.dims[rank - 1];
    for (int d = rank - 2; d >= 0; d--) {
      to += (int64_t)(rest % (size_t)cell->shape.dims[d]) * stride;
      rest /= (size_t)cell->shape.dims[d];
      stride *= r.shape.dims[d];
    }
    status = write_run(sink, r.first + to, cell, from, run);
  }
  return status;
}
