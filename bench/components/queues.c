// Queues, tensor arrays and tables: queues.py times TensorFlow. Of a queue the records in a second that one thread puts in and another one takes out, each of two small
// tensors and one at a time; of the rest the least time of a call, in ms.
#include "components/timing.h"

#include <pthread.h>

enum { records = 2000000, steps = 1000, width = 128, lookups = 1000000, keys = 1000000 };

static sn_context *c;

// ---- queues
static sn_queue *queue;

static void *put_records(void *user) {
  sn_context *mine = user;
  SN_SCOPE(mine);
  const float four[] = {1, 2, 3, 4};
  sn_tensor *record[] = {sn_constant(mine, SN_F32, SN_SHAPE(4), four), sn_scalar_i64(mine, 3)};
  for (int i = 0; i < records; i++)
    if (sn_queue_enqueue(mine, queue, record, 2)) exit(1);
  return NULL;
}

static void time_queue(int capacity) {
  const sn_spec specs[] = {{SN_F32, {1, {4}}}, {SN_I64, {0, {0}}}};
  sn_context *other;
  if (sn_context_create(&other, .share = c, .threads = 1)) exit(1);
  double best = 1e9;
  for (int k = 0; k < 7; k++) {
    SN_SCOPE(c);
    pthread_t thread;
    queue = sn_queue_create(c, specs, 2, .capacity = capacity);
    const double start = now_ms();
    if (pthread_create(&thread, NULL, put_records, other)) exit(1);
    for (int i = 0; i < records; i++) {
      SN_SCOPE(c);
      sn_tensor *record[2];
      if (sn_queue_dequeue(c, queue, record, 2)) exit(1);
    }
    (void)pthread_join(thread, NULL);
    const double took = now_ms() - start;
    if (took < best) best = took;
  }
  sn_context_destroy(other);
  printf("FIFO of capacity %d      %.2f million records a second\n", capacity,
         records / best * 1e-3);
}

// ---- tensor arrays
typedef struct state {
  sn_tensor *i, *x;
  sn_tensor_array *rows;
} state;
SN_COMPOSITE(state_type, state, SN_FIELD(state, i), SN_FIELD(state, x),
             SN_HANDLE(state, rows, sn_tensor_array_type));

static sn_status not_done(sn_context *of, const void *in, void *out, void *user) {
  (void)of, (void)user;
  *(sn_tensor **)out = sn_less(((const state *)in)->i, steps);
  return SN_OK;
}
static sn_status write_row(sn_context *of, const void *in, void *out, void *user) {
  const state *s = in;
  state *next = out;
  (void)of, (void)user;
  next->x = sn_mul(s->x, 1.0001);
  next->rows = sn_tensor_array_write(s->rows, s->i, next->x);
  next->i = sn_add(s->i, 1);
  return SN_OK;
}
static sn_status write_all(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_shape element = SN_SHAPE(width);
  state s = {sn_scalar_i64(of, 0), in[0],
             sn_tensor_array_create(of, SN_F32, steps, .element_shape = &element)};
  (void)sn_while_struct(of, not_done, write_row, NULL, SN_STRUCT(state_type, &s), &s);
  out[0] = sn_sum(sn_square(sn_tensor_array_stack(s.rows)));
  if (user) return SN_OK;
  sn_gradients(out[0], in, 1, &out[1]);
  return SN_OK;
}
static sn_status write_only(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return write_all(of, in, out, c);
}

// ---- tables
static sn_table *numbers, *words;
static sn_status look_up(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_table_lookup(of, numbers, in[0]);
  return SN_OK;
}
static sn_status look_up_words(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_table_lookup(of, words, in[0]);
  return SN_OK;
}

static void time_tables(bool frozen) {
  SN_SCOPE(c);
  sn_tensor *all = sn_range(c, SN_I64, 0, keys, 1);
  char(*texts)[16] = malloc(sizeof(*texts) * keys);
  const char **list = malloc(sizeof(*list) * keys);
  if (!texts || !list) exit(1);
  for (int i = 0; i < keys; i++) {
    (void)snprintf(texts[i], sizeof(texts[i]), "word %d", i);
    list[i] = texts[i];
  }
  sn_tensor *all_words = sn_strings(c, SN_SHAPE(keys), list);
  numbers = sn_table_create(c, SN_I64, sn_scalar_i64(c, -1), .keys = sn_mul(all, 7), .values = all,
                            .frozen = frozen);
  words = sn_table_create(c, SN_STRING, sn_scalar_i64(c, -1), .keys = all_words, .values = all,
                          .frozen = frozen);
  sn_tensor *some = sn_random_integers(c, SN_I64, SN_SHAPE(lookups), 0, keys);
  sn_tensor *asked = sn_mul(some, 7), *asked_words = sn_gather(all_words, some);
  char name[40];
  (void)snprintf(name, sizeof(name), "1 M lookups of i64%s", frozen ? ", frozen" : "");
  double sum = 0;
  if (sn_item(sn_sum(some), &sum)) exit(1);
  time_both(c, name, look_up, &asked, 1, 1, sum);
  (void)snprintf(name, sizeof(name), "1 M of strings%s", frozen ? ", frozen" : "");
  time_both(c, name, look_up_words, &asked_words, 1, 1, sum);
  free(texts);
  free(list);
}

int main(void) {
  if (sn_context_create(&c, .threads = 1)) return 1;
  time_queue(1000);
  time_queue(10000);
  {
    SN_SCOPE(c);
    sn_tensor *x = sn_full(c, SN_F32, SN_SHAPE(width), 0.5);
    double sum = 0;
    for (int i = 1; i <= steps; i++) sum += width * pow(0.5 * pow(1.0001, i), 2);
    time_both(c, "array written", write_only, &x, 1, 1, sum);
    time_both(c, "array and gradient", write_all, &x, 1, 2, sum);
  }
  time_tables(false);
  time_tables(true);
  sn_context_destroy(c);
  return 0;
}
