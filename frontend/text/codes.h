// Code points in bytes.
#ifndef SINTER_TEXT_CODES_H
#define SINTER_TEXT_CODES_H

#include "frontend/text/calls.h"

enum { SNT_REPLACEMENT = 0xFFFD, SNT_MOST_CODE = 0x10FFFF };

// The code point at byte *at < text.length, which moves behind it; -1: no valid one, *at behind the longest beginning of one.
int32_t snt_decode(sn_encoding encoding, sn_text text, size_t *at);
// Writes code, a valid one; returns its length, at most 4.
size_t snt_encode(sn_encoding encoding, int32_t code, char *to);
static inline bool snt_is_code(int64_t code) {
  return code >= 0 && code <= SNT_MOST_CODE && (code < 0xD800 || code > 0xDFFF);
}
// Of code: at most three, to `to`; how many.
int snt_lower(int32_t code, int32_t *to);
int snt_upper(int32_t code, int32_t *to);
bool snt_is_cased(int32_t code);
bool snt_is_ignorable(int32_t code);
int snt_script(int32_t code);

#endif
