// Records that wait for calls, and calls that wait for records or for room: served in the order in which they came, all under one lock. A call that
// is not served at once sleeps; whoever changes the queue serves whom it can.
//
// Invariant: at the end of each critical section no first attempt of a list could be served.
#include "frontend/structures/queue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_spare = 1024, small_record = 1024, first_room = 16, most_tries = 20 };

// Critical sections are shorter than going to sleep.
static void lock(sns_store *store) {
  for (int i = 0; i < most_tries; i++) {
    if (!pthread_mutex_trylock(&store->lock)) return;
    sns_pause();
  }
  pthread_mutex_lock(&store->lock);
}

// ---- blocks
static bool is_small(const sns_store *store) {
  return store->record_bytes && store->record_bytes <= small_record;
}

// Whole lines, so that a small record is one.
static void *lines_for(size_t bytes) {
  return aligned_alloc(SNS_LINE, (bytes + SNS_LINE - 1) / SNS_LINE * SNS_LINE);
}

// Under the lock.
static sns_record *spare_or_new(sns_store *store) {
  sns_record *record = store->spare;
  if (!record) return lines_for(sizeof(sns_record) + store->record_bytes);
  store->spare = record->next;
  store->n_spare--;
  return record;
}

static void put_aside(sns_store *store, sns_record *record) {
  if (!is_small(store) || store->n_spare == most_spare) {
    free(record);
    return;
  }
  record->next = store->spare;
  store->spare = record;
  store->n_spare++;
}

sns_record *sns_record_new(sns_store *store, size_t bytes) {
  sns_record *record;
  if (is_small(store)) {
    lock(store);
    record = spare_or_new(store);
    pthread_mutex_unlock(&store->lock);
  } else {
    record = bytes > SIZE_MAX - sizeof(*record) ? NULL : malloc(sizeof(*record) + bytes);
  }
  if (record) record->priority = record->number = 0;
  return record;
}

void sns_records_free(sns_store *store, sns_record *const *records, int64_t n) {
  if (n <= 0) return;
  lock(store);
  for (int64_t i = 0; i < n; i++) put_aside(store, records[i]);
  pthread_mutex_unlock(&store->lock);
}

// ---- the container
static int64_t size_of(const sns_store *store) {
  return atomic_load_explicit(&store->size, memory_order_relaxed);
}

static void set_size(sns_store *store, int64_t size) {
  atomic_store_explicit(&store->size, size, memory_order_release);
}

static bool is_closed(const sns_store *store) {
  return atomic_load_explicit(&store->closed, memory_order_relaxed);
}

static sns_record **item(sns_store *store, int64_t i) {
  return &store->items[(store->head + i) & (store->room - 1)];
}

static bool make_room(sns_store *store) {
  const int64_t size = size_of(store);
  if (size < store->room) return true;
  const int64_t room = store->room ? 2 * store->room : first_room;
  sns_record **items = malloc((size_t)room * sizeof(sns_record *));
  if (!items) return false;
  for (int64_t i = 0; i < size; i++) items[i] = *item(store, i);
  free(store->items);
  store->items = items;
  store->room = room;
  store->head = 0;
  return true;
}

static bool comes_before(const sns_record *a, const sns_record *b) {
  return a->priority != b->priority ? a->priority < b->priority : a->number < b->number;
}

static void swap(sns_store *store, int64_t i, int64_t k) {
  sns_record *other = *item(store, i);
  *item(store, i) = *item(store, k);
  *item(store, k) = other;
}

static void rise(sns_store *store, int64_t i) {
  for (; i && comes_before(*item(store, i), *item(store, (i - 1) / 2)); i = (i - 1) / 2)
    swap(store, i, (i - 1) / 2);
}

static void sink(sns_store *store, int64_t size) {
  for (int64_t i = 0, least;; i = least) {
    least = i;
    for (int64_t k = 2 * i + 1; k <= 2 * i + 2; k++)
      if (k < size && comes_before(*item(store, k), *item(store, least))) least = k;
    if (least == i) return;
    swap(store, i, least);
  }
}

static bool push(sns_store *store, sns_record *record) {
  const int64_t size = size_of(store);
  if (!make_room(store)) return false;
  record->number = store->next_number++;
  *item(store, size) = record;
  if (store->kind == SN_QUEUE_PRIORITY) rise(store, size);
  set_size(store, size + 1);
  return true;
}

// splitmix64
static uint64_t draw(sns_store *store, uint64_t n) {
  uint64_t x = store->random += UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (x ^ (x >> 31)) % n;
}

static sns_record *pop(sns_store *store) {
  const int64_t size = size_of(store);
  const bool is_fifo = store->kind == SN_QUEUE_FIFO || store->kind == SN_QUEUE_PADDING_FIFO;
  if (store->kind == SN_QUEUE_SHUFFLE) swap(store, 0, (int64_t)draw(store, (uint64_t)size));
  sns_record *record = *item(store, 0);
  if (is_fifo)
    store->head = (store->head + 1) & (store->room - 1);
  else
    *item(store, 0) = *item(store, size - 1);
  set_size(store, size - 1);
  if (store->kind == SN_QUEUE_PRIORITY) sink(store, size - 1);
  return record;
}

// What an attempt has taken goes back to where it was: there is room, as it was there before.
static void take_back(sns_store *store, sns_attempt *a) {
  while (a->done) {
    sns_record *record = a->records[--a->done];
    const int64_t size = size_of(store);
    if (!make_room(store)) {
      a->done++;
      return;  // not even for a list: the caller frees what is left
    }
    if (store->kind == SN_QUEUE_PRIORITY) {
      *item(store, size) = record;
      rise(store, size);
    } else {
      store->head = (store->head - 1) & (store->room - 1);
      *item(store, 0) = record;
    }
    set_size(store, size + 1);
  }
}

// ---- attempts
static void finish(sns_store *store, sns_attempts *list, sn_status status) {
  sns_attempt *a = list->first;
  list->first = a->next;
  if (!a->next) list->last = &list->first;
  a->status = status;
  a->finished = true;
  if (!a->waits) return;
  store->n_waiting--;
  pthread_cond_signal(&a->ready);
}

// True: it is finished. *moved: something has changed.
static bool serve_put(sns_store *store, bool *moved) {
  sns_attempt *a = store->puts.first;
  sn_status status = SN_OK;
  while (!status && a->done < a->n && size_of(store) < store->capacity) {
    if (!push(store, a->records[a->done])) status = SN_ERR_MEMORY;
    if (!status) a->done++;
    *moved = true;
  }
  if (!status && a->done < a->n) return false;
  finish(store, &store->puts, status);
  return *moved = true;
}

static bool serve_take(sns_store *store, bool *moved) {
  sns_attempt *a = store->takes.first;
  const bool no_more = is_closed(store) && !store->puts.first;
  int64_t there = size_of(store) - (no_more ? 0 : store->min_after);
  if (no_more && there + a->done < a->n && a->up_to && there + a->done > 0) a->n = there + a->done;
  if (no_more && there + a->done < a->n) {
    take_back(store, a);
    finish(store, &store->takes, SN_ERR_END);
    return *moved = true;
  }
  for (; there > 0 && a->done < a->n; there--) {
    a->records[a->done++] = pop(store);
    *moved = true;
  }
  if (a->done < a->n) return false;
  finish(store, &store->takes, SN_OK);
  return *moved = true;
}

static void serve_all(sns_store *store) {
  for (bool moved = true; moved;) {
    moved = false;
    while (store->puts.first && serve_put(store, &moved)) continue;
    while (store->takes.first && serve_take(store, &moved)) continue;
  }
}

static sns_attempts *list_of(sns_store *store, const sns_attempt *a) {
  return a->takes ? &store->takes : &store->puts;
}

static void enlist(sns_store *store, sns_attempt *a) {
  sns_attempts *list = list_of(store, a);
  a->next = NULL;
  *list->last = a;
  list->last = &a->next;
}

static void delist(sns_store *store, const sns_attempt *a) {
  sns_attempts *list = list_of(store, a);
  sns_attempt **at = &list->first;
  while (*at != a) at = &(*at)->next;
  *at = a->next;
  if (!*at) list->last = at;
}

// ---- waiting
static struct timespec after(struct timespec t, double seconds) {
  const double whole = floor(seconds);
  t.tv_sec += (time_t)whole;
  t.tv_nsec += (long)((seconds - whole) * 1e9);
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  return t;
}

static bool is_before(const struct timespec *a, const struct timespec *b) {
  return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static sn_status give_up(const sns_store *store, const sns_attempt *a, const sns_wait *wait,
                         sn_status status, const char *why) {
  const long long done = (long long)a->done, n = (long long)a->n, size = (long long)size_of(store);
  return a->takes ? sns_refuse(wait->args, status,
                               "queue \"%s\": %lld of %lld records are there to be taken%s",
                               store->name, done + size, n, why)
                  : sns_refuse(wait->args, status,
                               "queue \"%s\" is full, with %lld records: %lld of %lld are put in%s",
                               store->name, size, done, n, why);
}

// Once every few milliseconds: signals cannot wake it, and contexts come and go.
static sn_status look_around(sns_store *store, const sns_attempt *a, const sns_wait *wait,
                             const struct timespec *end) {
  if (sn_object_users(wait->queue) <= store->n_waiting)
    return give_up(store, a, wait, SN_ERR_DEADLOCK,
                   ", and no other context or runner is there that could serve it");
  pthread_mutex_unlock(&store->lock);
  sn_status status = sn_host_interrupted(wait->args);
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  lock(store);
  if (a->finished) return SN_OK;
  if (status) return give_up(store, a, wait, status, "");
  return is_before(&now, end) ? SN_OK
                              : give_up(store, a, wait, SN_ERR_DEADLINE, ": its time is over");
}

static sn_status sleep_until_served(sns_store *store, sns_attempt *a, const sns_wait *wait) {
  struct timespec now, end;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  end = after(now, wait->timeout > 0 && wait->timeout < 1e9 ? wait->timeout : 1e9);
  sn_status status = SN_OK;
  while (!a->finished && !(status = look_around(store, a, wait, &end)) && !a->finished) {
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec next = after(now, 2e-3);
    if (is_before(&end, &next)) next = end;
    (void)pthread_cond_timedwait(&a->ready, &store->lock, &next);
  }
  return a->finished ? SN_OK : status;
}

static sn_status wait_for_it(sns_store *store, sns_attempt *a, const sns_wait *wait) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes)) return SN_ERR_MEMORY;
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  const bool made = !pthread_cond_init(&a->ready, &attributes);
  pthread_condattr_destroy(&attributes);
  if (!made) return SN_ERR_MEMORY;
  a->waits = true;
  store->n_waiting++;
  const sn_status status = sleep_until_served(store, a, wait);
  if (!a->finished) store->n_waiting--;
  pthread_cond_destroy(&a->ready);
  return status;
}

static sn_status serve_or_wait(sns_store *store, sns_attempt *a, const sns_wait *wait) {
  sn_status status;
  if (!a->takes && is_closed(store)) return SN_ERR_CANCELLED;
  enlist(store, a);
  serve_all(store);
  if (a->finished) return a->status;
  if (wait->timeout < 0)
    status = give_up(store, a, wait, SN_ERR_DEADLINE, ", and the call may not wait");
  else
    status = wait_for_it(store, a, wait);
  if (a->finished) return a->status;
  delist(store, a);
  if (a->takes) take_back(store, a);
  serve_all(store);  // those behind it
  return status;
}

sn_status sns_store_serve(sns_store *store, sns_attempt *a, const sns_wait *wait) {
  lock(store);
  const sn_status status = serve_or_wait(store, a, wait);
  pthread_mutex_unlock(&store->lock);
  return status;
}

void sns_store_close(sns_store *store, bool cancel) {
  lock(store);
  atomic_store_explicit(&store->closed, true, memory_order_release);
  while (cancel && store->puts.first) finish(store, &store->puts, SN_ERR_CANCELLED);
  serve_all(store);
  pthread_mutex_unlock(&store->lock);
}

// ---- records of fixed sizes, at once
static void copy_components(const sns_store *store, char *record, const void *const *data) {
  for (int i = 0; i < store->n_components; i++) {
    const size_t bytes = sns_component_bytes(&store->components[i]);
    if (bytes) memcpy(record + store->offsets[i], data[i], bytes);
  }
}

bool sns_store_put_now(sns_store *store, const void *const *data) {
  lock(store);
  const bool fits = !store->puts.first && size_of(store) < store->capacity && !is_closed(store);
  sns_record *record = fits ? spare_or_new(store) : NULL;
  bool put = false;
  if (record) {
    copy_components(store, record->bytes, data);
    record->priority = 0;
    if (store->kind == SN_QUEUE_PRIORITY)
      memcpy(&record->priority, record->bytes, sizeof(record->priority));
    put = push(store, record);
    if (!put) put_aside(store, record);
    if (put && store->takes.first) serve_all(store);
  }
  pthread_mutex_unlock(&store->lock);
  return put;
}

bool sns_store_take_now(sns_store *store, void *bytes) {
  lock(store);
  const int64_t kept = is_closed(store) && !store->puts.first ? 0 : store->min_after;
  const bool is_there = !store->takes.first && size_of(store) > kept;
  if (is_there) {
    sns_record *record = pop(store);
    memcpy(bytes, record->bytes, store->record_bytes);
    put_aside(store, record);
    if (store->puts.first) serve_all(store);
  }
  pthread_mutex_unlock(&store->lock);
  return is_there;
}

// ---- tickets
int64_t sns_ticket_put(sns_store *store, sns_record *const *records, int64_t n) {
  sns_ticket *ticket = malloc(sizeof(*ticket) + (size_t)n * sizeof(*records));
  if (!ticket) return -1;
  ticket->n = n;
  if (n) memcpy(ticket->records, records, (size_t)n * sizeof(*records));
  lock(store);
  const int64_t number = ticket->number = store->next_ticket++;
  ticket->next = store->tickets;
  store->tickets = ticket;
  pthread_mutex_unlock(&store->lock);
  return number;
}

sns_ticket *sns_ticket_take(sns_store *store, int64_t number) {
  lock(store);
  sns_ticket **at = &store->tickets;
  while (*at && (*at)->number != number) at = &(*at)->next;
  sns_ticket *ticket = *at;
  if (ticket) *at = ticket->next;
  pthread_mutex_unlock(&store->lock);
  return ticket;
}

void sns_ticket_back(sns_store *store, sns_ticket *ticket) {
  lock(store);
  ticket->next = store->tickets;
  store->tickets = ticket;
  pthread_mutex_unlock(&store->lock);
}

void sns_records_back(sns_store *store, sns_record **records, int64_t n) {
  sns_attempt a = {.takes = true, .records = records, .done = n};
  lock(store);
  take_back(store, &a);
  serve_all(store);
  pthread_mutex_unlock(&store->lock);
  sns_records_free(store, a.records, a.done);
}

// ---- life
sn_status sns_store_create(const sns_store *like, uint64_t seed, sns_store **out_store) {
  sns_store *store = *out_store = lines_for(sizeof(*store));
  if (!store) return SN_ERR_MEMORY;
  memset(store, 0, sizeof(*store));
  store->kind = like->kind;
  store->n_components = like->n_components;
  memcpy(store->components, like->components, sizeof(store->components));
  store->capacity = like->capacity;
  store->min_after = like->min_after;
  memcpy(store->name, like->name, sizeof(store->name));
  store->random = seed;
  store->puts.last = &store->puts.first;
  store->takes.last = &store->takes.first;
  sns_plan_records(store);
  if (!pthread_mutex_init(&store->lock, NULL)) return SN_OK;
  free(store);
  *out_store = NULL;
  return SN_ERR_MEMORY;
}

void sns_store_destroy(sns_store *store) {
  if (!store) return;
  for (int64_t i = 0; i < size_of(store); i++) free(*item(store, i));
  while (store->spare) {
    sns_record *next = store->spare->next;
    free(store->spare);
    store->spare = next;
  }
  while (store->tickets) {
    sns_ticket *next = store->tickets->next;
    for (int64_t i = 0; i < store->tickets->n; i++) free(store->tickets->records[i]);
    free(store->tickets);
    store->tickets = next;
  }
  pthread_mutex_destroy(&store->lock);
  free(store->items);
  free(store);
}
