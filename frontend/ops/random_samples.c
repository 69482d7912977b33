// Random numbers of parameters that are tensors, and random orders.
#include "frontend/ops/random.h"
#include "runtime/scalar.h"

#include <math.h>

// The source of an op, which has begun.
#define SNI_OPEN(c, options, source, o) \
  sni_source source;                    \
  sn_random_options o;                  \
  if (!sni_source_open(c, options, &source, &o)) return &(c)->error_tensor

// ---- events and classes
static bool is_probability(double p) {
  return p >= 0 && p <= 1;
}

static bool all_f32(const float *p, int64_t n) {
  bool all = true;
  for (int64_t i = 0; i < n; i++) all &= p[i] >= 0 && p[i] <= 1;
  return all;
}

// The first element outside of [0, 1] of a tensor whose elements are there; -1: none.
static int64_t first_improbable(sn_tensor *p) {
  const sn_dtype dtype = p->type.dtype;
  sni_buffer *buffer;
  char *data;
  int64_t size = 1, i = 0;
  for (int k = 0; k < p->type.rank; k++) size *= p->type.dims[k];
  sni_tensor_snapshot(p, &buffer, &data);
  if (dtype == SN_F32 && all_f32((const float *)(const void *)data, size)) i = size;
  while (i < size && is_probability(sni_scalar_value(sni_scalar_load(dtype, data, i)))) i++;
  sni_buffer_release(buffer);
  return i < size ? i : -1;
}

static bool check_probabilities(sn_context *c, sn_tensor *p) {
  char text[SNI_TENSOR_NAME];
  if (c->trace || p->kind == SNI_TENSOR_TRACED) return true;
  const int64_t i = first_improbable(p);
  if (i < 0) return true;
  sni_error(c, SN_ERR_ARGUMENT,
            "sn_random_bernoulli: element %lld of operand #0 %s is outside of [0, 1]", (long long)i,
            sni_describe(p, text));
  return false;
}

// Drawn in f32 at least: 16-bit floats have too few values for a probability.
static sn_tensor *widened(sn_context *c, sn_tensor *x) {
  return sni_is_half(x->type.dtype) ? sni_convert(c, x, SN_F32) : x;
}

sn_tensor *sn_random_bernoulli_opts(sn_tensor *p, const sn_random_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_random_bernoulli", p);
  if (!sni_expect_dtype(c, 0, p, SNI_DTYPES_FLOAT) || !check_probabilities(c, p))
    return &c->error_tensor;
  SNI_OPEN(c, options, source, o);
  sn_tensor *wide = widened(c, p);
  if (sn_failed(wide)) return wide;
  sn_tensor *u = sni_source_uniform(&source, &wide->type);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_LT, u, wide));
}

// -log(-log u) of u > 0.
static sn_tensor *gumbel(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  const double least = type->dtype == SN_F64 ? 0x1p-1022 : 0x1p-126;
  sn_tensor *u = sni_with_number(c, SNI_OP_MAX, sni_source_uniform(source, type), least);
  for (int i = 0; i < 2; i++) u = sni_unary(c, SNI_OP_NEG, sni_unary(c, SNI_OP_LOG, u));
  return u;
}

sn_tensor *sn_random_categorical_opts(sn_tensor *logits, const sn_random_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_random_categorical", logits);
  if (!sni_expect_dtype(c, 0, logits, SNI_DTYPES_FLOAT) || !sni_expect_rank(c, 0, logits, 1))
    return &c->error_tensor;
  SNI_OPEN(c, options, source, o);
  if (o.samples < 0)
    return sni_error(c, SN_ERR_ARGUMENT, "sn_random_categorical: .samples is %lld",
                     (long long)o.samples);
  sn_tensor *x = widened(c, logits);
  if (sn_failed(x)) return x;
  if (o.samples) {
    x = (sn_expand_dims)(x, -2);
    if (sn_failed(x)) return x;
  }
  sni_type type = x->type;
  if (o.samples) type.dims[type.rank - 2] = o.samples;
  x = sni_binary(c, SNI_OP_ADD, gumbel(&source, &type), x);
  return sni_keep_only(c, c_first, (sn_argmax)(x, -1));
}

// ---- orders
// jax.random.permutation: sorted by random words, so often that equal words do not matter.
static sn_tensor *order_of_jax(sni_source *source, int64_t n) {
  sn_context *c = source->context;
  const sni_type type = {.dtype = SN_I32, .rank = 1, .dims = {n}},
                 two = {.dtype = SN_I64, .rank = 1, .dims = {2}};
  const int rounds = n > 1 ? (int)ceil(3 * log((double)n) / log(4294967295.0)) : 0;
  sn_tensor *order = sni_iota(c, &type, 0);
  for (int i = 0; i < rounds; i++) {
    sn_tensor *keys = sni_source_words(source, SN_I64, &two);
    sni_source sub = sni_source_of_word(c, keys, 1);
    *source = sni_source_of_word(c, keys, 0);
    sn_tensor *words = sni_convert(c, sni_source_words(&sub, SN_I32, &type), SN_U32);
    sn_tensor *sorted = sni_emit(c, SNI_OP_ARGSORT, &words, 1, &(sni_dim){0}, 1, NULL);
    order = sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(order, sorted), NULL, 0, NULL);
  }
  return order;
}

static sn_tensor *order(sni_source *source, sni_dim n) {
  sn_context *c = source->context;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_type type = {.dtype = SN_I32, .rank = 1, .dims = {n}};
  int64_t known;
  if (!sni_dim_require_most(dims, n, INT32_MAX))
    return sni_error(c, SN_ERR_SHAPE, "%s: more than %d places", c->frame.op, INT32_MAX);
  if (source->algorithm != SNI_RANDOM_THREEFRY)
    return sni_source_draw(source, SNI_OP_RANDOM_PERMUTATION, &type, NULL, -1,
                           sni_dim_floor_div(dims, sni_dim_add_constant(dims, n, 2), 4));
  if (!sni_pin_dim(c, n, &known))
    return sni_error(c, SN_ERR_SHAPE, "%s: a size that is unknown, expected one that is known",
                     c->frame.op);
  return order_of_jax(source, known);
}

sn_tensor *sn_random_permutation_opts(sn_context *context, int64_t n,
                                      const sn_random_options *options) {
  SNI_ENTER(context, "sn_random_permutation", sni_refused(context, context_refused));
  const uint32_t first = context->n_live;
  const sn_shape shape = {1, {n}};
  sni_type type;
  if (!sni_shape_type(context, SN_I32, &shape, &type)) return &context->error_tensor;
  SNI_OPEN(context, options, source, o);
  return sni_keep_only(context, first, order(&source, type.dims[0]));
}

sn_tensor *sn_random_shuffle_opts(sn_tensor *x, const sn_random_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_random_shuffle", x);
  if (!sni_expect_rank(c, 0, x, 1)) return &c->error_tensor;
  SNI_OPEN(c, options, source, o);
  sn_tensor *rows = order(&source, x->type.dims[0]);
  return sni_keep_only(c, c_first,
                       sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, rows), NULL, 0, NULL));
}

// ---- what is rejected now and then
// The op's numbers of parameters b, computed in f32 or f64.
static sn_tensor *sample(sni_source *source, sni_op op, sn_tensor *b, int flag) {
  if (sn_failed(b)) return b;
  const sni_dim n = sni_type_size(sni_context_dims(source->context), &b->type);
  return sni_source_draw(source, op, &b->type, b, flag, n);
}

static sn_tensor *sample_of(const char *name, sni_op op, sn_tensor *b, int flag,
                            const sn_random_options *options) {
  SNI_BEGIN_COMPOSED(c, name, b);
  if (!sni_expect_dtype(c, 0, b, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  SNI_OPEN(c, options, source, o);
  sn_tensor *y = sample(&source, op, widened(c, b), flag);
  return sni_keep_only(c, c_first,
                       sni_is_half(b->type.dtype) ? sni_convert(c, y, b->type.dtype) : y);
}

sn_tensor *sn_random_gamma_opts(sn_tensor *shape, const sn_random_options *options) {
  return sample_of("sn_random_gamma", SNI_OP_RANDOM_GAMMA, shape, 0, options);
}

sn_tensor *sn_random_poisson_opts(sn_tensor *rate, const sn_random_options *options) {
  return sample_of("sn_random_poisson", SNI_OP_RANDOM_POISSON, rate, -1, options);
}

// Of gamma numbers x, y of shapes a, b: x / (x + y), from their logarithms, which may be far apart.
sn_tensor *sn_random_beta_opts(sn_tensor *a, sn_tensor *b, const sn_random_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_random_beta", a, b);
  const sni_type *const types[] = {&a->type, &b->type};
  const sn_dtype dtype = a->type.dtype;
  sni_type shape;
  if (!sni_expect_dtype(c, 0, a, SNI_DTYPES_FLOAT) ||
      !sni_check_pointwise(c, SNI_OP_ADD, types, 2, &shape))
    return &c->error_tensor;
  SNI_OPEN(c, options, source, o);
  shape.dtype = SN_F64;
  a = sni_broadcast_to(c, sni_convert(c, a, SN_F64), &shape);
  b = sni_broadcast_to(c, sni_convert(c, b, SN_F64), &shape);
  sn_tensor *x = sample(&source, SNI_OP_RANDOM_GAMMA, a, 1);
  sn_tensor *y = sample(&source, SNI_OP_RANDOM_GAMMA, b, 1);
  sn_tensor *part = sni_unary(c, SNI_OP_SIGMOID, sni_binary(c, SNI_OP_SUB, x, y));
  return sni_keep_only(c, c_first, sni_convert(c, part, dtype));
}
