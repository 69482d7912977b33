// Why functions are traced again, piece by piece; which calls share a program; what forbid_recompile stops; how many programs
// a function keeps.
#include "frontend_fixture.h"

static int runs;

static sn_function_statistics stats_of(const sn_function *f) {
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  return stats;
}

static sn_retrace difference(const sn_function *f, int trace, int i) {
  sn_retrace why = {.size = sizeof(why)};
  ck_assert_msg(sn_function_retrace(f, trace, i, &why), "trace %d has no difference %d", trace, i);
  return why;
}

static sn_status twice(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  runs++;
  out[0] = sn_add(in[0], in[0]);
  return sn_pending_error(context);
}

static sn_status sum_of_sums(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  out[0] = sn_sum(in[0]);
  for (int i = 1; i < *(int *)user; i++) out[0] = sn_add(out[0], sn_sum(in[i]));
  return sn_pending_error(context);
}

// Of 40 differences the first 32 are told, each as it is.
START_TEST(test_many_differences) {
  enum { N = 40, TOLD = 32 };
  int n = N;
  sn_tensor *in[N], *y;
  sn_function *f = sn_function_create(ctx, sum_of_sums, .inputs = N, .outputs = 1, .user = &n,
                                      .static_shapes = true);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < N; i++) in[i] = sn_zeros(ctx, SN_F32, SN_SHAPE(10 + i + 100 * round));
    ck_assert_int_eq(sn_call(f, in, N, &y, 1), SN_OK);
  }
  for (int i = 0; i < TOLD; i++) {
    const sn_retrace why = difference(f, 1, i);
    ck_assert(why.input == i && why.old_value == 10 + i && why.new_value == 110 + i);
  }
  sn_retrace none = {.size = sizeof(none)};
  ck_assert(!sn_function_retrace(f, 1, TOLD, &none));
  sn_function_destroy(f);
}
END_TEST

// ---- the pieces
START_TEST(test_each_cause) {
  static const char *names[] = {"x"};
  sn_tensor *v[2] = {sn_variable(F32(SN_SCALAR, 1)), sn_variable(F32(SN_SCALAR, 1))};
  sn_tensor *in[] = {F32(SN_SCALAR, 1),
                     I32(SN_SCALAR, 1),
                     I32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6),
                     I32(SN_SHAPE(2, 1), 1, 2),
                     sn_static(ctx, 4),
                     sn_static(ctx, -5),
                     v[0],
                     v[1],
                     F32(SN_SCALAR, 2)};
  const struct {
    sn_retrace_cause cause;
    int dim;
    int64_t old_value, new_value;
    const char *was, *is;
  } wanted[] = {
      {SN_RETRACE_FIRST, -1, 0, 0, "", ""},
      {SN_RETRACE_DTYPE, -1, SN_F32, SN_I32, "f32", "i32"},
      {SN_RETRACE_RANK, -1, 0, 2, "0", "2"},
      {SN_RETRACE_DIM, 1, 3, 1, "3", "1"},
      {SN_RETRACE_KIND, -1, 0, 0, "i32[2,1]", "static 4"},
      {SN_RETRACE_STATIC, -1, 4, -5, "4", "-5"},
      {SN_RETRACE_KIND, -1, 0, 0, "static -5", "variable f32[]"},
      {SN_RETRACE_VARIABLE, -1, 0, 0, "", ""},
      {SN_RETRACE_EVICTED, -1, 0, 0, "", ""},
  };
  sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1, .input_names = names,
                                      .cache_capacity = 1);
  sn_tensor *y;
  for (int i = 0; i < 9; i++) {
    if (i == 8) ck_assert_int_eq(sn_call(f, &v[0], 1, &y, 1), SN_OK);
    ck_assert_int_eq(sn_call(f, i == 8 ? &v[1] : &in[i], 1, &y, 1), SN_OK);
    const int trace = i == 8 ? 9 : i;
    const sn_retrace why = difference(f, trace, 0);
    ck_assert_msg(wanted[i].cause == why.cause, "%d: %d", i, why.cause);
    if (i == 8) break;
    ck_assert_int_eq(why.input, i ? 0 : -1);
    ck_assert_str_eq(why.input_name, i ? "x" : "");
    ck_assert_int_eq(why.dim, wanted[i].dim);
    ck_assert_int_eq(why.old_value, wanted[i].old_value);
    ck_assert_int_eq(why.new_value, wanted[i].new_value);
    ck_assert_str_eq(why.was, wanted[i].was);
    ck_assert_str_eq(why.is, wanted[i].is);
    ck_assert(why.trace_ms > 0 && why.compile_ms >= 0);
    sn_retrace none = {.size = sizeof(none)};
    ck_assert(!sn_function_retrace(f, trace, 1, &none));
  }
  sn_retrace none = {.size = sizeof(none)};
  ck_assert(!sn_function_retrace(f, 99, 0, &none) && !sn_function_retrace(f, -1, 0, &none) &&
            !sn_function_retrace(NULL, 0, 0, &none) && !sn_function_retrace(f, 0, 0, NULL) &&
            !sn_function_retrace(f, 0, -1, &none));
  sn_function_destroy(f);
  sn_release(v[0]);
  sn_release(v[1]);
}
END_TEST

START_TEST(test_a_request_and_an_eviction) {
  const sn_spec spec = {SN_F32, SN_SHAPE(3)};
  sn_program *program;
  sn_tensor *y, *x = F32(SN_SHAPE(3), 1, 2, 3), *i = I32(SN_SCALAR, 1);
  sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1, .cache_capacity = 1);
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  sn_program_release(program);
  ck_assert_int_eq(difference(f, 0, 0).cause, SN_RETRACE_REQUEST);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  ck_assert_uint_eq(stats_of(f).traces, 1);
  ck_assert_int_eq(sn_call(f, &i, 1, &y, 1), SN_OK);
  ck_assert_int_eq(difference(f, 1, 0).cause, SN_RETRACE_FIRST);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  ck_assert_int_eq(difference(f, 2, 0).cause, SN_RETRACE_DTYPE);
  ck_assert_int_eq(sn_call(f, &i, 1, &y, 1), SN_OK);
  ck_assert_int_eq(difference(f, 3, 0).cause, SN_RETRACE_EVICTED);
  ck_assert_str_eq(sn_function_trace_reason(f, 3),
                   "its specialisation was dropped: cache_capacity is 1");
  sn_function_destroy(f);
}
END_TEST

// ---- what made a dim a number
static int line_of_dim, line_of_fft, line_of_index, line_of_add;

static sn_status by_dim(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  line_of_dim = __LINE__ + 1;
  out[0] = sn_mul(in[0], (double)sn_dim(in[0], 0));
  return sn_pending_error(context);
}
static sn_status by_fft(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = sn_add(in[0], in[0]);
  line_of_fft = __LINE__ + 1;
  out[0] = sn_abs(sn_rfft(x, -1));
  return sn_pending_error(context);
}

START_TEST(test_the_op_and_line_that_pinned_a_dim) {
  static const sn_callback callbacks[2] = {by_dim, by_fft};
  static const char *const ops[2] = {"sn_dim", "sn_rfft"};
  for (int k = 0; k < 2; k++) {
    sn_function *f = sn_function_create(ctx, callbacks[k], .inputs = 1, .outputs = 1);
    sn_tensor *y;
    for (int n = 5; n < 8; n++) {
      sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(n));
      ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(ctx));
    }
    const sn_retrace why = difference(f, 2, 0);
    ck_assert_int_eq(why.cause, SN_RETRACE_DIM);
    ck_assert(why.input == 0 && why.dim == 0 && why.old_value == 6 && why.new_value == 7);
    ck_assert_msg(why.op && !strcmp(why.op, ops[k]), "%s", why.op ? why.op : "NULL");
    ck_assert_ptr_nonnull(strstr(why.file, "test_retrace.c"));
    ck_assert_int_eq(why.line, k ? line_of_fft : line_of_dim);
    char text[200];
    snprintf(text, sizeof(text), "dim 0 was 6, is 7 (a number for %s at %s:%d)", ops[k], __FILE__,
             why.line);
    ck_assert_msg(strstr(sn_function_trace_reason(f, 2), text) != NULL, "%s",
                  sn_function_trace_reason(f, 2));
    sn_function_destroy(f);
  }
}
END_TEST

static sn_status both(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  line_of_index = __LINE__ + 1;
  sn_tensor *third = sn_index(in[0], 0, 2);
  line_of_add = __LINE__ + 1;
  out[0] = sn_add(sn_add(in[0], in[1]), third);
  return sn_pending_error(context);
}

START_TEST(test_the_op_and_line_of_a_condition) {
  sn_function *f = sn_function_create(ctx, both, .inputs = 2, .outputs = 1);
  sn_tensor *y;
  for (int n = 3; n < 6; n++) {
    sn_tensor *in[2] = {sn_ones(ctx, SN_F32, SN_SHAPE(n)), sn_ones(ctx, SN_F32, SN_SHAPE(n))};
    ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_OK);
  }
  ck_assert_uint_eq(stats_of(f).traces, 2);
  sn_tensor *in[2] = {sn_ones(ctx, SN_F32, SN_SHAPE(7)), sn_ones(ctx, SN_F32, SN_SHAPE(1))};
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_OK);
  sn_retrace why = {.size = sizeof(why)};
  bool found = false;
  for (int i = 0; sn_function_retrace(f, 2, i, &why) && !found; i++)
    found = why.cause == SN_RETRACE_CONDITION;
  ck_assert(found && why.input == -1);
  ck_assert_msg(strstr(why.was, "but they are") != NULL, "%s", why.was);
  ck_assert_str_eq(why.op, "sn_add");
  ck_assert_int_eq(why.line, line_of_add);
  in[0] = in[1] = sn_ones(ctx, SN_F32, SN_SHAPE(2));
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_ERR_INDEX);  // the trace fails, and changes nothing
  ck_assert_uint_eq(stats_of(f).traces, 3);
  ck_assert_int_gt(line_of_add, line_of_index);
  sn_function_destroy(f);
}
END_TEST

// ---- 64 batch sizes times 64 lengths
static sn_status attend(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = user, *x = in[0];  // f32[batch, length, 8]
  runs++;
  sn_tensor *keys = sn_tanh(sn_matmul(x, w));
  sn_tensor *weights = sn_softmax(sn_sum(sn_mul(keys, x), .axes = SN_AXES(-1)), -1);
  out[0] = sn_sum(sn_mul(x, sn_expand_dims(weights, -1)), .axes = SN_AXES(1));
  out[1] = sn_mean(sn_square(keys));
  sn_gradients(sn_sum(out[0]), in, 1, &out[2]);
  return sn_pending_error(context);
}

static float numbers[65 * 65 * 8];

static void same_bits(const sn_tensor *a, const sn_tensor *b, int batch, int length, int output) {
  static float x[65 * 65 * 8], y[65 * 65 * 8];
  const size_t bytes = (size_t)sn_size(a) * sizeof(float);
  ck_assert_int_eq(sn_size(a), sn_size(b));
  ck_assert_int_eq(sn_read(a, x, bytes), SN_OK);
  ck_assert_int_eq(sn_read(b, y, bytes), SN_OK);
  ck_assert_msg(!memcmp(x, y, bytes), "output %d of [%d,%d,8]", output, batch, length);
}

// One more where a size is 1: the order of a sum over what is then no axis at all is another one.
START_TEST(test_64_batch_sizes_times_64_lengths) {
  const int first = 1 + _i % 2;
  const bool shuffled = _i >= 2;
  for (int i = 0; i < 65 * 65 * 8; i++) numbers[i] = (float)((i * 7919) % 1009 - 504) / 300.0f;
  sn_tensor *w = (sn_constant)(ctx, SN_F32, SN_SHAPE(8, 8), numbers);
  sn_function *f = sn_function_create(ctx, attend, .inputs = 1, .outputs = 3, .user = w);
  for (int i = 0; i < 64 * 64; i++) {
    SN_SCOPE(ctx);
    const int k = shuffled ? (i * 1237 + 5) % 4096 : i;
    const int batch = first + k / 64, length = first + k % 64;
    // every one is called, one in 13 is compared with eager mode
    sn_tensor *x = (sn_constant)(ctx, SN_F32, SN_SHAPE(batch, length, 8), numbers);
    sn_tensor *y[3], *z[3];
    ck_assert_msg(!sn_call(f, &x, 1, y, 3), "%s", sn_error_message(ctx));
    if (i % 13) continue;
    ck_assert_int_eq(sn_call_eager(f, &x, 1, z, 3), SN_OK);
    for (int o = 0; o < 3; o++) same_bits(y[o], z[o], batch, length, o);
  }
  ck_assert_uint_le(stats_of(f).compiles, first == 1 ? 4 : 3);
  ck_assert_uint_eq(stats_of(f).evictions, 0);
  sn_function_destroy(f);
}
END_TEST

// Declared: one compile.
START_TEST(test_marked_dims_need_one_compile) {
  const sn_spec spec = {SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN, 8)};
  sn_tensor *w = (sn_constant)(ctx, SN_F32, SN_SHAPE(8, 8), numbers);
  sn_function *f =
      sn_function_create(ctx, attend, .inputs = 1, .outputs = 3, .user = w, .specs = &spec);
  for (int n = 2; n < 66; n++) {
    SN_SCOPE(ctx);
    sn_tensor *x = (sn_constant)(ctx, SN_F32, SN_SHAPE(n, 67 - n, 8), numbers), *y[3];
    ck_assert_int_eq(sn_call(f, &x, 1, y, 3), SN_OK);
  }
  ck_assert_uint_eq(stats_of(f).compiles, 1);
  sn_tensor *x = F32(SN_SHAPE(2, 2), 1, 2, 3, 4), *y[3];
  ck_assert_int_eq(sn_call(f, &x, 1, y, 3), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "f32[2,2]"));
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "f32[?,?,8]"));
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_a_marked_dim_is_symbolic_at_once) {
  sn_tensor *w = (sn_constant)(ctx, SN_F32, SN_SHAPE(8, 8), numbers);
  for (int fixed = 0; fixed < 2; fixed++) {
    sn_function *f = sn_function_create(ctx, attend, .inputs = 1, .outputs = 3, .user = w,
                                        .static_shapes = fixed);
    for (int n = 2; n < 20; n++) {
      SN_SCOPE(ctx);
      sn_tensor *x = (sn_constant)(ctx, SN_F32, SN_SHAPE(n, 4, 8), numbers), *y[3];
      if (n == 2) ck_assert_ptr_eq(sn_mark_dim(x, -3), x);
      ck_assert_int_eq(sn_call(f, &x, 1, y, 3), SN_OK);
    }
    ck_assert_uint_eq(stats_of(f).compiles, 1);
    sn_function_destroy(f);
  }
  sn_tensor *x = F32(SN_SHAPE(2, 2), 1, 2, 3, 4);
  ck_assert(sn_failed(sn_mark_dim(x, 2)));
  expect_error(SN_ERR_SHAPE, "sn_mark_dim: axis 2 is out of range for f32[2,2]");
  ck_assert(sn_failed(sn_mark_dim(x, -3)));
  expect_error(SN_ERR_SHAPE, "sn_mark_dim: axis -3");
}
END_TEST

START_TEST(test_a_spec_of_unknown_rank_is_refused) {
  const sn_spec specs[] = {{SN_F32, {-1, {0}}},
                           {SN_F32, {SN_MAX_RANK + 1, {0}}},
                           {SN_F32, {1, {-2}}},
                           {(sn_dtype)77, {0, {0}}}};
  for (int i = 0; i < 4; i++) {
    ck_assert_ptr_null(
        sn_function_create(ctx, twice, .inputs = 1, .outputs = 1, .specs = &specs[i]));
    expect_error(SN_ERR_ARGUMENT, i == 0 ? "spec 0 has rank -1" : "spec 0 has");
    sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1);
    sn_program *program;
    ck_assert_int_eq(sn_function_compile(f, &specs[i], 1, &program), SN_ERR_ARGUMENT);
    if (i == 0)
      ck_assert_msg(strstr(sn_error_message(ctx), "has rank -1") != NULL, "%s",
                    sn_error_message(ctx));
    sn_function_destroy(f);
  }
}
END_TEST

// ---- forbid_recompile
static sn_status three(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  runs++;
  out[0] = sn_add(sn_add(sn_cast(in[0], SN_F32), sn_cast(in[1], SN_F32)), sn_cast(in[2], SN_F32));
  return sn_pending_error(context);
}

START_TEST(test_forbidden_is_every_new_trace) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(2), 1, 2)), *u = sn_variable(F32(SN_SHAPE(2), 1, 2));
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *n = sn_static(ctx, 1), *y;
  sn_function *f =
      sn_function_create(ctx, three, .inputs = 3, .outputs = 1, .forbid_recompile = true);
  sn_tensor *good[3] = {x, n, v};
  ck_assert_msg(!sn_call(f, good, 3, &y, 1), "%s", sn_error_message(ctx));
  const int before = runs;
  const struct {
    sn_tensor *in[3];
    const char *text;
  } bad[] = {
      {{F64(SN_SHAPE(2), 1, 2), n, v}, "dtype was f32, is f64"},
      {{F32(SN_SHAPE(1, 2), 1, 2), n, v}, "rank was 1, is 2"},
      {{F32(SN_SHAPE(1), 1), n, v}, "dim 0 was 2, is 1"},
      {{F32(SN_SHAPE(4), 1, 2, 3, 4), n, v}, "dim 0 was 2, is 4"},
      {{x, sn_static(ctx, 2), v}, "static value was 1, is 2"},
      {{x, sn_static_f64(ctx, 1), v}, "was static 1, is static 1"},
      {{x, sn_static_bool(ctx, true), v}, "was static 1, is static true"},
      {{x, sn_static_text(ctx, "a"), v}, "was static 1, is static \"a\""},
      {{x, I64(SN_SCALAR, 1), v}, "was static 1, is i64[]"},
      {{x, n, u}, "another variable"},
      {{x, n, F32(SN_SHAPE(2), 1, 2)}, "was variable f32[2], is f32[2]"},
      {{v, n, v}, "was f32[2], is variable f32[2]"},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    y = NULL;
    ck_assert_int_eq(sn_call(f, bad[i].in, 3, &y, 1), SN_ERR_STATE);
    ck_assert_ptr_null(y);
    ck_assert_msg(strstr(sn_error_message(ctx), bad[i].text) != NULL, "%zu: %s", i,
                  sn_error_message(ctx));
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "which forbid_recompile rules out"));
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_retrace.c:"));
    ck_assert_int_eq(sn_call(f, good, 3, &y, 1), SN_OK);  // goes on
  }
  ck_assert_int_eq(runs, before);
  const sn_function_statistics stats = stats_of(f);
  ck_assert(stats.traces == 1 && stats.compiles == 1 && stats.specialisations == 1);
  // a sibling has the same programs
  sn_context *sibling;
  ck_assert_int_eq(sn_context_create(&sibling, .share = ctx), SN_OK);
  sn_tensor *in[3] = {sn_zeros(sibling, SN_F32, SN_SHAPE(2)), sn_static(sibling, 1), v};
  ck_assert_int_eq(sn_call_in(sibling, f, in, 3, &y, 1), SN_OK);
  in[1] = sn_static(sibling, 9);
  ck_assert_int_eq(sn_call_in(sibling, f, in, 3, &y, 1), SN_ERR_STATE);
  sn_context_trim(ctx);  // drops no program
  ck_assert_int_eq(sn_call(f, good, 3, &y, 1), SN_OK);
  ck_assert_int_eq(runs, before);
  sn_context_destroy(sibling);
  sn_function_destroy(f);
  sn_release(v);
  sn_release(u);
}
END_TEST

// What was asked for beforehand is there; a first trace that failed is none; an evicted program is not made again.
START_TEST(test_forbidden_and_explicit_compilation) {
  const sn_spec specs[2] = {{SN_F32, SN_SHAPE(SN_UNKNOWN)}, {SN_I32, SN_SCALAR}};
  sn_program *program;
  sn_tensor *y, *wrong = BOOL(SN_SCALAR, 1), *x = F32(SN_SHAPE(3), 1, 2, 3), *i = I32(SN_SCALAR, 2);
  sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1, .cache_capacity = 1,
                                      .forbid_recompile = true);
  ck_assert_int_eq(sn_call(f, &wrong, 1, &y, 1), SN_ERR_DTYPE);
  ck_assert_int_eq(sn_function_compile(f, &specs[0], 1, &program), SN_OK);
  sn_program_release(program);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  ck_assert_int_eq(sn_call(f, &i, 1, &y, 1), SN_ERR_STATE);
  ck_assert_int_eq(sn_function_compile(f, &specs[1], 1, &program), SN_OK);  // evicts the other
  sn_program_release(program);
  ck_assert_int_eq(sn_call(f, &i, 1, &y, 1), SN_OK);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_STATE);
  ck_assert_uint_eq(stats_of(f).traces, 2);
  sn_function_destroy(f);
}
END_TEST

// ---- how many are kept
START_TEST(test_the_cache_is_bounded) {
  sn_function *f = sn_function_create(ctx, twice, .inputs = 1, .outputs = 1, .cache_capacity = 4);
  int64_t bytes = 0;
  for (int n = 0; n < 400; n++) {
    SN_SCOPE(ctx);
    sn_tensor *x = sn_static(ctx, n), *y;
    ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
    ck_assert_double_eq(item(y), 2 * n);
    ck_assert_uint_le(stats_of(f).specialisations, 4);
    if (n == 300) bytes = memory.bytes;
  }
  // the histories of 256 signatures and 256 reasons are kept, and all of them by now
  ck_assert_msg(memory.bytes < bytes + 65536, "%lld bytes more", (long long)(memory.bytes - bytes));
  const sn_function_statistics stats = stats_of(f);
  ck_assert(stats.traces == 400 && stats.evictions == 396);
  // the least recently used one goes
  runs = 0;
  for (int k = 0; k < 20; k++) {
    SN_SCOPE(ctx);
    sn_tensor *kept = sn_static(ctx, 399), *fresh = sn_static(ctx, 1000 + k), *y;
    ck_assert_int_eq(sn_call(f, &kept, 1, &y, 1), SN_OK);
    ck_assert_int_eq(sn_call(f, &fresh, 1, &y, 1), SN_OK);
  }
  ck_assert_int_eq(runs, 20);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("retrace");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 200);
  tcase_add_test(tests, test_each_cause);
  tcase_add_test(tests, test_many_differences);
  tcase_add_test(tests, test_a_request_and_an_eviction);
  tcase_add_test(tests, test_the_op_and_line_that_pinned_a_dim);
  tcase_add_test(tests, test_the_op_and_line_of_a_condition);
  tcase_add_loop_test(tests, test_64_batch_sizes_times_64_lengths, 0, 4);
  tcase_add_test(tests, test_marked_dims_need_one_compile);
  tcase_add_test(tests, test_a_marked_dim_is_symbolic_at_once);
  tcase_add_test(tests, test_a_spec_of_unknown_rank_is_refused);
  tcase_add_test(tests, test_forbidden_is_every_new_trace);
  tcase_add_test(tests, test_forbidden_and_explicit_compilation);
  tcase_add_test(tests, test_the_cache_is_bounded);
  return run_cases("retrace", &tests, 1);
}
