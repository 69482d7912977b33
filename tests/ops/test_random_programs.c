// Random programs (random_program.h) in every mode. Eager, compiled on the interpreter and compiled
// by LLVM, for constant and for symbolic sizes: every bit. The groups of all programs are verified, also in other orders of their nodes; what share of the programs has equal, large, tiny
// or symbolic extents, reductions, products and gradients is printed and held to.
//
//   ops.random_programs [FIRST LAST [DIVISOR]]   seeds; every DIVISOR-th goes to LLVM too
#include "ops/function_harness.h"
#include "ops/random_program.h"
#include "ops/verify_function.h"
#include "runtime/scalar.h"

#include <math.h>
#include <stdlib.h>

enum { n_results = n_outputs + n_variables, most_text = 8000 };

static uint64_t first_seed = 0, last_seed = SINTER_RANDOM_PROGRAMS, llvm_divisor = 10;

typedef sn_tensor *(*unary)(sn_tensor *);
typedef sn_tensor *(*binary)(sn_tensor *, sn_tensor *);
typedef sn_tensor *(*reduction)(sn_tensor *, const sn_reduce_options *);
static const unary unaries[12] = {sn_tanh, sn_sigmoid, sn_abs,   sn_neg,  sn_sin,  sn_square,
                                  sn_exp,  sn_rsqrt,   sn_log1p, sn_tanh, sn_relu, sn_erf};
static const char *const unary_names[12] = {"tanh", "sigmoid", "abs",   "neg",  "sin",  "square",
                                            "exp",  "rsqrt",   "log1p", "tanh", "relu", "erf"};
static const binary binaries[6] = {sn_add, sn_sub, sn_mul, sn_maximum, sn_add, sn_div};
static const char *const binary_names[6] = {"add", "sub", "mul", "maximum", "add", "div"};
static const reduction reductions[6] = {sn_sum_opts, sn_mean_opts, sn_max_opts,
                                        sn_min_opts, sn_sum_opts,  sn_logsumexp_opts};
static const char *const reduction_names[6] = {"sum", "mean", "max", "min", "sum", "logsumexp"};
typedef sn_tensor *(*cumulation)(sn_tensor *, int, const sn_cumulate_options *);
static const cumulation cumulations[4] = {sn_cumsum_opts, sn_cummax_opts, sn_cummin_opts,
                                          sn_cumprod_opts};
static const char *const cumulation_names[4] = {"cumsum", "cummax", "cummin", "cumprod"};

// ---- the program as C
typedef struct text {
  char at[most_text];
  size_t length;
} text;

static void say(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(t->at + t->length, sizeof(t->at) - t->length, format, arguments);
  va_end(arguments);
  if (n > 0) t->length += (size_t)n;
  if (t->length > sizeof(t->at) - 1) t->length = sizeof(t->at) - 1;
}

static void say_shape(text *t, const program *p, const typed_value *v) {
  for (int b = 0; b < p->n_bindings; b++) {
    say(t, b ? ", then SN_SHAPE(" : "SN_SHAPE(");
    for (int d = 0; d < v->rank; d++)
      say(t, d ? ", %lld" : "%lld", (long long)p->size[b][v->label[d]]);
    say(t, ")");
  }
}

static void say_step(text *t, const step *s) {
  const char *turn_a = s->turn_a ? "swap_last_two" : "", *turn_b = s->turn_b ? "swap_last_two" : "";
  switch (s->kind) {
    case STEP_UNARY:
      if (s->which == 6) say(t, "sn_exp(sn_minimum(t%d, sn_scalar_like(t%d, 1)));", s->a, s->a);
      if (s->which == 7) say(t, "sn_rsqrt(sn_add_scalar(sn_square(t%d), 1));", s->a);
      if (s->which == 8) say(t, "sn_log1p(sn_abs(t%d));", s->a);
      if (s->which < 6 || s->which > 8) say(t, "sn_%s(t%d);", unary_names[s->which], s->a);
      return;
    case STEP_BINARY:
      if (s->which == 5) say(t, "sn_div(t%d, sn_add_scalar(sn_square(t%d), 1));", s->a, s->b);
      if (s->which != 5) say(t, "sn_%s(t%d, t%d);", binary_names[s->which], s->a, s->b);
      return;
    case STEP_WHERE:
      say(t, "sn_where(sn_less(t%d, t%d), t%d, t%d);", s->a, s->b, s->a, s->b);
      return;
    case STEP_REDUCE:
      say(t, s->which == 4 ? "sn_mul_scalar(sn_%s(t%d" : "sn_%s(t%d", reduction_names[s->which],
          s->a);
      say(t, s->axes == 2 ? ", .axes = SN_AXES(%d, %d)" : ", .axes = SN_AXES(%d)", s->axis,
          s->axis + 1);
      say(t, "%s)%s;", s->flag ? ", .keepdims = true" : "", s->which == 4 ? ", 0.1)" : "");
      return;
    case STEP_SOFTMAX:
      say(t, "sn_%ssoftmax(t%d, %d);", s->which ? "log_" : "", s->a, s->axis);
      return;
    case STEP_CUMULATE:
      say(t, s->which == 3 ? "sn_%s(sn_tanh(t%d)" : "sn_%s(t%d", cumulation_names[s->which], s->a);
      say(t, ", %d%s%s);", s->axis, s->flag ? ", .exclusive = true" : "",
          s->turn_a ? ", .reverse = true" : "");
      return;
    case STEP_MATMUL:
      say(t, "sn_mul_scalar(sn_matmul(%s(t%d), %s(t%d)), 0.2);", turn_a, s->a, turn_b, s->b);
      return;
    case STEP_PERMUTE:
      say(t, "sn_permute(t%d, (int[]){%d, %d, %d}, rank);", s->a, s->perm[0], s->perm[1],
          s->perm[2]);
      return;
    case STEP_EXPAND:
      say(t, "sn_expand_dims(t%d, %d);", s->a, s->axis);
      return;
    case STEP_SLICE:
      say(t, "sn_slice(t%d, axis %d: SN_RANGE(%s));", s->a, s->axis,
          s->which ? "0, SN_END, 2" : "SN_END, SN_END, -1");
      return;
    case STEP_CONCAT:
      say(t, "sn_concat((sn_tensor *[]){t%d, t%d}, 2, %d);", s->a, s->a, s->axis);
      return;
    case STEP_FLATTEN:
      say(t, "sn_mul_scalar(sn_reshape(t%d, SN_SHAPE(-1)), 1.5);%s", s->a,
          s->flag ? "  // and reshaped back" : "");
      return;
    case STEP_GATHER:
      say(t, "sn_gather(t%d, sn_cast(sn_minimum(sn_abs(t%d), sn_scalar_like(t%d, 1.9)), SN_I32));",
          s->a, s->b, s->b);
      return;
    case STEP_SCATTER:
      say(t, "scattered(%d, t%d, t%d);", s->which, s->a, s->b);
      return;
    case STEP_ASSIGN:
      if (s->flag) say(t, "sn_assign_add(v%d, sn_mul_scalar(t%d, 0.1));", s->which, s->a);
      if (!s->flag) say(t, "sn_assign(v%d, t%d);", s->which, s->a);
      return;
    default:
      say(t, "%s(v%d);", s->flag ? "sn_read_variable" : "sn_neg", s->which);
      return;
  }
}

static const char *describe(const program *p) {
  static text t;
  t.length = 0;
  say(&t, "// seed %llu: %s\n", (unsigned long long)p->seed, sn_dtype_name(p->dtype));
  for (int i = 0; i < n_inputs; i++) {
    say(&t, "// t%d = in[%d]: ", i, i);
    say_shape(&t, p, &p->values[i]);
    say(&t, "\n");
  }
  for (int i = 0; i < n_variables; i++) {
    say(&t, "// v%d, a variable: ", i);
    say_shape(&t, p, &p->variables[i]);
    say(&t, "\n");
  }
  for (int i = 0; i < p->n_steps; i++) {
    say(&t, "sn_tensor *t%d = ", n_inputs + i);
    say_step(&t, &p->steps[i]);
    say(&t, "\n");
  }
  for (int i = 0; i < n_outputs; i++) say(&t, "out[%d] = t%d; ", i, p->outputs[i]);
  if (p->derivatives)
    say(&t, "\n// y = sum(out[0]) + sum(out[1]^2); out[1], out[2] = dy/dt0, dy/dt1");
  if (p->derivatives > 1) say(&t, "; of sum(tanh(out[1])^2) + sum(out[2]) once more");
  return t.at;
}

// ---- the program as calls
typedef struct job {
  const program *p;
  sn_tensor *variables[n_variables];
} job;

static sn_tensor *swap_last_two(sn_tensor *x, bool turn) {
  static const int perms[4][3] = {{0}, {0}, {1, 0}, {0, 2, 1}};
  const int rank = sn_rank(x);
  return turn && rank >= 2 ? sn_permute(x, perms[rank], rank) : x;
}

static sn_tensor *apply_view(const step *s, sn_tensor *a) {
  sn_range_spec ranges[most_rank] = {SN_ALL, SN_ALL, SN_ALL};
  sn_tensor *both[2] = {a, a};
  switch (s->kind) {
    case STEP_PERMUTE:
      return sn_permute(a, s->perm, sn_rank(a));
    case STEP_EXPAND:
      return sn_expand_dims(a, s->axis);
    case STEP_CONCAT:
      return sn_concat(both, 2, s->axis);
    case STEP_SLICE:
      ranges[s->axis] = s->which ? SN_RANGE(0, SN_END, 2) : SN_RANGE(SN_END, SN_END, -1);
      return sn_slice(a, ranges, s->axis + 1);
    default:
      return NULL;
  }
}

static sn_tensor *zero_or_one(sn_tensor *x) {
  return sn_cast(sn_minimum(sn_abs(x), sn_scalar_like(x, 1.9)), SN_I32);
}

// Rows 0 and 1 of x combined with what they were, several times.
static sn_tensor *scattered(int mode, sn_tensor *x, sn_tensor *places) {
  sn_tensor *at = zero_or_one(places), *rows = sn_mul_scalar(sn_gather(x, at), 0.75);
  switch ((sn_scatter_mode)mode) {
    case SN_SCATTER_UPDATE:
      return sn_scatter_update(x, at, rows);
    case SN_SCATTER_ADD:
      return sn_scatter_add(x, at, rows);
    case SN_SCATTER_MUL:
      return sn_scatter_mul(x, at, rows);
    case SN_SCATTER_MAX:
      return sn_scatter_max(x, at, rows);
    default:
      return sn_scatter_min(x, at, rows);
  }
}

static sn_tensor *apply_flatten(const program *p, const step *s, sn_tensor *a) {
  const typed_value *v = &p->values[s->a];
  sn_shape shape = {.rank = v->rank};
  for (int d = 0; d < v->rank; d++) shape.dims[d] = p->size[0][v->label[d]];
  sn_tensor *flat = sn_mul_scalar(sn_reshape(a, SN_SHAPE(count_elements(p, v, 0))), 1.5);
  return s->flag ? sn_reshape(flat, shape) : flat;
}

static sn_tensor *apply_reduce(const step *s, sn_tensor *a) {
  const sn_reduce_options options = {
      .size = sizeof(options), .axes = {s->axes, {s->axis, s->axis + 1}}, .keepdims = s->flag};
  sn_tensor *y = reductions[s->which](a, &options);
  return s->which == 4 ? sn_mul_scalar(y, 0.1) : y;
}

static sn_tensor *apply_cumulation(const step *s, sn_tensor *a) {
  const sn_cumulate_options options = {
      .size = sizeof(options), .exclusive = s->flag, .reverse = s->turn_a};
  return cumulations[s->which](s->which == 3 ? sn_tanh(a) : a, s->axis, &options);
}

static sn_tensor *apply_unary(const step *s, sn_tensor *a) {
  if (s->which == 6) a = sn_minimum(a, sn_scalar_like(a, 1));
  if (s->which == 7) a = sn_add_scalar(sn_square(a), 1);
  if (s->which == 8) a = sn_abs(a);
  return unaries[s->which](a);
}

static sn_tensor *apply(const job *j, const step *s, sn_tensor *a, sn_tensor *b) {
  sn_tensor *variable = j->variables[s->which % n_variables];
  switch (s->kind) {
    case STEP_UNARY:
      return apply_unary(s, a);
    case STEP_BINARY:
      return binaries[s->which](a, s->which == 5 ? sn_add_scalar(sn_square(b), 1) : b);
    case STEP_WHERE:
      return sn_where(sn_less(a, b), a, b);
    case STEP_REDUCE:
      return apply_reduce(s, a);
    case STEP_SOFTMAX:
      return s->which ? sn_log_softmax(a, s->axis) : sn_softmax(a, s->axis);
    case STEP_CUMULATE:
      return apply_cumulation(s, a);
    case STEP_MATMUL:
      return sn_mul_scalar(sn_matmul(swap_last_two(a, s->turn_a), swap_last_two(b, s->turn_b)),
                           0.2);
    case STEP_FLATTEN:
      return apply_flatten(j->p, s, a);
    case STEP_GATHER:
      return sn_gather(a, zero_or_one(b));
    case STEP_SCATTER:
      return scattered(s->which, a, b);
    case STEP_ASSIGN:
      return s->flag ? sn_assign_add(variable, sn_mul_scalar(a, 0.1)) : sn_assign(variable, a);
    case STEP_READ:
      return s->flag ? sn_read_variable(variable) : sn_neg(variable);
    default:
      return apply_view(s, a);
  }
}

static sn_status body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const job *j = user;
  const program *p = j->p;
  sn_tensor *t[most_values];
  for (int i = 0; i < n_inputs; i++) t[i] = in[i];
  for (int i = 0; i < p->n_steps; i++)
    t[n_inputs + i] = apply(j, &p->steps[i], t[p->steps[i].a], t[p->steps[i].b]);
  for (int i = 0; i < n_outputs; i++) out[i] = t[p->outputs[i]];
  if (p->derivatives) {
    sn_tensor *y = sn_add(sn_sum(out[0]), sn_sum(sn_square(out[1]))), *g[2];
    sn_gradients(y, in, 2, g, .unconnected = SN_ZEROS);
    if (p->derivatives > 1) {
      sn_tensor *slope = sn_add(sn_sum(sn_square(sn_tanh(g[0]))), sn_sum(g[1]));
      sn_gradients(slope, in, 2, g, .unconnected = SN_ZEROS);
    }
    out[1] = g[0];
    out[2] = g[1];
  }
  return sn_pending_error(context);
}

// ---- results, copied out of their context
typedef struct result {
  int rank;
  int64_t dims[SN_MAX_RANK], count;
  double *data;  // narrower floats exactly
} result;

static result copy_result(sn_tensor *t) {
  result r = {.rank = sn_rank(t), .count = sn_size(t)};
  const void *data = NULL;
  for (int d = 0; d < r.rank; d++) r.dims[d] = sn_dim(t, d);
  r.data = malloc(sizeof(double) * (size_t)(r.count + 1));
  ck_assert_ptr_nonnull(r.data);
  if (r.count == 0) return r;
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  for (int64_t i = 0; i < r.count; i++) r.data[i] = sni_scalar_load(sn_dtype_of(t), data, i).f;
  return r;
}

static void free_results(result *results) {
  for (int i = 0; i < n_results; i++) free(results[i].data);
}

static bool same_dims(const result *a, const result *b) {
  return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof(a->dims[0]));
}

// -1: to the bit the same, any NaN being any other.
static int64_t first_difference(const result *a, const result *b) {
  for (int64_t i = 0; i < a->count; i++)
    if (memcmp(&a->data[i], &b->data[i], sizeof(double)) &&
        !(isnan(a->data[i]) && isnan(b->data[i])))
      return i;
  return -1;
}

// ---- one run
typedef struct setting {
  sn_context *context;
  sn_function *f;
  job j;
} setting;

// Uniform in [-2, 2), the same in every context.
static sn_tensor *input(sn_context *context, const program *p, const typed_value *v, int binding,
                        uint64_t number) {
  sn_shape shape = {.rank = v->rank};
  const int64_t n = count_elements(p, v, binding);
  uint64_t state = p->seed * 977 + number;
  for (int d = 0; d < v->rank; d++) shape.dims[d] = p->size[binding][v->label[d]];
  double *data = malloc(sizeof(double) * (size_t)(n + 1));
  ck_assert_ptr_nonnull(data);
  for (int64_t i = 0; i < n; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    data[i] = (double)(state >> 32) * 0x1p-30 - 2;
  }
  sn_tensor *t = sn_constant(context, SN_F64, shape, data);
  free(data);
  return p->dtype == SN_F64 ? t : sn_cast(t, p->dtype);
}

static setting open_setting(sn_context *context, const program *p) {
  setting s = {.context = context};
  s.j.p = p;
  SN_SCOPE(context);
  for (int i = 0; i < n_variables; i++)
    s.j.variables[i] = sn_variable(input(context, p, &p->variables[i], 0, 50 + (uint64_t)i));
  return s;
}

static void close_setting(setting *s) {
  sn_function_destroy(s->f);
  for (int i = 0; i < n_variables; i++) sn_release(s->j.variables[i]);
}

static void run(setting *s, int binding, bool eager, result *results) {
  SN_SCOPE(s->context);
  const program *p = s->j.p;
  sn_tensor *in[n_inputs], *out[n_outputs];
  if (!s->f)
    s->f = sn_function_create(s->context, body, .user = &s->j, .inputs = n_inputs,
                              .outputs = n_outputs);
  for (int i = 0; i < n_inputs; i++)
    in[i] = input(s->context, p, &p->values[i], binding, (uint64_t)i);
  for (int i = 0; i < n_variables; i++)
    sn_assign(s->j.variables[i], input(s->context, p, &p->variables[i], 0, 50 + (uint64_t)i));
  const sn_status status = eager ? sn_call_eager(s->f, in, n_inputs, out, n_outputs)
                                 : sn_call(s->f, in, n_inputs, out, n_outputs);
  ck_assert_msg(!status, "%s: %s\n%s", eager ? "eager" : "compiled", sn_error_message(s->context),
                describe(p));
  for (int i = 0; i < n_outputs; i++) results[i] = copy_result(out[i]);
  for (int i = 0; i < n_variables; i++)
    results[n_outputs + i] = copy_result(sn_read_variable(s->j.variables[i]));
}

// ---- comparison
static void check_result(const program *p, int binding, int number, const result *eager,
                         const result *compiled) {
  ck_assert_msg(same_dims(eager, compiled), "result %d: other dims\n%s", number, describe(p));
  const int64_t at = first_difference(eager, compiled);
  ck_assert_msg(at < 0, "call %d, result %d, element %lld: compiled %a, eager %a\n%s", binding,
                number, (long long)at, compiled->data[at], eager->data[at], describe(p));
}

static const int orders_of_calls[2][4] = {{0, 0, -1}, {0, 1, 2, 0}};

// Each size, and the first one again: what a run leaves behind must not matter.
static void compare_with_eager(sn_context *context, const program *p) {
  setting s = open_setting(context, p);
  for (int c = 0; c < 4 && orders_of_calls[p->n_bindings > 1][c] >= 0; c++) {
    const int binding = orders_of_calls[p->n_bindings > 1][c];
    result eager[n_results], compiled[n_results];
    run(&s, binding, true, eager);
    run(&s, binding, false, compiled);
    for (int i = 0; i < n_results; i++) check_result(p, binding, i, &eager[i], &compiled[i]);
    free_results(eager);
    free_results(compiled);
  }
  check_fusion(s.f, 2, describe(p));
  close_setting(&s);
}

static void compare_backends(sn_context *const *contexts, const program *p) {
  setting s[2];
  for (int i = 0; i < 2; i++) s[i] = open_setting(contexts[i], p);
  for (int c = 0; c < 4 && orders_of_calls[p->n_bindings > 1][c] >= 0; c++) {
    result r[2][n_results];
    for (int i = 0; i < 2; i++) run(&s[i], orders_of_calls[p->n_bindings > 1][c], false, r[i]);
    for (int i = 0; i < n_results; i++) {
      const int64_t at = first_difference(&r[0][i], &r[1][i]);
      ck_assert_msg(at < 0, "call %d, result %d, element %lld: LLVM %a, interpreter %a\n%s", c, i,
                    (long long)at, r[1][i].data[at], r[0][i].data[at], describe(p));
    }
    for (int i = 0; i < 2; i++) free_results(r[i]);
  }
  for (int i = 0; i < 2; i++) close_setting(&s[i]);
}

// ---- batches: each example's results are those of a call with it, to the bit
enum { n_examples = 3, batch_divisor = 4 };

static sn_status batch(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  return sn_vectorized_map(context, body, user, in, n_inputs, out, n_outputs);
}

static void make_examples(sn_context *context, const program *p, sn_tensor *(*in)[n_examples],
                          sn_tensor **stacked) {
  for (int i = 0; i < n_inputs; i++) {
    for (int e = 0; e < n_examples; e++)
      in[i][e] = input(context, p, &p->values[i], 0, (uint64_t)(i + 100 * e));
    stacked[i] = sn_stack(in[i], n_examples, 0);
  }
}

static void compare_batch(sn_context *context, const program *p, bool eager) {
  setting s = open_setting(context, p);
  sn_function *whole =
      sn_function_create(context, batch, .user = &s.j, .inputs = n_inputs, .outputs = n_outputs);
  {
    SN_SCOPE(context);
    sn_tensor *in[n_inputs][n_examples], *stacked[n_inputs], *out[n_outputs], *one[n_outputs];
    make_examples(context, p, in, stacked);
    const sn_status status = eager ? batch(context, stacked, out, &s.j)
                                   : sn_call(whole, stacked, n_inputs, out, n_outputs);
    ck_assert_msg(!status, "%s\n%s", sn_error_message(context), describe(p));
    s.f = sn_function_create(context, body, .user = &s.j, .inputs = n_inputs, .outputs = n_outputs);
    for (int e = 0; e < n_examples; e++) {
      sn_tensor *x[n_inputs];
      for (int i = 0; i < n_inputs; i++) x[i] = in[i][e];
      ck_assert_msg(!sn_call_eager(s.f, x, n_inputs, one, n_outputs), "%s\n%s",
                    sn_error_message(context), describe(p));
      for (int i = 0; i < n_outputs; i++) {
        result expected = copy_result(one[i]), given = copy_result(sn_index(out[i], 0, e));
        check_result(p, e, i, &expected, &given);
        free(expected.data);
        free(given.data);
      }
    }
  }
  sn_function_destroy(whole);
  close_setting(&s);
}

START_TEST(a_batch_is_its_examples) {
  static program p;
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 3);
  for (uint64_t seed = first_seed; seed < last_seed; seed++) {
    generate(&p, seed);
    bool assigns = false;
    for (int i = 0; i < p.n_steps; i++) assigns |= p.steps[i].kind == STEP_ASSIGN;
    if (seed % batch_divisor == 0 && !assigns) compare_batch(context, &p, seed / batch_divisor % 2);
  }
  sn_context_destroy(context);
}
END_TEST

START_TEST(compiled_is_eager) {
  static program p;
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 3);
  for (uint64_t seed = first_seed; seed < last_seed; seed++) {
    generate(&p, seed);
    compare_with_eager(context, &p);
  }
  sn_context_destroy(context);
}
END_TEST

START_TEST(llvm_is_the_interpreter) {
  static program p;
  if (!SINTER_HAS_LLVM) return;
  sn_context *contexts[2] = {open_context(SN_BACKEND_INTERPRETER, 1, 3),
                             open_context(SN_BACKEND_LLVM, 1, 3)};
  for (uint64_t seed = first_seed; seed < last_seed; seed++) {
    if (seed % llvm_divisor) continue;
    generate(&p, seed);
    compare_backends(contexts, &p);
  }
  for (int i = 0; i < 2; i++) sn_context_destroy(contexts[i]);
}
END_TEST

// ---- what the programs are like
enum {
  has_equal,
  has_large,
  has_tiny,
  has_symbolic,
  has_reduction,
  has_product,
  has_cumulation,
  has_gradient,
  n_has
};

static bool has_kind(const program *p, step_kind first, step_kind last) {
  bool found = false;
  for (int i = 0; i < p->n_steps; i++)
    found |= p->steps[i].kind >= first && p->steps[i].kind <= last;
  return found;
}

static void note_extents(const program *p, bool *has) {
  for (int i = 0; i < n_inputs; i++)
    for (int b = 0; b < p->n_bindings; b++)
      for (int d = 0; d < p->values[i].rank; d++) {
        const int64_t n = p->size[b][p->values[i].label[d]];
        has[has_large] |= n > 2048;
        has[has_tiny] |= n < 2;
        for (int e = 0; e < d; e++)
          has[has_equal] |= n > 1 && n == p->size[b][p->values[i].label[e]];
      }
}

START_TEST(the_programs_are_varied) {
  static const char *const names[n_has] = {"equal extents", "a dim above 2,048", "a dim of 0 or 1",
                                           "three sizes",   "reductions",        "products",
                                           "cumulations",   "gradients"};
  static const int least[n_has] = {30, 20, 20, 30, 50, 50, 30, 30};
  uint64_t count[n_has] = {0};
  static program p;
  const uint64_t programs = last_seed - first_seed;
  for (uint64_t seed = first_seed; seed < last_seed; seed++) {
    bool has[n_has] = {false};
    generate(&p, seed);
    note_extents(&p, has);
    has[has_symbolic] = p.n_bindings == 3;
    has[has_reduction] = has_kind(&p, STEP_REDUCE, STEP_SOFTMAX);
    has[has_product] = has_kind(&p, STEP_MATMUL, STEP_MATMUL);
    has[has_cumulation] = has_kind(&p, STEP_CUMULATE, STEP_CUMULATE);
    has[has_gradient] = p.derivatives > 0;
    for (int i = 0; i < n_has; i++) count[i] += has[i];
  }
  for (int i = 0; i < n_has; i++) {
    printf("%-18s %5.1f %% of the programs\n", names[i],
           100.0 * (double)count[i] / (double)programs);
    if (programs >= 500) ck_assert_uint_ge(100 * count[i], (uint64_t)least[i] * programs);
  }
}
END_TEST

int main(int argc, char **argv) {
  if (argc >= 3) {
    first_seed = strtoull(argv[1], NULL, 10);
    last_seed = strtoull(argv[2], NULL, 10);
  }
  if (argc >= 4) llvm_divisor = strtoull(argv[3], NULL, 10);
  Suite *suite = suite_create("random_programs");
  TCase *tests = tcase_create("random_programs");
  tcase_set_timeout(tests, argc >= 3 ? 0 : 600);
  tcase_add_test(tests, the_programs_are_varied);
  tcase_add_test(tests, a_batch_is_its_examples);
  tcase_add_test(tests, compiled_is_eager);
  tcase_add_test(tests, llvm_is_the_interpreter);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
