// A host that embeds Sinter in C11: its own allocator and log, a function compiled once, run on its
// own memory without an allocation of the library's, as in an audio callback.
#include <sinter/sinter.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 64

// The host's allocator counts what it hands out.
static size_t blocks;

static void *reallocate(void *user, void *ptr, size_t old_size, size_t new_size, size_t align) {
  void *fresh = NULL;
  (void)user;
  if (new_size > 0) {
    if (align < sizeof(void *)) align = sizeof(void *);
    fresh = aligned_alloc(align, (new_size + align - 1) / align * align);
    if (fresh == NULL) return NULL;
    blocks++;
    if (ptr != NULL) memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
  }
  free(ptr);
  return fresh;
}

// y = tanh(gain * x)
static sn_status distort(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_tanh(sn_mul(in[0], in[1]));
  return sn_pending_error(context);
}

static int process(sn_context *context, sn_function *function) {
  static float x[FRAMES], y[FRAMES], gain = 2;
  sn_program *program;
  sn_runner *runner;
  const sn_spec specs[] = {{SN_F32, SN_SHAPE(FRAMES)}, {SN_F32, SN_SCALAR}};
  const sn_view in[] = {{x, SN_F32, SN_SHAPE(FRAMES)}, {&gain, SN_F32, SN_SCALAR}};
  const sn_view out = {y, SN_F32, SN_SHAPE(FRAMES)};
  if (sn_function_compile(function, specs, 2, &program)) return 1;
  if (sn_runner_create(context, program, 1, &runner)) return 1;
  double worst = 0;
  size_t before = 0;
  for (int block = 0; block < 100; block++) {
    for (int i = 0; i < FRAMES; i++) x[i] = (float)(block * FRAMES + i) / 6400 - 0.5f;
    if (block == 1) before = blocks;
    if (sn_run(runner, in, &out)) {
      fprintf(stderr, "%s\n", sn_runner_error(runner));
      return 1;
    }
    for (int i = 0; i < FRAMES; i++) worst = fmax(worst, fabs(y[i] - tanh(2 * (double)x[i])));
  }
  sn_system_info info = {.size = sizeof(info)};
  size_t after = blocks;
  sn_context_system_info(context, &info);
  printf("Sinter %s in C: largest error %.1e, %zu allocations while running, LLVM %s\n",
         sn_version(), worst, after - before, info.llvm_version ? info.llvm_version : "not found");
  int ok = worst < 1e-6 && after == before;
  sn_runner_destroy(runner);
  sn_program_release(program);
  return ok ? 0 : 1;
}

int main(void) {
  sn_context *context;
  if (sn_context_create(&context, .allocator = {reallocate, NULL}, .threads = 1)) return 1;
  sn_function *function =
      sn_function_create(context, distort, .inputs = 2, .outputs = 1, .name = "distort");
  int failed = process(context, function);
  if (*sn_error_message(context)) fprintf(stderr, "%s\n", sn_error_message(context));
  sn_function_destroy(function);
  sn_context_destroy(context);
  return failed;
}
