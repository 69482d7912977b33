// Signatures: what of its inputs a function is specialised for.
//
// An input counts by dtype and shape, a static one by its value, a variable by its identity.
// Signatures that agree in all but dims form a group; a dim that has had two values is symbolic in
// the group's next traces, unless a trace has used it as a number (symbolic_policy.c).
#include "frontend/function/function.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

// ---- keys
void sni_key_of(const sn_tensor *t, sni_input_key *out_key) {
  *out_key = (sni_input_key){.kind = SNI_INPUT_TENSOR, .type = t->type};
  for (int d = 0; d < SN_MAX_RANK; d++) out_key->symbol[d] = -1;
  if (t->kind == SNI_TENSOR_VARIABLE) {
    out_key->kind = SNI_INPUT_VARIABLE;
    out_key->variable = t;
  } else if (t->is_static) {
    out_key->kind = SNI_INPUT_STATIC;
    out_key->value = t->static_value;
  }
}

void sni_describe_input(const sn_function *function, int i, char *buffer, size_t capacity) {
  if (function->input_names)
    snprintf(buffer, capacity, "input %d \"%s\"", i, function->input_names[i]);
  else
    snprintf(buffer, capacity, "input %d", i);
}

// "f32[?,28,28]"
static void describe_spec(const sn_spec *spec, char *buffer, size_t capacity) {
  size_t length = (size_t)snprintf(buffer, capacity, "%s[", sn_dtype_name(spec->dtype));
  for (int d = 0; d < spec->shape.rank && length < capacity; d++) {
    const char *comma = d ? "," : "";
    if (spec->shape.dims[d] == SN_UNKNOWN)
      length += (size_t)snprintf(buffer + length, capacity - length, "%s?", comma);
    else
      length += (size_t)snprintf(buffer + length, capacity - length, "%s%lld", comma,
                                 (long long)spec->shape.dims[d]);
  }
  if (length < capacity) snprintf(buffer + length, capacity - length, "]");
}

void sni_describe_key_type(const sni_type *type, char *buffer, size_t capacity) {
  sn_spec spec = {type->dtype, {.rank = type->rank}};
  for (int d = 0; d < type->rank; d++)
    spec.shape.dims[d] = type->dims[d] < 0 ? SN_UNKNOWN : type->dims[d];
  describe_spec(&spec, buffer, capacity);
}

sn_status sni_validate_spec(const sn_spec *spec, int i, const char *of, sni_diag *diag) {
  const sn_shape *shape = &spec->shape;
  if (!sni_is_dtype(spec->dtype))
    return sni_fail(diag, SN_ERR_ARGUMENT, "%s: spec %d has no dtype: %d", of, i, (int)spec->dtype);
  if (shape->rank < 0 || shape->rank > SN_MAX_RANK)
    return sni_fail(diag, SN_ERR_ARGUMENT,
                    "%s: spec %d has rank %d, expected 0 to %d: dims may be SN_UNKNOWN, their "
                    "number is part of the signature",
                    of, i, shape->rank, SN_MAX_RANK);
  for (int d = 0; d < shape->rank; d++)
    if (shape->dims[d] < SN_UNKNOWN)
      return sni_fail(diag, SN_ERR_ARGUMENT,
                      "%s: spec %d has dim %lld, expected a size or SN_UNKNOWN", of, i,
                      (long long)shape->dims[d]);
  return SN_OK;
}

sn_status sni_check_spec(const sn_function *function, int i, const sni_type *type, sni_diag *diag) {
  const sn_spec *spec = &function->specs[i];
  bool dtype = spec->dtype == type->dtype, shape = spec->shape.rank == type->rank;
  for (int d = 0; d < type->rank && shape; d++)
    shape = spec->shape.dims[d] == SN_UNKNOWN || spec->shape.dims[d] == type->dims[d];
  if (dtype && shape) return SN_OK;
  char input[SNI_TENSOR_NAME * 2], given[SNI_TENSOR_NAME * 2], expected[SNI_TENSOR_NAME * 2];
  sni_describe_input(function, i, input, sizeof(input));
  sni_describe_key_type(type, given, sizeof(given));
  describe_spec(spec, expected, sizeof(expected));
  return sni_fail(diag, dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
                  "%s of function \"%s\" is %s, expected %s", input, function->name, given,
                  expected);
}

// ---- groups
static bool same_class(const sni_input_key *a, const sni_input_key *b, int n) {
  for (int i = 0; i < n; i++) {
    if (a[i].kind != b[i].kind || a[i].type.dtype != b[i].type.dtype ||
        a[i].type.rank != b[i].type.rank || a[i].value != b[i].value ||
        a[i].variable != b[i].variable)
      return false;
  }
  return true;
}

size_t sni_group_bytes(int n) {
  return (size_t)n * (sizeof(sni_input_key) + sizeof(sni_type) + SN_MAX_RANK * sizeof(sni_pin) + 2);
}

static sni_shape_group *least_used(sn_function *function) {
  sni_shape_group *oldest = &function->groups[0];
  for (uint32_t i = 1; i < function->n_groups; i++)
    if (function->groups[i].used < oldest->used) oldest = &function->groups[i];
  return oldest;
}

sn_status sni_group_of(sn_function *function, const sni_input_key *keys, sni_diag *diag,
                       sni_shape_group **out_group, bool *out_fresh) {
  int n = function->n_inputs;
  uint64_t now = atomic_fetch_add_explicit(&function->clock, 1, memory_order_relaxed) + 1;
  sni_allocator *allocator = &function->family->allocator;
  sni_shape_group *group = NULL;
  for (uint32_t i = 0; i < function->n_groups && !group; i++)
    if (same_class(function->groups[i].keys, keys, n)) group = &function->groups[i];
  *out_fresh = !group || !group->traced;
  if (group && group->traced) {
    group->used = now;
    *out_group = group;
    return SN_OK;
  }
  if (group) {
    // made by a trace that failed: as new
  } else if (function->n_groups >= sni_most_groups) {
    group = least_used(function);
  } else {
    SNI_TRY(sni_vec_reserve(allocator, diag, (void **)&function->groups, &function->groups_capacity,
                            function->n_groups + 1, sizeof(*function->groups)));
    group = &function->groups[function->n_groups];
    group->keys = n ? sni_alloc(allocator, sni_group_bytes(n)) : NULL;
    if (n && !group->keys) return sni_fail_memory(diag, sni_group_bytes(n), "a signature");
    function->n_groups++;
  }
  group->used = now;
  group->traced = false;
  if (n) {
    group->last = (sni_type *)(group->keys + n);
    group->pins = (sni_pin *)(void *)(group->last + n);
    group->varied = (uint8_t *)(group->pins + n * SN_MAX_RANK);
    group->pinned = group->varied + n;
    memcpy(group->keys, keys, (size_t)n * sizeof(*keys));
    for (int i = 0; i < n; i++) group->last[i] = keys[i].type;
    memset(group->pins, 0, (size_t)n * SN_MAX_RANK * sizeof(*group->pins));
    memset(group->varied, 0, 2 * (size_t)n);
  }
  *out_group = group;
  return SN_OK;
}
