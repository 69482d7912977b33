// Compilation: kernels shared between graphs, raw graphs, backends and what they fall back to,
// dumps, failing allocations.
#include "frontend_fixture.h"

#include "frontend/context/internal.h"
#include "passes/code_source.h"

#ifndef SINTER_HAS_LLVM
#define SINTER_HAS_LLVM 0
#endif

static sni_arena arena;
static sni_diag diag;
static const sni_location nowhere = {0};

static void open_arena(void) {
  setup();
  memset(&diag, 0, sizeof(diag));
  sni_arena_init(&arena, &ctx->family->allocator);
}

static void close_arena(void) {
  sni_arena_deinit(&arena);
  teardown();
}

static sni_type f32(int rank, sni_dim a, sni_dim b) {
  return sni_type_make(SN_F32, rank, (const sni_dim[]){a, b});
}

static sni_node_id add(sni_graph *graph, sni_op op, sni_node_id a, sni_node_id b) {
  sni_node_id id;
  ck_assert_int_eq(sni_graph_add(graph, op, (sni_node_id[]){a, b}, b == SNI_NO_NODE ? 1 : 2, NULL,
                                 0, NULL, nowhere, &id),
                   SN_OK);
  return id;
}

// x halved and moved by k, ten times: a loop.
static sni_graph *make_loop(double k) {
  char text[600];
  sni_graph *graph;
  const int n =
      snprintf(text, sizeof(text),
               "func @loop {\n"
               "  %%0 = parameter input 0 : f32[16]\n"
               "  %%1 = scan(%%0) {carries=1, xs=0, length=10, reverse=0, variables=0} [func {\n"
               "    %%0 = parameter variable 0 : f32[16]\n"
               "    %%1 = constant 0.5 : f32[]\n"
               "    %%2 = broadcast(%%1) : f32[16]\n"
               "    %%3 = mul(%%0, %%2) : f32[16]\n"
               "    %%4 = constant %g : f32[]\n"
               "    %%5 = broadcast(%%4) : f32[16]\n"
               "    %%6 = add(%%3, %%5) : f32[16]\n"
               "    return var 0 = %%6\n"
               "  }] : bool[]\n"
               "  %%2 = result(%%1) {index=0} : f32[16]\n"
               "  return %%2\n"
               "}\n",
               k);
  ck_assert_msg(!sni_graph_parse(&arena, &diag, text, (size_t)n, &graph), "%s", diag.text);
  return graph;
}

static void check_loop(sn_context *context, const sni_compiled *compiled, float k) {
  sni_run_state *state;
  sni_family *family = context->family;
  float x[16], y[16];
  void *in[1] = {x}, *out[1] = {y};
  for (int i = 0; i < 16; i++) x[i] = (float)i;
  ck_assert_int_eq(sni_run_state_create(&compiled->executable, &family->allocator, family->buffers,
                                        family->threads, 1, &diag, &state),
                   SN_OK);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  ck_assert_int_eq(
      sni_run_state_run(state, in, out, NULL, NULL, (void *const *)(uintptr_t)compiled->constants),
      SN_OK);
  for (int i = 0; i < 16; i++) {
    float expected = x[i];
    for (int step = 0; step < 10; step++) expected = expected * 0.5F + k;
    ck_assert_float_eq(y[i], expected);
  }
  sni_run_state_destroy(state);
}

// y = tanh(x * k) + x for x of n elements, and the sum of y.
static sni_graph *make_graph(sni_dim n, float k, const char *name) {
  sni_graph *graph;
  sni_type type = f32(1, n, 0), scalar = f32(0, 0, 0);
  sni_node_id x, c, sum;
  ck_assert_int_eq(sni_graph_create(&arena, &diag, name, NULL, &graph), SN_OK);
  ck_assert_int_eq(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_INPUT, 0, "x", &x), SN_OK);
  ck_assert_int_eq(sni_graph_add_constant(graph, &scalar, &k, nowhere, &c), SN_OK);
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_BROADCAST, &c, 1, NULL, 0, &type, nowhere, &c),
                   SN_OK);
  sni_node_id y = add(graph, SNI_OP_TANH, add(graph, SNI_OP_MUL, x, c), SNI_NO_NODE);
  y = add(graph, SNI_OP_ADD, y, x);
  const sni_dim axis = 0;
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_REDUCE_SUM, &y, 1, &axis, 1, NULL, nowhere, &sum),
                   SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, y, -1), SN_OK);
  ck_assert_int_eq(sni_graph_add_result(graph, sum, -1), SN_OK);
  return graph;
}

static sni_compiled *compile(sn_context *context, const sni_graph *graph, sn_backend backend,
                             bool raw) {
  const sni_compile_options options = {.backend = backend, .raw = raw};
  sni_compiled *compiled;
  sn_status status = sni_compile(context->family->compiler, graph, &options, &diag, &compiled);
  ck_assert_msg(!status, "sni_compile: %s", diag.text);
  return compiled;
}

static void run(sn_context *context, const sni_compiled *compiled, const float *x, float *y,
                float *sum) {
  sni_run_state *state;
  sni_family *family = context->family;
  void *in[1] = {(void *)(uintptr_t)x}, *out[2] = {y, sum};
  ck_assert_int_eq(sni_run_state_create(&compiled->executable, &family->allocator, family->buffers,
                                        family->threads, 1, &diag, &state),
                   SN_OK);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  ck_assert_int_eq(
      sni_run_state_run(state, in, out, NULL, NULL, (void *const *)(uintptr_t)compiled->constants),
      SN_OK);
  sni_run_state_destroy(state);
}

static void check_results(sn_context *context, const sni_compiled *compiled, float k) {
  float x[16], y[16], sum;
  double total = 0;
  for (int i = 0; i < 16; i++) x[i] = (float)i / 4;
  run(context, compiled, x, y, &sum);
  for (int i = 0; i < 16; i++) {
    ck_assert_float_eq_tol(y[i], tanhf(x[i] * k) + x[i], 1e-6f);
    total += (double)y[i];
  }
  ck_assert_double_eq_tol((double)sum, total, 1e-5);
}

START_TEST(test_a_graph_becomes_commands) {
  for (int raw = 0; raw < 2; raw++) {
    sni_compiled *compiled = compile(ctx, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, raw);
    ck_assert_int_gt(compiled->executable.n_commands, 0);
    ck_assert_int_eq(compiled->n_interpreted, compiled->executable.n_commands);
    ck_assert_int_eq(compiled->n_native, 0);
    ck_assert(raw ? !compiled->graph : compiled->graph != NULL);
    check_results(ctx, compiled, 0.5f);
    sni_compiled_destroy(compiled);
  }
  sni_compiled_destroy(NULL);
}
END_TEST

START_TEST(test_equal_kernels_are_shared) {
  sni_compiled *a = compile(ctx, make_graph(16, 0.5f, "a"), SN_BACKEND_AUTO, false);
  sni_compiled *b = compile(ctx, make_graph(16, 0.5f, "b"), SN_BACKEND_AUTO, false);
  sni_compiled *c = compile(ctx, make_graph(16, 2, "c"), SN_BACKEND_AUTO, false);
  ck_assert_int_eq(a->n_codes, b->n_codes);
  bool all_shared_with_c = a->n_codes == c->n_codes;
  for (uint32_t i = 0; i < a->n_codes; i++) {
    ck_assert_ptr_eq(a->codes[i], b->codes[i]);
    if (i < c->n_codes && a->codes[i] != c->codes[i]) all_shared_with_c = false;
  }
  ck_assert(!all_shared_with_c);
  check_results(ctx, a, 0.5f);
  sni_compiled_destroy(a);  // the others keep what they use
  check_results(ctx, b, 0.5f);
  check_results(ctx, c, 2);
  sni_compiled_destroy(b);
  sni_compiled_destroy(c);
  // And the cache keeps it for the next one.
  int64_t calls = memory.calls;
  a = compile(ctx, make_graph(16, 0.5f, "a"), SN_BACKEND_AUTO, false);
  ck_assert_int_lt(memory.calls - calls, 60);
  check_results(ctx, a, 0.5f);
  sni_compiled_destroy(a);
}
END_TEST

START_TEST(test_a_graph_repeats_a_kernel) {
  sni_graph *graph;
  sni_type type = f32(2, 8, 8);
  sni_node_id x, y[2];
  ck_assert_int_eq(sni_graph_create(&arena, &diag, "g", NULL, &graph), SN_OK);
  ck_assert_int_eq(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_INPUT, 0, "x", &x), SN_OK);
  for (int i = 0; i < 2; i++) {
    const sni_dim transposed[2] = {0, 0};
    ck_assert_int_eq(
        sni_graph_add(graph, SNI_OP_MATMUL, (sni_node_id[]){i ? y[0] : x, i ? y[0] : x}, 2,
                      transposed, 2, NULL, nowhere, &y[i]),
        SN_OK);
    ck_assert_int_eq(sni_graph_add_result(graph, y[i], -1), SN_OK);
  }
  sni_compiled *compiled = compile(ctx, graph, SN_BACKEND_AUTO, false);
  ck_assert_int_eq(compiled->n_codes, 2);
  ck_assert_ptr_eq(compiled->codes[0], compiled->codes[1]);
  sni_compiled_destroy(compiled);
}
END_TEST

START_TEST(test_dumps) {
  static const struct {
    sn_stage stage;
    const char *text;
  } wanted[] = {{SN_STAGE_GRAPH, "tanh("},
                {SN_STAGE_FUSED, "group 0"},
                {SN_STAGE_KERNEL, "kernel "},
                {SN_STAGE_DOT, "digraph"}};
  sni_compiled *compiled = compile(ctx, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, false);
  char *text;
  for (size_t i = 0; i < SNI_COUNT_OF(wanted); i++) {
    ck_assert_int_eq(sni_compiled_dump(compiled, wanted[i].stage, &diag, &text), SN_OK);
    ck_assert_msg(strstr(text, wanted[i].text) != NULL, "%s lacks %s", text, wanted[i].text);
    sn_text_free(ctx, text);
  }
  ck_assert_int_eq(sni_compiled_dump(compiled, SN_STAGE_LLVM, &diag, &text), SN_ERR_UNSUPPORTED);
  sni_compiled_destroy(compiled);
  sni_diag_clear(&diag);
  compiled = compile(ctx, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, true);
  ck_assert_int_eq(sni_compiled_dump(compiled, SN_STAGE_GRAPH, &diag, &text), SN_ERR_UNSUPPORTED);
  sni_compiled_destroy(compiled);
}
END_TEST

// ---- backends
static const char *llvm_status(sn_context *context) {
  sn_system_info info = {.size = sizeof(info)};
  sn_context_system_info(context, &info);
  return info.llvm_status;
}

START_TEST(test_the_interpreter_never_loads_llvm) {
  ck_assert_ptr_nonnull(strstr(llvm_status(ctx), "interpreter"));
  sn_system_info info = {.size = sizeof(info)};
  sn_context_system_info(ctx, &info);
  ck_assert_ptr_null(info.llvm_version);
}
END_TEST

START_TEST(test_a_missing_plugin) {
  static const char *paths[] = {"/nowhere/libsinter-llvm.so", "libm.so.6", ""};
  static const char *reasons[] = {"/nowhere/libsinter-llvm.so", "libm.so.6: not a plugin of Sinter",
                                  "empty plugin path"};
  for (int i = 0; i < 3; i++) {
    sn_context *context;
    ck_assert_int_eq(sn_context_create(&context, .plugin_path = paths[i], .threads = 1), SN_OK);
    sni_compiled *compiled = compile(context, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, false);
    ck_assert_int_eq(compiled->n_native, 0);
    check_results(context, compiled, 0.5f);
    sni_compiled_destroy(compiled);
    const sni_compile_options options = {.backend = SN_BACKEND_LLVM};
    ck_assert_int_eq(sni_compile(context->family->compiler, make_graph(16, 0.5f, "g"), &options,
                                 &diag, &compiled),
                     SN_ERR_UNSUPPORTED);
    ck_assert_ptr_null(compiled);
    ck_assert_msg(strstr(diag.text, reasons[i]) != NULL, "%s", diag.text);
    ck_assert_msg(strstr(llvm_status(context), reasons[i]) != NULL, "%s", llvm_status(context));
    sni_diag_clear(&diag);
    sn_context_destroy(context);
  }
}
END_TEST

#ifdef SINTER_FAKE_PLUGIN_0
// ---- what is logged
typedef struct log_lines {
  char text[8][400];
  sn_log_level levels[8];
  int n;
} log_lines;

static void take_line(void *user, sn_log_level level, const char *text) {
  log_lines *lines = user;
  if (lines->n == 8) return;
  lines->levels[lines->n] = level;
  snprintf(lines->text[lines->n++], sizeof(lines->text[0]), "%s", text);
}

static sn_status twice(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_mul_scalar(in[0], 2);
  return SN_OK;
}

START_TEST(test_what_is_logged) {
  log_lines lines = {.n = 0};
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = "/nowhere/libsinter-llvm.so",
                                     .log = take_line, .log_user = &lines),
                   SN_OK);
  sn_function *f = sn_function_create(context, twice, .inputs = 1, .outputs = 1, .name = "twice");
  for (int n = 3; n < 8; n++) {
    sn_tensor *x = sn_ones(context, SN_F32, SN_SHAPE(n)), *y;
    ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  }
  // no LLVM, once; the first trace; the one that made the dim symbolic
  ck_assert_int_eq(lines.n, 3);
  ck_assert_int_eq(lines.levels[0], SN_LOG_WARNING);
  ck_assert_ptr_nonnull(strstr(lines.text[0], "/nowhere/libsinter-llvm.so"));
  ck_assert_int_eq(lines.levels[1], SN_LOG_DEBUG);
  ck_assert_ptr_nonnull(strstr(lines.text[1], "\"twice\": trace 1"));
  ck_assert_int_eq(lines.levels[2], SN_LOG_INFO);
  ck_assert_ptr_nonnull(strstr(lines.text[2], "dim 0 was 3, is 4"));
  sn_function_destroy(f);
  lines.n = 0;
  f = sn_function_create(context, twice, .inputs = 1, .outputs = 1, .static_shapes = true);
  for (int n = 1; n < 17; n++) {
    if (n == 16) lines.n = 0;
    sn_tensor *x = sn_ones(context, SN_F32, SN_SHAPE(n)), *y;
    ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  }
  ck_assert_int_eq(lines.n, 2);
  ck_assert_int_eq(lines.levels[1], SN_LOG_WARNING);
  ck_assert_ptr_nonnull(strstr(lines.text[1], "traced 16 times; the latest reason: input 0"));
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

START_TEST(test_a_plugin_of_another_version) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_FAKE_PLUGIN_1, .threads = 1),
                   SN_OK);
  ck_assert_str_eq(llvm_status(context), "plugin is version 5, this library needs 4");
  sni_compiled *compiled = compile(context, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, false);
  ck_assert_int_eq(compiled->n_native, 0);
  sni_compiled_destroy(compiled);
  sn_context_destroy(context);
}
END_TEST

START_TEST(test_refused_kernels_are_interpreted) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_FAKE_PLUGIN_0, .threads = 1,
                                     .backend = SN_BACKEND_LLVM),
                   SN_OK);
  ck_assert_str_eq(llvm_status(context), "loaded");
  for (int round = 0; round < 2; round++) {
    sni_compiled *compiled = compile(context, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, false);
    ck_assert_int_eq(compiled->n_native, 0);
    ck_assert_int_eq(compiled->n_interpreted, compiled->executable.n_commands);
    check_results(context, compiled, 0.5f);
    sni_compiled_destroy(compiled);
  }
  ck_assert_ptr_nonnull(strstr(llvm_status(context), "a kernel was refused: refused 1 kernels"));
  sn_context_destroy(context);
}
END_TEST

START_TEST(test_refused_loops_are_interpreted) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_FAKE_PLUGIN_0, .threads = 1,
                                     .backend = SN_BACKEND_LLVM),
                   SN_OK);
  sni_compiled *compiled = compile(context, make_loop(0.25), SN_BACKEND_AUTO, false);
  ck_assert_int_eq(compiled->n_native, 0);
  ck_assert_int_eq(compiled->n_interpreted, 1);
  ck_assert_ptr_null(compiled->codes[0]);
  check_loop(context, compiled, 0.25F);
  sni_compiled_destroy(compiled);
  sn_context_destroy(context);
}
END_TEST
#endif

#if SINTER_HAS_LLVM
START_TEST(test_native_code) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_PLUGIN_PATH, .threads = 1,
                                     .backend = SN_BACKEND_LLVM),
                   SN_OK);
  sni_compiled *a = compile(context, make_graph(16, 0.5f, "a"), SN_BACKEND_AUTO, false);
  ck_assert_str_eq(llvm_status(context), "loaded");
  ck_assert_int_eq(a->n_native, a->executable.n_commands);
  ck_assert_int_gt((int)a->code_bytes, 0);
  check_results(context, a, 0.5f);
  sni_compiled *b = compile(context, make_graph(16, 0.5f, "b"), SN_BACKEND_AUTO, false);
  for (uint32_t i = 0; i < a->n_codes; i++) ck_assert_ptr_eq(a->codes[i], b->codes[i]);
  sni_compiled *c = compile(context, make_graph(16, 0.5f, "c"), SN_BACKEND_INTERPRETER, false);
  ck_assert_int_eq(c->n_native, 0);
  float x[16], y[2][16], sum[2];
  for (int i = 0; i < 16; i++) x[i] = (float)(i - 7) * 0.3f;
  run(context, a, x, y[0], &sum[0]);
  run(context, c, x, y[1], &sum[1]);
  ck_assert_mem_eq(y[0], y[1], sizeof(y[0]));  // the same bits on every backend
  ck_assert_mem_eq(&sum[0], &sum[1], sizeof(sum[0]));
  char *text;
  ck_assert_int_eq(sni_compiled_dump(a, SN_STAGE_LLVM, &diag, &text), SN_OK);
  ck_assert_ptr_nonnull(strstr(text, "define"));
  sn_text_free(context, text);
  ck_assert_int_eq(sni_compiled_dump(a, SN_STAGE_ASM, &diag, &text), SN_OK);
  ck_assert_ptr_nonnull(strstr(text, "ret"));
  sn_text_free(context, text);
  sni_compiled_destroy(a);
  sni_compiled_destroy(b);
  sni_compiled_destroy(c);
  sn_context_destroy(context);
}
END_TEST

START_TEST(test_native_loops_are_shared) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_PLUGIN_PATH, .threads = 1,
                                     .backend = SN_BACKEND_LLVM),
                   SN_OK);
  sni_compiled *a = compile(context, make_loop(0.25), SN_BACKEND_AUTO, false);
  sni_compiled *b = compile(context, make_loop(0.25), SN_BACKEND_AUTO, false);
  sni_compiled *c = compile(context, make_loop(0.75), SN_BACKEND_AUTO, false);
  ck_assert_int_eq(a->n_native, 1);
  ck_assert_ptr_nonnull(a->codes[0]);
  ck_assert_ptr_eq(a->codes[0], b->codes[0]);
  ck_assert_ptr_ne(a->codes[0], c->codes[0]);
  check_loop(context, a, 0.25F);
  check_loop(context, b, 0.25F);
  check_loop(context, c, 0.75F);
  char *text;
  for (int stage = SN_STAGE_LLVM; stage <= SN_STAGE_ASM; stage++) {
    ck_assert_int_eq(sni_compiled_dump(a, (sn_stage)stage, &diag, &text), SN_OK);
    ck_assert_ptr_nonnull(strstr(text, "k0_scan"));
    sn_text_free(context, text);
  }
  sni_compiled_destroy(a);
  sni_compiled_destroy(b);
  sni_compiled_destroy(c);
  sn_context_destroy(context);
}
END_TEST

// An object stays mapped for the first of its kernels that is idle, and is charged to it once.
START_TEST(test_idle_native_code_is_charged) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_PLUGIN_PATH, .threads = 1,
                                     .backend = SN_BACKEND_LLVM),
                   SN_OK);
  const sni_kernel_cache *cache = &context->family->compiler->cache;
  sni_compiled *a = compile(context, make_graph(70000, 0.5f, "a"), SN_BACKEND_AUTO, false);
  ck_assert_uint_gt(a->n_native, 1);
  const sni_object *object = a->codes[0]->object;
  const size_t code_bytes = sni_code_bytes(object->code);
  sni_kernel_code *first = a->codes[0];
  sni_compiled *b = compile(context, make_graph(70000, 0.5f, "b"), SN_BACKEND_AUTO, false);
  ck_assert_ptr_eq(b->codes[0], first);
  sni_compiled_destroy(a);
  ck_assert_uint_eq(cache->n_idle, 0);
  const uint32_t n = cache->count;
  sni_compiled_destroy(b);
  ck_assert_uint_eq(cache->n_idle, n);
  ck_assert_uint_gt(cache->idle_bytes, code_bytes);
  ck_assert_uint_lt(cache->idle_bytes, code_bytes + n * 32768);
  sn_context_trim(context);
  ck_assert_uint_eq(cache->count, 0);
  ck_assert_uint_eq(cache->idle_bytes, 0);
  sn_context_destroy(context);
}
END_TEST

// With code in place; says nothing where there is no /proc.
START_TEST(test_no_memory_is_writable_and_executable) {
  sn_context *context;
  char line[4096];
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_PLUGIN_PATH, .threads = 1,
                                     .backend = SN_BACKEND_LLVM),
                   SN_OK);
  sni_compiled *compiled = compile(context, make_graph(16, 0.5f, "g"), SN_BACKEND_AUTO, false);
  ck_assert_int_gt(compiled->n_native, 0);
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof(line), maps))
    ck_assert_msg(!strstr(line, " rwxp "), "%s", line);
  if (maps) fclose(maps);
  sni_compiled_destroy(compiled);
  sn_context_destroy(context);
}
END_TEST
#endif

// ---- failing allocations
START_TEST(test_every_allocation_may_fail) {
  const sni_compile_options options[] = {{.backend = SN_BACKEND_AUTO}, {.raw = true}};
  for (int mode = 0; mode < 2; mode++) {
    bool done = false;
    for (int n = 0; !done; n++) {
      ck_assert_int_lt(n, 5000);
      sn_context *context;
      memory.fail_from = -1;
      ck_assert_int_eq(sn_context_create(&context, .allocator = {counting_reallocate, &memory},
                                         .threads = 1, .backend = SN_BACKEND_INTERPRETER),
                       SN_OK);
      sni_graph *graph = make_graph(16, 0.5f, "g");
      int64_t bytes = memory.bytes;
      sni_compiled *compiled;
      memory.fail_count = 1;
      memory.fail_from = memory.calls + n;
      sn_status status =
          sni_compile(context->family->compiler, graph, &options[mode], &diag, &compiled);
      done = memory.calls <= memory.fail_from;
      memory.fail_from = -1;
      if (status) {
        ck_assert_int_eq(status, SN_ERR_MEMORY);
        ck_assert_ptr_null(compiled);
        ck_assert_int_eq(memory.bytes, bytes);
        sni_diag_clear(&diag);
        compiled = compile(context, graph, SN_BACKEND_AUTO, mode);
      }
      check_results(context, compiled, 0.5f);
      sni_compiled_destroy(compiled);
      sn_context_destroy(context);
    }
  }
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("compile");
  tcase_add_checked_fixture(cases, open_arena, close_arena);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, test_a_graph_becomes_commands);
  tcase_add_test(cases, test_equal_kernels_are_shared);
  tcase_add_test(cases, test_a_graph_repeats_a_kernel);
  tcase_add_test(cases, test_dumps);
  tcase_add_test(cases, test_the_interpreter_never_loads_llvm);
  tcase_add_test(cases, test_a_missing_plugin);
#ifdef SINTER_FAKE_PLUGIN_0
  tcase_add_test(cases, test_what_is_logged);
  tcase_add_test(cases, test_a_plugin_of_another_version);
  tcase_add_test(cases, test_refused_kernels_are_interpreted);
  tcase_add_test(cases, test_refused_loops_are_interpreted);
#endif
#if SINTER_HAS_LLVM
  tcase_add_test(cases, test_native_code);
  tcase_add_test(cases, test_native_loops_are_shared);
  tcase_add_test(cases, test_idle_native_code_is_charged);
  tcase_add_test(cases, test_no_memory_is_writable_and_executable);
#endif
  tcase_add_test(cases, test_every_allocation_may_fail);
  return run_cases("compile", &cases, 1);
}
