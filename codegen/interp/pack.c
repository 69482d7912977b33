// The last step of flattening: one block of memory that holds all that the others made.
#include "codegen/interp/flatten.h"

#include <string.h>

static sni_flat_place_kind place_kind(const sni_flat_slot *slot) {
  if (slot->home == SNI_HOME_CONSTANT) return SNI_FLAT_CONSTANT;
  return slot->home == SNI_HOME_SIZE ? SNI_FLAT_SIZE : SNI_FLAT_SCRATCH;
}

// ---- one block of memory: arrays one after the other, aligned to 16 bytes

typedef struct packer {
  char *block;  // NULL: sizes are being added up
  size_t bytes;
} packer;

static void *put(packer *p, const void *items, size_t count, size_t size) {
  char *at = p->block ? p->block + p->bytes : NULL;
  if (at && items && count) memcpy(at, items, count * size);
  p->bytes += (count * size + 15) & ~(size_t)15;
  return at;
}

static void put_all(const sni_flattener *t, packer *p, uint32_t n_places) {
  sni_flat_code *code = put(p, NULL, 1, sizeof(*code));
  sni_flat_code made = {
      .head = {.scratch_bytes = t->scratch_bytes},
      .blocks = t->blocks,
      .dynamic = t->dynamic,
      .streams = t->streams,
      .block = t->block,
      .n_roots = t->n_roots,
      .n_places = n_places,
      .n_sizes = t->n_sizes,
      .roots = put(p, t->roots, t->n_roots, sizeof(*t->roots)),
      .nodes = put(p, t->nodes, t->n_nodes, sizeof(*t->nodes)),
      .steps = put(p, t->steps, t->n_steps, sizeof(*t->steps)),
      .moves = put(p, t->moves, t->n_moves, sizeof(*t->moves)),
      .reductions = put(p, t->reductions, t->n_reductions, sizeof(*t->reductions)),
      .carries = put(p, t->carries, t->n_carries, sizeof(*t->carries)),
      .scans = put(p, t->scans, t->n_scans, sizeof(*t->scans)),
      .forms = put(p, t->forms, t->n_forms, sizeof(*t->forms)),
      .products = put(p, t->products, t->n_products, sizeof(*t->products)),
      .constants = put(p, t->constants, t->n_constants, sizeof(*t->constants)),
      .tiles = t->tiles,
      .slot_table = t->slot_table,
      .form_table = t->form_table,
      .size_table = t->size_table,
  };
  sni_cursor *cursors = put(p, NULL, t->n_cursors, sizeof(*cursors));
  sni_flat_place *place = put(p, NULL, n_places, sizeof(*place));
  sni_flat_size *sources = put(p, NULL, t->n_sizes, sizeof(*sources));
  int64_t *sizes = put(p, NULL, t->n_sizes, sizeof(*sizes));
  if (!p->block) return;
  made.cursors = cursors;
  made.places = place;
  made.size_sources = sources;
  made.sizes = sizes;
  for (uint32_t i = 0; i < t->n_cursors; i++) cursors[i] = t->cursors[i].made;
  for (uint32_t i = 0; i < t->n_sizes; i++) sources[i] = t->sizes[i].size;
  for (uint32_t i = 0; i < t->n_sizes; i++) sizes[i] = t->sizes[i].size.value;
  for (uint32_t i = 0; i < t->n_slots; i++)
    if (t->slots[i].home != SNI_HOME_NONE)
      *place++ = (sni_flat_place){place_kind(&t->slots[i]), i, t->slots[i].offset};
  made.head.bytes = p->bytes;
  *code = made;
}

sn_status sni_flatten_pack(const sni_flattener *t, sni_allocator *allocator,
                           sni_interp_code **out) {
  uint32_t n_places = 0;
  for (uint32_t i = 0; i < t->n_slots; i++) n_places += t->slots[i].home != SNI_HOME_NONE;
  packer p = {0};
  put_all(t, &p, n_places);
  p.block = sni_alloc_zeroed(allocator, p.bytes);
  if (!p.block) return sni_fail_memory(t->diag, p.bytes, "an interpreter");
  p.bytes = 0;
  put_all(t, &p, n_places);
  *out = (sni_interp_code *)(void *)p.block;
  return SN_OK;
}
