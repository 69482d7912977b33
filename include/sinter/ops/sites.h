// Call sites: a macro of each op's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_OPS_SITES_H
#define SINTER_OPS_SITES_H

#include <sinter/ops.h>

// clang-format off
#define sn_not(x) SNI_AT(sn_not(x))
#define sn_is_nan(x) SNI_AT(sn_is_nan(x))
#define sn_is_inf(x) SNI_AT(sn_is_inf(x))
#define sn_is_finite(x) SNI_AT(sn_is_finite(x))
#define sn_signbit(x) SNI_AT(sn_signbit(x))
#define sn_is_close(a, b, rtol, atol, equal_nan) SNI_AT(sn_is_close(a, b, rtol, atol, equal_nan))
#define sn_and_scalar(x, value) SNI_AT(sn_and_scalar(x, value))
#define sn_or_scalar(x, value) SNI_AT(sn_or_scalar(x, value))
#define sn_xor_scalar(x, value) SNI_AT(sn_xor_scalar(x, value))
#define sn_equal_scalar(x, value) SNI_AT(sn_equal_scalar(x, value))
#define sn_not_equal_scalar(x, value) SNI_AT(sn_not_equal_scalar(x, value))
#define sn_less_scalar(x, value) SNI_AT(sn_less_scalar(x, value))
#define sn_less_equal_scalar(x, value) SNI_AT(sn_less_equal_scalar(x, value))
#define sn_greater_scalar(x, value) SNI_AT(sn_greater_scalar(x, value))
#define sn_greater_equal_scalar(x, value) SNI_AT(sn_greater_equal_scalar(x, value))
#define sn_where_scalar(condition, x, value) SNI_AT(sn_where_scalar(condition, x, value))
#define sn_rwhere_scalar(condition, value, x) SNI_AT(sn_rwhere_scalar(condition, value, x))
#define sn_complex(re, im) SNI_AT(sn_complex(re, im))
#define sn_real(x) SNI_AT(sn_real(x))
#define sn_imag(x) SNI_AT(sn_imag(x))
#define sn_conj(x) SNI_AT(sn_conj(x))
#define sn_angle(x) SNI_AT(sn_angle(x))
#define sn_polar(r, angle) SNI_AT(sn_polar(r, angle))
#define sn_adaptive_max_pool(...) SNI_AT(sn_adaptive_max_pool(__VA_ARGS__))
#define sn_adaptive_avg_pool(...) SNI_AT(sn_adaptive_avg_pool(__VA_ARGS__))
#define sn_resize(...) SNI_AT(sn_resize(__VA_ARGS__))
#define sn_cholesky(x) SNI_AT(sn_cholesky(x))
#define sn_solve(a, b) SNI_AT(sn_solve(a, b))
#define sn_inverse(x) SNI_AT(sn_inverse(x))
#define sn_det(x) SNI_AT(sn_det(x))
#define sn_slogdet(...) SNI_AT(sn_slogdet(__VA_ARGS__))
#define sn_qr(...) SNI_AT(sn_qr(__VA_ARGS__))
#define sn_eigh(...) SNI_AT(sn_eigh(__VA_ARGS__))
#define sn_svd(...) SNI_AT(sn_svd(__VA_ARGS__))
#define sn_lstsq(a, b) SNI_AT(sn_lstsq(a, b))
#define sn_fftfreq(...) SNI_AT(sn_fftfreq(__VA_ARGS__))
#define sn_rfftfreq(...) SNI_AT(sn_rfftfreq(__VA_ARGS__))
#define sn_one_hot(indices, depth, dtype) SNI_AT(sn_one_hot(indices, depth, dtype))
#define sn_take(x, indices) SNI_AT(sn_take(x, indices))
#define sn_scatter_nd(...) SNI_AT(sn_scatter_nd(__VA_ARGS__))
#define sn_tensor_scatter_nd(x, indices, updates, mode) SNI_AT(sn_tensor_scatter_nd(x, indices, updates, mode))
#define sn_dynamic_slice(...) SNI_AT(sn_dynamic_slice(__VA_ARGS__))
#define sn_dynamic_update(x, update, starts) SNI_AT(sn_dynamic_update(x, update, starts))
#define sn_segment_sum(x, ids, n) SNI_AT(sn_segment_sum(x, ids, n))
#define sn_segment_mean(x, ids, n) SNI_AT(sn_segment_mean(x, ids, n))
#define sn_segment_prod(x, ids, n) SNI_AT(sn_segment_prod(x, ids, n))
#define sn_segment_max(x, ids, n) SNI_AT(sn_segment_max(x, ids, n))
#define sn_segment_min(x, ids, n) SNI_AT(sn_segment_min(x, ids, n))
#define sn_outer(a, b) SNI_AT(sn_outer(a, b))
#define sn_vecdot(a, b, axis) SNI_AT(sn_vecdot(a, b, axis))
#define sn_cross(a, b) SNI_AT(sn_cross(a, b))
#define sn_kron(a, b) SNI_AT(sn_kron(a, b))
#define sn_tensordot(...) SNI_AT(sn_tensordot(__VA_ARGS__))
#define sn_einsum(...) SNI_AT(sn_einsum(__VA_ARGS__))
#define sn_tril(x, k) SNI_AT(sn_tril(x, k))
#define sn_triu(x, k) SNI_AT(sn_triu(x, k))
#define sn_eye(...) SNI_AT(sn_eye(__VA_ARGS__))
#define sn_diagonal(x, k) SNI_AT(sn_diagonal(x, k))
#define sn_diag(x, k) SNI_AT(sn_diag(x, k))
#define sn_trace(x, k) SNI_AT(sn_trace(x, k))
#define sn_neg(x) SNI_AT(sn_neg(x))
#define sn_abs(x) SNI_AT(sn_abs(x))
#define sn_sign(x) SNI_AT(sn_sign(x))
#define sn_sqrt(x) SNI_AT(sn_sqrt(x))
#define sn_rsqrt(x) SNI_AT(sn_rsqrt(x))
#define sn_square(x) SNI_AT(sn_square(x))
#define sn_reciprocal(x) SNI_AT(sn_reciprocal(x))
#define sn_floor(x) SNI_AT(sn_floor(x))
#define sn_ceil(x) SNI_AT(sn_ceil(x))
#define sn_round(x) SNI_AT(sn_round(x))
#define sn_trunc(x) SNI_AT(sn_trunc(x))
#define sn_exp(x) SNI_AT(sn_exp(x))
#define sn_expm1(x) SNI_AT(sn_expm1(x))
#define sn_log(x) SNI_AT(sn_log(x))
#define sn_log1p(x) SNI_AT(sn_log1p(x))
#define sn_sin(x) SNI_AT(sn_sin(x))
#define sn_cos(x) SNI_AT(sn_cos(x))
#define sn_tanh(x) SNI_AT(sn_tanh(x))
#define sn_sigmoid(x) SNI_AT(sn_sigmoid(x))
#define sn_erf(x) SNI_AT(sn_erf(x))
#define sn_identity(x) SNI_AT(sn_identity(x))
#define sn_exp2(x) SNI_AT(sn_exp2(x))
#define sn_log2(x) SNI_AT(sn_log2(x))
#define sn_log10(x) SNI_AT(sn_log10(x))
#define sn_cbrt(x) SNI_AT(sn_cbrt(x))
#define sn_tan(x) SNI_AT(sn_tan(x))
#define sn_asin(x) SNI_AT(sn_asin(x))
#define sn_acos(x) SNI_AT(sn_acos(x))
#define sn_atan(x) SNI_AT(sn_atan(x))
#define sn_sinh(x) SNI_AT(sn_sinh(x))
#define sn_cosh(x) SNI_AT(sn_cosh(x))
#define sn_asinh(x) SNI_AT(sn_asinh(x))
#define sn_acosh(x) SNI_AT(sn_acosh(x))
#define sn_atanh(x) SNI_AT(sn_atanh(x))
#define sn_erfc(x) SNI_AT(sn_erfc(x))
#define sn_erfinv(x) SNI_AT(sn_erfinv(x))
#define sn_lgamma(x) SNI_AT(sn_lgamma(x))
#define sn_digamma(x) SNI_AT(sn_digamma(x))
#define sn_trigamma(x) SNI_AT(sn_trigamma(x))
#define sn_polygamma(n, x) SNI_AT(sn_polygamma(n, x))
#define sn_sinc(x) SNI_AT(sn_sinc(x))
#define sn_deg2rad(x) SNI_AT(sn_deg2rad(x))
#define sn_rad2deg(x) SNI_AT(sn_rad2deg(x))
#define sn_gcd(a, b) SNI_AT(sn_gcd(a, b))
#define sn_lcm(a, b) SNI_AT(sn_lcm(a, b))
#define sn_bitwise_count(x) SNI_AT(sn_bitwise_count(x))
#define sn_nan_to_num(x) SNI_AT(sn_nan_to_num(x))
#define sn_clip(x, low, high) SNI_AT(sn_clip(x, low, high))
#define sn_cast(x, dtype) SNI_AT(sn_cast(x, dtype))
#define sn_bitcast(x, dtype) SNI_AT(sn_bitcast(x, dtype))
#define sn_atan2(y, x) SNI_AT(sn_atan2(y, x))
#define sn_hypot(a, b) SNI_AT(sn_hypot(a, b))
#define sn_logaddexp(a, b) SNI_AT(sn_logaddexp(a, b))
#define sn_logaddexp2(a, b) SNI_AT(sn_logaddexp2(a, b))
#define sn_xlogy(x, y) SNI_AT(sn_xlogy(x, y))
#define sn_xlog1py(x, y) SNI_AT(sn_xlog1py(x, y))
#define sn_copysign(a, b) SNI_AT(sn_copysign(a, b))
#define sn_nextafter(a, b) SNI_AT(sn_nextafter(a, b))
#define sn_squared_difference(a, b) SNI_AT(sn_squared_difference(a, b))
#define sn_divide_no_nan(a, b) SNI_AT(sn_divide_no_nan(a, b))
#define sn_add_scalar(x, value) SNI_AT(sn_add_scalar(x, value))
#define sn_mul_scalar(x, value) SNI_AT(sn_mul_scalar(x, value))
#define sn_pow_scalar(x, value) SNI_AT(sn_pow_scalar(x, value))
#define sn_sub_scalar(x, value) SNI_AT(sn_sub_scalar(x, value))
#define sn_rsub_scalar(x, value) SNI_AT(sn_rsub_scalar(x, value))
#define sn_div_scalar(x, value) SNI_AT(sn_div_scalar(x, value))
#define sn_rdiv_scalar(x, value) SNI_AT(sn_rdiv_scalar(x, value))
#define sn_rem_scalar(x, value) SNI_AT(sn_rem_scalar(x, value))
#define sn_rpow_scalar(x, value) SNI_AT(sn_rpow_scalar(x, value))
#define sn_rrem_scalar(x, value) SNI_AT(sn_rrem_scalar(x, value))
#define sn_floor_div_scalar(x, value) SNI_AT(sn_floor_div_scalar(x, value))
#define sn_rfloor_div_scalar(x, value) SNI_AT(sn_rfloor_div_scalar(x, value))
#define sn_floor_mod_scalar(x, value) SNI_AT(sn_floor_mod_scalar(x, value))
#define sn_rfloor_mod_scalar(x, value) SNI_AT(sn_rfloor_mod_scalar(x, value))
#define sn_shift_left_scalar(x, count) SNI_AT(sn_shift_left_scalar(x, count))
#define sn_shift_right_scalar(x, count) SNI_AT(sn_shift_right_scalar(x, count))
#define sn_rshift_left_scalar(x, value) SNI_AT(sn_rshift_left_scalar(x, value))
#define sn_rshift_right_scalar(x, value) SNI_AT(sn_rshift_right_scalar(x, value))
#define sn_maximum_scalar(x, value) SNI_AT(sn_maximum_scalar(x, value))
#define sn_minimum_scalar(x, value) SNI_AT(sn_minimum_scalar(x, value))
#define sn_relu(x) SNI_AT(sn_relu(x))
#define sn_gelu(x) SNI_AT(sn_gelu(x))
#define sn_gelu_exact(x) SNI_AT(sn_gelu_exact(x))
#define sn_softplus(x) SNI_AT(sn_softplus(x))
#define sn_log_sigmoid(x) SNI_AT(sn_log_sigmoid(x))
#define sn_leaky_relu(x, slope) SNI_AT(sn_leaky_relu(x, slope))
#define sn_prelu(x, slope) SNI_AT(sn_prelu(x, slope))
#define sn_relu6(x) SNI_AT(sn_relu6(x))
#define sn_elu(x, alpha) SNI_AT(sn_elu(x, alpha))
#define sn_celu(x, alpha) SNI_AT(sn_celu(x, alpha))
#define sn_selu(x) SNI_AT(sn_selu(x))
#define sn_silu(x) SNI_AT(sn_silu(x))
#define sn_mish(x) SNI_AT(sn_mish(x))
#define sn_softsign(x) SNI_AT(sn_softsign(x))
#define sn_hard_sigmoid(x) SNI_AT(sn_hard_sigmoid(x))
#define sn_hard_silu(x) SNI_AT(sn_hard_silu(x))
#define sn_hard_tanh(x) SNI_AT(sn_hard_tanh(x))
#define sn_soft_shrink(x, threshold) SNI_AT(sn_soft_shrink(x, threshold))
#define sn_glu(x, axis) SNI_AT(sn_glu(x, axis))
#define sn_softmax(x, axis) SNI_AT(sn_softmax(x, axis))
#define sn_log_softmax(x, axis) SNI_AT(sn_log_softmax(x, axis))
#define sn_sparse_softmax_cross_entropy(logits, labels) SNI_AT(sn_sparse_softmax_cross_entropy(logits, labels))
#define sn_huber_loss(prediction, target, delta) SNI_AT(sn_huber_loss(prediction, target, delta))
#define sn_mean_squared_error(prediction, target) SNI_AT(sn_mean_squared_error(prediction, target))
#define sn_mean_absolute_error(prediction, target) SNI_AT(sn_mean_absolute_error(prediction, target))
#define sn_softmax_cross_entropy(logits, labels) SNI_AT(sn_softmax_cross_entropy(logits, labels))
#define sn_sigmoid_cross_entropy(logits, labels) SNI_AT(sn_sigmoid_cross_entropy(logits, labels))
#define sn_layer_norm(x, scale, offset, axis, epsilon) SNI_AT(sn_layer_norm(x, scale, offset, axis, epsilon))
#define sn_rms_norm(x, scale, axis, epsilon) SNI_AT(sn_rms_norm(x, scale, axis, epsilon))
#define sn_group_norm(x, scale, offset, groups, format, epsilon) SNI_AT(sn_group_norm(x, scale, offset, groups, format, epsilon))
#define sn_batch_norm(x, mean, variance, scale, offset, epsilon) SNI_AT(sn_batch_norm(x, mean, variance, scale, offset, epsilon))
#define sn_moments(...) SNI_AT(sn_moments(__VA_ARGS__))
#define sn_l2_normalize(x, axis, epsilon) SNI_AT(sn_l2_normalize(x, axis, epsilon))
#define sn_dropout(x, rate) SNI_AT(sn_dropout(x, rate))
#define sn_random_key(...) SNI_AT(sn_random_key(__VA_ARGS__))
#define sn_random_split(key, n) SNI_AT(sn_random_split(key, n))
#define sn_random_fold_in(key, number) SNI_AT(sn_random_fold_in(key, number))
#define sn_random_uniform_like(like) SNI_AT(sn_random_uniform_like(like))
#define sn_random_normal_like(like) SNI_AT(sn_random_normal_like(like))
#define sn_add_n(...) SNI_AT(sn_add_n(__VA_ARGS__))
#define sn_global_norm(...) SNI_AT(sn_global_norm(__VA_ARGS__))
#define sn_clip_by_global_norm(...) SNI_AT(sn_clip_by_global_norm(__VA_ARGS__))
#define sn_argmax(x, axis) SNI_AT(sn_argmax(x, axis))
#define sn_argmin(x, axis) SNI_AT(sn_argmin(x, axis))
#define sn_reshape(...) SNI_AT(sn_reshape(__VA_ARGS__))
#define sn_transpose(x) SNI_AT(sn_transpose(x))
#define sn_permute(...) SNI_AT(sn_permute(__VA_ARGS__))
#define sn_expand_dims(x, axis) SNI_AT(sn_expand_dims(x, axis))
#define sn_squeeze(x, axis) SNI_AT(sn_squeeze(x, axis))
#define sn_broadcast_to(...) SNI_AT(sn_broadcast_to(__VA_ARGS__))
#define sn_broadcast_like(x, like) SNI_AT(sn_broadcast_like(x, like))
#define sn_concat(...) SNI_AT(sn_concat(__VA_ARGS__))
#define sn_stack(...) SNI_AT(sn_stack(__VA_ARGS__))
#define sn_slice(...) SNI_AT(sn_slice(__VA_ARGS__))
#define sn_index(x, axis, index) SNI_AT(sn_index(x, axis, index))
#define sn_at(...) SNI_AT(sn_at(__VA_ARGS__))
#define sn_set_slice(...) SNI_AT(sn_set_slice(__VA_ARGS__))
#define sn_set_at(...) SNI_AT(sn_set_at(__VA_ARGS__))
#define sn_pad(...) SNI_AT(sn_pad(__VA_ARGS__))
#define sn_move_axis(x, source, destination) SNI_AT(sn_move_axis(x, source, destination))
#define sn_swap_axes(x, a, b) SNI_AT(sn_swap_axes(x, a, b))
#define sn_matrix_transpose(x) SNI_AT(sn_matrix_transpose(x))
#define sn_ravel(x) SNI_AT(sn_ravel(x))
#define sn_roll(x, shift, axis) SNI_AT(sn_roll(x, shift, axis))
#define sn_repeat(x, repeats, axis) SNI_AT(sn_repeat(x, repeats, axis))
#define sn_tile(...) SNI_AT(sn_tile(__VA_ARGS__))
#define sn_split(...) SNI_AT(sn_split(__VA_ARGS__))
#define sn_split_sizes(...) SNI_AT(sn_split_sizes(__VA_ARGS__))
#define sn_unstack(...) SNI_AT(sn_unstack(__VA_ARGS__))
#define sn_meshgrid(...) SNI_AT(sn_meshgrid(__VA_ARGS__))
#define sn_pad_with(...) SNI_AT(sn_pad_with(__VA_ARGS__))
#define sn_diff(x, n, axis) SNI_AT(sn_diff(x, n, axis))
#define sn_top_k(...) SNI_AT(sn_top_k(__VA_ARGS__))
#define sn_take_along_axis(x, indices, axis) SNI_AT(sn_take_along_axis(x, indices, axis))
#define sn_median(x, axis) SNI_AT(sn_median(x, axis))
#define sn_quantile(x, q, axis) SNI_AT(sn_quantile(x, q, axis))
#ifdef __cplusplus
static inline sn_tensor *sn_conv(sn_tensor *x, sn_tensor *kernel, sn_conv_options options = sn_conv_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_conv_opts(x, kernel, &options), file, line);
}
static inline sn_tensor *sn_conv_transpose(sn_tensor *x, sn_tensor *kernel, sn_conv_options options = sn_conv_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_conv_transpose_opts(x, kernel, &options), file, line);
}
static inline sn_tensor *sn_max_pool(sn_tensor *x, sn_pool_options options = sn_pool_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_max_pool_opts(x, &options), file, line);
}
static inline sn_tensor *sn_avg_pool(sn_tensor *x, sn_pool_options options = sn_pool_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_avg_pool_opts(x, &options), file, line);
}
static inline sn_tensor *sn_triangular_solve(sn_tensor *a, sn_tensor *b, sn_triangular_options options = sn_triangular_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_triangular_solve_opts(a, b, &options), file, line);
}
static inline sn_tensor *sn_fft(sn_tensor *x, int axis, sn_fft_options options = sn_fft_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_fft_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_ifft(sn_tensor *x, int axis, sn_fft_options options = sn_fft_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_ifft_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_rfft(sn_tensor *x, int axis, sn_fft_options options = sn_fft_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_rfft_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_irfft(sn_tensor *x, int axis, sn_fft_options options = sn_fft_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_irfft_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_fftn(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_fftn_opts(x, &options), file, line);
}
static inline sn_tensor *sn_ifftn(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_ifftn_opts(x, &options), file, line);
}
static inline sn_tensor *sn_rfftn(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_rfftn_opts(x, &options), file, line);
}
static inline sn_tensor *sn_irfftn(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_irfftn_opts(x, &options), file, line);
}
static inline sn_tensor *sn_fft2(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_fft2_opts(x, &options), file, line);
}
static inline sn_tensor *sn_ifft2(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_ifft2_opts(x, &options), file, line);
}
static inline sn_tensor *sn_rfft2(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_rfft2_opts(x, &options), file, line);
}
static inline sn_tensor *sn_irfft2(sn_tensor *x, sn_fftn_options options = sn_fftn_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_irfft2_opts(x, &options), file, line);
}
static inline sn_tensor *sn_fftshift(sn_tensor *x, sn_flip_options options = sn_flip_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_fftshift_opts(x, &options), file, line);
}
static inline sn_tensor *sn_ifftshift(sn_tensor *x, sn_flip_options options = sn_flip_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_ifftshift_opts(x, &options), file, line);
}
static inline sn_tensor *sn_gather(sn_tensor *x, sn_tensor *indices, sn_gather_options options = sn_gather_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_gather_opts(x, indices, &options), file, line);
}
static inline sn_tensor *sn_gather_nd(sn_tensor *x, sn_tensor *indices, sn_gather_nd_options options = sn_gather_nd_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_gather_nd_opts(x, indices, &options), file, line);
}
static inline sn_tensor *sn_embedding_lookup(sn_tensor *table, sn_tensor *ids, sn_embedding_options options = sn_embedding_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_embedding_lookup_opts(table, ids, &options), file, line);
}
static inline sn_tensor *sn_scatter_add(sn_tensor *x, sn_tensor *indices, sn_tensor *updates, sn_scatter_options options = sn_scatter_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_scatter_add_opts(x, indices, updates, &options), file, line);
}
static inline sn_tensor *sn_scatter_mul(sn_tensor *x, sn_tensor *indices, sn_tensor *updates, sn_scatter_options options = sn_scatter_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_scatter_mul_opts(x, indices, updates, &options), file, line);
}
static inline sn_tensor *sn_scatter_max(sn_tensor *x, sn_tensor *indices, sn_tensor *updates, sn_scatter_options options = sn_scatter_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_scatter_max_opts(x, indices, updates, &options), file, line);
}
static inline sn_tensor *sn_scatter_min(sn_tensor *x, sn_tensor *indices, sn_tensor *updates, sn_scatter_options options = sn_scatter_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_scatter_min_opts(x, indices, updates, &options), file, line);
}
static inline sn_tensor *sn_scatter_update(sn_tensor *x, sn_tensor *indices, sn_tensor *updates, sn_scatter_options options = sn_scatter_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_scatter_update_opts(x, indices, updates, &options), file, line);
}
static inline sn_tensor *sn_put_along_axis(sn_tensor *x, sn_tensor *indices, sn_tensor *values, int axis, sn_put_options options = sn_put_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_put_along_axis_opts(x, indices, values, axis, &options), file, line);
}
static inline sn_tensor *sn_bincount(sn_tensor *x, sn_count_options options = sn_count_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_bincount_opts(x, &options), file, line);
}
static inline sn_tensor *sn_histogram(sn_tensor *x, int64_t n, double low, double high, sn_count_options options = sn_count_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_histogram_opts(x, n, low, high, &options), file, line);
}
static inline sn_tensor *sn_nonzero(sn_tensor *x, sn_extract_options options = sn_extract_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_nonzero_opts(x, &options), file, line);
}
static inline sn_tensor *sn_argwhere(sn_tensor *x, sn_extract_options options = sn_extract_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_argwhere_opts(x, &options), file, line);
}
static inline sn_tensor *sn_boolean_mask(sn_tensor *x, sn_tensor *mask, sn_extract_options options = sn_extract_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_boolean_mask_opts(x, mask, &options), file, line);
}
static inline sn_tensor *sn_unique(sn_tensor *x, sn_tensor **out_inverse, sn_tensor **out_counts, sn_extract_options options = sn_extract_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_unique_opts(x, out_inverse, out_counts, &options), file, line);
}
static inline sn_tensor *sn_matmul(sn_tensor *a, sn_tensor *b, sn_matmul_options options = sn_matmul_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_matmul_opts(a, b, &options), file, line);
}
static inline sn_tensor *sn_scaled_dot_product_attention(sn_tensor *q, sn_tensor *k, sn_tensor *v, sn_attention_options options = sn_attention_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_scaled_dot_product_attention_opts(q, k, v, &options), file, line);
}
static inline sn_tensor *sn_random_uniform(sn_context *context, sn_dtype dtype, sn_shape shape, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_uniform_opts(context, dtype, shape, &options), file, line);
}
static inline sn_tensor *sn_random_normal(sn_context *context, sn_dtype dtype, sn_shape shape, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_normal_opts(context, dtype, shape, &options), file, line);
}
static inline sn_tensor *sn_random_truncated_normal(sn_context *context, sn_dtype dtype, sn_shape shape, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_truncated_normal_opts(context, dtype, shape, &options), file, line);
}
static inline sn_tensor *sn_random_exponential(sn_context *context, sn_dtype dtype, sn_shape shape, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_exponential_opts(context, dtype, shape, &options), file, line);
}
static inline sn_tensor *sn_random_bits(sn_context *context, sn_dtype dtype, sn_shape shape, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_bits_opts(context, dtype, shape, &options), file, line);
}
static inline sn_tensor *sn_random_integers(sn_context *context, sn_dtype dtype, sn_shape shape, int64_t low, int64_t high, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_integers_opts(context, dtype, shape, low, high, &options), file, line);
}
static inline sn_tensor *sn_random_bernoulli(sn_tensor *p, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_bernoulli_opts(p, &options), file, line);
}
static inline sn_tensor *sn_random_categorical(sn_tensor *logits, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_categorical_opts(logits, &options), file, line);
}
static inline sn_tensor *sn_random_permutation(sn_context *context, int64_t n, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_permutation_opts(context, n, &options), file, line);
}
static inline sn_tensor *sn_random_shuffle(sn_tensor *x, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_shuffle_opts(x, &options), file, line);
}
static inline sn_tensor *sn_random_gamma(sn_tensor *shape, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_gamma_opts(shape, &options), file, line);
}
static inline sn_tensor *sn_random_beta(sn_tensor *a, sn_tensor *b, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_beta_opts(a, b, &options), file, line);
}
static inline sn_tensor *sn_random_poisson(sn_tensor *rate, sn_random_options options = sn_random_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_random_poisson_opts(rate, &options), file, line);
}
static inline sn_tensor *sn_sum(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sum_opts(x, &options), file, line);
}
static inline sn_tensor *sn_mean(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_mean_opts(x, &options), file, line);
}
static inline sn_tensor *sn_prod(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_prod_opts(x, &options), file, line);
}
static inline sn_tensor *sn_max(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_max_opts(x, &options), file, line);
}
static inline sn_tensor *sn_min(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_min_opts(x, &options), file, line);
}
static inline sn_tensor *sn_all(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_all_opts(x, &options), file, line);
}
static inline sn_tensor *sn_any(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_any_opts(x, &options), file, line);
}
static inline sn_tensor *sn_var(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_var_opts(x, &options), file, line);
}
static inline sn_tensor *sn_std(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_std_opts(x, &options), file, line);
}
static inline sn_tensor *sn_logsumexp(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_logsumexp_opts(x, &options), file, line);
}
static inline sn_tensor *sn_count_nonzero(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_count_nonzero_opts(x, &options), file, line);
}
static inline sn_tensor *sn_norm(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_norm_opts(x, &options), file, line);
}
static inline sn_tensor *sn_clip_by_norm(sn_tensor *x, double limit, sn_reduce_options options = sn_reduce_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_clip_by_norm_opts(x, limit, &options), file, line);
}
static inline sn_tensor *sn_cumsum(sn_tensor *x, int axis, sn_cumulate_options options = sn_cumulate_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_cumsum_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_cumprod(sn_tensor *x, int axis, sn_cumulate_options options = sn_cumulate_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_cumprod_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_cummax(sn_tensor *x, int axis, sn_cumulate_options options = sn_cumulate_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_cummax_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_cummin(sn_tensor *x, int axis, sn_cumulate_options options = sn_cumulate_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_cummin_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_cumlogsumexp(sn_tensor *x, int axis, sn_cumulate_options options = sn_cumulate_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_cumlogsumexp_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_flip(sn_tensor *x, sn_flip_options options = sn_flip_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_flip_opts(x, &options), file, line);
}
static inline sn_tensor *sn_sort(sn_tensor *x, int axis, sn_sort_options options = sn_sort_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_sort_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_argsort(sn_tensor *x, int axis, sn_sort_options options = sn_sort_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_argsort_opts(x, axis, &options), file, line);
}
static inline sn_tensor *sn_searchsorted(sn_tensor *sorted, sn_tensor *values, sn_search_options options = sn_search_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_searchsorted_opts(sorted, values, &options), file, line);
}
static inline sn_tensor *sn_bucketize(sn_tensor *x, sn_tensor *boundaries, sn_search_options options = sn_search_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_bucketize_opts(x, boundaries, &options), file, line);
}
#else
#define SNI_OPTIONS1(function, type, a, ...) SNI_AT(function(a, &(type){__VA_ARGS__}))
#define SNI_OPTIONS2(function, type, a, b, ...) SNI_AT(function(a, b, &(type){__VA_ARGS__}))
#define SNI_OPTIONS3(function, type, a, b, c, ...) SNI_AT(function(a, b, c, &(type){__VA_ARGS__}))
#define SNI_OPTIONS4(function, type, a, b, c, d, ...) SNI_AT(function(a, b, c, d, &(type){__VA_ARGS__}))
#define SNI_OPTIONS5(function, type, a, b, c, d, e, ...) SNI_AT(function(a, b, c, d, e, &(type){__VA_ARGS__}))
#define sn_conv(...) SNI_OPTIONS2(sn_conv_opts, sn_conv_options, __VA_ARGS__, .size = sizeof(sn_conv_options))
#define sn_conv_transpose(...) SNI_OPTIONS2(sn_conv_transpose_opts, sn_conv_options, __VA_ARGS__, .size = sizeof(sn_conv_options))
#define sn_max_pool(...) SNI_OPTIONS1(sn_max_pool_opts, sn_pool_options, __VA_ARGS__, .size = sizeof(sn_pool_options))
#define sn_avg_pool(...) SNI_OPTIONS1(sn_avg_pool_opts, sn_pool_options, __VA_ARGS__, .size = sizeof(sn_pool_options))
#define sn_triangular_solve(...) SNI_OPTIONS2(sn_triangular_solve_opts, sn_triangular_options, __VA_ARGS__, .size = sizeof(sn_triangular_options))
#define sn_fft(...) SNI_OPTIONS2(sn_fft_opts, sn_fft_options, __VA_ARGS__, .size = sizeof(sn_fft_options))
#define sn_ifft(...) SNI_OPTIONS2(sn_ifft_opts, sn_fft_options, __VA_ARGS__, .size = sizeof(sn_fft_options))
#define sn_rfft(...) SNI_OPTIONS2(sn_rfft_opts, sn_fft_options, __VA_ARGS__, .size = sizeof(sn_fft_options))
#define sn_irfft(...) SNI_OPTIONS2(sn_irfft_opts, sn_fft_options, __VA_ARGS__, .size = sizeof(sn_fft_options))
#define sn_fftn(...) SNI_OPTIONS1(sn_fftn_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_ifftn(...) SNI_OPTIONS1(sn_ifftn_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_rfftn(...) SNI_OPTIONS1(sn_rfftn_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_irfftn(...) SNI_OPTIONS1(sn_irfftn_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_fft2(...) SNI_OPTIONS1(sn_fft2_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_ifft2(...) SNI_OPTIONS1(sn_ifft2_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_rfft2(...) SNI_OPTIONS1(sn_rfft2_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_irfft2(...) SNI_OPTIONS1(sn_irfft2_opts, sn_fftn_options, __VA_ARGS__, .size = sizeof(sn_fftn_options))
#define sn_fftshift(...) SNI_OPTIONS1(sn_fftshift_opts, sn_flip_options, __VA_ARGS__, .size = sizeof(sn_flip_options))
#define sn_ifftshift(...) SNI_OPTIONS1(sn_ifftshift_opts, sn_flip_options, __VA_ARGS__, .size = sizeof(sn_flip_options))
#define sn_gather(...) SNI_OPTIONS2(sn_gather_opts, sn_gather_options, __VA_ARGS__, .size = sizeof(sn_gather_options))
#define sn_gather_nd(...) SNI_OPTIONS2(sn_gather_nd_opts, sn_gather_nd_options, __VA_ARGS__, .size = sizeof(sn_gather_nd_options))
#define sn_embedding_lookup(...) SNI_OPTIONS2(sn_embedding_lookup_opts, sn_embedding_options, __VA_ARGS__, .size = sizeof(sn_embedding_options))
#define sn_scatter_add(...) SNI_OPTIONS3(sn_scatter_add_opts, sn_scatter_options, __VA_ARGS__, .size = sizeof(sn_scatter_options))
#define sn_scatter_mul(...) SNI_OPTIONS3(sn_scatter_mul_opts, sn_scatter_options, __VA_ARGS__, .size = sizeof(sn_scatter_options))
#define sn_scatter_max(...) SNI_OPTIONS3(sn_scatter_max_opts, sn_scatter_options, __VA_ARGS__, .size = sizeof(sn_scatter_options))
#define sn_scatter_min(...) SNI_OPTIONS3(sn_scatter_min_opts, sn_scatter_options, __VA_ARGS__, .size = sizeof(sn_scatter_options))
#define sn_scatter_update(...) SNI_OPTIONS3(sn_scatter_update_opts, sn_scatter_options, __VA_ARGS__, .size = sizeof(sn_scatter_options))
#define sn_put_along_axis(...) SNI_OPTIONS4(sn_put_along_axis_opts, sn_put_options, __VA_ARGS__, .size = sizeof(sn_put_options))
#define sn_bincount(...) SNI_OPTIONS1(sn_bincount_opts, sn_count_options, __VA_ARGS__, .size = sizeof(sn_count_options))
#define sn_histogram(...) SNI_OPTIONS4(sn_histogram_opts, sn_count_options, __VA_ARGS__, .size = sizeof(sn_count_options))
#define sn_nonzero(...) SNI_OPTIONS1(sn_nonzero_opts, sn_extract_options, __VA_ARGS__, .size = sizeof(sn_extract_options))
#define sn_argwhere(...) SNI_OPTIONS1(sn_argwhere_opts, sn_extract_options, __VA_ARGS__, .size = sizeof(sn_extract_options))
#define sn_boolean_mask(...) SNI_OPTIONS2(sn_boolean_mask_opts, sn_extract_options, __VA_ARGS__, .size = sizeof(sn_extract_options))
#define sn_unique(...) SNI_OPTIONS3(sn_unique_opts, sn_extract_options, __VA_ARGS__, .size = sizeof(sn_extract_options))
#define sn_matmul(...) SNI_OPTIONS2(sn_matmul_opts, sn_matmul_options, __VA_ARGS__, .size = sizeof(sn_matmul_options))
#define sn_scaled_dot_product_attention(...) SNI_OPTIONS3(sn_scaled_dot_product_attention_opts, sn_attention_options, __VA_ARGS__, .size = sizeof(sn_attention_options))
#define sn_random_uniform(...) SNI_OPTIONS3(sn_random_uniform_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_normal(...) SNI_OPTIONS3(sn_random_normal_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_truncated_normal(...) SNI_OPTIONS3(sn_random_truncated_normal_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_exponential(...) SNI_OPTIONS3(sn_random_exponential_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_bits(...) SNI_OPTIONS3(sn_random_bits_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_integers(...) SNI_OPTIONS5(sn_random_integers_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_bernoulli(...) SNI_OPTIONS1(sn_random_bernoulli_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_categorical(...) SNI_OPTIONS1(sn_random_categorical_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_permutation(...) SNI_OPTIONS2(sn_random_permutation_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_shuffle(...) SNI_OPTIONS1(sn_random_shuffle_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_gamma(...) SNI_OPTIONS1(sn_random_gamma_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_beta(...) SNI_OPTIONS2(sn_random_beta_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_random_poisson(...) SNI_OPTIONS1(sn_random_poisson_opts, sn_random_options, __VA_ARGS__, .size = sizeof(sn_random_options))
#define sn_sum(...) SNI_OPTIONS1(sn_sum_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_mean(...) SNI_OPTIONS1(sn_mean_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_prod(...) SNI_OPTIONS1(sn_prod_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_max(...) SNI_OPTIONS1(sn_max_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_min(...) SNI_OPTIONS1(sn_min_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_all(...) SNI_OPTIONS1(sn_all_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_any(...) SNI_OPTIONS1(sn_any_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_var(...) SNI_OPTIONS1(sn_var_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_std(...) SNI_OPTIONS1(sn_std_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_logsumexp(...) SNI_OPTIONS1(sn_logsumexp_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_count_nonzero(...) SNI_OPTIONS1(sn_count_nonzero_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_norm(...) SNI_OPTIONS1(sn_norm_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_clip_by_norm(...) SNI_OPTIONS2(sn_clip_by_norm_opts, sn_reduce_options, __VA_ARGS__, .size = sizeof(sn_reduce_options))
#define sn_cumsum(...) SNI_OPTIONS2(sn_cumsum_opts, sn_cumulate_options, __VA_ARGS__, .size = sizeof(sn_cumulate_options))
#define sn_cumprod(...) SNI_OPTIONS2(sn_cumprod_opts, sn_cumulate_options, __VA_ARGS__, .size = sizeof(sn_cumulate_options))
#define sn_cummax(...) SNI_OPTIONS2(sn_cummax_opts, sn_cumulate_options, __VA_ARGS__, .size = sizeof(sn_cumulate_options))
#define sn_cummin(...) SNI_OPTIONS2(sn_cummin_opts, sn_cumulate_options, __VA_ARGS__, .size = sizeof(sn_cumulate_options))
#define sn_cumlogsumexp(...) SNI_OPTIONS2(sn_cumlogsumexp_opts, sn_cumulate_options, __VA_ARGS__, .size = sizeof(sn_cumulate_options))
#define sn_flip(...) SNI_OPTIONS1(sn_flip_opts, sn_flip_options, __VA_ARGS__, .size = sizeof(sn_flip_options))
#define sn_sort(...) SNI_OPTIONS2(sn_sort_opts, sn_sort_options, __VA_ARGS__, .size = sizeof(sn_sort_options))
#define sn_argsort(...) SNI_OPTIONS2(sn_argsort_opts, sn_sort_options, __VA_ARGS__, .size = sizeof(sn_sort_options))
#define sn_searchsorted(...) SNI_OPTIONS2(sn_searchsorted_opts, sn_search_options, __VA_ARGS__, .size = sizeof(sn_search_options))
#define sn_bucketize(...) SNI_OPTIONS2(sn_bucketize_opts, sn_search_options, __VA_ARGS__, .size = sizeof(sn_search_options))
#endif
// clang-format on
#endif
