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
  bool cut;  // present has no way back to what was assigned
} sni_trace_variable;

// A value that a variable was assigned in the trace of a function, where it was read. Gradients with respect to the
// variable sum over these and its parameter. In a body the parameter has them all.
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

// Values of a trace that bodies of one control op read. They number them alike.
typedef struct sni_outer_values {
  sni_node_id *nodes;  // of the trace around
  uint32_t n, capacity;
  uint32_t *slots;  // open addressing over nodes that bodies have read: number + 1
  uint32_t n_slots;
} sni_outer_values;

enum { SNI_MOST_NESTED_BODIES = 32 };

struct sni_trace {
  sn_context *context;
  const char *name;  // of the function; borrowed
  bool is_repeated;  // the function has been traced before
  uint64_t tag;
  uint32_t first_live;  // tensors from here on in context->live may be of the trace
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
  int depth;     // of functions inlined into one another
  bool is_body;  // of a control op, also of one that the record holds
  bool
      keeps_small;  // eager tensors are captures, however small: what is made of the graph has gradients with respect to them
  // Of a body:
  sni_trace *around;         // NULL: this is a function's
  sni_outer_values *outer;   // what its parameters from first_input on stand for
  sni_node_id *outer_nodes;  // per outer value: the parameter; SNI_NO_NODE: this body has none
  uint32_t n_outer_nodes, outer_capacity, first_input, first_variable;
  int nesting;  // bodies around
};

// A callback and what messages call it: what, name, behind.
typedef struct sni_user_code {
  sn_callback callback;
  void *user;
  int n_outputs;
  const char *what, *name, *behind;
  bool may_leave_out;  // outputs may stay NULL
} sni_user_code;
// (run_callback.c) Runs it: out gets n_outputs usable tensors. Failures are pending in the context.
sn_status sni_run_user_code(const sni_user_code *code, sn_context *context,
                            sn_tensor *const *inputs, sn_tensor **out);

// (call.c) What a callback gave, as tensors of the caller's own: variables are read, somebody else's are shared. False: an
// error is pending.
bool sni_own_results(sn_context *context, sn_tensor **results, int n);

// Opens a trace in the context, which must not have one. The graph is made in arena.
sn_status sni_trace_open(sni_trace *trace, sn_context *context, sni_arena *arena, const char *name);
// Opens the trace of a body inside the context's trace. Its graph lies in the arena of that around, and has its
// dims. INPUT numbers from first_input on are those of outer values, VARIABLE numbers from first_variable on of variables, until
// the body is done and it is known which it assigns. Errors: SN_ERR_MEMORY.
sn_status sni_trace_open_body(sni_trace *trace, sn_context *context, sni_outer_values *outer,
                              uint32_t first_input, uint32_t first_variable, const char *name);
// One more value, whether or not its node is among them.
sn_status sni_outer_value_add(sni_outer_values *outer, sni_trace *around, sni_node_id node);
// The trace around is the context's again; the lists are there until the trace is closed.
void sni_trace_leave(sni_trace *trace);
// Ends it: the context is eager again, traced tensors that still live become unusable. Releases
// what is in the lists.
void sni_trace_close(sni_trace *trace);
// Entry of a variable, made if there is none.
sn_status sni_trace_variable_of(sni_trace *trace, sn_tensor *variable, uint32_t *out_index);
// NULL: it has none.
const sni_trace_variable *sni_trace_find_variable(const sni_trace *trace,
                                                  const sn_tensor *variable);
// Node of t as the y of a gradient, and where messages say that its path ends.
sn_status sni_trace_gradient_node(sni_trace *trace, sn_tensor *t, sni_node_id *out_node);
// The nodes that a gradient with respect to t is the sum over; nodes NULL: only how many.
sn_status sni_trace_read_nodes(sni_trace *trace, sn_tensor *t, sni_node_id *nodes, int *out_n);

#endif
