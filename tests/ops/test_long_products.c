// Products of few rows and columns and many k, whose segments threads share: gradients of weights from
// large batches, kernels' gradients of convolutions. Any number of threads, constant sizes and those that
// varied, on the interpreter and on LLVM, and op by op: every bit.
#include "ops/function_harness.h"

#include <stdlib.h>

enum { most_results = 3 };

typedef struct form form;
typedef sn_status (*body)(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user);
// The operands, of so many rows of examples.
typedef void (*maker)(sn_context *context, const form *f, int64_t examples, sn_tensor **in);
struct form {
  body run;
  maker make;
  int n_results;
  int64_t examples;
  sn_dtype dtype;
  int64_t m, n;
  bool turn_a, turn_b;
};

// ---- products alone, k being the examples

static void make_sides(sn_context *c, const form *f, int64_t k, sn_tensor **in) {
  in[0] = sn_random_normal(c, f->dtype, f->turn_a ? SN_SHAPE(k, f->m) : SN_SHAPE(f->m, k));
  in[1] = sn_random_normal(c, f->dtype, f->turn_b ? SN_SHAPE(f->n, k) : SN_SHAPE(k, f->n));
}

static sn_status product(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const form *f = user;
  sn_tensor *a = f->turn_a ? sn_transpose(in[0]) : in[0];
  sn_tensor *b = f->turn_b ? sn_transpose(in[1]) : in[1];
  out[0] = sn_matmul(a, b);
  return sn_pending_error(context);
}

static sn_status scaled(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)product(context, in, out, user);
  out[0] = sn_relu(sn_mul_scalar(out[0], -0.25));
  return sn_pending_error(context);
}

// ---- gradients

static void make_layer(sn_context *c, const form *f, int64_t examples, sn_tensor **in) {
  in[0] = sn_random_normal(c, f->dtype, SN_SHAPE(examples, f->m));
  in[1] = sn_random_normal(c, f->dtype, SN_SHAPE(f->m, f->n));
}

static sn_status layer(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mean(sn_square(sn_tanh(sn_matmul(in[0], in[1]))));
  sn_gradients(out[0], in, 2, out + 1);
  return sn_pending_error(context);
}

static void make_images(sn_context *c, const form *f, int64_t examples, sn_tensor **in) {
  in[0] = sn_random_normal(c, f->dtype, SN_SHAPE(examples, 12, 13, f->m));
  in[1] = sn_random_normal(c, f->dtype, SN_SHAPE(3, 3, f->m, f->n));
}

static sn_status windows(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mean(sn_square(sn_conv(in[0], in[1], .padding = SN_PADDING_SAME)));
  sn_gradients(out[0], in + 1, 1, out + 1);
  return sn_pending_error(context);
}

// ---- all modes

static const form forms[] = {
    {product, make_sides, 1, 20000, SN_F32, 16, 10, true, false},
    {product, make_sides, 1, 7000, SN_F32, 10, 16, true, false},
    {product, make_sides, 1, 5000, SN_F64, 33, 7, false, true},
    {product, make_sides, 1, 8 * 1024 + 1, SN_F32, 64, 64, true, false},
    {product, make_sides, 1, 9000, SN_F32, 16, 1, true, false},
    {product, make_sides, 1, 70000, SN_F32, 1, 20, false, false},
    {scaled, make_sides, 1, 7000, SN_F32, 20, 9, true, false},
    {scaled, make_sides, 1, 6789, SN_F64, 5, 40, false, false},
    {product, make_sides, 1, 7000, SN_BF16, 16, 10, true, false},
    {scaled, make_sides, 1, 5000, SN_F16, 33, 24, false, true},
    {layer, make_layer, 3, 9000, SN_F32, 16, 10, false, false},
    {windows, make_images, 2, 40, SN_F32, 3, 8, false, false},
};
static const int threads[] = {1, 2, 3, 7, 16};

static void stop(const form *f, const char *how, int n) {
  ck_abort_msg("form %d, %d threads, %s", (int)(f - forms), n, how);
}

// Compiled with constant sizes, and with those that varied.
static void check(sn_context *c, const form *f, int n_threads, sn_tensor *const *in,
                  sn_tensor *const *expected) {
  SN_SCOPE(c);
  for (int varied = 0; varied < 2; varied++) {
    sn_tensor *got[most_results], *other[2];
    sn_function *function = sn_function_create(c, f->run, .user = (void *)(uintptr_t)f, .inputs = 2,
                                               .outputs = f->n_results);
    for (int i = 0; varied && i < 2; i++) {
      f->make(c, f, 5 + i, other);
      ck_assert_int_eq(sn_call(function, other, 2, got, f->n_results), SN_OK);
    }
    ck_assert_msg(!sn_call(function, in, 2, got, f->n_results), "%s", sn_error_message(c));
    for (int i = 0; i < f->n_results; i++)
      if (!same_bits(got[i], expected[i])) stop(f, varied ? "varied" : "constant", n_threads);
    sn_function_destroy(function);
  }
}

START_TEST(any_number_of_threads_gives_the_same_bits) {
  const form *f = &forms[_i];
  sn_context *first = open_context(SN_BACKEND_INTERPRETER, 1, 7);
  sn_tensor *made[2], *expected[most_results];
  f->make(first, f, f->examples, made);
  sn_function *by_op = sn_function_create(first, f->run, .user = (void *)(uintptr_t)f, .inputs = 2,
                                          .outputs = f->n_results);
  ck_assert_int_eq(sn_call_eager(by_op, made, 2, expected, f->n_results), SN_OK);
  for (int llvm = 0; llvm <= SINTER_HAS_LLVM; llvm++)
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
      sn_context *c = open_context(llvm ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, threads[t], 7);
      sn_tensor *in[2], *eager[most_results];
      f->make(c, f, f->examples, in);
      sn_function *function = sn_function_create(c, f->run, .user = (void *)(uintptr_t)f,
                                                 .inputs = 2, .outputs = f->n_results);
      ck_assert_int_eq(sn_call_eager(function, in, 2, eager, f->n_results), SN_OK);
      for (int i = 0; i < f->n_results; i++)
        if (!same_bits(eager[i], expected[i])) stop(f, "op by op", threads[t]);
      check(c, f, threads[t], in, expected);
      sn_function_destroy(function);
      sn_context_destroy(c);
    }
  sn_function_destroy(by_op);
  sn_context_destroy(first);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("long_products");
  TCase *tests = tcase_create("long_products");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, any_number_of_threads_gives_the_same_bits, 0,
                      sizeof forms / sizeof forms[0]);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
