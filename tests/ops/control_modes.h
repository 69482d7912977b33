// A random program (random_control.h) in one context: run in every mode, its results copied out and compared.
#ifndef TESTS_OPS_CONTROL_MODES_H
#define TESTS_OPS_CONTROL_MODES_H

#include "ops/function_harness.h"
#include "ops/run_control.h"
#include "runtime/scalar.h"

#include <math.h>
#include <stdlib.h>

enum {
  n_states = n_variables + 1,  // and the state of the random numbers
  most_results = n_all_outputs + n_states + 1,
  most_doubles = 512
};

static char why[2000];  // the last comparison failed

// ---- results, copied out of their context
typedef struct result {
  int64_t count;
  double data[most_doubles];
} result;

typedef struct results {
  sn_status status;
  int n;
  result r[most_results];
} results;

static inline bool differs(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline bool differs(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, sizeof(why), format, arguments);
  va_end(arguments);
  return false;
}

static inline void copy(results *all, sn_tensor *t) {
  result *r = &all->r[all->n++];
  const void *data = NULL;
  r->count = sn_size(t);
  ck_assert_int_le(r->count, most_doubles);
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  for (int64_t i = 0; i < r->count; i++)
    r->data[i] = sni_scalar_value(sni_scalar_load(sn_dtype_of(t), data, i));
}

static inline bool same_number(double a, double b) {
  return !memcmp(&a, &b, sizeof(a)) || (isnan(a) && isnan(b));
}

// Results number begin to end - 1; tolerance 0: every bit.
static inline bool same(const char *what, const results *a, const results *b, int begin, int end,
                        double tolerance) {
  for (int k = begin; k < end; k++) {
    const result *x = &a->r[k], *y = &b->r[k];
    double scale = 1;
    if (x->count != y->count) return differs("%s: result %d has another size", what, k);
    for (int64_t i = 0; i < y->count; i++)
      if (isfinite(y->data[i]) && fabs(y->data[i]) > scale) scale = fabs(y->data[i]);
    for (int64_t i = 0; i < x->count; i++)
      if (!same_number(x->data[i], y->data[i]) &&
          !(fabs(x->data[i] - y->data[i]) <= tolerance * scale))
        return differs("%s: result %d, element %lld: %a, expected %a", what, k, (long long)i,
                       x->data[i], y->data[i]);
  }
  return true;
}

// ---- one program in one context
typedef enum mode { CALL, EAGER, TAPE, UNROLLED, UNROLLED_CALL, n_modes } mode;
static const char *const mode_names[n_modes] = {"sn_call", "sn_call_eager", "a tape", "unrolled",
                                                "unrolled, sn_call"};

typedef struct setting {
  sn_context *context;
  sn_function *f, *unrolled;
  job j;
} setting;

static inline int outputs_of(const program *p) {
  return p->order ? n_all_outputs : n_outputs;
}

static inline sn_shape shape_of(const program *p, value_type type, int binding) {
  if (type == NUMBER) return SN_SCALAR;
  if (type == VECTOR) return SN_SHAPE(p->n[binding]);
  return SN_SHAPE(p->m[binding], p->n[binding]);
}

// Uniform in [-1, 1), moved by step along a direction; the same in every context.
static inline sn_tensor *input(sn_context *c, const program *p, value_type type, int binding,
                               int number, double step) {
  const sn_shape shape = shape_of(p, type, binding);
  double data[most_doubles];
  uint64_t state = p->seed * 977 + (uint64_t)number;
  int64_t n = 1;
  for (int d = 0; d < shape.rank; d++) n *= shape.dims[d];
  for (int64_t i = 0; i < n; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    data[i] = (double)(state >> 32) * 0x1p-31 - 1 + step * cos((double)(i + number));
  }
  sn_tensor *t = sn_constant(c, SN_F64, shape, data);
  return p->dtype == SN_F64 ? t : sn_cast(t, p->dtype);
}

static inline sn_tensor *initial(sn_context *c, const program *p, int variable) {
  if (variable == 3) return sn_scalar_i64(c, (int64_t)(p->seed % 100));
  if (variable < n_plain_variables)
    return input(c, p, variable_type(p, variable), 0, 40 + variable, 0);
  return sn_cast(
      sn_constant(c, SN_F64, SN_SHAPE(3, 2), (const double[]){1, -0.5, 0.25, 0.75, -1, 0.5}),
      p->dtype);
}

// Nobody else holds the variables' values afterwards, so that they may be updated in place.
static inline void reset(setting *s) {
  const program *p = s->j.p;
  SN_SCOPE(s->context);
  sn_random_set_state(s->context, (sn_random_state){p->seed, 0, 0});
  for (int i = 0; i < n_variables; i++) sn_assign(s->j.variables[i], initial(s->context, p, i));
}

static inline sn_function *function_of(setting *s) {
  const program *p = s->j.p;
  const sn_dtype dtype = p->dtype;
  const sn_spec specs[n_inputs + 1] = {{dtype, SN_SCALAR},
                                       {dtype, SN_SHAPE(SN_UNKNOWN)},
                                       {dtype, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)},
                                       {SN_I32, SN_SHAPE(p->n_probes + 1)}};
  return sn_function_create(s->context, program_body, .user = &s->j, .inputs = n_inputs + 1,
                            .outputs = outputs_of(p), .specs = p->marked ? specs : NULL);
}

static inline setting *open_setting(sn_context *c, const program *p) {
  setting *s = calloc(1, sizeof(*s));
  ck_assert_ptr_nonnull(s);
  s->context = c;
  s->j.p = p;
  s->j.host_countdown = -1;
  SN_SCOPE(c);
  for (int i = 0; i < n_variables; i++) s->j.variables[i] = sn_variable(initial(c, p, i));
  s->f = function_of(s);
  s->unrolled = function_of(s);
  return s;
}

static inline void close_setting(setting *s) {
  sn_function_destroy(s->f);
  sn_function_destroy(s->unrolled);
  for (int i = 0; i < n_variables; i++)
    if (!sn_failed(s->j.variables[i])) sn_release(s->j.variables[i]);
  free(s);
}

static inline sn_status under_tape(setting *s, sn_tensor *const *in, sn_tensor **out) {
  sn_tape *tape = sn_tape_begin(s->context, .persistent = true);
  for (int i = 0; i < n_inputs; i++) sn_tape_watch(tape, in[i]);
  // a jvp asks the innermost tape, whose business the seed is not: it watches what was given
  const sn_status status = run_program(&s->j, s->context, in, out, tape);
  sn_tape_end(tape);
  return status;
}

static inline sn_status run_mode(setting *s, mode how, sn_tensor *const *in, sn_tensor **out) {
  const int n = outputs_of(s->j.p);
  s->j.unrolled = how == UNROLLED || how == UNROLLED_CALL;
  s->j.with_tape = how == TAPE;
  switch (how) {
    case CALL:
      return sn_call(s->f, in, n_inputs + 1, out, n);
    case EAGER:
    case UNROLLED:
      return sn_call_eager(s->f, in, n_inputs + 1, out, n);
    case TAPE:
      return under_tape(s, in, out);
    default:
      return sn_call(s->unrolled, in, n_inputs + 1, out, n);
  }
}

static inline void copy_state(setting *s, results *all) {
  SN_SCOPE(s->context);
  sn_random_state state = {0, 0, 0};
  for (int i = 0; i < n_variables; i++) copy(all, sn_read_variable(s->j.variables[i]));
  ck_assert_int_eq(sn_random_get_state(s->context, &state), SN_OK);
  all->r[all->n++] = (result){1, {(double)state.counter}};
}

// What functions of the host's have noted.
static inline void copy_notes(const setting *s, results *all) {
  all->r[all->n++] = (result){2, {(double)s->j.n_notes, (double)(s->j.notes >> 12)}};
}

// probe: the one that is out of range, or -1.
static inline void make_inputs(const setting *s, int binding, double step, int probe,
                               sn_tensor **in) {
  const program *p = s->j.p;
  int32_t probes[most_nodes + 1] = {0};
  if (probe >= 0) probes[probe] = 1000;
  for (int i = 0; i < n_inputs; i++) in[i] = input(s->context, p, (value_type)i, binding, i, step);
  in[n_inputs] = sn_constant(s->context, SN_I32, SN_SHAPE(p->n_probes + 1), probes);
}

// Takes the error back.
static inline void take_results(setting *s, mode how, sn_status status, sn_tensor *const *out,
                                results *all) {
  all->n = 0;
  all->status = status;
  if (status) {
    differs("%s: %s", mode_names[how], sn_error_message(s->context));
    (void)!sn_check(s->context);
    return;
  }
  for (int i = 0; i < outputs_of(s->j.p); i++) copy(all, out[i]);
  copy_state(s, all);
  copy_notes(s, all);
}

static inline void run(setting *s, int binding, mode how, double step, int probe, results *all) {
  SN_SCOPE(s->context);
  sn_tensor *in[n_inputs + 1], *out[n_all_outputs];
  make_inputs(s, binding, step, probe, in);
  s->j.n_notes = 0;
  s->j.notes = 0;
  take_results(s, how, run_mode(s, how, in, out), out, all);
}

static inline void run_anew(setting *s, int binding, mode how, double step, results *all) {
  SN_SCOPE(s->context);
  reset(s);
  run(s, binding, how, step, -1, all);
}

#endif
