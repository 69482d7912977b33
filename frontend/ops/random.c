// Random numbers: a variable i64[2] {key, counter} of the context, read and advanced like any
// variable, so that eager mode and traces draw from one stream. A program that was traced in a
// sibling uses the state of the context that it runs in (run.c). One block of the generator (Philox
// 4x32-10) gives four 32-bit words; a draw of n elements takes whole blocks.
//
// Bits become numbers as in TensorFlow's philox kernels (random_distributions.h): mantissa bits
// under the exponent of [1, 2), minus 1; normal numbers by Box-Muller, sine first, u1 bounded below
// by 1e-7.
#include "frontend/ops/compose.h"

sn_tensor *sni_random_state(sn_context *c) {
  if (c->random_state) return c->random_state;
  sni_type type = {.dtype = SN_I64, .rank = 1, .dims = {2}};
  int64_t value[2];
  value[0] = (int64_t)c->seed;
  value[1] = 0;
  c->random_state = sni_variable_new(c, &type, value, "random_state", false);
  if (!c->random_state) return &c->error_tensor;
  c->random_state->is_random_state = true;
  return c->random_state;
}

void sn_set_seed(sn_context *context, uint64_t seed) {
  SNI_ENTER(context, "sn_set_seed", );
  if (!context->random_state && !context->trace) {
    context->seed = seed;
    return;
  }
  sni_type type = {.dtype = SN_I64, .rank = 1, .dims = {2}};
  int64_t value[2] = {(int64_t)seed, 0};
  const uint32_t first = context->n_live;
  sni_assign(context, sni_random_state(context), sni_constant(context, &type, value));
  sni_keep_only(context, first, NULL);
}

// i32 words of the given shape; the state moves on by the blocks that they take.
static sn_tensor *draw(sn_context *c, const sni_type *shape) {
  const uint32_t first = c->n_live;
  sni_dim_table *dims = sni_context_dims(c);
  sn_tensor *state = sni_random_state(c);
  sni_type words = *shape;
  words.dtype = SN_I32;
  sn_tensor *bits = sni_emit(c, SNI_OP_RANDOM_BITS, &state, 1, NULL, 0, &words);
  sni_dim blocks =
      sni_dim_floor_div(dims, sni_dim_add_constant(dims, sni_type_size(dims, &words), 3), 4);
  sni_type counter = {.dtype = SN_I64};
  int64_t value;
  sn_tensor *advance;
  if (sni_dim_is_constant(dims, blocks, &value)) {
    int64_t step[2] = {0, value};
    advance = sni_constant(c, &(sni_type){.dtype = SN_I64, .rank = 1, .dims = {2}}, step);
  } else {
    sn_tensor *count = sni_emit(c, SNI_OP_DIM_SIZE, NULL, 0, &blocks, 1, &counter);
    sn_tensor *second = sni_iota(c, &(sni_type){.dtype = SN_I64, .rank = 1, .dims = {2}}, 0);
    advance = sni_binary(c, SNI_OP_MUL, second, count);
  }
  sn_tensor *after = sni_assign_op(c, SNI_OP_ADD, state, advance);
  return sni_keep_only(c, first, sn_failed(after) ? after : bits);
}

static sn_tensor *reinterpret(sn_context *c, sn_tensor *x, sn_dtype dtype) {
  return sni_emit_pointwise(c, SNI_OP_BITCAST, &x, 1, &(sni_type){.dtype = dtype});
}

// u = (1.mantissa) - 1 of the upper 23 bits of each word.
static sn_tensor *uniform_f32(sn_context *c, const sni_type *shape) {
  sn_tensor *mantissa = sni_with_number(c, SNI_OP_SHR, draw(c, shape), 9);
  sn_tensor *bits = sni_with_number(c, SNI_OP_OR, mantissa, 0x3f800000);
  return sni_with_number(c, SNI_OP_SUB, reinterpret(c, bits, SN_F32), 1);
}

// The same of 52 bits: 20 of the first word above the 32 of the second.
static sn_tensor *uniform_f64(sn_context *c, sni_dim count) {
  sni_type pairs = {.rank = 2, .dims = {count, 2}},
           flat = {.dtype = SN_F64, .rank = 1, .dims = {count}};
  sn_tensor *words = sni_convert(c, draw(c, &pairs), SN_I64);
  sn_tensor *high = sni_with_number(c, SNI_OP_AND, sni_take(c, words, 1, 0, 1), 0xfffff);
  sn_tensor *low = sni_with_number(c, SNI_OP_AND, sni_take(c, words, 1, 1, 1), 0xffffffff);
  sn_tensor *mantissa = sni_binary(c, SNI_OP_OR, sni_with_number(c, SNI_OP_SHL, high, 32), low);
  sn_tensor *bits = sni_with_number(c, SNI_OP_OR, mantissa, 0x3ff0000000000000);
  sn_tensor *u = sni_with_number(c, SNI_OP_SUB, reinterpret(c, bits, SN_F64), 1);
  return sni_reshape_to(c, u, &flat);
}

// The upper bits of an f32's, so that none rounds up to 1.
static sn_tensor *uniform_half(sn_context *c, const sni_type *type) {
  const double steps = (double)(1 << sni_dtype_infos[type->dtype].digits);
  sn_tensor *u = sni_with_number(c, SNI_OP_MUL, uniform_f32(c, type), steps);
  u = sni_with_number(c, SNI_OP_MUL, sni_unary(c, SNI_OP_FLOOR, u), 1 / steps);
  return sni_convert(c, u, type->dtype);
}

static sn_tensor *uniform(sn_context *c, const sni_type *type) {
  const uint32_t first = c->n_live;
  if (sni_is_half(type->dtype)) return sni_keep_only(c, first, uniform_half(c, type));
  if (type->dtype == SN_F32) return sni_keep_only(c, first, uniform_f32(c, type));
  sn_tensor *u = uniform_f64(c, sni_type_size(sni_context_dims(c), type));
  return sni_keep_only(c, first, sni_reshape_to(c, u, type));
}

static sn_tensor *normal(sn_context *c, const sni_type *type) {
  if (sni_is_half(type->dtype)) {
    sni_type wide = *type;
    wide.dtype = SN_F32;
    return sni_convert(c, normal(c, &wide), type->dtype);
  }
  const double two_pi = 6.28318530717958647692, least = 1e-7;
  sni_dim_table *dims = sni_context_dims(c);
  sni_dim count = sni_type_size(dims, type);
  sni_dim half = sni_dim_floor_div(dims, sni_dim_add_constant(dims, count, 1), 2);
  sni_type pairs = {.dtype = type->dtype, .rank = 2, .dims = {half, 2}};
  sn_tensor *u = uniform(c, &pairs);
  sn_tensor *u1 = sni_with_number(c, SNI_OP_MAX, sni_take(c, u, 1, 0, 1), least);
  sn_tensor *log_u1 = sni_unary(c, SNI_OP_LOG, u1);
  sn_tensor *radius = sni_unary(c, SNI_OP_SQRT, sni_with_number(c, SNI_OP_MUL, log_u1, -2));
  sn_tensor *angle = sni_with_number(c, SNI_OP_MUL, sni_take(c, u, 1, 1, 1), two_pi);
  sn_tensor *parts[2] = {
      sni_binary(c, SNI_OP_MUL, sni_unary(c, SNI_OP_SIN, angle), radius),
      sni_binary(c, SNI_OP_MUL, sni_unary(c, SNI_OP_COS, angle), radius),
  };
  sn_tensor *both = sni_emit(c, SNI_OP_CONCAT, parts, 2, &(sni_dim){1}, 1, NULL);
  sni_type flat = {.dtype = type->dtype, .rank = 1, .dims = {sni_dim_mul_constant(dims, half, 2)}};
  both = sni_reshape_to(c, both, &flat);
  if (!sni_dim_equal(dims, flat.dims[0], count)) both = sni_take(c, both, 0, 0, count);
  return sni_reshape_to(c, both, type);
}

static sn_tensor *random_tensor(sn_context *c, const char *name, sn_dtype dtype,
                                const sn_shape *shape,
                                sn_tensor *(*make)(sn_context *, const sni_type *)) {
  SNI_ENTER(c, name, sni_refused(c, c_refused));
  const uint32_t first = c->n_live;
  sni_type type;
  if ((unsigned)dtype >= SN_DTYPE_COUNT || !sni_is_float(dtype))
    return sni_error(c, SN_ERR_DTYPE, "%s: dtype %s, expected a float", name,
                     (unsigned)dtype < SN_DTYPE_COUNT ? sn_dtype_name(dtype) : "unknown");
  if (!sni_shape_type(c, dtype, shape, &type)) return &c->error_tensor;
  return sni_keep_only(c, first, make(c, &type));
}

static sn_tensor *random_like(sn_context *c, const char *name, const sn_tensor *like,
                              sn_tensor *(*make)(sn_context *, const sni_type *)) {
  const uint32_t first = c->n_live;
  const sni_type type = like->type;
  if (sni_is_float(type.dtype)) return sni_keep_only(c, first, make(c, &type));
  return sni_error(c, SN_ERR_DTYPE, "%s: operand #0 is %s, expected a float", name,
                   sni_describe(like, (char[SNI_TENSOR_NAME]){0}));
}

sn_tensor *(sn_random_uniform_like)(sn_tensor *like) {
  SNI_BEGIN(c, "sn_random_uniform_like", like);
  return random_like(c, "sn_random_uniform_like", like, uniform);
}

sn_tensor *(sn_random_normal_like)(sn_tensor *like) {
  SNI_BEGIN(c, "sn_random_normal_like", like);
  return random_like(c, "sn_random_normal_like", like, normal);
}

sn_tensor *(sn_random_uniform)(sn_context *context, sn_dtype dtype, sn_shape shape) {
  return random_tensor(context, "sn_random_uniform", dtype, &shape, uniform);
}

sn_tensor *(sn_random_normal)(sn_context *context, sn_dtype dtype, sn_shape shape) {
  return random_tensor(context, "sn_random_normal", dtype, &shape, normal);
}
