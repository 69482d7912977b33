// Arithmetic of pairs, in graph ops: sums and products in the dtype of the parts, quotients and
// magnitudes in f64, whose range holds what squares of f32 are; of f64 itself they are scaled by powers
// of two.
//
// Invariant: the formulas are the same in every mode, for one pass writes them down. Products are the
// four real ones without regard to infinities, and quotients Smith's, as NumPy's are.
#include "passes/graph/complex.h"

#include <math.h>

static sn_dtype part_of(const sni_build *b, sni_pair x) {
  return sni_build_type(b, x.re).dtype;
}

static sni_node_id abs_of(sni_build *b, sni_node_id x) {
  return sni_build_unary(b, SNI_OP_ABS, x);
}

static sni_node_id with(sni_build *b, sni_op op, sni_node_id x, double value) {
  return sni_build_binary(b, op, x, sni_build_scalar(b, sni_build_type(b, x).dtype, value));
}

static sni_node_id number(sni_build *b, double value) {
  return sni_build_scalar(b, SN_F64, value);
}

// ---- part by part
sni_pair sni_pair_cast(sni_build *b, sni_pair x, sn_dtype part) {
  const sni_node_id re = sni_build_cast(b, x.re, part);
  return (sni_pair){re, sni_build_cast(b, x.im, part)};
}

sni_pair sni_pair_map(sni_build *b, sni_op op, sni_pair x, sni_pair y, int n_operands) {
  const sni_node_id re[2] = {x.re, y.re}, im[2] = {x.im, y.im};
  const sni_node_id first = sni_build_pointwise(b, op, re, n_operands, NULL);
  return (sni_pair){first, sni_build_pointwise(b, op, im, n_operands, NULL)};
}

sni_pair sni_pair_conj(sni_build *b, sni_pair x) {
  return (sni_pair){x.re, sni_build_neg(b, x.im)};
}

sni_node_id sni_pair_equal(sni_build *b, sni_pair x, sni_pair y) {
  const sni_node_id re = sni_build_binary(b, SNI_OP_EQ, x.re, y.re);
  return sni_build_binary(b, SNI_OP_AND, re, sni_build_binary(b, SNI_OP_EQ, x.im, y.im));
}

// ---- products
sni_pair sni_pair_mul(sni_build *b, sni_pair x, sni_pair y) {
  const sni_node_id rr = sni_build_mul(b, x.re, y.re), ii = sni_build_mul(b, x.im, y.im);
  const sni_node_id ri = sni_build_mul(b, x.re, y.im), ir = sni_build_mul(b, x.im, y.re);
  const sni_node_id re = sni_build_sub(b, rr, ii);
  return (sni_pair){re, sni_build_add(b, ri, ir)};
}

// Smith 1962: by the larger part of y, so that no square is taken. By zero each part is divided by 0.
sni_pair sni_pair_quotient(sni_build *b, sni_pair x, sni_pair y) {
  const sni_node_id c = abs_of(b, y.re), d = abs_of(b, y.im);
  const sni_node_id by_re = sni_build_binary(b, SNI_OP_LE, d, c);
  const sni_node_id large = sni_build_select(b, by_re, y.re, y.im);
  const sni_node_id small = sni_build_select(b, by_re, y.im, y.re);
  const sni_node_id ratio = sni_build_div(b, small, large);
  const sni_node_id scale = sni_build_add(b, large, sni_build_mul(b, small, ratio));
  const sni_node_id ar = sni_build_mul(b, x.re, ratio), br = sni_build_mul(b, x.im, ratio);
  const sni_node_id re =
      sni_build_select(b, by_re, sni_build_add(b, x.re, br), sni_build_add(b, ar, x.im));
  const sni_node_id im =
      sni_build_select(b, by_re, sni_build_sub(b, x.im, ar), sni_build_sub(b, br, x.re));
  const sni_node_id zero = with(b, SNI_OP_EQ, sni_build_binary(b, SNI_OP_MAX, c, d), 0);
  const sni_node_id by_zero = sni_build_select(b, zero, c, scale);
  const sni_node_id re_over = sni_build_select(b, zero, x.re, re);
  const sni_node_id im_over = sni_build_select(b, zero, x.im, im);
  const sni_node_id first = sni_build_div(b, re_over, by_zero);
  return (sni_pair){first, sni_build_div(b, im_over, by_zero)};
}

sni_pair sni_pair_div(sni_build *b, sni_pair x, sni_pair y) {
  const sn_dtype part = part_of(b, x);
  const sni_pair wide = sni_pair_cast(b, x, SN_F64);
  return sni_pair_cast(b, sni_pair_quotient(b, wide, sni_pair_cast(b, y, SN_F64)), part);
}

// ---- magnitudes
typedef struct magnitude {
  sni_node_id square;       // of the scaled pair
  sni_node_id large, tiny;  // what was scaled; SNI_NO_NODE: nothing
} magnitude;

static sni_node_id by_scale(sni_build *b, const magnitude *m, double large, double tiny,
                            double else_) {
  return sni_build_select(b, m->large, number(b, large),
                          sni_build_select(b, m->tiny, number(b, tiny), number(b, else_)));
}

static magnitude square_of(sni_build *b, sni_node_id re, sni_node_id im, bool full) {
  magnitude m = {SNI_NO_NODE, SNI_NO_NODE, SNI_NO_NODE};
  if (full) {
    const sni_node_id most = sni_build_binary(b, SNI_OP_MAX, re, im);
    m.large = sni_build_binary(b, SNI_OP_LT, number(b, 0x1p500), most);
    m.tiny = with(b, SNI_OP_LT, most, 0x1p-400);
    const sni_node_id scale = by_scale(b, &m, 0x1p-600, 0x1p600, 1);
    re = sni_build_mul(b, re, scale);
    im = sni_build_mul(b, im, scale);
  }
  const sni_node_id square = sni_build_mul(b, re, re);
  m.square = sni_build_add(b, square, sni_build_mul(b, im, im));
  return m;
}

// y, but infinity where a part is infinite, whatever the other one is.
static sni_node_id unless_infinite(sni_build *b, sni_node_id re, sni_node_id im, sni_node_id y) {
  const sni_node_id first = with(b, SNI_OP_EQ, re, (double)INFINITY);
  const sni_node_id any =
      sni_build_binary(b, SNI_OP_OR, first, with(b, SNI_OP_EQ, im, (double)INFINITY));
  return sni_build_select(b, any, number(b, (double)INFINITY), y);
}

sni_node_id sni_pair_hypot(sni_build *b, sni_pair x, bool full) {
  const sni_node_id re = abs_of(b, x.re), im = abs_of(b, x.im);
  const magnitude m = square_of(b, re, im, full);
  sni_node_id y = sni_build_unary(b, SNI_OP_SQRT, m.square);
  if (full) y = sni_build_mul(b, y, by_scale(b, &m, 0x1p600, 0x1p-600, 1));
  return unless_infinite(b, re, im, y);
}

sni_node_id sni_pair_abs(sni_build *b, sni_pair x) {
  const sn_dtype part = part_of(b, x);
  const sni_node_id y = sni_pair_hypot(b, sni_pair_cast(b, x, SN_F64), part == SN_F64);
  return sni_build_cast(b, y, part);
}

// Near 1 by the difference of the square from 1, (m - 1)(m + 1) + n^2.
sni_node_id sni_pair_log_abs(sni_build *b, sni_pair x, bool full) {
  const double shift = 600 * 0.693147180559945309417;
  const sni_node_id re = abs_of(b, x.re), im = abs_of(b, x.im);
  const sni_node_id m = sni_build_binary(b, SNI_OP_MAX, re, im);
  const sni_node_id n = sni_build_binary(b, SNI_OP_MIN, re, im);
  const magnitude square = square_of(b, re, im, full);
  sni_node_id far = with(b, SNI_OP_MUL, sni_build_unary(b, SNI_OP_LOG, square.square), 0.5);
  if (full) far = sni_build_add(b, far, by_scale(b, &square, shift, -shift, 0));
  const sni_node_id product =
      sni_build_mul(b, with(b, SNI_OP_SUB, m, 1), with(b, SNI_OP_ADD, m, 1));
  const sni_node_id excess = sni_build_add(b, product, sni_build_mul(b, n, n));
  const sni_node_id near = with(b, SNI_OP_MUL, sni_build_unary(b, SNI_OP_LOG1P, excess), 0.5);
  const sni_node_id above = sni_build_binary(b, SNI_OP_LT, number(b, 0.5), m);
  const sni_node_id both = sni_build_binary(b, SNI_OP_AND, above, with(b, SNI_OP_LT, m, 1.5));
  return unless_infinite(b, re, im, sni_build_select(b, both, near, far));
}

// ---- angles
sni_node_id sni_build_copysign(sni_build *b, sni_node_id x, sni_node_id s) {
  const sni_type bits = {.dtype = SN_I64};
  const sni_node_id size = abs_of(b, x);
  const sni_node_id sign = sni_build_pointwise(b, SNI_OP_BITCAST, &s, 1, &bits);
  const sni_node_id negative = with(b, SNI_OP_LT, sign, 0);
  return sni_build_select(b, negative, sni_build_neg(b, size), size);
}

static sni_node_id polynomial(sni_build *b, sni_node_id x, const double *c, int n) {
  sni_node_id y = number(b, c[0]);
  for (int i = 1; i < n; i++) y = with(b, SNI_OP_ADD, sni_build_mul(b, y, x), c[i]);
  return y;
}

// atan of t in [0, 1]; relative error 2^-52. Moshier's Cephes, atan.c: above 0.66 by (t - 1) / (t + 1).
static sni_node_id atan_to_one(sni_build *b, sni_node_id t) {
  static const double p[] = {-8.750608600031904122785e-1, -1.615753718733365076637e1,
                             -7.500855792314704667340e1, -1.228866684490136173410e2,
                             -6.485021904942025371773e1};
  static const double q[] = {1,
                             2.485846490142306297962e1,
                             1.650270098316988542046e2,
                             4.328810604912902668951e2,
                             4.853903996359136964868e2,
                             1.945506571482613964425e2};
  const sni_node_id large = sni_build_binary(b, SNI_OP_LT, number(b, 0.66), t);
  const sni_node_id turned = sni_build_div(b, with(b, SNI_OP_SUB, t, 1), with(b, SNI_OP_ADD, t, 1));
  const sni_node_id x = sni_build_select(b, large, turned, t), square = sni_build_mul(b, x, x);
  const sni_node_id top = polynomial(b, square, p, SNI_COUNT_OF(p));
  const sni_node_id ratio =
      sni_build_div(b, sni_build_mul(b, square, top), polynomial(b, square, q, SNI_COUNT_OF(q)));
  const sni_node_id y = sni_build_add(b, sni_build_mul(b, x, ratio), x);
  // pi/4 in two parts
  const sni_node_id moved = with(b, SNI_OP_ADD, with(b, SNI_OP_ADD, y, 3.061616997868382943e-17),
                                 0.785398163397448309616);
  return sni_build_select(b, large, moved, y);
}

// C's atan2, signs of zeros and infinities too; within 2 ULP.
sni_node_id sni_build_atan2(sni_build *b, sni_node_id y, sni_node_id x) {
  const sni_type bits = {.dtype = SN_I64};
  const sni_node_id ax = abs_of(b, x), ay = abs_of(b, y);
  const sni_node_id m = sni_build_binary(b, SNI_OP_MAX, ax, ay);
  const sni_node_id n = sni_build_binary(b, SNI_OP_MIN, ax, ay);
  sni_node_id t = sni_build_div(b, n, m);
  t = sni_build_select(b, with(b, SNI_OP_EQ, m, 0), m, t);
  t = sni_build_select(b, with(b, SNI_OP_EQ, n, (double)INFINITY), number(b, 1), t);
  sni_node_id v = atan_to_one(b, t);
  const sni_node_id rest = with(b, SNI_OP_SUB, v, 6.123233995736765886e-17);
  const sni_node_id steep = sni_build_sub(b, number(b, 1.57079632679489661923), rest);
  v = sni_build_select(b, sni_build_binary(b, SNI_OP_LT, ax, ay), steep, v);
  const sni_node_id left = with(b, SNI_OP_SUB, v, 1.224646799147353177e-16);
  const sni_node_id back = sni_build_sub(b, number(b, 3.14159265358979323846), left);
  const sni_node_id sign = sni_build_pointwise(b, SNI_OP_BITCAST, &x, 1, &bits);
  v = sni_build_select(b, with(b, SNI_OP_LT, sign, 0), back, v);
  return sni_build_copysign(b, v, y);
}
