// Structs of tensors: as arguments and results of functions in every mode, and in gradients; what their descriptions refuse; how
// messages name fields.
#include "struct_modes.h"

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

static sn_status nothing(sn_context *context, const void *in, void *out, void *user) {
  (void)in, (void)out, (void)user;
  return sn_pending_error(context);
}

// A union that is described twice: the field is the one that has a tensor there.
START_TEST(test_fields_that_overlap) {
  typedef struct behind {
    int64_t before;
    sn_tensor *w;
  } behind;
  typedef union either {
    behind b;
    sn_tensor *w;
  } either;
  const sn_field inner = {"w", SN_FIELD_TENSOR, offsetof(behind, w), sizeof(sn_tensor *), NULL,
                          NULL};
  const sn_composite behind_type = {"behind", sizeof(behind), &inner, 1};
  const sn_field fields[] = {{"b", SN_FIELD_NESTED, 0, sizeof(behind), &behind_type, NULL},
                             {"v", SN_FIELD_TENSOR, 0, sizeof(sn_tensor *), NULL, NULL}};
  const sn_composite type = {"either", sizeof(either), fields, 2};
  sn_function *f = sn_struct_function(ctx, nothing, &type, NULL);
  ck_assert_msg(f != NULL, "%s", sn_error_message(ctx));
  either e = {{0, NULL}};
  sn_program *program;
  ck_assert_int_eq(sn_function_compile_struct_at(f, &type, &e, &program, "", 1), SN_OK);
  ck_assert_msg(strstr(sn_program_signature(program), "(b.w: absent, v: absent)"), "%s",
                sn_program_signature(program));
  sn_program_release(program);
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
  tcase_add_test(tests, test_a_broken_path_names_the_field);
  tcase_add_test(tests, test_forbidden_retraces_name_fields);
  tcase_add_test(tests, test_messages_name_fields);
  tcase_add_test(tests, test_fields_that_overlap);
  tcase_add_test(tests, test_wrong_descriptions);
  tcase_add_loop_test(tests, test_without_memory, 0, 4);
  return run_cases("composite", &tests, 1);
}
