// Runs a random program (random_control.h): as a callback for functions and tapes, with its loops as they are or unrolled in C.
#ifndef TESTS_OPS_RUN_CONTROL_H
#define TESTS_OPS_RUN_CONTROL_H

#include "ops/control_leaves.h"

#include <sinter/vectorize.h>

static inline sn_status run_block(job *j, sn_context *c, int number, sn_tensor *const *in,
                                  sn_tensor **out);

// ---- bodies
static inline sn_status run_body(const call *k, sn_context *c, int body, sn_tensor *const *in,
                                 sn_tensor **out) {
  k->job->iterations[k->x->kind]++;
  return run_block(k->job, c, k->x->blocks[body], in, out);
}

static inline sn_status body_0(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  return run_body(user, c, 0, in, out);
}
static inline sn_status body_1(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  return run_body(user, c, 1, in, out);
}
static inline sn_status body_2(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  return run_body(user, c, 2, in, out);
}

// in[0]: the number of the iteration, i64
static inline sn_status counted_body(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                     void *user) {
  const call *k = user;
  sn_tensor *all[most_ports + 1] = {sn_mul_scalar(sn_cast(in[0], k->job->p->dtype), 0.25)};
  for (int i = 0; i < k->x->n_in; i++) all[1 + i] = in[1 + i];
  return run_body(k, c, 0, all, out);
}

// The first carry counts, the others are the program's.
static inline sn_status while_body(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                   void *user) {
  out[0] = sn_add_scalar(in[0], 1);
  return run_body(user, c, 0, in, out + 1);
}

static inline sn_status goes_on(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const call *k = user;
  sn_tensor *bound = sn_mul_scalar(sn_abs(k->job->t[k->x->b]), 2);
  out[0] = sn_less(in[0], sn_minimum(bound, sn_scalar_like(bound, 3.5)));
  return sn_pending_error(c);
}

static inline sn_status backward(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul(in[2], sn_add_scalar(sn_mul_scalar(sn_cos(in[0]), 0.5), 1));  // no slope of any
  return sn_pending_error(c);
}

// ---- bodies of structs: carries, operands and results; those that there are not are absent
typedef struct other_ports {
  sn_tensor *t[most_ports];
} other_ports;
typedef struct ports {
  int tag;
  sn_tensor *first;
  other_ports others;
} ports;
typedef struct row {
  sn_tensor *t;
} row;
SN_COMPOSITE(other_ports_type, other_ports, SN_FIELD(other_ports, t));
SN_COMPOSITE(ports_type, ports, SN_FIELD(ports, tag), SN_FIELD(ports, first),
             SN_NESTED(ports, others, other_ports_type));
SN_COMPOSITE(row_type, row, SN_FIELD(row, t));

static inline ports packed(sn_tensor *const *t, int n) {
  ports all = {.tag = 7, .first = t[0]};
  for (int i = 1; i < n; i++) all.others.t[i - 1] = t[i];
  return all;
}

static inline void unpack(const ports *all, sn_tensor **t, int n) {
  t[0] = all->first;
  for (int i = 1; i < n; i++) t[i] = all->others.t[i - 1];
}

static inline sn_status run_struct_body(const call *k, sn_context *c, int body, const void *in,
                                        void *out) {
  sn_tensor *given[most_ports + 1], *got[most_ports + 1] = {NULL};
  unpack(in, given, k->x->n_in);
  const sn_status status = run_body(k, c, body, given, got);
  *(ports *)out = packed(got, k->x->n_out);
  return status;
}

static inline sn_status struct_body_0(sn_context *c, const void *in, void *out, void *user) {
  return run_struct_body(user, c, 0, in, out);
}
static inline sn_status struct_body_1(sn_context *c, const void *in, void *out, void *user) {
  return run_struct_body(user, c, 1, in, out);
}

static inline sn_status while_struct_body(sn_context *c, const void *in, void *out, void *user) {
  const call *k = user;
  sn_tensor *given[most_ports + 1], *got[most_ports + 1] = {NULL};
  unpack(in, given, k->x->n_in + 1);
  const sn_status status = while_body(c, given, got, user);
  *(ports *)out = packed(got, k->x->n_in + 1);
  return status;
}

static inline sn_status struct_goes_on(sn_context *c, const void *in, void *out, void *user) {
  return goes_on(c, &((const ports *)in)->first, out, user);
}

static inline sn_status scan_struct_body(sn_context *c, const void *carry, const void *x,
                                         void *next, void *y, void *user) {
  const call *k = user;
  const int n = k->x->n_in;
  sn_tensor *given[most_ports + 1], *got[most_ports + 1] = {NULL};
  unpack(carry, given, n);
  given[n] = ((const row *)x)->t;
  const sn_status status = run_body(k, c, 0, given, got);
  *(ports *)next = packed(got, n);
  if (k->x->n_out > n) ((row *)y)->t = got[n];
  return status;
}

// ---- control nodes, unrolled
static inline bool is_true(sn_context *c, sn_tensor *t) {
  double x = 0;
  if (sn_item(t, &x)) return false;
  return (void)c, x != 0;
}

static inline sn_status unrolled_while(job *j, sn_context *c, const node *x, sn_tensor **out) {
  sn_tensor *now[most_ports + 1] = {sn_scalar_like(j->t[0], 0)}, *go;
  for (int i = 0; i < x->n_in; i++) now[1 + i] = j->t[x->in[i]];
  for (;;) {
    goes_on(c, now, &go, &j->calls[x - j->p->nodes]);
    if (sn_pending_error(c) || !is_true(c, go)) break;
    sn_tensor *next[most_ports + 1];
    while_body(c, now, next, &j->calls[x - j->p->nodes]);
    memcpy(now, next, sizeof(now));
  }
  for (int i = 0; i < x->n_in; i++) out[i] = now[1 + i];
  return sn_pending_error(c);
}

static inline sn_status unrolled_fori(job *j, sn_context *c, const node *x, sn_tensor **out) {
  for (int i = 0; i < x->n_in; i++) out[i] = j->t[x->in[i]];
  for (int n = x->begin; n < x->end && !sn_pending_error(c); n++) {
    sn_tensor *in[most_ports + 1] = {sn_scalar_i64(c, n)};
    for (int i = 0; i < x->n_in; i++) in[1 + i] = out[i];
    counted_body(c, in, out, &j->calls[x - j->p->nodes]);
  }
  return sn_pending_error(c);
}

static inline sn_status unrolled_scan(job *j, sn_context *c, const node *x, sn_tensor *matrix,
                                      sn_tensor **out) {
  const int m = (int)sn_dim(matrix, 0);
  sn_tensor *rows[8], *now[most_ports + 1];
  for (int i = 0; i < x->n_in; i++) now[i] = j->t[x->in[i]];
  for (int n = 0; n < m && !sn_pending_error(c); n++) {
    const int i = x->reverse ? m - 1 - n : n;
    sn_tensor *next[most_ports];
    now[x->n_in] = sn_index(matrix, 0, i);
    body_0(c, now, next, &j->calls[x - j->p->nodes]);
    memcpy(now, next, (size_t)x->n_in * sizeof(*now));
    if (x->n_out > x->n_in) rows[i] = next[x->n_in];
  }
  if (sn_pending_error(c)) return sn_pending_error(c);
  for (int i = 0; i < x->n_in; i++) out[i] = now[i];
  if (x->n_out > x->n_in) out[x->n_in] = sn_stack(rows, m, 0);
  return sn_pending_error(c);
}

static inline sn_status unrolled_branch(job *j, sn_context *c, const node *x, sn_tensor *number,
                                        sn_tensor *const *in, sn_tensor **out) {
  double value = 0;
  if (sn_item(number, &value)) return sn_pending_error(c);
  const int body = x->kind == COND ? value == 0 : value < 0 || value > 2 ? 2 : (int)value;
  return run_body(&j->calls[x - j->p->nodes], c, body, in, out);
}

// ---- control nodes
static inline sn_tensor *number_of(const job *j, sn_context *c, const node *x) {
  sn_tensor *a = j->t[x->a];
  (void)c;
  return x->kind == COND ? sn_greater(a, sn_scalar_like(a, 0.1))
                         : sn_cast(sn_mul_scalar(a, 2.5), SN_I32);
}

static inline sn_status run_branch(job *j, sn_context *c, const node *x, sn_tensor *const *in,
                                   sn_tensor **out) {
  static const sn_callback bodies[3] = {body_0, body_1, body_2};
  sn_tensor *number = number_of(j, c, x);
  void *user = &j->calls[x - j->p->nodes];
  if (j->unrolled && !sn_is_traced(number)) return unrolled_branch(j, c, x, number, in, out);
  if (x->structured) {
    const ports given = packed(in, x->n_in);
    ports got = {.tag = 0};
    sn_cond_struct(c, number, struct_body_0, struct_body_1, user, SN_STRUCT(ports_type, &given),
                   SN_STRUCT(ports_type, &got));
    unpack(&got, out, x->n_out);
    return sn_pending_error(c);
  }
  if (x->kind == COND) return sn_cond(c, number, body_0, body_1, user, in, x->n_in, out, x->n_out);
  return sn_switch_case(c, number, bodies, 3, user, in, x->n_in, out, x->n_out);
}

static inline sn_status run_while(job *j, sn_context *c, const node *x, sn_tensor *const *in,
                                  sn_tensor **out) {
  sn_tensor *carries[most_ports + 1] = {sn_scalar_like(j->t[0], 0)}, *last[most_ports + 1];
  void *user = &j->calls[x - j->p->nodes];
  const int n = x->n_in + 1;
  if (j->unrolled && !sn_is_traced(j->t[x->b])) return unrolled_while(j, c, x, out);
  memcpy(carries + 1, in, (size_t)x->n_in * sizeof(*in));
  if (x->structured) {
    ports all = packed(carries, n);
    sn_while_struct(c, struct_goes_on, while_struct_body, user, SN_STRUCT(ports_type, &all), &all);
    unpack(&all, last, n);
  } else {
    sn_while_loop(c, goes_on, while_body, user, carries, n, last, n);
  }
  memcpy(out, last + 1, (size_t)x->n_in * sizeof(*out));
  return sn_pending_error(c);
}

static inline sn_status run_scan(job *j, sn_context *c, const node *x, sn_tensor *const *in,
                                 sn_tensor *matrix, sn_tensor **out) {
  void *user = &j->calls[x - j->p->nodes];
  if (j->unrolled && !(x->late && sn_is_traced(matrix))) return unrolled_scan(j, c, x, matrix, out);
  if (!x->structured)
    return sn_scan(c, body_0, user, in, x->n_in, &matrix, 1, out, x->n_out, .reverse = x->reverse,
                   .checkpoint = x->end);
  const ports init = packed(in, x->n_in);
  const row rows = {matrix};
  ports last = {.tag = 0};
  row ys = {NULL};
  const bool has_rows = x->n_out > x->n_in;
  sn_scan_struct(c, scan_struct_body, user, SN_STRUCT(ports_type, &init),
                 SN_STRUCT(row_type, &rows), has_rows ? &row_type : NULL, &last,
                 has_rows ? &ys : NULL, .reverse = x->reverse, .checkpoint = x->end);
  unpack(&last, out, x->n_in);
  if (has_rows) out[x->n_in] = ys.t;
  return sn_pending_error(c);
}

static inline sn_tensor *late_rows(sn_tensor *matrix) {
  sn_tensor *sums = sn_sum(matrix, .axes = SN_AXES(1));
  return sn_boolean_mask(matrix, sn_greater_scalar(sums, 0));
}

static inline sn_status run_control(job *j, sn_context *c, const node *x, sn_tensor **out) {
  sn_tensor *in[most_ports], *matrix = x->late ? late_rows(j->t[x->a]) : j->t[x->a];
  void *user = &j->calls[x - j->p->nodes];
  for (int i = 0; i < x->n_in; i++) in[i] = j->t[x->in[i]];
  switch (x->kind) {
    case COND:
    case SWITCH:
      return run_branch(j, c, x, in, out);
    case WHILE:
      return run_while(j, c, x, in, out);
    case FORI:
      if (j->unrolled) return unrolled_fori(j, c, x, out);
      return sn_fori_loop(c, x->begin, x->end, counted_body, user, in, x->n_in, out, x->n_out);
    case SCAN:
      return run_scan(j, c, x, in, matrix, out);
    case MAP:
      if (j->unrolled) return unrolled_scan(j, c, x, matrix, out);
      return sn_map_fn(c, body_0, user, &matrix, 1, out, x->n_out);
    case VMAP:
      if (j->unrolled) return unrolled_scan(j, c, x, matrix, out);
      return sn_vectorized_map(c, body_0, user, &matrix, 1, out, x->n_out);
    case CHECKPOINT:
      if (j->unrolled) return run_body(user, c, 0, in, out);
      return sn_checkpoint(c, body_0, user, in, x->n_in, out, x->n_out);
    default:
      return sn_custom_gradient(c, body_0, backward, user, in, 1, out, 1);
  }
}

static inline sn_status run_node(job *j, sn_context *c, const node *x) {
  sn_tensor **out = &j->t[x->first_result];
  if (x->off)
    for (int i = 0; i < x->n_out; i++) out[i] = j->t[name_of(j->p, x->first_result + i)];
  else if (x->kind == HOST)
    return run_host(j, c, x, out);
  else if (x->n_blocks)
    return run_control(j, c, x, out);
  else
    out[0] = apply(j, c, x);
  return sn_pending_error(c);
}

static inline sn_status run_block(job *j, sn_context *c, int number, sn_tensor *const *in,
                                  sn_tensor **out) {
  const block *b = &j->p->blocks[number];
  for (int i = 0; i < b->n_in; i++) j->t[b->first_input + i] = in[i];
  for (int i = 0; i < b->n_nodes; i++) {
    const sn_status status = run_node(j, c, &j->p->nodes[b->nodes[i]]);
    if (status) return status;
  }
  for (int i = 0; i < b->n_out; i++) out[i] = j->t[b->out[i]];
  return sn_pending_error(c);
}

// ---- the whole, with its derivatives
static inline void slopes(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, sn_tensor **out) {
  if (tape)
    sn_tape_gradient(tape, y, xs, n_sources, out, .unconnected = SN_ZEROS);
  else
    sn_gradients(y, xs, n_sources, out, .unconnected = SN_ZEROS);
}

static inline sn_tensor *sum_of(sn_tensor *const *t, int n, sn_tensor *(*f)(sn_tensor *)) {
  sn_tensor *sum = NULL;
  for (int i = 0; i < n; i++) {
    sn_tensor *term = sn_mul_scalar(sn_sum(f(t[i])), 0.1);
    sum = sum ? sn_add(sum, term) : term;
  }
  return sum;
}

// in: a number, a vector, a matrix, the probes. out: the outputs; with derivatives, those with respect to the first three and
// the second variable.
static inline sn_status run_program(job *j, sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                    sn_tape *tape) {
  sn_tensor *g[n_sources], *xs[n_sources], *tangents[n_sources];
  j->probes = in[n_inputs];
  for (int i = 0; i < j->p->n_nodes; i++) j->calls[i] = (call){j, &j->p->nodes[i]};
  if (run_block(j, c, 0, in, NULL)) return sn_pending_error(c);
  for (int i = 0; i < n_outputs; i++) out[i] = j->t[j->p->outputs[i]];
  if (!j->p->order) return SN_OK;
  for (int i = 0; i < n_sources; i++) xs[i] = i < n_inputs ? in[i] : j->variables[1];
  sn_tensor *loss = sum_of(out, n_outputs, sn_sin);
  if (j->p->order < 3) {
    slopes(tape, loss, xs, g);
    if (sn_pending_error(c)) return sn_pending_error(c);
    if (j->p->order == 2) slopes(tape, sum_of(g, n_sources, sn_square), xs, g);
    memcpy(out + n_outputs, g, sizeof(g));
  } else {
    for (int i = 0; i < n_sources; i++) tangents[i] = sn_cos(xs[i]);
    out[n_outputs] = sn_jvp(loss, xs, tangents, n_sources);
    for (int i = 1; i < n_sources; i++) out[n_outputs + i] = out[n_outputs];
  }
  return sn_pending_error(c);
}

static inline sn_status program_body(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                     void *user) {
  return run_program(user, c, in, out, NULL);
}

#endif
