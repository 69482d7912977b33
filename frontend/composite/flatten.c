// A struct's fields as tensors, and back: in the one form a tensor for each leaf, so that static values and absent tensors are part
// of a signature; in the other the tensors there are, with a struct that says all the rest.
#include "frontend/composite/composite.h"
#include "frontend/function/static_value.h"

#include <stdio.h>
#include <string.h>

#undef sn_static
#undef sn_static_f64
#undef sn_static_bool
#undef sn_static_text
#undef sn_keep

// ---- one leaf
sn_tensor *sni_leaf_tensor(const sni_leaves *leaves, int leaf, const void *base) {
  const sni_leaf *at = &leaves->items[leaf];
  const void *field = (const char *)base + at->offset;
  sn_tensor *parts[SN_HANDLE_TENSORS] = {0};
  if (at->kind == SN_FIELD_TENSOR) return *(sn_tensor *const *)field;
  if (at->kind != SN_FIELD_HANDLE || !*(const void *const *)field) return NULL;
  at->handle->open(*(const void *const *)field, parts);
  return parts[at->part];
}

void sni_write_tensor(sni_struct_writer *writer, int leaf, sn_tensor *t) {
  const sni_leaf *at = &writer->leaves->items[leaf];
  void *field = (char *)writer->to + at->offset;
  if (at->kind == SN_FIELD_TENSOR) {
    *(sn_tensor **)field = t;
    return;
  }
  bool any = false;
  writer->parts[at->part] = t;
  if (at->part + 1 < at->handle->n_tensors) return;
  for (int i = 0; i <= at->part; i++) any |= writer->parts[i] != NULL;
  *(void **)field = any ? at->handle->make(writer->context, writer->parts) : NULL;
}

// ---- checks
bool sni_check_struct(sn_context *context, const sni_leaves *leaves, const void *from) {
  char path[SNI_LEAF_PATH], name[SNI_LEAF_PATH + 100];
  for (int i = 0; i < leaves->n; i++) {
    sn_tensor *t = sni_leaf_tensor(leaves, i, from);
    if (!t || sni_plainly_ok(context, t)) continue;
    snprintf(name, sizeof(name), "%s: field \"%s\"", context->frame.op ? context->frame.op : "",
             sni_leaf_path(leaves, i, path));
    if (t->kind == SNI_TENSOR_ERROR) sni_error_is_older(context);
    if (!sni_operand_ok(context, name, i, t)) return false;
  }
  return true;
}

// What a static field's value is, for comparing: its bits, or its text.
static bool same_static(const sni_leaf *leaf, const void *a, const void *b) {
  switch (leaf->kind) {
    case SN_FIELD_INT:
      return *(const int *)a == *(const int *)b;
    case SN_FIELD_BOOL:
      return *(const bool *)a == *(const bool *)b;
    case SN_FIELD_I64:
    case SN_FIELD_F64:
      return !memcmp(a, b, sizeof(int64_t));
    case SN_FIELD_TEXT: {
      const char *s = *(const char *const *)a, *t = *(const char *const *)b;
      return s == t || (s && t && !strcmp(s, t));
    }
    case SN_FIELD_TENSOR:
    case SN_FIELD_HANDLE:
    case SN_FIELD_NESTED:
      break;
  }
  return true;
}

static void describe_leaf(const sni_leaves *leaves, int i, const void *base, char *buffer,
                          size_t capacity) {
  const sni_leaf *leaf = &leaves->items[i];
  const void *value = sni_leaf_in(leaves, i, base);
  int64_t bits = 0;
  sn_dtype dtype = SN_I64;
  if (leaf->kind == SN_FIELD_INT) {
    bits = *(const int *)value;
  } else if (leaf->kind == SN_FIELD_BOOL) {
    bits = *(const bool *)value;
    dtype = SN_BOOL;
  } else {
    memcpy(&bits, value, sizeof(bits));
    if (leaf->kind == SN_FIELD_F64) dtype = SN_F64;
    if (leaf->kind == SN_FIELD_TEXT && bits) dtype = SN_U8;
  }
  sni_describe_static(dtype, bits, buffer, capacity);
}

// False: they differ, in these words.
static bool same_leaf(const sni_leaves *leaves, int i, const void *like, const sni_type *types,
                      const void *given, char was[96], char is[96]) {
  if (!sni_is_tensor_leaf(leaves, i)) {
    const void *a = sni_leaf_in(leaves, i, like), *b = sni_leaf_in(leaves, i, given);
    if (same_static(&leaves->items[i], a, b)) return true;
    describe_leaf(leaves, i, like, was, 96);
    describe_leaf(leaves, i, given, is, 96);
    return false;
  }
  const bool had = types ? types[i].rank >= 0 : sni_leaf_tensor(leaves, i, like) != NULL;
  const bool has = sni_leaf_tensor(leaves, i, given) != NULL;
  snprintf(was, 96, had ? "a tensor" : "absent");
  snprintf(is, 96, has ? "a tensor" : "absent");
  return had == has;
}

bool sni_same_structure(sn_context *context, const sni_leaves *leaves, const void *like,
                        const sni_type *types, const void *given, const char *was, const char *is) {
  char path[SNI_LEAF_PATH], a[96], b[96];
  for (int i = 0; i < leaves->n; i++) {
    if (same_leaf(leaves, i, like, types, given, a, b)) continue;
    sni_error(context, SN_ERR_ARGUMENT, "%s: field \"%s\" is %s %s, but %s %s",
              context->frame.op ? context->frame.op : "", sni_leaf_path(leaves, i, path), b, is, a,
              was);
    return false;
  }
  return true;
}

// ---- each leaf
static sn_tensor *flat(sn_context *context, const sni_leaves *leaves, int i, const void *from) {
  const void *value = sni_leaf_in(leaves, i, from);
  sn_tensor *t;
  switch (leaves->items[i].kind) {
    case SN_FIELD_INT:
      return sn_static(context, *(const int *)value);
    case SN_FIELD_I64:
      return sn_static(context, *(const int64_t *)value);
    case SN_FIELD_F64:
      return sn_static_f64(context, *(const double *)value);
    case SN_FIELD_BOOL:
      return sn_static_bool(context, *(const bool *)value);
    case SN_FIELD_TEXT:
      if (*(const char *const *)value) return sn_static_text(context, *(const char *const *)value);
      break;
    case SN_FIELD_TENSOR:
    case SN_FIELD_HANDLE:
      t = sni_leaf_tensor(leaves, i, from);
      if (t) return t;
      break;
    case SN_FIELD_NESTED:
      break;
  }
  return sni_absent(context);
}

bool sni_flatten_all(sn_context *context, const sni_leaves *leaves, const void *from,
                     sn_tensor **tensors) {
  if (!sni_check_struct(context, leaves, from)) return false;
  for (int i = 0; i < leaves->n; i++) tensors[i] = flat(context, leaves, i, from);
  return !context->diag.status;
}

// Static values are in eager tensors in every mode: of a program they are results that a call has made.
static void put_static(sn_field_kind kind, sn_tensor *t, void *to) {
  int64_t number = 0;
  switch (kind) {
    case SN_FIELD_INT:
      memcpy(&number, t->data, sizeof(number));
      *(int *)to = (int)number;
      break;
    case SN_FIELD_I64:
    case SN_FIELD_F64:
      memcpy(to, t->data, sizeof(number));
      break;
    case SN_FIELD_BOOL:
      memcpy(to, t->data, sizeof(bool));
      break;
    case SN_FIELD_TEXT:
      *(const char **)to = sni_is_absent(t) ? NULL
                           : t->is_static   ? (const char *)(intptr_t)t->static_value
                                            : t->data;
      break;
    case SN_FIELD_TENSOR:
    case SN_FIELD_HANDLE:
    case SN_FIELD_NESTED:
      break;
  }
}

void sni_unflatten_all(sn_context *context, const sni_leaves *leaves, sn_tensor *const *tensors,
                       void *to) {
  sni_struct_writer writer = {.context = context, .leaves = leaves, .to = to};
  for (int i = 0; i < leaves->n; i++) {
    if (sni_is_tensor_leaf(leaves, i))
      sni_write_tensor(&writer, i, sni_is_absent(tensors[i]) ? NULL : tensors[i]);
    else
      put_static(leaves->items[i].kind, tensors[i], (char *)to + leaves->items[i].offset);
  }
}

// ---- the tensors there are
int sni_flatten_present(const sni_leaves *leaves, const void *from, sn_tensor **tensors) {
  int n = 0;
  for (int i = 0; i < leaves->n; i++) {
    sn_tensor *t = sni_leaf_tensor(leaves, i, from);
    if (!t) continue;
    if (tensors) tensors[n] = t;
    n++;
  }
  return n;
}

static size_t leaf_bytes(sn_field_kind kind) {
  return kind == SN_FIELD_INT ? sizeof(int) : kind == SN_FIELD_BOOL ? sizeof(bool) : 8;
}

void sni_copy_struct(const sni_leaves *leaves, const void *from, void *to) {
  for (int i = 0; i < leaves->n; i++)
    memmove((char *)to + leaves->items[i].offset, sni_leaf_in(leaves, i, from),
            leaf_bytes(leaves->items[i].kind));
}

void sni_unflatten_present(sn_context *context, const sni_leaves *leaves, const void *like,
                           sn_tensor *const *tensors, void *to) {
  sni_struct_writer writer = {.context = context, .leaves = leaves, .to = to};
  sni_copy_struct(leaves, like, to);
  for (int i = 0; i < leaves->n; i++)
    if (sni_is_tensor_leaf(leaves, i))
      sni_write_tensor(&writer, i, sni_leaf_tensor(leaves, i, to) ? *tensors++ : NULL);
}

// ---- public
static bool open_leaves(sn_context *context, const sn_composite *type, const void *from,
                        sni_leaves *leaves) {
  *leaves = (sni_leaves){0};
  if (context->diag.status) return false;
  if (!type || !from) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: the type or the struct is NULL", context->frame.op);
    return false;
  }
  sn_status status = sni_leaves_init(leaves, type, &context->family->allocator, &context->diag);
  if (status) sni_error_from(context, status, NULL);
  return !status;
}

int sn_flatten_at(sn_context *context, const sn_composite *type, const void *from,
                  sn_tensor **tensors, int capacity, const char *file, int line) {
  SNI_ENTER(context, "sn_flatten", -1);
  sni_leaves leaves;
  int n = -1;
  if (open_leaves(context, type, from, &leaves)) n = sni_flatten_present(&leaves, from, NULL);
  if (n >= 0 && tensors && n > capacity) {
    sni_error(context, SN_ERR_ARGUMENT, "sn_flatten: struct \"%s\" has %d tensors, room for %d",
              type->name, n, capacity);
    n = -1;
  }
  if (n >= 0 && tensors) sni_flatten_present(&leaves, from, tensors);
  sni_leaves_deinit(&leaves, &context->family->allocator);
  if (n < 0) sni_locate_error(context, file, line);
  return n;
}

sn_status sn_unflatten_at(sn_context *context, const sn_composite *type, const void *like,
                          sn_tensor *const *tensors, int n, void *out, const char *file, int line) {
  SNI_ENTER(context, "sn_unflatten", context_refused);
  sni_leaves leaves;
  bool ok = open_leaves(context, type, like, &leaves);
  const int has = ok ? sni_flatten_present(&leaves, like, NULL) : 0;
  if (ok && (!out || n != has || (n && !tensors))) {
    sni_error(context, SN_ERR_ARGUMENT, "sn_unflatten: struct \"%s\" has %d tensors, given %d%s",
              type->name, has, tensors ? n : 0, out ? "" : ", and out is NULL");
    ok = false;
  }
  if (ok) sni_unflatten_present(context, &leaves, like, tensors, out);
  sni_leaves_deinit(&leaves, &context->family->allocator);
  if (!ok) sni_locate_error(context, file, line);
  return context->diag.status;
}

// ---- without memory: walks the description itself
typedef enum visit { KEEP, RELEASE, FAIL } visit;

static void visit_tensor(sn_tensor **t, visit what, sn_tensor *failed) {
  if (what == KEEP) {
    if (*t) (sn_keep)(*t);
  } else if (what == RELEASE) {
    sn_release(*t);
    *t = NULL;
  } else {
    *t = failed;
  }
}

static void visit_all(const sn_composite *type, char *of, int depth, visit what,
                      sn_tensor *failed) {
  if (!type || !of || depth >= sni_most_struct_nesting) return;
  for (int i = 0; i < type->n_fields && type->fields; i++) {
    const sn_field *field = &type->fields[i];
    char *at = of + field->offset, *end = at + field->size;
    const bool nested = field->kind == SN_FIELD_NESTED;
    if (!sni_field_is_sound(type, field)) continue;
    if (!nested && field->kind != SN_FIELD_TENSOR) {
      if (what == FAIL) memset(at, 0, field->size);  // handles too
      continue;
    }
    for (; nested && at < end; at += field->type->size)
      visit_all(field->type, at, depth + 1, what, failed);
    for (; at < end; at += sizeof(sn_tensor *))
      visit_tensor((sn_tensor **)(void *)at, what, failed);
  }
}

void sn_keep_struct(const sn_composite *type, const void *of) {
  visit_all(type, (char *)(uintptr_t)of, 0, KEEP, NULL);
}

void sn_release_struct(const sn_composite *type, void *of) {
  visit_all(type, of, 0, RELEASE, NULL);
}

void sni_fail_struct(sn_context *context, const sn_composite *type, void *out) {
  visit_all(type, out, 0, FAIL, &context->error_tensor);
}
