// Where a view's elements lie in its operand, dim by dim: what index maps, selections and folding share.
#include "graph/graph.h"

int sni_viewed_dim(const sni_graph *graph, const sni_node *view, int d) {
  const sni_type *in = sni_graph_type(graph, view->operands[0]);
  sni_assert(sni_op_infos[view->op].operands == 1 && !sni_is_reshape(view));
  switch ((int)view->op) {
    case SNI_OP_TRANSPOSE:
      return (int)view->attrs[d];
    case SNI_OP_BROADCAST:
      d -= view->type.rank - in->rank;
      return d < 0 || in->dims[d] == 1 ? -1 : d;
    default:
      return d;
  }
}
