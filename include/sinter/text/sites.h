// Call sites: a macro of each function's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_TEXT_SITES_H
#define SINTER_TEXT_SITES_H

#include <sinter/text.h>

// clang-format off
#define sn_string_to_number(t, dtype) SNI_AT(sn_string_to_number(t, dtype))
#define sn_decode_raw(t, dtype, big_endian) SNI_AT(sn_decode_raw(t, dtype, big_endian))
#define sn_string_to_hash_bucket(t, buckets) SNI_AT(sn_string_to_hash_bucket(t, buckets))
#define sn_string_to_hash_bucket_fast(t, buckets) SNI_AT(sn_string_to_hash_bucket_fast(t, buckets))
#define sn_string_to_hash_bucket_strong(t, buckets, key0, key1) SNI_AT(sn_string_to_hash_bucket_strong(t, buckets, key0, key1))
#define sn_string_fingerprint(t) SNI_AT(sn_string_fingerprint(t))
#define sn_regex_full_match(...) SNI_AT(sn_regex_full_match(__VA_ARGS__))
#define sn_regex_search(...) SNI_AT(sn_regex_search(__VA_ARGS__))
#define sn_regex_extract(...) SNI_AT(sn_regex_extract(__VA_ARGS__))
#define sn_regex_extract_all(...) SNI_OBJECT_AT(sn_ragged, sn_regex_extract_all(__VA_ARGS__))
#define sn_regex_split(...) SNI_OBJECT_AT(sn_ragged, sn_regex_split(__VA_ARGS__))
#define sn_string_length(t, unit) SNI_AT(sn_string_length(t, unit))
#define sn_substr(t, from, length, unit) SNI_AT(sn_substr(t, from, length, unit))
#define sn_string_strip(t) SNI_AT(sn_string_strip(t))
#define sn_string_lower(t, unit) SNI_AT(sn_string_lower(t, unit))
#define sn_string_upper(t, unit) SNI_AT(sn_string_upper(t, unit))
#define sn_string_contains(t, part) SNI_AT(sn_string_contains(t, part))
#define sn_string_starts_with(t, part) SNI_AT(sn_string_starts_with(t, part))
#define sn_string_ends_with(t, part) SNI_AT(sn_string_ends_with(t, part))
#define sn_string_bytes_split(t) SNI_OBJECT_AT(sn_ragged, sn_string_bytes_split(t))
#define sn_string_join(...) SNI_AT(sn_string_join(__VA_ARGS__))
#define sn_string_segment_join(...) SNI_AT(sn_string_segment_join(__VA_ARGS__))
#define sn_ragged_cross(...) SNI_OBJECT_AT(sn_ragged, sn_ragged_cross(__VA_ARGS__))
#define sn_encode_base64(t, pad) SNI_AT(sn_encode_base64(t, pad))
#define sn_decode_base64(t) SNI_AT(sn_decode_base64(t))
#define sn_unicode_script(codes) SNI_AT(sn_unicode_script(codes))
#define sn_normalize_utf8(t, form) SNI_AT(sn_normalize_utf8(t, form))
#ifdef __cplusplus
static inline sn_tensor *sn_as_string(sn_tensor *x, sn_as_string_options options = sn_as_string_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_as_string_opts(x, &options), file, line);
}
static inline sn_tensor *sn_string_format(sn_context *context, const char *text, sn_tensor *const *xs, int n, sn_string_format_options options = sn_string_format_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_string_format_opts(context, text, xs, n, &options), file, line);
}
static inline sn_tensor *sn_regex_replace(sn_tensor *t, const char *pattern, const char *rewrite, sn_regex_replace_options options = sn_regex_replace_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_regex_replace_opts(t, pattern, rewrite, &options), file, line);
}
static inline sn_ragged *sn_string_split(sn_tensor *t, sn_string_split_options options = sn_string_split_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_string_split_opts(t, &options), file, line));
}
static inline sn_ragged *sn_string_ngrams(sn_ragged *r, const int *widths, int n_widths, sn_string_ngrams_options options = sn_string_ngrams_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_string_ngrams_opts(r, widths, n_widths, &options), file, line));
}
static inline sn_tensor *sn_string_reduce_join(sn_tensor *t, sn_string_reduce_join_options options = sn_string_reduce_join_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_string_reduce_join_opts(t, &options), file, line);
}
static inline sn_ragged *sn_ragged_cross_hashed(sn_ragged *const *rs, int n, sn_ragged_cross_hashed_options options = sn_ragged_cross_hashed_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_ragged_cross_hashed_opts(rs, n, &options), file, line));
}
static inline sn_ragged *sn_unicode_decode(sn_tensor *t, sn_encoding encoding, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_unicode_decode_opts(t, encoding, &options), file, line));
}
static inline sn_ragged *sn_unicode_decode_with_offsets(sn_tensor *t, sn_encoding encoding, sn_ragged **out_offsets, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_unicode_decode_with_offsets_opts(t, encoding, out_offsets, &options), file, line));
}
static inline sn_ragged *sn_unicode_split(sn_tensor *t, sn_encoding encoding, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_unicode_split_opts(t, encoding, &options), file, line));
}
static inline sn_ragged *sn_unicode_split_with_offsets(sn_tensor *t, sn_encoding encoding, sn_ragged **out_offsets, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return static_cast<sn_ragged *>(sn_object_locate(sn_unicode_split_with_offsets_opts(t, encoding, out_offsets, &options), file, line));
}
static inline sn_tensor *sn_unicode_encode(sn_tensor *codes, sn_encoding encoding, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_unicode_encode_opts(codes, encoding, &options), file, line);
}
static inline sn_tensor *sn_unicode_encode_rows(sn_ragged *codes, sn_encoding encoding, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_unicode_encode_rows_opts(codes, encoding, &options), file, line);
}
static inline sn_tensor *sn_unicode_transcode(sn_tensor *t, sn_encoding from, sn_encoding to, sn_unicode_options options = sn_unicode_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_unicode_transcode_opts(t, from, to, &options), file, line);
}
#else
#define SNI_OBJECT_OPTIONS1(function, kind, type, a, ...) \
  SNI_OBJECT_AT(kind, function(a, &(type){__VA_ARGS__}))
#define SNI_OPTIONS1(function, type, a, ...) SNI_AT(function(a, &(type){__VA_ARGS__}))
#define SNI_OBJECT_OPTIONS2(function, kind, type, a, b, ...) \
  SNI_OBJECT_AT(kind, function(a, b, &(type){__VA_ARGS__}))
#define SNI_OPTIONS2(function, type, a, b, ...) SNI_AT(function(a, b, &(type){__VA_ARGS__}))
#define SNI_OBJECT_OPTIONS3(function, kind, type, a, b, c, ...) \
  SNI_OBJECT_AT(kind, function(a, b, c, &(type){__VA_ARGS__}))
#define SNI_OPTIONS3(function, type, a, b, c, ...) SNI_AT(function(a, b, c, &(type){__VA_ARGS__}))
#define SNI_OPTIONS4(function, type, a, b, c, d, ...) SNI_AT(function(a, b, c, d, &(type){__VA_ARGS__}))
#define sn_as_string(...) SNI_OPTIONS1(sn_as_string_opts, sn_as_string_options, __VA_ARGS__, .size = sizeof(sn_as_string_options))
#define sn_string_format(...) SNI_OPTIONS4(sn_string_format_opts, sn_string_format_options, __VA_ARGS__, .size = sizeof(sn_string_format_options))
#define sn_regex_replace(...) SNI_OPTIONS3(sn_regex_replace_opts, sn_regex_replace_options, __VA_ARGS__, .size = sizeof(sn_regex_replace_options))
#define sn_string_split(...) SNI_OBJECT_OPTIONS1(sn_string_split_opts, sn_ragged, sn_string_split_options, __VA_ARGS__, .size = sizeof(sn_string_split_options))
#define sn_string_ngrams(...) SNI_OBJECT_OPTIONS3(sn_string_ngrams_opts, sn_ragged, sn_string_ngrams_options, __VA_ARGS__, .size = sizeof(sn_string_ngrams_options))
#define sn_string_reduce_join(...) SNI_OPTIONS1(sn_string_reduce_join_opts, sn_string_reduce_join_options, __VA_ARGS__, .size = sizeof(sn_string_reduce_join_options))
#define sn_ragged_cross_hashed(...) SNI_OBJECT_OPTIONS2(sn_ragged_cross_hashed_opts, sn_ragged, sn_ragged_cross_hashed_options, __VA_ARGS__, .size = sizeof(sn_ragged_cross_hashed_options))
#define sn_unicode_decode(...) SNI_OBJECT_OPTIONS2(sn_unicode_decode_opts, sn_ragged, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#define sn_unicode_decode_with_offsets(...) SNI_OBJECT_OPTIONS3(sn_unicode_decode_with_offsets_opts, sn_ragged, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#define sn_unicode_split(...) SNI_OBJECT_OPTIONS2(sn_unicode_split_opts, sn_ragged, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#define sn_unicode_split_with_offsets(...) SNI_OBJECT_OPTIONS3(sn_unicode_split_with_offsets_opts, sn_ragged, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#define sn_unicode_encode(...) SNI_OPTIONS2(sn_unicode_encode_opts, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#define sn_unicode_encode_rows(...) SNI_OPTIONS2(sn_unicode_encode_rows_opts, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#define sn_unicode_transcode(...) SNI_OPTIONS3(sn_unicode_transcode_opts, sn_unicode_options, __VA_ARGS__, .size = sizeof(sn_unicode_options))
#endif
// clang-format on
#endif
