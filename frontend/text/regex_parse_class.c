// The parts of an expression that stand for one character: escapes and classes in brackets.
#include "frontend/text/regex_parse.h"

#include <string.h>

static bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The pattern is UTF-8, as was checked.
static uint32_t next_rune(parser *p) {
  uint32_t rune = 0;
  p->at += snt_rune_decode(p->at, snt_left(p), &rune);
  return rune;
}

static sn_status refuse_escape(parser *p, const char *from) {
  if (p->at < p->end) (void)next_rune(p);
  return snt_refuse_pattern(p, "invalid escape sequence", from, p->at);
}

// Behind "\x": two digits, or any number of them in braces.
static sn_status parse_hex(parser *p, const char *from, uint32_t *rune) {
  uint32_t code = 0;
  int digits = 0;
  const bool braces = snt_peek(p, 0) == '{';
  if (braces) p->at++;
  for (; (braces || digits < 2) && p->at < p->end && hex_value(*p->at) >= 0; p->at++, digits++) {
    code = code * 16 + (uint32_t)hex_value(*p->at);
    if (code > SNT_MAX_RUNE) return refuse_escape(p, from);
  }
  if (digits < (braces ? 1 : 2) || (braces && snt_peek(p, 0) != '}')) return refuse_escape(p, from);
  if (braces) p->at++;
  *rune = code;
  return SN_OK;
}

// Behind a backslash: \0 and one to two digits more, or three; \1 alone would be a reference back.
static sn_status parse_octal(parser *p, const char *from, uint32_t *rune) {
  if (*p->at != '0' && !is_octal(snt_peek(p, 1))) return refuse_escape(p, from);
  uint32_t code = 0;
  for (int digits = 0; digits < 3 && p->at < p->end && is_octal(*p->at); digits++)
    code = code * 8 + (uint32_t)(*p->at++ - '0');
  *rune = code;
  return SN_OK;
}

sn_status snt_parse_escape(parser *p, uint32_t *rune) {
  static const char letters[] = "afnrtv", controls[] = "\a\f\n\r\t\v";
  const char *from = p->at++;
  if (p->at == p->end) return snt_refuse_pattern(p, "a backslash at the end", from, p->end);
  const char c = *p->at;
  if (is_octal(c)) return parse_octal(p, from, rune);
  if (c == 'x') {
    p->at++;
    return parse_hex(p, from, rune);
  }
  const char *letter = c ? strchr(letters, c) : NULL;
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (!letter && (alphanumeric || (uint8_t)c >= 0x80)) return refuse_escape(p, from);
  *rune = letter ? (uint8_t)controls[letter - letters] : (uint8_t)c;
  p->at++;
  return SN_OK;
}

static sn_status add_named(parser *p, snt_group_kind kind, const char *name, size_t length,
                           bool negate, const char *from) {
  bool known;
  sn_status status =
      snt_class_add_group(&p->set, kind, name, length, negate, p->flags & FOLD, &known);
  if (status || known) return status;
  return snt_refuse_pattern(p, "there is no class of characters with the name", from, p->at);
}

// At \p or \P: one letter, or a name in braces, which a ^ negates.
static sn_status parse_unicode(parser *p) {
  const char *from = p->at, *name = from + 2;
  bool negate = from[1] == 'P';
  p->at = name;
  if (p->at == p->end) return snt_refuse_pattern(p, "a class without a name", from, p->at);
  if (*name != '{') {
    (void)next_rune(p);
    return add_named(p, SNT_GROUP_UNICODE, name, (size_t)(p->at - name), negate, from);
  }
  const char *close = memchr(name, '}', (size_t)(p->end - name));
  if (!close) return snt_refuse_pattern(p, "a name of a class without its }", from, p->end);
  p->at = close + 1;
  if (*++name == '^') {
    negate = !negate;
    name++;
  }
  return add_named(p, SNT_GROUP_UNICODE, name, (size_t)(close - name), negate, from);
}

static sn_status add_escaped_group(parser *p, bool *is_class) {
  const char letter = snt_peek(p, 0) == '\\' ? snt_peek(p, 1) : 0;
  *is_class = letter && strchr("pPdDsSwW", letter);
  if (!*is_class) return SN_OK;
  if (letter == 'p' || letter == 'P') return parse_unicode(p);
  const char *from = p->at, lower = (char)(letter | 0x20);
  p->at += 2;
  return add_named(p, SNT_GROUP_PERL, &lower, 1, letter != lower, from);
}

sn_status snt_parse_class_escape(parser *p, bool *is_class) {
  p->set.n = p->set.settled = 0;
  sn_status status = add_escaped_group(p, is_class);
  snt_class_settle(&p->set);
  return status;
}

// At "[:" within brackets: a name, where ":]" follows.
static sn_status add_posix_group(parser *p, bool *is_class) {
  const char *from = p->at, *name = from + 2, *close = name;
  *is_class = false;
  if (snt_left(p) < 3 || from[0] != '[' || from[1] != ':') return SN_OK;
  while (close + 1 < p->end && (close[0] != ':' || close[1] != ']')) close++;
  if (close + 1 >= p->end) return SN_OK;
  *is_class = true;
  const bool negate = *name == '^';
  p->at = close + 2;
  if (negate) name++;
  return add_named(p, SNT_GROUP_POSIX, name, (size_t)(close - name), negate, from);
}

static sn_status parse_member(parser *p, uint32_t *rune) {
  if (*p->at == '\\') return snt_parse_escape(p, rune);
  *rune = next_rune(p);
  return SN_OK;
}

// One character or a range of them; a - before the ] is itself.
static sn_status add_range(parser *p) {
  const char *from = p->at;
  uint32_t first, last;
  sn_status status = parse_member(p, &first);
  if (status) return status;
  last = first;
  if (snt_left(p) >= 2 && p->at[0] == '-' && p->at[1] != ']') {
    p->at++;
    status = parse_member(p, &last);
    if (status) return status;
    if (last < first) return snt_refuse_pattern(p, "a range that falls", from, p->at);
  }
  return snt_class_add(&p->set, first, last, p->flags & FOLD);
}

static sn_status add_item(parser *p) {
  bool is_class;
  sn_status status = add_posix_group(p, &is_class);
  if (!status && !is_class) status = add_escaped_group(p, &is_class);
  if (!status && !is_class) status = add_range(p);
  return status;
}

sn_status snt_parse_class(parser *p) {
  const char *from = p->at++;
  const bool negate = snt_peek(p, 0) == '^' && snt_left(p);
  p->set.n = p->set.settled = 0;
  if (negate) p->at++;
  const char *first = p->at;  // where a ] is itself
  while (p->at < p->end && (*p->at != ']' || p->at == first)) {
    sn_status status = add_item(p);
    if (status) return status;
  }
  if (p->at == p->end) return snt_refuse_pattern(p, "a [ without its ]", from, p->end);
  p->at++;
  if (negate) return snt_class_negate(&p->set);
  snt_class_settle(&p->set);
  return SN_OK;
}
