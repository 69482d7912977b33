// Stands in for libsinter-llvm.so in test_compile.c: it refuses every kernel. FAKE_AHEAD: its version
// is so much later than the library's.
#include "codegen/llvm/plugin.h"

#include <stdio.h>

#define FAKE_VERSION (SNI_LLVM_PLUGIN_VERSION + FAKE_AHEAD)

SNI_LLVM_PLUGIN_DEFINE_NOTE(FAKE_VERSION);

static int compile(const sni_llvm_request *request, sni_llvm_result *out_result) {
  snprintf(out_result->error, sizeof(out_result->error), "refused %d kernels", request->n_kernels);
  return 1;
}

static void release(sni_llvm_result *result) {
  (void)result;
}

static const sni_llvm_plugin plugin = {FAKE_VERSION, "0.0", compile, release};

SN_API const sni_llvm_plugin *sn_llvm_plugin(uint32_t host_version);
const sni_llvm_plugin *sn_llvm_plugin(uint32_t host_version) {
  return host_version == FAKE_VERSION ? &plugin : NULL;
}
