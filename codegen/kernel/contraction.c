// How a contraction kernel is cut for the CPU: which products are called, the choice of register blocks
// of the others by a small cost model, and grains.
//
// Invariant: everything follows from shapes, dtype and vector width, so builder, scratch provider
// and back end agree. No symbol of another file is used but the table of operations: the LLVM
// plugin carries a copy of both.
#include "codegen/kernel/contraction.h"

enum {
  small_work = 1 << 14,  // multiply-adds that are done before a call would have begun
  // Units are cut as if products were emitted in the blocks below: multiples of those fit any tile.
  large_bytes = 1 << 20,  // of a right side that each unit copies for itself, at the least
  large_unit_rows = 256,  // rows that share the copy
  few_rows = 48,          // stay in one unit
  least_blocks = 4,       // row blocks of a unit, so that panels of the right side are used again
  most_rows = 28,
  assumed_rows = 64,
  assumed_columns = 768,
  assumed_depth = 256,  // of unknown sizes
  assumed_epilogue = 4,
  most_swapped = 4,  // columns
};

typedef struct shape {
  int64_t m, n, k;   // -1: unknown
  int64_t epilogue;  // instructions behind the product
  bool contiguous;   // the right side, along n
  bool mapped;       // one stride does not say where the elements of a side lie along k
  bool cut;          // by a grid into several units
  int lanes, registers;
} shape;

typedef struct block {
  int rows, vectors;
  int64_t cost, code;  // of all rows of a panel
} block;

typedef struct blocks {
  block main, last;
  bool uniform;
} blocks;

static int64_t ceil_div(int64_t a, int64_t b) {
  return a / b + (a % b != 0);
}
static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

// Half cycles per k of a block on a core with two FMA units of latency 4 (10: and some slack), and two
// loads a cycle at best.
static int64_t block_cost(int64_t rows, int64_t vectors) {
  const int64_t loads = rows + vectors;
  return most(most(rows * vectors, loads + loads / 8), 10);
}

static bool block_fits(const shape *s, int rows, int vectors) {
  if (rows == 1) return vectors + 2 <= s->registers;  // b comes straight from memory
  return rows * vectors + vectors + 1 < s->registers;
}

// Code counts a little, for it has to be compiled: accumulators, the epilogue, the loops around
// them.
static int64_t block_code(const shape *s, int64_t rows, int64_t vectors) {
  return rows * (vectors + 1) + s->epilogue * vectors + 16;
}

static int64_t weigh(int64_t cost, int64_t code) {
  return cost * (2048 + code);
}

// All rows of one panel in blocks of `rows`. An unknown m is taken for assumed_rows, so that blocks
// of 8 leave nothing over from the usual batches.
static block panel_block(const shape *s, int64_t m, int rows, int vectors) {
  const int64_t whole = m / rows, rest = m % rows;
  block b = {rows, vectors, whole * block_cost(rows, vectors), block_code(s, rows, vectors)};
  if (rest) b.cost += block_cost(rest, vectors);
  if (rest) b.code += block_code(s, rest, vectors);
  b.cost += b.cost / 32;  // a pass over a, and the loops' ends
  return b;
}

static block best_rows(const shape *s, int64_t m, int vectors) {
  block best = panel_block(s, m, 1, vectors);
  for (int rows = 2; rows <= most_rows && rows <= m; rows++) {
    if (!block_fits(s, rows, vectors)) break;
    const block b = panel_block(s, m, rows, vectors);
    if (weigh(b.cost, 2 * b.code) <= weigh(best.cost, 2 * best.code)) best = b;  // few blocks
  }
  return best;
}

// The blocks of the main panels and of the last, narrower one, or one code for all panels, with
// masks: those are free with AVX-512.
static void choose_blocks(const shape *s, blocks *out) {
  static const int widths[] = {8, 6, 4, 3, 2, 1};
  const int64_t m = s->m < 0 ? assumed_rows : most(s->m, 1),
                n = s->n < 0 ? assumed_columns : most(s->n, 1);
  int64_t best = INT64_MAX;
  *out = (blocks){.main = panel_block(s, m, 1, 1)};
  for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
    const int width = widths[i];
    const int64_t whole = n / (width * s->lanes), rest = n % (width * s->lanes);
    if (!block_fits(s, 1, width) ||
        (whole == 0 && width > 1 && rest <= (int64_t)(width - 1) * s->lanes))
      continue;
    const block main = best_rows(s, m, width);
    block last = {0, 0, 0, 0};
    if (rest) last = best_rows(s, m, (int)ceil_div(rest, s->lanes));
    const int64_t split = weigh(whole * main.cost + last.cost, (whole ? main.code : 0) + last.code);
    const bool masks = s->registers == 32 && (s->n < 0 || (whole && rest));
    const int64_t uniform = masks ? weigh((whole + (rest != 0)) * main.cost, main.code) : INT64_MAX;
    if (least(split, uniform) >= best) continue;
    best = least(split, uniform);
    *out = (blocks){main, last, uniform <= split};
  }
}

static int vector_lanes(sn_dtype dtype, int vector_bits) {
  return vector_bits / (8 * (int)sni_dtype_bytes(dtype));
}
static int vector_registers(int vector_bits) {
  return vector_bits == 512 ? 32 : 16;
}

static bool is_few_columns(int64_t m, int64_t n, int lanes) {
  return n >= 1 && n <= most_swapped && n * 4 <= lanes && (m < 0 || m >= lanes);
}

static bool is_small(const shape *s) {
  // with masks, code of its own is ahead for longer
  const int64_t small = s->registers == 32 ? 2 * small_work : small_work;
  if (s->m < 0 || s->n < 0 || s->k < 0 || s->cut || !s->contiguous || s->mapped) return false;
  if (s->m > small || s->k > small) return false;
  return s->m * s->k <= small && s->n <= small / most(s->m * s->k, 1);
}

// swapped and lanes are set.
static void plan_shape(const shape *s, sni_contraction_plan *plan) {
  blocks chosen;
  plan->called = !is_small(s);
  if (plan->called) return;
  choose_blocks(s, &chosen);
  plan->rows = chosen.main.rows;
  plan->vectors = chosen.main.vectors;
  plan->uniform = chosen.uniform;
  plan->last_rows = chosen.uniform ? 0 : chosen.last.rows;
  plan->last_vectors = chosen.uniform ? 0 : chosen.last.vectors;
}

// Units of a sixteenth of the work, but neither so small that handing them out costs nor so large
// that threads wait for the last.
static int64_t unit_target(int64_t m, int64_t n, int64_t k) {
  const int64_t smallest = 1 << 17, largest = 1 << 21;  // multiply-adds: 1 to 20 us
  const double work = (double)m * (double)n * (double)k / 16;
  return work < (double)smallest ? smallest : work > (double)largest ? largest : (int64_t)work;
}

void sni_contraction_grains(sn_dtype dtype, int64_t m, int64_t n, int64_t k, int vector_bits,
                            int64_t *m_grain, int64_t *n_grain) {
  const int lanes = vector_lanes(dtype, vector_bits);
  const bool swapped = is_few_columns(m, n, lanes);
  shape s = {
      .m = swapped ? n : m,
      .n = swapped ? m : n,
      .k = k,
      .epilogue = assumed_epilogue,
      .lanes = lanes,
      .registers = vector_registers(vector_bits),
  };
  blocks chosen;
  choose_blocks(&s, &chosen);
  const int64_t rows = most(s.m < 0 ? 4 * assumed_rows : s.m, 1),
                columns = most(s.n < 0 ? assumed_columns : s.n, 1);
  const int64_t depth = most(k < 0 ? assumed_depth : k, 1);
  const int64_t width = (int64_t)chosen.main.vectors * lanes;
  const int64_t target = unit_target(rows, columns, depth);
  // What the usual blocks divide: 1, 2, 4, 8, 16 rows; with few registers 1, 2, 3, 4, 6.
  const int64_t step = rows <= few_rows ? rows : s.registers == 32 ? 16 : 12;
  int64_t unit_rows = ceil_div(rows, step) * step, unit_columns = width;
  const bool large = depth > (int64_t)(large_bytes / 4) / columns;
  const int64_t fewest = large ? large_unit_rows : least_blocks * (int64_t)chosen.main.rows;
  while (unit_rows > step && unit_rows * width > target / depth && unit_rows / 2 >= fewest)
    unit_rows = ceil_div(ceil_div(unit_rows, 2), step) * step;
  if (unit_rows * width < target / depth) {
    const int64_t pieces = ceil_div(columns, most(target / depth / unit_rows / width, 1) * width);
    unit_columns = ceil_div(ceil_div(columns, pieces), width) * width;
  }
  *m_grain = swapped ? unit_columns : unit_rows;
  *n_grain = swapped ? unit_rows : unit_columns;
}

// ---- nests of a kernel
bool sni_contract_has_map(const sni_tree *tree, const sni_contract_item *c, uint32_t access) {
  return c->n_k > 1 || sni_tree_accesses(tree)[access].n_ranges;
}

static int64_t known_extent(sni_extent x) {
  return x.param < 0 ? x.value : -1;
}

// What a row does once may not be done once a panel.
static bool stores(const sni_tree *tree, uint32_t item) {
  const sni_block_item *b = &sni_tree_items(tree)[item].as.block;
  for (uint32_t i = b->first; i < b->first + b->count; i++)
    if (sni_kop_is_store((sni_kop)sni_tree_insts(tree)[i].op)) return true;
  return false;
}

// Only BLOCKs in items [first, end).
static bool are_blocks(const sni_tree *tree, uint32_t first, uint32_t end) {
  for (uint32_t i = first; i < end; i++)
    if (sni_tree_items(tree)[i].kind != SNI_ITEM_BLOCK) return false;
  return true;
}

static bool is_parallel(const sni_tree *tree, uint32_t item) {
  const sni_item *items = sni_tree_items(tree);
  return item != SNI_NO_ITEM && items[item].kind == SNI_ITEM_LOOP &&
         items[item].as.loop.kind == SNI_LOOP_PARALLEL;
}

static bool owns_buffers(const sni_tree *tree, uint32_t item) {
  const sni_tree_buffer *buffers = sni_tree_buffers(tree);
  for (uint32_t i = 0; i < tree->n_buffers; i++)
    if (buffers[i].space != SNI_SPACE_GLOBAL && buffers[i].scope == item) return true;
  return false;
}

// The CONTRACT of an n loop in which nothing but BLOCKs stands besides.
static uint32_t contract_in(const sni_tree *tree, uint32_t n) {
  const sni_item *items = sni_tree_items(tree);
  uint32_t i = n + 1;
  while (i < items[n].end && items[i].kind == SNI_ITEM_BLOCK) i++;
  if (i == items[n].end || items[i].kind != SNI_ITEM_CONTRACT) return SNI_NO_ITEM;
  return are_blocks(tree, i + 1, items[n].end) && !owns_buffers(tree, n) ? i : SNI_NO_ITEM;
}

// The n loop of a nest with the m loop, if it is one.
static uint32_t loop_of_columns(const sni_tree *tree, uint32_t m) {
  const sni_item *items = sni_tree_items(tree);
  uint32_t i = m + 1;
  while (i < items[m].end && items[i].kind == SNI_ITEM_BLOCK && !stores(tree, i)) i++;
  if (i == items[m].end || !is_parallel(tree, i) || items[i].end != items[m].end)
    return SNI_NO_ITEM;
  const sni_schedule *schedule = sni_tree_schedule(tree);
  if (!schedule[m].lanes && !schedule[i].lanes) return SNI_NO_ITEM;
  // a strip of rows may not decide how long its columns are
  if (items[i].as.loop.strip == m || owns_buffers(tree, m)) return SNI_NO_ITEM;
  return contract_in(tree, i) == SNI_NO_ITEM ? SNI_NO_ITEM : i;
}

// The only loop in the body of `item`, behind BLOCKs without stores; SNI_NO_ITEM: there is more.
static uint32_t only_loop(const sni_tree *tree, uint32_t item) {
  const sni_item *items = sni_tree_items(tree);
  uint32_t i = item + 1;
  while (i < items[item].end && items[i].kind == SNI_ITEM_BLOCK && !stores(tree, i)) i++;
  return i < items[item].end && items[i].kind == SNI_ITEM_LOOP && items[i].end == items[item].end
             ? i
             : SNI_NO_ITEM;
}

static bool varies_at(const sni_tree *tree, uint32_t number, unsigned depth) {
  const sni_tree_access *access = &sni_tree_accesses(tree)[number];
  bool varies = !sni_extent_is(access->stride[depth], 0);
  for (uint32_t i = 0; i < access->n_ranges; i++)
    varies |= !sni_extent_is(sni_tree_ranges(tree)[access->first_range + i].stride[depth], 0);
  return varies;
}

// Something in the loop stores to a side of the product.
static bool stores_to_sides(const sni_tree *tree, uint32_t loop, const sni_contract_item *c) {
  const sni_item *items = sni_tree_items(tree);
  const sni_tree_access *accesses = sni_tree_accesses(tree);
  const sni_tree_buffer *buffers = sni_tree_buffers(tree);
  for (uint32_t i = loop; i < items[loop].end; i++) {
    for (uint32_t k = 0; items[i].kind == SNI_ITEM_BLOCK && k < items[i].as.block.count; k++) {
      const sni_tree_inst *inst = &sni_tree_insts(tree)[items[i].as.block.first + k];
      if (!sni_kop_is_store((sni_kop)inst->op)) continue;
      const uint32_t to = accesses[inst->access].buffer;
      for (int s = 0; s < 2; s++) {
        const uint32_t side = accesses[s ? c->rhs : c->lhs].buffer;
        if (side == to || (buffers[side].shared && buffers[to].shared)) return true;
      }
    }
  }
  return false;
}

// Whether the loop around `inner`, which counts rows, does so too.
static bool counts_rows(const sni_tree *tree, uint32_t loop, uint32_t inner,
                        const sni_contract_item *c) {
  const sni_item *items = sni_tree_items(tree);
  return is_parallel(tree, loop) && only_loop(tree, loop) == inner &&
         items[inner].as.loop.strip == SNI_NO_ITEM && items[loop].as.loop.strip == SNI_NO_ITEM &&
         !sni_tree_schedule(tree)[loop].lanes && !owns_buffers(tree, loop) &&
         !varies_at(tree, c->rhs, items[loop].depth) && !stores_to_sides(tree, loop, c);
}

// The loops that count rows, m being the last.
static void find_rows(const sni_tree *tree, sni_contraction_nest *nest) {
  const sni_item *items = sni_tree_items(tree);
  const sni_contract_item *c = &items[nest->contract].as.contract;
  const sni_extent columns = items[nest->n].as.loop.extent;
  const bool narrow = columns.param < 0 && columns.value <= most_swapped;
  uint32_t first = nest->m;
  nest->n_rows = 1;
  if (sni_contract_has_map(tree, c, c->lhs) && c->from == SNI_NO_VALUE && !narrow)
    while (nest->n_rows < SNI_CONTRACT_AXES && counts_rows(tree, items[first].parent, first, c)) {
      first = items[first].parent;
      nest->n_rows++;
    }
  nest->outer = first;
  for (uint32_t i = 0; i < nest->n_rows; i++, first = only_loop(tree, first)) nest->rows[i] = first;
}

bool sni_contraction_nest_find(const sni_tree *tree, uint32_t item,
                               sni_contraction_nest *out_nest) {
  if (!is_parallel(tree, item)) return false;
  uint32_t inner = item, n = loop_of_columns(tree, item);
  for (int i = 1; n == SNI_NO_ITEM && i < SNI_CONTRACT_AXES; i++) {
    inner = only_loop(tree, inner);
    if (inner == SNI_NO_ITEM || !is_parallel(tree, inner)) break;
    n = loop_of_columns(tree, inner);
  }
  if (n != SNI_NO_ITEM) {
    *out_nest = (sni_contraction_nest){.m = inner, .n = n, .contract = contract_in(tree, n)};
    find_rows(tree, out_nest);
    return out_nest->outer == item;
  }
  const uint32_t contract = contract_in(tree, item), m = sni_tree_items(tree)[item].parent;
  if (contract == SNI_NO_ITEM || !sni_tree_schedule(tree)[item].lanes) return false;
  if (is_parallel(tree, m) && loop_of_columns(tree, m) == item) return false;
  *out_nest =
      (sni_contraction_nest){.m = SNI_NO_ITEM, .n = item, .contract = contract, .outer = item};
  return true;
}

int64_t sni_contraction_known_rows(const sni_tree *tree, const sni_contraction_nest *nest) {
  int64_t rows = 1;
  for (uint32_t i = 0; i < nest->n_rows; i++) {
    const int64_t n = sni_tree_known_iterations(tree, nest->rows[i]);
    if (n < 0 || __builtin_mul_overflow(rows, n, &rows)) return -1;
  }
  return rows;
}

bool sni_tree_has_segments(const sni_tree *tree) {
  const sni_item *items = sni_tree_items(tree);
  for (uint32_t i = 0; i < tree->n_items; i++)
    if (items[i].kind == SNI_ITEM_CONTRACT && items[i].as.contract.segment) return true;
  return false;
}

int64_t sni_tree_known_iterations(const sni_tree *tree, uint32_t item) {
  const sni_loop_item *loop = &sni_tree_items(tree)[item].as.loop;
  const int64_t extent = known_extent(loop->extent);
  if (loop->strip == SNI_NO_ITEM || extent <= 0) return extent;
  const int64_t whole = known_extent(loop->whole);
  const int64_t pieces = known_extent(sni_tree_items(tree)[loop->strip].as.loop.extent);
  const bool even = whole >= 0 && whole % extent == 0 && pieces >= 0 && pieces <= whole / extent;
  return even ? extent : -1;
}

// Whether a grid cuts the loop.
static bool is_cut(const sni_tree *tree, uint32_t item) {
  const sni_schedule *schedule = &sni_tree_schedule(tree)[item];
  const int64_t extent = known_extent(sni_tree_items(tree)[item].as.loop.extent);
  return schedule->grid && (extent < 0 || schedule->grain < extent);
}

static shape nest_shape(const sni_tree *tree, const sni_contraction_nest *nest, int lanes,
                        int vector_bits, bool swapped) {
  const sni_item *items = sni_tree_items(tree);
  const sni_contract_item *c = &items[nest->contract].as.contract;
  const uint32_t rows = swapped ? nest->n : nest->m, columns = swapped ? nest->m : nest->n;
  shape s = {
      .m = 1,
      .n = sni_tree_known_iterations(tree, columns),
      .k = sni_contract_known_k(c),
      .mapped = sni_contract_has_map(tree, c, c->lhs) || sni_contract_has_map(tree, c, c->rhs),
      .cut = is_cut(tree, columns),
      .lanes = lanes,
      .registers = vector_registers(vector_bits),
  };
  if (c->segment && s.k > (int64_t)c->segment) s.k = -1;  // in segments
  if (rows != SNI_NO_ITEM) {
    s.m = sni_tree_known_iterations(tree, rows);
    s.cut |= is_cut(tree, rows);
  }
  const sni_tree_access *right = &sni_tree_accesses(tree)[swapped ? c->lhs : c->rhs];
  s.contiguous = sni_extent_is(right->stride[items[columns].depth], 1);
  for (uint32_t i = nest->outer; i < items[nest->outer].end; i++) {
    if (items[i].kind != SNI_ITEM_BLOCK) continue;
    for (uint32_t k = 0; k < items[i].as.block.count; k++)
      s.epilogue += sni_tree_insts(tree)[items[i].as.block.first + k].op != SNI_KOP_CONST;
  }
  return s;
}

bool sni_contraction_plan_make(const sni_tree *tree, const sni_contraction_nest *nest,
                               int vector_bits, sni_contraction_plan *out_plan) {
  const sni_contract_item *c = &sni_tree_items(tree)[nest->contract].as.contract;
  const sn_dtype dtype = (sn_dtype)sni_tree_insts(tree)[c->inst].dtype;
  if (dtype == SN_BOOL) return false;
  sni_contraction_plan plan = {.lanes = vector_lanes(dtype, vector_bits)};
  const int64_t n = sni_tree_known_iterations(tree, nest->n);
  const int64_t m = nest->m == SNI_NO_ITEM ? 1 : sni_tree_known_iterations(tree, nest->m);
  plan.swapped = nest->m != SNI_NO_ITEM && is_few_columns(m, n, plan.lanes);
  const shape s = nest_shape(tree, nest, plan.lanes, vector_bits, plan.swapped);
  plan_shape(&s, &plan);
  *out_plan = plan;
  return true;
}
