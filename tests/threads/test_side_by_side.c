// Independent networks in one program: the same bits for any number of threads, op by op too, with
// variables that are updated in place; the arena's bound; which index is refused.
#include <sinter/sinter.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { towers = 8, layers = 3, batch = 32, width = 48, steps = 4, n_variables = towers * layers };

static const int thread_counts[] = {1, 2, 3, 7, 16};

static void fill(float *x, int n, int seed, float scale) {
  for (int i = 0; i < n; i++) x[i] = scale * ((float)((i * 37 + seed * 101) % 211) / 105 - 1);
}

// ---- eight networks of unequal size, trained side by side
typedef struct model {
  sn_tensor *w[n_variables];
} model;

static int width_of(int tower) {
  return tower % 2 ? width : width / 2;
}

static sn_status train(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  model *m = user;
  for (int t = 0; t < towers; t++) {
    sn_tensor *h = in[t], *g[layers];
    for (int l = 0; l < layers; l++) h = sn_tanh(sn_matmul(h, m->w[t * layers + l]));
    out[t] = sn_mean(sn_square(sn_sub(h, in[t])));
    sn_gradients(out[t], m->w + t * layers, layers, g);
    for (int l = 0; l < layers; l++) sn_assign_sub(m->w[t * layers + l], sn_mul_scalar(g[l], 0.5));
  }
  return sn_pending_error(context);
}

typedef struct results {
  float losses[steps][towers], w[n_variables][width * width];
  size_t arena;
} results;

static void run_training(int threads, bool eager, results *r) {
  sn_context *context;
  model m;
  float data[width * width];
  memset(r, 0, sizeof(*r));
  ck_assert_int_eq(sn_context_create(&context, .threads = threads), SN_OK);
  for (int i = 0; i < n_variables; i++) {
    const int n = width_of(i / layers);
    fill(data, n * n, i, 0.3f);
    m.w[i] = sn_variable(sn_constant(context, SN_F32, SN_SHAPE(n, n), data));
  }
  sn_function *step =
      sn_function_create(context, train, .user = &m, .inputs = towers, .outputs = towers);
  for (int s = 0; s < steps; s++) {
    SN_SCOPE(context);
    sn_tensor *in[towers], *out[towers];
    for (int t = 0; t < towers; t++) {
      fill(data, batch * width_of(t), t + s, 1);
      in[t] = sn_constant(context, SN_F32, SN_SHAPE(batch, width_of(t)), data);
    }
    ck_assert_int_eq(eager ? sn_call_eager(step, in, towers, out, towers)
                           : sn_call(step, in, towers, out, towers),
                     SN_OK);
    for (int t = 0; t < towers; t++)
      ck_assert_int_eq(sn_read(out[t], &r->losses[s][t], sizeof(float)), SN_OK);
  }
  for (int i = 0; i < n_variables; i++) {
    const size_t n = (size_t)width_of(i / layers);
    ck_assert_int_eq(sn_read(m.w[i], r->w[i], n * n * sizeof(float)), SN_OK);
    sn_release(m.w[i]);
  }
  sn_function_statistics statistics = {.size = sizeof(statistics)};
  sn_function_stats(step, &statistics);
  r->arena = statistics.arena_bytes;
  sn_function_destroy(step);
  sn_context_destroy(context);
}

START_TEST(training_has_the_same_bits) {
  static results expected, r;
  run_training(1, true, &expected);
  ck_assert_float_lt(expected.losses[steps - 1][0], expected.losses[0][0]);
  size_t serial = 0;
  for (size_t i = 0; i < sizeof(thread_counts) / sizeof(thread_counts[0]); i++) {
    run_training(thread_counts[i], false, &r);
    ck_assert_mem_eq(r.losses, expected.losses, sizeof(r.losses));
    ck_assert_mem_eq(r.w, expected.w, sizeof(r.w));
    if (thread_counts[i] == 1) serial = r.arena;
    ck_assert_msg(r.arena <= (64 << 10) || (double)r.arena <= 1.3 * (double)serial,
                  "%d threads: %zu bytes, one: %zu", thread_counts[i], r.arena, serial);
  }
}
END_TEST

// ---- the plan of independent chains
static sn_status forward(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  for (int t = 0; t < towers; t++) {
    sn_tensor *h = in[2 * t];
    for (int l = 0; l < layers; l++) h = sn_relu(sn_matmul(h, in[2 * t + 1]));
    out[t] = h;
  }
  return sn_pending_error(context);
}

START_TEST(independent_chains_share_a_phase) {
  sn_context *context;
  sn_program *program;
  sn_spec specs[2 * towers];
  char *text;
  ck_assert_int_eq(sn_context_create(&context, .threads = 2), SN_OK);
  sn_function *f = sn_function_create(context, forward, .inputs = 2 * towers, .outputs = towers);
  for (int t = 0; t < towers; t++) {
    specs[2 * t] = (sn_spec){SN_F32, SN_SHAPE(32, 64)};
    specs[2 * t + 1] = (sn_spec){SN_F32, SN_SHAPE(64, 64)};
  }
  ck_assert_int_eq(sn_function_compile(f, specs, 2 * towers, &program), SN_OK);
  ck_assert_int_eq(sn_program_dump(context, program, SN_STAGE_KERNEL, &text), SN_OK);
  ck_assert_ptr_nonnull(strstr(text, "phase 0: 0 1 2 | 3 4 5 |"));
  sn_text_free(context, text);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

// ---- faults
static sn_status pick(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  for (int t = 0; t < towers; t++) {
    sn_tensor *h = in[0];
    for (int l = 0; l < layers; l++) h = sn_relu(sn_matmul(h, in[0]));
    out[t] = sn_matmul(sn_gather(h, in[1 + t]), in[0]);
  }
  return sn_pending_error(context);
}

START_TEST(the_same_index_is_refused) {
  enum { n = 64 };
  static float data[n * n];
  char expected[512] = "";
  fill(data, n * n, 1, 0.1f);
  for (size_t i = 0; i < sizeof(thread_counts) / sizeof(thread_counts[0]); i++) {
    sn_context *context;
    ck_assert_int_eq(sn_context_create(&context, .threads = thread_counts[i]), SN_OK);
    sn_function *f = sn_function_create(context, pick, .inputs = 1 + towers, .outputs = towers);
    for (int bad = 0; bad < towers; bad++) {
      SN_SCOPE(context);
      sn_tensor *in[1 + towers], *out[towers];
      in[0] = sn_constant(context, SN_F32, SN_SHAPE(n, n), data);
      for (int t = 0; t < towers; t++) {
        int32_t indices[4] = {0, 1, 2, t == bad || t == towers - 1 ? n : 3};
        in[1 + t] = sn_constant(context, SN_I32, SN_SHAPE(4), indices);
      }
      ck_assert_int_eq(sn_call(f, in, 1 + towers, out, towers), SN_ERR_INDEX);
      if (!expected[0]) snprintf(expected, sizeof(expected), "%s", sn_error_message(context));
      ck_assert_str_eq(sn_error_message(context), expected);
    }
    sn_function_destroy(f);
    sn_context_destroy(context);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("side_by_side");
  TCase *tests = tcase_create("side_by_side");
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, training_has_the_same_bits);
  tcase_add_test(tests, independent_chains_share_a_phase);
  tcase_add_test(tests, the_same_index_is_refused);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
