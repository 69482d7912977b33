// What a call costs: a + b * c + d on 16 floats, and one eager add of 16.
#include "bench/bench.h"

#include <stdlib.h>

#define N 16

typedef struct call_state {
  sn_tensor *in[4];
  sn_function *function;
  sn_program *program;
  sn_runner *runner;
  float data[4][N], result[N];
  sn_view views[4], out;
} call_state;

static sn_status muladd(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_add(sn_add(in[0], sn_mul(in[1], in[2])), in[3]);
  return SN_OK;
}

static bool validate(bench_run *run, const call_state *s, const float *got, bool add) {
  double expected[N];
  for (int i = 0; i < N; i++)
    expected[i] = add ? (double)s->data[0][i] + s->data[1][i]
                      : s->data[0][i] + (double)s->data[1][i] * s->data[2][i] + s->data[3][i];
  run->check = 0;
  for (int i = 0; i < N; i++) run->check += got[i];
  return bench_compare(run, "result", got, expected, N, 1e-6);
}

static bool read_and_validate(bench_run *run, sn_tensor *result, bool add) {
  float got[N];
  if (!bench_status(run, sn_read(result, got, sizeof(got)))) return false;
  return validate(run, run->state, got, add);
}

static call_state *create(bench_run *run) {
  call_state *s = run->state = calloc(1, sizeof(*s));
  if (!s) return NULL;
  for (int i = 0; i < 4; i++) {
    bench_fill(s->data[i], N, (uint64_t)i + 1);
    s->in[i] = bench_tensor(run, SN_SHAPE(N), (uint64_t)i + 1, 1);
    s->views[i] = (sn_view){s->data[i], SN_F32, SN_SHAPE(N)};
  }
  s->out = (sn_view){s->result, SN_F32, SN_SHAPE(N)};
  s->function =
      sn_function_create(run->context, muladd, .inputs = 4, .outputs = 1, .name = "muladd");
  return bench_status(run, sn_check(run->context)) ? s : NULL;
}

static void destroy(bench_run *run) {
  call_state *s = run->state;
  sn_runner_destroy(s->runner);
  sn_program_release(s->program);
  sn_function_destroy(s->function);
  for (int i = 0; i < 4; i++) sn_release(s->in[i]);
  free(s);
}

static bool setup_call(bench_run *run) {
  call_state *s = create(run);
  if (!s) return false;
  SN_SCOPE(run->context);
  sn_tensor *result;
  if (!bench_status(run, sn_call(s->function, s->in, 4, &result, 1))) return false;
  return read_and_validate(run, result, false);
}

static void step_call(bench_run *run) {
  call_state *s = run->state;
  SN_SCOPE(run->context);
  sn_tensor *result;
  sn_status status = sn_call(s->function, s->in, 4, &result, 1);
  if (status) bench_status(run, status);
}

static sn_tensor *muladd_eager(const call_state *s) {
  return sn_add(sn_add(s->in[0], sn_mul(s->in[1], s->in[2])), s->in[3]);
}

static bool setup_call_eager(bench_run *run) {
  call_state *s = create(run);
  if (!s) return false;
  SN_SCOPE(run->context);
  return read_and_validate(run, muladd_eager(s), false);
}

static void step_call_eager(bench_run *run) {
  SN_SCOPE(run->context);
  muladd_eager(run->state);
}

static bool setup_run(bench_run *run) {
  call_state *s = create(run);
  sn_spec specs[4];
  if (!s) return false;
  for (int i = 0; i < 4; i++) specs[i] = (sn_spec){SN_F32, SN_SHAPE(N)};
  if (!bench_status(run, sn_function_compile(s->function, specs, 4, &s->program))) return false;
  if (!bench_status(run, sn_runner_create(run->context, s->program, 1, &s->runner))) return false;
  if (sn_run(s->runner, s->views, &s->out))
    return bench_fail(run, "%s", sn_runner_error(s->runner));
  return validate(run, s, s->result, false);
}

static void step_run(bench_run *run) {
  call_state *s = run->state;
  if (sn_run(s->runner, s->views, &s->out)) bench_fail(run, "%s", sn_runner_error(s->runner));
}

static bool setup_add(bench_run *run) {
  call_state *s = create(run);
  if (!s) return false;
  SN_SCOPE(run->context);
  return read_and_validate(run, sn_add(s->in[0], s->in[1]), true);
}

static void step_add(bench_run *run) {
  call_state *s = run->state;
  SN_SCOPE(run->context);
  sn_add(s->in[0], s->in[1]);
}

const bench_case bench_call_cases[] = {
    {"call.4", "graph", setup_call, step_call, NULL, destroy, {0}, false},
    {"call.4", "run", setup_run, step_run, NULL, destroy, {0}, false},
    {"call.4", "eager", setup_call_eager, step_call_eager, NULL, destroy, {0}, false},
    {"call.eager_add", "eager", setup_add, step_add, NULL, destroy, {0}, false},
};
const int bench_call_count = sizeof(bench_call_cases) / sizeof(bench_call_cases[0]);
