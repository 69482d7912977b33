// Segments of a graph. A node's level is that of the last of its operands and of the sizes that it asks for; an extent's
// size is known one level later. Segment k has the nodes of level k, and what these read of others: parameters, constants,
// indices, sizes and views of what they read are in both; any other value is kept by the segment that computes it.
//
// Invariant: a segment's graph has the nodes of its level in the order that they had.
#include "passes/segments.h"

#include "graph/control.h"
#include "graph/late.h"

#include <stdio.h>
#include <string.h>

typedef struct cutter {
  const sni_graph *graph;
  sni_cut_graph *cut;
  uint32_t *levels;     // per node
  uint32_t *known_at;   // per symbol
  bool *needed;         // per node
  bool *marks, *said;   // per symbol
  bool *says;           // per node: an extent that says its symbol
  sni_node_id *maps;    // per segment and node: what it is there
  uint32_t *parameter;  // per node that is one: its number among them
  uint32_t *kept;       // per node: its number among what is kept; UINT32_MAX: it is not
} cutter;

static uint32_t later(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

// ---- levels
static uint32_t level_of(cutter *c, const sni_node *node) {
  const int n = sni_dim_symbol_count(c->graph->dims);
  uint32_t level = 0;
  for (int i = 0; i < node->n_operands; i++) level = later(level, c->levels[node->operands[i]]);
  memset(c->marks, 0, (size_t)n * sizeof(*c->marks));
  sni_mark_node_symbols(c->graph, node, c->marks);
  for (int i = 0; i < n; i++)
    if (c->marks[i]) level = later(level, c->known_at[i]);
  return level;
}

static void say(cutter *c, sni_node_id id, uint32_t level) {
  const sni_node *extent = sni_graph_node(c->graph, id);
  const int symbol = sni_dim_bare_symbol(c->graph->dims, extent->attrs[0]);
  if (symbol < 0 || !sni_dim_is_late(c->graph->dims, symbol) || c->said[symbol]) return;
  c->said[symbol] = c->says[id] = true;
  c->known_at[symbol] = level + 1;
}

// A condition is looked at when its sizes are known, an extent that is one when they and its number are.
static uint32_t extent_level(cutter *c, const sni_node *extent) {
  const int n = sni_dim_symbol_count(c->graph->dims);
  uint32_t level = c->levels[extent->operands[0]] + 1;
  memset(c->marks, 0, (size_t)n * sizeof(*c->marks));
  sni_dim_mark_symbols(c->graph->dims, extent->attrs[0], false, c->marks);
  for (int i = 0; i < n; i++)
    if (c->marks[i]) level = later(level, c->known_at[i]);
  return level;
}

static uint32_t find_levels(cutter *c) {
  uint32_t most = 0;
  for (sni_node_id i = 0; i < c->graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(c->graph, i);
    if (!c->needed[i]) continue;
    if (sni_is_about_sizes(node) && node->n_operands) {
      say(c, i, c->levels[node->operands[0]]);
      c->levels[i] = extent_level(c, node);
    } else {
      c->levels[i] = level_of(c, node);
    }
    most = later(most, c->levels[i]);
  }
  return most + 1;
}

// ---- graphs
static sn_status add_input(cutter *c, uint32_t k, sni_node_id id, sni_segment_value from,
                           sni_node_id *out) {
  sni_cut_segment *s = &c->cut->segments[k];
  const sni_node *node = sni_graph_node(c->graph, id);
  SNI_TRY(sni_arena_grow(s->graph->arena, s->graph->diag, (void **)&s->inputs, &s->inputs_capacity,
                         s->n_inputs + 1, sizeof(*s->inputs)));
  s->inputs[s->n_inputs] = from;
  return sni_graph_add_parameter(s->graph, &node->type, SNI_PARAMETER_INPUT, s->n_inputs++,
                                 node->name, out);
}

static sn_status import_parameter(cutter *c, uint32_t k, sni_node_id id, sni_node_id *out) {
  const sni_parameter *p = &c->graph->parameters[c->parameter[id]];
  const sni_node *node = sni_graph_node(c->graph, id);
  if (p->kind == SNI_PARAMETER_VARIABLE)
    return sni_graph_add_parameter(c->cut->segments[k].graph, &node->type, p->kind, p->index,
                                   node->name, out);
  const sni_segment_place place =
      p->kind == SNI_PARAMETER_CAPTURE ? SNI_PLACE_CONSTANT : SNI_PLACE_CALLER;
  return add_input(c, k, id, (sni_segment_value){place, p->index}, out);
}

static sn_status add_output(cutter *c, uint32_t k, sni_node_id node, sni_segment_value to) {
  sni_cut_segment *s = &c->cut->segments[k];
  SNI_TRY(sni_arena_grow(s->graph->arena, s->graph->diag, (void **)&s->outputs,
                         &s->outputs_capacity, s->n_outputs + 1, sizeof(*s->outputs)));
  s->outputs[s->n_outputs++] = to;
  return sni_graph_add_result(s->graph, node, -1);
}

static sn_status keep(cutter *c, sni_node_id id) {
  const uint32_t k = c->levels[id];
  if (c->kept[id] != UINT32_MAX) return SN_OK;
  c->kept[id] = c->cut->n_kept++;
  return add_output(c, k, c->maps[(size_t)k * c->graph->n_nodes + id],
                    (sni_segment_value){SNI_PLACE_KEPT, c->kept[id]});
}

// Costs a reader nothing but its operands.
static bool is_free(const sni_node *node) {
  const sni_op_lowering lowering = sni_lowering_of(node);
  return lowering == SNI_LOWERING_INDEX || lowering == SNI_LOWERING_SIZE ||
         lowering == SNI_LOWERING_ACCESS || sni_is_constant(node);
}

// The node that is the next input is the history of a while in a segment before.
static sn_status note_history(cutter *c, uint32_t k, sni_node_id id) {
  sni_graph *to = c->cut->segments[k].graph;
  if (!sni_is_history(c->graph, id)) return SN_OK;
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->histories, &to->histories_capacity,
                         to->n_histories + 1, sizeof(*to->histories)));
  to->histories[to->n_histories++] =
      (sni_outer_history){to->n_nodes, sni_loop_of_history(c->graph, id)};
  return SN_OK;
}

static sn_status import(cutter *c, uint32_t k, sni_node_id id, sni_node_id *out);

static sn_status copy_node(cutter *c, uint32_t k, sni_node_id id, sni_node_id *out) {
  sni_graph *to = c->cut->segments[k].graph;
  sni_node copy = *sni_graph_node(c->graph, id);
  sni_node_id *operands = SNI_ARENA_ARRAY(to->arena, sni_node_id, copy.n_operands + 1);
  if (!operands) return sni_fail_memory(to->diag, copy.n_operands * sizeof(*operands), "operands");
  for (int i = 0; i < copy.n_operands; i++) SNI_TRY(import(c, k, copy.operands[i], &operands[i]));
  copy.operands = operands;
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->nodes, &to->nodes_capacity,
                         to->n_nodes + 1, sizeof(copy)));
  to->nodes[to->n_nodes] = copy;
  *out = to->n_nodes++;
  return SN_OK;
}

// What a node is in segment k. Depth: of views of views.
static sn_status import(cutter *c, uint32_t k, sni_node_id id, sni_node_id *out) {
  sni_node_id *known = &c->maps[(size_t)k * c->graph->n_nodes + id];
  const sni_node *node = sni_graph_node(c->graph, id);
  if (*known == SNI_NO_NODE) {
    if (sni_is_parameter(node)) {
      SNI_TRY(import_parameter(c, k, id, known));
    } else if (sni_is_about_sizes(node)) {
      SNI_TRY(import(c, k, node->operands[0], known));
    } else if (is_free(node) || c->levels[id] == k) {
      SNI_TRY(copy_node(c, k, id, known));
    } else {
      SNI_TRY(note_history(c, k, id));
      SNI_TRY(keep(c, id));
      SNI_TRY(add_input(c, k, id, (sni_segment_value){SNI_PLACE_KEPT, c->kept[id]}, known));
    }
  }
  *out = *known;
  return SN_OK;
}

static sn_status add_nodes(cutter *c) {
  sni_node_id ignored;
  for (sni_node_id i = 0; i < c->graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(c->graph, i);
    if (c->needed[i] && !sni_is_parameter(node) && !sni_is_about_sizes(node) && !is_free(node))
      SNI_TRY(import(c, c->levels[i], i, &ignored));
  }
  return SN_OK;
}

static sn_status add_results(cutter *c) {
  uint32_t output = 0;
  for (uint32_t r = 0; r < c->graph->n_results; r++) {
    const sni_result *result = &c->graph->results[r];
    const uint32_t k = c->levels[result->node];
    sni_node_id node;
    SNI_TRY(import(c, k, result->node, &node));
    if (result->variable >= 0)
      SNI_TRY(sni_graph_add_result(c->cut->segments[k].graph, node, result->variable));
    else
      SNI_TRY(add_output(c, k, node, (sni_segment_value){SNI_PLACE_CALLER, output++}));
  }
  return SN_OK;
}

// ---- lessons
static sn_status count_of(cutter *c, sni_node_id extent, uint32_t *out_count) {
  sni_node_id source = sni_graph_node(c->graph, extent)->operands[0], there;
  while (sni_is_about_sizes(sni_graph_node(c->graph, source)))
    source = sni_graph_node(c->graph, source)->operands[0];
  SNI_TRY(import(c, c->levels[source], source, &there));
  SNI_TRY(keep(c, source));
  *out_count = c->kept[source];
  return SN_OK;
}

static sn_status make_lesson(cutter *c, uint32_t k) {
  sni_cut_segment *s = &c->cut->segments[k];
  sni_arena *arena = c->graph->arena;
  uint32_t n = 0;
  for (sni_node_id i = 0; i < c->graph->n_nodes; i++)
    n += c->needed[i] && c->levels[i] == k && sni_is_about_sizes(sni_graph_node(c->graph, i));
  if (!n) return SN_OK;
  const sni_node **extents = SNI_ARENA_ARRAY(arena, const sni_node *, n);
  const sni_node **requirements = SNI_ARENA_ARRAY(arena, const sni_node *, n);
  bool *says = SNI_ARENA_ARRAY(arena, bool, n);
  s->counts = SNI_ARENA_ARRAY(arena, uint32_t, n);
  s->lesson = SNI_ARENA_NEW(arena, sni_lesson);
  if (!extents || !requirements || !says || !s->counts || !s->lesson)
    return sni_fail_memory(c->graph->diag, n * sizeof(*extents), "sizes");
  *s->lesson = (sni_lesson){
      .dims = c->graph->dims, .extents = extents, .says = says, .requirements = requirements};
  for (sni_node_id i = 0; i < c->graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(c->graph, i);
    if (!c->needed[i] || c->levels[i] != k || !sni_is_about_sizes(node)) continue;
    if (!node->n_operands) {
      requirements[s->lesson->n_requirements++] = node;
      continue;
    }
    SNI_TRY(count_of(c, i, &s->counts[s->lesson->n_extents]));
    says[s->lesson->n_extents] = c->says[i];
    extents[s->lesson->n_extents++] = node;
  }
  return SN_OK;
}

// ---- all of it
static sn_status make_segments(cutter *c, uint32_t n) {
  sni_arena *arena = c->graph->arena;
  const size_t bytes = (size_t)n * c->graph->n_nodes * sizeof(*c->maps);
  c->maps = sni_arena_alloc(arena, bytes);
  c->kept = SNI_ARENA_ARRAY(arena, uint32_t, c->graph->n_nodes);
  c->parameter = SNI_ARENA_ARRAY(arena, uint32_t, c->graph->n_nodes);
  c->cut->segments = SNI_ARENA_ARRAY(arena, sni_cut_segment, n);
  if (!c->maps || !c->kept || !c->parameter || !c->cut->segments)
    return sni_fail_memory(c->graph->diag, bytes, "segments");
  for (uint32_t i = 0; i < c->graph->n_parameters; i++)
    c->parameter[c->graph->parameters[i].node] = i;
  memset(c->maps, 0xff, bytes);
  memset(c->kept, 0xff, c->graph->n_nodes * sizeof(*c->kept));
  c->cut->n_segments = n;
  for (uint32_t k = 0; k < n; k++)
    SNI_TRY(sni_graph_create(arena, c->graph->diag, c->graph->name, c->graph->dims,
                             &c->cut->segments[k].graph));
  return SN_OK;
}

sn_status sni_cut_segments(const sni_graph *graph, sni_cut_graph *out_cut) {
  const int n_symbols = sni_dim_symbol_count(graph->dims);
  sni_arena *arena = graph->arena;
  *out_cut = (sni_cut_graph){0};
  cutter c = {.graph = graph,
              .cut = out_cut,
              .levels = SNI_ARENA_ARRAY(arena, uint32_t, graph->n_nodes),
              .known_at = SNI_ARENA_ARRAY(arena, uint32_t, n_symbols),
              .needed = SNI_ARENA_ARRAY(arena, bool, graph->n_nodes),
              .marks = SNI_ARENA_ARRAY(arena, bool, n_symbols),
              .said = SNI_ARENA_ARRAY(arena, bool, n_symbols),
              .says = SNI_ARENA_ARRAY(arena, bool, graph->n_nodes)};
  if (!c.levels || !c.known_at || !c.needed || !c.marks || !c.said || !c.says)
    return sni_fail_memory(graph->diag, graph->n_nodes * sizeof(uint32_t), "segments");
  sni_mark_needed(graph, NULL, c.marks, c.needed);
  const uint32_t n = find_levels(&c);
  SNI_TRY(make_segments(&c, n));
  SNI_TRY(add_nodes(&c));
  SNI_TRY(add_results(&c));
  for (uint32_t k = 0; k < n; k++) SNI_TRY(make_lesson(&c, k));
  return SN_OK;
}

// ---- in a run
static sn_status fail(const sni_node *node, sni_diag *diag, const char *what) {
  if (!diag->status) {
    diag->file = node->location.file;
    diag->line = node->location.line;
  }
  return sni_fail(diag, SN_ERR_SHAPE, "%s: %s",
                  node->location.op ? node->location.op : sni_op_infos[node->op].name, what);
}

static sn_status learn_extent(const sni_lesson *l, uint32_t i, int64_t count, int64_t *symbols,
                              sni_diag *diag) {
  char text[200];
  if (l->says[i]) symbols[sni_dim_bare_symbol(l->dims, l->extents[i]->attrs[0])] = count;
  if (count >= 0) return SN_OK;
  snprintf(text, sizeof(text), "a result would have %lld elements", (long long)count);
  return fail(l->extents[i], diag, text);
}

static sn_status check_extent(const sni_lesson *l, uint32_t i, int64_t count,
                              const int64_t *symbols, sni_diag *diag) {
  char text[200], size[100];
  const sni_dim dim = sni_dim_unified(l->dims, l->extents[i]->attrs[0]);
  const int64_t expected = sni_dim_evaluate(l->dims, dim, symbols);
  if (expected == count) return SN_OK;
  sni_dim_format(l->dims, dim, size, sizeof(size));
  snprintf(text, sizeof(text), "the size is %lld, expected %s, which is %lld", (long long)count,
           size, (long long)expected);
  return fail(l->extents[i], diag, text);
}

static sn_status check_requirement(const sni_lesson *l, const sni_node *node,
                                   const int64_t *symbols, sni_diag *diag) {
  const sni_dim_guard guard = {
      .a = node->attrs[0], .b = node->attrs[1], .at_least = node->attrs[2] != 0};
  char broken[200], text[300];
  if (sni_dim_guard_holds(l->dims, guard, symbols)) return SN_OK;
  sni_dim_guard_format(l->dims, guard, symbols, broken, sizeof(broken));
  const bool has_one = !guard.at_least && (sni_dim_evaluate(l->dims, guard.a, symbols) == 1 ||
                                           sni_dim_evaluate(l->dims, guard.b, symbols) == 1);
  snprintf(text, sizeof(text), "needs %s%s", broken,
           has_one ? "; a size that is found out in a run is not broadcast where it is 1" : "");
  return fail(node, diag, text);
}

sn_status sni_learn(const void *code, const int64_t *counts, int64_t *symbols, sni_diag *diag) {
  const sni_lesson *l = code;
  for (uint32_t i = 0; i < l->n_extents; i++) SNI_TRY(learn_extent(l, i, counts[i], symbols, diag));
  for (uint32_t i = 0; i < l->n_requirements; i++)
    SNI_TRY(check_requirement(l, l->requirements[i], symbols, diag));
  for (uint32_t i = 0; i < l->n_extents; i++) SNI_TRY(check_extent(l, i, counts[i], symbols, diag));
  return l->checked ? sni_graph_check_sizes(l->checked, symbols, l->allocator, diag) : SN_OK;
}
