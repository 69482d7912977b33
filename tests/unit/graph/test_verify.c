// The verifier: a sound graph passes, every kind of damage is found and named.
#include "graph_fixture.h"

static const char program[] =
    "func @sound {\n"
    "  %0 = parameter input 0 : f32[B,10]\n"
    "  %1 = parameter variable 0 : f32[B,10]\n"
    "  %2 = add(%0, %1) : f32[B,10]\n"
    "  %3 = constant 1 : f32[]\n"
    "  %4 = broadcast(%3) : f32[B,10]\n"
    "  %5 = reduce_sum(%2) {axes=[1]} : f32[B]\n"
    "  return %5, var 0 = %4\n"
    "}\n";

static void setup_program(void) {
  setup();
  ck_assert_msg(sni_graph_parse(&arena, &diag, program, strlen(program), &graph) == SN_OK, "%s",
                diag.text);
}

static void check_damage(const char *message) {
  ck_assert_int_eq(sni_graph_verify(graph), SN_ERR_INTERNAL);
  ck_assert_str_eq(diag.text, message);
}

START_TEST(a_sound_graph_passes) {
  ck_assert_int_eq(sni_graph_verify(graph), SN_OK);
}
END_TEST

START_TEST(operand_order) {
  graph->nodes[2].operands = SNI_IDS(0, 4);
  check_damage("verify: node %2 (add): operand #1 is %4, which does not precede it");
}
END_TEST

START_TEST(operand_count) {
  graph->nodes[2].n_operands = 1;
  check_damage(
      "verify: node %2: add: takes 2 operands, given 1; operands: f32[B,10]; result: "
      "f32[B,10]");
}
END_TEST

START_TEST(attribute_count) {
  graph->nodes[2].attrs = (const sni_dim[]){1};
  graph->nodes[2].n_attrs = 1;
  check_damage(
      "verify: node %2: add: takes the attributes {}, given 1 integers; operands: "
      "f32[B,10], f32[B,10]; result: f32[B,10]");
}
END_TEST

START_TEST(unknown_op) {
  graph->nodes[2].op = SNI_OP_COUNT;
  check_damage("verify: node %2 has no valid op");
}
END_TEST

START_TEST(wrong_type) {
  graph->nodes[5].type.dims[0] = 7;
  check_damage(
      "verify: node %5: reduce_sum: the result is f32[B]; operands: f32[B,10]; result: "
      "f32[7]");
}
END_TEST

START_TEST(wrong_dtype) {
  graph->nodes[2].type.dtype = SN_F64;
  check_damage(
      "verify: node %2: add: the result is f32[B,10]; operands: f32[B,10], f32[B,10]; "
      "result: f64[B,10]");
}
END_TEST

START_TEST(dim_outside_the_table) {
  graph->nodes[0].type.dims[0] = -4000;
  check_damage(
      "verify: node %0: parameter: dim 0 of the declared result is unknown; result: "
      "f32[?,10]");
}
END_TEST

START_TEST(unequal_symbols_are_not_unified) {
  graph->nodes[1].type.dims[0] = symbol(-1);
  check_damage(
      "verify: node %2: add: operand #1: expected the shape of operand #0; operands: "
      "f32[B,10], f32[C,10]; result: f32[B,10]");
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 0);
}
END_TEST

START_TEST(constant_without_data) {
  graph->nodes[3].data = NULL;
  check_damage("verify: node %3 (constant): has no data");
}
END_TEST

START_TEST(data_without_constant) {
  graph->nodes[2].data = "1234";
  check_damage("verify: node %2 (add): has data");
}
END_TEST

START_TEST(missing_parameter) {
  graph->n_parameters = 1;
  check_damage("verify: 2 parameter nodes, 1 parameters");
}
END_TEST

START_TEST(parameter_of_another_node) {
  graph->parameters[1].node = 2;
  check_damage("verify: parameter 1 is no parameter node");
}
END_TEST

START_TEST(repeated_parameter) {
  graph->parameters[1].kind = SNI_PARAMETER_INPUT;
  check_damage("verify: parameters 0 and 1 are the same");
}
END_TEST

START_TEST(repeated_parameter_node) {
  graph->parameters[1].node = 0;
  check_damage("verify: parameters 0 and 1 are the same");
}
END_TEST

START_TEST(invalid_parameter_kind) {
  graph->parameters[1].kind = (sni_parameter_kind)3;
  check_damage("verify: parameter 1 has no valid kind");
}
END_TEST

START_TEST(result_out_of_range) {
  graph->results[0].node = 6;
  check_damage("verify: result 0 is out of range");
}
END_TEST

START_TEST(variable_assigned_twice) {
  graph->results[0] = graph->results[1];
  check_damage("verify: two results for variable 0");
}
END_TEST

START_TEST(variable_of_another_type) {
  graph->results[1].node = 5;
  check_damage("verify: the result for variable 0 has another type than the variable");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.verify");
  TCase *tests = tcase_create("verify");
  tcase_add_checked_fixture(tests, setup_program, teardown);
  tcase_add_test(tests, a_sound_graph_passes);
  tcase_add_test(tests, operand_order);
  tcase_add_test(tests, operand_count);
  tcase_add_test(tests, attribute_count);
  tcase_add_test(tests, unknown_op);
  tcase_add_test(tests, wrong_type);
  tcase_add_test(tests, wrong_dtype);
  tcase_add_test(tests, dim_outside_the_table);
  tcase_add_test(tests, unequal_symbols_are_not_unified);
  tcase_add_test(tests, constant_without_data);
  tcase_add_test(tests, data_without_constant);
  tcase_add_test(tests, missing_parameter);
  tcase_add_test(tests, parameter_of_another_node);
  tcase_add_test(tests, repeated_parameter);
  tcase_add_test(tests, repeated_parameter_node);
  tcase_add_test(tests, invalid_parameter_kind);
  tcase_add_test(tests, result_out_of_range);
  tcase_add_test(tests, variable_assigned_twice);
  tcase_add_test(tests, variable_of_another_type);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
