// Images of other sizes, one axis after the other: rows of pixels are gathered and weighed. Places and weights are computed from the
// number of the row, in f64.
#include "frontend/ops/compose.h"

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
  if ((unsigned)method > SN_RESIZE_CUBIC || (unsigned)format > SN_CHANNELS_FIRST)
    return sni_error(c, SN_ERR_ARGUMENT, "sn_resize: method %d and format %d are none of theirs",
                     (int)method, (int)format);
  if (!check_image(c, x, sizes, n, first, given)) return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *y = sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;
  for (int i = 0; i < n && !sn_failed(y); i++) {
    if (given[i] == sizes[i]) continue;
    y = (sn_move_axis)(y, first + i, 0);
    y = (sn_move_axis)(resize_rows(c, y, given[i], sizes[i], method), 0, first + i);
  }
  if (sni_is_half(dtype)) y = sni_convert(c, y, dtype);
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}
