// Running the user's callback, in a trace or op by op: what it says of its errors, and what it must
// have set.
//
// Invariant: afterwards either every output is a usable tensor, or an error is pending whose message
// is the callback's own where it left one.
#include "frontend/function/function.h"

#include <string.h>

// Callbacks in one another: more than the calls and bodies of a trace may be.
enum { most_nested = 200 };

static bool check_outputs(const sni_user_code *code, sn_context *context, sn_tensor *const *out) {
  for (int i = 0; i < code->n_outputs; i++) {
    if (!out[i] && code->may_leave_out) continue;
    if (!out[i]) {
      // A boundary function in the callback may have taken the error that explains it.
      sni_error(context, SN_ERR_CALLBACK, "%s%s%s left output %d unset%s%.800s", code->what,
                code->name, code->behind, i, context->message[0] ? ", after: " : "",
                context->message);
      return false;
    }
    if (!sni_operand_ok(context, "the callback's output", i, out[i])) return false;
  }
  return true;
}

// What a boundary function in the callback reported is the message; else a general one, which gets
// the caller's line.
static void note_failure(const sni_user_code *code, sn_context *context, sn_status status) {
  if (context->message[0]) {
    sni_fail(&context->diag, status, "%.1199s", context->message);
    context->error_noted = true;
    context->error_line = SNI_LINE_FINAL;
  } else {
    sni_error(context, status, "%s%s%s failed: %s", code->what, code->name, code->behind,
              sn_status_meaning(status));
  }
}

static sn_status run(const sni_user_code *code, sn_context *context, sn_tensor *const *inputs,
                     sn_tensor **out) {
  char before[sizeof(context->message)];
  memcpy(before, context->message, sizeof(before));
  context->message[0] = 0;  // so that a message that the callback left can be told
  for (int i = 0; i < code->n_outputs; i++) out[i] = NULL;
  sni_callback_frame around;
  sni_callback_begins(context, &around);
  sn_status status = code->callback(context, inputs, out, code->user);
  sni_callback_ends(context, &around);
  if (status && !context->diag.status) note_failure(code, context, status);
  if (!status && !context->diag.status) (void)check_outputs(code, context, out);
  if (!context->message[0]) memcpy(context->message, before, sizeof(before));
  if (status) context->diag.status = status;
  return context->diag.status;
}

sn_status sni_run_user_code(const sni_user_code *code, sn_context *context,
                            sn_tensor *const *inputs, sn_tensor **out) {
  if (context->callbacks < most_nested) return run(code, context, inputs, out);
  return sni_fail(&context->diag, SN_ERR_STATE,
                  "%s%s%s calls itself, or callbacks are nested more than %d deep", code->what,
                  code->name, code->behind, most_nested);
}

sn_status sni_run_callback(sn_function *function, sn_context *context, sn_tensor *const *inputs,
                           sn_tensor **out) {
  const sni_user_code code = {.callback = function->callback,
                              .user = function->user,
                              .n_outputs = function->n_outputs,
                              .what = "callback of function \"",
                              .name = function->name,
                              .behind = "\""};
  return sni_run_user_code(&code, context, inputs, out);
}
