// What the host has to say while Sinter computes: ending calls before their time, hearing of their progress, functions of its
// own inside of graphs, and ops that it defines.
#ifndef SINTER_HOST_H
#define SINTER_HOST_H

#include <sinter/function.h>

SNI_EXTERN_C_BEGIN

// ---- ending calls
// What computes looks, between commands, once per iteration of each loop and every few milliseconds of a long command, whether it is
// to end: sn_call, sn_run, eager ops and loops alike. The call that ends returns SN_ERR_CANCELLED or SN_ERR_DEADLINE (eager ops:
// the pending error); no variable is changed and no output set, and the next call works. A call that is already writing variables in place is
// finished. Compiling looks between its passes.

// Ends the call that is at work in context or, if there is none, the next one; the call that reports it takes the wish
// back. Thread-safe and async-signal-safe: from any thread while the context lives. NULL is accepted.
SN_API void sn_cancel(sn_context *context);
// Takes back a wish that no call has reported yet. Thread-safe.
SN_API void sn_cancel_withdraw(sn_context *context);
// Calls in context that are at work in `seconds` from now, and those made later, end with SN_ERR_DEADLINE, until another deadline is
// set. 0 or less: at once; SN_NO_DEADLINE or more: never. Errors: SN_ERR_ARGUMENT (pending; NaN).
SN_API void sn_set_deadline(sn_context *context, double seconds);
#define SN_NO_DEADLINE 1e9

// A loop that runs: sn_while_loop and the others in any mode, and their gradients.
typedef struct sn_progress {
  const char *name;  // "sn_while_loop"
  const char *file;  // the line that made it; NULL: unknown
  int line;
  int64_t iteration;                // from 0
  int64_t length;                   // iterations; -1: not known
  const struct sn_progress *outer;  // the loop around; NULL: none
} sn_progress;
// progress: the innermost loop that runs; valid during the call. False: the call ends with SN_ERR_CANCELLED. Called on the thread that
// made the call. The context must not be used in it: SN_ERR_STATE.
typedef bool (*sn_progress_callback)(void *user, const sn_progress *progress);
// callback is called every `seconds` or so while a loop runs in context; NULL: no more. Errors: SN_ERR_ARGUMENT (pending;
// seconds negative or NaN).
SN_API void sn_set_progress(sn_context *context, sn_progress_callback callback, void *user,
                            double seconds);

// The same for the runs of one runner, which sn_cancel and sn_set_deadline of its context say nothing about.
// sn_runner_cancel: Thread-safe and async-signal-safe. NULL is accepted; NaN is SN_NO_DEADLINE.
SN_API void sn_runner_cancel(sn_runner *runner);
SN_API void sn_runner_set_deadline(sn_runner *runner, double seconds);

SNI_EXTERN_C_END

#endif
