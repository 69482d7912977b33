// Types: comparison, sizes, text.
#include "graph_fixture.h"

START_TEST(dtypes_have_names_and_sizes) {
  ck_assert_str_eq(sn_dtype_name(SN_BOOL), "bool");
  ck_assert_str_eq(sn_dtype_name(SN_I32), "i32");
  ck_assert_str_eq(sn_dtype_name(SN_F64), "f64");
  ck_assert_str_eq(sn_dtype_name(SN_DTYPE_COUNT), "?");
  ck_assert_uint_eq(sn_dtype_size(SN_BOOL), 1);
  ck_assert_uint_eq(sn_dtype_size(SN_I32), 4);
  ck_assert_uint_eq(sn_dtype_size(SN_I64), 8);
  ck_assert_uint_eq(sn_dtype_size(SN_F32), 4);
  ck_assert_uint_eq(sn_dtype_size(SN_F64), 8);
  ck_assert_uint_eq(sn_dtype_size(SN_DTYPE_COUNT), 0);
}
END_TEST

START_TEST(equality_looks_at_dtype_rank_and_dims) {
  const sni_dim dims[] = {2, 3}, other[] = {2, 4};
  sni_type a = sni_type_make(SN_F32, 2, dims), b = a;
  ck_assert(sni_type_equal(NULL, &a, &b));
  b.dtype = SN_F64;
  ck_assert(!sni_type_equal(NULL, &a, &b));
  ck_assert(sni_shape_equal(NULL, &a, &b));
  b = sni_type_make(SN_F32, 2, other);
  ck_assert(!sni_shape_equal(NULL, &a, &b));
  b = sni_type_make(SN_F32, 1, dims);
  ck_assert(!sni_shape_equal(NULL, &a, &b));
}
END_TEST

START_TEST(static_types_have_sizes_without_a_table) {
  sni_type t = type_of("f32[2,3,4]");
  ck_assert(sni_type_is_static(&t));
  ck_assert_int_eq(sni_type_size(NULL, &t), 24);
  t = type_of("i64[]");
  ck_assert_int_eq(sni_type_size(NULL, &t), 1);
  t = type_of("f32[4611686018427387904,4611686018427387904]");
  ck_assert_int_eq(sni_type_size(NULL, &t), SNI_DIM_FAILED);
  t = type_of("f32[4611686018427387904,4611686018427387904,0]");
  ck_assert_int_eq(sni_type_size(NULL, &t), 0);
}
END_TEST

START_TEST(symbolic_sizes_are_products) {
  sni_type t = type_of("f32[B+1,3,B]");
  ck_assert(!sni_type_is_static(&t));
  ck_assert(sni_dim_equal(graph->dims, sni_type_size(graph->dims, &t), dim_of("3*B*B+3*B")));
}
END_TEST

START_TEST(text_is_cut_as_snprintf_does) {
  sni_type t = type_of("f32[32,B,2*B+1]");
  check_type(&t, "f32[32,B,2*B+1]");
  char buffer[8];
  memset(buffer, '#', sizeof(buffer));
  ck_assert_uint_eq(sni_type_format(graph->dims, &t, buffer, 7), strlen("f32[32,B,2*B+1]"));
  ck_assert_str_eq(buffer, "f32[32");
  ck_assert_int_eq(buffer[7], '#');
  ck_assert_uint_eq(sni_type_format(graph->dims, &t, NULL, 0), strlen("f32[32,B,2*B+1]"));
  t = type_of("bool[]");
  check_type(&t, "bool[]");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.type");
  TCase *tests = tcase_create("type");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, dtypes_have_names_and_sizes);
  tcase_add_test(tests, equality_looks_at_dtype_rank_and_dims);
  tcase_add_test(tests, static_types_have_sizes_without_a_table);
  tcase_add_test(tests, symbolic_sizes_are_products);
  tcase_add_test(tests, text_is_cut_as_snprintf_does);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
