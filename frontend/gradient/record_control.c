// Control ops that a gradient appended to the record: the body is compiled for the interpreter, as a function is, run once with
// the operands' values, and forgotten.
#include "frontend/gradient/record.h"
#include "graph/control.h"
#include "passes/compile.h"

typedef struct control_run {
  sni_record *record;
  sni_node_id id;
  const sni_value *const *operands;
  int n_results;
  sni_buffer **buffers;  // of the results
  void **inputs, **outputs;
} control_run;

static sn_status make_arrays(control_run *r, sni_arena *arena) {
  const sni_node *node = sni_graph_node(r->record->graph, r->id);
  const size_t n = node->n_operands + (size_t)r->n_results;
  r->buffers = SNI_ARENA_ARRAY(arena, sni_buffer *, r->n_results + 1);
  r->inputs = SNI_ARENA_ARRAY(arena, void *, node->n_operands + 1);
  r->outputs = SNI_ARENA_ARRAY(arena, void *, r->n_results + 1);
  if (r->buffers && r->inputs && r->outputs) return SN_OK;
  r->n_results = 0;
  return sni_fail_memory(&r->record->diag, n * sizeof(void *), "a control op");
}

// The op, its operands as inputs, its results as outputs.
static sn_status make_graph(control_run *r, sni_arena *arena, sni_graph **out_graph) {
  const sni_node *node = sni_graph_node(r->record->graph, r->id);
  sni_node_id *ids = SNI_ARENA_ARRAY(arena, sni_node_id, node->n_operands + 1), control, id;
  sni_graph *graph;
  SNI_TRY(sni_graph_create(arena, &r->record->diag, "control", NULL, &graph));
  if (!ids) return sni_fail_memory(graph->diag, node->n_operands, "a control op");
  for (uint32_t i = 0; i < node->n_operands; i++)
    SNI_TRY(sni_graph_add_parameter(graph, &r->operands[i]->type, SNI_PARAMETER_INPUT, i, NULL,
                                    &ids[i]));
  SNI_TRY(sni_graph_add_control(graph, node->op, ids, node->n_operands, node->attrs, node->n_attrs,
                                node->bodies, node->n_bodies, node->location, &control));
  graph->nodes[control].host = node->host;
  for (int i = 0; i < r->n_results; i++) {
    SNI_TRY(sni_graph_add_control_result(graph, control, i, &id));
    SNI_TRY(sni_graph_add_result(graph, id, -1));
    const size_t bytes = sni_type_bytes(sni_graph_type(graph, id));
    r->buffers[i] = sni_buffer_create(r->record->context->family->buffers, bytes);
    if (!r->buffers[i]) return sni_fail_memory(graph->diag, bytes, "a gradient");
    r->outputs[i] = sni_buffer_host(r->buffers[i]);
  }
  *out_graph = graph;
  return SN_OK;
}

static sn_status execute(control_run *r, const sni_compiled *compiled) {
  sni_record *record = r->record;
  sni_family *family = record->context->family;
  sni_run_state *state = NULL;
  sn_status status =
      sni_run_state_create(&compiled->executable, &family->allocator, family->buffers,
                           family->threads, 0, &record->diag, &state);
  if (!status) status = sni_run_state_bind(state, NULL);
  if (!status) {
    sni_run_state_limit_threads(state, record->context->thread_limit);
    status = sni_run_state_run(state, r->inputs, r->outputs, NULL, NULL,
                               (void *const *)(uintptr_t)compiled->constants);
  }
  sni_run_state_destroy(state);
  return status;
}

static sn_status run(control_run *r, sni_arena *arena) {
  const sni_node *node = sni_graph_node(r->record->graph, r->id);
  const sni_compile_options options = {.backend = SN_BACKEND_INTERPRETER};
  sni_graph *graph = NULL;
  sni_compiled *compiled;
  SNI_TRY(make_arrays(r, arena));
  for (int i = 0; i < node->n_operands; i++) r->inputs[i] = r->operands[i]->data;
  SNI_TRY(make_graph(r, arena, &graph));
  SNI_TRY(sni_compile(r->record->context->family->compiler, graph, &options, &r->record->diag,
                      &compiled));
  const sn_status status = execute(r, compiled);
  sni_compiled_destroy(compiled);
  return status;
}

// The RESULT nodes that have no value yet take theirs.
static void give_results(const control_run *r) {
  sni_record *record = r->record;
  for (sni_node_id id = r->id + 1; id < record->graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(record->graph, id);
    if (!sni_is_result(node) || node->operands[0] != r->id || record->values[id].buffer) continue;
    sni_buffer *buffer = sni_buffer_keep(r->buffers[node->attrs[0]]);
    record->values[id] = (sni_value){node->type, buffer, sni_buffer_host(buffer)};
  }
}

sn_status sni_record_run_control(sni_record *record, sni_node_id id,
                                 const sni_value *const *operands) {
  const sni_control c = sni_control_of(sni_graph_node(record->graph, id));
  control_run r = {.record = record, .id = id, .operands = operands, .n_results = c.n_results};
  sni_arena arena;
  if (c.kind == SNI_CONTROL_WHILE || c.kind == SNI_CONTROL_RESCAN)
    return sni_fail(&record->diag, SN_ERR_GRADIENT,
                    "gradients: in eager mode there is none through sn_while_loop in a backward "
                    "function: use sn_call, or sn_fori_loop");
  sni_arena_init(&arena, sni_record_allocator(record));
  const sn_status status = run(&r, &arena);
  if (!status) give_results(&r);
  for (int i = 0; i < r.n_results; i++) sni_buffer_release(r.buffers[i]);
  sni_arena_deinit(&arena);
  return status;
}
