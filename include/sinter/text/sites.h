// Call sites: a macro of each function's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_TEXT_SITES_H
#define SINTER_TEXT_SITES_H

#include <sinter/text.h>

// clang-format off
#define sn_string_length(t, unit) SNI_AT(sn_string_length(t, unit))
#ifdef __cplusplus
#else
#endif
// clang-format on
#endif
