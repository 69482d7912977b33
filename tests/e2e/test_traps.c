// What other engines have got wrong of single ops and their gradients: published failures by their numbers, each in eager mode,
// interpreted and compiled. Those of loops and branches: test_control_traps.c.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef enum mode { EAGER, INTERPRETER, COMPILED, n_modes } mode;

static sn_context *open_context(mode how) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH,
                        .backend = how == COMPILED ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
      SN_OK);
  return c;
}

static sn_status run(sn_context *c, mode how, sn_callback body, void *user, sn_tensor *x,
                     sn_tensor **out) {
  sn_function *f = sn_function_create(c, body, .user = user, .inputs = 1, .outputs = 1);
  const sn_status status =
      how == EAGER ? sn_call_eager(f, &x, 1, out, 1) : sn_call(f, &x, 1, out, 1);
  sn_function_destroy(f);
  return status;
}

// ---- values: y of x, both given as f64
enum { most = 24 };
typedef struct trap {
  int row;
  sn_callback body;
  int n_x, n_y;
  double x[most], y[most];
  double tolerance;
} trap;

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, sn_pending_error(c)
#define PAIR_OF(x, a, b) sn_tensor *a = sn_index(x, 0, 0), *b = sn_index(x, 0, 1)

BODY(floor_div_f32) {
  sn_tensor *x = sn_reshape(sn_cast(in[0], SN_F32), SN_SHAPE(2, 3));
  PAIR_OF(x, a, b);
  out[0] = sn_floor_div(a, b);
  END;
}
BODY(floor_div_f64) {
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(2, 3));
  PAIR_OF(x, a, b);
  out[0] = sn_floor_div(a, b);
  END;
}
BODY(minus_zero_sign) {
  out[0] = sn_copysign(in[0], sn_full_like(in[0], -0.0));
  END;
}
BODY(greatest_three) {
  out[0] = sn_top_k(in[0], 3, NULL);
  END;
}
BODY(sorted) {
  out[0] = sn_sort(in[0], 0);
  END;
}
BODY(sorted_down) {
  out[0] = sn_sort(in[0], 0, .descending = true);
  END;
}
BODY(order) {
  out[0] = sn_argsort(in[0], 0);
  END;
}
BODY(slope_of_cumprod) {
  sn_gradients(sn_cumprod(in[0], 0), in, 1, out);
  END;
}
BODY(diagonals) {  // iij->ij
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(2, 2, 3));
  out[0] = sn_einsum("iij->ij", &x, 1);
  END;
}
BODY(diagonal_sums) {
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(2, 2, 3));
  out[0] = sn_einsum("iij->i", &x, 1);
  END;
}
BODY(diagonal_products) {
  sn_tensor *x[2] = {sn_reshape(in[0], SN_SHAPE(2, 2, 3)),
                     sn_constant(c, SN_F64, SN_SHAPE(3), ((double[]){1, 10, 100}))};
  out[0] = sn_einsum("iij,j->ij", x, 2);
  END;
}
static sn_tensor *twice_one(sn_context *c) {
  return sn_constant(c, SN_I32, SN_SHAPE(4), ((int32_t[]){1, 0, 1, 1}));
}
BODY(last_update) {
  sn_tensor *x = sn_zeros(c, SN_F64, SN_SHAPE(3));
  out[0] = sn_scatter_update(x, twice_one(c), in[0]);
  END;
}
BODY(slope_of_updates) {
  sn_tensor *y = sn_scatter_update(sn_zeros(c, SN_F64, SN_SHAPE(3)), twice_one(c), in[0]);
  sn_gradients(sn_sum(sn_square(y)), in, 1, out);
  END;
}
BODY(many_axes) {  // rank 6 with dims of 1, indices along five of them
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(2, 1, 3, 1, 2, 1));
  sn_tensor *at =
      sn_constant(c, SN_I32, SN_SHAPE(2, 5), ((int32_t[]){1, 0, 2, 0, 1, 0, 0, 1, 0, 0}));
  out[0] = sn_reshape(sn_gather_nd(x, at), SN_SHAPE(2));
  END;
}
BODY(many_axes_back) {
  sn_tensor *at =
      sn_constant(c, SN_I32, SN_SHAPE(2, 5), ((int32_t[]){1, 0, 2, 0, 1, 0, 0, 1, 0, 0}));
  sn_tensor *y = sn_scatter_nd(at, sn_reshape(in[0], SN_SHAPE(2, 1)), SN_SHAPE(2, 1, 3, 1, 2, 1));
  out[0] = sn_reshape(y, SN_SHAPE(12));
  END;
}
BODY(clipped) {
  out[0] = sn_clip(in[0], -1, 2);
  END;
}
BODY(clipped_crosswise) {
  out[0] = sn_clip(in[0], 5, 2);
  END;
}
BODY(bits_of_f16) {
  out[0] = sn_bitcast(sn_cast(in[0], SN_F16), SN_U16);
  END;
}
BODY(bits_of_bf16) {
  out[0] = sn_bitcast(sn_cast(in[0], SN_BF16), SN_U16);
  END;
}
BODY(there_and_back) {  // through f16: no cast may be folded away
  sn_tensor *x = sn_cast(in[0], SN_F32);
  out[0] = sn_cast(sn_cast(sn_mul(x, 1), SN_F16), SN_F32);
  END;
}
BODY(nan_to_i8) {
  out[0] = sn_cast(sn_cast(in[0], SN_F16), SN_I8);
  END;
}
BODY(nan_to_u8) {
  out[0] = sn_cast(sn_cast(in[0], SN_F16), SN_U8);
  END;
}
BODY(to_u32) {
  out[0] = sn_cast(sn_cast(in[0], SN_F32), SN_U32);
  END;
}
BODY(wrapped_square) {
  sn_tensor *x = sn_cast(in[0], SN_I8), *p = sn_mul(x, x);
  out[0] = sn_where(sn_less(p, 0), sn_abs(p), p);
  END;
}
BODY(least_i8) {
  out[0] = sn_abs(sn_cast(in[0], SN_I8));
  END;
}
BODY(overflowed_norm) {
  sn_tensor *x = sn_cast(in[0], SN_F16);
  out[0] = sn_layer_norm(x, NULL, NULL, -1, 1e-5);
  END;
}
BODY(wide_strides) {  // SAME, a stride above the kernel's size
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(1, 7, 1));
  out[0] = sn_reshape(
      sn_conv(x, sn_ones(c, SN_F64, SN_SHAPE(1, 1, 1)), .strides = {3}, .padding = SN_PADDING_SAME),
      SN_SHAPE(3));
  END;
}
BODY(padded_means) {
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(1, 3, 1));
  out[0] = sn_reshape(sn_avg_pool(x, .window = {3}, .strides = {3}, .padding = SN_PADDING_EXPLICIT,
                                  .pads = {{2, 1}}),
                      SN_SHAPE(2));
  END;
}
BODY(constant_channel) {
  out[0] = sn_var(sn_cast(in[0], SN_F32), .axes = SN_AXES(0));
  END;
}
BODY(slope_of_norm) {
  sn_tensor *x = sn_cast(in[0], SN_F32), *g;
  sn_gradients(sn_sum(sn_square(sn_layer_norm(x, NULL, NULL, -1, 1e-3))), in, 1, &g);
  out[0] = g;
  END;
}

BODY(three_of_a_line) {
  out[0] = sn_add(sn_linspace(c, SN_F64, 0.1, 0.7, 3, true), sn_mul(sn_sum(in[0]), 0));
  END;
}
BODY(start_of_a_line) {
  out[0] = sn_add(sn_linspace(c, SN_F64, 0.1, 0.7, 1, true), sn_mul(sn_sum(in[0]), 0));
  END;
}

static const double E = 0x1p-40, H = 1 + 0x1p-11;
static const trap traps[] = {
    {9, floor_div_f32, 6, 3, {1, 0.5, 6, 0.1, 0.1, 0.2}, {9, 4, 29}, 0},
    {9, floor_div_f64, 6, 3, {1, 0.5, 6, 0.1, 0.1, 0.2}, {9, 4, 29}, 0},
    {11, minus_zero_sign, 4, 4, {1, -2, INFINITY, 3}, {-1, -2, -INFINITY, -3}, 0},
    {12, greatest_three, 4, 3, {NAN, 1, 2, 3}, {NAN, 3, 2}, 0},
    {12, greatest_three, 4, 3, {1, 2, 3, NAN}, {NAN, 3, 2}, 0},
    {14, sorted, 5, 5, {INFINITY, NAN, -INFINITY, 1, -1}, {-INFINITY, -1, 1, INFINITY, NAN}, 0},
    {14,
     sorted_down,
     5,
     5,
     {INFINITY, NAN, -1, 1, -INFINITY},
     {NAN, INFINITY, 1, -1, -INFINITY},
     0},
    {14, order, 6, 6, {0.0, NAN, -0.0, 1, NAN, 0.0}, {0, 2, 5, 3, 1, 4}, 0},
    {16, slope_of_cumprod, 3, 3, {0, 2, 3}, {9, 0, 0}, 0},
    {16, slope_of_cumprod, 3, 3, {2, 3, 0}, {4, 2, 6}, 0},
    {16, slope_of_cumprod, 4, 4, {2, 0, 0, 3}, {1, 2, 0, 0}, 0},
    {16, slope_of_cumprod, 4, 4, {2, 0, 3, 4}, {1, 32, 0, 0}, 0},
    {18, diagonals, 12, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3, 10, 11, 12}, 0},
    {18, diagonal_sums, 12, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {6, 33}, 0},
    {18,
     diagonal_products,
     12,
     6,
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     {1, 20, 300, 10, 110, 1200},
     0},
    {20, last_update, 4, 3, {1, 2, 3, 4}, {2, 4, 0}, 0},
    {20, slope_of_updates, 4, 4, {1, 2, 3, 4}, {0, 4, 0, 8}, 0},
    {21, many_axes, 12, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {11, 2}, 0},
    {21, many_axes_back, 2, 12, {7, 5}, {0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 7}, 0},
    {22, clipped, 4, 4, {NAN, -INFINITY, 5, 0.5}, {NAN, -1, 2, 0.5}, 0},
    {22, clipped_crosswise, 4, 4, {NAN, 1, 3, 9}, {NAN, 2, 2, 2}, 0},
    {24, three_of_a_line, 1, 3, {1}, {0.1, 0.4, 0.7}, 1e-16},
    {24, start_of_a_line, 1, 1, {1}, {0.1}, 0},
    {25,
     bits_of_f16,
     6,
     6,
     {H - E, H, H + E, -H + E, -H, -H - E},
     {0x3c00, 0x3c00, 0x3c01, 0xbc00, 0xbc00, 0xbc01},
     0},
    {25,
     bits_of_bf16,
     3,
     3,
     {1 + 0x1p-8 - E, 1 + 0x1p-8, 1 + 0x1p-8 + E},
     {0x3f80, 0x3f80, 0x3f81},
     0},
    {26, there_and_back, 3, 3, {65536, 65519.99, 65520}, {INFINITY, 65504, INFINITY}, 0},
    {28, nan_to_i8, 4, 4, {NAN, 300, -300, 7}, {0, 127, -128, 7}, 0},
    {28, nan_to_u8, 4, 4, {NAN, 300, -300, 7}, {0, 255, 0, 7}, 0},
    {28, to_u32, 4, 4, {NAN, 1e10, -5, 7}, {0, 4294967295.0, 0, 7}, 0},
    {30, wrapped_square, 5, 5, {12, 7, 20, 15, 11}, {112, 49, 112, 31, 121}, 0},
    {30, least_i8, 2, 2, {-128, -127}, {-128, 127}, 0},
    {36, overflowed_norm, 3, 3, {1e6, 1, 2}, {NAN, NAN, NAN}, 0},
    {39, wide_strides, 7, 3, {1, 2, 3, 4, 5, 6, 7}, {1, 4, 7}, 0},
    {41, padded_means, 3, 2, {4, 6, 8}, {4, 7}, 0},
    {44, constant_channel, 3, 1, {1e7, 1e7, 1e7}, {0}, 0},
    {44, slope_of_norm, 3, 3, {1e4, 1e4, 1e4}, {0, 0, 0}, 0},
};
enum { n_traps = sizeof(traps) / sizeof(*traps) };

static void expect(const trap *t, sn_tensor *y, int how) {
  double given[most];
  ck_assert_int_eq(sn_read(sn_cast(y, SN_F64), given, (size_t)t->n_y * sizeof(double)), SN_OK);
  for (int i = 0; i < t->n_y; i++)
    ck_assert_msg(isnan(t->y[i]) ? isnan(given[i])
                                 : given[i] == t->y[i] || fabs(given[i] - t->y[i]) <= t->tolerance,
                  "row %d, mode %d: y[%d] is %.17g, expected %.17g", t->row, how, i, given[i],
                  t->y[i]);
}

START_TEST(rows_have_their_values) {
  const trap *t = &traps[_i];
  for (int how = 0; how < n_modes; how++) {
    sn_context *c = open_context((mode)how);
    sn_tensor *y, *x = sn_constant(c, SN_F64, SN_SHAPE(t->n_x), t->x);
    ck_assert_msg(!run(c, (mode)how, t->body, NULL, x, &y), "row %d: %s", t->row,
                  sn_error_message(c));
    expect(t, y, how);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- 31: extrema of bytes, every length of a vector's rest
BODY(extrema) {
  sn_tensor *x = sn_cast(in[0], *(const sn_dtype *)user), *y[4] = {sn_min(x), sn_max(x)};
  y[2] = sn_argmin(x, 0);
  y[3] = sn_argmax(x, 0);
  for (int i = 0; i < 4; i++) y[i] = sn_cast(y[i], SN_F64);
  out[0] = sn_stack(y, 4, 0);
  END;
}

static void check_extrema(sn_context *c, sn_function *f, mode how, bool is_signed, int64_t n) {
  double x[200], y[4];
  int least = 0, greatest = 0;
  for (int i = 0; i < n; i++) {
    x[i] = (i * 37 + 11) % 251 % 128 + (is_signed ? -128 : 90);
    if (x[i] < x[least]) least = i;
    if (x[i] > x[greatest]) greatest = i;
  }
  SN_SCOPE(c);
  sn_tensor *t = sn_constant(c, SN_F64, SN_SHAPE(n), x), *o;
  ck_assert_int_eq(how == EAGER ? sn_call_eager(f, &t, 1, &o, 1) : sn_call(f, &t, 1, &o, 1), SN_OK);
  ck_assert_int_eq(sn_read(o, y, sizeof(y)), SN_OK);
  ck_assert_msg(y[0] == x[least] && y[1] == x[greatest] && y[2] == least && y[3] == greatest,
                "row 31, mode %d, %d numbers: %g %g at %g %g", how, (int)n, y[0], y[1], y[2], y[3]);
}

START_TEST(extrema_of_bytes) {
  static const sn_dtype dtypes[] = {SN_U8, SN_I8};
  for (int k = 0; k < 2; k++) {
    sn_context *c = open_context((mode)_i);
    sn_function *f = sn_function_create(c, extrema, .user = (void *)(uintptr_t)&dtypes[k],
                                        .inputs = 1, .outputs = 1);
    for (int64_t n = 1; n <= 200; n++) check_extrema(c, f, (mode)_i, k == 1, n);
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- 35: 16-bit floats count and add up in f32
BODY(of_many) {
  sn_tensor *x = sn_cast(in[0], *(const sn_dtype *)user), *g, *y[4];
  sn_gradients(sn_max(x), &x, 1, &g);
  y[0] = sn_sum(sn_cast(g, SN_F64));
  y[1] = sn_cast(sn_mean(x), SN_F64);
  y[2] = sn_cast(sn_var(sn_mul(x, 1)), SN_F64);
  y[3] = sn_sum(sn_cast(sn_softmax(x, 0), SN_F64));
  out[0] = sn_stack(y, 4, 0);
  END;
}

START_TEST(many_halves) {
  enum { n = 70000 };
  static const sn_dtype dtypes[] = {SN_F16, SN_BF16};
  for (int k = 0; k < 2; k++) {
    sn_context *c = open_context((mode)_i);
    double y[4];
    sn_tensor *o, *x = sn_full(c, SN_F64, SN_SHAPE(n), 2);
    ck_assert_msg(!run(c, (mode)_i, of_many, (void *)(uintptr_t)&dtypes[k], x, &o), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_read(o, y, sizeof(y)), SN_OK);
    ck_assert_double_eq_tol(y[0], 1, 4e-3);
    ck_assert_double_eq(y[1], 2);
    ck_assert_double_eq(y[2], 0);
    ck_assert_double_eq_tol(y[3], 1, 4e-3);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- what is refused: 24, 37
BODY(endless_line) {
  out[0] = sn_linspace(c, SN_I32, 0, 1, 3, true);
  return (void)in, (void)user, sn_pending_error(c);
}
BODY(line_without_end) {
  out[0] = sn_linspace(c, SN_F64, 0, INFINITY, 3, true);
  return (void)in, (void)user, sn_pending_error(c);
}
BODY(spread_filter) {
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(1, 4, 1));
  out[0] = sn_conv(x, sn_ones(c, SN_F64, SN_SHAPE(3, 1, 1)), .dilations = {2});
  END;
}

START_TEST(rows_are_refused) {
  static const struct {
    sn_callback body;
    sn_status status;
    const char *words;
  } refused[] = {{endless_line, SN_ERR_DTYPE, "sn_linspace"},
                 {line_without_end, SN_ERR_ARGUMENT, "sn_linspace"},
                 {spread_filter, SN_ERR_SHAPE, "sn_conv"}};
  for (int i = 0; i < 3; i++)
    for (int how = 0; how < n_modes; how++) {
      sn_context *c = open_context((mode)how);
      sn_tensor *y, *x = sn_ones(c, SN_F64, SN_SHAPE(4));
      ck_assert_int_eq(run(c, (mode)how, refused[i].body, NULL, x, &y), refused[i].status);
      ck_assert_msg(strstr(sn_error_message(c), refused[i].words) &&
                        strstr(sn_error_message(c), "test_traps.c:"),
                    "%s", sn_error_message(c));
      sn_context_destroy(c);
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("traps");
  TCase *tests = tcase_create("traps");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, rows_have_their_values, 0, n_traps);
  tcase_add_loop_test(tests, extrema_of_bytes, 0, n_modes);
  tcase_add_loop_test(tests, many_halves, 0, n_modes);
  tcase_add_test(tests, rows_are_refused);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
