// What of a graph its results need, through the bodies of its control ops: of a loop the carries that some result, output
// or condition reads, of all iterations; the outputs that somebody reads.
#ifndef SNI_PASSES_MARK_BODIES_H
#define SNI_PASSES_MARK_BODIES_H

#include "graph/control.h"

// Nodes of a body by number: its parameters for carries and inputs, the carries' next values, its outputs. SNI_NO_NODE: none.
typedef struct sni_body_ends {
  sni_node_id *carries, *inputs, *next, *outputs;
} sni_body_ends;
sn_status sni_body_ends_of(sni_arena *arena, const sni_graph *body, const sni_control *c,
                           sni_body_ends *out_ends);

typedef struct sni_live_control sni_live_control;

// One graph of the nest. A graph that two nodes have as their body is there twice.
typedef struct sni_live_graph {
  const sni_graph *graph;
  sni_live_control *around;     // whose body it is; NULL: of none
  bool *needed;                 // per node
  sni_live_control **controls;  // per node; NULL: the graph has none
  uint32_t *parameter_of;       // of a body, per node: number of the parameter
  sni_body_ends ends;           // of a body
} sni_live_graph;

struct sni_live_control {
  const sni_node *node;
  sni_control c;
  sni_live_graph *around;
  sni_live_graph *bodies;
  sni_live_control *loop;  // of a rescan: whose history it walks
  bool used, has_history;  // some result is read; that of a history is
  bool *carries, *outputs;
};

// Lists in the graph's arena. Errors: SN_ERR_MEMORY.
sn_status sni_mark_bodies(const sni_graph *graph, sni_live_graph **out_live);
// A call of a function of the host's that has effects, and that the results need, or that the op of RESULT node `result` (SNI_NO_NODE: all
// results) makes for it. *out_host is NULL: there is none. Errors: SN_ERR_MEMORY.
sn_status sni_find_effect(const sni_graph *graph, sni_node_id result, const sni_node **out_host);

#endif
