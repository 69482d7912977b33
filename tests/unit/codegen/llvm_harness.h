// For tests of the LLVM plugin on nests, made trees: compiles them for several instruction sets, runs
// them in memory that is guarded on both sides, and compares every byte with the model's, as it does
// for the interpreter.
#ifndef SNI_TESTS_LLVM_HARNESS_H
#define SNI_TESTS_LLVM_HARNESS_H

#include "codegen/kernel/contraction.h"
#include "tests/unit/codegen/llvm_targets.h"
#include "tests/unit/codegen/nest_tree.h"
#include "tests/unit/codegen/tree_interp_harness.h"

// Short forms of the builder's functions.
static inline void kb_init(builder *b, int n_outer, int n_inner, bool vector_inner) {
  const int64_t extents[nest_axes] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  build_begin(b, vector_inner, n_outer, n_inner, extents);
}
static inline uint32_t kb_load(builder *b, uint32_t buffer, const int64_t *strides) {
  return build_load(b, build_access(b, buffer, 0, strides));
}
static inline void kb_store(builder *b, uint32_t buffer, const int64_t *strides, uint32_t value) {
  build_store(b, build_access(b, buffer, 0, strides), value);
}
static inline uint32_t kb_op(builder *b, sni_kop op, sn_dtype dtype, uint32_t x, uint32_t y,
                             uint32_t z) {
  return build_inst(
      b, (nest_inst){.op = op, .dtype = dtype, .source = b->insts[x].dtype, .operands = {x, y, z}});
}
static inline uint32_t kb_const(builder *b, sn_dtype dtype, double value) {
  const bool real = dtype == SN_F32 || dtype == SN_F64;
  return real ? build_f(b, dtype, dtype == SN_F32 ? (double)(float)value : value)
              : build_i(b, dtype, (int64_t)value);
}

enum { max_buffers = 16 };

static inline double special_number(int64_t i) {
  static const double numbers[] = {0.0,
                                   -0.0,
                                   1,
                                   -1,
                                   0.5,
                                   -2.5,
                                   1.5,
                                   3,
                                   1e-40,
                                   -1e-45,
                                   1e-310,
                                   INFINITY,
                                   -INFINITY,
                                   NAN,
                                   3e38,
                                   -3e38,
                                   2147483647.0,
                                   -2147483648.0,
                                   2147483648.0,
                                   9.3e18,
                                   -9.3e18,
                                   1e308,
                                   7,
                                   127.5};
  return numbers[i % (int64_t)SNI_COUNT_OF(numbers)];
}

typedef struct filling {
  bool special;  // now and then infinities, zeros, extremes
  double scale;
} filling;

static inline void fill(void *data, sn_dtype dtype, int64_t count, filling how) {
  static const int64_t integers[] = {0,         1,  -1, 2,  INT32_MAX, INT32_MIN, INT64_MAX,
                                     INT64_MIN, 31, 32, 63, 64,        33,        7};
  for (int64_t i = 0; i < count; i++) {
    const bool special = how.special && random_below(3) == 0;
    const double unit = (double)(random_bits() >> 11) * 0x1p-53 * 2 - 1;
    const double number = special ? special_number(random_below(1000)) : unit * how.scale;
    const int64_t integer =
        special ? integers[random_below(SNI_COUNT_OF(integers))] : random_below(200) - 100;
    sni_scalar value = {dtype, {.i = integer}};
    if (dtype == SN_BOOL) value.i = (int64_t)(random_bits() >> 40 & 1);
    if (sni_is_float(dtype)) value.f = number;
    sni_scalar_store(value, data, i);
  }
}

// First and last element that the kernel reaches in a buffer, without indexed accesses.
static inline void reach(const nest *k, uint32_t buffer, const int64_t *params, int64_t *low,
                         int64_t *high) {
  *low = 0;
  *high = -1;
  for (uint32_t a = 0; a < k->n_accesses; a++) {
    const nest_access *access = &k->accesses[a];
    if (access->buffer != buffer) continue;
    int64_t least = sni_extent_value(access->offset, params), most = least;
    bool empty = false;
    for (int i = 0; i < k->n_outer + k->n_inner; i++) {
      const int64_t n = sni_extent_value(k->extent[i], params),
                    s = sni_extent_value(access->stride[i], params);
      if (n == 0 && (i < k->n_outer || s != 0)) empty = true;
      if (s > 0) most += (n - 1) * s;
      if (s < 0) least += (n - 1) * s;
    }
    if (k->contraction.present && (a == k->contraction.lhs || a == k->contraction.rhs)) {
      const int64_t n = sni_extent_value(k->contraction.k_extent, params);
      const int64_t s = sni_extent_value(
          a == k->contraction.lhs ? k->contraction.lhs_k_stride : k->contraction.rhs_k_stride,
          params);
      if (n == 0) empty = true;
      if (s > 0) most += (n - 1) * s;
      if (s < 0) least += (n - 1) * s;
    }
    if (empty) continue;
    if (*high < *low) *low = least, *high = most;
    if (least < *low) *low = least;
    if (most > *high) *high = most;
  }
}

typedef struct check_options {
  const char *what;
  filling filling;
  int64_t elements[max_buffers];      // of indexed buffers; 0: what the accesses reach
  const void *contents[max_buffers];  // given, instead of random ones
  bool faults;                        // an index is out of range
  int only;                           // number of the one target, from 1; 0: all
} check_options;

static inline void run_split(const native *n, int64_t units, void *const *buffers,
                             const int64_t *params, void *scratch) {
  for (int64_t begin = 0; begin < units;) {
    const int64_t end = random_below(2) ? units : begin + 1 + random_below(units - begin);
    n->function(&sni_host_calls_here, buffers, params, begin, end, scratch);
    begin = end;
  }
}

typedef struct test_memory {
  guarded memory[max_buffers], expected[max_buffers], original[max_buffers];
  void *pointers[max_buffers], *model_pointers[max_buffers];
} test_memory;

static inline void create_memory(test_memory *m, const nest *k, const int64_t *params,
                                 const check_options *options) {
  for (uint32_t i = 0; i < k->n_buffers; i++) {
    int64_t low, high;
    reach(k, i, params, &low, &high);
    const int64_t size = (int64_t)sn_dtype_size(k->buffers[i].dtype);
    const int64_t count = options->elements[i] ? options->elements[i] : high - low + 1;
    m->memory[i] =
        guarded_create((size_t)(count * size), k->buffers[i].streamed && random_below(2));
    m->original[i] = guarded_create((size_t)(count * size), false);
    m->expected[i] = guarded_create((size_t)(count * size), false);
    if (options->contents[i])
      memcpy(m->original[i].data, options->contents[i], m->original[i].bytes);
    else
      fill(m->original[i].data, k->buffers[i].dtype, count, options->filling);
    memcpy(m->expected[i].data, m->original[i].data, m->original[i].bytes);
    m->pointers[i] = m->memory[i].data - low * size;
    m->model_pointers[i] = m->expected[i].data - low * size;
  }
}

static inline void destroy_memory(test_memory *m, const nest *k) {
  for (uint32_t i = 0; i < k->n_buffers; i++) {
    guarded_destroy(&m->memory[i]);
    guarded_destroy(&m->expected[i]);
    guarded_destroy(&m->original[i]);
  }
}

static inline void compare_memory(const test_memory *m, const nest *k, int line, const char *what,
                                  const char *who) {
  for (uint32_t i = 0; i < k->n_buffers; i++) {
    const size_t size = sn_dtype_size(k->buffers[i].dtype);
    for (size_t at = 0; at < m->memory[i].bytes; at += size) {
      if (tree_same_element(k->buffers[i].dtype, m->memory[i].data, m->expected[i].data, at / size))
        continue;
      uint64_t got = 0, want = 0;
      memcpy(&got, m->memory[i].data + at, size);
      memcpy(&want, m->expected[i].data + at, size);
      ck_abort_msg("line %d %s on %s: buffer %u element %zu of %zu is %llx, not %llx", line,
                   what ? what : "", who, i, at / size, m->memory[i].bytes / size,
                   (unsigned long long)got, (unsigned long long)want);
    }
  }
}

static inline void restore_memory(const test_memory *m, const nest *k) {
  for (uint32_t i = 0; i < k->n_buffers; i++)
    memcpy(m->memory[i].data, m->original[i].data, m->original[i].bytes);
}

// A nest's tree and the memory that it is run in.
typedef struct test_kernel {
  const sni_tree *tree;
  const nest *k;
  const test_memory *memory;
  const int64_t *params;
  const check_options *options;
  int line;
} test_kernel;

static inline void check_interpreter(const test_kernel *t) {
  const sni_blocks *blocks[3];
  const sni_blocks *best = blocks[tree_blocks(blocks) - 1];
  restore_memory(t->memory, t->k);
  const bool fault = tree_interpret(t->tree, best, t->memory->pointers, t->params, INT64_MAX);
  ck_assert_int_eq(fault, t->options->faults);
  compare_memory(t->memory, t->k, t->line, t->options->what, "the interpreter");
}

// In scratch of no byte more than what the code is promised.
static inline void check_target(const test_kernel *t, const target *on) {
  const sni_tree *tree = t->tree;
  const native n = load_native(on, (sni_llvm_request){.kernels = &tree});
  const size_t bytes = sizeof(sni_scratch_header) + sni_tree_scratch_bytes(tree, on->vector_bits);
  guarded scratch = guarded_create(bytes, true);
  restore_memory(t->memory, t->k);
  memset(scratch.data, 0, sizeof(sni_scratch_header));
  run_split(&n, sni_tree_units(tree, SNI_NO_ITEM, t->params), t->memory->pointers, t->params,
            scratch.data);
  ck_assert_int_eq(((sni_scratch_header *)(void *)scratch.data)->fault, t->options->faults);
  compare_memory(t->memory, t->k, t->line, t->options->what, on->name);
  guarded_destroy(&scratch);
  sni_code_release(n.code);
}

// The nest on every target against the model: all bytes of all buffers.
static inline void check_kernel_at(int line, const nest *k, const int64_t *params,
                                   check_options options) {
  test_memory m;
  sni_arena arena;
  sni_arena_init(&arena, &the_allocator);
  const test_kernel t = {.tree = tree_expand(nest_tree(k, &arena), &arena),
                         .k = k,
                         .memory = &m,
                         .params = params,
                         .options = &options,
                         .line = line};
  if (options.filling.scale == 0) options.filling.scale = 4;
  create_memory(&m, k, params, &options);
  const bool fault = tree_model_run(t.tree, m.model_pointers, NULL, params).fault;
  ck_assert_msg(fault == options.faults, "line %d %s: fault %d", line, options.what, fault);
  for (size_t i = 0; i < SNI_COUNT_OF(targets); i++)
    if (target_runs(&targets[i]) && (!options.only || options.only == (int)i + 1))
      check_target(&t, &targets[i]);
  check_interpreter(&t);
  destroy_memory(&m, k);
  sni_arena_deinit(&arena);
}
#define check_kernel(kernel, params, ...) \
  check_kernel_at(__LINE__, kernel, params, (check_options){__VA_ARGS__})

#endif
