// Where arguments of kernels begin.
#ifndef SNI_PASSES_ARGUMENT_OFFSETS_H
#define SNI_PASSES_ARGUMENT_OFFSETS_H

#include "passes/lower/lower.h"

// Moves constant offsets of kernels' accesses into their commands, so that kernels that differ in
// those alone are equal. Kernels that change are copied into arena.
sn_status sni_move_offsets(sni_plan *plan, sni_arena *arena, sni_diag *diag);

#endif
