// One expression and eight threads with matchers of their own; and a matcher that goes from one thread to the next.
#include "unit/text/regex_fixture.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 8, ROUNDS = 300 };

static snt_regex *shared;

static void *replace_often(void *wrong) {
  snt_matcher *m = matcher_of(shared, SNT_AUTOMATIC);
  for (int i = 0; i < ROUNDS; i++) {
    char text[64], expected[64];
    snt_bytes out = {0};
    (void)snprintf(text, sizeof(text), "key%d = value%d \xC3\xA9", i, i);
    (void)snprintf(expected, sizeof(expected), "value%d <- key%d \xC3\xA9", i, i);
    if (snt_replace(m, text_of(text), TEXT("\\2 <- \\1"), true, &out, NULL) != SN_OK ||
        out.length != strlen(expected) || memcmp(out.data, expected, out.length) != 0)
      *(int *)wrong += 1;
    free(out.data);
  }
  snt_matcher_destroy(m);
  return NULL;
}

START_TEST(threads_share_an_expression) {
  pthread_t threads[THREADS];
  int wrong[THREADS] = {0};
  shared = compiled(TEXT("(\\w+)\\s*=\\s*(\\S+)"));
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, replace_often, &wrong[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(wrong[i], 0);
  }
  snt_regex_destroy(shared);
}
END_TEST

static void *search_once(void *matcher) {
  snt_span spans[2];
  bool found;
  const sn_status status = snt_search(matcher, TEXT("x12y"), 0, spans, 2, &found);
  return status == SN_OK && found && spans[1].begin == 1 && spans[1].end == 3 ? matcher : NULL;
}

START_TEST(a_matcher_belongs_to_no_thread) {
  snt_regex *regex = compiled(TEXT("(\\d+)"));
  snt_matcher *m = matcher_of(regex, SNT_AUTOMATIC);
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    void *result;
    ck_assert_int_eq(pthread_create(&thread, NULL, search_once, m), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, m);
  }
  snt_matcher_destroy(m);
  snt_regex_destroy(regex);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("regex_threads");
  TCase *all = tcase_create("all");
  tcase_add_test(all, threads_share_an_expression);
  tcase_add_test(all, a_matcher_belongs_to_no_thread);
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
