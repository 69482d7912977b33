// One instruction on the vectors of a group, and where its value is kept.
//
// Invariant: a value that does not vary along the lanes is emitted once, as a scalar; where vectors
// use it, its splat is made right behind it inside a lanes loop, and before the loop if it stands
// outside: so it dominates every use.
#include "codegen/llvm/emit_walk.h"

LLVMValueRef sni_operand(const sni_emitter *e, uint32_t value, int vector) {
  const sni_value *v = &e->values[value];
  if (e->is_vector[value]) return v->vector[vector];
  return vector < 0 ? v->scalar : v->splat;
}

void sni_set_vector(sni_emitter *e, uint32_t number, int vector, LLVMValueRef value) {
  e->values[number].vector[vector] = value;
}

void sni_set_scalar(sni_emitter *e, uint32_t number, LLVMValueRef value) {
  e->values[number].scalar = value;
  e->values[number].splat =
      e->needs_splat[number] && e->lanes ? sni_ir_splat(e, value, (unsigned)e->lanes) : value;
}

bool sni_is_known_group(const sni_group *group) {
  int64_t active;
  for (int u = group->first; u < group->first + group->count; u++)
    if (group->mask[u] && !sni_ir_is_constant(group->active[u], &active)) return false;
  return true;
}

// INDEX: i32 or i64.
static void emit_index(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMTypeRef type = sni_ir_type(e, (sn_dtype)inst->dtype);
  const int depth = sni_item_at(e, inst->loop)->depth;
  const bool narrow = inst->dtype == SN_I32;
  if (!e->is_vector[number]) {
    // of a lanes loop of one iteration: its first index
    const bool lanes = depth == e->lanes_depth && group;
    LLVMValueRef index = lanes ? group->index[0] : e->indices[depth];
    sni_set_scalar(e, number, narrow ? LLVMBuildTrunc(e->builder, index, type, "") : index);
    return;
  }
  const unsigned width = (unsigned)e->lanes;
  LLVMValueRef iota = sni_ir_iota(type, width, 1);
  if (width == 1) iota = LLVMConstVector(&iota, 1);
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef first = group->index[u];
    if (narrow) first = LLVMBuildTrunc(e->builder, first, type, "");
    sni_set_vector(e, number, u, LLVMBuildAdd(e->builder, sni_ir_splat(e, first, width), iota, ""));
  }
}

static LLVMValueRef operand_at(const sni_emitter *e, const sni_tree_inst *inst, int i, int vector) {
  return i < sni_kop_infos[inst->op].operands ? sni_operand(e, inst->operands[i], vector) : NULL;
}

// All vectors behind one branch, so that their chains overlap.
static void fold_angles(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMValueRef a[sni_max_group], b[sni_max_group];
  for (int i = 0; i < group->count; i++) {
    a[i] = sni_operand(e, inst->operands[0], group->first + i);
    b[i] = sni_operand(e, inst->operands[1], group->first + i);
  }
  sni_emit_fold_angles(e, a, b, group->count);
  for (int i = 0; i < group->count; i++) sni_set_vector(e, number, group->first + i, a[i]);
}

static void emit_pure(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMTypeRef element = sni_ir_type(e, (sn_dtype)inst->dtype);
  if (!e->is_vector[number]) {
    sni_set_scalar(e, number,
                   sni_emit_op(e, inst, element, operand_at(e, inst, 0, -1),
                               operand_at(e, inst, 1, -1), operand_at(e, inst, 2, -1)));
    return;
  }
  if (inst->op == SNI_KOP_FOLD_ANGLE) {
    fold_angles(e, number, group);
    return;
  }
  LLVMTypeRef type = LLVMVectorType(element, (unsigned)e->lanes);
  for (int u = group->first; u < group->first + group->count; u++)
    sni_set_vector(e, number, u,
                   sni_emit_op(e, inst, type, operand_at(e, inst, 0, u), operand_at(e, inst, 1, u),
                               operand_at(e, inst, 2, u)));
}

void sni_emit_value(sni_emitter *e, uint32_t number, const sni_group *group) {
  if (e->early[number]) return;
  switch ((int)sni_inst_at(e, number)->op) {
    case SNI_KOP_NONE:
    case SNI_KOP_CARRY:        // by the loop that it travels round
    case SNI_KOP_YIELD:        // behind that loop
    case SNI_KOP_CONTRACTION:  // by its item
      return;
    case SNI_KOP_INDEX:
      emit_index(e, number, group);
      return;
    case SNI_KOP_LOAD:
      sni_emit_load(e, number, group);
      return;
    case SNI_KOP_STORE:
      sni_emit_store(e, number, group);
      return;
    case SNI_KOP_UPDATE:
      sni_emit_update(e, number, group);
      return;
    case SNI_KOP_REDUCE:
      sni_take_sum(e, number, group);
      return;
    case SNI_KOP_CHECK_INDEX:
      sni_emit_check_index(e, number, group);
      return;
    default:
      emit_pure(e, number, group);
  }
}

void sni_emit_block(sni_emitter *e, uint32_t item, const sni_group *group) {
  const sni_block_item block = sni_item_at(e, item)->as.block;
  for (uint32_t i = block.first; i < block.first + block.count; i++) sni_emit_value(e, i, group);
}
