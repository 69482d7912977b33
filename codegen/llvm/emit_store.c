// Stores of a tree, streamed ones among them, additions to memory and index checks.
//
// Invariant: as of emit_access.c. Vectors of a group are stored in order, and where lanes may meet in
// one element, lanes too.
#include "codegen/llvm/emit_access.h"

static void store_vector(sni_emitter *e, const sni_place *p, LLVMValueRef value, int u,
                         LLVMValueRef mask) {
  LLVMValueRef address = sni_vector_address(e, p, u);
  if (!p->by_lane && sni_extent_is(p->stride, 1))
    sni_emit_vector_store(e, value, address, mask);
  else if (!p->by_lane && sni_extent_is(p->stride, -1) && !mask)
    sni_emit_vector_store(e, sni_reversed(e, value), sni_lowest_address(e, p, address), NULL);
  else
    sni_emit_scatter(e, value, address, sni_lane_offsets(e, p, u), mask);
}

// ---- streamed stores: around the caches where the address allows it; outputs may lie in the
// caller's memory
static unsigned stream_bytes(const sni_emitter *e, uint32_t number) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[access->buffer];
  const unsigned bytes = (unsigned)sni_dtype_bytes((sn_dtype)buffer->dtype) * (unsigned)e->lanes;
  const bool direct = access->index == SNI_NO_VALUE && !access->n_ranges &&
                      sni_extent_is(sni_stride_along(e, number, access->stride, e->lanes_depth), 1);
  return sni_tree_streamed(e->tree)[access->buffer] && direct && bytes >= 16 && bytes <= 64 ? bytes
                                                                                            : 0;
}

static LLVMValueRef is_aligned(sni_emitter *e, LLVMValueRef address, unsigned bytes) {
  LLVMValueRef number = LLVMBuildPtrToInt(e->builder, address, e->type_i64, "");
  LLVMValueRef rest = LLVMBuildAnd(e->builder, number, sni_ir_i64(e, bytes - 1), "");
  return LLVMBuildICmp(e->builder, LLVMIntEQ, rest, sni_ir_i64(e, 0), "");
}

void sni_test_streams(sni_emitter *e, uint32_t item, LLVMValueRef first) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op != SNI_KOP_STORE) continue;
    e->aligned[inst->access] = NULL;
    if (sni_item_at(e, e->inst_facts[i].item)->parent != item) continue;
    const unsigned bytes = stream_bytes(e, inst->access);
    if (!bytes) continue;
    const sni_place p = sni_access_place(e, inst->access);
    e->aligned[inst->access] =
        is_aligned(e, sni_address_at(e, &p, sni_ir_add(e, p.offset, first), 0), bytes);
  }
}

static void stream_vector(sni_emitter *e, LLVMValueRef value, LLVMValueRef address,
                          unsigned bytes) {
  LLVMValueRef store = LLVMBuildStore(e->builder, value, address);
  LLVMMetadataRef one = LLVMValueAsMetadata(LLVMConstInt(e->type_i32, 1, false));
  LLVMMetadataRef node = LLVMMDNodeInContext2(e->context, &one, 1);
  LLVMSetAlignment(store, bytes);
  LLVMSetMetadata(store, LLVMGetMDKindIDInContext(e->context, "nontemporal", 11),
                  LLVMMetadataAsValue(e->context, node));
  e->non_temporal = true;
}

// ---- stores
static LLVMValueRef stored(sni_emitter *e, uint32_t number, int u) {
  return sni_to_memory(e, sni_operand(e, sni_inst_at(e, number)->operands[0], u));
}

static void store_inside(sni_emitter *e, uint32_t number, const sni_place *p,
                         const sni_group *group) {
  for (int u = group->first; u < group->first + group->count; u++)
    store_vector(e, p, stored(e, number, u), u, group->mask[u]);
}

// The vectors of a group lie one behind the other, so they are aligned alike.
static void store_streamed(sni_emitter *e, uint32_t number, const sni_place *p,
                           const sni_group *group, unsigned bytes) {
  LLVMValueRef aligned = e->aligned[sni_inst_at(e, number)->access];
  if (!aligned) aligned = is_aligned(e, sni_vector_address(e, p, group->first), bytes);
  sni_fork f = sni_fork_at(e, aligned);
  for (int u = group->first; u < group->first + group->count; u++)
    stream_vector(e, stored(e, number, u), sni_vector_address(e, p, u), bytes);
  sni_fork_other(e, &f);
  store_inside(e, number, p, group);
  sni_fork_join(e, &f);
}

static void store_ranged(sni_emitter *e, uint32_t number, const sni_place *p,
                         const sni_group *group) {
  LLVMValueRef uniform = sni_ranges_hold(e, p->access, group, false),
               varying = sni_ranges_hold(e, p->access, group, true);
  LLVMValueRef hold = uniform && varying ? sni_both(e, uniform, varying)
                      : uniform          ? uniform
                                         : varying;
  sni_fork f = sni_fork_at(e, hold);
  store_inside(e, number, p, group);
  sni_fork_other(e, &f);
  for (int u = group->first; varying && u < group->first + group->count; u++)
    store_vector(e, p, stored(e, number, u), u, sni_range_mask(e, p->access, group, u));
  sni_fork_join(e, &f);
}

static void store_scalar(sni_emitter *e, uint32_t number, const sni_place *p) {
  LLVMValueRef hold = sni_ranges_hold(e, p->access, NULL, false), value = stored(e, number, -1);
  if (!hold) {
    LLVMBuildStore(e->builder, value, sni_scalar_address(e, p));
    return;
  }
  sni_fork f = sni_fork_at(e, hold);
  LLVMBuildStore(e->builder, value, sni_scalar_address(e, p));
  sni_fork_other(e, &f);
  sni_fork_join(e, &f);
}

static bool has_masks(const sni_group *group) {
  for (int u = group->first; u < group->first + group->count; u++)
    if (group->mask[u]) return true;
  return false;
}

// Of a buffer of one element, for who runs the kernel inside of a loop.
static void note_stored(sni_emitter *e, uint32_t value, const sni_place *p) {
  const bool global = sni_tree_buffers(e->tree)[p->access->buffer].space == SNI_SPACE_GLOBAL;
  if (e->stored && global && !p->access->n_ranges && p->access->index == SNI_NO_VALUE &&
      LLVMGetInsertBlock(e->builder) == e->first_block)
    e->stored[p->access->buffer] = sni_operand(e, value, -1);
}

void sni_emit_store(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const uint32_t value = inst->operands[0];
  const uint32_t buffer = sni_tree_accesses(e->tree)[inst->access].buffer;
  if (e->held[buffer]) {
    for (int u = group->first; u < group->first + group->count; u++)
      e->held[buffer][u] = sni_operand(e, value, u);
    return;
  }
  if (e->row_block[inst->access]) {
    sni_store_column(e, number, group);
    return;
  }
  const sni_place p = sni_access_place(e, inst->access);
  if (!group || (!p.varies && !e->is_vector[value] && !sni_ranges_vary(e, p.access))) {
    store_scalar(e, number, &p);
    note_stored(e, value, &p);
    return;
  }
  const unsigned bytes = p.room ? 0 : stream_bytes(e, inst->access);
  if (p.access->n_ranges)
    store_ranged(e, number, &p, group);
  else if (bytes && !has_masks(group))
    store_streamed(e, number, &p, group, bytes);
  else
    store_inside(e, number, &p, group);
}

// ---- UPDATE
static bool replaces(const sni_tree_inst *inst) {
  return inst->imm.combiner == SNI_KOP_COPY;
}

static void update_at(sni_emitter *e, const sni_tree_inst *inst, LLVMTypeRef element,
                      LLVMValueRef address, LLVMValueRef value) {
  if (!replaces(inst))
    value = sni_reduce_combine(e, inst, LLVMBuildLoad2(e->builder, element, address, ""), value);
  LLVMBuildStore(e->builder, value, address);
}

// Vectors of an UPDATE.
typedef struct update {
  const sni_tree_inst *inst;
  const sni_place *p;
  LLVMValueRef base, offsets, value, mask;  // mask NULL: all lanes
} update;

static void update_lane(sni_emitter *e, const update *v, LLVMValueRef index) {
  LLVMValueRef offset = LLVMBuildExtractElement(e->builder, v->offsets, index, "");
  LLVMValueRef lane = LLVMBuildExtractElement(e->builder, v->value, index, "");
  LLVMValueRef address = sni_ir_element_address(e, v->p->element, v->base, offset);
  if (!v->mask) {
    update_at(e, v->inst, v->p->element, address, lane);
    return;
  }
  sni_fork f = sni_fork_at(e, LLVMBuildExtractElement(e->builder, v->mask, index, ""));
  update_at(e, v->inst, v->p->element, address, lane);
  sni_fork_other(e, &f);
  sni_fork_join(e, &f);
}

// Lanes may meet in one element: one after another.
static void update_lanes(sni_emitter *e, const sni_tree_inst *inst, const sni_place *p,
                         LLVMValueRef value, const sni_group *group, int u, LLVMValueRef mask) {
  LLVMValueRef offsets = sni_lane_offsets(e, p, u);
  const LLVMTypeRef wide = sni_ir_like(LLVMTypeOf(offsets), e->type_i64);
  const update v = {.inst = inst,
                    .p = p,
                    .base = sni_vector_address(e, p, u),
                    .offsets = LLVMBuildSExt(e->builder, offsets, wide, ""),
                    .value = value,
                    .mask = mask == group->mask[u] ? NULL : mask};
  LLVMValueRef lanes = sni_ir_i64(e, e->lanes);
  LLVMValueRef end = group->mask[u] ? sni_ir_min(e, group->active[u], lanes) : lanes;
  int64_t count;
  if (sni_ir_is_constant(end, &count) && count == 1) {
    update_lane(e, &v, sni_ir_i64(e, 0));
    return;
  }
  sni_loop loop;
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), end, sni_ir_i64(e, 1), 0);
  update_lane(e, &v, loop.index);
  sni_loop_end(e, &loop, NULL);
}

static void update_scalar(sni_emitter *e, uint32_t number, const sni_place *p) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMValueRef hold = sni_ranges_hold(e, p->access, NULL, false), value = stored(e, number, -1);
  if (!hold) {
    update_at(e, inst, p->element, sni_scalar_address(e, p), value);
    return;
  }
  sni_fork f = sni_fork_at(e, hold);
  update_at(e, inst, p->element, sni_scalar_address(e, p), value);
  sni_fork_other(e, &f);
  sni_fork_join(e, &f);
}

void sni_emit_update(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const sni_place p = sni_access_place(e, inst->access);
  if (!group) {
    update_scalar(e, number, &p);
    return;
  }
  LLVMTypeRef type = LLVMVectorType(p.element, (unsigned)e->lanes);
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef value = stored(e, number, u);
    LLVMValueRef mask = p.access->n_ranges ? sni_range_mask(e, p.access, group, u) : group->mask[u];
    if (p.by_lane || !sni_extent_is(p.stride, 1)) {
      update_lanes(e, inst, &p, value, group, u, mask);
      continue;
    }
    LLVMValueRef address = sni_vector_address(e, &p, u);
    if (!replaces(inst))
      value = sni_reduce_combine(e, inst, sni_emit_vector_load(e, type, address, mask), value);
    sni_emit_vector_store(e, value, address, mask);
  }
}

// ---- faults
static LLVMValueRef clamp_index(sni_emitter *e, LLVMValueRef index, LLVMValueRef size,
                                LLVMValueRef mask) {
  LLVMTypeRef type = LLVMTypeOf(index);
  LLVMValueRef zero = LLVMConstNull(type);
  LLVMValueRef limit = sni_ir_splat(e, size, sni_ir_width(type));
  LLVMValueRef outside = LLVMBuildICmp(e->builder, LLVMIntUGE, index, limit, "");
  if (mask) outside = LLVMBuildAnd(e->builder, outside, mask, "");
  LLVMBasicBlockRef fault = sni_ir_block(e, "fault"), after = sni_ir_block(e, "after");
  LLVMBuildCondBr(e->builder, sni_ir_any(e, outside), fault, after);
  LLVMPositionBuilderAtEnd(e->builder, fault);
  LLVMBuildStore(e->builder, sni_ir_i64(e, 1), e->scratch);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
  LLVMValueRef greatest = LLVMBuildSub(e->builder, limit, sni_ir_int(type, 1), "");
  LLVMValueRef low[2] = {index, greatest};
  LLVMValueRef high[2] = {sni_ir_intrinsic(e, "llvm.smin", &type, 1, low, 2), zero};
  return sni_ir_intrinsic(e, "llvm.smax", &type, 1, high, 2);
}

void sni_emit_check_index(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMValueRef size = sni_emit_extent(e, inst->imm.size);
  if (sni_checks_in_place(e, number) && (inst->imm.size.param >= 0 || inst->imm.size.value <= 0))
    sni_give_up_if(e, LLVMBuildICmp(e->builder, LLVMIntSLE, size, sni_ir_i64(e, 0), ""));
  if (!e->is_vector[number]) {
    sni_set_scalar(e, number, clamp_index(e, sni_operand(e, inst->operands[0], -1), size, NULL));
    return;
  }
  for (int u = group->first; u < group->first + group->count; u++)
    sni_set_vector(e, number, u,
                   clamp_index(e, sni_operand(e, inst->operands[0], u), size, group->mask[u]));
}
