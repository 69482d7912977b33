// Matrices of derivatives, in one pass each: what reverse mode makes of one cotangent of y is vectorised over all of an
// identity; or, where the xs have fewer elements, what it makes of one tangent of an x. A tangent's derivative is the gradient
// of a gradient with respect to its cotangent, in which it is linear (frontend/gradient/products.c).
//
// Invariant: nodes that do not depend on the cotangent stay as they are; those of it alone, which were vectorised, are read
// by nobody.
#include "passes/graph/build.h"
#include "passes/graph/passes.h"
#include "passes/vectorize/vectorize.h"

#include <string.h>

typedef struct jacobian {
  sni_graph *graph;
  const sni_differentiate_request *r;
  bool of_batch;
  sni_build b;
  sni_type y;
} jacobian;

// The shape of a row of a batch.
static sni_type without_batch(const sni_type *type, bool of_batch) {
  sni_type row = *type;
  if (of_batch) memmove(row.dims, row.dims + 1, (size_t)--row.rank * sizeof(*row.dims));
  return row;
}

bool sni_jacobian_type(const sni_type *y, const sni_type *x, bool of_batch, sni_type *out) {
  const sni_type row = without_batch(x, of_batch);
  *out = *y;
  out->dtype = x->dtype;
  if (y->rank + row.rank > SN_MAX_RANK) return false;
  memcpy(out->dims + out->rank, row.dims, (size_t)row.rank * sizeof(*row.dims));
  out->rank += row.rank;
  return true;
}

// [count, type...]: number k is 1 in place k of the type's elements, or of those of each row of a batch.
static sni_node_id make_basis(jacobian *j, const sni_type *type, sni_dim *out_count) {
  sni_build *b = &j->b;
  const sni_type row = without_batch(type, j->of_batch);
  const sni_dim count = *out_count = sni_type_size(j->graph->dims, &row);
  const sni_type square = sni_type_make(SN_I64, 2, (sni_dim[]){count, count});
  const sni_node_id i = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){0}, 1, &square);
  const sni_node_id k = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){1}, 1, &square);
  sni_node_id eye = sni_build_cast(b, sni_build_binary(b, SNI_OP_EQ, i, k), type->dtype);
  sni_type all = *type, apart;
  memmove(all.dims + 1, all.dims, (size_t)all.rank++ * sizeof(*all.dims));
  all.dims[0] = count;
  apart = all;
  if (j->of_batch) apart.dims[1] = 1;
  return sni_build_broadcast(b, sni_build_reshape(b, eye, &apart), &all);
}

// What the nodes behind `one` make of it becomes what they make of all of the basis.
static sn_status vectorize(jacobian *j, sni_node_id one, sni_node_id basis, sni_dim count,
                           sni_node_id *io_nodes, int n) {
  sni_graph *graph = j->graph;
  const uint32_t end = graph->n_nodes;
  sni_node_id *map = SNI_ARENA_ARRAY(graph->arena, sni_node_id, end + 1);
  sni_node_id *wanted = SNI_ARENA_ARRAY(graph->arena, sni_node_id, n + 1);
  bool *batched = SNI_ARENA_ARRAY(graph->arena, bool, end + 1);
  int n_wanted = 0;
  if (!map || !wanted || !batched)
    return sni_fail_memory(graph->diag, end * sizeof(*map), "a jacobian");
  for (sni_node_id id = 0; id < end; id++) map[id] = id <= one ? id : SNI_NO_NODE;
  for (int i = 0; i < n; i++)
    if (io_nodes[i] != SNI_NO_NODE) wanted[n_wanted++] = io_nodes[i];
  map[one] = basis;
  batched[one] = true;
  SNI_TRY(sni_vectorize(&(sni_vectorize_request){.from = graph,
                                                 .first = one + 1,
                                                 .end = end,
                                                 .to = graph,
                                                 .size = count,
                                                 .map = map,
                                                 .batched = batched,
                                                 .results = wanted,
                                                 .n_results = n_wanted,
                                                 .has_identity = !j->of_batch,
                                                 .identity = basis,
                                                 .location = j->r->location}));
  for (int i = 0; i < n; i++) {
    const sni_node_id id = io_nodes[i];
    if (id == SNI_NO_NODE) continue;
    io_nodes[i] = map[id];
    if (!batched[id])
      SNI_TRY(sni_spread_examples(graph, map[id], count, j->r->location, &io_nodes[i]));
  }
  return SN_OK;
}

static sn_status check_type(const jacobian *j, const sni_type *x, sni_type *out) {
  char a[200], b[200];
  if (sni_jacobian_type(&j->y, x, j->of_batch, out)) return SN_OK;
  sni_type_format(j->graph->dims, &j->y, a, sizeof(a));
  sni_type_format(j->graph->dims, x, b, sizeof(b));
  return sni_fail(j->graph->diag, SN_ERR_SHAPE,
                  "the derivatives of %s with respect to %s have more than %d dims", a, b,
                  SN_MAX_RANK);
}

// ---- reverse: rows [count, x...] for each element of y
static sni_node_id arrange_rows(jacobian *j, sni_node_id rows, const sni_type *type) {
  int perm[SN_MAX_RANK];
  for (int d = 0; d < SN_MAX_RANK; d++) perm[d] = d;
  if (j->of_batch) perm[0] = 1, perm[1] = 0;
  return sni_build_reshape(&j->b, sni_build_transpose(&j->b, rows, perm), type);
}

static sn_status by_rows(jacobian *j, sni_node_id *out) {
  const sni_differentiate_request *r = j->r;
  sni_differentiate_request request = *r;
  sni_dim count;
  const sni_node_id basis = make_basis(j, &j->y, &count);
  request.seed = sni_build_full(&j->b, &j->y, 0);
  SNI_TRY(j->b.status);
  SNI_TRY(sni_differentiate(j->graph, &request, out));
  SNI_TRY(vectorize(j, request.seed, basis, count, out, r->n_xs));
  for (int i = 0; i < r->n_xs; i++) {
    sni_type type;
    if (out[i] == SNI_NO_NODE) continue;
    const sni_type x = *sni_graph_type(j->graph, r->xs[i]);
    SNI_TRY(check_type(j, &x, &type));
    out[i] = arrange_rows(j, out[i], &type);
  }
  return j->b.status;
}

// ---- forward: columns [count, y...] for each element of x
static sni_node_id arrange_columns(jacobian *j, sni_node_id columns, const sni_type *type) {
  int perm[SN_MAX_RANK];
  const int last = sni_build_type(&j->b, columns).rank - 1;
  for (int d = 0; d < last; d++) perm[d] = d + 1;
  perm[last] = 0;
  return sni_build_reshape(&j->b, sni_build_transpose(&j->b, columns, perm), type);
}

static sn_status add_columns(jacobian *j, sni_node_id cotangent, sni_node_id gradient,
                             sni_node_id x, sni_node_id *out) {
  const sni_type x_type = *sni_graph_type(j->graph, x);
  sni_type type;
  sni_dim count;
  SNI_TRY(check_type(j, &x_type, &type));
  const sni_node_id basis = make_basis(j, &x_type, &count);
  const sni_node_id tangent = sni_build_full(&j->b, &x_type, 0);
  SNI_TRY(j->b.status);
  const sni_differentiate_request request = {
      .y = gradient, .seed = tangent, .xs = &cotangent, .n_xs = 1, .location = j->r->location};
  SNI_TRY(sni_differentiate(j->graph, &request, out));
  if (*out == SNI_NO_NODE) {
    *out = sni_build_full(&j->b, &type, 0);
    return j->b.status;
  }
  SNI_TRY(vectorize(j, tangent, basis, count, out, 1));
  *out = arrange_columns(j, *out, &type);
  return j->b.status;
}

static sn_status by_columns(jacobian *j, sni_node_id *out) {
  sni_differentiate_request request = *j->r;
  request.seed = sni_build_full(&j->b, &j->y, 0);
  SNI_TRY(j->b.status);
  SNI_TRY(sni_differentiate(j->graph, &request, out));
  for (int i = 0; i < j->r->n_xs; i++)
    if (out[i] != SNI_NO_NODE) SNI_TRY(add_columns(j, request.seed, out[i], j->r->xs[i], &out[i]));
  return SN_OK;
}

// ---- which of them
// The second derivative of a loop of unknown length runs it once more.
static bool has_loop(const sni_graph *graph, sni_node_id y) {
  for (sni_node_id id = 0; id <= y; id++)
    if (sni_graph_node(graph, id)->op == SNI_OP_WHILE) return true;
  return false;
}

static bool is_shorter(jacobian *j) {
  sni_dim_table *dims = j->graph->dims;
  int64_t rows, columns = 0, size;
  const sni_type y = without_batch(&j->y, j->of_batch);
  if (!sni_dim_is_constant(dims, sni_type_size(dims, &y), &rows)) return false;
  for (int i = 0; i < j->r->n_xs; i++) {
    if (j->r->xs[i] == SNI_NO_NODE) continue;
    const sni_type x = without_batch(sni_graph_type(j->graph, j->r->xs[i]), j->of_batch);
    if (!sni_dim_is_constant(dims, sni_type_size(dims, &x), &size)) return false;
    columns += size;
  }
  return columns < rows && !has_loop(j->graph, j->r->y);
}

sn_status sni_jacobian(sni_graph *graph, const sni_differentiate_request *request, bool of_batch,
                       sn_jacobian_mode mode, sni_node_id *out) {
  jacobian j = {.graph = graph,
                .r = request,
                .of_batch = of_batch,
                .b = sni_build_make(graph, request->location),
                .y = *sni_graph_type(graph, request->y)};
  const bool forward = mode == SN_JACOBIAN_AUTO ? is_shorter(&j) : mode == SN_JACOBIAN_FORWARD;
  return forward ? by_columns(&j, out) : by_rows(&j, out);
}
