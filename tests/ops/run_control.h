// Runs a random program (random_control.h): as a callback for functions and tapes, with its loops as they are or unrolled in C.
#ifndef TESTS_OPS_RUN_CONTROL_H
#define TESTS_OPS_RUN_CONTROL_H

#include "ops/random_control.h"

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
} job;

static inline sn_status run_block(job *j, sn_context *c, int number, sn_tensor *const *in,
                                  sn_tensor **out);

// ---- plain nodes
static inline sn_tensor *apply_unary(const node *x, sn_tensor *a) {
  switch (x->which % 8) {
    case 0:
      return sn_tanh(a);
    case 1:
      return sn_sin(a);
    case 2:
      return sn_mul_scalar(sn_square(a), 0.3);
    case 3:
      return sn_sigmoid(a);
    case 4:
      return sn_relu(a);
    case 5:
      return sn_exp(sn_minimum(a, sn_scalar_like(a, 0.5)));
    case 6:
      return sn_cumsum(a, -1);
    default:
      return sn_mul_scalar(a, -0.7);
  }
}

static inline sn_tensor *apply_binary(const node *x, sn_tensor *a, sn_tensor *b) {
  switch (x->which % 6) {
    case 0:
      return sn_add(a, b);
    case 1:
      return sn_sub(a, b);
    case 2:
      return sn_mul_scalar(sn_mul(a, b), 0.6);
    case 3:
      return sn_maximum(a, b);
    case 4:
      return sn_where(sn_less(a, b), sn_tanh(a), sn_mul_scalar(b, 0.5));
    default:
      return sn_div(a, sn_add_scalar(sn_square(b), 1));
  }
}

static inline sn_tensor *apply_reduce(const job *j, const node *x, sn_tensor *a) {
  const bool rows = j->p->types[x->a] == MATRIX;
  const sn_reduce_options options = {.size = sizeof(options),
                                     .axes = {x->type == VECTOR && rows, {0}}};
  if (x->which % 3 == 0) return sn_max_opts(a, &options);
  if (x->which % 3 == 1) return sn_mul_scalar(sn_sum_opts(a, &options), 0.2);
  return sn_mean_opts(a, &options);
}

// cumsum wants an axis
static inline sn_tensor *apply_any_unary(const job *j, const node *x, sn_tensor *a) {
  node other = *x;
  if (x->which % 8 == 6 && j->p->types[x->a] == NUMBER) other.which = 0;
  return apply_unary(&other, a);
}

static inline sn_tensor *inner_gradient(const job *j, sn_context *c, sn_tensor *a, sn_tensor *b) {
  sn_tensor *g, *x = sn_identity(a);
  sn_tape *tape = j->with_tape && !sn_is_traced(x) ? sn_tape_begin(c, .persistent = true) : NULL;
  if (tape) sn_tape_watch(tape, x);
  sn_gradients(sn_sum(sn_mul(sn_tanh(x), sn_stop_gradient(b))), &x, 1, &g);
  sn_tape_end(tape);
  return g;
}

// 0 or 1, of a number.
static inline sn_tensor *index_of(sn_tensor *number) {
  return sn_cast(sn_minimum(sn_abs(number), sn_scalar_like(number, 1.9)), SN_I32);
}

static inline sn_tensor *assign_part(const job *j, const node *x, sn_tensor *number) {
  sn_tensor *v = j->variables[1];
  if (j->p->open_dims) return sn_assign_at(v, number, "...");
  switch (x->which % 4) {
    case 0:
      return sn_assign_at(v, number, "%d", x->which % 8 ? -1 : 1);
    case 1:
      return sn_assign(v, sn_at(v, "::-1"));
    case 2:
      return sn_assign_at(v, sn_mul(sn_at(v, "1:"), number), ":-1");
    default:
      return sn_assign_scatter(v, sn_reshape(index_of(number), SN_SHAPE(1)),
                               sn_reshape(number, SN_SHAPE(1)),
                               x->which % 8 == 3 ? SN_SCATTER_ADD : SN_SCATTER_UPDATE);
  }
}

static inline sn_tensor *apply(job *j, sn_context *c, const node *x) {
  sn_tensor *a = j->t[x->a], *b = j->t[x->b], *variable = j->variables[x->which % n_variables];
  switch (x->kind) {
    case UNARY:
      return apply_any_unary(j, x, a);
    case BINARY:
      return apply_binary(x, a, b);
    case REDUCE:
      return apply_reduce(j, x, a);
    case DRAW:
      return sn_random_uniform(c, j->p->dtype, SN_SCALAR);
    case ASSIGN:
      return sn_assign(variable, sn_tanh(a));
    case ASSIGN_ADD:
      return x->which & 2 ? sn_assign_sub(variable, sn_mul_scalar(a, 0.1))
                          : sn_assign_add(variable, sn_mul_scalar(a, 0.1));
    case READ:
      return x->type == NUMBER ? sn_sin(variable) : sn_read_variable(variable);
    case PICK:
      return sn_gather(a, index_of(b));
    case SET:
      return sn_set_at(a, b, x->which % 2 ? "::2" : "-1");
    case ASSIGN_PART:
      return assign_part(j, x, a);
    case PROBE:
      return sn_add(a, sn_gather(j->t[1], sn_index(j->probes, 0, x->which)));
    case STOP:
      return sn_stop_gradient(a);
    default:
      return inner_gradient(j, c, a, b);
  }
}

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

static inline sn_status unrolled_scan(job *j, sn_context *c, const node *x, sn_tensor **out) {
  const int m = (int)sn_dim(j->t[x->a], 0);
  sn_tensor *rows[8], *now[most_ports + 1];
  for (int i = 0; i < x->n_in; i++) now[i] = j->t[x->in[i]];
  for (int n = 0; n < m && !sn_pending_error(c); n++) {
    const int row = x->reverse ? m - 1 - n : n;
    sn_tensor *next[most_ports];
    now[x->n_in] = sn_index(j->t[x->a], 0, row);
    body_0(c, now, next, &j->calls[x - j->p->nodes]);
    memcpy(now, next, (size_t)x->n_in * sizeof(*now));
    if (x->n_out > x->n_in) rows[row] = next[x->n_in];
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
  if (x->kind == COND) return sn_cond(c, number, body_0, body_1, user, in, x->n_in, out, x->n_out);
  return sn_switch_case(c, number, bodies, 3, user, in, x->n_in, out, x->n_out);
}

static inline sn_status run_while(job *j, sn_context *c, const node *x, sn_tensor *const *in,
                                  sn_tensor **out) {
  sn_tensor *carries[most_ports + 1] = {sn_scalar_like(j->t[0], 0)}, *last[most_ports + 1];
  if (j->unrolled && !sn_is_traced(j->t[x->b])) return unrolled_while(j, c, x, out);
  memcpy(carries + 1, in, (size_t)x->n_in * sizeof(*in));
  sn_while_loop(c, goes_on, while_body, &j->calls[x - j->p->nodes], carries, x->n_in + 1, last,
                x->n_in + 1);
  memcpy(out, last + 1, (size_t)x->n_in * sizeof(*out));
  return sn_pending_error(c);
}

static inline sn_status run_control(job *j, sn_context *c, const node *x, sn_tensor **out) {
  sn_tensor *in[most_ports], *rows = j->t[x->a];
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
      if (j->unrolled) return unrolled_scan(j, c, x, out);
      return sn_scan(c, body_0, user, in, x->n_in, &rows, 1, out, x->n_out, .reverse = x->reverse,
                     .checkpoint = x->end);
    case MAP:
      if (j->unrolled) return unrolled_scan(j, c, x, out);
      return sn_map_fn(c, body_0, user, &rows, 1, out, x->n_out);
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
    for (int i = 0; i < x->n_out; i++) out[i] = j->t[j->p->types[x->first_result + i]];
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
