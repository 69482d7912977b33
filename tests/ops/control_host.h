// Functions of the host's in random programs (random_control.h).
#ifndef TESTS_OPS_CONTROL_HOST_H
#define TESTS_OPS_CONTROL_HOST_H

#include "ops/random_control.h"
#include "runtime/scalar.h"

struct job;
typedef struct call {
  struct job *job;
  const node *x;
} call;

// One program in one context.
enum { n_sources = n_inputs + 1, n_all_outputs = n_outputs + n_sources };  // of derivatives
typedef struct job {
  const program *p;
  sn_tensor *variables[n_variables], *t[most_values], *probes;
  call calls[most_nodes];
  bool unrolled, with_tape;     // with_tape: one of the user's, so that inner gradients need theirs
  int64_t iterations[n_kinds];  // bodies called
  // of functions of the host's: how many are called until one fails, negative: none does; what they have noted
  int64_t host_countdown, n_notes;
  uint64_t notes;
} job;

static inline int64_t elements_of(const sn_view *v) {
  int64_t n = 1;
  for (int d = 0; d < v->shape.rank; d++) n *= v->shape.dims[d];
  return n;
}

static inline double load(const sn_view *v, int64_t i) {
  return sni_scalar_value(sni_scalar_load(v->dtype, v->data, i));
}

static inline void store(const sn_view *v, int64_t i, double value) {
  sni_scalar_store(sni_scalar_of(v->dtype, value), v->data, i);
}

// ---- failures, and what has been done
static inline sn_status fail_in_turn(const sn_host_args *args) {
  const call *k = args->user;
  if (!k || k->job->host_countdown-- != 0) return SN_OK;
  snprintf(args->message, args->message_size, "does not want to");
  return SN_ERR_FILE;
}

// Which node, its operands' sizes and bits: in order.
static inline sn_status note(const sn_host_args *args) {
  const call *k = args->user;
  job *j = k->job;
  uint64_t hash = j->notes * 31 + (uint64_t)(k->x - j->p->nodes);
  for (int a = 0; a < args->n_in; a++)
    for (int64_t i = 0; i < elements_of(&args->in[a]); i++) {
      const double value = load(&args->in[a], i);
      uint64_t bits;
      memcpy(&bits, &value, sizeof(bits));
      if (value != value) bits = 1;  // any NaN
      hash = (hash ^ bits) * 0x9E3779B97F4A7C15u + (hash >> 29);
    }
  j->notes = hash;
  j->n_notes++;
  return fail_in_turn(args);
}

// ---- y = x / 2 + x / (4 (1 + x^2))
static inline sn_status bend(const sn_host_args *args) {
  for (int64_t i = 0; i < elements_of(&args->in[0]); i++) {
    const double x = load(&args->in[0], i);
    store(&args->out[0], i, 0.5 * x + 0.25 * x / (1 + x * x));
  }
  return fail_in_turn(args);
}

static inline sn_status bend_noted(const sn_host_args *args) {
  const sn_status status = note(args);
  const sn_host_args silent = {.in = args->in, .out = args->out};
  return status ? status : bend(&silent);
}

static inline sn_status bend_back(const sn_host_args *args) {
  for (int64_t i = 0; i < elements_of(&args->in[0]); i++) {
    const double x = load(&args->in[0], i), q = 1 + x * x;
    store(&args->out[0], i, load(&args->in[1], i) * (0.5 + 0.25 * (1 - x * x) / (q * q)));
  }
  return fail_in_turn(args);
}

static inline sn_status bend_vjp(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *s = sn_square(in[0]), *q = sn_add_scalar(s, 1);
  sn_tensor *slope = sn_div(sn_sub(sn_scalar_like(s, 1), s), sn_square(q));
  (void)user;
  out[0] = sn_mul(in[2], sn_add_scalar(sn_mul_scalar(slope, 0.25), 0.5));
  return sn_pending_error(c);
}

static inline sn_status bend_vjp_by_host(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                         void *user) {
  return sn_host_call(c, bend_back, SN_ARGS(in[0], in[2]), out, 1, .pure = true, .user = user);
}

// ---- y, z = x / 2 + b / 4, sum(x) / 10 + b
static inline sn_status pair(const sn_host_args *args) {
  const double b = load(&args->in[1], 0);
  double sum = 0;
  for (int64_t i = 0; i < elements_of(&args->in[0]); i++) {
    const double x = load(&args->in[0], i);
    sum += x;
    store(&args->out[0], i, 0.5 * x + 0.25 * b);
  }
  store(&args->out[1], 0, 0.1 * sum + b);
  return note(args);
}

static inline sn_status pair_shapes(const sn_infer_args *args) {
  args->out[0] = args->in[0];
  args->out[1] = (sn_spec){args->in[0].dtype, SN_SCALAR};
  return args->in[1].shape.rank ? SN_ERR_SHAPE : SN_OK;
}

// in: x, b, y, z, dy, dz
static inline sn_status pair_vjp(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_add(sn_mul_scalar(in[4], 0.5), sn_mul_scalar(in[5], 0.1));
  out[1] = sn_add(sn_mul_scalar(sn_sum(in[4]), 0.25), in[5]);
  return sn_pending_error(c);
}

// ---- ops that are defined
static inline sn_status sine(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul_scalar(sn_sin(in[0]), 0.7);
  return sn_pending_error(c);
}

static inline sn_status define_ops(sn_context *c) {
  sn_op *op;
  const sn_status status = sn_op_define(c, &op, .name = "test.bend", .n_in = 1, .n_out = 1,
                                        .host = bend, .pure = true, .vjp = bend_vjp);
  return status ? status
                : sn_op_define(c, &op, .name = "test.sine", .n_in = 1, .n_out = 1, .compose = sine);
}

// ---- nodes
static inline sn_status run_host(job *j, sn_context *c, const node *x, sn_tensor **out) {
  sn_tensor *in[2] = {j->t[x->a], j->t[x->b]};
  void *user = &j->calls[x - j->p->nodes];
  switch ((host_form)x->which) {
    case HOST_OP:
      return sn_op_call(c, sn_op_defined(c, "test.bend"), in, 1, out, 1);
    case HOST_COMPOSED:
      return sn_op_call(c, sn_op_defined(c, "test.sine"), in, 1, out, 1);
    case HOST_BY_HOST:
      return sn_host_call(c, bend, in, 1, out, 1, .user = user, .pure = true, .name = "bend",
                          .vjp = bend_vjp_by_host);
    case HOST_EFFECT:
      return sn_host_call(c, bend_noted, in, 1, out, 1, .user = user, .name = "bend and note",
                          .vjp = bend_vjp);
    case HOST_PAIR:
      return sn_host_call(c, pair, in, 2, out, 2, .user = user, .name = "pair",
                          .infer = pair_shapes, .vjp = pair_vjp);
    case HOST_SAY:
      out[0] = in[0];
      return sn_host_call(c, note, in, 1, NULL, 0, .user = user, .name = "say");
    default:
      return sn_host_call(c, bend, in, 1, out, 1, .user = user, .pure = true, .name = "bend",
                          .vjp = bend_vjp);
  }
}

#endif
