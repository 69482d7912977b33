// A reference evaluator of graphs for the tests of passes/: slow, plain, in f64 and int64.
// Reductions and contractions add in the order of the indices, starting from -0.0, and add 0.0 at
// the end, as codegen/kernel/tree.h says for one lane.
#ifndef SNI_TESTS_PASSES_REFERENCE_H
#define SNI_TESTS_PASSES_REFERENCE_H

#include "graph/graph.h"
#include "runtime/scalar.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef union ref_cell {
  double f;   // floats
  int64_t i;  // integers and bool
} ref_cell;

typedef struct ref_value {
  sn_dtype dtype;
  int rank;
  int64_t dims[SN_MAX_RANK], count;
  ref_cell *cells;  // row-major
} ref_value;

typedef struct ref_run {
  const sni_graph *graph;
  const int64_t *symbols;  // value of each symbolic dim
  bool round_f32;          // f32 results are rounded, so that equal bits mean equal results
  ref_value *values;       // per node
} ref_run;

static inline bool ref_is_float(const ref_value *v) {
  return sni_is_float(v->dtype);
}

static inline void ref_index(const ref_value *v, int64_t i, int64_t *index) {
  for (int k = v->rank; k-- > 0; i /= v->dims[k]) index[k] = i % v->dims[k];
}

static inline int64_t ref_offset(const ref_value *v, const int64_t *index) {
  int64_t i = 0;
  for (int k = 0; k < v->rank; k++) i = i * v->dims[k] + index[k];
  return i;
}

static inline void ref_shape(const ref_run *run, const sni_type *type, ref_value *v) {
  v->dtype = type->dtype;
  v->rank = type->rank;
  v->count = 1;
  for (int k = 0; k < v->rank; k++) {
    v->dims[k] = sni_dim_evaluate(run->graph->dims, type->dims[k], run->symbols);
    ck_assert_int_ge(v->dims[k], 0);
    v->count *= v->dims[k];
  }
}

static inline ref_cell ref_load(sn_dtype dtype, const void *data, int64_t i) {
  const sni_scalar value = sni_scalar_load(dtype, data, i);
  ref_cell c = {.i = value.i};
  if (sni_is_float(dtype)) c.f = value.f;
  return c;
}

// Wraps and rounds to what the dtype can hold.
static inline ref_cell ref_fit(const ref_run *run, sn_dtype dtype, ref_cell c) {
  if (dtype == SN_I32) c.i = (int32_t)(uint32_t)(uint64_t)c.i;
  if (dtype == SN_F32 && run->round_f32) c.f = (double)(float)c.f;
  return c;
}

static inline double ref_extremum(bool greatest, double a, double b) {
  if (isnan(a) || isnan(b)) return NAN;
  return greatest ? (a >= b ? a : b) : a <= b ? a : b;
}

static inline int64_t ref_saturate(double x, double low, double high, int64_t least, int64_t most) {
  if (isnan(x)) return 0;
  return x <= low ? least : x >= high ? most : (int64_t)x;
}

static inline ref_cell ref_cast(sn_dtype from, sn_dtype to, ref_cell a) {
  bool f = sni_is_float(from);
  switch (to) {
    case SN_BOOL:
      return (ref_cell){.i = f ? a.f != 0 : a.i != 0};
    case SN_I32:
      if (f) return (ref_cell){.i = ref_saturate(a.f, -0x1p31, 0x1p31 - 1, INT32_MIN, INT32_MAX)};
      return (ref_cell){.i = (int32_t)(uint32_t)(uint64_t)a.i};
    case SN_I64:
      if (f) return (ref_cell){.i = ref_saturate(a.f, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX)};
      return a;
    case SN_F32:
      return (ref_cell){.f = f ? a.f : (double)(float)a.i};
    case SN_F64:
      return (ref_cell){.f = f ? a.f : (double)a.i};
    default:
      break;
  }
  sni_scalar value = {from, {.i = a.i}};
  if (f) value.f = a.f;
  a.i = sni_scalar_cast(value, to).i;
  return a;
}

static inline int64_t ref_integer_pow(int64_t a, int64_t b) {
  uint64_t y = 1;
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  for (int64_t k = 0; k < b; k++) y *= (uint64_t)a;
  return (int64_t)y;
}

// digamma (order 0) and trigamma (order 1) by the recurrence up to 20 and the asymptotic series.
static inline double ref_polygamma(int order, double x) {
  double y = 0;
  if (x < 0) {
    const double angle = 3.14159265358979323846 * (x - rint(x)),
                 s = 3.14159265358979323846 / sin(angle);
    return order ? s * s - ref_polygamma(1, 1 - x) : ref_polygamma(0, 1 - x) - s * cos(angle);
  }
  const int steps = x < 20 ? (int)ceil(20 - x) : 0;
  for (int i = 0; i < steps; i++) {
    y += order ? 1 / (x * x) : -1 / x;
    x += 1;
  }
  const double z = 1 / (x * x);
  if (order)
    return y + 1 / x + z / 2 + z / x * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z / 30)));
  return y + log(x) - 1 / (2 * x) - z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z / 240)));
}

static inline double ref_erfinv(double x) {
  double y = 0;
  for (int i = 0; i < 50; i++) y -= (erf(y) - x) * 0.88622692545275801365 * exp(y * y);
  return y;
}

static inline double ref_logaddexp(double a, double b) {
  return (a > b ? a : b) + log1p(exp(a == b ? 0 : -fabs(a - b)));
}

static inline double ref_floor_mod(double a, double b) {
  const double r = fmod(a, b);
  if (r == 0) return copysign(0, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

// Of moderate operands.
static inline double ref_floor_div(double a, double b) {
  const double r = fmod(a, b), whole = rint((a - r) / b);
  if (b == 0) return a / b;
  return r != 0 && (r < 0) != (b < 0) ? whole - 1 : whole;
}

static inline ref_cell ref_float_op(sni_op op, double a, double b) {
  double y = 0;
  switch ((int)op) {
    case SNI_OP_NEG:
      y = -a;
      break;
    case SNI_OP_ABS:
      y = fabs(a);
      break;
    case SNI_OP_SIGN:
      y = isnan(a) ? a : (double)((a > 0) - (a < 0));
      break;
    case SNI_OP_SQRT:
      y = sqrt(a);
      break;
    case SNI_OP_RSQRT:
      y = 1 / sqrt(a);
      break;
    case SNI_OP_FLOOR:
      y = floor(a);
      break;
    case SNI_OP_CEIL:
      y = ceil(a);
      break;
    case SNI_OP_ROUND:
      y = rint(a);
      break;
    case SNI_OP_EXP:
      y = exp(a);
      break;
    case SNI_OP_EXPM1:
      y = expm1(a);
      break;
    case SNI_OP_LOG:
      y = log(a);
      break;
    case SNI_OP_LOG1P:
      y = log1p(a);
      break;
    case SNI_OP_SIN:
      y = sin(a);
      break;
    case SNI_OP_COS:
      y = cos(a);
      break;
    case SNI_OP_TANH:
      y = tanh(a);
      break;
    case SNI_OP_SIGMOID:
      y = 1 / (1 + exp(-a));
      break;
    case SNI_OP_ERF:
      y = erf(a);
      break;
    case SNI_OP_TRUNC:
      y = trunc(a);
      break;
    case SNI_OP_EXP2:
      y = exp2(a);
      break;
    case SNI_OP_LOG2:
      y = log2(a);
      break;
    case SNI_OP_LOG10:
      y = log10(a);
      break;
    case SNI_OP_CBRT:
      y = cbrt(a);
      break;
    case SNI_OP_TAN:
      y = tan(a);
      break;
    case SNI_OP_ASIN:
      y = asin(a);
      break;
    case SNI_OP_ACOS:
      y = acos(a);
      break;
    case SNI_OP_ATAN:
      y = atan(a);
      break;
    case SNI_OP_SINH:
      y = sinh(a);
      break;
    case SNI_OP_COSH:
      y = cosh(a);
      break;
    case SNI_OP_ASINH:
      y = asinh(a);
      break;
    case SNI_OP_ACOSH:
      y = acosh(a);
      break;
    case SNI_OP_ATANH:
      y = atanh(a);
      break;
    case SNI_OP_ERFC:
      y = erfc(a);
      break;
    case SNI_OP_ERFINV:
      y = ref_erfinv(a);
      break;
    case SNI_OP_LGAMMA:
      y = lgamma(a);
      break;
    case SNI_OP_DIGAMMA:
      y = ref_polygamma(0, a);
      break;
    case SNI_OP_TRIGAMMA:
      y = ref_polygamma(1, a);
      break;
    case SNI_OP_ATAN2:
      y = atan2(a, b);
      break;
    case SNI_OP_HYPOT:
      y = hypot(a, b);
      break;
    case SNI_OP_LOGADDEXP:
      y = ref_logaddexp(a, b);
      break;
    case SNI_OP_LOGADDEXP2:
      y = ref_logaddexp(a * 0.69314718055994530942, b * 0.69314718055994530942) *
          1.44269504088896340736;
      break;
    case SNI_OP_FLOOR_MOD:
      y = ref_floor_mod(a, b);
      break;
    case SNI_OP_FLOOR_DIV:
      y = ref_floor_div(a, b);
      break;
    case SNI_OP_ADD:
      y = a + b;
      break;
    case SNI_OP_SUB:
      y = a - b;
      break;
    case SNI_OP_MUL:
      y = a * b;
      break;
    case SNI_OP_DIV:
      y = a / b;
      break;
    case SNI_OP_REM:
      y = fmod(a, b);
      break;
    case SNI_OP_POW:
      y = pow(a, b);
      break;
    case SNI_OP_MAX:
      y = ref_extremum(true, a, b);
      break;
    case SNI_OP_MIN:
      y = ref_extremum(false, a, b);
      break;
    default:
      ck_abort_msg("float %s", sni_op_infos[op].name);
  }
  return (ref_cell){.f = y};
}

static inline ref_cell ref_integer_op(sni_op op, sn_dtype dtype, int64_t a, int64_t b) {
  uint64_t ua = (uint64_t)a, ub = (uint64_t)b, y = 0;
  if (dtype == SN_I32) ua = (uint32_t)ua, ub = (uint32_t)ub;  // for the shifts
  uint64_t width = dtype == SN_I32 ? 32 : 64;
  switch ((int)op) {
    case SNI_OP_NEG:
      y = 0 - (uint64_t)a;
      break;
    case SNI_OP_ABS:
      y = a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
      break;
    case SNI_OP_SIGN:
      y = (uint64_t)((a > 0) - (a < 0));
      break;
    case SNI_OP_NOT:
      y = dtype == SN_BOOL ? !a : ~(uint64_t)a;
      break;
    case SNI_OP_ADD:
      y = (uint64_t)a + (uint64_t)b;
      break;
    case SNI_OP_SUB:
      y = (uint64_t)a - (uint64_t)b;
      break;
    case SNI_OP_MUL:
      y = (uint64_t)a * (uint64_t)b;
      break;
    case SNI_OP_DIV:
      y = b == 0 ? 0 : b == -1 ? 0 - (uint64_t)a : (uint64_t)(a / b);
      break;
    case SNI_OP_REM:
      y = b == 0 || b == -1 ? 0 : (uint64_t)(a % b);
      break;
    case SNI_OP_POW:
      y = (uint64_t)ref_integer_pow(a, b);
      break;
    case SNI_OP_MAX:
      y = (uint64_t)(a >= b ? a : b);
      break;
    case SNI_OP_MIN:
      y = (uint64_t)(a <= b ? a : b);
      break;
    case SNI_OP_AND:
      y = (uint64_t)a & (uint64_t)b;
      break;
    case SNI_OP_OR:
      y = (uint64_t)a | (uint64_t)b;
      break;
    case SNI_OP_XOR:
      y = (uint64_t)a ^ (uint64_t)b;
      break;
    case SNI_OP_SHL:
      y = ub < width ? ua << ub : 0;
      break;
    case SNI_OP_SHR:
      y = ub < width ? ua >> ub : 0;
      break;
    case SNI_OP_SAR:
      y = (uint64_t)(a >> (ub < width ? ub : width - 1));
      break;
    case SNI_OP_FLOOR_DIV:
      y = b == 0    ? 0
          : b == -1 ? 0 - (uint64_t)a
                    : (uint64_t)(a / b - (a % b && (a < 0) != (b < 0)));
      break;
    case SNI_OP_FLOOR_MOD:
      y = b == 0 || b == -1 ? 0 : (uint64_t)(a % b + (a % b && (a < 0) != (b < 0) ? b : 0));
      break;
    default:
      ck_abort_msg("integer %s", sni_op_infos[op].name);
  }
  return (ref_cell){.i = (int64_t)y};
}

static inline ref_cell ref_bitcast(sn_dtype from, sn_dtype to, ref_cell a) {
  ref_cell y = a;
  if (from == SN_F32 && to == SN_I32) {
    float f = (float)a.f;
    int32_t bits;
    memcpy(&bits, &f, 4);
    y.i = bits;
  } else if (from == SN_I32 && to == SN_F32) {
    int32_t bits = (int32_t)a.i;
    float f;
    memcpy(&f, &bits, 4);
    y.f = (double)f;
  }
  return y;  // 64 bits: the union does it
}

static inline ref_cell ref_pointwise(const ref_run *run, const sni_node *node,
                                     const ref_value *const *a, int64_t i) {
  ref_cell x = a[0]->cells[i], b = {.f = 0};
  bool floats = ref_is_float(a[0]);
  if (node->n_operands > 1) b = a[1]->cells[i];
  switch ((int)node->op) {
    case SNI_OP_IDENTITY:
    case SNI_OP_STOP_GRADIENT:
      return x;
    case SNI_OP_CAST:
      return ref_fit(run, node->type.dtype, ref_cast(a[0]->dtype, node->type.dtype, x));
    case SNI_OP_BITCAST:
      return ref_bitcast(a[0]->dtype, node->type.dtype, x);
    case SNI_OP_SELECT:
      return x.i ? b : a[2]->cells[i];
    case SNI_OP_EQ:
      return (ref_cell){.i = floats ? x.f == b.f : x.i == b.i};
    case SNI_OP_LT:
      return (ref_cell){.i = floats ? x.f < b.f : x.i < b.i};
    case SNI_OP_LE:
      return (ref_cell){.i = floats ? x.f <= b.f : x.i <= b.i};
    default:
      break;
  }
  ref_cell y =
      floats ? ref_float_op(node->op, x.f, b.f) : ref_integer_op(node->op, a[0]->dtype, x.i, b.i);
  return ref_fit(run, node->type.dtype, y);
}

static inline int64_t ref_attr(const ref_run *run, const sni_node *node, int i) {
  return sni_dim_evaluate(run->graph->dims, node->attrs[i], run->symbols);
}

// Index of the operand's element that element `index` of a view shows; false: padding.
static inline bool ref_view_index(const ref_run *run, const sni_node *node, const ref_value *from,
                                  const ref_value *y, const int64_t *index, int64_t *source) {
  for (int k = 0; k < from->rank; k++) {
    int64_t low, gap;
    switch ((int)node->op) {
      case SNI_OP_BARRIER:
        source[k] = index[k];
        break;
      case SNI_OP_TRANSPOSE:
        source[ref_attr(run, node, k)] = index[k];
        break;
      case SNI_OP_BROADCAST:
        source[k] = from->dims[k] == 1 ? 0 : index[y->rank - from->rank + k];
        break;
      case SNI_OP_SLICE:
        source[k] = ref_attr(run, node, k) + index[k] * ref_attr(run, node, from->rank + k);
        ck_assert(source[k] >= 0 && source[k] < from->dims[k]);
        break;
      case SNI_OP_PAD:
        low = index[k] - ref_attr(run, node, k);
        gap = ref_attr(run, node, 2 * from->rank + k) + 1;
        if (low < 0 || low % gap || low / gap >= from->dims[k]) return false;
        source[k] = low / gap;
        break;
      default:
        ck_abort_msg("view %s", sni_op_infos[node->op].name);
    }
  }
  return true;
}

static inline void ref_view(const ref_run *run, const sni_node *node, const ref_value *const *a,
                            ref_value *y) {
  int64_t index[SN_MAX_RANK], source[SN_MAX_RANK], offset = 0;
  for (int64_t i = 0; i < y->count; i++) {
    ref_index(y, i, index);
    if (node->op == SNI_OP_RESHAPE) {
      y->cells[i] = a[0]->cells[i];
    } else if (node->op == SNI_OP_CONCAT) {
      int part = 0;
      int64_t axis = ref_attr(run, node, 0);
      for (offset = 0; index[axis] - offset >= a[part]->dims[axis]; part++)
        offset += a[part]->dims[axis];
      index[axis] -= offset;
      y->cells[i] = a[part]->cells[ref_offset(a[part], index)];
    } else {
      bool inside = ref_view_index(run, node, a[0], y, index, source);
      y->cells[i] = inside ? a[0]->cells[ref_offset(a[0], source)] : a[1]->cells[0];
    }
  }
}

static inline ref_cell ref_combine(const ref_run *run, sni_op reduce, sn_dtype dtype, ref_cell a,
                                   ref_cell b) {
  sni_op op = reduce == SNI_OP_REDUCE_SUM    ? SNI_OP_ADD
              : reduce == SNI_OP_REDUCE_PROD ? SNI_OP_MUL
              : reduce == SNI_OP_REDUCE_MAX  ? SNI_OP_MAX
                                             : SNI_OP_MIN;
  return ref_fit(
      run, dtype,
      sni_is_float(dtype) ? ref_float_op(op, a.f, b.f) : ref_integer_op(op, dtype, a.i, b.i));
}

static inline ref_cell ref_identity(sni_op reduce, sn_dtype dtype) {
  bool max = reduce == SNI_OP_REDUCE_MAX;
  if (sni_is_float(dtype))
    return (ref_cell){.f = reduce == SNI_OP_REDUCE_SUM    ? -0.0
                           : reduce == SNI_OP_REDUCE_PROD ? 1
                           : max                          ? -INFINITY
                                                          : INFINITY};
  if (reduce == SNI_OP_REDUCE_SUM) return (ref_cell){.i = 0};
  if (reduce == SNI_OP_REDUCE_PROD) return (ref_cell){.i = 1};
  if (dtype == SN_BOOL) return (ref_cell){.i = !max};
  if (dtype == SN_I32) return (ref_cell){.i = max ? INT32_MIN : INT32_MAX};
  return (ref_cell){.i = max ? INT64_MIN : INT64_MAX};
}

// One axis: the elements one after the other.
static inline void ref_reduce_axis(const ref_run *run, sni_op op, const ref_value *a, int axis,
                                   ref_value *y) {
  *y = (ref_value){.dtype = a->dtype, .rank = a->rank - 1, .count = 1};
  for (int k = 0, o = 0; k < a->rank; k++)
    if (k != axis) y->dims[o++] = a->dims[k];
  for (int k = 0; k < y->rank; k++) y->count *= y->dims[k];
  y->cells = calloc((size_t)y->count + 1, sizeof(*y->cells));
  for (int64_t i = 0; i < y->count; i++) y->cells[i] = ref_identity(op, y->dtype);
  for (int64_t i = 0; i < a->count; i++) {
    int64_t index[SN_MAX_RANK], kept[SN_MAX_RANK];
    int rank = 0;
    ref_index(a, i, index);
    for (int k = 0; k < a->rank; k++)
      if (k != axis) kept[rank++] = index[k];
    ref_cell *cell = &y->cells[ref_offset(y, kept)];
    *cell = ref_combine(run, op, y->dtype, *cell, a->cells[i]);
  }
}

// Axis by axis, the last one first: the order is part of a float sum.
static inline void ref_reduce(const ref_run *run, const sni_node *node, const ref_value *a,
                              ref_value *y) {
  ref_value now = *a;
  for (int k = a->rank - 1; k >= 0; k--) {
    bool reduced = false;
    for (int i = 0; i < node->n_attrs; i++) reduced |= ref_attr(run, node, i) == k;
    if (!reduced) continue;
    ref_value next;
    ref_reduce_axis(run, node->op, &now, k, &next);
    if (now.cells != a->cells) free(now.cells);
    now = next;
  }
  memcpy(y->cells, now.cells, (size_t)y->count * sizeof(*y->cells));
  if (node->op != SNI_OP_REDUCE_PROD && ref_is_float(y))
    for (int64_t i = 0; i < y->count; i++) y->cells[i].f += 0.0;
  if (now.cells != a->cells) free(now.cells);
}

static inline void ref_partial_sum(const ref_run *run, const sni_node *node, const ref_value *a,
                                   ref_value *y) {
  const int64_t axis = ref_attr(run, node, 0), chunk = ref_attr(run, node, 1);
  for (int64_t i = 0; i < a->count; i++) {
    int64_t index[SN_MAX_RANK];
    ref_index(a, i, index);
    index[axis] /= chunk;
    ref_cell *cell = &y->cells[ref_offset(y, index)];
    *cell = ref_combine(run, SNI_OP_REDUCE_SUM, y->dtype, *cell, a->cells[i]);
  }
}

static inline ref_cell ref_first(sni_op op, sn_dtype dtype) {
  if (op == SNI_OP_RECURRENCE) return (ref_cell){.f = 0};
  if (op == SNI_OP_CUMSUM && sni_is_float(dtype)) return (ref_cell){.f = 0};
  return ref_identity(op == SNI_OP_CUMSUM    ? SNI_OP_REDUCE_SUM
                      : op == SNI_OP_CUMPROD ? SNI_OP_REDUCE_PROD
                      : op == SNI_OP_CUMMAX  ? SNI_OP_REDUCE_MAX
                                             : SNI_OP_REDUCE_MIN,
                      dtype);
}

// a, b: the operands' elements; the last is what is taken in.
static inline ref_cell ref_step(const ref_run *run, const sni_node *node, ref_cell before,
                                bool is_first, ref_cell a, ref_cell b) {
  const sn_dtype dtype = node->type.dtype;
  switch ((int)node->op) {
    case SNI_OP_CUMSUM:
      return ref_combine(run, SNI_OP_REDUCE_SUM, dtype, before, a);
    case SNI_OP_CUMPROD:
      return ref_combine(run, SNI_OP_REDUCE_PROD, dtype, before, a);
    case SNI_OP_CUMMAX:
      return ref_combine(run, SNI_OP_REDUCE_MAX, dtype, before, a);
    case SNI_OP_CUMMIN:
      return ref_combine(run, SNI_OP_REDUCE_MIN, dtype, before, a);
    default:
      if (is_first || a.f == 0) return b;
      return ref_combine(run, SNI_OP_REDUCE_SUM, dtype,
                         ref_combine(run, SNI_OP_REDUCE_PROD, dtype, before, a), b);
  }
}

static inline void ref_cumulate(const ref_run *run, const sni_node *node, const ref_value *a,
                                const ref_value *b, ref_value *y) {
  const int axis = (int)ref_attr(run, node, 0);
  const bool exclusive = ref_attr(run, node, 1), reverse = ref_attr(run, node, 2);
  const int64_t size = y->dims[axis];
  for (int64_t i = 0; i < y->count; i++) {
    int64_t index[SN_MAX_RANK] = {0};
    ref_index(y, i, index);
    if (index[axis] != 0) continue;
    ref_cell before = ref_first(node->op, y->dtype);
    for (int64_t n = 0; n < size; n++) {
      index[axis] = reverse ? size - 1 - n : n;
      const int64_t at = ref_offset(y, index);
      const ref_cell after =
          ref_step(run, node, before, n == 0, a->cells[at], b ? b->cells[at] : a->cells[at]);
      y->cells[at] = exclusive ? before : after;
      before = after;
    }
  }
}

static inline void ref_matmul(const ref_run *run, const sni_node *node, const ref_value *a,
                              const ref_value *b, ref_value *y) {
  bool ta = ref_attr(run, node, 0), tb = ref_attr(run, node, 1);
  int last = y->rank - 1;
  int64_t k_count = a->dims[ta ? last - 1 : last];
  for (int64_t i = 0; i < y->count; i++) {
    int64_t index[SN_MAX_RANK], ai[SN_MAX_RANK], bi[SN_MAX_RANK];
    ref_index(y, i, index);
    memcpy(ai, index, sizeof(index));
    memcpy(bi, index, sizeof(index));
    ref_cell sum = ref_identity(SNI_OP_REDUCE_SUM, y->dtype);
    for (int64_t k = 0; k < k_count; k++) {
      ai[last - !!ta] = k;
      ai[last - !ta] = index[last - 1];
      bi[last - !tb] = k;
      bi[last - !!tb] = index[last];
      ref_cell pa = a->cells[ref_offset(a, ai)], pb = b->cells[ref_offset(b, bi)];
      ref_cell product = ref_combine(run, SNI_OP_REDUCE_PROD, y->dtype, pa, pb);
      sum = ref_combine(run, SNI_OP_REDUCE_SUM, y->dtype, sum, product);
    }
    if (ref_is_float(y) && k_count != 1) sum.f += 0.0;
    y->cells[i] = sum;
  }
}

#include "reference_conv.h"
#include "reference_library.h"

static inline void ref_gather(const ref_value *a, const ref_value *b, ref_value *y) {
  int64_t row = 1;
  for (int k = 1; k < a->rank; k++) row *= a->dims[k];
  for (int64_t i = 0; i < y->count; i++) {
    int64_t at = b->cells[i / row].i;
    ck_assert(at >= 0 && at < a->dims[0]);
    y->cells[i] = a->cells[at * row + i % row];
  }
}

static inline ref_cell ref_updated(const ref_run *run, sni_op op, sn_dtype dtype, ref_cell old,
                                   ref_cell x) {
  switch ((int)op) {
    case SNI_OP_SCATTER_ADD:
      return ref_combine(run, SNI_OP_REDUCE_SUM, dtype, old, x);
    case SNI_OP_SCATTER_MUL:
      return ref_combine(run, SNI_OP_REDUCE_PROD, dtype, old, x);
    case SNI_OP_SCATTER_MAX:
      return ref_combine(run, SNI_OP_REDUCE_MAX, dtype, old, x);
    case SNI_OP_SCATTER_MIN:
      return ref_combine(run, SNI_OP_REDUCE_MIN, dtype, old, x);
    default:
      return x;
  }
}

static inline void ref_flat_index(const ref_run *run, const sni_node *node, const ref_value *a,
                                  ref_value *y) {
  const int n = node->n_attrs / 3;
  for (int64_t i = 0; i < y->count; i++) {
    y->cells[i].i = 0;
    for (int k = 0; k < n; k++) {
      const int64_t at = a->cells[i * n + k].i;
      ck_assert(at >= 0 && at < ref_attr(run, node, n + k));
      y->cells[i].i += at * ref_attr(run, node, 2 * n + k);
    }
  }
}

static inline void ref_scatter(const ref_run *run, const sni_node *node, const ref_value *a,
                               const ref_value *b, const ref_value *c, ref_value *y) {
  int64_t row = 1;
  for (int k = 1; k < a->rank; k++) row *= a->dims[k];
  if (a->count) memcpy(y->cells, a->cells, sizeof(ref_cell) * (size_t)a->count);
  for (int64_t i = 0; i < c->count; i++) {
    ref_cell *cell = &y->cells[b->cells[i / row].i * row + i % row];
    *cell = ref_updated(run, node->op, y->dtype, *cell, c->cells[i]);
  }
}

static inline void ref_leaf(const ref_run *run, const sni_node *node, ref_value *y) {
  for (int64_t i = 0; i < y->count; i++) {
    int64_t index[SN_MAX_RANK];
    ref_cell at = {.i = 0};
    ref_index(y, i, index);
    if (node->op == SNI_OP_IOTA) at.i = index[node->attrs[0]];
    if (node->op == SNI_OP_DIM_SIZE) at.i = ref_attr(run, node, 0);
    y->cells[i] = node->op == SNI_OP_CONSTANT ? ref_load(y->dtype, node->data, i)
                                              : ref_cast(SN_I64, y->dtype, at);
  }
}

static inline void ref_node(ref_run *run, sni_node_id id) {
  const sni_node *node = sni_graph_node(run->graph, id);
  const ref_value *a[64];
  ref_value *y = &run->values[id];
  ck_assert_int_le(node->n_operands, 64);
  for (int k = 0; k < node->n_operands; k++) a[k] = &run->values[node->operands[k]];
  switch (sni_op_infos[node->op].op_class) {
    case SNI_CLASS_LEAF:
      ref_leaf(run, node, y);
      break;
    case SNI_CLASS_POINTWISE:
      for (int64_t i = 0; i < y->count; i++) y->cells[i] = ref_pointwise(run, node, a, i);
      break;
    case SNI_CLASS_VIEW:
      ref_view(run, node, a, y);
      break;
    case SNI_CLASS_REDUCE:
      ref_reduce(run, node, a[0], y);
      break;
    case SNI_CLASS_PARTIAL:
      ref_partial_sum(run, node, a[0], y);
      break;
    case SNI_CLASS_CUMULATE:
      ref_cumulate(run, node, a[0], node->n_operands > 1 ? a[1] : NULL, y);
      break;
    case SNI_CLASS_CONTRACT:
      if (sni_is_matmul(node))
        ref_matmul(run, node, a[0], a[1], y);
      else
        ref_conv(run, node, a[0], a[1], y);
      break;
    case SNI_CLASS_INDEX:
      if (node->op == SNI_OP_GATHER)
        ref_gather(a[0], a[1], y);
      else if (sni_is_flat_index(node))
        ref_flat_index(run, node, a[0], y);
      else
        ref_scatter(run, node, a[0], a[1], a[2], y);
      break;
    case SNI_CLASS_CONTROL:  // tests/ops/test_control.c
      ck_abort_msg("%s has no reference", sni_op_infos[node->op].name);
    case SNI_CLASS_LIBRARY:
      ref_library(run, node, a, y);
      break;
  }
}

// Evaluates every node. inputs[i]: cells of parameter number i of the graph. symbols: or NULL.
static inline void ref_evaluate(ref_run *run, const sni_graph *graph, ref_cell *const *inputs,
                                const int64_t *symbols, bool round_f32) {
  *run = (ref_run){.graph = graph, .symbols = symbols, .round_f32 = round_f32};
  run->values = calloc(graph->n_nodes + 1, sizeof(ref_value));
  for (sni_node_id i = 0; i < graph->n_nodes; i++) {
    ref_value *y = &run->values[i];
    ref_shape(run, &graph->nodes[i].type, y);
    y->cells = calloc((size_t)y->count + 1, sizeof(ref_cell));
    for (uint32_t p = 0; p < graph->n_parameters; p++)
      if (graph->parameters[p].node == i && y->count)
        memcpy(y->cells, inputs[p], sizeof(ref_cell) * (size_t)y->count);
    if (graph->nodes[i].op != SNI_OP_PARAMETER) ref_node(run, i);
  }
}

static inline void ref_free(ref_run *run) {
  for (sni_node_id i = 0; i < run->graph->n_nodes; i++) free(run->values[i].cells);
  free(run->values);
}

// The same bits; any NaN equals any NaN.
static inline bool ref_equal(const ref_value *a, const ref_value *b) {
  if (a->dtype != b->dtype || a->count != b->count) return false;
  for (int64_t i = 0; i < a->count; i++) {
    if (ref_is_float(a) && isnan(a->cells[i].f) && isnan(b->cells[i].f)) continue;
    if (a->cells[i].i != b->cells[i].i) return false;
  }
  return true;
}

#endif
