// sn_vectorized_map, and the loop over the examples that it must be equal to.
#ifndef SINTER_TESTS_VECTORIZED_H
#define SINTER_TESTS_VECTORIZED_H

#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { n_examples = 3, most = 5 };

// ---- two ways
typedef struct request {
  sn_callback body;
  void *user;
  int n_xs, n_out;
  const int *axes;
} request;

static sn_status mapped(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const request *r = user;
  return sn_vectorized_map(context, r->body, r->user, in, r->n_xs, out, r->n_out,
                           .in_axes = r->axes);
}

// The body in eager mode, example by example.
static sn_status looped(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const request *r = user;
  sn_tensor *rows[most][n_examples];
  for (int i = 0; i < n_examples; i++) {
    sn_tensor *x[most], *y[most] = {0};
    for (int k = 0; k < r->n_xs; k++)
      x[k] = r->axes && r->axes[k] == SN_UNBATCHED ? in[k]
                                                   : sn_index(in[k], r->axes ? r->axes[k] : 0, i);
    const sn_status status = r->body(context, x, y, r->user);
    if (status) return status;
    for (int k = 0; k < r->n_out; k++) rows[k][i] = y[k];
  }
  for (int k = 0; k < r->n_out; k++) out[k] = sn_stack(rows[k], n_examples, 0);
  return sn_pending_error(context);
}

static sn_status call_traced(sn_context *context, request *r, sn_tensor *const *in,
                             sn_tensor **out) {
  sn_function *f =
      sn_function_create(context, mapped, .user = r, .inputs = r->n_xs, .outputs = r->n_out);
  const sn_status status = sn_call(f, in, r->n_xs, out, r->n_out);
  sn_function_destroy(f);
  return status;
}

static bool same_number(sn_dtype dtype, const unsigned char *a, const unsigned char *b, size_t n) {
  double x, y;
  float s, t;
  if (!memcmp(a, b, n)) return true;
  if (dtype == SN_F32 || dtype == SN_C64)
    return memcpy(&s, a, 4), memcpy(&t, b, 4), isnan(s) && isnan(t);
  if (dtype == SN_F64 || dtype == SN_C128)
    return memcpy(&x, a, 8), memcpy(&y, b, 8), isnan(x) && isnan(y);
  if (dtype == SN_F16) return (a[1] & 0x7c) == 0x7c && (b[1] & 0x7c) == 0x7c;
  return dtype == SN_BF16 && (a[1] & 0x7f) == 0x7f && (b[1] & 0x7f) == 0x7f;
}

static void expect_same(sn_tensor *a, sn_tensor *b, const char *what, const char *how) {
  const sn_dtype dtype = sn_dtype_of(a);
  ck_assert_msg(dtype == sn_dtype_of(b) && sn_rank(a) == sn_rank(b), "%s, %s: %s[%d], %s[%d]", what,
                how, sn_dtype_name(dtype), sn_rank(a), sn_dtype_name(sn_dtype_of(b)), sn_rank(b));
  for (int d = 0; d < sn_rank(a); d++)
    ck_assert_msg(sn_dim(a, d) == sn_dim(b, d), "%s, %s: dim %d", what, how, d);
  size_t each = sn_dtype_size(dtype), n = (size_t)sn_size(a) * each;
  unsigned char *x = malloc(n + 1), *y = malloc(n + 1);
  ck_assert_int_eq(sn_read(a, x, n), SN_OK);
  ck_assert_int_eq(sn_read(b, y, n), SN_OK);
  if (dtype == SN_C64 || dtype == SN_C128) each /= 2;
  for (size_t i = 0; i < n; i += each)
    ck_assert_msg(same_number(dtype, x + i, y + i, each), "%s, %s: element %zu of %zu, %g and %g",
                  what, how, i / each, n / each,
                  dtype == SN_F32 ? (double)*(float *)(void *)(x + i) : *(double *)(void *)(x + i),
                  dtype == SN_F32 ? (double)*(float *)(void *)(y + i) : *(double *)(void *)(y + i));
  free(x);
  free(y);
}

#endif
