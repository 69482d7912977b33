// The plugin's own copy of the operations' table: it links with nothing of the core.
#include "codegen/llvm/emit.h"

enum { level_CORE = false, level_MATH = true };

const sni_kop_info sni_kop_infos[SNI_KOP_COUNT] = {
#define SNI_X(id, text, count, level, formula) \
  [SNI_KOP_##id] = {.name = text, .operands = count, .math = level_##level},
    SNI_KOPS(SNI_X)
#undef SNI_X
};

size_t sni_dtype_bytes(sn_dtype dtype) {
  static const uint8_t bytes[SN_DTYPE_COUNT] = {
#define SNI_X(name, text, size, ctype) [SN_##name] = size,
      SN_DTYPE_LIST(SNI_X)
#undef SNI_X
  };
  return bytes[dtype];
}
