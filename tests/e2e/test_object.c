// Objects: owned by scopes as tensors are, kept, released, dead ones that say so; error objects; resources; classes of the user's own in
// functions, and lines of their callers.
#include <sinter/sinter.h>

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static int ended;
static void open_context(void) {
  ended = 0;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

typedef struct couple {
  sn_object object;
  int number;
  sn_tensor *parts[2];
} couple;

static void end_couple(void *object) {
  ended += ((couple *)object)->number;
}
static const sn_object_class couple_class = {.size = sizeof(sn_object_class),
                                             .name = "couple",
                                             .object_size = sizeof(couple),
                                             .n_tensors = 2,
                                             .tensors_offset = offsetof(couple, parts),
                                             .destroy = end_couple};

static couple *(couple_of)(sn_tensor *a, sn_tensor *b) {
  sn_context *of = sn_context_of(a);
  SN_FRAME(of, "couple_of");
  SN_SCOPE(of);
  if (sn_is_traced(a)) a = b = sn_mul(a, sn_ones_like(a));  // dies in the scope, but for the object
  couple *made = sn_object_create(of, &couple_class, (sn_tensor *const[]){a, b});
  if (!sn_object_failed(made)) made->number = 1;
  return sn_object_escape(made);
}
#define couple_of(a, b) SN_OBJECT_AT(couple, couple_of(a, b))

static sn_tensor *(couple_sum)(couple *p) {
  sn_context *of = sn_object_context(p);
  SN_FRAME(of, "couple_sum");
  if (!sn_object_check(of, p, &couple_class, "p")) return sn_error_tensor(of);
  return sn_add(p->parts[0], p->parts[1]);
}
#define couple_sum(p) SN_AT(couple_sum(p))

static sn_tensor *two(void) {
  return sn_full(c, SN_F32, SN_SHAPE(2), 2);
}

static void check_message(sn_status status, const char *words) {
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), words), "%s", sn_error_message(c));
}

START_TEST(a_scope_owns_what_is_made_in_it) {
  couple *dead;
  {
    SN_SCOPE(c);
    dead = couple_of(two(), two());
    float sum[2];
    ck_assert_int_eq(sn_read(couple_sum(dead), sum, sizeof(sum)), SN_OK);
    ck_assert(sum[0] == 4 && sum[1] == 4);
    ck_assert_int_eq(sn_object_references(dead), 1);
    ck_assert_int_eq(ended, 0);
  }
  ck_assert_int_eq(ended, 1);
  (void)couple_sum(dead);
  check_message(SN_ERR_STATE, "couple_sum: p: its scope has ended");
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "test_object.c:"));
}
END_TEST

START_TEST(it_is_kept_escapes_and_is_released) {
  couple *kept, *escaped;
  SN_SCOPE(c);
  {
    SN_SCOPE(c);
    kept = sn_object_keep(couple_of(two(), NULL));
    escaped = sn_object_escape(couple_of(two(), two()));
    ck_assert_int_eq(sn_object_references(kept), 2);
  }
  ck_assert_int_eq(ended, 0);
  ck_assert(!sn_failed(couple_sum(escaped)));
  ck_assert_ptr_null(kept->parts[1]);
  ck_assert_int_eq(sn_dim(kept->parts[0], 0), 2);  // held with it
  sn_object_release(escaped);                      // its scope's: nothing happens
  ck_assert_int_eq(ended, 0);
  sn_object_release(kept);
  ck_assert_int_eq(ended, 1);
  ck_assert_int_eq(sn_check(c), SN_OK);
  (void)couple_sum(kept);
  check_message(SN_ERR_STATE, "p has been released");
}
END_TEST

START_TEST(what_fails_gives_the_error_object) {
  SN_SCOPE(c);
  couple *failed = couple_of(two(), sn_add(two(), sn_zeros(c, SN_F32, SN_SHAPE(3))));
  ck_assert(sn_object_failed(failed));
  ck_assert_ptr_eq(failed, sn_object_error(c, &couple_class));
  ck_assert(sn_failed(couple_sum(failed)));
  ck_assert_ptr_eq(sn_object_keep(failed), failed);
  sn_object_release(failed);
  check_message(SN_ERR_SHAPE, "sn_add");
  (void)couple_sum(failed);
  check_message(SN_ERR_ARGUMENT, "p is the error object");
  ck_assert_ptr_null(couple_sum(NULL));
  ck_assert_int_eq(ended, 0);
  static const sn_object_class other = {
      .size = sizeof(sn_object_class), .name = "other", .object_size = sizeof(sn_object)};
  (void)couple_sum(sn_object_create(c, &other, NULL));
  check_message(SN_ERR_ARGUMENT, "p is a other, expected a couple");
  (void)sn_object_create(c, &(const sn_object_class){.size = sizeof(sn_object_class)}, NULL);
  check_message(SN_ERR_ARGUMENT, "type describes no object");
  (void)sn_neg(couple_of(two(), two())->object.owner);
  check_message(SN_ERR_ARGUMENT, "operand #0 is the owner of a couple, no tensor");
}
END_TEST

static couple *traced;
static sn_status make_and_add(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  traced = couple_of(in[0], in[0]);
  out[0] = couple_sum(traced);
  return SN_OK;
}
static sn_status keep_traced(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  (void)sn_object_keep(couple_of(in[0], in[0]));
  out[0] = in[0];
  return SN_OK;
}

START_TEST(a_trace_makes_some_and_takes_them_with_it) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, make_and_add, .inputs = 1, .outputs = 1);
  sn_tensor *out;
  ck_assert_int_eq(sn_call(f, SN_ARGS(two()), &out, 1), SN_OK);
  float sum[2];
  ck_assert_int_eq(sn_read(out, sum, sizeof(sum)), SN_OK);
  ck_assert(sum[0] == 4);
  ck_assert_int_eq(ended, 0);  // the scope around the call owns it
  (void)couple_sum(traced);
  check_message(SN_ERR_STATE, "operand #0 is a traced tensor, and its trace has ended");
  sn_function *g = sn_function_create(c, keep_traced, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(sn_call(g, SN_ARGS(two()), &out, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "a couple of traced tensors cannot outlive"));
  sn_function_destroy(f);
  sn_function_destroy(g);
}
END_TEST

// ---- resources
typedef struct counter {
  sn_object object;
  int calls;
} counter;
static void end_counter(void *object) {
  (void)object;
  ended++;
}
static const sn_object_class counter_class = {.size = sizeof(sn_object_class),
                                              .name = "counter",
                                              .object_size = sizeof(counter),
                                              .destroy = end_counter,
                                              .is_resource = true};
static sn_status count(const sn_host_args *args) {
  *(float *)args->out[0].data = (float)++((counter *)args->user)->calls;
  return SN_OK;
}
static sn_status infer_count(const sn_infer_args *args) {
  args->out[0] = (sn_spec){.dtype = SN_F32};
  return SN_OK;
}
static sn_status use_counter(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in;
  return sn_host_call(of, count, SN_ARGS(sn_object_variable(user)), out, 1, .name = "count",
                      .infer = infer_count, .user = user);
}

START_TEST(a_function_holds_the_resource_that_it_uses) {
  sn_function *f;
  counter *n;
  {
    SN_SCOPE(c);
    n = sn_object_create(c, &counter_class, NULL);
    ck_assert(sn_is_variable(sn_object_variable(n)));
    f = sn_function_create(c, use_counter, .outputs = 1, .user = n);
    sn_tensor *out;
    ck_assert_int_eq(sn_call(f, NULL, 0, &out, 1), SN_OK);
    ck_assert_int_gt(sn_object_references(n), 1);
  }
  ck_assert_int_eq(ended, 0);
  SN_SCOPE(c);
  sn_tensor *out;
  double calls = 0;
  ck_assert_int_eq(sn_call(f, NULL, 0, &out, 1), SN_OK);
  ck_assert_int_eq(sn_item(out, &calls), SN_OK);
  ck_assert(calls == 2);
  sn_function_destroy(f);
  sn_context_trim(c);
  ck_assert_int_eq(ended, 1);
}
END_TEST

static sn_status make_counter(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  (void)sn_object_create(of, &counter_class, NULL);
  out[0] = in[0];
  return SN_OK;
}

START_TEST(no_resource_is_made_in_a_trace) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, make_counter, .inputs = 1, .outputs = 1);
  sn_tensor *out;
  ck_assert_int_eq(sn_call(f, SN_ARGS(two()), &out, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "counter: it cannot be made inside a trace"));
  sn_function_destroy(f);
}
END_TEST

static sn_status interrupted(const sn_host_args *args) {
  for (int i = 0; i < 1000000; i++) {
    const sn_status status = sn_host_interrupted(args);
    if (status) return status;
    sn_cancel(args->user);
  }
  return SN_ERR_INTERNAL;
}

START_TEST(a_callback_that_waits_hears_that_the_call_is_to_end) {
  SN_SCOPE(c);
  sn_tensor *in = two(), *out;
  ck_assert_int_eq(sn_host_call(c, interrupted, &in, 1, &out, 1, .user = c), SN_ERR_CANCELLED);
  ck_assert_int_eq(sn_check(c), SN_ERR_CANCELLED);
  ck_assert(!sn_failed(sn_add(in, in)));
  ck_assert_int_eq(sn_check(c), SN_OK);
}
END_TEST

START_TEST(composed_functions_hear_it_too) {
  ck_assert_int_eq(sn_interrupted(c), SN_OK);
  sn_cancel(c);
  ck_assert_int_eq(sn_interrupted(c), SN_ERR_CANCELLED);
  ck_assert_int_eq(sn_check(c), SN_ERR_CANCELLED);
  ck_assert_int_eq(sn_interrupted(c), SN_OK);
  sn_set_deadline(c, 0);
  ck_assert_int_eq(sn_interrupted(c), SN_ERR_DEADLINE);
  ck_assert_int_eq(sn_check(c), SN_ERR_DEADLINE);
  sn_set_deadline(c, SN_NO_DEADLINE);
  ck_assert_int_eq(sn_interrupted(NULL), SN_ERR_STATE);
}
END_TEST

static bool traced_there, recorded_there;
static sn_status ask_modes(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  traced_there = sn_is_tracing(of);
  recorded_there = sn_is_recording(of);
  out[0] = in[0];
  return SN_OK;
}

START_TEST(who_asks_is_told_what_is_done_with_ops) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, ask_modes, .inputs = 1, .outputs = 1);
  sn_tensor *out;
  ck_assert(!sn_is_tracing(c) && !sn_is_recording(c) && !sn_is_tracing(NULL));
  ck_assert_int_eq(sn_call(f, SN_ARGS(two()), &out, 1), SN_OK);
  ck_assert(traced_there && !recorded_there);
  ck_assert_int_eq(sn_call_eager(f, SN_ARGS(two()), &out, 1), SN_OK);
  ck_assert(!traced_there && recorded_there);  // its gradients need what was done
  sn_tape *tape = sn_tape_begin(c);
  ck_assert(sn_is_recording(c));
  sn_tape_end(tape);
  ck_assert(!sn_is_recording(c));
  sn_function_destroy(f);
}
END_TEST

// A call that waits in a resource for another one, which a sibling makes.
typedef struct meeting {
  sn_object object;
  _Atomic int there;
} meeting;
static const sn_object_class meeting_class = {.size = sizeof(sn_object_class),
                                              .name = "meeting",
                                              .object_size = sizeof(meeting),
                                              .is_resource = true};
static sn_status meet(const sn_host_args *args) {
  meeting *m = args->user;
  m->there++;
  while (m->there < 2) {
    const sn_status status = sn_host_interrupted(args);
    if (status) return status;
  }
  *(float *)args->out[0].data = 1;
  return SN_OK;
}
static sn_status use_meeting(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in;
  return sn_host_call(of, meet, SN_ARGS(sn_object_variable(user)), out, 1, .name = "meet",
                      .infer = infer_count, .user = user);
}
typedef struct guest {
  sn_context *context;
  sn_function *function;
  sn_status status;
} guest;
static void *come(void *user) {
  guest *g = user;
  SN_SCOPE(g->context);
  sn_tensor *out;
  sn_set_deadline(g->context, 60);
  g->status = sn_call_in(g->context, g->function, NULL, 0, &out, 1);
  return NULL;
}

START_TEST(calls_of_siblings_meet_in_a_resource) {
  SN_SCOPE(c);
  meeting *m = sn_object_create(c, &meeting_class, NULL);
  ck_assert_int_eq(sn_object_users(m), 1);
  ck_assert_int_eq(sn_object_users(NULL), 0);
  sn_function *f = sn_function_create(c, use_meeting, .outputs = 1, .user = m);
  guest guests[2] = {{.function = f}, {.function = f}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(sn_context_create(&guests[i].context, .share = c, .threads = 1), SN_OK);
    ck_assert_int_eq(sn_object_users(m), 2 + i);
    ck_assert_int_eq(pthread_create(&threads[i], NULL, come, &guests[i]), 0);
  }
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(guests[i].status, SN_OK);
    sn_context_destroy(guests[i].context);
  }
  ck_assert_int_eq(sn_object_users(m), 1);
  sn_program *program;
  sn_runner *runner;
  ck_assert_int_eq(sn_function_compile(f, NULL, 0, &program), SN_OK);
  ck_assert_int_eq(sn_runner_create(c, program, 1, &runner), SN_OK);
  ck_assert_int_eq(sn_object_users(m), 2);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// Objects that outlive their context, and dead ones in great number.
START_TEST(objects_outlive_contexts_and_use_graves_again) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .threads = 1), SN_OK);
  couple *kept = sn_object_keep(sn_object_create(
      other, &couple_class, (sn_tensor *const[]){sn_zeros(other, SN_F32, SN_SCALAR), NULL}));
  kept->number = 5;
  sn_context_destroy(other);
  ck_assert_int_eq(ended, 0);
  sn_object_release(kept);
  ck_assert_int_eq(ended, 5);
  for (int i = 0; i < 1000; i++) {
    SN_SCOPE(c);
    (void)couple_of(two(), two());
    (void)two();
  }
  ck_assert_int_eq(ended, 1005);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("object");
  TCase *tc = tcase_create("object");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, a_scope_owns_what_is_made_in_it);
  tcase_add_test(tc, it_is_kept_escapes_and_is_released);
  tcase_add_test(tc, what_fails_gives_the_error_object);
  tcase_add_test(tc, a_trace_makes_some_and_takes_them_with_it);
  tcase_add_test(tc, a_function_holds_the_resource_that_it_uses);
  tcase_add_test(tc, no_resource_is_made_in_a_trace);
  tcase_add_test(tc, a_callback_that_waits_hears_that_the_call_is_to_end);
  tcase_add_test(tc, composed_functions_hear_it_too);
  tcase_add_test(tc, who_asks_is_told_what_is_done_with_ops);
  tcase_add_test(tc, calls_of_siblings_meet_in_a_resource);
  tcase_add_test(tc, objects_outlive_contexts_and_use_graves_again);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
