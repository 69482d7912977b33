// Branches and loops: which memory each iteration reads and writes.
//
// Invariant: operands are only read. A carry lies in its result's memory or in the second one; what is updated in place
// stays in the result's.
#include "runtime/bound_control.h"

#include <string.h>

// ---- creation
// One block for all arrays.
static size_t arrays_bytes(const sni_control_call *c) {
  const size_t inputs = 1 + (size_t)c->n_rows + c->n_captures;
  const size_t steps = c->native ? sni_native_steps(c) * sizeof(sni_native_step) : 0;
  const size_t variables = (size_t)c->n_carries + c->n_kept;
  return (c->n_bodies + inputs + c->n_outputs + 1 + 2 * variables) * sizeof(void *) + steps;
}

static sn_status create_views(sni_bound_control *control) {
  const sni_control_call *c = control->call;
  const uint32_t n = c->n_captures + c->n_outputs;
  const size_t bytes = n * sizeof(sn_view);
  if (c->kind != SNI_CONTROL_HOST || !n) return SN_OK;
  control->views = sni_alloc(control->allocator, bytes);
  return control->views ? SN_OK : sni_fail_memory(control->diag, bytes, "a host call");
}

static sn_status create_bodies(sni_bound_control *control, sni_buffer_pool *pool,
                               sni_thread_pool *threads, int max_threads, sni_diag *diag) {
  for (uint32_t i = 0; i < control->call->n_bodies; i++)
    SNI_TRY(sni_run_state_create(control->call->bodies[i], control->allocator, pool, threads,
                                 max_threads, diag, &control->bodies[i]));
  return SN_OK;
}

sn_status sni_bound_control_create(const sni_control_call *call, sni_allocator *allocator,
                                   sni_buffer_pool *pool, sni_thread_pool *threads, int max_threads,
                                   sni_diag *diag, sni_bound_control **out_control) {
  const size_t bytes = sizeof(sni_bound_control) + arrays_bytes(call);
  sni_bound_control *control = sni_alloc_zeroed(allocator, bytes);
  *out_control = control;
  if (!control) return sni_fail_memory(diag, bytes, "a loop");
  void **next = (void **)(control + 1);
  control->call = call;
  control->allocator = allocator;
  control->diag = diag;
  control->bytes = bytes;
  control->bodies = (sni_run_state **)next;
  control->inputs = next += call->n_bodies;
  control->outputs = next += 1 + (size_t)call->n_rows + call->n_captures;
  control->carries = next += (size_t)call->n_outputs + 1;  // a condition has one
  control->next = next += call->n_carries + call->n_kept;
  if (call->native)
    sni_native_frame_init(&control->native,
                          (sni_native_step *)(void *)(next + call->n_carries + call->n_kept), diag);
  SNI_TRY(create_views(control));
  return create_bodies(control, pool, threads, max_threads, diag);
}

void sni_bound_control_destroy(sni_bound_control *control) {
  if (!control) return;
  for (uint32_t i = 0; i < control->call->n_bodies; i++) sni_run_state_destroy(control->bodies[i]);
  if (control->views)
    sni_free(control->allocator, control->views,
             (control->call->n_captures + control->call->n_outputs) * sizeof(sn_view));
  if (control->history.memory)
    sni_free(control->allocator, control->history.memory, control->history.capacity);
  sni_free(control->allocator, control, control->bytes);
}

sn_status sni_bound_control_bind(sni_bound_control *control, const int64_t *symbols) {
  for (uint32_t i = 0; i < control->call->n_bodies; i++)
    SNI_TRY(sni_run_state_bind(control->bodies[i], symbols));
  if (control->call->native)
    control->is_native =
        sni_native_frame_bind(&control->native, control) || control->call->native_only;
  return SN_OK;
}

void sni_bound_control_limit_threads(sni_bound_control *control, int threads) {
  for (uint32_t i = 0; i < control->call->n_bodies; i++)
    sni_run_state_limit_threads(control->bodies[i], threads);
}

// Its carries are results of its own: a run may end anywhere in it.
void sni_bound_control_watch(sni_bound_control *control, sni_watch *watch) {
  control->watch = watch;
  if (control->call->native) sni_native_frame_watch(&control->native, watch);
  for (uint32_t i = 0; i < control->call->n_bodies; i++)
    sni_run_state_watch(control->bodies[i], watch, true);
}

size_t sni_bound_control_bytes(const sni_bound_control *control) {
  size_t bytes = control->bytes + control->history.capacity;
  for (uint32_t i = 0; i < control->call->n_bodies; i++)
    bytes += sni_run_state_bytes(control->bodies[i]);
  return bytes;
}

sn_status sni_bound_control_status(const sni_bound_control *control) {
  return control->status;
}

// ---- running
static sn_status run_body(sni_bound_control *control, uint32_t body, void *const *next) {
  return sni_run_state_run(control->bodies[body], control->inputs, control->outputs,
                           control->carries, next,
                           (void *const *)(uintptr_t)control->call->constants[body]);
}

// Of a branch.
static void put_outputs(sni_bound_control *control, void *const *results) {
  const sni_control_call *call = control->call;
  uint32_t n = 0, k = 0;
  for (uint32_t i = 0; i < call->n_outputs; i++)
    if (!sni_is_kept_output(call, i, &k))
      control->outputs[n++] = results[i];
    else
      control->next[k] = results[i];
  for (k = 0; k < call->n_kept; k++) control->carries[k] = control->inputs[call->kept_captures[k]];
}

static sn_status run_cond(sni_bound_control *control, void *const *buffers) {
  const sni_control_call *call = control->call;
  const int32_t number = *(const int32_t *)buffers[0];
  // a number that there is no body for is the last one: tf.switch_case
  const uint32_t body =
      number < 0 || (uint32_t)number >= call->n_bodies ? call->n_bodies - 1 : (uint32_t)number;
  memcpy(control->inputs, buffers + 1, call->n_captures * sizeof(void *));
  put_outputs(control, buffers + 1 + call->n_captures);
  return run_body(control, body, control->next);
}

// ---- functions of the host's
static const int64_t *fill_views(const sni_host_argument *arguments, uint32_t n,
                                 void *const *buffers, const int64_t *dims, sn_view *views) {
  for (uint32_t i = 0; i < n; i++) {
    views[i] = (sn_view){buffers[i], arguments[i].dtype, {.rank = arguments[i].rank}};
    for (int d = 0; d < arguments[i].rank; d++) views[i].shape.dims[d] = *dims++;
  }
  return dims;
}

static sn_status run_host(sni_bound_control *control, void *const *buffers, const int64_t *params) {
  const sni_control_call *c = control->call;
  void *const *results = buffers + c->n_captures + c->ordered;
  sn_view *out = control->views + c->n_captures;
  params = fill_views(c->arguments, c->n_captures, buffers, params, control->views);
  fill_views(c->arguments + c->n_captures, c->n_outputs, results, params, out);
  const sn_host_args args = {
      .in = control->views, .out = out, .n_in = (int)c->n_captures, .n_out = (int)c->n_outputs};
  const sn_status status =
      sni_host_run(c->host, &args, c->batch, c->name, control->watch, control->diag);
  if (status && control->diag) {
    control->diag->file = c->file;
    control->diag->line = c->line;
  }
  if (status || !c->ordered) return status;
  *(int64_t *)results[c->n_outputs] = *(const int64_t *)buffers[c->n_captures] + 1;
  if (!control->watch || !control->watch->journal) return SN_OK;
  return sni_host_journal_add(control->watch->journal, out, (int)c->n_outputs, control->diag);
}

// ---- loops
static void *const *operands_behind(const sni_control_call *call, void *const *buffers) {
  return buffers + call->first_carry + call->n_carries;
}

static void *const *results_of(const sni_control_call *call, void *const *buffers) {
  return operands_behind(call, buffers) + call->n_xs + call->n_captures;
}

// The carries begin as copies of the operands.
static void begin_carries(sni_bound_control *control, void *const *buffers, const int64_t *bytes) {
  const sni_control_call *call = control->call;
  const sni_executable *step = call->bodies[call->n_bodies - 1];
  void *const *results = results_of(call, buffers), *const *spare = results + call->n_results;
  for (uint32_t i = 0; i < call->n_carries; i++) {
    control->carries[i] = results[i];
    control->next[i] = step->in_place[i] ? results[i] : *spare++;
    const void *begin = buffers[call->first_carry + i];
    if (bytes[i] && results[i] != begin) memcpy(results[i], begin, (size_t)bytes[i]);
  }
}

static void swap_carries(sni_bound_control *control) {
  for (uint32_t i = 0; i < control->call->n_carries; i++) {
    void *now = control->next[i];
    control->next[i] = control->carries[i];
    control->carries[i] = now;
  }
}

static void end_carries(sni_bound_control *control, void *const *buffers, const int64_t *bytes) {
  void *const *results = results_of(control->call, buffers);
  for (uint32_t i = 0; i < control->call->n_carries; i++)
    if (control->carries[i] != results[i] && bytes[i])
      memcpy(results[i], control->carries[i], (size_t)bytes[i]);
}

// ---- histories
void sni_history_begin(sni_bound_control *control, const int64_t *row_bytes) {
  control->history.count = control->history.row_bytes = 0;
  for (uint32_t i = 0; i < control->call->n_outputs; i++)
    control->history.row_bytes += sni_history_aligned(row_bytes[i]);
}

// Room for one more row.
static sn_status grow_history(sni_bound_control *control) {
  sni_history *h = &control->history;
  const size_t needed = (size_t)(h->count + 1) * (size_t)h->row_bytes;
  size_t capacity = h->capacity ? h->capacity : 16 * (size_t)h->row_bytes;
  if (needed <= h->capacity) return SN_OK;
  while (capacity < needed) capacity *= 2;
  char *memory = sni_alloc(control->allocator, capacity);
  if (!memory) return sni_fail_memory(control->diag, capacity, "the history of a loop");
  if (h->memory) {
    memcpy(memory, h->memory, (size_t)h->count * (size_t)h->row_bytes);
    sni_free(control->allocator, h->memory, h->capacity);
  }
  h->memory = memory;
  h->capacity = capacity;
  return SN_OK;
}

sn_status sni_history_add(sni_bound_control *control, const int64_t *row_bytes) {
  sni_history *h = &control->history;
  SNI_TRY(grow_history(control));
  char *at = h->memory + h->count++ * h->row_bytes;
  for (uint32_t i = 0; i < control->call->n_outputs; i++) {
    control->outputs[i] = at;
    at += sni_history_aligned(row_bytes[i]);
  }
  return SN_OK;
}

// The end of an iteration. A body has no commands where it gives what it is given.
static sn_status end_iteration(sni_bound_control *control) {
  static const double iteration_ns = 30;
  control->progress.iteration++;
  swap_carries(control);
  return sni_watch_poll(control->watch, iteration_ns, control->diag);
}

static sn_status iterate_while(sni_bound_control *control, const int64_t *row_bytes) {
  for (bool goes_on = false;;) {
    control->outputs[0] = &goes_on;
    SNI_TRY(run_body(control, 0, NULL));
    if (!goes_on) return SN_OK;
    if (control->call->n_outputs) SNI_TRY(sni_history_add(control, row_bytes));
    SNI_TRY(run_body(control, 1, control->next));
    SNI_TRY(end_iteration(control));
  }
}

static sn_status run_while(sni_bound_control *control, void *const *buffers,
                           const int64_t *params) {
  const sni_control_call *call = control->call;
  const int64_t *row_bytes = params + 1 + call->n_carries;
  sni_history_begin(control, row_bytes);
  memcpy(control->inputs, operands_behind(call, buffers), call->n_captures * sizeof(void *));
  SNI_TRY(iterate_while(control, row_bytes));
  if (!call->n_outputs) return SN_OK;
  const sni_history *kept = &control->history;
  memcpy(results_of(call, buffers)[call->n_carries], &kept, sizeof(kept));
  return SN_OK;
}

static sn_status run_rescan(sni_bound_control *control, void *const *buffers,
                            const int64_t *params) {
  const sni_control_call *call = control->call;
  const int64_t *row_bytes = params + 1 + call->n_carries;
  const sni_history *h;
  memcpy(&h, buffers[0], sizeof(h));
  control->inputs[0] = &control->iteration;
  memcpy(control->inputs + 1 + call->n_rows, operands_behind(call, buffers),
         call->n_captures * sizeof(void *));
  for (int64_t n = h->count; n-- > 0;) {
    char *at = h->memory + n * h->row_bytes;
    control->iteration = n;
    for (uint32_t k = 0; k < call->n_rows; k++) {
      control->inputs[1 + k] = at;
      at += sni_history_aligned(row_bytes[k]);
    }
    SNI_TRY(run_body(control, 0, control->next));
    SNI_TRY(end_iteration(control));
  }
  return SN_OK;
}

static sn_status run_scan(sni_bound_control *control, void *const *buffers, const int64_t *params) {
  const sni_control_call *call = control->call;
  const int64_t length = params[0], *x_bytes = params + 1 + call->n_carries;
  const int64_t *output_bytes = x_bytes + call->n_xs;
  void *const *xs = operands_behind(call, buffers), *const *captures = xs + call->n_xs;
  void *const *outputs = results_of(call, buffers) + call->n_carries;
  control->inputs[0] = &control->iteration;
  memcpy(control->inputs + 1 + call->n_xs, captures, call->n_captures * sizeof(void *));
  for (int64_t n = 0; n < length; n++) {
    const int64_t i = call->reverse ? length - 1 - n : n;
    control->iteration = i;
    for (uint32_t k = 0; k < call->n_xs; k++)
      control->inputs[1 + k] = (char *)xs[k] + i * x_bytes[k];
    for (uint32_t k = 0; k < call->n_outputs; k++)
      control->outputs[k] = (char *)outputs[k] + i * output_bytes[k];
    SNI_TRY(run_body(control, 0, control->next));
    SNI_TRY(end_iteration(control));
  }
  return SN_OK;
}

static sn_status iterate(sni_bound_control *control, void *const *buffers, const int64_t *params) {
  const sni_control_kind kind = control->call->kind;
  return kind == SNI_CONTROL_WHILE  ? run_while(control, buffers, params)
         : kind == SNI_CONTROL_SCAN ? run_scan(control, buffers, params)
                                    : run_rescan(control, buffers, params);
}

static sn_status run_loop(sni_bound_control *control, void *const *buffers, const int64_t *params) {
  const sni_control_call *call = control->call;
  control->progress = sni_progress_of(call, params, 0);
  begin_carries(control, buffers, params + 1);
  sni_watch_begin_loop(control->watch, &control->progress);
  const sn_status status = iterate(control, buffers, params);
  sni_watch_end_loop(control->watch, &control->progress);
  if (!status) end_carries(control, buffers, params + 1);
  return status;
}

void sni_run_control(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                     int64_t end, void *scratch) {
  sni_bound_control *control = (sni_bound_control *)(uintptr_t)code;  // this thread's own
  (void)begin;
  (void)end;
  const sni_control_kind kind = control->call->kind;
  control->status = control->is_native
                        ? sni_native_frame_run(&control->native, control, buffers, params)
                    : kind == SNI_CONTROL_COND ? run_cond(control, buffers)
                    : kind == SNI_CONTROL_HOST ? run_host(control, buffers, params)
                                               : run_loop(control, buffers, params);
  if (control->status) ((sni_scratch_header *)scratch)->fault = 1;
}
