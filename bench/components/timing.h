// Times of functions op by op and compiled: the least of many calls, in ms.
#ifndef BENCH_COMPONENTS_TIMING_H
#define BENCH_COMPONENTS_TIMING_H

#include <sinter/text.h>

#include <math.h>
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

// Of a string as a number: its bytes by their places.
static inline double number_of(const char *text, size_t length) {
  double sum = 0;
  for (size_t k = 0; k < length; k++) sum += (double)(unsigned char)text[k] * (double)(k + 1);
  return sum;
}

// The sum of a tensor's elements; of strings that of their numbers, each by its place modulo 64.
static inline sn_status sum_of(sn_tensor *t, double *sum) {
  if (sn_dtype_of(t) != SN_STRING) return sn_item(sn_sum(sn_cast(t, SN_F64)), sum);
  const int64_t n = sn_size(t);
  sn_text *texts = malloc((size_t)n * sizeof(*texts) + 1);
  sn_status status = texts ? sn_read_strings(t, texts, n) : SN_ERR_MEMORY;
  *sum = 0;
  for (int64_t i = 0; i < n && !status; i++)
    *sum += (double)(i % 64 + 1) * number_of(texts[i].data, texts[i].length);
  free(texts);
  return status;
}

static inline void hold(sn_context *c, const char *name, sn_function *f, bool eager,
                        sn_tensor *const *in, int n_in, int n_out, double expected) {
  SN_SCOPE(c);
  sn_tensor *out[4];
  double sum = 0;
  if ((eager ? sn_call_eager(f, in, n_in, out, n_out) : (sn_call)(f, in, n_in, out, n_out)) ||
      sum_of(out[0], &sum)) {
    fprintf(stderr, "%s\n", sn_error_message(c));
    exit(1);
  }
  if (fabs(sum - expected) <= 1e-4 * fabs(expected)) return;
  fprintf(stderr, "%s gives %.17g, not %.17g\n", name, sum, expected);
  exit(1);
}

// expected: the sum of the first result, which both ways are held to before they are timed; of f32 up to their rounding.
static inline void time_both(sn_context *c, const char *name, sn_callback run, sn_tensor *const *in,
                             int n_in, int n_out, double expected) {
  sn_function *f = sn_function_create(c, run, .inputs = n_in, .outputs = n_out);
  for (int eager = 0; eager < 2; eager++) hold(c, name, f, eager, in, n_in, n_out, expected);
  const double eager = time_one(c, f, true, in, n_in, n_out),
               compiled = time_one(c, f, false, in, n_in, n_out);
  printf("%-24s eager %9.3f ms  compiled %9.3f ms\n", name, eager, compiled);
  sn_function_destroy(f);
}

#endif
