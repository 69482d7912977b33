// Ops that a library serves better than a kernel: one table of them. A row's node becomes one command
// beside those of kernels, of the same kind for whoever plans, schedules or runs it
// (docs/adr/007-library-calls-are-commands.md).
#ifndef SNI_PASSES_LIBRARY_H
#define SNI_PASSES_LIBRARY_H

#include "passes/lower/lower.h"
#include "runtime/blas.h"

typedef struct sni_library_op {
  const char *name;    // in the text of plans
  const char *symbol;  // in profiles
  // Whether the call is better than a kernel: by op, dtypes and shapes alone. The libraries need not be
  // loaded.
  bool (*takes)(const sni_graph *graph, const sni_node *node);
  // Fills in what the call is, its params and its units; operands and result are the command's slots
  // already. Units are cut by the shapes alone, so that bits do not depend on the number of threads.
  sn_status (*plan)(const sni_graph *graph, const sni_node *node, sni_arena *arena, sni_diag *diag,
                    sni_plan_command *command);
  // params: as planned; values <= 0 are not known.
  double (*unit_ns)(const void *call, const int64_t *params, int vector_bits);
  // What `run` gets as code: the planned call, and the library; in arena. NULL: no memory.
  const void *(*code)(const void *call, const sni_blas *blas, sni_arena *arena);
  sni_kernel_function run;
} sni_library_op;

// The row that takes a node; NULL: none does.
const sni_library_op *sni_library_for(const sni_graph *graph, const sni_node *node);

// ---- library_gemm.c
extern const sni_library_op sni_library_gemm;

#endif
