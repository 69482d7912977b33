// Finds and loads libsinter-llvm.so: at the context's plugin_path if it names one, else beside the
// library (or the program that holds it), else in the folders in which the loader looks for what
// that file needs. Loaded at most once per family, at the first compile that wants native code.
//
// Invariant: the loader sees no file that plugin_file.c has not found whole. api and status change
// under the lock only, before `tried` is set; afterwards everybody reads them freely. The plugin
// stays mapped after dlclose (RTLD_NODELETE), and with it an LLVM that is linked dynamically: exit
// handlers that this one registers point into its code. One that is linked statically registers
// none (codegen/llvm/at_exit.c).
#include "codegen/plugin.h"

#include "codegen/plugin_file.h"
#include "runtime/own_stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char plugin_file[] = "libsinter-llvm.so";

sn_status sni_plugin_init(sni_plugin *plugin, sni_allocator *allocator, const char *path) {
  memset(plugin, 0, sizeof(*plugin));
  plugin->allocator = allocator;
  plugin->path = path;
  atomic_init(&plugin->tried, false);
  return pthread_mutex_init(&plugin->lock, NULL) ? SN_ERR_MEMORY : SN_OK;
}

void sni_plugin_deinit(sni_plugin *plugin) {
  if (plugin->handle) dlclose(plugin->handle);
  pthread_mutex_destroy(&plugin->lock);
}

// ---- places
// True: the file exists, whether it is good or not; loaded if it is, else status says why not.
static bool try_file(sni_plugin *plugin, const char *path) {
  if (access(path, F_OK)) return false;
  if (sni_plugin_file_check(path, plugin->status, sizeof(plugin->status))) {
    plugin->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!plugin->handle) snprintf(plugin->status, sizeof(plugin->status), "%s", dlerror());
  }
  return true;
}

static bool try_in(sni_plugin *plugin, const char *folder, size_t length, const char *name) {
  char path[1024];
  const int n = snprintf(path, sizeof(path), "%.*s/%s", (int)length, folder, name);
  return n > 0 && (size_t)n < sizeof(path) && try_file(plugin, path);
}

// The folder of the file that holds this code.
static bool try_beside_library(sni_plugin *plugin) {
  Dl_info info;
  if (!dladdr((const void *)(uintptr_t)&sni_plugin_load, &info) || !info.dli_fname) return false;
  const char *slash = strrchr(info.dli_fname, '/');
  return slash && try_in(plugin, info.dli_fname, (size_t)(slash - info.dli_fname), plugin_file);
}

// LD_LIBRARY_PATH, the rpath of the file that holds this code, the system's folders.
static bool try_where_the_loader_looks(sni_plugin *plugin, const char *name) {
  Dl_info info;
  struct link_map *map = NULL;
  Dl_serinfo size, *list;
  if (!dladdr1((const void *)(uintptr_t)&sni_plugin_load, &info, (void **)&map, RTLD_DL_LINKMAP) ||
      !map || dlinfo(map, RTLD_DI_SERINFOSIZE, &size))
    return false;
  list = sni_alloc(plugin->allocator, size.dls_size);
  if (!list) return false;
  memcpy(list, &size, sizeof(size.dls_size) + sizeof(size.dls_cnt));
  bool found = false;
  if (!dlinfo(map, RTLD_DI_SERINFO, list))
    for (unsigned i = 0; i < list->dls_cnt && !found; i++) {
      const char *folder = list->dls_serpath[i].dls_name;
      found = try_in(plugin, folder, strlen(folder), name);
    }
  sni_free(plugin->allocator, list, size.dls_size);
  return found;
}

static void open_anywhere(sni_plugin *plugin) {
  const char *path = plugin->path;
  const char *name = path ? path : plugin_file;
  bool found;
  if (path && !path[0]) {  // it would open the host program itself
    snprintf(plugin->status, sizeof(plugin->status), "empty plugin path");
    return;
  }
  if (path && strchr(path, '/'))
    found = try_file(plugin, path);
  else
    found = (!path && try_beside_library(plugin)) || try_where_the_loader_looks(plugin, name);
  if (!found) snprintf(plugin->status, sizeof(plugin->status), "%s: there is no such file", name);
}

// ---- loading
// The entry gives NULL for a foreign version; asking for others finds out which one it has.
static uint32_t version_of(sni_llvm_plugin_entry entry) {
  for (uint32_t version = 1; version <= 64; version++) {
    const sni_llvm_plugin *api = entry(version);
    if (api) return api->version;
  }
  return 0;
}

static void load(sni_plugin *plugin) {
  open_anywhere(plugin);
  if (!plugin->handle) return;
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

static void load_on_own_stack(void *user) {
  load(user);
}

// ---- calling LLVM
// It survives neither a short stack nor a failing allocation: it gets a stack of the size that it is
// used to, and is not called where the host's limits leave too little. What still fails while it
// works comes back as an error (codegen/llvm/out_of_memory.c).
enum { llvm_stack_bytes = 8 << 20, llvm_least_bytes = 64 << 20 };

static bool has_room(const sni_plugin *plugin, char *reason, size_t capacity) {
  const char *which;
  const uint64_t left = sni_memory_left(&plugin->cgroup, &which);
  if (left >= llvm_least_bytes) return true;
  snprintf(reason, capacity, "%s leaves %llu MB, and LLVM may need more than %d MB", which,
           (unsigned long long)(left >> 20), llvm_least_bytes >> 20);
  return false;
}

static bool run_apart(const sni_plugin *plugin, void (*run)(void *), void *user, char *reason,
                      size_t capacity) {
  if (!has_room(plugin, reason, capacity)) return false;
  if (sni_run_on_own_stack(llvm_stack_bytes, run, user)) return true;
  const int why = errno;
  snprintf(reason, capacity, "no thread can be made for LLVM (error %d)", why);
  return false;
}

typedef struct compile_call {
  const sni_plugin *plugin;
  const sni_llvm_request *request;
  sni_llvm_result *result;
  int failed;
} compile_call;

static void compile_on_own_stack(void *user) {
  compile_call *c = user;
  c->failed = c->plugin->api->compile(c->request, c->result);
}

int sni_plugin_compile(const sni_plugin *plugin, const sni_llvm_request *request,
                       sni_llvm_result *out_result) {
  compile_call c = {plugin, request, out_result, 1};
  *out_result = (sni_llvm_result){.data = NULL};
  run_apart(plugin, compile_on_own_stack, &c, out_result->error, sizeof(out_result->error));
  return c.failed;
}

const sni_llvm_plugin *sni_plugin_load(sni_plugin *plugin) {
  if (!atomic_load_explicit(&plugin->tried, memory_order_acquire)) {
    pthread_mutex_lock(&plugin->lock);
    if (!atomic_load_explicit(&plugin->tried, memory_order_relaxed)) {
      sni_memory_cgroup_find("/proc/self/cgroup", "/sys/fs/cgroup", &plugin->cgroup);
      run_apart(plugin, load_on_own_stack, plugin, plugin->status, sizeof(plugin->status));
      atomic_store_explicit(&plugin->tried, true, memory_order_release);
    }
    pthread_mutex_unlock(&plugin->lock);
  }
  return plugin->api;
}
