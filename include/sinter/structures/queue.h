// Queues: records of several components that one call puts in and another one takes out, each once: from eager code, from compiled functions, and from
// sibling contexts on other threads. A queue is a resource: a call in a compiled function has its effect in each run, once, in the order of the
// calls, in loops and branches too. Gradients end at it. Thread-safe.
#ifndef SINTER_STRUCTURES_QUEUE_H
#define SINTER_STRUCTURES_QUEUE_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

typedef enum sn_queue_kind {
  SN_QUEUE_FIFO,  // in the order in which they came
  SN_QUEUE_PADDING_FIFO,  // the same; sn_queue_dequeue_many fills up components of different sizes with 0 or ""
  SN_QUEUE_PRIORITY,  // the lowest first component first, i64[]; of equal ones the first
  SN_QUEUE_SHUFFLE,   // any, as the seed has it
} sn_queue_kind;

typedef struct sn_queue_options {
  size_t size;  // sizeof(sn_queue_options); filled in by the macros
  sn_queue_kind kind;
  int64_t capacity;  // records; 0: any number
  int64_t
      min_after_dequeue;  // SHUFFLE: so many stay, for the sake of the order, until it is closed
  uint64_t seed;          // SHUFFLE
  const char *name;       // of messages; copied; NULL: "queue"
} sn_queue_options;
// An empty queue, the innermost scope's: sn_keep it for other threads. components: dtype and shape of n of them, 1 to 16, strings too; dims that differ from
// record to record are SN_UNKNOWN, and a rank of -1 is any shape. The error object after an error: SN_ERR_ARGUMENT (a negative number; a minimum not below the capacity; n;
// NULL), SN_ERR_SHAPE, SN_ERR_DTYPE (components; the first one of PRIORITY), SN_ERR_STATE (in a trace), SN_ERR_MEMORY. Source: tf.queue.
SN_API sn_queue *sn_queue_create_opts(sn_context *context, const sn_spec *components, int n,
                                      const sn_queue_options *options);

// ---- waiting
// A call that finds the queue full, or without enough records, waits; calls are served in the order in which they came. It ends with SN_ERR_CANCELLED or SN_ERR_DEADLINE as other
// calls do (sn_cancel, sn_set_deadline, sn_runner_cancel), with SN_ERR_DEADLINE after its own timeout, and with SN_ERR_DEADLOCK as soon as nobody could serve it: every
// context of the family that is alive, and every runner, waits in this queue (sn_object_users); so in a program of one context each call that would have to wait, at
// once. A call in a compiled function waits while the variables that the function uses are locked.
typedef struct sn_wait_options {
  size_t size;     // sizeof(sn_wait_options); filled in by the macros
  double timeout;  // seconds; 0: none; less: it does not wait at all
} sn_wait_options;

// ---- records. context: that of the thread which calls, of the queue's family. n: the number of components. Errors of all, pending and returned: SN_ERR_ARGUMENT (NULL, n, another
// family), SN_ERR_DTYPE, SN_ERR_SHAPE (naming the component), SN_ERR_STATE (a queue that nobody holds any more), those of waiting; in a compiled function they are the call's.
// Puts in a record. Errors: SN_ERR_CANCELLED (the queue is closed).
SN_API sn_status sn_queue_enqueue_at(sn_context *context, sn_queue *queue, sn_tensor *const *record,
                                     int n, const sn_wait_options *options, const char *file,
                                     int line);
// The records along axis 0 of columns [k, ...], one after the other: what there is room for is in the queue while the rest waits, and stays there after an error, whose message
// has the number.
SN_API sn_status sn_queue_enqueue_many_at(sn_context *context, sn_queue *queue,
                                          sn_tensor *const *columns, int n,
                                          const sn_wait_options *options, const char *file,
                                          int line);
// Takes out a record. In a trace shapes that differ are known in the run; a component of any rank is SN_ERR_SHAPE there. Errors: SN_ERR_END (closed and empty).
SN_API sn_status sn_queue_dequeue_at(sn_context *context, sn_queue *queue, sn_tensor **out, int n,
                                     const sn_wait_options *options, const char *file, int line);
// Takes out `count` records, as columns [count, ...]. Errors: SN_ERR_END (closed, with less than these: they stay in it), SN_ERR_SHAPE (a component of unknown
// size, but for those of PADDING_FIFO, of known rank), SN_ERR_ARGUMENT (count < 0).
SN_API sn_status sn_queue_dequeue_many_at(sn_context *context, sn_queue *queue, int64_t count,
                                          sn_tensor **out, int n, const sn_wait_options *options,
                                          const char *file, int line);
// The same, of a closed queue as many as there are: SN_ERR_END if there are none.
SN_API sn_status sn_queue_dequeue_up_to_at(sn_context *context, sn_queue *queue, int64_t count,
                                           sn_tensor **out, int n, const sn_wait_options *options,
                                           const char *file, int line);
// What a call has taken is gone, also if the compiled function that it is part of fails later.

// No records come in any more: calls that put some in from now on are SN_ERR_CANCELLED, and those that want more than there are SN_ERR_END. Calls that wait to put some in are
// served before, or with `cancel` end with SN_ERR_CANCELLED. A closed queue stays closed; closing it again is no error.
SN_API sn_status sn_queue_close_at(sn_context *context, sn_queue *queue, bool cancel,
                                   const char *file, int line);
// How many records are in it now, i64[]; whether it is closed, bool[].
SN_API sn_tensor *sn_queue_size(sn_context *context, sn_queue *queue);
SN_API sn_tensor *sn_queue_is_closed(sn_context *context, sn_queue *queue);
// Text as of snprintf: "queue \"name\": FIFO, 2 of 10 records of (i32[], string[3])".
SN_API size_t sn_queue_format(const sn_queue *queue, char *buffer, size_t capacity);

#define sn_queue_close(context, queue, cancel) \
  sn_queue_close_at(context, queue, cancel, __FILE__, __LINE__)

SNI_EXTERN_C_END

#ifdef __cplusplus
#define SNI_QUEUE_CALL(name, Columns)                                                        \
  static inline sn_status name(sn_context *context, sn_queue *queue, Columns columns, int n, \
                               sn_wait_options options = sn_wait_options(), SNI_CALLER) {    \
    options.size = sizeof(options);                                                          \
    return name##_at(context, queue, columns, n, &options, file, line);                      \
  }
#define SNI_QUEUE_COUNT_CALL(name)                                                        \
  static inline sn_status name(sn_context *context, sn_queue *queue, int64_t count,       \
                               sn_tensor **out, int n,                                    \
                               sn_wait_options options = sn_wait_options(), SNI_CALLER) { \
    options.size = sizeof(options);                                                       \
    return name##_at(context, queue, count, out, n, &options, file, line);                \
  }
SNI_QUEUE_CALL(sn_queue_enqueue, sn_tensor *const *)
SNI_QUEUE_CALL(sn_queue_enqueue_many, sn_tensor *const *)
SNI_QUEUE_CALL(sn_queue_dequeue, sn_tensor **)
SNI_QUEUE_COUNT_CALL(sn_queue_dequeue_many)
SNI_QUEUE_COUNT_CALL(sn_queue_dequeue_up_to)
#undef SNI_QUEUE_CALL
#undef SNI_QUEUE_COUNT_CALL
#else
// sn_queue_enqueue(context, queue, SN_ARGS(x, y), .timeout = 1)
#define sn_queue_enqueue(...) \
  SNI_QUEUE_CALL(sn_queue_enqueue_at, __VA_ARGS__, .size = sizeof(sn_wait_options))
#define sn_queue_enqueue_many(...) \
  SNI_QUEUE_CALL(sn_queue_enqueue_many_at, __VA_ARGS__, .size = sizeof(sn_wait_options))
#define sn_queue_dequeue(...) \
  SNI_QUEUE_CALL(sn_queue_dequeue_at, __VA_ARGS__, .size = sizeof(sn_wait_options))
#define sn_queue_dequeue_many(...) \
  SNI_QUEUE_COUNT_CALL(sn_queue_dequeue_many_at, __VA_ARGS__, .size = sizeof(sn_wait_options))
#define sn_queue_dequeue_up_to(...) \
  SNI_QUEUE_COUNT_CALL(sn_queue_dequeue_up_to_at, __VA_ARGS__, .size = sizeof(sn_wait_options))
#define SNI_QUEUE_CALL(function, context, queue, columns, n, ...) \
  function(context, queue, columns, n, &(const sn_wait_options){__VA_ARGS__}, __FILE__, __LINE__)
#define SNI_QUEUE_COUNT_CALL(function, context, queue, count, out, n, ...) \
  function(context, queue, count, out, n, &(const sn_wait_options){__VA_ARGS__}, __FILE__, __LINE__)
#endif

#endif
