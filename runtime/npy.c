// Reads and writes the headers of .npy files (runtime/npy.h). What NumPy's own reader takes and
// refuses is the measure: a dict of three keys in any order, and nothing behind it.
#include "runtime/npy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char magic[6] = "\x93NUMPY";

typedef struct reader {
  const char *at, *end;  // what is left of the header
  sni_npy_reason *why;
} reader;

static bool fail(sni_npy_reason *why, const char *format, ...) SNI_PRINTF(2, 3);
static bool fail(sni_npy_reason *why, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(why->text, sizeof(why->text), format, args);
  va_end(args);
  return false;
}

// ---- words of a Python literal
static void skip_spaces(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
    r->at++;
}

static bool accept(reader *r, const char *text) {
  const size_t length = strlen(text);
  skip_spaces(r);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length) != 0) return false;
  r->at += length;
  return true;
}

// A string in quotes of either kind; one that does not fit is none of ours and is cut.
static bool read_string(reader *r, char *out, size_t capacity) {
  const char quote = accept(r, "'") ? '\'' : '"';
  size_t length = 0;
  if (quote == '"' && !accept(r, "\"")) return false;
  for (; r->at < r->end && *r->at != quote; r->at++)
    if (length + 1 < capacity) out[length++] = *r->at;
  out[length] = 0;
  return accept(r, quote == '"' ? "\"" : "'");
}

static bool read_number(reader *r, int64_t *out) {
  skip_spaces(r);
  const char *first = r->at;
  int64_t value = 0;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *r->at - '0', &value))
      return false;
  *out = value;
  const bool any = r->at > first;
  if (any) (void)accept(r, "L");  // a long of Python 2
  return any;
}

// ---- values of the dict
// (), (3,), (2, 3), (2, 3,)
static bool read_shape(reader *r, sni_npy *out) {
  sn_shape *shape = &out->shape;
  bool comma = true;
  *shape = (sn_shape){0};
  if (!accept(r, "(")) return fail(r->why, "the header's shape is no tuple");
  while (!accept(r, ")")) {
    if (!comma) return fail(r->why, "the header's shape is malformed");
    if (shape->rank == SN_MAX_RANK) return fail(r->why, "more than %d dims", SN_MAX_RANK);
    if (!read_number(r, &shape->dims[shape->rank++]))
      return fail(r->why, "a dim of the header's shape is no number of 63 bits");
    comma = accept(r, ",");
  }
  if (shape->rank == 1 && !comma) return fail(r->why, "the header's shape is no tuple");
  return true;
}

static bool read_order(reader *r, sni_npy *out) {
  out->fortran_order = accept(r, "True");
  return out->fortran_order || accept(r, "False") ||
         fail(r->why, "the header's fortran_order is neither True nor False");
}

static bool refuse_elements(reader *r, const char *descr) {
  static const struct {
    char kind;
    const char *what;
  } kinds[] = {{'O', "Python objects"}, {'M', "dates"}, {'m', "times"}, {'V', "opaque bytes"}};
  for (size_t i = 0; i < SNI_COUNT_OF(kinds); i++)
    if (descr[0] && descr[1] == kinds[i].kind)
      return fail(r->why, "elements are %s (%s)", kinds[i].what, descr);
  return fail(r->why, "elements of type '%s' are not supported", descr);
}

// "|S12": so many bytes; "<U3": so many characters of four.
static bool read_string_type(const char *text, sni_npy *out) {
  enum { most_digits = 10 };
  const char *digit = text + 2;
  out->unicode = text[1] == 'U';
  if (!out->unicode && text[1] != 'S' && text[1] != 'a') return false;
  for (out->element = 0; *digit >= '0' && *digit <= '9' && digit - text - 2 < most_digits; digit++)
    out->element = out->element * 10 + (size_t)(*digit - '0');
  if (out->unicode) out->element *= 4;
  out->dtype = SN_STRING;
  return digit > text + 2 && !*digit;
}

// An order of bytes, a kind, a size: "<f4". Single bytes have no order, NumPy writes "|".
static bool read_descr(reader *r, sni_npy *out) {
  char text[16];
  if (accept(r, "[")) return fail(r->why, "elements are records");
  if (!read_string(r, text, sizeof(text))) return fail(r->why, "the header's descr is no string");
  out->big_endian = text[0] == '>';
  if (!text[0] || !strchr("<>|=", text[0])) return refuse_elements(r, text);
  if (read_string_type(text, out)) return true;
  for (sn_dtype dtype = 0; dtype < SN_DTYPE_COUNT; dtype++) {
    if (dtype == SN_STRING || strcmp(text + 1, sni_dtype_infos[dtype].npy + 1) != 0) continue;
    if (text[0] == '|' && sni_dtype_bytes(dtype) > 1 && text[1] != 'V') break;
    out->dtype = dtype;
    out->element = sni_dtype_bytes(dtype);
    return true;
  }
  return refuse_elements(r, text);
}

static bool count_bytes(size_t element, const sn_shape *shape, size_t *out) {
  int64_t bytes = element ? (int64_t)element : 1;
  bool empty = !element;
  for (int i = 0; i < shape->rank; i++) {
    if (shape->dims[i] && __builtin_mul_overflow(bytes, shape->dims[i], &bytes)) return false;
    empty = empty || !shape->dims[i];
  }
  *out = empty ? 0 : (size_t)bytes;
  return true;
}

static bool read_entry(reader *r, sni_npy *out, unsigned *seen) {
  static const struct {
    const char *key;
    bool (*read)(reader *r, sni_npy *out);
  } entries[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};
  char key[16];
  if (!read_string(r, key, sizeof(key)) || !accept(r, ":"))
    return fail(r->why, "the header is malformed");
  for (unsigned i = 0; i < SNI_COUNT_OF(entries); i++)
    if (!strcmp(key, entries[i].key)) {
      *seen |= 1u << i;
      return entries[i].read(r, out);
    }
  return fail(r->why, "the header has a key '%s'", key);
}

bool sni_npy_read_header(const char *text, size_t length, sni_npy *out, sni_npy_reason *why) {
  reader r = {text, text + length, why};
  unsigned seen = 0;
  bool comma = true;
  *out = (sni_npy){0};
  if (!accept(&r, "{")) return fail(why, "the header is no dict");
  while (!accept(&r, "}")) {
    if (!comma) return fail(why, "the header is malformed");
    if (!read_entry(&r, out, &seen)) return false;
    comma = accept(&r, ",");
  }
  skip_spaces(&r);
  if (r.at < r.end) return fail(why, "the header is malformed");
  if (seen != 7) return fail(why, "the header lacks descr, fortran_order or shape");
  return count_bytes(out->element, &out->shape, &out->bytes) ||
         fail(why, "the shape has too many elements for 64-bit sizes");
}

bool sni_npy_find_header(const void *prefix, size_t *out_begin, size_t *out_end,
                         sni_npy_reason *why) {
  const unsigned char *p = prefix;
  if (memcmp(p, magic, sizeof(magic)) != 0) return fail(why, "this is no .npy file");
  if (p[6] < 1 || p[6] > 3 || p[7] != 0)
    return fail(why, "format version %d.%d is not known", p[6], p[7]);
  size_t length = p[8] | (size_t)p[9] << 8;
  if (p[6] > 1) length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
  if (length > SNI_NPY_MOST_HEADER)
    return fail(why, "a header of %zu bytes: at most %d are read", length, SNI_NPY_MOST_HEADER);
  *out_begin = p[6] > 1 ? 12 : 10;
  *out_end = *out_begin + length;
  return *out_end >= SNI_NPY_PREFIX || fail(why, "the header is no dict");
}

size_t sni_npy_write_header(sn_dtype dtype, size_t width, const sn_shape *shape, char *out) {
  const size_t room = SNI_NPY_WRITTEN;
  size_t used = 10;
  memcpy(out, magic, sizeof(magic));
  out[6] = 1;
  out[7] = 0;
  char strings[32];
  (void)snprintf(strings, sizeof(strings), "|S%zu", width);
  used += (size_t)snprintf(out + used, room - used,
                           "{'descr': '%s', 'fortran_order': False, 'shape': (",
                           dtype == SN_STRING ? strings : sni_dtype_infos[dtype].npy);
  for (int i = 0; i < shape->rank; i++)
    used +=
        (size_t)snprintf(out + used, room - used, i ? ", %lld" : "%lld", (long long)shape->dims[i]);
  used += (size_t)snprintf(out + used, room - used, shape->rank == 1 ? ",), }" : "), }");
  while ((used + 1) % 64) out[used++] = ' ';  // elements are 64-byte aligned in the file
  out[used++] = '\n';
  out[8] = (char)(unsigned char)((used - 10) & 255);
  out[9] = (char)(unsigned char)((used - 10) >> 8);
  return used;
}
