// Element-wise vector loops: for each operation, dtype and form a function over a block, and the
// table of them. Compiled once per instruction set (SNI_ISA_SUFFIX); plain loops that the
// compiler vectorises, but for ldexp, which AVX-512 has as one instruction.
//
// Invariant: bit-equal in all copies: no contraction, fma only where asked for, no approximations.
#include "codegen/interp/blocks.h"
#include "codegen/interp/elements.h"
#include "codegen/kernel/fold_angle.h"
#include "runtime/widen.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

typedef uint8_t bool8;  // a bool element

#if defined(__AVX512F__)
static void ldexp_f32(unsigned form, float *dst, const float *a, const float *b, size_t n) {
  const bool one_a = form & SNI_FORM_A, one_b = form & SNI_FORM_B;
  const __m512 all_a = _mm512_set1_ps(*a), all_b = _mm512_set1_ps(*b);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m512 va = one_a ? all_a : _mm512_loadu_ps(a + i);
    const __m512 vb = one_b ? all_b : _mm512_loadu_ps(b + i);
    _mm512_storeu_ps(dst + i, _mm512_scalef_ps(va, vb));
  }
  for (; i < n; i++) {
    const __m128 sa = one_a ? _mm512_castps512_ps128(all_a) : _mm_load_ss(a + i);
    const __m128 sb = one_b ? _mm512_castps512_ps128(all_b) : _mm_load_ss(b + i);
    _mm_store_ss(dst + i, _mm_scalef_ss(sa, sb));
  }
}

static void ldexp_f64(unsigned form, double *dst, const double *a, const double *b, size_t n) {
  const bool one_a = form & SNI_FORM_A, one_b = form & SNI_FORM_B;
  const __m512d all_a = _mm512_set1_pd(*a), all_b = _mm512_set1_pd(*b);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m512d va = one_a ? all_a : _mm512_loadu_pd(a + i);
    const __m512d vb = one_b ? all_b : _mm512_loadu_pd(b + i);
    _mm512_storeu_pd(dst + i, _mm512_scalef_pd(va, vb));
  }
  for (; i < n; i++) {
    const __m128d sa = one_a ? _mm512_castpd512_pd128(all_a) : _mm_load_sd(a + i);
    const __m128d sb = one_b ? _mm512_castpd512_pd128(all_b) : _mm_load_sd(b + i);
    _mm_store_sd(dst + i, _mm_scalef_sd(sa, sb));
  }
}
#else
static void ldexp_f32(unsigned form, float *dst, const float *a, const float *b, size_t n) {
  const float one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = sni_ldexp_f32(form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}

static void ldexp_f64(unsigned form, double *dst, const double *a, const double *b, size_t n) {
  const double one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = sni_ldexp_f64(form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}
#endif

// ---- loops over one operation; op and form are constants where these are inlined

SNI_INLINE void binary_f32(sni_kop op, unsigned form, float *dst, const float *a, const float *b,
                           size_t n) {
  const float one_a = *a, one_b = *b;
  if (op == SNI_KOP_LDEXP) {
    ldexp_f32(form, dst, a, b, n);
    return;
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = sni_binary_f32(op, form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}

SNI_INLINE void binary_f64(sni_kop op, unsigned form, double *dst, const double *a, const double *b,
                           size_t n) {
  const double one_a = *a, one_b = *b;
  if (op == SNI_KOP_LDEXP) {
    ldexp_f64(form, dst, a, b, n);
    return;
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = sni_binary_f64(op, form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}

SNI_INLINE void binary_i32(sni_kop op, unsigned form, int32_t *dst, const int32_t *a,
                           const int32_t *b, size_t n) {
  const int32_t one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = sni_binary_i32(op, form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}

SNI_INLINE void binary_i64(sni_kop op, unsigned form, int64_t *dst, const int64_t *a,
                           const int64_t *b, size_t n) {
  const int64_t one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = sni_binary_i64(op, form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}

SNI_INLINE void binary_b8(sni_kop op, unsigned form, bool8 *dst, const bool8 *a, const bool8 *b,
                          size_t n) {
  const bool8 one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] =
        sni_binary_bool(op, form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i]);
}

// Angles are seldom large: a block without one is copied.
SNI_INLINE void fold_f64(unsigned form, double *dst, const double *a, const double *b, size_t n) {
  const double one_b = *b;
  unsigned large = 0;
  for (size_t i = 0; i < n; i++) large |= __builtin_fabs(a[i]) > SNI_FOLD_LIMIT;
  if (large)
    for (size_t i = 0; i < n; i++) dst[i] = sni_fold_angle(a[i], form & SNI_FORM_B ? one_b : b[i]);
  else
    memmove(dst, a, n * sizeof(*a));
}

SNI_INLINE void unary_f32(sni_kop op, float *dst, const float *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_unary_f32(op, a[i]);
}

SNI_INLINE void unary_f64(sni_kop op, double *dst, const double *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_unary_f64(op, a[i]);
}

SNI_INLINE void unary_i32(sni_kop op, int32_t *dst, const int32_t *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_unary_i32(op, a[i]);
}

SNI_INLINE void unary_i64(sni_kop op, int64_t *dst, const int64_t *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_unary_i64(op, a[i]);
}

SNI_INLINE void unary_b8(sni_kop op, bool8 *dst, const bool8 *a, size_t n) {
  (void)op;  // NOT alone
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = a[i] ^ 1;
}

SNI_INLINE void fma_f32(unsigned form, float *dst, const float *a, const float *b, const float *c,
                        size_t n) {
  const float one_a = *a, one_b = *b, one_c = *c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = __builtin_fmaf(form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i],
                            form & SNI_FORM_C ? one_c : c[i]);
}

SNI_INLINE void fma_f64(unsigned form, double *dst, const double *a, const double *b,
                        const double *c, size_t n) {
  const double one_a = *a, one_b = *b, one_c = *c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    dst[i] = __builtin_fma(form & SNI_FORM_A ? one_a : a[i], form & SNI_FORM_B ? one_b : b[i],
                           form & SNI_FORM_C ? one_c : c[i]);
}

SNI_INLINE void select_8(unsigned form, uint8_t *dst, const bool8 *a, const uint8_t *b,
                         const uint8_t *c, size_t n) {
  const uint8_t one_b = *b, one_c = *c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const uint8_t yes = form & SNI_FORM_B ? one_b : b[i], no = form & SNI_FORM_C ? one_c : c[i];
    dst[i] = a[i] ? yes : no;
  }
}

SNI_INLINE void select_16(unsigned form, uint16_t *dst, const bool8 *a, const uint16_t *b,
                          const uint16_t *c, size_t n) {
  const uint16_t one_b = *b, one_c = *c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const uint16_t yes = form & SNI_FORM_B ? one_b : b[i], no = form & SNI_FORM_C ? one_c : c[i];
    dst[i] = a[i] ? yes : no;
  }
}

SNI_INLINE void select_32(unsigned form, uint32_t *dst, const bool8 *a, const uint32_t *b,
                          const uint32_t *c, size_t n) {
  const uint32_t one_b = *b, one_c = *c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const uint32_t yes = form & SNI_FORM_B ? one_b : b[i], no = form & SNI_FORM_C ? one_c : c[i];
    dst[i] = a[i] ? yes : no;
  }
}

SNI_INLINE void select_64(unsigned form, uint64_t *dst, const bool8 *a, const uint64_t *b,
                          const uint64_t *c, size_t n) {
  const uint64_t one_b = *b, one_c = *c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const uint64_t yes = form & SNI_FORM_B ? one_b : b[i], no = form & SNI_FORM_C ? one_c : c[i];
    dst[i] = a[i] ? yes : no;
  }
}

// A comparison with a NaN is false, so LT and LE are written as they are.
SNI_INLINE void compare_f32(sni_kop op, unsigned form, bool8 *dst, const float *a, const float *b,
                            size_t n) {
  const float one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const float x = form & SNI_FORM_A ? one_a : a[i], y = form & SNI_FORM_B ? one_b : b[i];
    dst[i] = op == SNI_KOP_EQ ? x == y : op == SNI_KOP_LT ? x < y : x <= y;
  }
}

SNI_INLINE void compare_f64(sni_kop op, unsigned form, bool8 *dst, const double *a, const double *b,
                            size_t n) {
  const double one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const double x = form & SNI_FORM_A ? one_a : a[i], y = form & SNI_FORM_B ? one_b : b[i];
    dst[i] = op == SNI_KOP_EQ ? x == y : op == SNI_KOP_LT ? x < y : x <= y;
  }
}

SNI_INLINE void compare_i32(sni_kop op, unsigned form, bool8 *dst, const int32_t *a,
                            const int32_t *b, size_t n) {
  const int32_t one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const int32_t x = form & SNI_FORM_A ? one_a : a[i], y = form & SNI_FORM_B ? one_b : b[i];
    dst[i] = op == SNI_KOP_EQ ? x == y : op == SNI_KOP_LT ? x < y : x <= y;
  }
}

SNI_INLINE void compare_i64(sni_kop op, unsigned form, bool8 *dst, const int64_t *a,
                            const int64_t *b, size_t n) {
  const int64_t one_a = *a, one_b = *b;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const int64_t x = form & SNI_FORM_A ? one_a : a[i], y = form & SNI_FORM_B ? one_b : b[i];
    dst[i] = op == SNI_KOP_EQ ? x == y : op == SNI_KOP_LT ? x < y : x <= y;
  }
}

SNI_INLINE void compare_b8(sni_kop op, unsigned form, bool8 *dst, const bool8 *a, const bool8 *b,
                           size_t n) {
  const bool8 one_b = *b;
  (void)op;  // EQ alone
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = a[i] == (form & SNI_FORM_B ? one_b : b[i]);
}

// The dtype of a suffix.
#define dtype_b8 SN_BOOL
#define dtype_i32 SN_I32
#define dtype_i64 SN_I64
#define dtype_f32 SN_F32
#define dtype_f64 SN_F64

SNI_INLINE void cast_b8(sn_dtype from, bool8 *dst, const void *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_to_bool(from, a, i);
}

SNI_INLINE void cast_i32(sn_dtype from, int32_t *dst, const void *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_to_i32(from, a, i);
}

SNI_INLINE void cast_i64(sn_dtype from, int64_t *dst, const void *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_to_i64(from, a, i);
}

SNI_INLINE void cast_f32(sn_dtype from, float *dst, const void *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_to_f32(from, a, i);
}

SNI_INLINE void cast_f64(sn_dtype from, double *dst, const void *a, size_t n) {
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) dst[i] = sni_to_f64(from, a, i);
}

// Between a storage dtype and its compute dtype. What is cut off is cut off of unsigned numbers too.
static void cast_i8_i32(void *dst, const void *a, const void *b, const void *c, size_t n) {
  int32_t *to = dst;
  const int8_t *from = a;
  (void)b, (void)c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) to[i] = from[i];
}

static void cast_i16_i32(void *dst, const void *a, const void *b, const void *c, size_t n) {
  int32_t *to = dst;
  const int16_t *from = a;
  (void)b, (void)c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) to[i] = from[i];
}

static void cast_u16_i32(void *dst, const void *a, const void *b, const void *c, size_t n) {
  int32_t *to = dst;
  const uint16_t *from = a;
  (void)b, (void)c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) to[i] = from[i];
}

static void cast_i32_8(void *dst, const void *a, const void *b, const void *c, size_t n) {
  uint8_t *to = dst;
  const uint32_t *from = a;
  (void)b, (void)c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) to[i] = (uint8_t)from[i];
}

static void cast_i32_16(void *dst, const void *a, const void *b, const void *c, size_t n) {
  uint16_t *to = dst;
  const uint32_t *from = a;
  (void)b, (void)c;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) to[i] = (uint16_t)from[i];
}

// Of 16-bit floats, a vector at a time.
SNI_INLINE void widen_half(sn_dtype from, float *to, const uint16_t *a, size_t n) {
  size_t i = 0;
  for (; i + SNI_WIDE_LANES <= n; i += SNI_WIDE_LANES)
    *(sni_vec_u32 *)(void *)(to + i) = sni_widen_vector(from, a + i);
  for (; i < n; i++) {
    const uint32_t bits = sni_widen_one(from, a + i);
    memcpy(to + i, &bits, sizeof(bits));
  }
}

SNI_INLINE void narrow_half(sn_dtype dtype, uint16_t *to, const float *a, size_t n) {
  size_t i = 0;
  for (; i + SNI_WIDE_LANES <= n; i += SNI_WIDE_LANES)
    sni_narrow_vector(dtype, *(const sni_vec_f32 *)(const void *)(a + i), to + i);
  for (; i < n; i++) to[i] = sni_narrow_one(dtype, a[i]);
}

static void cast_f16_f32(void *dst, const void *a, const void *b, const void *c, size_t n) {
  (void)b, (void)c;
  widen_half(SN_F16, dst, a, n);
}

static void cast_bf16_f32(void *dst, const void *a, const void *b, const void *c, size_t n) {
  (void)b, (void)c;
  widen_half(SN_BF16, dst, a, n);
}

static void cast_f32_f16(void *dst, const void *a, const void *b, const void *c, size_t n) {
  (void)b, (void)c;
  narrow_half(SN_F16, dst, a, n);
}

static void cast_f32_bf16(void *dst, const void *a, const void *b, const void *c, size_t n) {
  (void)b, (void)c;
  narrow_half(SN_BF16, dst, a, n);
}

// ---- one function per operation, dtype and form; no form for a single a where operands commute
// clang-format off
#define BOTH(X, T, OP) X(T, OP, 0) X(T, OP, 2)
#define EITHER(X, T, OP) X(T, OP, 0) X(T, OP, 1) X(T, OP, 2)
#define FLOAT_BINARY(X, T)                                                                   \
  BOTH(X, T, ADD) EITHER(X, T, SUB) BOTH(X, T, MUL) EITHER(X, T, DIV) EITHER(X, T, REM)      \
  EITHER(X, T, MAX) EITHER(X, T, MIN) EITHER(X, T, LDEXP)
#define INTEGER_BINARY(X, T)                                                                 \
  BOTH(X, T, ADD) EITHER(X, T, SUB) BOTH(X, T, MUL) EITHER(X, T, DIV) EITHER(X, T, REM)      \
  EITHER(X, T, MAX) EITHER(X, T, MIN) BOTH(X, T, AND) BOTH(X, T, OR) BOTH(X, T, XOR)         \
  EITHER(X, T, SHL) EITHER(X, T, SHR)
#define BOOL_BINARY(X) BOTH(X, b8, AND) BOTH(X, b8, OR) BOTH(X, b8, XOR)
#define BINARY(X)                                                                            \
  FLOAT_BINARY(X, f32) FLOAT_BINARY(X, f64) INTEGER_BINARY(X, i32) INTEGER_BINARY(X, i64)    \
  BOOL_BINARY(X)
#define COMPARE_NUMBER(X, T) BOTH(X, T, EQ) EITHER(X, T, LT) EITHER(X, T, LE)
#define COMPARE(X)                                                                           \
  COMPARE_NUMBER(X, f32) COMPARE_NUMBER(X, f64) COMPARE_NUMBER(X, i32)                       \
  COMPARE_NUMBER(X, i64) BOTH(X, b8, EQ)
#define FLOAT_UNARY(X, T) X(T, NEG) X(T, ABS) X(T, SQRT) X(T, FLOOR) X(T, CEIL) X(T, ROUND)
#define INTEGER_UNARY(X, T) X(T, NEG) X(T, ABS) X(T, NOT)
#define UNARY(X)                                                                             \
  FLOAT_UNARY(X, f32) FLOAT_UNARY(X, f64) INTEGER_UNARY(X, i32) INTEGER_UNARY(X, i64)        \
  X(b8, NOT)
#define FMA(X, T) X(T, 0) X(T, 2) X(T, 3) X(T, 4) X(T, 6)
#define SELECT(X, T) X(T, 0) X(T, 2) X(T, 4) X(T, 6)
#define CAST_TO(X, to) X(b8, to) X(i32, to) X(i64, to) X(f32, to) X(f64, to)
#define CAST(X) CAST_TO(X, b8) CAST_TO(X, i32) CAST_TO(X, i64) CAST_TO(X, f32) CAST_TO(X, f64)

#define ARGUMENTS void *dst, const void *a, const void *b, const void *c, size_t n
#define SNI_X(T, OP, form)                                    \
  static void T##_##OP##_##form(ARGUMENTS) {                  \
    (void)c;                                                  \
    binary_##T(SNI_KOP_##OP, form, dst, a, b, n);             \
  }
BINARY(SNI_X)
#undef SNI_X
#define SNI_X(T, OP, form)                                    \
  static void T##_##OP##_##form(ARGUMENTS) {                  \
    (void)c;                                                  \
    compare_##T(SNI_KOP_##OP, form, dst, a, b, n);            \
  }
COMPARE(SNI_X)
#undef SNI_X
#define SNI_X(T, OP)                                          \
  static void T##_##OP(ARGUMENTS) {                           \
    (void)b, (void)c;                                         \
    unary_##T(SNI_KOP_##OP, dst, a, n);                       \
  }
UNARY(SNI_X)
#undef SNI_X
#define SNI_X(T, form) \
  static void T##_FMA_##form(ARGUMENTS) { fma_##T(form, dst, a, b, c, n); }
FMA(SNI_X, f32) FMA(SNI_X, f64)
#undef SNI_X
#define SNI_X(form)                                                       \
  static void FOLD_##form(ARGUMENTS) { (void)c; fold_f64(form, dst, a, b, n); }
SNI_X(0) SNI_X(2)
#undef SNI_X
#define SNI_X(T, form) \
  static void SELECT_##T##_##form(ARGUMENTS) { select_##T(form, dst, a, b, c, n); }
SELECT(SNI_X, 8) SELECT(SNI_X, 16) SELECT(SNI_X, 32) SELECT(SNI_X, 64)
#undef SNI_X
#define SNI_X(from, to)                                       \
  static void CAST_##from##_##to(ARGUMENTS) {                 \
    (void)b, (void)c;                                         \
    cast_##to(dtype_##from, dst, a, n);                       \
  }
CAST(SNI_X)
#undef SNI_X

const sni_blocks SNI_LOCAL(sni_interp_blocks) = {
    .name = SNI_TEXT_EXPAND(SNI_ISA_SUFFIX),
    .op = {
#define SNI_X(T, OP, form) [SNI_KOP_##OP][dtype_##T][form] = T##_##OP##_##form,
        BINARY(SNI_X) COMPARE(SNI_X)
#undef SNI_X
#define SNI_X(T, OP) [SNI_KOP_##OP][dtype_##T][0] = T##_##OP,
        UNARY(SNI_X)
#undef SNI_X
#define SNI_X(T, form) [SNI_KOP_FMA][dtype_##T][form] = T##_FMA_##form,
        FMA(SNI_X, f32) FMA(SNI_X, f64)
#undef SNI_X
        [SNI_KOP_FOLD_ANGLE][SN_F64] = {FOLD_0, NULL, FOLD_2},
#define SNI_X(T, form) \
  [SNI_KOP_SELECT][SN_BOOL][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_I8][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_U8][form] = SELECT_##T##_##form,
        SELECT(SNI_X, 8)
#undef SNI_X
#define SNI_X(T, form) \
  [SNI_KOP_SELECT][SN_I16][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_U16][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_F16][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_BF16][form] = SELECT_##T##_##form,
        SELECT(SNI_X, 16)
#undef SNI_X
#define SNI_X(T, form) \
  [SNI_KOP_SELECT][SN_I32][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_U32][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_F32][form] = SELECT_##T##_##form,
        SELECT(SNI_X, 32)
#undef SNI_X
#define SNI_X(T, form) \
  [SNI_KOP_SELECT][SN_I64][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_U64][form] = SELECT_##T##_##form, \
  [SNI_KOP_SELECT][SN_F64][form] = SELECT_##T##_##form,
        SELECT(SNI_X, 64)
#undef SNI_X
    },
    .cast = {
#define SNI_X(from, to) [dtype_##from][dtype_##to] = CAST_##from##_##to,
        CAST(SNI_X)
#undef SNI_X
        [SN_I8][SN_I32] = cast_i8_i32, [SN_U8][SN_I32] = CAST_b8_i32,
        [SN_I16][SN_I32] = cast_i16_i32, [SN_U16][SN_I32] = cast_u16_i32,
        [SN_I32][SN_I8] = cast_i32_8, [SN_I32][SN_U8] = cast_i32_8,
        [SN_I32][SN_I16] = cast_i32_16, [SN_I32][SN_U16] = cast_i32_16,
        [SN_F16][SN_F32] = cast_f16_f32, [SN_BF16][SN_F32] = cast_bf16_f32,
        [SN_F32][SN_F16] = cast_f32_f16, [SN_F32][SN_BF16] = cast_f32_bf16,
    },
    .math = SNI_LOCAL(sni_interp_math),
    .move = &SNI_LOCAL(sni_interp_move),
    .reduce = &SNI_LOCAL(sni_interp_reduce),
    .gemm = &SNI_LOCAL(sni_gemm_kernels),
};
// clang-format on
