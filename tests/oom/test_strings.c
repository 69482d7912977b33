// Strings, branches of different sizes and loops whose carries grow.
#include "oom/component_life.h"

static sn_status twice(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *const two[] = {in[0], in[0]};
  out[0] = sn_concat(two, 2, 0);
  return (void)user, sn_pending_error(c);
}
static sn_status first(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_range_spec one = SN_RANGE(0, 1, 1);
  out[0] = sn_slice(in[0], &one, 1);
  return (void)user, sn_pending_error(c);
}
static sn_status few(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less(sn_axis_size(in[0], 0, SN_I64), 5);
  return (void)user, sn_pending_error(c);
}

// Two texts, grown to eight in a loop, sorted; one of them is left where the first two are equal.
static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const char *const texts[] = {"b", "a text that is longer than others"};
  sn_tensor *t = sn_strings(c, SN_SHAPE(2), texts), *grown, *left;
  (void)in, (void)user;
  sn_while_loop_resizing(c, few, twice, NULL, &t, 1, &grown, 1);
  sn_tensor *const sorted = sn_sort(grown, 0);
  sn_tensor *const equal = sn_equal(sn_index(sorted, 0, 0), sn_index(sorted, 0, 1));
  sn_cond(c, equal, first, twice, NULL, &sorted, 1, &left, 1);
  sn_tensor *const sizes[] = {sn_axis_size(grown, 0, SN_I64), sn_axis_size(left, 0, SN_I64)};
  out[0] = sn_add(sn_mul(sizes[0], 10), sizes[1]);
  return sn_pending_error(c);
}

START_TEST(every_allocation) {
  const component_body b = {body, 81};
  ck_assert(!life_fails_at(&b, -1, _i == 1));
  long n = 0;
  while (life_fails_at(&b, n, _i == 1)) n++;
  ck_assert_int_gt(n, 50);
}
END_TEST

int main(void) {
  return run_ways("strings", every_allocation, 2);
}
