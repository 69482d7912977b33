// Control nodes with other interfaces: one walk over nested graphs, from the innermost bodies outwards, that hands each control
// node to a rule, and one function that makes the node that the rule wants, with its bodies.
#ifndef SNI_PASSES_REWRITE_CONTROL_H
#define SNI_PASSES_REWRITE_CONTROL_H

#include "passes/graph/mark_bodies.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

// One graph that is being rewritten.
typedef struct sni_control_walk {
  const sni_graph *from;
  sni_graph *to;
  sni_build build;   // into `to`, at the location of the control node at hand
  sni_node_id *map;  // per node of `from`
  struct sni_control_done **done;
  sni_node_table table;  // of `to`
  uint32_t n_in_table, most_in_table;
  struct sni_control_slot *slots;  // per node of `to`: which capture it is
  uint32_t slots_capacity, serial;
  bool is_body, changed;
} sni_control_walk;

// A control node on its way. Its bodies have been walked. As a rule gets it all of its parts stay, but for captures and
// rows, of which those stay that are read, and those that are the same are one.
typedef struct sni_control_edit {
  sni_control_walk *walk;
  const sni_live_control *live;  // of the options
  sni_node_id at;                // in `from`
  sni_node node;                 // its operands are nodes of `to`
  sni_control c;
  sni_graph **bodies;
  sni_body_ends *ends;  // per body
  // Per body, per node of it: the node of `to` whose value it has whenever it is computed; SNI_NO_NODE: none. It is
  // read in its place: as a capture, or as a constant in the body. Captures have theirs.
  sni_node_id **outer;
  sni_node_id *
      lifted;  // of a scan, per node of its body: the node of `to` of which it is this iteration's row; SNI_NO_NODE: none
  bool *carries, *outputs;  // those that stay
  // Per result: the node of `to` that takes its place; SNI_NO_NODE: it stays a result of the node.
  sni_node_id *values;
  int *rows;         // of a rescan, per row: its number now
  int n_rows;        // of a rescan
  bool is_replaced;  // all results have values: there is no node any more
} sni_control_edit;

typedef sn_status (*sni_control_rule)(sni_control_edit *edit);

typedef struct sni_control_options {
  sni_graph_pass prepare;  // of each body, once it has been walked; NULL: none
  sni_control_rule rule;
  const sni_live_graph *live;  // NULL: what results reach, whoever reads it
} sni_control_options;

// *out_graph may be the graph itself, where it has no control nodes. *out_changed: something is another one.
sn_status sni_rewrite_controls(const sni_graph *graph, const sni_control_options *options,
                               sni_graph **out_graph, bool *out_changed);

// The node that the edit wants, in walk->to: the same bodies where nothing changes. (make_control.c)
sn_status sni_make_control(sni_control_edit *edit, sni_node_id *out_id);
sn_status sni_copy_node(sni_graph *to, const sni_node *node, const sni_node_id *operands,
                        sni_node_id *out_id);
// A copy of a node of another graph, with other operands, which are copied; one that is there already in its place.
sn_status sni_walk_add(sni_control_walk *walk, const sni_node *node, const sni_node_id *operands,
                       sni_node_id *out_id);
// Appends the nodes of a body to a graph. map: per node of the body, set for parameters.
sn_status sni_inline_body(sni_graph *to, const sni_graph *body, sni_node_id *map);
// A node that is gone has its values: the body's, whose parameters are known outside.
sn_status sni_inline_control(sni_control_edit *edit);
// Products of few rows with outer values: rows of products in front of the loop.
sn_status sni_lift_products(sni_control_edit *edit);
// Outer values of nodes in the bodies: what is computed outside already, and what is now.
sn_status sni_hoist_nodes(sni_control_edit *edit);

#endif
