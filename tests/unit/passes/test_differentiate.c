// Gradients: every rule against central differences, first and second derivatives, at constant and
// symbolic shapes; ties, zeros and infinities by value; which inputs are connected, and what is
// said of those that are not.
#include "tests/unit/passes/pass_fixture.h"

enum { most_parameters = 24 };
static const int64_t symbol_values[] = {2, 3, 4, 5};

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

// A graph whose parameters have values; f is the sum of `weights` times the node.
typedef struct problem {
  sni_graph *graph;
  ref_cell *inputs[most_parameters];
  int64_t counts[most_parameters];
  uint64_t random;
} problem;

static int64_t count_of(const sni_graph *graph, sni_node_id id) {
  int64_t count = 1;
  const sni_type *type = sni_graph_type(graph, id);
  for (int k = 0; k < type->rank; k++)
    count *= sni_dim_evaluate(graph->dims, type->dims[k], symbol_values);
  return count;
}

// Gives values in [low, high] to parameters that have none yet.
static void fill_inputs(problem *p, double low, double high) {
  ck_assert_uint_le(p->graph->n_parameters, most_parameters);
  for (uint32_t i = 0; i < p->graph->n_parameters; i++) {
    if (p->inputs[i]) continue;
    p->counts[i] = count_of(p->graph, p->graph->parameters[i].node);
    p->inputs[i] = calloc((size_t)p->counts[i] + 1, sizeof(ref_cell));
    for (int64_t k = 0; k < p->counts[i]; k++)
      p->inputs[i][k].f = random_between(&p->random, low, high);
  }
}

static void free_inputs(problem *p) {
  for (uint32_t i = 0; i < p->graph->n_parameters; i++) free(p->inputs[i]);
}

static sni_node_id add_weights(problem *p, sni_node_id node) {
  sni_node_id id;
  sni_type type = *sni_graph_type(p->graph, node);
  check_ok(sni_graph_add_parameter(p->graph, &type, SNI_PARAMETER_INPUT, p->graph->n_parameters,
                                   NULL, &id));
  return id;
}

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

static void differentiate(problem *p, sni_node_id y, sni_node_id seed, uint32_t n,
                          sni_node_id *out) {
  sni_node_id xs[most_parameters];
  for (uint32_t i = 0; i < n; i++) xs[i] = p->graph->parameters[i].node;
  check_ok(sni_differentiate(
      p->graph, &(sni_differentiate_request){.y = y, .seed = seed, .xs = xs, .n_xs = (int)n}, out));
  check_ok(sni_graph_verify(p->graph));
  for (uint32_t i = 0; i < n; i++)
    if (out[i] != SNI_NO_NODE)
      ck_assert(sni_type_equal(p->graph->dims, sni_graph_type(p->graph, out[i]),
                               sni_graph_type(p->graph, xs[i])));
}

// The optimised graph gives the same bits for these nodes.
static void check_optimised(problem *p, const sni_node_id *nodes, uint32_t n) {
  sni_graph *better;
  ref_run before, after;
  p->graph->n_results = 0;
  for (uint32_t i = 0; i < n; i++)
    if (nodes[i] != SNI_NO_NODE) check_ok(sni_graph_add_result(p->graph, nodes[i], -1));
  check_ok(sni_optimize_graph(p->graph, &better));
  check_ok(sni_graph_verify(better));
  ref_evaluate(&before, p->graph, p->inputs, symbol_values, true);
  ref_evaluate(&after, better, p->inputs, symbol_values, true);
  for (uint32_t i = 0; i < better->n_results; i++)
    ck_assert(ref_equal(&before.values[p->graph->results[i].node],
                        &after.values[better->results[i].node]));
  ref_free(&before);
  ref_free(&after);
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
    if (op == SNI_OP_RANDOM_GAMMA) continue;  // implicit: tests/ops/test_gamma_gradient.c
    for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) found = found || (int)cases[i].op == op;
    ck_assert_msg(found == sni_op_infos[op].differentiable, "%s: %s", sni_op_infos[op].name,
                  found ? "has a case but no rule" : "has a rule but no case");
  }
}
END_TEST

// ---- exact values. Inputs are parameters in order; the gradient of the sum of the result is
// compared bit by bit.
typedef struct value_case {
  const char *what, *body;
  double inputs[3][8], expected[3][8];  // per parameter
} value_case;

#define INF ((double)INFINITY)
#define NOT_A_NUMBER ((double)NAN)
static const value_case values[] = {
    {"ties of max go to the first operand",
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n%2 = max(%0, %1) : "
     "f64[4]\nreturn %2",
     {{1, 2, 0, 5}, {1, 1, -0.0, 6}},
     {{1, 1, 1, 0}, {0, 0, 0, 1}}},
    {"ties of min go to the first operand",
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n%2 = min(%0, %1) : "
     "f64[4]\nreturn %2",
     {{1, 2, 0, 5}, {1, 1, -0.0, 6}},
     {{1, 0, 1, 1}, {0, 1, 0, 0}}},
    {"relu at 0",
     "%0 = parameter input 0 : f64[3]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[3]\n"
     "%3 = max(%2, %0) : f64[3]\nreturn %3",
     {{0, -1, 2}},
     {{0, 0, 1}}},
    {"the derivatives of asin, acos and atanh at 1, acosh at 1, cbrt at 0",
     "%0 = parameter input 0 : f64[2]\n%1 = asin(%0) : f64[2]\n%2 = atanh(%0) : f64[2]\n"
     "%3 = add(%1, %2) : f64[2]\n%4 = parameter input 1 : f64[2]\n%5 = acosh(%4) : f64[2]\n"
     "%6 = add(%3, %5) : f64[2]\n%7 = parameter input 2 : f64[2]\n%8 = cbrt(%7) : f64[2]\n"
     "%9 = add(%6, %8) : f64[2]\nreturn %9",
     {{1, -1}, {1, 1}, {0, -0.0}},
     {{INF, INF}, {INF, INF}, {INF, INF}}},
    {"hypot and atan2 at the origin",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = hypot(%0, %1) : "
     "f64[3]\n%3 = atan2(%0, %1) : f64[3]\n%4 = add(%2, %3) : f64[3]\nreturn %4",
     {{0, -0.0, 1}, {0, 0, 0}},
     {{0, 0, 1}, {0, 0, -1}}},
    {"hypot of numbers whose squares overflow or vanish",
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n%2 = hypot(%0, %1) : "
     "f64[2]\nreturn %2",
     {{3e300, 3e-300}, {4e300, 4e-300}},
     {{0.6, 0.6}, {0.8, 0.8}}},
    {"logaddexp of equal infinities",
     "%0 = parameter input 0 : f64[4]\n%1 = parameter input 1 : f64[4]\n%2 = logaddexp(%0, %1) : "
     "f64[4]\nreturn %2",
     {{INF, -INF, 0, -INF}, {INF, -INF, -INF, 3}},
     {{0.5, 0.5, 1, 0}, {0.5, 0.5, 0, 1}}},
    {"reduce_max shares among equals",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_max(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, 1, 3, 2, 1, 1, 1, 1}},
     {{0.5, 0, 0.5, 0, 0.25, 0.25, 0.25, 0.25}}},
    {"reduce_min shares among equals",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_min(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, 1, 3, 2, 4, 4, 5, 6}},
     {{0, 1, 0, 0, 0.5, 0.5, 0, 0}}},
    {"abs at 0",
     "%0 = parameter input 0 : f64[3]\n%1 = abs(%0) : f64[3]\nreturn %1",
     {{0, -0.0, -2}},
     {{0, 0, -1}}},
    {"sqrt at 0",
     "%0 = parameter input 0 : f64[2]\n%1 = sqrt(%0) : f64[2]\nreturn %1",
     {{0, 4}},
     {{INF, 0.25}}},
    {"select keeps the untaken side at 0, whatever it is",
     "%0 = parameter input 0 : f64[2]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[2]\n"
     "%3 = lt(%2, %0) : bool[2]\n%4 = constant 1 : f64[]\n%5 = broadcast(%4) : f64[2]\n"
     "%6 = select(%3, %0, %5) : f64[2]\n%7 = sqrt(%6) : f64[2]\n%8 = select(%3, %7, %2) : "
     "f64[2]\nreturn %8",
     {{0, 4}},
     {{0, 0.25}}},
    {"naive softplus far out stays NaN",
     "%0 = parameter input 0 : f64[2]\n%1 = constant 1 : f64[]\n%2 = broadcast(%1) : f64[2]\n"
     "%3 = exp(%0) : f64[2]\n%4 = add(%2, %3) : f64[2]\n%5 = log(%4) : f64[2]\nreturn %5",
     {{1e30, 0}},
     {{NOT_A_NUMBER, 0.5}}},
    {"product without zeros",
     "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 3, 4, 5}},
     {{60, 40, 30, 24}}},
    {"product with one zero",
     "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 5}},
     {{0, 40, 0, 0}}},
    {"product with two zeros",
     "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 0}},
     {{0, 0, 0, 0}}},
    {"product that overflows",
     "%0 = parameter input 0 : f64[3]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{1e200, 1e200, 1e-300}},
     {{1e-100, 1e-100, INF}}},
    {"product with one zero, symbolic",
     "%0 = parameter input 0 : f64[2*A]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 5}},
     {{0, 40, 0, 0}}},
    {"product with two zeros, symbolic",
     "%0 = parameter input 0 : f64[2*A]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
     {{2, 0, 4, 0}},
     {{0, 0, 0, 0}}},
    {"pow at 0",
     "%0 = parameter input 0 : f64[6]\n%1 = parameter input 1 : f64[6]\n%2 = pow(%0, %1) : "
     "f64[6]\nreturn %2",
     {{0, 0, 0, 0, 2, 3}, {0, 1, 2, 0.5, 0, 2}},
     {{0, 1, 0, INF, 0, 6}, {0, 0, 0, 0, 0.69314718055994529, 9.8875105980129874}}},
    {"pow at 0 with a constant exponent of 0",
     "%0 = parameter input 0 : f64[3]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[3]\n"
     "%3 = pow(%0, %2) : f64[3]\nreturn %3",
     {{0, -0.0, 2}},
     {{0, 0, 0}}},
    {"pow of bases that have no reciprocal",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = pow(%0, %1) : "
     "f64[3]\nreturn %2",
     {{NOT_A_NUMBER, 1e-320, -1}, {0, 0, 2}},
     {{0, 0, -2}, {NOT_A_NUMBER, -736.82724089097394, 0}}},
    {"pow that is infinite has no gradient in its exponent",
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n%2 = pow(%0, %1) : "
     "f64[2]\nreturn %2",
     {{0, -0.0}, {-1, -2}},
     {{-INF, INF}, {0, 0}}},
    {"max of NaN gives NaN to both operands",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = max(%0, %1) : "
     "f64[3]\nreturn %2",
     {{NOT_A_NUMBER, 1, INF}, {1, NOT_A_NUMBER, INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, 1}, {NOT_A_NUMBER, NOT_A_NUMBER, 0}}},
    {"min of NaN gives NaN to both operands",
     "%0 = parameter input 0 : f64[3]\n%1 = parameter input 1 : f64[3]\n%2 = min(%0, %1) : "
     "f64[3]\nreturn %2",
     {{NOT_A_NUMBER, 1, -INF}, {1, NOT_A_NUMBER, -INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, 1}, {NOT_A_NUMBER, NOT_A_NUMBER, 0}}},
    {"relu of NaN and infinities",
     "%0 = parameter input 0 : f64[3]\n%1 = constant 0 : f64[]\n%2 = broadcast(%1) : f64[3]\n"
     "%3 = max(%2, %0) : f64[3]\nreturn %3",
     {{NOT_A_NUMBER, INF, -INF}},
     {{NOT_A_NUMBER, 1, 0}}},
    {"a maximum that is NaN gives NaN to all of its elements",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_max(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, NOT_A_NUMBER, 3, 2, 1, INF, INF, -INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, 0, 0.5, 0.5, 0}}},
    {"a minimum that is NaN gives NaN to all of its elements",
     "%0 = parameter input 0 : f64[2,4]\n%1 = reduce_min(%0) {axes=[1]} : f64[2]\nreturn %1",
     {{3, NOT_A_NUMBER, 3, 2, 1, -INF, -INF, INF}},
     {{NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, 0, 0.5, 0.5, 0}}},
    {"rem steps down in its divisor",
     "%0 = parameter input 0 : f64[7]\n%1 = parameter input 1 : f64[7]\n%2 = rem(%0, %1) : "
     "f64[7]\nreturn %2",
     {{7, -7, 7, 0.3, 6, NOT_A_NUMBER, 5}, {2.25, 2.25, -2.25, 0.1, 2, 1, INF}},
     {{1, 1, 1, 1, 1, 1, 1}, {-3, 3, 3, -2, -3, NOT_A_NUMBER, 0}}},
    {"rem by nearly a whole part",  // 3 - 2^-52, where the quotient rounds to 3
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[2]\n%2 = rem(%0, %1) : "
     "f64[2]\nreturn %2",
     {{0x1.7ffffffffffffp+1, 1}, {1, 0}},
     {{1, 1}, {-2, NOT_A_NUMBER}}},
    {"the padding's gradient is not spoilt by infinite neighbours",
     "%0 = parameter input 0 : f64[2]\n%1 = parameter input 1 : f64[]\n"
     "%2 = pad(%0, %1) {low=[1], high=[0], interior=[0]} : f64[3]\n%3 = sqrt(%2) : f64[3]\nreturn "
     "%3",
     {{0, 4}, {1}},
     {{INF, 0.25}, {0.5}}},
};

START_TEST(values_are_exact) {
  const value_case *c = &values[_i];
  problem p = {.graph = graph_of(c->body)};
  sni_node_id gradients[most_parameters];
  ref_run run;
  uint32_t n = p.graph->n_parameters;
  fill_inputs(&p, 0, 0);
  for (uint32_t i = 0; i < n; i++)
    for (int64_t k = 0; k < p.counts[i]; k++) p.inputs[i][k].f = c->inputs[i][k];
  differentiate(&p, p.graph->results[0].node, SNI_NO_NODE, n, gradients);
  ref_evaluate(&run, p.graph, p.inputs, symbol_values, false);
  for (uint32_t i = 0; i < n; i++)
    for (int64_t k = 0; k < p.counts[i]; k++) {
      double given = run.values[gradients[i]].cells[k].f, expected = c->expected[i][k];
      bool close = fabs(given - expected) <= 2e-15 * fabs(expected);  // of transcendental functions
      ck_assert_msg(given == expected || close || (isnan(given) && isnan(expected)),
                    "%s: parameter %u, element %lld: %.17g, expected %.17g", c->what, i,
                    (long long)k, given, expected);
    }
  ref_free(&run);
  check_optimised(&p, gradients, n);
  free_inputs(&p);
}
END_TEST

// Second derivatives of a product at zeros: d2y / dx_i dx_j is the product of the rest, whichever
// of them are 0.
START_TEST(products_are_right_twice_at_zeros) {
  static const char *const bodies[] = {
      "%0 = parameter input 0 : f64[4]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
      "%0 = parameter input 0 : f64[2*A]\n%1 = reduce_prod(%0) {axes=[0]} : f64[]\nreturn %1",
  };
  static const double inputs[][4] = {
      {2, 3, 4, 5}, {2, 0, 4, 5}, {2, 0, 4, 0}, {0, 0, 4, 0}, {0, 0, 0, 0}};
  for (size_t s = 0; s < SNI_COUNT_OF(bodies); s++)
    for (size_t t = 0; t < SNI_COUNT_OF(inputs); t++) {
      problem p = {.graph = graph_of(bodies[s])};
      sni_node_id first[2], second[2];
      fill_inputs(&p, 0, 0);
      differentiate(&p, p.graph->results[0].node, SNI_NO_NODE, 1, first);
      add_weights(&p, first[0]);
      fill_inputs(&p, 0, 0);
      differentiate(&p, first[0], p.graph->parameters[1].node, 1, second);
      for (int k = 0; k < 4; k++) p.inputs[0][k].f = inputs[t][k];
      for (int i = 0; i < 4; i++) {
        ref_run run;
        for (int k = 0; k < 4; k++) p.inputs[1][k].f = k == i;
        ref_evaluate(&run, p.graph, p.inputs, symbol_values, false);
        for (int j = 0; j < 4; j++) {
          double expected = i != j;
          for (int k = 0; k < 4; k++)
            if (k != i && k != j) expected *= inputs[t][k];
          ck_assert_double_eq(run.values[second[0]].cells[j].f, expected);
        }
        ref_free(&run);
      }
      free_inputs(&p);
    }
}
END_TEST

// ---- connections
static sni_node_id gradient(sni_graph *graph, sni_node_id y, sni_node_id x) {
  sni_node_id out;
  check_ok(sni_differentiate(
      graph, &(sni_differentiate_request){.y = y, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1}, &out));
  return out;
}

static void check_explained(const char *body, sni_node_id y, sni_node_id x, const char *expected) {
  char text[256];
  sni_graph *graph = graph_of(body);
  for (sni_node_id i = 0; i < graph->n_nodes; i++)
    graph->nodes[i].location = (sni_location){.file = "model.c", .line = (int)i + 10};
  ck_assert_uint_eq(gradient(graph, y, x), SNI_NO_NODE);
  sni_explain_unconnected(graph, y, x, text, sizeof(text));
  ck_assert_str_eq(text, expected);
}

START_TEST(breaks_are_explained) {
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n%2 = exp(%1) : f32[2]\n"
      "return %2",
      2, 0, "y does not depend on it");
  check_explained("%0 = parameter input 0 : f32[2]\n%1 = exp(%0) : f32[2]\nreturn %1", 0, 1,
                  "y does not depend on it");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = cast(%0) : i32[2]\n%2 = add(%1, %1) : i32[2]\n"
      "%3 = cast(%2) : f32[2]\n%4 = exp(%3) : f32[2]\nreturn %4",
      4, 0, "cast to i32 at model.c:11 has no gradient");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = stop_gradient(%0) : f32[2]\n%2 = floor(%1) : f32[2]\n"
      "%3 = exp(%1) : f32[2]\nreturn %3",
      3, 0, "stop_gradient at model.c:11 has no gradient");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n%2 = lt(%0, %1) : "
      "bool[2]\n"
      "%3 = select(%2, %1, %1) : f32[2]\nreturn %3",
      3, 0, "lt at model.c:12 has no gradient");
  check_explained("%0 = parameter input 0 : i32[2]\n%1 = cast(%0) : f32[2]\nreturn %1", 1, 0,
                  "it is i32, and only floats and complex numbers have gradients");
  check_explained(
      "%0 = parameter input 0 : f32[2]\n%1 = parameter input 1 : f32[2]\n%2 = rem(%0, %1) : "
      "f32[2]\n%3 = floor(%2) : f32[2]\nreturn %3",
      3, 1, "floor at model.c:13 has no gradient");
}
END_TEST

// One stopped path does not hide the other; a gradient can be taken at a node in the middle, and at
// y itself.
START_TEST(paths_are_separate) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f64[1]\n%1 = exp(%0) : f64[1]\n"
      "%2 = stop_gradient(%1) : f64[1]\n%3 = mul(%1, %2) : f64[1]\nreturn %3");
  sni_node_id xs[] = {0, 1, 3, 2}, out[4];
  check_ok(sni_differentiate(
      graph, &(sni_differentiate_request){.y = 3, .seed = SNI_NO_NODE, .xs = xs, .n_xs = 4}, out));
  ref_cell x = {.f = 0.5}, *inputs[] = {&x};
  ref_run run;
  ref_evaluate(&run, graph, inputs, NULL, false);
  const double e = exp(0.5), expected[] = {e * e, e, 1, e};
  for (int i = 0; i < 4; i++)
    ck_assert_double_eq_tol(run.values[out[i]].cells[0].f, expected[i], 1e-15);
  ref_free(&run);
}
END_TEST

START_TEST(masks_limit_the_flow) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f64[1]\n%1 = exp(%0) : f64[1]\n%2 = sin(%0) : f64[1]\n"
      "%3 = add(%1, %2) : f64[1]\nreturn %3");
  const uint64_t masks[] = {0, 2, 1, 3};  // the sine is not on tape 2
  sni_node_id x = 0, out;
  sni_differentiate_request request = {
      .y = 3, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1, .masks = masks, .mask = 2};
  check_ok(sni_differentiate(graph, &request, &out));
  ref_cell half = {.f = 0.5}, *inputs[] = {&half};
  ref_run run;
  ref_evaluate(&run, graph, inputs, NULL, false);
  ck_assert_double_eq(run.values[out].cells[0].f, exp(0.5));
  ref_free(&run);
  request.mask = 4;
  check_ok(sni_differentiate(graph, &request, &out));
  ck_assert_uint_eq(out, SNI_NO_NODE);
}
END_TEST

static int pow_nodes(const sni_graph *graph) {
  int n = 0;
  for (sni_node_id i = 0; i < graph->n_nodes; i++) n += graph->nodes[i].op == SNI_OP_POW;
  return n;
}

// The gradient of a square, of x and of 1 takes no power.
START_TEST(small_constant_exponents_add_no_pow) {
  static const int added[] = {0, 0, 0, 1};
  for (int exponent = 0; exponent < 4; exponent++) {
    char body[200];
    snprintf(body, sizeof(body),
             "%%0 = parameter input 0 : f64[2]\n%%1 = constant %d : f64[]\n"
             "%%2 = broadcast(%%1) : f64[2]\n%%3 = pow(%%0, %%2) : f64[2]\nreturn %%3",
             exponent);
    sni_graph *graph = graph_of(body);
    ck_assert_uint_ne(gradient(graph, 3, 0), SNI_NO_NODE);
    ck_assert_int_eq(pow_nodes(graph), 1 + added[exponent]);
  }
}
END_TEST

START_TEST(wrong_requests_fail) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f32[2]\n%1 = cast(%0) : i32[2]\n%2 = exp(%0) : f32[2]\n"
      "%3 = constant 1 : f32[]\nreturn %2");
  sni_node_id x = 0, out = 7;
  sni_differentiate_request request = {.y = 1, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1};
  ck_assert_int_eq(sni_differentiate(graph, &request, &out), SN_ERR_GRADIENT);
  ck_assert_str_eq(diag.text,
                   "gradients: y is i32[2] (cast); only floats and complex numbers have gradients");
  ck_assert_uint_eq(out, SNI_NO_NODE);
  sni_diag_clear(&diag);
  request.y = 2;
  request.seed = 3;
  ck_assert_int_eq(sni_differentiate(graph, &request, &out), SN_ERR_GRADIENT);
  ck_assert_str_eq(diag.text, "gradients: the seed is f32[], but y is f32[2]");
}
END_TEST

START_TEST(locations_are_those_of_the_op) {
  sni_graph *graph = graph_of(
      "%0 = parameter input 0 : f32[2]\n%1 = exp(%0) : f32[2]\n%2 = tanh(%1) : f32[2]\n"
      "return %2");
  graph->nodes[1].location = (sni_location){0};
  graph->nodes[2].location = (sni_location){.file = "model.c", .line = 12};
  sni_node_id x = 0, out, before = graph->n_nodes;
  sni_differentiate_request request = {
      .y = 2, .seed = SNI_NO_NODE, .xs = &x, .n_xs = 1, .location = {.file = "train.c", .line = 7}};
  check_ok(sni_differentiate(graph, &request, &out));
  ck_assert_int_eq(graph->nodes[out].location.line, 7);  // of the exp, which has none
  ck_assert_int_eq(graph->nodes[before].location.line, 12);
  for (sni_node_id i = before; i < graph->n_nodes; i++)
    ck_assert_ptr_nonnull(graph->nodes[i].location.file);
}
END_TEST

// No recursion anywhere: a chain of 10000 ops, and one node with 10000 users.
START_TEST(deep_and_wide_graphs) {
  enum { n = 10000 };
  sni_graph *graph;
  sni_type type = sni_type_make(SN_F64, 0, NULL);
  sni_node_id x, y, sum;
  check_ok(sni_graph_create(&arena, &diag, "deep", NULL, &graph));
  check_ok(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_INPUT, 0, "x", &x));
  y = sum = x;
  for (int i = 0; i < n; i++) {
    check_ok(sni_graph_add(graph, SNI_OP_NEG, &y, 1, NULL, 0, NULL, (sni_location){0}, &y));
    check_ok(sni_graph_add(graph, SNI_OP_ADD, (sni_node_id[]){sum, x}, 2, NULL, 0, NULL,
                           (sni_location){0}, &sum));
  }
  check_ok(sni_graph_add(graph, SNI_OP_ADD, (sni_node_id[]){sum, y}, 2, NULL, 0, NULL,
                         (sni_location){0}, &y));
  sni_node_id dx = gradient(graph, y, x);
  check_ok(sni_graph_add_result(graph, dx, -1));
  sni_graph *better;
  check_ok(sni_optimize_graph(graph, &better));
  ref_cell one = {.f = 1}, *inputs[] = {&one};
  ref_run run;
  ref_evaluate(&run, better, inputs, NULL, false);
  ck_assert_double_eq(run.values[better->results[0].node].cells[0].f, n + 2);
  ref_free(&run);
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
  tcase_add_loop_test(t, values_are_exact, 0, (int)SNI_COUNT_OF(values));
  tcase_add_test(t, products_are_right_twice_at_zeros);
  tcase_add_test(t, breaks_are_explained);
  tcase_add_test(t, paths_are_separate);
  tcase_add_test(t, small_constant_exponents_add_no_pow);
  tcase_add_test(t, masks_limit_the_flow);
  tcase_add_test(t, wrong_requests_fail);
  tcase_add_test(t, locations_are_those_of_the_op);
  tcase_add_test(t, deep_and_wide_graphs);
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
