// One number as text.
#include "frontend/text/write_number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

locale_t snt_c_locale(void) {
  const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return c ? uselocale(c) : c;
}

void snt_restore_locale(locale_t before) {
  const locale_t c = uselocale(before);
  freelocale(c);
}

// A conversion with width and fill before: "%08d".
static void make_format(char *to, size_t size, const snt_style *style, const char *conversion) {
  const char fill[2] = {style->fill, 0};
  if (style->width)
    (void)snprintf(to, size, "%%%s%d%s", fill, style->width, conversion);
  else
    (void)snprintf(to, size, "%%%s%s", fill, conversion);
}

enum {
  room = 1500
};  // of a double in full, to 64 digits behind the point, and of the widest field

static void write_text(snt_buffer *b, const char *text) {
  snt_buffer_add(b, snt_text(text, strlen(text)));
}

static void write_signed(snt_buffer *b, int64_t value, const snt_style *style) {
  char format[32], text[room];
  make_format(format, sizeof(format), style, PRId64);
  (void)snprintf(text, sizeof(text), format, value);
  write_text(b, text);
}

static void write_unsigned(snt_buffer *b, uint64_t value, const snt_style *style) {
  char format[32], text[room];
  make_format(format, sizeof(format), style, PRIu64);
  (void)snprintf(text, sizeof(text), format, value);
  write_text(b, text);
}

static void write_readable(snt_buffer *b, double value, bool is_float) {
  char text[64];
  const int first = is_float ? 6 : 15, last = is_float ? 9 : 17;
  for (int digits = first; digits <= last; digits += is_float ? 3 : 2) {
    (void)snprintf(text, sizeof(text), "%.*g", digits, value);
    if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) break;
  }
  write_text(b, isnan(value) ? "nan" : text);
}

static void write_real(snt_buffer *b, double value, bool is_float, const snt_style *style) {
  if (style->form == 'r') {
    write_readable(b, value, is_float);
    return;
  }
  char format[32], text[room], end[8];
  (void)snprintf(end, sizeof(end), ".*%c", style->form);
  make_format(format, sizeof(format), style, end);
  (void)snprintf(text, sizeof(text), format, style->precision, isnan(value) ? NAN : value);
  write_text(b, text);
}

static double half_of(uint16_t bits, bool is_bf16) {
  if (is_bf16) {
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof(value));
    return value;
  }
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
  if (exponent == 31) value = mantissa ? NAN : INFINITY;
  return bits >> 15 ? -value : value;
}

// The parts of a complex number have no width of their own.
static void write_complex(snt_buffer *b, double re, double im, bool is_float,
                          const snt_style *style) {
  write_text(b, "(");
  write_real(b, re, is_float, style);
  write_text(b, ",");
  write_real(b, im, is_float, style);
  write_text(b, ")");
}

static bool write_integer(snt_buffer *b, const sn_view *view, int64_t i, const snt_style *s) {
  const void *data = view->data;
  switch ((int)view->dtype) {
    case SN_I8:
      write_signed(b, ((const int8_t *)data)[i], s);
      return true;
    case SN_I16:
      write_signed(b, ((const int16_t *)data)[i], s);
      return true;
    case SN_I32:
      write_signed(b, ((const int32_t *)data)[i], s);
      return true;
    case SN_I64:
      write_signed(b, ((const int64_t *)data)[i], s);
      return true;
    case SN_U8:
      write_unsigned(b, ((const uint8_t *)data)[i], s);
      return true;
    case SN_U16:
      write_unsigned(b, ((const uint16_t *)data)[i], s);
      return true;
    case SN_U32:
      write_unsigned(b, ((const uint32_t *)data)[i], s);
      return true;
    case SN_U64:
      write_unsigned(b, ((const uint64_t *)data)[i], s);
      return true;
    default:
      return false;
  }
}

void snt_write_number(snt_buffer *b, const sn_view *view, int64_t i, const snt_style *s) {
  const void *data = view->data;
  if (write_integer(b, view, i, s)) return;
  switch ((int)view->dtype) {
    case SN_BOOL:
      write_text(b, ((const bool *)data)[i] ? "true" : "false");
      return;
    case SN_F32:
      write_real(b, (double)((const float *)data)[i], true, s);
      return;
    case SN_F64:
      write_real(b, ((const double *)data)[i], false, s);
      return;
    case SN_F16:
    case SN_BF16:
      write_real(b, half_of(((const uint16_t *)data)[i], view->dtype == SN_BF16), true, s);
      return;
    case SN_C64:
      write_complex(b, (double)((const float *)data)[2 * i],
                    (double)((const float *)data)[2 * i + 1], true, s);
      return;
    case SN_C128:
      write_complex(b, ((const double *)data)[2 * i], ((const double *)data)[2 * i + 1], false, s);
      return;
    default:
      return;
  }
}
