// Liveness over nested graphs: marks spread from the results of the outermost one, each node of each body once, so the cost is linear
// in what there is, however long the chains of carries.
//
// Invariant: what is marked is read by some result in some run; nodes of custom gradients and of functions of the host's are
// read as a whole.
#include "passes/graph/mark_bodies.h"

#include <string.h>

typedef struct item {
  sni_live_graph *live;
  sni_node_id node;
} item;

typedef struct marking {
  sni_arena *arena;
  sni_diag *diag;
  item *items;  // marked, but not what they read
  uint32_t n, capacity;
} marking;

// ---- interfaces
sn_status sni_body_ends_of(sni_arena *arena, const sni_graph *body, const sni_control *c,
                           sni_body_ends *out_ends) {
  const size_t n_carries = (size_t)c->n_carries;
  const size_t n_inputs = (size_t)c->first_capture_input + (size_t)c->n_captures;
  const size_t n = 2 * n_carries + n_inputs + body->n_results;
  sni_node_id *ids = SNI_ARENA_ARRAY(arena, sni_node_id, n + 1);
  if (!ids) return sni_fail_memory(body->diag, n * sizeof(*ids), "a body");
  memset(ids, 0xff, n * sizeof(*ids));
  *out_ends = (sni_body_ends){ids, ids + n_carries, ids + n_carries + n_inputs,
                              ids + 2 * n_carries + n_inputs};
  for (uint32_t i = 0; i < body->n_parameters; i++) {
    const sni_parameter *p = &body->parameters[i];
    sni_node_id *nodes = p->kind == SNI_PARAMETER_VARIABLE ? out_ends->carries : out_ends->inputs;
    nodes[p->index] = p->node;
  }
  for (uint32_t i = 0, output = 0; i < body->n_results; i++) {
    const sni_result *result = &body->results[i];
    if (result->variable < 0)
      out_ends->outputs[output++] = result->node;
    else if (result->variable < c->n_carries)
      out_ends->next[result->variable] = result->node;
  }
  return SN_OK;
}

// ---- the nest
static sn_status open_graph(marking *m, sni_live_graph *live, const sni_graph *graph,
                            sni_live_control *around);

static sn_status no_memory(const marking *m) {
  return sni_fail_memory(m->diag, sizeof(sni_live_graph), "liveness");
}

static sn_status open_control(marking *m, sni_live_graph *around, const sni_node *node,
                              sni_live_control **out) {
  sni_live_control *l = SNI_ARENA_NEW(m->arena, sni_live_control);
  *out = l;
  if (!l) return no_memory(m);
  *l = (sni_live_control){.node = node, .c = sni_control_of(node), .around = around};
  l->bodies = SNI_ARENA_ARRAY(m->arena, sni_live_graph, node->n_bodies);
  l->carries = SNI_ARENA_ARRAY(m->arena, bool, l->c.n_carries + 1);
  l->outputs = SNI_ARENA_ARRAY(m->arena, bool, l->c.n_outputs + 1);
  if (!l->bodies || !l->carries || !l->outputs) return no_memory(m);
  if (l->c.kind == SNI_CONTROL_RESCAN)
    l->loop = around->controls[sni_graph_node(around->graph, node->operands[0])->operands[0]];
  for (int i = 0; i < node->n_bodies; i++)
    SNI_TRY(open_graph(m, &l->bodies[i], node->bodies[i], l));
  return SN_OK;
}

// Its results and parameters by number.
static sn_status open_interface(marking *m, sni_live_graph *live) {
  const sni_graph *graph = live->graph;
  live->parameter_of = SNI_ARENA_ARRAY(m->arena, uint32_t, graph->n_nodes + 1);
  if (!live->parameter_of) return no_memory(m);
  for (uint32_t i = 0; i < graph->n_parameters; i++)
    live->parameter_of[graph->parameters[i].node] = i;
  return sni_body_ends_of(m->arena, graph, &live->around->c, &live->ends);
}

static sn_status open_graph(marking *m, sni_live_graph *live, const sni_graph *graph,
                            sni_live_control *around) {
  *live = (sni_live_graph){.graph = graph, .around = around};
  live->needed = SNI_ARENA_ARRAY(m->arena, bool, graph->n_nodes + 1);
  if (!live->needed) return no_memory(m);
  if (around) SNI_TRY(open_interface(m, live));
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    if (!sni_is_control(sni_graph_node(graph, id))) continue;
    if (!live->controls)
      live->controls = SNI_ARENA_ARRAY(m->arena, sni_live_control *, graph->n_nodes);
    if (!live->controls) return no_memory(m);
    SNI_TRY(open_control(m, live, sni_graph_node(graph, id), &live->controls[id]));
  }
  return SN_OK;
}

// ---- marks
static sn_status mark(marking *m, sni_live_graph *live, sni_node_id id) {
  if (live->needed[id]) return SN_OK;
  live->needed[id] = true;
  SNI_TRY(sni_arena_grow(m->arena, m->diag, (void **)&m->items, &m->capacity, m->n + 1,
                         sizeof(*m->items)));
  m->items[m->n++] = (item){live, id};
  return SN_OK;
}

static sn_status mark_operand(marking *m, const sni_live_control *l, int operand) {
  return mark(m, l->around, l->node->operands[operand]);
}

static sni_live_graph *step_of(const sni_live_control *l) {
  return &l->bodies[l->c.kind == SNI_CONTROL_WHILE];
}

static sn_status use_carry(marking *m, sni_live_control *l, int i) {
  if (l->carries[i]) return SN_OK;
  l->carries[i] = true;
  SNI_TRY(mark_operand(m, l, l->c.first_carry + i));
  return mark(m, step_of(l), step_of(l)->ends.next[i]);
}

static sn_status use_output(marking *m, sni_live_control *l, int i) {
  if (l->outputs[i]) return SN_OK;
  l->outputs[i] = true;
  if (l->c.kind != SNI_CONTROL_COND) return mark(m, step_of(l), step_of(l)->ends.outputs[i]);
  for (int b = 0; b < l->node->n_bodies; b++)
    SNI_TRY(mark(m, &l->bodies[b], l->bodies[b].ends.outputs[i]));
  return SN_OK;
}

static bool is_whole(const sni_live_control *l) {
  return l->c.kind == SNI_CONTROL_HOST || l->c.kind == SNI_CONTROL_CUSTOM;
}

static sn_status use_all(marking *m, sni_live_control *l) {
  for (int i = 0; i < l->node->n_operands; i++) SNI_TRY(mark_operand(m, l, i));
  for (int i = 0; i < l->c.n_outputs; i++) SNI_TRY(use_output(m, l, i));
  return SN_OK;
}

// Sizes and conditions on them (graph/late.h): of a graph that runs all.
static sn_status mark_sizes(marking *m, sni_live_graph *live) {
  for (sni_node_id id = 0; id < live->graph->n_nodes; id++)
    if (sni_is_about_sizes(sni_graph_node(live->graph, id))) SNI_TRY(mark(m, live, id));
  return SN_OK;
}

static sn_status use_control(marking *m, sni_live_control *l) {
  if (l->used) return SN_OK;
  l->used = true;
  for (int b = 0; b < l->node->n_bodies; b++) SNI_TRY(mark_sizes(m, &l->bodies[b]));
  if (is_whole(l)) return use_all(m, l);
  if (l->c.kind == SNI_CONTROL_WHILE) return mark(m, &l->bodies[0], l->bodies[0].ends.outputs[0]);
  return l->c.first_carry ? mark_operand(m, l, 0) : SN_OK;  // the number of a body, a history
}

static sn_status use_result(marking *m, sni_live_control *l, int index) {
  SNI_TRY(use_control(m, l));
  if (is_whole(l)) return SN_OK;
  if (index < l->c.n_carries) return use_carry(m, l, index);
  if (l->c.kind != SNI_CONTROL_WHILE) return use_output(m, l, index - l->c.n_carries);
  l->has_history = true;
  return SN_OK;
}

static sn_status use_input(marking *m, const sni_live_control *l, int input) {
  const sni_control *c = &l->c;
  if (is_whole(l)) return SN_OK;
  if (input >= c->first_capture_input)
    return mark_operand(m, l, c->first_capture + input - c->first_capture_input);
  if (input < c->first_x_input) return SN_OK;  // the number of the iteration
  if (c->kind == SNI_CONTROL_RESCAN) return use_output(m, l->loop, input - c->first_x_input);
  return mark_operand(m, l, c->first_x + input - c->first_x_input);
}

static sn_status use_parameter(marking *m, sni_live_graph *live, sni_node_id id) {
  if (!live->around) return SN_OK;
  const sni_parameter *p = &live->graph->parameters[live->parameter_of[id]];
  return p->kind == SNI_PARAMETER_VARIABLE ? use_carry(m, live->around, (int)p->index)
                                           : use_input(m, live->around, (int)p->index);
}

static sn_status use_operands(marking *m, sni_live_graph *live, sni_node_id id) {
  const sni_node *node = sni_graph_node(live->graph, id);
  if (sni_is_parameter(node)) return use_parameter(m, live, id);
  if (sni_is_result(node)) {
    SNI_TRY(mark(m, live, node->operands[0]));
    return use_result(m, live->controls[node->operands[0]], (int)node->attrs[0]);
  }
  if (sni_is_control(node)) return use_control(m, live->controls[id]);
  for (int i = 0; i < node->n_operands; i++) SNI_TRY(mark(m, live, node->operands[i]));
  return SN_OK;
}

static sn_status spread(marking *m) {
  while (m->n) {
    const item next = m->items[--m->n];
    SNI_TRY(use_operands(m, next.live, next.node));
  }
  return SN_OK;
}

// A while has a carry, even if nobody reads any.
static sn_status keep_first_carries(marking *m, sni_live_graph *live, bool *io_any) {
  for (sni_node_id id = 0; live->controls && id < live->graph->n_nodes; id++) {
    sni_live_control *l = live->controls[id];
    bool some = false;
    if (!l || !l->used) continue;
    for (int i = 0; i < l->c.n_carries; i++) some |= l->carries[i];
    if (l->c.kind == SNI_CONTROL_WHILE && !some) {
      *io_any = true;
      SNI_TRY(use_carry(m, l, 0));
    }
    for (int b = 0; b < l->node->n_bodies; b++)
      SNI_TRY(keep_first_carries(m, &l->bodies[b], io_any));
  }
  return SN_OK;
}

// From the results, or from one node.
static sn_status mark_from(marking *m, const sni_graph *graph, sni_node_id node,
                           sni_live_graph **out_live) {
  bool any = true;
  *out_live = SNI_ARENA_NEW(m->arena, sni_live_graph);
  if (!*out_live) return no_memory(m);
  SNI_TRY(open_graph(m, *out_live, graph, NULL));
  if (node != SNI_NO_NODE) SNI_TRY(mark(m, *out_live, node));
  for (uint32_t i = 0; i < graph->n_results && node == SNI_NO_NODE; i++)
    SNI_TRY(mark(m, *out_live, graph->results[i].node));
  SNI_TRY(mark_sizes(m, *out_live));
  while (any) {
    any = false;
    SNI_TRY(spread(m));
    SNI_TRY(keep_first_carries(m, *out_live, &any));
  }
  return SN_OK;
}

sn_status sni_mark_bodies(const sni_graph *graph, sni_live_graph **out_live) {
  return mark_from(&(marking){.arena = graph->arena, .diag = graph->diag}, graph, SNI_NO_NODE,
                   out_live);
}

// ---- effects
static const sni_node *effect_in(const sni_live_graph *live);

static const sni_node *effect_of(const sni_live_control *l) {
  const sni_node *found = NULL;
  if (!l || !l->used) return NULL;
  if (l->c.kind == SNI_CONTROL_HOST) return l->node->attrs[0] ? l->node : NULL;
  for (int b = 0; b < l->node->n_bodies && !found; b++) found = effect_in(&l->bodies[b]);
  return found;
}

static const sni_node *effect_in(const sni_live_graph *live) {
  const sni_node *found = NULL;
  for (sni_node_id id = 0; live->controls && id < live->graph->n_nodes && !found; id++)
    if (live->needed[id]) found = effect_of(live->controls[id]);
  return found;
}

static bool may_have_effects(const sni_graph *graph) {
  for (sni_node_id id = 0; id < graph->n_nodes; id++)
    if (sni_effect_of(sni_graph_node(graph, id))) return true;
  return false;
}

sn_status sni_find_effect(const sni_graph *graph, sni_node_id result, const sni_node **out_host) {
  marking m = {.arena = graph->arena, .diag = graph->diag};
  sni_live_graph *live;
  *out_host = NULL;
  if (result == SNI_NO_NODE && !may_have_effects(graph)) return SN_OK;
  SNI_TRY(mark_from(&m, graph, result, &live));
  *out_host = result == SNI_NO_NODE
                  ? effect_in(live)
                  : effect_of(live->controls[sni_graph_node(graph, result)->operands[0]]);
  return SN_OK;
}
