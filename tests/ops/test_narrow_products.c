// Products of storage dtypes, and of a wider result: against sums of 64 bits or of f64, op by op, on the
// interpreter and compiled, to the bit; what a cast written by hand gives is the same, and gradients.
#include "tests/ops/modes_harness.h"

#include "graph/graph.h"

static sn_context *eager;

typedef struct shape {
  int64_t m, k, n;
} shape;

// What is emitted, streamed, tiled; what is a sum.
static const shape shapes[] = {{3, 5, 4}, {1, 40, 70},  {8, 33, 160},  {40, 21, 1},
                               {5, 1, 9}, {37, 65, 51}, {6, 1100, 24}, {70, 40, 130}};

typedef struct pairing {
  sn_dtype operand, result;
} pairing;

static const pairing pairings[] = {
    {SN_I8, SN_I8},   {SN_I8, SN_I16},   {SN_I8, SN_I32},    {SN_I8, SN_I64},  {SN_U8, SN_U8},
    {SN_U8, SN_I16},  {SN_U8, SN_I32},   {SN_I16, SN_I16},   {SN_I16, SN_I32}, {SN_U16, SN_I32},
    {SN_U16, SN_U32}, {SN_I32, SN_I64},  {SN_U32, SN_U64},   {SN_F16, SN_F16}, {SN_F16, SN_F32},
    {SN_F16, SN_F64}, {SN_BF16, SN_F32}, {SN_BF16, SN_BF16}, {SN_F32, SN_F64},
};

// ---- operands and what they give

static void fill(sn_dtype dtype, int64_t n, int side, void *to) {
  for (int64_t i = 0; i < n; i++) {
    const uint32_t h = hash_of((uint64_t)i, (uint64_t)side + 40);
    sni_scalar s = {dtype, {.i = (int64_t)(int32_t)h}};
    // sums of these are exact in f32
    if (sni_is_float(dtype)) s.f = ((int)(h % 17) - 8) * 0.25;
    sni_scalar_store(s, to, i);
  }
}

// The sum in i64, which wraps, or f64, as one of the result's dtype.
static sni_scalar expected(const pairing *p, const shape *s, const void *a, const void *b,
                           int64_t row, int64_t column) {
  uint64_t sum = 0;
  double real = s->k == 1 ? -0.0 : 0;  // one product is itself
  for (int64_t k = 0; k < s->k; k++) {
    const sni_scalar x = sni_scalar_load(p->operand, a, row * s->k + k);
    const sni_scalar y = sni_scalar_load(p->operand, b, k * s->n + column);
    if (sni_is_float(p->operand))
      real += x.f * y.f;
    else
      sum += (uint64_t)x.i * (uint64_t)y.i;
  }
  if (sni_is_float(p->result)) return sni_scalar_of(p->result, real);
  sni_scalar wrapped = {p->result, {.i = (int64_t)sum}};
  uint64_t bits = 0;
  sni_scalar_store(wrapped, &bits, 0);
  return sni_scalar_load(p->result, &bits, 0);
}

// user: the pairing.
static sn_status multiply(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const pairing *p = user;
  out[0] = sn_matmul(in[0], in[1], .result = p->result);
  out[1] = sn_matmul(sn_cast(in[0], p->result), sn_cast(in[1], p->result));
  return sn_pending_error(c);
}

static void check_values(const pairing *p, const shape *s, const void *a, const void *b,
                         sn_tensor *y, const char *what) {
  const size_t size = sn_dtype_size(p->result);
  char *got = malloc((size_t)(s->m * s->n) * size);
  ck_assert_int_eq(sn_dtype_of(y), p->result);
  ck_assert(!sn_read(y, got, (size_t)(s->m * s->n) * size));
  for (int64_t i = 0; i < s->m * s->n; i++) {
    const sni_scalar want = expected(p, s, a, b, i / s->n, i % s->n);
    const sni_scalar have = sni_scalar_load(p->result, got, i);
    ck_assert_msg(have.i == want.i, "%s: %s to %s, %lld x %lld x %lld: element %lld is %g, not %g",
                  what, sn_dtype_name(p->operand), sn_dtype_name(p->result), (long long)s->m,
                  (long long)s->k, (long long)s->n, (long long)i, sni_scalar_value(have),
                  sni_scalar_value(want));
  }
  free(got);
}

START_TEST(values) {
  const pairing *p = &pairings[_i];
  for (size_t i = 0; i < SNI_COUNT_OF(shapes); i++) {
    const shape *s = &shapes[i];
    const size_t size = sn_dtype_size(p->operand);
    char *a = malloc((size_t)(s->m * s->k) * size), *b = malloc((size_t)(s->k * s->n) * size);
    fill(p->operand, s->m * s->k, 0, a);
    fill(p->operand, s->k * s->n, 1, b);
    for (int t = -1; t < n_tiers; t++) {
      sn_context *c = t < 0 ? eager : tiers[t];
      SN_SCOPE(c);
      sn_tensor *in[2] = {sn_constant(c, p->operand, SN_SHAPE(s->m, s->k), a),
                          sn_constant(c, p->operand, SN_SHAPE(s->k, s->n), b)};
      sn_tensor *out[2];
      sn_function *f =
          sn_function_create(c, multiply, .user = (void *)(uintptr_t)p, .inputs = 2, .outputs = 2);
      const sn_status status = t < 0 ? sn_call_eager(f, in, 2, out, 2) : sn_call(f, in, 2, out, 2);
      ck_assert_msg(!status, "%s", sn_error_message(c));
      check_values(p, s, a, b, out[0], t < 0 ? "eager" : t ? "LLVM" : "interpreter");
      check_values(p, s, a, b, out[1], "by hand");
      sn_function_destroy(f);
    }
    free(a);
    free(b);
  }
}
END_TEST

// ---- ranks, views, symbolic sizes: as a product of what was cast, to the bit
static sn_status several(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  for (int i = 0; i < 2; i++) {
    sn_tensor *a = in[0], *b = in[1];
    if (i) a = sn_cast(a, SN_F32);
    if (i) b = sn_cast(b, SN_F32);
    sn_tensor *turned = sn_transpose(b);
    sn_tensor *vector = sn_index(b, 1, 2), *batch = sn_reshape(a, SN_SHAPE(2, -1, 12));
#define PRODUCT(x, y) (i ? sn_matmul(x, y) : sn_matmul(x, y, .result = SN_F32))
    out[5 * i] = PRODUCT(a, b);
    out[5 * i + 1] = PRODUCT(sn_transpose(a), sn_concat(((sn_tensor *[]){a, a}), 2, 1));
    out[5 * i + 2] = PRODUCT(a, vector);
    out[5 * i + 3] = PRODUCT(batch, b);
    out[5 * i + 4] = PRODUCT(turned, sn_transpose(a));
#undef PRODUCT
  }
  return sn_pending_error(c);
}

START_TEST(views_and_ranks) {
  static const sn_dtype dtypes[] = {SN_F16, SN_BF16};
  const sn_dtype dtype = dtypes[_i];
  for (int t = -1; t < n_tiers; t++) {
    sn_context *c = t < 0 ? eager : tiers[t];
    sn_function *f = sn_function_create(c, several, .inputs = 2, .outputs = 10);
    for (int64_t rows = 6; rows <= 46; rows += 20) {
      SN_SCOPE(c);
      sn_tensor *in[2] = {sn_cast(sn_random_normal(c, SN_F32, SN_SHAPE(rows, 12)), dtype),
                          sn_cast(sn_random_normal(c, SN_F32, SN_SHAPE(12, 17)), dtype)};
      sn_tensor *out[10];
      const sn_status status =
          t < 0 ? sn_call_eager(f, in, 2, out, 10) : sn_call(f, in, 2, out, 10);
      ck_assert_msg(!status, "%s", sn_error_message(c));
      for (int i = 0; i < 5; i++) {
        float got[2][46 * 46];
        const size_t bytes = (size_t)sn_size(out[i]) * sizeof(float);
        ck_assert_int_eq(sn_dtype_of(out[i]), SN_F32);
        ck_assert(!sn_read(out[i], got[0], bytes) && !sn_read(out[5 + i], got[1], bytes));
        ck_assert_msg(!memcmp(got[0], got[1], bytes), "result %d, tier %d", i, t);
      }
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- convolutions
static sn_status convolve(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const pairing *p = user;
  sn_tensor *x = sn_cast(in[0], p->result), *w = sn_cast(in[1], p->result);
  out[0] = sn_conv(in[0], in[1], .padding = SN_PADDING_SAME, .groups = 2, .result = p->result);
  out[1] = sn_conv(x, w, .padding = SN_PADDING_SAME, .groups = 2);
  x = sn_cast(in[2], p->result);
  out[2] = sn_conv_transpose(in[2], in[1], .strides = {2, 1}, .groups = 2, .result = p->result,
                             .data_format = SN_CHANNELS_FIRST);
  out[3] =
      sn_conv_transpose(x, w, .strides = {2, 1}, .groups = 2, .data_format = SN_CHANNELS_FIRST);
  return sn_pending_error(c);
}

START_TEST(convolutions) {
  const pairing *p = &pairings[_i];
  const sn_shape sizes[3] = {SN_SHAPE(2, 7, 6, 8), SN_SHAPE(3, 2, 4, 6), SN_SHAPE(1, 6, 5, 4)};
  char *data[3], *first[2] = {NULL, NULL};
  size_t bytes[2] = {0, 0};
  for (int i = 0; i < 3; i++) {
    data[i] = malloc((size_t)elements_of(&sizes[i]) * sn_dtype_size(p->operand));
    fill(p->operand, elements_of(&sizes[i]), i, data[i]);
  }
  for (int t = -1; t < n_tiers; t++) {
    sn_context *c = t < 0 ? eager : tiers[t];
    SN_SCOPE(c);
    sn_tensor *in[3], *out[4];
    for (int i = 0; i < 3; i++) in[i] = sn_constant(c, p->operand, sizes[i], data[i]);
    sn_function *f =
        sn_function_create(c, convolve, .user = (void *)(uintptr_t)p, .inputs = 3, .outputs = 4);
    const sn_status status = t < 0 ? sn_call_eager(f, in, 3, out, 4) : sn_call(f, in, 3, out, 4);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    for (int i = 0; i < 4; i++) {
      ck_assert_int_eq(sn_dtype_of(out[i]), p->result);
      const size_t n = (size_t)sn_size(out[i]) * sn_dtype_size(p->result);
      char *got = malloc(n);
      ck_assert(!sn_read(out[i], got, n));
      if (first[i / 2]) {
        ck_assert_uint_eq(n, bytes[i / 2]);
        ck_assert_msg(!memcmp(got, first[i / 2], n), "%s to %s: result %d, tier %d",
                      sn_dtype_name(p->operand), sn_dtype_name(p->result), i, t);
        free(got);
      } else {
        first[i / 2] = got;
        bytes[i / 2] = n;
      }
    }
    sn_function_destroy(f);
  }
  for (int i = 0; i < 3; i++) free(data[i]);
  for (int i = 0; i < 2; i++) free(first[i]);
}
END_TEST

// ---- gradients: of the operands' dtype, rounded once from sums in the result's
static sn_status gradients_of(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bool *image = user;
  sn_tensor *weights = in[2], *loss;
  if (*image)
    loss = sn_sum(sn_mul(sn_conv(in[0], in[1], .result = SN_F32), weights));
  else
    loss = sn_sum(sn_mul(sn_matmul(in[0], in[1], .result = SN_F32), weights));
  sn_gradients(loss, in, 2, out);
  sn_tensor *x = sn_cast(in[0], SN_F32), *w = sn_cast(in[1], SN_F32), *wide[2] = {x, w}, *g[2];
  loss = sn_sum(sn_mul(*image ? sn_conv(x, w) : sn_matmul(x, w), weights));
  sn_gradients(loss, wide, 2, g);
  for (int i = 0; i < 2; i++) out[2 + i] = sn_cast(g[i], sn_dtype_of(in[i]));
  return sn_pending_error(c);
}

START_TEST(gradients) {
  const sn_dtype dtype = _i & 1 ? SN_BF16 : SN_F16;
  bool image = _i / 2;
  uint16_t got[4][400], first[2][400];
  for (int t = -1; t < n_tiers; t++) {
    sn_context *c = t < 0 ? eager : tiers[t];
    SN_SCOPE(c);
    const sn_shape sizes[2][3] = {
        {SN_SHAPE(9, 33), SN_SHAPE(33, 5), SN_SHAPE(9, 5)},
        {SN_SHAPE(1, 7, 6, 3), SN_SHAPE(2, 3, 3, 4), SN_SHAPE(1, 6, 4, 4)}};
    sn_tensor *in[3], *out[4];
    for (int i = 0; i < 3; i++) {
      float numbers[400];
      const sn_shape *s = &sizes[image][i];
      for (int e = 0; e < elements_of(s); e++)
        numbers[e] = (float)((int)(hash_of((uint64_t)e, (uint64_t)i) % 2001) - 1000) / 500;
      in[i] = sn_constant(c, SN_F32, *s, numbers);
      if (i < 2) in[i] = sn_cast(in[i], dtype);
    }
    sn_function *f = sn_function_create(c, gradients_of, .user = &image, .inputs = 3, .outputs = 4);
    const sn_status status = t < 0 ? sn_call_eager(f, in, 3, out, 4) : sn_call(f, in, 3, out, 4);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    for (int i = 0; i < 4; i++) {
      const size_t bytes = (size_t)sn_size(out[i]) * 2;
      ck_assert_int_eq(sn_dtype_of(out[i]), dtype);
      ck_assert(!sn_read(out[i], got[i], bytes));
      if (t < 0 && i < 2) memcpy(first[i], got[i], bytes);
      ck_assert(!memcmp(got[i], first[i % 2], bytes));
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- what is refused
START_TEST(refusals) {
  static const struct {
    sn_dtype operand;
    int result;
    const char *message;
  } cases[] = {
      {SN_F32, SN_F16, "sn_matmul: .result is f16, which does not hold all numbers of operand #0"},
      {SN_F16, SN_BF16, "sn_matmul: .result is bf16, which does not hold"},
      {SN_BF16, SN_I32, "sn_matmul: .result is i32, which does not hold"},
      {SN_I8, SN_F32, "sn_matmul: .result is f32, which does not hold"},
      {SN_I8, SN_U32, "sn_matmul: .result is u32, which does not hold"},
      {SN_U16, SN_I16, "sn_matmul: .result is i16, which does not hold"},
      {SN_I32, SN_I8, "sn_matmul: .result is i8, which does not hold"},
      {SN_F32, SN_DTYPE_COUNT, "sn_matmul: .result is no dtype, which does not hold"},
      {SN_F32, -1, "sn_matmul: .result is no dtype, which does not hold"},
  };
  for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) {
    SN_SCOPE(eager);
    sn_tensor *a = sn_ones(eager, cases[i].operand, SN_SHAPE(2, 3));
    sn_tensor *b = sn_ones(eager, cases[i].operand, SN_SHAPE(3, 2));
    sn_tensor *y = sn_matmul(a, b, .result = (sn_dtype)cases[i].result);
    ck_assert(sn_failed(y));
    ck_assert_int_eq(sn_check(eager), SN_ERR_DTYPE);
    ck_assert_msg(strstr(sn_error_message(eager), cases[i].message), "%s", sn_error_message(eager));
  }
  SN_SCOPE(eager);
  sn_tensor *x = sn_ones(eager, SN_BF16, SN_SHAPE(1, 4, 2)),
            *w = sn_ones(eager, SN_BF16, SN_SHAPE(2, 2, 3));
  ck_assert(sn_failed(sn_conv(x, w, .result = SN_F16)));
  ck_assert_int_eq(sn_check(eager), SN_ERR_DTYPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(eager), "sn_conv: .result is f16"));
}
END_TEST

// A program of another time calls the function without options, or passes shorter ones.
START_TEST(older_callers) {
  SN_SCOPE(eager);
  sn_tensor *(*product)(sn_tensor *, sn_tensor *) = sn_matmul;
  sn_tensor *a = sn_ones(eager, SN_I8, SN_SHAPE(2, 3)), *b = sn_ones(eager, SN_I8, SN_SHAPE(3, 2));
  ck_assert_int_eq(sn_dtype_of(product(a, b)), SN_I8);
  ck_assert_int_eq(sn_dtype_of(sn_matmul_opts(a, b, NULL)), SN_I8);
  const sn_matmul_options shorter = {.size = sizeof(size_t), .result = SN_I32};
  ck_assert_int_eq(sn_dtype_of(sn_matmul_opts(a, b, &shorter)), SN_I8);
  sn_tensor *x = sn_ones(eager, SN_I8, SN_SHAPE(1, 4, 2)),
            *w = sn_ones(eager, SN_I8, SN_SHAPE(2, 2, 3));
  const sn_conv_options earlier = {.size = offsetof(sn_conv_options, result), .result = SN_I32};
  ck_assert_int_eq(sn_dtype_of(sn_conv_opts(x, w, &earlier)), SN_I8);
}
END_TEST

static void open_all(void) {
  ck_assert_int_eq(sn_context_create(&eager, .threads = 1), SN_OK);
  open_tiers();
}

static void close_all(void) {
  close_tiers();
  sn_context_destroy(eager);
}

int main(void) {
  Suite *suite = suite_create("narrow products");
  TCase *tests = tcase_create("narrow products");
  tcase_add_checked_fixture(tests, open_all, close_all);
  tcase_add_loop_test(tests, values, 0, (int)SNI_COUNT_OF(pairings));
  tcase_add_loop_test(tests, views_and_ranks, 0, 2);
  tcase_add_loop_test(tests, convolutions, 0, (int)SNI_COUNT_OF(pairings));
  tcase_add_loop_test(tests, gradients, 0, 4);
  tcase_add_test(tests, refusals);
  tcase_add_test(tests, older_callers);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
