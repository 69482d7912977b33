// Products: a CONTRACT with its loops m and n. Called ones take their sums from runtime/gemm, a rectangle
// at a time; small ones have code of their own, panels of columns and blocks of rows. Then the epilogue
// (everything that stands in these loops besides).
//
// Invariant: rows and columns outside the domain are never read nor stored.
#include "codegen/llvm/emit_product.h"

#include <stdlib.h>

typedef enum sni_product_phase {
  phase_unit,   // varies along neither rows nor columns
  phase_panel,  // along columns alone
  phase_row,    // the product and all that follows from it, and what has an effect
} sni_product_phase;

enum {
  direct_instructions = 4,  // a longer epilogue is a loop over rows of the tile: less code
  direct_depth = 64,        // so is a short one if the loop over k hides the detour
};

bool sni_is_product(const sni_emitter *e, uint32_t item) {
  return e->product[item];
}

bool sni_is_called(const sni_emitter *e, uint32_t item) {
  sni_contraction_nest nest;
  sni_contraction_plan plan;
  return sni_contraction_nest_find(e->tree, item, &nest) && nest.outer == item &&
         sni_contraction_plan_make(e->tree, &nest, e->vector_bits, &plan) && plan.called;
}

int sni_product_depth(const sni_emitter *e, uint32_t item) {
  return item == SNI_NO_ITEM ? -1 : (int)sni_item_at(e, item)->depth;
}

// ---- phases
static bool varies_along(const sni_emitter *e, uint32_t number, uint32_t item) {
  return item != SNI_NO_ITEM && e->inst_facts[number].varies >> sni_product_depth(e, item) & 1;
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
  for (int i = 0; i < p->n_row_loops; i++)
    if (varies_along(e, number, p->row_loops[i])) phase = phase_row;
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

static void emit_phase(sni_emitter *e, const sni_product *p, sni_product_phase phase) {
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
      .column = sni_stride_along(e, access, strides, sni_product_depth(e, p->columns)),
      .displacement = displacement,
  };
  for (int i = 0; i < p->n_row_loops; i++)
    p->slots[p->n_slots - 1].row[i] =
        sni_stride_along(e, access, strides, sni_product_depth(e, p->row_loops[i]));
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

void sni_set_panel(sni_emitter *e, sni_product *p) {
  for (uint32_t i = 0; i < p->n_slots; i++) {
    sni_product_slot *s = &p->slots[i];
    s->panel = sni_ir_add(e, s->unit, sni_ir_mul(e, p->column, sni_emit_extent(e, s->column)));
    *s->slot = s->panel;
    if (s->displacement) *s->displacement = 0;
  }
}

// The place at hand: row + number. Rows of a block differ by a constant.
static void set_one_of_several(sni_emitter *e, const sni_product *p, LLVMValueRef row) {
  LLVMValueRef index[SNI_CONTRACT_AXES];
  for (int i = p->n_row_loops - 1; i >= 0; i--) {
    LLVMValueRef at = i ? LLVMBuildURem(e->builder, row, p->row_lengths[i], "") : row;
    if (i) row = LLVMBuildUDiv(e->builder, row, p->row_lengths[i], "");
    index[i] = sni_ir_add(e, p->row_spans[i].first, at);
    e->indices[sni_product_depth(e, p->row_loops[i])] = index[i];
  }
  for (uint32_t s = 0; s < p->n_slots; s++) {
    LLVMValueRef at = p->slots[s].panel;
    for (int i = 0; i < p->n_row_loops; i++)
      at = sni_ir_add(e, at, sni_ir_mul(e, index[i], sni_emit_extent(e, p->slots[s].row[i])));
    *p->slots[s].slot = at;
    if (p->slots[s].displacement) *p->slots[s].displacement = 0;
  }
}

void sni_set_row(sni_emitter *e, const sni_product *p, LLVMValueRef row, int number) {
  LLVMValueRef index = sni_ir_add(e, row, sni_ir_i64(e, number));
  if (p->n_row_loops > 1) {
    set_one_of_several(e, p, index);
    return;
  }
  if (p->rows != SNI_NO_ITEM) e->indices[sni_product_depth(e, p->rows)] = index;
  for (uint32_t i = 0; i < p->n_slots; i++) {
    const sni_product_slot *s = &p->slots[i];
    const sni_extent stride = p->n_row_loops ? s->row[0] : sni_extent_constant(0);
    const bool displaced = s->displacement && stride.param < 0;
    LLVMValueRef by = sni_ir_mul(e, displaced ? row : index, sni_emit_extent(e, stride));
    *s->slot = sni_ir_add(e, s->panel, by);
    if (s->displacement) *s->displacement = displaced ? number * stride.value : 0;
  }
}

// ---- the epilogue
// Bytes from row to row of what lies in the tile.
static LLVMValueRef tile_address(sni_emitter *e, const sni_product *p, LLVMValueRef row,
                                 int vector) {
  LLVMValueRef at =
      sni_ir_element_address(e, e->type_i8, p->tile, sni_ir_mul(e, row, p->tile_pitch));
  return sni_ir_element_address(e, p->element, at, sni_ir_i64(e, (int64_t)vector * e->lanes));
}

static void emit_direct(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                        LLVMValueRef *sums) {
  sni_set_panel(e, p);
  emit_phase(e, p, phase_panel);
  for (int r = 0; r < rows; r++) {
    sni_set_row(e, p, row, r);
    for (int v = 0; v < p->group.count; v++)
      sni_set_vector(e, p->number, v, sums[r * p->group.count + v]);
    emit_phase(e, p, phase_row);
  }
}

// Rows [0, count) of the tile, which are rows first, first + 1, ... of the product.
void sni_emit_from_tile(sni_emitter *e, sni_product *p, LLVMValueRef first, LLVMValueRef count) {
  sni_loop loop;
  sni_set_panel(e, p);
  emit_phase(e, p, phase_panel);
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), count, sni_ir_i64(e, 1), 0);
  sni_set_row(e, p, sni_ir_add(e, first, loop.index), 0);
  for (int v = 0; v < p->group.count; v++)
    sni_set_vector(e, p->number, v,
                   sni_emit_vector_load(e, p->vector, tile_address(e, p, loop.index, v), NULL));
  emit_phase(e, p, phase_row);
  sni_loop_end(e, &loop, NULL);
}

void sni_store_tile(sni_emitter *e, const sni_product *p, LLVMValueRef row, int rows,
                    LLVMValueRef *sums) {
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < p->group.count; v++)
      sni_emit_vector_store(e, sums[r * p->group.count + v],
                            tile_address(e, p, sni_ir_add(e, row, sni_ir_i64(e, r)), v), NULL);
}

// ---- blocks of rows
// What the sums of a row go on from.
void sni_emit_from(sni_emitter *e, sni_product *p, LLVMValueRef row, int number,
                   LLVMValueRef *sums) {
  LLVMValueRef start[sni_max_group];
  sni_set_row(e, p, row, number);
  sni_emit_elements(e, p->from, &p->group, start);
  for (int v = 0; v < p->group.count; v++) sums[v] = start[v];
}

static void emit_block(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows) {
  LLVMValueRef sums[sni_max_carried], offsets[sni_most_rows];
  const bool by_offset = p->left.stride.param >= 0;
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  LLVMValueRef stride = sni_emit_extent(e, p->left.stride);
  LLVMValueRef start = sni_product_start(e, p->vector, p->dtype, c);
  for (int r = 0; r < rows && by_offset; r++) offsets[r] = sni_ir_mul(e, sni_ir_i64(e, r), stride);
  for (int i = 0; i < rows * p->group.count; i++) sums[i] = start;
  if (p->from != SNI_NO_VALUE) sni_set_panel(e, p);
  for (int r = 0; r < rows && p->from != SNI_NO_VALUE; r++)
    sni_emit_from(e, p, row, r, sums + r * p->group.count);
  sni_emit_k_loop(e, p, row, rows, by_offset ? offsets : NULL, sums);
  if (p->direct) {
    emit_direct(e, p, row, rows, sums);
    return;
  }
  sni_store_tile(e, p, sni_ir_i64(e, 0), rows, sums);
  sni_emit_from_tile(e, p, row, sni_ir_i64(e, rows));
}

// Whole blocks, then one for what is left.
static void emit_rows(sni_emitter *e, sni_product *p, int rows) {
  const int64_t count = p->rows == SNI_NO_ITEM ? 1 : sni_tree_known_iterations(e->tree, p->rows);
  const int rest = (int)(count % rows);
  LLVMValueRef next = p->row_first;
  if (count >= rows) {
    sni_loop loop;
    sni_loop_begin(e, &loop, next, sni_ir_add(e, p->row_last, sni_ir_i64(e, 1 - rows)),
                   sni_ir_i64(e, rows), 0);
    emit_block(e, p, loop.index, rows);
    sni_loop_end(e, &loop, NULL);
    next = loop.last_index;
  }
  if (rest) emit_block(e, p, next, rest);
}

// ---- panels of small products
void sni_set_masks(sni_emitter *e, sni_product *p, LLVMValueRef end, bool masked) {
  const int first = p->plan.uniform ? 0 : p->group.count - 1;
  for (int v = first; v < p->group.count && masked; v++) {
    p->group.active[v] = LLVMBuildSub(e->builder, end, p->group.index[v], "");
    p->group.mask[v] = sni_emit_mask(e, p->group.active[v], (unsigned)e->lanes);
  }
}

void sni_begin_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors) {
  p->column = column;
  p->group = (sni_group){.first = 0, .count = vectors};
  for (int v = 0; v < vectors; v++)
    p->group.index[v] = sni_ir_add(e, column, sni_ir_i64(e, (int64_t)v * e->lanes));
}

static void emit_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors, int rows,
                       bool masked) {
  sni_begin_panel(e, p, column, vectors);
  sni_set_masks(e, p, p->column_last, masked);
  LLVMValueRef offset = sni_ir_mul(e, column, sni_emit_extent(e, p->right.stride));
  p->right_address = sni_ir_element_address(e, p->right.element, p->right.base, offset);
  p->tile_pitch = sni_ir_i64(e, (int64_t)vectors * e->vector_bits / 8);
  emit_rows(e, p, rows);
}

static void emit_small(sni_emitter *e, sni_product *p, sni_span rows, sni_span columns) {
  const sni_contraction_plan *plan = &p->plan;
  const int64_t width = (int64_t)plan->vectors * plan->lanes;
  const int64_t extent = sni_tree_known_iterations(e->tree, p->columns), rest = extent % width;
  LLVMValueRef next = columns.first;
  LLVMValueRef last = sni_ir_add(e, columns.last, sni_ir_i64(e, plan->uniform ? 0 : 1 - width));
  p->row_first = rows.first;
  p->row_last = rows.last;
  p->column_last = columns.last;
  const int64_t bytes = width * e->vector_bits / 8 / plan->lanes;
  if (!p->direct)
    p->tile =
        sni_frame_take(e, bytes * (plan->rows > plan->last_rows ? plan->rows : plan->last_rows));
  if (plan->uniform || extent >= width) {
    sni_loop loop;
    sni_loop_begin(e, &loop, next, last, sni_ir_i64(e, width), 0);
    emit_panel(e, p, loop.index, plan->vectors, plan->rows, plan->uniform);
    sni_loop_end(e, &loop, NULL);
    next = loop.last_index;
  }
  if (rest && !plan->uniform)
    emit_panel(e, p, next, plan->last_vectors, plan->last_rows, rest % plan->lanes != 0);
  if (!p->direct) sni_frame_release(e, p->tile);
}

// ---- units
static sni_factor factor(sni_emitter *e, const sni_product *p, bool left) {
  const sni_item *item = sni_item_at(e, p->nest.contract);
  const uint32_t number = left != p->plan.swapped ? item->as.contract.lhs : item->as.contract.rhs;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  const sn_dtype dtype = (sn_dtype)sni_tree_buffers(e->tree)[access->buffer].dtype;
  LLVMTypeRef element = sni_ir_type(e, dtype);
  LLVMValueRef base =
      sni_ir_element_address(e, element, sni_buffer_address(e, access->buffer), e->offsets[number]);
  const int depth = sni_product_depth(e, left ? p->rows : p->columns);
  return (sni_factor){.access = number,
                      .dtype = dtype,
                      .element = element,
                      .base = base,
                      .stride = sni_stride_along(e, number, access->stride, depth),
                      .k_stride = access->stride[item->depth]};
}

static void plan_epilogue(sni_emitter *e, sni_product *p) {
  int count = 0;
  for (uint32_t i = p->first; i < p->end; i++) {
    p->phase[i - p->first] = inst_phase(e, p, i);
    count += p->phase[i - p->first] == phase_row && i != p->number;
  }
  const int64_t k = sni_contract_known_k(&sni_item_at(e, p->nest.contract)->as.contract);
  p->direct = count <= 1 || (count <= direct_instructions && k >= 0 && k <= direct_depth);
}

static sni_span whole_span(sni_emitter *e, uint32_t item) {
  sni_span span = {sni_ir_i64(e, 0), sni_ir_i64(e, 1)};
  if (item != SNI_NO_ITEM) span = sni_loop_span(e, item);
  if (!span.last) span.last = sni_ir_add(e, span.first, sni_ir_i64(e, 1));
  return span;
}

// Of several loops: from 0 on.
static sni_span span_of_rows(sni_emitter *e, sni_product *p) {
  LLVMValueRef count = sni_ir_i64(e, 1);
  if (p->n_row_loops <= 1) return whole_span(e, p->rows);
  for (int i = 0; i < p->n_row_loops; i++) {
    p->row_spans[i] = whole_span(e, p->row_loops[i]);
    p->row_lengths[i] = LLVMBuildSub(e->builder, p->row_spans[i].last, p->row_spans[i].first, "");
    count = sni_ir_mul(e, count, p->row_lengths[i]);
  }
  return (sni_span){sni_ir_i64(e, 0), count};
}

static void emit_nest(sni_emitter *e, sni_product *p) {
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  const sni_span columns = whole_span(e, p->columns), rows = span_of_rows(e, p);
  p->number = c->inst;
  p->dtype = (sn_dtype)sni_inst_at(e, c->inst)->dtype;
  p->element = sni_ir_type(e, p->dtype);
  p->vector = LLVMVectorType(p->element, (unsigned)p->plan.lanes);
  p->left = factor(e, p, true);
  p->right = factor(e, p, false);
  p->k_extent = sni_contract_extent(e, c);
  plan_epilogue(e, p);
  sni_begin_vectors(e, p->nest.outer, p->plan.lanes, sni_product_depth(e, p->columns));
  e->indices[sni_product_depth(e, p->columns)] =
      sni_ir_i64(e, 0);  // what is constant there has one row
  for (int i = 0; i < p->n_row_loops; i++)
    e->indices[sni_product_depth(e, p->row_loops[i])] = sni_ir_i64(e, 0);
  emit_phase(e, p, phase_unit);
  if (p->plan.called)
    sni_emit_called(e, p, rows, columns);
  else
    emit_small(e, p, rows, columns);
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
    p.n_row_loops = p.rows != SNI_NO_ITEM;
    p.row_loops[0] = p.rows;
    for (uint32_t i = 0; p.nest.n_rows > 1 && i < p.nest.n_rows; i++)
      p.row_loops[i] = p.nest.rows[i];
    if (p.nest.n_rows > 1) p.n_row_loops = (int)p.nest.n_rows;
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
