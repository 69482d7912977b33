// Sets: the rows along the last axis of what is dense, sparse or ragged, each a set of its elements. Rank >= 2; i8, i16, i32, i64, u8, u16 and strings, of one
// dtype; the dims before the last are equal. Order and repetition in a row mean nothing. Results are sparse, each row in ascending order (strings by their bytes) from
// its first place on; the last dim of their dense shape is the size of the largest set. No gradient. Source: tf.sets, where docs/structures.md says nothing else.
#ifndef SINTER_STRUCTURES_SETS_H
#define SINTER_STRUCTURES_SETS_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

// An operand: one of the three, made by SN_SET of a tensor, a sparse or a ragged one (of one level and flat values of rank 1).
typedef struct sn_set {
  sn_tensor *dense;
  const sn_sparse *sparse;
  const sn_ragged *ragged;
} sn_set;

typedef struct sn_set_options {
  size_t size;  // sizeof(sn_set_options); filled in by the macros
  // A scalar of the elements' dtype: what is equal to it in a dense operand is no element. NULL: all are, 0 and "" too.
  sn_tensor *padding;
  bool unchecked;  // indices of sparse operands may be in any order, and repeated
} sn_set_options;

// Errors of all: SN_ERR_ARGUMENT (an operand of none; NULL), SN_ERR_SHAPE (rank below 2; dims that differ, naming them: in a compiled function, of the
// call), SN_ERR_DTYPE, SN_ERR_INDEX (indices of a sparse operand outside of its dense shape, and unless .unchecked out of order or repeated).
// What is in a or in b; in both; in a and not in b.
SN_API sn_sparse *sn_set_union_opts(sn_set a, sn_set b, const sn_set_options *options);
SN_API sn_sparse *sn_set_intersection_opts(sn_set a, sn_set b, const sn_set_options *options);
SN_API sn_sparse *sn_set_difference_opts(sn_set a, sn_set b, const sn_set_options *options);
// What is in a, and the elements of values: a union.
SN_API sn_sparse *sn_set_add_opts(sn_set a, sn_tensor *values, const sn_set_options *options);
// How many elements each set has: i64, of the dims before the last.
SN_API sn_tensor *sn_set_size_opts(sn_set a, const sn_set_options *options);
// Whether each element of values [.., k] is in the set of its row: bool [.., k]. The padding is in none.
SN_API sn_tensor *sn_set_contains_opts(sn_set a, sn_tensor *values, const sn_set_options *options);

SNI_EXTERN_C_END

static inline sn_set sni_set_dense(sn_tensor *t) {
  sn_set set = {NULL, NULL, NULL};
  set.dense = t;
  return set;
}
static inline sn_set sni_set_sparse(const sn_sparse *s) {
  sn_set set = {NULL, NULL, NULL};
  set.sparse = s;
  return set;
}
static inline sn_set sni_set_ragged(const sn_ragged *r) {
  sn_set set = {NULL, NULL, NULL};
  set.ragged = r;
  return set;
}
#ifdef __cplusplus
static inline sn_set sni_set(sn_tensor *t) {
  return sni_set_dense(t);
}
static inline sn_set sni_set(const sn_sparse *s) {
  return sni_set_sparse(s);
}
static inline sn_set sni_set(const sn_ragged *r) {
  return sni_set_ragged(r);
}
#define SN_SET(x) sni_set(x)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
// sn_set_union(SN_SET(x), SN_SET(s))
#define SN_SET(x) \
  _Generic((x),                        \
      sn_tensor *: sni_set_dense,      \
      sn_sparse *: sni_set_sparse,     \
      const sn_sparse *: sni_set_sparse, \
      sn_ragged *: sni_set_ragged,     \
      const sn_ragged *: sni_set_ragged)(x)
#endif

#endif
