// The heart of a contraction: a block of accumulators through the loop over k.
//
// Invariant: one fma per k, in order of k, for every element: c = fma(a, b, c). The loop is not
// unrolled: rows x vectors fmas are work enough a turn. Addresses move by pointers, so that all
// rows of a constant stride share one register.
#include "codegen/llvm/emit_contraction.h"

static LLVMValueRef row_address(sni_emitter *e, const sni_product *p, LLVMValueRef left,
                                LLVMValueRef *offsets, int r) {
  LLVMValueRef offset = offsets ? offsets[r] : sni_ir_i64(e, r * p->left.stride.value);
  return sni_ir_element_address(e, p->element, left, offset);
}

static void multiply_add(sni_emitter *e, sni_product *p, LLVMValueRef left, LLVMValueRef right,
                         int rows, LLVMValueRef *offsets, LLVMValueRef *sums) {
  const int vectors = p->group.count;
  LLVMValueRef b[sni_max_group];
  for (int v = 0; v < vectors; v++) {
    LLVMValueRef at =
        sni_ir_element_address(e, p->element, right, sni_ir_i64(e, (int64_t)v * e->lanes));
    b[v] = sni_emit_vector_load(e, p->vector, at, p->right_is_packed ? NULL : p->group.mask[v]);
  }
  for (int r = 0; r < rows; r++) {
    LLVMValueRef a =
        LLVMBuildLoad2(e->builder, p->element, row_address(e, p, left, offsets, r), "");
    a = sni_ir_splat(e, a, (unsigned)e->lanes);
    for (int v = 0; v < vectors; v++) {
      LLVMValueRef arguments[3] = {a, b[v], sums[r * vectors + v]};
      sums[r * vectors + v] = sni_ir_intrinsic(e, "llvm.fma", &p->vector, 1, arguments, 3);
    }
  }
}

void sni_emit_block_loop(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                         LLVMValueRef *offsets, LLVMValueRef *sums) {
  const int n = rows * p->group.count;
  LLVMValueRef left_k = sni_emit_size(e, p->left.k_stride);
  LLVMValueRef offset = sni_ir_add(e, sni_ir_mul(e, row, sni_emit_size(e, p->left.stride)),
                                   sni_ir_mul(e, p->k_first, left_k));
  sni_loop loop;
  for (int i = 0; i < n; i++) loop.initial[i] = sums[i];
  loop.initial[n] = sni_ir_element_address(e, p->element, p->left.base, offset);
  loop.initial[n + 1] = p->right_address;
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), p->k_count, sni_ir_i64(e, 1), n + 2);
  LLVMValueRef next[sni_max_carried];
  for (int i = 0; i < n; i++) next[i] = loop.carried[i];
  multiply_add(e, p, loop.carried[n], loop.carried[n + 1], rows, offsets, next);
  next[n] = sni_ir_element_address(e, p->element, loop.carried[n], left_k);
  next[n + 1] = sni_ir_element_address(e, p->element, loop.carried[n + 1], p->right_stride);
  sni_loop_end(e, &loop, next);
  for (int i = 0; i < n; i++) sums[i] = loop.carried[i];
}
