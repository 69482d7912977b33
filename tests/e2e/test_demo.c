// The demo program: it learns on the data that it makes, reaches the known error on the housing
// data, and refuses malformed files by line and column.
#include "e2e/process.h"

#include <unistd.h>

static char output[65536], folder[] = "/tmp/sinter_demo_XXXXXX";

static int demo(const char *arguments) {
  char command[2048];
  ck_assert_int_lt(snprintf(command, sizeof(command), "%s %s", SINTER_DEMO, arguments),
                   (int)sizeof(command));
  return run_command(command, output, sizeof(output));
}

START_TEST(test_generated_data) {
  ck_assert_msg(demo("--epochs 1") == 0, "%s", output);
  double before = number_after(output, "val_mae: ", 0),
         after = number_after(output, "val_mae: ", 1);
  ck_assert_double_gt(before, 10);  // an untrained network knows nothing of a mean of 14
  ck_assert_double_lt(after, 7);
  ck_assert_ptr_nonnull(
      strstr(output, "11610 train, 3870 validation, 5160 test rows of 10 features"));
  ck_assert_ptr_nonnull(strstr(output, "363/363 [=============================="));
  // the last batch has 26 rows: the same program
  ck_assert_ptr_nonnull(strstr(output, "train step: 1 trace(s)"));
  ck_assert_double_gt(number_after(output, "eager: ", 0), 100);
  ck_assert_double_gt(number_after(output, "graph: ", 0), 100);
  ck_assert_double_gt(number_after(output, "peak memory: ", 0), 1);
}
END_TEST

START_TEST(test_same_seed_same_numbers) {
  static char first[sizeof(output)];
  ck_assert_int_eq(demo("--epochs 1 --seed 7"), 0);
  memcpy(first, output, sizeof(output));
  ck_assert_int_eq(demo("--epochs 1 --seed 7"), 0);
  ck_assert_double_eq(number_after(output, "test_mae: ", 0), number_after(first, "test_mae: ", 0));
  ck_assert_int_eq(demo("--epochs 1 --seed 8"), 0);
  ck_assert_double_ne(number_after(output, "test_mae: ", 0), number_after(first, "test_mae: ", 0));
}
END_TEST

// Ten runs of Keras end between 0.479 and 0.549.
START_TEST(test_housing) {
  if (access(SINTER_HOUSING_CSV, R_OK) != 0) return;
  ck_assert_msg(demo("--epochs 2 --csv " SINTER_HOUSING_CSV) == 0, "%s", output);
  ck_assert_ptr_nonnull(
      strstr(output, "11610 train, 3870 validation, 5160 test rows of 8 features"));
  double mae = number_after(output, "val_mae: ", 2);
  ck_assert_double_ge(mae, 0.46);
  ck_assert_double_le(mae, 0.58);
}
END_TEST

#define HEADER                                                                              \
  "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households," \
  "median_income,median_house_value,ocean_proximity\n"
#define ROW "-122.23,37.88,41.0,880.0,129.0,322.0,126.0,8.3252,452600.0,NEAR BAY\n"

static void refuse(const char *text, const char *message) {
  char path[64], arguments[128];
  (void)snprintf(path, sizeof(path), "%s/bad.csv", folder);
  write_file(path, text);
  (void)snprintf(arguments, sizeof(arguments), "--csv %s", path);
  ck_assert_int_eq(demo(arguments), 1);
  ck_assert_msg(strstr(output, message), "\"%s\" is not in: %s", message, output);
  ck_assert_int_eq(unlink(path), 0);
}

START_TEST(test_bad_files) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  refuse(HEADER ROW "-122.23,37.88,41.0,88x.0,129.0,322.0,126.0,8.3252,452600.0,NEAR BAY\n",
         "bad.csv:3: column 4 (total_rooms): \"88x.0\" is not a number");
  refuse(HEADER ROW ROW "-122.23,37.88,41.0,880.0,129.0,322.0,126.0,,452600.0,NEAR BAY\n",
         "bad.csv:4: column 8 (median_income): the cell is empty");
  refuse(HEADER "-122.23,37.88,41.0,880.0,,322.0,0,8.3252,452600.0,NEAR BAY\n",
         "bad.csv:2: column 7 (households): 0 is not greater than 0");
  refuse(HEADER ROW "1,2,3\n", "bad.csv:3: column 4: the line has 3 cells, the header 10");
  refuse("longitude,latitude\n1,2\n", "bad.csv:1: there is no column \"median_income\"");
  refuse("", "bad.csv:1: the file is empty");
  refuse(HEADER ROW, "1 rows are too few");
  ck_assert_int_eq(demo("--csv /nowhere/housing.csv"), 1);
  ck_assert_ptr_nonnull(strstr(output, "/nowhere/housing.csv: No such file or directory"));
  ck_assert_int_eq(demo("--csv /tmp"), 1);
  ck_assert_ptr_nonnull(strstr(output, "Is a directory"));
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(test_bad_options) {
  ck_assert_int_eq(demo("--epochs"), 2);
  ck_assert_int_eq(demo("--epochs 0"), 2);
  ck_assert_int_eq(demo("--epochs 1x"), 2);
  ck_assert_int_eq(demo("--color red"), 2);
  ck_assert_ptr_nonnull(strstr(output, "usage: "));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("demo");
  TCase *tests = tcase_create("demo");
  tcase_add_test(tests, test_generated_data);
  tcase_add_test(tests, test_same_seed_same_numbers);
  tcase_add_test(tests, test_housing);
  tcase_add_test(tests, test_bad_files);
  tcase_add_test(tests, test_bad_options);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
