// Runs a function on a thread of its own, with a stack of known size: for code that needs more than
// the caller may have.
#ifndef SNI_RUNTIME_OWN_STACK_H
#define SNI_RUNTIME_OWN_STACK_H

#include <stdbool.h>
#include <stddef.h>

// Waits for it; the thread is gone when this returns. It takes no signals. False: no such thread
// can be made, and errno says why.
bool sni_run_on_own_stack(size_t stack_bytes, void (*run)(void *user), void *user);

#endif
