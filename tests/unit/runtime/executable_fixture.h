// What tests of executables built by hand share: a pool, threads, and kernels in C.
#ifndef SNI_TESTS_EXECUTABLE_FIXTURE_H
#define SNI_TESTS_EXECUTABLE_FIXTURE_H

#include "runtime/executable.h"

#include <check.h>

static sni_allocator allocator;
static sni_buffer_pool *pool;
static sni_thread_pool *threads;
static sni_diag diag;

static inline void set_up(void) {
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_int_eq(sni_buffer_pool_create(&allocator, &pool), SN_OK);
  ck_assert_int_eq(sni_thread_pool_create(&allocator, 4, NULL, &threads), SN_OK);
  sni_diag_clear(&diag);
}

static inline void tear_down(void) {
  sni_thread_pool_destroy(threads);
  sni_buffer_pool_destroy(pool);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static inline sni_run_state *make_state(const sni_executable *executable, int max_threads) {
  sni_run_state *state;
  ck_assert_int_eq(
      sni_run_state_create(executable, &allocator, pool, threads, max_threads, &diag, &state),
      SN_OK);
  return state;
}

// ---- kernels over float arrays; units are elements
#define ARGUMENTS                                                                            \
  const void *code, void *const *buffers, const int64_t *params, int64_t begin, int64_t end, \
      void *scratch
#define IGNORE (void)code, (void)buffers, (void)params, (void)begin, (void)end, (void)scratch

static inline void add(ARGUMENTS) {  // c = a + b
  IGNORE;
  const float *a = buffers[0], *b = buffers[1];
  float *c = buffers[2];
  for (int64_t i = begin; i < end; i++) c[i] = a[i] + b[i];
}

static inline void add_number(ARGUMENTS) {  // b = a + params[0]
  IGNORE;
  const float *a = buffers[0];
  float *b = buffers[1];
  for (int64_t i = begin; i < end; i++) b[i] = a[i] + (float)params[0];
}

static const int64_t one_grain[] = {1};
#define REF(i) (-(int64_t)(i)-1)  // of size i

#endif
