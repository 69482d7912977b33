// For tests: builds kernels in fixed storage, and runs them element by element as codegen/kernel.h defines them, in plain C that
// shares nothing with the back ends.
#ifndef SNI_TESTS_KERNEL_BUILDER_H
#define SNI_TESTS_KERNEL_BUILDER_H

#include "codegen/kernel_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { kb_max_insts = 256, kb_max_buffers = 16, kb_max_stages = 8, kb_max_slots = 4 };

typedef struct kernel_builder {
  sni_kernel kernel;
  sni_kernel_buffer buffers[kb_max_buffers];
  sni_kernel_access accesses[kb_max_insts];
  sni_kernel_inst insts[kb_max_insts];
  sni_kernel_stage stages[kb_max_stages];
  size_t slot_offset[kb_max_slots];
  sn_dtype slot_dtype[kb_max_slots];
} kernel_builder;

static inline void kb_init(kernel_builder *b, int n_outer, int n_inner, bool vector_inner) {
  memset(b, 0, sizeof(*b));
  b->kernel = (sni_kernel){.name = "test", .n_outer = n_outer, .n_inner = n_inner, .vector_inner = vector_inner};
  b->kernel.buffers = b->buffers;
  b->kernel.accesses = b->accesses;
  b->kernel.insts = b->insts;
  b->kernel.stages = b->stages;
  b->kernel.slot_offset = b->slot_offset;
  b->kernel.slot_dtype = b->slot_dtype;
  for (int i = 0; i < SNI_MAX_AXES; i++) {
    b->kernel.extent[i] = sni_kernel_constant(1);
    b->kernel.grain[i] = 1;
  }
}

static inline void kb_stage(kernel_builder *b, bool inner) {
  b->stages[b->kernel.n_stages++] = (sni_kernel_stage){inner, b->kernel.n_insts, 0};
}

static inline uint32_t kb_buffer(kernel_builder *b, sn_dtype dtype, bool written) {
  b->buffers[b->kernel.n_buffers] = (sni_kernel_buffer){.dtype = dtype, .written = written, .read = !written};
  return b->kernel.n_buffers++;
}

static inline uint32_t kb_access(kernel_builder *b, uint32_t buffer, const int64_t *strides) {
  sni_kernel_access access = {.buffer = buffer, .index = SNI_NO_VALUE};
  access.offset = sni_kernel_constant(0);
  for (int i = 0; i < SNI_MAX_AXES; i++)
    access.stride[i] = sni_kernel_constant(i < b->kernel.n_outer + b->kernel.n_inner ? strides[i] : 0);
  b->accesses[b->kernel.n_accesses] = access;
  return b->kernel.n_accesses++;
}

static inline uint32_t kb_slot(kernel_builder *b, sn_dtype dtype) {
  int64_t elements = b->kernel.vector_inner ? 1 : b->kernel.grain[b->kernel.n_outer - 1];
  for (int i = 0; i < b->kernel.n_inner; i++) elements *= b->kernel.extent[b->kernel.n_outer + i].value;
  const size_t bytes = ((size_t)elements * sn_dtype_size(dtype) + 63) / 64 * 64;
  b->slot_offset[b->kernel.n_slots] = b->kernel.scratch_bytes;
  b->slot_dtype[b->kernel.n_slots] = dtype;
  b->kernel.scratch_bytes += bytes;
  return b->kernel.n_slots++;
}

// Axes that the instruction must admit to vary along.
static inline uint16_t kb_axes(const kernel_builder *b, const sni_kernel_inst *inst) {
  const sni_kernel *k = &b->kernel;
  uint32_t axes = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) axes |= k->insts[inst->operands[i]].axes;
  if (inst->op == SNI_KOP_REDUCE) axes &= sni_kernel_outer_axes(k);
  if (inst->op == SNI_KOP_INDEX) axes |= 1u << inst->imm.axis;
  if (inst->op == SNI_KOP_SCRATCH_LOAD)
    axes |= sni_kernel_inner_axes(k) | (k->vector_inner ? 0 : 1u << sni_kernel_vector_axis(k));
  if (inst->op == SNI_KOP_CONTRACTION) axes |= sni_kernel_outer_axes(k);
  if (inst->op == SNI_KOP_LOAD) {
    const sni_kernel_access *access = &k->accesses[inst->access];
    if (access->index != SNI_NO_VALUE) axes |= k->insts[access->index].axes;
    for (int i = 0; i < k->n_outer + k->n_inner; i++)
      if (access->stride[i].param >= 0 || access->stride[i].value != 0) axes |= 1u << i;
  }
  return (uint16_t)axes;
}

static inline uint32_t kb_inst(kernel_builder *b, sni_kernel_inst inst) {
  inst.axes = kb_axes(b, &inst);
  b->insts[b->kernel.n_insts] = inst;
  b->stages[b->kernel.n_stages - 1].count++;
  return b->kernel.n_insts++;
}

static inline uint32_t kb_load(kernel_builder *b, uint32_t buffer, const int64_t *strides) {
  b->buffers[buffer].read = true;
  return kb_inst(b, (sni_kernel_inst){.op = SNI_KOP_LOAD, .dtype = b->buffers[buffer].dtype, .access = kb_access(b, buffer, strides)});
}
static inline void kb_store(kernel_builder *b, uint32_t buffer, const int64_t *strides, uint32_t value) {
  b->buffers[buffer].written = true;
  kb_inst(b, (sni_kernel_inst){.op = SNI_KOP_STORE, .dtype = b->buffers[buffer].dtype, .operands = {value}, .access = kb_access(b, buffer, strides)});
}
static inline uint32_t kb_op(kernel_builder *b, sni_kop op, sn_dtype dtype, uint32_t x, uint32_t y, uint32_t z) {
  return kb_inst(b, (sni_kernel_inst){.op = op, .dtype = dtype, .source = b->insts[x].dtype, .operands = {x, y, z}});
}
static inline uint32_t kb_const(kernel_builder *b, sn_dtype dtype, double value) {
  sni_kernel_inst inst = {.op = SNI_KOP_CONST, .dtype = dtype};
  if (dtype == SN_F32 || dtype == SN_F64)
    inst.imm.f = dtype == SN_F32 ? (double)(float)value : value;
  else
    inst.imm.i = (int64_t)value;
  return kb_inst(b, inst);
}
static inline uint32_t kb_reduce(kernel_builder *b, sni_kop combiner, uint32_t value) {
  return kb_inst(b, (sni_kernel_inst){.op = SNI_KOP_REDUCE, .dtype = b->insts[value].dtype, .operands = {value}, .imm.combiner = combiner});
}

#endif
