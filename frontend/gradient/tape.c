// Tapes: the public side of the record, and gradients of what it holds.
//
// Gradient: the nodes of y and xs -> sni_differentiate through the nodes whose ops the tape
// recorded -> evaluate what was appended -> tensors that know their node. Other tapes that are
// recording get the appended nodes too, so nested tapes give higher derivatives; so does a
// persistent tape itself, but a one-shot tape records nothing of its own gradient. With respect to
// a variable means: the sum over its values that were read.
#include "frontend/gradient/boundary.h"
#include "frontend/gradient/gradients.h"
#include "frontend/gradient/record.h"
#include "graph/control.h"
#include "graph/late.h"

#include <string.h>

enum { most_ended = 16 };  // structs of ended tapes that are kept, to be told from open ones

// ---- open, close
sn_tape *sn_tape_begin_opts(sn_context *context, const sn_tape_options *options) {
  SNI_ENTER(context, "sn_tape_begin", NULL);
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

sn_tape *sn_tape_begin_at(sn_context *context, const sn_tape_options *options, const char *file,
                          int line) {
  sn_tape *tape = sn_tape_begin_opts(context, options);
  if (!tape && context) sni_locate_error(context, file, line);
  return tape;
}

static void free_tape(sn_tape *tape) {
  sni_free(&tape->context->family->allocator, tape, sizeof(*tape));
}

void sni_tape_close(sn_tape *tape) {
  sni_record_close(tape);
  free_tape(tape);
}

// The oldest of the ended tapes goes when there are too many.
static void bury(sn_tape *tape) {
  sn_context *context = tape->context;
  sn_tape **at = &context->ended_tapes;
  int n = 0;
  tape->next = *at;
  *at = tape;
  for (; *at && n < most_ended; n++) at = &(*at)->next;
  if (!*at) return;
  free_tape(*at);
  *at = NULL;
}

void sn_tape_end(sn_tape *tape) {
  if (!tape) return;
  sn_context *context = tape->context;
  if (!context) {
    sni_free_orphan(&tape->host, tape, sizeof(*tape));
    return;
  }
  SNI_ENTERED entered = sni_claim(context) ? context : NULL;
  if (!entered || !tape->record) return;
  sni_record_close(tape);
  bury(tape);
}

void sni_record_drop(sn_context *context) {
  while (context->record) {
    sn_tape *tape = context->record->tapes[0];
    sni_record_close(tape);
    tape->context = NULL;
    tape->host = sni_make_orphan(context, sizeof(*tape));
  }
  while (context->ended_tapes) {
    sn_tape *tape = context->ended_tapes;
    context->ended_tapes = tape->next;
    free_tape(tape);
  }
}

// ---- watch
// False: the tape is over, and an error pending in its context.
static bool is_open(const sn_tape *tape, const char *name) {
  if (!tape->record) sni_error(tape->context, SN_ERR_STATE, "%s: the tape has ended", name);
  return tape->record != NULL;
}

void(sn_tape_watch)(sn_tape *tape, sn_tensor *t) {
  if (!tape) return;
  sn_context *context = tape->context;
  SNI_ENTER(context, "sn_tape_watch", );
  sni_record *record = tape->record;
  if (!is_open(tape, "sn_tape_watch") || !sni_operand_ok(context, "sn_tape_watch", 0, t)) return;
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
  if (tape && tape->context && tape->context->diag.status)
    sni_locate_error(tape->context, file, line);
}

static void set_recording(const char *name, sn_tape *tape, bool recording, const char *file,
                          int line) {
  if (!tape) return;
  sn_context *context = tape->context;
  SNI_ENTER(context, name, );
  const bool is_first = !context->diag.status;
  if (!is_open(tape, name)) {
    if (is_first) sni_locate_error(context, file, line);
    return;
  }
  if (recording)
    tape->record->recording |= tape->bit;
  else
    tape->record->recording &= ~tape->bit;
}

void sn_tape_stop_recording_at(sn_tape *tape, const char *file, int line) {
  set_recording("sn_tape_stop_recording", tape, false, file, line);
}

void sn_tape_resume_recording_at(sn_tape *tape, const char *file, int line) {
  set_recording("sn_tape_resume_recording", tape, true, file, line);
}

void(sn_tape_stop_recording)(sn_tape *tape) {
  sn_tape_stop_recording_at(tape, NULL, 0);
}

void(sn_tape_resume_recording)(sn_tape *tape) {
  sn_tape_resume_recording_at(tape, NULL, 0);
}

// ---- gradients
typedef struct sweep {
  sn_tape *tape;
  sni_record *record;
  const sni_gradient_call *call;
  sni_node_id *ys, *seeds;   // of the call's ys; SNI_NO_NODE: not watched
  sni_node_id first;         // node that y is looked for behind (boundary.h)
  sni_node_id y;             // the first one that is watched; SNI_NO_NODE: none is
  sni_gradient_terms terms;  // nodes, gradients: SNI_NO_NODE: not watched; unconnected
} sweep;

static sni_node_id watched_node(const sweep *s, const sn_tensor *t) {
  sni_node_id node = sni_record_find(s->record, t);
  return node != SNI_NO_NODE && s->record->watched[node] & s->tape->bit ? node : SNI_NO_NODE;
}

// The values of a variable that the tape has seen read; of any other tensor, and where there is
// none, one node. nodes NULL: only how many.
static int watched_nodes(const sweep *s, const sn_tensor *t, sni_node_id *nodes) {
  const sni_record *record = s->record;
  int n = 0;
  for (uint32_t i = 0; t->kind == SNI_TENSOR_VARIABLE && i < record->n_leaves; i++) {
    const sni_variable_leaf *leaf = &record->leaves[i];
    if (leaf->variable != t || !(record->watched[leaf->node] & s->tape->bit)) continue;
    if (nodes) nodes[n] = leaf->node;
    n++;
  }
  if (n) return n;
  if (nodes) *nodes = watched_node(s, t);
  return 1;
}

static sn_status find_xs(sweep *s) {
  sni_gradient_terms *terms = &s->terms;
  sn_tensor *const *xs = s->call->xs;
  for (int i = 0; i < terms->n_xs; i++) terms->counts[i] = watched_nodes(s, xs[i], NULL);
  SNI_TRY(sni_terms_reserve(terms, sni_record_allocator(s->record), &s->record->diag));
  sni_node_id *next = terms->nodes;
  for (int i = 0; i < terms->n_xs; i++) next += watched_nodes(s, xs[i], next);
  return SN_OK;
}

// What the appended nodes ask of an op that has been done: more than it gave then, so that it would be done again.
static const sni_node *effect_done_again(const sni_graph *graph, sni_node_id first) {
  const sni_node *found = NULL;
  for (sni_node_id id = first; id < graph->n_nodes && !found; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    if (sni_is_result(node) && node->operands[0] < first)
      found = sni_effect_of(sni_graph_node(graph, node->operands[0]));
  }
  return found;
}

static sn_status check_appended(const sweep *s, sni_node_id first) {
  const sni_node *effect = effect_done_again(s->record->graph, first);
  if (!effect) return SN_OK;
  return sni_fail(&s->record->diag, SN_ERR_GRADIENT,
                  "%s: %s has effects, so that it is called once, and in eager mode what it gave "
                  "in sn_checkpoint is not kept: use sn_call",
                  s->tape->context->frame.op, sni_node_op_name(effect));
}

// Tapes that the appended nodes may count for: those that record now.
static uint64_t recording_tapes(const sweep *s) {
  return s->record->recording & (s->tape->persistent ? ~(uint64_t)0 : ~s->tape->bit);
}

// Adds the seeds to the record, and says what of the ys the tape has watched.
static sn_status find_ys(sweep *s, sni_differentiate_request *request, bool *out_any) {
  for (int k = 0; k < s->call->n_ys; k++) {
    sn_tensor *seed = sni_seed_of(s->call, k);
    s->ys[k] = watched_node(s, s->call->ys[k]);
    s->seeds[k] = SNI_NO_NODE;
    if (seed && s->ys[k] != SNI_NO_NODE) SNI_TRY(sni_record_node(s->record, seed, &s->seeds[k]));
  }
  const uint32_t old = s->record->graph->n_nodes;
  SNI_TRY(sni_request_ys(s->record->graph, s->ys, s->seeds, s->call->n_ys, request, out_any));
  return sni_record_extend(s->record, old);
}

static sn_status differentiate(sweep *s) {
  sni_record *record = s->record;
  sni_gradient_terms *terms = &s->terms;
  sni_differentiate_request request = {
      .xs = terms->nodes, .n_xs = terms->n, .first = s->first, .mask = s->tape->bit};
  bool any;
  for (int i = 0; i < terms->n; i++) terms->gradients[i] = SNI_NO_NODE;
  SNI_TRY(find_ys(s, &request, &any));
  for (int k = 0; s->first && k < s->call->n_ys; k++)
    if (s->ys[k] != SNI_NO_NODE) SNI_TRY(sni_check_boundary(s->tape->context, s->ys[k], terms));
  s->y = any ? request.y : SNI_NO_NODE;
  if (!any) return SN_OK;
  request.masks = record->flows;
  uint32_t first_new = record->graph->n_nodes;
  sn_status status = sni_derivative_append(s->call, record->graph, &request, terms);
  if (!status) status = check_appended(s, first_new);
  if (!status)
    status = sni_wrap_late_nodes(record->graph, first_new, terms->gradients, terms->n_xs);
  if (status) {
    record->graph->n_nodes = first_new;
    return status;
  }
  SNI_TRY(sni_record_extend(record, first_new));
  sni_record_spread(record, first_new, recording_tapes(s));
  return sni_record_evaluate(record, terms->gradients, terms->n_xs, first_new);
}

static void explain(const sweep *s, const sn_tensor *x, char *buffer, size_t capacity) {
  const sni_node_id node = watched_node(s, x);
  const bool watches_all = s->record->watch_all & s->tape->bit;  // as a trace does
  if (watches_all && (s->y == SNI_NO_NODE || node == SNI_NO_NODE))
    snprintf(buffer, capacity, "y does not depend on it");
  else if (s->y == SNI_NO_NODE)
    snprintf(buffer, capacity, "y was not computed from watched tensors while the tape recorded");
  else if (node == SNI_NO_NODE)
    snprintf(buffer, capacity, "the tape does not watch it");
  else
    sni_explain_unconnected(s->record->graph, s->y, node, buffer, capacity);
}

static sn_tensor *zeros(sn_context *context, const sni_type *type) {
  sn_tensor *t = sni_tensor_new(context, type);
  if (t) memset(t->data, 0, sni_type_bytes(type));
  return t;
}

static bool make_outputs(sn_context *context, const sweep *s) {
  sn_tensor *const *xs = s->call->xs, **out = s->call->out;
  const sn_unconnected unconnected = s->call->unconnected;
  for (int i = 0; i < s->terms.n_xs; i++) {
    sni_node_id node = s->terms.gradients[i];
    if (node == SNI_NO_NODE) {
      char why[512];
      if (unconnected == SN_UNCONNECTED_ERROR) {
        explain(s, xs[i], why, sizeof(why));
        sni_fail_unconnected(context, s->call, xs[i], i, why);
        return false;
      }
      const sni_type type = sni_derivative_type(s->call, &s->call->ys[0]->type, &xs[i]->type);
      out[i] = unconnected == SN_ZEROS ? zeros(context, &type) : NULL;
      if (unconnected == SN_ZEROS && !out[i]) return false;
      continue;
    }
    out[i] = sni_record_tensor(s->record, node);
    if (!out[i]) return false;
  }
  return true;
}

static sn_status make_room(sweep *s, sni_allocator *allocator) {
  const size_t bytes = 2 * (size_t)s->call->n_ys * sizeof(*s->ys);
  s->ys = sni_alloc(allocator, bytes);
  if (!s->ys) return sni_fail_memory(&s->tape->context->diag, bytes, "gradients");
  s->seeds = s->ys + s->call->n_ys;
  return sni_terms_init(&s->terms, allocator, s->call->n, &s->tape->context->diag);
}

static void free_room(sweep *s, sni_allocator *allocator) {
  sni_terms_deinit(&s->terms, allocator);
  sni_free(allocator, s->ys, 2 * (size_t)s->call->n_ys * sizeof(*s->ys));
}

static bool run_sweep(sweep *s) {
  sn_context *context = s->tape->context;
  if (!sni_gradients_fit(context, s->call)) return false;
  sn_status status = find_xs(s);
  if (!status) status = differentiate(s);
  if (status) {
    sni_error_from(context, status, &s->record->diag);
    sni_diag_clear(&s->record->diag);
    return false;
  }
  return make_outputs(context, s);
}

// first: nodes before it are leaves.
static void tape_gradients(sn_tape *tape, const sni_gradient_call *call, sni_node_id first) {
  sn_context *context = tape->context;
  sni_allocator *allocator = &context->family->allocator;
  sweep s = {.tape = tape, .record = tape->record, .call = call, .first = first, .y = SNI_NO_NODE};
  bool ok = false;
  if (tape->used && !tape->persistent) {
    sni_error(context, SN_ERR_STATE,
              "%s: the tape has been used already; .persistent = true makes one that can be used "
              "again",
              context->frame.op);
  } else if (make_room(&s, allocator)) {
    sni_error_from(context, SN_ERR_MEMORY, NULL);
    free_room(&s, allocator);
  } else {
    ok = run_sweep(&s);
    free_room(&s, allocator);
  }
  if (ok) tape->used = true;
  sni_gradients_end(context, call, ok);
}

void sni_record_gradients(sn_context *context, const sni_gradient_call *call) {
  sni_record *record = context->record;
  if (record) {
    tape_gradients(record->tapes[record->n_tapes - 1], call, sni_boundary_first(context));
    return;
  }
  sni_error(context, SN_ERR_STATE,
            "%s: there is nothing to differentiate: it works in a function's trace, in "
            "sn_call_eager, and with an open tape",
            context->frame.op);
  sni_gradients_end(context, call, false);
}

// What keeps the tape from being asked; NULL: nothing.
static const char *refusal(const sn_context *context, const sn_tape *tape, sn_status *out_status) {
  *out_status = SN_ERR_ARGUMENT;
  if (!tape) return "tape is NULL";
  if (tape->context != context && tape->record) return "the tape belongs to another context";
  *out_status = SN_ERR_STATE;
  if (context->trace) return "not possible in a trace: use sn_gradients";
  return tape->record ? NULL : "the tape has ended";
}

void sni_derivative_of_tape(sn_context *context, sn_tape *tape, const sni_gradient_call *call) {
  sn_status status;
  const char *wrong = refusal(context, tape, &status);
  if (!wrong) {
    tape_gradients(tape, call, 0);  // all that it has recorded
    return;
  }
  if (call->kind && tape && context->trace)
    wrong = "not possible in a trace: use the function without a tape";
  sni_error(context, status, "%s: %s", context->frame.op, wrong);
  sni_gradients_end(context, call, false);
}

void sni_gradients_of_tape(const char *name, sn_tape *tape, sni_gradient_call *call,
                           const sn_gradients_options *options) {
  SNI_ENTERED entered = NULL;
  sn_context *context = sni_gradients_begin(name, call, options, &entered);
  if (context) sni_derivative_of_tape(context, tape, call);
}

void sn_tape_gradient_opts(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                           sn_tensor **out, const sn_gradients_options *options) {
  sni_gradient_call call = {.ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  sni_gradients_of_tape("sn_tape_gradient", tape, &call, options);
}

void sn_tape_gradient_of_at(sn_tape *tape, sn_tensor *const *ys, int n_ys, sn_tensor *const *xs,
                            int n, sn_tensor **out, const sn_gradients_options *options,
                            const char *file, int line) {
  sni_gradient_call call = {.ys = ys, .n_ys = n_ys, .xs = xs, .n = n, .out = out};
  sni_gradients_of_tape("sn_tape_gradient_of", tape, &call, options);
  sni_locate_derivative(&call, file, line);
}

void sn_tape_gradient_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                         const sn_gradients_options *options, const char *file, int line) {
  sni_gradient_call call = {.ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  sni_gradients_of_tape("sn_tape_gradient", tape, &call, options);
  sni_locate_derivative(&call, file, line);
}
