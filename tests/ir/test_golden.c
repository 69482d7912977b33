// Golden tests of the graph passes: tests/ir/<pass>/<case>.in.ir is parsed, the pass runs, and the
// result printed must be <case>.out.ir. A pass run on its own output must give the same again.
//
//   test_golden DIRECTORY            checks
//   test_golden DIRECTORY --rewrite  writes the .out.ir files anew: read the diff before you commit
//                                    it
//
// Passes are those of sni_graph_passes, and "differentiate": the gradients of the first result with
// respect to all float parameters, which become the results; dead nodes are pruned. "lower" is the
// whole lowering (fusion, schedule, kernels, memory plan) for 512-bit vectors without BLAS: its
// output is the plan's text.
#include "passes/graph/passes.h"
#include "passes/lower/lower.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_cases = 512, longest_path = 1024 };

static char cases[most_cases][longest_path];  // paths without .in.ir
static const char *passes[most_cases];        // name of each case's pass
static int n_cases;
static bool rewrite;

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
  long bytes = ftell(file);
  ck_assert_int_ge(bytes, 0);
  rewind(file);
  char *text = calloc((size_t)bytes + 1, 1);
  ck_assert_uint_eq(fread(text, 1, (size_t)bytes, file), (size_t)bytes);
  fclose(file);
  return text;
}

static sn_status differentiate(sni_graph *graph, sni_graph **out_graph) {
  sni_node_id xs[64], gradients[64], y = graph->results[0].node;
  int n = 0;
  for (uint32_t i = 0; i < graph->n_parameters && n < 64; i++)
    if (sni_is_float(sni_graph_type(graph, graph->parameters[i].node)->dtype))
      xs[n++] = graph->parameters[i].node;
  SNI_TRY(sni_differentiate(
      graph, &(sni_differentiate_request){.y = y, .seed = SNI_NO_NODE, .xs = xs, .n_xs = n},
      gradients));
  graph->n_results = 0;
  for (int i = 0; i < n; i++)
    if (gradients[i] != SNI_NO_NODE) SNI_TRY(sni_graph_add_result(graph, gradients[i], -1));
  return sni_prune_nodes(graph, out_graph);
}

static sn_status run_pass(const char *name, sni_graph *graph, sni_graph **out_graph) {
  if (!strcmp(name, "differentiate")) return differentiate(graph, out_graph);
  for (int i = 0; i < sni_graph_pass_count; i++)
    if (!strcmp(name, sni_graph_passes[i].name)) return sni_graph_passes[i].run(graph, out_graph);
  return sni_fail(&diag, SN_ERR_INTERNAL, "no pass %s", name);
}

static sn_status lower(sni_graph *graph, char **out_text) {
  sni_lower_options options = {.vector_bits = 512, .streamed_bytes = 8 << 20, .verify = true};
  sni_plan *plan;
  sni_text text;
  SNI_TRY(sni_lower_graph(graph, &options, &arena, &diag, &plan));
  sni_text_init(&text, &allocator);
  sn_status status = sni_plan_print(plan, graph, false, &text);
  if (!status) status = sni_plan_print(plan, graph, true, &text);
  if (!status) return sni_text_take(&text, &diag, out_text);
  sni_text_deinit(&text);
  return status;
}

// Text of the graph that the pass makes of `text`; freed by the caller.
static char *transform(const char *pass, const char *text) {
  sni_graph *graph, *result;
  char *printed = NULL;
  sn_status status = sni_graph_parse(&arena, &diag, text, strlen(text), &graph);
  if (!status && !strcmp(pass, "lower")) {
    status = lower(graph, &printed);
    ck_assert_msg(!status, "%s", diag.text);
    return printed;
  }
  if (!status) status = run_pass(pass, graph, &result);
  if (!status) status = sni_graph_verify(result);
  if (!status) status = sni_graph_print(result, &allocator, &printed);
  ck_assert_msg(!status, "%s", diag.text);
  return printed;
}

// The texts are too long for a message of Check.
static void check_text(const char *given, const char *expected, const char *what,
                       const char *path) {
  bool equal = !strcmp(given, expected);
  if (!equal) fprintf(stderr, "---- %s: expected\n%s---- given\n%s", path, expected, given);
  ck_assert_msg(equal, "%s: %s", path, what);
}

START_TEST(golden) {
  char in_path[longest_path + 16], out_path[longest_path + 16];
  snprintf(in_path, sizeof(in_path), "%s.in.ir", cases[_i]);
  snprintf(out_path, sizeof(out_path), "%s.out.ir", cases[_i]);
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  char *in = read_file(in_path), *expected = read_file(out_path);
  ck_assert_ptr_nonnull(in);
  char *given = transform(passes[_i], in);
  if (rewrite) {
    FILE *file = fopen(out_path, "wb");
    ck_assert_msg(file && fputs(given, file) >= 0 && fclose(file) == 0, "cannot write %s",
                  out_path);
  } else {
    check_text(given, expected ? expected : "", "differs; --rewrite accepts what is given",
               cases[_i]);
  }
  if (strcmp(passes[_i], "differentiate") && strcmp(passes[_i], "lower")) {
    char *again = transform(passes[_i], given);
    check_text(again, given, "a second run changes the graph", cases[_i]);
    sni_free(&allocator, again, strlen(again) + 1);
  }
  sni_free(&allocator, given, strlen(given) + 1);
  free(in);
  free(expected);
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(every_pass_has_cases) {
  for (int p = 0; p < sni_graph_pass_count; p++) {
    bool found = false;
    for (int i = 0; i < n_cases; i++) found = found || !strcmp(passes[i], sni_graph_passes[p].name);
    ck_assert_msg(found, "no case for %s", sni_graph_passes[p].name);
  }
}
END_TEST

static void find_cases(const char *root, const char *pass) {
  static const char suffix[] = ".in.ir";
  char folder[longest_path];
  if (snprintf(folder, sizeof(folder), "%s/%s", root, pass) >= longest_path) return;
  DIR *directory = opendir(folder);
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory)) && n_cases < most_cases;) {
    size_t length = strlen(entry->d_name);
    if (length <= strlen(suffix) || strcmp(entry->d_name + length - strlen(suffix), suffix))
      continue;
    int stem = (int)(length - strlen(suffix));
    if (snprintf(cases[n_cases], longest_path, "%s/%.*s", folder, stem, entry->d_name) >=
        longest_path)
      continue;
    passes[n_cases++] = pass;
  }
  closedir(directory);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s DIRECTORY [--rewrite]\n", argv[0]);
    return 2;
  }
  rewrite = argc > 2 && !strcmp(argv[2], "--rewrite");
  find_cases(argv[1], "differentiate");
  find_cases(argv[1], "lower");
  for (int p = 0; p < sni_graph_pass_count; p++) find_cases(argv[1], sni_graph_passes[p].name);
  Suite *suite = suite_create("golden");
  TCase *tcase = tcase_create("passes");
  tcase_add_loop_test(tcase, golden, 0, n_cases);
  tcase_add_test(tcase, every_pass_has_cases);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
