// Late dims: sizes that are elements of a run.
//
//   %5 = extent(%4) {size=C} : i64[]       // the number %4 is the size C from here on
//   require() {a=C, b=D, least=0} : bool[] // C is D; least=1: C is at least D
//
// The symbol of an extent is late where no input has it for a dim. The first extent of a graph that names it says its
// number, in each run of that graph: of a body in each iteration. Any other extent, and each require, is a condition, and
// a run in which one does not hold fails. Every node whose type, attributes or bodies are made of a late symbol comes behind its extent.
// What bodies know of sizes stays in them: no type of a result of theirs is made of it.
//
// Gradients, passes and fusion see ordinary nodes with ordinary symbolic dims; passes/segments.h cuts the graph where a
// run has to know more.
#ifndef SNI_GRAPH_LATE_H
#define SNI_GRAPH_LATE_H

#include "graph/graph.h"

// Marks the symbols that a node asks for: of its type and attributes, and of all nodes of its bodies. marks: per symbol of
// the table.
void sni_mark_node_symbols(const sni_graph *graph, const sni_node *node, bool *marks);
// Whether one of those is late.
bool sni_asks_for_late_size(const sni_graph *graph, const sni_node *node);
// Marks what results need, conditions among it: per node, in addition to what is marked. leaves: per node, or NULL: what
// such a one is made of is not needed. marks: room for a bool per symbol; not read where the table has no late one.
void sni_mark_needed(const sni_graph *graph, const bool *leaves, bool *marks, bool *needed);
// Whether the graph has nodes about sizes.
bool sni_has_late_dims(const sni_graph *graph);
// Appends the conditions on late symbols that have come up since. Errors: SN_ERR_MEMORY.
sn_status sni_add_requirements(sni_graph *graph, sni_location location);
// Late symbols are said before they are asked for, and stay in the bodies that say them. Errors: SN_ERR_SHAPE.
sn_status sni_check_late_dims(const sni_graph *graph);

#endif
