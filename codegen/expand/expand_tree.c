// Scalar expansion of trees: MATH operations become CORE ones where they stand; loops, accesses and
// schedule stay as they are.
//
// Constants that expansions need are made once, at the beginning of the kernel, where every loop
// sees them; what they are is found by a rehearsal, for values get their numbers in order.
#include "codegen/expand/expand.h"

#include <string.h>

typedef struct rewriter {
  sni_expander x;
  const sni_tree *tree;
  sni_tree_builder b;
  sni_value *values;  // new number of each value
  uint32_t *items;    // and of each loop
} rewriter;

// ---- rehearsal

static bool is_math(const sni_tree_inst *inst) {
  return sni_kop_infos[inst->op].math;
}

static bool has_math(const sni_tree *tree) {
  for (uint32_t i = 0; i < tree->n_insts; i++)
    if (is_math(&sni_tree_insts(tree)[i])) return true;
  return false;
}

// Expands into a tree that nobody needs; x->constants are the constants that it took.
static void rehearse(sni_expander *x, const sni_tree *tree) {
  const sni_tree_inst *insts = sni_tree_insts(tree);
  bool seen[SNI_KOP_COUNT][SN_DTYPE_COUNT] = {{false}};
  for (uint32_t i = 0; i < tree->n_insts && !x->status; i++) {
    const sni_tree_inst *inst = &insts[i];
    if (!is_math(inst)) continue;
    // An integer power depends on its exponent.
    const bool same = seen[inst->op][inst->dtype] && inst->op != SNI_KOP_POW;
    seen[inst->op][inst->dtype] = true;
    if (same) continue;
    sni_value operands[3] = {0};
    for (int o = 0; o < sni_kop_infos[inst->op].operands; o++) {
      const sni_tree_inst *operand = &insts[inst->operands[o]];
      sni_tree_inst stand_in = {.op = SNI_KOP_NONE, .dtype = operand->dtype};
      if (operand->op == SNI_KOP_CONST) stand_in = *operand;
      operands[o] = sni_tree_add_inst(x->tree, stand_in);
    }
    x->status = x->tree->status;
    if (!x->status) sni_expand_math(x, (sni_kop)inst->op, (sn_dtype)inst->dtype, operands);
  }
}

// ---- the copy

static sni_value mapped(const rewriter *r, uint32_t value) {
  return value == SNI_NO_VALUE ? value : r->values[value];
}

static uint32_t copy_access(rewriter *r, uint32_t number) {
  sni_tree_access access = sni_tree_accesses(r->tree)[number];
  const sni_tree_range *ranges = sni_tree_ranges(r->tree) + access.first_range;
  access.index = mapped(r, access.index);
  access.otherwise = mapped(r, access.otherwise);
  access.first_range = (uint16_t)r->b.n_ranges;
  for (uint32_t i = 0; i < access.n_ranges; i++) sni_tree_add_range(&r->b, ranges[i]);
  return sni_tree_add_access(&r->b, access);
}

// A constant of the first BLOCK that the expansions made already.
static bool is_made(const rewriter *r, const sni_tree_inst *inst, sni_value *out_value) {
  for (uint32_t i = 0; inst->op == SNI_KOP_CONST && i < r->x.n_constants; i++) {
    const sni_tree_inst *made = &r->b.insts[r->x.constants[i]];
    *out_value = r->x.constants[i];
    if (made->dtype == inst->dtype && made->imm.words[0] == inst->imm.words[0]) return true;
  }
  return false;
}

static void copy_inst(rewriter *r, uint32_t number, bool first_block) {
  sni_tree_inst inst = sni_tree_insts(r->tree)[number];
  const sni_kop op = (sni_kop)inst.op;
  if (first_block && is_made(r, &inst, &r->values[number])) return;
  for (int i = 0; i < sni_kop_infos[op].operands; i++)
    inst.operands[i] = mapped(r, inst.operands[i]);
  if (is_math(&inst)) {
    r->values[number] = sni_expand_math(&r->x, op, (sn_dtype)inst.dtype, inst.operands);
    return;
  }
  if (sni_kop_has_access(op)) inst.access = copy_access(r, inst.access);
  if (sni_kop_has_loop(op)) inst.loop = r->items[inst.loop];
  r->values[number] = sni_tree_add_inst(&r->b, inst);
}

static void copy_contract(rewriter *r, const sni_contract_item *from) {
  sni_contract_item contract = *from;
  contract.lhs = copy_access(r, from->lhs);
  contract.rhs = copy_access(r, from->rhs);
  const sn_dtype dtype = (sn_dtype)sni_tree_insts(r->tree)[from->inst].dtype;
  r->values[from->inst] = sni_tree_add_contract(&r->b, dtype, contract);
}

static void copy_item(rewriter *r, uint32_t number) {
  const sni_item *item = &sni_tree_items(r->tree)[number];
  switch ((sni_item_kind)item->kind) {
    case SNI_ITEM_LOOP: {
      sni_loop_item loop = item->as.loop;
      if (loop.strip != SNI_NO_ITEM) loop.strip = r->items[loop.strip];
      r->items[number] = sni_tree_open_loop(&r->b, loop, sni_tree_schedule(r->tree)[number]);
      return;
    }
    case SNI_ITEM_BLOCK:
      for (uint32_t i = 0; i < item->as.block.count && !r->b.status; i++)
        copy_inst(r, item->as.block.first + i, number == 0);
      return;
    case SNI_ITEM_CONTRACT:
      copy_contract(r, &item->as.contract);
      return;
    case SNI_ITEM_IF:
      sni_tree_open_if(&r->b, mapped(r, item->as.condition));
      return;
    case SNI_ITEM_BARRIER:
      sni_tree_add_barrier(&r->b);
      return;
    case SNI_ITEM_KINDS:
      return;
  }
}

static void copy_items(rewriter *r) {
  const sni_item *items = sni_tree_items(r->tree);
  uint32_t open[SNI_COUNT_OF(r->b.open)], n_open = 0;
  for (uint32_t i = 0; i <= r->tree->n_items && !r->b.status; i++) {
    for (; n_open && open[n_open - 1] == i; n_open--) sni_tree_close(&r->b);
    if (i == r->tree->n_items) return;
    copy_item(r, i);
    if (items[i].kind == SNI_ITEM_LOOP || items[i].kind == SNI_ITEM_IF)
      open[n_open++] = items[i].end;
  }
}

static void add_constants(rewriter *r, const sni_tree_builder *rehearsal) {
  for (uint32_t i = 0; i < r->x.n_constants; i++)
    r->x.constants[i] = sni_tree_add_inst(&r->b, rehearsal->insts[r->x.constants[i]]);
}

static sn_status rewrite(rewriter *r, sni_tree **out_tree) {
  const sni_tree *tree = r->tree;
  sni_tree_builder rehearsal;
  sni_tree_begin(&rehearsal, r->x.arena, r->x.diag, sni_tree_name(tree));
  r->x.tree = &rehearsal;
  rehearse(&r->x, tree);
  if (r->x.status) return r->x.status;
  sni_tree_begin(&r->b, r->x.arena, r->x.diag, sni_tree_name(tree));
  r->b.n_params = tree->n_params;
  r->x.tree = &r->b;
  for (uint32_t i = 0; i < tree->n_buffers && !r->b.status; i++) {
    sni_tree_add_buffer(&r->b, sni_tree_buffers(tree)[i]);
    if (!r->b.status) r->b.streamed[i] = sni_tree_streamed(tree)[i];
  }
  add_constants(r, &rehearsal);
  copy_items(r);
  for (uint32_t i = 0; i < tree->n_buffers && !r->b.status; i++)
    if (r->b.buffers[i].scope != SNI_NO_ITEM)
      r->b.buffers[i].scope = r->items[r->b.buffers[i].scope];
  if (r->x.status) return r->x.status;
  return sni_tree_finish(&r->b, out_tree);
}

sn_status sni_tree_expand(const sni_tree *tree, sni_arena *arena, sni_diag *diag,
                          sni_tree **out_tree) {
  if (!has_math(tree)) {
    *out_tree = sni_arena_copy(arena, tree, tree->bytes);
    return *out_tree ? SN_OK : sni_fail_memory(diag, tree->bytes, "a kernel");
  }
  rewriter r = {.x = {.arena = arena, .diag = diag}, .tree = tree};
  r.values = SNI_ARENA_ARRAY(arena, sni_value, tree->n_insts);
  r.items = SNI_ARENA_ARRAY(arena, uint32_t, tree->n_items);
  if (!r.values || !r.items)
    return sni_fail_memory(diag, (tree->n_insts + tree->n_items) * sizeof(uint32_t), "a kernel");
  return rewrite(&r, out_tree);
}
