// Arithmetic and functions of numbers, element by element. What all ops have in common: ops.h.
#ifndef SINTER_OPS_MATH_H
#define SINTER_OPS_MATH_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- element-wise, one operand: x of any shape, y of the same
// sign, floor, ceil, round and trunc have a derivative of 0 and no rule: they cut the path. An input that
// is reached only through them is unconnected: an error, or NULL or zeros by .unconnected. So is x
// in the second derivative of sn_abs (of reals) or sn_relu alone.
SN_API sn_tensor *sn_neg(sn_tensor *x);  // -x. numbers. VJP: -dy.
SN_API sn_tensor *sn_abs(sn_tensor *x);  // |x|, real. numbers. VJP: dy * sign(x); 0 at 0.
SN_API sn_tensor *sn_sign(
    sn_tensor *x);  // -1, 0 or 1; NaN for NaN. numbers. Cuts; complex: x / |x|, which does not.
SN_API sn_tensor *sn_sqrt(sn_tensor *x);    // floats and complex. VJP: dy / (2 y): inf at 0.
SN_API sn_tensor *sn_rsqrt(sn_tensor *x);   // 1 / sqrt(x). floats and complex. VJP: dy * -y^3 / 2.
SN_API sn_tensor *sn_square(sn_tensor *x);  // x * x. numbers. VJP: 2 x dy.
SN_API sn_tensor *sn_reciprocal(sn_tensor *x);  // 1 / x. floats and complex. VJP: -dy y^2.
// The greatest integer <= x; the least one >= x; the nearest, ties to even; x without its fraction.
// reals; integers: x itself, as in NumPy 2. Cuts the path.
SN_API sn_tensor *sn_floor(sn_tensor *x);
SN_API sn_tensor *sn_ceil(sn_tensor *x);
SN_API sn_tensor *sn_round(sn_tensor *x);
SN_API sn_tensor *sn_trunc(sn_tensor *x);
SN_API sn_tensor *sn_exp(sn_tensor *x);    // floats and complex, <= 2 ULP (floats). VJP: dy * y.
SN_API sn_tensor *sn_expm1(sn_tensor *x);  // exp(x) - 1. floats and complex. VJP: dy * (y + 1).
SN_API sn_tensor *sn_log(
    sn_tensor *x);  // natural. floats and complex, <= 2 ULP (floats). VJP: dy / x.
SN_API sn_tensor *sn_log1p(sn_tensor *x);  // log(1 + x). floats and complex. VJP: dy / (1 + x).
// x in radians. floats and complex, of floats <= 2 ULP for every x; more than 2^45 takes some 15 times as long.
// NaN for inf. VJP: dy * cos(x); -dy * sin(x).
SN_API sn_tensor *sn_sin(sn_tensor *x);
SN_API sn_tensor *sn_cos(sn_tensor *x);
SN_API sn_tensor *sn_tanh(
    sn_tensor *x);  // floats and complex, <= 2 ULP (floats). VJP: dy * (1 - y^2).
SN_API sn_tensor *sn_sigmoid(sn_tensor *x);   // 1 / (1 + exp(-x)). floats. VJP: dy * y * (1 - y).
SN_API sn_tensor *sn_erf(sn_tensor *x);       // floats. VJP: dy * 2 / sqrt(pi) * exp(-x^2).
SN_API sn_tensor *sn_identity(sn_tensor *x);  // x, of any dtype. VJP: dy.

// ---- mathematical functions, one operand: values at zeros, infinities and NaN as C11 Annex F has them
// Errors are those of f32 (16-bit floats: rounded from it) and f64, in ULP.
SN_API sn_tensor *sn_exp2(sn_tensor *x);   // 2^x. floats, <= 1 ULP. VJP: dy y ln 2.
SN_API sn_tensor *sn_log2(sn_tensor *x);   // base 2. floats, <= 1 ULP. VJP: dy / (x ln 2).
SN_API sn_tensor *sn_log10(sn_tensor *x);  // base 10. floats, <= 1 ULP. VJP: dy / (x ln 10).
// Cube root. floats, <= 1 ULP. VJP: dy / (3 y^2): inf at 0.
SN_API sn_tensor *sn_cbrt(sn_tensor *x);
// x in radians. floats, <= 2 ULP (f64 beyond 2^45: 4); NaN for inf. VJP: dy (1 + y^2).
SN_API sn_tensor *sn_tan(sn_tensor *x);
// Inverse sine, in [-pi/2, pi/2]. floats, <= 2 ULP; NaN outside of [-1, 1]. VJP: dy / sqrt(1 - x^2): inf
// at +-1.
SN_API sn_tensor *sn_asin(sn_tensor *x);
// Inverse cosine, in [0, pi]. floats, <= 2 ULP; NaN outside of [-1, 1]. VJP: -dy / sqrt(1 - x^2): -inf at
// +-1.
SN_API sn_tensor *sn_acos(sn_tensor *x);
// Inverse tangent, in [-pi/2, pi/2]. floats, <= 2 ULP. VJP: dy / (1 + x^2).
SN_API sn_tensor *sn_atan(sn_tensor *x);
SN_API sn_tensor *sn_sinh(sn_tensor *x);  // floats, <= 2 ULP. VJP: dy cosh(x).
SN_API sn_tensor *sn_cosh(sn_tensor *x);  // floats, <= 2 ULP. VJP: dy sinh(x).
// Inverse hyperbolic sine. floats, <= 2 ULP. VJP: dy / sqrt(x^2 + 1).
SN_API sn_tensor *sn_asinh(sn_tensor *x);
// Inverse hyperbolic cosine. floats, <= 2 ULP; NaN below 1. VJP: dy / sqrt(x^2 - 1): inf at 1.
SN_API sn_tensor *sn_acosh(sn_tensor *x);
// Inverse hyperbolic tangent. floats, <= 2 ULP; +-inf at +-1, NaN beyond. VJP: dy / (1 - x^2): inf at +-1.
SN_API sn_tensor *sn_atanh(sn_tensor *x);
// 1 - erf(x), accurate in its tail. floats, <= 2 ULP. VJP: -dy 2/sqrt(pi) exp(-x^2). Source:
// Shepherd & Laframboise 1981, with coefficients of our own.
SN_API sn_tensor *sn_erfc(sn_tensor *x);
// y with erf(y) = x. floats, <= 2 ULP; +-inf at +-1, NaN beyond. VJP: dy sqrt(pi)/2 exp(y^2): inf at +-1.
SN_API sn_tensor *sn_erfinv(sn_tensor *x);
// log |gamma(x)|. floats, <= 2 ULP (f64: 3); beside its zeros below 0 and, of f64, in (1, 2) of the terms
// that cancel: f64 2^-50 of them, f32 2^-32. inf at 0, at negative integers and at +-inf. VJP: dy
// digamma(x).
SN_API sn_tensor *sn_lgamma(sn_tensor *x);
// The derivative of lgamma. floats, <= 2 ULP of the largest of |y|, 1 (f32: 2^-10) and what
// cancels below 0. -inf at 0, inf at -0, NaN at negative integers, as SciPy's psi. VJP: dy trigamma(x).
SN_API sn_tensor *sn_digamma(sn_tensor *x);
// The derivative of digamma, polygamma(1, x). floats, <= 2 ULP. inf at 0 and negative integers.
// VJP: dy polygamma(2, x), by a series that has all further derivatives.
SN_API sn_tensor *sn_trigamma(sn_tensor *x);
// The n-th derivative of digamma, n! times the sum of (x + k)^-(n + 1) with alternating sign, for n in [0,
// 20]. floats; n = 0 and 1 are sn_digamma and sn_trigamma, others are <= 32 ULP and NaN below 0. Errors:
// SN_ERR_ARGUMENT (n). VJP: dy polygamma(n + 1, x). Source: Euler and Maclaurin's sum.
SN_API sn_tensor *sn_polygamma(int n, sn_tensor *x);
// sin(pi x) / (pi x), NumPy's: 1 at 0, 0 at 1, -1, 2, ... floats, <= 4 ULP. VJP: dy (cos(pi x) - y) / x,
// by a series near 0, so that it is accurate there: 0 at 0.
SN_API sn_tensor *sn_sinc(sn_tensor *x);
SN_API sn_tensor *sn_deg2rad(sn_tensor *x);  // x pi / 180. floats. VJP: dy pi / 180.
SN_API sn_tensor *sn_rad2deg(sn_tensor *x);  // x 180 / pi. floats. VJP: dy 180 / pi.
// The greatest common divisor of |a| and |b|, 0 of two zeros. integers; they broadcast; of the least integer and itself or 0 it wraps. No gradient. Source:
// NumPy gcd.
SN_API sn_tensor *sn_gcd(sn_tensor *a, sn_tensor *b);
// The least common multiple of |a| and |b|, 0 where either is. integers, which wrap; they broadcast. No gradient. Source: NumPy lcm.
SN_API sn_tensor *sn_lcm(sn_tensor *a, sn_tensor *b);
// The number of bits of |x| that are set, as u8, NumPy's. integers. No gradient.
SN_API sn_tensor *sn_bitwise_count(sn_tensor *x);
// NaN becomes 0, +-inf the greatest or least finite number of the dtype. floats. VJP: dy where x is
// finite, else 0. For other numbers: sn_where.
SN_API sn_tensor *sn_nan_to_num(sn_tensor *x);
// min(max(x, low), high), also where low > high. reals; low and high become x's dtype as in sn_full; NaN
// stays. VJP: dy inside and at both bounds (TensorFlow's), 0 outside; NaN where x is NaN.
SN_API sn_tensor *sn_clip(sn_tensor *x, double low, double high);

// Converts any dtype to dtype: float to integer truncates and saturates, NaN gives 0; integer to integer wraps;
// what becomes a float is rounded once, to nearest; to bool: x != 0; to complex: each part, x + 0i.
// Errors: SN_ERR_DTYPE (no dtype; complex to integers and floats: sn_real and sn_abs). VJP: cast back for
// floats and complex, of what was real the real part; integers and bools cut the path.
SN_API sn_tensor *sn_cast(sn_tensor *x, sn_dtype dtype);
// The bits of x as another dtype, of reals. Of a narrower one there is one more dim, the last, of the parts of each element, the lowest bits
// first; to a wider one x's last dim are such parts, and is dropped. Errors: SN_ERR_DTYPE (bool, complex), SN_ERR_SHAPE (that dim; rank).
// No gradient. Source: TensorFlow 2 tf.bitcast.
SN_API sn_tensor *sn_bitcast(sn_tensor *x, sn_dtype dtype);

// ---- element-wise, two operands: a and b broadcast; a VJP sums over what was repeated
// numbers; integers wrap. VJP: dy, dy; dy, -dy; dy b, dy a.
SN_API sn_tensor *sn_add(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_sub(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_mul(sn_tensor *a, sn_tensor *b);
// a / b. numbers. Floats: IEEE; integers: truncates, x / 0 = 0, MIN / -1 = MIN. VJP: dy / b, -y dy / b.
SN_API sn_tensor *sn_div(sn_tensor *a, sn_tensor *b);
// C's fmod / %: the sign of a. reals; integers: x % 0 = 0. VJP: dy; -dy trunc(a / b).
SN_API sn_tensor *sn_rem(sn_tensor *a, sn_tensor *b);
// a^b. numbers. Floats: C's pow; integers: wraps, and a negative exponent gives 0, except that 1^b = 1 and
// (-1)^b = +-1; complex: e^(b log a), by multiplying where b is an integer of less than 8 and has no
// imaginary part, 0^b = 0 where Re b > 0, NaN else, but 0^0 = 1. VJP: dy b a^(b - 1), 0 where b is 0; dy y
// log(a), 0 where a <= 0 (complex: where a is 0).
SN_API sn_tensor *sn_pow(sn_tensor *a, sn_tensor *b);
// reals. NaN if either is. VJP: dy to the one chosen, 0 to the other; ties go to a; NaN
// to both where the result is NaN.
SN_API sn_tensor *sn_maximum(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_minimum(sn_tensor *a, sn_tensor *b);
// Python's //: floor(a / b), from the remainder, so that 1.0 // 0.1 is 9. reals. Floats: a / b where b is
// 0; integers: x // 0 = 0, MIN // -1 = MIN. Cuts the path.
SN_API sn_tensor *sn_floor_div(sn_tensor *a, sn_tensor *b);
// Python's %: a - floor(a / b) b, with the sign of b, of 0 too; exact before a + b is rounded. reals;
// integers: x % 0 = 0. VJP: dy; -dy floor(a / b).
SN_API sn_tensor *sn_floor_mod(sn_tensor *a, sn_tensor *b);
// The angle of the point (x, y), in [-pi, pi]: C's atan2, all signs of zeros and infinities. floats, <= 2
// ULP. VJP: dy x / (x^2 + y^2) to y, -dy y / (x^2 + y^2) to x, without overflow; 0 at (0, 0).
SN_API sn_tensor *sn_atan2(sn_tensor *y, sn_tensor *x);
// sqrt(a^2 + b^2), without overflow or underflow; inf where either is, even with NaN. floats, <= 2 ULP.
// VJP: dy a / y; dy b / y; 0 at (0, 0).
SN_API sn_tensor *sn_hypot(sn_tensor *a, sn_tensor *b);
// log(exp(a) + exp(b)), stable. floats, <= 4 ULP of the largest of |a|, |b| and |y|. Equal infinities: that
// infinity. VJP: dy sigmoid(a - b); dy sigmoid(b - a); 1/2 to each of equal infinities.
SN_API sn_tensor *sn_logaddexp(sn_tensor *a, sn_tensor *b);
// log2(2^a + 2^b), else as sn_logaddexp. floats. VJP: dy sigmoid((a - b) ln 2); dy sigmoid((b - a) ln 2).
SN_API sn_tensor *sn_logaddexp2(sn_tensor *a, sn_tensor *b);
// x log(y), but 0 where x is 0 and y is not NaN. floats. VJP: dy log(y), 0 where x is 0 and y is not in
// (0, inf) or NaN; dy x / y, 0 there too.
SN_API sn_tensor *sn_xlogy(sn_tensor *x, sn_tensor *y);
// x log(1 + y), but 0 where x is 0 and y is not NaN. floats. VJP: dy log1p(y), 0 where x is 0 and y not in
// (-1, inf) or NaN; dy x / (1 + y), 0 there too.
SN_API sn_tensor *sn_xlog1py(sn_tensor *x, sn_tensor *y);
// |a| with the sign of b, also of -0 and NaN. floats. VJP: dy where a has b's sign, else -dy; 0 at 0; none
// to b.
SN_API sn_tensor *sn_copysign(sn_tensor *a, sn_tensor *b);
// The float next to a towards b; b where they are equal, NaN where either is. floats. No gradient.
SN_API sn_tensor *sn_nextafter(sn_tensor *a, sn_tensor *b);
// (a - b)^2. numbers; integers wrap. VJP: 2 dy (a - b); -2 dy (a - b).
SN_API sn_tensor *sn_squared_difference(sn_tensor *a, sn_tensor *b);
// a / b, but 0 where b is 0, whatever a is. floats. VJP: dy / b; -dy y / b; 0 where b is 0.
SN_API sn_tensor *sn_divide_no_nan(sn_tensor *a, sn_tensor *b);
// a 2^b; a / 2^b rounded down (unsigned: the bits move in with zeros). integers; b is a count: where it is
// negative or not less than the width the result is 0, and -1 of negative a shifted right. No gradient.
SN_API sn_tensor *sn_shift_left(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_shift_right(sn_tensor *a, sn_tensor *b);
// x + value, x * value, x^value. numbers; value becomes x's dtype as in sn_full. VJP: dy;
// dy value; dy value x^(value - 1).
SN_API sn_tensor *sn_add_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_mul_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_pow_scalar(sn_tensor *x, double value);
// x - value, value - x, x / value, value / x. numbers; value becomes x's dtype
// as in sn_full; results as in sn_sub and sn_div. VJP: theirs to x.
SN_API sn_tensor *sn_sub_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rsub_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_div_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rdiv_scalar(sn_tensor *x, double value);
// x rem value. reals; likewise, as sn_rem. VJP: its to x.
SN_API sn_tensor *sn_rem_scalar(sn_tensor *x, double value);
// value^x. numbers; value becomes x's dtype as in sn_full; results as in sn_pow. VJP: dy y log(value), 0 where
// value <= 0.
SN_API sn_tensor *sn_rpow_scalar(sn_tensor *x, double value);
// value rem x. reals; likewise, as sn_rem. VJP: -dy trunc(value / x).
SN_API sn_tensor *sn_rrem_scalar(sn_tensor *x, double value);
// x // value, value // x. reals; value becomes x's dtype as in sn_full; results as in sn_floor_div. Cuts
// the path.
SN_API sn_tensor *sn_floor_div_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rfloor_div_scalar(sn_tensor *x, double value);
// x % value, value % x. reals; value becomes x's dtype as in sn_full; results as in sn_floor_mod. VJP: dy;
// -dy floor(value / x).
SN_API sn_tensor *sn_floor_mod_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rfloor_mod_scalar(sn_tensor *x, double value);
// x shifted by count, any number. integers; results as in sn_shift_left and sn_shift_right. No gradient.
SN_API sn_tensor *sn_shift_left_scalar(sn_tensor *x, int64_t count);
SN_API sn_tensor *sn_shift_right_scalar(sn_tensor *x, int64_t count);
// value shifted by x. integers; value wraps to x's dtype; results as in sn_shift_left and sn_shift_right.
// No gradient.
SN_API sn_tensor *sn_rshift_left_scalar(sn_tensor *x, int64_t value);
SN_API sn_tensor *sn_rshift_right_scalar(sn_tensor *x, int64_t value);
// The larger, the smaller of x and value. reals; value becomes x's dtype as in sn_full; NaN
// if either is. VJP: dy where x was taken, ties included, else 0; NaN where the result is NaN.
SN_API sn_tensor *sn_maximum_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_minimum_scalar(sn_tensor *x, double value);

SNI_EXTERN_C_END
#endif
