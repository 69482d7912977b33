// Call sites: a macro of each function's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_STRUCTURES_SITES_H
#define SINTER_STRUCTURES_SITES_H

#include <sinter/structures.h>

// clang-format off
#define sn_queue_size(...) SNI_AT(sn_queue_size(__VA_ARGS__))
#define sn_queue_is_closed(...) SNI_AT(sn_queue_is_closed(__VA_ARGS__))
#define sn_ragged_from_row_splits(values, row_splits) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_row_splits(values, row_splits))
#define sn_ragged_from_row_lengths(values, row_lengths) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_row_lengths(values, row_lengths))
#define sn_ragged_from_value_rowids(values, rowids, rows) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_value_rowids(values, rowids, rows))
#define sn_ragged_from_row_starts(values, row_starts) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_row_starts(values, row_starts))
#define sn_ragged_from_row_limits(values, row_limits) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_row_limits(values, row_limits))
#define sn_ragged_from_uniform_row_length(values, length) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_uniform_row_length(values, length))
#define sn_ragged_nest(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_nest(__VA_ARGS__))
#define sn_ragged_constant(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_constant(__VA_ARGS__))
#define sn_ragged_from_dense(x) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_dense(x))
#define sn_ragged_flat_values(...) SNI_AT(sn_ragged_flat_values(__VA_ARGS__))
#define sn_ragged_row_splits(...) SNI_AT(sn_ragged_row_splits(__VA_ARGS__))
#define sn_ragged_row_lengths(...) SNI_AT(sn_ragged_row_lengths(__VA_ARGS__))
#define sn_ragged_value_rowids(...) SNI_AT(sn_ragged_value_rowids(__VA_ARGS__))
#define sn_ragged_values(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_values(__VA_ARGS__))
#define sn_ragged_nrows(...) SNI_AT(sn_ragged_nrows(__VA_ARGS__))
#define sn_ragged_bounding_shape(...) SNI_AT(sn_ragged_bounding_shape(__VA_ARGS__))
#define sn_ragged_dense(...) SNI_AT(sn_ragged_dense(__VA_ARGS__))
#define sn_ragged_with_flat_values(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_with_flat_values(__VA_ARGS__))
#define sn_ragged_merge_dims(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_merge_dims(__VA_ARGS__))
#define sn_ragged_index(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_index(__VA_ARGS__))
#define sn_ragged_slice(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_slice(__VA_ARGS__))
#define sn_ragged_gather(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_gather(__VA_ARGS__))
#define sn_ragged_boolean_mask(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_boolean_mask(__VA_ARGS__))
#define sn_ragged_boolean_mask_elements(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_boolean_mask_elements(__VA_ARGS__))
#define sn_ragged_concat(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_concat(__VA_ARGS__))
#define sn_ragged_stack(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_stack(__VA_ARGS__))
#define sn_ragged_reverse(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_reverse(__VA_ARGS__))
#define sn_ragged_range(starts, limits, deltas) SNI_OBJECT_AT(sn_ragged, sn_ragged_range(starts, limits, deltas))
#define sn_ragged_map(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_map(__VA_ARGS__))
#define sn_ragged_map_with(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_map_with(__VA_ARGS__))
#define sn_ragged_map2(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_map2(__VA_ARGS__))
#define sn_ragged_broadcast_flat(...) SNI_AT(sn_ragged_broadcast_flat(__VA_ARGS__))
#define sn_ragged_sum(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_sum(__VA_ARGS__))
#define sn_ragged_prod(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_prod(__VA_ARGS__))
#define sn_ragged_max(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_max(__VA_ARGS__))
#define sn_ragged_min(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_min(__VA_ARGS__))
#define sn_ragged_any(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_any(__VA_ARGS__))
#define sn_ragged_all(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_all(__VA_ARGS__))
#define sn_ragged_mean(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_mean(__VA_ARGS__))
#define sn_ragged_var(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_var(__VA_ARGS__))
#define sn_ragged_std(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_std(__VA_ARGS__))
#define sn_ragged_argmax(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_argmax(__VA_ARGS__))
#define sn_ragged_argmin(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_argmin(__VA_ARGS__))
#define sn_ragged_sort(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_sort(__VA_ARGS__))
#define sn_ragged_argsort(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_argsort(__VA_ARGS__))
#define sn_ragged_equal(...) SNI_AT(sn_ragged_equal(__VA_ARGS__))
#define sn_sparse_create(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_create(__VA_ARGS__))
#define sn_sparse_from_parts(indices, values, dense_shape) SNI_OBJECT_AT(sn_sparse, sn_sparse_from_parts(indices, values, dense_shape))
#define sn_sparse_constant(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_constant(__VA_ARGS__))
#define sn_sparse_from_dense(x) SNI_OBJECT_AT(sn_sparse, sn_sparse_from_dense(x))
#define sn_sparse_eye(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_eye(__VA_ARGS__))
#define sn_sparse_from_csr(row_splits, columns, values, n_columns) SNI_OBJECT_AT(sn_sparse, sn_sparse_from_csr(row_splits, columns, values, n_columns))
#define sn_sparse_from_csc(column_splits, rows, values, n_rows) SNI_OBJECT_AT(sn_sparse, sn_sparse_from_csc(column_splits, rows, values, n_rows))
#define sn_sparse_to_csr(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_to_csr(__VA_ARGS__))
#define sn_sparse_to_csc(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_to_csc(__VA_ARGS__))
#define sn_sparse_splits(...) SNI_AT(sn_sparse_splits(__VA_ARGS__))
#define sn_sparse_inner(...) SNI_AT(sn_sparse_inner(__VA_ARGS__))
#define sn_sparse_indices(...) SNI_AT(sn_sparse_indices(__VA_ARGS__))
#define sn_sparse_values(...) SNI_AT(sn_sparse_values(__VA_ARGS__))
#define sn_sparse_dense_shape(...) SNI_AT(sn_sparse_dense_shape(__VA_ARGS__))
#define sn_sparse_with_values(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_with_values(__VA_ARGS__))
#define sn_sparse_map(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_map(__VA_ARGS__))
#define sn_sparse_map_with(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_map_with(__VA_ARGS__))
#define sn_sparse_reorder(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_reorder(__VA_ARGS__))
#define sn_sparse_coalesce(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_coalesce(__VA_ARGS__))
#define sn_sparse_to_indicator(...) SNI_AT(sn_sparse_to_indicator(__VA_ARGS__))
#define sn_sparse_mul(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_mul(__VA_ARGS__))
#define sn_sparse_div(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_div(__VA_ARGS__))
#define sn_sparse_mul_scalar(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_mul_scalar(__VA_ARGS__))
#define sn_sparse_add_scalar(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_add_scalar(__VA_ARGS__))
#define sn_sparse_add_dense(...) SNI_AT(sn_sparse_add_dense(__VA_ARGS__))
#define sn_sparse_maximum(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_maximum(__VA_ARGS__))
#define sn_sparse_minimum(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_minimum(__VA_ARGS__))
#define sn_sparse_equal(...) SNI_AT(sn_sparse_equal(__VA_ARGS__))
#define sn_sparse_softmax(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_softmax(__VA_ARGS__))
#define sn_sparse_slice(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_slice(__VA_ARGS__))
#define sn_sparse_concat(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_concat(__VA_ARGS__))
#define sn_sparse_split(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_split(__VA_ARGS__))
#define sn_sparse_transpose(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_transpose(__VA_ARGS__))
#define sn_sparse_permute(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_permute(__VA_ARGS__))
#define sn_sparse_reshape(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_reshape(__VA_ARGS__))
#define sn_sparse_expand_dims(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_expand_dims(__VA_ARGS__))
#define sn_sparse_reset_shape(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_reset_shape(__VA_ARGS__))
#define sn_sparse_retain(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_retain(__VA_ARGS__))
#define sn_sparse_mask(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_mask(__VA_ARGS__))
#define sn_sparse_fill_empty_rows(...) SNI_OBJECT_AT(sn_sparse, sn_sparse_fill_empty_rows(__VA_ARGS__))
#define sn_sparse_segment_sum(data, indices, ids, n) SNI_AT(sn_sparse_segment_sum(data, indices, ids, n))
#define sn_sparse_segment_mean(data, indices, ids, n) SNI_AT(sn_sparse_segment_mean(data, indices, ids, n))
#define sn_sparse_segment_sqrt_n(data, indices, ids, n) SNI_AT(sn_sparse_segment_sqrt_n(data, indices, ids, n))
#define sn_table_size(...) SNI_AT(sn_table_size(__VA_ARGS__))
#define sn_tensor_array_write(...) SNI_USED_OBJECT_AT(sn_tensor_array, sn_tensor_array_write(__VA_ARGS__))
#define sn_tensor_array_read(...) SNI_AT(sn_tensor_array_read(__VA_ARGS__))
#define sn_tensor_array_gather(...) SNI_AT(sn_tensor_array_gather(__VA_ARGS__))
#define sn_tensor_array_scatter(...) SNI_USED_OBJECT_AT(sn_tensor_array, sn_tensor_array_scatter(__VA_ARGS__))
#define sn_tensor_array_stack(...) SNI_AT(sn_tensor_array_stack(__VA_ARGS__))
#define sn_tensor_array_concat(...) SNI_AT(sn_tensor_array_concat(__VA_ARGS__))
#define sn_tensor_array_unstack(...) SNI_USED_OBJECT_AT(sn_tensor_array, sn_tensor_array_unstack(__VA_ARGS__))
#define sn_tensor_array_split(...) SNI_USED_OBJECT_AT(sn_tensor_array, sn_tensor_array_split(__VA_ARGS__))
#define sn_tensor_array_size(...) SNI_AT(sn_tensor_array_size(__VA_ARGS__))
#define sn_tensor_array_reserve(...) SNI_USED_OBJECT_AT(sn_tensor_array, sn_tensor_array_reserve(__VA_ARGS__))
#ifdef __cplusplus
static inline sn_queue *sn_queue_create(sn_context *context, const sn_spec *components, int n, sn_queue_options options = sn_queue_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_queue *>(sn_object_locate(sn_queue_create_opts(context, components, n, &options), file, line));
}
static inline sn_ragged *sn_ragged_from_tensor(sn_tensor *x, sn_ragged_from_tensor_options options = sn_ragged_from_tensor_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_ragged_from_tensor_opts(x, &options), file, line));
}
static inline sn_tensor *sn_ragged_to_tensor(sn_ragged *r, sn_ragged_to_tensor_options options = sn_ragged_to_tensor_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_ragged_to_tensor_opts(r, &options), file, line);
}
static inline sn_ragged *sn_ragged_matmul(sn_ragged *a, sn_ragged *b, sn_ragged_matmul_options options = sn_ragged_matmul_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_ragged_matmul_opts(a, b, &options), file, line));
}
static inline sn_sparse *sn_set_union(sn_set a, sn_set b, sn_set_options options = sn_set_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_set_union_opts(a, b, &options), file, line));
}
static inline sn_sparse *sn_set_intersection(sn_set a, sn_set b, sn_set_options options = sn_set_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_set_intersection_opts(a, b, &options), file, line));
}
static inline sn_sparse *sn_set_difference(sn_set a, sn_set b, sn_set_options options = sn_set_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_set_difference_opts(a, b, &options), file, line));
}
static inline sn_sparse *sn_set_add(sn_set a, sn_tensor *values, sn_set_options options = sn_set_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_set_add_opts(a, values, &options), file, line));
}
static inline sn_tensor *sn_set_size(sn_set a, sn_set_options options = sn_set_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_set_size_opts(a, &options), file, line);
}
static inline sn_tensor *sn_set_contains(sn_set a, sn_tensor *values, sn_set_options options = sn_set_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_set_contains_opts(a, values, &options), file, line);
}
static inline sn_tensor *sn_sparse_to_dense(const sn_sparse *s, sn_sparse_to_dense_options options = sn_sparse_to_dense_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sparse_to_dense_opts(s, &options), file, line);
}
static inline sn_sparse *sn_sparse_add(const sn_sparse *a, const sn_sparse *b, sn_sparse_add_options options = sn_sparse_add_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_sparse_add_opts(a, b, &options), file, line));
}
static inline sn_tensor *sn_sparse_matmul(const sn_sparse *s, sn_tensor *x, sn_sparse_matmul_options options = sn_sparse_matmul_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sparse_matmul_opts(s, x, &options), file, line);
}
static inline sn_tensor *sn_sparse_rmatmul(sn_tensor *x, const sn_sparse *s, sn_sparse_matmul_options options = sn_sparse_matmul_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sparse_rmatmul_opts(x, s, &options), file, line);
}
static inline sn_sparse *sn_sparse_matmul_sparse(const sn_sparse *a, const sn_sparse *b, sn_sparse_matmul_options options = sn_sparse_matmul_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_sparse_matmul_sparse_opts(a, b, &options), file, line));
}
static inline sn_tensor *sn_sparse_sum(const sn_sparse *s, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sparse_sum_opts(s, &options), file, line);
}
static inline sn_tensor *sn_sparse_max(const sn_sparse *s, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sparse_max_opts(s, &options), file, line);
}
static inline sn_sparse *sn_sparse_sum_sparse(const sn_sparse *s, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_sparse_sum_sparse_opts(s, &options), file, line));
}
static inline sn_sparse *sn_sparse_max_sparse(const sn_sparse *s, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_sparse *>(sn_object_locate(sn_sparse_max_sparse_opts(s, &options), file, line));
}
static inline sn_tensor *sn_embedding_lookup_sparse(sn_tensor *table, const sn_sparse *ids, sn_embedding_sparse_options options = sn_embedding_sparse_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_embedding_lookup_sparse_opts(table, ids, &options), file, line);
}
static inline sn_tensor *sn_safe_embedding_lookup_sparse(sn_tensor *table, const sn_sparse *ids, sn_embedding_sparse_options options = sn_embedding_sparse_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_safe_embedding_lookup_sparse_opts(table, ids, &options), file, line);
}
static inline sn_table *sn_table_create(sn_context *context, sn_dtype key, sn_tensor *default_value, sn_table_options options = sn_table_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_table *>(sn_object_locate(sn_table_create_opts(context, key, default_value, &options), file, line));
}
static inline sn_table *sn_table_from_file(sn_context *context, const char *path, sn_dtype key, sn_tensor *default_value, sn_table_file_options options = sn_table_file_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_table *>(sn_object_locate(sn_table_from_file_opts(context, path, key, default_value, &options), file, line));
}
static inline sn_tensor *sn_table_lookup(sn_context *context, sn_table *table, sn_tensor *keys, sn_lookup_options options = sn_lookup_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_table_lookup_opts(context, table, keys, &options), file, line);
}
static inline sn_tensor_array *sn_tensor_array_create(sn_context *context, sn_dtype dtype, int64_t n, sn_tensor_array_options options = sn_tensor_array_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_tensor_array *>(sn_object_locate(sn_tensor_array_create_opts(context, dtype, n, &options), file, line));
}
#else
#define SNI_OBJECT_OPTIONS1(function, kind, type, a, ...) \
  SNI_OBJECT_AT(kind, function(a, &(type){__VA_ARGS__}))
#define SNI_OPTIONS1(function, type, a, ...) SNI_AT(function(a, &(type){__VA_ARGS__}))
#define SNI_OBJECT_OPTIONS2(function, kind, type, a, b, ...) \
  SNI_OBJECT_AT(kind, function(a, b, &(type){__VA_ARGS__}))
#define SNI_OPTIONS2(function, type, a, b, ...) SNI_AT(function(a, b, &(type){__VA_ARGS__}))
#define SNI_OBJECT_OPTIONS3(function, kind, type, a, b, c, ...) \
  SNI_OBJECT_AT(kind, function(a, b, c, &(type){__VA_ARGS__}))
#define SNI_OPTIONS3(function, type, a, b, c, ...) SNI_AT(function(a, b, c, &(type){__VA_ARGS__}))
#define SNI_OBJECT_OPTIONS4(function, kind, type, a, b, c, d, ...) \
  SNI_OBJECT_AT(kind, function(a, b, c, d, &(type){__VA_ARGS__}))
#define sn_queue_create(...) SNI_OBJECT_OPTIONS3(sn_queue_create_opts, sn_queue, sn_queue_options, __VA_ARGS__, .size = sizeof(sn_queue_options))
#define sn_ragged_from_tensor(...) SNI_OBJECT_OPTIONS1(sn_ragged_from_tensor_opts, sn_ragged, sn_ragged_from_tensor_options, __VA_ARGS__, .size = sizeof(sn_ragged_from_tensor_options))
#define sn_ragged_to_tensor(...) SNI_OPTIONS1(sn_ragged_to_tensor_opts, sn_ragged_to_tensor_options, __VA_ARGS__, .size = sizeof(sn_ragged_to_tensor_options))
#define sn_ragged_matmul(...) SNI_OBJECT_OPTIONS2(sn_ragged_matmul_opts, sn_ragged, sn_ragged_matmul_options, __VA_ARGS__, .size = sizeof(sn_ragged_matmul_options))
#define sn_set_union(...) SNI_OBJECT_OPTIONS2(sn_set_union_opts, sn_sparse, sn_set_options, __VA_ARGS__, .size = sizeof(sn_set_options))
#define sn_set_intersection(...) SNI_OBJECT_OPTIONS2(sn_set_intersection_opts, sn_sparse, sn_set_options, __VA_ARGS__, .size = sizeof(sn_set_options))
#define sn_set_difference(...) SNI_OBJECT_OPTIONS2(sn_set_difference_opts, sn_sparse, sn_set_options, __VA_ARGS__, .size = sizeof(sn_set_options))
#define sn_set_add(...) SNI_OBJECT_OPTIONS2(sn_set_add_opts, sn_sparse, sn_set_options, __VA_ARGS__, .size = sizeof(sn_set_options))
#define sn_set_size(...) SNI_OPTIONS1(sn_set_size_opts, sn_set_options, __VA_ARGS__, .size = sizeof(sn_set_options))
#define sn_set_contains(...) SNI_OPTIONS2(sn_set_contains_opts, sn_set_options, __VA_ARGS__, .size = sizeof(sn_set_options))
#define sn_sparse_to_dense(...) SNI_OPTIONS1(sn_sparse_to_dense_opts, sn_sparse_to_dense_options, __VA_ARGS__, .size = sizeof(sn_sparse_to_dense_options))
#define sn_sparse_add(...) SNI_OBJECT_OPTIONS2(sn_sparse_add_opts, sn_sparse, sn_sparse_add_options, __VA_ARGS__, .size = sizeof(sn_sparse_add_options))
#define sn_sparse_matmul(...) SNI_OPTIONS2(sn_sparse_matmul_opts, sn_sparse_matmul_options, __VA_ARGS__, .size = sizeof(sn_sparse_matmul_options))
#define sn_sparse_rmatmul(...) SNI_OPTIONS2(sn_sparse_rmatmul_opts, sn_sparse_matmul_options, __VA_ARGS__, .size = sizeof(sn_sparse_matmul_options))
#define sn_sparse_matmul_sparse(...) SNI_OBJECT_OPTIONS2(sn_sparse_matmul_sparse_opts, sn_sparse, sn_sparse_matmul_options, __VA_ARGS__, .size = sizeof(sn_sparse_matmul_options))
#define sn_sparse_sum(...) SNI_OPTIONS1(sn_sparse_sum_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_sparse_max(...) SNI_OPTIONS1(sn_sparse_max_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_sparse_sum_sparse(...) SNI_OBJECT_OPTIONS1(sn_sparse_sum_sparse_opts, sn_sparse, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_sparse_max_sparse(...) SNI_OBJECT_OPTIONS1(sn_sparse_max_sparse_opts, sn_sparse, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_embedding_lookup_sparse(...) SNI_OPTIONS2(sn_embedding_lookup_sparse_opts, sn_embedding_sparse_options, __VA_ARGS__, .size = sizeof(sn_embedding_sparse_options))
#define sn_safe_embedding_lookup_sparse(...) SNI_OPTIONS2(sn_safe_embedding_lookup_sparse_opts, sn_embedding_sparse_options, __VA_ARGS__, .size = sizeof(sn_embedding_sparse_options))
#define sn_table_create(...) SNI_OBJECT_OPTIONS3(sn_table_create_opts, sn_table, sn_table_options, __VA_ARGS__, .size = sizeof(sn_table_options))
#define sn_table_from_file(...) SNI_OBJECT_OPTIONS4(sn_table_from_file_opts, sn_table, sn_table_file_options, __VA_ARGS__, .size = sizeof(sn_table_file_options))
#define sn_table_lookup(...) SNI_OPTIONS3(sn_table_lookup_opts, sn_lookup_options, __VA_ARGS__, .size = sizeof(sn_lookup_options))
#define sn_tensor_array_create(...) SNI_OBJECT_OPTIONS3(sn_tensor_array_create_opts, sn_tensor_array, sn_tensor_array_options, __VA_ARGS__, .size = sizeof(sn_tensor_array_options))
#endif
// clang-format on
#endif
