// How a contraction kernel is cut for the CPU: the choice of register blocks by a small cost model,
// of k blocks, packing and grains.
//
// Invariant: everything follows from shapes, dtype and vector width, so builder, scratch provider
// and back end agree. No symbol of another file is used but the table of operations: the LLVM
// plugin carries a copy of both.
#include "codegen/kernel/contraction.h"

enum {
  k_block_packed = 1024,  // of a copied panel of 4 vectors of 64 bytes: 256 KB, a part of any L2
  k_block_in_place = 2048,
  k_block_unknown = 512,
  l1_panel_bytes = 24 << 10,  // a panel that stays in L1 while the rows pass
  pack_bytes = 1 << 20,  // right sides beyond this are copied: fewer pages, no cache set conflicts
  // Rows of a unit that pay for a copy: in general; of a right side whose rows meet in the same
  // cache sets; of one in main memory.
  pack_rows = 192,
  pack_rows_conflict = 96,
  pack_rows_huge = 48,
  pack_blocks_conflict = 5,  // blocks of rows, with few registers
  huge_bytes = 16 << 20,
  pack_unit_rows = 256,    // rows of a unit when the right side is that large
  unit_rows_inside = 256,  // rows worked on together where no grid cuts them
  packing_code = 80,
  few_rows = 48,     // stay in one unit
  least_blocks = 4,  // row blocks of a unit, so that panels of the right side are used again
  most_rows = 28,
  most_rows_by_offset = 9,  // rows whose offsets are run-time numbers: they take general registers
  assumed_rows = 64,
  assumed_columns = 768,
  assumed_depth = 256,  // of unknown sizes
  assumed_epilogue = 4,
};

typedef struct shape {
  int64_t m, n, k;           // -1: unknown
  int64_t m_grain, n_grain;  // 0: to be found
  int64_t epilogue;          // instructions behind the product
  int64_t packing;           // code that copies a panel
  bool offsets;              // row offsets are run-time numbers
  bool contiguous;           // the right side, along n
  int64_t pitch;             // bytes from k to k of the right side; -1: unknown
  int64_t segment;           // of k; 0: none
  int lanes, registers, vector_bytes;
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

// Half cycles per k of a block on a core with two FMA units of latency 4 (10: and some slack), two
// loads a cycle at best, and 16 bytes a cycle from L2.
static int64_t block_cost(const shape *s, int64_t rows, int64_t vectors) {
  const int64_t bytes = vectors * s->vector_bytes, loads = rows + vectors;
  const int64_t cost = most(most(rows * vectors, loads + loads / 8), 10);
  const bool in_l1 = s->k >= 0 && s->k * bytes <= l1_panel_bytes;
  const bool once = s->m >= 0 && s->m <= 4;  // no block gets round reading all of b
  return in_l1 || once ? cost : most(cost, bytes / 8);
}

static bool block_fits(const shape *s, int rows, int vectors) {
  if (rows == 1) return vectors + 2 <= s->registers;  // b comes straight from memory
  return rows * vectors + vectors + 1 < s->registers;
}

// Code counts a little, for it has to be compiled: accumulators, the epilogue, the loops around
// them.
static int64_t block_code(const shape *s, int64_t rows, int64_t vectors) {
  return rows * (vectors + 1) + s->epilogue * vectors + s->packing + 16;
}

static int64_t weigh(int64_t cost, int64_t code) {
  return cost * (2048 + code);
}

// All rows of one panel in blocks of `rows`. An unknown m is taken for assumed_rows, so that blocks
// of 8 leave nothing over from the usual batches.
static block panel_block(const shape *s, int64_t m, int rows, int vectors) {
  const int64_t whole = m / rows, rest = m % rows;
  block b = {rows, vectors, whole * block_cost(s, rows, vectors), block_code(s, rows, vectors)};
  if (rest) b.cost += block_cost(s, rest, vectors);
  if (rest) b.code += block_code(s, rest, vectors);
  b.cost += b.cost / 32;  // a pass over a, and the loops' ends
  return b;
}

// Whether pieces of an axis are cut at the ends of units alone.
static bool fits_unit(int64_t extent, int64_t grain, int64_t piece) {
  return grain == 0 || grain % piece == 0 || (extent >= 0 && extent <= grain);
}

static block best_rows(const shape *s, int64_t m, int vectors) {
  block best = panel_block(s, m, 1, vectors);
  for (int rows = 2; rows <= (s->offsets ? most_rows_by_offset : most_rows) && rows <= m; rows++) {
    if (!block_fits(s, rows, vectors)) break;
    if (!fits_unit(s->m, s->m_grain, rows)) continue;
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
    if (width > 1 && !fits_unit(s->n, s->n_grain, width * s->lanes)) continue;
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
  return vector_bits / (dtype == SN_F64 || dtype == SN_I64 ? 64 : 32);
}
static int vector_registers(int vector_bits) {
  return vector_bits == 512 ? 32 : 16;
}

static bool is_few_columns(int64_t m, int64_t n, int lanes) {
  return n >= 1 && n <= 4 && n * 4 <= lanes && (m < 0 || m >= lanes);
}

static void plan_k_blocks(const shape *s, sni_contraction_plan *plan) {
  const bool single_block = s->m >= 0 && s->m <= plan->rows && plan->pack == SNI_PACK_NEVER;
  const int64_t limit = plan->pack == SNI_PACK_NEVER ? k_block_in_place : k_block_packed;
  const bool one_block = single_block || (s->k >= 0 ? s->k <= limit : plan->pack == SNI_PACK_NEVER);
  plan->blocked = !one_block;
  plan->k_block = k_block_unknown;
  plan->segmented = s->segment > 0 && (s->k < 0 || s->k > s->segment);
  if (plan->segmented) {
    plan->blocked = true;
    plan->k_block = s->segment;
    return;
  }
  if (s->k >= 0)
    plan->k_block = one_block ? most(s->k, 1) : (ceil_div(s->k, ceil_div(s->k, limit)) + 3) / 4 * 4;
}

// bytes: of the right side; rows: of a block. With few registers a block has few rows, and where the
// right side's rows meet in the same cache sets, each block reads them from far away again.
static int64_t rows_worth_packing(const shape *s, int64_t bytes, int64_t rows) {
  const bool conflict = s->pitch % 4096 == 0;
  if (conflict && s->registers < 32) return pack_blocks_conflict * rows;
  if (bytes >= huge_bytes) return pack_rows_huge;
  return conflict ? pack_rows_conflict : pack_rows;
}

static void plan_packing(const shape *s, size_t size, sni_contraction_plan *plan) {
  const int64_t n = s->n < 0 ? assumed_columns : most(s->n, 1);
  const double bytes = (double)n * (double)s->k * (double)size;
  plan->pack_rows = rows_worth_packing(s, bytes < 1e18 ? (int64_t)bytes : INT64_MAX, plan->rows);
  plan->pack = SNI_PACK_NEVER;
  if (!s->contiguous) {
    plan->pack = SNI_PACK_ALWAYS;
  } else if (bytes > pack_bytes) {
    const bool whole = s->m >= 0 && s->m <= s->m_grain;  // every unit has all rows
    if (!whole) plan->pack = SNI_PACK_MANY_ROWS;
    if (whole && s->m >= plan->pack_rows) plan->pack = SNI_PACK_ALWAYS;
  }
}

// swapped and lanes are set. scratch_bytes: what lies before the tile.
static void plan_shape(const shape *s, size_t size, size_t scratch_bytes,
                       sni_contraction_plan *plan) {
  blocks chosen;
  choose_blocks(s, &chosen);
  plan->rows = chosen.main.rows;
  plan->vectors = chosen.main.vectors;
  plan->uniform = chosen.uniform;
  plan->last_rows = chosen.uniform ? 0 : chosen.last.rows;
  plan->last_vectors = chosen.uniform ? 0 : chosen.last.vectors;
  const int64_t width = (int64_t)plan->vectors * plan->lanes;
  plan->width_known = s->n >= 0 && (s->n_grain % width == 0 || s->n_grain >= s->n);
  if (!plan->width_known && !plan->uniform) {
    plan->last_vectors = 1;
    plan->last_rows = best_rows(s, s->m < 0 ? assumed_rows : most(s->m, 1), 1).rows;
  }
  const bool whole_blocks =
      s->m_grain % plan->rows == 0 && (!plan->last_rows || s->m_grain % plan->last_rows == 0);
  plan->tail_known = s->m >= 0 && (whole_blocks || s->m_grain >= s->m);
  plan_packing(s, size, plan);
  plan_k_blocks(s, plan);
  plan->prefetch =
      plan->pack != SNI_PACK_ALWAYS && (s->k < 0 || s->k * width * (int64_t)size > l1_panel_bytes);
  plan->unit_rows = s->m_grain;
  plan->unit_columns = s->n_grain;
  const int64_t widest = most(plan->vectors, plan->last_vectors) * plan->lanes,
                tallest = most(plan->rows, plan->last_rows);
  const int64_t unit_rows = s->m < 0 ? s->m_grain : least(s->m, s->m_grain);
  const int64_t tile_rows = plan->blocked ? unit_rows + tallest : tallest;
  plan->tile_offset = (scratch_bytes + 63) / 64 * 64;
  plan->panel_offset = plan->tile_offset + (size_t)(tile_rows * widest) * size;
  plan->scratch_bytes = plan->panel_offset;
  if (plan->pack != SNI_PACK_NEVER) plan->scratch_bytes += (size_t)(plan->k_block * widest) * size;
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
  shape s = {.m = swapped ? n : m,
             .n = swapped ? m : n,
             .k = k,
             .epilogue = assumed_epilogue,
             .lanes = lanes,
             .registers = vector_registers(vector_bits),
             .vector_bytes = vector_bits / 8};
  s.offsets = s.m < 0;
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
  const bool packs = depth > (int64_t)(pack_bytes / 4) / columns;
  const int64_t fewest = packs ? pack_unit_rows : least_blocks * (int64_t)chosen.main.rows;
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
  if (!are_blocks(tree, i + 1, items[n].end) || owns_buffers(tree, n)) return SNI_NO_ITEM;
  const sni_contract_item *contract = &items[i].as.contract;
  const bool ranges = sni_tree_accesses(tree)[contract->lhs].n_ranges ||
                      sni_tree_accesses(tree)[contract->rhs].n_ranges;
  return ranges ? SNI_NO_ITEM : i;
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

bool sni_contraction_nest_find(const sni_tree *tree, uint32_t item,
                               sni_contraction_nest *out_nest) {
  if (!is_parallel(tree, item)) return false;
  const uint32_t n = loop_of_columns(tree, item);
  if (n != SNI_NO_ITEM) {
    *out_nest = (sni_contraction_nest){item, n, contract_in(tree, n), item};
    return true;
  }
  const uint32_t contract = contract_in(tree, item), m = sni_tree_items(tree)[item].parent;
  if (contract == SNI_NO_ITEM || !sni_tree_schedule(tree)[item].lanes) return false;
  if (is_parallel(tree, m) && loop_of_columns(tree, m) == item) return false;
  *out_nest = (sni_contraction_nest){SNI_NO_ITEM, item, contract, item};
  return true;
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

// Iterations of a loop, -1: unknown; and how many are worked on together.
static int64_t loop_iterations(const sni_tree *tree, uint32_t item, int64_t *out_grain) {
  const sni_schedule *schedule = &sni_tree_schedule(tree)[item];
  const int64_t bound = known_extent(sni_tree_items(tree)[item].as.loop.extent);
  *out_grain = bound >= 0 && bound <= unit_rows_inside ? most(bound, 1) : unit_rows_inside;
  if (schedule->grid) *out_grain = schedule->grain;
  return sni_tree_known_iterations(tree, item);
}

static shape nest_shape(const sni_tree *tree, const sni_contraction_nest *nest, int lanes,
                        int vector_bits, bool swapped) {
  const sni_item *items = sni_tree_items(tree);
  const sni_contract_item *c = &items[nest->contract].as.contract;
  const uint32_t rows = swapped ? nest->n : nest->m, columns = swapped ? nest->m : nest->n;
  shape s = {
      .m = 1,
      .m_grain = 1,
      .k = known_extent(c->k),
      .segment = c->segment,
      .lanes = lanes,
      .registers = vector_registers(vector_bits),
      .vector_bytes = vector_bits / 8,
  };
  if (rows != SNI_NO_ITEM) s.m = loop_iterations(tree, rows, &s.m_grain);
  s.n = loop_iterations(tree, columns, &s.n_grain);
  if (!sni_tree_schedule(tree)[columns].grid) s.n_grain = s.n < 0 ? 0 : most(s.n, 1);
  const uint32_t depth = items[nest->contract].depth;
  const sni_tree_access *left = &sni_tree_accesses(tree)[swapped ? c->rhs : c->lhs];
  const sni_tree_access *right = &sni_tree_accesses(tree)[swapped ? c->lhs : c->rhs];
  s.offsets = s.m < 0 || (rows != SNI_NO_ITEM && left->stride[items[rows].depth].param >= 0);
  s.contiguous = sni_extent_is(right->stride[items[columns].depth], 1);
  s.packing = s.contiguous ? 0 : packing_code;
  s.pitch = known_extent(right->stride[depth]);
  if (s.pitch >= 0) s.pitch *= vector_bits / 8 / lanes;
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
  int64_t grain;
  const int64_t n = loop_iterations(tree, nest->n, &grain);
  const int64_t m = nest->m == SNI_NO_ITEM ? 1 : loop_iterations(tree, nest->m, &grain);
  plan.swapped = nest->m != SNI_NO_ITEM && is_few_columns(m, n, plan.lanes);
  const shape s = nest_shape(tree, nest, plan.lanes, vector_bits, plan.swapped);
  const size_t size = (size_t)(vector_bits / 8 / plan.lanes);
  plan_shape(&s, size, (size_t)tree->scratch_bytes, &plan);
  *out_plan = plan;
  return true;
}

size_t sni_tree_scratch_bytes(const sni_tree *tree, int vector_bits) {
  size_t bytes = (size_t)tree->scratch_bytes;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    sni_contraction_nest nest;
    sni_contraction_plan plan;
    if (sni_contraction_nest_find(tree, i, &nest) &&
        sni_contraction_plan_make(tree, &nest, vector_bits, &plan) && plan.scratch_bytes > bytes)
      bytes = plan.scratch_bytes;
  }
  return bytes;
}
