// Random trees that are sound and mean one thing: every kind of item in every other, extents of 0
// and 1, constants and parameters, strides of all signs, ranges that hold always, sometimes or
// never, all dtypes and operations, reductions over several loops, rows in scratch, contractions
// with what stands before and behind them, carries, conditions, several roots and phases.
//
// What keeps them to one meaning: each store goes to memory of its own, at distinct elements along
// all loops but sequential ones (or over elements that the same block has just loaded); scratch is
// filled where its loop begins and changed at that level alone; what another root wrote is read
// behind a barrier.
#ifndef SNI_TESTS_TREE_RANDOM_H
#define SNI_TESTS_TREE_RANDOM_H

#include "tests/unit/codegen/tree_random_insts.h"

// ---- loops

static void random_body(random_maker *g, int room);

static bool random_has_lanes(const random_maker *g) {
  for (int i = 0; i < g->n_loops; i++)
    if (g->loops[i].lanes) return true;
  return false;
}

typedef struct random_mark {
  int n_values, n_rows;
  int64_t runs;
  uint32_t outside_lanes;
} random_mark;

static random_mark random_open(random_maker *g, random_loop loop, int64_t grain) {
  const random_mark mark = {g->n_values, g->n_rows, g->runs, g->outside_lanes};
  static const uint32_t sequential_chunks[] = {2, 3, 64}, lanes_chunks[] = {64, 128};
  sni_loop_item item = {.kind = (uint16_t)loop.kind,
                        .order = (uint16_t)loop.order,
                        .extent = random_extent(g, loop.extent),
                        .strip = SNI_NO_ITEM,
                        .axis = (uint32_t)random_pick(g, 4)};
  if (loop.strip >= 0) {
    item.strip = g->loops[loop.strip].item;
    item.whole = random_extent(g, loop.whole);
  }
  if (loop.chunk)
    item.chunk = loop.order == SNI_ORDER_LANES ? lanes_chunks[random_pick(g, 2)]
                                               : sequential_chunks[random_pick(g, 3)];
  const bool first_lanes = loop.lanes;
  loop.item = sni_tree_open_loop(
      &g->b, item, (sni_schedule){.grain = grain, .grid = grain > 0, .lanes = loop.lanes});
  if (first_lanes) g->outside_lanes = g->b.n_insts;
  g->loops[g->n_loops++] = loop;
  g->runs *= loop.extent > 1 ? loop.extent : 1;
  return mark;
}

static void random_close(random_maker *g, random_mark mark) {
  sni_tree_close(&g->b);
  g->n_loops--;
  g->n_values = mark.n_values;
  g->n_rows = mark.n_rows;
  g->runs = mark.runs;
  g->outside_lanes = mark.outside_lanes;
}

// 0 and 1 now and then; long ones for lanes, so that there are whole vectors and rests.
static int64_t random_trips(random_maker *g, bool lanes) {
  int64_t most = random_most_runs / (g->runs ? g->runs : 1);
  if (most < 1) most = 1;
  int64_t extent = 1 + random_pick(g, lanes ? (random_pick(g, 3) ? 40 : 200) : 5);
  if (random_pick(g, 14) == 0) extent = random_pick(g, 3) ? 1 : 0;
  return extent < most ? extent : most;
}

// Fills a new row of the innermost loop, which everything behind may read.
static void random_fill_row(random_maker *g) {
  if (!g->n_loops || g->n_rows == 16 || !random_has_room(g) || g->n_loops + 2 > random_loops)
    return;
  const sn_dtype dtype = random_dtype(g);
  const bool local = random_pick(g, 4) == 0, lanes = !random_has_lanes(g) && random_pick(g, 4);
  const bool two = !local && random_pick(g, 3) == 0 && g->n_loops + 3 <= random_loops;
  const int64_t outer = two ? 1 + random_pick(g, 3) : 1;
  int64_t inner = local ? 1 + random_pick(g, 4) : random_trips(g, lanes);
  if (inner * outer * g->runs > 4 * random_most_runs || inner < 1) inner = 1;
  const random_row row = {
      .buffer = sni_tree_add_buffer(
          &g->b, (sni_tree_buffer){.dtype = (uint8_t)dtype,
                                   .space = local ? SNI_SPACE_LOCAL : SNI_SPACE_ROW,
                                   .scope = g->loops[g->n_loops - 1].item,
                                   .elements = inner * outer}),
      .dtype = dtype,
      .elements = inner * outer,
      .depth = g->n_loops};
  sni_tree_access access = sni_tree_access_to(row.buffer);
  if (local) {
    for (int64_t i = 0; i < inner; i++) {
      const uint32_t value = random_value_of(g, dtype);
      access.offset = sni_extent_constant(i);
      random_put(g, SNI_KOP_STORE, access, value);
    }
    g->rows[g->n_rows++] = row;
    return;
  }
  random_mark marks[2];
  const random_loop plain = {.kind = SNI_LOOP_PARALLEL, .strip = -1};
  random_loop loop = plain;
  loop.extent = outer;
  if (two) {
    access.stride[g->n_loops] = sni_extent_constant(inner);
    marks[0] = random_open(g, loop, 0);
  }
  loop.extent = inner;
  loop.lanes = lanes;
  access.stride[g->n_loops] = sni_extent_constant(1);
  marks[1] = random_open(g, loop, 0);
  random_block(g, random_pick(g, 4), false);
  const uint32_t value = random_value_of(g, dtype);
  random_put(g, SNI_KOP_STORE, access, value);
  random_close(g, marks[1]);
  if (two) random_close(g, marks[0]);
  g->rows[g->n_rows++] = row;
}

// A row of the innermost loop is changed in place.
static void random_update_row(random_maker *g) {
  if (!g->n_rows || g->conditions || g->n_loops == random_loops) return;
  const random_row row = g->rows[g->n_rows - 1];
  if (row.depth != g->n_loops || row.dtype == SN_BOOL || !sni_is_compute(row.dtype) ||
      row.elements < 1)
    return;
  random_loop loop = {.kind = SNI_LOOP_PARALLEL,
                      .strip = -1,
                      .extent = row.elements,
                      .lanes = !random_has_lanes(g) && random_pick(g, 2)};
  sni_tree_access access = sni_tree_access_to(row.buffer);
  access.stride[g->n_loops] = sni_extent_constant(1);
  const random_mark mark = random_open(g, loop, 0);
  const uint32_t old = random_load(g, access), more = random_value_of(g, row.dtype);
  const uint32_t sum = random_emit(
      g, (sni_tree_inst){.op = SNI_KOP_MUL, .dtype = (uint8_t)row.dtype, .operands = {old, more}});
  random_put(g, SNI_KOP_STORE, access, sum);
  random_close(g, mark);
}

// Values that live on behind the loop.
typedef struct random_results {
  uint32_t values[6];
  int count;
} random_results;

static void random_add_reduces(random_maker *g, int outermost, random_results *results) {
  static const sni_kop combiners[] = {SNI_KOP_MAX, SNI_KOP_MIN, SNI_KOP_ADD, SNI_KOP_ADD,
                                      SNI_KOP_MUL};
  for (int64_t n = 1 + random_pick(g, 3); n > 0 && results->count < 6; n--) {
    const uint32_t value = random_value(g, SNI_DTYPES_COMPUTE);
    if (value == SNI_NO_VALUE) return;
    const sn_dtype dtype = random_dtype_of(g, value);
    results->values[results->count++] = sni_tree_add_inst(
        &g->b,
        (sni_tree_inst){.op = SNI_KOP_REDUCE,
                        .dtype = (uint8_t)dtype,
                        .operands = {value},
                        .loop = g->loops[outermost].item,
                        .imm.combiner = combiners[random_pick(g, dtype == SN_BOOL ? 2 : 5)]});
  }
}

static bool random_condition(random_maker *g, uint32_t *out_value);

// One reduced loop, or several, one in the other.
static void random_reduce(random_maker *g, int room) {
  random_results results = {.count = 0};
  random_mark marks[3];
  int n = random_pick(g, 3) ? 1 : 2 + (int)random_pick(g, 2);
  const int order = (int)random_pick(g, 2);
  const bool lanes = order == SNI_ORDER_LANES && !random_has_lanes(g) && random_pick(g, 5) > 1;
  if (g->n_loops + n > random_loops) n = 1;
  if (g->n_loops + n > random_loops) return;
  const int first = g->n_loops;
  for (int i = 0; i < n; i++) {
    const bool innermost = i == n - 1;
    random_loop loop = {.kind = SNI_LOOP_REDUCE,
                        .order = order,
                        .lanes = lanes && innermost,
                        .chunk = n == 1 && random_pick(g, 3) == 0,
                        .strip = -1};
    loop.extent = random_trips(g, innermost && (lanes || random_pick(g, 3) == 0));
    marks[i] = random_open(g, loop, 0);
    if (!innermost && random_pick(g, 2)) random_block(g, random_pick(g, 3), false);
  }
  random_load_something(g);
  random_block(g, 1 + random_pick(g, 4), true);
  if (room > 0 && random_pick(g, 2)) random_body(g, room - 1);
  uint32_t condition;
  if (random_pick(g, 5) == 0 && random_condition(g, &condition)) {
    const int n_values = g->n_values, n_rows = g->n_rows;
    sni_tree_open_if(&g->b, condition);
    random_block(g, random_pick(g, 3), false);
    random_add_reduces(g, first, &results);
    sni_tree_close(&g->b);
    g->n_values = n_values;
    g->n_rows = n_rows;
  } else {
    random_add_reduces(g, first, &results);
  }
  for (int i = n; i-- > 0;) random_close(g, marks[i]);
  for (int i = 0; i < results.count; i++) random_add_value(g, results.values[i]);
}

static void random_sequential(random_maker *g, int room) {
  random_results results = {.count = 0};
  uint32_t carries[3];
  const int n = (int)random_pick(g, 4);
  uint32_t starts[3];
  for (int i = 0; i < n; i++) starts[i] = random_value_of(g, random_compute_dtype(g));
  const random_mark mark = random_open(
      g, (random_loop){.kind = SNI_LOOP_SEQUENTIAL, .strip = -1, .extent = random_trips(g, false)},
      0);
  for (int i = 0; i < n; i++)
    carries[i] = random_emit(g, (sni_tree_inst){.op = SNI_KOP_CARRY,
                                                .dtype = (uint8_t)random_dtype_of(g, starts[i]),
                                                .operands = {starts[i]},
                                                .loop = g->loops[g->n_loops - 1].item});
  random_block(g, 1 + random_pick(g, 5), true);
  if (room > 0) random_body(g, room - 1);
  for (int i = 0; i < n; i++) {
    const sn_dtype dtype = random_dtype_of(g, carries[i]);
    const uint32_t next = random_value_of(g, dtype);
    results.values[results.count++] =
        sni_tree_add_inst(&g->b, (sni_tree_inst){.op = SNI_KOP_YIELD,
                                                 .dtype = (uint8_t)dtype,
                                                 .operands = {next, carries[i]},
                                                 .loop = g->loops[g->n_loops - 1].item});
  }
  random_close(g, mark);
  for (int i = 0; i < results.count; i++) random_add_value(g, results.values[i]);
}

static void random_parallel(random_maker *g, int room) {
  random_loop loop = {
      .kind = SNI_LOOP_PARALLEL, .strip = -1, .lanes = !random_has_lanes(g) && random_pick(g, 2)};
  loop.extent = random_trips(g, loop.lanes);
  const random_mark mark = random_open(g, loop, 0);
  random_block(g, random_pick(g, 6), true);
  if (room > 0) random_body(g, room - 1);
  random_store(g);
  random_close(g, mark);
}

// An axis in pieces: all kinds of loops can be strips.
static void random_strips(random_maker *g, int room) {
  if (g->n_loops + 2 > random_loops) return;
  const bool reduces = random_pick(g, 3) == 0;
  const int order = (int)random_pick(g, 2);
  random_loop counter = {.kind = reduces ? SNI_LOOP_REDUCE : (int)random_pick(g, 2) * 2,
                         .order = reduces ? order : 0,
                         .strip = -1};
  random_loop inner = counter;
  inner.lanes =
      !random_has_lanes(g) && random_pick(g, 2) && (reduces ? order == SNI_ORDER_LANES : true);
  if (!reduces) inner.kind = SNI_LOOP_PARALLEL;
  inner.extent = random_trips(g, inner.lanes);
  inner.extent = inner.extent < 1 ? 1 : inner.extent;
  inner.whole = random_trips(g, true) + random_pick(g, 20);
  if (inner.whole * g->runs > 4 * random_most_runs) inner.whole = inner.extent;
  counter.extent = (inner.whole + inner.extent - 1) / inner.extent;
  random_results results = {.count = 0};
  const int first = g->n_loops;
  const random_mark outer_mark = random_open(g, counter, 0);
  inner.strip = first;
  if (random_pick(g, 2)) random_block(g, random_pick(g, 3), true);
  if (!reduces && random_pick(g, 4) == 0) random_fill_row(g);
  const random_mark inner_mark = random_open(g, inner, 0);
  random_block(g, 1 + random_pick(g, 4), true);
  if (room > 0 && random_pick(g, 2)) random_body(g, room - 1);
  if (reduces)
    random_add_reduces(g, random_pick(g, 2) ? first : first + 1, &results);
  else
    random_store(g);
  // Only those over both loops are seen behind the outer one.
  const bool both = results.count && g->b.insts[results.values[0]].loop == g->loops[first].item;
  random_close(g, inner_mark);
  for (int i = 0; !both && i < results.count; i++) random_add_value(g, results.values[i]);
  if (random_pick(g, 2)) random_block(g, random_pick(g, 3), true);
  random_close(g, outer_mark);
  for (int i = 0; both && i < results.count; i++) random_add_value(g, results.values[i]);
}

// A piece of an axis whose pieces some loop around counts, maybe not all of them.
static void random_strip(random_maker *g, int room) {
  for (int i = 0; i < 4 && g->n_loops && g->n_loops < random_loops; i++) {
    const int at = (int)random_pick(g, g->n_loops);
    const random_loop *counter = &g->loops[at];
    if (counter->lanes || random_is_counted(g, at)) continue;
    random_loop loop = {.kind = SNI_LOOP_PARALLEL, .strip = at};
    loop.lanes = !random_has_lanes(g) && random_pick(g, 2);
    loop.extent = random_trips(g, loop.lanes);
    loop.whole = random_pick(g, counter->extent * loop.extent + 3);
    const random_mark mark = random_open(g, loop, 0);
    random_block(g, 1 + random_pick(g, 3), true);
    if (room > 0 && random_pick(g, 3)) random_body(g, room - 1);
    random_store(g);
    random_close(g, mark);
    return;
  }
}

// A bool that is the same for all lanes, as the verifier sees it.
static bool random_condition(random_maker *g, uint32_t *out_value) {
  uint32_t a = SNI_NO_VALUE;
  for (int i = 0; i < 20 && g->n_values; i++) {
    const uint32_t value = g->values[random_pick(g, g->n_values)];
    const bool same = !random_has_lanes(g) || value < g->outside_lanes;
    if (!same || !(SNI_DTYPES_COMPUTE >> random_dtype_of(g, value) & 1)) continue;
    a = value;
    if (random_dtype_of(g, value) == SN_BOOL) break;
  }
  if (a == SNI_NO_VALUE && g->n_loops && !g->loops[g->n_loops - 1].lanes)
    a = random_emit(
        g, (sni_tree_inst){
               .op = SNI_KOP_INDEX, .dtype = SN_I64, .loop = g->loops[g->n_loops - 1].item});
  if (a == SNI_NO_VALUE) return false;
  const sn_dtype dtype = random_dtype_of(g, a);
  *out_value = a;
  if (dtype == SN_BOOL) return true;
  const uint32_t b = random_constant(g, dtype);
  *out_value = random_emit(
      g, (sni_tree_inst){
             .op = SNI_KOP_LT, .dtype = SN_BOOL, .source = (uint8_t)dtype, .operands = {b, a}});
  return true;
}

static void random_if(random_maker *g, int room) {
  uint32_t condition;
  if (g->conditions >= 6 || !random_condition(g, &condition)) return;
  const int n_values = g->n_values, n_rows = g->n_rows;
  sni_tree_open_if(&g->b, condition);
  g->conditions++;
  random_block(g, random_pick(g, 4), true);
  if (room > 0 && random_pick(g, 4)) random_body(g, room - 1);
  random_store(g);
  sni_tree_close(&g->b);
  g->conditions--;
  g->n_values = n_values;
  g->n_rows = n_rows;
}

typedef struct random_k {
  int64_t extent[SNI_CONTRACT_AXES], all;
  uint32_t n;
} random_k;

static random_k random_axes(random_maker *g) {
  random_k k = {.all = random_pick(g, 6) ? random_pick(g, 12) : 40 + random_pick(g, 40), .n = 1};
  k.extent[0] = k.all;
  if (random_pick(g, 3)) return k;
  k.n = 2 + (uint32_t)random_pick(g, SNI_CONTRACT_AXES - 1);
  k.all = 1;
  for (uint32_t a = 0; a < k.n; a++)
    k.all *= k.extent[a] = random_pick(g, 20) ? 1 + random_pick(g, 4) : 0;
  return k;
}

// Strides along k: one element after the other, `inner` apart, or windows that overlap. How far they
// reach.
static int64_t random_k_strides(random_maker *g, const random_k *k, int64_t inner, bool windows,
                                sni_tree_access *access) {
  int64_t far = 0, stride = inner;
  for (uint32_t a = k->n; a-- > 0;) {
    if (windows && a + 1 < k->n) stride = inner * random_pick(g, 4);
    access->stride[g->n_loops + (int)a] = random_extent(g, stride);
    if (k->extent[a] > 1) far += (k->extent[a] - 1) * stride;
    stride *= k->extent[a];
  }
  return far;
}

// An operand of a contraction along loop `own` and k: new memory, or a row.
static uint32_t random_operand(random_maker *g, sn_dtype dtype, int own, int other,
                               const random_k *axes) {
  const int64_t k = axes->all;
  int64_t strides[random_loops] = {0};
  const int64_t n = g->loops[own].extent > 1 ? g->loops[own].extent : 1;
  for (int i = 0; i < g->n_rows; i++) {  // of all k, or of all k and own
    const random_row *row = &g->rows[i];
    if (row->dtype != dtype || row->elements < k || random_pick(g, 2)) continue;
    sni_tree_access access = sni_tree_access_to(row->buffer);
    random_k_strides(g, axes, 1, false, &access);
    if (row->elements >= n * k && own >= row->depth) access.stride[own] = sni_extent_constant(k);
    return sni_tree_add_access(&g->b, access);
  }
  random_any(g, strides);
  strides[other] = 0;
  const bool along_k = random_pick(g, 2);  // k is dense, or own is
  const int64_t k_stride = random_pick(g, 8) == 0 ? 0 : along_k ? 1 : n;
  strides[own] = random_pick(g, 8) == 0 ? 0 : along_k ? k + random_pick(g, 2) : 1;
  if (g->loops[own].strip >= 0) strides[g->loops[own].strip] = strides[own] * g->loops[own].extent;
  sni_tree_access along = sni_tree_access_to(0);
  const int64_t far = random_k_strides(g, axes, k_stride, axes->n > 1 && random_pick(g, 2), &along);
  sni_tree_access access = random_new_access(g, dtype, strides, far);
  for (uint32_t a = 0; a < axes->n; a++)
    access.stride[g->n_loops + (int)a] = along.stride[g->n_loops + (int)a];
  if (random_pick(g, 4) == 0) {
    int64_t form[random_loops] = {0};
    form[own] = random_pick(g, 3) - 1;
    const int outer = (int)random_pick(g, g->n_loops);
    if (outer != other && random_pick(g, 3) == 0) form[outer] = random_pick(g, 3) - 1;
    sni_tree_range range = sni_tree_range_below(random_extent(g, random_pick(g, n + k + 2)));
    range.offset = random_extent(g, random_pick(g, 5) - 2);
    random_set_strides(g, range.stride, form);
    for (uint32_t a = 0; a < axes->n; a++)
      range.stride[g->n_loops + (int)a] = random_extent(g, random_pick(g, 3) - 1);
    access.first_range = (uint16_t)sni_tree_add_range(&g->b, range);
    access.n_ranges = 1;
  }
  return sni_tree_add_access(&g->b, access);
}

// What a sum goes on from: new memory, or a row; never what the nest writes.
static uint32_t random_from(random_maker *g, sn_dtype dtype) {
  int64_t strides[random_loops] = {0};
  random_any(g, strides);
  sni_tree_access access = random_new_access(g, dtype, strides, 0);
  if (random_pick(g, 2)) {
    int64_t form[random_loops] = {0};
    form[random_pick(g, g->n_loops)] = random_pick(g, 3) - 1;
    sni_tree_range range = sni_tree_range_below(random_extent(g, random_pick(g, 12)));
    range.offset = random_extent(g, random_pick(g, 5) - 2);
    random_set_strides(g, range.stride, form);
    access.first_range = (uint16_t)sni_tree_add_range(&g->b, range);
    access.n_ranges = 1;
  }
  return sni_tree_add_access(&g->b, access);
}

// The dtype, or one of storage that computes in it.
static sn_dtype random_side(random_maker *g, sn_dtype dtype) {
  const sn_dtype side = (sn_dtype)random_pick(g, SN_DTYPE_COUNT);
  const bool fits = !sni_is_complex(side) && sni_compute_dtype(side) == dtype;
  return g->storage && fits ? side : dtype;
}

// Loops m and n around a contraction, with what stands before and behind it.
static void random_contract(random_maker *g, int64_t m_grain, int64_t n_grain) {
  static const sn_dtype dtypes[] = {SN_F32, SN_F32, SN_F64, SN_I32, SN_I64};
  const sn_dtype dtype = dtypes[random_pick(g, 5)];
  if (g->n_loops + 3 + SNI_CONTRACT_AXES > random_loops || !random_has_room(g)) return;
  if (!m_grain && random_pick(g, 2)) random_fill_row(g);
  // Columns in pieces, maybe.
  const bool tiles = !m_grain && random_pick(g, 3) == 0;
  random_mark tile_mark;
  if (tiles)
    tile_mark = random_open(
        g, (random_loop){.kind = SNI_LOOP_PARALLEL, .strip = -1, .extent = 1 + random_pick(g, 3)},
        0);
  random_loop m = {.kind = SNI_LOOP_PARALLEL, .strip = -1, .extent = random_trips(g, false)};
  if (random_pick(g, 3) == 0) m.extent = random_trips(g, true) % 20;
  const random_mark m_mark = random_open(g, m, m_grain);
  if (!n_grain && random_pick(g, 3) == 0) random_fill_row(g);
  if (!n_grain && random_pick(g, 2)) random_block(g, random_pick(g, 3), true);
  random_loop n = {
      .kind = SNI_LOOP_PARALLEL, .strip = -1, .lanes = !random_has_lanes(g) && random_pick(g, 4)};
  n.extent = random_trips(g, n.lanes);
  if (tiles) n.strip = g->n_loops - 2;
  if (tiles) n.whole = random_pick(g, g->loops[n.strip].extent * n.extent + 2);
  const random_mark n_mark = random_open(g, n, n_grain);
  const random_k k = random_axes(g);
  static const uint32_t segments[] = {0, 0, 1, 7, 1024};
  const int depth = g->n_loops;
  sni_contract_item contract = sni_contract_along(random_extent(g, k.extent[0]));
  contract.n_k = k.n;
  for (uint32_t a = 1; a < k.n; a++) contract.k[a] = random_extent(g, k.extent[a]);
  if (random_pick(g, 4))
    contract.segment = segments[random_pick(g, 5)];
  else
    contract.from = random_from(g, dtype);
  contract.lhs = random_operand(g, random_side(g, dtype), depth - 2, depth - 1, &k);
  contract.rhs = random_operand(g, random_side(g, dtype), depth - 1, depth - 2, &k);
  random_add_value(g, sni_tree_add_contract(&g->b, dtype, contract));
  random_block(g, random_pick(g, 4), true);
  random_store(g);
  random_close(g, n_mark);
  if (!n_grain && random_pick(g, 3) == 0) random_block(g, random_pick(g, 3), true);
  random_close(g, m_mark);
  if (tiles) random_close(g, tile_mark);
}

// Some items, one behind the other.
static void random_body(random_maker *g, int room) {
  for (int64_t n = 1 + random_pick(g, 3); n > 0; n--) {
    if (g->b.n_insts > random_most_insts - 40 || g->n_loops >= random_loops - 3) return;
    switch (random_pick(g, 14)) {
      case 0:
      case 1:
        random_parallel(g, room);
        break;
      case 12:
      case 13:
        random_strip(g, room);
        break;
      case 2:
      case 3:
      case 4:
        random_reduce(g, room);
        break;
      case 5:
        random_strips(g, room);
        break;
      case 6:
        random_sequential(g, room);
        break;
      case 7:
        random_if(g, room);
        break;
      case 8:
        random_contract(g, 0, 0);
        break;
      case 9:
        random_fill_row(g);
        break;
      case 10:
        random_update_row(g);
        break;
      default:
        random_block(g, 1 + random_pick(g, 6), g->n_loops > 0);
        break;
    }
  }
}

// A root: a chain of grid loops, maybe none, around anything.
static void random_root(random_maker *g) {
  random_mark marks[3];
  const int n = (int)random_pick(g, 4);
  if (n == 0) {
    const int64_t kind = random_pick(g, 5);
    if (kind == 0)
      random_sequential(g, 2);
    else if (kind == 1)
      random_reduce(g, 2);
    else
      random_parallel(g, 2);
    return;
  }
  if (n == 3 && random_has_room(g) && random_pick(g, 2)) {
    random_contract(g, 1 + random_pick(g, 4), random_pick(g, 2) ? 1 + random_pick(g, 20) : 0);
    return;
  }
  for (int i = 0; i < n; i++) {
    random_loop loop = {
        .kind = SNI_LOOP_PARALLEL, .strip = -1, .lanes = i == n - 1 && random_pick(g, 3) == 0};
    loop.extent = random_trips(g, loop.lanes);
    marks[i] = random_open(g, loop, 1 + random_pick(g, loop.lanes ? 50 : 4));
    if (i < n - 1 && random_pick(g, 2)) random_block(g, random_pick(g, 4), false);
  }
  random_block(g, random_pick(g, 6), true);
  random_body(g, 3);
  random_store(g);
  for (int i = n; i-- > 0;) random_close(g, marks[i]);
}

// Memory: in the arena. Reports a tree that is not sound and ends the test.
static SNI_UNUSED void random_make(random_tree *out, uint64_t seed, sni_arena *arena) {
  static sni_diag diag;
  random_maker g = {
      .out = out, .storage = true, .state = (seed + 1) * 0x9E3779B97F4A7C15ull | 1, .runs = 1};
  *out = (random_tree){.tree = NULL};
  for (int i = 0; i < random_buffers; i++) out->same_as[i] = -1;
  sni_diag_clear(&diag);
  sni_tree_begin(&g.b, arena, &diag, "random");
  for (int i = 0; i < 4; i++) random_next(&g);
  g.dynamic = random_pick(&g, 2) ? (int)random_pick(&g, 5) : 0;
  out->wild = random_pick(&g, 2);
  for (int64_t n = 1 + random_pick(&g, 3); n > 0; n--) {
    if (random_pick(&g, 3) == 0) random_block(&g, random_pick(&g, 5), false);
    const int n_values = g.n_values;
    random_root(&g);
    g.n_values = n_values;
    if (!random_has_room(&g)) break;
    if (n > 1 && random_pick(&g, 2)) {
      sni_tree_add_barrier(&g.b);
      g.n_finished = g.n_written;
    }
  }
  sn_status status = sni_tree_finish(&g.b, &out->tree);
  if (!status) status = sni_tree_verify(out->tree, out->tree->bytes, &diag);
  if (!status) return;
  fprintf(stderr, "random tree %llu: %s\n", (unsigned long long)seed, diag.text);
  abort();
}

static SNI_UNUSED void random_print(const sni_tree *tree, sni_allocator *allocator) {
  sni_text text;
  char *out = NULL;
  sni_text_init(&text, allocator);
  sni_tree_print(tree, &text);
  if (sni_text_take(&text, NULL, &out)) return;
  fputs(out, stderr);
  sni_free(allocator, out, strlen(out) + 1);
}

#endif
