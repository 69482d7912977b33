// Equal groups are built once; groups that differ in anything at all are not confused.
#include "passes/lower/lower.h"
#include "tests/unit/passes/pass_fixture.h"

static sni_plan *plan_of(const char *body) {
  const sni_lower_options options = {
      .vector_bits = 256, .verify = true, .streamed_bytes = 256 << 10};
  sni_plan *plan;
  check_ok(sni_lower_graph(graph_of(body), &options, &arena, &diag, &plan));
  for (uint32_t i = 0; i < plan->n_commands; i++)
    ck_assert_int_eq(
        sni_tree_verify(plan->commands[i].kernel, plan->commands[i].kernel->bytes, &diag), SN_OK);
  return plan;
}

static uint32_t built(const char *body) {
  return plan_of(body)->n_built;
}

#define INPUT(id, index, type) \
  "  %" #id " = parameter input " #index " \"x" #index "\" : " type "\n"
#define TWO_INPUTS INPUT(0, 0, "f32[8,16]") INPUT(1, 1, "f32[8,16]")

START_TEST(equal_groups_are_built_once) {
  ck_assert_uint_eq(built(TWO_INPUTS "  %2 = exp(%0) : f32[8,16]\n"
                                     "  %3 = mul(%2, %0) : f32[8,16]\n"
                                     "  %4 = exp(%1) : f32[8,16]\n"
                                     "  %5 = mul(%4, %1) : f32[8,16]\n"
                                     "  return %3, %5"),
                    1);
  ck_assert_uint_eq(built(TWO_INPUTS "  %2 = reduce_sum(%0) {axes=[1]} : f32[8]\n"
                                     "  %3 = reshape(%2) : f32[8,1]\n"
                                     "  %4 = broadcast(%3) : f32[8,16]\n"
                                     "  %5 = sub(%0, %4) : f32[8,16]\n"
                                     "  %6 = reduce_sum(%1) {axes=[1]} : f32[8]\n"
                                     "  %7 = reshape(%6) : f32[8,1]\n"
                                     "  %8 = broadcast(%7) : f32[8,16]\n"
                                     "  %9 = sub(%1, %8) : f32[8,16]\n"
                                     "  return %5, %9"),
                    1);
}
END_TEST

// y = exp(y m), over and over: the products are one kernel, which is no matter for the last one that
// its result is the caller's.
START_TEST(layers_are_built_once) {
  char body[8192] = INPUT(0, 0, "f32[4,4]") INPUT(1, 1, "f32[4,4]");
  int last = 0;
  for (int i = 0; i < 40; i++) {
    const size_t n = strlen(body);
    snprintf(body + n, sizeof(body) - n,
             "  %%%d = matmul(%%%d, %%1) {ta=0, tb=0} : f32[4,4]\n"
             "  %%%d = exp(%%%d) : f32[4,4]\n",
             2 + 2 * i, last, 3 + 2 * i, 2 + 2 * i);
    last = 3 + 2 * i;
  }
  const size_t n = strlen(body);
  snprintf(body + n, sizeof(body) - n, "  return %%%d", last);
  const sni_plan *plan = plan_of(body);
  ck_assert_uint_eq(plan->n_commands, 40);
  ck_assert_uint_eq(plan->n_built, 1);
}
END_TEST

// ---- one small thing differs
typedef struct pair {
  const char *what, *body;
} pair;

static const pair pairs[] = {
    {"a constant", TWO_INPUTS "  %2 = constant 2 : f32[]\n"
                              "  %3 = constant 3 : f32[]\n"
                              "  %4 = broadcast(%2) : f32[8,16]\n"
                              "  %5 = broadcast(%3) : f32[8,16]\n"
                              "  %6 = pow(%0, %4) : f32[8,16]\n"
                              "  %7 = pow(%1, %5) : f32[8,16]\n"
                              "  return %6, %7"},
    {"the sign of a zero", TWO_INPUTS "  %2 = constant 0 : f32[]\n"
                                      "  %3 = constant -0.0 : f32[]\n"
                                      "  %4 = broadcast(%2) : f32[8,16]\n"
                                      "  %5 = broadcast(%3) : f32[8,16]\n"
                                      "  %6 = add(%0, %4) : f32[8,16]\n"
                                      "  %7 = add(%1, %5) : f32[8,16]\n"
                                      "  return %6, %7"},
    {"the dtype", INPUT(0, 0, "f32[8,16]") INPUT(1, 1, "f64[8,16]") "  %2 = exp(%0) : f32[8,16]\n"
                                                                    "  %3 = exp(%1) : f64[8,16]\n"
                                                                    "  return %2, %3"},
    {"an extent", INPUT(0, 0, "f32[8,16]") INPUT(1, 1, "f32[8,17]") "  %2 = exp(%0) : f32[8,16]\n"
                                                                    "  %3 = exp(%1) : f32[8,17]\n"
                                                                    "  return %2, %3"},
    {"a symbolic size",
     INPUT(0, 0, "f32[a,16]") INPUT(1, 1, "f32[b,16]") "  %2 = exp(%0) : f32[a,16]\n"
                                                       "  %3 = exp(%1) : f32[b,16]\n"
                                                       "  return %2, %3"},
    {"whether a size is known",
     INPUT(0, 0, "f32[8,16]") INPUT(1, 1, "f32[b,16]") "  %2 = exp(%0) : f32[8,16]\n"
                                                       "  %3 = exp(%1) : f32[b,16]\n"
                                                       "  return %2, %3"},
    {"where a slice begins",
     INPUT(0, 0, "f32[9,16]")
         INPUT(1, 1, "f32[9,16]") "  %2 = slice(%0) {start=[0,0], step=[1,1]} : f32[8,16]\n"
                                  "  %3 = slice(%1) {start=[1,0], step=[1,1]} : f32[8,16]\n"
                                  "  %4 = exp(%2) : f32[8,16]\n"
                                  "  %5 = exp(%3) : f32[8,16]\n"
                                  "  return %4, %5"},
    {"the step of a slice",
     INPUT(0, 0, "f32[32,16]")
         INPUT(1, 1, "f32[32,16]") "  %2 = slice(%0) {start=[0,0], step=[1,1]} : f32[8,16]\n"
                                   "  %3 = slice(%1) {start=[0,0], step=[2,1]} : f32[8,16]\n"
                                   "  %4 = exp(%2) : f32[8,16]\n"
                                   "  %5 = exp(%3) : f32[8,16]\n"
                                   "  return %4, %5"},
    {"a stride", INPUT(0, 0, "f32[16,16]")
                     INPUT(1, 1, "f32[16,16]") "  %2 = transpose(%1) {perm=[1,0]} : f32[16,16]\n"
                                               "  %3 = exp(%0) : f32[16,16]\n"
                                               "  %4 = mul(%3, %0) : f32[16,16]\n"
                                               "  %5 = exp(%2) : f32[16,16]\n"
                                               "  %6 = mul(%5, %1) : f32[16,16]\n"
                                               "  return %4, %6"},
    {"the pitch of rows",
     INPUT(0, 0, "f32[8,20]")
         INPUT(1, 1, "f32[8,24]") "  %2 = slice(%0) {start=[0,0], step=[1,1]} : f32[8,16]\n"
                                  "  %3 = slice(%1) {start=[0,0], step=[1,1]} : f32[8,16]\n"
                                  "  %4 = exp(%2) : f32[8,16]\n"
                                  "  %5 = exp(%3) : f32[8,16]\n"
                                  "  return %4, %5"},
    {"one operand twice", TWO_INPUTS "  %2 = exp(%0) : f32[8,16]\n"
                                     "  %3 = pow(%2, %0) : f32[8,16]\n"
                                     "  %4 = exp(%0) : f32[8,16]\n"
                                     "  %5 = pow(%4, %1) : f32[8,16]\n"
                                     "  return %3, %5"},
    {"the order of operands", TWO_INPUTS "  %2 = exp(%0) : f32[8,16]\n"
                                         "  %3 = sub(%2, %0) : f32[8,16]\n"
                                         "  %4 = exp(%1) : f32[8,16]\n"
                                         "  %5 = sub(%1, %4) : f32[8,16]\n"
                                         "  return %3, %5"},
    {"which operand comes again", TWO_INPUTS "  %2 = sub(%0, %1) : f32[8,16]\n"
                                             "  %3 = pow(%2, %0) : f32[8,16]\n"
                                             "  %4 = sub(%0, %1) : f32[8,16]\n"
                                             "  %5 = pow(%4, %1) : f32[8,16]\n"
                                             "  return %3, %5"},
    {"the op", TWO_INPUTS "  %2 = exp(%0) : f32[8,16]\n"
                          "  %3 = sin(%1) : f32[8,16]\n"
                          "  return %2, %3"},
    {"the axis of a sum", INPUT(0, 0, "f32[16,16]") INPUT(
                              1, 1, "f32[16,16]") "  %2 = reduce_sum(%0) {axes=[0]} : f32[16]\n"
                                                  "  %3 = reduce_sum(%1) {axes=[1]} : f32[16]\n"
                                                  "  return %2, %3"},
    {"a flag of a product",
     INPUT(0, 0, "f32[16,16]")
         INPUT(1, 1, "f32[16,16]") "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[16,16]\n"
                                   "  %3 = matmul(%0, %1) {ta=0, tb=1} : f32[16,16]\n"
                                   "  return %2, %3"},
    {"a product with itself",
     INPUT(0, 0, "f32[16,16]")
         INPUT(1, 1, "f32[16,16]") "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[16,16]\n"
                                   "  %3 = matmul(%0, %0) {ta=0, tb=0} : f32[16,16]\n"
                                   "  return %2, %3"},
    {"which value is stored too", TWO_INPUTS "  %2 = exp(%0) : f32[8,16]\n"
                                             "  %3 = sin(%2) : f32[8,16]\n"
                                             "  %4 = exp(%1) : f32[8,16]\n"
                                             "  %5 = sin(%4) : f32[8,16]\n"
                                             "  return %3, %4, %5"},
};

START_TEST(groups_that_differ_are_told_apart) {
  const pair *p = &pairs[_i];
  const uint32_t n = built(p->body);
  ck_assert_msg(n == 2, "%s: %u kernels were built", p->what, n);
}
END_TEST

// Commands of one kernel may have to differ in what may be the same memory.
START_TEST(sharing_of_buffers_is_the_commands_own) {
  const sni_plan *plan = plan_of(INPUT(0, 0, "f32[4,4]") INPUT(
      1, 1, "f32[4,4]") "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[4,4]\n"
                        "  %3 = cumsum(%2) {axis=0, exclusive=0, reverse=0} : f32[4,4]\n"
                        "  %4 = matmul(%3, %1) {ta=0, tb=0} : f32[4,4]\n"
                        "  %5 = cumsum(%4) {axis=0, exclusive=0, reverse=0} : f32[4,4]\n"
                        "  %6 = matmul(%5, %4) {ta=0, tb=0} : f32[4,4]\n"
                        "  return %6");
  uint32_t n_shared = 0, n_cumulations = 0;
  ck_assert_uint_eq(plan->n_built, 2);
  for (uint32_t c = 0; c < plan->n_commands; c++) {
    const sni_tree *kernel = plan->commands[c].kernel;
    uint32_t marked = 0;
    for (uint32_t b = 0; b < kernel->n_buffers; b++) marked += sni_tree_buffers(kernel)[b].shared;
    n_shared += marked == 2;
    n_cumulations += kernel->n_buffers == 2;
    ck_assert(marked == 0 || (marked == 2 && kernel->n_buffers == 2));
  }
  ck_assert_uint_eq(n_cumulations, 2);
  ck_assert_uint_eq(n_shared, 1);
}
END_TEST

// The first command shares its second pair alone, the last both: one pair after the other.
START_TEST(buffers_are_shared_pair_by_pair) {
  const sni_plan *plan = plan_of(INPUT(0, 0, "f32[4,4]") INPUT(
      1, 1, "f32[4,4]") "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[4,4]\n"
                        "  %3 = matmul(%1, %0) {ta=0, tb=0} : f32[4,4]\n"
                        "  %4 = cumsum(%2) {axis=0, exclusive=0, reverse=0} : f32[4,4]\n"
                        "  %5 = add(%3, %4) : f32[4,4]\n"
                        "  %6 = mul(%4, %3) : f32[4,4]\n"
                        "  %7 = matmul(%6, %3) {ta=0, tb=0} : f32[4,4]\n"
                        "  %8 = matmul(%7, %1) {ta=0, tb=0} : f32[4,4]\n"
                        "  %9 = matmul(%1, %7) {ta=0, tb=0} : f32[4,4]\n"
                        "  %10 = cumsum(%8) {axis=0, exclusive=0, reverse=0} : f32[4,4]\n"
                        "  %11 = add(%9, %10) : f32[4,4]\n"
                        "  %12 = mul(%10, %9) : f32[4,4]\n"
                        "  %13 = matmul(%11, %12) {ta=0, tb=0} : f32[4,4]\n"
                        "  return %5, %13");
  uint32_t pairs_of[3] = {0};
  for (uint32_t c = 0; c < plan->n_commands; c++) {
    const sni_tree *kernel = plan->commands[c].kernel;
    uint32_t marked = 0;
    for (uint32_t b = 0; b < kernel->n_buffers; b++) marked += sni_tree_buffers(kernel)[b].shared;
    pairs_of[marked / 2]++;
  }
  ck_assert_uint_eq(pairs_of[1], 1);
  ck_assert_uint_eq(pairs_of[2], 1);
}
END_TEST

// A result that shows another value in a shape of its own lies in one buffer with it.
START_TEST(values_of_one_buffer_are_one_argument) {
  const sni_plan *plan = plan_of(INPUT(0, 0, "f32[4,4]") INPUT(1, 1, "f32[4,4]") INPUT(
      2, 2, "f32[16]") "  %3 = exp(%0) : f32[4,4]\n"
                       "  %4 = reshape(%3) : f32[16]\n"
                       "  %5 = reshape(%4) : f32[4,4]\n"
                       "  %6 = matmul(%3, %5) {ta=0, tb=0} : f32[4,4]\n"
                       "  %7 = reshape(%2) : f32[4,4]\n"
                       "  %8 = matmul(%1, %7) {ta=0, tb=0} : f32[4,4]\n"
                       "  return %4, %6, %8");
  ck_assert_uint_eq(plan->n_built, 3);
  ck_assert_uint_eq(plan->n_commands, 3);
}
END_TEST

// A message says which op found an index out of range, and where it stands: it is nobody else's.
START_TEST(groups_that_may_fault_are_built_each) {
  const sni_plan *plan = plan_of(TWO_INPUTS INPUT(
      2, 2, "i32[4]") "  %3 = gather(%0, %2) : f32[4,16]\n"
                      "  %4 = gather(%1, %2) : f32[4,16]\n"
                      "  return %3, %4");
  ck_assert_uint_eq(plan->n_built, 2);
  ck_assert_uint_eq(plan->n_commands, 2);
  for (uint32_t c = 0; c < 2; c++) ck_assert_ptr_nonnull(plan->commands[c].fault);
  ck_assert_ptr_ne(plan->commands[0].fault, plan->commands[1].fault);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("same_groups");
  TCase *cases = tcase_create("same_groups");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, equal_groups_are_built_once);
  tcase_add_test(cases, layers_are_built_once);
  tcase_add_loop_test(cases, groups_that_differ_are_told_apart, 0, (int)SNI_COUNT_OF(pairs));
  tcase_add_test(cases, sharing_of_buffers_is_the_commands_own);
  tcase_add_test(cases, buffers_are_shared_pair_by_pair);
  tcase_add_test(cases, values_of_one_buffer_are_one_argument);
  tcase_add_test(cases, groups_that_may_fault_are_built_each);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
