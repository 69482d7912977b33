// What tests of whole functions share: contexts, results compared to the bit, the text of kernels.
#ifndef TESTS_OPS_FUNCTION_HARNESS_H
#define TESTS_OPS_FUNCTION_HARNESS_H

#include <check.h>
#include <sinter/sinter.h>
#include <string.h>

// Products are our own, whose bits are the same in every mode.
static inline sn_context *open_context(sn_backend backend, int threads, uint64_t seed) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .threads = threads, .seed = seed, .backend = backend,
                                     .plugin_path = SINTER_PLUGIN_PATH),
                   SN_OK);
  return context;
}

// Of one dtype and shape.
static inline bool same_bits(sn_tensor *got, sn_tensor *expected) {
  const size_t bytes = (size_t)sn_size(got) * sn_dtype_size(sn_dtype_of(got));
  const void *a, *b;
  ck_assert_int_eq(sn_size(got), sn_size(expected));
  ck_assert_int_eq(sn_dtype_of(got), sn_dtype_of(expected));
  ck_assert_int_eq(sn_data(got, &a), SN_OK);
  ck_assert_int_eq(sn_data(expected, &b), SN_OK);
  return !bytes || !memcmp(a, b, bytes);
}

// Results of the compiled function and of its callback op by op.
static inline void call_both(sn_context *context, sn_function *f, sn_tensor *const *in, int n_in,
                             sn_tensor **got, sn_tensor **expected, int n_out) {
  ck_assert_msg(!sn_call(f, in, n_in, got, n_out), "%s", sn_error_message(context));
  ck_assert_msg(!sn_call_eager(f, in, n_in, expected, n_out), "%s", sn_error_message(context));
}

// Commands and kernels of the function compiled for these inputs; sn_text_free.
static inline char *kernel_text(sn_context *context, sn_function *f, const sn_spec *specs, int n) {
  sn_program *program;
  char *text;
  ck_assert_msg(!sn_function_compile(f, specs, n, &program), "%s", sn_error_message(context));
  ck_assert_int_eq(sn_program_dump(context, program, SN_STAGE_KERNEL, &text), SN_OK);
  sn_program_release(program);
  return text;
}

static inline int count(const char *text, const char *what) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, what)); at++) n++;
  return n;
}

#endif
