// Constants whose elements are all the same, through the views that repeat them.
#ifndef SNI_PASSES_SCALAR_H
#define SNI_PASSES_SCALAR_H

#include "graph/graph.h"
#include "runtime/scalar.h"

// True when every element of node x is the same known value. Elements differ by their bits: 0.0 and
// -0.0 are not the same.
bool sni_splat_value(const sni_graph *graph, sni_node_id x, sni_scalar *out);
// The same, and the value is `value` to the bit.
bool sni_is_splat(const sni_graph *graph, sni_node_id x, double value);

// Number of elements of a node of constant shape; -1 when a dim is symbolic or the product
// overflows.
int64_t sni_node_count(const sni_graph *graph, const sni_type *type);

#endif
