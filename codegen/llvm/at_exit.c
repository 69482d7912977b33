// The static objects of an LLVM that is linked statically are never destroyed: a process may end
// while another thread still compiles, and the host expects nothing of ours to run at its exit. The
// plugin is linked so that it stays loaded (-z nodelete), so nothing dangles. A shared LLVM is out
// of this file's reach: it registers exit handlers of its own.
#include "codegen/llvm/emit.h"

// What C++ code calls to have a static object destroyed at exit (Itanium C++ ABI 3.3.6.3). Seen by
// this library alone.
int __cxa_atexit(void (*destroy)(void *), void *object, void *library);

int __cxa_atexit(void (*destroy)(void *), void *object, void *library) {
  (void)destroy;
  (void)object;
  (void)library;
  return 0;
}
