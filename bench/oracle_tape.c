// The float64 tape: nodes in order, each with its value and, after ref_backward, its gradient.
// Invariant: operands lie before their users; a failed tape (no memory) only ever answers 0.
#include "bench/oracle_tape.h"

#include <stdlib.h>
#include <string.h>

ref_tape *ref_tape_create(void) {
  return calloc(1, sizeof(ref_tape));
}

void ref_tape_destroy(ref_tape *t) {
  if (!t) return;
  for (int i = 0; i < t->count; i++) {
    free(t->nodes[i].value);
    free(t->nodes[i].gradient);
    free(t->nodes[i].parts);
  }
  free(t->nodes);
  free(t);
}

bool ref_ok(const ref_tape *t) {
  return t && !t->failed;
}

ref_node *ref_push(ref_tape *t, int rank, const int64_t *dims) {
  if (t->failed) return NULL;
  if (t->count == t->capacity) {
    int capacity = t->capacity ? 2 * t->capacity : 64;
    ref_node *nodes = realloc(t->nodes, sizeof(*nodes) * (size_t)capacity);
    if (!nodes) {
      t->failed = true;
      return NULL;
    }
    t->nodes = nodes;
    t->capacity = capacity;
  }
  ref_node *n = &t->nodes[t->count];
  *n = (ref_node){.rank = rank, .size = 1, .a = -1, .b = -1};
  for (int i = 0; i < rank; i++) {
    n->dims[i] = dims[i];
    n->size *= dims[i];
  }
  n->value = calloc((size_t)n->size + 1, sizeof(double));
  if (!n->value) {
    t->failed = true;
    return NULL;
  }
  t->count++;
  return n;
}

ref ref_leaf_double(ref_tape *t, sn_shape shape, const double *data) {
  ref_node *n = ref_push(t, shape.rank, shape.dims);
  if (!n) return 0;
  memcpy(n->value, data, sizeof(double) * (size_t)n->size);
  return t->count - 1;
}

ref ref_leaf(ref_tape *t, sn_shape shape, const float *data) {
  ref_node *n = ref_push(t, shape.rank, shape.dims);
  if (!n) return 0;
  for (int64_t i = 0; i < n->size; i++) n->value[i] = data[i];
  return t->count - 1;
}

int64_t ref_size(const ref_tape *t, ref a) {
  return t->failed ? 0 : t->nodes[a].size;
}
const double *ref_value(const ref_tape *t, ref a) {
  return t->failed ? NULL : t->nodes[a].value;
}
const double *ref_gradient(const ref_tape *t, ref a) {
  return t->failed ? NULL : t->nodes[a].gradient;
}

void ref_backward(ref_tape *t, ref y) {
  for (int i = 0; i <= y && !t->failed; i++) {
    t->nodes[i].gradient = calloc((size_t)t->nodes[i].size + 1, sizeof(double));
    if (!t->nodes[i].gradient) t->failed = true;
  }
  if (t->failed) return;
  for (int64_t i = 0; i < t->nodes[y].size; i++) t->nodes[y].gradient[i] = 1;
  for (int i = y; i >= 0; i--)
    if (t->nodes[i].backward) t->nodes[i].backward(t, &t->nodes[i]);
}

static bool expect_copy(bench_work *w, int i, const double *from, int64_t n, double tolerance) {
  double *copy = from ? malloc(sizeof(double) * ((size_t)n + 1)) : NULL;
  if (copy) memcpy(copy, from, sizeof(double) * (size_t)n);
  return bench_expect(w, i, copy, n, tolerance);
}

bool ref_expect(bench_work *w, int i, const ref_tape *t, ref a, double tolerance) {
  return expect_copy(w, i, ref_value(t, a), ref_size(t, a), tolerance);
}

bool ref_expect_gradient(bench_work *w, int i, const ref_tape *t, ref a, double tolerance) {
  return expect_copy(w, i, ref_gradient(t, a), ref_size(t, a), tolerance);
}
