// Lengths of strings.
#include <sinter/text.h>

static sn_status infer_i32(const sn_infer_args *args) {
  args->out[0] = args->in[0];
  args->out[0].dtype = SN_I32;
  return SN_OK;
}

static int64_t size_of(const sn_view *view) {
  int64_t n = 1;
  for (int d = 0; d < view->shape.rank; d++) n *= view->shape.dims[d];
  return n;
}

static sn_status count_bytes(const sn_host_args *args) {
  int32_t *out = (int32_t *)args->out[0].data;
  for (int64_t i = 0, n = size_of(args->in); i < n; i++)
    out[i] = (int32_t)sn_view_string(args->in, i).length;
  return SN_OK;
}

static sn_status count_characters(const sn_host_args *args) {
  int32_t *out = (int32_t *)args->out[0].data;
  for (int64_t i = 0, n = size_of(args->in); i < n; i++) {
    const sn_text text = sn_view_string(args->in, i);
    int32_t characters = 0;
    for (size_t k = 0; k < text.length; k++) characters += (text.data[k] & 0xC0) != 0x80;
    out[i] = characters;
  }
  return SN_OK;
}

sn_tensor *(sn_string_length)(sn_tensor *t, sn_text_unit unit) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_length");
  if (!sn_failed(t) && sn_dtype_of(t) != SN_STRING)
    sn_fail(c, SN_ERR_DTYPE, "%s, expected strings", sn_dtype_name(sn_dtype_of(t)));
  if (unit != SN_TEXT_BYTES && unit != SN_TEXT_UTF8)
    sn_fail(c, SN_ERR_ARGUMENT, "unit %d is none", (int)unit);
  sn_tensor *out = NULL;
  (void)sn_host_call(c, unit == SN_TEXT_BYTES ? count_bytes : count_characters, &t, 1, &out, 1,
                     .name = "string_length", .infer = infer_i32, .pure = true);
  return out;
}
