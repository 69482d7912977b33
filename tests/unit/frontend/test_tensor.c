// Tensors: creation from values and memory, what can be asked, reading, random numbers, text.
#include "frontend_fixture.h"

START_TEST(constants_know_what_they_are) {
  sn_tensor *t = F32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  ck_assert_int_eq(sn_rank(t), 2);
  ck_assert_int_eq(sn_dtype_of(t), SN_F32);
  ck_assert_int_eq(sn_dim(t, 0), 2);
  ck_assert_int_eq(sn_dim(t, -1), 3);
  ck_assert_int_eq(sn_dim(t, 2), -1);
  ck_assert_int_eq(sn_dim(t, -3), -1);
  ck_assert_int_eq(sn_size(t), 6);
  ck_assert_ptr_eq(sn_context_of(t), ctx);
  ck_assert(!sn_failed(t) && !sn_is_traced(t));
  EXPECT(t, SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
}
END_TEST

START_TEST(scalars_of_every_dtype) {
  ck_assert_double_eq(item(sn_scalar_f32(ctx, 1.5f)), 1.5);
  ck_assert_double_eq(item(sn_scalar_f64(ctx, 0.1)), 0.1);
  ck_assert_double_eq(item(sn_scalar_i32(ctx, -7)), -7);
  ck_assert_double_eq(item(sn_scalar_i64(ctx, INT64_C(1) << 40)), 0x1p40);
  ck_assert_double_eq(item(sn_scalar_bool(ctx, true)), 1);
  ck_assert_int_eq(sn_dtype_of(sn_scalar_bool(ctx, true)), SN_BOOL);
  ck_assert_int_eq(sn_rank(sn_scalar_i64(ctx, 1)), 0);
}
END_TEST

START_TEST(numbers_become_the_dtype_of_another_tensor) {
  ck_assert_double_eq(item(sn_scalar_like(I32(SN_SCALAR, 0), -2.9)), -2);
  ck_assert_double_eq(item(sn_scalar_like(I32(SN_SCALAR, 0), 1e300)), INT32_MAX);
  ck_assert_double_eq(item(sn_scalar_like(I64(SN_SCALAR, 0), -1e300)), (double)INT64_MIN);
  ck_assert_double_eq(item(sn_scalar_like(I64(SN_SCALAR, 0), NAN)), 0);
  ck_assert_double_eq(item(sn_scalar_like(BOOL(SN_SCALAR, 0), 0.5)), 0);
  ck_assert_double_eq(item(sn_scalar_like(BOOL(SN_SCALAR, 0), -3)), 1);
  ck_assert_double_eq(item(sn_scalar_like(F32(SN_SCALAR, 0), 0.1)), (double)0.1f);
}
END_TEST

START_TEST(filled_tensors) {
  EXPECT(sn_zeros(ctx, SN_I64, SN_SHAPE(2, 2)), SN_SHAPE(2, 2), 0, 0, 0, 0);
  EXPECT(sn_ones(ctx, SN_F64, SN_SHAPE(3)), SN_SHAPE(3), 1, 1, 1);
  EXPECT(sn_ones(ctx, SN_BOOL, SN_SHAPE(3)), SN_SHAPE(3), 1, 1, 1);
  const uint8_t bytes[4] = {0, 1, 2, 255};  // whatever is not 0 is true
  sn_tensor *bools = sn_constant(ctx, SN_BOOL, SN_SHAPE(4), bytes);
  EXPECT(bools, SN_SHAPE(4), 0, 1, 1, 1);
  EXPECT(sn_cast(bools, SN_I32), SN_SHAPE(4), 0, 1, 1, 1);
  EXPECT(sn_not(bools), SN_SHAPE(4), 1, 0, 0, 0);
  EXPECT(sn_full(ctx, SN_I32, SN_SHAPE(2), -7.9), SN_SHAPE(2), -7, -7);
  EXPECT(sn_full(ctx, SN_F32, SN_SHAPE(2), -0.0), SN_SHAPE(2), -0.0, -0.0);
  ck_assert(signbit(item(sn_full(ctx, SN_F32, SN_SCALAR, -0.0))));
  EXPECT(sn_full(ctx, SN_F32, SN_SHAPE(0, 3), 1), SN_SHAPE(0, 3), 0);
  sn_tensor *like = I32(SN_SHAPE(2, 1), 4, 5);
  EXPECT(sn_zeros_like(like), SN_SHAPE(2, 1), 0, 0);
  EXPECT(sn_ones_like(like), SN_SHAPE(2, 1), 1, 1);
  ck_assert_int_eq(sn_dtype_of(sn_ones_like(like)), SN_I32);
}
END_TEST

START_TEST(ranges) {
  EXPECT(sn_range(ctx, SN_I32, 0, 5, 1), SN_SHAPE(5), 0, 1, 2, 3, 4);
  EXPECT(sn_range(ctx, SN_I64, 10, 0, -3), SN_SHAPE(4), 10, 7, 4, 1);
  EXPECT(sn_range(ctx, SN_F64, 0, 1, 0.1), SN_SHAPE(10), 0 * 0.1, 1 * 0.1, 2 * 0.1, 3 * 0.1,
         4 * 0.1, 5 * 0.1, 6 * 0.1, 7 * 0.1, 8 * 0.1, 9 * 0.1);
  EXPECT(sn_range(ctx, SN_F32, 1, 2, 0.25), SN_SHAPE(4), 1, 1.25, 1.5, 1.75);
  EXPECT(sn_range(ctx, SN_F32, 3, 3, 1), SN_SHAPE(0), 0);
  EXPECT(sn_range(ctx, SN_F32, 3, 1, 1), SN_SHAPE(0), 0);
}
END_TEST

START_TEST(the_callers_memory_is_not_copied) {
  double data[3] = {1, 2, 3};
  sn_tensor *t = sn_from_memory(ctx, SN_F64, SN_SHAPE(3), data, NULL, NULL);
  const void *there;
  ck_assert_int_eq(sn_data(t, &there), SN_OK);
  ck_assert_ptr_eq(there, data);
  EXPECT(sn_square(t), SN_SHAPE(3), 1, 4, 9);
}
END_TEST

START_TEST(reading_checks_sizes) {
  float out[3];
  sn_tensor *t = F32(SN_SHAPE(3), 1, 2, 3);
  ck_assert_int_eq(sn_read(t, out, sizeof(out)), SN_OK);
  ck_assert_float_eq(out[2], 3);
  ck_assert_int_eq(sn_read(t, out, 8), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_read(t, NULL, sizeof(out)), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_item(t, &(double){0}), SN_ERR_SHAPE);
  ck_assert_int_eq(sn_item(F32(SN_SHAPE(1), 4), NULL), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_data(t, NULL), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_read(sn_zeros(ctx, SN_F32, SN_SHAPE(0)), NULL, 0), SN_OK);
  ck_assert_int_eq((sn_read)(t, out, sizeof(out)), SN_OK);
  double value;
  ck_assert_int_eq((sn_item)(sn_index(t, 0, 1), &value), SN_OK);
  ck_assert_double_eq(value, 2);
}
END_TEST

// ---- random numbers: Philox 4x32-10, written again
static void philox(uint64_t key, uint64_t counter, uint32_t out[4]) {
  uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
  uint32_t x[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
  for (int i = 0; i < 10; i++) {
    uint64_t a = (uint64_t)0xD2511F53 * x[0], b = (uint64_t)0xCD9E8D57 * x[2];
    uint32_t y[4] = {(uint32_t)(b >> 32) ^ x[1] ^ k[0], (uint32_t)b,
                     (uint32_t)(a >> 32) ^ x[3] ^ k[1], (uint32_t)a};
    memcpy(x, y, sizeof(x));
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  memcpy(out, x, sizeof(x));
}

static uint32_t word(uint64_t key, uint64_t n) {
  uint32_t block[4];
  philox(key, n / 4, block);
  return block[n % 4];
}

static float uniform_of(uint32_t bits) {
  uint32_t pattern = (bits & 0x7fffff) | 0x3f800000;
  float f;
  memcpy(&f, &pattern, 4);
  return f - 1;
}

static double uniform64_of(uint32_t high, uint32_t low) {
  uint64_t pattern = (uint64_t)(high & 0xfffff) << 32 | low | (uint64_t)1023 << 52;
  double d;
  memcpy(&d, &pattern, 8);
  return d - 1;
}

START_TEST(uniform_numbers_are_the_generators) {
  const uint64_t seed = 0x123456789abcdef;
  float f[7];
  double d[3];
  sn_set_seed(ctx, seed);
  ck_assert_int_eq(sn_read(sn_random_uniform(ctx, SN_F32, SN_SHAPE(7)), f, sizeof(f)), SN_OK);
  for (uint64_t i = 0; i < 7; i++) ck_assert(f[i] == uniform_of(word(seed, i)));
  ck_assert_int_eq(sn_read(sn_random_uniform(ctx, SN_F64, SN_SHAPE(3)), d, sizeof(d)), SN_OK);
  for (uint64_t i = 0; i < 3; i++)  // the blocks after the two that seven words took
    ck_assert(d[i] == uniform64_of(word(seed, 8 + 2 * i), word(seed, 9 + 2 * i)));
}
END_TEST

START_TEST(normal_numbers_are_box_muller) {
  const uint64_t seed = 42;
  float f[5];
  double d[3];
  sn_set_seed(ctx, seed);
  ck_assert_int_eq(sn_read(sn_random_normal(ctx, SN_F32, SN_SHAPE(5)), f, sizeof(f)), SN_OK);
  for (uint64_t i = 0; i < 5; i++) {
    double u1 = (double)uniform_of(word(seed, i / 2 * 2)),
           u2 = (double)uniform_of(word(seed, i / 2 * 2 + 1));
    double r = sqrt(-2 * log(fmax(u1, 1e-7))), angle = 2 * 3.14159265358979323846 * u2;
    double wanted = r * (i % 2 ? cos(angle) : sin(angle));
    ck_assert_msg(fabs((double)f[i] - wanted) < 2e-6, "%zu: %g, wanted %g", (size_t)i, (double)f[i],
                  wanted);
  }
  ck_assert_int_eq(sn_read(sn_random_normal(ctx, SN_F64, SN_SHAPE(3)), d, sizeof(d)), SN_OK);
  for (uint64_t i = 0; i < 3; i++) {
    uint64_t at = 8 + i / 2 * 4;
    double u1 = uniform64_of(word(seed, at), word(seed, at + 1));
    double u2 = uniform64_of(word(seed, at + 2), word(seed, at + 3));
    double r = sqrt(-2 * log(fmax(u1, 1e-7))), angle = 2 * 3.14159265358979323846 * u2;
    double wanted = r * (i % 2 ? cos(angle) : sin(angle));
    ck_assert_msg(fabs(d[i] - wanted) < 1e-12, "%zu: %g, wanted %g", (size_t)i, d[i], wanted);
  }
}
END_TEST

START_TEST(seeds_repeat_and_draws_differ) {
  double a[4], b[4], c[4];
  sn_set_seed(ctx, 7);
  read_doubles(sn_random_normal(ctx, SN_F64, SN_SHAPE(2, 2)), a, 4);
  read_doubles(sn_random_normal(ctx, SN_F64, SN_SHAPE(2, 2)), b, 4);
  sn_set_seed(ctx, 7);
  read_doubles(sn_random_normal(ctx, SN_F64, SN_SHAPE(2, 2)), c, 4);
  for (int i = 0; i < 4; i++) {
    ck_assert(a[i] == c[i]);
    ck_assert(a[i] != b[i]);
  }
  EXPECT(sn_random_uniform(ctx, SN_F32, SN_SHAPE(0)), SN_SHAPE(0), 0);
}
END_TEST

START_TEST(many_draws_look_uniform_and_normal) {
  sn_set_seed(ctx, 1);
  sn_tensor *u = sn_random_uniform(ctx, SN_F32, SN_SHAPE(100000));
  ck_assert_double_ge(item(sn_min(u)), 0);
  ck_assert_double_lt(item(sn_max(u)), 1);
  ck_assert_double_eq_tol(item(sn_mean(u)), 0.5, 0.005);
  sn_tensor *z = sn_random_normal(ctx, SN_F64, SN_SHAPE(100000));
  ck_assert_double_eq_tol(item(sn_mean(z)), 0, 0.02);
  ck_assert_double_eq_tol(item(sn_std(z)), 1, 0.02);
}
END_TEST

// ---- text
static void expect_text(sn_tensor *t, const char *wanted) {
  char text[2000];
  size_t n = sn_format(t, text, sizeof(text));
  ck_assert_str_eq(text, wanted);
  ck_assert_uint_eq(n, strlen(wanted));
}

START_TEST(text_is_numpys) {
  expect_text(F32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), "[[1. 2. 3.]\n [4. 5. 6.]]");
  expect_text(F32(SN_SHAPE(3), 1, 2.5f, -10), "[  1.    2.5 -10. ]");
  expect_text(F32(SN_SHAPE(2), 0.1f, 0.25f), "[0.1  0.25]");
  expect_text(F64(SN_SHAPE(2), 1.0 / 3, 1), "[0.33333333 1.        ]");
  expect_text(F64(SN_SHAPE(2), 1e-5, 1), "[1.e-05 1.e+00]");
  expect_text(F64(SN_SHAPE(2), 1e9, 1), "[1.e+09 1.e+00]");
  expect_text(F32(SN_SHAPE(3), NAN, INFINITY, 1), "[nan inf  1.]");
  expect_text(F32(SN_SHAPE(2), -INFINITY, 1.5f), "[-inf  1.5]");
  expect_text(I32(SN_SHAPE(3), 1, -20, 300), "[  1 -20 300]");
  expect_text(BOOL(SN_SHAPE(2), 1, 0), "[ True False]");
  expect_text(F32(SN_SCALAR, 42), "42.");
  expect_text(F32(SN_SCALAR, 0.1f), "0.1");
  expect_text(I64(SN_SCALAR, 5), "5");
  expect_text(F32(SN_SHAPE(0), 0), "[]");
  expect_text(sn_zeros(ctx, SN_F32, SN_SHAPE(3, 0)), "[]");
  expect_text(sn_zeros(ctx, SN_I64, SN_SHAPE(0, 3)), "[]");
  expect_text(sn_zeros(ctx, SN_F64, SN_SHAPE((int64_t)1 << 59, 0)), "[]");  // and at once
  expect_text(I32(SN_SHAPE(2, 1, 2), 1, 2, 3, 4), "[[[1 2]]\n\n [[3 4]]]");
  expect_text(sn_range(ctx, SN_I32, 0, 1001, 1), "[   0    1    2 ...  998  999 1000]");
  expect_text(NULL, "NULL");
}
END_TEST

START_TEST(text_is_cut_at_the_capacity) {
  char text[6];
  sn_tensor *t = I32(SN_SHAPE(4), 1, 2, 3, 4);
  ck_assert_uint_eq(sn_format(t, text, sizeof(text)), 9);
  ck_assert_str_eq(text, "[1 2 ");
  ck_assert_uint_eq(sn_format(t, NULL, 0), 9);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("tensor");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, constants_know_what_they_are);
  tcase_add_test(c, scalars_of_every_dtype);
  tcase_add_test(c, numbers_become_the_dtype_of_another_tensor);
  tcase_add_test(c, filled_tensors);
  tcase_add_test(c, ranges);
  tcase_add_test(c, the_callers_memory_is_not_copied);
  tcase_add_test(c, reading_checks_sizes);
  tcase_add_test(c, uniform_numbers_are_the_generators);
  tcase_add_test(c, normal_numbers_are_box_muller);
  tcase_add_test(c, seeds_repeat_and_draws_differ);
  tcase_add_test(c, many_draws_look_uniform_and_normal);
  tcase_add_test(c, text_is_numpys);
  tcase_add_test(c, text_is_cut_at_the_capacity);
  return run_cases("tensor", &c, 1);
}
