// LLVM without memory: it ends the process, unless handlers take over. Ours leave the compilation by
// longjmp, to where `sni_survive` was called: C++ code that is jumped over leaves its memory behind,
// and whatever state it was changing. So the plugin compiles nothing any more after that. Only where
// LLVM and the C++ library are linked in statically: their handlers are this library's alone then.
#include "codegen/llvm/out_of_memory.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

static _Thread_local jmp_buf *way_out;
static _Thread_local char reason[160];
static _Atomic bool exhausted;

bool sni_llvm_is_exhausted(void) {
  return atomic_load_explicit(&exhausted, memory_order_relaxed);
}

const char *sni_llvm_reason(void) {
  return reason;
}

#if defined(SINTER_LLVM_SHARED)
void sni_llvm_handle_out_of_memory(void) {}
#else
static void leave_because(const char *why) {
  if (!way_out) return;  // not in a compilation: nobody to return to
  snprintf(reason, sizeof(reason), "%s", why);
  atomic_store_explicit(&exhausted, true, memory_order_relaxed);
  longjmp(*way_out, 1);
}

static void leave_llvm(void *user, const char *why, bool dump) {
  (void)user, (void)dump;
  leave_because(why);
}

static void leave_new(void) {
  leave_because("out of memory");
}

// C++: llvm::install_bad_alloc_error_handler, llvm::install_fatal_error_handler and
// std::set_new_handler, which have no names in C.
extern void install_bad_alloc_handler(
    void (*handler)(void *, const char *, bool),
    void *user) __asm__("_ZN4llvm31install_bad_alloc_error_handlerEPFvPvPKcbES0_");
extern void install_fatal_handler(void (*handler)(void *, const char *, bool), void *user) __asm__(
    "_ZN4llvm27install_fatal_error_handlerEPFvPvPKcbES0_");
extern void (*set_new_handler(void (*handler)(void)))(void) __asm__("_ZSt15set_new_handlerPFvvE");

void sni_llvm_handle_out_of_memory(void) {
  install_bad_alloc_handler(leave_llvm, NULL);
  install_fatal_handler(leave_llvm, NULL);
  set_new_handler(leave_new);
}
#endif

bool sni_llvm_survive(void (*run)(void *user), void *user) {
  jmp_buf out;
  bool survived = true;
  way_out = &out;
  if (setjmp(out) == 0)
    run(user);
  else
    survived = false;
  way_out = NULL;
  return survived;
}
