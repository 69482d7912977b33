// Operations of the float64 tape that networks are made of: softmax, cross-entropy, convolution,
// pooling, and compositions. Plain loops over the definitions.
#include "bench/oracle_tape.h"

#include <math.h>
#include <string.h>

static ref_node *push_of(ref_tape *t, ref a, int rank, const int64_t *dims,
                         void (*backward)(ref_tape *, ref_node *)) {
  int64_t copy[REF_RANK];  // the operand's own dims may move
  if (t->failed) return NULL;
  memcpy(copy, dims, sizeof(int64_t) * (size_t)rank);
  ref_node *n = ref_push(t, rank, copy);
  if (!n) return NULL;
  n->a = a;
  n->backward = backward;
  return n;
}

// ---- rows
static void softmax_row(double *y, const double *x, int64_t n) {
  double most = -INFINITY, sum = 0;
  for (int64_t j = 0; j < n; j++) most = x[j] > most ? x[j] : most;
  for (int64_t j = 0; j < n; j++) sum += y[j] = exp(x[j] - most);
  for (int64_t j = 0; j < n; j++) y[j] /= sum;
}

static void backward_softmax(ref_tape *t, ref_node *n) {
  int64_t columns = n->dims[n->rank - 1];
  for (int64_t i = 0; i < n->size; i += columns) {
    const double *y = n->value + i, *dy = n->gradient + i;
    double *dx = t->nodes[n->a].gradient + i, sum = 0;
    for (int64_t j = 0; j < columns; j++) sum += y[j] * dy[j];
    for (int64_t j = 0; j < columns; j++) dx[j] += y[j] * (dy[j] - sum);
  }
}

ref ref_softmax(ref_tape *t, ref a) {
  if (t->failed) return 0;
  ref_node *n = push_of(t, a, t->nodes[a].rank, t->nodes[a].dims, backward_softmax);
  if (!n) return 0;
  int64_t columns = n->dims[n->rank - 1];
  for (int64_t i = 0; i < n->size; i += columns)
    softmax_row(n->value + i, t->nodes[a].value + i, columns);
  return t->count - 1;
}

static void backward_cross_entropy(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a];
  int64_t columns = x->dims[1];
  for (int64_t i = 0; i < n->size; i++) {
    const double *row = x->value + i * columns;
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < columns; j++) most = row[j] > most ? row[j] : most;
    for (int64_t j = 0; j < columns; j++) sum += exp(row[j] - most);
    for (int64_t j = 0; j < columns; j++)
      x->gradient[i * columns + j] +=
          n->gradient[i] * (exp(row[j] - most) / sum - (j == n->labels[i]));
  }
}

ref ref_cross_entropy(ref_tape *t, ref logits, const int32_t *labels) {
  if (t->failed) return 0;
  ref_node *n = push_of(t, logits, 1, t->nodes[logits].dims, backward_cross_entropy);
  if (!n) return 0;
  const ref_node *x = &t->nodes[logits];
  int64_t columns = x->dims[1];
  n->labels = labels;
  for (int64_t i = 0; i < n->size; i++) {
    const double *row = x->value + i * columns;
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < columns; j++) most = row[j] > most ? row[j] : most;
    for (int64_t j = 0; j < columns; j++) sum += exp(row[j] - most);
    n->value[i] = log(sum) + most - row[labels[i]];
  }
  return t->count - 1;
}

// ---- images
typedef struct conv {
  ref_node *x, *w, *y;
} conv;

// For each tap of each window that lies inside: the first channels of y, x and w there.
static void each_tap(const conv *c, void (*tap)(const conv *, int64_t, int64_t, int64_t)) {
  const int64_t *d = c->y->dims;
  for (int64_t i = 0; i < d[0] * d[1] * d[2] * 9; i++) {
    int64_t k = i % 9, column = i / 9 % d[2], row = i / 9 / d[2] % d[1], b = i / 9 / d[2] / d[1];
    int64_t r = row + k / 3 - 1, s = column + k % 3 - 1;
    if (r < 0 || r >= d[1] || s < 0 || s >= d[2]) continue;
    tap(c, i / 9 * d[3], ((b * d[1] + r) * d[2] + s) * c->x->dims[3], k * c->x->dims[3] * d[3]);
  }
}

static void tap_forward(const conv *c, int64_t y, int64_t x, int64_t w) {
  int64_t channels = c->x->dims[3], n = c->y->dims[3];
  double *to = c->y->value + y;
  for (int64_t i = 0; i < channels; i++) {
    const double *row = c->w->value + w + i * n;
    double value = c->x->value[x + i];
    for (int64_t j = 0; j < n; j++) to[j] += value * row[j];
  }
}

static void tap_backward(const conv *c, int64_t y, int64_t x, int64_t w) {
  int64_t channels = c->x->dims[3], n = c->y->dims[3];
  const double *dy = c->y->gradient + y;
  for (int64_t i = 0; i < channels; i++) {
    const double *row = c->w->value + w + i * n;
    double *dw = c->w->gradient + w + i * n, value = c->x->value[x + i], sum = 0;
    for (int64_t j = 0; j < n; j++) dw[j] += value * dy[j];
    for (int64_t j = 0; j < n; j++) sum += row[j] * dy[j];
    c->x->gradient[x + i] += sum;
  }
}

static void backward_conv3(ref_tape *t, ref_node *n) {
  each_tap(&(conv){&t->nodes[n->a], &t->nodes[n->b], n}, tap_backward);
}

ref ref_conv3(ref_tape *t, ref x, ref w) {
  if (t->failed) return 0;
  const ref_node *in = &t->nodes[x];
  int64_t dims[4] = {in->dims[0], in->dims[1], in->dims[2], t->nodes[w].dims[3]};
  ref_node *n = push_of(t, x, 4, dims, backward_conv3);
  if (!n) return 0;
  n->b = w;
  each_tap(&(conv){&t->nodes[x], &t->nodes[w], n}, tap_forward);
  return t->count - 1;
}

static int64_t pool_source(const ref_node *x, const ref_node *n, int64_t i) {
  int64_t channels = n->dims[3], ch = i % channels, c = i / channels % n->dims[2];
  int64_t r = i / channels / n->dims[2] % n->dims[1];
  int64_t b = i / channels / n->dims[2] / n->dims[1], best = -1;
  for (int64_t k = 0; k < 4; k++) {
    int64_t at = ((b * x->dims[1] + 2 * r + k / 2) * x->dims[2] + 2 * c + k % 2) * channels + ch;
    if (best < 0 || x->value[at] > x->value[best]) best = at;
  }
  return best;
}

static void backward_pool2(ref_tape *t, ref_node *n) {
  ref_node *x = &t->nodes[n->a];
  for (int64_t i = 0; i < n->size; i++) x->gradient[pool_source(x, n, i)] += n->gradient[i];
}

ref ref_pool2(ref_tape *t, ref x) {
  if (t->failed) return 0;
  const ref_node *in = &t->nodes[x];
  int64_t dims[4] = {in->dims[0], in->dims[1] / 2, in->dims[2] / 2, in->dims[3]};
  ref_node *n = push_of(t, x, 4, dims, backward_pool2);
  if (!n) return 0;
  for (int64_t i = 0; i < n->size; i++)
    n->value[i] = t->nodes[x].value[pool_source(&t->nodes[x], n, i)];
  return t->count - 1;
}

// ---- composed
ref ref_dense(ref_tape *t, ref x, ref w, ref b) {
  return ref_add(t, ref_matmul(t, x, w), b);
}

ref ref_layer_norm(ref_tape *t, ref x, ref gain, ref bias, int axis, double epsilon) {
  if (t->failed) return 0;
  double n = (double)t->nodes[x].dims[axis];
  ref mean = ref_affine(t, ref_sum(t, x, axis), 1 / n, 0), d = ref_sub(t, x, mean);
  ref variance = ref_affine(t, ref_sum(t, ref_map(t, d, REF_SQUARE), axis), 1 / n, epsilon);
  ref y = ref_mul(t, d, ref_map(t, variance, REF_RSQRT));
  return ref_add(t, ref_mul(t, y, gain), bias);
}

ref ref_mean_square(ref_tape *t, ref x) {
  double n = (double)ref_size(t, x);
  return ref_affine(t, ref_sum_all(t, ref_map(t, x, REF_SQUARE)), n > 0 ? 1 / n : 0, 0);
}
