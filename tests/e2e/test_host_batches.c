// Functions of the host's under sn_vectorized_map and sn_jacobian, by a rule of the host's for all examples or by one call after the
// other; their order where they have effects; and attributes of ops that the host defines. In eager mode, by the interpreter and by native code.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

enum { INTERPRETED, NATIVE, EAGER, MODES };

static sn_context *open_context(int mode) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .backend = mode == NATIVE ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER,
                        .threads = 1, .plugin_path = SINTER_PLUGIN_PATH),
      SN_OK);
  return c;
}

static void must(sn_context *c, sn_status status) {
  ck_assert_msg(!status, "%s: %s", sn_status_name(status), sn_error_message(c));
}

// The body as a function, in one of the modes.
static sn_status run(int mode, sn_context *c, sn_callback body, void *user, sn_tensor *const *in,
                     int n_in, sn_tensor **out, int n_out) {
  if (mode == EAGER) return body(c, in, out, user);
  sn_function *f = sn_function_create(c, body, .user = user, .inputs = n_in, .outputs = n_out);
  const sn_status status = sn_call(f, in, n_in, out, n_out);
  sn_function_destroy(f);
  return status;
}

static void check_numbers(sn_tensor *t, const float *expected, int64_t n) {
  const void *data = NULL;
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  int64_t size = 1;
  for (int d = 0; d < sn_rank(t); d++) size *= sn_dim(t, d);
  ck_assert_int_eq(size, n);
  for (int64_t i = 0; i < n; i++) ck_assert_float_eq(((const float *)data)[i], expected[i]);
}

// ---- z = x^2 y, rows of two: of one example, and of a batch
typedef struct notes {
  int ones, batches;
  char batched[8];  // of the last batch: which operands have examples
  int64_t examples;
  char text[200];
  sn_status status;
} notes;

static void square_times(const float *x, const float *y, float *z) {
  for (int i = 0; i < 2; i++) z[i] = x[i] * x[i] * y[i];
}

static sn_status one(const sn_host_args *a) {
  notes *n = a->user;
  ck_assert_ptr_null(a->batched);
  ck_assert_int_eq(a->in[0].shape.rank, 1);
  square_times(a->in[0].data, a->in[1].data, a->out[0].data);
  n->ones++;
  return SN_OK;
}

static sn_status batch(const sn_host_args *a) {
  notes *n = a->user;
  ck_assert_ptr_nonnull(a->batched);
  n->examples = a->out[0].shape.dims[0];
  ck_assert_int_eq(a->out[0].shape.rank, 2);
  for (int k = 0; k < 2; k++) {
    n->batched[k] = a->batched[k] ? 'b' : '-';
    ck_assert_int_eq(a->in[k].shape.rank, 1 + a->batched[k]);
    if (a->batched[k]) ck_assert_int_eq(a->in[k].shape.dims[0], n->examples);
  }
  const float *x = a->in[0].data, *y = a->in[1].data;
  for (int64_t i = 0; i < n->examples; i++)
    square_times(x + (a->batched[0] ? 2 * i : 0), y + (a->batched[1] ? 2 * i : 0),
                 (float *)a->out[0].data + 2 * i);
  n->batches++;
  if (n->status) snprintf(a->message, a->message_size, "no batch of %d", (int)n->examples);
  return n->status;
}

BODY(back) {  // dx = 2 x y dz, dy = x^2 dz
  out[0] = sn_mul(sn_mul(sn_mul(in[0], in[1]), 2), in[3]);
  out[1] = sn_mul(sn_square(in[0]), in[3]);
  END;
}

BODY(call_with_rule) {
  sn_host_call(c, one, SN_ARGS(in[0], in[1]), out, 1, .vmap = batch, .vjp = back, .user = user,
               .pure = true, .name = "square_times");
  END;
}
BODY(call_without) {
  sn_host_call(c, one, SN_ARGS(in[0], in[1]), out, 1, .vjp = back, .user = user, .pure = true);
  END;
}
static const sn_callback calls[] = {call_with_rule, call_without};

typedef struct request {
  sn_callback body;
  notes *notes;
  int axes[2];
} request;

BODY(map) {
  const request *r = user;
  sn_vectorized_map(c, r->body, r->notes, in, 2, out, 1, .in_axes = r->axes);
  END;
}

static const float xs[6] = {1, -2, 3, 0.5f, 7, 4}, ys[6] = {2, 3, 5, 8, -1, 1};

START_TEST(one_call_for_all_examples) {
  const int mode = _i % MODES, way = _i / MODES;
  sn_context *c = open_context(mode);
  static const struct {
    int axes[2];
    const char *batched;
  } cases[] = {{{0, 0}, "bb"}, {{0, SN_UNBATCHED}, "b-"}, {{SN_UNBATCHED, 0}, "-b"}};
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3, 2), xs),
            *y = sn_constant(c, SN_F32, SN_SHAPE(3, 2), ys);
  for (int k = 0; k < 3; k++) {
    notes n = {.ones = 0};
    request r = {calls[way], &n, {cases[k].axes[0], cases[k].axes[1]}};
    sn_tensor *z, *in[2] = {r.axes[0] ? sn_index(x, 0, 1) : x, r.axes[1] ? sn_index(y, 0, 1) : y};
    float expected[6];
    for (int i = 0; i < 3; i++)
      square_times(xs + 2 * (r.axes[0] ? 1 : i), ys + 2 * (r.axes[1] ? 1 : i), expected + 2 * i);
    must(c, run(mode, c, map, &r, in, 2, &z, 1));
    check_numbers(z, expected, 6);
    ck_assert_int_eq(n.batches, way == 0);
    ck_assert_int_eq(n.ones, way == 0 ? 0 : 3);
    if (way == 0) ck_assert_str_eq(n.batched, cases[k].batched);
  }
  sn_context_destroy(c);
}
END_TEST

// Maps in maps: all pairs of examples are one axis. x has examples of the outer map, y of the inner one.
BODY(inner_map) {
  sn_vectorized_map(c, call_with_rule, user, in, 2, out, 1,
                    .in_axes = ((const int[]){SN_UNBATCHED, 0}));
  END;
}
BODY(outer_map) {
  sn_vectorized_map(c, inner_map, user, in, 2, out, 1, .in_axes = ((const int[]){0, SN_UNBATCHED}));
  END;
}
BODY(both_maps) {
  sn_vectorized_map(c, call_with_rule, user, in, 2, out, 1);
  END;
}
BODY(maps_of_rows) {
  sn_vectorized_map(c, both_maps, user, in, 2, out, 1, .in_axes = ((const int[]){0, SN_UNBATCHED}));
  END;
}

START_TEST(maps_in_maps) {
  sn_context *c = open_context(_i);
  notes n = {.ones = 0};
  float expected[24];
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(2, 2), xs),
            *y = sn_constant(c, SN_F32, SN_SHAPE(3, 2), ys), *z;
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < 3; k++) square_times(xs + 2 * i, ys + 2 * k, expected + 6 * i + 2 * k);
  must(c, run(_i, c, outer_map, &n, (sn_tensor *[]){x, y}, 2, &z, 1));
  ck_assert_int_eq(sn_dim(z, 0), 2);
  ck_assert_int_eq(sn_dim(z, 1), 3);
  check_numbers(z, expected, 12);
  ck_assert_int_eq(n.batches, 1);
  ck_assert_int_eq(n.ones, 0);
  ck_assert_int_eq(n.examples, 6);
  ck_assert_str_eq(n.batched, "bb");
  // operands of both axes, and of the inner one
  sn_tensor *all = sn_stack((sn_tensor *[]){y, sn_add(y, 1)}, 2, 0);
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < 3; k++)
      square_times((float[]){ys[2 * k] + (float)i, ys[2 * k + 1] + (float)i}, ys + 2 * k,
                   expected + 6 * i + 2 * k);
  must(c, run(_i, c, maps_of_rows, &n, (sn_tensor *[]){all, y}, 2, &z, 1));
  check_numbers(z, expected, 12);
  ck_assert_int_eq(n.batches, 2);
  sn_context_destroy(c);
}
END_TEST

// ---- derivatives
BODY(map_and_gradients) {
  sn_tensor *z;
  sn_vectorized_map(c, call_with_rule, user, in, 2, &z, 1);
  sn_gradients(sn_sum(z), in, 2, out);
  END;
}
BODY(jacobian) {
  sn_tensor *z;
  sn_host_call(c, one, SN_ARGS(in[0], in[1]), &z, 1, .vjp = back, .user = user, .pure = true);
  sn_jacobian(z, in, 2, out);
  END;
}

START_TEST(derivatives) {
  sn_context *c = open_context(_i);
  notes n = {.ones = 0};
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3, 2), xs),
            *y = sn_constant(c, SN_F32, SN_SHAPE(3, 2), ys), *g[2], *in[2] = {x, y};
  float dx[6], dy[6];
  for (int i = 0; i < 6; i++) dx[i] = 2 * xs[i] * ys[i], dy[i] = xs[i] * xs[i];
  sn_function *f = sn_function_create(c, map_and_gradients, .user = &n, .inputs = 2, .outputs = 2);
  must(c, _i == EAGER ? sn_call_eager(f, in, 2, g, 2) : sn_call(f, in, 2, g, 2));
  check_numbers(g[0], dx, 6);
  check_numbers(g[1], dy, 6);
  ck_assert_int_eq(n.ones, 0);
  sn_function_destroy(f);
  f = sn_function_create(c, jacobian, .user = &n, .inputs = 2, .outputs = 2);
  in[0] = sn_index(x, 0, 0);
  in[1] = sn_index(y, 0, 0);
  must(c, _i == EAGER ? sn_call_eager(f, in, 2, g, 2) : sn_call(f, in, 2, g, 2));
  check_numbers(g[0], (const float[]){dx[0], 0, 0, dx[1]}, 4);
  check_numbers(g[1], (const float[]){dy[0], 0, 0, dy[1]}, 4);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- effects: in the order of the examples, or one for all
static sn_status say(const sn_host_args *a) {
  notes *n = a->user;
  const size_t at = strlen(n->text);
  snprintf(n->text + at, sizeof(n->text) - at, "%g ", (double)*(const float *)a->in[0].data);
  *(float *)a->out[0].data = (float)strlen(n->text);
  return SN_OK;
}
static sn_status say_all(const sn_host_args *a) {
  notes *n = a->user;
  const int64_t count = a->in[0].shape.dims[0];
  const float *x = a->in[0].data;
  size_t at = strlen(n->text);
  at += (size_t)snprintf(n->text + at, sizeof(n->text) - at, "[ ");
  for (int64_t i = 0; i < count; i++) {
    at += (size_t)snprintf(n->text + at, sizeof(n->text) - at, "%g ", (double)x[i]);
    ((float *)a->out[0].data)[i] = (float)at;
  }
  snprintf(n->text + at, sizeof(n->text) - at, "] ");
  return SN_OK;
}
BODY(say_each) {
  sn_tensor *t;
  sn_host_call(c, say, SN_ARGS(in[0]), &t, 1, .user = user);
  sn_host_call(c, say, SN_ARGS(sn_add(in[0], 10)), out, 1, .user = user);
  END;
}
BODY(say_together) {
  sn_tensor *t;
  sn_host_call(c, say, SN_ARGS(in[0]), &t, 1, .user = user, .vmap = say_all);
  sn_host_call(c, say, SN_ARGS(sn_scalar_f32(c, 99)), &t, 1, .user = user, .vmap = say_all);
  sn_host_call(c, say, SN_ARGS(sn_add(in[0], 10)), out, 1, .user = user, .vmap = say_all);
  END;
}
BODY(step_say) {
  sn_tensor *t;
  sn_host_call(c, say, SN_ARGS(in[1]), &t, 1, .user = user);
  out[0] = sn_add(in[1], 1);
  END;
}
BODY(map_loop) {
  sn_fori_loop(c, 0, 2, step_say, user, in, 1, out, 1);
  END;
}
BODY(speak) {
  const request *r = user;
  sn_vectorized_map(c, r->body, r->notes, in, 1, out, 1);
  sn_tensor *t;
  sn_host_call(c, say, SN_ARGS(sn_scalar_f32(c, -1)), &t, 1, .user = r->notes);
  END;
}

START_TEST(effects_keep_their_order) {
  sn_context *c = open_context(_i);
  const float x[3] = {1, 2, 3};
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(3), x), *out;
  static const struct {
    sn_callback body;
    const char *text;
  } cases[] = {{say_each, "1 2 3 11 12 13 -1 "},
               {say_together, "[ 1 2 3 ] 99 [ 11 12 13 ] -1 "},
               {map_loop, "1 2 3 2 3 4 -1 "}};
  for (int k = 0; k < 3; k++) {
    notes n = {.ones = 0};
    request r = {cases[k].body, &n, {0, 0}};
    must(c, run(_i, c, speak, &r, &in, 1, &out, 1));
    ck_assert_str_eq(n.text, cases[k].text);
  }
  sn_context_destroy(c);
}
END_TEST

BODY(nothing) {
  out[0] = in[0];
  END;
}
BODY(say_if) {
  sn_cond(c, sn_less(in[0], 2), map_loop, nothing, user, in, 1, out, 1);
  END;
}

// ---- what is refused
START_TEST(what_is_refused) {
  sn_context *c = open_context(_i);
  const float x[3] = {1, 2, 3};
  notes n = {.ones = 0};
  request r = {say_if, &n, {0, 0}};
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(3), x), *out;
  ck_assert_int_eq(run(_i, c, speak, &r, &in, 1, &out, 1), SN_ERR_STATE);
  ck_assert_msg(
      strstr(sn_error_message(c),
             "sn_vectorized_map: the body calls a function of the host's that has effects "
             "in a branch or loop that each example takes for itself"),
      "%s", sn_error_message(c));
  ck_assert_msg(strstr(sn_error_message(c), "test_host_batches.c:"), "%s", sn_error_message(c));
  ck_assert_str_eq(n.text, "");
  ck_assert_int_eq(sn_check(c), _i == EAGER ? SN_ERR_STATE : SN_OK);
  n.status = SN_ERR_FILE;
  sn_tensor *two[2] = {sn_constant(c, SN_F32, SN_SHAPE(3, 2), xs),
                       sn_constant(c, SN_F32, SN_SHAPE(3, 2), ys)};
  r = (request){call_with_rule, &n, {0, 0}};
  ck_assert_int_eq(run(_i, c, map, &r, two, 2, &out, 1), SN_ERR_FILE);
  ck_assert_msg(
      strstr(sn_error_message(c), "square_times: no batch of 3 (operands f32[3,2], f32[3,2])"),
      "%s", sn_error_message(c));
  sn_context_destroy(c);
}
END_TEST

// ---- attributes: y = rate x^power
static sn_status power(const sn_host_args *a) {
  ck_assert_int_eq(a->n_attrs, 2);
  ck_assert_str_eq(a->attrs[0].name, "power");
  const float *x = a->in[0].data;
  for (int64_t i = 0; i < a->out[0].shape.dims[0]; i++) {
    double y = a->attrs[1].real;
    for (int64_t k = 0; k < a->attrs[0].integer; k++) y *= (double)x[i];
    ((float *)a->out[0].data)[i] = (float)y;
  }
  return SN_OK;
}
static sn_status power_shapes(const sn_infer_args *a) {
  ck_assert_int_eq(a->n_attrs, 2);
  if (a->attrs[0].integer < 0) {
    snprintf(a->message, a->message_size, "power is %d", (int)a->attrs[0].integer);
    return SN_ERR_ARGUMENT;
  }
  a->out[0] = a->in[0];
  return SN_OK;
}
static sn_op *op_of(sn_context *c, const char *name) {
  return sn_op_defined(c, name);
}
BODY(power_back) {  // the same op of one power less
  const sn_attr *attrs = sn_op_attrs(c);
  out[0] = NULL;
  if (!attrs[0].integer) return SN_OK;
  const sn_attr given[2] = {sn_attr_i64("power", attrs[0].integer - 1),
                            sn_attr_f64("rate", attrs[1].real * (double)attrs[0].integer)};
  sn_tensor *slope;
  sn_op_call_with(c, op_of(c, "power"), SN_ARGS(in[0]), &slope, 1, given, 2);
  ck_assert_int_eq(sn_op_attrs(c)[0].integer, attrs[0].integer);
  out[0] = sn_mul(slope, in[2]);
  END;
}
BODY(compose_power) {
  const sn_attr *attrs = sn_op_attrs(c);
  out[0] = sn_mul(sn_pow(in[0], sn_scalar_f32(c, (float)attrs[0].integer)), attrs[1].real);
  END;
}

static void define_power(sn_context *c) {
  const sn_attr attrs[2] = {sn_attr_i64("power", 2), sn_attr_f64("rate", 1)};
  sn_op *op;
  must(c, sn_op_define(c, &op, .name = "power", .n_in = 1, .n_out = 1, .host = power,
                       .infer = power_shapes, .vjp = power_back, .pure = true, .attrs = attrs,
                       .n_attrs = 2));
  must(c, sn_op_define(c, &op, .name = "composed_power", .n_in = 1, .n_out = 1,
                       .compose = compose_power, .attrs = attrs, .n_attrs = 2));
}

BODY(powers) {
  const char *name = user;
  sn_op *op = op_of(c, name);
  const sn_attr cube = sn_attr_i64("power", 3), half = sn_attr_f64("rate", 0.5);
  sn_tensor *again, *first, *second;
  sn_op_call(c, op, SN_ARGS(in[0]), &out[0], 1);
  sn_op_call_with(c, op, SN_ARGS(in[0]), &out[1], 1, &cube, 1);
  sn_op_call_with(c, op, SN_ARGS(in[0]), &out[2], 1, (sn_attr[]){half, cube}, 2);
  sn_op_call_with(c, op, SN_ARGS(in[0]), &again, 1, &cube, 1);  // is out[1]
  sn_gradients(sn_sum(again), in, 1, &first);
  sn_gradients(sn_sum(first), in, 1, &second);
  out[3] = first;
  out[4] = second;
  ck_assert_ptr_null(sn_op_attrs(c));
  END;
}

START_TEST(attributes) {
  sn_context *c = open_context(_i % MODES);
  char name[16];
  snprintf(name, sizeof(name), "%s", _i < MODES ? "power" : "composed_power");
  define_power(c);
  sn_function *f = sn_function_create(c, powers, .user = name, .inputs = 1, .outputs = 5);
  const float x[3] = {1, -2, 0.5f};
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(3), x), *out[5];
  must(c, _i % MODES == EAGER ? sn_call_eager(f, &in, 1, out, 5) : sn_call(f, &in, 1, out, 5));
  for (int i = 0; i < 3; i++) {
    const float expected[5] = {x[i] * x[i], x[i] * x[i] * x[i], x[i] * x[i] * x[i] / 2,
                               3 * x[i] * x[i], 6 * x[i]};
    for (int k = 0; k < 5; k++) {
      const void *data;
      ck_assert_int_eq(sn_data(out[k], &data), SN_OK);
      ck_assert_float_eq_tol(((const float *)data)[i], expected[k], 1e-5f);
    }
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// A dump names the values, and is read again where the op is defined with such attributes.
START_TEST(texts_have_them) {
  sn_context *c = open_context(INTERPRETED), *other = open_context(INTERPRETED);
  char name[] = "power", *text, *again;
  sn_program *p, *q;
  define_power(c);
  sn_function *f = sn_function_create(c, powers, .user = name, .inputs = 1, .outputs = 5);
  must(c, sn_function_compile(f, &(sn_spec){SN_F32, SN_SHAPE(3)}, 1, &p));
  ck_assert_int_eq(sn_program_count_ops(p, "power"), 6);  // of powers 2, 3, 3 by half, 3, 2, 1
  must(c, sn_program_dump(c, p, SN_STAGE_GRAPH, &again));
  int count = 0;
  for (const char *at = again; (at = strstr(at, "\"power(")) != NULL; at++) count++;
  ck_assert_int_eq(count, 5);  // equal ones are one
  sn_text_free(c, again);
  must(c, sn_program_dump(c, p, SN_STAGE_TRACE, &text));
  ck_assert_msg(strstr(text, "\"power(power=3, rate=0.5)\"") != NULL, "%s", text);
  must(c, sn_program_from_text(c, text, strlen(text), &q));
  must(c, sn_program_dump(c, q, SN_STAGE_TRACE, &again));
  ck_assert_str_eq(text, again);
  sn_op *op;
  const sn_attr one_attr = sn_attr_i64("power", 2);
  must(other, sn_op_define(other, &op, .name = "power", .n_in = 1, .n_out = 1, .host = power,
                           .pure = true, .attrs = &one_attr, .n_attrs = 1));
  sn_program *none;
  ck_assert_int_eq(sn_program_from_text(other, text, strlen(text), &none), SN_ERR_ARGUMENT);
  ck_assert_msg(strstr(sn_error_message(other), "attributes of \"power\" are not those"), "%s",
                sn_error_message(other));
  sn_text_free(c, text);
  sn_text_free(c, again);
  sn_program_release(p);
  sn_program_release(q);
  sn_function_destroy(f);
  sn_context_destroy(other);
  sn_context_destroy(c);
}
END_TEST

static void refused(sn_context *c, sn_status expected, const char *message) {
  const sn_status status = sn_check(c);
  ck_assert_msg(status == expected && strstr(sn_error_message(c), message), "%s: %s\nnot: %s",
                sn_status_name(status), sn_error_message(c), message);
}

static void must_not_define(sn_context *c, sn_status status, const char *message) {
  ck_assert_msg(status == SN_ERR_ARGUMENT && strstr(sn_error_message(c), message), "%s: %s",
                sn_status_name(status), sn_error_message(c));
}

START_TEST(attributes_that_are_none) {
  sn_context *c = open_context(EAGER);
  sn_op *op;
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(3)), *y;
  define_power(c);
  const sn_attr none = sn_attr_i64("steps", 2), wrong = sn_attr_f64("power", 2),
                low = sn_attr_i64("power", -2), nameless = sn_attr_i64(NULL, 2),
                half = {"x", SN_F16, 0, 0}, twice[2] = {low, low};
#define CALL(attrs, n) sn_op_call_with(c, op_of(c, "power"), SN_ARGS(x), &y, 1, attrs, n)
  CALL(&none, 1);
  refused(c, SN_ERR_ARGUMENT, "power: has no attribute \"steps\"");
  CALL(&nameless, 1);
  refused(c, SN_ERR_ARGUMENT, "power: has no attribute \"\"");
  CALL(&wrong, 1);
  refused(c, SN_ERR_ARGUMENT, "power: attribute \"power\" is i64, given as f64");
  CALL(twice, 2);
  refused(c, SN_ERR_ARGUMENT, "power: attribute \"power\" is given twice");
  CALL(NULL, 1);
  refused(c, SN_ERR_ARGUMENT, "power: 1 attributes are given, or they are NULL");
  CALL(&low, 1);
  refused(c, SN_ERR_ARGUMENT, "power: power is -2 (operands f32[3])");
#define DEFINE(...) \
  sn_op_define(c, &op, .name = "q", .n_in = 1, .n_out = 1, .host = power, __VA_ARGS__)
  must_not_define(c, DEFINE(.n_attrs = 1), "or .attrs is NULL");
  must_not_define(c, DEFINE(.attrs = &none, .n_attrs = 17), "more than 16");
  must_not_define(c, DEFINE(.attrs = &nameless, .n_attrs = 1), "the name of an attribute");
  must_not_define(c, DEFINE(.attrs = &half, .n_attrs = 1), "neither i64 nor f64");
  must_not_define(c, DEFINE(.attrs = twice, .n_attrs = 2), "two attributes have one name");
  must_not_define(c,
                  sn_op_define(c, &op, .name = "q", .n_in = 1, .n_out = 1, .compose = compose_power,
                               .vmap = power),
                  "it has .vmap but no .host");
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("host_batches");
  TCase *tests = tcase_create("host_batches");
  tcase_add_loop_test(tests, one_call_for_all_examples, 0, 2 * MODES);
  tcase_add_loop_test(tests, maps_in_maps, 0, MODES);
  tcase_add_loop_test(tests, derivatives, 0, MODES);
  tcase_add_loop_test(tests, effects_keep_their_order, 0, MODES);
  tcase_add_loop_test(tests, what_is_refused, 0, MODES);
  tcase_add_loop_test(tests, attributes, 0, 2 * MODES);
  tcase_add_test(tests, texts_have_them);
  tcase_add_test(tests, attributes_that_are_none);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
