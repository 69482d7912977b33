// Branches whose results differ in size, loops whose carries change in size: op by op and compiled, the same.
#include <sinter/sinter.h>

#include <check.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static void expect(sn_tensor *t, const char *want) {
  char got[400];
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  (void)sn_format(t, got, sizeof(got));
  ck_assert_str_eq(got, want);
}

// f of in gives these outputs, in both ways.
static void both_ways(sn_callback f, sn_tensor *const *in, int n_in, const char *const *want,
                      int n_out) {
  sn_function *function = sn_function_create(c, f, .inputs = n_in, .outputs = n_out);
  for (int eager = 0; eager < 2; eager++) {
    SN_SCOPE(c);
    sn_tensor *out[4];
    const sn_status status = eager ? sn_call_eager(function, in, n_in, out, n_out)
                                   : (sn_call)(function, in, n_in, out, n_out);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    for (int i = 0; i < n_out; i++) expect(out[i], want[i]);
  }
  sn_function_destroy(function);
}

static sn_tensor *twice(sn_tensor *x) {
  sn_tensor *const two[] = {x, x};
  return sn_concat(two, 2, 0);
}

static sn_tensor *numbers(int n) {
  return sn_range(c, SN_I64, 0, n, 1);
}

// ---- branches
static sn_status keep(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = in[0];
  out[1] = sn_sum(in[0]);
  return SN_OK;
}
static sn_status doubled(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = twice(in[0]);
  out[1] = sn_sum(out[0]);
  return SN_OK;
}
static sn_status nothing(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user, (void)in;
  out[0] = sn_zeros(of, SN_I64, SN_SHAPE(0));
  out[1] = sn_scalar_i64(of, -1);
  return SN_OK;
}

static sn_status choose(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  static const sn_callback bodies[] = {keep, doubled, nothing};
  (void)user;
  sn_status status = sn_switch_case(of, in[1], bodies, 3, NULL, &in[0], 1, out, 2);
  if (!status) out[0] = sn_add(out[0], 1);
  return status;
}

START_TEST(branches_may_differ_in_size) {
  SN_SCOPE(c);
  sn_tensor *in[] = {numbers(2), sn_scalar_i64(c, 0)};
  both_ways(choose, in, 2, (const char *const[]){"[1 2]", "1"}, 2);
  in[1] = sn_scalar_i64(c, 1);
  both_ways(choose, in, 2, (const char *const[]){"[1 2 1 2]", "2"}, 2);
  in[1] = sn_scalar_i64(c, 2);
  both_ways(choose, in, 2, (const char *const[]){"[]", "-1"}, 2);
}
END_TEST

START_TEST(one_trace_serves_all_branches_and_sizes) {
  SN_SCOPE(c);
  sn_function *f =
      sn_function_create(c, choose, .inputs = 2, .outputs = 2, .forbid_recompile = true);
  for (int n = 0; n < 6; n++)
    for (int branch = 0; branch < 3; branch++) {
      SN_SCOPE(c);
      sn_tensor *in[] = {sn_mark_dim(numbers(n), 0), sn_scalar_i64(c, branch)}, *out[2];
      ck_assert_msg(!sn_call(f, in, 2, out, 2), "%s", sn_error_message(c));
      ck_assert_int_eq(sn_dim(out[0], 0), branch == 0 ? n : branch == 1 ? 2 * n : 0);
    }
  sn_function_destroy(f);
}
END_TEST

static sn_status only_one(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = sn_boolean_mask(in[0], sn_greater(in[0], 1));
  return SN_OK;
}
static sn_status choose_of_one(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  static const sn_callback bodies[] = {only_one};
  (void)user;
  return sn_switch_case(of, sn_sum(in[0]), bodies, 1, NULL, in, 1, out, 1);
}

START_TEST(of_one_branch_it_is_that) {
  SN_SCOPE(c);
  sn_tensor *in[] = {numbers(4)};
  both_ways(choose_of_one, in, 1, (const char *const[]){"[2 3]"}, 1);
}
END_TEST

// ---- loops
static sn_status below_ten(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = sn_less(sn_axis_size(in[0], 0, SN_I64), 10);
  return SN_OK;
}
static sn_status grow(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = twice(sn_add(in[0], 1));
  out[1] = sn_add(in[1], sn_sum(in[0]));
  return SN_OK;
}
static sn_status grown(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *const init[] = {in[0], sn_scalar_i64(of, 0)};
  sn_status status = sn_while_loop_resizing(of, below_ten, grow, NULL, init, 2, out, 2);
  if (!status) out[2] = sn_axis_size(out[0], 0, SN_I64);
  return status;
}

START_TEST(carries_grow_in_loops) {
  SN_SCOPE(c);
  sn_tensor *in[] = {numbers(3)};
  both_ways(grown, in, 1, (const char *const[]){"[2 3 4 2 3 4 2 3 4 2 3 4]", "15", "12"}, 3);
  in[0] = numbers(10);
  both_ways(grown, in, 1, (const char *const[]){"[0 1 2 3 4 5 6 7 8 9]", "0", "10"}, 3);
}
END_TEST

// Of strings, with another carry that is shrunk along its second axis; rows are collected.
static sn_status drop_column(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_range_spec ranges[] = {SN_ALL, SN_RANGE(0, -1, 1)};
  (void)of, (void)user;
  out[0] = twice(in[0]);
  out[1] = sn_slice(in[1], ranges, 2);
  out[2] = sn_sum(sn_mul(in[1], in[2]));
  return SN_OK;
}
static sn_status scanned(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *const init[] = {in[0], in[1]}, *const xs[] = {in[2]};
  (void)of;
  return sn_scan(of, drop_column, NULL, init, 2, xs, 1, out, 3, .sizes_change = true);
}

START_TEST(carries_of_scans_change_along_any_axis) {
  SN_SCOPE(c);
  const char *const texts[] = {"a", ""};
  sn_tensor *in[] = {sn_strings(c, SN_SHAPE(2), texts), sn_reshape(numbers(6), SN_SHAPE(2, 3)),
                     numbers(2)};
  both_ways(scanned, in, 3,
            (const char *const[]){"[\"a\" \"\" \"a\" \"\" \"a\" \"\" \"a\" \"\"]", "[[0]\n [3]]",
                                  "[0 8]"},
            3);
}
END_TEST

// Loops in loops, and a branch in them.
static sn_status add_one(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *const two[] = {in[1], sn_reshape(in[0], SN_SHAPE(1))};
  (void)of;
  out[0] = sn_concat(two, 2, 0);
  return SN_OK;
}
static sn_status same(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = in[0];
  return SN_OK;
}
static sn_status without_first(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_range_spec rest = SN_RANGE(1, SN_END, 1);
  (void)of, (void)user;
  out[0] = sn_slice(in[0], &rest, 1);
  return SN_OK;
}
static sn_status outer_step(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *longer;
  if (sn_fori_loop_resizing(of, 0, 3, add_one, NULL, &in[1], 1, &longer, 1)) return SN_OK;
  sn_tensor *odd = sn_equal(sn_rem(in[0], 2), 1);
  (void)sn_cond(of, odd, without_first, same, NULL, &longer, 1, out, 1);
  return SN_OK;
}
static sn_status nested(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return sn_fori_loop_resizing(of, 0, 3, outer_step, NULL, in, 1, out, 1);
}

START_TEST(loops_nest_and_have_branches) {
  SN_SCOPE(c);
  sn_tensor *in[] = {sn_range(c, SN_I64, 7, 8, 1)};
  both_ways(nested, in, 1, (const char *const[]){"[0 1 2 0 1 2 0 1 2]"}, 1);
}
END_TEST

// ---- effects
static sn_tensor *counter;
static sn_status count_and_grow(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  sn_assign(counter, sn_add(counter, 1));
  out[0] = twice(in[1]);
  return SN_OK;
}
static sn_status counted(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return sn_fori_loop_resizing(of, 0, 3, count_and_grow, NULL, in, 1, out, 1);
}

START_TEST(bodies_that_are_traced_again_have_their_effects_once) {
  SN_SCOPE(c);
  counter = sn_variable(sn_scalar_i64(c, 0));
  sn_tensor *in[] = {numbers(1)};
  both_ways(counted, in, 1, (const char *const[]){"[0 0 0 0 0 0 0 0]"}, 1);
  double total = 0;
  ck_assert_int_eq(sn_item(counter, &total), SN_OK);
  ck_assert(total == 6);
  sn_release(counter);
}
END_TEST

// ---- what is refused
static sn_status refuse(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of;
  switch (*(const int *)user) {
    case 0:
      out[0] = sn_cast(in[1], SN_F32);
      break;
    case 1:
      out[0] = sn_expand_dims(in[1], 0);
      break;
    default:
      out[0] = twice(in[1]);
  }
  return SN_OK;
}
static sn_status refused(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int which = *(const int *)user;
  return which < 2 ? sn_fori_loop_resizing(of, 0, 2, refuse, user, in, 1, out, 1)
                   : sn_fori_loop(of, 0, 2, refuse, user, in, 1, out, 1);
}

START_TEST(other_types_are_refused) {
  static const sn_status expected[] = {SN_ERR_DTYPE, SN_ERR_SHAPE, SN_ERR_SHAPE};
  for (int which = 0; which < 3; which++)
    for (int eager = 0; eager < 2; eager++) {
      SN_SCOPE(c);
      sn_function *f = sn_function_create(c, refused, .inputs = 1, .outputs = 1, .user = &which);
      sn_tensor *in[] = {numbers(2)}, *out[1];
      ck_assert_int_eq(eager ? sn_call_eager(f, in, 1, out, 1) : (sn_call)(f, in, 1, out, 1),
                       expected[which]);
      ck_assert_msg(strstr(sn_error_message(c), "test_changing_sizes.c"), "%s",
                    sn_error_message(c));
      sn_function_destroy(f);
    }
}
END_TEST

static sn_status positive(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = sn_greater(sn_sum(in[0]), 0);
  return SN_OK;
}
static sn_status sloped(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *test, *y;
  (void)user;
  (void)positive(of, in, &test, NULL);
  sn_tensor *made[2];
  if (sn_cond(of, test, doubled, keep, NULL, in, 1, made, 2)) return SN_OK;
  y = sn_sum(sn_square(made[0]));
  sn_gradients(y, in, 1, out);
  return SN_OK;
}

START_TEST(what_has_no_gradient_says_so) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, sloped, .inputs = 1, .outputs = 1);
  sn_tensor *in[] = {sn_cast(numbers(3), SN_F32)}, *out[1];
  ck_assert_int_eq(sn_call(f, in, 1, out, 1), SN_ERR_GRADIENT);
  ck_assert_msg(strstr(sn_error_message(c), "unpack"), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_call_eager(f, in, 1, out, 1), SN_OK);
  expect(out[0], "[0. 4. 8.]");
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("changing sizes");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, branches_may_differ_in_size);
  tcase_add_test(tcase, one_trace_serves_all_branches_and_sizes);
  tcase_add_test(tcase, of_one_branch_it_is_that);
  tcase_add_test(tcase, carries_grow_in_loops);
  tcase_add_test(tcase, carries_of_scans_change_along_any_axis);
  tcase_add_test(tcase, loops_nest_and_have_branches);
  tcase_add_test(tcase, bodies_that_are_traced_again_have_their_effects_once);
  tcase_add_test(tcase, other_types_are_refused);
  tcase_add_test(tcase, what_has_no_gradient_says_so);
  Suite *suite = suite_create("changing sizes");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
