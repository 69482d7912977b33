// Loads and stores of a tree: element addresses, ranges, ROW and LOCAL buffers, streamed stores,
// index checks.
//
// Invariant: no byte outside the elements that the iterations reach is ever touched: lanes outside
// the loop or the ranges are masked. A vector access is aligned to its element only, unless it
// bypasses the caches. Ranges are asked once for a group: where all its lanes are inside, the access
// is an ordinary one.
#include "codegen/llvm/emit_tree.h"

#include <stdlib.h>

bool sni_extent_varies(sni_extent stride) {
  return !sni_extent_is(stride, 0);
}

LLVMValueRef sni_to_memory(sni_emitter *e, LLVMValueRef value) {
  LLVMTypeRef type = LLVMTypeOf(value);
  if (sni_ir_element(type) != e->type_i1) return value;
  return LLVMBuildZExt(e->builder, value, sni_ir_like(type, e->type_i8), "");
}

LLVMValueRef sni_from_memory(sni_emitter *e, sn_dtype dtype, LLVMValueRef value) {
  if (dtype != SN_BOOL) return value;
  return LLVMBuildICmp(e->builder, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
}

// ---- one access. Offsets are numbers up to the end: accesses of one shape share them, and each
// needs no register but its buffer's.
typedef struct place {
  const sni_tree_access *access;
  sn_dtype dtype;
  LLVMTypeRef element;   // in memory
  LLVMValueRef buffer;   // address of element 0
  LLVMValueRef offset;   // in elements, at lane 0 of the group unless the stride is a parameter
  int64_t displacement;  // added to it
  sni_extent stride;     // along the lanes
  int64_t room;          // > 0: each lane owns its elements; lanes that one has room for
  bool by_lane;          // the index varies along the lanes
  bool varies;           // along the lanes
} place;

LLVMValueRef sni_buffer_address(sni_emitter *e, uint32_t number) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[number];
  if (buffer->space == SNI_SPACE_GLOBAL) return e->buffers[number];
  const int64_t offset = (int64_t)sizeof(sni_scratch_header) + buffer->offset;
  return sni_ir_element_address(e, e->type_i8, e->scratch, sni_ir_i64(e, offset));
}

// Whether the lanes that run now own their elements of a buffer.
static int64_t lane_room(const sni_emitter *e, uint32_t number) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[number];
  if (buffer->space == SNI_SPACE_GLOBAL || e->lanes_depth < 0) return 0;
  const uint32_t scope = buffer->scope, lanes = e->item_facts[scope].lanes;
  return lanes == SNI_NO_ITEM ? 0 : sni_tree_buffer_lanes(e->tree, number);
}

static place access_place(sni_emitter *e, uint32_t number) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  place p = {
      .access = access,
      .dtype = (sn_dtype)sni_tree_buffers(e->tree)[access->buffer].dtype,
      .buffer = sni_buffer_address(e, access->buffer),
      .offset = e->offsets[number],
      .displacement = e->displacements[number],
      .stride = sni_extent_constant(0),
  };
  p.element = sni_ir_memory_type(e, p.dtype);
  const bool indexed = access->index != SNI_NO_VALUE;
  p.by_lane = indexed && e->is_vector[access->index];
  if (indexed && !p.by_lane) p.offset = sni_ir_add(e, p.offset, e->values[access->index].scalar);
  if (e->lanes_depth < 0) return p;
  p.stride = access->stride[e->lanes_depth];
  p.room = lane_room(e, access->buffer);
  if (p.room) {
    p.offset = sni_ir_mul(e, p.offset, sni_ir_i64(e, p.room));
    p.stride = sni_extent_constant(1);
  }
  p.varies = p.by_lane || sni_extent_varies(p.stride);
  return p;
}

static LLVMValueRef address_at(sni_emitter *e, const place *p, LLVMValueRef offset,
                               int64_t constant) {
  LLVMValueRef address = sni_ir_element_address(e, p->element, p->buffer, offset);
  return sni_ir_element_address(e, p->element, address, sni_ir_i64(e, p->displacement + constant));
}

static LLVMValueRef scalar_address(sni_emitter *e, const place *p) {
  return address_at(e, p, p->offset, 0);
}

// Address of lane 0 of vector u, without an index that varies by lane. Vectors of a group differ by
// a constant.
static LLVMValueRef vector_address(sni_emitter *e, const place *p, const sni_group *group, int u) {
  if (p->stride.param < 0)
    return address_at(e, p, p->offset, (int64_t)u * e->lanes * p->stride.value);
  LLVMValueRef offset = sni_ir_mul(e, group->index[u], sni_emit_extent(e, p->stride));
  return address_at(e, p, sni_ir_add(e, p->offset, offset), 0);
}

static LLVMValueRef lane_offsets(sni_emitter *e, const place *p, int u) {
  const unsigned width = (unsigned)e->lanes;
  const sni_kernel_size stride = {p->stride.value, (int32_t)p->stride.param};
  LLVMValueRef offsets = sni_emit_lane_offsets(e, stride, width);
  if (!p->by_lane) return offsets;
  if (sni_ir_element(LLVMTypeOf(offsets)) == e->type_i32)
    offsets = sni_ir_iota(e->type_i64, width, p->stride.value);
  LLVMValueRef index = sni_operand(e, p->access->index, u);
  if (p->room) index = LLVMBuildMul(e->builder, index, sni_ir_int(LLVMTypeOf(index), p->room), "");
  return LLVMBuildAdd(e->builder, offsets, index, "");
}

static LLVMValueRef reversed(sni_emitter *e, LLVMValueRef vector) {
  int lanes[sni_max_group];
  const int width = (int)sni_ir_width(LLVMTypeOf(vector));
  for (int i = 0; i < width; i++) lanes[i] = width - 1 - i;
  return sni_ir_shuffle(e, vector, NULL, lanes, (unsigned)width);
}

// A vector that runs backwards through memory: the address of its last lane.
static LLVMValueRef lowest_address(sni_emitter *e, const place *p, LLVMValueRef address) {
  return sni_ir_element_address(e, p->element, address, sni_ir_i64(e, 1 - e->lanes));
}

static LLVMValueRef load_vector(sni_emitter *e, const place *p, const sni_group *group, int u,
                                LLVMValueRef mask) {
  LLVMTypeRef type = LLVMVectorType(p->element, (unsigned)e->lanes);
  LLVMValueRef address = vector_address(e, p, group, u);
  if (!p->by_lane && sni_extent_is(p->stride, 1))
    return sni_emit_vector_load(e, type, address, mask);
  if (!p->by_lane && sni_extent_is(p->stride, -1) && !mask)
    return reversed(e, sni_emit_vector_load(e, type, lowest_address(e, p, address), NULL));
  return sni_emit_gather(e, type, address, lane_offsets(e, p, u), mask);
}

static void store_vector(sni_emitter *e, const place *p, LLVMValueRef value, const sni_group *group,
                         int u, LLVMValueRef mask) {
  LLVMValueRef address = vector_address(e, p, group, u);
  if (!p->by_lane && sni_extent_is(p->stride, 1))
    sni_emit_vector_store(e, value, address, mask);
  else if (!p->by_lane && sni_extent_is(p->stride, -1) && !mask)
    sni_emit_vector_store(e, reversed(e, value), lowest_address(e, p, address), NULL);
  else
    sni_emit_scatter(e, value, address, lane_offsets(e, p, u), mask);
}

// ---- ranges
static const sni_tree_range *range_at(const sni_emitter *e, const sni_tree_access *access, int i) {
  return &sni_tree_ranges(e->tree)[access->first_range + i];
}

static sni_extent range_stride(const sni_emitter *e, const sni_tree_range *range) {
  return e->lanes_depth < 0 ? sni_extent_constant(0) : range->stride[e->lanes_depth];
}

// The form at lane 0 of vector u, or, without a group, of an access that does not vary.
static LLVMValueRef form_at(sni_emitter *e, const sni_tree_access *access, int i,
                            const sni_group *group, int u) {
  const sni_extent stride = range_stride(e, range_at(e, access, i));
  LLVMValueRef form = e->forms[access->first_range + i];
  if (!group || !sni_extent_varies(stride)) return form;
  if (stride.param < 0)
    return sni_ir_add(e, form, sni_ir_i64(e, (int64_t)u * e->lanes * stride.value));
  return sni_ir_add(e, form, sni_ir_mul(e, group->index[u], sni_emit_extent(e, stride)));
}

static LLVMValueRef both(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  return a ? LLVMBuildAnd(e->builder, a, b, "") : b;
}

// 0 <= form < extent, as one unsigned comparison.
static LLVMValueRef in_range(sni_emitter *e, LLVMValueRef form, sni_extent extent) {
  LLVMValueRef size = sni_emit_extent(e, extent);
  size = sni_ir_splat(e, size, sni_ir_width(LLVMTypeOf(form)));
  return LLVMBuildICmp(e->builder, LLVMIntULT, form, size, "");
}

// i1: the ranges that do not vary along the lanes hold (NULL: there are none); and for those that
// do, that they hold for the first and for the last lane of the group, hence for all.
static LLVMValueRef ranges_hold(sni_emitter *e, const sni_tree_access *access,
                                const sni_group *group, bool varying) {
  LLVMValueRef hold = NULL;
  for (int i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = range_at(e, access, i);
    const sni_extent stride = range_stride(e, range);
    const bool varies = group && sni_extent_varies(stride);
    if (varies != varying) continue;
    const int last = varies ? group->first + group->count - 1 : 0;
    LLVMValueRef form = form_at(e, access, i, group, varies ? group->first : 0);
    hold = both(e, hold, in_range(e, form, range->extent));
    if (!varies) continue;
    LLVMValueRef steps = sni_ir_mul(e, sni_emit_extent(e, stride), sni_ir_i64(e, e->lanes - 1));
    form = sni_ir_add(e, form_at(e, access, i, group, last), steps);
    hold = both(e, hold, in_range(e, form, range->extent));
  }
  return hold;
}

// Lanes of vector u for which all ranges hold.
static LLVMValueRef range_mask(sni_emitter *e, const sni_tree_access *access,
                               const sni_group *group, int u) {
  const unsigned width = (unsigned)e->lanes;
  LLVMValueRef mask = group->mask[u];
  for (int i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = range_at(e, access, i);
    const sni_extent stride = range_stride(e, range);
    LLVMValueRef form = sni_ir_splat(e, form_at(e, access, i, group, u), width);
    if (sni_extent_varies(stride)) {
      LLVMValueRef steps = sni_ir_splat(e, sni_emit_extent(e, stride), width);
      steps = LLVMBuildMul(e->builder, steps, sni_ir_iota(e->type_i64, width, 1), "");
      form = LLVMBuildAdd(e->builder, form, steps, "");
    }
    mask = both(e, mask, in_range(e, form, range->extent));
  }
  return mask;
}

static bool is_false(LLVMValueRef condition) {
  return condition && LLVMIsAConstantInt(condition) && LLVMIsNull(condition);
}
static bool is_true(LLVMValueRef condition) {
  return !condition || (LLVMIsAConstantInt(condition) && !LLVMIsNull(condition));
}

// Two ways of one access, chosen by a condition, and where they meet.
typedef struct fork {
  LLVMBasicBlockRef yes, no, after;
  LLVMBasicBlockRef ends[2];
} fork;

static fork fork_at(sni_emitter *e, LLVMValueRef condition) {
  fork f = {.yes = sni_ir_block(e, "inside"), .no = sni_ir_block(e, "border")};
  f.after = sni_ir_block(e, "after");
  LLVMBuildCondBr(e->builder, condition, f.yes, f.no);
  LLVMPositionBuilderAtEnd(e->builder, f.yes);
  return f;
}

static void fork_other(sni_emitter *e, fork *f) {
  f->ends[0] = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, f->after);
  LLVMPositionBuilderAtEnd(e->builder, f->no);
}

static void fork_join(sni_emitter *e, fork *f) {
  f->ends[1] = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, f->after);
  LLVMPositionBuilderAtEnd(e->builder, f->after);
}

static LLVMValueRef joined(sni_emitter *e, const fork *f, LLVMValueRef yes, LLVMValueRef no) {
  LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(yes), "");
  LLVMAddIncoming(phi, &yes, (LLVMBasicBlockRef *)&f->ends[0], 1);
  LLVMAddIncoming(phi, &no, (LLVMBasicBlockRef *)&f->ends[1], 1);
  return phi;
}

// ---- loads
static LLVMValueRef otherwise_of(const sni_emitter *e, const place *p, int u) {
  if (p->access->otherwise != SNI_NO_VALUE) return sni_operand(e, p->access->otherwise, u);
  LLVMTypeRef type = sni_ir_type(e, p->dtype);  // of an operand of a CONTRACT
  return LLVMConstNull(u < 0 ? type : LLVMVectorType(type, (unsigned)e->lanes));
}

static LLVMValueRef load_scalar(sni_emitter *e, const place *p) {
  LLVMValueRef value = LLVMBuildLoad2(e->builder, p->element, scalar_address(e, p), "");
  return sni_from_memory(e, p->dtype, value);
}

static LLVMValueRef ranged_scalar(sni_emitter *e, const place *p) {
  LLVMValueRef hold = ranges_hold(e, p->access, NULL, false);
  if (is_true(hold)) return load_scalar(e, p);
  LLVMValueRef otherwise = otherwise_of(e, p, -1);
  if (is_false(hold)) return otherwise;
  fork f = fork_at(e, hold);
  LLVMValueRef value = load_scalar(e, p);
  fork_other(e, &f);
  fork_join(e, &f);
  return joined(e, &f, value, otherwise);
}

static void load_inside(sni_emitter *e, const place *p, const sni_group *group, LLVMValueRef *out) {
  for (int u = group->first; u < group->first + group->count; u++)
    out[u] = sni_from_memory(e, p->dtype, load_vector(e, p, group, u, group->mask[u]));
}

// Lanes where the ranges do not hold get the other value.
static void load_border(sni_emitter *e, const place *p, const sni_group *group, LLVMValueRef *out) {
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef mask = range_mask(e, p->access, group, u);
    LLVMValueRef value = sni_from_memory(e, p->dtype, load_vector(e, p, group, u, mask));
    out[u] = sni_ir_select(e, mask, value, otherwise_of(e, p, u));
  }
}

static void load_ranged(sni_emitter *e, const place *p, const sni_group *group, LLVMValueRef *out) {
  LLVMValueRef uniform = ranges_hold(e, p->access, group, false),
               varying = ranges_hold(e, p->access, group, true);
  LLVMValueRef yes[sni_max_group], no[sni_max_group];
  LLVMValueRef hold = uniform && varying ? both(e, uniform, varying) : uniform ? uniform : varying;
  if (is_true(hold)) {
    load_inside(e, p, group, out);
    return;
  }
  fork f = fork_at(e, hold);
  load_inside(e, p, group, yes);
  fork_other(e, &f);
  if (varying) {
    load_border(e, p, group, no);
  } else {
    for (int u = group->first; u < group->first + group->count; u++) no[u] = otherwise_of(e, p, u);
  }
  fork_join(e, &f);
  for (int u = group->first; u < group->first + group->count; u++)
    out[u] = joined(e, &f, yes[u], no[u]);
}

static void load_vectors(sni_emitter *e, const place *p, const sni_group *group,
                         LLVMValueRef *out) {
  if (p->access->n_ranges)
    load_ranged(e, p, group, out);
  else
    load_inside(e, p, group, out);
}

static void load_held(sni_emitter *e, uint32_t number, uint32_t buffer, const sni_group *group) {
  LLVMTypeRef element = sni_ir_type(e, (sn_dtype)sni_inst_at(e, number)->dtype);
  LLVMTypeRef type = LLVMVectorType(element, (unsigned)e->lanes);
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef held = e->held[buffer][u];
    LLVMValueRef value = held ? held : LLVMConstNull(type);
    if (e->is_vector[number])
      sni_set_vector(e, number, u, value);
    else
      sni_set_scalar(e, number, sni_ir_slice(e, value, 0, 1));
  }
}

void sni_tree_load(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const uint32_t buffer = sni_tree_accesses(e->tree)[inst->access].buffer;
  if (e->held[buffer]) {
    load_held(e, number, buffer, group);
    return;
  }
  const place p = access_place(e, inst->access);
  LLVMValueRef out[sni_max_group];
  if (!e->is_vector[number]) {
    sni_set_scalar(e, number, p.access->n_ranges ? ranged_scalar(e, &p) : load_scalar(e, &p));
    return;
  }
  load_vectors(e, &p, group, out);
  for (int u = group->first; u < group->first + group->count; u++)
    sni_set_vector(e, number, u, out[u]);
}

static bool ranges_vary(const sni_emitter *e, const sni_tree_access *access) {
  for (int i = 0; i < access->n_ranges; i++)
    if (sni_extent_varies(range_stride(e, range_at(e, access, i)))) return true;
  return false;
}

void sni_tree_elements(sni_emitter *e, uint32_t number, const sni_group *group, LLVMValueRef *out) {
  const place p = access_place(e, number);
  if (group && (p.varies || ranges_vary(e, p.access))) {
    load_vectors(e, &p, group, out);
    return;
  }
  LLVMValueRef value = p.access->n_ranges ? ranged_scalar(e, &p) : load_scalar(e, &p);
  if (!group) {
    out[0] = value;
    return;
  }
  value = sni_ir_splat(e, value, (unsigned)e->lanes);
  for (int u = group->first; u < group->first + group->count; u++) out[u] = value;
}

// ---- streamed stores: around the caches where the address allows it; outputs may lie in the
// caller's memory
static unsigned stream_bytes(const sni_emitter *e, const sni_tree_access *access) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[access->buffer];
  const unsigned bytes = (unsigned)sni_dtype_bytes((sn_dtype)buffer->dtype) * (unsigned)e->lanes;
  const bool direct = access->index == SNI_NO_VALUE && !access->n_ranges &&
                      sni_extent_is(access->stride[e->lanes_depth], 1);
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
    const unsigned bytes = stream_bytes(e, &sni_tree_accesses(e->tree)[inst->access]);
    if (!bytes) continue;
    const place p = access_place(e, inst->access);
    e->aligned[inst->access] =
        is_aligned(e, address_at(e, &p, sni_ir_add(e, p.offset, first), 0), bytes);
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

static void store_inside(sni_emitter *e, uint32_t number, const place *p, const sni_group *group) {
  for (int u = group->first; u < group->first + group->count; u++)
    store_vector(e, p, stored(e, number, u), group, u, group->mask[u]);
}

// The vectors of a group lie one behind the other, so they are aligned alike.
static void store_streamed(sni_emitter *e, uint32_t number, const place *p, const sni_group *group,
                           unsigned bytes) {
  LLVMValueRef aligned = e->aligned[sni_inst_at(e, number)->access];
  if (!aligned) aligned = is_aligned(e, vector_address(e, p, group, group->first), bytes);
  fork f = fork_at(e, aligned);
  for (int u = group->first; u < group->first + group->count; u++)
    stream_vector(e, stored(e, number, u), vector_address(e, p, group, u), bytes);
  fork_other(e, &f);
  store_inside(e, number, p, group);
  fork_join(e, &f);
}

static void store_ranged(sni_emitter *e, uint32_t number, const place *p, const sni_group *group) {
  LLVMValueRef uniform = ranges_hold(e, p->access, group, false),
               varying = ranges_hold(e, p->access, group, true);
  LLVMValueRef hold = uniform && varying ? both(e, uniform, varying) : uniform ? uniform : varying;
  fork f = fork_at(e, hold);
  store_inside(e, number, p, group);
  fork_other(e, &f);
  for (int u = group->first; varying && u < group->first + group->count; u++)
    store_vector(e, p, stored(e, number, u), group, u, range_mask(e, p->access, group, u));
  fork_join(e, &f);
}

static void store_scalar(sni_emitter *e, uint32_t number, const place *p) {
  LLVMValueRef hold = ranges_hold(e, p->access, NULL, false), value = stored(e, number, -1);
  if (!hold) {
    LLVMBuildStore(e->builder, value, scalar_address(e, p));
    return;
  }
  fork f = fork_at(e, hold);
  LLVMBuildStore(e->builder, value, scalar_address(e, p));
  fork_other(e, &f);
  fork_join(e, &f);
}

static bool has_masks(const sni_group *group) {
  for (int u = group->first; u < group->first + group->count; u++)
    if (group->mask[u]) return true;
  return false;
}

void sni_tree_store(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const uint32_t value = inst->operands[0];
  const uint32_t buffer = sni_tree_accesses(e->tree)[inst->access].buffer;
  if (e->held[buffer]) {
    for (int u = group->first; u < group->first + group->count; u++)
      e->held[buffer][u] = sni_operand(e, value, u);
    return;
  }
  const place p = access_place(e, inst->access);
  if (!group || (!p.varies && !e->is_vector[value] && !ranges_vary(e, p.access))) {
    store_scalar(e, number, &p);
    return;
  }
  const unsigned bytes = p.room ? 0 : stream_bytes(e, p.access);
  if (p.access->n_ranges)
    store_ranged(e, number, &p, group);
  else if (bytes && !has_masks(group))
    store_streamed(e, number, &p, group, bytes);
  else
    store_inside(e, number, &p, group);
}

// ---- STORE_ADD
static LLVMValueRef sum_of(sni_emitter *e, LLVMValueRef old, LLVMValueRef value) {
  LLVMTypeRef element = sni_ir_element(LLVMTypeOf(old));
  const bool real = element == e->type_f32 || element == e->type_f64;
  return real ? LLVMBuildFAdd(e->builder, old, value, "")
              : LLVMBuildAdd(e->builder, old, value, "");
}

static void add_at(sni_emitter *e, LLVMTypeRef element, LLVMValueRef address, LLVMValueRef value) {
  LLVMValueRef old = LLVMBuildLoad2(e->builder, element, address, "");
  LLVMBuildStore(e->builder, sum_of(e, old, value), address);
}

// Lanes may meet in one element: one after another.
static void add_lanes(sni_emitter *e, const place *p, LLVMValueRef value, const sni_group *group,
                      int u, LLVMValueRef mask) {
  LLVMValueRef base = vector_address(e, p, group, u), offsets = lane_offsets(e, p, u);
  offsets = LLVMBuildSExt(e->builder, offsets, sni_ir_like(LLVMTypeOf(offsets), e->type_i64), "");
  LLVMValueRef lanes = sni_ir_i64(e, e->lanes);
  LLVMValueRef end = group->mask[u] ? sni_ir_min(e, group->active[u], lanes) : lanes;
  sni_loop loop;
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), end, sni_ir_i64(e, 1), 0);
  LLVMValueRef offset = LLVMBuildExtractElement(e->builder, offsets, loop.index, "");
  LLVMValueRef lane = LLVMBuildExtractElement(e->builder, value, loop.index, "");
  LLVMValueRef address = sni_ir_element_address(e, p->element, base, offset);
  if (mask == group->mask[u]) {
    add_at(e, p->element, address, lane);
  } else {
    fork f = fork_at(e, LLVMBuildExtractElement(e->builder, mask, loop.index, ""));
    add_at(e, p->element, address, lane);
    fork_other(e, &f);
    fork_join(e, &f);
  }
  sni_loop_end(e, &loop, NULL);
}

static void add_scalar(sni_emitter *e, uint32_t number, const place *p) {
  LLVMValueRef hold = ranges_hold(e, p->access, NULL, false), value = stored(e, number, -1);
  if (!hold) {
    add_at(e, p->element, scalar_address(e, p), value);
    return;
  }
  fork f = fork_at(e, hold);
  add_at(e, p->element, scalar_address(e, p), value);
  fork_other(e, &f);
  fork_join(e, &f);
}

void sni_tree_store_add(sni_emitter *e, uint32_t number, const sni_group *group) {
  const place p = access_place(e, sni_inst_at(e, number)->access);
  if (!group) {
    add_scalar(e, number, &p);
    return;
  }
  LLVMTypeRef type = LLVMVectorType(p.element, (unsigned)e->lanes);
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef value = stored(e, number, u);
    LLVMValueRef mask = p.access->n_ranges ? range_mask(e, p.access, group, u) : group->mask[u];
    if (p.by_lane || !sni_extent_is(p.stride, 1)) {
      add_lanes(e, &p, value, group, u, mask);
      continue;
    }
    LLVMValueRef address = vector_address(e, &p, group, u);
    LLVMValueRef old = sni_emit_vector_load(e, type, address, mask);
    sni_emit_vector_store(e, sum_of(e, old, value), address, mask);
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

void sni_tree_check_index(sni_emitter *e, uint32_t number, const sni_group *group) {
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
