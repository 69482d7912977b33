// Words are counted: tensors of strings, sorted and made unique by their bytes, in a function that is compiled once for any number of
// words, and a function of the host's that makes new strings.
#include <sinter/sinter.h>

#include <stdio.h>
#include <string.h>

// "word x 2" of a word and its count: called for whole tensors.
static sn_status label(const sn_host_args *args) {
  const int64_t *counts = args->in[1].data;
  for (int64_t i = 0; i < args->in[0].shape.dims[0]; i++) {
    const sn_text word = sn_view_string(&args->in[0], i);
    char text[80];
    const int n = snprintf(text, sizeof(text), "%.*s x %lld", (int)word.length, word.data,
                           (long long)counts[i]);
    if (sn_host_set_string(args, 0, i, (sn_text){text, (size_t)n})) return SN_ERR_MEMORY;
  }
  return SN_OK;
}

// The words that are not empty, each once, in order, with their counts. How many there are is known in the run.
static sn_status count_words(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)user;
  sn_tensor *given = sn_boolean_mask(in[0], sn_not_equal(in[0], sn_scalar_string(context, "")));
  sn_tensor *counts, *words = sn_unique(given, NULL, &counts);
  return sn_host_call(context, label, SN_ARGS(words, counts), out, 1, .name = "label",
                      .pure = true);
}

int main(void) {
  static const char *const texts[] = {"to", "be", "or", "", "not", "to", "be", "that", "is"};
  sn_context *context;
  if (sn_context_create(&context)) return 1;
  sn_function *count = sn_function_create(context, count_words, .inputs = 1, .outputs = 1);
  sn_status status = SN_OK;
  for (int n = 7; n <= 9 && !status; n += 2) {
    SN_SCOPE(context);
    char text[200];
    sn_tensor *labels, *words = sn_strings(context, SN_SHAPE(n), texts);
    sn_mark_dim(words, 0);
    status = sn_call(count, SN_ARGS(words), &labels, 1);
    if (status) break;
    sn_format(labels, text, sizeof(text));
    printf("%s\n", text);
  }
  if (status) fprintf(stderr, "%s\n", sn_error_message(context));
  sn_function_destroy(count);
  sn_context_destroy(context);
  return status != SN_OK;
}
