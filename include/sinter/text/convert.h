// Strings and numbers: read, written, hashed. Results, errors: as in text.h.
#ifndef SINTER_TEXT_CONVERT_H
#define SINTER_TEXT_CONVERT_H

#include <sinter/structures.h>

SNI_EXTERN_C_BEGIN

// The number that each string is, nearest to it; dtype: f32, f64, i32, i64. White space around it, signs, for real ones also hexadecimal, inf and nan; too large
// ones are inf. The C locale's, whatever the host's is. Errors: SN_ERR_ARGUMENT, naming the element and its text: no number, an integer that does not fit;
// SN_ERR_DTYPE (dtype). Source: tf.strings.to_number.
SN_API sn_tensor *sn_string_to_number(sn_tensor *t, sn_dtype dtype);

typedef struct sn_as_string_options {
  size_t size;    // sizeof(sn_as_string_options); filled in by the macros
  int precision;  // digits of real numbers behind the point (significant ones where shortest); 0: 6; -1: none. At most 64
  bool scientific, shortest;  // of real numbers, one of them: %e; %g. Neither: %f
  int width;                  // at least, in bytes, but of bool; at most 1024
  char
      fill;  // in front: 0 blanks, '0' zeros; '+': a sign always; ' ': a blank for +; '-': blanks behind
} sn_as_string_options;
// Each number as a string; bool: "true", "false"; complex: "(re,im)"; strings stay. Errors: SN_ERR_ARGUMENT (precision, scientific or shortest of numbers
// that are not real, both of them, width, fill). Source: tf.strings.as_string, whose shortest is %g too: of six digits, not the shortest that reads back.
SN_API sn_tensor *sn_as_string_opts(sn_tensor *x, const sn_as_string_options *options);

typedef struct sn_string_format_options {
  size_t size;              // sizeof(sn_string_format_options); filled in by the macros
  const char *placeholder;  // NULL: "{}"
  int summarize;            // elements at both ends of a dim; 0: 3; negative: all
} sn_string_format_options;
// text with xs[i] in the place of its i-th placeholder, as sn_print would put it: [[1 2]\n [3 4]]. A scalar string. Errors: SN_ERR_ARGUMENT (another number
// of placeholders than n; n > 24). Source: tf.strings.format.
SN_API sn_tensor *sn_string_format_opts(sn_context *context, const char *text, sn_tensor *const *xs,
                                        int n, const sn_string_format_options *options);

// The bytes of strings of one length as numbers along a new last axis: little-endian, or big. dtype: numbers. Errors: SN_ERR_ARGUMENT, naming the element: another
// length than the first, no multiple of dtype's size. Source: tf.io.decode_raw.
SN_API sn_tensor *sn_decode_raw(sn_tensor *t, sn_dtype dtype, bool big_endian);

// ---- hashes, the same on all machines, in all versions; i64 in [0, buckets) but the fingerprint. Errors: SN_ERR_ARGUMENT (buckets < 1)
// Source: tf.strings.to_hash_bucket (its MurmurHash64A), to_hash_bucket_fast (FarmHash's Fingerprint64), to_hash_bucket_strong (SipHash-2-4 of the key: no one who
// does not know the key can find strings of one bucket).
SN_API sn_tensor *sn_string_to_hash_bucket(sn_tensor *t, int64_t buckets);
SN_API sn_tensor *sn_string_to_hash_bucket_fast(sn_tensor *t, int64_t buckets);
SN_API sn_tensor *sn_string_to_hash_bucket_strong(sn_tensor *t, int64_t buckets, uint64_t key0,
                                                  uint64_t key1);
// FarmHash's Fingerprint64: u64.
SN_API sn_tensor *sn_string_fingerprint(sn_tensor *t);

SNI_EXTERN_C_END
#endif
