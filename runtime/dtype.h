// What is known of each dtype, and sets of dtypes as bits. Data and inlines alone: the LLVM plugin
// needs no symbol for it.
#ifndef SNI_RUNTIME_DTYPE_H
#define SNI_RUNTIME_DTYPE_H

#include "runtime/base.h"
#include "runtime/dtype.def"

#include <sinter/tensor.h>

typedef enum sni_dtype_kind {
  SNI_KIND_BOOL,
  SNI_KIND_SIGNED,
  SNI_KIND_UNSIGNED,
  SNI_KIND_FLOAT,
  SNI_KIND_COMPLEX,
  SNI_KIND_STRING,
} sni_dtype_kind;

typedef struct sni_dtype_info {
  uint8_t kind;     // sni_dtype_kind
  uint8_t compute;  // sn_dtype
  uint8_t bytes;
  uint8_t digits;
  int16_t exponent;
  const char *npy;
} sni_dtype_info;

enum {
#define SNI_X(id, text, size, ctype) SNI_BYTES_##id = (size),
  SN_DTYPE_LIST(SNI_X)
#undef SNI_X
};

static const sni_dtype_info sni_dtype_infos[SN_STRING + 1] = {
#define SNI_X(id, kind, compute, digits, exponent, npy) \
  [SN_##id] = {SNI_KIND_##kind, SN_##compute, SNI_BYTES_##id, digits, exponent, npy},
    SNI_DTYPES(SNI_X)
#undef SNI_X
        [SN_STRING] = {SNI_KIND_STRING, SN_STRING, sizeof(uint64_t), 0, 0, "|O"},
};

#define SNI_DTYPE_BIT(dtype) (1u << (dtype))
#define SNI_DTYPES_NONE 0u
#define SNI_DTYPES_I32 SNI_DTYPE_BIT(SN_I32)
#define SNI_DTYPES_I64 SNI_DTYPE_BIT(SN_I64)
#define SNI_DTYPES_F64 SNI_DTYPE_BIT(SN_F64)
#define SNI_DTYPES_STRING SNI_DTYPE_BIT(SN_STRING)
// What is moved and chosen: anything. What ops on strings take: below the pass that writes strings down as the
// words that they are (passes/graph/settle_strings.c), those.
#define SNI_DTYPES_MOVED (SNI_DTYPES_ANY | SNI_DTYPES_STRING)
#define SNI_DTYPES_TEXT (SNI_DTYPES_STRING | SNI_DTYPE_BIT(SN_U64))
enum {
#define SNI_X(id, kind, ...) | (SNI_KIND_##kind == SNI_KIND_BOOL) << SN_##id
  SNI_DTYPES_BOOL = 0 SNI_DTYPES(SNI_X),
#undef SNI_X
#define SNI_X(id, kind, ...) \
  | (SNI_KIND_##kind == SNI_KIND_SIGNED || SNI_KIND_##kind == SNI_KIND_UNSIGNED) << SN_##id
  SNI_DTYPES_INTEGER = 0 SNI_DTYPES(SNI_X),
#undef SNI_X
#define SNI_X(id, kind, ...) | (SNI_KIND_##kind == SNI_KIND_FLOAT) << SN_##id
  SNI_DTYPES_FLOAT = 0 SNI_DTYPES(SNI_X),
#undef SNI_X
#define SNI_X(id, kind, ...) | (SNI_KIND_##kind == SNI_KIND_COMPLEX) << SN_##id
  SNI_DTYPES_COMPLEX = 0 SNI_DTYPES(SNI_X),
#undef SNI_X
#define SNI_X(id, kind, compute, ...) | (SN_##compute == SN_##id) << SN_##id
  SNI_DTYPES_COMPUTE = 0 SNI_DTYPES(SNI_X),
#undef SNI_X
  SNI_DTYPES_PART = SNI_DTYPES_FLOAT & SNI_DTYPES_COMPUTE,  // of complex numbers
  SNI_DTYPES_SPLIT = SNI_DTYPES_PART | SNI_DTYPES_COMPLEX,  // and their parts
  SNI_DTYPES_REAL = SNI_DTYPES_INTEGER | SNI_DTYPES_FLOAT,
  SNI_DTYPES_INEXACT = SNI_DTYPES_FLOAT | SNI_DTYPES_COMPLEX,  // what has gradients
  SNI_DTYPES_NUMBER = SNI_DTYPES_REAL | SNI_DTYPES_COMPLEX,
  SNI_DTYPES_LOGIC = SNI_DTYPES_BOOL | SNI_DTYPES_INTEGER,
  SNI_DTYPES_ORDERED = SNI_DTYPES_REAL | SNI_DTYPES_BOOL,
  SNI_DTYPES_ANY = SNI_DTYPES_NUMBER | SNI_DTYPES_BOOL,
};

static inline bool sni_is_dtype(int64_t dtype) {
  return (dtype >= 0 && dtype < SN_DTYPE_COUNT) || dtype == SN_STRING;
}
static inline bool sni_is_float(sn_dtype dtype) {
  return SNI_DTYPES_FLOAT >> dtype & 1;
}
static inline bool sni_is_integer(sn_dtype dtype) {
  return SNI_DTYPES_INTEGER >> dtype & 1;
}
static inline bool sni_is_complex(sn_dtype dtype) {
  return SNI_DTYPES_COMPLEX >> dtype & 1;
}
// A float, or made of floats.
static inline bool sni_is_inexact(sn_dtype dtype) {
  return SNI_DTYPES_INEXACT >> dtype & 1;
}
static inline bool sni_is_unsigned(sn_dtype dtype) {
  return sni_dtype_infos[dtype].kind == SNI_KIND_UNSIGNED;
}
static inline bool sni_is_compute(sn_dtype dtype) {
  return SNI_DTYPES_COMPUTE >> dtype & 1;
}
// A float of 16 bits.
static inline bool sni_is_half(sn_dtype dtype) {
  return sni_is_float(dtype) && !sni_is_compute(dtype);
}
static inline sn_dtype sni_compute_dtype(sn_dtype dtype) {
  return (sn_dtype)sni_dtype_infos[dtype].compute;
}
// Of a complex dtype that of its two parts; else itself.
static inline sn_dtype sni_part_dtype(sn_dtype dtype) {
  return sni_is_complex(dtype) ? sni_compute_dtype(dtype) : dtype;
}
// Of a float dtype the complex one of such parts; SN_DTYPE_COUNT: there is none.
static inline sn_dtype sni_complex_dtype(sn_dtype part) {
  for (int i = 0; i < SN_DTYPE_COUNT; i++)
    if (sni_is_complex((sn_dtype)i) && sni_compute_dtype((sn_dtype)i) == part) return (sn_dtype)i;
  return SN_DTYPE_COUNT;
}
static inline size_t sni_dtype_bytes(sn_dtype dtype) {
  return sni_dtype_infos[dtype].bytes;
}
// Whether kernels load and store it.
static inline bool sni_is_kernel_dtype(unsigned dtype) {
  return dtype < SN_DTYPE_COUNT && (SNI_DTYPES_ORDERED >> dtype & 1);
}
// The casts that kernels have: between compute dtypes, and between a storage dtype and its compute
// dtype where that is wider.
static inline bool sni_is_kernel_cast(sn_dtype from, sn_dtype to) {
  if (sni_is_compute(from) && sni_is_compute(to)) return true;
  if (sni_is_complex(from) || sni_is_complex(to)) return false;
  const bool meet = sni_compute_dtype(from) == to || sni_compute_dtype(to) == from;
  return meet && sni_dtype_bytes(from) != sni_dtype_bytes(to);
}
// Of integers: the least and the greatest; of u64 the bits.
static inline int64_t sni_integer_least(sn_dtype dtype) {
  return sni_is_unsigned(dtype) ? 0 : INT64_MIN >> (63 - sni_dtype_infos[dtype].digits);
}
static inline int64_t sni_integer_greatest(sn_dtype dtype) {
  return (int64_t)(UINT64_MAX >> (64 - sni_dtype_infos[dtype].digits));
}
// Of floats: the least positive normal number.
static inline double sni_least_normal(sn_dtype dtype) {
  return __builtin_ldexp(1, sni_dtype_infos[dtype].exponent - 1);
}

#endif
