// What the files of the tree share among themselves.
#ifndef SNI_CODEGEN_TREE_INSIDE_H
#define SNI_CODEGEN_TREE_INSIDE_H

#include "codegen/kernel/facts.h"

// Gives ROW and LOCAL buffers their places in scratch; false: their sizes overflow. And whether
// they have them. The tree must be sound but for that.
bool sni_tree_place_scratch(sni_tree *tree);
bool sni_tree_scratch_is_placed(const sni_tree *tree);

#endif
