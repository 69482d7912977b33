// Tensors of strings: dtype SN_STRING. Elements are byte strings of any length, which shapes do not know of; what the
// bytes mean (UTF-8 or not) is the business of the ops on them. Ops that move elements, choose among them or compare
// them take strings as they take numbers: reshape, transpose, slices, gather, concat, where, pad, scatter_update,
// variables, functions, branches, loops; each op's dtypes say so. The library owns the bytes: tensors that share
// strings share them.
#ifndef SINTER_STRING_H
#define SINTER_STRING_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// size(shape) strings, row-major; copied. In a function that is traced they are constants of it. Errors: SN_ERR_SHAPE,
// SN_ERR_MEMORY, SN_ERR_ARGUMENT (NULL; an element of NULL). Texts end with a 0, which is not part of them.
SN_API sn_tensor *sn_strings(sn_context *context, sn_shape shape, const char *const *texts);
SN_API sn_tensor *sn_scalar_string(sn_context *context, const char *text);
// The same of bytes, 0 among them too. An element's data may be NULL where its length is 0.
SN_API sn_tensor *sn_strings_from_texts(sn_context *context, sn_shape shape, const sn_text *texts);
// String i is bytes [offsets[i], offsets[i + 1]): the layout of Arrow's large strings and of many files. The bytes are
// used without a copy, and must stay unchanged until release(user) is called, once, when the last tensor that uses them dies
// (release may be NULL; not after an error). Errors: as above; SN_ERR_ARGUMENT (offsets that fall, or below 0).
SN_API sn_tensor *sn_strings_from_offsets(sn_context *context, sn_shape shape,
                                          const int64_t *offsets, const void *bytes,
                                          void (*release)(void *user), void *user);
// The strings where they lie: n, t's size, of them. They are not to be written, need not end with a 0, and are valid
// while t lives and is not assigned. A boundary function. Errors: as sn_read; SN_ERR_DTYPE (no strings).
SN_API SN_MUST_USE sn_status sn_read_strings(const sn_tensor *t, sn_text *out, int64_t n);

// The same, naming the caller's line in the message.
SN_API SN_MUST_USE sn_status sn_read_strings_at(const sn_tensor *t, sn_text *out, int64_t n,
                                                const char *file, int line);
#define sn_read_strings(t, out, n) sn_read_strings_at(t, out, n, __FILE__, __LINE__)
#define sn_strings(...) SNI_AT(sn_strings(__VA_ARGS__))
#define sn_scalar_string(context, text) SNI_AT(sn_scalar_string(context, text))
#define sn_strings_from_texts(...) SNI_AT(sn_strings_from_texts(__VA_ARGS__))
#define sn_strings_from_offsets(...) SNI_AT(sn_strings_from_offsets(__VA_ARGS__))

SNI_EXTERN_C_END
#endif
