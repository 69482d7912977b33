// A contraction as an expression: its sides, each an access to the memory of an operand, whose dims are
// affine in the axes of the result and in those of k. A matmul has one axis of k; a convolution one for
// each dim that it sums over, and where its windows may leave the image, a condition.
#include "passes/lower/body.h"

#include <string.h>

// One dim of an operand: offset + from_step * (dim `from` of the result) + k_step * (axis of k).
typedef struct side_dim {
  int from, k;  // -1: none
  int64_t from_step, k_step;
  sni_linear offset;
  bool bounded;  // the element is 0 where this leaves the dim
} side_dim;

typedef struct product {
  sni_body *b;
  const sni_node *node;
  const sni_index_map *map;           // of the result
  sni_dim extent[SNI_CONTRACT_AXES];  // of k
  int8_t number[SNI_CONTRACT_AXES];   // of each: among those that are more than 1; else -1
  int n_k, n_kept;
  side_dim sides[2][SN_MAX_RANK];
} product;

// ---- what the ops say

static side_dim from_dim(int from) {
  return (side_dim){.from = from, .k = -1, .from_step = 1};
}
static side_dim from_k(int k) {
  return (side_dim){.from = -1, .k = k, .k_step = 1};
}

static void describe_matmul(product *p) {
  const sni_lowering *l = p->b->l;
  const int last = p->node->type.rank - 1;
  const bool ta = p->node->attrs[0] != 0, tb = p->node->attrs[1] != 0;
  p->extent[0] = sni_graph_type(l->graph, p->node->operands[0])->dims[ta ? last - 1 : last];
  p->n_k = 1;
  for (int d = 0; d < last - 1; d++) p->sides[0][d] = p->sides[1][d] = from_dim(d);
  p->sides[0][last - ta] = from_k(0);
  p->sides[0][last - !ta] = from_dim(last - 1);
  p->sides[1][last - !tb] = from_k(0);
  p->sides[1][last - tb] = from_dim(last);
}

// A dim of the image under windows.
static side_dim window(const sni_convolution *c, int j, bool from_is_output, int from, int k) {
  const int64_t out = c->stride[j], in = c->dilation[j];
  return (side_dim){.from = from,
                    .k = k,
                    .from_step = from_is_output ? out : in,
                    .k_step = from_is_output ? in : out,
                    .offset = sni_linear_dim(c->start[j]),
                    .bounded = true};
}

// y[.., o.., f] = sum over k.., c of x[.., o s + k d + start.., c] w[k.., c, f]
static void describe_conv(product *p, const sni_convolution *c, const sni_type *w) {
  const int rank = w->rank, first = rank - 1 - c->spatial;  // of the image's dims
  for (int d = 0; d < first; d++) p->sides[0][d] = from_dim(d);
  for (int d = 0; d < first - 1; d++) p->sides[1][d] = from_dim(d);
  for (int j = 0; j < c->spatial; j++) {
    p->sides[0][first + j] = window(c, j, true, first + j, j);
    p->sides[1][first - 1 + j] = from_k(j);
    p->extent[j] = w->dims[first - 1 + j];
  }
  p->extent[c->spatial] = w->dims[rank - 2];
  p->n_k = c->spatial + 1;
  p->sides[0][rank - 1] = p->sides[1][rank - 2] = from_k(c->spatial);
  p->sides[1][rank - 1] = from_dim(rank - 1);
}

// x[.., i.., c] = sum over k.., f of y[.., i - k d - start.., f] w[k.., c, f]; of strides of 1
static void describe_conv_input(product *p, const sni_convolution *c, const sni_type *w) {
  const int rank = w->rank, first = rank - 1 - c->spatial;
  for (int d = 0; d < first; d++) p->sides[0][d] = from_dim(d);
  for (int d = 0; d < first - 1; d++) p->sides[1][d] = from_dim(d);
  for (int j = 0; j < c->spatial; j++) {
    const sni_linear start = sni_linear_dim(c->start[j]);
    p->sides[0][first + j] = (side_dim){
        .from = first + j,
        .k = j,
        .from_step = 1,
        .k_step = -c->dilation[j],
        .offset = sni_linear_mul(p->b->l->dims, start, sni_linear_number(-1)),
        .bounded = true,
    };
    p->sides[1][first - 1 + j] = from_k(j);
    p->extent[j] = w->dims[first - 1 + j];
  }
  p->extent[c->spatial] = w->dims[rank - 1];
  p->n_k = c->spatial + 1;
  p->sides[0][rank - 1] = p->sides[1][rank - 1] = from_k(c->spatial);
  p->sides[1][rank - 2] = from_dim(rank - 1);
}

// w[.., k.., c, f] = sum over n, o.. of x[.., n, o s + k d + start.., c] y[.., n, o.., f]
static void describe_conv_kernel(product *p, const sni_convolution *c, const sni_type *y) {
  const int rank = y->rank, first = rank - 1 - c->spatial;
  for (int d = 0; d < first - 1; d++) p->sides[0][d] = p->sides[1][d] = from_dim(d);
  p->sides[0][first - 1] = p->sides[1][first - 1] = from_k(0);
  p->extent[0] = y->dims[first - 1];
  for (int j = 0; j < c->spatial; j++) {
    p->sides[0][first + j] = window(c, j, false, first - 1 + j, 1 + j);
    p->sides[1][first + j] = from_k(1 + j);
    p->extent[1 + j] = y->dims[first + j];
  }
  p->n_k = c->spatial + 1;
  p->sides[0][rank - 1] = from_dim(rank - 2);
  p->sides[1][rank - 1] = from_dim(rank - 1);
}

static void describe(product *p) {
  const sni_graph *graph = p->b->l->graph;
  const sni_type *second = sni_graph_type(graph, p->node->operands[1]);
  sni_convolution c;
  switch (sni_convolution_of(graph, p->node, &c)) {
    case SNI_CONVOLUTION_NONE:
      describe_matmul(p);
      return;
    case SNI_CONVOLUTION_OUTPUT:
      describe_conv(p, &c, second);
      return;
    case SNI_CONVOLUTION_INPUT:
      describe_conv_input(p, &c, second);
      return;
    case SNI_CONVOLUTION_KERNEL:
      describe_conv_kernel(p, &c, second);
      return;
  }
}

// Axes of 1 go, but for one.
static void number_axes(product *p) {
  for (int i = 0; i < p->n_k; i++) {
    const bool kept = p->extent[i] != 1 || (i == p->n_k - 1 && p->n_kept == 0);
    p->number[i] = (int8_t)(kept ? p->n_kept++ : -1);
  }
}

// ---- sides

static bool known(const sni_lowering *l, sni_dim dim, int64_t *out) {
  return sni_dim_is_constant(l->dims, dim, out);
}

// Whether the dim is known to stay in [0, extent) for all indices.
static bool stays_inside(const product *p, const side_dim *s, sni_dim extent) {
  const sni_lowering *l = p->b->l;
  int64_t from = 1, k = 1, size = 0;
  if (s->offset.symbolic || !known(l, extent, &size)) return false;
  if (s->from >= 0 && !known(l, p->node->type.dims[s->from], &from)) return false;
  if (s->k >= 0 && !known(l, p->extent[s->k], &k)) return false;
  const int64_t a = (from - 1) * s->from_step, b = (k - 1) * s->k_step;
  const int64_t low = s->offset.number + (a < 0 ? a : 0) + (b < 0 ? b : 0);
  const int64_t high = s->offset.number + (a > 0 ? a : 0) + (b > 0 ? b : 0);
  return low >= 0 && high < size;
}

// The dims of an operand in terms of axes, and of k behind them; its conditions.
static sn_status map_side(product *p, int side, const sni_type *type, sni_index_map *at,
                          sni_expression *v) {
  sni_body *b = p->b;
  const int n_axes = sni_body_axes(b);
  SNI_TRY(sni_index_map_create(b->l, type->rank, n_axes + p->n_kept, at));
  v->first_condition = b->n_conditions;
  for (int d = 0; d < type->rank; d++) {
    const side_dim *s = &p->sides[side][d];
    sni_linear *to = at->at + d * (at->n_axes + 1);
    const sni_linear *from = p->map->at + s->from * (n_axes + 1);
    for (int a = 0; s->from >= 0 && a <= n_axes; a++)
      to[a] = sni_linear_mul(b->l->dims, from[a], sni_linear_number(s->from_step));
    to[0] = sni_linear_add(b->l->dims, to[0], s->offset);
    if (s->k >= 0 && p->number[s->k] >= 0)
      to[1 + n_axes + p->number[s->k]] = sni_linear_number(s->k_step);
    if (s->k >= 0 && b->sums) to[1 + b->cut] = b->chunk;
    if (!s->bounded || stays_inside(p, s, type->dims[d])) continue;
    b->n_inner += p->n_kept;
    const sn_status status = sni_body_add_condition(b, to, type->dims[d]);
    b->n_inner -= p->n_kept;
    SNI_TRY(status);
  }
  v->n_conditions = b->n_conditions - v->first_condition;
  return SN_OK;
}

static sn_status add_side(product *p, int side, uint32_t *out) {
  sni_body *b = p->b;
  sni_lowering *l = b->l;
  const int n_axes = sni_body_axes(b);
  sni_node_id id = p->node->operands[side];
  const sni_type *shape = sni_graph_type(l->graph, id);
  sni_expression v = sni_body_blank(SNI_KOP_LOAD, shape->dtype);
  sni_index_map at;
  SNI_TRY(map_side(p, side, shape, &at, &v));
  while (!l->nodes[id].materialised) {
    sni_index_map next;
    bool affine = false;
    SNI_TRY(sni_index_map_through(l, id, &at, &next, &affine));
    id = sni_graph_node(l->graph, id)->operands[0];
    if (!affine) break;  // an opaque reshape of a buffer: read under the reshape's own shape
    at = next;
    shape = sni_graph_type(l->graph, id);
  }
  v.slot = l->nodes[id].slot;
  b->n_inner += p->n_kept;  // k, while the address is worked out
  const sn_status status = l->nodes[id].waits >= 0 ? sni_body_waiting_address(b, id, &at, &v)
                                                   : sni_body_address(b, shape, &at, 0, &v);
  b->n_inner -= p->n_kept;
  SNI_TRY(status);
  v.axes &= (uint16_t)((1u << n_axes) - 1);
  return sni_body_add(b, &v, out);
}

// The result as the strips before this one have left it; +0 before the first.
static sn_status add_from(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out) {
  const sni_type *type = sni_graph_type(b->l->graph, id);
  sni_linear begun[1 + SNI_MAX_AXES] = {sni_linear_number(-1)};  // 0 <= strip - 1
  sni_expression load = sni_body_blank(SNI_KOP_LOAD, type->dtype);
  begun[1 + b->cut] = sni_linear_number(1);
  load.slot = b->l->nodes[id].slot;
  load.first_condition = b->n_conditions;
  load.n_conditions = 1;
  SNI_TRY(sni_body_add_condition(b, begun, b->whole.number));
  SNI_TRY(sni_body_address(b, type, map, 0, &load));
  return sni_body_add(b, &load, out);
}

// Of a float's k that may be longer: it is cut so.
static uint32_t segment_of(sn_dtype dtype, const sni_linear *k, uint32_t n_k) {
  int64_t all = 1;
  for (uint32_t i = 0; i < n_k; i++)
    if (k[i].symbolic || __builtin_mul_overflow(all, k[i].number, &all)) all = INT64_MAX;
  return sni_is_float(dtype) && all > SNI_PRODUCT_SEGMENT ? SNI_PRODUCT_SEGMENT : 0;
}

sn_status sni_body_contract(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  product p = {.b = b, .node = node, .map = map};
  sni_expression v = sni_body_blank(SNI_KOP_CONTRACTION, node->type.dtype);
  describe(&p);
  number_axes(&p);
  sni_linear *k = SNI_ARENA_ARRAY(b->l->scratch, sni_linear, SNI_CONTRACT_AXES);
  if (!k) return sni_fail_memory(b->l->diag, SNI_CONTRACT_AXES * sizeof *k, "a product");
  for (int i = 0; i < p.n_k; i++)
    if (p.number[i] >= 0) k[p.number[i]] = sni_linear_dim(p.extent[i]);
  v.as.product.from = SNI_NO_VALUE;
  v.as.product.k = k;
  v.as.product.n_k = (uint32_t)p.n_kept;
  if (b->sums) {
    k[0] = b->chunk;
    SNI_TRY(add_from(b, id, map, &v.as.product.from));
  }
  v.as.product.segment = segment_of(node->type.dtype, k, v.as.product.n_k);
  SNI_TRY(add_side(&p, 0, &v.as.product.lhs));
  SNI_TRY(add_side(&p, 1, &v.as.product.rhs));
  v.axes = (uint16_t)((1u << b->n_outer) - 1);
  SNI_TRY(sni_body_add(b, &v, out));
  b->contraction = *out;
  return SN_OK;
}
