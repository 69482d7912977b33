// Operations of the float64 tape: element-wise ones, sums, products, and moves of elements; each
// with its gradient. The shapes are the callers' (bench files'): they are not checked.
#include "bench/oracle_tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- two operands, broadcast
typedef struct walk {  // of all elements of a node, with the place of an operand's
  int64_t stride[REF_RANK];
  int64_t period;  // the operand has the node's last dims: its place is i % period. 0: it has not
} walk;

static walk walk_of(const ref_node *out, const ref_node *operand) {
  walk w = {{0}, operand->size};
  int64_t stride = 1;
  for (int k = operand->rank - 1; k >= 0; k--) {
    int axis = out->rank - operand->rank + k;
    w.stride[axis] = operand->dims[k] == 1 ? 0 : stride;
    if (operand->dims[k] != out->dims[axis]) w.period = 0;
    stride *= operand->dims[k];
  }
  return w;
}

static int64_t place(const ref_node *out, const walk *w, int64_t i) {
  int64_t at = 0;
  if (w->period) return w->period == out->size ? i : i % w->period;
  for (int k = out->rank - 1; k >= 0; k--) {
    at += i % out->dims[k] * w->stride[k];
    i /= out->dims[k];
  }
  return at;
}

static ref push_binary(ref_tape *t, ref a, ref b, void (*backward)(ref_tape *, ref_node *)) {
  if (t->failed) return 0;
  const ref_node *x = &t->nodes[a], *y = &t->nodes[b];
  int rank = x->rank > y->rank ? x->rank : y->rank;
  int64_t dims[REF_RANK];
  for (int k = 0; k < rank; k++) {
    int i = k - (rank - x->rank), j = k - (rank - y->rank);
    int64_t dx = i >= 0 ? x->dims[i] : 1, dy = j >= 0 ? y->dims[j] : 1;
    dims[k] = dx > dy ? dx : dy;
  }
  ref_node *n = ref_push(t, rank, dims);
  if (!n) return 0;
  n->a = a;
  n->b = b;
  n->backward = backward;
  return t->count - 1;
}

static void backward_add(ref_tape *t, ref_node *n) {  // a + scale * b
  ref_node *x = &t->nodes[n->a], *y = &t->nodes[n->b];
  walk wx = walk_of(n, x), wy = walk_of(n, y);
  for (int64_t i = 0; i < n->size; i++) {
    x->gradient[place(n, &wx, i)] += n->gradient[i];
    y->gradient[place(n, &wy, i)] += n->scale * n->gradient[i];
  }
}

static ref add_scaled(ref_tape *t, ref a, ref b, double scale) {
  ref id = push_binary(t, a, b, backward_add);
  if (t->failed) return 0;
  ref_node *n = &t->nodes[id], *x = &t->nodes[a], *y = &t->nodes[b];
  walk wx = walk_of(n, x), wy = walk_of(n, y);
  n->scale = scale;
  for (int64_t i = 0; i < n->size; i++)
    n->value[i] = x->value[place(n, &wx, i)] + scale * y->value[place(n, &wy, i)];
  return id;
}

ref ref_add(ref_tape *t, ref a, ref b) {
  return add_scaled(t, a, b, 1);
}
ref ref_sub(ref_tape *t, ref a, ref b) {
  return add_scaled(t, a, b, -1);
}

static void backward_mul(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a], *y = &t->nodes[n->b];
  walk wx = walk_of(n, x), wy = walk_of(n, y);
  for (int64_t i = 0; i < n->size; i++) {
    int64_t p = place(n, &wx, i), q = place(n, &wy, i);
    x->gradient[p] += n->gradient[i] * y->value[q];
    y->gradient[q] += n->gradient[i] * x->value[p];
  }
}

ref ref_mul(ref_tape *t, ref a, ref b) {
  ref id = push_binary(t, a, b, backward_mul);
  if (t->failed) return 0;
  ref_node *n = &t->nodes[id], *x = &t->nodes[a], *y = &t->nodes[b];
  walk wx = walk_of(n, x), wy = walk_of(n, y);
  for (int64_t i = 0; i < n->size; i++)
    n->value[i] = x->value[place(n, &wx, i)] * y->value[place(n, &wy, i)];
  return id;
}

// ---- one operand
static ref_node *push_like(ref_tape *t, ref a, void (*backward)(ref_tape *, ref_node *)) {
  if (t->failed) return NULL;
  int64_t dims[REF_RANK];
  memcpy(dims, t->nodes[a].dims, sizeof(dims));
  ref_node *n = ref_push(t, t->nodes[a].rank, dims);
  if (!n) return NULL;
  n->a = a;
  n->backward = backward;
  return n;
}

static void backward_affine(ref_tape *t, ref_node *n) {
  double *dx = t->nodes[n->a].gradient;
  for (int64_t i = 0; i < n->size; i++) dx[i] += n->scale * n->gradient[i];
}

ref ref_affine(ref_tape *t, ref a, double scale, double shift) {
  ref_node *n = push_like(t, a, backward_affine);
  if (!n) return 0;
  n->scale = scale;
  for (int64_t i = 0; i < n->size; i++) n->value[i] = scale * t->nodes[a].value[i] + shift;
  return t->count - 1;
}

static const double GELU_SCALE = 0.79788456080286535588;  // sqrt(2 / pi)

static double gelu(double x) {
  return 0.5 * x * (1 + tanh(GELU_SCALE * (x + 0.044715 * x * x * x)));
}

static double gelu_slope(double x) {
  double th = tanh(GELU_SCALE * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + th) + 0.5 * x * (1 - th * th) * GELU_SCALE * (1 + 3 * 0.044715 * x * x);
}

static double map(int kind, double x) {
  switch ((ref_unary)kind) {
    case REF_TANH:
      return tanh(x);
    case REF_SIGMOID:
      return 1 / (1 + exp(-x));
    case REF_RELU:
      return x > 0 ? x : 0;
    case REF_GELU:
      return gelu(x);
    case REF_EXP:
      return exp(x);
    case REF_LOG:
      return log(x);
    case REF_SQUARE:
      return x * x;
    case REF_RSQRT:
      return 1 / sqrt(x);
    case REF_RECIPROCAL:
      return 1 / x;
  }
  return NAN;
}

static double map_slope(int kind, double x, double y) {
  switch ((ref_unary)kind) {
    case REF_TANH:
      return 1 - y * y;
    case REF_SIGMOID:
      return y * (1 - y);
    case REF_RELU:
      return x > 0 ? 1 : 0;
    case REF_GELU:
      return gelu_slope(x);
    case REF_EXP:
      return y;
    case REF_LOG:
      return 1 / x;
    case REF_SQUARE:
      return 2 * x;
    case REF_RSQRT:
      return -0.5 * y / x;
    case REF_RECIPROCAL:
      return -y * y;
  }
  return NAN;
}

static void backward_map(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a];
  for (int64_t i = 0; i < n->size; i++)
    x->gradient[i] += n->gradient[i] * map_slope(n->kind, x->value[i], n->value[i]);
}

ref ref_map(ref_tape *t, ref a, ref_unary kind) {
  ref_node *n = push_like(t, a, backward_map);
  if (!n) return 0;
  n->kind = (int)kind;
  for (int64_t i = 0; i < n->size; i++) n->value[i] = map(n->kind, t->nodes[a].value[i]);
  return t->count - 1;
}

// ---- sums
// An array as [outer, axis, inner].
typedef struct cut {
  int64_t outer, axis, inner;
} cut;

static cut cut_of(const ref_node *n, int axis) {
  cut c = {1, n->dims[axis], 1};
  for (int k = 0; k < axis; k++) c.outer *= n->dims[k];
  for (int k = axis + 1; k < n->rank; k++) c.inner *= n->dims[k];
  return c;
}

static void backward_sum(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a];
  cut c = cut_of(x, n->axis);
  for (int64_t i = 0; i < x->size; i++)
    x->gradient[i] += n->gradient[i / (c.axis * c.inner) * c.inner + i % c.inner];
}

ref ref_sum(ref_tape *t, ref a, int axis) {
  if (t->failed) return 0;
  int64_t dims[REF_RANK];
  memcpy(dims, t->nodes[a].dims, sizeof(dims));
  dims[axis] = 1;
  ref_node *n = ref_push(t, t->nodes[a].rank, dims);
  if (!n) return 0;
  const ref_node *x = &t->nodes[a];
  cut c = cut_of(x, axis);
  n->a = a;
  n->axis = axis;
  n->backward = backward_sum;
  for (int64_t i = 0; i < x->size; i++)
    n->value[i / (c.axis * c.inner) * c.inner + i % c.inner] += x->value[i];
  return t->count - 1;
}

static void backward_sum_all(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a];
  for (int64_t i = 0; i < x->size; i++) x->gradient[i] += n->gradient[0];
}

ref ref_sum_all(ref_tape *t, ref a) {
  ref_node *n = ref_push(t, 0, NULL);
  if (!n) return 0;
  n->a = a;
  n->backward = backward_sum_all;
  for (int64_t i = 0; i < t->nodes[a].size; i++) n->value[0] += t->nodes[a].value[i];
  return t->count - 1;
}

// ---- products
void ref_gemm(double *restrict c, const double *restrict a, const double *restrict b, int64_t m,
              int64_t k, int64_t n) {
  enum { BLOCK = 64 };
  for (int64_t k0 = 0; k0 < k; k0 += BLOCK)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = k0; j < k && j < k0 + BLOCK; j++) {
        double x = a[i * k + j];
        for (int64_t l = 0; l < n; l++) c[i * n + l] += x * b[j * n + l];
      }
}

static void transpose(double *out, const double *in, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) out[j * rows + i] = in[i * columns + j];
}

typedef struct product {
  int64_t batch, m, k, n;
} product;

static product product_of(const ref_node *a, const ref_node *b) {
  product p = {1, a->dims[a->rank - 2], a->dims[a->rank - 1], b->dims[b->rank - 1]};
  for (int i = 0; i < a->rank - 2; i++) p.batch *= a->dims[i];
  return p;
}

static void backward_matmul(ref_tape *t, ref_node *n) {
  ref_node *a = &t->nodes[n->a], *b = &t->nodes[n->b];
  product p = product_of(a, b);
  double *turned = malloc(sizeof(double) * (size_t)(p.k * (p.m > p.n ? p.m : p.n) + 1));
  if (!turned) {
    t->failed = true;
    return;
  }
  for (int64_t i = 0; i < p.batch; i++) {
    const double *dy = n->gradient + i * p.m * p.n;
    transpose(turned, b->value + i * p.k * p.n, p.k, p.n);
    ref_gemm(a->gradient + i * p.m * p.k, dy, turned, p.m, p.n, p.k);
    transpose(turned, a->value + i * p.m * p.k, p.m, p.k);
    ref_gemm(b->gradient + i * p.k * p.n, turned, dy, p.k, p.m, p.n);
  }
  free(turned);
}

ref ref_matmul(ref_tape *t, ref a, ref b) {
  if (t->failed) return 0;
  int64_t dims[REF_RANK];
  int rank = t->nodes[a].rank;
  product p = product_of(&t->nodes[a], &t->nodes[b]);
  memcpy(dims, t->nodes[a].dims, sizeof(dims));
  dims[rank - 1] = p.n;
  ref_node *n = ref_push(t, rank, dims);
  if (!n) return 0;
  n->a = a;
  n->b = b;
  n->backward = backward_matmul;
  for (int64_t i = 0; i < p.batch; i++)
    ref_gemm(n->value + i * p.m * p.n, t->nodes[a].value + i * p.m * p.k,
             t->nodes[b].value + i * p.k * p.n, p.m, p.k, p.n);
  return t->count - 1;
}

// ---- moves
static void backward_reshape(ref_tape *t, ref_node *n) {
  for (int64_t i = 0; i < n->size; i++) t->nodes[n->a].gradient[i] += n->gradient[i];
}

ref ref_reshape(ref_tape *t, ref a, sn_shape shape) {
  ref_node *n = ref_push(t, shape.rank, shape.dims);
  if (!n) return 0;
  n->a = a;
  n->backward = backward_reshape;
  memcpy(n->value, t->nodes[a].value, sizeof(double) * (size_t)n->size);
  return t->count - 1;
}

static walk walk_permuted(const ref_node *n, const ref_node *x) {
  walk w = {{0}, 0};
  for (int k = 0; k < n->rank; k++) {
    w.stride[k] = 1;
    for (int j = n->perm[k] + 1; j < x->rank; j++) w.stride[k] *= x->dims[j];
  }
  return w;
}

static void backward_permute(ref_tape *t, ref_node *n) {
  walk w = walk_permuted(n, &t->nodes[n->a]);
  for (int64_t i = 0; i < n->size; i++) t->nodes[n->a].gradient[place(n, &w, i)] += n->gradient[i];
}

ref ref_permute(ref_tape *t, ref a, const int *perm) {
  if (t->failed) return 0;
  int64_t dims[REF_RANK];
  int rank = t->nodes[a].rank;
  for (int k = 0; k < rank; k++) dims[k] = t->nodes[a].dims[perm[k]];
  ref_node *n = ref_push(t, rank, dims);
  if (!n) return 0;
  n->a = a;
  n->backward = backward_permute;
  memcpy(n->perm, perm, sizeof(int) * (size_t)rank);
  walk w = walk_permuted(n, &t->nodes[a]);
  for (int64_t i = 0; i < n->size; i++) n->value[i] = t->nodes[a].value[place(n, &w, i)];
  return t->count - 1;
}

// Copies (or, with add, adds) between an array and the part of another that begins at `start`.
static void backward_slice(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a];
  cut c = cut_of(x, n->axis);
  int64_t row = n->dims[n->axis] * c.inner;
  for (int64_t o = 0; o < c.outer; o++)
    for (int64_t i = 0; i < row; i++)
      x->gradient[(o * c.axis + n->start) * c.inner + i] += n->gradient[o * row + i];
}

ref ref_slice(ref_tape *t, ref a, int axis, int64_t start, int64_t count) {
  if (t->failed) return 0;
  int64_t dims[REF_RANK];
  memcpy(dims, t->nodes[a].dims, sizeof(dims));
  dims[axis] = count;
  ref_node *n = ref_push(t, t->nodes[a].rank, dims);
  if (!n) return 0;
  cut c = cut_of(&t->nodes[a], axis);
  n->a = a;
  n->axis = axis;
  n->start = start;
  n->backward = backward_slice;
  for (int64_t o = 0; o < c.outer; o++)
    memcpy(n->value + o * count * c.inner, t->nodes[a].value + (o * c.axis + start) * c.inner,
           sizeof(double) * (size_t)(count * c.inner));
  return t->count - 1;
}

static void backward_concat(ref_tape *t, ref_node *n) {
  cut c = cut_of(n, n->axis);
  int64_t start = 0;
  for (int p = 0; p < n->n_parts; p++) {
    ref_node *x = &t->nodes[n->parts[p]];
    int64_t row = x->dims[n->axis] * c.inner;
    for (int64_t o = 0; o < c.outer; o++)
      for (int64_t i = 0; i < row; i++)
        x->gradient[o * row + i] += n->gradient[o * c.axis * c.inner + start + i];
    start += row;
  }
}

ref ref_concat(ref_tape *t, const ref *a, int count, int axis) {
  if (t->failed) return 0;
  int64_t dims[REF_RANK], total = 0;
  memcpy(dims, t->nodes[a[0]].dims, sizeof(dims));
  for (int p = 0; p < count; p++) total += t->nodes[a[p]].dims[axis];
  dims[axis] = total;
  ref_node *n = ref_push(t, t->nodes[a[0]].rank, dims);
  if (!n) return 0;
  n->parts = malloc(sizeof(ref) * (size_t)count);
  if (!n->parts) {
    t->failed = true;
    return 0;
  }
  memcpy(n->parts, a, sizeof(ref) * (size_t)count);
  n->n_parts = count;
  n->axis = axis;
  n->backward = backward_concat;
  cut c = cut_of(n, axis);
  int64_t start = 0;
  for (int p = 0; p < count; p++) {
    int64_t row = t->nodes[a[p]].dims[axis] * c.inner;
    for (int64_t o = 0; o < c.outer; o++)
      memcpy(n->value + o * c.axis * c.inner + start, t->nodes[a[p]].value + o * row,
             sizeof(double) * (size_t)row);
    start += row;
  }
  return t->count - 1;
}
