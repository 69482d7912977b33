// For tests of the LLVM plugin: compiles kernels for several instruction sets, runs them in memory
// that is guarded on both sides, and compares every byte with the model's, as it does for the
// interpreter.
#ifndef SNI_TESTS_LLVM_HARNESS_H
#define SNI_TESTS_LLVM_HARNESS_H

#include "codegen/interp/interp.h"
#include "codegen/kernel/contraction.h"
#include "codegen/kernel/convert.h"
#include "tests/unit/codegen/kernel_build.h"
#include "tests/unit/codegen/kernel_model.h"
#include "tests/unit/codegen/llvm_targets.h"

// Short forms of the builder's functions.
static inline void kb_init(builder *b, int n_outer, int n_inner, bool vector_inner) {
  const int64_t extents[SNI_MAX_AXES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
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
      b, (sni_kernel_inst){
             .op = op, .dtype = dtype, .source = b->insts[x].dtype, .operands = {x, y, z}});
}
static inline uint32_t kb_const(builder *b, sn_dtype dtype, double value) {
  const bool real = dtype == SN_F32 || dtype == SN_F64;
  return real ? build_f(b, dtype, dtype == SN_F32 ? (double)(float)value : value)
              : build_i(b, dtype, (int64_t)value);
}

enum { max_buffers = 16 };

static inline native compile_native(const sni_kernel *kernel, const target *t) {
  return load_native(t, (sni_llvm_request){.kernels = &kernel});
}

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
    switch ((int)dtype) {
      case SN_BOOL:
        ((uint8_t *)data)[i] = (uint8_t)(random_bits() >> 40 & 1);
        break;
      case SN_I32:
        ((int32_t *)data)[i] = (int32_t)integer;
        break;
      case SN_I64:
        ((int64_t *)data)[i] = integer;
        break;
      case SN_F32:
        ((float *)data)[i] = (float)number;
        break;
      default:
        ((double *)data)[i] = number;
    }
  }
}

// First and last element that the kernel reaches in a buffer, without indexed accesses.
static inline void reach(const sni_kernel *k, uint32_t buffer, const int64_t *params, int64_t *low,
                         int64_t *high) {
  *low = 0;
  *high = -1;
  for (uint32_t a = 0; a < k->n_accesses; a++) {
    const sni_kernel_access *access = &k->accesses[a];
    if (access->buffer != buffer) continue;
    int64_t least = sni_kernel_size_value(access->offset, params), most = least;
    bool empty = false;
    for (int i = 0; i < k->n_outer + k->n_inner; i++) {
      const int64_t n = sni_kernel_size_value(k->extent[i], params),
                    s = sni_kernel_size_value(access->stride[i], params);
      if (n == 0 && (i < k->n_outer || s != 0)) empty = true;
      if (s > 0) most += (n - 1) * s;
      if (s < 0) least += (n - 1) * s;
    }
    if (k->contraction.present && (a == k->contraction.lhs || a == k->contraction.rhs)) {
      const int64_t n = sni_kernel_size_value(k->contraction.k_extent, params);
      const int64_t s = sni_kernel_size_value(
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

static inline bool same_bits(sn_dtype dtype, const char *a, const char *b) {
  if (dtype == SN_F32) {
    float x, y;
    memcpy(&x, a, 4);
    memcpy(&y, b, 4);
    if (x != x && y != y) return true;
  }
  if (dtype == SN_F64) {
    double x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    if (x != x && y != y) return true;
  }
  return memcmp(a, b, sn_dtype_size(dtype)) == 0;
}

typedef struct check_options {
  const char *what;
  filling filling;
  int64_t elements[max_buffers];      // of indexed buffers; 0: what the accesses reach
  const void *contents[max_buffers];  // given, instead of random ones
  bool faults;                        // an index is out of range
  int only;                           // number of the one target, from 1; 0: all
} check_options;

static inline void run_split(const native *n, int64_t units, bool serial, void *const *buffers,
                             const int64_t *params, void *scratch) {
  for (int64_t begin = 0; begin < units;) {
    const int64_t end = serial || random_below(2) ? units : begin + 1 + random_below(units - begin);
    n->function(NULL, buffers, params, begin, end, scratch);
    begin = end;
  }
}

typedef struct test_memory {
  guarded memory[max_buffers], expected[max_buffers], original[max_buffers];
  void *pointers[max_buffers], *model_pointers[max_buffers];
} test_memory;

static inline void create_memory(test_memory *m, const sni_kernel *k, const int64_t *params,
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

static inline void destroy_memory(test_memory *m, const sni_kernel *k) {
  for (uint32_t i = 0; i < k->n_buffers; i++) {
    guarded_destroy(&m->memory[i]);
    guarded_destroy(&m->expected[i]);
    guarded_destroy(&m->original[i]);
  }
}

static inline void compare_memory(const test_memory *m, const sni_kernel *k, int line,
                                  const char *what, const char *who) {
  for (uint32_t i = 0; i < k->n_buffers; i++) {
    const size_t size = sn_dtype_size(k->buffers[i].dtype);
    for (size_t at = 0; at < m->memory[i].bytes; at += size) {
      if (same_bits(k->buffers[i].dtype, m->memory[i].data + at, m->expected[i].data + at))
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

static inline void restore_memory(const test_memory *m, const sni_kernel *k) {
  for (uint32_t i = 0; i < k->n_buffers; i++)
    memcpy(m->memory[i].data, m->original[i].data, m->original[i].bytes);
}

static inline void check_interpreter(const test_memory *m, const sni_kernel *k,
                                     const int64_t *params, int line, const char *what) {
  sni_interp_code *code;
  sni_diag diag = {0};
  ck_assert_msg(sni_interp_prepare(k, &the_allocator, &diag, &code) == SN_OK, "%s", diag.text);
  void *scratch = aligned_alloc(64, (sni_interp_scratch_bytes(code) + 127) / 64 * 64);
  memset(scratch, 0, sizeof(sni_scratch_header));
  restore_memory(m, k);
  sni_interp_run(code, m->pointers, params, 0, sni_kernel_units(k, params), scratch);
  compare_memory(m, k, line, what, "the interpreter");
  free(scratch);
  sni_interp_release(code, &the_allocator);
}

// Units of one kernel or tree, in scratch of no byte more than what its code is promised.
typedef struct test_run {
  int64_t units;
  bool serial;
  size_t scratch_bytes;
} test_run;

static inline void run_native(const native *n, const test_memory *m, const sni_kernel *k,
                              const int64_t *params, test_run run, bool faults) {
  guarded scratch = guarded_create(sizeof(sni_scratch_header) + run.scratch_bytes, true);
  restore_memory(m, k);
  memset(scratch.data, 0, sizeof(sni_scratch_header));
  run_split(n, run.units, run.serial, m->pointers, params, scratch.data);
  ck_assert_int_eq(((sni_scratch_header *)(void *)scratch.data)->fault, faults);
  guarded_destroy(&scratch);
  sni_code_release(n->code);
}

static inline test_run kernel_run(const sni_kernel *k, const target *t, const int64_t *params) {
  const bool product = k->contraction.present;
  return (test_run){
      .units = sni_kernel_units(k, params),
      .serial = k->serial,
      .scratch_bytes =
          product ? sni_contraction_scratch_bytes(k, t->vector_bits) : k->scratch_bytes,
  };
}

static inline test_run tree_run(const sni_tree *tree, const target *t, const int64_t *params) {
  return (test_run){.units = sni_tree_units(tree, SNI_NO_ITEM, params),
                    .scratch_bytes = sni_tree_scratch_bytes(tree, t->vector_bits)};
}

// NULL: it has none.
static inline const sni_tree *converted(const sni_kernel *k, sni_arena *arena) {
  sni_diag diag = {0};
  sni_tree *tree = NULL;
  const sn_status status = sni_tree_convert(k, arena, &diag, &tree);
  ck_assert_msg(status == SN_OK || status == SN_ERR_UNSUPPORTED, "%s", diag.text);
  return tree;
}

// The kernel, and the tree that it is converted to, on every target against the model: all bytes of
// all buffers.
static inline void check_kernel_at(int line, const sni_kernel *k, const int64_t *params,
                                   check_options options) {
  test_memory m;
  sni_arena arena;
  sni_diag diag = {0};
  ck_assert_msg(sni_kernel_verify(k, &diag) == SN_OK, "line %d: %s", line, diag.text);
  sni_arena_init(&arena, &the_allocator);
  const sni_tree *tree = converted(k, &arena);
  if (options.filling.scale == 0) options.filling.scale = 4;
  create_memory(&m, k, params, &options);
  const bool fault = model_run(k, m.model_pointers, params);
  ck_assert_msg(fault == options.faults, "line %d %s: fault %d", line, options.what, fault);
  for (size_t t = 0; t < SNI_COUNT_OF(targets); t++) {
    if (!target_runs(&targets[t]) || (options.only && options.only != (int)t + 1)) continue;
    native n = compile_native(k, &targets[t]);
    run_native(&n, &m, k, params, kernel_run(k, &targets[t], params), options.faults);
    compare_memory(&m, k, line, options.what, targets[t].name);
    if (!tree) continue;
    n = load_native(&targets[t], (sni_llvm_request){.trees = &tree});
    run_native(&n, &m, k, params, tree_run(tree, &targets[t], params), options.faults);
    compare_memory(&m, k, line, options.what, targets[t].name);
  }
  check_interpreter(&m, k, params, line, options.what);
  destroy_memory(&m, k);
  sni_arena_deinit(&arena);
}
#define check_kernel(kernel, params, ...) \
  check_kernel_at(__LINE__, kernel, params, (check_options){__VA_ARGS__})

#endif
