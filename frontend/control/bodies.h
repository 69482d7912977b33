// Tracing the bodies of one control op. Private to frontend/control/.
#ifndef SNI_FRONTEND_BODIES_H
#define SNI_FRONTEND_BODIES_H

#include "frontend/function/trace.h"

typedef struct sni_traced_body {
  sni_trace trace;
  sni_node_id *outputs;  // nodes of what the callback has set
  bool open;
} sni_traced_body;

// A variable that some body reads or assigns.
typedef struct sni_body_variable {
  sn_tensor *variable;
  sni_node_id before;  // of the trace around: what it is before the op
  bool assigned;
} sni_body_variable;

typedef struct sni_bodies {
  sn_context *context;
  sni_arena *arena;
  sni_trace *around;
  const char *name;  // of the public function
  sni_outer_values outer;
  sni_traced_body *bodies;
  int n_bodies;
  uint32_t first_input, n_carries;  // of the caller's
  sni_body_variable *variables;
  uint32_t n_variables, variables_capacity;
  uint32_t *
      numbers;  // per variable of the trace around: number in the list; UINT32_MAX: it is not there
  uint32_t numbers_capacity;
} sni_bodies;

// What a body is given: carries, then inputs (number of the iteration, rows), by their types; then tensors as they are.
typedef struct sni_body_inputs {
  const sni_type *carries;
  const sni_type *inputs;
  int n_carries, n_inputs;
  bool inputs_first;     // in the callback's `in`
  int64_t first_number;  // that is added to the first input
  sn_tensor *const *given;
  int n_given;
} sni_body_inputs;

sn_status sni_bodies_begin(sni_bodies *b, sn_context *context, const char *name, int n_bodies,
                           uint32_t first_input, uint32_t n_carries);
void sni_bodies_end(sni_bodies *b);
// What is done with what a callback has set, while its trace is open. user: of sni_trace_body_with.
typedef sn_status (*sni_body_end)(const void *user, sni_trace *trace, sn_tensor *const *out);
// Runs the callback of body number `body` in a trace of its own, and then `end`; without it its outputs' nodes are listed.
sn_status sni_trace_body_with(sni_bodies *b, int body, const sni_user_code *code,
                              const sni_body_inputs *inputs, sni_body_end end, const void *user);
sn_status sni_trace_body(sni_bodies *b, int body, const sni_user_code *code,
                         const sni_body_inputs *inputs);
// All bodies are traced: places for the parameters of their variables. What is assigned becomes a carry, behind the
// caller's (as_carries), else an outer value.
sn_status sni_settle_variables(sni_bodies *b, bool as_carries);
// What the variable is at the end of a body; reads it where the body has not.
sn_status sni_variable_at_end(sni_bodies *b, int body, uint32_t variable, sni_node_id *out_node);
// Results of each body: its outputs, then what the variables are at its end that some of them assigns.
sn_status sni_add_branch_results(sni_bodies *b, int n_out);
// Appends the control node to the trace around, then its results: out[i] is number numbers[i] (NULL: i), variables
// that were assigned are numbers first_variable and on.
sn_status sni_bodies_finish(sni_bodies *b, sni_op op, const sni_node_id *operands, int n_operands,
                            const sni_dim *attrs, int n_attrs, sni_location location, int n_out,
                            sn_tensor **out, const int *numbers, int first_variable);

#endif
