// What other engines have got wrong of loops, branches and variables (the reports are named), in every mode.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

typedef enum mode { EAGER, INTERPRETER, COMPILED, n_modes } mode;

static sn_context *open_context(mode how) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH,
                        .backend = how == COMPILED ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
      SN_OK);
  return c;
}

static double at(sn_context *c, mode how, sn_callback body, void *user, double x, int output,
                 int n_out) {
  double result = NAN;
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, body, .user = user, .inputs = 1, .outputs = n_out);
  sn_tensor *in = sn_scalar_f64(c, x), *out[4];
  ck_assert_msg(
      !(how == EAGER ? sn_call_eager(f, &in, 1, out, n_out) : sn_call(f, &in, 1, out, n_out)), "%s",
      sn_error_message(c));
  ck_assert_int_eq(sn_item(out[output], &result), SN_OK);
  sn_function_destroy(f);
  return result;
}

// ---- jax#5900: a cond in a loop; x^4 as a masked loop
BODY(times_x) {
  out[0] = sn_mul(in[0], user);
  END;
}
BODY(leave) {
  out[0] = in[0];
  END;
}
BODY(masked_step) {
  sn_tensor *is_on = sn_less(in[0], sn_scalar_i64(c, 4));
  sn_cond(c, is_on, times_x, leave, user, in + 1, 1, out, 1);
  END;
}
BODY(power) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 9, masked_step, in[0], SN_ARGS(sn_scalar_f64(c, 1)), &y, 1);
  sn_gradients(y, in, 1, out);
  sn_gradients(out[0], in, 1, out + 1);
  (void)user;
  return sn_pending_error(c);
}

START_TEST(a_branch_in_a_loop_counts_once) {
  sn_context *c = open_context((mode)_i);
  ck_assert_double_eq(at(c, (mode)_i, power, NULL, 3, 0, 2), 108);
  ck_assert_double_eq(at(c, (mode)_i, power, NULL, 3, 1, 2), 108);
  sn_context_destroy(c);
}
END_TEST

// ---- jax#1052: a carry that nobody needs becomes NaN
BODY(one_spoils) {
  out[0] = sn_mul(in[0], sn_scalar_f64(c, 1));
  out[1] = sn_sqrt(sn_sub(sn_mul(in[0], in[1]), sn_scalar_f64(c, 9)));
  END;
}
BODY(counts_down) {
  sn_tensor *pair[2];
  one_spoils(c, in, pair, user);
  out[0] = pair[0];
  out[1] = pair[1];
  out[2] = sn_sub(in[2], sn_scalar_f64(c, 1));
  END;
}
BODY(is_positive) {
  out[0] = sn_greater(in[2], sn_scalar_f64(c, 0));
  END;
}
BODY(spoiled) {
  sn_tensor *o[3], *x = in[0];
  sn_scan(c, one_spoils, NULL, SN_ARGS(x, x), NULL, 0, o, 2, .length = 3);
  sn_gradients(o[0], in, 1, out);
  sn_while_loop(c, is_positive, counts_down, NULL, SN_ARGS(x, x, sn_scalar_f64(c, 3)), o, 3);
  sn_gradients(o[0], in, 1, out + 1);
  out[2] = o[1];
  END;
}
BODY(swap_carries) {  // by the third step each has been in the place of the last one
  out[0] = in[1];
  out[1] = in[2];
  out[2] = sn_mul_scalar(in[0], 2);
  END;
}
BODY(swapped) {
  sn_tensor *o[3], *x = in[0], *one = sn_scalar_f64(c, 1);
  sn_scan(c, swap_carries, NULL, SN_ARGS(x, one, one), NULL, 0, o, 3, .length = 3);
  sn_gradients(sn_square(o[0]), in, 1, out);
  END;
}

START_TEST(what_nobody_needs_spoils_nothing) {
  sn_context *c = open_context((mode)_i);
  for (int k = 0; k < 2; k++) ck_assert_double_eq(at(c, (mode)_i, spoiled, NULL, 2, k, 3), 1);
  ck_assert(isnan(at(c, (mode)_i, spoiled, NULL, 2, 2, 3)));
  ck_assert_double_eq(at(c, (mode)_i, swapped, NULL, 3, 0, 1), 24);
  sn_context_destroy(c);
}
END_TEST

// ---- jax#347: what the branch that is not taken would give
BODY(root) {
  out[0] = sn_add(sn_sqrt(in[0]), sn_log(in[0]));
  END;
}
BODY(twice) {
  out[0] = sn_mul_scalar(in[0], 2);
  END;
}
BODY(guard) {
  return sn_cond(c, sn_greater(in[0], sn_scalar_f64(c, 0)), root, twice, user, in, 1, out, 1);
}
BODY(guarded_examples) {  // jax-xc#28
  sn_tensor *y, *x = sn_mul(in[0], sn_range(c, SN_F64, 0, 3, 1));
  sn_vectorized_map(c, guard, user, &x, 1, &y, 1);
  sn_gradients(y, in, 1, out);
  END;
}
BODY(guarded) {
  sn_tensor *y;
  sn_cond(c, sn_greater(in[0], sn_scalar_f64(c, 0)), root, twice, NULL, in, 1, &y, 1);
  sn_gradients(y, in, 1, out);
  END;
}

START_TEST(only_the_branch_that_is_taken_counts) {
  sn_context *c = open_context((mode)_i);
  ck_assert_double_eq(at(c, (mode)_i, guarded, NULL, 0, 0, 1), 2);
  ck_assert_double_eq(at(c, (mode)_i, guarded, NULL, 4, 0, 1), 0.5);
  // 1 / 2 sqrt(x) + 1 / x, of 4 and of 8 twice; nothing of 0
  ck_assert_double_eq_tol(at(c, (mode)_i, guarded_examples, NULL, 4, 0, 1),
                          0.5 + sqrt(2) / 4 + 0.25, 1e-14);
  sn_context_destroy(c);
}
END_TEST

// ---- tf#62861: a concat in a loop, differentiated
BODY(shifts_in) {  // the newest of three comes first
  sn_tensor *x = sn_reshape(sn_sin(sn_sum(in[1])), SN_SHAPE(1));
  out[0] = sn_concat((sn_tensor *[]){x, sn_at(in[1], ":-1")}, 2, 0);
  END;
}
BODY(concats) {
  sn_tensor *y, *x = sn_stack((sn_tensor *[]){in[0], in[0], in[0]}, 3, 0);
  sn_fori_loop(c, 0, 4, shifts_in, NULL, &x, 1, &y, 1);
  out[0] = sn_sum(sn_square(y));
  sn_gradients(out[0], in, 1, out + 1);
  END;
}

static double concats_in_c(double x, double *slope) {
  double a[3] = {x, x, x}, d[3] = {1, 1, 1}, sum = 0;
  for (int i = 0; i < 4; i++) {
    const double s = a[0] + a[1] + a[2], ds = d[0] + d[1] + d[2];
    for (int k = 2; k > 0; k--) {
      a[k] = a[k - 1];
      d[k] = d[k - 1];
    }
    a[0] = sin(s);
    d[0] = cos(s) * ds;
  }
  *slope = 0;
  for (int k = 0; k < 3; k++) {
    sum += a[k] * a[k];
    *slope += 2 * a[k] * d[k];
  }
  return sum;
}

START_TEST(a_concat_in_a_loop_has_a_gradient) {
  sn_context *c = open_context((mode)_i);
  double slope;
  const double y = concats_in_c(0.3, &slope);
  ck_assert_double_eq_tol(at(c, (mode)_i, concats, NULL, 0.3, 0, 2), y, 1e-13);
  ck_assert_double_eq_tol(at(c, (mode)_i, concats, NULL, 0.3, 1, 2), slope, 1e-12);
  sn_context_destroy(c);
}
END_TEST

// ---- pytorch#95425: numbers that the host draws in a loop are others in each iteration, in every mode
static sn_status draw(const sn_host_args *a) {
  int *drawn = a->user;
  *(double *)a->out[0].data = ++*drawn;
  return SN_OK;
}
static sn_status one_number(const sn_infer_args *a) {
  a->out[0] = (sn_spec){SN_F64, SN_SCALAR};
  return SN_OK;
}
BODY(adds_drawn) {
  sn_tensor *number;
  sn_host_call(c, draw, NULL, 0, &number, 1, .infer = one_number, .user = user, .name = "draw");
  out[0] = sn_add(sn_mul(in[1], 10), number);
  END;
}
BODY(drawn_thrice) {
  sn_fori_loop(c, 0, 3, adds_drawn, user, in, 1, out, 1);
  END;
}

START_TEST(the_host_draws_in_each_iteration) {
  sn_context *c = open_context((mode)_i);
  int drawn = 0;
  ck_assert_double_eq(at(c, (mode)_i, drawn_thrice, &drawn, 7, 0, 1), 7123);
  ck_assert_double_eq(at(c, (mode)_i, drawn_thrice, &drawn, 7, 0, 1), 7456);
  ck_assert_int_eq(drawn, 6);
  sn_context_destroy(c);
}
END_TEST

// ---- lightning-thunder#2766: slices of one variable through several views, read and written in turn
BODY(views) {
  sn_tensor *v = user, *row = sn_at(v, "0"), *column;
  sn_assign_at(v, sn_mul_scalar(row, 10), "0");
  column = sn_at(v, ":, 1");
  sn_assign_at(v, sn_add(column, in[0]), ":, 1");
  out[0] = sn_sum(sn_mul(row, sn_at(v, "0")));
  sn_assign_at(v, sn_mul_scalar(sn_at(v, ":, :2"), 10), ":, :2");  // t[:, :2] *= 10, once
  out[1] = sn_sum(column);
  out[2] = sn_sum(v);
  END;
}

START_TEST(reads_and_writes_of_parts_keep_their_order) {
  const double data[2][3] = {{1, 2, 3}, {4, 5, 6}};
  const double expected[3] = {10 + 2 * 21 + 90, 25, 100 + 210 + 30 + 40 + 60 + 6};
  for (int k = 0; k < 3; k++) {
    sn_context *c = open_context((mode)_i);
    sn_tensor *v = sn_variable(sn_constant(c, SN_F64, SN_SHAPE(2, 3), data));
    ck_assert_double_eq(at(c, (mode)_i, views, v, 1, k, 3), expected[k]);
    sn_release(v);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- gradients of loops in a custom gradient's backward function, op by op too
BODY(cube) {
  out[0] = sn_mul(sn_square(in[0]), in[0]);
  END;
}
BODY(triple_sum) {  // 3 x^2 dy, term by term
  out[0] = sn_add(in[1], ((sn_tensor **)user)[0]);
  END;
}
BODY(cube_back) {
  sn_tensor *term = sn_mul(sn_square(in[0]), in[2]);
  sn_fori_loop(c, 0, 3, triple_sum, &term, SN_ARGS(sn_mul_scalar(term, 0)), out, 1);
  END;
}
BODY(cubed) {
  sn_tensor *y;
  sn_custom_gradient(c, cube, cube_back, NULL, in, 1, &y, 1);
  sn_gradients(y, in, 1, out);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}

START_TEST(backward_functions_have_loops) {
  sn_context *c = open_context((mode)_i);
  ck_assert_double_eq_tol(at(c, (mode)_i, cubed, NULL, 3, 0, 2), 27, 1e-12);
  ck_assert_double_eq_tol(at(c, (mode)_i, cubed, NULL, 3, 1, 2), 18, 1e-12);
  sn_context_destroy(c);
}
END_TEST

// ---- a forward function that gives its input, or takes gradients
BODY(itself) {
  out[0] = in[0];
  END;
}
BODY(its_slope) {
  sn_tensor *g, *x = sn_identity(in[0]);
  sn_gradients(sn_mul(sn_square(x), x), &x, 1, &g);
  out[0] = g;
  END;
}
BODY(seven) {
  out[0] = sn_mul_scalar(in[2], 7);
  END;
}
BODY(odd_forwards) {
  sn_tensor *y, *z;
  sn_custom_gradient(c, itself, seven, NULL, in, 1, &y, 1);
  sn_gradients(sn_mul(y, in[0]), in, 1, out);  // y + 7 x
  sn_custom_gradient(c, its_slope, seven, NULL, in, 1, &z, 1);
  sn_gradients(z, in, 1, out + 1);
  out[2] = z;
  END;
}

START_TEST(forward_functions_may_be_odd) {
  const double expected[3] = {16, 7, 12};
  sn_context *c = open_context((mode)_i);
  for (int k = 0; k < 3; k++)
    ck_assert_double_eq_tol(at(c, (mode)_i, odd_forwards, NULL, 2, k, 3), expected[k], 1e-12);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("control_traps");
  TCase *tests = tcase_create("control_traps");
  tcase_add_loop_test(tests, a_branch_in_a_loop_counts_once, 0, n_modes);
  tcase_add_loop_test(tests, what_nobody_needs_spoils_nothing, 0, n_modes);
  tcase_add_loop_test(tests, only_the_branch_that_is_taken_counts, 0, n_modes);
  tcase_add_loop_test(tests, a_concat_in_a_loop_has_a_gradient, 0, n_modes);
  tcase_add_loop_test(tests, the_host_draws_in_each_iteration, 0, n_modes);
  tcase_add_loop_test(tests, reads_and_writes_of_parts_keep_their_order, 0, n_modes);
  tcase_add_loop_test(tests, backward_functions_have_loops, 0, n_modes);
  tcase_add_loop_test(tests, forward_functions_may_be_odd, 0, n_modes);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
