// Arithmetic and functions of numbers, element by element. What all ops have in common: ops.h.
#ifndef SINTER_OPS_MATH_H
#define SINTER_OPS_MATH_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- element-wise, one operand: x of any shape, y of the same
// sign, floor, ceil and round have a derivative of 0 and no rule: they cut the path. An input that
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
SN_API sn_tensor *sn_floor(sn_tensor *x);       // floats. Cuts the path.
SN_API sn_tensor *sn_ceil(sn_tensor *x);        // floats. Cuts the path.
SN_API sn_tensor *sn_round(sn_tensor *x);       // to nearest, ties to even. floats. Cuts the path.
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
// Converts any dtype to dtype: float to integer truncates and saturates, NaN gives 0; integer to integer wraps;
// what becomes a float is rounded once, to nearest; to bool: x != 0; to complex: each part, x + 0i.
// Errors: SN_ERR_DTYPE (no dtype; complex to integers and floats: sn_real and sn_abs). VJP: cast back for
// floats and complex, of what was real the real part; integers and bools cut the path.
SN_API sn_tensor *sn_cast(sn_tensor *x, sn_dtype dtype);

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
// The larger, the smaller of x and value. reals; value becomes x's dtype as in sn_full; NaN
// if either is. VJP: dy where x was taken, ties included, else 0; NaN where the result is NaN.
SN_API sn_tensor *sn_maximum_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_minimum_scalar(sn_tensor *x, double value);

SNI_EXTERN_C_END
#endif
