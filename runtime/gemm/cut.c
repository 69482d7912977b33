// How the work is cut: streams or tiles, strips, panels, bands, what is copied; and the scratch that this
// takes.
//
// Invariant: sums do not depend on these cuts (gemm.h).
#include "runtime/gemm/cut.h"

enum {
  line = 64,
  piece = 1024,                  // k that is run through at once where there are no segments
  near_rows = 3,                 // that b is streamed past at most: where it stays near,
  met_rows = 16,                 // where its rows meet in the same few sets of a cache,
  stream_rows = 32,              // where it comes from afar,
  far_pair_rows = 11,            // the same of integers that tiles would add in pairs
  stream_bytes = 16 << 10,       // of their sums: in L1,
  far_stream_bytes = 128 << 10,  // or in L2, where rows of b are read on for longer
  packed_stream_rows = 4,        // from so many rows and columns on a is copied
  packed_stream_columns = 128,
  stream_step = 128,        // rectangles are multiples of this: two vectors of any instruction set
  strip_bytes = 256 << 10,  // of a's rows that pass a panel one after the other: half of a small L2
  strip_blocks = 4,         // and at least so many blocks
  strip_rows = 96,          // or so many rows
  band_bytes = 2 << 20,     // of b's copy: in L3
  tall_bytes = 256 << 10,   // of the sums of a rectangle with several pieces of k
  tall_row_bytes = 512,
  group_bytes = 256,        // of a row of b that are copied one behind the other
  place_bytes = 256 << 10,  // a right side that stays in L2 is read where it lies,
  place_pitch = 2 << 10,    // but for rows that meet in the same few sets;
  place_rows = 96,          // and so is a larger one that few rows pass,
  across_rows = 16,         // fewer where half of its vectors touch two lines,
  far_bytes = 5 << 19,      // but for one so large that its lines come one by one from afar
};

// ---- how the work is cut

static int64_t size_of(int64_t dtype) {
  return (int64_t)sni_dtype_bytes((sn_dtype)dtype);
}
static int64_t piece_of(int64_t segment) {
  return segment ? segment : piece;
}

void sni_gemm_measure(sni_gemm *g) {
  g->size = size_of(g->dtype);
  g->a_size = size_of(g->a_dtype);
  g->b_size = size_of(g->b_dtype);
  g->piece = piece_of(g->segment);
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

static void cut_stream(sni_gemm *g) {
  const int64_t step = stream_step / g->size;
  const int64_t bytes = is_far(g) ? far_stream_bytes : stream_bytes;
  const int64_t columns = bytes / g->size / g->m / step * step;
  g->far = is_far(g);
  g->rectangle_rows = g->m;
  g->rectangle_columns = g->panel = least(g->n, columns);
  g->band = g->n;
  g->block_rows = g->m;
}

static int64_t rows_of_strip(const sni_gemm *g) {
  const int64_t fitting = strip_bytes / (most(kept_of(g, depth_of(g)), 1) * g->size);
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
  g->group = most(group_bytes / g->size / g->panel, 1) * g->panel;
  const int64_t bytes =
      most(wide_bytes(g->row_bytes, g->panel * g->size, tall), g->panel * g->size);
  g->rectangle_columns = least(bytes / g->size, g->n);
  g->rectangle_rows = g->strip_rows;
  const int64_t kept = most(kept_of(g, depth_of(g)), 1);
  const int64_t copied = most(band_bytes / kept / bytes, 1) * bytes / g->size;
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

// Whether b is read by few blocks of rows, or stays near.
static bool reads_b_in_place(const sni_gemm *g) {
  if (g->map_b || is_narrow_b(g) || g->b_column != g->size) return false;
  if (g->m <= g->block_rows) return true;
  if (rows_meet(g) || is_far(g)) return false;
  const bool across = g->b_k % g->kernels->vector_bytes != 0;  // vectors lie across lines
  return is_near(g) || g->m <= (across ? across_rows : place_rows);
}

// Columns up to here; a panel that does not end with a vector is copied where tiles know no parts of one.
static int64_t end_of_place(const sni_gemm *g) {
  if (!reads_b_in_place(g)) return 0;
  if (g->kernels->tiles_have_parts) return g->n;
  return g->n * g->size % g->kernels->vector_bytes ? g->n / g->panel * g->panel : g->n;
}

// Lines of L1 for what lies `pitch` bytes apart: 8 in each of the sets that such lines meet.
static int64_t lines_apart(int64_t pitch) {
  const int64_t sets = 64, ways = 8;
  int64_t step = pitch < 0 ? -pitch : pitch, met = sets;
  for (step /= line; met > 1 && step % 2 == 0; step /= 2) met /= 2;
  return pitch % line ? sets * ways : met * ways;
}

// Whether rows `pitch` bytes apart that a tile reads side by side drive one another out of L1 before their
// lines are read to the end: no set has room for all of them that are in it, and for b.
static bool rows_of_a_meet(int64_t pitch, int64_t rows) {
  enum { sets = 64, ways = 8 };
  uint8_t met[sets] = {0};
  for (int64_t r = 0; r < rows && pitch; r++)
    if (++met[(uint64_t)(r * pitch) / line % sets] == ways) return true;
  return false;
}

// A transposed a: each k is a line of its own, which the next block of rows reads on, if it still is near.
static bool copies_a(const sni_gemm *g) {
  if (g->map_a || is_narrow_a(g)) return true;
  if (g->n <= 2 * g->panel) return false;
  if (g->a_k == g->size) return rows_of_a_meet(g->a_row, least(g->m, g->block_rows));
  return g->a_row != g->size || depth_of(g) > lines_apart(g->a_k);
}

// Whether 16 bits with a sign hold a side's elements.
static bool fits_pairs(int64_t dtype) {
  return dtype == SN_I8 || dtype == SN_U8 || dtype == SN_I16;
}
static bool may_pair(const sni_gemm *g) {
  return g->dtype == SN_I32 && fits_pairs(g->a_dtype) && fits_pairs(g->b_dtype) && !g->map_a &&
         !g->map_b && g->k > 1 && g->kernels->copy_pairs;
}

// Rows that b is streamed past at most.
static int64_t rows_of_stream(const sni_gemm *g) {
  if (may_pair(g)) return is_far(g) ? far_pair_rows : near_rows;
  if (is_narrow_b(g) || is_far(g)) return stream_rows;
  return rows_meet(g) && !is_near(g) ? met_rows : near_rows;
}

static bool has_rows_along_k(const sni_gemm *g) {
  if (g->map_a) return g->map_a->k.step[g->map_a->k.count - 1] == g->a_size;
  return g->a_k == g->a_size;
}

// Bytes from row to row of its copy: they do not meet either.
static int64_t pitch_of_rows(const sni_gemm *g) {
  const int64_t bytes = kept_of(g, depth_of(g)) * g->size;
  return rows_of_a_meet(bytes, g->block_rows) ? bytes + line : bytes;
}

static void choose(sni_gemm *g) {
  g->rows_a = g->pairs = false;
  g->streams = !g->map_a && !g->map_b && g->b_column == g->b_size && g->m <= rows_of_stream(g) &&
               g->n * g->size >= 2 * g->kernels->vector_bytes;
  if (g->streams) {
    cut_stream(g);
    // rows of a may meet in a cache: then they are brought beside one another
    g->packs_a = is_narrow_a(g) || (g->m >= packed_stream_rows && g->n >= packed_stream_columns &&
                                    g->a_row != g->size);
    return;
  }
  g->pairs = may_pair(g);
  cut_tiles(g);
  g->place_end = end_of_place(g);
  g->packs_a = g->k > 0 && copies_a(g);
  g->rows_a = g->packs_a && has_rows_along_k(g);
  g->packed_a_row = g->rows_a ? pitch_of_rows(g) : kept_of(g, depth_of(g)) * g->size;
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
  const int64_t tiles = sums + product_below(strip, depth * size, a_most) + strip * line +
                        product_below(columns, depth, b_most) + 2 * line;
  const int64_t streamed = least(rows, stream_rows);
  const int64_t stream = least(streamed * columns, far_stream_bytes) + streamed * 2 * line;
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
  if (g->packs_a && !g->streams) at += round_up(g->strip_rows * g->packed_a_row, line);
  g->packed_b = at;
}

void sni_gemm_cut(sni_gemm *g) {
  choose(g);
  lay_out(g);
}
