// .npy files: what is written reads back; malformed files are refused with a reason; files of
// NumPy's own making are read.
#include "tools/npy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void parse_text(const char *header, const void *data, size_t bytes, npy_array *out,
                       char *error, bool expected) {
  unsigned char file[512] = "\x93NUMPY\x01";
  size_t length = strlen(header);
  file[8] = (unsigned char)length;
  memcpy(file + 10, header, length);
  if (bytes) memcpy(file + 10 + length, data, bytes);
  ck_assert_int_eq(npy_parse(file, 10 + length + bytes, out, error, 256), expected);
}

START_TEST(test_round_trip) {
  const double values[6] = {1, -2, 3.5, 1e300, 0, -0.0};
  const sn_shape shapes[3] = {{2, {2, 3}}, {1, {6}}, {4, {1, 6, 1, 1}}};
  char path[] = "/tmp/sinter_npy_XXXXXX", error[256];
  int file = mkstemp(path);
  ck_assert_int_ge(file, 0);
  (void)close(file);
  for (int i = 0; i < 3; i++) {
    npy_array array;
    ck_assert(npy_write(path, SN_F64, shapes[i], values, error, sizeof(error)));
    ck_assert_msg(npy_read(path, &array, error, sizeof(error)), "%s", error);
    ck_assert_int_eq(array.dtype, SN_F64);
    ck_assert_int_eq(array.shape.rank, shapes[i].rank);
    ck_assert_mem_eq(array.shape.dims, shapes[i].dims, sizeof(int64_t) * (size_t)shapes[i].rank);
    ck_assert_uint_eq(array.bytes, sizeof(values));
    ck_assert_mem_eq(array.data, values, sizeof(values));
    npy_free(&array);
  }
  ck_assert_int_eq(unlink(path), 0);
  npy_array array;
  ck_assert(!npy_read(path, &array, error, sizeof(error)));
  ck_assert_ptr_nonnull(strstr(error, "No such file"));
}
END_TEST

START_TEST(test_every_dtype_and_scalar) {
  const char *descr[] = {"|b1", "<i4", "<i8", "<f4", "<f8", "|i1", "<i2", "|u1",
                         "<u2", "<u4", "<u8", "<f2", "<V2", "|V2", "<c8", "<c16"};
  const sn_dtype dtypes[] = {SN_BOOL, SN_I32, SN_I64, SN_F32, SN_F64,  SN_I8,   SN_I16, SN_U8,
                             SN_U16,  SN_U32, SN_U64, SN_F16, SN_BF16, SN_BF16, SN_C64, SN_C128};
  for (int i = 0; i < 16; i++) {
    char header[128], error[256] = "";
    const unsigned char data[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    npy_array array;
    (void)snprintf(header, sizeof(header), "{'shape': (), 'fortran_order': False, 'descr': '%s'}\n",
                   descr[i]);
    parse_text(header, data, sizeof(data), &array, error, true);
    ck_assert_int_eq(array.dtype, dtypes[i]);
    ck_assert_int_eq(array.shape.rank, 0);
    ck_assert_uint_eq(array.bytes, sn_dtype_size(dtypes[i]));
    ck_assert_mem_eq(array.data, data, array.bytes);
    npy_free(&array);
  }
}
END_TEST

START_TEST(test_malformed) {
  static const struct {
    const char *header, *reason;
  } bad[] = {
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "big-endian"},
      {"{'descr': '<c32', 'fortran_order': False, 'shape': (1,), }", "<c32"},
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "Fortran"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "shorter"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "shorter"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "dims"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1", "shape"},
      {"{'descr': '<f4', 'fortran_order': False, }", "lacks"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "records"},
      {"{'descr': '<f4aaaaaaaaaaaaa', 'fortran_order': False, 'shape': (1,), }", "descr"},
      {"{", "malformed"},
      {"", "dict"},
  };
  const float value = 1;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    npy_array array;
    char error[256] = "";
    parse_text(bad[i].header, &value, sizeof(value), &array, error, false);
    ck_assert_msg(strstr(error, bad[i].reason), "%s: %s", bad[i].header, error);
    ck_assert_ptr_null(array.data);
  }
}
END_TEST

START_TEST(test_truncated) {
  char error[256];
  npy_array array;
  const unsigned char header[14] = "\x93NUMPY\x01\0\xff\xff{}";
  for (size_t length = 0; length <= 12; length++) {
    unsigned char *copy = malloc(length + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, header, length);
    ck_assert(!npy_parse(copy, length, &array, error, sizeof(error)));
    free(copy);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("npy");
  TCase *tests = tcase_create("npy");
  tcase_add_test(tests, test_round_trip);
  tcase_add_test(tests, test_every_dtype_and_scalar);
  tcase_add_test(tests, test_malformed);
  tcase_add_test(tests, test_truncated);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
