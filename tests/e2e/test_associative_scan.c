// sn_associative_scan: any length, both directions, several tensors and operations that do not commute, against plain C and
// against sn_scan; the same bits in every mode; its gradients; what it refuses.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

enum { longest = 41 };
static int calls;

// Maps x -> a x + b, one behind the other: in: a, b, then those that come later.
BODY(compose) {
  calls++;
  out[0] = sn_mul(in[0], in[2]);
  out[1] = sn_add(sn_mul(in[1], in[2]), in[3]);
  END;
}
BODY(add_both) {
  out[0] = sn_add(in[0], in[1]);
  END;
}
BODY(product) {
  out[0] = sn_matmul(in[0], in[1]);
  END;
}
BODY(longer_product) {  // of rows that are no matrices
  out[0] = sn_concat(in, 2, 0);
  END;
}
BODY(other_dtype) {
  out[0] = sn_cast(in[0], SN_F32);
  END;
}
BODY(leaves_unset) {
  END;
}

BODY(recurrence) {
  sn_associative_scan(c, compose, NULL, in, 2, out, 2, .reverse = user != NULL);
  END;
}
BODY(sums) {
  sn_associative_scan(c, add_both, NULL, in, 1, out, 1, .reverse = user != NULL);
  END;
}
BODY(products) {
  sn_associative_scan(c, product, NULL, in, 1, out, 1, .reverse = user != NULL);
  END;
}

typedef enum mode { EAGER, INTERPRETER, COMPILED, n_modes } mode;

static sn_context *open_context(mode how) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH,
                        .backend = how == COMPILED ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
      SN_OK);
  return c;
}

static void call(sn_context *c, mode how, sn_callback body, bool reverse, sn_tensor *const *in,
                 int n_in, sn_tensor **out, int n_out) {
  sn_function *f =
      sn_function_create(c, body, .user = reverse ? c : NULL, .inputs = n_in, .outputs = n_out);
  ck_assert_msg(
      !(how == EAGER ? sn_call_eager(f, in, n_in, out, n_out) : sn_call(f, in, n_in, out, n_out)),
      "%s", sn_error_message(c));
  sn_function_destroy(f);
}

START_TEST(sums_are_cumulations) {
  sn_context *c = open_context((mode)_i);
  int64_t data[longest * 2], got[longest * 2];
  for (int i = 0; i < 2 * longest; i++) data[i] = (i * 37) % 101 - 50;
  for (int n = 0; n <= longest; n++)
    for (int reverse = 0; reverse < 2; reverse++) {
      SN_SCOPE(c);
      sn_tensor *x = sn_constant(c, SN_I64, SN_SHAPE(n, 2), data), *y;
      call(c, (mode)_i, sums, reverse, &x, 1, &y, 1);
      ck_assert(sn_dim(y, 0) == n && sn_dim(y, 1) == 2);
      if (n) ck_assert_int_eq(sn_read(y, got, (size_t)n * 2 * sizeof(*got)), SN_OK);
      for (int k = 0; k < 2; k++) {
        int64_t sum = 0;
        for (int m = 0; m < n; m++) {
          const int i = 2 * (reverse ? n - 1 - m : m) + k;
          ck_assert_int_eq(got[i], sum += data[i]);
        }
      }
    }
  sn_context_destroy(c);
}
END_TEST

// The order of operands: matrices do not commute.
START_TEST(operands_keep_their_order) {
  sn_context *c = open_context((mode)_i);
  double data[longest * 4], got[longest * 4];
  for (int i = 0; i < 4 * longest; i++) data[i] = (double)((i * 29) % 7 - 3) / 4;
  for (int n = 1; n <= longest; n += 5)
    for (int reverse = 0; reverse < 2; reverse++) {
      SN_SCOPE(c);
      sn_tensor *x = sn_constant(c, SN_F64, SN_SHAPE(n, 2, 2), data), *y;
      double p[4] = {1, 0, 0, 1};
      call(c, (mode)_i, products, reverse, &x, 1, &y, 1);
      ck_assert_int_eq(sn_read(y, got, (size_t)n * 4 * sizeof(*got)), SN_OK);
      for (int m = 0; m < n; m++) {
        const double *a = data + 4 * (reverse ? n - 1 - m : m), *b = got + (a - data);
        const double q[4] = {p[0] * a[0] + p[1] * a[2], p[0] * a[1] + p[1] * a[3],
                             p[2] * a[0] + p[3] * a[2], p[2] * a[1] + p[3] * a[3]};
        memcpy(p, q, sizeof(p));
        for (int k = 0; k < 4; k++) ck_assert_double_eq_tol(b[k], p[k], 1e-9 * (1 + fabs(p[k])));
      }
    }
  sn_context_destroy(c);
}
END_TEST

START_TEST(modes_agree_to_the_bit) {
  double results[n_modes][2][longest * 3];
  double a[longest * 3], b[longest * 3];
  for (int i = 0; i < 3 * longest; i++) {
    a[i] = 0.3 + 0.01 * (i % 50);
    b[i] = sin(i);
  }
  for (int how = 0; how < n_modes; how++) {
    sn_context *c = open_context((mode)how);
    sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(longest, 3), a),
                        sn_constant(c, SN_F64, SN_SHAPE(longest, 3), b)},
              *out[2];
    calls = 0;
    call(c, (mode)how, recurrence, _i, in, 2, out, 2);
    ck_assert_int_le(calls, 2 * 6);  // 2 log2 of the length
    for (int i = 0; i < 2; i++)
      ck_assert_int_eq(sn_read(out[i], results[how][i], sizeof(results[how][i])), SN_OK);
    sn_context_destroy(c);
  }
  for (int how = 1; how < n_modes; how++)
    ck_assert_mem_eq(results[0], results[how], sizeof(results[0]));
}
END_TEST

// ---- gradients: those of the same recurrence by sn_scan
BODY(one_step) {
  out[0] = sn_add(sn_mul(in[0], in[1]), in[2]);
  out[1] = out[0];
  END;
}
BODY(by_scan) {
  sn_tensor *o[2];
  sn_scan(c, one_step, NULL, SN_ARGS(sn_zeros(c, SN_F64, SN_SHAPE(3))), in, 2, o, 2);
  out[0] = o[1];
  END;
}
BODY(by_halves) {
  sn_tensor *o[2];
  sn_associative_scan(c, compose, NULL, in, 2, o, 2);
  out[0] = o[1];
  END;
}
BODY(slopes) {
  const bool halves = user != NULL;
  sn_tensor *y, *g[2];
  const sn_status status = (halves ? by_halves : by_scan)(c, in, &y, NULL);
  if (status) return status;
  sn_gradients(sn_sum(sn_sin(y)), in, 2, g);
  out[0] = g[0];
  out[1] = g[1];
  sn_gradients(sn_add(sn_sum(sn_square(g[0])), sn_sum(sn_cos(g[1]))), in, 2, out + 2);
  END;
}

START_TEST(gradients_are_those_of_a_loop) {
  enum { n = 13 };
  double a[n * 3], b[n * 3], loop[4][n * 3], halves[4][n * 3];
  for (int i = 0; i < 3 * n; i++) {
    a[i] = 0.5 + 0.02 * (i % 20);
    b[i] = cos(i);
  }
  sn_context *c = open_context((mode)_i);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(n, 3), a),
                      sn_constant(c, SN_F64, SN_SHAPE(n, 3), b)},
            *out[4];
  call(c, (mode)_i, slopes, false, in, 2, out, 4);
  for (int k = 0; k < 4; k++) ck_assert_int_eq(sn_read(out[k], loop[k], sizeof(loop[k])), SN_OK);
  call(c, (mode)_i, slopes, true, in, 2, out, 4);
  for (int k = 0; k < 4; k++)
    ck_assert_int_eq(sn_read(out[k], halves[k], sizeof(halves[k])), SN_OK);
  for (int k = 0; k < 4; k++)
    for (int i = 0; i < 3 * n; i++)
      ck_assert_double_eq_tol(halves[k][i], loop[k][i], 1e-10 * (1 + fabs(loop[k][i])));
  sn_context_destroy(c);
}
END_TEST

// ---- refusals
static const struct {
  sn_callback combine;
  int rank, n_out;
  sn_status status;
  const char *words;
} mistakes[] = {
    {NULL, 1, 1, SN_ERR_ARGUMENT, "sn_associative_scan: the callback is NULL"},
    {add_both, 1, 0, SN_ERR_ARGUMENT, "expected as many outputs as xs, and one at least"},
    {add_both, 0, 1, SN_ERR_SHAPE, "xs[0] is f64[], expected rows, known in number"},
    {longer_product, 1, 1, SN_ERR_SHAPE,
     "output 0 of the callback is f64[4], but its operand 0 is f64[2]"},
    {other_dtype, 1, 1, SN_ERR_DTYPE,
     "output 0 of the callback is f32[2], but its operand 0 is f64[2]"},
    {leaves_unset, 1, 1, SN_ERR_CALLBACK,
     "the callback of sn_associative_scan left output 0 unset"}};
enum { n_mistakes = sizeof(mistakes) / sizeof(mistakes[0]) };

BODY(try_mistake) {
  const int i = *(int *)user;
  out[0] = in[0];
  sn_associative_scan(c, mistakes[i].combine, NULL, in, 1, out, mistakes[i].n_out);
  END;
}

START_TEST(mistakes_have_words) {
  const double data[4] = {1, 2, 3, 4};
  for (int how = 0; how < 2; how++) {
    int which = _i;
    sn_context *c = open_context((mode)how);
    sn_function *f = sn_function_create(c, try_mistake, .user = &which, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_constant(c, SN_F64, mistakes[_i].rank ? SN_SHAPE(4) : SN_SCALAR, data), *y;
    const sn_status status =
        how == EAGER ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1);
    ck_assert_msg(status == mistakes[_i].status &&
                      strstr(sn_error_message(c), mistakes[_i].words) &&
                      strstr(sn_error_message(c), ".c:"),
                  "%d: %s", (int)status, sn_error_message(c));
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
}
END_TEST

START_TEST(an_open_length_is_refused) {
  sn_context *c = open_context(INTERPRETER);
  const sn_spec spec = {SN_F64, SN_SHAPE(SN_UNKNOWN, 2)};
  sn_function *f = sn_function_create(c, sums, .inputs = 1, .outputs = 1);
  sn_program *program;
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "expected rows, known in number"));
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("associative_scan");
  TCase *tests = tcase_create("associative_scan");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, sums_are_cumulations, 0, 2);
  tcase_add_loop_test(tests, operands_keep_their_order, 0, n_modes);
  tcase_add_loop_test(tests, modes_agree_to_the_bit, 0, 2);
  tcase_add_loop_test(tests, gradients_are_those_of_a_loop, 0, n_modes);
  tcase_add_loop_test(tests, mistakes_have_words, 0, n_mistakes);
  tcase_add_test(tests, an_open_length_is_refused);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
