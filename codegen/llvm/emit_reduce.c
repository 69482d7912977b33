// Reductions: identities, combination of two values, and of the 64 virtual lanes of a row.
//
// Invariant: the order of codegen/kernel/tree.h: lane[l] = combine(lane[l], lane[l + w]) for w = 32, 16,
// ..., 1. Lanes that no element reached hold the identity, and combining with it changes no bit, so
// missing vectors of a short row are left out.
#include "codegen/llvm/emit.h"

#include <math.h>

LLVMValueRef sni_reduce_identity(sni_emitter *e, const sni_tree_inst *inst, LLVMTypeRef type) {
  (void)e;
  const sn_dtype dtype = (sn_dtype)inst->dtype;
  const bool real = sni_is_float(dtype);
  switch ((int)inst->imm.combiner) {
    case SNI_KOP_ADD:
      return real ? sni_ir_float(type, -0.0) : sni_ir_int(type, 0);
    case SNI_KOP_MUL:
      return real ? sni_ir_float(type, 1) : sni_ir_int(type, 1);
    case SNI_KOP_MAX:
      if (real) return sni_ir_float(type, -INFINITY);
      return sni_ir_int(type, dtype == SN_BOOL ? 0 : sni_integer_least(dtype));
    default:
      if (real) return sni_ir_float(type, INFINITY);
      return sni_ir_int(type, dtype == SN_BOOL ? 1 : sni_integer_greatest(dtype));
  }
}

LLVMValueRef sni_reduce_combine(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef a,
                                LLVMValueRef b) {
  const sni_tree_inst combine = {.op = (uint16_t)inst->imm.combiner, .dtype = inst->dtype};
  return sni_emit_op(e, &combine, LLVMTypeOf(a), a, b, NULL);
}

LLVMValueRef sni_reduce_finish(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef total) {
  const bool real = sni_is_float(inst->dtype);
  if (!real || inst->imm.combiner != SNI_KOP_ADD) return total;
  return LLVMBuildFAdd(e->builder, total, sni_ir_float(LLVMTypeOf(total), 0), "");
}

// Of bools the order doesn't matter: the vector's bits as a number.
static LLVMValueRef reduce_bits(sni_emitter *e, bool max, LLVMValueRef vector) {
  if (max) return sni_ir_any(e, vector);
  return LLVMBuildNot(e->builder, sni_ir_any(e, LLVMBuildNot(e->builder, vector, "")), "");
}

LLVMValueRef sni_reduce_lanes(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef *vectors,
                              int count) {
  LLVMValueRef lane[sni_max_group];
  for (int i = 0; i < count; i++) lane[i] = vectors[i];
  for (int half = SNI_REDUCE_LANES / e->lanes / 2; half >= 1; half /= 2)
    for (int i = 0; i < half && i + half < count; i++)
      lane[i] = sni_reduce_combine(e, inst, lane[i], lane[i + half]);
  LLVMValueRef total = lane[0];
  unsigned width = sni_ir_width(LLVMTypeOf(total));
  if (inst->dtype == SN_BOOL) return reduce_bits(e, inst->imm.combiner == SNI_KOP_MAX, total);
  for (; width > 1; width /= 2) {
    LLVMValueRef low = sni_ir_slice(e, total, 0, width / 2);
    LLVMValueRef high = sni_ir_slice(e, total, width / 2, width / 2);
    total = sni_reduce_combine(e, inst, low, high);
  }
  if (LLVMGetTypeKind(LLVMTypeOf(total)) == LLVMVectorTypeKind)
    total = sni_ir_slice(e, total, 0, 1);
  return sni_reduce_finish(e, inst, total);
}
