// Call sites: a macro of each function's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_STRUCTURES_SITES_H
#define SINTER_STRUCTURES_SITES_H

#include <sinter/structures.h>

// clang-format off
#define sn_ragged_from_row_splits(values, row_splits) SNI_OBJECT_AT(sn_ragged, sn_ragged_from_row_splits(values, row_splits))
#define sn_ragged_flat_values(...) SNI_AT(sn_ragged_flat_values(__VA_ARGS__))
#define sn_ragged_row_splits(...) SNI_AT(sn_ragged_row_splits(__VA_ARGS__))
#ifdef __cplusplus
#else
#endif
// clang-format on
#endif
