// Random programs, eager against compiled on both tiers: square matrices, vectors and scalars, so
// that nearly everything can be combined with everything; views, reductions, matmuls, gathers,
// several outputs, variables that are read and assigned. Half of the functions are called with
// three sizes, the last two through symbolic dims; some have dims of 1 alone.
//
//   ops.random_programs [FIRST LAST]   seeds; what a failing one does is printed
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { n_ops = 18, n_outputs = 3, n_variables = 2, most_values = 40 };

static uint64_t first_seed = 0, last_seed = SINTER_RANDOM_PROGRAMS;

typedef struct program {
  uint64_t number, seed, state;
  bool gradients, one_size;
  sn_tensor *variables[n_variables];
  sn_tensor *values[most_values];
  int n;
  char text[6000];  // what the program does
  size_t length;
} program;

static unsigned draw(program *p, unsigned n) {
  p->state = p->state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(p->state >> 33) % n;
}

static void say(program *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(program *p, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(p->text + p->length, sizeof(p->text) - p->length, format, arguments);
  va_end(arguments);
  if (n > 0) p->length += (size_t)n;
  if (p->length > sizeof(p->text) - 1) p->length = sizeof(p->text) - 1;
}

// ---- one op; NULL: it does not fit these operands
static sn_tensor *reduce(program *p, sn_tensor *a) {
  const int rank = sn_rank(a);
  if (!rank) return NULL;
  const sn_reduce_options options = {
      .size = sizeof(options), .axes = {1, {(int)draw(p, (unsigned)rank)}}, .keepdims = draw(p, 2)};
  static sn_tensor *(*const reductions[])(sn_tensor *, const sn_reduce_options *) = {
      sn_sum_opts, sn_mean_opts, sn_max_opts, sn_logsumexp_opts};
  const unsigned which = draw(p, 4);
  say(p, " reduction %u axis %d%s", which, options.axes.axis[0], options.keepdims ? " keep" : "");
  return reductions[which](a, &options);
}

static sn_tensor *view(program *p, sn_tensor *a) {
  const int rank = sn_rank(a);
  const unsigned which = draw(p, 5);
  sn_range_spec ranges[2] = {SN_ALL, SN_ALL};
  say(p, " view %u", which);
  if (which == 0) return sn_transpose(a);
  if (which == 1) return rank == 1 ? sn_expand_dims(a, (int)draw(p, 2)) : NULL;
  if (which == 2) {
    if (!rank) return NULL;
    ranges[draw(p, (unsigned)rank)] = SN_RANGE(SN_END, SN_END, -1);
    return sn_slice(a, ranges, rank);
  }
  if (which == 3) {
    if (rank != 2 || !p->one_size) return NULL;
    sn_tensor *flat = sn_mul_scalar(sn_reshape(a, SN_SHAPE(-1)), 1.5);
    return draw(p, 2) ? flat : sn_reshape(flat, SN_SHAPE(sn_dim(a, 0), sn_dim(a, 1)));
  }
  if (rank != 2) return NULL;
  sn_tensor *both[2] = {a, a};
  ranges[0] = SN_RANGE(0, SN_END, 2);
  return sn_slice(sn_concat(both, 2, 0), ranges, 1);
}

static sn_tensor *look_up(program *p, sn_tensor *a, sn_tensor *b) {
  if (!sn_rank(a) || sn_rank(b) > 1) return NULL;
  say(p, " gather");
  sn_tensor *rows = sn_cast(sn_minimum(sn_abs(b), sn_scalar_like(b, 0.9)), SN_I32);
  return sn_gather(a, rows);
}

static sn_tensor *assign(program *p, sn_tensor *a) {
  sn_tensor *v = p->variables[draw(p, n_variables)];
  if (sn_rank(a) != sn_rank(v)) return NULL;
  say(p, " assign");
  return draw(p, 2) ? sn_assign(v, a) : sn_assign_add(v, sn_mul_scalar(a, 0.1));
}

static sn_tensor *apply(program *p, sn_tensor *a, sn_tensor *b) {
  const int rank = sn_rank(a);
  static const char *const names[16] = {
      "tanh", "sigmoid", "abs", "exp",    "mul",     "add", "sub", "where less",
      "",     "",        "",    "matmul", "softmax", "",    "",    "read_variable"};
  const unsigned op = draw(p, 16);
  say(p, " %s", names[op]);
  switch (op) {
    case 0:
      return sn_tanh(a);
    case 1:
      return sn_sigmoid(a);
    case 2:
      return sn_abs(a);
    case 3:
      return sn_exp(sn_minimum(a, sn_scalar_like(a, 1)));
    case 4:
      return sn_mul(a, b);
    case 5:
      return sn_add(a, b);
    case 6:
      return sn_sub(a, b);
    case 7:
      return sn_where(sn_less(a, b), a, b);
    case 8:
    case 9:
      return reduce(p, a);
    case 10:
      return view(p, a);
    case 11:
      return rank == 2 && sn_rank(b) == 2 ? sn_mul_scalar(sn_matmul(a, b), 0.2) : NULL;
    case 12:
      return rank == 2 ? sn_softmax(a, (int)draw(p, 2)) : NULL;
    case 13:
      return look_up(p, a, b);
    case 14:
      return assign(p, a);
    default:
      return sn_read_variable(p->variables[draw(p, n_variables)]);
  }
}

static sn_status body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  program *p = user;
  p->state = p->seed;
  p->length = 0;
  p->n = 0;
  for (int i = 0; i < 2; i++) p->values[p->n++] = in[i];
  for (int i = 0; i < n_variables; i++) p->values[p->n++] = p->variables[i];
  for (int i = 0; i < n_ops; i++) {
    const unsigned recent = p->n > 5 ? 5 : (unsigned)p->n;
    const int a = draw(p, 3) ? p->n - 1 - (int)draw(p, recent) : (int)draw(p, (unsigned)p->n);
    const int b = (int)draw(p, (unsigned)p->n);
    say(p, "t%d from t%d, t%d:", p->n, a, b);
    sn_tensor *t = apply(p, p->values[a], p->values[b]);
    // What does not fit is left out, in every mode alike.
    if (sn_pending_error(context) != SN_OK) t = sn_check(context) == SN_ERR_MEMORY ? t : NULL;
    if (t && sn_rank(t) <= 2 && !sn_failed(t)) p->values[p->n++] = t;
    say(p, "%s\n", t ? "" : " -");
  }
  for (int i = 0; i < n_outputs; i++)
    out[i] = p->values[p->n - 1 - (int)draw(p, p->n > 8 ? 8 : (unsigned)p->n)];
  if (p->gradients) {
    sn_tensor *y = sn_add(sn_sum(out[0]), sn_sum(sn_square(out[1]))), *g[2];
    sn_gradients(y, in, 2, g, .unconnected = SN_ZEROS);
    if (p->number % 9 == 0) {  // and of those
      sn_tensor *slope = sn_add(sn_sum(sn_square(sn_tanh(g[0]))), sn_sum(g[1]));
      sn_gradients(slope, in, 2, g, .unconnected = SN_ZEROS);
    }
    out[1] = g[0];
    out[2] = g[1];
  }
  return sn_pending_error(context);
}

// ---- comparison
static double difference(sn_tensor *a, sn_tensor *b) {
  double worst = INFINITY;
  if (sn_rank(a) != sn_rank(b)) return worst;
  for (int d = 0; d < sn_rank(a); d++)
    if (sn_dim(a, d) != sn_dim(b, d)) return worst;
  if (sn_size(a) == 0) return 0;
  sn_tensor *far = sn_div(sn_abs(sn_sub(a, b)), sn_add_scalar(sn_abs(a), 1));
  sn_tensor *same = sn_or(sn_equal(a, b), sn_and(sn_is_nan(a), sn_is_nan(b)));
  far = sn_where(same, sn_zeros_like(far), far);
  ck_assert_int_eq(sn_item(sn_max(far), &worst), SN_OK);
  return isnan(worst) ? INFINITY : worst;
}

static sn_tensor *random_matrix(sn_context *context, int64_t n) {
  return sn_random_normal(context, SN_F64, SN_SHAPE(n, n));
}

static void set_variables(program *p, sn_tensor *const *values) {
  for (int i = 0; i < n_variables; i++) sn_assign(p->variables[i], values[i]);
}

// Eager and compiled from the same start, twice: what a first run leaves behind must not matter.
static void compare(sn_context *context, program *p, sn_function *f, sn_tensor *const *in,
                    sn_tensor *const *start) {
  sn_tensor *results[2][n_outputs + n_variables];
  for (int turn = 0; turn < 2; turn++) {
    for (int mode = 0; mode < 2; mode++) {
      set_variables(p, start);
      const sn_status status = mode ? sn_call(f, in, 2, results[mode], n_outputs)
                                    : sn_call_eager(f, in, 2, results[mode], n_outputs);
      ck_assert_msg(!status, "seed %llu %s: %s\n%s", (unsigned long long)p->number,
                    mode ? "compiled" : "eager", sn_error_message(context), p->text);
      for (int i = 0; i < n_variables; i++)
        results[mode][n_outputs + i] = sn_read_variable(p->variables[i]);
    }
    for (int i = 0; i < n_outputs + n_variables; i++) {
      const double worst = difference(results[0][i], results[1][i]);
      ck_assert_msg(worst < 1e-7, "seed %llu%s dim %lld turn %d: result %d differs by %g\n%s",
                    (unsigned long long)p->number, p->gradients ? " with gradients" : "",
                    (long long)sn_dim(in[1], 0), turn, i, worst, p->text);
    }
  }
}

static void run(sn_context *context, uint64_t seed) {
  static program p;
  const int64_t n = seed % 5 == 0 ? 1 : 2 + (int64_t)(seed % 4) + (seed % 7 == 0 ? 10 : 0);
  p = (program){.number = seed,
                .seed = seed * 7919 + 13,
                .gradients = seed % 3 == 0,
                .one_size = seed % 2 == 0 || n == 1};
  SN_SCOPE(context);
  // A variable keeps its shape, so those of a function with several sizes broadcast.
  const int64_t of_variables = p.one_size ? n : 1;
  sn_tensor *start[n_variables] = {random_matrix(context, of_variables),
                                   sn_random_normal(context, SN_F64, SN_SHAPE(of_variables))};
  for (int i = 0; i < n_variables; i++) p.variables[i] = sn_variable(start[i]);
  sn_function *f = sn_function_create(context, body, .user = &p, .inputs = 2, .outputs = n_outputs);
  for (int s = 0; s < (p.one_size ? 1 : 3); s++) {
    SN_SCOPE(context);
    const int64_t size = s == 1 ? n + 3 : n + s;
    sn_tensor *in[] = {random_matrix(context, size),
                       sn_random_normal(context, SN_F64, SN_SHAPE(size))};
    compare(context, &p, f, in, start);
  }
  for (int i = 0; i < n_variables; i++) sn_release(p.variables[i]);
  sn_function_destroy(f);
}

static void run_all(sn_backend backend, uint64_t divisor) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .threads = 1, .seed = 3, .backend = backend,
                                     .plugin_path = SINTER_PLUGIN_PATH),
                   SN_OK);
  for (uint64_t seed = first_seed; seed < last_seed; seed++)
    if (seed % divisor == 0) run(context, seed);
  sn_context_destroy(context);
}

START_TEST(compiled_on_the_interpreter_is_eager) {
  run_all(SN_BACKEND_INTERPRETER, 1);
}
END_TEST

// Kernels are the same as on the interpreter, whose cost is far smaller.
START_TEST(compiled_by_llvm_is_eager) {
  if (SINTER_HAS_LLVM) run_all(SN_BACKEND_LLVM, 10);
}
END_TEST

int main(int argc, char **argv) {
  if (argc == 3) {
    first_seed = strtoull(argv[1], NULL, 10);
    last_seed = strtoull(argv[2], NULL, 10);
  }
  Suite *suite = suite_create("random_programs");
  TCase *tests = tcase_create("random_programs");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, compiled_on_the_interpreter_is_eager);
  tcase_add_test(tests, compiled_by_llvm_is_eager);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
