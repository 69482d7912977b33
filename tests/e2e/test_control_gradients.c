// Gradients of control flow as its users see them: what is a leaf, what counts, where gradients in bodies end; in programs and under tapes.
#include "call_modes.h"

// ---- gradients: what a graph makes of a loop against what a tape has recorded
static void call_both(sn_callback callback, int n_out, double values[2][3]) {
  for (int eager = 0; eager < 2; eager++) {
    sn_context *c = open_context(NATIVE);
    sn_tensor *v = sn_variable(sn_scalar_f64(c, 0.5));
    sn_tensor *x = sn_scalar_f64(c, 0.7), *y[3];
    sn_function *f = sn_function_create(c, callback, .user = v, .inputs = 1, .outputs = n_out);
    const sn_status status =
        eager ? sn_call_eager(f, &x, 1, y, n_out) : sn_call(f, &x, 1, y, n_out);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    for (int i = 0; i < n_out; i++) values[eager][i] = number(y[i]);
    sn_function_destroy(f);
    sn_release(v);
    sn_context_destroy(c);
  }
  for (int i = 0; i < n_out; i++)
    ck_assert_msg(fabs(values[0][i] - values[1][i]) < 1e-12, "%d: %.17g, eager %.17g", i,
                  values[0][i], values[1][i]);
}

BODY(gives_its_carry) {
  out[0] = sn_sin(sn_mul(in[0], in[1]));
  out[1] = in[0];
  END;
}
BODY(carries_of_steps) {  // the loop puts the same values down for the step back
  sn_tensor *xs = sn_stack((sn_tensor *[]){in[0], in[0], in[0]}, 3, 0), *o[2], *g, *one;
  sn_scan(c, gives_its_carry, NULL, in, 1, &xs, 1, o, 2);
  sn_gradients(sn_sum(sn_mul(o[1], sn_square(o[1]))), in, 1, &g);
  one = sn_scalar_f64(c, 1);
  sn_gradients(sn_square(g), in, 1, out);
  sn_hvp(sn_sum(sn_mul(o[1], sn_square(o[1]))), in, &one, 1, out + 1);
  out[2] = g;
  END;
}

static double slope_of_steps(double x) {
  double h = x, dh = 1, sum = 0;
  for (int i = 0; i < 3; i++) {
    sum += 3 * h * h * dh;
    dh = cos(h * x) * (dh * x + h);
    h = sin(h * x);
  }
  return sum;
}

START_TEST(an_output_that_is_a_carry_has_second_derivatives) {
  double values[2][3];
  const double x = 0.7, h = 1e-5;
  const double second = (slope_of_steps(x + h) - slope_of_steps(x - h)) / (2 * h);
  call_both(carries_of_steps, 3, values);
  ck_assert_double_eq_tol(values[0][2], slope_of_steps(x), 1e-12);
  ck_assert_double_eq_tol(values[0][1], second, 1e-6);
  ck_assert_double_eq_tol(values[0][0], 2 * slope_of_steps(x) * second, 1e-6);
}
END_TEST

BODY(leave) {
  out[0] = in[0];
  END;
}
BODY(reads_then_assigns) {
  out[0] = sn_add(in[1], sn_sin(user));
  sn_assign(user, sn_square(in[1]));
  END;
}
BODY(is_below_three) {
  out[0] = sn_less(in[1], sn_scalar_f64(c, 3));
  END;
}
BODY(reads_and_counts) {
  sn_tensor *numbered[2] = {in[1], in[0]};
  out[1] = sn_add(in[1], sn_scalar_f64(c, 1));
  return reads_then_assigns(c, numbered, out, user);
}
BODY(variable_in_fori_loop) {
  sn_fori_loop(c, 0, 3, reads_then_assigns, user, in, 1, out, 1);
  sn_tensor *v = user, *y = out[0];
  sn_gradients(y, in, 1, out + 1);
  sn_gradients(y, &v, 1, out + 2);
  END;
}
BODY(variable_in_while_loop) {
  sn_tensor *o[2], *v = user;
  sn_while_loop(c, is_below_three, reads_and_counts, user, SN_ARGS(in[0], sn_scalar_f64(c, 0)), o,
                2);
  out[0] = o[0];
  sn_gradients(o[0], in, 1, out + 1);
  sn_gradients(o[0], &v, 1, out + 2);
  END;
}

START_TEST(a_variable_is_a_leaf_in_loops) {
  const sn_callback loops[2] = {variable_in_fori_loop, variable_in_while_loop};
  for (int i = 0; i < 2; i++) {
    double values[2][3], x = 0.7, v = 0.5, slope = 0;
    call_both(loops[i], 3, values);
    for (int k = 0; k < 3; k++) {
      const double before = x;
      slope += cos(v);
      x += sin(v);
      v = before * before;
    }
    ck_assert_double_eq_tol(values[0][0], x, 1e-12);
    ck_assert_double_eq_tol(values[0][1], 1, 1e-12);
    ck_assert_double_eq_tol(values[0][2], slope, 1e-12);
  }
}
END_TEST

BODY(the_carry) {
  out[0] = in[1];
  END;
}
// Reads behind an assignment in the same body count, too.
BODY(assigns_then_reads) {
  sn_tensor *v = user;
  out[0] = sn_mul(in[1], sn_sin(v));
  sn_assign(v, sn_mul(in[1], sn_add_scalar(sn_square(v), 1)));
  out[0] = sn_add(out[0], sn_mul(sn_square(v), v));
  END;
}
BODY(counts_then_reads) {
  sn_tensor *numbered[2] = {in[1], in[0]};
  out[1] = sn_add(in[1], sn_scalar_f64(c, 1));
  return assigns_then_reads(c, numbered, out, user);
}
BODY(assigned_in_branch) {
  sn_tensor *numbered[2] = {in[0], in[0]};
  return assigns_then_reads(c, numbered, out, user);
}
BODY(reads_behind_fori) {
  sn_tensor *v = user;
  sn_fori_loop(c, 0, 2, assigns_then_reads, v, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  sn_gradients(out[0], &v, 1, out + 2);
  END;
}
BODY(reads_behind_while) {
  sn_tensor *o[2], *v = user, *n = sn_scalar_f64(c, 1);
  sn_while_loop(c, is_below_three, counts_then_reads, v, SN_ARGS(in[0], n), o, 2);
  out[0] = o[0];
  sn_gradients(out[0], in, 1, out + 1);
  sn_gradients(out[0], &v, 1, out + 2);
  END;
}
BODY(reads_behind_cond) {
  sn_tensor *v = user, *y, *is_less = sn_less(in[0], sn_scalar_f64(c, 9));
  sn_cond(c, is_less, assigned_in_branch, leave, v, in, 1, &y, 1);
  sn_cond(c, is_less, assigned_in_branch, leave, v, &y, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  sn_gradients(out[0], &v, 1, out + 2);
  END;
}

START_TEST(reads_behind_an_assignment_count) {
  const sn_callback callbacks[3] = {reads_behind_fori, reads_behind_while, reads_behind_cond};
  for (int i = 0; i < 3; i++) {
    double values[2][3], x = 0.7, v = 0.5, dx = 1, dv = 0;  // dv: of all reads alike
    call_both(callbacks[i], 3, values);
    for (int k = 0; k < 2; k++) {
      const double next = x * (v * v + 1);
      dv = dv * sin(v) + x * cos(v) + 3 * next * next;
      dx = dx * sin(v);
      x = x * sin(v) + next * next * next;
      v = next;
    }
    ck_assert_double_eq_tol(values[0][0], x, 1e-12);
    ck_assert_double_eq_tol(values[0][1], dx, 1e-12);
    ck_assert_double_eq_tol(values[0][2], dv, 1e-12);
  }
}
END_TEST

BODY(slope_at_carry) {  // the value that the loop begins with is read around it, too
  sn_gradients(sn_mul(in[1], user), &in[1], 1, out);
  END;
}
BODY(the_captured) {
  out[0] = user;
  END;
}
BODY(carry_and_capture) {
  sn_tensor *x = sn_sin(in[0]), *same;
  sn_fori_loop(c, 0, 2, slope_at_carry, x, &x, 1, out, 1);
  sn_fori_loop(c, 0, 2, the_carry, NULL, &x, 1, &same, 1);
  sn_gradients(sn_mul(x, same), &same, 1, out + 1);
  sn_cond(c, sn_less(x, sn_scalar_f64(c, 1)), the_captured, the_captured, x, NULL, 0, &same, 1);
  sn_gradients(sn_mul(x, same), &same, 1, out + 2);
  (void)user;
  return sn_pending_error(c);
}

START_TEST(a_carry_is_a_value_of_its_own) {
  double values[2][3];
  call_both(carry_and_capture, 3, values);
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(values[0][i], sin(0.7), 1e-12);
}
END_TEST

// Gradients in a body: nothing of an earlier iteration, of the loop's rows, or of the loops around has a way back.
typedef struct slopes {
  sn_tensor *x, *outer_carry;
} slopes;

BODY(slopes_of_step) {  // carry, sum, row
  const slopes *s = user;
  sn_tensor *xs[3] = {s->x, in[0], s->outer_carry}, *g[3];
  out[0] = sn_mul(sn_mul(in[0], s->x), sn_add(in[2], s->outer_carry));
  sn_gradients(out[0], xs, 3, g);
  out[1] = sn_add(in[1], sn_add(sn_mul_scalar(g[0], 2), sn_sub(g[1], sn_mul_scalar(g[2], 3))));
  END;
}
BODY(slopes_of_loop) {  // number, carry, sum
  slopes s = {user, in[1]};
  sn_tensor *rows = sn_stack((sn_tensor *[]){in[1], s.x}, 2, 0);
  sn_scan(c, slopes_of_step, &s, SN_ARGS(in[1], in[2]), SN_ARGS(rows), out, 2);
  END;
}
BODY(slopes_in_loops) {
  sn_tensor *o[2], *zero = sn_mul_scalar(in[0], 0);
  sn_fori_loop(c, 0, 2, slopes_of_loop, in[0], SN_ARGS(sn_sin(in[0]), zero), o, 2);
  out[0] = o[0];
  out[1] = o[1];
  sn_gradients(o[1], in, 1, out + 2);
  (void)user;
  return sn_pending_error(c);
}

static double sum_of_slopes(double x) {
  double h = sin(x), sum = 0;
  for (int i = 0; i < 2; i++) {
    const double outer = h, rows[2] = {h, x};
    for (int k = 0; k < 2; k++) {
      sum += 2 * h * (rows[k] + outer) + x * (rows[k] + outer) - 3 * h * x;
      // of the first step the row and both carries are one value of the loop around, each counted apart
      h = h * x * (rows[k] + outer);
    }
  }
  return sum;
}

START_TEST(gradients_in_bodies_end_there) {
  double values[2][3];
  const double x = 0.7, h = 1e-5;
  call_both(slopes_in_loops, 3, values);
  ck_assert_double_eq_tol(values[0][1], sum_of_slopes(x), 1e-12);
  ck_assert_double_eq_tol(values[0][2], (sum_of_slopes(x + h) - sum_of_slopes(x - h)) / (2 * h),
                          1e-7);
}
END_TEST

// ---- gradients with respect to tensors around, however small
BODY(scale_it) {
  out[0] = sn_mul(in[1], *(sn_tensor **)user);
  END;
}
BODY(slope_of_scale) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 3, scale_it, user, SN_ARGS(in[0]), &y, 1);
  sn_gradients(y, (sn_tensor **)user, 1, out);  // of x k^3: 3 x k^2
  END;
}

START_TEST(small_tensors_around_have_gradients) {
  for (int mode = 0; mode < EAGER; mode++) {
    sn_context *c = open_context(mode);
    sn_tensor *k = sn_scalar_f32(c, 2), *x = sn_scalar_f32(c, 5), *g;
    sn_function *f = sn_function_create(c, slope_of_scale, .user = &k, .inputs = 1, .outputs = 1);
    ck_assert_msg(!sn_call(f, &x, 1, &g, 1), "%s", sn_error_message(c));
    ck_assert_double_eq(number(g), 60);
    ck_assert_msg(!sn_call_eager(f, &x, 1, &g, 1), "%s", sn_error_message(c));
    ck_assert_double_eq(number(g), 60);
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("control_gradients");
  tcase_add_test(cases, an_output_that_is_a_carry_has_second_derivatives);
  tcase_add_test(cases, a_variable_is_a_leaf_in_loops);
  tcase_add_test(cases, reads_behind_an_assignment_count);
  tcase_add_test(cases, small_tensors_around_have_gradients);
  tcase_add_test(cases, a_carry_is_a_value_of_its_own);
  tcase_add_test(cases, gradients_in_bodies_end_there);
  return run_tests(suite_create("control_gradients"), cases);
}
