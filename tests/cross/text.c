// What is called for the cases of string functions (tf_text.py).
#include "cross/cases.h"

#include <sinter/text.h>

#include <string.h>

static void put(cross_value *results, const sn_ragged *r) {
  if (sn_failed(r)) return;
  results[0] = sn_ragged_rank(r) ? cross_of_ragged(r) : cross_of_tensor(sn_ragged_dense(r));
}

static sn_text_unit unit(const cross_case *c) {
  return strcmp(cross_text(c, "unit", "BYTE"), "BYTE") ? SN_TEXT_UTF8 : SN_TEXT_BYTES;
}

static sn_encoding encoding(const cross_case *c, const char *name) {
  const char *text = cross_text(c, name, "UTF-8");
  return strcmp(text, "UTF-8") == 0       ? SN_UTF8
         : strcmp(text, "UTF-16-BE") == 0 ? SN_UTF16_BE
                                          : SN_UTF32_BE;
}

static sn_unicode_options policy(const cross_case *c) {
  const char *errors = cross_text(c, "errors", "replace");
  const sn_text_errors kind = !strcmp(errors, "strict")   ? SN_TEXT_STRICT
                              : !strcmp(errors, "ignore") ? SN_TEXT_IGNORE
                                                          : SN_TEXT_REPLACE;
  return (sn_unicode_options){sizeof(sn_unicode_options), kind,
                              (int32_t)cross_int(c, "replacement", 0),
                              cross_int(c, "control", 0) != 0};
}

static sn_dtype dtype(const cross_case *c) {
  const char *name = cross_text(c, "dtype", "f32");
  for (int d = 0; d < SN_DTYPE_COUNT; d++)
    if (!strcmp(sn_dtype_name((sn_dtype)d), name)) return (sn_dtype)d;
  return SN_F32;
}

#define T(i) cross_tensor(c, i)
#define INT(name, otherwise) cross_int(c, name, otherwise)
#define TEXT(name) cross_text(c, name, NULL)
#define TENSOR(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    results[0] = cross_of_tensor(expression);                   \
  }
#define RAGGED(name, expression)                                \
  static void name(const cross_case *c, cross_value *results) { \
    put(results, expression);                                   \
  }
TENSOR(string_length, sn_string_length(T(0), unit(c)))
TENSOR(substr, sn_substr(T(0), T(1), T(2), unit(c)))
TENSOR(strip, sn_string_strip(T(0)))
TENSOR(lower, sn_string_lower(T(0), unit(c)))
TENSOR(upper, sn_string_upper(T(0), unit(c)))
RAGGED(split, sn_string_split(T(0), .separator = TEXT("separator"), .most = INT("most", -1)))
RAGGED(bytes_split, sn_string_bytes_split(T(0)))
TENSOR(segment_join, sn_string_segment_join(T(0), T(1), INT("segments", 1), TEXT("separator")))
TENSOR(encode_base64, sn_encode_base64(T(0), INT("pad", 0) != 0))
TENSOR(decode_base64, sn_decode_base64(T(0)))
TENSOR(to_number, sn_string_to_number(T(0), dtype(c)))
TENSOR(decode_raw, sn_decode_raw(T(0), dtype(c), INT("big", 0) != 0))
TENSOR(hash_bucket, sn_string_to_hash_bucket(T(0), INT("buckets", 1)))
TENSOR(hash_bucket_fast, sn_string_to_hash_bucket_fast(T(0), INT("buckets", 1)))
TENSOR(hash_bucket_strong,
       sn_string_to_hash_bucket_strong(T(0), INT("buckets", 1), (uint64_t)INT("key0", 0),
                                       (uint64_t)INT("key1", 0)))
TENSOR(fingerprint, sn_string_fingerprint(T(0)))
TENSOR(script, sn_unicode_script(T(0)))
TENSOR(as_string, sn_as_string(T(0), .precision = (int)INT("precision", 0),
                               .scientific = INT("e", 0) != 0, .shortest = INT("g", 0) != 0,
                               .width = (int)INT("width", 0), .fill = *cross_text(c, "fill", "")))

TENSOR(regex_full_match, sn_regex_full_match(T(0), TEXT("pattern")))
TENSOR(regex_replace,
       sn_regex_replace(T(0), TEXT("pattern"), TEXT("rewrite"), .only_first = INT("first", 0) != 0))

static sn_ragged *any(const cross_case *c, int i) {
  return c->in[i].kind == 'r' ? cross_ragged(c, i) : sn_ragged_from_dense(T(i));
}

static void cross(const cross_case *c, cross_value *results) {
  sn_ragged *rs[CROSS_TENSORS];
  const int n = (int)INT("n", 1);
  for (int i = 0; i < n; i++) rs[i] = any(c, i);
  const uint64_t key = (uint64_t)INT("key", 0);
  put(results, INT("hashed", 0) ? sn_ragged_cross_hashed(rs, n, .buckets = INT("buckets", 0),
                                                         .key = key ? &key : NULL)
                                : sn_ragged_cross(rs, n));
}

static void join(const cross_case *c, cross_value *results) {
  sn_tensor *ts[CROSS_VALUES];
  for (int i = 0; i < c->n_in; i++) ts[i] = T(i);
  results[0] = cross_of_tensor(sn_string_join(ts, c->n_in, TEXT("separator")));
}

static void reduce_join(const cross_case *c, cross_value *results) {
  sn_axes axes = {0};
  for (char name[] = "axis0"; axes.count < (int)INT("n", 0); name[4]++)
    axes.axis[axes.count++] = (int)cross_int(c, name, 0);
  results[0] = cross_of_tensor(sn_string_reduce_join(
      T(0), .axes = axes, .separator = TEXT("separator"), .keepdims = INT("keepdims", 0) != 0));
}

static void ngrams(const cross_case *c, cross_value *results) {
  int widths[8], n = 0;
  for (char name[] = "width0"; cross_int(c, name, 0); name[5]++)
    widths[n++] = (int)cross_int(c, name, 0);
  put(results, sn_string_ngrams(cross_ragged(c, 0), widths, n, .separator = TEXT("separator"),
                                .left = TEXT("left"), .right = TEXT("right"),
                                .padding = INT("padding", 0), .keep_short = INT("short", 0) != 0));
}

static void decode(const cross_case *c, cross_value *results) {
  const sn_unicode_options options = policy(c);
  sn_ragged *offsets = NULL;
  put(results, sn_unicode_decode_with_offsets_opts(T(0), encoding(c, "from"), &offsets, &options));
  put(results + 1, offsets);
}

static void unicode_split(const cross_case *c, cross_value *results) {
  const sn_unicode_options options = policy(c);
  put(results, sn_unicode_split_opts(T(0), encoding(c, "from"), &options));
}

static void encode_policy(const cross_case *c, cross_value *results) {
  const sn_unicode_options options = policy(c);
  sn_tensor *strings =
      c->in[0].kind == 'r'
          ? sn_unicode_encode_rows_opts(cross_ragged(c, 0), encoding(c, "to"), &options)
          : sn_unicode_encode_opts(T(0), encoding(c, "to"), &options);
  results[0] = cross_of_tensor(strings);
}

static void transcode(const cross_case *c, cross_value *results) {
  const sn_unicode_options options = policy(c);
  results[0] = cross_of_tensor(
      sn_unicode_transcode_opts(T(0), encoding(c, "from"), encoding(c, "to"), &options));
}

static void format(const cross_case *c, cross_value *results) {
  sn_tensor *ts[CROSS_VALUES];
  for (int i = 0; i < c->n_in; i++) ts[i] = T(i);
  results[0] = cross_of_tensor(sn_string_format(c->context, TEXT("text"), ts, c->n_in,
                                                .placeholder = TEXT("placeholder"),
                                                .summarize = (int)INT("summarize", 3)));
}

const cross_op cross_ops[] = {
    {"string_length", string_length, false},
    {"substr", substr, false},
    {"strip", strip, false},
    {"lower", lower, false},
    {"upper", upper, false},
    {"split", split, false},
    {"bytes_split", bytes_split, false},
    {"join", join, false},
    {"cross", cross, false},
    {"reduce_join", reduce_join, false},
    {"segment_join", segment_join, false},
    {"encode_base64", encode_base64, false},
    {"decode_base64", decode_base64, false},
    {"to_number", to_number, false},
    {"as_string", as_string, false},
    {"decode_raw", decode_raw, false},
    {"format", format, false},
    {"hash_bucket", hash_bucket, false},
    {"hash_bucket_fast", hash_bucket_fast, false},
    {"hash_bucket_strong", hash_bucket_strong, false},
    {"fingerprint", fingerprint, false},
    {"ngrams", ngrams, false},
    {"decode", decode, false},
    {"encode", encode_policy, false},
    {"transcode", transcode, false},
    {"unicode_split", unicode_split, false},
    {"script", script, false},
    {"regex_full_match", regex_full_match, false},
    {"regex_replace", regex_replace, false},
    {NULL, NULL, false},
};
