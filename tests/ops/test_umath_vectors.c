// NumPy's vectors of mathematical functions (umath-validation-set-*.csv of its package: inputs and correctly rounded results, as
// bits), where they are installed: f32 and f64 in every mode. A result is at most 2 ULP from the rounded one; tan of f64 3, as math.h
// says. Source: numpy/core/tests/data.
#include "tests/ops/math_modes.h"

enum { MOST = 4096 };

static const struct {
  const char *file;
  math_op op;
} sets[] = {
    {"arccos", {"acos", sn_acos, NULL}},  {"arccosh", {"acosh", sn_acosh, NULL}},
    {"arcsin", {"asin", sn_asin, NULL}},  {"arcsinh", {"asinh", sn_asinh, NULL}},
    {"arctan", {"atan", sn_atan, NULL}},  {"arctanh", {"atanh", sn_atanh, NULL}},
    {"cbrt", {"cbrt", sn_cbrt, NULL}},    {"cos", {"cos", sn_cos, NULL}},
    {"cosh", {"cosh", sn_cosh, NULL}},    {"exp", {"exp", sn_exp, NULL}},
    {"exp2", {"exp2", sn_exp2, NULL}},    {"expm1", {"expm1", sn_expm1, NULL}},
    {"log", {"log", sn_log, NULL}},       {"log10", {"log10", sn_log10, NULL}},
    {"log1p", {"log1p", sn_log1p, NULL}}, {"log2", {"log2", sn_log2, NULL}},
    {"sin", {"sin", sn_sin, NULL}},       {"sinh", {"sinh", sn_sinh, NULL}},
    {"tan", {"tan", sn_tan, NULL}},       {"tanh", {"tanh", sn_tanh, NULL}},
};

static FILE *open_set(const char *name) {
  char path[512];
  (void)snprintf(path, sizeof(path), "%s/umath-validation-set-%s.csv", SINTER_UMATH_VECTORS, name);
  return fopen(path, "r");
}

static double of_bits(sn_dtype dtype, uint64_t bits) {
  return sni_scalar_value(sni_scalar_load(dtype, &bits, 0));
}

// "np.float32,0x3f800000,0x402df854,3": the lines of dtype.
static int read_set(const char *name, sn_dtype dtype, double *x, double *want) {
  const char *wanted = dtype == SN_F32 ? "np.float32," : "np.float64,";
  char line[256];
  int n = 0;
  FILE *file = open_set(name);
  ck_assert_msg(file != NULL, "%s is not there", name);
  while (fgets(line, sizeof(line), file)) {
    char *end;
    if (strncmp(line, wanted, strlen(wanted)) != 0) continue;
    ck_assert_int_lt(n, MOST);
    x[n] = of_bits(dtype, strtoull(line + strlen(wanted), &end, 16));
    want[n++] = of_bits(dtype, strtoull(end + 1, NULL, 16));
  }
  (void)fclose(file);
  return n;
}

START_TEST(vectors) {
  static double x[MOST], want[MOST], got[MOST];
  const math_op *op = &sets[_i].op;
  int total = 0;
  for (int k = 0; k < 2; k++) {
    const sn_dtype dtype = k ? SN_F64 : SN_F32;
    const double bound = k && !strcmp(op->name, "tan") ? 3 : 2;
    const int n = read_set(sets[_i].file, dtype, x, want);
    double worst = 0;
    for (int mode = 0; mode < MODE_COUNT && n; mode++) {
      if (!mode_contexts[mode]) continue;
      run_mode(mode, op, dtype, x, NULL, got, n);
      for (int i = 0; i < n; i++) {
        const double error = ulp_in(dtype, got[i], want[i]);
        worst = fmax(worst, error);
        ck_assert_msg(error <= bound && (got[i] != 0 || signbit(got[i]) == signbit(want[i])),
                      "%s, %s: %s(%a) = %a, expected %a: %g ulp", mode_names[mode],
                      sn_dtype_name(dtype), op->name, x[i], got[i], want[i], error);
      }
    }
    if (n) printf("%-6s %s %4d vectors, %g ulp\n", op->name, sn_dtype_name(dtype), n, worst);
    total += n;
  }
  ck_assert_int_gt(total, 0);
}
END_TEST

int main(void) {
  FILE *file = open_set("exp");
  if (!file) {
    printf("NumPy's vectors are not in \"%s\": skipped\n", SINTER_UMATH_VECTORS);
    return 77;
  }
  (void)fclose(file);
  Suite *suite = suite_create("umath_vectors");
  TCase *tests = tcase_create("umath_vectors");
  tcase_add_checked_fixture(tests, open_modes, close_modes);
  tcase_add_loop_test(tests, vectors, 0, (int)(sizeof(sets) / sizeof(sets[0])));
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
