// Cumulations: each is one row of the table.
#include "frontend/ops/compose.h"

#include <string.h>

static sn_tensor *cumulate(const char *name, sni_op op, sn_tensor *x, int axis,
                           const sn_cumulate_options *options) {
  sn_cumulate_options o = {0};
  SNI_BEGIN(c, name, x);
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes)) return &c->error_tensor;
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  const sni_dim attrs[] = {axis, o.exclusive, o.reverse};
  return sni_emit(c, op, &x, 1, attrs, SNI_COUNT_OF(attrs), NULL);
}

sn_tensor *sn_cumsum_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cumsum", SNI_OP_CUMSUM, x, axis, options);
}

sn_tensor *sn_cumprod_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cumprod", SNI_OP_CUMPROD, x, axis, options);
}

sn_tensor *sn_cummax_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cummax", SNI_OP_CUMMAX, x, axis, options);
}

sn_tensor *sn_cummin_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cummin", SNI_OP_CUMMIN, x, axis, options);
}
