// From the one-nest kernel to a tree of the same meaning, bit for bit, and the same schedule. For the
// time in which both exist.
#ifndef SNI_CODEGEN_CONVERT_H
#define SNI_CODEGEN_CONVERT_H

#include "codegen/kernel/kernel.h"
#include "codegen/kernel/tree.h"

// A unit of the tree is a unit of the kernel, but that a serial kernel has one unit. The kernel must
// be sound. Errors: SN_ERR_MEMORY; SN_ERR_UNSUPPORTED: a serial kernel that reduces in the stage in
// which it adds to colliding elements.
sn_status sni_tree_convert(const sni_kernel *kernel, sni_arena *arena, sni_diag *diag,
                           sni_tree **out_tree);

#endif
