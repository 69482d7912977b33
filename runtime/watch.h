// What ends a run before its time: another thread's wish, a deadline, a progress callback that says no.
//
// Invariant: where nobody wishes anything `word` is 0, so that a poll is one load and a branch; native loops have its address
// in their frame. Who ends a run takes the wish back, so that the next one is free.
#ifndef SNI_RUNTIME_WATCH_H
#define SNI_RUNTIME_WATCH_H

#include "runtime/base.h"

#include <sinter/host.h>

#include <stdatomic.h>

enum {
  SNI_WATCH_CANCEL = 1,  // set by any thread, and by signal handlers
  SNI_WATCH_TIMED =
      2,  // there is a deadline, or progress is reported: somebody has to look at the clock
  SNI_WATCH_ENDS = 4,  // a command on several threads ends: what they have not begun is left out
};

// Of one context or runner. All but the word belongs to the thread that runs.
typedef struct sni_watch {
  _Atomic int64_t word;
  double patience_ns;  // of work, as estimated, until the clock is read again
  double deadline_ms;  // of sni_now_ms; HUGE_VAL: none
  double interval_ms, report_ms;
  sn_progress_callback progress;
  void *user;
  const sn_progress *loop;          // innermost one that runs
  struct sni_string_heap *strings;  // where the run at hand makes strings; NULL: it has none
  struct sni_host_journal *
      journal;  // where calls of the host's that have effects put down what they give; NULL: nowhere
  // Around callbacks of the host's: the owner must not be used in them.
  void *owner;
  sn_status (*close_owner)(void *owner, bool closed);
} sni_watch;
void sni_watch_init(sni_watch *watch, void *owner,
                    sn_status (*close_owner)(void *owner, bool closed));
// seconds from now; at least SN_NO_DEADLINE: none.
void sni_watch_set_deadline(sni_watch *watch, double seconds);
void sni_watch_set_progress(sni_watch *watch, sn_progress_callback progress, void *user,
                            double seconds);
static inline void sni_watch_cancel(sni_watch *watch) {
  atomic_fetch_or_explicit(&watch->word, SNI_WATCH_CANCEL, memory_order_relaxed);
}
// Not closed any more: SN_OK, or SN_ERR_STATE, pending in the owner, which has been used.
static inline sn_status sni_watch_close(const sni_watch *watch, bool closed) {
  return watch && watch->close_owner ? watch->close_owner(watch->owner, closed) : SN_OK;
}

// Whether somebody wishes something. watch: NULL for runs that nobody watches.
static inline int64_t sni_watch_word(sni_watch *watch) {
  return watch ? atomic_load_explicit(&watch->word, memory_order_relaxed) : 0;
}
// The poll where the word is not 0, after work of so many ns. Errors: SN_ERR_CANCELLED, SN_ERR_DEADLINE; described in diag.
sn_status sni_watch_look(sni_watch *watch, double ns, sni_diag *diag);
// In the midst of a command, on any of its threads: whether to leave out the rest of it. Says so to the others.
bool sni_watch_breaks(sni_watch *watch);
// The command is done, or was broken off: SN_OK, or as sni_watch_look.
sn_status sni_watch_take_break(sni_watch *watch, sni_diag *diag);
static inline sn_status sni_watch_poll(sni_watch *watch, double ns, sni_diag *diag) {
  return __builtin_expect(sni_watch_word(watch) != 0, 0) ? sni_watch_look(watch, ns, diag) : SN_OK;
}

// Around a loop.
static inline void sni_watch_begin_loop(sni_watch *watch, sn_progress *loop) {
  if (!watch) return;
  loop->outer = watch->loop;
  watch->loop = loop;
}
static inline void sni_watch_end_loop(sni_watch *watch, const sn_progress *loop) {
  if (watch) watch->loop = loop->outer;
}

#endif
