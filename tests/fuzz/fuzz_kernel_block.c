// Fuzzes the verifier of kernel blocks, as they may come from a file: whatever the bytes, they are
// refused or sound enough for every walker: facts, units, identity, text that parses to the same
// bytes, expansion that is sound again.
//
// The input is a block; or a kernel's text, a zero byte and changes to the block that it parses to,
// of 3 bytes each: offset, high and low byte, and what to add there.
#include "codegen/kernel/facts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) __builtin_trap();
}

static void check_text(const sni_tree *tree, sni_allocator *allocator, sni_arena *arena) {
  sni_diag diag;
  sni_tree *again;
  sni_text text;
  char *printed;
  sni_diag_clear(&diag);
  sni_text_init(&text, allocator);
  sni_tree_print(tree, &text);
  require(sni_text_take(&text, &diag, &printed) == SN_OK);
  require(sni_tree_parse(arena, &diag, printed, strlen(printed), &again) == SN_OK);
  require(again->bytes == tree->bytes && !memcmp(again, tree, tree->bytes));
  require(sni_tree_equal(again, tree, true));
  require(sni_tree_hash(again, false) == sni_tree_hash(tree, false));
  sni_free(allocator, printed, strlen(printed) + 1);
}

static void check_facts(const sni_tree *tree, sni_arena *arena) {
  sni_inst_facts *insts = SNI_ARENA_ARRAY(arena, sni_inst_facts, tree->n_insts);
  sni_item_facts *items = SNI_ARENA_ARRAY(arena, sni_item_facts, tree->n_items);
  require(insts && items);
  sni_tree_find_facts(tree, insts, items);
  for (uint32_t i = 0; i < tree->n_insts; i++)
    require(insts[i].item < tree->n_items && insts[i].last_use < tree->n_insts &&
            insts[i].varies >> sni_tree_items(tree)[insts[i].item].depth == 0);
}

// The block in memory of its exact size, so that a sanitizer sees a read behind it.
static sni_tree *make_block(const uint8_t *data, size_t size, sni_arena *arena, size_t *out_bytes) {
  const uint8_t *zero = size > 6 && !memcmp(data, "kernel", 6) ? memchr(data, 0, size) : NULL;
  const size_t length = zero ? (size_t)(zero - data) : 0;
  sni_tree *parsed = NULL;
  if (zero && sni_tree_parse(arena, NULL, (const char *)data, length, &parsed)) return NULL;
  *out_bytes = zero ? parsed->bytes : size;
  uint8_t *block = malloc(*out_bytes ? *out_bytes : 1);
  require(block != NULL);
  if (*out_bytes) memcpy(block, zero ? (const void *)parsed : data, *out_bytes);
  for (size_t i = length + 1; zero && i + 3 <= size; i += 3)
    block[(size_t)(data[i] << 8 | data[i + 1]) % *out_bytes] += data[i + 2];
  return (sni_tree *)(void *)block;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int64_t params[64] = {3, 0, 1, 1000};
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
  size_t bytes = 0;
  sni_tree *tree = make_block(data, size, &arena, &bytes);
  const sn_status status = tree ? sni_tree_verify(tree, bytes, &diag) : SN_ERR_INTERNAL;
  require(!tree || status == SN_OK || (status == SN_ERR_INTERNAL && diag.text[0]));
  if (!status) {
    sni_tree *expanded;
    check_text(tree, &allocator, &arena);
    check_facts(tree, &arena);
    if (tree->n_params <= SNI_COUNT_OF(params))
      require(sni_tree_units(tree, SNI_NO_ITEM, params) >= 0);
    require(sni_tree_expand(tree, &arena, &diag, &expanded) == SN_OK);
    require(sni_tree_verify(expanded, expanded->bytes, &diag) == SN_OK);
  }
  free(tree);
  sni_arena_deinit(&arena);
  require(allocator.bytes == 0);
  return 0;
}
