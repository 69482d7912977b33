// Static values (static_value.c): part of a signature, in words, and the one that stands for no tensor.
#ifndef SNI_FRONTEND_STATIC_VALUE_H
#define SNI_FRONTEND_STATIC_VALUE_H

#include "frontend/context/internal.h"

// The static that stands for an optional tensor which is not there: a bool that is neither.
enum { sni_absent_value = 2 };
static inline bool sni_is_absent_value(sn_dtype dtype, int64_t value) {
  return dtype == SN_BOOL && value == sni_absent_value;
}
sn_tensor *sni_absent(sn_context *context);
// Whether a result stands for no tensor: by its type, which no other is made with.
bool sni_is_absent_type(const sni_type *type);
static inline bool sni_is_absent(const sn_tensor *t) {
  return sni_is_absent_type(&t->type);
}
// "3", "0.5", "true", "\"relu\"" of a static of this dtype.
void sni_describe_static(sn_dtype dtype, int64_t value, char *buffer, size_t capacity);

#endif
