// Scratch memory of native kernels: the tree's own buffers, then what its products take.
#include "codegen/kernel/contraction.h"
#include "runtime/gemm/gemm.h"

static size_t product_bytes(const sni_tree *tree, const sni_contraction_nest *nest,
                            const sni_contraction_plan *plan) {
  const sni_contract_item *c = &sni_tree_items(tree)[nest->contract].as.contract;
  const int64_t m = sni_contraction_known_rows(tree, nest);
  const int64_t n = sni_tree_known_iterations(tree, nest->n), k = sni_contract_known_k(c);
  return sni_gemm_scratch_bytes(sni_gemm_kernels_best(), sni_tree_insts(tree)[c->inst].dtype,
                                plan->swapped ? n : m, plan->swapped ? m : n, k, c->segment,
                                SNI_PRODUCT_ROW_BYTES);
}

size_t sni_tree_scratch_bytes(const sni_tree *tree, int vector_bits) {
  const size_t own = sni_contraction_scratch_offset(tree);
  size_t most = (size_t)tree->scratch_bytes;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    sni_contraction_nest nest;
    sni_contraction_plan plan;
    if (!sni_contraction_nest_find(tree, i, &nest) ||
        !sni_contraction_plan_make(tree, &nest, vector_bits, &plan) || !plan.called)
      continue;
    const size_t bytes = own + product_bytes(tree, &nest, &plan);
    if (bytes > most) most = bytes;
  }
  return most;
}
