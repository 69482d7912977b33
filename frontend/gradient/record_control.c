// Evaluating a control node of the record: as a program of its own, with what it reads as inputs and the results that are
// wanted as outputs. The interpreter compiles it once for all nodes of its content.
//
// A rescan's history is the memory of the command that made it, so its loop runs once more in the same program.
#include "frontend/gradient/record.h"
#include "frontend/program/nonfinite.h"
#include "graph/control.h"
#include "passes/compile.h"

#include "runtime/strings.h"

#include <string.h>

static const sni_node *loop_of(const sni_graph *graph, const sni_node *rescan) {
  return sni_graph_node(graph, sni_graph_node(graph, rescan->operands[0])->operands[0]);
}

static bool reads_history(const sni_node *node) {
  return sni_is_control(node) && sni_control_of(node).kind == SNI_CONTROL_RESCAN;
}

int sni_record_reads(const sni_graph *graph, const sni_node *node) {
  if (!reads_history(node)) return node->n_operands;
  return node->n_operands - 1 + loop_of(graph, node)->n_operands;
}

sni_node_id sni_record_read(const sni_graph *graph, const sni_node *node, int k) {
  if (!reads_history(node)) return node->operands[k];
  const sni_node *loop = loop_of(graph, node);
  return k < loop->n_operands ? loop->operands[k] : node->operands[1 + k - loop->n_operands];
}

// ---- the program
typedef struct program {
  sni_record *record;
  sni_arena arena;
  sni_graph *graph;
  const sni_node_id *results;  // nodes of the record
  void **inputs, **outputs;
  int n_inputs, n_results;
  sni_eager_program *code;
  sni_run_state *state;
} program;

static sn_status copy_control(program *p, const sni_node *node, const sni_node_id *operands,
                              sni_node_id *out) {
  SNI_TRY(sni_graph_add_control(p->graph, node->op, operands, node->n_operands, node->attrs,
                                node->n_attrs, node->bodies, node->n_bodies, node->location, out));
  p->graph->nodes[*out].host = node->host;
  return SN_OK;
}

static sn_status add_nodes(program *p, const sni_node *node, sni_node_id *in) {
  sni_node_id control, history;
  if (!reads_history(node)) {
    SNI_TRY(copy_control(p, node, in, &control));
  } else {
    const sni_node *loop = loop_of(p->record->graph, node);
    SNI_TRY(copy_control(p, loop, in, &control));
    SNI_TRY(
        sni_graph_add_control_result(p->graph, control, sni_control_of(loop).n_carries, &history));
    in[loop->n_operands - 1] = history;  // in front of its own operands
    SNI_TRY(copy_control(p, node, in + loop->n_operands - 1, &control));
  }
  for (int i = 0; i < p->n_results; i++) {
    const sni_node *result = sni_graph_node(p->record->graph, p->results[i]);
    sni_node_id y;
    SNI_TRY(sni_graph_add_control_result(p->graph, control, (int)result->attrs[0], &y));
    SNI_TRY(sni_graph_add_result(p->graph, y, -1));
  }
  return SN_OK;
}

static sn_status build(program *p, const sni_node *node) {
  const sni_record *record = p->record;
  p->n_inputs = sni_record_reads(record->graph, node);
  sni_node_id *in = SNI_ARENA_ARRAY(&p->arena, sni_node_id, p->n_inputs + 1);
  p->inputs = SNI_ARENA_ARRAY(&p->arena, void *, p->n_inputs + 1);
  p->outputs = SNI_ARENA_ARRAY(&p->arena, void *, p->n_results + 1);
  if (!in || !p->inputs || !p->outputs)
    return sni_fail_memory(&p->record->diag, (size_t)p->n_inputs * sizeof(*in), "a loop");
  SNI_TRY(sni_graph_create(&p->arena, &p->record->diag, "eager", record->graph->dims, &p->graph));
  for (int k = 0; k < p->n_inputs; k++) {
    const sni_node_id source = sni_record_read(record->graph, node, k);
    p->inputs[k] = record->values[source].data;
    SNI_TRY(sni_graph_add_parameter(p->graph, sni_graph_type(record->graph, source),
                                    SNI_PARAMETER_INPUT, (uint32_t)k, NULL, &in[k]));
  }
  SNI_TRY(add_nodes(p, node, in));
  return sni_eager_program_take(record->context, p->graph, &p->record->diag, &p->code);
}

static sn_status make_room(program *p, sni_value *values) {
  for (int i = 0; i < p->n_results; i++) {
    const sni_type *type = sni_graph_type(p->record->graph, p->results[i]);
    const size_t bytes = sni_type_bytes(type);
    sni_buffer *buffer = sni_buffer_create(p->record->context->family->buffers, bytes);
    if (!buffer) return sni_fail_memory(&p->record->diag, bytes, "a tensor's elements");
    values[i] = (sni_value){*type, buffer, sni_buffer_host(buffer)};
    p->outputs[i] = values[i].data;
  }
  return SN_OK;
}

// Of sizes that the run itself finds out.
static sn_status make_symbols(program *p, uint32_t n, int64_t **out_symbols) {
  *out_symbols = SNI_ARENA_ARRAY(&p->arena, int64_t, n + 1);
  if (!*out_symbols) return sni_fail_memory(&p->record->diag, n, "a loop");
  for (uint32_t i = 0; i < n; i++) (*out_symbols)[i] = -1;
  return SN_OK;
}

// What the results' strings point into: what the operands' do, and what the run has made.
static sn_status settle_strings(program *p, const sni_node *node, sni_value *values,
                                sni_string_heap *made) {
  const sni_record *record = p->record;
  sni_strings **sources = SNI_ARENA_ARRAY(&p->arena, sni_strings *, p->n_inputs + 1);
  size_t n = 0;
  if (!sources) return sni_fail_memory(&p->record->diag, sizeof(*sources), "strings");
  for (int k = 0; k < p->n_inputs; k++) {
    const sni_value *value = &record->values[sni_record_read(record->graph, node, k)];
    if (value->type.dtype == SN_STRING && value->buffer && value->buffer->strings)
      sources[n++] = value->buffer->strings;
  }
  for (int i = 0; i < p->n_results; i++) {
    if (values[i].type.dtype != SN_STRING) continue;
    SNI_TRY(sni_strings_settle(&record->context->family->allocator,
                               (sni_string *)(void *)values[i].data,
                               (size_t)sni_type_size(NULL, &values[i].type), sources, n, made,
                               &values[i].buffer->strings, &p->record->diag));
  }
  return SN_OK;
}

static sn_status run_state(program *p, const sni_node *node, sni_value *values,
                           const sni_compiled *compiled) {
  sn_context *context = p->record->context;
  sni_string_heap *around = context->watch.strings;
  sni_string_heap *made = sni_string_heap_create(&context->family->allocator);
  if (!made) return sni_fail_memory(&p->record->diag, 1, "strings");
  context->watch.strings = made;
  sn_status status = sni_run_state_run(p->state, p->inputs, p->outputs, NULL, NULL,
                                       (void *const *)(uintptr_t)compiled->constants);
  context->watch.strings = around;
  if (!status) status = settle_strings(p, node, values, made);
  sni_string_heap_release(made);
  return status;
}

static sn_status run(program *p, const sni_node *node, sni_value *values) {
  sni_family *family = p->record->context->family;
  int64_t *symbols;
  SNI_TRY(build(p, node));
  SNI_TRY(make_room(p, values));
  const sni_compiled *compiled = sni_eager_program_compiled(p->code);
  SNI_TRY(make_symbols(p, compiled->executable.n_symbols, &symbols));
  SNI_TRY(sni_run_state_create(&compiled->executable, &family->allocator, family->buffers,
                               family->threads, p->record->context->thread_limit, &p->record->diag,
                               &p->state));
  sni_run_state_watch(p->state, &p->record->context->watch, true);
  SNI_TRY(sni_run_state_bind(p->state, symbols));
  return run_state(p, node, values, compiled);
}

// debug_nonfinite: which of the ops inside it was is not known.
static sn_status check(program *p, const sni_node *node, const sni_value *values) {
  const sni_record *record = p->record;
  sni_elements *operands = SNI_ARENA_ARRAY(&p->arena, sni_elements, p->n_inputs + 1);
  sn_status status = SN_OK;
  if (!operands) return sni_fail_memory(&p->record->diag, sizeof(*operands), "debug_nonfinite");
  for (int k = 0; k < p->n_inputs; k++) {
    const sni_value *value = &record->values[sni_record_read(record->graph, node, k)];
    operands[k] = (sni_elements){&value->type, value->data};
  }
  for (int i = 0; i < p->n_results && !status; i++) {
    const sni_elements result = {&values[i].type, values[i].data};
    status = sni_check_node(node, &result, operands, p->n_inputs, &p->record->diag);
  }
  return status;
}

static sn_status evaluate(program *p, const sni_node *node) {
  sni_value *values = SNI_ARENA_ARRAY(&p->arena, sni_value, p->n_results + 1);
  if (!values) return sni_fail_memory(&p->record->diag, sizeof(*values), "a loop");
  sn_status status = run(p, node, values);
  if (!status && p->record->context->debug_nonfinite) status = check(p, node, values);
  for (int i = 0; i < p->n_results; i++) {
    if (status)
      sni_buffer_release(values[i].buffer);
    else
      p->record->values[p->results[i]] = values[i];
  }
  return status;
}

sn_status sni_record_run_control(sni_record *record, sni_node_id id, const sni_node_id *results,
                                 int n) {
  const sni_node node = *sni_graph_node(record->graph, id);
  program p = {.record = record, .results = results, .n_results = n};
  if (!n) return SN_OK;
  sni_arena_init(&p.arena, sni_record_allocator(record));
  const sn_status status = evaluate(&p, &node);
  sni_run_state_destroy(p.state);
  sni_eager_program_give(record->context, p.code);
  sni_arena_deinit(&p.arena);
  return status;
}
