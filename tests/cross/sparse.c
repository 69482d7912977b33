// What is called for the cases of sparse tensors (tf_sparse.py).
#include "cross/cases.h"

#include <stdio.h>
#include <string.h>

#define S cross_sparse(c, 0)
#define S1 cross_sparse(c, 1)
#define T(i) cross_tensor(c, i)
#define I(name) (int)cross_int(c, name, 0)
#define TENSOR(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    results[0] = cross_of_tensor(expression);                   \
  }
#define SPARSE(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    results[0] = cross_of_sparse(expression);                   \
  }

static sn_reduce_options reduction(const cross_case *c) {
  sn_reduce_options o = {.size = sizeof(o), .keepdims = cross_int(c, "keepdims", 0)};
  char name[32];
  for (o.axes.count = 0; o.axes.count < SN_MAX_RANK; o.axes.count++) {
    (void)snprintf(name, sizeof(name), "axis%d", o.axes.count);
    const int64_t axis = cross_int(c, name, 99);
    if (axis == 99) break;
    o.axes.axis[o.axes.count] = (int)axis;
  }
  return o;
}

static sn_sparse_matmul_options product(const cross_case *c) {
  return (sn_sparse_matmul_options){.size = sizeof(sn_sparse_matmul_options),
                                    .adjoint_a = cross_int(c, "adjoint_a", 0),
                                    .adjoint_b = cross_int(c, "adjoint_b", 0)};
}

TENSOR(to_dense, sn_sparse_to_dense(S, .default_value = T(1), .unchecked = I("unchecked")))
SPARSE(from_dense, sn_sparse_from_dense(T(0)))
SPARSE(eye, sn_sparse_eye(c->context, SN_F32, I("rows"), I("columns")))
SPARSE(reorder, sn_sparse_reorder(S))
SPARSE(mul, sn_sparse_mul(S, T(1)))
SPARSE(divided, sn_sparse_div(S, T(1)))
SPARSE(add, sn_sparse_add(S, S1, .threshold = cross_real(c, "threshold", 0)))
TENSOR(add_dense, sn_sparse_add_dense(S, T(1)))
SPARSE(maximum, sn_sparse_maximum(S, S1))
SPARSE(minimum, sn_sparse_minimum(S, S1))
SPARSE(softmax, sn_sparse_softmax(S))
SPARSE(transpose, sn_sparse_transpose(S))
SPARSE(expand_dims, sn_sparse_expand_dims(S, I("axis")))
SPARSE(reset_shape, sn_sparse_reset_shape(S, T(1)))
SPARSE(retain, sn_sparse_retain(S, T(1)))
TENSOR(indicator, sn_sparse_to_indicator(S, cross_int(c, "n", 0)))
SPARSE(map_square, sn_sparse_map((sn_square), S))
TENSOR(segment_sum, sn_sparse_segment_sum(T(0), T(1), T(2), cross_int(c, "n", 0)))
TENSOR(segment_mean, sn_sparse_segment_mean(T(0), T(1), T(2), cross_int(c, "n", 0)))
TENSOR(segment_sqrt_n, sn_sparse_segment_sqrt_n(T(0), T(1), T(2), cross_int(c, "n", 0)))

static void reduce(const cross_case *c, cross_value *results) {
  const sn_reduce_options o = reduction(c);
  const bool greatest = !strcmp(cross_text(c, "op", "sum"), "max");
  if (cross_int(c, "sparse", 0))
    results[0] = cross_of_sparse(greatest ? sn_sparse_max_sparse_opts(S, &o)
                                          : sn_sparse_sum_sparse_opts(S, &o));
  else
    results[0] = cross_of_tensor(greatest ? sn_sparse_max_opts(S, &o) : sn_sparse_sum_opts(S, &o));
}

static void matmul(const cross_case *c, cross_value *results) {
  const sn_sparse_matmul_options o = product(c);
  results[0] = cross_of_tensor(c->in[0].kind == 's' ? sn_sparse_matmul_opts(S, T(1), &o)
                                                    : sn_sparse_rmatmul_opts(T(0), S1, &o));
}

// As dense tensors: which sums of 0 are there is another thing elsewhere.
static void matmul_sparse(const cross_case *c, cross_value *results) {
  const sn_sparse_matmul_options o = product(c);
  results[0] = cross_of_tensor(sn_sparse_to_dense(sn_sparse_matmul_sparse_opts(S, S1, &o)));
}

static void slice(const cross_case *c, cross_value *results) {
  sn_range_spec ranges[SN_MAX_RANK];
  const int n = I("n");
  for (int i = 0; i < n; i++) {
    char name[32];
    (void)snprintf(name, sizeof(name), "start%d", i);
    ranges[i].start = cross_int(c, name, 0);
    (void)snprintf(name, sizeof(name), "size%d", i);
    ranges[i].stop = ranges[i].start + cross_int(c, name, 0);
    ranges[i].step = 1;
  }
  results[0] = cross_of_sparse(sn_sparse_slice(S, ranges, n));
}

static void concat(const cross_case *c, cross_value *results) {
  sn_sparse *list[CROSS_VALUES];
  for (int i = 0; i < c->n_in; i++) list[i] = cross_sparse(c, i);
  results[0] = cross_of_sparse(sn_sparse_concat(list, c->n_in, I("axis"), I("expand")));
}

static void split(const cross_case *c, cross_value *results) {
  sn_sparse *pieces[CROSS_VALUES];
  const int n = I("n");
  (void)sn_sparse_split(S, n, I("axis"), pieces);
  for (int i = 0; i < n; i++) results[i] = cross_of_sparse(pieces[i]);
}

static void permute(const cross_case *c, cross_value *results) {
  int perm[SN_MAX_RANK];
  const int n = I("n");
  for (int i = 0; i < n; i++) {
    char name[32];
    (void)snprintf(name, sizeof(name), "perm%d", i);
    perm[i] = I(name);
  }
  results[0] = cross_of_sparse(sn_sparse_permute(S, perm, n));
}

static void reshape(const cross_case *c, cross_value *results) {
  sn_shape shape = {.rank = I("n")};
  for (int i = 0; i < shape.rank; i++) {
    char name[32];
    (void)snprintf(name, sizeof(name), "d%d", i);
    shape.dims[i] = cross_int(c, name, 0);
  }
  results[0] = cross_of_sparse(sn_sparse_reshape(S, shape));
}

// What TensorFlow masks are rows of a dense tensor: of the sparse matrix of one column these are the values.
static void mask(const cross_case *c, cross_value *results) {
  const sn_sparse *left = sn_sparse_mask(S, T(1));
  results[0] = cross_of_tensor(sn_sparse_values(left));
}

static void fill_empty_rows(const cross_case *c, cross_value *results) {
  sn_tensor *empty;
  results[0] = cross_of_sparse(sn_sparse_fill_empty_rows(S, T(1), &empty));
  results[1] = cross_of_tensor(empty);
}

static void lookup(const cross_case *c, cross_value *results) {
  static const sn_combiner combiners[] = {SN_COMBINE_MEAN, SN_COMBINE_SUM, SN_COMBINE_SQRT_N};
  const sn_embedding_sparse_options o = {
      .size = sizeof(o),
      .combiner = combiners[I("combiner")],
      .max_norm = cross_real(c, "max_norm", 0),
      .weights = c->in[2].kind == 's' ? cross_sparse(c, 2) : NULL,
      .has_default = cross_int(c, "default", -1) >= 0,
      .default_id = cross_int(c, "default", 0)};
  results[0] =
      cross_of_tensor(cross_int(c, "safe", 0) ? sn_safe_embedding_lookup_sparse_opts(T(0), S1, &o)
                                              : sn_embedding_lookup_sparse_opts(T(0), S1, &o));
}

// Gradients of the sum of y's squares: with respect to the values of the first operand, and to what the second is made of.
typedef struct traced {
  const cross_case *c;
  sn_tensor *xs[2], *y;
} traced;

static void compute(traced *t) {
  const cross_case *c = t->c;
  const char *op = cross_text(c, "op", "");
  sn_sparse *a = sn_sparse_with_values(S, t->xs[0]);
  sn_sparse *b = c->in[1].kind == 's' ? sn_sparse_with_values(S1, t->xs[1]) : NULL;
  const sn_reduce_options rows = {.size = sizeof(rows), .axes = {1, {1}}};
  sn_sparse *s = NULL;
  sn_tensor *y = NULL;
  if (!strcmp(op, "matmul"))
    y = sn_sparse_matmul_opts(a, t->xs[1],
                              &(sn_sparse_matmul_options){.adjoint_a = I("adjoint_a")});
  else if (!strcmp(op, "to_dense"))
    y = sn_mul(sn_sparse_to_dense(a), t->xs[1]);
  else if (!strcmp(op, "sum"))
    y = sn_mul(sn_sparse_sum_opts(a, &rows), sn_index(t->xs[1], 1, 0));
  else if (!strcmp(op, "mul"))
    s = sn_sparse_mul(a, t->xs[1]);
  else if (!strcmp(op, "add"))
    s = sn_sparse_add(a, b);
  else if (!strcmp(op, "softmax"))
    s = sn_sparse_mul(sn_sparse_softmax(a), t->xs[1]);
  else if (!strcmp(op, "transpose"))
    s = sn_sparse_mul(sn_sparse_transpose(a), sn_transpose(t->xs[1]));
  else if (!strcmp(op, "maximum"))
    s = sn_sparse_maximum(a, b);
  t->y = sn_sum(sn_square(s ? sn_sparse_values(s) : y));
}

static void gradients(const cross_case *c, cross_value *results) {
  traced t = {.c = c};
  t.xs[0] = c->in[0].tensors[1];
  t.xs[1] = c->in[1].kind == 's' ? c->in[1].tensors[1] : c->in[1].tensors[0];
  sn_tensor *out[2];
  if (sn_is_traced(t.xs[0])) {
    compute(&t);
    sn_gradients(t.y, t.xs, 2, out);
  } else {
    sn_tape *tape = sn_tape_begin(c->context);
    sn_tape_watch(tape, t.xs[0]);
    sn_tape_watch(tape, t.xs[1]);
    compute(&t);
    sn_tape_gradient(tape, t.y, t.xs, 2, out);
    sn_tape_end(tape);
  }
  for (int i = 0; i < 2; i++) results[i] = cross_of_tensor(out[i]);
}

const cross_op cross_ops[] = {
    {"to_dense", to_dense, false},
    {"from_dense", from_dense, false},
    {"eye", eye, false},
    {"reorder", reorder, false},
    {"mul", mul, false},
    {"div", divided, false},
    {"add", add, false},
    {"add_dense", add_dense, false},
    {"maximum", maximum, false},
    {"minimum", minimum, false},
    {"reduce", reduce, false},
    {"softmax", softmax, false},
    {"matmul", matmul, false},
    {"matmul_sparse", matmul_sparse, false},
    {"slice", slice, false},
    {"concat", concat, false},
    {"split", split, false},
    {"transpose", transpose, false},
    {"permute", permute, false},
    {"reshape", reshape, false},
    {"expand_dims", expand_dims, false},
    {"reset_shape", reset_shape, false},
    {"retain", retain, false},
    {"mask", mask, false},
    {"fill_empty_rows", fill_empty_rows, false},
    {"indicator", indicator, false},
    {"map_square", map_square, false},
    {"segment_sum", segment_sum, false},
    {"segment_mean", segment_mean, false},
    {"segment_sqrt_n", segment_sqrt_n, false},
    {"lookup", lookup, false},
    {"gradients", gradients, false},
    {NULL, NULL, false},
};
