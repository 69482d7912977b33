// The table of kernel operations as data. No symbol of another file is used: the LLVM plugin
// carries a copy.
#include "codegen/kernel/kops.h"

enum { level_CORE = false, level_MATH = true };
enum {
  set_NONE = 0,
  set_MOVED = SNI_DTYPES_ORDERED,
  set_ANY = SNI_DTYPES_ANY & SNI_DTYPES_COMPUTE,
  set_NUMBER = SNI_DTYPES_NUMBER & SNI_DTYPES_COMPUTE,
  set_INTEGER = SNI_DTYPES_INTEGER & SNI_DTYPES_COMPUTE,
  set_FLOAT = SNI_DTYPES_FLOAT & SNI_DTYPES_COMPUTE,
  set_LOGIC = SNI_DTYPES_LOGIC & SNI_DTYPES_COMPUTE,
  set_I32 = SNI_DTYPES_I32,
  set_I64 = SNI_DTYPES_I64,
  set_F64 = SNI_DTYPES_F64,
};

const sni_kop_info sni_kop_infos[SNI_KOP_COUNT] = {
#define SNI_X(id, text, count, level, holds, traits, sets, ns, formula) \
  [SNI_KOP_##id] = {.name = text,                                       \
                    .operands = (count),                                \
                    .math = level_##level,                              \
                    .immediate = SNI_IMMEDIATE_##holds,                 \
                    .flags = SNI_KOP_FLAGS_##traits,                    \
                    .dtypes = set_##sets,                               \
                    .cost = (float)(ns)},
    SNI_KOPS(SNI_X)
#undef SNI_X
};
