// Reads and writes .npy files: a magic string, a version, the length of a header, the header (a
// Python dict literal), the elements. Nothing of the header is believed before it is checked
// against the length of the file. Source: numpy/lib/format.py, versions 1.0 (16-bit length), 2.0
// and 3.0 (32-bit length).
#include "tools/npy.h"

#include "runtime/dtype.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[6] = "\x93NUMPY";

typedef struct reader {
  const char *at, *end;  // what is left of the header
  char *error;
  size_t capacity;
} reader;

static bool fail(char *error, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail(char *error, size_t capacity, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(error, capacity, format, args);
  va_end(args);
  return false;
}

static const char *descr_of(sn_dtype dtype) {
  return sni_dtype_infos[dtype].npy;
}

static void skip_spaces(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t')) r->at++;
}

static bool accept(reader *r, const char *text) {
  size_t length = strlen(text);
  skip_spaces(r);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length) != 0) return false;
  r->at += length;
  return true;
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
  return r->at > first;
}

static bool read_shape(reader *r, sn_shape *out) {
  *out = (sn_shape){0};
  if (!accept(r, "(")) return fail(r->error, r->capacity, "the header's shape is malformed");
  while (!accept(r, ")")) {
    if (out->rank == SN_MAX_RANK)
      return fail(r->error, r->capacity, "more than %d dims", SN_MAX_RANK);
    if (!read_number(r, &out->dims[out->rank++]))
      return fail(r->error, r->capacity, "the header's shape is malformed");
    if (!accept(r, ",") && (r->at == r->end || *r->at != ')'))
      return fail(r->error, r->capacity, "the header's shape is malformed");
  }
  return true;
}

static bool read_descr(reader *r, sn_dtype *out) {
  char text[8] = "";
  if (!accept(r, "'")) return fail(r->error, r->capacity, "records are not supported");
  for (size_t i = 0; r->at < r->end && *r->at != '\'' && i + 1 < sizeof(text); i++)
    text[i] = *r->at++;
  if (!accept(r, "'")) return fail(r->error, r->capacity, "the header's descr is malformed");
  if (!strcmp(text, "|V2")) text[0] = '<';  // two opaque bytes, as ml_dtypes' bfloat16 is stored
  for (sn_dtype dtype = 0; dtype < SN_DTYPE_COUNT; dtype++)
    if (!strcmp(text, descr_of(dtype))) {
      *out = dtype;
      return true;
    }
  if (text[0] == '>')
    return fail(r->error, r->capacity, "big-endian data (%s) are not supported", text);
  return fail(r->error, r->capacity, "elements of type %s are not supported", text);
}

// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } in any order.
static bool read_header(reader *r, npy_array *out) {
  bool descr = false, order = false, shape = false;
  if (!accept(r, "{")) return fail(r->error, r->capacity, "the header is no dict");
  while (!accept(r, "}")) {
    if (accept(r, "'descr'") && accept(r, ":")) {
      if (!read_descr(r, &out->dtype)) return false;
      descr = true;
    } else if (accept(r, "'fortran_order'") && accept(r, ":")) {
      if (accept(r, "True")) return fail(r->error, r->capacity, "Fortran order is not supported");
      if (!accept(r, "False"))
        return fail(r->error, r->capacity, "the header's order is malformed");
      order = true;
    } else if (accept(r, "'shape'") && accept(r, ":")) {
      if (!read_shape(r, &out->shape)) return false;
      shape = true;
    } else {
      return fail(r->error, r->capacity, "the header is malformed");
    }
    if (!accept(r, ",") && (r->at == r->end || *r->at != '}'))
      return fail(r->error, r->capacity, "the header is malformed");
  }
  if (!descr || !order || !shape)
    return fail(r->error, r->capacity, "the header lacks descr, fortran_order or shape");
  return true;
}

static bool count_bytes(sn_dtype dtype, const sn_shape *shape, size_t *out) {
  size_t bytes = sn_dtype_size(dtype);
  for (int i = 0; i < shape->rank; i++)
    if (__builtin_mul_overflow(bytes, (size_t)shape->dims[i], &bytes)) return false;
  *out = bytes;
  return true;
}

bool npy_parse(const void *bytes, size_t length, npy_array *out, char *error, size_t capacity) {
  const unsigned char *p = bytes;
  *out = (npy_array){0};
  if (length < 12 || memcmp(p, magic, sizeof(magic)) != 0)
    return fail(error, capacity, "this is no .npy file");
  if (p[6] < 1 || p[6] > 3) return fail(error, capacity, "format version %d is not known", p[6]);
  size_t start = p[6] == 1 ? 10 : 12;
  size_t header = p[8] | (size_t)p[9] << 8;
  if (p[6] != 1) header |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
  if (header > length - start) return fail(error, capacity, "the file ends inside its header");
  reader r = {(const char *)p + start, (const char *)p + start + header, error, capacity};
  if (!read_header(&r, out)) return false;
  if (!count_bytes(out->dtype, &out->shape, &out->bytes) || out->bytes > length - start - header)
    return fail(error, capacity, "the file is shorter than its header says");
  out->data = malloc(out->bytes ? out->bytes : 1);
  if (!out->data) return fail(error, capacity, "out of memory");
  if (out->bytes) memcpy(out->data, p + start + header, out->bytes);
  if (out->dtype == SN_BOOL)
    for (size_t i = 0; i < out->bytes; i++)
      ((uint8_t *)out->data)[i] = ((uint8_t *)out->data)[i] != 0;
  return true;
}

// The whole file in a block of memory.
static bool read_file(const char *path, unsigned char **out, size_t *out_length) {
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  size_t length = 0, room = 0, got;
  unsigned char *data = NULL;
  do {
    if (room - length < 4096) {
      room = room ? 2 * room : 65536;
      unsigned char *grown = realloc(data, room);
      if (!grown) break;
      data = grown;
    }
    got = fread(data + length, 1, room - length, file);
    length += got;
    if (length >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) != 0)
      break;  // endless, maybe
  } while (got > 0);
  bool ok = data && !ferror(file) && (feof(file) || got > 0);
  int saved = errno;
  (void)fclose(file);
  if (!ok) {
    free(data);
    data = NULL;
  }
  errno = saved;
  *out = data;
  *out_length = length;
  return ok;
}

bool npy_read(const char *path, npy_array *out, char *error, size_t capacity) {
  unsigned char *bytes;
  size_t length;
  char why[256];
  *out = (npy_array){0};
  if (!read_file(path, &bytes, &length))
    return fail(error, capacity, "%s: %s", path, strerror(errno));
  bool ok = npy_parse(bytes, length, out, why, sizeof(why));
  free(bytes);
  return ok || fail(error, capacity, "%s: %s", path, why);
}

bool npy_write(const char *path, sn_dtype dtype, sn_shape shape, const void *data, char *error,
               size_t capacity) {
  char header[512];
  size_t bytes, used = 10;
  if (!count_bytes(dtype, &shape, &bytes)) return fail(error, capacity, "%s: too large", path);
  memcpy(header, magic, sizeof(magic));
  header[6] = 1;
  header[7] = 0;
  used += (size_t)snprintf(header + used, sizeof(header) - used,
                           "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(dtype));
  for (int i = 0; i < shape.rank; i++)
    used += (size_t)snprintf(header + used, sizeof(header) - used, i ? ", %lld" : "%lld",
                             (long long)shape.dims[i]);
  used +=
      (size_t)snprintf(header + used, sizeof(header) - used, shape.rank == 1 ? ",), }" : "), }");
  while ((used + 1) % 64) header[used++] = ' ';  // elements are 64-byte aligned in the file
  header[used++] = '\n';
  header[8] = (char)(unsigned char)((used - 10) & 255);
  header[9] = (char)(unsigned char)((used - 10) >> 8);
  FILE *file = fopen(path, "wb");
  if (!file) return fail(error, capacity, "%s: %s", path, strerror(errno));
  bool ok = fwrite(header, 1, used, file) == used && fwrite(data, 1, bytes, file) == bytes;
  const bool closed = fclose(file) == 0;
  if (ok && closed) return true;
  const int saved = errno;
  struct stat about;  // half an array is none
  if (!stat(path, &about) && S_ISREG(about.st_mode)) (void)unlink(path);
  return fail(error, capacity, "%s: %s", path, strerror(saved));
}

void npy_free(npy_array *array) {
  free(array->data);
  *array = (npy_array){0};
}
