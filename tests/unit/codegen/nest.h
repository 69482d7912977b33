// Kernels of one loop nest for tests: outer axes, stages that run once for each outer index or loop
// over the inner axes, row scratch between them. A builder in fixed arrays; nest_tree.h makes trees
// of them.
//
//   axes    [0, n_outer) are independent; [n_outer, n_outer + n_inner) are reduced, in this order
//   grain   of an outer axis: how many of its iterations are one unit
//   vector  vector_inner: lanes run along the last inner axis; else along the last outer axis
//   stages  run in order for each outer index: an inner one loops over the inner axes. An
//           instruction may use values of its own stage, of earlier outer stages, and reductions of
//           earlier inner stages
//   slots   row scratch of the inner domain's size
#ifndef SNI_TESTS_NEST_H
#define SNI_TESTS_NEST_H

#include "codegen/kernel/tree.h"

#include <stdlib.h>
#include <string.h>

enum { nest_axes = 10 };

typedef struct nest_access {
  uint32_t buffer, index;  // index: value or SNI_NO_VALUE
  sni_extent offset, stride[nest_axes];
} nest_access;

typedef struct nest_inst {
  sni_kop op;
  sn_dtype dtype, source;
  uint32_t operands[3];
  uint32_t access;
  int slot;  // > 0: LOAD or STORE of row scratch slot - 1
  union {
    double f;
    int64_t i;
    sni_extent size;
    int axis;          // INDEX
    sni_kop combiner;  // REDUCE
  } imm;
} nest_inst;

typedef struct nest_stage {
  bool inner;
  uint32_t first, count;
} nest_stage;

typedef struct nest_buffer {
  sn_dtype dtype;
  bool written, read, shared, streamed;
} nest_buffer;

// The last two outer axes are m and n.
typedef struct nest_contraction {
  bool present;
  uint32_t lhs, rhs;  // accesses
  sni_extent k_extent, lhs_k_stride, rhs_k_stride;
} nest_contraction;

typedef struct nest {
  const char *name;
  int n_outer, n_inner;
  sni_extent extent[nest_axes];
  int64_t grain[nest_axes];
  bool vector_inner;
  bool serial;  // units run in order
  nest_contraction contraction;
  uint32_t n_buffers, n_accesses, n_insts, n_stages, n_params, n_slots;
  nest_buffer *buffers;
  nest_access *accesses;
  nest_inst *insts;
  nest_stage *stages;
  sn_dtype *slot_dtype;
} nest;

static inline int nest_vector_axis(const nest *k) {
  return k->vector_inner ? k->n_outer + k->n_inner - 1 : k->n_outer - 1;
}
// A LOAD or STORE of a buffer.
static inline bool nest_is_access(const nest_inst *inst) {
  return sni_kop_has_access(inst->op) && !inst->slot;
}

typedef struct builder {
  nest k;
  nest_buffer buffers[16];
  nest_access accesses[32];
  nest_inst insts[512];
  nest_stage stages[12];
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
    b->k.extent[i] =
        extents[i] >= 0 ? sni_extent_constant(extents[i]) : (sni_extent){0, (-extents[i] - 1)};
    b->k.grain[i] = 1;
  }
  b->k.buffers = b->buffers;
  b->k.accesses = b->accesses;
  b->k.insts = b->insts;
  b->k.stages = b->stages;
  b->k.slot_dtype = b->slot_dtype;
}

static SNI_UNUSED void build_grain(builder *b, int64_t grain) {
  b->k.grain[b->k.n_outer - 1] = grain;
}

static SNI_UNUSED void build_stage(builder *b, bool inner) {
  b->stages[b->k.n_stages++] = (nest_stage){.inner = inner, .first = b->k.n_insts};
}

static SNI_UNUSED uint32_t build_buffer(builder *b, sn_dtype dtype) {
  b->buffers[b->k.n_buffers] = (nest_buffer){.dtype = dtype};
  return b->k.n_buffers++;
}

// One stride per axis.
static SNI_UNUSED uint32_t build_access(builder *b, uint32_t buffer, int64_t offset,
                                        const int64_t *strides) {
  nest_access *a = &b->accesses[b->k.n_accesses];
  *a =
      (nest_access){.buffer = buffer, .index = SNI_NO_VALUE, .offset = sni_extent_constant(offset)};
  for (int i = 0; i < nest_axes; i++)
    a->stride[i] = sni_extent_constant(i < b->k.n_outer + b->k.n_inner ? strides[i] : 0);
  return b->k.n_accesses++;
}

static SNI_UNUSED uint32_t build_inst(builder *b, nest_inst inst) {
  if (nest_is_access(&inst)) {
    nest_buffer *buffer = &b->buffers[b->accesses[inst.access].buffer];
    if (sni_kop_is_store(inst.op))
      buffer->written = true;
    else
      buffer->read = true;
    inst.dtype = buffer->dtype;
  }
  b->insts[b->k.n_insts] = inst;
  b->stages[b->k.n_stages - 1].count++;
  return b->k.n_insts++;
}

static SNI_UNUSED uint32_t build_load(builder *b, uint32_t access) {
  return build_inst(b, (nest_inst){.op = SNI_KOP_LOAD, .access = access});
}
static SNI_UNUSED void build_store(builder *b, uint32_t access, uint32_t value) {
  build_inst(b, (nest_inst){.op = SNI_KOP_STORE, .access = access, .operands = {value}});
}
static SNI_UNUSED uint32_t build_f(builder *b, sn_dtype dtype, double value) {
  return build_inst(b, (nest_inst){.op = SNI_KOP_CONST, .dtype = dtype, .imm.f = value});
}
static SNI_UNUSED uint32_t build_i(builder *b, sn_dtype dtype, int64_t value) {
  return build_inst(b, (nest_inst){.op = SNI_KOP_CONST, .dtype = dtype, .imm.i = value});
}
static SNI_UNUSED uint32_t build_1(builder *b, sni_kop op, uint32_t v) {
  return build_inst(b, (nest_inst){.op = op, .dtype = b->insts[v].dtype, .operands = {v}});
}
static SNI_UNUSED uint32_t build_2(builder *b, sni_kop op, uint32_t v, uint32_t w) {
  return build_inst(b, (nest_inst){.op = op, .dtype = b->insts[v].dtype, .operands = {v, w}});
}
static SNI_UNUSED uint32_t build_3(builder *b, sni_kop op, uint32_t u, uint32_t v, uint32_t w) {
  return build_inst(b, (nest_inst){.op = op, .dtype = b->insts[w].dtype, .operands = {u, v, w}});
}
static SNI_UNUSED uint32_t build_compare(builder *b, sni_kop op, uint32_t v, uint32_t w) {
  return build_inst(
      b, (nest_inst){.op = op, .dtype = SN_BOOL, .source = b->insts[v].dtype, .operands = {v, w}});
}
static SNI_UNUSED uint32_t build_convert(builder *b, sni_kop op, sn_dtype dtype, uint32_t v) {
  return build_inst(
      b, (nest_inst){.op = op, .dtype = dtype, .source = b->insts[v].dtype, .operands = {v}});
}
static SNI_UNUSED uint32_t build_reduce(builder *b, sni_kop combiner, uint32_t v) {
  return build_inst(b, (nest_inst){.op = SNI_KOP_REDUCE,
                                   .dtype = b->insts[v].dtype,
                                   .operands = {v},
                                   .imm.combiner = combiner});
}
static SNI_UNUSED int build_slot(builder *b, sn_dtype dtype) {
  b->slot_dtype[b->k.n_slots] = dtype;
  return (int)b->k.n_slots++;
}
static SNI_UNUSED uint32_t build_scratch_load(builder *b, int slot) {
  return build_inst(
      b, (nest_inst){.op = SNI_KOP_LOAD, .dtype = b->slot_dtype[slot], .slot = slot + 1});
}
static SNI_UNUSED void build_scratch_store(builder *b, int slot, uint32_t v) {
  build_inst(
      b, (nest_inst){
             .op = SNI_KOP_STORE, .dtype = b->slot_dtype[slot], .operands = {v}, .slot = slot + 1});
}

#endif
