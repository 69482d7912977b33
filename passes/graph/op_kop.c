// From graph ops to kernel operations. The scalar operation has its facts in SNI_KOPS alone.
#include "passes/graph/op_kop.h"

static const sni_kop op_kops[SNI_OP_COUNT] = {
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  [SNI_OP_##id] = SNI_KOP_##kop,
    SNI_OPS(SNI_X)
#undef SNI_X
};

sni_kop sni_op_kop(sni_op op) {
  return op_kops[op];
}

double sni_op_cost(sni_op op) {
  const float own = sni_op_infos[op].cost;
  return (double)(own < 0 ? sni_kop_infos[op_kops[op]].cost : own);
}
