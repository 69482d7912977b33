// Why a call was traced again: what differs between its signature and the one before, piece by piece, and in words.
//
// Called while the group still holds the types of its latest trace: those are what is compared.
#include "frontend/function/function.h"
#include "frontend/function/static_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// ---- what differs
// The first ones are kept; what is written to the place behind them is not looked at.
static sn_retrace *add(sni_retrace_list *list, sn_retrace_cause cause, int input) {
  sn_retrace *item = &list->items[list->n];
  list->n += list->n < sni_most_differences;
  *item = (sn_retrace){.size = sizeof(*item), .cause = cause, .input = input, .dim = -1};
  return item;
}

static void say_number(char *buffer, size_t capacity, int64_t value) {
  snprintf(buffer, capacity, "%lld", (long long)value);
}

static sn_retrace *add_numbers(sni_retrace_list *list, sn_retrace_cause cause, int input,
                               int64_t was, int64_t is) {
  sn_retrace *item = add(list, cause, input);
  item->old_value = was;
  item->new_value = is;
  say_number(item->was, sizeof(item->was), was);
  say_number(item->is, sizeof(item->is), is);
  return item;
}

static bool is_absent(const sni_input_key *key) {
  return key->kind == SNI_INPUT_STATIC && sni_is_absent_value(key->type.dtype, key->value);
}

static void describe_key(const sni_input_key *key, const sni_type *type, char *buffer,
                         size_t capacity) {
  char text[SNI_TENSOR_NAME];
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

static void add_static(sni_retrace_list *list, int input, const sni_input_key *old,
                       const sni_input_key *now) {
  sn_retrace *item = add(list, SN_RETRACE_STATIC, input);
  item->old_value = old->value;
  item->new_value = now->value;
  sni_describe_static(old->type.dtype, old->value, item->was, sizeof(item->was));
  sni_describe_static(now->type.dtype, now->value, item->is, sizeof(item->is));
}

static void compare_dims(sni_retrace_list *list, int input, const sni_shape_group *group,
                         const sni_type *was, const sni_type *is) {
  for (int d = 0; d < is->rank; d++) {
    if (was->dims[d] == is->dims[d]) continue;
    sn_retrace *item = add_numbers(list, SN_RETRACE_DIM, input, was->dims[d], is->dims[d]);
    const sni_pin *pin = &group->pins[input * SN_MAX_RANK + d];
    item->dim = d;
    item->op = pin->op;
    item->file = pin->file;
    item->line = pin->line;
  }
}

static void compare_input(sni_retrace_list *list, int input, const sni_shape_group *group,
                          const sni_input_key *now) {
  const sni_input_key *old = &group->keys[input];
  const sni_type *was = &group->last[input], *is = &now->type;
  if (other_kind(old, now)) {
    sn_retrace *item = add(list, SN_RETRACE_KIND, input);
    describe_key(old, was, item->was, sizeof(item->was));
    describe_key(now, is, item->is, sizeof(item->is));
  } else if (now->kind == SNI_INPUT_STATIC) {
    if (old->value != now->value) add_static(list, input, old, now);
  } else if (now->kind == SNI_INPUT_VARIABLE) {
    if (old->variable != now->variable) add(list, SN_RETRACE_VARIABLE, input);
  } else if (was->dtype != is->dtype) {
    sn_retrace *item = add_numbers(list, SN_RETRACE_DTYPE, input, was->dtype, is->dtype);
    snprintf(item->was, sizeof(item->was), "%s", sn_dtype_name(was->dtype));
    snprintf(item->is, sizeof(item->is), "%s", sn_dtype_name(is->dtype));
  } else if (was->rank != is->rank) {
    add_numbers(list, SN_RETRACE_RANK, input, was->rank, is->rank);
  } else {
    compare_dims(list, input, group, was, is);
  }
}

static void add_guards(sni_retrace_list *list, const sn_program *program, const int64_t *symbols) {
  const sni_dim_table *dims = program->graph->dims;
  for (uint32_t i = 0; i < program->n_guards; i++) {
    const sni_dim_guard *guard = &program->guards[i];
    if (sni_dim_guard_holds(dims, *guard, symbols)) continue;
    sn_retrace *item = add(list, SN_RETRACE_CONDITION, -1);
    item->op = guard->op;
    item->file = guard->file;
    item->line = guard->line;
    sni_dim_guard_format(dims, *guard, symbols, item->was, sizeof(item->was));
  }
}

void sni_find_retrace(const sn_function *function, const sni_shape_group *group, bool fresh,
                      const sni_input_key *keys, const sn_program *blocking, const int64_t *symbols,
                      sni_retrace_list *out) {
  out->n = 0;
  // A signature of a new class is compared with the class that was used before it.
  const sni_shape_group *other = fresh ? NULL : group;
  for (uint32_t i = 0; fresh && i < function->n_groups; i++)
    if (function->groups[i].traced && (!other || function->groups[i].used > other->used))
      other = &function->groups[i];
  if (!other) {
    add(out, SN_RETRACE_FIRST, -1);
    return;
  }
  for (int i = 0; i < function->n_inputs; i++) compare_input(out, i, other, &keys[i]);
  if (blocking) add_guards(out, blocking, symbols);
  if (!out->n) add(out, SN_RETRACE_EVICTED, -1);
}

void sni_retrace_by_request(sni_retrace_list *out) {
  out->n = 0;
  add(out, SN_RETRACE_REQUEST, -1);
}

// ---- in words
typedef struct words {
  char *buffer;
  size_t capacity, length;
} words;

static void SNI_PRINTF(2, 3) say(words *w, const char *format, ...) {
  va_list arguments;
  if (w->length + 1 >= w->capacity) return;
  va_start(arguments, format);
  int n = vsnprintf(w->buffer + w->length, w->capacity - w->length, format, arguments);
  va_end(arguments);
  if (n > 0) w->length += (size_t)n;
  if (w->length >= w->capacity) w->length = w->capacity - 1;
}

static void say_origin(words *w, const sn_retrace *item, const char *verb) {
  if (item->file)
    say(w, " (%s%s at %s:%d)", verb, item->op ? item->op : "a call", item->file, item->line);
}

static void say_item(words *w, const sn_function *function, const sn_retrace *item) {
  char input[SNI_TENSOR_NAME * 2] = "";
  if (item->input >= 0) sni_describe_input(function, item->input, input, sizeof(input));
  switch (item->cause) {
    case SN_RETRACE_FIRST:
      say(w, "first call");
      break;
    case SN_RETRACE_REQUEST:
      say(w, "sn_function_compile");
      break;
    case SN_RETRACE_KIND:
      say(w, "%s: was %s, is %s", input, item->was, item->is);
      break;
    case SN_RETRACE_STATIC:
      say(w, "%s: static value was %s, is %s", input, item->was, item->is);
      break;
    case SN_RETRACE_VARIABLE:
      say(w, "%s: another variable", input);
      break;
    case SN_RETRACE_DTYPE:
      say(w, "%s: dtype was %s, is %s", input, item->was, item->is);
      break;
    case SN_RETRACE_RANK:
      say(w, "%s: rank was %s, is %s", input, item->was, item->is);
      break;
    case SN_RETRACE_DIM:
      say(w, "%s: dim %d was %s, is %s", input, item->dim, item->was, item->is);
      say_origin(w, item, "a number for ");
      break;
    case SN_RETRACE_CONDITION:
      say(w, "the traced code needs %s", item->was);
      say_origin(w, item, "");
      break;
    case SN_RETRACE_EVICTED:
      say(w, "its specialisation was dropped: cache_capacity is %u", function->capacity);
      break;
  }
}

void sni_describe_retrace(const sn_function *function, const sni_retrace_list *list, char *buffer,
                          size_t capacity) {
  words w = {buffer, capacity, 0};
  buffer[0] = 0;
  for (int i = 0; i < list->n; i++) {
    if (i) say(&w, "; ");
    say_item(&w, function, &list->items[i]);
  }
}

// ---- kept: one block, the text behind the differences
static size_t reason_bytes(int n, const char *text) {
  return (size_t)n * sizeof(sn_retrace) + strlen(text) + 1;
}

sn_status sni_keep_reason(sni_allocator *allocator, const sni_retrace_list *list, const char *text,
                          sni_diag *diag, sni_trace_reason *out) {
  const size_t bytes = reason_bytes(list->n, text);
  *out = (sni_trace_reason){.items = sni_alloc(allocator, bytes), .n = list->n};
  if (!out->items) return sni_fail_memory(diag, bytes, "a reason");
  memcpy(out->items, list->items, (size_t)list->n * sizeof(*out->items));
  out->text = memcpy(out->items + list->n, text, strlen(text) + 1);
  return SN_OK;
}

void sni_drop_reason(sni_allocator *allocator, sni_trace_reason *reason) {
  if (reason->items) sni_free(allocator, reason->items, reason_bytes(reason->n, reason->text));
  *reason = (sni_trace_reason){0};
}
