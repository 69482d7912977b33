// Accuracy of the expanded functions, run through the interpreter and measured in units in the last
// place against the C library in the next wider format. f32: a stride through all 2^32 patterns,
// the second argument (odd; 1: all of them, some minutes a function), the third a function's name: no others;
// f64: random patterns, also in the ranges where a function is not trivial. Where MPFR is there (Debian: libmpfr-dev) it says what the
// greatest error is, and measures a sample of its own.
#include "tests/math_references.h"
#include "tests/ulp.h"
#include "tests/unit/codegen/interp_harness.h"

#include <stdio.h>
#if SINTER_HAS_MPFR
#include "tests/mpfr_references.h"
#endif

typedef struct budget {
  sni_kop op;
  double f32, f64;  // ulp
  double (*reference)(double);
  long double (*wide)(long double);
  double low, high;  // where f64 is sampled more densely
  // NULL, or the size of terms that cancel near zeros of the function: ulp are those of larger
  // results at least (f32: of a 2^-10th, since it computes in f64).
  double (*terms)(double);
} budget;

// The one table of budgets. pow and what else has two operands is measured apart.
static const budget budgets[] = {
    {SNI_KOP_EXP, 1, 1, exp, expl, -745, 709, NULL},
    {SNI_KOP_EXPM1, 2, 2, expm1, expm1l, -3, 3, NULL},
    {SNI_KOP_LOG, 1, 1, log, logl, 0.3, 3, NULL},
    {SNI_KOP_LOG1P, 2, 2, log1p, log1pl, -0.9, 3, NULL},
    {SNI_KOP_SIN, 1.75, 2, sin, sinl, -1000, 1000, NULL},
    {SNI_KOP_COS, 1.75, 2, cos, cosl, -1000, 1000, NULL},
    {SNI_KOP_TANH, 2, 2, tanh, tanhl, -3, 3, NULL},
    {SNI_KOP_SIGMOID, 2, 2, sigmoid, wide_sigmoid, -40, 40, NULL},
    {SNI_KOP_ERF, 2, 2, erf, erfl, -6, 6, NULL},
    {SNI_KOP_RSQRT, 1.5, 1.5, rsqrt, wide_rsqrt, 0.1, 10, NULL},
    {SNI_KOP_TRUNC, 0, 0, trunc, truncl, -100, 100, NULL},
    {SNI_KOP_EXP2, 1, 1, exp2, exp2l, -1075, 1024, NULL},
    {SNI_KOP_LOG2, 1, 1, log2, log2l, 0.3, 3, NULL},
    {SNI_KOP_LOG10, 1, 1, log10, log10l, 0.3, 3, NULL},
    {SNI_KOP_CBRT, 1, 1, cbrt, cbrtl, -10, 10, NULL},
    {SNI_KOP_TAN, 1, 3, tan, tanl, -1000, 1000, NULL},
    {SNI_KOP_ASIN, 1, 2, asin, asinl, -1, 1, NULL},
    {SNI_KOP_ACOS, 1, 2, acos, acosl, -1, 1, NULL},
    {SNI_KOP_ATAN, 1, 2, atan, atanl, -3, 3, NULL},
    {SNI_KOP_SINH, 2, 2, sinh, sinhl, -3, 3, NULL},
    {SNI_KOP_COSH, 2, 2, cosh, coshl, -3, 3, NULL},
    {SNI_KOP_ASINH, 1, 2, asinh, asinhl, -3, 3, NULL},
    {SNI_KOP_ACOSH, 1, 2, acosh, acoshl, 1, 3, NULL},
    {SNI_KOP_ATANH, 1, 2, atanh, atanhl, -1, 1, NULL},
    {SNI_KOP_ERFC, 1, 2, erfc, erfcl, -6, 28, NULL},
    {SNI_KOP_ERFINV, 1, 2, narrow_erfinv, wide_erfinv, -1, 1, NULL},
    {SNI_KOP_LGAMMA, 2, 3, narrow_lgamma, wide_lgamma, -10, 30, lgamma_terms},
    {SNI_KOP_DIGAMMA, 2, 2, narrow_digamma, wide_digamma, -10, 30, digamma_terms},
    {SNI_KOP_TRIGAMMA, 1, 2, narrow_trigamma, wide_trigamma, -10, 30, NULL},
};
// tan f64: below 2^45 2; larger angles are folded into one f64.
static const double pow_f32 = 1, pow_f64 = 2;

static harness h;
static uint64_t stride = 1009;  // prime
static const char *only;        // NULL: all functions
static bool left_out(sni_kop op) {
  return only && strcmp(only, sni_kop_infos[op].name) != 0;
}
static void setup(void) {
  harness_begin(&h);
}
static void teardown(void) {
  harness_end(&h);
}

enum { batch = 1 << 16 };

typedef struct evaluator {
  sni_interp_code *code;
  void *scratch;
} evaluator;

static evaluator make_evaluator(sni_kop op, sn_dtype dtype) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){batch});
  build_grain(&b, batch);
  build_stage(&b, false);
  uint32_t v[2];
  const int n = sni_kop_infos[op].operands;
  for (int i = 0; i < n; i++)
    v[i] = build_load(&b, build_access(&b, build_buffer(&b, dtype), 0, (int64_t[]){1}));
  const uint32_t y = n == 2 ? build_2(&b, op, v[0], v[1]) : build_1(&b, op, v[0]);
  build_store(&b, build_access(&b, build_buffer(&b, dtype), 0, (int64_t[]){1}), y);
  evaluator e = {0};
  ck_assert_int_eq(sni_interp_prepare(harness_expand(&h, &b), &h.allocator, &h.diag, &e.code),
                   SN_OK);
  e.scratch = aligned_alloc(64, sni_interp_scratch_bytes(e.code));
  return e;
}

static void evaluate(const evaluator *e, void *a, void *b_or_y, void *y) {
  void *buffers[3] = {a, b_or_y, y};
  sni_interp_run(e->code, buffers, NULL, 0, 1, e->scratch);
}

static void drop_evaluator(evaluator *e) {
  free(e->scratch);
  sni_interp_release(e->code, &h.allocator);
}

// ulp_distance for normal f32 results in double, for speed: most of the time goes here.
static double distance_f32(float got, double want) {
  uint64_t bits;
  memcpy(&bits, &want, sizeof(bits));
  const int exponent = (int)(bits >> 52 & 0x7ff) - 1022;
  const double magnitude = fabs((double)got);
  if (!(magnitude > 0 && magnitude <= 0x1p127) || exponent <= -125 || exponent >= 127 ||
      (got < 0) != (want < 0))
    return ulp_distance(got, want, 24, -149, 128);
  const uint64_t inverse_bits = (uint64_t)(1023 + 24 - exponent) << 52;
  double inverse;
  memcpy(&inverse, &inverse_bits, sizeof(inverse));
  return fabs((double)got - want) * inverse;
}

static double distance_f64(double got, long double want) {
  return ulp_distance(got, want, 53, -1074, 1024);
}

// In ulp of the terms, or of the result where that is larger.
static double within_terms(const budget *f, double x, double got, long double want, double share,
                           int digits) {
  int exponent;
  frexp(fmax(f->terms(x) * share, (double)fabsl(want)), &exponent);
  const double d = (double)ldexpl(fabsl((long double)got - want), digits - exponent);
  return isnan(d) ? (double)INFINITY : d;
}

static bool zeros_agree(double got, double want) {
  return got != 0 || want != 0 || signbit(got) == signbit(want);
}

// The greatest distance is what MPFR says, or below what it allows.
static void confirm(const budget *f, double x, double got, double worst, bool wide) {
#if SINTER_HAS_MPFR
  const double size = f->terms ? f->terms(x) * (wide ? 1 : 0x1p-10) : 0;
  const double d = mpfr_distance(f->op, x, got, size, wide ? 53 : 24, wide ? -1074 : -149);
  if (d >= 0)
    ck_assert_msg(fabs(d - worst) <= 0.004 || (f->terms && d <= (wide ? f->f64 : f->f32)),
                  "%s(%a) = %a: %.4f ulp, by MPFR %.4f", sni_kop_infos[f->op].name, x, got, worst,
                  d);
#else
  (void)f, (void)x, (void)got, (void)worst, (void)wide;
#endif
}

START_TEST(f32_functions) {
  const budget *f = &budgets[_i];
  if (left_out(f->op)) return;
  evaluator e = make_evaluator(f->op, SN_F32);
  float *x = malloc(batch * sizeof(float)), *y = malloc(batch * sizeof(float));
  double worst = 0;
  uint64_t inexact = 0, n = 0;  // results that are not the nearest f32
  float where = 0, there = 0;   // the worst, and what it gave
  for (uint64_t start = 0; start < UINT64_C(1) << 32; start += batch * stride) {
    for (uint64_t i = 0; i < batch; i++) {
      const uint32_t bits = (uint32_t)(start + i * stride);
      memcpy(&x[i], &bits, sizeof(bits));
    }
    evaluate(&e, x, y, NULL);
    for (int i = 0; i < batch; i++) {
      const double want = f->reference(x[i]);
      double d = distance_f32(y[i], want);
      if (f->terms && d > f->f32) d = within_terms(f, x[i], (double)y[i], want, 0x1p-10, 24);
      if (!zeros_agree(y[i], want))
        ck_abort_msg("%s(%a) = %a instead of %a", sni_kop_infos[f->op].name, (double)x[i],
                     (double)y[i], want);
      inexact += d > 0.5;
      if (d > worst) {
        worst = d;
        where = x[i];
        there = y[i];
      }
    }
    n += batch;
  }
  printf("%-8s f32 %.3f ulp at %a; not nearest: %.4f %%\n", sni_kop_infos[f->op].name, worst,
         (double)where, 100.0 * (double)inexact / (double)n);
  free(x);
  free(y);
  drop_evaluator(&e);
  confirm(f, (double)where, (double)there, worst, false);
  ck_assert_msg(worst <= f->f32, "%s f32: %.3f ulp at %a", sni_kop_infos[f->op].name, worst,
                (double)where);
}
END_TEST

static double sample_f64(const budget *f, int round) {
  const uint64_t bits = harness_random(&h);
  double x;
  memcpy(&x, &bits, sizeof(x));
  const double unit = (double)(bits >> 11) * 0x1p-53;
  if (round % 4 == 1) return f->low + unit * (f->high - f->low);
  if (round % 4 == 2)
    return ldexp(unit + 0.5, (int)(harness_random(&h) % 40) - 30) * (bits & 1 ? 1 : -1);
  if (round % 4 == 3)
    return (double)(int64_t)(bits % 2001 - 1000) * 0x1.921fb54442d18p-1 + unit * 0x1p-30;
  return x;
}

START_TEST(f64_functions) {
  const budget *f = &budgets[_i];
  if (left_out(f->op)) return;
  evaluator e = make_evaluator(f->op, SN_F64);
  double *x = malloc(batch * sizeof(double)), *y = malloc(batch * sizeof(double));
  double worst = 0, where = 0, there = 0;
  for (int round = 0; round < (stride < 1009 ? 400 : 8); round++) {
    for (int i = 0; i < batch; i++) x[i] = sample_f64(f, round);
    evaluate(&e, x, y, NULL);
    for (int i = 0; i < batch; i++) {
      const long double want = f->wide(x[i]);
      double d = distance_f64(y[i], want);
      if (f->terms && d > f->f64) d = within_terms(f, x[i], y[i], want, 1, 53);
      if (d > worst) {
        worst = d;
        where = x[i];
        there = y[i];
      }
    }
  }
  printf("%-8s f64 %.3f ulp at %a\n", sni_kop_infos[f->op].name, worst, where);
  free(x);
  free(y);
  drop_evaluator(&e);
  confirm(f, where, there, worst, true);
  ck_assert_msg(worst <= f->f64, "%s f64: %.3f ulp at %a", sni_kop_infos[f->op].name, worst, where);
}
END_TEST

#if SINTER_HAS_MPFR
// A sample measured against MPFR alone: f64 by ranges, f32 by patterns.
static void sample_mpfr(const budget *f, bool wide) {
  evaluator e = make_evaluator(f->op, wide ? SN_F64 : SN_F32);
  double *x = calloc(batch, sizeof(double)), *y = calloc(batch, sizeof(double)), worst = 0;
  float *fx = (float *)(void *)x, *fy = (float *)(void *)y;
  const int n = stride < 1009 ? 20000 : 400;
  int measured = 0;
  for (int i = 0; i < n; i++) {
    const uint32_t bits = (uint32_t)harness_random(&h);
    if (wide)
      x[i] = sample_f64(f, i);
    else
      memcpy(&fx[i], &bits, sizeof(bits));
  }
  evaluate(&e, x, y, NULL);
  for (int i = 0; i < n; i++) {
    const double at = wide ? x[i] : (double)fx[i], got = wide ? y[i] : (double)fy[i];
    // Of huge angles and far from zero gamma functions MPFR takes seconds.
    if (fabs(at) > 0x1p60 || fabs(at) < 0x1p-60) continue;
    if (f->terms && (at > 1e6 || at < -1e3)) continue;
    const double size = f->terms ? f->terms(at) * (wide ? 1 : 0x1p-10) : 0;
    const double d = mpfr_distance(f->op, at, got, size, wide ? 53 : 24, wide ? -1074 : -149);
    measured += d >= 0;
    if (d > worst) worst = d;
    ck_assert_msg(d <= (wide ? f->f64 : f->f32), "%s(%a) = %a: by MPFR %.3f ulp",
                  sni_kop_infos[f->op].name, at, got, d);
  }
  printf("%-8s %s %.3f ulp by MPFR of %d\n", sni_kop_infos[f->op].name, wide ? "f64" : "f32", worst,
         measured);
  free(x);
  free(y);
  drop_evaluator(&e);
}

START_TEST(mpfr_agrees) {
  const budget *f = &budgets[_i];
  if (left_out(f->op)) return;
  sample_mpfr(f, false);
  sample_mpfr(f, true);
  mpfr_free_cache();
}
END_TEST
#endif

// ---- angles around the limit of folding, and those nearest to a multiple of pi / 2

static const double angles[] = {
    0x1.6c6cbc45dc8dep+9,  // 2^-57 from 464 pi/2
    0x1.921fb54442d18p+0,
    0x1p+45,
    0x1.0000000000001p+45,
    0x1.921fb54442d18p+45,
    1e15,
    1.7e18,
    1e22,
    0x1p+63,
    0x1p+64,
    0x1.fffffep+127,
    0x1p+128,
    0x1.6ac5b262ca1ffp+849,  // the nearest of all: 2^-60.9 from it
    0x1.6ac5b262ca1ffp+850,
    0x1.4f0f308d488b6p+565,
    0x1p+1000,
    0x1.fffffffffffffp+1023,
};

START_TEST(hard_angles) {
  double x[2 * SNI_COUNT_OF(angles)], y[2 * SNI_COUNT_OF(angles)], padded[batch] = {0};
  static const struct {
    sni_kop op;
    long double (*wide)(long double);
  } functions[] = {{SNI_KOP_SIN, sinl}, {SNI_KOP_COS, cosl}, {SNI_KOP_TAN, tanl}};
  for (size_t i = 0; i < SNI_COUNT_OF(x); i++)
    padded[i] = x[i] = i % 2 ? -angles[i / 2] : angles[i / 2];
  for (size_t f = 0; f < SNI_COUNT_OF(functions); f++) {
    static double all[batch];
    evaluator e = make_evaluator(functions[f].op, SN_F64);
    evaluate(&e, padded, all, NULL);
    memcpy(y, all, sizeof(y));
    for (size_t i = 0; i < SNI_COUNT_OF(x); i++) {
      const double d = distance_f64(y[i], functions[f].wide(x[i]));
      ck_assert_msg(d <= (functions[f].op == SNI_KOP_TAN ? 3 : 2), "%s(%a): %.3f ulp",
                    sni_kop_infos[functions[f].op].name, x[i], d);
    }
    drop_evaluator(&e);
  }
}
END_TEST

// ---- pow

static const double edges[] = {0.0,
                               -0.0,
                               1,
                               -1,
                               0.5,
                               -0.5,
                               2,
                               -2,
                               3,
                               -3,
                               2.5,
                               -2.5,
                               1e-320,
                               -1e-320,
                               1e-45,
                               16777217,
                               -16777217,
                               9007199254740993.0,
                               4503599627370497.5,
                               -4503599627370497.5,
                               1e300,
                               -1e300,
                               1e-300,
                               0x1p-126,
                               0x1p-1022,
                               0x1.fffffffffffffp-1,
                               0x1.0000000000001p0,
                               0x1.fffffep-1,
                               0x1.000002p0,
                               1e38,
                               1e19,
                               -1e19};

static double edge(size_t i) {
  const size_t n = SNI_COUNT_OF(edges);
  if (i == n) return (double)INFINITY;
  if (i == n + 1) return -(double)INFINITY;
  return i == n + 2 ? (double)NAN : edges[i];
}

static void fill_pow(double *a, double *b, int round) {
  const size_t n = SNI_COUNT_OF(edges) + 3;
  for (size_t i = 0; i < batch; i++) {
    const uint64_t r = harness_random(&h), s = harness_random(&h);
    const double u = (double)(r >> 11) * 0x1p-53, v = (double)(s >> 11) * 0x1p-53;
    if (round == 0) {
      a[i] = edge(i % n);
      b[i] = edge(i / n % n);
    } else if (round % 3 == 1) {  // all over the range of results
      a[i] = ldexp(1 + u, (int)(r % 2040) - 1020);
      b[i] = (v * 2 - 1) * 745 / log(a[i]);
    } else if (round % 3 == 2) {  // bases near 1
      a[i] = 1 + (u - 0.5) * ldexp(1, -(int)(r % 30));
      b[i] = (v * 2 - 1) * 700 / log(a[i]);
    } else {  // negative bases, whole powers
      a[i] = -ldexp(1 + u, (int)(r % 8) - 4);
      b[i] = (double)((int64_t)(s % 61) - 30);
    }
  }
}

START_TEST(pow_both) {
  if (left_out(SNI_KOP_POW)) return;
  evaluator single = make_evaluator(SNI_KOP_POW, SN_F32),
            wide = make_evaluator(SNI_KOP_POW, SN_F64);
  double *a = malloc(batch * sizeof(double)), *b = malloc(batch * sizeof(double)),
         *y = malloc(batch * sizeof(double));
  float *fa = malloc(batch * sizeof(float)), *fb = malloc(batch * sizeof(float)),
        *fy = malloc(batch * sizeof(float));
  double worst_f32 = 0, worst_f64 = 0, at[4] = {0};
  for (int round = 0; round < (stride < 1009 ? 300 : 10); round++) {
    fill_pow(a, b, round);
    evaluate(&wide, a, b, y);
    for (int i = 0; i < batch; i++) {
      const long double want = powl(a[i], b[i]);
      const double d = distance_f64(y[i], want);
      if (!zeros_agree(y[i], (double)want)) ck_abort_msg("pow(%a, %a) = %a", a[i], b[i], y[i]);
      if (d > worst_f64) worst_f64 = d, at[0] = a[i], at[1] = b[i];
      fa[i] = (float)a[i];
      fb[i] = (float)(round % 3 == 1 || round % 3 == 2 ? b[i] / 8 : b[i]);
      if (round && (fa[i] == 0 || isinf(fa[i])))
        fa[i] = (float)ldexp(frexp(a[i], &(int){0}), i % 200 - 100);
    }
    evaluate(&single, fa, fb, fy);
    for (int i = 0; i < batch; i++) {
      const double want = pow((double)fa[i], (double)fb[i]), d = distance_f32(fy[i], want);
      if (!zeros_agree(fy[i], (double)(float)want))
        ck_abort_msg("powf(%a, %a) = %a", (double)fa[i], (double)fb[i], (double)fy[i]);
      if (d > worst_f32) worst_f32 = d, at[2] = (double)fa[i], at[3] = (double)fb[i];
    }
  }
  printf("pow      f32 %.3f ulp at %a, %a; f64 %.3f ulp at %a, %a\n", worst_f32, at[2], at[3],
         worst_f64, at[0], at[1]);
  free(a), free(b), free(y), free(fa), free(fb), free(fy);
  drop_evaluator(&single);
  drop_evaluator(&wide);
  ck_assert_msg(worst_f32 <= pow_f32, "pow f32: %.3f ulp at %a, %a", worst_f32, at[2], at[3]);
  ck_assert_msg(worst_f64 <= pow_f64, "pow f64: %.3f ulp at %a, %a", worst_f64, at[0], at[1]);
}
END_TEST

int main(int argc, char **argv) {
  if (argc > 2) stride = strtoull(argv[2], NULL, 10) | 1;
  if (argc > 3) only = argv[3];
  Suite *suite = suite_create("math_ulp");
  TCase *tests = tcase_create("math_ulp");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, stride < 1009 ? 100000 : 300);
  tcase_add_loop_test(tests, f32_functions, 0, (int)SNI_COUNT_OF(budgets));
  tcase_add_loop_test(tests, f64_functions, 0, (int)SNI_COUNT_OF(budgets));
#if SINTER_HAS_MPFR
  tcase_add_loop_test(tests, mpfr_agrees, 0, (int)SNI_COUNT_OF(budgets));
#endif
  tcase_add_test(tests, hard_angles);
  tcase_add_test(tests, pow_both);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
