// Casts from and to storage dtypes, made of the casts between compute dtypes and the one between a
// storage dtype and its own compute dtype.
//
// Invariant: the result is the exact value converted once, as runtime/scalar.c has it: floats to
// integers truncate and saturate, NaN gives 0; integers wrap; what becomes a float is rounded once,
// also where it passes through another format on its way (rounding to odd: the last bit tells that
// something was cut off, so that the second rounding sees what the first one did).
#include "passes/graph/widen.h"

static sn_dtype dtype_of(const sni_build *b, sni_node_id x) {
  return sni_build_type(b, x).dtype;
}

static sni_node_id bitcast(sni_build *b, sni_node_id x, sn_dtype dtype) {
  return dtype_of(b, x) == dtype
             ? x
             : sni_build_pointwise(b, SNI_OP_BITCAST, &x, 1, &(sni_type){.dtype = dtype});
}

sni_node_id sni_build_integer(sni_build *b, sn_dtype dtype, int64_t value) {
  const sni_type type = {.dtype = dtype};
  sni_node_id id = SNI_NO_NODE;
  int64_t data = 0;
  if (b->status) return id;
  sni_scalar_store((sni_scalar){dtype, {.i = value}}, &data, 0);
  b->status = sni_graph_add_constant(b->graph, &type, &data, b->location, &id);
  return b->status ? SNI_NO_NODE : id;
}

static sni_node_id with_integer(sni_build *b, sni_op op, sni_node_id x, int64_t value) {
  return sni_build_binary(b, op, x, sni_build_integer(b, dtype_of(b, x), value));
}

sni_node_id sni_widen(sni_build *b, sni_node_id x) {
  const sn_dtype dtype = dtype_of(b, x), compute = sni_compute_dtype(dtype);
  if (sni_is_compute(dtype)) return x;
  return sni_is_kernel_cast(dtype, compute) ? sni_build_cast(b, x, compute)
                                            : bitcast(b, x, compute);
}

sni_node_id sni_narrow(sni_build *b, sni_node_id x, sn_dtype dtype) {
  if (sni_is_compute(dtype)) return x;
  return sni_is_kernel_cast(dtype_of(b, x), dtype) ? sni_build_cast(b, x, dtype)
                                                   : bitcast(b, x, dtype);
}

sni_node_id sni_widen_integer(sni_build *b, sni_node_id x) {
  const bool is_u32 = dtype_of(b, x) == SN_U32;
  const sni_node_id y = sni_widen(b, x);
  return is_u32 ? with_integer(b, SNI_OP_AND, sni_build_cast(b, y, SN_I64), UINT32_MAX) : y;
}

sni_node_id sni_flip_sign(sni_build *b, sni_node_id x) {
  return with_integer(b, SNI_OP_XOR, x, sni_integer_least(dtype_of(b, x)));
}

// ---- to floats

// u64 bits to f32 or f64, rounded once: half of a number with its top bit set, the bit that is lost
// kept in the last one.
static sni_node_id unsigned_to_float(sni_build *b, sni_node_id bits, sn_dtype dtype) {
  const sni_node_id large = with_integer(b, SNI_OP_LT, bits, 0);
  const sni_node_id half = sni_build_binary(b, SNI_OP_OR, with_integer(b, SNI_OP_SHR, bits, 1),
                                            with_integer(b, SNI_OP_AND, bits, 1));
  const sni_node_id halved = sni_build_cast(b, half, dtype);
  return sni_build_select(b, large, sni_build_add(b, halved, halved),
                          sni_build_cast(b, bits, dtype));
}

// An f64 as an f32 with the last bit set where it is not exact.
static sni_node_id round_to_odd(sni_build *b, sni_node_id x) {
  const sni_node_id y = sni_build_cast(b, x, SN_F32), back = sni_build_cast(b, y, SN_F64);
  const sni_node_id bits = bitcast(b, y, SN_I32);
  const sni_node_id exact = sni_build_binary(b, SNI_OP_EQ, back, x);
  const sni_node_id odd = sni_build_cast(b, with_integer(b, SNI_OP_AND, bits, 1), SN_BOOL);
  const sni_node_id above = sni_build_binary(b, SNI_OP_LT, sni_build_unary(b, SNI_OP_ABS, x),
                                             sni_build_unary(b, SNI_OP_ABS, back));
  const sni_node_id step =
      sni_build_select(b, above, sni_build_integer(b, SN_I32, -1), sni_build_integer(b, SN_I32, 1));
  const sni_node_id moved = sni_build_add(b, bits, step);
  const sni_node_id done = sni_build_binary(b, SNI_OP_OR, exact, odd);
  return bitcast(b, sni_build_select(b, done, bits, moved), SN_F32);
}

// 64 bits to an f64 that a 16-bit float cannot tell from them: of what is 2^31 or more the last 16
// bits only say whether there is anything.
static sni_node_id squash(sni_build *b, sni_node_id x, bool is_unsigned) {
  const sni_node_id rest = sni_build_cast(b, with_integer(b, SNI_OP_AND, x, 0xffff), SN_BOOL);
  const sni_node_id sticky = sni_build_select(b, rest, sni_build_integer(b, SN_I64, 0x8000),
                                              sni_build_integer(b, SN_I64, 0));
  const sni_node_id cut =
      sni_build_binary(b, SNI_OP_OR, with_integer(b, SNI_OP_AND, x, ~(int64_t)0xffff), sticky);
  const sni_node_id low = sni_build_cast(b, sni_build_cast(b, x, SN_I32), SN_I64);
  const sni_node_id small = sni_build_binary(b, SNI_OP_EQ, low, x);
  const sni_node_id y = sni_build_select(b, small, x, cut);
  return is_unsigned ? unsigned_to_float(b, y, SN_F64) : sni_build_cast(b, y, SN_F64);
}

// x: in its compute dtype, u32 as i64, u64 as bits.
static sni_node_id to_half(sni_build *b, sni_node_id x, sn_dtype from, sn_dtype dtype) {
  const sn_dtype wide = dtype_of(b, x);
  const bool in_f32 = wide == SN_F32 || sni_dtype_infos[from].digits <= 24;
  if (in_f32 && wide != SN_F64) return sni_build_cast(b, sni_build_cast(b, x, SN_F32), dtype);
  if (wide == SN_I64) x = squash(b, x, from == SN_U64);
  return sni_build_cast(b, round_to_odd(b, sni_build_cast(b, x, SN_F64)), dtype);
}

static sni_node_id to_float(sni_build *b, sni_node_id x, sn_dtype from, sn_dtype dtype) {
  if (!sni_is_compute(dtype)) return to_half(b, x, from, dtype);
  return from == SN_U64 ? unsigned_to_float(b, x, dtype) : sni_build_cast(b, x, dtype);
}

// ---- to integers

// f32 or f64 to u64: what has the top bit is converted without it. NaN is not above and gives 0.
static sni_node_id float_to_u64(sni_build *b, sni_node_id x) {
  const sni_node_id y = sni_build_cast(b, x, SN_F64);
  const sni_node_id top = sni_build_scalar(b, SN_F64, 0x1p63);
  const sni_node_id above = sni_build_binary(b, SNI_OP_LE, top, y);
  const sni_node_id low =
      sni_build_cast(b, sni_build_binary(b, SNI_OP_MAX, y, sni_build_scalar(b, SN_F64, 0)), SN_I64);
  const sni_node_id high = sni_flip_sign(b, sni_build_cast(b, sni_build_sub(b, y, top), SN_I64));
  return bitcast(b, sni_build_select(b, above, high, low), SN_U64);
}

// Saturated to the dtype's ends in a float that has them.
static sni_node_id float_to_integer(sni_build *b, sni_node_id x, sn_dtype dtype) {
  if (dtype == SN_U64) return float_to_u64(b, x);
  const sn_dtype wide = dtype == SN_U32 ? SN_F64 : dtype_of(b, x);
  sni_node_id y = sni_build_cast(b, x, wide);
  y = sni_build_binary(b, SNI_OP_MAX, y,
                       sni_build_scalar(b, wide, (double)sni_integer_least(dtype)));
  y = sni_build_binary(b, SNI_OP_MIN, y,
                       sni_build_scalar(b, wide, (double)sni_integer_greatest(dtype)));
  if (dtype == SN_U32) y = sni_build_cast(b, y, SN_I64);
  return sni_narrow(b, sni_build_cast(b, y, sni_compute_dtype(dtype)), dtype);
}

static sni_node_id to_integer(sni_build *b, sni_node_id x, sn_dtype dtype) {
  if (!sni_is_float(dtype_of(b, x)))
    return sni_narrow(b, sni_build_cast(b, x, sni_compute_dtype(dtype)), dtype);
  return sni_is_compute(dtype) ? sni_build_cast(b, x, dtype) : float_to_integer(b, x, dtype);
}

sni_node_id sni_widen_cast(sni_build *b, sni_node_id x, sn_dtype dtype) {
  const sn_dtype from = dtype_of(b, x);
  if (from == dtype) return x;
  const sni_node_id y = sni_is_integer(from) ? sni_widen_integer(b, x) : sni_widen(b, x);
  if (dtype == SN_BOOL) return sni_build_cast(b, y, dtype);
  return sni_is_float(dtype) ? to_float(b, y, from, dtype) : to_integer(b, y, dtype);
}
