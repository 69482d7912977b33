// Sums of slices padded with zeros: what join_pads.c hands on to split_pads.c.
#ifndef SNI_PASSES_JOIN_PADS_H
#define SNI_PASSES_JOIN_PADS_H

#include "passes/graph/rewrite.h"

// The sum of terms[0 .. n) of `from`, in order, cut where pads among them begin and end. uses: of the
// nodes of `from`. SNI_NO_NODE: it does not pay, or a size is not known.
sni_node_id sni_split_pads(sni_rewrite *r, const sni_node_id *terms, int n, const sni_type *type,
                           const uint32_t *uses);

#endif
