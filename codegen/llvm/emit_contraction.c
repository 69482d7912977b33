// Contraction kernels: units, panels of columns, blocks of rows, and the epilogue (everything
// behind the product).
//
// Invariant: rows and columns outside the domain are never read nor stored. A block whose number of
// rows is known only at run time reads its last row again instead, and leaves through the tile.
// With several k blocks the sums rest in the tile in between, so the order of k is kept.
#include "codegen/llvm/emit_contraction.h"

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

static uint8_t inst_phase(const sni_emitter *e, const sni_product *p, uint32_t number) {
  const sni_kernel *k = e->kernel;
  const sni_kernel_inst *inst = &k->insts[number];
  uint8_t phase = phase_unit;
  if (e->varies[number] >> p->column_axis & 1) phase = phase_panel;
  if (e->varies[number] >> p->row_axis & 1) phase = phase_row;
  if (sni_kop_is_store(inst->op) || inst->op == SNI_KOP_CONTRACTION) phase = phase_row;
  if (inst->op == SNI_KOP_LOAD) {
    const sni_kernel_access *access = &k->accesses[inst->access];
    const sni_kernel_buffer *buffer = &k->buffers[access->buffer];
    if (buffer->written || buffer->shared) phase = phase_row;
    if (access->index != SNI_NO_VALUE && p->phase[access->index] > phase)
      phase = p->phase[access->index];
  }
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    if (p->phase[inst->operands[i]] > phase) phase = p->phase[inst->operands[i]];
  return phase;
}

static void emit_phase(sni_emitter *e, const sni_product *p, sni_phase phase) {
  for (uint32_t i = 0; i < e->kernel->n_insts; i++)
    if (p->phase[i] == (uint8_t)phase) sni_emit_inst(e, i, phase == phase_unit ? NULL : &p->group);
}

// ---- the epilogue
// The place at hand: row + number. Rows of a block differ by a constant.
static void set_row(sni_emitter *e, const sni_product *p, LLVMValueRef row, int number) {
  LLVMValueRef index = sni_ir_add(e, row, sni_ir_i64(e, number));
  e->index[p->row_axis] = index;
  for (uint32_t i = 0; i < e->kernel->n_accesses; i++) {
    const sni_kernel_size stride = e->kernel->accesses[i].stride[p->row_axis];
    LLVMValueRef offset = sni_ir_mul(e, stride.param < 0 ? row : index, sni_emit_size(e, stride));
    e->offsets[i] = sni_ir_add(e, p->unit_offsets[i], offset);
    e->displacements[i] = stride.param < 0 ? number * stride.value : 0;
  }
}

static LLVMValueRef tile_address(sni_emitter *e, const sni_product *p, LLVMValueRef row,
                                 int vector) {
  LLVMValueRef width = sni_ir_i64(e, (int64_t)p->group.count * e->lanes);
  LLVMValueRef at = sni_ir_element_address(e, p->element, p->tile, sni_ir_mul(e, row, width));
  return sni_ir_element_address(e, p->element, at, sni_ir_i64(e, (int64_t)vector * e->lanes));
}

static void emit_direct(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                        LLVMValueRef *sums) {
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
// count: rows really there, where that is known at run time only; else NULL.
static void emit_block(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                       LLVMValueRef count) {
  LLVMValueRef sums[sni_max_carried], offsets[sni_max_rows];
  const int n = rows * p->group.count;
  const bool by_offset = count || p->left.stride.param >= 0;
  LLVMValueRef stride = sni_emit_size(e, p->left.stride);
  for (int r = 0; r < rows && by_offset; r++) {
    offsets[r] = sni_ir_mul(e, sni_ir_i64(e, r), stride);
    if (r == 0 || !count) continue;
    LLVMValueRef there = LLVMBuildICmp(e->builder, LLVMIntSGT, count, sni_ir_i64(e, r), "");
    // offsets[r - 1] is the last row's then
    offsets[r] = sni_ir_select(e, there, offsets[r], offsets[r - 1]);
  }
  LLVMValueRef tile_row = LLVMBuildSub(e->builder, row, p->row_first, "");
  for (int i = 0; i < n; i++) {
    sums[i] = LLVMConstNull(p->vector);
    if (!p->plan.blocked) continue;
    LLVMValueRef at = sni_ir_add(e, tile_row, sni_ir_i64(e, i / p->group.count));
    sums[i] = sni_emit_vector_load(e, p->vector, tile_address(e, p, at, i % p->group.count), NULL);
  }
  sni_emit_block_loop(e, p, row, rows, by_offset ? offsets : NULL, sums);
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
  const int rest = (int)(e->kernel->extent[p->row_axis].value % rows);
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
  LLVMValueRef k_stride = sni_emit_size(e, p->right.k_stride);
  LLVMValueRef offset = sni_ir_add(e, sni_ir_mul(e, p->k_first, k_stride),
                                   sni_ir_mul(e, p->column, sni_emit_size(e, p->right.stride)));
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
  sni_emit_pack(e, p);
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
      sni_emit_pack(e, p);
      set_right(e, p, true);
      break;
  }
  if (p->plan.tail_known)
    emit_known_rows(e, p, rows);
  else
    emit_clamped_rows(e, p, rows);
}

static void clear_tile(sni_emitter *e, sni_product *p, int rows) {
  sni_loop loop;
  LLVMValueRef count = LLVMBuildSub(e->builder, p->row_last, p->row_first, "");
  LLVMValueRef end = sni_ir_add(e, count, sni_ir_i64(e, rows - 1));  // the last block stores whole
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), end, sni_ir_i64(e, 1), 0);
  for (int v = 0; v < p->group.count; v++)
    sni_emit_vector_store(e, LLVMConstNull(p->vector), tile_address(e, p, loop.index, v), NULL);
  sni_loop_end(e, &loop, NULL);
}

static void emit_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors, int rows,
                       bool masked) {
  p->column = column;
  p->group = (sni_group){.first = 0, .count = vectors};
  for (int v = 0; v < vectors; v++)
    p->group.index[v] = sni_ir_add(e, column, sni_ir_i64(e, (int64_t)v * e->lanes));
  for (int v = 0; v < vectors && p->plan.uniform; v++) {
    p->group.active[v] = LLVMBuildSub(e->builder, p->column_last, p->group.index[v], "");
    p->group.mask[v] = sni_emit_mask(e, p->group.active[v], (unsigned)e->lanes);
  }
  if (masked && !p->plan.uniform) {
    const int64_t extent = e->kernel->extent[p->column_axis].value;
    const int64_t width = (int64_t)p->plan.vectors * p->plan.lanes;
    LLVMValueRef active = p->plan.width_known
                              ? sni_ir_i64(e, extent % width - (int64_t)(vectors - 1) * e->lanes)
                              : LLVMBuildSub(e->builder, p->column_last, column, "");
    p->group.active[vectors - 1] = active;
    p->group.mask[vectors - 1] = sni_emit_mask(e, active, (unsigned)e->lanes);
  }
  p->k_first = sni_ir_i64(e, 0);
  p->k_count = p->k_extent;
  if (!p->plan.blocked) {
    emit_k_block(e, p, rows);
    return;
  }
  sni_loop loop;
  LLVMValueRef size = sni_ir_i64(e, p->plan.k_block);
  clear_tile(e, p, rows);
  sni_loop_begin(e, &loop, p->k_first, p->k_extent, size, 0);
  p->k_first = loop.index;
  p->k_count = sni_ir_min(e, size, LLVMBuildSub(e->builder, p->k_extent, loop.index, ""));
  emit_k_block(e, p, rows);
  sni_loop_end(e, &loop, NULL);
  emit_from_tile(e, p, p->row_first, LLVMBuildSub(e->builder, p->row_last, p->row_first, ""));
}

static void emit_panels(sni_emitter *e, sni_product *p, LLVMValueRef first, LLVMValueRef last) {
  const sni_contraction_plan *plan = &p->plan;
  const int64_t width = (int64_t)plan->vectors * plan->lanes;
  const sni_kernel_size extent = e->kernel->extent[p->column_axis];
  int64_t start, all = width;
  sni_loop loop;
  p->column_last = last;
  LLVMValueRef next = first;
  if (plan->uniform) {
    sni_loop_begin(e, &loop, first, last, sni_ir_i64(e, width), 0);
    emit_panel(e, p, loop.index, plan->vectors, plan->rows, true);
    sni_loop_end(e, &loop, NULL);
    return;
  }
  const bool narrow =
      sni_ir_is_constant(first, &start) && sni_ir_is_constant(last, &all) && all - start < width;
  if (!narrow) {
    sni_loop_begin(e, &loop, first, sni_ir_add(e, last, sni_ir_i64(e, 1 - width)),
                   sni_ir_i64(e, width), 0);
    emit_panel(e, p, loop.index, plan->vectors, plan->rows, false);
    sni_loop_end(e, &loop, NULL);
    next = loop.last_index;
  }
  const int64_t rest = plan->width_known ? extent.value % width : 1;
  if (!rest) return;
  const int vectors = plan->width_known ? (int)((rest + plan->lanes - 1) / plan->lanes) : 1;
  const int rows = vectors == plan->vectors ? plan->rows : plan->last_rows;
  sni_loop_begin(e, &loop, next, last, sni_ir_i64(e, (int64_t)vectors * plan->lanes), 0);
  emit_panel(e, p, loop.index, vectors, rows, !plan->width_known || rest % plan->lanes != 0);
  sni_loop_end(e, &loop, NULL);
}

// ---- units
static sni_side product_side(sni_emitter *e, uint32_t number, int axis, sni_kernel_size k_stride) {
  const sni_kernel_access *access = &e->kernel->accesses[number];
  LLVMTypeRef element = sni_ir_type(e, e->kernel->buffers[access->buffer].dtype);
  LLVMValueRef base =
      sni_ir_element_address(e, element, e->buffers[access->buffer], e->offsets[number]);
  return (sni_side){base, access->stride[axis], k_stride};
}

static void plan_epilogue(sni_emitter *e, sni_product *p) {
  int count = 0;
  for (uint32_t i = 0; i < e->kernel->n_insts; i++) {
    p->phase[i] = inst_phase(e, p, i);
    if (e->kernel->insts[i].op == SNI_KOP_CONTRACTION) p->number = i;
    count += p->phase[i] == phase_row && e->kernel->insts[i].op != SNI_KOP_CONTRACTION;
  }
  const sni_kernel_size depth = e->kernel->contraction.k_extent;
  p->direct = count <= 1 ||
              (count <= direct_instructions && depth.param < 0 && depth.value <= direct_depth);
}

static void set_offsets(sni_emitter *e, sni_product *p) {
  const sni_kernel_contraction *c = &e->kernel->contraction;
  e->index[p->row_axis] = e->index[p->column_axis] = sni_ir_i64(e, 0);
  for (uint32_t i = 0; i < e->kernel->n_accesses; i++)
    e->offsets[i] = p->unit_offsets[i] = sni_emit_access_offset(e, &e->kernel->accesses[i]);
  p->left = product_side(e, p->plan.swapped ? c->rhs : c->lhs, p->row_axis,
                         p->plan.swapped ? c->rhs_k_stride : c->lhs_k_stride);
  p->right = product_side(e, p->plan.swapped ? c->lhs : c->rhs, p->column_axis,
                          p->plan.swapped ? c->lhs_k_stride : c->rhs_k_stride);
  const int64_t header = (int64_t)sizeof(sni_scratch_header);
  p->tile = sni_ir_element_address(e, e->type_i8, e->scratch,
                                   sni_ir_i64(e, header + (int64_t)p->plan.tile_offset));
  p->packed = sni_ir_element_address(e, e->type_i8, e->scratch,
                                     sni_ir_i64(e, header + (int64_t)p->plan.panel_offset));
  p->k_extent = sni_emit_size(e, c->k_extent);
}

bool sni_emit_contraction_unit(sni_emitter *e, LLVMValueRef m_first, LLVMValueRef m_last,
                               LLVMValueRef n_first, LLVMValueRef n_last) {
  const sni_kernel *k = e->kernel;
  sni_product p = {.unit_offsets = calloc(k->n_accesses + 1u, sizeof(LLVMValueRef)),
                   .phase = calloc(k->n_insts + 1u, 1)};
  bool ok = p.unit_offsets && p.phase;
  if (!ok) sni_fail_emission(e, "out of memory");
  if (ok && !sni_contraction_plan_make(k, e->vector_bits, &p.plan))
    ok = sni_fail_emission(e, "kernel %s: contractions of floats only", k->name ? k->name : "?");
  if (ok) {
    const bool swapped = p.plan.swapped;
    p.row_axis = k->n_outer - (swapped ? 1 : 2);
    p.column_axis = k->n_outer - (swapped ? 2 : 1);
    p.row_first = swapped ? n_first : m_first;
    p.row_last = swapped ? n_last : m_last;
    p.element = sni_ir_type(e, k->buffers[k->accesses[k->contraction.lhs].buffer].dtype);
    p.vector = LLVMVectorType(p.element, (unsigned)e->lanes);
    plan_epilogue(e, &p);
    set_offsets(e, &p);
    emit_phase(e, &p, phase_unit);
    emit_panels(e, &p, swapped ? m_first : n_first, swapped ? m_last : n_last);
  }
  free(p.unit_offsets);
  free(p.phase);
  return ok;
}
