// Scalar expansion of trees: MATH operations become CORE ones where they stand; loops, accesses and
// schedule stay as they are.
//
// Constants that expansions need are made once, at the beginning of the kernel, where every loop
// sees them; what they are is found by a rehearsal, for values get their numbers in order.
#include "codegen/expand/expand.h"
#include "codegen/kernel/tree_copy.h"

#include <string.h>

typedef struct rewriter {
  sni_expander x;
  sni_tree_copier copy;
  sni_expand_keeps keeps;
} rewriter;

// ---- rehearsal

static bool is_expanded(const sni_tree_inst *inst, sni_expand_keeps keeps) {
  return sni_kop_infos[inst->op].math &&
         !(keeps && keeps((sni_kop)inst->op, (sn_dtype)inst->dtype));
}

static bool has_expanded(const sni_tree *tree, sni_expand_keeps keeps) {
  for (uint32_t i = 0; i < tree->n_insts; i++)
    if (is_expanded(&sni_tree_insts(tree)[i], keeps)) return true;
  return false;
}

// Expands into a tree that nobody needs; x->constants are the constants that it took.
static void rehearse(sni_expander *x, const sni_tree *tree, sni_expand_keeps keeps) {
  const sni_tree_inst *insts = sni_tree_insts(tree);
  bool seen[SNI_KOP_COUNT][SN_DTYPE_COUNT] = {{false}};
  for (uint32_t i = 0; i < tree->n_insts && !x->status; i++) {
    const sni_tree_inst *inst = &insts[i];
    if (!is_expanded(inst, keeps)) continue;
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

// A constant of the first BLOCK that the expansions made already.
static bool is_made(const rewriter *r, const sni_tree_inst *inst, sni_value *out_value) {
  for (uint32_t i = 0; inst->op == SNI_KOP_CONST && i < r->x.n_constants; i++) {
    const sni_tree_inst *made = &r->copy.build.insts[r->x.constants[i]];
    if (made->dtype != inst->dtype || made->imm.words[0] != inst->imm.words[0]) continue;
    *out_value = r->x.constants[i];
    return true;
  }
  return false;
}

static bool is_in_first_block(const sni_tree *tree, uint32_t number) {
  const sni_item *first = sni_tree_items(tree);
  return first->kind == SNI_ITEM_BLOCK && number < first->as.block.count;
}

static bool replace(sni_tree_copier *copy, uint32_t number) {
  rewriter *r = copy->user;
  const sni_tree_inst *inst = &sni_tree_insts(copy->tree)[number];
  if (is_in_first_block(copy->tree, number) && is_made(r, inst, &copy->values[number])) return true;
  if (!is_expanded(inst, r->keeps)) return false;
  sni_value operands[3];
  for (int i = 0; i < 3; i++) operands[i] = sni_tree_copied(copy, inst->operands[i]);
  copy->values[number] = sni_expand_math(&r->x, (sni_kop)inst->op, (sn_dtype)inst->dtype, operands);
  return true;
}

static void add_constants(rewriter *r, const sni_tree_builder *rehearsal) {
  for (uint32_t i = 0; i < r->x.n_constants; i++)
    r->x.constants[i] = sni_tree_add_inst(&r->copy.build, rehearsal->insts[r->x.constants[i]]);
}

sn_status sni_tree_expand_but(const sni_tree *tree, sni_expand_keeps keeps, sni_arena *arena,
                              sni_diag *diag, sni_tree **out_tree) {
  if (!has_expanded(tree, keeps)) {
    *out_tree = sni_arena_copy(arena, tree, tree->bytes);
    return *out_tree ? SN_OK : sni_fail_memory(diag, tree->bytes, "a kernel");
  }
  rewriter r = {.x = {.arena = arena, .diag = diag}, .copy = {.replace = replace}, .keeps = keeps};
  sni_tree_builder rehearsal;
  r.copy.user = &r;
  sni_tree_begin(&rehearsal, arena, diag, sni_tree_name(tree));
  r.x.tree = &rehearsal;
  rehearse(&r.x, tree, keeps);
  if (r.x.status) return r.x.status;
  SNI_TRY(sni_tree_copy_begin(&r.copy, tree, arena, diag));
  r.x.tree = &r.copy.build;
  add_constants(&r, &rehearsal);
  const sn_status status = sni_tree_copy_finish(&r.copy, out_tree);
  return r.x.status ? r.x.status : status;
}

sn_status sni_tree_expand(const sni_tree *tree, sni_arena *arena, sni_diag *diag,
                          sni_tree **out_tree) {
  return sni_tree_expand_but(tree, NULL, arena, diag, out_tree);
}
