// A matmul as one library call: both operands lie in buffers, row-major, and the transposition
// flags are the library's own.
#include "passes/lower/group.h"

// Of the result: fixed, so that the bits do not depend on the number of threads.
enum { ROWS_PER_UNIT = 256 };

sn_status sni_build_blas(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_type *a = sni_graph_type(l->graph, node->operands[0]);
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, 3);
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, 3);
  sni_size_ref *extents = SNI_ARENA_ARRAY(l->arena, sni_size_ref, 1);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, 1);
  if (!slots || !params || !extents || !grains)
    return sni_fail_memory(l->diag, 0, "a library call");
  slots[0] = (uint32_t)l->nodes[node->operands[0]].slot;
  slots[1] = (uint32_t)l->nodes[node->operands[1]].slot;
  slots[2] = (uint32_t)l->nodes[id].slot;
  params[0] = node->type.dims[0];
  params[1] = node->type.dims[1];
  params[2] = a->dims[node->attrs[0] ? 0 : 1];
  extents[0] = params[0];
  grains[0] = ROWS_PER_UNIT;
  sni_plan_command c = {
      .blas = {node->type.dtype, node->attrs[0] != 0, node->attrs[1] != 0, ROWS_PER_UNIT},
      .slots = slots,
      .params = params,
      .extents = extents,
      .grains = grains,
      .n_slots = 3,
      .n_params = 3,
      .n_extents = 1,
      .location = node->location,
      .op_name = "matmul"};
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->commands, &l->commands_capacity,
                         l->n_commands + 1, sizeof *l->commands));
  l->commands[l->n_commands++] = c;
  return SN_OK;
}
