// Kernel IR (K): one kernel is a loop nest over buffers with a small SSA program inside, or a
// matrix contraction with such a program as its epilogue. The schedule (vector axis, grains) is
// data on the kernel. Backends are straight walkers of K.
//
//   axes    [0, n_outer) are independent (parallel); [n_outer, n_outer + n_inner) are reduced, in
//           this order.
//   units   the outer domain cut into pieces: axis i < n_outer is cut into
//           ceil(extent[i] / grain[i]) pieces. A kernel function runs units [begin, end); unit u
//           has piece index (row-major over the outer axes, last fastest). In a nest grain[i] is 1
//           for all axes but the vector axis.
//   vector  vector_inner: lanes run along the last inner axis; else along the last outer axis
//           (n_outer >= 1 then).
//   stages  run in order for each unit: an inner stage loops over the inner axes; an outer stage
//           runs once per outer index. An instruction may use values of its own stage, of earlier
//           outer stages, and reductions of earlier inner stages. It may not use another inner
//           stage's element values: those are recomputed or go through row scratch.
//   values  instruction number i defines value i. insts[i].axes has a bit per axis that the value
//           varies along.
//   lanes   REDUCE in a vector_inner nest: element i of the vector axis goes to lane i % 64, each
//           lane accumulates sequentially from the identity over the inner axes in order, then
//           lanes combine as a tree: lane[l] = combine(lane[l], lane[l + w]) for
//           w = 32, 16, ..., 1. Otherwise each outer index accumulates sequentially. The identity
//           of a float sum is -0.0, and the final result has +0.0 added. Same bits on every
//           backend, ISA and thread count.
//   faults  CHECK_INDEX sets sni_scratch_header.fault and clamps.
#ifndef SNI_CODEGEN_KERNEL_H
#define SNI_CODEGEN_KERNEL_H

#include "runtime/arena.h"
#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

#define SNI_MAX_AXES 10
#define SNI_REDUCE_LANES 64
#define SNI_NO_VALUE UINT32_MAX

// SNI_KOP(ID, name, operands, CORE or MATH, formula). MATH ops are expanded (codegen/expand/expand.c) into
// CORE ones before any backend sees them. Operands have the result's dtype unless said otherwise.
#define SNI_KOPS(SNI_KOP)                                                                         \
  SNI_KOP(NONE, "none", 0, CORE, "no operation")                                                  \
  SNI_KOP(CONST, "const", 0, CORE, "y = imm")                                                     \
  SNI_KOP(PARAM, "param", 0, CORE, "y = imm.size, converted from i64 to the dtype")               \
  SNI_KOP(INDEX, "index", 0, CORE, "y = index along axis imm.axis, as i32 or i64")                \
  SNI_KOP(LOAD, "load", 0, CORE, "y = access")                                                    \
  SNI_KOP(STORE, "store", 1, CORE, "access = a")                                                  \
  SNI_KOP(STORE_ADD, "store_add", 1, CORE,                                                        \
          "access += a; the nest is serial along the axes that collide")                          \
  SNI_KOP(SCRATCH_LOAD, "scratch_load", 0, CORE,                                                  \
          "y = row scratch slot imm.slot at this inner index")                                    \
  SNI_KOP(SCRATCH_STORE, "scratch_store", 1, CORE,                                                \
          "row scratch slot imm.slot at this inner index = a")                                    \
  SNI_KOP(REDUCE, "reduce", 1, CORE,                                                              \
          "y = a combined over the inner axes by imm.combiner: ADD MUL MAX MIN (bool: MAX or, "   \
          "MIN and)")                                                                             \
  SNI_KOP(CONTRACTION, "contraction", 0, CORE,                                                    \
          "y = sum over k of lhs * rhs (one fma per k, in order of k, from +0.0)")                \
  SNI_KOP(CHECK_INDEX, "check_index", 1, CORE,                                                    \
          "y = a clamped to [0, imm.size); a fault if it was outside; i64")                       \
  SNI_KOP(COPY, "copy", 1, CORE, "y = a")                                                         \
  SNI_KOP(ADD, "add", 2, CORE, "y = a + b; integers wrap")                                        \
  SNI_KOP(SUB, "sub", 2, CORE, "y = a - b")                                                       \
  SNI_KOP(MUL, "mul", 2, CORE, "y = a * b")                                                       \
  SNI_KOP(DIV, "div", 2, CORE, "y = a / b; IEEE; integers truncate, x / 0 = 0, MIN / -1 = MIN")   \
  SNI_KOP(REM, "rem", 2, CORE, "y = a - trunc(a / b) b: fmod; integers: x % 0 = 0, MIN % -1 = 0") \
  SNI_KOP(FMA, "fma", 3, CORE, "y = a * b + c, rounded once; floats")                             \
  SNI_KOP(MAX, "max", 2, CORE, "y = a >= b ? a : b; NaN if either is")                            \
  SNI_KOP(MIN, "min", 2, CORE, "y = a <= b ? a : b; NaN if either is")                            \
  SNI_KOP(NEG, "neg", 1, CORE, "y = -a (flips the sign bit)")                                     \
  SNI_KOP(ABS, "abs", 1, CORE, "y = |a| (clears the sign bit)")                                   \
  SNI_KOP(SQRT, "sqrt", 1, CORE, "y = sqrt(a), IEEE")                                             \
  SNI_KOP(FLOOR, "floor", 1, CORE, "y = floor(a)")                                                \
  SNI_KOP(CEIL, "ceil", 1, CORE, "y = ceil(a)")                                                   \
  SNI_KOP(ROUND, "round", 1, CORE, "y = nearest integer, ties to even")                           \
  SNI_KOP(LDEXP, "ldexp", 2, CORE, "y = a * 2^b, rounded once; b integer-valued, |b| <= 4200")    \
  SNI_KOP(AND, "and", 2, CORE, "y = a & b; bool and integers")                                    \
  SNI_KOP(OR, "or", 2, CORE, "y = a | b")                                                         \
  SNI_KOP(XOR, "xor", 2, CORE, "y = a ^ b")                                                       \
  SNI_KOP(NOT, "not", 1, CORE, "y = ~a; bool: !a")                                                \
  SNI_KOP(SHL, "shl", 2, CORE, "y = a << b; 0 if b (unsigned) >= width")                          \
  SNI_KOP(SHR, "shr", 2, CORE, "y = a >> b, logical; 0 if b (unsigned) >= width")                 \
  SNI_KOP(EQ, "eq", 2, CORE, "y = a == b; bool; a and b of dtype source")                         \
  SNI_KOP(LT, "lt", 2, CORE, "y = a < b; bool; a and b of dtype source")                          \
  SNI_KOP(LE, "le", 2, CORE, "y = a <= b; bool; a and b of dtype source")                         \
  SNI_KOP(SELECT, "select", 3, CORE, "y = a ? b : c; a bool")                                     \
  SNI_KOP(CAST, "cast", 1, CORE,                                                                  \
          "y = a of dtype source converted; float to integer truncates, saturates, NaN gives 0; " \
          "i64 to i32 wraps; to bool: a != 0")                                                    \
  SNI_KOP(BITCAST, "bitcast", 1, CORE, "y = bits of a of dtype source (same width)")              \
  SNI_KOP(SIGN, "sign", 1, MATH, "y = -1, 0 or 1; NaN for NaN")                                   \
  SNI_KOP(RSQRT, "rsqrt", 1, MATH, "y = 1 / sqrt(a)")                                             \
  SNI_KOP(EXP, "exp", 1, MATH, "y = e^a")                                                         \
  SNI_KOP(EXPM1, "expm1", 1, MATH, "y = e^a - 1")                                                 \
  SNI_KOP(LOG, "log", 1, MATH, "y = ln a")                                                        \
  SNI_KOP(LOG1P, "log1p", 1, MATH, "y = ln(1 + a)")                                               \
  SNI_KOP(SIN, "sin", 1, MATH, "y = sin a")                                                       \
  SNI_KOP(COS, "cos", 1, MATH, "y = cos a")                                                       \
  SNI_KOP(TANH, "tanh", 1, MATH, "y = tanh a")                                                    \
  SNI_KOP(SIGMOID, "sigmoid", 1, MATH, "y = 1 / (1 + e^-a)")                                      \
  SNI_KOP(ERF, "erf", 1, MATH, "y = erf a")                                                       \
  SNI_KOP(POW, "pow", 2, MATH,                                                                    \
          "y = a^b (C's pow); integers by repeated squaring, negative exponent: 0, but 1^b = 1, " \
          "(-1)^b = +-1")                                                                         \
  SNI_KOP(RANDOM, "random", 3, MATH,                                                              \
          "y = word c % 4 of Philox 4x32-10 block b + c / 4 under key a; a b c i64, y i32; "      \
          "counter words {lo b', hi b', 0, 0}, key words {lo a, hi a}")

typedef enum sni_kop {
#define SNI_X(id, name, operands, level, formula) SNI_KOP_##id,
  SNI_KOPS(SNI_X)
#undef SNI_X
      SNI_KOP_COUNT
} sni_kop;

typedef struct sni_kop_info {
  const char *name;
  int operands;
  bool math;  // must be expanded
} sni_kop_info;
extern const sni_kop_info sni_kop_infos[SNI_KOP_COUNT];

// An integer known when the kernel is built (param < 0) or given at run time: params[param].
typedef struct sni_kernel_size {
  int64_t value;
  int32_t param;
} sni_kernel_size;
static inline sni_kernel_size sni_kernel_constant(int64_t value) {
  return (sni_kernel_size){value, -1};
}
static inline int64_t sni_kernel_size_value(sni_kernel_size size, const int64_t *params) {
  return size.param < 0 ? size.value : params[size.param];
}

// Element address: offset + sum over axes of index * stride, + the value `index` (i64, in elements)
// if there is one.
typedef struct sni_kernel_access {
  uint32_t buffer;  // number of the kernel's buffer argument
  uint32_t index;   // value or SNI_NO_VALUE
  sni_kernel_size offset;
  sni_kernel_size stride[SNI_MAX_AXES];  // in elements; may be 0 or negative
} sni_kernel_access;

typedef struct sni_kernel_inst {
  sni_kop op;
  sn_dtype dtype;   // of the value (of the stored value)
  sn_dtype source;  // of operand a where the formula says so
  uint16_t axes;    // bit per axis that the value varies along
  uint32_t operands[3];
  uint32_t access;  // LOAD, STORE, STORE_ADD: number of the access
  union {
    double f;              // CONST of a float dtype
    int64_t i;             // CONST of an integer or bool dtype
    sni_kernel_size size;  // PARAM, CHECK_INDEX
    int axis;              // INDEX
    int slot;              // SCRATCH_*
    sni_kop combiner;      // REDUCE
  } imm;
} sni_kernel_inst;

typedef struct sni_kernel_stage {
  bool inner;
  // Instructions [first, first + count); stages cover all instructions in order.
  uint32_t first, count;
} sni_kernel_stage;

typedef struct sni_kernel_buffer {
  sn_dtype dtype;
  bool written;  // some STORE goes there
  bool read;
  // May be the same memory as another buffer of this kernel, read and written at equal elements
  // (in place).
  bool shared;
  bool streamed;  // written once and larger than the cache: non-temporal stores pay
} sni_kernel_buffer;

// c[m, n] = sum_k a[m, k] b[k, n] inside a kernel whose last two outer axes are m and n (leading
// ones: batch).
typedef struct sni_kernel_contraction {
  bool present;
  // Accesses; their strides along m, n and batch axes; lhs does not vary along n, rhs not along m.
  uint32_t lhs, rhs;
  sni_kernel_size k_extent, lhs_k_stride, rhs_k_stride;
} sni_kernel_contraction;

typedef struct sni_kernel {
  const char *name;  // letters, digits, '_': of the user's ops; for people
  int n_outer, n_inner;
  sni_kernel_size extent[SNI_MAX_AXES];
  int64_t grain[SNI_MAX_AXES];
  bool vector_inner;
  bool serial;  // units must run in order, on one thread (STORE_ADD collisions)
  bool faults;  // has CHECK_INDEX
  sni_kernel_contraction contraction;
  uint32_t n_buffers, n_accesses, n_insts, n_stages, n_params;
  sni_kernel_buffer *buffers;
  sni_kernel_access *accesses;
  sni_kernel_inst *insts;
  sni_kernel_stage *stages;
  // Row scratch: slot s holds the inner domain (x grain of the vector axis in an outer-vector nest)
  // of one dtype, row-major, from byte scratch_offset[s] behind the scratch header. Only with
  // constant inner extents.
  uint32_t n_slots;
  size_t *slot_offset;
  sn_dtype *slot_dtype;
  size_t scratch_bytes;  // of all slots together
} sni_kernel;

int64_t sni_kernel_units(const sni_kernel *kernel, const int64_t *params);
// Every invariant above. Errors: SN_ERR_INTERNAL naming the instruction.
sn_status sni_kernel_verify(const sni_kernel *kernel, sni_diag *diag);
void sni_kernel_print(const sni_kernel *kernel, sni_text *text);
// Identity of the code: equal for kernels that differ only in name. Fit as a cache key together
// with sni_kernel_equal.
uint64_t sni_kernel_hash(const sni_kernel *kernel);
bool sni_kernel_equal(const sni_kernel *a, const sni_kernel *b);
// A copy in the arena in which MATH ops are replaced by CORE ones. No MATH op left.
sn_status sni_kernel_expand(const sni_kernel *kernel, sni_arena *arena, sni_diag *diag,
                            sni_kernel **out_kernel);

#endif
