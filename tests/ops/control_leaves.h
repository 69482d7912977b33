// Plain nodes of a random program (random_control.h), as ops.
#ifndef TESTS_OPS_CONTROL_LEAVES_H
#define TESTS_OPS_CONTROL_LEAVES_H

#include "ops/control_host.h"

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

// ---- the table and the count
static inline sn_tensor *rows_of_table(sn_tensor *number) {
  return sn_broadcast_to(sn_reshape(number, SN_SHAPE(1, 1)), SN_SHAPE(1, 2));
}

// The third variable, [3,2], anew.
static inline sn_tensor *assign_table(const job *j, sn_context *c, const node *x,
                                      sn_tensor *number) {
  sn_tensor *v = j->variables[2], *i = sn_reshape(index_of(number), SN_SHAPE(1));
  sn_tensor *last = sn_constant(c, SN_I32, SN_SHAPE(1), (const int32_t[]){2});
  switch (x->which % 9) {
    case 0:
      return sn_assign_at(v, number, "%d, -1", x->which / 9 % 3);
    case 1:
      return sn_assign_at(v, sn_mul(sn_at(v, "1:"), number), ":-1");
    case 2:
      return sn_assign_at(v, number, "::2, 1");
    case 3:
      return sn_assign_scatter(v, i, rows_of_table(number), SN_SCATTER_ADD);
    case 4:
      return sn_assign_scatter(v, sn_concat(((sn_tensor *[]){i, last}), 2, 0), sn_at(v, "1:"),
                               SN_SCATTER_UPDATE);
    case 5:
      return sn_assign_scatter_nd(v, sn_stack(((sn_tensor *[]){i, i}), 2, 1),
                                  sn_reshape(number, SN_SHAPE(1)), SN_SCATTER_ADD);
    case 6:
      return sn_assign(v, sn_at(v, "::-1, ::-1"));
    case 7:
      return sn_assign_scatter(v, last, rows_of_table(number), SN_SCATTER_MAX);
    default:
      return sn_assign_sub(v, sn_mul_scalar(number, 0.1));
  }
}

static inline sn_tensor *read_table(const job *j, const node *x, sn_tensor *number) {
  sn_tensor *v = j->variables[2];
  if (x->which % 3 == 0) return sn_mul_scalar(sn_sum(sn_tanh(v)), 0.2);
  if (x->which % 3 == 1) return sn_at(v, "%d, 1", x->which / 3 % 3);
  return sn_sum(sn_mul_scalar(sn_gather(v, index_of(number)), 0.4));
}

static inline sn_tensor *count_up(const job *j, const node *x, sn_tensor *number) {
  sn_tensor *step = sn_add_scalar(sn_cast(index_of(number), SN_I64), 1);
  sn_tensor *n = sn_assign_add(j->variables[3], step);
  if (x->which % 2) n = sn_read_variable(j->variables[3]);
  return sn_mul_scalar(sn_cast(sn_floor_mod_scalar(n, 5), j->p->dtype), 0.15);
}

// ---- sizes
static inline sn_tensor *apply_shape(const node *x, sn_tensor *a, sn_tensor *b) {
  sn_tensor *both[2] = {a, b}, *means;
  switch (x->which) {
    case 0:
      return sn_mul_scalar(sn_axis_size(a, -1, sn_dtype_of(a)), 0.1);
    case 1:
      return sn_at(sn_concat(both, 2, 0), "::2");
    case 2:
      return sn_sum(sn_reshape(sn_concat(both, 2, 0), SN_SHAPE(2, -1)), .axes = SN_AXES(0));
    case 3:
      return sn_transpose(sn_flip(sn_transpose(a), .axes = SN_AXES(0)));
    case 4:
      means = sn_transpose(sn_mean(a, .axes = SN_AXES(1), .keepdims = true));
      return sn_mul_scalar(sn_ravel(sn_matmul(means, a)), 0.1);
    default:
      return sn_roll(sn_sub(a, b), 1, 0);
  }
}

// A vector as long as the elements say. Not whole numbers: the places of them.
static inline sn_tensor *extract(const node *x, sn_tensor *a, sn_tensor *b) {
  const sn_dtype dtype = sn_dtype_of(a);
  sn_tensor *ranks, *counts, *above = sn_greater(a, b);
  switch (x->which) {
    case 0:
      return sn_boolean_mask(a, sn_greater_scalar(a, 0));
    case 1:
      return sn_boolean_mask(b, above);
    case 2:
      return sn_mul(sn_boolean_mask(a, above), sn_boolean_mask(b, above));
    case 3:
      return sn_gather(a, sn_ravel(sn_nonzero(above)));
    case 4:
      return sn_unique(sn_relu(a), NULL, NULL);
    case 5:
      sn_unique(sn_floor(sn_mul_scalar(a, 2)), &ranks, &counts);
      return sn_mul_scalar(sn_cast(counts, dtype), 0.2);
    case 6:
      ranks = sn_cast(sn_minimum(sn_abs(sn_mul_scalar(a, 2)), sn_scalar_like(a, 5)), SN_I32);
      return sn_mul_scalar(sn_cast(sn_bincount(ranks), dtype), 0.2);
    case 7:
      return sn_mul_scalar(sn_cast(sn_at(sn_argwhere(sn_greater_scalar(a, 0)), ":, 1"), dtype),
                           0.3);
    default:
      ranks = sn_sum(a, .axes = SN_AXES(1));
      return sn_mean(sn_boolean_mask(a, sn_greater_scalar(ranks, 0)), .axes = SN_AXES(1));
  }
}

static inline sn_tensor *use_late(const job *j, const node *x, sn_tensor *a, sn_tensor *b) {
  sn_tensor *both[2] = {a, sn_reshape(b, SN_SHAPE(-1))};
  switch (x->which) {
    case 0:
      return sn_mul_scalar(sn_sum(a), 0.2);
    case 1:
      return sn_mul_scalar(sn_axis_size(a, 0, j->p->dtype), 0.1);
    case 2:
      return sn_mul_scalar(sn_sum(sn_mul(sn_expand_dims(a, 1), b), .axes = SN_AXES(0)), 0.2);
    default:
      return sn_max(sn_concat(both, 2, 0));
  }
}

static inline sn_tensor *apply(job *j, sn_context *c, const node *x) {
  sn_tensor *a = j->t[x->a], *b = j->t[x->b],
            *variable = j->variables[x->which % n_plain_variables];
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
    case ASSIGN_TABLE:
      return sn_mul_scalar(sn_sum(sn_sin(assign_table(j, c, x, a))), 0.1);
    case READ_TABLE:
      return read_table(j, x, a);
    case COUNT:
      return count_up(j, x, a);
    case SHAPE:
      return apply_shape(x, a, b);
    case EXTRACT:
      return extract(x, a, b);
    case USE_LATE:
      return use_late(j, x, a, b);
    default:
      return inner_gradient(j, c, a, b);
  }
}

#endif
