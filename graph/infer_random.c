// The type rules of random numbers: a state, and a result whose type is declared.
#include "graph/infer.h"

enum { algorithms = 3 };

static sn_status check_flag(const sni_inference *in, int i, const char *what, int64_t most) {
  int64_t value;
  if (sni_dim_is_constant(in->dims, in->attrs[i], &value) && value >= 0 && value <= most)
    return SN_OK;
  return sni_infer_fail(in, SN_ERR_ARGUMENT, "%s: expected a number from 0 to %lld", what,
                        (long long)most);
}

// State and attributes are as they should be, and the result has one of these dtypes.
static sn_status check_draw(const sni_inference *in, uint32_t dtypes, const char *expected,
                            sni_type *out_type) {
  const sni_type *state = in->operands[0];
  if (state->dtype != SN_I64 || state->rank != 1 || !sni_infer_agree(in, state->dims[0], 3))
    return sni_infer_fail(in, state->dtype != SN_I64 ? SN_ERR_DTYPE : SN_ERR_SHAPE,
                          "operand #0: expected i64[3]");
  SNI_TRY(check_flag(in, 0, "algorithm", algorithms - 1));
  if (in->n_attrs > 1) SNI_TRY(check_flag(in, 1, "logarithm", 1));
  if (!in->declared) return sni_infer_fail(in, SN_ERR_ARGUMENT, "the result's type must be given");
  if (!(dtypes >> in->declared->dtype & 1))
    return sni_infer_fail(in, SN_ERR_DTYPE, "result: expected %s, given %s", expected,
                          sn_dtype_name(in->declared->dtype));
  *out_type = *in->declared;
  return SN_OK;
}

sn_status sni_infer_random_words(const sni_inference *in, sni_type *out_type) {
  return check_draw(in, 1u << SN_I32 | 1u << SN_I64, "i32 or i64", out_type);
}

sn_status sni_infer_random_f32(const sni_inference *in, sni_type *out_type) {
  return check_draw(in, 1u << SN_F32, "f32", out_type);
}

sn_status sni_infer_random_float(const sni_inference *in, sni_type *out_type) {
  return check_draw(in, 1u << SN_F32 | 1u << SN_F64, "f32 or f64", out_type);
}

sn_status sni_infer_random_order(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_draw(in, 1u << SN_I32, "i32", out_type));
  int64_t n;
  if (out_type->rank != 1) return sni_infer_fail(in, SN_ERR_SHAPE, "result: expected rank 1");
  if (!sni_dim_is_constant(in->dims, out_type->dims[0], &n) || n <= INT32_MAX) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "%lld places, allowed are %d", (long long)n, INT32_MAX);
}

sn_status sni_infer_random_integers(const sni_inference *in, sni_type *out_type) {
  const sni_type *range = in->operands[1];
  SNI_TRY(check_draw(in, 1u << SN_I64, "i64", out_type));
  if (range->dtype == SN_I64 && range->rank == 0) return SN_OK;
  return sni_infer_fail(in, range->dtype != SN_I64 ? SN_ERR_DTYPE : SN_ERR_SHAPE,
                        "operand #1: expected i64[]");
}

sn_status sni_infer_random_sample(const sni_inference *in, sni_type *out_type) {
  const sni_type *b = in->operands[1];
  SNI_TRY(check_draw(in, 1u << SN_F32 | 1u << SN_F64, "f32 or f64", out_type));
  if (b->dtype != out_type->dtype)
    return sni_infer_fail(in, SN_ERR_DTYPE, "operand #1: expected %s as the result",
                          sn_dtype_name(out_type->dtype));
  bool agree = b->rank == out_type->rank;
  for (int k = 0; agree && k < b->rank; k++)
    agree = sni_infer_agree(in, b->dims[k], out_type->dims[k]);
  return agree ? SN_OK
               : sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: expected the result's shape");
}
