// Construction: nodes, constants, parameters, results, the table of ops, deep chains, failing
// allocations.
#include "graph_fixture.h"

static const sni_location here = {.file = "model.c", .line = 12};

START_TEST(the_table_of_ops_is_complete) {
  for (int i = 0; i < SNI_OP_COUNT; i++) {
    const sni_op_info *info = &sni_op_infos[i];
    ck_assert_ptr_nonnull(info->name);
    ck_assert_ptr_nonnull(info->formula);
    ck_assert_uint_ne(info->dtypes, 0);
    ck_assert_int_eq(sni_op_by_name(info->name, strlen(info->name)), i);
  }
  ck_assert_int_eq(sni_op_by_name("ad", 2), SNI_OP_COUNT);
  ck_assert_int_eq(sni_op_by_name("add_", 4), SNI_OP_COUNT);
  ck_assert_int_eq(sni_op_by_name("", 0), SNI_OP_COUNT);
  ck_assert_int_eq(sni_op_by_name("add_", 3), SNI_OP_ADD);
}
END_TEST

START_TEST(ops_with_a_vjp_are_differentiable) {
  ck_assert(sni_op_infos[SNI_OP_ADD].differentiable);
  ck_assert(sni_op_infos[SNI_OP_SQRT].differentiable);
  ck_assert(sni_op_infos[SNI_OP_MATMUL].differentiable);
  ck_assert(!sni_op_infos[SNI_OP_SIGN].differentiable);
  ck_assert(!sni_op_infos[SNI_OP_STOP_GRADIENT].differentiable);
  ck_assert(!sni_op_infos[SNI_OP_PARAMETER].differentiable);
}
END_TEST

START_TEST(nodes_are_appended_with_copies) {
  sni_node_id ids[2] = {input("f32[B,10]"), input("f32[10,30]")}, id;
  sni_dim attrs[2] = {0, 0};
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_MATMUL, ids, 2, attrs, 2, NULL, here, &id), SN_OK);
  ids[0] = ids[1] = 77;
  attrs[0] = attrs[1] = 1;
  const sni_node *node = sni_graph_node(graph, id);
  ck_assert_uint_eq(id, 2);
  ck_assert_int_eq(node->op, SNI_OP_MATMUL);
  ck_assert_uint_eq(node->operands[0], 0);
  ck_assert_uint_eq(node->operands[1], 1);
  ck_assert_int_eq(node->attrs[0], 0);
  ck_assert_str_eq(node->location.file, "model.c");
  ck_assert_int_eq(node->location.line, 12);
  check_type(sni_graph_type(graph, id), "f32[B,30]");
  ck_assert_uint_eq(graph->n_nodes, 3);
}
END_TEST

START_TEST(a_refused_node_is_not_appended) {
  sni_node_id a = input("f32[2]"), b = input("i32[2]"), id = 99;
  ck_assert_int_eq(
      sni_graph_add(graph, SNI_OP_ADD, SNI_IDS(a, b), 2, SNI_NO_ATTRS, NULL, here, &id),
      SN_ERR_DTYPE);
  ck_assert_uint_eq(graph->n_nodes, 2);
  ck_assert_uint_eq(id, 99);
  ck_assert_ptr_nonnull(strstr(diag.text, "operand #1: expected f32"));
  sni_diag_clear(&diag);
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_NEG, SNI_IDS(2), 1, SNI_NO_ATTRS, NULL, here, &id),
                   SN_ERR_INTERNAL);
  sni_diag_clear(&diag);
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_CONSTANT, NULL, 0, SNI_NO_ATTRS,
                                 sni_graph_type(graph, a), here, &id),
                   SN_ERR_INTERNAL);
}
END_TEST

START_TEST(types_hold_unified_dims) {
  sni_node_id a = input("f32[B]"), b = input("f32[C]"), id, neg;
  ck_assert_int_eq(
      sni_graph_add(graph, SNI_OP_ADD, SNI_IDS(a, b), 2, SNI_NO_ATTRS, NULL, here, &id), SN_OK);
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_NEG, SNI_IDS(b), 1, SNI_NO_ATTRS, NULL, here, &neg),
                   SN_OK);
  ck_assert_int_eq(sni_graph_type(graph, neg)->dims[0], sni_graph_type(graph, a)->dims[0]);
}
END_TEST

START_TEST(constants_are_copied) {
  sni_type type = type_of("i32[3]");
  int32_t data[3] = {1, -2, 3};
  sni_node_id id;
  ck_assert_int_eq(sni_graph_add_constant(graph, &type, data, here, &id), SN_OK);
  data[1] = 0;
  ck_assert_int_eq(((const int32_t *)sni_graph_node(graph, id)->data)[1], -2);
  type = type_of("bool[3]");
  const unsigned char bools[3] = {0, 1, 255};
  ck_assert_int_eq(sni_graph_add_constant(graph, &type, bools, here, &id), SN_OK);
  ck_assert_int_eq(((const unsigned char *)sni_graph_node(graph, id)->data)[2], 1);
  type = type_of("f32[0,4]");
  ck_assert_int_eq(sni_graph_add_constant(graph, &type, NULL, here, &id), SN_OK);
  ck_assert_ptr_nonnull(sni_graph_node(graph, id)->data);
  type = type_of("f32[B]");
  ck_assert_int_eq(sni_graph_add_constant(graph, &type, NULL, here, &id), SN_ERR_SHAPE);
  sni_diag_clear(&diag);
  type = type_of("f32[4611686018427387904,4]");
  ck_assert_int_eq(sni_graph_add_constant(graph, &type, NULL, here, &id), SN_ERR_SHAPE);
}
END_TEST

static const void *full_data(const char *type_text, double value) {
  sni_type type = type_of(type_text);
  sni_node_id id;
  ck_assert_int_eq(sni_graph_add_full(graph, &type, value, here, &id), SN_OK);
  check_type(sni_graph_type(graph, id), type_text);
  if (type.rank) {
    ck_assert_int_eq(sni_graph_node(graph, id)->op, SNI_OP_BROADCAST);
    id = sni_graph_node(graph, id)->operands[0];
  }
  ck_assert_int_eq(sni_graph_node(graph, id)->op, SNI_OP_CONSTANT);
  return sni_graph_node(graph, id)->data;
}

START_TEST(full_converts_the_value) {
  ck_assert_double_eq(*(const double *)full_data("f64[]", 0.1), 0.1);
  ck_assert_float_eq(*(const float *)full_data("f32[B,2]", 0.1), 0.1f);
  ck_assert_int_eq(*(const int32_t *)full_data("i32[2]", -2.9), -2);
  ck_assert_int_eq(*(const int32_t *)full_data("i32[]", 1e30), INT32_MAX);
  ck_assert_int_eq(*(const int64_t *)full_data("i64[]", -1e30), INT64_MIN);
  ck_assert_int_eq(*(const int64_t *)full_data("i64[]", 1e30), INT64_MAX);
  ck_assert_int_eq(*(const int64_t *)full_data("i64[]", __builtin_nan("")), 0);
  ck_assert_int_eq(*(const unsigned char *)full_data("bool[3]", 0.5), 1);
  ck_assert_int_eq(*(const unsigned char *)full_data("bool[]", 0), 0);
}
END_TEST

START_TEST(parameters_and_results_are_listed) {
  sni_type type = type_of("f32[B]");
  char name[] = "weights";
  sni_node_id id;
  ck_assert_int_eq(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_VARIABLE, 3, name, &id),
                   SN_OK);
  name[0] = '?';
  ck_assert_uint_eq(graph->n_parameters, 1);
  ck_assert_uint_eq(graph->parameters[0].node, id);
  ck_assert_int_eq(graph->parameters[0].kind, SNI_PARAMETER_VARIABLE);
  ck_assert_uint_eq(graph->parameters[0].index, 3);
  ck_assert_str_eq(sni_graph_node(graph, id)->name, "weights");
  ck_assert_int_eq(sni_graph_add_result(graph, id, -1), SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, id, 3), SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, 5, -1), SN_ERR_INTERNAL);
  ck_assert_uint_eq(graph->n_results, 2);
  ck_assert_int_eq(graph->results[1].variable, 3);
}
END_TEST

START_TEST(many_operands_are_accepted_up_to_the_limit) {
  static sni_node_id ids[UINT16_MAX + 1];
  sni_node_id a = input("f32[2]"), id;
  for (int i = 0; i <= UINT16_MAX; i++) ids[i] = a;
  ck_assert_int_eq(
      sni_graph_add(graph, SNI_OP_CONCAT, ids, UINT16_MAX, SNI_ATTRS(0), NULL, here, &id), SN_OK);
  check_type(sni_graph_type(graph, id), "f32[131070]");
  ck_assert_int_eq(
      sni_graph_add(graph, SNI_OP_CONCAT, ids, UINT16_MAX + 1, SNI_ATTRS(0), NULL, here, &id),
      SN_ERR_UNSUPPORTED);
  sni_diag_clear(&diag);
  ids[700] = input("i32[2]");
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_CONCAT, ids, 1000, SNI_ATTRS(0), NULL, here, &id),
                   SN_ERR_DTYPE);
  ck_assert_ptr_nonnull(strstr(diag.text, "operand #700"));
  ck_assert_ptr_nonnull(strstr(diag.text, "f32[2], ... (1000)"));
}
END_TEST

// Nothing recurses over the graph.
START_TEST(deep_chains_work_everywhere) {
  sni_node_id id = input("f32[B]");
  for (int i = 0; i < 100000; i++)
    ck_assert_int_eq(sni_graph_add(graph, i % 2 ? SNI_OP_NEG : SNI_OP_EXP, &id, 1, SNI_NO_ATTRS,
                                   NULL, here, &id),
                     SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, id, -1), SN_OK);
  ck_assert_int_eq(sni_graph_verify(graph), SN_OK);
  char *text, *again, *dot;
  sni_graph *parsed;
  ck_assert_int_eq(sni_graph_print(graph, &allocator, &text), SN_OK);
  ck_assert_int_eq(sni_graph_print_dot(graph, &allocator, &dot), SN_OK);
  ck_assert_int_eq(sni_graph_parse(&arena, &diag, text, strlen(text), &parsed), SN_OK);
  ck_assert_int_eq(sni_graph_print(parsed, &allocator, &again), SN_OK);
  ck_assert_str_eq(text, again);
  sni_free(&allocator, text, strlen(text) + 1);
  sni_free(&allocator, again, strlen(again) + 1);
  sni_free(&allocator, dot, strlen(dot) + 1);
}
END_TEST

// ---- the Nth allocation fails, for every N
static int allocations_left;

static void *failing_reallocate(void *user, void *ptr, size_t old_size, size_t new_size,
                                size_t align) {
  (void)user, (void)old_size, (void)align;
  if (!new_size) {
    free(ptr);
    return NULL;
  }
  return allocations_left-- > 0 ? realloc(ptr, new_size) : NULL;
}

static const char program[] =
    "func @all {\n"
    "  %0 = parameter input 0 \"x\" : f32[B,10]\n"
    "  %1 = parameter variable 0 : f32[10,30]\n"
    "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[B,30]\n"
    "  %3 = constant [1, 2, 3] : f32[3]\n"
    "  %4 = constant 0 : f32[]\n"
    "  %5 = pad(%2, %4) {low=[0,1], high=[B,2], interior=[0,1]} : f32[2*B,62]\n"
    "  %6 = reshape(%5) : f32[124*B]\n"
    "  return %6, var 0 = %1\n"
    "}\n";

static sn_status run_all(sni_allocator *failing) {
  sni_arena memory;
  sni_graph *parsed;
  sni_node_id a, b, c;
  char *text = NULL;
  sni_dim dims[2];
  sni_diag_clear(&diag);
  sni_arena_init(&memory, failing);
  sn_status status = sni_graph_parse(&memory, &diag, program, strlen(program), &parsed);
  if (!status) status = sni_dim_new_symbol(parsed->dims, 5, &dims[0]);
  if (!status) status = sni_dim_new_symbol(parsed->dims, 5, &dims[1]);
  for (int i = 0; i < 300 && !status; i++) {
    sni_type x = sni_type_make(SN_F32, 1, &dims[0]), y = sni_type_make(SN_F32, 1, &dims[1]);
    status =
        sni_graph_add_parameter(parsed, &x, SNI_PARAMETER_INPUT, 10u + 2u * (uint32_t)i, "x", &a);
    if (!status)
      status =
          sni_graph_add_parameter(parsed, &y, SNI_PARAMETER_INPUT, 11u + 2u * (uint32_t)i, "y", &b);
    if (!status)
      status = sni_graph_add(parsed, SNI_OP_ADD, SNI_IDS(a, b), 2, NULL, 0, NULL, here, &c);
    if (!status) status = sni_graph_add_result(parsed, c, -1);
    dims[0] = sni_dim_mul_constant(parsed->dims, dims[0], 1);
  }
  if (!status) status = sni_graph_verify(parsed);
  if (!status) status = sni_graph_print(parsed, failing, &text);
  if (text) sni_free(failing, text, strlen(text) + 1);
  text = NULL;
  if (!status) status = sni_graph_print_dot(parsed, failing, &text);
  if (text) sni_free(failing, text, strlen(text) + 1);
  sni_arena_deinit(&memory);
  return status;
}

START_TEST(every_failing_allocation_is_reported) {
  const sn_allocator host = {failing_reallocate, NULL};
  int n = 0;
  for (;; n++) {
    sni_allocator failing;
    sni_allocator_init(&failing, &host, 0);
    allocations_left = n;
    sn_status status = run_all(&failing);
    ck_assert_uint_eq(failing.bytes, 0);
    if (!status) break;
    ck_assert_msg(status == SN_ERR_MEMORY, "allocation %d: %s", n, diag.text);
    ck_assert_int_eq(diag.status, SN_ERR_MEMORY);
  }
  ck_assert_int_gt(n, 5);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.graph");
  TCase *tests = tcase_create("graph");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, the_table_of_ops_is_complete);
  tcase_add_test(tests, ops_with_a_vjp_are_differentiable);
  tcase_add_test(tests, nodes_are_appended_with_copies);
  tcase_add_test(tests, a_refused_node_is_not_appended);
  tcase_add_test(tests, types_hold_unified_dims);
  tcase_add_test(tests, constants_are_copied);
  tcase_add_test(tests, full_converts_the_value);
  tcase_add_test(tests, parameters_and_results_are_listed);
  tcase_add_test(tests, many_operands_are_accepted_up_to_the_limit);
  tcase_add_test(tests, deep_chains_work_everywhere);
  tcase_add_test(tests, every_failing_allocation_is_reported);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
