// Rows of a table: 4096 gathered from 50,000 of 128, and as many added into such a variable.
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

// size: rows, width, table rows
static sn_status gather(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_gather(in[0], in[1]);
  return SN_OK;
}

static bool add_indices(bench_work *w) {
  int64_t n = w->size[0];
  float *random = malloc(sizeof(float) * (size_t)n);
  int32_t *indices = malloc(sizeof(int32_t) * (size_t)n);
  if (random && indices) bench_fill(random, n, 5);
  for (int64_t i = 0; i < n && random && indices; i++)  // some rows more than once
    indices[i] = (int32_t)((double)(random[i] + 1) / 2 * (double)w->size[2]);
  bool ok = random && indices && bench_input_of(w, SN_I32, SN_SHAPE(n), indices);
  free(random);
  free(indices);
  return ok;
}

static bool create_gather(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[2], w->size[1]), 1, 1) && add_indices(w);
}

static bool reference_gather(bench_work *w) {
  int64_t n = w->size[0], width = w->size[1];
  const float *table = w->host[0].data;
  const int32_t *indices = w->host[1].data;
  double *y = malloc(sizeof(double) * (size_t)(n * width));
  for (int64_t i = 0; i < n * width && y; i++) y[i] = table[indices[i / width] * width + i % width];
  return bench_expect(w, 0, y, n * width, 0);
}

// The result is the number of rows: what counts is the variable.
static sn_status scatter_add(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  const bench_work *w = user;
  sn_assign(w->variables[0], sn_scatter_add(w->variables[0], in[0], in[1]));
  out[0] = sn_scalar_f32(context, (float)w->size[0]);
  return SN_OK;
}

static bool create_scatter(bench_work *w) {
  w->observed[w->n_observed++] = bench_variable(w, SN_SHAPE(w->size[2], w->size[1]), 1, 1, 0, true);
  return w->observed[0] && add_indices(w) &&
         bench_input(w, SN_SHAPE(w->size[0], w->size[1]), 2, 1e-3);
}

static bool reference_scatter(bench_work *w) {
  int64_t n = w->size[0], width = w->size[1], all = w->size[2] * width;
  const int32_t *indices = w->host[0].data;
  const float *updates = w->host[1].data;
  float *table = malloc(sizeof(float) * (size_t)all);
  double *y = malloc(sizeof(double) * (size_t)all), *count = malloc(sizeof(double));
  bool ok = table && y && count;
  if (ok) bench_fill(table, all, 1);
  for (int64_t i = 0; i < all && ok; i++) y[i] = table[i];
  for (int64_t i = 0; i < n * width && ok; i++)
    y[indices[i / width] * width + i % width] += updates[i];
  if (ok) *count = (double)n;
  free(table);
  ok = bench_expect(w, 0, count, 1, 0);
  return bench_expect(w, 1, y, all, 2e-7) && ok;
}

static const int64_t row_counts[] = {1, 16, 256, 4096, 0};

static const bench_workload bench_rows_embed[] = {
    {.name = "embed.gather",
     .size = {4096, 128, 50000},
     .small = {67, 20, 100},
     .create = create_gather,
     .body = gather,
     .reference = reference_gather,
     .outputs = 1,
     .sweep = row_counts},
    {.name = "embed.scatter_add",
     .size = {4096, 128, 50000},
     .small = {67, 20, 100},
     .create = create_scatter,
     .body = scatter_add,
     .reference = reference_scatter,
     .outputs = 1,
     .sweep = row_counts},
};
BENCH_GROUP(embed);
