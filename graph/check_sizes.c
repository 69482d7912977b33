// Checks a graph once more when its symbols have numbers. Inference accepts what may hold for some
// sizes: a slice that starts at 5 of N elements, a dim N - 3. Tracing makes such expressions only
// where they are right for all sizes; a graph given as text need not.
//
// Nodes that ask for a late size, or read one of it, are left alone as long as its symbol is negative.
#include "graph/infer.h"
#include "graph/late.h"

#include <string.h>

typedef struct sizes {
  const sni_graph *graph;
  const int64_t *symbols;
  sni_diag *diag;
  sni_type *types;  // per node, with numbers for dims
  const sni_type **operands;
  sni_dim *attrs;
  bool *marks, *unknown;  // per symbol, per node; marks NULL: there are no late symbols
} sizes;

static bool is_unknown(const sizes *s, sni_node_id id) {
  const sni_node *node = &s->graph->nodes[id];
  const int n = sni_dim_symbol_count(s->graph->dims);
  if (!s->marks) return false;
  memset(s->marks, 0, (size_t)n * sizeof(*s->marks));
  sni_mark_node_symbols(s->graph, node, s->marks);
  for (int i = 0; i < node->n_operands; i++)
    if (s->unknown[node->operands[i]]) return true;
  for (int i = 0; i < n; i++)
    if (s->marks[i] && s->symbols[i] < 0) return true;
  return false;
}

// The number of a dim. A negative constant stays the reference that it is: steps and starts.
static sn_status number(const sizes *s, const sni_node *node, sni_dim dim, sni_dim *out) {
  int64_t value;
  *out = dim;
  if (sni_dim_is_constant(s->graph->dims, dim, &value)) {
    if (value >= 0) *out = value;
    return SN_OK;
  }
  value = sni_dim_evaluate(s->graph->dims, dim, s->symbols);
  if (value >= 0 && value < INT64_MAX) return *out = value, SN_OK;
  char text[100];
  sni_dim_format(s->graph->dims, dim, text, sizeof(text));
  return sni_fail(s->diag, SN_ERR_SHAPE, "%s: %s is %s", sni_op_infos[node->op].name, text,
                  value < 0 ? "negative" : "too large");
}

// Attribute i where it places no element: the start of an empty slice, padding around an empty axis
// (its inverse). There N - 1 may be negative; *out is a number that inference accepts.
static bool is_idle(const sni_graph *graph, const sni_node *node, int i, const sni_type *operand,
                    const sni_type *type, sni_dim *out) {
  const int rank = type->rank, axis = rank ? i % rank : 0;
  sni_convolution c;
  if (sni_convolution_of(graph, node, &c) && &node->attrs[i] >= c.start &&
      &node->attrs[i] < c.size) {
    *out = 0;  // a window may begin anywhere
    return true;
  }
  if (node->op == SNI_OP_SLICE && i < rank && type->dims[axis] == 0) {
    *out = 0;
    return true;
  }
  if (node->op == SNI_OP_PAD && i < 2 * rank && operand->dims[axis] == 0) {
    *out = i < rank ? 0 : type->dims[axis];
    return true;
  }
  return false;
}

static sn_status check_node(sizes *s, sni_node_id id) {
  const sni_node *node = &s->graph->nodes[id];
  sni_type *type = &s->types[id], inferred;
  *type = node->type;
  s->unknown[id] = is_unknown(s, id);
  if (s->unknown[id] || sni_is_about_sizes(node)) return SN_OK;
  for (int i = 0; i < type->rank; i++) SNI_TRY(number(s, node, node->type.dims[i], &type->dims[i]));
  for (int i = 0; i < node->n_operands; i++) s->operands[i] = &s->types[node->operands[i]];
  for (int i = 0; i < node->n_attrs; i++)
    if (!is_idle(s->graph, node, i, s->operands[0], type, &s->attrs[i]))
      SNI_TRY(number(s, node, node->attrs[i], &s->attrs[i]));
  sni_inference in = {s->diag,          NULL,     false,         node->op, s->operands,
                      node->n_operands, s->attrs, node->n_attrs, type};
  return sni_infer_node(&in, &inferred);
}

sn_status sni_graph_check_sizes(const sni_graph *graph, const int64_t *symbols,
                                sni_allocator *allocator, sni_diag *diag) {
  sizes s = {.graph = graph, .symbols = symbols, .diag = diag};
  int operands = 1, attrs = 1;
  for (uint32_t id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = &graph->nodes[id];
    if (node->n_operands > operands) operands = node->n_operands;
    if (node->n_attrs > attrs) attrs = node->n_attrs;
  }
  sni_arena arena;
  sni_arena_init(&arena, allocator);
  s.types = SNI_ARENA_ARRAY(&arena, sni_type, graph->n_nodes);
  s.operands = SNI_ARENA_ARRAY(&arena, const sni_type *, operands);
  s.attrs = SNI_ARENA_ARRAY(&arena, sni_dim, attrs);
  s.unknown = SNI_ARENA_ARRAY(&arena, bool, graph->n_nodes);
  const int n_symbols = sni_dim_late_count(graph->dims) ? sni_dim_symbol_count(graph->dims) : 0;
  if (n_symbols) s.marks = SNI_ARENA_ARRAY(&arena, bool, n_symbols);
  sn_status status = s.types && s.operands && s.attrs && s.unknown && (!n_symbols || s.marks)
                         ? SN_OK
                         : sni_fail_memory(diag, graph->n_nodes * sizeof(sni_type), "types");
  sni_diag why;
  sni_diag_clear(&why);
  s.diag = &why;
  for (uint32_t id = 0; id < graph->n_nodes && !status; id++) {
    status = check_node(&s, id);
    for (int b = 0; b < graph->nodes[id].n_bodies && !status; b++)
      status = sni_graph_check_sizes(graph->nodes[id].bodies[b], symbols, allocator, diag);
    if (!status) continue;
    if (s.diag->status == SN_OK) break;  // a body has said it
    if (!diag->status) {
      diag->file = graph->nodes[id].location.file;
      diag->line = graph->nodes[id].location.line;
    }
    sni_fail(diag, status, "node %%%u: %s", id, why.text);
  }
  sni_arena_deinit(&arena);
  return status;
}
