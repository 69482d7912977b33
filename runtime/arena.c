// A bump allocator: IR objects are carved off the newest block and die together.
//
// Invariant: cursor and end lie in the newest block and cursor is 16-byte aligned. Blocks double in
// size up to a cap, so an arena of n bytes takes O(log n) allocations and wastes at most about
// half.
#include "runtime/arena.h"

#include <string.h>

struct sni_arena_block {
  sni_arena_block *next;  // older
  size_t bytes;           // of the whole block, header included
};

enum { arena_align = 16, first_block = 4096, last_block = 1 << 20 };
_Static_assert(sizeof(sni_arena_block) % arena_align == 0, "objects start aligned");

void sni_arena_init(sni_arena *arena, sni_allocator *allocator) {
  *arena = (sni_arena){.allocator = allocator};
}

static void free_blocks(sni_arena *arena, sni_arena_block *block) {
  while (block) {
    sni_arena_block *next = block->next;
    arena->bytes -= block->bytes;
    sni_free(arena->allocator, block, block->bytes);
    block = next;
  }
}

void sni_arena_deinit(sni_arena *arena) {
  free_blocks(arena, arena->blocks);
  sni_arena_init(arena, arena->allocator);
}

void sni_arena_reset(sni_arena *arena) {
  if (!arena->blocks) return;
  free_blocks(arena, arena->blocks->next);
  arena->blocks->next = NULL;
  arena->cursor = (char *)(arena->blocks + 1);
}

static bool add_block(sni_arena *arena, size_t needed) {
  size_t bytes = arena->blocks ? arena->blocks->bytes * 2 : first_block, exact;
  if (bytes > last_block) bytes = last_block;
  if (!sni_add_size(needed, sizeof(sni_arena_block), &exact)) return false;
  if (bytes < exact) bytes = exact;
  sni_arena_block *block = sni_alloc(arena->allocator, bytes);
  if (!block) return false;
  *block = (sni_arena_block){arena->blocks, bytes};
  arena->blocks = block;
  arena->bytes += bytes;
  arena->cursor = (char *)(block + 1);
  arena->end = (char *)block + bytes;
  return true;
}

void *sni_arena_alloc(sni_arena *arena, size_t bytes) {
  size_t rounded;
  if (!sni_add_size(bytes, arena_align - 1, &rounded)) return NULL;
  rounded &= ~(size_t)(arena_align - 1);
  if (!rounded) rounded = arena_align;  // distinct objects have distinct addresses
  if (rounded > (size_t)(arena->end - arena->cursor) && !add_block(arena, rounded)) return NULL;
  void *memory = arena->cursor;
  arena->cursor += rounded;
  return memory;
}

void *sni_arena_alloc_zeroed(sni_arena *arena, size_t bytes) {
  void *memory = sni_arena_alloc(arena, bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

void *sni_arena_copy(sni_arena *arena, const void *data, size_t bytes) {
  void *memory = sni_arena_alloc(arena, bytes);
  if (memory && bytes) memcpy(memory, data, bytes);
  return memory;
}

char *sni_arena_strdup(sni_arena *arena, const char *text) {
  return text ? sni_arena_copy(arena, text, strlen(text) + 1) : NULL;
}

sn_status sni_arena_grow(sni_arena *arena, sni_diag *diag, void **items, uint32_t *capacity,
                         uint32_t wanted, size_t element_size) {
  if (wanted <= *capacity) return SN_OK;
  uint32_t room = *capacity > UINT32_MAX / 2 ? UINT32_MAX : *capacity * 2;
  if (room < 8) room = 8;
  if (room < wanted) room = wanted;
  size_t bytes = 0;
  void *grown = NULL;
  if (sni_mul_size(room, element_size, &bytes)) grown = sni_arena_alloc(arena, bytes);
  if (!grown) return sni_fail_memory(diag, bytes, "an array");
  if (*capacity) memcpy(grown, *items, *capacity * element_size);
  *items = grown;
  *capacity = room;
  return SN_OK;
}
