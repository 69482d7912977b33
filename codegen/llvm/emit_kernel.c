// One kernel's function: signature, run-time sizes, the loop over units with an odometer for the
// outer indices.
//
// Invariant: the emitted function is a sni_kernel_function: no external symbol, no stack beyond
// spills, nothing written but the stored buffers, the row scratch and the scratch header's fault.
#include "codegen/llvm/emit.h"

#include <stdlib.h>
#include <string.h>

static void add_attribute(sni_emitter *e, const char *name, const char *value) {
  LLVMAttributeRef attribute = LLVMCreateStringAttribute(e->context, name, (unsigned)strlen(name),
                                                         value, (unsigned)strlen(value));
  LLVMAddAttributeAtIndex(e->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

static void add_enum_attribute(sni_emitter *e, LLVMAttributeIndex index, const char *name) {
  const unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(e->function, index, LLVMCreateEnumAttribute(e->context, kind, 0));
}

static LLVMValueRef create_function(sni_emitter *e, const char *symbol) {
  LLVMTypeRef types[6] = {e->type_pointer, e->type_pointer, e->type_pointer,
                          e->type_i64,     e->type_i64,     e->type_pointer};
  LLVMValueRef function =
      LLVMAddFunction(e->module, symbol, LLVMFunctionType(e->type_void, types, 6, false));
  e->function = function;
  const char *bits = e->vector_bits == 512 ? "512" : e->vector_bits == 256 ? "256" : "128";
  add_attribute(e, "prefer-vector-width", bits);
  add_attribute(e, "min-legal-vector-width", bits);
  add_attribute(e, "no-builtins", "");
  add_enum_attribute(e, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind");
  add_enum_attribute(e, 6, "noalias");  // scratch
  return function;
}

static LLVMValueRef load_argument(sni_emitter *e, LLVMTypeRef type, LLVMValueRef array,
                                  uint32_t number) {
  LLVMValueRef address = sni_ir_element_address(e, type, array, sni_ir_i64(e, number));
  LLVMValueRef value = LLVMBuildLoad2(e->builder, type, address, "");
  LLVMSetMetadata(value, LLVMGetMDKindIDInContext(e->context, "invariant.load", 14),
                  LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, NULL, 0)));
  return value;
}

static void load_arguments(sni_emitter *e) {
  LLVMPositionBuilderAtEnd(e->builder, sni_ir_block(e, "entry"));
  LLVMValueRef buffers = LLVMGetParam(e->function, 1), params = LLVMGetParam(e->function, 2);
  e->begin = LLVMGetParam(e->function, 3);
  e->end = LLVMGetParam(e->function, 4);
  e->scratch = LLVMGetParam(e->function, 5);
  for (uint32_t i = 0; i < e->kernel->n_buffers; i++)
    e->buffers[i] = load_argument(e, e->type_pointer, buffers, i);
  for (uint32_t i = 0; i < e->kernel->n_params; i++)
    e->params[i] = load_argument(e, e->type_i64, params, i);
}

// Pieces of an outer axis.
static LLVMValueRef axis_pieces(sni_emitter *e, int axis) {
  const sni_kernel_size extent = e->kernel->extent[axis];
  const int64_t grain = e->kernel->grain[axis];
  if (extent.param < 0) return sni_ir_i64(e, extent.value / grain + (extent.value % grain != 0));
  LLVMValueRef size = e->params[extent.param];
  if (grain == 1) return size;
  LLVMValueRef up = LLVMBuildAdd(e->builder, size, sni_ir_i64(e, grain - 1), "");
  return LLVMBuildUDiv(e->builder, up, sni_ir_i64(e, grain), "");
}

// Axes that are cut into more than one piece, and the piece of each that a unit number means.
typedef struct odometer {
  int axes[SNI_MAX_AXES], count;
  LLVMValueRef pieces[SNI_MAX_AXES];
  LLVMValueRef now[SNI_MAX_AXES];  // by position in axes
} odometer;

static void start_odometer(sni_emitter *e, odometer *o) {
  int64_t constant;
  o->count = 0;
  for (int axis = 0; axis < e->kernel->n_outer; axis++) {
    LLVMValueRef pieces = axis_pieces(e, axis);
    e->index[axis] = sni_ir_i64(e, 0);
    if (sni_ir_is_constant(pieces, &constant) && constant <= 1) continue;
    o->pieces[o->count] = pieces;
    o->axes[o->count++] = axis;
  }
  LLVMValueRef rest = e->begin;
  for (int i = o->count - 1; i > 0; i--) {
    o->now[i] = LLVMBuildURem(e->builder, rest, o->pieces[i], "");
    rest = LLVMBuildUDiv(e->builder, rest, o->pieces[i], "");
  }
  o->now[0] = rest;
}

static void advance_odometer(sni_emitter *e, const odometer *o, LLVMValueRef *next) {
  LLVMValueRef carry = sni_ir_i64(e, 1);
  for (int i = o->count - 1; i >= 0; i--) {
    next[i] = LLVMBuildAdd(e->builder, o->now[i], carry, "");
    if (i == 0) break;
    LLVMValueRef wraps = LLVMBuildICmp(e->builder, LLVMIntEQ, next[i], o->pieces[i], "");
    next[i] = sni_ir_select(e, wraps, sni_ir_i64(e, 0), next[i]);
    carry = LLVMBuildZExt(e->builder, wraps, e->type_i64, "");
  }
}

// The indices that piece number e->index[axis] of an axis covers.
static void piece_range(sni_emitter *e, int axis, LLVMValueRef *out_first, LLVMValueRef *out_last) {
  const sni_kernel_size extent = e->kernel->extent[axis];
  const int64_t grain = e->kernel->grain[axis];
  LLVMValueRef size = sni_emit_size(e, extent);
  if (extent.param < 0 && extent.value <= grain) {
    *out_first = sni_ir_i64(e, 0);
    *out_last = size;
    return;
  }
  *out_first = sni_ir_mul(e, e->index[axis], sni_ir_i64(e, grain));
  *out_last = LLVMBuildAdd(e->builder, *out_first, sni_ir_i64(e, grain), "");
  if (extent.param >= 0 || extent.value % grain != 0) *out_last = sni_ir_min(e, *out_last, size);
}

static void emit_offsets(sni_emitter *e) {
  for (uint32_t i = 0; i < e->kernel->n_accesses; i++)
    e->offsets[i] = sni_emit_access_offset(e, &e->kernel->accesses[i]);
}

static void emit_unit(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  LLVMValueRef first, last, m_first, m_last;
  if (k->contraction.present) {
    piece_range(e, k->n_outer - 2, &m_first, &m_last);
    piece_range(e, k->n_outer - 1, &first, &last);
    sni_emit_contraction_unit(e, m_first, m_last, first, last);
    return;
  }
  emit_offsets(e);
  if (k->vector_inner) {
    sni_emit_row(e);
    return;
  }
  piece_range(e, e->vector_axis, &first, &last);
  sni_emit_columns(e, first, last);
}

static void emit_units(sni_emitter *e) {
  odometer o;
  sni_loop loop;
  LLVMValueRef next[SNI_MAX_AXES];
  start_odometer(e, &o);
  const int carried = o.count > 1 ? o.count : 0;  // a single axis's piece is the unit's number
  for (int i = 0; i < carried; i++) loop.initial[i] = o.now[i];
  sni_loop_begin(e, &loop, e->begin, e->end, sni_ir_i64(e, 1), carried);
  for (int i = 0; i < o.count; i++) {
    o.now[i] = carried ? loop.carried[i] : loop.index;
    e->index[o.axes[i]] = o.now[i];
  }
  emit_unit(e);
  if (carried) advance_odometer(e, &o, next);
  sni_loop_end(e, &loop, next);
}

// A pointwise nest of one axis: neighbouring tiles are one range.
static void emit_range(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  LLVMValueRef grain = sni_ir_i64(e, k->grain[e->vector_axis]);
  for (int axis = 0; axis < k->n_outer; axis++) e->index[axis] = sni_ir_i64(e, 0);
  emit_offsets(e);
  LLVMValueRef first = sni_ir_mul(e, e->begin, grain), last = sni_ir_mul(e, e->end, grain);
  last = sni_ir_min(e, last, sni_emit_size(e, k->extent[e->vector_axis]));
  sni_emit_columns(e, first, last);
}

static bool is_one_range(const sni_kernel *k) {
  if (k->vector_inner || k->contraction.present || k->n_slots) return false;
  for (int axis = 0; axis < k->n_outer - 1; axis++)
    if (k->extent[axis].param >= 0 || k->extent[axis].value != 1) return false;
  const sni_kernel_size extent = k->extent[k->n_outer - 1];
  return extent.param >= 0 || extent.value > k->grain[k->n_outer - 1];
}

// An index into nothing: there is no element to clamp to, so nothing may be loaded or stored.
static void give_up_if_empty(sni_emitter *e, const sni_kernel_inst *check, bool inner) {
  const sni_kernel *k = e->kernel;
  LLVMValueRef zero = sni_ir_i64(e, 0), size = sni_emit_size(e, check->imm.size);
  LLVMValueRef fails = LLVMBuildICmp(e->builder, LLVMIntSLE, size, zero, "");
  for (int axis = k->n_outer; inner && axis < k->n_outer + k->n_inner; axis++) {
    LLVMValueRef runs =
        LLVMBuildICmp(e->builder, LLVMIntSGT, sni_emit_size(e, k->extent[axis]), zero, "");
    fails = LLVMBuildAnd(e->builder, fails, runs, "");
  }
  LLVMBasicBlockRef fault = sni_ir_block(e, "empty"), go_on = sni_ir_block(e, "go_on");
  LLVMBuildCondBr(e->builder, fails, fault, go_on);
  LLVMPositionBuilderAtEnd(e->builder, fault);
  LLVMBuildStore(e->builder, sni_ir_i64(e, 1), e->scratch);
  LLVMBuildRetVoid(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, go_on);
}

static void emit_empty_checks(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  for (uint32_t s = 0; k->faults && s < k->n_stages; s++)
    for (uint32_t i = k->stages[s].first; i < k->stages[s].first + k->stages[s].count; i++) {
      const sni_kernel_inst *inst = &k->insts[i];
      if (inst->op != SNI_KOP_CHECK_INDEX) continue;
      if (inst->imm.size.param >= 0 || inst->imm.size.value <= 0)
        give_up_if_empty(e, inst, k->stages[s].inner);
    }
}

static bool allocate(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  const size_t insts = k->n_insts + 1u, group = sni_max_group;
  e->buffers = calloc(k->n_buffers + 1u, sizeof(*e->buffers));
  e->params = calloc(k->n_params + 1u, sizeof(*e->params));
  e->offsets = calloc(k->n_accesses + 1u, sizeof(*e->offsets));
  e->displacements = calloc(k->n_accesses + 1u, sizeof(*e->displacements));
  e->values = calloc(insts, sizeof(*e->values));
  e->vectors = calloc(insts * group, sizeof(*e->vectors));
  e->varies = calloc(insts, sizeof(*e->varies));
  e->is_vector = calloc(insts, sizeof(*e->is_vector));
  e->needs_splat = calloc(insts, sizeof(*e->needs_splat));
  e->level = calloc(insts, sizeof(*e->level));
  e->last_use = calloc(insts, sizeof(*e->last_use));
  e->slot_values = calloc((k->n_slots + 1u) * group, sizeof(*e->slot_values));
  if (!e->buffers || !e->params || !e->offsets || !e->displacements || !e->values || !e->vectors ||
      !e->varies || !e->is_vector || !e->needs_splat || !e->level || !e->last_use ||
      !e->slot_values)
    return sni_fail_emission(e, "out of memory");
  for (uint32_t i = 0; i < k->n_insts; i++) e->values[i].vector = &e->vectors[i * group];
  return true;
}

static void release(sni_emitter *e) {
  free(e->buffers);
  free(e->params);
  free(e->offsets);
  free(e->displacements);
  free(e->values);
  free(e->vectors);
  free(e->varies);
  free(e->is_vector);
  free(e->needs_splat);
  free(e->level);
  free(e->last_use);
  free(e->slot_values);
}

bool sni_emit_kernel(sni_emitter *e, const sni_kernel *kernel, const char *symbol) {
  e->kernel = kernel;
  e->name = kernel->name ? kernel->name : "?";
  e->non_temporal = e->slots_in_registers = false;
  if (allocate(e)) {
    sni_analyze(e);
    create_function(e, symbol);
    load_arguments(e);
    emit_empty_checks(e);
    if (is_one_range(kernel))
      emit_range(e);
    else
      emit_units(e);
    if (e->non_temporal) sni_ir_intrinsic(e, "llvm.x86.sse.sfence", NULL, 0, NULL, 0);
    LLVMBuildRetVoid(e->builder);
  }
  release(e);
  return !e->error[0];
}
