// Short names for the builder of expand.h, for expansions that are mostly formulas; and what those
// that compute in f64 share. Private to codegen/expand.
#ifndef SNI_CODEGEN_EXPAND_TERMS_H
#define SNI_CODEGEN_EXPAND_TERMS_H

#include "codegen/expand/expand.h"

#include <math.h>

static inline sni_value f64(sni_expander *x, double value) {
  return sni_put_f(x, SN_F64, value);
}
static inline sni_value i64(sni_expander *x, int64_t value) {
  return sni_put_i(x, SN_I64, value);
}
// value in the dtype of `like`, a float.
static inline sni_value number(sni_expander *x, sni_value like, double value) {
  return sni_put_f(x, sni_value_dtype(x, like), value);
}
static inline sni_value add(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_ADD, a, b);
}
static inline sni_value sub(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_SUB, a, b);
}
static inline sni_value mul(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_MUL, a, b);
}
static inline sni_value quotient(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_DIV, a, b);
}
static inline sni_value fma3(sni_expander *x, sni_value a, sni_value b, sni_value c) {
  return sni_put3(x, SNI_KOP_FMA, a, b, c);
}
static inline sni_value negated(sni_expander *x, sni_value a) {
  return sni_put1(x, SNI_KOP_NEG, a);
}
static inline sni_value magnitude_of(sni_expander *x, sni_value a) {
  return sni_put1(x, SNI_KOP_ABS, a);
}
static inline sni_value root(sni_expander *x, sni_value a) {
  return sni_put1(x, SNI_KOP_SQRT, a);
}
static inline sni_value least(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_MIN, a, b);
}
static inline sni_value greatest(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_MAX, a, b);
}
static inline sni_value select(sni_expander *x, sni_value c, sni_value a, sni_value b) {
  return sni_put3(x, SNI_KOP_SELECT, c, a, b);
}
static inline sni_value less(sni_expander *x, sni_value a, sni_value b) {
  return sni_put_compare(x, SNI_KOP_LT, a, b);
}
static inline sni_value at_most(sni_expander *x, sni_value a, sni_value b) {
  return sni_put_compare(x, SNI_KOP_LE, a, b);
}
static inline sni_value equal(sni_expander *x, sni_value a, sni_value b) {
  return sni_put_compare(x, SNI_KOP_EQ, a, b);
}
static inline sni_value both(sni_expander *x, sni_value a, sni_value b) {
  return sni_put2(x, SNI_KOP_AND, a, b);
}

// a as f64, and an f64 value rounded to dtype: nothing for f64.
static inline sni_value widened(sni_expander *x, sni_value a) {
  return sni_value_dtype(x, a) == SN_F64 ? a : sni_put_convert(x, SNI_KOP_CAST, SN_F64, a);
}
static inline sni_value rounded_to(sni_expander *x, sn_dtype dtype, sni_value y) {
  return dtype == SN_F64 ? y : sni_put_convert(x, SNI_KOP_CAST, dtype, y);
}
// t^2 for a series that starts with 1: of small t that of one whose square is no denormal.
static inline sni_value square_of(sni_expander *x, sni_value t) {
  const sni_value above = greatest(x, t, number(x, t, 0x1p-40));
  return mul(x, above, above);
}
// One of two tables of coefficients; all have those of f32 shorter, for f64 arithmetic.
#define SNI_POLYNOMIAL(x, single, v, name)                               \
  ((single) ? sni_put_horner(x, v, name##_f32, SNI_COUNT_OF(name##_f32)) \
            : sni_put_horner(x, v, name##_f64, SNI_COUNT_OF(name##_f64)))

// A number as the sum of two of f64. low SNI_NO_VALUE: none (f32 has digits to spare).
typedef struct sni_pair {
  sni_value high, low;
} sni_pair;

// head + low_of_head + v times the rest of a polynomial in v, whose first coefficient is that head; no more than half of it
// is lost, so that the difference is exact.
static inline sni_pair sni_put_headed(sni_expander *x, sni_value v, const double *coefficients,
                                      int count, double low_of_head) {
  const sni_value head = f64(x, coefficients[0]),
                  rest = sni_put_horner(x, v, coefficients + 1, count - 1);
  const sni_value sum = fma3(x, v, rest, head);
  return (sni_pair){sum, add(x, fma3(x, v, rest, sub(x, head, sum)), f64(x, low_of_head))};
}
// n / d for d of normal size; one division.
static inline sni_pair sni_put_divided(sni_expander *x, sni_pair n, sni_pair d) {
  const sni_value inverse = quotient(x, f64(x, 1), d.high), y = mul(x, n.high, inverse);
  if (n.low == SNI_NO_VALUE) return (sni_pair){y, SNI_NO_VALUE};
  const sni_value minus = negated(x, y);
  const sni_value rest = add(x, fma3(x, minus, d.high, n.high), fma3(x, minus, d.low, n.low));
  return (sni_pair){y, mul(x, rest, inverse)};
}
static inline sni_pair sni_put_product(sni_expander *x, sni_pair a, sni_pair b) {
  const sni_value y = mul(x, a.high, b.high);
  if (a.low == SNI_NO_VALUE) return (sni_pair){y, SNI_NO_VALUE};
  const sni_value cross = fma3(x, a.high, b.low, mul(x, a.low, b.high));
  return (sni_pair){y, add(x, fma3(x, a.high, b.high, negated(x, y)), cross)};
}
// a + b, rounded once (Knuth's TwoSum); infinite where they are.
static inline sni_value sni_put_sum(sni_expander *x, sni_pair a, sni_pair b) {
  const sni_value y = add(x, a.high, b.high);
  if (a.low == SNI_NO_VALUE) return y;
  const sni_value of_b = sub(x, y, a.high), of_a = sub(x, y, of_b);
  const sni_value lost = add(x, sub(x, a.high, of_a), sub(x, b.high, of_b));
  const sni_value more = add(x, lost, add(x, a.low, b.low));
  const sni_value finite = less(x, magnitude_of(x, y), f64(x, INFINITY));
  return add(x, y, select(x, finite, more, f64(x, 0)));
}

#endif
