// Where gradients end that a body asks for which is called in place: at what the body was given, as they do in a body that has
// a graph of its own. Values around it are constants there; one that hides a way to an x is an error.
//
// Invariant: a boundary belongs to one graph, a trace's or a record's; of another that is at work there is none.
#include "frontend/gradient/boundary.h"

#include "frontend/function/trace.h"
#include "frontend/gradient/record.h"

// Never 0 where there is a graph.
static uint64_t graph_at_work(const sn_context *context) {
  if (context->trace) return sni_trace_tag(context->trace) | 1;
  return context->record ? context->record->id << 1 : 0;
}

static sni_node_id next_node(const sn_context *context) {
  const sni_graph *graph = sni_graph_at_work(context);
  return graph ? graph->n_nodes : 0;
}

void sni_boundary_begin(sn_context *context, const char *name, sni_boundary *out_around) {
  const sni_node_id next = next_node(context);
  *out_around = context->boundary;
  context->boundary = (sni_boundary){name, graph_at_work(context), next, next, out_around};
}

void sni_boundary_given(sn_context *context) {
  context->boundary.first = next_node(context);
}

void sni_boundary_end(sn_context *context, const sni_boundary *around) {
  context->boundary = *around;
}

static bool is_there(const sn_context *context) {
  return context->boundary.graph && context->boundary.graph == graph_at_work(context);
}

sni_node_id sni_boundary_first(const sn_context *context) {
  return is_there(context) ? context->boundary.first : 0;
}

// Carries and rows of bodies around are leaves of these.
static bool was_given(const sni_boundary *b, sni_node_id id) {
  const uint64_t graph = b->graph;
  for (; b && b->graph == graph; b = b->around)
    if (id >= b->given && id < b->first) return true;
  return false;
}

// What is around and depends on an x; an x itself is none of these.
static void mark_around(const sni_boundary *b, const sni_graph *graph, const sni_node_id *xs,
                        int n_xs, bool *is_x, bool *marks) {
  const sni_node_id n = b->given;
  for (int i = 0; i < n_xs; i++)
    if (xs[i] < n) is_x[xs[i]] = true;
  for (sni_node_id i = 0; i < n; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    if (!sni_has_gradient(graph, i) || was_given(b, i)) continue;
    for (int k = 0; k < node->n_operands && !marks[i]; k++)
      marks[i] = marks[node->operands[k]] || is_x[node->operands[k]];
  }
  for (sni_node_id i = 0; i < n; i++) marks[i] &= !is_x[i];
}

sn_status sni_boundary_check(sn_context *context, sni_node_id y, const sni_node_id *xs, int n_xs,
                             int number) {
  sni_graph *graph = sni_graph_at_work(context);
  const sni_boundary *b = &context->boundary;
  if (!is_there(context) || y == SNI_NO_NODE || y < b->first) return SN_OK;
  const size_t bytes = 2 * (size_t)graph->n_nodes;
  bool *is_x = sni_alloc_zeroed(&context->family->allocator, bytes), *marks = is_x + graph->n_nodes;
  if (!is_x) return sni_fail_memory(&context->diag, bytes, "a gradient");
  mark_around(b, graph, xs, n_xs, is_x, marks);
  for (sni_node_id i = b->first; i <= y; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    for (int k = 0; sni_has_gradient(graph, i) && k < node->n_operands && !marks[i]; k++)
      marks[i] = marks[node->operands[k]];
  }
  const bool hidden = marks[y];
  sni_free(&context->family->allocator, is_x, bytes);
  return hidden ? sni_fail_hidden(context, b->name, number) : SN_OK;
}

sn_status sni_fail_hidden(sn_context *context, const char *body, int number) {
  return sni_fail(&context->diag, SN_ERR_GRADIENT,
                  "%s: in a body of %s y depends on xs[%d] through what is computed outside of the "
                  "body: compute it in there, too",
                  context->frame.op ? context->frame.op : "sn_gradients", body, number);
}
