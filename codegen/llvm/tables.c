// The plugin's own copy of the dtypes' sizes: it links with nothing of the core.
#include "codegen/llvm/emit.h"

size_t sni_dtype_bytes(sn_dtype dtype) {
  static const uint8_t bytes[SN_DTYPE_COUNT] = {
#define SNI_X(name, text, size, ctype) [SN_##name] = size,
      SN_DTYPE_LIST(SNI_X)
#undef SNI_X
  };
  return bytes[dtype];
}
