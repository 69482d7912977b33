// Loop nests. Outer-vector nests run groups of vectors along the last outer axis through all
// stages; row nests run each stage along the last inner axis of one row.
//
// Invariant: in a row nest element i of the vector axis goes to lane i % 64, so a stage that
// reduces takes 64 elements a turn, and masked lanes keep their accumulators. Code size stays
// bounded: a body is emitted at most twice (full and masked).
#include "codegen/llvm/emit.h"

enum {
  long_body = 24,      // operations from which one masked loop serves full and partial groups alike
  longest_turn = 400,  // operations of all chains of a turn together
};

typedef struct reductions {
  uint32_t insts[sni_max_carried];
  int count, width;  // accumulators: [count][width]
  LLVMValueRef *accumulators;
} reductions;

// Of level `least` or deeper, in a stage or, without one, in all.
static int count_operations(const sni_emitter *e, const sni_kernel_stage *stage, sni_level least) {
  const uint32_t first = stage ? stage->first : 0,
                 count_all = stage ? stage->count : e->kernel->n_insts;
  int count = 0;
  for (uint32_t i = first; i < first + count_all; i++) {
    const sni_kernel_inst *inst = &e->kernel->insts[i];
    if (e->level[i] < (uint8_t)least || inst->op == SNI_KOP_CONST || sni_kop_has_access(inst->op))
      continue;
    count += inst->op == SNI_KOP_DIV || inst->op == SNI_KOP_SQRT || inst->op == SNI_KOP_REM ? 3 : 1;
  }
  return count;
}

// Vectors alive at once in one chain, not counting constants, which are operands in memory.
static int count_live(const sni_emitter *e, const sni_kernel_stage *stage, sni_level least) {
  const uint32_t first = stage ? stage->first : 0,
                 end = stage ? stage->first + stage->count : e->kernel->n_insts;
  int most = 0;
  for (uint32_t at = first; at < end; at++) {
    int live = 0;
    for (uint32_t i = first; i <= at; i++)
      live += e->is_vector[i] && e->level[i] >= (uint8_t)least && e->last_use[i] > at;
    if (live > most) most = live;
  }
  return most;
}

// Vectors whose chains overlap: more hide more latency, but their values must fit the registers,
// of which a quarter is left to constants and addresses, and the code must stay short.
static int choose_interleave(const sni_emitter *e, const sni_kernel_stage *stage, sni_level least) {
  const int registers = e->avx512 ? 32 : 16;
  const int operations = count_operations(e, stage, least), live = count_live(e, stage, least);
  int vectors = registers / 8;
  while (vectors > 1 && (vectors * live > registers * 3 / 4 || vectors * operations > longest_turn))
    vectors /= 2;
  return vectors;
}

static int64_t constant_or(LLVMValueRef value, int64_t otherwise) {
  int64_t constant;
  return sni_ir_is_constant(value, &constant) ? constant : otherwise;
}

static void set_group(sni_emitter *e, sni_group *group, int count, LLVMValueRef first,
                      LLVMValueRef last, bool masked) {
  group->first = 0;
  group->count = count;
  for (int u = 0; u < count; u++) {
    group->index[u] = sni_ir_add(e, first, sni_ir_i64(e, (int64_t)u * e->lanes));
    group->mask[u] = group->active[u] = NULL;
    const int64_t index = constant_or(group->index[u], -1), end = constant_or(last, -1);
    if (!masked || (index >= 0 && end >= 0 && end - index >= e->lanes)) continue;
    group->active[u] = LLVMBuildSub(e->builder, last, group->index[u], "");
    group->mask[u] = sni_emit_mask(e, group->active[u], (unsigned)e->lanes);
  }
}

static void list_reductions(sni_emitter *e, const sni_kernel_stage *stage, int width,
                            reductions *r) {
  r->count = 0;
  r->width = width;
  for (uint32_t i = stage->first; i < stage->first + stage->count; i++) {
    if (e->kernel->insts[i].op != SNI_KOP_REDUCE) continue;
    if ((r->count + 1) * width > sni_max_carried) {
      sni_fail_emission(e, "kernel %s: too many reductions",
                        e->kernel->name ? e->kernel->name : "?");
      return;
    }
    r->insts[r->count++] = i;
  }
}

static LLVMValueRef identity(sni_emitter *e, uint32_t number) {
  const sni_kernel_inst *inst = &e->kernel->insts[number];
  return sni_reduce_identity(e, inst,
                             LLVMVectorType(sni_ir_type(e, inst->dtype), (unsigned)e->lanes));
}

// Takes the group's elements into the accumulators.
static void accumulate(sni_emitter *e, reductions *r, const sni_group *group, bool keep_masked) {
  for (int i = 0; i < r->count; i++) {
    const sni_kernel_inst *inst = &e->kernel->insts[r->insts[i]];
    for (int u = group->first; u < group->first + group->count; u++) {
      LLVMValueRef *total = &r->accumulators[i * r->width + u];
      LLVMValueRef element = sni_operand(e, inst->operands[0], u);
      const bool fresh = *total == identity(e, r->insts[i]);  // constants are unique
      LLVMValueRef next = fresh ? element : sni_reduce_combine(e, inst, *total, element);
      const bool select = keep_masked && group->mask[u];
      *total = select ? sni_ir_select(e, group->mask[u], next, *total) : next;
    }
  }
}

// Loops over the inner axes [first, last) around whatever is emitted next; accumulators travel
// through.
typedef struct inner_loops {
  sni_loop loops[SNI_MAX_AXES];
  int first, last;
} inner_loops;

static bool is_single(const sni_kernel *k, int axis) {
  return k->extent[axis].param < 0 && k->extent[axis].value == 1;
}

static void begin_inner_loops(sni_emitter *e, inner_loops *l, int first, int last, reductions *r) {
  const int n = r->count * r->width;
  l->first = first;
  l->last = last;
  e->row_index = sni_ir_i64(e, 0);
  for (int axis = first; axis < last; axis++) {
    sni_loop *loop = &l->loops[axis];
    LLVMValueRef extent = sni_emit_size(e, e->kernel->extent[axis]);
    e->index[axis] = sni_ir_i64(e, 0);
    if (is_single(e->kernel, axis)) continue;
    for (int i = 0; i < n; i++) loop->initial[i] = r->accumulators[i];
    sni_loop_begin(e, loop, sni_ir_i64(e, 0), extent, sni_ir_i64(e, 1), n);
    for (int i = 0; i < n; i++) r->accumulators[i] = loop->carried[i];
    e->index[axis] = loop->index;
    e->row_index = sni_ir_add(e, sni_ir_mul(e, e->row_index, extent), loop->index);
  }
}

static void end_inner_loops(sni_emitter *e, inner_loops *l, reductions *r) {
  for (int axis = l->last - 1; axis >= l->first; axis--) {
    if (is_single(e->kernel, axis)) continue;
    sni_loop_end(e, &l->loops[axis], r->accumulators);
    for (int i = 0; i < r->count * r->width; i++) r->accumulators[i] = l->loops[axis].carried[i];
  }
}

// ---- outer-vector nests
static void emit_inner_columns(sni_emitter *e, const sni_kernel_stage *stage,
                               const sni_group *group) {
  const sni_kernel *k = e->kernel;
  LLVMValueRef accumulators[sni_max_carried];
  reductions r = {.accumulators = accumulators};
  inner_loops loops;
  list_reductions(e, stage, group->count, &r);
  for (int i = 0; i < r.count * r.width; i++) accumulators[i] = identity(e, r.insts[i / r.width]);
  sni_emit_level(e, stage, SNI_LEVEL_COLUMN, group);
  begin_inner_loops(e, &loops, k->n_outer, k->n_outer + k->n_inner, &r);
  sni_emit_level(e, stage, SNI_LEVEL_INNER, group);
  accumulate(e, &r, group, false);
  end_inner_loops(e, &loops, &r);
  for (int i = 0; i < r.count; i++)
    for (int u = 0; u < r.width; u++)
      sni_set_vector(e, r.insts[i], u,
                     sni_reduce_finish(e, &k->insts[r.insts[i]], accumulators[i * r.width + u]));
}

static void emit_column_group(sni_emitter *e, const sni_group *group) {
  const sni_kernel *k = e->kernel;
  for (uint32_t s = 0; s < k->n_stages; s++) {
    if (k->stages[s].inner)
      emit_inner_columns(e, &k->stages[s], group);
    else
      sni_emit_level(e, &k->stages[s], SNI_LEVEL_COLUMN, group);
  }
}

static bool divides(const sni_emitter *e, int64_t step) {
  const sni_kernel_size extent = e->kernel->extent[e->vector_axis];
  return extent.param < 0 && extent.value % step == 0 &&
         (e->kernel->grain[e->vector_axis] % step == 0 ||
          e->kernel->grain[e->vector_axis] >= extent.value);
}

static LLVMValueRef emit_column_loop(sni_emitter *e, int vectors, LLVMValueRef first,
                                     LLVMValueRef last, bool masked) {
  const int64_t step = (int64_t)vectors * e->lanes;
  LLVMValueRef end = masked ? last : sni_ir_add(e, last, sni_ir_i64(e, 1 - step));
  sni_loop loop;
  sni_group group;
  sni_loop_begin(e, &loop, first, end, sni_ir_i64(e, step), 0);
  set_group(e, &group, vectors, loop.index, last, masked);
  emit_column_group(e, &group);
  sni_loop_end(e, &loop, NULL);
  return loop.last_index;
}

void sni_emit_columns(sni_emitter *e, LLVMValueRef first, LLVMValueRef last) {
  const sni_kernel *k = e->kernel;
  const int operations = count_operations(e, NULL, SNI_LEVEL_COLUMN);
  int vectors = choose_interleave(e, NULL, SNI_LEVEL_COLUMN);
  const sni_kernel_size extent = k->extent[e->vector_axis];
  int64_t most = k->grain[e->vector_axis];
  if (extent.param < 0 && extent.value < most) most = extent.value;
  const int64_t needed = (most + e->lanes - 1) / e->lanes;
  if (needed < vectors) vectors = (int)(needed < 1 ? 1 : needed);

  e->tile_first = first;
  for (uint32_t s = 0; s < k->n_stages; s++) sni_emit_level(e, &k->stages[s], SNI_LEVEL_UNIT, NULL);
  if (needed <= vectors && constant_or(first, -1) == 0 && constant_or(last, -1) == most) {
    sni_group group;
    set_group(e, &group, vectors, first, last, true);
    emit_column_group(e, &group);
  } else if (operations >= long_body) {
    emit_column_loop(e, vectors, first, last, !divides(e, (int64_t)vectors * e->lanes));
  } else {
    LLVMValueRef next = emit_column_loop(e, vectors, first, last, false);
    if (!divides(e, (int64_t)vectors * e->lanes))
      emit_column_loop(e, 1, next, last, !divides(e, e->lanes));
  }
}

// ---- row nests
typedef struct row_stage {
  const sni_kernel_stage *stage;
  reductions *reductions;
  int vectors, interleave;
} row_stage;

static void emit_row_group(sni_emitter *e, const row_stage *row, sni_group *group) {
  const int count = group->count;
  for (int first = 0; first < count; first += row->interleave) {
    group->first = first;
    group->count = count - first < row->interleave ? count - first : row->interleave;
    sni_emit_level(e, row->stage, SNI_LEVEL_INNER, group);
    accumulate(e, row->reductions, group, true);
  }
}

// Turns of `vectors` vectors from `first` on while a full turn is left, or, masked, while anything
// is left.
static LLVMValueRef emit_row_loop(sni_emitter *e, const row_stage *row, LLVMValueRef first,
                                  LLVMValueRef last, bool masked) {
  const int64_t step = (int64_t)row->vectors * e->lanes;
  reductions *r = row->reductions;
  const int n = r->count * r->width;
  sni_loop loop;
  sni_group group;
  for (int i = 0; i < n; i++) loop.initial[i] = r->accumulators[i];
  LLVMValueRef end = masked ? last : sni_ir_add(e, last, sni_ir_i64(e, 1 - step));
  sni_loop_begin(e, &loop, first, end, sni_ir_i64(e, step), n);
  for (int i = 0; i < n; i++) r->accumulators[i] = loop.carried[i];
  set_group(e, &group, row->vectors, loop.index, last, masked);
  emit_row_group(e, row, &group);
  sni_loop_end(e, &loop, r->accumulators);
  for (int i = 0; i < n; i++) r->accumulators[i] = loop.carried[i];
  return loop.last_index;
}

static void emit_row_axis(sni_emitter *e, const row_stage *row) {
  const sni_kernel_size extent = e->kernel->extent[e->vector_axis];
  LLVMValueRef first = sni_ir_i64(e, 0), last = sni_emit_size(e, extent);
  const int64_t step = (int64_t)row->vectors * e->lanes;
  if (extent.param >= 0) {
    LLVMValueRef next = emit_row_loop(e, row, first, last, false);
    emit_row_loop(e, row, next, last, true);
    return;
  }
  const int64_t whole = extent.value / step * step;
  if (whole > step) emit_row_loop(e, row, first, sni_ir_i64(e, whole), false);
  for (int64_t at = whole > step ? whole : 0; at < extent.value;) {  // at most two turns, straight
    const int64_t left = extent.value - at;
    const int64_t count = left < step ? (left + e->lanes - 1) / e->lanes : row->vectors;
    sni_group group;
    set_group(e, &group, (int)count, sni_ir_i64(e, at), last, true);
    emit_row_group(e, row, &group);
    at += count * e->lanes;
  }
}

static void emit_inner_row(sni_emitter *e, const sni_kernel_stage *stage) {
  const sni_kernel *k = e->kernel;
  LLVMValueRef accumulators[sni_max_carried];
  reductions r = {.accumulators = accumulators};
  inner_loops loops;
  const int interleave = choose_interleave(e, stage, SNI_LEVEL_INNER);
  list_reductions(e, stage, SNI_REDUCE_LANES / e->lanes, &r);
  for (int i = 0; i < r.count * r.width; i++) accumulators[i] = identity(e, r.insts[i / r.width]);
  const bool whole = r.count > 0 || e->slots_in_registers;
  const row_stage row = {stage, &r, whole ? r.width : interleave, interleave};
  sni_emit_level(e, stage, SNI_LEVEL_UNIT, NULL);
  begin_inner_loops(e, &loops, k->n_outer, e->vector_axis, &r);
  emit_row_axis(e, &row);
  end_inner_loops(e, &loops, &r);
  for (int i = 0; i < r.count; i++)
    sni_set_scalar(e, r.insts[i],
                   sni_reduce_lanes(e, &k->insts[r.insts[i]], &accumulators[i * r.width], r.width));
}

void sni_emit_row(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  const sni_kernel_size extent = k->extent[e->vector_axis];
  e->slots_in_registers = k->n_inner == 1 && extent.param < 0 && extent.value <= SNI_REDUCE_LANES;
  for (uint32_t s = 0; s < k->n_stages; s++) {
    if (k->stages[s].inner)
      emit_inner_row(e, &k->stages[s]);
    else
      sni_emit_level(e, &k->stages[s], SNI_LEVEL_UNIT, NULL);
  }
}
