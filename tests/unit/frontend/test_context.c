// Contexts: creation, options, siblings, memory accounting, destruction with tensors still held.
#include "frontend_fixture.h"

#include <pthread.h>

START_TEST(creates_and_destroys_with_nothing_left) {
  ck_assert_int_gt(memory.bytes, 0);
  sn_context_destroy(NULL);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  ck_assert_str_eq(sn_error_message(ctx), "");
}
END_TEST

START_TEST(refuses_meaningless_options) {
  sn_context *c = ctx;
  ck_assert_int_eq(sn_context_create(&c, .threads = -1), SN_ERR_ARGUMENT);
  ck_assert_ptr_null(c);
  ck_assert_int_eq(sn_context_create(&c, .backend = (sn_backend)9), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_context_create(&c, .matmul = (sn_matmul_mode)9), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_context_create_opts(NULL, NULL), SN_ERR_ARGUMENT);
}
END_TEST

START_TEST(default_options_work) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create_opts(NULL, &c), SN_OK);
  double value = 0;
  ck_assert_int_eq(sn_item(sn_add(sn_scalar_f32(c, 1), sn_scalar_f32(c, 2)), &value), SN_OK);
  ck_assert_double_eq(value, 3);
  sn_context_destroy(c);
}
END_TEST

// Whatever allocation fails, creation says so and leaves nothing behind.
START_TEST(every_allocation_of_creation_may_fail) {
  for (int64_t n = 0;; n++) {
    sn_context *c = ctx;
    int64_t bytes = memory.bytes, blocks = memory.blocks;
    memory.fail_from = memory.calls + n;
    sn_status status =
        sn_context_create(&c, .allocator = {counting_reallocate, &memory}, .threads = 2,
                          .plugin_path = "/nowhere", .blas_path = "/nowhere");
    memory.fail_from = -1;
    if (!status) {
      ck_assert_int_gt(n, 3);
      sn_context_destroy(c);
      break;
    }
    ck_assert_int_eq(status, SN_ERR_MEMORY);
    ck_assert_ptr_null(c);
    ck_assert_int_eq(memory.bytes, bytes);
    ck_assert_int_eq(memory.blocks, blocks);
  }
}
END_TEST

START_TEST(memory_limit_is_an_error_and_the_context_lives_on) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .memory_limit = 1 << 20, .threads = 1), SN_OK);
  sn_tensor *small = sn_ones(c, SN_F32, SN_SHAPE(16));
  sn_tensor *large = sn_ones(c, SN_F32, SN_SHAPE(1 << 20));
  ck_assert(sn_failed(large));
  ck_assert_int_eq(sn_check(c), SN_ERR_MEMORY);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "sn_ones: out of memory (4194304 bytes"));
  double value = 0;
  ck_assert_int_eq(sn_item(sn_sum(small), &value), SN_OK);
  ck_assert_double_eq(value, 16);
  sn_context_destroy(c);
}
END_TEST

START_TEST(memory_statistics_add_up) {
  sn_memory_stats before = {.size = sizeof(before)}, after = before;
  sn_context_memory(ctx, &before);
  ck_assert_uint_eq(before.bytes, (size_t)memory.bytes);
  sn_scope scope = sn_scope_begin(ctx);
  sn_zeros(ctx, SN_F64, SN_SHAPE(1000, 100));
  sn_context_memory(ctx, &after);
  ck_assert_uint_ge(after.bytes, before.bytes + 800000);
  ck_assert_uint_ge(after.peak_bytes, after.bytes);
  ck_assert_uint_gt(after.allocations, before.allocations);
  sn_scope_end(scope);
  sn_context_memory(ctx, &after);
  ck_assert_uint_ge(after.cached_bytes, 800000);
  sn_context_trim(ctx);
  sn_context_memory(ctx, &after);
  ck_assert_uint_eq(after.cached_bytes, 0);
  ck_assert_uint_eq(after.bytes, (size_t)memory.bytes);
  sn_memory_stats little = {.size = sizeof(size_t) * 2, .peak_bytes = 77};
  sn_context_memory(ctx, &little);
  ck_assert_uint_eq(little.peak_bytes, 77);  // a caller built with a shorter struct
}
END_TEST

START_TEST(kept_tensors_outlive_the_context) {
  memory_reset();
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .allocator = {counting_reallocate, &memory}, .threads = 1),
                   SN_OK);
  sn_tensor *t = sn_keep(sn_ones(c, SN_F32, SN_SHAPE(4)));
  sn_tensor *v = sn_variable(t, .name = "w");
  sn_context_destroy(c);
  ck_assert_int_eq(sn_rank(t), 1);
  ck_assert_str_eq(sn_name(v), "w");
  ck_assert_ptr_null(sn_add(t, v));  // there is no context left to work in
  double value;
  ck_assert_int_eq(sn_item(t, &value), SN_ERR_ARGUMENT);
  sn_release(v);
  ck_assert_int_gt(memory.bytes, 0);
  sn_release(t);
  ck_assert_int_eq(memory.bytes, 0);
}
END_TEST

static void *release_in_thread(void *t) {
  sn_release(t);
  return NULL;
}

START_TEST(the_last_release_may_come_from_another_thread) {
  sn_tensor *t;
  {
    SN_SCOPE(ctx);
    t = sn_keep(sn_ones(ctx, SN_F32, SN_SHAPE(4)));
  }
  pthread_t thread;
  pthread_create(&thread, NULL, release_in_thread, t);
  pthread_join(thread, NULL);
}
END_TEST

START_TEST(siblings_share_tensors_and_variables) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .share = ctx), SN_OK);
  sn_tensor *w = sn_variable(F32(SN_SHAPE(2), 1, 2));
  sn_tensor *x = sn_ones(other, SN_F32, SN_SHAPE(2));
  sn_tensor *y = sn_add(w, x);
  ck_assert_ptr_eq(sn_context_of(y), other);  // a variable belongs to the family
  float value[2];
  ck_assert_int_eq(sn_read(y, value, sizeof(value)), SN_OK);
  ck_assert_float_eq(value[1], 3);
  sn_assign(w, y);
  sn_context_destroy(other);
  EXPECT(sn_read_variable(w), SN_SHAPE(2), 2, 3);
  sn_release(w);
}
END_TEST

START_TEST(a_variable_outlives_the_context_that_made_it) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .share = ctx), SN_OK);
  sn_tensor *w = sn_variable(sn_ones(other, SN_F32, SN_SHAPE(2)));
  sn_context_destroy(other);
  EXPECT(sn_square(sn_add(w, w)), SN_SHAPE(2), 4, 4);
  sn_release(w);
}
END_TEST

typedef struct worker {
  sn_context *parent;
  sn_tensor *variable, *constant;
  bool good;
} worker;

// Ops on variables and tensors of another thread's context run in the context that this thread
// works with.
static void *work(void *user) {
  worker *w = user;
  sn_context *c;
  if (sn_context_create(&c, .share = w->parent)) return NULL;
  w->good = true;
  for (int i = 0; i < 200; i++) {
    SN_SCOPE(c);
    sn_tensor *y = sn_mul(w->variable, w->variable);
    if (sn_context_of(y) != c || sn_context_of(sn_neg(w->constant)) != c) w->good = false;
    sn_assign_add(w->variable, sn_ones(c, SN_F32, SN_SHAPE(8)));
    if (sn_check(c)) w->good = false;
  }
  sn_context_destroy(c);
  return NULL;
}

START_TEST(threads_with_sibling_contexts_update_one_variable) {
  sn_tensor *v = sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(8)));
  sn_tensor *constant = F32(SN_SHAPE(1), 1);
  worker workers[3];
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) {
    workers[i] = (worker){ctx, v, constant, false};
    pthread_create(&threads[i], NULL, work, &workers[i]);
  }
  for (int i = 0; i < 3; i++) {
    pthread_join(threads[i], NULL);
    ck_assert(workers[i].good);
  }
  EXPECT(sn_read_variable(v), SN_SHAPE(8), 600, 600, 600, 600, 600, 600, 600, 600);
  sn_release(v);
}
END_TEST

START_TEST(unrelated_contexts_do_not_mix) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .threads = 1), SN_OK);
  sn_tensor *y = sn_add(F32(SN_SCALAR, 1), sn_scalar_f32(other, 1));
  ck_assert(sn_failed(y));
  expect_error(SN_ERR_ARGUMENT, "sn_add: operand #1 belongs to another context");
  sn_context_destroy(other);
}
END_TEST

START_TEST(system_information_is_filled) {
  sn_system_info info = {.size = sizeof(info)};
  sn_context_system_info(ctx, &info);
  ck_assert_int_gt((int)strlen(info.cpu_name), 0);
  ck_assert_int_ge(info.vector_bits, 128);
  ck_assert_int_eq(info.threads, 1);
  ck_assert_ptr_nonnull(info.llvm_status);
  ck_assert_ptr_nonnull(info.blas_status);
}
END_TEST

START_TEST(statuses_have_names) {
  ck_assert_str_eq(sn_status_name(SN_ERR_SHAPE), "SN_ERR_SHAPE");
  ck_assert_str_eq(sn_status_name((sn_status)99), "SN_ERR_UNKNOWN");
  ck_assert_str_eq(sn_status_meaning(SN_OK), "success");
  ck_assert_int_gt((int)strlen(sn_status_meaning((sn_status)99)), 0);
  ck_assert_int_gt((int)strlen(sn_version()), 4);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("context");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, creates_and_destroys_with_nothing_left);
  tcase_add_test(c, refuses_meaningless_options);
  tcase_add_test(c, default_options_work);
  tcase_add_test(c, every_allocation_of_creation_may_fail);
  tcase_add_test(c, memory_limit_is_an_error_and_the_context_lives_on);
  tcase_add_test(c, memory_statistics_add_up);
  tcase_add_test(c, the_last_release_may_come_from_another_thread);
  tcase_add_test(c, siblings_share_tensors_and_variables);
  tcase_add_test(c, a_variable_outlives_the_context_that_made_it);
  tcase_add_test(c, threads_with_sibling_contexts_update_one_variable);
  tcase_add_test(c, unrelated_contexts_do_not_mix);
  tcase_add_test(c, system_information_is_filled);
  tcase_add_test(c, statuses_have_names);
  TCase *bare = tcase_create("without a context");
  tcase_add_test(bare, kept_tensors_outlive_the_context);
  return run_cases("context", (TCase *[]){c, bare}, 2);
}
