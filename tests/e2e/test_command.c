// The sinter command: info, dump of every stage, run on .npy files, bench; and its refusals.
#include "e2e/process.h"

#include <sinter/sinter.h>

#include <stdarg.h>
#include <unistd.h>

static char output[1 << 20], folder[] = "/tmp/sinter_command_XXXXXX";
static sn_context *context;  // that writes and reads files

static const char graph_text[] =
    "func @affine {\n"
    "  %0 = parameter input 0 \"x\" : f32[B,3]\n"
    "  %1 = parameter input 1 : f32[3]\n"
    "  %2 = broadcast(%1) : f32[B,3]\n"
    "  %3 = mul(%0, %2) : f32[B,3]\n"
    "  %4 = reduce_sum(%3) {axes=[1]} : f32[B]\n"
    "  return %4, %3\n"
    "}\n";

static int command(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int command(const char *format, ...) {
  char line[2048] = "cd ", *end;
  va_list args;
  end = line + snprintf(line, sizeof(line), "cd %s && %s ", folder, SINTER_COMMAND);
  va_start(args, format);
  (void)vsnprintf(end, sizeof(line) - (size_t)(end - line), format, args);
  va_end(args);
  return run_command(line, output, sizeof(output));
}

#define ck_assert_output(part) \
  ck_assert_msg(strstr(output, part) != NULL, "\"%s\" is not in: %s", part, output)

static void path_of(char *path, size_t capacity, const char *name) {
  ck_assert_int_lt(snprintf(path, capacity, "%s/%s", folder, name), (int)capacity);
}

static void setup(void) {
  char path[128];
  const float x[6] = {1, 2, 3, 4, 5, 6}, w[3] = {1, 10, 100};
  ck_assert_int_eq(sn_context_create(&context, .threads = 1), SN_OK);
  ck_assert_ptr_nonnull(mkdtemp(folder));
  path_of(path, sizeof(path), "affine.txt");
  write_file(path, graph_text);
  path_of(path, sizeof(path), "x.npy");
  ck_assert_int_eq(sn_save_npy(sn_constant(context, SN_F32, SN_SHAPE(2, 3), x), path), SN_OK);
  path_of(path, sizeof(path), "w.npy");
  ck_assert_int_eq(sn_save_npy(sn_constant(context, SN_F32, SN_SHAPE(3), w), path), SN_OK);
}

static void teardown(void) {
  static const char *const names[] = {"affine.txt", "x.npy",   "w.npy",
                                      "y.npy",      "bad.txt", "err.txt"};
  char path[128];
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    path_of(path, sizeof(path), names[i]);
    (void)unlink(path);
  }
  ck_assert_int_eq(rmdir(folder), 0);
  sn_context_destroy(context);
}

START_TEST(test_info) {
  ck_assert_int_eq(command("info"), 0);
  static const char *const rows[] = {"sinter ", "cpu ",  "features ", "threads ",
                                     "llvm ",   "blas ", "devices "};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) ck_assert_output(rows[i]);
  if (SINTER_HAS_LLVM) ck_assert_output("(loaded)");
  ck_assert_int_eq(command("info --plugin=/nowhere.so"), 0);
  ck_assert_output("/nowhere.so");
}
END_TEST

START_TEST(test_run) {
  char path[128];
  float y[2];
  for (int interpreter = 0; interpreter < 2; interpreter++) {
    ck_assert_msg(command("run affine.txt --input x.npy --input w.npy --output y.npy --backend=%s",
                          interpreter ? "interpreter" : "auto") == 0,
                  "%s", output);
    path_of(path, sizeof(path), "y.npy");
    sn_tensor *t = sn_load_npy(context, path);
    ck_assert_int_eq(sn_dtype_of(t), SN_F32);
    ck_assert_int_eq(sn_rank(t), 1);
    ck_assert_int_eq(sn_read(t, y, sizeof(y)), SN_OK);
    ck_assert_float_eq(y[0], 321);
    ck_assert_float_eq(y[1], 654);
    ck_assert_output("600");  // the second output is printed
  }
}
END_TEST

START_TEST(test_dump) {
  ck_assert_int_eq(command("dump affine.txt --stage=trace"), 0);
  ck_assert_str_eq(output, graph_text);
  ck_assert_int_eq(command("dump affine.txt"), 0);
  ck_assert_output("reduce_sum");
  ck_assert_int_eq(command("dump affine.txt --stage dot"), 0);
  ck_assert_output("digraph");
  ck_assert_int_eq(command("dump affine.txt --stage=fused"), 0);
  ck_assert_uint_gt(strlen(output), 20);
  ck_assert_int_eq(command("dump affine.txt --stage=kernel"), 0);
  ck_assert_output("reduce");
  int has_llvm = SINTER_HAS_LLVM;
  ck_assert_int_eq(command("dump affine.txt --stage=llvm"), has_llvm ? 0 : 1);
  if (has_llvm) ck_assert_output("define ");
  ck_assert_int_eq(command("dump affine.txt --stage=asm"), has_llvm ? 0 : 1);
  if (has_llvm) ck_assert_output("ret");
  ck_assert_int_eq(command("dump - < affine.txt --stage=trace"), 0);
  ck_assert_str_eq(output, graph_text);
}
END_TEST

// Symbols are explained, sizes are theirs, and all comes in the order in which it is read and run.
START_TEST(test_dump_of_groups) {
  char path[128];
  path_of(path, sizeof(path), "bad.txt");
  write_file(path,
             "func @f {\n  %0 = parameter input 0 \"x\" : f32[B,N]\n"
             "  %1 = parameter input 1 : f32[N,64]\n"
             "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[B,64]\n  %3 = tanh(%2) : f32[B,64]\n"
             "  %4 = reduce_sum(%3) {axes=[1]} : f32[B]\n  %5 = broadcast(%4) : f32[64,B]\n"
             "  %6 = transpose(%5) {perm=[1,0]} : f32[B,64]\n  %7 = div(%3, %6) : f32[B,64]\n"
             "  %8 = reduce_sum(%7) {axes=[0]} : f32[64]\n  %9 = exp(%8) : f32[64]\n"
             "  return %7, %9\n}\n");
  ck_assert_int_eq(command("dump bad.txt --stage=fused"), 0);
  static const char *const rows[] = {"// B is dim 0 of input 0 \"x\"\n",
                                     "// N is dim 1 of input 0 \"x\"\n",
                                     "group 0",
                                     "= matmul(",
                                     "= tanh(",
                                     "= reduce_sum(",
                                     "= div(",
                                     " // stored: a result; B*256 bytes",
                                     "group 1",
                                     "; div(B+63,64)*256 bytes",
                                     "= exp("};
  const char *at = output;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    at = strstr(at, rows[i]);
    ck_assert_msg(at != NULL, "\"%s\" is not in its place: %s", rows[i], output);
  }
  ck_assert_int_eq(command("dump bad.txt --stage=kernel"), 0);
  ck_assert_output("size s0 = symbol 0  // B is dim 0 of input 0 \"x\"\n");
}
END_TEST

START_TEST(test_bench) {
  ck_assert_int_eq(command("bench affine.txt --seconds 0.05"), 0);
  ck_assert_double_gt(number_after(output, "affine.txt", 0), 0);
  ck_assert_int_eq(command("bench --seconds=0.02"), 0);
  ck_assert_output("matmul");
}
END_TEST

START_TEST(test_refusals) {
  char path[128];
  path_of(path, sizeof(path), "bad.txt");
  write_file(
      path,
      "func @f {\n  %0 = parameter input 0 : f32[3]\n  %1 = ad(%0, %0) : f32[3]\n  return %1\n}\n");
  ck_assert_int_eq(command("dump bad.txt"), 1);
  ck_assert_output("sinter: bad.txt:3:8: expected the name of an op, not \"ad\"\n");
  ck_assert_int_eq(command("dump - < bad.txt"), 1);
  ck_assert_output("sinter: standard input:3:8: expected the name of an op");
  ck_assert_int_eq(command("dump nowhere.txt"), 1);
  ck_assert_output("nowhere.txt: No such file");
  ck_assert_int_eq(command("run affine.txt --input x.npy"), 1);
  ck_assert_output("2 inputs, --input was given 1 times");
  ck_assert_int_eq(command("run affine.txt --input w.npy --input w.npy"), 1);
  ck_assert_output("rank 1, expected 2");
  ck_assert_int_eq(command("run affine.txt --input x.npy --input affine.txt"), 1);
  ck_assert_output("affine.txt: this is no .npy file");
  ck_assert_int_eq(command("dump affine.txt --stage=ptx"), 2);
  ck_assert_int_eq(command("dump affine.txt --colour=red"), 2);
  ck_assert_int_eq(command("dance"), 2);
  ck_assert_int_eq(command(" "), 2);
  write_file(path, "func @f {\n  %0 = parameter input 0 : f32[2*B]\n  return %0\n}\n");
  ck_assert_int_eq(command("dump bad.txt"), 1);
  ck_assert_output("sinter: bad.txt:2: input 0: dim 0 is neither a number nor a symbol\n");
}
END_TEST

// Errors are about the user's file and its lines; no function or line of Sinter is in them.
START_TEST(test_errors_name_the_file) {
  static const struct {
    const char *lines, *arguments, *message;
  } cases[] = {
      {"  %0 = parameter input 0 : f32[N,3]\n  %1 = slice(%0) {start=[5,0], step=[1,1]} : "
       "f32[N-5,3]\n"
       "  return %1\n",
       "run bad.txt --input x.npy", "bad.txt:3: node %1: slice: N-5 is negative\n"},
      {"  %0 = parameter input 0 : f32[2,3]\n  %1 = constant [0, 2] : i32[2]\n\n"
       "  %2 = gather(%0, %1) : f32[2,3]\n  return %2\n",
       "run bad.txt --input x.npy", "bad.txt:5: gather: an index (operand #1, i32[2])"},
      {"  %0 = parameter input 1 : f32[3]\n  return %0\n", "dump bad.txt",
       "bad.txt:2: parameters of a kind must be numbered from 0 on, given 1\n"},
      {"  %0 = parameter input 0 : f32[N]\n  %1 = parameter variable 0 : f32[N]\n  return %1\n",
       "dump bad.txt", "bad.txt:3: a variable or captured tensor has a symbolic dim\n"},
      {"  %0 = parameter input 0 : f32[3]\n  return %0, var 3 = %0\n", "dump bad.txt",
       "bad.txt: a result is for variable 3, which is no parameter\n"},
      {"  %0 = parameter input 0 : i32[2,3]\n  return %0\n", "run bad.txt --input x.npy",
       "bad.txt: input 0 is f32, expected i32\n"},
      {"  %0 = parameter input 0 : i32[2,3]\n  return %0\n",
       "dump bad.txt --backend=interpreter --stage=asm",
       "bad.txt: no LLVM: the context's backend is the interpreter\n"},
      {"  %0 = parameter input 0 : i32[2,3]\n  return %0\n",
       "run bad.txt --backend=llvm --plugin=/no.so", "bad.txt: the LLVM backend is not available"},
  };
  char path[128], text[512], wanted[256];
  path_of(path, sizeof(path), "bad.txt");
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    snprintf(text, sizeof(text), "func @f {\n%s}\n", cases[i].lines);
    write_file(path, text);
    ck_assert_int_eq(command("%s", cases[i].arguments), 1);
    snprintf(wanted, sizeof(wanted), "sinter: %s", cases[i].message);
    ck_assert_output(wanted);
    ck_assert_msg(strstr(output, "sn_") == NULL && strstr(output, ".c:") == NULL, "%s", output);
  }
}
END_TEST

// Standard output on a full disk, or closed.
START_TEST(test_lost_output) {
  const char *const lines[] = {
      "info",
      "version",
      "help",
      SINTER_HAS_LLVM ? "dump affine.txt --stage=asm" : "dump affine.txt --stage=kernel",
      "run affine.txt --input x.npy --input w.npy",
      "bench affine.txt --seconds=0"};
  for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
    ck_assert_int_eq(command("%s", lines[i]), 0);
    ck_assert_msg(command("%s 2>&1 >/dev/full; exit $?", lines[i]) == 1, "%s >/dev/full", lines[i]);
    ck_assert_output("sinter: standard output: No space left on device");
    ck_assert_msg(command("%s 2>err.txt >&-; exit $?", lines[i]) == 1, "%s >&-", lines[i]);
  }
  // With the first three files closed the output must not land in another one.
  ck_assert_int_eq(command("run affine.txt --input x.npy --input w.npy "
                           "--output y.npy <&- >&-; exit $?"),
                   1);
  char path[128];
  path_of(path, sizeof(path), "y.npy");
  ck_assert_int_eq(sn_size(sn_load_npy(context, path)), 2);
}
END_TEST

START_TEST(test_small_refusals) {
  ck_assert_int_eq(command("info --threads=1.5"), 2);
  ck_assert_output("not a whole number: 1.5");
  ck_assert_int_eq(command("dump /dev/zero"), 1);
  ck_assert_output("/dev/zero: File too large");
  ck_assert_int_eq(command("run affine.txt --input /dev/zero --input w.npy"), 1);
  ck_assert_output("/dev/zero: ");
  char path[128];
  path_of(path, sizeof(path), "bad.txt");
  write_file(path, "func @f {\n  %0 = nonsense\n}\n");
  ck_assert_int_eq(command("dump bad.txt"), 1);
  ck_assert_output("sinter: bad.txt:2:8: expected the name of an op");
}
END_TEST

// A result that could not be written whole is not there.
START_TEST(test_no_half_output) {
  char path[128];
  path_of(path, sizeof(path), "y.npy");
  ck_assert_int_eq(command("version; ulimit -f 0; %s run affine.txt --input x.npy --input w.npy "
                           "--output y.npy 2>&1 || true",
                           "trap '' XFSZ; " SINTER_COMMAND),
                   0);
  ck_assert_output("y.npy: File too large");
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("command");
  TCase *tests = tcase_create("command");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_info);
  tcase_add_test(tests, test_run);
  tcase_add_test(tests, test_dump);
  tcase_add_test(tests, test_dump_of_groups);
  tcase_add_test(tests, test_bench);
  tcase_add_test(tests, test_refusals);
  tcase_add_test(tests, test_errors_name_the_file);
  tcase_add_test(tests, test_lost_output);
  tcase_add_test(tests, test_small_refusals);
  tcase_add_test(tests, test_no_half_output);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
