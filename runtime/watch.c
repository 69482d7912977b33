// The polls that find something: whether the run has to end, and what is said of it.
#include "runtime/watch.h"

#include <math.h>
#include <stdio.h>

// Of estimated work: the clock is read after this much, 0.2 % of it. Estimates are those of native code; the interpreter takes
// up to some 50 times as long.
static const double patience_ns = 20000;

static void set_timed(sni_watch *watch) {
  const bool timed = watch->progress || watch->deadline_ms < HUGE_VAL;
  if (timed)
    atomic_fetch_or_explicit(&watch->word, SNI_WATCH_TIMED, memory_order_relaxed);
  else
    atomic_fetch_and_explicit(&watch->word, ~(int64_t)SNI_WATCH_TIMED, memory_order_relaxed);
  watch->patience_ns = 0;
}

void sni_watch_init(sni_watch *watch, void *owner,
                    sn_status (*close_owner)(void *owner, bool closed)) {
  *watch = (sni_watch){.deadline_ms = HUGE_VAL, .owner = owner, .close_owner = close_owner};
}

void sni_watch_set_deadline(sni_watch *watch, double seconds) {
  watch->deadline_ms = seconds < SN_NO_DEADLINE ? sni_now_ms() + seconds * 1e3 : HUGE_VAL;
  set_timed(watch);
}

void sni_watch_set_progress(sni_watch *watch, sn_progress_callback progress, void *user,
                            double seconds) {
  watch->progress = progress;
  watch->user = user;
  watch->interval_ms = seconds * 1e3;
  watch->report_ms = sni_now_ms() + watch->interval_ms;
  set_timed(watch);
}

// "cancelled in iteration 7 of sn_while_loop, in iteration 3 of sn_scan"; the line is that of the innermost loop.
static sn_status end_run(const sni_watch *watch, sn_status status, const char *what,
                         sni_diag *diag) {
  char text[512];
  int n = snprintf(text, sizeof(text), "%s", what);
  const sn_progress *innermost = watch->loop;
  for (const sn_progress *l = innermost; l && n < (int)sizeof(text) - 100; l = l->outer)
    n += snprintf(text + n, sizeof(text) - (size_t)n, "%s in iteration %lld of %.60s",
                  l == innermost ? "" : ",", (long long)l->iteration, l->name);
  if (diag && !diag->status && innermost && innermost->file) {
    diag->file = innermost->file;
    diag->line = innermost->line;
  }
  return sni_fail(diag, status, "%s", text);
}

bool sni_watch_breaks(sni_watch *watch) {
  const int64_t word = sni_watch_word(watch);
  if (!word) return false;
  if (!(word & (SNI_WATCH_CANCEL | SNI_WATCH_ENDS)) && sni_now_ms() < watch->deadline_ms)
    return false;
  atomic_fetch_or_explicit(&watch->word, SNI_WATCH_ENDS, memory_order_relaxed);
  return true;
}

static sn_status take_cancel(sni_watch *watch, sni_diag *diag) {
  atomic_fetch_and_explicit(&watch->word, ~(int64_t)SNI_WATCH_CANCEL, memory_order_relaxed);
  return end_run(watch, SN_ERR_CANCELLED, "cancelled", diag);
}

sn_status sni_watch_take_break(sni_watch *watch, sni_diag *diag) {
  if (!(sni_watch_word(watch) & SNI_WATCH_ENDS)) return SN_OK;
  const int64_t before =
      atomic_fetch_and_explicit(&watch->word, ~(int64_t)SNI_WATCH_ENDS, memory_order_relaxed);
  if (!(before & SNI_WATCH_CANCEL) && sni_now_ms() >= watch->deadline_ms)
    return end_run(watch, SN_ERR_DEADLINE, "the deadline has passed", diag);
  return take_cancel(watch, diag);
}

static bool goes_on(sni_watch *watch, double now_ms) {
  if (!watch->progress || !watch->loop || now_ms < watch->report_ms) return true;
  sni_watch_close(watch, true);
  const bool yes = watch->progress(watch->user, watch->loop);
  sni_watch_close(watch, false);
  watch->report_ms = sni_now_ms() + watch->interval_ms;
  return yes;
}

sn_status sni_watch_look(sni_watch *watch, double ns, sni_diag *diag) {
  const int64_t word = sni_watch_word(watch);
  bool cancelled = (word & SNI_WATCH_CANCEL) != 0;
  watch->patience_ns -= ns;
  if (!cancelled && (!(word & SNI_WATCH_TIMED) || watch->patience_ns > 0)) return SN_OK;
  watch->patience_ns = patience_ns;
  if (!cancelled) {
    const double now_ms = sni_now_ms();
    if (now_ms >= watch->deadline_ms)
      return end_run(watch, SN_ERR_DEADLINE, "the deadline has passed", diag);
    cancelled = !goes_on(watch, now_ms);
  }
  return cancelled ? take_cancel(watch, diag) : SN_OK;
}
