// Lengths of strings.
#include "frontend/text/calls.h"

static sn_status count_bytes(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  int32_t *out = (int32_t *)args->out[0].data;
  for (int64_t i = 0, n = texts.size; i < n; i++) out[i] = (int32_t)snt_stream_next(&texts).length;
  return SN_OK;
}

static sn_status count_characters(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  int32_t *out = (int32_t *)args->out[0].data;
  for (int64_t i = 0, n = texts.size; i < n; i++) {
    const sn_text text = snt_stream_next(&texts);
    int32_t characters = 0;
    for (size_t k = 0; k < text.length; k++) characters += snt_begins(text.data[k]);
    out[i] = characters;
  }
  return SN_OK;
}

sn_tensor *(sn_string_length)(sn_tensor *t, sn_text_unit unit) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_length");
  if (!snt_strings_ok(c, t, "t") || !snt_in_range(c, (int)unit, SN_TEXT_UTF8, "unit"))
    return sn_error_tensor(c);
  return SNT_RUN(c, &t, 1, .name = "string_length",
                 .callback = unit == SN_TEXT_BYTES ? count_bytes : count_characters,
                 .dtype = SN_I32, .shape = snt_shape_of(t));
}
