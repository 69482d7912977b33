// Executables in a row, each of which begins when sizes are known that its predecessors have computed. What a later one
// reads of an earlier one is kept between them; variables are written in place by the last one alone, which begins when
// all sizes are known and have their memory.
#ifndef SNI_RUNTIME_SEGMENTS_H
#define SNI_RUNTIME_SEGMENTS_H

#include "runtime/executable.h"

typedef enum sni_segment_place {
  SNI_PLACE_CALLER,    // index: of the inputs (outputs) of the whole
  SNI_PLACE_KEPT,      // index: of what is kept between segments
  SNI_PLACE_CONSTANT,  // index: of the constants of the whole
} sni_segment_place;
typedef struct sni_segment_value {
  sni_segment_place place;
  uint32_t index;
} sni_segment_value;

// Fills in the symbols that the counts are, and checks what has to be true of sizes. Errors are described in diag.
typedef sn_status (*sni_learn_sizes)(const void *code, const int64_t *counts, int64_t *symbols,
                                     sni_diag *diag);

typedef struct sni_segment {
  const sni_executable *executable;
  const void *const *constants;
  const sni_segment_value *inputs, *outputs;  // of the executable's
  // Before it begins:
  uint32_t n_counts;
  const uint32_t *counts;  // kept values, i64[]
  sni_learn_sizes learn;   // NULL: there is nothing to know
  const void *code;        // for it
} sni_segment;

// Thread-compatible, as a run state.
typedef struct sni_bound_segments sni_bound_segments;
sn_status sni_bound_segments_create(const sni_executable *executable, sni_allocator *allocator,
                                    sni_buffer_pool *pool, sni_thread_pool *threads,
                                    int max_threads, sni_diag *diag,
                                    sni_bound_segments **out_segments);
void sni_bound_segments_destroy(sni_bound_segments *segments);
// The first segment is bound here, the others in a run. Late symbols: any numbers.
sn_status sni_bound_segments_bind(sni_bound_segments *segments, const int64_t *symbols);
void sni_bound_segments_limit_threads(sni_bound_segments *segments, int threads);
void sni_bound_segments_watch(sni_bound_segments *segments, sni_watch *watch, bool anywhere);
void sni_bound_segments_place_outputs(sni_bound_segments *segments, sni_output_place place,
                                      void *user);
// Of the last run: of the executable's symbols, with those that it has found out.
const int64_t *sni_bound_segments_symbols(const sni_bound_segments *segments);
size_t sni_bound_segments_bytes(const sni_bound_segments *segments);
size_t sni_bound_segments_arena_bytes(const sni_bound_segments *segments);
sn_status sni_run_segments(sni_bound_segments *segments, void *const *inputs, void *const *outputs,
                           void *const *variables, void *const *new_variables,
                           void *const *constants);

#endif
