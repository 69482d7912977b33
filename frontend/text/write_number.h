// One number as text, in the C locale.
#ifndef SINTER_TEXT_WRITE_NUMBER_H
#define SINTER_TEXT_WRITE_NUMBER_H

#include "frontend/text/calls.h"

#include <locale.h>

typedef struct snt_style {
  int precision, width;
  char fill;  // 0, ' ', '0', '+', '-'
  char form;  // 'f', 'e', 'g'; 'r': 6 or 9 digits (f64: 15 or 17), the fewer where they read back
} snt_style;
// Element i of view behind b's bytes. Between snt_c_locale and snt_restore_locale.
void snt_write_number(snt_buffer *b, const sn_view *view, int64_t i, const snt_style *style);
// This thread's locale is C's from here on; what it was before; 0: no memory.
locale_t snt_c_locale(void);
void snt_restore_locale(locale_t before);

#endif
