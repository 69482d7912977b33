// Constant folding gives the bits that kernels give: every operation that it evaluates, in each dtype, against the interpreter,
// on numbers that are special in some dtype, in all pairs.
#include "runtime/scalar.h"
#include "tests/unit/codegen/interp_harness.h"

// As in passes/graph/evaluate.h, whose graph.h has another sni_node than the interpreter has.
bool sni_evaluate_scalar(sni_kop op, sn_dtype dtype, const sni_scalar *a, sni_scalar *out);

static const double numbers[] = {0.0,   -0.0,  1,      -1,         0.1,       3.7,  -2.5,
                                 1e30,  -1e30, 65,     31,         -7,        63,   64,
                                 0.3,   1e-30, -0.5,   2147483647, 255,       -129, 1e19,
                                 1e-42, 65536, 9.3e18, INFINITY,   -INFINITY, NAN};
enum { n_numbers = SNI_COUNT_OF(numbers), batch = n_numbers * n_numbers };

static harness h;
static void setup(void) {
  harness_begin(&h);
}
static void teardown(void) {
  harness_end(&h);
}

static bool equal_bits(sni_scalar a, sni_scalar b) {
  if (sni_is_float(a.dtype) && isnan(a.f) && isnan(b.f)) return true;
  return a.i == b.i;
}

static sni_scalar operand(sn_dtype dtype, int position, int i) {
  const int k = position == 0 ? i % n_numbers : position == 1 ? i / n_numbers : (i + 5) % n_numbers;
  return sni_scalar_cast((sni_scalar){.dtype = SN_F64, .f = numbers[k]}, dtype);
}

static sn_dtype operand_dtype(sni_kop op, sn_dtype from, int position) {
  return op == SNI_KOP_SELECT && position == 0 ? SN_BOOL : from;
}

static uint32_t build(builder *b, sni_kop op, sn_dtype to, const uint32_t *v) {
  const int n = sni_kop_infos[op].operands;
  if (n == 3) return build_3(b, op, v[0], v[1], v[2]);
  if (n == 2)
    return sni_kop_has_source(op) ? build_compare(b, op, v[0], v[1]) : build_2(b, op, v[0], v[1]);
  return sni_kop_has_source(op) ? build_convert(b, op, to, v[0]) : build_1(b, op, v[0]);
}

// to = op(from, ...) of the whole batch, by the interpreter.
static void run(sni_kop op, sn_dtype from, sn_dtype to, void **buffers) {
  const int n = sni_kop_infos[op].operands;
  uint32_t v[3];
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){batch});
  build_grain(&b, batch);
  build_stage(&b, false);
  for (int i = 0; i < n; i++)
    v[i] = build_load(
        &b, build_access(&b, build_buffer(&b, operand_dtype(op, from, i)), 0, (int64_t[]){1}));
  const uint32_t y = build(&b, op, to, v);
  build_store(&b, build_access(&b, build_buffer(&b, to), 0, (int64_t[]){1}), y);
  sni_interp_code *code;
  ck_assert_int_eq(sni_interp_prepare(harness_expand(&h, &b), &h.allocator, &h.diag, &code), SN_OK);
  void *scratch = aligned_alloc(64, sni_interp_scratch_bytes(code));
  sni_interp_run(code, buffers, NULL, 0, 1, scratch);
  free(scratch);
  sni_interp_release(code, &h.allocator);
  harness_next(&h);
}

// Whether it is evaluated at all; then the bits are the interpreter's.
static bool check(sni_kop op, sn_dtype from, sn_dtype to) {
  static _Alignas(64) char memory[4][batch * 8 + 64];
  const int n = sni_kop_infos[op].operands;
  void *buffers[4] = {memory[0], memory[1], memory[2], memory[3]};
  buffers[n] = memory[3];
  sni_scalar a[3], y;
  for (int k = 0; k < n; k++) {
    const sn_dtype dtype = operand_dtype(op, from, k);
    a[k] = operand(dtype, k, 0);
    for (int i = 0; i < batch; i++) sni_scalar_store(operand(dtype, k, i), memory[k], i);
  }
  if (!sni_evaluate_scalar(op, to, a, &y)) return false;
  run(op, from, to, buffers);
  for (int i = 0; i < batch; i++) {
    for (int k = 0; k < n; k++) a[k] = operand(operand_dtype(op, from, k), k, i);
    ck_assert(sni_evaluate_scalar(op, to, a, &y));
    const sni_scalar kernel = sni_scalar_load(to, memory[3], i);
    ck_assert_msg(equal_bits(y, kernel),
                  "%s of %s to %s, of %g and %g: folding gives %lld (%g), a kernel %lld (%g)",
                  sni_kop_infos[op].name, sn_dtype_name(from), sn_dtype_name(to),
                  numbers[i % n_numbers], numbers[i / n_numbers], (long long)y.i,
                  sni_scalar_value(y), (long long)kernel.i, sni_scalar_value(kernel));
  }
  return true;
}

// Whether kernels have op from one dtype to the other.
static bool is_there(sni_kop op, sn_dtype from, sn_dtype to) {
  const sni_kop_info *info = &sni_kop_infos[op];
  if (!(info->dtypes >> from & 1)) return false;
  if (!sni_kop_has_source(op)) return to == from;
  if (info->operands == 2) return to == SN_BOOL;
  if (op == SNI_KOP_CAST) return sni_is_kernel_cast(from, to);
  return sn_dtype_size(from) == sn_dtype_size(to) && (from == SN_BOOL) == (to == SN_BOOL);
}

START_TEST(folding_has_the_bits_of_kernels) {
  const sni_kop op = (sni_kop)_i;
  const sni_kop_info *info = &sni_kop_infos[op];
  // so many dtypes, or pairs of them, are evaluated at least
  const int least = op == SNI_KOP_CAST ? 37 : op == SNI_KOP_SELECT ? 13 : op == SNI_KOP_ADD ? 4 : 0;
  int evaluated = 0;
  if (!info->operands || sni_kop_has_access(op) || sni_kop_has_loop(op)) return;
  for (int from = 0; from < SN_C64; from++)
    for (int to = 0; to < SN_C64; to++)
      if (is_there(op, (sn_dtype)from, (sn_dtype)to))
        evaluated += check(op, (sn_dtype)from, (sn_dtype)to);
  ck_assert_int_ge(evaluated, least);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("evaluate");
  TCase *tcase = tcase_create("evaluate");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, folding_has_the_bits_of_kernels, 0, SNI_KOP_COUNT);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
