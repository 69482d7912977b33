// Numbers out of strings. Decimal numbers of up to 19 digits and small exponents are one exact product or quotient of doubles (Clinger 1990); all others
// are the C library's, in the C locale.
#include "frontend/text/calls.h"

#include <locale.h>
#include <stdlib.h>

static sn_text trim(sn_text text) {
  while (text.length && snt_is_space(text.data[text.length - 1])) text.length--;
  while (text.length && snt_is_space(*text.data)) text.data++, text.length--;
  return text;
}

static bool is_digit(char b) {
  return b >= '0' && b <= '9';
}

// ---- eight digits at once. A word's bytes are digits, the first of them in the lowest byte.
// The n bytes at `at`, 4 to 8, as the last of a word, zeros ('0') before.
static uint64_t word_of(const char *at, size_t n) {
  const unsigned zeros = 8 * (8 - (unsigned)n);
  const uint64_t filled = 0x3030303030303030 & ((UINT64_C(1) << zeros) - 1);
  return filled | (uint64_t)snt_load_half(at) << zeros | (uint64_t)snt_load_half(at + n - 4) << 32;
}

static bool are_digits(uint64_t w) {
  const uint64_t high = 0xF0F0F0F0F0F0F0F0, zeros = 0x3030303030303030;
  return ((w & high) | ((w + 0x0606060606060606) & high) >> 4) == (zeros | zeros >> 4);
}

// Pairs, fours, eight (Lemire 2018).
static uint64_t number_of(uint64_t w) {
  w = (w & 0x0F0F0F0F0F0F0F0F) * (10 * 256 + 1) >> 8;
  w = (w & 0x00FF00FF00FF00FF) * (UINT64_C(100) * 65536 + 1) >> 16;
  return (w & 0x0000FFFF0000FFFF) * ((UINT64_C(10000) << 32) + 1) >> 32;
}

// False: it may still be a number.
static bool parse_short(sn_text text, uint64_t *out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (text.length < 4 || text.length > 8) return false;
  const uint64_t w = word_of(text.data, text.length);
  *out = number_of(w);
  return are_digits(w);
#else
  (void)text, (void)out;
  return false;
#endif
}

// The same of digits around one point.
static bool parse_short_real(sn_text text, uint64_t *digits, int *behind) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (text.length < 4 || text.length > 8) return false;
  const uint64_t w = word_of(text.data, text.length), ones = 0x0101010101010101;
  const uint64_t x = w ^ '.' * ones, is = (x - ones) & ~x & 0x80 * ones;  // the lowest is right
  if (!is) return false;
  const uint64_t before = ((is & (0 - is)) >> 7) - 1;  // the bytes before the point
  const uint64_t rest = w & ~(before << 8 | 0xFF);
  const uint64_t moved = rest | (w & before) << 8 | '0';
  *digits = number_of(moved);
  *behind = __builtin_clzll(is & (0 - is)) / 8;
  return are_digits(moved);
#else
  (void)text, (void)digits, (void)behind;
  return false;
#endif
}

// ---- integers
static bool parse_integer(sn_text text, uint64_t most, int64_t *out) {
  uint64_t eight;
  if (parse_short(text, &eight)) {  // any of these fits
    *out = (int64_t)eight;
    return true;
  }
  text = trim(text);
  const bool is_negative = text.length && *text.data == '-';
  if (text.length && (is_negative || *text.data == '+')) text.data++, text.length--;
  if (!text.length) return false;
  uint64_t value = 0;
  const uint64_t limit = most + is_negative;
  for (size_t i = 0; i < text.length; i++) {
    const uint64_t digit = (uint64_t)(text.data[i] - '0');
    if (digit > 9 || (i >= 9 && value > (limit - digit) / 10)) return false;  // nine digits fit
    value = value * 10 + digit;
  }
  *out = (int64_t)(is_negative ? 0 - value : value);
  return true;
}

// ---- real numbers
typedef struct decimal {
  uint64_t digits;
  int exponent;
  bool is_negative, is_exact;
} decimal;

static const char *digits_of(const char *at, const char *end, decimal *d, int *n) {
  for (; at < end && is_digit(*at); at++) {
    if (d->digits > (UINT64_MAX - 9) / 10) d->is_exact = false;
    d->digits = d->digits * 10 + (uint64_t)(*at - '0');
    ++*n;
  }
  return at;
}

static const char *exponent_of(const char *at, const char *end, decimal *d) {
  int e = 0, n = 0;
  const bool is_negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  for (; at < end && is_digit(*at); at++, n++)
    if (e < 100000) e = e * 10 + (*at - '0');
  d->exponent += is_negative ? -e : e;
  return n ? at : NULL;
}

// False: it is not such a number; then nothing is known.
static bool parse_decimal(sn_text text, decimal *d) {
  const char *at = text.data, *end = at + text.length;
  *d = (decimal){0, 0, text.length && *at == '-', true};
  if (at < end && (*at == '-' || *at == '+')) at++;
  int n = 0;
  at = digits_of(at, end, d, &n);
  if (at < end && *at == '.') {
    const int before = n;
    at = digits_of(at + 1, end, d, &n);
    d->exponent = before - n;
  }
  if (!n) return false;
  if (at < end && (*at == 'e' || *at == 'E')) at = exponent_of(at + 1, end, d);
  return at == end;
}

// Exact, but for one rounding; else false.
static bool product(const decimal *d, double *out) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (!d->is_exact || d->digits > (UINT64_C(1) << 53) || d->exponent < -22 || d->exponent > 22)
    return false;
  const double value = (double)d->digits;
  const double made = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
  *out = d->is_negative ? -made : made;
  return true;
}

// Whether a double that is rounded already is half-way between two floats: then what was lost decides.
static bool is_half_way(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const double size = value < 0 ? -value : value;
  return (bits & 0x1FFFFFFF) == 0x10000000 || (size < 1.2e-38 && size > 0) || size > 3.4e38;
}

// By the C library: text as a string of its own, in place where it is short.
static bool parse_slowly(sn_text text, locale_t locale, bool is_float, double *out) {
  char room[64], *copy = text.length < sizeof(room) ? room : malloc(text.length + 1);
  if (!copy || memchr(text.data, 0, text.length)) {
    if (copy != room) free(copy);
    return false;
  }
  memcpy(copy, text.data, text.length);
  copy[text.length] = 0;
  char *end = copy;
  *out = is_float ? (double)strtof_l(copy, &end, locale) : strtod_l(copy, &end, locale);
  const bool is_whole = text.length && end == copy + text.length;
  if (copy != room) free(copy);
  return is_whole;
}

// The C locale, made when it is first needed.
static bool parse_real(sn_text text, locale_t *locale, bool is_float, double *out) {
  decimal d = {0, 0, false, true};
  int behind;
  if (parse_short_real(text, &d.digits, &behind)) {
    d.exponent = -behind;
    if (product(&d, out) && !(is_float && is_half_way(*out))) return true;
  }
  text = trim(text);
  if (!text.length) return false;
  if (parse_decimal(text, &d) && product(&d, out) && !(is_float && is_half_way(*out))) return true;
  if (!*locale) *locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return *locale && parse_slowly(text, *locale, is_float, out);
}

// ---- calls
static sn_status refuse(const sn_host_args *args, int64_t i) {
  return snt_refuse_element(args, SN_ERR_ARGUMENT, args->in, i, "is no %s",
                            sn_dtype_name(args->out[0].dtype));
}

static sn_status fill_integers(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  const bool is_long = args->out[0].dtype == SN_I64;
  for (int64_t i = 0, n = texts.size; i < n; i++) {
    int64_t value;
    if (!parse_integer(snt_stream_next(&texts), is_long ? INT64_MAX : INT32_MAX, &value))
      return refuse(args, i);
    if (is_long)
      ((int64_t *)args->out[0].data)[i] = value;
    else
      ((int32_t *)args->out[0].data)[i] = (int32_t)value;
  }
  return SN_OK;
}

static sn_status fill_reals(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  const bool is_float = args->out[0].dtype == SN_F32;
  locale_t locale = (locale_t)0;
  sn_status status = SN_OK;
  for (int64_t i = 0, n = texts.size; i < n && status == SN_OK; i++) {
    double value;
    if (!parse_real(snt_stream_next(&texts), &locale, is_float, &value))
      status = refuse(args, i);
    else if (is_float)
      ((float *)args->out[0].data)[i] = (float)value;
    else
      ((double *)args->out[0].data)[i] = value;
  }
  if (locale) freelocale(locale);
  return status;
}

sn_tensor *(sn_string_to_number)(sn_tensor *t, sn_dtype dtype) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_to_number");
  const bool is_real = dtype == SN_F32 || dtype == SN_F64;
  if (!snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  if (!is_real && dtype != SN_I32 && dtype != SN_I64) {
    sn_fail(c, SN_ERR_DTYPE, "dtype %s, expected f32, f64, i32 or i64", sn_dtype_name(dtype));
    return sn_error_tensor(c);
  }
  return SNT_RUN(c, &t, 1, .name = "string_to_number",
                 .callback = is_real ? fill_reals : fill_integers, .dtype = dtype,
                 .shape = snt_shape_of(t));
}
