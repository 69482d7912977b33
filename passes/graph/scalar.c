// Recognising splat constants: a constant of equal elements, or such a constant behind broadcasts,
// reshapes and transposes. Gradient rules and rewrites ask for them; add_full (graph.h) makes them.
#include "passes/graph/scalar.h"

#include <math.h>
#include <string.h>

enum {
  longest_view_chain = 8,
  most_compared = 64,  // elements of a constant that is compared element by element
};

sni_scalar sni_scalar_load(sn_dtype dtype, const void *data, int64_t i) {
  sni_scalar value = {.dtype = dtype};
  float f;
  int32_t narrow;
  switch (dtype) {
    case SN_BOOL:
      value.i = ((const uint8_t *)data)[i] != 0;
      break;
    case SN_I32:
      memcpy(&narrow, (const char *)data + 4 * i, 4);
      value.i = narrow;
      break;
    case SN_I64:
      memcpy(&value.i, (const char *)data + 8 * i, 8);
      break;
    case SN_F32:
      memcpy(&f, (const char *)data + 4 * i, 4);
      value.f = (double)f;
      break;
    case SN_F64:
      memcpy(&value.f, (const char *)data + 8 * i, 8);
      break;
    case SN_DTYPE_COUNT:
      break;
  }
  return value;
}

void sni_scalar_store(sni_scalar value, void *data, int64_t i) {
  float f;
  int32_t narrow;
  switch (value.dtype) {
    case SN_BOOL:
      ((uint8_t *)data)[i] = value.i != 0;
      break;
    case SN_I32:
      narrow = (int32_t)(uint32_t)(uint64_t)value.i;
      memcpy((char *)data + 4 * i, &narrow, 4);
      break;
    case SN_I64:
      memcpy((char *)data + 8 * i, &value.i, 8);
      break;
    case SN_F32:
      f = (float)value.f;
      memcpy((char *)data + 4 * i, &f, 4);
      break;
    case SN_F64:
      memcpy((char *)data + 8 * i, &value.f, 8);
      break;
    case SN_DTYPE_COUNT:
      break;
  }
}

int64_t sni_node_count(const sni_graph *graph, const sni_type *type) {
  int64_t count = 1, size;
  bool empty = false;
  for (int i = 0; i < type->rank; i++) {
    if (!sni_dim_is_constant(graph->dims, type->dims[i], &size)) return -1;
    if (size == 0) empty = true;
    if (size > 1 && __builtin_mul_overflow(count, size, &count)) return -1;
  }
  return empty ? 0 : count;
}

bool sni_splat_value(const sni_graph *graph, sni_node_id x, sni_scalar *out) {
  const sni_node *node = sni_graph_node(graph, x);
  for (int i = 0; i < longest_view_chain; i++) {
    if (!sni_op_repeats(node->op)) break;
    node = sni_graph_node(graph, node->operands[0]);
  }
  if (!sni_is_constant(node)) return false;
  int64_t count = sni_node_count(graph, &node->type);
  if (count < 1 || count > most_compared) return false;
  size_t size = sn_dtype_size(node->type.dtype);
  for (int64_t i = 1; i < count; i++)
    if (memcmp(node->data, (const char *)node->data + (size_t)i * size, size)) return false;
  *out = sni_scalar_load(node->type.dtype, node->data, 0);
  return true;
}

bool sni_is_splat(const sni_graph *graph, sni_node_id x, double value) {
  sni_scalar s;
  if (!sni_splat_value(graph, x, &s)) return false;
  if (sni_is_float(s.dtype)) return memcmp(&s.f, &value, sizeof(value)) == 0;
  return s.i == (int64_t)value;
}
