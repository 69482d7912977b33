// Random numbers of a dtype and a shape: uniform, normal, exponential, integers.
//
// Normal numbers are Box-Muller's where words are Philox's, as in TensorFlow, and the error function's inverse where
// they are Threefry's, as in JAX.
#include "frontend/ops/random.h"

#include <math.h>

typedef sn_tensor *(*maker)(sni_source *source, const sni_type *type);

static sn_tensor *random_tensor(sn_context *c, const char *name, sn_dtype dtype,
                                const sn_shape *shape, const sn_random_options *options,
                                uint32_t dtypes, const char *expected, maker make) {
  SNI_ENTER(c, name, sni_refused(c, c_refused));
  const uint32_t first = c->n_live;
  sni_type type;
  sni_source source;
  sn_random_options o;
  if ((unsigned)dtype >= SN_DTYPE_COUNT || !(dtypes >> dtype & 1))
    return sni_error(c, SN_ERR_DTYPE, "%s: dtype %s, expected %s", name,
                     (unsigned)dtype < SN_DTYPE_COUNT ? sn_dtype_name(dtype) : "unknown", expected);
  if (!sni_shape_type(c, dtype, shape, &type) || !sni_source_open(c, options, &source, &o))
    return &c->error_tensor;
  return sni_keep_only(c, first, make(&source, &type));
}

static sn_tensor *random_like(sn_context *c, const char *name, const sn_tensor *like, maker make) {
  const uint32_t first = c->n_live;
  const sni_type type = like->type;
  char text[SNI_TENSOR_NAME];
  sni_source source = sni_source_of_context(c);
  if (sni_is_float(type.dtype)) return sni_keep_only(c, first, make(&source, &type));
  return sni_error(c, SN_ERR_DTYPE, "%s: operand #0 is %s, expected a float", name,
                   sni_describe(like, text));
}

// ---- normal numbers
// f64: pairs of uniform numbers become pairs of normal ones.
static sn_tensor *polar(sni_source *source, const sni_type *type) {
  const double two_pi = 6.28318530717958647692, least = 1e-7;
  sn_context *c = source->context;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim count = sni_type_size(dims, type);
  const sni_dim half = sni_dim_floor_div(dims, sni_dim_add_constant(dims, count, 1), 2);
  const sni_type pairs = {.dtype = SN_F64, .rank = 2, .dims = {half, 2}};
  sn_tensor *u = sni_source_uniform(source, &pairs);
  sn_tensor *u1 = sni_with_number(c, SNI_OP_MAX, sni_take(c, u, 1, 0, 1), least);
  sn_tensor *log_u1 = sni_unary(c, SNI_OP_LOG, u1);
  sn_tensor *radius = sni_unary(c, SNI_OP_SQRT, sni_with_number(c, SNI_OP_MUL, log_u1, -2));
  sn_tensor *angle = sni_with_number(c, SNI_OP_MUL, sni_take(c, u, 1, 1, 1), two_pi);
  sn_tensor *parts[2] = {
      sni_binary(c, SNI_OP_MUL, sni_unary(c, SNI_OP_SIN, angle), radius),
      sni_binary(c, SNI_OP_MUL, sni_unary(c, SNI_OP_COS, angle), radius),
  };
  sn_tensor *both = sni_emit(c, SNI_OP_CONCAT, parts, 2, &(sni_dim){1}, 1, NULL);
  const sni_type flat = {.dtype = SN_F64, .rank = 1, .dims = {sni_dim_mul_constant(dims, half, 2)}};
  both = sni_reshape_to(c, both, &flat);
  if (!sni_dim_equal(dims, flat.dims[0], count)) both = sni_take(c, both, 0, 0, count);
  return sni_reshape_to(c, both, type);
}

// What precedes `one` away from zero's side: the least number above -1 and below 1.
static double below_one(sn_dtype dtype) {
  return 1 - ldexp(1, -sni_dtype_infos[dtype].digits);
}

// sqrt 2 times the inverse error function of a uniform number in (low, high), in type's dtype.
static sn_tensor *by_inverse(sni_source *source, const sni_type *type, double low, double width) {
  sn_context *c = source->context;
  sn_tensor *u = sni_with_number(c, SNI_OP_MUL, sni_source_uniform(source, type), width);
  u = sni_with_number(c, SNI_OP_MAX, sni_with_number(c, SNI_OP_ADD, u, low), low);
  return sni_with_number(c, SNI_OP_MUL, sni_unary(c, SNI_OP_ERFINV, u), 1.41421356237309504880);
}

static sn_tensor *normal(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  if (source->algorithm == SNI_RANDOM_THREEFRY)
    return by_inverse(source, type, -below_one(type->dtype), 2);
  if (type->dtype == SN_F64) return polar(source, type);
  sni_type wide = *type;
  wide.dtype = SN_F32;
  const sni_dim n = sni_type_size(sni_context_dims(c), type);
  sn_tensor *z = sni_source_draw(source, SNI_OP_RANDOM_NORMAL, &wide, NULL, -1,
                                 sni_source_blocks(source, n, 4));
  return type->dtype == SN_F32 ? z : sni_convert(c, z, type->dtype);
}

// ---- truncated ones
static sn_tensor *truncated_by_inverse(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  const bool wide = type->dtype == SN_F64;
  double end = erf(1.41421356237309504880), most = nextafter(2, 0);
  if (!wide) {
    end = (double)(float)end;
    most = (double)nextafterf(2, 0);
  }
  sn_tensor *z = by_inverse(source, type, -end, 2 * end);
  return sni_with_number(c, SNI_OP_MIN, sni_with_number(c, SNI_OP_MAX, z, -most), most);
}

static sn_tensor *truncated(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  sni_dim_table *dims = sni_context_dims(c);
  sni_type wide = *type;
  if (sni_is_half(type->dtype)) wide.dtype = SN_F32;
  sn_tensor *z;
  if (source->algorithm == SNI_RANDOM_THREEFRY) {
    z = truncated_by_inverse(source, &wide);
  } else {
    const int each = wide.dtype == SN_F64 ? 2 : 4;
    const sni_dim groups = sni_source_blocks(source, sni_type_size(dims, type), each);
    z = sni_source_draw(source, SNI_OP_RANDOM_TRUNCATED_NORMAL, &wide, NULL, -1,
                        sni_dim_mul_constant(dims, groups, 64 * each));
  }
  return wide.dtype == type->dtype ? z : sni_convert(c, z, type->dtype);
}

static sn_tensor *exponential(sni_source *source, const sni_type *type) {
  sn_context *c = source->context;
  sn_tensor *u = sni_source_uniform(source, type);
  u = sni_unary(c, SNI_OP_LOG1P, sni_unary(c, SNI_OP_NEG, u));
  return sni_unary(c, SNI_OP_NEG, u);
}

// ---- integers
// Words as unsigned numbers of 32 bits, or of 64.
static sn_tensor *unsigned_words(sni_source *source, const sni_type *shape, bool wide) {
  sn_tensor *words = sni_source_words(source, wide ? SN_I64 : SN_I32, shape);
  return sni_convert(source->context, words, wide ? SN_U64 : SN_U32);
}

static bool is_wide(const sni_type *type) {
  return sn_dtype_size(type->dtype) == 8;
}

static sn_tensor *bits(sni_source *source, const sni_type *type) {
  return sni_convert(source->context, unsigned_words(source, type, is_wide(type)), type->dtype);
}

// A scalar of an integer dtype, exactly.
static sn_tensor *exact(sn_context *c, sn_dtype dtype, uint64_t value) {
  return sni_constant(c, &(sni_type){.dtype = dtype}, &value);  // little-endian, as all we run on
}

// x mod divisor of unsigned numbers; a divisor of 0 is 2 to their width.
static sn_tensor *remainder_of(sn_context *c, sn_tensor *x, uint64_t divisor) {
  if (!divisor || sn_failed(x)) return x;
  return sni_binary(c, SNI_OP_REM, x, exact(c, x->type.dtype, divisor));
}

// jax.random.randint: words of two keys, (high 2^w + low) mod range, by the rules of a remainder.
static sn_tensor *below_of_jax(sni_source *source, const sni_type *type, uint64_t range) {
  sn_context *c = source->context;
  const bool wide = is_wide(type);
  const sni_type two = {.dtype = SN_I64, .rank = 1, .dims = {2}};
  sn_tensor *keys = sni_source_words(source, SN_I64, &two);
  sni_source first = sni_source_of_word(c, keys, 0), second = sni_source_of_word(c, keys, 1);
  sn_tensor *low = remainder_of(c, unsigned_words(&second, type, wide), range);
  if (!range || sn_failed(low)) return low;
  uint64_t step = ((uint64_t)1 << (wide ? 32 : 16)) % range;
  step = (wide ? step * step : (uint32_t)(step * step)) % range;
  sn_tensor *high = remainder_of(c, unsigned_words(&first, type, wide), range);
  if (sn_failed(high)) return high;
  high = sni_binary(c, SNI_OP_MUL, high, exact(c, high->type.dtype, step));
  return remainder_of(c, sni_binary(c, SNI_OP_ADD, high, low), range);
}

// TensorFlow's: a word, or two, modulo the range.
static sn_tensor *below_of_tensorflow(sni_source *source, const sni_type *type, uint64_t range) {
  return remainder_of(source->context, unsigned_words(source, type, is_wide(type)), range);
}

static sn_tensor *below_exactly(sni_source *source, const sni_type *type, uint64_t range) {
  sni_type wide = *type;
  wide.dtype = SN_I64;
  const sni_dim n = sni_type_size(sni_context_dims(source->context), type);
  return sni_source_draw(source, SNI_OP_RANDOM_INTEGERS, &wide,
                         exact(source->context, SN_I64, range), -1,
                         sni_source_blocks(source, n, 2));
}

static sn_tensor *integers(sni_source *source, const sni_type *type, int64_t low, uint64_t range) {
  sn_context *c = source->context;
  const uint64_t modulus = is_wide(type) ? range : (uint32_t)range;
  sn_tensor *y = !source->keyed ? below_exactly(source, type, range)
                 : source->algorithm == SNI_RANDOM_THREEFRY
                     ? below_of_jax(source, type, modulus)
                     : below_of_tensorflow(source, type, modulus);
  y = sni_convert(c, y, type->dtype);
  return low ? sni_binary(c, SNI_OP_ADD, y, exact(c, type->dtype, (uint64_t)low)) : y;
}

// Whether first and last are numbers of the dtype, in this order.
static bool check_range(sn_context *c, sn_dtype dtype, int64_t low, int64_t high, bool endpoint) {
  const bool is_u64 = dtype == SN_U64;
  const uint64_t flip = is_u64 ? 0 : (uint64_t)1 << 63;
  const bool ordered = endpoint ? ((uint64_t)low ^ flip) <= ((uint64_t)high ^ flip)
                                : ((uint64_t)low ^ flip) < ((uint64_t)high ^ flip);
  const int64_t last = endpoint || !ordered ? high : high - 1;
  const sni_dtype_info *info = &sni_dtype_infos[dtype];
  const int64_t greatest = sni_integer_greatest(dtype);
  const int64_t least = info->kind == SNI_KIND_SIGNED ? -greatest - 1 : 0;
  if (ordered && (is_u64 || (low >= least && last <= greatest))) return true;
  if (is_u64)
    sni_error(c, SN_ERR_ARGUMENT, "%s: no number in [%llu, %llu%c", c->frame.op,
              (unsigned long long)low, (unsigned long long)high, endpoint ? ']' : ')');
  else if (!ordered)
    sni_error(c, SN_ERR_ARGUMENT, "%s: no number in [%lld, %lld%c", c->frame.op, (long long)low,
              (long long)high, endpoint ? ']' : ')');
  else
    sni_error(c, SN_ERR_ARGUMENT, "%s: [%lld, %lld%c has numbers that are no %s", c->frame.op,
              (long long)low, (long long)high, endpoint ? ']' : ')', sn_dtype_name(dtype));
  return false;
}

sn_tensor *sn_random_integers_opts(sn_context *context, sn_dtype dtype, sn_shape shape, int64_t low,
                                   int64_t high, const sn_random_options *options) {
  SNI_ENTER(context, "sn_random_integers", sni_refused(context, context_refused));
  const uint32_t first = context->n_live;
  sni_type type;
  sni_source source;
  sn_random_options o;
  if ((unsigned)dtype >= SN_DTYPE_COUNT || !(SNI_DTYPES_INTEGER >> dtype & 1))
    return sni_error(context, SN_ERR_DTYPE, "sn_random_integers: dtype %s, expected an integer",
                     (unsigned)dtype < SN_DTYPE_COUNT ? sn_dtype_name(dtype) : "unknown");
  if (!sni_shape_type(context, dtype, &shape, &type) ||
      !sni_source_open(context, options, &source, &o) ||
      !check_range(context, dtype, low, high, o.endpoint))
    return &context->error_tensor;
  const uint64_t range = (uint64_t)high - (uint64_t)low + (o.endpoint ? 1 : 0);
  return sni_keep_only(context, first, integers(&source, &type, low, range));
}

// ---- the public ops
#define SNI_MAKE(name, dtypes, expected, make)                                            \
  sn_tensor *name##_opts(sn_context *context, sn_dtype dtype, sn_shape shape,             \
                         const sn_random_options *options) {                              \
    return random_tensor(context, #name, dtype, &shape, options, dtypes, expected, make); \
  }
SNI_MAKE(sn_random_uniform, SNI_DTYPES_FLOAT, "a float", sni_source_uniform)
SNI_MAKE(sn_random_normal, SNI_DTYPES_FLOAT, "a float", normal)
SNI_MAKE(sn_random_truncated_normal, SNI_DTYPES_FLOAT, "a float", truncated)
SNI_MAKE(sn_random_exponential, SNI_DTYPES_FLOAT, "a float", exponential)
SNI_MAKE(sn_random_bits, SNI_DTYPES_INTEGER, "an integer", bits)
#undef SNI_MAKE

sn_tensor *(sn_random_uniform_like)(sn_tensor *like) {
  SNI_BEGIN(c, "sn_random_uniform_like", like);
  return random_like(c, "sn_random_uniform_like", like, sni_source_uniform);
}

sn_tensor *(sn_random_normal_like)(sn_tensor *like) {
  SNI_BEGIN(c, "sn_random_normal_like", like);
  return random_like(c, "sn_random_normal_like", like, normal);
}
