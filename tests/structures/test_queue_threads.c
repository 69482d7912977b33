// Queues between threads: test_queue_threads [RECORDS]. 16 threads with contexts of their own, eager and compiled, put records in and take them out, one by one and
// several at a time, with timeouts and cancellations, until somebody closes the queue: nothing is lost, nothing comes twice, and each thread sees the records of
// every other one in the order that the queue promises.
#include <sinter/structures.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PUTTERS = 8, TAKERS = 8, MOST = 64 };

typedef struct round {
  sn_queue *queue;
  sn_queue_kind kind;
  int64_t records;  // when so many are in, it is closed
  bool cancel;
  _Atomic int64_t put;
  _Atomic bool over;
} queue_round;

typedef struct worker {
  pthread_t thread;
  sn_context *context;
  queue_round *round;
  int number;
  uint64_t random;
  int64_t sequence;              // of a putter: how many are in
  unsigned char *seen[PUTTERS];  // of a taker: records of each putter
  int64_t room[PUTTERS], latest[PUTTERS];
  bool failed;
} worker;

static uint64_t draw(worker *w, uint64_t n) {
  w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (w->random >> 33) % n;
}

static void fail(worker *w, const char *what) {
  if (!w->failed)
    fprintf(stderr, "thread %d: %s: %s\n", w->number, what, sn_error_message(w->context));
  w->failed = true;
}

// ---- putting
static sn_status enqueue_traced(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)out;
  return sn_queue_enqueue(c, user, in, 3);
}

static void make_records(worker *w, int64_t n, bool column, sn_tensor **record) {
  int64_t numbers[MOST], priorities[MOST];
  const char *texts[MOST];
  char words[MOST][24];
  for (int64_t i = 0; i < n; i++) {
    numbers[i] = w->number * (INT64_C(1) << 40) + w->sequence + i;
    priorities[i] = (int64_t)draw(w, 5);
    (void)snprintf(words[i], sizeof(words[i]), "%lld of some length", (long long)numbers[i] % 1000);
    texts[i] = words[i];
  }
  const sn_shape shape = column ? SN_SHAPE(n) : SN_SCALAR;
  record[0] = sn_constant(w->context, SN_I64, shape, priorities);
  record[1] = sn_constant(w->context, SN_I64, shape, numbers);
  record[2] = sn_strings(w->context, shape, texts);
}

// How many are in after an error: the message says so, but for a call that did not even begin.
static int64_t number_put(const char *message) {
  for (const char *at = message; (at = strstr(at, " of ")); at++) {
    const char *digits = at;
    while (digits > message && digits[-1] >= '0' && digits[-1] <= '9') digits--;
    if (digits < at && strtoll(at + 4, NULL, 10) > 0 && strstr(at, "put in"))
      return strtoll(digits, NULL, 10);
  }
  return 0;
}

static bool put_some(worker *w, sn_function *f) {
  SN_SCOPE(w->context);
  sn_tensor *record[3];
  sn_status status;
  const int how = (int)draw(w, 4);
  int64_t n = 1;
  const double timeout = draw(w, 4) ? 0 : 1e-4 * (double)draw(w, 20) - 1e-4;
  if (how == 0) {
    n = (int64_t)draw(w, MOST);
    make_records(w, n, true, record);
    status = sn_queue_enqueue_many(w->context, w->round->queue, record, 3, .timeout = timeout);
  } else {
    make_records(w, n, false, record);
    status = f ? sn_call(f, record, 3, NULL, 0)
               : sn_queue_enqueue(w->context, w->round->queue, record, 3, .timeout = timeout);
  }
  (void)!sn_check(w->context);
  if (status && status != SN_ERR_CANCELLED && status != SN_ERR_DEADLINE &&
      status != SN_ERR_DEADLOCK)
    fail(w, sn_status_name(status));
  const int64_t done = !status ? n : how ? 0 : number_put(sn_error_message(w->context));
  w->sequence += done;
  atomic_fetch_add(&w->round->put, done);
  return status != SN_ERR_CANCELLED || !strstr(sn_error_message(w->context), "is closed");
}

static void *put_all(void *user) {
  worker *w = user;
  sn_function *f = w->number % 2 ? sn_function_create(w->context, enqueue_traced, .inputs = 3,
                                                      .user = w->round->queue)
                                 : NULL;
  while (!w->failed && put_some(w, f)) {
    if (atomic_load(&w->round->put) < w->round->records || atomic_exchange(&w->round->over, true))
      continue;
    while (sn_queue_close(w->context, w->round->queue, w->round->cancel) == SN_ERR_CANCELLED)
      (void)!sn_check(w->context);
  }
  sn_function_destroy(f);
  return NULL;
}

// ---- taking
static sn_status dequeue_traced(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in;
  return sn_queue_dequeue(c, user, out, 3);
}

static void note(worker *w, int64_t number, sn_text text) {
  const int64_t from = number >> 40, sequence = number & ((INT64_C(1) << 40) - 1);
  char wanted[24];
  (void)snprintf(wanted, sizeof(wanted), "%lld of some length", (long long)number % 1000);
  if (from < 0 || from >= PUTTERS || text.length != strlen(wanted) ||
      memcmp(text.data, wanted, text.length) != 0) {
    fail(w, "a record that nobody has put in");
    return;
  }
  if (w->room[from] <= sequence) {
    const int64_t room = 2 * sequence + 1024;
    w->seen[from] = realloc(w->seen[from], (size_t)room);
    if (!w->seen[from]) abort();
    memset(w->seen[from] + w->room[from], 0, (size_t)(room - w->room[from]));
    w->room[from] = room;
  }
  if (w->seen[from][sequence]) fail(w, "a record comes twice");
  if (w->round->kind == SN_QUEUE_FIFO && sequence <= w->latest[from])
    fail(w, "a record comes too early");
  w->seen[from][sequence] = 1;
  w->latest[from] = sequence;
}

static bool take_some(worker *w, sn_function *f) {
  SN_SCOPE(w->context);
  sn_tensor *record[3];
  sn_status status;
  const int how = (int)draw(w, 4);
  const int64_t count = (int64_t)draw(w, MOST);
  const double timeout = draw(w, 4) ? 0 : 1e-4 * (double)draw(w, 20) - 1e-4;
  if (f && how > 1)
    status = sn_call(f, NULL, 0, record, 3);
  else if (how == 0)
    status =
        sn_queue_dequeue_many(w->context, w->round->queue, count, record, 3, .timeout = timeout);
  else if (how == 1)
    status = sn_queue_dequeue_up_to(w->context, w->round->queue, count + 1, record, 3,
                                    .timeout = timeout);
  else
    status = sn_queue_dequeue(w->context, w->round->queue, record, 3, .timeout = timeout);
  (void)!sn_check(w->context);
  if (!status) {
    int64_t numbers[MOST];
    sn_text texts[MOST];
    const int64_t n = sn_size(record[1]);
    if (sn_read(record[1], numbers, (size_t)n * sizeof(*numbers)) ||
        sn_read_strings(record[2], texts, n))
      fail(w, "read");
    for (int64_t i = 0; i < n && !w->failed; i++) note(w, numbers[i], texts[i]);
  } else if (status != SN_ERR_CANCELLED && status != SN_ERR_DEADLINE && status != SN_ERR_END &&
             status != SN_ERR_DEADLOCK) {
    fail(w, sn_status_name(status));
  }
  return status != SN_ERR_END || how == 0;  // of a column there may have been some
}

static void *take_all(void *user) {
  worker *w = user;
  sn_function *f = w->number % 2 ? sn_function_create(w->context, dequeue_traced, .outputs = 3,
                                                      .user = w->round->queue)
                                 : NULL;
  while (!w->failed && take_some(w, f)) continue;
  sn_function_destroy(f);
  return NULL;
}

// ---- a round
typedef struct disturber {
  worker *workers;
  _Atomic bool over;
} disturber;

// Ends calls of the eager threads: of a compiled call that is cancelled nobody knows what it has done.
static void *disturb(void *user) {
  disturber *d = user;
  uint64_t random = 1;
  while (!atomic_load(&d->over)) {
    random = random * UINT64_C(6364136223846793005) + 1;
    sn_cancel(d->workers[(random >> 40) % ((PUTTERS + TAKERS) / 2) * 2].context);
    (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
  }
  return NULL;
}

static bool all_came(const worker *workers, int64_t *total) {
  bool ok = true;
  *total = 0;
  for (int p = 0; p < PUTTERS; p++) {
    for (int64_t i = 0; i < workers[p].sequence; i++) {
      int times = 0;
      for (int t = PUTTERS; t < PUTTERS + TAKERS; t++)
        times += i < workers[t].room[p] && workers[t].seen[p][i];
      if (times != 1 && ok)
        fprintf(stderr, "record %lld of thread %d came %d times\n", (long long)i, p, times);
      ok = ok && times == 1;
    }
    for (int t = PUTTERS; t < PUTTERS + TAKERS; t++)
      for (int64_t i = workers[p].sequence; i < workers[t].room[p]; i++)
        ok = ok && !workers[t].seen[p][i];
    *total += workers[p].sequence;
  }
  return ok;
}

static bool run(sn_context *c, queue_round *round) {
  worker workers[PUTTERS + TAKERS] = {{0}};
  disturber d = {.workers = workers};
  pthread_t disturbing;
  bool ok = true;
  for (int i = 0; i < PUTTERS + TAKERS; i++) {
    worker *w = &workers[i];
    w->number = i;
    w->round = round;
    w->random = (uint64_t)i + 77;
    for (int p = 0; p < PUTTERS; p++) w->latest[p] = -1;
    if (sn_context_create(&w->context, .share = c)) abort();
  }
  for (int i = 0; i < PUTTERS + TAKERS; i++)
    if (pthread_create(&workers[i].thread, NULL, i < PUTTERS ? put_all : take_all, &workers[i]))
      abort();
  if (pthread_create(&disturbing, NULL, disturb, &d)) abort();
  for (int i = 0; i < PUTTERS + TAKERS; i++) {
    (void)pthread_join(workers[i].thread, NULL);
    ok = ok && !workers[i].failed;
  }
  atomic_store(&d.over, true);
  (void)pthread_join(disturbing, NULL);
  int64_t total;
  ok = all_came(workers, &total) && ok;
  printf("kind %d, capacity of %s: %lld records\n", (int)round->kind, round->cancel ? "9" : "100",
         (long long)total);
  for (int i = 0; i < PUTTERS + TAKERS; i++) {
    for (int p = 0; p < PUTTERS; p++) free(workers[i].seen[p]);
    sn_context_destroy(workers[i].context);
  }
  return ok;
}

int main(int argc, char **argv) {
  const int64_t given = argc > 1 ? strtoll(argv[1], NULL, 10) : 0,
                records = given > 0 ? given : 40000;
  static const sn_queue_kind kinds[] = {SN_QUEUE_FIFO, SN_QUEUE_PRIORITY, SN_QUEUE_SHUFFLE,
                                        SN_QUEUE_FIFO};
  const sn_spec specs[] = {{SN_I64, {0, {0}}}, {SN_I64, {0, {0}}}, {SN_STRING, {0, {0}}}};
  sn_context *c;
  bool ok = true;
  if (sn_context_create(&c, .threads = 1)) return 1;
  for (int i = 0; i < 4 && ok; i++) {
    SN_SCOPE(c);
    queue_round round = {.kind = kinds[i], .records = records / 4, .cancel = i % 2};
    round.queue = sn_queue_create(c, specs, 3, .kind = round.kind,
                                  .capacity = round.cancel ? 9 : 100, .min_after_dequeue = 5);
    ok = run(c, &round);
  }
  sn_context_destroy(c);
  printf("%s\n", ok ? "nothing lost, nothing twice" : "wrong");
  return ok ? 0 : 1;
}
