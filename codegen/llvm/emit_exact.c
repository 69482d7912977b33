// Operations that take several instructions to be exact: integer division, fmod, ldexp and
// conversions.
//
// Invariant: no instruction here sees an operand for which LLVM leaves its result undefined, in any
// lane, also in lanes outside the domain (which hold whatever a masked load leaves: zeros).
#include "codegen/llvm/emit.h"

#include <math.h>

static LLVMValueRef unary(sni_emitter *e, const char *name, LLVMValueRef a) {
  LLVMTypeRef type = LLVMTypeOf(a);
  return sni_ir_intrinsic(e, name, &type, 1, &a, 1);
}

// ---- integers: x / 0 = 0, MIN / -1 = MIN, x % 0 = 0, MIN % -1 = 0. Those divisors are replaced
// by 1. Vectors of i32 divide in f64: |a| < 2^31 and 1 / |b| > 2^-31 keep the quotient further than
// 2^-52 |a / b| away from the next integer.
static LLVMValueRef quotient(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  LLVMTypeRef type = LLVMTypeOf(a);
  const bool narrow = LLVMGetIntTypeWidth(sni_ir_element(type)) == 32 && sni_ir_width(type) > 1;
  if (!narrow) return LLVMBuildSDiv(e->builder, a, b, "");
  LLVMTypeRef wide = sni_ir_like(type, e->type_f64);
  LLVMValueRef real = LLVMBuildFDiv(e->builder, LLVMBuildSIToFP(e->builder, a, wide, ""),
                                    LLVMBuildSIToFP(e->builder, b, wide, ""), "");
  return LLVMBuildFPToSI(e->builder, real, type, "");
}

// Of a divisor that is known, in all lanes: shifts and multiplications take its place.
static bool is_never(LLVMValueRef condition) {
  return LLVMIsConstant(condition) && LLVMIsNull(condition);
}

LLVMValueRef sni_emit_int_divide(sni_emitter *e, bool remainder, LLVMValueRef a, LLVMValueRef b) {
  LLVMTypeRef type = LLVMTypeOf(a);
  const unsigned bits = LLVMGetIntTypeWidth(sni_ir_element(type));
  LLVMValueRef zero = LLVMConstNull(type),
               least = sni_ir_int(type, bits == 32 ? INT32_MIN : INT64_MIN);
  LLVMValueRef by_zero = LLVMBuildICmp(e->builder, LLVMIntEQ, b, zero, "");
  LLVMValueRef by_minus_one = LLVMBuildICmp(e->builder, LLVMIntEQ, b, sni_ir_int(type, -1), "");
  const bool safe = is_never(by_zero) && is_never(by_minus_one);
  LLVMValueRef divisor = b;
  if (!safe) {
    LLVMValueRef overflow = LLVMBuildAnd(
        e->builder, LLVMBuildICmp(e->builder, LLVMIntEQ, a, least, ""), by_minus_one, "");
    LLVMValueRef unsafe = LLVMBuildOr(e->builder, by_zero, overflow, "");
    divisor = sni_ir_select(e, unsafe, sni_ir_int(type, 1), b);
  }
  LLVMValueRef result = quotient(e, a, divisor);
  if (!remainder) return safe ? result : sni_ir_select(e, by_zero, zero, result);
  return LLVMBuildSub(e->builder, a, LLVMBuildMul(e->builder, result, divisor, ""), "");
}

// ---- ldexp
static LLVMValueRef scalef_name_call(sni_emitter *e, const char *name, LLVMValueRef a,
                                     LLVMValueRef b, unsigned mask_bits, bool rounding) {
  LLVMTypeRef mask_type = LLVMIntTypeInContext(e->context, mask_bits);
  LLVMValueRef arguments[5] = {a, b, a, LLVMConstAllOnes(mask_type),
                               LLVMConstInt(e->type_i32, 4, false)};  // the current rounding mode
  return sni_ir_intrinsic(e, name, NULL, 0, arguments, rounding ? 5 : 4);
}

static LLVMValueRef scalef_scalar(sni_emitter *e, bool single, LLVMValueRef a, LLVMValueRef b) {
  LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(a), single ? 4 : 2);
  LLVMValueRef zero = LLVMConstInt(e->type_i32, 0, false);
  LLVMValueRef va = LLVMBuildInsertElement(e->builder, LLVMConstNull(type), a, zero, "");
  LLVMValueRef vb = LLVMBuildInsertElement(e->builder, LLVMConstNull(type), b, zero, "");
  LLVMValueRef result = scalef_name_call(
      e, single ? "llvm.x86.avx512.mask.scalef.ss" : "llvm.x86.avx512.mask.scalef.sd", va, vb, 8,
      true);
  return LLVMBuildExtractElement(e->builder, result, zero, "");
}

// vscalef: a * 2^b, rounded once. NULL: no such instruction for this width.
static LLVMValueRef scalef(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  const unsigned width = sni_ir_width(LLVMTypeOf(a));
  const bool single = sni_ir_element(LLVMTypeOf(a)) == e->type_f32;
  if (!e->avx512) return NULL;
  if (width == 1) return scalef_scalar(e, single, a, b);
  const unsigned bits = width * (single ? 32 : 64);
  if (bits > (unsigned)e->vector_bits) {
    LLVMValueRef low =
        scalef(e, sni_ir_slice(e, a, 0, width / 2), sni_ir_slice(e, b, 0, width / 2));
    LLVMValueRef high = scalef(e, sni_ir_slice(e, a, width / 2, width / 2),
                               sni_ir_slice(e, b, width / 2, width / 2));
    return low && high ? sni_ir_concat(e, low, high) : NULL;
  }
  if (bits == 512)
    return scalef_name_call(
        e, single ? "llvm.x86.avx512.mask.scalef.ps.512" : "llvm.x86.avx512.mask.scalef.pd.512", a,
        b, single ? 16 : 8, true);
  if (bits < 128 || !e->avx512vl) return NULL;
  const char *name =
      bits == 256
          ? (single ? "llvm.x86.avx512.mask.scalef.ps.256" : "llvm.x86.avx512.mask.scalef.pd.256")
          : (single ? "llvm.x86.avx512.mask.scalef.ps.128" : "llvm.x86.avx512.mask.scalef.pd.128");
  return scalef_name_call(e, name, a, b, 8, false);
}

typedef struct float_format {
  LLVMTypeRef type, integer;
  int mantissa;  // explicit bits
  double max_exponent, min_exponent, step_down;
  // 1.5 * 2^mantissa + bias: its sum with an integer holds it, biased, in the low bits
  double magic;
} float_format;

static float_format format_of(const sni_emitter *e, LLVMTypeRef type) {
  const bool single = sni_ir_element(type) == e->type_f32;
  return single ? (float_format){type,
                                 sni_ir_like(type, e->type_i32),
                                 23,
                                 127,
                                 -126,
                                 -102,
                                 12582912.0 + 127}
                : (float_format){type, sni_ir_like(type, e->type_i64), 52, 1023, -1022,
                                 -969, 6755399441055744.0 + 1023};
}

// 2^b for integer-valued b in [min_exponent, max_exponent].
static LLVMValueRef power_of_two(sni_emitter *e, const float_format *f, LLVMValueRef b) {
  LLVMValueRef biased = LLVMBuildFAdd(e->builder, b, sni_ir_float(f->type, f->magic), "");
  LLVMValueRef bits = LLVMBuildBitCast(e->builder, biased, f->integer, "");
  bits = LLVMBuildShl(e->builder, bits, sni_ir_int(f->integer, f->mantissa), "");
  return LLVMBuildBitCast(e->builder, bits, f->type, "");
}

// Two steps of at most 2^max_exponent up or 2^step_down down, then the rest. step_down leaves a
// result that is not subnormal after the first steps unless the whole is too small to round to
// anything but zero, so one rounding counts (musl's scalbn).
static LLVMValueRef ldexp_by_products(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  const float_format f = format_of(e, LLVMTypeOf(a));
  LLVMValueRef greatest = sni_ir_float(f.type, f.max_exponent),
               least = sni_ir_float(f.type, f.min_exponent);
  LLVMValueRef zero = sni_ir_float(f.type, 0);
  for (int step = 0; step < 2; step++) {
    LLVMValueRef above = LLVMBuildFCmp(e->builder, LLVMRealOGT, b, greatest, "");
    LLVMValueRef below = LLVMBuildFCmp(e->builder, LLVMRealOLT, b, least, "");
    LLVMValueRef move = sni_ir_select(
        e, above, greatest, sni_ir_select(e, below, sni_ir_float(f.type, f.step_down), zero));
    LLVMValueRef factor =
        sni_ir_select(e, above, sni_ir_float(f.type, ldexp(1, (int)f.max_exponent)),
                      sni_ir_select(e, below, sni_ir_float(f.type, ldexp(1, (int)f.step_down)),
                                    sni_ir_float(f.type, 1)));
    a = LLVMBuildFMul(e->builder, a, factor, "");
    b = LLVMBuildFSub(e->builder, b, move, "");
  }
  b = sni_ir_select(e, LLVMBuildFCmp(e->builder, LLVMRealOGT, b, greatest, ""), greatest, b);
  b = sni_ir_select(e, LLVMBuildFCmp(e->builder, LLVMRealOGT, b, least, ""), b, least);
  return LLVMBuildFMul(e->builder, a, power_of_two(e, &f, b), "");
}

LLVMValueRef sni_emit_ldexp(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  LLVMValueRef scaled = scalef(e, a, b);
  return scaled ? scaled : ldexp_by_products(e, a, b);
}

// ---- fmod: long division with digits of up to 53 bits. While r >= y: with Y = y 2^k, r / Y in [1,
// 2^53), q = trunc(r / Y) is right or one too large, and r - q Y is a multiple of y's last place
// less than Y in size: the fma is exact. f32 goes through f64.
static LLVMValueRef exponent_of(sni_emitter *e, LLVMValueRef value) {
  LLVMTypeRef integer = sni_ir_like(LLVMTypeOf(value), e->type_i64);
  LLVMValueRef bits = LLVMBuildBitCast(e->builder, value, integer, "");
  return LLVMBuildLShr(e->builder, bits, sni_ir_int(integer, 52), "");
}

// Biased exponent of y > 0, below 1 for a subnormal.
static LLVMValueRef true_exponent(sni_emitter *e, LLVMValueRef y) {
  LLVMTypeRef type = LLVMTypeOf(y), integer = sni_ir_like(type, e->type_i64);
  LLVMValueRef scaled = LLVMBuildFMul(e->builder, y, sni_ir_float(type, 0x1p54), "");
  LLVMValueRef small = LLVMBuildFCmp(e->builder, LLVMRealOLT, y, sni_ir_float(type, 0x1p-1022), "");
  LLVMValueRef low = LLVMBuildSub(e->builder, exponent_of(e, scaled), sni_ir_int(integer, 54), "");
  return sni_ir_select(e, small, low, exponent_of(e, y));
}

// 2^k for k in [0, 1023]
static LLVMValueRef power_from_int(sni_emitter *e, LLVMValueRef k, LLVMTypeRef type) {
  LLVMTypeRef integer = LLVMTypeOf(k);
  LLVMValueRef biased = LLVMBuildAdd(e->builder, k, sni_ir_int(integer, 1023), "");
  return LLVMBuildBitCast(e->builder, LLVMBuildShl(e->builder, biased, sni_ir_int(integer, 52), ""),
                          type, "");
}

static LLVMValueRef fmod_step(sni_emitter *e, LLVMValueRef r, LLVMValueRef y,
                              LLVMValueRef y_exponent) {
  LLVMTypeRef type = LLVMTypeOf(r), integer = LLVMTypeOf(y_exponent);
  LLVMValueRef k =
      LLVMBuildSub(e->builder, LLVMBuildSub(e->builder, true_exponent(e, r), y_exponent, ""),
                   sni_ir_int(integer, 52), "");
  k = sni_ir_select(e, LLVMBuildICmp(e->builder, LLVMIntSGT, k, LLVMConstNull(integer), ""), k,
                    LLVMConstNull(integer));
  LLVMValueRef half = LLVMBuildLShr(e->builder, k, sni_ir_int(integer, 1), "");
  LLVMValueRef rest = LLVMBuildSub(e->builder, k, half, "");
  LLVMValueRef scaled = LLVMBuildFMul(e->builder, y, power_from_int(e, half, type), "");
  scaled = LLVMBuildFMul(e->builder, scaled, power_from_int(e, rest, type), "");
  LLVMValueRef q = unary(e, "llvm.trunc", LLVMBuildFDiv(e->builder, r, scaled, ""));
  LLVMValueRef arguments[3] = {LLVMBuildFNeg(e->builder, q, ""), scaled, r};
  LLVMValueRef next = sni_ir_intrinsic(e, "llvm.fma", &type, 1, arguments, 3);
  LLVMValueRef negative = LLVMBuildFCmp(e->builder, LLVMRealOLT, next, sni_ir_float(type, 0), "");
  next = sni_ir_select(e, negative, LLVMBuildFAdd(e->builder, next, scaled, ""), next);
  return sni_ir_select(e, LLVMBuildFCmp(e->builder, LLVMRealOGE, r, y, ""), next, r);
}

static LLVMValueRef fmod_f64(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  LLVMTypeRef type = LLVMTypeOf(a);
  LLVMValueRef x = unary(e, "llvm.fabs", a), y = unary(e, "llvm.fabs", b);
  LLVMValueRef finite = LLVMBuildFCmp(e->builder, LLVMRealOLT, x, sni_ir_float(type, INFINITY), "");
  LLVMValueRef valid = LLVMBuildAnd(
      e->builder, finite, LLVMBuildFCmp(e->builder, LLVMRealOGT, y, sni_ir_float(type, 0), ""), "");
  x = sni_ir_select(e, valid, x, sni_ir_float(type, 0));
  y = sni_ir_select(e, valid, y, sni_ir_float(type, 1));
  LLVMValueRef y_exponent = true_exponent(e, y);

  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
  LLVMBasicBlockRef head = sni_ir_block(e, "fmod"), body = sni_ir_block(e, "digit"),
                    after = sni_ir_block(e, "after");
  LLVMBuildBr(e->builder, head);
  LLVMPositionBuilderAtEnd(e->builder, head);
  LLVMValueRef r = LLVMBuildPhi(e->builder, type, "");
  LLVMValueRef more = sni_ir_any(e, LLVMBuildFCmp(e->builder, LLVMRealOGE, r, y, ""));
  LLVMBuildCondBr(e->builder, more, body, after);
  LLVMPositionBuilderAtEnd(e->builder, body);
  LLVMValueRef next = fmod_step(e, r, y, y_exponent);
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, head);
  LLVMAddIncoming(r, &x, &before, 1);
  LLVMAddIncoming(r, &next, &latch, 1);
  LLVMPositionBuilderAtEnd(e->builder, after);

  LLVMValueRef arguments[2] = {r, a};
  LLVMValueRef result = sni_ir_intrinsic(e, "llvm.copysign", &type, 1, arguments, 2);
  return sni_ir_select(e, valid, result, sni_ir_float(type, NAN));
}

LLVMValueRef sni_emit_fmod(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  LLVMTypeRef type = LLVMTypeOf(a);
  if (sni_ir_element(type) == e->type_f64) return fmod_f64(e, a, b);
  LLVMTypeRef wide = sni_ir_like(type, e->type_f64);
  LLVMValueRef result =
      fmod_f64(e, LLVMBuildFPExt(e->builder, a, wide, ""), LLVMBuildFPExt(e->builder, b, wide, ""));
  return LLVMBuildFPTrunc(e->builder, result, type, "");
}

// ---- conversions
// Truncates, saturates, NaN gives 0. -2^(n-1) and 2^(n-1) are exact in both formats; what truncates
// to -2^(n-1) is clamped to it.
static LLVMValueRef float_to_int(sni_emitter *e, LLVMValueRef a, LLVMTypeRef type) {
  LLVMTypeRef source = LLVMTypeOf(a);
  const bool narrow = LLVMGetIntTypeWidth(sni_ir_element(type)) == 32;
  LLVMValueRef low = sni_ir_float(source, narrow ? -0x1p31 : -0x1p63);
  LLVMValueRef end = sni_ir_float(source, narrow ? 0x1p31 : 0x1p63);
  LLVMValueRef inside =
      sni_ir_select(e, LLVMBuildFCmp(e->builder, LLVMRealOGT, a, low, ""), a, low);
  LLVMValueRef below = LLVMBuildFCmp(e->builder, LLVMRealOLT, inside, end, "");
  LLVMValueRef value = LLVMBuildFPToSI(e->builder, sni_ir_select(e, below, inside, low), type, "");
  value = sni_ir_select(e, below, value, sni_ir_int(type, narrow ? INT32_MAX : INT64_MAX));
  LLVMValueRef nan = LLVMBuildFCmp(e->builder, LLVMRealUNO, a, a, "");
  return sni_ir_select(e, nan, LLVMConstNull(type), value);
}

LLVMValueRef sni_emit_cast(sni_emitter *e, sn_dtype from, sn_dtype to, LLVMValueRef a) {
  const LLVMBuilderRef builder = e->builder;
  const bool from_float = sni_is_float(from), to_float = sni_is_float(to);
  LLVMTypeRef type = sni_ir_like(LLVMTypeOf(a), sni_ir_type(e, to));
  if (from == to) return a;
  if (sni_is_half(from) || sni_is_half(to)) return sni_emit_half_cast(e, from, to, a);
  if (to == SN_BOOL) {
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(a));
    return from_float ? LLVMBuildFCmp(builder, LLVMRealUNE, a, zero, "")
                      : LLVMBuildICmp(builder, LLVMIntNE, a, zero, "");
  }
  if (from_float && to_float)
    return to == SN_F64 ? LLVMBuildFPExt(builder, a, type, "")
                        : LLVMBuildFPTrunc(builder, a, type, "");
  if (from_float) return float_to_int(e, a, type);
  if (to_float)
    return from == SN_BOOL ? LLVMBuildUIToFP(builder, a, type, "")
                           : LLVMBuildSIToFP(builder, a, type, "");
  if (from == SN_BOOL || sni_is_unsigned(from)) return LLVMBuildZExt(builder, a, type, "");
  return sni_dtype_bytes(to) > sni_dtype_bytes(from) ? LLVMBuildSExt(builder, a, type, "")
                                                     : LLVMBuildTrunc(builder, a, type, "");
}
