// What a convolution's attributes say, for those who compute it.
#include "graph/graph.h"

sni_convolution_result sni_convolution_of(const sni_graph *graph, const sni_node *node,
                                          sni_convolution *out) {
  sni_convolution_result result = SNI_CONVOLUTION_NONE;
  if (node->op == SNI_OP_CONV) result = SNI_CONVOLUTION_OUTPUT;
  if (node->op == SNI_OP_CONV_INPUT) result = SNI_CONVOLUTION_INPUT;
  if (node->op == SNI_OP_CONV_KERNEL) result = SNI_CONVOLUTION_KERNEL;
  if (result == SNI_CONVOLUTION_NONE) return result;
  *out = (sni_convolution){.spatial = node->n_attrs / 4};
  out->start = node->attrs + 2 * out->spatial;
  out->size = node->attrs + 3 * out->spatial;
  for (int i = 0; i < out->spatial; i++) {
    sni_dim_is_constant(graph->dims, node->attrs[i], &out->stride[i]);
    sni_dim_is_constant(graph->dims, node->attrs[out->spatial + i], &out->dilation[i]);
  }
  return result;
}
