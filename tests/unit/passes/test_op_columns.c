// The columns KOP, LOWERING, FLAGS and cost of ops.def: each is carried out for every op, and must turn
// out as the row says.
#include "passes/graph/evaluate.h"
#include "passes/graph/op_kop.h"
#include "passes/lower/lower.h"
#include "tests/unit/passes/pass_fixture.h"

#include <math.h>

// ---- every op between ops that compute its operands and one that reads it
static const char before[] =
    "  %0 = parameter input 0 : f32[8,6]\n"
    "  %1 = parameter input 1 : bool[8,6]\n"
    "  %2 = parameter input 2 : i32[8,6]\n"
    "  %3 = parameter input 3 : i32[5]\n"
    "  %4 = parameter input 4 : f32[5,6]\n"
    "  %5 = parameter input 5 : i64[3]\n"
    "  %6 = parameter input 6 : f32[6,7]\n"
    "  %7 = parameter input 7 : f32[]\n"
    "  %8 = neg(%0) : f32[8,6]\n"
    "  %9 = not(%1) : bool[8,6]\n"
    "  %10 = neg(%2) : i32[8,6]\n"
    "  %11 = neg(%3) : i32[5]\n"
    "  %12 = neg(%4) : f32[5,6]\n"
    "  %13 = neg(%5) : i64[3]\n"
    "  %14 = neg(%6) : f32[6,7]\n"
    "  %15 = neg(%7) : f32[]\n"
    "  %16 = broadcast(%15) : f32[2,4,2]\n"
    "  %17 = broadcast(%15) : f32[3,2,3]\n"
    "  %18 = broadcast(%15) : f32[3,3,2]\n"
    "  %19 = neg(%16) : f32[2,4,2]\n"
    "  %20 = neg(%17) : f32[3,2,3]\n"
    "  %21 = neg(%18) : f32[3,3,2]\n"
    "  %22 = broadcast(%15) : f32[3,2,2]\n"
    "  %23 = neg(%22) : f32[3,2,2]\n"
    "  %24 = reduce_sum(%13) {axes=[0]} : i64[]\n"
    "  %25 = parameter input 9 : u64[8,6]\n"
    "  %26 = select(%9, %25, %25) : u64[8,6]\n";  // of strings no more is known when they are lowered
enum { the_op = 27 };

// Of all ops that are not pointwise.
static const struct {
  const char *text, *type;
} lines[SNI_OP_COUNT] = {
    [SNI_OP_PARAMETER] = {"parameter input 8", "f32[3]"},
    [SNI_OP_CONSTANT] = {"constant [2, 3]", "f32[2]"},
    [SNI_OP_IOTA] = {"iota() {axis=1}", "i32[2,3]"},
    [SNI_OP_DIM_SIZE] = {"dim_size() {dim=B}", "i64[]"},
    [SNI_OP_RESHAPE] = {"reshape(%8)", "f32[8,1,6]"},
    [SNI_OP_TRANSPOSE] = {"transpose(%8) {perm=[1,0]}", "f32[6,8]"},
    [SNI_OP_BROADCAST] = {"broadcast(%8)", "f32[2,8,6]"},
    [SNI_OP_SLICE] = {"slice(%8) {start=[1,0], step=[2,1]}", "f32[3,6]"},
    [SNI_OP_BARRIER] = {"barrier(%8) {number=1}", "f32[8,6]"},
    [SNI_OP_PAD] = {"pad(%8, %15) {low=[1,0], high=[2,3], interior=[0,0]}", "f32[11,9]"},
    [SNI_OP_CONCAT] = {"concat(%8, %12) {axis=0}", "f32[13,6]"},
    [SNI_OP_REDUCE_SUM] = {"reduce_sum(%8) {axes=[1]}", "f32[8]"},
    [SNI_OP_REDUCE_PROD] = {"reduce_prod(%8) {axes=[1]}", "f32[8]"},
    [SNI_OP_REDUCE_MAX] = {"reduce_max(%8) {axes=[1]}", "f32[8]"},
    [SNI_OP_REDUCE_MIN] = {"reduce_min(%8) {axes=[1]}", "f32[8]"},
    [SNI_OP_PARTIAL_SUM] = {"partial_sum(%8) {axis=0, chunk=2}", "f32[4,6]"},
    [SNI_OP_CUMSUM] = {"cumsum(%8) {axis=0, exclusive=0, reverse=0}", "f32[8,6]"},
    [SNI_OP_CUMPROD] = {"cumprod(%8) {axis=0, exclusive=1, reverse=0}", "f32[8,6]"},
    [SNI_OP_CUMMAX] = {"cummax(%8) {axis=0, exclusive=0, reverse=1}", "f32[8,6]"},
    [SNI_OP_CUMMIN] = {"cummin(%8) {axis=1, exclusive=0, reverse=0}", "f32[8,6]"},
    [SNI_OP_PAIR_CUMULATION] = {"pair_cumulation(%8, %8) {axis=0, exclusive=0, reverse=0, part=0}",
                                "f32[8,6]"},
    [SNI_OP_RECURRENCE] = {"recurrence(%8, %8) {axis=0, exclusive=0, reverse=0}", "f32[8,6]"},
    [SNI_OP_MATMUL] = {"matmul(%8, %14) {ta=0, tb=0}", "f32[8,7]"},
    [SNI_OP_CONV] = {"conv(%19, %20) {stride=[1], dilation=[1], start=[-1], size=[4]}",
                     "f32[2,4,3]"},
    [SNI_OP_CONV_INPUT] = {"conv_input(%19, %21) {stride=[1], dilation=[1], start=[-1], size=[4]}",
                           "f32[2,4,3]"},
    [SNI_OP_CONV_KERNEL] =
        {"conv_kernel(%19, %19) {stride=[1], dilation=[1], start=[-1], size=[3]}", "f32[3,2,2]"},
    [SNI_OP_GATHER] = {"gather(%8, %11)", "f32[5,6]"},
    [SNI_OP_SCATTER_ADD] = {"scatter_add(%8, %11, %12)", "f32[8,6]"},
    [SNI_OP_SCATTER_MUL] = {"scatter_mul(%8, %11, %12)", "f32[8,6]"},
    [SNI_OP_SCATTER_MAX] = {"scatter_max(%8, %11, %12)", "f32[8,6]"},
    [SNI_OP_SCATTER_MIN] = {"scatter_min(%8, %11, %12)", "f32[8,6]"},
    [SNI_OP_SCATTER_UPDATE] = {"scatter_update(%8, %11, %12)", "f32[8,6]"},
    [SNI_OP_FLAT_INDEX] = {"flat_index(%10) {axis=[0,1,2,3,4,5], size=[1,2,3,4,5,6], "
                           "stride=[1,2,3,4,5,6]}",
                           "i64[8]"},
    [SNI_OP_SORT] = {"sort(%8) {descending=0}", "f32[8,6]"},
    [SNI_OP_ARGSORT] = {"argsort(%8) {descending=1}", "i32[8,6]"},
    [SNI_OP_TOP_K] = {"top_k(%8) {k=2}", "i32[8,2]"},
    [SNI_OP_CHOLESKY] = {"cholesky(%23)", "f32[3,2,2]"},
    [SNI_OP_TRIANGULAR_SOLVE] = {"triangular_solve(%23, %23) {lower=0, transpose=1, unit=0}",
                                 "f32[3,2,2]"},
    [SNI_OP_SOLVE] = {"solve(%23, %23) {quiet=0}", "f32[3,2,2]"},
    [SNI_OP_DETERMINANT] = {"determinant(%23) {part=0}", "f32[3]"},
    [SNI_OP_QR] = {"qr(%8)", "f32[14,6]"},
    [SNI_OP_EIGH] = {"eigh(%23)", "f32[3,3,2]"},
    [SNI_OP_SVD] = {"svd(%8)", "f32[15,6]"},
    [SNI_OP_FFT] = {"fft(%19) {inverse=0, norm=1}", "f32[2,4,2]"},
    [SNI_OP_RFFT] = {"rfft(%8) {twice=0, norm=0, pairs=1}", "f32[8,4,2]"},
    [SNI_OP_IRFFT] = {"irfft(%19) {n=6, twice=1, norm=2}", "f32[2,6]"},
    [SNI_OP_RANDOM_GAMMA_GRADIENT] = {"random_gamma_gradient(%8, %8) {logarithm=0}", "f32[8,6]"},
    [SNI_OP_STRING_COMPARE] = {"string_compare(%26, %26)", "i32[8,6]"},
    [SNI_OP_STRING_RANK] = {"string_rank(%26)", "i64[8,6]"},
    [SNI_OP_GCD] = {"gcd(%10, %10)", "i32[8,6]"},
    [SNI_OP_SEARCH_SORTED] = {"search_sorted(%8, %8) {right=0}", "i32[8,6]"},
    [SNI_OP_RANDOM_BITS] = {"random_bits(%13) {algorithm=0}", "i32[4,4]"},
    [SNI_OP_RANDOM_NORMAL] = {"random_normal(%13) {algorithm=0}", "f32[4,4]"},
    [SNI_OP_RANDOM_TRUNCATED_NORMAL] = {"random_truncated_normal(%13) {algorithm=0}", "f32[4,4]"},
    [SNI_OP_RANDOM_PERMUTATION] = {"random_permutation(%13) {algorithm=0}", "i32[9]"},
    [SNI_OP_RANDOM_INTEGERS] = {"random_integers(%13, %24) {algorithm=0}", "i64[4]"},
    [SNI_OP_RANDOM_GAMMA] = {"random_gamma(%13, %8) {algorithm=0, logarithm=0}", "f32[8,6]"},
    [SNI_OP_RANDOM_POISSON] = {"random_poisson(%13, %8) {algorithm=0}", "f32[8,6]"},
};

static void write_pointwise(sni_op op, char *text, size_t size) {
  const sni_op_info *info = &sni_op_infos[op];
  const bool floats = info->dtypes >> SN_F32 & 1, integers = info->dtypes >> SN_I32 & 1;
  const char *type = floats ? "f32[8,6]" : integers ? "i32[8,6]" : "bool[8,6]";
  const int a = floats ? 8 : integers ? 10 : 9;
  const char *result = sni_kop_infos[sni_op_kop(op)].dtypes && sni_kop_has_source(sni_op_kop(op))
                           ? (sni_op_converts(op) ? "i32[8,6]" : "bool[8,6]")
                           : type;
  if (op == SNI_OP_SELECT)
    snprintf(text, size, "select(%%9, %%8, %%8) : f32[8,6]");
  else if (info->operands == 1)
    snprintf(text, size, "%s(%%%d) : %s", info->name, a, result);
  else
    snprintf(text, size, "%s(%%%d, %%%d) : %s", info->name, a, a, result);
}

static sni_graph *graph_around(sni_op op) {
  char body[2048], line[200], type[32];
  const char *colon;
  if (sni_op_infos[op].op_class == SNI_CLASS_POINTWISE) {
    write_pointwise(op, line, sizeof line);
  } else {
    ck_assert_msg(lines[op].text != NULL, "no line for the op %s", sni_op_infos[op].name);
    snprintf(line, sizeof line, "%s : %s", lines[op].text, lines[op].type);
  }
  colon = strstr(line, " : ");
  snprintf(type, sizeof type, "%s", colon + 3);
  snprintf(body, sizeof body, "%s  %%27 = %s\n  %%28 = identity(%%27) : %s\n  return %%28", before,
           line, type);
  return graph_of(body);
}

static const sni_plan *lower(const sni_graph *graph) {
  const sni_lower_options options = {.vector_bits = 256, .verify = true};
  sni_plan *plan;
  check_ok(sni_lower_graph(graph, &options, &arena, &diag, &plan));
  return plan;
}

// Kind of the group that makes a node; "" when none does.
static const char *group_kind(const sni_plan *plan, sni_node_id id) {
  for (uint32_t g = 0; g < plan->n_groups; g++)
    for (uint32_t m = 0; m < plan->groups[g].n_members; m++)
      if (plan->groups[g].members[m] == id) return plan->groups[g].kind;
  return "";
}

static int count_insts(const sni_plan *plan, sni_kop op) {
  int n = 0;
  for (uint32_t c = 0; c < plan->n_commands; c++)
    for (uint32_t i = 0; plan->commands[c].kernel && i < plan->commands[c].kernel->n_insts; i++)
      n += sni_tree_insts(plan->commands[c].kernel)[i].op == op;
  return n;
}

static int count_updates(const sni_plan *plan, sni_kop combiner) {
  int n = 0;
  for (uint32_t c = 0; c < plan->n_commands; c++)
    for (uint32_t i = 0; plan->commands[c].kernel && i < plan->commands[c].kernel->n_insts; i++) {
      const sni_tree_inst *inst = &sni_tree_insts(plan->commands[c].kernel)[i];
      n += inst->op == SNI_KOP_UPDATE && inst->imm.combiner == (int64_t)combiner;
    }
  return n;
}

static void check_lowering(sni_op op, const sni_plan *plan) {
  const char *name = sni_op_infos[op].name, *kind = group_kind(plan, the_op);
  const sni_fate fate = plan->values[the_op].fate;
  switch (sni_op_infos[op].lowering) {
    case SNI_LOWERING_MEMORY:
      ck_assert_msg(fate == SNI_FATE_NONE && plan->commands[0].n_slots == 2, "%s", name);
      break;
    case SNI_LOWERING_INDEX:
      ck_assert_msg(plan->commands[0].n_slots == 1 && count_insts(plan, SNI_KOP_INDEX), "%s", name);
      break;
    case SNI_LOWERING_SIZE:
      ck_assert_msg(plan->commands[0].n_slots == 1 && count_insts(plan, SNI_KOP_PARAM), "%s", name);
      break;
    case SNI_LOWERING_ACCESS:
      ck_assert_msg(fate == SNI_FATE_VIEW && !*kind, "%s", name);
      break;
    case SNI_LOWERING_PIECES:  // few and dense ones here
      ck_assert_msg(fate == SNI_FATE_JOINED && !strcmp(kind, "fused"), "%s", name);
      break;
    case SNI_LOWERING_LOOPS:
      ck_assert_msg(fate == SNI_FATE_JOINED && !strcmp(kind, "fused"), "%s", name);
      ck_assert_msg(count_insts(plan, sni_is_reduce(op) ? SNI_KOP_REDUCE : sni_op_kop(op)) ||
                        sni_op_passes_on(op) || sni_op_kop(op) == SNI_KOP_NONE,
                    "%s is not made of its kernel operation", name);
      break;
    case SNI_LOWERING_CHUNKS:
      ck_assert_msg(fate == SNI_FATE_STORED && !strcmp(kind, "fused"), "%s", name);
      break;
    case SNI_LOWERING_PARTS:
    case SNI_LOWERING_CONTROL:
    case SNI_LOWERING_RESULT:
    case SNI_LOWERING_EXTENT:
      break;
    case SNI_LOWERING_UPDATE:
      ck_assert_msg(fate == SNI_FATE_STORED && !strcmp(kind, "pieces"), "%s", name);
      ck_assert_msg(count_updates(plan, sni_op_kop(op)), "%s", name);
      break;
    case SNI_LOWERING_LIBRARY:
      ck_assert_msg(fate == SNI_FATE_STORED && !strcmp(kind, "library"), "%s", name);
      break;
  }
}

START_TEST(ops_are_lowered_as_their_rows_say) {
  for (int op = 0; op < SNI_OP_COUNT; op++)
    if (sni_op_infos[op].lowering != SNI_LOWERING_PARTS &&
        sni_op_infos[op].op_class != SNI_CLASS_CONTROL)
      check_lowering((sni_op)op, lower(graph_around((sni_op)op)));
}
END_TEST

// What a kernel computes of operands it does not store; what is read as a whole it cannot.
START_TEST(whole_operands_alone_have_buffers) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    if (sni_op_infos[op].lowering != SNI_LOWERING_LOOPS &&
        sni_op_infos[op].lowering != SNI_LOWERING_LIBRARY)
      continue;
    const sni_graph *graph = graph_around((sni_op)op);
    const sni_plan *plan = lower(graph);
    const sni_node *node = sni_graph_node(graph, the_op);
    for (int i = 0; i < node->n_operands; i++) {
      const bool stored = plan->values[node->operands[i]].fate == SNI_FATE_STORED;
      ck_assert_msg(stored == (i < sni_whole_operands((sni_op)op)), "%s, operand %d",
                    sni_op_infos[op].name, i);
    }
  }
}
END_TEST

START_TEST(zeros_are_settled_where_rows_say_so) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    if (!sni_is_reduce((sni_op)op)) continue;
    const sni_plan *plan = lower(graph_around((sni_op)op));
    // A sum of floats does so itself.
    const bool settles = sni_op_kop((sni_op)op) == SNI_KOP_ADD || count_insts(plan, SNI_KOP_ADD);
    ck_assert_msg(settles == sni_op_settles_zero((sni_op)op), "%s", sni_op_infos[op].name);
  }
}
END_TEST

// ---- scalars
static const double numbers[] = {0.0, -0.0, 1,  -1,       0.1,       3.7, -2.5, 1e30, -1e30,
                                 65,  31,   -7, INFINITY, -INFINITY, NAN, 0.3,  1e-30};

// As a dtype holds it.
static sni_scalar scalar(sn_dtype dtype, double number) {
  sni_scalar from = {.dtype = SN_F64, .f = number}, to;
  ck_assert(sni_evaluate_scalar(SNI_KOP_CAST, dtype, &from, &to));
  return to;
}

static bool equal_bits(sni_scalar a, sni_scalar b) {
  if (sni_is_float(a.dtype) && isnan(a.f) && isnan(b.f)) return true;
  return a.i == b.i;
}

static void check_commutes(sni_kop op, sn_dtype dtype) {
  const sn_dtype result = sni_kop_has_source(op) ? SN_BOOL : dtype;
  for (size_t i = 0; i < SNI_COUNT_OF(numbers); i++) {
    for (size_t j = 0; j < SNI_COUNT_OF(numbers); j++) {
      const sni_scalar a = scalar(dtype, numbers[i]), b = scalar(dtype, numbers[j]);
      sni_scalar ab = {.i = 0}, ba = {.i = 0};
      ck_assert(sni_evaluate_scalar(op, result, (sni_scalar[]){a, b}, &ab));
      ck_assert(sni_evaluate_scalar(op, result, (sni_scalar[]){b, a}, &ba));
      ck_assert_msg(equal_bits(ab, ba), "%s of %g and %g in dtype %d", sni_kop_infos[op].name,
                    numbers[i], numbers[j], dtype);
    }
  }
}

START_TEST(commuting_operations_do) {
  int n = 0;
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    const sni_kop kop = sni_op_kop((sni_op)op);
    if (sni_op_infos[op].op_class != SNI_CLASS_POINTWISE || !sni_kop_commutes(kop)) continue;
    for (int dtype = 0; dtype < SN_DTYPE_COUNT; dtype++)
      if (sni_kop_infos[kop].dtypes >> dtype & 1) check_commutes(kop, (sn_dtype)dtype);
    n++;
  }
  ck_assert_int_ge(n, 6);
}
END_TEST

static sni_scalar combined(sni_kop op, sni_scalar a, sni_scalar b) {
  sni_scalar y;
  ck_assert(sni_evaluate_scalar(op, SN_F32, (sni_scalar[]){a, b}, &y));
  return y;
}

static bool is_associative(sni_kop op) {
  static const double some[] = {0.1, 3.7, -0.3, 1e-8, 1, -1, 1e8};
  enum { n = SNI_COUNT_OF(some) };
  for (int i = 0; i < n * n * n; i++) {
    const sni_scalar a = scalar(SN_F32, some[i % n]), b = scalar(SN_F32, some[i / n % n]),
                     c = scalar(SN_F32, some[i / n / n]);
    if (!equal_bits(combined(op, combined(op, a, b), c), combined(op, a, combined(op, b, c))))
      return false;
  }
  return true;
}

START_TEST(what_passes_on_or_rounds) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    const sni_op_info *info = &sni_op_infos[op];
    const sni_kop kop = sni_op_kop((sni_op)op);
    if (info->op_class == SNI_CLASS_POINTWISE && info->operands == 1) {
      bool same = true;
      const sni_scalar x = scalar(SN_F32, -2.5), zero = scalar(SN_F32, -0.0);
      sni_scalar y = x;
      const bool known = info->dtypes >> SN_F32 & 1 && sni_evaluate_scalar(kop, SN_F32, &x, &y);
      same = known && equal_bits(x, y) && sni_evaluate_scalar(kop, SN_F32, &zero, &y) &&
             equal_bits(zero, y);
      ck_assert_msg(same == (sni_op_passes_on((sni_op)op) || sni_op_converts((sni_op)op)), "%s",
                    info->name);
    }
    if (!sni_is_reduce((sni_op)op)) continue;
    ck_assert_msg(is_associative(kop) != sni_op_accumulates((sni_op)op), "%s", info->name);
  }
}
END_TEST

// A view repeats when every element of its operand is one of its own.
START_TEST(views_repeat_where_rows_say_so) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    if (sni_op_infos[op].lowering != SNI_LOWERING_ACCESS) continue;
    sni_graph *graph = graph_around((sni_op)op);
    sni_node view = *sni_graph_node(graph, the_op);
    float data[8 * 6];
    uint64_t seen = 0;
    sni_node_id constant;
    for (int i = 0; i < 48; i++) data[i] = (float)i;
    check_ok(sni_graph_add_constant(graph, sni_graph_type(graph, view.operands[0]), data,
                                    (sni_location){0}, &constant));
    view.operands = &constant;
    for (int64_t i = 0; i < sni_node_count(graph, &view.type); i++)
      seen |= UINT64_C(1) << (int)sni_constant_element(graph, &view, i).f;
    ck_assert_msg((seen == UINT64_MAX >> 16) == sni_op_repeats((sni_op)op), "%s",
                  sni_op_infos[op].name);
  }
}
END_TEST

START_TEST(arithmetic_costs_something_and_moving_nothing) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    const sni_op_info *info = &sni_op_infos[op];
    const bool moves = info->lowering == SNI_LOWERING_ACCESS ||
                       info->lowering == SNI_LOWERING_PARTS || info->op_class == SNI_CLASS_LEAF ||
                       info->op_class == SNI_CLASS_CONTROL || sni_op_passes_on((sni_op)op) ||
                       sni_op_kop((sni_op)op) == SNI_KOP_BITCAST;
    ck_assert_msg(moves ? sni_op_cost((sni_op)op) == 0 : sni_op_cost((sni_op)op) > 0, "%s",
                  info->name);
    ck_assert_msg(info->cost >= 0 || sni_op_kop((sni_op)op) != SNI_KOP_NONE, "%s", info->name);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("op_columns");
  TCase *t = tcase_create("columns");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, ops_are_lowered_as_their_rows_say);
  tcase_add_test(t, whole_operands_alone_have_buffers);
  tcase_add_test(t, zeros_are_settled_where_rows_say_so);
  tcase_add_test(t, commuting_operations_do);
  tcase_add_test(t, what_passes_on_or_rounds);
  tcase_add_test(t, views_repeat_where_rows_say_so);
  tcase_add_test(t, arithmetic_costs_something_and_moving_nothing);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
