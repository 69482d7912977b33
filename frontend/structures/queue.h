// What the files of queues share.
//
// queue_records.c: elements of a record, copied from operands and to results
// queue_store.c: records that wait, calls that wait, and who is served when; nothing of tensors
// queue.c, queue_take.c: the public functions, as host calls
//
// Invariant: all of a store but its components is guarded by `lock`.
#ifndef SINTER_STRUCTURES_QUEUE_INTERNAL_H
#define SINTER_STRUCTURES_QUEUE_INTERNAL_H

#include "frontend/structures/calls.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SNS_QUEUE_COMPONENTS = 16, SNS_QUEUE_NAME = 64, SNS_LINE = 64 };

// The elements of one component: numbers, or n + 1 offsets (i64) and the bytes of n strings.
typedef struct sns_cell {
  char *data;
  sn_shape shape;
} sns_cell;

// A record is one block. `cells` are absent where all components have fixed sizes.
typedef struct sns_record {
  struct sns_record *next;  // in a list
  int64_t priority, number;
  _Alignas(16) char bytes[];
} sns_record;

// A call that is not served yet, in the order in which they came.
typedef struct sns_attempt {
  struct sns_attempt *next;
  bool takes;
  bool up_to;            // of a closed queue less than n are enough
  bool waits, finished;  // its thread sleeps on `ready`; it is served, with `status`
  sn_status status;
  sns_record **records;  // n of them, of which `done` are put or taken
  int64_t n, done;
  pthread_cond_t ready;
} sns_attempt;

typedef struct sns_attempts {
  sns_attempt *first, **last;
} sns_attempts;

// Records that a call has taken and another one will fetch: of results whose sizes the records say.
typedef struct sns_ticket {
  struct sns_ticket *next;
  int64_t number, n;
  sns_record *records[];
} sns_ticket;

typedef struct sns_store {
  // Constant from the beginning.
  sn_queue_kind kind;
  int n_components;
  sn_spec components[SNS_QUEUE_COMPONENTS];
  size_t offsets[SNS_QUEUE_COMPONENTS];  // in a record of fixed sizes
  size_t record_bytes;                   // of such a one; 0: sizes differ
  int64_t capacity, min_after;           // capacity: INT64_MAX: none
  char name[SNS_QUEUE_NAME];
  // What each put and take touches, in two lines of memory, which the threads hand to each other.
  _Alignas(SNS_LINE) pthread_mutex_t lock;
  // The records: a ring (FIFO), a heap (PRIORITY) or just those of a bag (SHUFFLE), from `head` on.
  sns_record **items;
  int64_t head, room;
  _Atomic int64_t size;  // read without the lock by who waits for a moment
  _Atomic bool closed;   // to new calls that put some in; those that wait are served before
  sns_record *spare;     // of fixed sizes, to be used again
  int64_t n_spare, next_number;
  sns_attempts puts, takes;
  int64_t n_waiting;  // attempts that wait
  int64_t next_ticket;
  uint64_t random;
  sns_ticket *tickets;
} sns_store;

struct sn_queue {
  sn_object object;
  sns_store *store;
};

// ---- queue.c
enum {
  SNS_AT_ONCE_BYTES = 1024,  // records of more are no bargain without a call
  SNS_SPINS = 100
};
extern const sn_object_class sns_queue_class;
// For functions of records, n of list: whether queue is one that has such; else an error is pending.
bool sns_is_queue(sn_context *c, const sn_queue *queue, sn_tensor *const *list, int n);
size_t sns_add_spec(char *text, size_t capacity, sn_dtype dtype, const sn_shape *shape);
static inline double sns_timeout_of(const sn_wait_options *options) {
  return options && options->size >= sizeof(*options) ? options->timeout : 0;
}
static inline bool sns_is_plain(const sn_context *c) {
  return !sn_is_tracing(c) && !sn_is_recording(c);
}
static inline sn_queue *sns_queue_of(const sn_host_args *args) {
  return (sn_queue *)args->user;
}

// What a loop does that waits for another thread: long enough that it is not in that one's way.
static inline void sns_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  for (int i = 0; i < 32; i++) __builtin_ia32_pause();
#endif
}

// ---- queue_store.c
// Errors: SN_ERR_MEMORY.
sn_status sns_store_create(const sns_store *like, uint64_t seed, sns_store **out_store);
void sns_store_destroy(sns_store *store);

// How long an attempt may wait, and for whom.
typedef struct sns_wait {
  const sn_host_args *args;  // its message says why it ended
  const sn_queue *queue;
  double timeout;  // seconds; 0: as long as it takes; less: not at all
} sns_wait;
// The attempt's records, all of them or, up_to, so many of a closed queue as there are (attempt->n). After an error what was put in stays there (attempt->done of them),
// and what was taken is back.
sn_status sns_store_serve(sns_store *store, sns_attempt *attempt, const sns_wait *wait);
void sns_store_close(sns_store *store, bool cancel);

// One record of fixed sizes, at once: false: it would have to wait, or is refused.
bool sns_store_put_now(sns_store *store, const void *const *data);
bool sns_store_take_now(sns_store *store, void *bytes);

// A block of a record; NULL: no memory. Freed, or kept as a spare one.
sns_record *sns_record_new(sns_store *store, size_t bytes);
void sns_records_free(sns_store *store, sns_record *const *records, int64_t n);

// Takes over the array of records; the ticket's number, or -1 without memory.
int64_t sns_ticket_put(sns_store *store, sns_record *const *records, int64_t n);
sns_ticket *sns_ticket_take(sns_store *store, int64_t number);  // NULL: there is none
void sns_ticket_back(sns_store *store, sns_ticket *ticket);     // for the next component
// Records that have been taken go back to where they were.
void sns_records_back(sns_store *store, sns_record **records, int64_t n);

// ---- queue_records.c
// Fills in offsets and record_bytes by the components.
void sns_plan_records(sns_store *store);
size_t sns_elements(const sn_shape *shape);
size_t sns_component_bytes(const sn_spec *component);
// Of views' row `row` along axis 0, or of all of them (row -1). NULL: no memory.
sns_record *sns_record_of(sns_store *store, const sn_view *views, int64_t row);
sns_cell sns_record_cell(const sns_store *store, sns_record *record, int component);
// Where a component of records is written to: numbers to data; strings to texts, all "" before, or else to an output of a call.
typedef struct sns_sink {
  sn_dtype dtype;
  sn_shape shape;
  char *data;
  sn_text *texts;
  const sn_host_args *args;
  int output;
} sns_sink;
// Into row `row` (-1: all of it), behind its end 0 or "".
sn_status sns_cell_write(const sns_sink *sink, int64_t row, const sns_cell *cell);

#endif
