// What is called for the cases of ragged tensors (tf_ragged.py).
#include "cross/cases.h"

#include <stdio.h>

static void put(cross_value *results, const sn_ragged *r) {
  if (sn_failed(r)) return;
  results[0] = sn_ragged_rank(r) ? cross_of_ragged(r) : cross_of_tensor(sn_ragged_dense(r));
}

// A ragged tensor, or a plain one as one.
static sn_ragged *any(const cross_case *c, int i) {
  return c->in[i].kind == 'r' ? cross_ragged(c, i) : sn_ragged_from_dense(cross_tensor(c, i));
}

#define R cross_ragged(c, 0)
#define T(i) cross_tensor(c, i)
#define TENSOR(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    results[0] = cross_of_tensor(expression);                   \
  }
#define RAGGED(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    put(results, expression);                                   \
  }
TENSOR(lengths, sn_ragged_row_lengths(R, (int)cross_int(c, "level", 0)))
TENSOR(rowids, sn_ragged_value_rowids(R, 0))
TENSOR(nrows, sn_ragged_nrows(R))
TENSOR(bounding, sn_ragged_bounding_shape(R))
RAGGED(from_splits, sn_ragged_from_row_splits(T(0), T(1)))
RAGGED(from_lengths, sn_ragged_from_row_lengths(T(0), T(1)))
RAGGED(from_rowids, sn_ragged_from_value_rowids(T(0), T(1), T(2)))
RAGGED(from_starts, sn_ragged_from_row_starts(T(0), T(1)))
RAGGED(from_limits, sn_ragged_from_row_limits(T(0), T(1)))
RAGGED(ragged_index, sn_ragged_index(R, cross_int(c, "i", 0)))
RAGGED(gather, sn_ragged_gather(R, T(1)))
RAGGED(mask, sn_ragged_boolean_mask(R, T(1)))
RAGGED(mask_elements, sn_ragged_boolean_mask_elements(R, cross_ragged(c, 1)))
RAGGED(reverse, sn_ragged_reverse(R, (int)cross_int(c, "axis", 0)))
RAGGED(merge, sn_ragged_merge_dims(R, (int)cross_int(c, "outer", 0), (int)cross_int(c, "inner", 0)))
RAGGED(range, sn_ragged_range(T(0), T(1), T(2)))
RAGGED(sum, sn_ragged_sum(R, (int)cross_int(c, "axis", 0)))
RAGGED(prod, sn_ragged_prod(R, (int)cross_int(c, "axis", 0)))
RAGGED(max, sn_ragged_max(R, (int)cross_int(c, "axis", 0)))
RAGGED(min, sn_ragged_min(R, (int)cross_int(c, "axis", 0)))
RAGGED(mean, sn_ragged_mean(R, (int)cross_int(c, "axis", 0)))
RAGGED(var, sn_ragged_var(R, (int)cross_int(c, "axis", 0)))
RAGGED(any_of, sn_ragged_any(R, (int)cross_int(c, "axis", 0)))
RAGGED(all_of, sn_ragged_all(R, (int)cross_int(c, "axis", 0)))
RAGGED(add, sn_ragged_map2((sn_add), any(c, 0), any(c, 1)))
RAGGED(square, sn_ragged_map((sn_square), R))
RAGGED(sort, sn_ragged_sort(R, cross_int(c, "descending", 0)))

RAGGED(matmul, sn_ragged_matmul(any(c, 0), any(c, 1), .transpose_a = cross_int(c, "ta", 0) != 0,
                                .transpose_b = cross_int(c, "tb", 0) != 0))

static void to_tensor(const cross_case *c, cross_value *results) {
  int64_t shape[CROSS_TENSORS];
  int n = 0;
  for (char name[] = "d0"; n < CROSS_TENSORS; n++, name[1]++) {
    shape[n] = cross_int(c, name, -2);
    if (shape[n] == -2) break;
  }
  results[0] = cross_of_tensor(
      sn_ragged_to_tensor(R, .default_value = T(1), .shape = n ? shape : NULL, .n_shape = n));
}

static void from_tensor(const cross_case *c, cross_value *results) {
  put(results, sn_ragged_from_tensor(T(0), .ragged_rank = (int)cross_int(c, "rank", 1),
                                     .lengths = T(1), .padding = T(2)));
}

static void slice(const cross_case *c, cross_value *results) {
  sn_range_spec ranges[CROSS_TENSORS];
  const int n = (int)cross_int(c, "n", 0);
  for (int i = 0; i < n; i++) {
    char name[32];
    (void)snprintf(name, sizeof(name), "step%d", i);
    ranges[i].step = cross_int(c, name, 1);
    (void)snprintf(name, sizeof(name), "start%d", i);
    ranges[i].start = cross_int(c, name, ranges[i].step < 0 ? SN_END : 0);
    (void)snprintf(name, sizeof(name), "stop%d", i);
    ranges[i].stop = cross_int(c, name, SN_END);
  }
  put(results, sn_ragged_slice(R, ranges, n));
}

static void concat(const cross_case *c, cross_value *results) {
  sn_ragged *rs[CROSS_VALUES];
  for (int i = 0; i < c->n_in; i++) rs[i] = cross_ragged(c, i);
  put(results, sn_ragged_concat(rs, c->n_in, (int)cross_int(c, "axis", 0)));
}

static void stack(const cross_case *c, cross_value *results) {
  sn_ragged *rs[CROSS_VALUES];
  for (int i = 0; i < c->n_in; i++) rs[i] = cross_ragged(c, i);
  put(results, sn_ragged_stack(rs, c->n_in, (int)cross_int(c, "axis", 0)));
}

const cross_op cross_ops[] = {
    {"lengths", lengths, false},
    {"rowids", rowids, false},
    {"nrows", nrows, false},
    {"bounding", bounding, false},
    {"from_splits", from_splits, false},
    {"from_lengths", from_lengths, false},
    {"from_rowids", from_rowids, false},
    {"from_starts", from_starts, false},
    {"from_limits", from_limits, false},
    {"to_tensor", to_tensor, false},
    {"from_tensor", from_tensor, false},
    {"index", ragged_index, false},
    {"slice", slice, false},
    {"gather", gather, false},
    {"mask", mask, false},
    {"mask_elements", mask_elements, false},
    {"concat", concat, false},
    {"stack", stack, false},
    {"reverse", reverse, false},
    {"merge", merge, false},
    {"range", range, false},
    {"sum", sum, false},
    {"prod", prod, false},
    {"max", max, false},
    {"min", min, false},
    {"mean", mean, false},
    {"var", var, false},
    {"any", any_of, false},
    {"all", all_of, false},
    {"add", add, false},
    {"matmul", matmul, false},
    {"square", square, false},
    {"sort", sort, false},
    {NULL, NULL, false},
};
