// The table of kernel operations as data. No symbol of another file is used: the LLVM plugin
// carries a copy.
#include "codegen/kernel/kops.h"

enum { level_CORE = false, level_MATH = true };

const sni_kop_info sni_kop_infos[SNI_KOP_COUNT] = {
#define SNI_X(id, text, count, level, holds, traits, sets, ns, formula) \
  [SNI_KOP_##id] = {.name = text,                                       \
                    .operands = (count),                                \
                    .math = level_##level,                              \
                    .immediate = SNI_IMMEDIATE_##holds,                 \
                    .flags = SNI_KOP_FLAGS_##traits,                    \
                    .dtypes = SNI_DTYPES_##sets,                        \
                    .cost = (float)(ns)},
    SNI_KOPS(SNI_X)
#undef SNI_X
};
