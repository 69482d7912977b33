// The blocks of the counter-based generators, and where a stream begins.
//
// Philox 4x32-10 and Threefry 2x32-20: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", 2011.
#ifndef SNI_RUNTIME_PHILOX_H
#define SNI_RUNTIME_PHILOX_H

#include <stdint.h>

enum { SNI_PHILOX_ROUNDS = 10 };
#define SNI_PHILOX_M0 0xD2511F53u
#define SNI_PHILOX_M1 0xCD9E8D57u
#define SNI_PHILOX_W0 0x9E3779B9u
#define SNI_PHILOX_W1 0xBB67AE85u

// A stream of blocks: block i has the counter (low + i, high).
typedef struct sni_philox {
  uint64_t key, low, high;
} sni_philox;

static inline void sni_philox_block(const sni_philox *p, uint64_t i, uint32_t out[4]) {
  const uint64_t low = p->low + i;
  uint32_t c[4] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)p->high,
                   (uint32_t)(p->high >> 32)};
  uint32_t k[2] = {(uint32_t)p->key, (uint32_t)(p->key >> 32)};
  for (int round = 0; round < SNI_PHILOX_ROUNDS; round++) {
    const uint64_t a = (uint64_t)SNI_PHILOX_M0 * c[0], b = (uint64_t)SNI_PHILOX_M1 * c[2];
    c[0] = (uint32_t)(b >> 32) ^ c[1] ^ k[0];
    c[1] = (uint32_t)b;
    c[2] = (uint32_t)(a >> 32) ^ c[3] ^ k[1];
    c[3] = (uint32_t)a;
    k[0] += SNI_PHILOX_W0;
    k[1] += SNI_PHILOX_W1;
  }
  for (int i4 = 0; i4 < 4; i4++) out[i4] = c[i4];
}

// Threefry's keys, and its rotations, four rounds of either row in turn.
#define SNI_THREEFRY_PARITY 0x1BD11BDAu
#define SNI_THREEFRY_ROTATIONS \
  {                            \
    {13, 15, 26, 6}, {         \
      17, 29, 16, 24           \
    }                          \
  }
enum { SNI_THREEFRY_TURNS = 5 };  // of four rounds

#endif
