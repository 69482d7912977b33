// Variables that scatters update: written in place, once all indices have been checked; an index
// out of range changes none of them.
#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 50, WIDTH = 6, N = 7 };

static sn_tensor *table, *counter, *other;

static sn_status update(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_assign_add(counter, sn_ones_like(counter));
  sn_tensor *rows = sn_gather(other, in[0]);
  sn_assign(table, sn_scatter_add(table, in[0], sn_mul(rows, in[1])));
  sn_assign(other, sn_scatter_add(other, in[2], sn_neg(rows)));
  out[0] = sn_sum(rows);
  return sn_pending_error(c);
}

// Indices that are computed are checked where they are known.
static sn_status computed(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_assign_add(counter, sn_ones_like(counter));
  sn_tensor *shift = sn_cast(sn_max(sn_sub(in[0], in[0])), SN_I32);  // 0, known after a reduction
  sn_tensor *at = sn_add(sn_add(in[0], in[2]), shift);
  sn_assign(table, sn_scatter_add(table, at, in[1]));
  out[0] = sn_sum(in[1]);
  return sn_pending_error(c);
}

static void *copy_of(sn_tensor *variable) {
  const size_t bytes = (size_t)sn_size(variable) * sn_dtype_size(sn_dtype_of(variable));
  void *copy = malloc(bytes);
  ck_assert_int_eq(sn_read(variable, copy, bytes), SN_OK);
  return copy;
}

static void check_unchanged(sn_tensor *variable, void *before) {
  void *now = copy_of(variable);
  const size_t bytes = (size_t)sn_size(variable) * sn_dtype_size(sn_dtype_of(variable));
  ck_assert(!memcmp(now, before, bytes));
  free(now);
  free(before);
}

static const void *place_of(sn_tensor *variable) {
  const void *data;
  ck_assert_int_eq(sn_data(variable, &data), SN_OK);
  return data;
}

static sn_tensor *indices(sn_context *c, int bad, int32_t shift) {
  int32_t at[N];
  for (int i = 0; i < N; i++) at[i] = (i * 11 + shift) % (ROWS / 2);
  if (bad >= 0) at[bad] = bad & 1 ? -1 : ROWS;
  return sn_constant(c, SN_I32, SN_SHAPE(N), at);
}

START_TEST(variables_are_written_in_place_or_not_at_all) {
  sn_context *c;
  const sn_callback body = _i & 1 ? computed : update;
  ck_assert_int_eq(sn_context_create(&c, .threads = _i & 2 ? 2 : 1, .seed = 3,
                                     .backend = _i & 4 ? SN_BACKEND_INTERPRETER : SN_BACKEND_AUTO),
                   SN_OK);
  {
    SN_SCOPE(c);
    table = sn_variable(sn_random_normal(c, SN_F32, SN_SHAPE(ROWS, WIDTH)));
    other = sn_variable(sn_random_normal(c, SN_F32, SN_SHAPE(ROWS, WIDTH)));
    counter = sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(3)));
    sn_function *f = sn_function_create(c, body, .inputs = 3, .outputs = 1);
    sn_tensor *factor = sn_random_normal(c, SN_F32, SN_SHAPE(N, WIDTH));
    for (int call = 0; call < 3 * N; call++) {
      const int bad = call % 3 == 2 ? call / 3 : -1;
      SN_SCOPE(c);
      sn_tensor *y, *good = indices(c, -1, call), *wrong = indices(c, bad, call + 1);
      sn_tensor *in[] = {call & 1 ? wrong : good, factor, call & 1 ? good : wrong};
      void *before[] = {copy_of(table), copy_of(other), copy_of(counter)};
      const void *place = place_of(table);
      const sn_status status = sn_call(f, in, 3, &y, 1);
      if (bad < 0) {
        ck_assert_msg(!status, "%s", sn_error_message(c));
        // before the first call it shares the memory of its initial value
        ck_assert_msg(!call || place_of(table) == place, "call %d: the table has moved", call);
        for (int i = 0; i < 3; i++) free(before[i]);
        continue;
      }
      // computed: the sum of a good and a bad index may be in range
      if (body == computed && !status) {
        for (int i = 0; i < 3; i++) free(before[i]);
        continue;
      }
      ck_assert_int_eq(status, SN_ERR_INDEX);
      check_unchanged(table, before[0]);
      check_unchanged(other, before[1]);
      check_unchanged(counter, before[2]);
    }
    sn_function_destroy(f);
    sn_release(table);
    sn_release(other);
    sn_release(counter);
  }
  sn_context_destroy(c);
}
END_TEST

// An index that is a constant, which another op wants in memory, is checked when it lies there.
static sn_status same(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_neg(in[0]);
  return sn_pending_error(c);
}
static sn_status at_a_constant(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_callback bodies[2] = {same, same};
  (void)user;
  sn_tensor *number = sn_cast(sn_mul_scalar(sn_scalar_f32(c, 0.75f), 2), SN_I32);
  sn_switch_case(c, number, bodies, 2, NULL, in, 1, out, 1);
  sn_assign(table, sn_scatter_add(table, sn_reshape(number, SN_SHAPE(1)),
                                  sn_reshape(out[0], SN_SHAPE(1, WIDTH))));
  return sn_pending_error(c);
}

START_TEST(a_constant_index_is_there_when_it_is_checked) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1, .backend = _i ? SN_BACKEND_INTERPRETER : SN_BACKEND_AUTO),
      SN_OK);
  {
    SN_SCOPE(c);
    table = sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(ROWS, WIDTH)));
    sn_function *f = sn_function_create(c, at_a_constant, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(WIDTH)), *y;
    for (int call = 1; call < 4; call++) {
      double sum;
      // what a buffer holds that nobody has written is no index
      sn_tensor *dirt = sn_full(c, SN_I32, SN_SHAPE(4096), 1 << 20);
      ck_assert(!sn_failed(dirt));
      ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
      ck_assert_int_eq(sn_item(sn_sum(sn_index(table, 0, 1)), &sum), SN_OK);
      ck_assert_double_eq(sum, -call * WIDTH);
    }
    sn_function_destroy(f);
    sn_release(table);
  }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("scatter_variables");
  TCase *tests = tcase_create("variables");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, variables_are_written_in_place_or_not_at_all, 0, 8);
  tcase_add_loop_test(tests, a_constant_index_is_there_when_it_is_checked, 0, 2);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
