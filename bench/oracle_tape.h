// A float64 tape in plain loops: what the workloads' results are held against. It knows nothing of
// Sinter: its own shapes, its own operations, its own gradient rules. Slow and simple on purpose.
#ifndef BENCH_ORACLE_TAPE_H
#define BENCH_ORACLE_TAPE_H

#include "bench/bench.h"

#define REF_RANK 5

typedef int ref;  // a value on the tape
typedef struct ref_tape ref_tape;

typedef enum ref_unary {
  REF_TANH,
  REF_SIGMOID,
  REF_RELU,
  REF_GELU,  // tanh form
  REF_EXP,
  REF_LOG,
  REF_SQUARE,
  REF_RSQRT,
  REF_RECIPROCAL
} ref_unary;

ref_tape *ref_tape_create(void);  // NULL without memory; later failures show in ref_ok alone
void ref_tape_destroy(ref_tape *t);
bool ref_ok(const ref_tape *t);

// ---- leaves and operations. Dims: up to REF_RANK, row-major.
ref ref_leaf(ref_tape *t, sn_shape shape, const float *data);
ref ref_leaf_double(ref_tape *t, sn_shape shape, const double *data);
ref ref_add(ref_tape *t, ref a, ref b);  // these three broadcast
ref ref_sub(ref_tape *t, ref a, ref b);
ref ref_mul(ref_tape *t, ref a, ref b);
ref ref_affine(ref_tape *t, ref a, double scale, double shift);  // scale * a + shift
ref ref_map(ref_tape *t, ref a, ref_unary kind);
ref ref_sum(ref_tape *t, ref a, int axis);  // keeps the axis as 1
ref ref_sum_all(ref_tape *t, ref a);        // rank 0
ref ref_matmul(ref_tape *t, ref a, ref b);  // [..., M, K] by [..., K, N] of equal leading dims
ref ref_softmax(ref_tape *t, ref a);        // last axis
ref ref_cross_entropy(ref_tape *t, ref logits, const int32_t *labels);  // [N]: per row
ref ref_reshape(ref_tape *t, ref a, sn_shape shape);
ref ref_permute(ref_tape *t, ref a, const int *perm);
ref ref_slice(ref_tape *t, ref a, int axis, int64_t start, int64_t count);
ref ref_concat(ref_tape *t, const ref *a, int n, int axis);
// x [B,H,W,C] by w [3,3,C,D] with a border of zeros: [B,H,W,D].
ref ref_conv3(ref_tape *t, ref x, ref w);
ref ref_pool2(ref_tape *t, ref x);  // the greatest of 2 x 2: [B,H/2,W/2,C]; the first of equals

// ---- composed
ref ref_dense(ref_tape *t, ref x, ref w, ref b);  // x w + b
ref ref_layer_norm(ref_tape *t, ref x, ref gain, ref bias, int axis, double epsilon);
ref ref_mean_square(ref_tape *t, ref x);

// ---- values and gradients
int64_t ref_size(const ref_tape *t, ref a);
const double *ref_value(const ref_tape *t, ref a);
// Of the sum of y; ref_gradient then holds for all that lies before y. May be called once.
void ref_backward(ref_tape *t, ref y);
const double *ref_gradient(const ref_tape *t, ref a);
// Result i of w must be a's value; its gradient.
bool ref_expect(bench_work *w, int i, const ref_tape *t, ref a, double tolerance);
bool ref_expect_gradient(bench_work *w, int i, const ref_tape *t, ref a, double tolerance);

// ---- for oracle_ops.c and oracle_nn.c
typedef struct ref_node {
  int rank;
  int64_t dims[REF_RANK], size;
  double *value, *gradient;
  ref a, b;
  void (*backward)(ref_tape *t, struct ref_node *n);  // adds to the operands' gradients
  double scale;
  int axis, kind;
  int64_t start;
  int perm[REF_RANK];
  const int32_t *labels;
  ref *parts;  // owned
  int n_parts;
} ref_node;
struct ref_tape {
  ref_node *nodes;
  int count, capacity;
  bool failed;
};
// A node of these dims, its value all zeros. NULL after a failure. Operands' addresses move.
ref_node *ref_push(ref_tape *t, int rank, const int64_t *dims);
// c[m,n] += a[m,k] b[k,n]
void ref_gemm(double *restrict c, const double *restrict a, const double *restrict b, int64_t m,
              int64_t k, int64_t n);

#endif
