// Allocation number N fails, for every N, while a body of a component is traced and run, or run op by op: SN_ERR_MEMORY, nothing leaks, and the next
// call is right.
#ifndef TESTS_OOM_COMPONENT_LIFE_H
#define TESTS_OOM_COMPONENT_LIFE_H

#include "oom/failing.h"

// A body without inputs whose output 0 is a number, and that number.
typedef struct component_body {
  sn_callback body;
  double wanted;
} component_body;

static inline sn_status life_call(sn_context *c, sn_function *f, bool eager, double *out_value) {
  SN_SCOPE(c);
  sn_tensor *out = NULL;
  const sn_status status =
      eager ? sn_call_eager(f, NULL, 0, &out, 1) : (sn_call)(f, NULL, 0, &out, 1);
  return status ? status : sn_item(out, out_value);
}

static inline bool life_fails_at(const component_body *b, long n, bool eager) {
  failing f = {.countdown = n};
  sn_context *c = NULL;
  sn_function *function = NULL;
  double value = 0;
  sn_status status = sn_context_create(&c, .allocator = {reallocate, &f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (!status) {
    function = sn_function_create(c, b->body, .inputs = 0, .outputs = 1);
    status = sn_check(c);
  }
  if (!status) status = life_call(c, function, eager, &value);
  check_life(&f, status, c, n);
  f.countdown = -1;
  if (function) {
    ck_assert_msg(!life_call(c, function, eager, &value), "allocation %ld: %s", n,
                  sn_error_message(c));
    ck_assert_msg(value == b->wanted, "allocation %ld: %.17g", n, value);
  }
  sn_function_destroy(function);
  sn_context_destroy(c);
  check_freed(&f, n);
  return f.failed;
}

#endif
