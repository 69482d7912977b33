// Tables of the lines of a text file.
#include "frontend/structures/table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the file
static char *read_file(const char *path, size_t *out_length) {
  FILE *file = fopen(path, "rb");
  char *bytes = NULL;
  size_t length = 0, room = 0;
  if (!file) return NULL;
  for (size_t got = 1; got;) {
    if (length == room) {
      char *more = realloc(bytes, room = room ? 2 * room : 65536);
      if (!more) break;
      bytes = more;
    }
    got = fread(bytes + length, 1, room - length, file);
    length += got;
  }
  const bool ok = feof(file) && !ferror(file);
  (void)fclose(file);
  if (!ok) free(bytes);
  *out_length = length;
  return ok ? bytes : NULL;
}

static sn_text line_at(const char *bytes, size_t length, size_t *at) {
  const char *end = memchr(bytes + *at, '\n', length - *at);
  sn_text line = {bytes + *at, end ? (size_t)(end - bytes) - *at : length - *at};
  *at += line.length + 1;
  if (line.length && line.data[line.length - 1] == '\r') line.length--;
  return line;
}

// False: there is no such column.
static bool column_of(sn_text line, int column, char delimiter, sn_text *out) {
  for (*out = line; column > 0; column--) {
    const char *found = out->length ? memchr(out->data, delimiter, out->length) : NULL;
    if (!found) return false;
    out->length -= (size_t)(found + 1 - out->data);
    out->data = found + 1;
  }
  const char *end = out->length ? memchr(out->data, delimiter, out->length) : NULL;
  if (end) out->length = (size_t)(end - out->data);
  return true;
}

// ---- numbers
static bool store_integer(sn_dtype dtype, int64_t value, char *to) {
#define CASE(NAME, type)                        \
  case SN_##NAME: {                             \
    const type narrow = (type)value;            \
    if ((int64_t)narrow != value) return false; \
    memcpy(to, &narrow, sizeof(narrow));        \
    return true;                                \
  }
  switch ((int)dtype) {
    CASE(I8, int8_t)
    CASE(I16, int16_t)
    CASE(I32, int32_t)
    CASE(I64, int64_t)
    CASE(U8, uint8_t)
    CASE(U16, uint16_t)
    CASE(U32, uint32_t)
    default:
      return false;
  }
#undef CASE
}

static bool store_number(sn_dtype dtype, sn_text text, char *to) {
  char digits[64], *end;
  if (!text.length || text.length >= sizeof(digits)) return false;
  memcpy(digits, text.data, text.length);
  digits[text.length] = 0;
  errno = 0;
  if (dtype == SN_F32 || dtype == SN_F64) {
    const double value = strtod(digits, &end);
    const float narrow = (float)value;
    memcpy(to, dtype == SN_F32 ? (const void *)&narrow : (const void *)&value,
           sn_dtype_size(dtype));
    return end == digits + text.length;
  }
  const int64_t value = strtoll(digits, &end, 10);
  return !errno && end == digits + text.length && store_integer(dtype, value, to);
}

// ---- lines
typedef struct lines {
  sns_table_store *store;
  const sn_table_file_options *options;
  char *keys, *values;  // of entries
  int64_t n;
  char *message;
  size_t message_size;
} lines;

static sn_status take(const lines *l, sn_text line, int column, sn_dtype dtype, char *to) {
  sn_text text = line;
  const char delimiter = l->options->delimiter ? l->options->delimiter : '\t';
  const bool is_number = column == SN_TABLE_LINE_NUMBER;
  bool ok = column < 0 || column_of(line, column, delimiter, &text);
  if (!ok) {
    (void)snprintf(l->message, l->message_size, "line %lld has no column %d", (long long)l->n + 1,
                   column);
    return SN_ERR_FILE;
  }
  if (dtype == SN_STRING && !is_number) {
    memcpy(to, &text, sizeof(text));
    return SN_OK;
  }
  ok = is_number ? store_integer(dtype, l->n, to) : store_number(dtype, text, to);
  if (ok) return SN_OK;
  (void)snprintf(l->message, l->message_size, "line %lld: \"%.*s\" is no number of %s",
                 (long long)l->n + 1, text.length > 60 ? 60 : (int)text.length, text.data,
                 sn_dtype_name(dtype));
  return is_number ? SN_ERR_DTYPE : SN_ERR_FILE;
}

static sn_status take_lines(lines *l, const char *bytes, size_t length) {
  const sns_table_store *s = l->store;
  sn_status status = SN_OK;
  for (size_t at = 0; at < length && !status && (!l->options->lines || l->n < l->options->lines);
       l->n++) {
    const sn_text line = line_at(bytes, length, &at);
    status = take(l, line, l->options->key_column, s->key, l->keys + (size_t)l->n * s->key_bytes);
    if (!status)
      status = take(l, line, l->options->value_column, s->value,
                    l->values + (size_t)l->n * s->value_bytes);
  }
  if (status || l->n >= l->options->lines) return status;
  (void)snprintf(l->message, l->message_size, "it has %lld lines, expected %lld", (long long)l->n,
                 (long long)l->options->lines);
  return SN_ERR_FILE;
}

static sn_status put_lines(const lines *l) {
  const bool key_texts = l->store->key == SN_STRING, value_texts = l->store->value == SN_STRING;
  const sns_keys keys = {
      .data = l->keys, .n = l->n, .texts = key_texts ? (const sn_text *)(void *)l->keys : NULL};
  const sns_keys values = {.data = l->values,
                           .n = l->n,
                           .texts = value_texts ? (const sn_text *)(void *)l->values : NULL};
  int64_t bad = 0;
  const sn_status status = sns_table_put(l->store, &keys, &values, true, &bad);
  (void)snprintf(l->message, l->message_size,
                 status == SN_ERR_ARGUMENT
                     ? "the key of line %lld has another value in a line before"
                     : "a table of %lld lines",
                 status == SN_ERR_ARGUMENT ? (long long)bad + 1 : (long long)l->n);
  return status;
}

sn_status sns_table_read(sns_table_store *store, const char *path,
                         const sn_table_file_options *options, char *message, size_t message_size) {
  size_t length = 0, count = 1;
  char *bytes = read_file(path, &length);
  if (!bytes) {
    (void)snprintf(message, message_size, "%s cannot be read", path);
    return SN_ERR_FILE;
  }
  for (size_t i = 0; i < length; i++) count += bytes[i] == '\n';
  lines l = {.store = store, .options = options, .message = message, .message_size = message_size};
  l.keys = calloc(count, store->key_bytes);
  l.values = calloc(count, store->value_bytes);
  sn_status status = l.keys && l.values ? take_lines(&l, bytes, length) : SN_ERR_MEMORY;
  if (!status) status = put_lines(&l);
  free(l.keys);
  free(l.values);
  free(bytes);
  return status;
}
