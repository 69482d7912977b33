// The textual form: round trips of every op and every kind of constant, and malformed texts with
// the place of the mistake.
#include "graph_fixture.h"

#include <locale.h>
#include <math.h>

// Parses and prints again. The result belongs to the caller.
static char *reprint(const char *text) {
  sni_graph *parsed;
  char *printed;
  sni_diag_clear(&diag);
  ck_assert_msg(sni_graph_parse(&arena, &diag, text, strlen(text), &parsed) == SN_OK, "%s\n%s",
                diag.text, text);
  ck_assert_ptr_eq(parsed->diag, &diag);
  ck_assert_int_eq(sni_graph_verify(parsed), SN_OK);
  ck_assert_int_eq(sni_graph_print(parsed, &allocator, &printed), SN_OK);
  graph = parsed;
  return printed;
}

static void check_print(const char *text, const char *expected) {
  char *printed = reprint(text);
  ck_assert_str_eq(printed, expected);
  sni_free(&allocator, printed, strlen(printed) + 1);
}

// ---- every op: operands %0 f32[2,3], %1 bool[2,3], %2 i32[2,3], %3 i64[3], %4 f32[], %5
// f32[B,10], %6 i32[4]
static const char leaves[] =
    "  %0 = parameter input 0 : f32[2,3]\n"
    "  %1 = parameter input 1 : bool[2,3]\n"
    "  %2 = parameter input 2 : i32[2,3]\n"
    "  %3 = parameter variable 0 \"random \\\"state\\\"\" : i64[3]\n"
    "  %4 = constant 2.5 : f32[]\n"
    "  %5 = parameter capture 7 : f32[B,10]\n"
    "  %6 = constant [0, 1, 1, 0] : i32[4]\n";
enum { first_op = 15 };

#define FLOAT1(id, name) [SNI_OP_##id] = name "(%0) : f32[2,3]"
#define FLOAT2(id, name) [SNI_OP_##id] = name "(%0, %0) : f32[2,3]"
#define INT2(id, name) [SNI_OP_##id] = name "(%2, %2) : i32[2,3]"
#define LOOP(init)                                                                            \
  "while(" init                                                                               \
  ") {carries=1, variables=1} [func {\n    %0 = constant true : bool[]\n    return %0\n"      \
  "  }, func {\n    %0 = parameter variable 0 : f32[2,3]\n    return var 0 = %0, %0\n  }] : " \
  "bool[]"
static const char *const lines[SNI_OP_COUNT] = {
    [SNI_OP_PARAMETER] = "parameter input 9 : f64[C]",
    [SNI_OP_CONSTANT] = "constant [true, false] : bool[2,1]",
    [SNI_OP_IOTA] = "iota() {axis=1} : i32[2,B]",
    [SNI_OP_DIM_SIZE] = "dim_size() {dim=2*B*C-3} : i64[]",
    FLOAT1(NEG, "neg"),
    FLOAT1(ABS, "abs"),
    FLOAT1(SIGN, "sign"),
    FLOAT1(SQRT, "sqrt"),
    FLOAT1(RSQRT, "rsqrt"),
    FLOAT1(FLOOR, "floor"),
    FLOAT1(CEIL, "ceil"),
    FLOAT1(ROUND, "round"),
    FLOAT1(EXP, "exp"),
    FLOAT1(EXPM1, "expm1"),
    FLOAT1(LOG, "log"),
    FLOAT1(LOG1P, "log1p"),
    FLOAT1(SIN, "sin"),
    FLOAT1(COS, "cos"),
    FLOAT1(TANH, "tanh"),
    FLOAT1(SIGMOID, "sigmoid"),
    FLOAT1(ERF, "erf"),
    FLOAT1(TRUNC, "trunc"),
    FLOAT1(EXP2, "exp2"),
    FLOAT1(LOG2, "log2"),
    FLOAT1(LOG10, "log10"),
    FLOAT1(CBRT, "cbrt"),
    FLOAT1(TAN, "tan"),
    FLOAT1(ASIN, "asin"),
    FLOAT1(ACOS, "acos"),
    FLOAT1(ATAN, "atan"),
    FLOAT1(SINH, "sinh"),
    FLOAT1(COSH, "cosh"),
    FLOAT1(ASINH, "asinh"),
    FLOAT1(ACOSH, "acosh"),
    FLOAT1(ATANH, "atanh"),
    FLOAT1(ERFC, "erfc"),
    FLOAT1(ERFINV, "erfinv"),
    FLOAT1(LGAMMA, "lgamma"),
    FLOAT1(DIGAMMA, "digamma"),
    FLOAT1(TRIGAMMA, "trigamma"),
    [SNI_OP_NOT] = "not(%1) : bool[2,3]",
    [SNI_OP_CAST] = "cast(%0) : i64[2,3]",
    [SNI_OP_BITCAST] = "bitcast(%0) : i32[2,3]",
    FLOAT2(ADD, "add"),
    FLOAT2(SUB, "sub"),
    FLOAT2(MUL, "mul"),
    FLOAT2(DIV, "div"),
    FLOAT2(REM, "rem"),
    FLOAT2(POW, "pow"),
    FLOAT2(FLOOR_DIV, "floor_div"),
    FLOAT2(FLOOR_MOD, "floor_mod"),
    FLOAT2(ATAN2, "atan2"),
    FLOAT2(HYPOT, "hypot"),
    FLOAT2(LOGADDEXP, "logaddexp"),
    FLOAT2(LOGADDEXP2, "logaddexp2"),
    FLOAT2(MAX, "max"),
    FLOAT2(MIN, "min"),
    INT2(AND, "and"),
    INT2(OR, "or"),
    INT2(XOR, "xor"),
    INT2(SHL, "shl"),
    INT2(SHR, "shr"),
    INT2(SAR, "sar"),
    [SNI_OP_EQ] = "eq(%1, %1) : bool[2,3]",
    [SNI_OP_LT] = "lt(%0, %0) : bool[2,3]",
    [SNI_OP_LE] = "le(%2, %2) : bool[2,3]",
    [SNI_OP_SELECT] = "select(%1, %0, %0) \"chosen\" : f32[2,3]",
    FLOAT1(IDENTITY, "identity"),
    FLOAT1(STOP_GRADIENT, "stop_gradient"),
    [SNI_OP_RESHAPE] = "reshape(%5) : f32[10*B]",
    [SNI_OP_TRANSPOSE] = "transpose(%5) {perm=[1,0]} : f32[10,B]",
    [SNI_OP_BROADCAST] = "broadcast(%4) : f32[B,max(B-1,0)]",
    [SNI_OP_SLICE] = "slice(%5) {start=[B-1,1], step=[-1,3]} : f32[B,3]",
    [SNI_OP_BARRIER] = "barrier(%5) {number=3} : f32[B,10]",
    [SNI_OP_PAD] = "pad(%5, %4) {low=[0,1], high=[B,2], interior=[0,1]} : f32[2*B,22]",
    [SNI_OP_CONCAT] = "concat(%5, %5, %5) {axis=0} : f32[3*B,10]",
    [SNI_OP_REDUCE_SUM] = "reduce_sum(%0) {axes=[0,1]} : f32[]",
    [SNI_OP_REDUCE_PROD] = "reduce_prod(%0) {axes=[0]} : f32[3]",
    [SNI_OP_REDUCE_MAX] = "reduce_max(%1) {axes=[1]} : bool[2]",
    [SNI_OP_REDUCE_MIN] = "reduce_min(%0) {axes=[]} : f32[2,3]",
    [SNI_OP_PARTIAL_SUM] = "partial_sum(%0) {axis=1, chunk=2} : f32[2,2]",
    [SNI_OP_CUMSUM] = "cumsum(%0) {axis=1, exclusive=0, reverse=1} : f32[2,3]",
    [SNI_OP_CUMPROD] = "cumprod(%0) {axis=0, exclusive=1, reverse=0} : f32[2,3]",
    [SNI_OP_CUMMAX] = "cummax(%5) {axis=1, exclusive=0, reverse=0} : f32[B,10]",
    [SNI_OP_CUMMIN] = "cummin(%2) {axis=0, exclusive=1, reverse=1} : i32[2,3]",
    [SNI_OP_REAL] = "real(%9) : f32[2]",
    [SNI_OP_IMAG] = "imag(%9) : f32[2]",
    [SNI_OP_CONJ] = "conj(%9) : c64[2]",
    [SNI_OP_COMPLEX] = "complex(%0, %0) : c64[2,3]",
    [SNI_OP_PAIR_CUMULATION] =
        "pair_cumulation(%0, %0) {axis=0, exclusive=0, reverse=0, part=1} : f32[2,3]",
    [SNI_OP_RECURRENCE] = "recurrence(%0, %0) {axis=0, exclusive=0, reverse=0} : f32[2,3]",
    [SNI_OP_MATMUL] = "matmul(%0, %0) {ta=1, tb=0} : f32[3,3]",
    [SNI_OP_CONV] = "conv(%8, %8) {stride=[2], dilation=[3], start=[-1], size=[B]} : f32[2,B,2]",
    [SNI_OP_CONV_INPUT] =
        "conv_input(%8, %8) {stride=[1], dilation=[1], start=[-B+1], size=[4]} : f32[2,4,2]",
    [SNI_OP_CONV_KERNEL] =
        "conv_kernel(%8, %8) {stride=[1], dilation=[2], start=[0], size=[5]} : f32[5,2,2]",
    [SNI_OP_GATHER] = "gather(%0, %6) : f32[4,3]",
    [SNI_OP_SORT] = "sort(%0) {descending=1} : f32[2,3]",
    [SNI_OP_ARGSORT] = "argsort(%5) {descending=0} : i32[B,10]",
    [SNI_OP_TOP_K] = "top_k(%5) {k=3} : i32[B,3]",
    [SNI_OP_CHOLESKY] = "cholesky(%7) : f32[2,3,3]",
    [SNI_OP_TRIANGULAR_SOLVE] =
        "triangular_solve(%7, %7) {lower=1, transpose=0, unit=1} : f32[2,3,3]",
    [SNI_OP_SOLVE] = "solve(%7, %7) {quiet=1} : f32[2,3,3]",
    [SNI_OP_DETERMINANT] = "determinant(%7) {part=2} : f32[2]",
    [SNI_OP_QR] = "qr(%7) : f32[2,6,3]",
    [SNI_OP_EIGH] = "eigh(%7) : f32[2,4,3]",
    [SNI_OP_SVD] = "svd(%0) : f32[6,2]",
    [SNI_OP_FFT] = "fft(%9) {inverse=1, norm=2} : c64[2]",
    [SNI_OP_RFFT] = "rfft(%0) {twice=0, norm=0, pairs=1} : f32[2,2,2]",
    [SNI_OP_IRFFT] = "irfft(%8) {n=3, twice=1, norm=1} : f32[2,3]",
    [SNI_OP_RANDOM_GAMMA_GRADIENT] = "random_gamma_gradient(%0, %0) {logarithm=1} : f32[2,3]",
    [SNI_OP_STRING_COMPARE] = "string_compare(%14, %14) : i32[2]",
    [SNI_OP_STRING_RANK] = "string_rank(%14) : i64[2]",
    [SNI_OP_GCD] = "gcd(%2, %2) : i32[2,3]",
    [SNI_OP_SEARCH_SORTED] = "search_sorted(%0, %0) {right=1} : i32[2,3]",
    [SNI_OP_SCATTER_ADD] = "scatter_add(%0, %2, %7) : f32[2,3]",
    [SNI_OP_SCATTER_MUL] = "scatter_mul(%0, %2, %7) : f32[2,3]",
    [SNI_OP_SCATTER_MAX] = "scatter_max(%0, %2, %7) : f32[2,3]",
    [SNI_OP_SCATTER_MIN] = "scatter_min(%0, %2, %7) : f32[2,3]",
    [SNI_OP_SCATTER_UPDATE] = "scatter_update(%0, %2, %7) : f32[2,3]",
    [SNI_OP_FLAT_INDEX] = "flat_index(%2) {axis=[0,1,2], size=[4,B,1], stride=[2*B,1,1]} : i64[2]",
    [SNI_OP_RANDOM_BITS] = "random_bits(%3) {algorithm=1} : i32[B,4]",
    [SNI_OP_RANDOM_NORMAL] = "random_normal(%3) {algorithm=0} : f32[B,4]",
    [SNI_OP_RANDOM_TRUNCATED_NORMAL] = "random_truncated_normal(%3) {algorithm=0} : f64[2]",
    [SNI_OP_RANDOM_PERMUTATION] = "random_permutation(%3) {algorithm=0} : i32[B]",
    [SNI_OP_RANDOM_INTEGERS] = "random_integers(%3, %10) {algorithm=0} : i64[3]",
    [SNI_OP_RANDOM_GAMMA] = "random_gamma(%3, %5) {algorithm=2, logarithm=1} : f32[B,10]",
    [SNI_OP_RANDOM_POISSON] = "random_poisson(%3, %5) {algorithm=0} : f32[B,10]",
    [SNI_OP_COND] =
        "cond(%11, %0) [func @no {\n    %0 = parameter input 0 : f32[2,3]\n    return %0\n"
        "  }, func {\n    %0 = constant 1 : f32[]\n    %1 = broadcast(%0) : f32[2,3]\n"
        "    return %1\n  }] : bool[]",
    [SNI_OP_WHILE] = LOOP("%0"),
    [SNI_OP_RESCAN] =
        "rescan(%13, %0) {carries=1, rows=1} [func {\n"
        "    %0 = parameter variable 0 : f32[2,3]\n"
        "    %1 = parameter input 1 : f32[2,3]\n    %2 = add(%0, %1) : f32[2,3]\n"
        "    return var 0 = %2\n  }] : bool[]",
    [SNI_OP_SCAN] =
        "scan(%0, %5) {carries=1, xs=1, length=B, reverse=1, variables=0} [func {\n"
        "    %0 = parameter variable 0 : f32[2,3]\n"
        "    %1 = parameter input 1 \"row\" : f32[10]\n"
        "    %2 = parameter input 0 : i64[]\n    return var 0 = %0, %1, %2\n  }] : bool[]",
    [SNI_OP_CALL] =
        "call(%0) {apart=1} [func @again {\n    %0 = parameter input 0 : f32[2,3]\n"
        "    %1 = exp(%0) : f32[2,3]\n    return %1, %0\n  }] : bool[]",
    [SNI_OP_CUSTOM] =
        "custom(%0, %4, %5) {ins=1, outs=1} [func {\n"
        "    %0 = parameter input 0 : f32[2,3]\n    %1 = parameter input 2 : f32[]\n"
        "    %2 = parameter input 3 : f32[B,10]\n    %3 = broadcast(%1) : f32[2,3]\n"
        "    %4 = mul(%0, %3) : f32[2,3]\n    return %4\n  }] : bool[]",
    [SNI_OP_HOST] =
        "host(%5, %9, %10) {effects=1, pairs=2, batched=1} [func {\n    %0 = constant 0 : f32[]\n"
        "    %1 = broadcast(%0) : f32[B]\n    %2 = constant 0 : i64[]\n    return %1, %2\n"
        "  }] \"my_op\" : bool[]",
    [SNI_OP_RESULT] = "result(%12) {index=0} : f32[2,3]",
    [SNI_OP_EXTENT] = "extent(%10) {size=L} : i64[]",
    [SNI_OP_REQUIRE] = "require() {a=L, b=2*B, least=1} : bool[]",
};

START_TEST(every_op_survives_a_round_trip) {
  static char text[16384];
  size_t at = (size_t)snprintf(text, sizeof(text), "func @every_op {\n%s", leaves);
  at += (size_t)snprintf(text + at, sizeof(text) - at, "  %%7 = broadcast(%%4) : f32[2,3,3]\n");
  at += (size_t)snprintf(text + at, sizeof(text) - at, "  %%8 = broadcast(%%4) : f32[2,2,2]\n");
  at +=
      (size_t)snprintf(text + at, sizeof(text) - at,
                       "  %%9 = constant [1-2j, nan+infj] : c64[2]\n  %%10 = constant 9 : i64[]\n");
  at += (size_t)snprintf(text + at, sizeof(text) - at, "  %%11 = constant 1 : i32[]\n");
  at += (size_t)snprintf(text + at, sizeof(text) - at, "  %%12 = %s\n", LOOP("%0"));
  at +=
      (size_t)snprintf(text + at, sizeof(text) - at, "  %%13 = result(%%12) {index=1} : i64[2]\n");
  at += (size_t)snprintf(text + at, sizeof(text) - at, "  %%14 = constant [0, 0] : string[2]\n");
  for (int i = 0; i < SNI_OP_COUNT; i++) {
    ck_assert_msg(lines[i] != NULL, "no line for the op %s", sni_op_infos[i].name);
    at += (size_t)snprintf(text + at, sizeof(text) - at, "  %%%d = %s\n", first_op + i, lines[i]);
  }
  at += (size_t)snprintf(text + at, sizeof(text) - at, "  return %%%d, var 0 = %%3, %%0\n}\n",
                         first_op);
  ck_assert_uint_lt(at, sizeof(text));
  check_print(text, text);
  for (int i = 0; i < SNI_OP_COUNT; i++) ck_assert_int_eq(graph->nodes[first_op + i].op, i);
  ck_assert_str_eq(graph->nodes[3].name, "random \"state\"");
  ck_assert_str_eq(graph->nodes[first_op + SNI_OP_SELECT].name, "chosen");
  ck_assert_uint_eq(graph->n_results, 3);
  ck_assert_int_eq(graph->results[1].variable, 0);
  ck_assert_int_eq(graph->results[2].variable, -1);
  ck_assert_uint_eq(graph->parameters[4].index, 7);
  ck_assert_int_eq(graph->parameters[4].kind, SNI_PARAMETER_CAPTURE);
}
END_TEST

START_TEST(free_form_text_is_brought_into_form) {
  check_print("func{return}", "func {\n  return\n}\n");
  check_print("// before\nfunc @\"a b\\\\\\x0a\" { // behind\n  return // end\n} // after",
              "func @\"a b\\\\\\x0a\" {\n  return\n}\n");
  check_print(
      "func @f {\n\t%weights.1=parameter   input 0:f32 [ N , 2 * N ]\r\n"
      "%y = add ( %weights.1 , %weights.1 ) : f32[N, N+N]  return %y,%y}",
      "func @f {\n  %0 = parameter input 0 : f32[N,2*N]\n  %1 = add(%0, %0) : f32[N,2*N]\n"
      "  return %1, %1\n}\n");
}
END_TEST

START_TEST(unified_symbols_print_as_one) {
  sni_node_id a = input("f32[B]"), b = input("f32[C]"), sum;
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_ADD, SNI_IDS(a, b), 2, SNI_NO_ATTRS, NULL,
                                 (sni_location){0}, &sum),
                   SN_OK);
  char *text;
  ck_assert_int_eq(sni_graph_print(graph, &allocator, &text), SN_OK);
  const char *expected =
      "func @test {\n  %0 = parameter input 0 : f32[B]\n  %1 = parameter input 1 : f32[B]\n"
      "  %2 = add(%0, %1) : f32[B]\n  return\n}\n";
  ck_assert_str_eq(text, expected);
  sni_free(&allocator, text, strlen(text) + 1);
  check_print(expected, expected);
}
END_TEST

// ---- constants
static const void *reparse_constant(const char *type_text, const void *data, const char *literal) {
  sni_type type = type_of(type_text);
  sni_node_id id;
  char *text, *again;
  ck_assert_int_eq(sni_graph_create(&arena, &diag, "c", NULL, &graph), SN_OK);
  ck_assert_int_eq(sni_graph_add_constant(graph, &type, data, (sni_location){0}, &id), SN_OK);
  ck_assert_int_eq(sni_graph_print(graph, &allocator, &text), SN_OK);
  if (literal) ck_assert_msg(strstr(text, literal) != NULL, "%s in %s", literal, text);
  again = reprint(text);
  ck_assert_str_eq(again, text);
  sni_free(&allocator, text, strlen(text) + 1);
  sni_free(&allocator, again, strlen(again) + 1);
  return graph->nodes[0].data;
}

START_TEST(floats_survive_exactly) {
  const float f[8] = {0.1f,   -0.0f,          INFINITY,    -INFINITY,
                      1e-45f, 3.40282347e38f, 16777216.0f, 1.0f / 3};
  ck_assert_mem_eq(reparse_constant("f32[8]", f, "[0.1, -0, inf, -inf, 1.4"), f, sizeof(f));
  const double d[8] = {0.1,       -0.0,   INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308,
                       0.1 + 0.2, 1.0 / 3};
  ck_assert_mem_eq(reparse_constant("f64[2,4]", d, "0.30000000000000004"), d, sizeof(d));
  const double nan_value = NAN;
  const double *again = reparse_constant("f64[]", &nan_value, "constant nan : f64[]");
  ck_assert(isnan(*again));
  srand(3);
  for (int i = 0; i < 300; i++) {
    float random_f[64];
    double random_d[64];
    for (int k = 0; k < 64; k++) {
      uint32_t bits = ((uint32_t)rand() << 16) ^ (uint32_t)rand();
      uint64_t wide = ((uint64_t)rand() << 42) ^ ((uint64_t)rand() << 21) ^ (uint64_t)rand();
      memcpy(&random_f[k], &bits, 4);
      memcpy(&random_d[k], &wide, 8);
      if (isnan(random_f[k])) random_f[k] = 0;
      if (isnan(random_d[k])) random_d[k] = 0;
    }
    ck_assert_mem_eq(reparse_constant("f32[64]", random_f, NULL), random_f, sizeof(random_f));
    ck_assert_mem_eq(reparse_constant("f64[64]", random_d, NULL), random_d, sizeof(random_d));
  }
}
END_TEST

START_TEST(integers_and_bools_survive_exactly) {
  const int64_t i[3] = {INT64_MIN, INT64_MAX, 0};
  ck_assert_mem_eq(reparse_constant("i64[3]", i, "[-9223372036854775808, 9223372036854775807, 0]"),
                   i, sizeof(i));
  const int32_t n[2] = {INT32_MIN, INT32_MAX};
  ck_assert_mem_eq(reparse_constant("i32[2]", n, "[-2147483648, 2147483647]"), n, sizeof(n));
  const uint8_t b[2] = {1, 0};
  ck_assert_mem_eq(reparse_constant("bool[2]", b, "[true, false]"), b, sizeof(b));
  ck_assert_ptr_nonnull(reparse_constant("f32[3,0]", NULL, "constant [] : f32[3,0]"));
}
END_TEST

START_TEST(large_constants_are_bytes) {
  float f[1000];
  for (int i = 0; i < 1000; i++) f[i] = sinf((float)i);
  f[0] = NAN;
  ck_assert_mem_eq(reparse_constant("f32[10,100]", f, "constant 0x"), f, sizeof(f));
  uint8_t b[65];
  for (int i = 0; i < 65; i++) b[i] = i % 3 == 0;
  ck_assert_mem_eq(reparse_constant("bool[65]", b, "constant 0x010000"), b, sizeof(b));
}
END_TEST

START_TEST(the_locale_does_not_matter) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "ps_AF"};
  for (size_t i = 0; i < SNI_COUNT_OF(names); i++)
    if (setlocale(LC_NUMERIC, names[i])) break;
  const double d[2] = {2.5, -1.25e-7};
  const double *again = reparse_constant("f64[2]", d, "[2.5, -1.25e-07]");
  ck_assert(again[0] == d[0] && again[1] == d[1]);
  setlocale(LC_NUMERIC, "C");
}
END_TEST

// ---- mistakes
#define F "func @f {\n"
#define X F "  %x = parameter input 0 : f32[2]\n"
#define WHILE                                                                          \
  "  %w = while(%x) {carries=1, variables=0} [func {\n  %t = constant true : bool[]\n" \
  "  return %t }, func {\n  %s = parameter variable 0 : f32[2]\n"                      \
  "  return var 0 = %s, %s }] : bool[]\n  %c = result(%w) {index=0} : f32[2]\n"        \
  "  %h = result(%w) {index=1} : i64[2]\n"
#define RESCAN(history, rows)                             \
  "  %r = rescan(" history ", %x) {carries=1, rows=" rows \
  "} [func {\n"                                           \
  "  %s = parameter variable 0 : f32[2]\n  return var 0 = %s }] : bool[]\n"
static const struct {
  const char *text, *message;
} mistakes[] = {
    {"", "1:1: expected 'func'"},
    {"fun", "1:1: expected 'func'"},
    {"func @ {", "1:8: expected a name"},
    {"func @\"abc", "1:8: a string without end"},
    {"func @\"abc\n\"", "1:8: a string without end"},
    {"func @\"a\\q\"", "1:10: unknown escape"},
    {"func @\"a\\x0\"", "1:10: expected two hexadecimal digits"},
    {"func @\"a\\x00\"", "1:12: a string cannot hold a zero byte"},
    {"func @f", "1:8: expected '{'"},
    {F "}", "2:1: expected 'return'"},
    {F "  return %0\n}", "2:10: %0 is not defined before"},
    {F "  return\n} x", "3:3: text behind the graph"},
    {F "  return", "2:9: expected '%'"},
    {X "  return %x %x\n}", "3:13: expected ','"},
    {X "  return var 4294967296 = %x }", "3:14: expected a number up to 2147483647"},
    {X "  return var = %x }", "3:14: expected a number up to 2147483647"},
    {X "  return var 1 %x }", "3:16: expected '='"},
    {X "  return var 0 = %x, var 0 = %x }", "3:34: verify: two results for variable 0"},
    {X "  return foo %x }", "3:10: expected 'var'"},
    {F "  % = add", "2:3: expected the name of a value"},
    {F "  %a add", "2:6: expected '='"},
    {F "  %a = adds(", "2:8: expected the name of an op, not \"adds\""},
    {F "  %a = \"", "2:8: expected the name of an op"},
    {X "  %x = neg(%x) : f32[2]", "3:3: %x is defined twice"},
    {X "  %y = cond(%x) [func {\n  %a = constant 1 : f32[]\n  %b = neg(%a) : i32[]\n",
     "5:3: neg: the result is f32[]; operands: f32[]; result: i32[]"},
    {X RESCAN("%x", "0"), "3:3: rescan: operand 0 does not fit its bodies"},
    {X WHILE RESCAN("%c", "0"), "10:3: rescan: operand 0 does not fit its bodies"},
    {X WHILE RESCAN("%h", "2"), "10:3: rescan: rows 2 does not fit its bodies"},
    {F "  %a = parameter inputs 0", "2:18: expected input, variable or capture"},
    {F "  %a = parameter input -1", "2:24: expected a number up to 4294967295"},
    {F "  %a = parameter input 0 f32", "2:26: expected ':'"},
    {F "  %a = parameter input 0 : f15[]", "2:28: expected a dtype"},
    {F "  %a = parameter input 0 : f32", "2:31: expected '['"},
    {F "  %a = parameter input 0 : f32[2", "2:33: expected ','"},
    {F "  %a = parameter input 0 : f32[2,]", "2:34: malformed dim"},
    {F "  %a = parameter input 0 : f32[1,1,1,1,1,1,1,1,1]", "2:48: more than 8 dims"},
    {F "  %a = parameter input 0 : f32[99999999999999999999]", "2:50: malformed dim"},
    {F "  %a = parameter input 0 : f32[-1]",
     "2:3: parameter: dim 0 of the declared result is negative; result: f32[-1]"},
    {F "  %a = parameter input 0 : f32[4611686018427387904,2]",
     "2:3: parameter: the declared result has too many elements for 64-bit sizes; result: "
     "f32[4611686018427387904,2]"},
    {X "  %y = parameter input 0 : f32[2] return }",
     "3:43: verify: parameters 0 and 1 are the same"},
    {F "  %a = constant : f32[]", "2:17: expected a literal"},
    {F "  %a = constant [1 : f32[", "2:17: a list without end"},
    {F "  %a = constant 1.0.0 : f32[]", "2:17: not an element of the constant's dtype"},
    {F "  %a = constant 1e999 : f32[]", "2:17: not an element of the constant's dtype"},
    {F "  %a = constant 0x1p3 : f64[]", "2:17: the number of elements is not that of the type"},
    {F "  %a = constant 1.5 : i32[]", "2:17: not an element of the constant's dtype"},
    {F "  %a = constant 2147483648 : i32[]", "2:17: not an element of the constant's dtype"},
    {F "  %a = constant 9223372036854775808 : i64[]",
     "2:17: not an element of the constant's dtype"},
    {F "  %a = constant 1 : bool[]", "2:17: not an element of the constant's dtype"},
    {F "  %a = constant [1, x] : f32[2]", "2:21: not an element of the constant's dtype"},
    {F "  %a = constant [1,] : f32[2]", "2:20: not an element of the constant's dtype"},
    {F "  %a = constant [1, 2] : f32[3]", "2:17: the number of elements is not that of the type"},
    {F "  %a = constant 1 : f32[1]", "2:17: the number of elements is not that of the type"},
    {F "  %a = constant 1 : f32[1000000000000]",
     "2:17: the number of elements is not that of the type"},
    {F "  %a = constant [] : f32[B]", "2:3: constant: dims must be constants; result: f32[B]"},
    {F "  %a = constant 0x0000803 : f32[1]",
     "2:17: the number of elements is not that of the type"},
    {F "  %a = constant 0x0000g03f : f32[1]", "2:23: not a hexadecimal digit"},
    {F "  %a = constant 0x02 : bool[1]", "2:19: a bool is 00 or 01"},
    {X "  %y = neg %x", "3:12: expected '('"},
    {X "  %y = neg(%x", "3:14: expected ','"},
    {X "  %y = neg(%z) : f32[2]", "3:12: %z is not defined before"},
    {X "  %y = neg(%y) : f32[2]", "3:12: %y is not defined before"},
    {X "  %y = neg(% x) : f32[2]", "3:12: expected the name of a value"},
    {X "  %y = neg(%x) : f32[3]",
     "3:3: neg: the result is f32[2]; operands: f32[2]; result: f32[3]"},
    {X "  %y = neg() : f32[2]", "3:3: neg: takes 1 operand, given 0; result: f32[2]"},
    {X "  %y = add(%x, %x) : f64[2]",
     "3:3: add: the result is f32[2]; operands: f32[2], f32[2]; result: f64[2]"},
    {X "  %y = reduce_sum(%x) : f32[]", "3:23: expected '{'"},
    {X "  %y = reduce_sum(%x) {axis=[0]} : f32[]", "3:24: expected attribute 'axes'"},
    {X "  %y = reduce_sum(%x) {axes=0} : f32[]", "3:29: expected '['"},
    {X "  %y = reduce_sum(%x) {axes=[0] : f32[]", "3:33: expected '}'"},
    {X "  %y = reduce_sum(%x) {axes=[1]} : f32[]",
     "3:3: reduce_sum: axis 1 is not in [0, 1); operands: f32[2]; result: f32[]"},
    {X "  %y = slice(%x) {start=[0], step=[1,1]} : f32[2]",
     "3:30: the lists have different lengths"},
    {X "  %y = slice(%x) {start=[0], step=[1]} : f32[3]",
     "3:3: slice: 3 elements from 0 by 1 leave axis 0; operands: f32[2]; result: f32[3]"},
    {F "  %a = parameter input 0 : f32[B]\n  %b = parameter input 1 : f32[C]\n"
       "  %c = add(%a, %b) : f32[B]",
     "4:3: add: operand #1: expected the shape of operand #0; operands: f32[B], f32[C]; result: "
     "f32[B]"},
};

START_TEST(mistakes_are_located) {
  sni_graph *parsed = NULL;
  const char *text = mistakes[_i].text;
  // An exact copy, so that reading past its end is seen by the sanitizers.
  size_t length = strlen(text);
  char *copy = malloc(length + !length);
  for (size_t i = 0; i < length; i++) copy[i] = text[i];
  sn_status status = sni_graph_parse(&arena, &diag, copy, length, &parsed);
  ck_assert_str_eq(diag.text, mistakes[_i].message);
  ck_assert_int_eq(status, SN_ERR_SYNTAX);
  ck_assert_ptr_null(parsed);
  free(copy);
}
END_TEST

// Every prefix and many damaged copies of a good text are refused or understood, never more.
START_TEST(damaged_text_does_no_harm) {
  static const char good[] =
      "func @all {\n"
      "  %0 = parameter input 0 \"x\\x01\" : f32[B,10] // comment\n"
      "  %1 = constant [1, 2.5, -inf] : f32[3]\n"
      "  %2 = constant 0x0000803f : f32[1]\n"
      "  %3 = constant 7 : f32[]\n"
      "  %4 = pad(%0, %3) {low=[0,div(B+1,2)], high=[max(B,C),2], interior=[0,0]} : "
      "f32[B+max(B,C),div(B+1,2)+12]\n"
      "  %5 = reduce_max(%0) {axes=[0,1]} : f32[]\n"
      "  return %4, var 0 = %5\n"
      "}\n";
  srand(11);
  int understood = 0;
  for (int i = 0; i < 20000; i++) {
    size_t length = i < (int)sizeof(good) ? (size_t)i : sizeof(good) - 1;
    char *copy = malloc(length ? length : 1);
    sni_graph *parsed;
    memcpy(copy, good, length);
    for (int k = 0; i >= (int)sizeof(good) && k < 1 + i % 3; k++)
      copy[(size_t)rand() % length] = rand() % 2 ? (char)rand() : good[(size_t)rand() % length];
    sni_diag_clear(&diag);
    sn_status status = sni_graph_parse(&arena, &diag, copy, length, &parsed);
    ck_assert(status == SN_OK || status == SN_ERR_SYNTAX);
    if (!status) {
      char *text, *again;
      understood++;
      ck_assert_int_eq(sni_graph_print(parsed, &allocator, &text), SN_OK);
      again = reprint(text);
      ck_assert_str_eq(again, text);
      sni_free(&allocator, text, strlen(text) + 1);
      sni_free(&allocator, again, strlen(again) + 1);
    }
    free(copy);
    sni_arena_reset(&arena);
  }
  ck_assert_int_gt(understood, 100);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.print_parse");
  TCase *tests = tcase_create("print_parse");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, every_op_survives_a_round_trip);
  tcase_add_test(tests, free_form_text_is_brought_into_form);
  tcase_add_test(tests, unified_symbols_print_as_one);
  tcase_add_test(tests, floats_survive_exactly);
  tcase_add_test(tests, integers_and_bools_survive_exactly);
  tcase_add_test(tests, large_constants_are_bytes);
  tcase_add_test(tests, the_locale_does_not_matter);
  tcase_add_loop_test(tests, mistakes_are_located, 0, (int)SNI_COUNT_OF(mistakes));
  tcase_add_test(tests, damaged_text_does_no_harm);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
