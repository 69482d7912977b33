// Cuts an optimised graph where a run has to know more sizes (graph/late.h): a node belongs to the first segment
// that knows all it needs. Each segment is a graph of its own without nodes about sizes, to be lowered as any other.
#ifndef SNI_PASSES_SEGMENTS_H
#define SNI_PASSES_SEGMENTS_H

#include "graph/graph.h"
#include "runtime/segments.h"

// What a segment has to learn before it begins: the code of sni_learn.
typedef struct sni_lesson {
  const sni_dim_table *dims;
  const sni_node *const *extents;  // whose numbers the counts are
  const bool *says;                // per extent: it says its symbol; else it is a condition
  uint32_t n_extents;
  const sni_node *const *requirements;
  uint32_t n_requirements;
  const sni_graph *checked;  // all of whose sizes must be possible; NULL: they are
  sni_allocator *allocator;  // to check them
} sni_lesson;

typedef struct sni_cut_segment {
  sni_graph *graph;
  sni_segment_value *inputs, *outputs;
  uint32_t n_inputs, inputs_capacity, n_outputs, outputs_capacity;
  uint32_t *counts;
  sni_lesson *lesson;  // NULL: nothing
} sni_cut_segment;

typedef struct sni_cut_graph {
  sni_cut_segment *segments;
  uint32_t n_segments, n_kept;
} sni_cut_graph;

// All in the graph's arena; its nodes are referred to, and must stay. Errors: SN_ERR_MEMORY.
sn_status sni_cut_segments(const sni_graph *graph, sni_cut_graph *out_cut);
// A sni_learn_sizes.
sn_status sni_learn(const void *code, const int64_t *counts, int64_t *symbols, sni_diag *diag);

#endif
