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

// Sizes that the elements say, in both.
static sn_status small_ones(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = sn_boolean_mask(in[0], sn_less(in[0], 1));
  return SN_OK;
}
static sn_status choose_of_masks(sn_context *of, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  (void)user;
  return sn_cond(of, in[1], only_one, small_ones, NULL, in, 1, out, 1);
}

START_TEST(branches_give_sizes_that_elements_say) {
  SN_SCOPE(c);
  sn_tensor *in[] = {numbers(4), sn_scalar_bool(c, true)};
  both_ways(choose_of_masks, in, 2, (const char *const[]){"[2 3]"}, 1);
  in[1] = sn_scalar_bool(c, false);
  both_ways(choose_of_masks, in, 2, (const char *const[]){"[0]"}, 1);
}
END_TEST

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

static sn_status add_again(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = twice(in[1]);
  return SN_OK;
}

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

static sn_status grown_slope(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y;
  if (sn_fori_loop_resizing(of, 0, 2, add_again, NULL, in, 1, &y, 1)) return SN_OK;
  y = sn_sum(sn_square(y));
  if (*(const bool *)user) y = sn_add(y, sn_sum(in[0]));  // a way that has a gradient, too
  sn_gradients(y, in, 1, out);
  return SN_OK;
}

START_TEST(what_has_no_gradient_says_so) {
  static const char *const wanted[] = {"[ 0.  8. 16.]", "[ 1.  9. 17.]"};
  for (int k = 0; k < 2; k++) {
    SN_SCOPE(c);
    bool more = k == 1;
    sn_function *f = sn_function_create(c, grown_slope, .inputs = 1, .outputs = 1, .user = &more);
    sn_tensor *in[] = {sn_cast(numbers(3), SN_F32)}, *out[1];
    ck_assert_int_eq(sn_call(f, in, 1, out, 1), SN_ERR_GRADIENT);
    ck_assert_msg(strstr(sn_error_message(c), "unpack"), "%s", sn_error_message(c));
    ck_assert_int_eq(sn_call_eager(f, in, 1, out, 1), SN_OK);
    expect(out[0], wanted[k]);
    sn_function_destroy(f);
  }
}
END_TEST

// ---- gradients of branches
static sn_tensor *weight;  // a variable
// What the bodies read of what is around: x, and what is computed of it.
typedef struct around {
  sn_tensor *x, *sine;
} around;

static sn_status long_way(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const around *a = user;
  sn_tensor *const two[] = {sn_mul(in[0], a->sine), sn_mul(sn_square(a->x), weight)};
  (void)of;
  out[0] = sn_concat(two, 2, 0);
  out[1] = sn_cast(sn_square(in[0]), SN_F64);
  return SN_OK;
}
static sn_status short_way(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const around *a = user;
  const sn_range_spec rest = SN_RANGE(1, SN_END, 1);
  (void)of;
  out[0] = sn_mul(sn_slice(in[0], &rest, 1), weight);
  out[1] = sn_cast(sn_slice(sn_mul(a->x, a->sine), &rest, 1), SN_F64);
  return SN_OK;
}
// in: x, and what says which way.
static sn_status both_ways_of(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  around a = {in[0], sn_sin(in[0])};
  sn_tensor *made[2];
  (void)user;
  sn_cond(of, sn_greater(in[1], 0), long_way, short_way, &a, &in[0], 1, made, 2);
  out[0] = sn_add(sn_sum(sn_square(made[0])), sn_cast(sn_sum(sn_exp(made[1])), SN_F32));
  return SN_OK;
}
static sn_status slopes(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y;
  (void)both_ways_of(of, in, &y, user);
  sn_tensor *const xs[] = {in[0], weight};
  sn_gradients(y, xs, 2, out);
  return SN_OK;
}

START_TEST(gradients_go_through_branches_of_different_sizes) {
  SN_SCOPE(c);
  weight = sn_variable(sn_scalar_f32(c, 1.5f));
  const float values[] = {0.5f, -0.25f, 0.75f};
  sn_function *f = sn_function_create(c, slopes, .inputs = 2, .outputs = 2);
  for (int way = -1; way <= 1; way += 2) {
    sn_tensor *in[] = {sn_constant(c, SN_F32, SN_SHAPE(3), values), sn_scalar_f32(c, (float)way)};
    sn_tensor *eager[2], *compiled[2];
    ck_assert_msg(!sn_call_eager(f, in, 2, eager, 2), "%s", sn_error_message(c));
    ck_assert_msg(!sn_call(f, in, 2, compiled, 2), "%s", sn_error_message(c));
    for (int i = 0; i < 2; i++) {
      double worst = 1, size = 0;
      ck_assert_int_eq(sn_item(sn_max(sn_abs(sn_sub(eager[i], compiled[i]))), &worst), SN_OK);
      ck_assert_int_eq(sn_item(sn_max(sn_abs(eager[i])), &size), SN_OK);
      ck_assert_msg(worst < 1e-5 && size > 0.1, "way %d, %d: %g of %g", way, i, worst, size);
    }
    ck_assert_msg(!sn_check_gradients(c, both_ways_of, in, 2, 1, NULL), "%s", sn_error_message(c));
  }
  sn_function_destroy(f);
  sn_release(weight);
}
END_TEST

// Another result, of one size, has its own; and in loops, maps and checkpoints.
static sn_status grow_or_keep(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bool grows = *(const bool *)user;
  (void)of;
  out[0] = grows ? twice(in[0]) : in[0];
  out[1] = sn_sum(sn_square(in[0]));
  return SN_OK;
}
static sn_status grow_once(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  bool yes = true;
  (void)user;
  return grow_or_keep(of, in, out, &yes);
}
static sn_status keep_it(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  bool no = false;
  (void)user;
  return grow_or_keep(of, in, out, &no);
}
static sn_status step_of_loop(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *made[2], *x = in[1];
  if (sn_cond(of, sn_greater(sn_sum(x), 0.5), grow_once, keep_it, user, &x, 1, made, 2))
    return SN_OK;
  out[0] = sn_add(x, sn_mul(sn_add(sn_sum(sn_sin(made[0])), made[1]), 0.1));
  return SN_OK;
}
static sn_status in_loop(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y;
  if (sn_fori_loop(of, 0, 3, step_of_loop, user, in, 1, &y, 1)) return SN_OK;
  out[0] = sn_sum(sn_square(y));
  return SN_OK;
}
static sn_status of_fixed_size(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *made[2];
  if (sn_cond(of, sn_greater(sn_sum(in[0]), 0), grow_once, keep_it, user, in, 1, made, 2))
    return SN_OK;
  out[0] = made[1];
  return SN_OK;
}
static sn_status recomputed(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  return sn_checkpoint(of, in_loop, user, in, 1, out, 1);
}
static sn_status second(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y, *slope;
  (void)in_loop(of, in, &y, user);
  sn_gradients(y, in, 1, &slope);
  sn_gradients(sn_sum(sn_square(slope)), in, 1, out);
  return SN_OK;
}

START_TEST(gradients_go_through_branches_in_loops) {
  SN_SCOPE(c);
  const float values[] = {0.5f, -0.25f, 0.125f};
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3), values), *out[1];
  static const sn_callback all[] = {in_loop, of_fixed_size, recomputed};
  for (int i = 0; i < 3; i++)
    ck_assert_msg(!sn_check_gradients(c, all[i], &x, 1, 1, NULL), "%d: %s", i, sn_error_message(c));
  sn_function *f = sn_function_create(c, second, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(sn_call(f, &x, 1, out, 1), SN_ERR_GRADIENT);
  ck_assert_msg(strstr(sn_error_message(c), "unpack"), "%s", sn_error_message(c));
  ck_assert_msg(!sn_call_eager(f, &x, 1, out, 1), "%s", sn_error_message(c));
  sn_function_destroy(f);
}
END_TEST

// A branch that assigns has its effect once, and no gradient of what differs in size.
static sn_status assigning(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  sn_assign(counter, sn_add(counter, 1));
  out[0] = twice(in[0]);
  return SN_OK;
}
static sn_status first_only(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_range_spec first = SN_RANGE(0, 1, 1);
  (void)of, (void)user;
  out[0] = sn_slice(in[0], &first, 1);
  return SN_OK;
}
static sn_status assign_or_not(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return sn_cond(of, sn_greater(sn_sum(in[0]), 0), assigning, first_only, NULL, in, 1, out, 1);
}

START_TEST(branches_that_assign_do_so_once) {
  SN_SCOPE(c);
  counter = sn_variable(sn_scalar_i64(c, 0));
  sn_tensor *in[] = {sn_cast(numbers(2), SN_F32)};
  both_ways(assign_or_not, in, 1, (const char *const[]){"[0. 1. 0. 1.]"}, 1);
  double total = 0;
  ck_assert_int_eq(sn_item(counter, &total), SN_OK);
  ck_assert(total == 2);
  sn_release(counter);
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("changing sizes");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, branches_may_differ_in_size);
  tcase_add_test(tcase, one_trace_serves_all_branches_and_sizes);
  tcase_add_test(tcase, of_one_branch_it_is_that);
  tcase_add_test(tcase, branches_give_sizes_that_elements_say);
  tcase_add_test(tcase, carries_grow_in_loops);
  tcase_add_test(tcase, carries_of_scans_change_along_any_axis);
  tcase_add_test(tcase, loops_nest_and_have_branches);
  tcase_add_test(tcase, bodies_that_are_traced_again_have_their_effects_once);
  tcase_add_test(tcase, other_types_are_refused);
  tcase_add_test(tcase, what_has_no_gradient_says_so);
  tcase_add_test(tcase, gradients_go_through_branches_of_different_sizes);
  tcase_add_test(tcase, gradients_go_through_branches_in_loops);
  tcase_add_test(tcase, branches_that_assign_do_so_once);
  Suite *suite = suite_create("changing sizes");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
