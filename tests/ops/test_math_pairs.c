// Functions of two operands in every mode: the special cases of C11 Annex F (F.10.1.4 atan2, F.10.4.3 hypot, F.10.4.4 pow) in all
// float dtypes, and errors in units in the last place of f32 and f64 against the C library in long double.
#include "tests/ops/math_modes.h"

static const math_op ops[] = {{"atan2", NULL, sn_atan2},
                              {"hypot", NULL, sn_hypot},
                              {"pow", NULL, sn_pow},
                              {"logaddexp", NULL, sn_logaddexp},
                              {"logaddexp2", NULL, sn_logaddexp2}};
enum { ATAN2, HYPOT, POW, LOGADDEXP, LOGADDEXP2, N_OPS };

// ---- special cases
#define INF ((double)INFINITY)
#define NOT ((double)NAN)
#define PI 3.14159265358979323846
typedef struct special {
  int op;
  double a, b, want;
} special;

static const special specials[] = {
    // atan2(y, x)
    {ATAN2, 0.0, -0.0, PI},
    {ATAN2, -0.0, -0.0, -PI},
    {ATAN2, 0.0, 0.0, 0.0},
    {ATAN2, -0.0, 0.0, -0.0},
    {ATAN2, 0.0, -3, PI},
    {ATAN2, -0.0, -3, -PI},
    {ATAN2, 0.0, 3, 0.0},
    {ATAN2, -0.0, 3, -0.0},
    {ATAN2, -3, 0.0, -PI / 2},
    {ATAN2, -3, -0.0, -PI / 2},
    {ATAN2, 3, 0.0, PI / 2},
    {ATAN2, 3, -0.0, PI / 2},
    {ATAN2, 3, -INF, PI},
    {ATAN2, -3, -INF, -PI},
    {ATAN2, 3, INF, 0.0},
    {ATAN2, -3, INF, -0.0},
    {ATAN2, INF, 3, PI / 2},
    {ATAN2, -INF, -3, -PI / 2},
    {ATAN2, INF, -INF, 3 * PI / 4},
    {ATAN2, -INF, -INF, -3 * PI / 4},
    {ATAN2, INF, INF, PI / 4},
    {ATAN2, -INF, INF, -PI / 4},
    {ATAN2, NOT, 1, NOT},
    {ATAN2, 1, NOT, NOT},
    {ATAN2, NOT, INF, NOT},
    // hypot
    {HYPOT, 3, -4, 5},
    {HYPOT, -3, 0.0, 3},
    {HYPOT, -0.0, -3, 3},
    {HYPOT, 0.0, -0.0, 0.0},
    {HYPOT, -0.0, -0.0, 0.0},
    {HYPOT, INF, NOT, INF},
    {HYPOT, NOT, -INF, INF},
    {HYPOT, -INF, 1, INF},
    {HYPOT, INF, -INF, INF},
    {HYPOT, NOT, 1, NOT},
    {HYPOT, 0.0, NOT, NOT},
    // pow
    {POW, 0.0, -3, INF},
    {POW, -0.0, -3, -INF},
    {POW, 0.0, -2, INF},
    {POW, -0.0, -2, INF},
    {POW, 0.0, -2.5, INF},
    {POW, -0.0, -2.5, INF},
    {POW, 0.0, -INF, INF},
    {POW, -0.0, -INF, INF},
    {POW, 0.0, 3, 0.0},
    {POW, -0.0, 3, -0.0},
    {POW, -0.0, 2, 0.0},
    {POW, -0.0, 2.5, 0.0},
    {POW, -0.0, INF, 0.0},
    {POW, -1, INF, 1},
    {POW, -1, -INF, 1},
    {POW, 1, NOT, 1},
    {POW, 1, -INF, 1},
    {POW, 1, 3.5, 1},
    {POW, NOT, 0.0, 1},
    {POW, NOT, -0.0, 1},
    {POW, -INF, 0.0, 1},
    {POW, 0.0, -0.0, 1},
    {POW, -2, 0.5, NOT},
    {POW, -0.25, -1.5, NOT},
    {POW, 0.5, -INF, INF},
    {POW, -0.5, -INF, INF},
    {POW, 2, -INF, 0.0},
    {POW, -2, -INF, 0.0},
    {POW, 0.5, INF, 0.0},
    {POW, -0.5, INF, 0.0},
    {POW, 2, INF, INF},
    {POW, -2, INF, INF},
    {POW, -INF, -3, -0.0},
    {POW, -INF, -2, 0.0},
    {POW, -INF, -2.5, 0.0},
    {POW, -INF, 3, -INF},
    {POW, -INF, 2, INF},
    {POW, -INF, 2.5, INF},
    {POW, -INF, INF, INF},
    {POW, INF, -0.5, 0.0},
    {POW, INF, 0.5, INF},
    {POW, INF, -INF, 0.0},
    {POW, NOT, 1, NOT},
    {POW, 2, NOT, NOT},
    {POW, -3, 3, -27},
    {POW, -3, -1, -1.0 / 3},
    // logaddexp: not in Annex F; the limits of the formula
    {LOGADDEXP, INF, INF, INF},
    {LOGADDEXP, -INF, -INF, -INF},
    {LOGADDEXP, INF, -INF, INF},
    {LOGADDEXP, -INF, 2, 2},
    {LOGADDEXP, INF, -3, INF},
    {LOGADDEXP, NOT, INF, NOT},
    {LOGADDEXP, -INF, NOT, NOT},
    {LOGADDEXP, 2, 2, 2.69314718055994530942},
    {LOGADDEXP2, INF, INF, INF},
    {LOGADDEXP2, -INF, -INF, -INF},
    {LOGADDEXP2, -INF, 2, 2},
    {LOGADDEXP2, NOT, 1, NOT},
    {LOGADDEXP2, 2, 2, 3},
};
enum { N_SPECIALS = sizeof(specials) / sizeof(specials[0]) };

static void check_specials(int mode, sn_dtype dtype, int op) {
  double a[N_SPECIALS], b[N_SPECIALS], want[N_SPECIALS], got[N_SPECIALS];
  int n = 0;
  for (int i = 0; i < N_SPECIALS; i++)
    if (specials[i].op == op) {
      a[n] = specials[i].a, b[n] = specials[i].b;
      want[n++] = specials[i].want;
    }
  run_mode(mode, &ops[op], dtype, a, b, got, n);
  for (int i = 0; i < n; i++) {
    const bool as_told = ulp_in(dtype, got[i], want[i]) <= 1 &&
                         (isnan(want[i]) || signbit(got[i]) == signbit(want[i]));
    ck_assert_msg(as_told, "%s, %s: %s(%g, %g) = %g, expected %g", mode_names[mode],
                  sn_dtype_name(dtype), ops[op].name, a[i], b[i], got[i], want[i]);
  }
}

START_TEST(special_cases) {
  for (int mode = 0; mode < MODE_COUNT; mode++)
    for (int d = 0; d < SN_DTYPE_COUNT && mode_contexts[mode]; d++)
      for (int op = 0; op < N_OPS && sni_is_float((sn_dtype)d); op++)
        check_specials(mode, (sn_dtype)d, op);
}
END_TEST

// ---- errors
static long double wide_logaddexp(long double a, long double b) {
  return fmaxl(a, b) + log1pl(expl(-fabsl(a - b)));
}
static long double wide_logaddexp2(long double a, long double b) {
  return fmaxl(a, b) + log1pl(exp2l(-fabsl(a - b))) * 1.44269504088896340735992468100189214L;
}

// In ULP; near the zeros of logaddexp those of its larger operand (math.h).
static const struct {
  long double (*wide)(long double, long double);
  double f32, f64;
  bool of_terms;
} bounds[N_OPS] = {{atan2l, 2, 2, false},
                   {hypotl, 2, 2, false},
                   {powl, 1, 2, false},
                   {wide_logaddexp, 4, 4, true},
                   {wide_logaddexp2, 4, 4, true}};

static uint64_t state;
static uint64_t random_bits(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 11;
}
static double unit(void) {
  return (double)random_bits() * 0x1p-53;
}
// Of any exponent in [-most, most].
static double spread(int most) {
  const double x = ldexp(0.5 + unit() / 2, (int)(random_bits() % (uint64_t)(2 * most)) - most);
  return random_bits() & 1 ? -x : x;
}

enum { N_SAMPLES = 1 << 15 };

// All exponents, neighbours of each other, moderate numbers, results that over- and underflow.
static void draw(int op, sn_dtype dtype, double *a, double *b) {
  const int most = 3 - sni_dtype_infos[dtype].exponent;
  for (int i = 0; i < N_SAMPLES; i++) {
    const int kind = i % 4;
    a[i] = kind == 0 ? spread(most) : kind == 1 ? spread(3) : spread(40);
    b[i] = kind == 0 ? spread(most) : kind == 1 ? spread(3) : a[i] * (1 + (unit() - 0.5) / 8);
    if (kind == 3) b[i] = ldexp(b[i], (int)(random_bits() % 60) - 30);
    if (op == POW) {
      a[i] = fabs(a[i]);
      b[i] = (unit() * 2 - 1) * most / log2(a[i]);
      if (kind == 3) a[i] = -a[i], b[i] = round(b[i]);
    } else if (op >= LOGADDEXP && kind != 0) {
      a[i] = (unit() - 0.5) * ldexp(1, i % 11);
      b[i] = a[i] + (unit() - 0.5) * 100;
    }
    const sni_scalar x = sni_scalar_of(dtype, a[i]), y = sni_scalar_of(dtype, b[i]);
    a[i] = sni_scalar_value(x), b[i] = sni_scalar_value(y);
  }
}

static double error_of(int op, sn_dtype dtype, double a, double b, double got) {
  const long double want = bounds[op].wide(a, b);
  const double error = ulp_in(dtype, got, want);
  const long double terms = fmaxl(fabsl((long double)a), fabsl((long double)b));
  if (!bounds[op].of_terms || fabsl(want) >= terms || isinf(error)) return error;
  int of_want, of_terms;
  frexpl(want, &of_want);
  frexpl(terms, &of_terms);
  return ldexp(error, of_want - of_terms);
}

static void check_errors(int mode, sn_dtype dtype, int op, double bound) {
  static double a[N_SAMPLES], b[N_SAMPLES], got[N_SAMPLES];
  double worst = 0;
  int at = 0;
  state = (uint64_t)(op + 1);
  draw(op, dtype, a, b);
  run_mode(mode, &ops[op], dtype, a, b, got, N_SAMPLES);
  for (int i = 0; i < N_SAMPLES; i++) {
    const double error = error_of(op, dtype, a[i], b[i], got[i]);
    if (error > worst) worst = error, at = i;
  }
  printf("%-10s %s %-11s %.3f ulp at %a, %a\n", ops[op].name, sn_dtype_name(dtype),
         mode_names[mode], worst, a[at], b[at]);
  ck_assert_msg(worst <= bound, "%s, %s: %s(%a, %a) = %a: %.3f ulp", mode_names[mode],
                sn_dtype_name(dtype), ops[op].name, a[at], b[at], got[at], worst);
}

START_TEST(errors) {
  for (int mode = 0; mode < MODE_COUNT; mode++)
    if (mode_contexts[mode]) {
      check_errors(mode, SN_F32, _i, bounds[_i].f32);
      check_errors(mode, SN_F64, _i, bounds[_i].f64);
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("math_pairs");
  TCase *tests = tcase_create("math_pairs");
  tcase_add_checked_fixture(tests, open_modes, close_modes);
  tcase_add_test(tests, special_cases);
  tcase_add_loop_test(tests, errors, 0, N_OPS);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
