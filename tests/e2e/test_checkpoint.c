// sn_checkpoint and scans with .checkpoint: the same bits as without, in every mode, with variables and random numbers drawn the
// same again, nested, differentiated twice; and the memory that they save.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, sn_pending_error(c)

static sn_tensor *v;
static bool on;  // checkpoints are

static sn_status perhaps(sn_context *c, sn_callback f, void *user, sn_tensor *const *in, int n,
                         sn_tensor **out, int n_out) {
  return on ? sn_checkpoint(c, f, user, in, n, out, n_out) : f(c, in, out, user);
}

// ---- what is checkpointed
BODY(inner) {
  out[0] = sn_mul(sn_sin(in[0]), sn_add(sn_exp(sn_mul_scalar(in[0], 0.1)), v));
  END;
}
BODY(noisy) {  // draws, assigns, calls another, has a loop's branch
  sn_tensor *t, *noise = sn_random_normal(c, SN_F64, SN_SHAPE(5));
  perhaps(c, inner, user, in, 1, &t, 1);
  sn_assign(v, sn_mul_scalar(sn_add(v, sn_mean(t)), 0.5));
  out[0] = sn_tanh(sn_add(sn_mul(t, noise), sn_mul(in[1], v)));
  out[1] = sn_add(sn_cumsum(out[0], 0), noise);
  END;
}
BODY(step) {
  sn_tensor *pair[2];
  perhaps(c, noisy, user, SN_ARGS(in[1], in[1]), pair, 2);
  out[0] = sn_add(pair[0], sn_mul_scalar(pair[1], 0.1));
  END;
}
BODY(whole) {
  sn_tensor *first[2], *looped, *sources[3] = {in[0], in[1], v};
  const int order = *(int *)user;
  perhaps(c, noisy, user, in, 2, first, 2);
  sn_fori_loop(c, 0, 3, step, user, SN_ARGS(first[1]), &looped, 1);
  out[0] = sn_sum(sn_mul(looped, first[0]));
  sn_gradients(out[0], sources, 3, out + 1);
  for (int i = 1; i < order; i++)
    sn_gradients(sn_add(sn_sum(sn_square(out[1])), sn_sum(sn_sin(out[2]))), sources, 3, out + 1,
                 .unconnected = SN_ZEROS);
  END;
}

typedef enum mode { EAGER, INTERPRETER, COMPILED, n_modes } mode;
typedef struct values {
  double loss, dx[5], dy[5], dv, v;
} values;

static sn_context *open_context(mode how) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1, .seed = 11, .plugin_path = SINTER_PLUGIN_PATH,
                        .backend = how == COMPILED ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
      SN_OK);
  return c;
}

static values run_whole(mode how, bool with, int order) {
  const double x[5] = {.1, -.7, .4, 1.1, -.2}, y[5] = {.3, .5, -.9, .2, .8};
  sn_context *c = open_context(how);
  values r;
  memset(&r, 0, sizeof(r));
  on = with;
  v = sn_variable(sn_scalar_f64(c, 0.25));
  sn_function *f = sn_function_create(c, whole, .user = &order, .inputs = 2, .outputs = 4);
  sn_tensor *in[2] = {sn_constant(c, SN_F64, SN_SHAPE(5), x),
                      sn_constant(c, SN_F64, SN_SHAPE(5), y)},
            *out[4];
  ck_assert_msg(!(how == EAGER ? sn_call_eager(f, in, 2, out, 4) : sn_call(f, in, 2, out, 4)), "%s",
                sn_error_message(c));
  ck_assert_int_eq(sn_item(out[0], &r.loss), SN_OK);
  ck_assert_int_eq(sn_read(out[1], r.dx, sizeof(r.dx)), SN_OK);
  ck_assert_int_eq(sn_read(out[2], r.dy, sizeof(r.dy)), SN_OK);
  ck_assert_int_eq(sn_item(out[3], &r.dv), SN_OK);
  ck_assert_int_eq(sn_item(v, &r.v), SN_OK);
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
  return r;
}

static void check_near(const values *a, const values *b, double tolerance) {
  ck_assert(!memcmp(&a->loss, &b->loss, sizeof(double)) && !memcmp(&a->v, &b->v, sizeof(double)));
  for (int i = 0; i < 5; i++) {
    ck_assert_double_eq_tol(a->dx[i], b->dx[i], tolerance * (1 + fabs(b->dx[i])));
    ck_assert_double_eq_tol(a->dy[i], b->dy[i], tolerance * (1 + fabs(b->dy[i])));
  }
  ck_assert_double_eq_tol(a->dv, b->dv, tolerance * (1 + fabs(b->dv)));
}

START_TEST(checkpoints_change_nothing) {
  const int order = 1 + _i;
  const values plain = run_whole(INTERPRETER, false, order);
  ck_assert_double_gt(fabs(plain.dv), 1e-3);
  for (int how = 0; how < n_modes; how++) {
    const values with = run_whole((mode)how, true, order),
                 without = run_whole((mode)how, false, order);
    check_near(&with, &without, 1e-13 * order);
    check_near(&with, &plain, 1e-13 * order);
  }
}
END_TEST

// ---- bits: a chain whose values are used by one call alone
BODY(layer) {
  out[0] = sn_tanh(sn_matmul(in[0], in[1]));
  for (int i = 0; i < 6; i++) out[0] = sn_tanh(sn_matmul(sn_sin(out[0]), in[1]));
  END;
}
enum { n_layers = 12, width = 64 };
BODY(chain) {
  sn_tensor *x = in[0], *w[n_layers];
  for (int i = 0; i < n_layers; i++) {
    w[i] = sn_mul_scalar(sn_index(in[1], 0, i), 0.2);
    sn_tensor *next;
    perhaps(c, layer, user, SN_ARGS(x, w[i]), &next, 1);
    x = next;
  }
  out[0] = sn_sum(sn_square(x));
  sn_gradients(out[0], in, 2, out + 1);
  END;
}

// The arena of a compiled chain; its gradients are copied to g.
static uint64_t run_chain(mode how, bool with, float *g) {
  static float x[width * width], w[n_layers * width * width];
  sn_context *c = open_context(how);
  on = with;
  for (int i = 0; i < width * width; i++) x[i] = (float)(i % 17) * 0.1f - 0.8f;
  for (int i = 0; i < n_layers * width * width; i++) w[i] = (float)(i * 7 % 23) * 0.09f - 1;
  sn_function *f = sn_function_create(c, chain, .inputs = 2, .outputs = 3);
  sn_tensor *in[2] = {sn_constant(c, SN_F32, SN_SHAPE(width, width), x),
                      sn_constant(c, SN_F32, SN_SHAPE(n_layers, width, width), w)},
            *out[3];
  ck_assert_msg(!(how == EAGER ? sn_call_eager(f, in, 2, out, 3) : sn_call(f, in, 2, out, 3)), "%s",
                sn_error_message(c));
  ck_assert_int_eq(sn_read(out[1], g, sizeof(x)), SN_OK);
  ck_assert_int_eq(sn_read(out[2], g + width * width, sizeof(w)), SN_OK);
  sn_function_statistics statistics = {.size = sizeof(statistics)};
  sn_function_stats(f, &statistics);
  sn_function_destroy(f);
  sn_context_destroy(c);
  return statistics.arena_bytes;
}

START_TEST(checkpoints_save_memory) {
  static float g[2][(n_layers + 1) * width * width];
  const mode how = (mode)_i;
  const uint64_t without = run_chain(how, false, g[0]), with = run_chain(how, true, g[1]);
  ck_assert_mem_eq(g[0], g[1], sizeof(g[0]));
  if (how == EAGER) return;  // which has no plan
  printf("a chain of %d layers: %.0f KB planned, %.0f KB with checkpoints\n", n_layers,
         (double)without / 1024, (double)with / 1024);
  // 12 layers of 7 or 14 values, against 12 inputs of layers and one layer's values
  ck_assert_uint_lt(with * 2, without);
}
END_TEST

// ---- scans
enum { n_steps = 10000, n_carry = 64 };
BODY(scan_step) {
  sn_tensor *w = *(sn_tensor **)user;
  out[0] = sn_tanh(sn_add(sn_mul(in[0], w), in[1]));
  out[1] = sn_sum(sn_mul(out[0], in[1]));
  END;
}
typedef struct scan_case {
  int64_t length;
  bool checkpoint, reverse;
} scan_case;
BODY(scanned) {
  const scan_case *s = user;
  sn_tensor *o[2], *sources[3] = {in[0], in[1], in[2]};
  sn_tensor *xs = sn_slice(in[1], (sn_range_spec[]){SN_RANGE(0, s->length, 1)}, 1);
  sn_scan(c, scan_step, &sources[2], SN_ARGS(in[0]), SN_ARGS(xs), o, 2, .reverse = s->reverse,
          .checkpoint = s->checkpoint);
  out[0] = o[1];
  sn_gradients(sn_add(sn_sum(sn_square(o[0])), sn_sum(o[1])), sources, 3, out + 1);
  END;
}

typedef struct scan_values {
  float ys[n_steps], dh[n_carry], dxs[64 * n_carry], dw[n_carry];
} scan_values;

static size_t run_scan(mode how, const scan_case *s, scan_values *r) {
  static float x[n_steps * n_carry];
  sn_context *c = open_context(how);
  for (int i = 0; i < n_steps * n_carry; i++) x[i] = (float)(i % 37) * 0.03f - 0.5f;
  memset(r, 0, sizeof(*r));
  sn_function *f =
      sn_function_create(c, scanned, .user = (void *)(uintptr_t)s, .inputs = 3, .outputs = 4);
  sn_tensor *in[3] = {sn_constant(c, SN_F32, SN_SHAPE(n_carry), x),
                      sn_constant(c, SN_F32, SN_SHAPE(s->length, n_carry), x),
                      sn_constant(c, SN_F32, SN_SHAPE(n_carry), x + 5)},
            *out[4];
  sn_memory_stats before = {.size = sizeof(before)}, after = before;
  sn_context_memory(c, &before);
  ck_assert_msg(!(how == EAGER ? sn_call_eager(f, in, 3, out, 4) : sn_call(f, in, 3, out, 4)), "%s",
                sn_error_message(c));
  sn_context_memory(c, &after);
  ck_assert_int_eq(sn_read(out[0], r->ys, (size_t)s->length * sizeof(float)), SN_OK);
  ck_assert_int_eq(sn_read(out[1], r->dh, sizeof(r->dh)), SN_OK);
  if (s->length <= 64)
    ck_assert_int_eq(sn_read(out[2], r->dxs, (size_t)s->length * n_carry * sizeof(float)), SN_OK);
  ck_assert_int_eq(sn_read(out[3], r->dw, sizeof(r->dw)), SN_OK);
  sn_function_destroy(f);
  sn_context_destroy(c);
  return after.peak_bytes - before.bytes;
}

START_TEST(scans_in_segments_are_scans) {
  static scan_values plain, parts;
  const int64_t lengths[] = {1, 3, 4, 5, 9, 17, 30, 64};
  const mode how = (mode)_i;
  for (int i = 0; i < 16; i++) {
    scan_case s = {lengths[i / 2], false, i % 2};
    run_scan(how, &s, &plain);
    s.checkpoint = true;
    run_scan(how, &s, &parts);
    ck_assert_mem_eq(plain.ys, parts.ys, sizeof(plain.ys));
    ck_assert_mem_eq(plain.dh, parts.dh, sizeof(plain.dh));
    ck_assert_mem_eq(plain.dxs, parts.dxs, sizeof(plain.dxs));
    ck_assert_mem_eq(plain.dw, parts.dw, sizeof(plain.dw));
  }
}
END_TEST

// ---- sums over loops: w is read twice a step, by a loop in a loop, by one loop behind another and beside them
BODY(inner_step) {
  sn_tensor *w = *(sn_tensor **)user;
  out[0] = sn_tanh(sn_add(sn_mul(in[1], w), sn_mul(w, 0.3)));
  END;
}
BODY(outer_step) {
  sn_tensor *h;
  sn_fori_loop(c, 0, 3, inner_step, user, in, 1, &h, 1);
  out[0] = sn_add(sn_mul(h, *(sn_tensor **)user), in[1]);
  END;
}
BODY(loops_of_one_weight) {
  sn_tensor *sources[2] = {in[0], in[1]}, *h, *g;
  const bool checkpoint = *(bool *)user;
  sn_scan(c, outer_step, &sources[1], SN_ARGS(in[0]), SN_ARGS(in[2]), &h, 1,
          .checkpoint = checkpoint);
  h = sn_mul(h, in[1]);
  sn_fori_loop(c, 0, 2, inner_step, &sources[1], SN_ARGS(h), &g, 1);
  out[0] = g;
  sn_gradients(sn_sum(sn_mul(g, in[1])), sources, 2, out + 1);
  END;
}

static void run_loops(mode how, bool checkpoint, float sums[3][n_carry]) {
  sn_context *c = open_context(how);
  float x[11 * n_carry];
  for (int i = 0; i < 11 * n_carry; i++) x[i] = (float)(i % 31) * 0.07f - 0.9f;
  sn_function *f =
      sn_function_create(c, loops_of_one_weight, .user = &checkpoint, .inputs = 3, .outputs = 3);
  sn_tensor *in[3] = {sn_constant(c, SN_F32, SN_SHAPE(n_carry), x),
                      sn_constant(c, SN_F32, SN_SHAPE(n_carry), x + 9),
                      sn_constant(c, SN_F32, SN_SHAPE(11, n_carry), x)},
            *out[3];
  ck_assert_msg(!(how == EAGER ? sn_call_eager(f, in, 3, out, 3) : sn_call(f, in, 3, out, 3)), "%s",
                sn_error_message(c));
  for (int i = 0; i < 3; i++) ck_assert_int_eq(sn_read(out[i], sums[i], sizeof(sums[i])), SN_OK);
  sn_function_destroy(f);
  sn_context_destroy(c);
}

// In eager mode loops are unrolled: their order of additions is everybody's.
START_TEST(sums_are_those_of_the_unrolled_loops) {
  float unrolled[3][n_carry], sums[3][n_carry];
  run_loops(EAGER, false, unrolled);
  for (int checkpoint = 0; checkpoint < 2; checkpoint++) {
    run_loops((mode)_i, checkpoint, sums);
    for (int i = 0; i < 3; i++) ck_assert_mem_eq(sums[i], unrolled[i], sizeof(sums[i]));
  }
}
END_TEST

// What 10,000 steps take more than 400: what is compiled is the same.
static double bytes_of_steps(bool checkpoint, scan_values *r) {
  const scan_case few = {400, checkpoint, false}, many = {n_steps, checkpoint, false};
  const double first = (double)run_scan(INTERPRETER, &few, r);
  return (double)run_scan(INTERPRETER, &many, r) - first;
}

START_TEST(segments_save_memory) {
  static scan_values plain, parts;
  const double rows = (double)(n_steps - 400) * n_carry * sizeof(float);
  const double without = bytes_of_steps(false, &plain), with = bytes_of_steps(true, &parts);
  ck_assert_mem_eq(plain.ys, parts.ys, sizeof(plain.ys));
  ck_assert_mem_eq(plain.dh, parts.dh, sizeof(plain.dh));
  printf(
      "9,600 steps more, differentiated: %.0f KB, of which the carries are %.0f KB; with "
      ".checkpoint %.0f KB\n",
      without / 1024, rows / 1024, with / 1024);
  // both have the cotangents of the xs, the ys and theirs
  ck_assert_double_ge(without - with, 0.97 * rows);
  ck_assert_double_le(without, 3 * rows);
}
END_TEST

// ---- sizes that only the elements say, inside: under tapes too
BODY(sum_of_positive) {
  sn_tensor *x = sn_boolean_mask(in[0], sn_greater(in[0], 0));
  out[0] = sn_sum(sn_mul(x, sn_exp(x)));
  END;
}
BODY(late_slopes) {
  sn_tensor *y;
  perhaps(c, sum_of_positive, user, in, 1, &y, 1);
  sn_gradients(y, in, 1, out);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}

START_TEST(late_sizes_inside) {
  static const double x[5] = {.1, -.7, .4, 1.1, -.2};
  double d[2][5];
  for (int with = 0; with < 2; with++) {
    sn_context *c = open_context((mode)_i);
    sn_tensor *t = sn_constant(c, SN_F64, SN_SHAPE(5), x), *out[2];
    sn_function *f = sn_function_create(c, late_slopes, .inputs = 1, .outputs = 2);
    on = with;
    ck_assert_msg(!(_i == EAGER ? sn_call_eager(f, &t, 1, out, 2) : sn_call(f, &t, 1, out, 2)),
                  "%s", sn_error_message(c));
    for (int k = 0; k < 2; k++) {
      ck_assert_int_eq(sn_read(out[k], d[k], sizeof(d[k])), SN_OK);
      for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(d[k][i], x[i] > 0 ? (x[i] + 1 + k) * exp(x[i]) : 0, 1e-12);
    }
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- refusals
BODY(leaves_unset) {
  out[0] = NULL;
  END;
}
BODY(uses_no_callback) {
  sn_checkpoint(c, user ? leaves_unset : NULL, NULL, in, 1, out, 1);
  END;
}

START_TEST(mistakes_have_words) {
  for (int i = 0; i < 4; i++) {
    sn_context *c = open_context(INTERPRETER);
    sn_function *f = sn_function_create(c, uses_no_callback, .user = i & 1 ? c : NULL, .inputs = 1,
                                        .outputs = 1);
    sn_tensor *x = sn_scalar_f32(c, 1), *y;
    const sn_status status = i & 2 ? sn_call(f, &x, 1, &y, 1) : sn_call_eager(f, &x, 1, &y, 1);
    ck_assert_int_eq(status, i & 1 ? SN_ERR_CALLBACK : SN_ERR_ARGUMENT);
    const char *words = i & 1 ? "the function of sn_checkpoint left output 0 unset"
                              : "sn_checkpoint: the callback is NULL";
    ck_assert_msg(strstr(sn_error_message(c), words) && strstr(sn_error_message(c), ".c:"), "%s",
                  sn_error_message(c));
    sn_function_destroy(f);
    sn_context_destroy(c);
  }
}
END_TEST

// ---- programs that eager mode keeps: those of equal content alone
BODY(scaled) {
  const double *by = user;
  out[0] = sn_sin(sn_mul_scalar(sn_sin(in[0]), *by));
  if (*by > 50) out[0] = sn_gather(out[0], sn_argmax(in[0], 0), .axis = 0);  // it may fail
  return sn_pending_error(c);
}

static void slope_of_scaled(sn_context *c, double by, double *dx) {
  SN_SCOPE(c);
  sn_tensor *x = sn_constant(c, SN_F64, SN_SHAPE(3), ((double[]){.3, by / 70, -.4})), *y, *g;
  sn_tape *tape = sn_tape_begin(c);
  sn_tape_watch(tape, x);
  perhaps(c, scaled, &by, SN_ARGS(x), &y, 1);
  sn_tape_gradient(tape, sn_sum(sn_square(y)), &x, 1, &g);
  sn_tape_end(tape);
  ck_assert_int_eq(sn_read(g, dx, 3 * sizeof(*dx)), SN_OK);
}

START_TEST(programs_are_found_by_their_content) {
  sn_context *c = open_context(EAGER);
  for (int round = 0; round < 3; round++) {
    for (int by = 1; by <= 75; by++) {
      double with[2][3], without[3];
      on = true;
      for (int again = 0; again < 2; again++) slope_of_scaled(c, by, with[again]);
      on = false;
      slope_of_scaled(c, by, without);
      ck_assert(!memcmp(with[0], with[1], sizeof(with[0])));
      for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(with[0][i], without[i], 1e-13);
      if (by % 30 == 0) sn_context_trim(c);
    }
  }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("checkpoint");
  TCase *tests = tcase_create("checkpoint");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, checkpoints_change_nothing, 0, 2);
  tcase_add_loop_test(tests, sums_are_those_of_the_unrolled_loops, 0, n_modes);
  tcase_add_loop_test(tests, checkpoints_save_memory, 0, n_modes);
  tcase_add_loop_test(tests, scans_in_segments_are_scans, 0, n_modes);
  tcase_add_test(tests, segments_save_memory);
  tcase_add_loop_test(tests, late_sizes_inside, 0, n_modes);
  tcase_add_test(tests, mistakes_have_words);
  tcase_add_test(tests, programs_are_found_by_their_content);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
