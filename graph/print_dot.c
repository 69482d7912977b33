// Graphs for Graphviz: a box per node with op, type and the caller's line; leaves and results stand
// out by shape and border.
#include "graph/text.h"

#include <string.h>

// Inside a quoted DOT string.
static void add_escaped(sni_text *text, const char *string) {
  for (; *string; string++) {
    if (*string == '"' || *string == '\\') sni_text_add(text, "\\");
    sni_text_add(text, "%c", (unsigned char)*string < 0x20 ? ' ' : *string);
  }
}

static const char *basename_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void add_box(sni_text *text, const sni_graph *graph, sni_node_id id) {
  const sni_node *node = &graph->nodes[id];
  sni_text_add(text, "  n%u [label=\"%s", id, sni_op_infos[node->op].name);
  if (node->name) {
    sni_text_add(text, " ");
    add_escaped(text, node->name);
  }
  if (node->op == SNI_OP_CONSTANT && !node->type.rank) {
    sni_text_add(text, " ");
    sni_text_add_elements(text, &node->type, node->data);
  }
  sni_text_add(text, "\\n");
  sni_text_add_type(text, graph->dims, &node->type);
  if (node->location.file) {
    sni_text_add(text, "\\n");
    add_escaped(text, basename_of(node->location.file));
    sni_text_add(text, ":%d", node->location.line);
  }
  sni_text_add(text, "\"");
  if (sni_op_infos[node->op].op_class == SNI_CLASS_LEAF) sni_text_add(text, ", style=\"rounded\"");
  sni_text_add(text, "];\n");
}

sn_status sni_graph_print_dot(const sni_graph *graph, sni_allocator *allocator, char **out_text) {
  sni_text text;
  sni_text_init(&text, allocator);
  sni_text_add(&text, "digraph \"");
  add_escaped(&text, graph->name ? graph->name : "graph");
  sni_text_add(&text, "\" {\n  node [shape=box];\n");
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = &graph->nodes[id];
    add_box(&text, graph, id);
    for (int i = 0; i < node->n_operands; i++)
      sni_text_add(&text, "  n%u -> n%u;\n", node->operands[i], id);
  }
  for (uint32_t i = 0; i < graph->n_results; i++) {
    const sni_result *result = &graph->results[i];
    if (result->variable >= 0)
      sni_text_add(&text, "  r%u [label=\"variable %d\"", i, result->variable);
    else
      sni_text_add(&text, "  r%u [label=\"output\"", i);
    sni_text_add(&text, ", shape=oval, peripheries=2];\n  n%u -> r%u;\n", result->node, i);
  }
  sni_text_add(&text, "}\n");
  return sni_text_take(&text, graph->diag, out_text);
}
