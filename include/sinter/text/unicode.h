// Characters: strings decoded into code points and back, from one encoding into another. Results, errors: as in text.h.
#ifndef SINTER_TEXT_UNICODE_H
#define SINTER_TEXT_UNICODE_H

#include <sinter/text/text.h>

SNI_EXTERN_C_BEGIN

typedef enum sn_encoding { SN_UTF8, SN_UTF16_BE, SN_UTF32_BE } sn_encoding;
// What becomes of what is not valid: one replacement for each longest beginning of a character (Unicode 15.0, 3.9), an error, nothing.
typedef enum sn_text_errors {
  SN_TEXT_REPLACE,
  SN_TEXT_STRICT,  // SN_ERR_ARGUMENT, naming the element and the byte (code point)
  SN_TEXT_IGNORE
} sn_text_errors;
typedef struct sn_unicode_options {
  size_t size;  // sizeof(sn_unicode_options); filled in by the macros
  sn_text_errors errors;
  int32_t replacement;  // a code point; 0: U+FFFD. Errors: SN_ERR_ARGUMENT (none)
  bool
      replace_control;  // U+0000 to U+001F as what is not valid, but where that is an error: replaced
} sn_unicode_options;

// The code points of each string, i32: rows as those of sn_string_split. Source: tf.strings.unicode_decode.
SN_API sn_ragged *sn_unicode_decode_opts(sn_tensor *t, sn_encoding encoding,
                                         const sn_unicode_options *options);
// And the byte that each one begins at, i64, the same rows. Source: tf.strings.unicode_decode_with_offsets.
SN_API sn_ragged *sn_unicode_decode_with_offsets_opts(sn_tensor *t, sn_encoding encoding,
                                                      sn_ragged **out_offsets,
                                                      const sn_unicode_options *options);
// The characters of each string as strings of the same encoding. Source: tf.strings.unicode_split.
SN_API sn_ragged *sn_unicode_split_opts(sn_tensor *t, sn_encoding encoding,
                                        const sn_unicode_options *options);
SN_API sn_ragged *sn_unicode_split_with_offsets_opts(sn_tensor *t, sn_encoding encoding,
                                                     sn_ragged **out_offsets,
                                                     const sn_unicode_options *options);
// The strings of code points along the last axis, i32: rank >= 1. Source: tf.strings.unicode_encode.
SN_API sn_tensor *sn_unicode_encode_opts(sn_tensor *codes, sn_encoding encoding,
                                         const sn_unicode_options *options);
// Those of rows, of one ragged level: strings [rows].
SN_API sn_tensor *sn_unicode_encode_rows_opts(sn_ragged *codes, sn_encoding encoding,
                                              const sn_unicode_options *options);
// Source: tf.strings.unicode_transcode.
SN_API sn_tensor *sn_unicode_transcode_opts(sn_tensor *t, sn_encoding from, sn_encoding to,
                                            const sn_unicode_options *options);
// The script of each code point, i32, as ICU numbers them (25: Latin); -1: no code point. Source: tf.strings.unicode_script.
SN_API sn_tensor *sn_unicode_script(sn_tensor *codes);

typedef enum sn_normal_form { SN_NFC, SN_NFD, SN_NFKC, SN_NFKD, SN_NFKC_CASEFOLD } sn_normal_form;
// UTF-8 in a normal form of Unicode; invalid bytes become U+FFFD. Errors: SN_ERR_UNSUPPORTED (built without utf8proc). Source: tensorflow_text.normalize_utf8.
SN_API sn_tensor *sn_normalize_utf8(sn_tensor *t, sn_normal_form form);

SNI_EXTERN_C_END
#endif
