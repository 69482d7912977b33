// Sizes that are elements of a run: one program for all of them, with the bits of eager mode, on every backend; in loops
// and branches; with gradients; and what a run does when sizes are not what an op needs.
#include "function_harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { n_contexts = 1 + 2 * SINTER_HAS_LLVM, most = 6 };
static sn_context *contexts[n_contexts];

static void open_contexts(void) {
  for (int i = 0; i < n_contexts; i++)
    contexts[i] = open_context(i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, i == 2 ? 2 : 1, 5);
}
static void close_contexts(void) {
  for (int i = 0; i < n_contexts; i++) sn_context_destroy(contexts[i]);
}

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, sn_pending_error(c)

static sn_tensor *positive(sn_tensor *x) {
  return sn_boolean_mask(x, sn_greater_scalar(x, 0));
}

// ---- programs: in[0] f32[n] of small multiples of 1/2, many of them equal; in[1] f32[n,3]
BODY(positives) {
  out[0] = sn_mul(positive(in[0]), sn_exp(positive(in[0])));
  out[1] = sn_sum(positive(in[0]));
  out[2] = sn_axis_size(positive(in[0]), 0, SN_I64);
  END;
}
BODY(places) {
  out[0] = sn_nonzero(in[0]);
  out[1] = sn_argwhere(in[1]);
  out[2] = sn_gather(in[1], sn_ravel(sn_nonzero(in[0])));
  END;
}
BODY(different) {
  sn_tensor *all = sn_unique(in[0], &out[1], &out[2]);
  out[0] = sn_concat(((sn_tensor *[]){all, in[0], all}), 3, 0);
  out[3] = sn_gather(all, out[1]);
  END;
}
BODY(chained) {  // the different ones among the places of the positive ones of the different ones
  sn_tensor *all = sn_unique(in[0], NULL, NULL);
  sn_tensor *at = sn_ravel(sn_nonzero(sn_greater_scalar(all, 0)));
  out[0] = sn_unique(sn_floor_div_scalar(at, 2), NULL, NULL);
  out[1] = sn_boolean_mask(positive(all), sn_less_scalar(positive(all), 2));
  END;
}
BODY(rows) {
  sn_tensor *y = sn_boolean_mask(in[1], sn_greater_scalar(in[0], 0));
  out[0] = sn_matmul(y, sn_transpose(y));
  out[1] = sn_softmax(y, -1);
  out[2] = sn_mean(y, .axes = SN_AXES(1));
  out[3] = sn_sort(y, 0);
  out[4] = sn_cumsum(y, 0);
  END;
}
BODY(both) {  // one mask of two, whose sizes are the same
  sn_tensor *m = sn_greater_scalar(in[0], 0), *y = sn_boolean_mask(in[1], m);
  out[0] = sn_add(sn_mul(y, sn_expand_dims(positive(in[0]), 1)), y);
  out[1] = sn_where(sn_boolean_mask(m, m), positive(in[0]), sn_neg(positive(in[0])));
  END;
}
BODY(counts) {
  sn_tensor *n = sn_cast(sn_abs(in[0]), SN_I32);
  out[0] = sn_bincount(n);
  out[1] = sn_broadcast_like(sn_sum(in[0]), positive(in[0]));
  out[2] = sn_tile(positive(in[0]), (const int64_t[]){2}, 1);
  out[3] = sn_flip(positive(in[0]), .axes = SN_AXES(0));
  END;
}

// ---- gradients
static sn_tensor *loss(sn_tensor *const *in) {
  sn_tensor *y = sn_boolean_mask(in[1], sn_greater_scalar(in[0], 0));
  sn_tensor *z = sn_mul(sn_tanh(y), sn_expand_dims(positive(in[0]), 1));
  return sn_sum(sn_mul(z, sn_add(z, y)));
}
BODY(first_order) {
  out[0] = loss(in);
  sn_gradients(out[0], in, 2, &out[1]);
  END;
}
BODY(second_order) {
  sn_tensor *g[2];
  out[0] = loss(in);
  sn_gradients(out[0], in, 2, g);
  sn_tensor *norm = sn_add(sn_sum(sn_square(g[0])), sn_sum(sn_square(g[1])));
  sn_gradients(norm, in, 2, &out[1]);
  END;
}

BODY(kept_rows) {
  out[0] = loss(in);
  END;
}
BODY(checkpointed) {
  sn_checkpoint(c, kept_rows, NULL, in, 2, out, 1);
  sn_gradients(out[0], in, 2, &out[1]);
  END;
}

// ---- loops and branches
BODY(inner_mask) {  // h' = h + the mean of what is above h
  sn_tensor *above = sn_boolean_mask(in[1], sn_greater(in[1], in[0]));
  out[0] = sn_add(in[0], sn_mul_scalar(sn_sum(above), 0.125));
  out[1] = sn_sum(sn_square(above));
  END;
}
BODY(scanned) {
  sn_scan(c, inner_mask, NULL, SN_ARGS(sn_zeros(c, SN_F32, SN_SHAPE(1))), SN_ARGS(in[1]), out, 2);
  END;
}
BODY(below) {
  out[0] = sn_less(sn_sum(in[0]), sn_scalar_f32(c, 3));
  END;
}
BODY(grow) {
  sn_tensor *y = positive(in[0]);
  out[0] = sn_add_scalar(in[0], 0.25);
  out[1] = sn_add(in[1], sn_mul(sn_sum(sn_square(y)), sn_scalar_f32(c, 0.125f)));
  END;
}
BODY(until) {
  sn_tensor *first = sn_sub_scalar(sn_tanh(sn_mean(in[1], .axes = SN_AXES(0))), 1);
  sn_while_loop(c, below, grow, NULL, SN_ARGS(first, sn_scalar_f32(c, 0)), out, 2);
  END;
}
BODY(of_mask) {
  out[0] = sn_sum(sn_square(*(sn_tensor **)user));
  (void)in;
  return sn_pending_error(c);
}
BODY(of_none) {
  out[0] = sn_sum(positive(sn_neg(*(sn_tensor **)user)));
  (void)in;
  return sn_pending_error(c);
}
BODY(branches) {  // reads a late value of the graph around, and makes one of its own
  sn_tensor *y = positive(in[0]);
  sn_cond(c, sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0)), of_mask, of_none, &y, NULL, 0, out, 1);
  END;
}
BODY(gradient_of_loops) {
  sn_tensor *t[2];
  scanned(c, in, t, NULL);
  out[0] = sn_add(sn_sum(t[0]), sn_sum(t[1]));
  sn_gradients(out[0], &in[1], 1, &out[1]);
  END;
}
BODY(gradient_of_while) {
  sn_tensor *t[2];
  until(c, in, t, NULL);
  out[0] = sn_add(t[1], sn_sum(sn_square(positive(t[0]))));
  sn_gradients(out[0], &in[1], 1, &out[1]);
  END;
}

// As many iterations as there are rows.
BODY(row_step) {
  out[0] = sn_tanh(sn_add(in[0], in[1]));
  out[1] = sn_mul(out[0], in[1]);
  END;
}
BODY(over_rows) {
  sn_tensor *y = sn_boolean_mask(in[1], sn_greater_scalar(in[0], 0));
  sn_scan(c, row_step, NULL, SN_ARGS(sn_zeros(c, SN_F32, SN_SHAPE(3))), SN_ARGS(y), out, 2);
  END;
}
BODY(gradient_over_rows) {
  sn_tensor *t[2];
  over_rows(c, in, t, NULL);
  out[0] = sn_add(sn_sum(t[0]), sn_sum(sn_square(t[1])));
  sn_gradients(out[0], &in[1], 1, &out[1], .unconnected = SN_ZEROS);
  END;
}

static const struct {
  const char *name;
  sn_callback body;
  int n_out, segments;
  int64_t least;  // size, for eager gradients: of a loop without iterations they are not connected
} programs[] = {{"positives", positives, 3, 2, 0},
                {"places", places, 3, 2, 0},
                {"different", different, 4, 2, 0},
                {"chained", chained, 2, 4, 0},
                {"rows", rows, 5, 2, 0},
                {"both", both, 2, 2, 0},
                {"counts", counts, 4, 2, 0},
                {"first_order", first_order, 3, 2, 0},
                {"second_order", second_order, 3, 2, 0},
                {"checkpointed", checkpointed, 3, 2, 0},
                {"scanned", scanned, 2, 0, 0},
                {"until", until, 2, 0, 0},
                {"over_rows", over_rows, 2, 2, 0},
                {"gradient_over_rows", gradient_over_rows, 2, 2, 0},
                {"branches", branches, 1, 2, 0},
                {"gradient_of_loops", gradient_of_loops, 2, 0, 1},
                {"gradient_of_while", gradient_of_while, 2, 2, 1}};

enum { n_programs = sizeof(programs) / sizeof(*programs) };

static void make_inputs(sn_context *c, int64_t n, int variant, sn_tensor **in) {
  float x[200], y[600];
  for (int i = 0; i < 200; i++) x[i] = variant == 1 ? -1 : 0.5f * (float)((i * 7 + i / 9) % 11 - 5);
  for (int i = 0; i < 600; i++) y[i] = 0.25f * (float)((i * 13 + i / 7) % 17 - 8);
  in[0] = sn_constant(c, SN_F32, SN_SHAPE(n), x);
  in[1] = sn_constant(c, SN_F32, SN_SHAPE(n, 3), y);
}

static const sn_spec specs[] = {{SN_F32, {1, {SN_UNKNOWN}}}, {SN_F32, {2, {SN_UNKNOWN, 3}}}};

static sn_function *function_of(sn_context *c, int which) {
  return sn_function_create(c, programs[which].body, .inputs = 2, .outputs = programs[which].n_out,
                            .specs = specs, .name = programs[which].name);
}

static uint64_t compiles_of(const sn_function *f) {
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  return stats.compiles;
}

START_TEST(one_program_for_all_sizes) {
  static const int64_t sizes[] = {5, 1, 0, 133, 64, 5};
  for (int k = 0; k < n_contexts; k++) {
    sn_context *c = contexts[k];
    sn_function *f = function_of(c, _i);
    sn_program *program;
    ck_assert_msg(!sn_function_compile(f, specs, 2, &program), "%s", sn_error_message(c));
    for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
      for (int variant = 0; variant < 2; variant++) {
        if (sizes[s] < programs[_i].least) continue;
        SN_SCOPE(c);
        sn_tensor *in[2], *got[most], *expected[most];
        make_inputs(c, sizes[s], variant, in);
        call_both(c, f, in, 2, got, expected, programs[_i].n_out);
        for (int i = 0; i < programs[_i].n_out; i++)
          ck_assert_msg(same_bits(got[i], expected[i]), "%s: output %d of %d elements",
                        programs[_i].name, i, (int)sizes[s]);
      }
    ck_assert_uint_eq(compiles_of(f), 1);
    sn_program_release(program);
    sn_function_destroy(f);
  }
}
END_TEST

// The text of a trace is the same program.
START_TEST(survive_a_round_trip) {
  sn_context *c = contexts[n_contexts - 1];
  sn_function *f = function_of(c, _i);
  sn_program *program, *again;
  char *text, *text_again;
  ck_assert_msg(!sn_function_compile(f, specs, 2, &program), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_program_dump(c, program, SN_STAGE_TRACE, &text), SN_OK);
  ck_assert_msg(!sn_program_from_text(c, text, strlen(text), &again), "%s\n%s", sn_error_message(c),
                text);
  ck_assert_int_eq(sn_program_dump(c, again, SN_STAGE_TRACE, &text_again), SN_OK);
  ck_assert_str_eq(text, text_again);
  sn_text_free(c, text);
  sn_text_free(c, text_again);
  sn_program_release(again);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// Segments, and those of bodies.
START_TEST(as_many_segments_as_sizes_need) {
  sn_context *c = contexts[0];
  sn_function *f = function_of(c, _i);
  char *text = kernel_text(c, f, specs, 2), wanted[40];
  snprintf(wanted, sizeof(wanted), "// segment 1 of %d\n", programs[_i].segments);
  if (programs[_i].segments)
    ck_assert_msg(!strncmp(text, wanted, strlen(wanted)), "%s: %.60s", programs[_i].name, text);
  else  // the bodies'
    ck_assert_msg(strncmp(text, "// segment", 10) && count(text, "// segment 2 of 2:"), "%s",
                  programs[_i].name);
  sn_text_free(c, text);
  sn_function_destroy(f);
}
END_TEST

// ---- gradients against central differences
static double loss_at(sn_context *c, sn_function *f, float *x, float *y, int n) {
  SN_SCOPE(c);
  sn_tensor *in[2] = {sn_constant(c, SN_F32, SN_SHAPE(n), x),
                      sn_constant(c, SN_F32, SN_SHAPE(n, 3), y)},
            *out[3];
  float value;
  ck_assert_int_eq(sn_call(f, in, 2, out, 3), SN_OK);
  ck_assert_int_eq(sn_read(out[0], &value, sizeof(value)), SN_OK);
  return (double)value;
}

START_TEST(gradients_are_those_of_differences) {
  enum { n = 7 };
  const double h = 1.0 / 256;
  sn_context *c = contexts[n_contexts - 1];
  sn_function *f = sn_function_create(c, first_order, .inputs = 2, .outputs = 3, .specs = specs);
  float x[n], y[3 * n], gx[n], gy[3 * n];
  for (int i = 0; i < n; i++) x[i] = i % 3 ? 0.5f * (float)(i + 1) : -1;
  for (int i = 0; i < 3 * n; i++) y[i] = 0.125f * (float)(i % 11 - 5);
  SN_SCOPE(c);
  sn_tensor *in[2] = {sn_constant(c, SN_F32, SN_SHAPE(n), x),
                      sn_constant(c, SN_F32, SN_SHAPE(n, 3), y)},
            *out[3];
  ck_assert_msg(!sn_call(f, in, 2, out, 3), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(out[1], gx, sizeof(gx)), SN_OK);
  ck_assert_int_eq(sn_read(out[2], gy, sizeof(gy)), SN_OK);
  for (int i = 0; i < 4 * n; i++) {
    float *at = i < n ? &x[i] : &y[i - n];
    const float was = *at;
    *at = was + (float)h;
    const double above = loss_at(c, f, x, y, n);
    *at = was - (float)h;
    const double below = loss_at(c, f, x, y, n);
    *at = was;
    const double got = (double)(i < n ? gx[i] : gy[i - n]);
    ck_assert_msg(fabs(got - (above - below) / (2 * h)) < 1e-3 * (1 + fabs(got)), "%d: %g, %g", i,
                  got, (above - below) / (2 * h));
  }
  sn_function_destroy(f);
}
END_TEST

// ---- what does not fit
static sn_tensor *variable;

BODY(two_masks) {
  sn_tensor *a = positive(in[0]), *b = sn_boolean_mask(in[0], sn_less_scalar(in[0], 0));
  sn_assign_add(variable, sn_scalar_f32(c, 1));
  out[0] = sn_add(a, b);
  END;
}
BODY(three_of_them) {
  sn_assign_add(variable, sn_scalar_f32(c, 1));
  out[0] = sn_add(positive(in[0]), sn_constant(c, SN_F32, SN_SHAPE(3), (float[]){1, 2, 3}));
  END;
}
BODY(pairs) {
  sn_assign_add(variable, sn_scalar_f32(c, 1));
  out[0] =
      sn_matmul(sn_reshape(positive(in[0]), SN_SHAPE(-1, 2)), sn_ones(c, SN_F32, SN_SHAPE(2, 2)));
  END;
}
BODY(second_of_them) {
  sn_assign_add(variable, sn_scalar_f32(c, 1));
  out[0] = sn_index(positive(in[0]), 0, 1);
  END;
}
BODY(index_behind) {  // the fault comes after the size is known
  sn_tensor *y = positive(in[0]);
  sn_assign_add(variable, sn_sum(y));
  out[0] = sn_gather(y, sn_constant(c, SN_I32, SN_SHAPE(1), (int32_t[]){2}));
  END;
}

static float value_of_variable(void) {
  float value;
  ck_assert_int_eq(sn_read(variable, &value, sizeof(value)), SN_OK);
  return value;
}

static const struct {
  sn_callback body;
  const char *message;
  sn_status status;
  float good[5], bad[5];
} misfits[] = {
    {two_masks,
     "sn_add: needs two sizes to be equal, but they are 3 and 2 (",
     SN_ERR_SHAPE,
     {1, 2, -1, -2, 0},
     {1, 2, 3, -1, -2}},
    {three_of_them,
     "sn_add: needs two sizes to be 3, but they are 2 and 3 (",
     SN_ERR_SHAPE,
     {1, 2, 3, -1, -2},
     {1, 2, -3, -1, -2}},
    {three_of_them,
     "sn_add: needs two sizes to be 3, but they are 1 and 3; a size that is found out in "
     "a run is not broadcast where it is 1 (",
     SN_ERR_SHAPE,
     {1, 2, 3, -1, -2},
     {1, -2, -3, -1, -2}},
    {pairs,
     "sn_reshape: needs two sizes to be equal, but they are ",
     SN_ERR_SHAPE,
     {1, 2, 3, 4, -2},
     {1, 2, -3, 4, -2}},
    {second_of_them,
     "sn_index: needs a size of 2 or more, but it is 1 (",
     SN_ERR_SHAPE,
     {1, 2, 3, -1, -2},
     {1, -2, -3, -1, -2}},
    {index_behind,
     "sn_gather: an index (operand #1, i32[1]) is out of range",
     SN_ERR_INDEX,
     {1, 2, 3, -1, -2},
     {1, -2, 3, -1, -2}}};

START_TEST(a_run_says_what_does_not_fit) {
  for (int k = 0; k < n_contexts; k++) {
    sn_context *c = contexts[k];
    SN_SCOPE(c);
    variable = sn_variable(sn_scalar_f32(c, 5));
    sn_function *f =
        sn_function_create(c, misfits[_i].body, .inputs = 1, .outputs = 1, .name = "misfit");
    sn_tensor *good = sn_constant(c, SN_F32, SN_SHAPE(5), misfits[_i].good), *y;
    sn_tensor *bad = sn_constant(c, SN_F32, SN_SHAPE(5), misfits[_i].bad);
    ck_assert_msg(!sn_call(f, &good, 1, &y, 1), "%s", sn_error_message(c));
    const float after = value_of_variable();
    ck_assert(after > 5);
    ck_assert_int_eq(sn_call(f, &bad, 1, &y, 1), misfits[_i].status);
    ck_assert_msg(strstr(sn_error_message(c), misfits[_i].message) != NULL, "%s",
                  sn_error_message(c));
    ck_assert_msg(strstr(sn_error_message(c), "test_late_dims.c:") != NULL, "%s",
                  sn_error_message(c));
    ck_assert(value_of_variable() == after);
    ck_assert_msg(!sn_call(f, &good, 1, &y, 1), "%s", sn_error_message(c));
    ck_assert(value_of_variable() > after);
    ck_assert_uint_eq(compiles_of(f), 1);
    sn_function_destroy(f);
    sn_release(variable);
  }
}
END_TEST

// ---- what is refused while it is traced
BODY(mask_row) {
  out[0] = positive(in[0]);
  END;
}
BODY(next_is_mask) {
  out[0] = positive(in[0]);
  END;
}
BODY(always) {
  out[0] = sn_less(sn_sum(in[0]), sn_scalar_f32(c, 0));
  END;
}
BODY(rows_of_masks) {
  sn_map_fn(c, mask_row, NULL, SN_ARGS(in[1]), out, 1);
  END;
}
BODY(carried_mask) {
  sn_while_loop(c, always, next_is_mask, NULL, SN_ARGS(in[0]), out, 1);
  END;
}
static const struct {
  sn_callback body;
  const char *message;
} refused[] = {{rows_of_masks, "a size that the body alone knows"},
               {carried_mask, "sn_while_loop: carried value 0 is f32["}};

START_TEST(sizes_of_bodies_stay_in_them) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  sn_tensor *in[2], *y;
  make_inputs(c, 5, 0, in);
  sn_function *f =
      sn_function_create(c, refused[_i].body, .inputs = 2, .outputs = 1, .name = "refused");
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), refused[_i].message) != NULL, "%s",
                sn_error_message(c));
  sn_function_destroy(f);
}
END_TEST

// ---- views of the caller's
START_TEST(runners_want_the_size) {
  sn_context *c = contexts[n_contexts - 1];
  sn_function *f = sn_function_create(c, mask_row, .inputs = 1, .outputs = 1, .specs = specs);
  sn_program *program;
  sn_runner *runner;
  sn_spec spec = {SN_F32, {1, {5}}};
  float x[5] = {1, -1, 2, 0, 3}, y[5] = {0};
  ck_assert_msg(!sn_function_compile(f, specs, 1, &program), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_program_output_spec(c, program, &spec, 1, 0, &spec), SN_OK);
  ck_assert_int_eq(spec.shape.dims[0], SN_UNKNOWN);
  ck_assert_int_eq(sn_runner_create(c, program, 1, &runner), SN_OK);
  sn_view in = {x, SN_F32, {1, {5}}}, out = {y, SN_F32, {1, {5}}};
  ck_assert_int_eq(sn_run(runner, &in, &out), SN_ERR_SHAPE);
  ck_assert_msg(
      strstr(sn_runner_error(runner), "is f32[3] in this run, which the view f32[5] does") != NULL,
      "%s", sn_runner_error(runner));
  out.shape.dims[0] = 3;
  ck_assert_msg(!sn_run(runner, &in, &out), "%s", sn_runner_error(runner));
  ck_assert(y[0] == 1 && y[1] == 2 && y[2] == 3);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// ---- texts: more than a trace makes
static const struct {
  const char *lines, *message;
  int rank;  // of the output
} texts[] = {
    {"  %1 = constant -2 : i64[]\n  %2 = extent(%1) {size=L} : i64[]\n"
     "  %3 = iota() {axis=0} : f32[L]\n  return %3\n",
     "extent: a result would have -2 elements", 1},
    {"  %1 = constant 1152921504606846976 : i64[]\n  %2 = extent(%1) {size=L} : i64[]\n"
     "  %3 = iota() {axis=0} : f32[L]\n  %4 = sort(%3) {descending=0} : f32[L]\n"
     "  %5 = reduce_max(%4) {axes=[0]} : f32[]\n  return %5\n",
     "out of memory", 0},
    {"  %1 = constant 3 : i64[]\n  %2 = extent(%1) {size=B} : i64[]\n  return %0\n",
     "extent: the size is 3, expected B, which is 4", 1},
    {"  %1 = constant 3 : i64[]\n  %2 = extent(%1) {size=L} : i64[]\n"
     "  %3 = slice(%0) {start=[2], step=[1]} : f32[L]\n  return %3\n",
     "slice: ", 1},
    {"  %1 = iota() {axis=0} : f32[L]\n  %2 = constant 3 : i64[]\n"
     "  %3 = extent(%2) {size=L} : i64[]\n  return %1\n",
     "the size L is asked for where no extent has said it", 1},
    {"  %1 = constant 0 : i32[]\n  %2 = cond(%1, %0) [func {\n"
     "    %0 = parameter input 0 : f32[B]\n    %1 = constant 3 : i64[]\n"
     "    %2 = extent(%1) {size=L} : i64[]\n"
     "    %3 = slice(%0) {start=[2], step=[1]} : f32[L]\n"
     "    %4 = reduce_sum(%3) {axes=[0]} : f32[]\n    return %4\n  }] : bool[]\n"
     "  %3 = result(%2) {index=0} : f32[]\n  return %3\n",
     "slice: ", 0},
};

START_TEST(texts_say_sizes_that_cannot_be) {
  sn_context *c = contexts[n_contexts - 1];
  SN_SCOPE(c);
  char text[600];
  snprintf(text, sizeof(text), "func @f {\n  %%0 = parameter input 0 : f32[B]\n%s}\n",
           texts[_i].lines);
  sn_program *program = NULL;
  if (sn_program_from_text(c, text, strlen(text), &program)) {
    ck_assert_msg(strstr(sn_error_message(c), texts[_i].message) != NULL, "%s",
                  sn_error_message(c));
    return;
  }
  sn_runner *runner;
  float x[4] = {0}, y[4];
  ck_assert_int_eq(sn_runner_create(c, program, 1, &runner), SN_OK);
  const sn_view in = {x, SN_F32, {1, {4}}}, out = {y, SN_F32, {texts[_i].rank, {4}}};
  ck_assert_int_ne(sn_run(runner, &in, &out), SN_OK);
  ck_assert_msg(strstr(sn_runner_error(runner), texts[_i].message) != NULL, "%s",
                sn_runner_error(runner));
  sn_runner_destroy(runner);
  sn_program_release(program);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(*(array))))

int main(void) {
  Suite *s = suite_create("late_dims");
  TCase *t = tcase_create("late_dims");
  tcase_set_timeout(t, 120);
  tcase_add_unchecked_fixture(t, open_contexts, close_contexts);
  tcase_add_loop_test(t, one_program_for_all_sizes, 0, n_programs);
  tcase_add_loop_test(t, survive_a_round_trip, 0, n_programs);
  tcase_add_loop_test(t, as_many_segments_as_sizes_need, 0, n_programs);
  tcase_add_test(t, gradients_are_those_of_differences);
  tcase_add_loop_test(t, a_run_says_what_does_not_fit, 0, COUNT_OF(misfits));
  tcase_add_loop_test(t, sizes_of_bodies_stay_in_them, 0, COUNT_OF(refused));
  tcase_add_test(t, runners_want_the_size);
  tcase_add_loop_test(t, texts_say_sizes_that_cannot_be, 0, COUNT_OF(texts));
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  const int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
