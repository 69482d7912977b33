// Values, gradients and second derivatives where formulas break: kinks, ties, tails, infinities,
// NaN. One table of functions of one tensor; each row in every mode (op by op, interpreted, compiled
// by LLVM) and both float dtypes, against numbers from mathematics; the modes agree to the bit.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

typedef sn_tensor *(*edge_function)(sn_context *c, sn_tensor *x);

static sn_tensor *zero(sn_tensor *x) {
  return sn_zeros_like(x);
}

#define FUNCTION(name, body)                                \
  static sn_tensor *f_##name(sn_context *c, sn_tensor *x) { \
    (void)c;                                                \
    return body;                                            \
  }
FUNCTION(gelu, sn_gelu(x))
FUNCTION(relu, sn_relu(x))
FUNCTION(abs, sn_abs(x))
FUNCTION(softplus, sn_softplus(x))
FUNCTION(sigmoid, sn_sigmoid(x))
FUNCTION(silu, sn_mul(x, sn_sigmoid(x)))
FUNCTION(tanh, sn_tanh(x))
FUNCTION(huber, sn_huber_loss(x, zero(x), 1))
FUNCTION(absolute_error, sn_mean_absolute_error(x, zero(x)))
FUNCTION(squared_error, sn_mean_squared_error(x, zero(x)))
FUNCTION(clip, sn_minimum(sn_maximum(x, sn_scalar_like(x, -1)), sn_scalar_like(x, 1)))
FUNCTION(maximum_left, sn_maximum(x, sn_scalar_like(x, 0)))
FUNCTION(minimum_right, sn_minimum(sn_scalar_like(x, 2), x))
FUNCTION(max, sn_max(x))
FUNCTION(min, sn_min(x))
FUNCTION(logsumexp, sn_logsumexp(x))
FUNCTION(cumsum, sn_cumsum(x, 0))
FUNCTION(cumsum_behind, sn_cumsum(x, -1, .exclusive = true, .reverse = true))
FUNCTION(cumprod, sn_cumprod(x, 0))
FUNCTION(cumprod_before, sn_cumprod(x, 0, .exclusive = true))
FUNCTION(cumprod_back, sn_cumprod(x, 0, .reverse = true))
FUNCTION(cummax, sn_cummax(x, 0))
FUNCTION(cummax_before, sn_cummax(x, 0, .exclusive = true))
FUNCTION(cummin_back, sn_cummin(x, 0, .reverse = true))
FUNCTION(softmax_first, sn_index(sn_softmax(x, 0), 0, 0))
FUNCTION(log_softmax_first, sn_index(sn_log_softmax(x, 0), 0, 0))
FUNCTION(rem_divisor, sn_add(sn_rem(sn_scalar_like(x, 7), x), x))
FUNCTION(rem_dividend, sn_rem(x, sn_scalar_like(x, 2)))
FUNCTION(power, sn_pow(sn_scalar_like(x, (double)NAN), x))
FUNCTION(label_outside,
         sn_sparse_softmax_cross_entropy(sn_reshape(x, SN_SHAPE(1, -1)),
                                         sn_constant(c, SN_I32, SN_SHAPE(1), ((int32_t[]){7}))))
FUNCTION(label_inside,
         sn_sparse_softmax_cross_entropy(sn_reshape(x, SN_SHAPE(1, -1)),
                                         sn_constant(c, SN_I32, SN_SHAPE(1), ((int32_t[]){1}))))

enum { MOST = 6, SKIP = -12345 };  // SKIP: not looked at
#define INF ((double)INFINITY)
#define NOT ((double)NAN)
typedef struct edge {
  const char *name;
  edge_function function;
  int n;
  // value: of the sum of the result; gradient and second: per element, of that sum and of the sum
  // of the gradient.
  double x[MOST], value, gradient[MOST], second[MOST];
} edge;

#define ROW(name, n, ...) \
  { #name, f_##name, n, __VA_ARGS__ }
static const edge edges[] = {
    ROW(gelu, 4, {0, 3, -5, -6}, 2.99636238043546, {0.5, 1.01158416663097, SKIP, SKIP},
        {0.797884560802865, SKIP, SKIP, SKIP}),
    ROW(gelu, 1, {-5}, -2.29179620158e-07, {SKIP}, {SKIP}),
    ROW(gelu, 1, {-5.5}, -5.92764026388e-09, {SKIP}, {SKIP}),
    ROW(gelu, 1, {-6}, -8.43964670076e-11, {SKIP}, {SKIP}),
    ROW(gelu, 1, {INF}, INF, {1}, {0}),
    ROW(gelu, 1, {-INF}, 0, {0}, {0}),
    ROW(gelu, 4, {1e20, -1e20, 40, -40}, 1e20, {1, 0, 1, 0}, {0, 0, 0, 0}),
    ROW(gelu, 2, {NOT, 0}, NOT, {NOT, 0.5}, {NOT, 0.797884560802865}),
    ROW(relu, 4, {0, NOT, INF, -INF}, NOT, {0, NOT, 1, 0}, {SKIP, SKIP, SKIP, SKIP}),
    ROW(abs, 3, {0, NOT, -INF}, NOT, {0, NOT, -1}, {SKIP, SKIP, SKIP}),
    ROW(softplus, 3, {0, 30, -30}, 30.6931471805600, {0.5, 1, 9.35762296884017e-14},
        {0.25, SKIP, 9.35762296883930e-14}),
    ROW(softplus, 3, {INF, -INF, -80}, INF, {1, 0, 1.80485138784542e-35}, {0, 0, SKIP}),
    ROW(softplus, 2, {NOT, 0}, NOT, {NOT, 0.5}, {NOT, 0.25}),
    ROW(sigmoid, 4, {0, INF, -INF, -80}, 1.5, {0.25, 0, 0, 1.80485138784542e-35},
        {0, 0, 0, 1.80485138784542e-35}),
    ROW(sigmoid, 1, {NOT}, NOT, {NOT}, {NOT}),
    ROW(silu, 2, {0, -80}, -1.44388111027634e-33, {0.5, -1.42583259639788e-33}, {0.5, SKIP}),
    ROW(tanh, 4, {0, INF, -INF, 1e-30}, 0, {1, 0, 0, 1}, {0, 0, 0, -2e-30}),
    ROW(huber, 4, {0, 1e-3, -0.5, 3}, 0.656250125, {0, 0.25e-3, -0.125, 0.25},
        {0.25, 0.25, 0.25, 0}),
    ROW(huber, 2, {INF, -INF}, INF, {0.5, -0.5}, {0, 0}),
    ROW(huber, 2, {NOT, 0}, NOT, {NOT, 0}, {NOT, 0.5}),
    ROW(absolute_error, 3, {0, -2, NOT}, NOT, {0, -1.0 / 3, NOT}, {SKIP, SKIP, SKIP}),
    ROW(squared_error, 2, {0, INF}, INF, {0, INF}, {1, 1}),
    ROW(clip, 6, {-1, 1, 0, 2, -INF, INF}, 1, {1, 1, 1, 0, 0, 0}, {SKIP}),
    ROW(clip, 2, {NOT, 0.5}, NOT, {NOT, 1}, {SKIP}),
    ROW(maximum_left, 4, {0, NOT, 1, -1}, NOT, {1, NOT, 1, 0}, {SKIP}),
    ROW(minimum_right, 4, {2, NOT, 1, 3}, NOT, {0, NOT, 1, 0}, {SKIP}),
    ROW(max, 4, {1, 3, 3, -INF}, 3, {0, 0.5, 0.5, 0}, {SKIP}),
    ROW(max, 3, {1, NOT, INF}, NOT, {NOT, NOT, NOT}, {SKIP}),
    ROW(min, 4, {1, 1, 3, INF}, 1, {0.5, 0.5, 0, 0}, {SKIP}),
    ROW(min, 3, {1, NOT, INF}, NOT, {NOT, NOT, NOT}, {SKIP}),
    ROW(logsumexp, 3, {0, -INF, 0}, 0.693147180559945, {0.5, 0, 0.5}, {0, 0, 0}),
    ROW(logsumexp, 2, {-1e3, -1e3}, -999.306852819440, {0.5, 0.5}, {0, 0}),
    ROW(logsumexp, 2, {NOT, 0}, NOT, {NOT, NOT}, {SKIP}),
    ROW(cumsum, 3, {1, 2, 4}, 11, {3, 2, 1}, {SKIP}),
    ROW(cumsum, 3, {1, INF, -INF}, NOT, {3, 2, 1}, {SKIP}),
    ROW(cumsum_behind, 3, {1, 2, 4}, 10, {0, 1, 2}, {SKIP}),
    ROW(cumprod, 3, {1, 0, 2}, 1, {1, 3, 0}, {3, 4, 1}),
    ROW(cumprod, 3, {0, 2, 3}, 0, {9, 0, 0}, {6, 4, 2}),
    ROW(cumprod, 3, {2, 3, 0}, 8, {4, 2, 6}, {4, 3, 5}),
    ROW(cumprod, 4, {2, 0, 0, 3}, 2, {1, 2, 0, 0}, {SKIP}),
    ROW(cumprod, 4, {2, 0, 3, 4}, 2, {1, 32, 0, 0}, {SKIP}),
    ROW(cumprod, 2, {2, INF}, INF, {INF, 2}, {SKIP}),
    ROW(cumprod, 3, {2, NOT, 3}, NOT, {NOT, 8, NOT}, {SKIP}),
    ROW(cumprod_before, 3, {2, 0, 3}, 3, {1, 2, 0}, {1, 1, 0}),
    ROW(cumprod_back, 3, {2, 0, 1}, 1, {0, 3, 1}, {1, 4, 3}),
    ROW(cummax, 5, {1, 3, 3, 2, 5}, 15, {1, 3, 0, 0, 1}, {SKIP}),
    ROW(cummax, 3, {-INF, -INF, 1}, -INF, {2, 0, 1}, {SKIP}),
    ROW(cummax, 4, {1, NOT, INF, 0}, NOT, {1, NOT, NOT, NOT}, {SKIP}),
    ROW(cummax, 2, {-0.0, 0.0}, 0, {2, 0}, {SKIP}),
    ROW(cummax_before, 3, {1, 3, 2}, -INF, {1, 1, 0}, {SKIP}),
    ROW(cummax_before, 4, {1, NOT, 2, NOT}, NOT, {1, NOT, NOT, 0}, {SKIP}),
    ROW(cummin_back, 4, {1, 2, 1, INF}, INF, {0, 0, 3, 1}, {SKIP}),
    ROW(softmax_first, 3, {0, -INF, 0}, 0.5, {0.25, 0, -0.25}, {SKIP}),
    ROW(softmax_first, 2, {0, NOT}, NOT, {NOT, NOT}, {SKIP}),
    ROW(log_softmax_first, 3, {0, -INF, 0}, -0.693147180559945, {0.5, 0, -0.5}, {SKIP}),
    ROW(rem_divisor, 2, {2.25, -2.25}, 0.5, {-2, 4}, {SKIP}),
    ROW(rem_dividend, 2, {7, -7.5}, -0.5, {1, 1}, {SKIP}),
    ROW(power, 2, {0, 1}, NOT, {NOT, NOT}, {SKIP}),
    ROW(label_inside, 3, {0, 0, -INF}, 0.693147180559945, {0.5, -0.5, 0}, {SKIP}),
    ROW(label_outside, 2, {0, 0}, NOT, {NOT, NOT}, {SKIP}),
};

static sn_status value_and_gradients(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                     void *user) {
  const edge *r = user;
  sn_tensor *y = r->function(c, in[0]);
  out[0] = sn_sum(y);
  sn_gradients(out[0], in, 1, &out[1]);
  out[2] = zero(in[0]);
  if (r->second[0] != SKIP) sn_gradients(sn_sum(out[1]), in, 1, &out[2]);
  return sn_pending_error(c);
}

static void check_number(const edge *r, const char *what, int i, double given, double wanted,
                         sn_dtype dtype) {
  if (wanted == SKIP) return;
  const double tolerance = dtype == SN_F32 ? 2e-5 : 1e-7;
  const bool same = given == wanted || (isnan(given) && isnan(wanted)) ||
                    fabs(given - wanted) <= tolerance * fabs(wanted);
  ck_assert_msg(same, "%s %s: %s %d is %.15g, expected %.15g", r->name, sn_dtype_name(dtype), what,
                i, given, wanted);
}

static double element(const sn_view *view, int i) {
  return view->dtype == SN_F32 ? (double)((const float *)view->data)[i]
                               : ((const double *)view->data)[i];
}

static void check_edge(const edge *r, sn_dtype dtype) {
  sn_view first[3];
  for (int run = 0; run < 2 * n_tiers; run++) {  // called, then op by op
    sn_context *c = tiers[run / 2];
    SN_SCOPE(c);
    sn_tensor *x = sn_cast(sn_constant(c, SN_F64, SN_SHAPE(r->n), r->x), dtype), *out[3];
    sn_function *f = sn_function_create(c, value_and_gradients, .user = (void *)(uintptr_t)r,
                                        .inputs = 1, .outputs = 3);
    const sn_status status = run % 2 ? sn_call_eager(f, &x, 1, out, 3) : sn_call(f, &x, 1, out, 3);
    ck_assert_msg(!status, "%s: %s", r->name, sn_error_message(c));
    for (int k = 0; k < 3; k++) {
      const sn_shape shape = k ? SN_SHAPE(r->n) : SN_SCALAR;
      sn_view view = new_view(dtype, &shape);
      ck_assert_int_eq(sn_read(out[k], view.data, (size_t)sn_size(out[k]) * sn_dtype_size(dtype)),
                       SN_OK);
      for (int i = 0; i < (k ? r->n : 1); i++)
        check_number(r,
                     k == 0   ? "value"
                     : k == 1 ? "gradient"
                              : "second derivative",
                     i, element(&view, i),
                     k == 0   ? r->value
                     : k == 1 ? r->gradient[i]
                              : r->second[i],
                     dtype);
      if (run == 0) {
        first[k] = view;
      } else {
        check_same(&view, &first[k], r->name, "another mode");
        free(view.data);
      }
    }
    sn_function_destroy(f);
  }
  free_views(first, 3);
}

START_TEST(edges_are_right) {
  check_edge(&edges[_i], SN_F32);
  check_edge(&edges[_i], SN_F64);
}
END_TEST

// ---- what only moves elements keeps their bits: payloads of NaN, signs of zeros, denormals

static sn_status moves(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = in[0], *columns = sn_transpose(x), *parts[2] = {columns, columns};
  sn_tensor *order = sn_constant(c, SN_I32, SN_SHAPE(4), ((int32_t[]){2, 0, 3, 1}));
  out[0] = sn_concat(parts, 2, 0);
  out[1] = sn_gather(columns, order);
  out[2] = sn_pad(columns, (int64_t[]){0}, (int64_t[]){4}, 1, 0);
  out[3] = sn_where(in[1], x, sn_slice(x, (sn_range_spec[]){SN_RANGE(SN_END, SN_END, -1)}, 1));
  return sn_pending_error(c);
}

START_TEST(moves_keep_every_bit) {
  enum { rows = 2, columns = 4, n = rows * columns, n_out = 4 };
  static const uint32_t bits[rows][columns] = {{0x7fc12345, 0xffc00001, 0x7f800001, 0xffffffff},
                                               {0x80000000, 1, 0x807fffff, 0x7f800000}};
  static const bool yes[n] = {true, false, true, false, false, true, true, false};
  static const int order[columns] = {2, 0, 3, 1};
  for (int run = 0; run < 2 * n_tiers; run++) {
    sn_context *c = tiers[run / 2];
    SN_SCOPE(c);
    sn_function *f = sn_function_create(c, moves, .inputs = 2, .outputs = n_out);
    sn_tensor *in[2] = {sn_constant(c, SN_F32, SN_SHAPE(rows, columns), bits),
                        sn_constant(c, SN_BOOL, SN_SHAPE(rows, columns), yes)},
              *out[n_out];
    ck_assert_int_eq(run % 2 ? sn_call_eager(f, in, 2, out, n_out) : sn_call(f, in, 2, out, n_out),
                     SN_OK);
    uint32_t y[n_out][2 * n];
    for (int k = 0; k < n_out; k++)
      ck_assert_int_eq(sn_read(out[k], y[k], sizeof(uint32_t) * (size_t)sn_size(out[k])), SN_OK);
    for (int i = 0; i < n; i++) {
      const int row = i / rows, column = i % rows;  // of the transposed
      ck_assert_uint_eq(y[0][i], bits[column][row]);
      ck_assert_uint_eq(y[0][n + i], bits[column][row]);
      ck_assert_uint_eq(y[1][i], bits[column][order[row]]);
      ck_assert_uint_eq(y[2][i], bits[column][row]);
      ck_assert_uint_eq(y[3][i], bits[yes[i] ? i / columns : 1 - i / columns][i % columns]);
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- steps of every size: one element is left, the first or the last

static sn_status far_slices(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int64_t step = *(const int64_t *)user;
  const sn_range_spec far = SN_RANGE(step < 0 ? SN_END : 0, SN_END, step);
  const sn_range_spec both[2] = {far, far}, columns[2] = {SN_ALL, far};
  sn_tensor *x = in[0], *rows = sn_slice(x, &far, 1);
  out[0] = sn_neg(rows);
  out[1] = sn_neg(sn_slice(sn_transpose(x), &far, 1));
  out[2] = sn_exp(sn_slice(sn_slice(x, both, 2), both, 2));
  sn_tensor *parts[2] = {sn_slice(x, columns, 2), sn_slice(sn_mul(x, x), columns, 2)};
  out[3] = sn_concat(parts, 2, 1);
  out[4] = sn_sum(sn_mul(rows, rows));
  out[5] = sn_matmul(rows, sn_transpose(rows));
  out[6] = sn_pad(rows, (int64_t[]){1, 0}, (int64_t[]){0, 1}, 2, 7);
  sn_gradients(sn_add(out[4], sn_sum(sn_exp(sn_slice(x, both, 2)))), in, 1, &out[7]);
  return sn_pending_error(c);
}

static void check_far_slices(int64_t step, bool symbolic) {
  enum { n_out = 8, rows = 2, columns = 3 };
  const sn_spec any = {SN_F64, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)};
  const double data[rows][columns] = {{1, 2, 3}, {4, 5, 6}};
  const int i = step < 0 ? rows - 1 : 0, j = step < 0 ? columns - 1 : 0;
  for (int run = 0; run < 2 * n_tiers; run++) {
    sn_context *c = tiers[run / 2];
    SN_SCOPE(c);
    sn_function *f = sn_function_create(c, far_slices, .user = &step, .inputs = 1, .outputs = n_out,
                                        .specs = symbolic ? &any : NULL);
    sn_tensor *x = sn_constant(c, SN_F64, SN_SHAPE(rows, columns), data), *out[n_out];
    const sn_status status =
        run % 2 ? sn_call_eager(f, &x, 1, out, n_out) : sn_call(f, &x, 1, out, n_out);
    ck_assert_msg(!status, "step %lld: %s", (long long)step, sn_error_message(c));
    double y[n_out][8];
    for (int k = 0; k < n_out; k++) {
      ck_assert_int_le(sn_size(out[k]), 8);
      ck_assert_int_eq(sn_read(out[k], y[k], 8 * (size_t)sn_size(out[k])), SN_OK);
    }
    double squares = 0;
    for (int k = 0; k < columns; k++) {
      ck_assert_double_eq(y[0][k], -data[i][k]);
      squares += data[i][k] * data[i][k];
    }
    for (int k = 0; k < rows; k++) {
      ck_assert_double_eq(y[1][k], -data[k][j]);
      ck_assert_double_eq(y[3][2 * k], data[k][j]);
      ck_assert_double_eq(y[3][2 * k + 1], data[k][j] * data[k][j]);
    }
    ck_assert_double_eq_tol(y[2][0], exp(data[i][j]), 1e-9);
    ck_assert_double_eq(y[4][0], squares);
    ck_assert_double_eq(y[5][0], squares);
    for (int k = 0; k < 8; k++)
      ck_assert_double_eq(y[6][k], k / 4 && k % 4 < 3 ? data[i][k % 4] : 7);
    for (int r = 0; r < rows; r++)
      for (int k = 0; k < columns; k++)
        ck_assert_double_eq_tol(y[7][columns * r + k],
                                r == i ? 2 * data[r][k] + (k == j ? exp(data[r][k]) : 0) : 0, 1e-9);
    sn_function_destroy(f);
  }
}

START_TEST(steps_of_every_size) {
  static const int64_t huge[] = {
      6,        INT32_MAX, INT64_C(1) << 40, INT64_C(1) << 59, INT64_C(1) << 60, INT64_C(1) << 62,
      INT64_MAX};
  for (size_t k = 0; k < SNI_COUNT_OF(huge); k++)
    for (int symbolic = 0; symbolic < 2; symbolic++) {
      check_far_slices(huge[k], symbolic);
      check_far_slices(-huge[k], symbolic);
    }
  check_far_slices(INT64_MIN, true);
}
END_TEST

// ---- divisors that are known when code is made
static const int32_t divisors[] = {1, -1, 2, -2, 3, 7, 200, -640, 65536, INT32_MAX, INT32_MIN, 0};
enum { n_divisors = (int)SNI_COUNT_OF(divisors), n_dividends = 19 };

static sn_status divide_by_all(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  for (int i = 0; i < n_divisors; i++) {
    out[2 * i] = sn_floor_div_scalar(in[0], divisors[i]);
    out[2 * i + 1] = sn_floor_mod_scalar(in[0], divisors[i]);
  }
  return sn_pending_error(c);
}

static int64_t floor_of(int64_t x, int64_t y) {
  return x / y - (x % y != 0 && (x < 0) != (y < 0));
}

START_TEST(known_divisors_divide_exactly) {
  const sn_dtype dtype = _i ? SN_I64 : SN_I32;
  int64_t x[n_dividends] = {0,   1,    -1,      2,        5,     -7,     199,
                            200, -200, 1234567, -7654321, 65535, -65536, 640};
  for (int k = 14; k < n_dividends; k++) x[k] = _i ? INT64_MAX / k : INT32_MAX / (k - 13);
  x[n_dividends - 1] = _i ? INT64_MIN + 1 : INT32_MIN + 1;
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    SN_SCOPE(c);
    sn_function *f = sn_function_create(c, divide_by_all, .inputs = 1, .outputs = 2 * n_divisors);
    sn_tensor *in = sn_cast(sn_constant(c, SN_I64, SN_SHAPE(n_dividends), x), dtype);
    sn_tensor *got[2 * n_divisors], *expected[2 * n_divisors];
    call_both(c, f, &in, 1, got, expected, 2 * n_divisors);
    for (int i = 0; i < n_divisors; i++) {
      int64_t quotients[n_dividends], rests[n_dividends];
      ck_assert_msg(same_bits(got[2 * i], expected[2 * i]), "/ %d", divisors[i]);
      ck_assert_msg(same_bits(got[2 * i + 1], expected[2 * i + 1]), "%% %d", divisors[i]);
      ck_assert(!sn_read(sn_cast(got[2 * i], SN_I64), quotients, sizeof quotients));
      ck_assert(!sn_read(sn_cast(got[2 * i + 1], SN_I64), rests, sizeof rests));
      for (int k = 0; divisors[i] && k < n_dividends; k++) {
        ck_assert_int_eq(quotients[k], floor_of(x[k], divisors[i]));
        const uint64_t multiple = (uint64_t)floor_of(x[k], divisors[i]) * (uint64_t)divisors[i];
        ck_assert_int_eq(rests[k], (int64_t)((uint64_t)x[k] - multiple));
      }
    }
    sn_function_destroy(f);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("edges");
  TCase *tests = tcase_create("edges");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, steps_of_every_size);
  tcase_add_test(tests, moves_keep_every_bit);
  tcase_add_loop_test(tests, known_divisors_divide_exactly, 0, 2);
  tcase_add_loop_test(tests, edges_are_right, 0, (int)SNI_COUNT_OF(edges));
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
