// sn_jacobian, sn_batch_jacobian and sn_hessian against differences, both modes, in traces, op by op and of tapes; of each other;
// what is refused.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { n = 6, most = 36 };

// ---- functions of x [6] and w [3, 6]
static sn_status step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_tanh(sn_mul(in[0], in[1]));
  out[1] = sn_sin(out[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status is_small(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less_scalar(sn_sum(sn_abs(in[0])), 40);
  return (void)user, sn_pending_error(c);
}
static sn_status grow(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add_scalar(sn_mul(in[0], sn_add_scalar(sn_abs(in[0]), 1.1)), 0.2);
  return (void)user, sn_pending_error(c);
}
static sn_status low(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_square(in[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status high(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_exp(in[0]);
  return (void)user, sn_pending_error(c);
}

static sn_tensor *plain(sn_context *c, sn_tensor *x, sn_tensor *w) {
  return (void)c, sn_mul(sn_softmax(sn_matmul(w, x), -1), sn_sum(sn_exp(sn_mul_scalar(x, 0.3))));
}
static sn_tensor *looped(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *o[2];
  sn_scan(c, step, NULL, &x, 1, &w, 1, o, 2);
  return sn_add(sn_sum(o[1], .axes = SN_AXES(0)), o[0]);
}
static sn_tensor *whiled(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *y = sn_mul(x, sn_sum(w, .axes = SN_AXES(0))), *z;
  sn_while_loop(c, is_small, grow, NULL, &y, 1, &z, 1);
  return z;
}
static sn_tensor *branched(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *y = sn_matmul(w, x), *z;
  sn_cond(c, sn_greater_scalar(sn_sum(x), 0), high, low, NULL, &y, 1, &z, 1);
  return z;
}
static sn_tensor *picked(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *places = sn_constant(c, SN_I32, SN_SHAPE(4), (int32_t[]){3, 0, 3, 5});
  sn_tensor *sums = sn_cumsum(sn_sort(sn_mul(w, x), 1), 1);
  return sn_add(sn_take(sn_mul(x, x), places), sn_take(sn_prod(sums, .axes = SN_AXES(0)), places));
}
static sn_tensor *solved(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *a = sn_add(sn_matmul(w, sn_transpose(w)), sn_eye(c, SN_F64, 3, 3, 0));
  return sn_solve(a, sn_matmul(w, sn_expand_dims(x, 1)));
}
static sn_tensor *convolved(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *image = sn_reshape(x, SN_SHAPE(1, 3, 2, 1)),
            *kernel = sn_reshape(w, SN_SHAPE(3, 3, 1, 2));
  return (void)c, sn_tanh(sn_conv(image, kernel, .padding = SN_PADDING_SAME));
}
static sn_tensor *scalar(sn_context *c, sn_tensor *x, sn_tensor *w) {
  return sn_sum(sn_square(plain(c, x, w)));
}
static const struct {
  const char *name;
  sn_tensor *(*call)(sn_context *, sn_tensor *, sn_tensor *);
} functions[] = {{"plain", plain},
                 {"scan", looped},
                 {"while", whiled},
                 {"cond", branched},
                 {"sort and gather", picked},
                 {"solve", solved},
                 {"conv", convolved},
                 {"scalar", scalar}};
enum { n_functions = sizeof(functions) / sizeof(*functions) };

typedef struct request {
  int number;
  sn_jacobian_mode mode;
} request;

// in: x, w. out: y, dy/dx, dy/dw
static sn_status derive(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const request *r = user;
  out[0] = functions[r->number].call(c, in[0], in[1]);
  sn_jacobian(out[0], in, 2, out + 1, .mode = r->mode, .unconnected = SN_ZEROS);
  return sn_pending_error(c);
}

static void fill(double *x, double *w) {
  for (int i = 0; i < n; i++) x[i] = 0.2 + 0.3 * sin(i);
  for (int i = 0; i < 3 * n; i++) w[i] = 0.5 * cos(2 * i);
}

static int value_of(sn_context *c, sn_function *f, const double *x, const double *w, double *y) {
  SN_SCOPE(c);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(n), x),
                      sn_constant(c, SN_F64, SN_SHAPE(3, n), w)},
            *out[3];
  ck_assert_msg(!sn_call(f, in, 2, out, 3), "%s", sn_error_message(c));
  const int size = (int)sn_size(out[0]);
  ck_assert_int_eq(sn_read(out[0], y, (size_t)size * sizeof(*y)), SN_OK);
  return size;
}

static void check_differences(sn_context *c, sn_function *f, sn_tensor *const *out,
                              const char *name) {
  double x[n], w[3 * n], up[most], down[most], dx[most * n], dw[most * 3 * n];
  const double h = 1e-6;
  fill(x, w);
  const int size = (int)sn_size(out[0]);
  ck_assert_int_eq(sn_rank(out[1]), sn_rank(out[0]) + 1);
  ck_assert_int_eq(sn_rank(out[2]), sn_rank(out[0]) + 2);
  ck_assert_int_eq(sn_read(out[1], dx, (size_t)(size * n) * sizeof(double)), SN_OK);
  ck_assert_int_eq(sn_read(out[2], dw, (size_t)(size * 3 * n) * sizeof(double)), SN_OK);
  for (int k = 0; k < 4 * n; k++) {
    double *at = k < n ? &x[k] : &w[k - n];
    const double middle = *at;
    *at = middle + h;
    value_of(c, f, x, w, up);
    *at = middle - h;
    value_of(c, f, x, w, down);
    *at = middle;
    for (int i = 0; i < size; i++) {
      const double slope = (up[i] - down[i]) / (2 * h);
      const double given = k < n ? dx[i * n + k] : dw[i * 3 * n + k - n];
      ck_assert_msg(fabs(slope - given) < 1e-7 * (1 + fabs(slope)),
                    "%s: d y[%d] / d %d is %g, expected %g", name, i, k, given, slope);
    }
  }
}

static void expect_close(sn_tensor *a, sn_tensor *b, const char *name, double tolerance) {
  double x[most * 3 * n], y[most * 3 * n];
  const size_t size = (size_t)sn_size(a);
  ck_assert_uint_eq(size, (size_t)sn_size(b));
  ck_assert_int_eq(sn_read(a, x, size * sizeof(*x)), SN_OK);
  ck_assert_int_eq(sn_read(b, y, size * sizeof(*y)), SN_OK);
  for (size_t i = 0; i < size; i++)
    ck_assert_msg(fabs(x[i] - y[i]) <= tolerance * (1 + fabs(x[i])), "%s: %zu is %g, expected %g",
                  name, i, y[i], x[i]);
}

START_TEST(jacobians_are_derivatives) {
  sn_context *c;
  const char *name = functions[_i].name;
  request r[3] = {{_i, SN_JACOBIAN_REVERSE}, {_i, SN_JACOBIAN_FORWARD}, {_i, SN_JACOBIAN_AUTO}};
  double x[n], w[3 * n];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  fill(x, w);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(n), x),
                      sn_constant(c, SN_F64, SN_SHAPE(3, n), w)},
            *first[3], *out[3];
  sn_function *f[3];
  for (int m = 0; m < 3; m++)
    f[m] = sn_function_create(c, derive, .user = &r[m], .inputs = 2, .outputs = 3);
  ck_assert_msg(!sn_call(f[0], in, 2, first, 3), "%s: %s", name, sn_error_message(c));
  check_differences(c, f[0], first, name);
  for (int m = 0; m < 3; m++) {
    ck_assert_msg(!sn_call(f[m], in, 2, out, 3), "%s: %s", name, sn_error_message(c));
    for (int k = 1; k < 3; k++) expect_close(first[k], out[k], name, 1e-12);
    ck_assert_msg(!sn_call_eager(f[m], in, 2, out, 3), "%s: %s", name, sn_error_message(c));
    for (int k = 1; k < 3; k++) expect_close(first[k], out[k], name, 1e-12);
  }
  for (int m = 0; m < 3; m++) sn_function_destroy(f[m]);
  sn_tape *tape = sn_tape_begin(c);
  for (int k = 0; k < 2; k++) sn_tape_watch(tape, in[k]);
  sn_tensor *y = functions[_i].call(c, in[0], in[1]);
  sn_tape_jacobian(tape, y, in, 2, out + 1, .unconnected = SN_ZEROS);
  ck_assert_msg(sn_pending_error(c) == SN_OK, "%s", sn_error_message(c));
  for (int k = 1; k < 3; k++) expect_close(first[k], out[k], name, 1e-12);
  sn_tape_end(tape);
  sn_context_destroy(c);
}
END_TEST

// ---- of a batch
static sn_tensor *rows_of(sn_tensor *x, sn_tensor *w) {
  return sn_reshape(sn_tanh(sn_matmul(sn_reshape(x, SN_SHAPE(4, 6)), w)), SN_SHAPE(4, 2, 2));
}

static sn_status derive_rows(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = rows_of(in[0], in[1]);
  sn_batch_jacobian(y, in, 1, out, .mode = *(const sn_jacobian_mode *)user);
  sn_jacobian(y, in, 1, out + 1);
  return sn_pending_error(c);
}

START_TEST(rows_of_a_batch_are_blocks_of_the_whole) {
  static const sn_jacobian_mode modes[] = {SN_JACOBIAN_AUTO, SN_JACOBIAN_FORWARD,
                                           SN_JACOBIAN_REVERSE};
  sn_context *c;
  double x[24], w[24], rows[4][4][6], whole[4][4][4][6];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  for (int i = 0; i < 24; i++) x[i] = sin(i), w[i] = cos(3 * i);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(4, 3, 2), x),
                      sn_constant(c, SN_F64, SN_SHAPE(6, 4), w)},
            *out[2];
  for (int m = 0; m < 9; m++) {
    sn_jacobian_mode mode = modes[m % 3];
    sn_function *f = sn_function_create(c, derive_rows, .user = &mode, .inputs = 2, .outputs = 2);
    if (m < 6) {
      ck_assert_msg(!(m < 3 ? sn_call(f, in, 2, out, 2) : sn_call_eager(f, in, 2, out, 2)), "%s",
                    sn_error_message(c));
    } else {
      sn_tape *tape = sn_tape_begin(c, .persistent = true);
      sn_tape_watch(tape, in[0]);
      sn_tensor *y = rows_of(in[0], in[1]);
      sn_tape_batch_jacobian(tape, y, in, 1, out, .mode = mode);
      sn_tape_jacobian(tape, y, in, 1, out + 1);
      sn_tape_end(tape);
    }
    ck_assert(sn_rank(out[0]) == 5 && sn_dim(out[0], 0) == 4 && sn_dim(out[0], 2) == 2 &&
              sn_dim(out[0], 3) == 3 && sn_rank(out[1]) == 6);
    ck_assert_int_eq(sn_read(out[0], rows, sizeof(rows)), SN_OK);
    ck_assert_int_eq(sn_read(out[1], whole, sizeof(whole)), SN_OK);
    for (int b = 0; b < 4; b++)
      for (int i = 0; i < 4; i++)
        for (int k = 0; k < 6; k++) {
          ck_assert_double_eq_tol(rows[b][i][k], whole[b][i][b][k], 1e-13);
          ck_assert(whole[b][i][(b + 1) % 4][k] == 0);
        }
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// ---- second derivatives
// in: x [6], w [3, 6]. out: blocks of H, then those by the Jacobian of the gradient, forward, then y, gradients
static sn_status derive_twice(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = *(const int *)user ? sn_sum(looped(c, in[0], in[1])) : scalar(c, in[0], in[1]);
  sn_hessian(y, in, 2, out);
  sn_gradients(y, in, 2, out + 8);
  for (int i = 0; i < 2; i++)
    sn_jacobian(out[8 + i], in, 2, out + 4 + 2 * i, .mode = SN_JACOBIAN_FORWARD);
  return sn_pending_error(c);
}

START_TEST(hessians_are_second_derivatives) {
  sn_context *c;
  int which = _i / 2;
  const bool eager = _i % 2;
  double x[n], w[3 * n], xx[n][n], xw[n][3 * n], wx[3 * n][n], up[n], down[n];
  const double h = 1e-6;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  fill(x, w);
  sn_function *f = sn_function_create(c, derive_twice, .user = &which, .inputs = 2, .outputs = 10);
  for (int k = -1; k < 4 * n; k++) {
    double *at = k < 0 ? NULL : k < n ? &x[k] : &w[k - n];
    for (int side = 0; side < (at ? 2 : 1); side++) {
      SN_SCOPE(c);
      const double middle = at ? *at : 0;
      if (at) *at = middle + (side ? -h : h);
      sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(n), x),
                          sn_constant(c, SN_F64, SN_SHAPE(3, n), w)},
                *out[10];
      ck_assert_msg(!(eager ? sn_call_eager(f, in, 2, out, 10) : sn_call(f, in, 2, out, 10)), "%s",
                    sn_error_message(c));
      if (at) *at = middle;
      if (at) {
        ck_assert_int_eq(sn_read(out[8], side ? down : up, sizeof(up)), SN_OK);
        continue;
      }
      for (int i = 0; i < 4; i++) expect_close(out[i], out[4 + i], "hessian", 1e-11);
      ck_assert_int_eq(sn_read(out[0], xx, sizeof(xx)), SN_OK);
      ck_assert_int_eq(sn_read(out[1], xw, sizeof(xw)), SN_OK);
      ck_assert_int_eq(sn_read(out[2], wx, sizeof(wx)), SN_OK);
    }
    for (int i = 0; i < n && at; i++) {
      const double slope = (up[i] - down[i]) / (2 * h), given = k < n ? xx[i][k] : xw[i][k - n];
      ck_assert_msg(fabs(slope - given) < 1e-6 * (1 + fabs(slope)), "H[%d][%d] is %g, expected %g",
                    i, k, given, slope);
      if (k >= n) ck_assert_double_eq_tol(wx[k - n][i], given, 1e-11);
    }
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// y = sum x^3 + x0 x1: H = diag(6 x) with 1 beside it; of what y does not depend on, zeros.
static sn_status cubes(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *pair = sn_mul(sn_at(in[0], "0"), sn_at(in[0], "1"));
  sn_tensor *y = sn_add(sn_sum(sn_mul(in[0], sn_square(in[0]))), pair), *blocks[4];
  sn_hessian(y, in, 2, blocks);
  for (int i = 0; i < 4; i++) out[i] = blocks[i];
  return (void)user, sn_pending_error(c);
}

START_TEST(known_values) {
  sn_context *c;
  const double diagonal[3] = {6, 12, -3};
  double hessian[3][3], mixed[3][2];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, cubes, .inputs = 2, .outputs = 4);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(3), (double[]){1, 2, -0.5}),
                      sn_constant(c, SN_F64, SN_SHAPE(2), (double[]){1, 2})},
            *out[4];
  for (int eager = 0; eager < 2; eager++) {
    ck_assert_msg(!(eager ? sn_call_eager(f, in, 2, out, 4) : sn_call(f, in, 2, out, 4)), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_read(out[0], hessian, sizeof(hessian)), SN_OK);
    for (int i = 0; i < 3; i++)
      for (int k = 0; k < 3; k++) ck_assert(hessian[i][k] == (i == k ? diagonal[i] : i + k == 1));
    ck_assert_int_eq(sn_read(out[1], mixed, sizeof(mixed)), SN_OK);
    for (int i = 0; i < 6; i++) ck_assert(mixed[i / 2][i % 2] == 0);
    ck_assert(sn_dim(out[2], 0) == 2 && sn_dim(out[2], 1) == 3 && sn_size(out[3]) == 4);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- what is not connected, and what is refused
static sn_status refused(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int which = *(const int *)user;
  sn_tensor *x = in[0], *y = sn_square(x), *z = sn_complex(x, x), *wide;
  out[0] = x;
  wide = sn_reshape(x, (sn_shape){5, {3, 1, 1, 1, 1}});
  if (which == 0) sn_jacobian(y, &in[1], 1, out);
  if (which == 1) sn_jacobian(z, &x, 1, out);
  if (which == 2) sn_jacobian(sn_abs(z), &z, 1, out);
  if (which == 3) sn_jacobian(sn_square(wide), &wide, 1, out);
  if (which == 4) sn_jacobian(y, &x, 1, out, .mode = (sn_jacobian_mode)7);
  if (which == 5) sn_hessian(y, &x, 1, out);
  if (which == 6) sn_batch_jacobian(y, &in[1], 1, out);
  if (which == 7) sn_batch_jacobian(sn_sum(y), &x, 1, out);
  if (which == 8) sn_hessian(sn_sum(y), &x, 0, out);
  if (which == 9) sn_jacobian(sn_cast(y, SN_I32), &x, 1, out);
  return sn_pending_error(c);
}

START_TEST(mistakes_are_refused) {
  static const char *const words[] = {"sn_jacobian: no gradient with respect to xs[0]",
                                      "sn_jacobian: y is c64[3]: derivatives",
                                      "sn_jacobian: xs[0] is c64[3]: derivatives",
                                      "xs[0] is f32[3,1,1,1,1]: the derivatives have more than 8",
                                      "sn_jacobian: .mode is 7",
                                      "sn_hessian: y is f32[3], expected a scalar",
                                      "sn_batch_jacobian: y is f32[3], but xs[0] is f32[2]",
                                      "sn_batch_jacobian: y is f32[], but xs[0]",
                                      "sn_hessian: n is 0",
                                      "sn_jacobian: y is i32[3]: only floats"};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  for (int eager = 0; eager < 2; eager++)
    for (int i = 0; i < (int)(sizeof(words) / sizeof(*words)); i++) {
      sn_function *f = sn_function_create(c, refused, .user = &i, .inputs = 2, .outputs = 1);
      sn_tensor *in[2] = {sn_ones(c, SN_F32, SN_SHAPE(3)), sn_ones(c, SN_F32, SN_SHAPE(2))}, *y;
      ck_assert(eager ? sn_call_eager(f, in, 2, &y, 1) : sn_call(f, in, 2, &y, 1));
      ck_assert_msg(
          strstr(sn_error_message(c), words[i]) && strstr(sn_error_message(c), "test_jacobian.c:"),
          "%d: %s", i, sn_error_message(c));
      sn_function_destroy(f);
    }
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(3)), *out;
  sn_jacobian(sn_square(x), &x, 1, &out);
  ck_assert(sn_failed(out) && sn_check(c) == SN_ERR_STATE);
  sn_tape_jacobian(NULL, x, &x, 1, &out);
  ck_assert(sn_failed(out) && sn_check(c) == SN_ERR_ARGUMENT);
  sn_context_destroy(c);
}
END_TEST

static sn_status unconnected(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *none = in[0], *y = sn_square(in[0]);
  sn_jacobian(y, &in[1], 1, &none, .unconnected = SN_NONE);
  ck_assert_ptr_null(none);
  sn_jacobian(y, &in[1], 1, out, .unconnected = SN_ZEROS);
  return (void)user, sn_pending_error(c);
}

START_TEST(what_is_not_connected) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  sn_function *f = sn_function_create(c, unconnected, .inputs = 2, .outputs = 1);
  sn_tensor *in[2] = {sn_ones(c, SN_F32, SN_SHAPE(3)), sn_ones(c, SN_F32, SN_SHAPE(2))}, *y;
  for (int eager = 0; eager < 2; eager++) {
    float zeros[6];
    ck_assert_int_eq(eager ? sn_call_eager(f, in, 2, &y, 1) : sn_call(f, in, 2, &y, 1), SN_OK);
    ck_assert(sn_rank(y) == 2 && sn_dim(y, 0) == 3 && sn_dim(y, 1) == 2);
    ck_assert_int_eq(sn_read(y, zeros, sizeof(zeros)), SN_OK);
    for (int i = 0; i < 6; i++) ck_assert(zeros[i] == 0);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("jacobian");
  TCase *tcase = tcase_create("jacobian");
  tcase_add_loop_test(tcase, jacobians_are_derivatives, 0, n_functions);
  tcase_add_test(tcase, rows_of_a_batch_are_blocks_of_the_whole);
  tcase_add_loop_test(tcase, hessians_are_second_derivatives, 0, 4);
  tcase_add_test(tcase, known_values);
  tcase_add_test(tcase, mistakes_are_refused);
  tcase_add_test(tcase, what_is_not_connected);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
