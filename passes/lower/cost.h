// Nanoseconds that work takes on one core, roughly: what the lowering and the schedule decide by.
#ifndef SNI_PASSES_COST_H
#define SNI_PASSES_COST_H

#include "codegen/kernel/tree.h"

// Of moving so many bytes once, when what the command moves in all is `footprint` bytes: caches
// count.
double sni_bytes_cost(double bytes, double footprint);
// Of n multiply-adds in registers; f32, f64 half as fast.
double sni_product_cost(sn_dtype dtype, double n, int vector_bits);
// Of `times` elements in vectors, each as dear as so many ns of f32.
double sni_arithmetic_cost(double ns, sn_dtype dtype, double times, int vector_bits);
// Of `times` instructions, one per element. in_lanes: a vector at a time.
double sni_kop_cost(sni_kop op, sn_dtype dtype, double times, bool in_lanes, int vector_bits);
// Of one unit of the kernel: the greater of operations / peak and bytes / bandwidth. params: as
// many as the kernel has; values <= 0 are taken to be unknown.
double sni_tree_cost(const sni_tree *tree, const int64_t *params, int vector_bits);

#endif
