// What is called for the cases of string functions (tf_text.py).
#include "cross/cases.h"

#include <sinter/text.h>

#include <string.h>

static void string_length(const cross_case *c, cross_value *results) {
  const bool bytes = !strcmp(cross_text(c, "unit", "BYTE"), "BYTE");
  results[0] =
      cross_of_tensor(sn_string_length(cross_tensor(c, 0), bytes ? SN_TEXT_BYTES : SN_TEXT_UTF8));
}

const cross_op cross_ops[] = {
    {"string_length", string_length, false},
    {NULL, NULL, false},
};
