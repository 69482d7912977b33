// The LLVM plugin as the core sees it: found and loaded at the first compile that wants it.
#ifndef SNI_CODEGEN_PLUGIN_H
#define SNI_CODEGEN_PLUGIN_H

#include "codegen/llvm/plugin.h"
#include "runtime/memory_left.h"

#include <pthread.h>

// Thread-safe after init.
typedef struct sni_plugin {
  pthread_mutex_t lock;  // held while loading
  _Atomic bool tried;
  sni_allocator *allocator;
  const char *path;  // the context's plugin_path or NULL; borrowed
  void *handle;
  const sni_llvm_plugin *api;  // NULL: none; status says why
  sni_memory_cgroup cgroup;
  char status[400];  // "loaded" or the reason; final once tried
} sni_plugin;

sn_status sni_plugin_init(sni_plugin *plugin, sni_allocator *allocator, const char *path);
void sni_plugin_deinit(sni_plugin *plugin);
// Loads it at the first call. NULL: not usable, plugin->status says why.
const sni_llvm_plugin *sni_plugin_load(sni_plugin *plugin);
// The loaded plugin's compile, on a stack of its own. Not 0 without the memory or the thread for
// that, too: result->error says why. Release the result in either case.
int sni_plugin_compile(const sni_plugin *plugin, const sni_llvm_request *request,
                       sni_llvm_result *out_result);

#endif
