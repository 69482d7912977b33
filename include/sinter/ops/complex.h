// Complex numbers: c64 and c128, pairs of f32 and f64. What all ops have in common: ops.h.
#ifndef SINTER_OPS_COMPLEX_H
#define SINTER_OPS_COMPLEX_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// Beside these ops, complex are: neg, abs (real), sign, sqrt, rsqrt, square, reciprocal, exp, expm1, log,
// log1p, sin, cos, tanh, add, sub, mul, div, pow, equal, not_equal, where, is_nan, cast; sum, mean, prod,
// var and std (real), cumsum, cumprod; matmul, conv; gathers, sums and updates of
// scatters and segments; all of shape. What asks which of
// two numbers is greater refuses them.
// Arithmetic is NumPy's: products are the four real ones, without regard to infinities (inf + 0i times
// 1 + 0i is inf + nan i), quotients Smith's (1962), without overflow on the way; x / 0 divides each part
// by 0. Products of elements are taken one after the other. Functions have C99's branch cuts and signs of
// zeros, and its infinities where one part decides; c64 compute them in f64. sqrt, exp, log, sin, cos and
// tanh are within some 1e-15 (c128) of the size of the result.
// Gradient of a real y with respect to x = a + bi: dy/da + i dy/db (as in PyTorch and TensorFlow; half of
// it is the derivative by conj(x)), so that x - rate * gradient descends. A VJP that says dy * f, or
// dy / f, means conj(f) of complex f.

// re + i im. f32 or f64 -> c64 or c128; they broadcast. VJP: sn_real(dy), sn_imag(dy).
SN_API sn_tensor *sn_complex(sn_tensor *re, sn_tensor *im);
// The real part; of reals x itself. numbers. c64 -> f32, c128 -> f64. VJP: dy + 0i.
SN_API sn_tensor *sn_real(sn_tensor *x);
// The imaginary part. complex alone. VJP: 0 + i dy.
SN_API sn_tensor *sn_imag(sn_tensor *x);
// re - i im; of reals x itself. numbers. VJP: sn_conj(dy).
SN_API sn_tensor *sn_conj(sn_tensor *x);
// The angle to the positive real axis, in [-pi, pi], real: C's atan2(im, re), within 2 ULP. complex alone.
// VJP: i dy x / |x|^2.
SN_API sn_tensor *sn_angle(sn_tensor *x);
// r cos(angle) + i r sin(angle). f32 or f64 -> c64 or c128; they broadcast. VJP: by the chain rule.
SN_API sn_tensor *sn_polar(sn_tensor *r, sn_tensor *angle);

SNI_EXTERN_C_END
#endif
