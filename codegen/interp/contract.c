// Products: the sums of contractions, by runtime/gemm, a rectangle at a time; then the bodies of their
// loops over each rectangle, row by row.
//
// Invariant: a rectangle is used before the next is summed; of several products under the same loops
// all have the sums of one rectangle, each in a place of its own.
#include "codegen/interp/flat.h"

#include <string.h>

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// A rectangle of the loops. Rows and columns count from the start of their loops. sums: of the one
// product; NULL: several, each has a place.
typedef struct part {
  int64_t row, rows, column, columns;
  char *sums;
  int64_t sums_row;
} part;

// ---- operands

// An operand where its loops are at hand; own: of its own loop, from there on.
static sni_gemm_map map_of(const sni_flat_frame *f, const sni_operand *o, const uint32_t *extents,
                           int64_t own) {
  sni_gemm_range *ranges = (sni_gemm_range *)(void *)(f->scratch + o->ranges);
  sni_gemm_map map = {
      .own = {.count = 1, .step = {f->sizes[o->own]}},
      .k = {.count = o->n_k},
      .own_first = own,
      .n_ranges = o->forms.count,
      .ranges = ranges,
  };
  for (uint32_t a = 0; a < o->n_k; a++) {
    map.k.extent[a] = extents ? f->sizes[extents[a]] : INT64_MAX;
    map.k.step[a] = f->sizes[o->k[a]];
  }
  for (uint32_t i = 0; i < o->forms.count; i++) {
    const uint32_t form = o->forms.first + i;
    const sni_move *moves = f->code->moves + o->form_moves + (size_t)(1 + o->n_k) * i;
    ranges[i] = (sni_gemm_range){.extent = f->sizes[f->code->forms[form].extent],
                                 .offset = f->forms[form],
                                 .own = {f->sizes[moves[0].size]}};
    for (uint32_t a = 0; a < o->n_k; a++) ranges[i].k[a] = f->sizes[moves[1 + a].size];
  }
  return map;
}

// ---- sums

// A product of the call at hand.
typedef struct product {
  sni_gemm g;
  sni_gemm_map left, right;
} product;

static bool has_map(const sni_operand *o) {
  return o->forms.count || o->n_k > 1;
}

// The sums of a rectangle. Filled in where it lies: it points into itself.
static void begin_product(product *out, const sni_flat_frame *f, const sni_product *p,
                          const part *at) {
  const int64_t rows_step = f->sizes[p->rows.own], columns_step = f->sizes[p->columns.own];
  int64_t k = 1;
  for (uint32_t i = 0; i < p->n_k; i++) k *= f->sizes[p->k[i]];
  out->g = (sni_gemm){
      .dtype = p->dtype,
      .a_dtype = p->rows.dtype,
      .b_dtype = p->columns.dtype,
      .m = at->rows,
      .n = at->columns,
      .k = k,
      .segment = p->segment,
      .goes_on = p->goes_on,
      .row_bytes = SNI_FLAT_SUMS_BYTES,
      .a = f->slots[p->rows.slot],
      .a_row = rows_step,
      .a_k = f->sizes[p->rows.k[0]],
      .b = f->slots[p->columns.slot],
      .b_k = f->sizes[p->columns.k[0]],
      .b_column = columns_step,
      .scratch = f->scratch + f->code->tiles.gemm,
      .team = ((const sni_scratch_header *)(const void *)f->scratch)->team,
  };
  if (has_map(&p->rows)) {
    out->left = map_of(f, &p->rows, p->k, at->row);
    out->g.map_a = &out->left;
  } else {
    out->g.a += at->row * rows_step;
  }
  if (has_map(&p->columns)) {
    out->right = map_of(f, &p->columns, p->k, at->column);
    out->g.map_b = &out->right;
  } else {
    out->g.b += at->column * columns_step;
  }
  sni_gemm_begin(&out->g, f->code->blocks->gemm);
}

// What the sums go on from.
static void start_from_memory(const sni_flat_frame *f, const sni_product *p, const part *at,
                              const sni_gemm *g) {
  const sni_gemm_map from = map_of(f, &p->from, NULL, at->column + g->column);
  sni_gemm_copy_block(&from, f->slots[p->from.slot], g->size,
                      sni_gemm_copy_of(g->kernels, (sn_dtype)g->dtype), g->sums, g->sums_row,
                      g->columns, 0, 0, g->columns, at->row + g->row, g->rows);
}

static bool next_sums(const sni_flat_frame *f, const sni_product *p, const part *at,
                      product *made) {
  if (!sni_gemm_next(&made->g)) return false;
  if (p->goes_on) start_from_memory(f, p, at, &made->g);
  sni_gemm_sum(&made->g);
  return true;
}

// All sums of a rectangle, in rows of `pitch` bytes.
static void sum_into(const sni_flat_frame *f, const sni_product *p, const part *at, char *to,
                     int64_t pitch) {
  product made;
  begin_product(&made, f, p, at);
  const sni_gemm *g = &made.g;
  while (next_sums(f, p, at, &made)) {
    char *row = to + g->row * pitch + g->column * g->size;
    for (int64_t r = 0; r < g->rows; r++, row += pitch)
      memcpy(row, g->sums + r * g->sums_row, (size_t)(g->columns * g->size));
  }
}

void sni_flat_product_row(const sni_flat_frame *f, uint32_t number, size_t n) {
  const sni_product *p = &f->code->products[number];
  const part at = {.rows = 1, .columns = (int64_t)n};
  sum_into(f, p, &at, f->slots[p->slot], 0);
}

// ---- the loops

// One row: the products' slots point at it.
static void point_at_row(const sni_flat_frame *f, const sni_node *node, const part *at,
                         int64_t row) {
  const sni_product *p = f->code->products + node->first;
  if (at->sums) {
    f->slots[p->slot] = at->sums + row * at->sums_row;
    return;
  }
  for (const sni_product *end = p + node->count; p < end; p++)
    f->slots[p->slot] = f->scratch + p->products + row * (int64_t)f->code->tiles.row_bytes;
}

// The body of a loop m: blocks, then the loop n.
static void run_rows(sni_flat_frame *f, const sni_node *m, const part *at) {
  const sni_node *nodes = f->code->nodes, *n = &nodes[m->inner];
  const uint32_t first = (uint32_t)(m - nodes) + 1, body = m->inner + 1;
  sni_flat_move(f, m, at->row);
  sni_flat_move(f, n, at->column);
  f->index[n->depth] = at->column;
  for (int64_t row = 0; row < at->rows && !f->stopped; row++) {
    f->index[m->depth] = at->row + row;
    if (first < m->inner) sni_flat_walk(f, first, m->inner, 1);
    point_at_row(f, m, at, row);
    sni_flat_walk(f, body, n->end, (size_t)at->columns);
    sni_flat_move(f, m, 1);
  }
  sni_flat_move(f, m, -at->row - at->rows);
  sni_flat_move(f, n, -at->column);
}

// The same with the lanes along m.
static void run_turned(sni_flat_frame *f, const sni_node *m, const part *at) {
  const sni_node *nodes = f->code->nodes, *n = &nodes[m->inner];
  const uint32_t first = (uint32_t)(m - nodes) + 1, body = m->inner + 1;
  const size_t lanes = (size_t)at->columns;
  sni_flat_move(f, m, at->column);
  f->index[m->depth] = at->column;
  if (first < m->inner) sni_flat_walk(f, first, m->inner, lanes);
  sni_flat_move(f, n, at->row);
  for (int64_t row = 0; row < at->rows && !f->stopped; row++) {
    f->index[n->depth] = at->row + row;
    point_at_row(f, m, at, row);
    sni_flat_walk(f, body, n->end, lanes);
    sni_flat_move(f, n, 1);
  }
  sni_flat_move(f, n, -at->row - at->rows);
  sni_flat_move(f, m, -at->column);
}

static void run_bodies(sni_flat_frame *f, const sni_node *node, const part *at) {
  if (node->turned)
    run_turned(f, node, at);
  else
    run_rows(f, node, at);
}

// The one product of the loops: rectangles as they come, in blocks of columns.
static void run_one(sni_flat_frame *f, const sni_node *node, const part *all) {
  const sni_product *p = &f->code->products[node->first];
  const int64_t block = f->code->block;
  product made;
  begin_product(&made, f, p, all);
  const sni_gemm *g = &made.g;
  while (!f->stopped && next_sums(f, p, all, &made)) {
    for (int64_t done = 0; done < g->columns && !f->stopped; done += block) {
      const part at = {all->row + g->row,
                       g->rows,
                       all->column + g->column + done,
                       least(block, g->columns - done),
                       g->sums + done * g->size,
                       g->sums_row};
      run_bodies(f, node, &at);
    }
  }
}

// Several products under the same loops.
static void run_several(sni_flat_frame *f, const sni_node *node, const part *all) {
  const sni_tiles *tiles = &f->code->tiles;
  int64_t columns = f->code->block;
  for (uint32_t i = 0; i < node->count; i++) {
    const int64_t size = (int64_t)sni_flat_size_of[f->code->products[node->first + i].dtype];
    columns = least(columns, (int64_t)tiles->row_bytes / size);
  }
  for (int64_t column = 0; column < all->columns; column += columns) {
    for (int64_t row = 0; row < all->rows && !f->stopped; row += tiles->rows) {
      const part at = {.row = all->row + row,
                       .rows = least(tiles->rows, all->rows - row),
                       .column = all->column + column,
                       .columns = least(columns, all->columns - column)};
      for (uint32_t i = 0; i < node->count; i++) {
        const sni_product *p = &f->code->products[node->first + i];
        sum_into(f, p, &at, f->scratch + p->products, (int64_t)tiles->row_bytes);
      }
      run_bodies(f, node, &at);
    }
  }
}

void sni_flat_product_run(sni_flat_frame *f, const sni_node *node) {
  const sni_node *n = &f->code->nodes[node->inner];
  const sni_node *row_loop = node->turned ? n : node, *column_loop = node->turned ? node : n;
  part all = {0};
  int64_t end_row, end;
  sni_flat_bounds(f, row_loop, &all.row, &end_row);
  sni_flat_bounds(f, column_loop, &all.column, &end);
  all.rows = end_row - all.row;
  all.columns = end - all.column;
  if (node->count == 1)
    run_one(f, node, &all);
  else
    run_several(f, node, &all);
}
