// .npy files: NumPy's own are read, whatever their version, order and dtype; what is written reads back; malformed and cut ones are
// refused with a reason; a file is written whole or not at all.
#include <sinter/sinter.h>

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
  const char *name;
  sn_dtype dtype;
  sn_shape shape;
  size_t length;
  const char *bytes;
} files[] = {
#include "e2e/npy_files.h"
};
enum { n_files = sizeof(files) / sizeof(files[0]) };

static sn_context *c;
static char folder[] = "/tmp/sinter_npy_XXXXXX", path[64];

static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  ck_assert_ptr_nonnull(mkdtemp(folder));
  (void)snprintf(path, sizeof(path), "%s/x.npy", folder);
}
static void close_context(void) {
  sn_context_destroy(c);
  (void)unlink(path);
  ck_assert_int_eq(rmdir(folder), 0);  // nothing else was left there
}

// Fails unless the latest call failed with status and a message that has these words.
#define ck_assert_refused(t, status, words)                                                  \
  do {                                                                                       \
    ck_assert(sn_failed(t));                                                                 \
    ck_assert_int_eq(sn_check(c), status);                                                   \
    ck_assert_msg(strstr(sn_error_message(c), words) != NULL, "\"%s\" is not in: %s", words, \
                  sn_error_message(c));                                                      \
  } while (0)

static void check_elements(sn_tensor *t, sn_dtype dtype, const sn_shape *shape, const char *name) {
  double values[24];
  ck_assert_msg(!sn_failed(t), "%s: %s", name, sn_error_message(c));
  ck_assert_int_eq(sn_dtype_of(t), dtype);
  ck_assert_int_eq(sn_rank(t), shape->rank);
  for (int i = 0; i < shape->rank; i++) ck_assert_int_eq(sn_dim(t, i), shape->dims[i]);
  const bool is_complex = dtype == SN_C64 || dtype == SN_C128;
  for (int part = 0; part <= (int)is_complex; part++) {
    sn_tensor *real = !is_complex ? t : part ? sn_imag(t) : sn_real(t);
    const size_t n = (size_t)sn_size(t);
    ck_assert_int_eq(sn_read(sn_cast(real, SN_F64), values, n * sizeof(double)), SN_OK);
    for (size_t k = 0; k < n; k++) {
      const double one = (double)(k + 1), wanted = dtype == SN_BOOL ? (double)((k + 1) % 2) : one;
      ck_assert_msg(values[k] == (part ? -one : wanted), "%s: #%zu is %g", name, k, values[k]);
    }
  }
}

START_TEST(numpy_files_are_read) {
  for (int i = 0; i < n_files; i++) {
    SN_SCOPE(c);
    check_elements(sn_load_npy_bytes(c, files[i].bytes, files[i].length), files[i].dtype,
                   &files[i].shape, files[i].name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(files[i].bytes, 1, files[i].length, file), files[i].length);
    ck_assert_int_eq(fclose(file), 0);
    check_elements(sn_load_npy(c, path), files[i].dtype, &files[i].shape, files[i].name);
  }
}
END_TEST

// Each prefix lies in a block of its own, so that a sanitizer sees what is read behind it.
START_TEST(every_prefix_is_refused) {
  for (int i = 0; i < n_files; i++)
    for (size_t length = 0; length < files[i].length; length++) {
      SN_SCOPE(c);
      char *copy = malloc(length + 1);
      ck_assert_ptr_nonnull(copy);
      memcpy(copy + 1, files[i].bytes, length);
      ck_assert_refused(sn_load_npy_bytes(c, copy + 1, length), SN_ERR_FILE, "the bytes given: ");
      free(copy);
    }
}
END_TEST

static void write_bytes(const void *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  ck_assert_int_eq(fclose(file), 0);
}

START_TEST(files_of_another_length_are_refused) {
  char longer[512];
  for (int i = 0; i < n_files; i++) {
    SN_SCOPE(c);
    memcpy(longer, files[i].bytes, files[i].length);
    longer[files[i].length] = 0;
    ck_assert_refused(sn_load_npy_bytes(c, longer, files[i].length + 1), SN_ERR_FILE,
                      "the header says");
  }
  for (size_t length = 0; length <= files[0].length + 1; length++) {
    SN_SCOPE(c);
    memcpy(longer, files[0].bytes, files[0].length);
    write_bytes(longer, length);
    sn_tensor *t = sn_load_npy(c, path);
    ck_assert_int_eq(sn_failed(t), length != files[0].length);
    if (sn_failed(t)) ck_assert_refused(t, SN_ERR_FILE, path);
  }
}
END_TEST

static sn_tensor *load_text(const char *header, int version) {
  unsigned char file[1024] = "\x93NUMPY";
  const size_t length = strlen(header), begin = version == 1 ? 10 : 12;
  file[6] = (unsigned char)version;
  file[8] = (unsigned char)length;
  file[9] = (unsigned char)(length >> 8);
  memcpy(file + begin, header, length);
  memset(file + begin + length, 1, 4);
  return sn_load_npy_bytes(c, file, begin + length + 4);
}

START_TEST(headers_are_read_as_python_reads_them) {
  static const char *const good[] = {
      "{'shape': (1,), 'fortran_order': True, 'descr': '<f4'}",
      "{\"descr\": \"=f4\",\t'fortran_order':False,'shape':(1 , 1,)}\n",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 2L)}   ",
      "{'descr': '>i1', 'fortran_order': False, 'shape': (4,), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'descr': '<f4'}",
      "{'descr': '<i4', 'fortran_order': False, 'shape': ()}",
      "{'descr': '|V2', 'fortran_order': False, 'shape': (2,)}",
  };
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    for (int version = 1; version <= 3; version++)
      ck_assert_msg(!sn_failed(load_text(good[i], version)), "%s", sn_error_message(c));
}
END_TEST

// A file of version 1.0: this dict, then the elements.
static sn_tensor *load_file(const char *dict, const void *elements, size_t bytes) {
  char file[512];
  const size_t length = strlen(dict);
  memcpy(file, "\x93NUMPY\1\0", 8);
  file[8] = (char)length;
  file[9] = 0;
  memcpy(file + 10, dict, length);
  memcpy(file + 10 + length, elements, bytes);
  return sn_load_npy_bytes(c, file, 10 + length + bytes);
}

static void expect_strings(sn_tensor *t, int n, const sn_text *want) {
  sn_text got[8];
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read_strings(t, got, n), SN_OK);
  for (int i = 0; i < n; i++) {
    ck_assert_uint_eq(got[i].length, want[i].length);
    ck_assert_mem_eq(got[i].data, want[i].data, got[i].length);
  }
}

START_TEST(strings_go_through_files) {
  SN_SCOPE(c);
  const sn_text texts[] = {{"ab", 2}, {"", 0}, {"\0c", 2}, {"\xff long", 6}};
  sn_tensor *t = sn_strings_from_texts(c, SN_SHAPE(2, 2), texts);
  char file[512];
  size_t length = 0;
  ck_assert_msg(!sn_save_npy_bytes(t, file, sizeof(file), &length), "%s", sn_error_message(c));
  ck_assert_ptr_nonnull(strstr(file + 10, "'|S6'"));
  expect_strings(sn_load_npy_bytes(c, file, length), 4, texts);
  // UTF-32 of both orders of bytes; columns first; no bytes at all
  const sn_text wide[] = {{"a\xc3\xa9\xe6\x97\xa5", 6}, {"\xf0\x9f\x99\x82", 4}};
  const char little[] = "a\0\0\0\xe9\0\0\0\xe5\x65\0\0\x42\xf6\1\0\0\0\0\0\0\0\0";
  const char big[] = "\0\0\0a\0\0\0\xe9\0\0\x65\xe5\0\1\xf6\x42\0\0\0\0\0\0\0";
  expect_strings(load_file("{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }", little, 24),
                 2, wide);
  expect_strings(load_file("{'descr': '>U3', 'fortran_order': False, 'shape': (2,), }", big, 24), 2,
                 wide);
  const sn_text turned[] = {{"a", 1}, {"c", 1}, {"b", 1}, {"d", 1}};
  expect_strings(load_file("{'descr': '|S1', 'fortran_order': True, 'shape': (2, 2), }", "abcd", 4),
                 4, turned);
  const sn_text none[] = {{"", 0}, {"", 0}};
  expect_strings(load_file("{'descr': '|S0', 'fortran_order': False, 'shape': (2,), }", "", 0), 2,
                 none);
  ck_assert(sn_failed(
      load_file("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", "\0\xd8\0", 4)));
  ck_assert_int_eq(sn_check(c), SN_ERR_FILE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "element 0 is no Unicode text"));
  const sn_text ended = {"x\0", 2};
  t = sn_strings_from_texts(c, (sn_shape){.rank = 0}, &ended);
  ck_assert_int_eq(sn_save_npy_bytes(t, file, sizeof(file), &length), SN_ERR_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "string 0 ends with a 0 byte"));
}
END_TEST

#define F4(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape ", }"
START_TEST(malformed_headers_are_refused) {
  static const struct {
    const char *header, *reason;
  } bad[] = {
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "Python objects"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "records"},
      {"{'descr': '<U', 'fortran_order': False, 'shape': (1,), }", "'<U'"},
      {"{'descr': '|S4x', 'fortran_order': False, 'shape': (1,), }", "'|S4x'"},
      {"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,), }", "dates (<M8[ns])"},
      {"{'descr': '|V4', 'fortran_order': False, 'shape': (1,), }", "opaque bytes"},
      {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", "'<f16'"},
      {"{'descr': '|f4', 'fortran_order': False, 'shape': (1,), }", "'|f4'"},
      {"{'descr': 'float32', 'fortran_order': False, 'shape': (1,), }", "'float32'"},
      {"{'descr': '', 'fortran_order': False, 'shape': (1,), }", "''"},
      {"{'descr': '<f4aaaaaaaaaaaaaaaaaa', 'fortran_order': False, 'shape': (1,), }", "'<f4aaa"},
      {"{'descr': '<f4, 'fortran_order': False, 'shape': (1,), }", "'<f4, '"},
      {"{'descr': 4, 'fortran_order': False, 'shape': (1,), }", "descr is no string"},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "fortran_order"},
      {F4("(1)"), "no tuple"},
      {F4("[1]"), "no tuple"},
      {F4("1"), "no tuple"},
      {F4("(,)"), "dim"},
      {F4("(1 1)"), "malformed"},
      {F4("(-1,)"), "dim"},
      {F4("(99999999999999999999,)"), "dim"},
      {F4("(1,1,1,1,1,1,1,1,1)"), "more than 8 dims"},
      {F4("(4611686018427387904, 4)"), "64-bit sizes"},
      {F4("(0, 9223372036854775807, 3)"), "64-bit sizes"},
      {F4("(3,)"), "4 bytes of elements, the header says 12"},
      {F4("(1,)") " x", "malformed"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1", "malformed"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "malformed"},
      {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", "malformed"},
      {"{'descr': '<f4', 'fortran_order': False, }", "lacks"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "key 'more'"},
      {"[]     ", "no dict"},
      {"{", "no dict"},  // 11 bytes with the version: no file is shorter than 12
      {"{  ", "malformed"},
      {"", "no dict"},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    ck_assert_refused(load_text(bad[i].header, 1), SN_ERR_FILE, bad[i].reason);
  ck_assert_refused(load_text(F4("(1,)"), 4), SN_ERR_FILE, "version 4.0");
  ck_assert_refused(sn_load_npy_bytes(c, "\x93NUMPY\2\0\377\377\377\377{}", 14), SN_ERR_FILE,
                    "4294967295 bytes");
}
END_TEST

// ---- writing
static void check_round(sn_dtype dtype, sn_shape shape) {
  SN_SCOPE(c);
  unsigned char bits[24 * 16], back[24 * 16], bytes[1024];
  size_t n = sn_dtype_size(dtype), length;
  for (int i = 0; i < shape.rank; i++) n *= (size_t)shape.dims[i];
  for (size_t k = 0; k < sizeof(bits); k++)
    bits[k] = (unsigned char)(dtype == SN_BOOL ? k % 3 == 0 : k * 37 + 11);
  sn_tensor *t = sn_constant(c, dtype, shape, bits);
  ck_assert_int_eq(sn_save_npy(t, path), SN_OK);
  ck_assert_int_eq(sn_save_npy_bytes(t, NULL, 0, &length), SN_OK);
  ck_assert_int_eq(sn_save_npy_bytes(t, bytes, length, &length), SN_OK);
  ck_assert_uint_eq((length - n) % 64, 0);
  sn_tensor *read[] = {sn_load_npy(c, path), sn_load_npy_bytes(c, bytes, length)};
  for (int i = 0; i < 2; i++) {
    ck_assert_msg(!sn_failed(read[i]), "%s", sn_error_message(c));
    ck_assert_int_eq(sn_dtype_of(read[i]), dtype);
    ck_assert_int_eq(sn_rank(read[i]), shape.rank);
    for (int k = 0; k < shape.rank; k++) ck_assert_int_eq(sn_dim(read[i], k), shape.dims[k]);
    ck_assert_int_eq(sn_read(read[i], back, n), SN_OK);
    ck_assert_mem_eq(back, bits, n);
  }
}

START_TEST(every_dtype_goes_round) {
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    check_round((sn_dtype)d, SN_SHAPE(2, 3, 4));
    check_round((sn_dtype)d, SN_SHAPE(5));
    check_round((sn_dtype)d, SN_SCALAR);
    check_round((sn_dtype)d, SN_SHAPE(3, 0));
    check_round((sn_dtype)d, SN_SHAPE(1, 1, 1, 1, 1, 1, 2, 1));
  }
}
END_TEST

START_TEST(memory_that_is_too_small_stays_as_it_is) {
  char bytes[64] = "as it was";
  size_t length;
  sn_tensor *t = sn_ones(c, SN_F32, SN_SHAPE(2));
  ck_assert_int_eq(sn_save_npy_bytes(t, bytes, sizeof(bytes), &length), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "136 bytes, given room for 64"));
  ck_assert_uint_eq(length, 136);
  ck_assert_str_eq(bytes, "as it was");
  ck_assert_int_eq(sn_save_npy_bytes(t, bytes, 0, NULL), SN_ERR_ARGUMENT);
}
END_TEST

static int files_there(void) {
  int n = 0;
  DIR *dir = opendir(folder);
  ck_assert_ptr_nonnull(dir);
  while (readdir(dir)) n++;
  ck_assert_int_eq(closedir(dir), 0);
  return n - 2;
}

START_TEST(a_file_is_written_whole_or_not_at_all) {
  double value;
  ck_assert_int_eq(sn_save_npy(sn_scalar_f32(c, 7), path), SN_OK);
  (void)signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, limit;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = (struct rlimit){200, before.rlim_max};  // the header fits, the elements do not
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const sn_status status = sn_save_npy(sn_ones(c, SN_F64, SN_SHAPE(100)), path);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
  ck_assert_int_eq(status, SN_ERR_FILE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "x.npy: File too large ("));
  ck_assert_int_eq(files_there(), 1);
  ck_assert_int_eq(sn_item(sn_load_npy(c, path), &value), SN_OK);
  ck_assert_double_eq(value, 7);
}
END_TEST

START_TEST(links_and_modes_stay) {
  char link[64];
  struct stat about;
  double value;
  (void)snprintf(link, sizeof(link), "%s/link", folder);
  ck_assert_int_eq(sn_save_npy(sn_scalar_f32(c, 7), path), SN_OK);
  ck_assert_int_eq(chmod(path, 0640), 0);
  ck_assert_int_eq(symlink("x.npy", link), 0);
  ck_assert_int_eq(sn_save_npy(sn_scalar_f32(c, 8), link), SN_OK);
  ck_assert_int_eq(lstat(link, &about), 0);
  ck_assert(S_ISLNK(about.st_mode));
  ck_assert_int_eq(stat(path, &about), 0);
  ck_assert_uint_eq(about.st_mode & 0777, 0640);
  ck_assert_int_eq(sn_item(sn_load_npy(c, path), &value), SN_OK);
  ck_assert_double_eq(value, 8);
  ck_assert_int_eq(unlink(link), 0);
}
END_TEST

// What is no regular file is written to and read from as it is: a device, a pipe.
START_TEST(devices_and_pipes_stay) {
  int ends[2];
  char name[32];
  struct stat about;
  ck_assert_int_eq(sn_save_npy(sn_ones(c, SN_I16, SN_SHAPE(5)), "/dev/null"), SN_OK);
  ck_assert_int_eq(stat("/dev/null", &about), 0);
  ck_assert(S_ISCHR(about.st_mode));
  for (int extra = 0; extra < 3; extra++) {
    ck_assert_int_eq(pipe(ends), 0);
    (void)snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
    ck_assert_int_eq(sn_save_npy(sn_ones(c, SN_I16, SN_SHAPE(5)), name), SN_OK);
    if (extra == 1) ck_assert_int_eq(write(ends[1], "!", 1), 1);
    ck_assert_int_eq(close(ends[1]), 0);
    (void)snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
    if (extra == 2) ck_assert_int_eq(read(ends[0], name + 16, 2), 2);
    sn_tensor *t = sn_load_npy(c, name);
    if (extra == 0) ck_assert_int_eq(sn_size(t), 5);
    if (extra == 1) ck_assert_refused(t, SN_ERR_FILE, "bytes behind the elements");
    if (extra == 2) ck_assert_refused(t, SN_ERR_FILE, "no .npy file");
    ck_assert_int_eq(close(ends[0]), 0);
  }
}
END_TEST

static sn_status in_trace(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  ck_assert_refused(sn_load_npy(context, path), SN_ERR_STATE, "in a trace");
  ck_assert_int_eq(sn_save_npy(in[0], path), SN_ERR_STATE);
  out[0] = in[0];
  return (void)user, SN_OK;
}

START_TEST(mistakes_are_told) {
  ck_assert_refused(sn_load_npy(c, path), SN_ERR_FILE, "x.npy: No such file or directory (");
  ck_assert_refused(sn_load_npy(c, "/tmp"), SN_ERR_FILE, "/tmp: Is a directory");
  ck_assert_refused(sn_load_npy(c, "/dev/zero"), SN_ERR_FILE, "/dev/zero: this is no .npy file");
  ck_assert_refused((sn_load_npy)(c, NULL), SN_ERR_ARGUMENT, "path is NULL");
  ck_assert_refused(sn_load_npy_bytes(c, NULL, 5), SN_ERR_ARGUMENT, "bytes is NULL");
  ck_assert_ptr_null((sn_load_npy)(NULL, path));
  sn_tensor *t = sn_ones(c, SN_F32, SN_SHAPE(3));
  ck_assert_int_eq(sn_save_npy(t, "/nowhere/x.npy"), SN_ERR_FILE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "/nowhere/x.npy: No such file or directory"));
  ck_assert_int_eq(sn_save_npy(t, folder), SN_ERR_FILE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "Is a directory"));
  ck_assert_int_eq((sn_save_npy)(t, NULL), SN_ERR_ARGUMENT);
  ck_assert_int_ne((sn_save_npy)(NULL, path), SN_OK);
  sn_function *f = sn_function_create(c, in_trace, .inputs = 1, .outputs = 1);
  sn_tensor *y;
  ck_assert_int_eq(sn_call(f, &t, 1, &y, 1), SN_OK);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("npy");
  TCase *tests = tcase_create("npy");
  tcase_add_checked_fixture(tests, open_context, close_context);
  tcase_add_test(tests, numpy_files_are_read);
  tcase_add_test(tests, every_prefix_is_refused);
  tcase_add_test(tests, files_of_another_length_are_refused);
  tcase_add_test(tests, headers_are_read_as_python_reads_them);
  tcase_add_test(tests, strings_go_through_files);
  tcase_add_test(tests, malformed_headers_are_refused);
  tcase_add_test(tests, every_dtype_goes_round);
  tcase_add_test(tests, memory_that_is_too_small_stays_as_it_is);
  tcase_add_test(tests, a_file_is_written_whole_or_not_at_all);
  tcase_add_test(tests, links_and_modes_stay);
  tcase_add_test(tests, devices_and_pipes_stay);
  tcase_add_test(tests, mistakes_are_told);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
