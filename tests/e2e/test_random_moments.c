// Distributions by their moments, by the largest distance from their distribution function (Kolmogorov, Smirnov) and by
// chi^2: each bound is one that right numbers miss less than once in a million seeds.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { n = 100000 };
static const double sigmas = 5;      // a normal number is farther away with a probability of 6e-7
static const double farthest = 2.7;  // times 1 / sqrt(n): 2 exp(-2 2.7^2) = 9e-7

static sn_context *c;
static double x[n];

static void setup(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .seed = 2024), SN_OK);
}
static void teardown(void) {
  sn_context_destroy(c);
}

static void draw(sn_tensor *t) {
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(sn_cast(t, SN_F64), x, sizeof x), SN_OK);
}

// ---- the three tests
static void check_moments(const char *name, double mean, double variance, double fourth) {
  double sum = 0, square = 0, pairs = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  for (int i = 0; i < n; i++) square += (x[i] - mean) * (x[i] - mean);
  for (int i = 1; i < n; i++) pairs += (x[i] - mean) * (x[i - 1] - mean);
  ck_assert_msg(fabs(sum / n - mean) <= sigmas * sqrt(variance / n), "%s: mean %.9g, not %.9g",
                name, sum / n, mean);
  ck_assert_msg(fabs(square / n - variance) <= sigmas * sqrt((fourth - variance * variance) / n),
                "%s: variance %.9g, not %.9g", name, square / n, variance);
  ck_assert_msg(fabs(pairs) <= sigmas * variance * sqrt(n), "%s: neighbours go together: %g", name,
                pairs / variance / n);
}

static int ascending(const void *a, const void *b) {
  const double u = *(const double *)a, v = *(const double *)b;
  return (u > v) - (u < v);
}

typedef double (*distribution)(double x, double a);

static void check_distance(const char *name, distribution f, double a) {
  double most = 0;
  qsort(x, n, sizeof *x, ascending);
  for (int i = 0; i < n; i++) {
    const double p = f(x[i], a);
    most = fmax(most, fmax(fabs(p - (double)i / n), fabs(p - (double)(i + 1) / n)));
  }
  ck_assert_msg(most < farthest / sqrt(n), "%s: a distance of %g sqrt(n)", name, most * sqrt(n));
}

// counts: of `classes`, with these probabilities; chi^2 as a normal number (Wilson, Hilferty).
static void check_counts(const char *name, const int64_t *counts, const double *p, int classes) {
  double chi = 0, total = 0;
  const double k = classes - 1;
  for (int i = 0; i < classes; i++) total += (double)counts[i];
  for (int i = 0; i < classes; i++) {
    const double wanted = p[i] * total, d = (double)counts[i] - wanted;
    ck_assert_double_gt(wanted, 20);
    chi += d * d / wanted;
  }
  const double z = (cbrt(chi / k) - (1 - 2 / (9 * k))) / sqrt(2 / (9 * k));
  ck_assert_msg(fabs(z) < sigmas, "%s: chi^2 %g of %g", name, chi, k);
}

static void check_classes(const char *name, const double *p, int classes) {
  int64_t counts[64] = {0};
  for (int i = 0; i < n; i++) {
    ck_assert_msg(x[i] >= 0 && x[i] < classes && x[i] == floor(x[i]), "%s: %g", name, x[i]);
    counts[(int)x[i]]++;
  }
  check_counts(name, counts, p, classes);
}

// ---- distribution functions
static double uniform_below(double u, double a) {
  (void)a;
  return u < 0 ? 0 : u > 1 ? 1 : u;
}
static double normal_below(double z, double a) {
  (void)a;
  return erfc(-z / sqrt(2)) / 2;
}
static double truncated_below(double z, double a) {
  const double least = normal_below(-2, a);
  ck_assert_double_le(fabs(z), 2);
  return (normal_below(z, a) - least) / (1 - 2 * least);
}
static double exponential_below(double y, double a) {
  (void)a;
  return -expm1(-y);
}
// The regularised incomplete gamma function: its series, or Lentz's continued fraction of the rest.
static double gamma_below(double y, double a) {
  const double factor = exp(a * log(y) - y - lgamma(a));
  if (!(y > 0)) return 0;
  if (y < a + 1) {
    double term = 1 / a, sum = term;
    for (int k = 1; k < 1000; k++) sum += term *= y / (a + k);
    return factor * sum;
  }
  double b = y + 1 - a, d = 1 / b, h = d, t = 1e300;
  for (int k = 1; k < 1000; k++) {
    const double m = -k * (k - a);
    b += 2;
    d = 1 / (m * d + b);
    t = b + m / t;
    h *= d * t;
  }
  return 1 - factor * h;
}
static double arcsine_below(double y, double a) {
  (void)a;
  return 2 / 3.14159265358979323846 * asin(sqrt(y));
}
static double beta_2_3_below(double y, double a) {
  (void)a;
  return y * y * (6 - 8 * y + 3 * y * y);
}

// ---- each from the context's generator, and under a key of either algorithm
static sn_tensor *key_of(int which) {
  return which ? sn_random_key(c, 77) : NULL;
}
#define OPTIONS(which) \
  .key = key_of(which), .algorithm = (which) == 2 ? SN_RANDOM_PHILOX_TF : SN_RANDOM_THREEFRY

static sn_dtype float_of(int i) {
  static const sn_dtype dtypes[] = {SN_F32, SN_F64};
  return dtypes[i];
}

START_TEST(numbers_without_parameters) {
  const int which = _i % 3;
  const sn_dtype dtype = float_of(_i / 3);
  // of the numbers between -2 and 2: 1 - 4 phi(2) / (2 Phi(2) - 1), and so on
  const double phi = exp(-2) / sqrt(2 * 3.14159265358979323846), mass = erf(sqrt(2)),
               second = 1 - 4 * phi / mass, fourth = 3 * second - 16 * phi / mass;
  draw(sn_random_uniform(c, dtype, SN_SHAPE(n), OPTIONS(which)));
  check_moments("uniform", 0.5, 1.0 / 12, 1.0 / 80);
  check_distance("uniform", uniform_below, 0);
  draw(sn_random_normal(c, dtype, SN_SHAPE(n), OPTIONS(which)));
  check_moments("normal", 0, 1, 3);
  check_distance("normal", normal_below, 0);
  draw(sn_random_truncated_normal(c, dtype, SN_SHAPE(n), OPTIONS(which)));
  check_moments("truncated normal", 0, second, fourth);
  check_distance("truncated normal", truncated_below, 0);
  draw(sn_random_exponential(c, dtype, SN_SHAPE(n), OPTIONS(which)));
  check_moments("exponential", 1, 1, 9);
  check_distance("exponential", exponential_below, 0);
}
END_TEST

START_TEST(numbers_of_16_bits) {
  const sn_dtype dtype = _i ? SN_BF16 : SN_F16;
  const double steps = _i ? 128 : 1024;  // u is floored to one of these
  draw(sn_random_uniform(c, dtype, SN_SHAPE(n)));
  const double variance = (1 - 1 / (steps * steps)) / 12;
  check_moments("uniform", 0.5 - 0.5 / steps, variance, 1.8 * variance * variance);
  draw(sn_random_normal(c, dtype, SN_SHAPE(n)));
  check_moments("normal", 0, 1, 3);
}
END_TEST

START_TEST(gamma_numbers) {
  static const double shapes[] = {0.05, 0.5, 1, 2.5, 100};
  const double a = shapes[_i % 5];
  const int which = _i / 5 % 3;
  draw(sn_random_gamma(sn_full(c, float_of(_i % 2), SN_SHAPE(n), a), OPTIONS(which)));
  check_moments("gamma", a, a, 3 * a * a + 6 * a);
  check_distance("gamma", gamma_below, _i % 2 ? a : (double)(float)a);
}
END_TEST

START_TEST(beta_numbers) {
  const int which = _i % 3;
  sn_tensor *half = sn_full(c, SN_F64, SN_SHAPE(n), 0.5), *two = sn_full(c, SN_F32, SN_SHAPE(n), 2);
  draw(sn_random_beta(half, sn_scalar_f64(c, 0.5), OPTIONS(which)));
  check_moments("beta(1/2, 1/2)", 0.5, 0.125, 3.0 / 128);
  check_distance("beta(1/2, 1/2)", arcsine_below, 0);
  draw(sn_random_beta(two, sn_full(c, SN_F32, SN_SHAPE(1), 3), OPTIONS(which)));
  check_moments("beta(2, 3)", 0.4, 0.04, 0.04 * 0.04 * (3 - 9.0 / 14));
  check_distance("beta(2, 3)", beta_2_3_below, 0);
  // Both gamma numbers are too small for an f64, the quotient is nearly 0 or 1 all the same.
  draw(sn_random_beta(sn_full(c, SN_F64, SN_SHAPE(n), 1e-3), sn_scalar_f64(c, 1e-3)));
  check_moments("beta(0.001, 0.001)", 0.5, 0.25 / 1.002, 0.0625 / 1.002);
}
END_TEST

START_TEST(poisson_numbers) {
  static const double rates[] = {0.3, 4, 9.9, 10, 50, 1e6};
  const double rate = rates[_i % 6];
  const int which = _i / 6;
  draw(sn_random_poisson(sn_full(c, SN_F64, SN_SHAPE(n), rate), OPTIONS(which)));
  check_moments("poisson", rate, rate, rate + 3 * rate * rate);
  if (rate > 100) return;
  int64_t of_number[200] = {0}, counts[200] = {0};
  double p[200] = {0}, rest = 1;
  int last = 0;
  for (int i = 0; i < n; i++) of_number[x[i] > 199 ? 199 : (int)x[i]]++;
  for (int k = 0; k < 200; k++) {  // neighbours together until each class has enough
    const double pk = exp(k * log(rate) - rate - lgamma(k + 1));
    if (p[last] * n > 25 && rest * n > 60) last++;
    p[last] += pk;
    counts[last] += of_number[k];
    rest -= pk;
  }
  check_counts("poisson", counts, p, last + 1);
}
END_TEST

START_TEST(zero_rates_are_zeros) {
  draw(sn_random_poisson(sn_zeros(c, SN_F32, SN_SHAPE(n))));
  for (int i = 0; i < n; i++) ck_assert(x[i] == 0);
}
END_TEST

// ---- classes
START_TEST(integers) {
  const int which = _i % 3;
  double p[64];
  for (int i = 0; i < 64; i++) p[i] = 0.1;
  draw(sn_random_integers(c, SN_I32, SN_SHAPE(n), 0, 10, OPTIONS(which)));
  check_classes("integers below 10", p, 10);
  draw(sn_random_integers(c, SN_U8, SN_SHAPE(n), 0, 9, OPTIONS(which), .endpoint = true));
  check_classes("integers to 9", p, 10);
  draw(sn_add_scalar(sn_random_integers(c, SN_I64, SN_SHAPE(n), -7, 3, OPTIONS(which)), 7));
  check_classes("integers from -7", p, 10);
  for (int i = 0; i < 64; i++) p[i] = 1.0 / 64;
  draw(sn_shift_right(sn_random_bits(c, SN_U8, SN_SHAPE(n), OPTIONS(which)),
                      sn_full(c, SN_U8, SN_SHAPE(1), 2)));
  check_classes("upper bits", p, 64);
}
END_TEST

// Of 3 2^62 numbers a remainder would give the lowest third twice as often as others; of all 2^64 each sixteenth is equal.
START_TEST(integers_of_large_ranges_are_unbiased) {
  const double third[] = {1 / 3.0, 1 / 3.0, 1 / 3.0};
  double sixteenth[16];
  for (int i = 0; i < 16; i++) sixteenth[i] = 1.0 / 16;
  const int64_t high = (int64_t)((uint64_t)3 << 62);
  draw(sn_div(sn_random_integers(c, SN_U64, SN_SHAPE(n), 0, high),
              sn_constant(c, SN_U64, SN_SCALAR, &(uint64_t){(uint64_t)1 << 62})));
  check_classes("thirds", third, 3);
  draw(sn_shift_right(sn_random_integers(c, SN_U64, SN_SHAPE(n), 0, -1, .endpoint = true),
                      sn_full(c, SN_U64, SN_SHAPE(1), 60)));
  check_classes("all", sixteenth, 16);
  draw(sn_random_integers(c, SN_I64, SN_SHAPE(n), INT64_MIN, INT64_MAX, .endpoint = true));
  for (int i = 0; i < n; i++) x[i] *= 0x1p-63;
  check_moments("all i64", 0, 1 / 3.0, 1 / 5.0);
}
END_TEST

START_TEST(events_and_classes) {
  const int which = _i;
  const double p[] = {0.7, 0.3}, weights[] = {0.1, 0.2, 0.05, 0.65};
  const double logits[] = {log(0.1), log(0.2), log(0.05), log(0.65)};
  draw(sn_random_bernoulli(sn_full(c, SN_F32, SN_SHAPE(n), 0.3), OPTIONS(which)));
  check_classes("bernoulli", p, 2);
  draw(sn_random_bernoulli(sn_full(c, SN_BF16, SN_SHAPE(n), 0.25), OPTIONS(which)));
  check_classes("bernoulli bf16", (const double[]){0.75, 0.25}, 2);
  sn_tensor *row = sn_constant(c, SN_F64, SN_SHAPE(4), logits);
  draw(sn_random_categorical(row, OPTIONS(which), .samples = n));
  check_classes("categorical", weights, 4);
  draw(
      sn_random_categorical(sn_broadcast_to(sn_cast(row, SN_F32), SN_SHAPE(n, 4)), OPTIONS(which)));
  check_classes("rows", weights, 4);
}
END_TEST

START_TEST(orders) {
  enum { size = 4, all = 24, draws = 12000 };
  int64_t counts[all] = {0};
  double p[all];
  sn_tensor *keys = sn_random_split(sn_random_key(c, 5), draws);
  for (int i = 0; i < all; i++) p[i] = 1.0 / all;
  for (int i = 0; i < draws; i++) {
    SN_SCOPE(c);
    int32_t y[size];
    sn_tensor *key = _i ? sn_index(keys, 0, i) : NULL;
    ck_assert_int_eq(sn_read(sn_random_permutation(c, size, .key = key), y, sizeof y), SN_OK);
    int number = 0, seen = 0;
    for (int k = 0; k < size; k++) {  // Lehmer's code
      int smaller = 0;
      ck_assert(y[k] >= 0 && y[k] < size);
      for (int l = k + 1; l < size; l++) smaller += y[l] < y[k];
      number = number * (size - k) + smaller;
      seen |= 1 << y[k];
    }
    ck_assert_int_eq(seen, 15);
    counts[number]++;
  }
  check_counts("orders", counts, p, all);
}
END_TEST

// ---- dropout: what is kept, how often, and whether neighbours and calls go together
START_TEST(dropout_masks) {
  static const double rates[] = {0.1, 0.5, 0.9};
  static double before[n];
  const double rate = rates[_i], keep = 1 - rate;
  double together = 0;
  sn_tensor *ones = sn_ones(c, SN_F32, SN_SHAPE(n));
  for (int call = 0; call < 2; call++) {
    draw(sn_dropout(ones, rate));
    for (int i = 0; i < n; i++) {
      ck_assert(x[i] == 0 || fabs(x[i] * keep - 1) < 1e-6);
      x[i] = x[i] != 0;
      if (call) together += (x[i] - keep) * (before[i] - keep);
    }
    const double variance = keep * rate, fourth = variance * (1 - 3 * variance);
    check_moments("mask", keep, variance, fourth);
    memcpy(before, x, sizeof x);
  }
  ck_assert_double_lt(fabs(together), sigmas * keep * rate * sqrt(n));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("random_moments");
  TCase *tests = tcase_create("random_moments");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, numbers_without_parameters, 0, 6);
  tcase_add_loop_test(tests, numbers_of_16_bits, 0, 2);
  tcase_add_loop_test(tests, gamma_numbers, 0, 15);
  tcase_add_loop_test(tests, beta_numbers, 0, 3);
  tcase_add_loop_test(tests, poisson_numbers, 0, 12);
  tcase_add_test(tests, zero_rates_are_zeros);
  tcase_add_loop_test(tests, integers, 0, 3);
  tcase_add_test(tests, integers_of_large_ranges_are_unbiased);
  tcase_add_loop_test(tests, events_and_classes, 0, 3);
  tcase_add_loop_test(tests, orders, 0, 2);
  tcase_add_loop_test(tests, dropout_masks, 0, 3);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
