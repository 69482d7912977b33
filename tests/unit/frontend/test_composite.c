// Structs of tensors: as arguments and results of functions in every mode, in gradients, branches and loops; what
// their descriptions refuse; how messages name fields.
#include "frontend_fixture.h"

typedef enum activation { LINEAR, SQUARED } activation;
typedef struct layer {
  sn_tensor *w, *b;
  activation kind;
} layer;
typedef struct model {
  int not_described;
  layer layers[2];
  sn_tensor *scale;  // optional
  int64_t steps;
  double rate;
  bool doubled;
  const char *label;
  sn_tensor *extra[2];
} model;
typedef struct request {
  model m;
  sn_tensor *x;
} request;
typedef struct reply {
  sn_tensor *y, *maybe;
  int64_t steps;
  double rate;
  bool doubled;
  const char *label;
  int kinds[2];
} reply;

SN_COMPOSITE(layer_type, layer, SN_FIELD(layer, w), SN_FIELD(layer, b), SN_FIELD(layer, kind));
SN_COMPOSITE(model_type, model, SN_NESTED(model, layers, layer_type), SN_FIELD(model, scale),
             SN_FIELD(model, steps), SN_FIELD(model, rate), SN_FIELD(model, doubled),
             SN_FIELD(model, label), SN_FIELD(model, extra));
SN_COMPOSITE(request_type, request, SN_NESTED(request, m, model_type), SN_FIELD(request, x));
SN_COMPOSITE(reply_type, reply, SN_FIELD(reply, y), SN_FIELD(reply, maybe), SN_FIELD(reply, steps),
             SN_FIELD(reply, rate), SN_FIELD(reply, doubled), SN_FIELD(reply, label),
             SN_FIELD(reply, kinds));

static int runs;

static sn_tensor *apply(const model *m, sn_tensor *x) {
  for (int i = 0; i < 2; i++) {
    const layer *l = &m->layers[i];
    x = sn_add(sn_mul(x, l->w), l->b);
    if (l->kind == SQUARED) x = sn_square(x);
  }
  if (m->scale) x = sn_mul(x, m->scale);
  for (int64_t i = 0; i < m->steps; i++) x = sn_mul(x, m->rate);
  return m->doubled ? sn_add(x, x) : x;
}

static sn_status answer(sn_context *context, const void *in, void *out, void *user) {
  const request *r = in;
  reply *a = out;
  ck_assert_int_eq(r->m.not_described, 0);
  ck_assert(!a->y && !a->maybe && !a->label);
  runs++;
  a->y = apply(&r->m, r->x);
  if (r->m.extra[1]) a->maybe = sn_neg(r->m.extra[1]);
  a->steps = r->m.steps + 1;
  a->rate = r->m.rate;
  a->doubled = !r->m.doubled;
  a->label = r->m.label ? "named" : NULL;
  for (int i = 0; i < 2; i++) a->kinds[i] = (int)r->m.layers[i].kind;
  (void)user;
  return sn_pending_error(context);
}

static request make_request(void) {
  request r = {0};
  r.m.not_described = 77;
  for (int i = 0; i < 2; i++)
    r.m.layers[i] =
        (layer){F64(SN_SHAPE(2), 1 + i, 2), F64(SN_SHAPE(2), 0.5, -i), i ? SQUARED : LINEAR};
  r.m.rate = 0.5;
  r.m.label = "first";
  r.x = F64(SN_SHAPE(2), 3, -1);
  return r;
}

typedef sn_status (*call_mode)(sn_function *f, const sn_composite *in_type, const void *in,
                               const sn_composite *out_type, void *out, const char *file, int line);
static const call_mode modes[2] = {sn_call_struct_at, sn_call_struct_eager_at};

static reply ask(sn_function *f, const request *r, int mode) {
  reply a;
  memset(&a, 0x5a, sizeof(a));  // each described field is set
  const sn_status status =
      modes[mode](f, SN_STRUCT(request_type, r), SN_STRUCT(reply_type, &a), __FILE__, __LINE__);
  ck_assert_msg(!status, "%s", sn_error_message(ctx));
  return a;
}

// ---- functions
START_TEST(test_calls_in_both_modes) {
  sn_function *f = sn_struct_function(ctx, answer, &request_type, &reply_type, .name = "answer");
  request r = make_request();
  for (int mode = 0; mode < 2; mode++)
    for (int round = 0; round < 2; round++) {
      reply a = ask(f, &r, mode);
      EXPECT(a.y, SN_SHAPE(2), 56.25, 25);  // ((3 + .5) 2 + .5)^2, (-2 2 - 1)^2
      ck_assert_ptr_null(a.maybe);
      ck_assert(a.steps == 1 && a.rate == 0.5 && a.doubled && a.kinds[0] == LINEAR &&
                a.kinds[1] == SQUARED);
      ck_assert_str_eq(a.label, "named");
    }
  sn_function_destroy(f);
}
END_TEST

static uint64_t traces_of(const sn_function *f) {
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  return stats.traces;
}

// Each change of what is static, or of what is there, is one more trace, whose reason names the field.
START_TEST(test_structure_is_part_of_the_signature) {
  sn_function *f = sn_struct_function(ctx, answer, &request_type, &reply_type);
  request r = make_request();
  char copy[8] = "first";
  (void)ask(f, &r, 0);
  r.m.label = copy;  // the same characters
  (void)ask(f, &r, 0);
  ck_assert_uint_eq(traces_of(f), 1);
  static const char *const reasons[] = {
      "input 7 \"m.steps\": static value was 0, is 3",
      "input 8 \"m.rate\": static value was 0.5, is 0.25",
      "input 9 \"m.doubled\": static value was false, is true",
      "input 10 \"m.label\": static value was \"first\", is \"other\"",
      "input 10 \"m.label\": was static \"other\", is absent",
      "input 5 \"m.layers[1].kind\": static value was 1, is 0",
      "input 6 \"m.scale\": was absent, is f64[]",
      "input 12 \"m.extra[1]\": was absent, is f32[1]",
      "input 12 \"m.extra[1]\": dtype was f32, is i32",
  };
  for (int i = 0; i < 9; i++) {
    if (i == 0) r.m.steps = 3;
    if (i == 1) r.m.rate = 0.25;
    if (i == 2) r.m.doubled = true;
    if (i == 3) r.m.label = "other";
    if (i == 4) r.m.label = NULL;
    if (i == 5) r.m.layers[1].kind = LINEAR;
    if (i == 6) r.m.scale = F64(SN_SCALAR, 2);
    if (i == 7) r.m.extra[1] = F32(SN_SHAPE(1), 5);
    if (i == 8) r.m.extra[1] = I32(SN_SHAPE(1), 5);
    for (int round = 0; round < 2; round++) {
      reply a = ask(f, &r, 0), b = ask(f, &r, 1);
      double wanted[2];
      read_doubles(b.y, wanted, 2);
      expect_values("y", a.y, SN_SHAPE(2), wanted, 0);
      ck_assert_int_eq(a.maybe != NULL, i >= 7);
      ck_assert_int_eq(b.maybe != NULL, i >= 7);
      if (i >= 7) EXPECT(a.maybe, SN_SHAPE(1), -5);
      ck_assert(a.steps == b.steps && a.rate == b.rate && a.doubled == b.doubled);
      ck_assert((a.label == NULL) == (r.m.label == NULL));
    }
    ck_assert_uint_eq(traces_of(f), (uint64_t)i + 2);
    ck_assert_str_eq(sn_function_trace_reason(f, i + 1), reasons[i]);
  }
  sn_function_destroy(f);
}
END_TEST

// A function of structs called in another one's trace is inlined; static values of its results are known there.
static sn_status outer(sn_context *context, const void *in, void *out, void *user) {
  reply a, *result = out;
  if (sn_call_struct((sn_function *)user, SN_STRUCT(request_type, (const request *)in),
                     SN_STRUCT(reply_type, &a)))
    return SN_ERR_CALLBACK;
  *result = a;
  for (int64_t i = 0; i < a.steps; i++) result->y = sn_add(result->y, 1.0);
  return sn_pending_error(context);
}
START_TEST(test_calls_nest) {
  sn_function *inner = sn_struct_function(ctx, answer, &request_type, &reply_type);
  sn_function *f = sn_struct_function(ctx, outer, &request_type, &reply_type, .user = inner);
  request r = make_request();
  for (int mode = 0; mode < 2; mode++) {
    reply a = ask(f, &r, mode);
    EXPECT(a.y, SN_SHAPE(2), 57.25, 26);
    ck_assert_str_eq(a.label, "named");
  }
  sn_function_destroy(f);
  sn_function_destroy(inner);
}
END_TEST

typedef struct counter {
  sn_tensor *value;
  const char *unused;
} counter;
SN_COMPOSITE(counter_type, counter, SN_FIELD(counter, value));

static sn_status increment(sn_context *context, const void *in, void *out, void *user) {
  const counter *c = in;
  ((counter *)out)->value = sn_assign_add(c->value, sn_scalar_like(c->value, 1));
  (void)user;
  return sn_pending_error(context);
}

// F12, inside a struct; the variable is a resource of the program.
START_TEST(test_a_variable_inside_a_struct) {
  sn_function *f = sn_struct_function(ctx, increment, &counter_type, &counter_type);
  counter c = {.value = sn_variable(sn_scalar_i32(ctx, 0), .name = "counter")}, last;
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(counter_type, &c), SN_STRUCT(counter_type, &last)),
                     SN_OK);
  ck_assert_double_eq(item(last.value), 2);
  ck_assert_double_eq(item(c.value), 2);
  sn_program *program;
  char *text;
  ck_assert_int_eq(sn_function_compile_struct(f, SN_STRUCT(counter_type, &c), &program), SN_OK);
  ck_assert_int_eq(sn_program_dump(ctx, program, SN_STAGE_TRACE, &text), SN_OK);
  ck_assert_ptr_nonnull(strstr(text, "parameter variable 0 \"counter\" : i32[]"));
  sn_text_free(ctx, text);
  sn_program_release(program);
  ck_assert_uint_eq(traces_of(f), 1);
  sn_function_destroy(f);
  sn_release_struct(&counter_type, &c);
  ck_assert_ptr_null(c.value);
}
END_TEST

// A train step: gradients have the structure of the parameters, and are an output.
typedef struct step {
  model grads;
  sn_tensor *loss;
} step;
SN_COMPOSITE(step_type, step, SN_NESTED(step, grads, model_type), SN_FIELD(step, loss));

static sn_status differentiate(sn_context *context, const void *in, void *out, void *user) {
  const request *r = in;
  step *s = out;
  s->loss = sn_sum(apply(&r->m, r->x));
  sn_gradients_struct(s->loss, SN_STRUCT(model_type, &r->m), &s->grads, .unconnected = SN_NONE);
  (void)user;
  return sn_pending_error(context);
}

static void expect_grads(const step *s, const char *mode) {
  double w[2];
  ck_assert_msg(s->grads.layers[0].w != NULL, "%s", mode);
  // y = (2 (w0 x + b0) + .5)^2 at element 0: dy/dw0 = 2 * 7.5 * 2 * 3, dy/db1 = 2 * 7.5
  read_doubles(s->grads.layers[0].w, w, 2);
  ck_assert_msg(w[0] == 90, "%s: %g", mode, w[0]);
  read_doubles(s->grads.layers[1].b, w, 2);
  ck_assert_msg(w[0] == 15, "%s: %g", mode, w[0]);
  ck_assert_msg(!s->grads.scale && !s->grads.extra[0] && !s->grads.extra[1], "%s", mode);
  ck_assert_msg(s->grads.rate == 0.5 && s->grads.layers[1].kind == SQUARED, "%s", mode);
}

START_TEST(test_gradients) {
  sn_function *f = sn_struct_function(ctx, differentiate, &request_type, &step_type);
  request r = make_request();
  r.m.extra[1] = I32(SN_SHAPE(1), 1);  // no float: no gradient
  for (int mode = 0; mode < 2; mode++) {
    step s;
    ck_assert_msg(!modes[mode](f, SN_STRUCT(request_type, &r), SN_STRUCT(step_type, &s), "", 1),
                  "%s", sn_error_message(ctx));
    expect_grads(&s, mode ? "op by op" : "traced");
  }
  sn_function_destroy(f);
  step s = {0};
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch_struct(tape, SN_STRUCT(model_type, &r.m));
  s.loss = sn_sum(apply(&r.m, r.x));
  sn_tape_gradient_struct(tape, s.loss, SN_STRUCT(model_type, &r.m), &s.grads,
                          .unconnected = SN_NONE);
  sn_tape_end(tape);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  expect_grads(&s, "tape");
}
END_TEST

START_TEST(test_flattening) {
  request r = make_request(), copy = {0};
  sn_tensor *flat[8], *doubled[8];
  ck_assert_int_eq(sn_flatten(ctx, SN_STRUCT(request_type, &r), NULL, 0), 5);
  ck_assert_int_eq(sn_flatten(ctx, SN_STRUCT(request_type, &r), flat, 8), 5);
  ck_assert(flat[0] == r.m.layers[0].w && flat[3] == r.m.layers[1].b && flat[4] == r.x);
  for (int i = 0; i < 5; i++) doubled[i] = sn_add(flat[i], flat[i]);
  ck_assert_int_eq(sn_unflatten(ctx, SN_STRUCT(request_type, &r), doubled, 5, &copy), SN_OK);
  EXPECT(copy.m.layers[1].w, SN_SHAPE(2), 4, 4);
  EXPECT(copy.x, SN_SHAPE(2), 6, -2);
  ck_assert(copy.m.rate == 0.5 && !copy.m.scale && copy.m.not_described == 0);
  ck_assert_int_eq(sn_flatten(ctx, SN_STRUCT(request_type, &r), flat, 4), -1);
  expect_error(SN_ERR_ARGUMENT, "sn_flatten: struct \"request\" has 5 tensors, room for 4");
  ck_assert_int_ne(sn_unflatten(ctx, SN_STRUCT(request_type, &r), doubled, 4, &copy), SN_OK);
  expect_error(SN_ERR_ARGUMENT, "sn_unflatten: struct \"request\" has 5 tensors, given 4");
  layer kept;
  {
    SN_SCOPE(ctx);
    kept = (layer){sn_add(r.x, 1.0), NULL, LINEAR};
    sn_keep_struct(&layer_type, &kept);
  }
  EXPECT(kept.w, SN_SHAPE(2), 4, 0);
  sn_release_struct(&layer_type, &kept);
  ck_assert(!kept.w);
}
END_TEST

// ---- control flow
typedef struct state {
  sn_tensor *x, *unused, *n;
  int stride;
} state;
typedef struct row {
  sn_tensor *a, *b;
} row;
SN_COMPOSITE(state_type, state, SN_FIELD(state, x), SN_FIELD(state, unused), SN_FIELD(state, n),
             SN_FIELD(state, stride));
SN_COMPOSITE(row_type, row, SN_FIELD(row, a), SN_FIELD(row, b));

static sn_status goes_on(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  *(sn_tensor **)out = sn_less(s->n, 5.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status advance(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  state *next = out;
  *next = *s;
  next->x = sn_add(s->x, sn_mul(s->x, s->n));
  next->n = sn_add(s->n, (double)s->stride);
  (void)user;
  return sn_pending_error(context);
}
static sn_status accumulate(sn_context *context, const void *carry, const void *x, void *next,
                            void *y, void *user) {
  const state *s = carry;
  const row *r = x;
  state *n = next;
  row *made = y;
  *n = *s;
  n->x = sn_add(s->x, sn_mul(r->a, r->a));
  made->b = n->x;
  (void)user;
  return sn_pending_error(context);
}
static sn_status larger(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  row *r = out;
  r->a = sn_mul(s->x, 2.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status smaller(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  row *r = out;
  r->a = sn_neg(s->x);
  (void)user;
  return sn_pending_error(context);
}

typedef struct flow {
  sn_tensor *looped, *n, *last, *rows, *branch, *slope;
  sn_tensor *absent[4];
  int stride;
} flow;
SN_COMPOSITE(flow_type, flow, SN_FIELD(flow, looped), SN_FIELD(flow, n), SN_FIELD(flow, last),
             SN_FIELD(flow, rows), SN_FIELD(flow, branch), SN_FIELD(flow, slope),
             SN_FIELD(flow, absent), SN_FIELD(flow, stride));
typedef struct flow_input {
  state s;
  row xs;
} flow_input;
SN_COMPOSITE(flow_input_type, flow_input, SN_NESTED(flow_input, s, state_type),
             SN_NESTED(flow_input, xs, row_type));

static sn_status flows(sn_context *context, const void *in, void *out, void *user) {
  const flow_input *given = in;
  flow *f = out;
  state looped, last;
  row ys, branch;
  (void)user;
  sn_while_struct(context, goes_on, advance, NULL, SN_STRUCT(state_type, &given->s), &looped);
  sn_scan_struct(context, accumulate, NULL, SN_STRUCT(state_type, &given->s),
                 SN_STRUCT(row_type, &given->xs), &row_type, &last, &ys);
  sn_cond_struct(context, sn_greater(given->s.x, 2.0), larger, smaller, NULL,
                 SN_STRUCT(state_type, &last), SN_STRUCT(row_type, &branch));
  *f = (flow){.looped = looped.x,
              .n = looped.n,
              .last = last.x,
              .rows = ys.b,
              .branch = branch.a,
              .absent = {looped.unused, last.unused, ys.a, branch.b},
              .stride = looped.stride + last.stride};
  sn_tensor *all = sn_add(sn_add(looped.x, sn_sum(ys.b)), branch.a);
  sn_gradients(all, &given->s.x, 1, &f->slope);
  return sn_pending_error(context);
}

START_TEST(test_control_flow) {
  sn_function *f = sn_struct_function(ctx, flows, &flow_input_type, &flow_type);
  for (int mode = 0; mode < 2; mode++)
    for (int big = 0; big < 2; big++) {
      flow_input in = {.s = {.x = F64(SN_SCALAR, big ? 3 : 1), .n = F64(SN_SCALAR, 1), .stride = 2},
                       .xs = {.a = F64(SN_SHAPE(3), 1, 2, 3)}};
      const double x = big ? 3 : 1, by = big ? 2 : -1;
      flow o;
      const sn_status status =
          modes[mode](f, SN_STRUCT(flow_input_type, &in), SN_STRUCT(flow_type, &o), "", 1);
      ck_assert_msg(!status, "%d: %s", mode, sn_error_message(ctx));
      EXPECT(o.looped, SN_SCALAR, x * 2 * 4);  // n: 1, 3
      EXPECT(o.n, SN_SCALAR, 5);
      EXPECT(o.last, SN_SCALAR, x + 14);
      EXPECT(o.rows, SN_SHAPE(3), x + 1, x + 5, x + 14);
      EXPECT(o.branch, SN_SCALAR, by * (x + 14));
      EXPECT(o.slope, SN_SCALAR, 8 + 3 + by);
      for (int i = 0; i < 4; i++) ck_assert_ptr_null(o.absent[i]);
      ck_assert_int_eq(o.stride, 4);
    }
  ck_assert_uint_eq(traces_of(f), 1);
  sn_function_destroy(f);
}
END_TEST

// Loops of a known length, maps and checkpoints: the static field is there inside, an absent tensor stays absent.
static sn_status count_up(sn_context *context, sn_tensor *number, const void *carry, void *next,
                          void *user) {
  const state *s = carry;
  state *n = next;
  *n = *s;
  n->x = sn_add(s->x, sn_mul(sn_cast(number, SN_F64), (double)s->stride));
  (void)user;
  return sn_pending_error(context);
}
static sn_status scaled_row(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  row *r = out;
  ck_assert(!s->unused && sn_rank(s->x) == 0);
  r->a = sn_mul(sn_add(s->x, s->n), (double)s->stride);
  (void)user;
  return sn_pending_error(context);
}

static sn_status more_flows(sn_context *context, const void *in, void *out, void *user) {
  const flow_input *given = in;
  flow *f = out;
  state counted;
  row mapped, vectorized, one, again;
  const int axes[] = {0, SN_UNBATCHED};
  state rows = {.x = given->xs.a, .n = sn_mul(given->xs.a, 10.0), .stride = 3};
  state shared = {.x = given->xs.a, .n = given->s.n, .stride = 2};
  (void)user;
  sn_fori_struct(context, 1, 4, count_up, NULL, SN_STRUCT(state_type, &given->s), &counted);
  sn_map_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &rows),
                SN_STRUCT(row_type, &mapped));
  sn_vectorized_map_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &rows),
                           SN_STRUCT(row_type, &vectorized), NULL);
  sn_vectorized_map_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &shared),
                           SN_STRUCT(row_type, &again), axes);
  sn_checkpoint_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &given->s),
                       SN_STRUCT(row_type, &one));
  *f = (flow){.looped = counted.x,
              .n = one.a,
              .last = mapped.a,
              .rows = vectorized.a,
              .branch = again.a,
              .absent = {counted.unused, mapped.b, vectorized.b, one.b},
              .stride = counted.stride};
  sn_gradients(sn_mul(one.a, counted.x), &given->s.x, 1, &f->slope);
  return sn_pending_error(context);
}

START_TEST(test_more_control_flow) {
  sn_function *f = sn_struct_function(ctx, more_flows, &flow_input_type, &flow_type);
  for (int mode = 0; mode < 2; mode++) {
    flow_input in = {.s = {.x = F64(SN_SCALAR, 5), .n = F64(SN_SCALAR, 1), .stride = 2},
                     .xs = {.a = F64(SN_SHAPE(3), 1, 2, 3)}};
    flow o;
    const sn_status status =
        modes[mode](f, SN_STRUCT(flow_input_type, &in), SN_STRUCT(flow_type, &o), "", 1);
    ck_assert_msg(!status, "%d: %s", mode, sn_error_message(ctx));
    EXPECT(o.looped, SN_SCALAR, 5 + 2 * (1 + 2 + 3));
    EXPECT(o.n, SN_SCALAR, 12);
    EXPECT(o.last, SN_SHAPE(3), 33, 66, 99);
    EXPECT(o.rows, SN_SHAPE(3), 33, 66, 99);
    EXPECT(o.branch, SN_SHAPE(3), 4, 6, 8);
    EXPECT(o.slope, SN_SCALAR, 2 * 17 + 12);
    for (int i = 0; i < 4; i++) ck_assert_ptr_null(o.absent[i]);
    ck_assert_int_eq(o.stride, 2);
  }
  sn_function_destroy(f);
}
END_TEST

static sn_status another_stride(sn_context *context, sn_tensor *number, const void *carry,
                                void *next, void *user) {
  (void)number, (void)user;
  *(state *)next = *(const state *)carry;
  ((state *)next)->stride++;
  return sn_pending_error(context);
}

START_TEST(test_more_faults) {
  state s = {.x = F64(SN_SCALAR, 5), .n = F64(SN_SCALAR, 1), .stride = 2}, last;
  row r;
  sn_fori_struct(ctx, 0, 3, another_stride, NULL, SN_STRUCT(state_type, &s), &last);
  expect_error(SN_ERR_ARGUMENT, "sn_fori_struct: ");
  sn_fori_struct(ctx, 0, 3, NULL, NULL, SN_STRUCT(state_type, &s), &last);
  expect_error(SN_ERR_ARGUMENT, "sn_fori_struct: a callback, type or last is NULL");
  sn_vectorized_map_struct(ctx, NULL, NULL, SN_STRUCT(state_type, &s), SN_STRUCT(row_type, &r),
                           NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_vectorized_map_struct: a body or out is NULL");
  ck_assert(sn_failed(r.a));
  sn_checkpoint_struct(ctx, scaled_row, NULL, SN_STRUCT(state_type, &s), &row_type, NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_checkpoint_struct: a body or out is NULL");
}
END_TEST

// ---- handles: keys (integers), values, and perhaps weights
typedef struct pairs {
  sn_tensor *keys, *values, *weights;
} pairs;
static pairs *made_pairs[4000];
static int n_made_pairs;

static pairs *new_pairs(sn_tensor *keys, sn_tensor *values, sn_tensor *weights) {
  ck_assert_int_lt(n_made_pairs, 4000);
  pairs *p = made_pairs[n_made_pairs++] = malloc(sizeof(*p));
  *p = (pairs){keys, values, weights};
  return p;
}
static void free_pairs(void) {
  while (n_made_pairs) free(made_pairs[--n_made_pairs]);
}
static void open_pairs(const void *handle, sn_tensor **tensors) {
  memcpy(tensors, handle, sizeof(pairs));
}
static void *make_pairs(sn_context *context, sn_tensor *const *tensors) {
  if (tensors[0] && sn_rank(tensors[0]) != 1) {
    sn_fail(context, SN_ERR_SHAPE, "keys of pairs have rank 1");
    return NULL;
  }
  return tensors[0] && tensors[1] ? new_pairs(tensors[0], tensors[1], tensors[2]) : NULL;
}
SN_HANDLE_TYPE(pairs_type, pairs, open_pairs, make_pairs, "keys", "values", "weights");

typedef struct table {
  pairs *p[2];
  sn_tensor *x;
} table;
typedef struct lookup {
  table slopes;
  pairs *looped, *branch;
  sn_tensor *y;
} lookup;
SN_COMPOSITE(table_type, table, SN_HANDLE(table, p, pairs_type), SN_FIELD(table, x));
SN_COMPOSITE(lookup_type, lookup, SN_NESTED(lookup, slopes, table_type),
             SN_HANDLE(lookup, looped, pairs_type), SN_HANDLE(lookup, branch, pairs_type),
             SN_FIELD(lookup, y));

static sn_status short_enough(sn_context *context, const void *in, void *out, void *user) {
  const table *t = in;
  *(sn_tensor **)out = sn_less(sn_max(t->p[0]->values), 100.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status doubled_pairs(sn_context *context, const void *in, void *out, void *user) {
  const table *t = in;
  table *next = out;
  *next = *t;
  next->p[0] = new_pairs(t->p[0]->keys, sn_add(t->p[0]->values, t->p[0]->values), NULL);
  (void)user;
  return sn_pending_error(context);
}
static sn_status first_pairs(sn_context *context, const void *in, void *out, void *user) {
  *(table *)out = *(const table *)in;
  (void)user;
  return sn_pending_error(context);
}

static sn_status look_up(sn_context *context, const void *in, void *out, void *user) {
  const table *t = in;
  lookup *l = out;
  table last, branch;
  (void)user;
  ck_assert(t->p[0] && !t->p[0]->weights && !t->p[1]);
  sn_tensor *found = sn_gather(t->p[0]->values, t->p[0]->keys);
  l->y = sn_sum(sn_mul(found, t->x));
  sn_gradients_struct(l->y, SN_STRUCT(table_type, t), &l->slopes);
  sn_while_struct(context, short_enough, doubled_pairs, NULL, SN_STRUCT(table_type, t), &last);
  sn_cond_struct(context, sn_greater(l->y, 0.0), first_pairs, doubled_pairs, NULL,
                 SN_STRUCT(table_type, &last), SN_STRUCT(table_type, &branch));
  l->looped = last.p[0];
  l->branch = branch.p[0];
  return sn_pending_error(context);
}

START_TEST(test_handles) {
  sn_function *f = sn_struct_function(ctx, look_up, &table_type, &lookup_type, .name = "look_up");
  table t = {.x = F64(SN_SHAPE(3), 1, 2, 3)};
  t.p[0] = new_pairs(I32(SN_SHAPE(3), 2, 0, 2), F64(SN_SHAPE(3), 5, 6, 7), NULL);
  for (int mode = 0; mode < 2; mode++)
    for (int round = 0; round < 2; round++) {
      lookup l;
      ck_assert_msg(!modes[mode](f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l), "", 1),
                    "%s", sn_error_message(ctx));
      EXPECT(l.y, SN_SCALAR, 7 + 10 + 21);
      EXPECT(l.slopes.p[0]->values, SN_SHAPE(3), 2, 0, 4);
      EXPECT(l.slopes.p[0]->keys, SN_SHAPE(3), 2, 0, 2);  // its own
      ck_assert(!l.slopes.p[0]->weights && !l.slopes.p[1]);
      EXPECT(l.slopes.x, SN_SHAPE(3), 7, 5, 7);
      EXPECT(l.looped->values, SN_SHAPE(3), 80, 96, 112);
      EXPECT(l.branch->values, SN_SHAPE(3), 80, 96, 112);
    }
  ck_assert_uint_eq(traces_of(f), 1);
  sn_program *program;
  ck_assert_int_eq(sn_function_compile_struct(f, SN_STRUCT(table_type, &t), &program), SN_OK);
  ck_assert_ptr_nonnull(strstr(sn_program_signature(program),
                               "look_up(p[0].keys: i32[3], p[0].values: f64[3], p[0].weights: "
                               "absent, p[1].keys: absent"));
  sn_program_release(program);
  t.p[0]->values = sn_cast(t.p[0]->values, SN_F32);
  lookup l;
  ck_assert_int_ne(sn_call_struct(f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l)), SN_OK);
  t.p[0]->values = sn_add(t.x, t.p[0]->values);
  ck_assert_int_ne(sn_check(ctx), SN_OK);
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l)),
                   SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "field \"p[0].values\""));
  t.p[0]->values = t.x;
  t.p[0]->keys = I32(SN_SHAPE(1, 1), 0);  // what make refuses
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l)),
                   SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "keys of pairs have rank 1"));
  sn_function_destroy(f);
  free_pairs();
}
END_TEST

// ---- what goes wrong
static sn_status broken_gradient(sn_context *context, const void *in, void *out, void *user) {
  const request *r = in;
  step *s = out;
  (void)user;
  s->loss = sn_sum(sn_mul(r->m.layers[0].w, sn_floor(r->m.layers[1].b)));
  sn_gradients_struct(s->loss, SN_STRUCT(layer_type, &r->m.layers[1]), &s->grads.layers[1]);
  return sn_pending_error(context);
}

START_TEST(test_a_broken_path_names_the_field) {
  static const char text[] =
      "_struct: no gradient with respect to field \"w\": y does not depend on it";
  sn_function *f = sn_struct_function(ctx, broken_gradient, &request_type, &step_type);
  request r = make_request();
  step s;
  for (int mode = 0; mode < 2; mode++) {
    ck_assert_int_eq(modes[mode](f, SN_STRUCT(request_type, &r), SN_STRUCT(step_type, &s), "", 1),
                     SN_ERR_GRADIENT);
    ck_assert_msg(strstr(sn_error_message(ctx), text) != NULL, "%s", sn_error_message(ctx));
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_composite.c:"));
  }
  sn_function_destroy(f);
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch_struct(tape, SN_STRUCT(model_type, &r.m));
  sn_tensor *y = sn_sum(sn_mul(r.m.layers[0].w, sn_floor(r.m.layers[1].b)));
  sn_tape_gradient_struct(tape, y, SN_STRUCT(model_type, &r.m), &s.grads);
  expect_error(SN_ERR_GRADIENT,
               "sn_tape_gradient_struct: no gradient with respect to field \"layers[0].b\": y does "
               "not depend on it");
  ck_assert(sn_failed(s.grads.layers[0].w) && s.grads.rate == 0);
  sn_tape_gradient_struct(tape, y, SN_STRUCT(layer_type, &r.m.layers[1]), &s.grads.layers[1],
                          .unconnected = SN_NONE);
  ck_assert(!s.grads.layers[1].w && !s.grads.layers[1].b);
  sn_tape_end(tape);
}
END_TEST

// forbid_recompile stops calls, and not what is asked for.
START_TEST(test_forbidden_retraces_name_fields) {
  sn_function *f =
      sn_struct_function(ctx, answer, &request_type, &reply_type, .forbid_recompile = true);
  request r = make_request();
  reply a;
  sn_program *program;
  (void)ask(f, &r, 0);
  r.m.steps = 2;
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(request_type, &r), SN_STRUCT(reply_type, &a)),
                   SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx),
                               "which forbid_recompile rules out: input 7 \"m.steps\": static "
                               "value was 0, is 2"));
  ck_assert_int_eq(sn_function_compile_struct(f, SN_STRUCT(request_type, &r), &program), SN_OK);
  sn_program_release(program);
  (void)ask(f, &r, 0);
  ck_assert_uint_eq(traces_of(f), 2);
  sn_function_destroy(f);
}
END_TEST

typedef enum fault {
  OTHER_STATIC,
  OTHER_PRESENCE,
  OTHER_SHAPE,
  OTHER_DTYPE,
  BRANCH_PRESENCE,
  BRANCH_SHAPE,
  N_FAULTS
} fault;

static sn_status faulty_step(sn_context *context, const void *in, void *out, void *user) {
  state *next = out;
  *next = *(const state *)in;
  switch (*(const fault *)user) {
    case OTHER_STATIC:
      next->stride++;
      break;
    case OTHER_PRESENCE:
      next->unused = next->x;
      break;
    case OTHER_SHAPE:
      next->x = sn_reshape(next->x, SN_SHAPE(1));
      break;
    default:
      next->x = sn_cast(next->x, SN_F32);
      break;
  }
  return sn_pending_error(context);
}
static sn_status faulty_branch(sn_context *context, const void *in, void *out, void *user) {
  row *r = out;
  r->a = ((const state *)in)->x;
  if (*(const fault *)user == BRANCH_PRESENCE)
    r->b = r->a;
  else
    r->a = sn_reshape(r->a, SN_SHAPE(1));
  return sn_pending_error(context);
}
static sn_status fail_in_flow(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  state *last = out;
  row r;
  if (*(fault *)user < BRANCH_PRESENCE)
    sn_while_struct(context, goes_on, faulty_step, user, SN_STRUCT(state_type, s), last);
  else
    sn_cond_struct(context, sn_less(s->x, 1.0), smaller, faulty_branch, user,
                   SN_STRUCT(state_type, s), SN_STRUCT(row_type, &r));
  return sn_pending_error(context);
}

START_TEST(test_faults_in_bodies) {
  static const char *const texts[N_FAULTS] = {
      "sn_while_struct: field \"stride\" is 2 behind the body, but 1 in init",
      "sn_while_struct: field \"unused\" is a tensor behind the body, but absent in init",
      "sn_while_struct: field \"x\" is f64[1], but the body was given f64[]",
      "sn_while_struct: field \"x\" is f32[], but the body was given f64[]",
      "sn_cond_struct: field \"b\" is absent in a body, but a tensor in another body",
      "sn_cond_struct: field \"a\" is f64[], but another body makes it f64[1]",
  };
  fault user = (fault)_i;
  state s = {.x = F64(SN_SCALAR, 1), .n = F64(SN_SCALAR, 1), .stride = 1}, out;
  sn_function *f = sn_struct_function(ctx, fail_in_flow, &state_type, &state_type, .user = &user);
  for (int mode = 0; mode < (user < BRANCH_PRESENCE ? 2 : 1); mode++) {
    const sn_status status =
        modes[mode](f, SN_STRUCT(state_type, &s), SN_STRUCT(state_type, &out), __FILE__, __LINE__);
    ck_assert_int_ne(status, SN_OK);
    ck_assert_msg(strstr(sn_error_message(ctx), texts[_i]) != NULL, "mode %d: \"%s\" lacks \"%s\"",
                  mode, sn_error_message(ctx), texts[_i]);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_composite.c:"));
  }
  sn_function_destroy(f);
}
END_TEST

static sn_status failing_output(sn_context *context, const void *in, void *out, void *user) {
  (void)in, (void)user;
  ((step *)out)->grads.layers[1].w =
      sn_add(sn_zeros(context, SN_F32, SN_SHAPE(2)), sn_zeros(context, SN_F32, SN_SHAPE(3)));
  return SN_OK;
}
static sn_status ended_output(sn_context *context, const void *in, void *out, void *user) {
  (void)in, (void)user;
  SN_SCOPE(context);
  ((step *)out)->grads.layers[1].w = sn_zeros(context, SN_F32, SN_SHAPE(2));
  return SN_OK;
}

START_TEST(test_messages_name_fields) {
  sn_function *f = sn_struct_function(ctx, answer, &request_type, &reply_type, .name = "answer");
  request r = make_request();
  reply a;
  memset(&a, 0, sizeof(a));
  r.m.layers[1].w = sn_add(r.x, F64(SN_SHAPE(3), 1, 2, 3));
  expect_error(SN_ERR_SHAPE, "sn_add");
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(request_type, &r), SN_STRUCT(reply_type, &a)),
                   SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "field \"m.layers[1].w\""));
  {
    SN_SCOPE(ctx);
    r.m.layers[1].w = sn_add(r.x, r.x);
  }
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(request_type, &r), SN_STRUCT(reply_type, &a)),
                   SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_call_struct: field \"m.layers[1].w\""));
  ck_assert_ptr_null(a.y);
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(reply_type, &a), SN_STRUCT(reply_type, &a)),
                   SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(ctx), "the function's input is \"request\", given \"reply\""));
  sn_tensor *y;
  ck_assert_int_eq(sn_call(f, &r.x, 1, &y, 1), SN_ERR_ARGUMENT);
  sn_function_destroy(f);
  step s;
  f = sn_struct_function(ctx, failing_output, NULL, &step_type);
  ck_assert_int_eq(sn_call_struct(f, NULL, NULL, SN_STRUCT(step_type, &s)), SN_ERR_SHAPE);
  sn_function_destroy(f);
  f = sn_struct_function(ctx, ended_output, NULL, &step_type);
  ck_assert_int_eq(sn_call_struct(f, NULL, NULL, SN_STRUCT(step_type, &s)), SN_ERR_STATE);
  ck_assert_msg(
      strstr(sn_error_message(ctx), "the callback's output: field \"grads.layers[1].w\"") != NULL,
      "%s", sn_error_message(ctx));
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_wrong_descriptions) {
  const sn_field outside[] = {{"w", SN_FIELD_TENSOR, 8, 8, NULL, NULL}};
  const sn_field odd[] = {{"w", SN_FIELD_TENSOR, 0, 7, NULL, NULL}};
  const sn_field unnamed[] = {{NULL, SN_FIELD_TENSOR, 0, 8, NULL, NULL}};
  const sn_field untyped[] = {{"w", SN_FIELD_NESTED, 0, 8, NULL, NULL}};
  const sn_field unknown[] = {{"w", (sn_field_kind)99, 0, 8, NULL, NULL}};
  const sn_handle_type no_handle = {"h", 13, NULL, NULL, NULL};
  const sn_field handled[] = {{"w", SN_FIELD_HANDLE, 0, 8, NULL, &no_handle}};
  static sn_composite endless;
  static const sn_field inside[] = {{"self", SN_FIELD_NESTED, 0, 8, &endless, NULL}};
  endless = (sn_composite){"endless", 8, inside, 1};
  const struct {
    sn_composite type;
    const char *text;
  } wrong[] = {
      {{"s", 8, outside, 1}, "struct \"s\": field \"w\" lies outside of the struct"},
      {{"s", 8, odd, 1}, "struct \"s\": field \"w\" is not as large as its elements"},
      {{"s", 8, unnamed, 1}, "struct \"s\" has a field without a name"},
      {{"s", 8, untyped, 1}, "field \"w\" is of no kind, or of no type"},
      {{"s", 8, unknown, 1}, "field \"w\" is of no kind, or of no type"},
      {{"s", 8, handled, 1}, "field \"w\" is of no kind, or of no type"},
      {{"s", 8, NULL, 1}, "struct \"s\" has no fields or no size"},
      {{"s", 0, NULL, 0}, "struct \"s\" has no fields or no size"},
      {endless, "is nested more than 16 deep"},
  };
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    ck_assert_ptr_null(sn_struct_function(ctx, answer, &wrong[i].type, NULL));
    expect_error(SN_ERR_ARGUMENT, wrong[i].text);
    ck_assert_ptr_null(sn_struct_function(ctx, answer, NULL, &wrong[i].type));
    expect_error(SN_ERR_ARGUMENT, wrong[i].text);
    // nothing is read or written that a wrong description points to
    sn_tensor *three[3] = {F32(SN_SCALAR, 1), F32(SN_SCALAR, 2), F32(SN_SCALAR, 3)};
    sn_tensor *const third = three[2];
    sn_gradients_struct(three[0], &wrong[i].type, &three[1], &three[1]);
    expect_error(SN_ERR_ARGUMENT, wrong[i].text);
    sn_keep_struct(&wrong[i].type, &three[1]);
    sn_release_struct(&wrong[i].type, &three[1]);
    ck_assert_int_eq(sn_flatten(ctx, &wrong[i].type, &three[1], NULL, 0), -1);
    expect_error(SN_ERR_ARGUMENT, wrong[i].text);
    ck_assert_ptr_eq(three[2], third);
  }
  ck_assert_ptr_null(sn_struct_function(ctx, NULL, &layer_type, &layer_type));
  expect_error(SN_ERR_ARGUMENT, "sn_struct_function: callback is NULL");
  ck_assert_ptr_null(sn_struct_function(ctx, answer, &layer_type, NULL, .inputs = 3));
  expect_error(SN_ERR_ARGUMENT, "inputs, outputs, specs and input_names are those of the types");
}
END_TEST

static void use_everything(void) {
  SN_SCOPE(ctx);
  request r = {0};
  reply a;
  step s;
  flow o;
  float x[2] = {1, 2};
  for (int i = 0; i < 2; i++)
    r.m.layers[i].w = r.m.layers[i].b = r.x = (sn_constant)(ctx, SN_F32, SN_SHAPE(2), x);
  r.m.label = "text";
  sn_function *f = sn_struct_function(ctx, answer, &request_type, &reply_type);
  if (f) (void)!sn_call_struct(f, SN_STRUCT(request_type, &r), SN_STRUCT(reply_type, &a));
  sn_function_destroy(f);
  f = sn_struct_function(ctx, differentiate, &request_type, &step_type);
  if (f) (void)!sn_call_struct(f, SN_STRUCT(request_type, &r), SN_STRUCT(step_type, &s));
  sn_function_destroy(f);
  flow_input in = {.s = {.x = sn_scalar_f64(ctx, 3), .n = sn_scalar_f64(ctx, 1), .stride = 2},
                   .xs = {.a = sn_zeros(ctx, SN_F64, SN_SHAPE(3))}};
  f = sn_struct_function(ctx, flows, &flow_input_type, &flow_type);
  if (f) (void)!sn_call_struct(f, SN_STRUCT(flow_input_type, &in), SN_STRUCT(flow_type, &o));
  sn_function_destroy(f);
  (void)!sn_check(ctx);
}

// Each allocation fails once: a status, no leak, and the context goes on.
START_TEST(test_without_memory) {
  use_everything();
  atomic_store(&memory.calls, 0);
  use_everything();
  const int64_t calls = memory.calls;
  atomic_store(&memory.fail_count, 1);
  for (int64_t n = _i; n < calls; n += 40) {
    atomic_store(&memory.calls, 0);
    atomic_store(&memory.fail_from, n);
    use_everything();
    atomic_store(&memory.fail_from, -1);
  }
  use_everything();
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("composite");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 200);
  tcase_add_test(tests, test_calls_in_both_modes);
  tcase_add_test(tests, test_structure_is_part_of_the_signature);
  tcase_add_test(tests, test_calls_nest);
  tcase_add_test(tests, test_a_variable_inside_a_struct);
  tcase_add_test(tests, test_gradients);
  tcase_add_test(tests, test_flattening);
  tcase_add_test(tests, test_control_flow);
  tcase_add_test(tests, test_more_control_flow);
  tcase_add_test(tests, test_more_faults);
  tcase_add_test(tests, test_handles);
  tcase_add_loop_test(tests, test_faults_in_bodies, 0, N_FAULTS);
  tcase_add_test(tests, test_a_broken_path_names_the_field);
  tcase_add_test(tests, test_forbidden_retraces_name_fields);
  tcase_add_test(tests, test_messages_name_fields);
  tcase_add_test(tests, test_wrong_descriptions);
  tcase_add_loop_test(tests, test_without_memory, 0, 4);
  return run_cases("composite", &tests, 1);
}
