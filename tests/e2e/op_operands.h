// A call of each op (op_calls.h), on operands [2, 2] of one dtype.
#ifndef SINTER_TESTS_OP_OPERANDS_H
#define SINTER_TESTS_OP_OPERANDS_H

#include <sinter/sinter.h>

#include <check.h>

static sn_context *c;
static sn_tensor *pieces[8], *truth, *places, *labels;

// Operands of another shape than [2, 2], of the same dtype, made before anything is recorded.
static sn_tensor *image(sn_tensor *x) {
  return sn_reshape(x, SN_SHAPE(1, 2, 2, 1));
}
static sn_tensor *kernel(sn_tensor *x) {
  return sn_reshape(x, SN_SHAPE(2, 2, 1, 1));
}
static sn_tensor *row(sn_tensor *x) {
  return sn_slice(x, (sn_range_spec[]){SN_RANGE(0, 1, 1)}, 1);
}
static sn_tensor *line(sn_tensor *x) {
  return sn_index(x, 0, 0);
}
static sn_tensor *three(sn_tensor *x) {
  return sn_concat((sn_tensor *[]){x, sn_slice(x, (sn_range_spec[]){SN_ALL, SN_RANGE(0, 1, 1)}, 2)},
                   2, 1);
}

#define CALL(name, expression)                          \
  static sn_tensor *call_##name(sn_tensor *const *in) { \
    return expression;                                  \
  }
#include "op_calls.h"
#undef CALL
static const struct {
  const char *name;
  sn_tensor *(*call)(sn_tensor *const *in);
} calls[] = {
#define CALL(name, expression) {#name, call_##name},
#include "op_calls.h"
#undef CALL
};
enum { n_calls = sizeof(calls) / sizeof(*calls) };

static void make_operands(sn_dtype dtype, sn_tensor **in) {
  truth = sn_constant(c, SN_BOOL, SN_SHAPE(2, 2), (uint8_t[]){1, 0, 0, 1});
  places = sn_constant(c, SN_I32, SN_SHAPE(1), (int32_t[]){0});
  labels = sn_constant(c, SN_I32, SN_SHAPE(2), (int32_t[]){0, 1});
  for (int k = 0; k < 5; k++)
    in[k] =
        sn_cast(sn_constant(c, SN_F32, SN_SHAPE(2, 2), (float[]){1, 0.5f, 0.25f, 0.75f}), dtype);
  ck_assert_int_eq(sn_pending_error(c), SN_OK);
}

#endif
