// Compiled kernels, shared by all graphs of a family: equal kernels are compiled once.
#ifndef SNI_CODEGEN_CACHE_H
#define SNI_CODEGEN_CACHE_H

#include "codegen/interp/interp.h"
#include "codegen/kernel/tree.h"
#include "runtime/executable.h"
#include "runtime/object_loader.h"

#include <pthread.h>

// One loaded object file: the code of the kernels that one request compiled. Reference-counted.
typedef struct sni_object {
  _Atomic int32_t references;
  sni_allocator *allocator;
  sni_code *code;
  uint32_t n_idle;  // of its kernels, in the cache; guarded by the cache's lock
} sni_object;
// Takes code; NULL leaves it.
sni_object *sni_object_create(sni_allocator *allocator, sni_code *code);
void sni_object_release(sni_object *object);

typedef struct sni_kernel_cache sni_kernel_cache;

// What one kernel became. Immutable, Thread-safe, reference-counted.
typedef struct sni_kernel_code {
  _Atomic int32_t references;
  sni_allocator *allocator;
  sni_command_kind kind;  // INTERPRETED or NATIVE
  sni_kernel_function function;
  sni_interp_code *interp;  // INTERPRETED
  sni_object *object;       // NATIVE
  size_t scratch_bytes, code_bytes;
  // the cache's
  sni_arena arena;      // of key
  const sni_tree *key;  // before expansion; NULL: not cached
  uint64_t hash;
  bool llvm;                              // the tier that was asked for
  size_t bytes;                           // without the object
  sni_kernel_cache *cache;                // that it is in; else NULL
  struct sni_kernel_code *next;           // of its bucket
  struct sni_kernel_code *older, *newer;  // of the idle ones
} sni_kernel_code;
// The kernel on the interpreter. Errors: SN_ERR_MEMORY.
sn_status sni_kernel_code_interpret(sni_allocator *allocator, sni_diag *diag,
                                    const sni_tree *expanded, sni_kernel_code **out_code);
// The kernel as native code of object (one more reference to it).
sn_status sni_kernel_code_native(sni_allocator *allocator, sni_diag *diag, const sni_tree *expanded,
                                 int vector_bits, sni_object *object, void *function,
                                 size_t code_bytes, sni_kernel_code **out_code);
void sni_kernel_code_release(sni_kernel_code *code);

// What stays of kernels that nobody uses.
enum { sni_kernel_cache_most_idle = 256, sni_kernel_cache_most_idle_bytes = 8 << 20 };
// Thread-safe.
struct sni_kernel_cache {
  pthread_mutex_t lock;
  sni_allocator *allocator;
  sni_kernel_code **buckets;
  uint32_t n_buckets, count;
  sni_kernel_code *oldest, *newest;  // idle ones
  uint32_t n_idle;
  size_t idle_bytes;
};
sn_status sni_kernel_cache_init(sni_kernel_cache *cache, sni_allocator *allocator);
// Nobody may hold code of it any more.
void sni_kernel_cache_deinit(sni_kernel_cache *cache);
// Drops what nobody uses.
void sni_kernel_cache_trim(sni_kernel_cache *cache);
uint64_t sni_kernel_cache_hash(const sni_tree *kernel, bool llvm);
// With one more reference; NULL: not there.
sni_kernel_code *sni_kernel_cache_find(sni_kernel_cache *cache, const sni_tree *kernel,
                                       uint64_t hash, bool llvm);
// Enters *code under a copy of the kernel. When another thread was first, *code is released and
// becomes that one. Without memory for the key nothing is entered: code serves its caller alone.
void sni_kernel_cache_add(sni_kernel_cache *cache, const sni_tree *kernel, uint64_t hash, bool llvm,
                          sni_kernel_code **code);

#endif
