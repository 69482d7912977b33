// Inference of convolutions: x [B.., N, I.., C], w [B.., K.., C, F], y [B.., N, O.., F], of which two are
// given and the third is the result. Any sizes of I, K and O go together, since x is 0 outside.
#include "graph/infer.h"

// Places of dims, as seen from the end of a side: F or C is 0, and so on.
typedef struct channel {
  int operand, from_end;
} channel;

static sn_status check_numbers(const sni_inference *in, int spatial) {
  static const char *const names[2] = {"stride", "dilation"};
  int64_t value;
  for (int i = 0; i < 2 * spatial; i++) {
    const char *name = names[i / spatial];
    if (!sni_dim_is_constant(in->dims, in->attrs[i], &value))
      return sni_infer_fail(in, SN_ERR_SHAPE, "%s must be a constant", name);
    if (value < 1 || value > INT32_MAX)
      return sni_infer_fail(in, SN_ERR_ARGUMENT, "%s %lld is not in [1, 2^31)", name,
                            (long long)value);
  }
  for (int i = 2 * spatial; i < 3 * spatial; i++)
    if (sni_dim_is_constant(in->dims, in->attrs[i], &value) &&
        (value < -INT32_MAX || value > INT32_MAX))
      return sni_infer_fail(in, SN_ERR_ARGUMENT, "start %lld is not in (-2^31, 2^31)",
                            (long long)value);
  return SN_OK;
}

static sn_status check_agree(const sni_inference *in, const char *what, channel a, channel b) {
  const sni_type *first = in->operands[a.operand], *second = in->operands[b.operand];
  const sni_dim x = first->dims[first->rank - 1 - a.from_end],
                y = second->dims[second->rank - 1 - b.from_end];
  if (sni_infer_agree(in, x, y)) return SN_OK;
  char text_x[100], text_y[100];
  sni_dim_format(in->dims, x, text_x, sizeof(text_x));
  sni_dim_format(in->dims, y, text_y, sizeof(text_y));
  return sni_infer_fail(in, SN_ERR_SHAPE, "%s differ: operand #%d has %s, operand #%d has %s", what,
                        a.operand, text_x, b.operand, text_y);
}

sn_status sni_infer_conv(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0], *b = in->operands[1];
  const int spatial = in->n_attrs / 4, rank = a->rank, batch = rank - 2 - spatial;
  sn_dtype dtype;
  SNI_TRY(sni_infer_product_dtype(in, &dtype));
  if (spatial < 1 || spatial > SNI_SPATIAL_MAX)
    return sni_infer_fail(in, SN_ERR_SHAPE, "%d spatial dims, allowed are 1 to %d", spatial,
                          SNI_SPATIAL_MAX);
  SNI_TRY(check_numbers(in, spatial));
  if (batch < 0 || b->rank != rank)
    return sni_infer_fail(in, SN_ERR_SHAPE,
                          "expected operands of one rank, at least %d with %d spatial dims, given "
                          "%d and %d",
                          spatial + 2, spatial, rank, b->rank);
  for (int i = 0; i < batch; i++)
    if (!sni_infer_agree(in, a->dims[i], b->dims[i]))
      return sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: batch dim %d differs from operand #0's",
                            i);
  const sni_dim *size = in->attrs + 3 * spatial;
  *out_type = *a;
  out_type->dtype = dtype;
  if (in->op == SNI_OP_CONV_KERNEL) {
    SNI_TRY(check_agree(in, "the numbers of examples", (channel){0, spatial + 1},
                        (channel){1, spatial + 1}));
    for (int i = 0; i < spatial; i++) out_type->dims[batch + i] = size[i];
    out_type->dims[rank - 2] = a->dims[rank - 1];
    out_type->dims[rank - 1] = b->dims[rank - 1];
  } else {
    const bool output = in->op == SNI_OP_CONV;
    SNI_TRY(check_agree(in, "channels", (channel){0, 0}, (channel){1, output}));
    for (int i = 0; i < spatial; i++) out_type->dims[batch + 1 + i] = size[i];
    out_type->dims[rank - 1] = b->dims[rank - 1 - !output];
  }
  if (in->unify && sni_is_inexact(a->dtype)) {  // those of one channel are summed in another order
    sni_dim_settle(in->dims, a->dims[rank - 1]);
    sni_dim_settle(in->dims, b->dims[rank - 1]);
    sni_dim_settle(in->dims, out_type->dims[rank - 1]);
  }
  return SN_OK;
}
