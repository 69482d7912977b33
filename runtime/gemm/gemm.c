// Products of matrices: what is copied, and the loops around the tiles.
//
//   for each band of columns: while the first strip passes, b is copied, a group of panels at a time
//     for each rectangle: a strip of rows by a panel, whose sums are complete while they are in L1; of
//         several pieces of k many of both, so that a copy serves more than one strip
//       for each piece of k, each strip, each panel, each block of rows: a tile
//
// Invariant: sums do not depend on these cuts (cut.c).
#include "runtime/cpu.h"
#include "runtime/gemm/cut.h"
#include "runtime/gemm/team.h"

#include <string.h>

enum {
  line = 64,
  copied_blocks = 8,  // of a's rows at once: lines are read to their end
  place_k = 192,      // that b is read in place at a time
  few_k = 48,         // that need not be fetched ahead
};

static void rewind_all(sni_gemm *g) {
  g->row = g->rows = g->column = g->columns = g->band_first = 0;
  g->packed_row = -1;
  g->packed_end = 0;
}

void sni_gemm_begin(sni_gemm *g, const sni_gemm_kernels *kernels) {
  g->kernels = kernels;
  sni_gemm_measure(g);
  g->first_k = g->shared = 0;
  rewind_all(g);
  if (g->m <= 0 || g->n <= 0) return;
  if (g->map_a && sni_gemm_map_is_plain(g->map_a, g->a, &g->a, &g->a_row, &g->a_k)) g->map_a = NULL;
  if (g->map_b && sni_gemm_map_is_plain(g->map_b, g->b, &g->b, &g->b_column, &g->b_k))
    g->map_b = NULL;
  if (g->map_a) g->a_row = g->a_k = 0;
  if (g->map_b) g->b_k = g->b_column = 0;
  if (sni_gemm_share(g)) return;
  sni_gemm_cut(g);
}

bool sni_gemm_next(sni_gemm *g) {
  if (g->m <= 0 || g->n <= 0) return false;
  if (g->columns) g->column += g->rectangle_columns;
  if (g->column >= least(g->band_first + g->band, g->n)) {
    g->column = g->band_first;
    g->row += g->rectangle_rows;
    g->packed_row = -1;
  }
  if (g->row >= g->m) {
    g->row = 0;
    g->column = g->packed_end = g->band_first = g->band_first + g->band;
    if (g->column >= g->n) return false;
  }
  if (g->c && !g->streams) g->sums = g->c + g->row * g->c_row + g->column * g->size;
  g->rows = least(g->rectangle_rows, g->m - g->row);
  g->columns = least(g->rectangle_columns, least(g->band_first + g->band, g->n) - g->column);
  return true;
}

// ---- copies

static sni_gemm_copy_function copy_of(const sni_gemm *g, int64_t dtype, bool along_k) {
  if (g->pairs) return g->kernels->copy_pairs[dtype][along_k];
  return sni_gemm_copy_of(g->kernels, (sn_dtype)dtype);
}

static int64_t panel_at(const sni_gemm *g, int64_t column) {
  return (column - g->band_first) * kept_of(g, depth_of(g)) * g->size;
}

// What stands behind the last column, up to a whole vector: zeros, for other bits may be slow. Copies do
// so themselves.
static void pad_panel(const sni_gemm *g, int64_t depth, int64_t end) {
  const int64_t bytes = (end - g->band_first) % g->panel * g->size;
  const int64_t whole = round_up(bytes, g->kernels->vector_bytes), row = g->panel * g->size;
  char *to = g->packed_b + panel_at(g, end - (end - g->band_first) % g->panel);
  for (int64_t i = 0; whole > bytes && i < depth; i++, to += row)
    for (int64_t at = bytes; at < whole; at += 4) memset(to + at, 0, 4);
}

// Columns [first, end) of b, which begin a panel.
static void pack_b(const sni_gemm *g, int64_t k, int64_t depth, int64_t first, int64_t end) {
  const int64_t row = g->panel * g->size;
  const sni_gemm_copy c = {.to = g->packed_b + panel_at(g, first),
                           .to_k = row,
                           .to_panel = row * kept_of(g, depth_of(g)),
                           .from = g->b + k * g->b_k + first * g->b_column,
                           .from_k = g->b_k,
                           .from_column = g->b_column,
                           .depth = depth,
                           .columns = end - first,
                           .panel = g->panel,
                           .pads = true};
  if (!g->map_b) {
    copy_of(g, g->b_dtype, false)(&c);
    return;
  }
  sni_gemm_copy_block(g->map_b, g->b, g->size, copy_of(g, g->b_dtype, false), c.to, c.to_k, c.panel,
                      c.to_panel, first, c.columns, g->first_k + k, depth);
  pad_panel(g, depth, end);
}

// Rows in blocks of at most `most_rows`, all but equal: the first `larger` have one more.
typedef struct split {
  int64_t blocks, larger, rows;
} split;

static split split_rows(int64_t rows, int64_t most_rows) {
  const int64_t blocks = (rows + most_rows - 1) / most_rows;
  return (split){blocks, rows % blocks, rows / blocks};
}

static void pack_rows_of_a(const sni_gemm *g, int64_t k, int64_t depth, int64_t row, int64_t rows) {
  const sni_gemm_copy_function copy = copy_of(g, g->a_dtype, true);
  if (g->map_a) {
    sni_gemm_copy_rows(g->map_a, g->a, g->a_size, is_narrow_a(g) ? copy : NULL, g->size,
                       g->packed_a, g->packed_a_row, row, rows, g->first_k + k, depth);
    return;
  }
  copy(&(sni_gemm_copy){.to = g->packed_a,
                        .to_k = g->packed_a_row,
                        .from = g->a + row * g->a_row + k * g->a_k,
                        .from_k = g->a_row,
                        .from_column = g->a_k,
                        .depth = rows,
                        .columns = depth,
                        .panel = depth});
}

// Rows [row, row + rows): a block of rows after the other, each k by k, or all row by row.
static void pack_a(const sni_gemm *g, int64_t k, int64_t depth, int64_t row, int64_t rows) {
  if (g->rows_a) {
    pack_rows_of_a(g, k, depth, row, rows);
    return;
  }
  const split cuts = split_rows(rows, g->block_rows);
  const int64_t kept = kept_of(g, depth);
  for (int64_t i = 0, first = 0; i < cuts.blocks;) {
    const int64_t count = cuts.rows + (i < cuts.larger);
    const int64_t alike = least((i < cuts.larger ? cuts.larger : cuts.blocks) - i, copied_blocks);
    char *to = g->packed_a + first * kept * g->size;
    const sni_gemm_copy c = {
        .to = to,
        .to_k = count * g->size,
        .to_panel = count * kept * g->size,
        .from = g->a + (row + first) * g->a_row + k * g->a_k,
        .from_k = g->a_k,
        .from_column = g->a_row,
        .depth = depth,
        .columns = alike * count,
        .panel = count,
    };
    if (g->map_a)
      sni_gemm_copy_block(g->map_a, g->a, g->size, copy_of(g, g->a_dtype, false), to, c.to_k, count,
                          c.to_panel, row + first, c.columns, g->first_k + k, depth);
    else
      copy_of(g, g->a_dtype, false)(&c);
    first += alike * count;
    i += alike;
  }
}

// ---- sums

static sni_gemm_start start_of(const sni_gemm *g, int64_t k) {
  if (g->goes_on || (k && !g->segment)) return SNI_GEMM_FROM_SUMS;
  if (k) return SNI_GEMM_ADDED;
  const bool real = sni_is_float((sn_dtype)g->dtype);
  return real && g->k == 1 && !g->first_k ? SNI_GEMM_FROM_PRODUCT : SNI_GEMM_FROM_ZERO;
}

static void copy_columns(char *to, int64_t to_row, const char *from, int64_t from_row, int64_t rows,
                         int64_t bytes) {
  for (; rows > 0; rows--, to += to_row, from += from_row) memcpy(to, from, (size_t)bytes);
}

// Less than a panel of each row: a call of memcpy would be most of it.
static void copy_rest(char *to, int64_t to_row, const char *from, int64_t from_row, int64_t rows,
                      int64_t bytes) {
  for (; rows > 0; rows--, to += to_row, from += from_row) {
    int64_t at = 0;
    for (; at + 16 <= bytes; at += 16) memcpy(to + at, from + at, 16);
    for (; at + 4 <= bytes; at += 4) memcpy(to + at, from + at, 4);
  }
}

static int64_t tile_of(const sni_gemm *g) {
  if (!g->pairs) return g->dtype;
  const bool vnni = g->kernels->tile[SNI_GEMM_PAIRS_VNNI][0][0] && sni_cpu_adds_pairs();
  return vnni ? SNI_GEMM_PAIRS_VNNI : SNI_GEMM_PAIRS;
}

// One strip by one panel, of `vectors`: blocks of one size, then those of the other.
static void run_blocks(const sni_gemm *g, sni_gemm_tile tile, int64_t rows, int64_t vectors) {
  const bool by_k = g->packs_a && !g->rows_a;
  const split cuts =
      split_rows(rows, g->packs_a ? g->block_rows : g->kernels->tile_rows[vectors - 1]);
  for (int larger = 1; larger >= 0; larger--) {
    const int64_t count = cuts.rows + larger;
    tile.tiles = larger ? cuts.larger : cuts.blocks - cuts.larger;
    if (!tile.tiles) continue;
    if (by_k) {
      tile.a_row = g->size;
      tile.a_k = count * g->size;
    }
    tile.a_tile = by_k ? count * tile.k * g->size : count * tile.a_row;
    g->kernels->tile[tile_of(g)][vectors - 1][count - 1](&tile);
    tile.a += tile.tiles * tile.a_tile;
    tile.sums += tile.tiles * count * tile.sums_row;
    tile.fetches = false;
  }
}

// b where it lies: a few k at a time, which stay in L1 while all blocks of rows pass.
static void run_in_place(const sni_gemm *g, sni_gemm_tile tile, int64_t rows, int64_t vectors) {
  const bool at_once = tile.start == SNI_GEMM_ADDED || (g->packs_a && !g->rows_a);
  const int64_t depth = at_once ? tile.k : place_k, k = tile.k;
  for (int64_t first = 0; first == 0 || first < k; first += most(depth, 1)) {
    tile.k = least(depth, k - first);
    tile.fetches = k > few_k;
    run_blocks(g, tile, rows, vectors);
    tile.start = SNI_GEMM_FROM_SUMS;
    tile.a += depth * tile.a_k;
    tile.b += depth * tile.b_k;
  }
}

// What c has no room for, where tiles write whole vectors, goes by way of scratch.
static void run_panel(const sni_gemm *g, sni_gemm_tile tile, int64_t rows, int64_t columns,
                      bool in_place) {
  const int64_t bytes = columns * g->size, vector = g->kernels->vector_bytes;
  const int64_t whole = round_up(bytes, vector), vectors = whole / vector;
  const int64_t pitch = round_up(whole, line);
  char *const sums = tile.sums;
  tile.last_bytes = vector - (whole - bytes);
  tile.has_room = !g->c;
  if (!g->c || bytes == whole || g->kernels->tiles_have_parts) {
    (in_place ? run_in_place : run_blocks)(g, tile, rows, vectors);
    return;
  }
  tile.sums = g->scratch;
  tile.sums_row = pitch;
  if (tile.start == SNI_GEMM_FROM_SUMS || tile.start == SNI_GEMM_ADDED)
    copy_rest(g->scratch, pitch, sums, g->sums_row, rows, bytes);
  (in_place ? run_in_place : run_blocks)(g, tile, rows, vectors);
  copy_rest(sums, g->sums_row, g->scratch, pitch, rows, bytes);
}

// One piece of k: all strips and panels of the rectangle.
static void run_piece(sni_gemm *g, int64_t k, int64_t depth) {
  const bool whole = g->k <= g->piece;
  sni_gemm_tile tile = {.sums_row = g->sums_row, .k = kept_of(g, depth), .start = start_of(g, k)};
  const int64_t end_row = g->row + g->rows, end_column = g->column + g->columns;
  const int64_t first = most(g->column, g->place_end);
  if (first < end_column && !(whole && g->packed_end >= end_column)) {
    const int64_t group = g->group;
    const int64_t band_end = least(g->band_first + g->band, g->n);
    const int64_t end = whole ? least(most(g->column + group, end_column), band_end) : end_column;
    pack_b(g, k, depth, first, end);
    g->packed_end = end;
  }
  for (int64_t row = g->row; row < end_row; row += g->strip_rows) {
    const int64_t rows = least(g->strip_rows, end_row - row);
    if (g->packs_a && !(whole && g->packed_row == row)) {
      pack_a(g, k, depth, row, rows);
      g->packed_row = row;
    }
    tile.a = g->packs_a ? g->packed_a : g->a + row * g->a_row + k * g->a_k;
    tile.a_row = g->packs_a ? g->packed_a_row : g->a_row;
    tile.a_k = g->packs_a ? g->size : g->a_k;
    for (int64_t column = g->column; column < end_column; column += g->panel) {
      const bool in_place = column < g->place_end;
      tile.b = in_place ? g->b + k * g->b_k + column * g->size : g->packed_b + panel_at(g, column);
      tile.b_k = in_place ? g->b_k : g->panel * g->size;
      tile.sums = g->sums + (row - g->row) * g->sums_row + (column - g->column) * g->size;
      run_panel(g, tile, rows, least(g->panel, end_column - column), in_place);
    }
  }
}

static void fill(const sni_gemm *g, char *sums, sni_gemm_start start) {
  const int64_t bytes = g->columns * g->size;
  for (int64_t r = 0; r < g->rows; r++, sums += g->sums_row) {
    memset(sums, 0, (size_t)bytes);
    // -0.0: the sign is in the last byte of each element
    for (int64_t i = g->size - 1; start == SNI_GEMM_FROM_PRODUCT && i < bytes; i += g->size)
      sums[i] = (char)0x80;
  }
}

// Sums of a segment join those before it.
static void add_row(int64_t dtype, void *to, const void *more, int64_t n) {
  if (dtype == SN_F32)
    for (int64_t i = 0; i < n; i++) ((float *)to)[i] += ((const float *)more)[i];
  if (dtype == SN_F64)
    for (int64_t i = 0; i < n; i++) ((double *)to)[i] += ((const double *)more)[i];
  if (dtype == SN_I32)
    for (int64_t i = 0; i < n; i++) ((uint32_t *)to)[i] += ((const uint32_t *)more)[i];
  if (dtype == SN_I64)
    for (int64_t i = 0; i < n; i++) ((uint64_t *)to)[i] += ((const uint64_t *)more)[i];
}

static void stream_piece(sni_gemm *g, int64_t k, int64_t depth) {
  const sni_gemm_start start = start_of(g, k);
  char *sums = start == SNI_GEMM_ADDED ? g->piece_sums : g->sums;
  if (start != SNI_GEMM_FROM_SUMS) fill(g, sums, start);
  if (g->packs_a && (g->k > g->piece || g->packed_row < 0)) {
    pack_a(g, k, depth, 0, g->rows);
    g->packed_row = 0;
  }
  const sni_gemm_tile tile = {
      .a = g->packs_a ? g->packed_a : g->a + k * g->a_k,
      .a_row = g->packs_a ? g->size : g->a_row,
      .a_k = g->packs_a ? g->rows * g->size : g->a_k,
      .b = g->b + k * g->b_k + g->column * g->b_size,
      .b_k = g->b_k,
      .sums = sums,
      .sums_row = g->sums_row,
      .k = depth,
      .rows = g->rows,
      .columns = g->columns,
      .start = SNI_GEMM_FROM_SUMS,
  };
  g->kernels->stream[is_narrow_b(g) ? g->b_dtype : g->dtype][g->far](&tile);
  for (int64_t r = 0; start == SNI_GEMM_ADDED && r < g->rows; r++)
    add_row(g->dtype, g->sums + r * g->sums_row, sums + r * g->sums_row, g->columns);
}

void sni_gemm_sum(sni_gemm *g) {
  if (g->shared) {
    sni_gemm_sum_shared(g);
    return;
  }
  char *c = g->c ? g->c + g->row * g->c_row + g->column * g->size : NULL;
  const int64_t bytes = g->columns * g->size;
  int64_t k = 0;
  if (c && g->streams && g->goes_on)
    copy_columns(g->sums, g->sums_row, c, g->c_row, g->rows, bytes);
  do {
    const int64_t depth = least(g->piece, g->k - k);
    if (g->streams)
      stream_piece(g, k, depth);
    else
      run_piece(g, k, depth);
    k += g->piece;
  } while (k < g->k);
  if (c && g->streams) copy_columns(c, g->c_row, g->sums, g->sums_row, g->rows, bytes);
}

void sni_gemm_run(sni_gemm *g, const sni_gemm_kernels *kernels) {
  sni_gemm_begin(g, kernels);
  while (sni_gemm_next(g)) sni_gemm_sum(g);
}

void sni_gemm_run_segment(const sni_gemm *g, int64_t k, char *c, int64_t c_row, char *scratch) {
  sni_gemm part = *g;
  part.k = least(g->segment, g->k - k);
  part.first_k = k;
  part.a += k * part.a_k;  // of a map 0
  part.b += k * part.b_k;
  part.c = c;
  part.c_row = c_row;
  part.scratch = scratch;
  part.shared = 0;
  rewind_all(&part);
  sni_gemm_cut(&part);
  while (sni_gemm_next(&part)) sni_gemm_sum(&part);
}

void sni_gemm_add(const sni_gemm *g, char *c, int64_t c_row, const char *more, int64_t more_row) {
  for (int64_t r = 0; r < g->m; r++) add_row(g->dtype, c + r * c_row, more + r * more_row, g->n);
}

const sni_gemm_kernels *sni_gemm_kernels_best(void) {
#if defined(__x86_64__)
  if (sni_cpu_isa() == SNI_ISA_AVX512) return &sni_gemm_kernels_avx512;
  if (sni_cpu_isa() == SNI_ISA_AVX2) return &sni_gemm_kernels_avx2;
#endif
  return &sni_gemm_kernels_baseline;
}
