// Values as text, as NumPy prints arrays: shortest decimals that tell the numbers apart (at most
// 8), columns aligned, long axes cut to their ends. Writes as snprintf does.
#include "frontend/ops/compose.h"
#include "runtime/float_modes.h"
#include "runtime/scalar.h"
#include "runtime/strings.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  most_elements = 1000,  // of a tensor that is printed whole
  edge = 3,              // elements at each end of an axis that is cut
  both_edges = 2 * edge,
  most_digits = 8,
  number_room = 512,
};

typedef struct writer {
  char *buffer;
  size_t capacity, length;
} writer;

typedef struct layout {
  sn_dtype dtype;
  int part;        // element of dtype at the data; complex: 1: the imaginary part
  bool imaginary;  // with its sign, and a j behind it
  bool scientific, cut;
  int digits;         // behind the point
  int before, width;  // characters before the point; of a whole number
} layout;

static void SNI_PRINTF(2, 3) put(writer *w, const char *format, ...) {
  size_t room = w->length < w->capacity ? w->capacity - w->length : 0;
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(room ? w->buffer + w->length : NULL, room, format, arguments);
  va_end(arguments);
  if (n > 0) w->length += (size_t)n;
}

static void pad(writer *w, int count) {
  if (count > 0) put(w, "%*s", count, "");
}

// ---- numbers
static double read_float(const layout *l, const char *data) {
  return sni_scalar_load(l->dtype, data, l->part).f;
}

static bool reads_back(const layout *l, const char *text, double value) {
  if (l->dtype == SN_F32) return strtof(text, NULL) == (float)value;
  return sni_scalar_of(l->dtype, strtod(text, NULL)).f == value;
}

static int format_float(const layout *l, int digits, double value, char text[number_room]) {
  if (l->imaginary)
    return snprintf(text, number_room, l->scientific ? "%+#.*e" : "%+#.*f", digits, value);
  return snprintf(text, number_room, l->scientific ? "%#.*e" : "%#.*f", digits, value);
}

// Least number of digits behind the point that gives the value back, up to most_digits.
static int digits_needed(const layout *l, double value) {
  char text[number_room];
  for (int digits = 0; digits < most_digits; digits++) {
    format_float(l, digits, value, text);
    if (reads_back(l, text, value)) return digits;
  }
  format_float(l, most_digits, value, text);
  int digits = most_digits;
  char *end = strchr(text, 'e');
  for (char *last = (end ? end : text + strlen(text)) - 1; digits > 0 && *last == '0'; last--)
    digits--;
  return digits;
}

static void put_float(writer *w, const layout *l, double value) {
  char text[number_room];
  const char *unit = l->imaginary ? "j" : "";
  if (!isfinite(value)) {
    const char *name = isnan(value) ? "+nan" : value < 0 ? "-inf" : "+inf";
    put(w, "%*s%s", l->width, name + (*name == '+' && !l->imaginary), unit);
    return;
  }
  int digits = digits_needed(l, value);
  if (l->scientific) digits = l->digits;
  int n = format_float(l, digits, value, text);
  if (l->scientific) {
    put(w, "%*s%s", l->width, text, unit);
    return;
  }
  int before = (int)strcspn(text, ".");
  pad(w, l->before - before);
  put(w, "%s%s", text, unit);
  pad(w, l->width - l->before - (n - before));
}

// In quotes, with C's escapes of what is not printed; other bytes as they are: UTF-8 is.
static void put_string(writer *w, sni_string s) {
  const sn_text text = sni_string_text(s);
  put(w, "\"");
  for (size_t i = 0; i < text.length; i++) {
    const unsigned char byte = (unsigned char)text.data[i];
    if (byte == '"' || byte == '\\')
      put(w, "\\%c", byte);
    else if (byte == '\n')
      put(w, "\\n");
    else if (byte < 0x20 || byte == 0x7F)
      put(w, "\\x%02x", byte);
    else
      put(w, "%c", byte);
  }
  put(w, "\"");
}

// Of complex numbers there are two layouts, the second of the imaginary parts.
static void put_element(writer *w, const layout *l, const char *data) {
  if (l->dtype == SN_STRING) {
    put_string(w, *(const sni_string *)(const void *)data);
    return;
  }
  if (l[1].imaginary) {
    put_float(w, &l[0], read_float(&l[0], data));
    put_float(w, &l[1], read_float(&l[1], data));
    return;
  }
  const sni_scalar value = sni_scalar_load(l->dtype, data, 0);
  if (sni_is_float(l->dtype))
    put_float(w, l, value.f);
  else if (l->dtype == SN_BOOL)
    put(w, "%*s", l->width, value.i ? "True" : "False");
  else if (sni_is_unsigned(l->dtype))
    put(w, "%*llu", l->width, (unsigned long long)value.i);
  else
    put(w, "%*lld", l->width, (long long)value.i);
}

// ---- walking: what is shown of each axis
typedef void (*element_visitor)(void *user, const char *data);

static bool is_shown(const layout *l, int64_t i, int64_t n) {
  return !l->cut || n <= both_edges || i < edge || i >= n - edge;
}

static void visit(const sni_type *type, const layout *l, int axis, const char *data, size_t bytes,
                  element_visitor visitor, void *user) {
  if (axis == type->rank) {
    visitor(user, data);
    return;
  }
  int64_t n = type->dims[axis];
  if (!n) return;
  size_t step = bytes / (size_t)n;
  for (int64_t i = 0; i < n; i++) {
    if (is_shown(l, i, n))
      visit(type, l, axis + 1, data + (size_t)i * step, step, visitor, user);
    else
      i = n - edge - 1;
  }
}

// ---- layout
typedef struct survey {
  layout *l;
  double least, greatest;  // magnitudes of the finite ones that are not 0
} survey;

static void survey_range(void *user, const char *data) {
  survey *s = user;
  double magnitude = fabs(read_float(s->l, data));
  if (!isfinite(magnitude) || magnitude == 0) return;
  if (s->greatest == 0 || magnitude < s->least) s->least = magnitude;
  if (magnitude > s->greatest) s->greatest = magnitude;
}

static void survey_digits(void *user, const char *data) {
  survey *s = user;
  char text[number_room];
  double value = read_float(s->l, data);
  if (!isfinite(value)) {
    int n = value < 0 || s->l->imaginary ? 4 : 3;
    if (n > s->l->width) s->l->width = n;
    return;
  }
  int digits = digits_needed(s->l, value);
  if (digits > s->l->digits) s->l->digits = digits;
  format_float(s->l, digits, value, text);
  int before = (int)strcspn(text, ".e");
  if (before > s->l->before) s->l->before = before;
}

static void survey_exponents(void *user, const char *data) {
  survey *s = user;
  char text[number_room];
  double value = read_float(s->l, data);
  int n = isfinite(value) ? format_float(s->l, s->l->digits, value, text) : 0;
  if (n > s->l->width) s->l->width = n;
}

static void survey_integer(void *user, const char *data) {
  survey *s = user;
  layout narrow[2] = {{.dtype = s->l->dtype}};
  writer none = {NULL, 0, 0};
  put_element(&none, narrow, data);
  if ((int)none.length > s->l->width) s->l->width = (int)none.length;
}

static void lay_out_floats(const sni_type *type, const char *data, layout *l) {
  size_t bytes = sni_type_bytes(type);
  survey s = {.l = l};
  visit(type, l, 0, data, bytes, survey_range, &s);
  l->scientific =
      s.greatest >= 1e8 || (s.greatest > 0 && (s.least < 1e-4 || s.greatest / s.least > 1e3));
  if (!type->rank) l->scientific = s.greatest >= 1e16 || (s.greatest > 0 && s.least < 1e-4);
  visit(type, l, 0, data, bytes, survey_digits, &s);
  if (l->scientific) {
    visit(type, l, 0, data, bytes, survey_exponents, &s);
  } else {
    if (l->before + 1 + l->digits < l->width) l->before = l->width - 1 - l->digits;  // nan, inf
    l->width = l->before + 1 + l->digits;
  }
}

static void make_layouts(const sni_type *type, const char *data, layout l[2]) {
  const bool complex = sni_is_complex(type->dtype);
  const bool cut = sni_type_size(NULL, type) > most_elements;
  const sn_dtype part = sni_part_dtype(type->dtype);
  l[0] = (layout){.dtype = part, .cut = cut};
  l[1] = (layout){.dtype = part, .cut = cut, .part = 1, .imaginary = complex};
  survey s = {.l = l};
  if (part == SN_STRING) return;
  if (sni_is_float(part))
    for (int i = 0; i <= complex; i++) lay_out_floats(type, data, &l[i]);
  else
    visit(type, l, 0, data, sni_type_bytes(type), survey_integer, &s);
}

// ---- text
static void put_axis(writer *w, const sni_type *type, const layout *l, int axis, const char *data,
                     size_t bytes) {
  if (axis == type->rank) {
    put_element(w, l, data);
    return;
  }
  int64_t n = type->dims[axis];
  size_t step = n ? bytes / (size_t)n : 0;
  bool last_axis = axis == type->rank - 1;
  put(w, "[");
  for (int64_t i = 0; i < n; i++) {
    if (i > 0) {
      for (int k = last_axis ? 1 : axis - type->rank + 1; k < 0; k++) put(w, "\n");
      put(w, "%*s", last_axis ? 1 : axis + 1, "");
    }
    if (is_shown(l, i, n)) {
      put_axis(w, type, l, axis + 1, data + (size_t)i * step, step);
    } else {
      put(w, "...");
      i = n - edge - 1;
    }
  }
  put(w, "]");
}

static size_t format(const sn_tensor *t, char *buffer, size_t capacity) {
  writer w = {buffer, buffer ? capacity : 0, 0};
  char text[SNI_TENSOR_NAME];
  if (w.capacity) buffer[0] = 0;
  if (!t || (t->kind != SNI_TENSOR_EAGER && t->kind != SNI_TENSOR_VARIABLE)) {
    put(&w, t && t->kind == SNI_TENSOR_TRACED ? "traced %s" : "%s", sni_describe(t, text));
    return w.length;
  }
  sni_buffer *held;
  char *data;
  sni_tensor_snapshot((sn_tensor *)(uintptr_t)t, &held, &data);
  if (!sni_type_bytes(&t->type)) {
    put(&w, "[]");  // as NumPy: whatever the other dims are
  } else {
    layout l[2];
    make_layouts(&t->type, data, l);
    for (int i = 0; i < 2 && !t->type.rank; i++) l[i].width = l[i].before = 0;
    put_axis(&w, &t->type, l, 0, data, sni_type_bytes(&t->type));
  }
  sni_buffer_release(held);
  return w.length;
}

size_t sn_format(const sn_tensor *t, char *buffer, size_t capacity) {
  const sni_text_modes modes = sni_enter_text_modes();
  const size_t length = format(t, buffer, capacity);
  sni_leave_text_modes(modes);
  return length;
}
