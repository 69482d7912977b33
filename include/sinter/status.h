// Status codes, and the attributes that the public headers use.
#ifndef SINTER_STATUS_H
#define SINTER_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SNI_EXTERN_C_BEGIN extern "C" {
#define SNI_EXTERN_C_END }
#else
#define SNI_EXTERN_C_BEGIN
#define SNI_EXTERN_C_END
#endif

// Parameters of C++ inline functions that take the caller's place without a macro.
#define SNI_CALLER const char *file = __builtin_FILE(), int line = __builtin_LINE()

#if defined(__GNUC__)
#define SN_API __attribute__((visibility("default")))
#define SN_MUST_USE __attribute__((warn_unused_result))
#define SNI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define SN_API
#define SN_MUST_USE
#define SNI_PRINTF(f, a)
#endif

// One row per status: X(suffix, value, meaning). Values are stable.
#define SN_STATUS_LIST(X)                                                        \
  X(OK, 0, "success")                                                            \
  X(ERR_ARGUMENT, 1, "an argument is NULL, out of range or otherwise unusable")  \
  X(ERR_SHAPE, 2, "shapes do not fit the operation")                             \
  X(ERR_DTYPE, 3, "dtypes do not fit the operation")                             \
  X(ERR_MEMORY, 4, "an allocation failed or the memory limit was reached")       \
  X(ERR_STATE, 5, "the call is not possible in this state")                      \
  X(ERR_GRADIENT, 6, "a gradient does not exist or is not connected")            \
  X(ERR_INDEX, 7, "an index is out of bounds")                                   \
  X(ERR_FILE, 8, "a file is missing, unreadable or malformed")                   \
  X(ERR_SYNTAX, 9, "text is malformed")                                          \
  X(ERR_UNSUPPORTED, 10, "the operation is not supported here")                  \
  X(ERR_COMPILE, 11, "code generation failed")                                   \
  X(ERR_CALLBACK, 12, "a user callback failed")                                  \
  X(ERR_CANCELLED, 13, "the call was cancelled")                                 \
  X(ERR_INTERNAL, 14, "an invariant of the library is broken: please report it") \
  X(ERR_DEADLINE, 15, "the deadline has passed")                                 \
  X(ERR_NONFINITE, 16, "a result is NaN or infinite")                            \
  X(ERR_DEADLOCK, 17, "nobody is left who could end the wait")                   \
  X(ERR_END, 18, "there are no more elements")

typedef enum sn_status {
#define SNI_X(name, value, meaning) SN_##name = value,
  SN_STATUS_LIST(SNI_X)
#undef SNI_X
} sn_status;

SNI_EXTERN_C_BEGIN
// Name of a status ("SN_ERR_SHAPE"); static storage; "SN_ERR_UNKNOWN" for other values.
SN_API const char *sn_status_name(sn_status status);
// What a status means, in words; static storage.
SN_API const char *sn_status_meaning(sn_status status);
// Version of the library as "major.minor.patch"; static storage.
SN_API const char *sn_version(void);
SNI_EXTERN_C_END

#endif
