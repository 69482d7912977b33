// Gradients of branches: a control op of the same kind, whose bodies compute what the forward ones do once more and then their
// gradients. Of a cond in the branch that was taken; of a call in a call of its own, apart from the first.
#include "graph/late.h"
#include "passes/gradient/vjp_body.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

// inputs: captures, then the cotangents that there are.
static sn_status make_branch(sni_vjp_body *in, const sni_vjp *v, const sni_control *c,
                             const sni_graph *body) {
  uint32_t number = (uint32_t)c->n_captures;
  SNI_TRY(sni_vjp_body_make(in, v, c, body));
  SNI_TRY(sni_vjp_add_captures(in, 0));
  for (int i = 0; i < c->n_results; i++)
    if (v->dys[i] != none)
      SNI_TRY(
          sni_vjp_add_input(in, sni_graph_type(v->b->graph, v->dys[i]), &number, &in->seeds[i]));
  SNI_TRY(sni_vjp_copy_body(in, none));
  return sni_vjp_differentiate_body(in);
}

static bool is_reached(const sni_vjp_body *branches, int n, int gradient) {
  for (int k = 0; k < n; k++)
    if (branches[k].gradients[gradient] != none) return true;
  return false;
}

// ---- effects
// What one branch keeps: the forward one gives it out, those beside it zeros.
typedef struct keeping {
  const sni_vjp *v;
  const sni_vjp_body *branches;
  int n_bodies;
  sni_graph **forward;  // copies of the forward bodies; NULL: nothing is kept yet
  int n_kept, n_inputs;
  bool *needed, *residuals;  // per node of the branch at hand
} keeping;

static sn_status find_effects(keeping *k, const sni_vjp_body *branch) {
  const sni_graph *graph = branch->graph;
  bool *marks = SNI_ARENA_ARRAY(graph->arena, bool, sni_dim_symbol_count(graph->dims) + 1);
  k->needed = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes);
  k->residuals = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes);
  if (!marks || !k->needed || !k->residuals) return sni_vjp_no_memory(k->v, graph->n_nodes);
  sni_mark_needed(graph, NULL, marks, k->needed);
  SNI_TRY(sni_vjp_mark_effects(branch, k->needed, k->residuals));
  memset(k->needed, 0, graph->n_nodes * sizeof(*k->needed));
  sni_mark_needed(graph, k->residuals, marks, k->needed);
  return sni_vjp_check_effects(branch, k->needed);
}

static sn_status own_bodies(keeping *k) {
  if (k->forward) return SN_OK;
  k->forward = SNI_ARENA_ARRAY(k->v->b->graph->arena, sni_graph *, k->n_bodies);
  if (!k->forward) return sni_vjp_no_memory(k->v, (size_t)k->n_bodies);
  for (int i = 0; i < k->n_bodies; i++)
    SNI_TRY(sni_vjp_own_body(k->v, k->v->node.bodies[i], &k->forward[i]));
  return SN_OK;
}

static sn_status give_out(keeping *k, int which, sni_node_id here) {
  const sni_type type = *sni_graph_type(k->branches[which].graph, here);
  SNI_TRY(own_bodies(k));
  for (int i = 0; i < k->n_bodies; i++) {
    sni_build b = sni_build_make(k->forward[i], k->v->b->location);
    sni_node_id id = SNI_NO_NODE;
    if (i == which)
      SNI_TRY(sni_vjp_forward_node(&k->branches[i], here, k->forward[i], &id));
    else
      id = sni_build_full(&b, &type, 0);
    SNI_TRY(b.status);
    SNI_TRY(sni_graph_add_result(k->forward[i], id, -1));
  }
  k->n_kept++;
  return SN_OK;
}

// The branch again, which is given what it keeps, without what nobody needs.
static sn_status read_kept(keeping *k, int which, sni_graph **io_graph) {
  const sni_graph *from = *io_graph;
  sni_graph *to;
  sni_node_id *map = SNI_ARENA_ARRAY(from->arena, sni_node_id, from->n_nodes);
  if (!map) return sni_vjp_no_memory(k->v, from->n_nodes);
  SNI_TRY(sni_graph_create(from->arena, from->diag, from->name, from->dims, &to));
  for (sni_node_id id = 0; id < from->n_nodes; id++) map[id] = k->needed[id] ? none : 0;
  for (uint32_t i = 0; i < from->n_parameters; i++) {
    const sni_parameter *p = &from->parameters[i];
    if (k->needed[p->node])
      SNI_TRY(sni_graph_add_parameter(to, sni_graph_type(from, p->node), p->kind, p->index, NULL,
                                      &map[p->node]));
  }
  for (sni_node_id id = 0; id < from->n_nodes; id++) {
    if (!k->residuals[id] || !k->needed[id]) continue;
    const uint32_t number = (uint32_t)(k->n_inputs + k->n_kept);
    SNI_TRY(give_out(k, which, id));
    SNI_TRY(sni_graph_add_parameter(to, sni_graph_type(from, id), SNI_PARAMETER_INPUT, number, NULL,
                                    &map[id]));
  }
  SNI_TRY(sni_inline_body(to, from, map));
  for (uint32_t i = 0; i < from->n_results; i++)
    SNI_TRY(sni_graph_add_result(to, map[from->results[i].node], from->results[i].variable));
  *io_graph = to;
  return SN_OK;
}

// graphs: the branches back, which become others where they keep something; the operands are more by that.
static sn_status keep_effects(const sni_vjp *v, const sni_control *c, const sni_vjp_body *branches,
                              sni_graph **graphs, sni_node_id **io_operands, int *io_n) {
  sni_graph *graph = v->b->graph;
  keeping k = {.v = v,
               .branches = branches,
               .n_bodies = v->node.n_bodies,
               .n_inputs = *io_n - c->first_capture};
  for (int i = 0; i < k.n_bodies; i++) {
    if (!sni_has_effects(v->node.bodies[i])) continue;
    SNI_TRY(find_effects(&k, &branches[i]));
    SNI_TRY(read_kept(&k, i, &graphs[i]));
  }
  if (!k.n_kept) return SN_OK;
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, *io_n + k.n_kept);
  if (!operands) return sni_vjp_no_memory(v, (size_t)k.n_kept);
  memcpy(operands, *io_operands, (size_t)*io_n * sizeof(*operands));
  graph->nodes[v->y].bodies = k.forward;
  for (int i = 0; i < k.n_kept; i++)
    operands[(*io_n)++] = sni_vjp_result_of(v, v->y, c->n_results + i);
  *io_operands = operands;
  return v->b->status;
}

// ---- the op
// A call's one body is a branch that is always taken; `first`: where its captures are.
static sn_status differentiate_branches(const sni_vjp *v, const sni_control *c) {
  sni_graph *graph = v->b->graph;
  const int n_bodies = v->node.n_bodies, first = c->first_capture;
  const int n_operands = first + c->n_captures;
  const sni_dim apart = 1;
  const bool is_call = c->kind == SNI_CONTROL_CALL;
  sni_vjp_body *branches = SNI_ARENA_ARRAY(graph->arena, sni_vjp_body, n_bodies);
  sni_graph **bodies = SNI_ARENA_ARRAY(graph->arena, sni_graph *, n_bodies);
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, n_operands + c->n_results);
  if (!branches || !bodies || !operands) return sni_vjp_no_memory(v, (size_t)n_operands);
  for (int k = 0; k < n_bodies; k++) {
    SNI_TRY(make_branch(&branches[k], v, c, v->node.bodies[k]));
    bodies[k] = branches[k].graph;
  }
  int n = n_operands, n_out = 0;
  bool any = false;
  if (n_operands) memcpy(operands, v->node.operands, (size_t)n_operands * sizeof(*operands));
  for (int i = 0; i < c->n_results; i++)
    if (v->dys[i] != none) operands[n++] = v->dys[i];
  for (int i = 0; i < c->n_captures; i++) {
    if (!v->wanted[first + i] || !is_reached(branches, n_bodies, i)) continue;
    for (int k = 0; k < n_bodies; k++)
      SNI_TRY(sni_vjp_add_gradient(&branches[k], branches[k].gradients[i],
                                   sni_vjp_operand_type(v, first + i), -1));
    any = true;
  }
  sni_node_id control;
  if (!any) return SN_OK;
  SNI_TRY(keep_effects(v, c, branches, bodies, &operands, &n));
  SNI_TRY(sni_graph_add_control(graph, v->node.op, operands, n, &apart, is_call, bodies, n_bodies,
                                v->b->location, &control));
  for (int i = 0; i < c->n_captures; i++)
    if (v->wanted[first + i] && is_reached(branches, n_bodies, i))
      v->out[first + i] = sni_vjp_result_of(v, control, n_out++);
  return v->b->status;
}

void sni_vjp_cond(const sni_vjp *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = differentiate_branches(v, &c);
}

void sni_vjp_call(const sni_vjp *v) {
  sni_vjp_cond(v);
}
