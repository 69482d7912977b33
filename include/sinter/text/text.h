// Functions of strings, element by element: their bytes and characters, pieces, joins. Strings are bytes (string.h), 0 is a byte as the
// others; where characters are meant, they are UTF-8. Results are of the scope's; in eager mode, in functions and in loops alike.
//
// Errors of all functions: SN_ERR_DTYPE (no strings), SN_ERR_ARGUMENT (NULL, an enum that is none), SN_ERR_MEMORY. No gradients. Those that need a size that
// elements say compute it first, so results have late sizes in traces (sn_late_dim).
#ifndef SINTER_TEXT_TEXT_H
#define SINTER_TEXT_TEXT_H

#include <sinter/structures.h>

SNI_EXTERN_C_BEGIN

typedef enum sn_text_unit { SN_TEXT_BYTES, SN_TEXT_UTF8 } sn_text_unit;

// ---- lengths and pieces
// The length of each string: i32, t's shape. UTF-8: characters, counted by the bytes that begin one, in invalid text too. Source: tf.strings.length.
SN_API sn_tensor *sn_string_length(sn_tensor *t, sn_text_unit unit);
// `length` units from position `from` on, from the end where it is negative; less where the string ends, all of the rest where length is negative. from, length: i32 or i64; all three broadcast. Errors: SN_ERR_INDEX, naming the element: from is beyond the string's end. Source:
// tf.strings.substr.
SN_API sn_tensor *sn_substr(sn_tensor *t, sn_tensor *from, sn_tensor *length, sn_text_unit unit);
// Without ASCII white space at both ends. Source: tf.strings.strip.
SN_API sn_tensor *sn_string_strip(sn_tensor *t);
// Bytes: the ASCII letters. UTF-8: Unicode's full mapping (an upper sharp s is SS, a sigma at a word's end is final); invalid bytes become U+FFFD. Source:
// tf.strings.lower, upper.
SN_API sn_tensor *sn_string_lower(sn_tensor *t, sn_text_unit unit);
SN_API sn_tensor *sn_string_upper(sn_tensor *t, sn_text_unit unit);
// bool: whether t has part in it, at its beginning, at its end, byte by byte. t and part broadcast.
SN_API sn_tensor *sn_string_contains(sn_tensor *t, sn_tensor *part);
SN_API sn_tensor *sn_string_starts_with(sn_tensor *t, sn_tensor *part);
SN_API sn_tensor *sn_string_ends_with(sn_tensor *t, sn_tensor *part);

// ---- apart: rows of pieces, t's rows (of t [m]: ragged [m, (pieces)]; of a scalar a plain vector, of no level)
typedef struct sn_string_split_options {
  size_t size;            // sizeof(sn_string_split_options); filled in by the macros
  const char *separator;  // NULL or "": runs of ASCII white space, none at the ends
  // Splits, from the left on; what is behind is the last piece, but no blanks alone. 0 (and below): all.
  int64_t most;
} sn_string_split_options;
// Source: tf.strings.split.
SN_API sn_ragged *sn_string_split_opts(sn_tensor *t, const sn_string_split_options *options);
// One byte each. Source: tf.strings.bytes_split.
SN_API sn_ragged *sn_string_bytes_split(sn_tensor *t);
typedef struct sn_string_ngrams_options {
  size_t size;               // sizeof(sn_string_ngrams_options); filled in by the macros
  const char *separator;     // NULL: " "
  const char *left, *right;  // padding of each row; NULL both: none
  int64_t padding;           // how many at each end, at most width - 1; 0: width - 1
  bool keep_short;           // rows too short for any n-gram are one n-gram of all their strings
} sn_string_ngrams_options;
// The n-grams of each row of strings: of widths[0], then of widths[1], ..: each >= 1. r: one ragged level, flat values a vector. Source: tf.strings.ngrams.
SN_API sn_ragged *sn_string_ngrams_opts(sn_ragged *r, const int *widths, int n_widths,
                                        const sn_string_ngrams_options *options);

// ---- together
// ts[0 .. n) one behind the other, separator between (NULL: ""); n >= 1; they broadcast. Source: tf.strings.join.
SN_API sn_tensor *sn_string_join(sn_tensor *const *ts, int n, const char *separator);
typedef struct sn_string_reduce_join_options {
  size_t size;            // sizeof(sn_string_reduce_join_options); filled in by the macros
  const char *separator;  // NULL: ""
  sn_axes axes;           // none: all, the last one first
  bool keepdims;
} sn_string_reduce_join_options;
// The strings along axes as one: the first axis named is joined first. Errors: SN_ERR_SHAPE (axis out of range or repeated). Source: tf.strings.reduce_join.
SN_API sn_tensor *sn_string_reduce_join_opts(sn_tensor *t,
                                             const sn_string_reduce_join_options *options);
// y[s] joins the t[i, ..] with ids[i] = s in [0, segments). ids: i32 or i64, of the shape of t's first dims. y: [segments, t's other dims]. Errors: SN_ERR_INDEX, naming
// the element of ids; SN_ERR_SHAPE. Source: tf.strings.unsorted_segment_join.
SN_API sn_tensor *sn_string_segment_join(sn_tensor *t, sn_tensor *ids, int64_t segments,
                                         const char *separator);

// ---- crossed
// All combinations of the elements that the rows of rs[0 .. n) have, row by row, "_X_" between, the last one's changing first. rs: rows of strings, i32 or i64, of one
// ragged level or plain [rows, elements]; 1 to 12 of them. Errors: SN_ERR_SHAPE (other dims; other rows). Source: tf.ragged.cross.
SN_API sn_ragged *sn_ragged_cross(sn_ragged *const *rs, int n);
typedef struct sn_ragged_cross_hashed_options {
  size_t size;          // sizeof(sn_ragged_cross_hashed_options); filled in by the macros
  int64_t buckets;      // the result is below; 0: as many as there are i64 from 0 on, but one
  const uint64_t *key;  // NULL: TensorFlow's
} sn_ragged_cross_hashed_options;
// The same as hashes, i64. Source: tf.ragged.cross_hashed.
SN_API sn_ragged *sn_ragged_cross_hashed_opts(sn_ragged *const *rs, int n,
                                              const sn_ragged_cross_hashed_options *options);

// ---- coded
// Base64 with '-' and '_' (RFC 4648, 5). Source: tf.io.encode_base64.
SN_API sn_tensor *sn_encode_base64(sn_tensor *t, bool pad);
// The bytes; '=' at the end may be left out. Errors: SN_ERR_ARGUMENT, naming the element. Source: tf.io.decode_base64.
SN_API sn_tensor *sn_decode_base64(sn_tensor *t);

SNI_EXTERN_C_END
#endif
