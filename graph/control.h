// Control ops: nodes with bodies, which are graphs of their own over the same dims.
//
//   op      operands                       bodies                    results
//   cond    i32[] number, captures         one per number            a body's outputs
//   while   carries, captures              condition, step           carries; history
//   rescan  history, carries, captures     step                      carries
//   scan    carries, xs, captures          step                      carries, ys
//   call    captures                       the called                its outputs
//   custom  ins, outs, captures            way back                  the outs
//   host    ins; order                     its results' types        what the function gives; order
//
// What a body reads is all its own: its INPUT parameters are (of a scan) the number of the iteration, i64[],
// and the xs' rows, then the captures; carries are its VARIABLE parameters, and their next values its results for
// these. So a carry is updated in place where a function's variable would be. A condition has one output, bool[],
// and no next values. Outputs of a scan's step are rows of the ys. Those of a while's, whose number nobody knows before,
// become its history: one more result, i64[2], that a rescan of the same graph alone reads; the rows are inputs of its
// step as those of xs are of a scan's. A body need not have a parameter for what it does
// not read. That of a host op is never run: what it gives, zeros, has the types of the results. Where the function has effects
// (attribute "effects"), the last operand and the last result are the order, i64[]: the number of calls before it and with it, which is a
// variable of the context's; so a call comes after those before it, and is in use. "pairs": a bit for each operand and result that is
// complex or a string, whatever split_complex and settle_strings make of it. "batched": a bit for each operand that has examples along axis 0, if it is a call of all of a batch. The node's own type is bool[] and means nothing: a RESULT node stands for each value.
#ifndef SNI_GRAPH_CONTROL_H
#define SNI_GRAPH_CONTROL_H

#include "graph/graph.h"
#include "runtime/control.h"

typedef struct sni_control {
  sni_control_kind kind;
  int n_carries, n_xs, n_captures;
  int n_variables;  // carries that are variables of the user's: the last ones
  int n_rows;       // inputs of a step: of the xs, or of a history
  int first_carry, first_x, first_capture;  // operands
  int first_x_input, first_capture_input;   // INPUT numbers of the bodies
  int n_outputs;                            // of each body but a condition
  int n_results;                            // carries and outputs
  sni_dim length;                           // of a scan
  bool reverse;
} sni_control;
// What messages call the node.
static inline const char *sni_node_op_name(const sni_node *node) {
  return node->host ? node->host->name : sni_op_infos[node->op].name;
}
// Of a control node whose counts are right.
sni_control sni_control_of(const sni_node *node);
// The body that gives the results (of a cond the first one).
const sni_graph *sni_control_step(const sni_node *node);

// The node behind output number `index` of a body; behind the next value of carry `index`. SNI_NO_NODE: there is none.
sni_node_id sni_body_output(const sni_graph *body, int index);
sni_node_id sni_body_next(const sni_graph *body, int index);
int sni_body_outputs(const sni_graph *body);

// A call in the node, or in its bodies, of a function of the host's that has effects; NULL: there is none.
const sni_node *sni_effect_of(const sni_node *node);

// The while whose history a rescan walks; NULL: its first operand is none.
const sni_node *sni_loop_of_history(const sni_graph *graph, sni_node_id history);
bool sni_is_history(const sni_graph *graph, sni_node_id node);

// What RESULT number `index` of the node is. Errors: SN_ERR_MEMORY, SN_ERR_INTERNAL.
sn_status sni_control_result_type(const sni_graph *graph, const sni_node *node, int index,
                                  sni_type *out_type);
// Bodies against operands and each other. Errors: SN_ERR_INTERNAL, but SN_ERR_SHAPE and SN_ERR_DTYPE where a carry's
// next value, or the output of a cond's other body, is of another type.
sn_status sni_control_check(const sni_graph *graph, const sni_node *node);

// Appends a control node; bodies are borrowed, and must live as long as the graph. Errors: as sni_control_check.
sn_status sni_graph_add_control(sni_graph *graph, sni_op op, const sni_node_id *operands,
                                int n_operands, const sni_dim *attrs, int n_attrs,
                                sni_graph *const *bodies, int n_bodies, sni_location location,
                                sni_node_id *out_id);
// Appends the value once more, whose cotangent goes to `to`, of its type, in the place of what it was computed from: a
// custom op.
sn_status sni_graph_add_redirection(sni_graph *graph, sni_node_id value, sni_node_id to,
                                    sni_node_id *out_id);
// A call, together with what is around: its gradient is computed from what there is.
sn_status sni_graph_add_call(sni_graph *graph, const sni_node_id *operands, int n_operands,
                             sni_graph *body, sni_location location, sni_node_id *out_id);
// A call of a function of the host's. body: of its results' types.
typedef struct sni_host_node {
  const sni_host *host;  // lives as long as the graph
  const sni_node_id *operands;
  int n_operands;
  bool has_effects;
  int64_t pairs, batched;
  const char *label;  // of dumps: the name, with attributes
  sni_graph *body;
  sni_location location;
} sni_host_node;
sn_status sni_graph_add_host(sni_graph *graph, const sni_host_node *call, sni_node_id *out_id);
// Appends the node of one of its results.
sn_status sni_graph_add_control_result(sni_graph *graph, sni_node_id control, int index,
                                       sni_node_id *out_id);

#endif
