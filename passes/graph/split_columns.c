// Sums along columns beside sums along rows: where a kernel walks rows, because something is reduced
// along them, a column sum of the same values can go along as partial sums, one per chunk of 64 rows,
// and a reduction of these: a layer norm's gradients of gain and bias read what its dx reads. So do
// column sums of what is large: strips of columns take a few cache lines of each page.
//
// Invariant: chunks are those that column sums have anyway (passes/lower/orders.c), so no bit changes.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"
#include "passes/lower/body.h"

enum {
  few_rows = 2 * SNI_COLUMN_CHUNK,  // from here on chunks keep two threads busy
  large = 1 << 20,  // bytes: columns of what no cache near a core holds are walked by rows
};

typedef struct row_facts {
  // Per node, bit k: a reduction of its axes k, k + 1, ... reads it element by element, or what it is
  // made from; one that does not wait for a column sum.
  const uint16_t *read_in_rows;
} row_facts;

static const sni_type *type_of(const sni_graph *graph, sni_node_id id) {
  return sni_graph_type(graph, id);
}

static bool is_pointwise(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE;
}

// First of the axes that a reduction drops, if these are the last ones; else -1.
static int first_of_last(const sni_graph *graph, const sni_node *node) {
  const int rank = type_of(graph, node->operands[0])->rank;
  for (int i = 0; i < node->n_attrs; i++)
    if (node->attrs[i] != rank - node->n_attrs + i) return -1;
  return node->n_attrs ? rank - node->n_attrs : -1;
}

static bool is_less(const sni_graph *graph, sni_dim dim, int64_t least) {
  int64_t value;
  return sni_dim_is_constant(graph->dims, dim, &value) && value < least;
}

// A sum along one axis, of many rows. Rows are what lies behind the axis.
static bool is_column_sum(const sni_graph *graph, const sni_node *node) {
  if (!sni_is_sum(node) || node->n_attrs != 1) return false;
  const sni_type *type = type_of(graph, node->operands[0]);
  return node->attrs[0] < type->rank - 1 && !is_less(graph, type->dims[node->attrs[0]], few_rows);
}

// Elements from dim `first` on; 0: not known.
static int64_t elements_from(const sni_graph *graph, const sni_type *type, int first) {
  int64_t elements = 1, value;
  for (int k = first; k < type->rank; k++)
    if (!sni_dim_is_constant(graph->dims, type->dims[k], &value) ||
        __builtin_mul_overflow(elements, value, &elements))
      return 0;
  return elements;
}

// waits: room for a flag per node.
static void mark_rows(const sni_graph *graph, bool *waits, uint16_t *marks) {
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    waits[id] = is_column_sum(graph, node);
    for (int i = 0; i < node->n_operands; i++) waits[id] |= waits[node->operands[i]];
  }
  for (sni_node_id id = graph->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(graph, id);
    if (sni_is_reduce(node->op)) {
      const int first = first_of_last(graph, node);
      if (first > 0 && !waits[id]) marks[node->operands[0]] |= (uint16_t)(1u << first);
    } else if (is_pointwise(node)) {
      for (int i = 0; i < node->n_operands; i++) marks[node->operands[i]] |= marks[id];
    }
  }
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    for (int i = 0; is_pointwise(node) && i < node->n_operands; i++)
      marks[id] |= marks[node->operands[i]];
  }
}

static bool goes_along(const sni_rewrite *r, const sni_node *node) {
  const row_facts *facts = r->facts;
  if (!is_column_sum(r->to, node) || sni_is_partial(sni_graph_node(r->to, node->operands[0])))
    return false;
  const sni_node_id operand = sni_graph_node(r->from, r->at)->operands[0];
  const sni_type *type = type_of(r->to, node->operands[0]);
  const int behind = (int)node->attrs[0] + 1;
  const int64_t row = elements_from(r->to, type, behind), all = elements_from(r->to, type, 0);
  if (row && row <= SNI_SHORT_ROW) return false;
  return (facts->read_in_rows[operand] >> behind & 1) ||
         all >= large / (int64_t)sn_dtype_size(type->dtype);
}

static sni_node_id split_column(sni_rewrite *r, const sni_node *node) {
  if (!goes_along(r, node)) return SNI_NO_NODE;
  const sni_dim attrs[2] = {node->attrs[0], SNI_COLUMN_CHUNK};
  const sni_node_id partial =
      sni_build_node(&r->build, SNI_OP_PARTIAL_SUM, node->operands, 1, attrs, 2, NULL);
  return sni_build_reduce(&r->build, node->op, partial, node->attrs, 1);
}

sn_status sni_split_columns_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed) {
  const sni_rewrite_rule rules[] = {split_column};
  uint16_t *marks = SNI_ARENA_ARRAY(graph->arena, uint16_t, graph->n_nodes + 1);
  bool *waits = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes + 1);
  if (!marks || !waits)
    return sni_fail_memory(graph->diag, graph->n_nodes * sizeof *marks, "split_columns");
  mark_rows(graph, waits, marks);
  const row_facts facts = {marks};
  return sni_rewrite_once(graph,
                          &(sni_rewrite_options){.rules = rules, .n_rules = 1, .facts = &facts},
                          out_graph, out_changed);
}

sn_status sni_split_columns(const sni_graph *graph, sni_graph **out_graph) {
  bool changed;
  return sni_split_columns_once(graph, out_graph, &changed);
}
