// Runs a test kernel in the interpreter, once per instruction set that the CPU has and with units
// split in several ways, and compares every byte of its buffers with the model (kernel_model.h); so
// too the tree that it is converted to, in the model of trees.
#ifndef SNI_TESTS_INTERP_HARNESS_H
#define SNI_TESTS_INTERP_HARNESS_H

#include "codegen/interp/program.h"
#include "codegen/kernel/convert.h"
#include "tests/unit/codegen/kernel_build.h"
#include "tests/unit/codegen/kernel_model.h"
#include "tests/unit/codegen/tree_model.h"

#include <check.h>
#include <stdio.h>

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
  h->random ^= h->random << 13;
  h->random ^= h->random >> 7;
  h->random ^= h->random << 17;
  return h->random * 0x2545F4914F6CDD1Dull;
}

static double harness_special(uint64_t r) {
  static const double values[] = {0.0,    -0.0,    1,     -1,     0.5,          -2.5,
                                  1e30,   -1e30,   1e-42, -1e-42, 2147483648.0, -2147483648.0,
                                  9.3e18, -9.3e18, 3.5,   1e-320};
  if (r % 23 == 0) return (double)NAN;
  if (r % 23 == 1) return (double)INFINITY;
  if (r % 23 == 2) return -(double)INFINITY;
  return values[r % SNI_COUNT_OF(values)];
}

// wild: numbers of all sizes and special ones; else modest ones without NaN.
static SNI_UNUSED void harness_fill(harness *h, void *data, sn_dtype dtype, size_t count,
                                    bool wild) {
  for (size_t i = 0; i < count; i++) {
    const uint64_t r = harness_random(h), s = harness_random(h);
    const double modest = (double)(int64_t)(r >> 20) * 0x1p-42 - 2;
    const double number = !wild   ? modest
                          : s % 3 ? modest * ldexp(1, (int)(s >> 32) % 60)
                                  : harness_special(s >> 8);
    const int64_t integer = !wild        ? (int64_t)(r % 7) - 3
                            : s % 4 == 0 ? (int64_t)(r % 5) - 2
                            : s % 4 == 1 ? (s & 16 ? INT64_MIN : INT32_MIN)
                                         : (int64_t)(r >> (s % 64));
    switch (dtype) {
      case SN_BOOL:
        ((uint8_t *)data)[i] = r >> 60 & 1;
        break;
      case SN_I32:
        ((int32_t *)data)[i] = (int32_t)(uint32_t)(uint64_t)integer;
        break;
      case SN_I64:
        ((int64_t *)data)[i] = integer;
        break;
      case SN_F32:
        ((float *)data)[i] = (float)number;
        break;
      case SN_F64:
        ((double *)data)[i] = number;
        break;
      case SN_DTYPE_COUNT:
        break;
    }
  }
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

static bool harness_same(sn_dtype dtype, const void *a, const void *b, size_t i) {
  const size_t size = sn_dtype_size(dtype);
  if (memcmp((const char *)a + i * size, (const char *)b + i * size, size) == 0) return true;
  if (dtype == SN_F32) return isnan(((const float *)a)[i]) && isnan(((const float *)b)[i]);
  return dtype == SN_F64 && isnan(((const double *)a)[i]) && isnan(((const double *)b)[i]);
}

static void harness_copy(const harness *h, const sni_kernel *k, void **out) {
  for (uint32_t i = 0; i < k->n_buffers; i++) {
    if (h->same_as[i] >= 0) {
      out[i] = out[h->same_as[i]];
      continue;
    }
    out[i] = malloc(h->bytes[i] ? h->bytes[i] : 1);
    memcpy(out[i], h->data[i], h->bytes[i]);
  }
}

static void harness_drop(const harness *h, const sni_kernel *k, void **buffers) {
  for (uint32_t i = 0; i < k->n_buffers; i++)
    if (h->same_as[i] < 0) free(buffers[i]);
}

static void harness_text(harness *h, const sni_kernel *k) {
  sni_text text;
  char *out = NULL;
  sni_text_init(&text, &h->allocator);
  sni_kernel_print(k, &text);
  if (sni_text_take(&text, &h->diag, &out)) return;
  fputs(out, stderr);
  sni_free(&h->allocator, out, strlen(out) + 1);
}

static SNI_UNUSED sni_kernel *harness_expand(harness *h, const builder *b) {
  sni_kernel *k = NULL;
  h->diag.text[0] = 0;
  sni_diag_clear(&h->diag);
  ck_assert_msg(sni_kernel_verify(&b->k, &h->diag) == SN_OK, "%s", h->diag.text);
  ck_assert_msg(sni_kernel_expand(&b->k, &h->arena, &h->diag, &k) == SN_OK, "%s", h->diag.text);
  ck_assert_msg(sni_kernel_verify(k, &h->diag) == SN_OK, "%s", h->diag.text);
  for (uint32_t i = 0; i < k->n_insts; i++) ck_assert(!sni_kop_infos[k->insts[i].op].math);
  return k;
}

static SNI_UNUSED int harness_blocks(const sni_blocks **out) {
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

// Runs all units in calls of `chunk` units, in scratch of exactly the size asked for. Returns the
// fault.
static SNI_UNUSED bool harness_run(harness *h, const sni_kernel *k, const sni_blocks *blocks,
                                   void *const *buffers, const int64_t *params, int64_t chunk) {
  sni_interp_code *code = NULL;
  ck_assert_msg(sni_interp_prepare_with(k, blocks, &h->allocator, &h->diag, &code) == SN_OK, "%s",
                h->diag.text);
  const size_t bytes = sni_interp_scratch_bytes(code);
  char *scratch = aligned_alloc(64, bytes);
  memset(scratch, 0xA5, bytes);  // kernels must not rely on what is there
  memset(scratch, 0, sizeof(sni_scratch_header));
  const int64_t units = sni_kernel_units(k, params);
  for (int64_t begin = 0; begin < units; begin += chunk) {
    const int64_t end = units - begin < chunk ? units : begin + chunk;
    sni_interp_run(code, buffers, params, begin, end, scratch);
  }
  const bool fault = ((sni_scratch_header *)(void *)scratch)->fault != 0;
  free(scratch);
  sni_interp_release(code, &h->allocator);
  return fault;
}

// What is where it differs from what is expected; false: nothing.
static bool harness_differs(const harness *h, const sni_kernel *k, void *const *got,
                            void *const *want, char message[160]) {
  for (uint32_t j = 0; j < k->n_buffers; j++) {
    const sn_dtype dtype = k->buffers[j].dtype;
    for (size_t e = 0; e < h->bytes[j] / sn_dtype_size(dtype); e++) {
      if (harness_same(dtype, got[j], want[j], e)) continue;
      const double numbers[2] = {dtype == SN_F32   ? (double)((float *)got[j])[e]
                                 : dtype == SN_F64 ? ((double *)got[j])[e]
                                                   : 0,
                                 dtype == SN_F32   ? (double)((float *)want[j])[e]
                                 : dtype == SN_F64 ? ((double *)want[j])[e]
                                                   : 0};
      snprintf(message, 160, "buffer %u, element %zu: %a instead of %a", j, e, numbers[0],
               numbers[1]);
      return true;
    }
  }
  return false;
}

// The tree that the kernel is converted to, in the model: the same memory, the same faults.
static void harness_check_tree(harness *h, const sni_kernel *k, void *const *expected, bool fault,
                               const int64_t *params) {
  sni_tree *tree = NULL;
  void *buffers[harness_buffers];
  size_t elements[harness_buffers];
  char message[160];
  ck_assert_msg(sni_tree_convert(k, &h->arena, &h->diag, &tree) == SN_OK, "%s", h->diag.text);
  ck_assert_msg(sni_tree_verify(tree, tree->bytes, &h->diag) == SN_OK, "%s", h->diag.text);
  for (uint32_t i = 0; i < k->n_buffers; i++)
    elements[i] = h->bytes[i] / sn_dtype_size(k->buffers[i].dtype);
  if (sni_tree_schedule(tree)[sni_tree_items(tree)[0].kind == SNI_ITEM_BLOCK].grid)
    ck_assert_int_eq(sni_tree_units(tree, SNI_NO_ITEM, params), sni_kernel_units(k, params));
  harness_copy(h, k, buffers);
  const tree_result result = tree_model_run(tree, buffers, elements, params);
  ck_assert_int_eq(result.fault, fault);
  if (!result.gave_up && harness_differs(h, k, buffers, expected, message)) {
    sni_text text;
    char *out = NULL;
    sni_text_init(&text, &h->allocator);
    sni_tree_print(tree, &text);
    if (!sni_text_take(&text, NULL, &out)) fputs(out, stderr);
    harness_text(h, k);
    ck_abort_msg("converted: %s", message);
  }
  harness_drop(h, k, buffers);
}

// Returns whether the kernel faulted.
static SNI_UNUSED bool harness_check(harness *h, const builder *b, const int64_t *params) {
  const sni_kernel *k = harness_expand(h, b);
  const sni_blocks *blocks[3];
  const int n_blocks = harness_blocks(blocks);
  void *expected[harness_buffers];
  harness_copy(h, k, expected);
  const bool fault = model_run(k, expected, params);
  const int64_t units = sni_kernel_units(k, params);
  harness_check_tree(h, k, expected, fault, params);
  const int64_t chunks[3] = {units ? units : 1, 1, 3};
  for (int i = 0; i < n_blocks; i++) {
    for (int c = 0; c < 3; c++) {
      void *buffers[harness_buffers];
      harness_copy(h, k, buffers);
      ck_assert_int_eq(harness_run(h, k, blocks[i], buffers, params, chunks[c]), fault);
      char message[160];
      if (harness_differs(h, k, buffers, expected, message)) {
        harness_text(h, &b->k);
        ck_abort_msg("%s, chunks of %lld: %s", blocks[i]->name, (long long)chunks[c], message);
      }
      harness_drop(h, k, buffers);
    }
  }
  harness_drop(h, k, expected);
  return fault;
}

#endif
