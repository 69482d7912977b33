// Vector types as wide as the instruction set that a file is compiled for. Loads and stores
// through them need no alignment.
#ifndef SNI_RUNTIME_VECTORS_H
#define SNI_RUNTIME_VECTORS_H

#include <stdint.h>

#define SNI_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define SNI_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define SNI_VECTOR_BYTES 32
#else
#define SNI_VECTOR_BYTES 16
#endif

#define SNI_VECTOR_OF(type) \
  type __attribute__((vector_size(SNI_VECTOR_BYTES), aligned(sizeof(type)), may_alias))
typedef SNI_VECTOR_OF(uint8_t) sni_vec_u8;
typedef SNI_VECTOR_OF(int32_t) sni_vec_i32;
typedef SNI_VECTOR_OF(uint32_t) sni_vec_u32;
typedef SNI_VECTOR_OF(int64_t) sni_vec_i64;
typedef SNI_VECTOR_OF(uint64_t) sni_vec_u64;
typedef SNI_VECTOR_OF(float) sni_vec_f32;
typedef SNI_VECTOR_OF(double) sni_vec_f64;

// Names of the copy being compiled.
#if defined(SNI_ISA_SUFFIX)
#define SNI_PASTE(name, suffix) name##_##suffix
#define SNI_EXPAND(name, suffix) SNI_PASTE(name, suffix)
#define SNI_TEXT(name) #name
#define SNI_TEXT_OF(name) SNI_TEXT(name)
#endif

#endif
