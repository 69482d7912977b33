// Sentences of different lengths: the mean of their words' vectors, trained by one step, in a function that is compiled once for all batches.
#include <sinter/structures.h>

#include <stdio.h>

typedef struct batch {
  sn_ragged *words;  // numbers of words, a row for each sentence
} batch;
typedef struct result {
  sn_tensor *loss, *gradient;
} result;
SN_COMPOSITE(batch_type, batch, SN_HANDLE(batch, words, sn_ragged_type));
SN_COMPOSITE(result_type, result, SN_FIELD(result, loss), SN_FIELD(result, gradient));

static sn_tensor *vectors(sn_tensor *words, void *table) {
  return sn_embedding_lookup(table, words);
}

// The loss is the squared length of the sentences' means; a sentence without words has none.
static sn_status step(sn_context *context, const void *in, void *out, void *table) {
  sn_ragged *words = ((const batch *)in)->words;
  sn_ragged *sums = sn_ragged_sum(sn_ragged_map_with(vectors, words, table), 1);
  sn_tensor *counts = sn_maximum(sn_ragged_row_lengths(words, 0), 1);
  sn_tensor *means = sn_div(sn_ragged_dense(sums), sn_expand_dims(sn_cast(counts, SN_F32), 1));
  result *r = out;
  sn_tensor *of = table;
  r->loss = sn_sum(sn_square(means));
  sn_gradients(r->loss, &of, 1, &r->gradient);
  return sn_pending_error(context);
}

int main(void) {
  static const float numbers[] = {1, 0, 0, 2, 3, 3};  // a vector of two for each of three words
  static const int32_t words[] = {0, 1, 2, 2, 0, 1};
  static const int64_t lengths[][3] = {{2, 0, 3}, {1, 1, 4}};
  sn_context *context;
  if (sn_context_create(&context)) return 1;
  sn_tensor *table = sn_variable(sn_constant(context, SN_F32, SN_SHAPE(3, 2), numbers));
  sn_function *f = sn_struct_function(context, step, &batch_type, &result_type, .user = table);
  for (int i = 0; i < 2; i++) {
    SN_SCOPE(context);
    char text[200];
    batch in = {sn_ragged_constant(context, SN_I32, words, lengths[i], 3)};
    result out;
    double loss;
    if (sn_call_struct(f, SN_STRUCT(batch_type, &in), SN_STRUCT(result_type, &out)) ||
        sn_item(out.loss, &loss)) {
      fprintf(stderr, "%s\n", sn_error_message(context));
      return 1;
    }
    sn_ragged_format(in.words, text, sizeof(text));
    printf("%s: loss %.4f\n", text, loss);
    sn_format(out.gradient, text, sizeof(text));
    printf("%s\n", text);
  }
  sn_function_destroy(f);
  sn_release(table);
  sn_context_destroy(context);
  return 0;
}
