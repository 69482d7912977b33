// Matrix products: gelu(x w + b) of the peers' table, plain squares, skinny ones (few rows, K x N of
// a million and more), long ones (few rows and columns, many k: gradients of weights), transposed
// operands, f64 and batches.
#include "bench/bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHECKED_ROWS 16

// size: M, K, N, and these
enum { GELU = 1, TURNED_A = 2, TURNED_B = 4, DOUBLE = 8 };
#define BATCH_SHIFT 8  // batch in the bits from here on; 0: none

static int64_t batch_of(const bench_work *w) {
  return w->size[3] >> BATCH_SHIFT ? w->size[3] >> BATCH_SHIFT : 1;
}

static sn_status product(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *a = w->size[3] & TURNED_A ? sn_transpose(in[0]) : in[0];
  sn_tensor *b = w->size[3] & TURNED_B ? sn_transpose(in[1]) : in[1];
  out[0] = sn_matmul(a, b);
  if (w->size[3] & GELU) out[0] = sn_gelu(sn_add(out[0], in[2]));
  return SN_OK;
}

static bool add_matrix(bench_work *w, int64_t rows, int64_t columns, bool turned, uint64_t seed,
                       double scale) {
  int64_t batch = batch_of(w), n = batch * rows * columns;
  sn_shape shape = turned ? SN_SHAPE(columns, rows) : SN_SHAPE(rows, columns);
  if (w->size[3] >> BATCH_SHIFT) shape = SN_SHAPE(batch, rows, columns);
  if (!(w->size[3] & DOUBLE)) return bench_input(w, shape, seed, scale);
  float *f = malloc(sizeof(float) * (size_t)n);
  double *d = malloc(sizeof(double) * (size_t)n);
  if (f && d) {
    bench_fill(f, n, seed);
    for (int64_t i = 0; i < n; i++) d[i] = f[i] * scale;
  }
  bool ok = f && d && bench_input_of(w, SN_F64, shape, d);
  free(f);
  free(d);
  return ok;
}

static bool create(bench_work *w) {
  int64_t m = w->size[0], k = w->size[1], n = w->size[2], flags = w->size[3];
  return add_matrix(w, m, k, flags & TURNED_A, 1, 1) &&
         add_matrix(w, k, n, flags & TURNED_B, 2, 2 / sqrt((double)k)) &&
         (!(flags & GELU) || bench_input(w, SN_SHAPE(n), 3, 1));
}

static double element(const bench_work *w, int input, int64_t i) {
  const void *data = w->host[input].data;
  return w->host[input].dtype == SN_F64 ? ((const double *)data)[i] : ((const float *)data)[i];
}

static double gelu(double x) {
  return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

// One row of one batch, in order of k.
static void reference_row(const bench_work *w, int64_t batch, int64_t i, double *y) {
  int64_t m = w->size[0], k = w->size[1], n = w->size[2], flags = w->size[3];
  for (int64_t j = 0; j < n; j++) y[j] = 0;
  for (int64_t l = 0; l < k; l++) {
    double x = element(w, 0, batch * m * k + (flags & TURNED_A ? l * m + i : i * k + l));
    for (int64_t j = 0; j < n; j++)
      y[j] += x * element(w, 1, batch * k * n + (flags & TURNED_B ? j * k + l : l * n + j));
  }
  for (int64_t j = 0; j < n && flags & GELU; j++) y[j] = gelu(y[j] + element(w, 2, j));
}

// A sample of rows, the last among them, with all of their columns.
static bool reference(bench_work *w) {
  int64_t rows = batch_of(w) * w->size[0], n = w->size[2];
  int64_t count = rows < CHECKED_ROWS ? rows : CHECKED_ROWS;
  double *y = malloc(sizeof(double) * (size_t)(count * n));
  int64_t *at = malloc(sizeof(int64_t) * (size_t)(count * n));
  for (int64_t c = 0; c < count && y && at; c++) {
    int64_t row = count == 1 ? 0 : c * (rows - 1) / (count - 1);
    reference_row(w, row / w->size[0], row % w->size[0], y + c * n);
    for (int64_t j = 0; j < n; j++) at[c * n + j] = row * n + j;
  }
  return bench_expect_at(w, 0, at, y, count * n, w->size[3] & DOUBLE ? 1e-13 : 1e-5);
}

static const int64_t row_counts[] = {1, 2, 4, 8, 16, 32, 64, 0};
static const int64_t squares[] = {1, 2, 4, 8, 16, 32, 64, 0};

#define SMALL(x) ((x) > 64 ? (x) / 16 + 3 : (x))
#define PRODUCT(text, m, k, n, flags, ...)                                               \
  {                                                                                      \
    .name = text, .size = {(m), (k), (n), (flags)},                                      \
    .small = {SMALL(m), SMALL(k), SMALL(n), (flags)}, .create = create, .body = product, \
    .reference = reference, .outputs = 1, __VA_ARGS__                                    \
  }
#define DENSE(m, k, n, ...) PRODUCT("dense.gelu." #m "x" #k "x" #n, m, k, n, GELU, __VA_ARGS__)
#define SKINNY(m, k, n) PRODUCT("skinny." #m "x" #k "x" #n, m, k, n, 0)
static const bench_workload bench_rows_dense[] = {
    DENSE(1, 256, 256, .sweep = row_counts),
    DENSE(8, 256, 256),
    DENSE(32, 256, 256),
    DENSE(128, 256, 256),
    DENSE(512, 256, 256),
    DENSE(1, 512, 512),
    DENSE(8, 512, 512),
    DENSE(32, 512, 512),
    DENSE(128, 512, 512),
    DENSE(512, 512, 512),
    DENSE(1, 1024, 1024, .sweep = row_counts),
    DENSE(8, 1024, 1024),
    DENSE(32, 1024, 1024),
    DENSE(128, 1024, 1024),
    DENSE(512, 1024, 1024),
    DENSE(1, 768, 3072),
    DENSE(8, 768, 3072),
    DENSE(32, 768, 3072),
    DENSE(128, 768, 3072),
    DENSE(512, 768, 3072),
    PRODUCT("matmul.16", 16, 16, 16, 0),
    PRODUCT("matmul.64", 64, 64, 64, 0),
    PRODUCT("matmul.128", 128, 128, 128, 0, .sweep = squares),
    PRODUCT("matmul.256", 256, 256, 256, 0),
    PRODUCT("matmul.512", 512, 512, 512, 0),
    PRODUCT("matmul.1024", 1024, 1024, 1024, 0),
    PRODUCT("matmul.2048", 2048, 2048, 2048, 0),
    SKINNY(6, 1024, 1024),
    SKINNY(8, 1024, 1024),
    SKINNY(12, 1024, 1024),
    SKINNY(16, 1024, 1024),
    SKINNY(24, 1024, 1024),
    SKINNY(32, 1024, 1024),
    SKINNY(6, 1024, 4096),
    SKINNY(16, 1024, 4096),
    SKINNY(32, 1024, 4096),
    SKINNY(8, 4096, 1024),
    PRODUCT("matmul.tn.512", 512, 512, 512, TURNED_A),
    PRODUCT("matmul.tn.1024", 1024, 1024, 1024, TURNED_A),
    PRODUCT("matmul.nt.512", 512, 512, 512, TURNED_B),
    PRODUCT("matmul.tn.3072x128x768", 3072, 128, 768, TURNED_A),
    PRODUCT("long.tn.16x100000x10", 16, 100000, 10, TURNED_A),
    PRODUCT("long.tn.16x100000x10.2t", 16, 100000, 10, TURNED_A, .threads = 2),
    PRODUCT("long.tn.64x65536x64", 64, 65536, 64, TURNED_A),
    PRODUCT("long.tn.64x65536x64.2t", 64, 65536, 64, TURNED_A, .threads = 2),
    PRODUCT("matmul.odd.511x513x509", 511, 513, 509, 0),
    PRODUCT("matmul.f64.512", 512, 512, 512, DOUBLE),
    PRODUCT("matmul.batch.12x128x64x128", 128, 64, 128, 12 << BATCH_SHIFT),
};
BENCH_GROUP(dense);

// ---- products of any size, for peers_products.py
bool bench_product(const char *name, bench_workload *out) {
  char form[16] = "", type[16] = "";
  int64_t batch = 0, m = 0, k = 0, n = 0;
  int used = 0;
  if (sscanf(name, "product.%15[a-z].%15[a-z0-9].%" SCNd64 "x%" SCNd64 "x%" SCNd64 "x%" SCNd64 "%n",
             form, type, &batch, &m, &k, &n, &used) != 6 ||
      name[used] || batch < 0 || m < 1 || k < 1 || n < 1)
    return false;
  const bool gelu_form = !strcmp(form, "gelu");
  if (!gelu_form && (strlen(form) != 2 || strspn(form, "nt") != 2)) return false;
  const int64_t flags = (gelu_form ? GELU : 0) | (form[0] == 't' ? TURNED_A : 0) |
                        (!gelu_form && form[1] == 't' ? TURNED_B : 0) |
                        (!strcmp(type, "f64") ? DOUBLE : 0) | batch << BATCH_SHIFT;
  *out = (bench_workload){.name = "product",
                          .size = {m, k, n, flags},
                          .create = create,
                          .body = product,
                          .reference = reference,
                          .outputs = 1};
  return true;
}
