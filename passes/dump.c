// Dumps of what a graph became, for people: the optimised graph, its groups and kernels, and what
// LLVM makes of them now.
#include "passes/lower/library.h"
#include "passes/native_loops.h"
#include "passes/segments.h"

#include <stdio.h>
#include <string.h>

// Gives each kernel of the plan, expanded, the name that it has in the text.
static sn_status list_kernels(const sni_plan *plan, sni_arena *scratch, sni_diag *diag,
                              const sni_tree **kernels, const char **symbols, int *out_count) {
  for (uint32_t i = 0; i < plan->n_commands; i++) {
    const sni_tree *kernel = plan->commands[i].kernel;
    sni_tree *expanded;
    if (!kernel) continue;
    SNI_TRY(sni_tree_expand(kernel, scratch, diag, &expanded));
    const char *name = sni_tree_name(kernel);
    size_t capacity = strlen(name) + 24;
    char *symbol = sni_arena_alloc(scratch, capacity);
    if (!symbol) return sni_fail_memory(diag, capacity, "a dump");
    snprintf(symbol, capacity, "k%u_%s", i, name);
    symbols[*out_count] = symbol;
    kernels[(*out_count)++] = expanded;
  }
  return SN_OK;
}

static sn_status dump_request(sni_compiler *compiler, const sni_llvm_plugin *api,
                              const sni_llvm_request *request, sni_diag *diag, sni_text *text) {
  sni_llvm_result result = {0};
  sn_status status = SN_OK;
  if (sni_plugin_compile(&compiler->plugin, request, &result))
    status = sni_fail(diag, SN_ERR_COMPILE, "LLVM: %s", result.error);
  else
    sni_text_add(text, "%s", (const char *)result.data);
  api->release(&result);
  return status;
}

// The native loops, each a module of its own.
static sn_status dump_loops(sni_compiled *compiled, sni_llvm_output output,
                            const sni_llvm_plugin *api, sni_arena *scratch, sni_diag *diag,
                            sni_text *text) {
  for (uint32_t i = 0; i < compiled->plan->n_commands; i++) {
    const sni_plan_command *c = &compiled->plan->commands[i];
    char symbol[64];
    sni_flow *flow;
    if (!c->n_inside) continue;
    SNI_TRY(sni_flow_create(compiled, c, scratch, diag, &flow));
    SNI_TRY(sni_flow_expand(flow, scratch, diag));
    snprintf(symbol, sizeof symbol, "k%u_%s", i, c->library->name);
    sni_llvm_request request = sni_compiler_request(compiled->compiler, NULL, NULL, 0, output);
    request.flow = flow;
    request.flow_symbol = symbol;
    SNI_TRY(dump_request(compiled->compiler, api, &request, diag, text));
  }
  return SN_OK;
}

static sn_status dump_llvm(sni_compiled *compiled, sni_llvm_output output, sni_diag *diag,
                           sni_text *text) {
  sni_compiler *compiler = compiled->compiler;
  sni_plugin *plugin = &compiler->plugin;
  const sni_plan *plan = compiled->plan;
  if (compiler->setup.backend == SN_BACKEND_INTERPRETER)
    return sni_fail(diag, SN_ERR_UNSUPPORTED, "no LLVM: the context's backend is the interpreter");
  const sni_llvm_plugin *api = sni_plugin_load(plugin);
  if (!api) return sni_fail(diag, SN_ERR_UNSUPPORTED, "no LLVM: %s", plugin->status);
  sni_arena scratch;
  sni_arena_init(&scratch, compiler->setup.allocator);
  const sni_tree **kernels = SNI_ARENA_ARRAY(&scratch, const sni_tree *, plan->n_commands);
  const char **symbols = SNI_ARENA_ARRAY(&scratch, const char *, plan->n_commands);
  int n = 0;
  sn_status status = kernels && symbols
                         ? list_kernels(plan, &scratch, diag, kernels, symbols, &n)
                         : sni_fail_memory(diag, plan->n_commands * sizeof(void *), "a dump");
  if (!status && n) {
    sni_llvm_request request = sni_compiler_request(compiler, kernels, symbols, n, output);
    status = dump_request(compiler, api, &request, diag, text);
  }
  if (!status) status = dump_loops(compiled, output, api, &scratch, diag, text);
  sni_arena_deinit(&scratch);
  return status;
}

static sn_status dump_with_bodies(sni_compiled *compiled, sn_stage stage, sni_diag *diag,
                                  sni_text *text);

static const char *mark_of(sn_stage stage) {
  return stage == SN_STAGE_LLVM ? ";" : stage == SN_STAGE_ASM ? "#" : "//";
}

// One after the other, with the sizes that each begins with.
static sn_status dump_segments(sni_compiled *compiled, sn_stage stage, sni_diag *diag,
                               sni_text *text) {
  for (uint32_t i = 0; i < compiled->n_segments; i++) {
    const sni_segment *segment = &compiled->executable.segments[i];
    const sni_lesson *lesson = segment->code;
    sni_text_add(text, "%s segment %u of %u", mark_of(stage), i + 1, compiled->n_segments);
    for (uint32_t k = 0; lesson && k < lesson->n_extents; k++) {
      char size[100];
      sni_dim_format(lesson->dims, lesson->extents[k]->attrs[0], size, sizeof(size));
      sni_text_add(text, "%s%s", k ? ", " : ": when it is known how large are ", size);
    }
    sni_text_add(text, "\n");
    SNI_TRY(dump_with_bodies(compiled->segments[i], stage, diag, text));
  }
  return SN_OK;
}

// One form of the compilation, then that of its bodies.
static sn_status dump_with_bodies(sni_compiled *compiled, sn_stage stage, sni_diag *diag,
                                  sni_text *text) {
  if (compiled->n_segments) return dump_segments(compiled, stage, diag, text);
  const bool code = stage == SN_STAGE_LLVM || stage == SN_STAGE_ASM;
  if (code)
    SNI_TRY(
        dump_llvm(compiled, stage == SN_STAGE_ASM ? SNI_LLVM_ASSEMBLY : SNI_LLVM_IR, diag, text));
  else
    SNI_TRY(sni_plan_print(compiled->plan, compiled->graph, stage == SN_STAGE_KERNEL, text));
  const char *mark = mark_of(stage);
  for (uint32_t i = 0; i < compiled->n_bodies; i++) {
    if (code && compiled->bodies[i]->in_loop) continue;  // its code is above
    sni_text_add(text, "%s body %u of %s\n", mark, i,
                 compiled->graph->name ? compiled->graph->name : "it");
    SNI_TRY(dump_with_bodies(compiled->bodies[i], stage, diag, text));
  }
  return SN_OK;
}

sn_status sni_compiled_dump(sni_compiled *compiled, sn_stage stage, sni_diag *diag,
                            char **out_text) {
  sni_allocator *allocator = compiled->compiler->setup.allocator;
  *out_text = NULL;
  if (!compiled->graph)
    return sni_fail(diag, SN_ERR_UNSUPPORTED, "single ops of eager mode have no dumps");
  if (stage == SN_STAGE_GRAPH) return sni_graph_print(compiled->graph, allocator, out_text);
  if (stage == SN_STAGE_DOT) return sni_graph_print_dot(compiled->graph, allocator, out_text);
  sni_text text;
  sni_text_init(&text, allocator);
  const sn_status status = dump_with_bodies(compiled, stage, diag, &text);
  if (status) {
    sni_text_deinit(&text);
    return status;
  }
  return sni_text_take(&text, diag, out_text);
}
