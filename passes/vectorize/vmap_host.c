// Vectorisation of calls of the host's functions: one call of all examples, where the host says how; else one after the other.
//
// Invariant: the order of calls that have effects is that of all examples. So a call for all of them is one of its order's.
#include "passes/vectorize/vmap.h"

// What becomes one call. A call that is one of examples already gets both axes as one.
typedef struct call {
  const sni_vmap *v;
  int n_in, n_out;  // without the order
  bool ordered;
  uint64_t inner;  // operands that have examples of the call as it was
  sni_dim size;    // how many these are
} call;

static call call_of(const sni_vmap *v) {
  const bool ordered = v->node.attrs[0] != 0;
  call c = {.v = v,
            .n_in = v->node.n_operands - ordered,
            .n_out = sni_control_of(&v->node).n_results - ordered,
            .ordered = ordered,
            .inner = (uint64_t)v->node.attrs[2],
            .size = 1};
  for (int i = 0; i < c.n_in; i++)
    if (c.inner >> i & 1) c.size = sni_vmap_operand_type(v, i)->dims[0];
  return c;
}

// x, of examples of the inner axis, the outer one or both, as one of all pairs of these.
static sni_node_id pair_examples(const call *c, int i) {
  const sni_vmap *v = c->v;
  sni_node_id x = v->operands[i];
  if (!(c->inner >> i & 1)) {
    const sni_type own = *sni_vmap_operand_type(v, i);
    const sni_type row = sni_vmap_type(v->b, &own, 1), rows = sni_vmap_type(v->b, &own, c->size);
    const sni_type column = sni_vmap_type(v->b, &row, v->size),
                   all = sni_vmap_type(v->b, &rows, v->size);
    x = sni_build_broadcast(v->b, sni_build_reshape(v->b, x, &column), &all);
  } else {
    x = sni_vmap_spread(v->b, x, v->batched[i], v->size);
  }
  return sni_vmap_fold(v->b, x);
}

static uint64_t place_operands(const call *c, sni_node_id *operands) {
  uint64_t batched = 0;
  for (int i = 0; i < c->n_in + c->ordered; i++) {
    const bool inner = c->inner >> i & 1, outer = c->v->batched[i];
    operands[i] = c->inner && (inner || outer) ? pair_examples(c, i) : c->v->operands[i];
    batched |= (uint64_t)(inner || outer) << i;
  }
  return batched;
}

// Zeros of the results' types.
static sn_status make_body(const call *c, sni_graph **out_body) {
  const sni_graph *one = c->v->node.bodies[0];
  sni_graph *graph = c->v->b->graph;
  SNI_TRY(sni_graph_create(graph->arena, graph->diag, one->name, graph->dims, out_body));
  for (int i = 0; i < c->n_out + c->ordered; i++) {
    sni_type type = *sni_graph_type(one, sni_body_output(one, i));
    sni_node_id node;
    if (i < c->n_out && c->inner)
      type.dims[0] = sni_dim_mul(graph->dims, c->v->size, c->size);
    else if (i < c->n_out)
      type = sni_vmap_type(c->v->b, &type, c->v->size);
    SNI_TRY(c->v->b->status);
    SNI_TRY(sni_graph_add_full(*out_body, &type, 0, c->v->b->location, &node));
    SNI_TRY(sni_graph_add_result(*out_body, node, -1));
  }
  return SN_OK;
}

static sn_status call_batch(const call *c) {
  const sni_vmap *v = c->v;
  sni_node_id *operands = SNI_ARENA_ARRAY(v->b->graph->arena, sni_node_id, v->node.n_operands + 1),
              made;
  sni_graph *body;
  if (!operands) return sni_fail_memory(v->b->graph->diag, sizeof(*operands), "operands");
  const uint64_t batched = place_operands(c, operands);
  SNI_TRY(make_body(c, &body));
  const sni_host_node node = {.host = v->node.host,
                              .operands = operands,
                              .n_operands = v->node.n_operands,
                              .has_effects = c->ordered,
                              .pairs = v->node.attrs[1],
                              .batched = (int64_t)batched,
                              .label = v->node.name,
                              .body = body,
                              .location = v->b->location};
  SNI_TRY(sni_graph_add_host(v->b->graph, &node, &made));
  for (int i = 0; i < c->n_out + c->ordered; i++) {
    SNI_TRY(sni_graph_add_control_result(v->b->graph, made, i, &v->out[i]));
    if (i < c->n_out && c->inner) v->out[i] = sni_vmap_unfold(v->b, v->out[i], v->size, c->size);
  }
  return v->b->status;
}

void sni_vmap_host(const sni_vmap *v) {
  const call c = call_of(v);
  if (v->b->status || (c.ordered && v->batched[c.n_in])) return;
  if (v->node.host && v->node.host->vmap)
    v->b->status = call_batch(&c);
  else if (c.ordered)
    sni_vmap_in_order(v);
}
