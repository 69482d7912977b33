// Ops that take C numbers in the place of tensors: docs/adr/017-numbers-as-operands.md. Written by tools/call_sites.py; do not edit.
#ifndef SINTER_OPS_NUMBERS_H
#define SINTER_OPS_NUMBERS_H

#include <sinter/ops.h>

// clang-format off
#if !defined(__cplusplus) && defined(__GNUC__) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
static inline sn_tensor *sni_number_equal(double value, sn_tensor *x) { return (sn_equal_scalar)(x, value); }
static inline sn_tensor *sni_number_not_equal(double value, sn_tensor *x) { return (sn_not_equal_scalar)(x, value); }
static inline sn_tensor *sni_number_less(double value, sn_tensor *x) { return (sn_greater_scalar)(x, value); }
static inline sn_tensor *sni_number_less_equal(double value, sn_tensor *x) { return (sn_greater_equal_scalar)(x, value); }
static inline sn_tensor *sni_number_greater(double value, sn_tensor *x) { return (sn_less_scalar)(x, value); }
static inline sn_tensor *sni_number_greater_equal(double value, sn_tensor *x) { return (sn_less_equal_scalar)(x, value); }
static inline sn_tensor *sni_number_and(int64_t value, sn_tensor *x) { return (sn_and_scalar)(x, value); }
static inline sn_tensor *sni_number_or(int64_t value, sn_tensor *x) { return (sn_or_scalar)(x, value); }
static inline sn_tensor *sni_number_xor(int64_t value, sn_tensor *x) { return (sn_xor_scalar)(x, value); }
static inline sn_tensor *sni_number_add(double value, sn_tensor *x) { return (sn_add_scalar)(x, value); }
static inline sn_tensor *sni_number_sub(double value, sn_tensor *x) { return (sn_rsub_scalar)(x, value); }
static inline sn_tensor *sni_number_mul(double value, sn_tensor *x) { return (sn_mul_scalar)(x, value); }
static inline sn_tensor *sni_number_div(double value, sn_tensor *x) { return (sn_rdiv_scalar)(x, value); }
static inline sn_tensor *sni_number_rem(double value, sn_tensor *x) { return (sn_rrem_scalar)(x, value); }
static inline sn_tensor *sni_number_pow(double value, sn_tensor *x) { return (sn_rpow_scalar)(x, value); }
static inline sn_tensor *sni_number_maximum(double value, sn_tensor *x) { return (sn_maximum_scalar)(x, value); }
static inline sn_tensor *sni_number_minimum(double value, sn_tensor *x) { return (sn_minimum_scalar)(x, value); }
static inline sn_tensor *sni_number_floor_div(double value, sn_tensor *x) { return (sn_rfloor_div_scalar)(x, value); }
static inline sn_tensor *sni_number_floor_mod(double value, sn_tensor *x) { return (sn_rfloor_mod_scalar)(x, value); }
static inline sn_tensor *sni_number_shift_left(int64_t value, sn_tensor *x) { return (sn_rshift_left_scalar)(x, value); }
static inline sn_tensor *sni_number_shift_right(int64_t value, sn_tensor *x) { return (sn_rshift_right_scalar)(x, value); }
#define SNI_JOIN_(a, b) a##b
#define SNI_JOIN(a, b) SNI_JOIN_(a, b)
#define SNI_CHOOSE(a, b, tensors, right, left) \
  _Generic((a), sn_tensor *: _Generic((b), sn_tensor *: tensors, void *: tensors, default: right), void *: tensors, default: left)
#define SNI_NUMBERS2_(tensors, right, left, a, b, va, vb) \
  __extension__({ __auto_type va = (a); __auto_type vb = (b); SNI_AT(SNI_CHOOSE(va, vb, tensors, right, left)(va, vb)); })
#define SNI_NUMBERS2(tensors, right, left, a, b) \
  SNI_NUMBERS2_(tensors, right, left, a, b, SNI_JOIN(sni_a, __COUNTER__), SNI_JOIN(sni_b, __COUNTER__))
#define SNI_NUMBERS3_(tensors, right, left, condition, a, b, va, vb) \
  __extension__({ __auto_type va = (a); __auto_type vb = (b); SNI_AT(SNI_CHOOSE(va, vb, tensors, right, left)(condition, va, vb)); })
#define SNI_NUMBERS3(tensors, right, left, condition, a, b) \
  SNI_NUMBERS3_(tensors, right, left, condition, a, b, SNI_JOIN(sni_a, __COUNTER__), SNI_JOIN(sni_b, __COUNTER__))
#define sn_equal(a, b) SNI_NUMBERS2(sn_equal, sn_equal_scalar, sni_number_equal, a, b)
#define sn_not_equal(a, b) SNI_NUMBERS2(sn_not_equal, sn_not_equal_scalar, sni_number_not_equal, a, b)
#define sn_less(a, b) SNI_NUMBERS2(sn_less, sn_less_scalar, sni_number_less, a, b)
#define sn_less_equal(a, b) SNI_NUMBERS2(sn_less_equal, sn_less_equal_scalar, sni_number_less_equal, a, b)
#define sn_greater(a, b) SNI_NUMBERS2(sn_greater, sn_greater_scalar, sni_number_greater, a, b)
#define sn_greater_equal(a, b) SNI_NUMBERS2(sn_greater_equal, sn_greater_equal_scalar, sni_number_greater_equal, a, b)
#define sn_and(a, b) SNI_NUMBERS2(sn_and, sn_and_scalar, sni_number_and, a, b)
#define sn_or(a, b) SNI_NUMBERS2(sn_or, sn_or_scalar, sni_number_or, a, b)
#define sn_xor(a, b) SNI_NUMBERS2(sn_xor, sn_xor_scalar, sni_number_xor, a, b)
#define sn_where(condition, a, b) SNI_NUMBERS3(sn_where, sn_where_scalar, sn_rwhere_scalar, condition, a, b)
#define sn_add(a, b) SNI_NUMBERS2(sn_add, sn_add_scalar, sni_number_add, a, b)
#define sn_sub(a, b) SNI_NUMBERS2(sn_sub, sn_sub_scalar, sni_number_sub, a, b)
#define sn_mul(a, b) SNI_NUMBERS2(sn_mul, sn_mul_scalar, sni_number_mul, a, b)
#define sn_div(a, b) SNI_NUMBERS2(sn_div, sn_div_scalar, sni_number_div, a, b)
#define sn_rem(a, b) SNI_NUMBERS2(sn_rem, sn_rem_scalar, sni_number_rem, a, b)
#define sn_pow(a, b) SNI_NUMBERS2(sn_pow, sn_pow_scalar, sni_number_pow, a, b)
#define sn_maximum(a, b) SNI_NUMBERS2(sn_maximum, sn_maximum_scalar, sni_number_maximum, a, b)
#define sn_minimum(a, b) SNI_NUMBERS2(sn_minimum, sn_minimum_scalar, sni_number_minimum, a, b)
#define sn_floor_div(a, b) SNI_NUMBERS2(sn_floor_div, sn_floor_div_scalar, sni_number_floor_div, a, b)
#define sn_floor_mod(a, b) SNI_NUMBERS2(sn_floor_mod, sn_floor_mod_scalar, sni_number_floor_mod, a, b)
#define sn_shift_left(a, b) SNI_NUMBERS2(sn_shift_left, sn_shift_left_scalar, sni_number_shift_left, a, b)
#define sn_shift_right(a, b) SNI_NUMBERS2(sn_shift_right, sn_shift_right_scalar, sni_number_shift_right, a, b)
#else
#define sn_equal(a, b) SNI_AT(sn_equal(a, b))
#define sn_not_equal(a, b) SNI_AT(sn_not_equal(a, b))
#define sn_less(a, b) SNI_AT(sn_less(a, b))
#define sn_less_equal(a, b) SNI_AT(sn_less_equal(a, b))
#define sn_greater(a, b) SNI_AT(sn_greater(a, b))
#define sn_greater_equal(a, b) SNI_AT(sn_greater_equal(a, b))
#define sn_and(a, b) SNI_AT(sn_and(a, b))
#define sn_or(a, b) SNI_AT(sn_or(a, b))
#define sn_xor(a, b) SNI_AT(sn_xor(a, b))
#define sn_where(condition, a, b) SNI_AT(sn_where(condition, a, b))
#define sn_add(a, b) SNI_AT(sn_add(a, b))
#define sn_sub(a, b) SNI_AT(sn_sub(a, b))
#define sn_mul(a, b) SNI_AT(sn_mul(a, b))
#define sn_div(a, b) SNI_AT(sn_div(a, b))
#define sn_rem(a, b) SNI_AT(sn_rem(a, b))
#define sn_pow(a, b) SNI_AT(sn_pow(a, b))
#define sn_maximum(a, b) SNI_AT(sn_maximum(a, b))
#define sn_minimum(a, b) SNI_AT(sn_minimum(a, b))
#define sn_floor_div(a, b) SNI_AT(sn_floor_div(a, b))
#define sn_floor_mod(a, b) SNI_AT(sn_floor_mod(a, b))
#define sn_shift_left(a, b) SNI_AT(sn_shift_left(a, b))
#define sn_shift_right(a, b) SNI_AT(sn_shift_right(a, b))
#endif
#ifdef __cplusplus
template <typename T>
struct sni_number {};
template <>
struct sni_number<char> { typedef sn_tensor *result; };
template <>
struct sni_number<signed char> { typedef sn_tensor *result; };
template <>
struct sni_number<unsigned char> { typedef sn_tensor *result; };
template <>
struct sni_number<short> { typedef sn_tensor *result; };
template <>
struct sni_number<unsigned short> { typedef sn_tensor *result; };
template <>
struct sni_number<int> { typedef sn_tensor *result; };
template <>
struct sni_number<unsigned> { typedef sn_tensor *result; };
template <>
struct sni_number<long> { typedef sn_tensor *result; };
template <>
struct sni_number<unsigned long> { typedef sn_tensor *result; };
template <>
struct sni_number<long long> { typedef sn_tensor *result; };
template <>
struct sni_number<unsigned long long> { typedef sn_tensor *result; };
template <>
struct sni_number<float> { typedef sn_tensor *result; };
template <>
struct sni_number<double> { typedef sn_tensor *result; };
template <>
struct sni_number<bool> { typedef sn_tensor *result; };
template <typename T>
static inline typename sni_number<T>::result (sn_equal)(sn_tensor *a, T b) {
  return (sn_equal_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_equal)(T a, sn_tensor *b) {
  return (sn_equal_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_not_equal)(sn_tensor *a, T b) {
  return (sn_not_equal_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_not_equal)(T a, sn_tensor *b) {
  return (sn_not_equal_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_less)(sn_tensor *a, T b) {
  return (sn_less_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_less)(T a, sn_tensor *b) {
  return (sn_greater_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_less_equal)(sn_tensor *a, T b) {
  return (sn_less_equal_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_less_equal)(T a, sn_tensor *b) {
  return (sn_greater_equal_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_greater)(sn_tensor *a, T b) {
  return (sn_greater_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_greater)(T a, sn_tensor *b) {
  return (sn_less_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_greater_equal)(sn_tensor *a, T b) {
  return (sn_greater_equal_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_greater_equal)(T a, sn_tensor *b) {
  return (sn_less_equal_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_and)(sn_tensor *a, T b) {
  return (sn_and_scalar)(a, static_cast<int64_t>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_and)(T a, sn_tensor *b) {
  return (sn_and_scalar)(b, static_cast<int64_t>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_or)(sn_tensor *a, T b) {
  return (sn_or_scalar)(a, static_cast<int64_t>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_or)(T a, sn_tensor *b) {
  return (sn_or_scalar)(b, static_cast<int64_t>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_xor)(sn_tensor *a, T b) {
  return (sn_xor_scalar)(a, static_cast<int64_t>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_xor)(T a, sn_tensor *b) {
  return (sn_xor_scalar)(b, static_cast<int64_t>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_where)(sn_tensor *condition, sn_tensor *a, T b) {
  return (sn_where_scalar)(condition, a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_where)(sn_tensor *condition, T a, sn_tensor *b) {
  return (sn_rwhere_scalar)(condition, static_cast<double>(a), b);
}
template <typename T>
static inline typename sni_number<T>::result (sn_add)(sn_tensor *a, T b) {
  return (sn_add_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_add)(T a, sn_tensor *b) {
  return (sn_add_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_sub)(sn_tensor *a, T b) {
  return (sn_sub_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_sub)(T a, sn_tensor *b) {
  return (sn_rsub_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_mul)(sn_tensor *a, T b) {
  return (sn_mul_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_mul)(T a, sn_tensor *b) {
  return (sn_mul_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_div)(sn_tensor *a, T b) {
  return (sn_div_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_div)(T a, sn_tensor *b) {
  return (sn_rdiv_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_rem)(sn_tensor *a, T b) {
  return (sn_rem_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_rem)(T a, sn_tensor *b) {
  return (sn_rrem_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_pow)(sn_tensor *a, T b) {
  return (sn_pow_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_pow)(T a, sn_tensor *b) {
  return (sn_rpow_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_maximum)(sn_tensor *a, T b) {
  return (sn_maximum_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_maximum)(T a, sn_tensor *b) {
  return (sn_maximum_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_minimum)(sn_tensor *a, T b) {
  return (sn_minimum_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_minimum)(T a, sn_tensor *b) {
  return (sn_minimum_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_floor_div)(sn_tensor *a, T b) {
  return (sn_floor_div_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_floor_div)(T a, sn_tensor *b) {
  return (sn_rfloor_div_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_floor_mod)(sn_tensor *a, T b) {
  return (sn_floor_mod_scalar)(a, static_cast<double>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_floor_mod)(T a, sn_tensor *b) {
  return (sn_rfloor_mod_scalar)(b, static_cast<double>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_shift_left)(sn_tensor *a, T b) {
  return (sn_shift_left_scalar)(a, static_cast<int64_t>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_shift_left)(T a, sn_tensor *b) {
  return (sn_rshift_left_scalar)(b, static_cast<int64_t>(a));
}
template <typename T>
static inline typename sni_number<T>::result (sn_shift_right)(sn_tensor *a, T b) {
  return (sn_shift_right_scalar)(a, static_cast<int64_t>(b));
}
template <typename T>
static inline typename sni_number<T>::result (sn_shift_right)(T a, sn_tensor *b) {
  return (sn_rshift_right_scalar)(b, static_cast<int64_t>(a));
}
#endif
// clang-format on
#endif
