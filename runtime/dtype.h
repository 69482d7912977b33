// Sets of dtypes, as bits.
#ifndef SNI_RUNTIME_DTYPE_H
#define SNI_RUNTIME_DTYPE_H

#include "runtime/base.h"

#include <sinter/tensor.h>

#define SNI_DTYPE_BIT(dtype) (1u << (dtype))
#define SNI_DTYPES_NONE 0u
#define SNI_DTYPES_BOOL SNI_DTYPE_BIT(SN_BOOL)
#define SNI_DTYPES_I32 SNI_DTYPE_BIT(SN_I32)
#define SNI_DTYPES_I64 SNI_DTYPE_BIT(SN_I64)
#define SNI_DTYPES_F64 SNI_DTYPE_BIT(SN_F64)
#define SNI_DTYPES_INTEGER (SNI_DTYPES_I32 | SNI_DTYPES_I64)
#define SNI_DTYPES_FLOAT (SNI_DTYPE_BIT(SN_F32) | SNI_DTYPE_BIT(SN_F64))
#define SNI_DTYPES_NUMBER (SNI_DTYPES_INTEGER | SNI_DTYPES_FLOAT)
#define SNI_DTYPES_LOGIC (SNI_DTYPES_BOOL | SNI_DTYPES_INTEGER)
#define SNI_DTYPES_ANY (SNI_DTYPES_NUMBER | SNI_DTYPES_BOOL)
static inline bool sni_is_float(sn_dtype dtype) {
  return SNI_DTYPES_FLOAT >> dtype & 1;
}
static inline bool sni_is_integer(sn_dtype dtype) {
  return SNI_DTYPES_INTEGER >> dtype & 1;
}

#endif
