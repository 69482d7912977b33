// The heart of a product: a block of accumulators through the loop over k; and a CONTRACT that is no
// product of its loops (several in one body, no lanes), with accumulators of its own.
//
// Invariant: one fma per k, in order of k, for every element: c = fma(a, b, c); pieces of k are
// added in order. The loop is not unrolled: rows x vectors fmas are work enough a turn. Addresses
// move by pointers, so that all rows of a constant stride share one register.
#include "codegen/llvm/emit_product.h"

LLVMValueRef sni_multiply_add(sni_emitter *e, sn_dtype dtype, LLVMValueRef a, LLVMValueRef b,
                              LLVMValueRef sum) {
  if (!sni_is_float(dtype))
    return LLVMBuildAdd(e->builder, LLVMBuildMul(e->builder, a, b, ""), sum, "");
  LLVMTypeRef type = LLVMTypeOf(sum);
  LLVMValueRef arguments[3] = {a, b, sum};
  return sni_ir_intrinsic(e, "llvm.fma", &type, 1, arguments, 3);
}

LLVMValueRef sni_contract_extent(sni_emitter *e, const sni_contract_item *c) {
  LLVMValueRef all = sni_emit_extent(e, c->k[0]);
  for (uint32_t i = 1; i < c->n_k; i++) all = sni_ir_mul(e, all, sni_emit_extent(e, c->k[i]));
  return all;
}

LLVMValueRef sni_product_start(sni_emitter *e, LLVMTypeRef type, sn_dtype dtype,
                               const sni_contract_item *c) {
  LLVMValueRef zero = LLVMConstNull(type);
  const int64_t k = sni_contract_known_k(c);
  if (!sni_is_float(dtype) || (k >= 0 && k != 1)) return zero;
  LLVMValueRef alone =
      LLVMBuildICmp(e->builder, LLVMIntEQ, sni_contract_extent(e, c), sni_ir_i64(e, 1), "");
  if (LLVMGetTypeKind(type) != LLVMVectorTypeKind)
    return sni_ir_select(e, alone, sni_ir_float(type, -0.0), zero);
  LLVMTypeRef element = LLVMGetElementType(type);
  LLVMValueRef one = sni_ir_select(e, alone, sni_ir_float(element, -0.0), LLVMConstNull(element));
  return sni_ir_splat(e, one, LLVMGetVectorSize(type));
}

// ---- blocks of a product
static LLVMValueRef row_address(sni_emitter *e, const sni_product *p, LLVMValueRef left,
                                LLVMValueRef *offsets, int r) {
  LLVMValueRef offset = offsets ? offsets[r] : sni_ir_i64(e, r * p->left.stride.value);
  return sni_ir_element_address(e, p->left.element, left, offset);
}

static void multiply_block(sni_emitter *e, sni_product *p, LLVMValueRef left, LLVMValueRef right,
                           int rows, LLVMValueRef *offsets, LLVMValueRef *sums) {
  const int vectors = p->group.count;
  const sni_factor *side = &p->right;
  LLVMTypeRef stored = LLVMVectorType(side->element, (unsigned)e->lanes);
  LLVMValueRef b[sni_max_group];
  for (int v = 0; v < vectors; v++) {
    LLVMValueRef at =
        sni_ir_element_address(e, side->element, right, sni_ir_i64(e, (int64_t)v * e->lanes));
    LLVMValueRef elements = sni_emit_vector_load(e, stored, at, p->group.mask[v]);
    b[v] = sni_emit_widened(e, side->dtype, p->dtype, elements);
  }
  for (int r = 0; r < rows; r++) {
    LLVMValueRef a =
        LLVMBuildLoad2(e->builder, p->left.element, row_address(e, p, left, offsets, r), "");
    a = sni_emit_widened(e, p->left.dtype, p->dtype, a);
    a = sni_ir_splat(e, a, (unsigned)e->lanes);
    for (int v = 0; v < vectors; v++)
      sums[r * vectors + v] = sni_multiply_add(e, p->dtype, a, b[v], sums[r * vectors + v]);
  }
}

void sni_emit_k_loop(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                     LLVMValueRef *offsets, LLVMValueRef *sums) {
  const int n = rows * p->group.count;
  LLVMValueRef left_k = sni_emit_extent(e, p->left.k_stride);
  LLVMValueRef right_k = sni_emit_extent(e, p->right.k_stride);
  LLVMValueRef offset = sni_ir_mul(e, row, sni_emit_extent(e, p->left.stride));
  sni_loop loop;
  for (int i = 0; i < n; i++) loop.initial[i] = sums[i];
  loop.initial[n] = sni_ir_element_address(e, p->left.element, p->left.base, offset);
  loop.initial[n + 1] = p->right_address;
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), p->k_extent, sni_ir_i64(e, 1), n + 2);
  LLVMValueRef next[sni_max_carried];
  for (int i = 0; i < n; i++) next[i] = loop.carried[i];
  multiply_block(e, p, loop.carried[n], loop.carried[n + 1], rows, offsets, next);
  next[n] = sni_ir_element_address(e, p->left.element, loop.carried[n], left_k);
  next[n + 1] = sni_ir_element_address(e, p->right.element, loop.carried[n + 1], right_k);
  sni_loop_end(e, &loop, next);
  for (int i = 0; i < n; i++) sums[i] = loop.carried[i];
}

// ---- a CONTRACT by itself
typedef struct chain {
  uint32_t item;
  sn_dtype dtype;
  LLVMTypeRef type;        // of a sum
  const sni_group *group;  // NULL: one scalar sum
  int count;
} chain;

static sn_dtype dtype_of(const sni_emitter *e, uint32_t access) {
  return (sn_dtype)sni_tree_buffers(e->tree)[sni_tree_accesses(e->tree)[access].buffer].dtype;
}

// Sums over k in [first, last), from `sums` on.
static void emit_chain(sni_emitter *e, const chain *c, sni_span span, LLVMValueRef *sums) {
  const sni_contract_item *contract = &sni_item_at(e, c->item)->as.contract;
  const int first = c->group ? c->group->first : 0;
  LLVMValueRef a[sni_max_group], b[sni_max_group];
  sni_loop loop;
  for (int i = 0; i < c->count; i++) loop.initial[i] = sums[i];
  sni_loop_begin(e, &loop, span.first, span.last, sni_ir_i64(e, 1), c->count);
  const uint32_t mark = sni_mark(e);
  sni_enter_contract(e, c->item, loop.index);
  sni_emit_elements(e, contract->lhs, c->group, a);
  sni_emit_elements(e, contract->rhs, c->group, b);
  for (int i = 0; i < c->count; i++) {
    LLVMValueRef x = sni_emit_widened(e, dtype_of(e, contract->lhs), c->dtype, a[first + i]),
                 y = sni_emit_widened(e, dtype_of(e, contract->rhs), c->dtype, b[first + i]);
    sums[i] = sni_multiply_add(e, c->dtype, x, y, loop.carried[i]);
  }
  sni_leave(e, mark);
  sni_loop_end(e, &loop, sums);
  for (int i = 0; i < c->count; i++) sums[i] = loop.carried[i];
}

static LLVMValueRef added(sni_emitter *e, const chain *c, LLVMValueRef a, LLVMValueRef b) {
  const bool real = sni_is_float(c->dtype);
  return real ? LLVMBuildFAdd(e->builder, a, b, "") : LLVMBuildAdd(e->builder, a, b, "");
}

// Pieces of k, one after the other. -0.0 + x is x; an empty sum is that of one empty piece.
static void emit_segments(sni_emitter *e, const chain *c, LLVMValueRef size, LLVMValueRef *totals) {
  const sni_contract_item *contract = &sni_item_at(e, c->item)->as.contract;
  const bool real = sni_is_float(c->dtype);
  LLVMValueRef one = sni_ir_i64(e, 1), segment = sni_ir_i64(e, contract->segment);
  LLVMValueRef some = LLVMBuildICmp(e->builder, LLVMIntSGT, size, one, "");
  LLVMValueRef next[sni_max_group];
  sni_loop loop;
  for (int i = 0; i < c->count; i++)
    loop.initial[i] = real ? sni_ir_float(c->type, -0.0) : LLVMConstNull(c->type);
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), sni_ir_select(e, some, size, one), segment, c->count);
  sni_span span = {loop.index, sni_ir_min(e, sni_ir_add(e, loop.index, segment), size)};
  LLVMValueRef start = sni_product_start(e, c->type, c->dtype, contract);
  for (int i = 0; i < c->count; i++) next[i] = start;
  emit_chain(e, c, span, next);
  for (int i = 0; i < c->count; i++) next[i] = added(e, c, loop.carried[i], next[i]);
  sni_loop_end(e, &loop, next);
  for (int i = 0; i < c->count; i++) totals[i] = loop.carried[i];
}

void sni_emit_contract(sni_emitter *e, uint32_t item, const sni_group *group) {
  const sni_contract_item *contract = &sni_item_at(e, item)->as.contract;
  const uint32_t number = contract->inst;
  const bool vector = e->is_vector[number];
  chain c = {.item = item, .dtype = (sn_dtype)sni_inst_at(e, number)->dtype, .count = 1};
  c.type = sni_ir_type(e, c.dtype);
  if (vector) {
    c.type = LLVMVectorType(c.type, (unsigned)e->lanes);
    c.group = group;
    c.count = group->count;
  }
  LLVMValueRef sums[sni_max_group], size = sni_contract_extent(e, contract);
  LLVMValueRef start = sni_product_start(e, c.type, c.dtype, contract), from[sni_max_group];
  if (contract->from != SNI_NO_VALUE) sni_emit_elements(e, contract->from, c.group, from);
  for (int i = 0; i < c.count; i++)
    sums[i] = contract->from == SNI_NO_VALUE ? start : from[(group ? group->first : 0) + i];
  const int64_t k = sni_contract_known_k(contract);
  const bool one_piece = k >= 0 && k <= (int64_t)contract->segment;
  if (contract->segment && !one_piece)
    emit_segments(e, &c, size, sums);
  else
    emit_chain(e, &c, (sni_span){sni_ir_i64(e, 0), size}, sums);
  if (!vector) {
    sni_set_scalar(e, number, sums[0]);
    return;
  }
  for (int i = 0; i < c.count; i++) sni_set_vector(e, number, group->first + i, sums[i]);
}
