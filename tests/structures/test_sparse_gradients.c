// Gradients of functions of sparse tensors, first and second ones, against differences: op by op and compiled.
#include <sinter/structures.h>

#include <check.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

// 4 x 3: two repeated, out of order; b in order; b^T.
static const int64_t at_a[][2] = {{0, 1}, {3, 0}, {1, 2}, {1, 2}, {0, 0}, {3, 2}};
static const int64_t at_b[][2] = {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {3, 2}};
enum { n_a = 6, n_b = 5 };

static sn_tensor *indices(sn_context *context, const int64_t (*at)[2], int64_t n) {
  return sn_constant(context, SN_I64, SN_SHAPE(n, 2), at);
}
static sn_sparse *of_a(sn_tensor *values) {
  return sn_sparse_create(indices(sn_context_of(values), at_a, n_a), values, SN_SHAPE(4, 3));
}
static sn_sparse *of_b(sn_tensor *values) {
  return sn_sparse_create(indices(sn_context_of(values), at_b, n_b), values, SN_SHAPE(4, 3));
}

// Of values of a and b, and x [4, 3]: what is summed with weights.
typedef sn_tensor *(*function)(sn_sparse *a, sn_sparse *b, sn_tensor *x);
static sn_tensor *values_of(const sn_sparse *s) {
  return sn_sparse_values(s);
}
#define FUNCTION(name, expression)                                   \
  static sn_tensor *name(sn_sparse *a, sn_sparse *b, sn_tensor *x) { \
    (void)a, (void)b, (void)x;                                       \
    return expression;                                               \
  }
FUNCTION(dense, sn_mul(sn_sparse_to_dense(b, .default_value = sn_max(x)), x))
FUNCTION(dense_unchecked, sn_mul(sn_sparse_to_dense(a, .unchecked = true), x))
FUNCTION(from_dense, sn_sparse_matmul(sn_sparse_from_dense(sn_square(x)), x, .transpose_b = true))
FUNCTION(reordered, sn_square(values_of(sn_sparse_reorder(a))))
FUNCTION(coalesced, sn_square(values_of(sn_sparse_coalesce(a))))
FUNCTION(times, values_of(sn_sparse_mul(a, sn_square(x))))
FUNCTION(divided, values_of(sn_sparse_div(b, sn_add(sn_square(x), 1))))
FUNCTION(plus_dense, sn_square(sn_sparse_add_dense(a, x)))
FUNCTION(sum, sn_square(values_of(sn_sparse_add(a, b))))
FUNCTION(greatest, sn_square(values_of(sn_sparse_maximum(a, b))))
FUNCTION(product, sn_sparse_matmul(a, sn_square(x), .transpose_b = true))
FUNCTION(product_turned, sn_sparse_matmul(a, sn_square(x), .transpose_a = true))
FUNCTION(product_vector, sn_sparse_matmul(a, sn_index(x, 0, 1)))
FUNCTION(product_right, sn_sparse_rmatmul(x, a, .transpose_b = true))
FUNCTION(product_sparse, values_of(sn_sparse_matmul_sparse(a, b, .transpose_b = true)))
FUNCTION(reduced, sn_square(sn_sparse_sum(a, .axes = SN_AXES(1))))
FUNCTION(reduced_sparse, sn_square(values_of(sn_sparse_sum_sparse(a, .axes = SN_AXES(0)))))
FUNCTION(most, sn_square(sn_sparse_max(b, .axes = SN_AXES(1))))
FUNCTION(softmax, sn_square(values_of(sn_sparse_softmax(a))))
FUNCTION(sliced,
         sn_square(values_of(sn_sparse_slice(a, (sn_range_spec[]){SN_RANGE(1, SN_END, 1)}, 1))))
FUNCTION(joined, sn_square(values_of(sn_sparse_concat((sn_sparse *const[]){a, b}, 2, 1, false))))
FUNCTION(turned, sn_sparse_to_dense(sn_sparse_transpose(sn_sparse_mul(b, x))))
FUNCTION(reshaped, sn_square(sn_sparse_to_dense(sn_sparse_reshape(b, SN_SHAPE(2, -1)))))
FUNCTION(filled,
         sn_square(values_of(sn_sparse_fill_empty_rows(
             sn_sparse_slice(a, (sn_range_spec[]){SN_RANGE(1, 4, 1)}, 1), sn_max(x), NULL))))
FUNCTION(compressed,
         sn_sparse_matmul(sn_sparse_to_csc(sn_sparse_to_csr(a)), x, .transpose_b = true))

static sn_sparse *ids_like(const sn_sparse *s) {
  sn_context *context = sn_context_of(s);
  const int64_t ids[n_b] = {3, 0, 2, 3, 1};
  return sn_sparse_with_values(s, sn_constant(context, SN_I64, SN_SHAPE(n_b), ids));
}
FUNCTION(lookup,
         sn_embedding_lookup_sparse(x, ids_like(b), .weights = sn_sparse_map((sn_square), b),
                                    .combiner = SN_COMBINE_SQRT_N))
FUNCTION(safe_lookup, sn_square(sn_safe_embedding_lookup_sparse(
                          x, sn_sparse_slice(ids_like(b), (sn_range_spec[]){SN_RANGE(0, 3, 2)}, 1),
                          .max_norm = 1, .has_default = true, .default_id = 1)))

static const struct {
  const char *name;
  function run;
} functions[] = {
    {"dense", dense},
    {"dense_unchecked", dense_unchecked},
    {"from_dense", from_dense},
    {"reordered", reordered},
    {"coalesced", coalesced},
    {"times", times},
    {"divided", divided},
    {"plus_dense", plus_dense},
    {"sum", sum},
    {"greatest", greatest},
    {"product", product},
    {"product_turned", product_turned},
    {"product_vector", product_vector},
    {"product_right", product_right},
    {"product_sparse", product_sparse},
    {"reduced", reduced},
    {"reduced_sparse", reduced_sparse},
    {"most", most},
    {"softmax", softmax},
    {"sliced", sliced},
    {"joined", joined},
    {"turned", turned},
    {"reshaped", reshaped},
    {"filled", filled},
    {"compressed", compressed},
    {"lookup", lookup},
    {"safe_lookup", safe_lookup},
};
enum { n_functions = sizeof(functions) / sizeof(*functions) };

static sn_status call(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_tensor *y = functions[*(const int *)user].run(of_a(in[0]), of_b(in[1]), in[2]);
  sn_tensor *flat = sn_reshape(y, SN_SHAPE(-1));
  out[0] = sn_sum(sn_mul(flat, sn_cos(sn_range_like(flat, 0, SN_F64))));  // of any size
  return SN_OK;
}

START_TEST(gradients_are_those_of_differences) {
  int which = _i / 2;
  const double a[n_a] = {0.5, -1.25, 2, 0.75, -0.5, 1.5}, b[n_b] = {1.5, -0.75, 1, 0.25, -2};
  const double x[] = {0.5, 1, -1, 2, -0.25, 0.75, 1.25, -1.5, 0.4, -0.6, 0.9, 1.1};
  SN_SCOPE(c);
  sn_tensor *const in[] = {sn_constant(c, SN_F64, SN_SHAPE(n_a), a),
                           sn_constant(c, SN_F64, SN_SHAPE(n_b), b),
                           sn_constant(c, SN_F64, SN_SHAPE(4, 3), x)};
  const sn_status status = sn_check_gradients(c, call, in, 3, 1, NULL, .user = &which,
                                              .second_order = true, .eager = _i % 2);
  ck_assert_msg(!status, "%s: %s", functions[which].name, sn_error_message(c));
}
END_TEST

// Products of other dtypes than the loops know.
START_TEST(sixteen_bits_and_complex_numbers_have_products) {
  SN_SCOPE(c);
  const float values[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 2, 3, 4, 5, 6};
  sn_sparse *a = of_a(sn_cast(sn_constant(c, SN_F32, SN_SHAPE(6), values), SN_BF16));
  sn_tensor *y = sn_sparse_matmul(a, sn_cast(sn_constant(c, SN_F32, SN_SHAPE(3, 2), x), SN_BF16));
  float got[8];
  ck_assert_int_eq(sn_dtype_of(y), SN_BF16);
  ck_assert_int_eq(sn_read(sn_cast(y, SN_F32), got, sizeof(got)), SN_OK);
  const float wanted[] = {3 + 5, 4 + 10, 35, 42, 0, 0, 2 + 30, 4 + 36};
  for (int i = 0; i < 8; i++) ck_assert_float_eq(got[i], wanted[i]);
  sn_complex64 z[6], w[4], answer[6];
  for (int i = 0; i < 6; i++) z[i] = (sn_complex64){0, values[i]};
  for (int i = 0; i < 4; i++) w[i] = (sn_complex64){x[i], 0};
  sn_sparse *s = of_a(sn_constant(c, SN_C64, SN_SHAPE(6), z));
  y = sn_sparse_matmul(s, sn_constant(c, SN_C64, SN_SHAPE(4, 1), w), .adjoint_a = true);
  ck_assert_int_eq(sn_read(y, answer, 3 * sizeof(*answer)), SN_OK);
  const float parts[] = {-(5 + 8), -1, -(6 + 8 + 24)};
  for (int i = 0; i < 3; i++) {
    ck_assert_float_eq(answer[i].re, 0);
    ck_assert_float_eq(answer[i].im, parts[i]);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sparse_gradients");
  TCase *tc = tcase_create("sparse_gradients");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_loop_test(tc, gradients_are_those_of_differences, 0, 2 * n_functions);
  tcase_add_test(tc, sixteen_bits_and_complex_numbers_have_products);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
