// Any text as a program: passes, lowering and the interpreter take every graph that the parser
// accepts, on inputs of all ones, and give the same bits when run again. Memory is limited, so that
// a small text cannot ask for much.
#include <sinter/sinter.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TENSORS 16
#define MAX_ELEMENTS 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool allocate(sn_view *view, sn_spec *spec) {
  int64_t n = 1;
  for (int d = 0; d < spec->shape.rank; d++) {
    if (spec->shape.dims[d] == SN_UNKNOWN) spec->shape.dims[d] = 3;
    if (spec->shape.dims[d] < 0 || spec->shape.dims[d] > MAX_ELEMENTS) return false;
    n *= spec->shape.dims[d];
    if (n > MAX_ELEMENTS) return false;
  }
  *view = (sn_view){calloc((size_t)n + 1, sn_dtype_size(spec->dtype)), spec->dtype, spec->shape};
  if (!view->data) return false;
  for (int64_t i = 0; i < n; i++) {
    if (spec->dtype == SN_F32) ((float *)view->data)[i] = 1;
    if (spec->dtype == SN_F64) ((double *)view->data)[i] = 1;
    if (spec->dtype == SN_BOOL) ((uint8_t *)view->data)[i] = 1;
  }
  return true;
}

static size_t bytes_of(const sn_view *view) {
  size_t bytes = sn_dtype_size(view->dtype);
  for (int d = 0; d < view->shape.rank; d++) bytes *= (size_t)view->shape.dims[d];
  return bytes;
}

// repeatable: a second run must give the same bits.
static void run(sn_context *context, sn_program *program, bool repeatable, sn_view *in,
                sn_view *out, int n_in, int n_out) {
  sn_spec specs[MAX_TENSORS];
  sn_runner *runner;
  for (int i = 0; i < n_in; i++) {
    if (sn_program_input_spec(context, program, i, &specs[i])) __builtin_trap();
    if (!allocate(&in[i], &specs[i])) return;
  }
  for (int i = 0; i < n_out; i++) {
    sn_spec spec;
    if (sn_program_output_spec(context, program, specs, n_in, i, &spec)) return;
    if (!allocate(&out[i], &spec)) return;
  }
  if (sn_runner_create(context, program, 1, &runner)) return;
  if (sn_run(runner, in, out) == SN_OK && n_out > 0) {
    size_t bytes = bytes_of(&out[0]);
    void *first = malloc(bytes + 1);
    if (first) {
      memcpy(first, out[0].data, bytes);
      if (sn_run(runner, in, out) == SN_OK && repeatable && memcmp(first, out[0].data, bytes) != 0)
        __builtin_trap();
    }
    free(first);
  }
  sn_runner_destroy(runner);
}

// A loop may run for ever, as it says, and so may a sum over a size that is an element.
static bool has_loop(const char *text, size_t size) {
  for (size_t i = 0; i + 6 < size; i++)
    if (!memcmp(text + i, "while", 5) || !memcmp(text + i, "scan", 4) ||
        !memcmp(text + i, "extent", 6))
      return true;
  return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sn_context *context;
  sn_program *program;
  sn_view in[MAX_TENSORS] = {{0}}, out[MAX_TENSORS] = {{0}};
  if (has_loop((const char *)data, size)) return 0;
  if (sn_context_create(&context, .threads = 1, .backend = SN_BACKEND_INTERPRETER,
                        .memory_limit = 1 << 26))
    return 0;
  if (sn_program_from_text(context, (const char *)data, size, &program) == SN_OK) {
    int n_in = sn_program_inputs(program), n_out = sn_program_outputs(program);
    bool repeatable = !memmem(data, size, "variable", 8);
    if (n_in <= MAX_TENSORS && n_out <= MAX_TENSORS)
      run(context, program, repeatable, in, out, n_in, n_out);
    sn_program_release(program);
  } else if (!*sn_error_message(context)) {
    __builtin_trap();
  }
  for (int i = 0; i < MAX_TENSORS; i++) {
    free(in[i].data);
    free(out[i].data);
  }
  sn_context_destroy(context);
  return 0;
}
