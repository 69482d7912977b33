// Reductions, products, indices and neural networks in eager mode against plain C in double (integers: exactly), over
// dtypes, broadcasting, sizes 0 and 1.
#include "ops_eager.h"

// ---- reductions
typedef struct reduction {
  const char *name;
  sn_tensor *(*op)(sn_tensor *, const sn_reduce_options *);
  double (*reference)(const double *x, int n);
  int kinds;
  double low, high, units;
} reduction;

static double q_sum(const double *x, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += x[i];
  return s;
}
static double q_mean(const double *x, int n) {
  return q_sum(x, n) / n;
}
static double q_prod(const double *x, int n) {
  double p = 1;
  for (int i = 0; i < n; i++) p *= x[i];
  return p;
}
static double q_max(const double *x, int n) {
  double m = -INFINITY;
  for (int i = 0; i < n; i++) m = b_max(m, x[i]);
  return m;
}
static double q_min(const double *x, int n) {
  double m = INFINITY;
  for (int i = 0; i < n; i++) m = b_min(m, x[i]);
  return m;
}
static double q_var(const double *x, int n) {
  double m = q_mean(x, n), s = 0;
  for (int i = 0; i < n; i++) s += (x[i] - m) * (x[i] - m);
  return s / n;
}
static double q_std(const double *x, int n) {
  return sqrt(q_var(x, n));
}
static double q_logsumexp(const double *x, int n) {
  double m = q_max(x, n), s = 0;
  for (int i = 0; i < n; i++) s += exp(x[i] - m);
  return m + log(s);
}

static const reduction reductions[] = {
    {"sum", sn_sum_opts, q_sum, F | I, 1, 9, 16},
    {"mean", sn_mean_opts, q_mean, F, 1, 9, 16},
    {"prod", sn_prod_opts, q_prod, F, 0.9, 1.1, 64},
    {"prod (integers)", sn_prod_opts, q_prod, I, 1, 2, 0},
    {"max", sn_max_opts, q_max, F | I, -9, 9, 0},
    {"min", sn_min_opts, q_min, F | I, -9, 9, 0},
    {"all", sn_all_opts, q_min, B, -1, 0.2, 0},
    {"any", sn_any_opts, q_max, B, -0.2, 1, 0},
    {"var", sn_var_opts, q_var, F, 1, 9, 64},
    {"std", sn_std_opts, q_std, F, 1, 9, 64},
    {"logsumexp", sn_logsumexp_opts, q_logsumexp, F, 1, 9, 16},
};

// Over the axes in mask of a [d0, d1, d2] tensor.
static void check_reduction(const reduction *r, sn_dtype dtype, const sn_shape *shape, int mask) {
  static double x[room], y[room], row[room];
  sn_tensor *t = make(dtype, *shape, r->low, r->high, x);
  sn_shape kept = *shape, dropped = {0};
  sn_reduce_options options = {.size = sizeof(options)};
  for (int i = 0; i < 3; i++)
    if (mask >> i & 1) {
      kept.dims[i] = 1;
      options.axes.axis[options.axes.count++] = i - (i == 1 ? 3 : 0);
    } else {
      dropped.dims[dropped.rank++] = shape->dims[i];
    }
  const int64_t *d = shape->dims;
  for (int64_t o = 0; o < count(&kept); o++) {
    int n = 0;
    for (int64_t i = 0; i < d[0]; i++)
      for (int64_t j = 0; j < d[1]; j++)
        for (int64_t k = 0; k < d[2]; k++) {
          int64_t to = ((mask & 1 ? 0 : i) * kept.dims[1] + (mask & 2 ? 0 : j)) * kept.dims[2] +
                       (mask & 4 ? 0 : k);
          if (to == o) row[n++] = x[(i * d[1] + j) * d[2] + k];
        }
    y[o] = r->reference(row, n);
    y[o] = fit(dtype, y[o]);
  }
  double tolerance = tolerance_of(dtype, r->units);
  check(r->name, r->op(t, &options), &dropped, y, tolerance);
  options.keepdims = true;
  check(r->name, r->op(t, &options), &kept, y, tolerance);
}

START_TEST(reduce_op) {
  const reduction *r = &reductions[_i];
  const sn_shape cases[] = {{3, {2, 3, 5}}, {3, {1, 1, 1}}, {3, {3, 1, 70}}, {3, {130, 2, 1}}};
  for (int d = 0; d < SN_DTYPE_COUNT; d++)
    for (int s = 0; s < 4; s++)
      for (int mask = 1; mask < 8; mask++) {
        SN_SCOPE(ctx);
        if (has(r->kinds, (sn_dtype)d)) check_reduction(r, (sn_dtype)d, &cases[s], mask);
      }
}
END_TEST

START_TEST(reductions_of_scalars_and_nothing) {
  EXPECT(sn_sum(F32(SN_SCALAR, 3)), SN_SCALAR, 3);
  EXPECT(sn_mean(F32(SN_SCALAR, 3)), SN_SCALAR, 3);
  EXPECT(sn_max(I32(SN_SCALAR, 3), .keepdims = true), SN_SCALAR, 3);
  sn_tensor *none = sn_zeros(ctx, SN_F32, SN_SHAPE(2, 0));
  EXPECT(sn_sum(none, .axes = SN_AXES(1)), SN_SHAPE(2), 0, 0);
  EXPECT(sn_prod(none, .axes = SN_AXES(1)), SN_SHAPE(2), 1, 1);
  EXPECT(sn_mean(none, .axes = SN_AXES(1)), SN_SHAPE(2), NAN, NAN);
  EXPECT(sn_max(none, .axes = SN_AXES(1)), SN_SHAPE(2), -INFINITY, -INFINITY);
  EXPECT(sn_min(sn_zeros(ctx, SN_I32, SN_SHAPE(0))), SN_SCALAR, INT32_MAX);
  EXPECT(sn_sum(none, .axes = SN_AXES(0)), SN_SHAPE(0), 0);
  EXPECT(sn_sum(none), SN_SCALAR, 0);
  EXPECT(sn_all(sn_zeros(ctx, SN_BOOL, SN_SHAPE(0))), SN_SCALAR, 1);
  EXPECT(sn_any(sn_zeros(ctx, SN_BOOL, SN_SHAPE(0))), SN_SCALAR, 0);
  EXPECT(sn_max(F32(SN_SHAPE(3), 1, NAN, 2)), SN_SCALAR, NAN);
  EXPECT(sn_logsumexp(F32(SN_SHAPE(2), -INFINITY, -INFINITY)), SN_SCALAR, -INFINITY);
  EXPECT(sn_logsumexp(F32(SN_SHAPE(2), INFINITY, 1)), SN_SCALAR, INFINITY);
  EXPECT_NEAR(sn_logsumexp(F32(SN_SHAPE(2), 1000, 1000)), SN_SCALAR, 1e-6, 1000 + log(2));
}
END_TEST

START_TEST(arg_extremes) {
  sn_tensor *t = F32(SN_SHAPE(2, 4), 1, 5, 5, 2, 7, -1, 7, -1);
  EXPECT(sn_argmax(t, 1), SN_SHAPE(2), 1, 0);
  EXPECT(sn_argmin(t, -1), SN_SHAPE(2), 0, 1);
  EXPECT(sn_argmax(t, 0), SN_SHAPE(4), 1, 0, 1, 0);
  ck_assert_int_eq(sn_dtype_of(sn_argmax(t, 0)), SN_I32);
  EXPECT(sn_argmax(F32(SN_SHAPE(4), 1, NAN, 9, NAN), 0), SN_SCALAR, 1);
  EXPECT(sn_argmin(F64(SN_SHAPE(3), 1, 0, NAN), 0), SN_SCALAR, 2);
  EXPECT(sn_argmax(I64(SN_SHAPE(3), -5, -3, -3), 0), SN_SCALAR, 1);
  EXPECT(sn_argmax(F32(SN_SHAPE(2), -INFINITY, -INFINITY), 0), SN_SCALAR, 0);
  ck_assert(sn_failed(sn_argmax(sn_zeros(ctx, SN_F32, SN_SHAPE(0)), 0)));
  expect_error(SN_ERR_SHAPE, "f32[0], expected 1 to 2147483647 elements");
}
END_TEST

// ---- matrix products
typedef struct product {
  sn_shape a, b, y;
} product;
static const product products[] = {
    {{2, {2, 3}}, {2, {3, 4}}, {2, {2, 4}}},
    {{1, {3}}, {1, {3}}, {0, {0}}},
    {{1, {3}}, {2, {3, 4}}, {1, {4}}},
    {{2, {2, 3}}, {1, {3}}, {1, {2}}},
    {{3, {5, 2, 3}}, {2, {3, 4}}, {3, {5, 2, 4}}},
    {{2, {2, 3}}, {3, {5, 3, 4}}, {3, {5, 2, 4}}},
    {{3, {5, 2, 3}}, {3, {5, 3, 4}}, {3, {5, 2, 4}}},
    {{3, {5, 2, 3}}, {1, {3}}, {2, {5, 2}}},
    {{1, {3}}, {3, {5, 3, 4}}, {2, {5, 4}}},
    {{4, {2, 1, 2, 3}}, {3, {3, 3, 4}}, {4, {2, 3, 2, 4}}},
    {{2, {2, 0}}, {2, {0, 3}}, {2, {2, 3}}},
    {{2, {0, 3}}, {2, {3, 2}}, {2, {0, 2}}},
    {{2, {1, 1}}, {2, {1, 1}}, {2, {1, 1}}},
    {{2, {17, 33}}, {2, {33, 19}}, {2, {17, 19}}},
};

// y[batch..., m, n] by the definition, operands padded to rank 4.
static void reference_product(const product *p, const double *a, const double *b, double *y) {
  int64_t da[4] = {1, 1, 1, 1}, db[4] = {1, 1, 1, 1}, batch[2];
  for (int i = 0; i < p->a.rank; i++) da[4 - p->a.rank + i] = p->a.dims[i];
  if (p->b.rank == 1) db[2] = p->b.dims[0];
  for (int i = 0; p->b.rank > 1 && i < p->b.rank; i++) db[4 - p->b.rank + i] = p->b.dims[i];
  for (int i = 0; i < 2; i++) batch[i] = da[i] > db[i] ? da[i] : db[i];
  int64_t m = da[2], k = da[3], n = db[3], at = 0;
  for (int64_t i = 0; i < batch[0]; i++)
    for (int64_t j = 0; j < batch[1]; j++)
      for (int64_t r = 0; r < m; r++)
        for (int64_t c = 0; c < n; c++) {
          int64_t ba = (da[0] > 1 ? i : 0) * da[1] + (da[1] > 1 ? j : 0);
          int64_t bb = (db[0] > 1 ? i : 0) * db[1] + (db[1] > 1 ? j : 0);
          double s = 0;
          for (int64_t l = 0; l < k; l++) s += a[(ba * m + r) * k + l] * b[(bb * k + l) * n + c];
          y[at++] = s;
        }
}

START_TEST(matmuls) {
  const product *p = &products[_i];
  static double a[room], b[room], y[room];
  for (int d = SN_BOOL + 1; d < SN_DTYPE_COUNT; d++) {
    if (sni_is_complex((sn_dtype)d)) continue;
    sn_tensor *ta = make((sn_dtype)d, p->a, 1, 9, a), *tb = make((sn_dtype)d, p->b, 1, 9, b);
    reference_product(p, a, b, y);
    for (int64_t i = 0; i < count(&p->y); i++) y[i] = fit((sn_dtype)d, y[i]);
    check("matmul", sn_matmul(ta, tb), &p->y, y, tolerance_of((sn_dtype)d, 64));
  }
}
END_TEST

// ---- indices
START_TEST(indices) {
  EXPECT(sn_one_hot(I32(SN_SHAPE(3), 2, 0, 5), 3, SN_F32), SN_SHAPE(3, 3), 0, 0, 1, 1, 0, 0, 0, 0,
         0);
  EXPECT(sn_one_hot(I64(SN_SCALAR, 1), 2, SN_BOOL), SN_SHAPE(2), 0, 1);
  EXPECT(sn_one_hot(I32(SN_SHAPE(1), -1), 2, SN_I64), SN_SHAPE(1, 2), 0, 0);
  sn_tensor *x = F32(SN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_gather(x, I32(SN_SHAPE(2, 2), 2, 0, 1, 1)), SN_SHAPE(2, 2, 2), 5, 6, 1, 2, 3, 4, 3, 4);
  EXPECT(sn_gather(x, I64(SN_SCALAR, 1)), SN_SHAPE(2), 3, 4);
  EXPECT(sn_gather(x, sn_zeros(ctx, SN_I32, SN_SHAPE(0))), SN_SHAPE(0, 2), 0);
  sn_tensor *updates = F32(SN_SHAPE(3, 2), 10, 20, 30, 40, 50, 60);
  EXPECT(sn_scatter_add(x, I32(SN_SHAPE(3), 0, 2, 0), updates), SN_SHAPE(3, 2), 61, 82, 3, 4, 35,
         46);
  EXPECT(x, SN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  sn_gather(x, I32(SN_SHAPE(2), 0, 3));
  expect_error(SN_ERR_INDEX, "sn_gather");
  sn_gather(x, I64(SN_SHAPE(1), -1));
  expect_error(SN_ERR_INDEX, "must be in [0, 3)");
  sn_scatter_add(x, I32(SN_SHAPE(3), 0, 3, 0), updates);
  expect_error(SN_ERR_INDEX, "sn_scatter_add");
  EXPECT(sn_gather(x, I32(SN_SHAPE(1), 2)), SN_SHAPE(1, 2), 5, 6);
}
END_TEST

// ---- neural networks
START_TEST(softmaxes) {
  static double x[room], y[room];
  for (int d = SN_F32; d <= SN_F64; d++)
    for (int axis = 0; axis < 2; axis++) {
      sn_shape shape = SN_SHAPE(3, 4);
      sn_tensor *t = make((sn_dtype)d, shape, -5, 5, x);
      int64_t stride = axis ? 1 : 4, n = axis ? 4 : 3;
      double log_y[12];
      for (int64_t i = 0; i < 12; i++) {
        double row[4];
        int64_t base = axis ? i / 4 * 4 : i % 4;
        for (int64_t k = 0; k < n; k++) row[k] = x[base + k * stride];
        log_y[i] = x[i] - q_logsumexp(row, (int)n);
        y[i] = exp(log_y[i]);
      }
      check("softmax", sn_softmax(t, axis - 2), &shape, y, tolerance_of((sn_dtype)d, 16));
      check_above(1, "log_softmax", sn_log_softmax(t, axis), &shape, log_y,
                  tolerance_of((sn_dtype)d, 16));
    }
  EXPECT(sn_softmax(F32(SN_SHAPE(2), 1e30f, 1e30f), 0), SN_SHAPE(2), 0.5, 0.5);
  EXPECT(sn_log_softmax(F32(SN_SHAPE(2), 0, 1e30f), 0), SN_SHAPE(2), (double)-1e30f, 0);
}
END_TEST

START_TEST(losses) {
  sn_tensor *logits = F64(SN_SHAPE(3, 3), 1, 2, 3, 0, 0, 0, -1000, 1000, 0);
  sn_tensor *loss = sn_sparse_softmax_cross_entropy(logits, I32(SN_SHAPE(3), 0, 2, 1));
  EXPECT_NEAR(loss, SN_SHAPE(3), 1e-14, 2 + log(1 + exp(-1) + exp(-2)), log(3), 0);
  EXPECT_NEAR(sn_sparse_softmax_cross_entropy(logits, I64(SN_SHAPE(3), 3, -1, 0)), SN_SHAPE(3),
              1e-14, NAN, NAN, 2000);
  sn_tensor *p = F32(SN_SHAPE(4), 1, 2, 3, 4), *t = F32(SN_SHAPE(4), 1.5, 2, 0, 8);
  EXPECT(sn_huber_loss(p, t, 1), SN_SCALAR, (0.125 + 0 + 2.5 + 3.5) / 4);
  EXPECT(sn_huber_loss(p, t, 2), SN_SCALAR, (0.125 + 0 + 4 + 6) / 4);
  EXPECT(sn_mean_squared_error(p, t), SN_SCALAR, (0.25 + 0 + 9 + 16) / 4);
  EXPECT(sn_mean_absolute_error(p, t), SN_SCALAR, (0.5 + 0 + 3 + 4) / 4);
  EXPECT(sn_mean_squared_error(p, F32(SN_SCALAR, 0)), SN_SCALAR, 7.5);
}
END_TEST

START_TEST(one_true_element_is_enough) {
  static const int positions[] = {0, 63, 64, 199};
  for (int i = 0; i < 4; i++) {
    uint8_t data[200] = {0};
    data[positions[i]] = 1;
    EXPECT(sn_any((sn_constant)(ctx, SN_BOOL, SN_SHAPE(200), data)), SN_SCALAR, 1);
  }
}
END_TEST

int main(void) {
  TCase *c = tcase_create("ops_eager_sums");
  tcase_add_checked_fixture(c, setup_seeded, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, reduce_op, 0, (int)(sizeof(reductions) / sizeof(reductions[0])));
  tcase_add_test(c, reductions_of_scalars_and_nothing);
  tcase_add_test(c, arg_extremes);
  tcase_add_loop_test(c, matmuls, 0, (int)(sizeof(products) / sizeof(products[0])));
  tcase_add_test(c, indices);
  tcase_add_test(c, softmaxes);
  tcase_add_test(c, losses);
  tcase_add_test(c, one_true_element_is_enough);
  return run_cases("ops_eager_sums", &c, 1);
}
