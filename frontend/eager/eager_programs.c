// Programs of control nodes that a record evaluates: compiled once, and found by their graph's content when the next step brings an
// equal one.
//
// Invariant: who takes one has it alone until he gives it back, so what a run calls may take others, and empty the cache. Few are
// kept, the latest ones.
#include "frontend/eager/eager.h"
#include "graph/control.h"
#include "passes/graph/rewrite.h"

enum { most_programs = 64, most_bytes = 16 << 20 };

static void destroy(sni_allocator *allocator, sni_eager_program *program) {
  sni_compiled_destroy(program->compiled);
  sni_arena_deinit(&program->arena);
  sni_free(allocator, program, sizeof(*program));
}

static size_t bytes_of(const sni_eager_program *program) {
  return program->arena.bytes + sni_compiled_bytes(program->compiled);
}

// ---- what is kept
// Sizes are known, and no function of the user's is called, whose data may be gone.
static bool may_be_kept(const sni_graph *graph) {
  if (sni_dim_symbol_count(graph->dims)) return false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    if (node->host) return false;
    for (int b = 0; b < node->n_bodies; b++)
      if (!may_be_kept(node->bodies[b])) return false;
  }
  return true;
}

// Messages of what is compiled name ops, in memory of the record's.
static sn_status keep_names(sni_graph *graph, sni_arena *arena, sni_diag *diag) {
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    sni_node *node = &graph->nodes[i];
    const char **texts[] = {&node->location.op, &node->location.gradient_of};
    for (size_t k = 0; k < SNI_COUNT_OF(texts); k++) {
      if (!*texts[k]) continue;
      *texts[k] = sni_arena_strdup(arena, *texts[k]);
      if (!*texts[k]) return sni_fail_memory(diag, sizeof(char *), "a program");
    }
    for (int b = 0; b < node->n_bodies; b++) SNI_TRY(keep_names(node->bodies[b], arena, diag));
  }
  return SN_OK;
}

static sn_status keep_graph(sni_eager_program *program, const sni_graph *graph, sni_diag *diag) {
  sni_dim_table *dims;
  SNI_TRY(sni_dim_table_create(&program->arena, diag, &dims));
  SNI_TRY(sni_copy_graph(graph, dims, &program->arena, diag, &program->graph));
  return keep_names(program->graph, &program->arena, diag);
}

// ---- taken and given
static sni_eager_program *find(sni_eager_cache *cache, const sni_graph *graph, uint64_t hash) {
  for (sni_eager_program **at = &cache->programs; *at; at = &(*at)->next) {
    sni_eager_program *program = *at;
    if (program->hash != hash || !sni_graphs_are_same(program->graph, graph)) continue;
    *at = program->next;
    return program;
  }
  return NULL;
}

static sn_status compile(sn_context *context, const sni_graph *graph, bool kept, sni_diag *diag,
                         sni_eager_program *program) {
  const sni_compile_options options = {.backend = SN_BACKEND_INTERPRETER, .watch = &context->watch};
  if (kept) SNI_TRY(keep_graph(program, graph, diag));
  return sni_compile(context->family->compiler, kept ? program->graph : graph, &options, diag,
                     &program->compiled);
}

sn_status sni_eager_program_take(sn_context *context, const sni_graph *graph, sni_diag *diag,
                                 sni_eager_program **out_program) {
  sni_allocator *allocator = &context->family->allocator;
  const bool kept = may_be_kept(graph);
  const uint64_t hash = kept ? sni_graph_hash(graph) : 0;
  *out_program = kept ? find(context->eager, graph, hash) : NULL;
  if (*out_program) return SN_OK;
  sni_eager_program *program = sni_alloc_zeroed(allocator, sizeof(*program));
  if (!program) return sni_fail_memory(diag, sizeof(*program), "a program");
  program->hash = hash;
  sni_arena_init(&program->arena, allocator);
  const sn_status status = compile(context, graph, kept, diag, program);
  if (status)
    destroy(allocator, program);
  else
    *out_program = program;
  return status;
}

// The oldest ones go.
static void limit(sni_allocator *allocator, sni_eager_cache *cache) {
  size_t bytes = 0;
  int n = 0;
  for (sni_eager_program **at = &cache->programs; *at;) {
    sni_eager_program *program = *at;
    bytes += bytes_of(program);
    if (++n <= most_programs && bytes <= most_bytes) {
      at = &program->next;
      continue;
    }
    *at = program->next;
    destroy(allocator, program);
  }
}

const sni_compiled *sni_eager_program_compiled(const sni_eager_program *program) {
  return program->compiled;
}

void sni_eager_program_give(sn_context *context, sni_eager_program *program) {
  sni_allocator *allocator = &context->family->allocator;
  if (!program) return;
  if (!program->graph) {
    destroy(allocator, program);
    return;
  }
  program->next = context->eager->programs;
  context->eager->programs = program;
  limit(allocator, context->eager);
}

void sni_eager_programs_trim(sn_context *context) {
  while (context->eager->programs) {
    sni_eager_program *program = context->eager->programs;
    context->eager->programs = program->next;
    destroy(&context->family->allocator, program);
  }
}
