// Errors: the first one stays pending in its context until a boundary function returns it; its text
// stays as the message until the next error. And call sites: sn_locate names the caller's line
// after the fact.
//
// Invariant: while diag.status is set and error_noted, `message` is the text of that error: op,
// rule, types, and the line once it is known.
#include "frontend/context/internal.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

// ---- recording
// Length of "add" in "add: ..." when that is a graph op's name, else 0.
static size_t op_prefix(const char *text) {
  const char *colon = strchr(text, ':');
  if (!colon || colon[1] != ' ') return 0;
  return sni_op_by_name(text, (size_t)(colon - text)) == SNI_OP_COUNT ? 0 : (size_t)(colon - text);
}

void sni_note_error(sn_context *context) {
  sni_diag *diag = &context->diag;
  if (!diag->status || context->error_noted) return;
  context->error_noted = true;
  context->error_unlocated = true;
  const char *text = diag->text, *name = context->op_name;
  size_t prefix = op_prefix(text);
  if (!name || !strncmp(text, "sn_", 3))
    snprintf(context->message, sizeof(context->message), "%s", text);
  else
    snprintf(context->message, sizeof(context->message), "%s: %s", name,
             text + (prefix ? prefix + 2 : 0));
  if (diag->file) sni_locate_error(context, diag->file, diag->line);
}

sn_tensor *sni_error(sn_context *context, sn_status status, const char *format, ...) {
  if (!context->diag.status) {
    char text[sizeof(context->diag.text)];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof(text), format, arguments) < 0) text[0] = 0;
    va_end(arguments);
    sni_fail(&context->diag, status, "%s", text);
  }
  sni_note_error(context);
  return &context->error_tensor;
}

sn_tensor *sni_error_from(sn_context *context, sn_status status, const sni_diag *other) {
  if (!context->diag.status && other && other->status) context->diag = *other;
  sni_fail(&context->diag, status, "%s", sn_status_meaning(status));
  sni_note_error(context);
  return &context->error_tensor;
}

sn_status sn_fail(sn_context *context, sn_status status, const char *format, ...) {
  if (!context || !status) return status;
  if (context->diag.status) return status;
  char text[sizeof(context->message)];  // the arguments may be the old message
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  if (length < 0) text[0] = 0;
  memcpy(context->message, text, strlen(text) + 1);
  sni_fail(&context->diag, status, "%s", context->message);
  context->error_noted = true;
  context->error_unlocated = false;
  return status;
}

// ---- reporting
sn_status sni_finish(sn_context *context) {
  sn_status status = context->diag.status;
  if (status) {
    sni_note_error(context);
    sni_diag_clear(&context->diag);
    context->error_noted = false;
  }
  context->op_name = NULL;
  return status;
}

sn_status sn_check(sn_context *context) {
  if (!context || context->destroyed) return SN_ERR_ARGUMENT;
  sni_context_enter(context);
  return sni_finish(context);
}

const char *sn_error_message(const sn_context *context) {
  return context ? context->message : "";
}

sn_status sn_pending_error(const sn_context *context) {
  return context ? context->diag.status : SN_ERR_ARGUMENT;
}

// ---- call sites
void sni_locate_error(sn_context *context, const char *file, int line) {
  if (!context->error_unlocated || !file) return;
  context->error_unlocated = false;
  size_t length = strlen(context->message);
  snprintf(context->message + length, sizeof(context->message) - length, " (%s:%d)", file, line);
  if (context->diag.status) {
    context->diag.file = file;
    context->diag.line = line;
  }
}

static void locate_nodes(sn_context *context, sni_location location) {
  sni_graph *graph = sni_trace_graph(context->trace);
  for (uint32_t i = context->first_node; i < graph->n_nodes; i++)
    if (!graph->nodes[i].location.file) graph->nodes[i].location = location;
}

sn_tensor *sn_locate(sn_tensor *t, const char *file, int line) {
  if (!t || t->location.file) return t;
  sn_context *context = t->context;
  if (t->kind == SNI_TENSOR_ERROR) {
    sni_locate_error(context, file, line);
  } else if (t == __atomic_load_n(&context->latest, __ATOMIC_RELAXED)) {
    t->location = (sni_location){file, line};
    context->op_name = NULL;
    if (t->kind == SNI_TENSOR_TRACED && t->trace == context->trace)
      locate_nodes(context, t->location);
  }
  return t;
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
  if (found && !ambiguous &&
      atomic_load_explicit(&found->thread, memory_order_relaxed) == (uintptr_t)pthread_self())
    return found;
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
    sni_error(
        context, SN_ERR_STATE,
        "%s: the scope of operand #%d has ended: sn_escape moves a result to the scope around",
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
  if (t->family != context->family) {
    sni_error(context, SN_ERR_ARGUMENT,
              "%s: operand #%d belongs to another context, which is not a sibling of this one",
              op_name, position);
    return false;
  }
  if (t->kind == SNI_TENSOR_TRACED && t->trace != context->trace) {
    sni_error(context, SN_ERR_STATE,
              context->trace ? "%s: operand #%d is a traced tensor of another trace"
                             : "%s: operand #%d is a traced tensor, and its trace has ended: make "
                               "it an output of the function to use its value",
              op_name, position);
    return false;
  }
  return true;
}

static inline bool plainly_ok(const sn_context *context, const sn_tensor *t) {
  return t && t->family == context->family &&
         (t->kind == SNI_TENSOR_EAGER || t->kind == SNI_TENSOR_VARIABLE ||
          (t->kind == SNI_TENSOR_TRACED && t->trace == context->trace));
}

static void begin(sn_context *context, const char *name) {
  context->op_name = name;
  if (context->trace) context->first_node = sni_trace_graph(context->trace)->n_nodes;
}

sn_context *sni_begin(const char *name, sn_tensor *const *operands, int n, sn_tensor **out_failed) {
  sn_context *context = sni_operands_context(operands, n);
  *out_failed = NULL;
  if (!context) return NULL;
  *out_failed = &context->error_tensor;
  begin(context, name);
  for (int i = 0; i < n; i++) {
    const sn_tensor *t = operands[i];
    if (plainly_ok(context, t)) continue;
    // An error that came in with an operand is not this call's: its line is not this one.
    if (t && t->kind == SNI_TENSOR_ERROR) context->error_unlocated = false;
    if (!sni_operand_ok(context, name, i, t)) return NULL;
  }
  return context;
}

bool sni_begin_in(sn_context *context, const char *name) {
  if (!context || context->destroyed) return false;
  sni_context_enter(context);
  begin(context, name);
  return true;
}

// ---- text
const char *sni_describe_type(const sn_context *context, const sni_type *type, char *buffer) {
  sni_type_format(sni_context_dims(context), type, buffer, SNI_TENSOR_NAME);
  return buffer;
}

const char *sni_describe(const sn_tensor *t, char *buffer) {
  if (!t || t->kind == SNI_TENSOR_ERROR) {
    snprintf(buffer, SNI_TENSOR_NAME, "%s", t ? "error" : "NULL");
    return buffer;
  }
  return sni_describe_type(t->context, &t->type, buffer);
}

sni_dim_table *sni_context_dims(const sn_context *context) {
  return context->trace ? sni_trace_graph(context->trace)->dims : NULL;
}

bool sni_pin_dim(sn_context *context, sni_dim dim, int64_t *out_value) {
  sni_dim_table *dims = sni_context_dims(context);
  if (sni_dim_is_constant(dims, dim, out_value)) return true;
  if (!dims) return false;
  *out_value = sni_dim_hint(dims, dim);
  return *out_value >= 0 && sni_dim_unify(dims, dim, *out_value);
}
