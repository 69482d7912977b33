// Kernel IR: the count of a kernel's units, and identity (hash and equality) for caches.
//
// Invariant: hash and equality look at exactly the fields that an instruction's operation uses, so
// that what a builder leaves in the others never matters, and never at the name, which is for
// people.
#include "codegen/kernel/kernel.h"

#include "codegen/kernel/fields.h"

#include <string.h>

int64_t sni_kernel_units(const sni_kernel *kernel, const int64_t *params) {
  int64_t units = 1;
  for (int i = 0; i < kernel->n_outer; i++) {
    const int64_t extent = sni_kernel_size_value(kernel->extent[i], params);
    const int64_t grain = kernel->grain[i];
    units *= extent / grain + (extent % grain != 0);
  }
  return units;
}

static uint64_t hash_size(uint64_t h, sni_kernel_size size) {
  return size.param < 0 ? sni_hash_mix(h, (uint64_t)size.value)
                        : sni_hash_mix(h ^ 0x5eed, (uint64_t)size.param);
}

static bool equal_size(sni_kernel_size a, sni_kernel_size b) {
  return a.param < 0 ? b.param < 0 && a.value == b.value : a.param == b.param;
}

static uint64_t hash_access(uint64_t h, const sni_kernel_access *access, int n_axes) {
  h = sni_hash_mix(h, (uint64_t)access->buffer << 32 | access->index);
  h = hash_size(h, access->offset);
  for (int i = 0; i < n_axes; i++) h = hash_size(h, access->stride[i]);
  return h;
}

static bool equal_access(const sni_kernel_access *a, const sni_kernel_access *b, int n_axes) {
  if (a->buffer != b->buffer || a->index != b->index || !equal_size(a->offset, b->offset))
    return false;
  for (int i = 0; i < n_axes; i++)
    if (!equal_size(a->stride[i], b->stride[i])) return false;
  return true;
}

// The immediate as bits; sizes are handled apart.
static uint64_t immediate_bits(const sni_kernel_inst *inst) {
  uint64_t bits = 0;
  switch (sni_kop_immediate(inst->op)) {
    case SNI_IMMEDIATE_NONE:
    case SNI_IMMEDIATE_SIZE:
      break;
    case SNI_IMMEDIATE_CONST:
      if (inst->dtype == SN_F32 || inst->dtype == SN_F64)
        memcpy(&bits, &inst->imm.f, sizeof(bits));
      else
        bits = (uint64_t)inst->imm.i;
      break;
    case SNI_IMMEDIATE_AXIS:
      bits = (uint64_t)inst->imm.axis;
      break;
    case SNI_IMMEDIATE_SLOT:
      bits = (uint64_t)inst->imm.slot;
      break;
    case SNI_IMMEDIATE_COMBINER:
      bits = (uint64_t)inst->imm.combiner;
      break;
  }
  return bits;
}

static uint64_t hash_inst(uint64_t h, const sni_kernel_inst *inst) {
  h = sni_hash_mix(h, (uint64_t)inst->op << 32 | (uint64_t)inst->dtype << 16 | inst->axes);
  if (sni_kop_has_source(inst->op)) h = sni_hash_mix(h, (uint64_t)inst->source);
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) h = sni_hash_mix(h, inst->operands[i]);
  if (sni_kop_has_access(inst->op)) h = sni_hash_mix(h, inst->access);
  h = sni_hash_mix(h, immediate_bits(inst));
  if (sni_kop_immediate(inst->op) == SNI_IMMEDIATE_SIZE) h = hash_size(h, inst->imm.size);
  return h;
}

static bool equal_inst(const sni_kernel_inst *a, const sni_kernel_inst *b) {
  if (a->op != b->op || a->dtype != b->dtype || a->axes != b->axes) return false;
  if (sni_kop_has_source(a->op) && a->source != b->source) return false;
  for (int i = 0; i < sni_kop_infos[a->op].operands; i++)
    if (a->operands[i] != b->operands[i]) return false;
  if (sni_kop_has_access(a->op) && a->access != b->access) return false;
  if (immediate_bits(a) != immediate_bits(b)) return false;
  return sni_kop_immediate(a->op) != SNI_IMMEDIATE_SIZE || equal_size(a->imm.size, b->imm.size);
}

static uint64_t flag_bits(const sni_kernel_buffer *b) {
  return (uint64_t)b->dtype << 8 | (uint64_t)b->written << 4 | (uint64_t)b->read << 3 |
         (uint64_t)b->shared << 2 | (uint64_t)b->streamed;
}

// Everything that is one number, in a fixed order: shared by hash and equality.
enum { n_header_numbers = 12 };
static void header_numbers(const sni_kernel *k, uint64_t numbers[n_header_numbers]) {
  const uint64_t values[n_header_numbers] = {
      (uint64_t)k->n_outer,
      (uint64_t)k->n_inner,
      k->vector_inner,
      k->serial,
      k->faults,
      k->contraction.present,
      k->n_buffers,
      k->n_accesses,
      k->n_insts,
      k->n_stages,
      k->n_params,
      k->n_slots,
  };
  memcpy(numbers, values, sizeof(values));
}

uint64_t sni_kernel_hash(const sni_kernel *k) {
  const int n_axes = k->n_outer + k->n_inner;
  uint64_t numbers[n_header_numbers], h = 0x53696e746572ull;
  header_numbers(k, numbers);
  for (int i = 0; i < n_header_numbers; i++) h = sni_hash_mix(h, numbers[i]);
  for (int i = 0; i < n_axes; i++) h = hash_size(h, k->extent[i]);
  for (int i = 0; i < k->n_outer; i++) h = sni_hash_mix(h, (uint64_t)k->grain[i]);
  if (k->contraction.present) {
    h = sni_hash_mix(h, (uint64_t)k->contraction.lhs << 32 | k->contraction.rhs);
    h = hash_size(h, k->contraction.k_extent);
    h = hash_size(h, k->contraction.lhs_k_stride);
    h = hash_size(h, k->contraction.rhs_k_stride);
  }
  for (uint32_t i = 0; i < k->n_buffers; i++) h = sni_hash_mix(h, flag_bits(&k->buffers[i]));
  for (uint32_t i = 0; i < k->n_accesses; i++) h = hash_access(h, &k->accesses[i], n_axes);
  for (uint32_t i = 0; i < k->n_insts; i++) h = hash_inst(h, &k->insts[i]);
  for (uint32_t i = 0; i < k->n_stages; i++)
    h = sni_hash_mix(h, (uint64_t)k->stages[i].inner << 32 | k->stages[i].count);
  for (uint32_t i = 0; i < k->n_slots; i++)
    h = sni_hash_mix(h, (uint64_t)k->slot_offset[i] << 4 | (uint64_t)k->slot_dtype[i]);
  return sni_hash_mix(h, k->scratch_bytes);
}

static bool equal_contraction(const sni_kernel_contraction *a, const sni_kernel_contraction *b) {
  return !a->present ||
         (a->lhs == b->lhs && a->rhs == b->rhs && equal_size(a->k_extent, b->k_extent) &&
          equal_size(a->lhs_k_stride, b->lhs_k_stride) &&
          equal_size(a->rhs_k_stride, b->rhs_k_stride));
}

bool sni_kernel_equal(const sni_kernel *a, const sni_kernel *b) {
  const int n_axes = a->n_outer + a->n_inner;
  uint64_t numbers_a[n_header_numbers], numbers_b[n_header_numbers];
  header_numbers(a, numbers_a);
  header_numbers(b, numbers_b);
  if (memcmp(numbers_a, numbers_b, sizeof(numbers_a)) != 0) return false;
  if (a->scratch_bytes != b->scratch_bytes) return false;
  if (!equal_contraction(&a->contraction, &b->contraction)) return false;
  for (int i = 0; i < n_axes; i++)
    if (!equal_size(a->extent[i], b->extent[i])) return false;
  for (int i = 0; i < a->n_outer; i++)
    if (a->grain[i] != b->grain[i]) return false;
  for (uint32_t i = 0; i < a->n_buffers; i++)
    if (flag_bits(&a->buffers[i]) != flag_bits(&b->buffers[i])) return false;
  for (uint32_t i = 0; i < a->n_accesses; i++)
    if (!equal_access(&a->accesses[i], &b->accesses[i], n_axes)) return false;
  for (uint32_t i = 0; i < a->n_insts; i++)
    if (!equal_inst(&a->insts[i], &b->insts[i])) return false;
  for (uint32_t i = 0; i < a->n_stages; i++)
    if (a->stages[i].inner != b->stages[i].inner || a->stages[i].count != b->stages[i].count)
      return false;
  for (uint32_t i = 0; i < a->n_slots; i++)
    if (a->slot_offset[i] != b->slot_offset[i] || a->slot_dtype[i] != b->slot_dtype[i])
      return false;
  return true;
}
