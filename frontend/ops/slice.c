// Slices with NumPy's rules: start:stop:step, negative numbers counted from the end, everything
// clamped.
//
// For a symbolic dim d the bounds become expressions of d (min and max where the clamping depends
// on its value), so one trace serves all sizes. The graph's slice has a start inside the axis for
// every size that is not empty.
#include "frontend/ops/compose.h"

typedef struct bounds {
  sni_dim start, size;
} bounds;

static sni_dim at_least(sni_dim_table *dims, sni_dim a, int64_t low) {
  return sni_dim_max(dims, a, sni_dim_signed(dims, low));
}

// Position `index` of an axis of d elements, clamped to [low, d + high_offset].
static sni_dim clamp_index(sni_dim_table *dims, sni_dim d, int64_t index, int64_t low,
                           int64_t high_offset) {
  if (index < 0) return at_least(dims, sni_dim_add(dims, d, sni_dim_signed(dims, index)), low);
  sni_dim last = sni_dim_add(dims, d, sni_dim_signed(dims, high_offset));
  return sni_dim_min(dims, index, last);
}

// ceil(span / step), at least 0; step > 0.
static sni_dim steps(sni_dim_table *dims, sni_dim span, int64_t step) {
  sni_dim rounded = sni_dim_add(dims, span, sni_dim_signed(dims, step - 1));
  return at_least(dims, sni_dim_floor_div(dims, rounded, step), 0);
}

// e of a dim max(e, 0), else the dim.
static sni_dim unclamped(const sni_dim_table *dims, sni_dim d) {
  if (!dims) return d;
  const sni_dim_expression e = sni_dim_expand(dims, d);
  if (e.op != SNI_DIM_MAX) return d;
  return e.b == 0 ? e.a : e.a == 0 ? e.b : d;
}

static bounds forward(sni_dim_table *dims, sni_dim d, const sn_range_spec *r) {
  // NumPy's -d clamps an index below the beginning to 0; SN_END is past every end.
  sni_dim start = r->start == SN_END ? d : clamp_index(dims, d, r->start, 0, 0);
  sni_dim stop = r->stop == SN_END ? d : clamp_index(dims, d, r->stop, 0, 0);
  sni_dim span;
  // In the simplest form, so that slices of equal size have equal dims: the result is at least 0
  // anyway, so what was clamped need not be.
  if (r->start >= 0 && r->start != SN_END && (r->stop < 0 || r->stop == SN_END)) {
    const int64_t less = (r->stop == SN_END ? 0 : r->stop) - r->start;
    span = sni_dim_add(dims, unclamped(dims, d), sni_dim_signed(dims, less));
  } else if (r->start < 0 && r->stop == SN_END) {
    span = sni_dim_min(dims, d, -r->start);
  } else {
    span = sni_dim_sub(dims, stop, start);
  }
  return (bounds){start, steps(dims, span, r->step)};
}

static bounds backward(sni_dim_table *dims, sni_dim d, const sn_range_spec *r) {
  sni_dim last = sni_dim_add(dims, d, sni_dim_signed(dims, -1));
  sni_dim start = r->start == SN_END ? last : clamp_index(dims, d, r->start, -1, -1);
  sni_dim stop =
      r->stop == SN_END ? sni_dim_signed(dims, -1) : clamp_index(dims, d, r->stop, -1, -1);
  return (bounds){start, steps(dims, sni_dim_sub(dims, start, stop), -r->step)};
}

static bool whole(const sn_range_spec *r) {
  return !r->start && !r->stop && !r->step;
}

// Indices beyond +-2^60 mean the same as these, and sums with them cannot overflow. A step beyond
// takes one element.
static sn_range_spec bounded(sn_range_spec r) {
  const int64_t far = (int64_t)1 << 60;
  if (r.start < -far) r.start = -far;
  if (r.start > far && r.start != SN_END) r.start = far;
  if (r.stop < -far) r.stop = -far;
  if (r.stop > far && r.stop != SN_END) r.stop = far;
  if (r.step < -far) r.step = -far;
  if (r.step > far) r.step = far;
  return r;
}

// Whether a step so large that its products with other dims could overflow takes one element at
// most. Of a symbolic axis a guard says so.
static bool takes_one(sni_dim_table *dims, sni_dim d, int64_t step) {
  const int64_t size = step < 0 ? -step : step;
  return size > 1 << 16 && sni_dim_require_most(dims, d, size);
}

bool sni_find_slice(sn_context *c, const sn_tensor *x, const sn_range_spec *ranges, int n,
                    sni_slice_of *out) {
  char text[SNI_TENSOR_NAME];
  sni_dim_table *dims = sni_context_dims(c);
  const int rank = x->type.rank;
  if (n < 0 || n > rank || (n && !ranges)) {
    sni_error(c, SN_ERR_SHAPE, "%s: %d ranges for operand #0 %s of rank %d", c->frame.op, n,
              sni_describe(x, text), rank);
    return false;
  }
  *out = (sni_slice_of){.type = x->type};
  for (int i = 0; i < rank; i++) {
    sni_dim *start = &out->starts_steps[i], *step = &out->starts_steps[rank + i];
    *step = 1;
    if (i >= n || whole(&ranges[i])) continue;
    sn_range_spec r = bounded(ranges[i]);
    if (!r.step) {
      sni_error(c, SN_ERR_ARGUMENT, "%s: the step of axis %d of operand #0 %s is 0", c->frame.op, i,
                sni_describe(x, text));
      return false;
    }
    const sni_dim d = x->type.dims[i];
    const bounds b = r.step > 0 ? forward(dims, d, &r) : backward(dims, d, &r);
    int64_t size;
    *start = b.start;
    *step = takes_one(dims, d, r.step) ? 1 : sni_dim_signed(dims, r.step);
    out->type.dims[i] = b.size;
    if (!sni_dim_is_constant(dims, b.size, &size) || size > 1) continue;
    *step = 1;
    if (size == 0) *start = 0;
  }
  return true;
}

sn_tensor *(sn_slice)(sn_tensor *x, const sn_range_spec *ranges, int n) {
  SNI_BEGIN(c, "sn_slice", x);
  sni_slice_of slice;
  if (!sni_find_slice(c, x, ranges, n, &slice)) return &c->error_tensor;
  return sni_emit(c, SNI_OP_SLICE, &x, 1, slice.starts_steps, 2 * x->type.rank, &slice.type);
}

// ---- the other way round
// Rows of the last axes that are whole; only those may be broadcast in a write.
sn_tensor *sni_set_slice(sn_context *c, sn_tensor *x, sn_tensor *value, const sni_slice_of *slice,
                         const sni_type *type) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  sni_type joined;
  if (value->type.dtype != x->type.dtype)
    return sni_error(c, SN_ERR_DTYPE, "%s: operand #1 is %s, expected %s like operand #0 %s",
                     c->frame.op, sni_describe(value, a), sn_dtype_name(x->type.dtype),
                     sni_describe(x, b));
  sni_diag ignored = {.text = ""};
  sni_dim_table *dims = sni_context_dims(c);
  const bool fits =
      value->type.rank <= type->rank &&
      !sni_broadcast_shapes(&ignored, dims, c->frame.op, type, &value->type, &joined) &&
      sni_shape_equal(dims, &joined, type);
  if (!fits)
    return sni_error(c, SN_ERR_SHAPE, "%s: operand #1 is %s, which does not broadcast to %s",
                     c->frame.op, sni_describe(value, a), sni_describe_type(c, type, b));
  const sni_places p = sni_places_of_slice(c, &x->type, slice->starts_steps,
                                           slice->starts_steps + x->type.rank, &slice->type);
  return sni_write_places(c, SNI_OP_SCATTER_UPDATE, x, &p, sni_broadcast_to(c, value, type));
}

sn_tensor *(sn_set_slice)(sn_tensor *x, sn_tensor *value, const sn_range_spec *ranges, int n) {
  SNI_BEGIN_COMPOSED(c, "sn_set_slice", x, value);
  sni_slice_of slice;
  if (!sni_find_slice(c, x, ranges, n, &slice)) return &c->error_tensor;
  return sni_keep_only(c, c_first, sni_set_slice(c, x, value, &slice, &slice.type));
}

// Of a symbolic axis the index only asks that it be long enough: a guard of the program.
sn_tensor *(sn_index)(sn_tensor *x, int axis, int64_t index) {
  SNI_BEGIN_COMPOSED(c, "sn_index", x);
  char text[SNI_TENSOR_NAME];
  sni_dim_table *dims = sni_context_dims(c);
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  const sni_dim size = x->type.dims[axis];
  const int64_t least = index < 0 ? -(index + 1) : index;  // the axis must be longer than this
  if (least == INT64_MAX || !sni_dim_require(dims, size, least + 1))
    return sni_error(c, SN_ERR_INDEX,
                     "sn_index: index %lld is out of range for axis %d of operand #0 %s",
                     (long long)index, axis, sni_describe(x, text));
  sn_tensor *y =
      sni_take(c, x, axis, index < 0 ? sni_dim_add_constant(dims, size, index) : index, 1);
  if (sn_failed(y)) return y;
  sni_type type = {.dtype = y->type.dtype};
  for (int i = 0; i < y->type.rank; i++)
    if (i != axis) type.dims[type.rank++] = y->type.dims[i];
  return sni_keep_only(c, c_first, sni_reshape_to(c, y, &type));
}
