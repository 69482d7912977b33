// The table of library ops, and the command of a node that one of them takes.
#include "passes/lower/library.h"

#include "passes/lower/group.h"

static const sni_library_op *const library_ops[] = {&sni_library_gemm};

const sni_library_op *sni_library_for(const sni_graph *graph, const sni_node *node) {
  for (size_t i = 0; i < SNI_COUNT_OF(library_ops); i++)
    if (library_ops[i]->takes(graph, node)) return library_ops[i];
  return NULL;
}

sn_status sni_build_library(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const uint32_t n_slots = (uint32_t)node->n_operands + 1;
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, n_slots);
  if (!slots) return sni_fail_memory(l->diag, n_slots * sizeof *slots, "a library call");
  for (int i = 0; i < node->n_operands; i++) slots[i] = (uint32_t)l->nodes[node->operands[i]].slot;
  slots[n_slots - 1] = (uint32_t)l->nodes[id].slot;
  sni_plan_command c = {.library = sni_library_for(l->graph, node),
                        .slots = slots,
                        .n_slots = n_slots,
                        .location = node->location,
                        .op_name = sni_op_infos[node->op].name};
  SNI_TRY(c.library->plan(l->graph, node, l->arena, l->diag, &c));
  return sni_add_command(l, &c);
}
