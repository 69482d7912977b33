// What the tests of frontend/ share: a context over an allocator that counts and can fail, and
// shorthand for values.
#ifndef FRONTEND_FIXTURE_H
#define FRONTEND_FIXTURE_H

#include "runtime/scalar.h"

#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

typedef struct counting {
  _Atomic int64_t bytes, blocks, calls;
  _Atomic int64_t fail_from, fail_count;  // calls [fail_from, fail_from + fail_count) fail
} counting;
static counting memory;

static UNUSED void *counting_reallocate(void *user, void *ptr, size_t old_size, size_t new_size,
                                        size_t align) {
  counting *m = user;
  if (!new_size) {
    atomic_fetch_sub(&m->bytes, (int64_t)old_size);
    if (ptr) atomic_fetch_sub(&m->blocks, 1);
    free(ptr);
    return NULL;
  }
  int64_t call = atomic_fetch_add(&m->calls, 1), from = atomic_load(&m->fail_from);
  if (from >= 0 && call >= from && call - from < atomic_load(&m->fail_count)) return NULL;
  void *fresh = NULL;
  if (posix_memalign(&fresh, align < sizeof(void *) ? sizeof(void *) : align, new_size))
    return NULL;
  if (ptr) {
    memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
    free(ptr);
    atomic_fetch_sub(&m->bytes, (int64_t)old_size);
  } else {
    atomic_fetch_add(&m->blocks, 1);
  }
  atomic_fetch_add(&m->bytes, (int64_t)new_size);
  return fresh;
}

static UNUSED void memory_reset(void) {
  atomic_store(&memory.bytes, 0);
  atomic_store(&memory.blocks, 0);
  atomic_store(&memory.calls, 0);
  atomic_store(&memory.fail_from, -1);
  atomic_store(&memory.fail_count, INT64_MAX);
}

static sn_context *ctx;

static UNUSED void setup(void) {
  memory_reset();
  ck_assert_int_eq(sn_context_create(&ctx, .allocator = {counting_reallocate, &memory},
                                     .threads = 1, .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
}

static UNUSED void teardown(void) {
  sn_context_destroy(ctx);
  ctx = NULL;
  ck_assert_int_eq(memory.bytes, 0);
  ck_assert_int_eq(memory.blocks, 0);
}

// ---- values
#define F32(shape, ...) (sn_constant)(ctx, SN_F32, shape, (const float[]){__VA_ARGS__})
#define F64(shape, ...) (sn_constant)(ctx, SN_F64, shape, (const double[]){__VA_ARGS__})
#define I32(shape, ...) (sn_constant)(ctx, SN_I32, shape, (const int32_t[]){__VA_ARGS__})
#define I64(shape, ...) (sn_constant)(ctx, SN_I64, shape, (const int64_t[]){__VA_ARGS__})
#define BOOL(shape, ...) (sn_constant)(ctx, SN_BOOL, shape, (const uint8_t[]){__VA_ARGS__})

// Reads a tensor of any dtype as doubles; fails the test on any error.
static UNUSED void read_doubles(const sn_tensor *t, double *out, int64_t n) {
  ck_assert_msg(!sn_failed(t), "failed: %s", sn_error_message(ctx));
  ck_assert_int_eq(sn_size(t), n);
  size_t bytes = (size_t)n * sn_dtype_size(sn_dtype_of(t));
  void *data = malloc(bytes + 1);
  sn_status status = sn_read(t, data, bytes);
  ck_assert_msg(!status, "sn_read: %s", sn_error_message(ctx));
  for (int64_t i = 0; i < n; i++)
    out[i] = sni_scalar_value(sni_scalar_load(sn_dtype_of(t), data, i));
  free(data);
}

static UNUSED double item(const sn_tensor *t) {
  double value = 0;
  sn_status status = sn_item(t, &value);
  ck_assert_msg(!status, "sn_item: %s", sn_error_message(ctx));
  return value;
}

// Exact values, NaN equal to NaN. shape and values of t.
static UNUSED void expect_values(const char *what, const sn_tensor *t, sn_shape shape,
                                 const double *wanted, double tolerance) {
  double given[512] = {0};
  ck_assert_msg(!sn_failed(t), "%s failed: %s", what, sn_error_message(ctx));
  ck_assert_msg(sn_rank(t) == shape.rank, "%s: rank %d, wanted %d", what, sn_rank(t), shape.rank);
  int64_t n = 1;
  for (int i = 0; i < shape.rank; i++) {
    ck_assert_msg(sn_dim(t, i) == shape.dims[i], "%s: dim %d is %lld, wanted %lld", what, i,
                  (long long)sn_dim(t, i), (long long)shape.dims[i]);
    n *= shape.dims[i];
  }
  ck_assert_int_le(n, 512);
  read_doubles(t, given, n);
  for (int64_t i = 0; i < n; i++) {
    bool same = given[i] == wanted[i] || (isnan(given[i]) && isnan(wanted[i])) ||
                fabs(given[i] - wanted[i]) <= tolerance * fmax(1, fabs(wanted[i]));
    ck_assert_msg(same, "%s: element %lld is %.17g, wanted %.17g", what, (long long)i, given[i],
                  wanted[i]);
  }
}
#define EXPECT(t, shape, ...) expect_values(#t, t, shape, (const double[]){__VA_ARGS__}, 0)
#define EXPECT_NEAR(t, shape, tolerance, ...) \
  expect_values(#t, t, shape, (const double[]){__VA_ARGS__}, tolerance)

// The next boundary gives this status, and the message has this text.
static UNUSED void expect_error(sn_status status, const char *text) {
  sn_status given = sn_check(ctx);
  ck_assert_msg(given == status, "status %s, wanted %s (%s)", sn_status_name(given),
                sn_status_name(status), sn_error_message(ctx));
  ck_assert_msg(strstr(sn_error_message(ctx), text) != NULL, "\"%s\" lacks \"%s\"",
                sn_error_message(ctx), text);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}

static UNUSED int run_cases(const char *name, TCase *const *cases, int n) {
  Suite *suite = suite_create(name);
  for (int i = 0; i < n; i++) suite_add_tcase(suite, cases[i]);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
