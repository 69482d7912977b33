// One compilation, as its files share it. Private to compile.c, copy_graph.c and make_codes.c.
#ifndef SNI_PASSES_COMPILE_JOB_H
#define SNI_PASSES_COMPILE_JOB_H

#include "codegen/flow.h"
#include "passes/code_source.h"

typedef struct sni_compile_job {
  sni_compiler *compiler;
  sni_allocator *allocator;
  sni_diag *diag;
  sni_dim_table *dims;         // on top of the caller's, which is only read
  bool check_sizes;            // of bodies, too
  const sni_llvm_plugin *api;  // NULL: all kernels go to the interpreter
  sni_compiled *compiled;
  const sni_executable *const *
      *bodies;   // per node of the graph that is lowered; NULL: there are none
  bool is_body;  // of a control op
  sni_watch *watch;
  sni_arena scratch;
} sni_compile_job;

// One of the different kernels of a plan.
typedef struct sni_wanted_kernel {
  const sni_tree *kernel, *expanded;
  uint64_t hash;
  sni_kernel_code *code;  // one reference, once found or made
} sni_wanted_kernel;

// (copy_graph.c) NULL: no memory. Kernels may read what lies up to the next multiple of their alignment.
void *sni_copy_data(sni_arena *arena, const void *data, size_t bytes);
// (make_codes.c)
// Expands these kernels and makes their codes: what LLVM refuses is the interpreter's. Errors: SN_ERR_MEMORY.
sn_status sni_make_codes(sni_compile_job *j, sni_wanted_kernel *const *missing, uint32_t count);
// Native code for the loop, from the cache or made now and entered there; *out_code is NULL where LLVM refuses it. Errors:
// SN_ERR_MEMORY.
sn_status sni_make_loop_code(sni_compile_job *j, sni_flow *flow, sni_kernel_code **out_code);

#endif
