// A segment tree: node i's halves are nodes 2 i and 2 i + 1, the leaves follow the inner nodes.
#include "passes/lower/live_bytes.h"

typedef struct range {
  uint32_t begin, end;
} range;

bool sni_live_bytes_init(sni_live_bytes *live, uint32_t count, sni_arena *arena) {
  live->leaves = 1;
  while (live->leaves < count) live->leaves *= 2;
  live->most = SNI_ARENA_ARRAY(arena, int64_t, 2 * (size_t)live->leaves);
  live->added = SNI_ARENA_ARRAY(arena, int64_t, 2 * (size_t)live->leaves);
  return live->most && live->added;
}

// Depth of both walks: the tree's.
static void add(sni_live_bytes *live, uint32_t node, range of, range to, int64_t bytes) {
  if (to.end <= of.begin || of.end <= to.begin) return;
  if (to.begin <= of.begin && of.end <= to.end) {
    live->most[node] += bytes;
    live->added[node] += bytes;
    return;
  }
  const uint32_t middle = of.begin + (of.end - of.begin) / 2;
  add(live, 2 * node, (range){of.begin, middle}, to, bytes);
  add(live, 2 * node + 1, (range){middle, of.end}, to, bytes);
  const int64_t a = live->most[2 * node], b = live->most[2 * node + 1];
  live->most[node] = (a > b ? a : b) + live->added[node];
}

void sni_live_bytes_add(sni_live_bytes *live, uint32_t begin, uint32_t end, int64_t bytes) {
  if (begin < end) add(live, 1, (range){0, live->leaves}, (range){begin, end}, bytes);
}

static int64_t most(const sni_live_bytes *live, uint32_t node, range of, range within) {
  if (within.end <= of.begin || of.end <= within.begin) return INT64_MIN;
  if (within.begin <= of.begin && of.end <= within.end) return live->most[node];
  const uint32_t middle = of.begin + (of.end - of.begin) / 2;
  const int64_t a = most(live, 2 * node, (range){of.begin, middle}, within),
                b = most(live, 2 * node + 1, (range){middle, of.end}, within);
  const int64_t greater = a > b ? a : b;
  return greater == INT64_MIN ? greater : greater + live->added[node];
}

int64_t sni_live_bytes_most(const sni_live_bytes *live, uint32_t begin, uint32_t end) {
  return begin < end ? most(live, 1, (range){0, live->leaves}, (range){begin, end}) : 0;
}
