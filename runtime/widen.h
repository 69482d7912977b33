// Elements of storage dtypes of one or two bytes in their compute dtype, f32 or i32, exactly, and 16-bit
// floats from f32, to nearest, ties to even: one, or as many as a vector has. Dtypes are constants where
// these are inlined.
//
// Invariant: all copies give the same bits, but for which NaN a NaN becomes.
#ifndef SNI_RUNTIME_WIDEN_H
#define SNI_RUNTIME_WIDEN_H

#include "runtime/dtype.h"
#include "runtime/vectors.h"

enum { SNI_WIDE_LANES = SNI_VECTOR_BYTES / 4 };

#define SNI_NARROW_OF(type) \
  type __attribute__((vector_size(SNI_WIDE_LANES * sizeof(type)), aligned(sizeof(type)), may_alias))
typedef SNI_NARROW_OF(int8_t) sni_narrow_i8;
typedef SNI_NARROW_OF(uint8_t) sni_narrow_u8;
typedef SNI_NARROW_OF(int16_t) sni_narrow_i16;
typedef SNI_NARROW_OF(uint16_t) sni_narrow_u16;
#undef SNI_NARROW_OF

// By integer arithmetic and one exact product: codegen/llvm/emit_half.c says how.
SNI_INLINE sni_vec_u32 sni_widen_f16_bits(sni_vec_u32 w) {
  const sni_vec_u32 shifted = (w & 0x7fff) << 13;
  const sni_vec_u32 scaled = (sni_vec_u32)((sni_vec_f32)shifted * 0x1p112f);
  const sni_vec_u32 special = (sni_vec_u32)((sni_vec_i32)shifted >= 0x0f800000);
  return (special & (shifted | 0x7f800000)) | (~special & scaled) | (w & 0x8000) << 16;
}

// As many as a vector of the compute dtype has.
SNI_INLINE sni_vec_u32 sni_widen_vector(sn_dtype from, const void *at) {
#if defined(__AVX512F__)
  if (from == SN_I8) return (sni_vec_u32)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)at));
  if (from == SN_U8) return (sni_vec_u32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)at));
  const __m256i w = _mm256_loadu_si256((const __m256i *)at);
  if (from == SN_I16) return (sni_vec_u32)_mm512_cvtepi16_epi32(w);
  if (from == SN_F16) return (sni_vec_u32)_mm512_cvtph_ps(w);
  const sni_vec_u32 wide = (sni_vec_u32)_mm512_cvtepu16_epi32(w);
  return from == SN_BF16 ? wide << 16 : wide;
#elif defined(__AVX2__) && defined(__F16C__)
  if (from == SN_I8) return (sni_vec_u32)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)at));
  if (from == SN_U8) return (sni_vec_u32)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at));
  const __m128i w = _mm_loadu_si128((const __m128i *)at);
  if (from == SN_I16) return (sni_vec_u32)_mm256_cvtepi16_epi32(w);
  if (from == SN_F16) return (sni_vec_u32)_mm256_cvtph_ps(w);
  const sni_vec_u32 wide = (sni_vec_u32)_mm256_cvtepu16_epi32(w);
  return from == SN_BF16 ? wide << 16 : wide;
#else
  if (from == SN_I8)
    return (sni_vec_u32) __builtin_convertvector(*(const sni_narrow_i8 *)at, sni_vec_i32);
  if (from == SN_U8) return __builtin_convertvector(*(const sni_narrow_u8 *)at, sni_vec_u32);
  if (from == SN_I16)
    return (sni_vec_u32) __builtin_convertvector(*(const sni_narrow_i16 *)at, sni_vec_i32);
  const sni_vec_u32 w = __builtin_convertvector(*(const sni_narrow_u16 *)at, sni_vec_u32);
  if (from == SN_U16) return w;
  return from == SN_BF16 ? w << 16 : sni_widen_f16_bits(w);
#endif
}

SNI_INLINE uint32_t sni_widen_one(sn_dtype from, const void *at) {
  if (from == SN_I8) return (uint32_t) * (const int8_t *)at;
  if (from == SN_U8) return *(const uint8_t *)at;
  uint16_t w;
  __builtin_memcpy(&w, at, sizeof(w));
  if (from == SN_I16) return (uint32_t)(int16_t)w;
  if (from == SN_U16) return w;
  if (from == SN_BF16) return (uint32_t)w << 16;
#if defined(__F16C__) || defined(__AVX512F__)
  return (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(_mm_cvtph_ps(_mm_cvtsi32_si128(w))));
#else
  return sni_widen_f16_bits(w + (sni_vec_u32){0})[0];
#endif
}

// ---- 16-bit floats from f32

SNI_INLINE sni_vec_u32 sni_chosen(sni_vec_i32 mask, sni_vec_u32 a, sni_vec_u32 b) {
  return ((sni_vec_u32)mask & a) | (~(sni_vec_u32)mask & b);
}

SNI_INLINE sni_vec_u32 sni_f16_bits_of(sni_vec_f32 a) {
  const sni_vec_u32 bits = (sni_vec_u32)a, size = bits & 0x7fffffff;
  const sni_vec_i32 ordered = (sni_vec_i32)size;
  const sni_vec_u32 small = (sni_vec_u32)((sni_vec_f32)size + 0.5f) - 0x3f000000;
  const sni_vec_u32 usual = (size + (size >> 13 & 1) + (0xfffu - (112u << 23))) >> 13;
  const sni_vec_u32 special =
      sni_chosen(ordered > 0x7f800000, (sni_vec_u32){0} + 0x7e00, (sni_vec_u32){0} + 0x7c00);
  const sni_vec_u32 finite = sni_chosen(ordered < 0x38800000, small, usual);
  return sni_chosen(ordered >= 0x47800000, special, finite) | (bits >> 16 & 0x8000);
}

SNI_INLINE sni_vec_u32 sni_bf16_bits_of(sni_vec_f32 a) {
  const sni_vec_u32 bits = (sni_vec_u32)a, upper = bits >> 16;
  return sni_chosen(a == a, (bits + (upper & 1) + 0x7fff) >> 16, upper | 0x40);
}

SNI_INLINE void sni_narrow_vector(sn_dtype dtype, sni_vec_f32 a, void *to) {
#if defined(__AVX512F__)
  if (dtype == SN_F16) {
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtps_ph((__m512)a, _MM_FROUND_TO_NEAREST_INT));
    return;
  }
#elif defined(__F16C__)
  if (dtype == SN_F16) {
    _mm_storeu_si128((__m128i *)to, _mm256_cvtps_ph((__m256)a, _MM_FROUND_TO_NEAREST_INT));
    return;
  }
#endif
  const sni_vec_u32 bits = dtype == SN_F16 ? sni_f16_bits_of(a) : sni_bf16_bits_of(a);
  *(sni_narrow_u16 *)to = __builtin_convertvector(bits, sni_narrow_u16);
}

SNI_INLINE uint16_t sni_narrow_one(sn_dtype dtype, float a) {
#if defined(__AVX512F__) || defined(__F16C__)
  if (dtype == SN_F16)
    return (uint16_t)_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(a), _MM_FROUND_TO_NEAREST_INT));
#endif
  const sni_vec_f32 all = a - (sni_vec_f32){0};
  return (uint16_t)(dtype == SN_F16 ? sni_f16_bits_of(all) : sni_bf16_bits_of(all))[0];
}

#endif
