// Copies trees item by item; a hook may write something else for an instruction.
//
// Invariant: values and loops get their numbers in order, so operands are known when they are used.
#include "codegen/kernel/tree_copy.h"

static uint32_t copy_access(sni_tree_copier *c, uint32_t number) {
  sni_tree_access access = sni_tree_accesses(c->tree)[number];
  const sni_tree_range *ranges = sni_tree_ranges(c->tree) + access.first_range;
  access.index = sni_tree_copied(c, access.index);
  access.otherwise = sni_tree_copied(c, access.otherwise);
  access.first_range = (uint16_t)c->build.n_ranges;
  for (uint32_t i = 0; i < access.n_ranges; i++) sni_tree_add_range(&c->build, ranges[i]);
  return sni_tree_add_access(&c->build, access);
}

static void copy_inst(sni_tree_copier *c, uint32_t number) {
  sni_tree_inst inst = sni_tree_insts(c->tree)[number];
  const sni_kop op = (sni_kop)inst.op;
  if (c->replace(c, number)) return;
  for (int i = 0; i < sni_kop_infos[op].operands; i++)
    inst.operands[i] = sni_tree_copied(c, inst.operands[i]);
  if (sni_kop_has_access(op)) inst.access = copy_access(c, inst.access);
  if (sni_kop_has_loop(op)) inst.loop = c->items[inst.loop];
  c->values[number] = sni_tree_add_inst(&c->build, inst);
}

static void copy_contract(sni_tree_copier *c, const sni_contract_item *from) {
  sni_contract_item contract = *from;
  contract.lhs = copy_access(c, from->lhs);
  contract.rhs = copy_access(c, from->rhs);
  if (from->from != SNI_NO_VALUE) contract.from = copy_access(c, from->from);
  const sn_dtype dtype = (sn_dtype)sni_tree_insts(c->tree)[from->inst].dtype;
  c->values[from->inst] = sni_tree_add_contract(&c->build, dtype, contract);
}

static void copy_item(sni_tree_copier *c, uint32_t number) {
  const sni_item *item = &sni_tree_items(c->tree)[number];
  switch ((sni_item_kind)item->kind) {
    case SNI_ITEM_LOOP: {
      sni_loop_item loop = item->as.loop;
      if (loop.strip != SNI_NO_ITEM) loop.strip = c->items[loop.strip];
      c->items[number] = sni_tree_open_loop(&c->build, loop, sni_tree_schedule(c->tree)[number]);
      return;
    }
    case SNI_ITEM_BLOCK:
      for (uint32_t i = 0; i < item->as.block.count && !c->build.status; i++)
        copy_inst(c, item->as.block.first + i);
      return;
    case SNI_ITEM_CONTRACT:
      copy_contract(c, &item->as.contract);
      return;
    case SNI_ITEM_IF:
      sni_tree_open_if(&c->build, sni_tree_copied(c, item->as.condition));
      return;
    case SNI_ITEM_BARRIER:
      sni_tree_add_barrier(&c->build);
      return;
    case SNI_ITEM_KINDS:
      return;
  }
}

sn_status sni_tree_copy_begin(sni_tree_copier *c, const sni_tree *tree, sni_arena *arena,
                              sni_diag *diag) {
  c->tree = tree;
  c->values = SNI_ARENA_ARRAY(arena, uint32_t, tree->n_insts + 1);
  c->items = SNI_ARENA_ARRAY(arena, uint32_t, tree->n_items + 1);
  if (!c->values || !c->items)
    return sni_fail_memory(diag, (tree->n_insts + tree->n_items) * sizeof(uint32_t), "a kernel");
  sni_tree_begin(&c->build, arena, diag, sni_tree_name(tree));
  c->build.n_params = tree->n_params;
  for (uint32_t i = 0; i < tree->n_buffers && !c->build.status; i++) {
    sni_tree_add_buffer(&c->build, sni_tree_buffers(tree)[i]);
    if (!c->build.status) c->build.streamed[i] = sni_tree_streamed(tree)[i];
  }
  return c->build.status;
}

sn_status sni_tree_copy_finish(sni_tree_copier *c, sni_tree **out_tree) {
  const sni_item *items = sni_tree_items(c->tree);
  uint32_t open[SNI_COUNT_OF(c->build.open)], n_open = 0;
  for (uint32_t i = 0; i <= c->tree->n_items && !c->build.status; i++) {
    for (; n_open && open[n_open - 1] == i; n_open--) sni_tree_close(&c->build);
    if (i == c->tree->n_items) break;
    copy_item(c, i);
    if (items[i].kind == SNI_ITEM_LOOP || items[i].kind == SNI_ITEM_IF)
      open[n_open++] = items[i].end;
  }
  for (uint32_t i = 0; i < c->tree->n_buffers && !c->build.status; i++)
    if (c->build.buffers[i].scope != SNI_NO_ITEM)
      c->build.buffers[i].scope = c->items[c->build.buffers[i].scope];
  return sni_tree_finish(&c->build, out_tree);
}
