// What the CUDA text of cuda_text.c is written with: operations of K on one element, and sums whose
// lanes a warp shares. One thread holds lanes t and t + 32.
#ifndef SNI_TESTS_CUDA_PRELUDE_H
#define SNI_TESTS_CUDA_PRELUDE_H

#include "codegen/kernel/fold_angle.h"

typedef long long k_long;
typedef unsigned long long k_ulong;
typedef unsigned char u8;        // a bool
enum k_byte : unsigned char {};  // a number

#define K_OP         \
  template <class T> \
  __device__ inline T
#define K_FLOATS(name, expression)                    \
  __device__ inline float name(float a, float b) {    \
    return expression;                                \
  }                                                   \
  __device__ inline double name(double a, double b) { \
    return expression;                                \
  }
#define K_INTS(name, expression)                                  \
  __device__ inline int name(int x, int y) {                      \
    const k_ulong a = (k_ulong)(k_long)x, b = (k_ulong)(k_long)y; \
    (void)b;                                                      \
    return (int)(unsigned)(expression);                           \
  }                                                               \
  __device__ inline k_long name(k_long x, k_long y) {             \
    const k_ulong a = (k_ulong)x, b = (k_ulong)y;                 \
    (void)b;                                                      \
    return (k_long)(expression);                                  \
  }

K_FLOATS(k_add, a + b)
K_FLOATS(k_sub, a - b)
K_FLOATS(k_mul, a *b)
K_FLOATS(k_div, a / b)
K_INTS(k_add, a + b) K_INTS(k_sub, a - b) K_INTS(k_mul, a *b) K_OP k_int_div(T a, T b) {
  return b == 0 ? 0 : b == -1 ? (T)(0 - (k_ulong)a) : a / b;
}
K_OP k_int_rem(T a, T b) {
  return b == 0 || b == -1 ? 0 : a % b;
}
__device__ inline int k_div(int a, int b) {
  return k_int_div(a, b);
}
__device__ inline k_long k_div(k_long a, k_long b) {
  return k_int_div(a, b);
}
__device__ inline int k_rem(int a, int b) {
  return k_int_rem(a, b);
}
__device__ inline k_long k_rem(k_long a, k_long b) {
  return k_int_rem(a, b);
}
__device__ inline float k_rem(float a, float b) {
  return fmodf(a, b);
}
__device__ inline double k_rem(double a, double b) {
  return fmod(a, b);
}
__device__ inline float k_fma(float a, float b, float c) {
  return fmaf(a, b, c);
}
__device__ inline double k_fma(double a, double b, double c) {
  return fma(a, b, c);
}
__device__ inline int k_fma(int a, int b, int c) {
  return k_add(k_mul(a, b), c);
}
__device__ inline k_long k_fma(k_long a, k_long b, k_long c) {
  return k_add(k_mul(a, b), c);
}
K_OP k_max(T a, T b) {
  return a != a ? a : b != b ? b : a >= b ? a : b;
}
K_OP k_min(T a, T b) {
  return a != a ? a : b != b ? b : a <= b ? a : b;
}
K_OP k_copy(T a) {
  return a;
}
__device__ inline float k_neg(float a) {
  return -a;
}
__device__ inline double k_neg(double a) {
  return -a;
}
__device__ inline int k_neg(int a) {
  return k_sub(0, a);
}
__device__ inline k_long k_neg(k_long a) {
  return k_sub((k_long)0, a);
}
__device__ inline float k_abs(float a) {
  return fabsf(a);
}
__device__ inline double k_abs(double a) {
  return fabs(a);
}
__device__ inline int k_abs(int a) {
  return a < 0 ? k_neg(a) : a;
}
__device__ inline k_long k_abs(k_long a) {
  return a < 0 ? k_neg(a) : a;
}
K_OP k_sqrt(T a) {
  return sqrt(a);
}
K_OP k_floor(T a) {
  return floor(a);
}
K_OP k_ceil(T a) {
  return ceil(a);
}
K_OP k_round(T a) {
  return nearbyint(a);
}
K_OP k_ldexp(T a, T b) {
  return a != a || b != b ? (T)NAN : ldexp(a, (int)b);
}
__device__ inline double k_fold_angle(double a, double b) {
  return sni_fold_angle(a, b);
}
K_OP k_and(T a, T b) {
  return a & b;
}
K_OP k_or(T a, T b) {
  return a | b;
}
K_OP k_xor(T a, T b) {
  return a ^ b;
}
K_OP k_not(T a) {
  return ~a;
}
__device__ inline u8 k_not(u8 a) {
  return !a;
}
K_OP k_shift(T a, T b, bool left) {
  const k_ulong mask = sizeof(T) == 8 ? ~(k_ulong)0 : 0xffffffffu, by = (k_ulong)b & mask,
                bits = (k_ulong)a & mask;
  return by >= 8 * sizeof(T) ? 0 : (T)(left ? bits << by : bits >> by);
}
K_OP k_shl(T a, T b) {
  return k_shift(a, b, true);
}
K_OP k_shr(T a, T b) {
  return k_shift(a, b, false);
}

template <class T>
struct k_to {
  template <class S>
  static __device__ T from(S a) {
    return (T)a;
  }
  static __device__ T from(float a) { return from((double)a); }
  static __device__ T from(double a) {  // integers saturate
    const double edge = sizeof(T) == 8 ? 0x1p63 : 0x1p31;
    return a != a      ? 0
           : a < -edge ? (T)((k_ulong)1 << (8 * sizeof(T) - 1))
           : a >= edge ? (T)(((k_ulong)1 << (8 * sizeof(T) - 1)) - 1)
                       : (T)a;
  }
};
template <>
struct k_to<u8> {
  template <class S>
  static __device__ u8 from(S a) {
    return a != 0;
  }
};
template <>
struct k_to<float> {
  template <class S>
  static __device__ float from(S a) {
    return (float)a;
  }
};
template <>
struct k_to<double> {
  template <class S>
  static __device__ double from(S a) {
    return (double)a;
  }
};
template <class T, class S>
__device__ inline T k_bits(S a) {
  T y;
  memcpy(&y, &a, sizeof(y));
  return y;
}

// ---- 16-bit floats, as bits: to nearest, ties to even
__device__ inline float k_from_f16(unsigned w) {
  const unsigned size = (w & 0x7fff) << 13, sign = (w & 0x8000) << 16;
  const float scaled = k_bits<float>(size) * 0x1p112f;
  const unsigned bits = size >= 0x0f800000 ? size | 0x7f800000 : k_bits<unsigned>(scaled);
  return k_bits<float>(bits | sign);
}
__device__ inline unsigned short k_to_f16(float a) {
  const unsigned bits = k_bits<unsigned>(a), size = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
  if (size > 0x7f800000) return (unsigned short)(0x7e00 | sign);
  if (size >= 0x47800000) return (unsigned short)(0x7c00 | sign);
  const unsigned small = k_bits<unsigned>(k_bits<float>(size) + 0.5f) - 0x3f000000;
  const unsigned usual = (size + (size >> 13 & 1) + 0xfff - (112u << 23)) >> 13;
  return (unsigned short)((size < 0x38800000 ? small : usual) | sign);
}
__device__ inline float k_from_bf16(unsigned w) {
  return k_bits<float>(w << 16);
}
__device__ inline unsigned short k_to_bf16(float a) {
  const unsigned bits = k_bits<unsigned>(a), upper = bits >> 16;
  return (unsigned short)(a == a ? (bits + (upper & 1) + 0x7fff) >> 16 : upper | 0x40);
}

// ---- sums. L: lanes that this thread holds: 1, one after the other; 64; 2, of a warp's. C: chunk.
enum { k_levels = 24 };
// none: what combining leaves alone; last: done to a total.
#define K_COMBINER(op, real, integer, end)                                                         \
  struct op##_of {                                                                                 \
    template <class T>                                                                             \
    static __device__ T of(T a, T b) {                                                             \
      return k_##op(a, b);                                                                         \
    }                                                                                              \
    template <class T>                                                                             \
    static __device__ T none() {                                                                   \
      return (T)0.5 != 0 ? (T)(real) : sizeof(T) == 1 ? (T)(integer > 0) : k_to<T>::from(integer); \
    }                                                                                              \
    template <class T>                                                                             \
    static __device__ T last(T y) {                                                                \
      return end;                                                                                  \
    }                                                                                              \
  };
K_COMBINER(add, -0.0, 0, k_add(y, (T)0))
K_COMBINER(mul, 1.0, 1, y)
K_COMBINER(max, -INFINITY, -INFINITY, y)
K_COMBINER(min, INFINITY, INFINITY, y)

template <class T, class F, int L, k_long C>
struct k_sum {
  T lane[C ? k_levels : 1][L], identity;
  k_long count[k_levels];
  __device__ k_sum() : identity(F::template none<T>()) {
    for (int v = 0; v < (C ? k_levels : 1); v++) clear(v);
    for (int v = 0; v < k_levels; v++) count[v] = 0;
  }
  __device__ void clear(int level) {
    for (int l = 0; l < L; l++) lane[level][l] = identity;
  }
  __device__ void put(int level, k_long i, T x) {
    T *to = &lane[level][L == 2 ? i / 32 % 2 : i % L];
    *to = F::of(*to, x);
  }
  __device__ T tree(int level) {
    T *x = lane[level];
    if (L == 2) {
      T y = F::of(x[0], x[1]);
      for (int w = 16; w; w /= 2) y = F::of(y, __shfl_down_sync(~0u, y, w));
      return __shfl_sync(~0u, y, 0);
    }
    for (int w = L / 2; w; w /= 2)
      for (int l = 0; l < w; l++) x[l] = F::of(x[l], x[l + w]);
    return x[0];
  }
  __device__ void close(int level) {  // a piece has its result, an element of the next level
    const T y = tree(level);
    const k_long i = count[level + 1]++;
    clear(level);
    if (L != 2 || i % 32 == (k_long)threadIdx.x) put(level + 1, i, y);
    if (C && count[level + 1] % C == 0) close(level + 1);
  }
  __device__ T finish(k_long n) { return F::last(total(n)); }
  __device__ T total(k_long n) {
    if (!C) return tree(0);
    int level = 1;
    if (n <= 0 || n % (C ? C : 1)) close(0);
    for (; count[level] > 1; level++)
      if (count[level] % (C ? C : 1)) close(level);
    return L == 2 ? __shfl_sync(~0u, lane[level][0], 0) : lane[level][0];
  }
};
#endif
