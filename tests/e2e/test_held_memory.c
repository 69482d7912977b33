// What stays in memory: after an op its result alone, after functions nothing.
#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>

static sn_context *ctx;

static void setup(void) {
  ck_assert_int_eq(sn_context_create(&ctx, .threads = 2), SN_OK);
}

static void teardown(void) {
  sn_context_destroy(ctx);
}

static size_t held(void) {
  sn_memory_stats stats = {.size = sizeof(stats)};
  sn_context_trim(ctx);
  sn_context_memory(ctx, &stats);
  return stats.bytes;
}

// ---- composed ops: x, y f32[size,size] and labels i32[size]
enum { size = 256 };
typedef struct operands {
  sn_tensor *x, *y, *labels, *row;
} operands;

typedef struct composed {
  const char *name;
  sn_tensor *(*make)(const operands *o);
} composed;

#define OP(name, expression)                         \
  static sn_tensor *make_##name(const operands *o) { \
    (void)o;                                         \
    return expression;                               \
  }
#define AXIS .axes = SN_AXES(1)
#define OPS(X)                                                                    \
  X(square, sn_square(o->x))                                                      \
  X(gelu, sn_gelu(o->x))                                                          \
  X(softplus, sn_softplus(o->x))                                                  \
  X(is_nan, sn_is_nan(o->x))                                                      \
  X(not_equal, sn_not_equal(o->x, o->y))                                          \
  X(sum, sn_sum(o->x, AXIS, .keepdims = true))                                    \
  X(mean, sn_mean(o->x, AXIS))                                                    \
  X(var, sn_var(o->x, AXIS))                                                      \
  X(std, sn_std(o->x, AXIS, .keepdims = true))                                    \
  X(logsumexp, sn_logsumexp(o->x, AXIS))                                          \
  X(argmax, sn_argmax(o->x, 1))                                                   \
  X(argmin, sn_argmin(o->x, 0))                                                   \
  X(softmax, sn_softmax(o->x, 1))                                                 \
  X(log_softmax, sn_log_softmax(o->x, 0))                                         \
  X(cross_entropy, sn_sparse_softmax_cross_entropy(o->x, o->labels))              \
  X(huber, sn_huber_loss(o->x, o->y, 1))                                          \
  X(mse, sn_mean_squared_error(o->x, o->y))                                       \
  X(mae, sn_mean_absolute_error(o->x, o->y))                                      \
  X(matrix_vector, sn_matmul(o->x, o->row))                                       \
  X(batched, sn_matmul(sn_reshape(o->x, SN_SHAPE(1, size, size)),                 \
                       sn_broadcast_to(sn_reshape(o->x, SN_SHAPE(1, size, size)), \
                                       SN_SHAPE(2, size, size))))                 \
  X(one_hot, sn_one_hot(o->labels, size, SN_F32))                                 \
  X(index, sn_index(o->x, 1, 3))                                                  \
  X(stack, sn_stack((sn_tensor *[]){o->row, o->row}, 2, 0))                       \
  X(range, sn_range(ctx, SN_F32, 1, 65537, 2))                                    \
  X(uniform, sn_random_uniform(ctx, SN_F32, SN_SHAPE(size, size)))                \
  X(uniform_f64, sn_random_uniform(ctx, SN_F64, SN_SHAPE(size, size)))            \
  X(normal, sn_random_normal(ctx, SN_F32, SN_SHAPE(size, size)))                  \
  X(normal_odd, sn_random_normal(ctx, SN_F64, SN_SHAPE(size - 1, size - 1)))
OPS(OP)
#define ROW(name, expression) {#name, make_##name},
static const composed ops[] = {OPS(ROW)};
enum { n_ops = sizeof(ops) / sizeof(*ops) };

static operands make_operands(void) {
  sn_tensor *zeros = sn_zeros(ctx, SN_I32, SN_SHAPE(size));
  return (operands){sn_ones(ctx, SN_F32, SN_SHAPE(size, size)),
                    sn_zeros(ctx, SN_F32, SN_SHAPE(size, size)), zeros,
                    sn_ones(ctx, SN_F32, SN_SHAPE(size))};
}

// The operands that an expression makes itself are held too: at most twice the result, or two
// operands. What the eager entries keep goes with the trim.
START_TEST(ops_hold_their_result) {
  const composed *op = &ops[_i];
  operands o = make_operands();
  {
    SN_SCOPE(ctx);  // the entries and the generator's state exist from here on
    ck_assert_msg(!sn_failed(op->make(&o)), "%s: %s", op->name, sn_error_message(ctx));
  }
  size_t before = held();
  sn_tensor *y = op->make(&o);
  ck_assert_msg(!sn_failed(y), "%s: %s", op->name, sn_error_message(ctx));
  size_t result = (size_t)sn_size(y) * sn_dtype_size(sn_dtype_of(y));
  size_t extra = op->make == make_batched ? 2 * sizeof(float) * size * size : 0;
  size_t after = held();
  ck_assert_msg(after <= before + result + result / 4 + extra + 8192,
                "%s holds %zu bytes for a result of %zu", op->name, after - before, result);
}
END_TEST

// A tape needs the values of the steps; with its end they go.
START_TEST(tapes_hold_the_steps) {
  operands o = make_operands();
  size_t result = sizeof(float) * size * size;
  sn_gelu(o.x);
  size_t before = held();
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, o.x);
  sn_tensor *y = sn_gelu(o.x), *dx;
  ck_assert_uint_gt(held(), before + 3 * result);
  sn_tape_gradient(tape, y, &o.x, 1, &dx);
  ck_assert_msg(!sn_failed(dx), "%s", sn_error_message(ctx));
  sn_tape_end(tape);
  ck_assert_uint_le(held(), before + 2 * result + result / 2 + 8192);
}
END_TEST

// ---- eager ops and functions
// Each shape is an op of its own; what the context keeps of them goes with the trim.
START_TEST(trim_empties_the_eager_cache) {
  size_t before = held();
  sn_memory_stats stats = {.size = sizeof(stats)};
  for (int64_t i = 1; i <= 500; i++) {
    SN_SCOPE(ctx);
    sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(i, 4));
    ck_assert(!sn_failed(sn_sum(sn_tanh(x))));
  }
  sn_context_memory(ctx, &stats);
  ck_assert_uint_gt(stats.bytes, before + 500000);
  ck_assert_uint_le(held(), before + 8192);
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(3));
  double sum;
  ck_assert_int_eq(sn_item(sn_sum(x), &sum), SN_OK);
  ck_assert_double_eq(sum, 3);
}
END_TEST

static sn_status scaled_tanh(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_sum(sn_tanh(sn_mul_scalar(in[0], 1 + *(const int *)user * 1e-3)));
  return sn_pending_error(c);
}

// Each function has a kernel of its own.
static sn_function *make_function(const int *number, sn_tensor *x) {
  sn_function *f =
      sn_function_create(ctx, scaled_tanh, .inputs = 1, .outputs = 1, .user = (void *)number);
  sn_tensor *y;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  return f;
}

START_TEST(destroyed_functions_hold_nothing) {
  enum { count = 600 };
  sn_function *functions[count];
  int numbers[count];
  sn_context_destroy(ctx);
  ck_assert_int_eq(sn_context_create(&ctx, .threads = 1,
                                     .backend = _i ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
                   SN_OK);
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(4, 4));
  const size_t before = held();
  int n = _i ? 20 : count;
  for (int i = 0; i < n; i++) {
    SN_SCOPE(ctx);
    numbers[i] = i;
    functions[i] = make_function(&numbers[i], x);
  }
  ck_assert_uint_gt(held(), before + (size_t)n * 4096);
  for (int i = 0; i < n; i++) sn_function_destroy(functions[i]);
  ck_assert_uint_le(held(), before + 16384);
}
END_TEST

// sn_function_stats: kernels that commands share count once.
static sn_status many_steps(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x = in[0];
  for (int i = 0; i < *(const int *)user; i++) x = sn_matmul(sn_tanh(x), in[1]);
  out[0] = x;
  return sn_pending_error(c);
}

static sn_function_statistics stats_of_steps(int steps) {
  sn_function *f = sn_function_create(ctx, many_steps, .inputs = 2, .outputs = 1, .user = &steps);
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(3, 3)), *y;
  ck_assert_int_eq(sn_call(f, SN_ARGS(x, x), &y, 1), SN_OK);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  sn_function_destroy(f);
  return stats;
}

START_TEST(shared_code_counts_once) {
  const sn_function_statistics few = stats_of_steps(4), many = stats_of_steps(100);
  ck_assert_uint_gt(many.commands, 10 * few.commands);
  ck_assert_uint_le(many.code_bytes, 2 * few.code_bytes);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("held memory");
  TCase *composed_ops = tcase_create("composed ops");
  tcase_add_checked_fixture(composed_ops, setup, teardown);
  tcase_add_loop_test(composed_ops, ops_hold_their_result, 0, n_ops);
  tcase_add_test(composed_ops, tapes_hold_the_steps);
  suite_add_tcase(suite, composed_ops);
  TCase *caches = tcase_create("caches");
  tcase_add_checked_fixture(caches, setup, teardown);
  tcase_add_test(caches, trim_empties_the_eager_cache);
  tcase_add_loop_test(caches, destroyed_functions_hold_nothing, 0, 2);
  tcase_add_test(caches, shared_code_counts_once);
  suite_add_tcase(suite, caches);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
