// Ops that are composed of others: the values that NumPy and PyTorch give (composed_cases.h), the same bits op by op, interpreted
// and compiled, for sizes that only calls know too; gradients against central differences.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most_elements = 400, most_operands = 3 };

// Of several results the n-th is looked at.
static sn_tensor *pieces[8];
static sn_tensor *last_of(sn_tensor *first, int n) {
  return sn_failed(first) ? first : pieces[n - 1];
}

// Numbers of 64 bits, in one dim.
#define I64(...)                                                         \
  sn_constant(sn_context_of(in[0]), SN_I64,                              \
              SN_SHAPE((int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / 8)), \
              ((int64_t[]){__VA_ARGS__}))

#define LIST(...) \
  { __VA_ARGS__ }
#define ROW(name, flags, expression, n, shapes, result, values) \
  static sn_tensor *make_##name(sn_tensor *const *in) {         \
    memset(pieces, 0, sizeof(pieces));                          \
    (void)in;                                                   \
    return expression;                                          \
  }
#include "composed_cases.h"
#undef ROW
#define ROW(name, flags, expression, n, shapes, result, values) \
  static const double values_##name[] = values;
#include "composed_cases.h"
#undef ROW

typedef struct row {
  const char *name, *flags;
  sn_tensor *(*make)(sn_tensor *const *in);
  int n;
  sn_shape shapes[most_operands], result;
  const double *values;
} row;
static const row rows[] = {
#define ROW(name, flags, expression, n, shapes, result, values) \
  {#name, flags, make_##name, n, shapes, result, values_##name},
#include "composed_cases.h"
#undef ROW
};
enum { n_rows = sizeof(rows) / sizeof(*rows), n_modes = 1 + SINTER_HAS_LLVM };

static sn_context *contexts[n_modes];  // interpreter, LLVM

static int64_t size_of(const sn_shape *shape) {
  int64_t n = 1;
  for (int i = 0; i < shape->rank; i++) n *= shape->dims[i];
  return n;
}

static void fill(double *x, int64_t n, int k) {
  for (int64_t i = 0; i < n; i++)
    x[i] = (double)((i * 37 + k * 11 + 5) % 23 - 11) * 0.25 + (double)i * 0.0078125;
}

static sn_status run(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = ((const row *)user)->make(in);
  return sn_pending_error(c);
}

// sum of y w, w being weights of no symmetry, and its gradients.
static sn_tensor *weighed(const row *r, sn_tensor *const *in) {
  sn_tensor *y = sn_ravel(r->make(in));
  sn_tensor *i = sn_range_like(y, 0, SN_F64);
  return sn_sum(sn_mul(y, sn_sin(sn_add_scalar(sn_mul_scalar(i, 1.7), 0.6))));
}
static sn_status run_gradients(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const row *r = user;
  sn_gradients(weighed(r, in), in, r->n, out, .unconnected = SN_ZEROS);
  return sn_pending_error(c);
}

// The operands, with `more` elements in the first dim of those that share it with the first one.
static void operands(sn_context *c, const row *r, int more, sn_tensor **in) {
  double x[most_elements];
  for (int k = 0; k < r->n; k++) {
    sn_shape shape = r->shapes[k];
    if (shape.rank && shape.dims[0] == r->shapes[0].dims[0]) shape.dims[0] += more;
    ck_assert_int_le(size_of(&shape), most_elements);
    fill(x, size_of(&shape), k);
    in[k] = sn_constant(c, SN_F64, shape, x);
  }
}

static void read_all(const row *r, const sn_tensor *t, double *out) {
  const sn_context *c = sn_context_of(t);
  ck_assert_int_le(sn_size(t), most_elements);
  sn_status status = sn_read(t, out, (size_t)sn_size(t) * sizeof(double));
  ck_assert_msg(status == SN_OK, "%s: %s", r->name, sn_error_message(c));
}

static void check_equal(const row *r, const sn_tensor *a, const sn_tensor *b, const char *what) {
  double x[most_elements], y[most_elements];
  ck_assert_msg(sn_rank(a) == sn_rank(b) && sn_size(a) == sn_size(b), "%s: %s: shapes", r->name,
                what);
  read_all(r, a, x);
  read_all(r, b, y);
  for (int64_t i = 0; i < sn_size(a); i++)
    ck_assert_msg(memcmp(&x[i], &y[i], sizeof(double)) == 0 || (isnan(x[i]) && isnan(y[i])),
                  "%s: %s: element %d is %a, expected %a", r->name, what, (int)i, x[i], y[i]);
}

START_TEST(values) {
  const row *r = &rows[_i];
  for (int m = 0; m < n_modes; m++) {
    sn_context *c = contexts[m];
    SN_SCOPE(c);
    sn_tensor *in[most_operands], *y;
    double got[most_elements];
    operands(c, r, 0, in);
    sn_tensor *eager = r->make(in);
    ck_assert_msg(!sn_failed(eager), "%s: %s", r->name, sn_error_message(c));
    ck_assert_msg(sn_rank(eager) == r->result.rank, "%s: rank %d", r->name, sn_rank(eager));
    for (int i = 0; i < r->result.rank; i++)
      ck_assert_msg(sn_dim(eager, i) == r->result.dims[i], "%s: dim %d is %d", r->name, i,
                    (int)sn_dim(eager, i));
    read_all(r, eager, got);
    for (int64_t i = 0; i < size_of(&r->result); i++)
      ck_assert_msg(fabs(got[i] - r->values[i]) <= 1e-13 * (10 + fabs(r->values[i])),
                    "%s: element %d is %.17g, expected %.17g", r->name, (int)i, got[i],
                    r->values[i]);
    sn_function *f =
        sn_function_create(c, run, .inputs = r->n, .outputs = 1, .user = (void *)(uintptr_t)r);
    for (int more = 0; more < (strchr(r->flags, 's') ? 3 : 1);
         more++) {  // the third size is symbolic
      operands(c, r, more, in);
      ck_assert_msg(sn_call(f, in, r->n, &y, 1) == SN_OK, "%s: %s", r->name, sn_error_message(c));
      check_equal(r, y, r->make(in), "compiled against eager");
    }
    sn_function_destroy(f);
  }
}
END_TEST

static double value_at(const row *r, double *const *x) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  sn_tensor *in[most_operands];
  double y;
  for (int k = 0; k < r->n; k++) in[k] = sn_constant(c, SN_F64, r->shapes[k], x[k]);
  ck_assert_int_eq(sn_item(weighed(r, in), &y), SN_OK);
  return y;
}

START_TEST(gradients) {
  const row *r = &rows[_i];
  static double x[most_operands][most_elements];
  double *at[most_operands], got[most_operands][most_elements];
  for (int m = 0; m < n_modes; m++) {
    sn_context *c = contexts[m];
    SN_SCOPE(c);
    sn_tensor *in[most_operands], *g[most_operands];
    operands(c, r, 0, in);
    sn_function *f = sn_function_create(c, run_gradients, .inputs = r->n, .outputs = r->n,
                                        .user = (void *)(uintptr_t)r);
    ck_assert_msg(sn_call(f, in, r->n, g, r->n) == SN_OK, "%s: %s", r->name, sn_error_message(c));
    for (int k = 0; k < r->n; k++) {
      read_all(r, g[k], m ? x[k] : got[k]);
      for (int64_t i = 0; m && i < sn_size(g[k]); i++)
        ck_assert_msg(memcmp(&x[k][i], &got[k][i], sizeof(double)) == 0,
                      "%s: gradient #%d of backends differs", r->name, k);
    }
    sn_function_destroy(f);
  }
  for (int k = 0; k < r->n; k++) {
    at[k] = x[k];
    fill(x[k], size_of(&r->shapes[k]), k);
  }
  for (int k = 0; k < r->n; k++) {
    for (int64_t i = 0; i < size_of(&r->shapes[k]); i += 1 + i / 8) {
      const double step = 0x1p-18, old = x[k][i];
      x[k][i] = old + step;
      double above = value_at(r, at);
      x[k][i] = old - step;
      double below = value_at(r, at);
      x[k][i] = old;
      const double wanted = (above - below) / (2 * step);
      ck_assert_msg(fabs(wanted - got[k][i]) <= 1e-6 * (1 + fabs(wanted)),
                    "%s: gradient #%d, element %d is %.12g, expected %.12g", r->name, k, (int)i,
                    got[k][i], wanted);
    }
  }
}
END_TEST

static void open_contexts(void) {
  for (int m = 0; m < n_modes; m++)
    ck_assert_int_eq(
        sn_context_create(&contexts[m], .threads = 1, .plugin_path = SINTER_PLUGIN_PATH,
                          .backend = m ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER),
        SN_OK);
}
static void close_contexts(void) {
  for (int m = 0; m < n_modes; m++) sn_context_destroy(contexts[m]);
}

int main(void) {
  Suite *suite = suite_create("composed_ops");
  TCase *tcase = tcase_create("composed_ops");
  tcase_add_checked_fixture(tcase, open_contexts, close_contexts);
  tcase_add_loop_test(tcase, values, 0, n_rows);
  tcase_add_loop_test(tcase, gradients, 0, n_rows);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
