// Fuzzes the parser of kernel text: whatever the bytes, parsing ends in a status; what it accepts
// prints to a text that parses to the same bytes.
#include "codegen/kernel/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag;
  sni_tree *tree, *again;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
  const sn_status status = sni_tree_parse(&arena, &diag, (const char *)data, size, &tree);
  require(status == SN_OK || (status == SN_ERR_SYNTAX && diag.text[0]));
  if (!status) {
    sni_text text;
    char *printed;
    sni_text_init(&text, &allocator);
    sni_tree_print(tree, &text);
    require(sni_text_take(&text, &diag, &printed) == SN_OK);
    require(sni_tree_parse(&arena, &diag, printed, strlen(printed), &again) == SN_OK);
    require(again->bytes == tree->bytes && !memcmp(again, tree, tree->bytes));
    sni_free(&allocator, printed, strlen(printed) + 1);
  }
  sni_arena_deinit(&arena);
  require(allocator.bytes == 0);
  return 0;
}
