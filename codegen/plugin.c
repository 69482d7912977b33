// Finds and loads libsinter-llvm.so: at the context's plugin_path if it names one, else beside the
// library (or the program that holds it), else where the loader looks. Loaded at most once per
// family, at the first compile that wants native code.
//
// Invariant: api and status change under the lock only, before `tried` is set; afterwards everybody
// reads them freely. The plugin stays mapped after dlclose (RTLD_NODELETE), and with it an LLVM
// that is linked dynamically: exit handlers that this one registers point into its code. One that
// is linked statically registers none (codegen/llvm/at_exit.c).
#include "codegen/plugin.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char plugin_file[] = "libsinter-llvm.so";

sn_status sni_plugin_init(sni_plugin *plugin, const char *path) {
  memset(plugin, 0, sizeof(*plugin));
  plugin->path = path;
  atomic_init(&plugin->tried, false);
  return pthread_mutex_init(&plugin->lock, NULL) ? SN_ERR_MEMORY : SN_OK;
}

void sni_plugin_deinit(sni_plugin *plugin) {
  if (plugin->handle) dlclose(plugin->handle);
  pthread_mutex_destroy(&plugin->lock);
}

static void *open_library(const char *path) {
  return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

// The file beside the one that holds this code. False: unknown or too long.
static bool path_beside_library(char *path, size_t capacity) {
  Dl_info info;
  if (!dladdr((const void *)(uintptr_t)&sni_plugin_load, &info) || !info.dli_fname) return false;
  const char *slash = strrchr(info.dli_fname, '/');
  if (!slash) return false;
  int length = snprintf(path, capacity, "%.*s/%s", (int)(slash - info.dli_fname), info.dli_fname,
                        plugin_file);
  return length > 0 && (size_t)length < capacity;
}

// `first` is dlopen's message about the preferred place, "" if that place has no such file.
static void *open_anywhere(sni_plugin *plugin, char *first, size_t capacity) {
  first[0] = 0;
  if (plugin->path) {
    // An empty path would open the host program itself.
    void *handle = plugin->path[0] ? open_library(plugin->path) : NULL;
    if (!handle) snprintf(first, capacity, "%s", plugin->path[0] ? dlerror() : "empty plugin path");
    return handle;
  }
  char beside[1024];
  if (path_beside_library(beside, sizeof(beside)) && !access(beside, F_OK)) {
    void *handle = open_library(beside);
    if (handle) return handle;
    snprintf(first, capacity, "%s", dlerror());
  }
  return open_library(plugin_file);
}

// The entry gives NULL for a foreign version; asking for others finds out which one it has.
static uint32_t version_of(sni_llvm_plugin_entry entry) {
  for (uint32_t version = 1; version <= 64; version++) {
    const sni_llvm_plugin *api = entry(version);
    if (api) return api->version;
  }
  return 0;
}

static void load(sni_plugin *plugin) {
  char first[sizeof(plugin->status)];
  plugin->handle = open_anywhere(plugin, first, sizeof(first));
  if (!plugin->handle) {
    const char *reason = first[0] ? first : dlerror();
    snprintf(plugin->status, sizeof(plugin->status), "%s", reason ? reason : "not found");
    return;
  }
  void *symbol = dlsym(plugin->handle, SNI_LLVM_PLUGIN_ENTRY);
  sni_llvm_plugin_entry entry;
  memcpy(&entry, &symbol, sizeof(entry));  // ISO C has no cast from object to function pointers
  if (!entry) {
    snprintf(plugin->status, sizeof(plugin->status), "%s has no function %s",
             plugin->path ? plugin->path : plugin_file, SNI_LLVM_PLUGIN_ENTRY);
    return;
  }
  const sni_llvm_plugin *api = entry(SNI_LLVM_PLUGIN_VERSION);
  if (api && api->version == SNI_LLVM_PLUGIN_VERSION) {
    plugin->api = api;
    snprintf(plugin->status, sizeof(plugin->status), "loaded");
    return;
  }
  uint32_t version = api ? api->version : version_of(entry);
  if (version)
    snprintf(plugin->status, sizeof(plugin->status), "plugin is version %u, this library needs %d",
             version, SNI_LLVM_PLUGIN_VERSION);
  else
    snprintf(plugin->status, sizeof(plugin->status),
             "plugin is of another version than the %d that this library needs",
             SNI_LLVM_PLUGIN_VERSION);
}

const sni_llvm_plugin *sni_plugin_load(sni_plugin *plugin) {
  if (!atomic_load_explicit(&plugin->tried, memory_order_acquire)) {
    pthread_mutex_lock(&plugin->lock);
    if (!atomic_load_explicit(&plugin->tried, memory_order_relaxed)) {
      load(plugin);
      atomic_store_explicit(&plugin->tried, true, memory_order_release);
    }
    pthread_mutex_unlock(&plugin->lock);
  }
  return plugin->api;
}
