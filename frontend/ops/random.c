// Where random words come from, and how they become uniform numbers.
//
// The context's generator is a variable, read and advanced like any variable, so that eager mode and traces draw
// from one stream. A program that was traced in a sibling uses the state of the context that it runs in (run.c).
//
// Bits become numbers as in TensorFlow's philox kernels (random_distributions.h), which take the lower bits of a
// word, or as in jax.random, which takes the upper ones.
#include "frontend/ops/random.h"

#include <string.h>

// ---- the generator
sn_tensor *sni_random_state(sn_context *c) {
  if (c->random_state) return c->random_state;
  const sni_type type = {.dtype = SN_I64, .rank = 1, .dims = {3}};
  const int64_t value[3] = {(int64_t)c->seed, 0, 0};
  c->random_state = sni_variable_new(c, &type, value, "random_state", false);
  if (!c->random_state) return &c->error_tensor;
  c->random_state->of_context = sni_random_state;
  return c->random_state;
}

static sn_tensor *numbers_i64(sn_context *c, const int64_t *values, int n) {
  return sni_constant(c, &(sni_type){.dtype = SN_I64, .rank = 1, .dims = {n}}, values);
}

static void set_state(sn_context *c, const sn_random_state *state) {
  const int64_t value[3] = {(int64_t)state->key, (int64_t)state->stream, (int64_t)state->counter};
  const uint32_t first = c->n_live;
  sni_assign(c, sni_random_state(c), numbers_i64(c, value, 3));
  sni_keep_only(c, first, NULL);
}

void sn_set_seed(sn_context *context, uint64_t seed) {
  SNI_ENTER(context, "sn_set_seed", );
  if (!context->random_state && !context->trace)
    context->seed = seed;
  else
    set_state(context, &(sn_random_state){.key = seed});
}

void sn_random_set_state(sn_context *context, sn_random_state state) {
  SNI_ENTER(context, "sn_random_set_state", );
  set_state(context, &state);
}

sn_status sn_random_get_state(sn_context *context, sn_random_state *out_state) {
  SNI_ENTER(context, "sn_random_get_state", context_refused);
  sni_buffer *buffer;
  char *data;
  if (!out_state) {
    sni_error(context, SN_ERR_ARGUMENT, "sn_random_get_state: out_state is NULL");
    return sni_finish(context);
  }
  *out_state = (sn_random_state){.key = context->seed};
  if (context->trace) {
    sni_error(context, SN_ERR_STATE, "sn_random_get_state: the state has no value while tracing");
    return sni_finish(context);
  }
  if (!context->random_state) return SN_OK;
  sni_tensor_snapshot(context->random_state, &buffer, &data);
  const uint64_t *value = (const uint64_t *)(const void *)data;
  *out_state = (sn_random_state){value[0], value[1], value[2]};
  sni_buffer_release(buffer);
  return SN_OK;
}

// ---- sources
sni_source sni_source_of_context(sn_context *c) {
  return (sni_source){.context = c, .state = sni_random_state(c), .algorithm = SNI_RANDOM_PHILOX};
}

static sn_tensor *join(sn_context *c, sn_tensor *const *parts, int n, int axis) {
  return sni_emit(c, SNI_OP_CONCAT, parts, n, &(sni_dim){axis}, 1, NULL);
}

// {key, counter}
static sn_tensor *key_state(sn_context *c, sn_tensor *key, sn_tensor *counter) {
  return join(c, (sn_tensor *const[]){sni_convert(c, key, SN_I64), counter}, 2, 0);
}

static bool check_key(sn_context *c, const char *what, const sn_tensor *key) {
  char text[SNI_TENSOR_NAME];
  const bool is_integer = SNI_DTYPES_INTEGER >> key->type.dtype & 1;
  if (is_integer && key->type.rank == 1 &&
      sni_dim_require(sni_context_dims(c), key->type.dims[0], 2) &&
      sni_dim_require_most(sni_context_dims(c), key->type.dims[0], 2))
    return true;
  sni_error(c, is_integer ? SN_ERR_SHAPE : SN_ERR_DTYPE, "%s: %s is %s, expected integers [2]",
            c->frame.op, what, sni_describe(key, text));
  return false;
}

bool sni_source_open(sn_context *c, const sn_random_options *options, sni_source *out_source,
                     sn_random_options *out_options) {
  static const sni_random_algorithm algorithms[] = {SNI_RANDOM_THREEFRY, SNI_RANDOM_PHILOX_TF,
                                                    SNI_RANDOM_PHILOX};
  sn_random_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
  *out_options = o;
  if ((unsigned)o.algorithm >= SNI_COUNT_OF(algorithms)) {
    sni_error(c, SN_ERR_ARGUMENT, "%s: .algorithm is %d, expected one of sn_random_algorithm",
              c->frame.op, (int)o.algorithm);
    return false;
  }
  if (!o.key) {
    *out_source = sni_source_of_context(c);
    return !sn_failed(out_source->state);
  }
  if (!sni_operand_ok(c, c->frame.op, 0, o.key) || !check_key(c, ".key", o.key)) return false;
  *out_source = (sni_source){.context = c,
                             .state = key_state(c, o.key, numbers_i64(c, (int64_t[]){0}, 1)),
                             .algorithm = algorithms[o.algorithm],
                             .keyed = true};
  return !sn_failed(out_source->state);
}

// {0, 0, blocks}
static sn_tensor *advance_of(sn_context *c, sni_dim blocks) {
  int64_t value;
  if (sni_dim_is_constant(sni_context_dims(c), blocks, &value))
    return numbers_i64(c, (int64_t[]){0, 0, value}, 3);
  const sni_type one = {.dtype = SN_I64, .rank = 1, .dims = {1}}, number = {.dtype = SN_I64};
  sn_tensor *count = sni_emit(c, SNI_OP_DIM_SIZE, NULL, 0, &blocks, 1, &number);
  sn_tensor *const parts[] = {numbers_i64(c, (int64_t[]){0, 0}, 2), sni_reshape_to(c, count, &one)};
  return join(c, parts, 2, 0);
}

sni_dim sni_source_blocks(const sni_source *source, sni_dim n, int each) {
  sni_dim_table *dims = sni_context_dims(source->context);
  if (source->algorithm == SNI_RANDOM_THREEFRY || each == 1) return n;
  return sni_dim_floor_div(dims, sni_dim_add_constant(dims, n, each - 1), each);
}

sn_tensor *sni_source_draw(sni_source *source, sni_op op, const sni_type *type, sn_tensor *b,
                           int flag, sni_dim blocks) {
  sn_context *c = source->context;
  const uint32_t first = c->n_live;
  if (source->keyed && source->drawn)
    source->state = sni_binary(c, SNI_OP_ADD, source->state, advance_of(c, source->blocks));
  sn_tensor *const operands[] = {source->state, b};
  const sni_dim attrs[] = {source->algorithm, flag};
  sn_tensor *y = sni_emit(c, op, operands, b ? 2 : 1, attrs, flag < 0 ? 1 : 2, type);
  source->drawn = true;
  source->blocks = blocks;
  if (source->keyed) return y;
  sn_tensor *after = sni_assign_op(c, SNI_OP_ADD, source->state, advance_of(c, blocks));
  return sni_keep_only(c, first, sn_failed(after) ? after : y);
}

sn_tensor *sni_source_words(sni_source *source, sn_dtype dtype, const sni_type *shape) {
  sni_type type = *shape;
  type.dtype = dtype;
  const sni_dim n = sni_type_size(sni_context_dims(source->context), &type);
  return sni_source_draw(source, SNI_OP_RANDOM_BITS, &type, NULL, -1,
                         sni_source_blocks(source, n, dtype == SN_I64 ? 2 : 4));
}

sn_tensor *sni_random_states(sn_context *c, sni_dim n) {
  sni_source source = sni_source_of_context(c);
  const sni_type line = {.dtype = SN_I64, .rank = 1, .dims = {n}};
  const sni_type column = {.dtype = SN_I64, .rank = 2, .dims = {n, 1}};
  const sni_type rest = {.dtype = SN_I64, .rank = 2, .dims = {n, 2}};
  sn_tensor *seeds = sni_source_words(&source, SN_I64, &line);
  sn_tensor *const parts[] = {sni_reshape_to(c, seeds, &column), sni_emit_full(c, &rest, 0)};
  return join(c, parts, 2, 1);
}

// ---- Threefry keys in words
sn_tensor *sni_source_halves(sn_context *c, sn_tensor *words) {
  if (sn_failed(words)) return words;
  sni_type column = words->type;
  const int axis = column.rank++;
  column.dims[axis] = 1;
  sn_tensor *const parts[] = {
      sni_reshape_to(c, sni_with_number(c, SNI_OP_SHR, words, 32), &column),
      sni_reshape_to(c, sni_with_number(c, SNI_OP_AND, words, 0xffffffff), &column)};
  return join(c, parts, 2, axis);
}

sni_source sni_source_of_word(sn_context *c, sn_tensor *words, int64_t i) {
  const sni_type pair = {.dtype = SN_I64, .rank = 1, .dims = {2}};
  sn_tensor *key = sni_reshape_to(c, sni_source_halves(c, sni_take(c, words, 0, i, 1)), &pair);
  return (sni_source){.context = c,
                      .state = key_state(c, key, numbers_i64(c, (int64_t[]){0}, 1)),
                      .algorithm = SNI_RANDOM_THREEFRY,
                      .keyed = true};
}

sn_tensor *(sn_random_key)(sn_context *context, uint64_t seed) {
  SNI_ENTER(context, "sn_random_key", sni_refused(context, context_refused));
  const uint32_t key[2] = {(uint32_t)(seed >> 32), (uint32_t)seed};
  return sni_constant(context, &(sni_type){.dtype = SN_U32, .rank = 1, .dims = {2}}, key);
}

sn_tensor *(sn_random_split)(sn_tensor *key, int64_t n) {
  SNI_BEGIN_COMPOSED(c, "sn_random_split", key);
  const sn_shape shape = {1, {n}};
  sni_type type;
  if (!check_key(c, "operand #0", key) || !sni_shape_type(c, SN_I64, &shape, &type))
    return &c->error_tensor;
  sni_source source = {.context = c,
                       .state = key_state(c, key, numbers_i64(c, (int64_t[]){0}, 1)),
                       .algorithm = SNI_RANDOM_THREEFRY,
                       .keyed = true};
  sn_tensor *keys = sni_source_halves(c, sni_source_words(&source, SN_I64, &type));
  return sni_keep_only(c, c_first, sni_convert(c, keys, SN_U32));
}

sn_tensor *(sn_random_fold_in)(sn_tensor *key, sn_tensor *number) {
  SNI_BEGIN_COMPOSED(c, "sn_random_fold_in", key, number);
  const sni_type one = {.dtype = SN_I64, .rank = 1, .dims = {1}};
  char text[SNI_TENSOR_NAME];
  if (!check_key(c, "operand #0", key) || !sni_expect_dtype(c, 1, number, SNI_DTYPES_INTEGER))
    return &c->error_tensor;
  if (number->type.rank)
    return sni_error(c, SN_ERR_SHAPE, "sn_random_fold_in: operand #1 is %s, expected a scalar",
                     sni_describe(number, text));
  sn_tensor *counter = sni_with_number(c, SNI_OP_AND, sni_convert(c, number, SN_I64), 0xffffffff);
  sni_source source = {.context = c,
                       .state = key_state(c, key, sni_reshape_to(c, counter, &one)),
                       .algorithm = SNI_RANDOM_THREEFRY,
                       .keyed = true};
  sn_tensor *word = sni_source_words(&source, SN_I64, &(sni_type){.dtype = SN_I64});
  return sni_keep_only(c, c_first, sni_convert(c, sni_source_halves(c, word), SN_U32));
}

// ---- uniform numbers: `digits` bits behind the point of a number in [1, 2), minus 1
static sn_tensor *from_mantissa(sn_context *c, sn_tensor *mantissa, double one, sn_dtype dtype) {
  sn_tensor *bits = sni_with_number(c, SNI_OP_OR, mantissa, one);
  bits = sni_emit_pointwise(c, SNI_OP_BITCAST, &bits, 1, &(sni_type){.dtype = dtype});
  return sni_with_number(c, SNI_OP_SUB, bits, 1);
}

static sn_tensor *uniform_f32(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  sn_tensor *words = sni_source_words(source, SN_I32, type);
  words = source->algorithm == SNI_RANDOM_THREEFRY
              ? sni_with_number(c, SNI_OP_SHR, words, 9)
              : sni_with_number(c, SNI_OP_AND, words, 0x7fffff);
  return from_mantissa(c, words, 0x3f800000, SN_F32);
}

// 52 bits: TensorFlow takes 20 of the first word above the 32 of the second.
static sn_tensor *uniform_f64(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  sn_tensor *words = sni_source_words(source, SN_I64, type), *mantissa;
  if (source->algorithm == SNI_RANDOM_THREEFRY) {
    mantissa = sni_with_number(c, SNI_OP_SHR, words, 12);
  } else {
    sn_tensor *upper = sni_with_number(c, SNI_OP_AND, words, 0xfffff);
    mantissa = sni_binary(c, SNI_OP_OR, sni_with_number(c, SNI_OP_SHL, upper, 32),
                          sni_with_number(c, SNI_OP_SHR, words, 32));
  }
  return from_mantissa(c, mantissa, 0x3ff0000000000000, SN_F64);
}

// The bits behind the point of a 16-bit float; of JAX's bf16 the upper ones of 8 bits.
static sn_tensor *uniform_half(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  const int digits = type->dtype == SN_BF16 ? 7 : 10, width = type->dtype == SN_BF16 ? 8 : 16;
  sn_tensor *words = sni_source_words(source, SN_I32, type);
  if (source->algorithm == SNI_RANDOM_THREEFRY)
    words = sni_with_number(c, SNI_OP_SHR, words, width - digits);
  words = sni_with_number(c, SNI_OP_AND, words, (1 << digits) - 1);
  sn_tensor *u = sni_with_number(c, SNI_OP_MUL, sni_convert(c, words, SN_F32), 1.0 / (1 << digits));
  return sni_convert(c, u, type->dtype);
}

sn_tensor *sni_source_uniform(sni_source *source, const sni_type *type) {
  if (sni_is_half(type->dtype)) return uniform_half(source, type);
  return type->dtype == SN_F32 ? uniform_f32(source, type) : uniform_f64(source, type);
}
