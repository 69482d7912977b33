// A pool of workers that run index ranges; the caller works too. Or the host's own pool behind the
// same interface.
#ifndef SNI_RUNTIME_THREAD_POOL_H
#define SNI_RUNTIME_THREAD_POOL_H

#include "runtime/base.h"

// Thread-safe: calls from several threads are served one after the other; one that finds the pool
// busy runs on its own thread alone.
typedef struct sni_thread_pool sni_thread_pool;

// threads: 0: min(affinity mask, cgroup quota); 1: none is ever started. Workers start at the first
// parallel call, block all signals, spin at most ~50 us when idle, then sleep. host: NULL or the
// host's executor. After fork the child's pool starts anew.
sn_status sni_thread_pool_create(sni_allocator *allocator, int threads, const sn_executor *host,
                                 sni_thread_pool **out_pool);
void sni_thread_pool_destroy(sni_thread_pool *pool);  // joins the workers
int sni_thread_pool_concurrency(const sni_thread_pool *pool);
// Estimated cost in ns of a parallel call now: ~1500 when workers spin, ~75000 when they sleep,
// infinite for a while after calls that other programs' use of the CPUs made slower than one thread.
double sni_thread_pool_wake_cost(sni_thread_pool *pool);
// The same once the workers are awake: they stay so from one call to the next.
double sni_thread_pool_hot_cost(const sni_thread_pool *pool);
// Calls task(user, thread, begin, end) for ranges that cover [0, count), each of some of n_chunks equal
// chunks; thread in [0, concurrency) is distinct for calls that run at the same time. max_threads: 0: all.
// A thread begins with the same part of the whole each time, and helps others when it is done. in_order:
// chunks are begun one by one in their order instead, by whoever is free.
typedef void (*sni_range_task)(void *user, int thread, int64_t begin, int64_t end);
void sni_thread_pool_run(sni_thread_pool *pool, int max_threads, int64_t count, int64_t n_chunks,
                         bool in_order, sni_range_task task, void *user);
// Where part i of n begins that make up [0, count): parts differ by 1 at most. n < 2^31, i <= n.
static inline int64_t sni_cut(int64_t count, int64_t n, int64_t i) {
  return count / n * i + count % n * i / n;
}
int sni_available_threads(void);  // min(affinity mask, cgroup quota), >= 1

#endif
