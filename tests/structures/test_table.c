// Lookup tables: made, changed, looked up, exported; of files; what is refused; in functions and loops, of several threads.
#include <sinter/structures.h>

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
  ck_assert_msg(strstr(sn_error_message(c), "test_table.c:"), "%s", sn_error_message(c));
}

static sn_tensor *i64s(int64_t n, const int64_t *values) {
  return sn_constant(c, SN_I64, SN_SHAPE(n), values);
}
#define I64S(...) \
  i64s(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[]){__VA_ARGS__})
#define WORDS(...)                                                                \
  sn_strings(c, SN_SHAPE(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
             (const char *const[]){__VA_ARGS__})

static void check_i64s(const sn_tensor *t, int64_t n, const int64_t *wanted) {
  int64_t got[32];
  ck_assert_msg(sn_size(t) == n, "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(t, got, (size_t)n * sizeof(*got)), SN_OK);
  for (int64_t i = 0; i < n; i++) ck_assert_int_eq(got[i], wanted[i]);
}
#define CHECK_I64S(t, ...) \
  check_i64s(t, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[]){__VA_ARGS__})

static void check_words(const sn_tensor *t, int n, const char *const *wanted) {
  sn_text got[16];
  ck_assert_int_eq(sn_read_strings(t, got, n), SN_OK);
  for (int i = 0; i < n; i++) {
    ck_assert_uint_eq(got[i].length, strlen(wanted[i]));
    ck_assert_int_eq(strncmp(got[i].data, wanted[i], got[i].length), 0);
  }
}

START_TEST(keys_have_their_values_and_others_the_default) {
  SN_SCOPE(c);
  sn_table *t = sn_table_create(c, SN_STRING, sn_scalar_i64(c, -1), .keys = WORDS("a", "", "bc"),
                                .values = I64S(1, 2, 3), .frozen = true, .name = "letters");
  CHECK_I64S(sn_table_lookup(c, t, WORDS("bc", "x", "", "a", "b")), 3, -1, 2, 1, -1);
  CHECK_I64S(sn_table_lookup(c, t, WORDS("x", "a"), .default_value = sn_scalar_i64(c, 9)), 9, 1);
  CHECK_I64S(sn_table_lookup(c, t, WORDS("x", "a", "y"), .default_value = I64S(7, 8, 9)), 7, 1, 9);
  CHECK_I64S(sn_table_size(c, t), 3);
  char text[100];
  (void)sn_table_format(t, text, sizeof(text));
  ck_assert_str_eq(text, "table \"letters\": 3 keys, string to i64[], frozen");
  sn_table *back = sn_table_create(c, SN_I64, sn_scalar_string(c, "?"), .keys = I64S(0, 1, -1),
                                   .values = WORDS("zero", "one of some length", ""));
  check_words(sn_table_lookup(c, back, I64S(1, 5, 0, -1)), 4,
              (const char *const[]){"one of some length", "?", "zero", ""});
}
END_TEST

START_TEST(what_is_put_in_stays_until_it_is_taken_out) {
  SN_SCOPE(c);
  const float zeros[2] = {0};
  sn_table *t = sn_table_create(c, SN_I32, sn_constant(c, SN_F32, SN_SHAPE(2), zeros));
  const int32_t keys[] = {5, -7, 5};
  const float values[] = {1, 2, 3, 4, 5, 6};
  sn_tensor *three = sn_constant(c, SN_I32, SN_SHAPE(3), keys), *out, *exported;
  ck_assert_int_eq(sn_table_insert(c, t, three, sn_constant(c, SN_F32, SN_SHAPE(3, 2), values)),
                   SN_OK);
  float got[6];
  ck_assert_int_eq(sn_read(sn_table_lookup(c, t, three), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, ((const float[]){5, 6, 3, 4, 5, 6}), sizeof(got));
  ck_assert_int_eq(sn_table_export(c, t, &exported, &out), SN_OK);
  int32_t order[2];
  ck_assert_int_eq(sn_read(exported, order, sizeof(order)), SN_OK);
  ck_assert(order[0] == 5 && order[1] == -7 && sn_dim(out, 1) == 2);
  ck_assert_int_eq(sn_table_remove(c, t, sn_constant(c, SN_I32, SN_SHAPE(1), keys)), SN_OK);
  CHECK_I64S(sn_table_size(c, t), 1);
  ck_assert_int_eq(sn_read(sn_table_lookup(c, t, three), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, ((const float[]){0, 0, 3, 4, 0, 0}), sizeof(got));
}
END_TEST

// Random changes against an array that knows.
START_TEST(many_changes_lose_nothing) {
  for (int strings = 0; strings < 2; strings++) {
    enum { range = 3000, rounds = 400, most = 50 };
    static int64_t known[range];
    SN_SCOPE(c);
    memset(known, 0, sizeof(known));
    uint64_t random = 5;
    sn_table *t = sn_table_create(c, strings ? SN_STRING : SN_I64, sn_scalar_i64(c, 0));
    for (int round = 0; round < rounds; round++) {
      SN_SCOPE(c);
      int64_t keys[most], values[most], wanted[most], got[most];
      char words[most][24];
      const char *texts[most];
      for (int i = 0; i < most; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        keys[i] = (int64_t)((random >> 33) % (range / (uint64_t)(round % 5 + 1)));
        values[i] = (int64_t)(random >> 40) + 1;
        (void)snprintf(words[i], sizeof(words[i]), "%lld, a word", (long long)keys[i]);
        texts[i] = words[i];
      }
      sn_tensor *some = strings ? sn_strings(c, SN_SHAPE(most), texts) : i64s(most, keys);
      if (round % 3 == 2) {
        ck_assert_int_eq(sn_table_remove(c, t, some), SN_OK);
        for (int i = 0; i < most; i++) known[keys[i]] = 0;
      } else {
        ck_assert_int_eq(sn_table_insert(c, t, some, i64s(most, values)), SN_OK);
        for (int i = 0; i < most; i++) known[keys[i]] = values[i];
      }
      for (int i = 0; i < most; i++) {
        keys[i] = (keys[i] + i) % range;
        wanted[i] = known[keys[i]];
        (void)snprintf(words[i], sizeof(words[i]), "%lld, a word", (long long)keys[i]);
      }
      some = strings ? sn_strings(c, SN_SHAPE(most), texts) : i64s(most, keys);
      ck_assert_int_eq(sn_read(sn_table_lookup(c, t, some), got, sizeof(got)), SN_OK);
      ck_assert_mem_eq(got, wanted, sizeof(got));
    }
    int64_t size = 0;
    for (int i = 0; i < range; i++) size += known[i] != 0;
    CHECK_I64S(sn_table_size(c, t), size);
  }
}
END_TEST

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
  ck_assert_int_eq(fclose(file), 0);
}

START_TEST(files_have_keys_and_values) {  // and are not needed any more
  SN_SCOPE(c);
  char path[] = "/tmp/sinter_table_XXXXXX";
  const int file = mkstemp(path);
  ck_assert_int_ge(file, 0);
  (void)close(file);
  write_file(path, "zero 10 0.5\r\none 11 1e3\nlast 12 -3");
  sn_table *words = sn_table_from_file(c, path, SN_STRING, sn_scalar_i64(c, -1), .delimiter = ' ',
                                       .value_column = 1);
  sn_table *reals = sn_table_from_file(c, path, SN_I64, sn_scalar_f32(c, 0), .delimiter = ' ',
                                       .key_column = 1, .value_column = 2);
  sn_table *numbers = sn_table_from_file(c, path, SN_STRING, sn_scalar_i64(c, -1), .delimiter = ' ',
                                         .value_column = SN_TABLE_LINE_NUMBER, .lines = 2);
  sn_table *lines =
      sn_table_from_file(c, path, SN_I64, sn_scalar_string(c, "?"),
                         .key_column = SN_TABLE_LINE_NUMBER, .value_column = SN_TABLE_LINE);
  ck_assert_msg(!sn_failed(lines), "%s", sn_error_message(c));
  (void)sn_table_from_file(c, path, SN_I64, sn_scalar_i64(c, 0), .delimiter = ' ');
  check_error(SN_ERR_FILE, "line 1: \"zero\" is no number of i64");
  (void)sn_table_from_file(c, path, SN_STRING, sn_scalar_i64(c, 0), .value_column = 1);
  check_error(SN_ERR_FILE, "line 1 has no column 1");
  (void)sn_table_from_file(c, path, SN_STRING, sn_scalar_i64(c, 0), .lines = 4,
                           .value_column = SN_TABLE_LINE_NUMBER);
  check_error(SN_ERR_FILE, "it has 3 lines, expected 4");
  ck_assert_int_eq(unlink(path), 0);
  CHECK_I64S(sn_table_lookup(c, words, WORDS("last", "zero", "none")), 12, 10, -1);
  CHECK_I64S(sn_table_lookup(c, numbers, WORDS("one", "last")), 1, -1);
  check_words(sn_table_lookup(c, lines, I64S(2, 0)), 2,
              (const char *const[]){"last 12 -3", "zero 10 0.5"});
  float got[2];
  ck_assert_int_eq(sn_read(sn_table_lookup(c, reals, I64S(12, 11)), got, sizeof(got)), SN_OK);
  ck_assert(got[0] == -3 && got[1] == 1000);
  (void)sn_table_from_file(c, path, SN_STRING, sn_scalar_i64(c, 0));
  check_error(SN_ERR_FILE, "cannot be read");
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
  SN_SCOPE(c);
  sn_table *t = sn_table_create(c, SN_I64, sn_scalar_i64(c, -1), .name = "t"), *dead;
  sn_tensor *out, *two = I64S(1, 2);
  (void)sn_table_lookup(c, t, WORDS("a"));
  check_error(SN_ERR_DTYPE, "sn_table_lookup: table \"t\": keys are string, expected i64");
  (void)sn_table_insert(c, t, two, I64S(1, 2, 3));
  check_error(SN_ERR_SHAPE, "sn_table_insert: table \"t\": values are i64[3], expected i64[2]");
  (void)sn_table_insert(c, t, two, WORDS("a", "b"));
  check_error(SN_ERR_DTYPE, "values are string, expected i64");
  (void)sn_table_lookup(c, t, two, .default_value = I64S(1, 2, 3));
  check_error(SN_ERR_SHAPE, "default values are i64[3], expected i64[2]");
  (void)sn_table_create(c, SN_F32, two);
  check_error(SN_ERR_DTYPE, "keys of f32, expected integers or strings");
  (void)sn_table_create(c, SN_I32, sn_scalar_i64(c, 0), .frozen = true,
                        .keys = sn_full(c, SN_I32, SN_SHAPE(2), -3), .values = two);
  check_error(SN_ERR_ARGUMENT, "key -3 stands there with two values");
  (void)sn_table_create(c, SN_I64, sn_scalar_i64(c, 0), .keys = two);
  check_error(SN_ERR_ARGUMENT, "keys without values");
  sn_table *frozen = sn_table_create(c, SN_I64, sn_scalar_i64(c, 0), .frozen = true, .keys = two,
                                     .values = two, .name = "ice");
  (void)sn_table_insert(c, frozen, two, two);
  check_error(SN_ERR_STATE, "table \"ice\" is frozen");
  (void)sn_table_export(c, NULL, &out, &out);
  check_error(SN_ERR_ARGUMENT, "table is NULL");
  ck_assert_int_eq(sn_table_remove(NULL, t, two), SN_ERR_ARGUMENT);
  {
    SN_SCOPE(c);
    dead = sn_table_create(c, SN_I64, sn_scalar_i64(c, -1));
  }
  (void)sn_table_size(c, dead);
  check_error(SN_ERR_STATE, "table: its scope has ended");
}
END_TEST

// ---- in functions
// Counts words: in[0], one after the other.
static sn_status count_one(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)sn_table_insert(of, user, in[1], sn_add(sn_table_lookup(of, user, in[1]), 1));
  out[0] = in[0];
  return SN_OK;
}
static sn_status count_words(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *none = sn_scalar_i64(of, 0), *last;
  (void)sn_scan(of, count_one, user, &none, 1, in, 1, &last, 1);
  return sn_table_export(of, user, &out[0], &out[1]);
}

START_TEST(functions_change_them_in_order) {
  for (int eager = 0; eager < 2; eager++) {
    SN_SCOPE(c);
    sn_table *t = sn_table_create(c, SN_STRING, sn_scalar_i64(c, 0));
    sn_function *f = sn_function_create(c, count_words, .inputs = 1, .outputs = 2, .user = t);
    sn_tensor *words = WORDS("to", "be", "or", "not", "to", "be"), *out[2];
    for (int64_t k = 1; k <= 2; k++) {
      const sn_status status =
          eager ? sn_call_eager(f, &words, 1, out, 2) : sn_call(f, &words, 1, out, 2);
      ck_assert_msg(!status, "%s", sn_error_message(c));
      check_words(out[0], 4, (const char *const[]){"to", "be", "or", "not"});
      CHECK_I64S(out[1], 2 * k, 2 * k, k, k);
    }
    sn_function_destroy(f);
  }
}
END_TEST

static sn_status both(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add(sn_table_lookup(of, user, in[0]), sn_table_lookup(of, user, in[0]));
  return SN_OK;
}
static sn_status each(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  return sn_vectorized_map(of, both, user, in, 1, out, 1);
}

START_TEST(lookups_in_frozen_tables_are_ops) {
  SN_SCOPE(c);
  sn_table *t = sn_table_create(c, SN_I64, sn_scalar_i64(c, -1), .keys = I64S(1, 2),
                                .values = I64S(10, 20), .frozen = true);
  for (int mapped = 0; mapped < 2; mapped++) {
    sn_function *f =
        sn_function_create(c, mapped ? each : both, .inputs = 1, .outputs = 1, .user = t);
    sn_tensor *x = sn_reshape(I64S(1, 2, 3, 1), SN_SHAPE(2, 2)), *out;
    ck_assert_msg(!sn_call(f, &x, 1, &out, 1), "%s", sn_error_message(c));
    CHECK_I64S(out, 20, 40, -2, 20);
    sn_function_destroy(f);
  }
}
END_TEST

typedef struct counting {
  sn_context *context;
  sn_table *table;
  int number;
} counting;

static void *insert_many(void *user) {
  const counting *w = user;
  for (int64_t i = 0; i < 2000; i++) {
    SN_SCOPE(w->context);
    const int64_t key = i * 8 + w->number;
    sn_tensor *k = sn_scalar_i64(w->context, key);
    if (sn_table_insert(w->context, w->table, k, k)) return user;
    double got = -1;
    if (sn_item(sn_table_lookup(w->context, w->table, k), &got) || got != (double)key) return user;
    if (i % 2 && sn_table_remove(w->context, w->table, k)) return user;
  }
  return NULL;
}

START_TEST(threads_share_them) {
  SN_SCOPE(c);
  counting workers[8];
  pthread_t threads[8];
  sn_table *t = sn_table_create(c, SN_I64, sn_scalar_i64(c, -1));
  for (int i = 0; i < 8; i++) {
    workers[i] = (counting){.table = t, .number = i};
    ck_assert_int_eq(sn_context_create(&workers[i].context, .share = c), SN_OK);
    ck_assert_int_eq(pthread_create(&threads[i], NULL, insert_many, &workers[i]), 0);
  }
  for (int i = 0; i < 8; i++) {
    void *failed;
    ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
    ck_assert_ptr_null(failed);
    sn_context_destroy(workers[i].context);
  }
  CHECK_I64S(sn_table_size(c, t), 8000);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("structures.table");
  TCase *all = tcase_create("all");
  tcase_add_checked_fixture(all, open_context, close_context);
  tcase_add_test(all, keys_have_their_values_and_others_the_default);
  tcase_add_test(all, what_is_put_in_stays_until_it_is_taken_out);
  tcase_add_test(all, many_changes_lose_nothing);
  tcase_add_test(all, files_have_keys_and_values);
  tcase_add_test(all, what_does_not_fit_is_refused);
  tcase_add_test(all, functions_change_them_in_order);
  tcase_add_test(all, lookups_in_frozen_tables_are_ops);
  tcase_add_test(all, threads_share_them);
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
