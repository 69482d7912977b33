// Ragged tensors of 100,000 rows of up to 15 elements: the least time of an eager call and of a compiled one, in ms. ragged.py times TensorFlow.
#include "components/timing.h"

static sn_context *c;

static sn_status to_tensor(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_ragged_to_tensor(sn_ragged_make(context, (sn_tensor *const[8]){in[0], in[1]}));
  return SN_OK;
}
static sn_status sum(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_ragged_dense(
      sn_ragged_sum(sn_ragged_make(context, (sn_tensor *const[8]){in[0], in[1]}), 1));
  return SN_OK;
}
static sn_status both(sn_ragged *result, sn_tensor **out) {
  out[0] = sn_ragged_flat_values(result);
  out[1] = sn_ragged_row_splits(result, 0);
  return SN_OK;
}
static sn_status concat(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_ragged *x = sn_ragged_make(context, (sn_tensor *const[8]){in[0], in[1]});
  sn_ragged *y = sn_ragged_make(context, (sn_tensor *const[8]){in[2], in[3]});
  return both(sn_ragged_concat((sn_ragged *const[]){x, y}, 2, 1), out);
}
static sn_status gather(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return both(sn_ragged_gather(sn_ragged_make(context, (sn_tensor *const[8]){in[0], in[1]}), in[4]),
              out);
}

enum { n_rows = 100000 };

// sums: of each row.
static sn_ragged *drawn(uint32_t seed, double *sums) {
  static int64_t lengths[n_rows];
  static float values[n_rows * 16];
  int64_t total = 0;
  for (int i = 0; i < n_rows; i++) {
    lengths[i] = (seed = seed * 1664525u + 1013904223u) >> 28;
    sums[i] = 0;
    for (int64_t k = 0; k < lengths[i]; k++, total++)
      sums[i] += (double)(values[total] = (float)(total % 1000) - 500);
  }
  return sn_keep(sn_ragged_constant(c, SN_F32, values, lengths, n_rows));
}

int main(void) {
  static double sums[n_rows], others[n_rows];
  static int64_t places[n_rows];
  double one = 0, both_sums = 0, gathered = 0;
  if (sn_context_create(&c, .threads = 1)) return 1;
  sn_ragged *r = drawn(1, sums), *other = drawn(2, others);
  sn_tensor *indices = sn_keep(sn_random_integers(c, SN_I64, SN_SHAPE(n_rows), 0, n_rows));
  if (sn_read(indices, places, sizeof(places))) return 1;
  for (int i = 0; i < n_rows; i++) {
    one += sums[i];
    both_sums += sums[i] + others[i];
    gathered += sums[places[i]];
  }
  sn_tensor *in[] = {sn_ragged_flat_values(r), sn_ragged_row_splits(r, 0),
                     sn_ragged_flat_values(other), sn_ragged_row_splits(other, 0), indices};
  time_both(c, "to_tensor", to_tensor, in, 5, 1, one);
  time_both(c, "reduce_sum", sum, in, 5, 1, one);
  time_both(c, "concat", concat, in, 5, 2, both_sums);
  time_both(c, "gather", gather, in, 5, 2, gathered);
  sn_release(r);
  sn_release(other);
  sn_release(indices);
  sn_context_destroy(c);
  return 0;
}
