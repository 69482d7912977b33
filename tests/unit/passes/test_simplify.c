// The graph passes keep the bits of every value: random graphs, with the constants that tempt a
// simplifier, before and after each pass; and the rewrites that would be wrong for floats do not
// happen. What each pass does to which graph is in tests/ir.
#include "passes/graph/build.h"
#include "tests/unit/passes/pass_fixture.h"

#include <fenv.h>

enum { most_nodes = 256, most_elements = 2000, n_steps = 60, n_graphs = 1000 };

// ---- random graphs
typedef struct maker {
  sni_build b;
  uint64_t random;
  sni_node_id nodes[most_nodes];
  int n;
} maker;

static int below(maker *m, int n) {
  return random_below(&m->random, n);
}

static int64_t elements(const sni_type *type) {
  int64_t count = 1;
  for (int i = 0; i < type->rank; i++) count *= type->dims[i];
  return count;
}

static void add(maker *m, sni_node_id id) {
  ck_assert_msg(!m->b.status, "%s", diag.text);
  sni_type type = sni_build_type(&m->b, id);
  if (elements(&type) <= most_elements && m->n < most_nodes) m->nodes[m->n++] = id;
}

static sni_type type_at(maker *m, sni_node_id id) {
  return sni_build_type(&m->b, id);
}

// A random node of one of these dtypes (bits), often a recent one, so that ops meet in chains.
// There always is one.
static sni_node_id pick(maker *m, uint32_t dtypes) {
  for (int tries = 0;; tries++) {
    bool recent = tries < 8 && m->n > 4 && below(m, 2);
    sni_node_id id = m->nodes[recent ? m->n - 1 - below(m, 4) : below(m, m->n)];
    if (dtypes >> type_at(m, id).dtype & 1) return id;
  }
}

static const double tempting[] = {
    0, -0.0, 1, -1, 2, 0.5, 3, -2, 1e30, -0x1p63, (double)INFINITY, (double)NAN};

static double tempting_value(maker *m, sn_dtype dtype) {
  int n = (int)SNI_COUNT_OF(tempting);
  return tempting[below(m, sni_is_float(dtype) ? n : n - 2)];
}

// A constant that broadcasts to `like`: a splat or a scalar.
static sni_node_id constant_like(maker *m, sni_node_id like) {
  sni_type type = type_at(m, like);
  if (below(m, 3) == 0) type.rank = 0;
  return sni_build_full(&m->b, &type, tempting_value(m, type.dtype));
}

static bool broadcasts(maker *m, sni_node_id x, sni_node_id y, sni_type *both) {
  sni_type a = type_at(m, x), b = type_at(m, y);
  return sni_broadcast_shapes(NULL, NULL, "test", &a, &b, both) == SN_OK;
}

// A second operand: a constant, the same node, or a node of equal dtype that broadcasts.
static sni_node_id partner(maker *m, sni_node_id x) {
  sni_type both;
  if (below(m, 3) == 0) return constant_like(m, x);
  for (int tries = 0; tries < 20; tries++) {
    sni_node_id id = pick(m, SNI_DTYPE_BIT(type_at(m, x).dtype));
    if (broadcasts(m, x, id, &both)) return id;
  }
  return x;
}

// condition ? x : y for any node x and a condition and y that broadcast with it.
static void add_select(maker *m) {
  sni_node_id x = pick(m, SNI_DTYPES_ANY), c = pick(m, SNI_DTYPES_BOOL), y;
  sni_type shape, both;
  for (int tries = 0; tries < 20 && !broadcasts(m, x, c, &shape); tries++)
    c = pick(m, SNI_DTYPES_BOOL);
  if (!broadcasts(m, x, c, &shape)) return;
  y = partner(m, x);
  sni_type other = type_at(m, y);
  if (sni_broadcast_shapes(NULL, NULL, "test", &shape, &other, &both)) y = x;
  add(m, sni_build_select(&m->b, c, x, y));
}

static void add_pointwise(maker *m) {
  static const sni_op unary[] = {SNI_OP_NEG, SNI_OP_ABS, SNI_OP_SIGN, SNI_OP_IDENTITY,
                                 SNI_OP_STOP_GRADIENT};
  static const sni_op unary_float[] = {SNI_OP_SQRT, SNI_OP_FLOOR, SNI_OP_CEIL, SNI_OP_ROUND,
                                       SNI_OP_EXP};
  static const sni_op binary[] = {SNI_OP_ADD, SNI_OP_SUB, SNI_OP_MUL, SNI_OP_DIV, SNI_OP_REM,
                                  SNI_OP_MAX, SNI_OP_MIN, SNI_OP_ADD, SNI_OP_MUL, SNI_OP_SUB};
  static const sni_op logic[] = {SNI_OP_AND, SNI_OP_OR, SNI_OP_XOR};
  static const sni_op shifts[] = {SNI_OP_SHL, SNI_OP_SHR};
  static const sni_op compare[] = {SNI_OP_EQ, SNI_OP_LT, SNI_OP_LE};
  sni_node_id x = pick(m, SNI_DTYPES_NUMBER), l = pick(m, SNI_DTYPES_LOGIC), c;
  switch (below(m, 9)) {
    case 0:
      add(m, sni_build_unary(&m->b, unary[below(m, 5)], x));
      break;
    case 1:
      add(m, sni_build_unary(&m->b, unary_float[below(m, 5)], pick(m, SNI_DTYPES_FLOAT)));
      break;
    case 2:
      add(m, sni_build_unary(&m->b, SNI_OP_NOT, l));
      break;
    case 3:
      add(m, sni_build_binary(&m->b, logic[below(m, 3)], l, partner(m, l)));
      break;
    case 4:
      l = pick(m, SNI_DTYPES_INTEGER);
      add(m, sni_build_binary(&m->b, shifts[below(m, 2)], l, partner(m, l)));
      break;
    case 5:
      add(m, sni_build_binary(&m->b, compare[below(m, 3)], x, partner(m, x)));
      break;
    case 6:
      add_select(m);
      break;
    case 7:
      c = sni_build_binary(&m->b, compare[below(m, 3)], x, constant_like(m, x));
      add(m, sni_build_select(&m->b, c, x, below(m, 2) ? constant_like(m, x) : x));
      break;
    default:
      if (below(m, 2))
        add(m, sni_build_binary(&m->b, binary[below(m, 10)], x, partner(m, x)));
      else
        add(m, sni_build_binary(&m->b, binary[below(m, 10)], partner(m, x), x));
  }
}

static void add_cast(maker *m) {
  sni_node_id x = pick(m, SNI_DTYPES_ANY);
  const sn_dtype dtype = (sn_dtype)below(m, SN_DTYPE_COUNT);
  if (sni_is_compute(dtype))
    add(m, sni_build_pointwise(&m->b, SNI_OP_CAST, &x, 1, &(sni_type){.dtype = dtype}));
}

static void add_slice(maker *m, sni_node_id x) {
  sni_type type = type_at(m, x);
  sni_dim starts[SN_MAX_RANK], sizes[SN_MAX_RANK];
  int64_t step[SN_MAX_RANK];
  for (int i = 0; i < type.rank; i++) {
    bool whole = below(m, 2) || type.dims[i] == 0;
    starts[i] = whole ? 0 : below(m, (int)type.dims[i]);
    step[i] = whole ? 1 : below(m, 2) ? 1 + below(m, 2) : -1 - below(m, 2);
    int64_t room = step[i] > 0 ? (type.dims[i] - 1 - starts[i]) / step[i] : starts[i] / -step[i];
    sizes[i] = whole ? type.dims[i] : below(m, 5) == 0 ? 0 : 1 + room;
  }
  add(m, sni_build_slice(&m->b, x, starts, step, sizes));
}

static void add_view(maker *m) {
  sni_node_id x = below(m, 2) ? m->nodes[m->n - 1] : pick(m, SNI_DTYPES_ANY);
  sni_type type = type_at(m, x);
  sni_dim attrs[3][SN_MAX_RANK];
  int64_t interior[SN_MAX_RANK];
  int perm[SN_MAX_RANK], kind = below(m, 6);
  if (kind == 0) {
    type.dims[0] = elements(&type);
    type.rank = 1;
    add(m, sni_build_reshape(&m->b, x, &type));
  } else if (kind == 1) {
    for (int i = 0; i < type.rank; i++) perm[i] = (i + 1) % type.rank;
    add(m, sni_build_transpose(&m->b, x, perm));
  } else if (kind == 2 && type.rank < 4) {
    for (int i = type.rank++; i > 0; i--) type.dims[i] = type.dims[i - 1];
    type.dims[0] = 1 + below(m, 3);
    add(m, sni_build_broadcast(&m->b, x, &type));
  } else if (kind == 3) {
    add_slice(m, x);
    add_slice(m, x);
    add_slice(m, m->nodes[m->n - 1]);
  } else if (kind == 4) {
    for (int i = 0; i < type.rank; i++) {
      attrs[0][i] = below(m, 2);
      attrs[1][i] = below(m, 2);
      interior[i] = below(m, 3) == 0;
    }
    sni_node_id value = sni_build_scalar(&m->b, type.dtype, tempting_value(m, type.dtype));
    add(m, sni_build_pad(&m->b, x, value, attrs[0], attrs[1], interior));
  } else if (type.rank) {
    sni_dim axis = below(m, type.rank);
    sni_type empty = type;
    empty.dims[axis] = 0;
    sni_node_id parts[] = {x, sni_build_full(&m->b, &empty, 0), constant_like(m, x)};
    if (type_at(m, parts[2]).rank == 0) parts[2] = x;
    add(m, sni_build_node(&m->b, SNI_OP_CONCAT, parts, 1 + below(m, 3), &axis, 1, NULL));
  }
}

static void add_reduce(maker *m) {
  static const sni_op ops[] = {SNI_OP_REDUCE_SUM, SNI_OP_REDUCE_PROD, SNI_OP_REDUCE_MAX,
                               SNI_OP_REDUCE_MIN};
  int op = below(m, 4), n = 0;
  sni_node_id x = pick(m, op < 2 ? SNI_DTYPES_NUMBER : SNI_DTYPES_ANY);
  sni_dim axes[SN_MAX_RANK];
  for (int i = 0; i < type_at(m, x).rank; i++)
    if (below(m, 2)) axes[n++] = i;
  add(m, sni_build_node(&m->b, ops[op], &x, 1, axes, n, NULL));
}

static void add_indexed(maker *m) {
  sni_node_id x = pick(m, SNI_DTYPES_NUMBER), bits;
  sni_type type = type_at(m, x), state = {SN_I64, 1, {3}};
  if (below(m, 2)) {
    bits = sni_build_full(&m->b, &state, below(m, 2));
    add(m, sni_build_node(&m->b, SNI_OP_RANDOM_BITS, &bits, 1, &(sni_dim){0}, 1,
                          &(sni_type){SN_I32, 1, {3}}));
  } else if (type.rank && type.dims[0] && type.rank < 4) {
    sni_node_id index =
        sni_build_full(&m->b, &(sni_type){SN_I32, 1, {2}}, below(m, (int)type.dims[0]));
    sni_node_id rows =
        sni_build_node(&m->b, SNI_OP_GATHER, (sni_node_id[]){x, index}, 2, NULL, 0, NULL);
    add(m, rows);
    add(m, sni_build_node(&m->b, SNI_OP_SCATTER_ADD, (sni_node_id[]){x, index, rows}, 3, NULL, 0,
                          NULL));
  } else {
    sni_type iota = {below(m, 2) ? SN_I32 : SN_F32, 2, {2, 3}};
    sni_dim axis = below(m, 2);
    add(m, sni_build_node(&m->b, SNI_OP_IOTA, NULL, 0, &axis, 1, &iota));
  }
}

static void add_matmul(maker *m) {
  sni_node_id x = pick(m, SNI_DTYPES_NUMBER);
  sni_type type = type_at(m, x);
  if (type.rank < 2) return;
  int perm[SN_MAX_RANK];
  for (int i = 0; i < type.rank; i++) perm[i] = i;
  perm[type.rank - 1] = type.rank - 2;
  perm[type.rank - 2] = type.rank - 1;
  sni_node_id y = below(m, 2) ? sni_build_transpose(&m->b, x, perm) : x;
  bool ta = below(m, 2), crossed = y != x;
  add(m, sni_build_matmul(&m->b, x, y, ta, ta == crossed));
}

static sni_graph *random_graph(uint64_t seed) {
  maker m = {.random = seed * 0x9E3779B97F4A7C15u + 1};
  sni_graph *graph;
  check_ok(sni_graph_create(&arena, &diag, "random", NULL, &graph));
  m.b = sni_build_make(graph, (sni_location){0});
  for (int dtype = 0; dtype < SN_DTYPE_COUNT; dtype++) {
    if (!sni_is_compute((sn_dtype)dtype)) continue;  // widen_storage has been there before
    const sni_type types[] = {
        {(sn_dtype)dtype, 2, {2, 3}}, {(sn_dtype)dtype, 1, {3}}, {(sn_dtype)dtype, 0, {0}}};
    for (int i = 0; i < 3; i++) {
      sni_node_id id;
      check_ok(sni_graph_add_parameter(graph, &types[i], SNI_PARAMETER_INPUT, graph->n_parameters,
                                       NULL, &id));
      add(&m, id);
      if (i < 2) add(&m, sni_build_full(&m.b, &types[i], tempting_value(&m, types[i].dtype)));
    }
  }
  for (int i = 0; i < n_steps; i++) {
    int kind = below(&m, 12);
    if (kind < 6)
      add_pointwise(&m);
    else if (kind == 6)
      add_cast(&m);
    else if (kind < 9)
      add_view(&m);
    else if (kind == 9)
      add_reduce(&m);
    else if (kind == 10)
      add_indexed(&m);
    else
      add_matmul(&m);
  }
  for (int i = m.n < 30 ? 0 : m.n - 30; i < m.n; i++)
    check_ok(sni_graph_add_result(graph, m.nodes[i], -1));
  check_ok(sni_graph_verify(graph));
  return graph;
}

static void make_inputs(const sni_graph *graph, uint64_t seed, ref_cell **inputs) {
  maker m = {.random = seed * 0x2545F4914F6CDD1Du + 7};
  for (uint32_t p = 0; p < graph->n_parameters; p++) {
    const sni_type *type = sni_graph_type(graph, graph->parameters[p].node);
    inputs[p] = calloc((size_t)elements(type), sizeof(ref_cell));
    for (int64_t i = 0; i < elements(type); i++) {
      double x = below(&m, 2) ? tempting_value(&m, type->dtype) : random_between(&m.random, -4, 4);
      if (sni_is_float(type->dtype))
        inputs[p][i].f = type->dtype == SN_F32 ? (double)(float)x : x;
      else
        inputs[p][i].i = type->dtype == SN_BOOL ? below(&m, 2)
                         : fabs(x) > 1e9        ? INT32_MIN
                                                : (int64_t)x;
    }
  }
}

// Too long for a message of Check.
static void print_both(const sni_graph *a, const sni_graph *b) {
  const sni_graph *graphs[] = {a, b};
  for (int i = 0; i < 2; i++) {
    char *text;
    check_ok(sni_graph_print(graphs[i], &allocator, &text));
    fputs(text, stderr);
    sni_free(&allocator, text, strlen(text) + 1);
  }
}

static void check_same_text(const sni_graph *a, const sni_graph *b, const char *what, int seed) {
  char *text_a, *text_b;
  check_ok(sni_graph_print(a, &allocator, &text_a));
  check_ok(sni_graph_print(b, &allocator, &text_b));
  if (strcmp(text_a, text_b)) print_both(a, b);
  ck_assert_msg(!strcmp(text_a, text_b), "%s, seed %d: a second run changes the graph", what, seed);
  sni_free(&allocator, text_a, strlen(text_a) + 1);
  sni_free(&allocator, text_b, strlen(text_b) + 1);
}

static void check_same_values(const sni_graph *a, const sni_graph *b, ref_cell *const *inputs,
                              const char *what, int seed) {
  ref_run before, after;
  ref_evaluate(&before, a, inputs, NULL, true);
  ref_evaluate(&after, b, inputs, NULL, true);
  ck_assert_uint_eq(a->n_results, b->n_results);
  ck_assert_uint_eq(a->n_parameters, b->n_parameters);
  for (uint32_t i = 0; i < a->n_results; i++) {
    bool equal = ref_equal(&before.values[a->results[i].node], &after.values[b->results[i].node]);
    if (!equal) print_both(a, b);
    ck_assert_msg(equal, "%s, seed %d: result %u (%%%u) changed", what, seed, i,
                  a->results[i].node);
  }
  ref_free(&before);
  ref_free(&after);
}

START_TEST(passes_keep_the_bits) {
  ref_cell *inputs[64];
  for (int seed = _i * n_graphs / 10; seed < (_i + 1) * n_graphs / 10; seed++) {
    sni_graph *graph = random_graph((uint64_t)seed);
    make_inputs(graph, (uint64_t)seed, inputs);
    for (int p = 0; p < sni_graph_pass_count; p++) {
      sni_graph *once, *twice;
      check_ok(sni_graph_passes[p].run(graph, &once));
      check_ok(sni_graph_verify(once));
      check_same_values(graph, once, inputs, sni_graph_passes[p].name, seed);
      check_ok(sni_graph_passes[p].run(once, &twice));
      check_same_text(once, twice, sni_graph_passes[p].name, seed);
    }
    for (uint32_t p = 0; p < graph->n_parameters; p++) free(inputs[p]);
    sni_arena_reset(&arena);
  }
}
END_TEST

// ---- what must not happen: these print the same afterwards
START_TEST(strict_floats_stay) {
  static const char *const bodies[] = {
      "  %0 = parameter input 0 : f32[3]\n  %1 = constant 0 : f32[]\n  %2 = broadcast(%1) : "
      "f32[3]\n"
      "  %3 = add(%0, %2) : f32[3]\n  return %3",
      "  %0 = parameter input 0 : f32[3]\n  %1 = constant 0 : f32[]\n  %2 = broadcast(%1) : "
      "f32[3]\n"
      "  %3 = mul(%0, %2) : f32[3]\n  return %3",
      "  %0 = parameter input 0 : f32[3]\n  %1 = constant -0 : f32[]\n  %2 = broadcast(%1) : "
      "f32[3]\n"
      "  %3 = sub(%0, %2) : f32[3]\n  return %3",
      "  %0 = parameter input 0 : f32[3]\n  %1 = constant 0 : f32[]\n  %2 = broadcast(%1) : "
      "f32[3]\n"
      "  %3 = sub(%2, %0) : f32[3]\n  return %3",
      "  %0 = parameter input 0 : f32[3]\n  %1 = sub(%0, %0) : f32[3]\n  return %1",
      "  %0 = parameter input 0 : f32[3]\n  %1 = div(%0, %0) : f32[3]\n  return %1",
      "  %0 = parameter input 0 : f32[3]\n  %1 = eq(%0, %0) : bool[3]\n  return %1",
      "  %0 = parameter input 0 : f32[3]\n  %1 = constant 3 : f32[]\n  %2 = broadcast(%1) : "
      "f32[3]\n"
      "  %3 = div(%0, %2) : f32[3]\n  return %3",
      "  %0 = parameter input 0 : f32[3]\n  %1 = constant 2 : f32[]\n  %2 = broadcast(%1) : "
      "f32[3]\n"
      "  %3 = pow(%0, %2) : f32[3]\n  return %3",
      "  %0 = parameter input 0 : f64[3]\n  %1 = cast(%0) : f32[3]\n  %2 = cast(%1) : f64[3]\n  "
      "return %2",
      "  %0 = parameter input 0 : i64[3]\n  %1 = cast(%0) : f64[3]\n  %2 = cast(%1) : i64[3]\n  "
      "return %2",
      "  %0 = parameter input 0 : f32[3]\n  %1 = parameter input 1 : f32[3]\n  %2 = sub(%0, %1) : "
      "f32[3]\n"
      "  %3 = neg(%2) : f32[3]\n  return %3",
      "  %0 = constant 0.1 : f32[]\n  %1 = broadcast(%0) : f32[1000]\n"
      "  %2 = reduce_sum(%1) {axes=[0]} : f32[]\n  return %2",
      "  %0 = parameter input 0 : f32[2,3]\n  %1 = reduce_sum(%0) {axes=[1]} : f32[2]\n"
      "  %2 = reduce_sum(%1) {axes=[0]} : f32[]\n  return %2",
      "  %0 = parameter input 0 : i32[3]\n  %1 = constant 2 : i32[]\n  %2 = broadcast(%1) : "
      "i32[3]\n"
      "  %3 = div(%0, %2) : i32[3]\n  return %3",
  };
  for (size_t i = 0; i < SNI_COUNT_OF(bodies); i++) {
    sni_graph *better;
    check_ok(sni_optimize_graph(graph_of(bodies[i]), &better));
    check_text(better, bodies[i]);
  }
}
END_TEST

// Folding rounds to nearest and keeps denormals, whatever the caller has set, and leaves that
// setting alone.
START_TEST(folding_ignores_the_rounding_mode) {
  sni_graph *better;
  sni_graph *graph = graph_of(
      "%0 = constant 1 : f64[]\n%1 = constant 3 : f64[]\n%2 = div(%0, %1) : f64[]\nreturn %2");
  fesetround(FE_UPWARD);
  sn_status status = sni_optimize_graph(graph, &better);
  int mode = fegetround();
  fesetround(FE_TONEAREST);
  check_ok(status);
  ck_assert_int_eq(mode, FE_UPWARD);
  double third;
  memcpy(&third, better->nodes[better->results[0].node].data, sizeof(third));
  ck_assert_double_eq(third, 1.0 / 3.0);
}
END_TEST

START_TEST(parameters_results_names_and_locations_stay) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 \"x\" : f32[3]\n%1 = parameter variable 0 \"v\" : f32[3]\n"
      "%2 = parameter input 1 \"unused\" : i32[]\n%3 = identity(%0) : f32[3]\n"
      "%4 = exp(%3) : f32[3]\nreturn %4, %3, var 0 = %4");
  graph->nodes[4].location = (sni_location){.file = "model.c", .line = 40};
  sni_graph *better;
  check_ok(sni_optimize_graph(graph, &better));
  check_text(better,
             "  %0 = parameter input 0 \"x\" : f32[3]\n  %1 = parameter variable 0 \"v\" : f32[3]\n"
             "  %2 = parameter input 1 \"unused\" : i32[]\n  %3 = exp(%0) : f32[3]\n"
             "  return %3, %0, var 0 = %3");
  ck_assert_int_eq(better->nodes[3].location.line, 40);
  ck_assert_int_eq(better->parameters[1].kind, SNI_PARAMETER_VARIABLE);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("simplify");
  TCase *t = tcase_create("simplify");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, passes_keep_the_bits, 0, 10);
  tcase_add_test(t, strict_floats_stay);
  tcase_add_test(t, folding_ignores_the_rounding_mode);
  tcase_add_test(t, parameters_results_names_and_locations_stay);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
