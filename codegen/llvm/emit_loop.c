// Items one after the other: blocks, branches and loops that run one iteration at a time, with what
// travels round them.
//
// Invariant: on entry to a loop's body the offset of every access inside is advanced by the index
// of that loop, so that each product of index and stride is computed once, where the index becomes
// known.
#include "codegen/llvm/emit_walk.h"

#include <stdlib.h>

enum { longest_unrolled = 256 };  // instructions of all turns of a loop that is written out

// ---- offsets
uint32_t sni_mark(const sni_emitter *e) {
  return e->n_undo;
}

void sni_leave(sni_emitter *e, uint32_t mark) {
  while (e->n_undo > mark) {
    e->n_undo--;
    *e->undo[e->n_undo].slot = e->undo[e->n_undo].old;
  }
}

static void set_slot(sni_emitter *e, LLVMValueRef *slot, LLVMValueRef value) {
  if (e->n_undo == e->undo_capacity) {
    const uint32_t capacity = e->undo_capacity ? 2 * e->undo_capacity : 64;
    struct sni_undo *undo = realloc(e->undo, capacity * sizeof(*undo));
    if (!undo) {
      sni_fail_emission(e, "out of memory");
      return;
    }
    e->undo = undo;
    e->undo_capacity = capacity;
  }
  e->undo[e->n_undo++] = (struct sni_undo){slot, *slot};
  *slot = value;
}

// Neighbouring accesses often have one offset and one stride: they share the sum.
typedef struct shared_sum {
  LLVMValueRef from, to;
  sni_extent stride;
} shared_sum;
enum { n_shared = 4 };
typedef struct mover {
  sni_emitter *e;
  LLVMValueRef index;
  shared_sum shared[n_shared];
  int next;
} mover;

static void move_slot(mover *m, LLVMValueRef *slot, sni_extent stride) {
  if (sni_extent_is(stride, 0)) return;
  for (int i = 0; i < n_shared; i++)
    if (m->shared[i].from == *slot && sni_extent_equal(m->shared[i].stride, stride)) {
      set_slot(m->e, slot, m->shared[i].to);
      return;
    }
  LLVMValueRef by = sni_ir_mul(m->e, m->index, sni_emit_extent(m->e, stride));
  LLVMValueRef to = sni_ir_add(m->e, *slot, by);
  m->shared[m->next] = (shared_sum){*slot, to, stride};
  m->next = (m->next + 1) % n_shared;
  set_slot(m->e, slot, to);
}

static void move_access(mover *m, uint32_t number, int depth) {
  const sni_tree_access *access = &sni_tree_accesses(m->e->tree)[number];
  move_slot(m, &m->e->offsets[number], access->stride[depth]);
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const uint32_t r = access->first_range + i;
    move_slot(m, &m->e->forms[r], sni_tree_ranges(m->e->tree)[r].stride[depth]);
  }
}

static void move_contract(mover *m, const sni_contract_item *c, int depth) {
  uint32_t accesses[3];
  const int n = sni_contract_accesses(c, accesses);
  for (int i = 0; i < n; i++) move_access(m, accesses[i], depth);
}

void sni_enter(sni_emitter *e, uint32_t item, LLVMValueRef index, bool lanes) {
  const int depth = sni_item_at(e, item)->depth;
  mover m = {.e = e, .index = index};
  if (!lanes) e->indices[depth] = index;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (sni_kop_has_access((sni_kop)inst->op)) move_access(&m, inst->access, depth);
    if (inst->op != SNI_KOP_CONTRACTION) continue;
    move_contract(&m, &sni_item_at(e, e->inst_facts[i].item)->as.contract, depth);
  }
}

void sni_enter_contract(sni_emitter *e, uint32_t item, LLVMValueRef index) {
  const sni_item *at = sni_item_at(e, item);
  const sni_contract_item *c = &at->as.contract;
  for (uint32_t i = c->n_k; i-- > 0;) {
    mover m = {.e = e, .index = index};
    if (i) {
      LLVMValueRef extent = sni_emit_extent(e, c->k[i]);
      m.index = LLVMBuildURem(e->builder, index, extent, "");
      index = LLVMBuildUDiv(e->builder, index, extent, "");
    }
    move_contract(&m, c, at->depth + (int)i);
  }
}

// ---- values that travel round
static void carry(sni_emitter *e, sni_carried *c, LLVMValueRef *slot, LLVMValueRef initial,
                  uint32_t yield, int vector) {
  if (c->count == c->capacity) {
    const uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
    sni_carried_value *values = realloc(c->values, capacity * sizeof(*values));
    if (!values) {
      sni_fail_emission(e, "out of memory");
      return;
    }
    c->values = values;
    c->capacity = capacity;
  }
  c->values[c->count++] = (sni_carried_value){slot, initial, NULL, yield, vector};
}

void sni_carry_sums(sni_emitter *e, sni_carried *c, uint32_t item) {
  for (uint32_t s = 0; s < e->n_sums; s++) {
    const struct sni_sum *sum = &e->sums[s];
    if (sum->memory || !sni_item_holds(e, item, sum->number)) continue;
    LLVMValueRef *slots = e->values[sum->number].vector;
    for (int i = 0; i < sum->places * sum->width; i++)
      carry(e, c, &slots[i], slots[i], SNI_NO_VALUE, 0);
  }
}

void sni_carry_begin(sni_emitter *e, sni_carried *c, const sni_loop *loop) {
  for (uint32_t i = 0; i < c->count; i++) {
    sni_carried_value *v = &c->values[i];
    v->phi = LLVMBuildPhi(e->builder, LLVMTypeOf(v->initial), "");
    LLVMAddIncoming(v->phi, &v->initial, (LLVMBasicBlockRef *)&loop->before, 1);
    *v->slot = v->phi;
  }
}

void sni_carry_end(sni_emitter *e, sni_carried *c, sni_loop *loop) {
  LLVMValueRef *next = calloc(c->count + 1u, sizeof(*next));
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder);
  if (!next) sni_fail_emission(e, "out of memory");
  for (uint32_t i = 0; i < c->count && next; i++) {
    const sni_carried_value *v = &c->values[i];
    next[i] = v->yield == SNI_NO_VALUE
                  ? *v->slot
                  : sni_operand(e, sni_inst_at(e, v->yield)->operands[0], v->vector);
    LLVMAddIncoming(v->phi, &next[i], &latch, 1);
  }
  sni_loop_end(e, loop, NULL);
  for (uint32_t i = 0; i < c->count && next; i++) {
    const sni_carried_value *v = &c->values[i];
    *v->slot = next[i];
    if (loop->always) continue;
    *v->slot = LLVMBuildPhi(e->builder, LLVMTypeOf(next[i]), "");
    LLVMAddIncoming(*v->slot, &next[i], &latch, 1);
    LLVMAddIncoming(*v->slot, (LLVMValueRef *)&v->initial, &loop->before, 1);
  }
  free(next);
  free(c->values);
  *c = (sni_carried){.count = 0};
}

// ---- CARRY and YIELD of one loop
static uint32_t yield_of(const sni_emitter *e, uint32_t item, uint32_t carry_number) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op == SNI_KOP_YIELD && inst->operands[1] == carry_number) return i;
  }
  return SNI_NO_VALUE;
}

static void carry_values(sni_emitter *e, sni_carried *c, uint32_t item, const sni_group *group) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op != SNI_KOP_CARRY || inst->loop != item) continue;
    const uint32_t yield = yield_of(e, item, i), initial = inst->operands[0];
    sni_value *value = &e->values[i];
    if (!e->is_vector[i]) {
      carry(e, c, &value->scalar, sni_operand(e, initial, -1), yield, -1);
      continue;
    }
    for (int u = group->first; u < group->first + group->count; u++)
      carry(e, c, &value->vector[u], sni_operand(e, initial, u), yield, u);
  }
}

// Splats of carried scalars, behind all phis.
static void splat_carries(sni_emitter *e, uint32_t item) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op == SNI_KOP_CARRY && inst->loop == item && !e->is_vector[i])
      sni_set_scalar(e, i, e->values[i].scalar);
  }
}

// Behind the loop: what the slots of the CARRYs hold is the value of their YIELDs.
static void set_yields(sni_emitter *e, uint32_t item, const sni_group *group) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op != SNI_KOP_YIELD || inst->loop != item) continue;
    const sni_value *from = &e->values[inst->operands[1]];
    e->is_vector[i] = e->is_vector[inst->operands[1]];
    if (!e->is_vector[i]) {
      sni_set_scalar(e, i, from->scalar);
      continue;
    }
    for (int u = group->first; u < group->first + group->count; u++)
      sni_set_vector(e, i, u, from->vector[u]);
  }
}

// ---- loops
sni_span sni_loop_span(sni_emitter *e, uint32_t item) {
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  if (e->item_facts[item].grid) return e->spans[item];
  sni_span span = {sni_ir_i64(e, 0), sni_emit_extent(e, loop->extent)};
  if (loop->strip == SNI_NO_ITEM || sni_tree_known_iterations(e->tree, item) >= 0) return span;
  LLVMValueRef done = sni_ir_mul(e, e->indices[sni_item_at(e, loop->strip)->depth], span.last);
  LLVMValueRef left = LLVMBuildSub(e->builder, sni_emit_extent(e, loop->whole), done, "");
  span.last = sni_ir_min(e, span.last, left);
  return span;
}

static void emit_body(sni_emitter *e, uint32_t item, LLVMValueRef index, const sni_group *group) {
  const uint32_t mark = sni_mark(e);
  sni_enter(e, item, index, false);
  sni_emit_items(e, item + 1, sni_item_at(e, item)->end, group);
  sni_leave(e, mark);
}

// Turns to write out, 0: a loop. last == NULL: one.
static int64_t straight_turns(const sni_emitter *e, uint32_t item, sni_span span,
                              const sni_group *group) {
  int64_t first, last;
  if (!span.last) return 1;
  if (!sni_ir_is_constant(span.first, &first) || !sni_ir_is_constant(span.last, &last)) return 0;
  const int64_t turns = last - first, insts = sni_end_inst(e, item) - sni_first_inst(e, item);
  if (turns == 1 || (e->written_out[item] && sni_is_known_group(group))) return turns;
  const bool short_sum =
      sni_sums_by_place(e, item) && turns > 0 && turns * insts <= longest_unrolled;
  return short_sum ? turns : 0;
}

static void emit_straight(sni_emitter *e, uint32_t item, LLVMValueRef first, int64_t turns,
                          const sni_group *group) {
  int64_t start;
  const int beside = sni_turns_beside(e, item, group);
  if (beside > 1 && turns > 1 && sni_ir_is_constant(first, &start)) {
    for (int64_t i = 0; i < turns; i += beside)
      sni_emit_beside(e, item, start + i, (int)(turns - i < beside ? turns - i : beside), group);
    return;
  }
  for (int64_t i = 0; i < turns; i++)
    emit_body(e, item, sni_ir_add(e, first, sni_ir_i64(e, i)), group);
}

void sni_emit_turns(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group) {
  const int64_t straight = straight_turns(e, item, span, group);
  sni_carried c = {.count = 0};
  sni_loop loop;
  if (straight && sni_item_at(e, item)->as.loop.kind != SNI_LOOP_SEQUENTIAL) {
    emit_straight(e, item, span.first, straight, group);
    return;
  }
  if (!span.last) span.last = sni_ir_add(e, span.first, sni_ir_i64(e, 1));
  sni_carry_sums(e, &c, item);
  carry_values(e, &c, item, group);
  sni_loop_begin(e, &loop, span.first, span.last, sni_ir_i64(e, 1), 0);
  sni_carry_begin(e, &c, &loop);
  splat_carries(e, item);
  emit_body(e, item, loop.index, group);
  sni_carry_end(e, &c, &loop);
  set_yields(e, item, group);
}

// ---- branches: sums that the body takes part in travel through
static void emit_if(sni_emitter *e, uint32_t item, const sni_group *group) {
  LLVMValueRef condition = sni_operand(e, sni_item_at(e, item)->as.condition, -1);
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
  LLVMBasicBlockRef then = sni_ir_block(e, "then"), after = sni_ir_block(e, "after");
  sni_carried c = {.count = 0};
  sni_carry_sums(e, &c, item);
  LLVMBuildCondBr(e->builder, condition, then, after);
  LLVMPositionBuilderAtEnd(e->builder, then);
  sni_emit_items(e, item + 1, sni_item_at(e, item)->end, group);
  LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
  for (uint32_t i = 0; i < c.count; i++) {
    sni_carried_value *v = &c.values[i];
    LLVMValueRef next = *v->slot, phi = LLVMBuildPhi(e->builder, LLVMTypeOf(next), "");
    LLVMAddIncoming(phi, &next, &end, 1);
    LLVMAddIncoming(phi, &v->initial, &before, 1);
    *v->slot = phi;
  }
  free(c.values);
}

static void emit_loop(sni_emitter *e, uint32_t item, const sni_group *group) {
  if (sni_is_product(e, item)) {
    sni_emit_product(e, item);
    return;
  }
  const sni_span span = sni_loop_span(e, item);
  if (sni_tree_schedule(e->tree)[item].lanes)
    sni_emit_lanes(e, item, span);
  else
    sni_emit_summed(e, item, span, group, sni_emit_turns);
}

void sni_emit_items(sni_emitter *e, uint32_t first, uint32_t end, const sni_group *group) {
  for (uint32_t i = first; i < end; i = sni_item_at(e, i)->end) switch (sni_item_at(e, i)->kind) {
      case SNI_ITEM_LOOP:
        emit_loop(e, i, group);
        break;
      case SNI_ITEM_BLOCK:
        sni_emit_block(e, i, group);
        break;
      case SNI_ITEM_CONTRACT:
        sni_emit_contract(e, i, group);
        break;
      case SNI_ITEM_IF:
        emit_if(e, i, group);
        break;
      default:
        break;
    }
}
