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

size_t sni_run_most_sources(const sni_run *run) {
  const sn_program *program = run->program;
  return (size_t)program->n_inputs + program->n_captures + program->n_variables + 1;
}

void sni_run_add_sources(const sni_run *run, sni_strings **sources, size_t *n) {
  const sn_program *program = run->program;
  for (uint32_t i = 0; i < program->n_captures; i++) add(sources, n, program->captures[i]);
  for (uint32_t i = 0; i < program->n_variables; i++) add(sources, n, run->bound[i]);
}

sn_status sni_run_settle(sni_run *run, sni_strings **held, sni_string *elements, size_t n_elements,
                         sni_strings *const *sources, size_t n) {
  sni_strings_release(*held);
  *held = NULL;
  return sni_strings_settle(&run->program->family->allocator, elements, n_elements, sources, n,
                            run->made, held, &run->diag);
}

sn_status sni_run_settle_variables(sni_run *run, sni_strings *const *sources, size_t n) {
  const sn_program *program = run->program;
  for (uint32_t i = 0; i < program->n_variables; i++) {
    const sni_type *type = &run->bound[i]->type;
    if (!program->assigned[i] || !is_string(type)) continue;
    SNI_TRY(sni_run_settle(run, &run->fresh[i]->strings, sni_buffer_host(run->fresh[i]),
                           (size_t)sni_type_size(NULL, type), sources, n));
  }
  return SN_OK;
}

sn_status sni_run_settle_strings(sni_run *run, sn_tensor *const *inputs) {
  const sn_program *program = run->program;
  const size_t most = sni_run_most_sources(run) * sizeof(sni_strings *);
  sni_strings **sources = sni_alloc(&program->family->allocator, most);
  if (!sources) return sni_fail_memory(&run->diag, most, "strings");
  size_t n = 0;
  sn_status status = SN_OK;
  for (int i = 0; i < program->n_inputs; i++) add(sources, &n, inputs[i]);
  sni_run_add_sources(run, sources, &n);
  for (int i = 0; i < program->n_outputs && !status; i++) {
    const sn_tensor *t = run->results[i];
    if (is_string(&program->outputs[i]))
      status = sni_run_settle(run, &t->buffer->strings, (sni_string *)(void *)t->data,
                              (size_t)sni_type_size(NULL, &t->type), sources, n);
  }
  if (!status) status = sni_run_settle_variables(run, sources, n);
  sni_free(&program->family->allocator, sources, most);
  return status;
}
