// A cumulation is a loop in sequence over its axis, the inner one of its group: a CARRY brings what
// the iteration before left, a YIELD takes on what this one makes of it and its element. Lanes run along
// an outer axis, each with a carry of its own; an axis that runs backwards has negative strides.
//
// Invariant: one element after the other in every mode, so nothing here has a say in the bits.
#include "passes/graph/evaluate.h"
#include "passes/graph/op_kop.h"
#include "passes/lower/body.h"

// What all begin with.
static sn_status add_first(sni_body *b, const sni_node *node, uint32_t *out) {
  const sni_scalar first = sni_first_scalar(node->op, node->type.dtype);
  sni_expression v = sni_body_blank(SNI_KOP_CONST, first.dtype);
  if (sni_is_float(first.dtype))
    v.as.f = first.f;
  else
    v.as.i = first.i;
  return sni_body_add(b, &v, out);
}

// Whether this is the first iteration. axis: of the body, the inner one.
static sn_status add_is_first(sni_body *b, int axis, uint32_t *out) {
  sni_linear *at = SNI_ARENA_ARRAY(b->l->scratch, sni_linear, SNI_MAX_AXES);
  uint32_t zero = 0;
  if (!at) return sni_fail_memory(b->l->diag, SNI_MAX_AXES * sizeof *at, "a kernel");
  at[axis] = sni_linear_number(1);
  SNI_TRY(sni_body_add_affine(b, sni_linear_number(0), at, out));
  SNI_TRY(sni_body_add_integer(b, SN_I64, 0, &zero));
  return sni_body_add_op(b, SNI_KOP_EQ, SN_BOOL, SN_I64, *out, zero, SNI_NO_VALUE, out);
}

// Where there is nothing before: b. Else before * a + b, or b where a is 0.
static sn_status add_recurrence(sni_body *b, sn_dtype dtype, int axis, uint32_t before,
                                const uint32_t *operands, uint32_t *out) {
  uint32_t zero = 0, cut = 0, first = 0, sum = 0;
  SNI_TRY(sni_body_add_zero(b, dtype, &zero));
  SNI_TRY(sni_body_add_op(b, SNI_KOP_EQ, SN_BOOL, dtype, operands[0], zero, SNI_NO_VALUE, &cut));
  SNI_TRY(add_is_first(b, axis, &first));
  SNI_TRY(sni_body_add_op(b, SNI_KOP_OR, SN_BOOL, SN_BOOL, cut, first, SNI_NO_VALUE, &cut));
  SNI_TRY(sni_body_add_op(b, SNI_KOP_MUL, dtype, dtype, before, operands[0], SNI_NO_VALUE, &sum));
  SNI_TRY(sni_body_add_op(b, SNI_KOP_ADD, dtype, dtype, sum, operands[1], SNI_NO_VALUE, &sum));
  return sni_body_add_op(b, SNI_KOP_SELECT, dtype, dtype, cut, operands[1], sum, out);
}

// ---- of complex numbers: two carries, of which each iteration makes the next two
static sn_status add_number(sni_body *b, sn_dtype dtype, double value, uint32_t *out) {
  sni_expression v = sni_body_blank(SNI_KOP_CONST, dtype);
  v.as.f = value;
  return sni_body_add(b, &v, out);
}

// before (a + i b), or with an addend that + c + i d, and c + i d where a + i b is 0; in the first
// iteration the last pair of operands.
static sn_status add_pair_step(sni_body *b, const sni_node *node, const uint32_t before[2],
                               const uint32_t *x, uint32_t after[2]) {
  const sn_dtype t = node->type.dtype;
  const uint32_t *last = x + node->n_operands - 2, n = SNI_NO_VALUE;
  uint32_t product[4] = {0}, first = 0, zero = 0, cut[2] = {0};
  for (int i = 0; i < 4; i++)
    SNI_TRY(
        sni_body_add_op(b, SNI_KOP_MUL, t, t, before[i & 1], x[(i & 1) ^ i >> 1], n, &product[i]));
  SNI_TRY(sni_body_add_op(b, SNI_KOP_SUB, t, t, product[0], product[1], n, &after[0]));
  SNI_TRY(sni_body_add_op(b, SNI_KOP_ADD, t, t, product[2], product[3], n, &after[1]));
  SNI_TRY(add_is_first(b, b->n_outer, &first));
  if (last != x) {
    SNI_TRY(sni_body_add_zero(b, t, &zero));
    for (int i = 0; i < 2; i++) {
      SNI_TRY(sni_body_add_op(b, SNI_KOP_ADD, t, t, after[i], last[i], n, &after[i]));
      SNI_TRY(sni_body_add_op(b, SNI_KOP_EQ, SN_BOOL, t, x[i], zero, n, &cut[i]));
    }
    SNI_TRY(sni_body_add_op(b, SNI_KOP_AND, SN_BOOL, SN_BOOL, cut[0], cut[1], n, &cut[0]));
    SNI_TRY(sni_body_add_op(b, SNI_KOP_OR, SN_BOOL, SN_BOOL, first, cut[0], n, &first));
  }
  for (int i = 0; i < 2; i++)
    SNI_TRY(sni_body_add_op(b, SNI_KOP_SELECT, t, t, first, last[i], after[i], &after[i]));
  return SN_OK;
}

static sn_status cumulate_pair(sni_body *b, const sni_node *node, bool loops,
                               const uint32_t *operands, uint32_t *out) {
  const sn_dtype dtype = node->type.dtype;
  const int part = node->attrs[3] != 0;
  uint32_t before[2] = {0}, after[2] = {0}, ignored = 0;
  for (int i = 0; i < 2; i++) {
    sni_expression carry = sni_body_blank(SNI_KOP_CARRY, dtype);
    const double first = i == 0 && node->n_operands == 2;
    SNI_TRY(add_number(b, dtype, first, &carry.operands[0]));
    before[i] = carry.operands[0];
    if (!loops) continue;
    carry.axes = sni_body_inner(b);
    for (int k = 0; k < node->n_operands; k++) carry.axes |= b->values[operands[k]].axes;
    SNI_TRY(sni_body_add(b, &carry, &before[i]));
  }
  if (!loops) {
    *out = sni_is_exclusive(node) ? before[part] : operands[node->n_operands - 2 + part];
    return SN_OK;
  }
  b->nests[b->nest].carries = true;
  SNI_TRY(add_pair_step(b, node, before, operands, after));
  for (int i = 0; i < 2; i++) {
    sni_expression yield = sni_body_blank(SNI_KOP_YIELD, dtype);
    yield.operands[0] = after[i];
    yield.operands[1] = before[i];
    yield.axes = (uint16_t)(b->values[before[i]].axes | b->values[after[i]].axes);
    SNI_TRY(sni_body_add(b, &yield, &ignored));
  }
  *out = sni_is_exclusive(node) ? before[part] : after[part];
  return SN_OK;
}

// Along an axis of one element: no loop.
static sn_status add_only(sni_body *b, const sni_node *node, const uint32_t *operands,
                          uint32_t *out) {
  uint32_t first = 0;
  SNI_TRY(add_first(b, node, &first));
  *out = sni_is_exclusive(node) ? first : operands[node->n_operands - 1];
  if (sni_is_exclusive(node) || sni_is_recurrence(node)) return SN_OK;
  return sni_body_add_op(b, sni_op_kop(node->op), node->type.dtype, node->type.dtype, first,
                         operands[0], SNI_NO_VALUE, out);
}

static sn_status add_step(sni_body *b, const sni_node *node, uint32_t before,
                          const uint32_t *operands, uint32_t *out) {
  const sn_dtype dtype = node->type.dtype;
  if (sni_is_recurrence(node)) return add_recurrence(b, dtype, b->n_outer, before, operands, out);
  return sni_body_add_op(b, sni_op_kop(node->op), dtype, dtype, before, operands[0], SNI_NO_VALUE,
                         out);
}

sn_status sni_body_cumulate(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  uint32_t operands[4] = {0}, after = 0, ignored = 0;
  for (int i = 0; i < node->n_operands; i++)
    SNI_TRY(sni_body_emit(b, node->operands[i], map, &operands[i]));
  const bool loops = b->l->nodes[id].selection.axis[node->attrs[0]] >= 0;
  if (sni_is_pair_cumulation(node)) return cumulate_pair(b, node, loops, operands, out);
  if (!loops) return add_only(b, node, operands, out);

  sni_expression carry = sni_body_blank(SNI_KOP_CARRY, node->type.dtype);
  carry.axes = sni_body_inner(b);
  for (int i = 0; i < node->n_operands; i++) carry.axes |= b->values[operands[i]].axes;
  SNI_TRY(add_first(b, node, &carry.operands[0]));
  b->nests[b->nest].carries = true;
  SNI_TRY(sni_body_add(b, &carry, out));
  SNI_TRY(add_step(b, node, *out, operands, &after));
  sni_expression yield = sni_body_blank(SNI_KOP_YIELD, node->type.dtype);
  yield.operands[0] = after;
  yield.operands[1] = *out;
  yield.axes = (uint16_t)(carry.axes | b->values[after].axes);
  if (!sni_is_exclusive(node)) *out = after;
  return sni_body_add(b, &yield, &ignored);
}
