// Tensor arrays: values that writes leave alone; what is read, cleared, never written; growth; loops that carry them, and gradients through those.
#include <sinter/structures.h>

#include <check.h>
#include <math.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static void check_error(sn_status wanted, const char *words) {
  ck_assert_int_eq(sn_check(c), wanted);
  ck_assert_msg(strstr(sn_error_message(c), words), "%s", sn_error_message(c));
  ck_assert_msg(strstr(sn_error_message(c), "test_tensor_array.c:"), "%s", sn_error_message(c));
}

static sn_tensor *pair(float a, float b) {
  return sn_constant(c, SN_F32, SN_SHAPE(2), (const float[]){a, b});
}
static sn_tensor *at(int64_t i) {
  return sn_scalar_i64(c, i);
}

static void check_floats(const sn_tensor *t, int64_t n, const float *wanted) {
  float got[64];
  ck_assert_msg(sn_size(t) == n, "%lld elements: %s", (long long)sn_size(t), sn_error_message(c));
  ck_assert_int_eq(sn_read(t, got, (size_t)n * sizeof(*got)), SN_OK);
  for (int64_t i = 0; i < n; i++) ck_assert_float_eq_tol(got[i], wanted[i], 1e-5f);
}
#define CHECK_FLOATS(t, ...) \
  check_floats(t, sizeof((float[]){__VA_ARGS__}) / sizeof(float), (const float[]){__VA_ARGS__})

// [1,2], [3,10], [5,7]
static sn_tensor_array *three(sn_tensor_array *a) {
  a = sn_tensor_array_write(a, at(0), pair(1, 2));
  a = sn_tensor_array_write(a, at(1), pair(3, 10));
  return sn_tensor_array_write(a, at(2), pair(5, 7));
}

START_TEST(a_read_clears_in_the_array_that_it_gives) {  // Y1, Y2, Y3, TA1
  SN_SCOPE(c);
  for (int kind = 0; kind < 3; kind++) {
    SN_SCOPE(c);
    sn_tensor_array *a = three(sn_tensor_array_create(c, SN_F32, kind == 2 ? 0 : 3,
                                                      .dynamic = kind == 2,
                                                      .keep_after_read = kind == 1)),
                    *after, *again;
    CHECK_FLOATS(sn_tensor_array_read(a, at(1), &after), 3, 10);
    if (kind == 1)
      CHECK_FLOATS(sn_tensor_array_stack(after), 1, 2, 3, 10, 5, 7);
    else
      CHECK_FLOATS(sn_tensor_array_stack(after), 1, 2, 0, 0, 5, 7);
    CHECK_FLOATS(sn_tensor_array_stack(a), 1, 2, 3, 10, 5, 7);
    CHECK_FLOATS(sn_tensor_array_read(a, at(1), NULL), 3, 10);  // nothing was cleared in a
    double size;
    ck_assert_int_eq(sn_item(sn_tensor_array_size(after), &size), SN_OK);
    ck_assert(size == 3);
    (void)sn_tensor_array_read(after, at(1), &again);
    if (kind == 1)
      ck_assert_int_eq(sn_check(c), SN_OK);
    else
      check_error(SN_ERR_STATE,
                  "sn_tensor_array_read: element: element 1 has been read before, and is cleared");
  }
}
END_TEST

START_TEST(arrays_grow_where_they_may) {
  SN_SCOPE(c);
  sn_tensor_array *a = sn_tensor_array_create(c, SN_F32, 0, .dynamic = true);
  for (int i = 0; i < 20; i++) a = sn_tensor_array_write(a, at(i), sn_scalar_f32(c, (float)i));
  sn_tensor_array *longer = sn_tensor_array_write(a, at(22), sn_scalar_f32(c, 5));
  double size;
  ck_assert_int_eq(sn_item(sn_tensor_array_size(longer), &size), SN_OK);
  ck_assert(size == 23);
  ck_assert_int_eq(sn_dim(sn_tensor_array_stack(a), 0), 20);
  char text[100];
  (void)sn_tensor_array_format(longer, text, sizeof(text));
  ck_assert_str_eq(text, "tensor array of 23 f32[], dynamic");
  (void)sn_tensor_array_read(longer, at(21), NULL);
  check_error(SN_ERR_STATE, "element 21 has never been written");
  (void)sn_tensor_array_read(longer, at(23), NULL);
  check_error(SN_ERR_INDEX, "index 23 of an array of 23 elements");
  const char *const words[] = {"a", "long enough for the heap"};
  sn_tensor_array *w = sn_tensor_array_create(c, SN_STRING, 0, .dynamic = true);
  for (int i = 0; i < 2; i++)
    w = sn_tensor_array_write(w, at(2 * i), sn_scalar_string(c, words[i]));
  sn_text got[3];
  ck_assert_int_eq(sn_read_strings(sn_tensor_array_stack(w), got, 3), SN_OK);
  ck_assert(got[0].length == 1 && !got[1].length && got[2].length == strlen(words[1]));
}
END_TEST

START_TEST(several_at_a_time) {
  SN_SCOPE(c);
  const float numbers[] = {1, 2, 3, 4, 5, 6};
  sn_tensor *rows = sn_constant(c, SN_F32, SN_SHAPE(3, 2), numbers);
  const int32_t places[] = {2, 0};
  sn_tensor *two = sn_constant(c, SN_I32, SN_SHAPE(2), places);
  sn_tensor_array *fixed = sn_tensor_array_create(c, SN_F32, 3),
                  *dynamic = sn_tensor_array_create(c, SN_F32, 5, .dynamic = true);
  sn_tensor_array *a = sn_tensor_array_unstack(fixed, rows);
  CHECK_FLOATS(sn_tensor_array_gather(a, two), 5, 6, 1, 2);
  CHECK_FLOATS(sn_tensor_array_concat(a), 1, 2, 3, 4, 5, 6);
  double size;
  ck_assert_int_eq(sn_item(sn_tensor_array_size(sn_tensor_array_unstack(dynamic, rows)), &size),
                   SN_OK);
  ck_assert(size == 3);  // TA2
  sn_tensor_array *b =
      sn_tensor_array_scatter(fixed, two, sn_constant(c, SN_F32, SN_SHAPE(2, 2), numbers));
  CHECK_FLOATS(sn_tensor_array_stack(b), 3, 4, 0, 0, 1, 2);
  (void)sn_tensor_array_gather(b, sn_constant(c, SN_I32, SN_SHAPE(2), ((const int32_t[]){2, 1})));
  check_error(SN_ERR_STATE, "element 1 has never been written");
  sn_tensor_array *parts = sn_tensor_array_split(fixed, sn_reshape(rows, SN_SHAPE(6)));
  CHECK_FLOATS(sn_tensor_array_read(parts, at(1), NULL), 3, 4);
  sn_tensor_array *none = sn_tensor_array_scatter(dynamic, sn_zeros(c, SN_I64, SN_SHAPE(0)),
                                                  sn_zeros(c, SN_F32, SN_SHAPE(0, 2)));
  ck_assert_int_eq(sn_item(sn_tensor_array_size(none), &size), SN_OK);
  ck_assert(size == 5);
}
END_TEST

static void failed(const sn_tensor_array *a) {
  ck_assert(sn_failed(a));
}

START_TEST(what_does_not_fit_is_refused) {
  SN_SCOPE(c);
  sn_tensor_array *a = sn_tensor_array_create(c, SN_F32, 3), *dead;
  (void)sn_tensor_array_stack(a);
  check_error(SN_ERR_STATE,
              "sn_tensor_array_stack: no element is written, and no element shape given");
  (void)sn_tensor_array_read(a, at(0), NULL);
  check_error(SN_ERR_STATE, "no element of the array has been written");  // TA4
  a = sn_tensor_array_write(a, at(0), pair(1, 2));
  failed(sn_tensor_array_write(a, at(1), sn_scalar_f32(c, 1)));
  check_error(SN_ERR_SHAPE,
              "sn_tensor_array_write: an element of f32[], expected f32[2] as the others");
  failed(sn_tensor_array_write(a, at(1), at(1)));
  check_error(SN_ERR_DTYPE, "value is i64, expected f32");
  failed(sn_tensor_array_write(a, pair(1, 2), pair(1, 2)));
  check_error(SN_ERR_DTYPE, "index is f32, expected i64 or i32");
  failed(sn_tensor_array_write(a, at(3), pair(1, 2)));
  check_error(SN_ERR_INDEX, "sn_tensor_array_write: ");
  failed(sn_tensor_array_write(a, NULL, pair(1, 2)));
  check_error(SN_ERR_ARGUMENT, "index is NULL");
  failed(sn_tensor_array_unstack(a, sn_ones(c, SN_F32, SN_SHAPE(2, 2))));
  check_error(SN_ERR_SHAPE, "values has 2 rows, the array 3 elements");
  failed(sn_tensor_array_split(a, sn_ones(c, SN_F32, SN_SHAPE(4))));
  check_error(SN_ERR_SHAPE, "values has 4 rows, which are no 3 equal parts");
  (void)sn_tensor_array_create(c, SN_F32, -2);
  check_error(SN_ERR_SHAPE, "-2 elements");
  {
    SN_SCOPE(c);
    dead = sn_tensor_array_create(c, SN_F32, 3);
  }
  (void)sn_tensor_array_stack(dead);
  check_error(SN_ERR_STATE, "a: its scope has ended");
}
END_TEST

// ---- loops
typedef struct state {
  sn_tensor *i, *x;
  sn_tensor_array *powers;
} state;
SN_COMPOSITE(state_type, state, SN_FIELD(state, i), SN_FIELD(state, x),
             SN_HANDLE(state, powers, sn_tensor_array_type));

static sn_status not_done(sn_context *of, const void *in, void *out, void *user) {
  (void)of, (void)user;
  *(sn_tensor **)out = sn_less(((const state *)in)->i, 4);
  return SN_OK;
}
// powers[i] = x^(i + 1), each from the one before.
static sn_status power(sn_context *of, const void *in, void *out, void *user) {
  const state *s = in;
  state *next = out;
  (void)user;
  sn_tensor *before = sn_tensor_array_read(s->powers, sn_sub(s->i, 1), NULL);
  next->i = sn_add(s->i, 1);
  next->x = s->x;
  next->powers = sn_tensor_array_write(s->powers, s->i, sn_mul(before, s->x));
  (void)of;
  return SN_OK;
}
static sn_tensor *powers_of(sn_context *of, sn_tensor *x, bool dynamic) {
  const sn_shape element = SN_SHAPE(sn_symbolic_dim(x, 0));
  sn_tensor_array *a = sn_tensor_array_create(of, SN_F64, dynamic ? 0 : 4,
                                              .element_shape = &element, .dynamic = dynamic);
  if (dynamic) a = sn_tensor_array_reserve(a, 4);
  state s = {sn_scalar_i64(of, 1), x, sn_tensor_array_write(a, sn_scalar_i64(of, 0), x)};
  (void)sn_while_struct(of, not_done, power, NULL, SN_STRUCT(state_type, &s), &s);
  return sn_tensor_array_stack(s.powers);
}

static sn_status powers(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = powers_of(of, in[0], user != NULL);
  sn_tensor *loss = sn_sum(sn_square(out[0])), *slope;
  sn_gradients(loss, in, 1, &slope);
  out[1] = slope;
  sn_gradients(sn_sum(slope), in, 1, &out[2]);
  return SN_OK;
}

START_TEST(loops_carry_them_and_gradients_go_through) {
  for (int mode = 0; mode < 4; mode++) {
    SN_SCOPE(c);
    const bool eager = mode % 2, dynamic = mode / 2;
    const double x[] = {0.5, -1.25, 1};
    sn_function *f =
        sn_function_create(c, powers, .inputs = 1, .outputs = 3, .user = dynamic ? c : NULL);
    sn_tensor *in = sn_constant(c, SN_F64, SN_SHAPE(3), x), *out[3];
    const sn_status status = eager ? sn_call_eager(f, &in, 1, out, 3) : sn_call(f, &in, 1, out, 3);
    ck_assert_msg(!status, "mode %d: %s", mode, sn_error_message(c));
    double rows[4][3], first[3], second[3];
    ck_assert_int_eq(sn_read(out[0], rows, sizeof(rows)), SN_OK);
    ck_assert_int_eq(sn_read(out[1], first, sizeof(first)), SN_OK);
    ck_assert_int_eq(sn_read(out[2], second, sizeof(second)), SN_OK);
    for (int i = 0; i < 3; i++) {
      double one = 0, two = 0;
      for (int k = 1; k <= 4; k++) {
        ck_assert_double_eq_tol(rows[k - 1][i], pow(x[i], k), 1e-12);
        one += 2 * k * pow(x[i], 2 * k - 1);
        two += 2 * k * (2 * k - 1) * pow(x[i], 2 * k - 2);
      }
      ck_assert_double_eq_tol(first[i], one, 1e-10);
      ck_assert_double_eq_tol(second[i], two, 1e-9);
    }
    sn_function_destroy(f);
  }
}
END_TEST

static sn_status read_twice(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor_array *a =
      sn_tensor_array_unstack(sn_tensor_array_create(of, SN_F32, sn_symbolic_dim(in[0], 0)), in[0]);
  out[0] = sn_tensor_array_read(a, in[1], &a);
  out[1] = sn_tensor_array_read(a, in[2], &a);
  return SN_OK;
}
static sn_status write_and_drop(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor_array *a =
      sn_tensor_array_unstack(sn_tensor_array_create(of, SN_F32, sn_symbolic_dim(in[0], 0)), in[0]);
  sn_tensor_array *dropped = sn_tensor_array_write(a, sn_scalar_i64(of, 0), sn_scalar_f32(of, 9));
  (void)dropped;
  out[0] = sn_tensor_array_stack(a);
  return SN_OK;
}

START_TEST(both_modes_say_the_same) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, read_twice, .inputs = 3, .outputs = 2),
              *g = sn_function_create(c, write_and_drop, .inputs = 1, .outputs = 1);
  char messages[2][400];
  sn_tensor *out[2], *x = pair(1, 2);
  for (int eager = 0; eager < 2; eager++) {
    sn_tensor *in[] = {x, at(1), at(0)};
    ck_assert_int_eq(eager ? sn_call_eager(f, in, 3, out, 2) : sn_call(f, in, 3, out, 2), SN_OK);
    CHECK_FLOATS(out[1], 1);
    in[2] = in[1];
    ck_assert_int_eq(eager ? sn_call_eager(f, in, 3, out, 2) : sn_call(f, in, 3, out, 2),
                     SN_ERR_STATE);
    (void)strncpy(messages[eager], sn_error_message(c), sizeof(messages[eager]) - 1);
    messages[eager][sizeof(messages[eager]) - 1] = 0;
    ck_assert_ptr_nonnull(
        strstr(messages[eager], "element 1 has been read before, and is cleared"));
    ck_assert_int_eq(eager ? sn_call_eager(g, &x, 1, out, 1) : sn_call(g, &x, 1, out, 1), SN_OK);
    CHECK_FLOATS(out[0], 1, 2);
  }
  ck_assert_str_eq(messages[0], messages[1]);
  sn_function_destroy(f);
  sn_function_destroy(g);
}
END_TEST

// Without room: the message says how there is some.
static sn_status grow_in_vain(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor_array *a = sn_tensor_array_create(of, SN_F32, 2, .dynamic = true);
  out[0] = sn_tensor_array_stack(sn_tensor_array_write(a, in[0], sn_scalar_f32(of, 1)));
  return SN_OK;
}

START_TEST(in_a_trace_no_array_grows) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, grow_in_vain, .inputs = 1, .outputs = 1);
  sn_tensor *in = at(1), *out;
  ck_assert_int_eq(sn_call(f, &in, 1, &out, 1), SN_OK);
  CHECK_FLOATS(out, 0, 1);
  in = at(2);
  ck_assert_int_eq(sn_call_eager(f, &in, 1, &out, 1), SN_OK);
  CHECK_FLOATS(out, 0, 0, 1);
  ck_assert_int_eq(sn_call(f, &in, 1, &out, 1), SN_ERR_INDEX);
  ck_assert_msg(strstr(sn_error_message(c), "index 2, with room for 2 elements"), "%s",
                sn_error_message(c));
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "sn_tensor_array_reserve"));
  sn_function_destroy(f);
}
END_TEST

// Sums up to each row, in a scan; of all examples at once.
typedef struct rows {
  sn_tensor *x;
} rows;
SN_COMPOSITE(rows_type, rows, SN_FIELD(rows, x));
static sn_status sum_row(sn_context *of, const void *carry, const void *x, void *next, void *y,
                         void *user) {
  const state *s = carry;
  state *n = next;
  (void)of, (void)user, (void)y;
  n->x = sn_add(s->x, ((const rows *)x)->x);
  n->i = sn_add(s->i, 1);
  n->powers = sn_tensor_array_write(s->powers, s->i, n->x);
  return SN_OK;
}
static sn_status sums(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_shape scalar = SN_SCALAR;
  rows xs = {in[0]};
  state s = {sn_scalar_i64(of, 0), sn_scalar_f32(of, 0),
             sn_tensor_array_create(of, SN_F32, 3, .element_shape = &scalar)};
  (void)sn_scan_struct(of, sum_row, user, SN_STRUCT(state_type, &s), SN_STRUCT(rows_type, &xs),
                       NULL, &s, NULL);
  sn_tensor *last = sn_tensor_array_read(s.powers, sn_scalar_i64(of, 2), &s.powers);
  out[0] = sn_mul(sn_tensor_array_stack(s.powers), last);
  return SN_OK;
}
static sn_status sums_of_all(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  return sn_vectorized_map(of, sums, user, in, 1, out, 1);
}

START_TEST(scans_and_maps_carry_them) {
  for (int eager = 0; eager < 2; eager++) {
    SN_SCOPE(c);
    const float values[] = {1, 2, 3, 4, 5, 6};
    sn_function *f = sn_function_create(c, sums_of_all, .inputs = 1, .outputs = 1);
    sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(2, 3), values), *out;
    const sn_status status =
        eager ? sn_call_eager(f, &in, 1, &out, 1) : sn_call(f, &in, 1, &out, 1);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    CHECK_FLOATS(out, 6, 18, 0, 60, 135, 0);
    sn_function_destroy(f);
  }
}
END_TEST

START_TEST(tapes_go_through) {
  SN_SCOPE(c);
  sn_tensor *x = pair(2, 3), *slope;
  sn_tape *tape = sn_tape_begin(c);
  sn_tape_watch(tape, x);
  sn_tensor_array *a = sn_tensor_array_create(c, SN_F32, 2);
  a = sn_tensor_array_write(a, at(1), sn_mul(x, x));
  a = sn_tensor_array_write(a, at(0), x);
  a = sn_tensor_array_write(a, at(0), sn_mul(x, 5.0));  // TA3: what is replaced counts nothing
  sn_tape_gradient(tape, sn_sum(sn_tensor_array_concat(a)), &x, 1, &slope);
  sn_tape_end(tape);
  CHECK_FLOATS(slope, 9, 11);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("structures.tensor_array");
  TCase *all = tcase_create("all");
  tcase_add_checked_fixture(all, open_context, close_context);
  tcase_add_test(all, a_read_clears_in_the_array_that_it_gives);
  tcase_add_test(all, arrays_grow_where_they_may);
  tcase_add_test(all, several_at_a_time);
  tcase_add_test(all, what_does_not_fit_is_refused);
  tcase_add_test(all, loops_carry_them_and_gradients_go_through);
  tcase_add_test(all, both_modes_say_the_same);
  tcase_add_test(all, in_a_trace_no_array_grows);
  tcase_add_test(all, scans_and_maps_carry_them);
  tcase_add_test(all, tapes_go_through);
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
