// Evaluation of constant expressions on the host, for fold_constants.c.
//
// Invariant: results have the bits that kernels compute. f32 arithmetic is done in f64 and rounded
// once more, which is the same for + - * / sqrt (Figueroa 1995: 53 >= 2 * 24 + 2). What kernels
// approximate (exp, pow of floats, ...) is not evaluated.
#include "passes/graph/evaluate.h"

#include <math.h>

enum { longest_chain = 8 };  // views between a node and its constant

// ---- scalars
static double float_max(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
}
static double float_min(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
}

static bool evaluate_float(sni_kop op, double a, double b, double *y) {
  switch ((int)op) {
    case SNI_KOP_NEG:
      *y = -a;
      return true;
    case SNI_KOP_ABS:
      *y = fabs(a);
      return true;
    case SNI_KOP_SQRT:
      *y = sqrt(a);
      return true;
    case SNI_KOP_FLOOR:
      *y = floor(a);
      return true;
    case SNI_KOP_CEIL:
      *y = ceil(a);
      return true;
    case SNI_KOP_ROUND:
      *y = rint(a);
      return true;
    case SNI_KOP_ADD:
      *y = a + b;
      return true;
    case SNI_KOP_SUB:
      *y = a - b;
      return true;
    case SNI_KOP_MUL:
      *y = a * b;
      return true;
    case SNI_KOP_DIV:
      *y = a / b;
      return true;
    case SNI_KOP_REM:
      *y = fmod(a, b);
      return true;
    case SNI_KOP_MAX:
      *y = float_max(a, b);
      return true;
    case SNI_KOP_MIN:
      *y = float_min(a, b);
      return true;
    default:
      return false;
  }
}

static uint64_t integer_pow(int64_t a, int64_t b) {
  uint64_t power = 1, base = (uint64_t)a;
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? UINT64_MAX : 1) : 0;
  for (uint64_t rest = (uint64_t)b; rest; rest >>= 1, base *= base)
    if (rest & 1) power *= base;
  return power;
}

static int64_t divide(int64_t a, int64_t b) {
  if (b == 0) return 0;
  return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

// In 64 bits; the caller wraps to i32. Wrapping commutes with all of these but the ones that take
// `width`.
static bool evaluate_integer(sni_kop op, int64_t a, int64_t b, int width, int64_t *y) {
  uint64_t ua = (uint64_t)a, ub = (uint64_t)b, r = 0;
  uint64_t shift = width == 32 ? (uint32_t)b : ub, bits = width == 32 ? (uint32_t)a : ua;
  switch ((int)op) {
    case SNI_KOP_NEG:
      r = 0 - ua;
      break;
    case SNI_KOP_ABS:
      r = a < 0 ? 0 - ua : ua;
      break;
    case SNI_KOP_SIGN:
      r = (uint64_t)((a > 0) - (a < 0));
      break;
    case SNI_KOP_NOT:
      r = ~ua;
      break;
    case SNI_KOP_ADD:
      r = ua + ub;
      break;
    case SNI_KOP_SUB:
      r = ua - ub;
      break;
    case SNI_KOP_MUL:
      r = ua * ub;
      break;
    case SNI_KOP_DIV:
      r = (uint64_t)divide(a, b);
      break;
    case SNI_KOP_REM:
      r = b == 0 || b == -1 ? 0 : (uint64_t)(a % b);
      break;
    case SNI_KOP_POW:
      r = integer_pow(a, b);
      break;
    case SNI_KOP_MAX:
      r = (uint64_t)(a >= b ? a : b);
      break;
    case SNI_KOP_MIN:
      r = (uint64_t)(a <= b ? a : b);
      break;
    case SNI_KOP_AND:
      r = ua & ub;
      break;
    case SNI_KOP_OR:
      r = ua | ub;
      break;
    case SNI_KOP_XOR:
      r = ua ^ ub;
      break;
    case SNI_KOP_SHL:
      r = shift < (uint64_t)width ? bits << shift : 0;
      break;
    case SNI_KOP_SHR:
      r = shift < (uint64_t)width ? bits >> shift : 0;
      break;
    default:
      return false;
  }
  *y = width == 32 ? (int32_t)(uint32_t)r : (int64_t)r;
  return true;
}

static bool evaluate_compare(sni_kop op, const sni_scalar *a, int64_t *y) {
  bool floats = sni_is_float(a[0].dtype);
  switch ((int)op) {
    case SNI_KOP_EQ:
      *y = floats ? a[0].f == a[1].f : a[0].i == a[1].i;
      return true;
    case SNI_KOP_LT:
      *y = floats ? a[0].f < a[1].f : a[0].i < a[1].i;
      return true;
    case SNI_KOP_LE:
      *y = floats ? a[0].f <= a[1].f : a[0].i <= a[1].i;
      return true;
    default:
      return false;
  }
}

static sni_scalar bitcast(sni_scalar a, sn_dtype dtype) {
  int64_t bits = 0;
  sni_scalar_store(a, &bits, 0);
  return sni_scalar_load(dtype, &bits, 0);
}

bool sni_evaluate_scalar(sni_kop op, sn_dtype dtype, const sni_scalar *a, sni_scalar *out) {
  out->dtype = dtype;
  int n = sni_kop_infos[op].operands;
  // arithmetic on storage dtypes is left to what widen_ops.c makes of it
  const uint32_t ruled = sni_kop_infos[op].dtypes;
  if (n && !(ruled >> (sni_kop_has_source(op) ? a[0].dtype : dtype) & 1)) return false;
  if (op == SNI_KOP_COPY)
    *out = a[0];
  else if (op == SNI_KOP_SELECT)
    *out = a[a[0].i ? 1 : 2];
  else if (op == SNI_KOP_CAST)
    *out = sni_scalar_cast(a[0], dtype);
  else if (op == SNI_KOP_BITCAST)
    *out = bitcast(a[0], dtype);
  else if (evaluate_compare(op, a, &out->i))
    return true;
  else if (dtype == SN_BOOL) {
    if (!evaluate_integer(op, a[0].i, n > 1 ? a[1].i : 0, 64, &out->i)) return false;
    out->i &= 1;
  } else if (sni_is_float(dtype)) {
    if (!evaluate_float(op, a[0].f, n > 1 ? a[1].f : 0, &out->f)) return false;
    out->f = sni_scalar_of(dtype, out->f).f;
  } else {
    return evaluate_integer(op, a[0].i, n > 1 ? a[1].i : 0, dtype == SN_I32 ? 32 : 64, &out->i);
  }
  return true;
}

// ---- what cumulations begin with
sni_scalar sni_first_scalar(sni_op op, sn_dtype dtype) {
  const sni_cumulation_first first = sni_cumulation_first_of(op);
  if (first == SNI_FIRST_LEAST) return sni_scalar_least(dtype);
  if (first == SNI_FIRST_GREATEST) return sni_scalar_greatest(dtype);
  return sni_scalar_of(dtype, first == SNI_FIRST_ONE);
}

// ---- elements
static int64_t dim_value(const sni_graph *graph, sni_dim dim) {
  int64_t value = 0;
  sni_dim_is_constant(graph->dims, dim, &value);
  return value;
}

void sni_unravel(const sni_graph *graph, const sni_type *type, int64_t i, int64_t *index) {
  for (int k = type->rank; k-- > 0;) {
    int64_t size = dim_value(graph, type->dims[k]);
    index[k] = i % size;
    i /= size;
  }
}

int64_t sni_ravel(const sni_graph *graph, const sni_type *type, const int64_t *index) {
  int64_t i = 0;
  for (int k = 0; k < type->rank; k++) i = i * dim_value(graph, type->dims[k]) + index[k];
  return i;
}

// What a chain of views begins with: elements that are known.
static bool is_source(const sni_node *node) {
  return sni_is_constant(node) || sni_lowering_of(node) == SNI_LOWERING_INDEX;
}

bool sni_is_constant_expression(const sni_graph *graph, sni_node_id x) {
  for (int i = 0; i < longest_chain; i++) {
    const sni_node *node = sni_graph_node(graph, x);
    if (sni_node_count(graph, &node->type) < 0) return false;
    if (is_source(node)) return true;
    if (sni_lowering_of(node) != SNI_LOWERING_ACCESS) return false;
    x = node->operands[0];
  }
  return false;
}

// Where element i of a one-operand view lies in its operand.
static int64_t source_element(const sni_graph *graph, const sni_node *node, int64_t i) {
  const sni_type *from = sni_graph_type(graph, node->operands[0]), *type = &node->type;
  int64_t index[SN_MAX_RANK], source[SN_MAX_RANK] = {0};
  if (sni_is_reshape(node)) return i;
  sni_unravel(graph, type, i, index);
  for (int d = 0; d < type->rank; d++) {
    const int viewed = sni_viewed_dim(graph, node, d);
    if (viewed < 0) continue;
    source[viewed] = index[d];
    if (sni_is_slice(node))
      source[viewed] = dim_value(graph, node->attrs[d]) +
                       index[d] * dim_value(graph, node->attrs[type->rank + d]);
  }
  return sni_ravel(graph, from, source);
}

sni_scalar sni_constant_element(const sni_graph *graph, const sni_node *node, int64_t i) {
  while (!is_source(node)) {
    i = source_element(graph, node, i);
    node = sni_graph_node(graph, node->operands[0]);
  }
  if (sni_is_constant(node)) return sni_scalar_load(node->type.dtype, node->data, i);
  int64_t index[SN_MAX_RANK];
  sni_unravel(graph, &node->type, i, index);
  return sni_scalar_cast((sni_scalar){SN_I64, {.i = index[node->attrs[0]]}}, node->type.dtype);
}
