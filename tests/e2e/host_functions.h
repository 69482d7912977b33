// Functions of the host's that several tests call, and what they note.
#ifndef SINTER_TESTS_HOST_FUNCTIONS_H
#define SINTER_TESTS_HOST_FUNCTIONS_H

#include "call_modes.h"

#include <stdio.h>
#include <string.h>

static inline const void *data_of(sn_tensor *t) {
  const void *data = NULL;
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  return data;
}

typedef struct notes {
  char text[256];
  int calls, fail_at;  // fail_at: number of the call that fails, from 1; 0: none
  int cancel_at;       // of the call in which somebody cancels
  sn_status status;
  sn_context *context;  // to be misused
} notes;

static inline int64_t count_of(const sn_view *v) {
  int64_t n = 1;
  for (int d = 0; d < v->shape.rank; d++) n *= v->shape.dims[d];
  return n;
}

static inline sn_status check_call(const sn_host_args *a) {
  notes *n = a->user;
  if (n && n->calls + 1 == n->cancel_at) sn_cancel(n->context);
  if (n && ++n->calls == n->fail_at) {
    snprintf(a->message, a->message_size, "call %d does not want to", n->calls);
    return n->status;
  }
  return SN_OK;
}

// y = x^3
static inline sn_status cube(const sn_host_args *a) {
  const float *x = a->in[0].data;
  float *y = a->out[0].data;
  for (int64_t i = 0; i < count_of(&a->in[0]); i++) y[i] = x[i] * x[i] * x[i];
  return check_call(a);
}
static inline sn_status cube_vjp(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul(sn_mul(sn_square(in[0]), 3), in[2]);
  END;
}
static inline sn_status split(
    const sn_host_args *a) {  // rows [B,3] -> sums [B] f64, largest index [B] i32
  ck_assert_int_eq(a->in[0].shape.rank, 2);
  ck_assert_int_eq(a->in[0].shape.dims[1], 3);
  ck_assert_int_eq(a->out[0].shape.dims[0], a->in[0].shape.dims[0]);
  const float *x = a->in[0].data;
  double *sum = a->out[0].data;
  int32_t *at = a->out[1].data;
  for (int64_t i = 0; i < a->in[0].shape.dims[0]; i++, x += 3) {
    sum[i] = (double)x[0] + x[1] + x[2];
    at[i] = x[0] >= x[1] && x[0] >= x[2] ? 0 : x[1] >= x[2] ? 1 : 2;
  }
  return check_call(a);
}
static inline sn_status split_shapes(const sn_infer_args *a) {
  if (a->in[0].dtype != SN_F32) return SN_ERR_DTYPE;
  if (a->in[0].shape.rank != 2 || a->in[0].shape.dims[1] != 3) {
    snprintf(a->message, a->message_size, "it wants rows of three");
    return SN_ERR_SHAPE;
  }
  a->out[0] = (sn_spec){SN_F64, {.rank = 1, .dims = {a->in[0].shape.dims[0]}}};
  a->out[1] = (sn_spec){SN_I32, {.rank = 1, .dims = {a->in[0].shape.dims[0]}}};
  return SN_OK;
}

static inline sn_status copy(const sn_host_args *a) {
  ck_assert_int_eq(a->in[0].dtype, a->out[0].dtype);
  memcpy(a->out[0].data, a->in[0].data,
         (size_t)count_of(&a->in[0]) * sn_dtype_size(a->in[0].dtype));
  return check_call(a);
}

static inline void refused(sn_context *c, sn_status expected, const char *message) {
  const sn_status status = sn_check(c);
  ck_assert_msg(status == expected && strstr(sn_error_message(c), message), "%s: %s\nnot: %s",
                sn_status_name(status), sn_error_message(c), message);
  ck_assert_msg(strstr(sn_error_message(c), "/test_host_"), "%s", sn_error_message(c));
}

#endif
