// Kernel IR as text, for dumps and golden tests: axes, buffers, then one line per instruction.
// Printed only, never parsed.
//
//   kernel softmax: outer [i0 <B>], inner [j0 10], vector inner
//     b0 f32 read, b1 f32 written streamed
//     inner stage
//       %0 f32 [i0 j0] = load b0[10*i0 + j0]
//       %1 f32 [i0] = reduce max %0
#include "codegen/kernel/fields.h"

#include <inttypes.h>
#include <math.h>

static void add_size(sni_text *text, sni_kernel_size size) {
  if (size.param < 0)
    sni_text_add(text, "%" PRId64, size.value);
  else
    sni_text_add(text, "p%" PRId32, size.param);
}

static void add_axis(const sni_kernel *k, sni_text *text, int axis) {
  if (axis < k->n_outer)
    sni_text_add(text, "i%d", axis);
  else
    sni_text_add(text, "j%d", axis - k->n_outer);
}

static void add_extents(const sni_kernel *k, sni_text *text, const char *what, int first, int end) {
  sni_text_add(text, "%s [", what);
  for (int i = first; i < end; i++) {
    if (i > first) sni_text_add(text, ", ");
    add_axis(k, text, i);
    sni_text_add(text, " ");
    add_size(text, k->extent[i]);
    if (i < k->n_outer && k->grain[i] != 1) sni_text_add(text, " by %" PRId64, k->grain[i]);
  }
  sni_text_add(text, "]");
}

static void add_term(sni_text *text, sni_kernel_size stride) {
  if (stride.param < 0 && stride.value == 1) return;
  add_size(text, stride);
  sni_text_add(text, "*");
}

static void add_access(const sni_kernel *k, sni_text *text, uint32_t number) {
  const sni_kernel_access *access = &k->accesses[number];
  bool first = true;
  sni_text_add(text, "b%u[", access->buffer);
  if (access->offset.param >= 0 || access->offset.value != 0) {
    add_size(text, access->offset);
    first = false;
  }
  for (int i = 0; i < k->n_outer + k->n_inner; i++) {
    if (access->stride[i].param < 0 && access->stride[i].value == 0) continue;
    if (!first) sni_text_add(text, " + ");
    first = false;
    add_term(text, access->stride[i]);
    add_axis(k, text, i);
  }
  if (access->index != SNI_NO_VALUE) {
    sni_text_add(text, "%s%%%u", first ? "" : " + ", access->index);
    first = false;
  }
  sni_text_add(text, first ? "0]" : "]");
}

static void add_constant(sni_text *text, const sni_kernel_inst *inst) {
  const double f = inst->imm.f;
  if (inst->dtype != SN_F32 && inst->dtype != SN_F64)
    sni_text_add(text, " %" PRId64, inst->imm.i);
  else if (f - f != 0)  // inf, nan: %g differs between C libraries
    sni_text_add(text, f != f ? " nan" : f > 0 ? " inf" : " -inf");
  else
    sni_text_add(text, inst->dtype == SN_F32 ? " %.9g" : " %.17g", f);
}

static void add_immediate(const sni_kernel *k, sni_text *text, const sni_kernel_inst *inst) {
  switch (sni_kop_immediate(inst->op)) {
    case SNI_IMMEDIATE_NONE:
      break;
    case SNI_IMMEDIATE_CONST:
      add_constant(text, inst);
      break;
    case SNI_IMMEDIATE_SIZE:
      sni_text_add(text, inst->op == SNI_KOP_CHECK_INDEX ? " below " : " ");
      add_size(text, inst->imm.size);
      break;
    case SNI_IMMEDIATE_AXIS:
      sni_text_add(text, " ");
      add_axis(k, text, inst->imm.axis);
      break;
    case SNI_IMMEDIATE_SLOT:
      sni_text_add(text, " s%d", inst->imm.slot);
      break;
    case SNI_IMMEDIATE_COMBINER:
      sni_text_add(text, " %s", sni_kop_infos[inst->imm.combiner].name);
      break;
  }
}

static void add_inst(const sni_kernel *k, sni_text *text, uint32_t number) {
  const sni_kernel_inst *inst = &k->insts[number];
  sni_text_add(text, "    ");
  if (!sni_kop_is_store(inst->op)) {
    sni_text_add(text, "%%%u %s [", number, sn_dtype_name(inst->dtype));
    bool first = true;
    for (int i = 0; i < k->n_outer + k->n_inner; i++) {
      if (!(inst->axes >> i & 1)) continue;
      if (!first) sni_text_add(text, " ");
      first = false;
      add_axis(k, text, i);
    }
    sni_text_add(text, "] = ");
  }
  sni_text_add(text, "%s", sni_kop_infos[inst->op].name);
  add_immediate(k, text, inst);
  if (sni_kop_has_access(inst->op)) {
    sni_text_add(text, " ");
    add_access(k, text, inst->access);
  }
  if (inst->op == SNI_KOP_CONTRACTION) {
    const sni_kernel_contraction *c = &k->contraction;
    sni_text_add(text, " over k ");
    add_size(text, c->k_extent);
    sni_text_add(text, " of ");
    add_access(k, text, c->lhs);
    sni_text_add(text, " (k by ");
    add_size(text, c->lhs_k_stride);
    sni_text_add(text, "), ");
    add_access(k, text, c->rhs);
    sni_text_add(text, " (k by ");
    add_size(text, c->rhs_k_stride);
    sni_text_add(text, ")");
  }
  if (sni_kop_has_source(inst->op)) sni_text_add(text, " %s", sn_dtype_name(inst->source));
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    sni_text_add(text, "%s%%%u", i ? ", " : " ", inst->operands[i]);
  sni_text_add(text, "\n");
}

void sni_kernel_print(const sni_kernel *kernel, sni_text *text) {
  sni_text_add(text, "kernel %s: ", kernel->name ? kernel->name : "?");
  add_extents(kernel, text, "outer", 0, kernel->n_outer);
  if (kernel->n_inner)
    add_extents(kernel, text, ", inner", kernel->n_outer, kernel->n_outer + kernel->n_inner);
  sni_text_add(text, ", vector %s%s%s\n", kernel->vector_inner ? "inner" : "outer",
               kernel->serial ? ", serial" : "", kernel->faults ? ", faults" : "");
  for (uint32_t i = 0; i < kernel->n_buffers; i++) {
    const sni_kernel_buffer *b = &kernel->buffers[i];
    sni_text_add(text, "  b%u %s%s%s%s%s\n", i, sn_dtype_name(b->dtype), b->read ? " read" : "",
                 b->written ? " written" : "", b->shared ? " shared" : "",
                 b->streamed ? " streamed" : "");
  }
  for (uint32_t i = 0; i < kernel->n_slots; i++)
    sni_text_add(text, "  s%u %s at %zu\n", i, sn_dtype_name(kernel->slot_dtype[i]),
                 kernel->slot_offset[i]);
  for (uint32_t s = 0; s < kernel->n_stages; s++) {
    const sni_kernel_stage *stage = &kernel->stages[s];
    sni_text_add(text, "  %s stage\n", stage->inner ? "inner" : "outer");
    for (uint32_t i = 0; i < stage->count; i++) add_inst(kernel, text, stage->first + i);
  }
}
