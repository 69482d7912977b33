// Numbers at equal distances.
#include "frontend/ops/compose.h"
#include "runtime/float_modes.h"

#include <math.h>

// start + i step in f64; the last one is stop itself, which rounding might miss.
sn_tensor *(sn_linspace)(sn_context *context, sn_dtype dtype, double start, double stop, int64_t n,
                         bool endpoint) {
  SNI_ENTER(context, "sn_linspace", sni_refused(context, context_refused));
  sni_type type;
  const sn_shape shape = {1, {n}};
  if (n < 0) return sni_error(context, SN_ERR_ARGUMENT, "sn_linspace: %lld numbers", (long long)n);
  if (!sni_shape_type(context, dtype, &shape, &type)) return &context->error_tensor;
  if (!sni_is_float(dtype))
    return sni_error(context, SN_ERR_DTYPE, "sn_linspace: %s numbers, expected a float",
                     sn_dtype_name(dtype));
  if (!isfinite(start) || !isfinite(stop))
    return sni_error(context, SN_ERR_ARGUMENT,
                     "sn_linspace: from %g to %g, expected finite numbers", start, stop);
  const uint32_t first = context->n_live;
  const int64_t steps = endpoint ? n - 1 : n;
  const unsigned host = sni_enter_float_modes();
  double step = steps > 0 ? (stop - start) / (double)steps : 0;
  SNI_PIN_FLOAT(step);
  sni_leave_float_modes(host);
  type.dtype = SN_F64;
  sn_tensor *i = sni_iota(context, &type, 0);
  sn_tensor *y =
      sni_with_number(context, SNI_OP_ADD, sni_with_number(context, SNI_OP_MUL, i, step), start);
  if (endpoint && n > 1) {
    sn_tensor *last =
        sni_binary(context, SNI_OP_EQ, i, sni_number(context, SN_F64, (double)(n - 1)));
    y = sni_select(context, last, sni_number(context, SN_F64, stop), y);
  }
  return sni_keep_only(context, first, dtype == SN_F64 ? y : sni_convert(context, y, dtype));
}
