// Whole programs as a user writes them, against the public header alone: each op by op, compiled by
// the interpreter and compiled by LLVM, over batch sizes that make the batch symbolic. The modes
// must agree (bits, or 1e-5 of the largest value where sums are reordered); programs that return a
// loss and its gradient are checked against finite differences of the loss.
#include "programs.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef SINTER_HAS_LLVM
#define SINTER_HAS_LLVM 0
#endif

// ---- running

typedef struct value {
  sn_dtype dtype;
  sn_shape shape;
  size_t bytes;
  unsigned char *data;
} value;

static uint32_t noise_state;
static double noise(void) {
  noise_state = noise_state * 1664525u + 1013904223u;
  return (double)(noise_state >> 8) / (1 << 23) - 1;
}

static sn_tensor *noise_tensor(sn_context *context, sn_dtype dtype, sn_shape shape) {
  double values[512];
  int64_t size = 1;
  for (int i = 0; i < shape.rank; i++) size *= shape.dims[i];
  for (int64_t i = 0; i < size; i++) values[i] = 1.5 * noise();
  return sn_cast(sn_constant(context, SN_F64, shape, values), dtype);
}

static void make_inputs(sn_context *context, int64_t n, sn_tensor **in) {
  int32_t labels[64];
  noise_state = (uint32_t)n * 77u + 5;
  in[X] = noise_tensor(context, SN_F32, SN_SHAPE(n, 6));
  in[D] = noise_tensor(context, SN_F64, SN_SHAPE(n, 6));
  for (int64_t i = 0; i < n; i++) labels[i] = (int32_t)(3 * (noise() + 1)) % 6;
  in[LABELS] = sn_constant(context, SN_I32, SN_SHAPE(n), labels);
}

static void make_world(sn_context *context, world *w) {
  SN_SCOPE(context);
  noise_state = 99;
  sn_tensor *first[] = {
      noise_tensor(context, SN_F32, SN_SHAPE(6, 5)), noise_tensor(context, SN_F32, SN_SHAPE(5)),
      noise_tensor(context, SN_F64, SN_SHAPE(6)), noise_tensor(context, SN_F64, SN_SHAPE(6))};
  for (int i = 0; i < n_variables; i++) w->variable[i] = sn_variable(first[i]);
  w->inner = sn_function_create(context, inner, .user = w, .inputs = 1, .outputs = 1);
}

static void free_world(world *w) {
  for (int i = 0; i < n_variables; i++) sn_release(w->variable[i]);
  sn_function_destroy(w->inner);
}

static value read_value(sn_tensor *t) {
  value v = {.dtype = sn_dtype_of(t), .shape = {.rank = sn_rank(t)}};
  for (int i = 0; i < v.shape.rank; i++) v.shape.dims[i] = sn_dim(t, i);
  v.bytes = (size_t)sn_size(t) * sn_dtype_size(v.dtype);
  v.data = malloc(v.bytes + 1);
  ck_assert_ptr_nonnull(v.data);
  sn_status s = sn_read(t, v.data, v.bytes);
  ck_assert_msg(s == SN_OK, "%s", sn_error_message(sn_context_of(t)));
  return v;
}

static double element(const value *v, size_t i) {
  switch (v->dtype) {
    case SN_F32:
      return ((const float *)(const void *)v->data)[i];
    case SN_F64:
      return ((const double *)(const void *)v->data)[i];
    case SN_I32:
      return ((const int32_t *)(const void *)v->data)[i];
    case SN_I64:
      return (double)((const int64_t *)(const void *)v->data)[i];
    default:
      return v->data[i];
  }
}

typedef enum mode { EAGER, INTERPRETER, LLVM, n_modes } mode;

static sn_context *open_context(mode m) {
  sn_context *context = NULL;
  sn_backend backend = m == LLVM ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER;
  ck_assert_int_eq(SN_OK, sn_context_create(&context, .threads = 1, .backend = backend, .seed = 3,
                                            .plugin_path = SINTER_PLUGIN_PATH));
  return context;
}

enum { values_of_program = n_batches * (max_outputs + n_variables) };

static void run_program(const program *p, mode m, value *values) {
  sn_context *context = open_context(m);
  world w;
  make_world(context, &w);
  sn_function *f = sn_function_create(context, p->callback, .user = &w, .inputs = n_inputs,
                                      .outputs = p->outputs, .name = p->name);
  for (int b = 0; b < n_batches; b++) {
    SN_SCOPE(context);
    sn_tensor *in[n_inputs], *out[max_outputs] = {0};
    make_inputs(context, batches[b], in);
    sn_status s = (m == EAGER ? sn_call_eager : sn_call)(f, in, n_inputs, out, p->outputs);
    ck_assert_msg(s == SN_OK, "%s, mode %d, batch %d: %s", p->name, m, (int)batches[b],
                  sn_error_message(context));
    for (int i = 0; i < p->outputs; i++) *values++ = read_value(out[i]);
    for (int i = 0; i < n_variables; i++) *values++ = read_value(w.variable[i]);
  }
  free_world(&w);
  sn_function_destroy(f);
  sn_context_destroy(context);
}

static void compare(const program *p, mode m, int i, const value *want, const value *got) {
  ck_assert_int_eq(want->dtype, got->dtype);
  ck_assert_int_eq(want->shape.rank, got->shape.rank);
  for (int k = 0; k < want->shape.rank; k++)
    ck_assert_msg(want->shape.dims[k] == got->shape.dims[k], "%s, mode %d, value %d: dim %d",
                  p->name, m, i, k);
  bool is_float = want->dtype == SN_F32 || want->dtype == SN_F64;
  if (p->exact || !is_float) {
    ck_assert_msg(!memcmp(want->data, got->data, want->bytes), "%s, mode %d, value %d: bits differ",
                  p->name, m, i);
    return;
  }
  size_t n = want->bytes / sn_dtype_size(want->dtype);
  double largest = 1e-6, epsilon = want->dtype == SN_F32 ? 1e-5 : 1e-12;
  for (size_t k = 0; k < n; k++) largest = fmax(largest, fabs(element(want, k)));
  for (size_t k = 0; k < n; k++)
    ck_assert_msg(fabs(element(want, k) - element(got, k)) <= epsilon * largest,
                  "%s, mode %d, value %d [%zu]: %.9g, eager %.9g", p->name, m, i, k,
                  element(got, k), element(want, k));
}

static int count_values(const program *p) {
  return n_batches * (p->outputs + n_variables);
}

static void agree(const program *p, mode m) {
  static value want[values_of_program], got[values_of_program];
  run_program(p, EAGER, want);
  run_program(p, m, got);
  for (int i = 0; i < count_values(p); i++) {
    compare(p, m, i, &want[i], &got[i]);
    free(want[i].data);
    free(got[i].data);
  }
}

START_TEST(test_interpreter) {
  agree(&programs[_i], INTERPRETER);
}
END_TEST

START_TEST(test_llvm) {
  agree(&programs[_i], LLVM);
}
END_TEST

static double loss_of(sn_context *context, const program *p, sn_tensor *const *in,
                      const double *d) {
  SN_SCOPE(context);
  world w;
  make_world(context, &w);
  sn_function *f = sn_function_create(context, p->callback, .user = &w, .inputs = n_inputs,
                                      .outputs = p->outputs);
  sn_tensor *out[max_outputs];
  sn_tensor *moved[] = {in[X], in[LABELS],
                        sn_constant(context, SN_F64, SN_SHAPE(sn_dim(in[D], 0), 6), d)};
  double loss = NAN;
  ck_assert_int_eq(SN_OK, sn_call_eager(f, moved, n_inputs, out, p->outputs));
  ck_assert_int_eq(SN_OK, sn_item(out[0], &loss));
  sn_function_destroy(f);
  free_world(&w);
  return loss;
}

// Central differences of the first batch, against the gradient of the compiled program.
START_TEST(test_differences) {
  const program *p = &programs[_i];
  if (!p->differences) return;
  sn_context *context = open_context(INTERPRETER);
  world w;
  make_world(context, &w);
  sn_tensor *in[n_inputs], *out[max_outputs];
  make_inputs(context, 4, in);
  sn_function *f = sn_function_create(context, p->callback, .user = &w, .inputs = n_inputs,
                                      .outputs = p->outputs);
  ck_assert_int_eq(SN_OK, sn_call(f, in, n_inputs, out, p->outputs));
  double d[24], gradient[24], h = 1e-5;
  ck_assert_int_eq(SN_OK, sn_read(in[D], d, sizeof d));
  ck_assert_int_eq(SN_OK, sn_read(out[1], gradient, sizeof gradient));
  for (int i = 0; i < 24; i++) {
    double old = d[i];
    d[i] = old + h;
    double up = loss_of(context, p, in, d);
    d[i] = old - h;
    double difference = (up - loss_of(context, p, in, d)) / (2 * h);
    d[i] = old;
    ck_assert_msg(fabs(difference - gradient[i]) <= 1e-6 * (1 + fabs(difference)),
                  "%s [%d]: %.9g, by differences %.9g", p->name, i, gradient[i], difference);
  }
  sn_function_destroy(f);
  free_world(&w);
  sn_context_destroy(context);
}
END_TEST

// ---- closed forms, in every mode

static void call_once(const program *p, mode m, sn_context *context, world *w, sn_tensor **out) {
  sn_tensor *in[n_inputs];
  make_world(context, w);
  make_inputs(context, 4, in);
  sn_function *f = sn_function_create(context, p->callback, .user = w, .inputs = n_inputs,
                                      .outputs = p->outputs);
  ck_assert_int_eq(SN_OK, (m == EAGER ? sn_call_eager : sn_call)(f, in, n_inputs, out, p->outputs));
  sn_function_destroy(f);
}

START_TEST(test_closed_forms) {
  mode m = (mode)_i;
  if (m == LLVM && !SINTER_HAS_LLVM) return;
  sn_context *context = open_context(m);
  world w;
  sn_tensor *out[max_outputs];
  double x[18], y;
  call_once(&(program){.callback = newton, .outputs = 1}, m, context, &w, out);
  ck_assert_int_eq(SN_OK, sn_read(out[0], x, 6 * sizeof *x));
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(x[i], log(2), 1e-3);
  free_world(&w);

  call_once(&(program){.callback = batch_norm, .outputs = 4}, m, context, &w, out);
  ck_assert_int_eq(SN_OK, sn_item(out[3], &y));
  ck_assert_double_lt(y, 1e-12);
  free_world(&w);

  call_once(&(program){.callback = updates, .outputs = 4}, m, context, &w, out);
  ck_assert_int_eq(SN_OK, sn_read(out[2], x, sizeof x));
  for (int i = 0; i < 6; i++) {
    double first = x[i], a = (first + 1) * (first + 1) - 2 * first;
    ck_assert_double_eq_tol(x[6 + i], 2 * first, 1e-15);
    ck_assert_double_eq_tol(x[12 + i], a, 1e-14);
  }
  free_world(&w);

  call_once(&(program){.callback = swap, .outputs = 2}, m, context, &w, out);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(SN_OK, sn_read(out[i], x, 6 * sizeof *x));
    for (int k = 0; k < 6; k++) ck_assert_double_eq(x[k], 0);
  }
  free_world(&w);
  sn_context_destroy(context);
}
END_TEST

PROGRAM(powers) {
  UNUSED_ARGUMENTS;
  int64_t n = sn_static_value(in[1]);
  out[0] = in[0];
  for (int64_t i = 1; i < n; i++) out[0] = sn_mul(out[0], in[0]);
  out[1] = sn_mul(in[1], sn_scalar_i64(context, 10));
  return sn_pending_error(context);
}

START_TEST(test_static_input) {
  mode m = (mode)_i;
  if (m == LLVM && !SINTER_HAS_LLVM) return;
  sn_context *context = open_context(m);
  sn_function *f = sn_function_create(context, powers, .inputs = 2, .outputs = 2);
  for (int n = 1; n < 9; n++) {
    SN_SCOPE(context);
    sn_tensor *out[2];
    double y, ten;
    sn_tensor *in[] = {sn_scalar_f64(context, 1.5), sn_static(context, n)};
    ck_assert_int_eq(SN_OK, (m == EAGER ? sn_call_eager : sn_call)(f, in, 2, out, 2));
    ck_assert_int_eq(SN_OK, sn_item(out[0], &y));
    ck_assert_int_eq(SN_OK, sn_item(out[1], &ten));
    ck_assert_double_eq(y, pow(1.5, n));
    ck_assert_double_eq(ten, 10 * n);
  }
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

// SN_UNKNOWN dims: one program for all sizes, 0 included.
START_TEST(test_symbolic_specs) {
  mode m = (mode)_i;
  if (m == EAGER || (m == LLVM && !SINTER_HAS_LLVM)) return;
  sn_context *context = open_context(m);
  const sn_spec specs[] = {{SN_F32, SN_SHAPE(SN_UNKNOWN, 6)},
                           {SN_I32, SN_SHAPE(SN_UNKNOWN)},
                           {SN_F64, SN_SHAPE(SN_UNKNOWN, 6)}};
  world w;
  make_world(context, &w);
  sn_function *f = sn_function_create(context, views, .user = &w, .inputs = n_inputs, .outputs = 2,
                                      .specs = specs);
  for (int64_t n = 1; n < 40; n++) {
    SN_SCOPE(context);
    sn_tensor *in[n_inputs], *got[2], *want[2];
    make_inputs(context, n, in);
    ck_assert_msg(!sn_call(f, in, n_inputs, got, 2), "%s", sn_error_message(context));
    ck_assert_int_eq(SN_OK, sn_call_eager(f, in, n_inputs, want, 2));
    double error;
    ck_assert_int_eq(SN_OK, sn_item(sn_max(sn_abs(sn_sub(got[1], want[1]))), &error));
    ck_assert_double_lt(error, 1e-10);
  }
  sn_function_statistics stats = {.size = sizeof stats};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 1);
  sn_function_destroy(f);
  free_world(&w);
  sn_context_destroy(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("programs");
  TCase *t = tcase_create("programs");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, test_interpreter, 0, n_programs);
  if (SINTER_HAS_LLVM) tcase_add_loop_test(t, test_llvm, 0, n_programs);
  tcase_add_loop_test(t, test_differences, 0, n_programs);
  tcase_add_loop_test(t, test_closed_forms, 0, n_modes);
  tcase_add_loop_test(t, test_static_input, 0, n_modes);
  tcase_add_loop_test(t, test_symbolic_specs, 0, n_modes);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
