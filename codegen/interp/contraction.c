// Contraction kernels: tiles of products in scratch, computed by the micro-kernels of
// blocks_tile.c, then the epilogue row by row through the block functions, as a nest with the
// vector axis n.
//
// Per unit: for each block of columns, for each block of rows, for each block of k: pack the panel
// of the right side where it is not ready to be read in whole cache lines, then for each chunk of
// columns all row groups. Products rest in scratch between blocks of k, so each stays one chain in
// order of k.
#include "codegen/interp/program.h"

#include <string.h>

enum { rows_worth_packing = 3 * SNI_TILE_ROWS };

typedef struct product {
  const sni_contraction_program *c;
  int64_t size;                                          // bytes of an element
  int64_t k, lhs_k, rhs_k;                               // extent; strides in bytes
  int64_t lhs_row, rhs_column;                           // strides in bytes
  int64_t first_row, end_row, first_column, end_column;  // of the unit
  char *products, *panel;
} product;

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t access_stride(const sni_frame *f, uint32_t access, int axis) {
  return f->sizes[f->code->accesses[access].sizes + 1 + (uint32_t)axis];
}

// panel[k][column]: rows of c->row_bytes, filled up to whole cache lines with zeros.
static void pack(const sni_frame *f, const product *p, const char *from, char *to, int64_t depth,
                 int64_t columns) {
  const int64_t bytes = columns * p->size, row_bytes = (int64_t)p->c->row_bytes;
  const int64_t whole = (bytes + SNI_LINE_BYTES - 1) / SNI_LINE_BYTES * SNI_LINE_BYTES;
  if (p->rhs_column == p->size) {
    for (int64_t k = 0; k < depth; k++)
      memcpy(to + k * row_bytes, from + k * p->rhs_k, (size_t)bytes);
  } else {
    const sni_pack pack = {to, row_bytes, from, p->rhs_k, p->rhs_column, depth, columns};
    f->code->blocks->pack[p->c->dtype](&pack);
  }
  for (int64_t k = 0; whole > bytes && k < depth; k++)
    memset(to + k * row_bytes + bytes, 0, (size_t)(whole - bytes));
}

// ---- tiles

// All row groups of one chunk of columns.
static void run_chunk(const sni_frame *f, const product *p, sni_tile tile, int64_t rows,
                      int lines) {
  const sni_tile_function(*functions)[SNI_TILE_LINES] = f->code->blocks->tile[p->c->dtype];
  for (int64_t row = 0; row < rows; row += SNI_TILE_ROWS) {
    const int64_t n = least(SNI_TILE_ROWS, rows - row);
    functions[n - 1][lines - 1](&tile);
    tile.a += SNI_TILE_ROWS * tile.a_row;
    tile.acc += SNI_TILE_ROWS * tile.acc_row;
  }
}

typedef struct part {
  int64_t row, rows, column, columns, k, depth;
} part;

// rows x columns products over `depth` steps of k. packed: the panel is ready.
static void run_part(const sni_frame *f, const product *p, const part *at, bool packed) {
  const int64_t row_bytes = (int64_t)p->c->row_bytes;
  const char *rhs = f->address[p->c->rhs] + at->column * p->rhs_column + at->k * p->rhs_k;
  sni_tile tile = {
      .a = f->address[p->c->lhs] + at->row * p->lhs_row + at->k * p->lhs_k,
      .a_row = p->lhs_row,
      .a_k = p->lhs_k,
      .acc_row = row_bytes,
      .k = at->depth,
      .fresh = at->k == 0,
  };
  const int64_t chunk_bytes = f->code->blocks->tile_lines * SNI_LINE_BYTES;
  const int64_t bytes = at->columns * p->size;
  for (int64_t done = 0; done < bytes; done += chunk_bytes) {
    const int64_t width = least(chunk_bytes, bytes - done);
    const bool whole = width % SNI_LINE_BYTES == 0 && p->rhs_column == p->size;
    if (!packed && !whole)
      pack(f, p, rhs + done / p->size * p->rhs_column, p->panel + done, at->depth, width / p->size);
    const bool in_panel = packed || !whole;
    tile.b = in_panel ? p->panel + done : rhs + done;
    tile.b_k = in_panel ? row_bytes : p->rhs_k;
    tile.acc = p->products + done;
    run_chunk(f, p, tile, at->rows, (int)((width + SNI_LINE_BYTES - 1) / SNI_LINE_BYTES));
  }
}

static void run_epilogue(sni_frame *f, const product *p, const part *at) {
  const sni_nest_code *code = f->code;
  const int row_axis = code->n_outer - 2;
  f->index[row_axis] = at->row;
  f->position = at->column;
  sni_interp_addresses(f);
  for (int64_t row = 0; row < at->rows; row++) {
    sni_interp_lists(f, SNI_LIST_UNIT);
    f->slots[p->c->slot] = p->products + row * (int64_t)p->c->row_bytes;
    sni_interp_block(f, (size_t)at->columns);
    for (uint32_t i = 0; i < code->n_accesses; i++) f->address[i] += access_stride(f, i, row_axis);
    f->index[row_axis]++;
  }
  f->index[row_axis] = 0;
  f->position = 0;
  sni_interp_addresses(f);
}

static void run_unit(sni_frame *f, const product *p) {
  const sni_contraction_program *c = p->c;
  for (int64_t column = p->first_column; column < p->end_column; column += c->columns) {
    part at = {.column = column, .columns = least(c->columns, p->end_column - column)};
    const bool packs = p->end_row - p->first_row >= rows_worth_packing;
    const bool once = packs && p->k <= c->depth;
    if (once) pack(f, p, f->address[c->rhs] + column * p->rhs_column, p->panel, p->k, at.columns);
    for (at.row = p->first_row; at.row < p->end_row; at.row += c->rows) {
      at.rows = least(c->rows, p->end_row - at.row);
      at.k = 0;
      do {
        at.depth = least(c->depth, p->k - at.k);
        if (packs && !once)
          pack(f, p, f->address[c->rhs] + column * p->rhs_column + at.k * p->rhs_k, p->panel,
               at.depth, at.columns);
        run_part(f, p, &at, packs);
        at.k += at.depth;
      } while (at.k < p->k);
      run_epilogue(f, p, &at);
    }
  }
}

void sni_interp_contraction(sni_frame *f, int64_t begin, int64_t end) {
  const sni_nest_code *code = f->code;
  const sni_contraction_program *c = &code->contraction;
  const int row_axis = code->n_outer - 2, column_axis = code->n_outer - 1;
  product p = {
      .c = c,
      .size = c->dtype == SN_F32 || c->dtype == SN_I32 ? 4 : 8,
      .k = f->sizes[c->sizes],
      .lhs_k = f->sizes[c->sizes + 1],
      .rhs_k = f->sizes[c->sizes + 2],
      .lhs_row = access_stride(f, c->lhs, row_axis),
      .rhs_column = access_stride(f, c->rhs, column_axis),
      .products = f->scratch + c->products,
      .panel = f->scratch + c->panel,
  };
  for (int64_t unit = begin; unit < end; unit++) {
    int64_t rest = unit, piece[SNI_MAX_AXES];
    for (int axis = column_axis; axis >= 0; axis--) {
      const int64_t extent = f->sizes[axis], grain = code->grain[axis];
      const int64_t pieces = extent / grain + (extent % grain != 0);
      piece[axis] = rest % pieces;
      rest /= pieces;
    }
    for (int axis = 0; axis < row_axis; axis++) f->index[axis] = piece[axis];
    sni_interp_addresses(f);
    if (unit == begin) sni_interp_lists(f, SNI_LIST_RUN);
    p.first_row = piece[row_axis] * code->grain[row_axis];
    p.end_row = least(p.first_row + code->grain[row_axis], f->sizes[row_axis]);
    p.first_column = piece[column_axis] * code->grain[column_axis];
    p.end_column = least(p.first_column + code->grain[column_axis], f->sizes[column_axis]);
    run_unit(f, &p);
  }
}
