// The pure operations of kernel IR on scalars and vectors alike.
//
// Invariant: bit-equal to the formulas of codegen/kernel/kops.h (any NaN equals any NaN). No fast-math
// flag is ever set, so LLVM neither contracts nor reassociates; operands outside an LLVM
// instruction's domain (division by zero, wide shifts, float to int out of range) are replaced
// before it.
#include "codegen/llvm/emit.h"
#include "runtime/half.h"

#include <float.h>
#include <math.h>

static LLVMValueRef unary(sni_emitter *e, const char *name, LLVMValueRef a) {
  LLVMTypeRef type = LLVMTypeOf(a);
  return sni_ir_intrinsic(e, name, &type, 1, &a, 1);
}

// The number that all lanes of a constant hold.
static bool constant_value(LLVMValueRef value, double *out_value) {
  if (!LLVMIsConstant(value)) return false;
  if (LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMVectorTypeKind) {
    const unsigned width = sni_ir_width(LLVMTypeOf(value));
    LLVMValueRef first = LLVMGetAggregateElement(value, 0);
    for (unsigned i = 1; i < width; i++)  // constants are unique
      if (LLVMGetAggregateElement(value, i) != first) return false;
    value = first;
    if (!value) return false;
  }
  if (!LLVMIsAConstantFP(value)) return false;
  LLVMBool lost;
  *out_value = LLVMConstRealGetDouble(value, &lost);
  return true;
}

// a >= b ? a : b with NaN from either. maxps(x, y) is x > y ? x : y, so maxps(b, a) keeps a in ties
// and NaN in a; a NaN in b is added.
LLVMValueRef sni_emit_max_min(sni_emitter *e, bool max, LLVMValueRef a, LLVMValueRef b) {
  const LLVMRealPredicate better = max ? LLVMRealOGT : LLVMRealOLT;
  double constant;
  if (constant_value(a, &constant) && constant == constant && constant != 0)  // ties are equal bits
    return sni_ir_select(e, LLVMBuildFCmp(e->builder, better, a, b, ""), a, b);
  LLVMValueRef is_b = LLVMBuildFCmp(e->builder, better, b, a, "");
  LLVMValueRef result = sni_ir_select(e, is_b, b, a);
  if (constant_value(b, &constant) && constant == constant) return result;
  LLVMValueRef nan = LLVMBuildFCmp(e->builder, LLVMRealUNO, b, b, "");
  return sni_ir_select(e, nan, b, result);
}

static LLVMValueRef max_min(sni_emitter *e, sn_dtype dtype, bool max, LLVMValueRef a,
                            LLVMValueRef b) {
  if (sni_is_float(dtype)) return sni_emit_max_min(e, max, a, b);
  if (dtype == SN_BOOL)
    return max ? LLVMBuildOr(e->builder, a, b, "") : LLVMBuildAnd(e->builder, a, b, "");
  LLVMTypeRef type = LLVMTypeOf(a);
  LLVMValueRef arguments[2] = {a, b};
  return sni_ir_intrinsic(e, max ? "llvm.smax" : "llvm.smin", &type, 1, arguments, 2);
}

static LLVMValueRef absolute(sni_emitter *e, sn_dtype dtype, LLVMValueRef a) {
  if (sni_is_float(dtype)) return unary(e, "llvm.fabs", a);
  LLVMTypeRef type = LLVMTypeOf(a);
  LLVMValueRef arguments[2] = {a, LLVMConstInt(e->type_i1, 0, false)};
  return sni_ir_intrinsic(e, "llvm.abs", &type, 1, arguments, 2);
}

static LLVMValueRef shift(sni_emitter *e, bool left, LLVMValueRef a, LLVMValueRef b) {
  LLVMTypeRef type = LLVMTypeOf(a);
  const int64_t width = (int64_t)LLVMGetIntTypeWidth(sni_ir_element(type));
  LLVMValueRef inside = LLVMBuildICmp(e->builder, LLVMIntULT, b, sni_ir_int(type, width), "");
  LLVMValueRef count = sni_ir_select(e, inside, b, LLVMConstNull(type));
  LLVMValueRef shifted =
      left ? LLVMBuildShl(e->builder, a, count, "") : LLVMBuildLShr(e->builder, a, count, "");
  return sni_ir_select(e, inside, shifted, LLVMConstNull(type));
}

static LLVMValueRef compare(sni_emitter *e, sni_kop op, sn_dtype source, LLVMValueRef a,
                            LLVMValueRef b) {
  if (sni_is_float(source)) {
    const LLVMRealPredicate real = op == SNI_KOP_EQ   ? LLVMRealOEQ
                                   : op == SNI_KOP_LT ? LLVMRealOLT
                                                      : LLVMRealOLE;
    return LLVMBuildFCmp(e->builder, real, a, b, "");
  }
  const bool is_bool = source == SN_BOOL;  // false < true: unsigned
  LLVMIntPredicate integer = LLVMIntEQ;
  if (op == SNI_KOP_LT) integer = is_bool ? LLVMIntULT : LLVMIntSLT;
  if (op == SNI_KOP_LE) integer = is_bool ? LLVMIntULE : LLVMIntSLE;
  return LLVMBuildICmp(e->builder, integer, a, b, "");
}

static LLVMValueRef arithmetic(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef a,
                               LLVMValueRef b) {
  const LLVMBuilderRef builder = e->builder;
  const bool real = sni_is_float(inst->dtype);
  switch ((int)inst->op) {
    case SNI_KOP_ADD:
      return real ? LLVMBuildFAdd(builder, a, b, "") : LLVMBuildAdd(builder, a, b, "");
    case SNI_KOP_SUB:
      return real ? LLVMBuildFSub(builder, a, b, "") : LLVMBuildSub(builder, a, b, "");
    case SNI_KOP_MUL:
      return real ? LLVMBuildFMul(builder, a, b, "") : LLVMBuildMul(builder, a, b, "");
    case SNI_KOP_DIV:
      return real ? LLVMBuildFDiv(builder, a, b, "") : sni_emit_int_divide(e, false, a, b);
    default:
      return real ? sni_emit_fmod(e, a, b) : sni_emit_int_divide(e, true, a, b);
  }
}

// The constant of a CONST instruction, in all lanes of type.
static LLVMValueRef constant(const sni_tree_inst *inst, LLVMTypeRef type) {
  if (inst->dtype == SN_F16) return sni_ir_int(type, sni_f16_of(inst->imm.f));
  if (inst->dtype == SN_BF16) return sni_ir_int(type, sni_bf16_of(inst->imm.f));
  if (sni_is_float(inst->dtype)) return sni_ir_float(type, inst->imm.f);
  return sni_ir_int(type, inst->dtype == SN_BOOL ? inst->imm.i != 0 : inst->imm.i);
}

LLVMValueRef sni_emit_op(sni_emitter *e, const sni_tree_inst *inst, LLVMTypeRef type,
                         LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
  const LLVMBuilderRef builder = e->builder;
  LLVMValueRef arguments[3] = {a, b, c};
  switch (inst->op) {
    case SNI_KOP_CONST:
      return constant(inst, type);
    case SNI_KOP_PARAM:
      return sni_emit_cast(e, SN_I64, inst->dtype, sni_emit_extent(e, inst->imm.size));
    case SNI_KOP_COPY:
      return a;
    case SNI_KOP_ADD:
    case SNI_KOP_SUB:
    case SNI_KOP_MUL:
    case SNI_KOP_DIV:
    case SNI_KOP_REM:
      return arithmetic(e, inst, a, b);
    case SNI_KOP_FMA:
      return sni_ir_intrinsic(e, "llvm.fma", &type, 1, arguments, 3);
    case SNI_KOP_MAX:
      return max_min(e, inst->dtype, true, a, b);
    case SNI_KOP_MIN:
      return max_min(e, inst->dtype, false, a, b);
    case SNI_KOP_NEG:
      return sni_is_float(inst->dtype) ? LLVMBuildFNeg(builder, a, "")
                                       : LLVMBuildNeg(builder, a, "");
    case SNI_KOP_ABS:
      return absolute(e, inst->dtype, a);
    case SNI_KOP_SQRT:
      return unary(e, "llvm.sqrt", a);
    case SNI_KOP_FLOOR:
      return unary(e, "llvm.floor", a);
    case SNI_KOP_CEIL:
      return unary(e, "llvm.ceil", a);
    case SNI_KOP_ROUND:
      return unary(e, "llvm.roundeven", a);
    case SNI_KOP_LDEXP:
      return sni_emit_ldexp(e, a, b);
    case SNI_KOP_FOLD_ANGLE:
      sni_emit_fold_angles(e, &a, &b, 1);
      return a;
    case SNI_KOP_AND:
      return LLVMBuildAnd(builder, a, b, "");
    case SNI_KOP_OR:
      return LLVMBuildOr(builder, a, b, "");
    case SNI_KOP_XOR:
      return LLVMBuildXor(builder, a, b, "");
    case SNI_KOP_NOT:
      return LLVMBuildNot(builder, a, "");
    case SNI_KOP_SHL:
      return shift(e, true, a, b);
    case SNI_KOP_SHR:
      return shift(e, false, a, b);
    case SNI_KOP_EQ:
    case SNI_KOP_LT:
    case SNI_KOP_LE:
      return compare(e, inst->op, inst->source, a, b);
    case SNI_KOP_SELECT:
      return sni_ir_select(e, a, b, c);
    case SNI_KOP_CAST:
      return sni_emit_cast(e, inst->source, inst->dtype, a);
    case SNI_KOP_BITCAST:
      return LLVMBuildBitCast(builder, a, type, "");
    case SNI_KOP_NONE:
    case SNI_KOP_INDEX:
    case SNI_KOP_LOAD:
    case SNI_KOP_STORE:
    case SNI_KOP_UPDATE:
    case SNI_KOP_REDUCE:
    case SNI_KOP_CONTRACTION:
    case SNI_KOP_CARRY:
    case SNI_KOP_YIELD:
    case SNI_KOP_CHECK_INDEX:  // of emit_inst.c
    case SNI_KOP_SIGN:
    case SNI_KOP_RSQRT:
    case SNI_KOP_EXP:
    case SNI_KOP_EXPM1:
    case SNI_KOP_LOG:
    case SNI_KOP_LOG1P:
    case SNI_KOP_SIN:
    case SNI_KOP_COS:
    case SNI_KOP_TANH:
    case SNI_KOP_SIGMOID:
    case SNI_KOP_ERF:
    case SNI_KOP_POW:
    case SNI_KOP_COUNT:
      break;
  }
  sni_fail_emission(e, "kernel %s: '%s' is not expanded", e->name,
                    (unsigned)inst->op < SNI_KOP_COUNT ? sni_kop_infos[inst->op].name : "?");
  return LLVMGetPoison(type);
}
