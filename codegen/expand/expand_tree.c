// Scalar expansion of trees: MATH operations become CORE ones where they stand; loops, accesses and
// schedule stay as they are.
//
// Constants that expansions need are made once, at the beginning of the kernel, where every loop
// sees them; what they are is found by a rehearsal, for values get their numbers in order.
#include "codegen/expand/expand.h"
#include "codegen/kernel/rewrite_tree.h"

#include <string.h>

typedef struct expansion {
  sni_expander x;
  sni_tree_rewriter r;
} expansion;

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

// Of the first BLOCK, where the constants of the expansions are made.
static bool stands_first(const sni_tree *tree, uint32_t number) {
  const sni_item *first = &sni_tree_items(tree)[0];
  return first->kind == SNI_ITEM_BLOCK && number < first->as.block.count;
}

// A constant that the expansions made already.
static bool is_made(const expansion *e, const sni_tree_inst *inst, sni_value *out_value) {
  for (uint32_t i = 0; inst->op == SNI_KOP_CONST && i < e->x.n_constants; i++) {
    const sni_tree_inst *made = &e->r.b.insts[e->x.constants[i]];
    *out_value = e->x.constants[i];
    if (made->dtype == inst->dtype && made->imm.words[0] == inst->imm.words[0]) return true;
  }
  return false;
}

static bool expand_inst(sni_tree_rewriter *r, uint32_t number, const sni_tree_inst *inst,
                        uint32_t *out_value) {
  expansion *e = r->user;
  if (stands_first(r->tree, number) && is_made(e, inst, out_value)) return true;
  if (!is_math(inst)) return false;
  *out_value = sni_expand_math(&e->x, (sni_kop)inst->op, (sn_dtype)inst->dtype, inst->operands);
  return true;
}

static sn_status expand(expansion *e, const sni_tree *tree, sni_tree **out_tree) {
  sni_tree_builder rehearsal;
  sni_tree_begin(&rehearsal, e->x.arena, e->x.diag, sni_tree_name(tree));
  e->x.tree = &rehearsal;
  rehearse(&e->x, tree);
  if (e->x.status) return e->x.status;
  e->r.replace = expand_inst;
  e->r.user = e;
  SNI_TRY(sni_tree_rewrite_begin(&e->r, tree, e->x.arena, e->x.diag));
  e->x.tree = &e->r.b;
  for (uint32_t i = 0; i < e->x.n_constants; i++)
    e->x.constants[i] = sni_tree_add_inst(&e->r.b, rehearsal.insts[e->x.constants[i]]);
  const sn_status status = sni_tree_rewrite_finish(&e->r, out_tree);
  return e->x.status ? e->x.status : status;
}

sn_status sni_tree_expand(const sni_tree *tree, sni_arena *arena, sni_diag *diag,
                          sni_tree **out_tree) {
  if (!has_math(tree)) {
    *out_tree = sni_arena_copy(arena, tree, tree->bytes);
    return *out_tree ? SN_OK : sni_fail_memory(diag, tree->bytes, "a kernel");
  }
  expansion e = {.x = {.arena = arena, .diag = diag}};
  return expand(&e, tree, out_tree);
}
