// The verifier's state: tree_verify.c goes over block, buffers and items, tree_verify_insts.c over
// what they hold.
#ifndef SNI_CODEGEN_TREE_VERIFIER_H
#define SNI_CODEGEN_TREE_VERIFIER_H

#include "codegen/kernel/tree_inside.h"

typedef struct sni_tree_verifier {
  const sni_tree *tree;
  sni_diag *diag;
  const sni_item *items;
  const sni_tree_inst *insts;
  const sni_tree_buffer *buffers;
  const sni_schedule *schedule;
  uint32_t item;  // at hand
  uint32_t inst;  // at hand: numbers below it are known to be sound
  uint32_t next_access, next_range;
  bool faults;
} sni_tree_verifier;

sn_status sni_tree_fail_item(const sni_tree_verifier *v, const char *rule);
// A number that is known, or whose parameter exists; in its one form.
bool sni_tree_extent_ok(const sni_tree_verifier *v, sni_extent x);
bool sni_tree_extent_counts(const sni_tree_verifier *v, sni_extent x);  // and is not negative
bool sni_tree_is_zero_bytes(const void *data, size_t bytes);
// The instructions of the BLOCK at hand; the CONTRACT; the condition of the IF.
sn_status sni_tree_verify_block(sni_tree_verifier *v);
sn_status sni_tree_verify_contract(sni_tree_verifier *v);
sn_status sni_tree_verify_condition(const sni_tree_verifier *v);

#endif
