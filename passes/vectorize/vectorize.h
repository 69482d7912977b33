// Vectorisation: nodes that compute something of one example, made into nodes that compute it of a batch of them.
#ifndef SNI_PASSES_VECTORIZE_H
#define SNI_PASSES_VECTORIZE_H

#include "graph/graph.h"

// Nodes first .. end - 1 of `from`, whose values are those of one example, become nodes of `to` (which may be the same
// graph; both have the same dims). A value that does not depend on a batched one stays as it is; any other gets the
// examples along a new axis 0.
typedef struct sni_vectorize_request {
  const sni_graph *from;
  uint32_t first, end;
  sni_graph *to;
  sni_dim size;  // number of examples
  // Per node of `from`. Given for parameters and for nodes before `first`: what they are in `to`, and whether that is
  // batched; the others are SNI_NO_NODE and false, and are filled in.
  sni_node_id *map;
  bool *batched;
  // Nodes of `from` that are asked for.
  const sni_node_id *results;
  int n_results;
  // A node of `to`, batched, whose examples are the rows of an identity: a product with it is the other side.
  bool has_identity;
  sni_node_id identity;
  sni_location location;
} sni_vectorize_request;
// Errors: SN_ERR_SHAPE (a value of rank SN_MAX_RANK leaves no axis), SN_ERR_MEMORY.
sn_status sni_vectorize(const sni_vectorize_request *request);
// A value that all examples share, repeated along a new axis 0.
sn_status sni_spread_examples(sni_graph *graph, sni_node_id x, sni_dim size, sni_location location,
                              sni_node_id *out_node);

#endif
