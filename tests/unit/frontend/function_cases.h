// What the tests of functions share: a callback that counts its runs, and short ways to make and call.
#ifndef SNI_TESTS_FUNCTION_CASES_H
#define SNI_TESTS_FUNCTION_CASES_H

#include "frontend_fixture.h"

static int callback_runs;

static inline sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)context, (void)user;
  callback_runs++;
  out[0] = sn_pow_scalar(in[0], 3);
  return SN_OK;
}

static inline sn_status count(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)in;
  out[0] = sn_assign_add(user, sn_scalar_f32(context, 1));
  return SN_OK;
}

static inline sn_function *make(sn_callback callback, int inputs, int outputs, void *user) {
  sn_function *f = sn_function_create(ctx, callback, .inputs = inputs, .outputs = outputs,
                                      .user = user, .name = "f");
  ck_assert_ptr_nonnull(f);
  return f;
}

static inline sn_tensor *call1(sn_function *f, sn_tensor *x) {
  sn_tensor *y = NULL;
  sn_status status = sn_call(f, SN_ARGS(x), &y, 1);
  ck_assert_msg(!status, "sn_call: %s", sn_error_message(ctx));
  return y;
}

#endif
