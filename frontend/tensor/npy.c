// .npy files in and out. What a file says is checked against its length before memory is taken for it,
// where the length is known; elements are read to where they stay.
#include "runtime/npy.h"
#include "frontend/ops/compose.h"
#include "runtime/new_file.h"
#include "runtime/strided.h"
#include "runtime/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The bytes of a file, or memory (fd -1).
typedef struct source {
  const char *name;  // for messages
  int fd;
  const char *bytes;
  size_t left;  // of bytes; of a file whose length is not known SIZE_MAX
} source;

static sn_tensor *refuse(sn_context *c, const source *s, const char *why) {
  return sni_error(c, SN_ERR_FILE, "%s: %s: %s", c->frame.op, s->name, why);
}

// ---- reading
// False, with an error pending: they are not there.
static bool take(sn_context *c, source *s, void *out, size_t bytes, const char *missing) {
  size_t got = bytes;
  int failed = 0;
  if (s->fd >= 0)
    failed = sni_read_bytes(s->fd, out, bytes, &got);
  else if (bytes > s->left)
    got = s->left;
  else if (bytes)
    memcpy(out, s->bytes, bytes);
  if (failed || got < bytes) {
    refuse(c, s, failed ? strerror(failed) : missing);
    return false;
  }
  if (s->fd < 0 && bytes) s->bytes += bytes;
  if (s->left != SIZE_MAX) s->left -= bytes < s->left ? bytes : s->left;
  return true;
}

static bool take_header(sn_context *c, source *s, sni_npy *out) {
  static const char cut[] = "the file ends inside its header";
  char prefix[SNI_NPY_PREFIX];
  sni_npy_reason why;
  size_t begin, end;
  if (!take(c, s, prefix, sizeof(prefix), "this is no .npy file")) return false;
  if (!sni_npy_find_header(prefix, &begin, &end, &why)) return refuse(c, s, why.text), false;
  if (end > sizeof(prefix) && end - sizeof(prefix) > s->left) return refuse(c, s, cut), false;
  char *text = sni_alloc(&c->family->allocator, end);
  if (!text)
    return sni_error_from(c, sni_fail_memory(&c->diag, end, "a file's header"), NULL), false;
  memcpy(text, prefix, sizeof(prefix));
  bool ok = take(c, s, text + sizeof(prefix), end - sizeof(prefix), cut);
  if (ok && !sni_npy_read_header(text + begin, end - begin, out, &why))
    ok = (refuse(c, s, why.text), false);
  sni_free(&c->family->allocator, text, end);
  return ok;
}

// Elements are followed by the end.
static bool check_length(sn_context *c, const source *s, const sni_npy *array) {
  if (s->left == SIZE_MAX || s->left == array->bytes) return true;
  sni_error(c, SN_ERR_FILE, "%s: %s: %zu bytes of elements, the header says %zu", c->frame.op,
            s->name, s->left, array->bytes);
  return false;
}

static bool take_elements(sn_context *c, source *s, const sni_npy *array, void *out) {
  char more;
  size_t extra = 0;
  if (!take(c, s, out, array->bytes, "the file ends inside its elements")) return false;
  if (s->fd < 0 || sni_read_bytes(s->fd, &more, 1, &extra) || !extra) return true;
  refuse(c, s, "bytes behind the elements");
  return false;
}

static void swap_bytes(char *data, size_t bytes, size_t part) {
  for (size_t i = 0; i < bytes; i += part)
    for (size_t k = 0; k < part / 2; k++) {
      const char low = data[i + k];
      data[i + k] = data[i + part - 1 - k];
      data[i + part - 1 - k] = low;
    }
}

// As kernels want them: the CPU's order of bytes, bools of 0 and 1.
static void normalize(const sni_npy *array, void *data) {
  uint8_t *bytes = data;
  const size_t part = sni_dtype_bytes(sni_part_dtype(array->dtype));
  if (array->big_endian && part > 1) swap_bytes(data, array->bytes, part);
  for (size_t i = 0; array->dtype == SN_BOOL && i < array->bytes; i++) bytes[i] = bytes[i] != 0;
}

static sn_tensor *load_columns(sn_context *c, source *s, const sni_npy *array, sn_tensor *y) {
  int64_t rows[SN_MAX_RANK], columns[SN_MAX_RANK];
  const sn_shape *shape = &array->shape;
  const size_t size = sni_dtype_bytes(array->dtype);
  sni_buffer *buffer = sni_buffer_create(c->family->buffers, array->bytes);
  if (!buffer) return sni_error_from(c, sni_fail_memory(&c->diag, array->bytes, "an array"), NULL);
  const bool ok = take_elements(c, s, array, sni_buffer_host(buffer));
  if (ok) {
    sni_row_major(shape->rank, shape->dims, size, rows);
    sni_column_major(shape->rank, shape->dims, size, columns);
    sni_copy_strided(y->data, rows, sni_buffer_host(buffer), columns, shape->rank, shape->dims,
                     size);
    normalize(array, y->data);
  }
  sni_buffer_release(buffer);
  return ok ? y : &c->error_tensor;
}

// ---- strings, each of as many bytes as the longest, filled up with zeros
static uint32_t unit_at(const sni_npy *array, const char *at) {
  const unsigned char *b = (const unsigned char *)at;
  const bool big = array->big_endian;
  return (uint32_t)b[big ? 3 : 0] | (uint32_t)b[big ? 2 : 1] << 8 | (uint32_t)b[big ? 1 : 2] << 16 |
         (uint32_t)b[big ? 0 : 3] << 24;
}

// UTF-32 as UTF-8, in place. False: it is no text.
static bool to_utf8(const sni_npy *array, char *data, sn_text *out) {
  size_t used = 0, end = array->element;
  while (end && !unit_at(array, data + end - 4)) end -= 4;
  for (size_t i = 0; i < end; i += 4) {
    const uint32_t code = unit_at(array, data + i);
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    data[used++] = (char)(more ? (0xFFu << (7 - more) & 0xFF) | code >> (6 * more) : code);
    for (int k = more - 1; k >= 0; k--) data[used++] = (char)(0x80 | (code >> (6 * k) & 0x3F));
  }
  *out = (sn_text){data, used};
  return true;
}

static sn_tensor *strings_of(sn_context *c, const source *s, const sni_npy *array, char *data,
                             sn_text *texts, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    char *at = data + (size_t)i * array->element, why[64];
    size_t length = array->element;
    while (!array->unicode && length && !at[length - 1]) length--;
    texts[i] = (sn_text){at, length};
    if (!array->unicode || to_utf8(array, at, &texts[i])) continue;
    (void)snprintf(why, sizeof(why), "element %lld is no Unicode text", (long long)i);
    return refuse(c, s, why);
  }
  return sni_strings_of(c, &array->shape, texts);
}

static sn_tensor *load_strings(sn_context *c, source *s, const sni_npy *array, size_t n) {
  sni_allocator *allocator = &c->family->allocator;
  const size_t room = array->bytes ? array->bytes : 1;
  const sn_shape *shape = &array->shape;
  char *data = sni_alloc(allocator, room), *moved = NULL;
  sn_text *texts = sni_alloc(allocator, (n + 1) * sizeof(*texts));
  const bool turns = array->fortran_order && shape->rank > 1;
  if (turns) moved = sni_alloc(allocator, room);
  sn_tensor *y = &c->error_tensor;
  if (!data || !texts || (turns && !moved)) {
    sni_error_from(c, sni_fail_memory(&c->diag, room, "an array"), NULL);
  } else if (take_elements(c, s, array, data)) {
    if (turns) {
      int64_t rows[SN_MAX_RANK], columns[SN_MAX_RANK];
      sni_row_major(shape->rank, shape->dims, array->element, rows);
      sni_column_major(shape->rank, shape->dims, array->element, columns);
      if (array->bytes)
        sni_copy_strided(moved, rows, data, columns, shape->rank, shape->dims, array->element);
    }
    y = strings_of(c, s, array, turns ? moved : data, texts, (int64_t)n);
  }
  sni_free(allocator, data, room);
  if (moved) sni_free(allocator, moved, room);
  sni_free(allocator, texts, (n + 1) * sizeof(*texts));
  return y;
}

static sn_tensor *load_from(sn_context *c, source *s) {
  sni_npy array;
  sni_type type;
  if (!take_header(c, s, &array) || !check_length(c, s, &array) ||
      !sni_known_shape_type(c, array.dtype, &array.shape, &type))
    return &c->error_tensor;
  if (array.dtype == SN_STRING)
    return load_strings(c, s, &array, (size_t)sni_type_size(NULL, &type));
  sn_tensor *y = sni_tensor_new(c, &type);
  if (!y) return &c->error_tensor;
  if (array.fortran_order && type.rank > 1) {
    if (!sn_failed(load_columns(c, s, &array, y))) return y;
  } else if (take_elements(c, s, &array, y->data)) {
    normalize(&array, y->data);
    return y;
  }
  sni_scope_drop_newest(c);
  return &c->error_tensor;
}

static bool may_load(sn_context *c, const void *from, const char *what) {
  if (!from)
    sni_error(c, SN_ERR_ARGUMENT, "%s: %s is NULL", c->frame.op, what);
  else if (c->trace)
    sni_error(c, SN_ERR_STATE, "%s: in a trace: load it before the call", c->frame.op);
  return !c->diag.status;
}

sn_tensor *(sn_load_npy)(sn_context *context, const char *path) {
  struct stat about;
  SNI_ENTER(context, "sn_load_npy", sni_refused(context, context_refused));
  if (!may_load(context, path, "path")) return &context->error_tensor;
  source s = {.name = path, .left = SIZE_MAX};
  s.fd = open(path, O_RDONLY | O_CLOEXEC);
  if (s.fd < 0) return refuse(context, &s, strerror(errno));
  if (fstat(s.fd, &about) == 0 && S_ISREG(about.st_mode)) s.left = (size_t)about.st_size;
  sn_tensor *y = load_from(context, &s);
  (void)close(s.fd);
  return y;
}

sn_tensor *(sn_load_npy_bytes)(sn_context *context, const void *bytes, size_t length) {
  SNI_ENTER(context, "sn_load_npy_bytes", sni_refused(context, context_refused));
  if (!may_load(context, bytes, "bytes")) return &context->error_tensor;
  source s = {.name = "the bytes given", .fd = -1, .bytes = bytes, .left = length};
  return load_from(context, &s);
}

// ---- writing
// A tensor's file: what is before the elements, and these, held until released.
typedef struct picture {
  char header[SNI_NPY_WRITTEN];
  size_t header_bytes, bytes;
  sni_buffer *buffer;
  char *data;
  char *strings;  // the elements, where they are strings; else NULL
} picture;

// Elements as they lie in a file. An error is pending: no memory, or one ends with a 0, which readers take for none of it.
static void take_strings(sn_context *c, picture *p, size_t n, size_t *out_width) {
  const sni_string *elements = (const sni_string *)(const void *)p->data;
  size_t width = 1;
  for (size_t i = 0; i < n; i++) {
    const sn_text text = sni_string_text(elements[i]);
    if (text.length > width) width = text.length;
    if (!text.length || text.data[text.length - 1]) continue;
    sni_error(c, SN_ERR_UNSUPPORTED,
              "%s: string %zu ends with a 0 byte, which strings of .npy files cannot", c->frame.op,
              i);
    return;
  }
  *out_width = width;
  if (!sni_mul_size(n, width, &p->bytes) ||
      !(p->strings = sni_alloc_zeroed(&c->family->allocator, p->bytes + 1))) {
    sni_error_from(c, sni_fail_memory(&c->diag, p->bytes, "a file"), NULL);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const sn_text text = sni_string_text(elements[i]);
    if (text.length) memcpy(p->strings + i * width, text.data, text.length);
  }
}

static void end_picture(sn_context *c, picture *p) {
  sni_buffer_release(p->buffer);
  if (p->strings) sni_free(&c->family->allocator, p->strings, p->bytes + 1);
}

static bool take_picture(sn_context *c, const sn_tensor *t, picture *out) {
  size_t width = 0;
  sn_shape shape = {.rank = t->type.rank};
  for (int i = 0; i < shape.rank; i++) shape.dims[i] = t->type.dims[i];
  out->bytes = sni_type_bytes(&t->type);
  out->strings = NULL;
  sni_tensor_snapshot((sn_tensor *)(uintptr_t)t, &out->buffer, &out->data);
  if (t->type.dtype == SN_STRING)
    take_strings(c, out, (size_t)sni_type_size(NULL, &t->type), &width);
  if (out->strings) out->data = out->strings;
  out->header_bytes = sni_npy_write_header(t->type.dtype, width, &shape, out->header);
  if (!c->diag.status) return true;
  end_picture(c, out);
  return false;
}

static int write_file(sni_new_file *file, const char *path, const picture *p) {
  int failed = sni_new_file_open(file, path);
  if (failed) return failed;
  failed = sni_new_file_write(file, p->header, p->header_bytes);
  if (!failed) failed = sni_new_file_write(file, p->data, p->bytes);
  return sni_new_file_close(file, failed);
}

static void save(sn_context *c, const sn_tensor *t, const char *path) {
  picture p;
  sni_new_file *file = path ? sni_alloc(&c->family->allocator, sizeof(*file)) : NULL;
  if (!path) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_save_npy: path is NULL");
    return;
  }
  if (!file) {
    sni_error_from(c, sni_fail_memory(&c->diag, sizeof(*file), "a file"), NULL);
    return;
  }
  if (take_picture(c, t, &p)) {
    const int failed = write_file(file, path, &p);
    if (failed) sni_error(c, SN_ERR_FILE, "sn_save_npy: %s: %s", path, strerror(failed));
    end_picture(c, &p);
  }
  sni_free(&c->family->allocator, file, sizeof(*file));
}

static void save_bytes(sn_context *c, const sn_tensor *t, char *out, size_t capacity,
                       size_t *out_length) {
  picture p;
  if (!out_length) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_save_npy_bytes: out_length is NULL");
    return;
  }
  if (!take_picture(c, t, &p)) return;
  *out_length = p.header_bytes + p.bytes;
  if (out && capacity < *out_length) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_save_npy_bytes: the file has %zu bytes, given room for %zu",
              *out_length, capacity);
  } else if (out) {
    memcpy(out, p.header, p.header_bytes);
    if (p.bytes) memcpy(out + p.header_bytes, p.data, p.bytes);
  }
  end_picture(c, &p);
}

sn_status sn_save_npy_at(const sn_tensor *t, const char *path, const char *file, int line) {
  bool ready;
  sn_status refused;
  SNI_ENTERED c = sni_begin_read("sn_save_npy", t, file, line, &ready, &refused);
  if (!c) return refused;
  if (ready) save(c, t, path);
  sni_locate_error(c, file, line);
  return sni_finish(c);
}

sn_status sn_save_npy_bytes_at(const sn_tensor *t, void *out, size_t capacity, size_t *out_length,
                               const char *file, int line) {
  bool ready;
  sn_status refused;
  if (out_length) *out_length = 0;
  SNI_ENTERED c = sni_begin_read("sn_save_npy_bytes", t, file, line, &ready, &refused);
  if (!c) return refused;
  if (ready) save_bytes(c, t, out, capacity, out_length);
  sni_locate_error(c, file, line);
  return sni_finish(c);
}

sn_status(sn_save_npy)(const sn_tensor *t, const char *path) {
  return sn_save_npy_at(t, path, NULL, 0);
}

sn_status(sn_save_npy_bytes)(const sn_tensor *t, void *out, size_t capacity, size_t *out_length) {
  return sn_save_npy_bytes_at(t, out, capacity, out_length, NULL, 0);
}
