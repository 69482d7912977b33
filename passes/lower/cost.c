// The one cost model: operations / peak against bytes / bandwidth, in nanoseconds of one core. What
// it is for (splitting commands, ordering them) needs factors of two, not percents.
//
// The figures are those of server cores of 2020 to 2024 at about 3 GHz, of kernels that LLVM
// compiled; instructions have theirs in SNI_KOPS.
#include "passes/lower/cost.h"

enum {
  assumed = 64,       // extent of unknown size
  near_accesses = 8,  // that may have read the same lines
  l1_bytes = 32 << 10,
  l2_bytes = 512 << 10,
  l3_bytes = 16 << 20,
};

static const double unit_ns = 5;            // the call and the loops around it
static const double table_bits = 256;       // vectors that SNI_KOPS counts with
static const double access_share = 0.3;     // of loads and stores, beside their bytes
static const double scalar_slowdown = 6;    // against one element in a vector
static const double gathered_ns = 1;        // an element that lies anywhere
static const double product_ns = 2.0 / 75;  // f32, vectors of 256 bits
static const double bytes_ns[] = {0.01, 0.015, 0.025, 0.06};  // from L1, L2, L3, memory

double sni_bytes_cost(double bytes, double footprint) {
  const int level = footprint <= l1_bytes   ? 0
                    : footprint <= l2_bytes ? 1
                    : footprint <= l3_bytes ? 2
                                            : 3;
  return bytes * bytes_ns[level];
}

static double width(sn_dtype dtype) {
  return sn_dtype_size(dtype) > 4 ? 2 : 1;
}

double sni_product_cost(sn_dtype dtype, double n, int vector_bits) {
  return n * product_ns * width(dtype) * table_bits / vector_bits;
}

double sni_arithmetic_cost(double ns, sn_dtype dtype, double times, int vector_bits) {
  return times * ns * width(dtype) * table_bits / vector_bits;
}

double sni_kop_cost(sni_kop op, sn_dtype dtype, double times, bool in_lanes, int vector_bits) {
  const double ns = (double)sni_kop_infos[op].cost;
  if (!in_lanes) return times * ns * width(dtype) * scalar_slowdown;
  return sni_arithmetic_cost(sni_kop_has_access(op) ? ns * access_share : ns, dtype, times,
                             vector_bits);
}

typedef struct walk {
  const sni_tree *tree;
  const int64_t *params;
  int vector_bits;
  double ns, bytes;
} walk;

static double known(sni_extent x, const int64_t *params) {
  const int64_t value = sni_extent_value(x, params);
  return value > 0 ? (double)value : x.param < 0 ? 0 : assumed;
}

// Iterations of an item's innermost loops around it, in all units, and whether some run in lanes.
typedef struct around {
  double times;
  uint32_t lanes;  // item; SNI_NO_ITEM
} around;

static around loops_around(const walk *w, uint32_t item) {
  const sni_item *items = sni_tree_items(w->tree);
  around a = {1, SNI_NO_ITEM};
  for (uint32_t i = items[item].parent; i != SNI_NO_ITEM; i = items[i].parent) {
    if (items[i].kind != SNI_ITEM_LOOP) continue;
    const sni_loop_item *loop = &items[i].as.loop;
    // Pieces of a strip are counted by the axis.
    const bool in_strips = loop->strip != SNI_NO_ITEM;
    double trips = known(loop->extent, w->params);
    if (in_strips) {
      const double pieces = known(items[loop->strip].as.loop.extent, w->params);
      trips = pieces > 0 ? known(loop->whole, w->params) / pieces : 0;
    }
    a.times *= trips;
    if (sni_tree_schedule(w->tree)[i].lanes) a.lanes = i;
  }
  return a;
}

// Elements that an access reaches, over all the loops around `item` that it varies along.
static double elements_of(const walk *w, uint32_t item, const sni_tree_access *access) {
  const sni_item *items = sni_tree_items(w->tree);
  double elements = 1;
  for (uint32_t i = items[item].parent; i != SNI_NO_ITEM; i = items[i].parent) {
    if (items[i].kind != SNI_ITEM_LOOP || items[i].as.loop.strip != SNI_NO_ITEM) continue;
    if (access->index == SNI_NO_VALUE && sni_extent_is(access->stride[items[i].depth], 0)) continue;
    elements *= known(items[i].as.loop.extent, w->params);
  }
  return elements;
}

// Whether the value differs between iterations of the loop: it is computed inside.
static bool varies(const walk *w, uint32_t value, uint32_t loop) {
  const sni_item *items = sni_tree_items(w->tree);
  for (uint32_t i = loop + 1; i < items[loop].end; i++) {
    const sni_block_item *block = &items[i].as.block;
    if (items[i].kind == SNI_ITEM_BLOCK && value - block->first < block->count) return true;
  }
  return false;
}

// What the accesses just before reach of the same buffer: neighbours, as a stencil's, which are in
// the cache by then.
static double near_elements(const walk *w, uint32_t item, const sni_tree_access *access) {
  const sni_tree_access *first = sni_tree_accesses(w->tree);
  double most = 0;
  for (int back = 1; back <= near_accesses && access - back >= first; back++) {
    if (access[-back].buffer != access->buffer) continue;
    const double elements = elements_of(w, item, &access[-back]);
    if (elements > most) most = elements;
  }
  return most;
}

static void add_access(walk *w, uint32_t item, const sni_tree_access *access, const around *a) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(w->tree)[access->buffer];
  const double bytes = (double)sn_dtype_size((sn_dtype)buffer->dtype);
  if (buffer->space != SNI_SPACE_GLOBAL) return;
  const double elements = elements_of(w, item, access), before = near_elements(w, item, access);
  if (elements > before) w->bytes += (elements - before) * bytes;
  if (a->lanes == SNI_NO_ITEM) return;
  const sni_extent stride = access->stride[sni_tree_items(w->tree)[a->lanes].depth];
  const bool in_order = sni_extent_is(stride, 0) || sni_extent_is(stride, 1);
  const bool anywhere = access->index != SNI_NO_VALUE && varies(w, access->index, a->lanes);
  if (anywhere || !in_order) w->ns += elements * gathered_ns;
}

static void add_block(walk *w, uint32_t item) {
  const sni_block_item *block = &sni_tree_items(w->tree)[item].as.block;
  const around a = loops_around(w, item);
  for (uint32_t k = 0; k < block->count; k++) {
    const sni_tree_inst *inst = &sni_tree_insts(w->tree)[block->first + k];
    w->ns += sni_kop_cost((sni_kop)inst->op, (sn_dtype)inst->dtype, a.times, a.lanes != SNI_NO_ITEM,
                          w->vector_bits);
    if (sni_kop_has_access((sni_kop)inst->op))
      add_access(w, item, &sni_tree_accesses(w->tree)[inst->access], &a);
  }
}

static void add_contract(walk *w, uint32_t item) {
  const sni_contract_item *c = &sni_tree_items(w->tree)[item].as.contract;
  const around a = loops_around(w, item);
  double k = 1;
  for (uint32_t i = 0; i < c->n_k; i++) k *= known(c->k[i], w->params);
  const sn_dtype dtype = (sn_dtype)sni_tree_insts(w->tree)[c->inst].dtype;
  w->ns += sni_product_cost(dtype, a.times * k, w->vector_bits);
  for (int i = 0; i < 2; i++) {
    const sni_tree_access *side = &sni_tree_accesses(w->tree)[i ? c->rhs : c->lhs];
    const sn_dtype stored = (sn_dtype)sni_tree_buffers(w->tree)[side->buffer].dtype;
    w->bytes += elements_of(w, item, side) * k * (double)sn_dtype_size(stored);
  }
}

static double units_of(const sni_tree *tree, const int64_t *params) {
  const sni_item *items = sni_tree_items(tree);
  const sni_schedule *schedule = sni_tree_schedule(tree);
  double all = 0, root = 0;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    if (!schedule[i].grid) continue;
    const double grain = (double)schedule[i].grain, extent = known(items[i].as.loop.extent, params);
    if (items[i].depth == 0) {
      all += root;
      root = 1;
    }
    if (grain > 0 && extent > grain) root *= extent / grain;
  }
  return all + root < 1 ? 1 : all + root;
}

double sni_tree_cost(const sni_tree *tree, const int64_t *params, int vector_bits) {
  walk w = {.tree = tree, .params = params, .vector_bits = vector_bits};
  for (uint32_t i = 0; i < tree->n_items; i++) {
    const uint16_t kind = sni_tree_items(tree)[i].kind;
    if (kind == SNI_ITEM_BLOCK) add_block(&w, i);
    if (kind == SNI_ITEM_CONTRACT) add_contract(&w, i);
  }
  const double moving = sni_bytes_cost(w.bytes, w.bytes);
  return unit_ns + (w.ns > moving ? w.ns : moving) / units_of(tree, params);
}
