// Every op of ops.def on the interpreter and on LLVM, for every dtype it takes: contiguous,
// transposed, sliced, reversed and broadcast operands, sizes 0, 1 and odd ones, the special values
// of each dtype. Results must be the same bits; an op without a case fails. Then matmul against
// float64.
#include "ops/modes_harness.h"

// ---- pointwise ops: operands of every layout
typedef enum layout {
  CONTIGUOUS,
  TRANSPOSED,
  SLICED,
  REVERSED,
  COLUMNS,
  ROW,
  SCALAR,
  N_LAYOUTS
} layout;

// A view of an input: element index of result index i is offset + sum of stride[d] * i[d].
typedef struct operand {
  sn_dtype dtype;
  sn_shape input;
  int64_t offset, stride[SN_MAX_RANK];
} operand;

static void row_major(const sn_shape *shape, int64_t *stride) {
  int64_t s = 1;
  for (int d = shape->rank; d-- > 0;) {
    stride[d] = shape->dims[d] == 1 ? 0 : s;
    s *= shape->dims[d];
  }
}

static void say_integers(source *s, const char *name, const int64_t *values, int n) {
  say(s, "%s=[", name);
  for (int i = 0; i < n; i++) say(s, "%s%lld", i ? "," : "", (long long)values[i]);
  say(s, "]");
}

static void input_of(layout how, const sn_shape *shape, int k, operand *o) {
  int rank = shape->rank;
  o->input = *shape;
  o->offset = 0;
  for (int d = 0; d < rank; d++) {
    int64_t n = shape->dims[d];
    if (how == TRANSPOSED) o->input.dims[d] = shape->dims[rank - 1 - d];
    if (how == SLICED) o->input.dims[d] = 2 * n + 2;
    if (how == REVERSED) o->input.dims[d] = n + 1;
    if (how == COLUMNS && (d + k) % 2) o->input.dims[d] = 1;
  }
  if (how == SCALAR) o->input.rank = 0;
  if (how == ROW && rank > 0) o->input = (sn_shape){1, {shape->dims[rank - 1]}};
}

// Declares input k and what makes the operand of it, %<k>v.
static void say_operand(source *s, layout how, const sn_shape *shape, int k, bool symbolic,
                        operand *o) {
  int rank = shape->rank;
  int64_t base[SN_MAX_RANK], start[SN_MAX_RANK], step[SN_MAX_RANK];
  input_of(how, shape, k, o);
  row_major(&o->input, base);
  say(s, "  %%%d = parameter input %d : ", k, k);
  if (symbolic && how == TRANSPOSED) {
    say(s, "%s[", sn_dtype_name(o->dtype));
    for (int d = 0; d < rank; d++) say(s, "%s%c", d ? "," : "", 'A' + rank - 1 - d);
    say(s, "]");
  } else if (symbolic && how == ROW) {
    say(s, "%s[%c]", sn_dtype_name(o->dtype), 'A' + rank - 1);
  } else {
    say_type(s, o->dtype, &o->input, symbolic);
  }
  for (int d = 0; d < rank; d++) {
    o->stride[d] = how == TRANSPOSED ? base[rank - 1 - d] : how == SCALAR ? 0 : base[d];
    if (how == ROW) o->stride[d] = d == rank - 1 ? base[0] : 0;
    if (how == SLICED) o->offset += base[d], o->stride[d] *= 2, start[d] = 1, step[d] = 2;
    if (how == REVERSED) {
      o->offset += base[d] * shape->dims[d], start[d] = shape->dims[d], step[d] = -1;
      o->stride[d] *= -1;
    }
  }
  if (how == CONTIGUOUS || (rank == 0 && how != SCALAR && how != TRANSPOSED)) {
    say(s, "\n  %%%dv = identity(%%%d) : ", k, k);
  } else if (how == TRANSPOSED) {
    for (int d = 0; d < rank; d++) start[d] = rank - 1 - d;
    say(s, "\n  %%%dv = transpose(%%%d) {", k, k);
    say_integers(s, "perm", start, rank);
    say(s, "} : ");
  } else if (how == SLICED || how == REVERSED) {
    say(s, "\n  %%%dv = slice(%%%d) {", k, k);
    say_integers(s, "start", start, rank);
    say_integers(s, ", step", step, rank);
    say(s, "} : ");
  } else {
    say(s, "\n  %%%dv = broadcast(%%%d) : ", k, k);
  }
  say_type(s, o->dtype, shape, symbolic);
  say(s, "\n");
}

// The operand's elements in order.
static sn_view materialise(const operand *o, const sn_view *input, const sn_shape *shape) {
  sn_view view = new_view(o->dtype, shape);
  size_t size = sn_dtype_size(o->dtype);
  int64_t n = elements_of(shape);
  for (int64_t i = 0; i < n; i++) {
    int64_t at = o->offset, rest = i;
    for (int d = shape->rank; d-- > 0; rest /= shape->dims[d])
      at += rest % shape->dims[d] * o->stride[d];
    memcpy((char *)view.data + (size_t)i * size, (const char *)input->data + (size_t)at * size,
           size);
  }
  return view;
}

typedef struct pointwise {
  sni_op op;
  int n;
  sn_dtype dtypes[3], result;
  pair reference;  // contiguous operands A x B
} pointwise;

static void say_pointwise(source *s, const pointwise *p, const layout *layouts,
                          const sn_shape *shape, bool symbolic, operand *operands) {
  *s = (source){.length = 0};
  say(s, "func @test {\n");
  for (int k = 0; k < p->n; k++) {
    operands[k].dtype = p->dtypes[k];
    say_operand(s, layouts[k], shape, k, symbolic, &operands[k]);
  }
  say(s, "  %%y = %s(", sni_op_infos[p->op].name);
  for (int k = 0; k < p->n; k++) say(s, "%s%%%dv", k ? ", " : "", k);
  say(s, ") : ");
  say_type(s, p->result, shape, symbolic);
  say(s, "\n  return %%y\n}\n");
}

// Runs the program on special values; its results must be those of the reference on the same
// operands, contiguous and flattened.
static void check_layouts(const pointwise *p, const layout *layouts, const sn_shape *shape,
                          bool symbolic) {
  source s;
  operand operands[3];
  sn_view in[3], flat[3], out, expected;
  say_pointwise(&s, p, layouts, shape, symbolic, operands);
  pair compiled = compile_pair(&s);
  int64_t n = elements_of(shape);
  for (int k = 0; k < p->n; k++) {
    in[k] = new_view(p->dtypes[k], &operands[k].input);
    fill_view(&in[k], k);
    flat[k] = materialise(&operands[k], &in[k], shape);
    flat[k].shape = SN_SHAPE(1, n);
  }
  run_pair(&compiled, in, p->n, &out);
  run_pair(&p->reference, flat, p->n, &expected);
  out.shape = expected.shape;
  check_same(&out, &expected, "against contiguous operands", s.text);
  free_views(in, p->n);
  free_views(flat, p->n);
  free(out.data);
  free(expected.data);
  release_pair(&compiled);
}

static void check_pointwise(pointwise *p) {
  static const sn_shape sizes[] = {{2, {0, 3}},  {2, {1, 1}},   {2, {3, 5}},
                                   {2, {7, 64}}, {2, {30, 31}}, {2, {1, 257}}};
  static const sn_shape shapes[] = {{2, {3, 5}},   {3, {2, 3, 19}}, {1, {1}}, {2, {0, 4}},
                                    {2, {17, 33}}, {0, {0}},        {1, {67}}};
  source s;
  operand operands[3];
  layout contiguous[3] = {CONTIGUOUS, CONTIGUOUS, CONTIGUOUS};
  say_pointwise(&s, p, contiguous, &(sn_shape){2, {2, 2}}, true, operands);
  p->reference = compile_pair(&s);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    sn_view in[3], out;
    for (int k = 0; k < p->n; k++) in[k] = new_view(p->dtypes[k], &sizes[i]), fill_view(&in[k], k);
    run_pair(&p->reference, in, p->n, &out);
    free_views(in, p->n);
    free(out.data);
  }
  layout turned[3] = {TRANSPOSED, COLUMNS, ROW};
  check_layouts(p, turned, &sizes[4], true);
  for (int l = 0; l < N_LAYOUTS; l++) {
    layout layouts[3];
    for (int k = 0; k < 3; k++) layouts[k] = (layout)((l + k * (1 + (int)p->op % 3)) % N_LAYOUTS);
    check_layouts(p, layouts, &shapes[((size_t)l + (size_t)p->op + p->dtypes[0]) % 7], false);
  }
  release_pair(&p->reference);
}

// Of an op whose result has not its operands' dtype.
static sn_dtype result_of(sni_op op, sn_dtype dtype) {
  if (op == SNI_OP_EQ || op == SNI_OP_LT || op == SNI_OP_LE) return SN_BOOL;
  if (op == SNI_OP_COMPLEX) return sni_complex_dtype(dtype);
  const bool takes = op == SNI_OP_ABS || op == SNI_OP_REAL || op == SNI_OP_IMAG;
  return takes ? sni_part_dtype(dtype) : dtype;
}

// Casts that there are; bits are of real numbers.
static bool can_convert(sni_op op, sn_dtype from, sn_dtype to) {
  const bool complex = sni_is_complex(from) || sni_is_complex(to);
  if (op == SNI_OP_CAST) return !sni_is_complex(from) || sni_is_complex(to) || to == SN_BOOL;
  return !complex && sn_dtype_size(from) == sn_dtype_size(to) && (to != SN_BOOL || from == SN_BOOL);
}

static int check_pointwise_op(sni_op op) {
  int checked = 0;
  bool converts = op == SNI_OP_CAST || op == SNI_OP_BITCAST;
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    for (int other = 0; other < SN_DTYPE_COUNT; other++) {
      sn_dtype dtype = (sn_dtype)d, second = (sn_dtype)other;
      pointwise p = {.op = op, .n = sni_op_infos[op].operands, .dtypes = {dtype, dtype, dtype}};
      p.result = result_of(op, dtype);
      if (op == SNI_OP_SELECT) p.dtypes[1] = p.dtypes[2] = p.result = second;
      if (converts) p.result = second;
      if (!(sni_op_infos[op].dtypes >> d & 1)) continue;
      if (op != SNI_OP_SELECT && !converts && other) continue;
      if (converts && !can_convert(op, dtype, second)) continue;
      check_pointwise(&p);
      checked++;
    }
  }
  return checked;
}

// ---- the other ops: texts, where $ is the dtype and the inputs' dims are A and B
typedef struct text_case {
  sni_op op;
  const char *body;
  int64_t index_limit;  // integer inputs but the first are indices below it; 0: none are
} text_case;

#define X "%0 = parameter input 0 : $[A,B]\n"
#define X3 "%0 = parameter input 0 : $[A,5,B]\n"
#define XT X "%t = transpose(%0) {perm=[1,0]} : $[B,A]\n"
#define CONV(x, w, y, numbers, image, kernel, window)                                      \
  {SNI_OP_CONV,                                                                            \
   "%0 = parameter input 0 : $[" x "]\n%1 = parameter input 1 : $[" w                      \
   "]\n"                                                                                   \
   "%2 = conv(%0, %1) {" numbers ", size=[" window "]} : $[" y "]\nreturn %2",             \
   0},                                                                                     \
      {SNI_OP_CONV_INPUT,                                                                  \
       "%0 = parameter input 0 : $[" y "]\n%1 = parameter input 1 : $[" w                  \
       "]\n"                                                                               \
       "%2 = conv_input(%0, %1) {" numbers ", size=[" image "]} : $[" x "]\nreturn %2",    \
       0},                                                                                 \
  {                                                                                        \
    SNI_OP_CONV_KERNEL,                                                                    \
        "%0 = parameter input 0 : $[" x "]\n%1 = parameter input 1 : $[" y                 \
        "]\n"                                                                              \
        "%2 = conv_kernel(%0, %1) {" numbers ", size=[" kernel "]} : $[" w "]\nreturn %2", \
        0                                                                                  \
  }
static const text_case text_cases[] = {
    CONV("A,9,B", "3,B,17", "A,5,17", "stride=[2], dilation=[1], start=[-1]", "9", "3", "5"),
    CONV("A,9,7,3", "3,2,3,5", "A,7,4,5", "stride=[1,3], dilation=[1,2], start=[0,-2]", "9,7",
         "3,2", "7,4"),
    CONV("A,4,5,6,2", "2,3,1,2,9", "A,4,5,6,9", "stride=[1,1,1], dilation=[1,1,1], start=[-1,-1,0]",
         "4,5,6", "2,3,1", "4,5,6"),
    CONV("3,A,8,4", "3,5,4,6", "3,A,4,6", "stride=[1], dilation=[1], start=[0]", "8", "5", "4"),
    {SNI_OP_PARAMETER, X "return %0", 0},
    {SNI_OP_PARAMETER, X "return %0, %0", 0},
    {SNI_OP_CONSTANT, X "%1 = constant 1 : $[]\n%2 = broadcast(%1) : $[A,B]\nreturn %1, %2", 0},
    {SNI_OP_CONSTANT,
     X "%1 = constant [1, 0, 1] : $[3]\n%2 = broadcast(%1) : $[2,3]\nreturn %2, %1", 0},
    {SNI_OP_IOTA, X "%1 = iota() {axis=1} : $[A,B]\n%2 = iota() {axis=0} : $[A,B]\nreturn %1, %2",
     0},
    {SNI_OP_IOTA, X "%1 = iota() {axis=0} : $[7]\n%2 = iota() {axis=2} : $[2,1,33]\nreturn %1, %2",
     0},
    {SNI_OP_DIM_SIZE,
     X "%1 = dim_size() {dim=2*A+B} : i64[]\n%2 = dim_size() {dim=A*B} : i64[]\n"
       "return %1, %2",
     0},
    {SNI_OP_RESHAPE, X "%1 = reshape(%0) : $[A*B]\nreturn %1", 0},
    {SNI_OP_RESHAPE, XT "%1 = reshape(%t) : $[A*B]\n%2 = reshape(%1) : $[A,1,B]\nreturn %1, %2", 0},
    {SNI_OP_TRANSPOSE, XT "return %t", 0},
    {SNI_OP_TRANSPOSE,
     X3 "%1 = transpose(%0) {perm=[2,0,1]} : $[B,A,5]\n"
        "%2 = transpose(%1) {perm=[0,2,1]} : $[B,5,A]\nreturn %1, %2",
     0},
    {SNI_OP_BARRIER, XT "%1 = barrier(%t) {number=1} : $[B,A]\nreturn %1", 0},
    {SNI_OP_BARRIER,
     X "%1 = barrier(%0) {number=2} : $[A,B]\n%2 = concat(%0, %1) {axis=0} : $[2*A,B]\n"
       "return %1, %2",
     0},
    {SNI_OP_BROADCAST, X "%1 = broadcast(%0) : $[3,A,B]\nreturn %1", 0},
    {SNI_OP_BROADCAST, XT "%1 = reshape(%t) : $[B,1,A]\n%2 = broadcast(%1) : $[B,3,A]\nreturn %2",
     0},
    {SNI_OP_SLICE, X3 "%1 = slice(%0) {start=[0,4,0], step=[1,-2,1]} : $[A,3,B]\nreturn %1", 0},
    {SNI_OP_SLICE,
     X3 "%1 = slice(%0) {start=[A-1,1,B-1], step=[-1,1,-1]} : $[A,2,B]\n"
        "%2 = slice(%0) {start=[0,2,0], step=[1,1,1]} : $[A,0,B]\nreturn %1, %2",
     0},
    {SNI_OP_PAD,
     X "%1 = constant 1 : $[]\n"
       "%2 = pad(%0, %1) {low=[1,0], high=[2,3], interior=[0,0]} : $[A+3,B+3]\n"
       "return %2",
     0},
    {SNI_OP_PAD,
     "%0 = parameter input 0 : $[A,7,B]\n%1 = constant 0 : $[]\n"
     "%2 = pad(%0, %1) {low=[0,1,0], high=[0,0,1], interior=[0,2,0]} : $[A,20,B+1]\n"
     "return %2",
     0},
    {SNI_OP_CONCAT,
     X "%1 = concat(%0, %0) {axis=0} : $[2*A,B]\n"
       "%2 = concat(%0, %0, %0) {axis=1} : $[A,3*B]\nreturn %1, %2",
     0},
    {SNI_OP_CONCAT,
     X "%1 = parameter input 1 : $[B,4]\n%2 = transpose(%1) {perm=[1,0]} : $[4,B]\n"
       "%3 = concat(%0, %2) {axis=0} : $[A+4,B]\n%4 = concat(%3) {axis=1} : $[A+4,B]\n"
       "return %4",
     0},
    {SNI_OP_PARTIAL_SUM,
     X "%1 = partial_sum(%0) {axis=0, chunk=3} : $[div(A+2,3),B]\n"
       "%2 = partial_sum(%0) {axis=1, chunk=2} : $[A,div(B+1,2)]\n"
       "%3 = partial_sum(%0) {axis=0, chunk=1} : $[A,B]\nreturn %1, %2, %3",
     0},
    {SNI_OP_PARTIAL_SUM,
     X "%1 = mul(%0, %0) : $[A,B]\n%2 = partial_sum(%1) {axis=0, chunk=4} : $[div(A+3,4),B]\n"
       "%3 = reduce_sum(%1) {axes=[1]} : $[A]\n%4 = reshape(%3) : $[A,1]\n"
       "%5 = broadcast(%4) : $[A,B]\n%6 = sub(%1, %5) : $[A,B]\n"
       "%7 = partial_sum(%6) {axis=0, chunk=4} : $[div(A+3,4),B]\n"
       "%8 = reduce_sum(%7) {axes=[0]} : $[B]\nreturn %2, %6, %7, %8",
     0},
    {SNI_OP_PARTIAL_SUM,
     X3 "%1 = partial_sum(%0) {axis=0, chunk=2} : $[div(A+1,2),5,B]\n"
        "%2 = partial_sum(%0) {axis=1, chunk=2} : $[A,3,B]\n"
        "%3 = partial_sum(%2) {axis=1, chunk=2} : $[A,2,B]\n"
        "%4 = transpose(%0) {perm=[2,1,0]} : $[B,5,A]\n"
        "%5 = partial_sum(%4) {axis=1, chunk=64} : $[B,1,A]\nreturn %1, %2, %3, %5",
     0},
    {SNI_OP_RECURRENCE,
     X "%1 = parameter input 1 : $[A,B]\n"
       "%2 = recurrence(%0, %1) {axis=0, exclusive=0, reverse=0} : $[A,B]\n"
       "%3 = recurrence(%1, %0) {axis=1, exclusive=1, reverse=1} : $[A,B]\n"
       "%4 = mul(%2, %3) : $[A,B]\n"
       "%5 = recurrence(%4, %0) {axis=1, exclusive=1, reverse=1} : $[A,B]\nreturn %2, %4, %5",
     0},
    {SNI_OP_PAIR_CUMULATION,
     X "%1 = parameter input 1 : $[A,B]\n"
       "%2 = pair_cumulation(%0, %1) {axis=0, exclusive=0, reverse=0, part=0} : $[A,B]\n"
       "%3 = pair_cumulation(%0, %1) {axis=0, exclusive=0, reverse=0, part=1} : $[A,B]\n"
       "%4 = pair_cumulation(%1, %0) {axis=1, exclusive=1, reverse=1, part=0} : $[A,B]\n"
       "%5 = pair_cumulation(%2, %3, %0, %1) {axis=1, exclusive=1, reverse=0, part=1} : $[A,B]\n"
       "%6 = pair_cumulation(%0, %1, %1, %4) {axis=1, exclusive=0, reverse=1, part=0} : $[A,B]\n"
       "return %2, %3, %4, %5, %6",
     0},
    {SNI_OP_GATHER,
     X "%1 = parameter input 1 : i32[C]\n%2 = concat(%0, %0, %0, %0, %0, %0, %0) "
       "{axis=0} : $[7*A,B]\n%3 = broadcast(%0) : $[4,A,B]\n"
       "%4 = gather(%3, %1) : $[C,A,B]\nreturn %4, %2",
     4},
    {SNI_OP_GATHER,
     "%0 = parameter input 0 : $[6,B]\n%1 = parameter input 1 : i64[C,2]\n"
     "%2 = gather(%0, %1) : $[C,2,B]\nreturn %2",
     6},
    {SNI_OP_GATHER,
     "%0 = parameter input 0 : $[B,5]\n%1 = parameter input 1 : i32[C]\n"
     "%t = transpose(%0) {perm=[1,0]} : $[5,B]\n%2 = gather(%t, %1) : $[C,B]\n"
     "return %2",
     5},
    {SNI_OP_SORT,
     X "%1 = sort(%0) {descending=0} : $[A,B]\n%2 = transpose(%0) {perm=[1,0]} : $[B,A]\n"
       "%3 = sort(%2) {descending=1} : $[B,A]\n%4 = concat(%1, %1) {axis=0} : $[2*A,B]\n"
       "%5 = sort(%4) {descending=1} : $[2*A,B]\nreturn %1, %3, %5",
     0},
    {SNI_OP_ARGSORT,
     X "%1 = argsort(%0) {descending=1} : i32[A,B]\n%2 = cast(%1) : $[A,B]\n"
       "%3 = argsort(%2) {descending=0} : i32[A,B]\nreturn %1, %3",
     0},
    {SNI_OP_TOP_K, X "%1 = top_k(%0) {k=0} : i32[A,0]\nreturn %1", 0},
    {SNI_OP_TOP_K,
     "%0 = parameter input 0 : $[A,300]\n%1 = top_k(%0) {k=290} : i32[A,290]\n"
     "%2 = top_k(%0) {k=3} : i32[A,3]\nreturn %1, %2",
     0},
    {SNI_OP_CHOLESKY,
     "%0 = parameter input 0 : $[B,3]\n%i = iota() {axis=0} : i64[5,5]\n"
     "%j = iota() {axis=1} : i64[5,5]\n%e = eq(%i, %j) : bool[5,5]\n%1 = cast(%e) : $[5,5]\n"
     "%2 = cholesky(%1) : $[5,5]\n%3 = triangular_solve(%1, %2) {lower=1, transpose=0, unit=0} : "
     "$[5,5]\nreturn %2, %3, %0",
     0},
    {SNI_OP_TRIANGULAR_SOLVE,
     "%0 = parameter input 0 : $[A,4,4]\n%1 = parameter input 1 : $[A,4,B]\n"
     "%2 = triangular_solve(%0, %1) {lower=1, transpose=0, unit=1} : $[A,4,B]\n"
     "%3 = triangular_solve(%0, %1) {lower=0, transpose=1, unit=1} : $[A,4,B]\nreturn %2, %3",
     0},
    {SNI_OP_SOLVE,
     "%0 = parameter input 0 : $[A,3,3]\n%1 = parameter input 1 : $[A,3,B]\n"
     "%2 = solve(%0, %1) {quiet=1} : $[A,3,B]\nreturn %2",
     0},
    {SNI_OP_DETERMINANT,
     "%0 = parameter input 0 : $[A,3,3]\n%1 = determinant(%0) {part=0} : $[A]\n"
     "%2 = determinant(%0) {part=1} : $[A]\n%3 = determinant(%0) {part=2} : $[A]\n"
     "return %1, %2, %3",
     0},
    {SNI_OP_QR, "%0 = parameter input 0 : $[A,5,3]\n%1 = qr(%0) : $[A,8,3]\nreturn %1", 0},
    {SNI_OP_EIGH, "%0 = parameter input 0 : $[A,3,3]\n%1 = eigh(%0) : $[A,4,3]\nreturn %1", 0},
    {SNI_OP_SVD,
     "%0 = parameter input 0 : $[A,2,5]\n%1 = svd(%0) : $[A,8,2]\n"
     "%2 = transpose(%0) {perm=[0,2,1]} : $[A,5,2]\n%3 = svd(%2) : $[A,8,2]\nreturn %1, %3",
     0},
    {SNI_OP_RANDOM_GAMMA_GRADIENT,
     X "%1 = parameter input 1 : $[A,B]\n%2 = exp(%0) : $[A,B]\n%3 = exp(%1) : $[A,B]\n"
       "%4 = random_gamma_gradient(%2, %3) {logarithm=0} : $[A,B]\n"
       "%5 = random_gamma_gradient(%2, %1) {logarithm=1} : $[A,B]\nreturn %4, %5",
     0},
    {SNI_OP_GCD,
     X "%1 = parameter input 1 : $[A,B]\n%2 = gcd(%0, %1) : $[A,B]\n"
       "%3 = transpose(%0) {perm=[1,0]} : $[B,A]\n%4 = gcd(%3, %3) : $[B,A]\nreturn %2, %4",
     0},
    {SNI_OP_FFT,
     "%0 = parameter input 0 : $[A,B,12,2]\n%1 = fft(%0) {inverse=0, norm=0} : $[A,B,12,2]\n"
     "%2 = fft(%1) {inverse=1, norm=2} : $[A,B,12,2]\n"
     "%3 = transpose(%0) {perm=[1,0,2,3]} : $[B,A,12,2]\n"
     "%4 = fft(%3) {inverse=1, norm=1} : $[B,A,12,2]\nreturn %1, %2, %4",
     0},
    {SNI_OP_RFFT,
     "%0 = parameter input 0 : $[A,12]\n%1 = parameter input 1 : $[A,B,5]\n"
     "%2 = rfft(%0) {twice=0, norm=0, pairs=1} : $[A,7,2]\n"
     "%3 = rfft(%1) {twice=1, norm=1, pairs=1} : $[A,B,3,2]\nreturn %2, %3",
     0},
    {SNI_OP_IRFFT,
     "%0 = parameter input 0 : f32[A,7,2]\n%1 = irfft(%0) {n=12, twice=1, norm=2} : f32[A,12]\n"
     "%2 = parameter input 1 : f64[A,7,2]\n%3 = irfft(%2) {n=13, twice=0, norm=0} : f64[A,13]\n"
     "return %1, %3",
     0},
    {SNI_OP_SEARCH_SORTED,
     X "%1 = parameter input 1 : $[A,C]\n%2 = sort(%0) {descending=0} : $[A,B]\n"
       "%3 = search_sorted(%2, %1) {right=0} : i32[A,C]\n"
       "%4 = search_sorted(%2, %1) {right=1} : i32[A,C]\nreturn %3, %4",
     0},
    {SNI_OP_SCATTER_ADD,
     "%0 = parameter input 0 : $[6,B]\n%1 = parameter input 1 : i32[C]\n"
     "%2 = parameter input 2 : $[C,B]\n"
     "%3 = scatter_add(%0, %1, %2) : $[6,B]\nreturn %3",
     6},
    {SNI_OP_SCATTER_ADD,
     "%0 = parameter input 0 : $[3]\n%1 = parameter input 1 : i64[A,B]\n"
     "%2 = parameter input 2 : $[B,A]\n%t = transpose(%2) {perm=[1,0]} : $[A,B]\n"
     "%3 = scatter_add(%0, %1, %t) : $[3]\nreturn %3",
     3},
#define SCATTER(id, name)                                                                    \
  {SNI_OP_SCATTER_##id,                                                                      \
   "%0 = parameter input 0 : $[6,B]\n%1 = parameter input 1 : i32[C]\n"                      \
   "%2 = parameter input 2 : $[C,B]\n%3 = scatter_" name "(%0, %1, %2) : $[6,B]\nreturn %3", \
   6},                                                                                       \
  {                                                                                          \
    SNI_OP_SCATTER_##id,                                                                     \
        "%0 = parameter input 0 : $[3]\n%1 = parameter input 1 : i64[A,B]\n"                 \
        "%2 = parameter input 2 : $[B,A]\n%t = transpose(%2) {perm=[1,0]} : $[A,B]\n"        \
        "%3 = scatter_" name "(%0, %1, %t) : $[3]\nreturn %3",                               \
        3                                                                                    \
  }
    SCATTER(MUL, "mul"),
    SCATTER(MAX, "max"),
    SCATTER(MIN, "min"),
    SCATTER(UPDATE, "update"),
    {SNI_OP_FLAT_INDEX,
     "%0 = parameter input 0 : i64[A,B]\n%1 = parameter input 1 : i32[A,B,3]\n"
     "%2 = flat_index(%1) {axis=[0,1,2], size=[6,6,B+5], stride=[1,B,7]} : i64[A,B]\n"
     "%3 = transpose(%1) {perm=[1,2,0]} : i32[B,3,A]\n"
     "return %2",
     6},
    {SNI_OP_RANDOM_BITS,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = random_bits(%0) {algorithm=0} : i32[A,B]\n%3 = random_bits(%0) {algorithm=1} : i32[3]\n"
     "%4 = random_bits(%0) {algorithm=2} : i64[B]\nreturn %2, %3, %4",
     0},
    {SNI_OP_RANDOM_NORMAL,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = random_normal(%0) {algorithm=0} : f32[A,B]\nreturn %2",
     0},
    {SNI_OP_RANDOM_TRUNCATED_NORMAL,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = random_truncated_normal(%0) {algorithm=0} : f32[B,A]\n"
     "%3 = random_truncated_normal(%0) {algorithm=1} : f64[A]\nreturn %2, %3",
     0},
    {SNI_OP_RANDOM_PERMUTATION,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = random_permutation(%0) {algorithm=0} : i32[B]\nreturn %2",
     0},
    {SNI_OP_RANDOM_INTEGERS,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = constant 1000 : i64[]\n"
     "%3 = random_integers(%0, %2) {algorithm=0} : i64[A,B]\nreturn %3",
     0},
    {SNI_OP_RANDOM_GAMMA,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = iota() {axis=1} : f32[A,B]\n%c = constant 0.5 : f32[]\n%d = broadcast(%c) : f32[A,B]\n"
     "%3 = add(%2, %d) : f32[A,B]\n"
     "%4 = random_gamma(%0, %3) {algorithm=0, logarithm=0} : f32[A,B]\n"
     "%5 = random_gamma(%0, %3) {algorithm=2, logarithm=1} : f32[A,B]\nreturn %4, %5",
     0},
    {SNI_OP_RANDOM_POISSON,
     "%0 = parameter input 0 : i64[3]\n%1 = parameter input 1 : f32[A,B]\n"
     "%2 = iota() {axis=1} : f32[A,B]\n%c = constant 0.5 : f32[]\n%d = broadcast(%c) : f32[A,B]\n"
     "%3 = add(%2, %d) : f32[A,B]\n"
     "%4 = random_poisson(%0, %3) {algorithm=0} : f32[A,B]\nreturn %4",
     0},
};

// %r is the op's name: every reduction has the same cases.
static const char *const reduction_cases[] = {
    X "%1 = %r(%0) {axes=[1]} : $[A]\n%2 = %r(%0) {axes=[0]} : $[B]\nreturn %1, %2",
    X "%1 = %r(%0) {axes=[0,1]} : $[]\nreturn %1",
    XT "%1 = %r(%t) {axes=[1]} : $[B]\n%2 = %r(%t) {axes=[0]} : $[A]\nreturn %1, %2",
    X3
    "%1 = %r(%0) {axes=[0,2]} : $[5]\n%2 = %r(%0) {axes=[1]} : $[A,B]\n"
    "%3 = %r(%0) {axes=[]} : $[A,5,B]\nreturn %1, %2, %3",
    X3
    "%1 = slice(%0) {start=[A-1,3,0], step=[-1,-2,1]} : $[A,2,B]\n"
    "%2 = %r(%1) {axes=[2]} : $[A,2]\n%3 = %r(%1) {axes=[0,1,2]} : $[]\nreturn %2, %3",
    X "%1 = broadcast(%0) : $[3,A,B]\n%2 = %r(%1) {axes=[0]} : $[A,B]\nreturn %2",
    X
    "%1 = %r(%0) {axes=[1]} : $[A]\n%2 = reshape(%1) : $[A,1]\n%3 = broadcast(%2) : $[A,B]\n"
    "%4 = eq(%0, %3) : bool[A,B]\nreturn %4",
};

// And every cumulation of one operand.
static const char *const cumulation_cases[] = {
    X
    "%1 = %r(%0) {axis=0, exclusive=0, reverse=0} : $[A,B]\n"
    "%2 = %r(%0) {axis=1, exclusive=0, reverse=0} : $[A,B]\nreturn %1, %2",
    X
    "%1 = %r(%0) {axis=0, exclusive=1, reverse=1} : $[A,B]\n"
    "%2 = %r(%0) {axis=1, exclusive=1, reverse=1} : $[A,B]\nreturn %1, %2",
    XT
    "%1 = %r(%t) {axis=1, exclusive=0, reverse=1} : $[B,A]\n"
    "%2 = add(%1, %t) : $[B,A]\n%3 = %r(%2) {axis=1, exclusive=1, reverse=1} : $[B,A]\n"
    "return %1, %3",
    X3
    "%1 = slice(%0) {start=[A-1,3,0], step=[-1,-2,1]} : $[A,2,B]\n"
    "%2 = %r(%1) {axis=1, exclusive=0, reverse=0} : $[A,2,B]\n"
    "%3 = %r(%2) {axis=2, exclusive=0, reverse=1} : $[A,2,B]\nreturn %3",
    X3
    "%1 = mul(%0, %0) : $[A,5,B]\n%2 = %r(%1) {axis=1, exclusive=0, reverse=0} : $[A,5,B]\n"
    "%3 = %r(%0) {axis=1, exclusive=1, reverse=0} : $[A,5,B]\n%4 = add(%2, %3) : $[A,5,B]\n"
    "%5 = reduce_sum(%4) {axes=[1]} : $[A,B]\n%6 = reduce_max(%2) {axes=[2]} : $[A,5]\n"
    "return %4, %5, %6",
    X
    "%1 = reshape(%0) : $[A,1,B]\n%2 = %r(%1) {axis=1, exclusive=0, reverse=0} : $[A,1,B]\n"
    "%3 = %r(%1) {axis=1, exclusive=1, reverse=0} : $[A,1,B]\n%4 = add(%2, %3) : $[A,1,B]\n"
    "return %4",
    X
    "%1 = broadcast(%0) : $[3,A,B]\n"
    "%2 = %r(%1) {axis=0, exclusive=0, reverse=0} : $[3,A,B]\nreturn %2",
};

static void say_body(source *s, const char *body, sn_dtype dtype, const char *op_name) {
  *s = (source){.length = 0};
  say(s, "func @test {\n");
  for (; *body; body++) {
    if (*body == '$') {
      say(s, "%s", sn_dtype_name(dtype));
    } else if (body[0] == '%' && body[1] == 'r') {
      say(s, "%s", op_name);
      body++;
    } else if (dtype == SN_BOOL && !strncmp(body, "constant 1", 10)) {
      say(s, "constant true");
      body += 9;
    } else if (dtype == SN_BOOL && !strncmp(body, "constant 0", 10)) {
      say(s, "constant false");
      body += 9;
    } else if (dtype == SN_BOOL && !strncmp(body, "[1, 0, 1]", 9)) {
      say(s, "[true, false, true]");
      body += 8;
    } else {
      say(s, "%c", *body);
    }
  }
  say(s, "\n}\n");
}

static const int64_t dims_of_runs[][3] = {  // A, B, C
    {3, 5, 9}, {1, 1, 1}, {0, 4, 3}, {4, 0, 5}, {17, 33, 67}, {2, 257, 0}, {129, 2, 40}};
enum { N_RUNS = sizeof(dims_of_runs) / sizeof(dims_of_runs[0]) };

// Asks the program for its inputs' types; the dims that vary are read from the text, which alone
// knows their symbols.
static void find_shape(const char *text, int i, const int64_t *dims, sn_shape *shape) {
  char label[40];
  snprintf(label, sizeof(label), "parameter input %d : ", i);
  const char *at = strstr(text, label);
  ck_assert_ptr_nonnull(at);
  at = strchr(at, '[');
  for (int d = 0; d < shape->rank; d++, at = strpbrk(at, ",]")) {
    at++;
    if (shape->dims[d] == SN_UNKNOWN) shape->dims[d] = dims[*at - 'A'];
  }
}

static void check_text(const source *s, int64_t index_limit) {
  pair p = compile_pair(s);
  int n = sn_program_inputs(p.program[0]);
  for (int run = 0; run < N_RUNS; run++) {
    sn_view in[MAX_VIEWS], out[MAX_VIEWS];
    for (int i = 0; i < n; i++) {
      sn_spec spec;
      ck_assert_int_eq(sn_program_input_spec(tiers[0], p.program[0], i, &spec), SN_OK);
      find_shape(s->text, i, dims_of_runs[run], &spec.shape);
      in[i] = new_view(spec.dtype, &spec.shape);
      fill_view(&in[i], i == 1 ? 2 : i);
      if (!index_limit || i != 1) continue;
      for (int64_t e = 0; e < elements_of(&spec.shape); e++) {
        int64_t index = (int64_t)(hash_of((uint64_t)e, 3) % (uint64_t)index_limit);
        if (spec.dtype == SN_I32) ((int32_t *)in[i].data)[e] = (int32_t)index;
        if (spec.dtype == SN_I64) ((int64_t *)in[i].data)[e] = index;
      }
    }
    int n_out = run_pair(&p, in, n, out);
    free_views(in, n);
    free_views(out, n_out);
  }
  release_pair(&p);
}

static int check_texts(sni_op op) {
  int checked = 0;
  source s;
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    if (!(sni_op_infos[op].dtypes >> d & 1)) continue;
    if (sni_op_infos[op].op_class == SNI_CLASS_REDUCE)
      for (size_t i = 0; i < sizeof(reduction_cases) / sizeof(reduction_cases[0]); i++, checked++) {
        say_body(&s, reduction_cases[i], (sn_dtype)d, sni_op_infos[op].name);
        check_text(&s, 0);
      }
    if (sni_op_infos[op].op_class == SNI_CLASS_CUMULATE && sni_op_infos[op].operands == 1)
      for (size_t i = 0; i < SNI_COUNT_OF(cumulation_cases); i++, checked++) {
        if (sni_is_complex((sn_dtype)d) && strstr(cumulation_cases[i], "reduce_max")) continue;
        say_body(&s, cumulation_cases[i], (sn_dtype)d, sni_op_infos[op].name);
        check_text(&s, 0);
      }
    // numbers only, though its row says any, and room for 257 of them
    const bool narrow = sn_dtype_size((sn_dtype)d) == 1 || d == SN_BF16;
    if (op == SNI_OP_IOTA && (d == SN_BOOL || narrow || sni_is_complex((sn_dtype)d))) continue;
    for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
      if (text_cases[i].op != op) continue;
      say_body(&s, text_cases[i].body, (sn_dtype)d, NULL);
      check_text(&s, text_cases[i].index_limit);
      checked++;
    }
  }
  return checked;
}

// ---- matmul: small integers exactly, floats within the rounding of any order of sums
typedef struct product {
  sn_dtype dtype;
  bool ta, tb;
  int64_t batch, m, n, k;
} product;

static double value_at(const sn_view *v, int64_t i) {
  return sni_scalar_value(sni_scalar_load(v->dtype, v->data, i));
}

static void fill_numbers(sn_view *v, int salt) {
  for (int64_t i = 0; i < elements_of(&v->shape); i++) {
    int64_t n = (int64_t)(hash_of((uint64_t)i, (uint64_t)salt) % 2001) - 1000;
    sni_scalar value = {v->dtype, {.i = n}};
    if (sni_is_float(v->dtype)) value.f = (double)n / (v->dtype == SN_F64 ? 777 : 512);
    sni_scalar_store(value, v->data, i);
  }
}

static uint64_t bits_at(const sn_view *v, int64_t i) {
  return (uint64_t)sni_scalar_load(v->dtype, v->data, i).i;
}

// What an integer dtype makes of a number of 64 bits.
static double wrapped(sn_dtype dtype, uint64_t x) {
  uint64_t bytes = 0;
  sni_scalar_store((sni_scalar){dtype, {.i = (int64_t)x}}, &bytes, 0);
  return sni_scalar_value(sni_scalar_load(dtype, &bytes, 0));
}

static void check_product_values(const product *p, const sn_view *a, const sn_view *b,
                                 const sn_view *y, int tier) {
  const bool real = sni_is_float(p->dtype);
  const double unit = !real ? 0 : p->dtype == SN_F64 ? 0x1p-52 : 0x1p-23;  // of each step
  const double last = p->dtype == SN_F16 ? 0x1p-11 : p->dtype == SN_BF16 ? 0x1p-8 : 0;
  for (int64_t z = 0; z < p->batch; z++)
    for (int64_t i = 0; i < p->m; i++)
      for (int64_t j = 0; j < p->n; j++) {
        double sum = 0, size = 0;
        uint64_t whole = 0;
        for (int64_t k = 0; k < p->k; k++) {
          const int64_t at_a = z * p->m * p->k + (p->ta ? k * p->m + i : i * p->k + k);
          const int64_t at_b = z * p->n * p->k + (p->tb ? j * p->k + k : k * p->n + j);
          const double x = value_at(a, at_a) * value_at(b, at_b);
          sum += x, size += fabs(x);
          whole += bits_at(a, at_a) * bits_at(b, at_b);
        }
        double given = value_at(y, (z * p->m + i) * p->n + j);
        if (!real) sum = wrapped(p->dtype, whole);
        ck_assert_msg(fabs(given - sum) <= unit * size * (double)(p->k + 1) + last * fabs(sum),
                      "tier %d, %s batch %d, %dx%dx%d, ta %d, tb %d: [%d,%d] is %.17g, not %.17g",
                      tier, sn_dtype_name(p->dtype), (int)p->batch, (int)p->m, (int)p->n, (int)p->k,
                      p->ta, p->tb, (int)i, (int)j, given, sum);
      }
}

static void check_product(const product *p) {
  source s = {.length = 0};
  sn_view in[2], out;
  sn_shape shapes[3] = {{3, {p->batch, p->ta ? p->k : p->m, p->ta ? p->m : p->k}},
                        {3, {p->batch, p->tb ? p->n : p->k, p->tb ? p->k : p->n}},
                        {3, {p->batch, p->m, p->n}}};
  say(&s, "func @test {\n");
  for (int i = 0; i < 2; i++) {
    in[i] = new_view(p->dtype, &shapes[i]);
    fill_numbers(&in[i], i);
    say(&s, "  %%%d = parameter input %d : ", i, i);
    say_type(&s, p->dtype, &shapes[i], false);
    say(&s, "\n");
  }
  say(&s, "  %%2 = matmul(%%0, %%1) {ta=%d, tb=%d} : ", p->ta, p->tb);
  say_type(&s, p->dtype, &shapes[2], false);
  say(&s, "\n  return %%2\n}\n");
  pair compiled = compile_pair(&s);
  for (int tier = 0; tier < n_tiers; tier++) {
    out = new_view(p->dtype, &shapes[2]);
    ck_assert_int_eq(sn_run(compiled.runner[tier], in, &out), SN_OK);
    check_product_values(p, &in[0], &in[1], &out, tier);
    free(out.data);
  }
  free_views(in, 2);
  release_pair(&compiled);
}

static int check_matmul(void) {
  static const int64_t sizes[][4] = {
      // batch, m, n, k
      {1, 1, 1, 1}, {1, 3, 5, 7},  {2, 4, 3, 0},    {1, 0, 3, 5}, {1, 33, 10, 300},
      {3, 5, 1, 9}, {1, 1, 40, 8}, {1, 65, 67, 31}, {0, 2, 2, 2}, {2, 17, 9, 130}};
  int checked = 0;
  for (int d = 0; d < SN_DTYPE_COUNT; d++)
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
      if (sni_is_complex((sn_dtype)d)) continue;  // test_complex.c
      if (!(sni_op_infos[SNI_OP_MATMUL].dtypes >> d & 1)) continue;
      int turn = (int)(i + (size_t)d);  // each size with two of the four forms
      for (int form = turn; form < turn + 2; form++, checked++)
        check_product(&(product){(sn_dtype)d, form & 1, form >> 1 & 1, sizes[i][0], sizes[i][1],
                                 sizes[i][2], sizes[i][3]});
    }
  return checked;
}

static int check_op(sni_op op) {
  if (op == SNI_OP_MATMUL) return check_matmul();
  if (sni_op_infos[op].op_class == SNI_CLASS_POINTWISE) return check_pointwise_op(op);
  return check_texts(op);
}

START_TEST(an_op_is_the_same_on_both_tiers) {
  if (sni_op_infos[_i].op_class == SNI_CLASS_CONTROL) return;  // test_control.c
  if (sni_op_infos[_i].dtypes == SNI_DTYPES_TEXT) return;      // test_strings.c
  open_tiers();
  ck_assert_msg(check_op((sni_op)_i) > 0, "%s has no case", sni_op_infos[_i].name);
  close_tiers();
}
END_TEST

// sn_run says so on both tiers, also in a large program of which the check is a small part.
START_TEST(indices_out_of_range_are_refused) {
  open_tiers();
  for (int scatter = 0; scatter < 2; scatter++) {
    source s;
    say_body(&s,
             scatter ? "%0 = parameter input 0 : $[3]\n%1 = parameter input 1 : i32[A]\n"
                       "%2 = broadcast(%1) : i32[A]\n%3 = cast(%2) : $[A]\n"
                       "%4 = scatter_add(%0, %1, %3) : $[3]\nreturn %4"
                     : "%0 = parameter input 0 : $[3]\n%1 = parameter input 1 : i32[A]\n"
                       "%2 = gather(%0, %1) : $[A]\nreturn %2",
             SN_F32, NULL);
    pair p = compile_pair(&s);
    for (int tier = 0; tier < n_tiers; tier++)
      for (int bad = 0; bad < 4; bad++) {
        static const int32_t values[] = {0, 3, -1, INT32_MIN};
        float x[3] = {1, 2, 3}, y[7];
        int32_t indices[7] = {0, 1, 2, 2, 1, values[bad], 0};
        sn_view in[] = {{x, SN_F32, SN_SHAPE(3)}, {indices, SN_I32, SN_SHAPE(7)}};
        sn_view out = {y, SN_F32, SN_SHAPE(scatter ? 3 : 7)};
        ck_assert_int_eq(sn_run(p.runner[tier], in, &out), bad ? SN_ERR_INDEX : SN_OK);
      }
    release_pair(&p);
  }
  close_tiers();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ops_modes");
  TCase *tests = tcase_create("ops_modes");
  tcase_set_timeout(tests, 240);
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, an_op_is_the_same_on_both_tiers, 0, SNI_OP_COUNT);
  tcase_add_test(tests, indices_out_of_range_are_refused);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
