// Random kernels in the interpreter against the model: mixtures of stages, dtypes, reductions, row
// scratch, broadcasts, layouts and stores in place that nobody would write down.
#include "tests/unit/codegen/interp_harness.h"

static harness h;
static void setup(void) {
  harness_begin(&h);
}
static void teardown(void) {
  harness_end(&h);
}

enum { most_values = 120 };

typedef struct maker {
  builder b;
  uint32_t values[most_values];  // that the stage at hand may use
  int n_values, n_outer_values;  // the latter: also later stages
  bool inner;
  int n_axes;
} maker;

static int64_t pick(int64_t count) {
  return (int64_t)(harness_random(&h) >> 20) % count;
}

static void add_value(maker *m, uint32_t value) {
  if (m->n_values < most_values) m->values[m->n_values++] = value;
}

static sn_dtype dtype_of(const maker *m, uint32_t value) {
  return m->b.insts[value].dtype;
}

// A value of the dtype (SN_DTYPE_COUNT: of any), or SNI_NO_VALUE.
static uint32_t pick_value(const maker *m, sn_dtype dtype) {
  for (int tries = 0; m->n_values && tries < 20; tries++) {
    const uint32_t v = m->values[pick(m->n_values)];
    if (dtype == SN_DTYPE_COUNT || dtype_of(m, v) == dtype) return v;
  }
  return SNI_NO_VALUE;
}

// An access to a new buffer along the axes of the mask, in a random order of axes, with room for
// it.
static uint32_t add_access(maker *m, sn_dtype dtype, uint32_t mask) {
  builder *b = &m->b;
  const uint32_t buffer = build_buffer(b, dtype);
  int order[nest_axes];
  for (int i = 0; i < m->n_axes; i++) order[i] = i;
  for (int i = m->n_axes - 1; i > 0; i--) {
    const int j = (int)pick(i + 1), axis = order[i];
    order[i] = order[j];
    order[j] = axis;
  }
  if (pick(2)) {  // the vector axis is dense, as it mostly is
    const int vector = nest_vector_axis(&b->k);
    for (int i = 0; i < m->n_axes; i++) {
      if (order[i] != vector) continue;
      order[i] = order[0];
      order[0] = vector;
    }
  }
  int64_t strides[nest_axes] = {0}, size = 1;
  for (int i = 0; i < m->n_axes; i++) {
    if (!(mask >> order[i] & 1)) continue;
    strides[order[i]] = size;
    size *= b->k.extent[order[i]].value;
  }
  const bool backwards = size && pick(6) == 0;
  for (int i = 0; backwards && i < m->n_axes; i++) strides[i] = -strides[i];
  harness_buffer(&h, b, buffer, (size_t)size, pick(4) == 0);
  return build_access(b, buffer, backwards ? size - 1 : 0, strides);
}

static uint32_t stage_axes(const maker *m) {
  return (1u << (m->inner ? m->n_axes : m->b.k.n_outer)) - 1;
}

static sn_dtype pick_dtype(void) {
  static const sn_dtype dtypes[] = {SN_F32, SN_F32, SN_F32, SN_F64, SN_I32, SN_I64, SN_BOOL};
  return dtypes[pick(SNI_COUNT_OF(dtypes))];
}

static bool is_float(sn_dtype dtype) {
  return dtype == SN_F32 || dtype == SN_F64;
}

static void add_source(maker *m) {
  builder *b = &m->b;
  const sn_dtype dtype = pick_dtype();
  const int64_t kind = pick(5);
  if (kind == 0) {
    add_value(m, is_float(dtype) ? build_f(b, dtype, (double)pick(9) * 0.25 - 1)
                                 : build_i(b, dtype, pick(2)));
  } else if (kind == 1) {
    const int64_t n_axes = m->inner ? m->n_axes : b->k.n_outer;
    const int axis = n_axes ? (int)pick(n_axes) : 0;
    if (n_axes)
      add_value(m, build_inst(b, (nest_inst){.op = SNI_KOP_INDEX,
                                             .dtype = pick(2) ? SN_I32 : SN_I64,
                                             .imm.axis = axis}));
  } else if (b->k.n_buffers < harness_buffers - 5) {
    const uint32_t mask = stage_axes(m) & (pick(3) ? UINT32_MAX : (uint32_t)pick(256));
    add_value(m, build_load(b, add_access(m, dtype, mask)));
  }
}

static void add_operation(maker *m) {
  static const sni_kop number[] = {SNI_KOP_ADD, SNI_KOP_SUB, SNI_KOP_MUL,
                                   SNI_KOP_MAX, SNI_KOP_MIN, SNI_KOP_DIV};
  static const sni_kop unary[] = {SNI_KOP_NEG,   SNI_KOP_ABS, SNI_KOP_COPY, SNI_KOP_SQRT,
                                  SNI_KOP_FLOOR, SNI_KOP_EXP, SNI_KOP_TANH};
  builder *b = &m->b;
  const uint32_t a = pick_value(m, SN_DTYPE_COUNT);
  if (a == SNI_NO_VALUE) return;
  const sn_dtype dtype = dtype_of(m, a);
  const uint32_t c = pick_value(m, dtype), d = pick_value(m, dtype),
                 condition = pick_value(m, SN_BOOL);
  const int64_t kind = pick(7);
  if (kind == 0) {
    add_value(m, build_convert(b, SNI_KOP_CAST, pick_dtype(), a));
  } else if (kind == 1 && dtype != SN_BOOL) {
    add_value(m, build_1(b, unary[pick(is_float(dtype) ? 7 : 3)], a));
  } else if (kind == 2 && is_float(dtype) && c != SNI_NO_VALUE && d != SNI_NO_VALUE) {
    add_value(m, build_3(b, SNI_KOP_FMA, a, c, d));
  } else if (kind == 3 && condition != SNI_NO_VALUE && c != SNI_NO_VALUE) {
    add_value(m, build_3(b, SNI_KOP_SELECT, condition, a, c));
  } else if (kind == 4 && dtype != SN_BOOL && c != SNI_NO_VALUE) {
    add_value(m, build_compare(b, pick(2) ? SNI_KOP_LT : SNI_KOP_EQ, a, c));
  } else if (dtype == SN_BOOL) {
    add_value(m, c == SNI_NO_VALUE || pick(3) == 0
                     ? build_1(b, SNI_KOP_NOT, a)
                     : build_2(b, pick(2) ? SNI_KOP_AND : SNI_KOP_XOR, a, c));
  } else if (c != SNI_NO_VALUE) {
    add_value(m, build_2(b, number[pick(SNI_COUNT_OF(number))], a, c));
  }
}

// A store to memory of its own, or over memory that is loaded first at the same elements.
static void add_store(maker *m) {
  builder *b = &m->b;
  if (b->k.n_buffers >= harness_buffers - 2) return;
  const uint32_t a = pick_value(m, SN_DTYPE_COUNT);
  if (a == SNI_NO_VALUE) return;
  const sn_dtype dtype = dtype_of(m, a);
  const uint32_t access = add_access(m, dtype, stage_axes(m));
  if (pick(3) == 0) {
    const uint32_t twin = build_buffer(b, dtype);
    b->accesses[b->k.n_accesses] = b->accesses[access];
    b->accesses[b->k.n_accesses].buffer = twin;
    harness_share(&h, b, twin, b->accesses[access].buffer);
    const uint32_t loaded = build_load(b, b->k.n_accesses++);
    if (pick(2)) add_value(m, loaded);
    if (dtype != SN_BOOL) {
      const uint32_t sum = build_2(b, SNI_KOP_ADD, loaded, a);
      build_store(b, access, sum);
      if (pick(2)) add_value(m, sum);
      return;
    }
  }
  build_store(b, access, a);
}

static void add_stage(maker *m, bool inner) {
  static const sni_kop combiners[] = {SNI_KOP_ADD, SNI_KOP_MAX, SNI_KOP_MIN, SNI_KOP_MUL};
  builder *b = &m->b;
  m->inner = inner;
  build_stage(b, inner);
  uint32_t reductions[8];
  int n_reductions = 0;
  for (int64_t i = 4 + pick(14); i > 0; i--) {
    const int64_t kind = pick(12);
    const uint32_t v = pick_value(m, SN_DTYPE_COUNT);
    if (kind < 4) {
      add_source(m);
    } else if (kind == 4 && inner && n_reductions < 8 && v != SNI_NO_VALUE) {
      reductions[n_reductions++] =
          build_reduce(b, combiners[dtype_of(m, v) == SN_BOOL ? 1 + pick(2) : pick(4)], v);
    } else if (kind == 5 && inner && v != SNI_NO_VALUE && b->k.n_slots < 3) {
      build_scratch_store(b, build_slot(b, dtype_of(m, v)), v);
    } else if (kind == 6 && inner && b->k.n_slots) {
      add_value(m, build_scratch_load(b, (int)pick(b->k.n_slots)));
    } else if (kind == 7) {
      add_store(m);
    } else {
      add_operation(m);
    }
  }
  add_store(m);
  if (inner) m->n_values = m->n_outer_values;
  for (int i = 0; i < n_reductions; i++) add_value(m, reductions[i]);
  m->n_outer_values = m->n_values;
}

static void make_param(nest *k, int64_t *params, sni_extent *size) {
  params[k->n_params] = size->value;
  *size = (sni_extent){0, k->n_params++};
}

// The same kernel with its numbers given at run time.
static void make_dynamic(builder *b, int64_t *params) {
  const int constant = b->k.n_slots ? b->k.n_outer : b->k.n_outer + b->k.n_inner;
  for (int i = 0; i < constant; i++) make_param(&b->k, params, &b->k.extent[i]);
  for (uint32_t i = 0; i < b->k.n_accesses; i++) {
    if (pick(2)) make_param(&b->k, params, &b->accesses[i].offset);
    for (int axis = 0; axis < b->k.n_outer + b->k.n_inner; axis++)
      if (b->accesses[i].stride[axis].value)
        make_param(&b->k, params, &b->accesses[i].stride[axis]);
  }
}

static void check_random_kernel(void) {
  maker m = {0};
  const int n_outer = (int)pick(3), n_inner = (int)pick(3);
  const bool vector_inner = n_outer == 0 || (n_inner && pick(2));
  if (vector_inner && !n_inner) return;
  int64_t extents[4];
  m.n_axes = n_outer + n_inner;
  for (int i = 0; i < m.n_axes; i++) extents[i] = pick(12) ? 1 + pick(5) : 0;
  const int vector = vector_inner ? m.n_axes - 1 : n_outer - 1;
  if (extents[vector]) extents[vector] = 1 + pick(pick(4) ? 40 : 200);
  build_begin(&m.b, vector_inner, n_outer, n_inner, extents);
  if (!vector_inner) build_grain(&m.b, 1 + pick(100));
  const int64_t n_stages = 1 + pick(4);
  for (int64_t s = 0; s < n_stages; s++) add_stage(&m, n_inner && pick(3));
  harness_check(&h, &m.b, NULL);
  int64_t params[32 * nest_axes];
  make_dynamic(&m.b, params);
  harness_check(&h, &m.b, params);
}

START_TEST(random_kernels) {
  for (int i = 0; i < 400; i++) {
    h.random = 1000003u * (uint64_t)(_i * 400 + i) + 88172645463325252ull;
    check_random_kernel();
    harness_next(&h);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("interp_random");
  TCase *tests = tcase_create("interp_random");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, random_kernels, 0, 5);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
