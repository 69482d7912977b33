// What a host may do with threads of its own: limit those of a call, run 64 contexts at once, fork
// at any moment. The same bits every time.
#include <sinter/sinter.h>

#include <check.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

enum { rows = 96, width = 160, n = rows * width };

// Products, rows and columns: several commands, each worth splitting.
static sn_status train(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = *(sn_tensor **)user, *g;
  sn_tensor *y = sn_tanh(sn_matmul(in[0], w));
  out[0] = sn_mean(sn_square(sn_sub(sn_softmax(y, -1), in[0])));
  sn_gradients(out[0], &w, 1, &g);
  sn_assign_sub(w, sn_mul_scalar(g, 0.5));
  return sn_pending_error(context);
}

typedef struct model {
  sn_context *context;
  sn_tensor *w, *x;
  sn_function *step;
} model;

static sn_status make_model(model *m, sn_backend backend, int threads, const sn_executor *host) {
  static const sn_executor none;
  memset(m, 0, sizeof(*m));
  sn_status status = sn_context_create(&m->context, .threads = threads, .backend = backend,
                                       .executor = host ? *host : none);
  if (status) return status;
  sn_context_set_threads(m->context, 1);  // until the model stands
  sn_set_seed(m->context, 5);
  m->x = sn_keep(sn_random_normal(m->context, SN_F32, SN_SHAPE(rows, width)));
  m->w = sn_variable(sn_random_normal(m->context, SN_F32, SN_SHAPE(width, width)));
  m->step = sn_function_create(m->context, train, .user = &m->w, .inputs = 1, .outputs = 1);
  sn_context_set_threads(m->context, 0);
  return sn_check(m->context);
}

static void end_model(model *m) {
  sn_release(m->x);
  sn_release(m->w);
  sn_function_destroy(m->step);
  sn_context_destroy(m->context);
}

static sn_status take_step(model *m, float *out_loss) {
  SN_SCOPE(m->context);
  sn_tensor *loss;
  const sn_status status = sn_call(m->step, &m->x, 1, &loss, 1);
  return status ? status : sn_read(loss, out_loss, sizeof(*out_loss));
}

static int count_threads(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/task");
  for (const struct dirent *entry; folder && (entry = readdir(folder));) {
    char path[300], name[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    if (fgets(name, sizeof(name), file) && !strcmp(name, "sinter\n")) count++;
    fclose(file);
  }
  if (folder) closedir(folder);
  return count;
}

// ---- limits of a call
enum { most_limit = 16 };

static void expect_losses(float *expected) {
  model m;
  ck_assert_int_eq(make_model(&m, SN_BACKEND_AUTO, 1, NULL), SN_OK);
  for (int i = 0; i <= most_limit; i++) ck_assert_int_eq(take_step(&m, &expected[i]), SN_OK);
  end_model(&m);
}

START_TEST(calls_start_no_more_threads_than_their_limit) {
  float expected[most_limit + 1], loss;
  expect_losses(expected);
  model m;
  ck_assert_int_eq(make_model(&m, SN_BACKEND_AUTO, most_limit, NULL), SN_OK);
  for (int limit = 1; limit <= most_limit; limit++) {
    sn_context_set_threads(m.context, limit);
    ck_assert_int_eq(take_step(&m, &loss), SN_OK);
    ck_assert_float_eq(loss, expected[limit - 1]);
    ck_assert_int_lt(count_threads(), limit);
  }
  sn_context_set_threads(m.context, -1);
  ck_assert_int_eq(sn_check(m.context), SN_ERR_ARGUMENT);
  sn_context_set_threads(m.context, 1000);
  ck_assert_int_eq(take_step(&m, &loss), SN_OK);
  ck_assert_float_eq(loss, expected[most_limit]);
  ck_assert_int_lt(count_threads(), most_limit);
  end_model(&m);
}
END_TEST

// The host's executor is asked for no more tasks than the limit, and for several.
typedef struct asked {
  int64_t most;
  int calls;
} asked;

static void note_tasks(void *user, int64_t count, void (*task)(void *, int64_t), void *task_user) {
  asked *a = user;
  if (count > a->most) a->most = count;
  a->calls++;
  for (int64_t i = count; i-- > 0;) task(task_user, i);
}

START_TEST(executors_are_asked_for_no_more_than_the_limit) {
  float expected[most_limit + 1], loss;
  expect_losses(expected);
  asked a = {0};
  const sn_executor host = {note_tasks, &a, most_limit};
  model m;
  ck_assert_int_eq(make_model(&m, SN_BACKEND_AUTO, 0, &host), SN_OK);
  for (int limit = 1; limit <= most_limit; limit++) {
    a = (asked){0};
    sn_context_set_threads(m.context, limit);
    ck_assert_int_eq(take_step(&m, &loss), SN_OK);
    ck_assert_float_eq(loss, expected[limit - 1]);
    ck_assert_int_le(a.most, limit);
    if (limit == 1) ck_assert_int_eq(a.calls, 0);
    if (limit == 2) ck_assert_int_eq(a.most, 2);
    sn_program *program;  // runners take over the limit of their beginning
    sn_runner *runner;
    const sn_spec spec = {.dtype = SN_F32, .shape = SN_SHAPE(rows, width)};
    if (limit > 2) continue;
    ck_assert_int_eq(sn_function_compile(m.step, &spec, 1, &program), SN_OK);
    ck_assert_int_eq(sn_runner_create(m.context, program, 0, &runner), SN_OK);
    sn_context_set_threads(m.context, 0);
    a = (asked){0};
    float x[n] = {0}, y;
    const sn_view in = {x, SN_F32, SN_SHAPE(rows, width)}, out = {&y, SN_F32, SN_SCALAR};
    sn_tensor *before = sn_keep(sn_mul_scalar(m.w, 1));
    ck_assert_int_eq(sn_run(runner, &in, &out), SN_OK);
    sn_assign(m.w, before);
    sn_release(before);
    ck_assert_int_le(a.most, limit);
    sn_runner_destroy(runner);
    sn_program_release(program);
  }
  end_model(&m);
}
END_TEST

// ---- 64 threads
enum { contexts = 64, steps = 3 };
typedef struct user_thread {
  pthread_t thread;
  bool failed;
  float losses[steps];
} user_thread;

static void *use_context(void *user) {
  user_thread *u = user;
  model m;
  u->failed = make_model(&m, SN_BACKEND_INTERPRETER, 2, NULL) != SN_OK;
  for (int i = 0; i < steps && !u->failed; i++) u->failed = take_step(&m, &u->losses[i]) != SN_OK;
  end_model(&m);
  return NULL;
}

START_TEST(contexts_of_64_threads) {
  float expected[most_limit + 1];
  static user_thread users[contexts];
  expect_losses(expected);
  for (int i = 0; i < contexts; i++)
    ck_assert_int_eq(pthread_create(&users[i].thread, NULL, use_context, &users[i]), 0);
  for (int i = 0; i < contexts; i++) pthread_join(users[i].thread, NULL);
  for (int i = 0; i < contexts; i++) {
    ck_assert(!users[i].failed);
    ck_assert_mem_eq(users[i].losses, expected, sizeof(users[i].losses));
  }
}
END_TEST

// ---- fork
#if !defined(TSAN)  // which ends a forked child that starts threads
typedef struct busy_thread {
  pthread_t thread;
  model m;
  _Atomic bool stop, failed;
} busy_thread;

static void *keep_calling(void *user) {
  busy_thread *b = user;
  float loss;
  while (!b->stop && !b->failed) b->failed = take_step(&b->m, &loss) != SN_OK;
  return NULL;
}

// The child's status: 0: this model and a new one gave the right bits.
static int use_child(model *m, const float *expected) {
  float loss;
  alarm(120);  // a child that hangs dies
  if (take_step(m, &loss) || memcmp(&loss, expected, sizeof(loss))) return 1;
  user_thread u = {.failed = false};
  use_context(&u);
  if (u.failed || memcmp(u.losses, expected - 1, sizeof(u.losses))) return 2;
  end_model(m);
  return 0;
}

START_TEST(forks_while_another_thread_calls) {
  float expected[most_limit + 1], loss;
  expect_losses(expected);
  model m;
  busy_thread busy[2];
  memset(busy, 0, sizeof(busy));
  ck_assert_int_eq(make_model(&m, SN_BACKEND_AUTO, 3, NULL), SN_OK);
  ck_assert_int_eq(take_step(&m, &loss), SN_OK);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(make_model(&busy[i].m, SN_BACKEND_INTERPRETER, 3, NULL), SN_OK);
    ck_assert_int_eq(take_step(&busy[i].m, &loss), SN_OK);
    ck_assert_int_eq(pthread_create(&busy[i].thread, NULL, keep_calling, &busy[i]), 0);
  }
  for (int i = 0; i < 20; i++) {
    usleep((useconds_t)(i * 100));
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) _exit(use_child(&m, &expected[1]));
    int status = 1;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
  }
  for (int i = 0; i < 2; i++) {
    busy[i].stop = true;
    pthread_join(busy[i].thread, NULL);
    ck_assert(!busy[i].failed);
    end_model(&busy[i].m);
  }
  ck_assert_int_eq(take_step(&m, &loss), SN_OK);
  ck_assert_float_eq(loss, expected[1]);
  end_model(&m);
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("host");
  TCase *tests = tcase_create("host");
  tcase_add_test(tests, calls_start_no_more_threads_than_their_limit);
  tcase_add_test(tests, executors_are_asked_for_no_more_than_the_limit);
  tcase_add_test(tests, contexts_of_64_threads);
#if !defined(TSAN)
  tcase_add_test(tests, forks_while_another_thread_calls);
#endif
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
