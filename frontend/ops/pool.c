// Pooling: one spatial axis after the other, the last one first, so that of equal maxima the first in row-major order is taken.
// Along an axis a window is the maximum (the sum) of shifted slices; wide windows double up: of slices of 1, 2, 4, ... elements.
#include "frontend/ops/compose.h"

#include <math.h>
#include <string.h>

typedef struct pool {
  sn_context *c;
  sn_pool_options o;
  int spatial, first;  // number of spatial dims, and the first of them
  sni_op combine;      // MAX or ADD
  int64_t window[SN_MAX_SPATIAL], stride[SN_MAX_SPATIAL], dilation[SN_MAX_SPATIAL];
} pool;

enum { most = INT32_MAX / 4, most_parts = 1024 };

static bool fail(const pool *p, sn_status status, const char *what, const sn_tensor *x) {
  char text[SNI_TENSOR_NAME];
  sni_error(p->c, status, "%s: %s: operand #0 is %s", p->c->frame.op, what, sni_describe(x, text));
  return false;
}

static bool read(pool *p, const sn_tensor *x, const sn_pool_options *options) {
  sn_pool_options *o = &p->o;
  if (options) memcpy(o, options, options->size < sizeof(*o) ? options->size : sizeof(*o));
  const int rank = x->type.rank;
  if (rank < 3 || rank > 2 + SN_MAX_SPATIAL)
    return fail(p, SN_ERR_SHAPE,
                "expected an image of rank 3 to 5, [examples, spatial.., channels]", x);
  p->spatial = rank - 2;
  p->first = o->data_format == SN_CHANNELS_FIRST ? 2 : 1;
  if ((unsigned)o->padding > SN_PADDING_EXPLICIT || (unsigned)o->data_format > SN_CHANNELS_FIRST)
    return fail(p, SN_ERR_ARGUMENT, ".padding or .data_format is none of theirs", x);
  for (int i = 0; i < SN_MAX_SPATIAL; i++) {
    if (i >= p->spatial &&
        (o->window[i] || o->strides[i] || o->dilations[i] || o->pads[i][0] || o->pads[i][1]))
      return fail(p, SN_ERR_ARGUMENT, "an option for more spatial dims than there are", x);
    p->window[i] = o->window[i] ? o->window[i] : i < p->spatial ? 2 : 1;
    p->stride[i] = o->strides[i] ? o->strides[i] : p->window[i];
    p->dilation[i] = o->dilations[i] ? o->dilations[i] : 1;
    if (p->window[i] < 1 || p->window[i] > 4096 || p->stride[i] < 1 || p->stride[i] > most ||
        p->dilation[i] < 1 || p->dilation[i] > most / 4096)
      return fail(p, SN_ERR_ARGUMENT, ".window, .strides or .dilations are out of range", x);
    for (int s = 0; s < 2; s++) {
      if (o->pads[i][s] && o->padding != SN_PADDING_EXPLICIT)
        return fail(p, SN_ERR_ARGUMENT, ".pads without .padding = SN_PADDING_EXPLICIT", x);
      if (o->pads[i][s] < 0 || o->pads[i][s] > (p->window[i] - 1) * p->dilation[i])
        return fail(p, SN_ERR_ARGUMENT, ".pads are not below the window's span", x);
    }
  }
  return true;
}

// ---- one axis
typedef struct line {
  int axis;
  int64_t window, stride, dilation, low, high;
  sni_dim count;  // of windows
} line;

static bool plan(const pool *p, int i, sn_tensor *x, line *out) {
  sni_dim_table *dims = sni_context_dims(p->c);
  const int axis = p->first + i;
  const int64_t span = (p->window[i] - 1) * p->dilation[i] + 1;
  sni_dim size = x->type.dims[axis];
  *out =
      (line){axis, p->window[i], p->stride[i], p->dilation[i], p->o.pads[i][0], p->o.pads[i][1], 0};
  if (p->o.padding == SN_PADDING_SAME) {
    int64_t n = 0;
    if (p->stride[i] > 1 && !sni_pin_dim(p->c, size, &n))
      return fail(p, SN_ERR_SHAPE, "SAME with a stride needs the image's size", x);
    if (p->stride[i] > 1) {
      const int64_t count = (n + p->stride[i] - 1) / p->stride[i];
      int64_t total = n ? (count - 1) * p->stride[i] + span - n : 0;
      if (total < 0) total = 0;
      out->low = total / 2;
      out->high = total - total / 2;
      out->count = count;
      return true;
    }
    out->low = (span - 1) / 2;
    out->high = span - 1 - out->low;
    out->count = size;
    return true;
  }
  const sni_dim padded = sni_dim_add_constant(dims, size, out->low + out->high);
  if (!sni_dim_require(dims, padded, span))
    return fail(p, SN_ERR_SHAPE, "a window is larger than the padded image", x);
  out->count = sni_dim_add_constant(
      dims, sni_dim_floor_div(dims, sni_dim_add_constant(dims, padded, -span), out->stride), 1);
  return true;
}

static sn_tensor *padded(sn_context *c, sn_tensor *x, const line *l, double value) {
  if (sn_failed(x) || (!l->low && !l->high)) return x;
  sni_dim attrs[3 * SN_MAX_RANK];
  memset(attrs, 0, sizeof(attrs));
  attrs[l->axis] = l->low;
  attrs[x->type.rank + l->axis] = l->high;
  return sni_emit(c, SNI_OP_PAD, SNI_OPERANDS(x, sni_number(c, x->type.dtype, value)), attrs,
                  3 * x->type.rank, NULL);
}

// Every stride-th of `count` elements from `start` on.
static sn_tensor *every(sn_context *c, sn_tensor *x, int axis, int64_t start, int64_t stride,
                        sni_dim count) {
  if (sn_failed(x)) return x;
  sni_dim attrs[2 * SN_MAX_RANK];
  sni_type type = x->type;
  for (int i = 0; i < type.rank; i++) {
    attrs[i] = 0;
    attrs[type.rank + i] = 1;
  }
  type.dims[axis] = count;
  attrs[axis] = start;
  int64_t n;
  const bool is_one = sni_dim_is_constant(sni_context_dims(c), count, &n) && n <= 1;
  attrs[type.rank + axis] = is_one ? 1 : stride;
  if (is_one && !n) attrs[axis] = 0;
  return sni_emit(c, SNI_OP_SLICE, &x, 1, attrs, 2 * type.rank, &type);
}

// Windows of few elements one slice each.
static sn_tensor *narrow(const pool *p, sn_tensor *x, const line *l) {
  sn_tensor *y = every(p->c, x, l->axis, 0, l->stride, l->count);
  for (int64_t i = 1; i < l->window && !sn_failed(y); i++)
    y = sni_binary(p->c, p->combine, y,
                   every(p->c, x, l->axis, i * l->dilation, l->stride, l->count));
  return y;
}

// block: windows of 1, 2, 4, ... elements at every place; the binary digits of the window's size say which are joined.
static sn_tensor *wide(const pool *p, sn_tensor *x, const line *l) {
  sni_dim_table *dims = sni_context_dims(p->c);
  sn_tensor *block = x, *y = NULL;
  int64_t done = 0;
  for (int64_t size = 1; size <= l->window && !sn_failed(block); size *= 2) {
    if (l->window & size) {
      sn_tensor *part = every(p->c, block, l->axis, done * l->dilation, l->stride, l->count);
      y = y ? sni_binary(p->c, p->combine, y, part) : part;
      done += size;
    }
    if (size * 2 > l->window) break;
    const sni_dim count =
        sni_dim_add_constant(dims, block->type.dims[l->axis], -size * l->dilation);
    block = sni_binary(p->c, p->combine, every(p->c, block, l->axis, 0, 1, count),
                       every(p->c, block, l->axis, size * l->dilation, 1, count));
  }
  return sn_failed(block) ? block : y;
}

static sn_tensor *pool_axis(const pool *p, sn_tensor *x, const line *l, double outside) {
  sn_tensor *y = padded(p->c, x, l, outside);
  return l->window <= 16 ? narrow(p, y, l) : wide(p, y, l);
}

// ---- all axes
static double lowest(sn_dtype dtype) {
  if (sni_is_float(dtype)) return -__builtin_inf();
  return sni_is_unsigned(dtype) ? 0 : -ldexp(1, 8 * (int)sn_dtype_size(dtype) - 1);
}

// Elements of the image in each window along an axis: the same sums of ones.
static sn_tensor *window_sizes(const pool *p, const sn_tensor *x, const line *l) {
  const sni_type ones = {.dtype = x->type.dtype, .rank = 1, .dims = {x->type.dims[l->axis]}};
  line alone = *l;
  alone.axis = 0;
  sn_tensor *y =
      pool_axis(p, sni_broadcast_to(p->c, sni_number(p->c, ones.dtype, 1), &ones), &alone, 0);
  if (sn_failed(y)) return y;
  sni_type column = {.dtype = ones.dtype, .rank = x->type.rank - l->axis};
  for (int i = 0; i < column.rank; i++) column.dims[i] = i ? 1 : l->count;
  return sni_reshape_to(p->c, y, &column);
}

static sn_tensor *pooled(const char *name, sn_tensor *x, const sn_pool_options *options,
                         bool is_mean) {
  SNI_BEGIN_COMPOSED(c, name, x);
  pool p = {.c = c, .combine = is_mean ? SNI_OP_ADD : SNI_OP_MAX};
  if (!sni_expect_dtype(c, 0, x, is_mean ? SNI_DTYPES_FLOAT : SNI_DTYPES_REAL) ||
      !read(&p, x, options))
    return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *y = is_mean && sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;
  double all = 1;
  for (int i = p.spatial - 1; i >= 0 && !sn_failed(y); i--) {
    line l;
    if (!plan(&p, i, x, &l)) return &c->error_tensor;
    const bool counts = is_mean && (l.low || l.high) && !p.o.count_padding;
    sn_tensor *sizes = counts ? window_sizes(&p, y, &l) : NULL;
    y = pool_axis(&p, y, &l, is_mean ? 0 : lowest(dtype));
    if (sizes)
      y = sni_binary(c, SNI_OP_DIV, y, sizes);
    else
      all *= (double)l.window;
  }
  if (is_mean && all != 1 && !sn_failed(y)) y = sni_with_number(c, SNI_OP_DIV, y, all);
  if (is_mean && sni_is_half(dtype) && !sn_failed(y)) y = sni_convert(c, y, dtype);
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}

sn_tensor *sn_max_pool_opts(sn_tensor *x, const sn_pool_options *options) {
  return pooled("sn_max_pool", x, options, false);
}

sn_tensor *sn_avg_pool_opts(sn_tensor *x, const sn_pool_options *options) {
  return pooled("sn_avg_pool", x, options, true);
}

// ---- adaptive: window i of n is [floor(i size / n), ceil((i + 1) size / n))
static sn_tensor *adaptive(const char *name, sn_tensor *x, const int64_t *sizes, int n,
                           sn_data_format format, bool is_mean) {
  SNI_BEGIN_COMPOSED(c, name, x);
  pool p = {.c = c};
  if (!sni_expect_dtype(c, 0, x, is_mean ? SNI_DTYPES_FLOAT : SNI_DTYPES_REAL))
    return &c->error_tensor;
  if (n < 1 || n > SN_MAX_SPATIAL || x->type.rank != n + 2 || !sizes)
    return fail(&p, SN_ERR_SHAPE, "expected an image with as many spatial dims as sizes are given",
                x),
           &c->error_tensor;
  sn_tensor *y = x;
  for (int i = n - 1; i >= 0 && !sn_failed(y); i--) {
    const int axis = i + (format == SN_CHANNELS_FIRST ? 2 : 1);
    int64_t size;
    if (sizes[i] < 1 || sizes[i] > most_parts || !sni_pin_dim(c, x->type.dims[axis], &size) ||
        size < 1)
      return fail(&p, SN_ERR_SHAPE, "expected sizes in [1, 1024] and an image that is not empty",
                  x),
             &c->error_tensor;
    sn_tensor *parts[most_parts];
    for (int64_t k = 0; k < sizes[i]; k++) {
      const int64_t from = k * size / sizes[i], to = ((k + 1) * size + sizes[i] - 1) / sizes[i];
      sn_tensor *part = sni_take(c, y, axis, from, to - from);
      const sn_reduce_options one = {.size = sizeof(one), .axes = {1, {axis}}, .keepdims = true};
      parts[k] = is_mean ? sn_mean_opts(part, &one) : sn_max_opts(part, &one);
    }
    y = sni_emit(c, SNI_OP_CONCAT, parts, (int)sizes[i], &(sni_dim){axis}, 1, NULL);
  }
  return sni_keep_only(c, c_first, y);
}

sn_tensor *(sn_adaptive_max_pool)(sn_tensor *x, const int64_t *sizes, int n,
                                  sn_data_format format) {
  return adaptive("sn_adaptive_max_pool", x, sizes, n, format, false);
}

sn_tensor *(sn_adaptive_avg_pool)(sn_tensor *x, const int64_t *sizes, int n,
                                  sn_data_format format) {
  return adaptive("sn_adaptive_avg_pool", x, sizes, n, format, true);
}
