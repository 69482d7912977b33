// Ragged tensors: rows of different lengths, of any depth. The elements of all rows stand one after the other along axis 0 of a tensor, the
// flat values; row i of a level is [splits[i], splits[i + 1]) of what is below it. So op by op and in compiled functions a ragged tensor is its parts, and one trace
// serves rows of all lengths. A ragged tensor of no level is a plain tensor: what an index or a reduction leaves over.
//
// Axes: 0 is that of the outermost rows, 1 to the ragged rank the ragged ones, then the flat values' own behind their first. Row splits are kept as i64;
// i32 is taken. Dtypes of values: as of the ops named, strings where those take them. Gradients: of the values, as those of the ops that a function is made of. Source of
// all: tf.RaggedTensor, where docs/structures.md says nothing else.
#ifndef SINTER_STRUCTURES_RAGGED_H
#define SINTER_STRUCTURES_RAGGED_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

// Results are objects (object.h): the innermost scope's; sn_keep, sn_release, sn_escape. After an error the error object. Errors of all functions: SN_ERR_ARGUMENT (NULL), those
// of object.h for dead ones, those of the ops on the values.

// ---- made of values and of where rows begin and end
// Rows of values along its axis 0; vectors of i32 or i64. Errors: SN_ERR_SHAPE (values of rank 0, a vector that is none), SN_ERR_DTYPE (of the vector),
// SN_ERR_INDEX (naming the row: in a compiled function, of the call). row_splits: [rows + 1], from 0 to values' size, never falling.
SN_API sn_ragged *sn_ragged_from_row_splits(sn_tensor *values, sn_tensor *row_splits);
// row_lengths: [rows], >= 0, in sum values' size.
SN_API sn_ragged *sn_ragged_from_row_lengths(sn_tensor *values, sn_tensor *row_lengths);
// The row of each value: [values], never falling, in [0, rows). rows: i64, one element.
SN_API sn_ragged *sn_ragged_from_value_rowids(sn_tensor *values, sn_tensor *rowids,
                                              sn_tensor *rows);
// Where each row begins, from 0 on; where each ends, the last at values' size.
SN_API sn_ragged *sn_ragged_from_row_starts(sn_tensor *values, sn_tensor *row_starts);
SN_API sn_ragged *sn_ragged_from_row_limits(sn_tensor *values, sn_tensor *row_limits);
// Rows of one length >= 1, a divisor of values' size.
SN_API sn_ragged *sn_ragged_from_uniform_row_length(sn_tensor *values, int64_t length);
// Rows of r: one level more, the outermost. row_splits as above, over r's rows.
SN_API sn_ragged *sn_ragged_nest(sn_ragged *r, sn_tensor *row_splits);
// n rows of the host's, one after the other in data: lengths[i] elements each; copied.
SN_API sn_ragged *sn_ragged_constant(sn_context *context, sn_dtype dtype, const void *data,
                                     const int64_t *lengths, int64_t n);
// A plain tensor, of no level.
SN_API sn_ragged *sn_ragged_from_dense(sn_tensor *x);
typedef struct sn_ragged_from_tensor_options {
  size_t size;      // sizeof(sn_ragged_from_tensor_options); filled in by the macros
  int ragged_rank;  // levels made; 0: 1
  sn_tensor *
      lengths;  // [rows], of the innermost level's rows, all rows of x one after the other: what is behind is left out
  // Elements (x's shape behind the innermost level) that are left out at the ends of rows. Of it and lengths one.
  sn_tensor *padding;
} sn_ragged_from_tensor_options;
// x's rows; inside: as options say. Errors also: SN_ERR_SHAPE (x's rank is not above the ragged rank), SN_ERR_ARGUMENT (both).
SN_API sn_ragged *sn_ragged_from_tensor_opts(sn_tensor *x,
                                             const sn_ragged_from_tensor_options *options);

// ---- what it is made of
// level 0: the outermost rows. Errors: SN_ERR_ARGUMENT (no such level). Lengths and row ids are i64.
SN_API sn_tensor *sn_ragged_flat_values(const sn_ragged *r);
SN_API sn_tensor *sn_ragged_row_splits(const sn_ragged *r, int level);
SN_API sn_tensor *sn_ragged_row_lengths(const sn_ragged *r, int level);
SN_API sn_tensor *sn_ragged_value_rowids(const sn_ragged *r, int level);
// What the rows of the outermost level are made of: a level less.
SN_API sn_ragged *sn_ragged_values(const sn_ragged *r);
// How many levels of rows there are; 0 after an error, and of a plain tensor.
SN_API int sn_ragged_rank(const sn_ragged *r);
// The number of rows, i64[]; the least shape that holds all rows, i64 [ragged rank + flat values' rank].
SN_API sn_tensor *sn_ragged_nrows(const sn_ragged *r);
SN_API sn_tensor *sn_ragged_bounding_shape(const sn_ragged *r);
// The plain tensor of what has no level. Errors: SN_ERR_SHAPE (it has some).
SN_API sn_tensor *sn_ragged_dense(const sn_ragged *r);
// The same rows of other flat values, of the same size along axis 0.
SN_API sn_ragged *sn_ragged_with_flat_values(const sn_ragged *r, sn_tensor *flat_values);
// The levels from outer to inner as one, of the rows of all of them: outer < inner <= ragged rank.
SN_API sn_ragged *sn_ragged_merge_dims(const sn_ragged *r, int outer, int inner);

// ---- to tensors
typedef struct sn_ragged_to_tensor_options {
  size_t size;  // sizeof(sn_ragged_to_tensor_options); filled in by the macros
  sn_tensor
      *default_value;  // behind the ends of rows; broadcasts to the flat values' rows; NULL: 0, ""
  // The result's leading dims, as many as ragged rank + 1: more is cut off; -1: as many as there are. NULL: all -1.
  const int64_t *shape;
  int n_shape;
} sn_ragged_to_tensor_options;
SN_API sn_tensor *sn_ragged_to_tensor_opts(sn_ragged *r,
                                           const sn_ragged_to_tensor_options *options);

// ---- rows
// Row i, from the end where it is negative: a level less. Errors: SN_ERR_INDEX.
SN_API sn_ragged *sn_ragged_index(sn_ragged *r, int64_t i);
// ranges[i] applies to axis i, in each row anew; as sn_slice. Errors: SN_ERR_SHAPE (n), SN_ERR_ARGUMENT (step 0).
SN_API sn_ragged *sn_ragged_slice(sn_ragged *r, const sn_range_spec *ranges, int n);
// The rows that indices [m] name. Errors: SN_ERR_INDEX.
SN_API sn_ragged *sn_ragged_gather(sn_ragged *r, sn_tensor *indices);
// The rows of which mask [rows] is true.
SN_API sn_ragged *sn_ragged_boolean_mask(sn_ragged *r, sn_tensor *mask);
// The elements of which mask, of r's rows, is true, in their rows.
SN_API sn_ragged *sn_ragged_boolean_mask_elements(sn_ragged *r, sn_ragged *mask);
// n >= 1 of one ragged rank along axis 0 (rows of all), or along 1 (rows end to end; equal numbers of them), -1 from the last ragged one on.
SN_API sn_ragged *sn_ragged_concat(sn_ragged *const *rs, int n, int axis);
// The same with a level more: axis 0: rs[i] is row i; axis 1: row i is that of each of them.
SN_API sn_ragged *sn_ragged_stack(sn_ragged *const *rs, int n, int axis);
// The rows of axis in reverse order.
SN_API sn_ragged *sn_ragged_reverse(sn_ragged *r, int axis);
// Rows starts[i], starts[i] + deltas[i], .. below limits[i] (above, for a negative delta): vectors of integers, or scalars for all rows.
// Errors: SN_ERR_ARGUMENT (a delta of 0, in a call). No gradient.
SN_API sn_ragged *sn_ragged_range(sn_tensor *starts, sn_tensor *limits, sn_tensor *deltas);

// ---- element by element
typedef sn_tensor *(*sn_unary_op)(sn_tensor *x);
typedef sn_tensor *(*sn_binary_op)(sn_tensor *a, sn_tensor *b);
// op of the flat values: sn_ragged_map(sn_square, r). The macros of ops are no functions: (sn_square) names one.
SN_API sn_ragged *sn_ragged_map(sn_unary_op op, sn_ragged *r);
// The same with data of the caller's.
SN_API sn_ragged *sn_ragged_map_with(sn_tensor *(*op)(sn_tensor *x, void *user), sn_ragged *r,
                                     void *user);
// op of two of the same rows, or of a ragged one and a plain tensor that broadcasts to it, from the last axis on: a dim of 1, or that of each
// row along a ragged axis. Errors: SN_ERR_SHAPE, naming the row.
SN_API sn_ragged *sn_ragged_map2(sn_binary_op op, sn_ragged *a, sn_ragged *b);
// x with an element for each of like's flat values.
SN_API sn_tensor *sn_ragged_broadcast_flat(sn_tensor *x, const sn_ragged *like);

// ---- reductions along an axis, negative ones from the last on: a level or a dim less
// Of empty rows: 0; 1; the lowest (highest) finite number; false; true; NaN.
SN_API sn_ragged *sn_ragged_sum(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_prod(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_max(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_min(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_any(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_all(sn_ragged *r, int axis);
// Integers: in f64. var: the mean of the squared distances from the mean, in two passes; std: its root.
SN_API sn_ragged *sn_ragged_mean(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_var(sn_ragged *r, int axis);
SN_API sn_ragged *sn_ragged_std(sn_ragged *r, int axis);
// Along the last ragged axis, where flat values are a vector. The first of the greatest: its place in the row, i64; -1 in an empty one.
SN_API sn_ragged *sn_ragged_argmax(sn_ragged *r);
SN_API sn_ragged *sn_ragged_argmin(sn_ragged *r);
SN_API sn_ragged *sn_ragged_sort(sn_ragged *r, bool descending);
SN_API sn_ragged *sn_ragged_argsort(sn_ragged *r, bool descending);

// ---- products
typedef struct sn_ragged_matmul_options {
  size_t size;  // sizeof(sn_ragged_matmul_options); filled in by the macros
  bool transpose_a, transpose_b;
} sn_ragged_matmul_options;
// The products of the matrices in the last two axes: a [.., i, j], b [.., j, k] of as many dims, 2 at least, and the same rows in all axes before. Each axis
// may be a ragged one; all rows of a matrix have one length, those of another matrix another one. The result's axes are ragged where the operand's
// axis is. Errors: SN_ERR_SHAPE, naming the matrix. VJP: that of sn_matmul. Source: tf.matmul of ragged tensors.
SN_API sn_ragged *sn_ragged_matmul_opts(sn_ragged *a, sn_ragged *b,
                                        const sn_ragged_matmul_options *options);

// ---- as a whole
// Whether rows and values are equal: bool[]. Errors: SN_ERR_DTYPE.
SN_API sn_tensor *sn_ragged_equal(sn_ragged *a, sn_ragged *b);
// As sn_format: [[1 2] [] [3]].
SN_API size_t sn_ragged_format(const sn_ragged *r, char *buffer, size_t capacity);

// As a field of a struct that functions, branches and loops are given: SN_HANDLE(batch, words, sn_ragged_type). Its gradient is the ragged
// tensor of its values' gradients.
SN_API void sn_ragged_open(const void *r, sn_tensor **tensors);
SN_API void *sn_ragged_make(sn_context *context, sn_tensor *const *tensors);
SN_HANDLE_TYPE(sn_ragged_type, sn_ragged, sn_ragged_open, sn_ragged_make, "values", "splits0",
               "splits1", "splits2", "splits3", "splits4", "splits5", "splits6");

SNI_EXTERN_C_END
#endif
