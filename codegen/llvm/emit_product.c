// Products: a CONTRACT with its loops m and n. Units, panels of columns, blocks of rows, and the
// epilogue (everything that stands in these loops besides).
//
// Invariant: rows and columns outside the domain are never read nor stored. A block whose number of
// rows is known only at run time reads its last row again instead, and leaves through the tile.
// With several k blocks the sums rest in the tile in between, so the order of k is kept; where the
// blocks are segments of k, each starts from zero and is added there.
#include "codegen/llvm/emit_product.h"

#include <stdlib.h>

typedef enum sni_phase {
  phase_unit,   // varies along neither rows nor columns
  phase_panel,  // along columns alone
  phase_row,    // the product and all that follows from it, and what has an effect
} sni_phase;

enum {
  direct_instructions = 4,  // a longer epilogue is a loop over rows of the tile: less code
  direct_depth = 64,        // so is a short one if the loop over k hides the detour
};

bool sni_is_product(const sni_emitter *e, uint32_t item) {
  return e->product[item];
}

static int depth_of(const sni_emitter *e, uint32_t item) {
  return item == SNI_NO_ITEM ? -1 : (int)sni_item_at(e, item)->depth;
}

// ---- phases
static bool varies_along(const sni_emitter *e, uint32_t number, uint32_t item) {
  return item != SNI_NO_ITEM && e->inst_facts[number].varies >> depth_of(e, item) & 1;
}

static uint8_t value_phase(const sni_product *p, uint32_t value) {
  return value == SNI_NO_VALUE || value < p->first ? phase_unit : p->phase[value - p->first];
}

static uint8_t latest(uint8_t a, uint8_t b) {
  return a > b ? a : b;
}

static uint8_t inst_phase(const sni_emitter *e, const sni_product *p, uint32_t number) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const sni_kop op = (sni_kop)inst->op;
  uint8_t phase = phase_unit;
  if (varies_along(e, number, p->columns)) phase = phase_panel;
  if (varies_along(e, number, p->rows)) phase = phase_row;
  if (sni_kop_is_store(op) || op == SNI_KOP_CONTRACTION || op == SNI_KOP_CHECK_INDEX)
    phase = phase_row;
  for (int i = 0; i < sni_kop_infos[op].operands; i++)
    phase = latest(phase, value_phase(p, inst->operands[i]));
  if (op != SNI_KOP_LOAD) return phase;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[access->buffer];
  if (buffer->written || buffer->shared) phase = phase_row;
  return latest(latest(phase, value_phase(p, access->index)), value_phase(p, access->otherwise));
}

static void emit_phase(sni_emitter *e, const sni_product *p, sni_phase phase) {
  for (uint32_t i = p->first; i < p->end; i++)
    if (p->phase[i - p->first] == (uint8_t)phase)
      sni_emit_value(e, i, phase == phase_unit ? NULL : &p->group);
}

// ---- offsets of the epilogue
static void add_slot(sni_emitter *e, sni_product *p, LLVMValueRef *slot, uint32_t access,
                     const sni_extent *strides, int64_t *displacement) {
  p->slots[p->n_slots++] = (sni_product_slot){
      .slot = slot,
      .unit = *slot,
      .panel = *slot,
      .row = sni_stride_along(e, access, strides, depth_of(e, p->rows)),
      .column = sni_stride_along(e, access, strides, depth_of(e, p->columns)),
      .displacement = displacement,
  };
}

static void add_slots(sni_emitter *e, sni_product *p, uint32_t number) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  add_slot(e, p, &e->offsets[number], number, access->stride, &e->displacements[number]);
  for (uint32_t r = access->first_range; r < access->first_range + (uint32_t)access->n_ranges; r++)
    add_slot(e, p, &e->forms[r], number, sni_tree_ranges(e->tree)[r].stride, NULL);
}

static bool list_slots(sni_emitter *e, sni_product *p) {
  const sni_tree_access *accesses = sni_tree_accesses(e->tree);
  size_t count = 0;
  for (uint32_t i = p->first; i < p->end; i++)
    if (sni_kop_has_access((sni_kop)sni_inst_at(e, i)->op))
      count += 1u + accesses[sni_inst_at(e, i)->access].n_ranges;
  if (p->from != SNI_NO_VALUE) count += 1u + accesses[p->from].n_ranges;
  p->slots = calloc(count + 1, sizeof(*p->slots));
  if (!p->slots) return false;
  for (uint32_t i = p->first; i < p->end; i++)
    if (sni_kop_has_access((sni_kop)sni_inst_at(e, i)->op))
      add_slots(e, p, sni_inst_at(e, i)->access);
  if (p->from != SNI_NO_VALUE) add_slots(e, p, p->from);
  return true;
}

static void reset_slots(sni_product *p) {
  for (uint32_t i = 0; i < p->n_slots; i++) {
    *p->slots[i].slot = p->slots[i].unit;
    if (p->slots[i].displacement) *p->slots[i].displacement = 0;
  }
}

static void set_panel(sni_emitter *e, sni_product *p) {
  for (uint32_t i = 0; i < p->n_slots; i++) {
    sni_product_slot *s = &p->slots[i];
    s->panel = sni_ir_add(e, s->unit, sni_ir_mul(e, p->column, sni_emit_extent(e, s->column)));
    *s->slot = s->panel;
    if (s->displacement) *s->displacement = 0;
  }
}

// The place at hand: row + number. Rows of a block differ by a constant.
static void set_row(sni_emitter *e, const sni_product *p, LLVMValueRef row, int number) {
  LLVMValueRef index = sni_ir_add(e, row, sni_ir_i64(e, number));
  if (p->rows != SNI_NO_ITEM) e->indices[depth_of(e, p->rows)] = index;
  for (uint32_t i = 0; i < p->n_slots; i++) {
    const sni_product_slot *s = &p->slots[i];
    const bool displaced = s->displacement && s->row.param < 0;
    LLVMValueRef by = sni_ir_mul(e, displaced ? row : index, sni_emit_extent(e, s->row));
    *s->slot = sni_ir_add(e, s->panel, by);
    if (s->displacement) *s->displacement = displaced ? number * s->row.value : 0;
  }
}

// ---- the epilogue
static LLVMValueRef tile_address(sni_emitter *e, const sni_product *p, LLVMValueRef row,
                                 int vector) {
  LLVMValueRef width = sni_ir_i64(e, (int64_t)p->group.count * e->lanes);
  LLVMValueRef at = sni_ir_element_address(e, p->element, p->tile, sni_ir_mul(e, row, width));
  return sni_ir_element_address(e, p->element, at, sni_ir_i64(e, (int64_t)vector * e->lanes));
}

static void emit_direct(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                        LLVMValueRef *sums) {
  set_panel(e, p);
  emit_phase(e, p, phase_panel);
  for (int r = 0; r < rows; r++) {
    set_row(e, p, row, r);
    for (int v = 0; v < p->group.count; v++)
      sni_set_vector(e, p->number, v, sums[r * p->group.count + v]);
    emit_phase(e, p, phase_row);
  }
}

// Rows [0, count) of the tile, which are rows first, first + 1, ... of the product.
static void emit_from_tile(sni_emitter *e, sni_product *p, LLVMValueRef first, LLVMValueRef count) {
  sni_loop loop;
  set_panel(e, p);
  emit_phase(e, p, phase_panel);
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), count, sni_ir_i64(e, 1), 0);
  set_row(e, p, sni_ir_add(e, first, loop.index), 0);
  for (int v = 0; v < p->group.count; v++)
    sni_set_vector(e, p->number, v,
                   sni_emit_vector_load(e, p->vector, tile_address(e, p, loop.index, v), NULL));
  emit_phase(e, p, phase_row);
  sni_loop_end(e, &loop, NULL);
}

static void store_tile(sni_emitter *e, const sni_product *p, LLVMValueRef row, int rows,
                       LLVMValueRef *sums) {
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < p->group.count; v++)
      sni_emit_vector_store(e, sums[r * p->group.count + v],
                            tile_address(e, p, sni_ir_add(e, row, sni_ir_i64(e, r)), v), NULL);
}

// ---- blocks of rows
static LLVMValueRef added(sni_emitter *e, const sni_product *p, LLVMValueRef a, LLVMValueRef b) {
  const bool real = p->dtype == SN_F32 || p->dtype == SN_F64;
  return real ? LLVMBuildFAdd(e->builder, a, b, "") : LLVMBuildAdd(e->builder, a, b, "");
}

static LLVMValueRef product_start(sni_emitter *e, const sni_product *p) {
  const sni_extent k = sni_item_at(e, p->nest.contract)->as.contract.k;
  return sni_product_start(e, p->vector, p->dtype, k);
}

// What the sums of a row go on from; rows behind the last are the last again.
static void emit_from(sni_emitter *e, sni_product *p, LLVMValueRef row, bool beyond,
                      LLVMValueRef *sums) {
  LLVMValueRef start[sni_max_group];
  if (beyond) row = sni_ir_min(e, row, sni_ir_add(e, p->row_last, sni_ir_i64(e, -1)));
  set_row(e, p, row, 0);
  sni_emit_elements(e, p->from, &p->group, start);
  for (int v = 0; v < p->group.count; v++) sums[v] = start[v];
}

// Sums of a block of k: on top of what the tile holds, or, of a segment, added to it.
static void emit_sums(sni_emitter *e, sni_product *p, LLVMValueRef row, LLVMValueRef tile_row,
                      int rows, LLVMValueRef *offsets, LLVMValueRef *sums) {
  const int n = rows * p->group.count;
  const bool go_on = p->from != SNI_NO_VALUE && !p->plan.blocked;
  LLVMValueRef before[sni_max_carried], start = product_start(e, p);
  for (int i = 0; i < n; i++) {
    sums[i] = start;
    if (!p->plan.blocked || p->plan.segmented) continue;
    LLVMValueRef at = sni_ir_add(e, tile_row, sni_ir_i64(e, i / p->group.count));
    sums[i] = sni_emit_vector_load(e, p->vector, tile_address(e, p, at, i % p->group.count), NULL);
  }
  if (go_on) set_panel(e, p);
  for (int r = 0; r < rows && go_on; r++)
    emit_from(e, p, sni_ir_add(e, row, sni_ir_i64(e, r)), offsets, sums + r * p->group.count);
  sni_emit_k_loop(e, p, row, rows, offsets, sums);
  for (int i = 0; i < n && p->plan.segmented; i++) {
    LLVMValueRef at = sni_ir_add(e, tile_row, sni_ir_i64(e, i / p->group.count));
    before[i] =
        sni_emit_vector_load(e, p->vector, tile_address(e, p, at, i % p->group.count), NULL);
    sums[i] = added(e, p, before[i], sums[i]);
  }
}

// count: rows really there, where that is known at run time only; else NULL.
static void emit_block(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                       LLVMValueRef count) {
  LLVMValueRef sums[sni_max_carried], offsets[sni_most_rows];
  const bool by_offset = count || p->left.stride.param >= 0;
  LLVMValueRef stride = sni_emit_extent(e, p->left.stride);
  for (int r = 0; r < rows && by_offset; r++) {
    offsets[r] = sni_ir_mul(e, sni_ir_i64(e, r), stride);
    if (r == 0 || !count) continue;
    LLVMValueRef there = LLVMBuildICmp(e->builder, LLVMIntSGT, count, sni_ir_i64(e, r), "");
    // offsets[r - 1] is the last row's then
    offsets[r] = sni_ir_select(e, there, offsets[r], offsets[r - 1]);
  }
  LLVMValueRef tile_row = LLVMBuildSub(e->builder, row, p->row_first, "");
  emit_sums(e, p, row, tile_row, rows, by_offset ? offsets : NULL, sums);
  if (p->plan.blocked) {
    store_tile(e, p, tile_row, rows, sums);
  } else if (p->direct && !count) {
    emit_direct(e, p, row, rows, sums);
  } else {
    store_tile(e, p, sni_ir_i64(e, 0), rows, sums);
    emit_from_tile(e, p, row, count ? count : sni_ir_i64(e, rows));
  }
}

static bool constant_rows(const sni_product *p, int64_t *out_rows) {
  int64_t first;
  return sni_ir_is_constant(p->row_first, &first) && sni_ir_is_constant(p->row_last, out_rows) &&
         first == 0;
}

// Blocks of `rows` rows, the last of which may reach beyond the unit: one piece of code, for a
// known number of rows never the best.
static void emit_clamped_rows(sni_emitter *e, sni_product *p, int rows) {
  sni_loop loop;
  sni_loop_begin(e, &loop, p->row_first, p->row_last, sni_ir_i64(e, rows), 0);
  LLVMValueRef left = LLVMBuildSub(e->builder, p->row_last, loop.index, "");
  emit_block(e, p, loop.index, rows, sni_ir_min(e, sni_ir_i64(e, rows), left));
  sni_loop_end(e, &loop, NULL);
}

// Whole blocks, then one for what is left.
static void emit_known_rows(sni_emitter *e, sni_product *p, int rows) {
  const int64_t count = p->rows == SNI_NO_ITEM ? 1 : sni_tree_known_iterations(e->tree, p->rows);
  const int rest = (int)(count % rows);
  int64_t all;
  sni_loop loop;
  LLVMValueRef next = p->row_first;
  if (!constant_rows(p, &all) || all >= rows) {
    sni_loop_begin(e, &loop, next, sni_ir_add(e, p->row_last, sni_ir_i64(e, 1 - rows)),
                   sni_ir_i64(e, rows), 0);
    emit_block(e, p, loop.index, rows, NULL);
    sni_loop_end(e, &loop, NULL);
    next = loop.last_index;
  }
  if (!rest) return;
  sni_loop_begin(e, &loop, next, p->row_last, sni_ir_i64(e, rest), 0);  // once, if at all
  emit_block(e, p, loop.index, rest, NULL);
  sni_loop_end(e, &loop, NULL);
}

// ---- panels
static void set_right(sni_emitter *e, sni_product *p, bool packed) {
  LLVMValueRef k_stride = sni_emit_extent(e, p->right.k_stride);
  LLVMValueRef offset = sni_ir_add(e, sni_ir_mul(e, p->k_first, k_stride),
                                   sni_ir_mul(e, p->column, sni_emit_extent(e, p->right.stride)));
  p->right_is_packed = packed;
  p->right_address =
      packed ? p->packed : sni_ir_element_address(e, p->element, p->right.base, offset);
  p->right_stride = packed ? sni_ir_i64(e, (int64_t)p->group.count * e->lanes) : k_stride;
}

// Copies if the unit has rows enough; the block reads from either place with the same code.
static void pack_for_many_rows(sni_emitter *e, sni_product *p) {
  LLVMValueRef count = LLVMBuildSub(e->builder, p->row_last, p->row_first, "");
  LLVMValueRef many =
      LLVMBuildICmp(e->builder, LLVMIntSGE, count, sni_ir_i64(e, p->plan.pack_rows), "");
  LLVMBasicBlockRef copy = sni_ir_block(e, "pack"), after = sni_ir_block(e, "after");
  set_right(e, p, false);
  LLVMValueRef address = p->right_address, stride = p->right_stride;
  LLVMBuildCondBr(e->builder, many, copy, after);
  LLVMPositionBuilderAtEnd(e->builder, copy);
  sni_pack_right(e, p);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
  set_right(e, p, true);
  p->right_is_packed = false;
  p->right_address = sni_ir_select(e, many, p->right_address, address);
  p->right_stride = sni_ir_select(e, many, p->right_stride, stride);
}

static void emit_k_block(sni_emitter *e, sni_product *p, int rows) {
  switch (p->plan.pack) {
    case SNI_PACK_NEVER:
      set_right(e, p, false);
      break;
    case SNI_PACK_MANY_ROWS:
      pack_for_many_rows(e, p);
      break;
    case SNI_PACK_ALWAYS:
      sni_pack_right(e, p);
      set_right(e, p, true);
      break;
  }
  if (p->plan.tail_known)
    emit_known_rows(e, p, rows);
  else
    emit_clamped_rows(e, p, rows);
}

// Of segments: with what the first one's sum is itself on top of.
static LLVMValueRef nothing(sni_emitter *e, const sni_product *p) {
  const bool real = p->dtype == SN_F32 || p->dtype == SN_F64;
  return p->plan.segmented && real ? sni_ir_float(p->vector, -0.0) : product_start(e, p);
}

static void start_tile(sni_emitter *e, sni_product *p, int rows) {
  sni_loop loop;
  LLVMValueRef count = LLVMBuildSub(e->builder, p->row_last, p->row_first, "");
  LLVMValueRef end = sni_ir_add(e, count, sni_ir_i64(e, rows - 1));  // the last block stores whole
  LLVMValueRef start[sni_max_group];
  if (p->from != SNI_NO_VALUE) set_panel(e, p);
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), end, sni_ir_i64(e, 1), 0);
  for (int v = 0; v < p->group.count; v++) start[v] = nothing(e, p);
  if (p->from != SNI_NO_VALUE)
    emit_from(e, p, sni_ir_add(e, p->row_first, loop.index), true, start);
  for (int v = 0; v < p->group.count; v++)
    sni_emit_vector_store(e, start[v], tile_address(e, p, loop.index, v), NULL);
  sni_loop_end(e, &loop, NULL);
}

static void set_masks(sni_emitter *e, sni_product *p, bool masked) {
  const int vectors = p->group.count;
  for (int v = 0; v < vectors && p->plan.uniform; v++) {
    p->group.active[v] = LLVMBuildSub(e->builder, p->column_last, p->group.index[v], "");
    p->group.mask[v] = sni_emit_mask(e, p->group.active[v], (unsigned)e->lanes);
  }
  if (!masked || p->plan.uniform) return;
  const int64_t extent = sni_tree_known_iterations(e->tree, p->columns);
  const int64_t width = (int64_t)p->plan.vectors * p->plan.lanes;
  LLVMValueRef active = p->plan.width_known
                            ? sni_ir_i64(e, extent % width - (int64_t)(vectors - 1) * e->lanes)
                            : LLVMBuildSub(e->builder, p->column_last, p->column, "");
  p->group.active[vectors - 1] = active;
  p->group.mask[vectors - 1] = sni_emit_mask(e, active, (unsigned)e->lanes);
}

static void emit_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors, int rows,
                       bool masked) {
  p->column = column;
  p->group = (sni_group){.first = 0, .count = vectors};
  for (int v = 0; v < vectors; v++)
    p->group.index[v] = sni_ir_add(e, column, sni_ir_i64(e, (int64_t)v * e->lanes));
  set_masks(e, p, masked);
  p->k_first = sni_ir_i64(e, 0);
  p->k_count = p->k_extent;
  if (!p->plan.blocked) {
    emit_k_block(e, p, rows);
    return;
  }
  sni_loop loop;
  LLVMValueRef size = sni_ir_i64(e, p->plan.k_block), end = p->k_extent, one = sni_ir_i64(e, 1);
  if (p->plan.segmented)  // an empty sum is that of one empty segment
    end = sni_ir_select(e, LLVMBuildICmp(e->builder, LLVMIntSGT, end, one, ""), end, one);
  start_tile(e, p, rows);
  sni_loop_begin(e, &loop, p->k_first, end, size, 0);
  p->k_first = loop.index;
  p->k_count = sni_ir_min(e, size, LLVMBuildSub(e->builder, p->k_extent, loop.index, ""));
  emit_k_block(e, p, rows);
  sni_loop_end(e, &loop, NULL);
  emit_from_tile(e, p, p->row_first, LLVMBuildSub(e->builder, p->row_last, p->row_first, ""));
}

static void emit_panels(sni_emitter *e, sni_product *p, sni_span span) {
  const sni_contraction_plan *plan = &p->plan;
  const int64_t width = (int64_t)plan->vectors * plan->lanes;
  int64_t start, all = width;
  sni_loop loop;
  p->column_last = span.last;
  LLVMValueRef next = span.first;
  if (plan->uniform) {
    sni_loop_begin(e, &loop, span.first, span.last, sni_ir_i64(e, width), 0);
    emit_panel(e, p, loop.index, plan->vectors, plan->rows, true);
    sni_loop_end(e, &loop, NULL);
    return;
  }
  const bool narrow = sni_ir_is_constant(span.first, &start) &&
                      sni_ir_is_constant(span.last, &all) && all - start < width;
  if (!narrow) {
    sni_loop_begin(e, &loop, span.first, sni_ir_add(e, span.last, sni_ir_i64(e, 1 - width)),
                   sni_ir_i64(e, width), 0);
    emit_panel(e, p, loop.index, plan->vectors, plan->rows, false);
    sni_loop_end(e, &loop, NULL);
    next = loop.last_index;
  }
  const int64_t extent = sni_tree_known_iterations(e->tree, p->columns);
  const int64_t rest = plan->width_known ? extent % width : 1;
  if (!rest) return;
  const int vectors = plan->width_known ? (int)((rest + plan->lanes - 1) / plan->lanes) : 1;
  const int rows = vectors == plan->vectors ? plan->rows : plan->last_rows;
  sni_loop_begin(e, &loop, next, span.last, sni_ir_i64(e, (int64_t)vectors * plan->lanes), 0);
  emit_panel(e, p, loop.index, vectors, rows, !plan->width_known || rest % plan->lanes != 0);
  sni_loop_end(e, &loop, NULL);
}

// ---- units
static sni_factor factor(sni_emitter *e, const sni_product *p, bool left) {
  const sni_item *item = sni_item_at(e, p->nest.contract);
  const uint32_t number = left != p->plan.swapped ? item->as.contract.lhs : item->as.contract.rhs;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  LLVMValueRef base = sni_ir_element_address(e, p->element, sni_buffer_address(e, access->buffer),
                                             e->offsets[number]);
  const int depth = depth_of(e, left ? p->rows : p->columns);
  return (sni_factor){base, sni_stride_along(e, number, access->stride, depth),
                      access->stride[item->depth]};
}

static void plan_epilogue(sni_emitter *e, sni_product *p) {
  int count = 0;
  for (uint32_t i = p->first; i < p->end; i++) {
    p->phase[i - p->first] = inst_phase(e, p, i);
    count += p->phase[i - p->first] == phase_row && i != p->number;
  }
  const sni_extent depth = sni_item_at(e, p->nest.contract)->as.contract.k;
  p->direct = count <= 1 ||
              (count <= direct_instructions && depth.param < 0 && depth.value <= direct_depth);
}

static LLVMValueRef scratch_at(sni_emitter *e, size_t offset) {
  const int64_t header = (int64_t)sizeof(sni_scratch_header);
  return sni_ir_element_address(e, e->type_i8, e->scratch, sni_ir_i64(e, header + (int64_t)offset));
}

// Rows that no grid cuts come in strips that the tile has room for.
static void emit_strips(sni_emitter *e, sni_product *p, sni_span rows, sni_span columns) {
  int64_t first = -1, last = 0;
  const bool known = sni_ir_is_constant(rows.first, &first) && sni_ir_is_constant(rows.last, &last);
  const bool grid = p->rows != SNI_NO_ITEM && e->item_facts[p->rows].grid;
  p->row_first = rows.first;
  p->row_last = rows.last;
  if (grid || p->rows == SNI_NO_ITEM || (known && last - first <= p->plan.unit_rows)) {
    emit_panels(e, p, columns);
    return;
  }
  sni_loop loop;
  LLVMValueRef size = sni_ir_i64(e, p->plan.unit_rows);
  sni_loop_begin(e, &loop, rows.first, rows.last, size, 0);
  p->row_first = loop.index;
  p->row_last = sni_ir_min(e, sni_ir_add(e, loop.index, size), rows.last);
  emit_panels(e, p, columns);
  sni_loop_end(e, &loop, NULL);
}

static sni_span whole_span(sni_emitter *e, uint32_t item) {
  sni_span span = {sni_ir_i64(e, 0), sni_ir_i64(e, 1)};
  if (item != SNI_NO_ITEM) span = sni_loop_span(e, item);
  if (!span.last) span.last = sni_ir_add(e, span.first, sni_ir_i64(e, 1));
  return span;
}

static void emit_nest(sni_emitter *e, sni_product *p) {
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  const sni_span rows = whole_span(e, p->rows), columns = whole_span(e, p->columns);
  p->number = c->inst;
  p->dtype = (sn_dtype)sni_inst_at(e, c->inst)->dtype;
  p->element = sni_ir_type(e, p->dtype);
  p->vector = LLVMVectorType(p->element, (unsigned)p->plan.lanes);
  p->left = factor(e, p, true);
  p->right = factor(e, p, false);
  p->tile = scratch_at(e, p->plan.tile_offset);
  p->packed = scratch_at(e, p->plan.panel_offset);
  p->k_extent = sni_emit_extent(e, c->k);
  plan_epilogue(e, p);
  sni_begin_vectors(e, p->nest.outer, p->plan.lanes, depth_of(e, p->columns));
  e->indices[depth_of(e, p->columns)] = sni_ir_i64(e, 0);  // what is constant there has one row
  if (p->rows != SNI_NO_ITEM) e->indices[depth_of(e, p->rows)] = sni_ir_i64(e, 0);
  emit_phase(e, p, phase_unit);
  emit_strips(e, p, rows, columns);
  sni_end_vectors(e);
  reset_slots(p);
}

void sni_emit_product(sni_emitter *e, uint32_t item) {
  sni_product p = {.first = sni_first_inst(e, item), .end = sni_end_inst(e, item)};
  p.phase = calloc(p.end - p.first + 1u, 1);
  if (p.phase && sni_contraction_nest_find(e->tree, item, &p.nest) &&
      sni_contraction_plan_make(e->tree, &p.nest, e->vector_bits, &p.plan)) {
    p.from = sni_item_at(e, p.nest.contract)->as.contract.from;
    p.rows = p.plan.swapped ? p.nest.n : p.nest.m;
    p.columns = p.plan.swapped ? p.nest.m : p.nest.n;
    if (list_slots(e, &p))
      emit_nest(e, &p);
    else
      sni_fail_emission(e, "out of memory");
  } else {
    sni_fail_emission(e, "out of memory");
  }
  free(p.slots);
  free(p.phase);
}
