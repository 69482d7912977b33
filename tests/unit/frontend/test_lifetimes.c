// Mistakes with lifetimes: handles used too late, twice, in the wrong order or from a second thread.
// Each is refused or does nothing; none touches memory that is not there any more.
#include "frontend_fixture.h"

#include <pthread.h>

// ---- results and their scopes
START_TEST(releasing_a_result_of_a_scope_does_nothing) {
  int64_t blocks = 0;
  for (int i = 0; i < 3; i++) {
    SN_SCOPE(ctx);
    sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 3), *y = sn_add(x, x);
    sn_release(y);
    sn_release(y);
    sn_release(x);
    EXPECT(y, SN_SHAPE(3), 2, 4, 6);
    EXPECT(sn_add(x, y), SN_SHAPE(3), 3, 6, 9);
    if (i == 1) blocks = memory.blocks;
  }
  ck_assert_int_eq(memory.blocks, blocks);
}
END_TEST

START_TEST(what_was_kept_is_released_as_often_and_no_more) {
  SN_SCOPE(ctx);
  sn_tensor *x = sn_keep(F32(SN_SHAPE(1), 1));
  sn_release(x);
  sn_release(x);  // the scope's reference is not the caller's
  EXPECT(x, SN_SHAPE(1), 1);
}
END_TEST

static sn_status plus_w(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add(in[0], (sn_tensor *)user);
  return sn_pending_error(context);
}

START_TEST(what_functions_hold_is_not_the_callers_to_release) {
  sn_tensor *w = sn_variable(F32(SN_SHAPE(2), 3, 4)), *x = F32(SN_SHAPE(2), 1, 2), *y;
  sn_function *f = sn_function_create(ctx, plus_w, .inputs = 1, .outputs = 1, .user = w);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  for (int i = 0; i < 5; i++) sn_release(w);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  EXPECT(y, SN_SHAPE(2), 4, 6);
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tensor *v = sn_variable(x), *z = sn_square(v), *g;
  sn_release(v);
  sn_release(v);
  sn_tape_gradient(tape, z, &v, 1, &g);
  EXPECT(g, SN_SHAPE(2), 2, 4);
  sn_tape_end(tape);
  sn_function_destroy(f);
  sn_release(w);
}
END_TEST

static sn_tensor *leave_scope(void) {
  SN_SCOPE(ctx);
  return F32(SN_SHAPE(2), 1, 2);
}

static sn_tensor *released(void) {
  sn_tensor *t = sn_variable(F32(SN_SHAPE(2), 3, 4), .name = "w");
  sn_release(t);
  return t;
}

static sn_status twice(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_add(in[0], in[0]);
  return sn_pending_error(context);
}

static void use_dead(sn_tensor *x, const char *why) {
  char text[32];
  sn_tensor *y, *good = F32(SN_SHAPE(2), 1, 2), *v = sn_variable(good);
  double value;
  float values[2];
  const void *data;
  ck_assert(sn_failed(sn_add(x, x)));
  expect_error(SN_ERR_STATE, why);
  ck_assert(sn_failed(sn_softmax(x, 0)));
  expect_error(SN_ERR_STATE, why);
  ck_assert(sn_failed(sn_add(good, x)));
  expect_error(SN_ERR_STATE, "operand #1");
  ck_assert(sn_failed(sn_assign(v, x)));
  expect_error(SN_ERR_STATE, why);
  ck_assert(sn_failed(sn_keep(x)));
  expect_error(SN_ERR_STATE, why);
  ck_assert(sn_failed(sn_variable(x)));
  expect_error(SN_ERR_STATE, why);
  ck_assert(sn_failed(sn_zeros_like(x)));
  expect_error(SN_ERR_STATE, why);
  ck_assert_int_eq(sn_item(x, &value), SN_ERR_STATE);
  ck_assert_int_eq(sn_read(x, values, sizeof(values)), SN_ERR_STATE);
  ck_assert_int_eq(sn_data(x, &data), SN_ERR_STATE);
  sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_call: "));
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), why));
  ck_assert_int_eq(sn_call_eager(f, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_call_eager: "));
  sn_function_destroy(f);
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, x);
  expect_error(SN_ERR_STATE, why);
  sn_gradients(x, &v, 1, &y);
  expect_error(SN_ERR_STATE, why);
  sn_gradients(sn_square(v), &x, 1, &y);
  expect_error(SN_ERR_STATE, why);
  sn_tape_end(tape);
  ck_assert_int_eq(sn_rank(x), -1);
  ck_assert_int_eq(sn_dim(x, 0), -1);
  ck_assert_str_eq(sn_name(x), "");
  sn_format(x, text, sizeof(text));
  ck_assert_str_eq(text, "ended");
  ck_assert_ptr_eq(sn_escape(x), x);
  sn_release(x);
  sn_release(v);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}

START_TEST(a_result_is_refused_when_its_scope_has_ended) {
  use_dead(leave_scope(), "the scope of operand #");
}
END_TEST

START_TEST(a_tensor_is_refused_when_it_has_been_released) {
  use_dead(released(), "has been released");
}
END_TEST

START_TEST(a_result_stays_refused_for_a_while) {
  sn_tensor *x = leave_scope();
  for (int i = 0; i < 30; i++) {
    SN_SCOPE(ctx);
    sn_tensor *other = sn_full(ctx, SN_F32, SN_SHAPE(2), 7);
    ck_assert_ptr_ne(x, other);
  }
  ck_assert(sn_failed(sn_neg(x)));
  expect_error(SN_ERR_STATE, "the scope of operand #0 has ended");
}
END_TEST

START_TEST(dead_results_of_every_scope_are_refused) {
  enum { n = 300 };
  static sn_tensor *dead[n];
  {
    SN_SCOPE(ctx);
    for (int i = 0; i < n; i++) dead[i] = F32(SN_SHAPE(1), (float)i);
  }
  for (int i = 0; i < n; i++) ck_assert(sn_failed((sn_neg)(dead[i])));
  expect_error(SN_ERR_STATE, "has ended");
}
END_TEST

// ---- scopes
START_TEST(a_scope_handle_ends_its_own_scope_alone) {
  sn_scope first = sn_scope_begin(ctx);
  sn_scope_end(first);
  sn_scope second = sn_scope_begin(ctx);
  sn_tensor *x = F32(SN_SHAPE(1), 5);
  sn_scope_end(first);  // its place is another scope's now
  EXPECT(x, SN_SHAPE(1), 5);
  sn_scope outer = sn_scope_begin(ctx), inner = sn_scope_begin(ctx);
  sn_scope_end(outer);
  sn_scope again = sn_scope_begin(ctx), deeper = sn_scope_begin(ctx);
  sn_tensor *y = F32(SN_SHAPE(1), 6);
  sn_scope_end(inner);
  EXPECT(y, SN_SHAPE(1), 6);
  sn_scope_end(again);
  sn_scope_end(deeper);
  sn_scope_end(second);
  sn_scope_end((sn_scope){NULL, 0, 0});
}
END_TEST

static void destroy_in_a_scope(void) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .allocator = {counting_reallocate, &memory}), SN_OK);
  sn_scope plain = sn_scope_begin(context);
  SN_SCOPE(context);
  SN_FRAME(context, "main");
  {
    SN_SCOPE(context);
    sn_ones(context, SN_F32, SN_SHAPE(3));
  }
  sn_ones(context, SN_F32, SN_SHAPE(3));
  sn_context_destroy(context);
  sn_scope_end(plain);
}

static void end_out_of_order(void) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .allocator = {counting_reallocate, &memory}), SN_OK);
  sn_scope outer = sn_scope_begin(context);
  SN_SCOPE(context);
  sn_scope_end(outer);
  sn_context_destroy(context);
}

START_TEST(scopes_and_frames_may_end_after_their_context) {
  int64_t blocks = memory.blocks;
  destroy_in_a_scope();
  ck_assert_int_eq(memory.blocks, blocks);
  end_out_of_order();
  ck_assert_int_eq(memory.blocks, blocks);
}
END_TEST

START_TEST(a_handle_of_another_context_is_that_contexts) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .allocator = {counting_reallocate, &memory}), SN_OK);
  sn_scope here = sn_scope_begin(ctx), there = sn_scope_begin(other);
  sn_tensor *x = F32(SN_SHAPE(1), 5);
  sn_scope_end(there);
  EXPECT(x, SN_SHAPE(1), 5);
  sn_scope_end(here);
  sn_context_destroy(other);
}
END_TEST

// ---- callbacks
typedef struct mischief {
  sn_scope outer;
  sn_tensor *input;
  bool destroy, end, release, leave_open;
} mischief;

static sn_status misbehave(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const mischief *m = user;
  if (m->destroy) sn_context_destroy(context);
  if (m->end) sn_scope_end(m->outer);
  if (m->release) sn_release(m->input);
  if (m->leave_open) sn_scope_begin(context);
  out[0] = sn_add(in[0], in[0]);
  return sn_pending_error(context);
}

static sn_status call_mischief(bool eager, mischief m) {
  sn_function *f = sn_function_create(ctx, misbehave, .inputs = 1, .outputs = 1, .user = &m);
  sn_tensor *y;
  sn_status status = eager ? sn_call_eager(f, &m.input, 1, &y, 1) : sn_call(f, &m.input, 1, &y, 1);
  if (!status) EXPECT(y, SN_SHAPE(2), 2, 4);
  sn_function_destroy(f);
  return status;
}

START_TEST(a_callback_cannot_destroy_its_context) {
  bool eager = _i;
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2);
  ck_assert_int_eq(call_mischief(eager, (mischief){.input = x, .destroy = true}), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_context_destroy: not possible in a"));
  EXPECT(sn_add(x, x), SN_SHAPE(2), 2, 4);
}
END_TEST

START_TEST(a_callback_cannot_end_a_scope_around_it) {
  bool eager = _i;
  sn_scope outer = sn_scope_begin(ctx);
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2);
  ck_assert_int_eq(call_mischief(eager, (mischief){.outer = outer, .input = x, .end = true}),
                   SN_ERR_STATE);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(ctx), "sn_scope_end: the scope was opened outside"));
  EXPECT(x, SN_SHAPE(2), 1, 2);
  sn_scope_end(outer);
}
END_TEST

START_TEST(a_callback_that_releases_its_input_is_told) {
  bool eager = _i;
  sn_tensor *x;
  {
    SN_SCOPE(ctx);
    x = sn_keep(F32(SN_SHAPE(2), 1, 2));
  }
  sn_status status = call_mischief(eager, (mischief){.input = x, .release = true});
  ck_assert_int_eq(status, SN_ERR_STATE);
  ck_assert_msg(strstr(sn_error_message(ctx), "has been released") != NULL, "%s",
                sn_error_message(ctx));
}
END_TEST

START_TEST(a_scope_that_a_callback_leaves_open_ends_with_it) {
  bool eager = _i;
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2);
  sn_scope outer = sn_scope_begin(ctx);
  ck_assert_int_eq(call_mischief(eager, (mischief){.input = x, .leave_open = true}), SN_OK);
  sn_scope_end(outer);
  EXPECT(x, SN_SHAPE(2), 1, 2);
}
END_TEST

// ---- contexts
START_TEST(a_destroyed_context_whose_memory_lives_on_is_refused) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .allocator = {counting_reallocate, &memory}), SN_OK);
  sn_function *f = sn_function_create(context, twice, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_keep(sn_ones(context, SN_F32, SN_SHAPE(2))), *y;
  sn_program *program;
  sn_context_destroy(context);
  sn_context_destroy(context);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_call_eager(f, &x, 1, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_F32, SN_SHAPE(2)}, 1, &program),
                   SN_ERR_ARGUMENT);
  ck_assert_ptr_null(sn_add(x, x));
  ck_assert_ptr_null(sn_zeros(context, SN_F32, SN_SHAPE(2)));
  ck_assert_ptr_null(sn_tape_begin(context));
  ck_assert_int_eq(sn_check(context), SN_ERR_ARGUMENT);
  SN_SCOPE(context);
  SN_FRAME(context, "late");
  sn_context_trim(context);
  ck_assert_int_eq(sn_fail(context, SN_ERR_FILE, "late"), SN_ERR_FILE);
  sn_context *sibling;
  ck_assert_int_eq(sn_context_create(&sibling, .share = context), SN_ERR_ARGUMENT);
  sn_release(x);
  sn_function_destroy(f);
}
END_TEST

static sn_context *hooked;
static void on_release(void *user) {
  (void)user;
  sn_context_destroy(hooked);
}

START_TEST(the_release_of_the_callers_memory_cannot_destroy_the_context) {
  static float data[2] = {1, 2};
  hooked = ctx;
  {
    SN_SCOPE(ctx);
    sn_from_memory(ctx, SN_F32, SN_SHAPE(2), data, on_release, NULL);
  }
  expect_error(SN_ERR_STATE, "sn_context_destroy");
}
END_TEST

// ---- two threads
typedef struct player {
  pthread_t thread;
  sn_function *function;
  sn_tensor *x;
  int refused, wrong;
  bool calls;
} player;
static _Atomic int ready, met;

static void *play(void *user) {
  player *p = user;
  atomic_fetch_add(&ready, 1);
  while (atomic_load(&ready) < 2) {
  }
  for (int i = 0; i < (atomic_load(&met) ? 2000 : 10000000); i++) {
    SN_SCOPE(ctx);
    sn_tensor *y = NULL;
    sn_status status;
    if (p->calls) {
      status = sn_call(p->function, &p->x, 1, &y, 1);
    } else {
      y = sn_add(p->x, p->x);
      status = sn_check(ctx);
    }
    p->refused += status == SN_ERR_STATE;
    if (status) atomic_store(&met, 1);
    p->wrong += status && status != SN_ERR_STATE;
  }
  return NULL;
}

START_TEST(two_threads_in_one_context_are_told) {
  bool calls = _i;
  sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1);
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  player players[2] = {{.function = f, .x = x, .calls = calls},
                       {.function = f, .x = x, .calls = calls}};
  atomic_store(&ready, 0);
  atomic_store(&met, 0);
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
  for (int i = 0; i < 2; i++) pthread_join(players[i].thread, NULL);
  ck_assert_int_gt(players[0].refused + players[1].refused, 0);
  ck_assert_int_eq(players[0].wrong + players[1].wrong, 0);
  sn_status left = sn_check(ctx);  // a note may be left of the last calls
  ck_assert(!left || left == SN_ERR_STATE);
  EXPECT(sn_add(x, x), SN_SHAPE(2), 2, 4);
  sn_function_destroy(f);
}
END_TEST

// A thread that is in the context when another one comes.
static sn_status let_another_in(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  pthread_t thread;
  player *p = user;
  atomic_store(&ready, 1);
  atomic_store(&met, 1);
  ck_assert_int_eq(pthread_create(&thread, NULL, play, p), 0);
  pthread_join(thread, NULL);
  out[0] = sn_add(in[0], in[0]);
  return sn_pending_error(context);
}

START_TEST(a_second_thread_is_refused_and_leaves_a_note) {
  player p = {.x = F32(SN_SHAPE(2), 1, 2)};
  sn_function *f = sn_function_create(ctx, let_another_in, .inputs = 1, .outputs = 1, .user = &p);
  sn_tensor *y;
  p.function = f;
  p.calls = true;
  ck_assert_int_eq(sn_call_eager(f, &p.x, 1, &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "two threads have used one context"));
  ck_assert_int_eq(p.refused, 2000);
  EXPECT(sn_add(p.x, p.x), SN_SHAPE(2), 2, 4);
  sn_function_destroy(f);
}
END_TEST

// One after the other is no mistake, in a scope that is open meanwhile too.
static void *add_once(void *user) {
  SN_SCOPE(ctx);
  EXPECT(sn_add(user, user), SN_SHAPE(2), 2, 4);
  return NULL;
}

START_TEST(threads_may_take_turns) {
  SN_SCOPE(ctx);
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2);
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, add_once, x), 0);
    pthread_join(thread, NULL);
    EXPECT(sn_add(x, x), SN_SHAPE(2), 2, 4);
  }
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("lifetimes");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_test(c, releasing_a_result_of_a_scope_does_nothing);
  tcase_add_test(c, what_was_kept_is_released_as_often_and_no_more);
  tcase_add_test(c, what_functions_hold_is_not_the_callers_to_release);
  tcase_add_test(c, a_result_is_refused_when_its_scope_has_ended);
  tcase_add_test(c, a_tensor_is_refused_when_it_has_been_released);
  tcase_add_test(c, a_result_stays_refused_for_a_while);
  tcase_add_test(c, dead_results_of_every_scope_are_refused);
  tcase_add_test(c, a_scope_handle_ends_its_own_scope_alone);
  tcase_add_test(c, scopes_and_frames_may_end_after_their_context);
  tcase_add_test(c, a_handle_of_another_context_is_that_contexts);
  tcase_add_loop_test(c, a_callback_cannot_destroy_its_context, 0, 2);
  tcase_add_loop_test(c, a_callback_cannot_end_a_scope_around_it, 0, 2);
  tcase_add_loop_test(c, a_callback_that_releases_its_input_is_told, 0, 2);
  tcase_add_loop_test(c, a_scope_that_a_callback_leaves_open_ends_with_it, 0, 2);
  tcase_add_test(c, a_destroyed_context_whose_memory_lives_on_is_refused);
  tcase_add_test(c, the_release_of_the_callers_memory_cannot_destroy_the_context);
  tcase_add_loop_test(c, two_threads_in_one_context_are_told, 0, 2);
  tcase_add_test(c, a_second_thread_is_refused_and_leaves_a_note);
  tcase_add_test(c, threads_may_take_turns);
  return run_cases("lifetimes", &c, 1);
}
