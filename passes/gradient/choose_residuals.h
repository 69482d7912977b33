// Which values of a step a loop puts down for its way back.
#ifndef SNI_PASSES_CHOOSE_RESIDUALS_H
#define SNI_PASSES_CHOOSE_RESIDUALS_H

#include "graph/graph.h"

// graph: an iteration back, whose first n_forward nodes compute the step anew. needed: per node; on return without what
// residuals stand for. residuals: per node, all false; on return those to be put down, of ranks up to most_rank.
// Errors: SN_ERR_MEMORY.
sn_status sni_choose_residuals(const sni_graph *graph, uint32_t n_forward, int most_rank,
                               bool *needed, bool *residuals);

#endif
