// Ragged tensors of 100,000 rows of up to 15 elements: the least time of an eager call and of a compiled one, in ms. ragged.py times TensorFlow.
#include "components/timing.h"

static sn_context *c;
static sn_ragged *r, *other;
static sn_tensor *indices;

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

static const struct {
  const char *name;
  sn_callback run;
  int n_out;
} rows[] = {{"to_tensor", to_tensor, 1},
            {"reduce_sum", sum, 1},
            {"concat", concat, 2},
            {"gather", gather, 2}};

static sn_ragged *drawn(uint32_t seed) {
  enum { n = 100000 };
  static int64_t lengths[n];
  static float values[n * 16];
  int64_t total = 0;
  for (int i = 0; i < n; i++) total += lengths[i] = (seed = seed * 1664525u + 1013904223u) >> 28;
  for (int64_t i = 0; i < total; i++) values[i] = (float)(i % 1000) - 500;
  return sn_keep(sn_ragged_constant(c, SN_F32, values, lengths, n));
}

int main(void) {
  if (sn_context_create(&c, .threads = 1)) return 1;
  r = drawn(1);
  other = drawn(2);
  indices = sn_keep(sn_random_integers(c, SN_I64, SN_SHAPE(100000), 0, 100000));
  sn_tensor *in[] = {sn_keep(sn_ragged_flat_values(r)), sn_keep(sn_ragged_row_splits(r, 0)),
                     sn_keep(sn_ragged_flat_values(other)), sn_keep(sn_ragged_row_splits(other, 0)),
                     indices};
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    time_both(c, rows[i].name, rows[i].run, in, 5, rows[i].n_out);
  return 0;
}
