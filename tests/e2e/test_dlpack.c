// DLPack both ways: no copy where none is needed, one owner of each managed tensor whatever ends first, strides, dtypes, refusals.
// The structures are written down once more, as dlpack.h has them.
#include <sinter/sinter.h>

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct DLTensor {
  void *data;
  struct {
    int32_t device_type, device_id;
  } device;
  int32_t ndim;
  struct {
    uint8_t code, bits;
    uint16_t lanes;
  } dtype;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} DLTensor;
struct DLManagedTensor {
  DLTensor dl_tensor;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensor *self);
};
struct DLManagedTensorVersioned {
  struct {
    uint32_t major, minor;
  } version;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned *self);
  uint64_t flags;
  DLTensor dl_tensor;
};

static int deleted;
static void count_legacy(struct DLManagedTensor *self) {
  ck_assert_ptr_eq(self->manager_ctx, &deleted);
  deleted++;
}
static void count_versioned(struct DLManagedTensorVersioned *self) {
  ck_assert_ptr_eq(self->manager_ctx, &deleted);
  deleted++;
}

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  deleted = 0;
}
static void close_context(void) {
  sn_context_destroy(c);
}

static float numbers[24];
static struct DLManagedTensor legacy(int rank, int64_t *shape, int64_t *strides, void *data) {
  for (int i = 0; i < 24; i++) numbers[i] = (float)i;
  return (struct DLManagedTensor){
      {data, {1, 0}, rank, {2, 32, 1}, shape, strides, 0}, &deleted, count_legacy};
}

static void check_values(sn_tensor *t, const float *wanted, int n) {
  float got[24];
  ck_assert_int_eq(sn_read(t, got, (size_t)n * sizeof(float)), SN_OK);
  for (int i = 0; i < n; i++) ck_assert_float_eq(got[i], wanted[i]);
}

START_TEST(memory_is_used_where_it_lies) {
  int64_t shape[] = {2, 3}, strides[] = {3, 1};
  for (int k = 0; k < 2; k++) {
    struct DLManagedTensor m = legacy(2, shape, k ? strides : NULL, numbers);
    m.dl_tensor.byte_offset = 8;
    sn_scope scope = sn_scope_begin(c);
    sn_tensor *t = sn_from_dlpack(c, &m);
    const void *data;
    ck_assert_int_eq(sn_data(t, &data), SN_OK);
    ck_assert_ptr_eq(data, numbers + 2);
    check_values(sn_add_scalar(t, 1), (float[]){3, 4, 5, 6, 7, 8}, 6);
    ck_assert_int_eq(deleted, k);
    sn_scope_end(scope);
    ck_assert_int_eq(deleted, k + 1);
  }
}
END_TEST

START_TEST(strides_are_followed) {
  SN_SCOPE(c);
  int64_t shape[] = {2, 2, 3}, strides[] = {1, -12, 4};
  struct DLManagedTensor m = legacy(3, shape, strides, numbers + 12);
  sn_tensor *t = sn_from_dlpack(c, &m);
  ck_assert_int_eq(deleted, 1);  // copied
  check_values(t, (float[]){12, 16, 20, 0, 4, 8, 13, 17, 21, 1, 5, 9}, 12);
  int64_t repeated[] = {3}, none[] = {0};
  m = legacy(1, repeated, none, numbers + 5);
  check_values(sn_from_dlpack(c, &m), (float[]){5, 5, 5}, 3);
  m = legacy(1, repeated, NULL, (char *)numbers + 2);  // not aligned
  ck_assert_int_eq(sn_size(sn_from_dlpack(c, &m)), 3);
  ck_assert_int_eq(deleted, 3);
  int64_t unit[] = {1, 2}, any[] = {77, 1};  // the stride of a dim of 1 means nothing
  m = legacy(2, unit, any, numbers);
  const void *data;
  ck_assert_int_eq(sn_data(sn_from_dlpack(c, &m), &data), SN_OK);
  ck_assert_ptr_eq(data, numbers);
  int64_t empty[] = {0, 4};
  m = legacy(2, empty, NULL, NULL);
  ck_assert_int_eq(sn_size(sn_from_dlpack(c, &m)), 0);
  m = legacy(0, NULL, NULL, numbers + 7);
  check_values(sn_from_dlpack(c, &m), (float[]){7}, 1);
}
END_TEST

START_TEST(versioned_tensors_come_in) {
  SN_SCOPE(c);
  int64_t shape[] = {4};
  int16_t values[] = {1, -2, 3, -4};
  struct DLManagedTensorVersioned m = {
      {1, 1}, &deleted, count_versioned, 0, {values, {1, 0}, 1, {0, 16, 1}, shape, NULL, 0}};
  sn_tensor *t = sn_from_dlpack_versioned(c, &m);
  ck_assert_int_eq(sn_dtype_of(t), SN_I16);
  double x;
  ck_assert_int_eq(sn_item(sn_sum(t), &x), SN_OK);
  ck_assert_double_eq(x, -2);
  m.version.major = 2;
  ck_assert(sn_failed(sn_from_dlpack_versioned(c, &m)));
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "version 2.1"));
  ck_assert_int_ne(sn_check(c), SN_OK);
}
END_TEST

// Each refusal leaves the managed tensor to its owner.
START_TEST(what_cannot_be_taken_is_refused) {
  SN_SCOPE(c);
  int64_t shape[] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, negative[] = {-1};
  const struct DLManagedTensor good = legacy(2, shape, NULL, numbers);
  struct DLManagedTensor bad[8];
  for (int i = 0; i < 8; i++) bad[i] = good;
  bad[0].dl_tensor.device.device_type = 2;
  bad[1].dl_tensor.dtype.bits = 4;
  bad[2].dl_tensor.dtype.lanes = 2;
  bad[3].dl_tensor.ndim = 9;
  bad[4].dl_tensor.ndim = -1;
  bad[5].dl_tensor.data = NULL;
  bad[6].dl_tensor.ndim = 1;
  bad[6].dl_tensor.shape = negative;
  bad[7].dl_tensor.dtype.code = 3;
  const sn_status wanted[] = {SN_ERR_UNSUPPORTED, SN_ERR_UNSUPPORTED, SN_ERR_UNSUPPORTED,
                              SN_ERR_SHAPE,       SN_ERR_SHAPE,       SN_ERR_ARGUMENT,
                              SN_ERR_SHAPE,       SN_ERR_UNSUPPORTED};
  for (int i = 0; i < 8; i++) {
    ck_assert(sn_failed(sn_from_dlpack(c, &bad[i])));
    ck_assert_msg(sn_pending_error(c) == wanted[i], "#%d: %s", i, sn_error_message(c));
    ck_assert_ptr_nonnull(strstr(sn_error_message(c), "test_dlpack.c"));
    ck_assert_int_ne(sn_check(c), SN_OK);
  }
  ck_assert(sn_failed((sn_from_dlpack)(c, NULL)));
  ck_assert_int_ne(sn_check(c), SN_OK);
  ck_assert_int_eq(deleted, 0);
}
END_TEST

START_TEST(tensors_outlive_what_made_them) {
  struct DLManagedTensor *m[2];
  struct DLManagedTensorVersioned *v;
  {
    SN_SCOPE(c);
    sn_tensor *t = sn_constant(c, SN_F32, SN_SHAPE(2, 3), (float[]){1, 2, 3, 4, 5, 6});
    const void *data;
    ck_assert_int_eq(sn_data(t, &data), SN_OK);
    ck_assert_int_eq(sn_to_dlpack(t, &m[0]), SN_OK);
    ck_assert_ptr_eq(m[0]->dl_tensor.data, data);
    ck_assert_int_eq(sn_to_dlpack_versioned(sn_mul_scalar(t, 2), &v), SN_OK);
    sn_tensor *w = sn_variable(t);
    ck_assert_int_eq(sn_to_dlpack(w, &m[1]), SN_OK);
    sn_assign_add(w, t);  // not seen by m[1]
    sn_release(w);
  }
  sn_context_destroy(c);
  c = NULL;
  ck_assert_int_eq(m[0]->dl_tensor.ndim, 2);
  ck_assert_int_eq(m[0]->dl_tensor.dtype.code, 2);
  ck_assert_int_eq(m[0]->dl_tensor.dtype.bits, 32);
  ck_assert_int_eq(m[0]->dl_tensor.strides[0], 3);
  ck_assert_int_eq(m[0]->dl_tensor.shape[1], 3);
  for (int k = 0; k < 2; k++) ck_assert_float_eq(((float *)m[k]->dl_tensor.data)[5], 6);
  ck_assert_float_eq(((float *)v->dl_tensor.data)[5], 12);
  ck_assert_uint_eq(v->flags & 1, 1);
  ck_assert_uint_eq(v->version.major, 1);
  for (int k = 0; k < 2; k++) m[k]->deleter(m[k]);
  v->deleter(v);
}
END_TEST

START_TEST(all_dtypes_go_round) {
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    SN_SCOPE(c);
    const uint64_t bits[4] = {1, 0x0001000100010001, 3, 0x0100000000000001};
    const int64_t n = d == SN_BOOL ? 1 : 2;
    sn_tensor *t = sn_constant(c, (sn_dtype)d, SN_SHAPE(n), bits), *back;
    struct DLManagedTensorVersioned *v;
    ck_assert_int_eq(sn_to_dlpack_versioned(t, &v), SN_OK);
    back = sn_from_dlpack_versioned(c, v);
    ck_assert_int_eq(sn_dtype_of(back), d);
    const void *a, *b;
    ck_assert_int_eq(sn_data(t, &a), SN_OK);
    ck_assert_int_eq(sn_data(back, &b), SN_OK);
    ck_assert_ptr_eq(a, b);
  }
}
END_TEST

static sn_status in_trace(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  struct DLManagedTensor *m;
  ck_assert_int_eq(sn_to_dlpack(in[0], &m), SN_ERR_STATE);
  ck_assert_ptr_null(m);
  int64_t shape[] = {2};
  struct DLManagedTensor outside = legacy(1, shape, NULL, numbers);
  ck_assert(sn_failed(sn_from_dlpack(context, &outside)));
  ck_assert_int_eq(sn_check(context), SN_ERR_STATE);
  out[0] = in[0];
  return (void)user, SN_OK;
}
START_TEST(traces_have_no_elements) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, in_trace, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(c, 1), *y;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  sn_function_destroy(f);
}
END_TEST

static void *finish(void *managed) {
  struct DLManagedTensor *m = managed;
  m->deleter(m);
  return NULL;
}
START_TEST(any_thread_may_be_the_last) {
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) {
    SN_SCOPE(c);
    struct DLManagedTensor *m;
    ck_assert_int_eq(sn_to_dlpack(sn_ones(c, SN_F64, SN_SHAPE(1000)), &m), SN_OK);
    ck_assert_int_eq(pthread_create(&threads[i], NULL, finish, m), 0);
  }
  sn_context_destroy(c);
  c = NULL;
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dlpack");
  TCase *tcase = tcase_create("dlpack");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, memory_is_used_where_it_lies);
  tcase_add_test(tcase, strides_are_followed);
  tcase_add_test(tcase, versioned_tensors_come_in);
  tcase_add_test(tcase, what_cannot_be_taken_is_refused);
  tcase_add_test(tcase, tensors_outlive_what_made_them);
  tcase_add_test(tcase, all_dtypes_go_round);
  tcase_add_test(tcase, traces_have_no_elements);
  tcase_add_test(tcase, any_thread_may_be_the_last);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
