// Scatters, segments and counts against plain C, in every mode: op by op, interpreted, compiled, one thread and two, every
// dtype, sizes 0, 1 and odd ones, indices that come twice; indices out of range; results as large as their elements say.
#include "ops/function_harness.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { n_contexts = 1 + 2 * SINTER_HAS_LLVM };
static sn_context *contexts[n_contexts];

static void open_contexts(void) {
  for (int i = 0; i < n_contexts; i++)
    contexts[i] = open_context(i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, i == 2 ? 2 : 1, 5);
}
static void close_contexts(void) {
  for (int i = 0; i < n_contexts; i++) sn_context_destroy(contexts[i]);
}

static double *numbers_of(sn_tensor *t) {
  double *x = calloc((size_t)sn_size(t) + 1, sizeof *x);
  if (sn_dtype_of(t) == SN_C64 || sn_dtype_of(t) == SN_C128) t = sn_real(t);
  t = sn_cast(t, SN_F64);
  ck_assert_msg(!sn_read(t, x, (size_t)sn_size(t) * sizeof *x), "%s",
                sn_error_message(sn_context_of(t)));
  return x;
}

static void check_numbers(sn_tensor *t, const double *wanted, int64_t n, const char *what) {
  ck_assert_msg(!sn_failed(t), "%s: %s", what, sn_error_message(sn_context_of(t)));
  ck_assert_msg(sn_size(t) == n, "%s: %d elements, expected %d", what, (int)sn_size(t), (int)n);
  double *x = numbers_of(t);
  for (int64_t i = 0; i < n; i++)
    ck_assert_msg(x[i] == wanted[i] || (isnan(x[i]) && isnan(wanted[i])),
                  "%s: element %d is %g, expected %g", what, (int)i, x[i], wanted[i]);
  free(x);
}
#define EXPECT(t, what, ...)                      \
  check_numbers(t, (const double[]){__VA_ARGS__}, \
                (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), what)

// ---- scatters of every dtype: numbers so small that each has them and what is made of them
typedef struct scatter_case {
  sn_dtype dtype, index;
  int64_t rows, width, n;
} scatter_case;

static bool takes(sn_dtype dtype, sn_scatter_mode mode) {
  if (mode == SN_SCATTER_UPDATE) return true;
  const bool complex = dtype == SN_C64 || dtype == SN_C128;
  return dtype != SN_BOOL && (mode == SN_SCATTER_ADD || !complex);
}

static sn_tensor *scattered(sn_scatter_mode mode, sn_tensor *x, sn_tensor *at, sn_tensor *u,
                            int axis) {
  switch (mode) {
    case SN_SCATTER_UPDATE:
      return sn_scatter_update(x, at, u, .axis = axis);
    case SN_SCATTER_ADD:
      return sn_scatter_add(x, at, u, .axis = axis);
    case SN_SCATTER_MUL:
      return sn_scatter_mul(x, at, u, .axis = axis);
    case SN_SCATTER_MAX:
      return sn_scatter_max(x, at, u, .axis = axis);
    default:
      return sn_scatter_min(x, at, u, .axis = axis);
  }
}

static double combined(sn_scatter_mode mode, double a, double b) {
  if (mode == SN_SCATTER_ADD) return a + b;
  if (mode == SN_SCATTER_MUL) return a * b;
  if (mode == SN_SCATTER_MAX) return a >= b ? a : b;
  return mode == SN_SCATTER_MIN ? (a <= b ? a : b) : b;
}

// In the order of the modes that the dtype has: along axis 0, then along axis 1 of the transposed tensors.
static sn_status all_modes(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const scatter_case *s = user;
  for (int mode = 0, n = 0; mode <= SN_SCATTER_MIN; mode++) {
    if (!takes(s->dtype, (sn_scatter_mode)mode)) continue;
    out[n++] = scattered((sn_scatter_mode)mode, in[0], in[1], in[2], 0);
    sn_tensor *turned = scattered((sn_scatter_mode)mode, sn_permute(in[0], (int[]){1, 0}, 2), in[1],
                                  sn_permute(in[2], (int[]){1, 0}, 2), 1);
    out[n++] = sn_permute(turned, (int[]){1, 0}, 2);
  }
  return sn_pending_error(c);
}

static void fill(double *x, int64_t n, int k) {
  for (int64_t i = 0; i < n; i++) x[i] = (double)((i * 7 + i / 5 + k) % 3);
}

static void check_scatter(sn_context *c, scatter_case s) {
  SN_SCOPE(c);
  const int64_t size = s.rows * s.width, more = s.n * s.width;
  double *x = calloc((size_t)(size + more) + 1, sizeof *x), *u = x + size;
  double *y = calloc((size_t)size + 1, sizeof *y), at[64];
  fill(x, size, 1);
  fill(u, more, 2);
  for (int64_t i = 0; i < s.n; i++) at[i] = (double)((i * 3 + 2) % s.rows);
  sn_tensor *in[] = {sn_cast(sn_constant(c, SN_F64, SN_SHAPE(s.rows, s.width), x), s.dtype),
                     sn_cast(sn_constant(c, SN_F64, SN_SHAPE(s.n), at), s.index),
                     sn_cast(sn_constant(c, SN_F64, SN_SHAPE(s.n, s.width), u), s.dtype)};
  double *stored[2] = {numbers_of(in[0]), numbers_of(in[2])};  // bool has 0 and 1
  int n_out = 0;
  for (int mode = 0; mode <= SN_SCATTER_MIN; mode++)
    n_out += 2 * takes(s.dtype, (sn_scatter_mode)mode);
  sn_tensor *got[2][10];
  sn_function *f = sn_function_create(c, all_modes, .inputs = 3, .outputs = n_out, .user = &s);
  call_both(c, f, in, 3, got[0], got[1], n_out);
  for (int mode = 0, k = 0; mode <= SN_SCATTER_MIN; mode++) {
    if (!takes(s.dtype, (sn_scatter_mode)mode)) continue;
    memcpy(y, stored[0], (size_t)size * sizeof *y);
    for (int64_t i = 0; i < more; i++) {
      double *to = &y[(int64_t)at[i / s.width] * s.width + i % s.width];
      *to = combined((sn_scatter_mode)mode, *to, stored[1][i]);
    }
    for (int way = 0; way < 4; way++) {
      char what[120];
      snprintf(what, sizeof(what), "mode %d of %s[%d,%d], %d updates, way %d", mode,
               sn_dtype_name(s.dtype), (int)s.rows, (int)s.width, (int)s.n, way);
      check_numbers(got[way & 1][k + way / 2], y, size, what);
    }
    k += 2;
  }
  sn_function_destroy(f);
  for (int i = 0; i < 2; i++) free(stored[i]);
  free(x);
  free(y);
}

START_TEST(scatters_of_every_dtype) {
  static const int64_t shapes[][3] = {{7, 3, 17}, {1, 1, 1}, {5, 70, 9},
                                      {4, 0, 3},  {3, 5, 0}, {0, 5, 0}};
  for (int i = 0; i < n_contexts; i++)
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
      check_scatter(contexts[i], (scatter_case){(sn_dtype)_i,
                                                k % 2 ? SN_I64
                                                : k   ? SN_U8
                                                      : SN_I32,
                                                shapes[k][0], shapes[k][1], shapes[k][2]});
}
END_TEST

// ---- the order of sums and products: bits, with collisions of long and short rows
typedef struct ordered {
  int64_t rows, width, n;
} ordered;

static sn_status in_order(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  for (int mode = SN_SCATTER_ADD; mode <= SN_SCATTER_MIN; mode++)
    out[mode - 1] = scattered((sn_scatter_mode)mode, in[0], in[1], in[2], 0);
  return sn_pending_error(c);
}

static float combined_f32(sn_scatter_mode mode, float a, float b) {
  if (mode == SN_SCATTER_ADD) return a + b;
  if (mode == SN_SCATTER_MUL) return a * b;
  if (isnan(a) || isnan(b)) return NAN;
  if (mode == SN_SCATTER_MAX) return a >= b ? a : b;
  return a <= b ? a : b;
}

START_TEST(updates_are_taken_in_order) {
  const ordered o = ((ordered[]){{300, 65, 1000}, {50, 1, 3000}, {2, 513, 70}})[_i];
  float *x = calloc((size_t)(o.rows * o.width), sizeof *x),
        *u = calloc((size_t)(o.n * o.width), sizeof *u);
  float *y = calloc((size_t)(o.rows * o.width), sizeof *y);
  int64_t *at = calloc((size_t)o.n, sizeof *at);
  for (int64_t i = 0; i < o.rows * o.width; i++) x[i] = 1.5f + (float)(i % 101) * 0.37f;
  for (int64_t i = 0; i < o.n * o.width; i++) u[i] = 0.97f + (float)(i * 31 % 71) * 0.00131f;
  u[o.n * o.width / 2] = NAN;
  for (int64_t i = 0; i < o.n; i++) at[i] = (i * i + 3) % o.rows;
  for (int k = 0; k < n_contexts; k++) {
    sn_context *c = contexts[k];
    SN_SCOPE(c);
    sn_tensor *got[2][4];
    sn_tensor *in[] = {sn_constant(c, SN_F32, SN_SHAPE(o.rows, o.width), x),
                       sn_constant(c, SN_I64, SN_SHAPE(o.n), at),
                       sn_constant(c, SN_F32, SN_SHAPE(o.n, o.width), u)};
    const sn_spec any[] = {{SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)},
                           {SN_I64, SN_SHAPE(SN_UNKNOWN)},
                           {SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)}};
    for (int unknown = 0; unknown < 2; unknown++) {
      sn_function *f =
          sn_function_create(c, in_order, .inputs = 3, .outputs = 4, .specs = unknown ? any : NULL);
      call_both(c, f, in, 3, got[0], got[1], 4);
      for (int mode = SN_SCATTER_ADD; mode <= SN_SCATTER_MIN; mode++) {
        memcpy(y, x, (size_t)(o.rows * o.width) * sizeof *y);
        for (int64_t i = 0; i < o.n * o.width; i++) {
          float *to = &y[at[i / o.width] * o.width + i % o.width];
          *to = combined_f32((sn_scatter_mode)mode, *to, u[i]);
        }
        for (int way = 0; way < 2; way++) {
          const void *data;
          ck_assert_int_eq(sn_data(got[way][mode - 1], &data), SN_OK);
          const float *given = data;
          for (int64_t i = 0; i < o.rows * o.width; i++)
            ck_assert_msg(!memcmp(&given[i], &y[i], sizeof *y) || (isnan(given[i]) && isnan(y[i])),
                          "context %d, mode %d, way %d, element %d is %a, expected %a", k, mode,
                          way, (int)i, (double)given[i], (double)y[i]);
        }
      }
      sn_function_destroy(f);
    }
  }
  free(x);
  free(u);
  free(y);
  free(at);
}
END_TEST

// ---- derivatives: the gradient of a function of y that is not linear, and the gradient of that along a direction, against
// central differences; zeros among the factors of products
static sn_tensor *places(sn_context *c, int which) {
  static const int64_t at[2][6] = {{3, 0, 3, 1, 3, 0}, {2, 1, 2, 0, 1, 1}};
  return sn_constant(c, SN_I64, SN_SHAPE(6), at[which]);
}

typedef struct smooth {
  const char *name;
  sn_tensor *(*make)(sn_context *c, sn_tensor *x, sn_tensor *u);  // x [4, 3], u [6, 3]
} smooth;
#define SMOOTH(X)                                                                                  \
  X(gather, sn_gather(x, places(c, 0)))                                                            \
  X(gather_axis, sn_gather(u, places(c, 1), .axis = 1))                                            \
  X(gather_nd, sn_gather_nd(x, sn_stack((sn_tensor *[]){places(c, 0), places(c, 1)}, 2, 1)))       \
  X(take, sn_take(x, places(c, 0)))                                                                \
  X(embedding, sn_embedding_lookup(x, places(c, 0), .max_norm = 1.5))                              \
  X(add, sn_scatter_add(x, places(c, 0), u))                                                       \
  X(mul, sn_scatter_mul(x, places(c, 0), u))                                                       \
  X(max, sn_scatter_max(x, places(c, 0), u))                                                       \
  X(min, sn_scatter_min(x, places(c, 0), u))                                                       \
  X(update, sn_scatter_update(x, places(c, 0), u))                                                 \
  X(mul_nd, sn_tensor_scatter_nd(x, sn_stack((sn_tensor *[]){places(c, 0), places(c, 1)}, 2, 1),   \
                                 sn_index(u, 1, 2), SN_SCATTER_MUL))                               \
  X(put, sn_put_along_axis(x, sn_gather(sn_argsort(u, 1), sn_range(c, SN_I32, 0, 4, 1)),           \
                           sn_slice(u, (sn_range_spec[]){SN_RANGE(1, 5, 1)}, 1), 1))               \
  X(window,                                                                                        \
    sn_dynamic_slice(u, sn_constant(c, SN_I32, SN_SHAPE(2), ((int32_t[]){2, 1})), SN_SHAPE(3, 2))) \
  X(window_update,                                                                                 \
    sn_dynamic_update(u, sn_slice(x, (sn_range_spec[]){SN_ALL, SN_RANGE(0, 2, 1)}, 2),             \
                      sn_constant(c, SN_I32, SN_SHAPE(2), ((int32_t[]){1, 1}))))                   \
  X(segment_sum, sn_segment_sum(u, places(c, 0), 5))                                               \
  X(segment_mean, sn_segment_mean(u, places(c, 0), 4))                                             \
  X(segment_prod, sn_segment_prod(u, places(c, 0), 5))                                             \
  X(segment_max, sn_segment_max(u, places(c, 1), 3))                                               \
  X(segment_min, sn_segment_min(u, places(c, 1), 3))                                               \
  X(bincount, sn_bincount(places(c, 0), .weights = sn_index(u, 1, 0), .length = 4))                \
  X(mask, sn_boolean_mask(u, sn_less_scalar(places(c, 0), 3), .length = 4))                        \
  X(unique, sn_unique(u, NULL, NULL, .length = 20))
#define DEFINE(name, expression)                                             \
  static sn_tensor *make_##name(sn_context *c, sn_tensor *x, sn_tensor *u) { \
    (void)c;                                                                 \
    (void)x;                                                                 \
    (void)u;                                                                 \
    return expression;                                                       \
  }
SMOOTH(DEFINE)
#define ROW(name, expression) {#name, make_##name},
static const smooth smooth_cases[] = {SMOOTH(ROW)};
enum { n_smooth = sizeof smooth_cases / sizeof *smooth_cases, size_x = 12, size_u = 18 };

// out: the value; its gradients; the gradients of their product with the directions in[2], in[3].
static sn_status differentiated(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const smooth *s = user;
  sn_tensor *g[2];
  sn_tensor *y = sn_ravel(s->make(c, in[0], in[1]));
  sn_tensor *w = sn_add_scalar(sn_mul_scalar(sn_range_like(y, 0, SN_F64), 0.3), 0.7);
  out[0] = sn_sum(sn_mul(w, sn_mul(y, sn_add_scalar(y, 0.5))));
  sn_gradients(out[0], in, 2, g, .unconnected = SN_ZEROS);
  sn_tensor *along = sn_add(sn_sum(sn_mul(g[0], in[2])), sn_sum(sn_mul(g[1], in[3])));
  out[1] = g[0];
  out[2] = g[1];
  sn_gradients(along, in, 2, out + 3, .unconnected = SN_ZEROS);
  return sn_pending_error(c);
}

// x and u moved by `step` along the directions; which: 1: with a zero in a row of x, 2: two among its factors.
static void operands(sn_context *c, int zeros, double step, sn_tensor **in) {
  double x[size_x], u[size_u], dx[size_x], du[size_u];
  for (int i = 0; i < size_x; i++) x[i] = 0.4 + ((i * 5) % 12) * 0.23;
  for (int i = 0; i < size_u; i++) u[i] = 0.3 + ((i * 7 + 4) % 18) * 0.19;
  if (zeros) x[9] = 0;      // row 3, column 0: with the updates 0, 2 and 4
  if (zeros > 1) u[6] = 0;  // update 2, column 0
  if (zeros) u[1] = 0;      // update 0, column 1: the one zero of that product
  for (int i = 0; i < size_x; i++) x[i] += step * (dx[i] = ((i * 3) % 7 - 3) * 0.3);
  for (int i = 0; i < size_u; i++) u[i] += step * (du[i] = ((i * 4) % 9 - 4) * 0.2);
  in[0] = sn_constant(c, SN_F64, SN_SHAPE(4, 3), x);
  in[1] = sn_constant(c, SN_F64, SN_SHAPE(6, 3), u);
  in[2] = sn_constant(c, SN_F64, SN_SHAPE(4, 3), dx);
  in[3] = sn_constant(c, SN_F64, SN_SHAPE(6, 3), du);
}

static double dot(sn_tensor *a, sn_tensor *b) {
  double y;
  ck_assert_int_eq(sn_item(sn_sum(sn_mul(a, b)), &y), SN_OK);
  return y;
}

static void check_derivatives(sn_context *c, const smooth *s, int zeros) {
  SN_SCOPE(c);
  const double step = 0x1p-17;
  sn_tensor *in[4], *at[5], *expected[5], *above[5], *below[5];
  sn_function *f = sn_function_create(c, differentiated, .inputs = 4, .outputs = 5,
                                      .user = (void *)(uintptr_t)s);
  operands(c, zeros, 0, in);
  call_both(c, f, in, 4, at, expected, 5);
  for (int i = 0; i < 5; i++)
    ck_assert_msg(same_bits(at[i], expected[i]), "%s: result %d differs from op by op", s->name, i);
  operands(c, zeros, step, in);
  ck_assert_int_eq(sn_call(f, in, 4, above, 5), SN_OK);
  operands(c, zeros, -step, in);
  ck_assert_int_eq(sn_call(f, in, 4, below, 5), SN_OK);
  operands(c, zeros, 0, in);
  const double first = dot(at[1], in[2]) + dot(at[2], in[3]);
  const double slope =
      (dot(above[0], sn_ones_like(above[0])) - dot(below[0], sn_ones_like(below[0]))) / (2 * step);
  ck_assert_msg(fabs(first - slope) <= 1e-7 * (1 + fabs(slope)),
                "%s, %d zeros: %.10g, expected %.10g", s->name, zeros, first, slope);
  for (int i = 0; i < 2; i++) {
    double *second = numbers_of(at[3 + i]), *high = numbers_of(above[1 + i]),
           *low = numbers_of(below[1 + i]);
    for (int64_t k = 0; k < sn_size(at[3 + i]); k++) {
      const double wanted = (high[k] - low[k]) / (2 * step);
      ck_assert_msg(fabs(second[k] - wanted) <= 1e-6 * (1 + fabs(wanted)),
                    "%s, %d zeros: second derivative %d of operand %d is %.10g, expected %.10g",
                    s->name, zeros, (int)k, i, second[k], wanted);
    }
    free(second);
    free(high);
    free(low);
  }
  sn_function_destroy(f);
}

// Two zeros that are equal are a kink of extrema.
static bool has_kink(const smooth *s, int zeros) {
  return zeros > 1 && (s->make == make_min || s->make == make_unique);
}

START_TEST(derivatives) {
  for (int k = 0; k < (n_contexts < 2 ? 1 : 2); k++)
    for (int zeros = 0; zeros < 3; zeros++)
      if (!has_kink(&smooth_cases[_i], zeros))
        check_derivatives(contexts[k], &smooth_cases[_i], zeros);
}
END_TEST

// Those that are the extremum share; the last update alone has a gradient.
START_TEST(ties_and_winners) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3), ((float[]){2, 5, 1}));
  sn_tensor *u = sn_constant(c, SN_F32, SN_SHAPE(4), ((float[]){2, 7, 7, 2}));
  sn_tensor *at = sn_constant(c, SN_I32, SN_SHAPE(4), ((int32_t[]){0, 1, 1, 0}));
  sn_tensor *of[] = {x, u}, *g[2];
  sn_tape *tape = sn_tape_begin(c, .persistent = true);
  for (int i = 0; i < 2; i++) sn_tape_watch(tape, of[i]);
  sn_tensor *most = sn_scatter_max(x, at, u), *last = sn_scatter_update(x, at, u);
  sn_tensor *half = sn_cast(sn_scatter_max(sn_cast(x, SN_F16), at, sn_cast(u, SN_F16)), SN_F32);
  for (int k = 0; k < 2; k++) {
    sn_tape_gradient(tape, k ? half : most, of, 2, g);
    const double third = k ? 0x1.554p-2 : 1 / 3.0f;  // of f16
    EXPECT(g[0], "max, x", third, 0, 1);
    EXPECT(g[1], "max, updates", third, 0.5, 0.5, third);
    if (!k) continue;
    EXPECT(half, "max of f16", 2, 7, 1);
  }
  sn_tape_gradient(tape, last, of, 2, g);
  EXPECT(last, "update", 2, 7, 1);
  EXPECT(g[0], "update, x", 0, 0, 1);
  EXPECT(g[1], "update, updates", 0, 0, 1, 1);
  sn_tape_end(tape);
}
END_TEST

// ---- segments of nothing
START_TEST(empty_segments) {
  for (int k = 0; k < n_contexts; k++) {
    sn_context *c = contexts[k];
    SN_SCOPE(c);
    sn_tensor *x = sn_constant(c, SN_F64, SN_SHAPE(3), ((double[]){-INFINITY, 4, NAN}));
    sn_tensor *ids = sn_constant(c, SN_I32, SN_SHAPE(3), ((int32_t[]){1, 2, 3}));
    EXPECT(sn_segment_max(x, ids, 4), "max", -DBL_MAX, -INFINITY, 4, NAN);
    EXPECT(sn_segment_min(x, ids, 5), "min", DBL_MAX, -INFINITY, 4, NAN, DBL_MAX);
    EXPECT(sn_segment_max(sn_cast(x, SN_F16), ids, 1 + 3), "f16", -65504, -INFINITY, 4, NAN);
    EXPECT(sn_segment_min(sn_cast(x, SN_BF16), ids, 2 + 2), "bf16", 0x1.fep127, -INFINITY, 4, NAN);
    EXPECT(sn_segment_mean(sn_cast(x, SN_F32), ids, 4), "mean", 0, -INFINITY, 4, NAN);
    sn_tensor *none = sn_zeros(c, SN_U8, SN_SHAPE(0, 2)),
              *no_ids = sn_zeros(c, SN_I64, SN_SHAPE(0));
    EXPECT(sn_segment_min(none, no_ids, 1), "u8", 255, 255);
    EXPECT(sn_segment_max(none, no_ids, 1), "u8", 0, 0);
    EXPECT(sn_segment_max(sn_cast(none, SN_I64), no_ids, 1), "i64", -0x1p63, -0x1p63);
    EXPECT(sn_segment_prod(none, no_ids, 1), "prod", 1, 1);
    EXPECT(sn_segment_sum(none, no_ids, 1), "sum", 0, 0);
    check_numbers(sn_segment_sum(none, no_ids, 0), NULL, 0, "no segments");
  }
}
END_TEST

// ---- results as large as their elements say
START_TEST(exact_sizes) {
  for (int k = 0; k < n_contexts; k++) {
    sn_context *c = contexts[k];
    SN_SCOPE(c);
    sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(2, 3), ((float[]){0, 3, NAN, -0.0f, 3, 1}));
    sn_tensor *inverse, *counts, *none = sn_zeros(c, SN_F32, SN_SHAPE(0, 3));
    EXPECT(sn_nonzero(x), "nonzero", 0, 0, 1, 1, 1, 2, 1, 2);
    EXPECT(sn_argwhere(x), "argwhere", 0, 1, 0, 2, 1, 1, 1, 2);
    EXPECT(sn_argwhere(x, .length = 5, .fill = -1), "filled", 0, 1, 0, 2, 1, 1, 1, 2, -1, -1);
    EXPECT(sn_nonzero(x, .length = 2), "cut off", 0, 0, 1, 2);
    ck_assert_int_eq(sn_dim(sn_nonzero(none), 0), 2);
    ck_assert_int_eq(sn_size(sn_nonzero(none)), 0);
    EXPECT(sn_boolean_mask(x, sn_greater_scalar(x, 0)), "mask", 3, 3, 1);
    EXPECT(
        sn_boolean_mask(x, sn_constant(c, SN_BOOL, SN_SHAPE(3), ((uint8_t[]){1, 0, 1})), .axis = 1),
        "mask of columns", 0, NAN, -0.0, 1);
    EXPECT(sn_boolean_mask(none, sn_zeros(c, SN_BOOL, SN_SHAPE(0)), .length = 1, .fill = 2),
           "of nothing", 2, 2, 2);
    EXPECT(sn_unique(x, &inverse, &counts), "unique", 0, 1, 3, NAN);
    EXPECT(inverse, "inverse", 0, 2, 3, 0, 2, 1);
    EXPECT(counts, "counts", 2, 1, 2, 1);
    ck_assert_int_eq(sn_rank(inverse), 2);
    EXPECT(sn_unique(x, &inverse, &counts, .length = 2), "the first ones", 0, 1);
    EXPECT(inverse, "inverse", 0, 2, 3, 0, 2, 1);
    EXPECT(counts, "counts", 2, 1);
    ck_assert_int_eq(sn_size(sn_unique(none, NULL, NULL)), 0);
    EXPECT(sn_unique(sn_constant(c, SN_BOOL, SN_SHAPE(3), ((uint8_t[]){1, 0, 1})), NULL, NULL),
           "bools", 0, 1);
    sn_tensor *counted = sn_constant(c, SN_U8, SN_SHAPE(2, 2), ((uint8_t[]){3, 0, 3, 1}));
    EXPECT(sn_bincount(counted), "bincount", 1, 1, 0, 2);
    EXPECT(sn_bincount(counted,
                       .weights = sn_constant(c, SN_F32, SN_SHAPE(2, 2), ((float[]){1, 2, 3, 4}))),
           "weights", 2, 4, 0, 4);
    ck_assert_int_eq(sn_size(sn_bincount(sn_zeros(c, SN_I32, SN_SHAPE(0)))), 0);
    EXPECT(sn_histogram(x, 3, 0, 3), "histogram", 2, 1, 2);
    ck_assert_msg(!sn_check(c), "%s", sn_error_message(c));
  }
}
END_TEST

static sn_status without_length(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  switch (*(const int *)user) {
    case 0:
      out[0] = sn_nonzero(in[0]);
      break;
    case 1:
      out[0] = sn_boolean_mask(in[0], sn_greater_scalar(in[0], 0));
      break;
    case 2:
      out[0] = sn_unique(in[0], NULL, NULL);
      break;
    default:
      out[0] = sn_bincount(sn_cast(in[0], SN_I32));
  }
  return sn_pending_error(c);
}

START_TEST(functions_find_the_length) {
  const float numbers[] = {3, 0, -1, 3, 0};
  for (int k = 0; k < n_contexts; k++)
    for (int which = 0; which < 4; which++) {
      sn_context *c = contexts[k];
      SN_SCOPE(c);
      sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(5), numbers), *y, *expected;
      if (which == 3) x = sn_abs(x);
      sn_function *f =
          sn_function_create(c, without_length, .inputs = 1, .outputs = 1, .user = &which);
      call_both(c, f, &x, 1, &y, &expected, 1);
      static const int lengths[] = {3, 2, 3, 4};
      ck_assert_int_eq(sn_size(y), lengths[which]);
      ck_assert(same_bits(y, expected));
      sn_function_destroy(f);
    }
}
END_TEST

// ---- indices out of range, op by op and called: in[0] [4, 3], in[1] the indices [2, 2]
#define FAULTS(X)                                                                                 \
  X(gather, sn_gather(x, at))                                                                     \
  X(gather_axis, sn_gather(x, at, .axis = 1))                                                     \
  X(gather_batch, sn_gather(sn_reshape(x, SN_SHAPE(2, 3, 2)), at, .batch_dims = 1))               \
  X(take, sn_take(sn_index(x, 0, 0), at))                                                         \
  X(along, sn_take_along_axis(sn_reshape(x, SN_SHAPE(2, 6)), sn_mul_scalar(at, 2), 1))            \
  X(gather_nd, sn_gather_nd(x, at))                                                               \
  X(embedding, sn_embedding_lookup(x, at))                                                        \
  X(scatter, sn_scatter_max(x, sn_index(at, 0, 0), sn_ones(c, SN_F32, SN_SHAPE(2, 3))))           \
  X(scatter_axis,                                                                                 \
    sn_scatter_update(x, sn_index(at, 0, 0), sn_ones(c, SN_F32, SN_SHAPE(4, 2)), .axis = 1))      \
  X(scatter_nd, sn_scatter_nd(at, sn_ones(c, SN_F32, SN_SHAPE(2)), SN_SHAPE(3, 3)))               \
  X(tensor_scatter, sn_tensor_scatter_nd(x, at, sn_ones(c, SN_F32, SN_SHAPE(2)), SN_SCATTER_MIN)) \
  X(put, sn_put_along_axis(sn_reshape(x, SN_SHAPE(2, 6)), sn_mul_scalar(at, 2),                   \
                           sn_ones(c, SN_F32, SN_SHAPE(2, 2)), 1))                                \
  X(window, sn_dynamic_slice(x, sn_index(at, 0, 0), SN_SHAPE(2, 1)))                              \
  X(window_update, sn_dynamic_update(x, sn_ones(c, SN_F32, SN_SHAPE(2, 1)), sn_index(at, 0, 0)))  \
  X(segment, sn_segment_mean(sn_reshape(x, SN_SHAPE(2, 2, 3)), at, 3))                            \
  X(bincount, sn_bincount(at, .length = 3))
#define DEFINE_FAULT(name, expression)                                         \
  static sn_tensor *fault_##name(sn_context *c, sn_tensor *x, sn_tensor *at) { \
    (void)c;                                                                   \
    (void)x;                                                                   \
    return expression;                                                         \
  }
FAULTS(DEFINE_FAULT)
#define ROW_FAULT(name, expression) {#name, fault_##name},
static const smooth fault_cases[] = {FAULTS(ROW_FAULT)};
enum { n_faults = sizeof fault_cases / sizeof *fault_cases };

static sn_status faulty(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = ((const smooth *)user)->make(c, in[0], in[1]);
  return sn_pending_error(c);
}

START_TEST(faults) {
  static const int64_t bad[] = {0, -1, 3, INT64_MIN, INT64_MAX, (int64_t)1 << 62};
  const smooth *s = &fault_cases[_i];
  for (int k = 0; k < n_contexts; k++) {
    sn_context *c = contexts[k];
    sn_function *f =
        sn_function_create(c, faulty, .inputs = 2, .outputs = 1, .user = (void *)(uintptr_t)s);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
      SN_SCOPE(c);
      const bool first_axis =
          s->make == fault_gather || s->make == fault_embedding || s->make == fault_scatter;
      const int64_t value = bad[i] == 3 && first_axis ? 4 : bad[i];
      sn_tensor *in[] = {sn_ones(c, SN_F32, SN_SHAPE(4, 3)),
                         sn_constant(c, SN_I64, SN_SHAPE(2, 2), ((int64_t[]){1, value, 2, 0}))};
      sn_tensor *y;
      for (int way = 0; way < 2; way++) {
        const sn_status status = way ? sn_call(f, in, 2, &y, 1) : sn_call_eager(f, in, 2, &y, 1);
        const sn_status wanted = value ? SN_ERR_INDEX : SN_OK;
        // twice 2^62 and 2^63 - 1 are numbers in range, or none
        if (status != wanted && (s->make == fault_put || s->make == fault_along) && i > 2) continue;
        ck_assert_msg(status == wanted, "%s, index %lld, way %d: %s %s", s->name, (long long)value,
                      way, sn_status_name(status), sn_error_message(c));
        if (status)
          ck_assert_msg(strstr(sn_error_message(c), "is out of range") != NULL, "%s",
                        sn_error_message(c));
      }
    }
    sn_function_destroy(f);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("index");
  TCase *tests = tcase_create("index");
  tcase_set_timeout(tests, 200);
  tcase_add_checked_fixture(tests, open_contexts, close_contexts);
  tcase_add_loop_test(tests, scatters_of_every_dtype, 0, SN_DTYPE_COUNT);
  tcase_add_loop_test(tests, updates_are_taken_in_order, 0, 3);
  tcase_add_loop_test(tests, derivatives, 0, n_smooth);
  tcase_add_test(tests, ties_and_winners);
  tcase_add_test(tests, empty_segments);
  tcase_add_test(tests, exact_sizes);
  tcase_add_test(tests, functions_find_the_length);
  tcase_add_loop_test(tests, faults, 0, n_faults);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
