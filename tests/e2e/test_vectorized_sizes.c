// Sizes and numbers of iterations that each example has of its own in sn_vectorized_map: masks of it, second derivatives through
// sn_while_loop, forward mode of sn_jacobian through one; in eager mode, in traces and for both backends.
#include "vectorized.h"

#include <stdio.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

enum { length = 5 };

// ---- masks
BODY(sum_of_positive) {
  sn_tensor *some = sn_boolean_mask(in[0], sn_greater(in[0], 0));
  out[0] = sn_sum(sn_mul(sn_sqrt(some), some));
  out[1] = sn_mul(in[0], out[0]);
  END;
}
// The rows that are left are the carries of a loop.
BODY(add_positive) {
  sn_tensor *t[2];
  sum_of_positive(c, in + 1, t, NULL);
  out[0] = sn_mul(t[1], 0.25);
  END;
}
BODY(loop_of_masks) {
  sn_fori_loop(c, 0, 3, add_positive, NULL, in, 1, out, 1);
  out[1] = sn_sum(out[0]);
  END;
}
// A size that all examples share, and one of each.
static sn_tensor *table;  // f32[length], of the test's context
BODY(shared_and_own) {
  sn_tensor *shared = sn_boolean_mask(table, sn_greater(table, 0));
  sn_tensor *own = sn_boolean_mask(in[0], sn_less(in[0], 0.5));
  out[0] = sn_add(sn_sum(sn_exp(shared)), sn_sum(own));
  out[1] = sn_mul(in[0], sn_sum(shared));
  END;
}
BODY(shared_alone) {
  sn_tensor *shared = sn_boolean_mask(table, sn_greater(table, 0));
  out[0] = sn_sum(sn_mul(sn_expand_dims(in[0], 1), sn_exp(shared)));
  out[1] = sn_sum(sn_exp(shared));
  END;
}
BODY(gradient_of_masks) {
  sn_tensor *t[2], *x = in[0];
  sum_of_positive(c, in, t, NULL);
  sn_gradients(t[0], &x, 1, &out[1]);
  out[0] = t[0];
  END;
}

// ---- loops
BODY(is_small) {
  out[0] = sn_less(sn_sum(sn_square(in[0])), 30);
  END;
}
BODY(grow) {
  out[0] = sn_mul(in[0], sn_add(sn_square(in[0]), 1.1));
  END;
}
BODY(while_small) {
  sn_while_loop(c, is_small, grow, NULL, in, 1, out, 1);
  END;
}
BODY(second_derivative) {
  sn_tensor *y, *g, *x = in[0];
  while_small(c, in, &y, NULL);
  sn_gradients(sn_sum(y), &x, 1, &g);
  sn_gradients(sn_sum(sn_square(g)), &x, 1, &out[0]);
  out[1] = g;
  END;
}
BODY(forward_jacobian) {
  sn_tensor *y, *x = in[0];
  while_small(c, in, &y, NULL);
  sn_jacobian(y, &x, 1, &out[0], .mode = SN_JACOBIAN_FORWARD);
  sn_jacobian(y, &x, 1, &out[1], .mode = SN_JACOBIAN_REVERSE);
  END;
}
BODY(hessian) {
  sn_tensor *y, *x = in[0];
  while_small(c, in, &y, NULL);
  sn_hessian(sn_sum(y), &x, 1, &out[0]);
  out[1] = y;
  END;
}

static const struct {
  const char *name;
  sn_callback body;
  bool is_second;
} cases[] = {
    {"sum_of_positive", sum_of_positive, false},     {"loop_of_masks", loop_of_masks, false},
    {"shared_and_own", shared_and_own, false},       {"shared_alone", shared_alone, false},
    {"gradient_of_masks", gradient_of_masks, false}, {"second_derivative", second_derivative, true},
    {"forward_jacobian", forward_jacobian, false},   {"hessian", hessian, true}};
enum { n_cases = sizeof(cases) / sizeof(*cases) };

static sn_context *open_context(bool native) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .backend = native ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER,
                        .threads = 1, .plugin_path = SINTER_PLUGIN_PATH),
      SN_OK);
  const float values[length] = {0.5f, -1, 2, 0.125f, -3};
  table = sn_constant(c, SN_F32, SN_SHAPE(length), values);
  return c;
}

static sn_tensor *make_examples(sn_context *c) {
  const float x[n_examples * length] = {.1f,  -.2f, .3f, .4f,  .5f, .6f, .7f, -.3f,
                                        -.1f, .9f,  -1,  -.2f, 0,   -3,  -.5f};
  return sn_constant(c, SN_F32, SN_SHAPE(n_examples, length), x);
}

static void must(sn_context *c, sn_status status, const char *what) {
  ck_assert_msg(!status, "%s: %s: %s", what, sn_status_name(status), sn_error_message(c));
}

// Second derivatives of a while are those of scans in a map, and of its unrolled steps in eager mode: other sums.
static void expect_close(sn_tensor *a, sn_tensor *b, const char *what) {
  float x[n_examples * length * length], y[n_examples * length * length];
  const size_t n = (size_t)sn_size(a) * sizeof(float);
  ck_assert_int_eq(sn_size(a), sn_size(b));
  ck_assert_int_eq(sn_read(a, x, n), SN_OK);
  ck_assert_int_eq(sn_read(b, y, n), SN_OK);
  for (int i = 0; i < sn_size(a); i++)
    ck_assert_msg(fabsf(x[i] - y[i]) <= 1e-5f * (1 + fabsf(x[i])), "%s: element %d, %g and %g",
                  what, i, (double)x[i], (double)y[i]);
}

// Eager mode, a trace, and the loop over the examples have the same bits.
START_TEST(examples_have_sizes_of_their_own) {
  const char *name = cases[_i % n_cases].name;
  sn_context *c = open_context(_i >= n_cases);
  request r = {cases[_i % n_cases].body, NULL, 1, 2, NULL};
  sn_tensor *x = make_examples(c), *expected[2], *eager[2], *traced[2];
  sn_function *f = sn_function_create(c, looped, .user = &r, .inputs = 1, .outputs = 2);
  must(c, sn_call_eager(f, &x, 1, expected, 2), name);
  must(c, mapped(c, &x, eager, &r), name);
  must(c, call_traced(c, &r, &x, traced), name);
  for (int i = 0; i < 2; i++) {
    if (cases[_i % n_cases].is_second)
      expect_close(expected[i], eager[i], name);
    else
      expect_same(eager[i], expected[i], name, "eager mode");
    expect_same(traced[i], eager[i], name, "a trace");
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- the other way round: derivatives of maps
BODY(second_of_map) {
  sn_tensor *y, *g, *x = in[0];
  sn_vectorized_map(c, while_small, NULL, &x, 1, &y, 1);
  sn_gradients(sn_add(sn_sum(y), sn_sum(sn_square(y))), &x, 1, &g);
  sn_gradients(sn_add(sn_sum(sn_square(g)), sn_sum(y)), &x, 1, out);
  END;
}
BODY(second_of_one) {
  sn_tensor *y, *g, *x = in[0];
  while_small(c, in, &y, NULL);
  sn_gradients(sn_add(sn_sum(y), sn_sum(sn_square(y))), &x, 1, &g);
  sn_gradients(sn_add(sn_sum(sn_square(g)), sn_sum(y)), &x, 1, out);
  END;
}

START_TEST(second_derivatives_of_maps) {
  sn_context *c = open_context(_i & 1);
  request r = {second_of_one, NULL, 1, 1, NULL};
  sn_tensor *x = make_examples(c), *expected, *y;
  sn_function *one = sn_function_create(c, looped, .user = &r, .inputs = 1, .outputs = 1),
              *all = sn_function_create(c, second_of_map, .inputs = 1, .outputs = 1);
  must(c, sn_call_eager(one, &x, 1, &expected, 1), "one after the other");
  must(c, _i & 2 ? sn_call_eager(all, &x, 1, &y, 1) : sn_call(all, &x, 1, &y, 1), "a map");
  expect_close(expected, y, "second derivatives");
  sn_function_destroy(one);
  sn_function_destroy(all);
  sn_context_destroy(c);
}
END_TEST

// A checkpoint under a tape may have sizes that it finds out.
START_TEST(checkpoints_under_tapes) {
  sn_context *c = open_context(false);
  sn_tensor *x = sn_index(make_examples(c), 0, 1), *y[2], *g[2];
  for (int i = 0; i < 2; i++) {
    sn_tape *tape = sn_tape_begin(c);
    sn_tape_watch(tape, x);
    if (i)
      sn_checkpoint(c, sum_of_positive, NULL, &x, 1, y, 2);
    else
      sum_of_positive(c, &x, y, NULL);
    sn_tape_gradient(tape, y[0], &x, 1, &g[i]);
    must(c, sn_check(c), "a checkpoint");
    sn_tape_end(tape);
  }
  expect_same(g[0], g[1], "sum_of_positive", "a checkpoint");
  sn_context_destroy(c);
}
END_TEST

// ---- what is refused
BODY(give_own_size) {
  out[0] = sn_boolean_mask(in[0], sn_greater(in[0], 0));
  END;
}
BODY(give_shared_size) {
  out[0] = sn_boolean_mask(table, sn_greater(table, 0));
  END;
}

START_TEST(results_have_one_size) {
  sn_context *c = open_context(false);
  sn_tensor *x = make_examples(c), *y;
  request r = {give_own_size, NULL, 1, 1, NULL};
  for (int traced = 0; traced < 2; traced++) {
    const sn_status status = traced ? call_traced(c, &r, &x, &y) : mapped(c, &x, &y, &r);
    ck_assert_int_eq(status, SN_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(sn_error_message(c),
                         "a size of a result depends on elements, so that "
                         "each example has its own"),
                  "%s", sn_error_message(c));
    ck_assert_int_eq(sn_check(c), traced ? SN_OK : SN_ERR_UNSUPPORTED);
  }
  r.body = give_shared_size;
  must(c, call_traced(c, &r, &x, &y), "a shared size");
  ck_assert_int_eq(sn_dim(y, 0), n_examples);
  ck_assert_int_eq(sn_dim(y, 1), 3);
  ck_assert_int_eq(mapped(c, &x, &y, &r), SN_ERR_UNSUPPORTED);  // eager: no size is known later
  ck_assert_msg(strstr(sn_error_message(c),
                       "a size of a result depends on elements: use sn_call, or a .length"),
                "%s", sn_error_message(c));
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("vectorized_sizes");
  TCase *tcase = tcase_create("vectorized_sizes");
  tcase_add_loop_test(tcase, examples_have_sizes_of_their_own, 0, 2 * n_cases);
  tcase_add_loop_test(tcase, second_derivatives_of_maps, 0, 4);
  tcase_add_test(tcase, checkpoints_under_tapes);
  tcase_add_test(tcase, results_have_one_size);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
