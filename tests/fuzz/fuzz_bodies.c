// Passes over bodies take every graph that the parser accepts: what they give verifies, has the same interface, and is the same
// when they run again.
#include "passes/graph/passes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) __builtin_trap();
}

static void check_pass(const sni_graph *graph, sni_graph_pass pass) {
  sni_allocator *allocator = graph->arena->allocator;
  sni_graph *once, *twice;
  char *first, *second;
  require(pass(graph, &once) == SN_OK);
  require(sni_graph_verify(once) == SN_OK);
  require(once->n_parameters == graph->n_parameters && once->n_results == graph->n_results);
  require(pass(once, &twice) == SN_OK);
  require(sni_graph_verify(twice) == SN_OK);
  require(sni_graph_print(once, allocator, &first) == SN_OK);
  require(sni_graph_print(twice, allocator, &second) == SN_OK);
  require(strcmp(first, second) == 0);
  sni_free(allocator, first, strlen(first) + 1);
  sni_free(allocator, second, strlen(second) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag;
  sni_graph *graph;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
  if (!sni_graph_parse(&arena, &diag, (const char *)data, size, &graph)) {
    check_pass(graph, sni_prune_bodies);
    check_pass(graph, sni_simplify_bodies);
  }
  sni_arena_deinit(&arena);
  require(allocator.bytes == 0);
  return 0;
}
