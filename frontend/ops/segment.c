// Sums of segments and counts: scatters into tensors of one number.
#include "frontend/ops/compose.h"
#include "runtime/float_modes.h"

#include <math.h>
#include <string.h>

// ---- segments
typedef struct segments {
  sni_type type;      // of the result
  sn_tensor *at, *x;  // [n]; [n, rest...]
} segments;

static bool check_ids(sn_context *c, const sn_tensor *x, const sn_tensor *ids) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  bool agree = ids->type.rank <= x->type.rank && ids->type.rank > 0;
  for (int i = 0; agree && i < ids->type.rank; i++)
    agree = sni_dims_agree(c, x->type.dims[i], ids->type.dims[i]);
  if (!agree)
    sni_error(c, SN_ERR_SHAPE, "%s: operand #1 is %s, expected the first dims of operand #0 %s",
              c->frame.op, sni_describe(ids, b), sni_describe(x, a));
  return agree;
}

static bool begin(sn_context *c, sn_tensor *x, sn_tensor *ids, int64_t n, uint32_t dtypes,
                  segments *out) {
  sni_type type;
  const sn_shape shape = {1, {n}};
  if (!sni_expect_dtype(c, 0, x, dtypes) || !sni_expect_dtype(c, 1, ids, SNI_DTYPES_INTEGER) ||
      !check_ids(c, x, ids) || !sni_shape_type(c, x->type.dtype, &shape, &type))
    return false;
  sni_type rows = {x->type.dtype, 1, {sni_type_size(sni_context_dims(c), &ids->type)}};
  for (int i = ids->type.rank; i < x->type.rank; i++)
    type.dims[type.rank++] = rows.dims[rows.rank++] = x->type.dims[i];
  *out = (segments){type, sni_checked_indices(c, ids, type.dims[0]), sni_reshape_to(c, x, &rows)};
  return true;
}

static sn_tensor *combine(sn_context *c, sni_op op, const segments *s, sn_tensor *x, double first) {
  if (sn_failed(x)) return x;
  sni_type type = s->type;
  type.dtype = x->type.dtype;
  sn_tensor *table = sni_emit_full(c, &type, first);
  return sni_emit(c, op, SNI_OPERANDS(table, s->at, x), NULL, 0, NULL);
}

// A value for each index, scattered into zeros: [segments, 1...], to be broadcast with the rows.
static sn_tensor *per_segment(sn_context *c, sni_op op, const segments *s, sn_dtype dtype) {
  if (sn_failed(s->at)) return s->at;
  const sni_type line = {dtype, 1, {s->type.dims[0]}}, at = {dtype, 1, {s->at->type.dims[0]}};
  sni_type aligned = {dtype, s->type.rank, {s->type.dims[0]}};
  for (int i = 1; i < aligned.rank; i++) aligned.dims[i] = 1;
  sn_tensor *table = sni_emit_full(c, &line, 0), *ones = sni_emit_full(c, &at, 1);
  sn_tensor *y = sni_emit(c, op, SNI_OPERANDS(table, s->at, ones), NULL, 0, NULL);
  return sni_reshape_to(c, y, &aligned);
}

sn_tensor *(sn_segment_sum)(sn_tensor *x, sn_tensor *ids, int64_t n) {
  SNI_BEGIN_COMPOSED(c, "sn_segment_sum", x, ids);
  segments s;
  if (!begin(c, x, ids, n, SNI_DTYPES_NUMBER, &s)) return &c->error_tensor;
  return sni_keep_only(c, c_first, combine(c, SNI_OP_SCATTER_ADD, &s, s.x, 0));
}

sn_tensor *(sn_segment_prod)(sn_tensor *x, sn_tensor *ids, int64_t n) {
  SNI_BEGIN_COMPOSED(c, "sn_segment_prod", x, ids);
  segments s;
  if (!begin(c, x, ids, n, SNI_DTYPES_REAL, &s)) return &c->error_tensor;
  return sni_keep_only(c, c_first, combine(c, SNI_OP_SCATTER_MUL, &s, s.x, 1));
}

// 16-bit floats are rounded at the end alone.
sn_tensor *(sn_segment_mean)(sn_tensor *x, sn_tensor *ids, int64_t n) {
  SNI_BEGIN_COMPOSED(c, "sn_segment_mean", x, ids);
  segments s;
  if (!begin(c, x, ids, n, SNI_DTYPES_FLOAT, &s)) return &c->error_tensor;
  const sn_dtype storage = x->type.dtype, dtype = sni_compute_dtype(storage);
  sn_tensor *sum = combine(c, SNI_OP_SCATTER_ADD, &s, sni_convert(c, s.x, dtype), 0);
  sn_tensor *count = per_segment(c, SNI_OP_SCATTER_ADD, &s, dtype);
  count = sni_with_number(c, SNI_OP_MAX, count, 1);
  sn_tensor *y = sni_convert(c, sni_binary(c, SNI_OP_DIV, sum, count), storage);
  return sni_keep_only(c, c_first, y);
}

static double greatest_of(sn_dtype dtype) {
  switch ((int)dtype) {
    case SN_F16:
      return 65504;
    case SN_BF16:
      return 0x1.fep127;
    case SN_F32:
      return 0x1.fffffep127;
    default:
      return 0x1.fffffffffffffp1023;
  }
}

// The end of the dtype, from which an extremum begins. Of 64-bit integers a double has not each.
static sn_tensor *end_of(sn_context *c, const sni_type *type, bool least) {
  const sn_dtype dtype = type->dtype;
  if (sni_is_float(dtype)) return sni_emit_full(c, type, least ? -INFINITY : INFINITY);
  const sni_type scalar = {dtype, 0, {0}};
  const int64_t end = least ? sni_integer_least(dtype) : sni_integer_greatest(dtype);
  return sni_broadcast_to(c, sni_constant(c, &scalar, &end), type);  // little-endian
}

// An infinity that stands for nothing becomes finite; one that is an element stays.
static sn_tensor *extremum(const char *name, sni_op op, sn_tensor *x, sn_tensor *ids, int64_t n) {
  SNI_BEGIN_COMPOSED(c, name, x, ids);
  segments s;
  const bool max = op == SNI_OP_SCATTER_MAX;
  if (!begin(c, x, ids, n, SNI_DTYPES_REAL, &s)) return &c->error_tensor;
  sn_tensor *table = end_of(c, &s.type, max);
  sn_tensor *y = sni_emit(c, op, SNI_OPERANDS(table, s.at, s.x), NULL, 0, NULL);
  if (sni_is_float(s.type.dtype) && !sn_failed(y)) {
    const double end = greatest_of(s.type.dtype);
    sn_tensor *hit = per_segment(c, SNI_OP_SCATTER_UPDATE, &s, SN_BOOL);
    y = sni_select(c, hit, y, sni_number(c, s.type.dtype, max ? -end : end));
  }
  return sni_keep_only(c, c_first, y);
}

sn_tensor *(sn_segment_max)(sn_tensor *x, sn_tensor *ids, int64_t n) {
  return extremum("sn_segment_max", SNI_OP_SCATTER_MAX, x, ids, n);
}
sn_tensor *(sn_segment_min)(sn_tensor *x, sn_tensor *ids, int64_t n) {
  return extremum("sn_segment_min", SNI_OP_SCATTER_MIN, x, ids, n);
}

// ---- counts
static sn_tensor *flat(sn_context *c, sn_tensor *x) {
  const sni_type line = {x->type.dtype, 1, {sni_type_size(sni_context_dims(c), &x->type)}};
  return sni_reshape_to(c, x, &line);
}

static bool check_weights(sn_context *c, const sn_tensor *x, const sn_tensor *weights) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!weights) return true;
  bool agree = x->type.rank == weights->type.rank && SNI_DTYPES_NUMBER >> weights->type.dtype & 1;
  for (int i = 0; agree && i < x->type.rank; i++)
    agree = sni_dims_agree(c, x->type.dims[i], weights->type.dims[i]);
  if (!agree)
    sni_error(c, SN_ERR_SHAPE,
              "%s: the weights are %s, expected numbers of the shape of operand #0 %s", c->frame.op,
              sni_describe(weights, b), sni_describe(x, a));
  return agree;
}

// Ones, or the weights, added at `at` [n] to zeros [length].
static sn_tensor *count(sn_context *c, sn_tensor *at, sn_tensor *weights, sni_dim length) {
  if (sn_failed(at)) return at;
  const sn_dtype dtype = weights ? weights->type.dtype : SN_I64;
  const sni_type type = {dtype, 1, {length}}, line = {dtype, 1, {at->type.dims[0]}};
  sn_tensor *x = weights ? flat(c, weights) : sni_emit_full(c, &line, 1);
  sn_tensor *table = sni_emit_full(c, &type, 0);
  return sni_emit(c, SNI_OP_SCATTER_ADD, SNI_OPERANDS(table, at, x), NULL, 0, NULL);
}

// One more than the greatest element; 0 of nothing.
static sn_tensor *length_of(sn_context *c, sn_tensor *x) {
  sn_tensor *most = sni_convert(c, sni_wide_indices(c, flat(c, x)), SN_I64);
  most = sni_emit(c, SNI_OP_REDUCE_MAX, &most, 1, (sni_dim[]){0}, 1, NULL);
  return sni_with_number(c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MAX, most, -1), 1);
}

static sn_tensor *bincount(sn_context *c, sn_tensor *x, const sn_count_options *o) {
  sni_dim length;
  sn_tensor *number;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INTEGER) || !check_weights(c, x, o->weights) ||
      !sni_length_of_result(c, o->length ? NULL : length_of(c, x), o->length, &length, &number))
    return &c->error_tensor;
  sn_tensor *at = sni_checked_indices(c, x, length);
  // Nothing is greater: but in a run the number is known to fit first.
  if (c->trace && !o->length)
    at = sni_binary(c, SNI_OP_MIN, at, sni_with_number(c, SNI_OP_SUB, number, 1));
  return count(c, at, o->weights, length);
}

sn_tensor *sn_bincount_opts(sn_tensor *x, const sn_count_options *options) {
  sn_count_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  SNI_BEGIN_COMPOSED(c, "sn_bincount", x);
  if (o.weights && !sni_operand_ok(c, c->frame.op, 1, o.weights)) return &c->error_tensor;
  return sni_keep_only(c, c_first, bincount(c, x, &o));
}

// ---- histograms
typedef struct intervals {
  int64_t n;
  double low, high, step;
} intervals;

static sn_tensor *number(sn_context *c, double value) {
  return sni_number(c, SN_F64, value);
}

// The edge below interval i, as numpy.linspace has it.
static sn_tensor *edge(sn_context *c, const intervals *h, sn_tensor *i) {
  sn_tensor *at = sni_with_number(
      c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MUL, sni_convert(c, i, SN_F64), h->step), h->low);
  return sni_select(c, sni_binary(c, SNI_OP_EQ, i, sni_number(c, SN_I64, (double)h->n)),
                    number(c, h->high), at);
}

static sn_tensor *moved(sn_context *c, sn_tensor *i, sn_tensor *condition, double by) {
  return sni_select(c, condition, sni_with_number(c, SNI_OP_ADD, i, by), i);
}

// The interval of each x; n: of none. Division finds the interval or one beside it, the edges say which.
static sn_tensor *interval_of(sn_context *c, const intervals *h, sn_tensor *x) {
  sn_tensor *low = number(c, h->low), *high = number(c, h->high);
  sn_tensor *inside = sni_binary(c, SNI_OP_AND, sni_binary(c, SNI_OP_LE, low, x),
                                 sni_binary(c, SNI_OP_LE, x, high));
  sn_tensor *at =
      sni_binary(c, SNI_OP_DIV, sni_binary(c, SNI_OP_SUB, x, low), number(c, h->high - h->low));
  at = sni_with_number(c, SNI_OP_MUL, at, (double)h->n);
  sn_tensor *i = sni_convert(c, sni_select(c, inside, at, number(c, 0)), SN_I64);
  i = sni_with_number(c, SNI_OP_MIN, i, (double)(h->n - 1));
  i = moved(c, i, sni_binary(c, SNI_OP_LT, x, edge(c, h, i)), -1);
  sn_tensor *reaches =
      sni_binary(c, SNI_OP_LE, edge(c, h, sni_with_number(c, SNI_OP_ADD, i, 1)), x);
  sn_tensor *before = sni_binary(c, SNI_OP_LT, i, sni_number(c, SN_I64, (double)(h->n - 1)));
  i = moved(c, i, sni_binary(c, SNI_OP_AND, reaches, before), 1);
  return sni_select(c, inside, i, sni_number(c, SN_I64, (double)h->n));
}

static sn_tensor *histogram(sn_context *c, sn_tensor *x, const intervals *h, sn_tensor *weights) {
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_REAL) || !check_weights(c, x, weights))
    return &c->error_tensor;
  sn_tensor *at = interval_of(c, h, sni_convert(c, flat(c, x), SN_F64));
  return sni_take(c, count(c, at, weights, h->n + 1), 0, 0, h->n);
}

sn_tensor *sn_histogram_opts(sn_tensor *x, int64_t n, double low, double high,
                             const sn_count_options *options) {
  sn_count_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  SNI_BEGIN_COMPOSED(c, "sn_histogram", x);
  if (o.weights && !sni_operand_ok(c, c->frame.op, 1, o.weights)) return &c->error_tensor;
  if (n < 1 || n > INT32_MAX || !(low < high) || !isfinite(high - low))
    return sni_error(
        c, SN_ERR_ARGUMENT,
        "sn_histogram: %lld intervals from %g to %g: expected 1 to %d, between two finite "
        "numbers in ascending order",
        (long long)n, low, high, INT32_MAX);
  const unsigned modes = sni_enter_float_modes();
  intervals h = {n, low, high, (high - low) / (double)n};
  SNI_PIN_FLOAT(h.step);
  sni_leave_float_modes(modes);
  return sni_keep_only(c, c_first, histogram(c, x, &h, o.weights));
}
