// The verifier of trees, second half: instructions, values, accesses, contractions.
//
// Invariant: an instruction is checked when all instructions and items before it have been; what it
// refers to stands before it, or is an item around it.
#include "codegen/kernel/tree_verifier.h"
#include "runtime/scalar.h"

static sn_status fail(const sni_tree_verifier *v, const char *rule) {
  const uint16_t op = v->insts[v->inst].op;
  return sni_fail(v->diag, SN_ERR_INTERNAL, "kernel %s: instruction %u (%s): %s",
                  sni_tree_name(v->tree), v->inst,
                  op < SNI_KOP_COUNT ? sni_kop_infos[op].name : "?", rule);
}

static bool is_zero(sni_extent x) {
  return x.param < 0 && x.value == 0;
}

// ---- values

// Whether `value`, no reduction, is defined in a body that holds the item at hand.
static bool is_defined_around(const sni_tree_verifier *v, uint32_t value) {
  for (uint32_t path = v->item; path != SNI_NO_ITEM; path = v->items[path].parent) {
    const uint32_t parent = v->items[path].parent;
    for (uint32_t i = parent == SNI_NO_ITEM ? 0 : parent + 1; i <= path; i = v->items[i].end) {
      const sni_item *item = &v->items[i];
      if (item->kind == SNI_ITEM_CONTRACT && item->as.contract.inst == value) return true;
      if (item->kind == SNI_ITEM_BLOCK && value >= item->as.block.first &&
          value - item->as.block.first < item->as.block.count)
        return true;
    }
  }
  return false;
}

static bool is_visible(const sni_tree_verifier *v, uint32_t value) {
  if (value >= v->inst) return false;
  const uint16_t op = v->insts[value].op;
  if (sni_kop_is_store((sni_kop)op)) return false;
  if (op != SNI_KOP_REDUCE && op != SNI_KOP_YIELD) return is_defined_around(v, value);
  const sni_item *loop = &v->items[v->insts[value].loop];
  return v->item >= loop->end &&
         (loop->parent == SNI_NO_ITEM || v->item < v->items[loop->parent].end);
}

static sn_dtype operand_dtype(const sni_tree_inst *inst, int i) {
  if (sni_kop_has_source((sni_kop)inst->op)) return (sn_dtype)inst->source;
  return inst->op == SNI_KOP_SELECT && i == 0 ? SN_BOOL : (sn_dtype)inst->dtype;
}

static sn_status verify_operands(const sni_tree_verifier *v, const sni_tree_inst *inst) {
  for (int i = 0; i < 3; i++) {
    const uint32_t operand = inst->operands[i];
    if (i >= sni_kop_infos[inst->op].operands) {
      if (operand != SNI_NO_VALUE) return fail(v, "it has too many operands");
      continue;
    }
    if (!is_visible(v, operand)) return fail(v, "an operand is not visible");
    if (v->insts[operand].dtype != operand_dtype(inst, i))
      return fail(v, "an operand has another dtype");
  }
  return SN_OK;
}

// ---- immediates

static bool constant_ok(const sni_tree_inst *inst) {
  const int64_t i = inst->imm.i;
  const double f = inst->imm.f;
  if (inst->imm.words[1]) return false;
  if (inst->dtype == SN_BOOL) return i == 0 || i == 1;
  const sni_scalar value = {(sn_dtype)inst->dtype, {.i = i}};
  const sni_scalar kept = sni_scalar_cast(value, value.dtype);
  return kept.i == i || (sni_is_float(value.dtype) && f != f);
}

static bool combiner_ok(const sni_tree_inst *inst) {
  const int64_t combiner = inst->imm.combiner;
  if (inst->imm.words[1]) return false;
  if (inst->op == SNI_KOP_UPDATE) {
    if (combiner == SNI_KOP_COPY) return true;
    if (!sni_is_compute((sn_dtype)inst->dtype) || inst->dtype == SN_BOOL) return false;
  }
  if (combiner == SNI_KOP_MAX || combiner == SNI_KOP_MIN) return true;
  return (combiner == SNI_KOP_ADD || combiner == SNI_KOP_MUL) && inst->dtype != SN_BOOL;
}

static sn_status verify_immediate(const sni_tree_verifier *v, const sni_tree_inst *inst) {
  switch (sni_kop_immediate((sni_kop)inst->op)) {
    case SNI_IMMEDIATE_NONE:
      break;
    case SNI_IMMEDIATE_CONST:
      return constant_ok(inst) ? SN_OK : fail(v, "its constant does not fit its dtype");
    case SNI_IMMEDIATE_SIZE:
      if (!sni_tree_extent_ok(v, inst->imm.size)) return fail(v, "its parameter does not exist");
      return inst->op == SNI_KOP_CHECK_INDEX && inst->imm.size.value < 0
                 ? fail(v, "its size is negative")
                 : SN_OK;
    case SNI_IMMEDIATE_COMBINER:
      return combiner_ok(inst) ? SN_OK : fail(v, "its combiner does not exist for its dtype");
  }
  return sni_tree_is_zero_bytes(&inst->imm, sizeof(inst->imm)) ? SN_OK
                                                               : fail(v, "it has an immediate");
}

// ---- loops

static uint32_t first_inst(const sni_tree_verifier *v, uint32_t item) {
  for (; item < v->tree->n_items; item++) {
    if (v->items[item].kind == SNI_ITEM_BLOCK) return v->items[item].as.block.first;
    if (v->items[item].kind == SNI_ITEM_CONTRACT) return v->items[item].as.contract.inst;
  }
  return v->tree->n_insts;
}

static sn_status verify_reduce(const sni_tree_verifier *v, const sni_tree_inst *inst) {
  const sni_loop_item *outermost = &v->items[inst->loop].as.loop;
  bool innermost = true;
  for (uint32_t i = v->items[v->item].parent;; i = v->items[i].parent) {
    if (v->items[i].kind != SNI_ITEM_LOOP) continue;
    const sni_loop_item *loop = &v->items[i].as.loop;
    if (loop->kind != SNI_LOOP_REDUCE) return fail(v, "a loop that it reduces is of another kind");
    if (loop->order != outermost->order)
      return fail(v, "the loops that it reduces differ in order");
    if (loop->chunk && (!innermost || i != inst->loop))
      return fail(v, "it reduces more than a loop with a chunk");
    if (v->schedule[i].lanes && !innermost)
      return fail(v, "lanes run along another than the innermost loop that it reduces");
    if (i == inst->loop) return SN_OK;
    innermost = false;
  }
}

static sn_status verify_carry(const sni_tree_verifier *v, const sni_tree_inst *inst) {
  if (v->items[inst->loop].as.loop.kind != SNI_LOOP_SEQUENTIAL)
    return fail(v, "its loop is not sequential");
  if (v->items[v->item].parent != inst->loop)
    return fail(v, "it does not stand directly in its loop");
  if (inst->op == SNI_KOP_YIELD) {
    const sni_tree_inst *carry = &v->insts[inst->operands[1]];
    return carry->op == SNI_KOP_CARRY && carry->loop == inst->loop
               ? SN_OK
               : fail(v, "what it continues is no carry of its loop");
  }
  if (inst->operands[0] >= first_inst(v, inst->loop))
    return fail(v, "its first value comes from inside its loop");
  uint32_t yields = 0;
  for (uint32_t i = v->inst + 1; i < v->tree->n_insts; i++)
    yields += v->insts[i].op == SNI_KOP_YIELD && v->insts[i].operands[1] == v->inst;
  return yields == 1 ? SN_OK : fail(v, "it has not one yield");
}

static sn_status verify_loop_of(const sni_tree_verifier *v, const sni_tree_inst *inst) {
  if (!sni_kop_has_loop((sni_kop)inst->op)) return inst->loop ? fail(v, "it names a loop") : SN_OK;
  if (inst->loop >= v->item || v->items[inst->loop].kind != SNI_ITEM_LOOP ||
      v->item >= v->items[inst->loop].end)
    return fail(v, "its loop is not around it");
  if (inst->op == SNI_KOP_REDUCE) return verify_reduce(v, inst);
  return inst->op == SNI_KOP_INDEX ? SN_OK : verify_carry(v, inst);
}

// ---- accesses

static sn_status verify_form(const sni_tree_verifier *v, const sni_extent *stride,
                             sni_extent offset, unsigned depth) {
  if (!sni_tree_extent_ok(v, offset)) return fail(v, "an offset's parameter does not exist");
  for (unsigned d = 0; d < depth; d++)
    if (!sni_tree_extent_ok(v, stride[d])) return fail(v, "a stride's parameter does not exist");
  if (!sni_tree_is_zero_bytes(stride + depth, (SNI_TREE_DEPTH - depth) * sizeof(*stride)))
    return fail(v, "it has a stride along a loop that is not there");
  return SN_OK;
}

typedef struct interval {
  int64_t low, high;  // in elements
  bool known;         // reached, and no parameter or strip has a say
  bool overflows;
} interval;

static void add_term(interval *x, sni_extent stride, sni_extent extent) {
  int64_t far;
  if (is_zero(stride)) return;
  if (stride.param >= 0 || extent.param >= 0 || extent.value == 0) {
    x->known = false;
    return;
  }
  x->overflows |= __builtin_mul_overflow(stride.value, extent.value - 1, &far);
  if (!x->overflows)
    x->overflows =
        __builtin_add_overflow(far < 0 ? x->low : x->high, far, far < 0 ? &x->low : &x->high);
}

// Where an access may reach, without its index; c: of a contraction, or NULL.
static interval reach(const sni_tree_verifier *v, const sni_tree_access *access,
                      const sni_contract_item *c) {
  interval x = {.low = access->offset.value, .high = access->offset.value};
  const unsigned own = v->items[v->item].depth;
  x.known = access->offset.param < 0 && access->index == SNI_NO_VALUE && !access->n_ranges;
  for (uint32_t i = 0; c && i < c->n_k; i++) {
    if (is_zero(c->k[i]))
      x.known = false;
    else if (!sni_extent_is(c->k[i], 1))
      add_term(&x, access->stride[own + i], c->k[i]);
  }
  for (uint32_t i = v->items[v->item].parent; i != SNI_NO_ITEM; i = v->items[i].parent) {
    const sni_item *item = &v->items[i];
    if (item->kind != SNI_ITEM_LOOP) {
      x.known = false;
      continue;
    }
    const sni_loop_item *loop = &item->as.loop;
    add_term(&x, access->stride[item->depth], loop->extent);
    if (loop->strip != SNI_NO_ITEM || is_zero(loop->extent)) x.known = false;
  }
  int64_t bytes;  // of 8-byte elements
  x.overflows |=
      __builtin_mul_overflow(x.low, 8, &bytes) || __builtin_mul_overflow(x.high, 8, &bytes);
  return x;
}

static sn_status verify_ranges(sni_tree_verifier *v, const sni_tree_access *access,
                               unsigned depth) {
  const uint32_t first = access->n_ranges ? v->next_range : 0;
  if (access->first_range != first || access->n_ranges > v->tree->n_ranges - v->next_range)
    return fail(v, "its ranges are not the next ones");
  v->next_range += access->n_ranges;
  for (uint32_t i = first; i < first + access->n_ranges; i++) {
    const sni_tree_range *range = &sni_tree_ranges(v->tree)[i];
    if (!sni_tree_extent_counts(v, range->extent))
      return fail(v, "a range's extent is negative or has no parameter");
    SNI_TRY(verify_form(v, range->stride, range->offset, depth));
  }
  return SN_OK;
}

// number: of the access; c: of a contraction, or NULL.
static sn_status verify_access(sni_tree_verifier *v, uint32_t number, const sni_contract_item *c) {
  const unsigned depth = v->items[v->item].depth + (c ? c->n_k : 0);
  const sni_tree_inst *inst = &v->insts[v->inst];
  if (number != v->next_access || number >= v->tree->n_accesses)
    return fail(v, "its access is not the next one");
  v->next_access++;
  const sni_tree_access *access = &sni_tree_accesses(v->tree)[number];
  if (access->buffer >= v->tree->n_buffers) return fail(v, "its buffer does not exist");
  const sni_tree_buffer *buffer = &v->buffers[access->buffer];
  // a side of a product may be stored in another dtype than it computes in
  const bool side = c && number != c->from;
  const uint8_t dtype = side && buffer->dtype < SN_DTYPE_COUNT
                            ? (uint8_t)sni_compute_dtype((sn_dtype)buffer->dtype)
                            : buffer->dtype;
  if (dtype != inst->dtype) return fail(v, "its buffer has another dtype");
  SNI_TRY(verify_form(v, access->stride, access->offset, depth));
  SNI_TRY(verify_ranges(v, access, depth));
  if (access->index != SNI_NO_VALUE) {
    if (!is_visible(v, access->index)) return fail(v, "its index is not visible");
    if (v->insts[access->index].dtype != SN_I64) return fail(v, "its index is not i64");
  }
  const bool choice = inst->op == SNI_KOP_LOAD && access->n_ranges;
  if (choice != (access->otherwise != SNI_NO_VALUE))
    return fail(v, "it has a value outside ranges, but is no load with ranges, or the reverse");
  if (choice && !is_visible(v, access->otherwise))
    return fail(v, "its value outside the ranges is not visible");
  if (choice && v->insts[access->otherwise].dtype != inst->dtype)
    return fail(v, "its value outside the ranges has another dtype");
  if (c && access->n_ranges > SNI_CONTRACT_RANGES) return fail(v, "it has too many ranges");
  const interval x = reach(v, access, c);
  if (x.overflows) return fail(v, "its address overflows");
  if (buffer->space == SNI_SPACE_GLOBAL) return SN_OK;
  if (buffer->scope >= v->item || v->item >= v->items[buffer->scope].end)
    return fail(v, "it stands outside the scope of its buffer");
  if (x.known && (x.low < 0 || x.high >= buffer->elements))
    return fail(v, "it reaches beyond its buffer");
  return SN_OK;
}

static bool is_in_sequence(const sni_tree_verifier *v) {
  for (uint32_t i = v->items[v->item].parent; i != SNI_NO_ITEM; i = v->items[i].parent)
    if (v->items[i].kind == SNI_ITEM_LOOP && v->items[i].as.loop.kind == SNI_LOOP_SEQUENTIAL)
      return true;
  return false;
}

// ---- instructions

static sn_status verify_inst(sni_tree_verifier *v) {
  const sni_tree_inst *inst = &v->insts[v->inst];
  if (inst->op <= SNI_KOP_NONE || inst->op >= SNI_KOP_COUNT) return fail(v, "no such operation");
  const sni_kop op = (sni_kop)inst->op;
  const bool has_source = sni_kop_has_source(op);
  const uint8_t ruled = has_source ? inst->source : inst->dtype;
  if (!sni_is_kernel_dtype(inst->dtype) || !sni_is_kernel_dtype(ruled))
    return fail(v, "no such dtype");
  if (!has_source && inst->source) return fail(v, "it has a source dtype");
  if (!(sni_kop_infos[op].dtypes >> ruled & 1)) return fail(v, "it does not exist for this dtype");
  const bool compares = op == SNI_KOP_EQ || op == SNI_KOP_LT || op == SNI_KOP_LE;
  if (compares && inst->dtype != SN_BOOL) return fail(v, "its value is not bool");
  if (op == SNI_KOP_BITCAST &&
      sn_dtype_size((sn_dtype)inst->dtype) != sn_dtype_size((sn_dtype)inst->source))
    return fail(v, "the widths differ");
  if (op == SNI_KOP_BITCAST && (inst->dtype == SN_BOOL) != (inst->source == SN_BOOL))
    return fail(v, "a bool is no bits");
  if (op == SNI_KOP_CAST && !sni_is_kernel_cast((sn_dtype)inst->source, (sn_dtype)inst->dtype))
    return fail(v, "kernels have no such cast");
  SNI_TRY(verify_immediate(v, inst));
  SNI_TRY(verify_operands(v, inst));
  SNI_TRY(verify_loop_of(v, inst));
  v->faults |= op == SNI_KOP_CHECK_INDEX;
  const bool effect = sni_kop_is_store(op) || op == SNI_KOP_CHECK_INDEX;
  if (effect && v->items[v->item].parent == SNI_NO_ITEM)
    return fail(v, "an effect stands at the top level");
  if (op == SNI_KOP_UPDATE && !is_in_sequence(v)) return fail(v, "no loop around it is sequential");
  if (!sni_kop_has_access(op)) return inst->access ? fail(v, "it has an access") : SN_OK;
  return verify_access(v, inst->access, NULL);
}

sn_status sni_tree_verify_block(sni_tree_verifier *v) {
  const sni_block_item *block = &v->items[v->item].as.block;
  if (block->first != v->inst)
    return sni_tree_fail_item(v, "its instructions are not the next ones");
  if (!block->count) return sni_tree_fail_item(v, "it is empty");
  if (block->count > v->tree->n_insts - v->inst)
    return sni_tree_fail_item(v, "it has instructions that do not exist");
  for (uint32_t i = 0; i < block->count; i++, v->inst++) {
    if (v->insts[v->inst].op == SNI_KOP_CONTRACTION)
      return fail(v, "it stands in no contract item");
    SNI_TRY(verify_inst(v));
  }
  return SN_OK;
}

// ---- contractions

// Whether the access or one of its ranges varies along a loop, or an axis of k.
static bool varies_along(const sni_tree_verifier *v, uint32_t number, unsigned depth) {
  const sni_tree_access *access = &sni_tree_accesses(v->tree)[number];
  bool varies = !is_zero(access->stride[depth]);
  for (uint32_t i = 0; i < access->n_ranges; i++)
    varies |= !is_zero(sni_tree_ranges(v->tree)[access->first_range + i].stride[depth]);
  return varies;
}

static sn_status verify_operand(sni_tree_verifier *v, uint32_t number, unsigned fixed) {
  const sni_item *item = &v->items[v->item];
  SNI_TRY(verify_access(v, number, &item->as.contract));
  if (sni_tree_accesses(v->tree)[number].index != SNI_NO_VALUE)
    return fail(v, "an operand is indexed");
  if (varies_along(v, number, fixed)) return fail(v, "an operand varies along the other's loop");
  return SN_OK;
}

// What the sum goes on from.
static sn_status verify_from(sni_tree_verifier *v) {
  const sni_item *item = &v->items[v->item];
  const sni_contract_item *contract = &item->as.contract;
  if (contract->from == SNI_NO_VALUE) return SN_OK;
  if (contract->segment) return fail(v, "it goes on from a value and has segments");
  SNI_TRY(verify_access(v, contract->from, contract));
  const sni_tree_access *access = &sni_tree_accesses(v->tree)[contract->from];
  if (access->index != SNI_NO_VALUE) return fail(v, "what it goes on from is indexed");
  bool varies = false;
  for (uint32_t i = 0; i < contract->n_k; i++)
    varies |= varies_along(v, contract->from, item->depth + i);
  return varies ? fail(v, "what it goes on from varies along k") : SN_OK;
}

static bool is_parallel(const sni_tree_verifier *v, uint32_t item) {
  return item != SNI_NO_ITEM && v->items[item].kind == SNI_ITEM_LOOP &&
         v->items[item].as.loop.kind == SNI_LOOP_PARALLEL;
}

static sn_status verify_k(const sni_tree_verifier *v, const sni_contract_item *c) {
  const sni_item *item = &v->items[v->item];
  int64_t all = 1;
  if (!c->n_k || c->n_k > SNI_CONTRACT_AXES)
    return sni_tree_fail_item(v, "k has no axis or too many");
  if (item->depth + c->n_k > SNI_TREE_DEPTH)
    return sni_tree_fail_item(v, "loops are nested too deep");
  for (uint32_t i = 0; i < c->n_k; i++) {
    if (!sni_tree_extent_counts(v, c->k[i]))
      return sni_tree_fail_item(v, "k is negative or has no parameter");
    if (c->k[i].param < 0 && __builtin_mul_overflow(all, c->k[i].value, &all))
      return sni_tree_fail_item(v, "k overflows");
  }
  const size_t unused = (SNI_CONTRACT_AXES - c->n_k) * sizeof *c->k;
  return sni_tree_is_zero_bytes(c->k + c->n_k, unused)
             ? SN_OK
             : sni_tree_fail_item(v, "an unused field is not 0");
}

sn_status sni_tree_verify_contract(sni_tree_verifier *v) {
  const sni_item *item = &v->items[v->item];
  const sni_contract_item *contract = &item->as.contract;
  if (contract->inst != v->inst || v->inst >= v->tree->n_insts)
    return sni_tree_fail_item(v, "its instruction is not the next one");
  if (v->insts[v->inst].op != SNI_KOP_CONTRACTION)
    return sni_tree_fail_item(v, "its instruction is no contraction");
  if (!is_parallel(v, item->parent) || !is_parallel(v, v->items[item->parent].parent))
    return sni_tree_fail_item(v, "it does not stand directly in two parallel loops");
  SNI_TRY(verify_k(v, contract));
  SNI_TRY(verify_inst(v));
  SNI_TRY(verify_operand(v, contract->lhs, item->depth - 1u));
  SNI_TRY(verify_operand(v, contract->rhs, item->depth - 2u));
  SNI_TRY(verify_from(v));
  v->inst++;
  return SN_OK;
}

// ---- conditions

enum { longest_condition = 64 };

// What `value`, defined in the loop with lanes, is made of; false: it may differ from lane to lane.
static bool push_parts(const sni_tree_verifier *v, uint32_t value, uint32_t lanes, uint32_t *stack,
                       uint32_t *count) {
  const sni_tree_inst *inst = &v->insts[value];
  const sni_kop op = (sni_kop)inst->op;
  if (op == SNI_KOP_REDUCE || op == SNI_KOP_CONTRACTION || op == SNI_KOP_CARRY ||
      op == SNI_KOP_YIELD || (op == SNI_KOP_INDEX && inst->loop == lanes))
    return false;
  if (*count + 5 > longest_condition) return false;
  for (int i = 0; i < sni_kop_infos[op].operands; i++) stack[(*count)++] = inst->operands[i];
  if (op != SNI_KOP_LOAD) return true;
  const sni_tree_access *access = &sni_tree_accesses(v->tree)[inst->access];
  const sni_tree_buffer *buffer = &v->buffers[access->buffer];
  const unsigned depth = v->items[lanes].depth;
  if (buffer->written || buffer->shared || !is_zero(access->stride[depth])) return false;
  for (uint32_t i = 0; i < access->n_ranges; i++)
    if (!is_zero(sni_tree_ranges(v->tree)[access->first_range + i].stride[depth])) return false;
  if (access->index != SNI_NO_VALUE) stack[(*count)++] = access->index;
  if (access->otherwise != SNI_NO_VALUE) stack[(*count)++] = access->otherwise;
  return true;
}

static bool is_same_for_lanes(const sni_tree_verifier *v, uint32_t value, uint32_t lanes) {
  uint32_t stack[longest_condition] = {value}, count = 1;
  const uint32_t first = first_inst(v, lanes);
  for (int steps = 0; count && steps < 4 * longest_condition; steps++) {
    const uint32_t at = stack[--count];
    if (at >= first && !push_parts(v, at, lanes, stack, &count)) return false;
  }
  return !count;
}

sn_status sni_tree_verify_condition(const sni_tree_verifier *v) {
  const uint32_t condition = v->items[v->item].as.condition;
  if (!is_visible(v, condition)) return sni_tree_fail_item(v, "its condition is not visible");
  if (v->insts[condition].dtype != SN_BOOL)
    return sni_tree_fail_item(v, "its condition is not bool");
  for (uint32_t i = v->items[v->item].parent; i != SNI_NO_ITEM; i = v->items[i].parent)
    if (v->schedule[i].lanes && !is_same_for_lanes(v, condition, i))
      return sni_tree_fail_item(v, "its condition may differ from lane to lane");
  return SN_OK;
}
