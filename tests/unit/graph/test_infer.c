// Type rules of every op: what they accept, and what they say when they refuse.
#include "graph_fixture.h"

typedef struct rule_case {
  sni_op op;
  sn_status status;
  const char *operands;  // types, separated by blanks
  const char *attrs;     // dims, separated by blanks
  const char *declared;  // type or ""
  const char *expected;  // the result's type, or the message of the failure
} rule_case;

#define OK(op, operands, attrs, declared, result) \
  { SNI_OP_##op, SN_OK, operands, attrs, declared, result }
#define BAD(op, operands, attrs, declared, why, message) \
  { SNI_OP_##op, SN_ERR_##why, operands, attrs, declared, message }

static const rule_case cases[] = {
    // leaves
    OK(PARAMETER, "", "", "f32[B,10]", "f32[B,10]"),
    OK(CONSTANT, "", "", "i64[3]", "i64[3]"),
    BAD(CONSTANT, "", "", "f32[B]", SHAPE, "constant: dims must be constants; result: f32[B]"),
    BAD(CONSTANT, "", "", "", ARGUMENT, "constant: the result's type must be given"),
    BAD(PARAMETER, "", "", "f32[-2]", SHAPE,
        "parameter: dim 0 of the declared result is negative; result: f32[-2]"),
    BAD(PARAMETER, "", "", "f32[4611686018427387904,4]", SHAPE,
        "parameter: the declared result has too many elements for 64-bit sizes; result: "
        "f32[4611686018427387904,4]"),
    BAD(PARAMETER, "", "", "f64[2305843009213693952]", SHAPE,
        "parameter: the declared result has too many elements for 64-bit sizes; result: "
        "f64[2305843009213693952]"),
    OK(PARAMETER, "", "", "f64[1152921504606846975]", "f64[1152921504606846975]"),
    OK(IOTA, "", "1", "i32[2,B]", "i32[2,B]"),
    OK(IOTA, "", "0", "f64[4]", "f64[4]"),
    BAD(IOTA, "", "0", "i32[]", SHAPE, "iota: axis 0 is not in [0, 0); result: i32[]"),
    BAD(IOTA, "", "-1", "i32[2]", SHAPE, "iota: axis -1 is not in [0, 1); result: i32[2]"),
    BAD(IOTA, "", "0", "i32[2147483648]", SHAPE,
        "iota: 2147483648 indices do not fit i32; result: i32[2147483648]"),
    BAD(IOTA, "", "B", "i32[2]", SHAPE, "iota: axis must be a constant; result: i32[2]"),
    BAD(IOTA, "", "0", "bool[2]", DTYPE,
        "iota: result: expected a real number, given bool; result: bool[2]"),
    BAD(IOTA, "", "", "i32[2]", ARGUMENT,
        "iota: takes the attributes {axis}, given 0 integers; result: i32[2]"),
    OK(DIM_SIZE, "", "2*B+1", "", "i64[]"),
    BAD(DIM_SIZE, "", "B", "i32[]", DTYPE, "dim_size: the result is i64[]; result: i32[]"),
    // pointwise
    OK(NEG, "f32[2,B]", "", "", "f32[2,B]"),
    BAD(NEG, "bool[2]", "", "", DTYPE,
        "neg: operand #0: expected a number, given bool; operands: bool[2]"),
    OK(SQRT, "f64[]", "", "", "f64[]"),
    BAD(SQRT, "i32[2]", "", "", DTYPE,
        "sqrt: operand #0: expected a float or complex, given i32; operands: i32[2]"),
    OK(NOT, "bool[2]", "", "", "bool[2]"),
    OK(NOT, "i64[2]", "", "", "i64[2]"),
    BAD(NOT, "f32[2]", "", "", DTYPE,
        "not: operand #0: expected bool or an integer, given f32; operands: f32[2]"),
    BAD(NEG, "f32[2] f32[2]", "", "", ARGUMENT,
        "neg: takes 1 operand, given 2; operands: f32[2], f32[2]"),
    BAD(NEG, "f32[2]", "1", "", ARGUMENT,
        "neg: takes the attributes {}, given 1 integers; operands: f32[2]"),
    OK(CAST, "f32[2,B]", "", "i32[2,B]", "i32[2,B]"),
    BAD(CAST, "f32[2]", "", "", ARGUMENT,
        "cast: the result's type must be given; operands: f32[2]"),
    BAD(CAST, "f32[2]", "", "i32[3]", SHAPE,
        "cast: the result is i32[2]; operands: f32[2]; result: i32[3]"),
    OK(BITCAST, "f32[2]", "", "i32[2]", "i32[2]"),
    OK(BITCAST, "f64[2]", "", "i64[2]", "i64[2]"),
    BAD(BITCAST, "f32[2]", "", "i64[2]", DTYPE,
        "bitcast: f32 and i64 have different sizes; operands: f32[2]; result: i64[2]"),
    OK(ADD, "f32[2,3] f32[2,3]", "", "", "f32[2,3]"),
    BAD(ADD, "f32[] i32[]", "", "", DTYPE,
        "add: operand #1: expected f32 as operand #0, given i32; operands: f32[], i32[]"),
    BAD(ADD, "f32[2,3] f64[3]", "", "", DTYPE,
        "add: operand #1: expected f32 as operand #0, given f64; operands: f32[2,3], f64[3]"),
    BAD(ADD, "f32[2,3] f32[3]", "", "", SHAPE,
        "add: operand #1: expected the shape of operand #0; operands: f32[2,3], f32[3]"),
    BAD(ADD, "f32[2,3] f32[2,4]", "", "", SHAPE,
        "add: operand #1: expected the shape of operand #0; operands: f32[2,3], f32[2,4]"),
    BAD(ADD, "f32[2]", "", "", ARGUMENT, "add: takes 2 operands, given 1; operands: f32[2]"),
    BAD(SHL, "f32[2] f32[2]", "", "", DTYPE,
        "shl: operand #0: expected an integer, given f32; operands: f32[2], f32[2]"),
    OK(EQ, "bool[2] bool[2]", "", "", "bool[2]"),
    OK(LT, "f32[2,B] f32[2,B]", "", "", "bool[2,B]"),
    BAD(LT, "bool[] bool[]", "", "", DTYPE,
        "lt: operand #0: expected a real number, given bool; operands: bool[], bool[]"),
    OK(SELECT, "bool[3] f32[3] f32[3]", "", "", "f32[3]"),
    BAD(SELECT, "i32[3] f32[3] f32[3]", "", "", DTYPE,
        "select: operand #0: expected bool, given i32; operands: i32[3], f32[3], f32[3]"),
    BAD(SELECT, "bool[3] f32[3] f64[3]", "", "", DTYPE,
        "select: operand #2: expected f32 as operand #1, given f64; operands: bool[3], f32[3], "
        "f64[3]"),
    BAD(SELECT, "bool[3] f32[3] f32[]", "", "", SHAPE,
        "select: operand #2: expected the shape of operand #0; operands: bool[3], f32[3], f32[]"),
    OK(IDENTITY, "bool[3]", "", "", "bool[3]"),
    // views
    OK(BARRIER, "f32[B,3]", "2", "", "f32[B,3]"),
    OK(BARRIER, "i64[]", "1", "", "i64[]"),
    OK(RESHAPE, "f32[2,3,4]", "", "f32[6,4]", "f32[6,4]"),
    OK(RESHAPE, "f32[B,3,4]", "", "f32[2*B,6]", "f32[2*B,6]"),
    OK(RESHAPE, "f32[1]", "", "f32[]", "f32[]"),
    OK(RESHAPE, "f32[0,5]", "", "f32[7,0]", "f32[7,0]"),
    OK(RESHAPE, "f32[B,C]", "", "f32[B*C]", "f32[B*C]"),
    BAD(RESHAPE, "f32[2,3]", "", "f32[8]", SHAPE,
        "reshape: 6 elements cannot become 8; operands: f32[2,3]; result: f32[8]"),
    BAD(RESHAPE, "f32[2,3]", "", "i32[6]", DTYPE,
        "reshape: result: expected f32 as operand #0, given i32; operands: f32[2,3]; result: "
        "i32[6]"),
    BAD(RESHAPE, "f32[2*B]", "", "f32[7]", SHAPE,
        "reshape: 2*B elements cannot become 7; operands: f32[2*B]; result: f32[7]"),
    OK(TRANSPOSE, "f32[2,B,4]", "2 0 1", "", "f32[4,2,B]"),
    OK(TRANSPOSE, "f32[]", "", "", "f32[]"),
    BAD(TRANSPOSE, "f32[2,3]", "0", "", SHAPE,
        "transpose: perm has 1 axes, operand #0 has rank 2; operands: f32[2,3]"),
    BAD(TRANSPOSE, "f32[2,3]", "0 0", "", SHAPE,
        "transpose: perm is not a permutation of [0, 2): axis 0; operands: f32[2,3]"),
    BAD(TRANSPOSE, "f32[2,3]", "0 2", "", SHAPE,
        "transpose: perm is not a permutation of [0, 2): axis 2; operands: f32[2,3]"),
    OK(BROADCAST, "f32[3,1]", "", "f32[B,3,5]", "f32[B,3,5]"),
    OK(BROADCAST, "f32[]", "", "f32[2]", "f32[2]"),
    OK(BROADCAST, "f32[1]", "", "f32[0]", "f32[0]"),
    BAD(BROADCAST, "f32[3]", "", "f32[4]", SHAPE,
        "broadcast: dim 0 of operand #0 is neither 1 nor dim 0 of the result; operands: f32[3]; "
        "result: f32[4]"),
    BAD(BROADCAST, "f32[1,3]", "", "f32[3]", SHAPE,
        "broadcast: rank 2 cannot become rank 1; operands: f32[1,3]; result: f32[3]"),
    OK(SLICE, "f32[10,B]", "1 0 3 1", "f32[3,B]", "f32[3,B]"),
    OK(SLICE, "f32[10]", "9 -3", "f32[4]", "f32[4]"),
    OK(SLICE, "f32[10]", "20 1", "f32[0]", "f32[0]"),
    OK(SLICE, "f32[B]", "B-1 -1", "f32[B]", "f32[B]"),
    BAD(SLICE, "f32[10]", "1 3", "f32[4]", INDEX,
        "slice: 4 elements from 1 by 3 leave axis 0; operands: f32[10]; result: f32[4]"),
    BAD(SLICE, "f32[10]", "9 -3", "f32[5]", INDEX,
        "slice: 5 elements from 9 by -3 leave axis 0; operands: f32[10]; result: f32[5]"),
    BAD(SLICE, "f32[10]", "10 1", "f32[1]", INDEX,
        "slice: start 10 is outside axis 0; operands: f32[10]; result: f32[1]"),
    BAD(SLICE, "f32[B]", "-1 1", "f32[1]", INDEX,
        "slice: start -1 is outside axis 0; operands: f32[B]; result: f32[1]"),
    BAD(SLICE, "f32[B]", "1 4611686018427387904", "f32[4]", INDEX,
        "slice: 4 elements from 1 by 4611686018427387904 leave axis 0; operands: f32[B]; result: "
        "f32[4]"),
    BAD(SLICE, "f32[10]", "1 0", "f32[1]", SHAPE,
        "slice: step of axis 0 is 0; operands: f32[10]; result: f32[1]"),
    BAD(SLICE, "f32[10]", "1 B", "f32[1]", SHAPE,
        "slice: step must be a constant; operands: f32[10]; result: f32[1]"),
    BAD(SLICE, "f32[10]", "1 1", "f32[1,1]", SHAPE,
        "slice: result: expected rank 1 as operand #0, given 2; operands: f32[10]; result: "
        "f32[1,1]"),
    BAD(SLICE, "f32[10]", "", "f32[1]", SHAPE,
        "slice: expected 1 starts and steps, given 0 integers; operands: f32[10]; result: f32[1]"),
    BAD(SLICE, "f32[10]", "1 1 1", "f32[1]", ARGUMENT,
        "slice: takes the attributes {start[],step[]}, given 3 integers; operands: f32[10]; "
        "result: f32[1]"),
    OK(PAD, "f32[3,B] f32[]", "1 B 2 0 2 0", "", "f32[10,2*B]"),
    OK(PAD, "f32[0] f32[]", "1 1 3", "", "f32[2]"),
    OK(PAD, "f32[B] f32[]", "0 0 1", "", "f32[B+max(B-1,0)]"),
    BAD(PAD, "f32[3] f32[1]", "0 0 0", "", SHAPE,
        "pad: operand #1: expected a scalar; operands: f32[3], f32[1]"),
    BAD(PAD, "f32[3] f64[]", "0 0 0", "", DTYPE,
        "pad: operand #1: expected f32 as operand #0, given f64; operands: f32[3], f64[]"),
    BAD(PAD, "f32[3] f32[]", "0 -1 0", "", SHAPE,
        "pad: high of axis 0 is negative: -1; operands: f32[3], f32[]"),
    BAD(PAD, "f32[3] f32[]", "0 0 -1", "", SHAPE,
        "pad: interior of axis 0 is negative: -1; operands: f32[3], f32[]"),
    BAD(PAD, "f32[3] f32[]", "0 0 B", "", SHAPE,
        "pad: interior must be a constant; operands: f32[3], f32[]"),
    BAD(PAD, "f32[3] f32[]", "", "", SHAPE,
        "pad: expected 1 numbers each of {low,high,interior}; operands: f32[3], f32[]"),
    BAD(PAD, "f32[3] f32[]", "9223372036854775807 1 0", "", SHAPE,
        "pad: the result has too many elements for 64-bit sizes; operands: f32[3], f32[]"),
    OK(CONCAT, "f32[2,3] f32[2,B] f32[2,1]", "1", "", "f32[2,B+4]"),
    OK(CONCAT, "i32[2]", "0", "", "i32[2]"),
    BAD(CONCAT, "", "0", "", ARGUMENT, "concat: takes at least 1 operand, given 0"),
    BAD(CONCAT, "f32[2] f32[3]", "1", "", SHAPE,
        "concat: axis 1 is not in [0, 1); operands: f32[2], f32[3]"),
    BAD(CONCAT, "f32[2] f32[2,1]", "0", "", SHAPE,
        "concat: operand #1: expected rank 1 as operand #0, given 2; operands: f32[2], f32[2,1]"),
    BAD(CONCAT, "f32[2,3] f32[2,4]", "0", "", SHAPE,
        "concat: operand #1: dim 1 differs from operand #0's; operands: f32[2,3], f32[2,4]"),
    BAD(CONCAT, "f32[2] f32[2] i32[2]", "0", "", DTYPE,
        "concat: operand #2: expected f32 as operand #0, given i32; operands: f32[2], f32[2], "
        "i32[2]"),
    // reductions
    OK(REDUCE_SUM, "f32[2,B,4]", "0 2", "", "f32[B]"),
    OK(REDUCE_SUM, "f32[2,B,4]", "1", "", "f32[2,4]"),
    OK(REDUCE_SUM, "f32[2,3]", "", "", "f32[2,3]"),
    OK(REDUCE_MAX, "bool[2,3]", "0 1", "", "bool[]"),
    BAD(REDUCE_SUM, "bool[2]", "0", "", DTYPE,
        "reduce_sum: operand #0: expected a number, given bool; operands: bool[2]"),
    BAD(REDUCE_SUM, "f32[2,3]", "2", "", SHAPE,
        "reduce_sum: axis 2 is not in [0, 2); operands: f32[2,3]"),
    BAD(REDUCE_SUM, "f32[2,3]", "1 1", "", SHAPE,
        "reduce_sum: axes are not distinct and ascending: 1, 1; operands: f32[2,3]"),
    BAD(REDUCE_PROD, "f32[2,3]", "1 0", "", SHAPE,
        "reduce_prod: axes are not distinct and ascending: 1, 0; operands: f32[2,3]"),
    BAD(REDUCE_MIN, "f32[2,3]", "-1", "", SHAPE,
        "reduce_min: axis -1 is not in [0, 2); operands: f32[2,3]"),
    // sums of chunks
    OK(PARTIAL_SUM, "f32[130,B]", "0 64", "", "f32[3,B]"),
    OK(PARTIAL_SUM, "i32[2,B]", "1 64", "", "i32[2,div(B+63,64)]"),
    OK(PARTIAL_SUM, "f64[0,3]", "0 1", "", "f64[0,3]"),
    BAD(PARTIAL_SUM, "f32[2,3]", "2 64", "", SHAPE,
        "partial_sum: axis 2 is not in [0, 2); operands: f32[2,3]"),
    BAD(PARTIAL_SUM, "f32[2,3]", "0 0", "", SHAPE,
        "partial_sum: chunk 0 is not in [1, 2^31); operands: f32[2,3]"),
    BAD(PARTIAL_SUM, "bool[2,3]", "0 2", "", DTYPE,
        "partial_sum: operand #0: expected a number, given bool; operands: "
        "bool[2,3]"),
    // cumulations
    OK(CUMSUM, "i32[2,B]", "1 0 0", "", "i32[2,B]"),
    OK(CUMPROD, "f64[0]", "0 1 1", "", "f64[0]"),
    OK(CUMMAX, "i64[2,3]", "0 0 1", "", "i64[2,3]"),
    OK(CUMMIN, "f32[2,3]", "0 1 0", "", "f32[2,3]"),
    OK(RECURRENCE, "f32[2,B] f32[2,B]", "1 1 0", "", "f32[2,B]"),
    OK(PAIR_CUMULATION, "f32[2,B] f32[2,B]", "1 1 0 1", "", "f32[2,B]"),
    OK(PAIR_CUMULATION, "f64[2] f64[2] f64[2] f64[2]", "0 0 0 0", "", "f64[2]"),
    BAD(CUMSUM, "f32[2,3]", "2 0 0", "", SHAPE,
        "cumsum: axis 2 is not in [0, 2); operands: f32[2,3]"),
    BAD(CUMMAX, "f32[]", "0 0 0", "", SHAPE, "cummax: axis 0 is not in [0, 0); operands: f32[]"),
    BAD(CUMPROD, "f32[2,3]", "0 2 0", "", ARGUMENT,
        "cumprod: exclusive and reverse must be 0 or 1; operands: f32[2,3]"),
    BAD(CUMMIN, "f32[2,3]", "0 0 -1", "", ARGUMENT,
        "cummin: exclusive and reverse must be 0 or 1; operands: f32[2,3]"),
    BAD(CUMSUM, "bool[2,3]", "0 0 0", "", DTYPE,
        "cumsum: operand #0: expected a number, given bool; operands: bool[2,3]"),
    BAD(RECURRENCE, "i32[2] i32[2]", "0 0 0", "", DTYPE,
        "recurrence: operand #0: expected a float or complex, given i32; operands: i32[2], i32[2]"),
    BAD(RECURRENCE, "f32[2] f32[3]", "0 0 0", "", SHAPE,
        "recurrence: operand #1: expected the shape of operand #0; operands: f32[2], f32[3]"),
    // contraction
    OK(MATMUL, "f32[B,10] f32[10,3]", "0 0", "", "f32[B,3]"),
    OK(MATMUL, "f32[10,B] f32[10,3]", "1 0", "", "f32[B,3]"),
    OK(MATMUL, "f32[B,10] f32[3,10]", "0 1", "", "f32[B,3]"),
    OK(MATMUL, "f32[7,10,B] f32[7,3,10]", "1 1", "", "f32[7,B,3]"),
    BAD(MATMUL, "f32[2,3] f32[4,5]", "0 0", "", SHAPE,
        "matmul: inner dims differ: operand #0 has 3, operand #1 has 4; operands: f32[2,3], "
        "f32[4,5]"),
    BAD(MATMUL, "f32[3] f32[3,5]", "0 0", "", SHAPE,
        "matmul: operand #0: expected rank >= 2, given 1; operands: f32[3], f32[3,5]"),
    BAD(MATMUL, "f32[1,2,3] f32[3,5]", "0 0", "", SHAPE,
        "matmul: operand #1: expected rank 3 as operand #0, given 2; operands: f32[1,2,3], "
        "f32[3,5]"),
    BAD(MATMUL, "f32[6,2,3] f32[7,3,5]", "0 0", "", SHAPE,
        "matmul: operand #1: batch dim 0 differs from operand #0's; operands: f32[6,2,3], "
        "f32[7,3,5]"),
    BAD(MATMUL, "f32[2,3] f64[3,5]", "0 0", "", DTYPE,
        "matmul: operand #1: expected f32 as operand #0, given f64; operands: f32[2,3], f64[3,5]"),
    BAD(MATMUL, "f32[2,3] f32[3,5]", "0 2", "", ARGUMENT,
        "matmul: ta and tb must be 0 or 1; operands: f32[2,3], f32[3,5]"),
    // convolutions
    OK(CONV, "f32[B,8,9,3] f32[3,5,3,7]", "2 1 1 2 -1 0 4 3", "", "f32[B,4,3,7]"),
    OK(CONV, "i32[4,B,8,3] i32[4,3,3,7]", "1 1 0 B", "", "i32[4,B,B,7]"),
    OK(CONV_INPUT, "f64[B,4,7] f64[3,5,7]", "2 1 -1 8", "", "f64[B,8,5]"),
    OK(CONV_KERNEL, "f32[B,8,9,3] f32[B,4,3,7]", "2 1 1 2 -1 0 3 5", "", "f32[3,5,3,7]"),
    BAD(CONV, "f32[2,8,3] f32[3,4,7]", "1 1 0 6", "", SHAPE,
        "conv: channels differ: operand #0 has 3, operand #1 has 4; operands: f32[2,8,3], "
        "f32[3,4,7]"),
    BAD(CONV_INPUT, "f32[2,8,3] f32[3,3,7]", "1 1 0 6", "", SHAPE,
        "conv_input: channels differ: operand #0 has 3, operand #1 has 7; operands: f32[2,8,3], "
        "f32[3,3,7]"),
    BAD(CONV_KERNEL, "f32[2,8,3] f32[4,6,7]", "1 1 0 3", "", SHAPE,
        "conv_kernel: the numbers of examples differ: operand #0 has 2, operand #1 has 4; "
        "operands: f32[2,8,3], f32[4,6,7]"),
    BAD(CONV, "f32[2,8,3] f32[3,3,7]", "0 1 0 6", "", ARGUMENT,
        "conv: stride 0 is not in [1, 2^31); operands: f32[2,8,3], f32[3,3,7]"),
    BAD(CONV, "f32[2,8,3] f32[3,3,7]", "1 2147483648 0 6", "", ARGUMENT,
        "conv: dilation 2147483648 is not in [1, 2^31); operands: f32[2,8,3], f32[3,3,7]"),
    BAD(CONV, "f32[2,8,3] f32[3,3,7]", "B 1 0 6", "", SHAPE,
        "conv: stride must be a constant; operands: f32[2,8,3], f32[3,3,7]"),
    BAD(CONV, "f32[2,8,3] f32[3,3,7]", "1 1 2147483648 6", "", ARGUMENT,
        "conv: start 2147483648 is not in (-2^31, 2^31); operands: f32[2,8,3], f32[3,3,7]"),
    BAD(CONV, "f32[8,3] f32[3,7]", "1 1 0 6", "", SHAPE,
        "conv: expected operands of one rank, at least 3 with 1 spatial dims, given 2 and 2; "
        "operands: f32[8,3], f32[3,7]"),
    BAD(CONV, "f32[6,2,8,3] f32[7,3,3,7]", "1 1 0 6", "", SHAPE,
        "conv: operand #1: batch dim 0 differs from operand #0's; operands: f32[6,2,8,3], "
        "f32[7,3,3,7]"),
    BAD(CONV, "f32[2,8,3] f32[3,3,7]", "", "", SHAPE,
        "conv: 0 spatial dims, allowed are 1 to 3; operands: f32[2,8,3], f32[3,3,7]"),
    BAD(CONV, "f32[2,8,3] f64[3,3,7]", "1 1 0 6", "", DTYPE,
        "conv: operand #1: expected f32 as operand #0, given f64; operands: f32[2,8,3], "
        "f64[3,3,7]"),
    // indices
    OK(GATHER, "f32[10,B,4] i32[2,3]", "", "", "f32[2,3,B,4]"),
    OK(GATHER, "bool[10] i64[]", "", "", "bool[]"),
    OK(SORT, "bool[B,3]", "1", "", "bool[B,3]"),
    BAD(SORT, "f32[]", "0", "", SHAPE,
        "sort: operand #0: expected rank >= 1, given 0; operands: f32[]"),
    BAD(SORT, "f32[2]", "2", "", ARGUMENT,
        "sort: descending is 2, expected 0 to 1; operands: f32[2]"),
    OK(ARGSORT, "f64[B,3]", "0", "", "i32[B,3]"),
    BAD(ARGSORT, "u8[2147483648]", "0", "", SHAPE,
        "argsort: rows of 2147483648 elements, allowed are 2147483647; operands: u8[2147483648]"),
    OK(TOP_K, "f32[B,3]", "3", "", "i32[B,3]"),
    OK(TOP_K, "f32[3,B]", "7", "", "i32[3,7]"),
    BAD(TOP_K, "f32[B,3]", "4", "", ARGUMENT, "top_k: k is 4, expected 0 to 3; operands: f32[B,3]"),
    OK(RANDOM_GAMMA_GRADIENT, "f64[2,B] f64[2,B]", "0", "", "f64[2,B]"),
    OK(GCD, "u8[2,B] u8[2,B]", "", "", "u8[2,B]"),
    OK(FFT, "c64[B,3]", "0 1", "", "c64[B,3]"),
    OK(FFT, "f64[B,3,2]", "1 2", "", "f64[B,3,2]"),
    BAD(FFT, "f32[2,3]", "0 0", "", SHAPE,
        "fft: operand #0: expected pairs in the last dim; operands: f32[2,3]"),
    BAD(FFT, "c64[2,B]", "0 0", "", SHAPE,
        "fft: operand #0: the length of its rows must be a constant; operands: c64[2,B]"),
    BAD(FFT, "c64[0]", "0 0", "", SHAPE,
        "fft: rows of 0 elements, expected 1 to 1073741824; operands: c64[0]"),
    BAD(FFT, "c64[2]", "0 3", "", ARGUMENT, "fft: norm is 3, expected 0 to 2; operands: c64[2]"),
    OK(RFFT, "f32[B,6]", "0 0 0", "", "c64[B,4]"),
    OK(RFFT, "f64[5]", "1 0 1", "", "f64[3,2]"),
    OK(IRFFT, "c128[B,3]", "5 1 0", "", "f64[B,5]"),
    OK(IRFFT, "f32[3,2]", "4 1 0", "", "f32[4]"),
    BAD(IRFFT, "c64[3]", "6 1 0", "", SHAPE,
        "irfft: operand #0: rows of 3 elements, expected 4; operands: c64[3]"),
    OK(SEARCH_SORTED, "f32[B,3] f32[B,5]", "1", "", "i32[B,5]"),
    BAD(SEARCH_SORTED, "f32[3] i32[5]", "1", "", DTYPE,
        "search_sorted: operand #1: expected f32 as operand #0, given i32; operands: f32[3], "
        "i32[5]"),
    BAD(SEARCH_SORTED, "f32[2,3] f32[3,3]", "1", "", SHAPE,
        "search_sorted: operand #1: dim 0 differs from operand #0's; operands: f32[2,3], f32[3,3]"),
    OK(CHOLESKY, "f32[B,3,3]", "", "", "f32[B,3,3]"),
    BAD(CHOLESKY, "f32[2,3]", "", "", SHAPE,
        "cholesky: operand #0: expected square matrices; operands: f32[2,3]"),
    OK(STRING_COMPARE, "string[B,3] string[B,3]", "", "", "i32[B,3]"),
    BAD(STRING_COMPARE, "i32[3] i32[3]", "", "", DTYPE,
        "string_compare: operand #0: expected strings, given i32; operands: i32[3], i32[3]"),
    OK(STRING_RANK, "string[B,3]", "", "", "i64[B,3]"),
    BAD(STRING_RANK, "string[]", "", "", SHAPE,
        "string_rank: operand #0: expected rank >= 1, given 0; operands: string[]"),
    OK(GATHER, "string[5,B] i32[2]", "", "", "string[2,B]"),
    BAD(CAST, "i32[2]", "", "string[2]", DTYPE,
        "cast: nothing converts to strings; operands: i32[2]; result: string[2]"),

    BAD(CHOLESKY, "i32[3,3]", "", "", DTYPE,
        "cholesky: operand #0: expected a float, given i32; operands: i32[3,3]"),
    OK(TRIANGULAR_SOLVE, "f64[3,3] f64[3,B]", "1 0 0", "", "f64[3,B]"),
    BAD(TRIANGULAR_SOLVE, "f64[3,3] f64[3,3]", "1 2 0", "", ARGUMENT,
        "triangular_solve: transpose is 2, expected 0 to 1; operands: f64[3,3], f64[3,3]"),
    OK(SOLVE, "f32[B,3,3] f32[B,3,1]", "0", "", "f32[B,3,1]"),
    BAD(SOLVE, "f32[3,3] f32[2,3]", "0", "", SHAPE,
        "solve: operand #1: its columns are not as long as operand #0's; operands: f32[3,3], "
        "f32[2,3]"),
    OK(DETERMINANT, "f32[B,3,3]", "2", "", "f32[B]"),
    BAD(DETERMINANT, "f32[3,3]", "3", "", ARGUMENT,
        "determinant: part is 3, expected 0 to 2; operands: f32[3,3]"),
    OK(QR, "f32[B,5,3]", "", "", "f32[B,8,3]"),
    BAD(QR, "f32[3,5]", "", "", SHAPE,
        "qr: operand #0: expected no more columns than rows; operands: f32[3,5]"),
    OK(EIGH, "f32[2,3,3]", "", "", "f32[2,4,3]"),
    OK(SVD, "f32[2,3,5]", "", "", "f32[2,9,3]"),
    BAD(GATHER, "f32[10] f32[2]", "", "", DTYPE,
        "gather: operand #1: expected an integer, given f32; operands: f32[10], f32[2]"),
    BAD(GATHER, "f32[] i32[2]", "", "", SHAPE,
        "gather: operand #0: expected rank >= 1, given 0; operands: f32[], i32[2]"),
    BAD(GATHER, "f32[1,1,1,1,1] i32[1,1,1,1,1]", "", "", SHAPE,
        "gather: the rows have rank 9, allowed are 0 to 8; operands: f32[1,1,1,1,1], "
        "i32[1,1,1,1,1]"),
    OK(SCATTER_ADD, "f32[10,B] i32[3] f32[3,B]", "", "", "f32[10,B]"),
    BAD(SCATTER_ADD, "f32[10,4] i32[3] f32[3,5]", "", "", SHAPE,
        "scatter_add: operand #2: expected f32[3,4]; operands: f32[10,4], i32[3], f32[3,5]"),
    BAD(SCATTER_ADD, "f32[10,4] i32[3] f64[3,4]", "", "", DTYPE,
        "scatter_add: operand #2: expected f32 as operand #0, given f64; operands: f32[10,4], "
        "i32[3], f64[3,4]"),
    OK(SCATTER_MAX, "i8[10,B] i32[3] i8[3,B]", "", "", "i8[10,B]"),
    OK(SCATTER_MIN, "u64[10] i32[] u64[]", "", "", "u64[10]"),
    OK(SCATTER_MUL, "bf16[10,B] i32[3] bf16[3,B]", "", "", "bf16[10,B]"),
    OK(SCATTER_UPDATE, "c64[10] u8[] c64[]", "", "", "c64[10]"),
    BAD(SCATTER_MUL, "c64[10] i32[3] c64[3]", "", "", DTYPE,
        "scatter_mul: operand #0: expected a real number, given c64; operands: c64[10], i32[3], "
        "c64[3]"),
    OK(FLAT_INDEX, "u8[7,B,2]", "0 1 5 B B 1", "", "i64[7,B]"),
    OK(FLAT_INDEX, "i64[0]", "", "", "i64[]"),
    BAD(FLAT_INDEX, "i64[7,2]", "0 5 1", "", SHAPE,
        "flat_index: the last dim of operand #0 must be 1; operands: i64[7,2]"),
    BAD(FLAT_INDEX, "i64[]", "0 5 1", "", SHAPE,
        "flat_index: operand #0: expected rank >= 1, given 0; operands: i64[]"),
    BAD(FLAT_INDEX, "f32[1]", "0 5 1", "", DTYPE,
        "flat_index: operand #0: expected an integer, given f32; operands: f32[1]"),
    // random
    OK(RANDOM_BITS, "i64[3]", "0", "i32[B,5]", "i32[B,5]"),
    OK(RANDOM_BITS, "i64[3]", "2", "i64[]", "i64[]"),
    BAD(RANDOM_BITS, "i64[2]", "0", "i32[5]", SHAPE,
        "random_bits: operand #0: expected i64[3]; operands: i64[2]; result: i32[5]"),
    BAD(RANDOM_BITS, "i32[3]", "0", "i32[5]", DTYPE,
        "random_bits: operand #0: expected i64[3]; operands: i32[3]; result: i32[5]"),
    BAD(RANDOM_BITS, "i64[3]", "0", "f32[5]", DTYPE,
        "random_bits: result: expected i32 or i64, given f32; operands: i64[3]; result: f32[5]"),
    BAD(RANDOM_BITS, "i64[3]", "3", "i32[5]", ARGUMENT,
        "random_bits: algorithm: expected a number from 0 to 2; operands: i64[3]; result: i32[5]"),
    OK(RANDOM_NORMAL, "i64[3]", "1", "f32[B]", "f32[B]"),
    BAD(RANDOM_NORMAL, "i64[3]", "1", "f64[2]", DTYPE,
        "random_normal: result: expected f32, given f64; operands: i64[3]; result: f64[2]"),
    OK(RANDOM_TRUNCATED_NORMAL, "i64[3]", "0", "f64[2]", "f64[2]"),
    BAD(RANDOM_TRUNCATED_NORMAL, "i64[3]", "0", "f16[2]", DTYPE,
        "random_truncated_normal: result: expected f32 or f64, given f16; operands: i64[3]; "
        "result: f16[2]"),
    OK(RANDOM_PERMUTATION, "i64[3]", "0", "i32[B]", "i32[B]"),
    BAD(RANDOM_PERMUTATION, "i64[3]", "0", "i32[2,2]", SHAPE,
        "random_permutation: result: expected rank 1; operands: i64[3]; result: i32[2,2]"),
    BAD(RANDOM_PERMUTATION, "i64[3]", "0", "i32[2147483648]", SHAPE,
        "random_permutation: 2147483648 places, allowed are 2147483647; operands: i64[3]; "
        "result: i32[2147483648]"),
    OK(RANDOM_INTEGERS, "i64[3] i64[]", "0", "i64[7]", "i64[7]"),
    BAD(RANDOM_INTEGERS, "i64[3] i64[1]", "0", "i64[7]", SHAPE,
        "random_integers: operand #1: expected i64[]; operands: i64[3], i64[1]; result: i64[7]"),
    OK(RANDOM_GAMMA, "i64[3] f64[B,2]", "0 1", "f64[B,2]", "f64[B,2]"),
    BAD(RANDOM_GAMMA, "i64[3] f32[2]", "0 1", "f64[2]", DTYPE,
        "random_gamma: operand #1: expected f64 as the result; operands: i64[3], f32[2]; result: "
        "f64[2]"),
    OK(RANDOM_POISSON, "i64[3] f32[B]", "2", "f32[B]", "f32[B]"),
    BAD(RANDOM_POISSON, "i64[3] f32[2]", "0", "f32[3]", SHAPE,
        "random_poisson: operand #1: expected the result's shape; operands: i64[3], f32[2]; "
        "result: f32[3]"),
};

// Reads blank-separated types.
static int read_types(const char *text, sni_type *types) {
  int n = 0;
  char copy[256];
  snprintf(copy, sizeof(copy), "%s", text);
  for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) types[n++] = type_of(word);
  return n;
}

static int read_attrs(const char *text, sni_dim *attrs) {
  int n = 0;
  char copy[256];
  snprintf(copy, sizeof(copy), "%s", text);
  for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) attrs[n++] = dim_of(word);
  return n;
}

START_TEST(rules) {
  const rule_case *c = &cases[_i];
  sni_type types[4], declared, result;
  const sni_type *pointers[4] = {&types[0], &types[1], &types[2], &types[3]};
  sni_dim attrs[16];
  // B and C have no hints: the only guards that could be made would be seen in the result.
  int n = read_types(c->operands, types), n_attrs = read_attrs(c->attrs, attrs);
  if (*c->declared) declared = type_of(c->declared);
  sn_status status = sni_infer(&diag, graph->dims, c->op, pointers, n, attrs, n_attrs,
                               *c->declared ? &declared : NULL, &result);
  ck_assert_msg(status == c->status, "case %d: %s", _i, diag.text);
  if (status) {
    ck_assert_str_eq(diag.text, c->expected);
    ck_assert_int_eq(diag.status, status);
  } else {
    check_type(&result, c->expected);
    ck_assert_int_eq(sni_dim_guard_count(graph->dims), 0);
  }
}
END_TEST

// Every op of the table is accepted in some case; the classes of ops with one rule are covered
// here.
START_TEST(every_op_is_accepted_in_some_case) {
  for (int op = 0; op < SNI_OP_COUNT; op++) {
    const sni_op_info *info = &sni_op_infos[op];
    bool covered = info->op_class == SNI_CLASS_CONTROL;  // bodies say the rest: test_control.c
    for (size_t i = 0; i < SNI_COUNT_OF(cases); i++)
      covered |= (int)cases[i].op == op && !cases[i].status;
    if (info->op_class == SNI_CLASS_POINTWISE && !covered) {
      // same or compare: an allowed dtype passes, every other is refused with the op's name.
      for (int dtype = 0; dtype < SN_DTYPE_COUNT; dtype++) {
        sni_type type = type_of("f32[2,3]"), result;
        type.dtype = (sn_dtype)dtype;
        const sni_type *operands[3] = {&type, &type, &type};
        sni_diag_clear(&diag);
        sn_status status =
            sni_infer(&diag, NULL, (sni_op)op, operands, info->operands, NULL, 0, NULL, &result);
        ck_assert_msg(status == (info->dtypes >> dtype & 1 ? SN_OK : SN_ERR_DTYPE), "%s: %s",
                      info->name, diag.text);
        if (status)
          ck_assert_msg(!strncmp(diag.text, info->name, strlen(info->name)), "%s", diag.text);
        covered |= !status;
      }
    }
    if (info->op_class == SNI_CLASS_REDUCE && !covered) {
      sni_type type = type_of("f32[2,3]"), result;
      const sni_type *operand = &type;
      ck_assert_int_eq(sni_infer(&diag, NULL, (sni_op)op, &operand, 1, SNI_ATTRS(0), NULL, &result),
                       SN_OK);
      check_type(&result, "f32[3]");
      covered = true;
    }
    ck_assert_msg(covered, "no accepted case for %s", info->name);
  }
}
END_TEST

START_TEST(symbols_are_unified_where_dims_must_agree) {
  sni_type a = type_of("f32[B,3]"), b = type_of("f32[C,3]"), result;
  const sni_type *operands[2] = {&a, &b};
  ck_assert_int_eq(sni_infer(&diag, graph->dims, SNI_OP_ADD, operands, 2, NULL, 0, NULL, &result),
                   SN_OK);
  check_type(&result, "f32[B,3]");
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 1);
  ck_assert(sni_type_equal(graph->dims, &a, &b));
  sni_type c = type_of("f32[D,7]"), d = type_of("f32[5,2]"), e = type_of("f32[10]");
  operands[0] = &c;
  operands[1] = &d;
  ck_assert_int_eq(
      sni_infer(&diag, graph->dims, SNI_OP_MATMUL, operands, 2, SNI_ATTRS(1, 0), NULL, &result),
      SN_OK);
  ck_assert(sni_dim_equal(graph->dims, c.dims[0], 5));
  ck_assert_int_eq(sni_infer(&diag, graph->dims, SNI_OP_RESHAPE, (const sni_type *const[]){&a}, 1,
                             NULL, 0, &e, &result),
                   SN_ERR_SHAPE);  // 3 B = 10 has no solution
  e = type_of("f32[12]");
  ck_assert_int_eq(sni_infer(NULL, graph->dims, SNI_OP_RESHAPE, (const sni_type *const[]){&a}, 1,
                             NULL, 0, &e, &result),
                   SN_OK);
  ck_assert(sni_dim_equal(graph->dims, b.dims[0], 4));
}
END_TEST

START_TEST(symbolic_dims_need_a_table) {
  sni_type a = type_of("f32[B]"), result;
  const sni_type *operands[1] = {&a};
  ck_assert_int_eq(sni_infer(&diag, NULL, SNI_OP_NEG, operands, 1, NULL, 0, NULL, &result),
                   SN_ERR_INTERNAL);
}
END_TEST

static const struct {
  const char *a, *b, *result;  // NULL: refused
  int guards;
} broadcasts[] = {
    {"f32[2,3]", "f64[3]", "f32[2,3]", 0},   {"f32[]", "f32[4]", "f32[4]", 0},
    {"f32[3,1]", "f32[1,4]", "f32[3,4]", 0}, {"f32[1]", "f32[0]", "f32[0]", 0},
    {"f32[B,1]", "f32[5]", "f32[B,5]", 0},   {"f32[B,3]", "f32[B,3]", "f32[B,3]", 0},
    {"f32[1,3]", "f32[B,1]", "f32[B,3]", 0}, {"f32[B]", "f32[C]", "f32[B]", 1},
    {"f32[B]", "f32[7]", "f32[7]", 1},       {"f32[2,3]", "f32[2,4]", NULL, 0},
    {"f32[2]", "f32[3,4]", NULL, 0},
};

START_TEST(shapes_broadcast_as_numpy) {
  sni_type a = type_of(broadcasts[_i].a), b = type_of(broadcasts[_i].b), result;
  sn_status status = sni_broadcast_shapes(&diag, graph->dims, "mul", &a, &b, &result);
  if (broadcasts[_i].result) {
    ck_assert_msg(status == SN_OK, "%s", diag.text);
    check_type(&result, broadcasts[_i].result);
    ck_assert_int_eq(sni_dim_guard_count(graph->dims), broadcasts[_i].guards);
  } else {
    ck_assert_int_eq(status, SN_ERR_SHAPE);
    ck_assert_ptr_nonnull(strstr(diag.text, "mul: "));
    ck_assert_ptr_nonnull(strstr(diag.text, broadcasts[_i].a));
    ck_assert_ptr_nonnull(strstr(diag.text, broadcasts[_i].b));
  }
}
END_TEST

START_TEST(a_symbol_whose_hint_is_1_stretches) {
  sni_dim one = symbol(1), five = symbol(5);
  sni_type a = sni_type_make(SN_F32, 1, &one), b = sni_type_make(SN_F32, 1, &five), result;
  ck_assert_int_eq(sni_broadcast_shapes(&diag, graph->dims, "add", &a, &b, &result), SN_OK);
  ck_assert(sni_dim_equal(graph->dims, result.dims[0], five));
  ck_assert(sni_dim_equal(graph->dims, one, 1));
  ck_assert(!sni_dim_equal(graph->dims, five, 5));
  sni_dim six = symbol(6);
  sni_type c = sni_type_make(SN_F32, 1, &six);
  ck_assert_int_eq(sni_broadcast_shapes(&diag, graph->dims, "add", &b, &c, &result), SN_ERR_SHAPE);
}
END_TEST

// The order of a sum asks what is kept behind its axes, that of a product how many columns there are:
// a trace that knows its sizes holds them to that.
START_TEST(orders_settle_the_sizes_they_ask_about) {
  sni_dim dims[] = {symbol(7), symbol(5), symbol(1), symbol(0), symbol(-1)};
  sni_type x = sni_type_make(SN_F32, 3, dims), y = sni_type_make(SN_F32, 2, dims + 3);
  sni_node_id a, b, sum;
  ck_assert_int_eq(sni_graph_add_parameter(graph, &x, SNI_PARAMETER_INPUT, 0, NULL, &a), SN_OK);
  ck_assert_int_eq(sni_graph_add_parameter(graph, &y, SNI_PARAMETER_INPUT, 1, NULL, &b), SN_OK);
  const sni_dim axis[] = {0}, second[] = {1}, flags[] = {0, 1};
#define ADD(op, x, attrs, n) \
  ck_assert_int_eq(sni_graph_add(graph, op, &x, 1, attrs, n, NULL, (sni_location){0}, &sum), SN_OK)
  ADD(SNI_OP_REDUCE_SUM, a, axis, 1);
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 0);  // not asked to
  sni_dim_table_settle(graph->dims);
  ADD(SNI_OP_REDUCE_MAX, a, axis, 1);
  ADD(SNI_OP_REDUCE_SUM, b, axis, 1);  // no hint
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 0);
  ADD(SNI_OP_REDUCE_SUM, a, axis, 1);
  ck_assert(sni_dim_equal(graph->dims, dims[2], 1));
  ck_assert(sni_dim_is_at_least(graph->dims, dims[1], 2));
  ck_assert(!sni_dim_is_at_least(graph->dims, dims[0], 1));
  ADD(SNI_OP_REDUCE_SUM, b, second, 1);  // nothing behind it
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 2);
  ck_assert_int_eq(sni_graph_add(graph, SNI_OP_MATMUL, (sni_node_id[]){b, b}, 2, flags, 2, NULL,
                                 (sni_location){0}, &sum),
                   SN_OK);
  ck_assert(sni_dim_equal(graph->dims, dims[3], 0));
#undef ADD
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.infer");
  TCase *tests = tcase_create("infer");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, rules, 0, (int)SNI_COUNT_OF(cases));
  tcase_add_test(tests, every_op_is_accepted_in_some_case);
  tcase_add_test(tests, symbols_are_unified_where_dims_must_agree);
  tcase_add_test(tests, symbolic_dims_need_a_table);
  tcase_add_loop_test(tests, shapes_broadcast_as_numpy, 0, (int)SNI_COUNT_OF(broadcasts));
  tcase_add_test(tests, a_symbol_whose_hint_is_1_stretches);
  tcase_add_test(tests, orders_settle_the_sizes_they_ask_about);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
