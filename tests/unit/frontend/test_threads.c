// Sibling contexts in several threads: one function, its traces and hits at once, shared variables,
// runners; ops that are split over threads, the library's own or the host's. For TSan, too.
#include "frontend_fixture.h"

#include "frontend/program/program.h"

#include <pthread.h>

enum { n_threads = 4, n_rounds = 60 };

typedef struct worker {
  pthread_t thread;
  sn_context *context;
  sn_function *function;
  sn_program *program;
  sn_tensor *variable;
  int number, failures;
} worker;

static sn_status mix(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_sum(sn_add(sn_square(in[0]), in[0]));
  return SN_OK;
}

static sn_status count(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_assign_add(user, in[0]);
  out[0] = sn_mul_scalar(in[0], 2);
  return SN_OK;
}

static void start(worker *workers, void *(*run)(void *), const worker *common) {
  for (int i = 0; i < n_threads; i++) {
    workers[i] = *common;
    workers[i].number = i;
    ck_assert_int_eq(sn_context_create(&workers[i].context, .share = ctx), SN_OK);
    ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
  }
}

static void join(worker *workers) {
  int failures = 0;
  for (int i = 0; i < n_threads; i++) {
    pthread_join(workers[i].thread, NULL);
    sn_context_destroy(workers[i].context);
    failures += workers[i].failures;
  }
  ck_assert_int_eq(failures, 0);
}

static void *call_with_many_shapes(void *user) {
  worker *w = user;
  for (int i = 0; i < n_rounds; i++) {
    SN_SCOPE(w->context);
    int n = 1 + (i * 7 + w->number) % 20;
    float data[20];
    double wanted = 0, got = 0;
    for (int k = 0; k < n; k++) {
      data[k] = (float)(k + w->number);
      wanted += (double)(data[k] * data[k] + data[k]);
    }
    sn_tensor *x = sn_constant(w->context, SN_F32, SN_SHAPE(n), data), *y;
    if (sn_call_in(w->context, w->function, SN_ARGS(x), &y, 1) || sn_item(y, &got) || got != wanted)
      w->failures++;
    if (sn_context_of(y) != w->context) w->failures++;
  }
  return NULL;
}

START_TEST(test_siblings_share_a_function) {
  for (int fixed = 0; fixed < 2; fixed++) {
    worker workers[n_threads], common = {0};
    common.function =
        sn_function_create(ctx, mix, .inputs = 1, .outputs = 1, .static_shapes = fixed);
    start(workers, call_with_many_shapes, &common);
    join(workers);
    sn_function_statistics stats = {.size = sizeof(stats)};
    sn_function_stats(common.function, &stats);
    if (fixed)
      ck_assert_uint_eq(stats.traces, 20);  // each shape once, whoever came first
    else
      ck_assert_uint_le(stats.traces, 2);
    ck_assert_uint_ge(stats.hits, n_threads * n_rounds - n_threads * 20);
    sn_function_destroy(common.function);
  }
}
END_TEST

START_TEST(test_siblings_evict_what_others_run) {
  worker workers[n_threads], common = {0};
  common.function = sn_function_create(ctx, mix, .inputs = 1, .outputs = 1, .static_shapes = true,
                                       .cache_capacity = 2);
  start(workers, call_with_many_shapes, &common);
  join(workers);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(common.function, &stats);
  ck_assert_uint_le(stats.specialisations, 2);
  ck_assert_uint_eq(stats.evictions, stats.traces - stats.specialisations);
  sn_function_destroy(common.function);
}
END_TEST

// A struct with a static field: siblings trace, hit, run op by op, ask for reasons and walk programs all at once.
typedef struct scaled {
  sn_tensor *x;
  int factor;
} scaled;
SN_COMPOSITE(scaled_type, scaled, SN_FIELD(scaled, x), SN_FIELD(scaled, factor));

static sn_status scale(sn_context *context, const void *in, void *out, void *user) {
  const scaled *s = in;
  (void)user;
  *(scaled *)out = (scaled){sn_mul(s->x, (double)s->factor), -s->factor};
  return sn_pending_error(context);
}

static bool scales(worker *w, int i, bool eager) {
  SN_SCOPE(w->context);
  const int factor = 1 + (i + w->number) % 5;
  scaled in = {sn_ones(w->context, SN_F32, SN_SHAPE(1 + i % 3)), factor}, out = {NULL, 0};
  double got = 0;
  if (eager ? sn_call_struct_eager_in(w->context, w->function, SN_STRUCT(scaled_type, &in),
                                      SN_STRUCT(scaled_type, &out))
            : sn_call_struct_in(w->context, w->function, SN_STRUCT(scaled_type, &in),
                                SN_STRUCT(scaled_type, &out)))
    return false;
  return !sn_item(sn_max(out.x), &got) && got == factor && out.factor == -factor &&
         sn_context_of(out.x) == w->context;
}

static void *call_with_structs(void *user) {
  worker *w = user;
  for (int i = 0; i < n_rounds; i++) {
    if (!scales(w, i, i % 2)) w->failures++;
    sn_retrace why = {.size = sizeof(why)};
    for (int k = 0; sn_function_retrace(w->function, k, 0, &why); k++)
      if ((k == 0) != (why.cause == SN_RETRACE_FIRST)) w->failures++;
    if (sn_graph_size(sn_program_graph(w->program)) < 3) w->failures++;
    if (strcmp(sn_program_signature(w->program),
               "function(x: f32[2], factor: static 9) -> (x: f32[2], factor: i64[])"))
      w->failures++;
  }
  return NULL;
}

START_TEST(test_siblings_call_a_function_of_structs) {
  worker workers[n_threads], common = {0};
  common.function = sn_struct_function(ctx, scale, &scaled_type, &scaled_type);
  scaled in = {sn_ones(ctx, SN_F32, SN_SHAPE(2)), 9};
  ck_assert_int_eq(
      sn_function_compile_struct(common.function, SN_STRUCT(scaled_type, &in), &common.program),
      SN_OK);
  start(workers, call_with_structs, &common);
  join(workers);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(common.function, &stats);
  ck_assert_uint_le(stats.traces, 1 + 5 * 2 + 5);
  sn_program_release(common.program);
  sn_function_destroy(common.function);
}
END_TEST

static void *count_up(void *user) {
  worker *w = user;
  for (int i = 0; i < n_rounds; i++) {
    SN_SCOPE(w->context);
    sn_tensor *one = sn_ones(w->context, SN_F32, SN_SHAPE(64)), *y;
    float data[64];
    if (sn_call_in(w->context, w->function, SN_ARGS(one), &y, 1)) w->failures++;
    // What is read is some whole value, never one half written.
    if (sn_read(w->variable, data, sizeof(data))) w->failures++;
    for (int k = 1; k < 64; k++) w->failures += data[k] != data[0];
  }
  return NULL;
}

START_TEST(test_siblings_update_a_variable) {
  worker workers[n_threads], common = {0};
  common.variable = sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(64)));
  common.function =
      sn_function_create(ctx, count, .inputs = 1, .outputs = 1, .user = common.variable);
  start(workers, count_up, &common);
  join(workers);
  float data[64];
  ck_assert_int_eq(sn_read(common.variable, data, sizeof(data)), SN_OK);
  for (int k = 0; k < 64; k++) ck_assert_float_eq(data[k], n_threads * n_rounds);
  sn_function_destroy(common.function);
  sn_release(common.variable);
}
END_TEST

static void *run_program(void *user) {
  worker *w = user;
  sn_runner *runner;
  if (sn_runner_create(w->context, w->program, 1, &runner)) {
    w->failures++;
    return NULL;
  }
  float x[64], y[64];
  for (int k = 0; k < 64; k++) x[k] = 1;
  const sn_view in = {x, SN_F32, SN_SHAPE(64)}, out = {y, SN_F32, SN_SHAPE(64)};
  for (int i = 0; i < n_rounds; i++)
    if (sn_run(runner, &in, &out) || y[63] != 2) w->failures++;
  sn_runner_destroy(runner);
  return NULL;
}

START_TEST(test_runners_share_a_program) {
  worker workers[n_threads], common = {0};
  common.variable = sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(64)));
  sn_function *f =
      sn_function_create(ctx, count, .inputs = 1, .outputs = 1, .user = common.variable);
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_F32, {1, {64}}}, 1, &common.program),
                   SN_OK);
  sn_function_destroy(f);
  start(workers, run_program, &common);
  join(workers);
  float data[64];
  ck_assert_int_eq(sn_read(common.variable, data, sizeof(data)), SN_OK);
  ck_assert_float_eq(data[7], n_threads * n_rounds);
  sn_program_release(common.program);
  sn_release(common.variable);
}
END_TEST

static void *make_and_drop(void *user) {
  worker *w = user;
  for (int i = 0; i < 10; i++) {
    sn_context *context;
    if (sn_context_create(&context, .share = w->context)) {
      w->failures++;
      continue;
    }
    sn_function *own = sn_function_create(context, mix, .inputs = 1, .outputs = 1);
    float data[3] = {1, 2, 3};
    double got = 0;
    sn_tensor *x = sn_constant(context, SN_F32, SN_SHAPE(3), data), *y;
    if (sn_call(own, SN_ARGS(x), &y, 1) || sn_item(y, &got) || got != 20) w->failures++;
    if (sn_call_in(context, w->function, SN_ARGS(x), &y, 1)) w->failures++;
    if (i % 2) sn_function_destroy(own);
    sn_context_destroy(context);
    if (!(i % 2)) sn_function_destroy(own);
  }
  return NULL;
}

START_TEST(test_contexts_come_and_go) {
  worker workers[n_threads], common = {0};
  common.function = sn_function_create(ctx, mix, .inputs = 1, .outputs = 1);
  start(workers, make_and_drop, &common);
  join(workers);
  sn_function_destroy(common.function);
}
END_TEST

static sn_status draw(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in, (void)user;
  out[0] = sn_random_uniform(context, SN_F32, SN_SHAPE(4));
  return SN_OK;
}

// Whoever traced a function: each context draws from its own generator.
START_TEST(test_siblings_have_their_own_random_numbers) {
  sn_context *other;
  float drawn[2][4], expected[2][4];
  ck_assert_int_eq(sn_context_create(&other, .share = ctx), SN_OK);
  sn_function *f = sn_function_create(other, draw, .inputs = 0, .outputs = 1);
  sn_context *contexts[2] = {other, ctx};  // the first one traces
  for (int i = 0; i < 2; i++) {
    sn_tensor *y;
    sn_set_seed(contexts[i], (uint64_t)i + 1);
    ck_assert_int_eq(sn_read(sn_random_uniform(contexts[i], SN_F32, SN_SHAPE(4)), expected[i],
                             sizeof(expected[i])),
                     SN_OK);
    sn_set_seed(contexts[i], (uint64_t)i + 1);
    ck_assert_int_eq(sn_call_in(contexts[i], f, NULL, 0, &y, 1), SN_OK);
    ck_assert_int_eq(sn_read(y, drawn[i], sizeof(drawn[i])), SN_OK);
    ck_assert_mem_eq(drawn[i], expected[i], sizeof(drawn[i]));
  }
  ck_assert_mem_ne(drawn[0], drawn[1], sizeof(drawn[0]));
  sn_context_destroy(other);
  sn_function_destroy(f);
}
END_TEST

// ---- ops split over threads
static sn_context *split_context(void) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .threads = 4), SN_OK);
  return context;
}

static sn_status look_up(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_gather(in[0], in[1]);
  return SN_OK;
}

static void expect_faults(sn_context *context, sn_backend backend, sn_tensor *table,
                          sn_tensor *index) {
  sn_function *f =
      sn_function_create(context, look_up, .inputs = 2, .outputs = 1, .backend = backend);
  for (int i = 0; i < 10; i++) {
    SN_SCOPE(context);
    sn_tensor *y;
    ck_assert(sn_failed(sn_gather(table, index)));
    ck_assert_int_eq(sn_check(context), SN_ERR_INDEX);
    ck_assert_int_eq(sn_call(f, SN_ARGS(table, index), &y, 1), SN_ERR_INDEX);
  }
  sn_function_destroy(f);
}

// The last index alone is bad, whichever thread meets it.
START_TEST(test_a_fault_of_any_thread_is_reported) {
  enum { n = 1 << 20 };
  sn_context *context = split_context();
  int32_t *index = calloc(n, sizeof(*index));
  index[n - 1] = 8;
  sn_tensor *table = sn_ones(context, SN_F32, SN_SHAPE(8));
  sn_tensor *at = sn_constant(context, SN_I32, SN_SHAPE(n), index);
  free(index);
  expect_faults(context, SN_BACKEND_INTERPRETER, table, at);
  expect_faults(context, SN_BACKEND_AUTO, table, at);
  sn_context_destroy(context);
}
END_TEST

static double sum_of(sn_tensor *t) {
  double value = 0;
  ck_assert_int_eq(sn_item(sn_sum(t), &value), SN_OK);
  return value;
}

// v += x and x + x are the same op on the same types; only one of them writes v.
START_TEST(test_large_updates_and_additions_are_told_apart) {
  for (int add_first = 0; add_first < 2; add_first++) {
    enum { n = 1 << 20 };
    sn_context *context = split_context();
    sn_tensor *x = sn_ones(context, SN_F32, SN_SHAPE(n)), *v = sn_variable(x), *y = NULL;
    if (add_first) y = sn_add(x, x);
    sn_assign_add(v, x);
    if (!add_first) y = sn_add(x, x);
    ck_assert_double_eq(sum_of(x), n);
    ck_assert_double_eq(sum_of(y), 2 * n);
    ck_assert_double_eq(sum_of(v), 2 * n);
    sn_assign_add(v, x);
    ck_assert_double_eq(sum_of(v), 3 * n);
    sn_release(v);
    sn_context_destroy(context);
  }
}
END_TEST

static void note_most(void *user, int64_t n, void (*task)(void *task_user, int64_t i),
                      void *task_user) {
  int64_t *most = user;
  if (n > *most) *most = n;
  for (int64_t i = 0; i < n; i++) task(task_user, i);
}

// The most tasks that a host executor of concurrency 8 gets at a time.
static int64_t most_tasks(int threads, bool compiled) {
  int64_t most = 0;
  sn_context *context;
  ck_assert_int_eq(
      sn_context_create(&context, .threads = threads, .executor = {note_most, &most, 8}), SN_OK);
  sn_tensor *x = sn_ones(context, SN_F32, SN_SHAPE(1 << 22)), *y;
  sn_function *f = sn_function_create(context, mix, .inputs = 1, .outputs = 1);
  if (compiled)
    ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_OK);
  else
    sn_exp(x);
  ck_assert_int_eq(sn_check(context), SN_OK);
  sn_function_destroy(f);
  sn_context_destroy(context);
  return most;
}

START_TEST(test_large_ops_are_given_to_the_hosts_executor) {
  for (int compiled = 0; compiled < 2; compiled++) {
    int64_t all = most_tasks(0, compiled), two = most_tasks(2, compiled);
    ck_assert_int_gt(all, 2);
    ck_assert_int_le(all, 8);
    ck_assert_int_eq(two, 2);
  }
}
END_TEST

// Several threads compile one traced graph with symbolic dims, while another one checks its guards:
// the graph and its dims are only read.
static sn_status reshaped(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = sn_add(in[0], sn_index(in[1], 0, 3)), *g;
  sn_tensor *y = sn_slice(x, (sn_range_spec[]){SN_RANGE(1, SN_END, 2), SN_ALL}, 2);
  y = sn_softmax(sn_reshape(sn_concat((sn_tensor *[]){y, x}, 2, 0), SN_SHAPE(-1)), 0);
  sn_gradients(sn_mean(sn_square(y)), &in[0], 1, &g);
  out[0] = sn_matmul(sn_transpose(g), x);
  return sn_pending_error(context);
}

static void *compile_again(void *user) {
  worker *w = user;
  sni_diag diag = {0};
  const sni_compile_options options = {.backend = SN_BACKEND_INTERPRETER};
  const sn_program *program = w->program;
  char *first = NULL, *text = NULL;
  for (int i = 0; i < 10; i++) {
    sni_compiled *compiled;
    if (sni_compile(program->family->compiler, program->graph, &options, &diag, &compiled) ||
        sni_compiled_dump(compiled, SN_STAGE_KERNEL, &diag, &text)) {
      w->failures++;
      break;
    }
    const int64_t sizes[] = {9, 5, 9}, wrong[] = {9, 5, 2};
    w->failures += !sni_program_guards_hold(program, sizes);
    w->failures += sni_program_guards_hold(program, wrong);
    w->failures += first && strcmp(first, text);
    sn_text_free(w->context, first);
    first = text;
    sni_compiled_destroy(compiled);
  }
  sn_text_free(w->context, first);
  return NULL;
}

START_TEST(test_threads_compile_one_graph) {
  worker workers[n_threads];
  sn_function *f = sn_function_create(ctx, reshaped, .inputs = 2, .outputs = 1);
  const sn_spec specs[2] = {{SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)},
                            {SN_F32, SN_SHAPE(SN_UNKNOWN, 1)}};
  sn_program *program;
  ck_assert_msg(!sn_function_compile(f, specs, 2, &program), "%s", sn_error_message(ctx));
  ck_assert_uint_gt(program->n_guards, 0);
  start(workers, compile_again, &(worker){.program = program});
  join(workers);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("threads");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, test_siblings_share_a_function);
  tcase_add_test(cases, test_siblings_evict_what_others_run);
  tcase_add_test(cases, test_siblings_call_a_function_of_structs);
  tcase_add_test(cases, test_siblings_update_a_variable);
  tcase_add_test(cases, test_runners_share_a_program);
  tcase_add_test(cases, test_contexts_come_and_go);
  tcase_add_test(cases, test_siblings_have_their_own_random_numbers);
  tcase_add_test(cases, test_a_fault_of_any_thread_is_reported);
  tcase_add_test(cases, test_large_updates_and_additions_are_told_apart);
  tcase_add_test(cases, test_large_ops_are_given_to_the_hosts_executor);
  tcase_add_test(cases, test_threads_compile_one_graph);
  return run_cases("threads", &cases, 1);
}
