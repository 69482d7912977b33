// Ragged and sparse tensors, sets and tensor arrays, where allocations fail.
#include "oom/component_life.h"

#include <sinter/structures.h>

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int32_t values[] = {1, 2, 3, 4, 5};
  const int64_t lengths[] = {2, 0, 3}, places[] = {0, 1, 2, 0};
  const float weights[] = {2, 3};
  (void)in, (void)user;
  sn_ragged *r = sn_ragged_constant(c, SN_I32, values, lengths, 3);
  sn_ragged *const two[] = {r, sn_ragged_map((sn_square), r)};
  sn_tensor *filled = sn_ragged_to_tensor(sn_ragged_concat(two, 2, 1));  // [3, 6]
  sn_sparse *s = sn_sparse_create(sn_constant(c, SN_I64, SN_SHAPE(2, 2), places),
                                  sn_constant(c, SN_F32, SN_SHAPE(2), weights), SN_SHAPE(3, 3));
  sn_tensor *product = sn_sparse_matmul(s, sn_cast(filled, SN_F32));  // 2 * row 1, 0, 3 * row 0
  sn_sparse *set = sn_set_union(SN_SET(filled), SN_SET(sn_add(filled, 1)));
  sn_tensor_array *a = sn_tensor_array_create(c, SN_F32, 2);
  a = sn_tensor_array_write(a, sn_scalar_i64(c, 1), sn_sum(product));
  a = sn_tensor_array_write(a, sn_scalar_i64(c, 0), sn_sum(sn_cast(sn_sparse_values(set), SN_F32)));
  out[0] = sn_sum(sn_tensor_array_stack(a));
  return sn_pending_error(c);
}

START_TEST(every_allocation) {
  // 3 * (1 + 2 + 1 + 4); {0 1 2 3 4 5}, {0 1}, {0 3 4 5 6 9 10 16 17 25 26}
  const component_body b = {body, 24 + 15 + 1 + 121};
  ck_assert(!life_fails_at(&b, -1, _i == 1));
  long n = 0;
  while (life_fails_at(&b, n, _i == 1)) n++;
  ck_assert_int_gt(n, 50);
}
END_TEST

int main(void) {
  return run_ways("structures", every_allocation, 2);
}
