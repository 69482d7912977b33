// Strings that a run has moved or made: its results and new variables hold the heaps of all that it has read, and of
// what it has made itself (runtime/strings.h).
#include "runtime/strings.h"
#include "frontend/program/program.h"

static bool is_string(const sni_type *type) {
  return type->dtype == SN_STRING;
}

bool sni_graph_has_strings(const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    if (is_string(&graph->nodes[i].type)) return true;
    for (int b = 0; b < graph->nodes[i].n_bodies; b++)
      if (sni_graph_has_strings(graph->nodes[i].bodies[b])) return true;
  }
  return false;
}

static void add(sni_strings **sources, size_t *n, const sn_tensor *t) {
  if (is_string(&t->type) && t->buffer->strings) sources[(*n)++] = t->buffer->strings;
}

static sn_status settle(sni_run *run, sni_buffer *buffer, const sni_type *type, void *data,
                        sni_strings *const *sources, size_t n) {
  sni_strings_release(buffer->strings);
  return sni_strings_settle(&run->program->family->allocator, data,
                            (size_t)sni_type_size(NULL, type), sources, n, run->made,
                            &buffer->strings, &run->diag);
}

sn_status sni_run_settle_strings(sni_run *run, sn_tensor *const *inputs) {
  const sn_program *program = run->program;
  const size_t most = (size_t)program->n_inputs + program->n_captures + program->n_variables;
  sni_allocator *allocator = &program->family->allocator;
  sni_strings **sources = sni_alloc(allocator, (most + 1) * sizeof(*sources));
  if (!sources) return sni_fail_memory(&run->diag, most * sizeof(*sources), "strings");
  size_t n = 0;
  sn_status status = SN_OK;
  for (int i = 0; i < program->n_inputs; i++) add(sources, &n, inputs[i]);
  for (uint32_t i = 0; i < program->n_captures; i++) add(sources, &n, program->captures[i]);
  for (uint32_t i = 0; i < program->n_variables; i++) add(sources, &n, run->bound[i]);
  for (int i = 0; i < program->n_outputs && !status; i++)
    if (is_string(&program->outputs[i]))
      status = settle(run, run->results[i]->buffer, &run->results[i]->type, run->results[i]->data,
                      sources, n);
  for (uint32_t i = 0; i < program->n_variables && !status; i++)
    if (program->assigned[i] && is_string(&run->bound[i]->type))
      status = settle(run, run->fresh[i], &run->bound[i]->type, sni_buffer_host(run->fresh[i]),
                      sources, n);
  sni_free(allocator, sources, (most + 1) * sizeof(*sources));
  return status;
}
