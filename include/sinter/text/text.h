// Functions of strings, element by element. Strings are bytes (string.h); where characters are meant, they are UTF-8.
#ifndef SINTER_TEXT_TEXT_H
#define SINTER_TEXT_TEXT_H

#include <sinter/structures.h>

SNI_EXTERN_C_BEGIN

typedef enum sn_text_unit { SN_TEXT_BYTES, SN_TEXT_UTF8 } sn_text_unit;

// The length of each string: i32, t's shape. UTF-8: characters, counted by the bytes that begin one, in invalid text too. Errors: SN_ERR_DTYPE (no
// strings), SN_ERR_ARGUMENT (unit). No gradient. Source: tf.strings.length.
SN_API sn_tensor *sn_string_length(sn_tensor *t, sn_text_unit unit);

SNI_EXTERN_C_END
#endif
