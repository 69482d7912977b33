// A linear model of texts: how often each word is in each text is a sparse matrix, whose product with the weights of words is a score; one compiled step serves texts of any number of
// words. Then sets of words.
#include <sinter/structures.h>

#include <stdio.h>

enum { texts = 4, words = 6, steps = 200 };

typedef struct batch {
  sn_sparse *rows;  // [texts, words]
  sn_tensor *wanted;
} batch;
SN_COMPOSITE(batch_type, batch, SN_HANDLE(batch, rows, sn_sparse_type), SN_FIELD(batch, wanted));
typedef struct result {
  sn_tensor *loss;
} result;
SN_COMPOSITE(result_type, result, SN_FIELD(result, loss));

// One step of gradient descent; weights are a variable. Compiled once for any number of words.
static sn_status step(sn_context *context, const void *in, void *out, void *user) {
  const batch *b = in;
  sn_tensor *weights = user, *slope;
  sn_tensor *scores = sn_sparse_matmul(b->rows, weights);
  sn_tensor *loss = sn_mean(sn_square(sn_sub(scores, b->wanted)));
  sn_gradients(loss, &weights, 1, &slope);
  (void)sn_assign_add(weights, sn_mul(slope, -0.5));
  ((result *)out)->loss = loss;
  return sn_pending_error(context);
}

static void print_sparse(const char *name, const sn_sparse *s) {
  char text[300];
  (void)sn_sparse_format(s, text, sizeof(text));
  printf("%s: %s\n", name, text);
}

int main(void) {
  sn_context *context;
  if (sn_context_create(&context)) return 1;
  // how often each word is in each text
  const int64_t at[][2] = {{0, 0}, {0, 2}, {1, 1}, {1, 2}, {1, 5}, {2, 3}, {3, 0}, {3, 4}};
  const float counts[] = {1, 1, 2, 1, 1, 1, 1, 1}, wanted[] = {1, 0, 1, -1};
  sn_tensor *weights = sn_variable(sn_zeros(context, SN_F32, SN_SHAPE(words)), .name = "weights");
  sn_function *learn =
      sn_struct_function(context, step, &batch_type, &result_type, .user = weights);
  sn_status status = SN_OK;
  double loss = 0;
  for (int i = 0; i < steps && !status; i++) {
    SN_SCOPE(context);
    batch b = {sn_sparse_constant(context, SN_F32, SN_SHAPE(texts, words), at[0], counts, 8),
               sn_constant(context, SN_F32, SN_SHAPE(texts), wanted)};
    result r = {NULL};
    status = sn_call_struct(learn, SN_STRUCT(batch_type, &b), SN_STRUCT(result_type, &r));
    if (!status) status = sn_item(r.loss, &loss);
  }
  printf("after %d steps: loss %.4f\n", steps, loss);
  {
    SN_SCOPE(context);
    const char *const first[] = {"be", "or", "to", "to"}, *const second[] = {"to", "the", "be", ""};
    sn_tensor *a = sn_strings(context, SN_SHAPE(2, 2), first),
              *b = sn_strings(context, SN_SHAPE(2, 2), second);
    print_sparse("union",
                 sn_set_union(SN_SET(a), SN_SET(b), .padding = sn_scalar_string(context, "")));
    if (!status) status = sn_check(context);
  }
  if (status) fprintf(stderr, "%s\n", sn_error_message(context));
  sn_function_destroy(learn);
  sn_release(weights);
  sn_context_destroy(context);
  return status != SN_OK;
}
