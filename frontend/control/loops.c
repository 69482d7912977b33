// sn_while_loop, sn_fori_loop, sn_scan, sn_map_fn in a trace; loops_eager.c runs them op by op.
//
// A fori_loop is a scan without xs whose body reads the number of the iteration, a map_fn one without carries.
#include "frontend/control/loops.h"

#include "frontend/control/packed.h"

#include "graph/control.h"

#include <string.h>

static sni_user_code step_of(const sni_loop *r) {
  return (sni_user_code){r->body, r->user, r->n_out, "the body of ", r->name, "", false};
}

// ---- what both kinds have in common
static sn_status initial_nodes(const sni_loop *r, sni_node_id *nodes, sni_type *types) {
  const sni_graph *graph = sni_trace_graph(r->context->trace);
  for (int i = 0; i < r->n_carries; i++) {
    SNI_TRY(sni_trace_node(r->context->trace, r->init[i], &nodes[i]));
    types[i] = *sni_graph_type(graph, nodes[i]);
  }
  return SN_OK;
}

// The carries' next values are results of the step; then the variables'.
static sn_status add_next(sni_bodies *b, const sni_loop *r, int step, const sni_type *types) {
  sni_traced_body *body = &b->bodies[step];
  for (int i = 0; i < r->n_carries; i++) {
    SNI_TRY(sni_check_body_type(b->context, &types[i], body->trace.graph, body->outputs[i],
                                "carried value", i, "it begins as"));
    SNI_TRY(sni_graph_add_result(body->trace.graph, body->outputs[i], i));
  }
  int next = r->n_carries;
  for (uint32_t v = 0; v < b->n_variables; v++) {
    sni_node_id node;
    if (!b->variables[v].assigned) continue;
    SNI_TRY(sni_variable_at_end(b, step, v, &node));
    SNI_TRY(sni_graph_add_result(body->trace.graph, node, next++));
  }
  return SN_OK;
}

// Operands of the op: carries, those of variables behind them, then the xs.
static int list_operands(const sni_bodies *b, const sni_loop *r, const sni_node_id *init,
                         const sni_node_id *xs, sni_node_id *operands, int *out_n_carries) {
  int n = 0;
  for (int i = 0; i < r->n_carries; i++) operands[n++] = init[i];
  for (uint32_t v = 0; v < b->n_variables; v++)
    if (b->variables[v].assigned) operands[n++] = b->variables[v].before;
  *out_n_carries = n;
  for (int i = 0; i < r->n_xs; i++) operands[n++] = xs[i];
  return n;
}

static sn_status finish(sni_bodies *b, const sni_loop *r, const sni_node_id *init,
                        const sni_node_id *xs, sni_dim length) {
  const size_t n_all = (size_t)r->n_carries + b->n_variables + (size_t)r->n_xs;
  sni_node_id *operands = SNI_ARENA_ARRAY(b->arena, sni_node_id, n_all + 1);
  int *numbers = SNI_ARENA_ARRAY(b->arena, int, r->n_out + 1), n_carries;
  if (!operands || !numbers) return sni_fail_memory(&b->context->diag, n_all * 4, "operands");
  const int n = list_operands(b, r, init, xs, operands, &n_carries);
  for (int i = 0; i < r->n_out; i++)
    numbers[i] = i < r->n_carries ? i : n_carries + i - r->n_carries;
  const sni_dim n_variables = n_carries - r->n_carries;
  const sni_dim of_scan[5] = {n_carries, r->n_xs, length, r->reverse, n_variables};
  const sni_dim of_while[2] = {n_carries, n_variables};
  const bool is_while = r->condition != NULL;
  return sni_bodies_finish(b, is_while ? SNI_OP_WHILE : SNI_OP_SCAN, operands, n,
                           is_while ? of_while : of_scan, is_while ? 2 : 5, r->location, r->n_out,
                           r->out, numbers, r->n_carries);
}

// ---- while
static sn_status trace_condition(sni_bodies *b, const sni_loop *r, const sni_body_inputs *inputs) {
  const sni_user_code code = {r->condition, r->user, 1, "the condition of ", r->name, "", false};
  const sni_type expected = sni_type_make(SN_BOOL, 0, NULL);
  sni_traced_body *body = &b->bodies[0];
  SNI_TRY(sni_trace_body(b, 0, &code, inputs));
  for (uint32_t i = 0; i < body->trace.n_variables; i++)
    if (body->trace.variables[i].assigned)
      return sni_fail(
          &b->context->diag, SN_ERR_STATE,
          "%s: the condition assigns a variable, draws random numbers, or calls functions "
          "of the host's that have effects",
          r->name);
  SNI_TRY(sni_check_body_type(b->context, &expected, body->trace.graph, body->outputs[0],
                              "the condition's output", 0, "it must be"));
  return sni_graph_add_result(body->trace.graph, body->outputs[0], -1);
}

static sn_status trace_while(sni_bodies *b, const sni_loop *r, const sni_node_id *init,
                             const sni_type *types) {
  const sni_body_inputs inputs = {.carries = types, .n_carries = r->n_carries};
  const sni_user_code step = step_of(r);
  SNI_TRY(trace_condition(b, r, &inputs));
  SNI_TRY(sni_trace_body(b, 1, &step, &inputs));
  if (r->again && *r->again) return SN_OK;
  SNI_TRY(sni_settle_variables(b, true));
  SNI_TRY(add_next(b, r, 1, types));
  return finish(b, r, init, NULL, 0);
}

// ---- scan
// The type of a row, and the length that all xs have.
static sn_status row_types(const sni_loop *r, const sni_node_id *xs, sni_type *rows,
                           sni_dim *io_length) {
  sni_graph *graph = sni_trace_graph(r->context->trace);
  for (int i = 0; i < r->n_xs; i++) {
    sni_type *row = &rows[i];
    *row = *sni_graph_type(graph, xs[i]);
    if (i == 0 && !r->has_length) *io_length = row->dims[0];
    if (!sni_dim_unify(graph->dims, *io_length, row->dims[0]))
      return sni_fail_lengths(r, i, &r->xs[i]->type, *io_length);
    memmove(row->dims, row->dims + 1, (size_t)--row->rank * sizeof(*row->dims));
  }
  return SN_OK;
}

static sn_status add_rows(sni_bodies *b, const sni_loop *r) {
  sni_traced_body *body = &b->bodies[0];
  for (int i = r->n_carries; i < r->n_out; i++) {
    if (sni_graph_type(body->trace.graph, body->outputs[i])->rank == SN_MAX_RANK)
      return sni_fail_rank(r, i);
    SNI_TRY(sni_graph_add_result(body->trace.graph, body->outputs[i], -1));
  }
  return SN_OK;
}

static sn_status trace_scan(sni_bodies *b, const sni_loop *r, const sni_node_id *init,
                            const sni_type *types) {
  sni_node_id *xs = SNI_ARENA_ARRAY(b->arena, sni_node_id, r->n_xs + 1);
  sni_type *rows = SNI_ARENA_ARRAY(b->arena, sni_type, r->n_xs + 1);
  sni_dim length = r->length;
  if (!xs || !rows) return sni_fail_memory(&b->context->diag, sizeof(*rows), "a loop");
  for (int i = 0; i < r->n_xs; i++) SNI_TRY(sni_trace_node(b->around, r->xs[i], &xs[i]));
  SNI_TRY(row_types(r, xs, rows, &length));
  const sni_type number = sni_type_make(SN_I64, 0, NULL);
  const sni_body_inputs inputs = {.carries = types,
                                  .inputs = r->counts ? &number : rows,
                                  .n_carries = r->n_carries,
                                  .n_inputs = r->counts ? 1 : r->n_xs,
                                  .inputs_first = r->counts,
                                  .first_number = r->first_number};
  const sni_user_code step = step_of(r);
  SNI_TRY(sni_trace_body(b, 0, &step, &inputs));
  if (r->again && *r->again) return SN_OK;
  SNI_TRY(sni_settle_variables(b, true));
  SNI_TRY(add_next(b, r, 0, types));
  SNI_TRY(add_rows(b, r));
  return finish(b, r, init, xs, length);
}

sn_status sni_loop_in_trace(const sni_loop *r) {
  if (r->sizes_change) return sni_loop_of_sizes(r);
  sni_bodies b;
  const uint32_t inputs = r->condition ? 0 : 1 + (uint32_t)r->n_xs;
  sn_status status = sni_bodies_begin(&b, r->context, r->name, r->condition ? 2 : 1, inputs,
                                      (uint32_t)r->n_carries);
  sni_node_id *init = SNI_ARENA_ARRAY(b.arena, sni_node_id, r->n_carries + 1);
  sni_type *types = SNI_ARENA_ARRAY(b.arena, sni_type, r->n_carries + 1);
  if (!status && (!init || !types))
    status = sni_fail_memory(&r->context->diag, sizeof(*types), "a loop");
  if (!status) status = initial_nodes(r, init, types);
  if (!status)
    status = r->condition ? trace_while(&b, r, init, types) : trace_scan(&b, r, init, types);
  sni_bodies_end(&b);
  return status;
}
