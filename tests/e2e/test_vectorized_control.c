// sn_vectorized_map of branches, loops, gradients and itself: the bits of a loop over the examples in eager mode, in traces and
// for both backends; its own gradients; faults; what is refused.
#include "vectorized.h"

#include <stdio.h>

static sn_tensor *weights, *table, *flag;  // f64 [4, 4], f64 [6], bool[], of the test's context

// ---- branches
static sn_status exponential(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_exp(in[0]);
  out[1] = sn_full(c, SN_F64, SN_SCALAR, 2);
  return (void)user, sn_pending_error(c);
}
static sn_status product(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_matmul(weights, sn_expand_dims(in[0], 1));
  out[0] = sn_squeeze(out[0], 1);
  out[1] = sn_sum(in[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status branch_of_example(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                   void *user) {
  return sn_cond(c, sn_greater_scalar(sn_sum(in[0]), 0.5), exponential, product, user, in, 1, out,
                 2);
}
static sn_status branch_of_all(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  return sn_cond(c, flag, exponential, product, user, in, 1, out, 2);
}
static sn_status sine(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_sin(in[0]);
  out[1] = sn_max(in[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status one_of_three(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_callback bodies[] = {exponential, product, sine};
  sn_tensor *number = sn_cast(sn_mul_scalar(sn_index(in[0], 0, 0), 7), SN_I32);
  return sn_switch_case(c, number, bodies, 3, user, in, 1, out, 2);
}

// An index that is in range in the examples that take the branch alone.
static sn_tensor *place_of(sn_tensor *x) {
  return sn_cast(sn_mul_scalar(sn_index(x, 0, 0), 20), SN_I32);
}
static sn_status lookup(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul(in[0], sn_take(table, place_of(in[0])));
  out[1] = sn_sum(out[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status guarded_lookup(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *place = place_of(in[0]);
  sn_tensor *inside = sn_and(sn_greater_equal_scalar(place, 0), sn_less_scalar(place, 6));
  return sn_cond(c, inside, lookup, exponential, user, in, 1, out, 2);
}

// ---- loops
static sn_status is_small(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less_scalar(sn_sum(in[0]), 30);
  return (void)user, sn_pending_error(c);
}
static sn_status grow(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add_scalar(sn_mul_scalar(in[0], 1.5), 0.25);
  out[1] = sn_add_scalar(in[1], 1);
  return (void)user, sn_pending_error(c);
}
static sn_status until_large(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *init[2] = {in[0], sn_full(c, SN_I32, SN_SCALAR, 0)};
  return sn_while_loop(c, is_small, grow, user, init, 2, out, 2);
}
static sn_status is_early(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less_scalar(in[1], 4);
  return (void)user, sn_pending_error(c);
}
static sn_status four_times(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *init[2] = {in[0], sn_full(c, SN_I32, SN_SCALAR, 0)};
  return sn_while_loop(c, is_early, grow, user, init, 2, out, 2);
}
// Reads the table until it ends: a step more would be a fault.
static sn_status is_inside(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less_scalar(in[1], 6);
  return (void)user, sn_pending_error(c);
}
static sn_status read_one(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add(sn_mul_scalar(in[0], 0.5), sn_take(table, in[1]));
  out[1] = sn_add_scalar(in[1], 1);
  return (void)user, sn_pending_error(c);
}
static sn_status read_rest(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *first = sn_clip(sn_cast(sn_mul_scalar(sn_index(in[0], 0, 1), 9), SN_I32), 0, 5);
  sn_tensor *init[2] = {in[0], first};
  return sn_while_loop(c, is_inside, read_one, user, init, 2, out, 2);
}
static sn_status turn(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *number = sn_cast(in[0], SN_F64);
  out[0] = sn_tanh(sn_add(sn_squeeze(sn_matmul(weights, sn_expand_dims(in[1], 1)), 1), number));
  return (void)user, sn_pending_error(c);
}
static sn_status counted(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[1] = sn_sum(in[0]);
  return sn_fori_loop(c, 1, 5, turn, user, in, 1, out, 1);
}
static sn_status recur(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_tanh(sn_add(sn_mul(in[0], in[1]), in[2]));
  out[1] = sn_sum(out[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status scanned(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *xs[2] = {sn_mul(in[0], sn_transpose(weights)), weights};  // one of examples, one not
  return sn_scan(c, recur, user, in, 1, xs, 2, out, 2, .reverse = true);
}

// ---- gradients in the body
static sn_status slope_of(sn_callback f, sn_context *c, sn_tensor *const *in, sn_tensor **out,
                          void *user) {
  sn_tensor *y[2];
  const sn_status status = f(c, in, y, user);
  if (status) return status;
  sn_gradients(sn_sum(sn_mul(y[0], y[0])), in, 1, out, .unconnected = SN_ZEROS);
  out[1] = sn_sum(y[0]);
  return sn_pending_error(c);
}
#define SLOPE(name)                                                                   \
  static sn_status slope_##name(sn_context *c, sn_tensor *const *in, sn_tensor **out, \
                                void *user) {                                         \
    return slope_of(name, c, in, out, user);                                          \
  }
SLOPE(branch_of_example)
SLOPE(one_of_three)
SLOPE(guarded_lookup)
SLOPE(until_large)
SLOPE(four_times)
SLOPE(read_rest)
SLOPE(counted)
SLOPE(scanned)

static sn_status square(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul(in[0], in[0]);
  return (void)user, sn_pending_error(c);
}
// A gradient that is not the function's, so that it can be told.
static sn_status thrice(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul(in[2], sn_mul_scalar(in[0], 3));
  return (void)user, sn_pending_error(c);
}
static sn_status own_gradient(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[1] = sn_sum(in[0]);
  return sn_custom_gradient(c, square, thrice, user, in, 1, out, 1);
}
SLOPE(own_gradient)

// Infinite derivatives in the branch that is not taken, and in the steps that a loop makes in vain.
static sn_status root(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *scale = sn_index(weights, 0, 0);
  out[0] = sn_sqrt(sn_mul(in[0], scale));
  out[1] = sn_sum(sn_log(in[0]));
  return (void)user, sn_pending_error(c);
}
static sn_status twice(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul_scalar(in[0], 2);
  out[1] = sn_sum(in[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status guarded_root(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x = sn_maximum_scalar(sn_sub_scalar(in[0], 0.2), 0);
  return sn_cond(c, sn_greater_scalar(sn_min(x), 0), root, twice, user, &x, 1, out, 2);
}
static sn_status is_positive(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_greater_scalar(in[0], 0);
  return (void)user, sn_pending_error(c);
}
static sn_status shrink(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *scale = sn_mul_scalar(sn_at(weights, "0, 0"), 0.5);
  out[0] = sn_mul(sn_maximum_scalar(sn_sub_scalar(in[0], 0.15), 0), sn_sqrt(sn_mul(in[0], scale)));
  out[1] = sn_add_scalar(in[1], 1);
  return (void)user, sn_pending_error(c);
}
static sn_status until_zero(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *init[2] = {sn_mul_scalar(sn_abs(sn_sum(in[0])), 4), sn_full(c, SN_I32, SN_SCALAR, 0)};
  return sn_while_loop(c, is_positive, shrink, user, init, 2, out, 2);
}

// ---- maps in maps
static sn_status inner(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *around = *(sn_tensor **)user;
  out[0] = sn_sum(sn_mul(sn_mul(around, in[0]), sn_exp(in[1])));
  return sn_pending_error(c);
}
static sn_status nested(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x = in[0], *xs[2] = {weights, in[0]};
  out[1] = sn_sum(x);
  return (void)user,
         sn_vectorized_map(c, inner, &x, xs, 2, out, 1, .in_axes = (int[]){1, SN_UNBATCHED});
}
SLOPE(nested)
static sn_status nested_loops(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x = sn_mul(sn_expand_dims(in[0], 0), weights);
  return (void)user, sn_vectorized_map(c, until_large, NULL, &x, 1, out, 2);
}
SLOPE(nested_loops)

// ---- all derivatives of one example
static sn_tensor *curve(sn_tensor *x) {
  return sn_tanh(sn_squeeze(sn_matmul(weights, sn_expand_dims(sn_mul(x, sn_sin(x)), 1)), 1));
}
static sn_status products(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = curve(in[0]), *v = sn_cos(in[0]);
  out[0] = sn_jvp(y, in, &v, 1);
  sn_hvp(sn_sum(y), in, &v, 1, out + 1);
  return (void)user, sn_pending_error(c);
}
static sn_status matrices(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = curve(in[0]);
  sn_jacobian(y, in, 1, out);
  sn_hessian(sn_sum(y), in, 1, out + 1);
  return (void)user, sn_pending_error(c);
}
static sn_status forward(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_status status = branch_of_example(c, in, out, user);
  sn_tensor *y = out[0];
  if (!status) sn_jacobian(y, in, 1, out, .mode = SN_JACOBIAN_FORWARD);
  return status ? status : sn_pending_error(c);
}

#define CASE(name) \
  { #name, name }
static const struct {
  const char *name;
  sn_callback body;
} cases[] = {CASE(branch_of_example),
             CASE(branch_of_all),
             CASE(one_of_three),
             CASE(guarded_lookup),
             CASE(until_large),
             CASE(four_times),
             CASE(read_rest),
             CASE(counted),
             CASE(scanned),
             CASE(slope_branch_of_example),
             CASE(slope_one_of_three),
             CASE(slope_guarded_lookup),
             CASE(slope_until_large),
             CASE(slope_four_times),
             CASE(slope_read_rest),
             CASE(slope_counted),
             CASE(slope_scanned),
             CASE(own_gradient),
             CASE(slope_own_gradient),
             CASE(nested),
             CASE(slope_nested),
             CASE(nested_loops),
             CASE(slope_nested_loops),
             CASE(guarded_root),
             CASE(until_zero),
             CASE(products),
             CASE(matrices),
             CASE(forward)};
enum { n_cases = sizeof(cases) / sizeof(*cases) };

static sn_tensor *make_inputs(sn_context *c) {
  double w[16], t[6], x[n_examples * 4];
  for (int i = 0; i < 16; i++) w[i] = 0.4 * sin(1 + i);
  for (int i = 0; i < 6; i++) t[i] = 0.3 * cos(i);
  for (int i = 0; i < n_examples * 4; i++) x[i] = 0.1 + 0.3 * sin(2 * i);
  weights = sn_constant(c, SN_F64, SN_SHAPE(4, 4), w);
  table = sn_constant(c, SN_F64, SN_SHAPE(6), t);
  flag = sn_constant(c, SN_BOOL, SN_SCALAR, &(uint8_t){1});
  return sn_constant(c, SN_F64, SN_SHAPE(n_examples, 4), x);
}

static void compare(sn_context *c, int number, int n_out) {
  request r = {cases[number].body, NULL, 1, n_out, NULL};
  sn_tensor *x = make_inputs(c), *expected[2], *eager[2], *traced[2];
  // The loop runs under a tape's context: gradients in eager bodies need one.
  sn_function *loop = sn_function_create(c, looped, .user = &r, .inputs = 1, .outputs = n_out);
  ck_assert_msg(!sn_call_eager(loop, &x, 1, expected, n_out), "%s: %s", cases[number].name,
                sn_error_message(c));
  ck_assert_msg(!mapped(c, &x, eager, &r), "%s: %s", cases[number].name, sn_error_message(c));
  ck_assert_msg(!call_traced(c, &r, &x, traced), "%s: %s", cases[number].name, sn_error_message(c));
  for (int k = 0; k < n_out; k++) {
    expect_same(expected[k], eager[k], cases[number].name, "eager");
    expect_same(expected[k], traced[k], cases[number].name, "traced");
  }
  sn_function_destroy(loop);
}

START_TEST(control_flow_is_a_loop_over_examples) {
  sn_context *c;
  const sn_backend backends[] = {SN_BACKEND_INTERPRETER, SN_BACKEND_AUTO};
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = backends[_i / n_cases]), SN_OK);
  {
    SN_SCOPE(c);
    compare(c, _i % n_cases, 2);
  }
  sn_context_destroy(c);
}
END_TEST

// ---- gradients of maps
typedef struct slopes {
  request *r;
  sn_callback way;  // mapped, looped
} slopes;

static sn_status differentiate(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const slopes *s = user;
  sn_tensor *y[2], *xs[3] = {in[0], weights, table};
  const sn_status status = s->way(c, in, y, s->r);
  if (status) return status;
  sn_gradients(sn_add(sn_sum(sn_mul(y[0], y[0])), sn_sum(sn_cast(y[1], SN_F64))), xs, 3, out,
               .unconnected = SN_ZEROS);
  return sn_pending_error(c);
}

static void expect_close(sn_tensor *a, sn_tensor *b, const char *what, int number) {
  double x[64], y[64];
  const size_t n = (size_t)sn_size(a);
  ck_assert_int_eq(sn_read(a, x, n * sizeof(*x)), SN_OK);
  ck_assert_int_eq(sn_read(b, y, n * sizeof(*y)), SN_OK);
  for (size_t i = 0; i < n; i++)
    ck_assert_msg(fabs(x[i] - y[i]) <= 1e-12 * (1 + fabs(x[i])), "%s, x %d: %zu is %g, expected %g",
                  what, number, i, y[i], x[i]);
}

START_TEST(gradients_are_those_of_a_loop) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  request r = {cases[_i].body, NULL, 1, 2, NULL};
  slopes loop = {&r, looped}, map = {&r, mapped};
  const char *name = cases[_i].name;
  sn_function *f = sn_function_create(c, differentiate, .user = &loop, .inputs = 1, .outputs = 3);
  sn_function *g = sn_function_create(c, differentiate, .user = &map, .inputs = 1, .outputs = 3);
  sn_tensor *x = make_inputs(c), *expected[3], *eager[3], *traced[3];
  const sn_status looped_status = strcmp(name, "slope_nested_loops")
                                      ? sn_call_eager(f, &x, 1, expected, 3)
                                      : sn_call(f, &x, 1, expected, 3);  // a map in it
  ck_assert_msg(!looped_status, "%s: %s", name, sn_error_message(c));
  ck_assert_msg(!sn_call(g, &x, 1, traced, 3), "%s: %s", name, sn_error_message(c));
  for (int k = 0; k < 3; k++) expect_close(expected[k], traced[k], name, k);
  ck_assert_msg(!sn_call_eager(g, &x, 1, eager, 3), "%s: %s", name, sn_error_message(c));
  for (int k = 0; k < 3; k++) expect_same(traced[k], eager[k], name, "gradients");
  sn_function_destroy(f);
  sn_function_destroy(g);
  sn_context_destroy(c);
}
END_TEST

// A tape of the caller's: of what is watched, of a variable, of a small tensor that the body captures; and twice.
static sn_tensor *scale, *offset;
static sn_status scaled(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_sum(sn_mul(sn_mul(in[0], in[0]), sn_add(scale, offset)));
  return (void)user, sn_pending_error(c);
}

START_TEST(tapes_record_maps) {
  sn_context *c;
  double g[4 * n_examples], of_scale[4], of_offset[4];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  sn_tensor *x = make_inputs(c), *y, *dx, *d[3];
  scale = sn_variable(sn_full(c, SN_F64, SN_SHAPE(4), 3));
  offset = sn_full(c, SN_F64, SN_SHAPE(4), 0.5);
  sn_tape *outer = sn_tape_begin(c), *tape = sn_tape_begin(c, .persistent = true);
  sn_tensor *xs[3] = {x, scale, offset};
  for (int i = 0; i < 3; i++) sn_tape_watch(tape, xs[i]);
  sn_tape_watch(outer, x);
  ck_assert_int_eq(sn_vectorized_map(c, scaled, NULL, &x, 1, &y, 1), SN_OK);
  sn_tape_gradient(tape, y, xs, 3, d);
  sn_tape_end(tape);
  sn_tape_gradient(outer, sn_sum(d[0]), &x, 1, &dx);
  sn_tape_end(outer);
  ck_assert_msg(sn_pending_error(c) == SN_OK, "%s", sn_error_message(c));
  expect_same(sn_mul_scalar(x, 7), d[0], "x", "tape");
  ck_assert_int_eq(sn_read(dx, g, sizeof(g)), SN_OK);
  for (int i = 0; i < 4 * n_examples; i++) ck_assert_double_eq(g[i], 7);
  sn_tensor *sum = sn_sum(sn_mul(x, x), .axes = SN_AXES(0));
  ck_assert_int_eq(sn_read(d[1], of_scale, sizeof(of_scale)), SN_OK);
  ck_assert_int_eq(sn_read(d[2], of_offset, sizeof(of_offset)), SN_OK);
  ck_assert_int_eq(sn_read(sum, g, 4 * sizeof(*g)), SN_OK);
  for (int i = 0; i < 4; i++) {
    ck_assert_double_eq_tol(of_scale[i], g[i], 1e-14);
    ck_assert_double_eq_tol(of_offset[i], g[i], 1e-14);
  }
  sn_release(scale);
  sn_context_destroy(c);
}
END_TEST

// Forward against reverse mode: <u, J v> = <J^T u, v>.
static sn_status both_modes(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y[2], *back, *v = sn_cos(in[0]);
  const sn_status status = mapped(c, in, y, user);
  if (status) return status;
  sn_tensor *u = sn_stop_gradient(sn_sin(y[0]));
  sn_gradients(y[0], in, 1, &back, .seed = u);
  out[0] = sn_sum(sn_mul(u, sn_jvp(y[0], in, &v, 1)));
  out[1] = sn_sum(sn_mul(back, v));
  return sn_pending_error(c);
}

START_TEST(forward_mode_is_reverse_mode_transposed) {
  static const sn_callback bodies[] = {branch_of_example, one_of_three, guarded_lookup,
                                       counted,           scanned,      nested,
                                       own_gradient,      guarded_root};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  for (int i = 0; i < 8; i++) {
    request r = {bodies[i], NULL, 1, 2, NULL};
    double a, b;
    sn_function *f = sn_function_create(c, both_modes, .user = &r, .inputs = 1, .outputs = 2);
    sn_tensor *x = make_inputs(c), *out[2];
    for (int eager = 0; eager < 2; eager++) {
      ck_assert_msg(!(eager ? sn_call_eager(f, &x, 1, out, 2) : sn_call(f, &x, 1, out, 2)),
                    "%d: %s", i, sn_error_message(c));
      ck_assert(!sn_item(out[0], &a) && !sn_item(out[1], &b));
      ck_assert_msg(fabs(a - b) < 1e-12 * (1 + fabs(a)) && a != 0, "%d: %g, %g", i, a, b);
    }
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// ---- variables, axes, sizes
static sn_tensor *counter;
static sn_status count(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bool of_example = *(const int *)user;
  sn_tensor *one = sn_ones(c, SN_F64, SN_SCALAR);
  sn_assign_add(counter, of_example ? sn_sum(in[0]) : one);
  out[0] = sn_mul(in[0], counter);
  return sn_pending_error(c);
}

// One example after the other, but for what they share.
static sn_status count_slowly(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *made[2];
  const sn_status status = slope_read_rest(c, in, made, user);
  out[1] = out[2] = made[0];
  out[3] = made[1];
  return status ? status : count(c, in, out, user);
}

START_TEST(variables_are_assigned_for_all) {
  sn_context *c;
  double value;
  int of_example = 0;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  counter = sn_variable(sn_full(c, SN_F64, SN_SCALAR, 4), .name = "counter");
  request r = {count, &of_example, 1, 1, NULL};
  sn_tensor *x = make_inputs(c), *y;
  for (int traced = 0; traced < 2; traced++) {
    ck_assert_msg(!(traced ? call_traced(c, &r, &x, &y) : mapped(c, &x, &y, &r)), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_read(counter, &value, sizeof(value)), SN_OK);
    ck_assert_double_eq(value, 5 + traced);
    expect_same(sn_mul(x, counter), y, "counter", traced ? "traced" : "eager");
  }
  request slow = {count_slowly, &of_example, 1, 4, NULL},
          other = {slope_read_rest, NULL, 1, 2, NULL};
  sn_tensor *here[4], *there[4], *expected[2];
  ck_assert_msg(!mapped(c, &x, here, &slow), "%s", sn_error_message(c));
  ck_assert_msg(!call_traced(c, &slow, &x, there), "%s", sn_error_message(c));
  ck_assert_msg(!mapped(c, &x, expected, &other), "%s", sn_error_message(c));
  for (int k = 1; k < 4; k++) {
    expect_same(expected[k > 2], here[k], "slopes", "eager");
    expect_same(expected[k > 2], there[k], "slopes", "traced");
  }
  ck_assert_int_eq(sn_read(counter, &value, sizeof(value)), SN_OK);
  ck_assert_double_eq(value, 8);
  of_example = 1;
  for (int traced = 0; traced < 2; traced++) {
    ck_assert_int_eq(traced ? call_traced(c, &r, &x, &y) : mapped(c, &x, &y, &r), SN_ERR_STATE);
    ck_assert_msg(
        strstr(sn_error_message(c), "the body assigns to variable \"counter\" f64[] what"), "%s",
        sn_error_message(c));
    ck_assert(traced || sn_check(c) == SN_ERR_STATE);
    ck_assert_int_eq(sn_read(counter, &value, sizeof(value)), SN_OK);
    ck_assert_double_eq(value, 8);
  }
  sn_release(counter);
  sn_context_destroy(c);
}
END_TEST

static sn_status pair(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_matmul(in[0], sn_expand_dims(in[1], 1));
  return (void)user, sn_pending_error(c);
}

START_TEST(axes_are_where_they_are_said_to_be) {
  sn_context *c;
  double a[24], b[12];
  for (int i = 0; i < 24; i++) a[i] = sin(i);
  for (int i = 0; i < 12; i++) b[i] = cos(i);
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(2, n_examples, 4), a),
                      sn_constant(c, SN_F64, SN_SHAPE(4, n_examples), b)};
  sn_tensor *expected, *given;
  request r = {pair, NULL, 2, 1, (int[]){1, 1}};
  ck_assert_int_eq(looped(c, in, &expected, &r), SN_OK);
  r.axes = (int[]){-2, -1};
  ck_assert_msg(!mapped(c, in, &given, &r), "%s", sn_error_message(c));
  expect_same(expected, given, "axes", "eager");
  ck_assert_int_eq(call_traced(c, &r, in, &given), SN_OK);
  expect_same(expected, given, "axes", "traced");
  sn_tensor *one[2] = {in[0], sn_index(in[1], 1, 0)};
  r.axes = (int[]){1, SN_UNBATCHED};
  ck_assert_int_eq(looped(c, one, &expected, &r), SN_OK);
  ck_assert_int_eq(mapped(c, one, &given, &r), SN_OK);
  expect_same(expected, given, "one vector for all", "eager");
  sn_context_destroy(c);
}
END_TEST

static sn_status nothing(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int n = *(const int *)user;
  (void)in;
  if (n > 0) out[0] = sn_random_normal(c, SN_F64, SN_SHAPE(n));
  return sn_pending_error(c);
}
static sn_status deep(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_reshape(in[0], (sn_shape){SN_MAX_RANK, {4, 1, 1, 1, 1, 1, 1, 1}});
  return sn_pending_error(c);
}

START_TEST(sizes_may_be_any) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  sn_tensor *y[2];
  int n = 5;
  ck_assert_msg(!sn_vectorized_map(c, nothing, &n, NULL, 0, y, 1, .length = 7), "%s",
                sn_error_message(c));
  ck_assert(sn_dim(y[0], 0) == 7 && sn_dim(y[0], 1) == 5);
  make_inputs(c);
  for (int i = 0; i < n_cases; i++) {
    sn_tensor *none = sn_zeros(c, SN_F64, SN_SHAPE(0, 4)),
              *one = sn_full(c, SN_F64, SN_SHAPE(1, 4), 0.3);
    ck_assert_msg(!sn_vectorized_map(c, cases[i].body, NULL, &none, 1, y, 2), "%s: %s",
                  cases[i].name, sn_error_message(c));
    ck_assert(sn_dim(y[0], 0) == 0 && sn_dim(y[1], 0) == 0);
    ck_assert_int_eq(sn_vectorized_map(c, cases[i].body, NULL, &one, 1, y, 2), SN_OK);
    ck_assert(sn_dim(y[0], 0) == 1);
  }
  sn_context_destroy(c);
}
END_TEST

// A function whose number of examples is symbolic after its second call.
static sn_status of_any_size(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *y = sn_tanh(sn_matmul(in[0], weights));
  sn_vectorized_map(c, until_large, NULL, in, 1, out, 2);
  sn_vectorized_map(c, slope_branch_of_example, NULL, in, 1, out + 2, 2);
  sn_vectorized_map(c, guarded_lookup, NULL, in, 1, out + 4, 2);
  sn_batch_jacobian(y, in, 1, out + 6);
  sn_jacobian(sn_sum(y, .axes = SN_AXES(0)), in, 1, out + 7);
  return sn_pending_error(c);
}

START_TEST(one_function_for_all_sizes) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, of_any_size, .inputs = 1, .outputs = 8);
  for (int64_t n = 1; n < 7; n++) {
    SN_SCOPE(c);
    sn_tensor *all = make_inputs(c), *compiled[8], *eager[8];
    sn_tensor *x = sn_concat((sn_tensor *[]){all, sn_mul_scalar(all, 0.7)}, 2, 0);
    x = sn_slice(x, (sn_range_spec[]){SN_RANGE(0, n, 1)}, 1);
    ck_assert_msg(!sn_call(f, &x, 1, compiled, 8), "%s", sn_error_message(c));
    ck_assert_msg(!sn_call_eager(f, &x, 1, eager, 8), "%s", sn_error_message(c));
    for (int k = 0; k < 8; k++) expect_same(eager[k], compiled[k], "a symbolic size", "compiled");
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

typedef struct mistake {
  int number;
} mistake;

static sn_status make_mistake(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const int which = ((const mistake *)user)->number;
  sn_tensor *two[2] = {in[0], sn_zeros(c, SN_F64, SN_SHAPE(5, 2))}, *scalar = sn_sum(in[0]);
  int none = 0;
  out[0] = NULL;
  if (which == 0) return sn_vectorized_map(c, pair, NULL, two, 2, out, 1);
  if (which == 1) return sn_vectorized_map(c, sine, NULL, &scalar, 1, out, 2);
  if (which == 2) return sn_vectorized_map(c, sine, NULL, in, 1, out, 2, .in_axes = (int[]){2});
  if (which == 3)
    return sn_vectorized_map(c, sine, NULL, in, 1, out, 2, .in_axes = (int[]){SN_UNBATCHED});
  if (which == 4) return sn_vectorized_map(c, NULL, NULL, in, 1, out, 1);
  if (which == 5) return sn_vectorized_map(c, nothing, &none, in, 1, out, 1);
  if (which == 6) return sn_vectorized_map(c, deep, NULL, in, 1, out, 1);
  if (which == 7) return sn_vectorized_map(c, sine, NULL, in, 1, out, 2, .length = 4);
  return sn_vectorized_map(c, sine, NULL, in, -1, out, 2);
}

START_TEST(mistakes_are_refused) {
  static const struct {
    sn_status status;
    const char *words;
  } expected[] = {
      {SN_ERR_SHAPE,
       "sn_vectorized_map: xs[1] is f64[5,2], expected 3 examples as in xs[0] f64[3,4]"},
      {SN_ERR_SHAPE, "sn_vectorized_map: xs[0] is f64[], which has no axis 0"},
      {SN_ERR_SHAPE, "sn_vectorized_map: xs[0] is f64[3,4], which has no axis 2"},
      {SN_ERR_ARGUMENT, "sn_vectorized_map: no x has examples: it needs a .length"},
      {SN_ERR_ARGUMENT, "sn_vectorized_map: the body is NULL"},
      {SN_ERR_CALLBACK, "the body of sn_vectorized_map"},
      {SN_ERR_SHAPE, "f64[4,1,1,1,1,1,1,1] has rank 8, which leaves no axis for the examples"},
      {SN_ERR_SHAPE, "sn_vectorized_map: xs[0] is f64[3,4], expected 4 examples (.length)"},
      {SN_ERR_ARGUMENT, "sn_vectorized_map: a count is negative"}};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  for (int i = 0; i < (int)(sizeof(expected) / sizeof(*expected)); i++)
    for (int traced = 0; traced < 2; traced++) {
      mistake m = {i};
      sn_tensor *x = make_inputs(c), *y[2];
      sn_function *f = sn_function_create(c, make_mistake, .user = &m, .inputs = 1, .outputs = 2);
      const sn_status status = traced ? sn_call(f, &x, 1, y, 2) : make_mistake(c, &x, y, &m);
      ck_assert_msg(status == expected[i].status &&
                        strstr(sn_error_message(c), expected[i].words) &&
                        strstr(sn_error_message(c), "test_vectorized_control.c:"),
                    "%d: %s", i, sn_error_message(c));
      ck_assert(traced || (sn_failed(y[0]) && sn_check(c) == status));
      sn_function_destroy(f);
    }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("vectorized_control");
  TCase *tcase = tcase_create("vectorized_control");
  tcase_add_loop_test(tcase, control_flow_is_a_loop_over_examples, 0, 2 * n_cases);
  tcase_add_loop_test(tcase, gradients_are_those_of_a_loop, 0, n_cases);
  tcase_add_test(tcase, tapes_record_maps);
  tcase_add_test(tcase, forward_mode_is_reverse_mode_transposed);
  tcase_add_test(tcase, variables_are_assigned_for_all);
  tcase_add_test(tcase, axes_are_where_they_are_said_to_be);
  tcase_add_test(tcase, sizes_may_be_any);
  tcase_add_test(tcase, one_function_for_all_sizes);
  tcase_add_test(tcase, mistakes_are_refused);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
