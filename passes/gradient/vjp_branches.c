// Gradients of branches: a cond of the bodies on their way back, of which that of the branch runs which was taken. A call's one
// body is a branch that is always taken, and its gradient a call of its own, apart from the first. What the user says is a
// gradient that stands among the nodes around.
#include "passes/gradient/vjp_bodies.h"
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

// A value of one branch that the forward op puts down: one more output of all branches, zeros in the others.
typedef struct kept_value {
  int branch;
  sni_node_id node;  // of that branch's body
} kept_value;

typedef struct branches {
  const sni_vjp *v;
  const sni_control *c;
  sni_vjp_body *all;
  int n;
  sni_graph **bodies;  // on their way back
  bool **needed;       // per branch and node of its way back
  kept_value *kept;
  int n_kept, n_seeds;
} branches;

// inputs: captures, then the cotangents that there are, then what is put down.
static sn_status make_branch(const branches *b, int k) {
  const sni_vjp *v = b->v;
  uint32_t number = (uint32_t)b->c->n_captures;
  sni_vjp_body *in = &b->all[k];
  SNI_TRY(sni_vjp_open_body(in, v, b->c, v->node.bodies[k]));
  SNI_TRY(sni_vjp_add_captures(in, 0));
  for (int i = 0; i < b->c->n_results; i++)
    if (v->dys[i] != none)
      SNI_TRY(
          sni_vjp_add_input(in, sni_graph_type(v->b->graph, v->dys[i]), &number, &in->seeds[i]));
  return sni_vjp_differentiate_body(in, none);
}

static bool is_reached(const branches *b, int capture) {
  for (int k = 0; k < b->n; k++)
    if (b->all[k].gradients[capture] != none) return b->v->wanted[b->c->first_capture + capture];
  return false;
}

// *out_any: there are some.
static sn_status add_gradients(const branches *b, bool *out_any) {
  *out_any = false;
  for (int i = 0; i < b->c->n_captures; i++) {
    if (!is_reached(b, i)) continue;
    for (int k = 0; k < b->n; k++)
      SNI_TRY(sni_vjp_add_gradient(&b->all[k], b->all[k].gradients[i],
                                   sni_vjp_operand_type(b->v, b->c->first_capture + i), -1));
    *out_any = true;
  }
  return SN_OK;
}

// ---- what is put down: what functions of the host's gave that have effects
// Marks those values among the nodes of the way back.
static sn_status find_kept(const sni_vjp_body *in, bool *kept) {
  bool *effects = SNI_ARENA_ARRAY(in->graph->arena, bool, in->body->n_nodes + 1);
  if (!effects) return sni_vjp_no_memory(in->v, in->body->n_nodes);
  for (sni_node_id id = 0; id < in->body->n_nodes; id++) {
    const sni_node *node = sni_graph_node(in->body, id), *host = NULL;
    if (!sni_is_result(node)) effects[id] = node->n_bodies && sni_effect_of(node);
    if (!sni_is_result(node) || !effects[node->operands[0]]) continue;
    SNI_TRY(sni_find_effect(in->graph, in->map[id], &host));
    kept[in->map[id]] = host != NULL;
  }
  return SN_OK;
}

static sn_status keep_values(branches *b, int k) {
  sni_vjp_body *in = &b->all[k];
  const uint32_t n = in->graph->n_nodes;
  bool *kept = SNI_ARENA_ARRAY(in->graph->arena, bool, n + 1);
  uint32_t *inputs = SNI_ARENA_ARRAY(in->graph->arena, uint32_t, n + 1);
  if (!kept || !inputs) return sni_vjp_no_memory(b->v, n);
  SNI_TRY(find_kept(in, kept));
  SNI_TRY(sni_vjp_find_needed(in, kept, &b->needed[k]));
  memset(inputs, 0xff, n * sizeof(*inputs));
  const int first = b->c->n_captures + b->n_seeds, n_before = b->n_kept;
  for (sni_node_id id = 0; id < in->body->n_nodes; id++) {
    if (!kept[in->map[id]] || !b->needed[k][in->map[id]]) continue;
    inputs[in->map[id]] = (uint32_t)(first + b->n_kept);
    b->kept[b->n_kept++] = (kept_value){k, id};
  }
  // Sizes that nothing here asks for keep a call with effects from going, too.
  const sni_node *host;
  SNI_TRY(sni_find_effect(in->graph, none, &host));
  if (b->n_kept > n_before || host) SNI_TRY(sni_vjp_take_inputs(in, b->needed[k], inputs));
  return sni_vjp_refuse_effects(in->graph, SNI_NO_NODE);
}

static sn_status add_outputs(const branches *b, int k, sni_graph *body) {
  for (int i = 0; i < b->n_kept; i++) {
    const kept_value *kept = &b->kept[i];
    const sni_graph *other = b->v->node.bodies[kept->branch];
    sni_node_id node = kept->node;
    if (kept->branch != k)
      SNI_TRY(
          sni_graph_add_full(body, sni_graph_type(other, kept->node), 0, b->v->b->location, &node));
    SNI_TRY(sni_graph_add_result(body, node, -1));
  }
  return SN_OK;
}

static sn_status put_down(const branches *b) {
  sni_graph *graph = b->v->b->graph;
  if (!b->n_kept) return SN_OK;
  sni_graph **forward = SNI_ARENA_ARRAY(graph->arena, sni_graph *, b->n);
  if (!forward) return sni_vjp_no_memory(b->v, (size_t)b->n);
  for (int k = 0; k < b->n; k++) {
    SNI_TRY(sni_vjp_copy_forward(b->v, b->v->node.bodies[k], &forward[k]));
    SNI_TRY(add_outputs(b, k, forward[k]));
  }
  graph->nodes[b->v->y].bodies = forward;
  return SN_OK;
}

// ---- the op
static sn_status open_branches(branches *b) {
  sni_arena *arena = b->v->b->graph->arena;
  size_t n_nodes = 0;
  for (int k = 0; k < b->n; k++) n_nodes += b->v->node.bodies[k]->n_nodes;
  b->all = SNI_ARENA_ARRAY(arena, sni_vjp_body, b->n);
  b->bodies = SNI_ARENA_ARRAY(arena, sni_graph *, b->n);
  b->needed = SNI_ARENA_ARRAY(arena, bool *, b->n);
  b->kept = SNI_ARENA_ARRAY(arena, kept_value, n_nodes + 1);
  if (!b->all || !b->bodies || !b->needed || !b->kept) return sni_vjp_no_memory(b->v, n_nodes);
  for (int i = 0; i < b->c->n_results; i++) b->n_seeds += b->v->dys[i] != none;
  for (int k = 0; k < b->n; k++) SNI_TRY(make_branch(b, k));
  return SN_OK;
}

static sn_status add_control(const branches *b, sni_node_id *out_control) {
  const sni_vjp *v = b->v;
  sni_graph *graph = v->b->graph;
  const int first = b->c->first_capture + b->c->n_captures;
  const bool is_call = b->c->kind == SNI_CONTROL_CALL;
  const sni_dim apart = 1;
  int n = first;
  sni_node_id *operands =
      SNI_ARENA_ARRAY(graph->arena, sni_node_id, first + b->n_seeds + b->n_kept + 1);
  if (!operands) return sni_vjp_no_memory(v, (size_t)first);
  if (first) memcpy(operands, v->node.operands, (size_t)first * sizeof(*operands));
  for (int i = 0; i < b->c->n_results; i++)
    if (v->dys[i] != none) operands[n++] = v->dys[i];
  for (int i = 0; i < b->n_kept; i++)
    operands[n++] = sni_vjp_result_of(v, v->y, b->c->n_results + i);
  SNI_TRY(v->b->status);
  return sni_graph_add_control(graph, v->node.op, operands, n, &apart, is_call, b->bodies, b->n,
                               v->b->location, out_control);
}

static sn_status differentiate_branches(const sni_vjp *v, const sni_control *c) {
  branches b = {.v = v, .c = c, .n = v->node.n_bodies};
  sni_node_id control;
  bool any;
  int n_out = 0;
  SNI_TRY(open_branches(&b));
  SNI_TRY(add_gradients(&b, &any));
  if (!any) return SN_OK;
  for (int k = 0; k < b.n; k++) {
    SNI_TRY(keep_values(&b, k));
    b.bodies[k] = b.all[k].graph;
  }
  SNI_TRY(put_down(&b));
  SNI_TRY(add_control(&b, &control));
  for (int i = 0; i < c->n_captures; i++)
    if (is_reached(&b, i)) v->out[c->first_capture + i] = sni_vjp_result_of(v, control, n_out++);
  return v->b->status;
}

void sni_vjp_cond(const sni_vjp *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = differentiate_branches(v, &c);
}

void sni_vjp_call(const sni_vjp *v) {
  sni_vjp_cond(v);
}

// ---- what the user says
// The body itself, among the nodes around: so it has a gradient, too.
static sn_status inline_way_back(const sni_vjp *v, const sni_control *c) {
  const sni_graph *body = v->node.bodies[0];
  const int n_ins = (int)v->node.attrs[0];
  sni_graph *graph = v->b->graph;
  sni_node_id *map = SNI_ARENA_ARRAY(graph->arena, sni_node_id, body->n_nodes + 1);
  if (!map) return sni_vjp_no_memory(v, body->n_nodes);
  memset(map, 0xff, body->n_nodes * sizeof(*map));
  for (uint32_t i = 0; i < body->n_parameters; i++) {
    const int input = (int)body->parameters[i].index, dy = input - c->first_capture;
    sni_node_id *to = &map[body->parameters[i].node];
    if (dy < 0)
      *to = v->node.operands[input];
    else if (dy >= c->n_results)
      *to = v->node.operands[c->first_capture + input - c->first_capture_input];
    else
      *to = v->dys[dy] != none ? v->dys[dy] : sni_vjp_zeros(v, n_ins + dy);
  }
  SNI_TRY(v->b->status);
  SNI_TRY(sni_inline_body(graph, body, map));
  for (int i = 0; i < n_ins; i++)
    if (v->wanted[i]) v->out[i] = map[sni_body_output(body, i)];
  return SN_OK;
}

void sni_vjp_custom(const sni_vjp *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = inline_way_back(v, &c);
}
