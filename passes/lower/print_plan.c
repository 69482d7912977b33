// A plan as text: which nodes share a kernel, where values lie, and the commands with their
// kernels.
#include "passes/lower/library.h"

// ---- sizes

static void print_symbol(const sni_graph *graph, int64_t symbol, sni_text *text) {
  char name[64];
  sni_dim_format(graph->dims, sni_dim_symbol(graph->dims, (int)symbol), name, sizeof name);
  sni_text_add(text, "%s", name);
}

// As dims are written. Depth: the expression's, a few levels.
static void print_expression(const sni_plan *plan, const sni_graph *graph, sni_size_ref ref,
                             bool factor, sni_text *text) {
  if (ref >= 0) {
    sni_text_add(text, "%lld", (long long)ref);
    return;
  }
  static const char *const calls[] = {
      [SNI_SIZE_FLOOR_DIV] = "div", [SNI_SIZE_MAX] = "max", [SNI_SIZE_MIN] = "min"};
  const sni_size_expression *e = &plan->sizes[-ref - 1];
  if (e->op == SNI_SIZE_SYMBOL) {
    print_symbol(graph, e->a, text);
  } else if (e->op == SNI_SIZE_NUMBER) {
    sni_text_add(text, "%lld", (long long)e->a);
  } else {
    const bool infix = e->op == SNI_SIZE_ADD || e->op == SNI_SIZE_MUL;
    const bool inner = e->op == SNI_SIZE_MUL, parentheses = !infix || (factor && !inner);
    if (!infix) sni_text_add(text, "%s", calls[e->op]);
    if (parentheses) sni_text_add(text, "(");
    print_expression(plan, graph, e->a, inner, text);
    sni_text_add(text, !infix ? "," : inner ? "*" : "+");
    print_expression(plan, graph, e->b, inner, text);
    if (parentheses) sni_text_add(text, ")");
  }
}

// The first dim of an input that a symbol is. False: of none.
static bool find_input(const sni_graph *graph, sni_dim symbol, const sni_parameter **out,
                       int *out_dim) {
  for (uint32_t i = 0; i < graph->n_parameters; i++) {
    const sni_parameter *p = &graph->parameters[i];
    const sni_type *type = sni_graph_type(graph, p->node);
    for (int d = 0; p->kind == SNI_PARAMETER_INPUT && d < type->rank; d++)
      if (sni_dim_equal(graph->dims, type->dims[d], symbol)) return *out = p, *out_dim = d, true;
  }
  return false;
}

// "B is dim 0 of input 1 "x"", which is what a run takes its number from.
static void explain_symbol(const sni_graph *graph, int symbol, sni_text *text) {
  const sni_parameter *p = NULL;
  int d = 0;
  print_symbol(graph, symbol, text);
  if (!find_input(graph, sni_dim_symbol(graph->dims, symbol), &p, &d)) return;
  const char *name = sni_graph_node(graph, p->node)->name;
  sni_text_add(text, " is dim %d of input %u", d, p->index);
  if (name && *name) sni_text_add(text, " \"%s\"", name);
}

static void print_legend(const sni_graph *graph, sni_text *text) {
  const int n = graph->dims ? sni_dim_symbol_count(graph->dims) : 0;
  for (int i = 0; i < n; i++) {
    sni_text_add(text, "// ");
    explain_symbol(graph, i, text);
    sni_text_add(text, "\n");
  }
}

static void print_ref(sni_text *text, sni_size_ref ref) {
  if (ref >= 0) {
    sni_text_add(text, "%lld", (long long)ref);
  } else {
    sni_text_add(text, "s%lld", (long long)(-ref - 1));
  }
}

// ---- groups
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
    [SNI_WHY_CYCLE] = "its reader waits for a kernel that needs it",
    [SNI_WHY_PRODUCT] = "by the product that it ends, as its reader's kernel has another"};

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
  if (value->bytes) print_expression(plan, graph, value->bytes, false, text);
  if (value->bytes) sni_text_add(text, " bytes");
  if (value->ns > 0) sni_text_add(text, ", about %.0f ns", value->ns);
  sni_text_add(text, "\n");
}

// Of the nodes [from, to) those that belong to no group: recomputed in the kernels that read them.
static void print_recomputed(const sni_plan *plan, const sni_graph *graph, sni_node_id from,
                             sni_node_id to, sni_text *text) {
  bool any = false;
  for (sni_node_id id = from; id < to; id++) {
    if (plan->values[id].fate != SNI_FATE_RECOMPUTED) continue;
    if (!any) sni_text_add(text, "no group {\n");
    print_node(plan, graph, id, text);
    any = true;
  }
  if (any) sni_text_add(text, "}\n");
}

// Least of the group's nodes from `from` on; SNI_NO_NODE: none.
static sni_node_id next_member(const sni_plan_group *group, sni_node_id from) {
  sni_node_id least = SNI_NO_NODE;
  for (uint32_t m = 0; m < group->n_members; m++)
    if (group->members[m] >= from && group->members[m] < least) least = group->members[m];
  return least;
}

// In the order of execution; in a group, and what its nodes may read of no group, in that of the graph.
static void print_groups(const sni_plan *plan, const sni_graph *graph, sni_text *text) {
  sni_node_id read = 0;
  for (uint32_t g = 0; g < plan->n_groups; g++) {
    const sni_plan_group *group = &plan->groups[g];
    sni_node_id last = 0;
    for (uint32_t m = 0; m < group->n_members; m++)
      if (group->members[m] > last) last = group->members[m];
    if (last > read) {
      print_recomputed(plan, graph, read, last, text);
      read = last;
    }
    sni_text_add(text, "group %u %s, %u command%s {\n", g, group->kind, group->n_commands,
                 group->n_commands == 1 ? "" : "s");
    for (sni_node_id id = next_member(group, 0); id != SNI_NO_NODE; id = next_member(group, id + 1))
      print_node(plan, graph, id, text);
    sni_text_add(text, "}\n");
  }
  print_recomputed(plan, graph, read, graph->n_nodes, text);
}

// ---- kernels
static void print_sizes(const sni_plan *plan, const sni_graph *graph, sni_text *text) {
  static const char *const ops[] = {[SNI_SIZE_ADD] = "add",
                                    [SNI_SIZE_MUL] = "mul",
                                    [SNI_SIZE_FLOOR_DIV] = "floor_div",
                                    [SNI_SIZE_MAX] = "max",
                                    [SNI_SIZE_MIN] = "min"};
  for (uint32_t i = 0; i < plan->n_sizes; i++) {
    const sni_size_expression *e = &plan->sizes[i];
    sni_text_add(text, "size s%u = ", i);
    if (e->op == SNI_SIZE_SYMBOL) {
      sni_text_add(text, "symbol %lld  // ", (long long)e->a);
      explain_symbol(graph, (int)e->a, text);
      sni_text_add(text, "\n");
      continue;
    }
    if (e->op == SNI_SIZE_NUMBER) {
      sni_text_add(text, "%lld\n", (long long)e->a);
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
  if (c->n_inside) sni_text_add(text, ", one native kernel with the %u of its bodies", c->n_inside);
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
    print_legend(graph, text);
    print_groups(plan, graph, text);
  } else {
    print_sizes(plan, graph, text);
    print_slots(plan, text);
    for (uint32_t i = 0; i < plan->n_commands; i++) print_command(plan, i, text);
    print_phases(plan, text);
  }
  return text->failed ? SN_ERR_MEMORY : SN_OK;
}
