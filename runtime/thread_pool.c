// Workers that run index ranges for one caller at a time, who works too.
//
//   post    the caller writes the job, then the word `work`: participants and chunks left
//   claim   a participant lowers `work` by compare-and-swap. The chunks keep the job alive: only
//           then may it read the job. A claim that succeeds is valid, however old the word was
//   find    which chunks those are: the next of the participant's own range, from run to run the
//           same part of the work, else of another's. As many are left as are claimed
//   finish  each participant takes its chunks off `pending` at its end; zero ends the job
//   sleep   a worker sets `state`, then looks at `work` again; a poster writes `work`, then looks
//           at `state`: one sees the other. The poster wakes one worker, who wakes two more, ...
//
// No worker exists before the first parallel call. A forked child finds `mark` changed and starts
// its own.
#include "runtime/thread_pool.h"

#include "runtime/spin.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const double spin_ms = 0.05;
static const double hot_cost_ns = 1500, cold_cost_ns = 75000, host_cost_ns = 10000;
enum {
  worker_stack_bytes = 1 << 20,
  max_concurrency = 1024,
  most_chunks = 1 << 28,  // of a job: all participants looking for one are fewer than 2^32 beyond
  mark_resetting = 0x7FFFFFFF,  // no process id is as high
};

// awake -> asleep: by the worker. asleep -> awake: by the worker. asleep -> waking -> awake: by the
// thread that wakes it.
enum { awake, asleep, waking };
typedef struct worker {
  _Alignas(64) _Atomic uint32_t state;
  int index;  // thread number, from 1
  sni_thread_pool *pool;
  pthread_t thread;
  // Of the sleep: the worker's CPUs (has_cpus false: unknown), and whether the waker took some
  // away.
  pid_t id;
  bool has_cpus, narrowed;
  cpu_set_t cpus;
} worker;

// The chunks that are a participant's own: [first, first + count) of the job's.
typedef struct range {
  _Alignas(64) _Atomic uint32_t taken;  // beyond count: by those who then looked elsewhere
  uint32_t first, count;
} range;

struct sni_thread_pool {
  sni_allocator *allocator;
  int concurrency;
  sn_executor host;  // parallel_for NULL: none
  worker *workers;   // concurrency - 1
  range *ranges;     // concurrency
  _Atomic int started;
  bool cannot_start;
  _Atomic uint32_t *mark;  // 1 while this is the process that wrote it, or that process's id
  size_t mark_bytes;
  bool mark_is_wiped;  // by the kernel, in a forked child
  _Atomic bool busy;
  _Atomic uint32_t stop;

  // The job. Stable while pending is not 0.
  sni_range_task task;
  void *user;
  int64_t first, count, chunk;  // chunk i is [first + i * chunk, ...) below count
  uint32_t n_chunks;
  int n_ranges;
  _Atomic int caller_cpu;  // -1: unknown; read for placement only
  _Alignas(64) _Atomic uint64_t work;
  _Alignas(64) _Atomic uint32_t pending;  // chunks not yet finished
  _Atomic uint32_t waiting;               // the caller sleeps on pending
};

// ---- sleeping
static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

// A word: one_at_a_time | participants << 32 | chunks left.
static const uint64_t one_at_a_time = (uint64_t)1 << 63;
static int participants_of(uint64_t word) {
  return (int)(word >> 32 & INT32_MAX);
}
static bool may_take(uint64_t word, int thread) {
  return (uint32_t)word && thread < participants_of(word);
}

// Keeps a sleeping worker off the CPU that its waker runs on: virtual machines show idle CPUs as
// preempted, and the kernel then wakes threads where the waker is, which they push aside for their
// whole chunk. The worker widens its mask again.
static void keep_off(worker *w, int cpu, int other_cpu) {
  cpu_set_t cpus = w->cpus;
  if (!w->has_cpus || cpu < 0) return;
  CPU_CLR((size_t)cpu, &cpus);
  if (CPU_COUNT(&cpus) > 1 && other_cpu >= 0) CPU_CLR((size_t)other_cpu, &cpus);
  if (CPU_COUNT(&cpus)) w->narrowed = !sched_setaffinity(w->id, sizeof(cpus), &cpus);
}

// Wakes at most `most` sleeping workers that may take part in the job of this word.
static void wake_workers(sni_thread_pool *pool, uint64_t word, int most) {
  int participants = (uint32_t)word ? participants_of(word) : 0;
  for (int i = 1; i < participants && most > 0; i++) {
    worker *w = &pool->workers[i - 1];
    uint32_t state = atomic_load(&w->state);
    if (state != asleep || !atomic_compare_exchange_strong(&w->state, &state, waking)) continue;
    keep_off(w, sched_getcpu(), atomic_load_explicit(&pool->caller_cpu, memory_order_relaxed));
    atomic_store(&w->state, awake);
    futex_wake(&w->state);
    most--;
  }
}

// Until a job wants this worker or the pool ends.
static void sleep_for_work(sni_thread_pool *pool, worker *self) {
  self->has_cpus = !sched_getaffinity(0, sizeof(self->cpus), &self->cpus);
  self->narrowed = false;
  atomic_store(&self->state, asleep);
  for (uint32_t state = asleep; state != awake; state = atomic_load(&self->state)) {
    bool wanted = may_take(atomic_load(&pool->work), self->index) || atomic_load(&pool->stop);
    if (state == asleep && wanted && atomic_compare_exchange_strong(&self->state, &state, awake))
      break;
    if (state != awake) futex_wait(&self->state, state);
  }
  if (self->narrowed) sched_setaffinity(0, sizeof(self->cpus), &self->cpus);
  wake_workers(pool, atomic_load(&pool->work), 2);
}

// ---- working
static void run_chunks(const sni_thread_pool *pool, int thread, uint32_t first, uint32_t count) {
  const int64_t begin = pool->first + (int64_t)first * pool->chunk;
  const int64_t length = (int64_t)count * pool->chunk;
  pool->task(pool->user, thread, begin,
             pool->count - begin < length ? pool->count : begin + length);
}

// Finds and runs `left` chunks that are claimed.
static void run_claimed(sni_thread_pool *pool, int thread, uint32_t left) {
  for (int at = pool->n_ranges == 1 ? 0 : thread; left; at = (at + 1) % pool->n_ranges) {
    range *r = &pool->ranges[at];
    const uint32_t taken = atomic_fetch_add_explicit(&r->taken, left, memory_order_relaxed);
    if (taken >= r->count) continue;
    const uint32_t count = r->count - taken < left ? r->count - taken : left;
    run_chunks(pool, thread, r->first + taken, count);
    left -= count;
  }
}

// Half of a participant's share of what is left: few calls, and an end that all reach together.
static uint32_t claim_of(uint64_t word) {
  const uint32_t share = (uint32_t)word / (2 * (uint32_t)participants_of(word));
  return word & one_at_a_time || !share ? 1 : share;
}

static void take_chunks(sni_thread_pool *pool, int thread) {
  uint32_t done = 0;
  uint64_t word = atomic_load_explicit(&pool->work, memory_order_relaxed);
  while (may_take(word, thread)) {
    const uint32_t claim = claim_of(word);
    if (!atomic_compare_exchange_weak_explicit(&pool->work, &word, word - claim,
                                               memory_order_acquire, memory_order_relaxed))
      continue;
    run_claimed(pool, thread, claim);
    done += claim;
    word = atomic_load_explicit(&pool->work, memory_order_relaxed);
  }
  if (done && atomic_fetch_sub(&pool->pending, done) == done && atomic_load(&pool->waiting))
    futex_wake(&pool->pending);
}

// Spins until there is work or the time is up.
static bool spin_for_work(sni_thread_pool *pool, int thread) {
  double deadline = sni_now_ms() + spin_ms;
  do {
    for (int i = 0; i < 64; i++) {
      if (may_take(atomic_load_explicit(&pool->work, memory_order_relaxed), thread)) return true;
      sni_pause();
    }
  } while (!atomic_load_explicit(&pool->stop, memory_order_relaxed) && sni_now_ms() < deadline);
  return false;
}

static void *work(void *user) {
  worker *self = user;
  sni_thread_pool *pool = self->pool;
  self->id = (pid_t)syscall(SYS_gettid);
  pthread_setname_np(pthread_self(), "sinter");
  while (!atomic_load(&pool->stop)) {
    if (spin_for_work(pool, self->index))
      take_chunks(pool, self->index);
    else
      sleep_for_work(pool, self);
  }
  return NULL;
}

// ---- starting
static bool start_worker(worker *w) {
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before)) return false;
  pthread_attr_t attributes;
  bool failed = pthread_attr_init(&attributes) != 0;
  if (!failed) {
    // The size is a wish: a program with much thread-local storage needs more.
    failed = pthread_attr_setstacksize(&attributes, worker_stack_bytes) ||
             pthread_create(&w->thread, &attributes, work, w);
    pthread_attr_destroy(&attributes);
  }
  if (failed) failed = pthread_create(&w->thread, NULL, work, w) != 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return !failed;
}

// Threads that take part, the caller included. The pool is ours (busy).
static int start_workers(sni_thread_pool *pool, int wanted) {
  int started = atomic_load_explicit(&pool->started, memory_order_relaxed);
  while (started < wanted - 1 && !pool->cannot_start) {
    worker *w = &pool->workers[started];
    w->index = started + 1;
    w->pool = pool;
    atomic_store_explicit(&w->state, awake, memory_order_relaxed);
    if (start_worker(w))
      atomic_store_explicit(&pool->started, ++started, memory_order_relaxed);
    else
      pool->cannot_start = true;
  }
  return started + 1 < wanted ? started + 1 : wanted;
}

// getpid is a system call of 150 ns; a page that the kernel clears in the child is a load.
static uint32_t own_mark(const sni_thread_pool *pool) {
  return pool->mark_is_wiped ? 1 : (uint32_t)getpid();
}

static bool is_forked(const sni_thread_pool *pool) {
  return atomic_load_explicit(pool->mark, memory_order_acquire) != own_mark(pool);
}

// In a forked child: the parent's workers and jobs do not exist here. False: another thread is
// doing this now.
static bool restart_after_fork(sni_thread_pool *pool) {
  uint32_t seen = atomic_load(pool->mark);
  if (seen == mark_resetting || !atomic_compare_exchange_strong(pool->mark, &seen, mark_resetting))
    return false;
  atomic_store(&pool->started, 0);
  atomic_store(&pool->work, 0);
  atomic_store(&pool->pending, 0);
  atomic_store(&pool->waiting, 0);
  pool->cannot_start = false;
  atomic_store(&pool->busy, false);
  atomic_store(pool->mark, own_mark(pool));
  return true;
}

static bool acquire(sni_thread_pool *pool) {
  if (is_forked(pool) && !restart_after_fork(pool)) return false;
  return !atomic_load_explicit(&pool->busy, memory_order_relaxed) &&
         !atomic_exchange_explicit(&pool->busy, true, memory_order_acquire);
}

sn_status sni_thread_pool_create(sni_allocator *allocator, int threads, const sn_executor *host,
                                 sni_thread_pool **out_pool) {
  *out_pool = NULL;
  sni_thread_pool *pool = sni_alloc_aligned(allocator, sizeof(*pool), _Alignof(sni_thread_pool));
  if (!pool) return SN_ERR_MEMORY;
  *pool = (sni_thread_pool){.allocator = allocator};
  if (host && host->parallel_for) {
    pool->host = *host;
    pool->concurrency = host->concurrency;
    if (threads > 0 && threads < pool->concurrency) pool->concurrency = threads;
  } else {
    pool->concurrency = threads > 0 ? threads : sni_available_threads();
  }
  if (pool->concurrency < 1) pool->concurrency = 1;
  if (pool->concurrency > max_concurrency) pool->concurrency = max_concurrency;
  if (pool->host.parallel_for || pool->concurrency == 1) {
    *out_pool = pool;
    return SN_OK;
  }
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  pool->workers = sni_alloc_aligned(allocator, sizeof(worker) * (size_t)(pool->concurrency - 1),
                                    _Alignof(worker));
  pool->mark = sni_alloc_aligned(allocator, page, page);
  pool->mark_bytes = page;
  pool->ranges =
      sni_alloc_aligned(allocator, sizeof(range) * (size_t)pool->concurrency, _Alignof(range));
  if (!pool->workers || !pool->ranges || !pool->mark) {
    sni_thread_pool_destroy(pool);
    return SN_ERR_MEMORY;
  }
  pool->mark_is_wiped = !madvise(pool->mark, page, MADV_WIPEONFORK);
  atomic_init(pool->mark, own_mark(pool));
  *out_pool = pool;
  return SN_OK;
}

void sni_thread_pool_destroy(sni_thread_pool *pool) {
  if (!pool) return;
  int started = atomic_load(&pool->started);
  if (started && !is_forked(pool)) {
    atomic_store(&pool->stop, 1);
    for (int i = 0; i < started; i++) {
      uint32_t state = asleep;
      if (atomic_compare_exchange_strong(&pool->workers[i].state, &state, awake))
        futex_wake(&pool->workers[i].state);
      pthread_join(pool->workers[i].thread, NULL);
    }
  }
  if (pool->mark_is_wiped) madvise(pool->mark, pool->mark_bytes, MADV_KEEPONFORK);
  sni_free_aligned(pool->allocator, pool->mark, pool->mark_bytes, pool->mark_bytes);
  sni_free_aligned(pool->allocator, pool->workers, sizeof(worker) * (size_t)(pool->concurrency - 1),
                   _Alignof(worker));
  sni_free_aligned(pool->allocator, pool->ranges, sizeof(range) * (size_t)pool->concurrency,
                   _Alignof(range));
  sni_free_aligned(pool->allocator, pool, sizeof(*pool), _Alignof(sni_thread_pool));
}

int sni_thread_pool_concurrency(const sni_thread_pool *pool) {
  return pool->concurrency;
}

double sni_thread_pool_hot_cost(const sni_thread_pool *pool) {
  return pool->host.parallel_for ? host_cost_ns : hot_cost_ns;
}

double sni_thread_pool_wake_cost(const sni_thread_pool *pool) {
  if (pool->host.parallel_for) return host_cost_ns;
  // Worker 1 takes part in every job, so its sleep tells of all.
  bool cold = !atomic_load_explicit(&pool->started, memory_order_relaxed) ||
              atomic_load_explicit(&pool->workers[0].state, memory_order_relaxed) != awake;
  return cold ? cold_cost_ns : hot_cost_ns;
}

// ---- running
static void run_alone(int64_t count, int64_t chunk, sni_range_task task, void *user) {
  for (int64_t begin = 0, end; begin < count; begin = end) {
    end = count - begin < chunk ? count : begin + chunk;
    task(user, 0, begin, end);
  }
}

typedef struct host_job {
  sni_range_task task;
  void *user;
  int64_t count, chunk;
  _Atomic int64_t next;  // chunk
  int64_t n_chunks;
} host_job;

static void run_host_thread(void *user, int64_t thread) {
  host_job *job = user;
  int64_t i;
  while ((i = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < job->n_chunks) {
    int64_t begin = i * job->chunk;
    int64_t end = job->count - begin < job->chunk ? job->count : begin + job->chunk;
    job->task(job->user, (int)thread, begin, end);
  }
}

static void wait_for_workers(sni_thread_pool *pool) {
  double now = 0, deadline = 0;
  do {
    for (int i = 0; i < 64; i++) {
      if (!atomic_load_explicit(&pool->pending, memory_order_acquire)) return;
      sni_pause();
    }
    now = sni_now_ms();
    if (deadline <= 0) deadline = now + spin_ms;
  } while (now < deadline);
  atomic_store(&pool->waiting, 1);
  for (uint32_t left; (left = atomic_load(&pool->pending));) futex_wait(&pool->pending, left);
  atomic_store(&pool->waiting, 0);
}

// Equal parts for all participants, the same from run to run of equal counts; in order: one for all.
static void cut_ranges(sni_thread_pool *pool, int threads, bool in_order) {
  pool->n_ranges = in_order ? 1 : threads;
  for (int64_t i = 0, first = 0; i < pool->n_ranges; i++) {
    const int64_t end = pool->n_chunks * (i + 1) / pool->n_ranges;
    pool->ranges[i].first = (uint32_t)first;
    pool->ranges[i].count = (uint32_t)(end - first);
    atomic_store_explicit(&pool->ranges[i].taken, 0, memory_order_relaxed);
    first = end;
  }
}

void sni_thread_pool_run(sni_thread_pool *pool, int max_threads, int64_t count, int64_t chunk,
                         bool in_order, sni_range_task task, void *user) {
  if (count <= 0) return;
  if (chunk < 1) chunk = 1;
  int threads = pool->concurrency;
  if (max_threads > 0 && max_threads < threads) threads = max_threads;
  int64_t n_chunks = (count - 1) / chunk + 1;
  if (threads > n_chunks) threads = (int)n_chunks;
  if (threads == 1) {
    run_alone(count, chunk, task, user);
    return;
  }
  if (pool->host.parallel_for) {
    host_job job = {task, user, count, chunk, 0, n_chunks};
    pool->host.parallel_for(pool->host.user, threads, run_host_thread, &job);
    return;
  }
  if (!acquire(pool)) {
    run_alone(count, chunk, task, user);
    return;
  }
  threads = start_workers(pool, threads);
  pool->task = task;
  pool->user = user;
  pool->count = count;
  pool->chunk = chunk;
  atomic_store_explicit(&pool->caller_cpu, sched_getcpu(), memory_order_relaxed);
  for (int64_t done = 0; done < n_chunks; done += pool->n_chunks) {
    int64_t left = n_chunks - done;
    pool->first = done * chunk;
    pool->n_chunks = left < most_chunks ? (uint32_t)left : most_chunks;
    cut_ranges(pool, threads, in_order);
    atomic_store_explicit(&pool->pending, pool->n_chunks, memory_order_relaxed);
    uint64_t word = (uint64_t)threads << 32 | pool->n_chunks | (in_order ? one_at_a_time : 0);
    atomic_store(&pool->work, word);
    wake_workers(pool, word, 1);
    take_chunks(pool, 0);
    wait_for_workers(pool);
  }
  atomic_store_explicit(&pool->busy, false, memory_order_release);
}
