// Lines of a log, in one compiled function: fields by regular expressions, words in rows, ids by hash; one trace for all numbers of lines.
#include <sinter/text.h>

#include <stdio.h>

// in: lines. out: the status of each, seconds taken in all, the number of words of each path, ids of all words.
static sn_status parse(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  static const char pattern[] = "^(GET|POST) (\\S*) (\\d{3}) (\\d+\\.\\d+)$";
  sn_tensor *const lines = sn_boolean_mask(in[0], sn_regex_full_match(in[0], pattern));
  out[0] = sn_string_to_number(sn_regex_extract(lines, pattern, "\\3"), SN_I32);
  out[1] = sn_sum(sn_string_to_number(sn_regex_extract(lines, pattern, "\\4"), SN_F32));
  sn_tensor *const paths = sn_string_lower(sn_regex_extract(lines, pattern, "\\2"), SN_TEXT_UTF8);
  sn_ragged *const words = sn_regex_extract_all(paths, "\\pL+", "\\0");
  out[2] = sn_ragged_row_lengths(words, 0);
  out[3] = sn_string_to_hash_bucket_fast(sn_ragged_flat_values(words), 1000);
  return sn_pending_error(c);
}

static int show(sn_context *c, sn_function *f, const char *const *lines, int n) {
  static const char *const names[] = {"status", "seconds", "words", "ids"};
  SN_SCOPE(c);
  sn_tensor *in = sn_strings(c, SN_SHAPE(n), lines), *out[4];
  if (sn_call(f, &in, 1, out, 4)) return 1;
  for (int i = 0; i < 4; i++) {
    char text[200];
    (void)sn_format(out[i], text, sizeof(text));
    printf("%-8s %s\n", names[i], text);
  }
  return 0;
}

int main(void) {
  static const char *const log[] = {"GET /Über/uns 200 0.25", "nonsense",
                                    "POST /user/new/item 404 1.5", "GET / 200 0.125"};
  sn_context *c;
  if (sn_context_create(&c)) return 1;
  sn_function *f = sn_function_create(c, parse, .inputs = 1, .outputs = 4);
  int failed = show(c, f, log, 4);
  if (!failed) failed = show(c, f, log + 2, 2);
  if (failed) fprintf(stderr, "%s\n", sn_error_message(c));
  sn_function_destroy(f);
  sn_context_destroy(c);
  return failed;
}
