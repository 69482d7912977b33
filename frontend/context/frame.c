// Frames of the user's own composed functions, and call sites: sn_locate names the caller's line
// after the fact.
//
// An error in a frame is named by the frames that are open, the outermost first, and has the
// outermost one's line; so have the nodes that were made in it. When that frame has ended, the
// sn_locate of its caller may replace the line by the caller's own.
//
// Invariant: what a frame needs is copied into its context, so that a handle that is never ended
// leaves nothing behind that points to its stack.
#include "frontend/context/internal.h"

#include <stdio.h>
#include <string.h>

// ---- lines
void sni_locate_error(sn_context *context, const char *file, int line) {
  if (!file || !sni_is_mine(context) || context->error_line != SNI_LINE_WANTED) return;
  context->error_line = SNI_LINE_FINAL;
  size_t length = strlen(context->message);
  context->error_length = (uint32_t)length;
  snprintf(context->message + length, sizeof(context->message) - length, " (%s:%d)", file, line);
  if (context->diag.status) {
    context->diag.file = file;
    context->diag.line = line;
  }
}

// The line of a frame's caller takes the place of the frame's own.
static void locate_error_of_frame(sn_context *context, const char *file, int line) {
  if (!file) return;
  context->message[context->error_length] = 0;
  context->error_line = SNI_LINE_WANTED;
  sni_locate_error(context, file, line);
}

// Labels the nodes, of the trace or of what tapes record, that have no line, or only that of a frame
// that ended just now; and what of a trace's dims was asked since.
static void locate_nodes(sn_context *context, const char *op, sni_location location) {
  const sni_open_frame *ended =
      context->frame.provisional ? &context->frames[context->frame.floor] : NULL;
  sni_graph *graph = sni_graph_at_work(context);
  for (uint32_t i = context->frame.first_node; graph && i < graph->n_nodes; i++) {
    sni_location *at = &graph->nodes[i].location;
    if (at->file && !(ended && at->file == ended->file && at->line == ended->line)) continue;
    at->file = location.file;
    at->line = location.line;
    if (!at->op) at->op = op;
  }
  if (context->trace)
    sni_dim_label_guards(graph->dims, context->frame.first_guard, op, location.file, location.line);
}

static void locate_tensor(sn_context *context, sn_tensor *t, sni_location location) {
  bool traced = t->kind == SNI_TENSOR_TRACED && t->trace == context->trace;
  if (traced && context->frame.provisional) {
    if (t->node < context->frame.first_node) return;  // the frame passed on what it was given
  } else if (t != __atomic_load_n(&context->frame.latest, __ATOMIC_RELAXED)) {
    return;
  }
  const char *op = context->frame.op;
  t->location = location;
  context->frame.op = NULL;
  if (!traced && !context->record && !(context->trace && t->kind == SNI_TENSOR_OBJECT)) return;
  locate_nodes(context, op, location);
  context->frame.provisional = false;
}

sn_tensor *sn_locate(sn_tensor *t, const char *file, int line) {
  if (!t || t->location.file) return t;
  sn_context *context = t->context;
  if (__atomic_load_n(&context->frame.n_open, __ATOMIC_RELAXED))
    return t;  // the line of the frame, or of its caller, is the one that counts
  if (t->kind != SNI_TENSOR_ERROR)
    locate_tensor(context, t, (sni_location){.file = file, .line = line});
  else if (!sni_is_mine(context))
    return t;  // refused: another thread is at work
  else if (context->frame.provisional && context->error_line == SNI_LINE_FRAME)
    locate_error_of_frame(context, file, line);
  else
    sni_locate_error(context, file, line);
  return t;
}

// ---- frames
sn_frame sn_frame_begin(sn_context *context, const char *name, const char *file, int line) {
  const sn_frame none = {NULL, 0, 0};
  SNI_ENTER(context, NULL, none);
  sni_frame *frame = &context->frame;
  const uint32_t depth = frame->floor + frame->n_open;
  if (depth == SNI_MOST_FRAMES) return none;
  if (!frame->n_open) {
    frame->provisional = false;
    sni_note_first_node(context);
  }
  const uint32_t generation = context->generation += 2;
  context->frames[depth] = (sni_open_frame){name ? name : "frame", file, line, generation};
  frame->n_open++;
  return (sn_frame){context->anchor, depth, generation};
}

void sn_frame_end(sn_frame handle) {
  sn_context *context = sni_anchor_reach(handle.anchor);
  if (!context) return;
  SNI_ENTERED entered = sni_claim(context) ? context : NULL;
  if (!entered) {
    atomic_fetch_add_explicit(&handle.anchor->lost, 1, memory_order_relaxed);
    return;
  }
  sni_frame *frame = &context->frame;
  if (handle.depth < frame->floor || handle.depth >= frame->floor + frame->n_open ||
      context->frames[handle.depth].generation != handle.generation)
    return;  // one around it has ended it already, or it is open around the callback that runs
  frame->n_open = handle.depth - frame->floor;
  frame->op = NULL;
  if (frame->n_open) return;
  const sni_open_frame *ended = &context->frames[handle.depth];
  locate_nodes(context, ended->name, (sni_location){.file = ended->file, .line = ended->line});
  frame->provisional = true;
}
