// Trees as wholes: units, hash, equality.
//
// Invariant: names never count; what follows from the rest (places in scratch) counts only where
// the schedule does, on which it depends.
#include "codegen/kernel/tree_inside.h"

static int64_t loop_pieces(const sni_tree *tree, uint32_t loop, const int64_t *params) {
  const int64_t extent = sni_extent_value(sni_tree_items(tree)[loop].as.loop.extent, params);
  const int64_t grain = sni_tree_schedule(tree)[loop].grain;
  return extent <= 0 ? 0 : extent / grain + (extent % grain != 0);
}

static int64_t root_units(const sni_tree *tree, uint32_t root, const int64_t *params) {
  const sni_item *items = sni_tree_items(tree);
  int64_t units = 1;
  for (uint32_t i = root; i < items[root].end; i++) {
    if (!sni_tree_schedule(tree)[i].grid) continue;
    if (__builtin_mul_overflow(units, loop_pieces(tree, i, params), &units)) return INT64_MAX;
  }
  return units;
}

int64_t sni_tree_units(const sni_tree *tree, uint32_t root_item, const int64_t *params) {
  const sni_item *items = sni_tree_items(tree);
  int64_t units = 0;
  if (root_item != SNI_NO_ITEM) return root_units(tree, root_item, params);
  for (uint32_t i = 0; i < tree->n_items; i = items[i].end)
    if (items[i].kind == SNI_ITEM_LOOP &&
        __builtin_add_overflow(units, root_units(tree, i, params), &units))
      return INT64_MAX;
  return units;
}

// ---- identity

static const char *at(const sni_tree *tree, size_t offset) {
  return (const char *)tree + offset;
}

// Counts and offsets; scratch_bytes with the schedule.
static size_t header_bytes(bool schedule) {
  return (schedule ? offsetof(sni_tree, schedule) : offsetof(sni_tree, scratch_bytes)) -
         offsetof(sni_tree, n_params);
}

static sni_tree_buffer unplaced(const sni_tree *tree, uint32_t i) {
  sni_tree_buffer buffer = sni_tree_buffers(tree)[i];
  buffer.offset = 0;
  return buffer;
}

uint64_t sni_tree_hash(const sni_tree *tree, bool schedule) {
  uint64_t h = sni_hash_bytes(tree->version, &tree->n_params, header_bytes(schedule));
  if (schedule)
    return sni_hash_bytes(h, at(tree, tree->buffers), tree->schedule_bytes - tree->buffers);
  for (uint32_t i = 0; i < tree->n_buffers; i++) {
    const sni_tree_buffer buffer = unplaced(tree, i);
    h = sni_hash_bytes(h, &buffer, sizeof(buffer));
  }
  return sni_hash_bytes(h, at(tree, tree->items), tree->semantic_bytes - tree->items);
}

static bool same(const sni_tree *a, const sni_tree *b, size_t begin, size_t end) {
  return !memcmp(at(a, begin), at(b, begin), end - begin);
}

bool sni_tree_equal(const sni_tree *a, const sni_tree *b, bool schedule) {
  const size_t first = offsetof(sni_tree, n_params);
  if (a->version != b->version || !same(a, b, first, first + header_bytes(schedule))) return false;
  if (schedule)  // of equal counts: the same parts at the same places
    return a->schedule_bytes == b->schedule_bytes && same(a, b, a->buffers, a->schedule_bytes);
  for (uint32_t i = 0; i < a->n_buffers; i++) {
    const sni_tree_buffer left = unplaced(a, i), right = unplaced(b, i);
    if (memcmp(&left, &right, sizeof(left)) != 0) return false;
  }
  return same(a, b, a->items, a->semantic_bytes);
}
