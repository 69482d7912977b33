// Bytes of temporaries alive at each place of program order: adding to a range and the greatest of
// a range in logarithmic time.
#ifndef SNI_PASSES_LIVE_BYTES_H
#define SNI_PASSES_LIVE_BYTES_H

#include "runtime/arena.h"

typedef struct sni_live_bytes {
  uint32_t leaves;  // a power of two
  int64_t *most;    // of each node's range, without what was added to the nodes above
  int64_t *added;   // to all of each node's range
} sni_live_bytes;

bool sni_live_bytes_init(sni_live_bytes *live, uint32_t count, sni_arena *arena);
// [begin, end)
void sni_live_bytes_add(sni_live_bytes *live, uint32_t begin, uint32_t end, int64_t bytes);
int64_t sni_live_bytes_most(const sni_live_bytes *live, uint32_t begin, uint32_t end);

#endif
