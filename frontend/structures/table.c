// Lookup tables: the public functions. What changes a table, or depends on what changes it, is a call of the host's with effects.
#include "frontend/structures/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void end_table(void *object) {
  sns_table_store_destroy(((sn_table *)object)->store);
}

static const sn_object_class table_class = {.size = sizeof(sn_object_class),
                                            .name = "sn_table",
                                            .object_size = sizeof(sn_table),
                                            .destroy = end_table,
                                            .is_resource = true};

static sn_table *no_table(sn_context *c) {
  return sn_object_error(c, &table_class);
}

static sns_table_store *store_of(const sn_host_args *args) {
  return ((sn_table *)args->user)->store;
}

static size_t add_shape(char *text, size_t capacity, sn_dtype dtype, const sn_shape *shape) {
  size_t at = (size_t)snprintf(text, capacity, "%s[", sn_dtype_name(dtype));
  for (int d = 0; d < shape->rank; d++)
    at += shape->dims[d] < 0 ? (size_t)snprintf(text + at, capacity - at, d ? ",?" : "?")
                             : (size_t)snprintf(text + at, capacity - at, d ? ",%lld" : "%lld",
                                                (long long)shape->dims[d]);
  return at + (size_t)snprintf(text + at, capacity - at, "]");
}

size_t sn_table_format(const sn_table *table, char *buffer, size_t capacity) {
  char value[200];
  sns_table_store *s = table ? table->store : NULL;
  if (!s) return (size_t)snprintf(buffer, capacity, "table: none");
  (void)add_shape(value, sizeof(value), s->value, &s->value_shape);
  return (size_t)snprintf(buffer, capacity, "table \"%s\": %lld keys, %s to %s%s", s->name,
                          (long long)sns_table_store_size(s), sn_dtype_name(s->key), value,
                          s->frozen ? ", frozen" : "");
}

// ---- checks
static bool is_integer(sn_dtype dtype) {
  return dtype == SN_I8 || dtype == SN_I16 || dtype == SN_I32 || dtype == SN_I64 ||
         dtype == SN_U8 || dtype == SN_U16 || dtype == SN_U32 || dtype == SN_U64;
}

static bool is_operand(sn_context *c, const sn_tensor *t, const char *name) {
  if (sn_rank(t) >= 0) return true;
  sn_fail(c, SN_ERR_ARGUMENT, "%s is %s", name, t ? "the error tensor, or dead" : "NULL");
  return false;
}

static bool has_dtype(sn_context *c, const sns_table_store *s, const sn_tensor *t, sn_dtype dtype,
                      const char *name) {
  if (!is_operand(c, t, name)) return false;
  if (sn_dtype_of(t) == dtype) return true;
  sn_fail(c, SN_ERR_DTYPE, "table \"%s\": %s are %s, expected %s", s->name, name,
          sn_dtype_name(sn_dtype_of(t)), sn_dtype_name(dtype));
  return false;
}

// [keys..., value...]; false: too many dims.
static bool values_shape(sn_context *c, const sns_table_store *s, const sn_tensor *keys,
                         sn_shape *out) {
  *out = sns_shape_of(keys);
  if (out->rank + s->value_shape.rank > SN_MAX_RANK) {
    sn_fail(c, SN_ERR_SHAPE, "table \"%s\": keys of rank %d and values of rank %d: at most %d dims",
            s->name, out->rank, s->value_shape.rank, SN_MAX_RANK);
    return false;
  }
  for (int d = 0; d < s->value_shape.rank; d++) out->dims[out->rank++] = s->value_shape.dims[d];
  return true;
}

// Dims that are not known yet fit any; the call looks again.
static bool fits(const sn_shape *a, const sn_shape *b) {
  bool same = a->rank == b->rank;
  for (int d = 0; same && d < a->rank; d++)
    same = a->dims[d] < 0 || b->dims[d] < 0 || a->dims[d] == b->dims[d];
  return same;
}

static bool check_values(sn_context *c, const sns_table_store *s, const sn_tensor *keys,
                         const sn_tensor *values, const char *name, bool or_one) {
  sn_shape wanted, given;
  char a[200], b[200];
  if (!has_dtype(c, s, values, s->value, name) || !values_shape(c, s, keys, &wanted)) return false;
  given = sns_shape_of(values);
  if (fits(&given, &wanted) || (or_one && fits(&given, &s->value_shape))) return true;
  (void)add_shape(a, sizeof(a), s->value, &given);
  (void)add_shape(b, sizeof(b), s->value, &wanted);
  sn_fail(c, SN_ERR_SHAPE, "table \"%s\": %s are %s, expected %s", s->name, name, a, b);
  return false;
}

static bool is_table(sn_context *c, const sn_table *table, bool changes) {
  if (!c || !sn_object_check(c, table, &table_class, "table")) return false;
  if (!changes || !table->store->frozen) return true;
  sn_fail(c, SN_ERR_STATE, "table \"%s\" is frozen", table->store->name);
  return false;
}

static sns_keys keys_of(const sn_view *view) {
  return (sns_keys){
      .data = view->data,
      .strings = view->dtype == SN_STRING ? view : NULL,
      .n = sns_view_size(view),
  };
}

// ---- put, remove
static sn_status no_results(const sn_infer_args *args) {
  (void)args;
  return SN_OK;
}

static sn_status refuse_values(const sn_host_args *args, int64_t values, int64_t keys) {
  return sns_refuse(args, SN_ERR_SHAPE, "table \"%s\": %lld elements of values for %lld keys",
                    store_of(args)->name, (long long)values, (long long)keys);
}

static void name_key(const sns_table_store *s, const sns_keys *keys, int64_t i, char *text,
                     size_t capacity) {
  if (s->key == SN_STRING) {
    const sn_text key = keys->strings ? sn_view_string(keys->strings, i) : keys->texts[i];
    (void)snprintf(text, capacity, "\"%.*s\"", key.length > 60 ? 60 : (int)key.length,
                   key.length ? key.data : "");
    return;
  }
  uint64_t bits = 0;
  const size_t size = s->key_bytes;
  memcpy(&bits, (const char *)keys->data + (size_t)i * size, size);
  const bool is_signed = s->key == SN_I8 || s->key == SN_I16 || s->key == SN_I32;
  if (is_signed && bits >> (8 * size - 1)) bits |= ~UINT64_C(0) << (8 * size);
  (void)snprintf(text, capacity, s->key == SN_U64 ? "%llu" : "%lld", (unsigned long long)bits);
}

static sn_status put(const sn_host_args *args) {
  sns_table_store *s = store_of(args);
  const sns_keys keys = keys_of(&args->in[1]), values = keys_of(&args->in[2]);
  int64_t bad = 0;
  if (values.n != keys.n * s->value_elements) return refuse_values(args, values.n, keys.n);
  const bool once = args->attrs[0].integer != 0;
  const sn_status status = sns_table_put(s, &keys, &values, once, &bad);
  if (status != SN_ERR_ARGUMENT) return status;
  char key[100];
  name_key(s, &keys, bad, key, sizeof(key));
  return sns_refuse(args, status, "table \"%s\": key %s stands there with two values", s->name,
                    key);
}

static sn_status insert(sn_context *c, sn_table *table, sn_tensor *keys, sn_tensor *values,
                        bool once) {
  const sns_table_store *s = table->store;
  if (!has_dtype(c, s, keys, s->key, "keys") || !check_values(c, s, keys, values, "values", false))
    return sn_pending_error(c);
  sn_tensor *in[] = {sn_object_variable(table), keys, values}, *none[1];
  const sn_attr attr = sn_attr_i64("once", once);
  return sn_host_call(c, put, in, 3, none, 0, .name = "insert", .user = table, .infer = no_results,
                      .attrs = &attr, .n_attrs = 1);
}

sn_status sn_table_insert_at(sn_context *context, sn_table *table, sn_tensor *keys,
                             sn_tensor *values, const char *file, int line) {
  SN_FRAME_AT(context, "sn_table_insert", file, line);
  if (!is_table(context, table, true)) return context ? sn_pending_error(context) : SN_ERR_ARGUMENT;
  return insert(context, table, keys, values, false);
}

static sn_status take_out(const sn_host_args *args) {
  const sns_keys keys = keys_of(&args->in[1]);
  sns_table_remove(store_of(args), &keys);
  return SN_OK;
}

sn_status sn_table_remove_at(sn_context *context, sn_table *table, sn_tensor *keys,
                             const char *file, int line) {
  SN_FRAME_AT(context, "sn_table_remove", file, line);
  if (!is_table(context, table, true) ||
      !has_dtype(context, table->store, keys, table->store->key, "keys"))
    return context ? sn_pending_error(context) : SN_ERR_ARGUMENT;
  sn_tensor *in[] = {sn_object_variable(table), keys}, *none[1];
  return sn_host_call(context, take_out, in, 2, none, 0, .name = "remove", .user = table,
                      .infer = no_results);
}

// ---- creation
static void *elements_of(sn_context *c, const sn_tensor *t, int64_t n) {
  const size_t bytes = (size_t)n * sns_element_size(sn_dtype_of(t));
  void *elements = malloc(bytes ? bytes : 1);
  if (!elements)
    sn_fail(c, SN_ERR_MEMORY, "%zu bytes of a default value", bytes);
  else if (sn_dtype_of(t) == SN_STRING ? sn_read_strings(t, elements, n)
                                       : sn_read(t, elements, bytes)) {
    free(elements);
    return NULL;
  }
  return elements;
}

static sn_table *create(sn_context *c, sn_dtype key, sn_tensor *default_value, const char *name) {
  if (key != SN_STRING && !is_integer(key))
    sn_fail(c, SN_ERR_DTYPE, "keys of %s, expected integers or strings", sn_dtype_name(key));
  if (!c || sn_pending_error(c) || !is_operand(c, default_value, "default_value"))
    return no_table(c);
  sn_table *table = sn_object_create(c, &table_class, NULL);
  if (sn_object_failed(table)) return table;
  sns_table_store like = {.key = key,
                          .value = sn_dtype_of(default_value),
                          .value_shape = sns_shape_of(default_value),
                          .value_elements = sn_size(default_value)};
  (void)snprintf(like.name, sizeof(like.name), "%s", name);
  void *elements = elements_of(c, default_value, like.value_elements);
  if (elements && sns_table_store_create(&like, elements, &table->store))
    sn_fail(c, SN_ERR_MEMORY, "a table");
  free(elements);
  return sn_pending_error(c) ? no_table(c) : table;
}

sn_table *sn_table_create_opts(sn_context *context, sn_dtype key, sn_tensor *default_value,
                               const sn_table_options *options) {
  SN_FRAME(context, "sn_table_create");
  sn_table_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!o.keys != !o.values)
    sn_fail(context, SN_ERR_ARGUMENT, "%s without %s", o.keys ? "keys" : "values",
            o.keys ? "values" : "keys");
  sn_table *table = create(context, key, default_value, o.name ? o.name : "table");
  if (sn_object_failed(table)) return table;
  if (o.keys && insert(context, table, o.keys, o.values, o.frozen)) return no_table(context);
  table->store->frozen = o.frozen;
  return table;
}

sn_table *sn_table_from_file_opts(sn_context *context, const char *path, sn_dtype key,
                                  sn_tensor *default_value, const sn_table_file_options *options) {
  SN_FRAME(context, "sn_table_from_file");
  sn_table_file_options o = {0};
  char message[300];
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!path || o.lines < 0 || o.key_column < SN_TABLE_LINE || o.value_column < SN_TABLE_LINE)
    sn_fail(context, SN_ERR_ARGUMENT, "path is NULL, or a column or number of lines negative");
  else if (sn_rank(default_value) > 0)
    sn_fail(context, SN_ERR_SHAPE, "default_value has rank %d, expected 0", sn_rank(default_value));
  sn_table *table = create(context, key, default_value, o.name ? o.name : path ? path : "");
  if (sn_object_failed(table)) return table;
  const sn_status status = sns_table_read(table->store, path, &o, message, sizeof(message));
  table->store->frozen = true;
  if (!status) return table;
  sn_fail(context, status, "%s", message);
  return no_table(context);
}

// ---- lookup
static void copy_values(const sns_table_store *s, char *out, const char *otherwise, bool each,
                        const int64_t *entries, int64_t n) {
  const size_t bytes = s->value_bytes;
  for (int64_t i = 0; i < n; i++) {
    const char *from = entries[i] >= 0 ? s->entries.values + (size_t)entries[i] * bytes
                       : each          ? otherwise + (size_t)i * bytes
                                       : otherwise;
    char *to = out + (size_t)i * bytes;
    if (bytes == 8)
      memcpy(to, from, 8);
    else if (bytes == 4)
      memcpy(to, from, 4);
    else
      memcpy(to, from, bytes);
  }
}

static sn_status set_texts(const sn_host_args *args, const sns_table_store *s, int64_t first,
                           const sn_view *otherwise, bool each, const int64_t *entries, int64_t n) {
  const sn_text *texts = (const sn_text *)(const void *)s->entries.values;
  const sn_text *defaults = (const sn_text *)(const void *)s->default_value;
  sn_status status = SN_OK;
  for (int64_t i = 0; i < n * s->value_elements && !status; i++) {
    const int64_t entry = entries[i / s->value_elements], k = i % s->value_elements;
    const int64_t at = first * s->value_elements + i;
    const sn_text text = entry >= 0   ? texts[entry * s->value_elements + k]
                         : !otherwise ? defaults[k]
                                      : sn_view_string(otherwise, each ? at : k);
    status = sn_host_set_string(args, 0, at, text);
  }
  return status;
}

static sn_status lookup(const sn_host_args *args) {
  enum { some = 512 };
  int64_t entries[some];
  sns_table_store *s = store_of(args);
  const sns_keys keys = keys_of(&args->in[1]);
  const sn_view *otherwise = args->n_in > 2 ? &args->in[2] : NULL;
  const int64_t given = otherwise ? sns_view_size(otherwise) : s->value_elements;
  const bool each = given != s->value_elements;
  if (each && given != keys.n * s->value_elements) return refuse_values(args, given, keys.n);
  sn_status status = SN_OK;
  if (!s->frozen) pthread_rwlock_rdlock(&s->lock);
  for (int64_t from = 0; from < keys.n && !status; from += some) {
    const int64_t n = keys.n - from < some ? keys.n - from : some;
    sns_table_find(s, &keys, from, n, entries);
    const size_t at = (size_t)from * s->value_bytes;
    if (s->value == SN_STRING)
      status = set_texts(args, s, from, otherwise, each, entries, n);
    else
      copy_values(s, (char *)args->out[0].data + at,
                  (otherwise ? (const char *)otherwise->data : s->default_value) + (each ? at : 0),
                  each, entries, n);
  }
  if (!s->frozen) pthread_rwlock_unlock(&s->lock);
  return status;
}

sn_tensor *sn_table_lookup_opts(sn_context *context, sn_table *table, sn_tensor *keys,
                                const sn_lookup_options *options) {
  SN_FRAME(context, "sn_table_lookup");
  sn_lookup_options o = {0};
  sn_shape shape;
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!is_table(context, table, false)) return sn_error_tensor(context);
  const sns_table_store *s = table->store;
  if (!has_dtype(context, s, keys, s->key, "keys") || !values_shape(context, s, keys, &shape) ||
      (o.default_value && !check_values(context, s, keys, o.default_value, "default values", true)))
    return sn_error_tensor(context);
  sn_tensor *in[] = {sn_object_variable(table), keys, o.default_value};
  return SNS_RUN(context, in, o.default_value ? 3 : 2, .name = "lookup", .callback = lookup,
                 .vmap = o.default_value ? NULL : lookup, .dtype = s->value, .shape = shape,
                 .user = table, .effects = !s->frozen);
}

// ---- all of it
static sn_shape export_shape(const sns_table_store *s, int64_t n, bool values) {
  sn_shape shape = SN_SHAPE(n);
  for (int d = 0; values && d < s->value_shape.rank; d++)
    shape.dims[shape.rank++] = s->value_shape.dims[d];
  return shape;
}

static sn_tensor *export_part(sn_context *c, const sns_table_store *s, const sns_entries *entries,
                              bool values) {
  const sn_shape shape = export_shape(s, entries->n, values);
  const sn_dtype dtype = values ? s->value : s->key;
  const void *from = values ? entries->values : entries->keys;
  return dtype == SN_STRING ? sn_strings_from_texts(c, shape, from)
                            : sn_constant(c, dtype, shape, from);
}

// out[0]: the number of a snapshot, and that of its keys.
static sn_status take_snapshot(const sn_host_args *args) {
  const sns_entries *entries = sns_table_snapshot(store_of(args), true);
  if (!entries) return SN_ERR_MEMORY;
  sns_i64(&args->out[0])[0] = entries->number;
  sns_i64(&args->out[0])[1] = entries->n;
  return SN_OK;
}

static sn_status infer_snapshot(const sn_infer_args *args) {
  args->out[0] = (sn_spec){SN_I64, {.rank = 1, .dims = {2}}};
  return SN_OK;
}

static sn_status write_part(const sn_host_args *args, sn_dtype dtype, const char *from,
                            int output) {
  const int64_t n = sns_view_size(&args->out[output]);
  if (dtype != SN_STRING) {
    if (n) memcpy(args->out[output].data, from, (size_t)n * sn_dtype_size(dtype));
    return SN_OK;
  }
  sn_status status = SN_OK;
  for (int64_t i = 0; i < n && !status; i++)
    status = sn_host_set_string(args, output, i, ((const sn_text *)(const void *)from)[i]);
  return status;
}

static sn_status fetch(const sn_host_args *args) {
  sns_table_store *s = store_of(args);
  sns_entries *entries = sns_table_fetch(s, sns_i64(&args->in[1])[0]);
  if (!entries) return sns_refuse(args, SN_ERR_STATE, "these entries have been fetched before");
  sn_status status = write_part(args, s->key, entries->keys, 0);
  if (!status) status = write_part(args, s->value, entries->values, 1);
  sns_entries_free(s, entries);
  return status;
}

static void export_traced(sn_context *c, sn_table *table, sn_tensor **out) {
  sn_tensor *in[] = {sn_object_variable(table), NULL};
  (void)sn_host_call(c, take_snapshot, in, 1, &in[1], 1, .name = "export", .user = table,
                     .infer = infer_snapshot);
  const sns_table_store *s = table->store;
  const int64_t n = sn_late_dim(sn_index(in[1], 0, 1));
  const sn_spec specs[] = {{s->key, export_shape(s, n, false)},
                           {s->value, export_shape(s, n, true)}};
  (void)sn_host_call(c, fetch, in, 2, out, 2, .name = "fetch", .user = table, .specs = specs);
}

sn_status sn_table_export_at(sn_context *context, sn_table *table, sn_tensor **out_keys,
                             sn_tensor **out_values, const char *file, int line) {
  SN_FRAME_AT(context, "sn_table_export", file, line);
  sn_tensor *out[2] = {sn_error_tensor(context), sn_error_tensor(context)};
  if (!out_keys || !out_values) sn_fail(context, SN_ERR_ARGUMENT, "out_keys or out_values is NULL");
  if (is_table(context, table, false)) {
    sns_entries *entries = NULL;
    if (sn_is_tracing(context))
      export_traced(context, table, out);
    else if (!(entries = sns_table_snapshot(table->store, false)))
      sn_fail(context, SN_ERR_MEMORY, "a copy of a table");
    for (int i = 0; entries && i < 2; i++) out[i] = export_part(context, table->store, entries, i);
    sns_entries_free(table->store, entries);
  }
  const sn_status status = context ? sn_pending_error(context) : SN_ERR_ARGUMENT;
  if (out_keys) *out_keys = status ? sn_error_tensor(context) : out[0];
  if (out_values) *out_values = status ? sn_error_tensor(context) : out[1];
  return status;
}

static sn_status tell_size(const sn_host_args *args) {
  *sns_i64(&args->out[0]) = sns_table_store_size(store_of(args));
  return SN_OK;
}

sn_tensor *(sn_table_size)(sn_context *context, sn_table *table) {
  SN_FRAME(context, "sn_table_size");
  if (!is_table(context, table, false)) return sn_error_tensor(context);
  sn_tensor *variable = sn_object_variable(table);
  return SNS_RUN(context, &variable, 1, .name = "size", .callback = tell_size, .dtype = SN_I64,
                 .user = table, .effects = !table->store->frozen);
}
