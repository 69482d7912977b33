// What goes wrong of functions that are given functions: each mistake has its status, words that name what does not fit, and
// the caller's line, op by op and in a trace. Nothing is lost by one: the context goes on.
#include <sinter/sinter.h>

#include <check.h>
#include <stdint.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)in, (void)out, (void)user, sn_pending_error(c)

typedef struct mistake {
  sn_callback body;
  sn_status status;
  const char *eager, *traced;  // words; NULL: it is no mistake there
} mistake;

static const char *words_of(const mistake *m, bool traced) {
  return traced ? m->traced : m->eager;
}

// x: f32[4] of 1 to 4.
static void check(sn_context *c, const mistake *m, bool traced, void *user) {
  SN_SCOPE(c);
  double one;
  sn_tensor *y, *x = sn_range(c, SN_F32, 1, 5, 1);
  sn_function *f =
      sn_function_create(c, m->body, .user = user, .inputs = 1, .outputs = 1, .name = "tried");
  const sn_status status = traced ? sn_call(f, &x, 1, &y, 1) : sn_call_eager(f, &x, 1, &y, 1);
  const char *words = words_of(m, traced), *given = sn_error_message(c);
  ck_assert_msg(words ? status == m->status && strstr(given, words) : !status,
                "traced %d, %s\n  %s %s", traced, words, sn_status_name(status), given);
  ck_assert_msg(!words || strstr(given, "test_bad_bodies.c:"), "no line: %s", given);
  ck_assert_int_eq(sn_check(c), SN_OK);
  ck_assert_int_eq(sn_item(sn_mean(sn_sub(x, 1.5)), &one), SN_OK);
  ck_assert_double_eq(one, 1);
  sn_function_destroy(f);
}

static void check_all(const mistake *mistakes, int n, void *user) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER,
                                     .memory_limit = (size_t)1 << 30),
                   SN_OK);
  for (int i = 0; i < n; i++)
    for (int traced = 0; traced < 2; traced++) check(c, &mistakes[i], traced, user);
  sn_context_destroy(c);
}
#define CHECK_ALL(mistakes, user) \
  check_all(mistakes, (int)(sizeof(mistakes) / sizeof(*(mistakes))), user)

// ---- values that change their type on the way
BODY(grows) {
  out[0] = sn_concat((sn_tensor *[]){in[0], in[0]}, 2, 0);
  END;
}
BODY(turns_wide) {
  out[0] = sn_cast(in[0], SN_F64);
  END;
}
BODY(counted_growth) {
  out[0] = sn_expand_dims(in[1], 0);
  END;
}
BODY(is_small) {
  out[0] = sn_less(sn_sum(sn_cast(in[0], SN_F64)), sn_scalar_f64(c, 100));
  END;
}
BODY(grows_in_while) {
  return sn_while_loop(c, is_small, grows, user, in, 1, out, 1);
}
BODY(widens_in_while) {
  return sn_while_loop(c, is_small, turns_wide, user, in, 1, out, 1);
}
BODY(grows_in_fori) {
  return sn_fori_loop(c, 0, 2, counted_growth, user, in, 1, out, 1);
}
BODY(grows_in_scan) {
  return sn_scan(c, grows, user, in, 1, NULL, 0, out, 1, .length = 2);
}
BODY(keeps_positive) {
  out[0] = sn_boolean_mask(in[0], sn_greater(in[0], 3));
  END;
}
BODY(rows_of_any_length) {
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(2, 2));
  return sn_map_fn(c, keeps_positive, user, &x, 1, out, 1);
}
BODY(no_rows_of_any_length) {
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(0, 2));
  return (void)in, sn_map_fn(c, keeps_positive, user, &x, 1, out, 1);
}
BODY(recomputed_length) {
  return sn_checkpoint(c, keeps_positive, user, in, 1, out, 1);
}
BODY(stays) {
  out[0] = in[0];
  END;
}
BODY(branches_differ) {
  return sn_cond(c, sn_greater(sn_sum(in[0]), 0), stays, turns_wide, user, in, 1, out, 1);
}
BODY(predicate_is_a_vector) {
  return sn_cond(c, sn_greater(in[0], 0), stays, stays, user, in, 1, out, 1);
}
BODY(number_is_a_float) {
  return sn_switch_case(c, sn_sum(in[0]), (sn_callback[]){stays}, 1, user, in, 1, out, 1);
}
BODY(number_is_a_vector) {
  return sn_switch_case(c, sn_cast(in[0], SN_I32), (sn_callback[]){stays}, 1, user, in, 1, out, 1);
}
BODY(sum_of_all) {
  out[0] = sn_sum(in[0]);
  END;
}
BODY(condition_is_a_number) {
  return sn_while_loop(c, sum_of_all, stays, user, in, 1, out, 1);
}
BODY(adds_up) {
  out[0] = sn_add(in[0], in[1]);
  END;
}
BODY(examples_differ) {
  sn_tensor *two[2] = {in[0], sn_zeros(c, SN_F32, SN_SHAPE(3))};
  return sn_vectorized_map(c, adds_up, user, two, 2, out, 1);
}
BODY(counts_far) {
  return sn_fori_loop(c, INT64_MAX - 2, INT64_MAX, counted_growth, user, in, 1, out, 1);
}
BODY(counts_long) {
  return sn_fori_loop(c, INT64_MIN, INT64_MAX, counted_growth, user, in, 1, out, 1);
}

START_TEST(types_change) {
  static const char vector[] = "sn_cond: operand #0 is bool[4], expected bool[]";
  static const mistake mistakes[] = {
      {grows_in_while, SN_ERR_SHAPE,
       "sn_while_loop: carried value 0 is f32[8], but it begins as f32[4]",
       "sn_while_loop: carried value 0 is f32[8], but it begins as f32[4]"},
      {widens_in_while, SN_ERR_DTYPE, "carried value 0 is f64[4], but it begins as f32[4]",
       "carried value 0 is f64[4], but it begins as f32[4]"},
      {grows_in_fori, SN_ERR_SHAPE,
       "sn_fori_loop: carried value 0 is f32[1,4], but it begins as f32[4]",
       "sn_fori_loop: carried value 0 is f32[1,4], but it begins as f32[4]"},
      {grows_in_scan, SN_ERR_SHAPE, "sn_scan: carried value 0 is f32[8], but it begins as f32[4]",
       "sn_scan: carried value 0 is f32[8], but it begins as f32[4]"},
      {rows_of_any_length, SN_ERR_SHAPE,
       "sn_map_fn: row 1 of output 0 is f32[1], but row 0 is f32[0]",
       "a size that the body alone knows"},
      {no_rows_of_any_length, SN_ERR_SHAPE, "a size that the body alone knows",
       "a size that the body alone knows"},
      {recomputed_length, SN_ERR_SHAPE, NULL,
       "sn_checkpoint: result 0 is f32[B], a size that the body alone knows"},
      {branches_differ, SN_ERR_DTYPE, NULL, "output 0 is f32[4], but another body makes it f64[4]"},
      {predicate_is_a_vector, SN_ERR_SHAPE, vector, vector},
      {number_is_a_float, SN_ERR_DTYPE,
       "sn_switch_case: operand #0 is f32[], expected an integer scalar",
       "sn_switch_case: operand #0 is f32[], expected an integer scalar"},
      {number_is_a_vector, SN_ERR_SHAPE,
       "sn_switch_case: operand #0 is i32[4], expected an integer scalar",
       "sn_switch_case: operand #0 is i32[4], expected an integer scalar"},
      {condition_is_a_number, SN_ERR_DTYPE, "the condition's output is f32[], expected bool[]",
       "the condition's output 0 is f32[], but it must be bool[]"},
      {examples_differ, SN_ERR_SHAPE, "xs[1] is f32[3], expected 4 examples as in xs[0] f32[4]",
       "xs[1] is f32[3], expected 4 examples as in xs[0] f32[4]"},
      {counts_far, SN_ERR_ARGUMENT,
       "sn_fori_loop: 2 iterations from 9223372036854775805 on, expected",
       "sn_fori_loop: 2 iterations from 9223372036854775805 on, expected"},
      {counts_long, SN_ERR_ARGUMENT, "expected 0 to 2^53 of them", "expected 0 to 2^53 of them"}};
  CHECK_ALL(mistakes, NULL);
}
END_TEST

// ---- functions and bodies that call themselves without end
static sn_function *itself[2];
BODY(calls) {
  (void)c, (void)user;
  return sn_call(itself[0], in, 1, out, 1);
}
BODY(calls_other) {
  (void)c, (void)user;
  return sn_call(itself[1], in, 1, out, 1);
}
BODY(calls_eagerly) {
  (void)c, (void)user;
  return sn_call_eager(itself[0], in, 1, out, 1);
}
BODY(endless_cond) {
  sn_tensor *always = sn_greater(sn_sum(sn_square(in[0])), -1);
  return sn_cond(c, always, endless_cond, endless_cond, user, in, 1, out, 1);
}
BODY(endless_while) {
  return sn_while_loop(c, is_small, endless_while, user, in, 1, out, 1);
}
BODY(endless_map) {
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(2));
  return (void)in, sn_map_fn(c, endless_map, user, &x, 1, out, 1);
}
BODY(endless_vectors) {
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(2, 2));
  return (void)in, sn_vectorized_map(c, endless_vectors, user, &x, 1, out, 1);
}
BODY(endless_checkpoint) {
  return sn_checkpoint(c, endless_checkpoint, user, in, 1, out, 1);
}
BODY(endless_gradient) {
  return sn_custom_gradient(c, endless_gradient, stays, user, in, 1, out, 1);
}
BODY(endless_prefix) {
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(4));
  return (void)in, sn_associative_scan(c, endless_prefix, user, &x, 1, out, 1);
}

START_TEST(recursion_ends) {
  static const char deep[] = "bodies are nested more than 32 deep", own[] = "calls itself";
  static const mistake mistakes[] = {{endless_cond, SN_ERR_STATE, own, deep},
                                     {endless_while, SN_ERR_STATE, own, deep},
                                     {endless_map, SN_ERR_STATE, own, deep},
                                     {endless_vectors, SN_ERR_STATE, deep, deep},
                                     {endless_checkpoint, SN_ERR_STATE, deep, deep},
                                     {endless_gradient, SN_ERR_STATE, "64 tapes", own},
                                     {endless_prefix, SN_ERR_STATE, own, own}};
  CHECK_ALL(mistakes, NULL);
}
END_TEST

START_TEST(functions_that_call_themselves) {
  static const sn_callback bodies[][2] = {
      {calls, calls}, {calls_eagerly, calls_eagerly}, {calls_other, calls}};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  for (int i = 0; i < 3; i++)
    for (int traced = 0; traced < 2; traced++) {
      sn_tensor *x = sn_scalar_f32(c, 1), *y;
      for (int k = 0; k < 2; k++)
        itself[k] = sn_function_create(c, bodies[i][k], .inputs = 1, .outputs = 1,
                                       .name = k ? "pong" : "ping");
      ck_assert_int_eq(
          traced ? sn_call(itself[0], &x, 1, &y, 1) : sn_call_eager(itself[0], &x, 1, &y, 1),
          SN_ERR_STATE);
      ck_assert_msg(strstr(sn_error_message(c), "ng\" calls itself"), "%s", sn_error_message(c));
      for (int k = 0; k < 2; k++) sn_function_destroy(itself[k]);
    }
  sn_context_destroy(c);
}
END_TEST

// ---- tensors of a body, used outside of it
static sn_tensor *taken;
BODY(takes) {
  taken = sn_mul(in[0], 2);
  out[0] = taken;
  END;
}
BODY(takes_counted) {
  taken = sn_mul(in[1], 2);
  out[0] = taken;
  END;
}
BODY(takes_back) {
  taken = sn_mul(in[2], 2);
  out[0] = taken;
  END;
}
static sn_tensor *then_use(sn_tensor *y) {
  return sn_add(y, sn_sum(taken));
}
BODY(of_cond) {
  sn_tensor *y;
  sn_cond(c, sn_greater(sn_sum(in[0]), 0), stays, takes, user, in, 1, &y, 1);
  if (!sn_is_traced(y)) takes(c, in, out, user);
  out[0] = then_use(y);
  END;
}
BODY(of_loop) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 2, takes_counted, user, in, 1, &y, 1);
  out[0] = then_use(y);
  END;
}
BODY(of_examples) {
  sn_tensor *y;
  sn_vectorized_map(c, takes, user, in, 1, &y, 1);
  out[0] = then_use(y);
  END;
}
BODY(of_checkpoint) {
  sn_tensor *y;
  sn_checkpoint(c, takes, user, in, 1, &y, 1);
  out[0] = then_use(y);
  END;
}
BODY(of_backward) {
  sn_tensor *y, *g;
  sn_custom_gradient(c, stays, takes_back, user, in, 1, &y, 1);
  sn_gradients(sn_sum(y), in, 1, &g);
  out[0] = then_use(g);
  END;
}
BODY(of_inner_loop) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 2, takes_counted, user, in + 1, 1, &y, 1);
  out[0] = then_use(y);
  END;
}
BODY(of_loop_in_loop) {
  return sn_fori_loop(c, 0, 2, of_inner_loop, user, in, 1, out, 1);
}
BODY(derived_from) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 2, takes_counted, user, in, 1, &y, 1);
  sn_gradients(sn_sum(taken), in, 1, out);
  END;
}

START_TEST(tensors_of_bodies_stay_in_them) {
  static const char words[] =
      "is a traced tensor, and its trace has ended: make it an output of the function or body";
  static const mistake mistakes[] = {
      {of_cond, SN_ERR_STATE, NULL, words},      {of_loop, SN_ERR_STATE, NULL, words},
      {of_examples, SN_ERR_STATE, words, words}, {of_checkpoint, SN_ERR_STATE, NULL, words},
      {of_backward, SN_ERR_STATE, words, words}, {of_loop_in_loop, SN_ERR_STATE, NULL, words},
      {derived_from, SN_ERR_STATE, NULL, words}};
  CHECK_ALL(mistakes, NULL);
}
END_TEST

// And behind the call.
START_TEST(tensors_of_traces_stay_in_them) {
  static const sn_callback bodies[] = {of_loop, of_examples, of_checkpoint, of_backward, of_cond};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  for (int i = 0; i < 5; i++) {
    sn_tensor *y, *x = sn_ones(c, SN_F32, SN_SHAPE(4));
    double value;
    sn_function *f = sn_function_create(c, bodies[i], .inputs = 1, .outputs = 1);
    ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_STATE);
    ck_assert(sn_failed(sn_add(taken, x)));
    ck_assert_int_eq(sn_check(c), SN_ERR_STATE);
    ck_assert_int_eq(sn_item(taken, &value), SN_ERR_STATE);
    sn_keep(taken);
    ck_assert_int_eq(sn_check(c), SN_ERR_STATE);
    sn_release(taken);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// ---- gradients of what has none
BODY(of_integers) {
  sn_tensor *i = sn_cast(in[0], SN_I32);
  sn_gradients(sn_sum(sn_cast(i, SN_F32)), &i, 1, out);
  END;
}
BODY(of_an_integer_sum) {
  sn_gradients(sn_sum(sn_cast(in[0], SN_I32)), in, 1, out);
  END;
}
BODY(through_integers) {
  sn_gradients(sn_sum(sn_cast(sn_cast(in[0], SN_I32), SN_F32)), in, 1, out);
  END;
}
BODY(through_argmax) {
  sn_gradients(sn_cast(sn_argmax(in[0], 0), SN_F32), in, 1, out);
  END;
}
BODY(through_a_comparison) {
  sn_gradients(sn_sum(sn_cast(sn_greater(in[0], 2), SN_F32)), in, 1, out);
  END;
}
BODY(through_a_stop) {
  sn_gradients(sn_sum(sn_stop_gradient(in[0])), in, 1, out);
  END;
}
static sn_status doubles(const sn_host_args *a) {
  for (int i = 0; i < 4; i++) ((float *)a->out[0].data)[i] = 2 * ((const float *)a->in[0].data)[i];
  return SN_OK;
}
BODY(through_a_host_op) {
  sn_tensor *y;
  sn_host_call(c, doubles, in, 1, &y, 1, .name = "doubles");
  sn_gradients(sn_sum(y), in, 1, out);
  END;
}
BODY(tangent_of_integers) {
  sn_tensor *i = sn_cast(in[0], SN_I32);
  out[0] = sn_jvp(sn_sum(in[0]), &i, &i, 1);
  END;
}
BODY(tangent_of_another_shape) {
  out[0] = sn_jvp(sn_sum(in[0]), in, SN_ARGS(sn_sum(in[0])));
  END;
}
BODY(jacobian_of_integers) {
  sn_jacobian(sn_cast(in[0], SN_I32), in, 1, out);
  END;
}
BODY(carried_integer) {
  out[0] = sn_add(in[1], 1);
  END;
}
BODY(through_an_integer_loop) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 2, carried_integer, user, SN_ARGS(sn_cast(in[0], SN_I64)), &y, 1);
  sn_gradients(sn_sum(sn_cast(y, SN_F32)), in, 1, out);
  END;
}
BODY(seed_of_another_shape) {
  sn_gradients(sn_sum(in[0]), in, 1, out, .seed = in[0]);
  END;
}
BODY(cotangent_of_another_dtype) {
  out[0] = sn_cast(in[2], SN_F64);
  END;
}
BODY(backward_lies) {
  sn_tensor *y;
  sn_custom_gradient(c, stays, cotangent_of_another_dtype, user, in, 1, &y, 1);
  sn_gradients(sn_sum(y), in, 1, out);
  END;
}

START_TEST(what_has_no_gradient) {
#define BOTH(words) words, words
  static const mistake mistakes[] = {
      {of_integers, SN_ERR_GRADIENT, BOTH("it is i32, and only floats")},
      {of_an_integer_sum, SN_ERR_GRADIENT, BOTH("sn_gradients: y is i32[]: only floats")},
      {through_integers, SN_ERR_GRADIENT, BOTH("cast")},
      {through_argmax, SN_ERR_GRADIENT, BOTH("sn_argmax")},
      {through_a_comparison, SN_ERR_GRADIENT, BOTH("sn_greater")},
      {through_a_stop, SN_ERR_GRADIENT, BOTH("sn_stop_gradient")},
      {through_a_host_op, SN_ERR_GRADIENT, "no gradient with respect to xs[0]", "doubles at "},
      {tangent_of_integers, SN_ERR_GRADIENT, BOTH("sn_jvp: i32[4] is no float")},
      {tangent_of_another_shape, SN_ERR_GRADIENT, BOTH("sn_jvp: ")},
      {jacobian_of_integers, SN_ERR_GRADIENT, BOTH("sn_jacobian: y is i32[4]: only floats")},
      {through_an_integer_loop, SN_ERR_GRADIENT,
       BOTH("sn_gradients: no gradient with respect to xs[0]")},
      {seed_of_another_shape, SN_ERR_GRADIENT, BOTH("sn_gradients: ")},
      {backward_lies, SN_ERR_DTYPE,
       BOTH("sn_custom_gradient: cotangent 0 is f64[4], but the input is f32[4]")}};
  CHECK_ALL(mistakes, NULL);
}
END_TEST

// ---- sizes that a run finds out
static sn_tensor *large_ones(sn_tensor *x) {  // of the four there are two
  return sn_boolean_mask(x, sn_greater(x, 2));
}
BODY(too_few_for_a_window) {
  sn_tensor *image = sn_reshape(large_ones(in[0]), SN_SHAPE(1, -1, 1));
  out[0] = sn_conv(image, sn_ones(c, SN_F32, SN_SHAPE(3, 1, 1)));
  END;
}
BODY(too_few_to_index) {
  out[0] = sn_top_k(large_ones(in[0]), 3, NULL);
  END;
}
BODY(negative) {  // from the third one on to that before the last
  out[0] = sn_reshape(sn_at(large_ones(in[0]), "2:-1"), SN_SHAPE(1));
  END;
}
BODY(another_number) {
  out[0] = sn_reshape(large_ones(in[0]), SN_SHAPE(3));
  END;
}
BODY(two_numbers) {
  out[0] = sn_add(large_ones(in[0]), sn_boolean_mask(in[0], sn_greater(in[0], 1)));
  END;
}
BODY(too_large) {
  out[0] = sn_pad(large_ones(in[0]), (int64_t[]){INT64_C(1) << 60}, (int64_t[]){0}, 1, 0);
  END;
}
BODY(nothing_to_choose) {
  out[0] = sn_argmax(sn_boolean_mask(in[0], sn_greater(in[0], 9)), 0);
  END;
}
BODY(asked_for_as_a_number) {
  out[0] = sn_zeros(c, SN_F32, SN_SHAPE(sn_dim(large_ones(in[0]), 0)));
  END;
}

START_TEST(late_sizes_that_do_not_fit) {
  static const mistake mistakes[] = {
      {too_few_for_a_window, SN_ERR_SHAPE, "sn_conv: the kernel is larger than the padded image",
       "sn_conv: needs a size of 3 or more, but it is 2"},
      {too_few_to_index, SN_ERR_SHAPE, "sn_top_k: operand #0 f32[2] has fewer than 3",
       "sn_top_k: needs a size of 3 or more, but it is 2"},
      {another_number, SN_ERR_SHAPE, "sn_reshape: operand #0 f32[2] cannot become [3]",
       "sn_reshape: needs two sizes to be 3, but they are 2 and 3"},
      {two_numbers, SN_ERR_SHAPE,
       "sn_add: operand #1 is f32[3], which does not broadcast with operand #0 f32[2]",
       "sn_add: needs two sizes to be equal, but they are 2 and 3"},
      {negative, SN_ERR_SHAPE, "sn_reshape: operand #0 f32[0] cannot become [1]: the sizes differ",
       "sn_reshape: needs two sizes to be 1, but they are 0 and 1"},
      {too_large, SN_ERR_MEMORY, "sn_pad: out of memory", "sn_call: out of memory"},
      {nothing_to_choose, SN_ERR_SHAPE, "sn_argmax: axis 0 of operand #0 f32[0], expected 1",
       "sn_argmax: needs a size of 1 or more, but it is 0"},
      {asked_for_as_a_number, SN_ERR_SHAPE, NULL,
       "sn_dim: dim 0 of f32[B] is not known in this trace"}};
  CHECK_ALL(mistakes, NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bad_bodies");
  TCase *tests = tcase_create("bad_bodies");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, types_change);
  tcase_add_test(tests, recursion_ends);
  tcase_add_test(tests, functions_that_call_themselves);
  tcase_add_test(tests, tensors_of_bodies_stay_in_them);
  tcase_add_test(tests, tensors_of_traces_stay_in_them);
  tcase_add_test(tests, what_has_no_gradient);
  tcase_add_test(tests, late_sizes_that_do_not_fit);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
