// Walks a flat program: the call, its units, and the nodes inside them. The last part of the
// interpreter's pipeline; nothing here allocates, and the code is only read.
//
// Invariant: before and after each node every cursor and form is where it belongs for the indices
// of the loops around the node; a loop moves what varies along it and brings it back.
#include "codegen/interp/flat.h"

#include <string.h>

// ---- loops

void sni_flat_bounds(const sni_flat_frame *f, const sni_node *loop, int64_t *first, int64_t *last) {
  int64_t count = f->sizes[loop->extent];
  if (loop->strip != SNI_NO_DEPTH) {
    const int64_t rest = f->sizes[loop->whole] - count * f->index[loop->strip];
    if (rest < count) count = rest;
  }
  *first = 0;
  *last = count;
  if (!loop->grid) return;
  *first = f->first[loop->depth];
  if (f->last[loop->depth] < count) *last = f->last[loop->depth];
}

void sni_flat_move(const sni_flat_frame *f, const sni_node *loop, int64_t iterations) {
  const int64_t *sizes = f->sizes;
  const sni_move *m = f->code->moves + loop->moves.first;
  for (const sni_move *end = m + loop->moves.count; m < end; m++)
    f->slots[m->target] += iterations * sizes[m->size];
  m = f->code->moves + loop->forms.first;
  for (const sni_move *end = m + loop->forms.count; m < end; m++)
    f->forms[m->target] += iterations * sizes[m->size];
}

static void run_body(sni_flat_frame *f, const sni_node *loop, size_t n) {
  const sni_node *body = loop + 1;
  if (loop->simple)
    sni_flat_execute(f, body->first, body->count, n);
  else
    sni_flat_walk(f, (uint32_t)(body - f->code->nodes), loop->end, n);
}

static void begin_carries(const sni_flat_frame *f, const sni_node *loop, size_t n) {
  const sni_carry *c = f->code->carries + loop->carries.first;
  for (const sni_carry *end = c + loop->carries.count; c < end; c++) {
    const size_t count = c->one ? 1 : n;
    if (c->one_start)
      f->code->blocks->move->splat[c->dtype](f->slots[c->yield], f->slots[c->start], count);
    else
      memmove(f->slots[c->yield], f->slots[c->start], count * sni_flat_size_of[c->dtype]);
  }
}

// What was yielded is what is carried now.
static void turn_carries(const sni_flat_frame *f, const sni_node *loop) {
  const sni_carry *c = f->code->carries + loop->carries.first;
  for (const sni_carry *end = c + loop->carries.count; c < end; c++) {
    char *yielded = f->slots[c->yield];
    f->slots[c->yield] = f->slots[c->carry];
    f->slots[c->carry] = yielded;
  }
}

static void run_loop(sni_flat_frame *f, const sni_node *loop, size_t n) {
  int64_t i, last;
  sni_flat_bounds(f, loop, &i, &last);
  if (loop->reductions.count) sni_flat_begin(f, loop, n);
  if (loop->carries.count) begin_carries(f, loop, n);
  if (i < last) {
    if (i) sni_flat_move(f, loop, i);
    for (;;) {
      f->index[loop->depth] = i;
      if (loop->carries.count) turn_carries(f, loop);
      run_body(f, loop, n);
      if (++i >= last || f->stopped) break;
      if (loop->chunk && i % loop->chunk == 0) sni_flat_flush(f, loop, n);
      sni_flat_move(f, loop, 1);
    }
    if (i > 1) sni_flat_move(f, loop, 1 - i);
  }
  if (loop->reductions.count) sni_flat_end(f, loop, n);
}

// Pieces end where the accumulators of a reduction begin anew.
static int64_t piece_of(const sni_node *loop, int64_t i, int64_t last) {
  int64_t end = i + loop->step < last ? i + loop->step : last;
  if (loop->chunk && i % loop->chunk + (end - i) > loop->chunk)
    end = i - i % loop->chunk + loop->chunk;
  if (loop->reductions.count && i % SNI_REDUCE_LANES + (end - i) > SNI_REDUCE_LANES)
    end = i - i % SNI_REDUCE_LANES + SNI_REDUCE_LANES;
  return end - i;
}

static void run_fold(sni_flat_frame *f, const sni_node *loop, size_t n) {
  int64_t i, last;
  sni_flat_bounds(f, loop, &i, &last);
  if (loop->reductions.count) sni_flat_begin(f, loop, n);
  if (i < last) {
    if (i) sni_flat_move(f, loop, i);
    for (;;) {
      const int64_t piece = piece_of(loop, i, last);
      f->index[loop->depth] = i;
      f->lanes = n;
      f->fold = (size_t)piece;
      run_body(f, loop, n * (size_t)piece);
      if (i + piece >= last || f->stopped) break;
      i += piece;
      if (loop->chunk && i % loop->chunk == 0) sni_flat_flush(f, loop, n);
      sni_flat_move(f, loop, piece);
    }
    if (i) sni_flat_move(f, loop, -i);
  }
  if (loop->reductions.count) sni_flat_end(f, loop, n);
}

static void run_lanes(sni_flat_frame *f, const sni_node *loop) {
  int64_t i, last;
  sni_flat_bounds(f, loop, &i, &last);
  if (loop->row && i == 0 && last > 0 && last <= loop->step &&
      (!loop->chunk || last <= loop->chunk)) {
    sni_flat_row(f, loop, (size_t)last);
    return;
  }
  if (loop->reductions.count) sni_flat_begin(f, loop, 1);
  if (loop->carries.count) begin_carries(f, loop, 1);
  if (i < last) {
    int64_t piece = loop->chunk;  // where it ends
    if (i) sni_flat_move(f, loop, i);
    for (;;) {
      const int64_t rest = (loop->chunk && piece < last ? piece : last) - i;
      const int64_t n = rest < loop->step ? rest : loop->step;
      f->index[loop->depth] = i;
      run_body(f, loop, (size_t)n);
      if (i + n >= last || f->stopped) break;
      i += n;
      sni_flat_move(f, loop, n);
      if (loop->chunk && i == piece) {
        sni_flat_flush(f, loop, 1);
        piece += loop->chunk;
      }
    }
    if (i) sni_flat_move(f, loop, -i);
  }
  if (loop->reductions.count) sni_flat_end(f, loop, 1);
}

void sni_flat_walk(sni_flat_frame *f, uint32_t first, uint32_t end, size_t n) {
  const sni_node *nodes = f->code->nodes;
  for (uint32_t i = first; i < end && !f->stopped; i = nodes[i].end) {
    const sni_node *node = &nodes[i];
    switch ((sni_node_kind)node->kind) {
      case SNI_NODE_STEPS:
        sni_flat_execute(f, node->first, node->count, n);
        break;
      case SNI_NODE_LOOP:
        run_loop(f, node, n);
        break;
      case SNI_NODE_LANES:
        run_lanes(f, node);
        break;
      case SNI_NODE_FOLD:
        run_fold(f, node, n);
        break;
      case SNI_NODE_IF:
        if (*(const uint8_t *)f->slots[node->first]) sni_flat_walk(f, i + 1, node->end, n);
        break;
      case SNI_NODE_PRODUCT:
        sni_flat_product_run(f, node);
        break;
    }
  }
}

// ---- units

static int64_t pieces_of(const sni_flat_frame *f, const sni_root *root, uint32_t loop) {
  const int64_t extent = f->sizes[root->extents[loop]], grain = root->grains[loop];
  return extent / grain + (extent % grain != 0);
}

static void run_root(sni_flat_frame *f, const sni_root *root) {
  sni_flat_walk(f, root->node, f->code->nodes[root->node].end, 1);
}

static void set_piece(sni_flat_frame *f, const sni_root *root, uint32_t g, int64_t piece,
                      int64_t count) {
  f->first[g] = piece * root->grains[g];
  f->last[g] = f->first[g] + count * root->grains[g];
}

// The pieces of all grid loops that a unit is.
typedef struct place {
  int64_t pieces[SNI_TREE_DEPTH], piece[SNI_TREE_DEPTH];
} place;

static place place_of(sni_flat_frame *f, const sni_root *root, int64_t unit) {
  place at;
  for (uint32_t g = root->n_grid; g-- > 1;) {
    at.pieces[g] = pieces_of(f, root, g);
    at.piece[g] = unit % at.pieces[g];
    unit /= at.pieces[g];
    set_piece(f, root, g, at.piece[g], 1);
  }
  at.pieces[0] = INT64_MAX;
  at.piece[0] = unit;
  set_piece(f, root, 0, unit, 1);
  return at;
}

// `count` pieces of loop `last` further.
static void advance(sni_flat_frame *f, const sni_root *root, place *at, uint32_t last,
                    int64_t count) {
  for (uint32_t g = last + 1; g-- > 0; count = 1) {
    at->piece[g] += count;
    const bool wraps = at->piece[g] == at->pieces[g];
    if (wraps) at->piece[g] = 0;
    set_piece(f, root, g, at->piece[g], 1);
    if (!wraps) return;
  }
}

// Units [begin, end) of a root with several grid loops. Those that differ along the two innermost
// alone run as one where they make up whole rows, or a part of one.
static void run_grid(sni_flat_frame *f, const sni_root *root, int64_t begin, int64_t end) {
  const uint32_t inner = root->n_grid - 1, outer = inner - 1;
  place at = place_of(f, root, begin);
  while (begin < end && !f->stopped) {
    const int64_t across = at.pieces[inner], left = end - begin;
    if (at.piece[inner] == 0 && left >= across) {
      const int64_t to_end = at.pieces[outer] - at.piece[outer];
      const int64_t rows = left / across < to_end ? left / across : to_end;
      set_piece(f, root, inner, 0, across);
      set_piece(f, root, outer, at.piece[outer], rows);
      run_root(f, root);
      advance(f, root, &at, outer, rows);
      begin += rows * across;
    } else {
      const int64_t to_end = across - at.piece[inner], count = left < to_end ? left : to_end;
      set_piece(f, root, inner, at.piece[inner], count);
      run_root(f, root);
      advance(f, root, &at, inner, count);
      begin += count;
    }
  }
}

static void run_units(sni_flat_frame *f, const sni_root *root, int64_t begin, int64_t end) {
  if (root->n_grid > 1) {
    run_grid(f, root, begin, end);
    return;
  }
  if (root->n_grid) set_piece(f, root, 0, begin, end - begin);
  run_root(f, root);
}

// ---- the call

static const int64_t *resolve_sizes(const sni_flat_code *code, const int64_t *params,
                                    char *scratch) {
  if (!code->dynamic) return code->sizes;
  int64_t *sizes = (int64_t *)(void *)(scratch + code->size_table);
  for (uint32_t i = 0; i < code->n_sizes; i++) {
    const sni_flat_size *source = &code->size_sources[i];
    sizes[i] = source->param < 0 ? source->value : params[source->param] * source->value;
  }
  return sizes;
}

static void place_slots(const sni_flat_frame *f) {
  const sni_flat_code *code = f->code;
  for (const sni_flat_place *p = code->places, *end = p + code->n_places; p < end; p++) {
    const void *at = f->scratch + p->offset;
    if (p->kind == SNI_FLAT_CONSTANT) at = code->constants + p->offset;
    if (p->kind == SNI_FLAT_SIZE) at = f->sizes + p->offset;
    f->slots[p->slot] = (char *)(uintptr_t)at;  // nothing writes to constants and sizes
  }
}

// Cursors and forms for index 0 of all loops.
static void place_cursors(const sni_flat_frame *f, uint32_t cursor, uint32_t end_cursor,
                          uint32_t form, uint32_t end_form) {
  for (; cursor < end_cursor; cursor++) {
    const sni_cursor *c = &f->code->cursors[cursor];
    char *base = c->buffer == SNI_NO_VALUE ? f->scratch + c->base : f->buffers[c->buffer];
    f->slots[c->slot] = base + f->sizes[c->offset];
  }
  for (; form < end_form; form++) f->forms[form] = f->sizes[f->code->forms[form].offset];
}

static int64_t units_of(const sni_flat_frame *f, const sni_root *root) {
  int64_t units = 1;
  for (uint32_t g = 0; g < root->n_grid; g++) units *= pieces_of(f, root, g);
  return units;
}

// Several roots: units are numbered through.
static void run_roots(sni_flat_frame *f, int64_t begin, int64_t end) {
  const sni_flat_code *code = f->code;
  uint32_t cursor = 0, form = 0, node = 0;
  for (uint32_t i = 0; i < code->n_roots && begin < end && !f->stopped; i++) {
    const sni_root *root = &code->roots[i];
    const int64_t units = units_of(f, root);
    if (begin < units) {
      place_cursors(f, cursor, root->end_cursor, form, root->end_form);
      for (uint32_t j = node; j <= i; j++)
        sni_flat_walk(f, code->roots[j].first, code->roots[j].node, 1);
      run_units(f, root, begin, end < units ? end : units);
      cursor = root->end_cursor;
      form = root->end_form;
      node = i + 1;
    }
    begin = begin > units ? begin - units : 0;
    end -= units;
  }
}

void sni_interp_run(const void *opaque, void *const *buffers, const int64_t *params, int64_t begin,
                    int64_t end, void *scratch) {
  if (begin >= end) return;
  const sni_flat_code *code = opaque;
  sni_flat_frame f;
  f.code = code;
  f.scratch = scratch;
  f.buffers = buffers;
  f.stopped = false;
  f.sizes = resolve_sizes(code, params, scratch);
  f.slots = (char **)(void *)(f.scratch + code->slot_table);
  f.forms = (int64_t *)(void *)(f.scratch + code->form_table);
  place_slots(&f);
  if (code->n_roots == 1) {
    const sni_root *root = code->roots;
    place_cursors(&f, 0, root->end_cursor, 0, root->end_form);
    if (root->first < root->node) sni_flat_walk(&f, root->first, root->node, 1);
    run_units(&f, root, begin, end);
  } else {
    run_roots(&f, begin, end);
  }
#if defined(__x86_64__)
  if (code->streams) __builtin_ia32_sfence();
#endif
}
