// Images of other sizes, one axis after the other: rows of pixels are gathered and weighed. Places and weights are computed from the
// number of the row, in f64.
#include "frontend/ops/compose.h"

#include <math.h>

enum { most_pixels = 1 << 30 };

// Of row i of n: what is taken from the rows floor(place) + k, for k from first on.
typedef struct line {
  int64_t size, n;
  sn_tensor *base, *t;  // f64 [n]: floor of the place, and what is left
} line;

static line line_of(sn_context *c, int64_t size, int64_t n, bool nearest) {
  line l = {size, n, NULL, NULL};
  const sni_type type = {SN_F64, 1, {n}};
  sn_tensor *i = sni_with_number(c, SNI_OP_ADD, sni_iota(c, &type, 0), 0.5);
  // One rounding: size and n are exact.
  sn_tensor *place =
      sni_with_number(c, SNI_OP_DIV, sni_with_number(c, SNI_OP_MUL, i, (double)size), (double)n);
  if (!nearest) place = sni_with_number(c, SNI_OP_SUB, place, 0.5);
  l.base = sni_unary(c, SNI_OP_FLOOR, place);
  l.t = sni_binary(c, SNI_OP_SUB, place, l.base);
  return l;
}

// Rows floor(place) + k along axis 0, where those beyond the edge are the last.
static sn_tensor *rows_at(sn_context *c, sn_tensor *x, const line *l, int k) {
  sn_tensor *at = sni_with_number(c, SNI_OP_ADD, l->base, k);
  at = sni_with_number(c, SNI_OP_MIN, sni_with_number(c, SNI_OP_MAX, at, 0), (double)(l->size - 1));
  return sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, sni_convert(c, at, SN_I32)), NULL, 0, NULL);
}

// (a d + b) d + c) d + e
static sn_tensor *cubic(sn_context *c, sn_tensor *d, const double *p) {
  sn_tensor *y = sni_with_number(c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MUL, d, p[0]), p[1]);
  for (int i = 2; i < 4; i++)
    y = sni_with_number(c, SNI_OP_ADD, sni_binary(c, SNI_OP_MUL, y, d), p[i]);
  return y;
}

static sn_tensor *weight_of(sn_context *c, const line *l, sn_resize_method method, int k) {
  static const double a = -0.75;
  const double inner[] = {a + 2, -(a + 3), 0, 1}, outer[] = {a, -5 * a, 8 * a, -4 * a};
  if (method == SN_RESIZE_LINEAR)
    return k ? l->t : sni_with_number(c, SNI_OP_ADD, sni_unary(c, SNI_OP_NEG, l->t), 1);
  sn_tensor *distance = sni_with_number(c, SNI_OP_SUB, l->t, k);
  distance = sni_unary(c, SNI_OP_ABS, distance);
  return cubic(c, distance, k == 0 || k == 1 ? inner : outer);
}

// As a column beside rows of x.
static sn_tensor *column(sn_context *c, sn_tensor *w, const sn_tensor *x, int64_t n) {
  sni_type type = x->type;
  type.dims[0] = n;
  for (int i = 1; i < type.rank; i++) type.dims[i] = 1;
  return sni_reshape_to(c, sni_convert(c, w, x->type.dtype), &type);
}

static sn_tensor *resize_rows(sn_context *c, sn_tensor *x, int64_t size, int64_t n,
                              sn_resize_method method) {
  if (sn_failed(x)) return x;
  const line l = line_of(c, size, n, method == SN_RESIZE_NEAREST);
  if (method == SN_RESIZE_NEAREST) return rows_at(c, x, &l, 0);
  const int first = method == SN_RESIZE_CUBIC ? -1 : 0, end = method == SN_RESIZE_CUBIC ? 3 : 2;
  sn_tensor *y = NULL;
  for (int k = first; k < end; k++) {
    sn_tensor *w = column(c, weight_of(c, &l, method, k), x, n);
    sn_tensor *part = sni_binary(c, SNI_OP_MUL, rows_at(c, x, &l, k), w);
    y = y ? sni_binary(c, SNI_OP_ADD, y, part) : part;
  }
  return y;
}

// ---- windows: every pixel below a row's window counts, which is wider where the image becomes smaller
// Of row i and pixel start + k of its window, f64 [n, k]: both ends of the row in pixels, the first one's number.
typedef struct window {
  sn_tensor *low, *high, *pixel;
} window;

static int64_t window_pixels(int64_t size, int64_t n, double radius) {
  const double scale = (double)size / (double)n;
  return (int64_t)ceil(radius > 0 ? 2 * radius * fmax(scale, 1) : scale) + 1;
}

static window window_of(sn_context *c, int64_t size, int64_t n, double radius) {
  const sni_type type = {SN_F64, 2, {n, window_pixels(size, n, radius)}};
  sn_tensor *i = sni_iota(c, &type, 0), *k = sni_iota(c, &type, 1), *ends[2];
  for (int e = 0; e < 2; e++) {  // one rounding: size and n are exact
    sn_tensor *end = sni_with_number(
        c, SNI_OP_MUL, sni_with_number(c, SNI_OP_ADD, i, radius > 0 ? 0.5 : e), (double)size);
    end = sni_with_number(c, SNI_OP_DIV, end, (double)n);
    const double reach = radius * fmax((double)size / (double)n, 1);
    ends[e] = radius > 0 ? sni_with_number(c, SNI_OP_ADD, end, e ? reach : -reach) : end;
  }
  sn_tensor *start = sni_unary(c, SNI_OP_FLOOR, ends[0]);
  return (window){ends[0], ends[1], sni_binary(c, SNI_OP_ADD, start, k)};
}

// What a pixel has in common with a row.
static sn_tensor *shared_of(sn_context *c, const window *w) {
  sn_tensor *next = sni_with_number(c, SNI_OP_ADD, w->pixel, 1);
  sn_tensor *common = sni_binary(c, SNI_OP_SUB, sni_binary(c, SNI_OP_MIN, w->high, next),
                                 sni_binary(c, SNI_OP_MAX, w->low, w->pixel));
  return sni_with_number(c, SNI_OP_MAX, common, 0);
}

// The triangle, or Keys's polynomial with a = -1/2, of the distance from the middle; radius: 1 or 2.
static sn_tensor *filter_of(sn_context *c, const window *w, double scale, double radius) {
  static const double inner[] = {1.5, -2.5, 0, 1}, outer[] = {-0.5, 2.5, -4, 2};
  sn_tensor *middle =
      sni_with_number(c, SNI_OP_MUL, sni_binary(c, SNI_OP_ADD, w->low, w->high), 0.5);
  sn_tensor *d = sni_binary(c, SNI_OP_SUB, sni_with_number(c, SNI_OP_ADD, w->pixel, 0.5), middle);
  d = sni_unary(c, SNI_OP_ABS, sni_with_number(c, SNI_OP_DIV, d, fmax(scale, 1)));
  d = sni_with_number(c, SNI_OP_MIN, d, radius);
  if (radius == 1) return sni_with_number(c, SNI_OP_ADD, sni_unary(c, SNI_OP_NEG, d), 1);
  sn_tensor *near = sni_with_number(c, SNI_OP_LT, d, 1);
  return sni_emit(c, SNI_OP_SELECT, SNI_OPERANDS(near, cubic(c, d, inner), cubic(c, d, outer)),
                  NULL, 0, NULL);
}

// The sum over a window of rows along axis 0, weights adding up to 1 within the image. Pixels beyond it weigh nothing, and
// stand for one of the window's.
static sn_tensor *filter_rows(sn_context *c, sn_tensor *x, int64_t size, int64_t n, double radius) {
  if (sn_failed(x)) return x;
  const window w = window_of(c, size, n, radius);
  sn_tensor *weight =
      radius > 0 ? filter_of(c, &w, (double)size / (double)n, radius) : shared_of(c, &w);
  sn_tensor *at = sni_with_number(c, SNI_OP_MAX, w.pixel, 0);
  at = sni_with_number(c, SNI_OP_MIN, at, (double)(size - 1));
  sn_tensor *inside = sni_convert(c, sni_binary(c, SNI_OP_EQ, at, w.pixel), SN_F64);
  weight = sni_binary(c, SNI_OP_MUL, weight, inside);
  weight = sni_binary(c, SNI_OP_DIV, weight, sni_reduce_keep(c, SNI_OP_REDUCE_SUM, weight, 1));
  sn_tensor *rows =
      sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, sni_convert(c, at, SN_I32)), NULL, 0, NULL);
  if (sn_failed(rows) || sn_failed(weight)) return &c->error_tensor;
  sni_type type = rows->type;
  for (int i = 2; i < type.rank; i++) type.dims[i] = 1;
  weight = sni_reshape_to(c, sni_convert(c, weight, x->type.dtype), &type);
  sn_tensor *part = sni_binary(c, SNI_OP_MUL, rows, weight);
  return sni_emit(c, SNI_OP_REDUCE_SUM, &part, 1, (sni_dim[]){1}, 1, NULL);
}

static sn_tensor *rows_of_method(sn_context *c, sn_tensor *x, int64_t size, int64_t n,
                                 sn_resize_method method) {
  if (method < SN_RESIZE_AREA) return resize_rows(c, x, size, n, method);
  return filter_rows(c, x, size, n, (double)(method - SN_RESIZE_AREA));
}

static bool check_image(sn_context *c, sn_tensor *x, const int64_t *sizes, int n, int first,
                        int64_t *given) {
  char text[SNI_TENSOR_NAME];
  bool valid = n >= 1 && n <= SN_MAX_SPATIAL && x->type.rank == n + 2 && sizes;
  for (int i = 0; valid && i < n; i++)
    valid = sizes[i] >= 1 && sizes[i] <= most_pixels &&
            sni_pin_dim(c, x->type.dims[first + i], &given[i]) && given[i] >= 1 &&
            given[i] <= most_pixels;
  if (valid) return true;
  sni_error(
      c, SN_ERR_SHAPE,
      "sn_resize: %d sizes, expected one in [1, 2^30] for each spatial dim of an image that is not "
      "empty: operand #0 is %s",
      n, sni_describe(x, text));
  return false;
}

sn_tensor *(sn_resize)(sn_tensor *x, const int64_t *sizes, int n, sn_resize_method method,
                       sn_data_format format) {
  SNI_BEGIN_COMPOSED(c, "sn_resize", x);
  int64_t given[SN_MAX_SPATIAL];
  const int first = format == SN_CHANNELS_FIRST ? 2 : 1;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  if ((unsigned)method > SN_RESIZE_CUBIC_ANTIALIAS || (unsigned)format > SN_CHANNELS_FIRST)
    return sni_error(c, SN_ERR_ARGUMENT, "sn_resize: method %d and format %d are none of theirs",
                     (int)method, (int)format);
  if (!check_image(c, x, sizes, n, first, given)) return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *y = sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;
  for (int i = 0; i < n && !sn_failed(y); i++) {
    if (given[i] == sizes[i]) continue;
    y = (sn_move_axis)(y, first + i, 0);
    y = (sn_move_axis)(rows_of_method(c, y, given[i], sizes[i], method), 0, first + i);
  }
  if (sni_is_half(dtype)) y = sni_convert(c, y, dtype);
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}
