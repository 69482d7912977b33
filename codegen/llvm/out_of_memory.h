// LLVM that runs out of memory, or fails otherwise in a way that would end the process.
#ifndef SNI_CODEGEN_LLVM_OUT_OF_MEMORY_H
#define SNI_CODEGEN_LLVM_OUT_OF_MEMORY_H

#include <stdbool.h>

void sni_llvm_handle_out_of_memory(void);  // once, before the first compilation
// Calls run. False: it did not come to its end; from then on sni_llvm_is_exhausted.
bool sni_llvm_survive(void (*run)(void *user), void *user);
bool sni_llvm_is_exhausted(void);
const char *sni_llvm_reason(void);  // in words, of this thread's latest

#endif
