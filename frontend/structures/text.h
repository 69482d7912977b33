// Text that is put together piece by piece in a buffer of the caller's.
#ifndef SINTER_STRUCTURES_TEXT_H
#define SINTER_STRUCTURES_TEXT_H

#include <sinter/tensor.h>

// length: of all of it, also where it does not fit.
typedef struct sns_text {
  char *buffer;
  size_t capacity, length;
} sns_text;

void sns_put(sns_text *t, const char *bytes, size_t n);
void sns_put_text(sns_text *t, const char *words);
// As sn_format; nothing without memory.
void sns_put_tensor(sns_text *t, sn_tensor *x);

#endif
