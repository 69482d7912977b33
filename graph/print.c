// Graphs as text, in the form that text.h shows: for people, golden tests and the parser.
//
// Invariant: parsing the text gives a graph that prints the same.
#include "graph/infer.h"
#include "graph/text.h"

#include <string.h>

const char *const sni_text_parameter_kinds[3] = {"input", "variable", "capture"};

void sni_text_add_dim(sni_text *text, const sni_dim_table *dims, sni_dim dim) {
  char few[256], *buffer = few;
  size_t length = sni_dim_format(dims, dim, few, sizeof(few));
  if (length >= sizeof(few)) {
    buffer = sni_alloc(text->allocator, length + 1);
    if (!buffer) {
      text->failed = true;
      return;
    }
    sni_dim_format(dims, dim, buffer, length + 1);
  }
  sni_text_add_bytes(text, buffer, length);
  if (buffer != few) sni_free(text->allocator, buffer, length + 1);
}

static void add_list(sni_text *text, const sni_dim_table *dims, const sni_dim *list, int n) {
  sni_text_add(text, "[");
  for (int i = 0; i < n; i++) {
    if (i) sni_text_add(text, ",");
    sni_text_add_dim(text, dims, list[i]);
  }
  sni_text_add(text, "]");
}

void sni_text_add_type(sni_text *text, const sni_dim_table *dims, const sni_type *type) {
  sni_text_add(text, "%s", sn_dtype_name(type->dtype));
  add_list(text, dims, type->dims, type->rank);
}

void sni_text_add_quoted(sni_text *text, const char *string) {
  sni_text_add(text, "\"");
  for (; *string; string++) {
    unsigned char c = (unsigned char)*string;
    if (c < 0x20 || c == 0x7f)
      sni_text_add(text, "\\x%02x", c);
    else
      sni_text_add(text, c == '"' || c == '\\' ? "\\%c" : "%c", c);
  }
  sni_text_add(text, "\"");
}

static void add_graph_name(sni_text *text, const char *name) {
  bool plain = *name != 0;
  for (const char *c = name; *c; c++) plain &= sni_text_is_name(*c);
  sni_text_add(text, " @");
  if (plain)
    sni_text_add(text, "%s", name);
  else
    sni_text_add_quoted(text, name);
}

static void add_attributes(sni_text *text, const sni_graph *graph, const sni_node *node) {
  sni_schema_field fields[sni_schema_max];
  int n = sni_schema_fields(sni_op_infos[node->op].attributes, fields), lists = 0, at = 0;
  if (!n) return;
  for (int i = 0; i < n; i++) lists += fields[i].list;
  int length = lists ? (node->n_attrs - (n - lists)) / lists : 0;
  sni_text_add(text, " {");
  for (int i = 0; i < n; i++) {
    sni_text_add(text, "%s%.*s=", i ? ", " : "", fields[i].length, fields[i].name);
    if (fields[i].list)
      add_list(text, graph->dims, node->attrs + at, length);
    else
      sni_text_add_dim(text, graph->dims, node->attrs[at]);
    at += fields[i].list ? length : 1;
  }
  sni_text_add(text, "}");
}

// The parameters follow the order of nodes but for graphs made by hand, so the search goes on where
// the last one ended.
static const sni_parameter *find_parameter(const sni_graph *graph, sni_node_id id, uint32_t *at) {
  for (uint32_t i = 0; i < graph->n_parameters; i++) {
    if (*at >= graph->n_parameters) *at = 0;
    const sni_parameter *parameter = &graph->parameters[(*at)++];
    if (parameter->node == id) return parameter;
  }
  return NULL;
}

static void add_graph(sni_text *text, const sni_graph *graph, int depth);

static void add_bodies(sni_text *text, const sni_node *node, int depth) {
  for (int i = 0; i < node->n_bodies; i++) {
    sni_text_add(text, i ? ", " : " [");
    add_graph(text, node->bodies[i], depth + 1);
  }
  sni_text_add(text, "]");
}

static void add_node(sni_text *text, const sni_graph *graph, sni_node_id id, int depth,
                     uint32_t *at) {
  const sni_node *node = &graph->nodes[id];
  sni_text_add(text, "%*s%%%u = %s", 2 * depth + 2, "", id, sni_op_infos[node->op].name);
  if (node->op == SNI_OP_PARAMETER) {
    const sni_parameter *parameter = find_parameter(graph, id, at);
    if (parameter)
      sni_text_add(text, " %s %u", sni_text_parameter_kinds[parameter->kind], parameter->index);
  } else if (node->op == SNI_OP_CONSTANT) {
    sni_text_add(text, " ");
    sni_text_add_elements(text, &node->type, node->data);
  } else {
    sni_text_add(text, "(");
    for (int i = 0; i < node->n_operands; i++)
      sni_text_add(text, "%s%%%u", i ? ", " : "", node->operands[i]);
    sni_text_add(text, ")");
    add_attributes(text, graph, node);
    if (node->n_bodies) add_bodies(text, node, depth);
  }
  if (node->name) {
    sni_text_add(text, " ");
    sni_text_add_quoted(text, node->name);
  }
  sni_text_add(text, " : ");
  sni_text_add_type(text, graph->dims, &node->type);
  sni_text_add(text, "\n");
}

// Of a body, no end of line follows.
static void add_graph(sni_text *text, const sni_graph *graph, int depth) {
  uint32_t at = 0;
  sni_text_add(text, "func");
  if (graph->name) add_graph_name(text, graph->name);
  sni_text_add(text, " {\n");
  for (sni_node_id id = 0; id < graph->n_nodes; id++) add_node(text, graph, id, depth, &at);
  sni_text_add(text, "%*sreturn", 2 * depth + 2, "");
  for (uint32_t i = 0; i < graph->n_results; i++) {
    sni_text_add(text, i ? ", " : " ");
    if (graph->results[i].variable >= 0)
      sni_text_add(text, "var %d = ", graph->results[i].variable);
    sni_text_add(text, "%%%u", graph->results[i].node);
  }
  sni_text_add(text, "\n%*s}", 2 * depth, "");
}

sn_status sni_graph_print(const sni_graph *graph, sni_allocator *allocator, char **out_text) {
  sni_text text;
  sni_text_init(&text, allocator);
  add_graph(&text, graph, 0);
  sni_text_add(&text, "\n");
  return sni_text_take(&text, graph->diag, out_text);
}
