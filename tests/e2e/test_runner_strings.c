// Programs of strings on the caller's memory: views of texts, whose bytes are the runner's.
#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static sn_tensor *seen;  // a variable: the first text of the latest run

// a and b joined by where; the texts that are greater than "m"; the first one is kept.
static sn_status choose(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_where(in[2], in[0], in[1]);
  out[1] = sn_boolean_mask(in[0], sn_greater(in[0], sn_scalar_string(of, "m")));
  out[2] = sn_equal(in[0], in[1]);
  sn_assign(seen, sn_index(in[0], 0, 0));
  return SN_OK;
}

static sn_program *compiled(sn_function *f) {
  const sn_spec specs[] = {{SN_STRING, SN_SHAPE(SN_UNKNOWN)},
                           {SN_STRING, SN_SHAPE(SN_UNKNOWN)},
                           {SN_BOOL, SN_SHAPE(SN_UNKNOWN)}};
  sn_program *program;
  ck_assert_msg(!sn_function_compile(f, specs, 3, &program), "%s", sn_error_message(c));
  return program;
}

static void expect_text(sn_text text, const char *want) {
  ck_assert_uint_eq(text.length, strlen(want));
  ck_assert_mem_eq(text.data, want, text.length);
}

START_TEST(texts_go_in_and_out) {
  seen = sn_variable(sn_scalar_string(c, ""));
  sn_function *f = sn_function_create(c, choose, .inputs = 3, .outputs = 3);
  sn_program *program = compiled(f);
  sn_runner *runner;
  ck_assert_msg(!sn_runner_create(c, program, 1, &runner), "%s", sn_error_message(c));
  for (int round = 0; round < 3; round++) {
    char first[] = "zebra";
    sn_text a[] = {{first, 5}, {"apple", 5}, {"", 0}, {"no", 2}}, b[4];
    for (int i = 0; i < 4; i++) b[i] = (sn_text){"b\0x", (size_t)i};
    if (round == 2) b[3] = a[3];
    bool mask[] = {true, false, true, round == 1}, equal[4];
    sn_text chosen[4], greater[2];
    const sn_view in[] = {
        {a, SN_STRING, SN_SHAPE(4)}, {b, SN_STRING, SN_SHAPE(4)}, {mask, SN_BOOL, SN_SHAPE(4)}};
    const sn_view out[] = {{chosen, SN_STRING, SN_SHAPE(4)},
                           {greater, SN_STRING, SN_SHAPE(2)},
                           {equal, SN_BOOL, SN_SHAPE(4)}};
    ck_assert_msg(!sn_run(runner, in, out), "%s", sn_runner_error(runner));
    memset(first, '?', 5);  // the runner has its own
    expect_text(chosen[0], "zebra");
    expect_text(chosen[1], "b");
    expect_text(chosen[2], "");
    ck_assert_uint_eq(chosen[3].length, round == 0 ? 3 : 2);
    expect_text(greater[0], "zebra");
    expect_text(greater[1], "no");
    ck_assert(!equal[0] && !equal[1] && equal[3] == (round == 2));
    sn_text kept;
    ck_assert_int_eq(sn_read_strings(seen, &kept, 1), SN_OK);
    expect_text(kept, "zebra");
  }
  sn_runner_destroy(runner);
  sn_text kept;
  ck_assert_int_eq(sn_read_strings(seen, &kept, 1), SN_OK);
  expect_text(kept, "zebra");
  sn_release(seen);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

static sn_status same(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  const sn_range_spec backwards = SN_RANGE(SN_END, SN_END, -1);
  out[0] = sn_slice(in[0], &backwards, 1);
  return SN_OK;
}

START_TEST(views_are_checked_and_long_texts_go_through) {
  sn_function *f = sn_function_create(c, same, .inputs = 1, .outputs = 1);
  const sn_spec spec = {SN_STRING, SN_SHAPE(SN_UNKNOWN)};
  sn_program *program;
  sn_runner *runner;
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  ck_assert_int_eq(sn_runner_create(c, program, 1, &runner), SN_OK);
  enum { longest = 100000 };
  char *bytes = malloc(longest);
  ck_assert_ptr_nonnull(bytes);
  memset(bytes, 'x', longest);
  sn_text texts[] = {{"a", 1}, {bytes, longest}, {NULL, 0}}, out[3];
  sn_view in = {texts, SN_STRING, SN_SHAPE(3)}, to = {out, SN_STRING, SN_SHAPE(3)};
  ck_assert_msg(!sn_run(runner, &in, &to), "%s", sn_runner_error(runner));
  expect_text(out[2], "a");
  ck_assert_uint_eq(out[1].length, longest);
  ck_assert_mem_eq(out[1].data, bytes, longest);
  ck_assert_uint_eq(out[0].length, 0);
  texts[0].data = NULL;
  ck_assert_int_eq(sn_run(runner, &in, &to), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_runner_error(runner), "text 0 of input 0 is NULL"));
  texts[0].data = "a";
  to.data = texts + 1;
  ck_assert_int_eq(sn_run(runner, &in, &to), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_runner_error(runner), "overlap"));
  to.data = (char *)out + 1;
  ck_assert_int_eq(sn_run(runner, &in, &to), SN_ERR_ARGUMENT);
  to = (sn_view){out, SN_STRING, SN_SHAPE(2)};
  ck_assert_int_eq(sn_run(runner, &in, &to), SN_ERR_SHAPE);
  in.shape = SN_SHAPE(0);
  to.shape = SN_SHAPE(0);
  ck_assert_int_eq(sn_run(runner, &in, &to), SN_OK);
  free(bytes);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("strings of runners");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, texts_go_in_and_out);
  tcase_add_test(tcase, views_are_checked_and_long_texts_go_through);
  Suite *suite = suite_create("strings of runners");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
