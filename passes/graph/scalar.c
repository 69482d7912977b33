// Recognising splat constants: a constant of equal elements, or such a constant behind broadcasts,
// reshapes and transposes. Gradient rules and rewrites ask for them; add_full (graph.h) makes them.
#include "passes/graph/scalar.h"

#include <math.h>
#include <string.h>

enum {
  longest_view_chain = 8,
  most_compared = 64,  // elements of a constant that is compared element by element
};

int64_t sni_node_count(const sni_graph *graph, const sni_type *type) {
  int64_t count = 1, size;
  bool empty = false;
  for (int i = 0; i < type->rank; i++) {
    if (!sni_dim_is_constant(graph->dims, type->dims[i], &size)) return -1;
    if (size == 0) empty = true;
    if (size > 1 && __builtin_mul_overflow(count, size, &count)) return -1;
  }
  return empty ? 0 : count;
}

bool sni_splat_value(const sni_graph *graph, sni_node_id x, sni_scalar *out) {
  const sni_node *node = sni_graph_node(graph, x);
  for (int i = 0; i < longest_view_chain; i++) {
    if (!sni_op_repeats(node->op)) break;
    node = sni_graph_node(graph, node->operands[0]);
  }
  if (!sni_is_constant(node)) return false;
  int64_t count = sni_node_count(graph, &node->type);
  if (count < 1 || count > most_compared) return false;
  size_t size = sn_dtype_size(node->type.dtype);
  for (int64_t i = 1; i < count; i++)
    if (memcmp(node->data, (const char *)node->data + (size_t)i * size, size)) return false;
  *out = sni_scalar_load(node->type.dtype, node->data, 0);
  return true;
}

bool sni_is_splat(const sni_graph *graph, sni_node_id x, double value) {
  sni_scalar s;
  if (!sni_splat_value(graph, x, &s)) return false;
  if (sni_is_complex(s.dtype) && (s.im != 0 || signbit(s.im))) return false;
  if (sni_is_inexact(s.dtype)) return memcmp(&s.f, &value, sizeof(value)) == 0;
  return s.i == (int64_t)value;
}
