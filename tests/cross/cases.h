// Cases of functions that another implementation has answered: a file of lines, written by tf_cases.py, and how each answer is compared, op by op
// and in a compiled function. Each area has a table of what to call: cross_ops.
#ifndef TESTS_CROSS_CASES_H
#define TESTS_CROSS_CASES_H

#include <sinter/structures.h>

enum { CROSS_TENSORS = 9, CROSS_VALUES = 24, CROSS_ATTRS = 24 };

// A tensor ('t'), a ragged tensor ('r': values, splits, outermost first), a sparse one ('s': indices, values, dense shape), or nothing ('n').
typedef struct cross_value {
  char kind;
  int n;
  sn_tensor *tensors[CROSS_TENSORS];
} cross_value;

typedef struct cross_attr {
  char name[32];
  char kind;  // 'i', 'f' or 'x'
  int64_t integer;
  double real;
  sn_text text;  // 'x'; ends with a 0
} cross_attr;

typedef struct cross_case {
  sn_context *context;
  char op[64], known[64];  // known: why the answers differ, or ""
  int number;
  cross_value in[CROSS_VALUES], out[CROSS_VALUES];
  int n_in, n_out;
  cross_attr attrs[CROSS_ATTRS];
  int n_attrs;
  bool fails;  // the other implementation refuses it
} cross_case;

// Calls the op of the case on its in, and sets results[0 .. n_out): of the kinds of the case's out. What is left out ('n') is a difference. After an error
// of the library's nothing needs to be set.
typedef void (*cross_call)(const cross_case *c, cross_value *results);
typedef struct cross_op {
  const char *name;
  cross_call call;
  bool eager_only;  // it cannot be traced
} cross_op;
extern const cross_op cross_ops[];  // of the area; ended by a name of NULL

// Attributes of a case, by name; the default where it has none.
int64_t cross_int(const cross_case *c, const char *name, int64_t otherwise);
double cross_real(const cross_case *c, const char *name, double otherwise);
const char *cross_text(const cross_case *c, const char *name, const char *otherwise);
sn_tensor *cross_tensor(const cross_case *c, int i);  // of in[i]; NULL: there is none
// Values of what a call gave.
cross_value cross_of_tensor(sn_tensor *t);
cross_value cross_of_ragged(const sn_ragged *r);
sn_ragged *cross_ragged(const cross_case *c, int i);
cross_value cross_of_sparse(const sn_sparse *s);
sn_sparse *cross_sparse(const cross_case *c, int i);

#endif
