// Implicit gradients of gamma and beta numbers: values against the derivative of the distribution function in 40 digits,
// means of derivatives against derivatives of means, the same bits in every mode.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"
#include "runtime/gamma_gradient.h"

START_TEST(values) {
  static const double known[][3] = {
      {0.0009765625, 1e-05, 0.11199932705989295},
      {0.125, 0.5, 4.1895343445414737},
      {0.125, 3, 7.852146364927545},
      {0.5, 1e-08, 3.6914341690846384e-7},
      {0.5, 0.25, 0.90801449176411132},
      {1, 1, 1.1735630272247269},
      {1, 4, 2.1698556759224793},
      {2.5, 1, 0.65079385968628221},
      {2.5, 7, 1.7099029814556471},
      {10, 4, 0.62080544700998478},
      {10, 10.5, 1.0418336183460284},
      {10, 25, 1.5522439909006024},
      {100, 70, 0.83362386157169286},
      {100, 101, 1.0066600567170115},
      {100, 140, 1.1796104604467822},
      {1500, 1450, 0.98325423989844485},
      {1500, 1600, 1.0327310653114316},
      {2500, 2400, 0.97979318260761602},
      {2500, 2500, 1.0000666693327237},
      {2500, 2650, 1.0294859997393322},
      {1000000.0, 1002000.0, 1.0009995008324179},
      {1000000.0, 999500.0, 0.99975012494792186},
  };
  for (size_t i = 0; i < SNI_COUNT_OF(known); i++) {
    const double a = known[i][0], z = known[i][1], want = known[i][2];
    const double tolerance = a > 2000 ? 2e-9 : 1e-13, got = sni_gamma_gradient(a, z, log(z), false),
                 of_log = sni_gamma_gradient(a, z, log(z), true);
    ck_assert_msg(fabs(got - want) <= tolerance * want, "%g %g: %.17g", a, z, got);
    ck_assert_double_le(fabs(of_log * z - got), 1e-15 * got);
  }
  ck_assert(sni_gamma_gradient(0.001, 0, -INFINITY, false) == 0);
  // a number that is too small for a double still has a logarithm: d ln z / da = (digamma(a + 1) - ln z) / a
  const double tiny = sni_gamma_gradient(0.5, 0, -1000, true);
  ck_assert_double_le(fabs(tiny - 2 * (0.03648997397857652 + 1000)), 1e-9);
  ck_assert(isnan(sni_gamma_gradient(-1, 2, log(2), false)));
  ck_assert(isnan(sni_gamma_gradient(1, NAN, NAN, false)));
}
END_TEST

enum { n = 40000 };

typedef struct use {
  int order;  // of the moment
  bool beta;
  sn_dtype dtype;
} use;

// The mean of z^order and its gradients in the parameters.
static sn_status moment(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const use *u = user;
  sn_tensor *a = sn_broadcast_to(in[0], SN_SHAPE(n)), *b = sn_broadcast_to(in[1], SN_SHAPE(n));
  sn_tensor *key = sn_constant(c, SN_I64, SN_SHAPE(2), ((int64_t[]){5, 7}));
  sn_tensor *z = u->beta ? sn_random_beta(a, b, .key = key) : sn_random_gamma(a, .key = key);
  sn_tensor *y = z;
  for (int i = 1; i < u->order; i++) y = sn_mul(y, z);
  out[0] = sn_mean(sn_cast(y, SN_F64));
  sn_tensor *of[] = {in[0], in[1]};
  sn_gradients(out[0], of, u->beta ? 2 : 1, out + 1);
  if (!u->beta) out[2] = sn_zeros_like(in[1]);
  return sn_pending_error(c);
}

static double number_of(sn_tensor *t) {
  double y;
  ck_assert(!sn_item(t, &y));
  return y;
}

// Standard errors are up to 2e-2 of the values.
START_TEST(derivatives_of_moments) {
  static const double shapes[] = {0.3, 1, 4, 50};
  for (int tier = 0; tier < n_tiers; tier++)
    for (size_t i = 0; i < SNI_COUNT_OF(shapes); i++)
      for (int which = 0; which < 4; which++) {
        sn_context *c = tiers[tier];
        SN_SCOPE(c);
        use u = {1 + which % 2, which >= 2, which == 1 ? SN_F32 : SN_F64};
        const double a = shapes[i], b = 2, s = a + b;
        sn_tensor *in[] = {sn_cast(sn_scalar_f64(c, a), u.dtype),
                           sn_cast(sn_scalar_f64(c, b), u.dtype)};
        sn_tensor *got[3], *expected[3];
        sn_function *f = sn_function_create(c, moment, .user = &u, .inputs = 2, .outputs = 3);
        call_both(c, f, in, 2, got, expected, 3);
        for (int k = 0; k < 3; k++) ck_assert(same_bits(got[k], expected[k]));
        double mean, da, db = 0;
        if (!u.beta) {
          mean = u.order == 1 ? a : a * (a + 1);
          da = u.order == 1 ? 1 : 2 * a + 1;
        } else {
          mean = u.order == 1 ? a / s : a * (a + 1) / (s * (s + 1));
          da = u.order == 1 ? b / (s * s) : mean * (1 / a + 1 / (a + 1) - 1 / s - 1 / (s + 1));
          db = u.order == 1 ? -a / (s * s) : -mean * (1 / s + 1 / (s + 1));
        }
        ck_assert_double_le(fabs(number_of(got[0]) - mean), 0.1 * mean);
        ck_assert_double_le(fabs(number_of(got[1]) - da), 0.1 * da);
        ck_assert_double_le(fabs(number_of(got[2]) - db), 0.1 * fabs(db));
        sn_function_destroy(f);
      }
}
END_TEST

static sn_status twice(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *a = in[0];
  (void)user;
  sn_gradients(sn_sum(sn_random_gamma(a)), &a, 1, &out[0]);
  sn_gradients(sn_sum(sn_mul(out[0], out[0])), &a, 1, &out[1]);
  return sn_pending_error(c);
}

START_TEST(it_is_differentiable_once) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  sn_tensor *a = sn_ones(c, SN_F16, SN_SHAPE(3)), *out[2];
  sn_function *f = sn_function_create(c, twice, .inputs = 1, .outputs = 2);
  ck_assert_int_ne(sn_call(f, &a, 1, out, 2), SN_OK);
  ck_assert_msg(strstr(sn_error_message(c), "sn_random_gamma at"), "%s", sn_error_message(c));
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gamma_gradient");
  TCase *tests = tcase_create("gamma_gradient");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, values);
  tcase_add_test(tests, derivatives_of_moments);
  tcase_add_test(tests, it_is_differentiable_once);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
