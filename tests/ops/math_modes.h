// A public function of one or two operands, run on arrays of numbers in every mode: op by op, compiled for the interpreter, compiled
// by LLVM.
#ifndef TESTS_OPS_MATH_MODES_H
#define TESTS_OPS_MATH_MODES_H

#include "runtime/scalar.h"
#include "tests/ulp.h"

#include <check.h>
#include <sinter/sinter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct math_op {
  const char *name;
  sn_tensor *(*one)(sn_tensor *);
  sn_tensor *(*two)(sn_tensor *, sn_tensor *);
} math_op;

enum { MODE_EAGER, MODE_INTERPRETER, MODE_LLVM, MODE_COUNT };
static const char *const mode_names[] = {"eager", "interpreter", "LLVM"};
static sn_context *mode_contexts[MODE_COUNT];  // NULL: there is no such mode

static inline void open_modes(void) {
  for (int i = 0; i < MODE_COUNT; i++) {
    const sn_backend backend = i == MODE_LLVM ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER;
    if (i == MODE_LLVM && !SINTER_HAS_LLVM) continue;
    ck_assert_int_eq(sn_context_create(&mode_contexts[i], .threads = 1, .backend = backend,
                                       .plugin_path = SINTER_PLUGIN_PATH),
                     SN_OK);
  }
}

static inline void close_modes(void) {
  for (int i = 0; i < MODE_COUNT; i++) sn_context_destroy(mode_contexts[i]);
}

static inline sn_status apply_op(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  const math_op *op = user;
  out[0] = op->two ? op->two(in[0], in[1]) : op->one(in[0]);
  return sn_pending_error(context);
}

static inline sn_tensor *tensor_of(sn_context *context, sn_dtype dtype, const double *values,
                                   int64_t n) {
  void *data = malloc((size_t)n * sn_dtype_size(dtype) + 1);
  ck_assert_ptr_nonnull(data);
  for (int64_t i = 0; i < n; i++) sni_scalar_store(sni_scalar_of(dtype, values[i]), data, i);
  sn_tensor *t = sn_constant(context, dtype, SN_SHAPE(n), data);
  free(data);
  return t;
}

// out[i] = op(a[i], b[i]) in dtype; b is not read where op has one operand.
static inline void run_mode(int mode, const math_op *op, sn_dtype dtype, const double *a,
                            const double *b, double *out, int64_t n) {
  sn_context *context = mode_contexts[mode];
  SN_SCOPE(context);
  sn_tensor *in[] = {tensor_of(context, dtype, a, n),
                     op->two ? tensor_of(context, dtype, b, n) : NULL},
            *y;
  if (mode == MODE_EAGER) {
    ck_assert_int_eq(apply_op(context, in, &y, (void *)(uintptr_t)op), SN_OK);
  } else {
    sn_function *f = sn_function_create(context, apply_op, .user = (void *)(uintptr_t)op,
                                        .inputs = op->two ? 2 : 1, .outputs = 1);
    ck_assert_msg(!sn_call(f, in, op->two ? 2 : 1, &y, 1), "%s", sn_error_message(context));
    sn_function_destroy(f);
  }
  const void *data;
  ck_assert_int_eq(sn_data(y, &data), SN_OK);
  for (int64_t i = 0; i < n; i++) out[i] = sni_scalar_value(sni_scalar_load(dtype, data, i));
}

static inline double ulp_in(sn_dtype dtype, double got, long double want) {
  const int digits = sni_dtype_infos[dtype].digits, least = sni_dtype_infos[dtype].exponent;
  return ulp_distance(got, want, digits, least - digits, 3 - least);
}

#endif
