// Turns of a short loop that are written out side by side: each instruction for all of them before
// the next one, so that their chains overlap.
//
// Invariant: the loop holds blocks alone and its iterations hand nothing to one another but to sums,
// which still take them in their order. Place: emit_loop.c asks where it writes turns out.
#include "codegen/llvm/emit_walk.h"

#include <stdlib.h>

// Operations of an iteration below which the machine overlaps them itself.
enum { shortest_chain = 12 };

typedef struct beside {
  uint32_t item, first, insts;
  int vectors;  // of the group
  // [turn][instruction]
  sni_value *values;
  LLVMValueRef *vectors_of;  // [turn][instruction][vector of the group]
} beside;

int sni_turns_beside(const sni_emitter *e, uint32_t item, const sni_group *group) {
  const int chains = (e->avx512 ? 32 : 16) / 4;
  if (!e->written_out[item] || !group || sni_count_operations(e, item) < shortest_chain) return 1;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_kop op = (sni_kop)sni_inst_at(e, i)->op;
    if (op == SNI_KOP_UPDATE || op == SNI_KOP_CHECK_INDEX) return 1;
  }
  return group->count < chains ? chains / group->count : 1;
}

static bool is_kept(const sni_emitter *e, const beside *b, uint32_t value) {
  return value != SNI_NO_VALUE && value >= b->first && value < b->first + b->insts &&
         sni_inst_at(e, value)->op != SNI_KOP_REDUCE;
}

// Between the emitter and what is kept of a turn.
static void move_value(sni_emitter *e, beside *b, const sni_group *group, int turn, uint32_t value,
                       bool keep) {
  if (!is_kept(e, b, value)) return;
  const size_t at = (size_t)turn * b->insts + (value - b->first);
  sni_value *now = &e->values[value], *kept = &b->values[at];
  LLVMValueRef *vectors = &b->vectors_of[at * (size_t)b->vectors];
  if (keep) *kept = *now;
  if (!keep) now->scalar = kept->scalar;
  if (!keep) now->splat = kept->splat;
  for (int u = 0; u < b->vectors && e->is_vector[value]; u++) {
    if (keep) vectors[u] = now->vector[group->first + u];
    if (!keep) now->vector[group->first + u] = vectors[u];
  }
}

static void restore_operands(sni_emitter *e, beside *b, const sni_group *group, int turn,
                             uint32_t number) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  for (int o = 0; o < sni_kop_infos[inst->op].operands; o++)
    move_value(e, b, group, turn, inst->operands[o], false);
  if (!sni_kop_has_access((sni_kop)inst->op)) return;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
  move_value(e, b, group, turn, access->index, false);
  move_value(e, b, group, turn, access->otherwise, false);
}

static void emit_one(sni_emitter *e, beside *b, const sni_group *group, int turn, int64_t index,
                     uint32_t number) {
  const sni_kop op = (sni_kop)sni_inst_at(e, number)->op;
  const bool at_index = sni_kop_has_access(op) || op == SNI_KOP_INDEX || op == SNI_KOP_REDUCE;
  const uint32_t mark = sni_mark(e);
  if (at_index) sni_enter(e, b->item, sni_ir_i64(e, index), false);
  restore_operands(e, b, group, turn, number);
  sni_emit_value(e, number, group);
  move_value(e, b, group, turn, number, true);
  sni_leave(e, mark);
}

void sni_emit_beside(sni_emitter *e, uint32_t item, int64_t start, int turns,
                     const sni_group *group) {
  beside b = {.item = item,
              .first = sni_first_inst(e, item),
              .insts = sni_end_inst(e, item) - sni_first_inst(e, item),
              .vectors = group->count};
  const size_t cells = (size_t)turns * b.insts;
  b.values = calloc(cells + 1, sizeof(*b.values));
  b.vectors_of = calloc(cells * (size_t)b.vectors + 1, sizeof(LLVMValueRef));
  if (!b.values || !b.vectors_of) sni_fail_emission(e, "out of memory");
  for (uint32_t i = 0; i < b.insts && b.values && b.vectors_of; i++)
    for (int turn = 0; turn < turns; turn++)
      emit_one(e, &b, group, turn, start + turn, b.first + i);
  free(b.values);
  free(b.vectors_of);
}
