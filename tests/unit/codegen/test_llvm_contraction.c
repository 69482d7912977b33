// Matrix products of the LLVM plugin: shapes around every block size, transposed and padded
// operands, run-time sizes, blocks of k, batches, epilogues. Bits must be those of one fma per k in
// order of k.
#include "codegen/kernel/contraction.h"
#include "tests/unit/codegen/llvm_harness.h"

#define STRIDES(...) ((const int64_t[nest_axes]){__VA_ARGS__})

static builder b;

typedef enum epilogue { epilogue_none, epilogue_bias_relu, epilogue_long, epilogue_mask } epilogue;

typedef struct product {
  sn_dtype dtype;
  sn_dtype lhs, rhs;  // of the sides; 0: the product's
  int64_t batch, m, n, k;
  bool lhs_transposed, rhs_transposed;
  bool batch_param, m_param, n_param, k_param;
  int64_t pad;               // elements behind each row
  int64_t m_grain, n_grain;  // 0: recommended
  epilogue epilogue;
  int only;
} product;

static int64_t params[16];

static sni_extent size_of(int64_t value, bool param) {
  if (!param) return sni_extent_constant(value);
  for (uint32_t i = 0; i < b.k.n_params; i++)
    if (params[i] == value) return (sni_extent){0, i};
  params[b.k.n_params] = value;
  return (sni_extent){0, b.k.n_params++};
}

static void set_strides(uint32_t access, sni_extent batch, sni_extent m, sni_extent n) {
  const sni_extent strides[3] = {batch, m, n};
  for (int i = 0; i < 3; i++) b.accesses[access].stride[i] = strides[i];
}

static uint32_t epilogue_of(const product *p, uint32_t value) {
  const sni_extent zero = sni_extent_constant(0), one = sni_extent_constant(1);
  if (p->epilogue == epilogue_none) return value;
  const uint32_t bias = kb_load(&b, build_buffer(&b, p->dtype), STRIDES(0, 0, 1));
  uint32_t y = kb_op(&b, SNI_KOP_ADD, p->dtype, value, bias, 0);
  if (p->epilogue == epilogue_bias_relu)
    return kb_op(&b, SNI_KOP_MAX, p->dtype, y, kb_const(&b, p->dtype, 0), 0);
  const uint32_t per_row = kb_load(&b, build_buffer(&b, p->dtype), STRIDES(0, 1, 0));
  const uint32_t residual_access = build_access(&b, build_buffer(&b, p->dtype), 0, STRIDES(0));
  set_strides(residual_access, size_of(p->m * p->n, p->m_param || p->n_param),
              size_of(p->n, p->n_param), one);
  const uint32_t residual = build_load(&b, residual_access);
  if (p->epilogue == epilogue_mask) {
    const uint32_t keep = kb_op(&b, SNI_KOP_LT, SN_BOOL, per_row, residual, 0);
    return kb_op(&b, SNI_KOP_SELECT, p->dtype, keep, y, per_row);
  }
  const uint32_t index =
      build_inst(&b, (nest_inst){.op = SNI_KOP_INDEX, .dtype = SN_I32, .imm.axis = 1});
  const uint32_t row = kb_op(&b, SNI_KOP_CAST, p->dtype, index, 0, 0);
  for (int i = 0; i < 3; i++) y = kb_op(&b, SNI_KOP_FMA, p->dtype, y, per_row, residual);
  y = kb_op(&b, SNI_KOP_DIV, p->dtype, y,
            kb_op(&b, SNI_KOP_ADD, p->dtype, row, kb_const(&b, p->dtype, 3), 0), 0);
  const uint32_t extra = build_buffer(&b, SN_BOOL);
  kb_store(&b, extra, STRIDES(0), kb_op(&b, SNI_KOP_LT, SN_BOOL, y, bias, 0));
  set_strides(b.k.n_accesses - 1, size_of(p->m * p->n, p->m_param || p->n_param),
              size_of(p->n, p->n_param), one);
  (void)zero;
  return y;
}

static void build_product(const product *p) {
  const sni_extent one = sni_extent_constant(1);
  const sni_extent lhs_row = size_of(0, false);
  (void)lhs_row;
  kb_init(&b, 3, 0, false);
  nest *k = &b.k;
  k->extent[0] = size_of(p->batch, p->batch_param);
  k->extent[1] = size_of(p->m, p->m_param);
  k->extent[2] = size_of(p->n, p->n_param);
  sni_contraction_grains(p->dtype, p->m_param ? -1 : p->m, p->n_param ? -1 : p->n,
                         p->k_param ? -1 : p->k, 512, &k->grain[1], &k->grain[2]);
  if (p->m_grain) k->grain[1] = p->m_grain;
  if (p->n_grain) k->grain[2] = p->n_grain;
  build_stage(&b, false);
  const uint32_t lhs = build_buffer(&b, p->lhs ? p->lhs : p->dtype),
                 rhs = build_buffer(&b, p->rhs ? p->rhs : p->dtype);
  k->contraction = (nest_contraction){.present = true,
                                      .lhs = build_access(&b, lhs, 0, STRIDES(0)),
                                      .rhs = build_access(&b, rhs, 0, STRIDES(0)),
                                      .k_extent = size_of(p->k, p->k_param)};
  const int64_t m_pitch = p->m + p->pad, n_pitch = p->n + p->pad, k_pitch = p->k + p->pad;
  const sni_extent m_size = size_of(m_pitch, p->m_param), n_size = size_of(n_pitch, p->n_param),
                   k_size = size_of(k_pitch, p->k_param);
  const sni_extent lhs_all =
      size_of(p->lhs_transposed ? p->k * m_pitch : p->m * k_pitch, p->m_param || p->k_param);
  const sni_extent rhs_all =
      size_of(p->rhs_transposed ? p->n * k_pitch : p->k * n_pitch, p->n_param || p->k_param);
  set_strides(k->contraction.lhs, lhs_all, p->lhs_transposed ? one : k_size,
              sni_extent_constant(0));
  set_strides(k->contraction.rhs, rhs_all, sni_extent_constant(0),
              p->rhs_transposed ? k_size : one);
  k->contraction.lhs_k_stride = p->lhs_transposed ? m_size : one;
  k->contraction.rhs_k_stride = p->rhs_transposed ? one : n_size;
  b.buffers[lhs].read = b.buffers[rhs].read = true;
  const uint32_t c = build_inst(&b, (nest_inst){.op = SNI_KOP_CONTRACTION, .dtype = p->dtype});
  const uint32_t y = epilogue_of(p, c);
  kb_store(&b, build_buffer(&b, p->dtype), STRIDES(0), y);
  set_strides(k->n_accesses - 1, size_of(p->m * p->n, p->m_param || p->n_param),
              size_of(p->n, p->n_param), one);
}

static void check_product(product p) {
  char what[160];
  if (!p.batch) p.batch = 1;
  build_product(&p);
  snprintf(what, sizeof(what),
           "%lldx%lldx%lldx%lld %s of %d %d grains %lld %lld lt%d rt%d params %d%d%d epilogue %d",
           (long long)p.batch, (long long)p.m, (long long)p.k, (long long)p.n,
           sn_dtype_name(p.dtype), p.lhs, p.rhs, (long long)b.k.grain[1], (long long)b.k.grain[2],
           p.lhs_transposed, p.rhs_transposed, p.m_param, p.n_param, p.k_param, p.epilogue);
  check_kernel(&b.k, params, .what = what, .only = p.only);
}

START_TEST(shapes_around_the_blocks) {
  static const int64_t sizes[] = {1, 2, 5, 8, 17, 31, 33, 64, 97};
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++)
    for (size_t j = 0; j < SNI_COUNT_OF(sizes); j++)
      check_product((product){.dtype = SN_F32,
                              .m = sizes[i],
                              .n = sizes[j],
                              .k = 1 + random_below(20),
                              .epilogue = (epilogue)random_below(4),
                              .only = 1 + (int)random_below(4)});
}
END_TEST

START_TEST(random_products) {
  for (int turn = 0; turn < 60; turn++) {
    product p = {.dtype = random_below(3) ? SN_F32 : SN_F64,
                 .batch = 1 + random_below(3),
                 .m = 1 + random_below(random_below(2) ? 12 : 90),
                 .n = 1 + random_below(random_below(2) ? 20 : 150),
                 .k = random_below(random_below(2) ? 7 : 60),
                 .lhs_transposed = random_below(2),
                 .rhs_transposed = random_below(2),
                 .batch_param = random_below(2),
                 .m_param = random_below(3) == 0,
                 .n_param = random_below(4) == 0,
                 .k_param = random_below(3) == 0,
                 .pad = random_below(3),
                 .epilogue = (epilogue)random_below(4)};
    if (random_below(3) == 0) p.m_grain = 1 + random_below(50), p.n_grain = 1 + random_below(100);
    check_product(p);
  }
}
END_TEST

static sn_dtype any_side(sn_dtype dtype) {
  sn_dtype side;
  do side = (sn_dtype)random_below(SN_DTYPE_COUNT);
  while (sni_is_complex(side) || sni_compute_dtype(side) != dtype);
  return side;
}

START_TEST(sides_of_storage_dtypes) {
  for (int turn = 0; turn < 80; turn++) {
    product p = {.dtype = random_below(2) ? SN_F32 : SN_I32,
                 .m = 1 + random_below(40),
                 .n = 1 + random_below(random_below(2) ? 20 : 70),
                 .k = random_below(random_below(2) ? 7 : 40),
                 .lhs_transposed = random_below(2),
                 .rhs_transposed = random_below(3) == 0,
                 .k_param = random_below(3) == 0,
                 .pad = random_below(3)};
    p.lhs = any_side(p.dtype);
    p.rhs = any_side(p.dtype);
    check_product(p);
  }
}
END_TEST

START_TEST(deep_products_keep_the_order_of_k) {
  for (int rt = 0; rt < 2; rt++) {
    check_product((product){.dtype = SN_F32,
                            .m = 20,
                            .n = 70,
                            .k = 2500,
                            .rhs_transposed = rt,
                            .epilogue = epilogue_bias_relu});
    check_product((product){.dtype = SN_F32,
                            .m = 13,
                            .n = 20,
                            .k = 1100,
                            .rhs_transposed = rt,
                            .k_param = true,
                            .m_param = true,
                            .epilogue = epilogue_long});
    check_product((product){
        .dtype = SN_F64, .m = 1, .n = 40, .k = 1500, .rhs_transposed = rt, .lhs_transposed = true});
  }
}
END_TEST

START_TEST(large_right_sides_are_packed) {
  check_product((product){.dtype = SN_F32, .m = 70, .n = 1100, .k = 300, .only = 1});
  check_product(
      (product){.dtype = SN_F32, .m = 50, .n = 1100, .k = 300, .m_param = true, .only = 2});
  check_product(
      (product){.dtype = SN_F32, .m = 5, .n = 1100, .k = 300, .m_param = true, .only = 3});
}
END_TEST

// c = a b + c in place: the residual is the buffer that is written.
START_TEST(residual_in_place) {
  for (int param = 0; param < 2; param++) {
    build_product(
        &(product){.dtype = SN_F32, .batch = 1, .m = 13, .n = 37, .k = 9, .m_param = param});
    const uint32_t c = b.k.n_insts - 2, out = b.k.n_buffers - 1;
    b.k.n_insts--;
    b.k.n_accesses--;
    b.stages[0].count--;
    const uint32_t old = kb_load(&b, out, STRIDES(0, 37, 1));
    kb_store(&b, out, STRIDES(0, 37, 1), kb_op(&b, SNI_KOP_ADD, SN_F32, c, old, 0));
    check_kernel(&b.k, params, .what = "residual");
  }
}
END_TEST

START_TEST(integers_wrap) {
  for (int wide = 0; wide < 2; wide++)
    for (int i = 0; i < 4; i++)
      check_product((product){.dtype = wide ? SN_I64 : SN_I32,
                              .m = 13,
                              .n = 37,
                              .k = 9,
                              .lhs_transposed = i & 1,
                              .rhs_transposed = i & 2,
                              .k_param = i & 1,
                              .epilogue = i & 2 ? epilogue_bias_relu : epilogue_none});
}
END_TEST

START_TEST(grains_follow_the_shape) {
  int64_t m, n;
  sni_contraction_grains(SN_F32, 32, 300, 784, 512, &m, &n);
  ck_assert_int_ge(m, 32);
  ck_assert_int_lt(n, 300);  // two threads share it
  sni_contraction_grains(SN_F32, 4096, 4096, 4096, 512, &m, &n);
  ck_assert_int_ge(m * n, 1024);
  ck_assert_int_le(m, 512);
  sni_contraction_grains(SN_F64, -1, -1, -1, 256, &m, &n);
  ck_assert(m >= 1 && n >= 1);
}
END_TEST

int main(void) {
  if (!open_plugin()) return 1;
  Suite *suite = suite_create("llvm contraction");
  TCase *tests = tcase_create("products");
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, shapes_around_the_blocks);
  tcase_add_test(tests, random_products);
  tcase_add_test(tests, sides_of_storage_dtypes);
  tcase_add_test(tests, deep_products_keep_the_order_of_k);
  tcase_add_test(tests, large_right_sides_are_packed);
  tcase_add_test(tests, residual_in_place);
  tcase_add_test(tests, integers_wrap);
  tcase_add_test(tests, grains_follow_the_shape);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
