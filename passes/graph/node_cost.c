// Costs of single nodes, from the figures of kernels (passes/lower/cost.h). Factors of two do.
#include "passes/graph/node_cost.h"

#include "passes/graph/op_kop.h"
#include "passes/lower/cost.h"

enum {
  assumed = 64,       // extent of unknown size
  vector_bits = 256,  // of the figures
};

static double extent(const sni_graph *graph, sni_dim dim) {
  int64_t size = 0;
  if (sni_dim_is_constant(graph->dims, dim, &size)) return (double)size;
  size = sni_dim_hint(graph->dims, dim);
  return size < 0 ? assumed : (double)size;
}

double sni_type_elements(const sni_graph *graph, const sni_type *type) {
  double n = 1;
  for (int d = 0; d < type->rank; d++) n *= extent(graph, type->dims[d]);
  return n;
}

double sni_node_bytes(const sni_graph *graph, sni_node_id id) {
  const sni_type *type = sni_graph_type(graph, id);
  return sni_type_elements(graph, type) * (double)sn_dtype_size(type->dtype);
}

// Multiply-adds of an element: of a convolution at most the kernel's elements.
static double depth(const sni_graph *graph, const sni_node *node) {
  const sni_type *a = sni_graph_type(graph, node->operands[0]);
  const sni_type *b = sni_graph_type(graph, node->operands[node->n_operands - 1]);
  if (sni_is_matmul(node)) return extent(graph, a->dims[a->rank - (node->attrs[0] ? 2 : 1)]);
  const double left = sni_type_elements(graph, a), right = sni_type_elements(graph, b);
  return left < right ? left : right;
}

double sni_node_ns(const sni_graph *graph, const sni_node *node) {
  const sn_dtype dtype = node->type.dtype;
  const double n = sni_type_elements(graph, &node->type);
  if (!node->n_operands) return 0;
  if (sni_is_contraction(node)) return sni_product_cost(dtype, n * depth(graph, node), vector_bits);
  const double read = sni_type_elements(graph, sni_graph_type(graph, node->operands[0]));
  return sni_arithmetic_cost(sni_op_cost(node->op), dtype, read > n ? read : n, vector_bits);
}
