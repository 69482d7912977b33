// Sparse tensors: of a dense shape, but only some elements are there. They are kept as their values and where they stand: indices [n, rank], i64, or, of a
// matrix, in the compressed forms of other libraries (CSR, CSC). So op by op and in compiled functions a sparse tensor is a few ordinary tensors, and one trace
// serves any number of values. What is not there is 0 ("" of strings) to a sum or a product, and no part of a maximum or a softmax.
//
// Indices may stand in any order, and may be repeated, where nothing else is said: what is repeated is summed. What makes several of one puts them in reading
// order (the first axis first). They are checked by each call that looks at them, in every mode: SN_ERR_INDEX, naming the first that lies outside of the
// dense shape; nothing is read or written there. Gradients: of the values and of dense operands. Source of all: tf.sparse, where docs/structures.md says
// nothing else.
#ifndef SINTER_STRUCTURES_SPARSE_H
#define SINTER_STRUCTURES_SPARSE_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

// Results are objects (object.h): the innermost scope's; sn_keep, sn_release, sn_escape. After an error the error object. Errors of all functions: SN_ERR_ARGUMENT (NULL), those
// of object.h for dead ones, those of the ops on the values, SN_ERR_INDEX (indices).

// ---- made
// indices: i32 or i64 [n, rank]; values: [n], any dtype; dense_shape: dims, or tokens for them (sn_symbolic_dim, sn_late_dim). Indices are checked where they are
// used. Errors: SN_ERR_SHAPE (these do not fit each other), SN_ERR_DTYPE.
SN_API sn_sparse *sn_sparse_create(sn_tensor *indices, sn_tensor *values, sn_shape dense_shape);
// The same with a dense shape that is data: i32 or i64 [rank], rank 0 to SN_MAX_RANK. In a trace dims of results are then known late.
SN_API sn_sparse *sn_sparse_from_parts(sn_tensor *indices, sn_tensor *values,
                                       sn_tensor *dense_shape);
// n values of the host's and their indices, one after the other, rank numbers each; copied. Values of SN_STRING: sn_text.
SN_API sn_sparse *sn_sparse_constant(sn_context *context, sn_dtype dtype, sn_shape dense_shape,
                                     const int64_t *indices, const void *values, int64_t n);
// The elements of x that are not 0 (NaN is not; strings: not ""), in reading order. x: any dtype, rank >= 1. VJP: to these elements.
SN_API sn_sparse *sn_sparse_from_dense(sn_tensor *x);
// 1 on the main diagonal. Numbers.
SN_API sn_sparse *sn_sparse_eye(sn_context *context, sn_dtype dtype, int64_t rows, int64_t columns);

// ---- matrices in compressed form: without a copy, also of memory that sn_from_memory is given. i32 or i64.
// CSR: the values of row i are [row_splits[i], row_splits[i + 1]), in columns [n]. CSC: the same by columns. What is wrong with them is said where they are used: SN_ERR_INDEX.
SN_API sn_sparse *sn_sparse_from_csr(sn_tensor *row_splits, sn_tensor *columns, sn_tensor *values,
                                     int64_t n_columns);
SN_API sn_sparse *sn_sparse_from_csc(sn_tensor *column_splits, sn_tensor *rows, sn_tensor *values,
                                     int64_t n_rows);
// s in that form: of s's own tensors where it has it; else i64, what is repeated kept. Errors: SN_ERR_SHAPE (no matrix).
SN_API sn_sparse *sn_sparse_to_csr(sn_sparse *s);
SN_API sn_sparse *sn_sparse_to_csc(sn_sparse *s);
// The splits and columns of CSR (the splits and rows of CSC) as they are, and nothing else. Errors: SN_ERR_STATE (s is in another form).
SN_API sn_tensor *sn_sparse_splits(const sn_sparse *s);
SN_API sn_tensor *sn_sparse_inner(const sn_sparse *s);

// ---- what it is made of
// Indices i64 [n, rank], values [n] in their order, dense shape i64 [rank]. Of a compressed form indices are computed, CSC in the order of its values.
SN_API sn_tensor *sn_sparse_indices(const sn_sparse *s);
SN_API sn_tensor *sn_sparse_values(const sn_sparse *s);
SN_API sn_tensor *sn_sparse_dense_shape(const sn_sparse *s);
// The number of dims; -1 after an error.
SN_API int sn_sparse_rank(const sn_sparse *s);
// The same indices with other values [n].
SN_API sn_sparse *sn_sparse_with_values(const sn_sparse *s, sn_tensor *values);
// op of the values: sn_sparse_map((sn_square), s). The macros of ops are no functions: (sn_square) names one.
SN_API sn_sparse *sn_sparse_map(sn_tensor *(*op)(sn_tensor *x), const sn_sparse *s);
// The same with data of the caller's.
SN_API sn_sparse *sn_sparse_map_with(sn_tensor *(*op)(sn_tensor *x, void *user), const sn_sparse *s,
                                     void *user);

// ---- order
// In reading order; what is repeated keeps its order.
SN_API sn_sparse *sn_sparse_reorder(const sn_sparse *s);
// In reading order, what is repeated summed. Numbers.
SN_API sn_sparse *sn_sparse_coalesce(const sn_sparse *s);

// ---- dense tensors
typedef struct sn_sparse_to_dense_options {
  size_t size;               // sizeof(sn_sparse_to_dense_options); filled in by the macros
  sn_tensor *default_value;  // a scalar, where nothing is; NULL: 0, ""
  bool unchecked;            // any order; of repeated ones the last one stays
} sn_sparse_to_dense_options;
// Errors: SN_ERR_INDEX (also: out of order, repeated). VJP: gathered; to the default where nothing is.
SN_API sn_tensor *sn_sparse_to_dense_opts(const sn_sparse *s,
                                          const sn_sparse_to_dense_options *options);
// Values are integers: bool [.., n], true at the value in the place of the last index. Errors: SN_ERR_INDEX (a value outside of [0, n)). No gradient.
SN_API sn_tensor *sn_sparse_to_indicator(const sn_sparse *s, int64_t n);
// Element by element: s x, s / x at the values' places; x broadcasts to s's dense shape. Errors: SN_ERR_SHAPE, SN_ERR_ARGUMENT (division by a 0 at a value).
SN_API sn_sparse *sn_sparse_mul(const sn_sparse *s, sn_tensor *x);
SN_API sn_sparse *sn_sparse_div(const sn_sparse *s, sn_tensor *x);
// The values times a number.
SN_API sn_sparse *sn_sparse_mul_scalar(const sn_sparse *s, double value);
// Refused, SN_ERR_UNSUPPORTED: what is not there would be the number, too. The message says what there is: sn_sparse_map, sn_sparse_to_dense.
SN_API sn_sparse *sn_sparse_add_scalar(const sn_sparse *s, double value);
// s + x, a dense tensor. x: of s's shape; no broadcasting.
SN_API sn_tensor *sn_sparse_add_dense(const sn_sparse *s, sn_tensor *x);

// ---- two of one dense shape, in reading order. numbers
typedef struct sn_sparse_add_options {
  size_t size;       // sizeof(sn_sparse_add_options); filled in by the macros
  double threshold;  // sums of a smaller absolute value are left out
} sn_sparse_add_options;
// A sum of 0 stays there unless the threshold leaves it out.
SN_API sn_sparse *sn_sparse_add_opts(const sn_sparse *a, const sn_sparse *b,
                                     const sn_sparse_add_options *options);
// What is in one alone is compared with 0. reals.
SN_API sn_sparse *sn_sparse_maximum(const sn_sparse *a, const sn_sparse *b);
SN_API sn_sparse *sn_sparse_minimum(const sn_sparse *a, const sn_sparse *b);
// Whether dense shapes, indices and values are equal, in reading order both: bool[]. NaN equals nothing. Errors: SN_ERR_DTYPE. No gradient.
SN_API sn_tensor *sn_sparse_equal(const sn_sparse *a, const sn_sparse *b);

// ---- products of matrices. numbers, one dtype
typedef struct sn_sparse_matmul_options {
  size_t size;                    // sizeof(sn_sparse_matmul_options); filled in by the macros
  bool transpose_a, transpose_b;  // of the operands in their order
  bool adjoint_a, adjoint_b;      // the same, and conjugates
} sn_sparse_matmul_options;
// s x: dense [rows, columns of x]; x [K, m], or [K], which gives [rows]. What is not there is no factor: a NaN of x that meets nothing is not read. VJP: of values
// sum_j dy[row, j] x[column, j]; of x s^T dy. Source: tf.sparse.sparse_dense_matmul.
SN_API sn_tensor *sn_sparse_matmul_opts(const sn_sparse *s, sn_tensor *x,
                                        const sn_sparse_matmul_options *options);
// x s: x [m, K], dense.
SN_API sn_tensor *sn_sparse_rmatmul_opts(sn_tensor *x, const sn_sparse *s,
                                         const sn_sparse_matmul_options *options);
// a b, sparse, in reading order; where products meet their sum stays, a 0 too.
SN_API sn_sparse *sn_sparse_matmul_sparse_opts(const sn_sparse *a, const sn_sparse *b,
                                               const sn_sparse_matmul_options *options);

// ---- reductions. options as of sn_sum: axes (empty: all), keepdims. Of nothing: 0
// Dense. max: the greatest of the values that are there. reals (sum: numbers). VJP: as those of segment sums and maxima.
SN_API sn_tensor *sn_sparse_sum_opts(const sn_sparse *s, const sn_reduce_options *options);
SN_API sn_tensor *sn_sparse_max_opts(const sn_sparse *s, const sn_reduce_options *options);
// Sparse, in reading order: without what is of nothing.
SN_API sn_sparse *sn_sparse_sum_sparse_opts(const sn_sparse *s, const sn_reduce_options *options);
SN_API sn_sparse *sn_sparse_max_sparse_opts(const sn_sparse *s, const sn_reduce_options *options);
// Along the last axis, of the values that are there: they sum up to 1 in each row. floats, rank >= 2.
SN_API sn_sparse *sn_sparse_softmax(const sn_sparse *s);

// ---- shapes
// s[ranges], as sn_slice: what lies outside is cut off; fewer ranges than dims: all of the others. Errors: SN_ERR_SHAPE (n), SN_ERR_ARGUMENT (step 0).
SN_API sn_sparse *sn_sparse_slice(const sn_sparse *s, const sn_range_spec *ranges, int n);
// n of one rank, one behind the other along axis, in reading order. The other dims are equal, or with expand the greatest. Errors: SN_ERR_SHAPE.
SN_API sn_sparse *sn_sparse_concat(sn_sparse *const *list, int n, int axis, bool expand);
// n pieces along axis into out, and the first one; where its size is no multiple of n the first ones have one more. Errors: SN_ERR_ARGUMENT (n: below 1, or more than the
// size, in the call).
SN_API sn_sparse *sn_sparse_split(const sn_sparse *s, int n, int axis, sn_sparse **out);
// Axes reversed; axes in the order of perm, a permutation of [0, rank). In reading order.
SN_API sn_sparse *sn_sparse_transpose(const sn_sparse *s);
SN_API sn_sparse *sn_sparse_permute(const sn_sparse *s, const int *perm, int n);
// The same elements in a dense shape of as many; one dim may be -1. Errors: SN_ERR_SHAPE (in the call).
SN_API sn_sparse *sn_sparse_reshape(const sn_sparse *s, sn_shape shape);
SN_API sn_sparse *sn_sparse_expand_dims(const sn_sparse *s, int axis);
// Another dense shape of the same rank, i64, no dim smaller than s's; NULL: the smallest that holds all indices. Errors: SN_ERR_SHAPE (in the call).
SN_API sn_sparse *sn_sparse_reset_shape(const sn_sparse *s, sn_tensor *shape);

// ---- some of the values
// Those of which mask [n] is true.
SN_API sn_sparse *sn_sparse_retain(const sn_sparse *s, sn_tensor *mask);
// Without the rows (along axis 0) that rows [m], integers, names; those that are not there are no error. Source: tf.sparse.mask.
SN_API sn_sparse *sn_sparse_mask(const sn_sparse *s, sn_tensor *rows);
// In reading order, with default_value, a scalar, at [i, 0, ..] for each row i along axis 0 in which nothing is. *out_empty (NULL: not wanted): bool [rows], which those are.
// Rank >= 1. VJP: also of default_value.
SN_API sn_sparse *sn_sparse_fill_empty_rows(const sn_sparse *s, sn_tensor *default_value,
                                            sn_tensor **out_empty);

// ---- rows of dense tensors by their indices
// y[j, :] = the sum, the mean, the sum / sqrt(number) of data[indices[i], :] with ids[i] = j, for j in [0, n); 0 of nothing. data: floats (sum: numbers); indices, ids: integers of
// one length, in any order. Errors: SN_ERR_INDEX. VJP: dy scattered and added. Source: tf.sparse.segment_sum with num_segments.
SN_API sn_tensor *sn_sparse_segment_sum(sn_tensor *data, sn_tensor *indices, sn_tensor *ids,
                                        int64_t n);
SN_API sn_tensor *sn_sparse_segment_mean(sn_tensor *data, sn_tensor *indices, sn_tensor *ids,
                                         int64_t n);
SN_API sn_tensor *sn_sparse_segment_sqrt_n(sn_tensor *data, sn_tensor *indices, sn_tensor *ids,
                                           int64_t n);
typedef enum sn_combiner { SN_COMBINE_MEAN, SN_COMBINE_SUM, SN_COMBINE_SQRT_N } sn_combiner;
typedef struct sn_embedding_sparse_options {
  size_t size;           // sizeof(sn_embedding_sparse_options); filled in by the macros
  sn_combiner combiner;  // sum w e; / sum w; / sqrt(sum w^2)
  double max_norm;       // rows of the table that are longer are made as long as that; 0: none are
  const sn_sparse *weights;  // of table's dtype, with the indices of ids; NULL: 1
  bool has_default;          // sn_safe_embedding_lookup_sparse: rows of no ids are that of
  int64_t default_id;        // this id; else they are 0
} sn_embedding_sparse_options;
// Row i of the result [rows, d] combines table[id, :] of the ids in row i of ids, a sparse matrix of integers; 0 of nothing. table: floats [.., d], rank 2. Errors: SN_ERR_INDEX (an id
// outside of the table), SN_ERR_DTYPE, SN_ERR_SHAPE. VJP: to the table and the weights. Source: tf.nn.embedding_lookup_sparse.
SN_API sn_tensor *sn_embedding_lookup_sparse_opts(sn_tensor *table, const sn_sparse *ids,
                                                  const sn_embedding_sparse_options *options);
// The same of ids of any rank >= 1, along the last axis: [.., d]; without ids below 0, and unless the combiner is a sum without those of weights that are not above 0. Source:
// tf.nn.safe_embedding_lookup_sparse.
SN_API sn_tensor *sn_safe_embedding_lookup_sparse_opts(sn_tensor *table, const sn_sparse *ids,
                                                       const sn_embedding_sparse_options *options);

// ---- as a whole
// {(0, 1): 2, (2, 0): 3} of f32[3, 2]. As sn_format.
SN_API size_t sn_sparse_format(const sn_sparse *s, char *buffer, size_t capacity);

// As a field of a struct that functions, branches and loops are given: SN_HANDLE(batch, words, sn_sparse_type). Its gradient is the sparse
// tensor of its values' gradients.
SN_API void sn_sparse_open(const void *s, sn_tensor **tensors);
SN_API void *sn_sparse_make(sn_context *context, sn_tensor *const *tensors);
SN_HANDLE_TYPE(sn_sparse_type, sn_sparse, sn_sparse_open, sn_sparse_make, "indices", "values",
               "dense_shape", "row_splits", "columns", "column_splits", "rows");

SNI_EXTERN_C_END
#endif
