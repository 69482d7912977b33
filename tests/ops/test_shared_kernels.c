// Commands whose kernels differ in numbers alone share one: pieces of a concat, updates of variables
// of many sizes, steps with constants of their own. Results are those of op by op, to the bit.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

enum { N_VARIABLES = 12, N_PIECES = 40 };

typedef struct setting {
  sn_dtype dtype;
  sn_tensor *variables[N_VARIABLES];
} setting;

static sn_tensor *number(sn_context *c, sn_dtype dtype, double value) {
  return sn_full(c, dtype, SN_SCALAR, value);
}

// y[i] = x[i] times and plus constants of its own.
static sn_status pieces(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const setting *s = user;
  sn_tensor *all[N_PIECES];
  for (int i = 0; i < N_PIECES; i++)
    all[i] = sn_add(sn_mul(in[0], number(c, s->dtype, i - 7)), number(c, s->dtype, 3 - 11 * i));
  out[0] = sn_concat(all, N_PIECES, 0);
  return sn_pending_error(c);
}

// Slices whose starts and steps differ, both ways.
static sn_status slices(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *all[N_PIECES];
  for (int i = 0; i < N_PIECES; i++) {
    const bool back = i & 1;
    const int64_t row = i % 5, column = i % 7;
    const sn_range_spec ranges[] = {SN_RANGE(row, row + 4, 1),
                                    back ? SN_RANGE(column + 8, column ? column - 1 : -17, -1)
                                         : SN_RANGE(column, column + 9, 1)};
    sn_tensor *part = sn_slice(in[0], ranges, 2);
    all[i] = back ? sn_neg(part) : sn_mul(part, part);
  }
  out[0] = sn_stack(all, N_PIECES, 1);
  return sn_pending_error(c);
}

static sn_status updates(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const setting *s = user;
  for (int i = 0; i < N_VARIABLES; i++) {
    sn_tensor *v = sn_read_variable(s->variables[i]);
    sn_assign(s->variables[i], sn_sub(v, sn_mul(in[0], sn_mul(v, v))));
  }
  out[0] = sn_add(in[0], in[0]);
  return sn_pending_error(c);
}

// Constants on which an operation depends stay: powers.
static sn_status powers(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *all[N_PIECES];
  for (int i = 0; i < N_PIECES; i++) all[i] = sn_pow(in[0], sn_scalar_like(in[0], i % 4));
  out[0] = sn_concat(all, N_PIECES, 1);
  return sn_pending_error(c);
}

// The kernels of a program, told apart by their text.
static int count_kernels(sn_context *c, sn_function *f, const sn_spec *spec) {
  enum { most = 200 };
  static const char *seen[most];
  static size_t lengths[most];
  int n = 0;
  char *text = kernel_text(c, f, spec, 1);
  for (const char *at = text; (at = strstr(at, "\nkernel ")); at++) {
    const char *begin = strchr(at + 1, '{'), *end = strstr(at, "\n}");
    const size_t length = (size_t)(end - begin);
    bool known = false;
    for (int i = 0; i < n && !known; i++)
      known = lengths[i] == length && !memcmp(seen[i], begin, length);
    if (known) continue;
    ck_assert_int_lt(n, most);
    seen[n] = begin;
    lengths[n++] = length;
  }
  sn_text_free(c, text);
  return n;
}

typedef struct row {
  const char *name;
  sn_status (*body)(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user);
  int64_t dims[2];
  int most_kernels;
} row;
static const row rows[] = {{"pieces", pieces, {3, 17}, 5},
                           {"slices", slices, {9, 16}, 4},
                           {"updates", updates, {1, 1}, 5},
                           {"powers", powers, {4, 5}, 8}};

static void set_variables(sn_context *c, setting *s) {
  for (int i = 0; i < N_VARIABLES; i++) {
    sn_tensor *value = sn_cast(
        sn_mul_scalar(sn_random_uniform(c, SN_F32, SN_SHAPE(3 + 211 * i, 1 + i % 3)), 9), s->dtype);
    if (s->variables[i])
      sn_assign(s->variables[i], value);
    else
      s->variables[i] = sn_variable(value);
  }
}

START_TEST(shared_kernels_compute_the_same) {
  static const sn_dtype dtypes[] = {SN_F32, SN_F64, SN_I32, SN_I64};
  const row *r = &rows[_i / 8];
  const sn_backend backend = _i & 1 ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER;
  setting s = {.dtype = dtypes[_i / 2 % 4]};
  if (!SINTER_HAS_LLVM && (_i & 1)) return;
  sn_context *c = open_context(backend, 2, 9);
  {
    SN_SCOPE(c);
    const sn_spec spec = {s.dtype, SN_SHAPE(r->dims[0], r->dims[1])};
    sn_function *f = sn_function_create(c, r->body, .user = &s, .inputs = 1, .outputs = 1);
    sn_tensor *x = sn_cast(sn_mul_scalar(sn_random_normal(c, SN_F32, spec.shape), 6), s.dtype);
    sn_tensor *out[2], *kept[2][N_VARIABLES];
    for (int eager = 0; eager < 2; eager++) {
      sn_set_seed(c, 4);
      set_variables(c, &s);
      const sn_status status =
          eager ? sn_call_eager(f, &x, 1, &out[1], 1) : sn_call(f, &x, 1, &out[0], 1);
      ck_assert_msg(!status, "%s: %s", r->name, sn_error_message(c));
      for (int i = 0; i < N_VARIABLES; i++) kept[eager][i] = sn_read_variable(s.variables[i]);
    }
    ck_assert_msg(same_bits(out[0], out[1]), "%s", r->name);
    for (int i = 0; i < N_VARIABLES; i++)
      ck_assert_msg(same_bits(kept[0][i], kept[1][i]), "%s", r->name);
    const int kernels = count_kernels(c, f, &spec);
    ck_assert_msg(kernels <= r->most_kernels, "%s: %d kernels", r->name, kernels);
    sn_function_destroy(f);
    for (int i = 0; i < N_VARIABLES; i++) sn_release(s.variables[i]);
  }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shared_kernels");
  TCase *tests = tcase_create("kernels");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, shared_kernels_compute_the_same, 0, 32);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
