// Tensors whose dims have equal extents, where nothing but identity tells one axis from another:
// square matrices read at two transpositions, reduced along both axes, multiplied with themselves,
// and the gradients of all that; constant and symbolic sizes, sizes of 1, and two symbols that
// happen to be equal. Eager mode, which fuses nothing, says what is right, to the bit.
#include "ops/function_harness.h"
#include "ops/verify_function.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { n_outputs = 2 };

typedef struct expression {
  const char *name;
  int rank;  // of x: 2 or 3
  // x: all dims equal; v: a vector of that size. out[1] may stay NULL.
  void (*build)(sn_tensor *x, sn_tensor *v, sn_tensor **out);
} expression;

static sn_tensor *sum(sn_tensor *x, int axis) {
  return sn_sum(x, .axes = SN_AXES(axis));
}

static sn_tensor *sum_kept(sn_tensor *x, int axis) {
  return sn_sum(x, .axes = SN_AXES(axis), .keepdims = true);
}

static sn_tensor *mean_kept(sn_tensor *x, int axis) {
  return sn_mean(x, .axes = SN_AXES(axis), .keepdims = true);
}

static sn_tensor *max_kept(sn_tensor *x, int axis) {
  return sn_max(x, .axes = SN_AXES(axis), .keepdims = true);
}

static sn_tensor *outer(sn_tensor *a, sn_tensor *b) {
  return sn_mul(sn_expand_dims(a, 1), b);
}

static sn_tensor *turn(sn_tensor *x, int a, int b, int c) {
  return sn_permute(x, (int[]){a, b, c}, 3);
}

// ---- one tensor at two transpositions
static void beside_its_transpose(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x);
  out[0] = sn_add(h, sn_transpose(h));
  out[1] = sn_mul(sn_transpose(sn_mul(h, v)), h);
}

static void chosen_from_both(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_sigmoid(sn_sub(x, v)), *t = sn_transpose(h);
  out[0] = sn_where(sn_less(h, t), sn_exp(t), h);
  out[1] = sn_transpose(sn_mul(sn_exp(t), h));
}

static void transposed_residual(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x);
  out[0] = sn_add(sn_transpose(h), sn_mul(h, sum_kept(sn_transpose(h), 1)));
  out[1] = sn_mul(sn_add(sn_transpose(x), sn_mul(h, v)), max_kept(h, 0));
}

// ---- sums over both axes
static void sums_of_both_axes(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x);
  out[0] = sn_add(sum(h, 0), sum(h, 1));
  out[1] = sn_mul(sn_mul(sum_kept(h, 0), h), sn_add(sum_kept(h, 1), v));
}

static void sums_of_the_transpose(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_exp(sn_minimum(x, sn_expand_dims(v, 1)));
  out[0] = sn_sub(sum(sn_transpose(h), 0), sn_mul(sum(h, 0), v));
  out[1] = sn_sub(h, sn_mul(sum_kept(sn_transpose(h), 0), mean_kept(h, 1)));
}

static void variances_of_both_axes(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *c = sn_sub(x, mean_kept(x, 0)), *d = sn_sub(x, mean_kept(x, 1));
  sn_tensor *p = sn_rsqrt(sn_add_scalar(mean_kept(sn_square(c), 0), 0.5));
  sn_tensor *q = sn_rsqrt(sn_add_scalar(mean_kept(sn_square(d), 1), 0.5));
  out[0] = sn_add(sn_mul(c, p), sn_mul(d, q));
  out[1] = sn_mul(sn_mul(c, q), sn_mul(p, v));
}

static void softmax_of_both_axes(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_mul(sn_tanh(x), v);
  out[0] = sn_mul(sn_softmax(h, 0), sn_softmax(h, 1));
  out[1] = sn_softmax(sn_softmax(x, 0), 1);
}

static void softmax_of_the_transpose(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *s = sn_softmax(x, 1);
  out[0] = sn_add(s, sn_transpose(sn_softmax(sn_transpose(x), 1)));
  out[1] = sn_sub(sn_mul(s, sn_logsumexp(x, .axes = SN_AXES(0))), v);
}

// ---- products
static void sums_times_matrix(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *g = sn_sigmoid(h);
  (void)v;
  out[1] = sn_neg(g);  // first: what fuses with what depends on the order
  out[0] = sn_matmul(sum(h, 0), g);
}

static void matrix_times_sums(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *g = sn_exp(sn_mul(h, v));
  out[1] = sn_tanh(sn_transpose(g));
  out[0] = sn_matmul(g, sum(h, 1));
}

static void products_with_all_sums(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *g = sn_sigmoid(h);
  out[0] = sn_sub(sn_matmul(g, sum(h, 1)), sn_matmul(h, sum(g, 0)));
  out[1] = sn_sub(sn_mul(g, sn_matmul(h, v)), sn_transpose(h));
}

static void form(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *u = sn_matmul(v, h), *w = sn_matmul(h, v);
  out[0] = sn_add(outer(u, w), outer(w, u));
  out[1] = sn_mul(h, sn_matmul(u, w));
}

static void outer_with_itself(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *t = sn_tanh(v);
  out[0] = sn_mul(outer(t, t), x);
  out[1] = sn_add(outer(v, t), sn_transpose(sn_mul(outer(t, v), x)));
}

static void outer_of_sums(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *s = sum(h, 0), *r = sn_softmax(v, 0);
  out[0] = sn_mul(outer(s, s), h);
  out[1] = sn_add(outer(r, s), outer(sum(h, 1), r));
}

static void with_itself(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x);
  out[0] = sn_add(sn_matmul(h, h), h);
  out[1] = sn_add(sn_matmul(x, x), sn_mul(sn_transpose(h), v));
}

static void with_its_transpose(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_mul(sn_tanh(x), v);
  out[0] = sn_sub(sn_matmul(h, sn_transpose(h)), h);
  out[1] = sn_add(sn_matmul(sn_transpose(x), x), sn_transpose(x));
}

static void residual_product(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *w = sn_mul(x, v);
  out[0] = sn_add(h, sn_matmul(h, w));
  out[1] = sn_add(sn_transpose(h), sn_sigmoid(sn_matmul(w, h)));
}

static void gram_of_softmax(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *a = sn_softmax(sn_matmul(x, sn_transpose(x)), 1);
  out[0] = sn_add(sn_matmul(a, x), x);
  out[1] = sn_mul(sn_transpose(a), sn_add(sum_kept(a, 0), v));
}

// ---- three equal dims
static void turned_twice(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(sn_mul(x, v));
  out[0] = sn_add(h, sn_mul(turn(h, 1, 2, 0), turn(h, 2, 1, 0)));
  out[1] = sn_sub(turn(h, 2, 0, 1), sn_exp(turn(h, 0, 2, 1)));
}

static void sums_of_three_axes(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *a = sum(h, 0), *b = sum(h, 1), *c = sum(h, 2);
  out[0] = sn_add(sn_mul(a, sn_transpose(b)), sn_mul(c, v));
  out[1] = sn_mul(h, sn_add(sn_add(a, sn_expand_dims(b, 1)), sn_expand_dims(c, 2)));
}

static void sums_of_two_axes(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_tanh(x), *t = turn(h, 1, 0, 2);
  out[0] = sn_sub(t, sn_sum(h, .axes = SN_AXES(0, 1)));
  out[1] = sn_mul(sn_sub(h, sn_sum(sn_mul(t, v), .axes = SN_AXES(1, 0))), sum_kept(t, 2));
}

static void batched_with_itself(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *h = sn_mul(sn_tanh(x), v);
  out[0] = sn_add(sn_matmul(h, h), turn(h, 1, 0, 2));
  out[1] = sn_sub(sn_matmul(x, turn(x, 0, 2, 1)), sn_matmul(turn(h, 2, 0, 1), h));
}

static void attention(sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *a = sn_softmax(sn_matmul(x, turn(x, 0, 2, 1)), 2);
  out[0] = sn_add(x, sn_matmul(a, sn_mul(x, v)));
  out[1] = sn_softmax(turn(a, 0, 2, 1), 1);
}

static const expression expressions[] = {
    {"beside its transpose", 2, beside_its_transpose},
    {"chosen from both", 2, chosen_from_both},
    {"transposed residual", 2, transposed_residual},
    {"sums of both axes", 2, sums_of_both_axes},
    {"sums of the transpose", 2, sums_of_the_transpose},
    {"variances of both axes", 2, variances_of_both_axes},
    {"softmax of both axes", 2, softmax_of_both_axes},
    {"softmax of the transpose", 2, softmax_of_the_transpose},
    {"sums times matrix", 2, sums_times_matrix},
    {"matrix times sums", 2, matrix_times_sums},
    {"products with all sums", 2, products_with_all_sums},
    {"form", 2, form},
    {"outer with itself", 2, outer_with_itself},
    {"outer of sums", 2, outer_of_sums},
    {"with itself", 2, with_itself},
    {"with its transpose", 2, with_its_transpose},
    {"residual product", 2, residual_product},
    {"gram of softmax", 2, gram_of_softmax},
    {"turned twice", 3, turned_twice},
    {"sums of three axes", 3, sums_of_three_axes},
    {"sums of two axes", 3, sums_of_two_axes},
    {"batched with itself", 3, batched_with_itself},
    {"attention", 3, attention},
};
enum { n_expressions = sizeof(expressions) / sizeof(expressions[0]) };

typedef struct job {
  const expression *e;
  bool gradients;
} job;

static sn_status body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const job *j = user;
  sn_tensor *y[n_outputs] = {NULL, NULL};
  j->e->build(in[0], in[1], y);
  for (int i = 0; i < n_outputs; i++) out[i] = y[i];
  if (j->gradients) {
    sn_tensor *loss = sn_add(sn_sum(sn_square(y[0])), sn_sum(sn_tanh(y[1])));
    sn_gradients(loss, in, 2, out, .unconnected = SN_ZEROS);
  }
  return sn_pending_error(context);
}

// ---- comparison
static void check_equal(sn_tensor *eager, sn_tensor *compiled, const char *what, int output,
                        int64_t n) {
  const int64_t count = sn_size(eager);
  ck_assert_int_eq(sn_rank(eager), sn_rank(compiled));
  ck_assert_int_eq(count, sn_size(compiled));
  double *a = malloc(sizeof(double) * (size_t)count), *b = malloc(sizeof(double) * (size_t)count);
  ck_assert(a && b);
  ck_assert_int_eq(sn_read(sn_cast(eager, SN_F64), a, sizeof(double) * (size_t)count), SN_OK);
  ck_assert_int_eq(sn_read(sn_cast(compiled, SN_F64), b, sizeof(double) * (size_t)count), SN_OK);
  for (int64_t i = 0; i < count; i++)
    ck_assert_msg(!memcmp(&a[i], &b[i], sizeof(*a)) || (isnan(a[i]) && isnan(b[i])),
                  "%s, size %lld: element %lld of result %d is %.17g, eager says %.17g", what,
                  (long long)n, (long long)i, output, b[i], a[i]);
  free(a);
  free(b);
}

static void compare(sn_context *context, sn_function *f, const job *j, sn_dtype dtype, int64_t n,
                    int64_t other) {
  SN_SCOPE(context);
  const sn_shape shape = {.rank = j->e->rank, .dims = {other, n, n}};
  sn_tensor *in[] = {sn_random_normal(context, dtype, shape),
                     sn_random_normal(context, dtype, SN_SHAPE(n))};
  sn_tensor *eager[n_outputs], *compiled[n_outputs];
  if (sn_call_eager(f, in, 2, eager, n_outputs)) {  // it takes equal dims alone
    ck_assert_int_ne(n, other);
    return;
  }
  ck_assert_msg(!sn_call(f, in, 2, compiled, n_outputs), "%s, size %lld: %s", j->e->name,
                (long long)n, sn_error_message(context));
  for (int i = 0; i < n_outputs; i++) check_equal(eager[i], compiled[i], j->e->name, i, n);
}

// Sizes as numbers: a function each.
static void run_constant(sn_backend backend, const job *j, sn_dtype dtype, const int64_t *sizes,
                         int count) {
  sn_context *context = open_context(backend, 1, 5);
  for (int i = 0; i < count; i++) {
    sn_function *f =
        sn_function_create(context, body, .user = (void *)j, .inputs = 2, .outputs = n_outputs);
    compare(context, f, j, dtype, sizes[i], sizes[i]);
    check_fusion(f, 20, j->e->name);
    sn_function_destroy(f);
  }
  sn_context_destroy(context);
}

// One function for all sizes, then one whose dims differ at first.
static void run_symbolic(sn_backend backend, const job *j, sn_dtype dtype) {
  static const int64_t sizes[][2] = {{4, 4}, {5, 5}, {9, 9}, {1, 1}, {2, 2}, {12, 12}},
                       different[][2] = {{4, 6}, {5, 7}, {6, 6}, {9, 9}, {3, 8}};
  sn_context *context = open_context(backend, 1, 5);
  for (int both = 0; both < 2; both++) {
    sn_function *f =
        sn_function_create(context, body, .user = (void *)j, .inputs = 2, .outputs = n_outputs);
    for (int i = 0; i < (both ? 5 : 6); i++)
      compare(context, f, j, dtype, both ? different[i][1] : sizes[i][1],
              both ? different[i][0] : sizes[i][0]);
    check_fusion(f, 20, j->e->name);
    sn_function_destroy(f);
  }
  sn_context_destroy(context);
}

static job job_of(int i) {
  return (job){&expressions[i / 2], i % 2 == 1};
}

START_TEST(interpreter_with_constant_sizes) {
  static const int64_t sizes[] = {1, 2, 3, 8, 17, 65};
  const job j = job_of(_i);
  const int count = j.e->rank == 2 ? 6 : 5;
  run_constant(SN_BACKEND_INTERPRETER, &j, SN_F64, sizes, count);
  run_constant(SN_BACKEND_INTERPRETER, &j, SN_F32, sizes, count - 1);
}
END_TEST

START_TEST(interpreter_with_symbolic_sizes) {
  const job j = job_of(_i);
  run_symbolic(SN_BACKEND_INTERPRETER, &j, SN_F64);
  run_symbolic(SN_BACKEND_INTERPRETER, &j, SN_F32);
}
END_TEST

START_TEST(llvm) {
  static const int64_t sizes[] = {16};
  const job j = job_of(_i);
  if (!SINTER_HAS_LLVM) return;
  run_constant(SN_BACKEND_LLVM, &j, SN_F64, sizes, 1);
  run_constant(SN_BACKEND_LLVM, &j, SN_F32, sizes, 1);
  run_symbolic(SN_BACKEND_LLVM, &j, SN_F64);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("equal_extents");
  TCase *tests = tcase_create("equal_extents");
  tcase_add_loop_test(tests, interpreter_with_constant_sizes, 0, 2 * n_expressions);
  tcase_add_loop_test(tests, interpreter_with_symbolic_sizes, 0, 2 * n_expressions);
  tcase_add_loop_test(tests, llvm, 0, 2 * n_expressions);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
