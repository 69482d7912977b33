// How a public function gets to work in a context: it takes the context for the calling thread, finds
// it from operands where it is not given, checks those, and leaves again.
//
// Invariant: a context is one thread's between sni_claim and sni_leave; a second thread that comes
// meanwhile is refused, and leaves no more than a note. Callbacks run inside, so takes nest.
#include "frontend/context/internal.h"

#include <stdatomic.h>

// ---- taking and leaving
bool sni_is_mine(const sn_context *context) {
  uintptr_t user = atomic_load_explicit(&context->thread, memory_order_relaxed);
  return (user & ~(uintptr_t)sni_busy) == sni_thread_self();
}

void sni_note_misuse(sn_context *context) {
  atomic_store_explicit(&context->misused, true, memory_order_relaxed);
}

void sni_note_closed(sn_context *context) {
  sni_error(
      context, SN_ERR_STATE,
      "a callback of the host's has used the context whose call it is part of: it may use its "
      "arguments and other contexts alone");
}

// What messages and sn_locate need to know of a public function that another one did not call.
static inline void name_op(sn_context *context, const char *name) {
  sni_frame *frame = &context->frame;
  if (frame->depth > frame->base + 1) return;
  frame->op = name;
  if (frame->n_open) return;
  frame->provisional = false;
  sni_note_first_node(context);
}

sn_status sni_enter(sn_context *context, const char *name, sn_context **out_entered) {
  if (!context || context->destroyed) return SN_ERR_ARGUMENT;
  if (!sni_claim(context)) return SN_ERR_STATE;
  *out_entered = context;
  if (name) name_op(context, name);
  return SN_OK;
}

sn_tensor *sni_refused(sn_context *context, sn_status status) {
  return status == SN_ERR_STATE ? &context->error_tensor : NULL;
}

// ---- operands
// Among siblings: the operands' context if this thread works with it, else the one that it works
// with.
static sn_context *resolve_context(sn_tensor *const *operands, int n) {
  sn_context *found = NULL, *variable = NULL;
  bool ambiguous = false;
  for (int i = 0; i < n; i++) {
    const sn_tensor *t = operands[i];
    if (!t) continue;
    if (t->kind == SNI_TENSOR_VARIABLE || t->context->destroyed) {
      variable = t->context;
    } else if (!found) {
      found = t->context;
    } else {
      ambiguous |= t->context != found;
    }
  }
  if (found && !ambiguous && sni_is_mine(found)) return found;
  sn_context *preferred = found ? found : variable;
  return preferred ? sni_context_of_thread(preferred->family, preferred) : NULL;
}

sn_context *sni_operands_context(sn_tensor *const *operands, int n) {
  int first = 0;
  while (first < n && !operands[first]) first++;
  if (first == n) return NULL;
  sn_context *common = operands[first]->context;
  for (int i = first + 1; i < n; i++) {
    if (!operands[i] || operands[i]->context == common) continue;
    // Of contexts that share nothing the first operand's reports the mistake.
    if (operands[i]->family != common->family) n = first + 1;
    return resolve_context(operands, n);
  }
  if (atomic_load_explicit(&common->family->n_contexts, memory_order_relaxed) == 1 &&
      !atomic_load_explicit(&common->destroyed, memory_order_relaxed))
    return common;
  return resolve_context(operands, n);
}

bool sni_operand_ok(sn_context *context, const char *op_name, int position, const sn_tensor *t) {
  if (!t) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: operand #%d is NULL", op_name, position);
    return false;
  }
  if (t->kind == SNI_TENSOR_ENDED) {
    sni_error(context, SN_ERR_STATE,
              t->is_released ? "%s: operand #%d has been released: nobody holds it any more"
                             : "%s: the scope of operand #%d has ended: sn_escape moves a result "
                               "to the scope around",
              op_name, position);
    return false;
  }
  if (t->kind == SNI_TENSOR_ERROR) {
    if (!context->diag.status)
      sni_error(context, SN_ERR_ARGUMENT,
                "%s: operand #%d is the error tensor: the op that should have made it failed",
                op_name, position);
    return false;
  }
  if (t->kind == SNI_TENSOR_OBJECT) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: operand #%d is the owner of a %s, no tensor", op_name,
              position, t->object->type->name);
    return false;
  }
  if (t->family != context->family) {
    sni_error(context, SN_ERR_ARGUMENT,
              "%s: operand #%d belongs to another context, which is not a sibling of this one",
              op_name, position);
    return false;
  }
  if (t->kind == SNI_TENSOR_TRACED && !sni_trace_reaches(context->trace, t)) {
    const bool has_ended = (const void *)t->trace == (const void *)t;
    sni_error(context, SN_ERR_STATE,
              has_ended ? "%s: operand #%d is a traced tensor, and its trace has ended: make it an "
                          "output of the function or body to use its value"
                        : "%s: operand #%d is a traced tensor of another context's trace",
              op_name, position);
    return false;
  }
  return true;
}

// Nearly every call: usable operands of the one context of their family.
static inline sn_context *plain_context(sn_tensor *const *operands, int n) {
  if (n < 1 || !operands[0]) return NULL;
  sn_context *context = operands[0]->context;
  for (int i = 0; i < n; i++) {
    const sn_tensor *t = operands[i];
    if (!t || t->context != context ||
        (t->kind != SNI_TENSOR_EAGER && t->kind != SNI_TENSOR_VARIABLE))
      return NULL;
  }
  bool alone = atomic_load_explicit(&context->family->n_contexts, memory_order_relaxed) == 1;
  return alone && !atomic_load_explicit(&context->destroyed, memory_order_relaxed) ? context : NULL;
}

static bool check_operands(sn_context *context, const char *name, sn_tensor *const *operands,
                           int n) {
  for (int i = 0; i < n; i++) {
    const sn_tensor *t = operands[i];
    if (sni_plainly_ok(context, t)) continue;
    // An error that came in with an operand is not this call's: its line is not this one.
    if (t && t->kind == SNI_TENSOR_ERROR) sni_error_is_older(context);
    if (!sni_operand_ok(context, name, i, t)) return false;
  }
  return true;
}

sn_context *sni_begin(const char *name, sn_tensor *const *operands, int n, sn_tensor **out_failed) {
  sn_context *context = plain_context(operands, n);
  const bool plain = context != NULL;
  if (!plain) context = sni_operands_context(operands, n);
  *out_failed = NULL;
  if (!context) return NULL;
  *out_failed = &context->error_tensor;
  if (!sni_claim(context)) return NULL;
  name_op(context, name);
  if (plain || check_operands(context, name, operands, n)) return context;
  sni_leave(&context);
  return NULL;
}
