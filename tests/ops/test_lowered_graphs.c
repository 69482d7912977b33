// The graphs of the golden tests of lowering (tests/ir/lower), run: what their plans say is looked at
// there, here the interpreter and LLVM must give the same bits.
//
//   ops.lowered_graphs FOLDER   whose ../ir/lower has the graphs
#include "ops/modes_harness.h"

#include <dirent.h>

enum { most_graphs = 100, open_dim = 5 };

static const char *folder = ".";
static char names[most_graphs][128];
static int n_graphs;

static void read_graph(const char *name, source *s) {
  char path[512];
  snprintf(path, sizeof(path), "%s/../ir/lower/%s", folder, name);
  FILE *file = fopen(path, "r");
  ck_assert_msg(file != NULL, "%s", path);
  s->length = fread(s->text, 1, sizeof(s->text) - 1, file);
  ck_assert_msg(feof(file) != 0, "%s is too long", path);
  s->text[s->length] = 0;
  ck_assert_int_eq(fclose(file), 0);
}

// Integers are indices into tables of two rows or more. Tame: floats in [-2, 2), for a sum of a row
// with a NaN in it says little.
static void fill_input(sn_view *view, int k, bool tame) {
  const int64_t n = elements_of(&view->shape);
  fill_view(view, k);
  for (int64_t i = 0; i < n && tame; i++) {
    const double number = (double)hash_of((uint64_t)i, (uint64_t)k) * 0x1p-30 - 2;
    if (view->dtype == SN_F32) ((float *)view->data)[i] = (float)number;
    if (view->dtype == SN_F64) ((double *)view->data)[i] = number;
  }
  for (int64_t i = 0; i < n && view->dtype == SN_I32; i++)
    ((int32_t *)view->data)[i] = (int)(i & 1);
  for (int64_t i = 0; i < n && view->dtype == SN_I64; i++) ((int64_t *)view->data)[i] = i & 1;
}

START_TEST(both_tiers_agree) {
  static source s;
  sn_view in[MAX_VIEWS], out[MAX_VIEWS];
  read_graph(names[_i], &s);
  pair p = compile_pair(&s);
  const int n_in = sn_program_inputs(p.program[0]);
  ck_assert_int_le(n_in, MAX_VIEWS);
  for (int i = 0; i < n_in; i++) {
    sn_spec spec;
    ck_assert_int_eq(sn_program_input_spec(tiers[0], p.program[0], i, &spec), SN_OK);
    for (int d = 0; d < spec.shape.rank; d++)
      if (spec.shape.dims[d] == SN_UNKNOWN) spec.shape.dims[d] = open_dim;
    in[i] = new_view(spec.dtype, &spec.shape);
  }
  for (int tame = 0; tame < 2; tame++) {
    for (int i = 0; i < n_in; i++) fill_input(&in[i], i, tame);
    const int n_out = run_pair(&p, in, n_in, out);
    ck_assert_int_gt(n_out, 0);
    free_views(out, n_out);
  }
  free_views(in, n_in);
  release_pair(&p);
}
END_TEST

static void list_graphs(void) {
  char path[512];
  snprintf(path, sizeof(path), "%s/../ir/lower", folder);
  DIR *directory = opendir(path);
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    if (strstr(entry->d_name, ".in.ir") && strlen(entry->d_name) < sizeof(names[0]) &&
        n_graphs < most_graphs)
      snprintf(names[n_graphs++], sizeof(names[0]), "%s", entry->d_name);
  if (directory) closedir(directory);
}

int main(int argc, char **argv) {
  if (argc > 1) folder = argv[1];
  list_graphs();
  Suite *suite = suite_create("lowered_graphs");
  TCase *tests = tcase_create("lowered_graphs");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_add_loop_test(tests, both_tiers_agree, 0, n_graphs);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner) || n_graphs < 10;
  srunner_free(runner);
  return failed ? 1 : 0;
}
