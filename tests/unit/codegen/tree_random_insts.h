// The generator of random trees (tree_random.h), as far as blocks go: values, accesses, scratch,
// instructions.
#ifndef SNI_TESTS_TREE_RANDOM_INSTS_H
#define SNI_TESTS_TREE_RANDOM_INSTS_H

#include "codegen/kernel/facts.h"

#include <stdio.h>
#include <stdlib.h>

enum {
  random_buffers = 48,
  random_params = 120,
  random_values = 160,
  random_loops = SNI_TREE_DEPTH,
  random_most_runs = 3000,  // of the innermost body
  random_most_insts = 220,
};

// Also what belongs to the tree when it is run.
typedef struct random_tree {
  sni_tree *tree;
  int64_t params[random_params];
  size_t elements[random_buffers];  // of GLOBAL buffers
  int same_as[random_buffers];      // in place: the buffer whose memory it is, or -1
  bool wild;                        // data: of all sizes and special ones too
} random_tree;

typedef struct random_loop {
  uint32_t item;
  int kind, order;
  bool lanes, chunk;
  int64_t extent;  // as it is when run
  int strip;       // place among the open loops of the one that counts its pieces; -1: none
  int64_t whole;
} random_loop;

typedef struct random_row {
  uint32_t buffer;
  sn_dtype dtype;
  int64_t elements;
  int depth;  // open loops inside its scope begin here
} random_row;

typedef struct random_maker {
  bool storage;  // has values of storage dtypes
  random_tree *out;
  sni_tree_builder b;
  uint64_t state;
  int dynamic;  // of 4 numbers so many are parameters
  random_loop loops[random_loops];
  int n_loops;
  int64_t runs;  // of the body at hand
  uint32_t values[random_values];
  int n_values;
  random_row rows[16];
  int n_rows;
  uint32_t outside_lanes;  // values below are the same for all lanes
  int conditions;          // open
  // Buffers that an earlier phase wrote.
  uint32_t written[8];
  int n_written, n_finished;
  bool faults;  // checks may fail
} random_maker;

static uint64_t random_next(random_maker *g) {
  g->state ^= g->state << 13;
  g->state ^= g->state >> 7;
  g->state ^= g->state << 17;
  return g->state * 0x2545F4914F6CDD1Dull;
}
static int64_t random_pick(random_maker *g, int64_t count) {
  return (int64_t)(random_next(g) >> 20) % count;
}

static sni_extent random_extent(random_maker *g, int64_t value) {
  const uint32_t param = g->b.n_params;
  if (param >= random_params || random_pick(g, 4) >= g->dynamic) return sni_extent_constant(value);
  g->out->params[param] = value;
  g->b.n_params++;
  return sni_extent_param(param);
}

// ---- values

static void random_add_value(random_maker *g, uint32_t value) {
  if (g->n_values < random_values) g->values[g->n_values++] = value;
}

static sn_dtype random_dtype_of(const random_maker *g, uint32_t value) {
  return (sn_dtype)g->b.insts[value].dtype;
}

static uint32_t random_emit(random_maker *g, sni_tree_inst inst) {
  const uint32_t value = sni_tree_add_inst(&g->b, inst);
  random_add_value(g, value);
  return value;
}

// One of the dtypes, latest ones more often; SNI_NO_VALUE: there is none.
static uint32_t random_value(random_maker *g, uint32_t dtypes) {
  for (int i = 0; i < 12 && g->n_values; i++) {
    int64_t at = random_pick(g, g->n_values);
    if (random_pick(g, 2) && g->n_values > 6) at = g->n_values - 1 - random_pick(g, 6);
    if (dtypes >> random_dtype_of(g, g->values[at]) & 1) return g->values[at];
  }
  for (int i = g->n_values; i-- > 0;)
    if (dtypes >> random_dtype_of(g, g->values[i]) & 1) return g->values[i];
  return SNI_NO_VALUE;
}

static sn_dtype random_compute_dtype(random_maker *g) {
  static const sn_dtype dtypes[] = {SN_F32, SN_F32, SN_F32, SN_F64, SN_I32, SN_I64, SN_BOOL};
  return dtypes[random_pick(g, SNI_COUNT_OF(dtypes))];
}

// Of what is moved: storage dtypes too.
static sn_dtype random_dtype(random_maker *g) {
  static const sn_dtype dtypes[] = {SN_I8, SN_I16, SN_U8, SN_U16, SN_U32, SN_U64, SN_F16, SN_BF16};
  if (!g->storage || random_pick(g, 4)) return random_compute_dtype(g);
  return dtypes[random_pick(g, SNI_COUNT_OF(dtypes))];
}

static uint32_t random_constant(random_maker *g, sn_dtype dtype) {
  static const double numbers[] = {0, -0.0, 1, -1.5, 3, 0.1, 1e30, -2};
  sni_tree_inst inst = {.op = SNI_KOP_CONST, .dtype = (uint8_t)dtype};
  if (sni_is_float(dtype))
    inst.imm.f = numbers[random_pick(g, SNI_COUNT_OF(numbers))];
  else
    inst.imm.i = dtype == SN_BOOL         ? random_pick(g, 2)
                 : sni_is_unsigned(dtype) ? random_pick(g, 200)
                                          : random_pick(g, 7) - 2;
  return random_emit(g, inst);
}

static uint32_t random_value_of(random_maker *g, sn_dtype dtype) {
  const uint32_t value = random_value(g, SNI_DTYPE_BIT(dtype));
  return value == SNI_NO_VALUE ? random_constant(g, dtype) : value;
}

// ---- memory

// Loops around, but that pieces and their count are one axis.
static bool random_is_counted(const random_maker *g, int loop) {
  for (int i = loop + 1; i < g->n_loops; i++)
    if (g->loops[i].strip == loop) return true;
  return false;
}

// Gives loop `i` and those that count its pieces strides; the extent of their axis.
static int64_t random_stride(const random_maker *g, int i, int64_t stride, int64_t *strides) {
  int64_t all = 1;
  for (; i >= 0; i = g->loops[i].strip) {
    strides[i] = stride * all;
    all *= g->loops[i].extent > 1 ? g->loops[i].extent : 1;
  }
  return all;
}

// Strides that send all open loops to elements of their own, sequential ones perhaps not.
static void random_distinct(random_maker *g, int64_t *strides) {
  int order[random_loops], n = 0;
  for (int i = 0; i < g->n_loops; i++)
    if (!random_is_counted(g, i)) order[n++] = i;
  for (int i = n - 1; i > 0 && random_pick(g, 3) == 0; i--) {
    const int64_t j = random_pick(g, i + 1);
    const int other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  int64_t stride = random_pick(g, 8) ? 1 : 2;
  for (int k = n - 1; k >= 0; k--) {
    const int i = order[k];
    if (g->loops[i].kind == SNI_LOOP_SEQUENTIAL && random_pick(g, 2)) continue;
    const int64_t sign = random_pick(g, 6) ? 1 : -1;
    const int64_t extent = random_stride(g, i, sign * stride, strides);
    stride *= extent > 1 ? extent : 1;
    if (random_pick(g, 8) == 0) stride += random_pick(g, 3);
  }
}

// Any strides: 0, small, negative; dense along the innermost loop more often.
static void random_any(random_maker *g, int64_t *strides) {
  for (int i = 0; i < g->n_loops; i++)
    strides[i] = random_pick(g, 3) == 0 ? 0 : random_pick(g, 9) - 3;
  if (g->n_loops && random_pick(g, 2)) strides[g->n_loops - 1] = 1;
}

// Least and greatest value of a form.
static void random_reach(const random_maker *g, const int64_t *strides, int64_t *low,
                         int64_t *high) {
  *low = *high = 0;
  for (int i = 0; i < g->n_loops; i++) {
    const int64_t far = strides[i] * (g->loops[i].extent > 1 ? g->loops[i].extent - 1 : 0);
    *(far < 0 ? low : high) += far;
  }
}

static void random_set_strides(random_maker *g, sni_extent *stride, const int64_t *strides) {
  for (int i = 0; i < g->n_loops; i++)
    stride[i] = strides[i] ? random_extent(g, strides[i]) : sni_extent_constant(0);
}

static bool random_has_room(const random_maker *g) {
  return g->b.n_buffers + 3 < random_buffers && g->b.n_insts < random_most_insts;
}

static uint32_t random_buffer(random_maker *g, sn_dtype dtype, int64_t elements) {
  g->out->elements[g->b.n_buffers] = (size_t)elements;
  return sni_tree_add_buffer(&g->b,
                             (sni_tree_buffer){.dtype = (uint8_t)dtype, .scope = SNI_NO_ITEM});
}

// An access to a new buffer, just large enough for it.
static sni_tree_access random_new_access(random_maker *g, sn_dtype dtype, const int64_t *strides,
                                         int64_t more) {
  int64_t low, high;
  random_reach(g, strides, &low, &high);
  const int64_t pad = random_pick(g, 4) ? 0 : random_pick(g, 3);
  sni_tree_access access = sni_tree_access_to(random_buffer(g, dtype, high - low + 1 + more + pad));
  access.offset = random_extent(g, pad - low);
  random_set_strides(g, access.stride, strides);
  return access;
}

// 0 <= form < extent, which the caller's data survive whether it holds or not.
static void random_add_range(random_maker *g, sni_tree_access *access) {
  int64_t strides[random_loops] = {0}, low, high;
  random_any(g, strides);
  random_reach(g, strides, &low, &high);
  const int64_t kind = random_pick(g, 6);
  const int64_t offset = kind == 0 ? -low : random_pick(g, high - low + 4) - high - 1;
  const int64_t extent = kind == 0   ? high - low + 1  // always
                         : kind == 1 ? 0               // never
                                     : random_pick(g, high - low + 3);
  sni_tree_range range = sni_tree_range_below(random_extent(g, extent));
  range.offset = random_extent(g, offset);
  random_set_strides(g, range.stride, strides);
  const uint32_t number = sni_tree_add_range(&g->b, range);
  if (!access->n_ranges) access->first_range = (uint16_t)number;
  access->n_ranges++;
}

// A load whose address is good where a range holds alone: padding.
static sni_tree_access random_padded(random_maker *g, sn_dtype dtype) {
  int64_t strides[random_loops] = {0}, low, high;
  random_any(g, strides);
  random_reach(g, strides, &low, &high);
  const int64_t extent = 1 + random_pick(g, high - low + 2),
                offset = random_pick(g, high - low + 3) - high - 1, step = 1 + random_pick(g, 2);
  sni_tree_access access = sni_tree_access_to(random_buffer(g, dtype, (extent - 1) * step + 1));
  sni_tree_range range = sni_tree_range_below(random_extent(g, extent));
  range.offset = random_extent(g, offset);
  random_set_strides(g, range.stride, strides);
  access.first_range = (uint16_t)sni_tree_add_range(&g->b, range);
  access.n_ranges = 1;
  access.offset = random_extent(g, offset * step);
  for (int i = 0; i < g->n_loops; i++) strides[i] *= step;
  random_set_strides(g, access.stride, strides);
  return access;
}

static uint32_t random_load(random_maker *g, sni_tree_access access) {
  const uint8_t dtype = g->b.buffers[access.buffer].dtype;
  if (access.n_ranges) access.otherwise = random_value_of(g, (sn_dtype)dtype);
  return random_emit(
      g, (sni_tree_inst){
             .op = SNI_KOP_LOAD, .dtype = dtype, .access = sni_tree_add_access(&g->b, access)});
}

static void random_put(random_maker *g, sni_kop op, sni_tree_access access, uint32_t value) {
  static const sni_kop combiners[] = {SNI_KOP_COPY, SNI_KOP_ADD, SNI_KOP_MUL, SNI_KOP_MAX,
                                      SNI_KOP_MIN};
  const sn_dtype dtype = random_dtype_of(g, value);
  const bool moves = dtype == SN_BOOL || !sni_is_compute(dtype);
  sni_tree_inst inst = {.op = (uint16_t)op,
                        .dtype = (uint8_t)dtype,
                        .operands = {value},
                        .access = sni_tree_add_access(&g->b, access)};
  if (op == SNI_KOP_UPDATE) inst.imm.combiner = combiners[moves ? 0 : random_pick(g, 5)];
  sni_tree_add_inst(&g->b, inst);
}

// ---- scratch

// Some element of a row, at an affine place.
static sni_tree_access random_row_access(random_maker *g, const random_row *row) {
  sni_tree_access access = sni_tree_access_to(row->buffer);
  int64_t rest = row->elements - 1;
  for (int i = g->n_loops - 1; i >= 0; i--) {
    const int64_t far = g->loops[i].extent > 1 ? g->loops[i].extent - 1 : 0;
    if (i < row->depth && random_pick(g, 3)) continue;
    if (far > rest || random_pick(g, 4) == 0) continue;
    const int64_t stride = far && random_pick(g, 3) == 0 ? rest / far : 1;
    access.stride[i] = sni_extent_constant(stride);
    rest -= far * stride;
  }
  access.offset = sni_extent_constant(random_pick(g, rest + 1));
  return access;
}

static void random_load_row(random_maker *g) {
  if (g->n_rows) {
    const random_row *row = &g->rows[random_pick(g, g->n_rows)];
    const sni_tree_access access = random_row_access(g, row);
    random_load(g, access);
  }
}

// ---- instructions

static void random_load_something(random_maker *g) {
  int64_t strides[random_loops] = {0};
  const sn_dtype dtype = random_dtype(g);
  if (!random_has_room(g)) return;
  const int64_t kind = random_pick(g, 6);
  if (kind == 0) {
    sni_tree_access access = random_padded(g, dtype);
    random_load(g, access);
  } else if (kind == 1 && g->n_finished) {  // what an earlier phase wrote
    const uint32_t buffer = g->written[random_pick(g, g->n_finished)];
    sni_tree_access access = sni_tree_access_to(buffer);
    const int64_t most = (int64_t)g->out->elements[buffer] - 1;
    for (int i = 0; i < g->n_loops && g->n_loops; i++)
      if (i == g->n_loops - 1 && g->loops[i].extent - 1 <= most)
        access.stride[i] = sni_extent_constant(1);
    random_load(g, access);
  } else {
    random_any(g, strides);
    sni_tree_access access = random_new_access(g, dtype, strides, 0);
    if (kind == 2) random_add_range(g, &access);
    if (kind == 2 && random_pick(g, 3) == 0) random_add_range(g, &access);
    random_load(g, access);
  }
}

// An index into new memory, checked so that it stays inside.
static void random_gather(random_maker *g) {
  int64_t strides[random_loops] = {0};
  const uint32_t at = random_value(g, SNI_DTYPES_I64);
  if (at == SNI_NO_VALUE || !random_has_room(g) || !g->n_loops) return;
  const int64_t size = 1 + random_pick(g, 9);
  const uint32_t checked = random_emit(g, (sni_tree_inst){.op = SNI_KOP_CHECK_INDEX,
                                                          .dtype = SN_I64,
                                                          .operands = {at},
                                                          .imm.size = random_extent(g, size)});
  random_any(g, strides);
  sni_tree_access access = random_new_access(g, random_dtype(g), strides, size);
  access.index = checked;
  random_load(g, access);
}

// Between a storage dtype and its compute dtype; of bits those of numbers.
static void random_convert_storage(random_maker *g, uint32_t a, sn_dtype storage) {
  const sn_dtype from = random_dtype_of(g, a), compute = sni_compute_dtype(storage);
  const sn_dtype to = from == storage ? compute : storage;
  const bool casts = sni_is_kernel_cast(storage, compute);
  if (sni_is_half(from) && random_pick(g, 3) == 0) {
    random_emit(g, (sni_tree_inst){.op = SNI_KOP_BITCAST,
                                   .dtype = SN_I16,
                                   .source = (uint8_t)from,
                                   .operands = {random_constant(g, from)}});
    return;
  }
  random_emit(g, (sni_tree_inst){.op = casts ? SNI_KOP_CAST : SNI_KOP_BITCAST,
                                 .dtype = (uint8_t)to,
                                 .source = (uint8_t)from,
                                 .operands = {a}});
  if (casts && sni_is_integer(from) && from == storage)
    random_emit(g, (sni_tree_inst){.op = SNI_KOP_BITCAST,
                                   .dtype = (uint8_t)from,
                                   .source = (uint8_t)from,
                                   .operands = {a}});
}

static void random_convert(random_maker *g, uint32_t a) {
  const sn_dtype given = random_dtype_of(g, a);
  const sn_dtype wanted = g->storage ? random_dtype(g) : given;
  if (!sni_is_compute(given)) {
    random_convert_storage(g, a, given);
    return;
  }
  if (!sni_is_compute(wanted) && sni_compute_dtype(wanted) == given) {
    random_convert_storage(g, a, wanted);
    return;
  }
  if (sni_is_integer(random_dtype_of(g, a)) && random_pick(g, 4) == 0) {
    random_emit(g, (sni_tree_inst){.op = SNI_KOP_BITCAST,
                                   .dtype = random_dtype_of(g, a) == SN_I32 ? SN_F32 : SN_F64,
                                   .source = (uint8_t)random_dtype_of(g, a),
                                   .operands = {a}});
    return;
  }
  const sn_dtype dtype = random_compute_dtype(g);
  const uint32_t y = random_emit(g, (sni_tree_inst){.op = SNI_KOP_CAST,
                                                    .dtype = (uint8_t)dtype,
                                                    .source = (uint8_t)random_dtype_of(g, a),
                                                    .operands = {a}});
  // Bits of a number that is none depend on the machine: only those of whole numbers are looked at.
  const sn_dtype from = random_dtype_of(g, a);
  if (!sni_is_float(dtype) || sni_is_float(from) || random_pick(g, 2)) return;
  random_emit(g, (sni_tree_inst){.op = SNI_KOP_BITCAST,
                                 .dtype = dtype == SN_F32 ? SN_I32 : SN_I64,
                                 .source = (uint8_t)dtype,
                                 .operands = {y}});
}

// Any operation without memory that has operands.
static void random_operate(random_maker *g) {
  const uint32_t a = random_value(g, SNI_DTYPES_ANY);
  if (a == SNI_NO_VALUE) return;
  if (random_pick(g, sni_is_compute(random_dtype_of(g, a)) ? 7 : 2) == 0) {
    random_convert(g, a);
    return;
  }
  const sn_dtype dtype = random_dtype_of(g, a);
  const bool moves = !sni_is_compute(dtype);
  const sni_kop op = moves ? (random_pick(g, 2) ? SNI_KOP_COPY : SNI_KOP_SELECT)
                           : (sni_kop)(SNI_KOP_COPY + random_pick(g, SNI_KOP_COUNT - SNI_KOP_COPY));
  const sni_kop_info *info = &sni_kop_infos[op];
  if (op == SNI_KOP_CAST || op == SNI_KOP_BITCAST) return;
  if (info->math && random_pick(g, 3)) return;  // long
  sni_tree_inst inst = {.op = (uint16_t)op, .dtype = (uint8_t)dtype, .operands = {a}};
  if (op == SNI_KOP_SELECT) {
    inst.operands[0] = random_value_of(g, SN_BOOL);
    inst.operands[1] = a;
    inst.operands[2] = random_value_of(g, dtype);
  } else {
    if (!(info->dtypes >> dtype & 1)) return;
    for (int i = 1; i < info->operands; i++) inst.operands[i] = random_value_of(g, dtype);
  }
  if (op == SNI_KOP_LDEXP) {  // a whole number of modest size
    const uint32_t whole =
        random_emit(g, (sni_tree_inst){.op = SNI_KOP_CONST, .dtype = (uint8_t)dtype, .imm.f = -3});
    inst.operands[1] = whole;
  }
  if (sni_kop_has_source(op)) {
    inst.source = (uint8_t)dtype;
    inst.dtype = SN_BOOL;
  }
  random_emit(g, inst);
}

static void random_source(random_maker *g) {
  const int64_t kind = random_pick(g, 8);
  if (kind == 0) {
    random_constant(g, random_dtype(g));
  } else if (kind == 1 && g->n_loops) {
    random_emit(g, (sni_tree_inst){.op = SNI_KOP_INDEX,
                                   .dtype = random_pick(g, 2) ? SN_I32 : SN_I64,
                                   .loop = g->loops[random_pick(g, g->n_loops)].item});
  } else if (kind == 2) {
    static const sn_dtype dtypes[] = {SN_I32, SN_I64, SN_F32, SN_F64};
    random_emit(g, (sni_tree_inst){.op = SNI_KOP_PARAM,
                                   .dtype = (uint8_t)dtypes[random_pick(g, 4)],
                                   .imm.size = random_extent(g, random_pick(g, 50))});
  } else if (kind < 5) {
    random_load_row(g);
  } else {
    random_load_something(g);
  }
}

static bool random_in_sequence(const random_maker *g) {
  for (int i = 0; i < g->n_loops; i++)
    if (g->loops[i].kind == SNI_LOOP_SEQUENTIAL) return true;
  return false;
}

// To memory of its own, plain or with ranges; over what was just loaded there; added to it.
static void random_store(random_maker *g) {
  int64_t strides[random_loops] = {0};
  const uint32_t value = random_value(g, SNI_DTYPES_ANY);
  if (value == SNI_NO_VALUE || !random_has_room(g) || !g->n_loops) return;
  const sn_dtype dtype = random_dtype_of(g, value);
  random_distinct(g, strides);
  sni_tree_access access = random_new_access(g, dtype, strides, 0);
  const int64_t kind = random_pick(g, 6);
  if (kind == 0) random_add_range(g, &access);
  if (kind == 1 && random_in_sequence(g)) {
    random_put(g, SNI_KOP_UPDATE, access, value);
    return;
  }
  if (kind == 2) {
    const uint32_t twin = random_buffer(g, dtype, (int64_t)g->out->elements[access.buffer]);
    g->out->same_as[twin] = (int)access.buffer;
    if (g->b.status) return;
    g->b.buffers[twin].shared = g->b.buffers[access.buffer].shared = true;
    sni_tree_access load = access;
    load.buffer = twin;
    const uint32_t old = random_load(g, load);
    if (dtype != SN_BOOL && sni_is_compute(dtype)) {
      const uint32_t sum = random_emit(
          g, (sni_tree_inst){.op = SNI_KOP_ADD, .dtype = (uint8_t)dtype, .operands = {old, value}});
      random_put(g, SNI_KOP_STORE, access, sum);
      return;
    }
  }
  random_put(g, SNI_KOP_STORE, access, value);
  if (kind > 2 && g->n_written < 8) g->written[g->n_written++] = access.buffer;
}

// Instructions without effects, or with them.
static void random_block(random_maker *g, int64_t count, bool effects) {
  for (int64_t i = 0; i < count && g->b.n_insts < random_most_insts; i++) {
    const int64_t kind = random_pick(g, 9);
    if (kind < 3) {
      random_source(g);
    } else if (kind == 3 && effects && random_pick(g, 2)) {
      random_gather(g);
    } else if (kind == 4 && effects) {
      random_store(g);
    } else {
      random_operate(g);
    }
  }
}

#endif
