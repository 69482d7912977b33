// Networks of convolutions whose images have channels first, which the compiler computes with channels
// last in between (passes/graph/choose_layouts.c): layers, a skip, a norm, a value that is returned too,
// sums of what was turned. Results and gradients are those of op by op, to the bit, in every mode.
#include "ops/function_harness.h"

enum { operands = 6, results = 8 };

static sn_tensor *layer(sn_tensor *x, sn_tensor *w, sn_tensor *bias) {
  sn_tensor *y = sn_conv(x, w, .padding = SN_PADDING_SAME, .data_format = SN_CHANNELS_FIRST);
  return sn_relu(sn_add(y, bias));
}

// user: bool, whether a value in between is a result.
static sn_status network(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bool *returned = user;
  sn_tensor *x = in[0], *a = layer(x, in[1], in[3]);
  sn_tensor *mean = sn_mean(a, .axes = SN_AXES(0, 2, 3), .keepdims = true);
  sn_tensor *b = layer(sn_mul(sn_sub(a, mean), in[4]), in[2], in[4]);
  sn_tensor *c = layer(sn_add(b, a), in[2], in[5]);
  out[0] = sn_mean(sn_square(c));
  sn_gradients(out[0], in, operands, out + 1);
  out[7] = *returned ? b : sn_sum(b, .axes = SN_AXES(1));
  return sn_pending_error(context);
}

static void make(sn_context *c, int64_t examples, sn_tensor **in) {
  in[0] = sn_random_normal(c, SN_F32, SN_SHAPE(examples, 3, 9, 7));
  in[1] = sn_random_normal(c, SN_F32, SN_SHAPE(3, 3, 3, 10));
  in[2] = sn_random_normal(c, SN_F32, SN_SHAPE(3, 3, 10, 10));
  for (int i = 3; i < operands; i++) in[i] = sn_random_normal(c, SN_F32, SN_SHAPE(10, 1, 1));
}

// _i: bit 0: LLVM, 1: two threads, 2: the value in between is a result.
START_TEST(channels_first_is_channels_last) {
  if ((_i & 1) && !SINTER_HAS_LLVM) return;
  const sn_backend backend = _i & 1 ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER;
  bool returned = _i & 4;
  sn_context *c = open_context(backend, _i & 2 ? 2 : 1, 3);
  sn_function *f =
      sn_function_create(c, network, .user = &returned, .inputs = operands, .outputs = results);
  for (int64_t examples = 1; examples < 4; examples++) {  // constant, then symbolic
    SN_SCOPE(c);
    sn_tensor *in[operands], *got[results], *expected[results];
    make(c, examples, in);
    call_both(c, f, in, operands, got, expected, results);
    for (int i = 0; i < results; i++)
      ck_assert_msg(same_bits(got[i], expected[i]), "result %d of %d examples", i, (int)examples);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

static sn_status three_layers(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)user;
  out[0] = layer(layer(layer(in[0], in[1], in[3]), in[2], in[4]), in[2], in[5]);
  return sn_pending_error(context);
}

// Nothing is copied between layers, and what is between them is stored with channels last.
START_TEST(layers_are_one_kernel_each) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 3);
  sn_function *f = sn_function_create(c, three_layers, .inputs = operands, .outputs = 1);
  sn_tensor *in[operands];
  sn_spec specs[operands];
  make(c, 2, in);
  for (int i = 0; i < operands; i++) {
    specs[i] = (sn_spec){.dtype = SN_F32, .shape = {.rank = sn_rank(in[i])}};
    for (int d = 0; d < sn_rank(in[i]); d++) specs[i].shape.dims[d] = sn_dim(in[i], d);
  }
  sn_program *program;
  char *text;
  ck_assert_msg(!sn_function_compile(f, specs, operands, &program), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_program_dump(c, program, SN_STAGE_FUSED, &text), SN_OK);
  ck_assert_int_eq(count(text, "group "), 3);
  ck_assert_int_eq(count(text, "f32[2,9,7,10]  // stored: an op reads it"), 2);
  sn_text_free(c, text);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layouts");
  TCase *tests = tcase_create("layouts");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, channels_first_is_channels_last, 0, 8);
  tcase_add_test(tests, layers_are_one_kernel_each);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
