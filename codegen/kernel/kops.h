// The table of kernel operations: scalar operations of kernel IR, from which enum, names, printer,
// parser, verifier, interpreter and back ends take what they need.
#ifndef SNI_CODEGEN_KOPS_H
#define SNI_CODEGEN_KOPS_H

#include "runtime/dtype.h"

// SNI_KOP(ID, name, operands, CORE or MATH, immediate, flags, dtypes, cost, formula). MATH ops are
// expanded (codegen/expand/) into CORE ones before any backend sees them. Operands have the
// result's dtype unless said otherwise. immediate: what imm holds. dtypes: the compute dtypes of
// SNI_DTYPES_<that>, or MOVED: all but complex ones, storage dtypes too; of the source where there is one, else of
// the value. cost: ns per f32 element on one core, roughly; of a
// MATH op: what it is expanded to.
#define SNI_KOPS(SNI_KOP)                                                                          \
  SNI_KOP(NONE, "none", 0, CORE, NONE, PLAIN, NONE, 0, "no operation")                             \
  SNI_KOP(CONST, "const", 0, CORE, CONST, PLAIN, MOVED, 0, "y = imm")                              \
  SNI_KOP(PARAM, "param", 0, CORE, SIZE, PLAIN, NUMBER, 0,                                         \
          "y = imm.size, converted from i64 to the dtype")                                         \
  SNI_KOP(INDEX, "index", 0, CORE, NONE, LOOP, INTEGER, 0.05,                                      \
          "y = index of the loop, as i32 or i64")                                                  \
  SNI_KOP(LOAD, "load", 0, CORE, NONE, ACCESS, MOVED, 0.1, "y = access")                           \
  SNI_KOP(STORE, "store", 1, CORE, NONE, ACCESS_STORE, MOVED, 0.1, "access = a")                   \
  SNI_KOP(UPDATE, "update", 1, CORE, COMBINER, ACCESS_STORE, MOVED, 0.5,                           \
          "access = access combined with a by imm.combiner: ADD MUL MAX MIN, or COPY: a; serial "  \
          "along the axes that collide")                                                           \
  SNI_KOP(REDUCE, "reduce", 1, CORE, COMBINER, LOOP, ANY, 0.05,                                    \
          "y = a combined over the loop and the reduced loops inside by imm.combiner: ADD MUL "    \
          "MAX MIN (bool: MAX or, MIN and)")                                                       \
  SNI_KOP(CONTRACTION, "contraction", 0, CORE, NONE, PLAIN, NUMBER, 0.05,                          \
          "y = sum over k of lhs * rhs (one fma per k, in order of k, from +0.0; a single one: "   \
          "lhs * rhs)")                                                                            \
  SNI_KOP(CARRY, "carry", 1, CORE, NONE, LOOP, ANY, 0,                                             \
          "y = a in the first iteration of the SEQUENTIAL loop, later the YIELD of it; a comes "   \
          "from outside")                                                                          \
  SNI_KOP(YIELD, "yield", 2, CORE, NONE, LOOP, ANY, 0,                                             \
          "b = a in the next iteration, b a CARRY; y, behind the loop: the last a, or the first "  \
          "value of b after no iteration")                                                         \
  SNI_KOP(CHECK_INDEX, "check_index", 1, CORE, SIZE, PLAIN, I64, 0.1,                              \
          "y = a clamped to [0, imm.size); a fault if it was outside; i64")                        \
  SNI_KOP(COPY, "copy", 1, CORE, NONE, PLAIN, MOVED, 0, "y = a")                                   \
  SNI_KOP(ADD, "add", 2, CORE, NONE, COMMUTES, NUMBER, 0.05, "y = a + b; integers wrap")           \
  SNI_KOP(SUB, "sub", 2, CORE, NONE, PLAIN, NUMBER, 0.05, "y = a - b")                             \
  SNI_KOP(MUL, "mul", 2, CORE, NONE, COMMUTES, NUMBER, 0.05, "y = a * b")                          \
  SNI_KOP(DIV, "div", 2, CORE, NONE, PLAIN, NUMBER, 0.3,                                           \
          "y = a / b; IEEE; integers truncate, x / 0 = 0, MIN / -1 = MIN")                         \
  SNI_KOP(REM, "rem", 2, CORE, NONE, PLAIN, NUMBER, 2.5,                                           \
          "y = a - trunc(a / b) b: fmod; integers: x % 0 = 0, MIN % -1 = 0")                       \
  SNI_KOP(FMA, "fma", 3, CORE, NONE, COMMUTES, FLOAT, 0.05, "y = a * b + c, rounded once; floats") \
  SNI_KOP(MAX, "max", 2, CORE, NONE, PLAIN, NUMBER, 0.05, "y = a >= b ? a : b; NaN if either is")  \
  SNI_KOP(MIN, "min", 2, CORE, NONE, PLAIN, NUMBER, 0.05, "y = a <= b ? a : b; NaN if either is")  \
  SNI_KOP(NEG, "neg", 1, CORE, NONE, PLAIN, NUMBER, 0.05, "y = -a (flips the sign bit)")           \
  SNI_KOP(ABS, "abs", 1, CORE, NONE, PLAIN, NUMBER, 0.05, "y = |a| (clears the sign bit)")         \
  SNI_KOP(SQRT, "sqrt", 1, CORE, NONE, PLAIN, FLOAT, 0.3, "y = sqrt(a), IEEE")                     \
  SNI_KOP(FLOOR, "floor", 1, CORE, NONE, PLAIN, FLOAT, 0.05, "y = floor(a)")                       \
  SNI_KOP(CEIL, "ceil", 1, CORE, NONE, PLAIN, FLOAT, 0.05, "y = ceil(a)")                          \
  SNI_KOP(ROUND, "round", 1, CORE, NONE, PLAIN, FLOAT, 0.05, "y = nearest integer, ties to even")  \
  SNI_KOP(LDEXP, "ldexp", 2, CORE, NONE, PLAIN, FLOAT, 0.3,                                        \
          "y = a * 2^b, rounded once; b integer-valued, |b| <= 4200")                              \
  SNI_KOP(FOLD_ANGLE, "fold_angle", 2, CORE, NONE, PLAIN, F64, 1,                                  \
          "y = a where |a| <= 2^45; else in [-pi/2, pi/2] with sin y = sin(a + b pi/2), by "       \
          "fold_angle.h; NaN for inf; f64; b != 0 is 1")                                           \
  SNI_KOP(AND, "and", 2, CORE, NONE, COMMUTES, LOGIC, 0.05, "y = a & b; bool and integers")        \
  SNI_KOP(OR, "or", 2, CORE, NONE, COMMUTES, LOGIC, 0.05, "y = a | b")                             \
  SNI_KOP(XOR, "xor", 2, CORE, NONE, COMMUTES, LOGIC, 0.05, "y = a ^ b")                           \
  SNI_KOP(NOT, "not", 1, CORE, NONE, PLAIN, LOGIC, 0.05, "y = ~a; bool: !a")                       \
  SNI_KOP(SHL, "shl", 2, CORE, NONE, PLAIN, INTEGER, 0.05,                                         \
          "y = a << b; 0 if b (unsigned) >= width")                                                \
  SNI_KOP(SHR, "shr", 2, CORE, NONE, PLAIN, INTEGER, 0.05,                                         \
          "y = a >> b, logical; 0 if b (unsigned) >= width")                                       \
  SNI_KOP(EQ, "eq", 2, CORE, NONE, SOURCE_COMMUTES, ANY, 0.05,                                     \
          "y = a == b; bool; a and b of dtype source")                                             \
  SNI_KOP(LT, "lt", 2, CORE, NONE, SOURCE, NUMBER, 0.05,                                           \
          "y = a < b; bool; a and b of dtype source")                                              \
  SNI_KOP(LE, "le", 2, CORE, NONE, SOURCE, NUMBER, 0.05,                                           \
          "y = a <= b; bool; a and b of dtype source")                                             \
  SNI_KOP(SELECT, "select", 3, CORE, NONE, PLAIN, MOVED, 0.05, "y = a ? b : c; a bool")            \
  SNI_KOP(                                                                                         \
      CAST, "cast", 1, CORE, NONE, SOURCE, MOVED, 0.05,                                            \
      "y = a of dtype source converted; float to integer truncates, saturates, NaN gives 0; "      \
      "integers wrap; to bool: a != 0; between a storage dtype and its compute dtype, rounded "    \
      "to nearest even")                                                                           \
  SNI_KOP(BITCAST, "bitcast", 1, CORE, NONE, SOURCE, MOVED, 0,                                     \
          "y = bits of a of dtype source (same width)")                                            \
  SNI_KOP(SIGN, "sign", 1, MATH, NONE, PLAIN, NUMBER, 0.25, "y = -1, 0 or 1; NaN for NaN")         \
  SNI_KOP(RSQRT, "rsqrt", 1, MATH, NONE, PLAIN, FLOAT, 0.6, "y = 1 / sqrt(a)")                     \
  SNI_KOP(EXP, "exp", 1, MATH, NONE, PLAIN, FLOAT, 0.9, "y = e^a")                                 \
  SNI_KOP(EXPM1, "expm1", 1, MATH, NONE, PLAIN, FLOAT, 1.2, "y = e^a - 1")                         \
  SNI_KOP(LOG, "log", 1, MATH, NONE, PLAIN, FLOAT, 1.3, "y = ln a")                                \
  SNI_KOP(LOG1P, "log1p", 1, MATH, NONE, PLAIN, FLOAT, 1.5, "y = ln(1 + a)")                       \
  SNI_KOP(SIN, "sin", 1, MATH, NONE, PLAIN, FLOAT, 1.3, "y = sin a")                               \
  SNI_KOP(COS, "cos", 1, MATH, NONE, PLAIN, FLOAT, 1.3, "y = cos a")                               \
  SNI_KOP(TANH, "tanh", 1, MATH, NONE, PLAIN, FLOAT, 1.6, "y = tanh a")                            \
  SNI_KOP(SIGMOID, "sigmoid", 1, MATH, NONE, PLAIN, FLOAT, 1.6, "y = 1 / (1 + e^-a)")              \
  SNI_KOP(ERF, "erf", 1, MATH, NONE, PLAIN, FLOAT, 1.4, "y = erf a")                               \
  SNI_KOP(TRUNC, "trunc", 1, MATH, NONE, PLAIN, FLOAT, 0.15, "y = a without its fraction")         \
  SNI_KOP(EXP2, "exp2", 1, MATH, NONE, PLAIN, FLOAT, 0.9, "y = 2^a")                               \
  SNI_KOP(LOG2, "log2", 1, MATH, NONE, PLAIN, FLOAT, 2, "y = log2 a")                              \
  SNI_KOP(LOG10, "log10", 1, MATH, NONE, PLAIN, FLOAT, 2, "y = log10 a")                           \
  SNI_KOP(CBRT, "cbrt", 1, MATH, NONE, PLAIN, FLOAT, 3, "y = a^(1/3)")                             \
  SNI_KOP(TAN, "tan", 1, MATH, NONE, PLAIN, FLOAT, 3, "y = tan a")                                 \
  SNI_KOP(ASIN, "asin", 1, MATH, NONE, PLAIN, FLOAT, 2.5, "y = arcsin a")                          \
  SNI_KOP(ACOS, "acos", 1, MATH, NONE, PLAIN, FLOAT, 2.5, "y = arccos a")                          \
  SNI_KOP(ATAN, "atan", 1, MATH, NONE, PLAIN, FLOAT, 2.5, "y = arctan a")                          \
  SNI_KOP(SINH, "sinh", 1, MATH, NONE, PLAIN, FLOAT, 1.8, "y = sinh a")                            \
  SNI_KOP(COSH, "cosh", 1, MATH, NONE, PLAIN, FLOAT, 1.6, "y = cosh a")                            \
  SNI_KOP(ASINH, "asinh", 1, MATH, NONE, PLAIN, FLOAT, 5, "y = arsinh a")                          \
  SNI_KOP(ACOSH, "acosh", 1, MATH, NONE, PLAIN, FLOAT, 5, "y = arcosh a")                          \
  SNI_KOP(ATANH, "atanh", 1, MATH, NONE, PLAIN, FLOAT, 4, "y = artanh a")                          \
  SNI_KOP(ERFC, "erfc", 1, MATH, NONE, PLAIN, FLOAT, 4, "y = 1 - erf a")                           \
  SNI_KOP(ERFINV, "erfinv", 1, MATH, NONE, PLAIN, FLOAT, 6, "a = erf y")                           \
  SNI_KOP(LGAMMA, "lgamma", 1, MATH, NONE, PLAIN, FLOAT, 12, "y = ln |gamma(a)|")                  \
  SNI_KOP(DIGAMMA, "digamma", 1, MATH, NONE, PLAIN, FLOAT, 10, "y = lgamma'(a)")                   \
  SNI_KOP(TRIGAMMA, "trigamma", 1, MATH, NONE, PLAIN, FLOAT, 3.4, "y = digamma'(a)")               \
  SNI_KOP(FLOOR_DIV, "floor_div", 2, MATH, NONE, PLAIN, NUMBER, 4,                                 \
          "y = floor(a / b) of the exact quotient; integers: x / 0 = 0")                           \
  SNI_KOP(FLOOR_MOD, "floor_mod", 2, MATH, NONE, PLAIN, NUMBER, 3,                                 \
          "y = a - floor(a / b) b: the sign of b; integers: x % 0 = 0")                            \
  SNI_KOP(ATAN2, "atan2", 2, MATH, NONE, PLAIN, FLOAT, 3, "y = angle of the point (b, a)")         \
  SNI_KOP(HYPOT, "hypot", 2, MATH, NONE, PLAIN, FLOAT, 1.5, "y = sqrt(a^2 + b^2)")                 \
  SNI_KOP(LOGADDEXP, "logaddexp", 2, MATH, NONE, PLAIN, FLOAT, 2.6, "y = ln(e^a + e^b)")           \
  SNI_KOP(LOGADDEXP2, "logaddexp2", 2, MATH, NONE, PLAIN, FLOAT, 2.6, "y = log2(2^a + 2^b)")       \
  SNI_KOP(SAR, "sar", 2, MATH, NONE, PLAIN, INTEGER, 0.2,                                          \
          "y = a >> b, arithmetic; b (unsigned) >= width: 0 or -1")                                \
  SNI_KOP(POW, "pow", 2, MATH, NONE, PLAIN, NUMBER, 4,                                             \
          "y = a^b (C's pow); integers by repeated squaring, negative exponent: 0, but 1^b = 1, "  \
          "(-1)^b = +-1")

typedef enum sni_kop {
#define SNI_X(id, name, operands, level, immediate, flags, dtypes, cost, formula) SNI_KOP_##id,
  SNI_KOPS(SNI_X)
#undef SNI_X
      SNI_KOP_COUNT
} sni_kop;

typedef enum sni_immediate {
  SNI_IMMEDIATE_NONE,
  SNI_IMMEDIATE_CONST,
  SNI_IMMEDIATE_SIZE,
  SNI_IMMEDIATE_COMBINER,
} sni_immediate;

enum {  // sni_kop_info.flags
  SNI_KOP_FLAGS_PLAIN = 0,
  SNI_KOP_FLAGS_COMMUTES = 1,  // in a and b
  SNI_KOP_FLAGS_SOURCE = 2,    // a has a dtype of its own: source
  SNI_KOP_FLAGS_SOURCE_COMMUTES = 3,
  SNI_KOP_FLAGS_ACCESS = 4,
  SNI_KOP_FLAGS_STORE = 8,  // without a value: nobody may use what it defines
  SNI_KOP_FLAGS_ACCESS_STORE = 12,
  SNI_KOP_FLAGS_LOOP = 16,  // names a loop
};

typedef struct sni_kop_info {
  const char *name;
  int operands;
  bool math;          // must be expanded
  uint8_t immediate;  // sni_immediate
  uint8_t flags;
  uint32_t dtypes;  // SNI_DTYPES_*, the compute dtypes of it but for MOVED
  float cost;       // ns
} sni_kop_info;
extern const sni_kop_info sni_kop_infos[SNI_KOP_COUNT];

static inline sni_immediate sni_kop_immediate(sni_kop op) {
  return (sni_immediate)sni_kop_infos[op].immediate;
}
static inline bool sni_kop_commutes(sni_kop op) {
  return sni_kop_infos[op].flags & SNI_KOP_FLAGS_COMMUTES;
}
static inline bool sni_kop_has_source(sni_kop op) {
  return sni_kop_infos[op].flags & SNI_KOP_FLAGS_SOURCE;
}
static inline bool sni_kop_has_access(sni_kop op) {
  return sni_kop_infos[op].flags & SNI_KOP_FLAGS_ACCESS;
}
static inline bool sni_kop_is_store(sni_kop op) {
  return sni_kop_infos[op].flags & SNI_KOP_FLAGS_STORE;
}
static inline bool sni_kop_has_loop(sni_kop op) {
  return sni_kop_infos[op].flags & SNI_KOP_FLAGS_LOOP;
}

#endif
