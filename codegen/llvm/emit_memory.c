// Loads and stores: element addresses, masks of lanes outside the domain, gathers, row scratch and
// index checks.
//
// Invariant: no byte outside the elements that the domain reaches is ever touched: lanes outside
// are masked. A vector access is aligned to its element only, unless it bypasses the caches.
#include "codegen/llvm/emit.h"

#include <string.h>

LLVMValueRef sni_emit_size(sni_emitter *e, sni_kernel_size size) {
  return size.param < 0 ? sni_ir_i64(e, size.value) : e->params[size.param];
}

static bool size_is(sni_kernel_size size, int64_t value) {
  return size.param < 0 && size.value == value;
}

bool sni_access_varies(const sni_kernel_access *access, int axis) {
  return !size_is(access->stride[axis], 0);
}

LLVMValueRef sni_emit_mask(sni_emitter *e, LLVMValueRef active, unsigned width) {
  int64_t count;
  if (width == 1) return LLVMBuildICmp(e->builder, LLVMIntSGT, active, sni_ir_i64(e, 0), "");
  if (sni_ir_is_constant(active, &count)) {
    LLVMValueRef bits[sni_max_group];
    for (unsigned i = 0; i < width; i++)
      bits[i] = LLVMConstInt(e->type_i1, (int64_t)i < count, false);
    return LLVMConstVector(bits, width);
  }
  LLVMValueRef most = sni_ir_min(e, active, sni_ir_i64(e, width));
  LLVMValueRef narrow = LLVMBuildTrunc(e->builder, most, e->type_i32, "");
  return LLVMBuildICmp(e->builder, LLVMIntSLT, sni_ir_iota(e->type_i32, width, 1),
                       sni_ir_splat(e, narrow, width), "");
}

static unsigned element_bytes(const sni_emitter *e, LLVMTypeRef type) {
  LLVMTypeRef element = sni_ir_element(type);
  if (element == e->type_f32 || element == e->type_i32) return 4;
  return element == e->type_i8 ? 1 : 8;
}

// The masked intrinsics: (address, [alignment,] mask, rest). LLVM 22 made the alignment an
// attribute of the address.
static LLVMValueRef masked_call(sni_emitter *e, const char *name, LLVMTypeRef *overloads,
                                LLVMValueRef value, LLVMValueRef address, LLVMValueRef mask,
                                LLVMValueRef rest, unsigned align) {
  LLVMValueRef arguments[4];
  unsigned count = 0;
  if (value) arguments[count++] = value;
  const unsigned position = count + 1;  // attributes count parameters from 1
  arguments[count++] = address;
#if LLVM_VERSION_MAJOR < 22
  (void)position;
  arguments[count++] = LLVMConstInt(e->type_i32, align, false);
#endif
  arguments[count++] = mask;
  if (rest) arguments[count++] = rest;
  LLVMValueRef call = sni_ir_intrinsic(e, name, overloads, 2, arguments, count);
#if LLVM_VERSION_MAJOR >= 22
  const unsigned kind = LLVMGetEnumAttributeKindForName("align", 5);
  LLVMAddCallSiteAttribute(call, position, LLVMCreateEnumAttribute(e->context, kind, align));
#endif
  return call;
}

LLVMValueRef sni_emit_masked_load(sni_emitter *e, LLVMTypeRef type, LLVMValueRef address,
                                  LLVMValueRef mask) {
  LLVMTypeRef overloads[2] = {type, e->type_pointer};
  return masked_call(e, "llvm.masked.load", overloads, NULL, address, mask, LLVMConstNull(type),
                     element_bytes(e, type));
}

void sni_emit_masked_store(sni_emitter *e, LLVMValueRef value, LLVMValueRef address,
                           LLVMValueRef mask) {
  LLVMTypeRef overloads[2] = {LLVMTypeOf(value), e->type_pointer};
  masked_call(e, "llvm.masked.store", overloads, value, address, mask, NULL,
              element_bytes(e, LLVMTypeOf(value)));
}

LLVMValueRef sni_emit_vector_load(sni_emitter *e, LLVMTypeRef type, LLVMValueRef address,
                                  LLVMValueRef mask) {
  if (mask && sni_ir_width(type) > 1) return sni_emit_masked_load(e, type, address, mask);
  LLVMValueRef load = LLVMBuildLoad2(e->builder, type, address, "");
  LLVMSetAlignment(load, element_bytes(e, type));
  return load;
}

void sni_emit_vector_store(sni_emitter *e, LLVMValueRef value, LLVMValueRef address,
                           LLVMValueRef mask) {
  if (mask && sni_ir_width(LLVMTypeOf(value)) > 1) {
    sni_emit_masked_store(e, value, address, mask);
    return;
  }
  LLVMSetAlignment(LLVMBuildStore(e->builder, value, address), element_bytes(e, LLVMTypeOf(value)));
}

static LLVMValueRef all_lanes(sni_emitter *e, unsigned width) {
  return LLVMConstAllOnes(LLVMVectorType(e->type_i1, width));
}

static LLVMValueRef lane_addresses(sni_emitter *e, LLVMTypeRef type, LLVMValueRef base,
                                   LLVMValueRef offsets) {
  return LLVMBuildGEP2(e->builder, sni_ir_element(type), base, &offsets, 1, "");
}

LLVMValueRef sni_emit_gather(sni_emitter *e, LLVMTypeRef type, LLVMValueRef base,
                             LLVMValueRef offsets, LLVMValueRef mask) {
  LLVMValueRef addresses = lane_addresses(e, type, base, offsets);
  LLVMTypeRef overloads[2] = {type, LLVMTypeOf(addresses)};
  if (!mask) mask = all_lanes(e, sni_ir_width(type));
  return masked_call(e, "llvm.masked.gather", overloads, NULL, addresses, mask, LLVMConstNull(type),
                     element_bytes(e, type));
}

void sni_emit_scatter(sni_emitter *e, LLVMValueRef value, LLVMValueRef base, LLVMValueRef offsets,
                      LLVMValueRef mask) {
  LLVMTypeRef type = LLVMTypeOf(value);
  LLVMValueRef addresses = lane_addresses(e, type, base, offsets);
  LLVMTypeRef overloads[2] = {type, LLVMTypeOf(addresses)};
  if (!mask) mask = all_lanes(e, sni_ir_width(type));
  masked_call(e, "llvm.masked.scatter", overloads, value, addresses, mask, NULL,
              element_bytes(e, type));
}

// Offsets of 32 bits where they fit: half the gather instructions.
LLVMValueRef sni_emit_lane_offsets(sni_emitter *e, sni_kernel_size stride, unsigned width) {
  const int64_t most = INT32_MAX / sni_max_group;
  if (stride.param >= 0) {
    LLVMValueRef steps = sni_ir_splat(e, e->params[stride.param], width);
    return LLVMBuildMul(e->builder, steps, sni_ir_iota(e->type_i64, width, 1), "");
  }
  const bool narrow = stride.value > -most && stride.value < most;
  return sni_ir_iota(narrow ? e->type_i32 : e->type_i64, width, stride.value);
}

LLVMValueRef sni_emit_access_offset(sni_emitter *e, const sni_kernel_access *access) {
  LLVMValueRef offset = sni_emit_size(e, access->offset);
  for (int axis = 0; axis < e->kernel->n_outer; axis++) {
    if (axis == e->vector_axis || !sni_access_varies(access, axis)) continue;
    LLVMValueRef stride = sni_emit_size(e, access->stride[axis]);
    offset = sni_ir_add(e, offset, sni_ir_mul(e, e->index[axis], stride));
  }
  return offset;
}

// ---- one access. Offsets are numbers up to the end: accesses of one shape share them, and each
// needs no register but its buffer's.
typedef struct place {
  const sni_kernel_access *access;
  LLVMTypeRef element;     // in memory
  LLVMValueRef buffer;     // address of element 0
  LLVMValueRef offset;     // in elements, without what varies along the vector axis
  int64_t displacement;    // added to it
  sni_kernel_size stride;  // along the vector axis
} place;

static place access_place(sni_emitter *e, uint32_t number) {
  const sni_kernel *k = e->kernel;
  const sni_kernel_access *access = &k->accesses[number];
  place p = {
      .access = access,
      .element = sni_ir_memory_type(e, k->buffers[access->buffer].dtype),
      .buffer = e->buffers[access->buffer],
      .offset = e->offsets[number],
      .displacement = e->displacements[number],
      .stride = access->stride[e->vector_axis],
  };
  for (int axis = k->n_outer; axis < k->n_outer + k->n_inner; axis++) {
    if (axis == e->vector_axis || !sni_access_varies(access, axis)) continue;
    LLVMValueRef stride = sni_emit_size(e, access->stride[axis]);
    p.offset = sni_ir_add(e, p.offset, sni_ir_mul(e, e->index[axis], stride));
  }
  if (access->index != SNI_NO_VALUE && !e->is_vector[access->index])
    p.offset = sni_ir_add(e, p.offset, e->values[access->index].scalar);
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

static bool indexed_by_lane(const sni_emitter *e, const place *p) {
  return p->access->index != SNI_NO_VALUE && e->is_vector[p->access->index];
}

// Address of lane 0 of vector u, without an index that varies by lane. Vectors of a group differ by
// a constant.
static LLVMValueRef vector_address(sni_emitter *e, const place *p, const sni_group *group, int u) {
  const bool known = p->stride.param < 0;
  LLVMValueRef index = group->index[known ? 0 : u];
  LLVMValueRef offset = sni_ir_mul(e, index, sni_emit_size(e, p->stride));
  return address_at(e, p, sni_ir_add(e, p->offset, offset),
                    known ? (int64_t)u * e->lanes * p->stride.value : 0);
}

static LLVMValueRef lane_offsets(sni_emitter *e, const place *p, int u) {
  LLVMValueRef offsets = sni_emit_lane_offsets(e, p->stride, (unsigned)e->lanes);
  if (!indexed_by_lane(e, p)) return offsets;
  if (sni_ir_element(LLVMTypeOf(offsets)) == e->type_i32)
    offsets = sni_ir_iota(e->type_i64, (unsigned)e->lanes, p->stride.value);
  return LLVMBuildAdd(e->builder, offsets, sni_operand(e, p->access->index, u), "");
}

static LLVMValueRef to_memory(sni_emitter *e, LLVMValueRef value) {
  LLVMTypeRef type = LLVMTypeOf(value);
  if (sni_ir_element(type) != e->type_i1) return value;
  return LLVMBuildZExt(e->builder, value, sni_ir_like(type, e->type_i8), "");
}

static LLVMValueRef from_memory(sni_emitter *e, sn_dtype dtype, LLVMValueRef value) {
  if (dtype != SN_BOOL) return value;
  return LLVMBuildICmp(e->builder, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
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

static LLVMValueRef load_vector(sni_emitter *e, const place *p, const sni_group *group, int u) {
  LLVMTypeRef type = LLVMVectorType(p->element, (unsigned)e->lanes);
  LLVMValueRef address = vector_address(e, p, group, u), mask = group->mask[u];
  const bool direct = !indexed_by_lane(e, p);
  if (direct && size_is(p->stride, 1)) return sni_emit_vector_load(e, type, address, mask);
  if (direct && size_is(p->stride, -1) && !mask)
    return reversed(e, sni_emit_vector_load(e, type, lowest_address(e, p, address), NULL));
  return sni_emit_gather(e, type, address, lane_offsets(e, p, u), mask);
}

void sni_emit_load(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_kernel_inst *inst = &e->kernel->insts[number];
  const place p = access_place(e, inst->access);
  if (!e->is_vector[number]) {
    LLVMValueRef value = LLVMBuildLoad2(e->builder, p.element, scalar_address(e, &p), "");
    sni_set_scalar(e, number, from_memory(e, inst->dtype, value));
    return;
  }
  for (int u = group->first; u < group->first + group->count; u++)
    sni_set_vector(e, number, u, from_memory(e, inst->dtype, load_vector(e, &p, group, u)));
}

// A store around the caches where the address allows it: outputs may lie in the caller's memory.
static void stream_vector(sni_emitter *e, LLVMValueRef value, LLVMValueRef address,
                          unsigned bytes) {
  LLVMBasicBlockRef aligned = sni_ir_block(e, "aligned"), unaligned = sni_ir_block(e, "unaligned");
  LLVMBasicBlockRef after = sni_ir_block(e, "after");
  LLVMValueRef number = LLVMBuildPtrToInt(e->builder, address, e->type_i64, "");
  LLVMValueRef rest = LLVMBuildAnd(e->builder, number, sni_ir_i64(e, bytes - 1), "");
  LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntEQ, rest, sni_ir_i64(e, 0), ""),
                  aligned, unaligned);
  LLVMPositionBuilderAtEnd(e->builder, aligned);
  LLVMValueRef store = LLVMBuildStore(e->builder, value, address);
  LLVMMetadataRef one = LLVMValueAsMetadata(LLVMConstInt(e->type_i32, 1, false));
  LLVMMetadataRef node = LLVMMDNodeInContext2(e->context, &one, 1);
  LLVMSetAlignment(store, bytes);
  LLVMSetMetadata(store, LLVMGetMDKindIDInContext(e->context, "nontemporal", 11),
                  LLVMMetadataAsValue(e->context, node));
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, unaligned);
  sni_emit_vector_store(e, value, address, NULL);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
  e->non_temporal = true;
}

static void store_vector(sni_emitter *e, const place *p, LLVMValueRef value, const sni_group *group,
                         int u) {
  LLVMValueRef address = vector_address(e, p, group, u), mask = group->mask[u];
  const bool direct = !indexed_by_lane(e, p);
  if (direct && size_is(p->stride, 1)) {
    const sni_kernel_buffer *buffer = &e->kernel->buffers[p->access->buffer];
    const unsigned bytes = (unsigned)sni_dtype_bytes(buffer->dtype) * (unsigned)e->lanes;
    if (buffer->streamed && !mask && bytes >= 16 && bytes <= 64) {
      stream_vector(e, value, address, bytes);
      return;
    }
    sni_emit_vector_store(e, value, address, mask);
  } else if (direct && size_is(p->stride, -1) && !mask) {
    sni_emit_vector_store(e, reversed(e, value), lowest_address(e, p, address), NULL);
  } else {
    sni_emit_scatter(e, value, address, lane_offsets(e, p, u), mask);
  }
}

static bool place_varies(const sni_emitter *e, const place *p) {
  return indexed_by_lane(e, p) || !size_is(p->stride, 0);
}

void sni_emit_store(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_kernel_inst *inst = &e->kernel->insts[number];
  const place p = access_place(e, inst->access);
  const uint32_t value = inst->operands[0];
  if (!place_varies(e, &p) && !e->is_vector[value]) {
    LLVMBuildStore(e->builder, to_memory(e, sni_operand(e, value, -1)), scalar_address(e, &p));
    return;
  }
  for (int u = group->first; u < group->first + group->count; u++)
    store_vector(e, &p, to_memory(e, sni_operand(e, value, u)), group, u);
}

static void add_at(sni_emitter *e, LLVMTypeRef element, LLVMValueRef address, LLVMValueRef value) {
  LLVMValueRef old = LLVMBuildLoad2(e->builder, element, address, "");
  const bool real = element == e->type_f32 || element == e->type_f64;
  LLVMValueRef sum =
      real ? LLVMBuildFAdd(e->builder, old, value, "") : LLVMBuildAdd(e->builder, old, value, "");
  LLVMBuildStore(e->builder, sum, address);
}

// Lanes may meet in one element: one after another.
static void add_lanes(sni_emitter *e, const place *p, LLVMValueRef value, const sni_group *group,
                      int u) {
  LLVMValueRef base = vector_address(e, p, group, u), offsets = lane_offsets(e, p, u);
  offsets = LLVMBuildSExt(e->builder, offsets, sni_ir_like(LLVMTypeOf(offsets), e->type_i64), "");
  LLVMValueRef lanes = sni_ir_i64(e, e->lanes);
  LLVMValueRef end = group->mask[u] ? sni_ir_min(e, group->active[u], lanes) : lanes;
  sni_loop loop;
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), end, sni_ir_i64(e, 1), 0);
  LLVMValueRef offset = LLVMBuildExtractElement(e->builder, offsets, loop.index, "");
  LLVMValueRef lane = LLVMBuildExtractElement(e->builder, value, loop.index, "");
  add_at(e, p->element, sni_ir_element_address(e, p->element, base, offset), lane);
  sni_loop_end(e, &loop, NULL);
}

void sni_emit_store_add(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_kernel_inst *inst = &e->kernel->insts[number];
  const place p = access_place(e, inst->access);
  const uint32_t number_of_value = inst->operands[0];
  if (!group) {
    add_at(e, p.element, scalar_address(e, &p), sni_operand(e, number_of_value, -1));
    return;
  }
  LLVMTypeRef type = LLVMVectorType(p.element, (unsigned)e->lanes);
  for (int u = group->first; u < group->first + group->count; u++) {
    LLVMValueRef value = sni_operand(e, number_of_value, u);
    if (indexed_by_lane(e, &p) || !size_is(p.stride, 1)) {
      add_lanes(e, &p, value, group, u);
      continue;
    }
    LLVMValueRef address = vector_address(e, &p, group, u);
    LLVMValueRef old = sni_emit_vector_load(e, type, address, group->mask[u]);
    const bool real = p.element == e->type_f32 || p.element == e->type_f64;
    LLVMValueRef sum =
        real ? LLVMBuildFAdd(e->builder, old, value, "") : LLVMBuildAdd(e->builder, old, value, "");
    sni_emit_vector_store(e, sum, address, group->mask[u]);
  }
}

// ---- row scratch: the inner domain, times the tile of an outer vector axis
static LLVMValueRef slot_address(sni_emitter *e, int slot, const sni_group *group, int u) {
  const sni_kernel *k = e->kernel;
  LLVMTypeRef element = sni_ir_memory_type(e, k->slot_dtype[slot]);
  const int64_t offset = (int64_t)sizeof(sni_scratch_header) + (int64_t)k->slot_offset[slot];
  LLVMValueRef base = sni_ir_element_address(e, e->type_i8, e->scratch, sni_ir_i64(e, offset));
  const sni_kernel_size length =
      k->vector_inner ? k->extent[e->vector_axis] : sni_kernel_constant(k->grain[e->vector_axis]);
  LLVMValueRef position = group->index[u];
  if (!k->vector_inner) position = LLVMBuildSub(e->builder, position, e->tile_first, "");
  LLVMValueRef row = sni_ir_mul(e, e->row_index, sni_emit_size(e, length));
  base = sni_ir_element_address(e, element, base, row);
  return sni_ir_element_address(e, element, base, position);
}

void sni_emit_slot(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_kernel_inst *inst = &e->kernel->insts[number];
  const int slot = inst->imm.slot;
  LLVMTypeRef type =
      LLVMVectorType(sni_ir_memory_type(e, e->kernel->slot_dtype[slot]), (unsigned)e->lanes);
  LLVMValueRef *held = &e->slot_values[slot * sni_max_group];
  for (int u = group->first; u < group->first + group->count; u++) {
    const bool store = inst->op == SNI_KOP_SCRATCH_STORE;
    LLVMValueRef value = store ? sni_operand(e, inst->operands[0], u) : NULL;
    if (e->slots_in_registers && store) {
      held[u] = value;
    } else if (e->slots_in_registers) {
      sni_set_vector(
          e, number, u,
          held[u] ? held[u] : LLVMConstNull(sni_ir_like(type, sni_ir_type(e, inst->dtype))));
    } else if (store) {
      sni_emit_vector_store(e, to_memory(e, value), slot_address(e, slot, group, u),
                            group->mask[u]);
    } else {
      value = sni_emit_vector_load(e, type, slot_address(e, slot, group, u), group->mask[u]);
      sni_set_vector(e, number, u, from_memory(e, inst->dtype, value));
    }
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
  const sni_kernel_inst *inst = &e->kernel->insts[number];
  LLVMValueRef size = sni_emit_size(e, inst->imm.size);
  if (!e->is_vector[number]) {
    sni_set_scalar(e, number, clamp_index(e, sni_operand(e, inst->operands[0], -1), size, NULL));
    return;
  }
  for (int u = group->first; u < group->first + group->count; u++)
    sni_set_vector(e, number, u,
                   clamp_index(e, sni_operand(e, inst->operands[0], u), size, group->mask[u]));
}
