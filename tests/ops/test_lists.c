// Lists of updates: one step of many variables, of which some read others' old and new values, runs
// as commands of several parts. Variables and results have the bits of op by op, with any number of
// threads, after several steps.
#include "ops/function_harness.h"
#include "runtime/base.h"

#include <stdlib.h>

enum { N_VARIABLES = 24, N_STEPS = 3, N_PROGRAMS = 6 };

static const int64_t sizes[] = {1, 2, 3, 7, 16, 17, 63, 64, 300, 511, 512, 513, 4096, 5000, 70000};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct setting {
  unsigned seed;  // of the program
  sn_tensor *variables[N_VARIABLES];
} setting;

static sn_shape shape_of(int i, unsigned seed) {
  const int64_t n = sizes[(unsigned)(i / 2 * 5 + 3) * (seed + 1) % N_SIZES];  // pairs are alike
  return i % 3 == 0 && n > 16 ? SN_SHAPE(n / 8, 8) : SN_SHAPE(i % 3 == 0 ? n / 8 * 8 + 1 : n);
}

// The partner's old or new value, or the variable's own, and what all share.
static sn_status step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const setting *s = user;
  unsigned state = s->seed * 7919 + 13;
  sn_tensor *total = in[0];
  for (int i = 0; i < N_VARIABLES; i++) {
    sn_tensor *v = sn_read_variable(s->variables[i]), *other = v;
    const int kind = rand_r(&state) % 6, partner = i ^ 1;
    if (kind < 2 && sn_size(v) == sn_size(s->variables[partner]))
      other = sn_reshape(sn_read_variable(s->variables[partner]), shape_of(i, s->seed));
    if (kind == 2) total = sn_add(total, sn_sum(v));
    sn_tensor *fresh = sn_sub(v, sn_mul(in[0], sn_mul(other, sn_sigmoid(v))));
    sn_assign(s->variables[i], fresh);
    if (kind == 3) total = sn_add(total, sn_max(fresh));
  }
  out[0] = total;
  return sn_pending_error(c);
}

static void set_variables(sn_context *c, setting *s) {
  sn_set_seed(c, 4);
  for (int i = 0; i < N_VARIABLES; i++) {
    sn_tensor *value = sn_random_normal(c, SN_F32, shape_of(i, s->seed));
    if (s->variables[i])
      sn_assign(s->variables[i], value);
    else
      s->variables[i] = sn_variable(value);
  }
}

static uint64_t digest(sn_tensor *x, uint64_t hash) {
  const void *data;
  ck_assert_int_eq(sn_data(x, &data), SN_OK);
  return sni_hash_bytes(hash, data, (size_t)sn_size(x) * sn_dtype_size(sn_dtype_of(x)));
}

static uint64_t run(sn_context *c, setting *s, bool eager) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, step, .user = s, .inputs = 1, .outputs = 1);
  uint64_t hash = 0;
  set_variables(c, s);
  for (int i = 0; i < N_STEPS; i++) {
    sn_tensor *rate = sn_full(c, SN_F32, SN_SHAPE(1), 0.125), *total;
    const sn_status status =
        eager ? sn_call_eager(f, &rate, 1, &total, 1) : sn_call(f, &rate, 1, &total, 1);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    hash = digest(total, hash);
  }
  for (int i = 0; i < N_VARIABLES; i++) hash = digest(sn_read_variable(s->variables[i]), hash);
  if (!eager) {
    sn_function_statistics stats;
    sn_function_stats(f, &stats);
    ck_assert_uint_lt(stats.commands, N_VARIABLES);  // there are lists at all
  }
  sn_function_destroy(f);
  return hash;
}

START_TEST(lists_compute_the_same) {
  static const int threads[] = {1, 2, 3, 7, 16};
  uint64_t expected = 0;
  for (int t = 0; t < 5; t++)
    for (int llvm = 0; llvm <= SINTER_HAS_LLVM; llvm++) {
      setting s = {.seed = (unsigned)_i};
      sn_context *c = open_context(llvm ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, threads[t], 0);
      if (t == 0 && !llvm) expected = run(c, &s, true);
      ck_assert_msg(run(c, &s, false) == expected, "%d threads, %s", threads[t],
                    llvm ? "LLVM" : "interpreter");
      for (int i = 0; i < N_VARIABLES; i++) sn_release(s.variables[i]);
      sn_context_destroy(c);
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lists");
  TCase *tests = tcase_create("lists");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, lists_compute_the_same, 0, N_PROGRAMS);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
