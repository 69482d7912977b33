// What the files of ragged tensors share.
#ifndef SINTER_STRUCTURES_RAGGED_INTERNAL_H
#define SINTER_STRUCTURES_RAGGED_INTERNAL_H

#include "frontend/structures/calls.h"

enum { SNS_RAGGED_PARTS = 8, SNS_RAGGED_LEVELS = SNS_RAGGED_PARTS - 1 };
#define SNS_MOST_ITEMS (INT64_C(1) << 48)  // splits that say more are none

struct sn_ragged {
  sn_object object;
  sn_tensor *parts[SNS_RAGGED_PARTS];  // flat values; splits of each level, outermost first; NULL
};

extern const sn_object_class sns_ragged_class;

// The result of a failed function, in an open frame.
static inline sn_ragged *sns_no_ragged(sn_context *c) {
  return sn_object_error(c, &sns_ragged_class);
}
// parts: as many as there are levels, then NULL; of SNS_RAGGED_PARTS.
static inline sn_ragged *sns_ragged_new(sn_context *c, sn_tensor *const *parts) {
  return sn_object_create(c, &sns_ragged_class, parts);
}
static inline bool sns_ragged_ok(sn_context *c, const sn_ragged *r, const char *name) {
  return sn_object_check(c, r, &sns_ragged_class, name);
}
static inline int sns_levels(const sn_ragged *r) {
  int n = 0;
  while (n < SNS_RAGGED_LEVELS && r->parts[1 + n]) n++;
  return n;
}
static inline sn_tensor *sns_splits(const sn_ragged *r, int level) {
  return r->parts[1 + level];
}
static inline int sns_ragged_dims(const sn_ragged *r) {
  return sns_levels(r) + sn_rank(r->parts[0]);
}
// axis in [0, dims); -1: an error is pending.
int sns_ragged_axis(sn_context *c, const sn_ragged *r, int axis);

// A frame and a scope of a function whose context is that of r; c is NULL where there is none.
#define SNS_BEGIN(c, name, of)           \
  sn_context *c = sn_object_context(of); \
  SN_FRAME(c, name);                     \
  SN_SCOPE(c)

// ---- splits
sn_tensor *sns_lengths(sn_tensor *splits);
sn_tensor *sns_splits_of_lengths(sn_tensor *lengths);
// splits, checked: they begin at 0, never fall, and end at the size of axis 0 of below.
sn_tensor *sns_checked_splits(sn_context *c, sn_tensor *splits, sn_tensor *below);
// What lies below a level, for its size along axis 0: lengths of the next level's rows, or the flat values.
sn_tensor *sns_below(const sn_ragged *r, int level);
// The row of each item below a level; its place in that row.
sn_tensor *sns_rowids(sn_context *c, sn_tensor *splits, sn_tensor *below);
sn_tensor *sns_columns(sn_context *c, sn_tensor *splits, sn_tensor *below);
// In callbacks: whether splits are what the rows of n items may have.
bool sns_sound_splits(const sn_view *splits, int64_t n);

// In callbacks: n numbers of a row, as far as `end`.
void sns_fill_run(int64_t *out, const int64_t *end, int64_t n, int64_t first, int64_t step);

// ---- rows
// ... of rows of a level: what lies in them, and the splits of the result.
sn_tensor *sns_places_of_rows(sn_context *c, sn_tensor *splits, sn_tensor *rows,
                              sn_tensor **out_splits);
// Items of a level named by i64 places: parts[0 ..] of r from that level on (level: levels of r: the flat values), into out.
void sns_select(sn_context *c, const sn_ragged *r, int level, sn_tensor *places, sn_tensor **out);
// a, where its rows are those of b: SN_ERR_SHAPE at the call that finds others.
sn_tensor *sns_same_splits(sn_context *c, sn_tensor *a, sn_tensor *b);

// r filled up with 0: dims of axis 0 and of each level; -1: as many as the rows need; may be tokens.
sn_tensor *sns_filled_to(sn_context *c, const sn_ragged *r, const int64_t *dims);

// ---- values moved by rows (ragged_move.c), of numbers
enum { SNS_MOST_JOINED = 4 };
bool sns_moves(const sn_tensor *values);
sn_tensor *sns_move_rows(sn_context *c, sn_tensor *values, sn_tensor *splits, sn_tensor *rows,
                         int64_t total);
// Row i of each of 2 to SNS_MOST_JOINED of one level, one behind the other.
sn_tensor *sns_join_rows(sn_context *c, sn_ragged *const *rs, int n, sn_tensor **out_splits);
// An array of this shape, 0 but for row i of splits, which lies at line places[i] (ascending), along `axis`.
sn_tensor *sns_fill_rows(sn_context *c, sn_tensor *values, sn_tensor *places, sn_tensor *splits,
                         sn_shape shape, int axis);

#endif
