// Sorting in every mode (op by op, interpreted, compiled by LLVM, one thread and several; constant and
// unknown sizes) against a merge sort in C, to the bit: each dtype, axis, order, sizes 0 and 1, special
// values, equal elements, short rows and long ones.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

// ---- the reference
static bool before(sn_dtype dtype, const void *x, int64_t a, int64_t b) {
  const sni_scalar p = sni_scalar_load(dtype, x, a), q = sni_scalar_load(dtype, x, b);
  if (sni_is_float(dtype)) return isnan(q.f) ? !isnan(p.f) : p.f < q.f;
  return dtype == SN_U64 ? (uint64_t)p.i < (uint64_t)q.i : p.i < q.i;
}

// The stable order of n elements `stride` apart, from `first` on: places; room for as many.
static void order_of(sn_dtype dtype, const void *x, int64_t first, int64_t stride, bool descending,
                     int64_t n, int64_t *places, int64_t *room) {
  for (int64_t i = 0; i < n; i++) places[i] = i;
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t from = 0; from < n; from += 2 * width) {
      const int64_t middle = from + width < n ? from + width : n;
      const int64_t end = from + 2 * width < n ? from + 2 * width : n;
      int64_t i = from, k = middle, to = from;
      while (i < middle || k < end) {
        bool second = i == middle;
        if (i < middle && k < end) {
          const int64_t a = first + places[i] * stride, b = first + places[k] * stride;
          second = descending ? before(dtype, x, a, b) : before(dtype, x, b, a);
        }
        room[to++] = second ? places[k++] : places[i++];
      }
    }
    memcpy(places, room, (size_t)n * sizeof *places);
  }
}

// ---- every op of one tensor
enum { n_out = 8 };
typedef struct task {
  int axis;
  int64_t k;  // of top_k
} task;

static sn_status all_of_them(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const task *t = user;
  out[0] = sn_sort(in[0], t->axis);
  out[1] = sn_sort(in[0], t->axis, .descending = true);
  out[2] = sn_argsort(in[0], t->axis);
  out[3] = sn_argsort(in[0], t->axis, .descending = true);
  out[4] = sn_take_along_axis(in[0], out[2], t->axis);
  out[5] = sn_take_along_axis(in[0], sn_cast(out[3], SN_I64), t->axis);
  out[6] = sn_top_k(in[0], t->k, &out[7]);
  return sn_pending_error(c);
}

// The orders of all rows along an axis, by row.
typedef struct orders {
  int axis;
  int64_t n, rows, stride;
  int64_t *places[2];  // ascending, descending
} orders;

static orders orders_of(const sn_view *x, int axis) {
  orders o = {.axis = axis, .n = x->shape.dims[axis], .stride = 1};
  for (int d = axis + 1; d < x->shape.rank; d++) o.stride *= x->shape.dims[d];
  o.rows = o.stride;
  for (int d = 0; d < axis; d++) o.rows *= x->shape.dims[d];
  int64_t *room = calloc((size_t)o.n + 1, sizeof *room);
  for (int down = 0; down < 2; down++) {
    o.places[down] = calloc((size_t)(o.rows * o.n) + 1, sizeof *room);
    for (int64_t row = 0; row < o.rows; row++)
      order_of(x->dtype, x->data, row / o.stride * o.n * o.stride + row % o.stride, o.stride, down,
               o.n, o.places[down] + row * o.n, room);
  }
  free(room);
  return o;
}

static void free_orders(orders *o) {
  for (int down = 0; down < 2; down++) free(o->places[down]);
}

// The first `wanted` of each row: elements, or their indices.
static void check_order(const sn_view *given, const sn_view *x, const orders *o, int64_t wanted,
                        bool down, bool indices, const char *what) {
  const int64_t bytes = (int64_t)sn_dtype_size(x->dtype);
  for (int64_t row = 0; row < o->rows; row++) {
    const int64_t outer = row / o->stride, inner = row % o->stride;
    for (int64_t i = 0; i < wanted; i++) {
      const int64_t place = o->places[down][row * o->n + i];
      const int64_t at = (outer * wanted + i) * o->stride + inner,
                    from = (outer * o->n + place) * o->stride + inner;
      const char *element = (const char *)given->data + at * bytes;
      if (indices && ((const int32_t *)given->data)[at] != place)
        ck_abort_msg("%s: element %lld is %d, expected %lld", what, (long long)at,
                     ((const int32_t *)given->data)[at], (long long)place);
      if (!indices && memcmp(element, (const char *)x->data + from * bytes, (size_t)bytes) != 0)
        ck_abort_msg("%s: element %lld is not element %lld", what, (long long)at, (long long)from);
    }
  }
}

static void check_outputs(sn_tensor *const *out, const sn_view *x, const task *t,
                          const orders *along, const orders *last, const char *mode) {
  for (int i = 0; i < n_out; i++) {
    const bool indices = i == 2 || i == 3 || i == 7, top = i >= 6;
    const orders *o = top ? last : along;
    char what[120];
    snprintf(what, sizeof(what), "%s, result %d of %s[%lld,..], axis %d", mode, i,
             sn_dtype_name(x->dtype), (long long)x->shape.dims[0], o->axis);
    sn_view given = {.dtype = indices ? SN_I32 : x->dtype, .shape = x->shape};
    if (top) given.shape.dims[o->axis] = t->k;
    ck_assert_int_eq(sn_dtype_of(out[i]), given.dtype);
    ck_assert_int_eq(sn_size(out[i]), elements_of(&given.shape));
    const void *data;
    ck_assert_int_eq(sn_data(out[i], &data), SN_OK);
    given.data = (void *)(uintptr_t)data;
    check_order(&given, x, o, given.shape.dims[o->axis], i == 1 || i == 3 || i >= 5, indices, what);
  }
}

enum { OP_BY_OP = 1, CALLED = 2, UNKNOWN_SIZES = 4, EVERY_MODE = 7 };
static void check_view(sn_context *c, const sn_view *x, int axis, int64_t k, int modes) {
  static const char *const names[] = {"op by op", "called", "of unknown sizes"};
  SN_SCOPE(c);
  task t = {axis, k};
  sn_spec any = {x->dtype, x->shape};
  orders along = orders_of(x, axis), last = orders_of(x, x->shape.rank - 1);
  for (int d = 0; d < x->shape.rank; d++) any.shape.dims[d] = SN_UNKNOWN;
  for (int mode = 0; mode < 3; mode++) {
    if (!(modes >> mode & 1)) continue;
    sn_function *f = sn_function_create(c, all_of_them, .user = &t, .inputs = 1, .outputs = n_out,
                                        .specs = mode == 2 ? &any : NULL);
    sn_tensor *in = sn_constant(c, x->dtype, x->shape, x->data), *out[n_out];
    const sn_status status =
        mode == 0 ? sn_call_eager(f, &in, 1, out, n_out) : sn_call(f, &in, 1, out, n_out);
    ck_assert_msg(!status, "%s: %s", names[mode], sn_error_message(c));
    check_outputs(out, x, &t, &along, &last, names[mode]);
    sn_function_destroy(f);
  }
  free_orders(&along);
  free_orders(&last);
}

START_TEST(every_mode_is_the_merge_sort) {
  static const sn_shape shapes[] = {{1, {0}},         {1, {1}},     {1, {2}},        {1, {64}},
                                    {1, {65}},        {2, {3, 70}}, {2, {70, 3}},    {2, {20, 33}},
                                    {2, {0, 4}},      {2, {4, 0}},  {3, {2, 5, 67}}, {3, {9, 1, 4}},
                                    {4, {2, 3, 4, 5}}};
  const sn_dtype dtype = (sn_dtype)_i;
  const bool some = dtype == SN_F32 || dtype == SN_U8;  // LLVM takes its time
  for (int tier = 0; tier < (some ? n_tiers : 1); tier++)
    for (size_t s = 0; s < SNI_COUNT_OF(shapes); s += tier ? 3 : 1) {
      sn_view x = new_view(dtype, &shapes[s]);
      fill_view(&x, 3);
      const int64_t n = shapes[s].dims[shapes[s].rank - 1];
      for (int axis = 0; axis < shapes[s].rank; axis++)
        check_view(tiers[tier], &x, axis, axis ? n : n < 3 ? n : 3, EVERY_MODE);
      free(x.data);
    }
}
END_TEST

// Long rows: what is equal, in order, the other way round, or spread over all bits.
static void fill_row(sn_view *x, int kind) {
  const int64_t n = elements_of(&x->shape);
  const size_t bytes = sn_dtype_size(x->dtype);
  for (int64_t i = 0; i < n; i++) {
    const uint64_t h = (uint64_t)hash_of((uint64_t)i, 7) << 32 | hash_of((uint64_t)i, 9);
    sni_scalar value = {x->dtype, {.i = kind == 1 ? (int64_t)(h % 7) : kind == 2 ? i : n - i}};
    if (x->dtype == SN_BOOL) value.i &= 1;
    if (sni_is_float(x->dtype)) value.f = (double)value.i - (kind == 1 ? 3 : 0);
    if (kind == 0 && x->dtype != SN_BOOL)
      memcpy((char *)x->data + (size_t)i * bytes, &h, bytes);
    else if (kind == 1 && i % 5 == 0)
      set_element(x->data, x->dtype, i, 3);
    else
      sni_scalar_store(value, x->data, i);
  }
}

START_TEST(long_rows_are_sorted) {
  static const int64_t sizes[] = {66, 200, 1030, 5000, 70000, 300000};
  const sn_dtype dtype = (sn_dtype)_i;
  const bool largest = dtype == SN_F32 || dtype == SN_F64;
  for (size_t s = 0; s < SNI_COUNT_OF(sizes) - (largest ? 0 : 2); s++)
    for (int kind = 0; kind < (sizes[s] > 5000 ? 2 : 4); kind++) {
      sn_view x = new_view(dtype, &SN_SHAPE(sizes[s]));
      fill_row(&x, kind);
      const int64_t k = kind == 0 ? 10 : kind == 1 ? sizes[s] / 2 : kind == 2 ? 400 : 1;
      check_view(tiers[0], &x, 0, k < sizes[s] ? k : sizes[s], OP_BY_OP);
      free(x.data);
    }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same) {
  for (int threads = 1; threads <= 3; threads++) {
    sn_context *c = open_context(SN_BACKEND_INTERPRETER, threads, 1);
    sn_view x = new_view(SN_F32, &SN_SHAPE(300, 500));
    fill_row(&x, 0);
    for (int axis = 0; axis < 2; axis++) check_view(c, &x, axis, 7, CALLED | OP_BY_OP);
    free(x.data);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- searching
typedef struct search_task {
  bool right;
} search_task;

static sn_status search(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bool right = ((const search_task *)user)->right;
  out[0] = sn_searchsorted(in[0], in[1], .right = right);
  out[1] = sn_bucketize(in[3], in[2], .right = right);
  return sn_pending_error(c);
}

static void check_search(sn_context *c, sn_dtype dtype, int64_t n, int64_t m, bool right) {
  SN_SCOPE(c);
  search_task t = {right};
  sn_view a = new_view(dtype, &SN_SHAPE(3, n)), b = new_view(dtype, &SN_SHAPE(3, m));
  fill_view(&a, 3);
  fill_view(&b, 0);
  sn_tensor *sorted = sn_sort(sn_constant(c, dtype, a.shape, a.data), 1), *out[2], *same[2];
  sn_tensor *values = sn_constant(c, dtype, b.shape, b.data);
  sn_tensor *in[] = {sorted, values, sn_index(sorted, 0, 1), sn_reshape(values, SN_SHAPE(m, 3))};
  sn_function *f = sn_function_create(c, search, .user = &t, .inputs = 4, .outputs = 2);
  ck_assert_int_eq(sn_read(sorted, a.data, (size_t)(3 * n) * sn_dtype_size(dtype)), SN_OK);
  call_both(c, f, in, 4, out, same, 2);
  for (int o = 0; o < 2; o++) {
    const void *data;
    ck_assert(same_bits(out[o], same[o]));
    ck_assert_int_eq(sn_data(out[o], &data), SN_OK);
    for (int64_t i = 0; i < 3 * m; i++) {
      const int64_t row = o ? 1 : i / m;
      int32_t expected = 0;
      for (int64_t k = 0; k < n; k++) {
        const sni_scalar p = sni_scalar_load(dtype, a.data, row * n + k),
                         q = sni_scalar_load(dtype, b.data, i);
        sni_scalar both[2] = {right ? q : p, right ? p : q};
        char two[16];
        for (int e = 0; e < 2; e++) sni_scalar_store(both[e], two, e);
        expected += before(dtype, two, 0, 1) != right;
      }
      ck_assert_int_eq(((const int32_t *)data)[i], expected);
    }
  }
  sn_function_destroy(f);
  free(a.data);
  free(b.data);
}

START_TEST(searches_count_what_is_less) {
  static const int64_t sizes[][2] = {{0, 3}, {1, 1}, {5, 0}, {40, 30}, {33, 600}};
  for (int tier = 0; tier < n_tiers; tier++)
    for (int dtype = 0; dtype < (tier ? 1 : SN_C64); dtype++)
      for (size_t s = 0; s < SNI_COUNT_OF(sizes); s++)
        for (int right = 0; right < 2; right++)
          check_search(tiers[tier], (sn_dtype)dtype, sizes[s][0], sizes[s][1], right);
}
END_TEST

// ---- quantiles
static sn_status quantiles(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_median(in[0], 0);
  out[1] = sn_median(in[0], 1);
  out[2] = sn_quantile(in[0], 0.25, 1);
  out[3] = sn_quantile(in[0], 0.9, 0);
  return sn_pending_error(c);
}

START_TEST(quantiles_lie_between_elements) {
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    SN_SCOPE(c);
    sn_tensor *x = sn_constant(c, SN_F64, SN_SHAPE(2, 5),
                               ((double[]){5, 1, 2, INFINITY, 3, 7, -1, NAN, 0, 4}));
    static const double expected[4][5] = {
        {6, 0, NAN, INFINITY, 3.5}, {3, NAN}, {2, NAN}, {6.8, 0.8, NAN, INFINITY, 3.9}};
    sn_tensor *a[4], *b[4];
    sn_function *f = sn_function_create(c, quantiles, .inputs = 1, .outputs = 4);
    call_both(c, f, &x, 1, a, b, 4);
    for (int i = 0; i < 4; i++) {
      double y[5];
      const int64_t n = sn_size(a[i]);
      ck_assert_int_eq(n, i == 1 || i == 2 ? 2 : 5);
      ck_assert(!sn_read(a[i], y, (size_t)n * sizeof *y));
      for (int64_t k = 0; k < n; k++) {
        if (isnan(expected[i][k]))
          ck_assert(isnan(y[k]));
        else if (isinf(expected[i][k]))
          ck_assert(isinf(y[k]));
        else
          ck_assert_double_eq_tol(y[k], expected[i][k], 1e-12);
      }
      double z[5];
      ck_assert(!sn_read(b[i], z, (size_t)n * sizeof *z));
      for (int64_t k = 0; k < n; k++) ck_assert(z[k] == y[k] || (isnan(z[k]) && isnan(y[k])));
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- gradients, of the first and second order: f = sum(w sort(x)^3) and so on
static sn_status gradients(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *indices, *sorted = sn_sort(in[0], 0, .descending = true);
  sn_tensor *top = sn_top_k(in[0], 2, &indices), *third;
  sn_tensor *cube = sn_mul(sn_square(sorted), sorted);
  sn_tensor *loss = sn_add(sn_sum(sn_mul(cube, in[1])), sn_sum(sn_square(top)));
  loss = sn_add(loss, sn_sum(sn_square(sn_median(in[0], 1))));
  sn_gradients(loss, in, 1, &out[0]);
  third = sn_sum(sn_mul(out[0], in[1]));
  sn_gradients(third, in, 1, &out[1]);
  return sn_pending_error(c);
}

START_TEST(cotangents_go_back_to_their_places) {
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    SN_SCOPE(c);
    const double x[2][3] = {{1, -2, 3}, {4, 0.5, 2}}, w[2][3] = {{2, 3, 5}, {7, 11, 13}};
    sn_tensor *in[] = {sn_constant(c, SN_F64, SN_SHAPE(2, 3), x),
                       sn_constant(c, SN_F64, SN_SHAPE(2, 3), w)};
    sn_tensor *a[2], *b[2];
    sn_function *f = sn_function_create(c, gradients, .inputs = 2, .outputs = 2);
    call_both(c, f, in, 2, a, b, 2);
    double first[2][3], second[2][3];
    ck_assert(same_bits(a[0], b[0]) && same_bits(a[1], b[1]));
    ck_assert(!sn_read(a[0], first, sizeof first) && !sn_read(a[1], second, sizeof second));
    for (int i = 0; i < 2; i++)
      for (int k = 0; k < 3; k++) {
        const bool greater = x[i][k] > x[1 - i][k];
        const double weight = w[greater ? 0 : 1][k];
        int rank = 0;  // in its row
        for (int o = 0; o < 3; o++) rank += x[i][o] > x[i][k];
        const double squares = (rank < 2 ? 2 : 0) + (rank == 1 ? 2 : 0);
        ck_assert_double_eq_tol(first[i][k], 3 * weight * x[i][k] * x[i][k] + squares * x[i][k],
                                1e-12);
        ck_assert_double_eq_tol(second[i][k], w[i][k] * (6 * weight * x[i][k] + squares), 1e-12);
      }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- refusals
static void refused(sn_context *c, sn_tensor *t, sn_status status, const char *text) {
  ck_assert(sn_failed(t));
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), text), "\"%s\" lacks \"%s\"", sn_error_message(c),
                text);
}

START_TEST(wrong_arguments_are_errors) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 3)), *indices = x;
  sn_tensor *scalar = sn_zeros(c, SN_F32, SN_SCALAR), *empty = sn_zeros(c, SN_F32, SN_SHAPE(2, 0));
  refused(c, sn_sort(x, 2), SN_ERR_SHAPE,
          "sn_sort: axis 2 is out of range for operand #0 f32[2,3]");
  refused(c, sn_argsort(scalar, 0), SN_ERR_SHAPE, "sn_argsort: axis 0 is out of range");
  refused(c, sn_top_k(x, 4, &indices), SN_ERR_SHAPE,
          "sn_top_k: operand #0 f32[2,3] has fewer than 4 elements in a row");
  ck_assert(sn_failed(indices));
  refused(c, sn_top_k(x, -1, NULL), SN_ERR_ARGUMENT, "sn_top_k: k is -1");
  refused(c, sn_median(empty, 1), SN_ERR_SHAPE,
          "sn_median: axis 1 of operand #0 f32[2,0] is empty");
  refused(c, sn_median(sn_cast(x, SN_I32), 1), SN_ERR_DTYPE, "sn_median: operand #0 is i32[2,3]");
  refused(c, sn_quantile(x, 1.5, 1), SN_ERR_ARGUMENT, "sn_quantile: q is 1.5, expected 0 to 1");
  refused(c, sn_quantile(x, (double)NAN, 1), SN_ERR_ARGUMENT, "sn_quantile: q is");
  refused(c, sn_searchsorted(x, sn_zeros(c, SN_F32, SN_SHAPE(3, 3))), SN_ERR_SHAPE,
          "sn_searchsorted: what is sorted is f32[2,3], expected rank 1, or the dims of the values "
          "f32[3,3] but for the last");
  refused(c, sn_searchsorted(x, sn_zeros(c, SN_F64, SN_SHAPE(2, 3))), SN_ERR_DTYPE,
          "sn_searchsorted: the values are f64[2,3], expected f32");
  refused(c, sn_bucketize(x, x), SN_ERR_SHAPE,
          "sn_bucketize: operand #1 is f32[2,3], expected rank 1");
  refused(
      c, sn_take_along_axis(x, sn_zeros(c, SN_I32, SN_SHAPE(3, 3)), 1), SN_ERR_SHAPE,
      "sn_take_along_axis: operand #1 is i32[3,3], expected the dims of operand #0 f32[2,3] but "
      "for axis 1");
  static const int32_t wrong[] = {3, -1};
  for (int i = 0; i < 2; i++)
    for (int rank = 1; rank <= 2; rank++)
      refused(c,
              sn_take_along_axis(
                  rank == 1 ? sn_index(x, 0, 0) : x,
                  sn_full(c, SN_I32, rank == 1 ? SN_SHAPE(1) : SN_SHAPE(2, 1), wrong[i]), -1),
              SN_ERR_INDEX, "sn_take_along_axis: an index");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sort");
  TCase *tests = tcase_create("sort");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, every_mode_is_the_merge_sort, 0, SN_C64);
  tcase_add_loop_test(tests, long_rows_are_sorted, 0, SN_C64);
  tcase_add_test(tests, any_number_of_threads_gives_the_same);
  tcase_add_test(tests, searches_count_what_is_less);
  tcase_add_test(tests, quantiles_lie_between_elements);
  tcase_add_test(tests, cotangents_go_back_to_their_places);
  tcase_add_test(tests, wrong_arguments_are_errors);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
