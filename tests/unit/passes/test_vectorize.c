// Vectorisation of single ops: for every op of the table and every choice of operands that are batched, row i of what the rule
// makes is the op of row i, by the reference evaluator. Ops without a rule become a scan.
#include "graph/control.h"
#include "passes/vectorize/vectorize.h"
#include "tests/unit/passes/pass_fixture.h"

enum { n_examples = 2, most_operands = 4 };

typedef struct one {
  const char *operands[most_operands];  // types
  const char *attributes, *type;
  int table;  // rows that i32 operands are indices into
} one;

// Of all ops that are not pointwise and have operands.
static const one ones[SNI_OP_COUNT] = {
    [SNI_OP_RESHAPE] = {{"f32[2,3]"}, "", "f32[3,1,2]", 0},
    [SNI_OP_TRANSPOSE] = {{"f32[2,3,4]"}, " {perm=[2,0,1]}", "f32[4,2,3]", 0},
    [SNI_OP_BROADCAST] = {{"f32[3,1]"}, "", "f32[2,3,4]", 0},
    [SNI_OP_SLICE] = {{"f32[5,4]"}, " {start=[4,1], step=[-2,1]}", "f32[2,3]", 0},
    [SNI_OP_PAD] = {{"f32[2,3]", "f32[]"},
                    " {low=[1,0], high=[0,2], interior=[1,0]}",
                    "f32[4,5]",
                    0},
    [SNI_OP_CONCAT] = {{"f32[2,3]", "f32[2,1]", "f32[2,2]"}, " {axis=1}", "f32[2,6]", 0},
    [SNI_OP_REDUCE_SUM] = {{"f32[2,3,4]"}, " {axes=[0,2]}", "f32[3]", 0},
    [SNI_OP_REDUCE_PROD] = {{"f32[2,3,4]"}, " {axes=[1]}", "f32[2,4]", 0},
    [SNI_OP_REDUCE_MAX] = {{"f32[2,3,4]"}, " {axes=[0,1,2]}", "f32[]", 0},
    [SNI_OP_REDUCE_MIN] = {{"f32[2,3,4]"}, " {axes=[0]}", "f32[3,4]", 0},
    [SNI_OP_PARTIAL_SUM] = {{"f32[5,3]"}, " {axis=0, chunk=2}", "f32[3,3]", 0},
    [SNI_OP_CUMSUM] = {{"f32[4,3]"}, " {axis=0, exclusive=0, reverse=0}", "f32[4,3]", 0},
    [SNI_OP_CUMPROD] = {{"f32[4,3]"}, " {axis=1, exclusive=1, reverse=0}", "f32[4,3]", 0},
    [SNI_OP_CUMMAX] = {{"f32[4,3]"}, " {axis=0, exclusive=0, reverse=1}", "f32[4,3]", 0},
    [SNI_OP_CUMMIN] = {{"f32[4,3]"}, " {axis=1, exclusive=1, reverse=1}", "f32[4,3]", 0},
    [SNI_OP_RECURRENCE] = {{"f32[4,3]", "f32[4,3]"},
                           " {axis=0, exclusive=0, reverse=1}",
                           "f32[4,3]",
                           0},
    [SNI_OP_PAIR_CUMULATION] = {{"f32[4,3]", "f32[4,3]", "f32[4,3]", "f32[4,3]"},
                                " {axis=0, exclusive=0, reverse=0, part=1}",
                                "f32[4,3]",
                                0},
    [SNI_OP_MATMUL] = {{"f32[4,2]", "f32[3,4]"}, " {ta=1, tb=1}", "f32[2,3]", 0},
    [SNI_OP_CONV] = {{"f32[2,4,2]", "f32[3,2,3]"},
                     " {stride=[1], dilation=[1], start=[-1], size=[4]}",
                     "f32[2,4,3]",
                     0},
    [SNI_OP_CONV_INPUT] = {{"f32[2,4,2]", "f32[3,3,2]"},
                           " {stride=[1], dilation=[1], start=[-1], size=[4]}",
                           "f32[2,4,3]",
                           0},
    [SNI_OP_CONV_KERNEL] = {{"f32[2,4,2]", "f32[2,4,2]"},
                            " {stride=[1], dilation=[1], start=[-1], size=[3]}",
                            "f32[3,2,2]",
                            0},
    [SNI_OP_GATHER] = {{"f32[5,3]", "i32[2,2]"}, "", "f32[2,2,3]", 5},
    [SNI_OP_SCATTER_ADD] = {{"f32[5,3]", "i32[4]", "f32[4,3]"}, "", "f32[5,3]", 5},
    [SNI_OP_SCATTER_MUL] = {{"f32[5,3]", "i32[4]", "f32[4,3]"}, "", "f32[5,3]", 5},
    [SNI_OP_SCATTER_MAX] = {{"f32[5]", "i32[4]", "f32[4]"}, "", "f32[5]", 5},
    [SNI_OP_BARRIER] = {{"f32[2,3]"}, " {number=1}", "f32[2,3]", 0},
    [SNI_OP_SCATTER_MIN] = {{"f32[5,3]", "i32[]", "f32[3]"}, "", "f32[5,3]", 5},
    [SNI_OP_SCATTER_UPDATE] = {{"f32[5,3]", "i32[4]", "f32[4,3]"}, "", "f32[5,3]", 5},
    [SNI_OP_FLAT_INDEX] = {{"i32[3,2]"}, " {axis=[0,2], size=[4,5], stride=[5,1]}", "i64[3]", 4},
    [SNI_OP_SORT] = {{"f32[2,5]"}, " {descending=1}", "f32[2,5]", 0},
    [SNI_OP_ARGSORT] = {{"f32[2,5]"}, " {descending=0}", "i32[2,5]", 0},
    [SNI_OP_TOP_K] = {{"f32[5]"}, " {k=2}", "i32[2]", 0},
    [SNI_OP_RANDOM_GAMMA_GRADIENT] = {{"f64[5]", "f64[5]"}, " {logarithm=0}", "f64[5]", 30},
    [SNI_OP_STRING_COMPARE] = {{"string[5]", "string[5]"}, "", "i32[5]", 0},
    [SNI_OP_STRING_RANK] = {{"string[5]"}, "", "i64[5]", 0},
    [SNI_OP_GCD] = {{"i32[5]", "i32[5]"}, "", "i32[5]", 30},
    [SNI_OP_SEARCH_SORTED] = {{"i32[4]", "i32[3]"}, " {right=1}", "i32[3]", 3},
    [SNI_OP_CHOLESKY] = {{"f32[2,2]"}, "", "f32[2,2]", 0},
    [SNI_OP_TRIANGULAR_SOLVE] = {{"f32[2,2]", "f32[2,3]"},
                                 " {lower=1, transpose=1, unit=0}",
                                 "f32[2,3]",
                                 0},
    [SNI_OP_SOLVE] = {{"f32[2,2]", "f32[2,3]"}, " {quiet=0}", "f32[2,3]", 0},
    [SNI_OP_DETERMINANT] = {{"f32[3,3]"}, " {part=0}", "f32[]", 0},
    [SNI_OP_QR] = {{"f32[4,3]"}, "", "f32[7,3]", 0},
    [SNI_OP_EIGH] = {{"f32[3,3]"}, "", "f32[4,3]", 0},
    [SNI_OP_SVD] = {{"f32[4,3]"}, "", "f32[8,3]", 0},
    [SNI_OP_FFT] = {{"f32[4,2]"}, " {inverse=0, norm=1}", "f32[4,2]", 0},
    [SNI_OP_RFFT] = {{"f32[6]"}, " {twice=1, norm=0, pairs=1}", "f32[4,2]", 0},
    [SNI_OP_IRFFT] = {{"f32[4,2]"}, " {n=6, twice=1, norm=2}", "f32[6]", 0},
    [SNI_OP_RANDOM_BITS] = {{"i64[3]"}, " {algorithm=0}", "i32[4,4]", 0},
    [SNI_OP_RANDOM_NORMAL] = {{"i64[3]"}, " {algorithm=0}", "f32[4]", 0},
    [SNI_OP_RANDOM_TRUNCATED_NORMAL] = {{"i64[3]"}, " {algorithm=0}", "f32[4]", 0},
    [SNI_OP_RANDOM_PERMUTATION] = {{"i64[3]"}, " {algorithm=0}", "i32[9]", 0},
    [SNI_OP_RANDOM_INTEGERS] = {{"i64[3]", "i64[]"}, " {algorithm=0}", "i64[4]", 0},
    [SNI_OP_RANDOM_GAMMA] = {{"i64[3]", "f32[3]"}, " {algorithm=0, logarithm=0}", "f32[3]", 0},
    [SNI_OP_RANDOM_POISSON] = {{"i64[3]", "f32[3]"}, " {algorithm=0}", "f32[3]", 0},
};

static one pointwise(sni_op op) {
  const sni_op_info *info = &sni_op_infos[op];
  const bool floats = info->dtypes >> SN_F32 & 1, integers = info->dtypes >> SN_I32 & 1;
  const char *type = floats ? "f32[2,3]" : integers ? "i32[2,3]" : "bool[2,3]";
  one o = {{type, info->operands > 1 ? type : NULL}, "", type, 7};
  if (op == SNI_OP_SELECT) o = (one){{type, "f32[2,3]", "f32[2,3]"}, "", "f32[2,3]", 0};
  if (sni_op_converts(op)) o.type = "i32[2,3]";
  if (op == SNI_OP_EQ || op == SNI_OP_LT || op == SNI_OP_LE) o.type = "bool[2,3]";
  return o;
}

static one one_of(sni_op op) {
  const sni_op_info *info = &sni_op_infos[op];
  if (info->op_class == SNI_CLASS_POINTWISE) return pointwise(op);
  ck_assert_msg(ones[op].type != NULL, "no line for the op %s", info->name);
  return ones[op];
}

static sni_graph *graph_of_one(sni_op op, const one *o, int *out_n) {
  char body[2048];
  int n = 0, at = 0;
  for (; n < most_operands && o->operands[n]; n++)
    at += snprintf(body + at, sizeof(body) - (size_t)at, "  %%%d = parameter input %d : %s\n", n, n,
                   o->operands[n]);
  at += snprintf(body + at, sizeof(body) - (size_t)at, "  %%%d = %s(", n, sni_op_infos[op].name);
  for (int k = 0; k < n; k++)
    at += snprintf(body + at, sizeof(body) - (size_t)at, "%s%%%d", k ? ", " : "", k);
  snprintf(body + at, sizeof(body) - (size_t)at, ")%s : %s\n  return %%%d", o->attributes, o->type,
           n);
  *out_n = n;
  return graph_of(body);
}

// The vectorised graph, of parameters with n_examples rows where the mask says so.
static sni_graph *vectorize(const sni_graph *from, int n, unsigned mask) {
  sni_graph *to;
  sni_node_id map[most_operands + 1], y = (sni_node_id)n;
  bool batched[most_operands + 1] = {false};
  check_ok(sni_graph_create(&arena, &diag, "batch", from->dims, &to));
  for (int k = 0; k < n; k++) {
    sni_type type = from->nodes[k].type;
    batched[k] = mask >> k & 1;
    if (batched[k]) {
      memmove(type.dims + 1, type.dims, (size_t)type.rank++ * sizeof(*type.dims));
      type.dims[0] = n_examples;
    }
    check_ok(sni_graph_add_parameter(to, &type, SNI_PARAMETER_INPUT, (uint32_t)k, NULL, &map[k]));
  }
  map[n] = SNI_NO_NODE;
  check_ok(sni_vectorize(&(sni_vectorize_request){.from = from,
                                                  .end = from->n_nodes,
                                                  .to = to,
                                                  .size = n_examples,
                                                  .map = map,
                                                  .batched = batched,
                                                  .results = &y,
                                                  .n_results = 1}));
  ck_assert(batched[n]);
  check_ok(sni_graph_add_result(to, map[n], -1));
  check_ok(sni_graph_verify(to));
  return to;
}

static bool has_scan(const sni_graph *graph) {
  for (sni_node_id id = 0; id < graph->n_nodes; id++)
    if (graph->nodes[id].op == SNI_OP_SCAN) return true;
  return false;
}

// Rows that differ; matrices with a large diagonal, tables in ascending order.
static void fill(const sni_type *type, const one *o, bool ascends, int example, ref_cell *cells) {
  uint64_t state = 77 + (uint64_t)example;
  const int64_t count = sni_type_size(NULL, type), n = type->rank ? type->dims[type->rank - 1] : 1;
  for (int64_t i = 0; i < count; i++) {
    if (type->dtype == SN_BOOL) {
      cells[i].i = random_below(&state, 2);
    } else if (!sni_is_float(type->dtype)) {
      cells[i].i = ascends ? i + example : random_below(&state, o->table ? o->table : 9);
    } else {
      const bool diagonal = type->rank == 2 && i / n == i % n;
      cells[i].f = (float)(random_between(&state, 0.1, 0.9) + (diagonal ? 3 : 0));
    }
  }
}

static void compare(sni_op op, const one *o, const sni_graph *from, int n, unsigned mask) {
  const sni_graph *to = vectorize(from, n, mask);
  ref_cell *cells[most_operands] = {0}, *rows[n_examples][most_operands];
  ref_run whole, row;
  if (has_scan(to)) {  // whose step has the op as it is
    ck_assert_msg(!strncmp(sni_op_infos[op].name, "random_", 7), "%s, operands %#x: a scan",
                  sni_op_infos[op].name, mask);
    return;
  }
  for (int k = 0; k < n; k++) {
    const int64_t count = sni_type_size(NULL, &from->nodes[k].type);
    cells[k] = calloc((size_t)(count * n_examples) + 1, sizeof(ref_cell));
    for (int e = 0; e < n_examples; e++) {
      rows[e][k] = cells[k] + (mask >> k & 1 ? e * count : 0);
      fill(&from->nodes[k].type, o, op == SNI_OP_SEARCH_SORTED && k == 0, mask >> k & 1 ? e : 0,
           rows[e][k]);
    }
  }
  ref_evaluate(&whole, to, cells, NULL, true);
  const ref_value *y = &whole.values[to->results[0].node];
  for (int e = 0; e < n_examples; e++) {
    ref_evaluate(&row, from, rows[e], NULL, true);
    ref_value expected = row.values[n], given = *y;
    ck_assert_int_eq(given.rank, expected.rank + 1);
    ck_assert_int_eq(given.count, n_examples * expected.count);
    given.count = expected.count;
    given.cells += e * expected.count;
    ck_assert_msg(ref_equal(&expected, &given), "%s, operands %#x, example %d: %g, expected %g",
                  sni_op_infos[op].name, mask, e, given.cells[0].f, expected.cells[0].f);
    ref_free(&row);
  }
  ref_free(&whole);
  for (int k = 0; k < n; k++) free(cells[k]);
}

START_TEST(rows_are_the_op_of_rows) {
  const sni_op op = (sni_op)_i;
  const sni_op_info *info = &sni_op_infos[op];
  int n;
  if (info->op_class == SNI_CLASS_LEAF || info->op_class == SNI_CLASS_CONTROL ||
      info->lowering == SNI_LOWERING_PARTS)
    return;  // no operands; tests/e2e
  const one o = one_of(op);
  const sni_graph *from = graph_of_one(op, &o, &n);
  for (unsigned mask = 1; mask < 1u << n; mask++) compare(op, &o, from, n, mask);
}
END_TEST

// What does not depend on a batched value stays as it is; products share their right side.
START_TEST(what_is_shared_is_computed_once) {
  const sni_graph *from = graph_of(
      "  %0 = parameter input 0 : f32[2,4]\n"
      "  %1 = parameter input 1 : f32[4,3]\n"
      "  %2 = exp(%1) : f32[4,3]\n"
      "  %3 = matmul(%0, %2) {ta=0, tb=0} : f32[2,3]\n"
      "  return %3");
  sni_graph *to;
  sni_node_id map[4] = {0, 1, SNI_NO_NODE, SNI_NO_NODE}, y = 3;
  bool batched[4] = {true, false, false, false};
  const sni_type x = sni_type_make(SN_F32, 3, (sni_dim[]){5, 2, 4});
  check_ok(sni_graph_create(&arena, &diag, "test", from->dims, &to));
  check_ok(sni_graph_add_parameter(to, &x, SNI_PARAMETER_INPUT, 0, NULL, &map[0]));
  check_ok(
      sni_graph_add_parameter(to, &from->nodes[1].type, SNI_PARAMETER_INPUT, 1, NULL, &map[1]));
  check_ok(sni_vectorize(&(sni_vectorize_request){.from = from,
                                                  .end = 4,
                                                  .to = to,
                                                  .size = 5,
                                                  .map = map,
                                                  .batched = batched,
                                                  .results = &y,
                                                  .n_results = 1}));
  check_ok(sni_graph_add_result(to, map[3], -1));
  check_text(to,
             "  %0 = parameter input 0 : f32[5,2,4]\n"
             "  %1 = parameter input 1 : f32[4,3]\n"
             "  %2 = exp(%1) : f32[4,3]\n"
             "  %3 = reshape(%0) : f32[10,4]\n"
             "  %4 = matmul(%3, %2) {ta=0, tb=0} : f32[10,3]\n"
             "  %5 = reshape(%4) : f32[5,2,3]\n"
             "  return %5");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("vectorize");
  TCase *tcase = tcase_create("vectorize");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, rows_are_the_op_of_rows, 0, SNI_OP_COUNT);
  tcase_add_test(tcase, what_is_shared_is_computed_once);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
