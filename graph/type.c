// Types: construction, comparison, sizes and text. Constants need no table of dims.
#include "graph/type.h"

#include <stdio.h>
#include <string.h>

sni_type sni_type_make(sn_dtype dtype, int rank, const sni_dim *dims) {
  sni_assert(rank >= 0 && rank <= SN_MAX_RANK);
  sni_type type = {.dtype = dtype, .rank = rank};
  if (rank) memcpy(type.dims, dims, sizeof(sni_dim) * (size_t)rank);
  return type;
}

bool sni_shape_equal(const sni_dim_table *dims, const sni_type *a, const sni_type *b) {
  if (a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++)
    if (!sni_dim_equal(dims, a->dims[i], b->dims[i])) return false;
  return true;
}

bool sni_type_equal(const sni_dim_table *dims, const sni_type *a, const sni_type *b) {
  return a->dtype == b->dtype && sni_shape_equal(dims, a, b);
}

bool sni_type_is_static(const sni_type *type) {
  for (int i = 0; i < type->rank; i++)
    if (type->dims[i] < 0) return false;
  return true;
}

sni_dim sni_type_size(sni_dim_table *dims, const sni_type *type) {
  sni_dim size = 1;
  int64_t value;
  for (int i = 0; i < type->rank; i++)  // so that [2^62, 2^62, 0] has a size
    if (sni_dim_is_constant(dims, type->dims[i], &value) && value == 0) return 0;
  for (int i = 0; i < type->rank; i++) size = sni_dim_mul(dims, size, type->dims[i]);
  return size;
}

size_t sni_type_bytes(const sni_type *type) {
  return (size_t)sni_type_size(NULL, type) * sn_dtype_size(type->dtype);
}

// Room left behind length, for appending as snprintf does.
static char *rest(char *buffer, size_t capacity, size_t length, size_t *out_room) {
  *out_room = length < capacity ? capacity - length : 0;
  return *out_room ? buffer + length : NULL;
}

size_t sni_type_format(const sni_dim_table *dims, const sni_type *type, char *buffer,
                       size_t capacity) {
  size_t length = 0, room;
  char *at = rest(buffer, capacity, length, &room);
  length += (size_t)snprintf(at, room, "%s[", sn_dtype_name(type->dtype));
  for (int i = 0; i < type->rank; i++) {
    at = rest(buffer, capacity, length, &room);
    if (i) length += (size_t)snprintf(at, room, ",");
    at = rest(buffer, capacity, length, &room);
    length += sni_dim_format(dims, type->dims[i], at, room);
  }
  at = rest(buffer, capacity, length, &room);
  return length + (size_t)snprintf(at, room, "]");
}

void sni_index_fault_format(const char *op, const sni_type *table, const sni_type *indices,
                            char *buffer, size_t capacity) {
  char of_table[200], of_indices[200], rows[24];
  sni_type_format(NULL, table, of_table, sizeof(of_table));
  sni_type_format(NULL, indices, of_indices, sizeof(of_indices));
  sni_dim_format(NULL, table->dims[0], rows, sizeof(rows));
  snprintf(buffer, capacity,
           "%s: an index (operand #1, %s) is out of range: operand #0 is %s, so indices must be in "
           "[0, %s)",
           op, of_indices, of_table, rows);
}

void sni_axes_fault_format(const char *op, const sni_dim *axes, const sni_dim *sizes, int n,
                           char *buffer, size_t capacity) {
  int at = snprintf(buffer, capacity, "%s: an index is out of range:", op);
  for (int k = 0; k < n && at >= 0 && (size_t)at < capacity; k++) {
    char size[24];
    sni_dim_format(NULL, sizes[k], size, sizeof(size));
    at += snprintf(buffer + at, capacity - (size_t)at,
                   "%s indices along axis %d must be in [0, %s)", k ? "," : "", (int)axes[k], size);
  }
}

void sni_dtypes_format(uint32_t dtypes, char *buffer, size_t capacity) {
  static const struct {
    uint32_t dtypes;
    const char *name;
  } sets[] = {{SNI_DTYPES_NUMBER, "a number"},
              {SNI_DTYPES_ANY, "a number or bool"},
              {SNI_DTYPES_TEXT, "strings"},
              {SNI_DTYPES_REAL, "a real number"},
              {SNI_DTYPES_INEXACT, "a float or complex"},
              {SNI_DTYPES_FLOAT, "a float"},
              {SNI_DTYPES_COMPLEX, "complex"},
              {SNI_DTYPES_ORDERED, "bool or a real number"},
              {SNI_DTYPES_INTEGER, "an integer"},
              {SNI_DTYPES_LOGIC, "bool or an integer"}};
  size_t length = 0;
  buffer[0] = 0;
  for (size_t i = 0; i < SNI_COUNT_OF(sets); i++)
    if (sets[i].dtypes == dtypes) {
      snprintf(buffer, capacity, "%s", sets[i].name);
      return;
    }
  for (int i = 0; i < SN_DTYPE_COUNT; i++)
    if (dtypes >> i & 1 && length < capacity)
      length += (size_t)snprintf(buffer + length, capacity - length, "%s%s", length ? " or " : "",
                                 sn_dtype_name((sn_dtype)i));
}
