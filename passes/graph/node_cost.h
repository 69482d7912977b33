// What a node costs, roughly: passes decide by it what to compute again and what to keep.
#ifndef SNI_PASSES_NODE_COST_H
#define SNI_PASSES_NODE_COST_H

#include "graph/graph.h"

// Sizes that are not known are their hints, or 64.
double sni_type_elements(const sni_graph *graph, const sni_type *type);
double sni_node_bytes(const sni_graph *graph, sni_node_id id);
// ns of computing it from its operands, on one core.
double sni_node_ns(const sni_graph *graph, const sni_node *node);

#endif
