// From graph ops to kernel operations: what ops.def's columns KOP and cost say.
#ifndef SNI_PASSES_OP_KOP_H
#define SNI_PASSES_OP_KOP_H

#include "codegen/kernel/kops.h"
#include "graph/graph.h"

sni_kop sni_op_kop(sni_op op);
// Of computing one element, in ns of f32 in vectors; 0: nothing is computed.
double sni_op_cost(sni_op op);

#endif
