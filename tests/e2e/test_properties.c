// Properties that hold of ops whatever they compute, tried on every op that they hold for (op_calls.h, written from the headers):
// the derivative forwards and the one backwards are each other's transpose, and linear; linear ops are; element-wise ops move with
// their elements. (Those of Fourier transforms: ops.fourier.)
#include "op_operands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static double item(sn_tensor *t, const char *name) {
  double value = (double)NAN;
  ck_assert_msg(sn_item(t, &value) == SN_OK, "%s: %s", name, sn_error_message(c));
  return value;
}
// sum(a b), of any shape.
static sn_tensor *dot(sn_tensor *a, sn_tensor *b) {
  return sn_sum(sn_mul(a, b));
}
// Numbers of t's shape that differ from element to element.
static sn_tensor *numbers_like(sn_tensor *t, double start) {
  sn_tensor *n = sn_cast(sn_range_like(sn_ravel(t), 0, SN_I64), SN_F64);
  return sn_reshape(
      sn_sin(sn_add(n, start)),
      (sn_shape){.rank = sn_rank(t),
                 .dims = {sn_rank(t) > 0 ? sn_dim(t, 0) : 0, sn_rank(t) > 1 ? sn_dim(t, 1) : 0,
                          sn_rank(t) > 2 ? sn_dim(t, 2) : 0, sn_rank(t) > 3 ? sn_dim(t, 3) : 0,
                          sn_rank(t) > 4 ? sn_dim(t, 4) : 0}});
}

// ---- derivatives
// out: <u, J v>, <J' u, v>, <J' (2 u - 3 w), v> and 2 <J' u, v> - 3 <J' w, v>; four zeros where y has no derivative.
static sn_status derivatives(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  const int call = *(const int *)user;
  sn_tensor *x[5] = {in[0], in[1], in[2], in[3], in[4]}, *v[2], *g[3][2], *seeds[3];
  sn_tensor *y = calls[call].call(x);
  if (sn_pending_error(context)) return sn_pending_error(context);
  for (int k = 0; k < 4; k++) out[k] = sn_scalar_f64(context, 0);
  if (sn_dtype_of(y) != SN_F64) return SN_OK;
  for (int k = 0; k < 2; k++) v[k] = numbers_like(x[k], k + 1);
  seeds[0] = numbers_like(y, 5);
  seeds[1] = numbers_like(y, 9);
  seeds[2] = sn_sub(sn_mul(seeds[0], 2), sn_mul(seeds[1], 3));
  sn_tensor *sums[3] = {0};
  for (int s = 0; s < 3; s++) {
    sn_gradients(y, x, 2, g[s], .unconnected = SN_ZEROS, .seed = seeds[s]);
    sums[s] = sn_add(dot(g[s][0], v[0]), dot(g[s][1], v[1]));
  }
  out[0] = dot(seeds[0], sn_jvp(y, x, v, 2));
  out[1] = sums[0];
  out[2] = sums[2];
  out[3] = sn_sub(sn_mul(sums[0], 2), sn_mul(sums[1], 3));
  return sn_pending_error(context);
}

START_TEST(derivatives_are_transposes_and_linear) {
  const sn_op_info *info = sn_op_find(calls[_i].name);
  if (!info->has_gradient || !(info->dtypes >> SN_F64 & 1)) return;
  SN_SCOPE(c);
  int call = _i;
  sn_tensor *in[5], *y[4];
  double value[4];
  make_operands(SN_F64, in);
  // Where each function is smooth: below 1, of the inverse of cosh above.
  in[0] = sn_add(sn_mul(in[0], 0.9), strcmp(info->name, "sn_acosh") ? 0.0 : 1.0);
  in[1] = sn_add(sn_mul(in[1], 0.5), sn_eye(c, SN_F64, 2, 2, 0));
  sn_function *f = sn_function_create(c, derivatives, .user = &call, .inputs = 5, .outputs = 4);
  ck_assert_msg(sn_call_eager(f, in, 5, y, 4) == SN_OK, "%s: %s", info->name, sn_error_message(c));
  double size = 1;
  for (int k = 0; k < 4; k++) {
    value[k] = item(y[k], info->name);
    size = fmax(size, fabs(value[k]));
  }
  sn_function_destroy(f);
  ck_assert_msg(fabs(value[0] - value[1]) <= 1e-12 * size,
                "%s: <u, J v> = %.17g, <J' u, v> = %.17g", info->name, value[0], value[1]);
  ck_assert_msg(fabs(value[2] - value[3]) <= 1e-12 * size, "%s: of the sum %.17g, the sum %.17g",
                info->name, value[2], value[3]);
}
END_TEST

// ---- linear ops: f(2 x - 3 z) = 2 f(x) - 3 f(z) in the first operand
static const char *const linear[] = {
    "sn_sum",
    "sn_mean",
    "sn_cumsum",
    "sn_diff",
    "sn_trace",
    "sn_tril",
    "sn_triu",
    "sn_diag",
    "sn_diagonal",
    "sn_transpose",
    "sn_permute",
    "sn_matrix_transpose",
    "sn_reshape",
    "sn_ravel",
    "sn_flip",
    "sn_roll",
    "sn_repeat",
    "sn_tile",
    "sn_broadcast_to",
    "sn_expand_dims",
    "sn_squeeze",
    "sn_move_axis",
    "sn_swap_axes",
    "sn_slice",
    "sn_pad_with",
    "sn_matmul",
    "sn_outer",
    "sn_kron",
    "sn_cross",
    "sn_vecdot",
    "sn_tensordot",
    "sn_gather",
    "sn_take",
    "sn_gather_nd",
    "sn_conv",
    "sn_conv_transpose",
    "sn_avg_pool",
    "sn_adaptive_avg_pool",
    "sn_segment_sum",
    "sn_segment_mean",
    "sn_neg",
    "sn_identity",
    "sn_deg2rad",
    "sn_rad2deg",
    "sn_mul",
    "sn_div",
    "sn_fft",
    "sn_ifft",
    "sn_rfft",
    "sn_fft2",
    "sn_fftn",
    "sn_fftshift",
    "sn_embedding_lookup",
    "sn_dynamic_slice",
    "sn_take_along_axis",
    "sn_index",
    "sn_at",
    "sn_resize",
    "sn_stop_gradient",
};

static int call_of(const char *name) {
  for (int k = 0; k < n_calls; k++)
    if (!strcmp(calls[k].name, name)) return k;
  return -1;
}
static sn_tensor *real_parts(sn_tensor *y) {  // of a complex one both, added up
  return sn_dtype_of(y) == SN_C128 ? sn_add(sn_real(y), sn_mul(sn_imag(y), 7)) : y;
}

START_TEST(linear_ops_are) {
  const int call = call_of(linear[_i]);
  if (call < 0) return;
  SN_SCOPE(c);
  sn_tensor *in[5], *of[3];
  make_operands(SN_F64, in);
  sn_tensor *x = numbers_like(in[0], 1), *z = numbers_like(in[0], 4);
  sn_tensor *all[3] = {x, z, sn_sub(sn_mul(x, 2), sn_mul(z, 3))};
  for (int k = 0; k < 3; k++) {
    in[0] = all[k];
    of[k] = real_parts(calls[call].call(in));
  }
  sn_tensor *rest = sn_sub(of[2], sn_sub(sn_mul(of[0], 2), sn_mul(of[1], 3)));
  const double error = item(sn_max(sn_abs(rest)), linear[_i]);
  ck_assert_msg(error <= 1e-13, "%s is off by %g", linear[_i], error);
}
END_TEST

// ---- element-wise ops: f(flip(x), ...) = flip(f(x, ...)), to the bit
START_TEST(elements_move_together) {
  const sn_op_info *info = sn_op_find(calls[_i].name);
  if ((strcmp(info->subject, "math") != 0 && strcmp(info->subject, "compare") != 0) ||
      !(info->dtypes >> SN_F64 & 1) || info->inputs < 1)
    return;
  SN_SCOPE(c);
  sn_tensor *in[5], *moved[5];
  make_operands(SN_F64, in);
  for (int k = 0; k < 5; k++) in[k] = numbers_like(in[k], k + 1);
  for (int k = 0; k < 5; k++) moved[k] = sn_roll(sn_flip(in[k]), 1, 0);
  sn_tensor *y = calls[_i].call(in), *kept = truth;
  truth = sn_roll(sn_flip(truth), 1, 0);
  sn_tensor *other = calls[_i].call(moved);
  truth = kept;
  y = sn_roll(sn_flip(y), 1, 0);
  ck_assert_msg(sn_pending_error(c) == SN_OK, "%s: %s", info->name, sn_error_message(c));
  const size_t bytes = (size_t)sn_size(y) * sn_dtype_size(sn_dtype_of(y));
  char a[256], b[256];
  ck_assert_uint_le(bytes, sizeof(a));
  ck_assert_int_eq(sn_read(y, a, bytes), SN_OK);
  ck_assert_int_eq(sn_read(other, b, bytes), SN_OK);
  ck_assert_msg(!memcmp(a, b, bytes), "%s", info->name);
}
END_TEST

START_TEST(names_are_those_of_ops) {
  int found = 0;
  for (size_t k = 0; k < sizeof(linear) / sizeof(*linear); k++) {
    ck_assert_msg(sn_op_find(linear[k]) || !strcmp(linear[k], "sn_stop_gradient"), "%s", linear[k]);
    found += call_of(linear[k]) >= 0;
  }
  ck_assert_int_ge(found, 50);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("properties");
  TCase *tcase = tcase_create("properties");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_loop_test(tcase, derivatives_are_transposes_and_linear, 0, n_calls);
  tcase_add_loop_test(tcase, linear_ops_are, 0, (int)(sizeof(linear) / sizeof(*linear)));
  tcase_add_loop_test(tcase, elements_move_together, 0, n_calls);
  tcase_add_test(tcase, names_are_those_of_ops);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
