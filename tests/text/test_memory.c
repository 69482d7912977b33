// Functions of strings, where allocations fail.
#include "oom/component_life.h"

#include <sinter/text.h>

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const char *const texts[] = {"One 22 three", "", "four, 5"};
  (void)in, (void)user;
  sn_tensor *t = sn_strings(c, SN_SHAPE(3), texts);
  sn_ragged *words = sn_string_split(sn_string_lower(t, SN_TEXT_BYTES));
  sn_ragged *numbers = sn_regex_extract_all(t, "[0-9]+", "\\0");
  sn_ragged *const both[] = {words, numbers};
  sn_tensor *crossed =
      sn_string_length(sn_ragged_flat_values(sn_ragged_cross(both, 2)), SN_TEXT_UTF8);
  sn_tensor *sum = sn_sum(sn_string_to_number(sn_ragged_flat_values(numbers), SN_I32));
  sn_tensor *plain = sn_string_length(sn_regex_replace(t, "[aeiou]", ""), SN_TEXT_BYTES);
  sn_tensor *joined = sn_string_length(sn_string_reduce_join(t, .separator = "-"), SN_TEXT_BYTES);
  out[0] = sn_add(sn_add(sum, sn_sum(crossed)),
                  sn_add(sn_sum(plain), sn_reshape(joined, (sn_shape){.rank = 0})));
  return sn_pending_error(c);
}

START_TEST(every_allocation) {
  // 22 + 5; "one_X_22" .. "5_X_5"; "On 22 thr", "fr, 5"; all with two "-"
  const component_body b = {body, 27 + (8 + 7 + 10 + 9 + 5) + (9 + 5) + 21};
  ck_assert(!life_fails_at(&b, -1, _i == 1));
  long n = 0;
  while (life_fails_at(&b, n, _i == 1)) n++;
  ck_assert_int_gt(n, 50);
}
END_TEST

int main(void) {
  return run_ways("text", every_allocation, 2);
}
