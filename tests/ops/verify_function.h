// Lowers what a function was traced to once more, with the checks of fusion on (release builds leave
// them out when they compile), and again in other orders of its nodes: which groups come of a graph
// depends on the order in which its ops were called.
#ifndef TESTS_OPS_VERIFY_FUNCTION_H
#define TESTS_OPS_VERIFY_FUNCTION_H

#include "frontend/function/function.h"
#include "passes/lower/lower.h"

#include <check.h>
#include <string.h>

typedef struct shuffle {
  uint64_t state;
  sni_node_id *new_id;  // per old id, SNI_NO_NODE before it has its turn
  sni_node *nodes;
  uint32_t n;
} shuffle;

static inline bool is_ready(const shuffle *s, const sni_node *node) {
  for (int i = 0; i < node->n_operands; i++)
    if (s->new_id[node->operands[i]] == SNI_NO_NODE) return false;
  return true;
}

static inline void move_node(shuffle *s, sni_arena *arena, const sni_node *node, sni_node_id id) {
  sni_node_id *operands =
      sni_arena_alloc(arena, (size_t)(node->n_operands + 1) * sizeof(*operands));
  ck_assert_ptr_nonnull(operands);
  for (int i = 0; i < node->n_operands; i++) operands[i] = s->new_id[node->operands[i]];
  s->nodes[s->n] = *node;
  s->nodes[s->n].operands = operands;
  s->new_id[id] = s->n++;
}

// The same graph with its nodes in another order: each time one of those that could come next.
static inline sni_graph shuffled(const sni_graph *graph, sni_arena *arena, uint64_t seed) {
  shuffle s = {.state = seed};
  s.new_id = sni_arena_alloc(arena, (graph->n_nodes + 1) * sizeof(*s.new_id));
  s.nodes = sni_arena_alloc(arena, (graph->n_nodes + 1) * sizeof(*s.nodes));
  sni_graph out = *graph;
  out.nodes = s.nodes;
  out.parameters =
      sni_arena_copy(arena, graph->parameters, graph->n_parameters * sizeof(*graph->parameters));
  out.results = sni_arena_copy(arena, graph->results, graph->n_results * sizeof(*graph->results));
  ck_assert(s.new_id && s.nodes && out.parameters && out.results);
  memset(s.new_id, 0xff, graph->n_nodes * sizeof(*s.new_id));
  while (s.n < graph->n_nodes)
    for (sni_node_id id = 0; id < graph->n_nodes; id++) {
      s.state = s.state * 6364136223846793005u + 1442695040888963407u;
      if (s.new_id[id] == SNI_NO_NODE && s.state >> 62 == 0 && is_ready(&s, &graph->nodes[id]))
        move_node(&s, arena, &graph->nodes[id], id);
    }
  for (uint32_t i = 0; i < graph->n_parameters; i++)
    out.parameters[i].node = s.new_id[out.parameters[i].node];
  for (uint32_t i = 0; i < graph->n_results; i++)
    out.results[i].node = s.new_id[out.results[i].node];
  return out;
}

static inline void check_lowering(const sni_graph *graph, uint64_t seed, const char *text) {
  const sni_lower_options options = {.vector_bits = 512, .verify = true};
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag = {0};
  sni_plan *plan;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  const sni_graph given = seed ? shuffled(graph, &arena, seed) : *graph;
  const sn_status status = sni_lower_graph(&given, &options, &arena, &diag, &plan);
  ck_assert_msg(!status, "order %llu: %s\n%s", (unsigned long long)seed, diag.text, text);
  sni_arena_deinit(&arena);
}

// text: what the function does, for the message. orders: how many besides that of the calls.
static inline void check_fusion(const sn_function *f, int orders, const char *text) {
  for (uint32_t i = 0; i < f->n_programs; i++)
    for (int seed = 0; seed <= orders; seed++)
      check_lowering(f->programs[i]->compiled->graph, (uint64_t)seed, text);
}

#endif
