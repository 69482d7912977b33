// The public side of a program's graph: questions that allocate nothing.
#include "frontend/program/program.h"
#include "graph/infer.h"

#include <sinter/graph.h>

#include <stdio.h>
#include <string.h>

const sn_graph *sn_program_graph(const sn_program *program) {
  return program ? program->graph : NULL;
}

int sn_graph_size(const sn_graph *graph) {
  return graph ? (int)graph->n_nodes : 0;
}

static const sni_node *node_at(const sn_graph *graph, int number) {
  if (!graph || number < 0 || (uint32_t)number >= graph->n_nodes) return NULL;
  return sni_graph_node(graph, (sni_node_id)number);
}

// ---- one operation
static int64_t number_of(const sn_graph *graph, sni_dim dim) {
  int64_t value;
  return sni_dim_is_constant(graph->dims, dim, &value) ? value : SN_UNKNOWN;
}

static sn_spec spec_of(const sn_graph *graph, const sni_type *type) {
  sn_spec spec = {.dtype = type->dtype, .shape = {.rank = type->rank}};
  for (int d = 0; d < type->rank; d++) spec.shape.dims[d] = number_of(graph, type->dims[d]);
  return spec;
}

static const sni_parameter *parameter_of(const sn_graph *graph, int number) {
  for (uint32_t i = 0; i < graph->n_parameters; i++)
    if (graph->parameters[i].node == (sni_node_id)number) return &graph->parameters[i];
  return NULL;
}

static void fill_parameter(const sn_graph *graph, int number, sn_operation *out) {
  static const sn_operation_kind kinds[] = {
      [SNI_PARAMETER_INPUT] = SN_OPERATION_INPUT,
      [SNI_PARAMETER_VARIABLE] = SN_OPERATION_VARIABLE,
      [SNI_PARAMETER_CAPTURE] = SN_OPERATION_CAPTURED,
  };
  const sni_parameter *parameter = parameter_of(graph, number);
  if (!parameter) return;
  out->kind = kinds[parameter->kind];
  out->index = (int)parameter->index;
}

static int count_attributes(const sni_node *node) {
  sni_schema_field fields[sni_schema_max];
  return sni_schema_fields(sni_op_infos[node->op].attributes, fields);
}

bool sn_graph_operation(const sn_graph *graph, int number, sn_operation *out) {
  const sni_node *node = node_at(graph, number);
  if (!node || !out) return false;
  sn_operation op = {.size = out->size,
                     .op = sni_op_infos[node->op].name,
                     .name = node->name ? node->name : "",
                     .index = -1,
                     .type = spec_of(graph, &node->type),
                     .n_inputs = node->n_operands,
                     .inputs = node->operands,
                     .n_attributes = count_attributes(node),
                     .n_bodies = node->n_bodies,
                     .file = node->location.file,
                     .line = node->location.line};
  if (sni_is_parameter(node)) fill_parameter(graph, number, &op);
  if (sni_is_constant(node)) {
    op.kind = SN_OPERATION_CONSTANT;
    op.data = node->data;
  }
  memcpy(out, &op, op.size < sizeof(op) ? op.size : sizeof(op));
  return true;
}

bool sn_graph_attribute(const sn_graph *graph, int number, int i, sn_attribute *out) {
  const sni_node *node = node_at(graph, number);
  sni_schema_field fields[sni_schema_max];
  if (!node || !out || i < 0) return false;
  const int n = sni_schema_fields(sni_op_infos[node->op].attributes, fields);
  int lists = 0, at = 0;
  if (i >= n) return false;
  for (int k = 0; k < n; k++) lists += fields[k].list;
  const int length = lists ? (node->n_attrs - (n - lists)) / lists : 0;
  for (int k = 0; k < i; k++) at += fields[k].list ? length : 1;
  sn_attribute attribute = {.size = out->size, .n = fields[i].list ? length : 1};
  snprintf(attribute.name, sizeof(attribute.name), "%.*s", fields[i].length, fields[i].name);
  for (int k = 0; k < attribute.n && k < SN_MAX_RANK; k++)
    attribute.values[k] = number_of(graph, node->attrs[at + k]);
  memcpy(out, &attribute, out->size < sizeof(attribute) ? out->size : sizeof(attribute));
  return true;
}

const sn_graph *sn_graph_body(const sn_graph *graph, int number, int i) {
  const sni_node *node = node_at(graph, number);
  return node && i >= 0 && i < node->n_bodies ? node->bodies[i] : NULL;
}

// ---- search
int sn_graph_find(const sn_graph *graph, const char *name) {
  for (int i = 0; name && *name && i < sn_graph_size(graph); i++) {
    const char *has = sni_graph_node(graph, (sni_node_id)i)->name;
    if (has && !strcmp(has, name)) return i;
  }
  return -1;
}

int sn_graph_find_op(const sn_graph *graph, const char *op, int from) {
  const sni_op wanted = op ? sni_op_by_name(op, strlen(op)) : SNI_OP_COUNT;
  for (int i = from < 0 ? 0 : from; i < sn_graph_size(graph); i++)
    if (sni_graph_node(graph, (sni_node_id)i)->op == wanted) return i;
  return -1;
}

// ---- results
int sn_graph_outputs(const sn_graph *graph) {
  int n = 0;
  for (uint32_t i = 0; graph && i < graph->n_results; i++) n += graph->results[i].variable < 0;
  return n;
}

int sn_graph_output(const sn_graph *graph, int i) {
  for (uint32_t k = 0; graph && i >= 0 && k < graph->n_results; k++)
    if (graph->results[k].variable < 0 && i-- == 0) return (int)graph->results[k].node;
  return -1;
}

int sn_graph_assigned(const sn_graph *graph, int index) {
  for (uint32_t k = 0; graph && index >= 0 && k < graph->n_results; k++)
    if (graph->results[k].variable == index) return (int)graph->results[k].node;
  return -1;
}

// ---- what a program holds
int sn_program_variables(const sn_program *program) {
  return program ? (int)program->n_variables : 0;
}

sn_tensor *sn_program_variable(const sn_program *program, int i) {
  return i >= 0 && i < sn_program_variables(program) ? program->variables[i] : NULL;
}

int sn_program_captures(const sn_program *program) {
  return program ? (int)program->n_captures : 0;
}

sn_tensor *sn_program_capture(const sn_program *program, int i) {
  return i >= 0 && i < sn_program_captures(program) ? program->captures[i] : NULL;
}

const char *sn_program_signature(const sn_program *program) {
  return program ? program->signature : "";
}
