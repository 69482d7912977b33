// Loads relocatable ELF objects (x86-64) into executable memory: the one loader of JIT, disk cache
// and ahead-of-time code. Pages are written, then made read-execute; never both. Objects must not
// need external symbols.
#ifndef SNI_RUNTIME_OBJECT_LOADER_H
#define SNI_RUNTIME_OBJECT_LOADER_H

#include "runtime/base.h"

// Immutable and Thread-safe once loaded.
typedef struct sni_code sni_code;

// Errors: SN_ERR_COMPILE (malformed object, unknown relocation, external symbol), SN_ERR_MEMORY,
// SN_ERR_UNSUPPORTED (the system forbids executable memory). Hostile bytes are refused, never
// followed.
sn_status sni_code_load(sni_allocator *allocator, sni_diag *diag, const void *object, size_t bytes,
                        sni_code **out_code);
void sni_code_release(sni_code *code);
void *sni_code_symbol(const sni_code *code, const char *name);  // NULL: none
size_t sni_code_bytes(const sni_code *code);                    // of mapped pages

#endif
