// An executable of segments: each is compiled by itself, from a graph that the passes have been at already.
#include "passes/segments.h"

#include "passes/code_source.h"

void sni_count_in(sni_compiled *whole, const sni_compiled *part) {
  whole->n_native += part->n_native;
  whole->n_interpreted += part->n_interpreted;
  whole->n_blas += part->n_blas;
  whole->code_bytes += part->code_bytes;
}

static sn_status compile_segment(sni_compiled *whole, const sni_cut_segment *cut,
                                 const sni_compile_options *options, sni_diag *diag,
                                 sni_segment *out_segment) {
  sni_compiled *made;
  SNI_TRY(sni_compile(whole->compiler, cut->graph, options, diag, &made));
  whole->segments[whole->n_segments++] = made;
  sni_count_in(whole, made);
  *out_segment = (sni_segment){.executable = &made->executable,
                               .constants = made->constants,
                               .inputs = cut->inputs,
                               .outputs = cut->outputs,
                               .n_counts = cut->lesson ? cut->lesson->n_extents : 0,
                               .counts = cut->counts,
                               .learn = cut->lesson ? sni_learn : NULL,
                               .code = cut->lesson};
  return SN_OK;
}

// Variables may be written in place by the last segment alone: all others come before something that may fail, or may be
// followed by one that reads what the variable was.
static sn_status set_variables(sni_compiled *whole, const sni_cut_graph *cut) {
  sni_executable *e = &whole->executable;
  const sni_executable *last = &whole->segments[cut->n_segments - 1]->executable;
  for (uint32_t k = 0; k < cut->n_segments; k++)
    if (whole->segments[k]->executable.n_variables > e->n_variables)
      e->n_variables = whole->segments[k]->executable.n_variables;
  bool *in_place = SNI_ARENA_ARRAY(&whole->arena, bool, e->n_variables + 1);
  if (!in_place) return SN_ERR_MEMORY;
  const sni_graph *graph = cut->segments[cut->n_segments - 1].graph;
  for (uint32_t r = 0; r < graph->n_results; r++)
    if (graph->results[r].variable >= 0)
      in_place[graph->results[r].variable] = last->in_place[graph->results[r].variable];
  e->in_place = in_place;
  e->faults = true;
  e->checks_first = last->checks_first || !last->faults;
  return SN_OK;
}

sn_status sni_compile_segments(sni_compiled *whole, const sni_graph *traced,
                               const sni_compile_options *options, sni_diag *diag) {
  const sni_compile_options of_segment = {.backend = options->backend,
                                          .optimised = true,
                                          .check_sizes = options->check_sizes,
                                          .watch = options->watch};
  sni_graph source = *whole->graph;
  sni_cut_graph cut;
  source.diag = diag;
  const sni_graph *kept = sni_arena_copy(&whole->arena, traced, sizeof(*traced));
  if (!kept) return sni_fail_memory(diag, sizeof(*traced), "segments");
  SNI_TRY(sni_cut_segments(&source, &cut));
  sni_segment *segments = SNI_ARENA_ARRAY(&whole->arena, sni_segment, cut.n_segments);
  whole->segments = SNI_ARENA_ARRAY(&whole->arena, sni_compiled *, cut.n_segments);
  if (!segments || !whole->segments)
    return sni_fail_memory(diag, cut.n_segments * sizeof(*segments), "segments");
  for (uint32_t k = 0; k < cut.n_segments; k++) {
    sni_lesson *lesson = cut.segments[k].lesson;
    if (lesson && options->check_sizes) lesson->checked = kept;
    if (lesson) lesson->allocator = whole->compiler->setup.allocator;
    SNI_TRY(compile_segment(whole, &cut.segments[k], &of_segment, diag, &segments[k]));
  }
  uint32_t n_captures = 0;
  for (uint32_t i = 0; i < source.n_parameters; i++)
    n_captures += source.parameters[i].kind == SNI_PARAMETER_CAPTURE;
  whole->constants = SNI_ARENA_ARRAY(&whole->arena, const void *, n_captures);
  whole->executable = (sni_executable){.n_symbols = (uint32_t)sni_dim_symbol_count(source.dims),
                                       .n_constants = n_captures,
                                       .n_segments = cut.n_segments,
                                       .n_kept = cut.n_kept,
                                       .segments = segments};
  if (!whole->constants || set_variables(whole, &cut))
    return sni_fail_memory(diag, n_captures * sizeof(void *), "segments");
  return SN_OK;
}

uint32_t sni_compiled_commands(const sni_compiled *compiled) {
  uint32_t n = compiled->executable.n_commands;
  for (uint32_t i = 0; i < compiled->n_segments; i++)
    n += sni_compiled_commands(compiled->segments[i]);
  return n;
}

uint32_t sni_compiled_temporaries(const sni_compiled *compiled) {
  uint32_t n = compiled->plan ? compiled->plan->n_temporaries : 0;
  for (uint32_t i = 0; i < compiled->n_segments; i++)
    n += sni_compiled_temporaries(compiled->segments[i]);
  return n;
}
