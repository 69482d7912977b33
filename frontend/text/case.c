// Lower and upper case: of ASCII letters, or by Unicode's full mapping (Unicode 15.0, 3.13, 5.18) without a language.
#include "frontend/text/codes.h"

enum { UPPER = 0 };  // a call's own number

// Eight bytes at once: bit 7 of each byte of `is` says whether it is a letter in [first, first + 26), of which bit 5 is turned.
static uint64_t turn_eight(uint64_t x, unsigned char first) {
  const uint64_t ones = 0x0101010101010101, low = x & 0x7F * ones;
  const uint64_t not_below = low + (uint64_t)(0x80 - first) * ones;
  const uint64_t above = low + (uint64_t)(0x80 - first - 26) * ones;
  const uint64_t is = (not_below ^ above) & ~x & 0x80 * ones;
  return x ^ is >> 2;
}

// The last word may lie over the one before.
static void turn_letters(sn_text text, unsigned char first, char *to) {
  const size_t n = text.length;
  if (n >= 8) {
    for (size_t k = 0; k + 8 < n; k += 8)
      snt_store(to + k, turn_eight(snt_load(text.data + k), first));
    snt_store(to + n - 8, turn_eight(snt_load(text.data + n - 8), first));
  } else if (n >= 4) {
    const uint32_t begin = snt_load_half(text.data), end = snt_load_half(text.data + n - 4);
    snt_store_half(to, (uint32_t)turn_eight(begin, first));
    snt_store_half(to + n - 4, (uint32_t)turn_eight(end, first));
  } else {
    for (size_t k = 0; k < n; k++) to[k] = (char)turn_eight((unsigned char)text.data[k], first);
  }
}

static sn_status fill_ascii(const sn_host_args *args) {
  snt_stream texts;
  const unsigned char first = snt_number(args, UPPER) ? 'a' : 'A';
  for (snt_stream_begin(&texts, args->in); snt_stream_block(&texts);) {
    size_t lengths[SNT_BLOCK];
    char *to[SNT_BLOCK];
    for (int64_t i = 0; i < texts.n; i++) lengths[i] = texts.texts[i].length;
    if (!sn_host_new_strings(args, 0, texts.first - texts.n, texts.n, lengths, to))
      return SN_ERR_MEMORY;
    for (int64_t i = 0; i < texts.n; i++) turn_letters(texts.texts[i], first, to[i]);
  }
  return SN_OK;
}

// ---- the sigma at the end of a word: a cased letter before it, none behind it, where ignorable ones do not count
static bool cased_before(sn_text text, size_t at) {
  while (at > 0) {
    size_t begin = at - 1;
    while (begin > 0 && !snt_begins(text.data[begin]) && at - begin < 4) begin--;
    size_t end = begin;
    const int32_t code = snt_decode(SN_UTF8, text, &end);
    if (code < 0 || !snt_is_ignorable(code)) return code >= 0 && snt_is_cased(code);
    at = begin;
  }
  return false;
}

static bool cased_behind(sn_text text, size_t at) {
  while (at < text.length) {
    const int32_t code = snt_decode(SN_UTF8, text, &at);
    if (code < 0 || !snt_is_ignorable(code)) return code >= 0 && snt_is_cased(code);
  }
  return false;
}

static int32_t lower_sigma(sn_text text, size_t begin, size_t end) {
  return cased_before(text, begin) && !cased_behind(text, end) ? 0x3C2 : 0x3C3;
}

static void map_one(snt_buffer *b, sn_text text, size_t *at, bool upper) {
  enum { SIGMA = 0x3A3 };
  int32_t to[3];
  const size_t begin = *at;
  const int32_t found = snt_decode(SN_UTF8, text, at);
  const int32_t code = found < 0 ? SNT_REPLACEMENT : found;
  const int n = upper ? snt_upper(code, to) : snt_lower(code, to);
  if (!upper && code == SIGMA) to[0] = lower_sigma(text, begin, *at);
  char *bytes = snt_buffer_room(b, 12);
  for (int k = 0; bytes && k < n; k++) b->length += snt_encode(SN_UTF8, to[k], b->data + b->length);
}

static sn_status fill_unicode(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  const bool upper = snt_number(args, UPPER) != 0;
  snt_buffer b = {NULL, 0, 0, false};
  sn_status status = SN_OK;
  for (int64_t i = 0, n = texts.size; i < n && status == SN_OK; i++) {
    const sn_text text = snt_stream_next(&texts);
    for (size_t at = 0; at < text.length;) map_one(&b, text, &at, upper);
    status = snt_buffer_flush(&b, args, i);
  }
  snt_buffer_end(&b);
  return status;
}

static sn_tensor *mapped(sn_context *c, sn_tensor *t, sn_text_unit unit, bool upper) {
  if (!snt_strings_ok(c, t, "t") || !snt_in_range(c, (int)unit, SN_TEXT_UTF8, "unit"))
    return sn_error_tensor(c);
  return SNT_RUN(c, &t, 1, .name = upper ? "string_upper" : "string_lower",
                 .callback = unit == SN_TEXT_UTF8 ? fill_unicode : fill_ascii, .dtype = SN_STRING,
                 .shape = snt_shape_of(t), .numbers = {upper});
}

sn_tensor *(sn_string_lower)(sn_tensor *t, sn_text_unit unit) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_lower");
  return mapped(c, t, unit, false);
}

sn_tensor *(sn_string_upper)(sn_tensor *t, sn_text_unit unit) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_upper");
  return mapped(c, t, unit, true);
}
