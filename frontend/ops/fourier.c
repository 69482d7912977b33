// Fourier transforms: the primitives take rows along the last axis. Here other axes are moved there and back, rows cut or padded
// to the length that is asked for, and several axes done one after the other.
#include "frontend/ops/compose.h"

#include <string.h>

typedef struct transform {
  sni_op op;
  bool inverse;  // of FFT
} transform;

static const transform forward = {SNI_OP_FFT, false}, inverse = {SNI_OP_FFT, true},
                       real_forward = {SNI_OP_RFFT, false}, real_inverse = {SNI_OP_IRFFT, true};

enum { most_points = 1 << 30 };

static bool check_norm(sn_context *c, sn_fft_norm norm) {
  if ((unsigned)norm <= SN_FFT_FORWARD) return true;
  sni_error(c, SN_ERR_ARGUMENT,
            "%s: .norm is %d, expected SN_FFT_BACKWARD, SN_FFT_ORTHO or SN_FFT_FORWARD",
            c->frame.op, (int)norm);
  return false;
}

// The operand in a dtype that the transform takes: 16-bit floats as f32, and real numbers as complex ones unless it wants these.
static sn_tensor *begin(sn_context *c, sn_tensor *x, transform t) {
  const uint32_t dtypes = t.op == SNI_OP_RFFT    ? SNI_DTYPES_FLOAT
                          : t.op == SNI_OP_IRFFT ? SNI_DTYPES_COMPLEX
                                                 : SNI_DTYPES_INEXACT;
  if (!sni_expect_dtype(c, 0, x, dtypes)) return &c->error_tensor;
  const bool wide = x->type.dtype == SN_F64;
  if (t.op == SNI_OP_RFFT && sni_is_half(x->type.dtype)) return sni_convert(c, x, SN_F32);
  if (t.op != SNI_OP_FFT || sni_is_complex(x->type.dtype)) return x;
  return sni_convert(c, x, wide ? SN_C128 : SN_C64);
}

static sn_tensor *padded(sn_context *c, sn_tensor *x, int axis, int64_t count) {
  sni_dim attrs[3 * SN_MAX_RANK] = {0};
  const int rank = x->type.rank;
  attrs[rank + axis] = count;
  return sni_emit(c, SNI_OP_PAD, SNI_OPERANDS(x, sni_number(c, x->type.dtype, 0)), attrs, 3 * rank,
                  NULL);
}

// x with `wanted` elements along axis.
static sn_tensor *fitted(sn_context *c, sn_tensor *x, int axis, int64_t wanted) {
  int64_t size;
  sni_dim_is_constant(sni_context_dims(c), x->type.dims[axis], &size);
  if (size == wanted) return x;
  return size > wanted ? sni_take(c, x, axis, 0, wanted) : padded(c, x, axis, wanted - size);
}

// How many points there are along axis; -1: refused.
static int64_t count_points(sn_context *c, const sn_tensor *x, int axis, transform t,
                            int64_t asked) {
  char text[SNI_TENSOR_NAME];
  int64_t size;
  if (asked < 0 || asked > most_points) {
    sni_error(c, SN_ERR_ARGUMENT, "%s: %lld points, expected 0 to 2^30", c->frame.op,
              (long long)asked);
    return -1;
  }
  if (!sni_pin_dim(c, x->type.dims[axis], &size)) {
    sni_error(c, SN_ERR_SHAPE, "%s: the size of axis %d of operand #0 %s is not known", c->frame.op,
              axis, sni_describe(x, text));
    return -1;
  }
  const int64_t n = asked ? asked : t.op == SNI_OP_IRFFT ? 2 * (size - 1) : size;
  if (n >= 1 && n <= most_points) return n;
  sni_error(c, SN_ERR_SHAPE, "%s: axis %d of operand #0 %s has %lld points, expected 1 to 2^30",
            c->frame.op, axis, sni_describe(x, text), (long long)n);
  return -1;
}

// Along one axis of what begin() made.
static sn_tensor *transform_axis(sn_context *c, sn_tensor *x, int axis, transform t, int64_t n,
                                 sn_fft_norm norm) {
  if (sn_failed(x)) return x;
  const sni_dim divided = norm == SN_FFT_ORTHO ? 1 : (norm == SN_FFT_BACKWARD) == t.inverse ? 2 : 0;
  x = sni_last_axis(c, fitted(c, x, axis, t.op == SNI_OP_IRFFT ? n / 2 + 1 : n), axis, false);
  const sni_dim complex[] = {t.inverse, divided}, real[] = {0, divided, 0},
                back[] = {n, 1, divided};
  const sni_dim *attrs = t.op == SNI_OP_FFT ? complex : t.op == SNI_OP_RFFT ? real : back;
  return sni_last_axis(c, sni_emit(c, t.op, &x, 1, attrs, t.op == SNI_OP_FFT ? 2 : 3, NULL), axis,
                       true);
}

static sn_tensor *along_one(const char *name, sn_tensor *x, int axis, transform t,
                            const sn_fft_options *options) {
  SNI_BEGIN_COMPOSED(c, name, x);
  sn_fft_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!check_norm(c, o.norm) || (axis = sni_axis(c, x, axis)) < 0) return &c->error_tensor;
  const int64_t n = count_points(c, x, axis, t, o.n);
  if (n < 0) return &c->error_tensor;
  return sni_keep_only(c, c_first, transform_axis(c, begin(c, x, t), axis, t, n, o.norm));
}

sn_tensor *sn_fft_opts(sn_tensor *x, int axis, const sn_fft_options *options) {
  return along_one("sn_fft", x, axis, forward, options);
}

sn_tensor *sn_ifft_opts(sn_tensor *x, int axis, const sn_fft_options *options) {
  return along_one("sn_ifft", x, axis, inverse, options);
}

sn_tensor *sn_rfft_opts(sn_tensor *x, int axis, const sn_fft_options *options) {
  return along_one("sn_rfft", x, axis, real_forward, options);
}

sn_tensor *sn_irfft_opts(sn_tensor *x, int axis, const sn_fft_options *options) {
  return along_one("sn_irfft", x, axis, real_inverse, options);
}

// ---- several axes
// Axes in [0, rank), distinct; `all`: of none given. -1: refused.
static int read_axes(sn_context *c, const sn_tensor *x, const sn_axes *given, int all, int *out) {
  char text[SNI_TENSOR_NAME];
  const int rank = x->type.rank;
  uint32_t set = 0;
  if (given->count < 0 || given->count > SN_MAX_RANK || (!given->count && rank < all)) {
    sni_error(c, SN_ERR_SHAPE, "%s: %d axes of operand #0 %s, expected rank >= %d", c->frame.op,
              given->count, sni_describe(x, text), all);
    return -1;
  }
  const int n = given->count ? given->count : all ? all : rank;
  for (int i = 0; i < n; i++) {
    out[i] = given->count ? sni_axis(c, x, given->axis[i]) : rank - n + i;
    if (out[i] < 0) return -1;
    if (set >> out[i] & 1) {
      sni_error(c, SN_ERR_SHAPE, "%s: axis %d of operand #0 %s is given twice", c->frame.op, out[i],
                sni_describe(x, text));
      return -1;
    }
    set |= 1u << out[i];
  }
  return n;
}

// last: what is done along the last of the axes, the others are complex.
static sn_tensor *along_axes(const char *name, sn_tensor *x, transform last, int all,
                             const sn_fftn_options *options) {
  SNI_BEGIN_COMPOSED(c, name, x);
  sn_fftn_options o = {0};
  int axes[SN_MAX_RANK];
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!check_norm(c, o.norm)) return &c->error_tensor;
  const int n = read_axes(c, x, &o.axes, all, axes);
  if (n < 0) return &c->error_tensor;
  const transform others = last.inverse ? inverse : forward;
  for (int i = 0; i < n; i++) {
    const transform t = i == n - 1 ? last : others;
    if ((o.points[i] = count_points(c, x, axes[i], t, o.points[i])) < 0) return &c->error_tensor;
  }
  const bool ends_real = last.op == SNI_OP_IRFFT;
  sn_tensor *y = begin(c, x, last);
  for (int i = 0; i < n; i++) {
    const int k = ends_real ? i : n - 1 - i;
    y = transform_axis(c, y, axes[k], k == n - 1 ? last : others, o.points[k], o.norm);
  }
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}

sn_tensor *sn_fftn_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_fftn", x, forward, 0, options);
}

sn_tensor *sn_ifftn_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_ifftn", x, inverse, 0, options);
}

// Of no axes there is none to be real.
static int at_least_one(const sn_tensor *x) {
  return x && x->type.rank == 0;
}

sn_tensor *sn_rfftn_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_rfftn", x, real_forward, at_least_one(x), options);
}

sn_tensor *sn_irfftn_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_irfftn", x, real_inverse, at_least_one(x), options);
}

sn_tensor *sn_fft2_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_fft2", x, forward, 2, options);
}

sn_tensor *sn_ifft2_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_ifft2", x, inverse, 2, options);
}

sn_tensor *sn_rfft2_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_rfft2", x, real_forward, 2, options);
}

sn_tensor *sn_irfft2_opts(sn_tensor *x, const sn_fftn_options *options) {
  return along_axes("sn_irfft2", x, real_inverse, 2, options);
}

// ---- order of frequencies
static sn_tensor *shifted(const char *name, sn_tensor *x, const sn_flip_options *options,
                          bool back) {
  SNI_BEGIN_COMPOSED(c, name, x);
  char text[SNI_TENSOR_NAME];
  int list[SN_MAX_RANK];
  sn_flip_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  const int n = read_axes(c, x, &o.axes, 0, list);
  if (n < 0) return &c->error_tensor;
  sn_tensor *y = x;
  for (int i = 0; i < n && !sn_failed(y); i++) {
    int64_t size;
    if (!sni_pin_dim(c, x->type.dims[list[i]], &size))
      return sni_error(c, SN_ERR_SHAPE, "%s: the size of axis %d of operand #0 %s is not known",
                       name, list[i], sni_describe(x, text));
    const int64_t start = back ? size / 2 : size - size / 2;
    if (size < 2) continue;
    sn_tensor *parts[2] = {sni_take(c, y, list[i], start, size - start),
                           sni_take(c, y, list[i], 0, start)};
    y = sni_emit(c, SNI_OP_CONCAT, parts, 2, &(sni_dim){list[i]}, 1, NULL);
  }
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}

sn_tensor *sn_fftshift_opts(sn_tensor *x, const sn_flip_options *options) {
  return shifted("sn_fftshift", x, options, false);
}

sn_tensor *sn_ifftshift_opts(sn_tensor *x, const sn_flip_options *options) {
  return shifted("sn_ifftshift", x, options, true);
}

static sn_tensor *frequencies(const char *name, sn_context *context, sn_dtype dtype, int64_t n,
                              double d, bool half) {
  SNI_ENTER(context, name, sni_refused(context, context_refused));
  sni_type type;
  const sn_shape shape = {1, {half ? n / 2 + 1 : n}};
  if (n < 1 || !(d != 0))
    return sni_error(context, SN_ERR_ARGUMENT, "%s: %lld points that lie %g apart", name,
                     (long long)n, d);
  if (!sni_shape_type(context, dtype, &shape, &type)) return &context->error_tensor;
  if (!sni_is_float(dtype))
    return sni_error(context, SN_ERR_DTYPE, "%s: %s numbers, expected a float", name,
                     sn_dtype_name(dtype));
  const uint32_t first = context->n_live;
  type.dtype = SN_F64;
  sn_tensor *k = sni_iota(context, &type, 0);
  if (!half) {
    sn_tensor *low =
        sni_binary(context, SNI_OP_LT, k, sni_number(context, SN_F64, (double)((n - 1) / 2 + 1)));
    k = sni_select(context, low, k, sni_with_number(context, SNI_OP_SUB, k, (double)n));
  }
  sn_tensor *y = sni_with_number(context, SNI_OP_DIV, k, (double)n * d);
  return sni_keep_only(context, first, dtype == SN_F64 ? y : sni_convert(context, y, dtype));
}

sn_tensor *(sn_fftfreq)(sn_context *context, sn_dtype dtype, int64_t n, double d) {
  return frequencies("sn_fftfreq", context, dtype, n, d, false);
}

sn_tensor *(sn_rfftfreq)(sn_context *context, sn_dtype dtype, int64_t n, double d) {
  return frequencies("sn_rfftfreq", context, dtype, n, d, true);
}
