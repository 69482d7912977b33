// Accumulators of REDUCE, shared by emit_sum.c and emit_pieces.c.
#ifndef SNI_CODEGEN_LLVM_EMIT_SUM_H
#define SNI_CODEGEN_LLVM_EMIT_SUM_H

#include "codegen/llvm/emit_walk.h"

bool sni_sum_by_lanes(const sni_emitter *e, uint32_t innermost);
void sni_sum_start_sum(sni_emitter *e, struct sni_sum *sum);
// The totals, `width` of them, or one scalar of 64 lanes.
void sni_sum_totals_of(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *out);
void sni_sum_set_total(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *totals);

LLVMValueRef sni_sum_combine(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef a,
                             LLVMValueRef b);
// all: [place][width]. Leaves the totals in place 0.
void sni_sum_combine_places(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *all);

// ---- accumulators in memory: [place][width] from `base` on
int64_t sni_sum_memory_bytes(const sni_emitter *e, const struct sni_sum *sum);  // of one
LLVMValueRef sni_sum_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base,
                          LLVMValueRef place, LLVMValueRef u);
LLVMValueRef sni_sum_read_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef address);
void sni_sum_write_cell(sni_emitter *e, LLVMValueRef address, LLVMValueRef value);
void sni_sum_fill_cells(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base, int places);
void sni_sum_add_to_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef address,
                         LLVMValueRef value);
// Leaves the total of the places in place 0.
void sni_sum_combine_cells(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base,
                           int places);

// ---- emit_pieces.c
// The iterations of a chunked loop, whose sums are open from number `first` on, in pieces.
void sni_emit_pieces(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                     sni_run_span run, uint32_t first);

#endif
