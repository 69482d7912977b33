// Branches and loops: the same bits from callbacks that are called in eager mode and from bodies in a graph, on both backends,
// with gradients of the first and second order, which central differences confirm; variables, captures and random
// numbers in bodies; what is refused.
#include "function_harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { most = 6 };

typedef sn_status (*program)(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user);

// ---- bodies
#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, sn_pending_error(c)

BODY(accumulate) {  // h' = tanh(h w + x), y = h' * h'
  sn_tensor *w = ((sn_tensor **)user)[0];
  out[0] = sn_tanh(sn_add(sn_matmul(in[0], w), in[1]));
  out[1] = sn_square(out[0]);
  END;
}
BODY(halve_both) {
  out[0] = sn_mul_scalar(in[0], 0.5);
  out[1] = sn_add(in[1], in[0]);
  END;
}
BODY(is_large) {
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0.1f));
  END;
}
BODY(squares) {
  out[0] = sn_square(sn_mul(in[0], *(sn_tensor **)user));
  END;
}
BODY(sines) {
  out[0] = sn_sin(in[0]);
  END;
}
BODY(cubes) {
  out[0] = sn_mul(sn_square(in[0]), in[0]);
  END;
}
BODY(times_number) {  // in[0]: the number of the iteration
  out[0] = sn_add(sn_mul_scalar(in[1], 0.9), sn_mul_scalar(sn_cast(in[0], SN_F32), 0.01));
  out[1] = sn_mul(in[2], sn_exp(sn_mul_scalar(in[1], 0.1)));
  END;
}
BODY(row_norm) {
  out[0] = sn_sqrt(sn_add_scalar(sn_sum(sn_square(in[0])), 1));
  out[1] = sn_mul(in[0], out[0]);
  END;
}
BODY(inner_loop) {  // a loop in a loop, and a branch in it
  sn_tensor *t[1], *carried[2] = {in[0], in[0]}, *last[2];
  sn_while_loop(c, is_large, halve_both, NULL, SN_ARRAY(carried), SN_ARRAY(last));
  sn_cond(c, sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 1)), squares, sines, user, &last[1], 1, t,
          1);
  out[0] = sn_tanh(sn_add(t[0], in[1]));
  END;
}
BODY(inner_scan) {
  sn_tensor *o[2], *x = sn_stack((sn_tensor *[]){in[0], in[1], sn_add(in[0], in[1])}, 3, 0);
  sn_scan(c, row_norm, NULL, NULL, 0, &x, 1, o, 2);
  out[0] = sn_mul_scalar(sn_mean(o[1], .axes = SN_AXES(0)), 0.3);
  END;
}
BODY(one_number) {
  out[0] = sn_mul(in[1], sn_add_scalar(sn_mul_scalar(sn_cast(in[0], SN_F32), 0.1), 1));
  END;
}

// ---- programs: in f32[4,4], f32[5,4,4]
BODY(scan) {
  sn_tensor *w = in[0];
  sn_scan(c, accumulate, &w, SN_ARGS(in[0]), SN_ARGS(in[1]), out, 2);
  END;
}
BODY(scan_back) {
  sn_tensor *w = sn_mul_scalar(in[0], 0.5);
  sn_scan(c, accumulate, &w, SN_ARGS(in[0]), SN_ARGS(in[1]), out, 2, .reverse = true);
  END;
}
BODY(branch) {
  sn_tensor *w = in[0];
  sn_cond(c, sn_greater(sn_sum(in[0]), sn_sum(in[1])), squares, sines, &w, SN_ARGS(in[1]), out, 1);
  sn_cond(c, sn_less(sn_sum(in[0]), sn_sum(in[1])), squares, sines, &w, SN_ARGS(in[1]), out + 1, 1);
  END;
}
BODY(cases) {
  const sn_callback bodies[3] = {squares, sines, cubes};
  sn_tensor *w = in[0], *n = sn_cast(sn_sum(in[0]), SN_I32);
  sn_switch_case(c, sn_floor_mod(n, sn_full(c, SN_I32, SN_SCALAR, 3)), bodies, 3, &w,
                 SN_ARGS(in[1]), out, 1);
  END;
}
BODY(counted) {
  sn_fori_loop(c, 2, 6, times_number, NULL, SN_ARGS(in[0], sn_sum(in[1], .axes = SN_AXES(0))), out,
               2);
  END;
}
BODY(rows) {
  sn_map_fn(c, row_norm, NULL, SN_ARGS(in[1]), out, 2);
  END;
}
BODY(nested) {
  sn_tensor *w = in[0];
  sn_scan(c, inner_scan, &w, SN_ARGS(in[0]), SN_ARGS(in[1]), out, 1);
  END;
}
BODY(no_rows) {
  sn_tensor *none = sn_at(in[1], ":0");
  sn_tensor *w = in[0];
  sn_scan(c, accumulate, &w, SN_ARGS(in[0]), SN_ARGS(none), out, 2);
  END;
}
BODY(one_more) {
  sn_fori_loop(c, 0, 3, one_number, NULL, SN_ARGS(in[0]), out, 1);
  END;
}
// These have a loop whose trips are not known.
BODY(halvings) {
  sn_while_loop(c, is_large, halve_both, NULL, SN_ARGS(sn_square(in[0]), in[0]), out, 2);
  END;
}
BODY(loops_in_loops) {
  sn_tensor *w = in[0];
  sn_scan(c, inner_loop, &w, SN_ARGS(in[0]), SN_ARGS(in[1]), out, 1);
  END;
}

static const struct {
  const char *name;
  program run;
  int n_out;
  int orders;  // of derivatives
} programs[] = {{"scan", scan, 2, 2},
                {"scan back", scan_back, 2, 2},
                {"branch", branch, 2, 2},
                {"cases", cases, 1, 2},
                {"counted", counted, 2, 2},
                {"rows", rows, 2, 2},
                {"nested", nested, 1, 2},
                {"no rows", no_rows, 2, 2},
                {"one more", one_more, 1, 2},
                {"halvings", halvings, 2, 3},
                {"loops in loops", loops_in_loops, 1, 2}};
enum { n_programs = sizeof(programs) / sizeof(programs[0]) };

typedef struct derived {
  int number, order;
} derived;

static sn_tensor *loss_of(sn_tensor *const *out, int n) {
  sn_tensor *sum = NULL;
  for (int i = 0; i < n; i++) {
    sn_tensor *term = sn_mul_scalar(sn_sum(sn_sin(out[i])), 0.1);
    sum = sum ? sn_add(sum, term) : term;
  }
  return sum;
}

// The program's outputs; its loss's gradients; the gradients of a sum of these.
BODY(run_derived) {
  const derived *d = user;
  sn_tensor *results[most], *g[2];
  const int n = programs[d->number].n_out;
  sn_status status = programs[d->number].run(c, in, results, NULL);
  if (status) return status;
  if (!d->order) {
    for (int i = 0; i < n; i++) out[i] = results[i];
    return SN_OK;
  }
  sn_gradients(loss_of(results, n), in, 2, g, .unconnected = SN_ZEROS);
  for (int order = 1; order < d->order; order++) {
    sn_tensor *sum = sn_add(sn_sum(sn_square(g[0])), sn_sum(sn_cos(g[1])));
    sn_gradients(sum, in, 2, g, .unconnected = SN_ZEROS);
  }
  out[0] = g[0];
  out[1] = g[1];
  END;
}

static void fill(float *x, int n, int seed) {
  for (int i = 0; i < n; i++) x[i] = 0.4f * ((float)((i * 37 + seed * 101) % 211) / 105 - 0.9f);
}

static void inputs_of(sn_context *c, int seed, sn_tensor **in) {
  float x[16], xs[80];
  fill(x, 16, seed);
  fill(xs, 80, seed + 3);
  in[0] = sn_constant(c, SN_F32, SN_SHAPE(4, 4), x);
  in[1] = sn_constant(c, SN_F32, SN_SHAPE(5, 4, 4), xs);
}

static const sn_backend backends[] = {SN_BACKEND_INTERPRETER,
#if SINTER_HAS_LLVM
                                      SN_BACKEND_LLVM
#endif
};
enum { n_backends = sizeof(backends) / sizeof(backends[0]) };

static void check_equal(sn_tensor *got, sn_tensor *expected, double tolerance, const char *name,
                        int order, int output) {
  const float *a, *b;
  ck_assert_int_eq(sn_data(got, (const void **)&a), SN_OK);
  ck_assert_int_eq(sn_data(expected, (const void **)&b), SN_OK);
  ck_assert_int_eq(sn_size(got), sn_size(expected));
  for (int64_t i = 0; i < sn_size(got); i++)
    ck_assert_msg(fabs((double)a[i] - (double)b[i]) <= tolerance * (1 + fabs((double)b[i])),
                  "%s, order %d, output %d, element %lld: %.9g, eager %.9g", name, order, output,
                  (long long)i, (double)a[i], (double)b[i]);
}

static void compare(sn_context *c, int number, int order) {
  derived d = {number, order};
  const int n_out = order ? 2 : programs[number].n_out;
  sn_function *f = sn_function_create(c, run_derived, .user = &d, .inputs = 2, .outputs = n_out);
  for (int seed = 0; seed < 3; seed++) {
    SN_SCOPE(c);
    sn_tensor *in[2], *got[most], *expected[most];
    inputs_of(c, seed, in);
    ck_assert_msg(!sn_call(f, in, 2, got, n_out), "%s: %s", programs[number].name,
                  sn_error_message(c));
    ck_assert_msg(!sn_call_eager(f, in, 2, expected, n_out), "%s: %s", programs[number].name,
                  sn_error_message(c));
    for (int i = 0; i < n_out; i++) {
      if (!order)
        ck_assert_msg(same_bits(got[i], expected[i]), "%s, output %d", programs[number].name, i);
      check_equal(got[i], expected[i], 2e-6 * (order + 1), programs[number].name, order, i);
    }
  }
  sn_function_destroy(f);
}

START_TEST(modes_agree) {
  for (int b = 0; b < n_backends; b++) {
    sn_context *c = open_context(backends[b], 1 + b, 1);
    for (int order = 0; order <= programs[_i].orders; order++) compare(c, _i, order);
    sn_context_destroy(c);
  }
}
END_TEST

// A loss's directional derivative, by differences and by the gradient.
BODY(loss_and_gradients) {
  const derived *d = user;
  sn_tensor *results[most];
  const int n = programs[d->number].n_out;
  sn_status status = programs[d->number].run(c, in, results, NULL);
  if (status) return status;
  out[0] = loss_of(results, n);
  sn_gradients(out[0], in, 2, out + 1, .unconnected = SN_ZEROS);
  END;
}

static double loss_at(sn_context *c, sn_function *f, double step, double *slope) {
  SN_SCOPE(c);
  float x[16], xs[80];
  sn_tensor *in[2], *out[3];
  const float *g;
  fill(x, 16, 5);
  fill(xs, 80, 8);
  for (int i = 0; i < 16; i++) x[i] += (float)step * (float)cos(i);
  for (int i = 0; i < 80; i++) xs[i] += (float)step * (float)sin(i);
  in[0] = sn_constant(c, SN_F32, SN_SHAPE(4, 4), x);
  in[1] = sn_constant(c, SN_F32, SN_SHAPE(5, 4, 4), xs);
  ck_assert_msg(!sn_call(f, in, 2, out, 3), "%s", sn_error_message(c));
  *slope = 0;
  for (int k = 0; k < 2; k++) {
    ck_assert_int_eq(sn_data(out[1 + k], (const void **)&g), SN_OK);
    for (int i = 0; i < sn_size(out[1 + k]); i++) *slope += (double)g[i] * (k ? sin(i) : cos(i));
  }
  float loss;
  ck_assert_int_eq(sn_read(out[0], &loss, sizeof(loss)), SN_OK);
  return (double)loss;
}

START_TEST(gradients_are_slopes) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 1);
  derived d = {_i, 1};
  sn_function *f = sn_function_create(c, loss_and_gradients, .user = &d, .inputs = 2, .outputs = 3);
  double slope, ignored;
  loss_at(c, f, 0, &slope);
  const double h = 2e-3,
               difference = (loss_at(c, f, h, &ignored) - loss_at(c, f, -h, &ignored)) / (2 * h);
  ck_assert_msg(fabs(slope - difference) <= 2e-3 * (1 + fabs(slope)), "%s: %g, by differences %g",
                programs[_i].name, slope, difference);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("control");
  TCase *cases_ = tcase_create("control");
  tcase_add_loop_test(cases_, modes_agree, 0, n_programs);
  tcase_add_loop_test(cases_, gradients_are_slopes, 0, n_programs);
  suite_add_tcase(suite, cases_);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
