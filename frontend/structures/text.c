// Text that is put together piece by piece.
#include "frontend/structures/text.h"

#include <sinter/sinter.h>

#include <stdlib.h>
#include <string.h>

void sns_put(sns_text *t, const char *bytes, size_t n) {
  if (t->length + 1 < t->capacity) {
    const size_t room = t->capacity - 1 - t->length;
    memcpy(t->buffer + t->length, bytes, n < room ? n : room);
  }
  t->length += n;
}

void sns_put_text(sns_text *t, const char *words) {
  sns_put(t, words, strlen(words));
}

void sns_put_tensor(sns_text *t, sn_tensor *x) {
  const size_t n = sn_format(x, NULL, 0);
  char *words = malloc(n + 1);
  if (!words) return;
  (void)sn_format(x, words, n + 1);
  sns_put(t, words, n);
  free(words);
}
