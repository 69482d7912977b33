// Products: contractions in tiles, computed into scratch by the micro-kernels of blocks_tile.c; then
// the bodies of their loops row by row.
//
// For each block of columns, for each block of rows, for each product, for each block of k: pack
// the panel of the columns' side where it is not ready to be read in whole cache lines, then for
// each chunk of columns all row groups. Products rest in scratch between blocks of k, so each stays
// one chain in order of k; segments of k get tiles of their own, which are added in order.
#include "codegen/interp/flat.h"

#include <string.h>

enum { rows_worth_packing = 3 * SNI_TILE_ROWS };

// A product of the call at hand.
typedef struct product {
  const sni_flat_frame *f;
  const sni_product *p;
  int64_t size;  // bytes of an element
  int64_t k;
  int64_t rows_step, rows_k, columns_step, columns_k;  // strides in bytes
  char *panel;
} product;

// Rows and columns count from the start of their loops.
typedef struct part {
  int64_t row, rows, column, columns, k, depth;
} part;

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static product begin_product(const sni_flat_frame *f, const sni_product *p) {
  return (product){
      .f = f,
      .p = p,
      .size = (int64_t)sni_flat_size_of[p->dtype],
      .k = f->sizes[p->k],
      .rows_step = f->sizes[p->rows.own],
      .rows_k = f->sizes[p->rows.k],
      .columns_step = f->sizes[p->columns.own],
      .columns_k = f->sizes[p->columns.k],
      .panel = f->scratch + f->code->tiles.panel,
  };
}

// ---- operands with ranges

typedef struct line {
  const sni_operand *operand;
  int64_t own, k;  // of the first element
  bool along_k;    // neighbours along k; else along the operand's own loop
  int64_t stride;  // bytes from one element to the next
} line;

// A line of elements, 0 where a range says so.
static void load_line(const product *p, const line *l, char *to, int64_t count) {
  const sni_flat_frame *f = p->f;
  const sni_operand *operand = l->operand;
  int64_t first = 0, end = count;
  for (uint32_t i = 0; i < operand->forms.count; i++) {
    const uint32_t form = operand->forms.first + i;
    const sni_move *moves = f->code->moves + operand->form_moves + 2 * (size_t)i;
    const int64_t own = f->sizes[moves[0].size], k = f->sizes[moves[1].size];
    sni_flat_inside(f->forms[form] + l->own * own + l->k * k, l->along_k ? k : own,
                    f->sizes[f->code->forms[form].extent], &first, &end);
  }
  if (first >= end) first = end = 0;
  const sni_move_blocks *move = f->code->blocks->move;
  const char *from = f->slots[operand->slot] + l->own * f->sizes[operand->own] +
                     l->k * f->sizes[operand->k] + first * l->stride;
  memset(to, 0, (size_t)(first * p->size));
  if (l->stride == p->size)
    memcpy(to + first * p->size, from, (size_t)((end - first) * p->size));
  else
    move->load[p->p->dtype](to + first * p->size, from, l->stride, NULL, (size_t)(end - first));
  memset(to + end * p->size, 0, (size_t)((count - end) * p->size));
}

static void pack_ranged(const product *p, const part *at, int64_t row_bytes) {
  for (int64_t k = 0; k < at->depth; k++) {
    const line l = {&p->p->columns, at->column, at->k + k, false, p->columns_step};
    load_line(p, &l, p->panel + k * row_bytes, at->columns);
  }
}

// The rows' side, a row of `depth` after the other.
static const char *pack_rows(const product *p, const part *at) {
  char *left = p->f->scratch + p->f->code->tiles.left;
  for (int64_t row = 0; row < at->rows; row++) {
    const line l = {&p->p->rows, at->row + row, at->k, true, p->rows_k};
    load_line(p, &l, left + row * at->depth * p->size, at->depth);
  }
  return left;
}

// ---- panels

// panel[k][column], from byte `to` of each row on: filled up to whole cache lines with zeros.
static void pack(const product *p, const part *at, int64_t to) {
  const int64_t row_bytes = (int64_t)p->f->code->tiles.row_bytes;
  const int64_t bytes = at->columns * p->size;
  const int64_t whole = (bytes + SNI_LINE_BYTES - 1) / SNI_LINE_BYTES * SNI_LINE_BYTES;
  const char *from =
      p->f->slots[p->p->columns.slot] + at->column * p->columns_step + at->k * p->columns_k;
  char *panel = p->panel + to;
  if (p->p->columns.forms.count) {
    pack_ranged(p, at, row_bytes);
  } else if (p->columns_step == p->size) {
    for (int64_t k = 0; k < at->depth; k++)
      memcpy(panel + k * row_bytes, from + k * p->columns_k, (size_t)bytes);
  } else {
    const sni_pack how = {panel,           row_bytes, from,       p->columns_k,
                          p->columns_step, at->depth, at->columns};
    p->f->code->blocks->pack[p->p->dtype](&how);
  }
  for (int64_t k = 0; whole > bytes && k < at->depth; k++)
    memset(panel + k * row_bytes + bytes, 0, (size_t)(whole - bytes));
}

// ---- tiles

// All row groups of one chunk of columns.
static void run_chunk(const product *p, sni_tile tile, int64_t rows, int lines) {
  const sni_tile_function(*functions)[SNI_TILE_LINES] = p->f->code->blocks->tile[p->p->dtype];
  for (int64_t row = 0; row < rows; row += SNI_TILE_ROWS) {
    const int64_t n = least(SNI_TILE_ROWS, rows - row);
    functions[n - 1][lines - 1](&tile);
    tile.a += SNI_TILE_ROWS * tile.a_row;
    tile.acc += SNI_TILE_ROWS * tile.acc_row;
  }
}

// rows x columns products over `depth` steps of k into `to`. packed: the panel is ready.
static void run_part(const product *p, const part *at, char *to, bool fresh, bool packed) {
  const sni_flat_frame *f = p->f;
  const int64_t row_bytes = (int64_t)f->code->tiles.row_bytes;
  const char *columns =
      f->slots[p->p->columns.slot] + at->column * p->columns_step + at->k * p->columns_k;
  sni_tile tile = {.acc_row = row_bytes, .k = at->depth, .fresh = fresh};
  if (p->p->rows.forms.count) {
    tile.a = pack_rows(p, at);
    tile.a_row = at->depth * p->size;
    tile.a_k = p->size;
  } else {
    tile.a = f->slots[p->p->rows.slot] + at->row * p->rows_step + at->k * p->rows_k;
    tile.a_row = p->rows_step;
    tile.a_k = p->rows_k;
  }
  const int64_t chunk_bytes = f->code->blocks->tile_lines * SNI_LINE_BYTES;
  const int64_t bytes = at->columns * p->size;
  for (int64_t done = 0; done < bytes; done += chunk_bytes) {
    const int64_t width = least(chunk_bytes, bytes - done);
    const bool whole = width % SNI_LINE_BYTES == 0 && p->columns_step == p->size;
    if (!packed && !whole) {
      part chunk = *at;
      chunk.column += done / p->size;
      chunk.columns = width / p->size;
      pack(p, &chunk, done);
    }
    const bool in_panel = packed || !whole;
    tile.b = in_panel ? p->panel + done : columns + done;
    tile.b_k = in_panel ? row_bytes : p->columns_k;
    tile.acc = to + done;
    run_chunk(p, tile, at->rows, (int)((width + SNI_LINE_BYTES - 1) / SNI_LINE_BYTES));
  }
}

// The sums of a segment join those before it.
static void add_piece(const product *p, const part *at, char *to, char *piece) {
  const int64_t row_bytes = (int64_t)p->f->code->tiles.row_bytes;
  const sni_block_function add = p->f->code->blocks->op[SNI_KOP_ADD][p->p->dtype][0];
  for (int64_t row = 0; row < at->rows; row++, to += row_bytes, piece += row_bytes)
    add(to, to, piece, to, (size_t)at->columns);
}

// How the panel is used in a block of columns.
typedef struct packing {
  bool always, once;  // for each block of k; before the first row alone
} packing;

static packing choose_packing(const product *p, int64_t rows) {
  const int64_t segment = p->p->segment ? p->p->segment : INT64_MAX;
  packing how = {.always = rows >= rows_worth_packing || p->p->columns.forms.count};
  how.once = how.always && p->k <= p->f->code->tiles.depth && p->k <= segment;
  return how;
}

// -0.0 everywhere: one product on top of it is the product itself.
static void start_from_nothing(const product *p, const part *at, char *to) {
  const double zero = -0.0;
  const float short_zero = -0.0F;
  const void *from = p->p->dtype == SN_F64 ? (const void *)&zero : &short_zero;
  for (int64_t row = 0; row < at->rows; row++, to += p->f->code->tiles.row_bytes)
    p->f->code->blocks->move->splat[p->p->dtype](to, from, (size_t)at->columns);
}

// What the sums go on from.
static void start_from_memory(const product *p, const part *at, char *to) {
  const sni_operand *from = &p->p->from;
  for (int64_t row = 0; row < at->rows; row++, to += p->f->code->tiles.row_bytes) {
    const line l = {from, at->column, at->row + row, false, p->f->sizes[from->own]};
    load_line(p, &l, to, at->columns);
  }
}

// All products of a block of rows and columns, into `to`.
static void run_tile(const product *p, part at, packing how, char *to) {
  char *pieces = p->f->scratch + p->f->code->tiles.pieces;
  const int64_t segment = p->p->segment && p->p->segment < p->k ? p->p->segment : p->k;
  const bool alone = p->k == 1 && (p->p->dtype == SN_F32 || p->p->dtype == SN_F64);
  const bool fresh = !alone && !p->p->goes_on;
  if (p->p->goes_on)
    start_from_memory(p, &at, to);
  else if (alone)
    start_from_nothing(p, &at, to);
  at.k = 0;
  do {
    const int64_t first = at.k, end = least(p->k, at.k + segment);
    do {
      at.depth = least(p->f->code->tiles.depth, end - at.k);
      if (how.always && !how.once) pack(p, &at, 0);
      run_part(p, &at, first ? pieces : to, at.k == first && (first || fresh), how.always);
      at.k += at.depth;
    } while (at.k < end);
    if (first) add_piece(p, &at, to, pieces);
  } while (at.k < p->k);
}

void sni_flat_product_row(const sni_flat_frame *f, uint32_t number, size_t n) {
  const sni_product *made = &f->code->products[number];
  const product p = begin_product(f, made);
  const packing how = {.always = made->columns.forms.count > 0};
  const int64_t most = (int64_t)f->code->tiles.row_bytes / p.size;
  part at = {.rows = 1};
  for (; at.column < (int64_t)n; at.column += most) {
    at.columns = least(most, (int64_t)n - at.column);
    run_tile(&p, at, how, f->slots[made->slot] + at.column * p.size);
  }
}

// ---- the loops

// One row: the products' slots point at it.
static void point_at_row(const sni_flat_frame *f, const sni_node *node, int64_t row) {
  const sni_product *p = f->code->products + node->first;
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
    point_at_row(f, m, row);
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
    point_at_row(f, m, row);
    sni_flat_walk(f, body, n->end, lanes);
    sni_flat_move(f, n, 1);
  }
  sni_flat_move(f, n, -at->row - at->rows);
  sni_flat_move(f, m, -at->column);
}

// A block of columns: all its rows.
static void run_columns(sni_flat_frame *f, const sni_node *node, part at, int64_t end_row) {
  const int64_t first_row = at.row, rows = f->code->tiles.rows;
  for (; at.row < end_row && !f->stopped; at.row += rows) {
    at.rows = least(rows, end_row - at.row);
    for (uint32_t i = 0; i < node->count; i++) {
      const product p = begin_product(f, &f->code->products[node->first + i]);
      packing how = choose_packing(&p, end_row - first_row);
      how.once &= node->count == 1;  // else the panel is another's by now
      if (how.once && at.row == first_row) {
        part panel = at;
        panel.k = 0;
        panel.depth = p.k;
        pack(&p, &panel, 0);
      }
      run_tile(&p, at, how, f->scratch + p.p->products);
    }
    if (node->turned)
      run_turned(f, node, &at);
    else
      run_rows(f, node, &at);
  }
}

void sni_flat_product_run(sni_flat_frame *f, const sni_node *node) {
  const sni_flat_code *code = f->code;
  const sni_node *n = &code->nodes[node->inner];
  const sni_node *row_loop = node->turned ? n : node, *column_loop = node->turned ? node : n;
  int64_t first_row, end_row, first, end, most = code->block;
  sni_flat_bounds(f, row_loop, &first_row, &end_row);
  sni_flat_bounds(f, column_loop, &first, &end);
  for (uint32_t i = 0; i < node->count; i++) {
    const int64_t size = (int64_t)sni_flat_size_of[code->products[node->first + i].dtype];
    most = least(most, (int64_t)code->tiles.row_bytes / size);
  }
  for (; first < end && !f->stopped; first += most) {
    const part at = {.row = first_row, .column = first, .columns = least(most, end - first)};
    run_columns(f, node, at, end_row);
  }
}
