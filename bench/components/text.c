// Functions of 1 M short strings: the least time of an eager call and of a compiled one, in ms. text.py times TensorFlow on the same strings.
#include "components/timing.h"

#include <sinter/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { n = 1000000, most = 24 };

#define ROW(name, expression)                                                               \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) { \
    (void)user;                                                                             \
    out[0] = expression;                                                                    \
    return sn_pending_error(c);                                                             \
  }
ROW(length, sn_string_length(in[0], SN_TEXT_BYTES))
ROW(characters, sn_string_length(in[0], SN_TEXT_UTF8))
ROW(lower, sn_string_lower(in[0], SN_TEXT_BYTES))
ROW(hash, sn_string_to_hash_bucket_fast(in[0], 1000))
ROW(hash_strong, sn_string_to_hash_bucket_strong(in[0], 1000, 1, 2))
ROW(replace, sn_regex_replace(in[0], "[0-9]+", "#"))
ROW(integers, sn_string_to_number(in[1], SN_I64))
ROW(reals, sn_string_to_number(in[2], SN_F32))

static sn_status split(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_ragged *words = sn_string_split(in[0], .separator = " ");
  out[0] = sn_ragged_flat_values(words);
  out[1] = sn_ragged_row_splits(words, 0);
  return sn_pending_error(c);
}

// The strings that text.py makes: "Ab12 cd34 ef"; "123456"; "123.456".
static void write_row(int kind, int i, char *to) {
  const unsigned x = (unsigned)i * 2654435761u;
  if (kind == 0)
    (void)snprintf(to, most, "Ab%u cd%u ef", x % 100, x / 100 % 100);
  else if (kind == 1)
    (void)snprintf(to, most, "%u", x % 1000000);
  else
    (void)snprintf(to, most, "%u.%03u", x % 1000, x / 1000 % 1000);
}

static sn_tensor *drawn(sn_context *c, int kind) {
  char *bytes = malloc((size_t)n * most);
  sn_text *texts = malloc(n * sizeof(*texts));
  if (!bytes || !texts) exit(1);
  for (int i = 0; i < n; i++) {
    write_row(kind, i, bytes + (size_t)i * most);
    texts[i] = (sn_text){bytes + (size_t)i * most, strlen(bytes + (size_t)i * most)};
  }
  sn_tensor *t = sn_keep(sn_strings_from_texts(c, SN_SHAPE(n), texts));
  free(texts);
  free(bytes);
  return t;
}

// ---- what comes out: by plain loops; of hashes, TensorFlow's sums
static double count_of(const char *text) {
  return (double)strlen(text);
}
static double lowered(const char *text) {
  char to[most] = "";
  for (size_t k = 0; text[k]; k++)
    to[k] = (char)(text[k] >= 'A' && text[k] <= 'Z' ? text[k] + 32 : text[k]);
  return number_of(to, strlen(to));
}
static double replaced(const char *text) {
  char to[most] = "";
  size_t length = 0;
  for (bool inside = false; *text; text++) {
    const bool digit = *text >= '0' && *text <= '9';
    if (!digit || !inside) to[length++] = (char)(digit ? '#' : *text);
    inside = digit;
  }
  return number_of(to, length);
}
static double value_of(const char *text) {
  return strtod(text, NULL);
}

// The sum that one text's number makes, for the strings of a kind; weighted: as that of strings (timing.h).
static double sum_over(int kind, double (*one)(const char *), bool weighted) {
  char text[most];
  double sum = 0;
  for (int i = 0; i < n; i++) {
    write_row(kind, i, text);
    sum += one(text) * (weighted ? i % 64 + 1 : 1);
  }
  return sum;
}

static double sum_of_pieces(void) {
  char text[most];
  double sum = 0;
  int64_t place = 0;
  for (int i = 0; i < n; i++) {
    write_row(0, i, text);
    for (const char *at = text, *end = at; *end; at = end + 1) {
      for (end = at; *end && *end != ' ';) end++;
      sum += (double)(place++ % 64 + 1) * number_of(at, (size_t)(end - at));
    }
  }
  return sum;
}

int main(void) {
  const double characters_there = sum_over(0, count_of, false);
  const struct {
    const char *name;
    sn_callback run;
    int n_out;
    double expected;
  } rows[] = {{"length", length, 1, characters_there},
              {"characters", characters, 1, characters_there},
              {"lower", lower, 1, sum_over(0, lowered, true)},
              {"split", split, 2, sum_of_pieces()},
              {"hash_fast", hash, 1, 497094311},
              {"hash_strong", hash_strong, 1, 503652126},
              {"regex_replace", replace, 1, sum_over(0, replaced, true)},
              {"to_number_i64", integers, 1, sum_over(1, value_of, false)},
              {"to_number_f32", reals, 1, sum_over(2, value_of, false)}};
  sn_context *c;
  if (sn_context_create(&c, .threads = 1)) return 1;
  sn_tensor *in[] = {drawn(c, 0), drawn(c, 1), drawn(c, 2)};
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    time_both(c, rows[i].name, rows[i].run, in, 3, rows[i].n_out, rows[i].expected);
  for (int i = 0; i < 3; i++) sn_release(in[i]);
  sn_context_destroy(c);
  return 0;
}
