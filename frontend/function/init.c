// sn_init: eager mode in the middle of a trace, for what a function makes of its own once.
//
// Invariant: the trace and the tapes are the context's again afterwards, whatever the callback did, and have seen nothing of it.
#include "frontend/function/function.h"
#include "frontend/gradient/record.h"

static const sni_trace *outermost(const sni_trace *trace) {
  while (trace && trace->around) trace = trace->around;
  return trace;
}

static sn_status run(sn_context *context, sn_callback callback, void *user) {
  const sni_user_code code = {.callback = callback,
                              .user = user,
                              .what = "the callback of ",
                              .name = "sn_init",
                              .behind = ""};
  sni_trace *trace = context->trace;
  sni_record *record = context->record;
  context->trace = NULL;
  context->record = NULL;
  const sn_status status = sni_run_user_code(&code, context, NULL, NULL);
  while (context->record) sn_tape_end(context->record->tapes[0]);  // that it has left open
  context->trace = trace;
  context->record = record;
  return status;
}

sn_status sn_init_at(sn_context *context, sn_callback callback, void *user, const char *file,
                     int line) {
  SNI_ENTER(context, "sn_init", context_refused);
  if (context->diag.status) return context->diag.status;
  const sni_trace *trace = outermost(context->trace);
  if (!callback)
    sni_error(context, SN_ERR_ARGUMENT, "sn_init: callback is NULL");
  else if (trace && trace->is_repeated)
    sni_error(context, SN_ERR_STATE,
              "sn_init: function \"%s\" is traced again: what it makes of its own is made in its "
              "first trace, and used in the others",
              trace->name);
  else
    (void)run(context, callback, user);
  if (context->diag.status) sni_locate_error(context, file, line);
  return context->diag.status;
}
