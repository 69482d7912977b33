// What the compiled train step of a real model must be: few native commands, no buffer for what
// fusion keeps in registers, variables updated where they lie, one compile, the same bits on any
// number of threads, the eager losses; every batch size by one symbolic program; flat memory.
#include "e2e/mlp784.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void check_commands(sn_function_statistics stats) {
  if (SINTER_HAS_LLVM) {
    ck_assert_uint_eq(stats.interpreted_commands, 0);
    ck_assert_uint_eq(stats.native_commands + stats.blas_commands, stats.commands);
  }
  ck_assert_uint_gt(stats.commands, 0);
  ck_assert_uint_le(stats.commands, 24);
  ck_assert_uint_le(stats.temporary_buffers, 6);
  ck_assert_uint_eq(stats.traces, 1);
  ck_assert_uint_eq(stats.compiles, 1);
}

START_TEST(thousand_steps_are_one_compile_in_place) {
  mlp784 mlp;
  sn_context_options options = {.threads = 1};
  mlp784_create(&mlp, &options, NULL);
  const float *addresses[PARAMETERS];
  double first = mlp784_step(&mlp, 32, 0, false), last = first;
  for (int i = 0; i < PARAMETERS; i++) addresses[i] = mlp784_parameter(&mlp, i);
  for (int step = 1; step < 1000; step++) last = mlp784_step(&mlp, 32, 0, false);
  for (int i = 0; i < PARAMETERS; i++) ck_assert_ptr_eq(addresses[i], mlp784_parameter(&mlp, i));
  check_commands(mlp784_statistics(&mlp));
  ck_assert_uint_eq(mlp784_statistics(&mlp).hits, 999);
  ck_assert_double_lt(last, first / 10);
  mlp784_destroy(&mlp);
}
END_TEST

// Sizes of the temporaries that have memory of their own, in the order of the plan.
static int own_temporaries(const char *plan, long long *sizes, int capacity) {
  int n = 0;
  for (const char *at = plan; (at = strstr(at, ": temporary, ")) != NULL;) {
    at += strlen(": temporary, ");
    const char *end = strchr(at, '\n');
    ck_assert_ptr_nonnull(end);
    const char *shared = strstr(at, "in place of");
    if (shared && shared < end) continue;
    ck_assert_int_lt(n, capacity);
    sizes[n++] = strtoll(at, NULL, 10);
  }
  return n;
}

// The two hidden layers after bias and relu, the logits without their bias (overwritten by their
// gradient), the row losses, the two masked gradients of the hidden layers: nothing for bias-added
// values, masks, or gradients of parameters, scaled or not.
START_TEST(fused_values_have_no_buffer) {
  mlp784 mlp;
  sn_context_options options = {.threads = 1};
  mlp784_create(&mlp, &options, NULL);
  sn_spec specs[] = {{SN_F32, SN_SHAPE(32, PIXELS)}, {SN_I32, SN_SHAPE(32)}};
  sn_program *program;
  char *text;
  ok_in(mlp.context, sn_function_compile(mlp.step, specs, 2, &program));
  ok_in(mlp.context, sn_program_dump(mlp.context, program, SN_STAGE_KERNEL, &text));
  static const long long expected[] = {32 * 300 * 4, 32 * 100 * 4, 32 * 10 * 4,
                                       32 * 4,       32 * 100 * 4, 32 * 300 * 4};
  long long sizes[16];
  ck_assert_int_eq(own_temporaries(text, sizes, 16), 6);
  for (int i = 0; i < 6; i++) ck_assert_int_eq(sizes[i], expected[i]);
  for (int i = 0; i < PARAMETERS; i++) {
    char line[64];
    snprintf(line, sizeof(line), ": new variable %d, %zu bytes, in place\n", i,
             4 * mlp784_parameter_size(i));
    ck_assert_ptr_nonnull(strstr(text, line));
  }
  ck_assert_ptr_null(strstr(text, "f32 copy"));
  sn_text_free(mlp.context, text);
  sn_program_release(program);
  mlp784_destroy(&mlp);
}
END_TEST

// ---- a host's executor: seven threads made for each call
enum { HOST_THREADS = 7 };
typedef struct host_job {
  void (*task)(void *user, int64_t i);
  void *user;
  int64_t count;
  _Atomic int64_t next;
} host_job;

static void *work(void *argument) {
  host_job *job = argument;
  for (int64_t i; (i = atomic_fetch_add(&job->next, 1)) < job->count;) job->task(job->user, i);
  return NULL;
}

static void host_parallel_for(void *user, int64_t count, void (*task)(void *task_user, int64_t i),
                              void *task_user) {
  host_job job = {task, task_user, count, 0};
  pthread_t threads[HOST_THREADS];
  for (int i = 0; i < HOST_THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &job), 0);
  for (int i = 0; i < HOST_THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
  ++*(int *)user;
}

START_TEST(bits_do_not_depend_on_threads) {
  int host_calls = 0;
  sn_context_options options[] = {
      {.threads = 1},
      {.threads = 2},
      {.threads = HOST_THREADS,
       .executor = {host_parallel_for, &host_calls, .concurrency = HOST_THREADS}}};
  mlp784 mlps[3];
  for (int m = 0; m < 3; m++) {
    mlp784_create(&mlps[m], &options[m], NULL);
    for (uint64_t step = 0; step < 50; step++) mlp784_step(&mlps[m], 32, step, false);
  }
  ck_assert_int_gt(host_calls, 0);
  for (int m = 1; m < 3; m++)
    for (int i = 0; i < PARAMETERS; i++)
      ck_assert_mem_eq(mlp784_parameter(&mlps[m], i), mlp784_parameter(&mlps[0], i),
                       4 * mlp784_parameter_size(i));
  for (int m = 0; m < 3; m++) mlp784_destroy(&mlps[m]);
}
END_TEST

static void check_losses(double graph, double eager, const char *when, int number) {
  ck_assert_msg(fabs(graph - eager) <= 1e-5 * fmax(1, fabs(eager)), "%s %d: loss %.9g, eager %.9g",
                when, number, graph, eager);
}

static void check_parameters(const mlp784 *a, const mlp784 *b, double tolerance) {
  for (int i = 0; i < PARAMETERS; i++) {
    const float *x = mlp784_parameter(a, i), *y = mlp784_parameter(b, i);
    for (size_t k = 0; k < mlp784_parameter_size(i); k++)
      ck_assert_msg(fabs((double)x[k] - (double)y[k]) <= tolerance,
                    "parameter %d, element %zu: %.9g, eager %.9g", i, k, (double)x[k],
                    (double)y[k]);
  }
}

START_TEST(losses_are_those_of_eager_mode) {
  mlp784 graph, eager;
  sn_context_options options = {.threads = 1};
  mlp784_create(&graph, &options, NULL);
  mlp784_create(&eager, &options, NULL);
  for (int step = 0; step < 100; step++)
    check_losses(mlp784_step(&graph, 32, (uint64_t)step % 4, false),
                 mlp784_step(&eager, 32, (uint64_t)step % 4, true), "step", step);
  check_parameters(&graph, &eager, 1e-5);
  mlp784_destroy(&graph);
  mlp784_destroy(&eager);
}
END_TEST

static const int batches[] = {32, 1, 7, 31, 33, 100, 32, 1};
enum { N_BATCHES = sizeof(batches) / sizeof(batches[0]) };

START_TEST(one_symbolic_program_serves_every_batch) {
  mlp784 graph, eager;
  sn_context_options options = {.threads = 1};
  sn_spec specs[] = {{SN_F32, SN_SHAPE(SN_UNKNOWN, PIXELS)}, {SN_I32, SN_SHAPE(SN_UNKNOWN)}};
  mlp784_create(&graph, &options, specs);
  mlp784_create(&eager, &options, NULL);
  for (int i = 0; i < N_BATCHES; i++)
    check_losses(mlp784_step(&graph, batches[i], (uint64_t)i, false),
                 mlp784_step(&eager, batches[i], (uint64_t)i, true), "batch", batches[i]);
  check_commands(mlp784_statistics(&graph));
  check_parameters(&graph, &eager, 1e-5);
  mlp784_destroy(&graph);
  mlp784_destroy(&eager);
}
END_TEST

// 32, then 48 makes the dim symbolic: two traces, and no third.
START_TEST(a_second_batch_size_makes_the_batch_symbolic) {
  mlp784 graph, eager;
  sn_context_options options = {.threads = 1};
  mlp784_create(&graph, &options, NULL);
  mlp784_create(&eager, &options, NULL);
  check_losses(mlp784_step(&graph, 32, 90, false), mlp784_step(&eager, 32, 90, true), "batch", 32);
  check_losses(mlp784_step(&graph, 48, 91, false), mlp784_step(&eager, 48, 91, true), "batch", 48);
  ck_assert_uint_eq(mlp784_statistics(&graph).traces, 2);
  for (int i = 0; i < N_BATCHES; i++)
    check_losses(mlp784_step(&graph, batches[i], (uint64_t)i, false),
                 mlp784_step(&eager, batches[i], (uint64_t)i, true), "batch", batches[i]);
  ck_assert_uint_eq(mlp784_statistics(&graph).traces, 2);
  ck_assert_uint_eq(mlp784_statistics(&graph).compiles, 2);
  check_parameters(&graph, &eager, 1e-5);
  mlp784_destroy(&graph);
  mlp784_destroy(&eager);
}
END_TEST

// ---- memory
static size_t resident_bytes(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  ck_assert_ptr_nonnull(file);
  unsigned long total, resident;
  ck_assert_int_eq(fscanf(file, "%lu %lu", &total, &resident), 2);
  fclose(file);
  return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t held_bytes(const sn_context *context) {
  sn_memory_stats stats = {.size = sizeof(stats)};
  sn_context_memory(context, &stats);
  return stats.bytes;
}

static sn_status small(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  out[0] = sn_sum(sn_tanh(sn_mul_scalar(in[0], *(double *)user)));
  return SN_OK;
}

static void check_flat(const sn_context *context, size_t held, size_t resident, size_t slack) {
  ck_assert_uint_le(held_bytes(context), held);
  if (!SANITIZED) ck_assert_uint_le(resident_bytes(), resident + slack);
}

static void call_small(sn_context *context, sn_function *function, sn_tensor *x) {
  SN_SCOPE(context);
  sn_tensor *y;
  ok_in(context, sn_call(function, &x, 1, &y, 1));
}

static sn_context *memory_context(void) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH),
                   SN_OK);
  return context;
}

START_TEST(ten_thousand_calls_keep_memory_flat) {
  sn_context *context = memory_context();
  double factor = 0.5;
  sn_tensor *x = sn_keep(sn_ones(context, SN_F32, SN_SHAPE(16)));
  sn_function *function =
      sn_function_create(context, small, .user = &factor, .inputs = 1, .outputs = 1);
  for (int i = 0; i < 100; i++) call_small(context, function, x);
  size_t held = held_bytes(context), resident = resident_bytes();
  for (int i = 0; i < 10000; i++) call_small(context, function, x);
  check_flat(context, held, resident, 256 << 10);
  sn_function_destroy(function);
  sn_release(x);
  sn_context_destroy(context);
}
END_TEST

static void one_function(sn_context *context, sn_tensor *x, double factor) {
  sn_function *function =
      sn_function_create(context, small, .user = &factor, .inputs = 1, .outputs = 1);
  ck_assert_ptr_nonnull(function);
  call_small(context, function, x);
  sn_function_destroy(function);
}

// Three rounds of the same hundred functions, each with its own factor: the cache of kernels has
// them all after the first round, and nothing else may stay.
START_TEST(functions_leave_nothing_behind) {
  sn_context *context = memory_context();
  sn_tensor *x = sn_keep(sn_ones(context, SN_F32, SN_SHAPE(16)));
  size_t held = 0, resident = 0;
  for (int i = 0; i < 400; i++) {
    if (i == 100) {
      sn_context_trim(context);
      held = held_bytes(context), resident = resident_bytes();
    }
    one_function(context, x, 2 + i % 100);
  }
  sn_context_trim(context);
  check_flat(context, held, resident, 512 << 10);
  sn_release(x);
  sn_context_destroy(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mlp784");
  TCase *tests = tcase_create("mlp784");
  tcase_set_timeout(tests, 240);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, thousand_steps_are_one_compile_in_place);
  tcase_add_test(tests, fused_values_have_no_buffer);
  tcase_add_test(tests, bits_do_not_depend_on_threads);
  tcase_add_test(tests, losses_are_those_of_eager_mode);
  tcase_add_test(tests, one_symbolic_program_serves_every_batch);
  tcase_add_test(tests, a_second_batch_size_makes_the_batch_symbolic);
  tcase_add_test(tests, ten_thousand_calls_keep_memory_flat);
  tcase_add_test(tests, functions_leave_nothing_behind);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
