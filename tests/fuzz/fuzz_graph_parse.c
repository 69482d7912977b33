// Fuzzes the parser of textual graphs: whatever the bytes, parsing ends in a status; what it
// accepts verifies, and prints to a text that parses to a graph that prints the same.
#include "graph/graph.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag;
  sni_graph *graph, *again;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
  sn_status status = sni_graph_parse(&arena, &diag, (const char *)data, size, &graph);
  require(status == SN_OK || (status == SN_ERR_SYNTAX && diag.text[0]));
  if (!status) {
    char *first, *second, *dot;
    require(sni_graph_verify(graph) == SN_OK);
    require(sni_graph_print(graph, &allocator, &first) == SN_OK);
    require(sni_graph_print_dot(graph, &allocator, &dot) == SN_OK);
    require(sni_graph_parse(&arena, &diag, first, strlen(first), &again) == SN_OK);
    require(sni_graph_print(again, &allocator, &second) == SN_OK);
    require(strcmp(first, second) == 0);
    sni_free(&allocator, first, strlen(first) + 1);
    sni_free(&allocator, second, strlen(second) + 1);
    sni_free(&allocator, dot, strlen(dot) + 1);
  }
  sni_arena_deinit(&arena);
  require(allocator.bytes == 0);
  return 0;
}
