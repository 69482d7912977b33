// Scalar expansion, inside: the builder that emits CORE instructions, and one function per MATH
// operation. Each takes values of the kernel being built and returns the value
// of the result; after a failed allocation they go on harmlessly and status tells.
#ifndef SNI_CODEGEN_EXPAND_H
#define SNI_CODEGEN_EXPAND_H

#include "codegen/kernel/tree.h"

typedef uint32_t sni_value;

typedef struct sni_expander {
  sni_arena *arena;
  sni_diag *diag;
  sn_status status;
  sni_tree_builder *tree;
  sni_value *constants;  // CONST instructions that may be used at hand
  uint32_t n_constants, constants_capacity;
} sni_expander;

// ---- builder
sni_value sni_put_f(sni_expander *x, sn_dtype dtype, double value);  // exact in the dtype
sni_value sni_put_i(sni_expander *x, sn_dtype dtype, int64_t value);
sn_dtype sni_value_dtype(const sni_expander *x, sni_value value);
// Whether value is an integer constant.
bool sni_value_is_constant(const sni_expander *x, sni_value value, int64_t *out_i);
// The result has the dtype of the last operand.
sni_value sni_put1(sni_expander *x, sni_kop op, sni_value a);
sni_value sni_put2(sni_expander *x, sni_kop op, sni_value a, sni_value b);
sni_value sni_put3(sni_expander *x, sni_kop op, sni_value a, sni_value b, sni_value c);
sni_value sni_put_compare(sni_expander *x, sni_kop op, sni_value a, sni_value b);  // EQ LT LE
// op: CAST or BITCAST
sni_value sni_put_convert(sni_expander *x, sni_kop op, sn_dtype dtype, sni_value a);
// coefficient[0] + v (coefficient[1] + v (...)), by fma from the highest.
sni_value sni_put_horner(sni_expander *x, sni_value v, const double *coefficient, int count);
// The integer dtype as wide as a float dtype, and the way there and back.
sn_dtype sni_bits_dtype(sn_dtype dtype);
sni_value sni_put_bits(sni_expander *x, sni_value a);
sni_value sni_put_float(sni_expander *x, sn_dtype dtype, sni_value bits);
// The sign alone, in the bits of a; and a value without a sign that is given one.
sni_value sni_put_sign_bit(sni_expander *x, sni_value a);
sni_value sni_put_with_sign(sni_expander *x, sni_value a, sni_value sign_bit);

// ---- operations
// op: MATH; v: its operands.
sni_value sni_expand_math(sni_expander *x, sni_kop op, sn_dtype dtype, const sni_value *v);
sni_value sni_expand_exp(sni_expander *x, sni_value a);
sni_value sni_expand_expm1(sni_expander *x, sni_value a);
sni_value sni_expand_tanh(sni_expander *x, sni_value a);
sni_value sni_expand_sigmoid(sni_expander *x, sni_value a);
sni_value sni_expand_log(sni_expander *x, sni_value a);
sni_value sni_expand_log1p(sni_expander *x, sni_value a);
sni_value sni_expand_sin(sni_expander *x, sni_value a);
sni_value sni_expand_cos(sni_expander *x, sni_value a);
sni_value sni_expand_erf(sni_expander *x, sni_value a);
sni_value sni_expand_pow_float(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_pow_integer(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_trunc(sni_expander *x, sni_value a);
sni_value sni_expand_floor_div(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_floor_mod(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_sar(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_exp2(sni_expander *x, sni_value a);
sni_value sni_expand_log2(sni_expander *x, sni_value a);
sni_value sni_expand_log10(sni_expander *x, sni_value a);
sni_value sni_expand_logaddexp(sni_expander *x, bool base_2, sni_value a, sni_value b);
sni_value sni_expand_cbrt(sni_expander *x, sni_value a);
sni_value sni_expand_hypot(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_tan(sni_expander *x, sni_value a);
sni_value sni_expand_asin(sni_expander *x, sni_value a);
sni_value sni_expand_acos(sni_expander *x, sni_value a);
sni_value sni_expand_atan(sni_expander *x, sni_value a);
sni_value sni_expand_atan2(sni_expander *x, sni_value a, sni_value b);
sni_value sni_expand_sinh(sni_expander *x, sni_value a);
sni_value sni_expand_cosh(sni_expander *x, sni_value a);
sni_value sni_expand_asinh(sni_expander *x, sni_value a);
sni_value sni_expand_acosh(sni_expander *x, sni_value a);
sni_value sni_expand_atanh(sni_expander *x, sni_value a);
sni_value sni_expand_erfc(sni_expander *x, sni_value a);
sni_value sni_expand_erfinv(sni_expander *x, sni_value a);
sni_value sni_expand_lgamma(sni_expander *x, sni_value a);
sni_value sni_expand_digamma(sni_expander *x, sni_value a);
sni_value sni_expand_trigamma(sni_expander *x, sni_value a);

// ---- parts of them
// exp(a) for a that are not NaN and whose exp is a normal number.
sni_value sni_expand_exp_core(sni_expander *x, sni_value a);
// exp(a) / 2 for a >= 0, infinite where it is too large; NaN for NaN.
sni_value sni_expand_half_exp(sni_expander *x, sni_value a);
// exp(a + tail) of f64 for a in [-746, 710] and |tail| <= 2^-40, not NaN; wherever it is between 0
// and infinity, the tail is below the last place of a.
sni_value sni_expand_exp_pair(sni_expander *x, sni_value a, sni_value tail);
// e^(a + tail) (factor + low) for a of f64 in [-746, 700], a factor of some 2^-8 to 2, rounded nearly once.
sni_value sni_expand_exp_times(sni_expander *x, sni_value a, sni_value tail, sni_value factor,
                               sni_value low);
// y where a is in (0, inf); a itself for inf, -inf at 0, NaN for the rest.
sni_value sni_put_log_limits(sni_expander *x, sni_value a, sni_value y);
// a > 0, an f64 and normal: a = 2^k m with m in [first, 2 first); the bits of `first` given. lift: a
// bool or SNI_NO_VALUE: a carries 2^1074.
void sni_put_split(sni_expander *x, sni_value a, int64_t first, sni_value lift, sni_value *out_k,
                   sni_value *out_m);
#define SNI_TWO_THIRDS_BITS INT64_C(0x3fe5555555555555)
#define SNI_SQRT_HALF_BITS INT64_C(0x3fe6a09e667f3bcd)
// For a denormal a > 0: a 2^149 (f32) or a 2^1074, a normal number. Else some number.
sni_value sni_put_lifted(sni_expander *x, sni_value a);
// a, but 0 where it is so small that a is f(a) of every f with f(x) = x + O(x^2); there
// *out_small (bool) holds.
sni_value sni_put_unless_small(sni_expander *x, sni_value a, sni_value *out_small);

#endif
