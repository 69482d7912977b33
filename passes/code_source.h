// What compilations of one family share. Private to compiler.c, compile.c and dump.c.
#ifndef SNI_PASSES_CODE_SOURCE_H
#define SNI_PASSES_CODE_SOURCE_H

#include "codegen/plugin.h"
#include "passes/compile.h"

enum { sni_code_generation_level = 2 };

struct sni_compiler {
  sni_compiler_setup setup;
  sni_plugin plugin;
  sni_kernel_cache cache;
  pthread_mutex_t lock;  // guards loading of blas, and refusal
  sni_blas *_Atomic blas;
  bool refused;       // LLVM code, some time
  char refusal[950];  // the plugin's status and why it was refused first; written once
  char no_blas[120];  // why BLAS was not loaded, where the host's limits are to blame
  _Atomic bool told_no_plugin;
};

// Logs why LLVM code was refused, and keeps the first reason for system_info.
void sni_compiler_note_refusal(sni_compiler *compiler, const char *reason);
// Logs, once, that the interpreter runs what LLVM should.
void sni_compiler_note_no_plugin(sni_compiler *compiler);
// A request with everything about the machine filled in.
sni_llvm_request sni_compiler_request(const sni_compiler *compiler, const sni_tree *const *kernels,
                                      const char *const *symbols, int n, sni_llvm_output output);

// (compile_segments.c) The executable of whole, whose graph is optimised; traced: what that was made from.
sn_status sni_compile_segments(sni_compiled *whole, const sni_graph *traced,
                               const sni_compile_options *options, sni_diag *diag);
// Adds the numbers of commands and the bytes of code.
void sni_count_in(sni_compiled *whole, const sni_compiled *part);

#endif
