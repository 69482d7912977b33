// The block interpreter: runs expanded K with prebuilt vector loops over blocks that fit the L1
// cache. It is the first tier, the eager tier and the reference of the other backends.
// Multi-versioned by CPU feature at run time, same bits in all versions.
#ifndef SNI_CODEGEN_INTERP_H
#define SNI_CODEGEN_INTERP_H

#include "codegen/kernel/tree.h"

// What a prepared program begins with. Immutable and Thread-safe once prepared.
typedef struct sni_interp_code {
  size_t bytes;          // of its one allocation
  size_t scratch_bytes;  // that running it needs, header included
} sni_interp_code;

// Whether a MATH operation may be left as it is: a loop of its own runs it faster than its expansion, with the same bits.
bool sni_interp_keeps(sni_kop op, sn_dtype dtype);
// Translates an expanded kernel. The code holds no reference to it. Freed with sni_interp_release.
// Errors: SN_ERR_MEMORY.
sn_status sni_interp_prepare(const sni_tree *expanded, sni_allocator *allocator, sni_diag *diag,
                             sni_interp_code **out_code);
void sni_interp_release(sni_interp_code *code, sni_allocator *allocator);
size_t sni_interp_bytes(const sni_interp_code *code);  // that the code takes
// Scratch that sni_interp_run needs, header included.
size_t sni_interp_scratch_bytes(const sni_interp_code *code);
// A sni_kernel_function; code: the sni_interp_code.
void sni_interp_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                    int64_t end, void *scratch);

#endif
