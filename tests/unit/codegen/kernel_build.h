// A builder of kernels for tests: fixed arrays, axes of values worked out from their operands.
#ifndef SNI_TESTS_KERNEL_BUILD_H
#define SNI_TESTS_KERNEL_BUILD_H

#include "codegen/kernel/fields.h"

#include <stdlib.h>
#include <string.h>

typedef struct builder {
  sni_kernel k;
  sni_kernel_buffer buffers[16];
  sni_kernel_access accesses[32];
  sni_kernel_inst insts[512];
  sni_kernel_stage stages[12];
  size_t slot_offset[8];
  sn_dtype slot_dtype[8];
} builder;

// Extents >= 0 are constants; -(p + 1) is parameter p. Outer axes come first.
static SNI_UNUSED void build_begin(builder *b, bool vector_inner, int n_outer, int n_inner,
                                   const int64_t *extents) {
  memset(b, 0, sizeof(*b));
  b->k.name = "test";
  b->k.vector_inner = vector_inner;
  b->k.n_outer = n_outer;
  b->k.n_inner = n_inner;
  for (int i = 0; i < n_outer + n_inner; i++) {
    b->k.extent[i] = extents[i] >= 0 ? sni_kernel_constant(extents[i])
                                     : (sni_kernel_size){0, (int32_t)(-extents[i] - 1)};
    b->k.grain[i] = 1;
  }
  b->k.buffers = b->buffers;
  b->k.accesses = b->accesses;
  b->k.insts = b->insts;
  b->k.stages = b->stages;
  b->k.slot_offset = b->slot_offset;
  b->k.slot_dtype = b->slot_dtype;
}

static SNI_UNUSED void build_grain(builder *b, int64_t grain) {
  b->k.grain[b->k.n_outer - 1] = grain;
}

static SNI_UNUSED void build_stage(builder *b, bool inner) {
  b->stages[b->k.n_stages++] = (sni_kernel_stage){.inner = inner, .first = b->k.n_insts};
}

static SNI_UNUSED uint32_t build_buffer(builder *b, sn_dtype dtype) {
  b->buffers[b->k.n_buffers] = (sni_kernel_buffer){.dtype = dtype};
  return b->k.n_buffers++;
}

// One stride per axis.
static SNI_UNUSED uint32_t build_access(builder *b, uint32_t buffer, int64_t offset,
                                        const int64_t *strides) {
  sni_kernel_access *a = &b->accesses[b->k.n_accesses];
  *a = (sni_kernel_access){
      .buffer = buffer, .index = SNI_NO_VALUE, .offset = sni_kernel_constant(offset)};
  for (int i = 0; i < SNI_MAX_AXES; i++)
    a->stride[i] = sni_kernel_constant(i < b->k.n_outer + b->k.n_inner ? strides[i] : 0);
  return b->k.n_accesses++;
}

static SNI_UNUSED uint32_t build_inst(builder *b, sni_kernel_inst inst) {
  uint32_t axes = inst.axes;
  for (int i = 0; i < sni_kop_infos[inst.op].operands; i++) axes |= b->insts[inst.operands[i]].axes;
  if (inst.op == SNI_KOP_REDUCE) axes &= sni_kernel_outer_axes(&b->k);
  if (inst.op == SNI_KOP_INDEX) axes |= 1u << inst.imm.axis;
  if (inst.op == SNI_KOP_CHECK_INDEX) b->k.faults = true;
  if (inst.op == SNI_KOP_SCRATCH_LOAD) {
    axes |= sni_kernel_inner_axes(&b->k);
    if (!b->k.vector_inner) axes |= 1u << sni_kernel_vector_axis(&b->k);
  }
  if (sni_kop_has_access(inst.op)) {
    const sni_kernel_access *access = &b->accesses[inst.access];
    sni_kernel_buffer *buffer = &b->buffers[access->buffer];
    if (sni_kop_is_store(inst.op))
      buffer->written = true;
    else
      buffer->read = true;
    if (access->index != SNI_NO_VALUE) axes |= b->insts[access->index].axes;
    for (int i = 0; i < b->k.n_outer + b->k.n_inner; i++)
      if (access->stride[i].param >= 0 || access->stride[i].value) axes |= 1u << i;
    inst.dtype = buffer->dtype;
  }
  inst.axes = (uint16_t)axes;
  b->insts[b->k.n_insts] = inst;
  b->stages[b->k.n_stages - 1].count++;
  return b->k.n_insts++;
}

static SNI_UNUSED uint32_t build_load(builder *b, uint32_t access) {
  return build_inst(b, (sni_kernel_inst){.op = SNI_KOP_LOAD, .access = access});
}
static SNI_UNUSED void build_store(builder *b, uint32_t access, uint32_t value) {
  build_inst(b, (sni_kernel_inst){.op = SNI_KOP_STORE, .access = access, .operands = {value}});
}
static SNI_UNUSED uint32_t build_f(builder *b, sn_dtype dtype, double value) {
  return build_inst(b, (sni_kernel_inst){.op = SNI_KOP_CONST, .dtype = dtype, .imm.f = value});
}
static SNI_UNUSED uint32_t build_i(builder *b, sn_dtype dtype, int64_t value) {
  return build_inst(b, (sni_kernel_inst){.op = SNI_KOP_CONST, .dtype = dtype, .imm.i = value});
}
static SNI_UNUSED uint32_t build_1(builder *b, sni_kop op, uint32_t v) {
  return build_inst(b, (sni_kernel_inst){.op = op, .dtype = b->insts[v].dtype, .operands = {v}});
}
static SNI_UNUSED uint32_t build_2(builder *b, sni_kop op, uint32_t v, uint32_t w) {
  return build_inst(b, (sni_kernel_inst){.op = op, .dtype = b->insts[v].dtype, .operands = {v, w}});
}
static SNI_UNUSED uint32_t build_3(builder *b, sni_kop op, uint32_t u, uint32_t v, uint32_t w) {
  return build_inst(b,
                    (sni_kernel_inst){.op = op, .dtype = b->insts[w].dtype, .operands = {u, v, w}});
}
static SNI_UNUSED uint32_t build_compare(builder *b, sni_kop op, uint32_t v, uint32_t w) {
  return build_inst(
      b, (sni_kernel_inst){
             .op = op, .dtype = SN_BOOL, .source = b->insts[v].dtype, .operands = {v, w}});
}
static SNI_UNUSED uint32_t build_convert(builder *b, sni_kop op, sn_dtype dtype, uint32_t v) {
  return build_inst(
      b, (sni_kernel_inst){.op = op, .dtype = dtype, .source = b->insts[v].dtype, .operands = {v}});
}
static SNI_UNUSED uint32_t build_reduce(builder *b, sni_kop combiner, uint32_t v) {
  return build_inst(b, (sni_kernel_inst){.op = SNI_KOP_REDUCE,
                                         .dtype = b->insts[v].dtype,
                                         .operands = {v},
                                         .imm.combiner = combiner});
}
static SNI_UNUSED int build_slot(builder *b, sn_dtype dtype) {
  size_t bytes = sn_dtype_size(dtype);
  for (int i = b->k.n_outer; i < b->k.n_outer + b->k.n_inner; i++)
    bytes *= (size_t)b->k.extent[i].value;
  if (!b->k.vector_inner) bytes *= (size_t)b->k.grain[b->k.n_outer - 1];
  b->slot_offset[b->k.n_slots] = b->k.scratch_bytes;
  b->slot_dtype[b->k.n_slots] = dtype;
  b->k.scratch_bytes += (bytes + 63) & ~(size_t)63;
  return (int)b->k.n_slots++;
}
static SNI_UNUSED uint32_t build_scratch_load(builder *b, int slot) {
  return build_inst(
      b, (sni_kernel_inst){
             .op = SNI_KOP_SCRATCH_LOAD, .dtype = b->slot_dtype[slot], .imm.slot = slot});
}
static SNI_UNUSED void build_scratch_store(builder *b, int slot, uint32_t v) {
  build_inst(b, (sni_kernel_inst){.op = SNI_KOP_SCRATCH_STORE,
                                  .dtype = b->slot_dtype[slot],
                                  .operands = {v},
                                  .imm.slot = slot});
}

#endif
