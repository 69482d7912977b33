// Convolutions: padding, groups and the order of dims in terms of the graph's three, which know none of
// them: images are [.., examples, spatial.., channels], groups are a batch dim, padding is where the
// first window begins.
#include "frontend/ops/compose.h"

#include <string.h>

enum { pad_most = INT32_MAX / 4 };

typedef struct convolution {
  sn_context *c;
  sn_conv_options o;
  int spatial;
  int64_t kernel[SN_MAX_SPATIAL];  // sizes
  int64_t stride[SN_MAX_SPATIAL], dilation[SN_MAX_SPATIAL], groups;
  bool transposed;
  sn_dtype result;
} convolution;

static bool fail(const convolution *v, sn_status status, const char *what, const sn_tensor *x,
                 const sn_tensor *kernel) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  sni_error(v->c, status, "%s: %s: operands #0 %s, #1 (kernel) %s", v->c->frame.op, what,
            sni_describe(x, a), sni_describe(kernel, b));
  return false;
}

// ---- options

static bool read_numbers(convolution *v, const sn_tensor *x, const sn_tensor *kernel) {
  const sn_conv_options *o = &v->o;
  v->groups = o->groups ? o->groups : 1;
  if ((unsigned)o->padding > SN_PADDING_EXPLICIT)
    return fail(v, SN_ERR_ARGUMENT, ".padding is no sn_padding", x, kernel);
  if ((unsigned)o->data_format > SN_CHANNELS_FIRST)
    return fail(v, SN_ERR_ARGUMENT, ".data_format is no sn_data_format", x, kernel);
  if (v->groups < 1) return fail(v, SN_ERR_ARGUMENT, ".groups is negative", x, kernel);
  for (int i = 0; i < SN_MAX_SPATIAL; i++) {
    v->stride[i] = o->strides[i] ? o->strides[i] : 1;
    v->dilation[i] = o->dilations[i] ? o->dilations[i] : 1;
    if (v->stride[i] < 1 || v->stride[i] > pad_most || v->dilation[i] < 1 ||
        v->dilation[i] > pad_most)
      return fail(v, SN_ERR_ARGUMENT, ".strides and .dilations are not in [1, 2^29)", x, kernel);
    for (int s = 0; s < 2; s++) {
      if (o->pads[i][s] < 0 || o->pads[i][s] > pad_most)
        return fail(v, SN_ERR_ARGUMENT, ".pads are not in [0, 2^29)", x, kernel);
      if (o->pads[i][s] && o->padding != SN_PADDING_EXPLICIT)
        return fail(v, SN_ERR_ARGUMENT, ".pads without .padding = SN_PADDING_EXPLICIT", x, kernel);
    }
    if (o->output_size[i] < 0 || (o->output_size[i] && !v->transposed))
      return fail(v, SN_ERR_ARGUMENT,
                  v->transposed ? ".output_size is negative" : ".output_size of sn_conv", x,
                  kernel);
  }
  return true;
}

static bool check(convolution *v, const sn_tensor *x, const sn_tensor *kernel) {
  const int rank = x->type.rank;
  if (!sni_expect_dtype(v->c, 0, x, SNI_DTYPES_NUMBER)) return false;
  if (x->type.dtype != kernel->type.dtype) return fail(v, SN_ERR_DTYPE, "dtypes differ", x, kernel);
  if (rank < 3 || rank > 2 + SN_MAX_SPATIAL || kernel->type.rank != rank)
    return fail(
        v, SN_ERR_SHAPE,
        "expected an image of rank 3 to 5, [examples, spatial.., channels], and a kernel of "
        "the same rank",
        x, kernel);
  v->spatial = rank - 2;
  if (!sni_expect_result(v->c, x, v->o.result, &v->result)) return false;
  if (!read_numbers(v, x, kernel)) return false;
  for (int i = v->spatial; i < SN_MAX_SPATIAL; i++)
    if (v->o.strides[i] || v->o.dilations[i] || v->o.pads[i][0] || v->o.pads[i][1] ||
        v->o.output_size[i])
      return fail(v, SN_ERR_ARGUMENT, "an option for more spatial dims than there are", x, kernel);
  for (int i = 0; i < v->spatial; i++) {
    if (!sni_pin_dim(v->c, kernel->type.dims[i], &v->kernel[i]))
      return fail(v, SN_ERR_SHAPE, "the kernel's size is not known", x, kernel);
    if (v->kernel[i] < 1 || v->kernel[i] > pad_most ||
        (v->kernel[i] - 1) > pad_most / v->dilation[i])
      return fail(v, SN_ERR_SHAPE, "the kernel is empty or too large", x, kernel);
  }
  return true;
}

// Elements of the image that a window spans.
static int64_t span(const convolution *v, int i) {
  return (v->kernel[i] - 1) * v->dilation[i] + 1;
}

// ---- sizes: of the windows' side from the image's, and where the first window begins

static sni_dim start_of(const convolution *v, int i, sni_dim image, sni_dim windows) {
  sni_dim_table *dims = sni_context_dims(v->c);
  if (v->o.padding == SN_PADDING_VALID) return 0;
  if (v->o.padding == SN_PADDING_EXPLICIT) return sni_dim_signed(dims, -v->o.pads[i][0]);
  // total = max((windows - 1) stride + span - image, 0), half of it in front
  sni_dim total = sni_dim_mul_constant(dims, sni_dim_add_constant(dims, windows, -1), v->stride[i]);
  total = sni_dim_sub(dims, sni_dim_add_constant(dims, total, span(v, i)), image);
  const sni_dim half = sni_dim_floor_div(dims, sni_dim_max(dims, total, 0), 2);
  return sni_dim_mul_constant(dims, half, -1);
}

static bool windows_of(const convolution *v, int i, sni_dim *image, sni_dim *out) {
  sni_dim_table *dims = sni_context_dims(v->c);
  int64_t value;
  if (v->o.padding == SN_PADDING_SAME) {
    if (v->stride[i] > 1 && sni_pin_dim(v->c, *image, &value)) *image = value;
    const sni_dim up = sni_dim_add_constant(dims, *image, v->stride[i] - 1);
    *out = sni_dim_floor_div(dims, up, v->stride[i]);
    return true;
  }
  const int64_t pads = v->o.pads[i][0] + v->o.pads[i][1];
  const sni_dim padded = sni_dim_add_constant(dims, *image, pads);
  if (!sni_dim_require(dims, padded, span(v, i))) return false;
  const sni_dim rest = sni_dim_add_constant(dims, padded, -span(v, i));
  *out = sni_dim_add_constant(dims, sni_dim_floor_div(dims, rest, v->stride[i]), 1);
  return true;
}

// The least image that has so many windows; of SAME padding stride times as many.
static sni_dim image_of(const convolution *v, int i, sni_dim windows) {
  sni_dim_table *dims = sni_context_dims(v->c);
  if (v->o.output_size[i]) return v->o.output_size[i];
  if (v->o.padding == SN_PADDING_SAME) return sni_dim_mul_constant(dims, windows, v->stride[i]);
  const sni_dim last =
      sni_dim_mul_constant(dims, sni_dim_add_constant(dims, windows, -1), v->stride[i]);
  const int64_t pads = v->o.pads[i][0] + v->o.pads[i][1];
  const int64_t least =
      v->stride[i] > span(v, i) && v->o.padding == SN_PADDING_VALID ? v->stride[i] : span(v, i);
  return sni_dim_add_constant(dims, last, least - pads);
}

// ---- the order of dims

static sn_tensor *permute(sn_context *c, sn_tensor *x, const int *perm) {
  sni_dim attrs[SN_MAX_RANK];
  bool same = true;
  for (int i = 0; i < x->type.rank; i++) {
    attrs[i] = perm[i];
    same &= perm[i] == i;
  }
  return same ? x : sni_emit(c, SNI_OP_TRANSPOSE, &x, 1, attrs, x->type.rank, NULL);
}

// Moves dim `from` to place `to`.
static sn_tensor *move(sn_context *c, sn_tensor *x, int from, int to) {
  int perm[SN_MAX_RANK], n = 0;
  if (sn_failed(x)) return x;
  for (int i = 0; i < x->type.rank; i++) {
    if (i == to) perm[i] = from;
    if (n == from) n++;
    if (i != to) perm[i] = n++;
  }
  return permute(c, x, perm);
}

// Dim d as [groups, rest], the groups moved to the front.
static sn_tensor *split(const convolution *v, sn_tensor *x, int d) {
  sni_type type = x->type;
  int64_t size = 0;
  if (v->groups == 1 || sn_failed(x)) return x;
  sni_dim_is_constant(sni_context_dims(v->c), type.dims[d], &size);
  for (int i = type.rank++; i > d + 1; i--) type.dims[i] = type.dims[i - 1];
  type.dims[d] = v->groups;
  type.dims[d + 1] = size / v->groups;
  return move(v->c, sni_reshape_to(v->c, x, &type), d, 0);
}

// The groups at the front back into the last dim.
static sn_tensor *join(const convolution *v, sn_tensor *x) {
  if (v->groups == 1 || sn_failed(x)) return x;
  x = move(v->c, x, 0, x->type.rank - 2);
  if (sn_failed(x)) return x;
  sni_type type = x->type;
  type.rank--;
  type.dims[type.rank - 1] =
      sni_dim_mul_constant(sni_context_dims(v->c), type.dims[type.rank], v->groups);
  return sni_reshape_to(v->c, x, &type);
}

// Whether the groups divide a number of channels.
static bool divide(const convolution *v, sni_dim channels) {
  int64_t size = 0;
  if (v->groups == 1) return true;
  return sni_pin_dim(v->c, channels, &size) && size % v->groups == 0;
}

// ---- the ops

// The type of the result, where it has another dtype than x; else NULL. size: spatial.
static const sni_type *wider_type(const convolution *v, const sn_tensor *x, const sn_tensor *kernel,
                                  const sni_dim *size, sni_type *storage) {
  const int last = x->type.rank - 1;
  if (v->result == x->type.dtype) return NULL;
  *storage = x->type;
  storage->dtype = v->result;
  for (int i = 0; i < v->spatial; i++) storage->dims[last - v->spatial + i] = size[i];
  storage->dims[last] = kernel->type.dims[last - v->transposed];
  return storage;
}

static sn_tensor *run(convolution *v, sni_op op, sn_tensor *x, sn_tensor *kernel, int split_kernel,
                      const sni_dim *start, const sni_dim *size) {
  const int n = v->spatial;
  sni_dim attrs[4 * SN_MAX_SPATIAL];
  for (int i = 0; i < n; i++) {
    attrs[i] = v->stride[i];
    attrs[n + i] = v->dilation[i];
    attrs[2 * n + i] = start[i];
    attrs[3 * n + i] = size[i];
  }
  x = split(v, x, x->type.rank - 1);
  kernel = split(v, kernel, split_kernel);
  if (sn_failed(x) || sn_failed(kernel)) return &v->c->error_tensor;
  x = sni_product_operand(v->c, x, v->result);
  kernel = sni_product_operand(v->c, kernel, v->result);
  if (sn_failed(x) || sn_failed(kernel)) return &v->c->error_tensor;
  sni_type type;
  const sni_type *wider = wider_type(v, x, kernel, size, &type);
  sn_tensor *y = join(v, sni_emit(v->c, op, SNI_OPERANDS(x, kernel), attrs, 4 * n, wider));
  if (v->o.data_format == SN_CHANNELS_LAST || sn_failed(y)) return y;
  return move(v->c, y, n + 1, 1);
}

sn_tensor *sn_conv_opts(sn_tensor *x, sn_tensor *kernel, const sn_conv_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_conv", x, kernel);
  convolution v = {.c = c};
  sni_dim start[SN_MAX_SPATIAL], size[SN_MAX_SPATIAL];
  if (options) memcpy(&v.o, options, options->size < sizeof(v.o) ? options->size : sizeof(v.o));
  if (!check(&v, x, kernel)) return &c->error_tensor;
  if (v.o.data_format == SN_CHANNELS_FIRST) x = move(c, x, 1, v.spatial + 1);
  if (sn_failed(x)) return x;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim wanted = sni_dim_mul_constant(dims, kernel->type.dims[v.spatial], v.groups);
  if (!sni_dims_agree(c, x->type.dims[v.spatial + 1], wanted) ||
      !divide(&v, kernel->type.dims[v.spatial + 1])) {
    fail(&v, SN_ERR_SHAPE,
         "the kernel must be [spatial.., channels of the image / groups, filters], and groups must "
         "divide the filters",
         x, kernel);
    return &c->error_tensor;
  }
  for (int i = 0; i < v.spatial; i++) {
    sni_dim image = x->type.dims[1 + i];
    if (!windows_of(&v, i, &image, &size[i])) {
      fail(&v, SN_ERR_SHAPE, "the kernel is larger than the padded image", x, kernel);
      return &c->error_tensor;
    }
    start[i] = start_of(&v, i, image, size[i]);
  }
  return sni_keep_only(c, c_first, run(&v, SNI_OP_CONV, x, kernel, v.spatial + 1, start, size));
}

// Whether an image of this size has as many windows as there are.
static bool has_windows(const convolution *v, int i, sni_dim image, sni_dim windows) {
  sni_dim expected = 0;
  return windows_of(v, i, &image, &expected) && sni_dims_agree(v->c, expected, windows);
}

sn_tensor *sn_conv_transpose_opts(sn_tensor *x, sn_tensor *kernel, const sn_conv_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_conv_transpose", x, kernel);
  convolution v = {.c = c, .transposed = true};
  sni_dim start[SN_MAX_SPATIAL], size[SN_MAX_SPATIAL];
  if (options) memcpy(&v.o, options, options->size < sizeof(v.o) ? options->size : sizeof(v.o));
  if (!check(&v, x, kernel)) return &c->error_tensor;
  if (v.o.data_format == SN_CHANNELS_FIRST) x = move(c, x, 1, v.spatial + 1);
  if (sn_failed(x)) return x;
  if (!sni_dims_agree(c, x->type.dims[v.spatial + 1], kernel->type.dims[v.spatial + 1]) ||
      !divide(&v, x->type.dims[v.spatial + 1])) {
    fail(&v, SN_ERR_SHAPE,
         "the kernel must be [spatial.., channels of the result / groups, channels of the image], "
         "and groups must divide the latter",
         x, kernel);
    return &c->error_tensor;
  }
  for (int i = 0; i < v.spatial; i++) {
    sni_dim windows = x->type.dims[1 + i];
    int64_t value;
    if (v.stride[i] > 1 && v.o.padding == SN_PADDING_SAME && sni_pin_dim(c, windows, &value))
      windows = value;
    size[i] = image_of(&v, i, windows);
    if (!has_windows(&v, i, size[i], windows)) {
      fail(&v, SN_ERR_SHAPE, "sn_conv of a result of this size would have another shape", x,
           kernel);
      return &c->error_tensor;
    }
    start[i] = start_of(&v, i, size[i], windows);
  }
  return sni_keep_only(c, c_first,
                       run(&v, SNI_OP_CONV_INPUT, x, kernel, v.spatial + 1, start, size));
}
