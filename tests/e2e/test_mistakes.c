// Common mistakes, and what is said of them, word for word: op, operands with dtypes and shapes, what is expected, the caller's
// line; the same in a trace. Nothing is lost by one: the context goes on.
#include <sinter/sinter.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct operands {
  sn_context *c;
  sn_tensor *m, *t, *v5, *s, *i, *d, *b, *image, *var;
} operands;

// The names that the calls use.
#define OPERANDS                                                                                   \
  sn_context *c = o->c;                                                                            \
  sn_tensor *m = o->m, *t = o->t, *v5 = o->v5, *s = o->s, *i = o->i, *d = o->d, *b = o->b;         \
  sn_tensor *image = o->image, *var = o->var, *out[8], *in1[] = {m}, *in2[] = {m, m};              \
  (void)c, (void)m, (void)t, (void)v5, (void)s, (void)i, (void)d, (void)b, (void)image, (void)var; \
  (void)out, (void)in1, (void)in2

#define EXPAND2(counter, call)                             \
  static sn_tensor *mistake_##counter(const operands *o) { \
    OPERANDS;                                              \
    return call;                                           \
  }
#define EXPAND(counter, call) EXPAND2(counter, call)
#define MISTAKE(status, call, text) EXPAND(__LINE__, call)
#include "mistakes.h"
#undef MISTAKE
static const struct {
  int line;
  sn_tensor *(*run)(const operands *o);
  sn_status status;
  const char *call, *message;
} mistakes[] = {
#define ROW2(counter, status, call, text) {counter, mistake_##counter, status, #call, text},
#define ROW(counter, status, call, text) ROW2(counter, status, call, text)
#define MISTAKE(status, call, text) ROW(__LINE__, status, call, text)
#include "mistakes.h"
#undef MISTAKE
};
enum { n_mistakes = sizeof(mistakes) / sizeof(*mistakes) };

static operands make(sn_context *c) {
  sn_tensor *m = sn_ones(c, SN_F32, SN_SHAPE(2, 3));
  return (operands){.c = c,
                    .m = m,
                    .t = sn_ones(c, SN_F32, SN_SHAPE(3, 2)),
                    .v5 = sn_ones(c, SN_F32, SN_SHAPE(5)),
                    .s = sn_scalar_f32(c, 1),
                    .i = sn_ones(c, SN_I32, SN_SHAPE(2, 3)),
                    .d = sn_ones(c, SN_F64, SN_SHAPE(2, 3)),
                    .b = sn_ones(c, SN_BOOL, SN_SHAPE(2, 3)),
                    .image = sn_ones(c, SN_F32, SN_SHAPE(1, 4, 4, 2))};
}

static void check(int k, const operands *o, const char *mode) {
  ck_assert_msg(sn_failed(mistakes[k].run(o)), "%s %s: no error", mode, mistakes[k].call);
  const char *given = sn_error_message(o->c);
  const size_t length = strlen(mistakes[k].message);
  const char *line = strstr(given, "mistakes.h:");
  ck_assert_msg(!strncmp(given, mistakes[k].message, length) && !strncmp(given + length, " (", 2),
                "%s %s\n  says      %s\n  should be %s", mode, mistakes[k].call, given,
                mistakes[k].message);
  ck_assert_msg(line != NULL, "%s: %s names no line", mistakes[k].call, given);
  // Of a call that takes several lines one compiler counts the first, another the last.
  const long named = strtol(line + strlen("mistakes.h:"), NULL, 10);
  ck_assert_msg(named > (k > 0 ? mistakes[k - 1].line : 0) && named <= mistakes[k].line,
                "%s: %s, not line %d", mistakes[k].call, given, mistakes[k].line);
  ck_assert_int_eq(sn_check(o->c), mistakes[k].status);
}

static sn_status in_trace(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  operands o = make(c);
  o.var = in[1];
  for (int k = 0; k < n_mistakes; k++) check(k, &o, "traced");
  return (void)user, out[0] = in[0], SN_OK;
}

START_TEST(messages_are_these) {
  sn_context *c;
  double one;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  {
    SN_SCOPE(c);
    operands o = make(c);
    o.var = sn_variable(o.m, .name = "w");
    for (int k = 0; k < n_mistakes; k++) check(k, &o, "eager");
    ck_assert_int_eq(sn_item(sn_mean(sn_add(o.var, o.m)), &one), SN_OK);
    ck_assert_double_eq(one, 2);
    sn_function *f = sn_function_create(c, in_trace, .inputs = 2, .outputs = 1);
    sn_tensor *y;
    ck_assert_int_eq(sn_call(f, SN_ARGS(o.s, o.var), &y, 1), SN_OK);
    sn_function_destroy(f);
    sn_release(o.var);
  }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mistakes");
  TCase *tcase = tcase_create("mistakes");
  tcase_add_test(tcase, messages_are_these);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
