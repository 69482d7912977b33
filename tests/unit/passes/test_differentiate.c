// Gradients: every rule against central differences, first and second derivatives, at constant and
// symbolic shapes; without memory.
#include "tests/unit/passes/gradient_problem.h"

// ---- every rule against central differences
typedef struct gradient_case {
  sni_op op;
  double low, high;  // of the inputs
  const char *body;  // differentiated: every f64 parameter. One result.
} gradient_case;

#define UNARY(id, name, low, high)                                                   \
  {                                                                                  \
    SNI_OP_##id, low, high,                                                          \
        "%0 = parameter input 0 : f64[2,3]\n%1 = " name "(%0) : f64[2,3]\nreturn %1" \
  }
#define BINARY(id, name, low, high)                                              \
  {                                                                              \
    SNI_OP_##id, low, high,                                                      \
        "%0 = parameter input 0 : f64[2,3]\n%1 = parameter input 1 : f64[2,3]\n" \
        "%2 = " name "(%0, %1) : f64[2,3]\nreturn %2"                            \
  }
#define REDUCE(id, name)                                                                           \
  {SNI_OP_##id, -2, 2,                                                                             \
   "%0 = parameter input 0 : f64[2,3,4]\n%1 = " name "(%0) {axes=[1]} : f64[2,4]\nreturn %1"},     \
      {SNI_OP_##id, -2, 2,                                                                         \
       "%0 = parameter input 0 : f64[2,3,4]\n%1 = " name "(%0) {axes=[0,2]} : f64[3]\nreturn %1"}, \
      {SNI_OP_##id, -2, 2,                                                                         \
       "%0 = parameter input 0 : f64[5]\n%1 = " name "(%0) {axes=[0]} : f64[]\nreturn %1"},        \
      {SNI_OP_##id, -2, 2,                                                                         \
       "%0 = parameter input 0 : f64[A,B,4]\n%1 = " name "(%0) {axes=[1]} : f64[A,4]\nreturn %1"}, \
  {                                                                                                \
    SNI_OP_##id, -2, 2,                                                                            \
        "%0 = parameter input 0 : f64[3]\n%1 = " name "(%0) {axes=[]} : f64[3]\nreturn %1"         \
  }

static const gradient_case cases[] = {
    UNARY(NEG, "neg", -2, 2),
    UNARY(ABS, "abs", -2, 2),
    UNARY(SQRT, "sqrt", 0.5, 3),
    UNARY(RSQRT, "rsqrt", 0.5, 3),
    UNARY(EXP, "exp", -2, 2),
    UNARY(EXPM1, "expm1", -2, 2),
    UNARY(LOG, "log", 0.5, 3),
    UNARY(LOG1P, "log1p", -0.5, 3),
    UNARY(SIN, "sin", -2, 2),
    UNARY(COS, "cos", -2, 2),
    UNARY(TANH, "tanh", -2, 2),
    UNARY(SIGMOID, "sigmoid", -2, 2),
    UNARY(ERF, "erf", -2, 2),
    UNARY(EXP2, "exp2", -2, 2),
    UNARY(LOG2, "log2", 0.5, 3),
    UNARY(LOG10, "log10", 0.5, 3),
    UNARY(CBRT, "cbrt", 0.5, 3),
    UNARY(CBRT, "cbrt", -3, -0.5),
    UNARY(TAN, "tan", -1, 1),
    UNARY(ASIN, "asin", -0.8, 0.8),
    UNARY(ACOS, "acos", -0.8, 0.8),
    UNARY(ATAN, "atan", -3, 3),
    UNARY(SINH, "sinh", -2, 2),
    UNARY(COSH, "cosh", -2, 2),
    UNARY(ASINH, "asinh", -3, 3),
    UNARY(ACOSH, "acosh", 1.5, 4),
    UNARY(ATANH, "atanh", -0.8, 0.8),
    UNARY(ERFC, "erfc", -2, 2),
    UNARY(ERFINV, "erfinv", -0.8, 0.8),
    UNARY(LGAMMA, "lgamma", 0.5, 9),
    UNARY(LGAMMA, "lgamma", -1.8, -1.2),
    UNARY(DIGAMMA, "digamma", 0.5, 9),
    UNARY(DIGAMMA, "digamma", -1.8, -1.2),
    UNARY(TRIGAMMA, "trigamma", 0.5, 9),
    UNARY(TRIGAMMA, "trigamma", -1.8, -1.2),
    BINARY(ATAN2, "atan2", 0.5, 2),
    BINARY(ATAN2, "atan2", -2, -0.5),
    BINARY(HYPOT, "hypot", 0.5, 2),
    BINARY(HYPOT, "hypot", -2, -0.5),
    BINARY(LOGADDEXP, "logaddexp", -2, 2),
    BINARY(LOGADDEXP2, "logaddexp2", -2, 2),
    {SNI_OP_FLOOR_MOD, 1, 1.05,
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n"
     "%2 = constant [5.5, -3.5, 0.3] : f64[3]\n%3 = mul(%0, %2) : f64[3]\n"
     "%4 = floor_mod(%3, %1) : f64[3]\nreturn %4"},
    UNARY(IDENTITY, "identity", -2, 2),
    BINARY(ADD, "add", -2, 2),
    BINARY(SUB, "sub", -2, 2),
    BINARY(MUL, "mul", -2, 2),
    BINARY(DIV, "div", 0.5, 2),
    BINARY(POW, "pow", 0.5, 2),
    BINARY(MAX, "max", -2, 2),
    BINARY(MIN, "min", -2, 2),
    {SNI_OP_CAST, -2, 2, "%0 = parameter input 0 : f64[2]\n%1 = cast(%0) : f64[2]\nreturn %1"},
    // one operand used twice, and a base below 0 with integer exponents
    {SNI_OP_MUL, -2, 2, "%0 = parameter input 0 : f64[3]\n%1 = mul(%0, %0) : f64[3]\nreturn %1"},
    {SNI_OP_POW, -2, 2,
     "%0 = parameter input 0 : f64[5]\n%1 = constant [0, 1, 2, 3, -1] : f64[5]\n"
     "%2 = pow(%0, %1) : f64[5]\nreturn %2"},
    {SNI_OP_POW, -2, 2,
     "%0 = parameter input 0 : f64[2]\n%1 = constant 3 : f64[]\n"
     "%2 = broadcast(%1) : f64[2]\n%3 = pow(%0, %2) : f64[2]\nreturn %3"},
    {SNI_OP_POW, -2, 2,
     "%0 = parameter input 0 : f64[2]\n%1 = constant [2, 2] : f64[2]\n"
     "%2 = pow(%0, %1) : f64[2]\nreturn %2"},
    {SNI_OP_POW, -2, 2,
     "%0 = parameter input 0 : f64[2]\n%1 = constant [0, 0] : f64[2]\n"
     "%2 = pow(%0, %1) : f64[2]\nreturn %2"},
    {SNI_OP_POW, 0.5, 2,
     "%0 = parameter input 0 : f64[2]\n%1 = constant [-0.5, -0.5] : f64[2]\n"
     "%2 = pow(%0, %1) : f64[2]\nreturn %2"},
    {SNI_OP_REM, 1, 2,
     "%0 = parameter input 0 : f64[4]\n%1 = constant [0.7, -0.3, 5, 0.4] : f64[4]\n"
     "%2 = rem(%0, %1) : f64[4]\nreturn %2"},
    {SNI_OP_REM, 1, 1.05,
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n"
     "%2 = constant [5.5, -3.5] : f64[2]\n%3 = mul(%0, %2) : f64[2]\n"
     "%4 = rem(%3, %1) : f64[2]\nreturn %4"},
    {SNI_OP_SELECT, -2, 2,
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n"
     "%2 = constant [true, false, false, true] : bool[4]\n%3 = select(%2, %0, %1) : f64[4]\nreturn "
     "%3"},
    {SNI_OP_SELECT, -2, 2,
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n"
     "%2 = lt(%0, %1) : bool[4]\n%3 = mul(%0, %0) : f64[4]\n%4 = select(%2, %3, %1) : "
     "f64[4]\nreturn %4"},
    // views
    {SNI_OP_RESHAPE, -2, 2,
     "%0 = parameter input 0 : f64[2,6]\n%1 = reshape(%0) : f64[3,4]\nreturn %1"},
    {SNI_OP_RESHAPE, -2, 2,
     "%0 = parameter input 0 : f64[A,6]\n%1 = reshape(%0) : f64[2*A,3]\nreturn %1"},
    {SNI_OP_TRANSPOSE, -2, 2,
     "%0 = parameter input 0 : f64[2,3,4]\n%1 = transpose(%0) {perm=[2,0,1]} : f64[4,2,3]\nreturn "
     "%1"},
    {SNI_OP_BROADCAST, -2, 2,
     "%0 = parameter input 0 : f64[]\n%1 = broadcast(%0) : f64[2,3]\nreturn %1"},
    {SNI_OP_BROADCAST, -2, 2,
     "%0 = parameter input 0 : f64[3,1]\n%1 = broadcast(%0) : f64[2,3,4]\nreturn %1"},
    {SNI_OP_BROADCAST, -2, 2,
     "%0 = parameter input 0 : f64[1,A,1]\n%1 = broadcast(%0) : f64[B,A,B]\nreturn %1"},
    {SNI_OP_SLICE, -2, 2,
     "%0 = parameter input 0 : f64[6,7]\n%1 = slice(%0) {start=[1,0], step=[1,3]} : "
     "f64[4,3]\nreturn %1"},
    {SNI_OP_SLICE, -2, 2,
     "%0 = parameter input 0 : f64[6,7]\n%1 = slice(%0) {start=[5,6], step=[-1,-2]} : "
     "f64[6,3]\nreturn %1"},
    {SNI_OP_SLICE, -2, 2,
     "%0 = parameter input 0 : f64[6]\n%1 = slice(%0) {start=[4], step=[-3]} : f64[2]\nreturn %1"},
    {SNI_OP_SLICE, -2, 2,
     "%0 = parameter input 0 : f64[6]\n%1 = slice(%0) {start=[2], step=[1]} : f64[0]\nreturn %1"},
    {SNI_OP_SLICE, -2, 2,
     "%0 = parameter input 0 : f64[2*A+3]\n%1 = slice(%0) {start=[1], step=[2]} : f64[A]\nreturn "
     "%1"},
    {SNI_OP_SLICE, -2, 2,
     "%0 = parameter input 0 : f64[2*A+3]\n%1 = slice(%0) {start=[2*A], step=[-2]} : "
     "f64[A]\nreturn %1"},
    {SNI_OP_PAD, -2, 2,
     "%0 = parameter input 0 : f64[2,3]\n%1 = parameter input 1 : f64[]\n"
     "%2 = pad(%0, %1) {low=[1,0], high=[0,2], interior=[0,1]} : f64[3,7]\nreturn %2"},
    {SNI_OP_PAD, -2, 2,
     "%0 = parameter input 0 : f64[A]\n%1 = parameter input 1 : f64[]\n"
     "%2 = pad(%0, %1) {low=[1], high=[B], interior=[0]} : f64[A+B+1]\nreturn %2"},
    {SNI_OP_CONCAT, -2, 2,
     "%0 = parameter input 0 : f64[2,3]\n%1 = parameter input 1 : f64[2,1]\n%2 = parameter input 2 "
     ": f64[2,2]\n"
     "%3 = concat(%0, %1, %2, %0) {axis=1} : f64[2,9]\nreturn %3"},
    {SNI_OP_CONCAT, -2, 2,
     "%0 = parameter input 0 : f64[A,3]\n%1 = parameter input 1 : f64[B,3]\n"
     "%2 = concat(%0, %1) {axis=0} : f64[A+B,3]\nreturn %2"},
    // reductions
    REDUCE(REDUCE_SUM, "reduce_sum"),
    REDUCE(REDUCE_PROD, "reduce_prod"),
    REDUCE(REDUCE_MAX, "reduce_max"),
    REDUCE(REDUCE_MIN, "reduce_min"),
    {SNI_OP_REDUCE_PROD, -2, 2,
     "%0 = parameter input 0 : f64[2,3,4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[3,4]\nreturn %1"},
    {SNI_OP_REDUCE_PROD, -2, 2,
     "%0 = parameter input 0 : f64[1,7]\n%1 = reduce_prod(%0) {axes=[1]} : f64[1]\nreturn %1"},
    {SNI_OP_REDUCE_PROD, -2, 2,
     "%0 = parameter input 0 : f64[3,1]\n%1 = reduce_prod(%0) {axes=[1]} : f64[3]\nreturn %1"},
    {SNI_OP_PARTIAL_SUM, -2, 2,
     "%0 = parameter input 0 : f64[2,7,3]\n%1 = partial_sum(%0) {axis=1, chunk=3} : "
     "f64[2,3,3]\nreturn %1"},
    {SNI_OP_PARTIAL_SUM, -2, 2,
     "%0 = parameter input 0 : f64[A,B]\n%1 = partial_sum(%0) {axis=0, chunk=2} : "
     "f64[div(A+1,2),B]\nreturn %1"},
// cumulations: both flags, along the first and the last axis
#define CUMULATE(id, name, shape, axis, exclusive, reverse)                           \
  {                                                                                   \
    SNI_OP_##id, -2, 2,                                                               \
        "%0 = parameter input 0 : f64" shape "\n%1 = " name "(%0) {axis=" #axis       \
        ", exclusive=" #exclusive ", reverse=" #reverse "} : f64" shape "\nreturn %1" \
  }
#define CUMULATIONS(id, name)                                                       \
  CUMULATE(id, name, "[5]", 0, 0, 0), CUMULATE(id, name, "[2,4]", 1, 0, 1),         \
      CUMULATE(id, name, "[A,B]", 0, 0, 1), CUMULATE(id, name, "[A,C,2]", 1, 0, 0), \
      CUMULATE(id, name, "[3,1]", 1, 0, 0), CUMULATE(id, name, "[0]", 0, 0, 0)
    CUMULATIONS(CUMSUM, "cumsum"),
    CUMULATIONS(CUMPROD, "cumprod"),
    CUMULATIONS(CUMMAX, "cummax"),
    CUMULATIONS(CUMMIN, "cummin"),
    CUMULATE(CUMSUM, "cumsum", "[2,4]", 1, 1, 0),
    CUMULATE(CUMSUM, "cumsum", "[A,B]", 0, 1, 1),
    CUMULATE(CUMPROD, "cumprod", "[2,4]", 1, 1, 0),
    CUMULATE(CUMPROD, "cumprod", "[D,B]", 0, 1, 1),
#define RECURRENCE(shape, axis, exclusive, reverse)                                              \
  {                                                                                              \
    SNI_OP_RECURRENCE, -2, 2,                                                                    \
        "%0 = parameter input 0 : f64" shape "\n%1 = parameter input 1 : f64" shape              \
        "\n%2 = recurrence(%0, %1) {axis=" #axis ", exclusive=" #exclusive ", reverse=" #reverse \
        "} : f64" shape "\nreturn %2"                                                            \
  }
    RECURRENCE("[5]", 0, 0, 0),
    RECURRENCE("[4]", 0, 1, 0),
    RECURRENCE("[2,4]", 1, 0, 1),
    RECURRENCE("[A,C,2]", 1, 1, 1),
    // an exclusive extremum begins with infinity: its other elements
    {SNI_OP_CUMMAX, -2, 2,
     "%0 = parameter input 0 : f64[6]\n%1 = cummax(%0) {axis=0, exclusive=1, reverse=0} : "
     "f64[6]\n%2 = slice(%1) {start=[1], step=[1]} : f64[5]\nreturn %2"},
    {SNI_OP_CUMMIN, -2, 2,
     "%0 = parameter input 0 : f64[C,2]\n%1 = cummin(%0) {axis=0, exclusive=1, reverse=1} : "
     "f64[C,2]\n%2 = slice(%1) {start=[0,0], step=[1,1]} : f64[C-1,2]\nreturn %2"},
// contractions: all flags, with and without batch dims
#define MATMUL(ta, tb, a, b)                                                           \
  {SNI_OP_MATMUL, -2, 2,                                                               \
   "%0 = parameter input 0 : f64[" a "]\n%1 = parameter input 1 : f64[" b              \
   "]\n"                                                                               \
   "%2 = matmul(%0, %1) {ta=" #ta ", tb=" #tb "} : f64[2,4]\nreturn %2"},              \
  {                                                                                    \
    SNI_OP_MATMUL, -2, 2,                                                              \
        "%0 = parameter input 0 : f64[A,2," a "]\n%1 = parameter input 1 : f64[A,2," b \
        "]\n"                                                                          \
        "%2 = matmul(%0, %1) {ta=" #ta ", tb=" #tb "} : f64[A,2,2,4]\nreturn %2"       \
  }
    MATMUL(0, 0, "2,3", "3,4"),
    MATMUL(1, 0, "3,2", "3,4"),
    MATMUL(0, 1, "2,3", "4,3"),
    MATMUL(1, 1, "3,2", "4,3"),
// convolutions: strides, dilations, windows that leave the image, batch dims, few channels
#define CONV(b, x, w, y, numbers, image, kernel, window)                                      \
  {SNI_OP_CONV, -2, 2,                                                                        \
   "%0 = parameter input 0 : f64[" b x "]\n%1 = parameter input 1 : f64[" b w                 \
   "]\n"                                                                                      \
   "%2 = conv(%0, %1) {" numbers ", size=[" window "]} : f64[" b y "]\nreturn %2"},           \
      {SNI_OP_CONV_INPUT, -2, 2,                                                              \
       "%0 = parameter input 0 : f64[" b y "]\n%1 = parameter input 1 : f64[" b w             \
       "]\n"                                                                                  \
       "%2 = conv_input(%0, %1) {" numbers ", size=[" image "]} : f64[" b x "]\nreturn %2"},  \
  {                                                                                           \
    SNI_OP_CONV_KERNEL, -2, 2,                                                                \
        "%0 = parameter input 0 : f64[" b x "]\n%1 = parameter input 1 : f64[" b y            \
        "]\n"                                                                                 \
        "%2 = conv_kernel(%0, %1) {" numbers ", size=[" kernel "]} : f64[" b w "]\nreturn %2" \
  }
    CONV("", "A,5,2", "3,2,2", "A,3,2", "stride=[2], dilation=[1], start=[-1]", "5", "3", "3"),
    CONV("", "1,4,1", "3,1,1", "1,3,1", "stride=[1], dilation=[2], start=[-2]", "4", "3", "3"),
    CONV("2,", "1,3,3,2", "2,1,2,2", "1,2,3,2", "stride=[1,1], dilation=[1,1], start=[0,0]", "3,3",
         "2,1", "2,3"),
    CONV("", "2,4,2", "1,2,3", "2,4,3", "stride=[1], dilation=[1], start=[0]", "4", "1", "4"),
    // indices, one of them twice
    {SNI_OP_GATHER, -2, 2,
     "%0 = parameter input 0 : f64[4,2]\n%1 = constant [3, 0, 3, 1] : i64[2,2]\n"
     "%2 = gather(%0, %1) : f64[2,2,2]\nreturn %2"},
    {SNI_OP_SCATTER_ADD, -2, 2,
     "%0 = parameter input 0 : f64[4,2]\n%1 = constant [3, 0, 3] : i32[3]\n%2 = parameter input 1 "
     ": f64[3,2]\n"
     "%3 = scatter_add(%0, %1, %2) : f64[4,2]\nreturn %3"},
#define SCATTER(id, name)                                                                        \
  {SNI_OP_SCATTER_##id, -2, 2,                                                                   \
   "%0 = parameter input 0 : f64[4,2]\n%1 = constant [3, 0, 3, 3] : i64[2,2]\n"                  \
   "%2 = parameter input 1 : f64[2,2,2]\n%3 = scatter_" name                                     \
   "(%0, %1, %2) : f64[4,2]\n"                                                                   \
   "return %3"},                                                                                 \
  {                                                                                              \
    SNI_OP_SCATTER_##id, -2, 2,                                                                  \
        "%0 = parameter input 0 : f64[A]\n%1 = constant [0, 0, 0] : i32[3]\n"                    \
        "%2 = parameter input 1 : f64[3]\n%3 = scatter_" name "(%0, %1, %2) : f64[A]\nreturn %3" \
  }
    SCATTER(MUL, "mul"),
    SCATTER(MAX, "max"),
    SCATTER(MIN, "min"),
    SCATTER(UPDATE, "update"),
    // sorting: both orders, of one row and of several
    {SNI_OP_SORT, -2, 2,
     "%0 = parameter input 0 : f64[7]\n%1 = sort(%0) {descending=0} : f64[7]\nreturn %1"},
    {SNI_OP_SORT, -2, 2,
     "%0 = parameter input 0 : f64[A,B,C]\n%1 = sort(%0) {descending=1} : f64[A,B,C]\nreturn %1"},
// factorisations: of matrices that are far from singular, x + 4 or x x^T + 4
#define REGULAR(n)                                                                     \
  "%0 = parameter input 0 : f64[2," n "," n "]\n%1 = iota() {axis=1} : i64[2," n "," n \
  "]\n%2 = iota() {axis=2} : i64[2," n "," n "]\n%3 = eq(%1, %2) : bool[2," n "," n    \
  "]\n%4 = cast(%3) : f64[2," n "," n "]\n%5 = add(%4, %4) : f64[2," n "," n           \
  "]\n%6 = add(%5, %5) : f64[2," n "," n "]\n%7 = add(%0, %6) : f64[2," n "," n "]\n"
    {SNI_OP_CHOLESKY, -1, 1,
     REGULAR("3") "%8 = matmul(%7, %7) {ta=0, tb=1} : f64[2,3,3]\n"
                  "%9 = cholesky(%8) : f64[2,3,3]\nreturn %9"},
    {SNI_OP_CHOLESKY, -1, 1, REGULAR("2") "%8 = cholesky(%7) : f64[2,2,2]\nreturn %8"},
#define TRIANGULAR(lower, transpose, unit)                                                         \
  {                                                                                                \
    SNI_OP_TRIANGULAR_SOLVE, -1, 1,                                                              \
        REGULAR("3") "%8 = parameter input 1 : f64[2,3,2]\n%9 = triangular_solve(%7, %8) "        \
                     "{lower=" #lower ", transpose=" #transpose ", unit=" #unit                  \
                     "} : f64[2,3,2]\nreturn %9" \
  }
    TRIANGULAR(1, 0, 0),
    TRIANGULAR(0, 0, 0),
    TRIANGULAR(1, 1, 0),
    TRIANGULAR(0, 1, 1),
    {SNI_OP_SOLVE, -1, 1,
     REGULAR("3") "%8 = parameter input 1 : f64[2,3,2]\n%9 = solve(%7, %8) {quiet=0} : "
                  "f64[2,3,2]\nreturn %9"},
    {SNI_OP_DETERMINANT, -1, 1, REGULAR("3") "%8 = determinant(%7) {part=0} : f64[2]\nreturn %8"},
    {SNI_OP_DETERMINANT, -1, 1, REGULAR("2") "%8 = determinant(%7) {part=2} : f64[2]\nreturn %8"},
    {SNI_OP_DETERMINANT, -1, 1, REGULAR("2") "%8 = determinant(%7) {part=1} : f64[2]\nreturn %8"},
    {SNI_OP_QR, -1, 1, REGULAR("3") "%8 = qr(%7) : f64[2,6,3]\nreturn %8"},
    {SNI_OP_QR, -1, 1, "%0 = parameter input 0 : f64[4,2]\n%1 = qr(%0) : f64[6,2]\nreturn %1"},
    {SNI_OP_EIGH, -1, 1,
     "%0 = parameter input 0 : f64[2,3,3]\n%1 = eigh(%0) : f64[2,4,3]\nreturn %1"},
    {SNI_OP_SVD, -1, 1,
     "%0 = parameter input 0 : f64[2,3,3]\n%1 = svd(%0) : f64[2,7,3]\nreturn %1"},
    {SNI_OP_SVD, -1, 1, "%0 = parameter input 0 : f64[3,2]\n%1 = svd(%0) : f64[6,2]\nreturn %1"},
    {SNI_OP_SVD, -1, 1, "%0 = parameter input 0 : f64[2,3]\n%1 = svd(%0) : f64[6,2]\nreturn %1"},
    // transforms, of pairs: both directions, even and odd lengths, both weights
    {SNI_OP_FFT, -2, 2,
     "%0 = parameter input 0 : f64[A,5,2]\n%1 = fft(%0) {inverse=0, norm=0} : f64[A,5,2]\nreturn "
     "%1"},
    {SNI_OP_FFT, -2, 2,
     "%0 = parameter input 0 : f64[6,2]\n%1 = fft(%0) {inverse=1, norm=1} : f64[6,2]\nreturn %1"},
    {SNI_OP_RFFT, -2, 2,
     "%0 = parameter input 0 : f64[A,6]\n"
     "%1 = rfft(%0) {twice=0, norm=0, pairs=1} : f64[A,4,2]\nreturn %1"},
    {SNI_OP_RFFT, -2, 2,
     "%0 = parameter input 0 : f64[5]\n"
     "%1 = rfft(%0) {twice=1, norm=2, pairs=1} : f64[3,2]\nreturn %1"},
    {SNI_OP_IRFFT, -2, 2,
     "%0 = parameter input 0 : f64[4,2]\n%1 = irfft(%0) {n=6, twice=1, norm=2} : f64[6]\n"
     "return %1"},
    {SNI_OP_IRFFT, -2, 2,
     "%0 = parameter input 0 : f64[A,3,2]\n%1 = irfft(%0) {n=5, twice=0, norm=1} : f64[A,5]\n"
     "return %1"},
    // a composition: softmax cross entropy with a shifted maximum
    {SNI_OP_EXP, -2, 2,
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_max(%0) {axes=[1]} : f64[2]\n"
     "%2 = reshape(%1) : f64[2,1]\n%3 = broadcast(%2) : f64[2,4]\n%4 = sub(%0, %3) : f64[2,4]\n"
     "%5 = exp(%4) : f64[2,4]\n%6 = reduce_sum(%5) {axes=[1]} : f64[2]\n%7 = log(%6) : f64[2]\n"
     "%8 = reshape(%7) : f64[2,1]\n%9 = broadcast(%8) : f64[2,4]\n%10 = sub(%4, %9) : "
     "f64[2,4]\nreturn %10"},
};

static double weighted_sum(const problem *p, sni_node_id node, sni_node_id weights) {
  ref_run run;
  ref_evaluate(&run, p->graph, p->inputs, symbol_values, false);
  double sum = 0;
  const ref_value *a = &run.values[node], *w = &run.values[weights];
  for (int64_t i = 0; i < a->count; i++) sum += a->cells[i].f * w->cells[i].f;
  ref_free(&run);
  return sum;
}

// Compares gradients[i], of sum(weights * node) for parameter i, with central differences.
static void check_gradients(problem *p, const char *what, sni_node_id node, sni_node_id weights,
                            const sni_node_id *gradients, uint32_t n) {
  ref_run run;
  ref_evaluate(&run, p->graph, p->inputs, symbol_values, false);
  for (uint32_t i = 0; i < n; i++) {
    for (int64_t k = 0; k < p->counts[i]; k++) {
      ref_cell *cell = &p->inputs[i][k];
      double x = cell->f, h = 1e-5, given = 0;
      cell->f = x + h;
      double above = weighted_sum(p, node, weights);
      cell->f = x - h;
      double below = weighted_sum(p, node, weights);
      cell->f = x;
      double expected = (above - below) / (2 * h);
      if (gradients[i] != SNI_NO_NODE) given = run.values[gradients[i]].cells[k].f;
      ck_assert_msg(fabs(given - expected) <= 1e-7 * (1 + fabs(expected)),
                    "%s: parameter %u, element %lld: %.12g, central difference %.12g", what, i,
                    (long long)k, given, expected);
    }
  }
  ref_free(&run);
}

START_TEST(rules_match_central_differences) {
  const gradient_case *c = &cases[_i];
  problem p = {.graph = graph_of(c->body), .random = 0x9E3779B97F4A7C15u + (unsigned)_i};
  sni_node_id y = p.graph->results[0].node, first[most_parameters], second[most_parameters];
  uint32_t n = p.graph->n_parameters;
  bool present = false;
  for (sni_node_id i = 0; i <= y; i++) present = present || p.graph->nodes[i].op == c->op;
  ck_assert_msg(present, "no %s in\n%s", sni_op_infos[c->op].name, c->body);
  fill_inputs(&p, c->low, c->high);
  sni_node_id weights = add_weights(&p, y);
  fill_inputs(&p, -1, 1);
  differentiate(&p, y, weights, n, first);
  check_gradients(&p, c->body, y, weights, first, n);
  check_optimised(&p, first, n);
  uint32_t m = p.graph->n_parameters;  // with the weights
  for (uint32_t i = 0; i < n; i++) {
    if (first[i] == SNI_NO_NODE) continue;
    char what[2048];
    snprintf(what, sizeof(what), "second derivative, %s", c->body);
    sni_node_id v = add_weights(&p, first[i]);
    fill_inputs(&p, -1, 1);
    differentiate(&p, first[i], v, m, second);
    check_gradients(&p, what, first[i], v, second, m);
    check_optimised(&p, second, m);
  }
  free_inputs(&p);
}
END_TEST

START_TEST(every_differentiable_op_has_a_case) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    bool found = false;
    if (sni_op_infos[op].lowering == SNI_LOWERING_PARTS) continue;  // test_complex_gradients.c
    if (sni_op_infos[op].op_class == SNI_CLASS_CONTROL) continue;   // tests/ops/test_control.c
    for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) found = found || (int)cases[i].op == op;
    ck_assert_msg(found == sni_op_infos[op].differentiable, "%s: %s", sni_op_infos[op].name,
                  found ? "has a case but no rule" : "has a rule but no case");
  }
}
END_TEST

// ---- memory: the Nth allocation fails, for every N
static int allocations_left;

static void *failing_realloc(void *user, void *old, size_t old_bytes, size_t new_bytes,
                             size_t align) {
  (void)user, (void)old_bytes;
  if (!new_bytes) return free(old), NULL;
  if (allocations_left-- <= 0) return NULL;
  ck_assert_uint_le(align, 16);
  return realloc(old, new_bytes);
}

static sn_status differentiate_and_optimise(const char *text) {
  sni_graph *graph, *better;
  sni_node_id xs[most_parameters], out[most_parameters];
  SNI_TRY(sni_graph_parse(&arena, &diag, text, strlen(text), &graph));
  int n = (int)graph->n_parameters;
  for (int i = 0; i < n; i++) xs[i] = graph->parameters[i].node;
  sni_differentiate_request request = {
      .y = graph->results[0].node, .seed = SNI_NO_NODE, .xs = xs, .n_xs = n};
  SNI_TRY(sni_differentiate(graph, &request, out));
  for (int i = 0; i < n; i++)
    if (out[i] != SNI_NO_NODE) SNI_TRY(sni_graph_add_result(graph, out[i], -1));
  return sni_optimize_graph(graph, &better);
}

START_TEST(failed_allocations_are_reported) {
  const sn_allocator host = {failing_realloc, NULL};
  char text[4096];
  snprintf(text, sizeof(text), "func @test {\n%s\n}\n", cases[_i].body);
  sni_allocator_init(&allocator, &host, 0);
  sn_status status = SN_ERR_MEMORY;
  for (int n = 0; status; n++) {
    allocations_left = n;
    // Arenas allocate in blocks: a different start makes different nodes the first of a block.
    bool begun = sni_arena_alloc(&arena, (size_t)(_i * 112 + n * 208) % 4000) != NULL;
    status = begun ? differentiate_and_optimise(text) : SN_ERR_MEMORY;
    sni_arena_deinit(&arena);
    ck_assert_uint_eq(allocator.bytes, 0);
    if (status) ck_assert_int_eq(status, SN_ERR_MEMORY);
    if (!status) ck_assert_int_gt(n, 3);
    sni_diag_clear(&diag);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("differentiate");
  TCase *t = tcase_create("differentiate");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, rules_match_central_differences, 0, (int)SNI_COUNT_OF(cases));
  tcase_add_test(t, every_differentiable_op_has_a_case);
  tcase_add_loop_test(t, failed_allocations_are_reported, 0, (int)SNI_COUNT_OF(cases));
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
