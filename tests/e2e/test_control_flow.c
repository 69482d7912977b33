// Control flow as its users see it: variables that bodies read and assign, captured values, random numbers, sizes that are
// not known, functions called in bodies, text, and what is refused with which words.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

static sn_context *open_context(sn_backend backend) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .backend = backend, .threads = 2, .seed = 7,
                                     .plugin_path = SINTER_PLUGIN_PATH),
                   SN_OK);
  return c;
}

static double number(sn_tensor *t) {
  double x = NAN;
  ck_assert_int_eq(sn_item(t, &x), SN_OK);
  return x;
}

// ---- a counter, and a branch that assigns
typedef struct state {
  sn_tensor *count, *last;
} state;

BODY(step) {
  state *s = user;
  sn_assign_add(s->count, sn_scalar_f32(c, 1));
  out[0] = sn_add(in[1], s->count);
  END;
}
BODY(reset) {
  state *s = user;
  sn_assign(s->last, in[0]);
  out[0] = sn_neg(in[0]);
  END;
}
BODY(leave) {
  out[0] = in[0];
  END;
}
BODY(count_and_branch) {
  sn_tensor *t;
  sn_fori_loop(c, 0, 5, step, user, SN_ARGS(in[0]), &t, 1);
  sn_cond(c, sn_greater(t, sn_scalar_f32(c, 20)), reset, leave, user, &t, 1, out, 1);
  END;
}

static void run_counter(sn_backend backend, bool eager) {
  sn_context *c = open_context(backend);
  state s = {sn_variable(sn_scalar_f32(c, 0), .name = "count"), sn_variable(sn_scalar_f32(c, -1))};
  sn_function *f = sn_function_create(c, count_and_branch, .user = &s, .inputs = 1, .outputs = 1);
  const double expected[3] = {15, -41, -66}, last[3] = {-1, 41, 66}, counts[3] = {5, 10, 15};
  for (int call = 0; call < 3; call++) {
    SN_SCOPE(c);
    sn_tensor *x = sn_scalar_f32(c, call ? 1 : 0), *y;
    ck_assert_msg(!(eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1)), "%s",
                  sn_error_message(c));
    ck_assert_double_eq(number(y), expected[call]);
    ck_assert_double_eq(number(s.last), last[call]);
    ck_assert_double_eq(number(s.count), counts[call]);
  }
  sn_function_destroy(f);
  sn_release(s.count);
  sn_release(s.last);
  sn_context_destroy(c);
}

START_TEST(variables_are_assigned_in_bodies) {
  run_counter(SN_BACKEND_INTERPRETER, false);
  run_counter(SN_BACKEND_INTERPRETER, true);
  run_counter(SN_BACKEND_AUTO, false);
}
END_TEST

// ---- F9, F10: x + 1 ten times
BODY(plus_one) {
  out[0] = sn_add(in[0], sn_scalar_i32(c, 1));
  END;
}
BODY(below_15) {
  out[0] = sn_less(in[0], sn_scalar_i32(c, 15));
  END;
}
BODY(by_while) {
  sn_while_loop(c, below_15, plus_one, NULL, in, 1, out, 1);
  END;
}
BODY(unrolled) {
  out[0] = in[0];
  for (int i = 0; i < 10; i++) out[0] = sn_add(out[0], sn_scalar_i32(c, 1));
  END;
}

static int occurrences(const char *text, const char *what) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, what)); at++) n++;
  return n;
}

static void check_graph(sn_context *c, sn_callback callback, const char *op, int expected) {
  sn_function *f = sn_function_create(c, callback, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_i32(c, 5), *y;
  const sn_spec spec = {SN_I32, SN_SCALAR};
  sn_program *program;
  char *text;
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_double_eq(number(y), 15);
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  ck_assert_int_eq(sn_program_dump(c, program, SN_STAGE_TRACE, &text), SN_OK);
  ck_assert_int_eq(occurrences(text, op), expected);
  // the text is a program, too
  sn_program *again;
  ck_assert_msg(!sn_program_from_text(c, text, strlen(text), &again), "%s", sn_error_message(c));
  sn_text_free(c, text);
  sn_program_release(again);
  sn_program_release(program);
  sn_function_destroy(f);
}

START_TEST(a_c_loop_unrolls_and_a_while_is_one_node) {
  sn_context *c = open_context(SN_BACKEND_AUTO);
  check_graph(c, unrolled, " = add(", 10);
  check_graph(c, by_while, " = while(", 1);
  sn_context_destroy(c);
}
END_TEST

// ---- random numbers: each iteration draws its own, the same ones in every mode
BODY(draw) {
  out[0] = sn_random_uniform(c, SN_F32, SN_SHAPE(3));
  END;
}
BODY(draws) {
  sn_map_fn(c, draw, NULL, in, 1, out, 1);
  END;
}

START_TEST(random_numbers_differ_from_row_to_row) {
  float rows[2][4][3];
  for (int eager = 0; eager < 2; eager++) {
    sn_context *c = open_context(SN_BACKEND_AUTO);
    sn_function *f = sn_function_create(c, draws, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(4)), *y;
    ck_assert_msg(!(eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1)), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_read(y, rows[eager], sizeof(rows[eager])), SN_OK);
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
  ck_assert_mem_eq(rows[0], rows[1], sizeof(rows[0]));
  for (int i = 1; i < 4; i++) ck_assert_mem_ne(rows[0][0], rows[0][i], sizeof(rows[0][0]));
}
END_TEST

// ---- sizes that differ from call to call
BODY(running_sum) {
  out[0] = sn_add(in[0], in[1]);
  out[1] = sn_mul(out[0], in[1]);
  END;
}
BODY(scan_of_open_size) {
  sn_scan(c, running_sum, NULL, SN_ARGS(in[0]), SN_ARGS(in[1]), out, 2);
  END;
}

START_TEST(one_program_serves_every_length) {
  sn_context *c = open_context(SN_BACKEND_AUTO);
  sn_function *f = sn_function_create(c, scan_of_open_size, .inputs = 2, .outputs = 2);
  float data[12 * 5];
  for (int i = 0; i < 60; i++) data[i] = (float)(i % 7) - 3;
  for (int n = 1; n < 12; n++)
    for (int width = 1; width < 6; width += 2) {
      SN_SCOPE(c);
      sn_tensor *in[2] = {sn_ones(c, SN_F32, SN_SHAPE(width)),
                          sn_constant(c, SN_F32, SN_SHAPE(n, width), data)},
                *got[2], *expected[2];
      ck_assert_msg(!sn_call(f, in, 2, got, 2), "%s", sn_error_message(c));
      ck_assert_msg(!sn_call_eager(f, in, 2, expected, 2), "%s", sn_error_message(c));
      for (int i = 0; i < 2; i++) {
        const void *a, *b;
        ck_assert_int_eq(sn_data(got[i], &a), SN_OK);
        ck_assert_int_eq(sn_data(expected[i], &b), SN_OK);
        ck_assert_mem_eq(a, b, (size_t)sn_size(got[i]) * sizeof(float));
      }
    }
  sn_function_statistics statistics = {.size = sizeof(statistics)};
  sn_function_stats(f, &statistics);
  ck_assert_uint_le(statistics.traces, 4);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- faults inside a loop leave variables as they were
BODY(pick) {
  state *s = user;
  sn_assign_add(s->count, sn_scalar_f32(c, 1));
  out[0] = sn_add(in[0], sn_gather(s->last, in[1]));
  END;
}
BODY(picks) {
  sn_scan(c, pick, user, SN_ARGS(sn_scalar_f32(c, 0)), SN_ARGS(in[0]), out, 1);
  END;
}

START_TEST(a_fault_names_the_line_in_the_body) {
  sn_context *c = open_context(SN_BACKEND_AUTO);
  state s = {sn_variable(sn_scalar_f32(c, 0)), sn_variable(sn_ones(c, SN_F32, SN_SHAPE(3)))};
  sn_function *f = sn_function_create(c, picks, .user = &s, .inputs = 1, .outputs = 1);
  const int32_t good[4] = {0, 1, 2, 0}, bad[4] = {0, 1, 7, 0};
  sn_tensor *x = sn_constant(c, SN_I32, SN_SHAPE(4), good), *y;
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_double_eq(number(y), 4);
  x = sn_constant(c, SN_I32, SN_SHAPE(4), bad);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_INDEX);
  ck_assert_msg(strstr(sn_error_message(c), "sn_gather") && strstr(sn_error_message(c), ".c:"),
                "%s", sn_error_message(c));
  ck_assert_double_eq(number(s.count), 4);
  x = sn_constant(c, SN_I32, SN_SHAPE(4), good);
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_double_eq(number(s.count), 8);
  sn_function_destroy(f);
  sn_release(s.count);
  sn_release(s.last);
  sn_context_destroy(c);
}
END_TEST

// ---- gradients: what a graph makes of a loop against what a tape has recorded
static void call_both(sn_callback callback, int n_out, double values[2][3]) {
  for (int eager = 0; eager < 2; eager++) {
    sn_context *c = open_context(SN_BACKEND_AUTO);
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

// ---- mistakes
BODY(grows) {
  out[0] = sn_concat((sn_tensor *[]){in[0], in[0]}, 2, 0);
  END;
}
BODY(turns_integer) {
  out[0] = sn_cast(in[0], SN_I32);
  END;
}
BODY(sets_nothing) {
  END;
}
BODY(is_positive) {
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0));
  END;
}
BODY(is_no_scalar) {
  out[0] = sn_greater(in[0], sn_scalar_f32(c, 0));
  END;
}
BODY(assigns) {
  sn_assign(user, sn_scalar_f32(c, 1));
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0));
  END;
}
BODY(halves) {
  out[0] = sn_mul_scalar(in[0], 0.5);
  END;
}
BODY(keeps_all) {
  out[0] = in[0];
  END;
}
BODY(itself) {
  sn_fori_loop(c, 0, 1, itself, NULL, &in[1], 1, out, 1);
  END;
}

BODY(slope_of_outer) {  // of x, which the captured tensor was computed from
  sn_tensor **x = user;
  sn_gradients(sn_sum(sn_mul(in[1], sn_mul(x[0], x[1]))), x, 1, out);
  END;
}
BODY(slope_of_outer_deeper) {
  sn_fori_loop(c, 0, 1, slope_of_outer, user, &in[1], 1, out, 1);
  END;
}

typedef struct mistake {
  const char *what;
  sn_status status;
  const char *words;
  bool traced_only;
} mistake;
static const mistake mistakes[] = {
    {"grows", SN_ERR_SHAPE, "carried value 0 is f32[8], but it begins as f32[4]", false},
    {"turns integer", SN_ERR_DTYPE, "carried value 0 is i32[4], but it begins as f32[4]", false},
    {"unset", SN_ERR_CALLBACK, "the body of sn_fori_loop left output 0 unset", false},
    {"predicate", SN_ERR_DTYPE, "sn_cond: operand #0 is f32[4], expected bool[]", false},
    {"condition", SN_ERR_SHAPE, "the condition's output", false},
    {"condition assigns", SN_ERR_STATE, "the condition assigns a variable", true},
    {"branches", SN_ERR_DTYPE, "output 0 is f32[4], but another body makes it i32[4]", true},
    {"lengths", SN_ERR_SHAPE, "sn_scan: xs[1] is f32[3], expected 4 rows", false},
    {"no rows", SN_ERR_SHAPE, "xs[0] is f32[], which has no rows", false},
    {"no length", SN_ERR_ARGUMENT, "without xs it needs a .length", false},
    {"nothing carried", SN_ERR_ARGUMENT, "nothing is carried", false},
    {"NULL body", SN_ERR_ARGUMENT, "the body is NULL", false},
    {"nested", SN_ERR_STATE, "nested more than 32 deep", true},
    {"around", SN_ERR_GRADIENT, "y depends on xs[0] through what is computed outside", false},
    {"further around", SN_ERR_GRADIENT, "sn_fori_loop y depends on xs[0] through what", false},
};
enum { n_mistakes = sizeof(mistakes) / sizeof(mistakes[0]) };

static void make_mistake(sn_context *c, int which, sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *s = sn_scalar_f32(c, 1), *o[3];
  out[0] = x;
  switch (which) {
    case 0:
      sn_while_loop(c, is_positive, grows, NULL, &x, 1, out, 1);
      break;
    case 1:
      sn_while_loop(c, is_positive, turns_integer, NULL, &x, 1, out, 1);
      break;
    case 2:
      sn_fori_loop(c, 0, 2, sets_nothing, NULL, &x, 1, out, 1);
      break;
    case 3:
      sn_cond(c, x, halves, keeps_all, NULL, &x, 1, out, 1);
      break;
    case 4:
      sn_while_loop(c, is_no_scalar, halves, NULL, &x, 1, out, 1);
      break;
    case 5:
      sn_while_loop(c, assigns, halves, v, &x, 1, out, 1);
      break;
    case 6:
      sn_cond(c, sn_greater(sn_sum(x), s), halves, turns_integer, NULL, &x, 1, out, 1);
      break;
    case 7:
      sn_scan(c, running_sum, NULL, NULL, 0, SN_ARGS(x, sn_ones(c, SN_F32, SN_SHAPE(3))), o, 2);
      out[0] = o[0];
      break;
    case 8:
      sn_map_fn(c, halves, NULL, &s, 1, out, 1);
      break;
    case 9:
      sn_scan(c, halves, NULL, &x, 1, NULL, 0, out, 1);
      break;
    case 10:
      sn_fori_loop(c, 0, 3, halves, NULL, NULL, 0, out, 0);
      break;
    case 11:
      sn_fori_loop(c, 0, 3, NULL, NULL, &x, 1, out, 1);
      break;
    case 12:
      sn_fori_loop(c, 0, 3, itself, NULL, &x, 1, out, 1);
      break;
    case 13:
      sn_fori_loop(c, 0, 3, slope_of_outer, (sn_tensor *[]){x, sn_sin(x)}, &x, 1, out, 1);
      break;
    default:
      sn_fori_loop(c, 0, 3, slope_of_outer_deeper, (sn_tensor *[]){x, sn_sin(x)}, &x, 1, out, 1);
      break;
  }
}

typedef struct attempt {
  int which;
  sn_tensor *v;
} attempt;

BODY(try_mistake) {
  const attempt *a = user;
  make_mistake(c, a->which, in[0], a->v, out);
  END;
}

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
  static const sn_backend backends[] = {SN_BACKEND_INTERPRETER, SN_BACKEND_AUTO};
  for (int b = 0; b < 2; b++) {
    sn_context *c = open_context(backends[b]);
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

START_TEST(mistakes_have_words) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER);
  attempt a = {_i, sn_variable(sn_scalar_f32(c, 0))};
  for (int eager = 0; eager < 2; eager++) {
    if (eager && mistakes[_i].traced_only) continue;
    sn_function *f = sn_function_create(c, try_mistake, .user = &a, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(4)), *y;
    const sn_status status = eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1);
    ck_assert_msg(status == mistakes[_i].status && strstr(sn_error_message(c), mistakes[_i].words),
                  "%s, eager %d: status %d, %s", mistakes[_i].what, eager, (int)status,
                  sn_error_message(c));
    ck_assert_msg(strstr(sn_error_message(c), ".c:") != NULL, "%s: no line: %s", mistakes[_i].what,
                  sn_error_message(c));
    ck_assert_double_eq(number(a.v), 0);
    sn_function_destroy(f);
  }
  sn_release(a.v);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("control_flow");
  TCase *cases = tcase_create("control_flow");
  tcase_add_test(cases, variables_are_assigned_in_bodies);
  tcase_add_test(cases, a_c_loop_unrolls_and_a_while_is_one_node);
  tcase_add_test(cases, random_numbers_differ_from_row_to_row);
  tcase_add_test(cases, one_program_serves_every_length);
  tcase_add_test(cases, a_fault_names_the_line_in_the_body);
  tcase_add_test(cases, an_output_that_is_a_carry_has_second_derivatives);
  tcase_add_test(cases, a_variable_is_a_leaf_in_loops);
  tcase_add_test(cases, reads_behind_an_assignment_count);
  tcase_add_test(cases, small_tensors_around_have_gradients);
  tcase_add_test(cases, a_carry_is_a_value_of_its_own);
  tcase_add_test(cases, gradients_in_bodies_end_there);
  tcase_add_loop_test(cases, mistakes_have_words, 0, n_mistakes);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
