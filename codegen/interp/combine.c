// Reductions: accumulators at the start of a loop, their tree at its end, and the levels of
// accumulators above them where a loop is cut into pieces.
//
// Pieces: the result of a piece is an element of the next level, which is reduced by the same rule
// as soon as it is full, so each level needs the accumulators of one piece alone. Where there is one
// element in all, it is the result. An accumulator's first element is copied, which is what
// combining it with the identity gives.
#include "codegen/interp/flat.h"

#include <string.h>

static size_t lanes_of(const sni_flat_reduction *r, size_t n) {
  return r->one ? 1 : n;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// Bytes from one accumulator to the next.
static int64_t pitch_of(const sni_flat_reduction *r, size_t n) {
  return r->folded ? (int64_t)(n * sni_flat_size_of[r->dtype]) : (int64_t)r->pitch;
}

// Accumulators that a piece of the first level uses.
static int64_t width_of(const sni_flat_frame *f, const sni_flat_reduction *r) {
  return least(r->width, f->sizes[r->extent]);
}

// Of the ACROSS kind: a power of two of them.
static size_t lanes_across(const sni_flat_frame *f, const sni_flat_reduction *r) {
  const int64_t width = width_of(f, r);
  return width <= 1 ? 1 : (size_t)1 << (64 - __builtin_clzll((uint64_t)width - 1));
}

static void clear(const sni_flat_frame *f, const sni_flat_reduction *r, size_t n) {
  const sni_move_blocks *move = f->code->blocks->move;
  char *at = f->slots[r->slot];
  const bool alone = f->sizes[r->extent] == 1;
  const void *identity = f->slots[alone ? r->alone : r->identity];
  if (r->kind == SNI_REDUCE_ACROSS) {
    move->splat[r->dtype](at, identity, lanes_across(f, r));
    return;
  }
  if (r->goes_on) {
    memcpy(at, identity, n * sni_flat_size_of[r->dtype]);
    return;
  }
  const int64_t width = r->kind == SNI_REDUCE_SPREAD ? width_of(f, r) : 1;
  if (r->folded) {
    // Of one piece each accumulator's first element is copied.
    const bool copied = r->kind == SNI_REDUCE_SPREAD && !r->levels && width > 0;
    if (!copied) move->splat[r->dtype](at, identity, n * (size_t)(width ? width : 1));
    return;
  }
  for (int64_t i = 0; i < width || i == 0; i++)
    move->splat[r->dtype](at + i * (int64_t)r->pitch, identity, n);
}

// The tree over the first `used` accumulators, of which the others hold the identity. Neighbours
// combine in one go where nothing lies between them.
static void combine(const sni_flat_reduction *r, char *at, int64_t used, size_t n) {
  const int64_t pitch = pitch_of(r, n);
  const bool dense = (size_t)pitch == n * sni_flat_size_of[r->dtype];
  for (int64_t w = SNI_REDUCE_LANES / 2; w > 0; w /= 2) {
    const int64_t pairs = least(w, used - w);
    char *from = at + w * pitch;
    if (pairs > 0 && dense) r->combine(at, at, from, at, (size_t)pairs * n);
    for (int64_t i = 0; !dense && i < pairs; i++)
      r->combine(at + i * pitch, at + i * pitch, from + i * pitch, at, n);
  }
}

// ---- levels

static int64_t *counts(const sni_flat_frame *f, const sni_flat_reduction *r) {
  return (int64_t *)(void *)(f->scratch + r->counts);
}

static char *level_of(const sni_flat_frame *f, const sni_flat_reduction *r, uint32_t level) {
  return f->scratch + r->store + (level - 1) * r->level_bytes;
}

static int64_t used_of(const sni_flat_reduction *r, int64_t elements) {
  return r->kind == SNI_REDUCE_ALONG ? 1 : least(elements, SNI_REDUCE_LANES);
}

// A result of the level below becomes an element; a piece that it fills goes up in turn.
static void push(const sni_flat_frame *f, const sni_flat_reduction *r, uint32_t level,
                 const char *x, size_t n) {
  for (;; level++) {
    int64_t *count = &counts(f, r)[level - 1];
    const int64_t i = r->flat ? *count : *count % r->chunk;
    const int64_t lane = r->kind == SNI_REDUCE_ALONG ? 0 : i % SNI_REDUCE_LANES;
    char *row = level_of(f, r, level), *to = row + lane * pitch_of(r, n);
    if (i == lane)
      memcpy(to, x, n * sni_flat_size_of[r->dtype]);
    else
      r->combine(to, to, x, to, n);
    ++*count;
    if (r->flat || level == r->levels || *count % r->chunk) return;
    combine(r, row, used_of(r, r->chunk), n);
    x = row;
  }
}

// Ends a piece of the first level.
static void flush(const sni_flat_frame *f, const sni_flat_reduction *r, size_t n) {
  char *at = f->slots[r->slot];
  combine(r, at, used_of(r, width_of(f, r)), n);
  push(f, r, 1, at, n);
}

// Reduces what is left on the levels to one element, which goes where the first level's is.
static void drain(const sni_flat_frame *f, const sni_flat_reduction *r, size_t n) {
  flush(f, r, n);
  uint32_t level = 1;
  for (; level < r->levels && counts(f, r)[level - 1] > 1; level++) {
    const int64_t rest = counts(f, r)[level - 1] % r->chunk;
    if (rest == 0) continue;  // it went up when it was full
    char *row = level_of(f, r, level);
    combine(r, row, used_of(r, rest), n);
    push(f, r, level + 1, row, n);
  }
  memcpy(f->slots[r->slot], level_of(f, r, level), n * sni_flat_size_of[r->dtype]);
}

// ---- of a loop

void sni_flat_begin(const sni_flat_frame *f, const sni_node *loop, size_t n) {
  const sni_flat_reduction *r = f->code->reductions + loop->reductions.first;
  for (const sni_flat_reduction *end = r + loop->reductions.count; r < end; r++) {
    clear(f, r, lanes_of(r, n));
    if (r->levels) memset(counts(f, r), 0, r->levels * sizeof(int64_t));
  }
}

void sni_flat_row(const sni_flat_frame *f, const sni_node *loop, size_t n) {
  const sni_flat_reduction *r = &f->code->reductions[loop->reductions.first];
  const sni_flat_step *step = &f->code->steps[loop[1].first];
  f->code->blocks->reduce->row[r->combiner][r->dtype](f->slots[r->slot], f->slots[step->a], n);
}

void sni_flat_flush(const sni_flat_frame *f, const sni_node *loop, size_t n) {
  const sni_flat_reduction *r = f->code->reductions + loop->reductions.first;
  for (const sni_flat_reduction *end = r + loop->reductions.count; r < end; r++) {
    flush(f, r, lanes_of(r, n));
    clear(f, r, lanes_of(r, n));
  }
}

void sni_flat_end(const sni_flat_frame *f, const sni_node *loop, size_t n) {
  const sni_flat_reduction *r = f->code->reductions + loop->reductions.first;
  for (const sni_flat_reduction *end = r + loop->reductions.count; r < end; r++) {
    char *at = f->slots[r->slot];
    const size_t lanes = lanes_of(r, n);
    if (r->levels && counts(f, r)[0])
      drain(f, r, lanes);
    else if (r->kind == SNI_REDUCE_ACROSS)
      f->code->blocks->reduce->combine[r->combiner][r->dtype](at, lanes_across(f, r));
    else if (r->kind == SNI_REDUCE_SPREAD)
      combine(r, at, used_of(r, width_of(f, r)), lanes);
    if (r->finish) r->finish(at, at, f->slots[r->zero], at, lanes);
  }
}
