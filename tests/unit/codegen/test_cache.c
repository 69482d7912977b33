// The cache of compiled kernels: sharing, what stays of kernels that nobody uses, and that finding
// takes the same time however many there are.
#include "codegen/cache.h"
#include "tests/unit/codegen/interp_harness.h"

static harness h;
static sni_kernel_cache cache;

static void setup(void) {
  harness_begin(&h);

  ck_assert_int_eq(sni_kernel_cache_init(&cache, &h.allocator), SN_OK);
}

static void teardown(void) {
  sni_kernel_cache_deinit(&cache);

  harness_end(&h);
}

// y[i] = x[i + number] + length constants: a kernel for each number.
static const sni_tree *make_kernel(int64_t number, int length) {
  sni_tree_builder b;
  sni_tree *tree = NULL;
  sni_arena_reset(&h.arena);
  sni_tree_begin(&b, &h.arena, &h.diag, "test");
  for (int i = 0; i < 2; i++)
    sni_tree_add_buffer(
        &b, (sni_tree_buffer){.space = SNI_SPACE_GLOBAL, .dtype = SN_F32, .scope = SNI_NO_ITEM});
  sni_tree_access x = sni_tree_access_to(0), y = sni_tree_access_to(1);
  x.stride[0] = y.stride[0] = sni_extent_constant(1);
  x.offset = sni_extent_constant(number);
  sni_tree_open_loop(
      &b,
      (sni_loop_item){
          .kind = SNI_LOOP_PARALLEL, .extent = sni_extent_constant(16), .strip = SNI_NO_ITEM},
      (sni_schedule){.grid = true, .grain = 16, .lanes = true});
  sni_tree_inst inst = {
      .op = SNI_KOP_LOAD, .dtype = SN_F32, .operands = {SNI_NO_VALUE, SNI_NO_VALUE, SNI_NO_VALUE}};
  inst.access = sni_tree_add_access(&b, x);
  uint32_t v = sni_tree_add_inst(&b, inst);
  inst.access = 0;
  for (int i = 0; i < length; i++) {
    inst.op = SNI_KOP_CONST;
    inst.operands[0] = inst.operands[1] = SNI_NO_VALUE;
    inst.imm.f = i;
    const uint32_t number_value = sni_tree_add_inst(&b, inst);
    inst.op = SNI_KOP_ADD;
    inst.operands[0] = v;
    inst.operands[1] = number_value;
    v = sni_tree_add_inst(&b, inst);
  }
  inst.op = SNI_KOP_STORE;
  inst.operands[0] = v;
  inst.operands[1] = SNI_NO_VALUE;
  inst.access = sni_tree_add_access(&b, y);
  sni_tree_add_inst(&b, inst);
  sni_tree_close(&b);
  ck_assert_msg(!sni_tree_finish(&b, &tree), "%s", h.diag.text);
  return tree;
}

static sni_kernel_code *find(int64_t number, int length) {
  const sni_tree *kernel = make_kernel(number, length);
  return sni_kernel_cache_find(&cache, kernel, sni_kernel_cache_hash(kernel, false), false);
}

// Code of that kernel: the cache's, or entered now.
static sni_kernel_code *get(int64_t number, int length) {
  const sni_tree *kernel = make_kernel(number, length);
  const uint64_t hash = sni_kernel_cache_hash(kernel, false);
  sni_kernel_code *code = sni_kernel_cache_find(&cache, kernel, hash, false);
  if (code) return code;
  ck_assert_int_eq(sni_kernel_code_interpret(&h.allocator, &h.diag, kernel, &code), SN_OK);
  sni_kernel_cache_add(&cache, kernel, hash, false, &code);
  return code;
}

START_TEST(equal_kernels_share) {
  sni_kernel_code *a = get(1, 1), *b = get(1, 1), *c = get(2, 1);
  ck_assert_ptr_eq(a, b);
  ck_assert_ptr_ne(a, c);
  ck_assert_ptr_null(find(3, 1));
  const sni_tree *kernel = make_kernel(1, 1);
  ck_assert_ptr_null(  // the other tier
      sni_kernel_cache_find(&cache, kernel, sni_kernel_cache_hash(kernel, true), true));
  sni_kernel_code *late;  // another thread was first
  ck_assert_int_eq(sni_kernel_code_interpret(&h.allocator, &h.diag, kernel, &late), SN_OK);
  sni_kernel_cache_add(&cache, kernel, sni_kernel_cache_hash(kernel, false), false, &late);
  ck_assert_ptr_eq(late, a);
  ck_assert_uint_eq(cache.count, 2);
  ck_assert_uint_eq(cache.n_idle, 0);
  sni_kernel_code_release(late);
  sni_kernel_code_release(a);
  sni_kernel_code_release(b);
  sni_kernel_code_release(c);
  ck_assert_uint_eq(cache.n_idle, 2);
}
END_TEST

// What is in use stays, however much it is; of what is not, the latest ones.
START_TEST(idle_kernels_are_bounded) {
  enum { n = 2000, most = sni_kernel_cache_most_idle };
  static sni_kernel_code *codes[n];
  for (int i = 0; i < n; i++) codes[i] = get(i, 1);
  ck_assert_uint_eq(cache.count, n);
  const size_t full = h.allocator.bytes;
  sni_kernel_cache_trim(&cache);
  ck_assert_uint_eq(cache.count, n);
  for (int i = 0; i < n; i++) sni_kernel_code_release(codes[i]);
  ck_assert_uint_eq(cache.count, most);
  ck_assert_uint_eq(cache.n_idle, most);
  ck_assert_uint_lt(h.allocator.bytes, full / 4);
  ck_assert_ptr_null(find(n - most - 1, 1));
  sni_kernel_code *oldest = find(n - most, 1);  // from now on the latest
  ck_assert_ptr_eq(oldest, codes[n - most]);
  ck_assert_uint_eq(cache.n_idle, most - 1);
  sni_kernel_code_release(oldest);
  sni_kernel_code_release(get(n, 1));
  ck_assert_ptr_null(find(n - most + 1, 1));
  oldest = find(n - most, 1);
  ck_assert_ptr_nonnull(oldest);
  sni_kernel_cache_trim(&cache);
  ck_assert_uint_eq(cache.count, 1);
  ck_assert_uint_eq(cache.idle_bytes, 0);
  sni_kernel_code_release(oldest);
  sni_kernel_cache_trim(&cache);
  ck_assert_uint_eq(h.allocator.bytes, h.arena.bytes);
}
END_TEST

static void *filled(void *user, void *ptr, size_t old_size, size_t new_size, size_t align) {
  (void)user;
  (void)align;
  if (!new_size) {
    free(ptr);
    return NULL;
  }
  char *memory = realloc(ptr, new_size);
  if (memory && new_size > old_size) memset(memory + old_size, 0xa5, new_size - old_size);
  return memory;
}

// Whatever memory held before.
START_TEST(objects_begin_without_idle_kernels) {
  const sn_allocator host = {filled, NULL};
  sni_allocator dirty;
  sni_allocator_init(&dirty, &host, 0);
  sni_object *object = sni_object_create(&dirty, NULL);
  ck_assert_ptr_nonnull(object);
  ck_assert_uint_eq(object->n_idle, 0);
  sni_object_release(object);
}
END_TEST

START_TEST(idle_bytes_are_bounded) {
  const size_t most = sni_kernel_cache_most_idle_bytes;
  for (int i = 0; i < sni_kernel_cache_most_idle; i++) {
    sni_kernel_code_release(get(i, 200));
    ck_assert_uint_le(cache.idle_bytes, most);
    ck_assert_uint_eq(cache.count, cache.n_idle);
  }
  ck_assert_uint_lt(cache.n_idle, sni_kernel_cache_most_idle);
  ck_assert_uint_gt(cache.idle_bytes, most / 2);
  ck_assert_uint_le(h.allocator.bytes, most + most / 4);
}
END_TEST

// Chains stay short: constant time at 1,000 kernels and at 16,000.
START_TEST(chains_stay_short) {
  enum { n = 16000 };
  static sni_kernel_code *codes[n];
  for (int i = 0; i < n; i++) codes[i] = get(i, 1);
  ck_assert_uint_eq(cache.count, n);
  ck_assert_uint_ge(cache.n_buckets, n);
  for (uint32_t i = 0; i < cache.n_buckets; i++) {
    int length = 0;
    for (const sni_kernel_code *code = cache.buckets[i]; code; code = code->next) length++;
    ck_assert_int_le(length, 12);
  }
  for (int i = 0; i < n; i++) sni_kernel_code_release(codes[i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernel cache");
  TCase *cases = tcase_create("cache");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, equal_kernels_share);
  tcase_add_test(cases, idle_kernels_are_bounded);
  tcase_add_test(cases, objects_begin_without_idle_kernels);
  tcase_add_test(cases, idle_bytes_are_bounded);
  tcase_add_test(cases, chains_stay_short);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
