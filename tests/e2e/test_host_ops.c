// Ops that the host defines: what they compute, what is refused, their names in texts.
#include "host_functions.h"

BODY(smooth_step) {  // x^2 (3 - 2x)
  out[0] = sn_mul(sn_square(in[0]), sn_sub(3, sn_mul(in[0], 2)));
  END;
}
BODY(flat_vjp) {
  out[0] = sn_mul(in[2], 1000);
  END;
}

static void count_destroyed(void *user) {
  ((notes *)user)->calls++;
}

typedef struct ops {
  sn_op *cube, *step, *flat, *split;
} ops;

BODY(use_ops) {
  const ops *o = user;
  sn_tensor *t, *u, *w, *g[1];
  sn_op_call(c, o->cube, SN_ARGS(in[0]), &t, 1);
  sn_op_call(c, o->step, SN_ARGS(t), &u, 1);
  sn_op_call(c, o->flat, SN_ARGS(in[0]), &w, 1);
  sn_gradients(sn_sum(u), in, 1, g);
  out[0] = u;
  out[1] = g[0];
  sn_gradients(sn_sum(w), in, 1, &out[2]);
  END;
}

START_TEST(defined_ops) {
  sn_context *c = open_context(_i);
  notes destroyed = {.calls = 0};
  ops o;
  must(c, sn_op_define(c, &o.cube, .name = "my_cube", .n_in = 1, .n_out = 1, .host = cube,
                       .vjp = cube_vjp, .pure = true));
  must(c, sn_op_define(c, &o.step, .name = "smooth_step", .n_in = 1, .n_out = 1,
                       .compose = smooth_step, .destroy = count_destroyed, .user = &destroyed));
  must(c, sn_op_define(c, &o.flat, .name = "flat", .n_in = 1, .n_out = 1, .compose = smooth_step,
                       .vjp = flat_vjp));
  ck_assert_ptr_eq(sn_op_defined(c, "flat"), o.flat);
  ck_assert_ptr_null(sn_op_defined(c, "round"));
  sn_function *f = sn_function_create(c, use_ops, .user = &o, .inputs = 1, .outputs = 3);
  const double x = 0.75, t = x * x * x;
  sn_tensor *in = sn_scalar_f32(c, 0.75f), *out[3];
  for (int turn = 0; turn < 2; turn++) {
    must(c, call(_i, f, &in, 1, out, 3));
    ck_assert_double_eq_tol(number(out[0]), t * t * (3 - 2 * t), 1e-6);
    ck_assert_double_eq_tol(number(out[1]), 6 * t * (1 - t) * 3 * x * x, 1e-5);
    ck_assert_double_eq(number(out[2]), 1000);
  }
  if (_i != EAGER) {
    sn_program *p;
    char *text;
    must(c, sn_function_compile(f, &(sn_spec){SN_F32, {.rank = 0}}, 1, &p));
    ck_assert_int_eq(sn_program_count_ops(p, "my_cube"), 1);
    for (sn_stage stage = SN_STAGE_TRACE; stage <= SN_STAGE_KERNEL; stage++) {
      must(c, sn_program_dump(c, p, stage, &text));
      if (stage <= SN_STAGE_GRAPH) ck_assert_msg(strstr(text, "\"my_cube\"") != NULL, "%s", text);
      sn_text_free(c, text);
    }
    sn_program_release(p);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
  ck_assert_int_eq(destroyed.calls, 1);
}
END_TEST

static void must_not_define(sn_context *c, sn_status status, const char *message) {
  ck_assert_msg(status == SN_ERR_ARGUMENT && strstr(sn_error_message(c), message), "%s: %s",
                sn_status_name(status), sn_error_message(c));
}

BODY(bad_compose) {
  out[0] = sn_matmul(in[0], in[0]);
  END;
}

START_TEST(ops_that_are_none) {
  sn_context *c = open_context(EAGER);
  sn_op *op;
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 3)), *y[2];
#define DEFINE(...) sn_op_define(c, &op, .n_in = 1, .n_out = 1, __VA_ARGS__)
  must_not_define(c, DEFINE(.host = cube), "sn_op_define: the name is NULL");
  must_not_define(c, DEFINE(.host = cube, .name = "a b"), "sn_op_define: the name is NULL, longer");
  must_not_define(c, DEFINE(.host = cube, .name = "add"), "the name is one of the library's");
  must_not_define(c, DEFINE(.host = cube, .name = "sn_x"), "the name is one of the library's");
  must_not_define(c, DEFINE(.name = "x"), "it needs either .host or .compose");
  must_not_define(c, DEFINE(.name = "x", .host = cube, .compose = smooth_step), "either .host or");
  must_not_define(c, sn_op_define(c, &op, .name = "x", .host = cube, .n_in = 31), "more than 30");
  must_not_define(c, sn_op_define(c, &op, .name = "x", .host = cube, .n_out = 1), ".infer");
  must_not_define(c, sn_op_define_opts(c, NULL, &op), "the definition is NULL");
  must(c, DEFINE(.host = cube, .name = "x"));
  must_not_define(c, DEFINE(.host = copy, .name = "x"), "version 0 is defined already");
  must(c, DEFINE(.host = copy, .name = "x", .version = 2));
  ck_assert_ptr_eq(sn_op_defined(c, "x"), op);
  sn_op_call(c, op, SN_ARGS(x), y, 2);
  refused(c, SN_ERR_ARGUMENT, "x: has 1 inputs and 1 outputs, called with 1 and 2");
  sn_op_call(c, NULL, SN_ARGS(x), y, 1);
  refused(c, SN_ERR_ARGUMENT, "sn_op_call: op is NULL");
  sn_op_call(c, op, SN_ARGS(NULL), y, 1);
  refused(c, SN_ERR_ARGUMENT, "x: operand #0 is NULL");
  must(c, DEFINE(.compose = bad_compose, .name = "bad"));
  sn_op_call(c, op, SN_ARGS(x), y, 1);
  refused(c, SN_ERR_SHAPE, "bad: sn_matmul: dim 0 of operand #1 f32[2,3]");
  sn_context_destroy(c);
}
END_TEST

BODY(use_cube_and_split) {
  const ops *o = user;
  sn_tensor *t;
  sn_op_call(c, o->cube, SN_ARGS(in[0]), &t, 1);
  sn_op_call(c, o->split, SN_ARGS(t), out, 2);
  END;
}

// A text is run where its ops are defined, and nowhere else.
START_TEST(text_names_ops) {
  sn_context *c = open_context(_i), *other = open_context(_i);
  ops o;
  char *text, *again;
  sn_program *p, *q;
  must(c, sn_op_define(c, &o.cube, .name = "cube", .n_in = 1, .n_out = 1, .host = cube));
  must(c, sn_op_define(c, &o.split, .name = "split", .n_in = 1, .n_out = 2, .host = split,
                       .infer = split_shapes, .pure = true));
  sn_function *f = sn_function_create(c, use_cube_and_split, .user = &o, .inputs = 1, .outputs = 2);
  must(c, sn_function_compile(f, &(sn_spec){SN_F32, SN_SHAPE(SN_UNKNOWN, 3)}, 1, &p));
  must(c, sn_program_dump(c, p, SN_STAGE_TRACE, &text));
  must(c, sn_program_from_text(c, text, strlen(text), &q));
  must(c, sn_program_dump(c, q, SN_STAGE_TRACE, &again));
  ck_assert_str_eq(text, again);
  sn_runner *runner;
  must(c, sn_runner_create(c, q, 1, &runner));
  float x[6] = {1, 2, 3, 4, 0, -1};
  double sum[2];
  int32_t at[2];
  const sn_view in = {x, SN_F32, SN_SHAPE(2, 3)},
                out[2] = {{sum, SN_F64, SN_SHAPE(2)}, {at, SN_I32, SN_SHAPE(2)}};
  must(c, sn_run(runner, &in, out));
  ck_assert_double_eq(sum[0], 36);
  ck_assert_double_eq(sum[1], 63);
  ck_assert_int_eq(at[0], 2);
  ck_assert_int_eq(at[1], 0);
  sn_program *none;
  ck_assert_int_eq(sn_program_from_text(other, text, strlen(text), &none), SN_ERR_UNSUPPORTED);
  ck_assert_msg(strstr(sn_error_message(other), "no function of the host's is defined here as"),
                "%s", sn_error_message(other));
  char *three = strstr(text, ",3]");
  while (three) {
    three[1] = '4';
    three = strstr(three, ",3]");
  }
  ck_assert_int_eq(sn_program_from_text(c, text, strlen(text), &none), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "\"split\" are not those"), "%s", sn_error_message(c));
  static const char *const hostile[] = {
      "func { %0 = host() {effects=1, pairs=0, batched=0} [func { return }] \"cube\" : bool[] "
      "return %0 }",
      "func { %0 = host() {effects=0, pairs=1, batched=0} [func { return }] : bool[] return %0 }",
      "func { %0 = host() {effects=2, pairs=0, batched=0} [func { return }] \"cube\" : bool[] "
      "return %0 }",
      ("func { %0 = parameter input 0 : f32[3] %1 = host(%0) {effects=0, pairs=1, batched=0} [func "
       "{ return "
       "}] "
       "\"cube\" : bool[] return %0 }"),
      "func { %0 = host() {effects=0, pairs=0, batched=0} [func { return }] : bool[] return %0 }"};
  for (int i = 0; i < 5; i++) {
    const sn_status status = sn_program_from_text(c, hostile[i], strlen(hostile[i]), &none);
    ck_assert_msg(status == SN_ERR_SYNTAX || status == SN_ERR_UNSUPPORTED, "%d: %s: %s", i,
                  sn_status_name(status), sn_error_message(c));
  }
  sn_text_free(c, text);
  sn_text_free(c, again);
  sn_runner_destroy(runner);
  sn_program_release(p);
  sn_program_release(q);
  sn_function_destroy(f);
  sn_context_destroy(other);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("host_ops");
  tcase_add_loop_test(tests, defined_ops, 0, MODES);
  tcase_add_test(tests, ops_that_are_none);
  tcase_add_loop_test(tests, text_names_ops, 0, EAGER);
  return run_tests(suite_create("host_ops"), tests);
}
