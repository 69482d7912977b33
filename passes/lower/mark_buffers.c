// What is known before groups are formed: which values need a buffer whatever fusion does, and what it
// costs to compute one anew from buffers.
//
// Invariant: a view stays a view unless somebody needs it in memory; constants of one element never
// have buffers.
#include "passes/graph/op_kop.h"
#include "passes/lower/fuse_groups.h"

enum {
  most_inline_loads = 3,
  most_nested_pieces = 16,  // results of pieces in one another
};
static const double most_inline_ns = 0.42;  // worth redoing to save a buffer: eight additions

static const sni_node *node_of(const sni_lowering *l, sni_node_id id) {
  return sni_graph_node(l->graph, id);
}

bool sni_is_inline_constant(const sni_node *node) {
  const sni_op_lowering lowering = sni_lowering_of(node);
  if (lowering == SNI_LOWERING_INDEX || lowering == SNI_LOWERING_SIZE) return true;
  if (!sni_is_constant(node)) return false;
  for (int d = 0; d < node->type.rank; d++)
    if (node->type.dims[d] != 1) return false;
  return true;
}

bool sni_is_conditional(const sni_lowering *l, const sni_node *node) {
  if (sni_lowering_of(node) != SNI_LOWERING_PIECES) return false;
  if (l->options->alone && sni_piece_fill(node) == SNI_NO_NODE) return false;
  for (int d = 0; d < node->type.rank; d++)
    if (sni_piece_step(node, d) != 1) return false;
  return sni_piece_count(node) <= SNI_PIECES_FUSED;
}

bool sni_is_view(sni_op op) {
  return sni_op_infos[op].lowering == SNI_LOWERING_ACCESS;
}

// Ops that a fused kernel computes element by element.
bool sni_is_element_op(const sni_lowering *l, const sni_node *node) {
  const bool own = sni_is_reduce(node->op) || sni_is_cumulation(node) || sni_is_contraction(node);
  return (sni_lowering_of(node) == SNI_LOWERING_LOOPS && !own) || sni_is_conditional(l, node);
}

sni_node_id sni_view_base(const sni_lowering *l, sni_node_id id) {
  while (sni_is_view(node_of(l, id)->op) && !l->nodes[id].materialised)
    id = node_of(l, id)->operands[0];
  return id;
}

// ---- who needs a buffer for certain

static bool lies_in_memory(const sni_node *node) {
  return sni_lowering_of(node) == SNI_LOWERING_MEMORY && !sni_is_inline_constant(node);
}

void sni_force(sni_lowering *l, sni_node_id id) {
  l->nodes[id].special_use = true;
  if (lies_in_memory(node_of(l, id))) return;
  l->nodes[id].forced = l->nodes[id].materialised = true;
}

// The memory that a library call, a contraction or a gather reads through views: the views may
// stay.
static void force_base(sni_lowering *l, sni_node_id id) {
  sni_node_id base = sni_view_base(l, id);
  sni_force(l, base);
}

// The memory that is read where it lies: a reshape's elements are its operand's as they lie.
static void force_lying(sni_lowering *l, sni_node_id id) {
  while (sni_is_reshape(node_of(l, id)) && !l->nodes[id].materialised)
    id = node_of(l, id)->operands[0];
  sni_force(l, id);
}

// ---- pieces: what a result made of pieces alone reads is computed into its place, if all that is read for it
// lies in memory anyway. A value that is read through a slice does: it is read at other places.

// A concat of many operands.
static bool is_joint(const sni_lowering *l, const sni_node *node) {
  return sni_lowering_of(node) == SNI_LOWERING_PIECES && !sni_is_conditional(l, node) &&
         sni_piece_fill(node) == SNI_NO_NODE;
}

static bool is_read_in_memory(const sni_lowering *l, sni_node_id id) {
  bool moved = false;
  while (sni_is_view(node_of(l, id)->op) && !l->nodes[id].materialised) {
    moved |= sni_is_slice(node_of(l, id));
    id = node_of(l, id)->operands[0];
  }
  return moved || l->nodes[id].materialised || sni_is_inline_constant(node_of(l, id));
}

static bool is_step_of_piece(const sni_lowering *l, const uint32_t *uses, sni_node_id id) {
  return sni_op_infos[node_of(l, id)->op].op_class == SNI_CLASS_POINTWISE && uses[id] == 1 &&
         !l->nodes[id].materialised;
}

// *room: operations that a kernel may still hold.
static bool leads_to_piece(const sni_lowering *l, const uint32_t *uses, sni_node_id id,
                           uint32_t *room) {
  const sni_node *node = node_of(l, id);
  if (!is_step_of_piece(l, uses, id)) return is_read_in_memory(l, id);
  if (*room == 0) return false;
  --*room;
  for (int i = 0; i < node->n_operands; i++)
    if (!leads_to_piece(l, uses, node->operands[i], room)) return false;
  return true;
}

static bool can_be_piece(const sni_lowering *l, const uint32_t *uses, sni_node_id id) {
  uint32_t room = l->budget.values;
  return is_step_of_piece(l, uses, id) && leads_to_piece(l, uses, id, &room);
}

static void force_unless_constant(sni_lowering *l, sni_node_id id) {
  if (!sni_is_inline_constant(node_of(l, sni_view_base(l, id)))) force_base(l, id);
}

static void mark_piece(sni_lowering *l, const uint32_t *uses, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  if (!is_step_of_piece(l, uses, id)) {
    force_unless_constant(l, id);
    return;
  }
  l->nodes[id].piece = 1;
  l->nodes[id].why = SNI_WHY_SOLE;
  for (int i = 0; i < node->n_operands; i++) mark_piece(l, uses, node->operands[i]);
}

// A result that several kernels write, piece by piece. One that is a piece of another needs no buffer.
static void force_pieces(sni_lowering *l, const uint32_t *uses, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  l->nodes[id].forced = l->nodes[id].materialised = true;
  for (int i = 0; i < node->n_operands; i++) {
    const sni_node_id operand = node->operands[i];
    sni_fusion_node *state = &l->nodes[operand];
    const bool joints = is_joint(l, node) && is_joint(l, node_of(l, operand));
    if (joints && uses[operand] == 1 && l->nodes[id].piece < most_nested_pieces) {
      state->forced = state->materialised = false;
      state->piece = (uint8_t)(l->nodes[id].piece + 1);
      state->why = SNI_WHY_SOLE;
    } else if (is_joint(l, node) && can_be_piece(l, uses, operand)) {
      mark_piece(l, uses, operand);
    } else {
      force_unless_constant(l, operand);
    }
  }
}

// Results count twice: they have buffers.
static void count_uses(const sni_lowering *l, uint32_t *uses) {
  const sni_graph *g = l->graph;
  for (uint32_t r = 0; r < g->n_results; r++) uses[g->results[r].node] += 2;
  for (sni_node_id id = 0; id < g->n_nodes; id++)
    for (int i = 0; l->nodes[id].reachable && i < node_of(l, id)->n_operands; i++)
      uses[node_of(l, id)->operands[i]]++;
}

static void mark_reachable(sni_lowering *l) {
  const sni_graph *g = l->graph;
  for (uint32_t r = 0; r < g->n_results; r++) l->nodes[g->results[r].node].reachable = true;
  for (sni_node_id id = g->n_nodes; id-- > 0;) {
    if (!l->nodes[id].reachable) continue;
    const sni_node *node = node_of(l, id);
    for (int i = 0; i < node->n_operands; i++) l->nodes[node->operands[i]].reachable = true;
  }
}

// What a node needs in memory of its operands.
static void force_operands(sni_lowering *l, const sni_node *node) {
  for (int i = 0; sni_is_control(node) && i < node->n_operands; i++)
    force_lying(l, node->operands[i]);
  const bool past_views = !(sni_op_infos[node->op].flags & SNI_FLAGS_LIES);
  for (int i = 0; i < sni_whole_operands(node->op); i++) {
    if (past_views)
      force_base(l, node->operands[i]);
    else
      force_lying(l, node->operands[i]);
  }
  if (!sni_is_reshape(node)) return;
  const sni_type *in = sni_graph_type(l->graph, node->operands[0]);
  if (sni_classify_reshape(l, in, &node->type) == SNI_RESHAPE_OPAQUE)
    sni_force(l, node->operands[0]);
}

// Forward, so that a reshape already knows whether what it views has a buffer.
static void mark_forced(sni_lowering *l, const uint32_t *uses) {
  const sni_graph *g = l->graph;
  for (sni_node_id id = 0; id < g->n_nodes; id++) {
    const sni_node *node = node_of(l, id);
    const sni_op_lowering lowering = sni_lowering_of(node);
    if (!l->nodes[id].reachable) continue;
    if (lies_in_memory(node)) l->nodes[id].materialised = true;
    if (lowering == SNI_LOWERING_CHUNKS || lowering == SNI_LOWERING_LIBRARY ||
        lowering == SNI_LOWERING_RESULT)
      sni_force(l, id);
    force_operands(l, node);
    if (lowering == SNI_LOWERING_UPDATE ||
        (lowering == SNI_LOWERING_PIECES && !sni_is_conditional(l, node)))
      force_pieces(l, uses, id);
  }
  for (uint32_t r = 0; r < g->n_results; r++) sni_force(l, g->results[r].node);
}

static void estimate_inline_costs(sni_lowering *l) {
  for (sni_node_id id = 0; id < l->graph->n_nodes; id++) {
    sni_fusion_node *state = &l->nodes[id];
    const sni_node *node = node_of(l, id);
    if (!state->reachable) continue;
    double ns = sni_op_cost(node->op);
    int loads = 0;
    if (sni_lowering_of(node) == SNI_LOWERING_PIECES) ns *= node->n_operands;
    for (int i = 0; i < node->n_operands; i++) {
      const sni_fusion_node *operand = &l->nodes[node->operands[i]];
      const sni_node *operand_node = node_of(l, node->operands[i]);
      if (operand->materialised || sni_is_reduce(operand_node->op) ||
          sni_is_cumulation(operand_node) || sni_is_contraction(operand_node)) {
        loads++;
      } else {
        ns += (double)operand->inline_ns;
        loads += operand->inline_loads;
      }
    }
    state->inline_ns = (float)ns;
    state->inline_loads = (uint8_t)(loads > 100 ? 100 : loads);
  }
}

bool sni_is_cheap(const sni_lowering *l, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  return (sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE || sni_is_conditional(l, node)) &&
         (double)l->nodes[id].inline_ns <= most_inline_ns &&
         l->nodes[id].inline_loads <= most_inline_loads;
}

sn_status sni_mark_buffers(sni_lowering *l) {
  const uint32_t n = l->graph->n_nodes;
  uint32_t *uses = SNI_ARENA_ARRAY(l->arena, uint32_t, n + 1);
  if (!uses) return sni_fail_memory(l->diag, n * sizeof *uses, "fusion");
  mark_reachable(l);
  count_uses(l, uses);
  mark_forced(l, uses);
  estimate_inline_costs(l);
  return SN_OK;
}
