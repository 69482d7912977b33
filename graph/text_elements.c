// Elements of constants as text and back, exactly.
//
// Invariant: every value but a NaN's payload survives printing and parsing, whatever the host's
// locale: the decimal point is '.', though printf and strtod use the locale's.
#include "graph/text.h"
#include "runtime/float_modes.h"
#include "runtime/scalar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  max_number = 64,                   // bytes of a number, with room for a locale's point
  max_element = 2 * max_number + 4,  // two of them and "+j"
};

// ---- numbers
static bool is_one_of(char c, const char *set) {
  return c && strchr(set, c);
}

// The locale's decimal point: what stands between the digits of 0.5.
static size_t find_point(char point[max_number]) {
  char text[max_number];
  int length = snprintf(text, sizeof(text), "%.1f", 0.5);
  size_t n = length > 2 ? (size_t)length - 2 : 0;
  memcpy(point, text + 1, n);
  return n;
}

// false when text is not a number of the form [-]digits[.digits][e[+-]digits], inf, -inf or nan, or
// does not fit.
static bool read_float(const char *text, size_t length, sn_dtype dtype, double *out_value) {
  char buffer[3 * max_number], point[max_number], *end;
  if (!length || length >= max_number) return false;
  size_t sign = *text == '-', n = 0, point_length = find_point(point);
  if (length == 3 + sign && !memcmp(text + sign, "inf", 3))
    return (*out_value = sign ? -(double)INFINITY : (double)INFINITY, true);
  if (length == 3 && !memcmp(text, "nan", 3)) return (*out_value = (double)NAN, true);
  int points = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '.') {
      if (points++) return false;
      memcpy(buffer + n, point, point_length);
      n += point_length;
    } else if (is_one_of(text[i], "0123456789eE+-")) {
      buffer[n++] = text[i];
    } else {
      return false;
    }
  }
  buffer[n] = 0;
  *out_value =
      dtype == SN_F32 ? (double)strtof(buffer, &end) : sni_scalar_of(dtype, strtod(buffer, &end)).f;
  return end == buffer + n && isfinite(*out_value);
}

// An integer of the dtype; of u64 the bits.
static bool read_integer(const char *text, size_t length, sn_dtype dtype, int64_t *out_value) {
  const bool minus = length && *text == '-';
  uint64_t value = 0;
  if (length == minus) return false;
  for (size_t i = minus; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
      return false;
  }
  *out_value = (int64_t)(minus ? 0 - value : value);
  const uint64_t most =
      minus ? 0 - (uint64_t)sni_integer_least(dtype) : (uint64_t)sni_integer_greatest(dtype);
  return value <= most;
}

// The shorter of two precisions that gives the same value again.
static void write_float(double value, sn_dtype dtype, char buffer[max_number]) {
  if (isnan(value) || isinf(value)) {
    snprintf(buffer, max_number, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    return;
  }
  // C's FLT_DIG and FLT_DECIMAL_DIG of the format
  const int digits = sni_dtype_infos[dtype].digits;
  const int precisions[2] = {(int)((digits - 1) * 0.30103), (int)(1 + ceil(digits * 0.30103))};
  for (int i = 0; i < 2; i++) {
    char *out = buffer;
    double again;
    snprintf(buffer, max_number, "%.*g", precisions[i], value);
    for (const char *in = buffer; *in; in++) {
      if (is_one_of(*in, "0123456789e+-"))
        *out++ = *in;
      else if (out == buffer || out[-1] != '.')  // a locale's point may be several bytes
        *out++ = '.';
    }
    *out = 0;
    if (read_float(buffer, (size_t)(out - buffer), dtype, &again) && again == value) return;
  }
}

// ---- one element
// 1+2j, -inf-0j, nan+nanj: both parts, the second with its sign. A real number is read too.
static void write_complex(const sni_scalar *value, char buffer[max_element]) {
  char re[max_number], im[max_number];
  const sn_dtype part = sni_part_dtype(value->dtype);
  write_float(value->f, part, re);
  write_float(value->im, part, im);
  snprintf(buffer, max_element, "%s%s%sj", re, *im == '-' ? "" : "+", im);
}

static bool read_complex(const char *text, size_t length, sni_scalar *value) {
  const sn_dtype part = sni_part_dtype(value->dtype);
  if (!length || text[length - 1] != 'j') return read_float(text, length, part, &value->f);
  if (length < 4) return false;
  size_t at = length - 2;  // of the second part's sign, which no exponent has before it
  while (at > 0 && !(is_one_of(text[at], "+-") && !is_one_of(text[at - 1], "eE"))) at--;
  const size_t sign = text[at] == '+';
  return at > 0 && read_float(text, at, part, &value->f) &&
         read_float(text + at + sign, length - 1 - at - sign, part, &value->im);
}

static void write_element(sn_dtype dtype, const char *data, char buffer[max_element]) {
  if (dtype == SN_STRING) {
    snprintf(buffer, max_element, "0");
    return;
  }
  const sni_scalar value = sni_scalar_load(dtype, data, 0);
  if (sni_is_complex(dtype))
    write_complex(&value, buffer);
  else if (dtype == SN_BOOL)
    snprintf(buffer, max_element, "%s", value.i ? "true" : "false");
  else if (sni_is_float(dtype))
    write_float(value.f, dtype, buffer);
  else if (sni_is_unsigned(dtype))
    snprintf(buffer, max_element, "%" PRIu64, (uint64_t)value.i);
  else
    snprintf(buffer, max_element, "%" PRId64, value.i);
}

static bool read_element(sn_dtype dtype, const char *text, size_t length, char *data) {
  sni_scalar value = {.dtype = dtype};
  if (dtype == SN_STRING) {  // the empty one: others are captured
    memset(data, 0, sn_dtype_size(dtype));
    return length == 1 && *text == '0';
  }
  if (dtype == SN_BOOL) {
    value.i = length == 4;
    if (!(length == 4 && !memcmp(text, "true", 4)) && !(length == 5 && !memcmp(text, "false", 5)))
      return false;
  } else if (sni_is_complex(dtype)) {
    if (!read_complex(text, length, &value)) return false;
  } else if (sni_is_float(dtype)) {
    if (!read_float(text, length, dtype, &value.f)) return false;
  } else if (!read_integer(text, length, dtype, &value.i)) {
    return false;
  }
  sni_scalar_store(value, data, 0);
  return true;
}

// ---- all elements
static void add_bytes(sni_text *text, const unsigned char *data, size_t bytes) {
  static const char digits[] = "0123456789abcdef";
  char chunk[256];
  size_t n = 0;
  sni_text_add(text, "0x");
  for (size_t i = 0; i < bytes; i++) {
    chunk[n++] = digits[data[i] >> 4];
    chunk[n++] = digits[data[i] & 15];
    if (n == sizeof(chunk) || i + 1 == bytes) {
      sni_text_add_bytes(text, chunk, n);
      n = 0;
    }
  }
}

void sni_text_add_elements(sni_text *text, const sni_type *type, const void *data) {
  size_t count = (size_t)sni_type_size(NULL, type), size = sn_dtype_size(type->dtype);
  if (count > sni_text_max_elements) {
    add_bytes(text, data, count * size);
    return;
  }
  if (type->rank) sni_text_add(text, "[");
  for (size_t i = 0; i < count; i++) {
    char buffer[max_element];
    write_element(type->dtype, (const char *)data + i * size, buffer);
    sni_text_add(text, "%s%s", i ? ", " : "", buffer);
  }
  if (type->rank) sni_text_add(text, "]");
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *read_bytes(const char *at, unsigned char *data, size_t bytes, bool is_bool,
                              const char **out_at) {
  for (size_t i = 0; i < bytes; i++, at += 2) {
    int high = hex_digit(at[0]), low = hex_digit(at[1]);
    *out_at = at;
    if (high < 0 || low < 0) return "not a hexadecimal digit";
    data[i] = (unsigned char)(high * 16 + low);
    if (is_bool && data[i] > 1) return "a bool is 00 or 01";
  }
  return NULL;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The elements of [at, end), which has count - 1 commas.
static const char *read_list(const char *at, const char *end, const sni_type *type, size_t count,
                             char *data, const char **out_at) {
  size_t size = sn_dtype_size(type->dtype);
  for (size_t i = 0; i < count; i++, data += size) {
    const char *stop = memchr(at, ',', (size_t)(end - at)), *next;
    if (!stop) stop = end;
    next = stop + 1;
    while (at < stop && is_blank(*at)) at++;
    while (stop > at && is_blank(stop[-1])) stop--;
    *out_at = at;
    if (!read_element(type->dtype, at, (size_t)(stop - at), data))
      return "not an element of the constant's dtype";
    at = next;
  }
  return NULL;
}

sn_status sni_text_read_elements(sni_arena *arena, const char *begin, const char *end,
                                 const sni_type *type, void **out_data, const char **out_error,
                                 const char **out_at) {
  size_t count = (size_t)sni_type_size(NULL, type), size = sn_dtype_size(type->dtype), given = 1;
  bool list = *begin == '[', hex = end - begin >= 2 && begin[0] == '0' && begin[1] == 'x';
  *out_at = begin;
  *out_error = "strings have no bytes here";
  if (hex && type->dtype == SN_STRING) return SN_ERR_SYNTAX;
  *out_error = "the number of elements is not that of the type";
  if (list) {
    begin++;
    end--;
    while (begin < end && is_blank(*begin)) begin++;
    given = begin < end;
    for (const char *c = begin; c < end; c++) given += *c == ',';
  } else if (hex) {
    begin += 2;
    given = (size_t)(end - begin) % (2 * size) ? SIZE_MAX : (size_t)(end - begin) / (2 * size);
  }
  // The text bounds the memory: an element takes at least one byte of it.
  if (given != count || (!list && !hex && type->rank)) return SN_ERR_SYNTAX;
  *out_data = sni_arena_alloc(arena, count * size);
  if (!*out_data) return SN_ERR_MEMORY;
  *out_error = hex ? read_bytes(begin, *out_data, count * size, type->dtype == SN_BOOL, out_at)
                   : read_list(begin, end, type, count, *out_data, out_at);
  return *out_error ? SN_ERR_SYNTAX : SN_OK;
}
