// Loops in eager mode, and under tapes: the body is called once an iteration, in a scope of its own.
//
// Invariant: what an iteration makes dies with it, but for the next carries and the rows of the ys.
#include "frontend/control/loops.h"
#include "frontend/control/packed.h"
#include "frontend/ops/compose.h"

#include <sinter/sinter.h>

#include <inttypes.h>
#include <string.h>

#undef sn_index
#undef sn_stack
#undef sn_escape

typedef struct runner {
  const sni_loop *loop;
  sni_arena arena;
  sn_tensor **in, **out;
  sn_tensor **carries;
  sni_type *types;   // of the carries
  sn_tensor **rows;  // of each y: of all iterations
  sn_progress progress;
} runner;

static sn_status status_of(const runner *r) {
  return r->loop->context->diag.status;
}

static bool make_arrays(runner *r, int64_t length) {
  const sni_loop *l = r->loop;
  const int n_ys = l->n_out - l->n_carries;
  r->in = SNI_ARENA_ARRAY(&r->arena, sn_tensor *, l->n_carries + l->n_xs + 1);
  r->out = SNI_ARENA_ARRAY(&r->arena, sn_tensor *, l->n_out + 1);
  r->carries = SNI_ARENA_ARRAY(&r->arena, sn_tensor *, l->n_carries + 1);
  r->types = SNI_ARENA_ARRAY(&r->arena, sni_type, l->n_carries + 1);
  size_t n_rows, bytes;
  if (!sni_mul_size((size_t)n_ys, (size_t)length, &n_rows) ||
      !sni_mul_size(n_rows + 1, sizeof(*r->rows), &bytes))
    return false;
  r->rows = sni_arena_alloc_zeroed(&r->arena, bytes);
  return r->in && r->out && r->carries && r->types && r->rows;
}

// Of the innermost scope alone: others hold what is theirs anyway.
static void keep_for_later(sn_context *context, sn_tensor *t) {
  const uint32_t first = context->marks[context->n_marks - 1].n_live;
  if (t->context == context && t->live_index != UINT32_MAX && t->live_index >= first) sn_escape(t);
}

static sn_status check_carry(const runner *r, int i) {
  sn_context *context = r->loop->context;
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const sni_type *expected = &r->types[i], *given = &r->out[i]->type;
  if (sni_type_equal(NULL, expected, given)) return SN_OK;
  uint32_t axes = 0;
  if (r->loop->sizes_change && sni_sizes_differ(NULL, expected, given, &axes)) return SN_OK;
  const sn_status status = expected->dtype == given->dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE;
  sni_error(context, status, "%s: carried value %d is %s, but it begins as %s", r->loop->name, i,
            sni_describe_type(context, given, b), sni_describe_type(context, expected, a));
  return status;
}

// The body's outputs: carries and rows, which outlive the iteration's scope.
static sn_status take_outputs(runner *r, int64_t iteration, int64_t length) {
  const sni_loop *l = r->loop;
  if (!sni_own_results(l->context, r->out, l->n_out)) return status_of(r);
  for (int i = 0; i < l->n_carries; i++) SNI_TRY(check_carry(r, i));
  for (int i = 0; i < l->n_out; i++) keep_for_later(l->context, r->out[i]);
  for (int i = 0; i < l->n_carries; i++) r->carries[i] = r->out[i];
  for (int i = l->n_carries; i < l->n_out; i++)
    r->rows[(i - l->n_carries) * length + iteration] = r->out[i];
  return status_of(r);
}

// A carry is a value of its own: a gradient with respect to it does not count what else is read of the tensor that it
// happens to be.
static sn_status give_carries(const runner *r, sn_tensor **carries) {
  const sni_loop *l = r->loop;
  for (int i = 0; i < l->n_carries; i++) {
    const bool is_recorded = l->context->record && sni_is_inexact(r->types[i].dtype);
    carries[i] = is_recorded ? (sn_identity)(r->carries[i]) : r->carries[i];
  }
  return status_of(r);
}

// ---- while
static sn_status ask(runner *r, bool *out_goes_on) {
  const sni_loop *l = r->loop;
  const sni_user_code code = {l->condition, l->user, 1, "the condition of ", l->name, "", false};
  sn_tensor *answer;
  char text[SNI_TENSOR_NAME];
  SNI_TRY(sni_run_user_code(&code, l->context, r->carries, &answer));
  if (answer->type.dtype != SN_BOOL || answer->type.rank) {
    const sn_status status = answer->type.dtype == SN_BOOL ? SN_ERR_SHAPE : SN_ERR_DTYPE;
    sni_error(l->context, status, "%s: the condition's output is %s, expected bool[]", l->name,
              sni_describe(answer, text));
    return status;
  }
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot(answer, &buffer, &data);
  *out_goes_on = *data != 0;
  sni_buffer_release(buffer);
  return SN_OK;
}

// The end of an iteration.
static sn_status count(runner *r) {
  static const double iteration_ns = 2000;
  sn_context *context = r->loop->context;
  r->progress.iteration++;
  return sni_watch_poll(&context->watch, iteration_ns, &context->diag);
}

// The body, of which what it is given has been made since `begin`.
static sn_status run_body(const runner *r) {
  const sni_loop *l = r->loop;
  const sni_user_code code = {l->body, l->user, l->n_out, "the body of ", l->name, "", false};
  sni_boundary_given(l->context);
  return sni_run_user_code(&code, l->context, r->in, r->out);
}

static sn_status iterate_while(runner *r, bool *out_goes_on) {
  sni_boundary around;
  SNI_TRY(ask(r, out_goes_on));
  if (!*out_goes_on) return SN_OK;
  sni_boundary_begin(r->loop->context, r->loop->name, &around);
  sn_status status = give_carries(r, r->in);
  if (!status) status = run_body(r);
  sni_boundary_end(r->loop->context, &around);
  if (!status) status = take_outputs(r, 0, 0);
  return status ? status : count(r);
}

static sn_status run_while(runner *r) {
  sn_status status = SN_OK;
  bool goes_on = true;
  while (!status && goes_on) {
    sn_scope scope = sn_scope_begin(r->loop->context);
    status = iterate_while(r, &goes_on);
    sn_scope_end(scope);
  }
  return status;
}

// ---- scan
static sn_status prepare(runner *r, int64_t iteration) {
  const sni_loop *l = r->loop;
  sn_tensor **carries = r->in + l->counts, **rows = carries + l->n_carries;
  if (l->counts) {
    const int64_t number = l->first_number + iteration;
    const sni_type type = sni_type_make(SN_I64, 0, NULL);
    r->in[0] = sni_tensor_new(l->context, &type);
    if (!r->in[0]) return status_of(r);
    memcpy(r->in[0]->data, &number, sizeof(number));
  }
  SNI_TRY(give_carries(r, carries));
  for (int i = 0; i < l->n_xs; i++) rows[i] = sn_index(l->xs[i], 0, iteration);
  return status_of(r);
}

static sn_status iterate_scan(runner *r, int64_t iteration, int64_t length) {
  sni_boundary around;
  sni_boundary_begin(r->loop->context, r->loop->name, &around);
  sn_status status = prepare(r, iteration);
  if (!status) status = run_body(r);
  sni_boundary_end(r->loop->context, &around);
  if (!status) status = take_outputs(r, iteration, length);
  return status ? status : count(r);
}

static sn_status take_type(const sni_loop *l, int i, const sn_tensor *row, sni_type *out_type) {
  char text[SNI_TENSOR_NAME];
  *out_type = row->type;
  if (sni_type_is_static(out_type)) return SN_OK;
  return sni_fail(&l->context->diag, SN_ERR_SHAPE,
                  "%s: each row of output %d is %s, a size that the body alone knows", l->name, i,
                  sni_describe(row, text));
}

// What the body would make of rows, where there are none: it is traced, so that it has no effect.
static sn_status trace_for_types(runner *r, sni_type *types) {
  const sni_loop *l = r->loop;
  sn_context *context = l->context;
  sni_trace trace;
  sn_status status = sni_trace_open(&trace, context, &r->arena, l->name);
  sn_tensor **carries = r->in + l->counts, **rows = carries + l->n_carries;
  const sni_type number = sni_type_make(SN_I64, 0, NULL);
  const sni_user_code code = {l->body, l->user, l->n_out, "the body of ", l->name, "", false};
  if (l->counts && !status) r->in[0] = sni_emit_full(context, &number, 0);
  memcpy(carries, r->carries, (size_t)l->n_carries * sizeof(*carries));
  for (int i = 0; i < l->n_xs && !status; i++) {
    sni_type row = l->xs[i]->type;
    memmove(row.dims, row.dims + 1, (size_t)--row.rank * sizeof(*row.dims));
    rows[i] = sni_emit_full(context, &row, 0);
    status = context->diag.status;
  }
  if (!status) status = sni_run_user_code(&code, context, r->in, r->out);
  for (int i = l->n_carries; i < l->n_out && !status; i++)
    status = take_type(l, i, r->out[i], &types[i]);
  sni_trace_close(&trace);
  return status;
}

static sn_status make_empty_rows(runner *r) {
  const sni_loop *l = r->loop;
  if (l->n_out == l->n_carries) return SN_OK;
  sni_type *types = SNI_ARENA_ARRAY(&r->arena, sni_type, l->n_out);
  if (!types) return sni_fail_memory(&l->context->diag, sizeof(*types), "types");
  SNI_TRY(trace_for_types(r, types));
  for (int i = l->n_carries; i < l->n_out; i++) {
    sni_type type = types[i];
    if (type.rank == SN_MAX_RANK) return sni_fail_rank(l, i);
    memmove(type.dims + 1, type.dims, (size_t)type.rank++ * sizeof(*type.dims));
    type.dims[0] = 0;
    l->out[i] = sni_tensor_new(l->context, &type);
    if (!l->out[i]) return status_of(r);
  }
  return SN_OK;
}

static sn_status check_rows(const sni_loop *l, int i, sn_tensor *const *rows, int64_t length) {
  char first[SNI_TENSOR_NAME], other[SNI_TENSOR_NAME];
  if (rows[0]->type.rank == SN_MAX_RANK) return sni_fail_rank(l, i);
  for (int64_t k = 1; k < length; k++) {
    const sni_type *a = &rows[0]->type, *b = &rows[k]->type;
    if (sni_type_equal(NULL, a, b)) continue;
    return sni_fail(&l->context->diag, a->dtype == b->dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
                    "%s: row %" PRId64 " of output %d is %s, but row 0 is %s", l->name, k, i,
                    sni_describe(rows[k], other), sni_describe(rows[0], first));
  }
  return SN_OK;
}

static sn_status stack_rows(runner *r, int64_t length) {
  const sni_loop *l = r->loop;
  if (!length) return make_empty_rows(r);
  for (int i = l->n_carries; i < l->n_out; i++) {
    sn_tensor **rows = r->rows + (i - l->n_carries) * length;
    SNI_TRY(check_rows(l, i, rows, length));
    l->out[i] = sn_stack(rows, (int)length, 0);
  }
  return status_of(r);
}

static sn_status run_scan(runner *r, int64_t length) {
  sn_status status = SN_OK;
  for (int64_t n = 0; n < length && !status; n++) {
    sn_scope scope = sn_scope_begin(r->loop->context);
    status = iterate_scan(r, r->loop->reverse ? length - 1 - n : n, length);
    sn_scope_end(scope);
  }
  return status ? status : stack_rows(r, length);
}

static sn_status find_length(const sni_loop *l, int64_t *out_length) {
  *out_length = l->has_length || l->condition ? l->length : l->xs[0]->type.dims[0];
  for (int i = 0; i < l->n_xs; i++)
    if (l->xs[i]->type.dims[0] != *out_length)
      return sni_fail_lengths(l, i, &l->xs[i]->type, *out_length);
  return SN_OK;
}

static sn_status iterate(runner *r, int64_t length) {
  sni_watch *watch = &r->loop->context->watch;
  r->progress.length = r->loop->condition ? -1 : length;
  sni_watch_begin_loop(watch, &r->progress);
  const sn_status status = r->loop->condition ? run_while(r) : run_scan(r, length);
  sni_watch_end_loop(watch, &r->progress);
  return status;
}

static sn_status run(runner *r) {
  const sni_loop *l = r->loop;
  int64_t length = 0;
  SNI_TRY(find_length(l, &length));
  if (!make_arrays(r, length)) return sni_fail_memory(&l->context->diag, sizeof(void *), "a loop");
  for (int i = 0; i < l->n_carries; i++) {
    r->carries[i] = l->init[i];
    r->types[i] = l->init[i]->type;
  }
  SNI_TRY(iterate(r, length));
  SNI_TRY(give_carries(r, l->out));
  return sni_own_results(l->context, l->out, l->n_carries) ? SN_OK : status_of(r);
}

sn_status sni_loop_op_by_op(const sni_loop *loop) {
  runner r = {.loop = loop,
              .progress = {.name = loop->name, .file = loop->file, .line = loop->line}};
  sni_arena_init(&r.arena, &loop->context->family->allocator);
  const sn_status status = run(&r);
  sni_arena_deinit(&r.arena);
  return status;
}
