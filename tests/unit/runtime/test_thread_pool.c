// The thread pool, alone, under several callers, under a host's executor and after fork; and the
// count of useful threads.
#include "runtime/thread_count.h"
#include "runtime/thread_pool.h"

#include <check.h>
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

static sni_allocator allocator;

static sni_thread_pool *make_pool(int threads) {
  sni_thread_pool *pool;
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_int_eq(sni_thread_pool_create(&allocator, threads, NULL, &pool), SN_OK);
  return pool;
}

static void end_pool(sni_thread_pool *pool) {
  sni_thread_pool_destroy(pool);
  ck_assert_uint_eq(allocator.bytes, 0);
}

// Workers of ours: a sanitizer may have threads too.
static int count_workers(void) {
  DIR *folder = opendir("/proc/self/task");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    char path[300], name[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (!file) continue;
    if (fgets(name, sizeof(name), file)) count += !strcmp(name, "sinter\n");
    fclose(file);
  }
  closedir(folder);
  return count;
}

enum { most_items = 5000, most_threads = 8 };
typedef struct tally {
  _Atomic int hits[most_items];
  _Atomic int inside[most_threads];  // calls that run now, by thread
  _Atomic int errors;
  int64_t count, n_chunks;
  int threads;
  bool in_order;
} tally;

// Chunk that begins at this item; -1: none does.
static int64_t chunk_at(const tally *t, int64_t item) {
  const int64_t i = (item * t->n_chunks + t->count - 1) / t->count;
  return sni_cut(t->count, t->n_chunks, i) == item ? i : -1;
}

static void tally_range(void *user, int thread, int64_t begin, int64_t end) {
  tally *t = user;
  const bool alone = begin == 0 && end == t->count;
  if (thread < 0 || thread >= t->threads || begin < 0 || end <= begin || end > t->count ||
      chunk_at(t, begin) < 0 || chunk_at(t, end) < 0 ||
      (t->in_order && !alone && chunk_at(t, end) - chunk_at(t, begin) > 1)) {
    t->errors++;
    return;
  }
  if (t->inside[thread]++) t->errors++;
  for (int64_t i = begin; i < end; i++) t->hits[i]++;
  t->inside[thread]--;
}

static int tally_errors(sni_thread_pool *pool, int max_threads, int threads, int64_t count,
                        int64_t chunk) {
  tally *t = calloc(1, sizeof(*t));
  t->count = count;
  t->n_chunks = (count + chunk - 1) / chunk;
  t->threads = threads;
  int errors = 0;
  for (int in_order = 0; in_order < 2; in_order++) {
    t->in_order = in_order;
    memset(t->hits, 0, sizeof(t->hits));
    sni_thread_pool_run(pool, max_threads, count, t->n_chunks, in_order, tally_range, t);
    errors += t->errors;
    for (int64_t i = 0; i < most_items; i++) errors += t->hits[i] != (i < count);
  }
  free(t);
  return errors;
}

// Each thread waits in its first call until all are there.
typedef struct places {
  _Atomic int arrived;
  int64_t first[most_threads];
} places;

static void note_place(void *user, int thread, int64_t begin, int64_t end) {
  places *p = user;
  (void)end;
  if (p->first[thread] >= 0) return;
  p->first[thread] = begin;
  p->arrived++;
  for (double start = sni_now_ms(); p->arrived < 4 && sni_now_ms() < start + 20000;) sched_yield();
}

START_TEST(threads_begin_with_parts_of_their_own) {
  sni_thread_pool *pool = make_pool(4);
  for (int i = 0; i < 50; i++) {
    places p = {.first = {-1, -1, -1, -1}};
    sni_thread_pool_run(pool, 0, 1603, 32, false, note_place, &p);
    for (int t = 0; t < 4; t++) ck_assert_int_eq(p.first[t], 1603 * t / 4);
  }
  end_pool(pool);
}
END_TEST

START_TEST(every_index_runs_once) {
  sni_thread_pool *pool = make_pool(4);
  ck_assert_int_eq(sni_thread_pool_concurrency(pool), 4);
  for (int64_t count = 0; count < 200; count++)
    for (int64_t chunk = 1; chunk < 70; chunk = chunk * 3 + 1)
      ck_assert_int_eq(tally_errors(pool, 0, 4, count, chunk), 0);
  for (int i = 0; i < 300; i++) ck_assert_int_eq(tally_errors(pool, 0, 4, 5000, 7), 0);
  ck_assert_int_eq(tally_errors(pool, 2, 2, 5000, 7), 0);
  ck_assert_int_eq(tally_errors(pool, 1, 1, 5000, 7), 0);
  ck_assert_int_eq(tally_errors(pool, 100, 4, 5000, 7), 0);
  end_pool(pool);
}
END_TEST

typedef struct ends {
  int64_t count;
  _Atomic int64_t covered;
  _Atomic int errors;
} ends;

static void note_ends(void *user, int thread, int64_t begin, int64_t end) {
  (void)thread;
  ends *e = user;
  if (begin < 0 || end <= begin || end > e->count) e->errors++;
  e->covered += end - begin;
}

START_TEST(wide_ranges_do_not_overflow) {
  sni_thread_pool *pool = make_pool(2);
  static const int64_t chunks[] = {1, 2, 7, 60000};
  for (size_t i = 0; i < SNI_COUNT_OF(chunks); i++) {
    ends e = {INT64_MAX, 0, 0};
    sni_thread_pool_run(pool, 0, e.count, chunks[i], false, note_ends, &e);
    ck_assert_int_eq(e.errors, 0);
    ck_assert_int_eq(e.covered, INT64_MAX);
  }
  end_pool(pool);
}
END_TEST

// All of `wanted` threads must be inside at the same time for this to end soon.
typedef struct meeting {
  _Atomic int arrived;
  int wanted;
  _Atomic bool failed;
} meeting;

static void meet(void *user, int thread, int64_t begin, int64_t end) {
  (void)thread;
  (void)begin;
  (void)end;
  meeting *m = user;
  m->arrived++;
  double deadline = sni_now_ms() + 20000;
  while (m->arrived < m->wanted)
    if (sni_now_ms() > deadline) {
      m->failed = true;
      return;
    }
}

static bool all_meet(sni_thread_pool *pool, int threads) {
  meeting m = {0, threads, false};
  sni_thread_pool_run(pool, 0, threads, threads, false, meet, &m);
  return !m.failed && m.arrived == threads;
}

START_TEST(threads_run_at_the_same_time) {
  sni_thread_pool *pool = make_pool(4);
  ck_assert_int_eq(count_workers(), 0);  // none before the first parallel call
  ck_assert(sni_thread_pool_wake_cost(pool) > 10000);
  for (int i = 0; i < 50; i++) ck_assert(all_meet(pool, 2 + i % 3));
  ck_assert_int_eq(count_workers(), 3);
  for (int i = 0; i < 5; i++) {
    double deadline = sni_now_ms() + 10000;  // workers fall asleep by themselves ...
    while (sni_thread_pool_wake_cost(pool) < 10000 && sni_now_ms() < deadline) usleep(1000);
    ck_assert(sni_thread_pool_wake_cost(pool) > 10000);
    ck_assert(all_meet(pool, 4));  // ... and wake up
  }
  ck_assert(sni_thread_pool_hot_cost(pool) < 10000);
  end_pool(pool);
  ck_assert_int_eq(count_workers(), 0);
}
END_TEST

// Ten units for two threads are five and five, whatever the number of chunks.
START_TEST(parts_differ_by_one_at_most) {
  static const int64_t counts[] = {1, 2, 9, 10, 1000003, INT64_MAX};
  for (size_t c = 0; c < SNI_COUNT_OF(counts); c++)
    for (int64_t n = 1; n <= 17; n++) {
      ck_assert_int_eq(sni_cut(counts[c], n, 0), 0);
      ck_assert_int_eq(sni_cut(counts[c], n, n), counts[c]);
      for (int64_t i = 0; i < n; i++) {
        const int64_t part = sni_cut(counts[c], n, i + 1) - sni_cut(counts[c], n, i);
        ck_assert(part == counts[c] / n || part == counts[c] / n + 1);
      }
    }
  for (int64_t n = 2; n <= 10; n += 2) ck_assert_int_eq(sni_cut(10, n, n / 2), 5);
}
END_TEST

// ---- backing off
// Worker 1 is held up in its first chunk, as by a program that took its CPU.
static void hold_up(void *user, int thread, int64_t begin, int64_t end) {
  _Atomic int *inside = user;
  (void)begin;
  (void)end;
  if (thread) {
    ++*inside;
    usleep(30000);
    return;
  }
  for (double start = sni_now_ms(); !*inside && sni_now_ms() < start + 20000;) sched_yield();
}

START_TEST(callers_stay_alone_after_losses) {
  sni_thread_pool *pool = make_pool(2);
  bool alone = false;
  for (int i = 0; i < 50 && !alone; i++) {  // this thread may be held up as well
    _Atomic int inside = 0;
    ck_assert(all_meet(pool, 2));
    ck_assert(!isinf(sni_thread_pool_wake_cost(pool)));
    for (int j = 0; j < 3; j++) {  // one is forgiven
      inside = 0;
      sni_thread_pool_run(pool, 0, 8, 8, false, hold_up, &inside);
    }
    alone = isinf(sni_thread_pool_wake_cost(pool));
    for (double start = sni_now_ms(); isinf(sni_thread_pool_wake_cost(pool)); usleep(1000))
      ck_assert(sni_now_ms() < start + 20000);  // they try again
  }
  ck_assert(alone);
  end_pool(pool);
}
END_TEST

START_TEST(one_thread_starts_none) {
  sni_thread_pool *pool = make_pool(1);
  ck_assert_int_eq(sni_thread_pool_concurrency(pool), 1);
  ck_assert_int_eq(tally_errors(pool, 0, 1, 5000, 7), 0);
  ck_assert_int_eq(count_workers(), 0);
  end_pool(pool);
}
END_TEST

START_TEST(default_is_what_is_available) {
  int available = sni_available_threads();
  ck_assert_int_ge(available, 1);
  sni_thread_pool *pool = make_pool(0);
  ck_assert_int_eq(sni_thread_pool_concurrency(pool), available);
  ck_assert_int_eq(count_workers(), 0);
  end_pool(pool);
}
END_TEST

static void *count_on_one_cpu(void *user) {
  cpu_set_t all, one;
  int *out_count = user;
  if (sched_getaffinity(0, sizeof(all), &all)) return NULL;
  CPU_ZERO(&one);
  for (size_t cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  if (!sched_setaffinity(0, sizeof(one), &one)) *out_count = sni_available_threads();
  return NULL;
}

START_TEST(affinity_masks_are_kept_to) {
  pthread_t thread;  // the mask is the thread's own
  int count = 0;
  ck_assert_int_eq(pthread_create(&thread, NULL, count_on_one_cpu, &count), 0);
  pthread_join(thread, NULL);
  ck_assert_int_eq(count, 1);
}
END_TEST

static double cpu_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

START_TEST(idle_workers_cost_nothing) {
  sni_thread_pool *pool = make_pool(4);
  ck_assert(all_meet(pool, 4));
  const double deadline = sni_now_ms() + 10000;
  while (sni_thread_pool_wake_cost(pool) < 10000 && sni_now_ms() < deadline) usleep(1000);
  usleep(20000);  // worker 1 sleeps; the others began before it did
  const double before = cpu_ms();
  usleep(500000);
  ck_assert(cpu_ms() - before < 20);
  end_pool(pool);
}
END_TEST

static void note_mask(void *user, int thread, int64_t begin, int64_t end) {
  (void)begin;
  (void)end;
  sigset_t *masks = user;
  pthread_sigmask(SIG_BLOCK, NULL, &masks[thread]);
  usleep(20000);  // so that the other thread gets a chunk too
}

START_TEST(workers_block_signals) {
  sni_thread_pool *pool = make_pool(2);
  sigset_t masks[2], after;
  sigemptyset(&masks[0]);
  sigemptyset(&masks[1]);
  sni_thread_pool_run(pool, 0, 8, 8, false, note_mask, masks);
  ck_assert_int_eq(sigismember(&masks[0], SIGUSR1), 0);
  ck_assert_int_eq(sigismember(&masks[1], SIGUSR1), 1);
  ck_assert_int_eq(sigismember(&masks[1], SIGPROF), 1);
  pthread_sigmask(SIG_BLOCK, NULL, &after);
  ck_assert_int_eq(sigismember(&after, SIGUSR1), 0);
  end_pool(pool);
}
END_TEST

typedef struct nested {
  sni_thread_pool *pool;
  _Atomic int errors, runs;
} nested;

static void run_inside(void *user, int thread, int64_t begin, int64_t end) {
  (void)thread;
  nested *n = user;
  for (int64_t i = begin; i < end; i++) {
    n->errors += tally_errors(n->pool, 0, 1, 100, 9);  // the pool is busy: on this thread alone
    n->runs++;
  }
}

START_TEST(nested_calls_run_on_their_thread) {
  sni_thread_pool *pool = make_pool(3);
  nested n = {pool, 0, 0};
  sni_thread_pool_run(pool, 0, 50, 50, false, run_inside, &n);
  ck_assert_int_eq(n.errors, 0);
  ck_assert_int_eq(n.runs, 50);
  end_pool(pool);
}
END_TEST

static void *call_often(void *user) {
  intptr_t errors = 0;
  for (int i = 0; i < 300; i++) {
    errors += tally_errors(user, 0, 3, 1 + i * 13 % 4000, 1 + i % 50);
    if (i % 50 == 0) usleep(200);  // let the workers sleep now and then
  }
  return (void *)errors;  // NOLINT: a number in a pointer
}

START_TEST(several_callers) {
  sni_thread_pool *pool = make_pool(3);
  pthread_t callers[4];
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&callers[i], NULL, call_often, pool), 0);
  for (int i = 0; i < 4; i++) {
    void *errors;
    pthread_join(callers[i], &errors);
    ck_assert_ptr_null(errors);
  }
  end_pool(pool);
}
END_TEST

START_TEST(pools_come_and_go) {
  for (int i = 0; i < 100; i++) {
    sni_thread_pool *pool = make_pool(2 + i % 4);
    if (i % 5) ck_assert_int_eq(tally_errors(pool, 0, 2 + i % 4, 1000, 3), 0);
    if (i % 7 == 0) usleep(200);
    end_pool(pool);
  }
  sni_thread_pool_destroy(NULL);
}
END_TEST

#if !defined(TSAN)  // which ends a forked child that starts threads
START_TEST(child_starts_anew) {
  sni_thread_pool *pool = make_pool(3);
  ck_assert(all_meet(pool, 3));
  for (int i = 0; i < 4; i++) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
      if (i == 0) {  // destroys what it never used
        sni_thread_pool_destroy(pool);
        _exit(allocator.bytes != 0);
      }
      bool fine = all_meet(pool, 3) && count_workers() == 2 && all_meet(pool, 2);
      pid_t grandchild = fork();
      if (!grandchild) _exit(!(all_meet(pool, 3) && count_workers() == 2));
      int status = 1;
      waitpid(grandchild, &status, 0);
      fine = fine && status == 0 && all_meet(pool, 3);
      sni_thread_pool_destroy(pool);
      _exit(!fine || allocator.bytes != 0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert(all_meet(pool, 3));
  }
  end_pool(pool);
}
END_TEST
#endif

// A host executor: every second index on a thread of its own, the rest backwards on the caller's.
typedef struct host_call {
  void (*task)(void *, int64_t);
  void *user;
  int64_t i;
} host_call;

static void *call_one(void *user) {
  host_call *call = user;
  call->task(call->user, call->i);
  return NULL;
}

static void host_parallel_for(void *user, int64_t count, void (*task)(void *, int64_t),
                              void *task_user) {
  ++*(int *)user;
  for (int64_t i = count - 1; i >= 0; i--) {
    host_call call = {task, task_user, i};
    pthread_t thread;
    if (i % 2 && !pthread_create(&thread, NULL, call_one, &call))
      pthread_join(thread, NULL);
    else
      task(task_user, i);
  }
}

START_TEST(host_executor) {
  int calls = 0;
  sn_executor host = {host_parallel_for, &calls, 4};
  sni_thread_pool *pool;
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_int_eq(sni_thread_pool_create(&allocator, 0, &host, &pool), SN_OK);
  ck_assert_int_eq(sni_thread_pool_concurrency(pool), 4);
  for (int64_t count = 0; count < 100; count += 9)
    ck_assert_int_eq(tally_errors(pool, 0, 4, count, 5), 0);
  ck_assert_int_gt(calls, 0);
  int before = calls;
  ck_assert_int_eq(tally_errors(pool, 1, 1, 100, 5), 0);  // not worth a call
  ck_assert_int_eq(calls, before);
  end_pool(pool);
  host.concurrency = -3;
  ck_assert_int_eq(sni_thread_pool_create(&allocator, 0, &host, &pool), SN_OK);
  ck_assert_int_eq(sni_thread_pool_concurrency(pool), 1);
  end_pool(pool);
}
END_TEST

START_TEST(creation_survives_refusals) {
  for (size_t limit = 1; limit < 6000; limit += 500) {
    sni_thread_pool *pool;
    sni_allocator_init(&allocator, NULL, limit);
    sn_status status = sni_thread_pool_create(&allocator, 4, NULL, &pool);
    ck_assert_int_eq(status, pool ? SN_OK : SN_ERR_MEMORY);
    sni_thread_pool_destroy(pool);
    ck_assert_uint_eq(allocator.bytes, 0);
  }
}
END_TEST

// ---- quotas
static char folder[] = "/tmp/sinter-cgroup-XXXXXX";

static void write_text(const char *name, const char *text) {
  char path[300];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
    *at = 0;
    mkdir(path, 0700);
    *at = '/';
  }
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

static int quota(const char *listing) {
  char path[300];
  write_text("self", listing);
  snprintf(path, sizeof(path), "%s/self", folder);
  return sni_cgroup_cpu_quota(path, folder);
}

START_TEST(quotas_of_cgroups) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  ck_assert_int_eq(quota("0::/\n"), 0);
  write_text("a/b/cpu.max", "max 100000\n");
  ck_assert_int_eq(quota("0::/a/b\n"), 0);
  write_text("a/cpu.max", "250000 100000\n");  // on the ancestor
  ck_assert_int_eq(quota("0::/a/b\n"), 3);
  ck_assert_int_eq(quota("0::/a/b/absent/group\n"), 3);
  write_text("a/b/cpu.max", "50000 100000\n");
  ck_assert_int_eq(quota("0::/a/b\n"), 1);
  ck_assert_int_eq(quota("0::/a\n"), 3);
  write_text("cpu.max", "200000 100000\n");
  ck_assert_int_eq(quota("0::/\n"), 2);
  write_text("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "400000\n");
  write_text("cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  ck_assert_int_eq(quota("3:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n"), 4);
  write_text("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1\n");
  ck_assert_int_eq(quota("4:cpu,cpuacct:/docker/x\n"), 0);
  ck_assert_int_eq(quota("4:cpuacct,cpuset:/docker/x\nnonsense\n\n:\n"), 0);
  write_text("cpu/cpu.cfs_quota_us", "700000\n");  // seen from inside a container
  write_text("cpu/cpu.cfs_period_us", "100000\n");
  ck_assert_int_eq(quota("4:cpuacct,cpu:/docker/other"), 7);
  ck_assert_int_eq(sni_cgroup_cpu_quota("/nowhere/at/all", folder), 0);
  char command[300];
  snprintf(command, sizeof(command), "rm -r %s", folder);
  ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("thread_pool");
  TCase *cases = tcase_create("thread_pool");
  tcase_add_test(cases, every_index_runs_once);
  tcase_add_test(cases, threads_begin_with_parts_of_their_own);
  tcase_add_test(cases, wide_ranges_do_not_overflow);
  tcase_add_test(cases, threads_run_at_the_same_time);
  tcase_add_test(cases, parts_differ_by_one_at_most);
  tcase_add_test(cases, callers_stay_alone_after_losses);
  tcase_add_test(cases, one_thread_starts_none);
  tcase_add_test(cases, default_is_what_is_available);
  tcase_add_test(cases, affinity_masks_are_kept_to);
  tcase_add_test(cases, idle_workers_cost_nothing);
  tcase_add_test(cases, workers_block_signals);
  tcase_add_test(cases, nested_calls_run_on_their_thread);
  tcase_add_test(cases, several_callers);
  tcase_add_test(cases, pools_come_and_go);
#if !defined(TSAN)
  tcase_add_test(cases, child_starts_anew);
#endif
  tcase_add_test(cases, host_executor);
  tcase_add_test(cases, creation_survives_refusals);
  tcase_add_test(cases, quotas_of_cgroups);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
