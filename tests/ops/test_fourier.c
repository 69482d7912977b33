// Fourier transforms against the sums of their definition, in long double; their properties, as FFTW's own test has them; the same
// bits op by op and compiled, by both backends, alone, in a batch and with any number of threads.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

#include <complex.h>

typedef long double complex point;

enum { most = 1100, n_kinds = 6 };

static const char *const kinds[n_kinds] = {"fft",          "ifft ortho", "rfft",
                                           "rfft forward", "irfft",      "irfft odd"};

static point circle(int64_t k, int64_t n) {
  const long double angle =
      2 * 3.141592653589793238462643383279502884L * (long double)(k % n) / (long double)n;
  return cosl(angle) - sinl(angle) * I;
}

static sn_tensor *numbers(sn_context *c, sn_dtype dtype, const sn_shape *shape, int seed) {
  sn_tensor *parts[2];
  for (int p = 0; p < 2; p++) {
    int64_t n = 1;
    for (int d = 0; d < shape->rank; d++) n *= shape->dims[d];
    double *x = calloc((size_t)n + 1, sizeof *x);
    for (int64_t i = 0; i < n; i++)
      x[i] = (double)(hash_of((uint64_t)i * 2 + (uint64_t)p, (uint64_t)seed) % 20001) / 10000 - 1;
    parts[p] = sn_constant(c, SN_F64, *shape, x);
    free(x);
  }
  const bool wide = dtype == SN_F64 || dtype == SN_C128;
  if (dtype == SN_F32 || dtype == SN_F64) return sn_cast(parts[0], dtype);
  sn_tensor *y = sn_complex(parts[0], parts[1]);
  return wide ? y : sn_cast(y, SN_C64);
}

static void read_points(sn_tensor *t, point *to) {
  const bool real = sn_dtype_of(t) == SN_F32 || sn_dtype_of(t) == SN_F64;
  const int64_t n = sn_size(t);
  sn_tensor *wide = sn_cast(t, real ? SN_F64 : SN_C128);
  double *x = calloc((size_t)(2 * n) + 1, sizeof *x);
  ck_assert_msg(!sn_read(wide, x, (size_t)(real ? n : 2 * n) * sizeof *x), "%s",
                sn_error_message(sn_context_of(t)));
  for (int64_t i = 0; i < n; i++) to[i] = real ? x[i] : x[2 * i] + x[2 * i + 1] * I;
  free(x);
}

static sn_tensor *transformed(sn_tensor *x, int kind, int64_t n) {
  switch (kind) {
    case 0:
      return sn_fft(x, -1);
    case 1:
      return sn_ifft(x, -1, .norm = SN_FFT_ORTHO);
    case 2:
      return sn_rfft(x, -1);
    case 3:
      return sn_rfft(x, -1, .norm = SN_FFT_FORWARD);
    case 4:
      return sn_irfft(x, -1, .n = n);
    default:
      return sn_irfft(x, -1, .n = n, .norm = SN_FFT_ORTHO);
  }
}

// y of a row x by the definition. Returns how many.
static int64_t defined(const point *x, point *y, int kind, int64_t n) {
  static point roots[most];
  const bool to_real = kind >= 4, from_real = kind == 2 || kind == 3;
  const int64_t count = from_real ? n / 2 + 1 : n;
  for (int64_t k = 0; k < n; k++) roots[k] = circle(k, n);
  for (int64_t k = 0; k < count; k++) {
    point sum = 0;
    for (int64_t j = 0; j < n; j++) {
      const point w = roots[j * k % n];
      point a = to_real ? (2 * j <= n ? x[j] : conjl(x[n - j])) : x[j];
      if (to_real && 2 * j % n == 0) a = creall(a);
      sum += a * (kind == 0 || from_real ? w : conjl(w));
    }
    y[k] = sum / (kind == 1 || kind == 5   ? sqrtl((long double)n)
                  : kind == 3 || kind == 4 ? (long double)n
                                           : 1);
  }
  return count;
}

static double distance(const point *a, const point *b, int64_t n) {
  long double off = 0, all = 1e-300L;
  for (int64_t i = 0; i < n; i++) {
    off += creall((a[i] - b[i]) * conjl(a[i] - b[i]));
    all += creall(b[i] * conjl(b[i]));
  }
  return (double)sqrtl(off / all);
}

static void check_length(sn_context *c, int64_t n, bool wide, int rows) {
  static point x[most * 20], y[most * 20], expected[most];
  const double tolerance = (wide ? 0x1p-53 : 0x1p-24) * (3 + log2((double)n));
  for (int kind = 0; kind < n_kinds; kind++) {
    SN_SCOPE(c);
    const bool from_real = kind == 2 || kind == 3;
    const int64_t in = kind >= 4 ? n / 2 + 1 : n;
    const sn_dtype dtype = from_real ? (wide ? SN_F64 : SN_F32) : wide ? SN_C128 : SN_C64;
    sn_tensor *t = numbers(c, dtype, &(sn_shape){2, {rows, in}}, (int)n + kind);
    sn_tensor *result = transformed(t, kind, n);
    ck_assert_msg(!sn_failed(result), "%s of %d: %s", kinds[kind], (int)n, sn_error_message(c));
    read_points(t, x);
    read_points(result, y);
    for (int row = 0; row < rows; row++) {
      const int64_t out = defined(x + row * in, expected, kind, n);
      ck_assert_int_eq(sn_dim(result, 1), out);
      const double off = distance(y + row * out, expected, out);
      ck_assert_msg(off < tolerance, "%s of %d %s: off by %g", kinds[kind], (int)n,
                    sn_dtype_name(dtype), off);
    }
  }
}

START_TEST(values_are_the_sums_of_the_definition) {
  static const int more[] = {97, 128, 130, 169, 210, 256, 343, 509, 720, 1000, 1009, 1024};
  for (int wide = 0; wide < 2; wide++) {
    for (int n = 1; n <= 70; n++) check_length(tiers[0], n, wide, n <= 20 ? 19 : 2);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
      check_length(tiers[0], more[i], wide, 1);
  }
}
END_TEST

// ---- properties of long ones
static const int64_t lengths[] = {4096, 10007, 16384, 30030, 65536, 131071, 1 << 20, 1000000};

START_TEST(what_goes_there_comes_back) {
  sn_context *c = tiers[0];
  const int64_t n = lengths[_i];
  point *x = calloc((size_t)n, sizeof *x), *y = calloc((size_t)n, sizeof *y);
  ck_assert(x && y);
  for (int wide = 0; wide < 2; wide++)
    for (int real = 0; real < 2; real++) {
      SN_SCOPE(c);
      const sn_dtype dtype = real ? (wide ? SN_F64 : SN_F32) : wide ? SN_C128 : SN_C64;
      sn_tensor *a = numbers(c, dtype, &(sn_shape){1, {n}}, 3);
      sn_tensor *b = real ? sn_irfft(sn_rfft(a, 0), 0, .n = n) : sn_ifft(sn_fft(a, 0), 0);
      read_points(a, x);
      read_points(b, y);
      const double off = distance(y, x, n);
      const double tolerance = (wide ? 0x1p-53 : 0x1p-24) * (3 + log2((double)n));
      ck_assert_msg(off < tolerance, "%lld %s: off by %g", (long long)n, sn_dtype_name(dtype), off);
    }
  free(x);
  free(y);
}
END_TEST

// Linearity, an impulse, a shift: F(a x + b y) = a F(x) + b F(y); the impulse at j becomes w^(j k); and what is
// rotated by one is multiplied by w^k.
START_TEST(transforms_have_their_properties) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  const int64_t n = lengths[_i], at = n / 3 + 1;
  point *x = calloc((size_t)n, sizeof *x), *y = calloc((size_t)n, sizeof *y);
  ck_assert(x && y);
  const sn_shape shape = {1, {n}};
  sn_tensor *a = numbers(c, SN_C128, &shape, 1), *b = numbers(c, SN_C128, &shape, 2);
  sn_tensor *fa = sn_fft(a, 0);
  read_points(sn_fft(sn_add(sn_mul_scalar(a, 0.75), sn_mul_scalar(b, -2)), 0), x);
  read_points(sn_add(sn_mul_scalar(fa, 0.75), sn_mul_scalar(sn_fft(b, 0), -2)), y);
  ck_assert_double_lt(distance(x, y, n), 0x1p-53 * (5 + log2((double)n)));
  double *one = calloc((size_t)n, sizeof *one);
  ck_assert(one != NULL);
  one[at] = 1;
  read_points(sn_fft(sn_constant(c, SN_F64, shape, one), 0), x);
  for (int64_t k = 0; k < n; k++) y[k] = circle(at * k, n);
  ck_assert_double_lt(distance(x, y, n), 0x1p-53 * (3 + log2((double)n)));
  read_points(sn_fft(sn_roll(a, 1, 0), 0), x);
  read_points(fa, y);
  for (int64_t k = 0; k < n; k++) y[k] *= circle(k, n);
  ck_assert_double_lt(distance(x, y, n), 0x1p-53 * (5 + log2((double)n)));
  free(one);
  free(x);
  free(y);
}
END_TEST

// ---- modes
static sn_status all_of_them(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *z = in[0], *x = in[1];
  out[0] = sn_fft(z, -1);
  out[1] = sn_ifft(sn_mul(z, z), 1, .norm = SN_FFT_ORTHO);
  out[2] = sn_fft2(z);
  out[3] = sn_irfftn(sn_rfftn(x), .points = {0, 0, sn_dim(x, 2)});
  out[4] = sn_rfft(x, 1, .n = 20);
  out[5] = sn_irfft(z, 2, .n = 7);
  out[6] = sn_fftshift(sn_fft(x, 0), .axes = SN_AXES(0, 2));
  out[7] = sn_add(sn_real(sn_ifftn(sn_fft(z, 1), .axes = SN_AXES(0))), x);
  return sn_pending_error(c);
}

static const sn_shape shapes[] = {
    {3, {2, 3, 24}}, {3, {40, 5, 17}}, {3, {1, 16, 130}}, {3, {3, 1, 1}}};

START_TEST(modes_give_the_same_bits) {
  enum { n_out = 8 };
  for (int tier = 0; tier < n_tiers; tier++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
      for (int wide = 0; wide < 2; wide++) {
        sn_context *c = tiers[tier];
        SN_SCOPE(c);
        sn_tensor *in[] = {numbers(c, wide ? SN_C128 : SN_C64, &shapes[s], 1),
                           numbers(c, wide ? SN_F64 : SN_F32, &shapes[s], 2)};
        sn_tensor *got[n_out], *expected[n_out];
        sn_function *f = sn_function_create(c, all_of_them, .inputs = 2, .outputs = n_out);
        call_both(c, f, in, 2, got, expected, n_out);
        for (int i = 0; i < n_out; i++)
          ck_assert_msg(same_bits(got[i], expected[i]), "result %d of shape %d", i, (int)s);
        sn_function_destroy(f);
      }
}
END_TEST

START_TEST(a_batch_and_threads_change_no_bit) {
  static const int64_t sizes[] = {8, 13, 50, 64, 100, 202, 1000};
  sn_context *one = open_context(SN_BACKEND_INTERPRETER, 1, 1),
             *two = open_context(SN_BACKEND_INTERPRETER, 2, 1);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int kind = 0; kind < n_kinds; kind++) {
      SN_SCOPE(one);
      SN_SCOPE(two);
      const int64_t n = sizes[s], in = kind >= 4 ? n / 2 + 1 : n;
      const sn_dtype dtype = kind == 2 || kind == 3 ? SN_F32 : SN_C64;
      const sn_shape shape = {2, {211, in}};
      sn_tensor *x = numbers(one, dtype, &shape, 5);
      sn_tensor *y = transformed(x, kind, n);
      ck_assert(same_bits(transformed(numbers(two, dtype, &shape, 5), kind, n), y));
      for (int row = 0; row < 211; row += 35)
        ck_assert_msg(same_bits(transformed(sn_index(x, 0, row), kind, n), sn_index(y, 0, row)),
                      "%s of %d, row %d", kinds[kind], (int)n, row);
    }
  sn_context_destroy(two);
  sn_context_destroy(one);
}
END_TEST

// ---- ranks, sizes, and the batch of unknown size
static sn_status rows_of(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_fft(in[0], -1);
  out[1] = sn_rfft(sn_real(in[0]), -1);
  out[2] = sn_irfft(in[0], -1);
  return sn_pending_error(c);
}

START_TEST(batches_of_unknown_size_and_of_many_dims) {
  static const sn_shape given[] = {
      {8, {2, 1, 1, 2, 1, 1, 3, 6}}, {8, {0, 1, 1, 2, 1, 1, 3, 6}}, {8, {5, 1, 1, 2, 1, 1, 3, 6}}};
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    SN_SCOPE(c);
    const sn_spec any = {SN_C64, {8, {SN_UNKNOWN, 1, 1, 2, 1, 1, 3, 6}}};
    sn_function *f = sn_function_create(c, rows_of, .inputs = 1, .outputs = 3, .specs = &any);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
      sn_tensor *x = numbers(c, SN_C64, &given[i], 7), *got[3], *expected[3];
      call_both(c, f, &x, 1, got, expected, 3);
      for (int k = 0; k < 3; k++) ck_assert(same_bits(got[k], expected[k]));
      ck_assert_int_eq(sn_dim(got[1], 7), 4);
      ck_assert_int_eq(sn_dim(got[2], 7), 10);
      const int64_t n = sn_size(x) / 6;
      const sn_shape flat = {2, {n, 6}}, flat_half = {2, {n, 4}};
      ck_assert(same_bits(sn_reshape(got[0], flat), sn_fft(sn_reshape(x, flat), 1)));
      ck_assert(same_bits(sn_reshape(got[1], flat_half), sn_rfft(sn_real(sn_reshape(x, flat)), 1)));
    }
    sn_function_destroy(f);
  }
}
END_TEST

START_TEST(frequencies_and_shifts_are_numpys) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  double f[5];
  ck_assert(!sn_read(sn_fftfreq(c, SN_F64, 5, 0.5), f, sizeof f));
  for (int i = 0; i < 5; i++) ck_assert(f[i] == (i < 3 ? i : i - 5) / 2.5);
  ck_assert(!sn_read(sn_fftfreq(c, SN_F64, 4, 1), f, 4 * sizeof *f));
  for (int i = 0; i < 4; i++) ck_assert(f[i] == (i < 2 ? i : i - 4) / 4.0);
  ck_assert(!sn_read(sn_rfftfreq(c, SN_F64, 4, 1), f, 3 * sizeof *f));
  for (int i = 0; i < 3; i++) ck_assert(f[i] == i / 4.0);
  int32_t x[5] = {0, 1, 2, 3, 4};
  sn_tensor *t = sn_constant(c, SN_I32, SN_SHAPE(5), x), *shifted = sn_fftshift(t);
  ck_assert(!sn_read(shifted, x, sizeof x));
  for (int i = 0; i < 5; i++) ck_assert_int_eq(x[i], (i + 3) % 5);
  ck_assert(same_bits(sn_ifftshift(shifted), t));
}
END_TEST

static void refused(sn_context *c, sn_tensor *t, sn_status status, const char *text) {
  ck_assert(sn_failed(t));
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), text), "\"%s\" lacks \"%s\"", sn_error_message(c),
                text);
}

START_TEST(wrong_arguments_are_errors) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 3)), *none = sn_zeros(c, SN_F32, SN_SHAPE(2, 0));
  refused(c, sn_fft(sn_cast(x, SN_I32), 0), SN_ERR_DTYPE, "sn_fft: operand #0 is i32[2,3]");
  refused(c, sn_rfft(sn_cast(x, SN_C64), 0), SN_ERR_DTYPE, "sn_rfft: operand #0 is c64[2,3]");
  refused(c, sn_irfft(x, 0), SN_ERR_DTYPE, "sn_irfft: operand #0 is f32[2,3]");
  refused(c, sn_fft(x, 2), SN_ERR_SHAPE, "sn_fft: axis 2 is out of range");
  refused(c, sn_fft(none, 1), SN_ERR_SHAPE, "sn_fft: axis 1 of operand #0 f32[2,0] has 0 points");
  refused(c, sn_irfft(sn_zeros(c, SN_C64, SN_SHAPE(1)), 0), SN_ERR_SHAPE,
          "sn_irfft: axis 0 of operand #0 c64[1] has 0 points");
  refused(c, sn_fft(x, 0, .n = -1), SN_ERR_ARGUMENT, "sn_fft: -1 points");
  refused(c, sn_fft(x, 0, .norm = (sn_fft_norm)3), SN_ERR_ARGUMENT, "sn_fft: .norm is 3");
  refused(c, sn_fftn(x, .axes = SN_AXES(1, -1)), SN_ERR_SHAPE,
          "sn_fftn: axis 1 of operand #0 f32[2,3] is given twice");
  refused(c, sn_fft2(sn_zeros(c, SN_F32, SN_SHAPE(2))), SN_ERR_SHAPE,
          "sn_fft2: 0 axes of operand #0 f32[2], expected rank >= 2");
  refused(c, sn_fftfreq(c, SN_F32, 0, 1), SN_ERR_ARGUMENT, "sn_fftfreq: 0 points");
  refused(c, sn_fftfreq(c, SN_I32, 3, 1), SN_ERR_DTYPE, "sn_fftfreq: i32 numbers");
  ck_assert_int_eq(sn_dim(sn_fft(none, 1, .n = 4), 1), 4);
  ck_assert_int_eq(sn_pending_error(c), SN_OK);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fourier");
  TCase *tests = tcase_create("fourier");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, values_are_the_sums_of_the_definition);
  tcase_add_loop_test(tests, what_goes_there_comes_back, 0, sizeof lengths / sizeof *lengths);
  tcase_add_loop_test(tests, transforms_have_their_properties, 0, sizeof lengths / sizeof *lengths);
  tcase_add_test(tests, modes_give_the_same_bits);
  tcase_add_test(tests, a_batch_and_threads_change_no_bit);
  tcase_add_test(tests, batches_of_unknown_size_and_of_many_dims);
  tcase_add_test(tests, frequencies_and_shifts_are_numpys);
  tcase_add_test(tests, wrong_arguments_are_errors);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
