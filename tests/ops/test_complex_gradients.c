// The gradient of every op of complex numbers, by the public functions: first and second order against
// central differences of both parts in c128, and the bits of the compiled function against op by op, on
// both backends.
#include "tests/ops/function_harness.h"

#include <math.h>
#include <stdint.h>

typedef struct operation {
  const char *name;
  sn_tensor *(*apply)(sn_tensor *const *x);
  double low, high;  // of both parts
} operation;

enum { ELEMENTS = 6 };  // of each of the two inputs, [2,3]

#define F1(name, expression)                         \
  static sn_tensor *op_##name(sn_tensor *const *x) { \
    return expression;                               \
  }
static sn_tensor *column(sn_tensor *x) {
  return sn_index(x, 0, 1);
}
static sn_tensor *indices(sn_tensor *x) {
  return sn_constant(sn_context_of(x), SN_I32, SN_SHAPE(4), ((int32_t[]){1, 0, 1, 1}));
}
static sn_tensor *mask(sn_tensor *x) {
  return sn_less(sn_real(x), sn_imag(x));
}
static sn_tensor *pair(sn_tensor *a, sn_tensor *b, bool stack) {
  sn_tensor *xs[] = {a, b};
  return stack ? sn_stack(xs, 2, 1) : sn_concat(xs, 2, 1);
}
static sn_tensor *image(sn_tensor *x) {
  return sn_reshape(x, SN_SHAPE(1, 6, 1));
}
static sn_tensor *window(sn_tensor *x) {
  return sn_reshape(x, SN_SHAPE(3, 1, 2));
}
F1(neg, sn_neg(x[0]))
F1(abs, sn_abs(x[0]))
F1(sign, sn_sign(x[0]))
F1(real, sn_real(x[0]))
F1(imag, sn_imag(x[0]))
F1(conj, sn_conj(x[0]))
F1(angle, sn_angle(x[0]))
F1(polar, sn_polar(sn_real(x[0]), sn_imag(x[1])))
F1(complex, sn_complex(sn_imag(x[0]), sn_index(sn_real(x[1]), 0, 0)))
F1(cast, sn_cast(sn_mul(sn_real(x[0]), sn_imag(x[0])), SN_C128))
F1(sqrt, sn_sqrt(x[0]))
F1(rsqrt, sn_rsqrt(x[0]))
F1(square, sn_square(x[0]))
F1(reciprocal, sn_reciprocal(x[0]))
F1(exp, sn_exp(x[0]))
F1(expm1, sn_expm1(x[0]))
F1(log, sn_log(x[0]))
F1(log1p, sn_log1p(x[0]))
F1(sin, sn_sin(x[0]))
F1(cos, sn_cos(x[0]))
F1(tanh, sn_tanh(x[0]))
F1(add, sn_add(x[0], column(x[1])))
F1(sub, sn_sub(x[0], column(x[1])))
F1(mul, sn_mul(x[0], column(x[1])))
F1(mul_conj, sn_mul(x[0], sn_conj(x[0])))
F1(div, sn_div(x[0], column(x[1])))
F1(pow, sn_pow(x[0], x[1]))
F1(pow_3, sn_pow_scalar(x[0], 3))
F1(pow_minus_2, sn_pow_scalar(x[0], -2))
F1(pow_half, sn_pow_scalar(x[0], 2.5))
F1(pow_i, sn_pow(x[0], sn_scalar_c128(sn_context_of(x[0]), 0.5, -1)))
F1(scalars, sn_rdiv_scalar(sn_sub_scalar(sn_mul_scalar(x[0], 2), 0.5), 3))
F1(where, sn_where(mask(x[0]), sn_square(x[0]), x[1]))
F1(where_scalar, sn_where_scalar(mask(x[0]), sn_square(x[0]), 4))
F1(sum, sn_square(sn_sum(x[0], .axes = SN_AXES(1))))
F1(mean, sn_square(sn_mean(x[0], .axes = SN_AXES(0))))
F1(prod, sn_prod(x[0], .axes = SN_AXES(1)))
F1(prod_all, sn_prod(x[0]))
F1(prod_zero, sn_prod(x[0], .axes = SN_AXES(1)))
F1(cumprod_zero, sn_cumprod(x[0], 1))
F1(var, sn_var(x[0], .axes = SN_AXES(1)))
F1(std, sn_std(x[0]))
F1(cumsum, sn_square(sn_cumsum(x[0], 1)))
F1(cumprod, sn_cumprod(x[0], 1))
F1(cumprod_back, sn_cumprod(x[0], 0, .exclusive = true, .reverse = true))
F1(matmul, sn_matmul(x[0], sn_transpose(x[1])))
F1(matmul_row, sn_matmul(column(x[0]), sn_transpose(x[1])))
F1(matmul_conj, sn_matmul(sn_conj(sn_transpose(x[0])), x[0]))
F1(conv, sn_conv(image(x[0]), window(x[1]), .strides = {2}, .padding = SN_PADDING_SAME))
F1(conv_transpose, sn_conv_transpose(sn_reshape(x[0], SN_SHAPE(1, 3, 2)), window(x[1])))
F1(gather, sn_square(sn_gather(x[0], indices(x[0]))))
F1(scatter, sn_square(sn_scatter_add(x[0], indices(x[0]), sn_gather(x[1], indices(x[1])))))
F1(update, sn_square(sn_scatter_update(x[0], indices(x[0]), sn_gather(x[1], indices(x[1])))))
F1(gather_axis, sn_square(sn_gather(x[0], indices(x[0]), .axis = 1)))
F1(window, sn_square(sn_dynamic_update(
               x[0], sn_slice(x[1], ((sn_range_spec[]){SN_RANGE(0, 1, 1), SN_RANGE(0, 2, 1)}), 2),
               sn_constant(sn_context_of(x[0]), SN_I32, SN_SHAPE(2), ((int32_t[]){1, 1})))))
F1(mask, sn_square(sn_boolean_mask(x[0], mask(x[0]), .length = 4)))
F1(segment, sn_square(sn_segment_sum(sn_gather(x[0], indices(x[0])), indices(x[0]), 3)))
F1(shapes, sn_square(sn_permute(sn_reshape(x[0], SN_SHAPE(3, 1, 2)), ((int[]){2, 0, 1}), 3)))
F1(slice, sn_square(sn_slice(x[0], ((sn_range_spec[]){SN_ALL, SN_RANGE(2, SN_END, -2)}), 2)))
F1(pad, sn_square(sn_pad(x[0], ((int64_t[]){1, 0}), ((int64_t[]){0, 2}), 2, 3)))
F1(concat, sn_mul(pair(x[0], x[1], false), pair(x[1], x[1], false)))
F1(stack, sn_mul(pair(x[0], x[1], true), pair(x[1], x[1], true)))
F1(broadcast, sn_square(sn_broadcast_to(column(x[0]), SN_SHAPE(2, 2, 3))))
F1(chain, sn_exp(sn_mul(sn_sin(x[0]), sn_div(x[1], sn_log(x[0])))))
F1(fft, sn_square(sn_fft(x[0], 1)))
F1(fft_padded, sn_square(sn_fft(x[0], 0, .n = 5, .norm = SN_FFT_ORTHO)))
F1(ifft_cut, sn_square(sn_ifft(x[0], -1, .n = 2)))
F1(fft_prime, sn_square(sn_fft(x[0], 1, .n = 17, .norm = SN_FFT_FORWARD)))
F1(rfft, sn_square(sn_rfft(sn_mul(sn_real(x[0]), sn_imag(x[0])), 1)))
F1(rfft_even, sn_square(sn_rfft(sn_real(x[0]), 1, .n = 4, .norm = SN_FFT_ORTHO)))
F1(irfft, sn_square(sn_irfft(x[0], 1)))
F1(irfft_odd, sn_square(sn_irfft(x[0], 1, .n = 5, .norm = SN_FFT_FORWARD)))
F1(fft2, sn_mul(sn_fft2(x[0]), sn_ifft2(x[1])))
F1(irfft2, sn_square(sn_irfft2(x[0])))
F1(shift, sn_mul(sn_fftshift(x[0]), sn_ifftshift(x[1], .axes = SN_AXES(1))))

#define ROW(name, low, high) \
  { #name, op_##name, low, high }
static const operation operations[] = {ROW(neg, -2, 2),          ROW(abs, -2, 2),
                                       ROW(sign, 0.5, 2),        ROW(real, -2, 2),
                                       ROW(imag, -2, 2),         ROW(conj, -2, 2),
                                       ROW(angle, 0.5, 2),       ROW(polar, -2, 2),
                                       ROW(complex, -2, 2),      ROW(cast, -2, 2),
                                       ROW(sqrt, 0.5, 2),        ROW(rsqrt, 0.5, 2),
                                       ROW(square, -2, 2),       ROW(reciprocal, 0.5, 2),
                                       ROW(exp, -2, 2),          ROW(expm1, -2, 2),
                                       ROW(log, 0.5, 2),         ROW(log1p, -0.3, 2),
                                       ROW(sin, -2, 2),          ROW(cos, -2, 2),
                                       ROW(tanh, -0.7, 0.7),     ROW(add, -2, 2),
                                       ROW(sub, -2, 2),          ROW(mul, -2, 2),
                                       ROW(mul_conj, -2, 2),     ROW(div, 0.5, 2),
                                       ROW(pow, 0.5, 2),         ROW(pow_3, -2, 2),
                                       ROW(pow_minus_2, 0.7, 2), ROW(pow_half, 0.5, 2),
                                       ROW(pow_i, 0.5, 2),       ROW(scalars, 0.7, 2),
                                       ROW(where, -2, 2),        ROW(where_scalar, -2, 2),
                                       ROW(sum, -2, 2),          ROW(mean, -2, 2),
                                       ROW(prod, -2, 2),         ROW(prod_all, -1, 1),
                                       ROW(prod_zero, -2, 2),    ROW(cumprod_zero, -2, 2),
                                       ROW(var, -2, 2),          ROW(std, -2, 2),
                                       ROW(cumsum, -2, 2),       ROW(cumprod, -2, 2),
                                       ROW(cumprod_back, -2, 2), ROW(matmul, -2, 2),
                                       ROW(matmul_row, -2, 2),   ROW(matmul_conj, -2, 2),
                                       ROW(conv, -2, 2),         ROW(conv_transpose, -2, 2),
                                       ROW(gather, -2, 2),       ROW(scatter, -2, 2),
                                       ROW(update, -2, 2),       ROW(gather_axis, -2, 2),
                                       ROW(window, -2, 2),       ROW(mask, -2, 2),
                                       ROW(segment, -2, 2),      ROW(shapes, -2, 2),
                                       ROW(slice, -2, 2),        ROW(pad, -2, 2),
                                       ROW(concat, -2, 2),       ROW(stack, -2, 2),
                                       ROW(broadcast, -2, 2),    ROW(chain, 0.6, 1.5),

                                       ROW(fft, -1, 1),          ROW(fft_padded, -1, 1),
                                       ROW(ifft_cut, -1, 1),     ROW(fft_prime, -1, 1),
                                       ROW(rfft, -1, 1),         ROW(rfft_even, -1, 1),
                                       ROW(irfft, -1, 1),        ROW(irfft_odd, -1, 1),
                                       ROW(fft2, -1, 1),         ROW(irfft2, -1, 1),
                                       ROW(shift, -1, 1)};
enum { N_OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

// ---- losses
// sum of w y over both parts, with weights that tell the elements apart.
static sn_tensor *weighed(sn_tensor *y, double phase) {
  double weights[64];
  sn_shape shape = {sn_rank(y), {0}};
  for (int i = 0; i < shape.rank; i++) shape.dims[i] = sn_dim(y, i);
  const int64_t n = sn_size(y);
  ck_assert_int_le(n, 64);
  for (int64_t i = 0; i < n; i++) weights[i] = cos((double)i * 1.7 + phase);
  sn_tensor *w = sn_constant(sn_context_of(y), SN_F64, shape, weights);
  if (sn_dtype_of(y) == SN_F64) return sn_sum(sn_mul(w, y));
  return sn_sum(sn_add(sn_mul(w, sn_real(y)), sn_mul(sn_sin(w), sn_imag(y))));
}

static sn_tensor *loss_of(const operation *o, sn_tensor *const *x) {
  return weighed(o->apply(x), 0.4);
}

static sn_tensor *slopes_of(const operation *o, sn_tensor *const *x, sn_tensor **g) {
  sn_tensor *loss = loss_of(o, x);
  sn_gradients(loss, x, 2, g, .unconnected = SN_ZEROS);
  return loss;
}

static sn_status first_order(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = slopes_of(user, in, out + 1);
  return sn_pending_error(c);
}

// A number made of the gradients, and its gradients.
static sn_status second_order(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *g[2];
  slopes_of(user, in, g);
  out[0] = sn_add(weighed(g[0], 1.1), weighed(g[1], 2.3));
  sn_gradients(out[0], in, 2, out + 1, .unconnected = SN_ZEROS);
  return sn_pending_error(c);
}

// ---- central differences
static void make_values(const operation *o, sn_complex128 values[2][ELEMENTS]) {
  uint32_t h = 12345;
  double *at = &values[0][0].re;
  for (int i = 0; i < 4 * ELEMENTS; i++) {
    h = h * 1664525u + 1013904223u;
    at[i] = o->low + (o->high - o->low) * (double)(h >> 8) / 0x1p24;
  }
  if (strstr(o->name, "zero")) values[0][1] = (sn_complex128){0, 0};
}

static double number_at(sn_context *c, sn_function *f, sn_complex128 values[2][ELEMENTS]) {
  SN_SCOPE(c);
  double number;
  sn_tensor *in[2], *out[3];
  for (int i = 0; i < 2; i++) in[i] = sn_constant(c, SN_C128, SN_SHAPE(2, 3), values[i]);
  ck_assert_msg(!sn_call(f, in, 2, out, 3) && !sn_item(out[0], &number), "%s", sn_error_message(c));
  return number;
}

static void check_order(sn_context *c, const operation *o, sn_callback callback, double tolerance) {
  SN_SCOPE(c);
  const double h = 1e-6;
  sn_complex128 values[2][ELEMENTS];
  sn_function *f =
      sn_function_create(c, callback, .user = (void *)(uintptr_t)o, .inputs = 2, .outputs = 3);
  make_values(o, values);
  sn_tensor *in[2], *got[3], *expected[3];
  for (int i = 0; i < 2; i++) in[i] = sn_constant(c, SN_C128, SN_SHAPE(2, 3), values[i]);
  call_both(c, f, in, 2, got, expected, 3);
  for (int i = 0; i < 3; i++)
    ck_assert_msg(same_bits(got[i], expected[i]), "%s: output %d differs from op by op", o->name,
                  i);
  for (int i = 0; i < 2; i++) {
    sn_complex128 slope[ELEMENTS];
    ck_assert_int_eq(sn_read(got[i + 1], slope, sizeof(slope)), SN_OK);
    for (int k = 0; k < 2 * ELEMENTS; k++) {
      double *at = &values[i][0].re + k, given = *at, ends[2];
      for (int side = 0; side < 2; side++) {
        *at = side ? given - h : given + h;
        ends[side] = number_at(c, f, values);
      }
      *at = given;
      const double wanted = (ends[0] - ends[1]) / (2 * h), found = (&slope[0].re)[k];
      ck_assert_msg(fabs(wanted - found) <= tolerance * (1 + fabs(wanted)),
                    "%s: input %d, part %d: %.12g, central difference %.12g", o->name, i, k, found,
                    wanted);
    }
  }
  sn_function_destroy(f);
}

static sn_context *contexts[2];
static int n_contexts;

static void open_contexts(void) {
  n_contexts = SINTER_HAS_LLVM ? 2 : 1;
  for (int i = 0; i < n_contexts; i++)
    contexts[i] = open_context(i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, 1, 1);
}

static void close_contexts(void) {
  for (int i = 0; i < n_contexts; i++) sn_context_destroy(contexts[i]);
}

START_TEST(first_derivatives) {
  for (int i = 0; i < n_contexts; i++) check_order(contexts[i], &operations[_i], first_order, 1e-7);
}
END_TEST

START_TEST(second_derivatives) {
  for (int i = 0; i < n_contexts; i++)
    check_order(contexts[i], &operations[_i], second_order, 2e-6);
}
END_TEST

// A real loss falls along -gradient; a complex y needs a seed, which is conjugated through.
START_TEST(convention) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  sn_tensor *x = sn_scalar_c128(c, 3, -4), *g;
  sn_complex128 value;
  sn_tape *tape = sn_tape_begin(c, .persistent = true);
  sn_tape_watch(tape, x);
  sn_tensor *size = sn_square(sn_abs(x)), *y = sn_mul(x, sn_scalar_c128(c, 2, 1));
  sn_tape_gradient(tape, size, &x, 1, &g);
  ck_assert_int_eq(sn_read(g, &value, sizeof(value)), SN_OK);
  ck_assert(value.re == 6 && value.im == -8);
  sn_tape_gradient(tape, y, &x, 1, &g, .seed = sn_scalar_c128(c, 0, 1));
  ck_assert_int_eq(sn_read(g, &value, sizeof(value)), SN_OK);
  ck_assert(value.re == 1 && value.im == 2);  // i (2 - i)
  sn_tape_gradient(tape, y, &x, 1, &g);
  ck_assert(sn_failed(g));
  ck_assert_int_eq(sn_check(c), SN_ERR_GRADIENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "c128[]"));
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "sn_real"));
  sn_tape_end(tape);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("complex_gradients");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_contexts, close_contexts);
  tcase_add_loop_test(tests, first_derivatives, 0, N_OPERATIONS);
  tcase_add_loop_test(tests, second_derivatives, 0, N_OPERATIONS);
  tcase_add_test(tests, convention);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
