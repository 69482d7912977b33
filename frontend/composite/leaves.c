// The flat list of what a description names: as structs nest in place and arrays have fixed sizes, each leaf has an offset.
//
// Invariant: a list that was made describes memory inside the struct alone, without overlap that could matter: nothing of a description is
// believed before it was checked.
#include "frontend/composite/composite.h"

#include <stdio.h>
#include <string.h>

static bool is_handle_type(const sn_handle_type *type) {
  return type && type->n_tensors >= 1 && type->n_tensors <= SN_HANDLE_TENSORS && type->names &&
         type->open && type->make;
}

static size_t element_size(const sn_field *field) {
  switch (field->kind) {
    case SN_FIELD_TENSOR:
      return sizeof(sn_tensor *);
    case SN_FIELD_NESTED:
      return field->type ? field->type->size : 0;
    case SN_FIELD_INT:
      return sizeof(int);
    case SN_FIELD_I64:
      return sizeof(int64_t);
    case SN_FIELD_F64:
      return sizeof(double);
    case SN_FIELD_BOOL:
      return sizeof(bool);
    case SN_FIELD_TEXT:
      return sizeof(const char *);
    case SN_FIELD_HANDLE:
      return is_handle_type(field->handle) ? sizeof(void *) : 0;
  }
  return 0;
}

bool sni_field_is_sound(const sn_composite *type, const sn_field *field) {
  const size_t size = element_size(field);
  return size && field->size && field->size % size == 0 && field->offset <= type->size &&
         field->size <= type->size - field->offset;
}

static sn_status refuse(sni_diag *diag, const sn_composite *type, const char *field,
                        const char *why) {
  return sni_fail(diag, SN_ERR_ARGUMENT, "the description of struct \"%.80s\"%s%.80s%s %s",
                  type && type->name ? type->name : "", field ? ": field \"" : "",
                  field ? field : "", field ? "\"" : "", why);
}

static sn_status check_field(sni_diag *diag, const sn_composite *type, const sn_field *field) {
  const size_t size = element_size(field);
  if (!field->name || !field->name[0])
    return refuse(diag, type, NULL, "has a field without a name");
  if (!size) return refuse(diag, type, field->name, "is of no kind, or of no type");
  if (!field->size || field->size % size)
    return refuse(diag, type, field->name, "is not as large as its elements");
  if (!sni_field_is_sound(type, field))
    return refuse(diag, type, field->name, "lies outside of the struct");
  return SN_OK;
}

static sn_status add_leaf(sni_leaves *leaves, const sni_leaf *leaf, sni_diag *diag) {
  if (leaves->n == sni_most_leaves)
    return refuse(diag, leaves->type, NULL, "has more than 65536 fields");
  if (leaves->items) leaves->items[leaves->n] = *leaf;
  leaves->n++;
  leaves->n_tensors += leaf->kind == SN_FIELD_TENSOR || leaf->kind == SN_FIELD_HANDLE;
  return SN_OK;
}

static sn_status add_leaves(sni_leaves *leaves, const sn_composite *type, size_t offset, int depth,
                            sni_diag *diag);

static sn_status add_element(sni_leaves *leaves, const sn_field *field, size_t offset, int depth,
                             sni_diag *diag) {
  if (field->kind == SN_FIELD_NESTED)
    return add_leaves(leaves, field->type, offset, depth + 1, diag);
  sni_leaf leaf = {.kind = field->kind, .offset = offset, .handle = field->handle};
  const int n = field->kind == SN_FIELD_HANDLE ? field->handle->n_tensors : 1;
  for (leaf.part = 0; leaf.part < n; leaf.part++) SNI_TRY(add_leaf(leaves, &leaf, diag));
  return SN_OK;
}

// Counts, and where items are there writes, the leaves of one struct at this offset.
static sn_status add_leaves(sni_leaves *leaves, const sn_composite *type, size_t offset, int depth,
                            sni_diag *diag) {
  if (!type || type->n_fields < 0 || (type->n_fields && !type->fields) || !type->size)
    return refuse(diag, type, NULL, "has no fields or no size");
  if (depth >= sni_most_struct_nesting)
    return refuse(diag, type, NULL, "is nested more than 16 deep");
  for (int i = 0; i < type->n_fields; i++) {
    const sn_field *field = &type->fields[i];
    SNI_TRY(check_field(diag, type, field));
    const size_t size = element_size(field);
    for (size_t at = 0; at < field->size; at += size)
      SNI_TRY(add_element(leaves, field, offset + field->offset + at, depth, diag));
  }
  return SN_OK;
}

sn_status sni_leaves_init(sni_leaves *out, const sn_composite *type, sni_allocator *allocator,
                          sni_diag *diag) {
  *out = (sni_leaves){.type = type};
  if (!type) return SN_OK;
  sni_leaves counted = {.type = type};
  SNI_TRY(add_leaves(&counted, type, 0, 0, diag));
  const size_t bytes = (size_t)counted.n * sizeof(*out->items);
  if (!counted.n) return SN_OK;
  sni_leaf *items = sni_alloc(allocator, bytes);
  if (!items) return sni_fail_memory(diag, bytes, "the fields of a struct");
  out->items = items;
  return add_leaves(out, type, 0, 0, diag);
}

void sni_leaves_deinit(sni_leaves *leaves, sni_allocator *allocator) {
  sni_free(allocator, leaves->items, (size_t)leaves->n * sizeof(*leaves->items));
  leaves->items = NULL;
}

// Whether a leaf lies at this offset of the struct in the field; of fields that overlap some may have none there.
static bool leads_to(const sn_field *field, size_t offset) {
  if (offset < field->offset || offset - field->offset >= field->size) return false;
  const size_t at = (offset - field->offset) % element_size(field);
  bool any = field->kind != SN_FIELD_NESTED && !at;
  for (int i = 0; field->kind == SN_FIELD_NESTED && i < field->type->n_fields && !any; i++)
    any = leads_to(&field->type->fields[i], at);
  return any;
}

const char *sni_leaf_path(const sni_leaves *leaves, int leaf, char buffer[SNI_LEAF_PATH]) {
  const sn_composite *type = leaves->type;
  size_t offset = leaves->items[leaf].offset, length = 0;
  buffer[0] = 0;
  while (type) {
    const sn_field *field = type->fields;
    while (!leads_to(field, offset)) field++;
    const size_t size = element_size(field), index = (offset - field->offset) / size;
    char place[24] = "";
    if (field->size > size) snprintf(place, sizeof(place), "[%zu]", index);
    length += (size_t)snprintf(buffer + length, SNI_LEAF_PATH - length, "%s%.60s%s",
                               length ? "." : "", field->name, place);
    if (length >= SNI_LEAF_PATH) break;
    offset -= field->offset + index * size;
    type = field->kind == SN_FIELD_NESTED ? field->type : NULL;
  }
  const sni_leaf *last = &leaves->items[leaf];
  if (last->kind == SN_FIELD_HANDLE && length < SNI_LEAF_PATH)
    snprintf(buffer + length, SNI_LEAF_PATH - length, ".%.40s", last->handle->names[last->part]);
  return buffer;
}
