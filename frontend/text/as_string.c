// Numbers as strings.
#include "frontend/text/write_number.h"

enum { PRECISION, WIDTH, FILL, STYLE };  // a call's own numbers

static snt_style style_of(const sn_host_args *args) {
  const int style = (int)snt_number(args, STYLE);
  return (snt_style){(int)snt_number(args, PRECISION), (int)snt_number(args, WIDTH),
                     (char)snt_number(args, FILL), style ? (char)style : 'f'};
}

static sn_status fill_numbers(const sn_host_args *args) {
  const snt_style style = style_of(args);
  snt_buffer b = {NULL, 0, 0, false};
  const locale_t before = snt_c_locale();
  if (!before) return SN_ERR_MEMORY;
  sn_status status = SN_OK;
  for (int64_t i = 0, n = snt_size(args->in); i < n && status == SN_OK; i++) {
    snt_write_number(&b, args->in, i, &style);
    status = snt_buffer_flush(&b, args, i);
  }
  snt_restore_locale(before);
  snt_buffer_end(&b);
  return status;
}

static bool is_real(sn_dtype dtype) {
  return dtype == SN_F16 || dtype == SN_BF16 || dtype == SN_F32 || dtype == SN_F64 ||
         dtype == SN_C64 || dtype == SN_C128;
}

static bool options_ok(sn_context *c, sn_dtype dtype, const sn_as_string_options *o) {
  const char *what = NULL;
  if (o->scientific && o->shortest) what = "scientific and shortest: one of them";
  if (!is_real(dtype) && (o->precision || o->scientific || o->shortest))
    what = "precision, scientific and shortest are for real numbers";
  if (o->precision < -1 || o->precision > 64) what = "precision out of [-1, 64]";
  if (o->width < 0 || o->width > 1024) what = "width out of [0, 1024]";
  if (o->fill && !strchr(" 0+-", o->fill)) what = "fill is none of ' ', '0', '+', '-'";
  if (what) sn_fail(c, SN_ERR_ARGUMENT, "%s: %s", sn_dtype_name(dtype), what);
  return !what;
}

sn_tensor *(sn_as_string_opts)(sn_tensor *x, const sn_as_string_options *options) {
  sn_context *c = sn_context_of(x);
  SN_FRAME(c, "sn_as_string");
  if (!options) sn_fail(c, SN_ERR_ARGUMENT, "options is NULL");
  if (!options || sn_failed(x)) return sn_error_tensor(c);
  const sn_dtype dtype = sn_dtype_of(x);
  if (dtype == SN_STRING) return sn_reshape(x, snt_shape_of(x));
  if (!options_ok(c, dtype, options)) return sn_error_tensor(c);
  const int style = options->scientific ? 'e' : options->shortest ? 'g' : 'f';
  const int precision = options->precision == 0  ? 6
                        : options->precision < 0 ? 0
                                                 : options->precision;
  return SNT_RUN(c, &x, 1, .name = "as_string", .callback = fill_numbers, .dtype = SN_STRING,
                 .shape = snt_shape_of(x),
                 .numbers = {precision, options->width, options->fill, style});
}
