// A graph whose parameters have values, and its gradients.
#ifndef SINTER_TESTS_GRADIENT_PROBLEM_H
#define SINTER_TESTS_GRADIENT_PROBLEM_H

#include "tests/unit/passes/pass_fixture.h"

enum { most_parameters = 24 };
static const int64_t symbol_values[] = {2, 3, 4, 5};

// A graph whose parameters have values; f is the sum of `weights` times the node.
typedef struct problem {
  sni_graph *graph;
  ref_cell *inputs[most_parameters];
  int64_t counts[most_parameters];
  uint64_t random;
} problem;

static inline int64_t count_of(const sni_graph *graph, sni_node_id id) {
  int64_t count = 1;
  const sni_type *type = sni_graph_type(graph, id);
  for (int k = 0; k < type->rank; k++)
    count *= sni_dim_evaluate(graph->dims, type->dims[k], symbol_values);
  return count;
}

// Gives values in [low, high] to parameters that have none yet.
static inline void fill_inputs(problem *p, double low, double high) {
  ck_assert_uint_le(p->graph->n_parameters, most_parameters);
  for (uint32_t i = 0; i < p->graph->n_parameters; i++) {
    if (p->inputs[i]) continue;
    p->counts[i] = count_of(p->graph, p->graph->parameters[i].node);
    p->inputs[i] = calloc((size_t)p->counts[i] + 1, sizeof(ref_cell));
    for (int64_t k = 0; k < p->counts[i]; k++)
      p->inputs[i][k].f = random_between(&p->random, low, high);
  }
}

static inline void free_inputs(problem *p) {
  for (uint32_t i = 0; i < p->graph->n_parameters; i++) free(p->inputs[i]);
}

static inline sni_node_id add_weights(problem *p, sni_node_id node) {
  sni_node_id id;
  sni_type type = *sni_graph_type(p->graph, node);
  check_ok(sni_graph_add_parameter(p->graph, &type, SNI_PARAMETER_INPUT, p->graph->n_parameters,
                                   NULL, &id));
  return id;
}

static inline void differentiate(problem *p, sni_node_id y, sni_node_id seed, uint32_t n,
                                 sni_node_id *out) {
  sni_node_id xs[most_parameters];
  for (uint32_t i = 0; i < n; i++) xs[i] = p->graph->parameters[i].node;
  check_ok(sni_differentiate(
      p->graph, &(sni_differentiate_request){.y = y, .seed = seed, .xs = xs, .n_xs = (int)n}, out));
  check_ok(sni_graph_verify(p->graph));
  for (uint32_t i = 0; i < n; i++)
    if (out[i] != SNI_NO_NODE)
      ck_assert(sni_type_equal(p->graph->dims, sni_graph_type(p->graph, out[i]),
                               sni_graph_type(p->graph, xs[i])));
}

// The optimised graph gives the same bits for these nodes.
static inline void check_optimised(problem *p, const sni_node_id *nodes, uint32_t n) {
  sni_graph *better;
  ref_run before, after;
  p->graph->n_results = 0;
  for (uint32_t i = 0; i < n; i++)
    if (nodes[i] != SNI_NO_NODE) check_ok(sni_graph_add_result(p->graph, nodes[i], -1));
  check_ok(sni_optimize_graph(p->graph, &better));
  check_ok(sni_graph_verify(better));
  ref_evaluate(&before, p->graph, p->inputs, symbol_values, true);
  ref_evaluate(&after, better, p->inputs, symbol_values, true);
  for (uint32_t i = 0; i < better->n_results; i++)
    ck_assert(ref_equal(&before.values[p->graph->results[i].node],
                        &after.values[better->results[i].node]));
  ref_free(&before);
  ref_free(&after);
}

#endif
