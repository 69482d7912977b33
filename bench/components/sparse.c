// A sparse matrix of 100,000 x 100,000 with 1,000,000 values times a dense one of 64 columns, and the gradients; sets of 100,000 pairs of rows of 16: the least
// time of an eager call and of a compiled one, in ms. sparse.py times TensorFlow, sparse_peers.py SciPy and PyTorch.
#include "components/timing.h"

enum { size = 100000, count = 1000000, columns = 64, set_size = 16 };

static sn_sparse *matrix(sn_tensor *const *in) {
  return sn_sparse_create(in[0], in[1], SN_SHAPE(size, size));
}
static sn_status product(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_sparse_matmul(matrix(in), in[2]);
  return SN_OK;
}
static sn_status csr(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_sparse_matmul(sn_sparse_from_csr(in[0], in[1], in[2], size), in[3]);
  return SN_OK;
}
static sn_status transposed(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context, (void)user;
  out[0] = sn_sparse_matmul(matrix(in), in[2], .transpose_a = true);
  return SN_OK;
}
// The product and its gradients with respect to values and the dense operand.
static sn_status gradients(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_sparse_matmul(matrix(in), in[2]);
  sn_tensor *const xs[] = {in[1], in[2]};
  sn_gradients(out[0], xs, 2, out + 1, .seed = in[3]);
  return SN_OK;
}
static sn_status parts(const sn_sparse *s, sn_tensor **out) {
  out[0] = sn_sparse_values(s);
  out[1] = sn_sparse_indices(s);
  out[2] = sn_sparse_dense_shape(s);
  return SN_OK;
}
static sn_status set_union(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  return parts(sn_set_union(SN_SET(in[0]), SN_SET(in[1])), out);
}
static sn_status set_intersection(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  (void)context, (void)user;
  return parts(sn_set_intersection(SN_SET(in[0]), SN_SET(in[1])), out);
}
static sn_status set_difference(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)context, (void)user;
  return parts(sn_set_difference(SN_SET(in[0]), SN_SET(in[1])), out);
}
static sn_status set_sizes(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_set_size(SN_SET(in[0]));
  return SN_OK;
}

// ---- what comes out, by plain loops
static const void *read(sn_tensor *t, size_t bytes) {
  void *data = malloc(bytes);
  if (!data || sn_read(t, data, bytes)) exit(1);
  return data;
}

// The sum of a product: of each value times the sum of the row of the dense operand that it meets.
static double product_sum(sn_tensor *const *in, int side) {
  const int64_t n = sn_dim(in[1], 0);
  const int64_t *at = read(in[0], (size_t)n * 2 * sizeof(*at));
  const float *values = read(in[1], (size_t)n * sizeof(*values));
  const float *dense = read(in[2], (size_t)size * columns * sizeof(*dense));
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    for (int k = 0; k < columns; k++)
      sum += (double)values[i] * (double)dense[at[2 * i + side] * columns + k];
  free((void *)at);
  free((void *)values);
  free((void *)dense);
  return sum;
}

// What is in a row of the first, of the second operand.
enum { IN_A = 1, IN_B = 2, MOST = 1000 };
typedef struct set_sums {
  double in_either, in_both, in_a_alone, size_a;
} set_sums;
static set_sums sums_of(sn_tensor *const *sets) {
  const int64_t *a = read(sets[0], (size_t)size * set_size * sizeof(*a));
  const int64_t *b = read(sets[1], (size_t)size * set_size * sizeof(*b));
  set_sums sums = {0, 0, 0, 0};
  for (int64_t row = 0; row < size; row++) {
    unsigned char has[MOST] = {0};
    for (int k = 0; k < set_size; k++) {
      has[a[row * set_size + k]] |= IN_A;
      has[b[row * set_size + k]] |= IN_B;
    }
    for (int x = 0; x < MOST; x++) {
      sums.in_either += has[x] ? x : 0;
      sums.in_both += has[x] == (IN_A | IN_B) ? x : 0;
      sums.in_a_alone += has[x] == IN_A ? x : 0;
      sums.size_a += has[x] & IN_A ? 1 : 0;
    }
  }
  free((void *)a);
  free((void *)b);
  return sums;
}

int main(void) {
  sn_context *c;
  if (sn_context_create(&c, .threads = 1)) return 1;
  sn_tensor *drawn = sn_random_integers(c, SN_I64, SN_SHAPE(count), 0, (int64_t)size * size);
  sn_tensor *cells = sn_unique(drawn, NULL, NULL);
  const int64_t n = sn_dim(cells, 0);
  printf("%lld values\n", (long long)n);
  sn_tensor *const at[] = {sn_floor_div(cells, size), sn_rem(cells, size)};
  sn_tensor *in[] = {sn_keep(sn_stack(at, 2, 1)),
                     sn_keep(sn_random_uniform(c, SN_F32, SN_SHAPE(n))),
                     sn_keep(sn_random_uniform(c, SN_F32, SN_SHAPE(size, columns))),
                     sn_keep(sn_random_uniform(c, SN_F32, SN_SHAPE(size, columns)))};
  sn_sparse *s = sn_sparse_to_csr(matrix(in));
  sn_tensor *compressed[] = {sn_keep(sn_cast(sn_sparse_splits(s), SN_I32)),
                             sn_keep(sn_cast(sn_sparse_inner(s), SN_I32)), in[1], in[2]};
  const double sum = product_sum(in, 1);
  time_both(c, "product", product, in, 3, 1, sum);
  time_both(c, "product, CSR of i32", csr, compressed, 4, 1, sum);
  time_both(c, "product, transposed", transposed, in, 3, 1, product_sum(in, 0));
  time_both(c, "product and gradients", gradients, in, 4, 3, sum);
  sn_tensor *sets[2];
  for (int i = 0; i < 2; i++)
    sets[i] = sn_keep(sn_random_integers(c, SN_I64, SN_SHAPE(size, set_size), 0, MOST));
  const set_sums sums = sums_of(sets);
  time_both(c, "union", set_union, sets, 2, 3, sums.in_either);
  time_both(c, "intersection", set_intersection, sets, 2, 3, sums.in_both);
  time_both(c, "difference", set_difference, sets, 2, 3, sums.in_a_alone);
  time_both(c, "size", set_sizes, sets, 1, 1, sums.size_a);
  return 0;
}
