// Stands in for libsinter-llvm.so in test_compile.c: of version FAKE_VERSION, it refuses
// every kernel.
#include "codegen/llvm/plugin.h"

#include <stdio.h>

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
