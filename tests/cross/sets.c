// What is called for the cases of sets (tf_sets.py).
#include "cross/cases.h"

static sn_set operand(const cross_case *c, int i) {
  return c->in[i].kind == 's'   ? SN_SET(cross_sparse(c, i))
         : c->in[i].kind == 'r' ? SN_SET(cross_ragged(c, i))
                                : SN_SET(cross_tensor(c, i));
}

#define A operand(c, 0)
#define B operand(c, 1)
#define PADDING .padding = cross_tensor(c, 2)
#define SPARSE(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    results[0] = cross_of_sparse(expression);                   \
  }
SPARSE(set_union, sn_set_union(A, B, PADDING))
SPARSE(set_intersection, sn_set_intersection(A, B, PADDING))
SPARSE(set_difference, sn_set_difference(A, B, PADDING))
SPARSE(b_minus_a, sn_set_difference(B, A, PADDING))
SPARSE(add, sn_set_add(A, cross_tensor(c, 1), PADDING))

static void size(const cross_case *c, cross_value *results) {
  results[0] = cross_of_tensor(sn_set_size(A, .padding = cross_tensor(c, 1)));
}

static void contains(const cross_case *c, cross_value *results) {
  results[0] = cross_of_tensor(sn_set_contains(A, cross_tensor(c, 1)));
}

const cross_op cross_ops[] = {
    {"union", set_union, false},
    {"intersection", set_intersection, false},
    {"difference", set_difference, false},
    {"b_minus_a", b_minus_a, false},
    {"add", add, false},
    {"size", size, false},
    {"contains", contains, false},
    {NULL, NULL, false},
};
