// Complex values as pairs of real ones (docs/adr/013-complex-values-are-pairs.md). This pass writes them
// down so, before widen_storage and in eager mode too: all that follows knows real dtypes alone.
//
// What lies in memory (parameters, constants, results) stays as it lies: the bytes of a real tensor with
// one more dim of 2, whose slices are the parts. A tensor of SN_MAX_RANK dims has its first two merged.
//
// Invariant: no node of the new graph is complex; parameters and results keep their order and bytes.
#include "graph/late.h"
#include "passes/graph/complex.h"
#include "passes/graph/passes.h"

#include <string.h>

// What a node of the old graph is in the new one. A real one: packed. A complex one: packed, as it lies in
// memory, or a pair, or both.
typedef struct value {
  sni_node_id packed;
  sni_pair pair;
} value;

typedef struct splitter {
  const sni_graph *from;
  sni_graph *to;
  sni_build b;
  value *values;  // per node of `from`
  bool *needed;   // per node of `from`
} splitter;

enum { few = 8 };  // operands that need no allocation

static const sni_node_id none = SNI_NO_NODE;

static bool is_complex(const splitter *s, sni_node_id id) {
  return sni_is_complex(sni_graph_type(s->from, id)->dtype);
}

static sni_type part_type(const sni_type *type) {
  sni_type part = *type;
  part.dtype = sni_part_dtype(type->dtype);
  return part;
}

// ---- memory
// The type's dims, the first two of too many as one.
static sni_type flat_type(sni_dim_table *dims, const sni_type *type) {
  sni_type flat = part_type(type);
  if (type->rank < SN_MAX_RANK) return flat;
  flat.dims[0] = sni_dim_mul(dims, type->dims[0], type->dims[1]);
  flat.rank--;
  for (int i = 1; i < flat.rank; i++) flat.dims[i] = type->dims[i + 1];
  return flat;
}

static sni_type with_last(sni_type type, sni_dim size) {
  type.dims[type.rank++] = size;
  return type;
}

static sni_node_id take_part(sni_build *b, sni_node_id packed, const sni_type *type, int part) {
  const sni_type flat = flat_type(b->graph->dims, type), one = with_last(flat, 1);
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  for (int i = 0; i < one.rank; i++) steps[i] = 1;
  starts[flat.rank] = part;
  return sni_build_reshape(b, sni_build_slice(b, packed, starts, steps, one.dims), type);
}

static sni_pair pair_of(splitter *s, sni_node_id id) {
  value *v = &s->values[id];
  if (v->pair.re == none && !s->b.status) {
    const sni_type part = part_type(sni_graph_type(s->from, id));
    v->pair.re = take_part(&s->b, v->packed, &part, 0);
    v->pair.im = take_part(&s->b, v->packed, &part, 1);
  }
  return v->pair;
}

static sni_node_id packed_of(splitter *s, sni_node_id id) {
  value *v = &s->values[id];
  if (v->packed == none && !s->b.status) {
    const sni_type flat = flat_type(s->to->dims, sni_graph_type(s->from, id));
    const sni_type one = with_last(flat, 1);
    const sni_node_id parts[2] = {sni_build_reshape(&s->b, v->pair.re, &one),
                                  sni_build_reshape(&s->b, v->pair.im, &one)};
    v->packed = sni_build_concat(&s->b, parts, 2, flat.rank);
  }
  return v->packed;
}

// ---- nodes as they are
static sni_node_id append(splitter *s, const sni_node *node) {
  sni_graph *to = s->to;
  if (s->b.status) return none;
  s->b.status = sni_arena_grow(to->arena, to->diag, (void **)&to->nodes, &to->nodes_capacity,
                               to->n_nodes + 1, sizeof(sni_node));
  if (s->b.status) return none;
  to->nodes[to->n_nodes] = *node;
  return to->n_nodes++;
}

static sni_node_id copy_node(splitter *s, const sni_node *node) {
  sni_node copy = *node;
  sni_node_id *operands = SNI_ARENA_ARRAY(s->to->arena, sni_node_id, node->n_operands);
  if (!operands) {
    s->b.status = sni_fail_memory(s->to->diag, node->n_operands * sizeof(*operands), "operands");
    return none;
  }
  for (int i = 0; i < node->n_operands; i++) operands[i] = s->values[node->operands[i]].packed;
  if (node->n_operands) copy.operands = operands;
  return append(s, &copy);
}

// A parameter or a constant of the same bytes. A constant of one element has its parts as numbers.
static void split_leaf(splitter *s, const sni_node *node, value *out) {
  const sni_type flat = flat_type(s->to->dims, &node->type);
  sni_node copy = *node;
  copy.type = with_last(flat, 2);
  if (sni_is_parameter(node) || node->type.rank) {
    out->packed = append(s, &copy);
    return;
  }
  const sn_dtype part = sni_part_dtype(node->type.dtype);
  copy.type = part_type(&node->type);
  out->pair.re = append(s, &copy);
  copy.data = (const char *)node->data + sni_dtype_bytes(part);
  out->pair.im = append(s, &copy);
}

// ---- part by part
// The op on the parts, and on the real operands as they are.
static void map_parts(splitter *s, const sni_node *node, value *out) {
  sni_node_id room[few], *operands = room;
  const sni_type type = part_type(&node->type);
  if (node->n_operands > few) {
    operands = SNI_ARENA_ARRAY(s->to->arena, sni_node_id, node->n_operands);
    if (!operands) {
      s->b.status = sni_fail_memory(s->to->diag, node->n_operands * sizeof(*operands), "operands");
      return;
    }
  }
  for (int part = 0; part < 2; part++) {
    for (int i = 0; i < node->n_operands; i++) {
      const sni_node_id id = node->operands[i];
      const bool whole = !is_complex(s, id);
      operands[i] = whole ? s->values[id].packed : part ? pair_of(s, id).im : pair_of(s, id).re;
    }
    *(part ? &out->pair.im : &out->pair.re) = sni_build_node(
        &s->b, node->op, operands, node->n_operands, node->attrs, node->n_attrs, &type);
  }
}

// Rows of what lies in memory stay together.
static void split_indexed(splitter *s, const sni_node *node, value *out) {
  const sni_node_id table = node->operands[0], index = node->operands[1];
  const bool gathers = sni_lowering_of(node) != SNI_LOWERING_UPDATE;
  const int rank = sni_graph_type(s->from, table)->rank;
  if (!gathers || s->values[table].packed == none || rank == SN_MAX_RANK ||
      node->type.rank == SN_MAX_RANK) {
    s->b.location.complex_table = SNI_TABLE_PART;
    map_parts(s, node, out);
    return;
  }
  s->b.location.complex_table = SNI_TABLE_PAIR;
  const sni_node_id operands[2] = {s->values[table].packed, s->values[index].packed};
  out->packed = sni_build_node(&s->b, node->op, operands, 2, NULL, 0, NULL);
}

// ---- contractions: linear in each operand
static void split_contraction(splitter *s, const sni_node *node, value *out) {
  sni_build *b = &s->b;
  const sni_pair x = pair_of(s, node->operands[0]), y = pair_of(s, node->operands[1]);
  const sni_node_id sides[4][2] = {{x.re, y.re}, {x.im, y.im}, {x.re, y.im}, {x.im, y.re}};
  sni_node_id products[4];
  for (int i = 0; i < 4; i++)
    products[i] = sni_build_node(b, node->op, sides[i], 2, node->attrs, node->n_attrs, NULL);
  out->pair.re = sni_build_sub(b, products[0], products[1]);
  out->pair.im = sni_build_add(b, products[2], products[3]);
}

// ---- transforms of rows: pairs as they lie in memory
static void split_transform(splitter *s, const sni_node *node, value *out) {
  sni_build *b = &s->b;
  const sni_node_id x = node->operands[0];
  const bool from_complex = is_complex(s, x), to_complex = sni_is_complex(node->type.dtype);
  const sni_type flat = flat_type(s->to->dims, sni_graph_type(s->from, x));
  sni_dim attrs[] = {node->attrs[0], node->attrs[1], node->n_attrs > 2 ? node->attrs[2] : 0};
  if (!from_complex) attrs[2] = 1;  // the result as pairs
  const sni_node_id operand =
      from_complex ? packed_of(s, x) : sni_build_reshape(b, s->values[x].packed, &flat);
  const sni_node_id y = sni_build_node(b, node->op, &operand, 1, attrs, node->n_attrs, NULL);
  out->packed = to_complex ? y : sni_build_reshape(b, y, &node->type);
}

// ---- products of elements: one after the other, in every mode
static sni_pair cumulate(splitter *s, const sni_node_id *operands, int n, const sni_dim *attrs) {
  sni_dim given[4] = {attrs[0], attrs[1], attrs[2], 0};
  const sni_node_id re = sni_build_node(&s->b, SNI_OP_PAIR_CUMULATION, operands, n, given, 4, NULL);
  given[3] = 1;
  return (sni_pair){re, sni_build_node(&s->b, SNI_OP_PAIR_CUMULATION, operands, n, given, 4, NULL)};
}

static void split_cumulation(splitter *s, const sni_node *node, value *out) {
  sni_node_id operands[4] = {none, none, none, none};
  if (node->op == SNI_OP_CUMSUM) {
    map_parts(s, node, out);
    return;
  }
  for (int i = 0; i < node->n_operands; i++) {
    const sni_pair x = pair_of(s, node->operands[i]);
    operands[2 * i] = x.re;
    operands[2 * i + 1] = x.im;
  }
  out->pair = cumulate(s, operands, 2 * node->n_operands, node->attrs);
}

// x with the axes behind the others and as one, of *out_n elements.
static sni_node_id rows_of(sni_build *b, sni_node_id x, const sni_node *node, sni_dim *out_n) {
  const sni_type type = sni_build_type(b, x);
  sni_type rows = part_type(&node->type);
  int perm[SN_MAX_RANK] = {0}, kept = 0, next = 0;
  *out_n = 1;
  for (int i = 0; i < type.rank; i++) {
    if (next < node->n_attrs && node->attrs[next] == i) {
      perm[rows.rank + next++] = i;
      *out_n = sni_dim_mul(b->graph->dims, *out_n, type.dims[i]);
    } else {
      perm[kept++] = i;
    }
  }
  rows = with_last(rows, *out_n);
  return sni_build_reshape(b, sni_build_transpose(b, x, perm), &rows);
}

// The last of the cumulated products; a 1 behind them is that of no elements.
static void split_product(splitter *s, const sni_node *node, value *out) {
  sni_build *b = &s->b;
  const sni_pair x = pair_of(s, node->operands[0]);
  const sni_type type = part_type(&node->type);
  const int axis = type.rank;
  const sni_dim attrs[3] = {axis, 0, 0};
  sni_dim n = 1, low[SN_MAX_RANK] = {0}, high[SN_MAX_RANK] = {0}, last[SN_MAX_RANK] = {0};
  int64_t interior[SN_MAX_RANK] = {0}, steps[SN_MAX_RANK];
  if (!node->n_attrs) {
    out->pair = x;
    return;
  }
  high[axis] = 1;
  sni_node_id parts[2] = {rows_of(b, x.re, node, &n), rows_of(b, x.im, node, &n)};
  for (int i = 0; i < 2; i++)
    parts[i] =
        sni_build_pad(b, parts[i], sni_build_scalar(b, type.dtype, i ? 0 : 1), low, high, interior);
  const sni_pair all = cumulate(s, parts, 2, attrs);
  for (int i = 0; i <= axis; i++) steps[i] = 1;
  last[axis] = sni_dim_max(s->to->dims, sni_dim_add_constant(s->to->dims, n, -1), 0);
  const sni_type one = with_last(type, 1);
  out->pair.re = sni_build_reshape(b, sni_build_slice(b, all.re, last, steps, one.dims), &type);
  out->pair.im = sni_build_reshape(b, sni_build_slice(b, all.im, last, steps, one.dims), &type);
}

// ---- element by element
static sni_pair cast_of(splitter *s, sni_node_id x, const sni_type *type) {
  if (is_complex(s, x)) return sni_pair_cast(&s->b, pair_of(s, x), type->dtype);
  return (sni_pair){sni_build_cast(&s->b, s->values[x].packed, type->dtype),
                    sni_build_full(&s->b, type, 0)};
}

// Ops whose result is real.
static sni_node_id real_result(splitter *s, const sni_node *node) {
  sni_build *b = &s->b;
  const sni_pair x = pair_of(s, node->operands[0]);
  if (node->op == SNI_OP_REAL) return x.re;
  if (node->op == SNI_OP_IMAG) return x.im;
  if (node->op == SNI_OP_ABS) return sni_pair_abs(b, x);
  if (node->op == SNI_OP_EQ) return sni_pair_equal(b, x, pair_of(s, node->operands[1]));
  const sni_node_id re = sni_build_cast(b, x.re, SN_BOOL);  // CAST to bool, the only one left
  return sni_build_binary(b, SNI_OP_OR, re, sni_build_cast(b, x.im, SN_BOOL));
}

static void split_pointwise(splitter *s, const sni_node *node, value *out) {
  sni_build *b = &s->b;
  const sni_type type = part_type(&node->type);
  const sni_node_id first = node->operands[0];
  if (!sni_is_complex(node->type.dtype)) {
    out->packed = real_result(s, node);
  } else if (sni_op_passes_on(node->op)) {
    *out = s->values[first];
  } else if (node->op == SNI_OP_CAST) {
    out->pair = cast_of(s, first, &type);
  } else if (node->op == SNI_OP_COMPLEX) {
    out->pair = (sni_pair){s->values[first].packed, s->values[node->operands[1]].packed};
  } else if (node->op == SNI_OP_SELECT || node->op == SNI_OP_NEG || node->op == SNI_OP_ADD ||
             node->op == SNI_OP_SUB) {
    map_parts(s, node, out);
  } else {
    const sni_pair x = pair_of(s, first);
    const sni_pair y = node->n_operands > 1 ? pair_of(s, node->operands[1]) : x;
    out->pair = node->op == SNI_OP_CONJ  ? sni_pair_conj(b, x)
                : node->op == SNI_OP_MUL ? sni_pair_mul(b, x, y)
                : node->op == SNI_OP_DIV ? sni_pair_div(b, x, y)
                                         : sni_pair_function(b, node->op, x, y);
  }
}

// ---- bodies, whose operands and results lie in memory
static sni_graph *const *split_bodies(splitter *s, const sni_node *node) {
  sni_graph **bodies = SNI_ARENA_ARRAY(s->to->arena, sni_graph *, node->n_bodies);
  if (!bodies) s->b.status = sni_fail_memory(s->to->diag, sizeof(*bodies), "bodies");
  for (int i = 0; i < node->n_bodies && !s->b.status; i++) {
    sni_graph body = *node->bodies[i];
    body.arena = s->to->arena;
    body.diag = s->to->diag;
    body.dims = s->to->dims;
    bodies[i] = SNI_ARENA_NEW(s->to->arena, sni_graph);
    if (!bodies[i]) {
      s->b.status = sni_fail_memory(s->to->diag, sizeof(body), "a body");
      return bodies;
    }
    *bodies[i] = body;
    s->b.status = sni_split_complex(bodies[i], &bodies[i]);
  }
  return bodies;
}

static void split_control(splitter *s, const sni_node *node, value *out) {
  sni_node copy = *node;
  for (int i = 0; i < node->n_operands; i++) packed_of(s, node->operands[i]);
  if (node->n_bodies) copy.bodies = split_bodies(s, node);
  if (sni_is_complex(node->type.dtype))
    copy.type = with_last(flat_type(s->to->dims, &node->type), 2);
  out->packed = copy_node(s, &copy);
}

// ---- the walk
static void split_node(splitter *s, const sni_node *node, value *out) {
  switch (sni_op_infos[node->op].op_class) {
    case SNI_CLASS_LEAF:
      split_leaf(s, node, out);
      return;
    case SNI_CLASS_POINTWISE:
      split_pointwise(s, node, out);
      return;
    case SNI_CLASS_REDUCE:
      if (!sni_is_sum(node)) {
        split_product(s, node, out);
        return;
      }
      break;
    case SNI_CLASS_CUMULATE:
      split_cumulation(s, node, out);
      return;
    case SNI_CLASS_CONTRACT:
      split_contraction(s, node, out);
      return;
    case SNI_CLASS_INDEX:
      split_indexed(s, node, out);
      return;
    case SNI_CLASS_CONTROL:
      split_control(s, node, out);
      return;
    case SNI_CLASS_LIBRARY:  // of these, transforms alone take complex numbers
      split_transform(s, node, out);
      return;
    case SNI_CLASS_VIEW:
    case SNI_CLASS_PARTIAL:
      break;
  }
  map_parts(s, node, out);
}

static void visit(splitter *s, sni_node_id i) {
  const sni_node *node = sni_graph_node(s->from, i);
  value *out = &s->values[i];
  bool any = is_complex(s, i);
  *out = (value){none, {none, none}};
  for (int k = 0; k < node->n_operands; k++) any |= is_complex(s, node->operands[k]);
  any |= node->n_bodies > 0;
  s->b.location = node->location;
  if (!any)
    out->packed = copy_node(s, node);
  else
    split_node(s, node, out);
  const sni_node_id named = out->packed != none ? out->packed : out->pair.re;
  if (!s->b.status && node->name && !s->to->nodes[named].name)
    s->to->nodes[named].name = node->name;
}

static sn_status copy_ends(splitter *s) {
  const sni_graph *from = s->from;
  sni_graph *to = s->to;
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->parameters, &to->parameters_capacity,
                         from->n_parameters, sizeof(sni_parameter)));
  for (uint32_t i = 0; i < from->n_parameters; i++) {
    to->parameters[i] = from->parameters[i];
    to->parameters[i].node = s->values[from->parameters[i].node].packed;
  }
  to->n_parameters = from->n_parameters;
  for (uint32_t i = 0; i < from->n_results; i++) {
    const sni_node_id id = from->results[i].node;
    s->b.location = sni_graph_node(from, id)->location;
    const sni_node_id packed = is_complex(s, id) ? packed_of(s, id) : s->values[id].packed;
    SNI_TRY(s->b.status);
    SNI_TRY(sni_graph_add_result(to, packed, from->results[i].variable));
  }
  return SN_OK;
}

static sn_status split(splitter *s, sni_graph **out_graph) {
  const sni_graph *from = s->from;
  SNI_TRY(sni_graph_create(from->arena, from->diag, from->name, from->dims, &s->to));
  s->b = sni_build_make(s->to, (sni_location){0});
  memset(s->needed, 0, from->n_nodes);
  for (uint32_t i = 0; i < from->n_parameters; i++) s->needed[from->parameters[i].node] = true;
  sni_mark_needed(from, NULL, s->needed + from->n_nodes, s->needed);
  for (sni_node_id i = 0; i < from->n_nodes; i++) {
    if (!s->needed[i]) continue;
    visit(s, i);
    SNI_TRY(s->b.status);
  }
  SNI_TRY(copy_ends(s));
#if defined(SNI_DEBUG)
  SNI_TRY(sni_graph_verify(s->to));
#endif
  *out_graph = s->to;
  return SN_OK;
}

sn_status sni_split_complex(const sni_graph *graph, sni_graph **out_graph) {
  splitter s = {.from = graph};
  bool any = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) any |= is_complex(&s, i);
  if (!any) {
    *out_graph = (sni_graph *)(uintptr_t)graph;
    return SN_OK;
  }
  const size_t bytes = graph->n_nodes * (sizeof(value) + sizeof(bool)) +
                       (size_t)sni_dim_symbol_count(graph->dims) * sizeof(bool);
  char *memory = sni_alloc(graph->arena->allocator, bytes);
  if (!memory) return sni_fail_memory(graph->diag, bytes, "complex values");
  s.values = (value *)(void *)memory;
  s.needed = (bool *)(s.values + graph->n_nodes);
  const sn_status status = split(&s, out_graph);
  sni_free(graph->arena->allocator, memory, bytes);
  return status;
}
