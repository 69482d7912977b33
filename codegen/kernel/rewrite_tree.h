// A copy of a tree in which some instructions become others: expansion, and kernels that share their
// code, are rewrites.
#ifndef SNI_CODEGEN_REWRITE_TREE_H
#define SNI_CODEGEN_REWRITE_TREE_H

#include "codegen/kernel/tree.h"

typedef struct sni_tree_rewriter sni_tree_rewriter;
struct sni_tree_rewriter {
  const sni_tree *tree;
  sni_tree_builder b;  // of the copy
  uint32_t *values;    // new number of each value
  uint32_t *items;     // and of each loop
  // Adds to `b` what stands for instruction `number` (no STORE, no CONTRACTION), whose operands are
  // new values already, and gives its value. False: it is copied as it is.
  bool (*replace)(sni_tree_rewriter *r, uint32_t number, const sni_tree_inst *inst,
                  uint32_t *out_value);
  void *user;
};

// Allocates, and begins the copy: its name, buffers and parameters are there, and what is added to `b`
// now stands before everything else. Errors: SN_ERR_MEMORY.
sn_status sni_tree_rewrite_begin(sni_tree_rewriter *r, const sni_tree *tree, sni_arena *arena,
                                 sni_diag *diag);
// Copies and packs. Errors: those of sni_tree_finish.
sn_status sni_tree_rewrite_finish(sni_tree_rewriter *r, sni_tree **out_tree);

#endif
