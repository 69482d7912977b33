// Indexing as NumPy writes it: sn_at(x, "..., 1:, None, %d", i). The text is formatted first, then read item by item; what it says is
// one slice, and one reshape where an index drops an axis or None adds one. sn_set_at puts a value there.
#include "frontend/ops/compose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { most_items = 2 * SN_MAX_RANK + 1 };

typedef struct item {
  enum { RANGE, INDEX, NEW_AXIS, ELLIPSIS } kind;
  sn_range_spec range;  // RANGE
  int64_t index;        // INDEX
} item;

typedef struct subscript {
  item items[most_items];
  int n, n_axes;  // axes: of ranges and indices
  bool has_ellipsis;
} subscript;

// ---- reading
static const char *skip(const char *s) {
  while (*s == ' ') s++;
  return s;
}

// A decimal number; *out_given is false where there is none. NULL: none that 64 bits have.
static const char *read_number(const char *s, int64_t *out, bool *out_given) {
  s = skip(s);
  const bool negative = *s == '-', has_sign = negative || *s == '+';
  s += has_sign;
  *out = 0;
  *out_given = *s >= '0' && *s <= '9';
  if (!*out_given) return has_sign ? NULL : s;
  for (; *s >= '0' && *s <= '9'; s++)
    if (__builtin_mul_overflow(*out, 10, out) ||
        __builtin_add_overflow(*out, negative ? '0' - *s : *s - '0', out))
      return NULL;
  return skip(s);
}

static const char *read_range(const char *s, item *it) {
  int64_t numbers[3] = {0, 0, 1};
  bool given[3] = {false};
  int n = 0;
  for (; n < 3; n++) {
    if (!(s = read_number(s, &numbers[n], &given[n]))) return NULL;
    if (*s != ':') break;
    if (n < 2) s++;
  }
  if (n == 3) return NULL;
  if (n == 0) {  // no colon
    if (!given[0]) return NULL;
    *it = (item){.kind = INDEX, .index = numbers[0]};
    return s;
  }
  const int64_t step = given[2] ? numbers[2] : 1;
  *it = (item){.kind = RANGE,
               .range = {given[0]   ? numbers[0]
                         : step < 0 ? SN_END
                                    : 0,
                         given[1] ? numbers[1] : SN_END, step}};
  return s;
}

static const char *read_item(const char *s, item *it) {
  if (!strncmp(s, "...", 3)) return *it = (item){.kind = ELLIPSIS}, skip(s + 3);
  if (!strncmp(s, "None", 4)) return *it = (item){.kind = NEW_AXIS}, skip(s + 4);
  return read_range(s, it);
}

// NULL, or what is wrong.
static const char *read(const char *s, subscript *out) {
  *out = (subscript){.n = 0};
  for (s = skip(s); *s;) {
    if (out->n == most_items) return "too many items";
    item *it = &out->items[out->n];
    if (!(s = read_item(s, it)))
      return "expected numbers, start:stop:step, None and \"...\", with commas between";
    if (it->kind == ELLIPSIS && out->has_ellipsis) return "\"...\" stands twice";
    if (it->kind == RANGE && !it->range.step) return "a step is 0";
    out->has_ellipsis |= it->kind == ELLIPSIS;
    out->n_axes += it->kind == RANGE || it->kind == INDEX;
    out->n++;
    if (!*s) break;
    if (*s != ',') return "expected a comma between items";
    s = skip(s + 1);
  }
  return NULL;
}

// ---- doing
// What a subscript says of an operand.
typedef struct layout {
  sn_range_spec ranges[SN_MAX_RANK];  // an index as one element
  char drops[SN_MAX_RANK], adds[SN_MAX_RANK + 1];
  bool is_plain;  // of ranges alone
} layout;

// The index as a range of one element. Of a symbolic axis it only asks that it be long enough.
static bool one_element(sn_context *c, const sn_tensor *x, int axis, int64_t index,
                        sn_range_spec *out) {
  char text[SNI_TENSOR_NAME];
  const int64_t least = index < 0 ? -(index + 1) : index;  // the axis must be longer than this
  *out = (sn_range_spec){index, index == -1 ? SN_END : index + 1, 1};
  if (least < INT64_MAX && sni_dim_require(sni_context_dims(c), x->type.dims[axis], least + 1))
    return true;
  sni_error(c, SN_ERR_INDEX, "%s: index %lld is out of range for axis %d of operand #0 %s",
            c->frame.op, (long long)index, axis, sni_describe(x, text));
  return false;
}

static bool lay_out(sn_context *c, const sn_tensor *x, const subscript *s, layout *l) {
  int axis = 0;
  *l = (layout){.is_plain = true};
  for (int i = 0; i < s->n; i++) {
    const item *it = &s->items[i];
    l->is_plain &= it->kind == RANGE || it->kind == ELLIPSIS;
    if (it->kind == ELLIPSIS) {
      axis += x->type.rank - s->n_axes;
    } else if (it->kind == NEW_AXIS) {
      l->adds[axis]++;
    } else {
      l->ranges[axis] = it->range;
      l->drops[axis] = it->kind == INDEX;
      if (l->drops[axis] && !one_element(c, x, axis, it->index, &l->ranges[axis])) return false;
      axis++;
    }
  }
  return true;
}

// The slice without the axes that are dropped, with those that are new.
static bool result_type(sn_context *c, const sn_tensor *x, const layout *l, const sni_type *slice,
                        sni_type *out) {
  char text[SNI_TENSOR_NAME];
  int rank = l->adds[x->type.rank];
  for (int i = 0; i < x->type.rank; i++) rank += l->adds[i] + !l->drops[i];
  if (rank > SN_MAX_RANK) {
    sni_error(c, SN_ERR_SHAPE, "%s: the result of operand #0 %s would have rank %d", c->frame.op,
              sni_describe(x, text), rank);
    return false;
  }
  *out = (sni_type){.dtype = x->type.dtype};
  for (int i = 0; i <= x->type.rank; i++) {
    for (int k = 0; k < l->adds[i]; k++) out->dims[out->rank++] = 1;
    if (i < x->type.rank && !l->drops[i]) out->dims[out->rank++] = slice->dims[i];
  }
  return true;
}

static bool read_text(sn_context *c, const sn_tensor *x, const char *format, va_list arguments,
                      layout *out) {
  char text[256], name[SNI_TENSOR_NAME];
  subscript s;
  const char *wrong = format ? NULL : "the index is NULL";
  const int length = format ? vsnprintf(text, sizeof(text), format, arguments) : 0;
  if (length < 0 || length >= (int)sizeof(text)) wrong = "the index is longer than 255 characters";
  if (wrong) return sni_error(c, SN_ERR_ARGUMENT, "%s: %s", c->frame.op, wrong), false;
  wrong = read(text, &s);
  if (wrong)
    sni_error(c, SN_ERR_ARGUMENT, "%s: \"%s\": %s", c->frame.op, text, wrong);
  else if (s.n_axes > x->type.rank)
    sni_error(c, SN_ERR_SHAPE, "%s: \"%s\": %d axes for operand #0 %s of rank %d", c->frame.op,
              text, s.n_axes, sni_describe(x, name), x->type.rank);
  else
    return lay_out(c, x, &s, out);
  return false;
}

static sn_tensor *apply(sn_context *c, sn_tensor *x, const layout *l) {
  sni_type type;
  sn_tensor *y = (sn_slice)(x, l->ranges, x->type.rank);
  if (sn_failed(y) || l->is_plain) return y;
  return result_type(c, x, l, &y->type, &type) ? sni_reshape_to(c, y, &type) : &c->error_tensor;
}

sn_tensor *(sn_at)(sn_tensor *x, const char *format, ...) {
  SNI_BEGIN_COMPOSED(c, "sn_at", x);
  layout l;
  va_list arguments;
  va_start(arguments, format);
  const bool ok = read_text(c, x, format, arguments, &l);
  va_end(arguments);
  return ok ? sni_keep_only(c, c_first, apply(c, x, &l)) : &c->error_tensor;
}

// ---- the other way round
sn_tensor *sni_set_at(sn_context *c, sn_tensor *x, sn_tensor *value, const char *format,
                      va_list arguments) {
  layout l;
  sni_slice_of slice;
  sni_type type;
  if (!read_text(c, x, format, arguments, &l) ||
      !sni_find_slice(c, x, l.ranges, x->type.rank, &slice) ||
      !result_type(c, x, &l, &slice.type, &type))
    return &c->error_tensor;
  return sni_set_slice(c, x, value, &slice, &type);
}

sn_tensor *(sn_set_at)(sn_tensor *x, sn_tensor *value, const char *format, ...) {
  SNI_BEGIN_COMPOSED(c, "sn_set_at", x, value);
  va_list arguments;
  va_start(arguments, format);
  sn_tensor *y = sni_set_at(c, x, value, format, arguments);
  va_end(arguments);
  return sni_keep_only(c, c_first, y);
}
