// Makes a program for the interpreter from an expanded kernel: the steps of flatten.h in their order.
// Chooses the copy of the vector loops that fits the CPU.
#include "codegen/interp/flatten.h"

const sni_blocks *sni_interp_blocks(void) {
#if defined(__x86_64__)
  const sni_gemm_kernels *best = sni_gemm_kernels_best();
  if (best == &sni_gemm_kernels_avx512) return &sni_interp_blocks_avx512;
  if (best == &sni_gemm_kernels_avx2) return &sni_interp_blocks_avx2;
#endif
  return &sni_interp_blocks_baseline;
}

bool sni_interp_keeps(sni_kop op, sn_dtype dtype) {
  return sni_interp_blocks()->math[op][dtype] != NULL;
}

static sn_status flatten(sni_flattener *t, const sni_tree *expanded) {
  sni_flatten_arrange(t, expanded);
  if (!t->status) sni_flatten_hazards(t);
  if (!t->status) sni_flatten_nodes(t);
  if (!t->status) sni_flatten_homes(t);
  return t->status;
}

sn_status sni_interp_prepare_with(const sni_tree *expanded, const sni_blocks *blocks,
                                  sni_allocator *allocator, sni_diag *diag,
                                  sni_interp_code **out_code) {
  sni_arena arena;
  sni_arena_init(&arena, allocator);
  sni_flattener t = {.blocks = blocks, .arena = &arena, .diag = diag};
  sn_status status = flatten(&t, expanded);
  if (!status) status = sni_flatten_pack(&t, allocator, out_code);
  sni_arena_deinit(&arena);
  return status;
}

sn_status sni_interp_prepare(const sni_tree *expanded, sni_allocator *allocator, sni_diag *diag,
                             sni_interp_code **out_code) {
  return sni_interp_prepare_with(expanded, sni_interp_blocks(), allocator, diag, out_code);
}

void sni_interp_release(sni_interp_code *code, sni_allocator *allocator) {
  if (code) sni_free(allocator, code, code->bytes);
}

size_t sni_interp_bytes(const sni_interp_code *code) {
  return code->bytes;
}

size_t sni_interp_scratch_bytes(const sni_interp_code *code) {
  return code->scratch_bytes;
}
