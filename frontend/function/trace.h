// A trace: the graph that a callback's calls are building, and what it has captured on the way.
// Private to function tracing.
#ifndef SNI_FRONTEND_TRACE_H
#define SNI_FRONTEND_TRACE_H

#include "frontend/context/internal.h"

typedef struct sni_trace_variable {
  sn_tensor *variable;    // one reference
  sni_node_id parameter;  // its value before the call
  sni_node_id present;    // its value now
  sni_node_id read;       // the value that was read last
  bool assigned;
  bool cut;  // present is a stop_gradient of what was assigned
} sni_trace_variable;

// A value that a variable was assigned in the trace, where it was read. Gradients with respect to the
// variable sum over these and its parameter.
typedef struct sni_trace_read {
  uint32_t variable;  // number in sni_trace.variables
  sni_node_id node;
} sni_trace_read;

// An eager tensor or a variable that has a node in this trace.
typedef struct sni_trace_known {
  sn_tensor *tensor;  // one reference
  sni_node_id node;
  int32_t capture;    // index of its CAPTURE parameter; -1: a CONSTANT node, or a variable
  uint32_t variable;  // of a variable: number in sni_trace.variables
} sni_trace_known;

struct sni_trace {
  sn_context *context;
  const char *name;  // of the function; borrowed
  uint64_t tag;
  sni_graph *graph;
  sni_trace_variable *variables;
  uint32_t n_variables, variables_capacity;
  sni_trace_read *reads;
  uint32_t n_reads, reads_capacity;
  sni_trace_known *known;
  uint32_t n_known, known_capacity;
  uint32_t *slots;  // open addressing over known: number + 1
  uint32_t n_slots;
  uint32_t n_captures;
  int depth;  // of functions inlined into one another
};

// Opens a trace in the context, which must not have one. The graph is made in arena.
sn_status sni_trace_open(sni_trace *trace, sn_context *context, sni_arena *arena, const char *name);
// Ends it: the context is eager again, traced tensors that still live become unusable. Releases
// what is in the lists.
void sni_trace_close(sni_trace *trace);
// Entry of a variable, made if there is none.
sn_status sni_trace_variable_of(sni_trace *trace, sn_tensor *variable, uint32_t *out_index);
// Node of t as the y of a gradient, and where messages say that its path ends.
sn_status sni_trace_gradient_node(sni_trace *trace, sn_tensor *t, sni_node_id *out_node);
// The nodes that a gradient with respect to t is the sum over; nodes NULL: only how many.
sn_status sni_trace_read_nodes(sni_trace *trace, sn_tensor *t, sni_node_id *nodes, int *out_n);

#endif
