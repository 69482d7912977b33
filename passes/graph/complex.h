// Complex values as pairs of real ones: what split_complex.c says of nodes, and the arithmetic and the
// functions of pairs.
#ifndef SNI_PASSES_COMPLEX_H
#define SNI_PASSES_COMPLEX_H

#include "passes/graph/build.h"

// Two nodes of one float type.
typedef struct sni_pair {
  sni_node_id re, im;
} sni_pair;

// ---- complex_math.c: in the dtype of the parts, element by element
sni_pair sni_pair_cast(sni_build *b, sni_pair x, sn_dtype part);
// Each part by the same op; y is ignored for one operand.
sni_pair sni_pair_map(sni_build *b, sni_op op, sni_pair x, sni_pair y, int n_operands);
sni_pair sni_pair_conj(sni_build *b, sni_pair x);
sni_pair sni_pair_mul(sni_build *b, sni_pair x, sni_pair y);
sni_pair sni_pair_div(sni_build *b, sni_pair x, sni_pair y);
sni_node_id sni_pair_abs(sni_build *b, sni_pair x);
sni_node_id sni_pair_equal(sni_build *b, sni_pair x, sni_pair y);

// ---- in f64, which complex_functions.c computes in: of pairs of f32 too, rounded at the end. full: the
// parts take the whole range of f64, so that squares may leave it.
sni_pair sni_pair_quotient(sni_build *b, sni_pair x, sni_pair y);
sni_node_id sni_pair_hypot(sni_build *b, sni_pair x, bool full);
sni_node_id sni_pair_log_abs(sni_build *b, sni_pair x, bool full);
sni_node_id sni_build_atan2(sni_build *b, sni_node_id y, sni_node_id x);
// |x| with the sign of s.
sni_node_id sni_build_copysign(sni_build *b, sni_node_id x, sni_node_id s);
// z = op(x) or op(x, y).
sni_pair sni_pair_function(sni_build *b, sni_op op, sni_pair x, sni_pair y);

#endif
