// Control flow as its users see it: variables that bodies read and assign, captured values, random numbers, sizes that are
// not known, functions called in bodies, text, and what is refused with which words. Gradients: test_control_gradients.c.
#include "call_modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- a counter, and a branch that assigns
typedef struct state {
  sn_tensor *count, *last;
} state;

BODY(step) {
  state *s = user;
  sn_assign_add(s->count, sn_scalar_f32(c, 1));
  out[0] = sn_add(in[1], s->count);
  END;
}
BODY(reset) {
  state *s = user;
  sn_assign(s->last, in[0]);
  out[0] = sn_neg(in[0]);
  END;
}
BODY(leave) {
  out[0] = in[0];
  END;
}
BODY(count_and_branch) {
  sn_tensor *t;
  sn_fori_loop(c, 0, 5, step, user, SN_ARGS(in[0]), &t, 1);
  sn_cond(c, sn_greater(t, sn_scalar_f32(c, 20)), reset, leave, user, &t, 1, out, 1);
  END;
}

static void run_counter(int mode) {
  sn_context *c = open_context(mode);
  state s = {sn_variable(sn_scalar_f32(c, 0), .name = "count"), sn_variable(sn_scalar_f32(c, -1))};
  sn_function *f = sn_function_create(c, count_and_branch, .user = &s, .inputs = 1, .outputs = 1);
  const double expected[3] = {15, -41, -66}, last[3] = {-1, 41, 66}, counts[3] = {5, 10, 15};
  for (int turn = 0; turn < 3; turn++) {
    SN_SCOPE(c);
    sn_tensor *x = sn_scalar_f32(c, turn ? 1 : 0), *y;
    must(c, call(mode, f, &x, 1, &y, 1));
    ck_assert_double_eq(number(y), expected[turn]);
    ck_assert_double_eq(number(s.last), last[turn]);
    ck_assert_double_eq(number(s.count), counts[turn]);
  }
  sn_function_destroy(f);
  sn_release(s.count);
  sn_release(s.last);
  sn_context_destroy(c);
}

START_TEST(variables_are_assigned_in_bodies) {
  for (int mode = 0; mode < MODES; mode++) run_counter(mode);
}
END_TEST

// ---- F9, F10: x + 1 ten times
BODY(plus_one) {
  out[0] = sn_add(in[0], sn_scalar_i32(c, 1));
  END;
}
BODY(below_15) {
  out[0] = sn_less(in[0], sn_scalar_i32(c, 15));
  END;
}
BODY(by_while) {
  sn_while_loop(c, below_15, plus_one, NULL, in, 1, out, 1);
  END;
}
BODY(unrolled) {
  out[0] = in[0];
  for (int i = 0; i < 10; i++) out[0] = sn_add(out[0], sn_scalar_i32(c, 1));
  END;
}

static int occurrences(const char *text, const char *what) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, what)); at++) n++;
  return n;
}

static void check_graph(sn_context *c, sn_callback callback, const char *op, int expected) {
  sn_function *f = sn_function_create(c, callback, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_i32(c, 5), *y;
  const sn_spec spec = {SN_I32, SN_SCALAR};
  sn_program *program;
  char *text;
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_double_eq(number(y), 15);
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  ck_assert_int_eq(sn_program_dump(c, program, SN_STAGE_TRACE, &text), SN_OK);
  ck_assert_int_eq(occurrences(text, op), expected);
  // the text is a program, too
  sn_program *again;
  ck_assert_msg(!sn_program_from_text(c, text, strlen(text), &again), "%s", sn_error_message(c));
  sn_text_free(c, text);
  sn_program_release(again);
  sn_program_release(program);
  sn_function_destroy(f);
}

START_TEST(a_c_loop_unrolls_and_a_while_is_one_node) {
  sn_context *c = open_context(NATIVE);
  check_graph(c, unrolled, " = add(", 10);
  check_graph(c, by_while, " = while(", 1);
  sn_context_destroy(c);
}
END_TEST

// ---- random numbers: each iteration draws its own, the same ones in every mode
BODY(draw) {
  out[0] = sn_random_uniform(c, SN_F32, SN_SHAPE(3));
  END;
}
BODY(draws) {
  sn_map_fn(c, draw, NULL, in, 1, out, 1);
  END;
}

START_TEST(random_numbers_differ_from_row_to_row) {
  float rows[2][4][3];
  for (int eager = 0; eager < 2; eager++) {
    sn_context *c = open_context(NATIVE);
    sn_function *f = sn_function_create(c, draws, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(4)), *y;
    ck_assert_msg(!(eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1)), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_read(y, rows[eager], sizeof(rows[eager])), SN_OK);
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
  ck_assert_mem_eq(rows[0], rows[1], sizeof(rows[0]));
  for (int i = 1; i < 4; i++) ck_assert_mem_ne(rows[0][0], rows[0][i], sizeof(rows[0][0]));
}
END_TEST

// ---- sizes that differ from call to call
BODY(running_sum) {
  out[0] = sn_add(in[0], in[1]);
  out[1] = sn_mul(out[0], in[1]);
  END;
}
BODY(scan_of_open_size) {
  sn_scan(c, running_sum, NULL, SN_ARGS(in[0]), SN_ARGS(in[1]), out, 2);
  END;
}

START_TEST(one_program_serves_every_length) {
  sn_context *c = open_context(NATIVE);
  sn_function *f = sn_function_create(c, scan_of_open_size, .inputs = 2, .outputs = 2);
  float data[12 * 5];
  for (int i = 0; i < 60; i++) data[i] = (float)(i % 7) - 3;
  for (int n = 1; n < 12; n++)
    for (int width = 1; width < 6; width += 2) {
      SN_SCOPE(c);
      sn_tensor *in[2] = {sn_ones(c, SN_F32, SN_SHAPE(width)),
                          sn_constant(c, SN_F32, SN_SHAPE(n, width), data)},
                *got[2], *expected[2];
      ck_assert_msg(!sn_call(f, in, 2, got, 2), "%s", sn_error_message(c));
      ck_assert_msg(!sn_call_eager(f, in, 2, expected, 2), "%s", sn_error_message(c));
      for (int i = 0; i < 2; i++) {
        const void *a, *b;
        ck_assert_int_eq(sn_data(got[i], &a), SN_OK);
        ck_assert_int_eq(sn_data(expected[i], &b), SN_OK);
        ck_assert_mem_eq(a, b, (size_t)sn_size(got[i]) * sizeof(float));
      }
    }
  sn_function_statistics statistics = {.size = sizeof(statistics)};
  sn_function_stats(f, &statistics);
  ck_assert_uint_le(statistics.traces, 4);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- faults inside a loop leave variables as they were
BODY(pick) {
  state *s = user;
  sn_assign_add(s->count, sn_scalar_f32(c, 1));
  out[0] = sn_add(in[0], sn_gather(s->last, in[1]));
  END;
}
BODY(picks) {
  sn_scan(c, pick, user, SN_ARGS(sn_scalar_f32(c, 0)), SN_ARGS(in[0]), out, 1);
  END;
}

START_TEST(a_fault_names_the_line_in_the_body) {
  sn_context *c = open_context(NATIVE);
  state s = {sn_variable(sn_scalar_f32(c, 0)), sn_variable(sn_ones(c, SN_F32, SN_SHAPE(3)))};
  sn_function *f = sn_function_create(c, picks, .user = &s, .inputs = 1, .outputs = 1);
  const int32_t good[4] = {0, 1, 2, 0}, bad[4] = {0, 1, 7, 0};
  sn_tensor *x = sn_constant(c, SN_I32, SN_SHAPE(4), good), *y;
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_double_eq(number(y), 4);
  x = sn_constant(c, SN_I32, SN_SHAPE(4), bad);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_INDEX);
  ck_assert_msg(strstr(sn_error_message(c), "sn_gather") && strstr(sn_error_message(c), ".c:"),
                "%s", sn_error_message(c));
  ck_assert_double_eq(number(s.count), 4);
  x = sn_constant(c, SN_I32, SN_SHAPE(4), good);
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_double_eq(number(s.count), 8);
  sn_function_destroy(f);
  sn_release(s.count);
  sn_release(s.last);
  sn_context_destroy(c);
}
END_TEST

// ---- mistakes
BODY(grows) {
  out[0] = sn_concat((sn_tensor *[]){in[0], in[0]}, 2, 0);
  END;
}
BODY(turns_integer) {
  out[0] = sn_cast(in[0], SN_I32);
  END;
}
BODY(sets_nothing) {
  END;
}
BODY(is_positive) {
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0));
  END;
}
BODY(is_no_scalar) {
  out[0] = sn_greater(in[0], sn_scalar_f32(c, 0));
  END;
}
BODY(assigns) {
  sn_assign(user, sn_scalar_f32(c, 1));
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0));
  END;
}
BODY(halves) {
  out[0] = sn_mul_scalar(in[0], 0.5);
  END;
}
BODY(keeps_all) {
  out[0] = in[0];
  END;
}
BODY(itself) {
  sn_fori_loop(c, 0, 1, itself, NULL, &in[1], 1, out, 1);
  END;
}

BODY(slope_of_outer) {  // of x, which the captured tensor was computed from
  sn_tensor **x = user;
  sn_gradients(sn_sum(sn_mul(in[1], sn_mul(x[0], x[1]))), x, 1, out);
  END;
}
BODY(slope_of_outer_deeper) {
  sn_fori_loop(c, 0, 1, slope_of_outer, user, &in[1], 1, out, 1);
  END;
}

typedef struct mistake {
  const char *what;
  sn_status status;
  const char *words;
  bool traced_only;
} mistake;
static const mistake mistakes[] = {
    {"grows", SN_ERR_SHAPE, "carried value 0 is f32[8], but it begins as f32[4]", false},
    {"turns integer", SN_ERR_DTYPE, "carried value 0 is i32[4], but it begins as f32[4]", false},
    {"unset", SN_ERR_CALLBACK, "the body of sn_fori_loop left output 0 unset", false},
    {"predicate", SN_ERR_DTYPE, "sn_cond: operand #0 is f32[4], expected bool[]", false},
    {"condition", SN_ERR_SHAPE, "the condition's output", false},
    {"condition assigns", SN_ERR_STATE, "the condition assigns a variable", true},
    {"branches", SN_ERR_DTYPE, "output 0 is f32[4], but another body makes it i32[4]", true},
    {"lengths", SN_ERR_SHAPE, "sn_scan: xs[1] is f32[3], expected 4 rows", false},
    {"no rows", SN_ERR_SHAPE, "xs[0] is f32[], which has no rows", false},
    {"no length", SN_ERR_ARGUMENT, "without xs it needs a .length", false},
    {"nothing carried", SN_ERR_ARGUMENT, "nothing is carried", false},
    {"NULL body", SN_ERR_ARGUMENT, "the body is NULL", false},
    {"nested", SN_ERR_STATE, "nested more than 32 deep", true},
    {"around", SN_ERR_GRADIENT, "y depends on xs[0] through what is computed outside", false},
    {"further around", SN_ERR_GRADIENT, "sn_fori_loop y depends on xs[0] through what", false},
};
enum { n_mistakes = sizeof(mistakes) / sizeof(mistakes[0]) };

static void make_mistake(sn_context *c, int which, sn_tensor *x, sn_tensor *v, sn_tensor **out) {
  sn_tensor *s = sn_scalar_f32(c, 1), *o[3];
  out[0] = x;
  switch (which) {
    case 0:
      sn_while_loop(c, is_positive, grows, NULL, &x, 1, out, 1);
      break;
    case 1:
      sn_while_loop(c, is_positive, turns_integer, NULL, &x, 1, out, 1);
      break;
    case 2:
      sn_fori_loop(c, 0, 2, sets_nothing, NULL, &x, 1, out, 1);
      break;
    case 3:
      sn_cond(c, x, halves, keeps_all, NULL, &x, 1, out, 1);
      break;
    case 4:
      sn_while_loop(c, is_no_scalar, halves, NULL, &x, 1, out, 1);
      break;
    case 5:
      sn_while_loop(c, assigns, halves, v, &x, 1, out, 1);
      break;
    case 6:
      sn_cond(c, sn_greater(sn_sum(x), s), halves, turns_integer, NULL, &x, 1, out, 1);
      break;
    case 7:
      sn_scan(c, running_sum, NULL, NULL, 0, SN_ARGS(x, sn_ones(c, SN_F32, SN_SHAPE(3))), o, 2);
      out[0] = o[0];
      break;
    case 8:
      sn_map_fn(c, halves, NULL, &s, 1, out, 1);
      break;
    case 9:
      sn_scan(c, halves, NULL, &x, 1, NULL, 0, out, 1);
      break;
    case 10:
      sn_fori_loop(c, 0, 3, halves, NULL, NULL, 0, out, 0);
      break;
    case 11:
      sn_fori_loop(c, 0, 3, NULL, NULL, &x, 1, out, 1);
      break;
    case 12:
      sn_fori_loop(c, 0, 3, itself, NULL, &x, 1, out, 1);
      break;
    case 13:
      sn_fori_loop(c, 0, 3, slope_of_outer, (sn_tensor *[]){x, sn_sin(x)}, &x, 1, out, 1);
      break;
    default:
      sn_fori_loop(c, 0, 3, slope_of_outer_deeper, (sn_tensor *[]){x, sn_sin(x)}, &x, 1, out, 1);
      break;
  }
}

typedef struct attempt {
  int which;
  sn_tensor *v;
} attempt;

BODY(try_mistake) {
  const attempt *a = user;
  make_mistake(c, a->which, in[0], a->v, out);
  END;
}

START_TEST(mistakes_have_words) {
  sn_context *c = open_context(INTERPRETED);
  attempt a = {_i, sn_variable(sn_scalar_f32(c, 0))};
  for (int eager = 0; eager < 2; eager++) {
    if (eager && mistakes[_i].traced_only) continue;
    sn_function *f = sn_function_create(c, try_mistake, .user = &a, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(4)), *y;
    const sn_status status = eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1);
    ck_assert_msg(status == mistakes[_i].status && strstr(sn_error_message(c), mistakes[_i].words),
                  "%s, eager %d: status %d, %s", mistakes[_i].what, eager, (int)status,
                  sn_error_message(c));
    ck_assert_msg(strstr(sn_error_message(c), ".c:") != NULL, "%s: no line: %s", mistakes[_i].what,
                  sn_error_message(c));
    ck_assert_double_eq(number(a.v), 0);
    sn_function_destroy(f);
  }
  sn_release(a.v);
  sn_context_destroy(c);
}
END_TEST

// 256 rows of each of 2^53 iterations: their number is none of a machine's.
BODY(gives_many) {
  for (int i = 0; i < *(int *)user; i++) out[i] = sn_scalar_f32(c, 1);
  END;
}

START_TEST(rows_that_nothing_can_hold) {
  sn_context *c;
  sn_tensor *out[256];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .memory_limit = (size_t)1 << 30), SN_OK);
  for (int n = 1; n <= 256; n *= 2) {
    ck_assert_int_eq(
        sn_scan(c, gives_many, &n, NULL, 0, NULL, 0, out, n, .length = (int64_t)1 << 53),
        SN_ERR_MEMORY);
    ck_assert_int_eq(sn_check(c), SN_ERR_MEMORY);
  }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("control_flow");
  tcase_add_test(cases, variables_are_assigned_in_bodies);
  tcase_add_test(cases, a_c_loop_unrolls_and_a_while_is_one_node);
  tcase_add_test(cases, random_numbers_differ_from_row_to_row);
  tcase_add_test(cases, one_program_serves_every_length);
  tcase_add_test(cases, a_fault_names_the_line_in_the_body);
  tcase_add_loop_test(cases, mistakes_have_words, 0, n_mistakes);
  tcase_add_test(cases, rows_that_nothing_can_hold);
  return run_tests(suite_create("control_flow"), cases);
}
