// Scopes: who owns results, and when they die.
#include "frontend_fixture.h"

// Bytes that are neither free buffers nor the context's own lists.
static size_t held(void) {
  sn_memory_stats stats = {.size = sizeof(stats)};
  sn_context_trim(ctx);
  sn_context_memory(ctx, &stats);
  return stats.bytes;
}

static void make(int n) {
  for (int i = 0; i < n; i++) sn_zeros(ctx, SN_F64, SN_SHAPE(100000));
}

START_TEST(results_die_with_their_scope) {
  sn_scope warm = sn_scope_begin(ctx);
  make(1);
  sn_scope_end(warm);
  size_t before = held();
  sn_scope scope = sn_scope_begin(ctx);
  make(3);
  ck_assert_uint_ge(held(), before + 2400000);
  sn_scope_end(scope);
  ck_assert_uint_eq(held(), before);
  sn_scope_end(scope);  // ending twice does nothing
  ck_assert_uint_eq(held(), before);
}
END_TEST

static int leave_early(int how) {
  for (int i = 0; i < 3; i++) {
    SN_SCOPE(ctx);
    make(1);
    if (how == 0) continue;
    if (how == 1) break;
    if (how == 2) return i;
    if (how == 3) goto out;
  }
out:
  return -1;
}

START_TEST(every_way_out_ends_a_scope) {
  leave_early(0);
  size_t before = held();
  for (int how = 0; how < 4; how++) {
    leave_early(how);
    ck_assert_uint_eq(held(), before);
  }
}
END_TEST

START_TEST(keep_outlives_release_ends) {
  sn_tensor *t;
  {
    SN_SCOPE(ctx);
    t = sn_keep(F32(SN_SHAPE(2), 1, 2));
    ck_assert_ptr_eq(sn_keep(t), t);
  }
  EXPECT(t, SN_SHAPE(2), 1, 2);
  sn_release(t);
  EXPECT(t, SN_SHAPE(2), 1, 2);
  sn_release(t);
}
END_TEST

START_TEST(escape_moves_to_the_scope_around) {
  sn_tensor *once, *twice, *stays;
  sn_scope outer = sn_scope_begin(ctx);
  {
    SN_SCOPE(ctx);
    stays = F32(SN_SHAPE(1), 5);
    {
      SN_SCOPE(ctx);
      once = sn_escape(F32(SN_SHAPE(1), 1));
      twice = sn_escape(sn_escape(F32(SN_SHAPE(1), 2)));
      sn_escape(stays);  // of an outer scope already: nothing to do
      make(2);
    }
    EXPECT(once, SN_SHAPE(1), 1);
    EXPECT(twice, SN_SHAPE(1), 2);
  }
  EXPECT(twice, SN_SHAPE(1), 2);
  size_t before = held();
  make(1);
  sn_scope_end(outer);
  ck_assert_uint_lt(held(), before);
}
END_TEST

START_TEST(escape_at_the_top_and_of_variables_is_harmless) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(1), 3));
  ck_assert_ptr_eq(sn_escape(v), v);
  sn_tensor *t = sn_escape(F32(SN_SHAPE(1), 1));
  EXPECT(t, SN_SHAPE(1), 1);
  ck_assert_ptr_null(sn_escape(NULL));
  sn_release(v);
}
END_TEST

START_TEST(an_outer_end_ends_the_inner_scopes) {
  sn_scope outer = sn_scope_begin(ctx);
  sn_scope inner = sn_scope_begin(ctx);
  make(2);
  size_t before = held();
  sn_scope_end(outer);
  ck_assert_uint_lt(held(), before);
  sn_scope_end(inner);
  EXPECT(F32(SN_SHAPE(1), 4), SN_SHAPE(1), 4);
}
END_TEST

START_TEST(deep_nesting) {
  sn_scope scopes[200];
  sn_tensor *t = NULL;
  for (int i = 0; i < 200; i++) {
    scopes[i] = sn_scope_begin(ctx);
    t = F32(SN_SHAPE(1), (float)i);
  }
  for (int i = 0; i < 199; i++) sn_escape(t);
  for (int i = 199; i > 0; i--) sn_scope_end(scopes[i]);
  EXPECT(t, SN_SHAPE(1), 199);
  sn_scope_end(scopes[0]);
}
END_TEST

START_TEST(shared_buffers_live_as_long_as_one_user) {
  sn_tensor *view;
  {
    SN_SCOPE(ctx);
    sn_tensor *t = F32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    view = sn_keep(sn_index(sn_reshape(t, SN_SHAPE(3, 2)), 0, 1));
  }
  EXPECT(view, SN_SHAPE(2), 3, 4);
  sn_release(view);
}
END_TEST

START_TEST(null_and_error_tensors_are_accepted) {
  sn_release(NULL);
  ck_assert_ptr_null(sn_keep(NULL));
  sn_scope none = sn_scope_begin(NULL);
  sn_scope_end(none);
  sn_tensor *bad = sn_sqrt(I32(SN_SHAPE(1), 1));
  ck_assert_ptr_eq(sn_keep(bad), bad);
  sn_release(bad);
  sn_release(bad);
  sn_escape(bad);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_DTYPE);
}
END_TEST

static int released;
static void on_release(void *user) {
  released += *(int *)user;
}

START_TEST(the_callers_memory_is_released_once) {
  static float data[4] = {1, 2, 3, 4};
  int one = 1;
  released = 0;
  sn_tensor *view;
  {
    SN_SCOPE(ctx);
    sn_tensor *t = sn_from_memory(ctx, SN_F32, SN_SHAPE(4), data, on_release, &one);
    view = sn_keep(sn_slice(t, (sn_range_spec[]){SN_RANGE(1, 3, 1)}, 1));
    EXPECT(sn_sum(t), SN_SCALAR, 10);
    EXPECT(view, SN_SHAPE(2), 2, 3);
  }
  ck_assert_int_eq(released, 0);
  sn_release(view);
  ck_assert_int_eq(released, 1);
}
END_TEST

START_TEST(escape_leaves_an_outer_scopes_result_to_that_scope) {
  size_t before = held();
  sn_scope outer = sn_scope_begin(ctx);
  sn_tensor *t = sn_ones(ctx, SN_F64, SN_SHAPE(100000));
  sn_scope inner = sn_scope_begin(ctx);
  ck_assert_ptr_eq(sn_escape(t), t);
  sn_scope_end(inner);
  ck_assert_double_eq(item(sn_sum(t)), 100000);
  sn_scope_end(outer);
  ck_assert_uint_lt(held(), before + 800000);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("scope");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, results_die_with_their_scope);
  tcase_add_test(c, every_way_out_ends_a_scope);
  tcase_add_test(c, keep_outlives_release_ends);
  tcase_add_test(c, escape_moves_to_the_scope_around);
  tcase_add_test(c, escape_leaves_an_outer_scopes_result_to_that_scope);
  tcase_add_test(c, escape_at_the_top_and_of_variables_is_harmless);
  tcase_add_test(c, an_outer_end_ends_the_inner_scopes);
  tcase_add_test(c, deep_nesting);
  tcase_add_test(c, shared_buffers_live_as_long_as_one_user);
  tcase_add_test(c, null_and_error_tensors_are_accepted);
  tcase_add_test(c, the_callers_memory_is_released_once);
  return run_cases("scope", &c, 1);
}
