// The LLVM plugin as the core sees it: found and loaded at the first compile that wants it.
#ifndef SNI_CODEGEN_PLUGIN_H
#define SNI_CODEGEN_PLUGIN_H

#include "codegen/llvm/plugin.h"

#include <pthread.h>

// Thread-safe after init.
typedef struct sni_plugin {
  pthread_mutex_t lock;  // held while loading
  _Atomic bool tried;
  const char *path;  // the context's plugin_path or NULL; borrowed
  void *handle;
  const sni_llvm_plugin *api;  // NULL: none; status says why
  char status[256];            // "loaded" or the reason; final once tried
} sni_plugin;

sn_status sni_plugin_init(sni_plugin *plugin, const char *path);
void sni_plugin_deinit(sni_plugin *plugin);
// Loads it at the first call. NULL: not usable, plugin->status says why.
const sni_llvm_plugin *sni_plugin_load(sni_plugin *plugin);

#endif
