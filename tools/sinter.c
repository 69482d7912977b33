// The sinter command: tells what Sinter runs on, and shows, runs and times functions given as
// textual graphs.
//
// Its errors are about what the user gave: (sn_f)(...) instead of the macro sn_f(...) leaves out the
// line of the call here.
#include "runtime/dtype.h"
#include "runtime/half.h"

#include <sinter/sinter.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TENSORS 64
#define MAX_TEXT_BYTES (64 << 20)

static const char usage[] =
    "usage: sinter info\n"
    "       sinter dump FILE [--stage=graph|fused|kernel|llvm|asm|dot|trace]\n"
    "       sinter run FILE [--input X.npy]... [--output Y.npy]...\n"
    "       sinter bench [FILE] [--input X.npy]... [--seconds S]\n"
    "       sinter version\n"
    "FILE holds one function as a textual graph (\"-\": standard input), as `sinter dump` prints "
    "it.\n"
    "Inputs that are not given are made up by bench: (0, 1, 2, ...) mod 8 / 8 as the dtype has it; "
    "unknown dims are 32.\n"
    "options: --threads=N  --backend=auto|interpreter|llvm  --matmul=own|library  --plugin=PATH\n";

typedef struct arguments {
  const char *command, *file;
  const char *inputs[MAX_TENSORS], *outputs[MAX_TENSORS];
  int n_inputs, n_outputs;
  sn_stage stage;
  double seconds;
  sn_context_options options;
} arguments;

// A function read from text, ready to run on memory of our own.
typedef struct loaded {
  const char *name;  // of the file
  sn_context *context;
  sn_program *program;
  sn_runner *runner;
  sn_view in[MAX_TENSORS], out[MAX_TENSORS];
} loaded;

static const struct {
  const char *name;
  sn_stage stage;
} stages[] = {{"trace", SN_STAGE_TRACE},   {"graph", SN_STAGE_GRAPH}, {"fused", SN_STAGE_FUSED},
              {"kernel", SN_STAGE_KERNEL}, {"llvm", SN_STAGE_LLVM},   {"asm", SN_STAGE_ASM},
              {"dot", SN_STAGE_DOT}};

// ---- arguments
static bool complain(const char *what, const char *value) {
  (void)fprintf(stderr, "sinter: %s%s%s\n", what, value ? ": " : "", value ? value : "");
  return false;
}

static bool parse_stage(const char *name, sn_stage *out) {
  for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
    if (!strcmp(stages[i].name, name)) {
      *out = stages[i].stage;
      return true;
    }
  return complain("no such stage", name);
}

static bool parse_backend(const char *name, sn_backend *out) {
  if (!strcmp(name, "auto")) return *out = SN_BACKEND_AUTO, true;
  if (!strcmp(name, "interpreter")) return *out = SN_BACKEND_INTERPRETER, true;
  if (!strcmp(name, "llvm")) return *out = SN_BACKEND_LLVM, true;
  return complain("no such backend", name);
}

static bool parse_matmul(const char *name, sn_matmul_mode *out) {
  if (!strcmp(name, "library"))
    *out = SN_MATMUL_LIBRARY;
  else if (!strcmp(name, "own"))
    *out = SN_MATMUL_OWN;
  else
    return complain("no such matmul", name);
  return true;
}

static bool parse_number(const char *text, double least, double *out) {
  char *end;
  *out = strtod(text, &end);
  return (*text && !*end && *out >= least && *out <= 1e6) || complain("not a usable number", text);
}

static bool add_name(const char **names, int *count, const char *name) {
  if (*count == MAX_TENSORS) return complain("too many tensors", name);
  names[(*count)++] = name;
  return true;
}

static bool take_option(arguments *a, const char *name, const char *value) {
  double number = 0;
  if (!strcmp(name, "--stage")) return parse_stage(value, &a->stage);
  if (!strcmp(name, "--backend")) return parse_backend(value, &a->options.backend);
  if (!strcmp(name, "--matmul")) return parse_matmul(value, &a->options.matmul);
  if (!strcmp(name, "--plugin")) return (a->options.plugin_path = value) != NULL;
  if (!strcmp(name, "--input")) return add_name(a->inputs, &a->n_inputs, value);
  if (!strcmp(name, "--output")) return add_name(a->outputs, &a->n_outputs, value);
  if (!strcmp(name, "--seconds")) return parse_number(value, 0, &a->seconds);
  if (!strcmp(name, "--threads")) {
    if (!parse_number(value, 1, &number)) return false;
    a->options.threads = (int)number;
    return number == (double)a->options.threads || complain("not a whole number", value);
  }
  return complain("no such option", name);
}

// --name value and --name=value are the same.
static bool parse_arguments(int argc, char **argv, arguments *a) {
  *a = (arguments){
      .stage = SN_STAGE_GRAPH, .seconds = 1, .options = {.size = sizeof(sn_context_options)}};
  for (int i = 1; i < argc; i++) {
    char *word = argv[i];
    if (word[0] == '-' && word[1] == '-') {
      char *equals = strchr(word, '=');
      if (equals) *equals = 0;
      const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
      if (!value) return complain("an option needs a value", word);
      if (!take_option(a, word, value)) return false;
    } else if (!a->command) {
      a->command = word;
    } else if (!a->file) {
      a->file = word;
    } else {
      return complain("one file at a time", word);
    }
  }
  return a->command != NULL;
}

// ---- reading a function
static char *read_text(const char *path, size_t *out_length) {
  FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
  char *text = NULL;
  size_t length = 0, room = 0, got = 1;
  if (!file) return NULL;
  while (got > 0) {
    if (length == room) {
      char *grown = realloc(text, room = room ? 2 * room : 16384);
      if (!grown) break;
      text = grown;
    }
    got = fread(text + length, 1, room - length, file);
    length += got;
    if (length > MAX_TEXT_BYTES) break;
  }
  bool ok = text && got == 0 && !ferror(file);
  int saved = length > MAX_TEXT_BYTES ? EFBIG : errno;
  if (file != stdin) (void)fclose(file);
  errno = saved;
  if (!ok) free(text);
  *out_length = length;
  return ok ? text : NULL;
}

// A message about the function that was read from l->name, in the terms of whoever wrote that: not
// the library's function that failed, but file:line.
static bool complain_of(const loaded *l, const char *message) {
  static const char in_text[] = " (text:";
  const char *begin = message, *end = message + strlen(message), *place = NULL;
  int line = 0, column = 0, skipped = 0;
  if (!strncmp(begin, "sn_", 3) && strstr(begin, ": ")) begin = strstr(begin, ": ") + 2;
  for (const char *at = begin; (at = strstr(at, in_text)); at++) place = at;
  (void)fprintf(stderr, "sinter: %s:", l->name);
  if (place && sscanf(place + sizeof(in_text) - 1, "%d)%n", &line, &skipped) == 1 && skipped) {
    end = place;
    (void)fprintf(stderr, "%d:", line);
  } else if (sscanf(begin, "%d:%d: %n", &line, &column, &skipped) == 2 && skipped) {
    (void)fprintf(stderr, "%d:%d:", line, column);
    begin += skipped;
  } else if (sscanf(begin, "line %d: %n", &line, &skipped) == 1 && skipped) {
    (void)fprintf(stderr, "%d:", line);
    begin += skipped;
  }
  (void)fprintf(stderr, " %.*s\n", (int)(end - begin), begin);
  return false;
}

static bool report(const loaded *l, sn_status status) {
  const char *message = l->context ? sn_error_message(l->context) : "";
  return complain_of(l, *message ? message : sn_status_meaning(status));
}

static bool load_text(const arguments *a, const char *name, const char *text, size_t length,
                      loaded *l) {
  l->name = name;
  sn_status status = sn_context_create_opts(&a->options, &l->context);
  if (status) return complain(sn_status_meaning(status), NULL);
  status = (sn_program_from_text)(l->context, text, length, &l->program);
  if (status) return report(l, status);
  if (sn_program_inputs(l->program) > MAX_TENSORS || sn_program_outputs(l->program) > MAX_TENSORS)
    return complain("too many inputs or outputs", NULL);
  return true;
}

static bool load_file(const arguments *a, loaded *l) {
  size_t length;
  if (!a->file) return complain("a file is needed; `sinter` alone explains", NULL);
  char *text = read_text(a->file, &length);
  if (!text) return complain(a->file, strerror(errno));
  bool ok = load_text(a, strcmp(a->file, "-") ? a->file : "standard input", text, length, l);
  free(text);
  return ok;
}

static void unload(loaded *l) {
  for (int i = 0; i < MAX_TENSORS; i++) {
    free(l->in[i].data);
    free(l->out[i].data);
  }
  sn_runner_destroy(l->runner);
  sn_program_release(l->program);
  sn_context_destroy(l->context);
}

// ---- memory for inputs and outputs
static int64_t count(const sn_shape *shape) {
  int64_t n = 1;
  for (int i = 0; i < shape->rank; i++) n *= shape->dims[i];
  return n;
}

static bool allocate(sn_view *view, const sn_spec *spec) {
  size_t bytes = (size_t)count(&spec->shape) * sn_dtype_size(spec->dtype);
  *view = (sn_view){aligned_alloc(64, (bytes + 127) / 64 * 64), spec->dtype, spec->shape};
  if (!view->data) return complain("out of memory", NULL);
  memset(view->data, 0, bytes);
  return true;
}

// A message about a file says all by itself, behind the name of the library's function.
static bool complain_of_file(const loaded *l) {
  const char *message = sn_error_message(l->context), *colon = strstr(message, ": ");
  return complain(colon ? colon + 2 : message, NULL);
}

static bool read_input(const loaded *l, const char *path, sn_view *out) {
  SN_SCOPE(l->context);
  sn_tensor *t = (sn_load_npy)(l->context, path);
  if (sn_check(l->context)) return complain_of_file(l);
  sn_spec spec = {(sn_dtype_of)(t), {.rank = (sn_rank)(t)}};
  for (int i = 0; i < spec.shape.rank; i++) spec.shape.dims[i] = (sn_dim)(t, i);
  if (!allocate(out, &spec)) return false;
  const sn_status status =
      (sn_read)(t, out->data, (size_t)count(&spec.shape) * sn_dtype_size(spec.dtype));
  return status ? report(l, status) : true;
}

static bool write_output(const loaded *l, const char *path, const sn_view *view) {
  SN_SCOPE(l->context);
  sn_tensor *t = (sn_from_memory)(l->context, view->dtype, view->shape, view->data, NULL, NULL);
  return !(sn_save_npy)(t, path) || complain_of_file(l);
}

static bool read_inputs(const arguments *a, loaded *l) {
  int n = sn_program_inputs(l->program);
  if (a->n_inputs != n) {
    (void)fprintf(stderr, "sinter: the function has %d inputs, --input was given %d times\n", n,
                  a->n_inputs);
    return false;
  }
  for (int i = 0; i < n; i++)
    if (!read_input(l, a->inputs[i], &l->in[i])) return false;
  return true;
}

// 0, 1/8, ..., 7/8, again and again, as the dtype has it.
static void fill_pattern(const sn_view *view) {
  const int64_t n = count(&view->shape);
  for (int64_t i = 0; i < n; i++) {
    const int k = (int)(i % 8);
    if (view->dtype == SN_F32)
      ((float *)view->data)[i] = (float)k / 8;
    else if (view->dtype == SN_F64)
      ((double *)view->data)[i] = (double)k / 8;
    else if (sni_is_half(view->dtype))
      ((uint16_t *)view->data)[i] =
          view->dtype == SN_F16 ? sni_f16_of((double)k / 8) : sni_bf16_of((double)k / 8);
    else if (view->dtype == SN_BOOL)
      ((uint8_t *)view->data)[i] = k & 1;
  }
}

static bool make_inputs(loaded *l) {
  for (int i = 0; i < sn_program_inputs(l->program); i++) {
    sn_spec spec;
    sn_status status = (sn_program_input_spec)(l->context, l->program, i, &spec);
    if (status) return report(l, status);
    for (int d = 0; d < spec.shape.rank; d++)
      if (spec.shape.dims[d] == SN_UNKNOWN) spec.shape.dims[d] = 32;
    if (!allocate(&l->in[i], &spec)) return false;
    fill_pattern(&l->in[i]);
  }
  return true;
}

static bool make_outputs(const arguments *a, loaded *l) {
  sn_spec in[MAX_TENSORS], out;
  int n_inputs = sn_program_inputs(l->program);
  for (int i = 0; i < n_inputs; i++) in[i] = (sn_spec){l->in[i].dtype, l->in[i].shape};
  for (int i = 0; i < sn_program_outputs(l->program); i++) {
    sn_status status = (sn_program_output_spec)(l->context, l->program, in, n_inputs, i, &out);
    if (status) return report(l, status);
    for (int d = 0; d < out.shape.rank; d++)
      if (out.shape.dims[d] == SN_UNKNOWN)
        return complain_of(l,
                           "an output has a size that a run finds out, and no memory of that size");
    if (!allocate(&l->out[i], &out)) return false;
  }
  sn_status status = (sn_runner_create)(l->context, l->program, a->options.threads, &l->runner);
  return status ? report(l, status) : true;
}

static bool run_once(const loaded *l) {
  sn_status status = sn_run(l->runner, l->in, l->out);
  if (!status) return true;
  return complain_of(l, sn_runner_error(l->runner));
}

// ---- commands
static bool command_info(const arguments *a) {
  sn_context *context;
  sn_system_info info = {.size = sizeof(info)};
  sn_status status = sn_context_create_opts(&a->options, &context);
  if (status) return complain(sn_status_meaning(status), NULL);
  sn_context_system_info(context, &info);
  (void)printf("sinter    %s\n", sn_version());
  (void)printf("cpu       %s\n", info.cpu_name);
  (void)printf("features  %s\n", info.cpu_features);
  (void)printf("vectors   %d bits\n", info.vector_bits);
  (void)printf("caches    L1d %lld KB, L2 %lld KB, L3 %lld KB\n",
               (long long)info.cache_bytes[0] / 1024, (long long)info.cache_bytes[1] / 1024,
               (long long)info.cache_bytes[2] / 1024);
  (void)printf("threads   %d\n", info.threads);
  (void)printf("llvm      %s (%s)\n", info.llvm_version ? info.llvm_version : "none",
               info.llvm_status);
  (void)printf("blas      %s%s%s (%s)\n", info.blas_name ? info.blas_name : "none",
               info.blas_core ? ", core " : "", info.blas_core ? info.blas_core : "",
               info.blas_status);
  (void)printf("devices   cpu\n");
  sn_context_destroy(context);
  return true;
}

// Texts of any length: what a full buffer cannot pass on is told here, while the reason is known.
static bool print_text(const char *text) {
  return fputs(text, stdout) >= 0 || complain("standard output", strerror(errno));
}

static bool command_dump(const arguments *a, loaded *l) {
  char *text;
  if (!load_file(a, l)) return false;
  sn_status status = (sn_program_dump)(l->context, l->program, a->stage, &text);
  if (status) return report(l, status);
  bool ok = print_text(text);
  sn_text_free(l->context, text);
  return ok;
}

static bool print_view(const loaded *l, const sn_view *view) {
  SN_SCOPE(l->context);
  sn_tensor *t = (sn_constant)(l->context, view->dtype, view->shape, view->data);
  sn_status status = sn_check(l->context);
  if (status) return report(l, status);
  size_t length = sn_format(t, NULL, 0);
  char *text = malloc(length + 1);
  if (!text) return complain("out of memory", NULL);
  (void)sn_format(t, text, length + 1);
  bool ok = print_text(text) && print_text("\n");
  free(text);
  return ok;
}

static bool command_run(const arguments *a, loaded *l) {
  if (!load_file(a, l) || !read_inputs(a, l) || !make_outputs(a, l) || !run_once(l)) return false;
  int n = sn_program_outputs(l->program);
  if (a->n_outputs > n)
    return complain("the function has fewer outputs than --output was given", NULL);
  for (int i = 0; i < n; i++) {
    const sn_view *y = &l->out[i];
    if (i >= a->n_outputs) {
      if (!print_view(l, y)) return false;
    } else if (!write_output(l, a->outputs[i], y)) {
      return false;
    }
  }
  return true;
}

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Best time of a call, in microseconds, over batches that last about 10 ms each.
static bool time_calls(const loaded *l, double seconds, double *out_us) {
  int64_t batch = 1;
  double begin = now(), spent;
  *out_us = 1e300;
  do {
    double start = now();
    for (int64_t i = 0; i < batch; i++)
      if (!run_once(l)) return false;
    spent = now() - start;
    double us = spent / (double)batch * 1e6;
    if (us < *out_us) *out_us = us;
    if (spent < 0.01) batch = batch * 2;
  } while (now() - begin < seconds);
  return true;
}

static bool bench_loaded(const arguments *a, loaded *l, const char *name) {
  double us;
  bool ok = a->n_inputs ? read_inputs(a, l) : make_inputs(l);
  if (!ok || !make_outputs(a, l) || !time_calls(l, a->seconds, &us)) return false;
  (void)printf("%-28s %12.3f us\n", name, us);
  return true;
}

static const struct {
  const char *name, *text;
} built_in[] = {
    {"add, 16 floats",
     "func @add {\n  %0 = parameter input 0 : f32[16]\n  %1 = parameter input 1 : f32[16]\n"
     "  %2 = add(%0, %1) : f32[16]\n  return %2\n}\n"},
    {"tanh(x) * sigmoid(x), 1 M",
     "func @chain {\n  %0 = parameter input 0 : f32[1048576]\n  %1 = tanh(%0) : f32[1048576]\n"
     "  %2 = sigmoid(%0) : f32[1048576]\n  %3 = mul(%1, %2) : f32[1048576]\n  return %3\n}\n"},
    {"sum, 1 M",
     "func @sum {\n  %0 = parameter input 0 : f32[1048576]\n"
     "  %1 = reduce_sum(%0) {axes=[0]} : f32[]\n  return %1\n}\n"},
    {"matmul, 512 x 512 x 512",
     "func @matmul {\n  %0 = parameter input 0 : f32[512,512]\n  %1 = parameter input 1 : "
     "f32[512,512]\n"
     "  %2 = matmul(%0, %1) {ta=0, tb=0} : f32[512,512]\n  return %2\n}\n"},
};

static bool command_bench(const arguments *a, loaded *l) {
  if (a->file) return load_file(a, l) && bench_loaded(a, l, a->file);
  bool ok = true;
  for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]) && ok; i++) {
    ok = load_text(a, built_in[i].name, built_in[i].text, strlen(built_in[i].text), l) &&
         bench_loaded(a, l, built_in[i].name);
    unload(l);
    *l = (loaded){0};
  }
  return ok;
}

// Files that are closed when the command starts must not become those that it opens. Reading from
// and writing to these here fails, as it should.
static void open_standard_files(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

// The exit status: what could not be written was not done.
static int finish(int status) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  if (errno || !status)  // or else it has been told
    (void)complain("standard output", errno ? strerror(errno) : "could not be written");
  return status ? status : 1;
}

int main(int argc, char **argv) {
  arguments a;
  loaded l = {0};
  bool ok = false;
  open_standard_files();
  if (argc < 2) {
    (void)fputs(usage, stdout);
    return finish(2);
  }
  if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
    (void)fputs(usage, stdout);
    return finish(0);
  }
  if (!strcmp(argv[1], "--version")) argv[1] = "version";
  if (!parse_arguments(argc, argv, &a)) return 2;
  if (!strcmp(a.command, "info")) {
    ok = command_info(&a);
  } else if (!strcmp(a.command, "dump")) {
    ok = command_dump(&a, &l);
  } else if (!strcmp(a.command, "run")) {
    ok = command_run(&a, &l);
  } else if (!strcmp(a.command, "bench")) {
    ok = command_bench(&a, &l);
  } else if (!strcmp(a.command, "version")) {
    ok = printf("%s\n", sn_version()) > 0;
  } else {
    (void)complain("no such command", a.command);
    (void)fputs(usage, stderr);
    return 2;
  }
  unload(&l);
  return finish(ok ? 0 : 1);
}
