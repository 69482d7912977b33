// Runs a test's nest, made a tree, in the interpreter, once per instruction set that the CPU has and
// with units cut in several ways, and compares every byte of its buffers with the model's.
#ifndef SNI_TESTS_INTERP_HARNESS_H
#define SNI_TESTS_INTERP_HARNESS_H

#include "tests/unit/codegen/nest_tree.h"
#include "tests/unit/codegen/tree_interp_harness.h"

enum { harness_buffers = 16 };

typedef struct harness {
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag;
  uint64_t random;
  // of the kernel under test
  void *data[harness_buffers];
  size_t bytes[harness_buffers];
  int same_as[harness_buffers];  // in place: the buffer whose memory it is, or -1
} harness;

static SNI_UNUSED void harness_begin(harness *h) {
  memset(h, 0, sizeof(*h));
  sni_allocator_init(&h->allocator, NULL, 0);
  sni_arena_init(&h->arena, &h->allocator);
  h->random = 88172645463325252ull;
  for (int i = 0; i < harness_buffers; i++) h->same_as[i] = -1;
}

// Ready for the next kernel.
static SNI_UNUSED void harness_next(harness *h) {
  for (int i = 0; i < harness_buffers; i++) {
    if (h->same_as[i] < 0) free(h->data[i]);
    h->data[i] = NULL;
    h->bytes[i] = 0;
    h->same_as[i] = -1;
  }
  sni_arena_reset(&h->arena);
}

static SNI_UNUSED void harness_end(harness *h) {
  harness_next(h);
  sni_arena_deinit(&h->arena);
  ck_assert_uint_eq(h->allocator.bytes, 0);
}

static SNI_UNUSED uint64_t harness_random(harness *h) {
  return tree_next_random(&h->random);
}

// wild: numbers of all sizes and special ones; else modest ones without NaN.
static SNI_UNUSED void harness_fill(harness *h, void *data, sn_dtype dtype, size_t count,
                                    bool wild) {
  tree_fill(data, dtype, count, wild, &h->random);
}

// Memory of exactly `count` elements for buffer number `buffer`.
static SNI_UNUSED void *harness_buffer(harness *h, const builder *b, uint32_t buffer, size_t count,
                                       bool wild) {
  const sn_dtype dtype = b->buffers[buffer].dtype;
  h->bytes[buffer] = count * sn_dtype_size(dtype);
  h->data[buffer] = malloc(h->bytes[buffer] ? h->bytes[buffer] : 1);
  harness_fill(h, h->data[buffer], dtype, count, wild);
  return h->data[buffer];
}

static SNI_UNUSED void harness_share(harness *h, builder *b, uint32_t buffer, uint32_t with) {
  h->same_as[buffer] = (int)with;
  h->data[buffer] = h->data[with];
  h->bytes[buffer] = h->bytes[with];
  b->buffers[buffer].shared = b->buffers[with].shared = true;
}

static void harness_copy(const harness *h, void **out) {
  for (uint32_t i = 0; i < harness_buffers; i++) {
    out[i] = h->same_as[i] >= 0 ? out[h->same_as[i]] : NULL;
    if (h->same_as[i] >= 0 || !h->data[i]) continue;
    out[i] = malloc(h->bytes[i] ? h->bytes[i] : 1);
    memcpy(out[i], h->data[i], h->bytes[i]);
  }
}

static void harness_drop(const harness *h, void **buffers) {
  for (uint32_t i = 0; i < harness_buffers; i++)
    if (h->same_as[i] < 0) free(buffers[i]);
}

// The nest as a tree in which MATH operations are CORE ones.
static SNI_UNUSED sni_tree *harness_expand(harness *h, const builder *b) {
  sni_tree *tree = tree_expand(nest_tree(&b->k, &h->arena), &h->arena);
  for (uint32_t i = 0; i < tree->n_insts; i++)
    ck_assert(!sni_kop_infos[sni_tree_insts(tree)[i].op].math);
  return tree;
}

// What is where it differs from what is expected.
static SNI_UNUSED bool harness_differs(const harness *h, const sni_tree *tree, void *const *got,
                                       void *const *want, char *message, size_t room) {
  tree_data data[2] = {{.count = tree->n_buffers}, {.count = tree->n_buffers}};
  for (uint32_t i = 0; i < harness_buffers; i++) {
    data[0].memory[i] = got[i];
    data[1].memory[i] = want[i];
    data[0].bytes[i] = data[1].bytes[i] = h->bytes[i];
  }
  return !tree_same_data(tree, &data[0], &data[1], message, room);
}

// Returns whether the kernel faulted.
static SNI_UNUSED bool harness_check(harness *h, const builder *b, const int64_t *params) {
  const sni_tree *tree = harness_expand(h, b);
  const sni_blocks *blocks[3];
  const int n_blocks = tree_blocks(blocks);
  void *expected[harness_buffers];
  size_t elements[random_buffers] = {0};
  for (uint32_t i = 0; i < b->k.n_buffers; i++)
    elements[i] = h->bytes[i] / sn_dtype_size(b->buffers[i].dtype);
  harness_copy(h, expected);
  const tree_result result = tree_model_run(tree, expected, elements, params);
  const int64_t units = sni_tree_units(tree, SNI_NO_ITEM, params);
  const int64_t chunks[3] = {units ? units : 1, 1, 3};
  for (int i = 0; i < 3 * n_blocks; i++) {
    void *buffers[harness_buffers];
    char message[256];
    harness_copy(h, buffers);
    const bool fault = tree_interpret(tree, blocks[i / 3], buffers, params, chunks[i % 3]);
    ck_assert_int_eq(fault, result.fault);
    if (!result.gave_up && harness_differs(h, tree, buffers, expected, message, sizeof(message))) {
      random_print(tree, &h->allocator);
      ck_abort_msg("%s, %lld units a call: %s", blocks[i / 3]->name, (long long)chunks[i % 3],
                   message);
    }
    harness_drop(h, buffers);
  }
  harness_drop(h, expected);
  return result.fault;
}

#endif
