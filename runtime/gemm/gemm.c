// Products of matrices: how the work is cut, what is copied, and the loops around the tiles.
//
//   for each band of columns: while the first strip passes, b is copied, a group of panels at a time
//     for each rectangle: a strip of rows by a panel, whose sums are complete while they are in L1; of
//         several pieces of k many of both, so that a copy serves more than one strip
//       for each piece of k, each strip, each panel, each block of rows: a tile
//
// Invariant: sums do not depend on these cuts (gemm.h).
#include "runtime/cpu.h"
#include "runtime/gemm/team.h"

#include "runtime/cpu.h"

#include <string.h>

enum {
  line = 64,
  piece = 1024,             // k that is run through at once where there are no segments
  near_rows = 3,            // that b is streamed past at most: where it stays near,
  met_rows = 16,            // where its rows meet in the same few sets of a cache,
  stream_rows = 32,         // where it comes from afar
  stream_bytes = 16 << 10,  // of their sums
  packed_stream_rows = 4,   // from so many rows and columns on a is copied
  packed_stream_columns = 128,
  stream_step = 128,        // rectangles are multiples of this: two vectors of any instruction set
  strip_bytes = 256 << 10,  // of a's rows that pass a panel one after the other: half of a small L2
  strip_blocks = 4,         // and at least so many blocks
  strip_rows = 96,          // or so many rows
  band_bytes = 2 << 20,     // of b's copy: in L3
  tall_bytes = 256 << 10,   // of the sums of a rectangle with several pieces of k
  tall_row_bytes = 512,
  copied_blocks = 8,        // of a's rows at once: lines are read to their end
  group_bytes = 256,        // of a row of b that are copied one behind the other
  place_bytes = 256 << 10,  // a right side that stays in L2 is read where it lies,
  place_pitch = 2 << 10,    // but for rows that meet in the same few sets;
  place_rows = 96,          // and so is a larger one that few rows pass,
  across_rows = 16,         // fewer where half of its vectors touch two lines,
  far_bytes = 5 << 19,      // but for one so large that its lines come one by one from afar
  place_k = 192,            // of it at a time
  few_k = 48,               // that need not be fetched ahead
};

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}
static int64_t round_up(int64_t a, int64_t to) {
  return (a + to - 1) / to * to;
}

// ---- how the work is cut

static int64_t size_of(int64_t dtype) {
  return (int64_t)sni_dtype_bytes((sn_dtype)dtype);
}
static int64_t piece_of(int64_t segment) {
  return segment ? segment : piece;
}
// Of a piece.
static int64_t depth_of(const sni_gemm *g) {
  return least(g->k, g->piece);
}

static void cut_stream(sni_gemm *g) {
  const int64_t step = stream_step / g->size;
  const int64_t columns = stream_bytes / g->size / g->m / step * step;
  g->rectangle_rows = g->m;
  g->rectangle_columns = g->panel = least(g->n, columns);
  g->band = g->n;
  g->block_rows = g->m;
}

static int64_t rows_of_strip(const sni_gemm *g) {
  const int64_t fitting = strip_bytes / (most(depth_of(g), 1) * g->size);
  const int64_t blocks = most(least(fitting, strip_rows) / g->block_rows, strip_blocks);
  return least(blocks * g->block_rows, g->m);
}

// Columns of a rectangle that holds many panels, rows of one that holds many strips.
static int64_t wide_bytes(int64_t row_bytes, int64_t panel_bytes, bool tall) {
  return round_up(most(row_bytes, tall ? tall_row_bytes : 0), panel_bytes);
}

static void cut_tiles(sni_gemm *g) {
  const int64_t lanes = g->kernels->vector_bytes / g->size;
  const int vectors = g->n > lanes ? SNI_GEMM_VECTORS : 1;
  const bool tall = g->k > g->piece;
  g->panel = vectors * lanes;
  g->block_rows = g->kernels->tile_rows[vectors - 1];
  g->strip_rows = rows_of_strip(g);
  const int64_t bytes =
      most(wide_bytes(g->row_bytes, g->panel * g->size, tall), g->panel * g->size);
  g->rectangle_columns = least(bytes / g->size, g->n);
  g->rectangle_rows = g->strip_rows;
  const int64_t copied = most(band_bytes / most(depth_of(g), 1) / bytes, 1) * bytes / g->size;
  if (tall && g->c) {  // sums wait in memory for the next piece: a copy serves all rows
    g->rectangle_rows = g->m;
    g->rectangle_columns = g->band = least(copied, g->n);
    return;
  }
  if (tall) {
    g->rectangle_rows = least(most(tall_bytes / bytes / g->strip_rows, 1) * g->strip_rows, g->m);
    g->band = g->rectangle_columns;
    return;
  }
  const bool once = g->m <= g->strip_rows;  // then a copy serves no other strip
  g->band = least(once ? most(group_bytes / bytes, 1) * bytes / g->size : copied, g->n);
}

static double bytes_of_b(const sni_gemm *g) {
  return (double)g->k * (double)(g->b_k < 0 ? -g->b_k : g->b_k);
}
// Whether b stays in L2; whether it does not even stay in what a core has of L3.
static bool is_near(const sni_gemm *g) {
  return bytes_of_b(g) <= place_bytes;
}
static bool is_far(const sni_gemm *g) {
  return bytes_of_b(g) > far_bytes;
}

// Whether rows of b meet in the same few sets of a cache.
static bool rows_meet(const sni_gemm *g) {
  return g->b_k % place_pitch == 0 && g->k * line > place_pitch;
}

static bool is_narrow_a(const sni_gemm *g) {
  return g->a_size != g->size;
}
static bool is_narrow_b(const sni_gemm *g) {
  return g->b_size != g->size;
}

// Whether b is read by few blocks of rows, or stays near.
static bool reads_b_in_place(const sni_gemm *g) {
  if (g->map_b || is_narrow_b(g) || g->b_column != g->size) return false;
  if (g->m <= g->block_rows) return true;
  if (rows_meet(g) || is_far(g)) return false;
  const bool across = g->b_k % g->kernels->vector_bytes != 0;  // vectors lie across lines
  return is_near(g) || g->m <= (across ? across_rows : place_rows);
}

// Columns up to here; a panel that does not end with a vector is copied.
static int64_t end_of_place(const sni_gemm *g) {
  if (!reads_b_in_place(g)) return 0;
  return g->n * g->size % g->kernels->vector_bytes ? g->n / g->panel * g->panel : g->n;
}

// Lines of L1 for what lies `pitch` bytes apart: 8 in each of the sets that such lines meet.
static int64_t lines_apart(int64_t pitch) {
  const int64_t sets = 64, ways = 8;
  int64_t step = pitch < 0 ? -pitch : pitch, met = sets;
  for (step /= line; met > 1 && step % 2 == 0; step /= 2) met /= 2;
  return pitch % line ? sets * ways : met * ways;
}

// A transposed a: each k is a line of its own, which the next block of rows reads on, if it still is near.
static bool copies_a(const sni_gemm *g) {
  if (g->map_a || is_narrow_a(g)) return true;
  if (g->a_k == g->size || g->n <= 2 * g->panel) return false;
  return g->a_row != g->size || depth_of(g) > lines_apart(g->a_k);
}

// Rows that b is streamed past at most.
static int64_t rows_of_stream(const sni_gemm *g) {
  if (is_narrow_b(g) || is_far(g)) return stream_rows;
  return rows_meet(g) && !is_near(g) ? met_rows : near_rows;
}

static bool has_rows_along_k(const sni_gemm *g) {
  if (g->map_a) return g->map_a->k.step[g->map_a->k.count - 1] == g->a_size;
  return is_narrow_a(g) && g->a_k == g->a_size;
}

static void cut(sni_gemm *g) {
  g->streams = !g->map_a && !g->map_b && g->b_column == g->b_size && g->m <= rows_of_stream(g) &&
               g->n * g->size >= 2 * g->kernels->vector_bytes;
  g->rows_a = !g->streams && has_rows_along_k(g);
  if (g->streams) {
    cut_stream(g);
    // rows of a may meet in a cache: then they are brought beside one another
    g->packs_a = is_narrow_a(g) || (g->m >= packed_stream_rows && g->n >= packed_stream_columns &&
                                    g->a_row != g->size);
    return;
  }
  cut_tiles(g);
  g->place_end = end_of_place(g);
  g->packs_a = g->k > 0 && copies_a(g);
}

// ---- scratch

// Rows of a stream's sums do not meet in the same sets of a cache.
static int64_t pitch_of(const sni_gemm *g) {
  return round_up(g->rectangle_columns * g->size, line) + (g->streams ? line : 0);
}

static int64_t product_below(int64_t a, int64_t b, int64_t limit) {
  return b && a > limit / b ? limit : least(a * b, limit);
}

// Bounds of what sni_gemm_begin lays out, for all products that are no larger.
size_t sni_gemm_scratch_bytes(const sni_gemm_kernels *kernels, int dtype, int64_t m, int64_t n,
                              int64_t k, int64_t segment, int64_t row_bytes) {
  const int64_t size = size_of(dtype), panel = SNI_GEMM_VECTORS * kernels->vector_bytes;
  const int64_t rows = m < 0 ? INT32_MAX : least(m, INT32_MAX);
  const int64_t columns = round_up((n < 0 ? INT32_MAX : least(n, INT32_MAX)) * size, panel);
  const int64_t longest = piece_of(segment), depth = k < 0 ? longest : least(k, longest);
  const bool pieces = k < 0 || k > longest;
  const int64_t strip = least(rows, most(strip_rows, strip_blocks * SNI_GEMM_ROWS));
  const int64_t a_most = most(strip_bytes, strip_blocks * SNI_GEMM_ROWS * depth * size);
  const int64_t wide = most(wide_bytes(row_bytes, panel, pieces), panel);
  const bool once = !pieces && rows <= strip_blocks * kernels->tile_rows[SNI_GEMM_VECTORS - 1];
  const int64_t b_most = most(once ? group_bytes * depth : band_bytes, wide * depth);
  const int64_t row = round_up(least(columns, wide), line);
  const int64_t sums = most(strip * row, pieces ? least(rows * row, tall_bytes + strip * row) : 0);
  const int64_t tiles = sums + product_below(strip, depth * size, a_most) +
                        product_below(columns, depth, b_most) + 2 * line;
  const int64_t streamed = least(rows, stream_rows);
  const int64_t stream = least(streamed * columns, stream_bytes) + streamed * 2 * line;
  const int64_t streams = (pieces ? 2 * stream : stream) + streamed * depth * size + line;
  return (size_t)round_up(most(tiles, streams), line);
}

static void lay_out(sni_gemm *g) {
  const bool in_c = g->c && !g->streams;  // but for a strip of what ends with no whole vector
  const int64_t pitch = in_c ? round_up(g->panel * g->size, line) : pitch_of(g);
  char *at = g->scratch + (in_c ? g->strip_rows : g->rectangle_rows) * pitch;
  g->sums = g->scratch;
  g->sums_row = in_c ? g->c_row : pitch;
  g->piece_sums = at;
  if (g->streams && g->k > g->piece) at += g->rectangle_rows * pitch;
  g->packed_a = at;
  if (g->packs_a && !g->streams) at += round_up(g->strip_rows * depth_of(g) * g->size, line);
  g->packed_b = at;
}

static void rewind_all(sni_gemm *g) {
  g->row = g->rows = g->column = g->columns = g->band_first = 0;
  g->packed_row = -1;
  g->packed_end = 0;
}

void sni_gemm_begin(sni_gemm *g, const sni_gemm_kernels *kernels) {
  g->kernels = kernels;
  g->size = size_of(g->dtype);
  g->a_size = size_of(g->a_dtype);
  g->b_size = size_of(g->b_dtype);
  g->piece = piece_of(g->segment);
  g->first_k = g->shared = 0;
  rewind_all(g);
  if (g->m <= 0 || g->n <= 0) return;
  if (g->map_a && sni_gemm_map_is_plain(g->map_a, g->a, &g->a, &g->a_row, &g->a_k)) g->map_a = NULL;
  if (g->map_b && sni_gemm_map_is_plain(g->map_b, g->b, &g->b, &g->b_column, &g->b_k))
    g->map_b = NULL;
  if (g->map_a) g->a_row = g->a_k = 0;
  if (g->map_b) g->b_k = g->b_column = 0;
  if (sni_gemm_share(g)) return;
  cut(g);
  lay_out(g);
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

static sni_gemm_copy_function copy_of(const sni_gemm *g, int64_t dtype) {
  return sni_gemm_copy_of(g->kernels, (sn_dtype)dtype);
}

static int64_t panel_at(const sni_gemm *g, int64_t column) {
  return (column - g->band_first) * depth_of(g) * g->size;
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
                           .to_panel = row * depth_of(g),
                           .from = g->b + k * g->b_k + first * g->b_column,
                           .from_k = g->b_k,
                           .from_column = g->b_column,
                           .depth = depth,
                           .columns = end - first,
                           .panel = g->panel,
                           .pads = true};
  for (int64_t at = first; g->map_b && at < end; at += g->panel)
    sni_gemm_copy_block(g->map_b, g->b, g->size, copy_of(g, g->b_dtype),
                        g->packed_b + panel_at(g, at), row, at, least(g->panel, end - at),
                        g->first_k + k, depth);
  if (g->map_b)
    pad_panel(g, depth, end);
  else
    copy_of(g, g->b_dtype)(&c);
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
  const sni_gemm_copy_function copy = copy_of(g, g->a_dtype);
  if (g->map_a) {
    sni_gemm_copy_rows(g->map_a, g->a, g->a_size, is_narrow_a(g) ? copy : NULL, g->size,
                       g->packed_a, row, rows, g->first_k + k, depth);
    return;
  }
  copy(&(sni_gemm_copy){.to = g->packed_a,
                        .to_k = depth * g->size,
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
  for (int64_t i = 0, first = 0; i < cuts.blocks;) {
    const int64_t count = cuts.rows + (i < cuts.larger);
    const int64_t alike = least((i < cuts.larger ? cuts.larger : cuts.blocks) - i, copied_blocks);
    char *to = g->packed_a + first * depth * g->size;
    const sni_gemm_copy c = {
        .to = to,
        .to_k = count * g->size,
        .to_panel = count * depth * g->size,
        .from = g->a + (row + first) * g->a_row + k * g->a_k,
        .from_k = g->a_k,
        .from_column = g->a_row,
        .depth = depth,
        .columns = alike * count,
        .panel = count,
    };
    for (int64_t j = 0; g->map_a && j < alike; j++)
      sni_gemm_copy_block(g->map_a, g->a, g->size, copy_of(g, g->a_dtype), to + j * c.to_panel,
                          c.to_k, row + first + j * count, count, g->first_k + k, depth);
    if (!g->map_a) copy_of(g, g->a_dtype)(&c);
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
    g->kernels->tile[g->dtype][vectors - 1][count - 1](&tile);
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

// Tiles write whole vectors: what c has no room for goes by way of scratch.
static void run_panel(const sni_gemm *g, sni_gemm_tile tile, int64_t rows, int64_t columns,
                      bool in_place) {
  const int64_t bytes = columns * g->size, whole = round_up(bytes, g->kernels->vector_bytes);
  const int64_t vectors = whole / g->kernels->vector_bytes, pitch = round_up(whole, line);
  char *const sums = tile.sums;
  if (!g->c || bytes == whole) {
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
  sni_gemm_tile tile = {.sums_row = g->sums_row, .k = depth, .start = start_of(g, k)};
  const int64_t end_row = g->row + g->rows, end_column = g->column + g->columns;
  const int64_t first = most(g->column, g->place_end);
  if (first < end_column && !(whole && g->packed_end >= end_column)) {
    const int64_t group = most(group_bytes / g->size / g->panel, 1) * g->panel;
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
    tile.a_row = g->packs_a ? depth * g->size : g->a_row;
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
  g->kernels->stream[is_narrow_b(g) ? g->b_dtype : g->dtype](&tile);
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
  cut(&part);
  lay_out(&part);
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
