// Copies of trees in which some instructions become others.
#ifndef SNI_CODEGEN_TREE_COPY_H
#define SNI_CODEGEN_TREE_COPY_H

#include "codegen/kernel/tree.h"

typedef struct sni_tree_copier sni_tree_copier;

// Writes what stands for instruction `number` of the source, its value to values[number]. False:
// nothing was written, the instruction is copied.
typedef bool (*sni_tree_replace)(sni_tree_copier *copier, uint32_t number);

struct sni_tree_copier {
  const sni_tree *tree;
  sni_tree_builder build;  // the copy, once sni_tree_copy_begin has been called
  uint32_t *values;        // number in the copy of each value
  uint32_t *items;         // and of each loop
  sni_tree_replace replace;
  void *user;
};

// Begins a copy: its buffers are there, instructions that come first may be added.
sn_status sni_tree_copy_begin(sni_tree_copier *c, const sni_tree *tree, sni_arena *arena,
                              sni_diag *diag);
// Operand of the source -> value of the copy. SNI_NO_VALUE stays.
static inline uint32_t sni_tree_copied(const sni_tree_copier *c, uint32_t value) {
  return value == SNI_NO_VALUE ? value : c->values[value];
}
sn_status sni_tree_copy_finish(sni_tree_copier *c, sni_tree **out_tree);

#endif
