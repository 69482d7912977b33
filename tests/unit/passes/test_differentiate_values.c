// Gradients by value: ties, zeros and infinities; which inputs are connected, and what is said of those that are not; requests that
// are wrong, graphs that are deep.
#include "tests/unit/passes/gradient_problem.h"

// ---- exact values. Inputs are parameters in order; the gradient of the sum of the result is
// compared bit by bit.
typedef struct value_case {
  const char *what, *body;
  double inputs[3][8], expected[3][8];  // per parameter
} value_case;

#define INF ((double)INFINITY)
#define NOT_A_NUMBER ((double)NAN)
static const value_case values[] = {
    {"ties of max go to the first operand",
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n%2 = max(%0, %1) : "
     "f64[4]\nreturn %2",
     {{1, 2, 0, 5}, {1, 1, -0.0, 6}},
     {{1, 1, 1, 0}, {0, 0, 0, 1}}},
    {"ties of min go to the first operand",
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n%2 = min(%0, %1) : "
     "f64[4]\nreturn %2",
     {{1, 2, 0, 5}, {1, 1, -0.0, 6}},
     {{1, 0, 1, 1}, {0, 1, 0, 0}}},
    {"relu at 0",
     "%0 = parameter input 0 : f64[3]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[3]\n"
     "%3 = max(%2, %0) : f64[3]\nreturn %3",
     {{0, -1, 2}},
     {{0, 0, 1}}},
    {"the derivatives of asin, acos and atanh at 1, acosh at 1, cbrt at 0",
     "%0 = parameter input 0 : f64[2]\n%1 = asin(%0) : f64[2]\n%2 = atanh(%0) : f64[2]\n"
     "%3 = add(%1, %2) : f64[2]\n%4 = parameter input 1 : f64[2]\n%5 = acosh(%4) : f64[2]\n"
     "%6 = add(%3, %5) : f64[2]\n%7 = parameter input 2 : f64[2]\n%8 = cbrt(%7) : f64[2]\n"
     "%9 = add(%6, %8) : f64[2]\nreturn %9",
     {{1, -1}, {1, 1}, {0, -0.0}},
     {{INF, INF}, {INF, INF}, {INF, INF}}},
    {"hypot and atan2 at the origin",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = hypot(%0, %1) : "
     "f64[3]\n%3 = atan2(%0, %1) : f64[3]\n%4 = add(%2, %3) : f64[3]\nreturn %4",
     {{0, -0.0, 1}, {0, 0, 0}},
     {{0, 0, 1}, {0, 0, -1}}},
    {"hypot of numbers whose squares overflow or vanish",
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n%2 = hypot(%0, %1) : "
     "f64[2]\nreturn %2",
     {{3e300, 3e-300}, {4e300, 4e-300}},
     {{0.6, 0.6}, {0.8, 0.8}}},
    {"logaddexp of equal infinities",
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n%2 = logaddexp(%0, %1) : "
     "f64[4]\nreturn %2",
     {{INF, -INF, 0, -INF}, {INF, -INF, -INF, 3}},
     {{0.5, 0.5, 1, 0}, {0.5, 0.5, 0, 1}}},
    {"reduce_max shares among equals",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_max(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, 1, 3, 2, 1, 1, 1, 1}},
     {{0.5, 0, 0.5, 0, 0.25, 0.25, 0.25, 0.25}}},
    {"reduce_min shares among equals",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_min(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, 1, 3, 2, 4, 4, 5, 6}},
     {{0, 1, 0, 0, 0.5, 0.5, 0, 0}}},
    {"abs at 0",
     "%0 = parameter input 0 : f64[3]\n%1 = abs(%0) : f64[3]\nreturn %1",
     {{0, -0.0, -2}},
     {{0, 0, -1}}},
    {"sqrt at 0",
     "%0 = parameter input 0 : f64[2]\n%1 = sqrt(%0) : f64[2]\nreturn %1",
     {{0, 4}},
     {{INF, 0.25}}},
    {"select keeps the untaken side at 0, whatever it is",
     "%0 = parameter input 0 : f64[2]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[2]\n"
     "%3 = lt(%2, %0) : bool[2]\n%4 = constant 1 : f64[]\n%5 = broadcast(%4) : f64[2]\n"
     "%6 = select(%3, %0, %5) : f64[2]\n%7 = sqrt(%6) : f64[2]\n%8 = select(%3, %7, %2) : "
     "f64[2]\nreturn %8",
     {{0, 4}},
     {{0, 0.25}}},
    {"naive softplus far out stays NaN",
     "%0 = parameter input 0 : f64[2]\n%1 = constant 1 : f64[]\n%2 = broadcast(%1) : f64[2]\n"
     "%3 = exp(%0) : f64[2]\n%4 = add(%2, %3) : f64[2]\n%5 = log(%4) : f64[2]\nreturn %5",
     {{1e30, 0}},
     {{NOT_A_NUMBER, 0.5}}},
    {"product without zeros",
     "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 3, 4, 5}},
     {{60, 40, 30, 24}}},
    {"product with one zero",
     "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 5}},
     {{0, 40, 0, 0}}},
    {"product with two zeros",
     "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 0}},
     {{0, 0, 0, 0}}},
    {"product that overflows",
     "%0 = parameter input 0 : f64[3]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{1e200, 1e200, 1e-300}},
     {{1e-100, 1e-100, INF}}},
    {"product with one zero, symbolic",
     "%0 = parameter input 0 : f64[2*A]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 5}},
     {{0, 40, 0, 0}}},
    {"product with two zeros, symbolic",
     "%0 = parameter input 0 : f64[2*A]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 0}},
     {{0, 0, 0, 0}}},
    {"pow at 0",
     "%0 = parameter input 0 : f64[6]\n%1 = parameter input 1 : f64[6]\n%2 = pow(%0, %1) : "
     "f64[6]\nreturn %2",
     {{0, 0, 0, 0, 2, 3}, {0, 1, 2, 0.5, 0, 2}},
     {{0, 1, 0, INF, 0, 6}, {0, 0, 0, 0, 0.69314718055994529, 9.8875105980129874}}},
    {"pow at 0 with a constant exponent of 0",
     "%0 = parameter input 0 : f64[3]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[3]\n"
     "%3 = pow(%0, %2) : f64[3]\nreturn %3",
     {{0, -0.0, 2}},
     {{0, 0, 0}}},
    {"pow of bases that have no reciprocal",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = pow(%0, %1) : "
     "f64[3]\nreturn %2",
     {{NOT_A_NUMBER, 1e-320, -1}, {0, 0, 2}},
     {{0, 0, -2}, {NOT_A_NUMBER, -736.82724089097394, 0}}},
    {"pow that is infinite has no gradient in its exponent",
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n%2 = pow(%0, %1) : "
     "f64[2]\nreturn %2",
     {{0, -0.0}, {-1, -2}},
     {{-INF, INF}, {0, 0}}},
    {"max of NaN gives NaN to both operands",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = max(%0, %1) : "
     "f64[3]\nreturn %2",
     {{NOT_A_NUMBER, 1, INF}, {1, NOT_A_NUMBER, INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, 1}, {NOT_A_NUMBER, NOT_A_NUMBER, 0}}},
    {"min of NaN gives NaN to both operands",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = min(%0, %1) : "
     "f64[3]\nreturn %2",
     {{NOT_A_NUMBER, 1, -INF}, {1, NOT_A_NUMBER, -INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, 1}, {NOT_A_NUMBER, NOT_A_NUMBER, 0}}},
    {"relu of NaN and infinities",
     "%0 = parameter input 0 : f64[3]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[3]\n"
     "%3 = max(%2, %0) : f64[3]\nreturn %3",
     {{NOT_A_NUMBER, INF, -INF}},
     {{NOT_A_NUMBER, 1, 0}}},
    {"a maximum that is NaN gives NaN to all of its elements",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_max(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, NOT_A_NUMBER, 3, 2, 1, INF, INF, -INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, 0, 0.5, 0.5, 0}}},
    {"a minimum that is NaN gives NaN to all of its elements",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_min(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, NOT_A_NUMBER, 3, 2, 1, -INF, -INF, INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, 0, 0.5, 0.5, 0}}},
    {"rem steps down in its divisor",
     "%0 = parameter input 0 : f64[7]\n%1 = parameter input 1 : f64[7]\n%2 = rem(%0, %1) : "
     "f64[7]\nreturn %2",
     {{7, -7, 7, 0.3, 6, NOT_A_NUMBER, 5}, {2.25, 2.25, -2.25, 0.1, 2, 1, INF}},
     {{1, 1, 1, 1, 1, 1, 1}, {-3, 3, 3, -2, -3, NOT_A_NUMBER, 0}}},
    {"rem by nearly a whole part",  // 3 - 2^-52, where the quotient rounds to 3
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n%2 = rem(%0, %1) : "
     "f64[2]\nreturn %2",
     {{0x1.7ffffffffffffp+1, 1}, {1, 0}},
     {{1, 1}, {-2, NOT_A_NUMBER}}},
    {"the padding's gradient is not spoilt by infinite neighbours",
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[]\n"
     "%2 = pad(%0, %1) {low=[1], high=[0], interior=[0]} : f64[3]\n%3 = sqrt(%2) : f64[3]\nreturn "
     "%3",
     {{0, 4}, {1}},
     {{INF, 0.25}, {0.5}}},
};

START_TEST(values_are_exact) {
  const value_case *c = &values[_i];
  problem p = {.graph = graph_of(c->body)};
  sni_node_id gradients[most_parameters];
  ref_run run;
  uint32_t n = p.graph->n_parameters;
  fill_inputs(&p, 0, 0);
  for (uint32_t i = 0; i < n; i++)
    for (int64_t k = 0; k < p.counts[i]; k++) p.inputs[i][k].f = c->inputs[i][k];
  differentiate(&p, p.graph->results[0].node, SNI_NO_NODE, n, gradients);
  ref_evaluate(&run, p.graph, p.inputs, symbol_values, false);
  for (uint32_t i = 0; i < n; i++)
    for (int64_t k = 0; k < p.counts[i]; k++) {
      double given = run.values[gradients[i]].cells[k].f, expected = c->expected[i][k];
      bool close = fabs(given - expected) <= 2e-15 * fabs(expected);  // of transcendental functions
      ck_assert_msg(given == expected || close || (isnan(given) && isnan(expected)),
                    "%s: parameter %u, element %lld: %.17g, expected %.17g", c->what, i,
                    (long long)k, given, expected);
    }
  ref_free(&run);
  check_optimised(&p, gradients, n);
  free_inputs(&p);
}
END_TEST

// Second derivatives of a product at zeros: d2y / dx_i dx_j is the product of the rest, whichever
// of them are 0.
START_TEST(products_are_right_twice_at_zeros) {
  static const char *const bodies[] = {
      "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
      "%0 = parameter input 0 : f64[2*A]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
  };
  static const double inputs[][4] = {
      {2, 3, 4, 5}, {2, 0, 4, 5}, {2, 0, 4, 0}, {0, 0, 4, 0}, {0, 0, 0, 0}};
  for (size_t s = 0; s < SNI_COUNT_OF(bodies); s++)
    for (size_t t = 0; t < SNI_COUNT_OF(inputs); t++) {
      problem p = {.graph = graph_of(bodies[s])};
      sni_node_id first[2], second[2];
      fill_inputs(&p, 0, 0);
      differentiate(&p, p.graph->results[0].node, SNI_NO_NODE, 1, first);
      add_weights(&p, first[0]);
      fill_inputs(&p, 0, 0);
      differentiate(&p, first[0], p.graph->parameters[1].node, 1, second);
      for (int k = 0; k < 4; k++) p.inputs[0][k].f = inputs[t][k];
      for (int i = 0; i < 4; i++) {
        ref_run run;
        for (int k = 0; k < 4; k++) p.inputs[1][k].f = k == i;
        ref_evaluate(&run, p.graph, p.inputs, symbol_values, false);
        for (int j = 0; j < 4; j++) {
          double expected = i != j;
          for (int k = 0; k < 4; k++)
            if (k != i && k != j) expected *= inputs[t][k];
          ck_assert_double_eq(run.values[second[0]].cells[j].f, expected);
        }
        ref_free(&run);
      }
      free_inputs(&p);
    }
}
END_TEST

// ---- connections
static sni_node_id gradient(sni_graph *graph, sni_node_id y, sni_node_id x) {
  sni_node_id out;
  check_ok(sni_differentiate(
      graph, &(sni_differentiate_request){.y = y, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1}, &out));
  return out;
}

static void check_explained(const char *body, sni_node_id y, sni_node_id x, const char *expected) {
  char text[256];
  sni_graph *graph = graph_of(body);
  for (sni_node_id i = 0; i < graph->n_nodes; i++)
    graph->nodes[i].location = (sni_location){.file = "model.c", .line = (int)i + 10};
  ck_assert_uint_eq(gradient(graph, y, x), SNI_NO_NODE);
  sni_explain_unconnected(graph, y, x, text, sizeof(text));
  ck_assert_str_eq(text, expected);
}

START_TEST(breaks_are_explained) {
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n%2 = exp(%1) : f32[2]\n"
      "return %2",
      2, 0, "y does not depend on it");
  check_explained("%0 = parameter input 0 : f32[2]\n%1 = exp(%0) : f32[2]\nreturn %1", 0, 1,
                  "y does not depend on it");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = cast(%0) : i32[2]\n%2 = add(%1, %1) : i32[2]\n"
      "%3 = cast(%2) : f32[2]\n%4 = exp(%3) : f32[2]\nreturn %4",
      4, 0, "cast to i32 at model.c:11 has no gradient");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = stop_gradient(%0) : f32[2]\n%2 = floor(%1) : f32[2]\n"
      "%3 = exp(%1) : f32[2]\nreturn %3",
      3, 0, "stop_gradient at model.c:11 has no gradient");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n%2 = lt(%0, %1) : "
      "bool[2]\n"
      "%3 = select(%2, %1, %1) : f32[2]\nreturn %3",
      3, 0, "lt at model.c:12 has no gradient");
  check_explained("%0 = parameter input 0 : i32[2]\n%1 = cast(%0) : f32[2]\nreturn %1", 1, 0,
                  "it is i32, and only floats and complex numbers have gradients");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n%2 = rem(%0, %1) : "
      "f32[2]\n%3 = floor(%2) : f32[2]\nreturn %3",
      3, 1, "floor at model.c:13 has no gradient");
}
END_TEST

// One stopped path does not hide the other; a gradient can be taken at a node in the middle, and at
// y itself.
START_TEST(paths_are_separate) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f64[1]\n%1 = exp(%0) : f64[1]\n"
      "%2 = stop_gradient(%1) : f64[1]\n%3 = mul(%1, %2) : f64[1]\nreturn %3");
  sni_node_id xs[] = {0, 1, 3, 2}, out[4];
  check_ok(sni_differentiate(
      graph, &(sni_differentiate_request){.y = 3, .seed = SNI_NO_NODE, .xs = xs, .n_xs = 4}, out));
  ref_cell x = {.f = 0.5}, *inputs[] = {&x};
  ref_run run;
  ref_evaluate(&run, graph, inputs, NULL, false);
  const double e = exp(0.5), expected[] = {e * e, e, 1, e};
  for (int i = 0; i < 4; i++)
    ck_assert_double_eq_tol(run.values[out[i]].cells[0].f, expected[i], 1e-15);
  ref_free(&run);
}
END_TEST

START_TEST(masks_limit_the_flow) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f64[1]\n%1 = exp(%0) : f64[1]\n%2 = sin(%0) : f64[1]\n"
      "%3 = add(%1, %2) : f64[1]\nreturn %3");
  const uint64_t masks[] = {0, 2, 1, 3};  // the sine is not on tape 2
  sni_node_id x = 0, out;
  sni_differentiate_request request = {
      .y = 3, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1, .masks = masks, .mask = 2};
  check_ok(sni_differentiate(graph, &request, &out));
  ref_cell half = {.f = 0.5}, *inputs[] = {&half};
  ref_run run;
  ref_evaluate(&run, graph, inputs, NULL, false);
  ck_assert_double_eq(run.values[out].cells[0].f, exp(0.5));
  ref_free(&run);
  request.mask = 4;
  check_ok(sni_differentiate(graph, &request, &out));
  ck_assert_uint_eq(out, SNI_NO_NODE);
}
END_TEST

static int pow_nodes(const sni_graph *graph) {
  int n = 0;
  for (sni_node_id i = 0; i < graph->n_nodes; i++) n += graph->nodes[i].op == SNI_OP_POW;
  return n;
}

// The gradient of a square, of x and of 1 takes no power.
START_TEST(small_constant_exponents_add_no_pow) {
  static const int added[] = {0, 0, 0, 1};
  for (int exponent = 0; exponent < 4; exponent++) {
    char body[200];
    snprintf(body, sizeof(body),
             "%%0 = parameter input 0 : f64[2]\n%%1 = constant %d : f64[]\n"
             "%%2 = broadcast(%%1) : f64[2]\n%%3 = pow(%%0, %%2) : f64[2]\nreturn %%3",
             exponent);
    sni_graph *graph = graph_of(body);
    ck_assert_uint_ne(gradient(graph, 3, 0), SNI_NO_NODE);
    ck_assert_int_eq(pow_nodes(graph), 1 + added[exponent]);
  }
}
END_TEST

START_TEST(wrong_requests_fail) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f32[2]\n%1 = cast(%0) : i32[2]\n%2 = exp(%0) : f32[2]\n"
      "%3 = constant 1 : f32[]\nreturn %2");
  sni_node_id x = 0, out = 7;
  sni_differentiate_request request = {.y = 1, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1};
  ck_assert_int_eq(sni_differentiate(graph, &request, &out), SN_ERR_GRADIENT);
  ck_assert_str_eq(diag.text,
                   "gradients: y is i32[2] (cast); only floats and complex numbers have gradients");
  ck_assert_uint_eq(out, SNI_NO_NODE);
  sni_diag_clear(&diag);
  request.y = 2;
  request.seed = 3;
  ck_assert_int_eq(sni_differentiate(graph, &request, &out), SN_ERR_GRADIENT);
  ck_assert_str_eq(diag.text, "gradients: the seed is f32[], but y is f32[2]");
}
END_TEST

START_TEST(locations_are_those_of_the_op) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f32[2]\n%1 = exp(%0) : f32[2]\n%2 = tanh(%1) : f32[2]\n"
      "return %2");
  graph->nodes[1].location = (sni_location){0};
  graph->nodes[2].location = (sni_location){.file = "model.c", .line = 12};
  sni_node_id x = 0, out, before = graph->n_nodes;
  sni_differentiate_request request = {
      .y = 2, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1, .location = {.file = "train.c", .line = 7}};
  check_ok(sni_differentiate(graph, &request, &out));
  ck_assert_int_eq(graph->nodes[out].location.line, 7);  // of the exp, which has none
  ck_assert_int_eq(graph->nodes[before].location.line, 12);
  for (sni_node_id i = before; i < graph->n_nodes; i++)
    ck_assert_ptr_nonnull(graph->nodes[i].location.file);
}
END_TEST

// No recursion anywhere: a chain of 10000 ops, and one node with 10000 users.
START_TEST(deep_and_wide_graphs) {
  enum { n = 10000 };
  sni_graph *graph;
  sni_type type = sni_type_make(SN_F64, 0, NULL);
  sni_node_id x, y, sum;
  check_ok(sni_graph_create(&arena, &diag, "deep", NULL, &graph));
  check_ok(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_INPUT, 0, "x", &x));
  y = sum = x;
  for (int i = 0; i < n; i++) {
    check_ok(sni_graph_add(graph, SNI_OP_NEG, &y, 1, NULL, 0, NULL, (sni_location){0}, &y));
    check_ok(sni_graph_add(graph, SNI_OP_ADD, (sni_node_id[]){sum, x}, 2, NULL, 0, NULL,
                           (sni_location){0}, &sum));
  }
  check_ok(sni_graph_add(graph, SNI_OP_ADD, (sni_node_id[]){sum, y}, 2, NULL, 0, NULL,
                         (sni_location){0}, &y));
  sni_node_id dx = gradient(graph, y, x);
  check_ok(sni_graph_add_result(graph, dx, -1));
  sni_graph *better;
  check_ok(sni_optimize_graph(graph, &better));
  ref_cell one = {.f = 1}, *inputs[] = {&one};
  ref_run run;
  ref_evaluate(&run, better, inputs, NULL, false);
  ck_assert_double_eq(run.values[better->results[0].node].cells[0].f, n + 2);
  ref_free(&run);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("differentiate_values");
  TCase *t = tcase_create("differentiate_values");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, values_are_exact, 0, (int)SNI_COUNT_OF(values));
  tcase_add_test(t, products_are_right_twice_at_zeros);
  tcase_add_test(t, breaks_are_explained);
  tcase_add_test(t, paths_are_separate);
  tcase_add_test(t, small_constant_exponents_add_no_pow);
  tcase_add_test(t, masks_limit_the_flow);
  tcase_add_test(t, wrong_requests_fail);
  tcase_add_test(t, locations_are_those_of_the_op);
  tcase_add_test(t, deep_and_wide_graphs);
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
