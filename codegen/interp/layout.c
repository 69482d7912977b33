// Where the interpreter's values live. Registers are blocks of elements in scratch memory, shared
// by values that are not alive at the same time (linear scan over the steps); their length is
// chosen so that all of them together stay in the L1 cache.
//
// Invariant: a value that a LOOP list uses but does not define keeps its register until the list
// ends, since the list runs again.
#include "codegen/interp/translate.h"

enum {
  register_bytes = 16 << 10,  // half of a small L1: the rest is for what passes by in memory
  most_block = 1024,
  block_without_registers = 4096,
  header_bytes = sizeof(sni_scratch_header),
  tile_rows = 48,         // rows of products kept: a multiple of SNI_TILE_ROWS
  tile_row_bytes = 1024,  // of products
  panel_depth = 256,      // k of a packed panel
};

typedef struct pool {
  uint32_t *free_numbers;  // a stack
  uint32_t n_free, n_made;
  size_t base;
} pool;

typedef struct scan {
  sni_translator *t;
  pool pools[3];                    // elements of 1, 4 and 8 bytes
  uint32_t *starts, *ends;          // per step: first slot of a chain
  uint32_t *next_start, *next_end;  // per slot
} scan;

static int pool_of(uint8_t dtype) {
  const size_t size = sn_dtype_size((sn_dtype)dtype);
  return size == 1 ? 0 : size == 4 ? 1 : 2;
}

static size_t round_up(size_t value, size_t unit) {
  return (value + unit - 1) / unit * unit;
}

static void *allocate(sni_translator *t, size_t count, size_t size) {
  void *items = t->status ? NULL : sni_arena_alloc_zeroed(t->arena, count * size);
  if (!items && !t->status) t->status = sni_fail_memory(t->diag, count * size, "an interpreter");
  return items;
}

// ---- life times

static void touch(sni_translator *t, uint32_t slot, uint32_t step) {
  if (slot == SNI_NO_VALUE) return;
  sni_slot_info *info = &t->slots[slot];
  if (info->first == SNI_NO_VALUE) info->first = step;
  if (info->last < step) info->last = step;
}

static void find_lives(sni_translator *t) {
  for (uint32_t s = 0; s < t->kernel->n_stages; s++) {
    const sni_stage_program *stage = &t->stages[s];
    const sni_range loop = stage->lists[SNI_LIST_LOOP];
    for (uint32_t i = 0; i < stage->reductions.count; i++)
      touch(t, t->reductions[stage->reductions.first + i].slot, loop.first);
    for (int list = 0; list < SNI_LISTS; list++) {
      const sni_range range = stage->lists[list];
      for (uint32_t i = range.first; i < range.first + range.count; i++) {
        const sni_step *step = &t->steps[i];
        const uint32_t used[4] = {step->dst, step->a, step->b, step->c};
        for (int j = 0; j < 4; j++) {
          touch(t, used[j], i);
          const bool before = used[j] != SNI_NO_VALUE && t->slots[used[j]].first < range.first;
          if (list == SNI_LIST_LOOP && before) touch(t, used[j], range.first + range.count - 1);
        }
      }
    }
    for (uint32_t i = 0; loop.count && i < stage->reductions.count; i++)
      touch(t, t->reductions[stage->reductions.first + i].slot, loop.first + loop.count - 1);
  }
}

// ---- registers

static void take_register(scan *s, uint32_t slot) {
  sni_slot_info *info = &s->t->slots[slot];
  pool *p = &s->pools[pool_of(info->dtype)];
  info->offset = p->n_free ? p->free_numbers[--p->n_free] : p->n_made++;
}

static void free_ending(scan *s, uint32_t step) {
  for (uint32_t slot = s->ends[step]; slot != SNI_NO_VALUE; slot = s->next_end[slot]) {
    const sni_slot_info *info = &s->t->slots[slot];
    pool *p = &s->pools[pool_of(info->dtype)];
    p->free_numbers[p->n_free++] = (uint32_t)info->offset;
  }
  s->ends[step] = SNI_NO_VALUE;
}

static void take_starting(scan *s, uint32_t step, bool results) {
  const sni_translator *t = s->t;
  for (uint32_t slot = s->starts[step]; slot != SNI_NO_VALUE; slot = s->next_start[slot]) {
    const sni_step *own = &t->steps[step];  // an accumulator is an operand too: set before the loop
    const bool accumulates = own->a == slot || own->b == slot || own->c == slot;
    const bool result = own->dst == slot && !accumulates && t->slots[slot].last > step;
    if (result == results) take_register(s, slot);
  }
}

// A block function may write over an operand that dies; the other steps may not.
static void scan_registers(scan *s) {
  for (uint32_t step = 0; step < s->t->n_steps; step++) {
    take_starting(s, step, false);
    if (s->t->steps[step].kind == SNI_STEP_CALL) free_ending(s, step);
    take_starting(s, step, true);
    free_ending(s, step);
  }
}

static void assign_registers(sni_translator *t, scan *s) {
  s->t = t;
  s->starts = allocate(t, t->n_steps + 1, sizeof(uint32_t));
  s->ends = allocate(t, t->n_steps + 1, sizeof(uint32_t));
  s->next_start = allocate(t, t->n_slots + 1, sizeof(uint32_t));
  s->next_end = allocate(t, t->n_slots + 1, sizeof(uint32_t));
  for (int i = 0; i < 3; i++)
    s->pools[i].free_numbers = allocate(t, t->n_slots + 1, sizeof(uint32_t));
  if (t->status) return;
  for (uint32_t i = 0; i <= t->n_steps; i++) s->starts[i] = s->ends[i] = SNI_NO_VALUE;
  for (uint32_t slot = 0; slot < t->n_slots; slot++) {
    const sni_slot_info *info = &t->slots[slot];
    if (info->home != SNI_HOME_REGISTER || info->first == SNI_NO_VALUE) continue;
    s->next_start[slot] = s->starts[info->first];
    s->starts[info->first] = slot;
    s->next_end[slot] = s->ends[info->last];
    s->ends[info->last] = slot;
  }
  scan_registers(s);
}

static void choose_block(sni_translator *t, const scan *s) {
  const sni_kernel *k = t->kernel;
  const size_t bytes =
      s->pools[0].n_made + 4 * (size_t)s->pools[1].n_made + 8 * (size_t)s->pools[2].n_made;
  size_t block = bytes ? register_bytes / bytes : block_without_registers;
  if (bytes && block > most_block) block = most_block;
  block = block < SNI_REDUCE_LANES ? SNI_REDUCE_LANES : block / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  int64_t most = k->extent[t->vector_axis].param < 0 ? k->extent[t->vector_axis].value : INT64_MAX;
  if (!k->vector_inner && k->grain[t->vector_axis] < most) most = k->grain[t->vector_axis];
  if (most < (int64_t)block) block = round_up((size_t)most, SNI_REDUCE_LANES);
  t->block = (uint32_t)(block ? block : SNI_REDUCE_LANES);
}

// ---- scratch

static size_t reserve(sni_translator *t, size_t bytes, size_t align) {
  const size_t offset = round_up(t->scratch_bytes, align);
  t->scratch_bytes = offset + bytes;
  return offset;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t bounded(const sni_translator *t, int axis, int64_t most) {
  const sni_kernel_size extent = t->kernel->extent[axis];
  most = least(most, t->kernel->grain[axis]);
  most = extent.param < 0 ? least(most, extent.value) : most;
  return most > 0 ? most : 1;
}

static void layout_contraction(sni_translator *t) {
  sni_contraction_program *c = &t->contraction;
  if (!c->present) return;
  const int64_t size = (int64_t)sn_dtype_size((sn_dtype)c->dtype);
  const sni_kernel_size k_extent = t->kernel->contraction.k_extent;
  c->rows = bounded(t, t->kernel->n_outer - 2, tile_rows);
  c->columns = bounded(t, t->vector_axis, least(tile_row_bytes / size, (int64_t)t->block));
  c->depth = k_extent.param < 0 ? least(k_extent.value, panel_depth) : panel_depth;
  c->row_bytes = round_up((size_t)(c->columns * size), SNI_LINE_BYTES);
  c->products = reserve(t, (size_t)c->rows * c->row_bytes, SNI_LINE_BYTES);
  c->panel = reserve(t, (size_t)c->depth * c->row_bytes, SNI_LINE_BYTES);
}

static void layout_scratch(sni_translator *t, scan *s) {
  const sni_kernel *k = t->kernel;
  t->scratch_bytes = header_bytes + k->scratch_bytes;
  for (uint32_t i = 0; i < k->n_slots; i++) t->row_slots[i] = header_bytes + k->slot_offset[i];
  t->slot_table = reserve(t, t->n_slots * sizeof(void *), SNI_LINE_BYTES);
  t->address_table = reserve(t, k->n_accesses * sizeof(char *), sizeof(char *));
  t->size_table = reserve(t, t->dynamic ? t->n_sizes * sizeof(int64_t) : 0, sizeof(int64_t));
  for (uint32_t i = 0; i < t->n_slots; i++)
    if (t->slots[i].home == SNI_HOME_CELL) t->slots[i].offset = reserve(t, 8, 8);
  for (int i = 0; i < 3; i++) {
    const size_t size = i == 0 ? 1 : i == 1 ? 4 : 8;
    s->pools[i].base = reserve(t, s->pools[i].n_made * size * t->block, SNI_LINE_BYTES);
  }
  for (uint32_t i = 0; i < t->n_slots; i++) {
    sni_slot_info *slot = &t->slots[i];
    const size_t size = sn_dtype_size((sn_dtype)slot->dtype);
    if (slot->home == SNI_HOME_REGISTER)
      slot->offset = s->pools[pool_of(slot->dtype)].base + slot->offset * size * t->block;
    if (slot->home == SNI_HOME_LANES)
      slot->offset = reserve(t, SNI_REDUCE_LANES * size, SNI_LINE_BYTES);
  }
  layout_contraction(t);
  t->scratch_bytes = round_up(t->scratch_bytes, SNI_LINE_BYTES);
}

void sni_translate_layout(sni_translator *t) {
  scan s = {0};
  find_lives(t);
  assign_registers(t, &s);
  if (t->status) return;
  choose_block(t, &s);
  layout_scratch(t, &s);
}
