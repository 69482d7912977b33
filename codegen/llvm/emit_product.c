// Products: a CONTRACT with its loops m and n. Called ones take their sums from runtime/gemm, a rectangle
// at a time; small ones have code of their own, panels of columns and blocks of rows. Then the epilogue
// (everything that stands in these loops besides).
//
// Invariant: rows and columns outside the domain are never read nor stored.
#include "codegen/llvm/emit_product.h"

#include "runtime/host_calls.h"

#include <stddef.h>
#include <stdlib.h>

typedef enum sni_phase {
  phase_unit,   // varies along neither rows nor columns
  phase_panel,  // along columns alone
  phase_row,    // the product and all that follows from it, and what has an effect
} sni_phase;

enum {
  direct_instructions = 4,  // a longer epilogue is a loop over rows of the tile: less code
  direct_depth = 64,        // so is a short one if the loop over k hides the detour
  called_vectors = 2,       // of a panel of a called product's epilogue
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
// Bytes from row to row of what lies in the tile.
static LLVMValueRef tile_address(sni_emitter *e, const sni_product *p, LLVMValueRef row,
                                 int vector) {
  LLVMValueRef at =
      sni_ir_element_address(e, e->type_i8, p->tile, sni_ir_mul(e, row, p->tile_pitch));
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
// What the sums of a row go on from.
static void emit_from(sni_emitter *e, sni_product *p, LLVMValueRef row, int number,
                      LLVMValueRef *sums) {
  LLVMValueRef start[sni_max_group];
  set_row(e, p, row, number);
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
  if (p->from != SNI_NO_VALUE) set_panel(e, p);
  for (int r = 0; r < rows && p->from != SNI_NO_VALUE; r++)
    emit_from(e, p, row, r, sums + r * p->group.count);
  sni_emit_k_loop(e, p, row, rows, by_offset ? offsets : NULL, sums);
  if (p->direct) {
    emit_direct(e, p, row, rows, sums);
    return;
  }
  store_tile(e, p, sni_ir_i64(e, 0), rows, sums);
  emit_from_tile(e, p, row, sni_ir_i64(e, rows));
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
static void set_masks(sni_emitter *e, sni_product *p, LLVMValueRef end, bool masked) {
  const int first = p->plan.uniform ? 0 : p->group.count - 1;
  for (int v = first; v < p->group.count && masked; v++) {
    p->group.active[v] = LLVMBuildSub(e->builder, end, p->group.index[v], "");
    p->group.mask[v] = sni_emit_mask(e, p->group.active[v], (unsigned)e->lanes);
  }
}

static void begin_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors) {
  p->column = column;
  p->group = (sni_group){.first = 0, .count = vectors};
  for (int v = 0; v < vectors; v++)
    p->group.index[v] = sni_ir_add(e, column, sni_ir_i64(e, (int64_t)v * e->lanes));
}

static void emit_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors, int rows,
                       bool masked) {
  begin_panel(e, p, column, vectors);
  set_masks(e, p, p->column_last, masked);
  LLVMValueRef offset = sni_ir_mul(e, column, sni_emit_extent(e, p->right.stride));
  p->right_address = sni_ir_element_address(e, p->element, p->right.base, offset);
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

// ---- called products
static LLVMValueRef gemm_field(sni_emitter *e, LLVMValueRef gemm, size_t offset) {
  return sni_ir_element_address(e, e->type_i8, gemm, sni_ir_i64(e, (int64_t)offset));
}
static void put(sni_emitter *e, LLVMValueRef gemm, size_t offset, LLVMValueRef value) {
  LLVMBuildStore(e->builder, value, gemm_field(e, gemm, offset));
}
static LLVMValueRef get(sni_emitter *e, LLVMValueRef gemm, size_t offset, LLVMTypeRef type) {
  return LLVMBuildLoad2(e->builder, type, gemm_field(e, gemm, offset), "");
}
#define FIELD(name) offsetof(sni_gemm, name)

// number: of the function in sni_host_calls.
static LLVMValueRef call(sni_emitter *e, size_t offset, LLVMTypeRef result, LLVMValueRef gemm) {
  LLVMValueRef table = LLVMGetParam(e->function, 0);
  LLVMValueRef function = get(e, table, offset, e->type_pointer);
  LLVMTypeRef type = LLVMFunctionType(result, &e->type_pointer, 1, false);
  return LLVMBuildCall2(e->builder, type, function, &gemm, 1, "");
}

static LLVMValueRef bytes_of(sni_emitter *e, const sni_product *p, LLVMValueRef elements) {
  return sni_ir_mul(e, elements, sni_ir_i64(e, (int64_t)sni_dtype_bytes(p->dtype)));
}

static void put_number(sni_emitter *e, LLVMValueRef at, size_t offset, int64_t number) {
  put(e, at, offset, sni_ir_i64(e, number));
}

enum { map_bytes = (sizeof(sni_gemm_map) + 63) / 64 * 64 };

// A map of a side in the frame, with its ranges behind it. first: of its own index.
static LLVMValueRef put_map(sni_emitter *e, const sni_product *p, const sni_factor *factor,
                            LLVMValueRef first, int own_depth) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[factor->access];
  const sni_item *item = sni_item_at(e, p->nest.contract);
  const sni_contract_item *c = &item->as.contract;
  LLVMValueRef map =
      sni_frame_take(e, map_bytes + (int64_t)(access->n_ranges * sizeof(sni_gemm_range)));
  put_number(e, map, offsetof(sni_gemm_map, own.count), 1);
  put(e, map, offsetof(sni_gemm_map, own.step),
      bytes_of(e, p, sni_emit_extent(e, factor->stride)));
  put_number(e, map, offsetof(sni_gemm_map, k.count), c->n_k);
  for (uint32_t i = 0; i < c->n_k; i++) {
    put(e, map, offsetof(sni_gemm_map, k.extent) + i * sizeof(int64_t),
        sni_emit_extent(e, c->k[i]));
    put(e, map, offsetof(sni_gemm_map, k.step) + i * sizeof(int64_t),
        bytes_of(e, p, sni_emit_extent(e, access->stride[item->depth + i])));
  }
  put(e, map, offsetof(sni_gemm_map, own_first), first);
  put_number(e, map, offsetof(sni_gemm_map, n_ranges), access->n_ranges);
  put(e, map, offsetof(sni_gemm_map, ranges), gemm_field(e, map, map_bytes));
  for (uint32_t r = 0; r < access->n_ranges; r++) {
    const uint32_t number = access->first_range + r;
    const sni_tree_range *range = &sni_tree_ranges(e->tree)[number];
    const size_t at = map_bytes + r * sizeof(sni_gemm_range);
    put(e, map, at + offsetof(sni_gemm_range, extent), sni_emit_extent(e, range->extent));
    put(e, map, at + offsetof(sni_gemm_range, offset), e->forms[number]);
    put(e, map, at + offsetof(sni_gemm_range, own),
        sni_emit_extent(e, sni_stride_along(e, factor->access, range->stride, own_depth)));
    for (uint32_t i = 0; i < c->n_k; i++)
      put(e, map, at + offsetof(sni_gemm_range, k) + i * sizeof(int64_t),
          sni_emit_extent(e, range->stride[item->depth + i]));
  }
  return map;
}

// offsets: of the address, the two strides and the map.
static void put_side(sni_emitter *e, const sni_product *p, LLVMValueRef gemm, sni_factor *factor,
                     LLVMValueRef first, uint32_t loop, const size_t offsets[4]) {
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  factor->map = NULL;
  if (sni_contract_has_map(e->tree, c, factor->access)) {
    factor->map = put_map(e, p, factor, first, depth_of(e, loop));
    put(e, gemm, offsets[0], factor->base);
    put(e, gemm, offsets[3], factor->map);
    return;
  }
  put(e, gemm, offsets[3], LLVMConstNull(e->type_pointer));
  LLVMValueRef own = sni_emit_extent(e, factor->stride);
  LLVMValueRef at = sni_ir_element_address(e, p->element, factor->base, sni_ir_mul(e, first, own));
  put(e, gemm, offsets[0], at);
  put(e, gemm, offsets[1], bytes_of(e, p, own));
  put(e, gemm, offsets[2], bytes_of(e, p, sni_emit_extent(e, factor->k_stride)));
}

static void describe(sni_emitter *e, sni_product *p, LLVMValueRef gemm, sni_span rows,
                     sni_span columns) {
  static const size_t a[] = {FIELD(a), FIELD(a_row), FIELD(a_k), FIELD(map_a)},
                      b[] = {FIELD(b), FIELD(b_column), FIELD(b_k), FIELD(map_b)};
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  const int64_t own =
      (int64_t)(sizeof(sni_scratch_header) + sni_contraction_scratch_offset(e->tree));
  LLVMValueRef null = LLVMConstNull(e->type_pointer);
  put(e, gemm, FIELD(dtype), sni_ir_i64(e, p->dtype));
  put(e, gemm, FIELD(m), LLVMBuildSub(e->builder, rows.last, rows.first, ""));
  put(e, gemm, FIELD(n), LLVMBuildSub(e->builder, columns.last, columns.first, ""));
  put(e, gemm, FIELD(k), p->k_extent);
  put(e, gemm, FIELD(segment), sni_ir_i64(e, c->segment));
  put(e, gemm, FIELD(goes_on), sni_ir_i64(e, p->from != SNI_NO_VALUE));
  put(e, gemm, FIELD(row_bytes), sni_ir_i64(e, SNI_PRODUCT_ROW_BYTES));
  put_side(e, p, gemm, &p->left, rows.first, p->rows, a);
  put_side(e, p, gemm, &p->right, columns.first, p->columns, b);
  put(e, gemm, FIELD(c), null);
  put(e, gemm, FIELD(scratch),
      sni_ir_element_address(e, e->type_i8, e->scratch, sni_ir_i64(e, own)));
}

static void release_call(sni_emitter *e, const sni_product *p, LLVMValueRef gemm) {
  if (p->right.map) sni_frame_release(e, p->right.map);
  if (p->left.map) sni_frame_release(e, p->left.map);
  sni_frame_release(e, gemm);
}

// Whether sums go on from where they are stored, if at all: ranges hold for all rows and columns or none.
static bool same_place(const sni_emitter *e, const sni_product *p, uint32_t to) {
  const sni_tree_access *a = &sni_tree_accesses(e->tree)[p->from],
                        *b = &sni_tree_accesses(e->tree)[to];
  if (a->buffer != b->buffer || a->index != SNI_NO_VALUE) return false;
  if (!sni_extent_equal(a->offset, b->offset)) return false;
  // outside the ranges one product is added to +0.0, which is not the product itself
  const int64_t k = sni_contract_known_k(&sni_item_at(e, p->nest.contract)->as.contract);
  if (a->n_ranges && (k < 0 || k == 1)) return false;
  const int depth = depth_of(e, p->nest.contract);
  for (int d = 0; d < depth; d++)
    if (!sni_extent_equal(a->stride[d], b->stride[d])) return false;
  for (uint32_t r = a->first_range; r < a->first_range + (uint32_t)a->n_ranges; r++) {
    const sni_extent *strides = sni_tree_ranges(e->tree)[r].stride;
    if (sni_extent_varies(sni_stride_along(e, p->from, strides, depth_of(e, p->rows))) ||
        sni_extent_varies(sni_stride_along(e, p->from, strides, depth_of(e, p->columns))))
      return false;
  }
  return true;
}

// Whether the sums go on: where the ranges of `from` hold.
static LLVMValueRef goes_on(sni_emitter *e, const sni_product *p) {
  const sni_tree_access *from = &sni_tree_accesses(e->tree)[p->from];
  LLVMValueRef all = LLVMConstInt(e->type_i1, 1, false);
  for (uint32_t r = from->first_range; r < from->first_range + (uint32_t)from->n_ranges; r++) {
    LLVMValueRef extent = sni_emit_extent(e, sni_tree_ranges(e->tree)[r].extent);
    // 0 <= form < extent
    LLVMValueRef not_below =
        LLVMBuildICmp(e->builder, LLVMIntSGE, e->forms[r], sni_ir_i64(e, 0), "");
    LLVMValueRef below = LLVMBuildICmp(e->builder, LLVMIntSLT, e->forms[r], extent, "");
    all = LLVMBuildAnd(e->builder, all, LLVMBuildAnd(e->builder, not_below, below, ""), "");
  }
  return LLVMBuildZExt(e->builder, all, e->type_i64, "");
}

// The access of the one STORE that is all of the epilogue, to rows of neighbours that nothing of the
// product is read from: then the sums are made there. SNI_NO_VALUE: there is more to do.
static uint32_t find_plain_store(const sni_emitter *e, const sni_product *p) {
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  if (p->end - p->first != 2 || p->number != p->first) return SNI_NO_VALUE;
  const sni_tree_inst *store = sni_inst_at(e, p->end - 1);
  if (store->op != SNI_KOP_STORE || store->operands[0] != p->number) return SNI_NO_VALUE;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[store->access];
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[access->buffer];
  const int depth = depth_of(e, p->columns);
  if (access->index != SNI_NO_VALUE || access->n_ranges || e->held[access->buffer])
    return SNI_NO_VALUE;
  if (!sni_extent_is(sni_stride_along(e, store->access, access->stride, depth), 1))
    return SNI_NO_VALUE;
  for (int i = 0; i < 2; i++) {
    const uint32_t side = sni_tree_accesses(e->tree)[i ? c->rhs : c->lhs].buffer;
    const bool may_meet = buffer->shared && sni_tree_buffers(e->tree)[side].shared;
    if (side == access->buffer || may_meet) return SNI_NO_VALUE;
  }
  const bool there = p->from == SNI_NO_VALUE || same_place(e, p, store->access);
  return there ? store->access : SNI_NO_VALUE;
}

static void run_plain(sni_emitter *e, sni_product *p, LLVMValueRef gemm, uint32_t store,
                      sni_span rows, sni_span columns) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[store];
  p->column = columns.first;
  set_panel(e, p);
  set_row(e, p, rows.first, 0);
  LLVMValueRef offset = sni_ir_add(e, e->offsets[store], sni_ir_i64(e, e->displacements[store]));
  LLVMValueRef base = sni_buffer_address(e, access->buffer);
  const sni_extent row = sni_stride_along(e, store, access->stride, depth_of(e, p->rows));
  put(e, gemm, FIELD(c), sni_ir_element_address(e, p->element, base, offset));
  put(e, gemm, FIELD(c_row), bytes_of(e, p, sni_emit_extent(e, row)));
  if (p->from != SNI_NO_VALUE) put(e, gemm, FIELD(goes_on), goes_on(e, p));
  call(e, offsetof(sni_host_calls, gemm_run), e->type_void, gemm);
  release_call(e, p, gemm);
}

// What the rectangle's sums go on from.
static void fill_tile(sni_emitter *e, sni_product *p) {
  sni_loop loop;
  LLVMValueRef count = LLVMBuildSub(e->builder, p->row_last, p->row_first, ""), sums[sni_max_group];
  set_panel(e, p);
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), count, sni_ir_i64(e, 1), 0);
  emit_from(e, p, sni_ir_add(e, p->row_first, loop.index), 0, sums);
  store_tile(e, p, loop.index, 1, sums);
  sni_loop_end(e, &loop, NULL);
}

typedef void (*part_function)(sni_emitter *e, sni_product *p);

static void finish_tile(sni_emitter *e, sni_product *p) {
  emit_from_tile(e, p, p->row_first, LLVMBuildSub(e->builder, p->row_last, p->row_first, ""));
}

// Panels of the rectangle: of two vectors, then of one, with a mask.
static void for_panels(sni_emitter *e, sni_product *p, LLVMValueRef sums, sni_span columns,
                       bool whole, part_function run) {
  const int64_t width = (int64_t)called_vectors * e->lanes;
  LLVMValueRef end = sni_ir_add(e, columns.last, sni_ir_i64(e, 1 - width));
  sni_loop loop;
  sni_loop_begin(e, &loop, columns.first, end, sni_ir_i64(e, width), 0);
  begin_panel(e, p, loop.index, called_vectors);
  p->tile = sni_ir_element_address(e, p->element, sums,
                                   LLVMBuildSub(e->builder, loop.index, columns.first, ""));
  run(e, p);
  sni_loop_end(e, &loop, NULL);
  if (whole) return;
  sni_loop_begin(e, &loop, loop.last_index, columns.last, sni_ir_i64(e, e->lanes), 0);
  begin_panel(e, p, loop.index, 1);
  set_masks(e, p, columns.last, true);
  p->tile = sni_ir_element_address(e, p->element, sums,
                                   LLVMBuildSub(e->builder, loop.index, columns.first, ""));
  run(e, p);
  sni_loop_end(e, &loop, NULL);
}

// Whether all panels are of two whole vectors: units are cut at their multiples, and rectangles at 128
// bytes or more of them.
static bool has_whole_panels(const sni_emitter *e, uint32_t columns) {
  const int64_t width = (int64_t)called_vectors * e->lanes;
  const sni_schedule *schedule = &sni_tree_schedule(e->tree)[columns];
  const int64_t extent = sni_tree_known_iterations(e->tree, columns);
  return extent >= 0 && extent % width == 0 &&
         (!schedule->grid || schedule->grain % width == 0 || schedule->grain >= extent);
}

static void emit_called(sni_emitter *e, sni_product *p, sni_span rows, sni_span columns) {
  const bool whole = has_whole_panels(e, p->columns);
  const uint32_t store = find_plain_store(e, p);
  LLVMValueRef gemm = sni_frame_take(e, sizeof(sni_gemm)), zero = sni_ir_i64(e, 0);
  describe(e, p, gemm, rows, columns);
  if (store != SNI_NO_VALUE) {
    run_plain(e, p, gemm, store, rows, columns);
    return;
  }
  call(e, offsetof(sni_host_calls, gemm_begin), e->type_void, gemm);
  LLVMBasicBlockRef head = sni_ir_block(e, "rectangle"), body = sni_ir_block(e, "sums"),
                    after = sni_ir_block(e, "after");
  LLVMBuildBr(e->builder, head);
  LLVMPositionBuilderAtEnd(e->builder, head);
  LLVMValueRef more = call(e, offsetof(sni_host_calls, gemm_next), e->type_i64, gemm);
  more = LLVMBuildICmp(e->builder, LLVMIntNE, more, zero, "");
  LLVMBuildCondBr(e->builder, more, body, after);
  LLVMPositionBuilderAtEnd(e->builder, body);
  p->row_first = sni_ir_add(e, rows.first, get(e, gemm, FIELD(row), e->type_i64));
  p->row_last = sni_ir_add(e, p->row_first, get(e, gemm, FIELD(rows), e->type_i64));
  sni_span part = {sni_ir_add(e, columns.first, get(e, gemm, FIELD(column), e->type_i64)), NULL};
  part.last = sni_ir_add(e, part.first, get(e, gemm, FIELD(columns), e->type_i64));
  LLVMValueRef sums = get(e, gemm, FIELD(sums), e->type_pointer);
  p->tile_pitch = get(e, gemm, FIELD(sums_row), e->type_i64);
  if (p->from != SNI_NO_VALUE) for_panels(e, p, sums, part, whole, fill_tile);
  call(e, offsetof(sni_host_calls, gemm_sum), e->type_void, gemm);
  for_panels(e, p, sums, part, whole, finish_tile);
  LLVMBuildBr(e->builder, head);
  LLVMPositionBuilderAtEnd(e->builder, after);
  release_call(e, p, gemm);
}

// ---- units
static sni_factor factor(sni_emitter *e, const sni_product *p, bool left) {
  const sni_item *item = sni_item_at(e, p->nest.contract);
  const uint32_t number = left != p->plan.swapped ? item->as.contract.lhs : item->as.contract.rhs;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  LLVMValueRef base = sni_ir_element_address(e, p->element, sni_buffer_address(e, access->buffer),
                                             e->offsets[number]);
  const int depth = depth_of(e, left ? p->rows : p->columns);
  return (sni_factor){number, base, sni_stride_along(e, number, access->stride, depth),
                      access->stride[item->depth], NULL};
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

static void emit_nest(sni_emitter *e, sni_product *p) {
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  const sni_span rows = whole_span(e, p->rows), columns = whole_span(e, p->columns);
  p->number = c->inst;
  p->dtype = (sn_dtype)sni_inst_at(e, c->inst)->dtype;
  p->element = sni_ir_type(e, p->dtype);
  p->vector = LLVMVectorType(p->element, (unsigned)p->plan.lanes);
  p->left = factor(e, p, true);
  p->right = factor(e, p, false);
  p->k_extent = sni_contract_extent(e, c);
  plan_epilogue(e, p);
  sni_begin_vectors(e, p->nest.outer, p->plan.lanes, depth_of(e, p->columns));
  e->indices[depth_of(e, p->columns)] = sni_ir_i64(e, 0);  // what is constant there has one row
  if (p->rows != SNI_NO_ITEM) e->indices[depth_of(e, p->rows)] = sni_ir_i64(e, 0);
  emit_phase(e, p, phase_unit);
  if (p->plan.called)
    emit_called(e, p, rows, columns);
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
