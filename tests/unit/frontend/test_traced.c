// What ops, reads and variables do while a function is traced.
#include "frontend_fixture.h"

#include "frontend/context/internal.h"
#include "frontend/function/function.h"
#include "frontend/function/trace.h"

#define BODY(name) \
  static sn_status name(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user)
#define UNUSED_ARGUMENTS (void)context, (void)in, (void)out, (void)user

static sn_status call(sn_callback body, void *user, sn_tensor *x, sn_tensor **out) {
  sn_function *f = sn_function_create(ctx, body, .inputs = 1, .outputs = 1, .user = user);
  ck_assert_ptr_nonnull(f);
  sn_status status = sn_call(f, &x, 1, out, 1);
  sn_function_destroy(f);
  return status;
}

static void expect_failure(sn_callback body, void *user, sn_status wanted, const char *text) {
  sn_tensor *out = NULL;
  sn_status status = call(body, user, F32(SN_SHAPE(3), 1, 2, 3), &out);
  ck_assert_msg(status == wanted, "%s: %s", sn_status_name(status), sn_error_message(ctx));
  ck_assert_msg(strstr(sn_error_message(ctx), text), "\"%s\" lacks \"%s\"", sn_error_message(ctx),
                text);
  ck_assert_msg(strstr(sn_error_message(ctx), "test_traced.c:"), "%s", sn_error_message(ctx));
  ck_assert_ptr_null(out);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}

BODY(reads_traced) {
  UNUSED_ARGUMENTS;
  double value;
  out[0] = in[0];
  return sn_item(sn_sum(in[0]), &value);
}
BODY(reads_captured) {
  UNUSED_ARGUMENTS;
  float values[2];
  out[0] = in[0];
  return sn_read(user, values, sizeof(values));
}
BODY(asks_for_data) {
  UNUSED_ARGUMENTS;
  const void *data;
  out[0] = in[0];
  return sn_data(in[0], &data);
}
BODY(keeps) {
  UNUSED_ARGUMENTS;
  out[0] = sn_keep(in[0]);
  return SN_OK;
}
BODY(makes_variable) {
  UNUSED_ARGUMENTS;
  out[0] = sn_variable(in[0]);
  return SN_OK;
}
BODY(mixes_dtypes) {
  UNUSED_ARGUMENTS;
  out[0] = sn_exp(sn_add(in[0], sn_scalar_i32(context, 1)));
  return SN_OK;
}
BODY(bad_inside_softmax) {
  UNUSED_ARGUMENTS;
  out[0] = sn_softmax(sn_cast(in[0], SN_I32), 0);
  return SN_OK;
}

START_TEST(values_cannot_be_read_while_tracing) {
  sn_tensor *captured = F32(SN_SHAPE(2), 1, 2);
  expect_failure(reads_traced, NULL, SN_ERR_STATE, "sn_item: a traced tensor has no elements yet");
  expect_failure(reads_captured, captured, SN_ERR_STATE,
                 "sn_read: nothing can be read while a function is traced");
  expect_failure(asks_for_data, NULL, SN_ERR_STATE, "sn_data: a traced tensor has no elements yet");
}
END_TEST

START_TEST(traced_tensors_cannot_be_kept) {
  expect_failure(keeps, NULL, SN_ERR_STATE, "sn_keep: a traced tensor cannot outlive its trace");
  expect_failure(makes_variable, NULL, SN_ERR_STATE,
                 "sn_variable: no variable can be made inside a trace");
}
END_TEST

START_TEST(mistakes_in_a_trace_are_named_as_outside) {
  expect_failure(mixes_dtypes, NULL, SN_ERR_DTYPE,
                 "sn_add: operand #1 is i32[], expected f32 like operand #0 f32[3]");
  expect_failure(bad_inside_softmax, NULL, SN_ERR_DTYPE, "sn_softmax: operand #0 is i32[3]");
}
END_TEST

static sn_tensor *stray;
BODY(lets_one_stray) {
  UNUSED_ARGUMENTS;
  stray = sn_neg(in[0]);
  out[0] = sn_exp(stray);
  return SN_OK;
}
BODY(uses_it) {
  UNUSED_ARGUMENTS;
  out[0] = in[0];
  sn_tensor *y = sn_neg(in[0]);
  for (int i = 0; i < 3; i++) {
    char text[64];
    ck_assert(sn_is_traced(y));
    ck_assert_uint_gt(sn_format(y, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "traced f32[3]");
  }
  return SN_OK;
}

START_TEST(traced_tensors_say_so) {
  sn_tensor *out;
  ck_assert_int_eq(call(uses_it, NULL, F32(SN_SHAPE(3), 1, 2, 3), &out), SN_OK);
  ck_assert(!sn_is_traced(out));
  ck_assert_int_eq(call(lets_one_stray, NULL, F32(SN_SHAPE(1), 0), &out), SN_OK);
  EXPECT(out, SN_SHAPE(1), 1);
}
END_TEST

static int neg_line, softplus_line;
BODY(located) {
  UNUSED_ARGUMENTS;
  neg_line = __LINE__ + 1;
  sn_tensor *y = sn_neg(in[0]);
  softplus_line = __LINE__ + 1;
  y = sn_softplus(y);
  const sni_graph *graph = sni_trace_graph(context->trace);
  int neg = 0, softplus = 0;
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = &graph->nodes[i];
    if (node->op == SNI_OP_PARAMETER) continue;
    ck_assert_ptr_nonnull(node->location.file);
    ck_assert_ptr_nonnull(strstr(node->location.file, "test_traced.c"));
    neg += node->location.line == neg_line;
    softplus += node->location.line == softplus_line;
    ck_assert(node->location.line == neg_line || node->location.line == softplus_line);
  }
  ck_assert_int_eq(neg, 1);
  ck_assert_int_ge(softplus, 6);  // all nodes of the composed op
  out[0] = y;
  return SN_OK;
}

START_TEST(nodes_know_the_callers_line) {
  sn_tensor *out;
  ck_assert_int_eq(call(located, NULL, F32(SN_SHAPE(1), 0), &out), SN_OK);
  EXPECT_NEAR(out, SN_SHAPE(1), 1e-7, log(2));
}
END_TEST

static int64_t seen_dim;
static const int asks_line = __LINE__ + 3;
BODY(asks_for_a_dim) {
  UNUSED_ARGUMENTS;
  seen_dim = sn_dim(in[0], 0);
  out[0] = sn_mul_scalar(in[0], (double)seen_dim);
  return SN_OK;
}
static const int asks_size_line = __LINE__ + 3;
BODY(asks_for_the_size) {
  UNUSED_ARGUMENTS;
  out[0] = sn_mul_scalar(in[0], (double)sn_size(in[0]));
  return SN_OK;
}
BODY(asks_for_nothing) {
  UNUSED_ARGUMENTS;
  out[0] = sn_div(in[0], sn_sum(in[0]));
  return SN_OK;
}

static int traces_over(sn_callback body) {
  sn_function *f = sn_function_create(ctx, body, .inputs = 1, .outputs = 1);
  for (int64_t n = 2; n < 7; n++) {
    sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(n)), *out;
    ck_assert_int_eq(sn_call(f, &x, 1, &out, 1), SN_OK);
    if (body == asks_for_a_dim) {
      ck_assert_int_eq(seen_dim, n);
      ck_assert_double_eq(item(sn_index(out, 0, 0)), (double)n);
    } else {
      ck_assert_double_eq_tol(item(sn_index(out, 0, 0)), 1.0 / (double)n, 1e-7);
    }
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  sn_function_destroy(f);
  return (int)stats.traces;
}

// Without inputs there is no number to pin it to.
START_TEST(asking_for_an_unknown_dim_is_an_error) {
  const sn_spec spec = {SN_F32, SN_SHAPE(SN_UNKNOWN)};
  static const struct {
    sn_callback body;
    const char *text;
    const int *line;
  } asks[] = {{asks_for_a_dim, "sn_dim: dim 0 of f32[", &asks_line},
              {asks_for_the_size, "sn_size: dim 0 of f32[", &asks_size_line}};
  for (int i = 0; i < 2; i++) {
    char place[96];
    sn_program *program;
    sn_function *f = sn_function_create(ctx, asks[i].body, .inputs = 1, .outputs = 1);
    ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_ERR_SHAPE);
    snprintf(place, sizeof(place), "(%s:%d)", __FILE__, *asks[i].line);
    ck_assert_msg(strstr(sn_error_message(ctx), asks[i].text) != NULL, "%s", sn_error_message(ctx));
    ck_assert_msg(strstr(sn_error_message(ctx), place) != NULL, "%s", sn_error_message(ctx));
    sn_function_destroy(f);
  }
}
END_TEST

START_TEST(asking_for_a_dim_pins_it) {
  ck_assert_int_eq(traces_over(asks_for_a_dim), 5);
  ck_assert_int_eq(traces_over(asks_for_nothing), 2);
}
END_TEST

BODY(counts) {
  UNUSED_ARGUMENTS;
  sn_tensor *v = user;
  sn_tensor *before = sn_read_variable(v);
  sn_assign_add(v, in[0]);
  sn_tensor *doubled = sn_assign(v, sn_mul_scalar(v, 2));
  sn_assign_sub(v, sn_ones(context, SN_F32, SN_SCALAR));
  out[0] = sn_stack((sn_tensor *[]){before, doubled, sn_read_variable(v)}, 3, 0);
  return SN_OK;
}
BODY(fails_after_assigning) {
  UNUSED_ARGUMENTS;
  sn_assign(user, sn_zeros_like(user));
  out[0] = sn_sqrt(sn_cast(in[0], SN_I32));
  return SN_OK;
}

START_TEST(assignments_are_effects_in_order) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(1), 1)), *out, *x = F32(SN_SHAPE(1), 10);
  sn_function *f = sn_function_create(ctx, counts, .inputs = 1, .outputs = 1, .user = v);
  ck_assert_int_eq(sn_call(f, &x, 1, &out, 1), SN_OK);
  EXPECT(out, SN_SHAPE(3, 1), 1, 22, 21);
  sn_tensor *held = sn_read_variable(v);
  ck_assert_int_eq(sn_call(f, &x, 1, &out, 1), SN_OK);
  EXPECT(out, SN_SHAPE(3, 1), 21, 62, 61);
  EXPECT(v, SN_SHAPE(1), 61);
  EXPECT(held, SN_SHAPE(1), 21);
  sn_function_destroy(f);
  ck_assert_int_eq(call(fails_after_assigning, v, x, &out), SN_ERR_DTYPE);
  EXPECT(v, SN_SHAPE(1), 61);
  sn_release(v);
}
END_TEST

BODY(seeds_and_draws) {
  UNUSED_ARGUMENTS;
  sn_set_seed(context, 5);
  out[0] = sn_random_uniform(context, SN_F32, SN_SHAPE(4));
  return SN_OK;
}
BODY(draws_like) {
  UNUSED_ARGUMENTS;
  sn_tensor *u = sn_random_uniform(context, SN_F32, SN_SHAPE(4));
  out[0] = sn_add(u, in[0]);
  return SN_OK;
}

START_TEST(random_numbers_advance_in_compiled_functions) {
  double a[4], b[4], c[4], seeded[4];
  sn_tensor *x = F32(SN_SCALAR, 0), *out;
  sn_function *f = sn_function_create(ctx, draws_like, .inputs = 1, .outputs = 1);
  sn_set_seed(ctx, 5);
  read_doubles(sn_random_uniform(ctx, SN_F32, SN_SHAPE(4)), seeded, 4);
  sn_set_seed(ctx, 5);
  ck_assert_int_eq(sn_call(f, &x, 1, &out, 1), SN_OK);
  read_doubles(out, a, 4);
  read_doubles(sn_random_uniform(ctx, SN_F32, SN_SHAPE(4)), b, 4);  // one stream for all modes
  ck_assert_int_eq(sn_call(f, &x, 1, &out, 1), SN_OK);
  read_doubles(out, c, 4);
  for (int i = 0; i < 4; i++) {
    ck_assert(a[i] == seeded[i]);
    ck_assert(a[i] != b[i] && b[i] != c[i] && a[i] != c[i]);
  }
  ck_assert_int_eq(call(seeds_and_draws, NULL, x, &out), SN_OK);
  read_doubles(out, c, 4);
  for (int i = 0; i < 4; i++) ck_assert(c[i] == seeded[i]);
  sn_function_destroy(f);
}
END_TEST

BODY(wraps_memory) {
  UNUSED_ARGUMENTS;
  out[0] = sn_add(in[0], sn_from_memory(context, SN_F32, SN_SHAPE(3), user, NULL, NULL));
  return SN_OK;
}

START_TEST(memory_of_the_caller_is_captured) {
  float data[3] = {10, 20, 30};
  sn_tensor *out;
  ck_assert_int_eq(call(wraps_memory, data, F32(SN_SHAPE(3), 1, 2, 3), &out), SN_OK);
  EXPECT(out, SN_SHAPE(3), 11, 22, 33);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("traced");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, values_cannot_be_read_while_tracing);
  tcase_add_test(c, traced_tensors_cannot_be_kept);
  tcase_add_test(c, mistakes_in_a_trace_are_named_as_outside);
  tcase_add_test(c, traced_tensors_say_so);
  tcase_add_test(c, nodes_know_the_callers_line);
  tcase_add_test(c, asking_for_a_dim_pins_it);
  tcase_add_test(c, asking_for_an_unknown_dim_is_an_error);
  tcase_add_test(c, assignments_are_effects_in_order);
  tcase_add_test(c, random_numbers_advance_in_compiled_functions);
  tcase_add_test(c, memory_of_the_caller_is_captured);
  return run_cases("traced", &c, 1);
}
