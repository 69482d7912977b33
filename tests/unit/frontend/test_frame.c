// Frames: composed functions that users write over the public API are named in messages as the
// library's own are, with the line of their caller. What stands between the marks is the example of
// context.h, word for word.
#include "frontend_fixture.h"

// [example]
static sn_tensor *dense(sn_tensor *x, sn_tensor *w, sn_tensor *b) {
  SN_FRAME(sn_context_of(x), "dense");
  return sn_relu(sn_add(sn_matmul(x, w), b));
}
#define dense(x, w, b) SN_AT(dense(x, w, b))
// [/example]

static int bare_line;
static sn_tensor *bare(sn_tensor *x, sn_tensor *w) {
  bare_line = __LINE__ + 1;
  SN_FRAME(ctx, "bare");
  return sn_matmul(x, w);
}

static sn_tensor *encoder(sn_tensor *x, sn_tensor *w, sn_tensor *b) {
  SN_FRAME(ctx, "encoder");
  for (int i = 0; i < 2; i++) x = dense(x, w, b);
  return x;
}
#define encoder(x, w, b) SN_AT(encoder(x, w, b))

static sn_tensor *given_a_line(sn_tensor *x, const char *file, int line) {
  SN_FRAME_AT(ctx, "given_a_line", file, line);
  return sn_sum(x, .axes = SN_AXES(7));
}

static void expect_place(sn_status status, const char *text, int line) {
  char place[64];
  snprintf(place, sizeof(place), " (%s:%d)", __FILE__, line);
  expect_error(status, text);
  const char *message = sn_error_message(ctx), *first = strstr(message, ".c:");
  ck_assert_msg(strstr(message, place) != NULL, "\"%s\" lacks \"%s\"", message, place);
  ck_assert_msg(!strstr(first + 1, ".c:"), "\"%s\" has two lines", message);
}

START_TEST(an_error_in_a_frame_is_named_by_it_and_its_callers_line) {
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3)), *w = sn_ones(ctx, SN_F32, SN_SHAPE(3, 3));
  sn_tensor *b = sn_ones(ctx, SN_F32, SN_SHAPE(3)), *bad = sn_ones(ctx, SN_F32, SN_SHAPE(4));
  ck_assert(!sn_failed(dense(x, w, b)));
  ck_assert(sn_failed(dense(x, w, bad)));
  expect_place(SN_ERR_SHAPE, "dense: sn_add: operand #1 is f32[4]", __LINE__ - 1);
  ck_assert(sn_failed(encoder(x, w, bad)));
  expect_place(SN_ERR_SHAPE, "encoder: dense: sn_add: operand #1 is f32[4]", __LINE__ - 1);
  ck_assert(sn_failed(sn_relu(encoder(x, w, bad))));
  expect_place(SN_ERR_SHAPE, "encoder: dense: sn_add: ", __LINE__ - 1);
  ck_assert(sn_failed(given_a_line(x, __FILE__, 4711)));
  expect_place(SN_ERR_SHAPE, "given_a_line: sn_sum: axis 7 is out of range", 4711);
  ck_assert(sn_failed(sn_add(x, bad)));
  expect_place(SN_ERR_SHAPE, "sn_add: operand #1", __LINE__ - 1);
  ck_assert_ptr_null(strstr(sn_error_message(ctx), "dense"));
}
END_TEST

START_TEST(without_its_callers_line_a_frame_gives_its_own) {
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3));
  ck_assert(sn_failed(bare(x, x)));
  expect_place(SN_ERR_SHAPE, "bare: sn_matmul: ", bare_line);
  ck_assert(sn_failed(sn_neg(bare(x, x))));  // the next op's line is not the frame's caller's
  expect_place(SN_ERR_SHAPE, "bare: sn_matmul: ", bare_line);
  double value;
  bare(x, x);
  ck_assert_int_eq(sn_item(x, &value), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "bare: sn_matmul: "));
}
END_TEST

static sn_tensor *checked(int units) {
  SN_FRAME(ctx, "checked");
  if (units < 1) {
    sn_fail(ctx, SN_ERR_ARGUMENT, "units is %d", units);
    return NULL;
  }
  if (units > 9) {
    sn_fail(ctx, SN_ERR_ARGUMENT, "checked: units is %d", units);
    return NULL;
  }
  return sn_zeros(ctx, SN_F32, SN_SHAPE(units));
}

START_TEST(errors_of_the_users_own_are_named_too) {
  checked(-1);
  expect_error(SN_ERR_ARGUMENT, "checked: units is -1 (");
  checked(10);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_ARGUMENT);
  ck_assert_ptr_eq(strstr(sn_error_message(ctx), "checked: units is 10 ("), sn_error_message(ctx));
  char wanted[256];
  sn_fail(ctx, SN_ERR_ARGUMENT, "plain");
  snprintf(wanted, sizeof(wanted), "plain (%s:%d)", __FILE__, __LINE__ - 1);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_ARGUMENT);
  ck_assert_str_eq(sn_error_message(ctx), wanted);
}
END_TEST

// ---- traces
typedef struct layer {
  sn_tensor *w, *b;
  int line;
} layer;

static sn_status forward(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  layer *l = user;
  l->line = __LINE__ + 1;
  out[0] = encoder(in[0], l->w, l->b);
  return sn_pending_error(context);
}

START_TEST(in_a_trace_as_well) {
  layer l = {.w = sn_ones(ctx, SN_F32, SN_SHAPE(3, 3)), .b = sn_ones(ctx, SN_F32, SN_SHAPE(4))};
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3)), *y;
  sn_function *f = sn_function_create(ctx, forward, .inputs = 1, .outputs = 1, .user = &l);
  SN_FRAME(ctx, "around");  // is no part of what happens in the callback
  for (int eager = 0; eager < 2; eager++) {
    sn_status status = eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1);
    char wanted[96];
    ck_assert_int_eq(status, SN_ERR_SHAPE);
    snprintf(wanted, sizeof(wanted), "%s:%d)", __FILE__, l.line);
    const char *message = sn_error_message(ctx);
    ck_assert_msg(strstr(message, wanted) != NULL, "\"%s\" lacks \"%s\"", message, wanted);
    ck_assert_ptr_eq(strstr(message, "encoder: dense: sn_add"), message);
  }
  sn_function_destroy(f);
}
END_TEST

static sn_tensor *pick(sn_tensor *x, sn_tensor *i) {
  SN_FRAME(ctx, "pick");
  return sn_gather(sn_neg(x), sn_add(i, i));
}
static sn_tensor *pick_bare(sn_tensor *x, sn_tensor *i) {
  return pick(x, i);
}
#define pick(x, i) SN_AT(pick(x, i))

static int pick_line;
static sn_status pick_in_graph(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  pick_line = __LINE__ + 1;
  out[0] = user ? pick(in[0], in[1]) : pick_bare(in[0], in[1]);
  return sn_pending_error(context);
}

START_TEST(nodes_have_the_line_of_the_frames_caller) {
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(4)), *y;
  sn_tensor *i = sn_full(ctx, SN_I32, SN_SHAPE(3), 9);
  for (int macro = 0; macro < 2; macro++) {
    sn_function *f = sn_function_create(ctx, pick_in_graph, .inputs = 2, .outputs = 1,
                                        .user = macro ? &pick_line : NULL);
    ck_assert_int_eq(sn_call(f, SN_ARGS(x, i), &y, 1), SN_ERR_INDEX);
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "test_frame.c:%d)", pick_line);
    const char *message = sn_error_message(ctx);
    ck_assert_msg(!strstr(message, wanted) == !macro, "%s", message);
    ck_assert_ptr_nonnull(strstr(message, "test_frame.c:"));
    sn_function_destroy(f);
  }
}
END_TEST

// ---- handles
START_TEST(handles_end_their_own_frame_or_nothing) {
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3));
  sn_frame a = sn_frame_begin(ctx, "a", "a.c", 1), b = sn_frame_begin(ctx, "b", "b.c", 2);
  sn_frame_begin(ctx, "never ended", "c.c", 3);
  sn_frame_end(b);
  sn_matmul(x, x);
  expect_error(SN_ERR_SHAPE, "a: sn_matmul");
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "(a.c:1)"));
  sn_frame_end(b);
  sn_frame_end(a);
  sn_frame again = sn_frame_begin(ctx, NULL, NULL, 0);
  sn_frame_end(a);
  sn_frame_end(b);
  sn_matmul(x, x);
  expect_error(SN_ERR_SHAPE, "frame: sn_matmul");
  sn_frame_end(again);
  sn_frame_end((sn_frame){NULL, 0, 0});
  sn_frame_end(sn_frame_begin(NULL, "none", __FILE__, __LINE__));
  sn_matmul(x, x);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_SHAPE);
  ck_assert_ptr_eq(strstr(sn_error_message(ctx), "sn_matmul"), sn_error_message(ctx));
}
END_TEST

START_TEST(deep_frames_fit_the_message) {
  sn_frame frames[100];
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3));
  for (int i = 0; i < 100; i++)
    frames[i] = sn_frame_begin(
        ctx, "a name that is so long that forty of it do not fit the room for a message", "f.c", 7);
  sn_matmul(x, x);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_SHAPE);
  ck_assert_uint_lt(strlen(sn_error_message(ctx)), 1400);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_matmul"));
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "(f.c:7)"));
  for (int i = 99; i >= 0; i--) sn_frame_end(frames[i]);
}
END_TEST

// ---- the example
static const char *directory;  // of this file

static char *read_all(const char *name) {
  char path[512];
  snprintf(path, sizeof(path), "%.400s/%s", directory, name);
  FILE *file = fopen(path, "r");
  ck_assert_msg(file != NULL, "no %s", path);
  char *text = calloc(1, 1 << 20);
  ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
  fclose(file);
  return text;
}

START_TEST(the_example_of_the_header_is_the_one_above) {
  char line[256];
  char *mine = read_all("test_frame.c"), *header = read_all("../../../include/sinter/context.h");
  char *at = strchr(strstr(mine, "// [example]\n"), '\n') + 1, *end = strstr(at, "// [/example]");
  while (at < end) {
    char *next = strchr(at, '\n');
    snprintf(line, sizeof(line), "//   %.*s\n", (int)(next - at), at);
    ck_assert_msg(strstr(header, line) != NULL, "context.h lacks \"%s\"", line);
    at = next + 1;
  }
  free(mine);
  free(header);
}
END_TEST

int main(int argc, char **argv) {
  directory = argc > 1 ? argv[1] : "tests/unit/frontend";
  TCase *c = tcase_create("frame");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, an_error_in_a_frame_is_named_by_it_and_its_callers_line);
  tcase_add_test(c, without_its_callers_line_a_frame_gives_its_own);
  tcase_add_test(c, errors_of_the_users_own_are_named_too);
  tcase_add_test(c, in_a_trace_as_well);
  tcase_add_test(c, nodes_have_the_line_of_the_frames_caller);
  tcase_add_test(c, handles_end_their_own_frame_or_nothing);
  tcase_add_test(c, deep_frames_fit_the_message);
  tcase_add_test(c, the_example_of_the_header_is_the_one_above);
  return run_cases("frame", &c, 1);
}
