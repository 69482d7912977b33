// sn_vectorized_map is a loop over the examples, bit for bit: for every op, with examples in all operands or in one of them,
// for branches and loops, gradients and random numbers in it and of it; in eager mode, in traces, under tapes, nested. And
// what is refused.
#include "op_operands.h"

#include <math.h>
#include <stdio.h>
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

static sn_status call_traced(request *r, sn_tensor *const *in, sn_tensor **out) {
  sn_function *f = sn_function_create(c, mapped, .user = r, .inputs = r->n_xs, .outputs = r->n_out);
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

// ---- all ops
typedef struct one_op {
  int number;
  sn_tensor *fixed[5];
  unsigned batched;  // bit per operand
} one_op;

static sn_status call_op(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const one_op *op = user;
  sn_tensor *operands[5];
  int next = 0;
  for (int k = 0; k < 5; k++) operands[k] = op->batched >> k & 1 ? in[next++] : op->fixed[k];
  out[0] = calls[op->number].call(operands);
  return sn_pending_error(context);
}

static bool is_random(const char *name) {
  return strstr(name, "random_") || strstr(name, "dropout");
}

static void make_batch(sn_dtype dtype, sn_tensor **batch) {
  static const float values[n_examples][4] = {
      {1, 0.5f, 0.25f, 0.75f}, {0.75f, 1, 0.5f, 1.25f}, {2, 0.25f, 1, 3}};
  for (int k = 0; k < 5; k++) {
    float data[n_examples][4];
    for (int i = 0; i < n_examples; i++)
      for (int j = 0; j < 4; j++) data[i][j] = values[(i + k) % n_examples][j];
    batch[k] = sn_cast(sn_constant(c, SN_F32, SN_SHAPE(n_examples, 2, 2), data), dtype);
  }
}

static void try_op(int number, sn_dtype dtype, unsigned batched, bool traced) {
  SN_SCOPE(c);
  one_op op = {.number = number, .batched = batched};
  sn_tensor *batch[5], *xs[5], *expected, *given;
  int n = 0;
  char how[64];
  make_operands(dtype, op.fixed);
  make_batch(dtype, batch);
  for (int k = 0; k < 5; k++)
    if (batched >> k & 1) xs[n++] = batch[k];
  request r = {call_op, &op, n, 1, NULL};
  snprintf(how, sizeof(how), "%s, operands %#x%s", sn_dtype_name(dtype), batched,
           traced ? ", traced" : "");
  if (is_random(calls[number].name)) return;
  if (looped(c, xs, &expected, &r)) {  // a fault in some example: in the batch, too
    const sn_status status = sn_check(c);
    ck_assert_msg(mapped(c, xs, &given, &r) != SN_OK, "%s, %s: %d", calls[number].name, how,
                  status);
    ck_assert_int_ne(sn_check(c), SN_OK);
    return;
  }
  const sn_status status = traced ? call_traced(&r, xs, &given) : mapped(c, xs, &given, &r);
  if (status) {  // what no trace can hold
    ck_assert_msg(strstr(sn_error_message(c), "trac") || strstr(sn_error_message(c), "length"),
                  "%s, %s: %s", calls[number].name, how, sn_error_message(c));
    sn_check(c);
    return;
  }
  expect_same(expected, given, calls[number].name, how);
}

START_TEST(every_op) {
  const sn_op_info *info = sn_op_find(calls[_i].name);
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    if (!(info->dtypes >> d & 1)) continue;
    const bool common = d == SN_F32 || d == SN_C64 || d == SN_I32;
    try_op(_i, (sn_dtype)d, 31, false);
    try_op(_i, (sn_dtype)d, 1, false);
    if (common) try_op(_i, (sn_dtype)d, 2, false);
    if (common) try_op(_i, (sn_dtype)d, 31, true);
    if (common) try_op(_i, (sn_dtype)d, 1, true);
  }
}
END_TEST

static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

int main(void) {
  Suite *suite = suite_create("vectorized_map");
  TCase *tcase = tcase_create("vectorized_map");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_loop_test(tcase, every_op, 0, n_calls);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
