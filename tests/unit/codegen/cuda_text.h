// A trial backend: K as CUDA C text. Grid loops become blocks, loops with lanes a warp's threads,
// ROW buffers shared memory, LOCAL ones registers, sums in lanes a tree of shuffles, barriers the
// next launch. What it could not say would be a fault of K. It knows of K alone.
#ifndef SNI_TESTS_CUDA_TEXT_H
#define SNI_TESTS_CUDA_TEXT_H

#include "codegen/kernel/tree.h"

#include <stdio.h>

// Writes kernels and a host function `name`(buffers, params, fault) that launches them. tree: without
// MATH operations. False: out of memory.
bool cuda_text_write(FILE *out, const sni_tree *tree, const char *name);

#endif
