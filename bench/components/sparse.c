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
  out[0] = sn_sparse_indices(s);
  out[1] = sn_sparse_values(s);
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

int main(void) {
  sn_context *c;
  if (sn_context_create(&c, .threads = 1)) return 1;
  sn_tensor *drawn = sn_random_integers(c, SN_I64, SN_SHAPE(count), 0, (int64_t)size * size);
  sn_tensor *cells = sn_unique(drawn, NULL, NULL);
  const int64_t n = sn_dim(cells, 0);
  printf("%lld values\n", (long long)n);
  sn_tensor *const at[] = {sn_floor_div(cells, size), sn_rem(cells, size)};
  sn_tensor *in[] = {sn_keep(sn_stack(at, 2, 1)), sn_keep(sn_random_normal(c, SN_F32, SN_SHAPE(n))),
                     sn_keep(sn_random_normal(c, SN_F32, SN_SHAPE(size, columns))),
                     sn_keep(sn_random_normal(c, SN_F32, SN_SHAPE(size, columns)))};
  sn_sparse *s = sn_sparse_to_csr(matrix(in));
  sn_tensor *compressed[] = {sn_keep(sn_cast(sn_sparse_splits(s), SN_I32)),
                             sn_keep(sn_cast(sn_sparse_inner(s), SN_I32)), in[1], in[2]};
  time_both(c, "product", product, in, 3, 1);
  time_both(c, "product, CSR of i32", csr, compressed, 4, 1);
  time_both(c, "product, transposed", transposed, in, 3, 1);
  time_both(c, "product and gradients", gradients, in, 4, 3);
  sn_tensor *sets[2];
  for (int i = 0; i < 2; i++)
    sets[i] = sn_keep(sn_random_integers(c, SN_I64, SN_SHAPE(size, set_size), 0, 1000));
  time_both(c, "union", set_union, sets, 2, 3);
  time_both(c, "intersection", set_intersection, sets, 2, 3);
  time_both(c, "difference", set_difference, sets, 2, 3);
  time_both(c, "size", set_sizes, sets, 1, 1);
  return 0;
}
