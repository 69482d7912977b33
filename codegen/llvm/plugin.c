// The plugin's entry: a request's kernels become one LLVM module, and that an object, IR text or
// assembly text.
//
// No LLVM IR pass is run but those that code generation needs: the vectors are already there. Each
// call has its own context, module and target machine, so calls from several threads don't meet.
// LLVM ends the process when its memory runs out: out_of_memory.c is before that, and the core asks
// the host's limits and gives it a stack of its own (codegen/plugin.c).
#include "codegen/llvm/plugin.h"

#include "codegen/llvm/emit_walk.h"
#include "codegen/llvm/out_of_memory.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) const sni_llvm_plugin *sn_llvm_plugin(uint32_t host_version);

static const char triple[] = "x86_64-unknown-linux-gnu";

typedef struct compilation {
  const sni_llvm_request *request;
  sni_llvm_result *result;
  LLVMTargetMachineRef machine;
  sni_emitter emitter;
  bool ok;
} compilation;

static bool has_feature(const char *features, const char *name) {
  const size_t length = strlen(name);
  for (const char *at = features; (at = strstr(at, name)); at += length)
    if (at > features && at[-1] == '+' && (at[length] == 0 || at[length] == ',')) return true;
  return false;
}

// The host as one of the psABI's levels where it is one: its many features by name cost more than a
// small kernel's code.
static const char *host_level(const char *features) {
  static const char *const level3[] = {"avx2",  "fma",   "bmi",    "bmi2",   "f16c",
                                       "lzcnt", "movbe", "popcnt", "sse4.2", "cx16"};
  static const char *const level4[] = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
  for (size_t i = 0; i < sizeof(level3) / sizeof(level3[0]); i++)
    if (!has_feature(features, level3[i])) return NULL;
  for (size_t i = 0; i < sizeof(level4) / sizeof(level4[0]); i++)
    if (!has_feature(features, level4[i])) return "x86-64-v3";
  return "x86-64-v4";
}

static bool create_machine(compilation *c, const char *cpu, const char *features) {
  static const LLVMCodeGenOptLevel levels[4] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess,
                                                LLVMCodeGenLevelDefault,
                                                LLVMCodeGenLevelAggressive};
  const int level = c->request->optimization;
  LLVMTargetRef target;
  char *message = NULL;
  if (LLVMGetTargetFromTriple(triple, &target, &message)) {
    sni_fail_emission(&c->emitter, "no code generator for %s: %s", triple, message);
    LLVMDisposeMessage(message);
    return false;
  }
  c->machine = LLVMCreateTargetMachine(target, triple, cpu, features,
                                       levels[level < 0   ? 0
                                              : level > 3 ? 3
                                                          : level],
                                       LLVMRelocPIC, LLVMCodeModelSmall);
  return c->machine ? true : sni_fail_emission(&c->emitter, "no target machine for %s", cpu);
}

static void describe_target(sni_emitter *e, const sni_llvm_request *request, const char *features) {
  e->avx512 = has_feature(features, "avx512f") && request->vector_bits >= 128;
  e->avx512vl = e->avx512 && has_feature(features, "avx512vl");
  e->f16c = has_feature(features, "f16c");
  e->vector_bits = request->vector_bits;
}

static void create_module(sni_emitter *e) {
  LLVMContextRef context = LLVMContextCreate();
  e->context = context;
  e->module = LLVMModuleCreateWithNameInContext("sinter", context);
  e->builder = LLVMCreateBuilderInContext(context);
  e->type_i1 = LLVMInt1TypeInContext(context);
  e->type_i8 = LLVMInt8TypeInContext(context);
  e->type_i16 = LLVMInt16TypeInContext(context);
  e->type_i32 = LLVMInt32TypeInContext(context);
  e->type_i64 = LLVMInt64TypeInContext(context);
  e->type_f32 = LLVMFloatTypeInContext(context);
  e->type_f64 = LLVMDoubleTypeInContext(context);
  e->type_pointer = LLVMPointerTypeInContext(context, 0);
  e->type_void = LLVMVoidTypeInContext(context);
}

// LLVM would print what it has to say; errors of ours are found by their effects.
static void ignore_diagnostic(LLVMDiagnosticInfoRef info, void *user) {
  (void)info;
  (void)user;
}

static bool set_result(compilation *c, const void *data, size_t bytes, bool text) {
  char *copy = malloc(bytes + 1);
  if (!copy) return sni_fail_emission(&c->emitter, "out of memory");
  memcpy(copy, data, bytes);
  copy[bytes] = 0;
  c->result->data = c->result->owner = copy;
  c->result->bytes = bytes + text;
  return true;
}

static bool write_output(compilation *c) {
  sni_emitter *e = &c->emitter;
  if (c->request->output == SNI_LLVM_IR) {
    char *text = LLVMPrintModuleToString(e->module);
    const bool ok = set_result(c, text, strlen(text), true);
    LLVMDisposeMessage(text);
    return ok;
  }
  const bool assembly = c->request->output == SNI_LLVM_ASSEMBLY;
  LLVMMemoryBufferRef buffer = NULL;
  char *message = NULL;
  if (LLVMTargetMachineEmitToMemoryBuffer(
          c->machine, e->module, assembly ? LLVMAssemblyFile : LLVMObjectFile, &message, &buffer)) {
    sni_fail_emission(e, "code generation failed: %s", message ? message : "?");
    LLVMDisposeMessage(message);
    return false;
  }
  const bool ok = set_result(c, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer), assembly);
  LLVMDisposeMemoryBuffer(buffer);
  return ok;
}

static bool build_module(compilation *c) {
  sni_emitter *e = &c->emitter;
  LLVMContextSetDiagnosticHandler(e->context, ignore_diagnostic, NULL);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(c->machine);
  LLVMSetModuleDataLayout(e->module, layout);
  LLVMDisposeTargetData(layout);
  LLVMSetTarget(e->module, triple);
  const sni_llvm_request *r = c->request;
  for (int i = 0; i < r->n_kernels; i++)
    if (!sni_emit_kernel(e, r->kernels[i], r->symbols[i])) return false;
  if (r->flow && !sni_emit_flow(e, r->flow, r->flow_symbol)) return false;
#if defined(SNI_DEBUG)
  char *message = NULL;
  const bool broken = LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message);
  if (broken) sni_fail_emission(e, "broken IR: %s", message);
  LLVMDisposeMessage(message);
  if (broken) return false;
#endif
  return true;
}

static bool is_valid(compilation *c) {
  const sni_llvm_request *r = c->request;
  if (r->vector_bits != 128 && r->vector_bits != 256 && r->vector_bits != 512)
    return sni_fail_emission(&c->emitter, "vectors of %d bits", r->vector_bits);
  return r->n_kernels > 0 || r->flow ? true : sni_fail_emission(&c->emitter, "no kernels");
}

static void compile_valid(void *user) {
  compilation *c = user;
  const sni_llvm_request *request = c->request;
  char *host_cpu = request->cpu ? NULL : LLVMGetHostCPUName();
  char *host_features = request->features ? NULL : LLVMGetHostCPUFeatures();
  const char *cpu = request->cpu ? request->cpu : host_cpu;
  const char *features = request->features ? request->features : host_features;
  describe_target(&c->emitter, request, features);
  const char *level = request->cpu || request->features ? NULL : host_level(features);
  if (level) {
    cpu = level;
    features = "";
  }
  if (create_machine(c, cpu, features)) {
    create_module(&c->emitter);
    c->ok = build_module(c) && write_output(c);
    LLVMDisposeBuilder(c->emitter.builder);
    LLVMDisposeModule(c->emitter.module);
    LLVMContextDispose(c->emitter.context);
    LLVMDisposeTargetMachine(c->machine);
  }
  LLVMDisposeMessage(host_cpu);
  LLVMDisposeMessage(host_features);
}

static int compile(const sni_llvm_request *request, sni_llvm_result *out_result) {
  memset(out_result, 0, sizeof(*out_result));
  compilation c = {.request = request, .result = out_result};
  c.emitter.error = out_result->error;
  if (!is_valid(&c)) return 1;
  if (sni_llvm_is_exhausted()) {
    snprintf(out_result->error, sizeof(out_result->error),
             "LLVM has failed in this process before");
    return 1;
  }
  if (!sni_llvm_survive(compile_valid, &c)) {
    // What belonged to the compilation is lost: no result, even if there was one.
    *out_result = (sni_llvm_result){.data = NULL};
    snprintf(out_result->error, sizeof(out_result->error), "LLVM: %s", sni_llvm_reason());
    return 1;
  }
  return c.ok ? 0 : 1;
}

static void release(sni_llvm_result *result) {
  free(result->owner);
  result->data = result->owner = NULL;
  result->bytes = 0;
}

SNI_LLVM_PLUGIN_DEFINE_NOTE(SNI_LLVM_PLUGIN_VERSION);

#define SNI_TEXT_OF(x) #x
#define SNI_TEXT(x) SNI_TEXT_OF(x)
static const sni_llvm_plugin plugin = {
    .version = SNI_LLVM_PLUGIN_VERSION,
    .llvm_version = SNI_TEXT(LLVM_VERSION_MAJOR) "." SNI_TEXT(LLVM_VERSION_MINOR) "." SNI_TEXT(
        LLVM_VERSION_PATCH),
    .compile = compile,
    .release = release,
};

// Runs once. LLVM's list of targets is its own global; entering the same target from two threads
// would be a race.
static void initialize(void) {
  sni_llvm_handle_out_of_memory();
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
#if !defined(SINTER_LLVM_SHARED)
  // A third of all compile time, and addresses are in their final form already. Not in an LLVM that
  // the host may share.
  static const char *const options[] = {"sinter-llvm", "-disable-lsr"};
  LLVMParseCommandLineOptions(2, options, NULL);
#endif
}

const sni_llvm_plugin *sn_llvm_plugin(uint32_t host_version) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, initialize);
  return host_version == SNI_LLVM_PLUGIN_VERSION ? &plugin : NULL;
}
