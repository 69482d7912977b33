// Vectorisation of what works element by element, of views, and of ops along axes that move by one.
#include "passes/vectorize/vmap.h"

#include <string.h>

// Operands of one example have the shape of the result, so one without the batch broadcasts to it.
void sni_vmap_pointwise(const sni_vmap *v) {
  const sni_type *declared = sni_op_converts(v->node.op) ? &v->node.type : NULL;
  v->out[0] = sni_build_pointwise(v->b, v->node.op, v->operands, v->node.n_operands, declared);
}

// The op with operands that are all batched, and attributes as they are.
static void apply(const sni_vmap *v, const sni_dim *attrs, const sni_type *declared) {
  const int n = v->node.n_operands;
  sni_node_id *operands = SNI_ARENA_ARRAY(v->b->graph->arena, sni_node_id, n + 1);
  if (!operands && !v->b->status)
    v->b->status = sni_fail_memory(v->b->graph->diag, (size_t)n * sizeof(*operands), "operands");
  for (int k = 0; k < n && !v->b->status; k++) operands[k] = sni_vmap_operand(v, k);
  v->out[0] = sni_build_node(v->b, v->node.op, operands, n, attrs, v->node.n_attrs, declared);
}

// All axes but the last ones are those of a batch anyway.
void sni_vmap_leading(const sni_vmap *v) {
  apply(v, v->node.attrs, NULL);
}

// Along the axis that is the first attribute.
void sni_vmap_axis(const sni_vmap *v) {
  sni_dim attrs[8];
  sni_assert(v->node.n_attrs <= (int)SNI_COUNT_OF(attrs));
  memcpy(attrs, v->node.attrs, v->node.n_attrs * sizeof(*attrs));
  attrs[0]++;
  apply(v, attrs, NULL);
}

void sni_vmap_reduce(const sni_vmap *v) {
  sni_dim axes[SN_MAX_RANK];
  for (int i = 0; i < v->node.n_attrs; i++) axes[i] = v->node.attrs[i] + 1;
  v->out[0] = sni_build_node(v->b, v->node.op, v->operands, 1, axes, v->node.n_attrs, NULL);
}

// ---- views
void sni_vmap_reshape(const sni_vmap *v) {
  const sni_type type = sni_vmap_type(v->b, &v->node.type, v->size);
  v->out[0] = sni_build_node(v->b, v->node.op, v->operands, 1, NULL, 0, &type);
}

void sni_vmap_transpose(const sni_vmap *v) {
  sni_dim perm[SN_MAX_RANK + 1] = {0};
  for (int i = 0; i < v->node.n_attrs; i++) perm[1 + i] = v->node.attrs[i] + 1;
  v->out[0] = sni_build_node(v->b, v->node.op, v->operands, 1, perm, v->node.n_attrs + 1, NULL);
}

// New dims stand between the batch and those that were there.
void sni_vmap_broadcast(const sni_vmap *v) {
  const sni_type *own = sni_vmap_operand_type(v, 0);
  const sni_type type = sni_vmap_type(v->b, &v->node.type, v->size);
  sni_type aligned = type;
  const int added = v->node.type.rank - own->rank;
  if (v->b->status) return;
  for (int d = 0; d < added; d++) aligned.dims[1 + d] = 1;
  for (int d = 0; d < own->rank; d++) aligned.dims[1 + added + d] = own->dims[d];
  const sni_node_id x = sni_build_reshape(v->b, v->operands[0], &aligned);
  v->out[0] = sni_build_node(v->b, v->node.op, &x, 1, NULL, 0, &type);
}

// Lists of one number per axis, each with one more in front.
static int longer(const sni_vmap *v, int lists, const sni_dim *first, sni_dim *attrs) {
  const int rank = v->node.n_attrs / lists;
  for (int l = 0; l < lists; l++) {
    attrs[l * (rank + 1)] = first[l];
    memcpy(attrs + l * (rank + 1) + 1, v->node.attrs + l * rank, (size_t)rank * sizeof(*attrs));
  }
  return lists * (rank + 1);
}

void sni_vmap_slice(const sni_vmap *v) {
  sni_dim attrs[2 * (SN_MAX_RANK + 1)];
  const sni_type type = sni_vmap_type(v->b, &v->node.type, v->size);
  const int n = longer(v, 2, (sni_dim[]){0, 1}, attrs);
  v->out[0] = sni_build_node(v->b, v->node.op, v->operands, 1, attrs, n, &type);
}

static sni_node_id pad(const sni_vmap *v, sni_node_id x, sni_node_id value) {
  sni_dim attrs[3 * (SN_MAX_RANK + 1)];
  const int n = longer(v, 3, (sni_dim[]){0, 0, 0}, attrs);
  return sni_build_node(v->b, v->node.op, (sni_node_id[]){x, value}, 2, attrs, n, NULL);
}

// Each example with a number of its own around it: chosen where the others are not.
static sni_node_id pad_with_numbers(const sni_vmap *v) {
  sni_build *b = v->b;
  const sni_node_id x = sni_vmap_operand(v, 0);
  const sni_type type = sni_build_type(b, x);
  sni_type shape = type, column = sni_vmap_type(b, &v->node.type, v->size);
  shape.dtype = SN_BOOL;
  for (int d = 1; d < column.rank && !b->status; d++) column.dims[d] = 1;
  const sni_node_id inside = pad(v, sni_build_full(b, &shape, 1), sni_build_scalar(b, SN_BOOL, 0));
  const sni_node_id values = pad(v, x, sni_build_scalar(b, type.dtype, 0));
  return sni_build_select(b, inside, values, sni_build_reshape(b, v->operands[1], &column));
}

void sni_vmap_pad(const sni_vmap *v) {
  v->out[0] = v->batched[1] ? pad_with_numbers(v) : pad(v, v->operands[0], v->operands[1]);
}
