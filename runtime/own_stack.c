// A thread for one call, about 50 us. No thread is kept, and none of the pool's is used: their
// stacks are small.
#include "runtime/own_stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

typedef struct call {
  void (*run)(void *user);
  void *user;
} call;

static void *start(void *user) {
  const call *c = user;
  c->run(c->user);
  return NULL;
}

bool sni_run_on_own_stack(size_t stack_bytes, void (*run)(void *user), void *user) {
  call c = {run, user};
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  int failed = pthread_attr_init(&attributes);
  if (failed) return errno = failed, false;
  sigfillset(&all);
  failed = pthread_attr_setstacksize(&attributes, stack_bytes);
  if (!failed) failed = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (!failed) {
    failed = pthread_create(&thread, &attributes, start, &c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  pthread_attr_destroy(&attributes);
  if (failed) return errno = failed, false;
  return !pthread_join(thread, NULL);
}
