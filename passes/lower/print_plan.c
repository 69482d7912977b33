// A plan as text: which nodes share a kernel, where values lie, and the commands with their
// kernels.
#include "passes/lower/library.h"

static void print_ref(sni_text *text, sni_size_ref ref) {
  if (ref >= 0) {
    sni_text_add(text, "%lld", (long long)ref);
  } else {
    sni_text_add(text, "s%lld", (long long)(-ref - 1));
  }
}

static const char *const fates[SNI_FATES] = {
    [SNI_FATE_NONE] = "a constant",
    [SNI_FATE_VIEW] = "a view",
    [SNI_FATE_RECOMPUTED] = "recomputed",
    [SNI_FATE_JOINED] = "joined",
    [SNI_FATE_ROW] = "joined, kept in a row",
    [SNI_FATE_LENT] = "joined, kept where a result goes later",
    [SNI_FATE_KEPT] = "joined, kept in a buffer of the kernel",
    [SNI_FATE_STORED] = "stored"};
static const char *const whys[SNI_WHYS] = {
    [SNI_WHY_SOLE] = "one kernel reads it, where it lies",
    [SNI_WHY_MERGED] = "its readers became one kernel",
    [SNI_WHY_CHEAP] = "cheaper than a buffer",
    [SNI_WHY_RESULT] = "a result",
    [SNI_WHY_MEMORY] = "an op reads it at places of its own",
    [SNI_WHY_APART] = "by the kernel that makes it, as it needs a buffer",
    [SNI_WHY_READERS] = "too many kernels read it",
    [SNI_WHY_KERNELS] = "kernels read it that cannot become one",
    [SNI_WHY_PLACES] = "its reader reads it elsewhere than where it lies",
    [SNI_WHY_AXES] = "its axes or sums are not those of its reader",
    [SNI_WHY_LARGE] = "its reader's kernel would be too large",
    [SNI_WHY_CYCLE] = "its reader waits for a kernel that needs it"};

static void print_node(const sni_plan *plan, const sni_graph *graph, sni_node_id id,
                       sni_text *text) {
  const sni_node *node = sni_graph_node(graph, id);
  const sni_plan_value *value = &plan->values[id];
  char type[160];
  sni_type_format(graph->dims, &node->type, type, sizeof type);
  sni_text_add(text, "  %%%u = %s(", id, sni_op_infos[node->op].name);
  for (int i = 0; i < node->n_operands; i++)
    sni_text_add(text, "%s%%%u", i ? ", " : "", node->operands[i]);
  sni_text_add(text, ") : %s  // %s", type, fates[value->fate]);
  if (whys[value->why]) sni_text_add(text, ": %s", whys[value->why]);
  if (value->bytes) sni_text_add(text, "; ");
  if (value->bytes) print_ref(text, value->bytes);
  if (value->bytes) sni_text_add(text, " bytes");
  if (value->ns > 0) sni_text_add(text, ", about %.0f ns", value->ns);
  sni_text_add(text, "\n");
}

// What belongs to no group: recomputed in the kernels that read it.
static void print_recomputed(const sni_plan *plan, const sni_graph *graph, sni_text *text) {
  bool any = false;
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    if (plan->values[id].fate != SNI_FATE_RECOMPUTED) continue;
    if (!any) sni_text_add(text, "no group {\n");
    print_node(plan, graph, id, text);
    any = true;
  }
  if (any) sni_text_add(text, "}\n");
}

static void print_groups(const sni_plan *plan, const sni_graph *graph, sni_text *text) {
  for (uint32_t g = 0; g < plan->n_groups; g++) {
    const sni_plan_group *group = &plan->groups[g];
    sni_text_add(text, "group %u %s, %u command%s {\n", g, group->kind, group->n_commands,
                 group->n_commands == 1 ? "" : "s");
    for (uint32_t m = group->n_members; m-- > 0;) print_node(plan, graph, group->members[m], text);
    sni_text_add(text, "}\n");
  }
  print_recomputed(plan, graph, text);
}

static void print_sizes(const sni_plan *plan, sni_text *text) {
  static const char *const ops[] = {[SNI_SIZE_ADD] = "add",
                                    [SNI_SIZE_MUL] = "mul",
                                    [SNI_SIZE_FLOOR_DIV] = "floor_div",
                                    [SNI_SIZE_MAX] = "max",
                                    [SNI_SIZE_MIN] = "min"};
  for (uint32_t i = 0; i < plan->n_sizes; i++) {
    const sni_size_expression *e = &plan->sizes[i];
    sni_text_add(text, "size s%u = ", i);
    if (e->op == SNI_SIZE_SYMBOL || e->op == SNI_SIZE_NUMBER) {
      sni_text_add(text, e->op == SNI_SIZE_SYMBOL ? "symbol %lld\n" : "%lld\n", (long long)e->a);
      continue;
    }
    sni_text_add(text, "%s(", ops[e->op]);
    print_ref(text, e->a);
    sni_text_add(text, ", ");
    print_ref(text, e->b);
    sni_text_add(text, ")\n");
  }
}

static void print_slots(const sni_plan *plan, sni_text *text) {
  static const char *const kinds[] = {
      [SNI_SLOT_INPUT] = "input",       [SNI_SLOT_OUTPUT] = "output",
      [SNI_SLOT_VARIABLE] = "variable", [SNI_SLOT_NEW_VARIABLE] = "new variable",
      [SNI_SLOT_CONSTANT] = "constant", [SNI_SLOT_TEMPORARY] = "temporary"};
  for (uint32_t i = 0; i < plan->n_slots; i++) {
    const sni_slot *slot = &plan->slots[i];
    sni_text_add(text, "slot %u: %s", i, kinds[slot->kind]);
    if (slot->kind != SNI_SLOT_TEMPORARY) sni_text_add(text, " %u", slot->index);
    sni_text_add(text, ", ");
    print_ref(text, slot->bytes);
    sni_text_add(text, " bytes");
    if (slot->kind == SNI_SLOT_TEMPORARY)
      sni_text_add(text, ", commands %u to %u", slot->first_command, slot->last_command);
    if (slot->shares >= 0) sni_text_add(text, ", in place of slot %d", slot->shares);
    if (slot->kind == SNI_SLOT_NEW_VARIABLE && plan->in_place[slot->index])
      sni_text_add(text, ", in place");
    sni_text_add(text, "\n");
  }
}

static void print_argument(const sni_plan_command *c, uint32_t i, sni_text *text) {
  sni_text_add(text, "slot %u", c->slots[i]);
  if (c->offsets && c->offsets[i]) sni_text_add(text, " + %lld", (long long)c->offsets[i]);
}

// Arguments and parameters of one part.
static void print_part(const sni_plan_command *c, uint32_t part, sni_text *text) {
  const uint32_t n_slots = c->n_slots / sni_plan_parts(c), n = c->n_params / sni_plan_parts(c);
  sni_text_add(text, " (");
  for (uint32_t i = 0; i < n_slots; i++) {
    if (i) sni_text_add(text, ", ");
    print_argument(c, part * n_slots + i, text);
  }
  sni_text_add(text, ")");
  for (uint32_t i = 0; i < n; i++) {
    sni_text_add(text, i ? ", p%u = " : " with p%u = ", i);
    print_ref(text, c->params[part * n + i]);
  }
  sni_text_add(text, "\n");
}

static void print_command(const sni_plan *plan, uint32_t number, sni_text *text) {
  const sni_plan_command *c = &plan->commands[number];
  const uint32_t n_parts = sni_plan_parts(c);
  sni_text_add(text, "command %u: %s", number, c->kernel ? c->op_name : c->library->name);
  if (n_parts > 1) sni_text_add(text, ", %u parts\n", n_parts);
  for (uint32_t part = 0; part < n_parts; part++) {
    if (n_parts > 1) sni_text_add(text, "  part %u:", part);
    print_part(c, part, text);
  }
  if (c->kernel) sni_tree_print(c->kernel, text);
}

// Tasks of a phase side by side.
static void print_phases(const sni_plan *plan, sni_text *text) {
  for (uint32_t p = 0; p < plan->n_phases; p++) {
    sni_text_add(text, "phase %u:", p);
    for (uint32_t t = 0; t < plan->phases[p].count; t++) {
      const sni_task *task = &plan->tasks[plan->phases[p].first + t];
      if (t) sni_text_add(text, " |");
      for (uint32_t i = 0; i < task->count; i++)
        sni_text_add(text, " %u", plan->order[task->first + i]);
    }
    sni_text_add(text, "\n");
  }
}

sn_status sni_plan_print(const sni_plan *plan, const sni_graph *graph, bool kernels,
                         sni_text *text) {
  if (!kernels) {
    print_groups(plan, graph, text);
  } else {
    print_sizes(plan, text);
    print_slots(plan, text);
    for (uint32_t i = 0; i < plan->n_commands; i++) print_command(plan, i, text);
    print_phases(plan, text);
  }
  return text->failed ? SN_ERR_MEMORY : SN_OK;
}
