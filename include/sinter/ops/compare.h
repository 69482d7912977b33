// Comparisons, logic, and the choice between two values, element by element. What all ops have in common: ops.h.
#ifndef SINTER_OPS_COMPARE_H
#define SINTER_OPS_COMPARE_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- comparisons
// bool result; NaN differs from everything. any dtype. No gradient.
SN_API sn_tensor *sn_equal(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_not_equal(sn_tensor *a, sn_tensor *b);
// bool result; false where either is NaN. reals. No gradient.
SN_API sn_tensor *sn_less(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_less_equal(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_greater(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_greater_equal(sn_tensor *a, sn_tensor *b);
// Logical for bool, bitwise for integers. No gradient.
SN_API sn_tensor *sn_and(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_or(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_xor(sn_tensor *a, sn_tensor *b);
// condition (bool) ? a : b, element by element; all three broadcast; a and b of any dtype, both the same.
// VJP: dy to the side chosen, 0 to the other.
SN_API sn_tensor *sn_where(sn_tensor *condition, sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_not(sn_tensor *x);  // logical for bool, bitwise for integers. No gradient.
// Whether either part is NaN: a bool. floats and complex. No gradient.
SN_API sn_tensor *sn_is_nan(sn_tensor *x);
SN_API sn_tensor *sn_is_inf(sn_tensor *x);  // inf or -inf. bool result. floats. No gradient.
// neither inf nor NaN. bool result. floats. No gradient.
SN_API sn_tensor *sn_is_finite(sn_tensor *x);
// The sign bit, also of -0 and NaN. bool result. floats. No gradient.
SN_API sn_tensor *sn_signbit(sn_tensor *x);
// |a - b| <= atol + rtol |b| where b is finite, else a = b; equal_nan: or both are NaN. Bool result.
// floats; the tolerances become a's dtype as in sn_full. Errors: SN_ERR_ARGUMENT (a tolerance that is not
// >= 0). No gradient.
SN_API sn_tensor *sn_is_close(sn_tensor *a, sn_tensor *b, double rtol, double atol, bool equal_nan);
// Logical for bool, bitwise for integers: x and value, which wraps to x's dtype; of bools it is value
// != 0. No gradient.
SN_API sn_tensor *sn_and_scalar(sn_tensor *x, int64_t value);
SN_API sn_tensor *sn_or_scalar(sn_tensor *x, int64_t value);
SN_API sn_tensor *sn_xor_scalar(sn_tensor *x, int64_t value);
// x compared with value, which is rounded to a float dtype; an integer or bool dtype must have it
// exactly, else SN_ERR_ARGUMENT. Bool result. any dtype. No gradient.
SN_API sn_tensor *sn_equal_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_not_equal_scalar(sn_tensor *x, double value);
// The same, of reals. Errors: as sn_equal_scalar. No gradient.
SN_API sn_tensor *sn_less_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_less_equal_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_greater_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_greater_equal_scalar(sn_tensor *x, double value);
// condition (bool) ? x : value; x of any dtype, which value becomes as in sn_full. VJP: dy where x
// was taken, else 0.
SN_API sn_tensor *sn_where_scalar(sn_tensor *condition, sn_tensor *x, double value);
// condition (bool) ? value : x; x of any dtype, which value becomes as in sn_full. VJP: dy where x was
// taken, else 0.
SN_API sn_tensor *sn_rwhere_scalar(sn_tensor *condition, double value, sn_tensor *x);

SNI_EXTERN_C_END
#endif
