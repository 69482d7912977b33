// Control ops in the search for a NaN: bodies are walked as often as they ran, calls of the host's are taken from the run's journal.
#include "frontend/program/finder.h"

#include <string.h>

// ---- bodies. A body's inputs: number of the iteration, rows, captures.
typedef struct body_call {
  sni_finder_walk *w;
  const sni_node *node;
  const sni_graph *body;
  sni_control control;
  bool blamed;
  sni_value *inputs, *carries, *results;  // carries: one reference each
  int n_inputs;
} body_call;

static sn_status begin_call(sni_finder_walk *w, sni_node_id id, const sni_graph *body,
                            body_call *out) {
  const sni_node *node = sni_graph_node(w->graph, id);
  const sni_control c = sni_control_of(node);
  const int n_inputs = c.first_capture_input + c.n_captures;
  *out = (body_call){.w = w,
                     .node = node,
                     .body = body,
                     .control = c,
                     .blamed = w->nodes[id].blamed,
                     .n_inputs = n_inputs,
                     .inputs = SNI_ARENA_ARRAY(&w->arena, sni_value, n_inputs + 1),
                     .carries = SNI_ARENA_ARRAY(&w->arena, sni_value, c.n_carries + 1),
                     .results = SNI_ARENA_ARRAY(&w->arena, sni_value, body->n_results + 1)};
  if (!out->inputs || !out->carries || !out->results)
    return sni_finder_no_memory(w->f, sizeof(sni_value));
  for (int i = 0; i < c.n_captures; i++)
    out->inputs[c.first_capture_input + i] = w->nodes[node->operands[c.first_capture + i]].value;
  return SN_OK;
}

static void begin_carries(body_call *b) {
  for (int i = 0; i < b->control.n_carries; i++)
    b->carries[i] =
        sni_finder_keep(&b->w->nodes[b->node->operands[b->control.first_carry + i]].value);
}

static void end_call(body_call *b) {
  for (int i = 0; i < b->control.n_carries; i++) sni_finder_let_go(&b->carries[i]);
}

// Runs the body; its outputs go to outputs[], one reference each, its next values become the carries.
static sn_status run_body(body_call *b, sni_value *outputs) {
  SNI_TRY(sni_finder_walk_body(b->w->f, b->body, b->blamed, b->inputs, b->carries, b->results));
  int n = 0;
  for (uint32_t i = 0; i < b->body->n_results; i++) {
    const int32_t variable = b->body->results[i].variable;
    if (variable < 0) {
      outputs[n++] = b->results[i];
      continue;
    }
    sni_finder_let_go(&b->carries[variable]);
    b->carries[variable] = b->results[i];
  }
  return SN_OK;
}

static sn_status run_cond(sni_finder_walk *w, sni_node_id id, sni_value *results) {
  const sni_node *node = sni_graph_node(w->graph, id);
  int32_t chosen;
  body_call b;
  memcpy(&chosen, w->nodes[node->operands[0]].value.data, sizeof(chosen));
  if (chosen < 0 || chosen >= node->n_bodies) chosen = node->n_bodies - 1;
  SNI_TRY(begin_call(w, id, node->bodies[chosen], &b));
  return run_body(&b, results);
}

static sn_status run_call(sni_finder_walk *w, sni_node_id id, sni_value *results) {
  body_call b;
  SNI_TRY(begin_call(w, id, sni_graph_node(w->graph, id)->bodies[0], &b));
  return run_body(&b, results);
}

static sn_status set_number(body_call *b, int64_t number) {
  const sni_type type = sni_type_make(SN_I64, 0, NULL);
  sni_finder_let_go(&b->inputs[0]);
  return sni_finder_value(b->w->f, &type, &number, &b->inputs[0]);
}

static sni_value row_of(const sni_value *x, int64_t i) {
  sni_value row = *x;
  row.type.rank--;
  memmove(row.type.dims, row.type.dims + 1, (size_t)row.type.rank * sizeof(*row.type.dims));
  row.data += i * (int64_t)sni_type_bytes(&row.type);
  return row;
}

static sn_status stack_row(const body_call *b, sni_value *row, int64_t i, int64_t length,
                           sni_value *stacked) {
  const size_t bytes = sni_type_bytes(&row->type);
  if (!stacked->buffer) {
    sni_type type = row->type;
    memmove(type.dims + 1, type.dims, (size_t)type.rank++ * sizeof(*type.dims));
    type.dims[0] = length;
    SNI_TRY(sni_finder_value(b->w->f, &type, NULL, stacked));
  }
  if (bytes) memcpy(stacked->data + (size_t)i * bytes, row->data, bytes);
  sni_finder_let_go(row);
  return SN_OK;
}

static sn_status iterate_scan(body_call *b, sni_finder_loop *loop, sni_value *outputs,
                              sni_value *results) {
  const sni_control *c = &b->control;
  const int64_t length = sni_finder_number(b->w, c->length);
  for (int64_t n = 0; n < length; n++) {
    const int64_t i = c->reverse ? length - 1 - n : n;
    loop->iteration = n;
    SNI_TRY(set_number(b, i));
    for (int k = 0; k < c->n_xs; k++)
      b->inputs[1 + k] = row_of(&b->w->nodes[b->node->operands[c->first_x + k]].value, i);
    SNI_TRY(run_body(b, outputs));
    for (int k = 0; k < c->n_outputs; k++)
      SNI_TRY(stack_row(b, &outputs[k], i, length, &results[c->n_carries + k]));
  }
  return SN_OK;
}

// Of no iterations.
static sn_status make_empty(body_call *b, sni_value *results) {
  for (int k = 0; k < b->control.n_outputs; k++) {
    sni_value *result = &results[b->control.n_carries + k];
    sni_type type;
    if (result->buffer) continue;
    SNI_TRY(sni_control_result_type(b->w->graph, b->node, b->control.n_carries + k, &type));
    type = sni_finder_type(b->w, &type);
    SNI_TRY(sni_finder_value(b->w->f, &type, NULL, result));
  }
  return SN_OK;
}

static sn_status add_rows(sni_finder_walk *w, sni_finder_rows *to, const sni_value *outputs,
                          int n) {
  sni_allocator *allocator = &w->f->run->program->family->allocator;
  SNI_TRY(sni_vec_reserve(allocator, &w->f->run->diag, (void **)&to->values, &to->capacity,
                          to->n + (uint32_t)n, sizeof(*to->values)));
  to->per_iteration = (uint32_t)n;
  for (int i = 0; i < n; i++) to->values[to->n++] = outputs[i];
  return SN_OK;
}

static sn_status asks_for_more(body_call *condition, sni_value *carries, bool *out_more) {
  sni_value answer = {.buffer = NULL};
  SNI_TRY(sni_finder_walk_body(condition->w->f, condition->body, condition->blamed,
                               condition->inputs, carries, &answer));
  *out_more = *answer.data != 0;
  sni_finder_let_go(&answer);
  return SN_OK;
}

static sn_status iterate_while(body_call *b, body_call *condition, sni_finder_loop *loop,
                               sni_value *outputs, sni_finder_rows *history) {
  for (bool more = true;; loop->iteration++) {
    SNI_TRY(asks_for_more(condition, b->carries, &more));
    if (!more) return SN_OK;
    SNI_TRY(run_body(b, outputs));
    if (b->control.n_outputs) SNI_TRY(add_rows(b->w, history, outputs, b->control.n_outputs));
  }
}

static sn_status iterate_rescan(body_call *b, sni_finder_loop *loop,
                                const sni_finder_rows *history) {
  const uint32_t per = history->per_iteration;
  for (int64_t i = per ? (int64_t)(history->n / per) : 0; i-- > 0; loop->iteration++) {
    SNI_TRY(set_number(b, i));
    for (int k = 0; k < b->control.n_rows; k++) b->inputs[1 + k] = history->values[i * per + k];
    SNI_TRY(run_body(b, NULL));
  }
  return SN_OK;
}

// The rows of the while whose history a rescan walks.
static const sni_finder_rows *history_of(const sni_finder_walk *w, const sni_node *rescan) {
  const sni_node *history = sni_graph_node(w->graph, rescan->operands[0]);
  return &w->nodes[history->operands[0]].rows;
}

static sn_status run_loop(sni_finder_walk *w, sni_node_id id, sni_value *results) {
  const sni_node *node = sni_graph_node(w->graph, id);
  sni_finder_loop loop = {w->f->loops,
                          node->location.op ? node->location.op : sni_op_infos[node->op].name, 0};
  body_call b, condition;
  SNI_TRY(begin_call(w, id, sni_control_step(node), &b));
  SNI_TRY(begin_call(w, id, node->bodies[0], &condition));
  sni_value *outputs = SNI_ARENA_ARRAY(&w->arena, sni_value, b.control.n_outputs + 1);
  if (!outputs) return sni_finder_no_memory(w->f, sizeof(*outputs));
  begin_carries(&b);
  w->f->loops = &loop;
  const sni_control_kind kind = b.control.kind;
  sn_status status = kind == SNI_CONTROL_WHILE
                         ? iterate_while(&b, &condition, &loop, outputs, &w->nodes[id].rows)
                     : kind == SNI_CONTROL_SCAN ? iterate_scan(&b, &loop, outputs, results)
                                                : iterate_rescan(&b, &loop, history_of(w, node));
  w->f->loops = loop.outer;
  if (kind != SNI_CONTROL_WHILE) sni_finder_let_go(&b.inputs[0]);
  if (!status && kind == SNI_CONTROL_SCAN) status = make_empty(&b, results);
  for (int i = 0; i < b.control.n_carries && !status; i++)
    results[i] = sni_finder_keep(&b.carries[i]);
  end_call(&b);
  return status;
}

// ---- functions of the host's
static sn_view view_of(const sni_value *value) {
  sn_view view = {value->data, value->type.dtype, {.rank = value->type.rank}};
  for (int d = 0; d < value->type.rank; d++) view.shape.dims[d] = value->type.dims[d];
  return view;
}

static sn_status call_again(sni_finder_walk *w, const sni_node *node, sni_value *results,
                            int n_out) {
  sn_view *views = SNI_ARENA_ARRAY(&w->arena, sn_view, node->n_operands + n_out + 1);
  if (!views) return sni_finder_no_memory(w->f, sizeof(*views));
  for (int i = 0; i < node->n_operands; i++) views[i] = view_of(&w->nodes[node->operands[i]].value);
  for (int i = 0; i < n_out; i++) views[node->n_operands + i] = view_of(&results[i]);
  const sn_host_args args = {
      .in = views, .out = views + node->n_operands, .n_in = node->n_operands, .n_out = n_out};
  return sni_host_run(node->host, &args, (uint64_t)node->attrs[2], node->host->name,
                      w->f->run->watch, &w->f->run->diag);
}

static sn_status run_host(sni_finder_walk *w, const sni_node *node, sni_value *results,
                          int n_results) {
  sni_finder *f = w->f;
  const bool ordered = node->attrs[0] != 0;
  for (int i = 0; i < n_results; i++) {
    sni_type type;
    SNI_TRY(sni_control_result_type(w->graph, node, i, &type));
    type = sni_finder_type(w, &type);
    const void *data = NULL;
    if (ordered && i + 1 < n_results) {
      if (f->next_call >= f->journal->n)
        return sni_fail(&f->run->diag, SN_ERR_INTERNAL,
                        "debug_nonfinite: a call of the host's is missing");
      data = f->journal->entries[f->next_call++].data;
    }
    SNI_TRY(sni_finder_value(f, &type, data, &results[i]));
  }
  if (!ordered) return call_again(w, node, results, n_results);
  *(int64_t *)(void *)results[n_results - 1].data = 0;  // the order: nobody else reads it
  return SN_OK;
}

// ---- all of them
sn_status sni_finder_run_control(sni_finder_walk *w, sni_node_id id) {
  const sni_node *node = sni_graph_node(w->graph, id);
  sni_finder_node *state = &w->nodes[id];
  const sni_control c = sni_control_of(node);
  state->results = SNI_ARENA_ARRAY(&w->arena, sni_value, c.n_results + 1);
  if (!state->results) return sni_finder_no_memory(w->f, sizeof(sni_value));
  state->n_results = c.n_results;
  if (c.kind == SNI_CONTROL_COND) return run_cond(w, id, state->results);
  if (c.kind == SNI_CONTROL_CALL) return run_call(w, id, state->results);
  if (c.kind == SNI_CONTROL_HOST) return run_host(w, node, state->results, c.n_results);
  if (c.kind != SNI_CONTROL_CUSTOM) return run_loop(w, id, state->results);
  for (int i = 0; i < c.n_results; i++)
    state->results[i] = sni_finder_keep(&w->nodes[node->operands[node->attrs[0] + i]].value);
  return SN_OK;
}
