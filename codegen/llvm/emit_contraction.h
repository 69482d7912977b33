// The emission of one contraction kernel, shared by emit_contraction.c (units, panels, rows),
// emit_block.c (the loop over k) and emit_pack.c (copies of the right side). Rows and columns are
// those of the plan: swapped ones run along n and m.
#ifndef SNI_CODEGEN_LLVM_EMIT_CONTRACTION_H
#define SNI_CODEGEN_LLVM_EMIT_CONTRACTION_H

#include "codegen/kernel/contraction.h"
#include "codegen/llvm/emit.h"

enum { sni_max_rows = 32 };

typedef struct sni_side {
  LLVMValueRef base;       // at the batch indices, m = n = k = 0
  sni_kernel_size stride;  // along its own axis: left: rows, right: columns
  sni_kernel_size k_stride;
} sni_side;

typedef struct sni_product {
  sni_contraction_plan plan;
  int row_axis, column_axis;
  uint32_t number;  // of the CONTRACTION instruction
  LLVMTypeRef element, vector;
  sni_side left, right;
  LLVMValueRef k_extent;
  LLVMValueRef *unit_offsets;  // of the accesses at row 0
  uint8_t *phase;              // per instruction: sni_phase
  bool direct;                 // a short epilogue: straight from the accumulators
  LLVMValueRef row_first, row_last, column_last;  // of the unit
  LLVMValueRef tile, packed;                      // scratch
  // of the panel at hand
  sni_group group;
  LLVMValueRef column;                       // first one
  LLVMValueRef right_address, right_stride;  // at the first k of the block; elements per k
  bool right_is_packed;                      // no masks
  LLVMValueRef k_first, k_count;
} sni_product;

// ---- emit_block.c
// out: the sums of rows x vectors, from `sums` on. offsets: per row, elements from row to row 0;
// NULL: constant strides.
void sni_emit_block_loop(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                         LLVMValueRef *offsets, LLVMValueRef *sums);

// ---- emit_pack.c
// Copies k_count x (vectors * lanes) of the right side from (k_first, column) on; columns outside
// the domain are not read.
void sni_emit_pack(sni_emitter *e, sni_product *p);

#endif
