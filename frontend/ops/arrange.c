// Elements in other places: turned round, moved along, repeated, cut into pieces, continued beyond an edge. Composed of views,
// so that a kernel reads them where they lie.
#include "frontend/ops/compose.h"

#include <string.h>

// ---- axes
static sn_tensor *permuted(sn_context *c, sn_tensor *x, const int *perm) {
  sni_dim attrs[SN_MAX_RANK];
  for (int i = 0; i < x->type.rank; i++) attrs[i] = perm[i];
  return sni_emit(c, SNI_OP_TRANSPOSE, &x, 1, attrs, x->type.rank, NULL);
}

sn_tensor *(sn_move_axis)(sn_tensor *x, int source, int destination) {
  SNI_BEGIN(c, "sn_move_axis", x);
  if ((source = sni_axis(c, x, source)) < 0 || (destination = sni_axis(c, x, destination)) < 0)
    return &c->error_tensor;
  int perm[SN_MAX_RANK];
  for (int i = 0, from = 0; i < x->type.rank; i++) {
    if (from == source) from++;
    perm[i] = i == destination ? source : from++;
  }
  return permuted(c, x, perm);
}

sn_tensor *(sn_swap_axes)(sn_tensor *x, int a, int b) {
  SNI_BEGIN(c, "sn_swap_axes", x);
  if ((a = sni_axis(c, x, a)) < 0 || (b = sni_axis(c, x, b)) < 0) return &c->error_tensor;
  int perm[SN_MAX_RANK];
  for (int i = 0; i < x->type.rank; i++) perm[i] = i == a ? b : i == b ? a : i;
  return permuted(c, x, perm);
}

sn_tensor *(sn_matrix_transpose)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_matrix_transpose", x);
  if (!sni_expect_rank(c, 0, x, 2)) return &c->error_tensor;
  int perm[SN_MAX_RANK];
  for (int i = 0; i < x->type.rank; i++) perm[i] = i;
  perm[x->type.rank - 1] = x->type.rank - 2;
  perm[x->type.rank - 2] = x->type.rank - 1;
  return permuted(c, x, perm);
}

sn_tensor *(sn_ravel)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_ravel", x);
  sni_type type = {.dtype = x->type.dtype, .rank = 1};
  type.dims[0] = sni_type_size(sni_context_dims(c), &x->type);
  return sni_reshape_to(c, x, &type);
}

// ---- turned round, moved along
static sn_tensor *reversed(sn_tensor *x, uint32_t axes) {
  sn_range_spec ranges[SN_MAX_RANK] = {{0, 0, 0}};
  for (int i = 0; i < x->type.rank; i++)
    if (axes >> i & 1) ranges[i] = (sn_range_spec){SN_END, SN_END, -1};
  return (sn_slice)(x, ranges, x->type.rank);
}

sn_tensor *sn_flip_opts(sn_tensor *x, const sn_flip_options *options) {
  SNI_BEGIN(c, "sn_flip", x);
  sn_flip_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (o.axes.count < 0 || o.axes.count > SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_flip: %d axes, at most %d are possible", o.axes.count,
                     SN_MAX_RANK);
  uint32_t set = 0;
  for (int i = 0; i < o.axes.count; i++) {
    const int axis = sni_axis(c, x, o.axes.axis[i]);
    if (axis < 0) return &c->error_tensor;
    if (set >> axis & 1) return sni_error(c, SN_ERR_SHAPE, "sn_flip: axis %d is given twice", axis);
    set |= 1u << axis;
  }
  return reversed(x, o.axes.count ? set : UINT32_MAX);
}

// Elements from `start` on, behind them those before it. A start of 0 is x itself.
sn_tensor *(sn_roll)(sn_tensor *x, int64_t shift, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_roll", x);
  char text[SNI_TENSOR_NAME];
  if ((axis = sni_axis(c, x, axis)) < 0) return &c->error_tensor;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim size = x->type.dims[axis];
  int64_t n;
  sni_dim start;
  if (sni_dim_is_constant(dims, size, &n)) {
    start = n ? ((n - shift % n) % n) : 0;
  } else if (shift > -((int64_t)1 << 40) && shift < (int64_t)1 << 40 &&
             sni_dim_require(dims, size, shift < 0 ? -shift : shift)) {
    start = shift <= 0 ? -shift : sni_dim_add_constant(dims, size, -shift);
  } else {
    return sni_error(c, SN_ERR_SHAPE, "sn_roll: a shift of %lld is too far for axis %d of %s",
                     (long long)shift, axis, sni_describe(x, text));
  }
  if (sni_dim_equal(dims, start, 0)) return sni_unary(c, SNI_OP_IDENTITY, x);
  sn_tensor *parts[2] = {sni_take(c, x, axis, start, sni_dim_sub(dims, size, start)),
                         sni_take(c, x, axis, 0, start)};
  return sni_keep_only(c, c_first, sni_emit(c, SNI_OP_CONCAT, parts, 2, &(sni_dim){axis}, 1, NULL));
}

// ---- repeated: a new dim of 1 is broadcast, and joins the one it stands before or behind
static sn_tensor *repeated(sn_context *c, sn_tensor *x, int axis, int64_t times, bool each) {
  sni_dim_table *dims = sni_context_dims(c);
  const int rank = x->type.rank, place = axis + each;
  sni_type one = {.dtype = x->type.dtype, .rank = rank + 1}, many, joined = x->type;
  for (int i = 0, k = 0; i <= rank; i++) one.dims[i] = i == place ? 1 : x->type.dims[k++];
  many = one;
  many.dims[place] = times;
  joined.dims[axis] = sni_dim_mul_constant(dims, joined.dims[axis], times);
  return sni_reshape_to(c, sni_broadcast_to(c, sni_reshape_to(c, x, &one), &many), &joined);
}

sn_tensor *(sn_repeat)(sn_tensor *x, int64_t repeats, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_repeat", x);
  char text[SNI_TENSOR_NAME];
  if ((axis = sni_axis(c, x, axis)) < 0) return &c->error_tensor;
  if (repeats < 0 || x->type.rank == SN_MAX_RANK)
    return sni_error(c, SN_ERR_ARGUMENT, "sn_repeat: %lld repeats of operand #0 %s of rank %d",
                     (long long)repeats, sni_describe(x, text), x->type.rank);
  return sni_keep_only(c, c_first, repeated(c, x, axis, repeats, true));
}

sn_tensor *(sn_tile)(sn_tensor *x, const int64_t *multiples, int n) {
  SNI_BEGIN_COMPOSED(c, "sn_tile", x);
  char text[SNI_TENSOR_NAME];
  bool valid = n >= 0 && n <= SN_MAX_RANK && (multiples || !n) && x->type.rank < SN_MAX_RANK;
  for (int i = 0; valid && i < n; i++) valid = multiples[i] >= 0;
  if (!valid)
    return sni_error(c, SN_ERR_ARGUMENT,
                     "sn_tile: %d multiples for operand #0 %s: expected at most %d, none negative, "
                     "and a rank below %d",
                     n, sni_describe(x, text), SN_MAX_RANK, SN_MAX_RANK);
  sn_tensor *y = x;
  if (n > x->type.rank) {
    sni_type type = {.dtype = x->type.dtype, .rank = n};
    for (int i = 0; i < n; i++)
      type.dims[i] = i < n - x->type.rank ? 1 : x->type.dims[i - (n - x->type.rank)];
    y = sni_reshape_to(c, x, &type);
  }
  const int skipped = y->type.rank - n;
  for (int i = 0; i < n && !sn_failed(y); i++) {
    if (multiples[i] == 1) continue;
    if (y->type.rank == SN_MAX_RANK && !sni_dim_is(c, y->type.dims[skipped + i], 1))
      return sni_error(c, SN_ERR_SHAPE, "sn_tile: operand #0 %s would have to have rank %d",
                       sni_describe(x, text), SN_MAX_RANK + 1);
    sni_type type = y->type;
    type.dims[skipped + i] = multiples[i];
    y = sni_dim_is(c, y->type.dims[skipped + i], 1)
            ? sni_broadcast_to(c, y, &type)
            : repeated(c, y, skipped + i, multiples[i], false);
  }
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}

// ---- pieces
// Of several results all are the error tensor where one is.
static sn_tensor *pieces(sn_context *c, sn_tensor **out, int n) {
  for (int i = 0; i < n; i++)
    if (sn_failed(out[i])) {
      for (int k = 0; k < n; k++) out[k] = &c->error_tensor;
      break;
    }
  return out[0];
}

static sn_tensor *no_pieces(sn_context *c, sn_tensor **out, int n) {
  for (int i = 0; out && i < n; i++) out[i] = &c->error_tensor;
  return &c->error_tensor;
}

sn_tensor *(sn_split)(sn_tensor *x, int n, int axis, sn_tensor **out) {
  SNI_BEGIN(c, "sn_split", x);
  char text[SNI_TENSOR_NAME];
  sni_dim_table *dims = sni_context_dims(c);
  if ((axis = sni_axis(c, x, axis)) < 0) return no_pieces(c, out, n);
  const sni_dim size = x->type.dims[axis];
  const sni_dim part = n > 0 ? sni_dim_floor_div(dims, size, n) : 0;
  if (n < 1 || !out || !sni_dims_agree(c, sni_dim_mul_constant(dims, part, n), size)) {
    sni_error(c, n < 1 || !out ? SN_ERR_ARGUMENT : SN_ERR_SHAPE,
              "sn_split: axis %d of operand #0 %s does not split into %d equal pieces", axis,
              sni_describe(x, text), n);
    return no_pieces(c, out, n);
  }
  for (int i = 0; i < n; i++)
    out[i] = sni_take(c, x, axis, sni_dim_mul_constant(dims, part, i), part);
  return pieces(c, out, n);
}

sn_tensor *(sn_split_sizes)(sn_tensor *x, const int64_t *sizes, int n, int axis, sn_tensor **out) {
  SNI_BEGIN(c, "sn_split_sizes", x);
  char text[SNI_TENSOR_NAME];
  sni_dim_table *dims = sni_context_dims(c);
  if ((axis = sni_axis(c, x, axis)) < 0) return no_pieces(c, out, n);
  const sni_dim size = x->type.dims[axis];
  int rest = -1;
  int64_t known = 0;
  bool valid = n > 0 && sizes && out;
  for (int i = 0; valid && i < n; i++) {
    if (sizes[i] == -1 && rest < 0)
      rest = i;
    else
      valid = sizes[i] >= 0 && !__builtin_add_overflow(known, sizes[i], &known);
  }
  valid = valid && (rest < 0 ? sni_dims_agree(c, size, known) : sni_dim_require(dims, size, known));
  if (!valid) {
    sni_error(c, SN_ERR_SHAPE,
              "sn_split_sizes: axis %d of operand #0 %s does not split into the %d sizes given, "
              "which add up to %lld%s",
              axis, sni_describe(x, text), n, (long long)known, rest < 0 ? "" : " beside the -1");
    return no_pieces(c, out, n);
  }
  sni_dim start = 0;
  for (int i = 0; i < n; i++) {
    const sni_dim part = i == rest ? sni_dim_add_constant(dims, size, -known) : sizes[i];
    out[i] = sni_take(c, x, axis, start, part);
    start = sni_dim_add(dims, start, part);
  }
  return pieces(c, out, n);
}

sn_tensor *(sn_unstack)(sn_tensor *x, int axis, sn_tensor **out, int n) {
  SNI_BEGIN(c, "sn_unstack", x);
  char text[SNI_TENSOR_NAME];
  if ((axis = sni_axis(c, x, axis)) < 0) return no_pieces(c, out, n);
  if (n < 1 || !out || !sni_dims_agree(c, x->type.dims[axis], n)) {
    sni_error(c, SN_ERR_SHAPE, "sn_unstack: axis %d of operand #0 %s has not %d elements", axis,
              sni_describe(x, text), n);
    return no_pieces(c, out, n);
  }
  for (int i = 0; i < n; i++) out[i] = (sn_index)(x, axis, i);
  return pieces(c, out, n);
}

sn_tensor *(sn_meshgrid)(sn_tensor *const *xs, int n, bool xy, sn_tensor **out) {
  sn_tensor *failed;
  if (!xs || !out || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_meshgrid", xs, n, &failed);
  if (!c) {
    for (int i = 0; i < n; i++) out[i] = failed;
    return failed;
  }
  char text[SNI_TENSOR_NAME];
  sni_type grid = {.rank = n};
  for (int i = 0; i < n; i++) {
    const int place = xy && n > 1 && i < 2 ? 1 - i : i;
    if (n > SN_MAX_RANK || xs[i]->type.rank != 1) {
      sni_error(c, SN_ERR_SHAPE,
                "sn_meshgrid: operand #%d is %s, one of %d: expected vectors, at most %d", i,
                sni_describe(xs[i], text), n, SN_MAX_RANK);
      return no_pieces(c, out, n);
    }
    grid.dims[place] = xs[i]->type.dims[0];
  }
  for (int i = 0; i < n; i++) {
    const int place = xy && n > 1 && i < 2 ? 1 - i : i;
    sni_type line = {.dtype = xs[i]->type.dtype, .rank = n};
    for (int k = 0; k < n; k++) line.dims[k] = k == place ? xs[i]->type.dims[0] : 1;
    grid.dtype = line.dtype;
    out[i] = sni_broadcast_to(c, sni_reshape_to(c, xs[i], &line), &grid);
  }
  return pieces(c, out, n);
}

// ---- beyond an edge
// One step of padding along an axis: at most what the axis has to give. *low and *high become what is left.
static sn_tensor *extend(sn_context *c, sn_tensor *x, int axis, int64_t *low, int64_t *high,
                         sn_pad_rule rule) {
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim size = x->type.dims[axis];
  const int64_t inner = rule == SN_PAD_REFLECT;  // the edge itself is not repeated
  int64_t n, left = *low, right = *high;
  if (rule != SN_PAD_EDGE && sni_dim_is_constant(dims, size, &n)) {
    if (left > n - inner) left = n - inner;
    if (right > n - inner) right = n - inner;
  }
  const sni_dim last = sni_dim_add_constant(dims, size, -1);
  sn_tensor *parts[3];
  int count = 0;
  if (left) {
    if (rule == SN_PAD_EDGE)
      parts[count++] = repeated(c, sni_take(c, x, axis, 0, 1), axis, left, true);
    else if (rule == SN_PAD_WRAP)
      parts[count++] = sni_take(c, x, axis, sni_dim_add_constant(dims, size, -left), left);
    else
      parts[count++] = reversed(sni_take(c, x, axis, inner, left), 1u << axis);
  }
  parts[count++] = x;
  if (right) {
    if (rule == SN_PAD_EDGE)
      parts[count++] = repeated(c, sni_take(c, x, axis, last, 1), axis, right, true);
    else if (rule == SN_PAD_WRAP)
      parts[count++] = sni_take(c, x, axis, 0, right);
    else
      parts[count++] =
          reversed(sni_take(c, x, axis, sni_dim_add_constant(dims, size, -right - inner), right),
                   1u << axis);
  }
  *low -= left;
  *high -= right;
  return sni_emit(c, SNI_OP_CONCAT, parts, count, &(sni_dim){axis}, 1, NULL);
}

// What an axis must have for one step, so that steps come to an end.
static bool can_extend(sn_context *c, sni_dim size, int64_t low, int64_t high, sn_pad_rule rule) {
  const int64_t inner = rule == SN_PAD_REFLECT, most = low > high ? low : high;
  int64_t n;
  if (!most) return true;
  if (rule == SN_PAD_EDGE || sni_dim_is_constant(sni_context_dims(c), size, &n))
    return sni_dim_require(sni_context_dims(c), size, 1 + inner);
  return sni_dim_require(sni_context_dims(c), size, most + inner);
}

sn_tensor *(sn_pad_with)(sn_tensor *x, const int64_t *low, const int64_t *high, int n,
                         sn_pad_rule rule) {
  SNI_BEGIN_COMPOSED(c, "sn_pad_with", x);
  char text[SNI_TENSOR_NAME];
  const int64_t far = (int64_t)1 << 40;
  bool valid = n >= 0 && n <= x->type.rank && (!n || (low && high)) &&
               (unsigned)rule <= SN_PAD_WRAP && x->type.rank < SN_MAX_RANK;
  for (int i = 0; valid && i < n; i++)
    valid = low[i] >= 0 && high[i] >= 0 && low[i] < far && high[i] < far;
  if (!valid)
    return sni_error(c, SN_ERR_ARGUMENT,
                     "sn_pad_with: widths of %d axes by rule %d for operand #0 %s of rank %d", n,
                     (int)rule, sni_describe(x, text), x->type.rank);
  sn_tensor *y = x;
  for (int i = 0; i < n && !sn_failed(y); i++) {
    int64_t left = low[i], right = high[i];
    if (!can_extend(c, x->type.dims[i], left, right, rule))
      return sni_error(c, SN_ERR_SHAPE,
                       "sn_pad_with: axis %d of operand #0 %s has too few elements for widths of "
                       "%lld and %lld",
                       i, sni_describe(x, text), (long long)left, (long long)right);
    while ((left || right) && !sn_failed(y)) y = extend(c, y, i, &left, &right, rule);
  }
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}

// ---- differences
sn_tensor *(sn_diff)(sn_tensor *x, int64_t n, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_diff", x);
  char text[SNI_TENSOR_NAME];
  if ((axis = sni_axis(c, x, axis)) < 0 || !sni_expect_dtype(c, 0, x, SNI_DTYPES_NUMBER))
    return &c->error_tensor;
  sni_dim_table *dims = sni_context_dims(c);
  if (n < 0 || n > 64 || !sni_dim_require(dims, x->type.dims[axis], n))
    return sni_error(c, SN_ERR_ARGUMENT,
                     "sn_diff: %lld differences along axis %d of operand #0 %s: expected a number "
                     "up to 64 and to the elements of the axis",
                     (long long)n, axis, sni_describe(x, text));
  sn_tensor *y = x;
  for (int64_t i = 0; i < n && !sn_failed(y); i++) {
    const sni_dim less = sni_dim_add_constant(dims, y->type.dims[axis], -1);
    y = sni_binary(c, SNI_OP_SUB, sni_take(c, y, axis, 1, less), sni_take(c, y, axis, 0, less));
  }
  if (y == x) y = sni_unary(c, SNI_OP_IDENTITY, x);
  return sni_keep_only(c, c_first, y);
}
