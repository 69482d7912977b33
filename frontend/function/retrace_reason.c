// Why a call was traced again, in words: what differs between its signature and the one before.
//
// Called while the group still holds the types of its latest trace: those are what is compared.
#include "frontend/function/function.h"
#include "frontend/function/static_value.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct reason {
  char *buffer;
  size_t capacity, length;
} reason;

static void SNI_PRINTF(2, 3) say(reason *r, const char *format, ...) {
  va_list arguments;
  if (r->length + 1 >= r->capacity) return;
  va_start(arguments, format);
  int n = vsnprintf(r->buffer + r->length, r->capacity - r->length, format, arguments);
  va_end(arguments);
  if (n > 0) r->length += (size_t)n;
  if (r->length >= r->capacity) r->length = r->capacity - 1;
}

static bool is_absent(const sni_input_key *key) {
  return key->kind == SNI_INPUT_STATIC && sni_is_absent_value(key->type.dtype, key->value);
}

static void describe_key(const sni_input_key *key, const sni_type *type, char *buffer,
                         size_t capacity) {
  char text[SNI_TENSOR_NAME * 2];
  if (key->kind == SNI_INPUT_STATIC)
    sni_describe_static(type->dtype, key->value, text, sizeof(text));
  else
    sni_describe_key_type(type, text, sizeof(text));
  static const char *const kinds[] = {
      [SNI_INPUT_TENSOR] = "", [SNI_INPUT_STATIC] = "static ", [SNI_INPUT_VARIABLE] = "variable "};
  snprintf(buffer, capacity, "%s%s", is_absent(key) ? "" : kinds[key->kind],
           is_absent(key) ? "absent" : text);
}

// Not of the same sort at all.
static bool other_kind(const sni_input_key *old, const sni_input_key *now) {
  return old->kind != now->kind || is_absent(old) != is_absent(now) ||
         (now->kind == SNI_INPUT_STATIC && old->type.dtype != now->type.dtype);
}

static void compare_input(reason *r, const char *input, const sni_input_key *old,
                          const sni_type *was, const sni_input_key *now) {
  char a[SNI_TENSOR_NAME * 3], b[SNI_TENSOR_NAME * 3];
  const sni_type *is = &now->type;
  const char *next = r->length ? "; " : "";
  if (other_kind(old, now)) {
    describe_key(old, was, a, sizeof(a));
    describe_key(now, is, b, sizeof(b));
    say(r, "%s%s: was %s, is %s", next, input, a, b);
  } else if (now->kind == SNI_INPUT_STATIC) {
    if (old->value == now->value) return;
    sni_describe_static(was->dtype, old->value, a, sizeof(a));
    sni_describe_static(is->dtype, now->value, b, sizeof(b));
    say(r, "%s%s: static value was %s, is %s", next, input, a, b);
  } else if (now->kind == SNI_INPUT_VARIABLE) {
    if (old->variable != now->variable) say(r, "%s%s: another variable", next, input);
  } else if (was->dtype != is->dtype) {
    say(r, "%s%s: dtype was %s, is %s", next, input, sn_dtype_name(was->dtype),
        sn_dtype_name(is->dtype));
  } else if (was->rank != is->rank) {
    say(r, "%s%s: rank was %d, is %d", next, input, was->rank, is->rank);
  } else {
    for (int d = 0; d < is->rank; d++)
      if (was->dims[d] != is->dims[d])
        say(r, "%s%s: dim %d was %lld, is %lld", r->length ? "; " : "", input, d,
            (long long)was->dims[d], (long long)is->dims[d]);
  }
}

static void describe_guards(reason *r, const sn_program *program, const int64_t *symbols) {
  const sni_dim_table *dims = program->graph->dims;
  for (uint32_t i = 0; i < program->n_guards; i++) {
    char broken[200];
    if (sni_dim_guard_holds(dims, program->guards[i], symbols)) continue;
    sni_dim_guard_format(dims, program->guards[i], symbols, broken, sizeof(broken));
    say(r, "%sthe traced code needs %s", r->length ? "; " : "", broken);
  }
}

void sni_describe_retrace(const sn_function *function, const sni_shape_group *group, bool fresh,
                          const sni_input_key *keys, const sn_program *blocking,
                          const int64_t *symbols, char *buffer, size_t capacity) {
  reason r = {buffer, capacity, 0};
  buffer[0] = 0;
  // A signature of a new class is compared with the class that was used before it.
  const sni_shape_group *other = fresh ? NULL : group;
  for (uint32_t i = 0; fresh && i < function->n_groups; i++)
    if (function->groups[i].traced && (!other || function->groups[i].used > other->used))
      other = &function->groups[i];
  if (!other) {
    say(&r, "first call");
    return;
  }
  for (int i = 0; i < function->n_inputs; i++) {
    char input[SNI_TENSOR_NAME * 2];
    sni_describe_input(function, i, input, sizeof(input));
    compare_input(&r, input, &other->keys[i], &other->last[i], &keys[i]);
  }
  if (blocking) describe_guards(&r, blocking, symbols);
  if (!r.length)
    say(&r, "its specialisation was dropped: cache_capacity is %u", function->capacity);
}
