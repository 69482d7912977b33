// FOLD_ANGLE: large arguments of sine and cosine, folded in integers as codegen/kernel/fold_angle.h
// does it, line by line.
//
// Invariant: a vector without a large lane costs a comparison, and a group of vectors one branch that
// is not taken. Behind the branch are loops over the lanes that call one function of the module, which
// keeps all registers (before LLVM 19 it does not: LLVM 16 keeps lower halves alone): little code,
// and the code around it stays as it would be.
#include "codegen/kernel/fold_angle.h"

#include "codegen/llvm/emit.h"

#include <llvm/Config/llvm-config.h>
#include <string.h>

#if LLVM_VERSION_MAJOR >= 19
static const unsigned folding_convention = LLVMPreserveAllCallConv;
#else
static const unsigned folding_convention = LLVMCCallConv;
#endif

// The address of the digits of 1 / pi in this module.
static LLVMValueRef digits(sni_emitter *e) {
  static const char name[] = "digits";
  static const uint64_t table[SNI_FOLD_WORDS] = SNI_FOLD_TABLE;
  LLVMValueRef global = LLVMGetNamedGlobal(e->module, name);
  if (global) return global;
  LLVMValueRef words[SNI_FOLD_WORDS];
  for (int i = 0; i < SNI_FOLD_WORDS; i++) words[i] = sni_ir_i64(e, (int64_t)table[i]);
  global = LLVMAddGlobal(e->module, LLVMArrayType(e->type_i64, SNI_FOLD_WORDS), name);
  LLVMSetInitializer(global, LLVMConstArray(e->type_i64, words, SNI_FOLD_WORDS));
  LLVMSetGlobalConstant(global, true);
  LLVMSetLinkage(global, LLVMPrivateLinkage);
  return global;
}

// Scalars of i64 and i128, in short.
typedef struct ints {
  sni_emitter *e;
  LLVMBuilderRef builder;
  LLVMTypeRef wide;  // i128
} ints;

static LLVMValueRef wide_number(const ints *i, uint64_t value) {
  return LLVMConstInt(i->wide, value, false);
}
static LLVMValueRef widen(const ints *i, LLVMValueRef a) {
  return LLVMBuildZExt(i->builder, a, i->wide, "");
}
static LLVMValueRef narrow(const ints *i, LLVMValueRef a) {
  return LLVMBuildTrunc(i->builder, a, i->e->type_i64, "");
}
static LLVMValueRef wide_product(const ints *i, LLVMValueRef a, LLVMValueRef b) {
  return LLVMBuildMul(i->builder, widen(i, a), widen(i, b), "");
}
static LLVMValueRef up(const ints *i, LLVMValueRef a, uint64_t count) {
  return LLVMBuildShl(i->builder, a, LLVMConstInt(LLVMTypeOf(a), count, false), "");
}
static LLVMValueRef down(const ints *i, LLVMValueRef a, uint64_t count) {
  return LLVMBuildLShr(i->builder, a, LLVMConstInt(LLVMTypeOf(a), count, false), "");
}

// |a| / pi mod 2, an i128 with 127 digits behind the point.
static LLVMValueRef turns_of(const ints *i, LLVMValueRef bits, LLVMValueRef exponent) {
  sni_emitter *e = i->e;
  LLVMValueRef fraction = LLVMBuildAnd(i->builder, bits, sni_ir_i64(e, (INT64_C(1) << 52) - 1), "");
  LLVMValueRef m = LLVMBuildOr(i->builder, fraction, sni_ir_i64(e, INT64_C(1) << 52), "");
  // Small lanes take the first digits.
  LLVMValueRef least = sni_ir_i64(e, 1023);
  LLVMValueRef usable = LLVMBuildICmp(i->builder, LLVMIntUGT, exponent, least, "");
  LLVMValueRef first = LLVMBuildAdd(i->builder, sni_ir_select(e, usable, exponent, least),
                                    sni_ir_i64(e, 63 - 1075), "");
  LLVMValueRef word = down(i, first, 6),
               shift = LLVMBuildAnd(i->builder, first, sni_ir_i64(e, 63), "");
  LLVMValueRef read[4], window[3];
  for (int k = 0; k < 4; k++) {
    LLVMValueRef at = LLVMBuildAdd(i->builder, word, sni_ir_i64(e, k), "");
    read[k] = LLVMBuildLoad2(i->builder, e->type_i64,
                             sni_ir_element_address(e, e->type_i64, digits(e), at), "");
  }
  for (int k = 0; k < 3; k++)
    window[k] = sni_ir_intrinsic(e, "llvm.fshl", (LLVMTypeRef[]){e->type_i64}, 1,
                                 (LLVMValueRef[]){read[k], read[k + 1], shift}, 3);
  LLVMValueRef high = up(i, widen(i, LLVMBuildMul(i->builder, m, window[0], "")), 64);
  LLVMValueRef middle = wide_product(i, m, window[1]);
  LLVMValueRef carry = down(i, wide_product(i, m, window[2]), 64);
  return LLVMBuildAdd(i->builder, LLVMBuildAdd(i->builder, high, middle, ""), carry, "");
}

// size / 2^128 * pi, rounded once, as the bits of an f64.
static LLVMValueRef times_pi(const ints *i, LLVMValueRef size) {
  sni_emitter *e = i->e;
  LLVMValueRef arguments[2] = {size, LLVMConstInt(e->type_i1, 0, false)};
  LLVMValueRef zeros = sni_ir_intrinsic(e, "llvm.ctlz", (LLVMTypeRef[]){i->wide}, 1, arguments, 2);
  LLVMValueRef leading = narrow(i, down(i, LLVMBuildShl(i->builder, size, zeros, ""), 64));
  LLVMValueRef product =
      narrow(i, down(i, wide_product(i, leading, sni_ir_i64(e, (int64_t)SNI_FOLD_PI)), 65));
  LLVMValueRef scaled = LLVMBuildSIToFP(i->builder, product, e->type_f64, "");
  LLVMValueRef places = LLVMBuildAdd(i->builder, narrow(i, zeros), sni_ir_i64(e, 61), "");
  return LLVMBuildSub(i->builder, LLVMBuildBitCast(i->builder, scaled, e->type_i64, ""),
                      up(i, places, 52), "");
}

static LLVMValueRef fold_one(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  const ints i = {e, e->builder, LLVMIntTypeInContext(e->context, 128)};
  LLVMValueRef zero = LLVMConstNull(i.wide), bits = LLVMBuildBitCast(i.builder, a, e->type_i64, "");
  LLVMValueRef exponent = LLVMBuildAnd(i.builder, down(&i, bits, 52), sni_ir_i64(e, 0x7ff), "");
  LLVMValueRef turns = turns_of(&i, bits, exponent);
  LLVMValueRef negative = LLVMBuildICmp(i.builder, LLVMIntSLT, bits, sni_ir_i64(e, 0), "");
  turns = sni_ir_select(e, negative, LLVMBuildSub(i.builder, zero, turns, ""), turns);
  LLVMValueRef quarter = LLVMBuildFCmp(i.builder, LLVMRealUNE, b, sni_ir_float(e->type_f64, 0), "");
  LLVMValueRef half = up(&i, wide_number(&i, 1), 126);
  turns = LLVMBuildAdd(i.builder, turns, sni_ir_select(e, quarter, half, zero), "");
  LLVMValueRef rest = up(&i, turns, 1);
  LLVMValueRef upper = down(&i, rest, 127);
  LLVMValueRef odd = LLVMBuildXor(i.builder, down(&i, turns, 127), upper, "");
  LLVMValueRef is_upper = LLVMBuildICmp(i.builder, LLVMIntNE, upper, zero, "");
  LLVMValueRef size = sni_ir_select(e, is_upper, LLVMBuildSub(i.builder, zero, rest, ""), rest);
  LLVMValueRef value = times_pi(&i, LLVMBuildOr(i.builder, size, wide_number(&i, 1), ""));
  LLVMValueRef sign = up(&i, narrow(&i, LLVMBuildXor(i.builder, upper, odd, "")), 63);
  LLVMValueRef y =
      LLVMBuildBitCast(i.builder, LLVMBuildOr(i.builder, value, sign, ""), e->type_f64, "");
  LLVMValueRef finite = LLVMBuildICmp(i.builder, LLVMIntNE, exponent, sni_ir_i64(e, 0x7ff), "");
  return sni_ir_select(e, finite, y, sni_ir_float(e->type_f64, NAN));
}

static LLVMTypeRef folding_type(sni_emitter *e) {
  return LLVMFunctionType(e->type_f64, (LLVMTypeRef[]){e->type_f64, e->type_f64}, 2, false);
}

// fold_one as a function of this module.
static LLVMValueRef folding(sni_emitter *e) {
  static const char name[] = "fold_angle";
  LLVMValueRef function = LLVMGetNamedFunction(e->module, name);
  if (function) return function;
  function = LLVMAddFunction(e->module, name, folding_type(e));
  LLVMSetLinkage(function, LLVMInternalLinkage);
  LLVMSetFunctionCallConv(function, folding_convention);
  const unsigned no_unwind = LLVMGetEnumAttributeKindForName("nounwind", 8);
  LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                          LLVMCreateEnumAttribute(e->context, no_unwind, 0));
  LLVMBasicBlockRef place = LLVMGetInsertBlock(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, LLVMAppendBasicBlockInContext(e->context, function, ""));
  LLVMBuildRet(e->builder, fold_one(e, LLVMGetParam(function, 0), LLVMGetParam(function, 1)));
  LLVMPositionBuilderAtEnd(e->builder, place);
  return function;
}

static LLVMValueRef is_large(sni_emitter *e, LLVMValueRef a) {
  LLVMTypeRef type = LLVMTypeOf(a);
  LLVMValueRef size = sni_ir_intrinsic(e, "llvm.fabs", &type, 1, &a, 1);
  return LLVMBuildFCmp(e->builder, LLVMRealOGT, size, sni_ir_float(type, SNI_FOLD_LIMIT), "");
}

static LLVMValueRef lane(sni_emitter *e, LLVMValueRef a, LLVMValueRef index) {
  return sni_ir_width(LLVMTypeOf(a)) == 1 ? a : LLVMBuildExtractElement(e->builder, a, index, "");
}

// Taken once in a while at most.
static void expect_false(sni_emitter *e, LLVMValueRef branch) {
  LLVMMetadataRef weights[3] = {LLVMMDStringInContext2(e->context, "branch_weights", 14),
                                LLVMValueAsMetadata(LLVMConstInt(e->type_i32, 1, false)),
                                LLVMValueAsMetadata(LLVMConstInt(e->type_i32, 4096, false))};
  LLVMMetadataRef node = LLVMMDNodeInContext2(e->context, weights, 3);
  LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(e->context, "prof", 4),
                  LLVMMetadataAsValue(e->context, node));
}

// a, whose large lanes are folded one after the other.
static LLVMValueRef fold_lanes(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  const unsigned width = sni_ir_width(LLVMTypeOf(a));
  sni_loop loop = {.initial = {a}};
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), sni_ir_i64(e, width), sni_ir_i64(e, 1), 1);
  LLVMValueRef x = lane(e, a, loop.index), arguments[2] = {x, lane(e, b, loop.index)};
  LLVMValueRef function = folding(e);
  LLVMValueRef y = LLVMBuildCall2(e->builder, folding_type(e), function, arguments, 2, "");
  LLVMSetInstructionCallConv(y, folding_convention);
  y = sni_ir_select(e, is_large(e, x), y, x);
  LLVMValueRef next =
      width == 1 ? y : LLVMBuildInsertElement(e->builder, loop.carried[0], y, loop.index, "");
  sni_loop_end(e, &loop, &next);
  return loop.carried[0];
}

void sni_emit_fold_angles(sni_emitter *e, LLVMValueRef *a, const LLVMValueRef *b, int count) {
  LLVMValueRef folded[sni_max_group], some = is_large(e, a[0]);
  for (int i = 1; i < count; i++) some = LLVMBuildOr(e->builder, some, is_large(e, a[i]), "");
  LLVMValueRef any = sni_ir_any(e, some);
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
  LLVMBasicBlockRef large = sni_ir_block(e, "large"), after = sni_ir_block(e, "angle");
  expect_false(e, LLVMBuildCondBr(e->builder, any, large, after));
  LLVMPositionBuilderAtEnd(e->builder, large);
  for (int i = 0; i < count; i++) folded[i] = fold_lanes(e, a[i], b[i]);
  LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
  for (int i = 0; i < count; i++) {
    LLVMValueRef result = LLVMBuildPhi(e->builder, LLVMTypeOf(a[i]), "");
    LLVMAddIncoming(result, &a[i], &before, 1);
    LLVMAddIncoming(result, &folded[i], &end, 1);
    a[i] = result;
  }
}
