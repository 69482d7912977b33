// Bytes as text and as numbers: base64, decode_raw.
#include "frontend/text/calls.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// ---- encode
static uint32_t three_bytes(sn_text text, size_t at) {
  uint32_t bits = 0;
  for (size_t k = 0; k < 3; k++)
    bits = bits << 8 | (at + k < text.length ? (unsigned char)text.data[at + k] : 0);
  return bits;
}

static sn_status fill_encoded(const sn_host_args *args) {
  const bool pad = snt_number(args, 0) != 0;
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) {
    const sn_text text = sn_view_string(args->in, i);
    const size_t groups = text.length / 3 + (text.length % 3 != 0);
    const size_t used = text.length / 3 * 4 + (text.length % 3 ? text.length % 3 + 1 : 0);
    char *to = sn_host_new_string(args, 0, i, pad ? 4 * groups : used);
    if (!to) return SN_ERR_MEMORY;
    for (size_t k = 0; k < (pad ? 4 * groups : used); k++)
      to[k] = k < used ? alphabet[three_bytes(text, k / 4 * 3) >> (18 - 6 * (k % 4)) & 63] : '=';
  }
  return SN_OK;
}

sn_tensor *(sn_encode_base64)(sn_tensor *t, bool pad) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_encode_base64");
  if (!snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  return SNT_RUN(c, &t, 1, .name = "encode_base64", .callback = fill_encoded, .dtype = SN_STRING,
                 .shape = snt_shape_of(t), .numbers = {pad});
}

// ---- decode
static int value_of(char b) {
  if (b >= 'A' && b <= 'Z') return b - 'A';
  if (b >= 'a' && b <= 'z') return b - 'a' + 26;
  if (b >= '0' && b <= '9') return b - '0' + 52;
  return b == '-' ? 62 : b == '_' ? 63 : -1;
}

// Without '=' at the end of a whole number of groups; false: no base64.
static bool plain(sn_text *text) {
  if (text->length % 4 == 0)
    for (int k = 0; k < 2 && text->length && text->data[text->length - 1] == '='; k++)
      text->length--;
  for (size_t k = 0; k < text->length; k++)
    if (value_of(text->data[k]) < 0) return false;
  return text->length % 4 != 1;
}

static sn_status fill_decoded(const sn_host_args *args) {
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) {
    sn_text text = sn_view_string(args->in, i);
    if (!plain(&text))
      return snt_refuse_element(args, SN_ERR_ARGUMENT, args->in, i, "is no base64");
    const size_t length = text.length / 4 * 3 + (text.length % 4 ? text.length % 4 - 1 : 0);
    char *to = sn_host_new_string(args, 0, i, length);
    if (!to) return SN_ERR_MEMORY;
    uint32_t bits = 0;
    size_t written = 0;
    for (size_t k = 0; k < text.length; k++) {
      bits = bits << 6 | (uint32_t)value_of(text.data[k]);
      if (k % 4) to[written++] = (char)(bits >> (6 - 2 * (k % 4)) & 0xFF);
    }
  }
  return SN_OK;
}

sn_tensor *(sn_decode_base64)(sn_tensor *t) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_decode_base64");
  if (!snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  return SNT_RUN(c, &t, 1, .name = "decode_base64", .callback = fill_decoded, .dtype = SN_STRING,
                 .shape = snt_shape_of(t));
}

// ---- decode_raw: the number of items of each string, then their bytes
static sn_status count_raw(const sn_host_args *args) {
  const size_t size = (size_t)snt_number(args, 0), length = snt_scalar(args->in).length;
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) {
    const size_t one = sn_view_string(args->in, i).length;
    if (one != length || one % size)
      return snt_refuse_element(args, SN_ERR_ARGUMENT, args->in, i,
                                "has %zu bytes, the first %zu; numbers have %zu", one, length,
                                size);
  }
  *(int64_t *)args->out[0].data = (int64_t)(length / size);
  return SN_OK;
}

// size: of what is turned around.
static void copy_items(char *to, sn_text text, size_t size, bool turned) {
  for (size_t k = 0; k < text.length; k++)
    to[turned ? k / size * size + size - 1 - k % size : k] = text.data[k];
}

static sn_status fill_raw(const sn_host_args *args) {
  const size_t size = (size_t)snt_number(args, 0);
  const bool turned = snt_number(args, 1) != 0;
  char *to = args->out[0].data;
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) {
    const sn_text text = sn_view_string(args->in, i);
    copy_items(to, text, size, turned);
    if (args->out[0].dtype == SN_BOOL)
      for (size_t k = 0; k < text.length; k++) to[k] = to[k] != 0;
    to += text.length;
  }
  return SN_OK;
}

sn_tensor *(sn_decode_raw)(sn_tensor *t, sn_dtype dtype, bool big_endian) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_decode_raw");
  SN_SCOPE(c);
  if (!snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  if ((int)dtype < 0 || (int)dtype >= SN_DTYPE_COUNT || sn_rank(t) == SN_MAX_RANK) {
    sn_fail(c, SN_ERR_DTYPE, "dtype %s, expected one of numbers; t of fewer dims than %d",
            sn_dtype_name(dtype), SN_MAX_RANK);
    return sn_error_tensor(c);
  }
  const bool is_complex = dtype == SN_C64 || dtype == SN_C128;
  const int64_t bytes = (int64_t)sn_dtype_size(dtype);
  const int64_t items =
      sn_late_dim(SNT_RUN(c, &t, 1, .name = "decode_raw_size", .callback = count_raw,
                          .dtype = SN_I64, .numbers = {bytes}));
  sn_shape shape = snt_shape_of(t);
  shape.dims[shape.rank++] = items;
  return sn_escape(SNT_RUN(c, &t, 1, .name = "decode_raw", .callback = fill_raw, .dtype = dtype,
                           .shape = shape,
                           .numbers = {is_complex ? bytes / 2 : bytes, big_endian}));
}
