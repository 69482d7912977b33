// Code points in bytes, and what Unicode says of them.
#include "frontend/text/codes.h"

// ---- UTF-8: table 3-7 of Unicode: what may follow the first byte
static int length_of(unsigned char lead, unsigned char *low, unsigned char *high) {
  *low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  *high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static int32_t decode_utf8(sn_text text, size_t *at) {
  unsigned char low, high;
  const unsigned char lead = (unsigned char)text.data[(*at)++];
  const int length = length_of(lead, &low, &high);
  if (length < 2) return length ? lead : -1;
  int32_t code = lead & (0x7F >> length);
  for (int k = 1; k < length; k++, low = 0x80, high = 0xBF) {
    const unsigned char byte = *at < text.length ? (unsigned char)text.data[*at] : 0;
    if (byte < low || byte > high) return -1;
    code = code << 6 | (byte & 0x3F);
    ++*at;
  }
  return code;
}

// ---- UTF-16 and UTF-32
static int32_t unit(sn_text text, size_t at) {
  return (unsigned char)text.data[at] << 8 | (unsigned char)text.data[at + 1];
}

static int32_t decode_utf16(sn_text text, size_t *at) {
  if (text.length - *at < 2) {
    *at = text.length;
    return -1;
  }
  const int32_t first = unit(text, *at);
  *at += 2;
  if (first < 0xD800 || first > 0xDFFF) return first;
  if (first > 0xDBFF) return -1;
  if (text.length - *at < 2) {  // cut short: half a unit belongs to it
    *at = text.length;
    return -1;
  }
  const int32_t second = unit(text, *at);
  if (second < 0xDC00 || second > 0xDFFF) return -1;
  *at += 2;
  return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

static int32_t decode_utf32(sn_text text, size_t *at) {
  if (text.length - *at < 4) {
    *at = text.length;
    return -1;
  }
  const int64_t code = (int64_t)unit(text, *at) << 16 | unit(text, *at + 2);
  *at += 4;
  return snt_is_code(code) ? (int32_t)code : -1;
}

int32_t snt_decode(sn_encoding encoding, sn_text text, size_t *at) {
  if (encoding == SN_UTF8) return decode_utf8(text, at);
  return encoding == SN_UTF16_BE ? decode_utf16(text, at) : decode_utf32(text, at);
}

static size_t encode_utf8(int32_t code, char *to) {
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  const int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (int k = length - 1; k > 0; k--, code >>= 6) to[k] = (char)(0x80 | (code & 0x3F));
  to[0] = (char)(0xF00 >> length | code);
  return (size_t)length;
}

static size_t put_unit(char *to, int32_t value) {
  to[0] = (char)(value >> 8);
  to[1] = (char)(value & 0xFF);
  return 2;
}

size_t snt_encode(sn_encoding encoding, int32_t code, char *to) {
  if (encoding == SN_UTF8) return encode_utf8(code, to);
  if (encoding == SN_UTF32_BE) return put_unit(to, code >> 16) + put_unit(to + 2, code & 0xFFFF);
  if (code < 0x10000) return put_unit(to, code);
  code -= 0x10000;
  return put_unit(to, 0xD800 | code >> 10) + put_unit(to + 2, 0xDC00 | (code & 0x3FF));
}

// ---- tables, sorted
typedef struct simple_case {
  int32_t code, to;
} simple_case;
typedef struct full_case {
  int32_t code, to[3];
} full_case;
typedef struct code_range {
  int32_t first, last;
} code_range;
typedef struct script_range {
  int32_t first, last, script;
} script_range;
#include "frontend/text/unicode_tables.inc"

// The last entry of n of this size whose first word is at most code; NULL: none.
static const void *entry_of(const void *table, size_t n, size_t size, int32_t code) {
  const char *entries = table;
  size_t low = 0, high = n;  // entries before low are at most code, those from high on above
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    int32_t first;
    memcpy(&first, entries + middle * size, sizeof(first));
    if (first <= code)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? entries + (low - 1) * size : NULL;
}
#define ENTRY(table, code) entry_of(table, sizeof(table) / sizeof(*(table)), sizeof(*(table)), code)

static int mapped(const simple_case *one, const full_case *several, int32_t code, int32_t *to) {
  to[0] = one && one->code == code ? one->to : code;
  if (!several || several->code != code) return 1;
  memcpy(to, several->to, sizeof(several->to));
  return to[2] ? 3 : 2;
}

int snt_lower(int32_t code, int32_t *to) {
  return mapped(ENTRY(lower_simple, code), ENTRY(lower_full, code), code, to);
}

int snt_upper(int32_t code, int32_t *to) {
  return mapped(ENTRY(upper_simple, code), ENTRY(upper_full, code), code, to);
}

bool snt_is_cased(int32_t code) {
  const code_range *range = ENTRY(cased, code);
  return range && code <= range->last;
}

bool snt_is_ignorable(int32_t code) {
  const code_range *range = ENTRY(ignorable, code);
  return range && code <= range->last;
}

int snt_script(int32_t code) {
  enum { UNKNOWN = 103 };
  const script_range *range = ENTRY(scripts, code);
  if (code < 0 || code > SNT_MOST_CODE) return -1;
  return range && code <= range->last ? range->script : UNKNOWN;
}
