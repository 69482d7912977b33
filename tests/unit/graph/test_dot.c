// Graphviz text: boxes with op, type and line; edges; results.
#include "graph_fixture.h"

START_TEST(boxes_edges_and_results) {
  sni_type type = type_of("f32[B,10]");
  sni_node_id x, two, y;
  const sni_location here = {.file = "/home/me/dir \"q\"/model.c", .line = 12};
  ck_assert_int_eq(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_INPUT, 0, "x \"in\"", &x),
                   SN_OK);
  ck_assert_int_eq(sni_graph_add_full(graph, &type, 2, here, &two), SN_OK);
  ck_assert_int_eq(
      sni_graph_add(graph, SNI_OP_MUL, SNI_IDS(x, two), 2, SNI_NO_ATTRS, NULL, here, &y), SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, y, -1), SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, x, 4), SN_OK);
  char *text;
  ck_assert_int_eq(sni_graph_print_dot(graph, &allocator, &text), SN_OK);
  ck_assert_str_eq(text,
                   "digraph \"test\" {\n"
                   "  node [shape=box];\n"
                   "  n0 [label=\"parameter x \\\"in\\\"\\nf32[B,10]\", style=\"rounded\"];\n"
                   "  n1 [label=\"constant 2\\nf32[]\\nmodel.c:12\", style=\"rounded\"];\n"
                   "  n2 [label=\"broadcast\\nf32[B,10]\\nmodel.c:12\"];\n"
                   "  n1 -> n2;\n"
                   "  n3 [label=\"mul\\nf32[B,10]\\nmodel.c:12\"];\n"
                   "  n0 -> n3;\n"
                   "  n2 -> n3;\n"
                   "  r0 [label=\"output\", shape=oval, peripheries=2];\n"
                   "  n3 -> r0;\n"
                   "  r1 [label=\"variable 4\", shape=oval, peripheries=2];\n"
                   "  n0 -> r1;\n"
                   "}\n");
  sni_free(&allocator, text, strlen(text) + 1);
}
END_TEST

START_TEST(an_empty_graph_is_a_graph) {
  char *text;
  ck_assert_int_eq(sni_graph_create(&arena, &diag, NULL, NULL, &graph), SN_OK);
  ck_assert_int_eq(sni_graph_print_dot(graph, &allocator, &text), SN_OK);
  ck_assert_str_eq(text, "digraph \"graph\" {\n  node [shape=box];\n}\n");
  sni_free(&allocator, text, strlen(text) + 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.dot");
  TCase *tests = tcase_create("dot");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, boxes_edges_and_results);
  tcase_add_test(tests, an_empty_graph_is_a_graph);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
