// Passes over bodies: random programs of loops and branches in one another have the bits of their callbacks, called op by op, with
// variables and without, and their gradients; what nobody reads costs nothing; equal bodies are compiled once; time grows with
// the nodes.
#include "function_harness.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { most_values = 24, most_outer = 16, most_carries = 4, n_seeds = 60, n_outputs = 3 };

static const sn_backend backends[] = {SN_BACKEND_INTERPRETER,
#if SINTER_HAS_LLVM
                                      SN_BACKEND_LLVM
#endif
};
enum { n_backends = sizeof(backends) / sizeof(backends[0]) };

// ---- random programs: the same calls whenever a body is called
typedef struct code {
  uint64_t seed;
  int depth;
  sn_tensor *outer[most_outer];  // f32[4,4], of the bodies around
  int n_outer;
  sn_tensor *variable;
  int n_in, n_carries, n_out;
  int first_in;     // a loop's counter is not among the values
  int first_carry;  // in `in`
} code;

typedef struct values {
  uint64_t state;
  sn_tensor *items[most_values];
  int n;
} values;

static uint32_t next(values *v, uint32_t below) {
  v->state = v->state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(v->state >> 33) % below;
}

static sn_tensor *pick(values *v) {
  return v->items[next(v, (uint32_t)v->n)];
}

static void add(values *v, sn_tensor *t) {
  v->items[v->n < most_values ? v->n++ : (int)next(v, most_values)] = t;
}

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user);

static sn_tensor *random_op(sn_context *c, values *v) {
  sn_tensor *a = pick(v), *b = pick(v);
  switch (next(v, 16)) {
    case 0:
      return sn_add(a, b);
    case 1:
      return sn_mul(a, b);
    case 2:
      return sn_tanh(a);
    case 3:
      return sn_sin(sn_sub(a, b));
    case 4:
      return sn_mul_scalar(sn_matmul(a, b), 0.25);
    case 5:
      return sn_maximum(a, sn_mul_scalar(b, 0.5));
    case 6:
      return sn_mul_scalar(a, 0.75);
    case 7:
      return sn_add(a, sn_sum(b, .axes = SN_AXES(0)));
    case 8:
      return sn_transpose(a);
    case 9:
      return sn_exp(sn_neg(sn_abs(a)));
    case 10:
      return sn_add_scalar(sn_neg(a), 0.5);
    case 11:
      return sn_mul_scalar(sn_random_normal(c, SN_F32, SN_SHAPE(4, 4)), 0.25);
    case 12:  // in a loop the same in all iterations
      return sn_random_normal(c, SN_F32, SN_SHAPE(4, 4), .key = sn_random_key(c, 3));
    case 13:
      return sn_mul_scalar(sn_sort(a, 1), 0.5);
    case 14:
      return sn_gather(a, sn_argmax(b, 1));
    default:
      return sn_broadcast_to(sn_mean(a), SN_SHAPE(4, 4));
  }
}

static code inner_of(const code *around, values *v, int n_in, int n_carries, int n_out) {
  code k = {.seed = v->state,
            .depth = around->depth + 1,
            .variable = around->variable,
            .n_in = n_in,
            .n_carries = n_carries,
            .n_out = n_out};
  (void)next(v, 2);
  for (int i = 0; i < 5; i++) k.outer[k.n_outer++] = pick(v);
  return k;
}

static void random_cond(sn_context *c, const code *k, values *v) {
  code inner[1] = {inner_of(k, v, 2, 0, 2)};
  sn_tensor *in[2] = {pick(v), pick(v)}, *o[2];
  sn_tensor *pred = next(v, 4) ? sn_greater(sn_sum(pick(v)), sn_scalar_f32(c, 0))
                               : sn_greater(sn_scalar_f32(c, 1), sn_scalar_f32(c, 0));
  sn_cond(c, pred, body, body, inner, in, 2, o, 2);
  add(v, o[0]);
  add(v, o[1]);
}

static void random_scan(sn_context *c, const code *k, values *v) {
  const int n = 1 + (int)next(v, most_carries - 1), length = (int)next(v, 5), n_ys = 2;
  code inner = inner_of(k, v, n + 1, n, n + n_ys);
  sn_tensor *init[most_carries], *rows[5], *o[most_carries + 2];
  for (int i = 0; i < n; i++) init[i] = pick(v);
  for (int i = 0; i < length; i++) rows[i] = pick(v);
  sn_tensor *same = pick(v);
  sn_tensor *x = length == 0  ? sn_zeros(c, SN_F32, SN_SHAPE(0, 4, 4))
                 : next(v, 3) ? sn_stack(rows, length, 0)
                              : sn_broadcast_to(same, SN_SHAPE(length, 4, 4));
  sn_scan(c, body, &inner, init, n, &x, 1, o, n + n_ys, .reverse = next(v, 2) != 0);
  for (int i = 0; i < n; i++) add(v, o[i]);
  for (int i = 0; i < n_ys; i++) add(v, sn_sum(o[n + i], .axes = SN_AXES(0)));
}

static void random_fori(sn_context *c, const code *k, values *v) {
  const int n = 1 + (int)next(v, most_carries - 1);
  code inner = inner_of(k, v, n + 1, n, n);
  sn_tensor *init[most_carries], *o[most_carries];
  for (int i = 0; i < n; i++) init[i] = pick(v);
  inner.first_in = inner.first_carry = 1;
  sn_fori_loop(c, 1, 1 + next(v, 4), body, &inner, init, n, o, n);
  for (int i = 0; i < n; i++) add(v, o[i]);
}

static sn_status goes_on(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const code *k = user;
  sn_tensor *bound = sn_mean(sn_tanh(k->outer[0]));  // does not change
  out[0] = sn_less(in[0], sn_add_scalar(bound, 2.5));
  return sn_pending_error(c);
}

static sn_status counted_body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_status status = body(c, in, out, user);
  if (!status) out[0] = sn_add_scalar(in[0], 1);
  return status ? status : sn_pending_error(c);
}

static void random_while(sn_context *c, const code *k, values *v) {
  const int n = 2 + (int)next(v, most_carries - 2);
  code inner = inner_of(k, v, n, n, n);
  sn_tensor *init[most_carries], *o[most_carries];
  init[0] = sn_scalar_f32(c, 0);
  for (int i = 1; i < n; i++) init[i] = pick(v);
  inner.first_in = 1;
  sn_while_loop(c, goes_on, counted_body, &inner, init, n, o, n);
  for (int i = 1; i < n; i++) add(v, o[i]);
}

static void random_control(sn_context *c, const code *k, values *v) {
  switch (next(v, 4)) {
    case 0:
      random_cond(c, k, v);
      break;
    case 1:
      random_scan(c, k, v);
      break;
    case 2:
      random_fori(c, k, v);
      break;
    default:
      random_while(c, k, v);
  }
}

// Outputs: carries may stay as they are, be exchanged, be something from outside; nothing grows.
static sn_tensor *random_output(const code *k, values *v, sn_tensor *const *in, int i) {
  const uint32_t kind = next(v, 8);
  if (i < k->n_carries && kind == 0) return in[k->first_carry + i];
  if (kind == 1) return k->n_outer ? k->outer[next(v, (uint32_t)k->n_outer)] : pick(v);
  if (kind == 2) return sn_zeros(sn_context_of(in[0]), SN_F32, SN_SHAPE(4, 4));
  return sn_tanh(pick(v));
}

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const code *k = user;
  values v = {.state = k->seed};
  for (int i = k->first_in; i < k->n_in; i++) add(&v, in[i]);
  for (int i = 0; i < k->n_outer; i++) add(&v, k->outer[i]);
  if (!v.n) add(&v, sn_ones(c, SN_F32, SN_SHAPE(4, 4)));
  const int n = 2 + (int)next(&v, 6);
  for (int i = 0; i < n; i++) add(&v, random_op(c, &v));
  if (k->variable && next(&v, 3) == 0)
    sn_assign(k->variable, sn_tanh(sn_add(k->variable, pick(&v))));
  if (k->variable && next(&v, 2)) add(&v, sn_mul_scalar(k->variable, 0.5));
  for (int i = 0; k->depth < 3 && i < (k->depth ? 1 : 3); i++)
    if (k->depth == 0 || next(&v, 3) == 0) random_control(c, k, &v);
  for (int i = 0; i < 2; i++) add(&v, random_op(c, &v));
  for (int i = 0; i < k->n_out; i++) out[i] = random_output(k, &v, in, i);
  return sn_pending_error(c);
}

typedef struct random_program {
  uint64_t seed;
  sn_tensor *variable;
  bool gradients;
} random_program;

static sn_status run_program(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const random_program *p = user;
  code k = {.seed = p->seed, .variable = p->variable, .n_in = 2, .n_out = n_outputs};
  sn_status status = body(c, in, out, &k);
  if (status || !p->gradients) return status;
  sn_tensor *loss = sn_sum(sn_sin(out[0])), *g[2];
  loss = sn_add(loss, sn_sum(sn_square(out[1])));
  sn_gradients(loss, in, 2, g, .unconnected = SN_ZEROS);
  out[0] = g[0];
  out[1] = g[1];
  return sn_pending_error(c);
}

static void inputs_of(sn_context *c, uint64_t seed, sn_tensor **in) {
  float x[2][16];
  for (int i = 0; i < 32; i++)
    x[i / 16][i % 16] = (float)((i * 37 + (int)seed * 101) % 211) / 150 - 0.7f;
  for (int i = 0; i < 2; i++) in[i] = sn_constant(c, SN_F32, SN_SHAPE(4, 4), x[i]);
}

static bool are_close(sn_tensor *got, sn_tensor *expected) {
  const float *a, *b;
  bool close = sn_size(got) == sn_size(expected);
  ck_assert_int_eq(sn_data(got, (const void **)&a), SN_OK);
  ck_assert_int_eq(sn_data(expected, (const void **)&b), SN_OK);
  for (int64_t i = 0; close && i < sn_size(got); i++)
    close = fabs((double)a[i] - (double)b[i]) <= 2e-5 * (1 + fabs((double)b[i]));
  return close;
}

static void compare(sn_context *c, uint64_t seed, bool gradients) {
  SN_SCOPE(c);
  random_program p = {seed, sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(4, 4))), gradients};
  sn_tensor *in[2], *got[n_outputs + 1], *expected[n_outputs + 1];
  sn_function *f =
      sn_function_create(c, run_program, .user = &p, .inputs = 2, .outputs = n_outputs);
  inputs_of(c, seed, in);
  sn_set_seed(c, 3);
  ck_assert_msg(!sn_call(f, in, 2, got, n_outputs), "seed %d: %s", (int)seed, sn_error_message(c));
  got[n_outputs] = sn_identity(p.variable);
  sn_assign(p.variable, sn_zeros(c, SN_F32, SN_SHAPE(4, 4)));
  sn_set_seed(c, 3);
  ck_assert_msg(!sn_call_eager(f, in, 2, expected, n_outputs), "seed %d: %s", (int)seed,
                sn_error_message(c));
  expected[n_outputs] = sn_identity(p.variable);
  for (int i = 0; i <= n_outputs; i++)
    ck_assert_msg(
        gradients && i < 2 ? are_close(got[i], expected[i]) : same_bits(got[i], expected[i]),
        "seed %d, output %d differs", (int)seed, i);
  sn_function_destroy(f);
  sn_release(p.variable);
}

START_TEST(random_programs_agree) {
  sn_context *c = open_context(backends[_i / n_seeds], 1, 1);
  compare(c, (uint64_t)(_i % n_seeds), false);
  compare(c, (uint64_t)(_i % n_seeds), true);
  sn_context_destroy(c);
}
END_TEST

// ---- what nobody reads
static sn_status three_products(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = *(sn_tensor **)user;
  for (int i = 0; i < 3; i++) out[i] = sn_tanh(sn_matmul(in[i], w));
  out[3] = sn_matmul(out[1], w);
  return sn_pending_error(c);
}
static sn_status one_product(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = *(sn_tensor **)user;
  out[0] = sn_tanh(sn_matmul(in[0], w));
  return sn_pending_error(c);
}

static sn_status slope_of_one(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int n = *(int *)user;
  sn_tensor *w = in[3], *o[4];
  sn_scan(c, n == 3 ? three_products : one_product, &w, in, n, NULL, 0, o, n == 3 ? 4 : 1,
          .length = 5);
  sn_gradients(sn_sum(o[0]), in, 1, out);
  return sn_pending_error(c);
}

static char *graph_text(sn_context *c, sn_function *f, const sn_spec *specs, int n) {
  sn_program *program;
  char *text;
  ck_assert_msg(!sn_function_compile(f, specs, n, &program), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_program_dump(c, program, SN_STAGE_GRAPH, &text), SN_OK);
  sn_program_release(program);
  return text;
}

static int products_of(sn_context *c, int n_carries) {
  const sn_spec spec = {.dtype = SN_F32, .shape = SN_SHAPE(16, 16)};
  const sn_spec specs[4] = {spec, spec, spec, spec};
  sn_function *f =
      sn_function_create(c, slope_of_one, .user = &n_carries, .inputs = 4, .outputs = 1);
  char *text = graph_text(c, f, specs, 4);
  const int n = count(text, "matmul(");
  sn_text_free(c, text);
  sn_function_destroy(f);
  return n;
}

START_TEST(unread_parts_cost_nothing) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 1);
  ck_assert_int_eq(products_of(c, 1), 3);  // forward, once more on the way back, its gradient
  ck_assert_int_eq(products_of(c, 3), 3);
  sn_context_destroy(c);
}
END_TEST

// ---- residuals
static sn_status gated(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor **p = user;
  sn_tensor *z = sn_add(sn_matmul(in[0], p[0]), sn_matmul(in[1], p[1]));
  sn_tensor *norm =
      sn_sqrt(sn_add_scalar(sn_mean(sn_square(z), .axes = SN_AXES(1), .keepdims = true), 1));
  out[0] = sn_tanh(sn_div(sn_mul(z, sn_sigmoid(z)), norm));
  return sn_pending_error(c);
}

static sn_status slopes_of_gated(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *p[2] = {in[2], in[3]}, *h[1];
  (void)user;
  sn_scan(c, gated, p, &in[0], 1, &in[1], 1, h, 1);
  sn_gradients(sn_sum(sn_square(h[0])), in, 4, out);
  return sn_pending_error(c);
}

// The values of the tape, which keeps all of them; two products forward, four back.
START_TEST(products_are_put_down) {
  sn_context *c = open_context(SN_BACKEND_AUTO, 1, 5);
  sn_function *f = sn_function_create(c, slopes_of_gated, .inputs = 4, .outputs = 4);
  const sn_spec square = {.dtype = SN_F32, .shape = SN_SHAPE(64, 64)};
  const sn_spec specs[4] = {square, {SN_F32, SN_SHAPE(6, 64, 64)}, square, square};
  sn_tensor *in[4], *got[4], *expected[4];
  for (int i = 0; i < 4; i++)
    in[i] = sn_mul_scalar(sn_random_normal(c, SN_F32, specs[i].shape), 0.1);
  call_both(c, f, in, 4, got, expected, 4);
  for (int i = 0; i < 4; i++) ck_assert_msg(are_close(got[i], expected[i]), "gradient %d", i);
  char *text = graph_text(c, f, specs, 4);
  ck_assert_int_eq(count(text, "matmul("), 6);
  sn_text_free(c, text);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- products of rows
typedef struct dense {
  sn_tensor *w, *u;
} dense;

static sn_status recurrent(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const dense *p = user;
  out[1] = sn_matmul(in[1], p->w);
  out[0] = sn_tanh(sn_add(out[1], sn_matmul(in[0], p->u)));
  return sn_pending_error(c);
}

static sn_status dense_row(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const dense *p = user;
  out[0] = sn_sigmoid(sn_matmul(in[0], p->w));
  return sn_pending_error(c);
}

// in: h [m, n], x [T, m, k], w [k, n], u [n, n]
static sn_status rows_by_matrices(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  dense p = {in[2], in[3]};
  const bool *reverse = user;
  sn_scan(c, recurrent, &p, &in[0], 1, &in[1], 1, out, 2, .reverse = *reverse);
  sn_map_fn(c, dense_row, &p, &in[1], 1, out + 2, 1);
  sn_tensor *loss = sn_add(sn_sum(sn_square(out[0])), sn_sum(sn_mul(out[1], out[2])));
  sn_gradients(loss, in, 4, out + 3);
  return sn_pending_error(c);
}

// The bits of the callbacks, whatever the rows, and of one column, of one k, of 16-bit floats; the products are in front of the loop.
static void check_rows(sn_context *c, sn_dtype dtype, int64_t m, int64_t k, int64_t n, bool reverse,
                       bool lifted) {
  SN_SCOPE(c);
  sn_function *f =
      sn_function_create(c, rows_by_matrices, .user = &reverse, .inputs = 4, .outputs = 7);
  const sn_spec specs[4] = {{dtype, SN_SHAPE(m, n)},
                            {dtype, SN_SHAPE(7, m, k)},
                            {dtype, SN_SHAPE(k, n)},
                            {dtype, SN_SHAPE(n, n)}};
  sn_tensor *in[4], *got[7], *expected[7];
  for (int i = 0; i < 4; i++)
    in[i] = sn_cast(sn_mul_scalar(sn_random_normal(c, SN_F32, specs[i].shape), 0.2), dtype);
  call_both(c, f, in, 4, got, expected, 7);
  for (int i = 0; i < 3; i++)
    ck_assert_msg(same_bits(got[i], expected[i]), "%s %dx%dx%d: result %d", sn_dtype_name(dtype),
                  (int)m, (int)k, (int)n, i);
  for (int i = 3; i < 7 && dtype != SN_F16; i++)  // those of f16 are rounded in each step
    ck_assert_msg(are_close(sn_cast(got[i], SN_F32), sn_cast(expected[i], SN_F32)),
                  "%s %d: gradient %d", sn_dtype_name(dtype), (int)k, i - 3);
  char *text = graph_text(c, f, specs, 4), *loop = strstr(text, "scan(");
  ck_assert_ptr_nonnull(loop);
  *loop = 0;
  ck_assert_int_eq(count(text, "matmul(") > 0, lifted);
  *loop = 's';
  sn_text_free(c, text);
  sn_function_destroy(f);
}

START_TEST(products_of_rows_are_lifted) {
  for (int b = 0; b < n_backends; b++) {
    sn_context *c = open_context(backends[b], 1, 5);
    check_rows(c, SN_F32, 1, 300, 70, false, true);
    check_rows(c, SN_F32, 2, 1500, 33, true, true);
    check_rows(c, SN_F64, 1, 130, 2, true, true);
    check_rows(c, SN_F16, 1, 300, 70, false, true);
    check_rows(c, SN_F32, 1, 300, 1, false, false);
    check_rows(c, SN_F32, 1, 1, 40, false, false);
    check_rows(c, SN_F32, 64, 65, 40, false, false);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- equal bodies
static sn_status five_scans(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = in[1];
  (void)user;
  out[0] = in[0];
  for (int i = 0; i < 5; i++) {
    sn_tensor *before = out[0];
    sn_scan(c, one_product, &w, &before, 1, NULL, 0, out, 1, .length = 3);
  }
  return sn_pending_error(c);
}

START_TEST(equal_bodies_are_compiled_once) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 1);
  const sn_spec spec = {.dtype = SN_F32, .shape = SN_SHAPE(16, 16)};
  sn_function *f = sn_function_create(c, five_scans, .inputs = 2, .outputs = 1);
  char *text = kernel_text(c, f, (sn_spec[]){spec, spec}, 2);
  ck_assert_int_eq(count(text, "// body "), 1);
  sn_text_free(c, text);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- time
static sn_status long_body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int n = *(int *)user;
  sn_tensor *x = in[0], *y = in[1];
  for (int i = 0; i < n / 4; i++) {
    x = sn_tanh(sn_add(x, y));
    y = sn_mul_scalar(sn_sin(y), 0.5 + 0.001 * i);
  }
  out[0] = x;
  out[1] = y;
  return sn_pending_error(c);
}
static sn_status long_loop(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_scan(c, long_body, user, in, 2, NULL, 0, out, 2, .length = 4);
  sn_gradients(sn_sum(out[0]), in, 2, out);
  return sn_pending_error(c);
}

static double compile_ms(sn_context *c, int n) {
  double least = INFINITY;
  const sn_spec spec = {.dtype = SN_F32, .shape = SN_SHAPE(8)};
  for (int i = 0; i < 5; i++) {
    sn_program *program;
    const clock_t start = clock();
    sn_function *f = sn_function_create(c, long_loop, .user = &n, .inputs = 2, .outputs = 2);
    ck_assert_msg(!sn_function_compile(f, (sn_spec[]){spec, spec}, 2, &program), "%s",
                  sn_error_message(c));
    const double ms = 1e3 * (double)(clock() - start) / CLOCKS_PER_SEC;
    if (ms < least) least = ms;
    sn_program_release(program);
    sn_function_destroy(f);
  }
  return least;
}

// Eight times the nodes: a slope of 1.5 at most, where the machine is busy too.
START_TEST(time_grows_with_the_nodes) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 1);
  const double few = compile_ms(c, 500), many = compile_ms(c, 4000);
  ck_assert_msg(many < 22 * few, "500 nodes: %.2f ms, 4,000: %.2f ms", few, many);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bodies");
  TCase *cases = tcase_create("bodies");
  tcase_add_loop_test(cases, random_programs_agree, 0, n_seeds * n_backends);
  tcase_add_test(cases, unread_parts_cost_nothing);
  tcase_add_test(cases, products_are_put_down);
  tcase_add_test(cases, products_of_rows_are_lifted);
  tcase_add_test(cases, equal_bodies_are_compiled_once);
  tcase_add_test(cases, time_grows_with_the_nodes);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
