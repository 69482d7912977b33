// Affine index maps: where, in terms of a group's axes, an element of a node lies, and how that
// carries over from a view to what it views. Numbers known at compile time never touch the dim
// table, so that eager mode's single-op graphs stay cheap.
#include "passes/lower/group.h"

#include <string.h>

sni_linear sni_linear_dim(sni_dim dim) {
  int64_t value = dim;
  if (dim >= 0 || sni_dim_is_constant(NULL, dim, &value)) return sni_linear_number(value);
  return (sni_linear){0, dim};
}

bool sni_linear_is(sni_linear x, int64_t number) {
  return x.symbolic == 0 && x.number == number;
}

bool sni_linear_equal(sni_linear a, sni_linear b) {
  return a.symbolic == b.symbolic && (a.symbolic != 0 || a.number == b.number);
}

static sni_dim as_dim(sni_dim_table *dims, sni_linear x) {
  return x.symbolic != 0 ? x.symbolic : sni_dim_signed(dims, x.number);
}

static sni_linear from_dim(const sni_dim_table *dims, sni_dim dim) {
  int64_t value = 0;
  if (sni_dim_is_constant(dims, dim, &value)) return sni_linear_number(value);
  return (sni_linear){0, dim};
}

sni_linear sni_linear_add(sni_dim_table *dims, sni_linear a, sni_linear b) {
  if (a.symbolic == 0 && b.symbolic == 0)
    return sni_linear_number(sni_wrap_add(a.number, b.number));
  if (sni_linear_is(a, 0)) return b;
  if (sni_linear_is(b, 0)) return a;
  return from_dim(dims, sni_dim_add(dims, as_dim(dims, a), as_dim(dims, b)));
}

sni_linear sni_linear_mul(sni_dim_table *dims, sni_linear a, sni_linear b) {
  if (a.symbolic == 0 && b.symbolic == 0)
    return sni_linear_number(sni_wrap_mul(a.number, b.number));
  if (sni_linear_is(a, 0) || sni_linear_is(b, 0)) return sni_linear_number(0);
  if (sni_linear_is(a, 1)) return b;
  if (sni_linear_is(b, 1)) return a;
  return from_dim(dims, sni_dim_mul(dims, as_dim(dims, a), as_dim(dims, b)));
}

// An index times a step. Beyond the largest step no axis is long enough: the index is 0 alone.
static sni_linear scaled(sni_dim_table *dims, sni_linear index, int64_t step) {
  int64_t product;
  if (index.symbolic != 0) return sni_linear_mul(dims, index, sni_linear_number(step));
  const bool far = __builtin_mul_overflow(index.number, step, &product) ||
                   product < -SNI_STEP_MAX || product > SNI_STEP_MAX;
  return sni_linear_number(far ? 0 : product);
}

bool sni_index_map_equal(const sni_index_map *a, const sni_index_map *b) {
  if (a->rank != b->rank || a->n_axes != b->n_axes) return false;
  for (int i = 0; i < a->rank * (a->n_axes + 1); i++)
    if (!sni_linear_equal(a->at[i], b->at[i])) return false;
  return true;
}

sn_status sni_index_map_create(sni_lowering *l, int rank, int n_axes, sni_index_map *out) {
  out->rank = rank;
  out->n_axes = n_axes;
  size_t count = (size_t)rank * (size_t)(n_axes + 1);
  out->at = sni_arena_alloc_zeroed(l->scratch, count * sizeof(sni_linear));
  return out->at ? SN_OK : sni_fail_memory(l->diag, count * sizeof(sni_linear), "an index map");
}

static sni_linear *row(const sni_index_map *map, int d) {
  return map->at + d * (map->n_axes + 1);
}

static void copy_row(const sni_index_map *from, int from_dim_number, const sni_index_map *to,
                     int to_dim) {
  memcpy(row(to, to_dim), row(from, from_dim_number),
         (size_t)(from->n_axes + 1) * sizeof(sni_linear));
}

static bool is_unit(const sni_type *type, int d) {
  return type->dims[d] == 1;
}

// Greedy matching of dims from the left: each step closes the smallest blocks of equal size.
// Calls are cheap: ranks are at most SN_MAX_RANK.
typedef struct reshape_block {
  int in_first, in_last, out_first, out_last;  // non-unit dims, [first, last)
} reshape_block;

static int match_blocks(sni_lowering *l, const sni_type *in, const sni_type *out,
                        reshape_block *blocks) {
  int n = 0, i = 0, o = 0;
  while (true) {
    while (i < in->rank && is_unit(in, i)) i++;
    while (o < out->rank && is_unit(out, o)) o++;
    if (i == in->rank || o == out->rank) return i == in->rank && o == out->rank ? n : -1;
    reshape_block b = {i, i + 1, o, o + 1};
    sni_dim size_in = in->dims[i++], size_out = out->dims[o++];
    while (!sni_dim_equal(l->dims, size_in, size_out)) {
      bool grow_in =
          size_in >= 0 && size_out >= 0 ? size_in < size_out : i < in->rank && o == out->rank;
      if (size_in < 0 || size_out < 0) {
        // Symbolic: grow the side whose remaining dims could supply the factor; constants first.
        grow_in = (size_out < 0 && size_in >= 0) || (size_in < 0 && size_out < 0 && o == out->rank);
        if (grow_in && i == in->rank) grow_in = false;
      }
      if (grow_in) {
        if (i == in->rank) return -1;
        size_in = sni_dim_mul(l->dims, size_in, in->dims[i++]);
      } else {
        if (o == out->rank) return -1;
        size_out = sni_dim_mul(l->dims, size_out, out->dims[o++]);
      }
    }
    b.in_last = i;
    b.out_last = o;
    blocks[n++] = b;
  }
}

static int count_non_unit(const sni_type *type, int first, int last) {
  int n = 0;
  for (int d = first; d < last; d++) n += !is_unit(type, d);
  return n;
}

sni_reshape_kind sni_classify_reshape(sni_lowering *l, const sni_type *in, const sni_type *out) {
  reshape_block blocks[SN_MAX_RANK];
  int n = match_blocks(l, in, out, blocks);
  if (n < 0) return SNI_RESHAPE_OPAQUE;
  sni_reshape_kind kind = SNI_RESHAPE_UNITS;
  for (int b = 0; b < n; b++) {
    int n_in = count_non_unit(in, blocks[b].in_first, blocks[b].in_last);
    int n_out = count_non_unit(out, blocks[b].out_first, blocks[b].out_last);
    if (n_in == 1 && n_out > 1) kind = SNI_RESHAPE_SPLIT;
    if (n_in > 1) return SNI_RESHAPE_OPAQUE;
  }
  return kind;
}

static sn_status through_reshape(sni_lowering *l, const sni_type *in, const sni_type *out_type,
                                 const sni_index_map *map, sni_index_map *result, bool *affine) {
  reshape_block blocks[SN_MAX_RANK];
  *affine = sni_classify_reshape(l, in, out_type) != SNI_RESHAPE_OPAQUE;
  if (!*affine) return SN_OK;
  SNI_TRY(sni_index_map_create(l, in->rank, map->n_axes, result));
  int n = match_blocks(l, in, out_type, blocks);
  for (int b = 0; b < n; b++) {
    int d_in = blocks[b].in_first;
    sni_linear stride = sni_linear_number(1);
    for (int d = blocks[b].out_last - 1; d >= blocks[b].out_first; d--) {
      if (is_unit(out_type, d)) continue;
      for (int a = 0; a <= map->n_axes; a++) {
        sni_linear term = sni_linear_mul(l->dims, row(map, d)[a], stride);
        row(result, d_in)[a] = sni_linear_add(l->dims, row(result, d_in)[a], term);
      }
      stride = sni_linear_mul(l->dims, stride, sni_linear_dim(out_type->dims[d]));
    }
  }
  return SN_OK;
}

sn_status sni_index_map_through(sni_lowering *l, sni_node_id view, const sni_index_map *map,
                                sni_index_map *out, bool *out_affine) {
  const sni_node *node = sni_graph_node(l->graph, view);
  const sni_type *in = sni_graph_type(l->graph, node->operands[0]);
  *out_affine = true;
  if (sni_is_reshape(node)) return through_reshape(l, in, &node->type, map, out, out_affine);
  SNI_TRY(sni_index_map_create(l, in->rank, map->n_axes, out));
  for (int d = 0; d < node->type.rank; d++) {
    const int from = sni_viewed_dim(l->graph, node, d);
    if (from < 0) continue;
    copy_row(map, d, out, from);
    if (!sni_is_slice(node)) continue;
    const sni_dim start = node->attrs[d];
    int64_t step = 1;
    if (!sni_dim_is_constant(l->dims, node->attrs[in->rank + d], &step))
      return sni_fail(l->diag, SN_ERR_UNSUPPORTED, "slice: a symbolic step");
    for (int a = 0; a <= map->n_axes; a++) row(out, d)[a] = scaled(l->dims, row(out, d)[a], step);
    row(out, d)[0] = sni_linear_add(l->dims, row(out, d)[0], sni_linear_dim(start));
  }
  return SN_OK;
}

// ---- pieces

int sni_piece_count(const sni_node *node) {
  return sni_is_pad(node) ? 1 : node->n_operands;
}

sni_node_id sni_piece_fill(const sni_node *node) {
  return sni_is_pad(node) ? node->operands[1] : SNI_NO_NODE;
}

int64_t sni_piece_step(const sni_node *node, int d) {
  return sni_is_pad(node) ? node->attrs[2 * node->type.rank + d] + 1 : 1;
}

void sni_first_piece(const sni_node *node, sni_linear *start) {
  for (int d = 0; d < node->type.rank; d++)
    start[d] = sni_is_pad(node) ? sni_linear_dim(node->attrs[d]) : sni_linear_number(0);
}

void sni_next_piece(const sni_lowering *l, const sni_node *node, int piece, sni_linear *start) {
  if (sni_is_pad(node)) return;
  const int axis = (int)node->attrs[0];
  const sni_type *type = sni_graph_type(l->graph, node->operands[piece]);
  start[axis] = sni_linear_add(l->dims, start[axis], sni_linear_dim(type->dims[axis]));
}
