// sn_vectorized_map is a loop over the examples, bit for bit: for every op, with examples in all operands or in one of them, in
// eager mode and in a trace. What draws random numbers is the same after sn_set_seed with each example's word.
#include "op_operands.h"
#include "vectorized.h"

#include <stdio.h>

// ---- all ops
typedef struct one_op {
  int number;
  sn_tensor *fixed[5];
  unsigned batched;  // bit per operand
} one_op;

static sn_status call_op(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const one_op *op = user;
  sn_tensor *operands[5];
  int next = 0;
  for (int k = 0; k < 5; k++) operands[k] = op->batched >> k & 1 ? in[next++] : op->fixed[k];
  out[0] = calls[op->number].call(operands);
  return sn_pending_error(context);
}

static bool is_random(const char *name) {
  return strstr(name, "random_") || strstr(name, "dropout");
}

static void make_batch(sn_dtype dtype, sn_tensor **batch) {
  static const float values[n_examples][4] = {
      {1, 0.5f, 0.25f, 0.75f}, {0.75f, 1, 0.5f, 1.25f}, {2, 0.25f, 1, 3}};
  for (int k = 0; k < 5; k++) {
    float data[n_examples][4];
    for (int i = 0; i < n_examples; i++)
      for (int j = 0; j < 4; j++) data[i][j] = values[(i + k) % n_examples][j];
    batch[k] = sn_cast(sn_constant(c, SN_F32, SN_SHAPE(n_examples, 2, 2), data), dtype);
  }
}

// The words are those of one draw, whose state the call leaves behind.
static void try_random(request *r, sn_tensor *const *xs, bool traced, const char *name,
                       const char *how) {
  sn_random_state before, after, expected_after;
  int64_t words[n_examples];
  sn_tensor *given, *rows[n_examples];
  sn_set_seed(c, 17);
  ck_assert_int_eq(sn_random_get_state(c, &before), SN_OK);
  ck_assert_msg(!(traced ? call_traced(c, r, xs, &given) : mapped(c, xs, &given, r)), "%s, %s: %s",
                name, how, sn_error_message(c));
  ck_assert_int_eq(sn_random_get_state(c, &after), SN_OK);
  sn_random_set_state(c, before);
  sn_tensor *drawn = sn_random_bits(c, SN_I64, SN_SHAPE(n_examples));
  ck_assert_int_eq(sn_read(drawn, words, sizeof(words)), SN_OK);
  ck_assert_int_eq(sn_random_get_state(c, &expected_after), SN_OK);
  for (int i = 0; i < n_examples; i++) {
    sn_tensor *x[most];
    for (int k = 0; k < r->n_xs; k++) x[k] = sn_index(xs[k], 0, i);
    sn_set_seed(c, (uint64_t)words[i]);
    if (!r->body(c, x, &rows[i], r->user)) continue;
    ck_assert_str_eq(name, "sn_random_bernoulli");  // refuses probabilities, where it knows them
    ck_assert_int_ne(sn_check(c), SN_OK);
    return;
  }
  expect_same(sn_stack(rows, n_examples, 0), given, name, how);
  const bool draws = strncmp(name, "sn_random_split", 15) && strncmp(name, "sn_random_fold", 14);
  ck_assert(after.counter == (draws ? expected_after.counter : before.counter) && after.key == 17);
}

static void try_op(int number, sn_dtype dtype, unsigned batched, bool traced) {
  SN_SCOPE(c);
  one_op op = {.number = number, .batched = batched};
  sn_tensor *batch[5], *xs[5], *expected, *given;
  int n = 0;
  char how[64];
  make_operands(dtype, op.fixed);
  make_batch(dtype, batch);
  for (int k = 0; k < 5; k++)
    if (batched >> k & 1) xs[n++] = batch[k];
  request r = {call_op, &op, n, 1, NULL};
  snprintf(how, sizeof(how), "%s, operands %#x%s", sn_dtype_name(dtype), batched,
           traced ? ", traced" : "");
  if (is_random(calls[number].name)) {
    try_random(&r, xs, traced, calls[number].name, how);
    return;
  }
  if (looped(c, xs, &expected, &r)) {  // a fault in some example: in the batch, too
    ck_assert_int_ne(sn_check(c), SN_OK);
    ck_assert_msg(mapped(c, xs, &given, &r) != SN_OK, "%s, %s", calls[number].name, how);
    ck_assert_int_ne(sn_check(c), SN_OK);
    return;
  }
  const sn_status status = traced ? call_traced(c, &r, xs, &given) : mapped(c, xs, &given, &r);
  if (status) {  // what no trace can hold
    ck_assert_msg(strstr(sn_error_message(c), "trac") || strstr(sn_error_message(c), "length"),
                  "%s, %s: %s", calls[number].name, how, sn_error_message(c));
    ck_assert(traced || sn_check(c) != SN_OK);
    return;
  }
  expect_same(expected, given, calls[number].name, how);
}

START_TEST(every_op) {
  const sn_op_info *info = sn_op_find(calls[_i].name);
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    if (!(info->dtypes >> d & 1)) continue;
    const bool common = d == SN_F32 || d == SN_C64 || d == SN_I32;
    try_op(_i, (sn_dtype)d, 31, false);
    try_op(_i, (sn_dtype)d, 1, false);
    if (common) try_op(_i, (sn_dtype)d, 2, false);
    if (common) try_op(_i, (sn_dtype)d, 31, true);
    if (common) try_op(_i, (sn_dtype)d, 1, true);
  }
}
END_TEST

static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

int main(void) {
  Suite *suite = suite_create("vectorized_map");
  TCase *tcase = tcase_create("vectorized_map");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_loop_test(tcase, every_op, 0, n_calls);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
