// What the files of sparse tensors share.
#ifndef SINTER_STRUCTURES_SPARSE_INTERNAL_H
#define SINTER_STRUCTURES_SPARSE_INTERNAL_H

#include "frontend/structures/calls.h"

enum {
  SNS_INDICES,  // NULL: a matrix of one of the compressed forms
  SNS_VALUES,
  SNS_DENSE_SHAPE,
  SNS_ROW_SPLITS,
  SNS_COLUMNS,
  SNS_COLUMN_SPLITS,
  SNS_ROWS,
  SNS_SPARSE_PARTS
};

struct sn_sparse {
  sn_object object;
  sn_tensor *parts[SNS_SPARSE_PARTS];
  // The dense shape as dims, where they were said or could be read when s was made (of rank 0: they were not). Of what comes into a trace as
  // its tensors they are known late.
  sn_shape known;
};

extern const sn_object_class sns_sparse_class;

// The result of a failed function, in an open frame.
static inline sn_sparse *sns_no_sparse(sn_context *c) {
  return sn_object_error(c, &sns_sparse_class);
}
static inline bool sns_sparse_ok(sn_context *c, const sn_sparse *s, const char *name) {
  return sn_object_check(c, s, &sns_sparse_class, name);
}
// A frame and a scope of a function whose context is that of s; c is NULL where there is none.
#define SNS_SPARSE_BEGIN(c, name, of)    \
  sn_context *c = sn_object_context(of); \
  SN_FRAME(c, name);                     \
  SN_SCOPE(c)

// Values by their indices, whatever form they are kept in.
typedef struct sns_coo {
  sn_tensor *indices, *values, *shape;
  int rank;
  sn_shape known;  // as of sn_sparse; whoever changes the shape clears its rank
} sns_coo;
// False: an error is pending, that calls s `name`.
bool sns_coo_of(sn_context *c, const sn_sparse *s, const char *name, sns_coo *out);
sn_tensor *sns_indices_of(sn_context *c, const sn_sparse *s);
// A result in the scope around.
sn_sparse *sns_sparse_of(sn_context *c, sn_tensor *indices, sn_tensor *values, sn_tensor *shape);
sn_sparse *sns_sparse_of_coo(sn_context *c, const sns_coo *s);
// Of any form; known: as of sn_sparse.
sn_sparse *sns_sparse_of_parts(sn_context *c, sn_tensor *const *parts, const sn_shape *known);

// The dense shape, with dims as tokens where they are not known; one of its dims.
sn_shape sns_dense_shape(const sns_coo *s);
int64_t sns_dense_dim(const sns_coo *s, int axis);
// The numbers of a shape, i64 [rank], where they are known here; else of rank 0.
sn_shape sns_known_shape(const sn_tensor *shape);
// The number of elements of a shape, as a dim.
int64_t sns_flat_dim(sn_context *c, sn_shape shape);
// A shape of dims, tokens among them, as i64 [rank].
sn_tensor *sns_shape_tensor(sn_context *c, sn_shape shape);
static inline sn_tensor *sns_dims(sn_context *c, const sn_tensor *t) {
  return sns_shape_tensor(c, sns_shape_of(t));
}
// n numbers: i64 [n].
sn_tensor *sns_numbers(sn_context *c, const int64_t *numbers, int n);
// axis in [0, rank); -1: an error is pending.
int sns_sparse_axis(sn_context *c, int rank, int axis);
// Rows of i64 [n, k], elements of vectors: those that places name.
static inline sn_tensor *sns_rows(sn_tensor *t, sn_tensor *places) {
  return sn_gather(t, places);
}

// ---- in callbacks
typedef struct sns_entries {
  const int64_t *at;  // [n, rank]
  const int64_t *dims;
  int64_t n;
  int rank;
} sns_entries;
// Of inputs #indices and #shape, checked.
sn_status sns_entries_of(const sn_host_args *args, int indices, int shape, sns_entries *out);
// "indices[i] = [0, 5] " and these words.
sn_status sns_refuse_entry(const sn_host_args *args, const sns_entries *e, int64_t i,
                           const char *words);
// -1, 0 or 1: a before b in reading order, of the axes of a mask.
static inline int sns_compare_entries(const sns_entries *e, int64_t a, int64_t b, int64_t mask) {
  const int64_t *x = e->at + a * e->rank, *y = e->at + b * e->rank;
  for (int d = 0; d < e->rank; d++)
    if (mask >> d & 1 && x[d] != y[d]) return x[d] < y[d] ? -1 : 1;
  return 0;
}
// order: a permutation of [0, n) in reading order of these axes; entries that are equal stay in theirs.
sn_status sns_order_entries(const sn_host_args *args, const sns_entries *e, int64_t mask,
                            int64_t *order);
// False: more elements than 63 bits count.
bool sns_product(const int64_t *dims, int n, int64_t mask, int64_t *out);

// ---- places of values: i64 [n]; mask: the axes that count, bit by bit
enum { SNS_ALL_AXES = (1 << SN_MAX_RANK) - 1 };
// In the row-major array of these axes. ordered: refuses what is out of order or repeated.
sn_tensor *sns_places(sn_context *c, const sns_coo *s, int64_t mask, bool ordered);
sn_tensor *sns_order(sn_context *c, const sns_coo *s, int64_t mask);
// The number of the group of those that are equal in these axes, in reading order.
sn_tensor *sns_groups(sn_context *c, const sns_coo *s, int64_t mask);
// How many groups there are; the indices of each, of these axes (the others are 0 where all_axes).
sn_tensor *sns_group_count(sn_context *c, sn_tensor *groups);
sn_tensor *sns_group_indices(sn_context *c, const sns_coo *s, sn_tensor *groups, int64_t count,
                             int64_t mask, bool all_axes);
// One column of the indices, [n], checked.
sn_tensor *sns_column(sn_context *c, const sns_coo *s, int axis);
sns_coo sns_in_order(sn_context *c, const sns_coo *s);
// With axes in this order, a permutation.
sns_coo sns_permuted(sn_context *c, const sns_coo *s, const int64_t *axes);
// Those of which mask [n] is true.
sns_coo sns_retained(const sns_coo *s, sn_tensor *mask);

// ---- products (sparse_product.c)
// Sums of values[i] x[indices[i, 1 - to], :] at row indices[i, to]: [rows, x's columns]; rows: dense shape[to].
sn_tensor *sns_product_of(sn_context *c, const sns_coo *s, sn_tensor *x, int to, int64_t rows);

#endif
