// Accesses of a tree: element addresses, ranges, ROW and LOCAL buffers, loads.
//
// Invariant: no byte outside the elements that the iterations reach is ever touched: lanes outside
// the loop or the ranges are masked. A vector access is aligned to its element only, unless it
// bypasses the caches. Ranges are asked once for a group: where all its lanes are inside, the access
// is an ordinary one.
#include "codegen/llvm/emit_access.h"

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

LLVMValueRef sni_buffer_address(sni_emitter *e, uint32_t number) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[number];
  if (buffer->space == SNI_SPACE_GLOBAL) return e->buffers[number];
  const int64_t offset = (int64_t)sizeof(sni_scratch_header) + buffer->offset;
  return sni_ir_element_address(e, e->type_i8, e->scratch, sni_ir_i64(e, offset));
}

// Lanes side by side in a buffer whose elements the lanes that run now own; else 0. No more than a turn
// has: what it keeps lies densely.
static int64_t lane_room(const sni_emitter *e, uint32_t number) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[number];
  if (buffer->space == SNI_SPACE_GLOBAL || e->lanes_depth < 0) return 0;
  const uint32_t scope = buffer->scope, lanes = e->item_facts[scope].lanes;
  if (lanes == SNI_NO_ITEM) return 0;
  const int64_t room = sni_tree_buffer_lanes(e->tree, number);
  return e->turn_lanes && e->turn_lanes < room ? e->turn_lanes : room;
}

sni_place sni_access_place(sni_emitter *e, uint32_t number) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  sni_place p = {
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
  p.stride = sni_stride_along(e, number, access->stride, e->lanes_depth);
  p.room = lane_room(e, access->buffer);
  p.step = sni_emit_extent(e, p.stride);
  if (p.room) {  // element i of lane l lies at i * room + l
    LLVMValueRef room = sni_ir_i64(e, p.room);
    p.offset = sni_ir_mul(e, p.offset, room);
    p.step = sni_ir_add(e, sni_ir_mul(e, p.step, room), sni_ir_i64(e, 1));
    if (p.stride.param < 0) p.stride.value = p.stride.value * p.room + 1;
  }
  p.varies = p.by_lane || sni_extent_varies(p.stride);
  return p;
}

LLVMValueRef sni_address_at(sni_emitter *e, const sni_place *p, LLVMValueRef offset,
                            int64_t constant) {
  LLVMValueRef address = sni_ir_element_address(e, p->element, p->buffer, offset);
  return sni_ir_element_address(e, p->element, address, sni_ir_i64(e, p->displacement + constant));
}

LLVMValueRef sni_scalar_address(sni_emitter *e, const sni_place *p) {
  return sni_address_at(e, p, p->offset, 0);
}

// Address of lane 0 of vector u, without an index that varies by lane. Vectors of a group differ by
// a constant.
LLVMValueRef sni_vector_address(sni_emitter *e, const sni_place *p, int u) {
  if (p->stride.param < 0)
    return sni_address_at(e, p, p->offset, (int64_t)u * e->lanes * p->stride.value);
  LLVMValueRef far = sni_ir_mul(e, p->step, sni_ir_i64(e, (int64_t)u * e->lanes));
  return sni_address_at(e, p, sni_ir_add(e, p->offset, far), 0);
}

// Offsets of 32 bits where they fit: half the gather instructions.
static LLVMValueRef steps(sni_emitter *e, const sni_place *p, bool narrow) {
  const int64_t most = INT32_MAX / sni_max_group;
  const unsigned width = (unsigned)e->lanes;
  if (p->stride.param >= 0)
    return LLVMBuildMul(e->builder, sni_ir_splat(e, p->step, width),
                        sni_ir_iota(e->type_i64, width, 1), "");
  narrow = narrow && p->stride.value > -most && p->stride.value < most;
  return sni_ir_iota(narrow ? e->type_i32 : e->type_i64, width, p->stride.value);
}

LLVMValueRef sni_lane_offsets(sni_emitter *e, const sni_place *p, int u) {
  LLVMValueRef offsets = steps(e, p, !p->by_lane);
  if (!p->by_lane) return offsets;
  LLVMValueRef index = sni_operand(e, p->access->index, u);
  if (p->room) index = LLVMBuildMul(e->builder, index, sni_ir_int(LLVMTypeOf(index), p->room), "");
  return LLVMBuildAdd(e->builder, offsets, index, "");
}

LLVMValueRef sni_reversed(sni_emitter *e, LLVMValueRef vector) {
  int lanes[sni_max_group];
  const int width = (int)sni_ir_width(LLVMTypeOf(vector));
  for (int i = 0; i < width; i++) lanes[i] = width - 1 - i;
  return sni_ir_shuffle(e, vector, NULL, lanes, (unsigned)width);
}

// A vector that runs backwards through memory: the address of its last lane.
LLVMValueRef sni_lowest_address(sni_emitter *e, const sni_place *p, LLVMValueRef address) {
  return sni_ir_element_address(e, p->element, address, sni_ir_i64(e, 1 - e->lanes));
}

static LLVMValueRef load_vector_at(sni_emitter *e, const sni_place *p, int u, LLVMValueRef address,
                                   LLVMValueRef mask) {
  LLVMTypeRef type = LLVMVectorType(p->element, (unsigned)e->lanes);
  if (!p->by_lane && sni_extent_is(p->stride, 1))
    return sni_emit_vector_load(e, type, address, mask);
  if (!p->by_lane && sni_extent_is(p->stride, -1) && !mask)
    return sni_reversed(e, sni_emit_vector_load(e, type, sni_lowest_address(e, p, address), NULL));
  return sni_emit_gather(e, type, address, sni_lane_offsets(e, p, u), mask);
}

static LLVMValueRef load_vector(sni_emitter *e, const sni_place *p, int u, LLVMValueRef mask) {
  return load_vector_at(e, p, u, sni_vector_address(e, p, u), mask);
}

// The address, or one that is there for sure where the mask has no lane: some CPUs take hundreds of
// cycles to find that of a page which is not there nothing is wanted.
static LLVMValueRef address_if_any(sni_emitter *e, LLVMValueRef address, LLVMValueRef mask) {
  LLVMTypeRef bits = LLVMIntTypeInContext(e->context, (unsigned)e->lanes);
  LLVMValueRef lanes = LLVMBuildBitCast(e->builder, mask, bits, "");
  LLVMValueRef any = LLVMBuildICmp(e->builder, LLVMIntNE, lanes, LLVMConstNull(bits), "");
  return LLVMBuildSelect(e->builder, any, address, LLVMGetParam(e->function, 0), "");
}

// ---- ranges
static const sni_tree_range *range_at(const sni_emitter *e, const sni_tree_access *access, int i) {
  return &sni_tree_ranges(e->tree)[access->first_range + i];
}

// Along the lanes.
static sni_extent range_stride(const sni_emitter *e, const sni_tree_access *access, int i) {
  const uint32_t number = (uint32_t)(access - sni_tree_accesses(e->tree));
  return sni_stride_along(e, number, range_at(e, access, i)->stride, e->lanes_depth);
}

// The form at lane 0 of vector u, or, without a group, of an access that does not vary.
static LLVMValueRef form_at(sni_emitter *e, const sni_tree_access *access, int i,
                            const sni_group *group, int u) {
  LLVMValueRef form = e->forms[access->first_range + i];
  if (!group) return form;
  LLVMValueRef stride = sni_emit_extent(e, range_stride(e, access, i));
  return sni_ir_add(e, form, sni_ir_mul(e, stride, sni_ir_i64(e, (int64_t)u * e->lanes)));
}

LLVMValueRef sni_both(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  return a ? LLVMBuildAnd(e->builder, a, b, "") : b;
}

// 0 <= form < extent, as one unsigned comparison.
static LLVMValueRef in_range(sni_emitter *e, LLVMValueRef form, sni_extent extent) {
  LLVMValueRef size = sni_emit_extent(e, extent);
  size = sni_ir_splat(e, size, sni_ir_width(LLVMTypeOf(form)));
  return LLVMBuildICmp(e->builder, LLVMIntULT, form, size, "");
}

LLVMValueRef sni_ranges_hold(sni_emitter *e, const sni_tree_access *access, const sni_group *group,
                             bool varying) {
  LLVMValueRef hold = NULL;
  for (int i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = range_at(e, access, i);
    const sni_extent stride = range_stride(e, access, i);
    const bool varies = group && sni_extent_varies(stride);
    if (varies != varying) continue;
    const int last = varies ? group->first + group->count - 1 : 0;
    LLVMValueRef form = form_at(e, access, i, group, varies ? group->first : 0);
    hold = sni_both(e, hold, in_range(e, form, range->extent));
    if (!varies) continue;
    LLVMValueRef steps = sni_ir_mul(e, sni_emit_extent(e, stride), sni_ir_i64(e, e->lanes - 1));
    form = sni_ir_add(e, form_at(e, access, i, group, last), steps);
    hold = sni_both(e, hold, in_range(e, form, range->extent));
  }
  return hold;
}

LLVMValueRef sni_range_mask(sni_emitter *e, const sni_tree_access *access, const sni_group *group,
                            int u) {
  const unsigned width = (unsigned)e->lanes;
  LLVMValueRef mask = group->mask[u];
  for (int i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = range_at(e, access, i);
    const sni_extent stride = range_stride(e, access, i);
    LLVMValueRef form = sni_ir_splat(e, form_at(e, access, i, group, u), width);
    if (sni_extent_varies(stride)) {
      LLVMValueRef steps = sni_ir_splat(e, sni_emit_extent(e, stride), width);
      steps = LLVMBuildMul(e->builder, steps, sni_ir_iota(e->type_i64, width, 1), "");
      form = LLVMBuildAdd(e->builder, form, steps, "");
    }
    mask = sni_both(e, mask, in_range(e, form, range->extent));
  }
  return mask;
}

static bool is_false(LLVMValueRef condition) {
  return condition && LLVMIsAConstantInt(condition) && LLVMIsNull(condition);
}
static bool is_true(LLVMValueRef condition) {
  return !condition || (LLVMIsAConstantInt(condition) && !LLVMIsNull(condition));
}

sni_fork sni_fork_at(sni_emitter *e, LLVMValueRef condition) {
  sni_fork f = {.yes = sni_ir_block(e, "inside"), .no = sni_ir_block(e, "border")};
  f.after = sni_ir_block(e, "after");
  LLVMBuildCondBr(e->builder, condition, f.yes, f.no);
  LLVMPositionBuilderAtEnd(e->builder, f.yes);
  return f;
}

void sni_fork_other(sni_emitter *e, sni_fork *f) {
  f->ends[0] = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, f->after);
  LLVMPositionBuilderAtEnd(e->builder, f->no);
}

void sni_fork_join(sni_emitter *e, sni_fork *f) {
  f->ends[1] = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, f->after);
  LLVMPositionBuilderAtEnd(e->builder, f->after);
}

static LLVMValueRef joined(sni_emitter *e, const sni_fork *f, LLVMValueRef yes, LLVMValueRef no) {
  LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(yes), "");
  LLVMAddIncoming(phi, &yes, (LLVMBasicBlockRef *)&f->ends[0], 1);
  LLVMAddIncoming(phi, &no, (LLVMBasicBlockRef *)&f->ends[1], 1);
  return phi;
}

// ---- loads
static LLVMValueRef otherwise_of(const sni_emitter *e, const sni_place *p, int u) {
  if (p->access->otherwise != SNI_NO_VALUE) return sni_operand(e, p->access->otherwise, u);
  LLVMTypeRef type = sni_ir_type(e, p->dtype);  // of an operand of a CONTRACT
  return LLVMConstNull(u < 0 ? type : LLVMVectorType(type, (unsigned)e->lanes));
}

static LLVMValueRef load_scalar(sni_emitter *e, const sni_place *p) {
  LLVMValueRef value = LLVMBuildLoad2(e->builder, p->element, sni_scalar_address(e, p), "");
  return sni_from_memory(e, p->dtype, value);
}

static LLVMValueRef ranged_scalar(sni_emitter *e, const sni_place *p) {
  LLVMValueRef hold = sni_ranges_hold(e, p->access, NULL, false);
  if (is_true(hold)) return load_scalar(e, p);
  LLVMValueRef otherwise = otherwise_of(e, p, -1);
  if (is_false(hold)) return otherwise;
  sni_fork f = sni_fork_at(e, hold);
  LLVMValueRef value = load_scalar(e, p);
  sni_fork_other(e, &f);
  sni_fork_join(e, &f);
  return joined(e, &f, value, otherwise);
}

// A masked gather where the machine has none is a branch for each lane: lanes behind the end of the
// loop read some other memory. No lane of a group need be inside: it may be the second half of a turn.
static bool reads_elsewhere(const sni_emitter *e, const sni_place *p, LLVMValueRef mask) {
  return mask && !e->avx512 && !p->by_lane && !sni_extent_is(p->stride, 1);
}

static LLVMValueRef load_lane_by_lane(sni_emitter *e, const sni_place *p, int u,
                                      LLVMValueRef mask) {
  const unsigned width = (unsigned)e->lanes;
  LLVMTypeRef type = LLVMVectorType(p->element, width);
  LLVMValueRef there = sni_ir_splat(e, LLVMGetParam(e->function, 0), width);
  LLVMValueRef addresses =
      sni_lane_addresses(e, type, sni_vector_address(e, p, u), sni_lane_offsets(e, p, u));
  return sni_emit_gather_from(e, type, sni_ir_select(e, mask, addresses, there), NULL);
}

static void load_inside(sni_emitter *e, const sni_place *p, const sni_group *group,
                        LLVMValueRef *out) {
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef mask = group->mask[u];
    out[u] = sni_from_memory(e, p->dtype,
                             reads_elsewhere(e, p, mask) ? load_lane_by_lane(e, p, u, mask)
                                                         : load_vector(e, p, u, mask));
  }
}

// Lanes where the ranges do not hold get the other value.
static void load_border(sni_emitter *e, const sni_place *p, const sni_group *group,
                        LLVMValueRef *out) {
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef mask = sni_range_mask(e, p->access, group, u);
    LLVMValueRef address = address_if_any(e, sni_vector_address(e, p, u), mask);
    LLVMValueRef value = sni_from_memory(e, p->dtype, load_vector_at(e, p, u, address, mask));
    out[u] = sni_ir_select(e, mask, value, otherwise_of(e, p, u));
  }
}

static void load_ranged(sni_emitter *e, const sni_place *p, const sni_group *group,
                        LLVMValueRef *out) {
  LLVMValueRef uniform = sni_ranges_hold(e, p->access, group, false),
               varying = sni_ranges_hold(e, p->access, group, true);
  LLVMValueRef yes[sni_max_group], no[sni_max_group];
  LLVMValueRef hold = uniform && varying ? sni_both(e, uniform, varying)
                      : uniform          ? uniform
                                         : varying;
  if (is_true(hold)) {
    load_inside(e, p, group, out);
    return;
  }
  sni_fork f = sni_fork_at(e, hold);
  load_inside(e, p, group, yes);
  sni_fork_other(e, &f);
  if (varying) {
    load_border(e, p, group, no);
  } else {
    for (int u = group->first; u < group->first + group->count; u++) no[u] = otherwise_of(e, p, u);
  }
  sni_fork_join(e, &f);
  for (int u = group->first; u < group->first + group->count; u++)
    out[u] = joined(e, &f, yes[u], no[u]);
}

static void load_vectors(sni_emitter *e, const sni_place *p, const sni_group *group,
                         LLVMValueRef *out) {
  const bool ranged = p->access->n_ranges && e->ranges != SNI_RANGES_HOLD;
  if (ranged && e->ranges == SNI_RANGES_BORDER)
    load_border(e, p, group, out);
  else if (ranged)
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

static bool is_known(const sni_emitter *e, uint32_t number, const sni_place *p) {
  return e->known && !e->is_vector[number] && p->access->buffer < e->tree->n_buffers &&
         sni_tree_buffers(e->tree)[p->access->buffer].space == SNI_SPACE_GLOBAL &&
         e->known[p->access->buffer] && !p->access->n_ranges && p->access->index == SNI_NO_VALUE;
}

void sni_emit_load(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const uint32_t buffer = sni_tree_accesses(e->tree)[inst->access].buffer;
  if (e->held[buffer]) {
    load_held(e, number, buffer, group);
    return;
  }
  if (e->row_block[inst->access]) {
    sni_load_column(e, number, group);
    return;
  }
  const sni_place p = sni_access_place(e, inst->access);
  LLVMValueRef out[sni_max_group];
  if (is_known(e, number, &p)) {
    sni_set_scalar(e, number, e->known[buffer]);
    return;
  }
  if (!e->is_vector[number]) {
    const bool ranged = p.access->n_ranges && e->ranges != SNI_RANGES_HOLD;
    sni_set_scalar(e, number, ranged ? ranged_scalar(e, &p) : load_scalar(e, &p));
    return;
  }
  load_vectors(e, &p, group, out);
  for (int u = group->first; u < group->first + group->count; u++)
    sni_set_vector(e, number, u, out[u]);
}

bool sni_ranges_vary(const sni_emitter *e, const sni_tree_access *access) {
  for (int i = 0; i < access->n_ranges; i++)
    if (sni_extent_varies(range_stride(e, access, i))) return true;
  return false;
}

void sni_emit_elements(sni_emitter *e, uint32_t number, const sni_group *group, LLVMValueRef *out) {
  const sni_place p = sni_access_place(e, number);
  if (group && (p.varies || sni_ranges_vary(e, p.access))) {
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
