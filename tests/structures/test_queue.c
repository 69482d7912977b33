// Queues: what comes out, when, in which order, of which shape; what is refused; in compiled functions, loops and branches.
#include <sinter/structures.h>

#include <check.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static const sn_spec number = {SN_I32, {0, {0}}}, word = {SN_STRING, {0, {0}}};
static const sn_spec any_row = {SN_F32, {1, {SN_UNKNOWN}}};

static sn_tensor *i32(int32_t value) {
  return sn_scalar_i32(c, value);
}

static void check_error(sn_status status, sn_status wanted, const char *words) {
  ck_assert_msg(status == wanted, "%s instead of %s: %s", sn_status_name(status),
                sn_status_name(wanted), sn_error_message(c));
  ck_assert_int_eq(sn_check(c), wanted);
  ck_assert_msg(strstr(sn_error_message(c), words), "%s", sn_error_message(c));
  ck_assert_msg(strstr(sn_error_message(c), "test_queue.c:"), "%s", sn_error_message(c));
}

static int64_t size_of(sn_queue *q) {
  int64_t size = -1;
  ck_assert_int_eq(sn_read(sn_queue_size(c, q), &size, sizeof(size)), SN_OK);
  return size;
}

static void put(sn_queue *q, int32_t value) {
  SN_SCOPE(c);
  ck_assert_int_eq(sn_queue_enqueue(c, q, SN_ARGS(i32(value))), SN_OK);
}

static int32_t take(sn_queue *q) {
  SN_SCOPE(c);
  sn_tensor *out;
  int32_t value = -1;
  ck_assert_msg(!sn_queue_dequeue(c, q, &out, 1), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(out, &value, sizeof(value)), SN_OK);
  return value;
}

static void check_i32s(const sn_tensor *t, int64_t n, const int32_t *wanted) {
  int32_t got[16];
  ck_assert_int_eq(sn_size(t), n);
  ck_assert_int_eq(sn_read(t, got, (size_t)n * sizeof(*got)), SN_OK);
  for (int64_t i = 0; i < n; i++) ck_assert_int_eq(got[i], wanted[i]);
}

static void check_words(const sn_tensor *t, int n, const char *const *wanted) {
  sn_text got[16];
  ck_assert_int_eq(sn_read_strings(t, got, n), SN_OK);
  for (int i = 0; i < n; i++) {
    ck_assert_uint_eq(got[i].length, strlen(wanted[i]));
    ck_assert_int_eq(strncmp(got[i].data, wanted[i], got[i].length), 0);
  }
}

START_TEST(records_come_out_as_they_went_in) {  // Q1, Q2
  SN_SCOPE(c);
  const sn_spec both[] = {number, word};
  sn_queue *q = sn_queue_create(c, both, 2, .capacity = 10, .name = "weather");
  ck_assert_int_eq(sn_queue_enqueue(c, q, SN_ARGS(i32(10), sn_scalar_string(c, "windy"))), SN_OK);
  ck_assert_int_eq(sn_queue_enqueue(c, q, SN_ARGS(i32(15), sn_scalar_string(c, "sunny"))), SN_OK);
  ck_assert_int_eq(size_of(q), 2);
  sn_tensor *out[2];
  ck_assert_int_eq(sn_queue_dequeue(c, q, out, 2), SN_OK);
  check_i32s(out[0], 1, (const int32_t[]){10});
  check_words(out[1], 1, (const char *const[]){"windy"});
  const char *const words[] = {"cloudy", "rainy"};
  const int32_t degrees[] = {13, 16};
  ck_assert_int_eq(sn_queue_enqueue_many(c, q,
                                         SN_ARGS(sn_constant(c, SN_I32, SN_SHAPE(2), degrees),
                                                 sn_strings(c, SN_SHAPE(2), words))),
                   SN_OK);
  char text[120];
  (void)sn_queue_format(q, text, sizeof(text));
  ck_assert_str_eq(text, "queue \"weather\": FIFO, 3 of 10 records of (i32[], string[])");
  ck_assert_int_eq(sn_queue_dequeue_many(c, q, 3, out, 2), SN_OK);
  check_i32s(out[0], 3, (const int32_t[]){15, 13, 16});
  check_words(out[1], 3, (const char *const[]){"sunny", "cloudy", "rainy"});
  ck_assert_int_eq(size_of(q), 0);
}
END_TEST

START_TEST(equal_priorities_come_in_order) {  // QU1
  SN_SCOPE(c);
  const sn_spec both[] = {{SN_I64, {0, {0}}}, number};
  sn_queue *q = sn_queue_create(c, both, 2, .kind = SN_QUEUE_PRIORITY);
  static const int64_t priorities[] = {3, 1, 1, 2, 1, 3, 1, -5, 1};
  for (int i = 0; i < 9; i++)
    ck_assert_int_eq(sn_queue_enqueue(c, q, SN_ARGS(sn_scalar_i64(c, priorities[i]), i32(i))),
                     SN_OK);
  sn_tensor *out[2];
  ck_assert_int_eq(sn_queue_dequeue_many(c, q, 9, out, 2), SN_OK);
  check_i32s(out[1], 9, (const int32_t[]){7, 1, 2, 4, 6, 8, 3, 0, 5});
}
END_TEST

START_TEST(a_closed_queue_gives_what_it_has) {  // QU2, QU5
  SN_SCOPE(c);
  sn_queue *q = sn_queue_create(c, &number, 1, .capacity = 5);
  sn_tensor *out;
  for (int i = 0; i < 3; i++) put(q, i);
  ck_assert_int_eq(sn_queue_close(c, q, false), SN_OK);
  bool closed = false;
  ck_assert_int_eq(sn_read(sn_queue_is_closed(c, q), &closed, 1), SN_OK);
  ck_assert(closed);
  check_error(
      sn_queue_dequeue_many(c, q, 5, &out, 1), SN_ERR_END,
      "sn_queue_dequeue_many: take: queue \"queue\" is closed: records wanted: 5, less are left");
  ck_assert(sn_failed(out));
  ck_assert_int_eq(size_of(q), 3);
  ck_assert_int_eq(sn_queue_dequeue_up_to(c, q, 5, &out, 1), SN_OK);
  check_i32s(out, 3, (const int32_t[]){0, 1, 2});
  check_error(sn_queue_dequeue_up_to(c, q, 5, &out, 1), SN_ERR_END, "is closed");
  check_error(sn_queue_dequeue(c, q, &out, 1), SN_ERR_END, "is closed");
  check_error(sn_queue_enqueue(c, q, SN_ARGS(i32(1))), SN_ERR_CANCELLED,
              "sn_queue_enqueue: put: queue \"queue\" is closed: 0 of 1 records were put in");
  ck_assert_int_eq(sn_queue_close(c, q, true), SN_OK);
}
END_TEST

START_TEST(closing_lifts_the_minimum) {  // QU3
  SN_SCOPE(c);
  sn_queue *q =
      sn_queue_create(c, &number, 1, .kind = SN_QUEUE_SHUFFLE, .min_after_dequeue = 2, .seed = 7);
  sn_tensor *out;
  int32_t seen = 0;
  for (int i = 0; i < 3; i++) put(q, 1 << i);
  seen |= take(q);
  check_error(sn_queue_dequeue(c, q, &out, 1, .timeout = -1), SN_ERR_DEADLINE,
              "and the call may not wait");
  ck_assert_int_eq(sn_queue_close(c, q, false), SN_OK);
  seen |= take(q);
  seen |= take(q);
  ck_assert_int_eq(seen, 7);
  check_error(sn_queue_dequeue(c, q, &out, 1), SN_ERR_END, "is closed");
}
END_TEST

START_TEST(a_seed_has_one_order) {
  SN_SCOPE(c);
  int32_t order[2][20], sum = 0;
  for (int k = 0; k < 2; k++) {
    sn_queue *q = sn_queue_create(c, &number, 1, .kind = SN_QUEUE_SHUFFLE, .seed = 3);
    for (int i = 0; i < 20; i++) put(q, i);
    for (int i = 0; i < 20; i++) order[k][i] = take(q);
  }
  ck_assert_mem_eq(order[0], order[1], sizeof(order[0]));
  int in_place = 0;
  for (int i = 0; i < 20; i++) sum += order[0][i], in_place += order[0][i] == i;
  ck_assert_int_eq(sum, 190);
  ck_assert_int_lt(in_place, 10);
}
END_TEST

START_TEST(sizes_that_differ_are_padded) {  // QU6
  SN_SCOPE(c);
  const sn_spec specs[] = {{SN_F32, {2, {SN_UNKNOWN, 2}}}, {SN_STRING, {1, {SN_UNKNOWN}}}};
  sn_queue *q = sn_queue_create(c, specs, 2, .kind = SN_QUEUE_PADDING_FIFO);
  const float values[] = {1, 2, 3, 4};
  const char *const words[] = {"a", "bc"};
  for (int64_t k = 1; k <= 2; k++)
    ck_assert_int_eq(sn_queue_enqueue(c, q,
                                      SN_ARGS(sn_constant(c, SN_F32, SN_SHAPE(k, 2), values),
                                              sn_strings(c, SN_SHAPE(3 - k), words))),
                     SN_OK);
  sn_tensor *out[2];
  ck_assert_int_eq(sn_queue_dequeue_many(c, q, 0, out, 2), SN_OK);
  ck_assert(sn_rank(out[0]) == 3 && sn_dim(out[0], 0) == 0 && sn_dim(out[0], 1) == 0 &&
            sn_dim(out[0], 2) == 2 && sn_dim(out[1], 1) == 0);
  ck_assert_int_eq(sn_queue_dequeue_many(c, q, 2, out, 2), SN_OK);
  float got[8];
  ck_assert_int_eq(sn_read(out[0], got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, ((const float[]){1, 2, 0, 0, 1, 2, 3, 4}), sizeof(got));
  check_words(out[1], 4, (const char *const[]){"a", "bc", "a", ""});
  sn_queue *plain = sn_queue_create(c, &any_row, 1);
  check_error(sn_queue_dequeue_many(c, plain, 1, out, 1), SN_ERR_SHAPE,
              "component 0 is f32[?]: records of unknown size make no column");
}
END_TEST

START_TEST(records_of_any_shape_keep_theirs) {
  SN_SCOPE(c);
  const sn_spec specs[] = {{SN_F32, {-1, {0}}}, {SN_STRING, {1, {SN_UNKNOWN}}}};
  sn_queue *q = sn_queue_create(c, specs, 2);
  const char *const words[] = {"", "long enough to be on the heap"};
  ck_assert_int_eq(
      sn_queue_enqueue(
          c, q, SN_ARGS(sn_ones(c, SN_F32, SN_SHAPE(2, 3)), sn_strings(c, SN_SHAPE(2), words))),
      SN_OK);
  sn_tensor *out[2];
  ck_assert_msg(!sn_queue_dequeue(c, q, out, 2), "%s", sn_error_message(c));
  ck_assert(sn_rank(out[0]) == 2 && sn_dim(out[0], 1) == 3);
  check_words(out[1], 2, words);
}
END_TEST

START_TEST(who_waits_in_vain_is_told) {
  SN_SCOPE(c);
  sn_queue *q = sn_queue_create(c, &number, 1, .capacity = 2, .name = "narrow");
  sn_tensor *out;
  check_error(sn_queue_dequeue(c, q, &out, 1), SN_ERR_DEADLOCK,
              "queue \"narrow\": 0 of 1 records are there to be taken, and no other context");
  const int32_t three[] = {1, 2, 3};
  check_error(sn_queue_enqueue_many(c, q, SN_ARGS(sn_constant(c, SN_I32, SN_SHAPE(3), three))),
              SN_ERR_DEADLOCK, "queue \"narrow\" is full, with 2 records: 2 of 3 are put in");
  ck_assert_int_eq(size_of(q), 2);  // QU4
  check_error(sn_queue_dequeue_many(c, q, 3, &out, 1), SN_ERR_DEADLOCK, "2 of 3 records");
  ck_assert_int_eq(take(q), 1);
  sn_context *sibling;
  ck_assert_int_eq(sn_context_create(&sibling, .share = c), SN_OK);
  ck_assert_int_eq(take(q), 2);
  check_error(sn_queue_dequeue(c, q, &out, 1, .timeout = 0.01), SN_ERR_DEADLINE,
              "its time is over");
  sn_cancel(c);
  check_error(sn_queue_dequeue(c, q, &out, 1), SN_ERR_CANCELLED, "sn_queue_dequeue");
  sn_set_deadline(c, 0.01);
  check_error(sn_queue_dequeue(c, q, &out, 1), SN_ERR_DEADLINE, "sn_queue_dequeue");
  sn_set_deadline(c, SN_NO_DEADLINE);
  put(q, 5);
  sn_cancel(c);
  check_error(sn_queue_dequeue(c, q, &out, 1), SN_ERR_CANCELLED, "sn_queue_dequeue");
  ck_assert_int_eq(take(q), 5);
  sn_context_destroy(sibling);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
  SN_SCOPE(c);
  const sn_spec specs[] = {{SN_F32, {1, {3}}}, word};
  sn_queue *q = sn_queue_create(c, specs, 2, .name = "q"), *dead;
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(3)), *w = sn_scalar_string(c, "w"), *out[2];
  check_error(sn_queue_enqueue(c, q, SN_ARGS(w, x)), SN_ERR_DTYPE,
              "sn_queue_enqueue: queue \"q\": component 0 is string[], expected f32[3]");
  check_error(sn_queue_enqueue(c, q, SN_ARGS(sn_ones(c, SN_F32, SN_SHAPE(4)), w)), SN_ERR_SHAPE,
              "component 0 is f32[4], expected f32[3]");
  check_error(sn_queue_enqueue(c, q, SN_ARGS(x)), SN_ERR_ARGUMENT,
              "queue \"q\" has records of 2 components, given 1");
  check_error(sn_queue_enqueue(c, q, SN_ARGS(x, NULL)), SN_ERR_ARGUMENT, "component 1 is NULL");
  check_error(sn_queue_enqueue_many(c, q, SN_ARGS(x, w)), SN_ERR_SHAPE,
              "component 0 is f32[3], expected f32[?,3]");
  const char *const two[] = {"a", "b"};
  check_error(
      sn_queue_enqueue_many(
          c, q, SN_ARGS(sn_ones(c, SN_F32, SN_SHAPE(1, 3)), sn_strings(c, SN_SHAPE(2), two))),
      SN_ERR_SHAPE, "component 1 is of 2 records, component 0 of 1");
  check_error(sn_queue_dequeue_many(c, q, -3, out, 2), SN_ERR_ARGUMENT,
              "records, expected 0 or more");
  check_error(sn_queue_dequeue(c, NULL, out, 2), SN_ERR_ARGUMENT, "queue is NULL");
  ck_assert_int_eq(sn_queue_dequeue(NULL, q, out, 2), SN_ERR_ARGUMENT);
  {
    SN_SCOPE(c);
    dead = sn_queue_create(c, specs, 2);
  }
  check_error(sn_queue_dequeue(c, dead, out, 2), SN_ERR_STATE, "queue: its scope has ended");
  ck_assert(sn_failed(sn_queue_create(c, NULL, 1)));
  check_error(sn_pending_error(c), SN_ERR_ARGUMENT, "sn_queue_create: 1 components");
  ck_assert(sn_failed(sn_queue_create(c, specs, 2, .kind = SN_QUEUE_PRIORITY)));
  check_error(sn_pending_error(c), SN_ERR_DTYPE,
              "component 0, the priority, is f32[3], expected i64[]");
  ck_assert(sn_failed(sn_queue_create(c, specs, 2, .capacity = 2, .min_after_dequeue = 2)));
  check_error(sn_pending_error(c), SN_ERR_ARGUMENT, "a minimum below the capacity");
}
END_TEST

// ---- in functions
typedef struct two {
  sn_queue *in, *out;
} two;

// Doubles what is in one queue into another one, in a loop; odd numbers twice.
static sn_status twice(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = in[0];
  return sn_queue_enqueue(of, ((two *)user)->out, in, 1) ||
         sn_queue_enqueue(of, ((two *)user)->out, in, 1);
}
static sn_status once(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = in[0];
  return sn_queue_enqueue(of, ((two *)user)->out, in, 1);
}
static sn_status step(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x, *same;
  (void)sn_queue_dequeue(of, ((two *)user)->in, &x, 1);
  (void)sn_cond(of, sn_equal(sn_floor_mod(x, 2), 1), twice, once, user, &x, 1, &same, 1);
  out[0] = sn_add(in[1], same);
  return SN_OK;
}
static sn_status transfer(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *sum = sn_zeros_like(in[0]);
  sn_status status = sn_fori_loop(of, 0, 5, step, user, &sum, 1, out, 1);
  out[1] = sn_queue_size(of, ((two *)user)->out);
  return status;
}

START_TEST(functions_use_them_once_and_in_order) {
  for (int eager = 0; eager < 2; eager++) {
    SN_SCOPE(c);
    two both = {sn_queue_create(c, &number, 1), sn_queue_create(c, &number, 1)};
    sn_function *f = sn_function_create(c, transfer, .inputs = 1, .outputs = 2, .user = &both);
    sn_tensor *x = i32(0), *out[2];
    for (int k = 0; k < 3; k++) {
      for (int i = 0; i < 5; i++) put(both.in, i);
      const sn_status status = eager ? sn_call_eager(f, &x, 1, out, 2) : sn_call(f, &x, 1, out, 2);
      ck_assert_msg(!status, "%s", sn_error_message(c));
      check_i32s(out[0], 1, (const int32_t[]){10});
      double size;
      ck_assert_int_eq(sn_item(out[1], &size), SN_OK);
      ck_assert(size == 7);
      ck_assert_int_eq(sn_queue_dequeue_many(c, both.out, 7, out, 1), SN_OK);
      check_i32s(out[0], 7, (const int32_t[]){0, 1, 1, 2, 3, 3, 4});
    }
    ck_assert_int_eq(sn_call(f, &x, 1, out, 2), SN_ERR_DEADLOCK);
    ck_assert_msg(strstr(sn_error_message(c), "queue \"queue\": 0 of 1 records are there"), "%s",
                  sn_error_message(c));
    sn_function_destroy(f);
  }
}
END_TEST

static sn_status of_late_size(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in;
  sn_tensor *padded[2];
  (void)sn_queue_dequeue(of, user, out, 2);
  (void)sn_queue_dequeue_many(of, user, 2, padded, 2);
  out[2] = padded[0];
  out[3] = padded[1];
  (void)sn_queue_dequeue_up_to(of, user, 5, padded, 2);
  out[4] = sn_sum(padded[0], .axes = SN_AXES(0));
  return SN_OK;
}

START_TEST(sizes_are_known_in_the_run) {
  SN_SCOPE(c);
  const sn_spec specs[] = {any_row, {SN_STRING, {1, {SN_UNKNOWN}}}};
  sn_queue *q = sn_queue_create(c, specs, 2, .kind = SN_QUEUE_PADDING_FIFO);
  const float values[] = {1, 2, 3, 4};
  const char *const words[] = {"a", "bc", "d", "e"};
  sn_function *f = sn_function_create(c, of_late_size, .inputs = 0, .outputs = 5, .user = q);
  static const int64_t sizes[] = {1, 3, 2, 4, 0};
  for (int64_t i = 0; i < 5; i++)
    ck_assert_int_eq(sn_queue_enqueue(c, q,
                                      SN_ARGS(sn_constant(c, SN_F32, SN_SHAPE(sizes[i]), values),
                                              sn_strings(c, SN_SHAPE(sizes[i]), words))),
                     SN_OK);
  ck_assert_int_eq(sn_queue_close(c, q, false), SN_OK);
  sn_tensor *out[5];
  ck_assert_msg(!sn_call(f, NULL, 0, out, 5), "%s", sn_error_message(c));
  float got[6];
  ck_assert_int_eq(sn_dim(out[0], 0), 1);
  ck_assert_int_eq(sn_read(out[2], got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, ((const float[]){1, 2, 3, 1, 2, 0}), sizeof(got));
  check_words(out[3], 6, (const char *const[]){"a", "bc", "d", "a", "bc", ""});
  ck_assert_int_eq(sn_read(out[4], got, 4 * sizeof(*got)), SN_OK);
  ck_assert_mem_eq(got, values, sizeof(values));
  ck_assert_int_eq(sn_call(f, NULL, 0, out, 5), SN_ERR_END);
  sn_function_destroy(f);
}
END_TEST

START_TEST(tapes_note_records_as_constants) {
  SN_SCOPE(c);
  sn_queue *q = sn_queue_create(c, &any_row, 1);
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(2)), *out, *gradient;
  sn_tape *tape = sn_tape_begin(c);
  sn_tape_watch(tape, x);
  sn_tensor *y = sn_mul(x, 3.0);
  ck_assert_int_eq(sn_queue_enqueue(c, q, &y, 1), SN_OK);
  ck_assert_int_eq(sn_queue_dequeue(c, q, &out, 1), SN_OK);
  sn_tensor *loss = sn_sum(sn_mul(out, x));
  sn_tape_gradient(tape, loss, &x, 1, &gradient);
  sn_tape_end(tape);
  float got[2];
  ck_assert_int_eq(sn_read(gradient, got, sizeof(got)), SN_OK);
  ck_assert(got[0] == 3 && got[1] == 3);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("structures.queue");
  TCase *all = tcase_create("all");
  tcase_add_checked_fixture(all, open_context, close_context);
  tcase_add_test(all, records_come_out_as_they_went_in);
  tcase_add_test(all, equal_priorities_come_in_order);
  tcase_add_test(all, a_closed_queue_gives_what_it_has);
  tcase_add_test(all, closing_lifts_the_minimum);
  tcase_add_test(all, a_seed_has_one_order);
  tcase_add_test(all, sizes_that_differ_are_padded);
  tcase_add_test(all, records_of_any_shape_keep_theirs);
  tcase_add_test(all, who_waits_in_vain_is_told);
  tcase_add_test(all, what_does_not_fit_is_refused);
  tcase_add_test(all, functions_use_them_once_and_in_order);
  tcase_add_test(all, sizes_are_known_in_the_run);
  tcase_add_test(all, tapes_note_records_as_constants);
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
