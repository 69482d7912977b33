// Which fields of an instruction its operation uses, and which dtypes it takes: what hash,
// verifier, printer and interpreter share.
#ifndef SNI_CODEGEN_KERNEL_FIELDS_H
#define SNI_CODEGEN_KERNEL_FIELDS_H

#include "codegen/kernel/kernel.h"

typedef enum sni_immediate {
  SNI_IMMEDIATE_NONE,
  SNI_IMMEDIATE_CONST,
  SNI_IMMEDIATE_SIZE,
  SNI_IMMEDIATE_AXIS,
  SNI_IMMEDIATE_SLOT,
  SNI_IMMEDIATE_COMBINER,
} sni_immediate;

static inline sni_immediate sni_kop_immediate(sni_kop op) {
  if (op == SNI_KOP_CONST) return SNI_IMMEDIATE_CONST;
  if (op == SNI_KOP_PARAM || op == SNI_KOP_CHECK_INDEX) return SNI_IMMEDIATE_SIZE;
  if (op == SNI_KOP_INDEX) return SNI_IMMEDIATE_AXIS;
  if (op == SNI_KOP_SCRATCH_LOAD || op == SNI_KOP_SCRATCH_STORE) return SNI_IMMEDIATE_SLOT;
  return op == SNI_KOP_REDUCE ? SNI_IMMEDIATE_COMBINER : SNI_IMMEDIATE_NONE;
}

static inline bool sni_kop_has_source(sni_kop op) {
  return op == SNI_KOP_EQ || op == SNI_KOP_LT || op == SNI_KOP_LE || op == SNI_KOP_CAST ||
         op == SNI_KOP_BITCAST;
}

static inline bool sni_kop_has_access(sni_kop op) {
  return op == SNI_KOP_LOAD || op == SNI_KOP_STORE || op == SNI_KOP_STORE_ADD;
}

// Operations without a value: nobody may use what they define.
static inline bool sni_kop_is_store(sni_kop op) {
  return op == SNI_KOP_STORE || op == SNI_KOP_STORE_ADD || op == SNI_KOP_SCRATCH_STORE;
}

// Bits of the outer, the inner and the vector axes in sni_kernel_inst.axes.
static inline uint32_t sni_kernel_outer_axes(const sni_kernel *kernel) {
  return (1u << kernel->n_outer) - 1;
}
static inline uint32_t sni_kernel_inner_axes(const sni_kernel *kernel) {
  return ((1u << kernel->n_inner) - 1) << kernel->n_outer;
}
static inline int sni_kernel_vector_axis(const sni_kernel *kernel) {
  return kernel->vector_inner ? kernel->n_outer + kernel->n_inner - 1 : kernel->n_outer - 1;
}

#endif
