// Custom gradients: what the user says is the gradient, in a trace, op by op, under a tape and inside loops, with derivatives
// of its own; what it captures; what is refused.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, sn_pending_error(c)

// ---- log(1 + exp(x)) that does not overflow, with its own gradient
BODY(softplus) {
  out[0] = sn_add(sn_log(sn_add(sn_exp(sn_neg(sn_abs(in[0]))), 1)), sn_maximum(in[0], 0));
  END;
}
BODY(softplus_back) {  // x, y, dy
  out[0] = sn_mul(in[2], sn_sub(1, sn_div(1, sn_add(sn_exp(in[0]), 1))));
  END;
}
BODY(with_softplus) {
  sn_tensor *y;
  sn_custom_gradient(c, softplus, softplus_back, NULL, in, 1, &y, 1);
  out[0] = y;
  sn_gradients(y, in, 1, out + 1);
  END;
}

START_TEST(a_stable_softplus) {  // acceptance D14
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  for (int eager = 0; eager < 2; eager++) {
    const float x[3] = {1000, 0, -1000};
    float y[3], g[3];
    sn_function *f = sn_function_create(c, with_softplus, .inputs = 1, .outputs = 2);
    sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(3), x), *out[2];
    ck_assert_msg(!(eager ? sn_call_eager(f, &in, 1, out, 2) : sn_call(f, &in, 1, out, 2)), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_read(out[0], y, sizeof(y)), SN_OK);
    ck_assert_int_eq(sn_read(out[1], g, sizeof(g)), SN_OK);
    ck_assert(y[0] == 1000 && fabsf(y[1] - 0.6931472f) < 1e-6f && y[2] == 0);
    ck_assert(g[0] == 1 && g[1] == 0.5f && g[2] == 0);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// ---- two inputs, two outputs; a gradient that is not the derivative, so that it can be told
typedef struct scales {
  sn_tensor *large, *variable;
} scales;

BODY(pair) {  // x, w -> x w, x + w
  out[0] = sn_mul(in[0], in[1]);
  out[1] = sn_add(in[0], in[1]);
  END;
}
BODY(pair_back) {  // x, w, y, z, dy, dz
  const scales *s = user;
  out[0] = sn_mul(sn_mul(in[4], sn_square(in[0])), s->large);
  out[1] = sn_add(sn_mul(in[5], sn_mul(in[2], s->variable)), sn_mul(in[4], in[3]));
  END;
}
// Of sum(3 y + 2 z), and once more of the sum of the squares of the first gradient.
BODY(with_pair) {
  sn_tensor *o[2], *g[2];
  sn_custom_gradient(c, pair, pair_back, user, in, 2, o, 2);
  sn_gradients(sn_sum(sn_add(sn_mul(3, o[0]), sn_mul(2, o[1]))), in, 2, g);
  out[0] = g[0];
  out[1] = g[1];
  sn_gradients(sn_sum(sn_square(g[0])), in, 1, out + 2);
  END;
}

enum { n = 12 };

static void check_pair(const float *x, const float *w, const float *large, float v,
                       sn_tensor *const *out) {
  float g[3][n];
  for (int i = 0; i < 3; i++) ck_assert_int_eq(sn_read(out[i], g[i], sizeof(g[i])), SN_OK);
  for (int i = 0; i < n; i++) {
    const double first = 3.0 * x[i] * x[i] * large[i];
    const double second = 2.0 * x[i] * w[i] * v + 3.0 * (x[i] + w[i]);
    ck_assert_msg(fabs(first - g[0][i]) < 1e-5 * (1 + fabs(first)), "%g, %g", first, g[0][i]);
    ck_assert_msg(fabs(second - g[1][i]) < 1e-5 * (1 + fabs(second)), "%g, %g", second, g[1][i]);
    const double third = 2 * first * 6 * x[i] * large[i];
    ck_assert_msg(fabs(third - g[2][i]) < 1e-4 * (1 + fabs(third)), "%g, %g", third, g[2][i]);
  }
}

START_TEST(what_the_user_says_is_the_gradient) {
  sn_context *c;
  float x[n], w[n], large[n];
  for (int i = 0; i < n; i++) {
    x[i] = 0.3f * (float)i - 1;
    w[i] = 2 - 0.1f * (float)i;
    large[i] = (float)(i % 4);
  }
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  scales s = {sn_constant(c, SN_F32, SN_SHAPE(n), large), sn_variable(sn_scalar_f32(c, 5))};
  sn_function *f = sn_function_create(c, with_pair, .user = &s, .inputs = 2, .outputs = 3);
  sn_tensor *in[2] = {sn_constant(c, SN_F32, SN_SHAPE(n), x),
                      sn_constant(c, SN_F32, SN_SHAPE(n), w)},
            *out[3];
  for (int eager = 0; eager < 2; eager++) {
    ck_assert_msg(!(eager ? sn_call_eager(f, in, 2, out, 3) : sn_call(f, in, 2, out, 3)), "%s",
                  sn_error_message(c));
    check_pair(x, w, large, 5, out);
  }
  // under a tape
  sn_tape *tape = sn_tape_begin(c, .persistent = true);
  sn_tape_watch(tape, in[0]);
  sn_tape_watch(tape, in[1]);
  ck_assert_int_eq(with_pair(c, in, out, &s), SN_OK);
  sn_tape_end(tape);
  check_pair(x, w, large, 5, out);
  sn_function_destroy(f);
  sn_release(s.variable);
  sn_context_destroy(c);
}
END_TEST

// ---- in a loop's body, differentiated through the loop
BODY(double_slope) {
  out[0] = sn_mul(in[0], 0.5);
  END;
}
BODY(double_slope_back) {
  out[0] = in[2];  // as if it were x
  END;
}
BODY(loop_step) {
  sn_custom_gradient(c, double_slope, double_slope_back, NULL, in + 1, 1, out, 1);
  END;
}
BODY(in_loop) {
  sn_fori_loop(c, 0, 3, loop_step, NULL, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}

START_TEST(loops_ask_it_too) {
  sn_context *c;
  double y, g;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, in_loop, .inputs = 1, .outputs = 2);
  sn_tensor *x = sn_scalar_f32(c, 8), *out[2];
  for (int eager = 0; eager < 2; eager++) {
    ck_assert_msg(!(eager ? sn_call_eager(f, &x, 1, out, 2) : sn_call(f, &x, 1, out, 2)), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_item(out[0], &y), SN_OK);
    ck_assert_int_eq(sn_item(out[1], &g), SN_OK);
    ck_assert(y == 1 && g == 1);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- an input without a cotangent, and mistakes
BODY(leaves_out) {
  out[0] = sn_mul(in[2], in[2]);
  END;
}
BODY(wrong_shape) {
  out[0] = sn_sum(in[2]);
  END;
}
BODY(assigns) {
  sn_assign(user, sn_scalar_f32(c, 1));
  out[0] = in[2];
  END;
}
BODY(identity) {
  out[0] = in[0];
  END;
}

typedef struct attempt {
  sn_callback backward;
  sn_tensor *variable;
} attempt;

BODY(try_it) {
  const attempt *a = user;
  sn_custom_gradient(c, identity, a->backward, a->variable, in, 1, out, 1);
  if (!sn_pending_error(c)) sn_gradients(out[0], in, 1, out);
  END;
}

START_TEST(mistakes_have_words) {
  static const struct {
    sn_callback backward;
    sn_status status;
    const char *words;
  } mistakes[] = {{wrong_shape, SN_ERR_SHAPE, "cotangent 0 is f32[], but the input is f32[3]"},
                  {assigns, SN_ERR_STATE, "assigns a variable"},
                  {NULL, SN_ERR_ARGUMENT, "a callback is NULL"}};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  attempt a = {.variable = sn_variable(sn_scalar_f32(c, 0))};
  for (int eager = 0; eager < 2; eager++)
    for (int i = 0; i < 3; i++) {
      a.backward = mistakes[i].backward;
      sn_function *f = sn_function_create(c, try_it, .user = &a, .inputs = 1, .outputs = 1);
      sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(3)), *y;
      const sn_status status = eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1);
      ck_assert_msg(status == mistakes[i].status &&
                        strstr(sn_error_message(c), mistakes[i].words) &&
                        strstr(sn_error_message(c), ".c:"),
                    "%d, eager %d: %d %s", i, eager, (int)status, sn_error_message(c));
      sn_function_destroy(f);
    }
  double value;
  ck_assert_int_eq(sn_item(a.variable, &value), SN_OK);
  ck_assert(value == 0);
  a.backward = leaves_out;
  sn_function *f = sn_function_create(c, try_it, .user = &a, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(c, 3), *y;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  ck_assert_int_eq(sn_item(y, &value), SN_OK);
  ck_assert(value == 1);
  sn_function_destroy(f);
  sn_release(a.variable);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("custom_gradient");
  TCase *cases = tcase_create("custom_gradient");
  tcase_add_test(cases, a_stable_softplus);
  tcase_add_test(cases, what_the_user_says_is_the_gradient);
  tcase_add_test(cases, loops_ask_it_too);
  tcase_add_test(cases, mistakes_have_words);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
