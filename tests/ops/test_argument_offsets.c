// Steps of an unrolled loop, each at its own slice of one input: one kernel for all of them, and the
// bits of op by op, for slices that begin at lines of 64 bytes and elsewhere.
#include <sinter/sinter.h>

#include <check.h>
#include <string.h>

enum { rows = 6, most_steps = 24, most_columns = 64, state = 48 };

typedef struct loop {
  int steps, columns;
} loop;

static sn_status recur(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const loop *l = user;
  sn_tensor *h = NULL;
  for (int t = 0; t < l->steps; t++) {
    sn_tensor *y = sn_matmul(sn_index(in[0], 0, t), in[1]);
    h = h ? sn_tanh(sn_add(y, sn_matmul(h, in[2]))) : sn_tanh(y);
  }
  out[0] = h;
  return sn_pending_error(context);
}

static void fill(float *x, int n, float scale) {
  for (int i = 0; i < n; i++) x[i] = scale * ((float)(i * 37 % 211) / 105 - 1);
}

// Gives the bytes of native code.
static uint64_t check_loop(loop l, sn_backend backend) {
  static float x[most_steps * rows * most_columns], w[most_columns * state], u[state * state];
  float compiled[rows * state], eager[rows * state];
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .threads = 2, .backend = backend), SN_OK);
  fill(x, l.steps * rows * l.columns, 1);
  fill(w, l.columns * state, 0.1f);
  fill(u, state * state, 0.1f);
  sn_function *f = sn_function_create(context, recur, .user = &l, .inputs = 3, .outputs = 1);
  sn_tensor *in[] = {sn_constant(context, SN_F32, SN_SHAPE(l.steps, rows, l.columns), x),
                     sn_constant(context, SN_F32, SN_SHAPE(l.columns, state), w),
                     sn_constant(context, SN_F32, SN_SHAPE(state, state), u)};
  sn_tensor *y;
  ck_assert_int_eq(sn_call(f, in, 3, &y, 1), SN_OK);
  ck_assert_int_eq(sn_read(y, compiled, sizeof(compiled)), SN_OK);
  ck_assert_int_eq(sn_call_eager(f, in, 3, &y, 1), SN_OK);
  ck_assert_int_eq(sn_read(y, eager, sizeof(eager)), SN_OK);
  ck_assert_mem_eq(compiled, eager, sizeof(eager));
  sn_function_statistics statistics = {.size = sizeof(statistics)};
  sn_function_stats(f, &statistics);
  sn_function_destroy(f);
  sn_context_destroy(context);
  return statistics.code_bytes;
}

START_TEST(slices_have_their_bits) {
  static const sn_backend backends[] = {SN_BACKEND_AUTO, SN_BACKEND_INTERPRETER};
  static const int columns[] = {64, 61, 16, 3};
  for (int b = 0; b < 2; b++)
    for (int c = 0; c < 4; c++) check_loop((loop){most_steps, columns[c]}, backends[b]);
}
END_TEST

START_TEST(steps_share_their_kernels) {
  ck_assert_uint_eq(check_loop((loop){4, 64}, SN_BACKEND_AUTO),
                    check_loop((loop){most_steps, 64}, SN_BACKEND_AUTO));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("argument_offsets");
  TCase *tests = tcase_create("argument_offsets");
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, slices_have_their_bits);
  tcase_add_test(tests, steps_share_their_kernels);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
