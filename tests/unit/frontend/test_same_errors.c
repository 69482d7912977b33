// Mistakes read the same however the code runs: op by op, as sn_call_eager runs a callback, traced, and
// where a compiled function finds them. Every op meets every choice of operands; what fails at once
// must fail in the other modes with the same status and message: op, types, rule and caller's line.
#include "frontend_fixture.h"

enum { most_operands = 3, n_operands = 11 };

// One of each kind; the last one is NULL.
static sn_tensor *operands[n_operands];

static void setup_operands(void) {
  setup();
  sn_tensor *const made[] = {
      sn_ones(ctx, SN_F32, SN_SHAPE(2, 3)),
      sn_ones(ctx, SN_F32, SN_SHAPE(4)),
      sn_scalar_f32(ctx, 2),
      sn_scalar_f64(ctx, 40),
      sn_ones(ctx, SN_I32, SN_SHAPE(2, 3)),
      sn_full(ctx, SN_I64, SN_SHAPE(2), -1),
      sn_scalar_i32(ctx, 40),
      sn_ones(ctx, SN_BOOL, SN_SHAPE(3)),
      sn_ones(ctx, SN_F32, SN_SHAPE(1, 2, 3, 1, 2, 3, 1, 2)),
      sn_zeros(ctx, SN_F32, SN_SHAPE(0, 3)),
  };
  for (int i = 0; i < n_operands; i++) operands[i] = i < n_operands - 1 ? made[i] : NULL;
}

// ---- every op
typedef struct op_case {
  const char *name;
  int n;
  sn_tensor *(*run)(sn_tensor *const *x);
} op_case;

// clang-format off
#define UNARY(X)                                                                                  \
  X(neg) X(abs) X(sign) X(sqrt) X(rsqrt) X(square) X(reciprocal) X(floor) X(ceil) X(round) X(exp) \
  X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh) X(sigmoid) X(erf) X(relu) X(gelu) X(softplus)    \
  X(not) X(is_nan) X(identity) X(transpose) X(sum) X(mean) X(prod) X(max) X(min) X(all) X(any)    \
  X(var) X(std) X(logsumexp) X(zeros_like) X(stop_gradient) X(random_uniform_like)                \
  X(trunc) X(exp2) X(log2) X(log10) X(cbrt) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh)        \
  X(asinh) X(acosh) X(atanh) X(erfc) X(erfinv) X(lgamma) X(digamma) X(trigamma) X(sinc)           \
  X(deg2rad) X(rad2deg) X(nan_to_num) X(log_sigmoid) X(is_inf) X(is_finite) X(signbit)            \
  X(bitwise_count)                                                                                \
  X(random_normal_like)
#define BINARY(X)                                                                                 \
  X(add) X(sub) X(mul) X(div) X(rem) X(pow) X(maximum) X(minimum) X(equal) X(not_equal) X(less)   \
  X(less_equal) X(greater) X(greater_equal) X(and) X(or) X(xor) X(broadcast_like) X(matmul)       \
  X(floor_div) X(floor_mod) X(atan2) X(hypot) X(logaddexp) X(logaddexp2) X(xlogy) X(xlog1py)      \
  X(nextafter) X(copysign) X(squared_difference) X(divide_no_nan) X(shift_left) X(shift_right)                 \
  X(gather) X(take) X(gather_nd) X(embedding_lookup) X(sparse_softmax_cross_entropy) X(mean_squared_error) X(mean_absolute_error)
#define TERNARY(X) X(where) X(scatter_add) X(scatter_max) X(scatter_update) X(dynamic_update)
#define WITH_SCALAR(X)                                                                            \
  X(add) X(sub) X(rsub) X(mul) X(div) X(rdiv) X(rem) X(pow) X(maximum) X(minimum) X(equal)        \
  X(not_equal) X(less) X(less_equal) X(greater) X(greater_equal) X(rpow) X(rrem) X(floor_div)     \
  X(rfloor_div) X(floor_mod) X(rfloor_mod) X(and) X(or) X(xor) X(shift_left) X(shift_right)       \
  X(rshift_left) X(rshift_right)
#define ALONG_AXIS(X)                                                                             \
  X(argmax) X(argmin) X(cumsum) X(cumprod) X(cummax) X(cummin) X(softmax) X(log_softmax)          \
  X(expand_dims) X(squeeze)
#define OTHERS(X)                                                                                 \
  X(cast_none, 1, sn_cast(x[0], (sn_dtype)77))                                                    \
  X(reshape_size, 1, sn_reshape(x[0], SN_SHAPE(5, 2)))                                            \
  X(reshape_free, 1, sn_reshape(x[0], SN_SHAPE(-1, 5)))                                           \
  X(reshape_two_free, 1, sn_reshape(x[0], SN_SHAPE(-1, -1)))                                      \
  X(permute, 1, sn_permute(x[0], (int[]){0, 0}, 2))                                               \
  X(broadcast_to, 1, sn_broadcast_to(x[0], SN_SHAPE(5, 7)))                                       \
  X(concat, 2, sn_concat(x, 2, 0))                                                                \
  X(concat_inner, 2, sn_concat(x, 2, 1))                                                          \
  X(stack, 2, sn_stack(x, 2, 2))                                                                  \
  X(slice_step, 1, sn_slice(x[0], ((sn_range_spec[]){SN_RANGE(0, 2, 0)}), 1))                     \
  X(slice_many, 1, sn_slice(x[0], ((sn_range_spec[]){SN_ALL, SN_ALL, SN_ALL}), 3))                \
  X(index, 1, sn_index(x[0], 0, 2))                                                               \
  X(index_back, 1, sn_index(x[0], -1, -4))                                                        \
  X(gather_axis, 2, sn_gather(x[0], x[1], .axis = 1))                                             \
  X(gather_batch, 2, sn_gather(x[0], x[1], .batch_dims = 1))                                      \
  X(scatter_nd, 2, sn_scatter_nd(x[0], x[1], SN_SHAPE(2, 3)))                                     \
  X(tensor_scatter_nd, 3, sn_tensor_scatter_nd(x[0], x[1], x[2], SN_SCATTER_MUL))                 \
  X(put_along_axis, 3, sn_put_along_axis(x[0], x[1], x[2], 0))                                    \
  X(dynamic_slice, 2, sn_dynamic_slice(x[0], x[1], SN_SHAPE(1, 2)))                               \
  X(segment_mean, 2, sn_segment_mean(x[0], x[1], 2))                                              \
  X(bincount, 1, sn_bincount(x[0], .length = 2))                                                  \
  X(histogram, 2, sn_histogram(x[0], 2, 0, 1, .weights = x[1]))                                   \
  X(nonzero, 1, sn_nonzero(x[0], .length = 2))                                                    \
  X(boolean_mask, 2, sn_boolean_mask(x[0], x[1], .length = 2))                                    \
  X(unique, 1, sn_unique(x[0], NULL, NULL, .length = -1))                                         \
  X(pad, 1, sn_pad(x[0], (int64_t[]){-1}, (int64_t[]){0}, 1, 0))                                  \
  X(sum_axis, 1, sn_sum(x[0], .axes = SN_AXES(1)))                                                \
  X(sum_twice, 1, sn_sum(x[0], .axes = SN_AXES(0, 0)))                                            \
  X(var_axis, 1, sn_var(x[0], .axes = SN_AXES(2)))                                                \
  X(one_hot, 1, sn_one_hot(x[0], 3, SN_F32))                                                      \
  X(one_hot_deep, 1, sn_one_hot(x[0], -3, SN_F32))                                                \
  X(where_scalar, 2, sn_where_scalar(x[0], x[1], 0))                                              \
  X(rwhere_scalar, 2, sn_rwhere_scalar(x[0], 0, x[1]))                                            \
  X(polygamma, 1, sn_polygamma(3, x[0]))                                                          \
  X(polygamma_many, 1, sn_polygamma(21, x[0]))                                                    \
  X(clip, 1, sn_clip(x[0], 0, 1))                                                                 \
  X(is_close, 2, sn_is_close(x[0], x[1], 1e-5, 1e-8, false))                                      \
  X(is_close_negative, 2, sn_is_close(x[0], x[1], -1, 0, true))                                   \
  X(huber, 2, sn_huber_loss(x[0], x[1], 1))                                                       \
  X(huber_delta, 2, sn_huber_loss(x[0], x[1], 0))                                                 \
  X(equal_half, 1, sn_equal_scalar(x[0], 0.5))                                                    \
  X(range_like, 1, sn_range_like(x[0], 1, SN_BOOL))                                               \
  X(axis_size, 1, sn_axis_size(x[0], 1, SN_I32))                                                  \
  X(assign, 2, sn_assign(x[0], x[1]))                                                             \
  X(read_variable, 1, sn_read_variable(x[0]))                                                     \
  X(zeros_negative, 0, sn_zeros(ctx, SN_F32, SN_SHAPE(2, -3)))                                    \
  X(random_int, 0, sn_random_uniform(ctx, SN_I32, SN_SHAPE(2)))                                   \
  X(range_endless, 0, sn_range(ctx, SN_F32, 0, 1, 0))                                             \
  X(chain, 2, sn_exp(sn_neg(sn_add(sn_square(x[0]), x[1]))))                                      \
  X(picked, 2, sn_mul_scalar(sn_gather(sn_exp(x[0]), sn_neg(x[1])), 2))

#define DEFINE(name, n, expression)                            \
  static sn_tensor *case_##name(sn_tensor *const *x) {         \
    (void)x;                                                   \
    return expression;                                         \
  }
#define DEFINE_1(op) DEFINE(op, 1, sn_##op(x[0]))
#define DEFINE_2(op) DEFINE(op, 2, sn_##op(x[0], x[1]))
#define DEFINE_3(op) DEFINE(op, 3, sn_##op(x[0], x[1], x[2]))
#define DEFINE_SCALAR(op) DEFINE(op##_scalar, 1, sn_##op##_scalar(x[0], 2))
#define DEFINE_AXIS(op) DEFINE(op, 1, sn_##op(x[0], 1))
UNARY(DEFINE_1)
BINARY(DEFINE_2)
TERNARY(DEFINE_3)
WITH_SCALAR(DEFINE_SCALAR)
ALONG_AXIS(DEFINE_AXIS)
OTHERS(DEFINE)

#define ROW(name, n, expression) {#name, n, case_##name},
#define ROW_1(op) ROW(op, 1, )
#define ROW_2(op) ROW(op, 2, )
#define ROW_3(op) ROW(op, 3, )
#define ROW_SCALAR(op) ROW(op##_scalar, 1, )
static const op_case cases[] = {UNARY(ROW_1) BINARY(ROW_2) TERNARY(ROW_3) WITH_SCALAR(ROW_SCALAR)
                                ALONG_AXIS(ROW_1) OTHERS(ROW)};
// clang-format on

typedef struct choice {
  const op_case *op;
  int operand[most_operands];
} choice;

static sn_status call_case(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const choice *c = user;
  sn_tensor *x[most_operands];
  for (int i = 0; i < most_operands; i++)
    x[i] = c->operand[i] == n_operands - 1 ? NULL : in[c->operand[i]];
  out[0] = c->op->run(x);
  return sn_pending_error(context);
}

static void compare_modes(const char *name, sn_callback callback, void *user, sn_tensor *const *in,
                          int n, sn_status status, const char *wanted) {
  for (int traced = 0; traced < 2; traced++) {
    sn_tensor *y = NULL;
    sn_function *f =
        sn_function_create(ctx, callback, .name = "f", .inputs = n, .outputs = 1, .user = user);
    const sn_status given = traced ? sn_call(f, in, n, &y, 1) : sn_call_eager(f, in, n, &y, 1);
    const char *message = sn_error_message(ctx);
    ck_assert_msg(given == status && !strcmp(message, wanted),
                  "%s %s: %s \"%s\", but op by op %s \"%s\"", name, traced ? "traced" : "eagerly",
                  sn_status_name(given), message, sn_status_name(status), wanted);
    ck_assert_int_eq(sn_check(ctx), SN_OK);
    sn_function_destroy(f);
  }
}

static bool next_choice(choice *c) {
  for (int i = 0; i < c->op->n; i++) {
    if (++c->operand[i] < n_operands) return true;
    c->operand[i] = 0;
  }
  return false;
}

START_TEST(mistakes_read_the_same) {
  choice c = {.op = &cases[_i]};
  int failures = 0;
  do {
    SN_SCOPE(ctx);
    sn_tensor *x[most_operands], *y = NULL;
    char wanted[1400], name[96];
    for (int i = 0; i < most_operands; i++) x[i] = operands[c.operand[i]];
    y = c.op->run(x);
    if (!y) continue;  // no operand has a context
    const sn_status status = sn_check(ctx);
    if (!status) continue;
    failures++;
    snprintf(wanted, sizeof(wanted), "%s", sn_error_message(ctx));
    ck_assert_msg(strstr(wanted, "test_same_errors.c:") != NULL, "%s", wanted);
    snprintf(name, sizeof(name), "%s(%d, %d, %d)", c.op->name, c.operand[0], c.operand[1],
             c.operand[2]);
    compare_modes(name, call_case, &c, operands, n_operands - 1, status, wanted);
  } while (next_choice(&c));
  const bool takes_all = !strcmp(c.op->name, "identity") || !strcmp(c.op->name, "transpose") ||
                         !strcmp(c.op->name, "zeros_like") || !strcmp(c.op->name, "stop_gradient");
  ck_assert_msg(failures > 0 || takes_all, "%s never fails", c.op->name);
}
END_TEST

// ---- sizes that a trace does not know
static sn_tensor *picked_row(sn_tensor *x, sn_tensor *i) {
  SN_FRAME(ctx, "picked_row");
  return sn_exp(sn_gather(sn_neg(x), i));
}
#define picked_row(x, i) SN_AT(picked_row(x, i))

// [x[0], 0]
static sn_tensor *first_of(sn_tensor *x) {
  sn_tensor *two = sn_gather(x, sn_zeros(ctx, SN_I32, SN_SHAPE(2)));
  return sn_mul(two, sn_constant(ctx, SN_I32, SN_SHAPE(2), ((int32_t[]){1, 0})));
}

static sn_status call_rows(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int *how = user;
  if (*how == 0) out[0] = sn_gather(in[0], in[1]);
  if (*how == 1) out[0] = picked_row(in[0], in[1]);
  if (*how == 2) out[0] = sn_scatter_add(sn_exp(in[0]), in[1], in[2]);
  if (*how == 3) {  // the gradient alone: the gather itself is dead code
    sn_tensor *loss = sn_sum(sn_gather(in[0], in[1]));
    sn_gradients(loss, in, 1, out);
  }
  if (*how == 4) out[0] = sn_gather_nd(in[0], sn_expand_dims(in[1], 1));
  if (*how == 5) out[0] = sn_segment_max(in[2], in[1], sn_symbolic_dim(in[0], 0));
  if (*how == 6) out[0] = sn_gather(sn_permute(in[0], (int[]){1, 0}, 2), in[1], .axis = 1);
  if (*how == 7) out[0] = sn_dynamic_slice(in[0], first_of(in[1]), SN_SHAPE(1, 3));
  return sn_pending_error(context);
}

// What a message says of the run's sizes behind the op's name: rows alone, or columns, rows, rows.
static void say_fault(int how, long long columns, long long rows, char *text, size_t capacity) {
  static const char *const flat[] = {"sn_gather_nd", "sn_segment_max", "sn_gather",
                                     "sn_dynamic_slice"};
  static const char *const named[] = {"sn_gather", "picked_row: sn_gather", "sn_scatter_add",
                                      "sn_gather"};
  if (how < 4)
    snprintf(text, capacity,
             "%s: an index (operand #1, i32[%lld]) is out of range: operand #0 is f32[%lld,3], so "
             "indices must be in [0, %lld) (",
             named[how], columns, rows, rows);
  else
    snprintf(text, capacity,
             "%s: an index is out of range: indices along axis %d must be in [0, %lld)%s (",
             flat[how - 4], how == 6, rows,
             how == 7 ? ", indices along axis 1 must be in [0, 1)" : "");
}

START_TEST(faults_name_the_sizes_of_their_run) {
  int how = _i;
  sn_function *f =
      sn_function_create(ctx, call_rows, .name = "f", .inputs = 3, .outputs = 1, .user = &how);
  for (int64_t n = 2; n < 7; n++) {
    SN_SCOPE(ctx);
    const int64_t rows = n, columns = 9 - n;
    sn_tensor *in[] = {sn_ones(ctx, SN_F32, SN_SHAPE(rows, 3)),
                       sn_full(ctx, SN_I32, SN_SHAPE(columns), n == 4 ? 1 : (double)n),
                       sn_ones(ctx, SN_F32, SN_SHAPE(columns, 3))};
    sn_tensor *y;
    char eager[1400], wanted[256];
    const sn_status status = sn_call_eager(f, in, 3, &y, 1);
    snprintf(eager, sizeof(eager), "%s", sn_error_message(ctx));
    ck_assert_int_eq(status, n == 4 ? SN_OK : SN_ERR_INDEX);
    ck_assert_int_eq(sn_call(f, in, 3, &y, 1), status);
    if (n == 4) continue;
    ck_assert_str_eq(sn_error_message(ctx), eager);
    say_fault(how, columns, rows, wanted, sizeof(wanted));
    ck_assert_msg(strstr(eager, wanted) == eager, "%s, expected %s", eager, wanted);
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_le(stats.traces, 3);  // so most of these were symbolic
  sn_function_destroy(f);
}
END_TEST

// ---- two ops that may fail in one kernel, which does not say which: the message names both
static int first_line;
static sn_status call_two(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  first_line = __LINE__ + 1;
  sn_tensor *a = sn_exp(sn_gather(in[0], in[1]));
  sn_tensor *b = sn_gather(in[0], in[2]);
  out[0] = sn_add(a, b);
  return sn_pending_error(context);
}

START_TEST(all_that_may_have_failed_is_named) {
  static const char text[] = "sn_gather: an index (operand #1, i32[4]) is out of range";
  sn_tensor *y, *good = sn_full(ctx, SN_I32, SN_SHAPE(4), 1);
  sn_tensor *bad = sn_full(ctx, SN_I32, SN_SHAPE(4), 9);
  for (int which = 0; which < 2; which++) {
    sn_tensor *in[] = {sn_ones(ctx, SN_F32, SN_SHAPE(5)), which ? good : bad, which ? bad : good};
    sn_function *f = sn_function_create(ctx, call_two, .inputs = 3, .outputs = 1);
    ck_assert_int_eq(sn_call(f, in, 3, &y, 1), SN_ERR_INDEX);
    const char *message = sn_error_message(ctx);
    char place[96];
    ck_assert_msg(strstr(message, text) == message, "%s", message);
    snprintf(place, sizeof(place), "test_same_errors.c:%d)", first_line + which);
    ck_assert_msg(strstr(message, place) != NULL, "%s lacks %s", message, place);
    sn_function_destroy(f);
  }
}
END_TEST

// ---- gradients
static sn_tensor *twice_differentiated(sn_tensor *x) {
  sn_tensor *first, *second;
  sn_gradients(sn_abs(x), &x, 1, &first);
  sn_gradients(first, &x, 1, &second);
  return second;
}

static sn_tensor *gradient_of(sn_tensor *y, sn_tensor *x, sn_tensor *seed) {
  sn_tensor *g;
  sn_gradients(y, &x, 1, &g, .seed = seed);
  return g;
}

typedef struct gradient_case {
  const char *name;
  sn_tensor *(*run)(sn_tensor *x, sn_tensor *other, sn_tensor *i, sn_tensor *v);
} gradient_case;

// clang-format off
#define GRADIENTS(X)                                                                              \
  X(unrelated, gradient_of(sn_square(other), x, NULL))                                            \
  X(unrelated_variable, gradient_of(sn_square(x), v, NULL))                                       \
  X(untouched, gradient_of(other, x, NULL))                                                       \
  X(untouched_variable, gradient_of(x, v, NULL))                                                  \
  X(later, gradient_of(x, sn_square(x), NULL))                                                    \
  X(floor, gradient_of(sn_sum(sn_floor(x)), x, NULL))                                             \
  X(ceil_inside, gradient_of(sn_exp(sn_mul(sn_ceil(x), other)), x, NULL))                         \
  X(sign_of_variable, gradient_of(sn_mul(sn_sign(v), x), v, NULL))                                \
  X(through_integers, gradient_of(sn_cast(sn_cast(x, SN_I32), SN_F32), x, NULL))                  \
  X(compared, gradient_of(sn_cast(sn_greater(x, other), SN_F32), x, NULL))                        \
  X(argmax, gradient_of(sn_cast(sn_argmax(x, 0), SN_F32), x, NULL))                               \
  X(stopped, gradient_of(sn_exp(sn_stop_gradient(x)), x, NULL))                                   \
  X(composed, gradient_of(sn_softmax(sn_round(x), 0), x, NULL))                                   \
  X(of_integers, gradient_of(i, x, NULL))                                                         \
  X(of_counted, gradient_of(sn_argmax(x, 0), x, NULL))                                            \
  X(of_bools, gradient_of(sn_less(x, other), x, NULL))                                            \
  X(to_integers, gradient_of(sn_mul(sn_cast(i, SN_F32), x), i, NULL))                             \
  X(second, twice_differentiated(x))                                                              \
  X(seed_shape, gradient_of(sn_square(x), x, sn_sum(x)))                                          \
  X(seed_dtype, gradient_of(sn_square(x), x, sn_cast(x, SN_F64)))                                 \
  X(y_null, gradient_of(NULL, x, NULL))                                                           \
  X(x_null, gradient_of(sn_square(x), NULL, NULL))                                                \
  X(picked, gradient_of(sn_gather(sn_floor(x), i), x, NULL))                                      \
  X(assigned, gradient_of(sn_assign(v, sn_floor(x)), x, NULL))
#define DEFINE_GRADIENT(name, expression)                                                     \
  static sn_tensor *gradient_##name(sn_tensor *x, sn_tensor *other, sn_tensor *i, sn_tensor *v) { \
    (void)x, (void)other, (void)i, (void)v;                                                       \
    return expression;                                                                            \
  }
#define ROW_GRADIENT(name, expression) {#name, gradient_##name},
GRADIENTS(DEFINE_GRADIENT)
static const gradient_case gradients[] = {GRADIENTS(ROW_GRADIENT)};
// clang-format on

typedef struct gradient_call {
  const gradient_case *gradient;
  sn_tensor *v;
} gradient_call;

static sn_status call_gradient(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  const gradient_call *c = user;
  out[0] = c->gradient->run(in[0], in[1], in[2], c->v);
  return sn_pending_error(context);
}

START_TEST(gradients_say_the_same) {
  gradient_call c = {&gradients[_i], sn_variable(sn_ones(ctx, SN_F32, SN_SHAPE(4)), .name = "v")};
  sn_tensor *in[] = {sn_ones(ctx, SN_F32, SN_SHAPE(4)), sn_ones(ctx, SN_F32, SN_SHAPE(4)),
                     sn_ones(ctx, SN_I32, SN_SHAPE(4))};
  sn_tensor *y = NULL;
  char wanted[1400];
  sn_function *f =
      sn_function_create(ctx, call_gradient, .name = "f", .inputs = 3, .outputs = 1, .user = &c);
  const sn_status status = sn_call_eager(f, in, 3, &y, 1);
  snprintf(wanted, sizeof(wanted), "%s", sn_error_message(ctx));
  ck_assert_msg(status == SN_ERR_GRADIENT || strstr(c.gradient->name, "_null"), "%s: %s %s",
                c.gradient->name, sn_status_name(status), wanted);
  ck_assert_msg(strstr(wanted, "test_same_errors.c:") != NULL, "%s", wanted);
  compare_modes(c.gradient->name, call_gradient, &c, in, 3, status, wanted);
  sn_function_destroy(f);
  sn_release(c.v);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("same_errors");
  tcase_add_checked_fixture(c, setup_operands, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, mistakes_read_the_same, 0, (int)(sizeof(cases) / sizeof(cases[0])));
  tcase_add_loop_test(c, faults_name_the_sizes_of_their_run, 0, 8);
  tcase_add_test(c, all_that_may_have_failed_is_named);
  tcase_add_loop_test(c, gradients_say_the_same, 0,
                      (int)(sizeof(gradients) / sizeof(gradients[0])));
  return run_cases("same_errors", &c, 1);
}
