// Runs trees through the LLVM plugin for several instruction sets, their units cut at random, in
// memory that is guarded on both sides, and compares every byte with the model's.
#ifndef SNI_TESTS_TREE_LLVM_HARNESS_H
#define SNI_TESTS_TREE_LLVM_HARNESS_H

#include "codegen/kernel/contraction.h"
#include "tests/unit/codegen/llvm_targets.h"
#include "tests/unit/codegen/tree_harness.h"

// Data that a tree is given: which memory lies before an unreadable page, and which behind one, is
// drawn by lot.
typedef struct tree_memory {
  guarded memory[random_buffers];
  tree_data data;
} tree_memory;

static inline tree_memory tree_memory_like(const tree_data *from) {
  tree_memory m = {.data = *from};
  for (uint32_t i = 0; i < from->count; i++) {
    if (!from->memory[i]) continue;
    if (from->same_as[i] >= 0) {
      m.data.memory[i] = m.data.memory[from->same_as[i]];
      continue;
    }
    m.memory[i] = guarded_create(from->bytes[i], false);
    m.data.memory[i] = random_below(3) ? m.memory[i].data : m.memory[i].map + 4096;
    memcpy(m.data.memory[i], from->memory[i], from->bytes[i]);
  }
  return m;
}

static inline void tree_memory_drop(tree_memory *m) {
  for (uint32_t i = 0; i < m->data.count; i++)
    if (m->memory[i].map) guarded_destroy(&m->memory[i]);
}

static inline void tree_run_phase(const native *n, tree_memory *m, const int64_t *params,
                                  int64_t begin, int64_t end, void *scratch) {
  while (begin < end) {
    const int64_t to = random_below(2) ? end : begin + 1 + random_below(end - begin);
    n->function(&sni_host_calls_here, m->data.memory, params, begin, to, scratch);
    begin = to;
  }
}

static inline void tree_run_units(const native *n, const sni_tree *tree, tree_memory *m,
                                  const int64_t *params, void *scratch) {
  int64_t begin = 0, end = 0;
  for (uint32_t i = 0; i < tree->n_items; i = sni_tree_items(tree)[i].end) {
    const sni_item_kind kind = (sni_item_kind)sni_tree_items(tree)[i].kind;
    if (kind == SNI_ITEM_LOOP) end += sni_tree_units(tree, i, params);
    if (kind != SNI_ITEM_BARRIER) continue;
    tree_run_phase(n, m, params, begin, end, scratch);
    begin = end;
  }
  tree_run_phase(n, m, params, begin, end, scratch);
}

static inline bool tree_differs(const sni_tree *tree, const tree_memory *m, const tree_data *want,
                                const tree_result *result, int64_t fault, char *message,
                                size_t room) {
  snprintf(message, room, "its fault is %lld", (long long)fault);
  if (fault != (result->fault || result->gave_up)) return true;
  return !result->gave_up && !tree_same_data(tree, &m->data, want, message, room);
}

// What one target makes of the data, which stay as they are.
static inline void check_native(const native *n, const target *t, const random_tree *r,
                                const tree_data *start, const tree_data *want,
                                const tree_result *result, const char *what) {
  const sni_tree *tree = r->tree;
  char message[256];
  const size_t bytes = sni_tree_scratch_bytes(tree, t->vector_bits);
  guarded scratch = guarded_create(sizeof(sni_scratch_header) + bytes, true);
  tree_memory m = tree_memory_like(start);
  memset(scratch.data, 0x6b, scratch.bytes);
  memset(scratch.data, 0, sizeof(sni_scratch_header));
  tree_run_units(n, tree, &m, r->params, scratch.data);
  const int64_t fault = ((sni_scratch_header *)(void *)scratch.data)->fault;
  if (tree_differs(tree, &m, want, result, fault, message, sizeof(message))) {
    random_print(tree, &the_allocator);
    ck_abort_msg("%s on %s: %s", what, t->name, message);
  }
  tree_memory_drop(&m);
  guarded_destroy(&scratch);
}

enum { most_starts = 2 };

// `starts`: sets of data; they stay as they are. only: number of the one target, from 1; 0: all.
static inline void check_tree(const random_tree *r, const tree_data *starts, int n_starts, int only,
                              const char *what) {
  tree_data want[most_starts];
  tree_result results[most_starts];
  for (int i = 0; i < n_starts; i++) {
    want[i] = tree_copy_data(&starts[i]);
    results[i] = tree_model_run(r->tree, want[i].memory, r->elements, r->params);
  }
  for (size_t t = 0; t < SNI_COUNT_OF(targets); t++) {
    if (!target_runs(&targets[t]) || (only && only != (int)t + 1)) continue;
    const sni_tree *tree = r->tree;
    native n = load_native(&targets[t], (sni_llvm_request){.kernels = &tree});
    for (int i = 0; i < n_starts; i++)
      check_native(&n, &targets[t], r, &starts[i], &want[i], &results[i], what);
    sni_code_release(n.code);
  }
  for (int i = 0; i < n_starts; i++) tree_drop_data(&want[i]);
}

#endif
