// Whether a file is a plugin of ours and whole, asked before the dynamic loader maps it: a file cut
// short is a SIGBUS in there, and a damaged one anything.
#ifndef SNI_CODEGEN_PLUGIN_FILE_H
#define SNI_CODEGEN_PLUGIN_FILE_H

#include "codegen/llvm/plugin.h"

// True: it is, of version SNI_LLVM_PLUGIN_VERSION. Else *reason is a text of at most capacity bytes.
bool sni_plugin_file_check(const char *path, char *reason, size_t capacity);
// Writes the seal of a freshly linked plugin into its note. False: *reason.
bool sni_plugin_file_seal(const char *path, char *reason, size_t capacity);

#endif
