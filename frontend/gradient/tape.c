// Tapes: the public side of the record, and gradients of what it holds.
//
// Gradient: the nodes of y and xs -> sni_differentiate through the nodes whose ops the tape
// recorded -> evaluate what was appended -> tensors that know their node. Other tapes that are
// recording get the appended nodes too, so nested tapes give higher derivatives; so does a
// persistent tape itself, but a one-shot tape records nothing of its own gradient. With respect to
// a variable means: its value that was read last.
#include "frontend/gradient/gradients.h"
#include "frontend/gradient/record.h"

#include <string.h>

// ---- open, close, watch
sn_tape *sn_tape_begin_opts(sn_context *context, const sn_tape_options *options) {
  if (!sni_begin_in(context, "sn_tape_begin")) return NULL;
  sn_tape_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  sn_tape *tape = NULL;
  if (context->trace) {
    sni_error(context, SN_ERR_STATE,
              "sn_tape_begin: not possible in a trace, where sn_gradients needs no tape");
    return NULL;
  }
  sn_status status = sni_record_open(context, o.persistent, !o.no_variables, false, &tape);
  if (!status) return tape;
  sni_error_from(context, status, NULL);
  return NULL;
}

void sn_tape_end(sn_tape *tape) {
  if (tape) sni_record_close(tape);
}

void(sn_tape_watch)(sn_tape *tape, sn_tensor *t) {
  if (!tape || !sni_begin_in(tape->context, "sn_tape_watch")) return;
  sn_context *context = tape->context;
  sni_record *record = tape->record;
  if (!sni_operand_ok(context, "sn_tape_watch", 0, t)) return;
  if (t->kind == SNI_TENSOR_TRACED) {
    sni_error(context, SN_ERR_STATE, "sn_tape_watch: a traced tensor cannot be watched");
    return;
  }
  if (t->kind == SNI_TENSOR_EAGER && t->context != context) {
    sni_error(
        context, SN_ERR_ARGUMENT,
        "sn_tape_watch: the tensor is a sibling's; watch one of the tape's own context, such as "
        "its sn_identity there");
    return;
  }
  sni_node_id node;
  sn_status status = sni_record_node(record, t, &node);
  if (status) {
    sni_error_from(context, status, &record->diag);
    sni_diag_clear(&record->diag);
    return;
  }
  record->watched[node] |= tape->bit;
  if (t->kind == SNI_TENSOR_VARIABLE) sni_record_watch_variable(record, t, tape->bit);
}

void sn_tape_watch_at(sn_tape *tape, sn_tensor *t, const char *file, int line) {
  (sn_tape_watch)(tape, t);
  if (tape && tape->context->diag.status) sni_locate_error(tape->context, file, line);
}

void sn_tape_stop_recording(sn_tape *tape) {
  if (tape) tape->record->recording &= ~tape->bit;
}

void sn_tape_resume_recording(sn_tape *tape) {
  if (tape) tape->record->recording |= tape->bit;
}

// ---- gradients
typedef struct sweep {
  sn_tape *tape;
  sni_record *record;
  sni_node_id y;
  sni_node_id *xs, *gradients;  // SNI_NO_NODE: not watched; unconnected
  int n;
} sweep;

static sni_node_id watched_node(const sweep *s, const sn_tensor *t) {
  sni_node_id node = sni_record_find(s->record, t);
  return node != SNI_NO_NODE && s->record->watched[node] & s->tape->bit ? node : SNI_NO_NODE;
}

// The appended nodes count for the tapes that record now and that some operand counts for.
static void spread_masks(const sweep *s, uint32_t first_new) {
  sni_record *record = s->record;
  uint64_t recording = record->recording & (s->tape->persistent ? ~(uint64_t)0 : ~s->tape->bit);
  for (uint32_t i = first_new; i < record->graph->n_nodes; i++) {
    const sni_node *node = &record->graph->nodes[i];
    uint64_t watched = 0;
    for (int k = 0; k < node->n_operands; k++) watched |= record->watched[node->operands[k]];
    record->watched[i] = record->flows[i] = watched & recording;
  }
}

static sn_status differentiate(sweep *s, sn_tensor *seed) {
  sni_record *record = s->record;
  sni_differentiate_request request = {.y = s->y,
                                       .seed = SNI_NO_NODE,
                                       .xs = s->xs,
                                       .n_xs = s->n,
                                       .masks = record->flows,
                                       .mask = s->tape->bit};
  for (int i = 0; i < s->n; i++) s->gradients[i] = SNI_NO_NODE;
  if (s->y == SNI_NO_NODE) return SN_OK;
  if (seed) {
    SNI_TRY(sni_record_node(record, seed, &request.seed));
    request.masks = record->flows;
  }
  uint32_t first_new = record->graph->n_nodes;
  sn_status status = sni_differentiate(record->graph, &request, s->gradients);
  if (status) {
    record->graph->n_nodes = first_new;
    return status;
  }
  SNI_TRY(sni_record_extend(record, first_new));
  spread_masks(s, first_new);
  return sni_record_evaluate(record, s->gradients, s->n, first_new);
}

static void explain(const sweep *s, int i, char *buffer, size_t capacity) {
  if (s->y == SNI_NO_NODE)
    snprintf(buffer, capacity, "y was not computed from watched tensors while the tape recorded");
  else if (s->xs[i] == SNI_NO_NODE)
    snprintf(buffer, capacity, "the tape does not watch it");
  else
    sni_explain_unconnected(s->record->graph, s->y, s->xs[i], buffer, capacity);
}

static sn_tensor *zeros(sn_context *context, const sni_type *type) {
  sn_tensor *t = sni_tensor_new(context, type);
  if (t) memset(t->data, 0, sni_type_bytes(type));
  return t;
}

static bool make_outputs(sn_context *context, const sweep *s, sn_tensor *const *xs, sn_tensor **out,
                         sn_unconnected unconnected) {
  for (int i = 0; i < s->n; i++) {
    sni_node_id node = s->gradients[i];
    if (node == SNI_NO_NODE) {
      char why[512];
      if (unconnected == SN_UNCONNECTED_ERROR) {
        explain(s, i, why, sizeof(why));
        sni_fail_unconnected(context, xs[i], i, why);
        return false;
      }
      out[i] = unconnected == SN_ZEROS ? zeros(context, &xs[i]->type) : NULL;
      if (unconnected == SN_ZEROS && !out[i]) return false;
      continue;
    }
    const sni_value *value = &s->record->values[node];
    out[i] =
        sni_tensor_from_buffer(context, &value->type, sni_buffer_keep(value->buffer), value->data);
    if (!out[i]) return false;
    out[i]->record_id = s->record->id;
    out[i]->record_node = node;
  }
  return true;
}

static bool run_sweep(sweep *s, sn_tensor *y, sn_tensor *const *xs, sn_tensor **out,
                      const sn_gradients_options *options) {
  sn_context *context = s->tape->context;
  if (!sni_is_float(y->type.dtype)) {
    char text[SNI_TENSOR_NAME];
    sni_error(context, SN_ERR_GRADIENT, "%s: y is %s: only floats have gradients", context->op_name,
              sni_describe(y, text));
    return false;
  }
  s->y = watched_node(s, y);
  for (int i = 0; i < s->n; i++) s->xs[i] = watched_node(s, xs[i]);
  sn_status status = differentiate(s, options->seed);
  if (status) {
    sni_error_from(context, status, &s->record->diag);
    sni_diag_clear(&s->record->diag);
    return false;
  }
  return make_outputs(context, s, xs, out, options->unconnected);
}

void sni_tape_gradients(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                        const sn_gradients_options *options) {
  sn_context *context = tape->context;
  sni_allocator *allocator = &context->family->allocator;
  size_t bytes = 2 * (size_t)n * sizeof(sni_node_id);
  sweep s = {.tape = tape, .record = tape->record, .n = n};
  bool ok = false;
  if (tape->used && !tape->persistent) {
    sni_error(context, SN_ERR_STATE,
              "%s: the tape has been used already; .persistent = true makes one that can be used "
              "again",
              context->op_name);
  } else if (n && !(s.xs = sni_alloc(allocator, bytes))) {
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "gradients"), NULL);
  } else {
    s.gradients = s.xs + n;
    ok = run_sweep(&s, y, xs, out, options);
    sni_free(allocator, s.xs, bytes);
  }
  if (ok) tape->used = true;
  sni_gradients_end(context, n, out, ok);
}

void sni_record_gradients(sn_context *context, sn_tensor *y, sn_tensor *const *xs, int n,
                          sn_tensor **out, const sn_gradients_options *options) {
  sni_record *record = context->record;
  if (record) {
    sni_tape_gradients(record->tapes[record->n_tapes - 1], y, xs, n, out, options);
    return;
  }
  sni_error(context, SN_ERR_STATE,
            "%s: there is nothing to differentiate: it works in a function's trace, in "
            "sn_call_eager, and with an open tape",
            context->op_name);
  sni_gradients_end(context, n, out, false);
}

void sn_tape_gradient_opts(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                           sn_tensor **out, const sn_gradients_options *options) {
  sn_gradients_options o;
  sn_context *context = sni_gradients_begin("sn_tape_gradient", y, xs, n, out, options, &o);
  if (!context) return;
  const char *wrong = NULL;
  if (!tape)
    wrong = "tape is NULL";
  else if (context->trace)
    wrong = "not possible in a trace: use sn_gradients";
  else if (tape->context != context)
    wrong = "the tape belongs to another context";
  if (!wrong) {
    sni_tape_gradients(tape, y, xs, n, out, &o);
    return;
  }
  sni_error(context, context->trace ? SN_ERR_STATE : SN_ERR_ARGUMENT, "sn_tape_gradient: %s",
            wrong);
  sni_gradients_end(context, n, out, false);
}

void sni_record_drop(sn_context *context) {
  while (context->record) sni_record_close(context->record->tapes[0]);
}
