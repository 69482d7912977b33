// Ragged tensors: made of their parts, owned as tensors are, taken apart; what is refused.
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

static sn_tensor *i32s(int64_t n, const int32_t *values) {
  return sn_constant(c, SN_I32, SN_SHAPE(n), values);
}

START_TEST(a_ragged_tensor_has_the_parts_it_is_made_of) {
  SN_SCOPE(c);
  const int32_t values[] = {1, 2, 3, 4}, splits[] = {0, 3, 3, 4};
  sn_ragged *r = sn_ragged_from_row_splits(i32s(4, values), i32s(4, splits));
  ck_assert(!sn_failed(r));
  ck_assert_int_eq(sn_ragged_rank(r), 1);
  int64_t rows[4];  // whatever integers they were made of
  ck_assert_int_eq(sn_read(sn_ragged_row_splits(r, 0), rows, sizeof(rows)), SN_OK);
  ck_assert_mem_eq(rows, ((const int64_t[]){0, 3, 3, 4}), sizeof(rows));
  int32_t got[4];
  ck_assert_int_eq(sn_read(sn_ragged_flat_values(r), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, values, sizeof(got));
}
END_TEST

START_TEST(it_lives_as_long_as_it_is_held) {
  const int32_t values[] = {1, 2}, splits[] = {0, 1, 2};
  sn_ragged *kept, *dead;
  {
    SN_SCOPE(c);
    kept = sn_keep(sn_ragged_from_row_splits(i32s(2, values), i32s(3, splits)));
    dead = sn_ragged_from_row_splits(i32s(2, values), i32s(3, splits));
  }
  int32_t got[2];
  SN_SCOPE(c);
  ck_assert_int_eq(sn_read(sn_ragged_flat_values(kept), got, sizeof(got)), SN_OK);
  sn_release(kept);
  (void)sn_ragged_flat_values(dead);
  ck_assert_int_eq(sn_check(c), SN_ERR_STATE);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(c), "sn_ragged_flat_values: r: its scope has ended"));
}
END_TEST

START_TEST(what_is_wrong_with_splits_is_said) {
  static const struct {
    int32_t splits[3];
    const char *words;
  } wrong[] = {
      {{1, 1, 2}, "row_splits[0] = 1"},
      {{0, 3, 2}, "row_splits[2] = 2"},
      {{0, 1, 1},
       "row_splits[2] = 1: splits begin at 0, never fall, and end at the number of values, 2"},
  };
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    SN_SCOPE(c);
    const int32_t values[] = {1, 2};
    sn_ragged *r = sn_ragged_from_row_splits(i32s(2, values), i32s(3, wrong[i].splits));
    ck_assert(sn_failed(r));
    ck_assert(sn_failed(sn_ragged_flat_values(r)));
    ck_assert_int_eq(sn_check(c), SN_ERR_INDEX);
    ck_assert_msg(strstr(sn_error_message(c), wrong[i].words) &&
                      strstr(sn_error_message(c), "test_ragged.c:"),
                  "%s", sn_error_message(c));
  }
}
END_TEST

static void check_ragged(const sn_ragged *r, const char *wanted) {
  char text[400];
  (void)sn_ragged_format(r, text, sizeof(text));
  ck_assert_msg(!strcmp(text, wanted), "%s instead of %s, %s", text, wanted, sn_error_message(c));
}

static sn_ragged *words(void) {  // G1: the code points of four words
  static const int32_t points[] = {67,  97, 102, 233, 67,  111, 102,   102,  101,
                                   101, 99, 97,  102, 102, 232, 21654, 21857};
  static const int64_t lengths[] = {4, 6, 5, 2};
  return sn_ragged_constant(c, SN_I32, points, lengths, 4);
}

START_TEST(words_are_indexed_sliced_joined_and_filled_up) {
  SN_SCOPE(c);
  sn_ragged *r = words();
  check_ragged(sn_ragged_index(r, 1), "[ 67 111 102 102 101 101]");
  check_ragged(sn_ragged_slice(r, &SN_RANGE(1, 3, 1), 1),
               "[[ 67 111 102 102 101 101] [ 99  97 102 102 232]]");
  const int32_t more[] = {65, 66, 67}, columns[] = {68, 69, 70, 71, 72, 73};
  sn_ragged *below = sn_ragged_constant(c, SN_I32, more, (int64_t[]){2, 0, 1}, 3);
  sn_ragged *beside = sn_ragged_constant(c, SN_I32, columns, (int64_t[]){3, 1, 0, 2}, 4);
  sn_ragged *all = sn_ragged_concat((sn_ragged *const[]){r, below}, 2, 0);
  int64_t lengths[7];
  ck_assert_int_eq(sn_read(sn_ragged_row_lengths(all, 0), lengths, sizeof(lengths)), SN_OK);
  ck_assert_mem_eq(lengths, ((const int64_t[]){4, 6, 5, 2, 2, 0, 1}), sizeof(lengths));
  sn_ragged *wide = sn_ragged_concat((sn_ragged *const[]){r, beside}, 2, 1);
  ck_assert_int_eq(sn_read(sn_ragged_row_lengths(wide, 0), lengths, 4 * sizeof(*lengths)), SN_OK);
  ck_assert_mem_eq(lengths, ((const int64_t[]){7, 7, 5, 4}), 4 * sizeof(*lengths));
  check_ragged(sn_ragged_index(wide, -1), "[21654 21857    72    73]");
  int32_t dense[4][6];
  ck_assert_int_eq(sn_read(sn_ragged_to_tensor(r), dense, sizeof(dense)), SN_OK);
  ck_assert_int_eq(dense[3][1], 21857);
  ck_assert_int_eq(dense[3][2] | dense[0][4] | dense[2][5], 0);
}
END_TEST

START_TEST(empty_rows_have_neutral_elements) {
  SN_SCOPE(c);
  const float values[] = {1, 2};
  sn_ragged *r = sn_ragged_constant(c, SN_F32, values, (int64_t[]){2, 0}, 2);
  float two[2];
  ck_assert_int_eq(sn_read(sn_ragged_dense(sn_ragged_max(r, 1)), two, sizeof(two)), SN_OK);
  ck_assert(two[0] == 2 && two[1] == -3.40282346638528859812e38f);
  ck_assert_int_eq(sn_read(sn_ragged_dense(sn_ragged_prod(r, 1)), two, sizeof(two)), SN_OK);
  ck_assert(two[0] == 2 && two[1] == 1);
  double mean[2];
  const int32_t whole[] = {1, 2};
  sn_ragged *integers = sn_ragged_constant(c, SN_I32, whole, (int64_t[]){2, 0}, 2);
  ck_assert_int_eq(sn_read(sn_ragged_dense(sn_ragged_mean(integers, -1)), mean, sizeof(mean)),
                   SN_OK);
  ck_assert(mean[0] == 1.5 && mean[1] != mean[1]);
  // two passes: TensorFlow's difference of squares gives 0
  const float close[] = {10000, 10001};
  ck_assert_int_eq(sn_read(sn_ragged_dense(sn_ragged_var(
                               sn_ragged_constant(c, SN_F32, close, (int64_t[]){2}, 1), 1)),
                           two, sizeof(float)),
                   SN_OK);
  ck_assert(two[0] == 0.25f);
}
END_TEST

// The same without blanks inside of rows.
static void check_numbers(const sn_ragged *r, const char *wanted) {
  char text[400], got[400];
  (void)sn_ragged_format(r, text, sizeof(text));
  size_t n = 0;
  for (const char *t = text; *t; t++)
    if (*t != ' ' || (n && got[n - 1] != ' ' && got[n - 1] != '[' && t[1] != ' ')) got[n++] = *t;
  got[n] = 0;
  ck_assert_msg(!strcmp(got, wanted), "%s instead of %s", got, wanted);
}

// ---- functions of structs
typedef struct batch {
  sn_ragged *rows;
} batch;
typedef struct answer {
  sn_ragged *rows;
  sn_tensor *loss;
} answer;
SN_COMPOSITE(batch_type, batch, SN_HANDLE(batch, rows, sn_ragged_type));
SN_COMPOSITE(answer_type, answer, SN_HANDLE(answer, rows, sn_ragged_type), SN_FIELD(answer, loss));
static int traces;

// The greatest of the first two of each row, of the rows and themselves turned: sums and gradients to the values.
static sn_status gradient_of_rows(sn_context *context, const void *in, void *out, void *user) {
  (void)context, (void)user;
  traces++;
  sn_ragged *r = ((const batch *)in)->rows;
  const sn_range_spec two[] = {SN_ALL, SN_RANGE(0, 2, 1)};
  sn_ragged *both = sn_ragged_concat(
      (sn_ragged *const[]){sn_ragged_slice(r, two, 2), sn_ragged_map((sn_square), r)}, 2, 1);
  sn_tensor *best = sn_ragged_dense(sn_ragged_max(both, 1));
  sn_tensor *empty = sn_equal(sn_ragged_row_lengths(both, 0), 0);
  answer *a = out;
  a->loss = sn_sum(sn_where(empty, sn_zeros_like(best), best));
  sn_tensor *parts[8], *g;
  sn_ragged_open(r, parts);
  sn_gradients(a->loss, parts, 1, &g);
  a->rows = sn_ragged_with_flat_values(r, g);
  return sn_pending_error(context);
}

START_TEST(one_trace_serves_rows_of_all_lengths_and_gradients_go_through) {
  sn_function *f = sn_struct_function(c, gradient_of_rows, &batch_type, &answer_type);
  traces = 0;
  for (int k = 0; k < 4; k++) {
    SN_SCOPE(c);
    const float values[] = {3, 0.5f, -2, 0.25f, 0.5f, 7};
    const int64_t lengths[][3] = {{2, 0, 4}, {0, 6, 0}, {3, 3, 0}, {1, 1, 4}};
    const char *const wanted[] = {"[[6. 0.] [] [0. 0. 0. 14.]]", "[[] [0. 0. 0. 0. 0. 14.] []]",
                                  "[[6. 0. 0.] [0. 0. 14.] []]", "[[6.] [1.] [0. 0. 0. 14.]]"};
    const double losses[] = {9 + 49, 49, 9 + 49, 9 + 0.5 + 49};
    batch in = {sn_ragged_constant(c, SN_F32, values, lengths[k], 3)};
    answer out = {NULL, NULL};
    ck_assert_msg(!sn_call_struct(f, SN_STRUCT(batch_type, &in), SN_STRUCT(answer_type, &out)),
                  "%s", sn_error_message(c));
    double loss;
    ck_assert_int_eq(sn_item(out.loss, &loss), SN_OK);
    ck_assert_double_eq(loss, losses[k]);
    check_numbers(out.rows, wanted[k]);
  }
  ck_assert_int_le(traces, 2);  // the number of values is a size like any other
  sn_function_destroy(f);
}
END_TEST

START_TEST(messages_name_rows_and_lines) {
  SN_SCOPE(c);
  sn_ragged *r = words();
  (void)sn_ragged_index(r, 5);
  ck_assert_int_eq(sn_check(c), SN_ERR_INDEX);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "sn_ragged_index: ragged_index: row 5 of 4"));
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "test_ragged.c:"));
  sn_tensor *vector = sn_constant(c, SN_I32, SN_SHAPE(2), ((int32_t[]){1, 2}));
  (void)sn_ragged_map2((sn_add), r, sn_ragged_from_dense(vector));
  ck_assert_int_eq(sn_check(c), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(c), "row 0 along axis 1 has 4 elements, the dim is 2"));
  (void)sn_ragged_sum(r, 2);
  ck_assert_int_eq(sn_check(c), SN_ERR_SHAPE);
  (void)sn_ragged_gather(NULL, vector);
  (void)sn_ragged_sum(sn_ragged_gather(r, sn_constant(c, SN_I32, SN_SHAPE(1), ((int32_t[]){-1}))),
                      1);
  ck_assert_int_eq(sn_check(c), SN_ERR_INDEX);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "sn_ragged_gather"));
}
END_TEST

static void expect(sn_status status, const char *words) {
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), words) != NULL, "%s", sn_error_message(c));
}

START_TEST(numbers_of_rows_are_held_to_each_other) {
  SN_SCOPE(c);
  const float values[] = {1, 2, 3};
  sn_ragged *three = sn_ragged_constant(c, SN_F32, values, (int64_t[]){2, 0, 1}, 3);
  sn_ragged *one = sn_ragged_constant(c, SN_F32, values, (int64_t[]){2}, 1);
  (void)sn_ragged_concat((sn_ragged *const[]){three, one}, 2, 1);
  expect(SN_ERR_SHAPE, "rs[1] has 1 rows, another 3");
  (void)sn_ragged_from_tensor(sn_zeros(c, SN_F32, SN_SHAPE(3, 2)),
                              .lengths = sn_ones(c, SN_I64, SN_SHAPE(1)));
  expect(SN_ERR_SHAPE, "1 lengths of 3 rows");
}
END_TEST

// Parts that nobody has checked.
START_TEST(rows_that_do_not_fit_read_and_write_nothing_else) {
  static const int64_t wrong[][3] = {
      {0, INT64_MAX, 2}, {0, 5, 3}, {-4, 1, 3}, {0, 2, 1000}, {INT64_MIN, 0, 3}};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    SN_SCOPE(c);
    sn_tensor *const parts[8] = {sn_zeros(c, SN_F32, SN_SHAPE(3)),
                                 sn_constant(c, SN_I64, SN_SHAPE(3), wrong[i])};
    sn_ragged *r = sn_ragged_make(c, parts);
    const sn_range_spec backwards[] = {SN_ALL, {SN_END, SN_END, INT64_MIN}};
    sn_tensor *both = sn_constant(c, SN_I64, SN_SHAPE(2), ((int64_t[]){1, 0}));
    (void)sn_ragged_sum(r, 1);
    ck_assert_int_ne(sn_check(c), SN_OK);
    (void)sn_ragged_slice(r, backwards, 2);
    ck_assert_int_ne(sn_check(c), SN_OK);
    (void)sn_ragged_to_tensor(r);
    ck_assert_int_ne(sn_check(c), SN_OK);
    (void)sn_ragged_gather(r, both);
    ck_assert_int_ne(sn_check(c), SN_OK);
    (void)sn_ragged_concat((sn_ragged *const[]){r, r}, 2, 1);
    ck_assert_int_ne(sn_check(c), SN_OK);
  }
}
END_TEST

// ---- loops, branches, second derivatives: op by op and compiled
typedef struct state {
  sn_ragged *rows;
  sn_tensor *n;
} state;
SN_COMPOSITE(state_type, state, SN_HANDLE(state, rows, sn_ragged_type), SN_FIELD(state, n));

static sn_status doubled(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  const state *s = in;
  *(state *)out = (state){sn_ragged_map2((sn_add), s->rows, s->rows), sn_add(s->n, 1)};
  return sn_pending_error(context);
}
static sn_status squared(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  const state *s = in;
  *(state *)out = (state){sn_ragged_map((sn_square), s->rows), s->n};
  return sn_pending_error(context);
}
static sn_status below_three(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  *(sn_tensor **)out = sn_less(((const state *)in)->n, 3);
  return sn_pending_error(context);
}
static sn_status loop_and_branch(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  state s;
  sn_while_struct(context, below_three, doubled, NULL, SN_STRUCT(state_type, (const state *)in),
                  &s);
  return sn_cond_struct(context, sn_greater(s.n, 2), squared, doubled, NULL,
                        SN_STRUCT(state_type, &s), SN_STRUCT(state_type, (state *)out));
}
// y = the sum of all x^3 and of (x^2)^3 of the first two of each row, through a join, a gather and a fill; d/dx of |dy/dx|^2.
static sn_status second_derivative(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  sn_ragged *r = ((const state *)in)->rows;
  const sn_range_spec two[] = {SN_ALL, SN_RANGE(0, 2, 1)};
  sn_ragged *squares = sn_ragged_map((sn_square), sn_ragged_slice(r, two, 2));
  sn_ragged *both = sn_ragged_concat((sn_ragged *const[]){r, squares}, 2, 1);
  sn_tensor *rows = sn_range_like(sn_ragged_row_lengths(r, 0), 0, SN_I64);
  sn_tensor *filled = sn_ragged_to_tensor(sn_ragged_gather(both, rows));
  sn_tensor *y = sn_sum(sn_mul(sn_square(filled), filled)), *parts[8], *first, *second;
  sn_ragged_open(r, parts);
  sn_gradients(y, parts, 1, &first);
  sn_gradients(sn_sum(sn_square(first)), parts, 1, &second);
  *(state *)out = (state){sn_ragged_with_flat_values(r, second), y};
  return sn_pending_error(context);
}

// Rows that grow in a loop, and that branches make of different sizes.
static sn_status joined(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  const state *s = in;
  sn_ragged *const two[] = {s->rows, s->rows};
  *(state *)out = (state){sn_ragged_concat(two, 2, 1), sn_add(s->n, 1)};
  return sn_pending_error(context);
}
static sn_status first_of_each(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  const state *s = in;
  const sn_range_spec one[] = {SN_ALL, SN_RANGE(0, 1, 1)};
  *(state *)out = (state){sn_ragged_slice(s->rows, one, 2), s->n};
  return sn_pending_error(context);
}
static sn_status grow_and_choose(sn_context *context, const void *in, void *out, void *user) {
  state s;
  (void)user;
  const state *from = in;
  sn_while_struct_resizing(context, below_three, joined, NULL, SN_STRUCT(state_type, from), &s);
  return sn_cond_struct(context, sn_greater(sn_ragged_nrows(s.rows), 2), first_of_each, joined,
                        NULL, SN_STRUCT(state_type, &s), SN_STRUCT(state_type, (state *)out));
}

START_TEST(rows_grow_in_loops_and_differ_in_branches) {
  static const char *const wanted[] = {"[[1 2 1 2 1 2 1 2] [3 3 3 3]]", "[[1] [] [3]]"};
  sn_function *f = sn_struct_function(c, grow_and_choose, &state_type, &state_type);
  for (int k = 0; k < 4; k++) {
    SN_SCOPE(c);
    const int32_t values[] = {1, 2, 3};
    const int rows = k % 2 ? 3 : 2;
    const int64_t two[] = {2, 1}, three[] = {2, 0, 1};
    state in = {sn_ragged_constant(c, SN_I32, values, rows == 2 ? two : three, rows),
                sn_scalar_i32(c, rows == 2 ? 2 : 0)},
          out;
    const sn_status status =
        k < 2 ? sn_call_struct_eager(f, SN_STRUCT(state_type, &in), SN_STRUCT(state_type, &out))
              : sn_call_struct(f, SN_STRUCT(state_type, &in), SN_STRUCT(state_type, &out));
    ck_assert_msg(!status, "%s", sn_error_message(c));
    check_ragged(out.rows, wanted[k % 2]);
  }
  sn_function_destroy(f);
}
END_TEST

START_TEST(structs_of_rows_go_through_loops_branches_and_second_derivatives) {
  static const sn_struct_callback callbacks[] = {loop_and_branch, second_derivative};
  // 2 (3x^2 + 6x^5) (6x + 30x^4); of a third in a row 2 (3x^2) (6x)
  static const float wanted[][4] = {{64, 256, 16, 576}, {648, -168480, 4.5f, 7270560}};
  for (int k = 0; k < 2; k++) {
    sn_function *f = sn_struct_function(c, callbacks[k], &state_type, &state_type);
    for (int eager = 0; eager < 2; eager++) {
      SN_SCOPE(c);
      const float values[] = {1, -2, 0.5f, 3};
      state in = {sn_ragged_constant(c, SN_F32, values, (int64_t[]){3, 0, 1}, 3),
                  sn_scalar_i32(c, 0)};
      state out;
      const sn_status status =
          eager ? sn_call_struct_eager(f, SN_STRUCT(state_type, &in), SN_STRUCT(state_type, &out))
                : sn_call_struct(f, SN_STRUCT(state_type, &in), SN_STRUCT(state_type, &out));
      ck_assert_msg(status == SN_OK, "%s", sn_error_message(c));
      float got[4];
      ck_assert_int_eq(sn_read(sn_ragged_flat_values(out.rows), got, sizeof(got)), SN_OK);
      for (int i = 0; i < 4; i++)
        ck_assert_float_eq_tol(got[i], wanted[k][i], 1e-4f * (1 + fabsf(wanted[k][i])));
      int64_t lengths[3];
      ck_assert_int_eq(sn_read(sn_ragged_row_lengths(out.rows, 0), lengths, sizeof(lengths)),
                       SN_OK);
      ck_assert_mem_eq(lengths, ((const int64_t[]){3, 0, 1}), sizeof(lengths));
    }
    sn_function_destroy(f);
  }
}
END_TEST

// RG4, which TensorFlow refuses: rows that happen to be of one length broadcast as any.
START_TEST(plain_tensors_broadcast_where_the_lengths_allow_it) {
  SN_SCOPE(c);
  const int32_t values[] = {1, 2, 3, 4};
  sn_ragged *r = sn_ragged_constant(c, SN_I32, values, (int64_t[]){2, 2}, 2);
  sn_tensor *row = sn_constant(c, SN_I32, SN_SHAPE(2), ((int32_t[]){10, 20}));
  check_ragged(sn_ragged_map2((sn_add), r, sn_ragged_from_dense(row)), "[[11 22] [13 24]]");
  sn_ragged *uneven = sn_ragged_constant(c, SN_I32, values, (int64_t[]){3, 1}, 2);
  sn_tensor *column = sn_constant(c, SN_I32, SN_SHAPE(2, 1), ((int32_t[]){10, 20}));
  check_ragged(sn_ragged_map2((sn_add), uneven, sn_ragged_from_dense(column)), "[[11 12 13] [24]]");
  check_ragged(sn_ragged_map2((sn_sub), sn_ragged_from_dense(column), uneven), "[[9 8 7] [16]]");
}
END_TEST

// Random rows: filled up and cut down again, and what reductions, joins and orders are of the rows as plain tensors.
START_TEST(rows_are_what_plain_tensors_say) {
  uint64_t random = 11;
  for (int round = 0; round < 60; round++) {
    SN_SCOPE(c);
    int64_t lengths[12], n = 0;
    int32_t values[200];
    const int rows = 1 + round % 12;
    for (int i = 0; i < rows; i++) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      lengths[i] = (int64_t)(random >> 60);
      for (int64_t k = 0; k < lengths[i]; k++, n++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        values[n] = (int32_t)(random >> 52) - 2048;
      }
    }
    sn_ragged *r = sn_ragged_constant(c, SN_I32, values, lengths, rows);
    sn_tensor *filled = sn_ragged_to_tensor(r), *of_lengths = sn_ragged_row_lengths(r, 0);
    sn_ragged *const two[] = {r, r};
    double equal[5] = {0};
    ck_assert_int_eq(
        sn_item(sn_ragged_equal(sn_ragged_from_tensor(filled, .lengths = of_lengths), r),
                &equal[0]),
        SN_OK);
    ck_assert_int_eq(sn_item(sn_all(sn_equal(sn_ragged_dense(sn_ragged_sum(r, 1)),
                                             sn_sum(filled, .axes = SN_AXES(1)))),
                             &equal[1]),
                     SN_OK);
    ck_assert_int_eq(
        sn_item(sn_ragged_equal(sn_ragged_reverse(sn_ragged_reverse(r, 1), 1), r), &equal[2]),
        SN_OK);
    ck_assert_int_eq(
        sn_item(sn_all(sn_equal(sn_ragged_dense(sn_ragged_sum(sn_ragged_concat(two, 2, 1), 1)),
                                sn_mul(sn_sum(filled, .axes = SN_AXES(1)), 2))),
                &equal[3]),
        SN_OK);
    sn_ragged *up = sn_ragged_sort(r, false), *down = sn_ragged_reverse(sn_ragged_sort(r, true), 1);
    ck_assert_int_eq(sn_item(sn_ragged_equal(up, down), &equal[4]), SN_OK);
    for (int k = 0; k < 5; k++) ck_assert_msg(equal[k] == 1, "round %d, %d", round, k);
  }
}
END_TEST

START_TEST(rows_are_compared_as_a_whole_sorted_and_searched) {
  SN_SCOPE(c);
  const int32_t values[] = {3, 1, 2, 9, 9};
  sn_ragged *r = sn_ragged_constant(c, SN_I32, values, (int64_t[]){3, 0, 2}, 3);
  check_ragged(sn_ragged_sort(r, false), "[[1 2 3] [] [9 9]]");
  check_ragged(sn_ragged_argsort(r, true), "[[0 2 1] [] [0 1]]");
  check_ragged(sn_ragged_argmax(r), "[ 0 -1  0]");
  check_ragged(sn_ragged_argmin(r), "[ 1 -1  0]");
  double equal;
  ck_assert_int_eq(sn_item(sn_ragged_equal(r, r), &equal), SN_OK);
  ck_assert(equal == 1);
  sn_ragged *other = sn_ragged_constant(c, SN_I32, values, (int64_t[]){3, 1, 1}, 3);
  ck_assert_int_eq(sn_item(sn_ragged_equal(r, other), &equal), SN_OK);
  ck_assert(equal == 0);
  sn_ragged *fewer = sn_ragged_constant(c, SN_I32, NULL, (int64_t[]){0, 0, 0}, 3);
  ck_assert_int_eq(sn_item(sn_ragged_equal(r, fewer), &equal), SN_OK);
  ck_assert(equal == 0);
}
END_TEST

// [2, (rows), 2] times [2, (2), (columns)].
static sn_status multiply(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  sn_ragged *a = sn_ragged_from_row_lengths(in[0], in[1]);
  sn_ragged *b = sn_ragged_from_row_lengths(in[2], in[3]);
  sn_ragged *y = sn_ragged_matmul(a, sn_ragged_nest(b, in[4]));
  out[0] = sn_sum(sn_square(sn_ragged_flat_values(y)));
  return SN_OK;
}

START_TEST(matrices_of_different_sizes_are_multiplied) {
  SN_SCOPE(c);
  const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 1, 2, 0, 3, 4};
  const int64_t rows[] = {2, 1}, columns[] = {1, 1, 2, 2};
  sn_ragged *x = sn_ragged_from_row_lengths(sn_constant(c, SN_F32, SN_SHAPE(3, 2), a),
                                            sn_constant(c, SN_I64, SN_SHAPE(2), rows));
  sn_ragged *y = sn_ragged_nest(sn_ragged_constant(c, SN_F32, b, columns, 4),
                                sn_constant(c, SN_I64, SN_SHAPE(3), ((int64_t[]){0, 2, 4})));
  check_ragged(sn_ragged_matmul(x, y), "[[[3.] [7.]] [[28. 24.]]]");
  check_ragged(sn_ragged_matmul(y, x, .transpose_a = true, .transpose_b = true),
               "[[[3. 7.]] [[28.] [24.]]]");
  // two dims: one matrix; more than three: rows of matrices
  sn_tensor *plain = sn_constant(c, SN_F32, SN_SHAPE(2, 2), b);
  sn_ragged *flat = sn_ragged_constant(c, SN_F32, a, (int64_t[]){2, 2}, 2);
  check_ragged(sn_ragged_matmul(flat, sn_ragged_from_dense(plain)), "[[ 5.  1.]\n [11.  3.]]");
  sn_tensor *outer = sn_constant(c, SN_I64, SN_SHAPE(3), ((int64_t[]){0, 0, 2}));
  check_ragged(sn_ragged_matmul(sn_ragged_nest(x, outer), sn_ragged_nest(y, outer)),
               "[[] [[[3.] [7.]] [[28. 24.]]]]");
  sn_ragged *uneven = sn_ragged_constant(c, SN_F32, a, (int64_t[]){1, 2}, 2);
  ck_assert(sn_failed(sn_ragged_matmul(uneven, sn_ragged_from_dense(plain))));
  ck_assert_int_eq(sn_check(c), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "matrix 0 of a has rows of different lengths"), "%s",
                sn_error_message(c));
  ck_assert(sn_failed(sn_ragged_matmul(x, x)));
  ck_assert_int_eq(sn_check(c), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "matrix 1: [1,2] times [1,2]"), "%s",
                sn_error_message(c));
  ck_assert(sn_failed(sn_ragged_matmul(flat, x)));
  ck_assert_int_eq(sn_check(c), SN_ERR_SHAPE);
  sn_tensor *in[] = {
      sn_constant(c, SN_F32, SN_SHAPE(3, 2), a), sn_constant(c, SN_I64, SN_SHAPE(2), rows),
      sn_constant(c, SN_F32, SN_SHAPE(6), b), sn_constant(c, SN_I64, SN_SHAPE(4), columns),
      sn_constant(c, SN_I64, SN_SHAPE(3), ((int64_t[]){0, 2, 4}))};
  ck_assert_msg(!sn_check_gradients(c, multiply, in, 5, 1, NULL), "%s", sn_error_message(c));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ragged");
  TCase *tc = tcase_create("ragged");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, a_ragged_tensor_has_the_parts_it_is_made_of);
  tcase_add_test(tc, it_lives_as_long_as_it_is_held);
  tcase_add_test(tc, what_is_wrong_with_splits_is_said);
  tcase_add_test(tc, words_are_indexed_sliced_joined_and_filled_up);
  tcase_add_test(tc, empty_rows_have_neutral_elements);
  tcase_add_test(tc, one_trace_serves_rows_of_all_lengths_and_gradients_go_through);
  tcase_add_test(tc, messages_name_rows_and_lines);
  tcase_add_test(tc, plain_tensors_broadcast_where_the_lengths_allow_it);
  tcase_add_test(tc, rows_are_compared_as_a_whole_sorted_and_searched);
  tcase_add_test(tc, numbers_of_rows_are_held_to_each_other);
  tcase_add_test(tc, rows_that_do_not_fit_read_and_write_nothing_else);
  tcase_add_test(tc, matrices_of_different_sizes_are_multiplied);
  tcase_add_test(tc, rows_grow_in_loops_and_differ_in_branches);
  tcase_add_test(tc, rows_are_what_plain_tensors_say);
  tcase_add_test(tc, structs_of_rows_go_through_loops_branches_and_second_derivatives);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
