// Arithmetic on dims, in the normal form that dims_internal.h describes.
//
// Every operation takes its operands' canonical forms apart into terms, works on those, and interns
// the result. Constants alone never need a table. What overflows int64 or grows beyond the limits
// is SNI_DIM_FAILED, and so is an exhausted arena; the table remembers which.
#include "graph/dims_internal.h"

#include <string.h>

// ---- order
static int degree(const sni_dim_table *table, sni_dim dim) {
  int n = 1;
  for (int64_t value; sni_dim_is_reference(dim); n++) {
    const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
    if (e->op != SNI_DIM_MUL) break;
    if (sni_dim_decode(e->b, &value)) n--;
    dim = e->a;
  }
  return n;
}

int sni_dim_compare(const sni_dim_table *table, sni_dim a, sni_dim b) {
  if (a == b) return 0;
  int64_t value_a, value_b;
  bool constant_a = sni_dim_decode(a, &value_a), constant_b = sni_dim_decode(b, &value_b);
  if (constant_a && constant_b) return value_a < value_b ? -1 : 1;
  if (constant_a || constant_b) return constant_a ? 1 : -1;
  int degree_a = degree(table, a), degree_b = degree(table, b);
  if (degree_a != degree_b) return degree_a > degree_b ? -1 : 1;
  const sni_dim_expression *x = &sni_dim_at(table, a)->expression;
  const sni_dim_expression *y = &sni_dim_at(table, b)->expression;
  if (x->op != y->op) return x->op < y->op ? -1 : 1;
  if (x->op == SNI_DIM_SYMBOL) return strcmp(table->symbols[x->a].name, table->symbols[y->a].name);
  int order = sni_dim_compare(table, x->a, y->a);
  return order ? order : sni_dim_compare(table, x->b, y->b);
}

// ---- sums
sni_dim_term sni_dim_term_of(const sni_dim_table *table, sni_dim dim) {
  int64_t value;
  if (sni_dim_decode(dim, &value)) return (sni_dim_term){value, 1};
  const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
  if (e->op == SNI_DIM_MUL && sni_dim_decode(e->b, &value)) return (sni_dim_term){value, e->a};
  return (sni_dim_term){1, dim};
}

void sni_dim_split(const sni_dim_table *table, sni_dim dim, sni_dim_sum *out_sum) {
  out_sum->n = 0;
  if (dim == 0) return;
  int n = 1;
  sni_dim rest = dim;
  while (sni_dim_is_reference(rest) && sni_dim_at(table, rest)->expression.op == SNI_DIM_ADD) {
    rest = sni_dim_at(table, rest)->expression.a;
    n++;
  }
  sni_assert(n <= sni_dim_max_terms);
  out_sum->n = n;
  for (int i = n - 1; i > 0; i--) {
    out_sum->terms[i] = sni_dim_term_of(table, sni_dim_at(table, dim)->expression.b);
    dim = sni_dim_at(table, dim)->expression.a;
  }
  out_sum->terms[0] = sni_dim_term_of(table, dim);
}

static sni_dim build_term(sni_dim_table *table, sni_dim_term term) {
  if (term.product == 1) return sni_dim_signed(table, term.coefficient);
  if (term.coefficient == 1) return term.product;
  return sni_dim_intern(table, SNI_DIM_MUL, term.product, sni_dim_signed(table, term.coefficient));
}

sni_dim sni_dim_build(sni_dim_table *table, const sni_dim_sum *sum) {
  if (!sum->n) return 0;
  sni_dim dim = build_term(table, sum->terms[0]);
  for (int i = 1; i < sum->n; i++)
    dim = sni_dim_intern(table, SNI_DIM_ADD, dim, build_term(table, sum->terms[i]));
  return dim;
}

// False when the coefficient overflows or the sum is full.
static bool merge_term(const sni_dim_table *table, sni_dim_sum *sum, sni_dim_term term) {
  if (!term.coefficient) return true;
  int at = 0, order = 1;
  while (at < sum->n && (order = sni_dim_compare(table, sum->terms[at].product, term.product)) < 0)
    at++;
  sni_dim_term *place = &sum->terms[at];
  size_t behind = sizeof(sni_dim_term) * (size_t)(sum->n - at);
  if (at < sum->n && order == 0) {
    if (__builtin_add_overflow(place->coefficient, term.coefficient, &place->coefficient))
      return false;
    if (place->coefficient) return true;
    memmove(place, place + 1, behind - sizeof(sni_dim_term));
    sum->n--;
    return true;
  }
  if (sum->n == sni_dim_max_terms) return false;
  memmove(place + 1, place, behind);
  *place = term;
  sum->n++;
  return true;
}

sni_dim sni_dim_signed(sni_dim_table *table, int64_t value) {
  if (value >= 0) return value;
  if (value < -((int64_t)1 << 61)) return sni_dim_fail(table, SN_ERR_SHAPE);
  return value - ((int64_t)1 << 62);
}

// Both operands made canonical; false when one is unusable.
static bool prepare(sni_dim_table *table, sni_dim *a, sni_dim *b) {
  if (!sni_dim_valid(table, *a) || !sni_dim_valid(table, *b)) return false;
  *a = sni_dim_canonical(table, *a);
  *b = sni_dim_canonical(table, *b);
  return true;
}

sni_dim sni_dim_add(sni_dim_table *table, sni_dim a, sni_dim b) {
  if (!prepare(table, &a, &b)) return SNI_DIM_FAILED;
  int64_t x, y, value;
  if (sni_dim_decode(a, &x) && sni_dim_decode(b, &y))
    return __builtin_add_overflow(x, y, &value) ? sni_dim_fail(table, SN_ERR_SHAPE)
                                                : sni_dim_signed(table, value);
  if (a == 0) return b;
  if (b == 0) return a;
  sni_dim_sum sum, other;
  sni_dim_split(table, a, &sum);
  sni_dim_split(table, b, &other);
  for (int i = 0; i < other.n; i++)
    if (!merge_term(table, &sum, other.terms[i])) return sni_dim_fail(table, SN_ERR_SHAPE);
  return sni_dim_build(table, &sum);
}

sni_dim sni_dim_add_constant(sni_dim_table *table, sni_dim a, int64_t b) {
  return sni_dim_add(table, a, sni_dim_signed(table, b));
}

sni_dim sni_dim_sub(sni_dim_table *table, sni_dim a, sni_dim b) {
  return sni_dim_add(table, a, sni_dim_mul_constant(table, b, -1));
}

// ---- products
static int split_factors(const sni_dim_table *table, sni_dim product, sni_dim *factors, int n) {
  if (product == 1) return n;
  int count = degree(table, product);
  if (n + count > sni_dim_max_factors) return -1;
  for (int i = count - 1; i > 0; i--) {
    const sni_dim_expression *e = &sni_dim_at(table, product)->expression;
    factors[n + i] = e->b;
    product = e->a;
  }
  factors[n] = product;
  return n + count;
}

static sni_dim multiply_products(sni_dim_table *table, sni_dim a, sni_dim b) {
  if (a == 1) return b;
  if (b == 1) return a;
  sni_dim factors[sni_dim_max_factors];
  int n = split_factors(table, a, factors, 0);
  if (n >= 0) n = split_factors(table, b, factors, n);
  if (n < 0) return sni_dim_fail(table, SN_ERR_SHAPE);
  for (int i = 1; i < n; i++) {
    sni_dim factor = factors[i];
    int k = i;
    for (; k > 0 && sni_dim_compare(table, factors[k - 1], factor) > 0; k--)
      factors[k] = factors[k - 1];
    factors[k] = factor;
  }
  sni_dim product = factors[0];
  for (int i = 1; i < n; i++) product = sni_dim_intern(table, SNI_DIM_MUL, product, factors[i]);
  return product;
}

static bool multiply_terms(sni_dim_table *table, sni_dim_term a, sni_dim_term b,
                           sni_dim_term *out_term) {
  if (__builtin_mul_overflow(a.coefficient, b.coefficient, &out_term->coefficient)) {
    sni_dim_fail(table, SN_ERR_SHAPE);
    return false;
  }
  out_term->product = multiply_products(table, a.product, b.product);
  return out_term->product != SNI_DIM_FAILED;
}

// a * b as one term in which a sum is a factor: for products too long to expand, and for those with
// such a factor already.
static sni_dim multiply_unexpanded(sni_dim_table *table, sni_dim a, sni_dim b) {
  sni_dim_term term;
  if (!multiply_terms(table, sni_dim_term_of(table, a), sni_dim_term_of(table, b), &term))
    return SNI_DIM_FAILED;
  return build_term(table, term);
}

static bool has_sum_factor(const sni_dim_table *table, sni_dim dim) {
  while (sni_dim_is_reference(dim)) {
    const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
    if (e->op != SNI_DIM_MUL) return e->op == SNI_DIM_ADD;
    if (sni_dim_is_reference(e->b) && sni_dim_at(table, e->b)->expression.op == SNI_DIM_ADD)
      return true;
    dim = e->a;
  }
  return false;
}

static bool may_expand(const sni_dim_table *table, const sni_dim_sum *a, const sni_dim_sum *b) {
  if (a->n == 1 && b->n == 1) return true;
  for (int i = 0; i < a->n; i++)
    if (has_sum_factor(table, a->terms[i].product)) return false;
  for (int i = 0; i < b->n; i++)
    if (has_sum_factor(table, b->terms[i].product)) return false;
  return a->n * b->n <= sni_dim_max_expanded;
}

sni_dim sni_dim_mul(sni_dim_table *table, sni_dim a, sni_dim b) {
  if (!prepare(table, &a, &b)) return SNI_DIM_FAILED;
  int64_t x, y, value;
  if (sni_dim_decode(a, &x) && sni_dim_decode(b, &y))
    return __builtin_mul_overflow(x, y, &value) ? sni_dim_fail(table, SN_ERR_SHAPE)
                                                : sni_dim_signed(table, value);
  if (a == 0 || b == 0) return 0;
  if (a == 1) return b;
  if (b == 1) return a;
  sni_dim_sum left, right, sum = {.n = 0};
  sni_dim_split(table, a, &left);
  sni_dim_split(table, b, &right);
  if (!may_expand(table, &left, &right)) return multiply_unexpanded(table, a, b);
  for (int i = 0; i < left.n; i++) {
    for (int k = 0; k < right.n; k++) {
      sni_dim_term term;
      if (!multiply_terms(table, left.terms[i], right.terms[k], &term)) return SNI_DIM_FAILED;
      if (!merge_term(table, &sum, term)) return sni_dim_fail(table, SN_ERR_SHAPE);
    }
  }
  return sni_dim_build(table, &sum);
}

sni_dim sni_dim_mul_constant(sni_dim_table *table, sni_dim a, int64_t b) {
  return sni_dim_mul(table, a, sni_dim_signed(table, b));
}

// ---- floor(a / b)
static int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// floor(remainder / divisor), where 0 <= every coefficient < divisor. Uses, for integers x, y and
// constants g, m, k:
//   floor((g x + k) / (g m)) = floor((x + floor(k / g)) / m)
//   floor((floor(y / c) + k) / m) = floor((y + k c) / (c m))
static sni_dim divide_remainder(sni_dim_table *table, sni_dim_sum *remainder, int64_t divisor) {
  int n = remainder->n;
  int64_t constant = 0, common = divisor, inner;
  if (n && remainder->terms[n - 1].product == 1) constant = remainder->terms[--n].coefficient;
  if (!n) return 0;
  for (int i = 0; i < n; i++)
    common = greatest_common_divisor(common, remainder->terms[i].coefficient);
  for (int i = 0; i < n; i++) remainder->terms[i].coefficient /= common;
  constant /= common;
  divisor /= common;  // still above 1 and above every coefficient
  remainder->n = n;
  if (n == 1 && remainder->terms[0].coefficient == 1) {
    sni_dim_expression e = sni_dim_at(table, remainder->terms[0].product)->expression;
    int64_t scaled, product;
    if (e.op == SNI_DIM_FLOOR_DIV && sni_dim_decode(e.b, &inner) &&
        !__builtin_mul_overflow(constant, inner, &scaled) &&
        !__builtin_mul_overflow(divisor, inner, &product))
      return sni_dim_floor_div(table, sni_dim_add_constant(table, e.a, scaled), product);
  }
  if (constant) remainder->terms[remainder->n++] = (sni_dim_term){constant, 1};
  return sni_dim_intern(table, SNI_DIM_FLOOR_DIV, sni_dim_build(table, remainder), divisor);
}

sni_dim sni_dim_floor_div(sni_dim_table *table, sni_dim a, int64_t b) {
  sni_dim unused = 0;
  int64_t value;
  if (!prepare(table, &a, &unused)) return SNI_DIM_FAILED;
  if (b <= 0) return sni_dim_fail(table, SN_ERR_SHAPE);
  if (sni_dim_decode(a, &value)) return sni_dim_signed(table, floor_divide(value, b));
  if (b == 1) return a;
  sni_dim_sum quotient, remainder = {.n = 0};
  sni_dim_split(table, a, &quotient);
  int kept = 0;
  for (int i = 0; i < quotient.n; i++) {
    sni_dim_term term = quotient.terms[i];
    int64_t whole = floor_divide(term.coefficient, b);
    // The parts below b go on to the remainder: floor((b q + r) / b) = q + floor(r / b).
    int64_t part = term.coefficient - whole * b;
    if (part) remainder.terms[remainder.n++] = (sni_dim_term){part, term.product};
    if (whole) quotient.terms[kept++] = (sni_dim_term){whole, term.product};
  }
  quotient.n = kept;
  return sni_dim_add(table, sni_dim_build(table, &quotient),
                     divide_remainder(table, &remainder, b));
}

// ---- max, min
// Certainly >= 0, given that symbols are sizes.
static bool nonnegative(const sni_dim_table *table, sni_dim dim) {
  int64_t value;
  if (sni_dim_decode(dim, &value)) return value >= 0;
  const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
  switch (e->op) {
    case SNI_DIM_SYMBOL:
      return true;
    case SNI_DIM_ADD:
    case SNI_DIM_MUL:
    case SNI_DIM_MIN:
      return nonnegative(table, e->a) && nonnegative(table, e->b);
    case SNI_DIM_MAX:
      return nonnegative(table, e->a) || nonnegative(table, e->b);
    case SNI_DIM_FLOOR_DIV:
      return nonnegative(table, e->a);
    case SNI_DIM_CONSTANT:
      break;
  }
  return false;
}

static sni_dim choose(sni_dim_table *table, sni_dim_op op, sni_dim a, sni_dim b) {
  if (!prepare(table, &a, &b)) return SNI_DIM_FAILED;
  if (a == b) return a;
  sni_dim difference = sni_dim_sub(table, a, b);
  if (difference == SNI_DIM_FAILED) return SNI_DIM_FAILED;
  if (nonnegative(table, difference)) return op == SNI_DIM_MAX ? a : b;
  sni_dim opposite = sni_dim_mul_constant(table, difference, -1);
  if (opposite == SNI_DIM_FAILED) return SNI_DIM_FAILED;
  if (nonnegative(table, opposite)) return op == SNI_DIM_MAX ? b : a;
  return sni_dim_compare(table, a, b) < 0 ? sni_dim_intern(table, op, a, b)
                                          : sni_dim_intern(table, op, b, a);
}

sni_dim sni_dim_max(sni_dim_table *table, sni_dim a, sni_dim b) {
  return choose(table, SNI_DIM_MAX, a, b);
}

sni_dim sni_dim_min(sni_dim_table *table, sni_dim a, sni_dim b) {
  return choose(table, SNI_DIM_MIN, a, b);
}
