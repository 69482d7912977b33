// Storage dtypes: i8 i16 u8 u16 compute in i32 and wrap after each op, f16 and bf16 in f32 and are
// rounded after each op; u32 and u64 are the bits of i32 and i64, with an order, a division and
// conversions of their own. This pass writes that down: first of all, in eager mode too, so that all
// that follows knows the compute dtypes alone (bool i32 i64 f32 f64), and all modes agree to the bit.
// Sums, products and cumulations of 16-bit floats stay in f32 to their end.
//
// Invariant: what is left in storage dtypes moves or converts elements: leaves, views, gathers,
// selects, copies, and the casts of sni_is_kernel_cast. (What products read is narrowed again in the end:
// narrow_products.c.)
#include "passes/graph/passes.h"
#include "passes/graph/widen.h"

static sn_dtype dtype_of(const sni_rewrite *r, sni_node_id x) {
  return sni_graph_type(r->to, x)->dtype;
}

static bool is_wide_unsigned(sn_dtype dtype) {
  return sni_is_unsigned(dtype) && !sni_is_kernel_cast(dtype, sni_compute_dtype(dtype));
}

static bool has_storage(const sni_rewrite *r, const sni_node *n) {
  bool any = !sni_is_compute(n->type.dtype);
  for (int i = 0; i < n->n_operands; i++) any |= !sni_is_compute(dtype_of(r, n->operands[i]));
  return any;
}

// Operands i of the node in their compute dtypes, in arrays of their own.
static sni_node_id again(sni_build *b, const sni_node *n, const sni_node_id *operands,
                         const sni_type *declared) {
  return sni_build_node(b, n->op, operands, n->n_operands, n->attrs, n->n_attrs, declared);
}

// ---- unsigned numbers of 32 and 64 bits: the same bits as signed ones, but for these

// a / b or a % b of u64 as bits: half of a, doubled, is at most one off; where b has its top bit the
// quotient is whether a >= b. x / 0 = 0 and x % 0 = 0, as of signed ones.
static sni_node_id divide_u64(sni_build *b, bool remainder, sni_node_id x, sni_node_id y) {
  const sni_node_id zero = sni_build_integer(b, SN_I64, 0), one = sni_build_integer(b, SN_I64, 1);
  const sni_node_id fx = sni_flip_sign(b, x), fy = sni_flip_sign(b, y);
  const sni_node_id reaches = sni_build_cast(b, sni_build_binary(b, SNI_OP_LE, fy, fx), SN_I64);
  const sni_node_id half = sni_build_div(b, sni_build_binary(b, SNI_OP_SHR, x, one), y);
  const sni_node_id twice = sni_build_binary(b, SNI_OP_SHL, half, one);
  const sni_node_id left = sni_build_sub(b, x, sni_build_mul(b, twice, y));
  const sni_node_id more =
      sni_build_cast(b, sni_build_binary(b, SNI_OP_LE, fy, sni_flip_sign(b, left)), SN_I64);
  const sni_node_id large = sni_build_binary(b, SNI_OP_LT, y, zero);
  const sni_node_id q = sni_build_select(b, large, reaches, sni_build_add(b, twice, more));
  const sni_node_id by_zero = sni_build_binary(b, SNI_OP_EQ, y, zero);
  if (!remainder) return sni_build_select(b, by_zero, zero, q);
  return sni_build_select(b, by_zero, zero, sni_build_sub(b, x, sni_build_mul(b, q, y)));
}

static sni_node_id divide(sni_build *b, sni_op op, sn_dtype dtype, sni_node_id x, sni_node_id y) {
  if (dtype == SN_U64) return divide_u64(b, op == SNI_OP_REM, sni_widen(b, x), sni_widen(b, y));
  const sni_node_id q = sni_build_binary(b, op, sni_widen_integer(b, x), sni_widen_integer(b, y));
  return sni_build_cast(b, q, SN_I32);
}

// x^y = (x^(y / 2))^2 x^(y % 2): y / 2 is no negative number.
static sni_node_id power(sni_build *b, sni_node_id x, sni_node_id y) {
  const sni_node_id one = sni_build_integer(b, sni_build_type(b, x).dtype, 1);
  const sni_node_id root =
      sni_build_binary(b, SNI_OP_POW, x, sni_build_binary(b, SNI_OP_SHR, y, one));
  const sni_node_id odd = sni_build_cast(b, sni_build_binary(b, SNI_OP_AND, y, one), SN_BOOL);
  return sni_build_mul(b, sni_build_mul(b, root, root), sni_build_select(b, odd, x, one));
}

// Of numbers without a sign floors and arithmetic shifts are the plain ones.
static sni_op unsigned_op(sni_op op) {
  if (op == SNI_OP_FLOOR_DIV) return SNI_OP_DIV;
  if (op == SNI_OP_FLOOR_MOD) return SNI_OP_REM;
  return op == SNI_OP_SAR ? SNI_OP_SHR : op;
}

static bool differs_unsigned(sni_op op) {
  return unsigned_op(op) != op || op == SNI_OP_DIV || op == SNI_OP_REM || op == SNI_OP_ABS ||
         op == SNI_OP_SIGN || op == SNI_OP_POW || op == SNI_OP_LT || op == SNI_OP_LE ||
         op == SNI_OP_MAX || op == SNI_OP_MIN || op == SNI_OP_SCATTER_MAX ||
         op == SNI_OP_SCATTER_MIN;
}

static sni_node_id unsigned_pointwise(sni_build *b, const sni_node *n, sn_dtype dtype) {
  sni_node_id x[2] = {SNI_NO_NODE, SNI_NO_NODE};
  const sni_op op = unsigned_op(n->op);
  if (op == SNI_OP_DIV || op == SNI_OP_REM)
    return divide(b, op, dtype, n->operands[0], n->operands[1]);
  for (int i = 0; i < n->n_operands && i < 2; i++) x[i] = sni_widen(b, n->operands[i]);
  if (op == SNI_OP_SHR) return sni_build_binary(b, op, x[0], x[1]);
  if (op == SNI_OP_ABS) return x[0];
  if (op == SNI_OP_SIGN)
    return sni_build_cast(b, sni_build_cast(b, x[0], SN_BOOL), sni_compute_dtype(dtype));
  if (op == SNI_OP_POW) return power(b, x[0], x[1]);
  for (int i = 0; i < 2; i++) x[i] = sni_flip_sign(b, x[i]);
  const sni_node_id y = sni_build_binary(b, op, x[0], x[1]);
  return op == SNI_OP_MAX || op == SNI_OP_MIN ? sni_flip_sign(b, y) : y;
}

// ---- the rules by class

static sni_node_id widen_pointwise(sni_rewrite *r, const sni_node *n) {
  sni_build *b = &r->build;
  sni_node_id operands[3] = {0}, y = SNI_NO_NODE;
  const sn_dtype dtype = dtype_of(r, n->operands[0]), to = n->type.dtype;
  if (n->op == SNI_OP_CAST)
    return sni_is_kernel_cast(dtype, to) ? SNI_NO_NODE : sni_widen_cast(b, n->operands[0], to);
  if (n->op == SNI_OP_BITCAST)
    return dtype == SN_BOOL ? sni_widen_cast(b, n->operands[0], to) : SNI_NO_NODE;
  if (n->op == SNI_OP_SELECT || sni_op_passes_on(n->op)) return SNI_NO_NODE;
  if (is_wide_unsigned(dtype) && differs_unsigned(n->op)) {
    y = unsigned_pointwise(b, n, dtype);
  } else {
    for (int i = 0; i < n->n_operands; i++) operands[i] = sni_widen(b, n->operands[i]);
    // a logical shift sees the sign's copies
    if (n->op == SNI_OP_SHR && sni_compute_dtype(dtype) == SN_I32 && !is_wide_unsigned(dtype)) {
      const int64_t mask = ((int64_t)1 << 8 * sni_dtype_bytes(dtype)) - 1;
      operands[0] =
          sni_build_binary(b, SNI_OP_AND, operands[0], sni_build_integer(b, SN_I32, mask));
    }
    y = again(b, n, operands, NULL);
  }
  return to == SN_BOOL ? y : sni_narrow(b, y, to);
}

static bool is_extremum(sni_op op) {
  return op == SNI_OP_REDUCE_MAX || op == SNI_OP_REDUCE_MIN || op == SNI_OP_CUMMAX ||
         op == SNI_OP_CUMMIN;
}

// What nothing gives is the end of the compute dtype, beyond that of a narrow integer.
static sni_node_id clamp(sni_build *b, sni_op op, sni_node_id y, sn_dtype dtype) {
  const bool max = op == SNI_OP_REDUCE_MAX || op == SNI_OP_CUMMAX;
  const int64_t end = max ? sni_integer_least(dtype) : sni_integer_greatest(dtype);
  return sni_build_binary(b, max ? SNI_OP_MAX : SNI_OP_MIN, y,
                          sni_build_integer(b, sni_compute_dtype(dtype), end));
}

// Reductions and cumulations; several operands: a recurrence.
static sni_node_id widen_sum(sni_rewrite *r, const sni_node *n) {
  sni_build *b = &r->build;
  const sn_dtype dtype = n->type.dtype;
  const bool flip = is_extremum(n->op) && is_wide_unsigned(dtype);
  sni_node_id operands[4] = {SNI_NO_NODE, SNI_NO_NODE, SNI_NO_NODE, SNI_NO_NODE};
  for (int i = 0; i < n->n_operands; i++) {
    operands[i] = sni_widen(b, n->operands[i]);
    if (flip) operands[i] = sni_flip_sign(b, operands[i]);
  }
  sni_node_id y = again(b, n, operands, NULL);
  if (flip) y = sni_flip_sign(b, y);
  if (is_extremum(n->op) && !flip && sni_is_integer(dtype)) y = clamp(b, n->op, y, dtype);
  return sni_narrow(b, y, dtype);
}

static sni_node_id widen_product(sni_rewrite *r, const sni_node *n) {
  const sni_node_id operands[2] = {sni_widen(&r->build, n->operands[0]),
                                   sni_widen(&r->build, n->operands[1])};
  return sni_narrow(&r->build, again(&r->build, n, operands, NULL), n->type.dtype);
}

static sni_node_id widen_value(sni_build *b, sni_node_id x, bool flip) {
  x = sni_widen(b, x);
  return flip ? sni_flip_sign(b, x) : x;
}

// Gathers and scatters of updates move rows as they lie; other scatters compute.
static sni_node_id widen_indexed(sni_rewrite *r, const sni_node *n) {
  sni_build *b = &r->build;
  const sn_dtype dtype = dtype_of(r, n->operands[0]);
  const int index = n->n_operands > 1;  // the operand that is one
  const bool computes = sni_lowering_of(n) == SNI_LOWERING_UPDATE && n->op != SNI_OP_SCATTER_UPDATE;
  const bool flip = is_wide_unsigned(dtype) && computes && differs_unsigned(n->op);
  sni_node_id operands[3] = {0};
  if (!computes && sni_is_compute(dtype_of(r, n->operands[index]))) return SNI_NO_NODE;
  for (int i = 0; i < n->n_operands; i++)
    operands[i] = i == index ? sni_widen_integer(b, n->operands[i])
                  : computes ? widen_value(b, n->operands[i], flip)
                             : n->operands[i];
  sni_node_id y = again(b, n, operands, NULL);
  if (flip) y = sni_flip_sign(b, y);
  return computes ? sni_narrow(b, y, n->type.dtype) : y;
}

// Keys are made of any dtype; factorisations are of floats.
static sni_node_id widen_library(sni_rewrite *r, const sni_node *n) {
  if (sni_op_infos[n->op].dtypes != SNI_DTYPES_FLOAT) return SNI_NO_NODE;
  sni_node_id operands[2] = {SNI_NO_NODE, SNI_NO_NODE};
  for (int i = 0; i < n->n_operands; i++) operands[i] = sni_widen(&r->build, n->operands[i]);
  return sni_narrow(&r->build, again(&r->build, n, operands, NULL), n->type.dtype);
}

static sni_node_id widen_leaf(sni_rewrite *r, const sni_node *n) {
  sni_type type = n->type;
  if (sni_lowering_of(n) != SNI_LOWERING_INDEX) return SNI_NO_NODE;
  type.dtype = SN_I64;
  return sni_widen_cast(&r->build, again(&r->build, n, NULL, &type), n->type.dtype);
}

static sni_node_id widen_node(sni_rewrite *r, const sni_node *n) {
  if (!has_storage(r, n)) return SNI_NO_NODE;
  switch (sni_op_infos[n->op].op_class) {
    case SNI_CLASS_LEAF:
      return widen_leaf(r, n);
    case SNI_CLASS_POINTWISE:
      return widen_pointwise(r, n);
    case SNI_CLASS_REDUCE:
    case SNI_CLASS_PARTIAL:
    case SNI_CLASS_CUMULATE:
      return widen_sum(r, n);
    case SNI_CLASS_CONTRACT:
      return widen_product(r, n);
    case SNI_CLASS_INDEX:
      return widen_indexed(r, n);
    case SNI_CLASS_LIBRARY:
      return widen_library(r, n);
    case SNI_CLASS_VIEW:
    case SNI_CLASS_CONTROL:  // buffers of bodies are as they lie
      break;
  }
  return SNI_NO_NODE;
}

sn_status sni_widen_storage(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {widen_node};
  bool changed, any = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) any |= !sni_is_compute(graph->nodes[i].type.dtype);
  if (!any) {
    *out_graph = (sni_graph *)(uintptr_t)graph;
    return SN_OK;
  }
  return sni_rewrite_once(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph,
                          &changed);
}
