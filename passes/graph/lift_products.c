// Products of an iteration's rows with what is the same in all iterations: x_t w. In a scan each iteration reads w anew, all rows
// at once read it once; so few rows are multiplied in front of the loop, and the products are rows of one more x.
//
// Invariant: a row of a product has the bits that it has alone (rewrite_matmuls.c), so these stay.
#include "graph/late.h"
#include "passes/graph/node_cost.h"
#include "passes/graph/rewrite_control.h"
#include "passes/lower/cost.h"

static const sni_node_id none = SNI_NO_NODE;

// Of a row that is written in front of the loop, which reads the line first, and read there (choose_residuals.c).
static const double kept_byte_ns = 3 * 0.06;
static const double most_bytes = 32 << 20;  // of the products of one node

typedef enum value_kind { OTHER, SAME, ROW } value_kind;  // SAME: in all iterations

typedef struct search {
  sni_control_edit *edit;
  const sni_graph *body;
  value_kind *kinds;  // per node
  bool *wanted;       // of a row, or of what is the same: outside
  sni_node_id *made;  // SAME: the value outside; ROW: all rows
} search;

static bool is_row_of_x(const search *s, sni_node_id id) {
  const sni_control *c = &s->edit->c;
  for (int i = 0; i < c->n_xs; i++)
    if (s->edit->ends[0].inputs[c->first_x_input + i] == id) return true;
  return false;
}

static sni_node_id x_of(const search *s, sni_node_id id) {
  const sni_control_edit *e = s->edit;
  for (int i = 0; i < e->c.n_xs; i++)
    if (e->ends[0].inputs[e->c.first_x_input + i] == id) return e->node.operands[e->c.first_x + i];
  return none;
}

// What costs next to nothing, so that its product alone decides: views of the same order, and casts.
static value_kind kind_of(const search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  if (s->edit->outer[0][id] != none) return SAME;
  if (sni_is_parameter(node))
    return is_row_of_x(s, id) && node->type.rank < SN_MAX_RANK ? ROW : OTHER;
  if (!sni_op_converts(node->op) && !sni_is_reshape(node)) return OTHER;
  if (node->type.rank == SN_MAX_RANK || sni_asks_for_late_size(s->body, node)) return OTHER;
  return s->kinds[node->operands[0]];
}

static bool has_several(const search *s, sni_dim dim) {
  return sni_dim_is_at_least(s->body->dims, dim, 2);
}

// In the loop: arithmetic or reading the right side, whichever takes longer.
static bool pays(const search *s, const sni_node *node) {
  const double product = sni_node_ns(s->body, node);
  const double read = sni_node_bytes(s->body, node->operands[1]);
  const double rows =
      sni_type_elements(s->body, &node->type) * (double)sn_dtype_size(node->type.dtype);
  const sni_type length = sni_type_make(SN_I64, 1, &s->edit->c.length);
  const double inside = sni_bytes_cost(read, read);
  return product + kept_byte_ns * rows < inside &&
         rows * sni_type_elements(s->body, &length) <= most_bytes;
}

static bool is_lifted(const search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  return sni_is_matmul(node) && node->type.rank == 2 && !node->attrs[0] &&
         s->edit->outer[0][id] == none && s->kinds[node->operands[0]] == ROW &&
         s->kinds[node->operands[1]] == SAME && has_several(s, node->type.dims[1]) &&
         has_several(s, sni_graph_type(s->body, node->operands[0])->dims[1]) &&
         !sni_asks_for_late_size(s->body, node) && pays(s, node);
}

// ---- in front of the loop
static sni_type all_rows(const search *s, const sni_type *row) {
  sni_type type = *row;
  for (int d = type.rank++; d > 0; d--) type.dims[d] = type.dims[d - 1];
  type.dims[0] = s->edit->c.length;
  return type;
}

static sni_node_id make(search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  sni_build *b = &s->edit->walk->build;
  if (s->edit->outer[0][id] != none) return s->edit->outer[0][id];
  if (sni_is_parameter(node)) return x_of(s, id);
  const sni_node_id operand = s->made[node->operands[0]];
  const sni_type type = s->kinds[id] == ROW ? all_rows(s, &node->type) : node->type;
  return sni_is_reshape(node) ? sni_build_reshape(b, operand, &type)
                              : sni_build_cast(b, operand, type.dtype);
}

// As one product of [T M, K] and [K, N].
static sni_node_id multiply(search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  sni_build *b = &s->edit->walk->build;
  const sni_type type = all_rows(s, &node->type);
  sni_type flat = *sni_graph_type(s->body, node->operands[0]);
  flat.dims[0] = sni_dim_mul(s->body->dims, s->edit->c.length, flat.dims[0]);
  const sni_node_id x = sni_build_reshape(b, s->made[node->operands[0]], &flat);
  const sni_node_id y =
      sni_build_matmul(b, x, s->made[node->operands[1]], false, node->attrs[1] != 0);
  return sni_build_reshape(b, y, &type);
}

static sn_status open_search(search *s, sni_control_edit *e) {
  sni_arena *arena = e->walk->to->arena;
  const size_t n = e->bodies[0]->n_nodes + 1;
  *s = (search){.edit = e,
                .body = e->bodies[0],
                .kinds = SNI_ARENA_ARRAY(arena, value_kind, n),
                .wanted = SNI_ARENA_ARRAY(arena, bool, n),
                .made = SNI_ARENA_ARRAY(arena, sni_node_id, n)};
  if (s->kinds && s->wanted && s->made) return SN_OK;
  return sni_fail_memory(e->walk->to->diag, n * sizeof(*s->made), "a body");
}

sn_status sni_lift_products(sni_control_edit *e) {
  search s;
  bool any = false;
  if (e->c.kind != SNI_CONTROL_SCAN || !e->c.n_xs) return SN_OK;
  SNI_TRY(open_search(&s, e));
  for (sni_node_id id = 0; id < s.body->n_nodes; id++) {
    s.kinds[id] = kind_of(&s, id);
    if (!is_lifted(&s, id)) continue;
    const sni_node *node = sni_graph_node(s.body, id);
    e->lifted[id] = id;  // until it is made
    s.wanted[node->operands[0]] = s.wanted[node->operands[1]] = any = true;
  }
  if (!any) return SN_OK;
  for (sni_node_id id = s.body->n_nodes; id-- > 0;)
    if (s.wanted[id] && sni_graph_node(s.body, id)->n_operands && e->outer[0][id] == none)
      s.wanted[sni_graph_node(s.body, id)->operands[0]] = true;
  for (sni_node_id id = 0; id < s.body->n_nodes; id++) {
    if (s.wanted[id]) s.made[id] = make(&s, id);
    if (e->lifted[id] != none) e->lifted[id] = multiply(&s, id);
  }
  return e->walk->build.status;
}
