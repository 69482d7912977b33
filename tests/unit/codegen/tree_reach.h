// How large the buffers of a tree written by hand are: up to the last element that its accesses
// reach.
#ifndef SNI_TESTS_TREE_REACH_H
#define SNI_TESTS_TREE_REACH_H

#include "tests/unit/codegen/tree_cases.h"
#include "tests/unit/codegen/tree_harness.h"

// In the arena; ends the test where the text is no tree.
static SNI_UNUSED sni_tree *tree_of_case(const char *text, bool faults, sni_arena *arena) {
  static char whole[1 << 16];
  sni_diag diag = {0};
  sni_tree *tree = NULL;
  const int length = snprintf(whole, sizeof(whole), "kernel hand params 8%s { %s }",
                              faults ? " faults" : "", text);
  ck_assert_int_lt(length, (int)sizeof(whole));
  const sn_status status = sni_tree_parse(arena, &diag, whole, (size_t)length, &tree);
  ck_assert_msg(status == SN_OK, "%s\n%s", diag.text, text);
  return tree;
}

// Elements of a buffer up to the last that an access without ranges reaches.
static size_t tree_reached(const sni_tree *tree, const sni_tree_access *access, uint32_t item,
                           unsigned depth, const int64_t *params) {
  int64_t most = sni_extent_value(access->offset, params);
  const sni_item *items = sni_tree_items(tree);
  if (items[item].kind == SNI_ITEM_CONTRACT) {
    const sni_contract_item *c = &items[item].as.contract;
    for (uint32_t a = 0; a < c->n_k; a++) {
      const int64_t k = sni_extent_value(c->k[a], params);
      const int64_t stride = sni_extent_value(access->stride[depth + a], params);
      if (stride > 0 && k > 0) most += (k - 1) * stride;
    }
  }
  for (uint32_t i = items[item].parent; i != SNI_NO_ITEM; i = items[i].parent) {
    if (items[i].kind != SNI_ITEM_LOOP) continue;
    const int64_t trips = sni_extent_value(items[i].as.loop.extent, params);
    const int64_t stride = sni_extent_value(access->stride[items[i].depth], params);
    if (stride > 0 && trips > 0) most += (trips - 1) * stride;
  }
  return (size_t)(most + 1);
}

static void tree_reach(random_tree *r, uint32_t access_number, uint32_t item) {
  const sni_tree_access *access = &sni_tree_accesses(r->tree)[access_number];
  const size_t count =
      tree_reached(r->tree, access, item, sni_tree_items(r->tree)[item].depth, r->params);
  if (count > r->elements[access->buffer]) r->elements[access->buffer] = count;
}

static SNI_UNUSED void tree_find_elements(random_tree *r) {
  const sni_tree *tree = r->tree;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    const sni_item *item = &sni_tree_items(tree)[i];
    if (item->kind == SNI_ITEM_CONTRACT) {
      uint32_t accesses[3];
      for (int k = sni_contract_accesses(&item->as.contract, accesses); k-- > 0;)
        tree_reach(r, accesses[k], i);
    }
    for (uint32_t k = 0; item->kind == SNI_ITEM_BLOCK && k < item->as.block.count; k++) {
      const sni_tree_inst *inst = &sni_tree_insts(tree)[item->as.block.first + k];
      if (sni_kop_has_access((sni_kop)inst->op)) tree_reach(r, inst->access, i);
    }
  }
}

static SNI_UNUSED random_tree tree_from_case(const tree_case *c, sni_arena *arena) {
  random_tree r = {.tree = tree_of_case(c->text, c->faults, arena)};
  for (int i = 0; i < random_buffers; i++) r.same_as[i] = -1;
  memcpy(r.params, c->params, sizeof(c->params));
  tree_find_elements(&r);
  for (size_t i = 0; i < SNI_COUNT_OF(c->elements); i++)
    if (c->elements[i]) r.elements[i] = c->elements[i];
  return r;
}

#endif
