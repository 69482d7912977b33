// What the host says of a context's calls: that they end, when, and how it hears of them.
#include "frontend/context/internal.h"

#include <math.h>

void sn_cancel(sn_context *context) {
  if (context) sni_watch_cancel(&context->watch);
}

void sn_cancel_withdraw(sn_context *context) {
  if (context)
    atomic_fetch_and_explicit(&context->watch.word, ~(int64_t)SNI_WATCH_CANCEL,
                              memory_order_relaxed);
}

void sn_set_deadline(sn_context *context, double seconds) {
  SNI_ENTER(context, "sn_set_deadline", );
  if (isnan(seconds))
    sni_error(context, SN_ERR_ARGUMENT, "sn_set_deadline: seconds is NaN");
  else
    sni_watch_set_deadline(&context->watch, seconds);
}

sn_status sn_interrupted(sn_context *context) {
  SNI_ENTER(context, NULL, SN_ERR_STATE);
  const sn_status status = sni_watch_poll(&context->watch, HUGE_VAL, &context->diag);
  if (status) sni_error_from(context, status, NULL);
  return status;
}

void sn_set_progress(sn_context *context, sn_progress_callback callback, void *user,
                     double seconds) {
  SNI_ENTER(context, "sn_set_progress", );
  if (!(seconds >= 0))
    sni_error(context, SN_ERR_ARGUMENT, "sn_set_progress: seconds is %g, expected 0 or more",
              seconds);
  else
    sni_watch_set_progress(&context->watch, callback, user, seconds);
}
