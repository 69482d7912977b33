// Lengths of strings.
#include "frontend/text/calls.h"

static sn_status count_bytes(const sn_host_args *args) {
  enum { block = 256 };
  int32_t *out = (int32_t *)args->out[0].data;
  size_t lengths[block];
  for (int64_t first = 0, size = snt_size(args->in); first < size; first += block) {
    const int64_t n = size - first < block ? size - first : block;
    sn_view_lengths(args->in, first, n, lengths);
    for (int64_t i = 0; i < n; i++) out[first + i] = (int32_t)lengths[i];
  }
  return SN_OK;
}

// Bytes that begin a character: all but those of bits 10......
static int32_t characters_of(sn_text text) {
  const uint64_t ones = 0x0101010101010101;
  size_t inside = 0, k = 0;
  for (; k + 8 <= text.length; k += 8) {
    const uint64_t w = snt_load(text.data + k);
    inside += (w >> 7 & ~w >> 6 & ones) * ones >> 56;
  }
  for (; k < text.length; k++) inside += !snt_begins(text.data[k]);
  return (int32_t)(text.length - inside);
}

static sn_status count_characters(const sn_host_args *args) {
  snt_stream texts;
  int32_t *out = (int32_t *)args->out[0].data;
  for (snt_stream_begin(&texts, args->in); snt_stream_block(&texts); out += texts.n)
    for (int64_t i = 0; i < texts.n; i++) out[i] = characters_of(texts.texts[i]);
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
