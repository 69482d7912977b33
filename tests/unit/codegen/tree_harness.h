// Runs trees on random data and compares memory with the model's. A backend's test gives the
// function that runs a tree.
#ifndef SNI_TESTS_TREE_HARNESS_H
#define SNI_TESTS_TREE_HARNESS_H

#include "tests/unit/codegen/tree_model.h"
#include "tests/unit/codegen/tree_random.h"

#include <check.h>

typedef struct tree_data {
  void *memory[random_buffers];
  size_t bytes[random_buffers];
  int same_as[random_buffers];
  uint32_t count;
} tree_data;

static double tree_special(uint64_t r) {
  static const double values[] = {0.0,    -0.0,    1,     -1,     0.5,          -2.5,
                                  1e30,   -1e30,   1e-42, -1e-42, 2147483648.0, -2147483648.0,
                                  9.3e18, -9.3e18, 3.5,   1e-320};
  if (r % 23 == 0) return (double)NAN;
  if (r % 23 == 1) return (double)INFINITY;
  if (r % 23 == 2) return -(double)INFINITY;
  return values[r % SNI_COUNT_OF(values)];
}

static uint64_t tree_next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state * 0x2545F4914F6CDD1Dull;
}

// wild: numbers of all sizes and special ones; else modest ones without NaN.
static SNI_UNUSED void tree_fill(void *data, sn_dtype dtype, size_t count, bool wild,
                                 uint64_t *state) {
  for (size_t i = 0; i < count; i++) {
    const uint64_t r = tree_next_random(state), s = tree_next_random(state);
    const double modest = (double)(int64_t)(r >> 20) * 0x1p-42 - 2;
    const double number = !wild   ? modest
                          : s % 3 ? modest * ldexp(1, (int)(s >> 32) % 60)
                                  : tree_special(s >> 8);
    const int64_t integer = !wild        ? (int64_t)(r % 7) - 2
                            : s % 4 == 0 ? (int64_t)(r % 5) - 2
                            : s % 4 == 1 ? (s & 16 ? INT64_MIN : INT32_MIN)
                                         : (int64_t)(r >> (s % 64));
    sni_scalar value = {dtype, {.i = dtype == SN_BOOL ? (int64_t)(r >> 60 & 1) : integer}};
    if (sni_is_float(dtype)) value.f = number;
    sni_scalar_store(value, data, (int64_t)i);
  }
}

// Memory of exactly the elements of each GLOBAL buffer.
static SNI_UNUSED tree_data tree_make_data(const random_tree *r, uint64_t seed) {
  tree_data data = {.count = r->tree->n_buffers};
  uint64_t state = seed * 2 + 88172645463325253ull;
  memcpy(data.same_as, r->same_as, sizeof(data.same_as));
  for (uint32_t i = 0; i < data.count; i++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(r->tree)[i];
    if (buffer->space != SNI_SPACE_GLOBAL) continue;
    data.bytes[i] = r->elements[i] * sn_dtype_size((sn_dtype)buffer->dtype);
    if (data.same_as[i] >= 0) {
      data.memory[i] = data.memory[data.same_as[i]];
      continue;
    }
    data.memory[i] = malloc(data.bytes[i] ? data.bytes[i] : 1);
    tree_fill(data.memory[i], (sn_dtype)buffer->dtype, r->elements[i], r->wild, &state);
  }
  return data;
}

static SNI_UNUSED tree_data tree_copy_data(const tree_data *from) {
  tree_data data = *from;
  for (uint32_t i = 0; i < data.count; i++) {
    if (!from->memory[i]) continue;
    if (data.same_as[i] >= 0) {
      data.memory[i] = data.memory[data.same_as[i]];
      continue;
    }
    data.memory[i] = malloc(data.bytes[i] ? data.bytes[i] : 1);
    memcpy(data.memory[i], from->memory[i], data.bytes[i]);
  }
  return data;
}

static SNI_UNUSED void tree_drop_data(tree_data *data) {
  for (uint32_t i = 0; i < data->count; i++)
    if (data->same_as[i] < 0) free(data->memory[i]);
}

static bool tree_same_element(sn_dtype dtype, const void *a, const void *b, size_t i) {
  const size_t size = sn_dtype_size(dtype);
  if (memcmp((const char *)a + i * size, (const char *)b + i * size, size) == 0) return true;
  return sni_is_float(dtype) && isnan(sni_scalar_load(dtype, a, (int64_t)i).f) &&
         isnan(sni_scalar_load(dtype, b, (int64_t)i).f);
}

static double tree_number(sn_dtype dtype, const void *data, size_t i) {
  return sni_scalar_value(sni_scalar_load(dtype, data, (int64_t)i));
}

// Whether all buffers hold the same; the first difference goes to message.
static SNI_UNUSED bool tree_same_data(const sni_tree *tree, const tree_data *got,
                                      const tree_data *want, char *message, size_t room) {
  for (uint32_t i = 0; i < got->count; i++) {
    const sn_dtype dtype = (sn_dtype)sni_tree_buffers(tree)[i].dtype;
    if (!got->memory[i]) continue;
    for (size_t e = 0; e < got->bytes[i] / sn_dtype_size(dtype); e++) {
      if (tree_same_element(dtype, got->memory[i], want->memory[i], e)) continue;
      snprintf(message, room, "buffer %u, element %zu: %a instead of %a", i, e,
               tree_number(dtype, got->memory[i], e), tree_number(dtype, want->memory[i], e));
      return false;
    }
  }
  return true;
}

// The tree in which MATH operations are CORE ones.
static SNI_UNUSED sni_tree *tree_expand(const sni_tree *tree, sni_arena *arena) {
  static sni_diag diag;
  sni_tree *out = NULL;
  sni_diag_clear(&diag);
  ck_assert_msg(sni_tree_expand(tree, arena, &diag, &out) == SN_OK, "%s", diag.text);
  ck_assert_msg(sni_tree_verify(out, out->bytes, &diag) == SN_OK, "%s", diag.text);
  return out;
}

#endif
