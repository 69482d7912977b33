// Workers that run index ranges for one caller at a time, who works too.
//
//   post    the caller writes the job and the chunks of each range, then the word `work`: job,
//           ranges, participants
//   claim   a participant takes chunks off a range by compare-and-swap: of its own range, which is
//           the same part of the work from run to run, from the front; of another's from the back.
//           The range names its job, so a claim that succeeds is valid, however old `work` was, and
//           keeps the job alive: only then may it be read
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
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const double spin_ms = 0.05;
static const double hot_cost_ns = 1500, cold_cost_ns = 75000, host_cost_ns = 10000;
// What splitting gained is set off against later losses up to most_gain_ms: a stall that others pay
// for is none. What it lost beyond that keeps the caller alone for alone_per_loss times as long: trying
// again costs an eighth where it never pays, and one mishap is soon forgotten.
static const double most_gain_ms = 10, least_loss_ms = 0.05, alone_per_loss = 8,
                    most_alone_ms = 100;
enum {
  worker_stack_bytes = 1 << 20,
  max_concurrency = 1024,
  most_chunks = UINT16_MAX,     // of a job
  mark_resetting = 0x7FFFFFFF,  // no process id is as high
};

// awake -> asleep: by the worker. asleep -> awake: by the worker. asleep -> waking -> awake: by the
// thread that wakes it.
enum { awake, asleep, waking };
typedef struct worker {
  _Alignas(64) _Atomic uint32_t state;
  int index;      // thread number, from 1
  uint32_t seen;  // job that it found no chunks of any more
  sni_thread_pool *pool;
  pthread_t thread;
  // Of the sleep: the worker's CPUs (has_cpus false: unknown), and whether the waker took some
  // away.
  pid_t id;
  bool has_cpus, narrowed;
  cpu_set_t cpus;
} worker;

// Chunks that nobody has claimed, packed so that one compare-and-swap decides: the first, the one
// behind the last, the job they are of.
typedef struct range {
  _Alignas(64) _Atomic uint64_t chunks;
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

  // The job. Stable while pending is not 0. Chunk i is [cut(i), cut(i + 1)) of [0, count).
  sni_range_task task;
  void *user;
  int64_t count, n_chunks;
  int64_t base;            // chunk 0 of the ranges
  uint32_t job;            // its number
  _Atomic int caller_cpu;  // -1: unknown; read for placement only
  _Alignas(64) _Atomic uint64_t work;
  _Alignas(64) _Atomic uint32_t pending;  // chunks not yet finished
  _Atomic uint32_t waiting;               // the caller sleeps on pending
  double gain_ms;                         // of splits over one thread, at most most_gain_ms
  _Atomic int64_t alone_until_ns;         // by sni_now_ms's clock; 0: workers are asked
};

// ---- sleeping
static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

// The word `work`: job << 32 | ranges << 16 | participants, none of whom is sought once the job ends.
static int participants_of(uint64_t word) {
  return (int)(word & UINT16_MAX);
}
static uint32_t ranges_of(uint64_t word) {
  return word >> 16 & UINT16_MAX;
}
static uint32_t job_of(uint64_t word) {
  return (uint32_t)(word >> 32);
}
static bool is_wanted(uint64_t word, const worker *w) {
  return w->index < participants_of(word) && job_of(word) != w->seen;
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
  const int participants = participants_of(word);
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
    bool wanted = is_wanted(atomic_load(&pool->work), self) || atomic_load(&pool->stop);
    if (state == asleep && wanted && atomic_compare_exchange_strong(&self->state, &state, awake))
      break;
    if (state != awake) futex_wait(&self->state, state);
  }
  if (self->narrowed) sched_setaffinity(0, sizeof(self->cpus), &self->cpus);
  wake_workers(pool, atomic_load(&pool->work), 2);
}

// ---- working
// Half of what a range has left, from either end: few calls, and all reach the end together. In
// order: one chunk at a time. 0: there are none, and there will be none.
static uint32_t claim(range *r, uint32_t job, bool in_order, bool from_back, uint32_t *out_first) {
  uint64_t chunks = atomic_load_explicit(&r->chunks, memory_order_relaxed);
  for (;;) {
    const uint32_t first = chunks & UINT16_MAX, end = chunks >> 16 & UINT16_MAX;
    if (job_of(chunks) != job || first == end) return 0;
    const uint32_t count = in_order || end - first == 1 ? 1 : (end - first) / 2;
    const uint64_t left = from_back ? chunks - ((uint64_t)count << 16) : chunks + count;
    *out_first = from_back ? end - count : first;
    if (atomic_compare_exchange_weak_explicit(&r->chunks, &chunks, left, memory_order_acquire,
                                              memory_order_relaxed))
      return count;
  }
}

// How many chunks this thread took.
static uint32_t take_chunks(sni_thread_pool *pool, uint64_t word, int thread) {
  const uint32_t n_ranges = ranges_of(word), own = n_ranges > 1 ? (uint32_t)thread : 0;
  uint32_t done = 0, first;
  for (uint32_t i = 0, at = own; i < n_ranges; i++, at = at + 1 < n_ranges ? at + 1 : 0)
    for (uint32_t count;
         (count = claim(&pool->ranges[at], job_of(word), n_ranges == 1, at != own, &first));
         done += count) {
      const int64_t chunk = pool->base + first;
      pool->task(pool->user, thread, sni_cut(pool->count, pool->n_chunks, chunk),
                 sni_cut(pool->count, pool->n_chunks, chunk + count));
    }
  if (done && atomic_fetch_sub(&pool->pending, done) == done && atomic_load(&pool->waiting))
    futex_wake(&pool->pending);
  return done;
}

// Spins until there is work or the time is up.
static bool spin_for_work(sni_thread_pool *pool, const worker *self, uint64_t *out_word) {
  double deadline = sni_now_ms() + spin_ms;
  do {
    for (int i = 0; i < 64; i++) {
      *out_word = atomic_load_explicit(&pool->work, memory_order_relaxed);
      if (is_wanted(*out_word, self)) return true;
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
    uint64_t word;
    if (spin_for_work(pool, self, &word)) {
      take_chunks(pool, word, self->index);
      self->seen = job_of(word);
    } else {
      sleep_for_work(pool, self);
    }
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
    w->seen = pool->job;
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
  atomic_store(&pool->alone_until_ns, 0);
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

// ---- backing off
static bool stays_alone(sni_thread_pool *pool) {
  const int64_t until = atomic_load_explicit(&pool->alone_until_ns, memory_order_relaxed);
  if (!until) return false;
  if ((double)until * 1e-6 > sni_now_ms()) return true;
  atomic_store_explicit(&pool->alone_until_ns, 0, memory_order_relaxed);
  return false;
}

// Of a job on which the caller worked from start_ms to wait_ms, to do `done` of all chunks, and then
// waited for the others until now: what it gained over one thread. A worker that is kept off its CPU
// in the middle of a chunk, by other programs, makes that a loss. Where the caller did less than three
// quarters of its share it was held up itself, as it may be alone: that says nothing.
static void note_gain(sni_thread_pool *pool, int threads, double start_ms, double wait_ms,
                      double now, uint32_t done, uint32_t of) {
  if (4 * (uint64_t)done * (uint64_t)threads < 3 * (uint64_t)of) return;
  const double alone_ms = (wait_ms - start_ms) * of / done;
  pool->gain_ms += alone_ms - (now - start_ms);
  if (pool->gain_ms > most_gain_ms) pool->gain_ms = most_gain_ms;
  if (pool->gain_ms > -least_loss_ms) return;
  double pause_ms = alone_per_loss * -pool->gain_ms;
  if (pause_ms > most_alone_ms) pause_ms = most_alone_ms;
  pool->gain_ms = 0;
  atomic_store_explicit(&pool->alone_until_ns, (int64_t)((now + pause_ms) * 1e6),
                        memory_order_relaxed);
}

double sni_thread_pool_wake_cost(sni_thread_pool *pool) {
  if (pool->host.parallel_for) return host_cost_ns;
  if (stays_alone(pool)) return INFINITY;
  // Worker 1 takes part in every job, so its sleep tells of all.
  bool cold = !atomic_load_explicit(&pool->started, memory_order_relaxed) ||
              atomic_load_explicit(&pool->workers[0].state, memory_order_relaxed) != awake;
  return cold ? cold_cost_ns : hot_cost_ns;
}

// ---- running
typedef struct host_job {
  sni_range_task task;
  void *user;
  int64_t count, n_chunks;
  _Atomic int64_t next;  // chunk
} host_job;

static void run_host_thread(void *user, int64_t thread) {
  host_job *job = user;
  int64_t i;
  while ((i = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < job->n_chunks)
    job->task(job->user, (int)thread, sni_cut(job->count, job->n_chunks, i),
              sni_cut(job->count, job->n_chunks, i + 1));
}

// Whether that took longer than a few turns of a loop.
static bool wait_for_workers(sni_thread_pool *pool) {
  double now = 0, deadline = 0;
  do {
    for (int i = 0; i < 64; i++) {
      if (!atomic_load_explicit(&pool->pending, memory_order_acquire)) return deadline > 0;
      sni_pause();
    }
    now = sni_now_ms();
    if (deadline <= 0) deadline = now + spin_ms;
  } while (now < deadline);
  atomic_store(&pool->waiting, 1);
  for (uint32_t left; (left = atomic_load(&pool->pending));) futex_wait(&pool->pending, left);
  atomic_store(&pool->waiting, 0);
  return true;
}

// Equal parts for all participants, the same from run to run of equal counts; in order: one for all.
static void post(sni_thread_pool *pool, int threads, bool in_order, uint32_t chunks) {
  const uint32_t n_ranges = in_order ? 1 : (uint32_t)threads;
  const uint64_t job = (uint64_t)++pool->job << 32;
  atomic_store_explicit(&pool->pending, chunks, memory_order_relaxed);
  for (uint32_t i = 0; i < n_ranges; i++) {
    const uint64_t first = (uint64_t)sni_cut(chunks, n_ranges, i);
    const uint64_t end = (uint64_t)sni_cut(chunks, n_ranges, i + 1);
    atomic_store_explicit(&pool->ranges[i].chunks, job | end << 16 | first, memory_order_release);
  }
  const uint64_t word = job | n_ranges << 16 | (uint64_t)threads;
  atomic_store(&pool->work, word);
  wake_workers(pool, word, 1);
  const double start_ms = sni_now_ms();
  const uint32_t done = take_chunks(pool, word, 0);
  atomic_store_explicit(&pool->work, job, memory_order_relaxed);
  const double wait_ms = sni_now_ms();
  const bool waited = done < chunks && wait_for_workers(pool);
  note_gain(pool, threads, start_ms, wait_ms, waited ? sni_now_ms() : wait_ms, done, chunks);
}

void sni_thread_pool_run(sni_thread_pool *pool, int max_threads, int64_t count, int64_t n_chunks,
                         bool in_order, sni_range_task task, void *user) {
  if (count <= 0) return;
  if (n_chunks > INT32_MAX) n_chunks = INT32_MAX;
  if (n_chunks > count) n_chunks = count;
  int threads = pool->concurrency;
  if (max_threads > 0 && max_threads < threads) threads = max_threads;
  if (threads > n_chunks) threads = (int)n_chunks;
  if (threads > 1 && pool->host.parallel_for) {
    host_job job = {task, user, count, n_chunks, 0};
    pool->host.parallel_for(pool->host.user, threads, run_host_thread, &job);
    return;
  }
  if (threads <= 1 || !acquire(pool)) {
    task(user, 0, 0, count);
    return;
  }
  threads = start_workers(pool, threads);
  pool->task = task;
  pool->user = user;
  pool->count = count;
  pool->n_chunks = n_chunks;
  atomic_store_explicit(&pool->caller_cpu, sched_getcpu(), memory_order_relaxed);
  for (int64_t done = 0; done < n_chunks; done += most_chunks) {
    const int64_t left = n_chunks - done;
    pool->base = done;
    post(pool, threads, in_order, left < most_chunks ? (uint32_t)left : most_chunks);
  }
  atomic_store_explicit(&pool->busy, false, memory_order_release);
}
