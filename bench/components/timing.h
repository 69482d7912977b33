// Times of functions op by op and compiled: the least of many calls, in ms.
#ifndef BENCH_COMPONENTS_TIMING_H
#define BENCH_COMPONENTS_TIMING_H

#include <sinter/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double now_ms(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static inline double time_one(sn_context *c, sn_function *f, bool eager, sn_tensor *const *in,
                              int n_in, int n_out) {
  double best = 1e9, begin = now_ms();
  for (int k = 0; k < 200 && (k < 5 || now_ms() - begin < 700); k++) {
    SN_SCOPE(c);
    sn_tensor *out[4];
    const double start = now_ms();
    if (eager ? sn_call_eager(f, in, n_in, out, n_out) : (sn_call)(f, in, n_in, out, n_out)) {
      fprintf(stderr, "%s\n", sn_error_message(c));
      exit(1);
    }
    const double took = now_ms() - start;
    if (took < best) best = took;
  }
  return best;
}

static inline double sum_of(sn_context *c, sn_function *f, bool eager, sn_tensor *const *in,
                            int n_in, int n_out) {
  SN_SCOPE(c);
  sn_tensor *out[4];
  double sum = 0;
  if ((eager ? sn_call_eager(f, in, n_in, out, n_out) : (sn_call)(f, in, n_in, out, n_out)) ||
      sn_item(sn_sum(sn_cast(out[0], SN_F64)), &sum)) {
    fprintf(stderr, "%s\n", sn_error_message(c));
    exit(1);
  }
  return sum;
}

// expected: the sum of the first result, which both ways are held to before they are timed.
static inline void time_both(sn_context *c, const char *name, sn_callback run, sn_tensor *const *in,
                             int n_in, int n_out, double expected) {
  sn_function *f = sn_function_create(c, run, .inputs = n_in, .outputs = n_out);
  for (int eager = 0; eager < 2; eager++)
    if (sum_of(c, f, eager, in, n_in, n_out) != expected) {
      fprintf(stderr, "%s gives another result\n", name);
      exit(1);
    }
  const double eager = time_one(c, f, true, in, n_in, n_out),
               compiled = time_one(c, f, false, in, n_in, n_out);
  printf("%-24s eager %9.3f ms  compiled %9.3f ms\n", name, eager, compiled);
  sn_function_destroy(f);
}

#endif
