// A bump allocator for IR: many small objects that die together. Thread-compatible.
#ifndef SNI_RUNTIME_ARENA_H
#define SNI_RUNTIME_ARENA_H

#include "runtime/base.h"

typedef struct sni_arena_block sni_arena_block;
typedef struct sni_arena {
  sni_allocator *allocator;
  sni_arena_block *blocks;  // newest first
  char *cursor, *end;       // free part of the newest block
  size_t bytes;             // of all blocks
} sni_arena;

void sni_arena_init(sni_arena *arena, sni_allocator *allocator);
void sni_arena_deinit(sni_arena *arena);
// Forgets everything, keeping the newest block for reuse.
void sni_arena_reset(sni_arena *arena);
// 16-byte aligned, not cleared; NULL when memory is exhausted. 0 bytes gives a valid pointer.
void *sni_arena_alloc(sni_arena *arena, size_t bytes);
void *sni_arena_alloc_zeroed(sni_arena *arena, size_t bytes);
void *sni_arena_copy(sni_arena *arena, const void *data, size_t bytes);
char *sni_arena_strdup(sni_arena *arena, const char *text);  // NULL text gives NULL
// Room for `wanted` elements in an arena array that doubles; old contents are copied. Errors:
// SN_ERR_MEMORY.
sn_status sni_arena_grow(sni_arena *arena, sni_diag *diag, void **items, uint32_t *capacity,
                         uint32_t wanted, size_t element_size);
#define SNI_ARENA_NEW(arena, type) ((type *)sni_arena_alloc_zeroed((arena), sizeof(type)))
#define SNI_ARENA_ARRAY(arena, type, count) \
  ((type *)sni_arena_alloc_zeroed((arena), sizeof(type) * (size_t)(count)))

#endif
