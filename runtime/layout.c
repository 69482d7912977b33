// Greedy best-fit layout of lifetimes and sizes in one arena.
//
// Items are placed one by one, each in the smallest gap that fits between those placed before whose
// lifetimes meet its own. In order of time dead items leave the list and only live ones are
// searched. Few items are also tried in order of size, largest first, which costs n^2 and comes
// closer to the optimum as a rule; the smaller arena wins. Source: Pisarchyk, Lee: Efficient Memory
// Management for Deep Neural Net Inference (2020), greedy by size.
#include "runtime/layout.h"

#include "runtime/sort.h"

#include <string.h>

enum { few_items = 512 };

static bool goes_before(const sni_layout_item *items, uint32_t a, uint32_t b, bool by_time) {
  if (by_time) {
    if (items[a].first != items[b].first) return items[a].first < items[b].first;
  }
  if (items[a].bytes != items[b].bytes) return items[a].bytes > items[b].bytes;
  return a < b;
}

static bool earlier(const void *items, uint32_t a, uint32_t b) {
  return goes_before(items, a, b, true);
}

static bool larger(const void *items, uint32_t a, uint32_t b) {
  return goes_before(items, a, b, false);
}

static bool place_items(sni_layout_item *items, uint32_t count, uint32_t *order, uint32_t *placed,
                        bool by_time, size_t *out_bytes) {
  for (uint32_t i = 0; i < count; i++) order[i] = i;
  sni_sort(order, count, by_time ? earlier : larger, items);
  size_t total = 0;
  uint32_t n_placed = 0;  // in order of offset
  for (uint32_t i = 0; i < count; i++) {
    sni_layout_item *item = &items[order[i]];
    size_t top = 0, best = 0, best_gap = SIZE_MAX, end;
    uint32_t kept = 0;
    for (uint32_t j = 0; j < n_placed; j++) {
      const sni_layout_item *other = &items[placed[j]];
      if (by_time && other->last < item->first) continue;
      placed[kept++] = placed[j];
      if (other->last < item->first || other->first > item->last) continue;
      if (other->offset > top) {
        size_t gap = other->offset - top;
        if (gap >= item->bytes && gap < best_gap) {
          best_gap = gap;
          best = top;
        }
      }
      if (other->offset + other->bytes > top) top = other->offset + other->bytes;
    }
    item->offset = best_gap < SIZE_MAX ? best : top;
    if (!sni_add_size(item->offset, item->bytes, &end)) return false;
    if (end > total) total = end;
    uint32_t at = kept;
    while (at && items[placed[at - 1]].offset > item->offset) at--;
    memmove(placed + at + 1, placed + at, (kept - at) * sizeof(*placed));
    placed[at] = order[i];
    n_placed = kept + 1;
  }
  *out_bytes = total;
  return true;
}

bool sni_layout_arena(sni_layout_item *items, uint32_t count, uint32_t *order, uint32_t *placed,
                      size_t *out_bytes) {
  size_t by_size;
  if (!place_items(items, count, order, placed, true, out_bytes)) return false;
  if (count > few_items) return true;
  if (!place_items(items, count, order, placed, false, &by_size)) return false;
  if (by_size > *out_bytes) return place_items(items, count, order, placed, true, out_bytes);
  *out_bytes = by_size;
  return true;
}
