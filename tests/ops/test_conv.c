// Convolutions against plain loops in double precision, forward and both gradients, in each mode: eager,
// taped, compiled by the interpreter and by LLVM, whose results have the same bits. 1 to 3 spatial dims,
// all paddings, strides, dilations, groups, both orders of dims, symbolic examples.
#include "ops/function_harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;
static uint64_t next_random(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
static int64_t between(int64_t least, int64_t greatest) {
  return least + (int64_t)(next_random() % (uint64_t)(greatest - least + 1));
}

enum { inputs = 3, outputs = 3 };

// A convolution, and how to run it. transposed: sn_conv_transpose of x.
typedef struct form {
  sn_dtype dtype;
  sn_conv_options o;
  int spatial;
  bool transposed, gradients;
  // of the windows' relation: image [n, i.., c], kernel [k.., c / groups, f], windows [n, o.., f]
  int64_t n, c, f, image[3], kernel[3], windows[3], low[3];
} form;

static int64_t or_one(int64_t x) {
  return x ? x : 1;
}

// Sizes of the windows and where they begin, by TensorFlow's formulas.
static bool place_windows(form *f) {
  for (int i = 0; i < f->spatial; i++) {
    const int64_t s = or_one(f->o.strides[i]), d = or_one(f->o.dilations[i]);
    const int64_t span = (f->kernel[i] - 1) * d + 1;
    if (f->o.padding == SN_PADDING_SAME) {
      f->windows[i] = (f->image[i] + s - 1) / s;
      const int64_t total = (f->windows[i] - 1) * s + span - f->image[i];
      f->low[i] = total > 0 ? total / 2 : 0;
    } else {
      const int64_t padded = f->image[i] + f->o.pads[i][0] + f->o.pads[i][1];
      if (padded < span) return false;
      f->windows[i] = (padded - span) / s + 1;
      f->low[i] = f->o.pads[i][0];
    }
  }
  for (int i = f->spatial; i < 3; i++)
    f->image[i] = f->kernel[i] = f->windows[i] = 1, f->low[i] = 0;
  return true;
}

static sn_shape shape_of(const form *f, int64_t channels, const int64_t *spatial) {
  sn_shape shape = {f->spatial + 2, {f->n}};
  const bool first = f->o.data_format == SN_CHANNELS_FIRST;
  for (int i = 0; i < f->spatial; i++) shape.dims[1 + first + i] = spatial[i];
  shape.dims[first ? 1 : 1 + f->spatial] = channels;
  return shape;
}

static sn_shape kernel_shape(const form *f) {
  sn_shape shape = {f->spatial + 2, {0}};
  for (int i = 0; i < f->spatial; i++) shape.dims[i] = f->kernel[i];
  shape.dims[f->spatial] = f->c / or_one(f->o.groups);
  shape.dims[f->spatial + 1] = f->f;
  return shape;
}

static int64_t elements(const sn_shape *s) {
  int64_t n = 1;
  for (int i = 0; i < s->rank; i++) n *= s->dims[i];
  return n;
}

// ---- the reference: one walk over all products, which adds each to the side that is asked for
typedef struct sides {
  double *image, *kernel, *windows;
} sides;

static int64_t place(const form *f, int64_t n, const int64_t *at, const int64_t *size,
                     int64_t channel, int64_t channels) {
  int64_t spatial = 0, all = 1;
  for (int i = 0; i < f->spatial; i++) {
    spatial = spatial * size[i] + at[i];
    all *= size[i];
  }
  if (f->o.data_format == SN_CHANNELS_FIRST) return (n * channels + channel) * all + spatial;
  return (n * all + spatial) * channels + channel;
}

// to: 0 image, 1 kernel, 2 windows
static void walk(const form *f, const sides *s, int to) {
  const int64_t groups = or_one(f->o.groups), cg = f->c / groups, fg = f->f / groups;
  int64_t o[3], k[3], at[3];
  for (int64_t n = 0; n < f->n; n++)
    for (o[0] = 0; o[0] < f->windows[0]; o[0]++)
      for (o[1] = 0; o[1] < f->windows[1]; o[1]++)
        for (o[2] = 0; o[2] < f->windows[2]; o[2]++)
          for (k[0] = 0; k[0] < f->kernel[0]; k[0]++)
            for (k[1] = 0; k[1] < f->kernel[1]; k[1]++)
              for (k[2] = 0; k[2] < f->kernel[2]; k[2]++) {
                bool inside = true;
                for (int i = 0; i < 3; i++) {
                  at[i] =
                      o[i] * or_one(f->o.strides[i]) + k[i] * or_one(f->o.dilations[i]) - f->low[i];
                  inside &= at[i] >= 0 && at[i] < f->image[i];
                }
                if (!inside) continue;
                int64_t tap = 0;
                for (int i = 0; i < f->spatial; i++) tap = tap * f->kernel[i] + k[i];
                for (int64_t c = 0; c < f->c; c++)
                  for (int64_t j = 0; j < fg; j++) {
                    const int64_t filter = c / cg * fg + j;
                    double *x = &s->image[place(f, n, at, f->image, c, f->c)];
                    double *w = &s->kernel[(tap * cg + c % cg) * f->f + filter];
                    double *y = &s->windows[place(f, n, o, f->windows, filter, f->f)];
                    if (to == 0) *x += *y * *w;
                    if (to == 1) *w += *x * *y;
                    if (to == 2) *y += *x * *w;
                  }
              }
}

// ---- the function
// in: what is convolved, the kernel, a cotangent.
static sn_status body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const form *f = user;
  out[0] = f->transposed ? sn_conv_transpose_opts(in[0], in[1], &f->o)
                         : sn_conv_opts(in[0], in[1], &f->o);
  if (f->gradients) sn_gradients(sn_sum(sn_mul(out[0], in[2])), in, 2, &out[1]);
  return sn_pending_error(context);
}

static double *numbers(int64_t n) {
  double *x = malloc((size_t)(n + 1) * sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = (double)between(-64, 64) / 16;
  return x;
}

static sn_tensor *tensor_of(sn_context *context, sn_dtype dtype, sn_shape shape, const double *x) {
  return sn_cast(sn_constant(context, SN_F64, shape, x), dtype);
}

static void read_into(sn_tensor *t, double *to, int64_t n) {
  ck_assert_msg(sn_read(sn_cast(t, SN_F64), to, (size_t)n * sizeof *to) == SN_OK, "%s",
                sn_error_message(sn_context_of(t)));
}

static void describe(const form *f, char *text, size_t size) {
  snprintf(
      text, size,
      "%s%s n %lld c %lld f %lld groups %lld image %lld %lld %lld kernel %lld %lld %lld stride "
      "%lld %lld %lld dilation %lld %lld %lld padding %d format %d",
      f->transposed ? "transposed " : "", sn_dtype_name(f->dtype), (long long)f->n, (long long)f->c,
      (long long)f->f, (long long)f->o.groups, (long long)f->image[0], (long long)f->image[1],
      (long long)f->image[2], (long long)f->kernel[0], (long long)f->kernel[1],
      (long long)f->kernel[2], (long long)f->o.strides[0], (long long)f->o.strides[1],
      (long long)f->o.strides[2], (long long)f->o.dilations[0], (long long)f->o.dilations[1],
      (long long)f->o.dilations[2], (int)f->o.padding, (int)f->o.data_format);
}

static double greatest(const double *x, int64_t n) {
  double y = 0;
  for (int64_t i = 0; i < n; i++) y = fmax(y, fabs(x[i]));
  return y;
}

// Runs the form in all modes. examples: sizes of the first dim, one call each of one function.
static void check_form(sn_context *context, form *f, const int64_t *examples, int n_examples) {
  static const sn_backend backends[] = {SN_BACKEND_INTERPRETER, SN_BACKEND_AUTO};
  sn_function *functions[2];
  char text[400];
  for (int b = 0; b < 2; b++)
    functions[b] =
        sn_function_create(context, body, .user = f, .inputs = inputs,
                           .outputs = f->gradients ? outputs : 1, .backend = backends[b]);
  for (int e = 0; e < n_examples; e++) {
    SN_SCOPE(context);
    f->n = examples[e];
    describe(f, text, sizeof text);
    const sn_shape shapes[3] = {shape_of(f, f->c, f->image), kernel_shape(f),
                                shape_of(f, f->f, f->windows)};
    const int64_t counts[3] = {elements(&shapes[0]), elements(&shapes[1]), elements(&shapes[2])};
    double *data[3], *sums[3];
    for (int i = 0; i < 3; i++) {
      data[i] = numbers(counts[i]);
      sums[i] = calloc((size_t)counts[i] + 1, sizeof *sums[i]);
    }
    // forward: x w -> y; gradients with cotangent dy: dx, dw; transposed: y w -> x, cotangent dx
    const int result = f->transposed ? 0 : 2, given = f->transposed ? 2 : 0;
    for (int to = 0; to < 3; to++) {
      sides s = {data[0], data[1], data[2]};
      double **at = to == 0 ? &s.image : to == 1 ? &s.kernel : &s.windows;
      *at = sums[to];
      walk(f, &s, to);
    }
    sn_tensor *in[inputs] = {tensor_of(context, f->dtype, shapes[given], data[given]),
                             tensor_of(context, f->dtype, shapes[1], data[1]),
                             tensor_of(context, f->dtype, shapes[result], data[result])};
    sn_tensor *out[3][outputs] = {{NULL}};
    const int n_out = f->gradients ? outputs : 1;
    const int side[outputs] = {result, given, 1};
    for (int mode = 0; mode < 3; mode++) {
      const sn_status status = mode == 0
                                   ? sn_call_eager(functions[0], in, inputs, out[mode], n_out)
                                   : sn_call(functions[mode - 1], in, inputs, out[mode], n_out);
      ck_assert_msg(status == SN_OK, "%s\nmode %d: %s", text, mode, sn_error_message(context));
      for (int i = 0; i < n_out; i++) {
        const int64_t n = counts[side[i]];
        double *seen = malloc((size_t)(n + 1) * sizeof *seen), *first = malloc((size_t)(n + 1) * 8);
        ck_assert_int_eq(sn_size(out[mode][i]), n);
        read_into(out[mode][i], seen, n);
        read_into(out[0][i], first, n);
        ck_assert_msg(!memcmp(seen, first, (size_t)n * sizeof *seen),
                      "%s\nmode %d, result %d: bits", text, mode, i);
        const double scale = greatest(sums[side[i]], n) + 1;
        for (int64_t k = 0; mode == 0 && k < n; k++)
          ck_assert_msg(fabs(seen[k] - sums[side[i]][k]) <= 1e-5 * scale,
                        "%s\nresult %d: [%lld] is %g, expected %g", text, i, (long long)k, seen[k],
                        sums[side[i]][k]);
        free(seen);
        free(first);
      }
    }
    for (int i = 0; i < 3; i++) {
      free(data[i]);
      free(sums[i]);
    }
  }
  for (int b = 0; b < 2; b++) sn_function_destroy(functions[b]);
}

static form random_form(void) {
  form f = {.dtype = between(0, 3) ? SN_F32 : SN_F64,
            .spatial = (int)between(1, 3),
            .transposed = between(0, 2) == 0,
            .gradients = true};
  do {
    f.o = (sn_conv_options){.size = sizeof f.o};
    f.o.groups = between(0, 2) ? 0 : between(1, 4);
    const int64_t groups = or_one(f.o.groups);
    f.c = groups * between(1, between(0, 1) ? 5 : 1);
    f.f = groups * between(1, between(0, 1) ? 20 : 1);
    f.o.padding = (sn_padding)between(0, 2);
    f.o.data_format = (sn_data_format)between(0, 1);
    for (int i = 0; i < f.spatial; i++) {
      f.image[i] = between(1, f.spatial == 3 ? 6 : 11);
      f.kernel[i] = between(1, 4);
      f.o.strides[i] = between(0, 2) ? 0 : between(1, 3);
      f.o.dilations[i] = between(0, 2) ? 0 : between(1, 3);
      for (int s = 0; f.o.padding == SN_PADDING_EXPLICIT && s < 2; s++)
        f.o.pads[i][s] = between(0, 4);
    }
  } while (!place_windows(&f));
  for (int i = 0; f.transposed && i < f.spatial; i++) f.o.output_size[i] = f.image[i];
  return f;
}

START_TEST(random_forms) {
  sn_context *context = open_context(SN_BACKEND_AUTO, 2, 1);
  state = 77 + (uint64_t)_i;
  for (int i = 0; i < 8; i++) {
    form f = random_form();
    const int64_t examples[] = {between(1, 4), between(1, 4), between(0, 3)};
    check_form(context, &f, examples, 1 + 2 * (i % 2));
  }
  sn_context_destroy(context);
}
END_TEST

// Sizes at which products are called, of many rows and segments.
START_TEST(larger_forms) {
  static const struct {
    int64_t n, c, f, image, kernel, stride;
    sn_padding padding;
  } cases[] = {
      {3, 32, 48, 14, 3, 1, SN_PADDING_SAME},  {2, 64, 32, 12, 3, 2, SN_PADDING_SAME},
      {4, 3, 32, 20, 5, 2, SN_PADDING_VALID},  {2, 130, 33, 6, 3, 1, SN_PADDING_VALID},
      {5, 16, 64, 16, 1, 1, SN_PADDING_VALID}, {2, 16, 24, 15, 1, 2, SN_PADDING_SAME},
  };
  sn_context *context = open_context(SN_BACKEND_AUTO, 2, 1);
  state = 5;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    form f = {.dtype = SN_F32, .spatial = 2, .gradients = true};
    f.o = (sn_conv_options){.size = sizeof f.o, .padding = cases[i].padding};
    f.c = cases[i].c;
    f.f = cases[i].f;
    for (int d = 0; d < 2; d++) {
      f.image[d] = cases[i].image;
      f.kernel[d] = cases[i].kernel;
      f.o.strides[d] = cases[i].stride;
    }
    ck_assert(place_windows(&f));
    check_form(context, &f, &cases[i].n, 1);
  }
  sn_context_destroy(context);
}
END_TEST

// Whole numbers, without error.
START_TEST(integers) {
  sn_context *context = open_context(SN_BACKEND_AUTO, 1, 1);
  state = 9;
  for (int i = 0; i < 12; i++) {
    SN_SCOPE(context);
    form f = random_form();
    f.dtype = i % 2 ? SN_I32 : SN_I64;
    f.n = 2;
    const sn_shape shapes[3] = {shape_of(&f, f.c, f.image), kernel_shape(&f),
                                shape_of(&f, f.f, f.windows)};
    const int given = f.transposed ? 2 : 0, result = f.transposed ? 0 : 2;
    const int64_t all = elements(&shapes[result]);
    double *data[3], *seen = malloc((size_t)(all + 1) * sizeof *seen);
    for (int s = 0; s < 3; s++) {
      data[s] = numbers(elements(&shapes[s]));
      for (int64_t k = 0; k < elements(&shapes[s]); k++)
        data[s][k] = s == result ? 0 : trunc(data[s][k]);
    }
    const sides s = {data[0], data[1], data[2]};
    walk(&f, &s, result);
    sn_tensor *x = tensor_of(context, f.dtype, shapes[given], data[given]);
    sn_tensor *kernel = tensor_of(context, f.dtype, shapes[1], data[1]);
    sn_tensor *y =
        f.transposed ? sn_conv_transpose_opts(x, kernel, &f.o) : sn_conv_opts(x, kernel, &f.o);
    read_into(y, seen, all);
    ck_assert(!memcmp(seen, data[result], (size_t)all * sizeof *seen));
    for (int k = 0; k < 3; k++) free(data[k]);
    free(seen);
  }
  sn_context_destroy(context);
}
END_TEST

// Spatial sizes that differ from call to call: of one function, to the bit what op by op gives.
static sn_status any_size(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_conv_opts(in[0], in[1], user);
  sn_gradients(sn_sum(sn_square(out[0])), in, 2, &out[1]);
  return sn_pending_error(context);
}

START_TEST(symbolic_sizes) {
  sn_context *context = open_context(SN_BACKEND_AUTO, 2, 1);
  for (int stride = 1; stride < 4; stride++) {
    for (int64_t channels = 1; channels < 4; channels += 2) {
      sn_conv_options o = {.size = sizeof o,
                           .strides = {stride, stride},
                           .padding = (sn_padding)(stride % 2),
                           .dilations = {1 + stride / 2, 1}};
      sn_function *f =
          sn_function_create(context, any_size, .inputs = 2, .outputs = outputs, .user = &o);
      for (int64_t size = 6; size < 14; size += 1 + size % 3) {
        SN_SCOPE(context);
        sn_tensor *in[] = {
            sn_random_normal(context, SN_F32, SN_SHAPE(1 + size % 3, size, size + 1, channels)),
            sn_random_normal(context, SN_F32, SN_SHAPE(3, 2, channels, channels == 1 ? 1 : 5))};
        sn_tensor *got[outputs], *expected[outputs];
        call_both(context, f, in, 2, got, expected, outputs);
        for (int i = 0; i < outputs; i++) ck_assert(same_bits(got[i], expected[i]));
      }
      sn_function_destroy(f);
    }
  }
  sn_context_destroy(context);
}
END_TEST

// What is refused, and what the message names.
START_TEST(refusals) {
  sn_context *c = open_context(SN_BACKEND_AUTO, 1, 1);
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 5, 5, 4)), *row = sn_zeros(c, SN_F32, SN_SHAPE(5));
  sn_tensor *w = sn_zeros(c, SN_F32, SN_SHAPE(3, 3, 4, 6)),
            *d = sn_zeros(c, SN_F64, SN_SHAPE(3, 3, 4, 6));
  sn_tensor *large = sn_zeros(c, SN_F32, SN_SHAPE(7, 1, 4, 6)),
            *none = sn_zeros(c, SN_F32, SN_SHAPE(0, 3, 4, 6));
  sn_tensor *bits = sn_zeros(c, SN_BOOL, SN_SHAPE(2, 5, 5, 4));
  const struct {
    sn_tensor *x, *w;
    sn_conv_options o;
    bool transposed;
    sn_status status;
    const char *part;
  } cases[] = {
      {x,
       d,
       {0},
       false,
       SN_ERR_DTYPE,
       "sn_conv: dtypes differ: operands #0 f32[2,5,5,4], #1 (kernel) f64[3,3,4,6]"},
      {bits, bits, {0}, false, SN_ERR_DTYPE, "operand #0 is bool[2,5,5,4], expected"},
      {row, w, {0}, false, SN_ERR_SHAPE, "expected an image of rank 3 to 5"},
      {x, row, {0}, false, SN_ERR_SHAPE, "expected an image of rank 3 to 5"},
      {x, large, {0}, false, SN_ERR_SHAPE, "the kernel is larger than the padded image"},
      {x, none, {0}, false, SN_ERR_SHAPE, "the kernel is empty"},
      {x,
       w,
       {.groups = 2},
       false,
       SN_ERR_SHAPE,
       "the kernel must be [spatial.., channels of the image / groups, filters]"},
      {x, w, {.groups = -1}, false, SN_ERR_ARGUMENT, ".groups is negative"},
      {x, w, {.strides = {0, -1}}, false, SN_ERR_ARGUMENT, ".strides and .dilations are not in"},
      {x, w, {.strides = {1, 1, 2}}, false, SN_ERR_ARGUMENT, "more spatial dims than there are"},
      {x, w, {.pads = {{1, 0}}}, false, SN_ERR_ARGUMENT, ".pads without .padding"},
      {x,
       w,
       {.padding = SN_PADDING_EXPLICIT, .pads = {{1, -1}}},
       false,
       SN_ERR_ARGUMENT,
       ".pads are not in"},
      {x, w, {.padding = (sn_padding)7}, false, SN_ERR_ARGUMENT, ".padding is no sn_padding"},
      {x,
       w,
       {.data_format = (sn_data_format)7},
       false,
       SN_ERR_ARGUMENT,
       ".data_format is no sn_data_format"},
      {x, w, {.output_size = {4}}, false, SN_ERR_ARGUMENT, ".output_size of sn_conv"},
      {x,
       w,
       {0},
       true,
       SN_ERR_SHAPE,
       "sn_conv_transpose: the kernel must be [spatial.., channels of the result"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sn_conv_options o = cases[i].o;
    o.size = sizeof o;
    sn_tensor *y = cases[i].transposed ? sn_conv_transpose_opts(cases[i].x, cases[i].w, &o)
                                       : sn_conv_opts(cases[i].x, cases[i].w, &o);
    ck_assert(sn_failed(y));
    ck_assert_msg(sn_pending_error(c) == cases[i].status, "%d: %s", (int)i, sn_error_message(c));
    ck_assert_msg(strstr(sn_error_message(c), cases[i].part) != NULL, "%d: %s", (int)i,
                  sn_error_message(c));
    ck_assert_int_eq(sn_check(c), cases[i].status);
  }
  sn_conv_options o = {.size = sizeof o, .strides = {2, 2}, .output_size = {4, 11}};
  sn_tensor *y = sn_conv_transpose_opts(sn_zeros(c, SN_F32, SN_SHAPE(2, 5, 5, 6)), w, &o);
  ck_assert(sn_failed(y));
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(c), "of a result of this size would have another shape"));
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("conv");
  TCase *tests = tcase_create("conv");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, random_forms, 0, 20);
  tcase_add_test(tests, larger_forms);
  tcase_add_test(tests, integers);
  tcase_add_test(tests, symbolic_sizes);
  tcase_add_test(tests, refusals);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
