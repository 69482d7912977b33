// Tensor arrays: elements stacked along axis 0 of a tensor, and which of them have been written. Each function is made of the core's ops; only that an
// element may be read is looked up by a call of the host's, which has the words for what is wrong.
//
// What an array is beyond its elements is said by which of its tensors there are, as structs that loops carry have tensors alone.
#include "frontend/structures/calls.h"

#include <stdio.h>
#include <string.h>

enum {
  ELEMENTS,  // [room, element...]; NULL: the element shape is not known yet
  STATES,    // i8 [room]
  LENGTH,    // i64[]; NULL: it is room, for ever
  CLEARS,    // i64[]; NULL: what is read stays
  ZERO,      // a scalar of the dtype; NULL: there are elements
  PARTS
};
enum { NEVER, WRITTEN, CLEARED };

struct sn_tensor_array {
  sn_object object;
  sn_tensor *parts[PARTS];
};

static const sn_object_class array_class = {.size = sizeof(sn_object_class),
                                            .name = "sn_tensor_array",
                                            .object_size = sizeof(sn_tensor_array),
                                            .n_tensors = PARTS,
                                            .tensors_offset = offsetof(sn_tensor_array, parts)};

static sn_tensor_array *no_array(sn_context *c) {
  return sn_object_error(c, &array_class);
}

static sn_tensor_array *array_of(sn_context *c, sn_tensor *const *parts) {
  if (sn_pending_error(c)) return no_array(c);
  return sn_object_escape(sn_object_create(c, &array_class, parts));
}

void sn_tensor_array_open(const void *a, sn_tensor **tensors) {
  memcpy(tensors, ((const sn_tensor_array *)a)->parts, PARTS * sizeof(*tensors));
}

void *sn_tensor_array_make(sn_context *context, sn_tensor *const *tensors) {
  return sn_object_create(context, &array_class, tensors);
}

static bool is_array(sn_context *c, const sn_tensor_array *a) {
  return c && sn_object_check(c, a, &array_class, "a");
}

static sn_dtype dtype_of(const sn_tensor_array *a) {
  return sn_dtype_of(a->parts[a->parts[ELEMENTS] ? ELEMENTS : ZERO]);
}

static int64_t room_of(const sn_tensor_array *a) {
  return sn_symbolic_dim(a->parts[STATES], 0);
}

// ---- shapes
static sn_shape with_axis(int64_t n, const sn_shape *element) {
  sn_shape shape = {.rank = element->rank + 1, .dims = {n}};
  memcpy(shape.dims + 1, element->dims, (size_t)element->rank * sizeof(int64_t));
  return shape;
}

// Of what has elements along axis 0.
static sn_shape element_of(const sn_tensor *rows) {
  sn_shape shape = sns_shape_of(rows);
  shape.rank--;
  memmove(shape.dims, shape.dims + 1, (size_t)shape.rank * sizeof(int64_t));
  return shape;
}

static size_t add_type(char *text, size_t capacity, sn_dtype dtype, const sn_shape *shape) {
  size_t at = (size_t)snprintf(text, capacity, "%s[", sn_dtype_name(dtype));
  for (int d = 0; d < shape->rank; d++)
    at += shape->dims[d] < 0 ? (size_t)snprintf(text + at, capacity - at, d ? ",?" : "?")
                             : (size_t)snprintf(text + at, capacity - at, d ? ",%lld" : "%lld",
                                                (long long)shape->dims[d]);
  return at + (size_t)snprintf(text + at, capacity - at, "]");
}

size_t sn_tensor_array_format(const sn_tensor_array *a, char *buffer, size_t capacity) {
  char type[200] = "elements of any shape", n[32] = "?";
  if (!a || !a->parts[STATES]) return (size_t)snprintf(buffer, capacity, "tensor array: none");
  const sn_tensor *length = a->parts[LENGTH];
  double size = (double)room_of(a);
  if (length && (sn_is_traced(length) || (sn_item)(length, &size))) size = -1;
  if (size >= 0) (void)snprintf(n, sizeof(n), "%.0f", size);
  if (a->parts[ELEMENTS]) {
    const sn_shape element = element_of(a->parts[ELEMENTS]);
    (void)add_type(type, sizeof(type), dtype_of(a), &element);
  } else {
    (void)snprintf(type, sizeof(type), "%s of any shape", sn_dtype_name(dtype_of(a)));
  }
  return (size_t)snprintf(buffer, capacity, "tensor array of %s %s%s", n, type,
                          length ? ", dynamic" : "");
}

static bool same_shape(const sn_shape *a, const sn_shape *b) {
  bool same = a->rank == b->rank;
  for (int d = 0; same && d < a->rank; d++) same = a->dims[d] == b->dims[d];
  return same;
}

static bool is_operand(sn_context *c, const sn_tensor *t, const char *name) {
  if (sn_rank(t) >= 0) return true;
  sn_fail(c, SN_ERR_ARGUMENT, "%s is %s", name, t ? "the error tensor, or dead" : "NULL");
  return false;
}

static bool is_index(sn_context *c, const sn_tensor *index, int rank, const char *name) {
  if (!is_operand(c, index, name)) return false;
  const sn_dtype dtype = sn_dtype_of(index);
  if (dtype != SN_I64 && dtype != SN_I32)
    sn_fail(c, SN_ERR_DTYPE, "%s is %s, expected i64 or i32", name, sn_dtype_name(dtype));
  else if (sn_rank(index) != rank)
    sn_fail(c, SN_ERR_SHAPE, "%s has rank %d, expected %d", name, sn_rank(index), rank);
  return !sn_pending_error(c);
}

// Whether elements of this shape may be written; parts: a's, which get elements if there are none yet.
static bool check_element(sn_context *c, const sn_tensor_array *a, const sn_tensor *value,
                          const sn_shape *element, sn_tensor **parts) {
  memcpy(parts, a->parts, PARTS * sizeof(*parts));
  if (sn_dtype_of(value) != dtype_of(a)) {
    sn_fail(c, SN_ERR_DTYPE, "value is %s, expected %s", sn_dtype_name(sn_dtype_of(value)),
            sn_dtype_name(dtype_of(a)));
    return false;
  }
  if (element->rank == SN_MAX_RANK) {
    sn_fail(c, SN_ERR_SHAPE, "elements of rank %d: with that of the array they have too many axes",
            element->rank);
    return false;
  }
  if (!parts[ELEMENTS]) {
    parts[ELEMENTS] =
        sn_broadcast_to(parts[ZERO], with_axis(sn_symbolic_dim(parts[STATES], 0), element));
    parts[ZERO] = NULL;
    return !sn_pending_error(c);
  }
  const sn_shape wanted = element_of(parts[ELEMENTS]);
  if (same_shape(element, &wanted)) return true;
  char given[200], expected[200];
  (void)add_type(given, sizeof(given), dtype_of(a), element);
  (void)add_type(expected, sizeof(expected), dtype_of(a), &wanted);
  sn_fail(c, SN_ERR_SHAPE, "an element of %s, expected %s as the others", given, expected);
  return false;
}

// ---- creation
static bool is_array_size(int64_t n, bool tracing) {
  return n >= 0 ? n < INT64_C(1) << 40 : tracing;
}

sn_tensor_array *sn_tensor_array_create_opts(sn_context *context, sn_dtype dtype, int64_t n,
                                             const sn_tensor_array_options *options) {
  SN_FRAME(context, "sn_tensor_array_create");
  SN_SCOPE(context);
  sn_tensor_array_options o = {0};
  sn_tensor *parts[PARTS] = {NULL};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  const sn_shape none = {0, {0}}, *element = o.element_shape ? o.element_shape : &none;
  if (!is_array_size(n, sn_is_tracing(context)) || element->rank < 0 ||
      element->rank >= SN_MAX_RANK)
    sn_fail(context, SN_ERR_SHAPE,
            "%lld elements of rank %d, expected no negative number, and at most %d", (long long)n,
            element->rank, SN_MAX_RANK - 1);
  if (!context || sn_pending_error(context)) return no_array(context);
  if (o.element_shape)
    parts[ELEMENTS] = sn_zeros(context, dtype, with_axis(n, element));
  else
    parts[ZERO] = sn_zeros(context, dtype, none);
  parts[STATES] = sn_zeros(context, SN_I8, SN_SHAPE(n));
  if (o.dynamic) parts[LENGTH] = sn_axis_size(parts[STATES], 0, SN_I64);
  if (!o.keep_after_read) parts[CLEARS] = sn_scalar_i64(context, 1);
  return array_of(context, parts);
}

// ---- growth
// Both along axis 0 with zeros behind.
static void enlarge(sn_tensor **parts, int64_t from, int64_t to) {
  for (int i = ELEMENTS; i <= STATES; i++) {
    if (!parts[i]) continue;
    const int64_t before[SN_MAX_RANK] = {0}, after[SN_MAX_RANK] = {to - from};
    if (sn_dtype_of(parts[i]) != SN_STRING) {
      parts[i] = sn_pad(parts[i], before, after, sn_rank(parts[i]), 0);
      continue;
    }
    const sn_shape element = element_of(parts[i]);
    sn_tensor *both[] = {
        parts[i], sn_zeros(sn_context_of(parts[i]), SN_STRING, with_axis(to - from, &element))};
    parts[i] = sn_concat(both, 2, 0);
  }
}

static sn_status check_room(const sn_host_args *args) {
  const int64_t n = sns_view_size(&args->in[0]), room = args->in[1].shape.dims[0];
  for (int64_t i = 0; i < n; i++) {
    const int64_t at = sns_i64(&args->in[0])[i];
    if (at < 0 || at >= room)
      return sns_refuse(args, SN_ERR_INDEX,
                        "index %lld, with room for %lld elements: in a compiled function an array "
                        "grows no further: sn_tensor_array_reserve",
                        (long long)at, (long long)room);
    sns_i64(&args->out[0])[i] = at;
  }
  return SN_OK;
}

// Indices that a dynamic array will have, as far as it may: i64. It gets the length, and op by op the room that they need.
static sn_tensor *make_room(sn_context *c, sn_tensor **parts, sn_tensor *at) {
  if (!parts[LENGTH] || sn_pending_error(c)) return at;
  if (sn_is_tracing(c))
    at = SNS_RUN(c, ((sn_tensor *const[]){at, parts[STATES]}), 2, .name = "room",
                 .callback = check_room, .dtype = SN_I64, .shape = sns_shape_of(at));
  sn_tensor *last = at;
  if (sn_rank(at) == 1) {  // of no indices the greatest is -1
    sn_tensor *const all[] = {at, sn_full(c, SN_I64, SN_SHAPE(1), -1)};
    last = sn_max(sn_concat(all, 2, 0));
  }
  const int64_t room = sn_symbolic_dim(parts[STATES], 0);
  int64_t index = -1;
  if (!sn_is_tracing(c) && !(sn_read)(last, &index, sizeof(index)) && index >= room &&
      index < INT64_C(1) << 40)
    enlarge(parts, room, index + 1 > 2 * room ? index + 1 : 2 * room);
  parts[LENGTH] = sn_maximum(parts[LENGTH], sn_add(last, 1));
  return at;
}

sn_tensor_array *(sn_tensor_array_reserve)(sn_tensor_array *a, int64_t n) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_reserve");
  SN_SCOPE(c);
  if (!is_array(c, a)) return no_array(c);
  sn_tensor *parts[PARTS];
  memcpy(parts, a->parts, sizeof(parts));
  const int64_t room = room_of(a);
  if (!parts[LENGTH])
    sn_fail(c, SN_ERR_ARGUMENT, "the array is of fixed size");
  else if (n < 0 || n >= INT64_C(1) << 40 || room < 0)
    sn_fail(c, SN_ERR_SHAPE, "room for %lld elements, of an array of %s size", (long long)n,
            room < 0 ? "unknown" : "known");
  else if (n > room)
    enlarge(parts, room, n);
  return array_of(c, parts);
}

// ---- one element
// In the place of i, and of what it says.
static sn_tensor *state(sn_tensor *like, double value) {
  return sn_cast(sn_full_like(like, value), SN_I8);
}

sn_tensor_array *(sn_tensor_array_write)(sn_tensor_array *a, sn_tensor *index, sn_tensor *value) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_write");
  SN_SCOPE(c);
  sn_tensor *parts[PARTS];
  if (!is_array(c, a) || !is_index(c, index, 0, "index") || !is_operand(c, value, "value"))
    return no_array(c);
  const sn_shape element = sns_shape_of(value);
  if (!check_element(c, a, value, &element, parts)) return no_array(c);
  sn_tensor *at = make_room(c, parts, sns_wide(index));
  parts[ELEMENTS] = sn_scatter_update(parts[ELEMENTS], at, value);
  parts[STATES] = sn_scatter_update(parts[STATES], at, state(at, WRITTEN));
  return array_of(c, parts);
}

// The indices as they are, if all of them may be read. in: states, indices, size.
static sn_status check_states(const sn_host_args *args) {
  const int8_t *states = args->in[0].data;
  const int64_t *indices = sns_i64(&args->in[1]), n = sns_view_size(&args->in[1]);
  const int64_t size = *sns_i64(&args->in[2]);
  for (int64_t i = 0; i < n; i++) {
    const int64_t at = indices[i];
    if (at < 0 || at >= size)
      return sns_refuse(args, SN_ERR_INDEX, "index %lld of an array of %lld elements",
                        (long long)at, (long long)size);
    if (states[at] != WRITTEN)
      return sns_refuse(
          args, SN_ERR_STATE, "element %lld %s", (long long)at,
          states[at] == NEVER ? "has never been written" : "has been read before, and is cleared");
    sns_i64(&args->out[0])[i] = at;
  }
  return SN_OK;
}

// Rows at `at`, which readable has given. Of one row alone a gather needs no index, and nobody would look at what at says.
static sn_tensor *rows_at(const sn_tensor_array *a, sn_tensor *at) {
  sn_tensor *rows = sn_gather(a->parts[ELEMENTS], at);
  if (room_of(a) != 1) return rows;
  sn_shape ones = sns_shape_of(at);
  for (int d = sn_rank(at); d < sn_rank(rows); d++) ones.dims[ones.rank++] = 1;
  return sn_where(sn_equal(sn_reshape(at, ones), 0), rows, sn_zeros_like(rows));
}

static sn_tensor *readable(sn_context *c, const sn_tensor_array *a, sn_tensor *indices) {
  if (!a->parts[ELEMENTS]) {
    sn_fail(c, SN_ERR_STATE, "no element of the array has been written");
    return sn_error_tensor(c);
  }
  sn_tensor *size = a->parts[LENGTH] ? a->parts[LENGTH] : sn_axis_size(a->parts[STATES], 0, SN_I64);
  sn_tensor *const in[] = {a->parts[STATES], sns_wide(indices), size};
  return SNS_RUN(c, in, 3, .name = "element", .callback = check_states, .dtype = SN_I64,
                 .shape = sns_shape_of(indices));
}

sn_tensor *(sn_tensor_array_read)(sn_tensor_array *a, sn_tensor *index,
                                  sn_tensor_array **out_after) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_read");
  SN_SCOPE(c);
  if (out_after) *out_after = no_array(c);
  if (!is_array(c, a) || !is_index(c, index, 0, "index")) return sn_error_tensor(c);
  sn_tensor *at = readable(c, a, index), *parts[PARTS];
  sn_tensor *value = sn_pending_error(c) ? at : rows_at(a, at);
  memcpy(parts, a->parts, sizeof(parts));
  if (out_after && parts[CLEARS] && !sn_pending_error(c)) {
    parts[ELEMENTS] = sn_scatter_update(parts[ELEMENTS], at, sn_zeros_like(value));
    parts[STATES] = sn_scatter_update(parts[STATES], at, state(at, CLEARED));
  }
  if (out_after) *out_after = array_of(c, parts);
  return sn_escape(value);
}

// ---- several
sn_tensor *(sn_tensor_array_gather)(sn_tensor_array *a, sn_tensor *indices) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_gather");
  SN_SCOPE(c);
  if (!is_array(c, a) || !is_index(c, indices, 1, "indices")) return sn_error_tensor(c);
  sn_tensor *at = readable(c, a, indices);
  return sn_pending_error(c) ? sn_error_tensor(c) : sn_escape(rows_at(a, at));
}

sn_tensor_array *(sn_tensor_array_scatter)(sn_tensor_array *a, sn_tensor *indices,
                                           sn_tensor *values) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_scatter");
  SN_SCOPE(c);
  sn_tensor *parts[PARTS];
  if (!is_array(c, a) || !is_index(c, indices, 1, "indices") || !is_operand(c, values, "values"))
    return no_array(c);
  if (sn_rank(values) < 1) {
    sn_fail(c, SN_ERR_SHAPE, "values is a scalar, expected one value per index");
    return no_array(c);
  }
  const sn_shape element = element_of(values);
  if (!check_element(c, a, values, &element, parts)) return no_array(c);
  sn_tensor *at = make_room(c, parts, sns_wide(indices));
  parts[ELEMENTS] = sn_scatter_update(parts[ELEMENTS], at, values);
  parts[STATES] = sn_scatter_update(parts[STATES], at, state(at, WRITTEN));
  return array_of(c, parts);
}

// ---- all
sn_tensor *(sn_tensor_array_size)(const sn_tensor_array *a) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_size");
  if (!is_array(c, a)) return sn_error_tensor(c);
  return a->parts[LENGTH] ? sns_own(a->parts[LENGTH]) : sn_axis_size(a->parts[STATES], 0, SN_I64);
}

// Elements as far as the size; NULL: there is no shape.
static sn_tensor *rows_of(sn_context *c, const sn_tensor_array *a) {
  if (!a->parts[ELEMENTS]) {
    sn_fail(
        c, SN_ERR_STATE,
        "no element is written, and no element shape given: the shape of the result is not known");
    return NULL;
  }
  if (!a->parts[LENGTH]) return sns_own(a->parts[ELEMENTS]);
  const int64_t n = sn_late_dim(a->parts[LENGTH]);
  if (!sn_is_tracing(c)) return sn_slice(a->parts[ELEMENTS], &SN_RANGE(0, n, 1), 1);
  return sn_gather(a->parts[ELEMENTS], sn_range_like(sn_zeros(c, SN_BOOL, SN_SHAPE(n)), 0, SN_I64));
}

sn_tensor *(sn_tensor_array_stack)(sn_tensor_array *a) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_stack");
  SN_SCOPE(c);
  sn_tensor *rows = is_array(c, a) ? rows_of(c, a) : NULL;
  return rows ? sn_escape(rows) : sn_error_tensor(c);
}

sn_tensor *(sn_tensor_array_concat)(sn_tensor_array *a) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_concat");
  SN_SCOPE(c);
  sn_tensor *rows = is_array(c, a) ? rows_of(c, a) : NULL;
  if (!rows) return sn_error_tensor(c);
  if (sn_rank(rows) < 2) {
    sn_fail(c, SN_ERR_SHAPE, "elements are scalars, which have no axis 0: sn_tensor_array_stack");
    return sn_error_tensor(c);
  }
  sn_shape shape = element_of(rows);
  const int64_t n = sn_symbolic_dim(rows, 0);
  shape.dims[0] = n >= 0 && shape.dims[0] >= 0 ? n * shape.dims[0] : -1;
  return sn_escape(sn_reshape(rows, shape));
}

static sn_tensor_array *of_rows(sn_context *c, const sn_tensor_array *a, sn_tensor *rows,
                                sn_tensor **parts) {
  const sn_shape element = element_of(rows);
  if (!check_element(c, a, rows, &element, parts)) return no_array(c);
  parts[ELEMENTS] = sns_own(rows);
  parts[STATES] = sn_ones(c, SN_I8, SN_SHAPE(sn_symbolic_dim(rows, 0)));
  if (parts[LENGTH]) parts[LENGTH] = sn_axis_size(rows, 0, SN_I64);
  return array_of(c, parts);
}

sn_tensor_array *(sn_tensor_array_unstack)(sn_tensor_array *a, sn_tensor *values) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_unstack");
  SN_SCOPE(c);
  sn_tensor *parts[PARTS];
  if (!is_array(c, a) || !is_operand(c, values, "values")) return no_array(c);
  const int64_t n = sn_symbolic_dim(values, 0), room = room_of(a);
  if (sn_rank(values) < 1)
    sn_fail(c, SN_ERR_SHAPE, "values is a scalar, expected rows");
  else if (!a->parts[LENGTH] && n != room)
    sn_fail(c, SN_ERR_SHAPE, "values has %lld rows, the array %lld elements (negative: not known)",
            (long long)n, (long long)room);
  if (sn_pending_error(c)) return no_array(c);
  return of_rows(c, a, values, parts);
}

sn_tensor_array *(sn_tensor_array_split)(sn_tensor_array *a, sn_tensor *values) {
  sn_context *c = sn_object_context(a);
  SN_FRAME(c, "sn_tensor_array_split");
  SN_SCOPE(c);
  sn_tensor *parts[PARTS];
  if (!is_array(c, a) || !is_operand(c, values, "values")) return no_array(c);
  const int64_t n = a->parts[LENGTH] ? sn_late_dim(a->parts[LENGTH]) : room_of(a);
  const int64_t lines = sn_rank(values) < 1 ? -1 : sn_symbolic_dim(values, 0);
  if (sn_rank(values) < 1 || sn_rank(values) == SN_MAX_RANK)
    sn_fail(c, SN_ERR_SHAPE, "values has rank %d, expected 1 to %d", sn_rank(values),
            SN_MAX_RANK - 1);
  else if (n < 0 || lines < 0 || (n ? lines % n : lines))
    sn_fail(c, SN_ERR_SHAPE,
            "values has %lld rows, which are no %lld equal parts (negative: not known)",
            (long long)lines, (long long)n);
  if (sn_pending_error(c)) return no_array(c);
  sn_shape shape = sns_shape_of(values);
  memmove(shape.dims + 2, shape.dims + 1, (size_t)(shape.rank++ - 1) * sizeof(int64_t));
  shape.dims[0] = n;
  shape.dims[1] = n ? lines / n : 0;
  return of_rows(c, a, sn_reshape(values, shape), parts);
}
