// The cache of eager ops, their threads and memory, the host's float modes.
#include "ops_eager.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// More different calls than the cache holds: the evicted ones come back right.
START_TEST(the_cache_of_ops_is_bounded) {
  for (int round = 0; round < 2; round++)
    for (int64_t n = 1; n <= 4400; n += round ? 97 : 1) {
      SN_SCOPE(ctx);
      sn_tensor *t = sn_add(sn_ones(ctx, SN_F32, SN_SHAPE(n)), sn_ones(ctx, SN_F32, SN_SHAPE(n)));
      ck_assert_int_eq(sn_size(t), n);
      ck_assert_double_eq(item(sn_index(t, 0, n - 1)), 2);
    }
}
END_TEST

START_TEST(large_ops_run_on_threads) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 2), SN_OK);
  sn_tensor *x = sn_range(c, SN_F64, 0, 1000000, 1);
  double value = 0;
  ck_assert_int_eq(sn_item(sn_sum(sn_add(x, x)), &value), SN_OK);
  ck_assert_double_eq(value, 999999e6);
  sn_tensor *v = sn_variable(x);
  sn_assign_sub(v, x);
  ck_assert_int_eq(sn_item(sn_max(v), &value), SN_OK);
  ck_assert_double_eq(value, 0);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

static int64_t bytes_after_shapes(int64_t from, int64_t to) {
  for (int64_t n = from; n < to; n++) {
    SN_SCOPE(ctx);
    sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(n));
    ck_assert(!sn_failed(sn_add(x, x)));
  }
  sn_context_trim(ctx);
  return memory.bytes;
}

START_TEST(the_cache_of_ops_stops_growing) {
  int64_t full = bytes_after_shapes(1, 5000);
  ck_assert_int_le(bytes_after_shapes(5000, 10000), full + full / 50);
}
END_TEST

#if defined(__x86_64__)
// Flush to zero and denormals are zero: neither reaches an op, both are as before afterwards.
START_TEST(the_hosts_float_modes_change_nothing) {
  enum { flushing = 0x8040 };
  static const float factors[][2] = {{1e-38f, 0.1f}, {1e-40f, 8}};  // denormal: y, x
  for (int i = 0; i < 2; i++) {
    sn_tensor *a = F32(SN_SCALAR, factors[i][0]), *b = F32(SN_SCALAR, factors[i][1]);
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | flushing);
    sn_tensor *y = sn_mul(a, b);
    unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    ck_assert_uint_eq(after & flushing, flushing);
    volatile float wanted = factors[i][0];
    wanted *= factors[i][1];
    ck_assert_double_ne((double)wanted, 0);
    ck_assert_double_eq(item(y), (double)wanted);
  }
}
END_TEST
#endif

// What has no elements takes no memory, however long its other axes are.
START_TEST(long_axes_of_nothing) {
  enum { n = 1000000000 };
  sn_context *small;
  ck_assert_int_eq(sn_context_create(&small, .memory_limit = 16 << 20, .threads = 1), SN_OK);
  sn_tensor *x = sn_zeros(small, SN_F32, SN_SHAPE(0, n)), *i = sn_zeros(small, SN_I32, SN_SHAPE(0));
  sn_tensor *results[] = {sn_argmax(x, 1),
                          sn_argmin(x, 1),
                          sn_one_hot(i, n, SN_F32),
                          sn_softmax(x, 1),
                          sn_logsumexp(x, .axes = SN_AXES(1)),
                          sn_gather(x, i)};
  for (size_t k = 0; k < sizeof(results) / sizeof(*results); k++) {
    ck_assert_msg(!sn_failed(results[k]), "%zu: %s", k, sn_error_message(small));
    ck_assert_int_eq(sn_size(results[k]), 0);
    ck_assert_int_eq(sn_dim(results[k], 0), 0);
  }
  ck_assert_int_eq(sn_dtype_of(results[0]), SN_I32);
  ck_assert_int_eq(sn_dim(results[2], 1), n);
  sn_context_destroy(small);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("eager_cache");
  tcase_add_checked_fixture(c, setup_seeded, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_test(c, the_cache_of_ops_is_bounded);
  tcase_add_test(c, large_ops_run_on_threads);
  tcase_add_test(c, the_cache_of_ops_stops_growing);
  tcase_add_test(c, long_axes_of_nothing);
#if defined(__x86_64__)
  tcase_add_test(c, the_hosts_float_modes_change_nothing);
#endif
  return run_cases("eager_cache", &c, 1);
}
