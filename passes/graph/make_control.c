// The control node that an edit wants, and its bodies.
//
// Invariant: a body reads what an outer value is in its place, and nothing else changes what it computes: so the bits are the same.
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

enum { most_inside = 64 };  // elements of a constant that goes into a body

// A node of `to` as a capture of the control node that is being made.
typedef struct sni_control_slot {
  uint32_t serial;  // of the interface; others are old
  uint32_t capture;
} sni_control_slot;

static sn_status no_memory(const sni_graph *graph) {
  return sni_fail_memory(graph->diag, sizeof(sni_node), "a control node");
}

// Numbers of its parts; -1: gone.
typedef struct interface {
  sni_control_edit *edit;
  const sni_parameter ***parameters;  // per body, per node
  bool **needed;                      // per body, per node: computed or read there
  int *carries, *xs;
  int n_carries, n_variables, n_xs, first_capture;  // first_capture: INPUT number
  int *lifted;   // per node of a scan's body that is a row of a lifted one: its number among the xs
  int n_lifted;  // the last ones
  sni_node_id *captures;  // nodes of `to`
  sni_node_id *inside;    // per capture: parameter of the body that is being made
  uint32_t n_captures, captures_capacity, inside_capacity;
  uint32_t serial;  // of this node's slots
} interface;

static const sni_graph *body_of(const interface *io, int b) {
  return io->edit->bodies[b];
}

static bool stays(const sni_control_edit *e, int b, const sni_result *result, int output) {
  if (result->variable >= 0) return e->carries[result->variable];
  return (e->c.kind == SNI_CONTROL_WHILE && b == 0) || e->outputs[output];
}

static bool is_lifted(const sni_control_edit *e, int b, sni_node_id id) {
  return b == 0 && e->lifted[id] != none;
}

static sn_status find_needed(interface *io, int b) {
  const sni_control_edit *e = io->edit;
  const sni_graph *body = body_of(io, b);
  int output = 0;
  bool *needed = io->needed[b] = SNI_ARENA_ARRAY(e->walk->to->arena, bool, body->n_nodes + 1);
  io->parameters[b] = SNI_ARENA_ARRAY(e->walk->to->arena, const sni_parameter *, body->n_nodes + 1);
  if (!needed || !io->parameters[b]) return no_memory(e->walk->to);
  for (uint32_t i = 0; i < body->n_parameters; i++)
    io->parameters[b][body->parameters[i].node] = &body->parameters[i];
  for (uint32_t i = 0; i < body->n_results; i++) {
    const sni_result *result = &body->results[i];
    if (stays(e, b, result, output)) needed[result->node] = true;
    output += result->variable < 0;
  }
  for (sni_node_id id = body->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(body, id);
    needed[id] |= sni_is_about_sizes(node);
    if (!needed[id] || e->outer[b][id] != none || is_lifted(e, b, id)) continue;
    for (int i = 0; i < node->n_operands; i++) needed[node->operands[i]] = true;
  }
  return SN_OK;
}

static void count_carries(interface *io) {
  const sni_control *c = &io->edit->c;
  for (int i = 0; i < c->n_carries; i++) {
    io->carries[i] = io->edit->carries[i] ? io->n_carries++ : -1;
    if (io->edit->carries[i] && i >= c->n_carries - c->n_variables) io->n_variables++;
  }
}

// Those that a body reads.
static void count_xs(interface *io) {
  const sni_control_edit *e = io->edit;
  for (int i = 0; i < e->c.n_xs; i++) {
    io->xs[i] = -1;
    const sni_node_id node = e->ends[0].inputs[e->c.first_x_input + i];
    if (node != none && io->needed[0][node] && e->outer[0][node] == none) io->xs[i] = 0;
  }
  for (int i = 0; i < e->c.n_xs; i++)
    if (io->xs[i] >= 0) io->xs[i] = io->n_xs++;
  for (sni_node_id id = 0; id < body_of(io, 0)->n_nodes; id++)
    if (is_lifted(e, 0, id) && io->needed[0][id]) {
      io->lifted[id] = io->n_xs++;
      io->n_lifted++;
    }
  const bool has_rows = e->c.kind == SNI_CONTROL_SCAN || e->c.kind == SNI_CONTROL_RESCAN;
  io->first_capture = has_rows ? 1 + (e->c.kind == SNI_CONTROL_RESCAN ? e->n_rows : io->n_xs) : 0;
}

static bool is_small(const sni_graph *graph, const sni_node *node) {
  const int64_t count = sni_node_count(graph, &node->type);
  return count >= 0 && count <= most_inside;
}

// What costs a body nothing is made in it: constants, numbers of places, sizes.
static bool lives_inside(const sni_graph *graph, const sni_node *node) {
  if (sni_is_broadcast(node)) node = sni_graph_node(graph, node->operands[0]);
  if (sni_op_infos[node->op].op_class != SNI_CLASS_LEAF || sni_is_parameter(node)) return false;
  return !sni_is_constant(node) || is_small(graph, node);
}

static sn_status add_inside(const interface *io, sni_graph *to, sni_node_id outer,
                            sni_node_id *out_id) {
  const sni_graph *around = io->edit->walk->to;
  const sni_node *node = sni_graph_node(around, outer);
  sni_node_id operand = none;
  if (node->n_operands)
    SNI_TRY(sni_copy_node(to, sni_graph_node(around, node->operands[0]), NULL, &operand));
  return sni_copy_node(to, node, &operand, out_id);
}

// Number of the capture that the outer value is, a new one if there is none.
static sn_status capture_of(interface *io, sni_node_id outer, uint32_t *out_capture) {
  sni_control_walk *w = io->edit->walk;
  const uint32_t before = w->slots_capacity;
  SNI_TRY(sni_arena_grow(w->to->arena, w->to->diag, (void **)&w->slots, &w->slots_capacity,
                         w->to->n_nodes, sizeof(*w->slots)));
  if (w->slots_capacity > before)
    memset(w->slots + before, 0, (w->slots_capacity - before) * sizeof(*w->slots));
  sni_control_slot *slot = &w->slots[outer];
  *out_capture = slot->capture;
  if (slot->serial == io->serial) return SN_OK;
  SNI_TRY(sni_arena_grow(w->to->arena, w->to->diag, (void **)&io->captures, &io->captures_capacity,
                         io->n_captures + 1, sizeof(*io->captures)));
  io->captures[io->n_captures] = outer;
  *slot = (sni_control_slot){io->serial, io->n_captures};
  *out_capture = io->n_captures++;
  return SN_OK;
}

static sn_status add_parameter(sni_graph *to, const sni_node *node, sni_parameter_kind kind,
                               uint32_t index, sni_node_id *out_id) {
  if (!sni_is_parameter(node)) {
    SNI_TRY(sni_graph_add_parameter(to, &node->type, kind, index, NULL, out_id));
    to->nodes[*out_id].location = node->location;
    return SN_OK;
  }
  SNI_TRY(sni_copy_node(to, node, NULL, out_id));
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->parameters, &to->parameters_capacity,
                         to->n_parameters + 1, sizeof(*to->parameters)));
  to->parameters[to->n_parameters++] = (sni_parameter){*out_id, kind, index};
  return SN_OK;
}

static sn_status add_outer(interface *io, sni_graph *to, const sni_node *node, sni_node_id outer,
                           sni_node_id *out_id) {
  uint32_t capture;
  if (lives_inside(io->edit->walk->to, sni_graph_node(io->edit->walk->to, outer)))
    return add_inside(io, to, outer, out_id);
  SNI_TRY(capture_of(io, outer, &capture));
  const uint32_t before = io->inside_capacity;
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&io->inside, &io->inside_capacity,
                         capture + 1, sizeof(*io->inside)));
  if (io->inside_capacity > before)
    memset(io->inside + before, 0xff, (io->inside_capacity - before) * sizeof(*io->inside));
  if (io->inside[capture] == none)
    SNI_TRY(add_parameter(to, node, SNI_PARAMETER_INPUT, (uint32_t)io->first_capture + capture,
                          &io->inside[capture]));
  *out_id = io->inside[capture];
  return SN_OK;
}

static sn_status keep_parameter(const interface *io, sni_graph *to, const sni_node *node,
                                const sni_parameter *p, sni_node_id *out_id) {
  const sni_control *c = &io->edit->c;
  const int row = (int)p->index - c->first_x_input;
  uint32_t index = p->index;
  if (p->kind == SNI_PARAMETER_VARIABLE)
    index = (uint32_t)io->carries[p->index];
  else if (row >= 0)
    index = 1 + (uint32_t)(c->kind == SNI_CONTROL_RESCAN ? io->edit->rows[row] : io->xs[row]);
  return add_parameter(to, node, p->kind, index, out_id);
}

static sn_status make_nodes(interface *io, int b, sni_graph *to, sni_node_id *map) {
  const sni_graph *body = body_of(io, b);
  const sni_node_id *outer = io->edit->outer[b];
  if (io->inside_capacity) memset(io->inside, 0xff, io->inside_capacity * sizeof(*io->inside));
  for (sni_node_id id = 0; id < body->n_nodes; id++) {
    const sni_node *node = sni_graph_node(body, id);
    if (!io->needed[b][id]) continue;
    if (outer[id] != none) {
      SNI_TRY(add_outer(io, to, node, outer[id], &map[id]));
    } else if (is_lifted(io->edit, b, id)) {
      const uint32_t input = 1 + (uint32_t)io->lifted[id];
      SNI_TRY(add_parameter(to, node, SNI_PARAMETER_INPUT, input, &map[id]));
    } else if (io->parameters[b][id]) {
      SNI_TRY(keep_parameter(io, to, node, io->parameters[b][id], &map[id]));
    } else {
      SNI_TRY(sni_graph_add_copy(to, node, map, &map[id]));
    }
  }
  return SN_OK;
}

// A history that nobody reads has rows for their number alone.
static sn_status count_rows(const interface *io, int b, sni_graph *to) {
  const sni_control_edit *e = io->edit;
  const sni_type type = sni_type_make(SN_BOOL, 0, NULL);
  sni_node_id node;
  bool any = false;
  if (e->c.kind != SNI_CONTROL_WHILE || b == 0 || !e->live || !e->live->has_history) return SN_OK;
  for (int i = 0; i < e->c.n_outputs; i++) any |= e->outputs[i];
  if (any) return SN_OK;
  SNI_TRY(sni_graph_add_constant(to, &type, &(bool){true}, e->node.location, &node));
  return sni_graph_add_result(to, node, -1);
}

static sn_status make_body(interface *io, int b, sni_graph **out_body) {
  const sni_graph *body = body_of(io, b), *around = io->edit->walk->to;
  int output = 0;
  sni_node_id *map = SNI_ARENA_ARRAY(around->arena, sni_node_id, body->n_nodes + 1);
  if (!map) return no_memory(around);
  SNI_TRY(sni_graph_create(around->arena, around->diag, body->name, around->dims, out_body));
  SNI_TRY(make_nodes(io, b, *out_body, map));
  for (uint32_t i = 0; i < body->n_results; i++) {
    const sni_result *result = &body->results[i];
    const int32_t variable = result->variable < 0 ? -1 : io->carries[result->variable];
    if (stays(io->edit, b, result, output))
      SNI_TRY(sni_graph_add_result(*out_body, map[result->node], variable));
    output += result->variable < 0;
  }
  return count_rows(io, b, *out_body);
}

static int list_operands(const interface *io, sni_node_id *operands) {
  const sni_control_edit *e = io->edit;
  int n = e->c.first_carry;
  if (n) operands[0] = e->node.operands[0];
  for (int i = 0; i < e->c.n_carries; i++)
    if (e->carries[i]) operands[n++] = e->node.operands[e->c.first_carry + i];
  for (int i = 0; i < e->c.n_xs; i++)
    if (io->xs[i] >= 0) operands[n++] = e->node.operands[e->c.first_x + i];
  for (sni_node_id id = 0; io->n_lifted && id < body_of(io, 0)->n_nodes; id++)
    if (is_lifted(e, 0, id) && io->needed[0][id]) operands[n++] = e->lifted[id];
  for (uint32_t i = 0; i < io->n_captures; i++) operands[n++] = io->captures[i];
  return n;
}

static void list_attrs(const interface *io, sni_dim *attrs) {
  const sni_node *node = &io->edit->node;
  for (int i = 0; i < node->n_attrs; i++) attrs[i] = node->attrs[i];
  if (io->edit->c.kind == SNI_CONTROL_COND) return;
  attrs[0] = io->n_carries;
  if (io->edit->c.kind == SNI_CONTROL_WHILE) attrs[1] = io->n_variables;
  if (io->edit->c.kind == SNI_CONTROL_RESCAN) attrs[1] = io->edit->n_rows;
  if (io->edit->c.kind != SNI_CONTROL_SCAN) return;
  attrs[1] = io->n_xs;
  attrs[4] = io->n_variables;
}

// Whether nothing has changed: what is dropped, replaced or joined changes some number.
static bool is_same(const sni_control_edit *e, const sni_node_id *operands, int n,
                    const sni_dim *attrs, sni_graph *const *bodies) {
  bool same =
      n == e->node.n_operands &&
      (!n || !memcmp(operands, e->node.operands, (size_t)n * sizeof(*operands))) &&
      (!e->node.n_attrs || !memcmp(attrs, e->node.attrs, (size_t)e->node.n_attrs * sizeof(*attrs)));
  for (int b = 0; same && b < e->node.n_bodies; b++)
    same = bodies[b]->n_nodes == e->bodies[b]->n_nodes &&
           bodies[b]->n_parameters == e->bodies[b]->n_parameters &&
           bodies[b]->n_results == e->bodies[b]->n_results;
  return same;
}

static sn_status open_interface(interface *io, sni_control_edit *e) {
  sni_arena *arena = e->walk->to->arena;
  *io = (interface){.edit = e,
                    .serial = ++e->walk->serial,
                    .parameters = SNI_ARENA_ARRAY(arena, const sni_parameter **, e->node.n_bodies),
                    .needed = SNI_ARENA_ARRAY(arena, bool *, e->node.n_bodies),
                    .carries = SNI_ARENA_ARRAY(arena, int, e->c.n_carries + 1),
                    .xs = SNI_ARENA_ARRAY(arena, int, e->c.n_xs + 1),
                    .lifted = SNI_ARENA_ARRAY(arena, int, e->bodies[0]->n_nodes + 1)};
  if (!io->parameters || !io->needed || !io->carries || !io->xs || !io->lifted)
    return no_memory(e->walk->to);
  for (int b = 0; b < e->node.n_bodies; b++) SNI_TRY(find_needed(io, b));
  count_carries(io);
  count_xs(io);
  return SN_OK;
}

static sn_status add_control(const sni_control_edit *e, const sni_node_id *operands, int n,
                             const sni_dim *attrs, sni_graph *const *bodies, sni_node_id *out_id) {
  sni_graph *to = e->walk->to;
  SNI_TRY(sni_graph_add_control(to, e->node.op, operands, n, attrs, e->node.n_attrs, bodies,
                                e->node.n_bodies, e->node.location, out_id));
  to->nodes[*out_id].name = e->node.name;
  return SN_OK;
}

// Whether all parts stay, and captures are all that is read from outside, each once.
static bool parts_stay(const interface *io) {
  const sni_control_edit *e = io->edit;
  bool stay = !io->n_lifted && io->n_carries == e->c.n_carries && io->n_xs == e->c.n_xs &&
              e->n_rows == e->c.n_rows;
  for (int i = 0; i < e->c.n_outputs; i++) stay &= e->outputs[i];
  for (int b = 0; stay && b < e->node.n_bodies; b++)
    for (sni_node_id id = 0; stay && id < body_of(io, b)->n_nodes; id++)
      stay = io->needed[b][id] && (e->outer[b][id] == none || io->parameters[b][id]);
  for (int b = 0; stay && b < e->node.n_bodies; b++)
    for (int i = 0; stay && i < e->c.first_capture_input; i++)
      stay = e->ends[b].inputs[i] == none || e->outer[b][e->ends[b].inputs[i]] == none;
  return stay;
}

static sn_status stays_as_it_is(interface *io, bool *out_stays) {
  const sni_control_edit *e = io->edit;
  *out_stays = parts_stay(io);
  for (int i = 0; *out_stays && i < e->c.n_captures; i++) {
    const sni_node_id outer = e->node.operands[e->c.first_capture + i];
    uint32_t capture;
    *out_stays = false;
    for (int b = 0; b < e->node.n_bodies; b++)
      *out_stays |= e->ends[b].inputs[e->c.first_capture_input + i] != none;
    if (!*out_stays) break;  // what no body reads may be no node any more
    SNI_TRY(capture_of(io, outer, &capture));
    *out_stays =
        capture == (uint32_t)i && !lives_inside(e->walk->to, sni_graph_node(e->walk->to, outer));
  }
  io->n_captures = 0;
  io->serial = ++e->walk->serial;
  return SN_OK;
}

sn_status sni_make_control(sni_control_edit *e, sni_node_id *out_id) {
  interface io;
  bool stays;
  sni_graph **bodies = SNI_ARENA_ARRAY(e->walk->to->arena, sni_graph *, e->node.n_bodies);
  sni_dim attrs[8];
  sni_assert(e->node.n_attrs <= (int)SNI_COUNT_OF(attrs));
  if (!bodies) return no_memory(e->walk->to);
  SNI_TRY(open_interface(&io, e));
  SNI_TRY(stays_as_it_is(&io, &stays));
  if (stays)
    return add_control(e, e->node.operands, e->node.n_operands, e->node.attrs, e->bodies, out_id);
  for (int b = 0; b < e->node.n_bodies; b++) SNI_TRY(make_body(&io, b, &bodies[b]));
  const size_t most =
      1 + (size_t)e->c.n_carries + (size_t)e->c.n_xs + (size_t)io.n_lifted + io.n_captures;
  sni_node_id *operands = SNI_ARENA_ARRAY(e->walk->to->arena, sni_node_id, most);
  if (!operands) return no_memory(e->walk->to);
  const int n = list_operands(&io, operands);
  list_attrs(&io, attrs);
  const bool same = is_same(e, operands, n, attrs, bodies);
  e->walk->changed |= !same;
  return add_control(e, operands, n, attrs, same ? e->bodies : bodies, out_id);
}
