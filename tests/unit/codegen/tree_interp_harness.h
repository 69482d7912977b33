// Runs a tree in the interpreter, once per instruction set that the CPU has and with units cut in
// several ways, in scratch of exactly the size asked for, and compares every byte of its buffers
// with the model's.
#ifndef SNI_TESTS_TREE_INTERP_HARNESS_H
#define SNI_TESTS_TREE_INTERP_HARNESS_H

#include "codegen/interp/flat.h"
#include "tests/unit/codegen/tree_harness.h"

static SNI_UNUSED int tree_blocks(const sni_blocks **out) {
  int n = 0;
  out[n++] = &sni_interp_blocks_baseline;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    out[n++] = &sni_interp_blocks_avx2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    out[n++] = &sni_interp_blocks_avx512;
#endif
  return n;
}

// All units in calls of at most `chunk` units of one phase.
static void tree_call(const sni_tree *tree, const sni_interp_code *code, void *const *buffers,
                      const int64_t *params, int64_t chunk, void *scratch) {
  const sni_item *items = sni_tree_items(tree);
  int64_t begin = 0, phase_end = 0;
  for (uint32_t i = 0; i < tree->n_items; i = items[i].end) {
    if (items[i].kind == SNI_ITEM_LOOP) phase_end += sni_tree_units(tree, i, params);
    if (items[i].kind != SNI_ITEM_BARRIER && items[i].end < tree->n_items) continue;
    while (begin < phase_end) {
      const int64_t end = phase_end - begin < chunk ? phase_end : begin + chunk;
      sni_interp_run(code, buffers, params, begin, end, scratch);
      begin = end;
    }
  }
}

// Returns the fault.
static bool tree_interpret(const sni_tree *tree, const sni_blocks *blocks, void *const *buffers,
                           const int64_t *params, int64_t chunk) {
  sni_allocator allocator;
  sni_diag diag;
  sni_interp_code *code = NULL;
  sni_diag_clear(&diag);
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_msg(sni_interp_prepare_with(tree, blocks, &allocator, &diag, &code) == SN_OK, "%s",
                diag.text);
  const size_t bytes = sni_interp_scratch_bytes(code);
  char *scratch = aligned_alloc(64, bytes);
  memset(scratch, 0xA5, bytes);  // kernels must not rely on what is there
  memset(scratch, 0, sizeof(sni_scratch_header));
  tree_call(tree, code, buffers, params, chunk, scratch);
  const bool fault = ((sni_scratch_header *)(void *)scratch)->fault != 0;
  free(scratch);
  sni_interp_release(code, &allocator);
  ck_assert_uint_eq(allocator.bytes, 0);
  return fault;
}

// what: for messages.
static SNI_UNUSED void tree_check_interp(const random_tree *r, uint64_t seed, sni_arena *arena,
                                         const char *what) {
  const sni_tree *expanded = tree_expand(r->tree, arena);
  const sni_blocks *blocks[3];
  const int n_blocks = tree_blocks(blocks);
  tree_data start = tree_make_data(r, seed), want = tree_copy_data(&start);
  const tree_result result = tree_model_run(expanded, want.memory, r->elements, r->params);
  const int64_t units = sni_tree_units(expanded, SNI_NO_ITEM, r->params);
  const int64_t chunks[3] = {units > 0 ? units : 1, 1, 3};
  for (int i = 0; i < 3 * n_blocks; i++) {
    tree_data got = tree_copy_data(&start);
    char message[256];
    const bool fault =
        tree_interpret(expanded, blocks[i / 3], got.memory, r->params, chunks[i % 3]);
    const bool same =
        result.gave_up || tree_same_data(expanded, &got, &want, message, sizeof(message));
    if (!same || fault != result.fault) {
      sni_allocator allocator;
      sni_allocator_init(&allocator, NULL, 0);
      random_print(expanded, &allocator);
      ck_abort_msg("%s %llu, %s, %lld units a call: %s", what, (unsigned long long)seed,
                   blocks[i / 3]->name, (long long)chunks[i % 3],
                   same ? "the faults differ" : message);
    }
    tree_drop_data(&got);
  }
  tree_drop_data(&want);
  tree_drop_data(&start);
}

#endif
