// Sums of padded slices against their concatenation: every combination of zeros of both signs,
// infinities, NaN, ties and numbers that cancel, in every order of the terms, with and without
// something to begin with; the cost of long sums.
#include "passes/graph/build.h"
#include "tests/unit/passes/pass_fixture.h"

static const double cells[] = {
    0.0, -0.0, 1, -1, (double)INFINITY, -(double)INFINITY, (double)NAN, 0x1p-149, 0x1.cp127};
enum { n_cells = SNI_COUNT_OF(cells) };

// Two parts of one element and, of 4, a gap: [a, 0, b, 0], in this order or the other.
static const char *const bodies[] = {
    // nothing to begin with
    "%0 = parameter input 0 : f32[1]\n%1 = parameter input 1 : f32[1]\n"
    "%2 = parameter input 2 : f32[4]\n%3 = constant 0 : f32[]\n"
    "%4 = pad(%0, %3) {low=[0], high=[3], interior=[0]} : f32[4]\n"
    "%5 = pad(%1, %3) {low=[2], high=[1], interior=[0]} : f32[4]\n"
    "%6 = add(%4, %5) : f32[4]\nreturn %6",
    "%0 = parameter input 0 : f32[1]\n%1 = parameter input 1 : f32[1]\n"
    "%2 = parameter input 2 : f32[4]\n%3 = constant 0 : f32[]\n"
    "%4 = pad(%0, %3) {low=[0], high=[3], interior=[0]} : f32[4]\n"
    "%5 = pad(%1, %3) {low=[2], high=[1], interior=[0]} : f32[4]\n"
    "%6 = add(%5, %4) : f32[4]\nreturn %6",
    // something before them
    "%0 = parameter input 0 : f32[1]\n%1 = parameter input 1 : f32[1]\n"
    "%2 = parameter input 2 : f32[4]\n%3 = constant 0 : f32[]\n"
    "%4 = pad(%0, %3) {low=[0], high=[3], interior=[0]} : f32[4]\n"
    "%5 = pad(%1, %3) {low=[2], high=[1], interior=[0]} : f32[4]\n"
    "%6 = add(%2, %4) : f32[4]\n%7 = add(%6, %5) : f32[4]\nreturn %7",
    // and behind them
    "%0 = parameter input 0 : f32[1]\n%1 = parameter input 1 : f32[1]\n"
    "%2 = parameter input 2 : f32[4]\n%3 = constant 0 : f32[]\n"
    "%4 = pad(%0, %3) {low=[0], high=[3], interior=[0]} : f32[4]\n"
    "%5 = pad(%1, %3) {low=[2], high=[1], interior=[0]} : f32[4]\n"
    "%6 = add(%5, %4) : f32[4]\n%7 = add(%6, %2) : f32[4]\n%8 = add(%2, %7) : f32[4]\nreturn %8",
};

static int count_ops(const sni_graph *graph, sni_op op) {
  int n = 0;
  for (sni_node_id i = 0; i < graph->n_nodes; i++) n += graph->nodes[i].op == op;
  return n;
}

START_TEST(every_bit_stays) {
  sni_graph *before = graph_of(bodies[_i]), *after;
  check_ok(sni_join_pads(before, &after));
  check_ok(sni_graph_verify(after));
  ck_assert_int_eq(count_ops(after, SNI_OP_PAD), 0);
  ck_assert_int_eq(count_ops(after, SNI_OP_CONCAT), 1);
  for (int a = 0; a < n_cells; a++)
    for (int b = 0; b < n_cells; b++)
      for (int rest = 0; rest < n_cells; rest++) {
        ref_cell one = {.f = (double)(float)cells[a]}, two = {.f = (double)(float)cells[b]},
                 four[4];
        for (int i = 0; i < 4; i++) four[i].f = (double)(float)cells[(rest + i) % n_cells];
        ref_cell *inputs[] = {&one, &two, four};
        ref_run x, y;
        ref_evaluate(&x, before, inputs, NULL, true);
        ref_evaluate(&y, after, inputs, NULL, true);
        ck_assert_msg(
            ref_equal(&x.values[before->results[0].node], &y.values[after->results[0].node]),
            "body %d: %g, %g, %g", _i, cells[a], cells[b], cells[rest]);
        ref_free(&x);
        ref_free(&y);
      }
}
END_TEST

// Three slices or more that overlap are cut where they begin and end: along one axis, along two, with
// something before, between and behind them, and one that covers all.
#define THREE                                                          \
  "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n" \
  "%2 = parameter input 2 : f32[4]\n%3 = constant 0 : f32[]\n"         \
  "%4 = pad(%0, %3) {low=[0], high=[2], interior=[0]} : f32[4]\n"      \
  "%5 = pad(%1, %3) {low=[1], high=[1], interior=[0]} : f32[4]\n"      \
  "%6 = neg(%0) : f32[2]\n"                                            \
  "%7 = pad(%6, %3) {low=[1], high=[1], interior=[0]} : f32[4]\n"
static const char *const overlapping[] = {
    THREE "%8 = add(%4, %5) : f32[4]\n%9 = add(%8, %7) : f32[4]\nreturn %9",
    THREE "%8 = add(%7, %4) : f32[4]\n%9 = add(%8, %5) : f32[4]\nreturn %9",
    THREE
    "%8 = add(%2, %5) : f32[4]\n%9 = add(%8, %4) : f32[4]\n%10 = add(%9, %7) : f32[4]\n"
    "return %10",
    THREE
    "%8 = add(%5, %4) : f32[4]\n%9 = add(%8, %2) : f32[4]\n%10 = add(%9, %7) : f32[4]\n"
    "%11 = add(%10, %2) : f32[4]\nreturn %11, %7",
    THREE
    "%8 = reshape(%2) : f32[2,2]\n%9 = reshape(%0) : f32[2,1]\n%10 = reshape(%1) : f32[1,2]\n"
    "%11 = pad(%8, %3) {low=[0,0], high=[1,1], interior=[0,0]} : f32[3,3]\n"
    "%12 = pad(%8, %3) {low=[1,1], high=[0,0], interior=[0,0]} : f32[3,3]\n"
    "%13 = pad(%9, %3) {low=[1,1], high=[0,1], interior=[0,0]} : f32[3,3]\n"
    "%14 = pad(%10, %3) {low=[2,0], high=[0,1], interior=[0,0]} : f32[3,3]\n"
    "%15 = add(%11, %12) : f32[3,3]\n%16 = add(%15, %13) : f32[3,3]\n"
    "%17 = add(%16, %14) : f32[3,3]\nreturn %17",
};

START_TEST(every_bit_stays_where_slices_overlap) {
  sni_graph *before = graph_of(overlapping[_i]), *after;
  check_ok(sni_join_pads(before, &after));
  check_ok(sni_graph_verify(after));
  ck_assert_int_eq(count_ops(after, SNI_OP_PAD), before->n_results > 1);  // what is read by others
  ck_assert_int_gt(count_ops(after, SNI_OP_CONCAT), 0);
  for (int a = 0; a < n_cells * n_cells; a++)
    for (int b = a % 2; b < n_cells * n_cells; b += 2) {
      ref_cell one[2], two[2], four[4];
      one[0].f = (double)(float)cells[a / n_cells];
      one[1].f = (double)(float)cells[a % n_cells];
      two[0].f = (double)(float)cells[b / n_cells];
      two[1].f = (double)(float)cells[b % n_cells];
      for (int i = 0; i < 4; i++) four[i].f = (double)(float)cells[(a + b + i) % n_cells];
      ref_cell *inputs[] = {one, two, four};
      ref_run x, y;
      ref_evaluate(&x, before, inputs, NULL, true);
      ref_evaluate(&y, after, inputs, NULL, true);
      if (!ref_equal(&x.values[before->results[0].node], &y.values[after->results[0].node]))
        ck_abort_msg("body %d: %d, %d", _i, a, b);  // an assertion each is too many
      ref_free(&x);
      ref_free(&y);
    }
}
END_TEST

// What must stay as it is.
START_TEST(others_stay) {
  static const char *const kept[] = {
      // two that overlap
      "  %0 = parameter input 0 : f32[2]\n  %1 = constant 0 : f32[]\n"
      "  %2 = pad(%0, %1) {low=[0], high=[2], interior=[0]} : f32[4]\n"
      "  %3 = pad(%0, %1) {low=[1], high=[1], interior=[0]} : f32[4]\n"
      "  %4 = add(%2, %3) : f32[4]\n  return %4",
      // other paddings: 1, -0
      "  %0 = parameter input 0 : f32[2]\n  %1 = constant 1 : f32[]\n"
      "  %2 = pad(%0, %1) {low=[0], high=[2], interior=[0]} : f32[4]\n"
      "  %3 = pad(%0, %1) {low=[2], high=[0], interior=[0]} : f32[4]\n"
      "  %4 = add(%2, %3) : f32[4]\n  return %4",
      "  %0 = parameter input 0 : f32[2]\n  %1 = constant -0 : f32[]\n"
      "  %2 = pad(%0, %1) {low=[0], high=[2], interior=[0]} : f32[4]\n"
      "  %3 = pad(%0, %1) {low=[2], high=[0], interior=[0]} : f32[4]\n"
      "  %4 = add(%2, %3) : f32[4]\n  return %4",
      // along different axes, with gaps inside, of unknown sizes, one alone
      "  %0 = parameter input 0 : f32[1,2]\n  %1 = parameter input 1 : f32[2,1]\n"
      "  %2 = constant 0 : f32[]\n"
      "  %3 = pad(%0, %2) {low=[1,0], high=[0,0], interior=[0,0]} : f32[2,2]\n"
      "  %4 = pad(%1, %2) {low=[0,1], high=[0,0], interior=[0,0]} : f32[2,2]\n"
      "  %5 = add(%3, %4) : f32[2,2]\n  return %5",
      "  %0 = parameter input 0 : f32[2]\n  %1 = constant 0 : f32[]\n"
      "  %2 = pad(%0, %1) {low=[0], high=[1], interior=[1]} : f32[4]\n"
      "  %3 = pad(%0, %1) {low=[1], high=[0], interior=[1]} : f32[4]\n"
      "  %4 = add(%2, %3) : f32[4]\n  return %4",
      "  %0 = parameter input 0 : f32[A]\n  %1 = constant 0 : f32[]\n"
      "  %2 = pad(%0, %1) {low=[0], high=[2], interior=[0]} : f32[A+2]\n"
      "  %3 = pad(%0, %1) {low=[2], high=[0], interior=[0]} : f32[A+2]\n"
      "  %4 = add(%2, %3) : f32[A+2]\n  return %4",
      "  %0 = parameter input 0 : f32[2]\n  %1 = parameter input 1 : f32[4]\n"
      "  %2 = constant 0 : f32[]\n"
      "  %3 = pad(%0, %2) {low=[0], high=[2], interior=[0]} : f32[4]\n"
      "  %4 = add(%1, %3) : f32[4]\n  %5 = add(%4, %1) : f32[4]\n"
      "  %6 = pad(%0, %2) {low=[2], high=[0], interior=[0]} : f32[4]\n"
      "  %7 = add(%5, %6) : f32[4]\n  return %7",
      // a sum that others read too goes no further
      "  %0 = parameter input 0 : f32[2]\n  %1 = parameter input 1 : f32[4]\n"
      "  %2 = constant 0 : f32[]\n"
      "  %3 = pad(%0, %2) {low=[0], high=[2], interior=[0]} : f32[4]\n"
      "  %4 = add(%1, %3) : f32[4]\n"
      "  %5 = pad(%0, %2) {low=[2], high=[0], interior=[0]} : f32[4]\n"
      "  %6 = add(%4, %5) : f32[4]\n  return %4, %6",
  };
  for (size_t i = 0; i < SNI_COUNT_OF(kept); i++) {
    sni_graph *after;
    check_ok(sni_join_pads(graph_of(kept[i]), &after));
    check_text(after, kept[i]);
  }
}
END_TEST

// A sum over n steps becomes one concat, in time that grows with n; more than a concat takes, two.
START_TEST(long_sums) {
  static const int sizes[] = {3, 1000, 20000};
  for (size_t s = 0; s < SNI_COUNT_OF(sizes); s++) {
    const int n = sizes[s];
    sni_graph *graph, *after;
    graph = graph_of("%0 = parameter input 0 : f32[1]\nreturn %0");
    sni_build b = sni_build_make(graph, (sni_location){0});
    const sni_node_id zero = sni_build_scalar(&b, SN_F32, 0);
    sni_node_id sum = SNI_NO_NODE;
    for (int i = 0; i < n; i++) {  // backwards, as a gradient comes
      const sni_dim low = n - 1 - i, high = i;
      const int64_t interior = 0;
      const sni_node_id step = sni_build_pad(&b, 0, zero, &low, &high, &interior);
      sum = sum == SNI_NO_NODE ? step : sni_build_add(&b, sum, step);
    }
    check_ok(b.status);
    check_ok(sni_graph_add_result(graph, sum, -1));
    check_ok(sni_join_pads(graph, &after));
    check_ok(sni_graph_verify(after));
    ck_assert_int_eq(count_ops(after, SNI_OP_PAD), 0);
    ck_assert_int_eq(count_ops(after, SNI_OP_CONCAT), n > 16384 ? 2 : 1);
    ck_assert_uint_le(after->n_nodes, 4 * (uint32_t)n + 10);
    sni_arena_reset(&arena);
  }
}
END_TEST

START_TEST(failed_allocations_are_reported) {
  for (size_t limit = 1;; limit = limit * 9 / 8 + 16) {
    sni_allocator small;
    sni_arena own;
    sni_diag why;
    sni_graph *graph = NULL, *after;
    char text[1024];
    snprintf(text, sizeof(text), "func @test {\n%s\n}\n", bodies[2]);
    sni_allocator_init(&small, NULL, limit);
    sni_arena_init(&own, &small);
    sni_diag_clear(&why);
    sn_status status = sni_graph_parse(&own, &why, text, strlen(text), &graph);
    if (!status) status = sni_join_pads(graph, &after);
    sni_arena_deinit(&own);
    ck_assert_uint_eq(small.bytes, 0);
    if (!status) break;
    ck_assert_int_eq(status, SN_ERR_MEMORY);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("passes.join_pads");
  TCase *tests = tcase_create("join_pads");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, every_bit_stays, 0, (int)SNI_COUNT_OF(bodies));
  tcase_add_loop_test(tests, every_bit_stays_where_slices_overlap, 0,
                      (int)SNI_COUNT_OF(overlapping));
  tcase_add_test(tests, others_stay);
  tcase_add_test(tests, long_sums);
  tcase_add_test(tests, failed_allocations_are_reported);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
