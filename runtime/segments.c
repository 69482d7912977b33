// Runs segments: learn sizes, bind, find memory for what is kept and given out, run.
//
// Invariant: when a segment fails, what ran before it has written nothing but kept memory, outputs and new buffers of
// variables.
#include "runtime/segments.h"

#include "runtime/arena.h"

#include <string.h>

enum { line_bytes = 64 };

typedef struct bound_segment {
  const sni_segment *segment;
  sni_run_state *state;
  void **inputs, **outputs;
  sni_size_ref *output_bytes;
  sni_buffer *kept;  // NULL: nothing yet
} bound_segment;

struct sni_bound_segments {
  const sni_executable *executable;
  sni_allocator *allocator;
  sni_buffer_pool *pool;
  sni_diag *diag;
  sni_arena memory;  // of the arrays below
  bound_segment *all;
  int64_t *given, *symbols, *counts;  // symbols: given, and what this run has learned
  void **kept;
  sni_output_place place;
  void *user;
};

// ---- creation
static sn_status create_one(sni_bound_segments *s, uint32_t number, sni_thread_pool *threads,
                            int max_threads) {
  bound_segment *b = &s->all[number];
  const sni_segment *segment = &s->executable->segments[number];
  const sni_executable *e = segment->executable;
  *b = (bound_segment){.segment = segment,
                       .inputs = SNI_ARENA_ARRAY(&s->memory, void *, e->n_inputs),
                       .outputs = SNI_ARENA_ARRAY(&s->memory, void *, e->n_outputs),
                       .output_bytes = SNI_ARENA_ARRAY(&s->memory, sni_size_ref, e->n_outputs)};
  if (!b->inputs || !b->outputs || !b->output_bytes)
    return sni_fail_memory(s->diag, e->n_outputs * sizeof(void *), "a segment");
  for (uint32_t i = 0; i < e->n_slots; i++)
    if (e->slots[i].kind == SNI_SLOT_OUTPUT) b->output_bytes[e->slots[i].index] = e->slots[i].bytes;
  return sni_run_state_create(e, s->allocator, s->pool, threads, max_threads, s->diag, &b->state);
}

static sn_status create_all(sni_bound_segments *s, sni_thread_pool *threads, int max_threads) {
  const sni_executable *e = s->executable;
  uint32_t most = 0;
  for (uint32_t i = 0; i < e->n_segments; i++)
    if (e->segments[i].n_counts > most) most = e->segments[i].n_counts;
  s->all = SNI_ARENA_ARRAY(&s->memory, bound_segment, e->n_segments);
  s->given = SNI_ARENA_ARRAY(&s->memory, int64_t, e->n_symbols);
  s->symbols = SNI_ARENA_ARRAY(&s->memory, int64_t, e->n_symbols);
  s->counts = SNI_ARENA_ARRAY(&s->memory, int64_t, most);
  s->kept = SNI_ARENA_ARRAY(&s->memory, void *, e->n_kept);
  if (!s->all || !s->given || !s->symbols || !s->counts || !s->kept)
    return sni_fail_memory(s->diag, e->n_segments * sizeof(bound_segment), "segments");
  for (uint32_t i = 0; i < e->n_segments; i++) SNI_TRY(create_one(s, i, threads, max_threads));
  return SN_OK;
}

sn_status sni_bound_segments_create(const sni_executable *executable, sni_allocator *allocator,
                                    sni_buffer_pool *pool, sni_thread_pool *threads,
                                    int max_threads, sni_diag *diag,
                                    sni_bound_segments **out_segments) {
  sni_bound_segments *s = sni_alloc_zeroed(allocator, sizeof(*s));
  *out_segments = s;
  if (!s) return sni_fail_memory(diag, sizeof(*s), "segments");
  s->executable = executable;
  s->allocator = allocator;
  s->pool = pool;
  s->diag = diag;
  sni_arena_init(&s->memory, allocator);
  return create_all(s, threads, max_threads);
}

void sni_bound_segments_destroy(sni_bound_segments *s) {
  if (!s) return;
  for (uint32_t i = 0; s->all && i < s->executable->n_segments; i++) {
    sni_run_state_destroy(s->all[i].state);
    sni_buffer_release(s->all[i].kept);
  }
  sni_arena_deinit(&s->memory);
  sni_free(s->allocator, s, sizeof(*s));
}

void sni_bound_segments_limit_threads(sni_bound_segments *s, int threads) {
  for (uint32_t i = 0; i < s->executable->n_segments; i++)
    sni_run_state_limit_threads(s->all[i].state, threads);
}

void sni_bound_segments_watch(sni_bound_segments *s, sni_watch *watch, bool anywhere) {
  const uint32_t n = s->executable->n_segments;
  for (uint32_t i = 0; i < n; i++)  // only the last one writes variables where they are
    sni_run_state_watch(s->all[i].state, watch, anywhere || i + 1 < n);
}

void sni_bound_segments_place_outputs(sni_bound_segments *s, sni_output_place place, void *user) {
  s->place = place;
  s->user = user;
}

const int64_t *sni_bound_segments_symbols(const sni_bound_segments *s) {
  return s->symbols;
}

size_t sni_bound_segments_arena_bytes(const sni_bound_segments *s) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < s->executable->n_segments; i++)
    bytes +=
        sni_run_state_arena_bytes(s->all[i].state) + (s->all[i].kept ? s->all[i].kept->bytes : 0);
  return bytes;
}

size_t sni_bound_segments_bytes(const sni_bound_segments *s) {
  size_t bytes = sizeof(*s) + s->memory.bytes;
  for (uint32_t i = 0; i < s->executable->n_segments; i++)
    bytes += sni_run_state_bytes(s->all[i].state) + (s->all[i].kept ? s->all[i].kept->bytes : 0);
  return bytes;
}

sn_status sni_bound_segments_bind(sni_bound_segments *s, const int64_t *symbols) {
  if (s->executable->n_symbols)
    memcpy(s->given, symbols, s->executable->n_symbols * sizeof(*symbols));
  return sni_run_state_bind(s->all[0].state, symbols);
}

// ---- running
static sn_status learn(const sni_bound_segments *s, const sni_segment *segment) {
  if (!segment->learn) return SN_OK;
  for (uint32_t i = 0; i < segment->n_counts; i++)
    memcpy(&s->counts[i], s->kept[segment->counts[i]], sizeof(*s->counts));
  return segment->learn(segment->code, s->counts, s->symbols, s->diag);
}

// All that a segment keeps lies in one buffer, each value at a line of its own.
static sn_status place_kept(const sni_bound_segments *s, bound_segment *b) {
  size_t total = 0, offset = 0;
  const sni_executable *e = b->segment->executable;
  for (uint32_t i = 0; i < e->n_outputs; i++) {
    const size_t bytes = (size_t)sni_run_state_size(b->state, b->output_bytes[i]);
    if (b->segment->outputs[i].place != SNI_PLACE_KEPT) continue;
    if (bytes > SIZE_MAX - total - line_bytes)
      return sni_fail_memory(s->diag, SIZE_MAX, "what is kept between segments");
    total += (bytes + line_bytes - 1) / line_bytes * line_bytes;
  }
  if (total && (!b->kept || b->kept->bytes < total)) {
    sni_buffer_release(b->kept);
    b->kept = sni_buffer_create(s->pool, total);
    if (!b->kept) return sni_fail_memory(s->diag, total, "what is kept between segments");
  }
  for (uint32_t i = 0; i < e->n_outputs; i++) {
    if (b->segment->outputs[i].place != SNI_PLACE_KEPT) continue;
    const size_t bytes = (size_t)sni_run_state_size(b->state, b->output_bytes[i]);
    s->kept[b->segment->outputs[i].index] =
        b->kept ? (char *)sni_buffer_host(b->kept) + offset : NULL;
    offset += (bytes + line_bytes - 1) / line_bytes * line_bytes;
  }
  return SN_OK;
}

static sn_status place_outputs(const sni_bound_segments *s, bound_segment *b,
                               void *const *outputs) {
  SNI_TRY(place_kept(s, b));
  for (uint32_t i = 0; i < b->segment->executable->n_outputs; i++) {
    const sni_segment_value at = b->segment->outputs[i];
    if (at.place == SNI_PLACE_KEPT)
      b->outputs[i] = s->kept[at.index];
    else if (s->place)
      SNI_TRY(s->place(s->user, at.index, s->symbols, s->diag, &b->outputs[i]));
    else
      b->outputs[i] = outputs[at.index];
  }
  return SN_OK;
}

static void find_inputs(const sni_bound_segments *s, bound_segment *b, void *const *inputs,
                        void *const *constants) {
  void *const *const tables[] = {inputs, s->kept, constants};
  for (uint32_t i = 0; i < b->segment->executable->n_inputs; i++) {
    const sni_segment_value from = b->segment->inputs[i];
    b->inputs[i] = tables[from.place][from.index];
  }
}

sn_status sni_run_segments(sni_bound_segments *s, void *const *inputs, void *const *outputs,
                           void *const *variables, void *const *new_variables,
                           void *const *constants) {
  if (s->executable->n_symbols)
    memcpy(s->symbols, s->given, s->executable->n_symbols * sizeof(*s->symbols));
  for (uint32_t i = 0; i < s->executable->n_segments; i++) {
    bound_segment *b = &s->all[i];
    SNI_TRY(learn(s, b->segment));
    SNI_TRY(sni_run_state_bind(b->state, s->symbols));
    SNI_TRY(place_outputs(s, b, outputs));
    find_inputs(s, b, inputs, constants);
    SNI_TRY(sni_run_state_run(b->state, b->inputs, b->outputs, variables, new_variables,
                              (void *const *)(uintptr_t)b->segment->constants));
  }
  return SN_OK;
}
