// The boundary between the core and libsinter-llvm.so: expanded K in, relocatable ELF bytes (or
// text) out. The plugin needs no symbol of the core. One exported function: sn_llvm_plugin.
#ifndef SNI_CODEGEN_LLVM_PLUGIN_H
#define SNI_CODEGEN_LLVM_PLUGIN_H

#include "codegen/flow.h"

// Changes whenever tree.h, this file or one of the structs of runtime/ does that flow.h leads to.
#define SNI_LLVM_PLUGIN_VERSION 4

typedef enum sni_llvm_output { SNI_LLVM_OBJECT, SNI_LLVM_IR, SNI_LLVM_ASSEMBLY } sni_llvm_output;

typedef struct sni_llvm_request {
  const sni_tree *const *kernels;  // expanded
  const char *const *symbols;      // name of each kernel's function in the object
  int n_kernels;
  const sni_flow *flow;  // one function more; NULL: none
  const char *flow_symbol;
  sni_llvm_output output;
  int optimization;      // 0..3: code generation level
  int vector_bits;       // widest vectors to use: 128, 256 or 512
  const char *cpu;       // LLVM's name of the CPU; NULL: the host's
  const char *features;  // LLVM's feature string; NULL: the host's
} sni_llvm_request;

typedef struct sni_llvm_result {
  void *data;  // object bytes, or text with an ending 0
  size_t bytes;
  char error[512];  // why compile failed
  void *owner;      // the plugin's
} sni_llvm_result;

typedef struct sni_llvm_plugin {
  uint32_t version;
  const char *llvm_version;
  // Thread-safe. 0 on success. Release the result in either case.
  int (*compile)(const sni_llvm_request *request, sni_llvm_result *out_result);
  void (*release)(sni_llvm_result *result);
} sni_llvm_plugin;

// In the file as an ELF note, for the core to read before it loads it: SNI_LLVM_PLUGIN_DEFINE_NOTE
// in one file of the plugin puts it there.
typedef struct sni_llvm_plugin_note {
  uint32_t name_bytes, bytes, type;
  char name[8];
  uint32_t version;
  uint32_t seal[2];  // codegen/plugin_file.c; 0: none
} sni_llvm_plugin_note;
#define SNI_LLVM_PLUGIN_NOTE(version) \
  {                                   \
    8, 12, 1, "Sinter", version, {    \
      0, 0                            \
    }                                 \
  }
#define SNI_LLVM_PLUGIN_DEFINE_NOTE(version)                                       \
  extern const sni_llvm_plugin_note sni_llvm_note;                                 \
  __attribute__((section(".note.sinter"), used, visibility("hidden"), aligned(4))) \
  const sni_llvm_plugin_note sni_llvm_note = SNI_LLVM_PLUGIN_NOTE(version)

// NULL when host_version is not the plugin's.
typedef const sni_llvm_plugin *(*sni_llvm_plugin_entry)(uint32_t host_version);
#define SNI_LLVM_PLUGIN_ENTRY "sn_llvm_plugin"

#endif
