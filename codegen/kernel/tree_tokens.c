// Words and numbers of a tree's text, for tree_parse.c. Whatever the locale, the decimal point is
// '.', though printf and strtod use the locale's.
#include "codegen/kernel/tree_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { max_number = 64 };  // bytes of a number, with room for a locale's point

// ---- failures
sn_status sni_tree_fail_at(const sni_tree_reader *r, const char *at, const char *format, ...) {
  char detail[1100];
  int line = 1, column = 1;
  for (const char *c = r->text; c < at; c++) {
    column = *c == '\n' ? 1 : column + 1;
    line += *c == '\n';
  }
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof(detail), format, arguments);
  va_end(arguments);
  return sni_fail(r->diag, SN_ERR_SYNTAX, "%d:%d: %s", line, column, detail);
}

// ---- tokens
void sni_tree_skip_space(sni_tree_reader *r) {
  while (r->cursor < r->end) {
    const char c = *r->cursor;
    if (c == '/' && r->end - r->cursor > 1 && r->cursor[1] == '/') {
      const char *stop = memchr(r->cursor, '\n', (size_t)(r->end - r->cursor));
      r->cursor = stop ? stop : r->end;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      r->cursor++;
    } else {
      return;
    }
  }
}

bool sni_tree_next_is(sni_tree_reader *r, char c) {
  sni_tree_skip_space(r);
  return r->cursor < r->end && *r->cursor == c;
}

bool sni_tree_accept(sni_tree_reader *r, char c) {
  const bool is = sni_tree_next_is(r, c);
  r->cursor += is;
  return is;
}

sn_status sni_tree_expect(sni_tree_reader *r, char c) {
  return sni_tree_accept(r, c) ? SN_OK : sni_tree_fail_at(r, r->cursor, "expected '%c'", c);
}

static bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || sni_tree_is_digit(c) || c == '_';
}

// A run of letters, digits and '_'; its length, 0 if there is none.
size_t sni_tree_read_word(sni_tree_reader *r, const char **out_word) {
  sni_tree_skip_space(r);
  *out_word = r->cursor;
  while (r->cursor < r->end && is_name(*r->cursor)) r->cursor++;
  return (size_t)(r->cursor - *out_word);
}

bool sni_tree_word_is(const char *word, size_t length, const char *wanted) {
  return length == strlen(wanted) && !memcmp(word, wanted, length);
}

bool sni_tree_accept_word(sni_tree_reader *r, const char *wanted) {
  const char *word, *before = r->cursor;
  const size_t length = sni_tree_read_word(r, &word);
  const bool is = sni_tree_word_is(word, length, wanted);
  if (!is) r->cursor = before;
  return is;
}

sn_status sni_tree_expect_word(sni_tree_reader *r, const char *wanted) {
  if (sni_tree_accept_word(r, wanted)) return SN_OK;
  sni_tree_skip_space(r);
  return sni_tree_fail_at(r, r->cursor, "expected '%s'", wanted);
}

// Which of `names` the next word is.
sn_status sni_tree_read_choice(sni_tree_reader *r, const char *const *names, int count,
                               const char *what, int *out_choice) {
  const char *word;
  const size_t length = sni_tree_read_word(r, &word);
  for (*out_choice = 0; *out_choice < count; ++*out_choice)
    if (sni_tree_word_is(word, length, names[*out_choice])) return SN_OK;
  return sni_tree_fail_at(r, word, "expected %s", what);
}

// ---- numbers

// Digits from the cursor on.
static sn_status read_digits(sni_tree_reader *r, uint64_t greatest, uint64_t *out_value) {
  const char *begin = r->cursor;
  uint64_t value = 0;
  bool fits = true;
  for (; r->cursor < r->end && sni_tree_is_digit(*r->cursor); r->cursor++)
    fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
           !__builtin_add_overflow(value, (uint64_t)(*r->cursor - '0'), &value);
  if (r->cursor == begin || (r->cursor < r->end && is_name(*r->cursor)))
    return sni_tree_fail_at(r, begin, "expected a number");
  *out_value = value;
  return fits && value <= greatest ? SN_OK : sni_tree_fail_at(r, begin, "the number is too large");
}

sn_status sni_tree_read_u32(sni_tree_reader *r, uint32_t *out_value) {
  uint64_t value = 0;
  sni_tree_skip_space(r);
  SNI_TRY(read_digits(r, UINT32_MAX, &value));
  *out_value = (uint32_t)value;
  return SN_OK;
}

sn_status sni_tree_read_signed(sni_tree_reader *r, bool minus, int64_t *out_value) {
  uint64_t value = 0;
  SNI_TRY(read_digits(r, (uint64_t)INT64_MAX + minus, &value));
  *out_value = (int64_t)(minus ? 0 - value : value);
  return SN_OK;
}

// A letter and the number behind it: b3, i0, %12.
sn_status sni_tree_read_numbered(sni_tree_reader *r, char letter, const char *what,
                                 uint32_t *out_number) {
  if (!sni_tree_next_is(r, letter)) return sni_tree_fail_at(r, r->cursor, "expected %s", what);
  r->cursor++;
  uint64_t value = 0;
  SNI_TRY(read_digits(r, UINT32_MAX - 1, &value));
  *out_number = (uint32_t)value;
  return SN_OK;
}

sn_status sni_tree_read_value(sni_tree_reader *r, uint32_t *out_value) {
  return sni_tree_read_numbered(r, '%', "a value", out_value);
}

// A number or p<number>.
sn_status sni_tree_read_extent(sni_tree_reader *r, sni_extent *out_extent) {
  uint32_t param = 0;
  if (sni_tree_next_is(r, 'p')) {
    SNI_TRY(sni_tree_read_numbered(r, 'p', "a parameter", &param));
    *out_extent = sni_extent_param(param);
    return SN_OK;
  }
  *out_extent = sni_extent_constant(0);
  const bool minus = sni_tree_accept(r, '-');
  return sni_tree_read_signed(r, minus, &out_extent->value);
}

// The locale's decimal point: what stands between the digits of 0.5.
static size_t find_point(char point[max_number]) {
  char text[max_number];
  const int length = snprintf(text, sizeof(text), "%.1f", 0.5);
  const size_t n = length > 2 ? (size_t)length - 2 : 0;
  memcpy(point, text + 1, n);
  return n;
}

static bool read_nan(const char *text, size_t length, double *out_value) {
  uint64_t bits = 0;
  if (length != 20 || memcmp(text, "nan:", 4) != 0) return false;
  for (size_t i = 4; i < length; i++) {
    const char c = text[i];
    if (!sni_tree_is_digit(c) && (c < 'a' || c > 'f')) return false;
    bits = bits << 4 | (uint64_t)(sni_tree_is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  memcpy(out_value, &bits, sizeof(bits));
  return isnan(*out_value);
}

bool sni_tree_parse_float(const char *text, size_t length, double *out_value) {
  char buffer[2 * max_number], point[max_number], *end;
  if (!length || length >= max_number) return false;
  const size_t sign = *text == '-', point_length = find_point(point);
  if (sni_tree_word_is(text + sign, length - sign, "inf"))
    return (*out_value = sign ? -(double)INFINITY : (double)INFINITY, true);
  if (read_nan(text, length, out_value)) return true;
  size_t n = 0;
  int points = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '.' && !points++) {
      memcpy(buffer + n, point, point_length);
      n += point_length;
    } else if (sni_tree_is_digit(text[i]) || text[i] == 'e' || text[i] == '-' || text[i] == '+') {
      buffer[n++] = text[i];
    } else {
      return false;
    }
  }
  buffer[n] = 0;
  *out_value = strtod(buffer, &end);
  return end == buffer + n && isfinite(*out_value);
}

sn_status sni_tree_read_float(sni_tree_reader *r, double *out_value) {
  sni_tree_skip_space(r);
  const char *begin = r->cursor;
  while (r->cursor < r->end && (is_name(*r->cursor) || *r->cursor == '.' || *r->cursor == '-' ||
                                *r->cursor == '+' || *r->cursor == ':'))
    r->cursor++;
  if (sni_tree_parse_float(begin, (size_t)(r->cursor - begin), out_value)) return SN_OK;
  return sni_tree_fail_at(r, begin, "expected a number");
}

sn_status sni_tree_read_dtype(sni_tree_reader *r, sn_dtype *out_dtype) {
  const char *word;
  const size_t length = sni_tree_read_word(r, &word);
  int dtype = 0;
  while (dtype < SN_DTYPE_COUNT && !sni_tree_word_is(word, length, sn_dtype_name((sn_dtype)dtype)))
    dtype++;
  *out_dtype = (sn_dtype)dtype;
  return dtype < SN_DTYPE_COUNT ? SN_OK : sni_tree_fail_at(r, word, "expected a dtype");
}
