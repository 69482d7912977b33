// Creation: constants, filled tensors, ranges.
//
// In a trace a constant becomes a node, its elements baked in. Scalars that composed ops need in eager mode are kept
// in a small cache of the context.
#include "frontend/ops/compose.h"
#include "runtime/float_modes.h"
#include "runtime/scalar.h"

#include <math.h>
#include <string.h>

typedef union element {
  uint8_t b;
  uint64_t bits[2];  // its own in the low bytes
} element;

// ---- values
static element to_element(sn_dtype dtype, double value) {
  element e = {.bits = {0, 0}};
  if (dtype == SN_STRING) return e;  // the empty string
  if (dtype == SN_BOOL) value = fabs(value) >= 1;
  sni_scalar_store(sni_scalar_of(dtype, value), &e, 0);
  return e;
}

static void fill(void *out, element e, size_t element_bytes, size_t count) {
  if ((!e.bits[0] && !e.bits[1]) || element_bytes == 1) {
    if (count) memset(out, e.b, count * element_bytes);
  } else if (element_bytes == 2) {
    for (size_t i = 0; i < count; i++) memcpy((char *)out + 2 * i, &e, 2);
  } else if (element_bytes == 4) {
    for (size_t i = 0; i < count; i++) memcpy((char *)out + 4 * i, &e, 4);
  } else if (element_bytes == 8) {
    for (size_t i = 0; i < count; i++) memcpy((char *)out + 8 * i, &e, 8);
  } else {
    for (size_t i = 0; i < count; i++) memcpy((char *)out + 16 * i, &e, 16);
  }
}

// ---- checks
bool sni_shape_type(sn_context *c, sn_dtype dtype, const sn_shape *shape, sni_type *out_type) {
  if (!sni_is_dtype(dtype)) {
    sni_error(c, SN_ERR_DTYPE, "%s: %d is not a dtype", c->frame.op, (int)dtype);
    return false;
  }
  if (shape->rank < 0 || shape->rank > SN_MAX_RANK) {
    sni_error(c, SN_ERR_SHAPE, "%s: rank %d is not in [0, %d]", c->frame.op, shape->rank,
              SN_MAX_RANK);
    return false;
  }
  int64_t bytes = (int64_t)sn_dtype_size(dtype);
  sni_dim dims[SN_MAX_RANK];
  for (int i = 0; i < shape->rank; i++) {
    int64_t dim = dims[i] = shape->dims[i];
    if (sni_is_dim_token(dim)) {
      if (sni_token_dim(c, dim, &dims[i])) continue;
      sni_error(c, SN_ERR_SHAPE, "%s: dim %d of the shape is a symbolic dim of another trace",
                c->frame.op, i);
      return false;
    }
    if (dim < 0) {
      sni_error(c, SN_ERR_SHAPE, "%s: dim %d of the shape is negative: %lld", c->frame.op, i,
                (long long)dim);
      return false;
    }
    if (dim && __builtin_mul_overflow(bytes, dim, &bytes)) {
      sni_error(c, SN_ERR_SHAPE, "%s: the shape has too many elements for 64-bit sizes",
                c->frame.op);
      return false;
    }
  }
  *out_type = sni_type_make(dtype, shape->rank, dims);
  return true;
}

bool sni_known_shape_type(sn_context *c, sn_dtype dtype, const sn_shape *shape,
                          sni_type *out_type) {
  if (!sni_shape_type(c, dtype, shape, out_type)) return false;
  if (sni_type_is_static(out_type)) return true;
  sni_error(c, SN_ERR_SHAPE, "%s: a symbolic dim in the shape of given elements", c->frame.op);
  return false;
}

bool sni_expect_numbers(sn_context *c, sn_dtype dtype, const char *instead) {
  if (dtype != SN_STRING) return true;
  sni_error(c, SN_ERR_DTYPE, "%s: strings are no numbers: %s", c->frame.op, instead);
  return false;
}

bool sni_dtype_has(sn_dtype dtype, double value) {
  if (sni_is_inexact(dtype)) return true;
  if (dtype == SN_BOOL) return value == 0 || value == 1;
  const double limit = ldexp(1, sni_dtype_infos[dtype].digits);
  return value == trunc(value) && value < limit && value >= (sni_is_unsigned(dtype) ? 0 : -limit);
}

// ---- constants
// Kernels take a bool's byte for 0 or 1.
static void make_bools(void *data, size_t n) {
  uint8_t *bytes = data;
  for (size_t i = 0; i < n; i++) bytes[i] = bytes[i] != 0;
}

sn_tensor *sni_constant(sn_context *c, const sni_type *type, const void *data) {
  if (c->trace) {
    sni_graph *graph = sni_trace_graph(c->trace);
    sni_node_id id;
    sn_status status = sni_graph_add_constant(graph, type, data, (sni_location){0}, &id);
    if (status) return sni_error_from(c, status, graph->diag);
    if (type->dtype == SN_BOOL)  // the graph's own copy
      make_bools((void *)(uintptr_t)sni_graph_node(graph, id)->data, sni_type_bytes(type));
    sn_tensor *t = sni_tensor_traced(c, c->trace, id);
    return t ? t : &c->error_tensor;
  }
  sn_tensor *t = sni_tensor_new(c, type);
  if (!t) return &c->error_tensor;
  size_t bytes = sni_type_bytes(type);
  if (bytes) memcpy(t->data, data, bytes);
  if (type->dtype == SN_BOOL) make_bools(t->data, bytes);
  return t;
}

sn_tensor *(sn_constant)(sn_context *context, sn_dtype dtype, sn_shape shape, const void *data) {
  sni_type type;
  SNI_ENTER(context, "sn_constant", sni_refused(context, context_refused));
  if (!sni_expect_numbers(context, dtype, "sn_strings makes them") ||
      !sni_known_shape_type(context, dtype, &shape, &type))
    return &context->error_tensor;
  if (!data && sni_type_bytes(&type))
    return sni_error(context, SN_ERR_ARGUMENT, "sn_constant: data is NULL");
  return sni_constant(context, &type, data);
}

static sn_tensor *scalar(sn_context *context, const char *name, sn_dtype dtype, const void *data) {
  SNI_ENTER(context, name, sni_refused(context, context_refused));
  return sni_constant(context, &(sni_type){.dtype = dtype}, data);
}

sn_tensor *sn_scalar_f32(sn_context *context, float value) {
  return scalar(context, "sn_scalar_f32", SN_F32, &value);
}

sn_tensor *sn_scalar_f64(sn_context *context, double value) {
  return scalar(context, "sn_scalar_f64", SN_F64, &value);
}

sn_tensor *sn_scalar_i32(sn_context *context, int32_t value) {
  return scalar(context, "sn_scalar_i32", SN_I32, &value);
}

sn_tensor *sn_scalar_i64(sn_context *context, int64_t value) {
  return scalar(context, "sn_scalar_i64", SN_I64, &value);
}

sn_tensor *sn_scalar_bool(sn_context *context, bool value) {
  return scalar(context, "sn_scalar_bool", SN_BOOL, &(uint8_t){value});
}

sn_tensor *sn_scalar_c64(sn_context *context, float re, float im) {
  return scalar(context, "sn_scalar_c64", SN_C64, &(sn_complex64){re, im});
}

sn_tensor *sn_scalar_c128(sn_context *context, double re, double im) {
  return scalar(context, "sn_scalar_c128", SN_C128, &(sn_complex128){re, im});
}

sn_tensor *(sn_scalar_like)(sn_tensor *like, double value) {
  SNI_BEGIN(c, "sn_scalar_like", like);
  element e = to_element(like->type.dtype, value);
  return sni_constant(c, &(sni_type){.dtype = like->type.dtype}, &e);
}

// ---- filled tensors
static sn_tensor *full_eager(sn_context *c, const sni_type *type, element e) {
  sn_tensor *t = sni_tensor_new(c, type);
  if (!t) return &c->error_tensor;
  size_t size = sn_dtype_size(type->dtype);
  fill(t->data, e, size, sni_type_bytes(type) / size);
  return t;
}

static sn_tensor *full_traced(sn_context *c, const sni_type *type, element e) {
  const uint32_t first = c->n_live;
  sn_tensor *t = sni_constant(c, &(sni_type){.dtype = type->dtype}, &e);
  return sni_keep_only(c, first, type->rank ? sni_broadcast_to(c, t, type) : t);
}

static sn_tensor *full(sn_context *c, const sni_type *type, element e) {
  return c->trace ? full_traced(c, type, e) : full_eager(c, type, e);
}

static bool holds(const sn_tensor *t, sn_dtype dtype, element e) {
  element held;
  if (!t || t->type.dtype != dtype) return false;
  memcpy(&held, t->data, sizeof(held));
  return held.bits[0] == e.bits[0] && held.bits[1] == e.bits[1];
}

static sn_tensor *new_cached_scalar(sn_context *c, sn_dtype dtype, element e) {
  sni_buffer *buffer = sni_buffer_create(c->family->buffers, sizeof(e));
  sn_tensor *t = buffer ? sni_tensor_alloc(c, SNI_TENSOR_EAGER) : NULL;
  if (!t) {
    sni_buffer_release(buffer);
    sni_error_from(c, sni_fail_memory(&c->diag, sizeof(e), "a constant"), NULL);
    return NULL;
  }
  t->type = (sni_type){.dtype = dtype};
  t->buffer = buffer;
  t->data = sni_buffer_host(buffer);
  memcpy(t->data, &e, sizeof(e));
  return t;
}

// The context keeps the scalar. One that gives way to another value may still be an operand of the
// op at work: it goes to the scope.
static sn_tensor *cached_scalar(sn_context *c, sn_dtype dtype, element e) {
  uint64_t h = sni_hash_mix(sni_hash_mix(sni_hash_mix(0, e.bits[0]), e.bits[1]), dtype);
  sn_tensor **slot = &c->scalars[(h >> 40) % SNI_SCALAR_CACHE], *t = *slot;
  if (holds(t, dtype, e)) return t;
  t = new_cached_scalar(c, dtype, e);
  if (!t) return &c->error_tensor;
  if (*slot && !sni_scope_adopt(c, *slot)) {
    *slot = t;
    return &c->error_tensor;
  }
  *slot = t;
  return t;
}

sn_tensor *sni_emit_full(sn_context *c, const sni_type *type, double value) {
  element e = to_element(type->dtype, value);
  return c->trace || type->rank ? full(c, type, e) : cached_scalar(c, type->dtype, e);
}

static sn_tensor *full_in(sn_context *context, const char *name, sn_dtype dtype, sn_shape shape,
                          double value) {
  sni_type type;
  SNI_ENTER(context, name, sni_refused(context, context_refused));
  if (!sni_shape_type(context, dtype, &shape, &type) ||
      (value != 0 && !sni_expect_numbers(context, dtype, "sn_broadcast_to repeats one")))
    return &context->error_tensor;
  return full(context, &type, to_element(dtype, value));
}

sn_tensor *(sn_full)(sn_context *context, sn_dtype dtype, sn_shape shape, double value) {
  return full_in(context, "sn_full", dtype, shape, value);
}

sn_tensor *(sn_zeros)(sn_context *context, sn_dtype dtype, sn_shape shape) {
  return full_in(context, "sn_zeros", dtype, shape, 0);
}

sn_tensor *(sn_ones)(sn_context *context, sn_dtype dtype, sn_shape shape) {
  return full_in(context, "sn_ones", dtype, shape, 1);
}

sn_tensor *(sn_zeros_like)(sn_tensor *like) {
  SNI_BEGIN(c, "sn_zeros_like", like);
  return full(c, &like->type, to_element(like->type.dtype, 0));
}

sn_tensor *(sn_ones_like)(sn_tensor *like) {
  SNI_BEGIN(c, "sn_ones_like", like);
  if (!sni_expect_numbers(c, like->type.dtype, "sn_broadcast_to repeats one"))
    return &c->error_tensor;
  return full(c, &like->type, to_element(like->type.dtype, 1));
}

sn_tensor *(sn_full_like)(sn_tensor *like, double value) {
  SNI_BEGIN(c, "sn_full_like", like);
  if (!sni_expect_numbers(c, like->type.dtype, "sn_broadcast_to repeats one"))
    return &c->error_tensor;
  return full(c, &like->type, to_element(like->type.dtype, value));
}

// ---- ranges
static double steps_between(double start, double limit, double step) {
  const unsigned host = sni_enter_float_modes();
  SNI_PIN_FLOAT(start);
  double count = ceil((limit - start) / step);
  SNI_PIN_FLOAT(count);
  sni_leave_float_modes(host);
  return count;
}

// Integers count in i64, floats in f64: each element is start + i * step rounded once more to its
// dtype.
sn_tensor *(sn_range)(sn_context *context, sn_dtype dtype, double start, double limit,
                      double step) {
  SNI_ENTER(context, "sn_range", sni_refused(context, context_refused));
  if ((unsigned)dtype >= SN_DTYPE_COUNT || dtype == SN_BOOL)
    return sni_error(context, SN_ERR_DTYPE, "sn_range: dtype %s, expected a number",
                     (unsigned)dtype < SN_DTYPE_COUNT ? sn_dtype_name(dtype) : "unknown");
  if (!sni_is_inexact(dtype) && (start != trunc(start) || step != trunc(step)))
    return sni_error(context, SN_ERR_ARGUMENT,
                     "sn_range: start %g and step %g of an %s range must be integers", start, step,
                     sn_dtype_name(dtype));
  const double count = steps_between(start, limit, step);
  if (step == 0 || !(fabs(count) <= 0x1p48))
    return sni_error(context, SN_ERR_ARGUMENT,
                     "sn_range: from %g to %g by %g is no finite number of steps", start, limit,
                     step);
  const uint32_t first = context->n_live;
  sn_dtype wide = sni_is_inexact(dtype) ? SN_F64 : SN_I64;
  sni_type type = {.dtype = SN_I64, .rank = 1, .dims = {count > 0 ? (int64_t)count : 0}};
  sn_tensor *t = sni_convert(context, sni_iota(context, &type, 0), wide);
  if (step != 1) t = sni_with_number(context, SNI_OP_MUL, t, step);
  if (start != 0) t = sni_with_number(context, SNI_OP_ADD, t, start);
  return sni_keep_only(context, first, dtype == wide ? t : sni_convert(context, t, dtype));
}

static bool expect_number(sn_context *c, sn_dtype dtype) {
  if ((unsigned)dtype < SN_DTYPE_COUNT && dtype != SN_BOOL) return true;
  sni_error(c, SN_ERR_DTYPE, "%s: dtype %s, expected a number", c->frame.op,
            (unsigned)dtype < SN_DTYPE_COUNT ? sn_dtype_name(dtype) : "unknown");
  return false;
}

sn_tensor *(sn_range_like)(sn_tensor *like, int axis, sn_dtype dtype) {
  SNI_BEGIN_COMPOSED(c, "sn_range_like", like);
  axis = sni_axis(c, like, axis);
  if (axis < 0 || !expect_number(c, dtype)) return &c->error_tensor;
  sni_type type = {.dtype = SN_I64, .rank = 1, .dims = {like->type.dims[axis]}};
  sn_tensor *t = sni_iota(c, &type, 0);
  return sni_keep_only(c, c_first, dtype == SN_I64 ? t : sni_convert(c, t, dtype));
}

sn_tensor *(sn_axis_size)(sn_tensor *like, int axis, sn_dtype dtype) {
  SNI_BEGIN_COMPOSED(c, "sn_axis_size", like);
  axis = sni_axis(c, like, axis);
  if (axis < 0 || !expect_number(c, dtype)) return &c->error_tensor;
  const sni_dim dim = like->type.dims[axis];
  int64_t value = 0;
  sn_tensor *t = sni_dim_is_constant(sni_context_dims(c), dim, &value)
                     ? sni_constant(c, &(sni_type){.dtype = SN_I64}, &value)
                     : sni_emit(c, SNI_OP_DIM_SIZE, NULL, 0, &dim, 1, NULL);
  return sni_keep_only(c, c_first, dtype == SN_I64 ? t : sni_convert(c, t, dtype));
}
