// What became of each value and why, for people: the fused stage of a dump.
//
// Invariant: nothing is decided here; reasons are those that fusion noted when it decided.
#include "passes/lower/cost.h"
#include "passes/lower/fuse_groups.h"

static sni_fate fate_of(const sni_lowering *l, sni_node_id id) {
  const sni_fusion_node *state = &l->nodes[id];
  const sni_node *node = sni_graph_node(l->graph, id);
  if (!state->reachable || node->n_operands == 0) return SNI_FATE_NONE;
  if (state->waits >= 0) return SNI_FATE_ROW;
  if (state->materialised) return SNI_FATE_STORED;
  if (sni_is_view(node->op)) return SNI_FATE_VIEW;
  if (state->group < 0) return SNI_FATE_RECOMPUTED;
  return state->kept != SNI_FATE_NONE ? state->kept : SNI_FATE_JOINED;
}

// Elements; 0: not known.
static double elements_of(const sni_type *type) {
  double elements = 1;
  for (int k = 0; k < type->rank; k++) elements *= type->dims[k] < 0 ? 0 : (double)type->dims[k];
  return elements;
}

static double cost_of(const sni_lowering *l, sni_node_id id, sni_fate fate) {
  const sni_type *type = sni_graph_type(l->graph, id);
  const double elements = elements_of(type);
  const double bytes = elements * (double)sn_dtype_size(type->dtype);
  if (fate == SNI_FATE_RECOMPUTED)
    return sni_arithmetic_cost((double)l->nodes[id].inline_ns, type->dtype, elements,
                               l->options->vector_bits);
  return fate == SNI_FATE_STORED ? sni_bytes_cost(2 * bytes, bytes) : 0;
}

sn_status sni_explain_values(sni_lowering *l, const sni_plan_value **out_values) {
  const uint32_t n = l->graph->n_nodes;
  sni_plan_value *values = SNI_ARENA_ARRAY(l->arena, sni_plan_value, n + 1);
  if (!values) return sni_fail_memory(l->diag, n * sizeof *values, "a plan");
  for (uint32_t r = 0; r < l->graph->n_results; r++)
    values[l->graph->results[r].node].why = SNI_WHY_RESULT;
  for (sni_node_id id = 0; id < n; id++) {
    const sni_fusion_node *state = &l->nodes[id];
    sni_plan_value *v = &values[id];
    const bool is_result = v->why == SNI_WHY_RESULT;
    v->why = SNI_WHY_NONE;
    v->fate = fate_of(l, id);
    if (v->fate == SNI_FATE_NONE) continue;
    v->why = state->waits >= 0 ? SNI_WHY_MERGED : state->why;
    if (v->fate == SNI_FATE_STORED && state->special_use)
      v->why = is_result ? SNI_WHY_RESULT : SNI_WHY_MEMORY;
    if (v->fate == SNI_FATE_STORED && state->slot >= 0) v->bytes = l->slots[state->slot].bytes;
    v->ns = cost_of(l, id, v->fate);
  }
  *out_values = values;
  return SN_OK;
}
