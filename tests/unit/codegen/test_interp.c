// The interpreter against the model, to the bit, in all its instruction sets: every CORE operation,
// dtype and operand form; strides, sizes, index values; stores that stream; in place.
#include "tests/unit/codegen/interp_harness.h"

static harness h;
static void setup(void) {
  harness_begin(&h);
}
static void teardown(void) {
  harness_end(&h);
}

static const sn_dtype numbers[] = {SN_I32, SN_I64, SN_F32, SN_F64};
static const sn_dtype any[] = {SN_BOOL, SN_I32, SN_I64, SN_F32, SN_F64};
static bool is_float(sn_dtype dtype) {
  return dtype == SN_F32 || dtype == SN_F64;
}

// ---- element-wise

enum { length = 333, grain = 100 };

// y = op(operands) over one axis; bit i of form: operand i is a single element.
static void check_op(sni_kop op, sn_dtype result, const sn_dtype *operands, int n, unsigned form) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){length});
  build_grain(&b, grain);
  build_stage(&b, false);
  uint32_t v[3] = {0, 0, 0};
  for (int i = 0; i < n; i++) {
    const uint32_t buffer = build_buffer(&b, operands[i]);
    const bool one = form >> i & 1;
    harness_buffer(&h, &b, buffer, one ? 1 : length, true);
    v[i] = build_load(&b, build_access(&b, buffer, 0, (int64_t[]){!one}));
    if (op != SNI_KOP_LDEXP || i == 0) continue;
    for (int j = 0; j < (one ? 1 : length); j++) {  // the second operand is a modest integer
      const double e = (double)((int64_t)(harness_random(&h) % 8401) - 4200);
      const double small = (double)((int64_t)(harness_random(&h) % 401) - 200);
      if (operands[i] == SN_F32)
        ((float *)h.data[buffer])[j] = (float)(j % 2 ? e : small);
      else
        ((double *)h.data[buffer])[j] = j % 2 ? e : small;
    }
  }
  const bool sourced = sni_kop_has_source(op);
  const uint32_t y = build_inst(&b, (nest_inst){.op = op,
                                                .dtype = result,
                                                .source = sourced ? operands[0] : SN_BOOL,
                                                .operands = {v[0], v[1], v[2]}});
  const uint32_t out = build_buffer(&b, result);
  harness_buffer(&h, &b, out, length, true);
  build_store(&b, build_access(&b, out, 0, (int64_t[]){1}), y);
  harness_check(&h, &b, NULL);
  harness_next(&h);
}

static void check_forms(sni_kop op, sn_dtype result, const sn_dtype *operands, int n) {
  for (unsigned form = 0; form < 1u << n; form++) check_op(op, result, operands, n, form);
}

START_TEST(binary_operations) {
  static const sni_kop ops[] = {SNI_KOP_ADD, SNI_KOP_SUB, SNI_KOP_MUL, SNI_KOP_DIV,
                                SNI_KOP_REM, SNI_KOP_MAX, SNI_KOP_MIN};
  static const sni_kop bitwise[] = {SNI_KOP_AND, SNI_KOP_OR, SNI_KOP_XOR};
  for (size_t d = 0; d < SNI_COUNT_OF(numbers); d++) {
    const sn_dtype two[] = {numbers[d], numbers[d]};
    for (size_t i = 0; i < SNI_COUNT_OF(ops); i++) check_forms(ops[i], numbers[d], two, 2);
    for (size_t i = 0; i < SNI_COUNT_OF(bitwise) && !is_float(numbers[d]); i++)
      check_forms(bitwise[i], numbers[d], two, 2);
    if (is_float(numbers[d])) check_forms(SNI_KOP_LDEXP, numbers[d], two, 2);
    if (numbers[d] == SN_F64) check_forms(SNI_KOP_FOLD_ANGLE, SN_F64, two, 2);
  }
  for (size_t i = 0; i < SNI_COUNT_OF(bitwise); i++)
    check_forms(bitwise[i], SN_BOOL, (sn_dtype[]){SN_BOOL, SN_BOOL}, 2);
}
END_TEST

START_TEST(shifts) {
  for (int wide = 0; wide < 2; wide++) {
    const sn_dtype dtype = wide ? SN_I64 : SN_I32;
    for (int right = 0; right < 2; right++) {
      builder b;
      build_begin(&b, false, 1, 0, (int64_t[]){length});
      build_grain(&b, length);
      build_stage(&b, false);
      uint32_t v[2];
      for (int i = 0; i < 2; i++) {
        const uint32_t buffer = build_buffer(&b, dtype);
        harness_buffer(&h, &b, buffer, length, true);
        v[i] = build_load(&b, build_access(&b, buffer, 0, (int64_t[]){1}));
        for (int j = 0; i && j < length; j++) {
          const int64_t count = (int64_t)(harness_random(&h) % 140) - 4;
          if (wide)
            ((int64_t *)h.data[buffer])[j] = count;
          else
            ((int32_t *)h.data[buffer])[j] = (int32_t)count;
        }
      }
      const uint32_t out = build_buffer(&b, dtype);
      harness_buffer(&h, &b, out, length, true);
      build_store(&b, build_access(&b, out, 0, (int64_t[]){1}),
                  build_2(&b, right ? SNI_KOP_SHR : SNI_KOP_SHL, v[0], v[1]));
      harness_check(&h, &b, NULL);
      harness_next(&h);
    }
    for (int right = 0; right < 2; right++)
      check_forms(right ? SNI_KOP_SHR : SNI_KOP_SHL, dtype, (sn_dtype[]){dtype, dtype}, 2);
  }
}
END_TEST

START_TEST(unary_operations) {
  static const sni_kop number_ops[] = {SNI_KOP_NEG, SNI_KOP_ABS, SNI_KOP_COPY};
  static const sni_kop float_ops[] = {SNI_KOP_SQRT, SNI_KOP_FLOOR, SNI_KOP_CEIL, SNI_KOP_ROUND};
  for (size_t d = 0; d < SNI_COUNT_OF(numbers); d++) {
    for (size_t i = 0; i < SNI_COUNT_OF(number_ops); i++)
      check_forms(number_ops[i], numbers[d], &numbers[d], 1);
    for (size_t i = 0; i < SNI_COUNT_OF(float_ops) && is_float(numbers[d]); i++)
      check_forms(float_ops[i], numbers[d], &numbers[d], 1);
    if (!is_float(numbers[d])) check_forms(SNI_KOP_NOT, numbers[d], &numbers[d], 1);
  }
  check_forms(SNI_KOP_NOT, SN_BOOL, any, 1);
  check_forms(SNI_KOP_COPY, SN_BOOL, any, 1);
}
END_TEST

START_TEST(ternary_operations) {
  for (size_t d = 0; d < SNI_COUNT_OF(any); d++) {
    check_forms(SNI_KOP_SELECT, any[d], (sn_dtype[]){SN_BOOL, any[d], any[d]}, 3);
    if (is_float(any[d])) check_forms(SNI_KOP_FMA, any[d], (sn_dtype[]){any[d], any[d], any[d]}, 3);
  }
}
END_TEST

START_TEST(comparisons) {
  static const sni_kop ops[] = {SNI_KOP_EQ, SNI_KOP_LT, SNI_KOP_LE};
  for (size_t d = 0; d < SNI_COUNT_OF(numbers); d++)
    for (size_t i = 0; i < SNI_COUNT_OF(ops); i++)
      check_forms(ops[i], SN_BOOL, (sn_dtype[]){numbers[d], numbers[d]}, 2);
  check_forms(SNI_KOP_EQ, SN_BOOL, (sn_dtype[]){SN_BOOL, SN_BOOL}, 2);
}
END_TEST

START_TEST(conversions) {
  for (size_t from = 0; from < SNI_COUNT_OF(any); from++)
    for (size_t to = 0; to < SNI_COUNT_OF(any); to++)
      check_forms(SNI_KOP_CAST, any[to], &any[from], 1);
  check_forms(SNI_KOP_BITCAST, SN_I32, (sn_dtype[]){SN_F32}, 1);
  check_forms(SNI_KOP_BITCAST, SN_F32, (sn_dtype[]){SN_I32}, 1);
  check_forms(SNI_KOP_BITCAST, SN_I64, (sn_dtype[]){SN_F64}, 1);
  check_forms(SNI_KOP_BITCAST, SN_F64, (sn_dtype[]){SN_I64}, 1);
}
END_TEST

// ---- where elements lie

// y[i, j] = x[i, j] + z[i, j] with the given strides; sizes include 0 and 1, grains cut rows.
static void check_strides(const int64_t *extents, int64_t cut, const int64_t *x, int64_t x_offset,
                          const int64_t *z, const int64_t *y, size_t count, bool as_params) {
  builder b;
  const int64_t none[2] = {-1, -2};
  build_begin(&b, false, 2, 0, as_params ? none : extents);
  build_grain(&b, cut);
  build_stage(&b, false);
  const int64_t *strides[3] = {x, z, y};
  int64_t params[8] = {extents[0], extents[1]};
  uint32_t accesses[3];
  for (int i = 0; i < 3; i++) {
    const uint32_t buffer = build_buffer(&b, SN_F32);
    harness_buffer(&h, &b, buffer, count, false);
    accesses[i] = build_access(&b, buffer, i == 0 ? x_offset : 0, strides[i]);
    for (int axis = 0; as_params && axis < 2; axis++) {
      params[2 + 2 * i + axis] = strides[i][axis];
      b.accesses[accesses[i]].stride[axis] = (sni_extent){0, 2 + 2 * i + axis};
    }
  }
  b.k.n_params = as_params ? 8 : 0;
  const uint32_t v = build_load(&b, accesses[0]);
  build_store(&b, accesses[2], build_2(&b, SNI_KOP_ADD, v, build_load(&b, accesses[1])));
  harness_check(&h, &b, params);
  harness_next(&h);
}

START_TEST(strides) {
  for (int p = 0; p < 2; p++) {
    check_strides((int64_t[]){5, 70}, 70, (int64_t[]){70, 1}, 0, (int64_t[]){0, 1},
                  (int64_t[]){70, 1}, 350, p);
    check_strides((int64_t[]){5, 70}, 33, (int64_t[]){1, 5}, 0, (int64_t[]){1, 0},
                  (int64_t[]){70, 1}, 350, p);
    check_strides((int64_t[]){5, 70}, 64, (int64_t[]){-70, -1}, 349, (int64_t[]){0, 0},
                  (int64_t[]){1, 5}, 350, p);
    check_strides((int64_t[]){3, 7}, 1, (int64_t[]){20, 2}, 3, (int64_t[]){7, 1},
                  (int64_t[]){40, 3}, 350, p);
    check_strides((int64_t[]){1, 1}, 8, (int64_t[]){1, 1}, 0, (int64_t[]){0, 0}, (int64_t[]){1, 1},
                  1, p);
    check_strides((int64_t[]){0, 4}, 8, (int64_t[]){4, 1}, 0, (int64_t[]){0, 0}, (int64_t[]){4, 1},
                  0, p);
    check_strides((int64_t[]){4, 0}, 8, (int64_t[]){0, 1}, 0, (int64_t[]){0, 0}, (int64_t[]){0, 1},
                  0, p);
    check_strides((int64_t[]){2, 3000}, 3000, (int64_t[]){3000, 1}, 0, (int64_t[]){3000, 1},
                  (int64_t[]){3000, 1}, 6000, p);
  }
}
END_TEST

START_TEST(three_axes_and_index_values) {
  builder b;
  build_begin(&b, false, 3, 0, (int64_t[]){3, 4, 50});
  build_grain(&b, 20);
  build_stage(&b, false);
  b.k.n_params = 1;
  const uint32_t out32 = build_buffer(&b, SN_I32), out64 = build_buffer(&b, SN_F64);
  harness_buffer(&h, &b, out32, 600, true);
  harness_buffer(&h, &b, out64, 600, true);
  uint32_t index[3];
  for (int i = 0; i < 3; i++)
    index[i] = build_inst(&b, (nest_inst){.op = SNI_KOP_INDEX, .dtype = SN_I32, .imm.axis = i});
  const uint32_t wide =
      build_inst(&b, (nest_inst){.op = SNI_KOP_INDEX, .dtype = SN_I64, .imm.axis = 2});
  const uint32_t param =
      build_inst(&b, (nest_inst){.op = SNI_KOP_PARAM, .dtype = SN_I32, .imm.size = {0, 0}});
  const uint32_t pf =
      build_inst(&b, (nest_inst){.op = SNI_KOP_PARAM, .dtype = SN_F64, .imm.size = {0, 0}});
  const uint32_t fixed =
      build_inst(&b, (nest_inst){.op = SNI_KOP_PARAM, .dtype = SN_F64, .imm.size = {7, -1}});
  const uint32_t sum = build_2(&b, SNI_KOP_ADD, build_2(&b, SNI_KOP_MUL, index[0], param),
                               build_2(&b, SNI_KOP_MUL, index[1], index[2]));
  const int64_t dense[] = {200, 50, 1};
  build_store(&b, build_access(&b, out32, 0, dense), sum);
  const uint32_t f = build_convert(&b, SNI_KOP_CAST, SN_F64, wide);
  build_store(&b, build_access(&b, out64, 0, dense), build_3(&b, SNI_KOP_FMA, f, pf, fixed));
  harness_check(&h, &b, (int64_t[]){1234567});
}
END_TEST

START_TEST(fills) {
  for (size_t d = 0; d < SNI_COUNT_OF(any); d++) {
    for (int step = 1; step < 3; step++) {
      builder b;
      build_begin(&b, false, 1, 0, (int64_t[]){200});
      build_grain(&b, 77);
      build_stage(&b, false);
      const uint32_t out = build_buffer(&b, any[d]);
      harness_buffer(&h, &b, out, 400, true);
      const uint32_t v = is_float(any[d]) ? build_f(&b, any[d], 2.5) : build_i(&b, any[d], 1);
      build_store(&b, build_access(&b, out, 0, (int64_t[]){step}), v);
      harness_check(&h, &b, NULL);
      harness_next(&h);
    }
  }
}
END_TEST

START_TEST(streamed_stores) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){5001});
  build_grain(&b, 1000);
  build_stage(&b, false);
  const uint32_t in = build_buffer(&b, SN_F32), out = build_buffer(&b, SN_F32),
                 fill = build_buffer(&b, SN_F32);
  harness_buffer(&h, &b, in, 5003, true);
  harness_buffer(&h, &b, out, 5003, true);
  harness_buffer(&h, &b, fill, 5003, true);
  b.buffers[out].streamed = b.buffers[fill].streamed = true;
  const int64_t one[] = {1};
  const uint32_t v = build_load(&b, build_access(&b, in, 1, one));
  build_store(&b, build_access(&b, out, 2, one), build_1(&b, SNI_KOP_NEG, v));
  build_store(&b, build_access(&b, fill, 1, one), build_f(&b, SN_F32, 4));
  harness_check(&h, &b, NULL);
}
END_TEST

// ---- in place

START_TEST(in_place) {
  const int64_t one[] = {1};
  for (int variant = 0; variant < 5; variant++) {
    builder b;
    build_begin(&b, false, 1, 0, (int64_t[]){5000});
    build_grain(&b, 5000);
    build_stage(&b, false);
    const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32),
                   z = build_buffer(&b, SN_F32);
    harness_buffer(&h, &b, x, 5000, false);
    harness_share(&h, &b, y, x);
    harness_buffer(&h, &b, z, 5000, false);
    const uint32_t ax = build_access(&b, x, 0, one), ay = build_access(&b, y, 0, one),
                   az = build_access(&b, z, 0, one);
    const uint32_t v = build_load(&b, ax);
    const uint32_t doubled = build_2(&b, SNI_KOP_ADD, v, v);
    if (variant == 0) {  // y = 2x over x
      build_store(&b, ay, doubled);
    } else if (variant == 1) {  // x is used after y is written
      build_store(&b, ay, doubled);
      build_store(&b, az, build_2(&b, SNI_KOP_MUL, v, v));
    } else if (variant == 2) {  // a second load of the same memory before the store
      const uint32_t again = build_load(&b, ax);
      build_store(&b, ay, build_2(&b, SNI_KOP_MUL, again, doubled));
      build_store(&b, az, doubled);
    } else if (variant == 3) {  // the value waits while x is read
      const uint32_t square = build_2(&b, SNI_KOP_MUL, v, v);
      build_store(&b, ay, doubled);
      build_store(&b, az, build_2(&b, SNI_KOP_SUB, square, v));
    } else {  // a copy of x survives
      const uint32_t copy = build_1(&b, SNI_KOP_COPY, v);
      build_store(&b, ay, doubled);
      build_store(&b, az, copy);
    }
    harness_check(&h, &b, NULL);
    harness_next(&h);
  }
}
END_TEST

START_TEST(in_place_row_softmax_like) {
  // Two inner stages read x, the last one writes it: y = x - max(x) over x.
  builder b;
  build_begin(&b, true, 1, 1, (int64_t[]){4, 1500});
  const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32);
  harness_buffer(&h, &b, x, 6000, false);
  harness_share(&h, &b, y, x);
  const int64_t dense[] = {1500, 1};
  build_stage(&b, true);
  const uint32_t ax = build_access(&b, x, 0, dense), ay = build_access(&b, y, 0, dense);
  const uint32_t m = build_reduce(&b, SNI_KOP_MAX, build_load(&b, ax));
  build_stage(&b, true);
  build_store(&b, ay, build_2(&b, SNI_KOP_SUB, build_load(&b, ax), m));
  harness_check(&h, &b, NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("interp");
  TCase *tests = tcase_create("interp");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, binary_operations);
  tcase_add_test(tests, shifts);
  tcase_add_test(tests, unary_operations);
  tcase_add_test(tests, ternary_operations);
  tcase_add_test(tests, comparisons);
  tcase_add_test(tests, conversions);
  tcase_add_test(tests, strides);
  tcase_add_test(tests, three_axes_and_index_values);
  tcase_add_test(tests, fills);
  tcase_add_test(tests, streamed_stores);
  tcase_add_test(tests, in_place);
  tcase_add_test(tests, in_place_row_softmax_like);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
