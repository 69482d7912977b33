// The lowering: fusion groups -> slots -> order -> kernels -> memory plan. See passes/README.md for
// the picture.
#include "passes/lower/body.h"
#include "passes/lower/schedule_commands.h"

// same: NULL where there is one group alone.
static sn_status build_group(sni_lowering *l, sni_same_groups *same, uint32_t number) {
  const sni_group *group = &l->groups[number];
  switch (group->kind) {
    case SNI_GROUP_FUSED:
      return same ? sni_build_or_reuse(same, number) : sni_build_region(l, number);
    case SNI_GROUP_CHAIN:
      return sni_build_region(l, number);
    case SNI_GROUP_PIECES:
      return sni_build_special(l, number);
    case SNI_GROUP_LIBRARY:
      return sni_build_library(l, group->members[0]);
    case SNI_GROUP_CONTROL:
      return sni_build_control(l, group->members[group->n_members - 1]);
  }
  return SN_OK;
}

static sn_status build_groups(sni_lowering *l, sni_same_groups *same) {
  static const char *const kinds[] = {[SNI_GROUP_FUSED] = "fused",
                                      [SNI_GROUP_PIECES] = "pieces",
                                      [SNI_GROUP_LIBRARY] = "library",
                                      [SNI_GROUP_CONTROL] = "control",
                                      [SNI_GROUP_CHAIN] = "chain"};
  sni_plan_group *groups = SNI_ARENA_ARRAY(l->arena, sni_plan_group, l->n_order + 1);
  if (!groups) return sni_fail_memory(l->diag, l->n_order * sizeof *groups, "a plan");
  SNI_TRY(sni_check_scatters(l));
  for (uint32_t i = 0; i < l->n_order; i++) {
    const sni_group *group = &l->groups[l->order[i]];
    groups[i] =
        (sni_plan_group){kinds[group->kind], group->members, group->n_members, l->n_commands, 0};
    sni_arena_reset(l->scratch);
    SNI_TRY(build_group(l, same, l->order[i]));
    groups[i].n_commands = l->n_commands - groups[i].first_command;
  }
  l->plan->groups = groups;
  l->plan->n_groups = l->n_order;
  return SN_OK;
}

static sn_status build_kernels(sni_lowering *l) {
  sni_same_groups *same = NULL;
  sni_arena arena;
  sni_arena_init(&arena, l->arena->allocator);
  sn_status status = l->n_order > 1 ? sni_same_groups_create(l, &arena, &same) : SN_OK;
  if (!status) status = build_groups(l, same);
  sni_arena_deinit(&arena);
  return status;
}

static bool verifies(const sni_lowering *l) {
#if defined(SNI_DEBUG)
  (void)l;
  return true;
#else
  return l->options->verify;
#endif
}

static sn_status lower(sni_lowering *l) {
  SNI_TRY(sni_fuse_groups(l));
  if (verifies(l)) SNI_TRY(sni_verify_groups(l));
  SNI_TRY(sni_chain_groups(l));
  SNI_TRY(sni_assign_slots(l));
  SNI_TRY(sni_schedule_groups(l));
  SNI_TRY(build_kernels(l));
  SNI_TRY(sni_share_buffers(l));
  SNI_TRY(sni_share_kernels(l));
  SNI_TRY(sni_join_commands(l, verifies(l)));
  sni_find_first_in_place(l);
  return SN_OK;
}

sn_status sni_hint_sizes(sni_lowering *l, sni_arena *arena, const int64_t **out_sizes) {
  int64_t *sizes = SNI_ARENA_ARRAY(arena, int64_t, l->n_sizes + 1);
  if (!sizes) return sni_fail_memory(l->diag, l->n_sizes * sizeof *sizes, "a plan");
  for (uint32_t i = 0; i < l->n_sizes; i++)
    sizes[i] =
        l->sizes[i].op == SNI_SIZE_NUMBER ? l->sizes[i].a : sni_dim_hint(l->dims, l->size_dims[i]);
  *out_sizes = sizes;
  return SN_OK;
}

static sn_status schedule_commands(sni_lowering *l, bool verify) {
  const int64_t *sizes = NULL;
  SNI_TRY(sni_hint_sizes(l, l->arena, &sizes));
  SNI_TRY(
      sni_estimate_costs(l->plan, l->commands, sizes, l->options->vector_bits, l->arena, l->diag));
  SNI_TRY(sni_schedule_commands(l->plan, sizes, l->arena, l->diag));
  if (!verify) return SN_OK;
  SNI_TRY(sni_verify_lists(l->plan, l->arena, l->diag));
  return sni_verify_schedule(l->plan, l->arena, l->diag);
}

static sn_status finish_plan(sni_lowering *l) {
  sni_plan *plan = l->plan;
  plan->n_symbols = l->dims ? (uint32_t)sni_dim_symbol_count(l->dims) : 0;
  plan->sizes = l->sizes;
  plan->n_sizes = l->n_sizes;
  plan->slots = l->slots;
  plan->n_slots = l->n_slots;
  plan->commands = l->commands;
  plan->n_commands = l->n_commands;
  SNI_TRY(sni_explain_values(l, &plan->values));
  return schedule_commands(l, verifies(l));
}

static void open_node(const sni_graph *graph, sni_fusion_node *nodes, sni_node_id id) {
  const sni_node *node = sni_graph_node(graph, id);
  sni_fusion_node *n = &nodes[id];
  n->group = n->slot = n->level_group = n->waits = -1;
  n->result = SNI_NO_NODE;
  if (!sni_is_result(node)) return;
  n->result = nodes[node->operands[0]].result;
  nodes[node->operands[0]].result = id;
}

sn_status sni_lower_graph(const sni_graph *graph, const sni_lower_options *options,
                          sni_arena *arena, sni_diag *diag, sni_plan **out_plan) {
  *out_plan = NULL;
  sni_plan *plan = SNI_ARENA_NEW(arena, sni_plan);
  sni_fusion_node *nodes = SNI_ARENA_ARRAY(arena, sni_fusion_node, graph->n_nodes + 1);
  if (!plan || !nodes) return sni_fail_memory(diag, graph->n_nodes * sizeof *nodes, "a plan");
  sni_arena scratch;
  sni_arena_init(&scratch, arena->allocator);
  sni_lowering l = {.graph = graph,
                    .options = options,
                    .budget = options->budget ? *options->budget : sni_budget_usual(),
                    .arena = arena,
                    .scratch = &scratch,
                    .diag = diag,
                    .dims = graph->dims,
                    .nodes = nodes,
                    .plan = plan};
  for (uint32_t i = 0; i < graph->n_nodes; i++) open_node(graph, nodes, i);
  sn_status status = lower(&l);
  sni_arena_deinit(&scratch);
  if (!status) status = finish_plan(&l);
  if (!status) *out_plan = plan;
  return status;
}
