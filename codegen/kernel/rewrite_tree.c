// Trees that are copied with changes: the walk that rewrites share.
//
// Invariant: loops, their schedule, accesses and the order of instructions stay; values and items
// are renumbered, for what is added moves them.
#include "codegen/kernel/rewrite_tree.h"

static uint32_t mapped(const sni_tree_rewriter *r, uint32_t value) {
  return value == SNI_NO_VALUE ? value : r->values[value];
}

static uint32_t copy_access(sni_tree_rewriter *r, uint32_t number) {
  sni_tree_access access = sni_tree_accesses(r->tree)[number];
  const sni_tree_range *ranges = sni_tree_ranges(r->tree) + access.first_range;
  access.index = mapped(r, access.index);
  access.otherwise = mapped(r, access.otherwise);
  access.first_range = (uint16_t)r->b.n_ranges;
  for (uint32_t i = 0; i < access.n_ranges; i++) sni_tree_add_range(&r->b, ranges[i]);
  return sni_tree_add_access(&r->b, access);
}

static void copy_inst(sni_tree_rewriter *r, uint32_t number) {
  sni_tree_inst inst = sni_tree_insts(r->tree)[number];
  const sni_kop op = (sni_kop)inst.op;
  for (int i = 0; i < sni_kop_infos[op].operands; i++)
    inst.operands[i] = mapped(r, inst.operands[i]);
  if (r->replace(r, number, &inst, &r->values[number])) return;
  if (sni_kop_has_access(op)) inst.access = copy_access(r, inst.access);
  if (sni_kop_has_loop(op)) inst.loop = r->items[inst.loop];
  r->values[number] = sni_tree_add_inst(&r->b, inst);
}

static void copy_contract(sni_tree_rewriter *r, const sni_contract_item *from) {
  sni_contract_item contract = *from;
  contract.lhs = copy_access(r, from->lhs);
  contract.rhs = copy_access(r, from->rhs);
  const sn_dtype dtype = (sn_dtype)sni_tree_insts(r->tree)[from->inst].dtype;
  r->values[from->inst] = sni_tree_add_contract(&r->b, dtype, contract);
}

static void copy_item(sni_tree_rewriter *r, uint32_t number) {
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
        copy_inst(r, item->as.block.first + i);
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

static void copy_items(sni_tree_rewriter *r) {
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

sn_status sni_tree_rewrite_begin(sni_tree_rewriter *r, const sni_tree *tree, sni_arena *arena,
                                 sni_diag *diag) {
  r->tree = tree;
  r->values = SNI_ARENA_ARRAY(arena, uint32_t, tree->n_insts);
  r->items = SNI_ARENA_ARRAY(arena, uint32_t, tree->n_items);
  if (!r->values || !r->items)
    return sni_fail_memory(diag, (tree->n_insts + tree->n_items) * sizeof(uint32_t), "a kernel");
  sni_tree_begin(&r->b, arena, diag, sni_tree_name(tree));
  r->b.n_params = tree->n_params;
  for (uint32_t i = 0; i < tree->n_buffers && !r->b.status; i++) {
    sni_tree_add_buffer(&r->b, sni_tree_buffers(tree)[i]);
    if (!r->b.status) r->b.streamed[i] = sni_tree_streamed(tree)[i];
  }
  return r->b.status;
}

sn_status sni_tree_rewrite_finish(sni_tree_rewriter *r, sni_tree **out_tree) {
  copy_items(r);
  for (uint32_t i = 0; i < r->tree->n_buffers && !r->b.status; i++)
    if (r->b.buffers[i].scope != SNI_NO_ITEM)
      r->b.buffers[i].scope = r->items[r->b.buffers[i].scope];
  return sni_tree_finish(&r->b, out_tree);
}
