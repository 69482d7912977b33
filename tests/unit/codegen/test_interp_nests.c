// Nests of several stages, reductions, row scratch, indices and contractions in the interpreter,
// against the model, to the bit, in all its instruction sets.
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

// ---- reductions

static const sni_kop combiners[] = {SNI_KOP_ADD, SNI_KOP_MUL, SNI_KOP_MAX, SNI_KOP_MIN};

// y[i] = reduce over (j, k) of x[i, j, k]
static void check_reduction(bool vector_inner, sn_dtype dtype, sni_kop combiner,
                            const int64_t *extents, bool wild, bool transposed) {
  builder b;
  build_begin(&b, vector_inner, 1, 2, extents);
  if (!vector_inner) build_grain(&b, 50);
  build_stage(&b, true);
  const uint32_t x = build_buffer(&b, dtype), y = build_buffer(&b, dtype);
  const size_t count = (size_t)(extents[0] * extents[1] * extents[2]);
  harness_buffer(&h, &b, x, count, wild);
  harness_buffer(&h, &b, y, (size_t)extents[0], true);
  const int64_t rows[] = {extents[1] * extents[2], extents[2], 1};
  const int64_t columns[] = {1, extents[0] * extents[2], extents[0]};
  const uint32_t v = build_load(&b, build_access(&b, x, 0, transposed ? columns : rows));
  const uint32_t r = build_reduce(&b, combiner, v);
  build_stage(&b, false);
  build_store(&b, build_access(&b, y, 0, (int64_t[]){1, 0, 0}), r);
  harness_check(&h, &b, NULL);
  harness_next(&h);
}

START_TEST(reductions) {
  static const int64_t shapes[][3] = {{3, 1, 10},   {2, 3, 64},   {2, 5, 63},  {1, 2, 65},
                                      {2, 1, 2500}, {70, 2, 3},   {130, 3, 1}, {3, 0, 5},
                                      {3, 4, 0},    {2, 2, 1100}, {1, 1, 1}};
  for (int inner = 0; inner < 2; inner++)
    for (size_t s = 0; s < SNI_COUNT_OF(shapes); s++)
      for (size_t d = 0; d < SNI_COUNT_OF(any); d++)
        for (size_t c = 0; c < 4; c++) {
          if (any[d] == SN_BOOL && c < 2) continue;
          check_reduction(inner, any[d], combiners[c], shapes[s], c >= 2, s % 2);
          if (s < 4) check_reduction(inner, any[d], combiners[c], shapes[s], true, !(s % 2));
        }
}
END_TEST

START_TEST(negative_zero_sums) {
  for (int inner = 0; inner < 2; inner++) {
    builder b;
    build_begin(&b, inner, 1, 1, (int64_t[]){3, 5});
    build_stage(&b, true);
    const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32);
    float *data = harness_buffer(&h, &b, x, 15, false);
    for (int i = 0; i < 15; i++) data[i] = -0.0f;
    harness_buffer(&h, &b, y, 3, false);
    const uint32_t r =
        build_reduce(&b, SNI_KOP_ADD, build_load(&b, build_access(&b, x, 0, (int64_t[]){5, 1})));
    build_stage(&b, false);
    build_store(&b, build_access(&b, y, 0, (int64_t[]){1, 0}), r);
    harness_check(&h, &b, NULL);
    void *buffers[] = {h.data[0], h.data[1]};
    tree_interpret(harness_expand(&h, &b), &sni_interp_blocks_baseline, buffers, NULL, 10);
    ck_assert(((float *)h.data[1])[1] == 0 && !signbit(((float *)h.data[1])[1]));
    harness_next(&h);
  }
}
END_TEST

// Ties and NaN: which of +0 and -0 wins depends on the order of combine's operands.
START_TEST(signed_zero_extremes) {
  for (int inner = 0; inner < 2; inner++)
    for (size_t d = 2; d < SNI_COUNT_OF(numbers); d++)
      for (int c = 2; c < 4; c++)
        for (int with_nan = 0; with_nan < 2; with_nan++) {
          builder b;
          build_begin(&b, inner, 1, 1, (int64_t[]){40, 300});
          if (!inner) build_grain(&b, 40);
          build_stage(&b, true);
          const uint32_t x = build_buffer(&b, numbers[d]), y = build_buffer(&b, numbers[d]);
          void *data = harness_buffer(&h, &b, x, 12000, false);
          for (int i = 0; i < 12000; i++) {
            const uint64_t r = harness_random(&h);
            const double v = with_nan && r % 500 == 0 ? (double)NAN : r >> 40 & 1 ? -0.0 : 0.0;
            if (numbers[d] == SN_F32)
              ((float *)data)[i] = (float)v;
            else
              ((double *)data)[i] = v;
          }
          harness_buffer(&h, &b, y, 40, false);
          const uint32_t r = build_reduce(
              &b, combiners[c], build_load(&b, build_access(&b, x, 0, (int64_t[]){300, 1})));
          build_stage(&b, false);
          build_store(&b, build_access(&b, y, 0, (int64_t[]){1, 0}), r);
          harness_check(&h, &b, NULL);
          harness_next(&h);
        }
}
END_TEST

// The exact tree, worked out here once more without the model: 70 elements in 64 lanes.
START_TEST(lane_order) {
  builder b;
  build_begin(&b, true, 1, 1, (int64_t[]){1, 70});
  build_stage(&b, true);
  const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32);
  float *data = harness_buffer(&h, &b, x, 70, false);
  harness_buffer(&h, &b, y, 1, false);
  for (int i = 0; i < 70; i++) data[i] = (i % 3 ? 1e8f : -2e8f) + (float)i * 3.7f;
  float lanes[64];
  for (int i = 0; i < 64; i++) lanes[i] = -0.0f + data[i];
  for (int i = 64; i < 70; i++) lanes[i - 64] += data[i];
  for (int w = 32; w; w /= 2)
    for (int i = 0; i < w; i++) lanes[i] += lanes[i + w];
  const uint32_t r =
      build_reduce(&b, SNI_KOP_ADD, build_load(&b, build_access(&b, x, 0, (int64_t[]){70, 1})));
  build_stage(&b, false);
  build_store(&b, build_access(&b, y, 0, (int64_t[]){1, 0}), r);
  const sni_tree *tree = harness_expand(&h, &b);
  const sni_blocks *blocks[3];
  for (int i = tree_blocks(blocks) - 1; i >= 0; i--) {
    void *buffers[] = {h.data[0], h.data[1]};
    tree_interpret(tree, blocks[i], buffers, NULL, 1);
    ck_assert(((float *)h.data[1])[0] == lanes[0]);
  }
}
END_TEST

START_TEST(reductions_of_uniform_values) {
  // Values that do not vary along the vector axis still count once per element.
  for (int inner = 0; inner < 2; inner++) {
    builder b;
    build_begin(&b, inner, 2, 2, (int64_t[]){3, 5, 4, 70});
    if (!inner) build_grain(&b, 5);
    build_stage(&b, true);
    const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32);
    harness_buffer(&h, &b, x, 300, false);
    harness_buffer(&h, &b, y, 15, false);
    const uint32_t one = build_f(&b, SN_F32, 1);
    const uint32_t row = build_load(&b, build_access(&b, x, 0, (int64_t[]){0, 0, 1, 0}));
    const uint32_t outer = build_load(&b, build_access(&b, x, 0, (int64_t[]){1, 0, 0, 0}));
    const uint32_t a = build_reduce(&b, SNI_KOP_ADD, one), c = build_reduce(&b, SNI_KOP_ADD, row);
    const uint32_t d = build_reduce(&b, SNI_KOP_MAX, outer);
    build_stage(&b, false);
    build_store(&b, build_access(&b, y, 0, (int64_t[]){5, 1, 0, 0}),
                build_2(&b, SNI_KOP_ADD, a, build_2(&b, SNI_KOP_MUL, c, d)));
    harness_check(&h, &b, NULL);
    harness_next(&h);
  }
}
END_TEST

// ---- several stages

// softmax rows with row scratch: max; exp(x - max) to scratch and its sum; 1 / sum; store.
static void build_softmax(builder *b, bool vector_inner, sn_dtype dtype, int64_t rows,
                          int64_t columns, int64_t cut, bool as_param) {
  build_begin(b, vector_inner, 1, 1, (int64_t[]){as_param ? -1 : rows, columns});
  b->k.n_params = as_param;
  if (!vector_inner) build_grain(b, cut);
  const uint32_t x = build_buffer(b, dtype), y = build_buffer(b, dtype);
  const int64_t dense[] = {columns, 1};
  const uint32_t ax = build_access(b, x, 0, dense), ay = build_access(b, y, 0, dense);
  const int slot = build_slot(b, dtype);
  build_stage(b, true);
  const uint32_t m = build_reduce(b, SNI_KOP_MAX, build_load(b, ax));
  build_stage(b, true);
  const uint32_t e = build_1(b, SNI_KOP_EXP, build_2(b, SNI_KOP_SUB, build_load(b, ax), m));
  build_scratch_store(b, slot, e);
  const uint32_t sum = build_reduce(b, SNI_KOP_ADD, e);
  build_stage(b, false);
  const uint32_t inverse = build_2(b, SNI_KOP_DIV, build_f(b, dtype, 1), sum);
  build_stage(b, true);
  build_store(b, ay, build_2(b, SNI_KOP_MUL, build_scratch_load(b, slot), inverse));
}

START_TEST(softmax) {
  static const int64_t shapes[][2] = {{32, 10}, {3, 1}, {5, 64}, {2, 1100}, {7, 1025}};
  for (int inner = 0; inner < 2; inner++)
    for (size_t s = 0; s < SNI_COUNT_OF(shapes); s++)
      for (int wide = 0; wide < 2; wide++)
        for (int p = 0; p < 2; p++) {
          builder b;
          build_softmax(&b, inner, wide ? SN_F64 : SN_F32, shapes[s][0], shapes[s][1], 5, p);
          const size_t count = (size_t)(shapes[s][0] * shapes[s][1]);
          harness_buffer(&h, &b, 0, count, false);
          harness_buffer(&h, &b, 1, count, true);
          harness_check(&h, &b, shapes[s]);
          harness_next(&h);
        }
}
END_TEST

START_TEST(scratch_updated_in_place) {
  for (int inner = 0; inner < 2; inner++) {
    builder b;
    build_begin(&b, inner, 1, 1, (int64_t[]){6, 200});
    if (!inner) build_grain(&b, 4);
    const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32);
    harness_buffer(&h, &b, x, 1200, false);
    harness_buffer(&h, &b, y, 1200, false);
    const int64_t dense[] = {200, 1};
    const int slot = build_slot(&b, SN_F32), constant = build_slot(&b, SN_F32);
    build_stage(&b, true);
    build_scratch_store(&b, slot, build_load(&b, build_access(&b, x, 0, dense)));
    build_scratch_store(&b, constant, build_f(&b, SN_F32, 3));
    build_stage(&b, true);
    const uint32_t v = build_scratch_load(&b, slot);
    const uint32_t w = build_2(&b, SNI_KOP_MUL, v, v);
    build_scratch_store(&b, slot, w);
    // v is the old one
    const uint32_t sum = build_reduce(&b, SNI_KOP_ADD, build_2(&b, SNI_KOP_SUB, v, w));
    build_stage(&b, true);
    const uint32_t scaled =
        build_2(&b, SNI_KOP_MUL, build_scratch_load(&b, slot), build_scratch_load(&b, constant));
    build_store(&b, build_access(&b, y, 0, dense), build_2(&b, SNI_KOP_ADD, scaled, sum));
    harness_check(&h, &b, NULL);
    harness_next(&h);
  }
}
END_TEST

START_TEST(column_reduction_with_stages_around) {
  // An outer vector nest: outer stage, inner stage that uses it, outer stage after it, inner stage
  // again.
  builder b;
  build_begin(&b, false, 2, 2, (int64_t[]){2, 150, 3, 4});
  build_grain(&b, 70);
  const uint32_t x = build_buffer(&b, SN_F64), bias = build_buffer(&b, SN_F64),
                 y = build_buffer(&b, SN_F64), z = build_buffer(&b, SN_F64);
  harness_buffer(&h, &b, x, 3600, false);
  harness_buffer(&h, &b, bias, 150, false);
  harness_buffer(&h, &b, y, 300, false);
  harness_buffer(&h, &b, z, 3600, false);
  const int64_t all[] = {1800, 1, 600, 150}, outer[] = {150, 1, 0, 0}, last[] = {0, 1, 0, 0};
  build_stage(&b, false);
  const uint32_t c = build_1(&b, SNI_KOP_NEG, build_load(&b, build_access(&b, bias, 0, last)));
  const uint32_t i =
      build_inst(&b, (nest_inst){.op = SNI_KOP_INDEX, .dtype = SN_I32, .imm.axis = 0});
  const uint32_t fi = build_convert(&b, SNI_KOP_CAST, SN_F64, i);
  build_stage(&b, true);
  const uint32_t ax = build_access(&b, x, 0, all);
  const uint32_t k =
      build_inst(&b, (nest_inst){.op = SNI_KOP_INDEX, .dtype = SN_I64, .imm.axis = 3});
  const uint32_t fk = build_convert(&b, SNI_KOP_CAST, SN_F64, k);
  const uint32_t v = build_3(&b, SNI_KOP_FMA, build_load(&b, ax), fk, c);
  const uint32_t sum = build_reduce(&b, SNI_KOP_ADD, v), least = build_reduce(&b, SNI_KOP_MIN, v);
  const uint32_t count = build_reduce(&b, SNI_KOP_ADD, fk);
  build_stage(&b, false);
  const uint32_t mean = build_2(&b, SNI_KOP_DIV, build_2(&b, SNI_KOP_ADD, sum, fi), count);
  build_store(&b, build_access(&b, y, 0, outer), build_2(&b, SNI_KOP_SUB, mean, least));
  build_stage(&b, true);
  build_store(&b, build_access(&b, z, 0, all), build_2(&b, SNI_KOP_SUB, build_load(&b, ax), mean));
  harness_check(&h, &b, NULL);
}
END_TEST

START_TEST(stored_values_are_used_again) {
  builder b;
  build_begin(&b, true, 2, 1, (int64_t[]){2, 3, 1300});
  const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32),
                 z = build_buffer(&b, SN_BOOL), s = build_buffer(&b, SN_F32);
  harness_buffer(&h, &b, x, 7800, false);
  harness_buffer(&h, &b, y, 7800, false);
  harness_buffer(&h, &b, z, 7800, false);
  harness_buffer(&h, &b, s, 6, false);
  const int64_t dense[] = {3900, 1300, 1};
  build_stage(&b, false);
  const uint32_t two = build_f(&b, SN_F32, 2);
  build_stage(&b, true);
  const uint32_t v = build_2(&b, SNI_KOP_MUL, build_load(&b, build_access(&b, x, 0, dense)), two);
  build_store(&b, build_access(&b, y, 0, dense), v);
  const uint32_t positive = build_compare(&b, SNI_KOP_LT, build_f(&b, SN_F32, 0), v);
  build_store(&b, build_access(&b, z, 0, dense), positive);
  const uint32_t n =
      build_reduce(&b, SNI_KOP_ADD, build_convert(&b, SNI_KOP_CAST, SN_F32, positive));
  const uint32_t sum = build_reduce(&b, SNI_KOP_ADD, v);
  const uint32_t any_positive = build_reduce(&b, SNI_KOP_MAX, positive);
  build_stage(&b, false);
  const uint32_t mean = build_2(&b, SNI_KOP_DIV, sum, n);
  build_store(&b, build_access(&b, s, 0, (int64_t[]){3, 1, 0}),
              build_3(&b, SNI_KOP_SELECT, any_positive, mean, two));
  harness_check(&h, &b, NULL);
}
END_TEST

// ---- indices

// y[i, j] = x[index[i], j] (rows) or x[i, index[j]] (columns), after a check.
static bool check_gather(bool rows, int64_t bad, int64_t table_rows) {
  builder b;
  const int64_t n = 90, m = 40;
  build_begin(&b, false, 2, 0, (int64_t[]){m, n});
  build_grain(&b, 64);
  build_stage(&b, false);
  const uint32_t index = build_buffer(&b, SN_I64), x = build_buffer(&b, SN_F32),
                 y = build_buffer(&b, SN_F32);
  const int64_t count = rows ? m : n;
  int64_t *at = harness_buffer(&h, &b, index, (size_t)count, false);
  for (int64_t i = 0; i < count; i++)
    at[i] = table_rows ? (int64_t)(harness_random(&h) % (uint64_t)table_rows) : 0;
  if (bad) at[5] = bad;
  harness_buffer(&h, &b, x, (size_t)(rows ? table_rows * n : m * table_rows), true);
  harness_buffer(&h, &b, y, (size_t)(m * n), true);
  const uint32_t raw = build_load(&b, build_access(&b, index, 0, (int64_t[]){rows, !rows}));
  uint32_t v = build_inst(&b, (nest_inst){.op = SNI_KOP_CHECK_INDEX,
                                          .dtype = SN_I64,
                                          .operands = {raw},
                                          .imm.size = sni_extent_constant(table_rows)});
  if (rows) v = build_2(&b, SNI_KOP_MUL, v, build_i(&b, SN_I64, n));
  const uint32_t access = build_access(&b, x, 0, (int64_t[]){rows ? 0 : table_rows, rows});
  b.accesses[access].index = v;
  build_store(&b, build_access(&b, y, 0, (int64_t[]){n, 1}),
              build_1(&b, SNI_KOP_NEG, build_load(&b, access)));
  if (!table_rows) {  // nothing to clamp to: a fault, and no load
    const bool fault =
        tree_interpret(harness_expand(&h, &b), &sni_interp_blocks_baseline, h.data, NULL, 100);
    harness_next(&h);
    return fault;
  }
  const bool fault = harness_check(&h, &b, NULL);
  harness_next(&h);
  return fault;
}

START_TEST(gather) {
  for (int rows = 0; rows < 2; rows++) {
    ck_assert(!check_gather(rows, 0, 17));
    ck_assert(check_gather(rows, 17, 17));
    ck_assert(check_gather(rows, -1, 17));
    ck_assert(check_gather(rows, INT64_MIN, 17));
    ck_assert(check_gather(rows, 0, 0));
  }
}
END_TEST

START_TEST(gather_in_a_reduction) {
  // sum over j of table[index[i, j], v]: the index is single for each block of v.
  builder b;
  build_begin(&b, false, 2, 1, (int64_t[]){4, 130, 6});
  build_grain(&b, 130);
  build_stage(&b, true);
  const uint32_t index = build_buffer(&b, SN_I64), table = build_buffer(&b, SN_F32),
                 y = build_buffer(&b, SN_F32);
  int64_t *at = harness_buffer(&h, &b, index, 24, false);
  for (int i = 0; i < 24; i++) at[i] = (i * 7) % 10 * 130;
  harness_buffer(&h, &b, table, 1300, false);
  harness_buffer(&h, &b, y, 520, false);
  const uint32_t access = build_access(&b, table, 0, (int64_t[]){0, 1, 0});
  b.accesses[access].index = build_load(&b, build_access(&b, index, 0, (int64_t[]){6, 0, 1}));
  const uint32_t sum = build_reduce(&b, SNI_KOP_ADD, build_load(&b, access));
  build_stage(&b, false);
  build_store(&b, build_access(&b, y, 0, (int64_t[]){130, 1, 0}), sum);
  harness_check(&h, &b, NULL);
}
END_TEST

// y[index[i], j] combined with c[i, j], with collisions; columns 1: they collide inside a block. The last rounds replace
// elements.
START_TEST(scatters) {
  const int n_numbers = (int)SNI_COUNT_OF(numbers), n_combiners = (int)SNI_COUNT_OF(combiners);
  for (int round = 0; round < n_numbers * (n_combiners + 1); round++) {
    const int d = round % n_numbers, which = round / n_numbers;
    const sni_kop combiner = which < n_combiners ? combiners[which] : SNI_KOP_COPY;
    for (int columns = 1; columns < 200; columns += 99) {
      builder b;
      const bool flat = columns == 1;
      build_begin(&b, false, flat ? 1 : 2, 0, flat ? (int64_t[]){150} : (int64_t[]){150, columns});
      build_grain(&b, 64);
      b.k.serial = true;
      build_stage(&b, false);
      const uint32_t index = build_buffer(&b, SN_I64), c = build_buffer(&b, numbers[d]),
                     y = build_buffer(&b, numbers[d]);
      int64_t *at = harness_buffer(&h, &b, index, 150, false);
      for (int i = 0; i < 150; i++) at[i] = (int64_t)(harness_random(&h) % 9) * columns;
      harness_buffer(&h, &b, c, (size_t)(150 * columns), false);
      harness_buffer(&h, &b, y, (size_t)(9 * columns), false);
      const int64_t dense2[] = {columns, 1}, first[] = {1, 0}, last[] = {0, 1}, none[] = {0};
      const uint32_t v = build_load(&b, build_access(&b, c, 0, flat ? first : dense2));
      const uint32_t access = build_access(&b, y, 0, flat ? none : last);
      b.accesses[access].index = build_load(&b, build_access(&b, index, 0, first));
      build_inst(
          &b,
          (nest_inst){
              .op = SNI_KOP_UPDATE, .access = access, .operands = {v}, .imm.combiner = combiner});
      harness_check(&h, &b, NULL);
      harness_next(&h);
    }
  }
}
END_TEST

START_TEST(scatter_add_of_a_constant) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){100});
  build_grain(&b, 100);
  b.k.serial = true;
  build_stage(&b, false);
  const uint32_t index = build_buffer(&b, SN_I64), y = build_buffer(&b, SN_I32);
  int64_t *at = harness_buffer(&h, &b, index, 100, false);
  for (int i = 0; i < 100; i++) at[i] = i % 7;
  harness_buffer(&h, &b, y, 7, false);
  const uint32_t access = build_access(&b, y, 0, (int64_t[]){0});
  b.accesses[access].index = build_load(&b, build_access(&b, index, 0, (int64_t[]){1}));
  build_inst(&b, (nest_inst){.op = SNI_KOP_UPDATE,
                             .access = access,
                             .operands = {build_i(&b, SN_I32, 1)},
                             .imm.combiner = SNI_KOP_ADD});
  harness_check(&h, &b, NULL);
}
END_TEST

START_TEST(indexed_store) {
  for (size_t d = 0; d < SNI_COUNT_OF(any); d++) {
    builder b;
    build_begin(&b, false, 1, 0, (int64_t[]){100});
    build_grain(&b, 30);
    build_stage(&b, false);
    const uint32_t index = build_buffer(&b, SN_I64), x = build_buffer(&b, any[d]),
                   y = build_buffer(&b, any[d]);
    int64_t *at = harness_buffer(&h, &b, index, 100, false);
    for (int i = 0; i < 100; i++) at[i] = (i * 37) % 101;
    harness_buffer(&h, &b, x, 101, true);
    harness_buffer(&h, &b, y, 101, true);
    const uint32_t moved = build_load(&b, build_access(&b, index, 0, (int64_t[]){1}));
    const uint32_t from = build_access(&b, x, 0, (int64_t[]){0}),
                   to = build_access(&b, y, 0, (int64_t[]){0});
    b.accesses[from].index = b.accesses[to].index = moved;
    build_store(&b, to, build_load(&b, from));
    harness_check(&h, &b, NULL);
    harness_next(&h);
  }
}
END_TEST

// ---- contractions

typedef struct product_case {
  int64_t batch, m, n, k;
  bool ta, tb;
  int64_t m_grain, n_grain;
} product_case;

// y = max(sum_k a b + bias[n] * scale[m], 0), f32 or f64; integers without the maximum; z = the
// bare product.
static void check_product(sn_dtype dtype, const product_case *c, bool as_params, bool epilogue) {
  builder b;
  const int64_t extents[] = {c->batch, c->m, c->n}, unknown[] = {c->batch, -1, -2};
  build_begin(&b, false, 3, 0, as_params ? unknown : extents);
  b.k.grain[1] = c->m_grain;
  b.k.grain[2] = c->n_grain;
  build_stage(&b, false);
  const uint32_t a = build_buffer(&b, dtype), w = build_buffer(&b, dtype),
                 y = build_buffer(&b, dtype);
  const uint32_t bias = build_buffer(&b, dtype), scale = build_buffer(&b, dtype),
                 z = build_buffer(&b, dtype);
  harness_buffer(&h, &b, a, (size_t)(c->batch * c->m * c->k), false);
  harness_buffer(&h, &b, w, (size_t)(c->batch * c->k * c->n), false);
  harness_buffer(&h, &b, y, (size_t)(c->batch * c->m * c->n), true);
  harness_buffer(&h, &b, bias, (size_t)c->n, false);
  harness_buffer(&h, &b, scale, (size_t)c->m, false);
  harness_buffer(&h, &b, z, (size_t)(c->batch * c->m * c->n), true);
  const int64_t lhs[] = {c->m * c->k, c->ta ? 1 : c->k, 0},
                rhs[] = {c->k * c->n, 0, c->tb ? c->k : 1};
  const int64_t dense[] = {c->m * c->n, c->n, 1};
  b.k.contraction =
      (nest_contraction){.present = true,
                         .lhs = build_access(&b, a, 0, lhs),
                         .rhs = build_access(&b, w, 0, rhs),
                         .k_extent = as_params ? (sni_extent){0, 2} : sni_extent_constant(c->k),
                         .lhs_k_stride = sni_extent_constant(c->ta ? c->m : 1),
                         .rhs_k_stride = sni_extent_constant(c->tb ? 1 : c->n)};
  b.k.n_params = as_params ? 3 : 0;
  b.buffers[a].read = b.buffers[w].read = true;
  const uint32_t sum = build_inst(&b, (nest_inst){.op = SNI_KOP_CONTRACTION, .dtype = dtype});
  uint32_t v = sum;
  if (epilogue) {
    const uint32_t s = build_load(&b, build_access(&b, scale, 0, (int64_t[]){0, 1, 0}));
    const uint32_t t =
        build_2(&b, SNI_KOP_MUL, build_load(&b, build_access(&b, bias, 0, (int64_t[]){0, 0, 1})),
                build_1(&b, SNI_KOP_NEG, s));
    v = build_2(&b, SNI_KOP_ADD, sum, t);
    for (int axis = 1; axis < 3; axis++) {
      const uint32_t i =
          build_inst(&b, (nest_inst){.op = SNI_KOP_INDEX, .dtype = SN_I32, .imm.axis = axis});
      const uint32_t f = dtype == SN_I32 ? i : build_convert(&b, SNI_KOP_CAST, dtype, i);
      v = build_2(&b, SNI_KOP_ADD, v, axis == 1 ? f : build_2(&b, SNI_KOP_MUL, f, f));
    }
    if (is_float(dtype)) v = build_2(&b, SNI_KOP_MAX, v, build_f(&b, dtype, 0));
    build_store(&b, build_access(&b, z, 0, dense), sum);
  }
  build_store(&b, build_access(&b, y, 0, dense), v);
  harness_check(&h, &b, (int64_t[]){c->m, c->n, c->k});
  harness_next(&h);
}

START_TEST(contractions) {
  static const product_case cases[] = {
      {1, 1, 1, 1, 0, 0, 64, 64},       {1, 32, 30, 8, 0, 0, 64, 64},
      {1, 7, 65, 20, 0, 0, 4, 64},      {1, 50, 100, 300, 0, 0, 50, 100},
      {1, 13, 33, 17, 1, 0, 13, 33},    {1, 13, 33, 17, 0, 1, 6, 16},
      {1, 20, 40, 270, 1, 1, 20, 40},   {2, 9, 10, 5, 0, 0, 5, 8},
      {3, 6, 64, 64, 0, 0, 6, 64},      {1, 1, 100, 100, 0, 0, 8, 256},
      {1, 100, 1, 30, 0, 0, 64, 8},     {1, 4, 5, 0, 0, 0, 4, 5},
      {1, 0, 5, 3, 0, 0, 4, 5},         {1, 5, 0, 3, 0, 0, 4, 5},
      {1, 25, 300, 600, 0, 0, 25, 300}, {1, 6, 129, 513, 0, 1, 6, 129},
      {2, 70, 3, 20, 0, 0, 32, 3},      {1, 70, 4, 20, 1, 1, 70, 8},
      {1, 61, 16, 31, 1, 0, 61, 16}};
  for (size_t d = 0; d < SNI_COUNT_OF(numbers); d++)
    for (size_t i = 0; i < SNI_COUNT_OF(cases); i++)
      for (int p = 0; p < 2; p++) check_product(numbers[d], &cases[i], p, i % 3 != 0);
}
END_TEST

// ---- memory

START_TEST(every_allocation_may_fail) {
  builder b;
  build_softmax(&b, true, SN_F32, 4, 10, 1, true);
  const sni_tree *tree = harness_expand(&h, &b);
  size_t needed = 0;
  for (size_t limit = 64;; limit += limit / 8) {
    sni_allocator small;
    sni_allocator_init(&small, NULL, limit);
    sni_diag diag = {0};
    sni_interp_code *code = NULL;
    const sn_status status = sni_interp_prepare(tree, &small, &diag, &code);
    if (status) {
      ck_assert_int_eq(status, SN_ERR_MEMORY);
      ck_assert(code == NULL);
      ck_assert_uint_eq(small.bytes, 0);
      continue;
    }
    sni_interp_release(code, &small);
    ck_assert_uint_eq(small.bytes, 0);
    needed = limit;
    break;
  }
  ck_assert_uint_gt(needed, 64);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("interp_nests");
  TCase *tests = tcase_create("interp_nests");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, reductions);
  tcase_add_test(tests, negative_zero_sums);
  tcase_add_test(tests, signed_zero_extremes);
  tcase_add_test(tests, lane_order);
  tcase_add_test(tests, reductions_of_uniform_values);
  tcase_add_test(tests, softmax);
  tcase_add_test(tests, scratch_updated_in_place);
  tcase_add_test(tests, column_reduction_with_stages_around);
  tcase_add_test(tests, stored_values_are_used_again);
  tcase_add_test(tests, gather);
  tcase_add_test(tests, gather_in_a_reduction);
  tcase_add_test(tests, scatters);
  tcase_add_test(tests, scatter_add_of_a_constant);
  tcase_add_test(tests, indexed_store);
  tcase_add_test(tests, contractions);
  tcase_add_test(tests, every_allocation_may_fail);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
