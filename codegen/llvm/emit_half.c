// Casts between f32 and the 16-bit floats, which are i16 here: by the CPU's own instructions where it has
// them (F16C), else by integer arithmetic, never by a call of a run-time library.
//
// Invariant: rounded to nearest, ties to even, once; the same bits either way, but for which NaN.
//
// To f16 (Giesen, "Float->half variants"): below the least normal number 0.5 is added, whose last bit
// is that of the result, so that the sum rounds; above, half of the last digit, less one bit where the
// digit before is even. From f16: its exponent and mantissa in the places of an f32's, times the
// difference of the two biases, which is exact for subnormal numbers too.
#include "codegen/llvm/emit.h"

static LLVMValueRef number(LLVMValueRef like, int64_t value) {
  return sni_ir_int(LLVMTypeOf(like), value);
}
static LLVMValueRef and_with(sni_emitter *e, LLVMValueRef a, int64_t value) {
  return LLVMBuildAnd(e->builder, a, number(a, value), "");
}
static LLVMValueRef plus(sni_emitter *e, LLVMValueRef a, int64_t value) {
  return LLVMBuildAdd(e->builder, a, number(a, value), "");
}
static LLVMValueRef left(sni_emitter *e, LLVMValueRef a, int64_t by) {
  return LLVMBuildShl(e->builder, a, number(a, by), "");
}
static LLVMValueRef right(sni_emitter *e, LLVMValueRef a, int64_t by) {
  return LLVMBuildLShr(e->builder, a, number(a, by), "");
}
static LLVMValueRef below(sni_emitter *e, LLVMValueRef a, int64_t value) {
  return LLVMBuildICmp(e->builder, LLVMIntSLT, a, number(a, value), "");
}
static LLVMValueRef as(sni_emitter *e, LLVMValueRef a, LLVMTypeRef element) {
  return LLVMBuildBitCast(e->builder, a, sni_ir_like(LLVMTypeOf(a), element), "");
}

// w: the 16 bits in an i32. Infinities and NaN get the exponent that says so.
static LLVMValueRef from_f16(sni_emitter *e, LLVMValueRef w) {
  LLVMValueRef shifted = left(e, and_with(e, w, 0x7fff), 13);
  LLVMValueRef real = as(e, shifted, e->type_f32);
  LLVMValueRef scale = sni_ir_float(LLVMTypeOf(real), 0x1p112);
  LLVMValueRef scaled = as(e, LLVMBuildFMul(e->builder, real, scale, ""), e->type_i32);
  LLVMValueRef special = LLVMBuildOr(e->builder, shifted, number(shifted, 0x7f800000), "");
  LLVMValueRef bits = sni_ir_select(e, below(e, shifted, 0x0f800000), scaled, special);
  LLVMValueRef sign = left(e, and_with(e, w, 0x8000), 16);
  return as(e, LLVMBuildOr(e->builder, bits, sign, ""), e->type_f32);
}

static LLVMValueRef to_f16(sni_emitter *e, LLVMValueRef bits) {
  LLVMValueRef size = and_with(e, bits, 0x7fffffff);
  LLVMValueRef sign = and_with(e, right(e, bits, 16), 0x8000);
  LLVMValueRef real = as(e, size, e->type_f32);
  LLVMValueRef sum = LLVMBuildFAdd(e->builder, real, sni_ir_float(LLVMTypeOf(real), 0.5), "");
  LLVMValueRef small = plus(e, as(e, sum, e->type_i32), -0x3f000000);
  LLVMValueRef odd = and_with(e, right(e, size, 13), 1);
  LLVMValueRef rounded = LLVMBuildAdd(e->builder, size, odd, "");
  LLVMValueRef usual = right(e, plus(e, rounded, 0xfff - (INT64_C(112) << 23)), 13);
  LLVMValueRef infinity = number(size, 0x7c00), nan = number(size, 0x7e00);
  LLVMValueRef special = sni_ir_select(e, below(e, size, 0x7f800001), infinity, nan);
  LLVMValueRef finite = sni_ir_select(e, below(e, size, 0x38800000), small, usual);
  LLVMValueRef result = sni_ir_select(e, below(e, size, 0x47800000), finite, special);
  return LLVMBuildOr(e->builder, result, sign, "");
}

static LLVMValueRef to_bf16(sni_emitter *e, LLVMValueRef a, LLVMValueRef bits) {
  LLVMValueRef upper = right(e, bits, 16);
  LLVMValueRef half = plus(e, and_with(e, upper, 1), 0x7fff);
  LLVMValueRef rounded = right(e, LLVMBuildAdd(e->builder, bits, half, ""), 16);
  LLVMValueRef nan = LLVMBuildOr(e->builder, upper, number(upper, 0x40), "");
  return sni_ir_select(e, LLVMBuildFCmp(e->builder, LLVMRealORD, a, a, ""), rounded, nan);
}

LLVMValueRef sni_emit_half_cast(sni_emitter *e, sn_dtype from, sn_dtype to, LLVMValueRef a) {
  LLVMTypeRef half = LLVMHalfTypeInContext(e->context);
  LLVMTypeRef i16 = sni_ir_like(LLVMTypeOf(a), e->type_i16),
              i32 = sni_ir_like(LLVMTypeOf(a), e->type_i32),
              f32 = sni_ir_like(LLVMTypeOf(a), e->type_f32);
  if (from == SN_F16 && e->f16c) return LLVMBuildFPExt(e->builder, as(e, a, half), f32, "");
  if (to == SN_F16 && e->f16c) {
    LLVMValueRef rounded = LLVMBuildFPTrunc(e->builder, a, sni_ir_like(i16, half), "");
    return as(e, rounded, e->type_i16);
  }
  if (to == SN_F32) {
    LLVMValueRef w = LLVMBuildZExt(e->builder, a, i32, "");
    return from == SN_F16 ? from_f16(e, w) : as(e, left(e, w, 16), e->type_f32);
  }
  LLVMValueRef bits = as(e, a, e->type_i32);
  LLVMValueRef w = to == SN_F16 ? to_f16(e, bits) : to_bf16(e, a, bits);
  return LLVMBuildTrunc(e->builder, w, i16, "");
}

LLVMValueRef sni_emit_widened(sni_emitter *e, sn_dtype from, sn_dtype to, LLVMValueRef a) {
  return sni_dtype_bytes(from) == sni_dtype_bytes(to) ? a : sni_emit_cast(e, from, to, a);
}
