// A thread reads words, a compiled function numbers them: what they have in common is a queue and a table. Numbers of each batch are collected in a tensor
// array, which the loop of the function carries.
#include <sinter/structures.h>

#include <pthread.h>
#include <stdio.h>

enum { batch = 3 };
static const char *const lines[] = {"to be or", "not to be", "that is", "the question"};

typedef struct work {
  sn_context *context;  // of the reading thread
  sn_queue *words;
  sn_table *numbers;
} work;

// Records of one word; closed behind the last.
static void *read_words(void *user) {
  const work *w = user;
  for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
    for (const char *word = lines[i]; *word;) {
      SN_SCOPE(w->context);
      size_t n = 0;
      while (word[n] && word[n] != ' ') n++;
      sn_tensor *record = sn_strings_from_texts(w->context, SN_SCALAR, &(const sn_text){word, n});
      if (sn_queue_enqueue(w->context, w->words, &record, 1)) return NULL;
      word += word[n] ? n + 1 : n;
    }
  }
  (void)sn_queue_close(w->context, w->words, false);
  return NULL;
}

typedef struct state {
  sn_tensor_array *ids;
} state;
SN_COMPOSITE(state_type, state, SN_HANDLE(state, ids, sn_tensor_array_type));

// Takes a word, gives it the next number if it is a new one.
static sn_status number_word(sn_context *context, sn_tensor *i, const void *carry, void *next,
                             void *user) {
  const work *w = user;
  sn_tensor *word;
  if (sn_queue_dequeue(context, w->words, &word, 1)) return sn_pending_error(context);
  sn_tensor *number = sn_table_lookup(context, w->numbers, word,
                                      .default_value = sn_table_size(context, w->numbers));
  (void)sn_table_insert(context, w->numbers, word, number);
  ((state *)next)->ids = sn_tensor_array_write(((const state *)carry)->ids, i, number);
  return SN_OK;
}

static sn_status number_batch(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  const sn_shape scalar = SN_SCALAR;
  state s = {sn_tensor_array_create(context, SN_I64, batch, .element_shape = &scalar)};
  (void)in;
  (void)sn_fori_struct(context, 0, batch, number_word, user, SN_STRUCT(state_type, &s), &s);
  out[0] = sn_tensor_array_stack(s.ids);
  return SN_OK;
}

int main(void) {
  static const sn_spec word = {SN_STRING, {0, {0}}};
  sn_context *context;
  work w;
  pthread_t reader;
  if (sn_context_create(&context) || sn_context_create(&w.context, .share = context)) return 1;
  w.words = sn_keep(sn_queue_create(context, &word, 1, .capacity = 4, .name = "words"));
  w.numbers = sn_keep(sn_table_create(context, SN_STRING, sn_scalar_i64(context, -1)));
  if (pthread_create(&reader, NULL, read_words, &w)) return 1;
  sn_function *number = sn_function_create(context, number_batch, .outputs = 1, .user = &w);
  sn_status status = SN_OK;
  while (!status) {
    SN_SCOPE(context);
    char text[100];
    sn_tensor *ids;
    if ((status = sn_call(number, NULL, 0, &ids, 1))) break;
    sn_format(ids, text, sizeof(text));
    printf("%s\n", text);
  }
  (void)pthread_join(reader, NULL);
  printf("%s\n", sn_error_message(context));  // how it ended: no more words
  sn_function_destroy(number);
  sn_release(w.words);
  sn_release(w.numbers);
  sn_context_destroy(w.context);
  sn_context_destroy(context);
  return status != SN_ERR_END;
}
