// Errors: the first one stays pending in its context until a boundary function returns it; its text
// stays as the message until the next error.
//
// Invariant: while diag.status is set and error_noted, `message` is the text of that error: the
// frames of the user's that are open, op, rule, types, and the line once it is known.
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

enum {
  frames_room = 400,  // of the message, for the names of frames
  line_room = 200,    // that is left for " (file:line)"
};

// "encoder: dense: " of the open frames, the outermost first, but for a name that text begins with.
// buffer: frames_room and 8 more.
static size_t put_frames(const sn_context *context, const char *text, char *buffer) {
  const sni_open_frame *frames = &context->frames[context->frame.floor];
  size_t length = 0;
  buffer[0] = 0;
  for (uint32_t i = 0; i < context->frame.n_open; i++) {
    const size_t n = strlen(frames[i].name);
    const bool last = i + 1 == context->frame.n_open;
    if (last && !strncmp(text, frames[i].name, n) && text[n] == ':') break;
    if (length + n + 2 > frames_room) {
      length += (size_t)snprintf(buffer + length, 8, "...: ");
      break;
    }
    length += (size_t)snprintf(buffer + length, n + 3, "%s: ", frames[i].name);
  }
  return length;
}

// The message is `text` behind the names of the open frames and, unless NULL, that of the op.
static void put_message(sn_context *context, const char *op, const char *text) {
  const size_t length = put_frames(context, text, context->message);
  const size_t room = sizeof(context->message) - length - line_room;
  snprintf(context->message + length, room, "%s%s%s", op ? op : "", op ? ": " : "", text);
  context->error_noted = true;
  context->error_line = SNI_LINE_WANTED;
}

const char *sni_name_op(const sn_context *context, const char *op, sni_arena *arena) {
  char text[frames_room + 80];
  const size_t length = put_frames(context, op, text);
  snprintf(text + length, sizeof(text) - length, "%s", op);
  return sni_arena_strdup(arena, text);
}

// Without a frame the caller's sn_locate gives the line.
static void put_line_of_frame(sn_context *context) {
  if (!context->frame.n_open) return;
  const sni_open_frame *outermost = &context->frames[context->frame.floor];
  sni_locate_error(context, outermost->file, outermost->line);
  context->error_line = SNI_LINE_FRAME;
}

void sni_note_error(sn_context *context) {
  sni_diag *diag = &context->diag;
  if (!diag->status || context->error_noted) return;
  const char *text = diag->text, *op = context->frame.op;
  size_t prefix = op_prefix(text);
  bool named = !op || !strncmp(text, "sn_", 3);
  put_message(context, named ? NULL : op, named || !prefix ? text : text + prefix + 2);
  if (diag->file)
    sni_locate_error(context, diag->file, diag->line);
  else
    put_line_of_frame(context);
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

static sn_status fail(sn_context *context, sn_status status, const char *file, int line,
                      const char *format, va_list arguments) SNI_PRINTF(5, 0);
static sn_status fail(sn_context *context, sn_status status, const char *file, int line,
                      const char *format, va_list arguments) {
  if (!context || !status) return status;
  SNI_ENTER(context, NULL, status);
  if (context->diag.status) return status;
  char text[sizeof(context->message)];  // the arguments may be the old message
  if (vsnprintf(text, sizeof(text), format, arguments) < 0) text[0] = 0;
  put_message(context, NULL, text);
  sni_fail(&context->diag, status, "%.1199s", context->message);
  put_line_of_frame(context);
  sni_locate_error(context, file, line);
  if (context->error_line == SNI_LINE_WANTED) context->error_line = SNI_LINE_FINAL;
  return status;
}

sn_status(sn_fail)(sn_context *context, sn_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(context, status, NULL, 0, format, arguments);
  va_end(arguments);
  return status;
}

sn_status sn_fail_at(sn_context *context, sn_status status, const char *file, int line,
                     const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(context, status, file, line, format, arguments);
  va_end(arguments);
  return status;
}

// ---- reporting
static void note_misuse(sn_context *context) {
  atomic_store_explicit(&context->misused, false, memory_order_relaxed);
  context->frame.op = NULL;
  sni_error(context, SN_ERR_STATE,
            "two threads have used one context at a time: it is for one thread at a time, and a "
            "sibling (.share) for each of the others");
}

sn_status sni_finish(sn_context *context) {
  if (atomic_load_explicit(&context->misused, memory_order_relaxed)) note_misuse(context);
  sn_status status = context->diag.status;
  if (status) {
    sni_note_error(context);
    sni_diag_clear(&context->diag);
    context->error_noted = false;
  }
  context->frame.op = NULL;
  return status;
}

sn_status sn_check(sn_context *context) {
  SNI_ENTER(context, NULL, context_refused);
  return sni_finish(context);
}

const char *sn_error_message(const sn_context *context) {
  return context ? context->message : "";
}

sn_status sn_pending_error(const sn_context *context) {
  return context ? context->diag.status : SN_ERR_ARGUMENT;
}

// ---- text
const char *sni_describe_type(const sn_context *context, const sni_type *type, char *buffer) {
  sni_type_format(sni_context_dims(context), type, buffer, SNI_TENSOR_NAME);
  return buffer;
}

const char *sni_describe(const sn_tensor *t, char *buffer) {
  if (!t || t->kind == SNI_TENSOR_ERROR || t->kind == SNI_TENSOR_ENDED) {
    snprintf(buffer, SNI_TENSOR_NAME, "%s",
             !t                            ? "NULL"
             : t->kind == SNI_TENSOR_ERROR ? "error"
                                           : "ended");
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
