// Loops over MATH operations whose expansion is plain arithmetic: it runs in registers, where the interpreter would take a pass
// over a block for each of its operations. They are printed by the build from the expansions themselves
// (tools/print_math_blocks.c), so they have their bits. Compiled once per instruction set (SNI_ISA_SUFFIX).
#include "codegen/interp/blocks.h"
#include "codegen/interp/elements.h"

#if defined(SNI_MATH_BLOCKS) && (defined(__FMA__) || defined(__ARM_FEATURE_FMA))
#define SNI_BITCAST(to, from, to_type, from_type)  \
  SNI_INLINE to_type to##_of_##from(from_type a) { \
    to_type bits;                                  \
    __builtin_memcpy(&bits, &a, sizeof(bits));     \
    return bits;                                   \
  }
SNI_BITCAST(i32, f32, int32_t, float)
SNI_BITCAST(f32, i32, float, int32_t)
SNI_BITCAST(i64, f64, int64_t, double)
SNI_BITCAST(f64, i64, double, int64_t)
// Without a branch, behind which compilers would gather what depends on it: then there are no vectors.
#define SNI_CHOOSE(T, type, bits_type, bits)                                      \
  SNI_INLINE type choose_##T(bool a, type b, type c) {                            \
    const bits_type mask = -(bits_type)a;                                         \
    return T##_of_##bits((bits##_of_##T(b) & mask) | (bits##_of_##T(c) & ~mask)); \
  }
SNI_INLINE int32_t i32_of_i32(int32_t a) {
  return a;
}
SNI_INLINE int64_t i64_of_i64(int64_t a) {
  return a;
}
SNI_CHOOSE(f32, float, int32_t, i32)
SNI_CHOOSE(f64, double, int64_t, i64)
SNI_CHOOSE(i32, int32_t, int32_t, i32)
SNI_CHOOSE(i64, int64_t, int64_t, i64)
#define choose_bool(a, b, c) (((a) & (b)) | (!(a) & (c)))
#include <math_blocks.inc>
#else  // fma is a call, or this is built for another machine than the one that builds
#define MATH_BLOCKS {NULL},
#endif

const sni_block_function SNI_LOCAL(sni_interp_math)[SNI_KOP_COUNT][SN_DTYPE_COUNT] = {MATH_BLOCKS};
