// Tapes: acceptance rows D3 to D7 and D9; watching, stopping, nesting, variables and their
// assignments, unconnected inputs, memory.
#include "frontend_fixture.h"

// 3 w1^2 + 2 w1 w2
static sn_tensor *example(sn_tensor *w1, sn_tensor *w2) {
  return sn_add(sn_mul_scalar(sn_square(w1), 3), sn_mul_scalar(sn_mul(w1, w2), 2));
}

static sn_tensor *w[2];

static void make_variables(void) {
  setup();
  w[0] = sn_variable(sn_scalar_f32(ctx, 5), .name = "w1");
  w[1] = sn_variable(sn_scalar_f32(ctx, 3), .name = "w2");
}

static void drop_variables(void) {
  sn_release(w[0]);
  sn_release(w[1]);
  teardown();
}

static void expect_items(sn_tensor **g, double a, double b) {
  ck_assert_double_eq(item(g[0]), a);
  ck_assert_double_eq(item(g[1]), b);
}

START_TEST(test_d3_gradient_of_a_tape) {
  sn_tensor *g[2];
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tensor *z = example(w[0], w[1]);
  sn_tape_gradient(tape, z, w, 2, g);
  sn_tape_end(tape);
  ck_assert_double_eq(item(z), 105);
  expect_items(g, 36, 10);
}
END_TEST

START_TEST(test_d4_a_tape_is_used_once) {
  sn_tensor *g[2];
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tensor *z = example(w[0], w[1]);
  sn_tape_gradient(tape, z, &w[0], 1, g);
  ck_assert_double_eq(item(g[0]), 36);
  sn_tape_gradient(tape, z, &w[1], 1, g);
  ck_assert(sn_failed(g[0]));
  expect_error(SN_ERR_STATE, "used already");
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_d5_a_persistent_tape_is_used_twice) {
  sn_tensor *g[2];
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tensor *z = example(w[0], w[1]);
  for (int i = 0; i < 2; i++) {
    sn_tape_gradient(tape, z, w, 2, g);
    expect_items(g, 36, 10);
  }
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_d6_constants_are_not_watched) {
  sn_tensor *c[2] = {sn_scalar_f32(ctx, 5), sn_scalar_f32(ctx, 3)}, *g[2] = {c[0], c[1]};
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tensor *z = example(c[0], c[1]);
  sn_tape_gradient(tape, z, c, 2, g, .unconnected = SN_NONE);
  ck_assert_ptr_null(g[0]);
  ck_assert_ptr_null(g[1]);
  sn_tape_gradient(tape, z, c, 2, g);
  ck_assert(sn_failed(g[0]) && sn_failed(g[1]));
  expect_error(SN_ERR_GRADIENT, "xs[0]");
  sn_tape_gradient(tape, z, c, 2, g, .unconnected = SN_ZEROS);
  expect_items(g, 0, 0);
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_d7_watched_constants) {
  sn_tensor *c[2] = {sn_scalar_f32(ctx, 5), sn_scalar_f32(ctx, 3)}, *g[2];
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, c[0]);
  sn_tape_watch(tape, c[1]);
  sn_tensor *z = example(c[0], c[1]);
  sn_tape_gradient(tape, z, c, 2, g);
  sn_tape_end(tape);
  expect_items(g, 36, 10);
}
END_TEST

START_TEST(test_d9_hessian_by_nesting) {
  sn_tensor *jacobian[2], *row[2];
  sn_tape *outer = sn_tape_begin(ctx, .persistent = true);
  sn_tape *inner = sn_tape_begin(ctx);
  sn_tensor *z = example(w[0], w[1]);
  sn_tape_gradient(inner, z, w, 2, jacobian);
  sn_tape_end(inner);
  expect_items(jacobian, 36, 10);
  sn_tape_gradient(outer, jacobian[0], w, 2, row, .unconnected = SN_NONE);
  expect_items(row, 6, 2);
  sn_tape_gradient(outer, jacobian[1], w, 2, row, .unconnected = SN_NONE);
  ck_assert_double_eq(item(row[0]), 2);
  ck_assert_ptr_null(row[1]);
  sn_tape_end(outer);
}
END_TEST

START_TEST(test_a_persistent_tape_records_its_own_gradient) {
  sn_tensor *g, *gg, *ggg;
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tensor *y = sn_pow_scalar(w[0], 4);
  sn_tape_gradient(tape, y, &w[0], 1, &g);
  sn_tape_gradient(tape, g, &w[0], 1, &gg);
  sn_tape_gradient(tape, gg, &w[0], 1, &ggg);
  sn_tape_end(tape);
  ck_assert_double_eq(item(g), 500);
  ck_assert_double_eq(item(gg), 300);
  ck_assert_double_eq(item(ggg), 120);
}
END_TEST

START_TEST(test_stopping_and_resuming) {
  sn_tensor *g[2];
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tensor *a = sn_square(w[0]);
  sn_tape_stop_recording(tape);
  sn_tensor *b = sn_square(w[0]);
  sn_tape_resume_recording(tape);
  sn_tensor *c = sn_mul(a, b);  // b counts as a constant
  sn_tape_gradient(tape, c, w, 1, g);
  ck_assert_double_eq(item(g[0]), 25 * 10);
  sn_tape_gradient(tape, b, w, 1, g, .unconnected = SN_NONE);
  ck_assert_ptr_null(g[0]);
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_an_inner_tape_sees_only_what_came_after_it) {
  sn_tensor *x = sn_scalar_f32(ctx, 3), *g[2];
  sn_tape *outer = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(outer, x);
  sn_tensor *y = sn_square(x);
  sn_tape *inner = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(inner, x);
  sn_tape_watch(inner, y);
  sn_tensor *z = sn_mul(x, y);
  sn_tensor *xs[2] = {x, y};
  sn_tape_gradient(inner, z, xs, 2, g);
  expect_items(g, 9, 3);
  sn_tape_gradient(outer, z, xs, 2, g);
  expect_items(g, 27, 3);
  sn_tape_end(outer);  // in any order
  sn_tape_gradient(inner, z, xs, 2, g);
  expect_items(g, 9, 3);
  sn_tape_end(inner);
  // Marks of ended tapes mean nothing to a new one.
  sn_tape *fresh = sn_tape_begin(ctx);
  sn_tensor *u = sn_mul(x, y);
  sn_tape_gradient(fresh, u, xs, 2, g, .unconnected = SN_NONE);
  ck_assert_ptr_null(g[0]);
  sn_tape_end(fresh);
}
END_TEST

START_TEST(test_which_variables_are_watched) {
  sn_tensor *frozen = sn_variable(sn_scalar_f32(ctx, 2), .frozen = true), *g[2];
  sn_tensor *xs[2] = {w[0], frozen};
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tensor *y = sn_mul(w[0], frozen);
  sn_tape_gradient(tape, y, xs, 2, g, .unconnected = SN_NONE);
  ck_assert_double_eq(item(g[0]), 2);
  ck_assert_ptr_null(g[1]);
  sn_tape_end(tape);
  tape = sn_tape_begin(ctx, .no_variables = true);
  sn_tape_watch(tape, frozen);
  y = sn_mul(w[0], frozen);
  sn_tape_gradient(tape, y, xs, 2, g, .unconnected = SN_NONE);
  ck_assert_ptr_null(g[0]);
  ck_assert_double_eq(item(g[1]), 5);
  sn_tape_end(tape);
  sn_release(frozen);
}
END_TEST

START_TEST(test_assigning_makes_a_new_value) {
  sn_tensor *g;
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tensor *before = sn_square(w[0]);  // at 5
  sn_tape_gradient(tape, before, w, 1, &g);
  ck_assert_double_eq(item(g), 10);
  sn_assign(w[0], sn_scalar_f32(ctx, 7));
  sn_tape_gradient(tape, before, w, 1, &g);  // still with respect to the value that was read
  ck_assert_double_eq(item(g), 10);
  sn_tensor *after = sn_square(w[0]);
  sn_tape_gradient(tape, after, w, 1, &g);
  ck_assert_double_eq(item(g), 14);
  sn_tape_gradient(tape, before, w, 1, &g);  // a later read that it does not use changes nothing
  ck_assert_double_eq(item(g), 10);
  sn_tape_gradient(tape, sn_add(before, after), w, 1, &g);
  ck_assert_double_eq(item(g), 24);
  sn_assign_add(w[0], sn_scalar_f32(ctx, 1));
  sn_tensor *later = sn_square(w[0]);
  sn_tape_gradient(tape, later, w, 1, &g);
  ck_assert_double_eq(item(g), 16);
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_broadcast_operands) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(3), 1, 2, 3)),
            *m = sn_variable(F32(SN_SHAPE(2, 1), 10, 20));
  sn_tensor *xs[2] = {v, m}, *g[2];
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tensor *y = sn_mul(sn_add(v, m), sn_mul_scalar(v, 2));
  EXPECT(y, SN_SHAPE(2, 3), 22, 48, 78, 42, 88, 138);
  sn_tape_gradient(tape, y, xs, 2, g);
  sn_tape_end(tape);
  // y = 2 v (v + m): dy/dv = sum over m of 4 v + 2 m, dy/dm = sum over v of 2 v
  EXPECT(g[0], SN_SHAPE(3), 68, 76, 84);
  EXPECT(g[1], SN_SHAPE(2, 1), 12, 12);
  sn_release(v);
  sn_release(m);
}
END_TEST

START_TEST(test_seeds_and_vectors) {
  sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 3), *g;
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(tape, x);
  sn_tensor *y = sn_square(x);
  sn_tape_gradient(tape, y, &x, 1, &g);
  EXPECT(g, SN_SHAPE(3), 2, 4, 6);
  sn_tape_gradient(tape, y, &x, 1, &g, .seed = F32(SN_SHAPE(3), 1, 10, 100));
  EXPECT(g, SN_SHAPE(3), 2, 40, 600);
  sn_tape_gradient(tape, y, &y, 1, &g);
  EXPECT(g, SN_SHAPE(3), 1, 1, 1);
  sn_tape_gradient(tape, y, &x, 1, &g, .seed = F32(SN_SHAPE(2), 1, 10));
  ck_assert(sn_failed(g));
  expect_error(SN_ERR_GRADIENT, "seed is f32[2]");
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_many_operands_and_indices) {
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *parts[20], *g;
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(tape, x);
  for (int i = 0; i < 20; i++) parts[i] = sn_mul_scalar(x, i);
  sn_tensor *y = sn_concat(parts, 20, 0);
  sn_tensor *z = sn_gather(y, I32(SN_SHAPE(3), 39, 38, 2));
  sn_tape_gradient(tape, z, &x, 1, &g);
  EXPECT(g, SN_SHAPE(2), 20, 19);
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_why_there_is_no_gradient) {
  sn_tensor *g[2];
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tensor *y = sn_cast(sn_cast(w[0], SN_I32), SN_F32);
  sn_tape_gradient(tape, y, w, 1, g);
  expect_error(SN_ERR_GRADIENT, "cast to i32");
  sn_tape_gradient(tape, sn_square(w[0]), w, 2, g);
  expect_error(SN_ERR_GRADIENT, "xs[1] \"w2\"");
  sn_tape_gradient(tape, sn_cast(w[0], SN_I32), w, 1, g);
  expect_error(SN_ERR_GRADIENT, "only floats");
  sn_tape_gradient(tape, sn_stop_gradient(sn_square(w[0])), w, 1, g);
  expect_error(SN_ERR_GRADIENT, "stop_gradient");
  sn_tape_gradient(tape, NULL, w, 1, g);
  expect_error(SN_ERR_ARGUMENT, "sn_tape_gradient");
  ck_assert(sn_failed(g[0]));
  sn_tensor *none = NULL;
  sn_tape_gradient(tape, sn_square(w[0]), &none, 1, g);
  expect_error(SN_ERR_ARGUMENT, "xs[0] is NULL");
  sn_tape_end(tape);
  sn_tape_gradient(NULL, w[0], w, 1, g);
  expect_error(SN_ERR_ARGUMENT, "tape is NULL");
}
END_TEST

START_TEST(test_sn_gradients_uses_the_innermost_tape) {
  sn_tensor *g[2];
  sn_gradients(sn_square(w[0]), w, 1, g);
  expect_error(SN_ERR_STATE, "nothing to differentiate");
  sn_tape *outer = sn_tape_begin(ctx, .no_variables = true), *inner = sn_tape_begin(ctx);
  sn_gradients(example(w[0], w[1]), w, 2, g);
  expect_items(g, 36, 10);
  sn_tape_end(inner);
  sn_tape_end(outer);
}
END_TEST

static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_mul(sn_square(in[0]), w[0]);
  return SN_OK;
}

START_TEST(test_functions_called_under_a_tape) {
  sn_function *f = sn_function_create(ctx, cube, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(ctx, 2), *y, *g[2], *xs[2] = {x, w[0]};
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, x);
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_OK);
  sn_tape_gradient(tape, sn_square(y), xs, 2, g);
  sn_tape_end(tape);
  ck_assert_double_eq(item(y), 20);
  expect_items(g, 2 * 20 * 20, 2 * 20 * 4);
  // A stopped tape does not keep calls from their compiled code.
  tape = sn_tape_begin(ctx);
  sn_tape_stop_recording(tape);
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_OK);
  sn_tape_end(tape);
  ck_assert_double_eq(item(y), 20);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 1);
  sn_function_destroy(f);
}
END_TEST

static sn_status inner_gradient(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)context, (void)user;
  sn_gradients(sn_mul(in[0], in[1]), in, 1, out);
  return SN_OK;
}

START_TEST(test_sn_call_eager_sees_its_inputs_as_given) {
  sn_function *f = sn_function_create(ctx, inner_gradient, .inputs = 2, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(ctx, 3), *d, *g;
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, x);
  sn_tensor *y = sn_square(x);
  // d(x y)/dx in f is y alone: that y came from x is the caller's affair.
  ck_assert_int_eq(sn_call_eager(f, SN_ARGS(x, y), &d, 1), SN_OK);
  ck_assert_double_eq(item(d), 9);
  sn_tape_gradient(tape, d, &x, 1, &g);
  ck_assert_double_eq(item(g), 6);
  sn_tape_end(tape);
  sn_function_destroy(f);
}
END_TEST

static sn_status open_tape(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = in[0];
  sn_tape_end(sn_tape_begin(context));
  return SN_OK;
}

START_TEST(test_limits) {
  sn_function *f = sn_function_create(ctx, open_tape, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(ctx, 2), *y;
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  sn_function_destroy(f);
  sn_tape *tapes[65];
  for (int i = 0; i < 64; i++) ck_assert_ptr_nonnull(tapes[i] = sn_tape_begin(ctx));
  ck_assert_ptr_null(sn_tape_begin(ctx));
  expect_error(SN_ERR_STATE, "more than 64 tapes");
  sn_tape_end(tapes[40]);
  ck_assert_ptr_nonnull(tapes[40] = sn_tape_begin(ctx));
  for (int i = 0; i < 64; i++) sn_tape_end(tapes[i]);
  sn_tape_end(NULL);
  sn_tape_stop_recording(NULL);
  sn_tape_resume_recording(NULL);
  sn_tape_watch(NULL, x);
}
END_TEST

START_TEST(test_a_tape_ends_with_its_context_and_is_freed_by_its_end) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .allocator = {counting_reallocate, &memory}), SN_OK);
  int64_t blocks = memory.blocks;
  sn_tape *tape = sn_tape_begin(context), *other = sn_tape_begin(context);
  sn_tensor *x = sn_ones(context, SN_F32, SN_SHAPE(3));
  sn_tape_watch(tape, x);
  sn_square(x);
  sn_context_destroy(context);
  ck_assert_int_lt(memory.blocks, blocks);
  sn_tape_stop_recording(tape);
  sn_tape_watch(tape, w[0]);
  sn_tape_end(other);
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_an_ended_tape_is_refused) {
  sn_tape *tape = sn_tape_begin(ctx), *open = sn_tape_begin(ctx);
  sn_tensor *y = sn_square(w[0]), *g;
  sn_tape_end(tape);
  sn_tape_end(tape);
  sn_tape_gradient(tape, y, w, 1, &g);
  ck_assert(sn_failed(g));
  expect_error(SN_ERR_STATE, "sn_tape_gradient: the tape has ended");
  sn_tape_watch(tape, y);
  expect_error(SN_ERR_STATE, "sn_tape_watch: the tape has ended");
  char place[96];
  sn_tape_resume_recording(tape);
  snprintf(place, sizeof(place), "the tape has ended (%s:%d)", __FILE__, __LINE__ - 1);
  expect_error(SN_ERR_STATE, "sn_tape_resume_recording: the tape has ended");
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), place));
  for (int i = 0; i < 40; i++) sn_tape_end(sn_tape_begin(ctx));
  sn_tape_gradient(open, y, w, 1, &g);
  ck_assert(!sn_failed(g));
  sn_tape_end(open);
}
END_TEST

START_TEST(test_training_keeps_no_memory) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(2, 2), 1, 2, 3, 4)), *g;
  int64_t blocks = 0;
  double first = 0, last = 0;
  for (int i = 0; i < 60; i++) {
    SN_SCOPE(ctx);
    sn_tape *tape = sn_tape_begin(ctx);
    sn_tensor *loss = sn_mean(sn_square(sn_sub(v, F32(SN_SHAPE(2, 2), 4, 3, 2, 1))));
    sn_tape_gradient(tape, loss, &v, 1, &g);
    sn_tape_end(tape);
    sn_assign_sub(v, sn_mul_scalar(g, 0.5));
    last = item(loss);
    if (!i) first = last;
    if (i == 30) blocks = memory.blocks;
  }
  ck_assert_double_eq(first, 5);
  ck_assert_double_lt(last, 1e-9);
  ck_assert_int_eq(memory.blocks, blocks);
  sn_release(v);
}
END_TEST

static sn_status descend(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_tensor *v = user, *slope, *curvature;
  out[0] = sn_sum(sn_square(sn_mul(in[0], v)));
  sn_gradients(out[0], &v, 1, &slope);
  sn_gradients(sn_sum(slope), &v, 1, &curvature);
  sn_assign_sub(v, sn_div(slope, curvature));
  out[1] = slope;
  return SN_OK;
}

// The call's own gradients do not use up the tape around it, whatever that watches, and flow on.
START_TEST(test_a_train_step_under_a_tape) {
  for (int kind = 0; kind < 3; kind++) {
    sn_tensor *v = sn_variable(F32(SN_SHAPE(2), 1, 2)), *x = F32(SN_SHAPE(2), 3, 4), *out[2], *dx;
    sn_function *f = sn_function_create(ctx, descend, .inputs = 1, .outputs = 2, .user = v);
    sn_tape *tape = sn_tape_begin(ctx, .persistent = kind == 1, .no_variables = kind == 2);
    sn_tape_watch(tape, x);
    ck_assert_msg(!sn_call(f, &x, 1, out, 2), "%s", sn_error_message(ctx));
    EXPECT(out[1], SN_SHAPE(2), 18, 64);
    EXPECT(v, SN_SHAPE(2), 0, 0);
    sn_tape_gradient(tape, out[1], &x, 1, &dx);  // of 2 x^2 v
    EXPECT(dx, SN_SHAPE(2), 12, 32);
    sn_tape_end(tape);
    sn_function_destroy(f);
    sn_release(v);
  }
}
END_TEST

// A one-shot tape is not used up by the first of several inputs, one of which leads to another.
START_TEST(test_gradients_of_a_value_and_of_what_it_came_from) {
  sn_tensor *x = sn_scalar_f32(ctx, 3), *g[2];
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, x);
  sn_tensor *h = sn_mul(x, x), *y = sn_mul(h, h), *xs[2] = {h, x};
  sn_tape_gradient(tape, y, xs, 2, g);
  sn_tape_end(tape);
  expect_items(g, 18, 108);
}
END_TEST

START_TEST(test_a_scalar_condition_chooses_whole_operands) {
  for (int taken = 0; taken < 2; taken++) {
    sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 3), *z = F32(SN_SHAPE(3), 5, 6, 7), *g;
    sn_tape *tape = sn_tape_begin(ctx);
    sn_tape_watch(tape, x);
    sn_tensor *chosen = sn_where(sn_scalar_bool(ctx, taken), x, z);
    sn_tensor *y = sn_sum(sn_mul(chosen, x));
    sn_tape_gradient(tape, y, &x, 1, &g);
    sn_tape_end(tape);
    if (taken)
      EXPECT(g, SN_SHAPE(3), 2, 4, 6);
    else
      EXPECT(g, SN_SHAPE(3), 5, 6, 7);
  }
}
END_TEST

// The seed is recorded last: it may be the value for which the record must grow.
START_TEST(test_a_fresh_seed_fits_a_record_of_any_length) {
  for (int n = 1; n < 70; n++) {
    SN_SCOPE(ctx);
    sn_tensor *x = sn_scalar_f32(ctx, 1), *y = x, *g;
    sn_tape *tape = sn_tape_begin(ctx);
    sn_tape_watch(tape, x);
    for (int i = 0; i < n; i++) y = sn_mul(y, x);
    sn_tape_gradient(tape, y, &x, 1, &g, .seed = sn_scalar_f32(ctx, 2));
    sn_tape_end(tape);
    ck_assert_double_eq(item(g), 2 * (n + 1));
  }
}
END_TEST

// ---- tapes that ended while another stays open: a new one inherits nothing of theirs
static void expect_unconnected(sn_tape *tape, sn_tensor *y, sn_tensor *x) {
  sn_tensor *g = x;
  sn_tape_gradient(tape, y, &x, 1, &g, .unconnected = SN_NONE);
  ck_assert_ptr_null(g);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}

START_TEST(test_a_new_tape_inherits_no_watched_tensor) {
  sn_tensor *x = sn_scalar_f32(ctx, 3);
  sn_tape *open = sn_tape_begin(ctx), *ended = sn_tape_begin(ctx);
  sn_tape_watch(open, x);
  sn_tape_watch(ended, x);
  sn_tensor *y = sn_mul(x, x);
  sn_tape_end(ended);
  sn_tape *fresh = sn_tape_begin(ctx);
  expect_unconnected(fresh, sn_mul(y, y), x);
  sn_tape_end(fresh);
  sn_tape_end(open);
}
END_TEST

START_TEST(test_a_new_tape_inherits_no_watched_variable) {
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 3), .frozen = true);
  sn_tape *open = sn_tape_begin(ctx), *ended = sn_tape_begin(ctx);
  sn_tape_watch(open, v);
  sn_tape_watch(ended, v);
  sn_tape_end(ended);
  sn_tape *fresh = sn_tape_begin(ctx);
  expect_unconnected(fresh, sn_mul(v, v), v);
  sn_tape_end(fresh);
  sn_tape_end(open);
  sn_release(v);
}
END_TEST

START_TEST(test_a_new_tape_does_not_look_behind_its_beginning) {
  sn_tensor *x = sn_scalar_f32(ctx, 3), *g;
  sn_tape *open = sn_tape_begin(ctx), *ended = sn_tape_begin(ctx);
  sn_tape_watch(open, x);
  sn_tape_watch(ended, x);
  sn_tensor *y = sn_mul(x, x);
  sn_tape_end(ended);
  sn_tape *fresh = sn_tape_begin(ctx);
  sn_tape_watch(fresh, x);
  sn_tape_watch(fresh, y);
  sn_tensor *z = sn_mul(x, y);
  sn_tape_gradient(fresh, z, &x, 1, &g);
  ck_assert_double_eq(item(g), 9);
  sn_tape_gradient(open, z, &x, 1, &g);
  ck_assert_double_eq(item(g), 27);
  sn_tape_end(fresh);
  sn_tape_end(open);
}
END_TEST

START_TEST(test_a_new_tape_does_not_inherit_that_variables_are_watched) {
  sn_tape *open = sn_tape_begin(ctx), *ended = sn_tape_begin(ctx);
  sn_tape_end(ended);
  sn_tape *fresh = sn_tape_begin(ctx, .no_variables = true);
  expect_unconnected(fresh, sn_mul(w[0], w[0]), w[0]);
  sn_tape_end(fresh);
  sn_tape_end(open);
}
END_TEST

START_TEST(test_a_stopped_tape_does_not_see_what_another_records) {
  sn_tensor *x = sn_scalar_f32(ctx, 3), *g;
  sn_tape *stopped = sn_tape_begin(ctx), *recording = sn_tape_begin(ctx);
  sn_tape_watch(stopped, x);
  sn_tape_watch(recording, x);
  sn_tape_stop_recording(stopped);
  sn_tensor *y = sn_mul(x, x);
  sn_tape_resume_recording(stopped);
  expect_unconnected(stopped, y, x);
  sn_tape_gradient(recording, y, &x, 1, &g);
  ck_assert_double_eq(item(g), 6);
  sn_tape_end(recording);
  sn_tape_end(stopped);
}
END_TEST

START_TEST(test_a_watched_frozen_variable_stays_watched_when_assigned) {
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 3), .frozen = true), *g;
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, v);
  sn_assign_add(v, sn_scalar_f32(ctx, 1));
  sn_tensor *y = sn_mul(v, v);
  sn_tape_gradient(tape, y, &v, 1, &g);
  sn_tape_end(tape);
  ck_assert_double_eq(item(g), 8);
  sn_release(v);
}
END_TEST

START_TEST(test_a_failed_gradient_does_not_use_the_tape_up) {
  sn_tensor *x = sn_scalar_f32(ctx, 3), *unrelated = sn_scalar_f32(ctx, 1), *g;
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, x);
  sn_tensor *y = sn_mul(x, x);
  sn_tape_gradient(tape, y, &unrelated, 1, &g);
  ck_assert(sn_failed(g));
  expect_error(SN_ERR_GRADIENT, "xs[0]");
  sn_tape_gradient(tape, y, &x, 1, &g);
  sn_tape_end(tape);
  ck_assert_double_eq(item(g), 6);
}
END_TEST

// ---- tapes and traces, tapes and contexts
static sn_status watch_traced(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  sn_tape **tape = user;
  sn_tape_watch(*tape, in[0]);
  out[0] = in[0];
  return sn_pending_error(context);
}

START_TEST(test_a_traced_tensor_cannot_be_watched) {
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_stop_recording(tape);  // so that the call is traced
  sn_function *f = sn_function_create(ctx, watch_traced, .inputs = 1, .outputs = 1, .user = &tape);
  sn_tensor *x = sn_scalar_f32(ctx, 2), *y;
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "a traced tensor cannot be watched"));
  sn_function_destroy(f);
  sn_tape_end(tape);
}
END_TEST

static sn_status begin_in_a_trace(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  *(sn_tape **)user = sn_tape_begin(context);
  out[0] = in[0];
  return SN_OK;
}

START_TEST(test_no_tape_begins_in_a_trace) {
  sn_tape *begun = (sn_tape *)&begun;
  sn_function *f =
      sn_function_create(ctx, begin_in_a_trace, .inputs = 1, .outputs = 1, .user = &begun);
  sn_tensor *x = sn_scalar_f32(ctx, 2), *y;
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_tape_begin: not possible in a trace"));
  ck_assert_ptr_null(begun);
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_a_tape_of_another_context_is_refused) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .share = ctx), SN_OK);
  sn_tape *foreign = sn_tape_begin(other), *own = sn_tape_begin(ctx);
  sn_tensor *x = sn_scalar_f32(ctx, 3), *g;
  sn_tape_watch(own, x);
  sn_tensor *y = sn_mul(x, x);
  sn_tape_gradient(foreign, y, &x, 1, &g);
  ck_assert(sn_failed(g));
  expect_error(SN_ERR_ARGUMENT, "the tape belongs to another context");
  sn_tape_end(own);
  sn_tape_end(foreign);
  sn_context_destroy(other);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("tape");
  tcase_add_checked_fixture(cases, make_variables, drop_variables);
  tcase_add_test(cases, test_d3_gradient_of_a_tape);
  tcase_add_test(cases, test_d4_a_tape_is_used_once);
  tcase_add_test(cases, test_d5_a_persistent_tape_is_used_twice);
  tcase_add_test(cases, test_d6_constants_are_not_watched);
  tcase_add_test(cases, test_d7_watched_constants);
  tcase_add_test(cases, test_d9_hessian_by_nesting);
  tcase_add_test(cases, test_a_persistent_tape_records_its_own_gradient);
  tcase_add_test(cases, test_stopping_and_resuming);
  tcase_add_test(cases, test_an_inner_tape_sees_only_what_came_after_it);
  tcase_add_test(cases, test_which_variables_are_watched);
  tcase_add_test(cases, test_assigning_makes_a_new_value);
  tcase_add_test(cases, test_broadcast_operands);
  tcase_add_test(cases, test_seeds_and_vectors);
  tcase_add_test(cases, test_many_operands_and_indices);
  tcase_add_test(cases, test_why_there_is_no_gradient);
  tcase_add_test(cases, test_sn_gradients_uses_the_innermost_tape);
  tcase_add_test(cases, test_functions_called_under_a_tape);
  tcase_add_test(cases, test_a_train_step_under_a_tape);
  tcase_add_test(cases, test_sn_call_eager_sees_its_inputs_as_given);
  tcase_add_test(cases, test_limits);
  tcase_add_test(cases, test_a_tape_ends_with_its_context_and_is_freed_by_its_end);
  tcase_add_test(cases, test_an_ended_tape_is_refused);
  tcase_add_test(cases, test_training_keeps_no_memory);
  tcase_add_test(cases, test_gradients_of_a_value_and_of_what_it_came_from);
  tcase_add_test(cases, test_a_scalar_condition_chooses_whole_operands);
  tcase_add_test(cases, test_a_fresh_seed_fits_a_record_of_any_length);
  tcase_add_test(cases, test_a_new_tape_inherits_no_watched_tensor);
  tcase_add_test(cases, test_a_new_tape_inherits_no_watched_variable);
  tcase_add_test(cases, test_a_new_tape_does_not_look_behind_its_beginning);
  tcase_add_test(cases, test_a_new_tape_does_not_inherit_that_variables_are_watched);
  tcase_add_test(cases, test_a_stopped_tape_does_not_see_what_another_records);
  tcase_add_test(cases, test_a_watched_frozen_variable_stays_watched_when_assigned);
  tcase_add_test(cases, test_a_failed_gradient_does_not_use_the_tape_up);
  tcase_add_test(cases, test_a_traced_tensor_cannot_be_watched);
  tcase_add_test(cases, test_no_tape_begins_in_a_trace);
  tcase_add_test(cases, test_a_tape_of_another_context_is_refused);
  return run_cases("tape", &cases, 1);
}
