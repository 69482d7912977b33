// Storage dtypes in terms of compute dtypes: what the rules of widen_ops.c and the conversions of
// widen_casts.c share.
#ifndef SNI_PASSES_WIDEN_H
#define SNI_PASSES_WIDEN_H

#include "passes/graph/rewrite.h"

// x in its compute dtype: the same value, but for u32 and u64, of which it is the bits.
sni_node_id sni_widen(sni_build *b, sni_node_id x);
// And back: rounded or wrapped.
sni_node_id sni_narrow(sni_build *b, sni_node_id x, sn_dtype dtype);
// An integer as one of a signed compute dtype that has all its values; of u64 the bits.
sni_node_id sni_widen_integer(sni_build *b, sni_node_id x);
// A constant of any integer, exactly.
sni_node_id sni_build_integer(sni_build *b, sn_dtype dtype, int64_t value);
// Unsigned numbers, as bits of a signed dtype, in an order that signed comparison has; its own
// inverse.
sni_node_id sni_flip_sign(sni_build *b, sni_node_id x);

// The cast of x to dtype by casts that kernels have (sni_is_kernel_cast), rounded once.
sni_node_id sni_widen_cast(sni_build *b, sni_node_id x, sn_dtype dtype);

#endif
