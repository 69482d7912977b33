// Fifth step of flattening: where values live. Registers are blocks of elements in scratch memory,
// shared by values that are not alive at the same time (linear scan over the steps); their length
// is chosen so that all of them together stay in the L1 cache.
//
// Invariant: a value that a loop uses but does not define keeps its register until the loop's last
// step, since the loop's steps run again; accumulators and carried values have theirs from the
// loop's first step on.
#include "codegen/interp/flatten.h"

enum {
  register_bytes = 16 << 10,  // half of a small L1: the rest is for what passes by in memory
  per_lane_bytes = 96 << 10,  // of buffers that each lane has its own of: in the L2 cache
  most_block = 1024,
  block_without_registers = 4096,
  header_bytes = sizeof(sni_scratch_header),
  tile_rows = 48,  // of several products under the same loops
  few_lanes = 16,
  many_lanes = 256,  // that rows of memory are added up in: they are close together then
  rows_at_once = 8,
};

typedef struct pool {
  uint32_t *free_numbers;  // a stack
  uint32_t n_free, n_made;
  size_t base;
} pool;

typedef struct scan {
  sni_flattener *t;
  pool pools[4];                    // elements of 1, 2, 4 and 8 bytes
  uint32_t *starts, *ends;          // per step: first slot of a chain
  uint32_t *next_start, *next_end;  // per slot
} scan;

typedef struct span {
  uint32_t first, end;  // steps
} span;

static int pool_of(uint8_t dtype) {
  return __builtin_ctz((unsigned)sni_dtype_bytes((sn_dtype)dtype));
}

static size_t round_up(size_t value, size_t unit) {
  return (value + unit - 1) / unit * unit;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void *allocate(sni_flattener *t, size_t count, size_t size) {
  void *items = t->status ? NULL : sni_arena_alloc_zeroed(t->arena, count * size);
  if (!items && !t->status) t->status = sni_fail_memory(t->diag, count * size, "an interpreter");
  return items;
}

// ---- life times

static void touch_one(sni_flat_slot *info, uint32_t step, const span *around, uint32_t depth) {
  if (info->first == SNI_NO_VALUE) info->first = step;
  if (info->last < step) info->last = step;
  for (uint32_t i = 0; i < depth; i++) {
    if (around[i].first <= info->first) continue;
    if (info->last < around[i].end - 1) info->last = around[i].end - 1;
    return;
  }
}

// around: the loops around the step, outermost first.
static void touch(sni_flattener *t, uint32_t slot, uint32_t step, const span *around,
                  uint32_t depth) {
  for (; slot != SNI_NO_VALUE; slot = t->slots[slot].holder)
    touch_one(&t->slots[slot], step, around, depth);
}

// Accumulators and carried values are there before the loop's first step and behind its last.
static void touch_whole(sni_flattener *t, uint32_t slot, const span *around, uint32_t depth) {
  const span own = around[depth - 1];
  touch(t, slot, own.first, around, depth - 1);
  touch(t, slot, own.end - 1, around, depth - 1);
}

static void touch_loop(sni_flattener *t, const sni_node *node, const span *around, uint32_t depth) {
  for (uint32_t i = 0; i < node->reductions.count; i++) {
    const sni_flat_reduction *r = &t->reductions[node->reductions.first + i];
    touch_whole(t, r->slot, around, depth);
    if (r->goes_on) touch(t, r->identity, around[depth - 1].first, around, depth - 1);
  }
  for (uint32_t i = 0; i < node->carries.count; i++) {
    const sni_carry *carry = &t->carries[node->carries.first + i];
    touch_whole(t, carry->carry, around, depth);
    touch_whole(t, carry->yield, around, depth);
    touch(t, carry->start, around[depth - 1].first, around, depth - 1);
  }
}

// Steps of a node and its body.
static span span_of(const sni_flattener *t, uint32_t number) {
  span steps = {UINT32_MAX, 0};
  for (uint32_t i = number; i < t->nodes[number].end; i++) {
    const sni_node *node = &t->nodes[i];
    if (node->kind != SNI_NODE_STEPS) continue;
    if (node->first < steps.first) steps.first = node->first;
    steps.end = node->first + node->count;
  }
  return steps;
}

static bool is_loop(const sni_node *node) {
  return node->kind != SNI_NODE_STEPS && node->kind != SNI_NODE_IF;
}

static void find_lives(sni_flattener *t) {
  span around[SNI_TREE_DEPTH + 2];
  uint32_t ends[SNI_TREE_DEPTH + 2], depth = 0;
  for (uint32_t i = 0; i < t->n_nodes; i++) {
    const sni_node *node = &t->nodes[i];
    while (depth > 0 && i >= ends[depth - 1]) depth--;
    if (is_loop(node)) {
      const span own = span_of(t, i);
      if (own.end == 0) continue;
      around[depth] = own;
      ends[depth++] = node->end;
      touch_loop(t, node, around, depth);
    }
    for (uint32_t s = 0; node->kind == SNI_NODE_STEPS && s < node->count; s++) {
      const sni_flat_step *step = &t->steps[node->first + s];
      const uint32_t used[4] = {step->dst, step->a, step->b, step->c};
      for (int j = 0; j < 4; j++) touch(t, used[j], node->first + s, around, depth);
      if (step->kind == SNI_FLAT_SCAN)
        touch(t, t->scans[step->number].before, node->first + s, around, depth);
    }
  }
}

// ---- registers

static void take_register(scan *s, uint32_t slot) {
  sni_flat_slot *info = &s->t->slots[slot];
  pool *p = &s->pools[pool_of(info->dtype)];
  info->offset = p->n_free ? p->free_numbers[--p->n_free] : p->n_made++;
}

static void free_ending(scan *s, uint32_t step) {
  for (uint32_t slot = s->ends[step]; slot != SNI_NO_VALUE; slot = s->next_end[slot]) {
    const sni_flat_slot *info = &s->t->slots[slot];
    pool *p = &s->pools[pool_of(info->dtype)];
    p->free_numbers[p->n_free++] = (uint32_t)info->offset;
  }
  s->ends[step] = SNI_NO_VALUE;
}

static void take_starting(scan *s, uint32_t step, bool results) {
  const sni_flattener *t = s->t;
  for (uint32_t slot = s->starts[step]; slot != SNI_NO_VALUE; slot = s->next_start[slot]) {
    const sni_flat_slot *info = &t->slots[slot];
    const bool result = t->steps[step].dst == slot && !info->early && info->last > step;
    if (result == results) take_register(s, slot);
  }
}

// A block function may write over an operand that dies; the other steps may not.
static void scan_registers(scan *s) {
  for (uint32_t step = 0; step < s->t->n_steps; step++) {
    take_starting(s, step, false);
    if (s->t->steps[step].kind == SNI_FLAT_CALL) free_ending(s, step);
    take_starting(s, step, true);
    free_ending(s, step);
  }
}

static void assign_registers(sni_flattener *t, scan *s) {
  s->t = t;
  s->starts = allocate(t, t->n_steps + 1, sizeof(uint32_t));
  s->ends = allocate(t, t->n_steps + 1, sizeof(uint32_t));
  s->next_start = allocate(t, t->n_slots + 1, sizeof(uint32_t));
  s->next_end = allocate(t, t->n_slots + 1, sizeof(uint32_t));
  for (int i = 0; i < 4; i++)
    s->pools[i].free_numbers = allocate(t, t->n_slots + 1, sizeof(uint32_t));
  if (t->status) return;
  for (uint32_t i = 0; i <= t->n_steps; i++) s->starts[i] = s->ends[i] = SNI_NO_VALUE;
  for (uint32_t slot = 0; slot < t->n_slots; slot++) {
    const sni_flat_slot *info = &t->slots[slot];
    if (info->home != SNI_HOME_REGISTER || info->first == SNI_NO_VALUE) continue;
    s->next_start[slot] = s->starts[info->first];
    s->starts[info->first] = slot;
    s->next_end[slot] = s->ends[info->last];
    s->ends[info->last] = slot;
  }
  scan_registers(s);
}

// ---- the block

static size_t register_bytes_of(const sni_flattener *t, const scan *s) {
  size_t bytes = 0;
  for (int i = 0; i < 4; i++) bytes += (size_t)s->pools[i].n_made << i;
  for (uint32_t i = 0; i < t->n_slots; i++)
    if (t->slots[i].home == SNI_HOME_REGISTERS)
      bytes += t->slots[i].count * sn_dtype_size((sn_dtype)t->slots[i].dtype);
  return bytes;
}

static size_t per_lane_bytes_of(const sni_flattener *t) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < t->tree->n_buffers; i++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(t->tree)[i];
    if (sni_flatten_is_per_lane(t, i))
      bytes += (size_t)buffer->elements * sn_dtype_size((sn_dtype)buffer->dtype);
  }
  return bytes;
}

// The most iterations that any loop runs for a lane at a time.
static int64_t most_fold(const sni_flattener *t) {
  int64_t most = 1;
  for (uint32_t i = 0; i < t->n_nodes; i++)
    if (t->nodes[i].kind == SNI_NODE_FOLD && t->nodes[i].step > most) most = t->nodes[i].step;
  return most;
}

// The most elements that any loop with lanes has at a time.
static int64_t most_elements(const sni_flattener *t) {
  int64_t most = 0;
  for (uint32_t i = 0; i < t->tree->n_items; i++) {
    if (!sni_tree_schedule(t->tree)[i].lanes) continue;
    const sni_extent extent = t->items[i].as.loop.extent;
    const int64_t lanes = extent.param < 0 ? extent.value : INT64_MAX;
    if (lanes > most) most = lanes;
  }
  int64_t all;
  return __builtin_mul_overflow(most, most_fold(t), &all) ? INT64_MAX : all;
}

// All that a loop reduces lies in memory, one element after the other of each lane.
static bool only_reads_rows(const sni_flattener *t, const sni_node *fold) {
  const sni_node *body = fold + 1;
  if (!fold->reductions.count || t->reductions[fold->reductions.first].kind != SNI_REDUCE_ALONG)
    return false;
  for (uint32_t i = 0; fold->simple && i < body->count; i++) {
    const sni_flat_step *step = &t->steps[body->first + i];
    if (step->kind != SNI_FLAT_FOLD || !(step->flags & SNI_FLAT_MAY_POINT)) return false;
  }
  return fold->simple;
}

static bool is_in_order(const sni_flattener *t, const sni_node *fold) {
  return fold->reductions.count && t->reductions[fold->reductions.first].kind == SNI_REDUCE_ALONG;
}

// Lanes that a loop runs at a time, so that its rectangles fit a register. Reductions in order take
// as many rows at a time as there is room for, which are many where lanes are few.
static void choose_steps(sni_flattener *t, sni_node *lanes) {
  const sni_node *first = lanes + 1, *end = t->nodes + lanes->end;
  const sni_flat_size extent = t->sizes[lanes->extent].size;
  const int64_t all = extent.param < 0 ? extent.value : INT64_MAX;
  int64_t most = 1;
  for (const sni_node *node = first; node < end; node++)
    if (node->kind == SNI_NODE_FOLD && !is_in_order(t, node) && node->step > most)
      most = node->step;
  lanes->step = (uint32_t)(t->block / most);
  if (lanes->step > few_lanes && most > 1) lanes->step -= lanes->step % few_lanes;
  const int64_t n = least(lanes->step, all < 1 ? 1 : all);
  for (sni_node *node = lanes + 1; node < end; node++) {
    if (node->kind != SNI_NODE_FOLD || !is_in_order(t, node)) continue;
    const int64_t rows =
        only_reads_rows(t, node) ? (n < many_lanes ? node->step : rows_at_once) : t->block / n;
    node->step = (uint32_t)least(node->step, rows);
  }
}

static bool is_row(const sni_flattener *t, const sni_node *node) {
  const sni_node *body = node + 1;
  if (!node->simple || body->count != 1 || node->carries.count || node->reductions.count != 1)
    return false;
  const sni_flat_step *step = &t->steps[body->first];
  const sni_flat_reduction *r = &t->reductions[node->reductions.first];
  return step->kind == SNI_FLAT_ACROSS && t->blocks->reduce->row[r->combiner][r->dtype];
}

static void choose_block(sni_flattener *t, const scan *s) {
  const size_t bytes = register_bytes_of(t, s), own = per_lane_bytes_of(t);
  size_t block = bytes ? register_bytes / bytes : block_without_registers;
  if ((bytes || own) && block > most_block) block = most_block;
  if (own && block > per_lane_bytes / own) block = per_lane_bytes / own;
  block = block < SNI_REDUCE_LANES ? SNI_REDUCE_LANES : block / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  if (block < (size_t)most_fold(t)) block = round_up((size_t)most_fold(t), SNI_REDUCE_LANES);
  const int64_t most = most_elements(t);
  if (most < (int64_t)block) block = round_up((size_t)most, SNI_REDUCE_LANES);
  t->block = (uint32_t)(block ? block : SNI_REDUCE_LANES);
  for (uint32_t i = 0; i < t->n_nodes; i++) {
    if (t->nodes[i].kind != SNI_NODE_LANES) continue;
    choose_steps(t, &t->nodes[i]);
    t->nodes[i].row = is_row(t, &t->nodes[i]);
  }
  if (t->per_lane_block != SNI_NO_VALUE)
    t->constants[t->slots[t->per_lane_block].offset] = t->block;
  for (uint32_t i = 0; i < t->n_sizes; i++)
    if (t->sizes[i].per_lane) t->sizes[i].size.value *= t->block;
}

// ---- scratch

static size_t reserve(sni_flattener *t, size_t bytes, size_t align) {
  const size_t offset = round_up(t->scratch_bytes, align);
  t->scratch_bytes = offset + bytes;
  return offset;
}

static void place_slots(sni_flattener *t, scan *s) {
  for (uint32_t i = 0; i < t->n_slots; i++)
    if (t->slots[i].home == SNI_HOME_CELL) t->slots[i].offset = reserve(t, 8, 8);
  for (int i = 0; i < 4; i++) {
    const size_t size = (size_t)1 << i;
    s->pools[i].base = reserve(t, s->pools[i].n_made * size * t->block, SNI_LINE_BYTES);
  }
  for (uint32_t i = 0; i < t->n_slots; i++) {
    sni_flat_slot *slot = &t->slots[i];
    const size_t size = sn_dtype_size((sn_dtype)slot->dtype);
    if (slot->home == SNI_HOME_REGISTER)
      slot->offset = s->pools[pool_of(slot->dtype)].base + slot->offset * size * t->block;
    if (slot->home == SNI_HOME_CELLS) slot->offset = reserve(t, slot->count * size, SNI_LINE_BYTES);
    if (slot->home == SNI_HOME_REGISTERS)
      slot->offset = reserve(t, slot->count * size * t->block, SNI_LINE_BYTES);
  }
}

static void place_reductions(sni_flattener *t) {
  for (uint32_t i = 0; i < t->n_reductions; i++) {
    sni_flat_reduction *r = &t->reductions[i];
    const bool vector = !r->one && r->kind != SNI_REDUCE_ACROSS;
    const bool lanes = r->kind != SNI_REDUCE_ALONG;
    r->pitch = (uint32_t)(sn_dtype_size((sn_dtype)r->dtype) * (vector ? t->block : 1));
    if (!r->levels) continue;
    const int64_t width = lanes ? least(SNI_REDUCE_LANES, r->chunk) : 1;
    // Of folded ones width x lanes are a register at most.
    r->level_bytes = round_up(r->folded ? r->pitch : (size_t)width * r->pitch, SNI_LINE_BYTES);
    r->store = reserve(t, r->levels * r->level_bytes, SNI_LINE_BYTES);
    r->counts = reserve(t, r->levels * sizeof(int64_t), sizeof(int64_t));
  }
}

static size_t place_per_lane(sni_flattener *t, uint32_t buffer) {
  const sni_tree_buffer *b = &sni_tree_buffers(t->tree)[buffer];
  return reserve(t, (size_t)b->elements * sn_dtype_size((sn_dtype)b->dtype) * t->block,
                 SNI_LINE_BYTES);
}

// Of the buffers that are where the tree puts them.
static size_t bytes_of_others(const sni_flattener *t) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < t->tree->n_buffers; i++) {
    const sni_tree_buffer *b = &sni_tree_buffers(t->tree)[i];
    if (b->space == SNI_SPACE_GLOBAL || sni_flatten_is_per_lane(t, i)) continue;
    const size_t end = (size_t)b->offset + (size_t)b->elements * sn_dtype_size((sn_dtype)b->dtype);
    if (end > bytes) bytes = end;
  }
  return bytes;
}

static void place_buffers(sni_flattener *t) {
  size_t *places = allocate(t, t->tree->n_buffers, sizeof(*places));
  for (uint32_t i = 0; i < t->tree->n_buffers && !t->status; i++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(t->tree)[i];
    places[i] = header_bytes + (size_t)buffer->offset;
    if (sni_flatten_is_per_lane(t, i)) places[i] = place_per_lane(t, i);
  }
  for (uint32_t i = 0; i < t->n_cursors && !t->status; i++) {
    sni_cursor *cursor = &t->cursors[i].made;
    if (cursor->buffer == SNI_NO_VALUE) cursor->base = places[cursor->base];
  }
}

// ---- products

static int64_t known(const sni_flattener *t, uint32_t size) {
  const sni_flat_size extent = t->sizes[size].size;
  return extent.param < 0 ? extent.value : -1;
}

static size_t gemm_bytes(const sni_flattener *t, const sni_product *p, int64_t m, int64_t n) {
  int64_t k = 1;
  for (uint32_t i = 0; i < p->n_k && k >= 0; i++) {
    const int64_t extent = known(t, p->k[i]);
    if (extent < 0 || __builtin_mul_overflow(k, extent, &k)) k = -1;
  }
  return sni_gemm_scratch_bytes(t->blocks->gemm, p->dtype, m, n, k, p->segment,
                                SNI_FLAT_SUMS_BYTES);
}

// Tiles of several products under the same loops.
static void place_tiles(sni_flattener *t, const sni_node *node) {
  t->tiles.rows = tile_rows;
  t->tiles.row_bytes = SNI_FLAT_SUMS_BYTES;
  for (uint32_t i = node->first; i < node->first + node->count; i++)
    t->products[i].products = reserve(t, tile_rows * SNI_FLAT_SUMS_BYTES, SNI_LINE_BYTES);
}

static size_t place_node(sni_flattener *t, const sni_node *node) {
  const int64_t m = known(t, node->extent), n = known(t, t->nodes[node->inner].extent);
  size_t most = 0;
  if (node->count > 1) place_tiles(t, node);
  for (uint32_t i = node->first; i < node->first + node->count; i++) {
    const size_t bytes = gemm_bytes(t, &t->products[i], node->turned ? n : m, node->turned ? m : n);
    if (bytes > most) most = bytes;
  }
  return most;
}

static void place_products(sni_flattener *t) {
  size_t most = 0;
  if (!t->n_products) return;
  for (uint32_t i = 0; i < t->n_nodes + t->n_steps; i++) {
    const sni_flat_step *step = i < t->n_nodes ? NULL : &t->steps[i - t->n_nodes];
    size_t bytes = 0;
    if (!step && t->nodes[i].kind == SNI_NODE_PRODUCT) bytes = place_node(t, &t->nodes[i]);
    if (step && step->kind == SNI_FLAT_PRODUCT)
      bytes = gemm_bytes(t, &t->products[step->number], 1, (int64_t)t->block);
    if (bytes > most) most = bytes;
  }
  t->tiles.gemm = reserve(t, most, SNI_LINE_BYTES);
  for (uint32_t i = 0; i < t->n_products; i++) {
    sni_operand *const operands[] = {&t->products[i].rows, &t->products[i].columns,
                                     &t->products[i].from};
    for (int o = 0; o < 3; o++)
      operands[o]->ranges =
          reserve(t, operands[o]->forms.count * sizeof(sni_gemm_range), sizeof(int64_t));
  }
}

void sni_flatten_homes(sni_flattener *t) {
  scan s = {0};
  find_lives(t);
  assign_registers(t, &s);
  if (t->status) return;
  choose_block(t, &s);
  t->scratch_bytes = header_bytes + bytes_of_others(t);
  t->slot_table = reserve(t, t->n_slots * sizeof(void *), SNI_LINE_BYTES);
  t->form_table = reserve(t, t->n_forms * sizeof(int64_t), sizeof(int64_t));
  t->size_table = reserve(t, t->dynamic ? t->n_sizes * sizeof(int64_t) : 0, sizeof(int64_t));
  place_slots(t, &s);
  place_reductions(t);
  place_buffers(t);
  place_products(t);
  t->scratch_bytes = round_up(t->scratch_bytes, SNI_LINE_BYTES);
}
