// Kernel IR itself: units, identity for caches, the text, and a verifier that refuses each broken
// promise.
#include "tests/unit/codegen/interp_harness.h"

static harness h;
static void setup(void) {
  harness_begin(&h);
}
static void teardown(void) {
  harness_end(&h);
}

// y[i, :] = x[i, :] - max(x[i, :]) through row scratch, with a parameter for the rows.
static void build_sample(builder *b) {
  build_begin(b, true, 1, 1, (int64_t[]){-1, 10});
  b->k.n_params = 1;
  const uint32_t x = build_buffer(b, SN_F32), y = build_buffer(b, SN_F32);
  const uint32_t ax = build_access(b, x, 3, (int64_t[]){10, 1});
  const uint32_t ay = build_access(b, y, 0, (int64_t[]){10, 1});
  const int slot = build_slot(b, SN_F32);
  build_stage(b, true);
  const uint32_t v = build_load(b, ax);
  build_scratch_store(b, slot, v);
  const uint32_t m = build_reduce(b, SNI_KOP_MAX, v);
  build_stage(b, false);
  const uint32_t shifted = build_2(b, SNI_KOP_ADD, m, build_f(b, SN_F32, 0.5));
  build_stage(b, true);
  build_store(b, ay, build_2(b, SNI_KOP_SUB, build_scratch_load(b, slot), shifted));
}

START_TEST(table) {
  ck_assert_str_eq(sni_kop_infos[SNI_KOP_FMA].name, "fma");
  ck_assert_int_eq(sni_kop_infos[SNI_KOP_FMA].operands, 3);
  ck_assert(!sni_kop_infos[SNI_KOP_FMA].math);
  ck_assert(sni_kop_infos[SNI_KOP_ERF].math);
  for (int i = 0; i < SNI_KOP_COUNT; i++) {
    ck_assert_ptr_nonnull(sni_kop_infos[i].name);
    ck_assert(sni_kop_infos[i].operands >= 0 && sni_kop_infos[i].operands <= 3);
  }
}
END_TEST

START_TEST(units) {
  builder b;
  build_begin(&b, false, 3, 0, (int64_t[]){4, -1, 100});
  b.k.grain[1] = 3;
  b.k.grain[2] = 30;
  ck_assert_int_eq(sni_kernel_units(&b.k, (int64_t[]){7}), 4 * 3 * 4);
  ck_assert_int_eq(sni_kernel_units(&b.k, (int64_t[]){0}), 0);
  ck_assert_int_eq(sni_kernel_units(&b.k, (int64_t[]){3}), 4 * 1 * 4);
  b.k.grain[2] = INT64_MAX;
  ck_assert_int_eq(sni_kernel_units(&b.k, (int64_t[]){1}), 4);
  build_begin(&b, true, 0, 1, (int64_t[]){100});
  ck_assert_int_eq(sni_kernel_units(&b.k, NULL), 1);
}
END_TEST

START_TEST(printed_text) {
  builder b;
  build_sample(&b);
  sni_text text;
  char *out = NULL;
  sni_text_init(&text, &h.allocator);
  sni_kernel_print(&b.k, &text);
  ck_assert_int_eq(sni_text_take(&text, &h.diag, &out), SN_OK);
  ck_assert_str_eq(out,
                   "kernel test: outer [i0 p0], inner [j0 10], vector inner\n"
                   "  b0 f32 read\n"
                   "  b1 f32 written\n"
                   "  s0 f32 at 0\n"
                   "  inner stage\n"
                   "    %0 f32 [i0 j0] = load b0[3 + 10*i0 + j0]\n"
                   "    scratch_store s0 %0\n"
                   "    %2 f32 [i0] = reduce max %0\n"
                   "  outer stage\n"
                   "    %3 f32 [] = const 0.5\n"
                   "    %4 f32 [i0] = add %2, %3\n"
                   "  inner stage\n"
                   "    %5 f32 [j0] = scratch_load s0\n"
                   "    %6 f32 [i0 j0] = sub %5, %4\n"
                   "    store b1[10*i0 + j0] %6\n");
  sni_free(&h.allocator, out, strlen(out) + 1);
}
END_TEST

START_TEST(identity) {
  builder a, b;
  build_sample(&a);
  build_sample(&b);
  b.k.name = "another";
  b.insts[4].imm.size.value = 99;  // fields that the operation does not use
  b.insts[0].operands[2] = 7;
  b.insts[0].source = SN_F64;
  ck_assert(sni_kernel_equal(&a.k, &b.k));
  ck_assert_uint_eq(sni_kernel_hash(&a.k), sni_kernel_hash(&b.k));
  for (int change = 0; change < 18; change++) {
    build_sample(&b);
    switch (change) {
      case 0:
        b.k.extent[1].value = 11;
        break;
      case 1:
        b.k.extent[0] = sni_kernel_constant(0);
        break;
      case 2:
        b.k.vector_inner = false;
        break;
      case 3:
        b.k.grain[0] = 2;
        break;
      case 4:
        b.k.serial = true;
        break;
      case 5:
        b.buffers[0].shared = true;
        break;
      case 6:
        b.buffers[1].streamed = true;
        break;
      case 7:
        b.accesses[0].offset.value = 4;
        break;
      case 8:
        b.accesses[1].stride[0].value = 20;
        break;
      case 9:
        b.accesses[1].stride[1].param = 0;
        break;
      case 10:
        b.insts[2].imm.combiner = SNI_KOP_MIN;
        break;
      case 11:
        b.insts[3].imm.f = 0.25;
        break;
      case 12:
        b.insts[4].op = SNI_KOP_SUB;
        break;
      case 13:
        b.insts[4].operands[0] = 3;
        break;
      case 14:
        b.stages[1].count = 1;
        break;
      case 15:
        b.insts[6].axes = 1;
        break;
      case 16:
        b.slot_offset[0] = 64;
        break;
      default:
        b.insts[7].access = 0;
        break;
    }
    ck_assert_msg(!sni_kernel_equal(&a.k, &b.k), "change %d", change);
    ck_assert_msg(sni_kernel_hash(&a.k) != sni_kernel_hash(&b.k), "change %d", change);
  }
  build_sample(&b);
  a.insts[3].imm.f = 0.0;
  b.insts[3].imm.f = -0.0;
  ck_assert(!sni_kernel_equal(&a.k, &b.k));
}
END_TEST

static void expect_refusal(const builder *b, const char *part) {
  sni_diag diag = {0};
  ck_assert_msg(sni_kernel_verify(&b->k, &diag) == SN_ERR_INTERNAL, "accepted; expected: %s", part);
  ck_assert_msg(strstr(diag.text, part) != NULL, "'%s' does not contain '%s'", diag.text, part);
}

START_TEST(refusals) {
  builder b;
  build_sample(&b);
  ck_assert_int_eq(sni_kernel_verify(&b.k, &h.diag), SN_OK);
  b.insts[4].operands[1] = 4;
  expect_refusal(&b, "instruction 4 (add): an operand is not defined before");
  build_sample(&b), b.insts[4].operands[0] = 0;
  expect_refusal(&b, "another inner stage");
  build_sample(&b), b.insts[4].operands[0] = 1;
  expect_refusal(&b, "no value");
  build_sample(&b), b.insts[6].operands[0] = 5, b.insts[6].operands[1] = 5,
                    b.insts[6].dtype = SN_F64;
  expect_refusal(&b, "another dtype");
  build_sample(&b), b.insts[6].axes = 1;
  expect_refusal(&b, "does not admit");
  build_sample(&b), b.insts[4].axes = 3;
  expect_refusal(&b, "does not exist there");
  build_sample(&b), b.k.n_params = 0;
  expect_refusal(&b, "parameter");
  build_sample(&b), b.k.grain[0] = 4;
  expect_refusal(&b, "grain");
  build_sample(&b), b.k.grain[0] = 0;
  expect_refusal(&b, "grain");
  build_sample(&b), b.stages[2].first++;
  expect_refusal(&b, "stages");
  build_sample(&b), b.stages[2].count--;
  expect_refusal(&b, "no stage");
  build_sample(&b), b.buffers[1].written = false;
  expect_refusal(&b, "not marked written");
  build_sample(&b), b.buffers[0].read = false;
  expect_refusal(&b, "not marked read");
  build_sample(&b), b.k.scratch_bytes = 8;
  expect_refusal(&b, "does not fit");
  build_sample(&b), b.insts[5].imm.slot = 1;
  expect_refusal(&b, "no such slot");
  build_sample(&b), b.insts[2].imm.combiner = SNI_KOP_SUB;
  expect_refusal(&b, "combiner");
  build_sample(&b), b.insts[7].access = 9;
  expect_refusal(&b, "access does not exist");
  build_sample(&b), b.accesses[1].buffer = 9;
  expect_refusal(&b, "buffer does not exist");
  build_sample(&b), b.k.faults = true;
  expect_refusal(&b, "faults");
  build_sample(&b), b.insts[4].op = SNI_KOP_NOT;
  expect_refusal(&b, "does not exist for this dtype");
  build_sample(&b), b.insts[4].op = SNI_KOP_COUNT;
  expect_refusal(&b, "no such operation");
  build_sample(&b), b.k.contraction.present = true;
  expect_refusal(&b, "contraction is not used");
  build_sample(&b), b.k.n_inner = 0, b.k.vector_inner = false;
  expect_refusal(&b, "inner");
  build_sample(&b), b.k.extent[1] = sni_kernel_constant(-1);
  expect_refusal(&b, "negative");
}
END_TEST

START_TEST(refused_store_add) {
  builder b;
  build_begin(&b, false, 1, 1, (int64_t[]){8, 3});
  build_stage(&b, true);
  const uint32_t y = build_buffer(&b, SN_F32), access = build_access(&b, y, 0, (int64_t[]){1, 0});
  build_inst(&b,
             (sni_kernel_inst){
                 .op = SNI_KOP_STORE_ADD, .access = access, .operands = {build_f(&b, SN_F32, 1)}});
  expect_refusal(&b, "outer vector axis");
  build_begin(&b, false, 1, 1, (int64_t[]){8, 3});
  build_stage(&b, false);
  const uint32_t x = build_buffer(&b, SN_F32);
  build_load(&b, build_access(&b, x, 0, (int64_t[]){1, 1}));
  expect_refusal(&b, "stride along an inner axis");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernel");
  TCase *tests = tcase_create("kernel");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, table);
  tcase_add_test(tests, units);
  tcase_add_test(tests, printed_text);
  tcase_add_test(tests, identity);
  tcase_add_test(tests, refusals);
  tcase_add_test(tests, refused_store_add);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
