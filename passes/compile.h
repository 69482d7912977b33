// From a graph to an executable: optimise, lower, then hand each kernel to a backend. Owns the
// plugin, BLAS and the cache of compiled kernels.
#ifndef SNI_PASSES_COMPILE_H
#define SNI_PASSES_COMPILE_H

#include "codegen/cache.h"
#include "graph/graph.h"
#include "passes/lower/lower.h"
#include "runtime/blas.h"
#include "runtime/cpu.h"
#include "runtime/executable.h"

#include <sinter/context.h>
#include <sinter/function.h>

typedef struct sni_compiler sni_compiler;

// What compilation needs to know of its host. Everything is borrowed and outlives the compiler.
typedef struct sni_compiler_setup {
  sni_allocator *allocator;
  const sni_cpu *cpu;
  sn_backend backend;  // of AUTO requests
  sn_matmul_mode matmul;
  const char *blas_path, *plugin_path;  // NULL: found by themselves
  const sni_budget *budget;             // of kernels; NULL: the usual one
  void (*log)(void *owner, sn_log_level level, const char *text);
  // Each sni_compiled keeps the owner (and with it allocator and compiler) alive.
  void *owner;
  void (*keep)(void *owner);
  void (*release)(void *owner);
} sni_compiler_setup;

// Thread-safe. One per family of contexts.
sn_status sni_compiler_create(const sni_compiler_setup *setup, sni_compiler **out_compiler);
void sni_compiler_destroy(sni_compiler *compiler);
void sni_compiler_trim(sni_compiler *compiler);  // drops kernels that nothing uses
// Loads it at the first call; NULL: not wanted, or no memory.
sni_blas *sni_compiler_blas(sni_compiler *compiler);
void sni_compiler_system_info(sni_compiler *compiler, sn_system_info *out_info);

// Immutable and Thread-safe; reference-counted by its owner.
typedef struct sni_compiled {
  sni_compiler *compiler;  // one reference to its owner
  sni_arena arena;         // owns graph, plan, executable
  sni_graph *graph;        // optimised
  sni_plan *plan;
  sni_executable executable;
  // Per CONSTANT index: literal data; captures are NULL here (the caller knows them).
  const void *const *constants;
  // Per command: its kernel's or that of all of a native loop, one reference; NULL for others.
  sni_kernel_code **codes;
  uint32_t n_codes;
  struct sni_compiled **segments;  // where the graph has late dims: they have the plans
  uint32_t n_segments;
  struct sni_compiled **bodies;  // of control nodes
  const sni_graph *source;       // of a body: in the graph of what it is a body of
  uint64_t source_hash;
  bool in_loop;  // a body that is part of a native loop: its kernels have no code of their own
  uint32_t n_bodies, bodies_capacity;
  uint32_t n_native, n_blas, n_interpreted;
  size_t code_bytes;
  double compile_ms;
} sni_compiled;

typedef struct sni_compile_options {
  sn_backend backend;  // AUTO, INTERPRETER or LLVM
  bool
      raw;  // no graph passes but rewrite_matmuls and split_reductions, no kernel cache, no dumps (graph is NULL):
            // single ops of eager mode
  sni_watch *watch;  // asked between passes; NULL: nobody
  bool optimised;    // the graph passes have been at it
  bool
      check_sizes;  // late ones make possible sizes of all nodes: of a text. The graph must live as long
  bool body;        // of a control op: it may become part of a native loop
} sni_compile_options;
// graph: in any arena; it is copied, but for its table of dims, which must live as long (raw:
// during the call). Only read, and so is the table, so that several threads may compile one graph;
// neither may change any more. Errors: described in diag; SN_ERR_UNSUPPORTED when backend LLVM is asked for
// and its plugin is missing.
sn_status sni_compile(sni_compiler *compiler, const sni_graph *graph,
                      const sni_compile_options *options, sni_diag *diag,
                      sni_compiled **out_compiled);
// (copy_graph.c) A deep copy, but for the dims and the texts of locations, which live longer. Errors: SN_ERR_MEMORY.
sn_status sni_copy_graph(const sni_graph *graph, sni_dim_table *dims, sni_arena *arena,
                         sni_diag *diag, sni_graph **out_graph);
void sni_compiled_destroy(sni_compiled *compiled);
// Of all segments, without those of bodies.
uint32_t sni_compiled_commands(const sni_compiled *compiled);
uint32_t sni_compiled_temporaries(const sni_compiled *compiled);
size_t sni_compiled_bytes(const sni_compiled *compiled);  // of memory, without native code
// Text of a later stage (FUSED, KERNEL, LLVM, ASM, GRAPH, DOT).
sn_status sni_compiled_dump(sni_compiled *compiled, sn_stage stage, sni_diag *diag,
                            char **out_text);

#endif
