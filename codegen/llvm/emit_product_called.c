// Products that runtime/gemm makes: what it is asked for, and what becomes of the rectangles of sums that
// it gives. Plain stores are made by it too.
//
// Invariant: rows and columns outside the domain are never read nor stored.
#include "codegen/llvm/emit_product.h"

#include "runtime/host_calls.h"

#include <stddef.h>

enum { called_vectors = 2 };  // of a panel of the epilogue

// ---- what is asked for
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

static LLVMValueRef bytes_of(sni_emitter *e, sn_dtype dtype, LLVMValueRef elements) {
  return sni_ir_mul(e, elements, sni_ir_i64(e, (int64_t)sni_dtype_bytes(dtype)));
}

static void put_number(sni_emitter *e, LLVMValueRef at, size_t offset, int64_t number) {
  put(e, at, offset, sni_ir_i64(e, number));
}

enum { map_bytes = (sizeof(sni_gemm_map) + 63) / 64 * 64 };

// The loops that a side has of its own, and where they begin.
typedef struct own_loops {
  int count;
  const uint32_t *loops;
  const sni_span *spans;
  const LLVMValueRef *lengths;  // of more than one
} own_loops;

static sni_extent own_stride(const sni_emitter *e, const own_loops *own, int i, uint32_t access,
                             const sni_extent *strides) {
  const int depth = own->count ? sni_product_depth(e, own->loops[i]) : -1;  // none: one row
  return sni_stride_along(e, access, strides, depth);
}

// Elements, or steps of a range, from index 0 to where the loops begin.
static LLVMValueRef begin_of(sni_emitter *e, const own_loops *own, uint32_t access,
                             const sni_extent *strides) {
  LLVMValueRef at = sni_ir_i64(e, 0);
  for (int i = 0; i < own->count; i++) {
    LLVMValueRef stride = sni_emit_extent(e, own_stride(e, own, i, access, strides));
    at = sni_ir_add(e, at, sni_ir_mul(e, own->spans[i].first, stride));
  }
  return at;
}

// A map of a side in the frame, with its ranges behind it.
static LLVMValueRef put_map(sni_emitter *e, const sni_product *p, const sni_factor *factor,
                            const own_loops *own) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[factor->access];
  const sni_item *item = sni_item_at(e, p->nest.contract);
  const sni_contract_item *c = &item->as.contract;
  LLVMValueRef map =
      sni_frame_take(e, map_bytes + (int64_t)(access->n_ranges * sizeof(sni_gemm_range)));
  put_number(e, map, offsetof(sni_gemm_map, own.count), own->count ? own->count : 1);
  for (int i = 0; i < own->count || i < 1; i++) {
    const size_t at = (size_t)i * sizeof(int64_t);
    const sni_extent stride = own_stride(e, own, i, factor->access, access->stride);
    if (own->count > 1) put(e, map, offsetof(sni_gemm_map, own.extent) + at, own->lengths[i]);
    put(e, map, offsetof(sni_gemm_map, own.step) + at,
        bytes_of(e, factor->dtype, sni_emit_extent(e, stride)));
  }
  put_number(e, map, offsetof(sni_gemm_map, k.count), c->n_k);
  for (uint32_t i = 0; i < c->n_k; i++) {
    put(e, map, offsetof(sni_gemm_map, k.extent) + i * sizeof(int64_t),
        sni_emit_extent(e, c->k[i]));
    put(e, map, offsetof(sni_gemm_map, k.step) + i * sizeof(int64_t),
        bytes_of(e, factor->dtype, sni_emit_extent(e, access->stride[item->depth + i])));
  }
  put_number(e, map, offsetof(sni_gemm_map, own_first), 0);
  put_number(e, map, offsetof(sni_gemm_map, n_ranges), access->n_ranges);
  put(e, map, offsetof(sni_gemm_map, ranges), gemm_field(e, map, map_bytes));
  for (uint32_t r = 0; r < access->n_ranges; r++) {
    const uint32_t number = access->first_range + r;
    const sni_tree_range *range = &sni_tree_ranges(e->tree)[number];
    const size_t at = map_bytes + r * sizeof(sni_gemm_range);
    put(e, map, at + offsetof(sni_gemm_range, extent), sni_emit_extent(e, range->extent));
    put(e, map, at + offsetof(sni_gemm_range, offset),
        sni_ir_add(e, e->forms[number], begin_of(e, own, factor->access, range->stride)));
    for (int i = 0; i < own->count || i < 1; i++)
      put(e, map, at + offsetof(sni_gemm_range, own) + (size_t)i * sizeof(int64_t),
          sni_emit_extent(e, own_stride(e, own, i, factor->access, range->stride)));
    for (uint32_t i = 0; i < c->n_k; i++)
      put(e, map, at + offsetof(sni_gemm_range, k) + i * sizeof(int64_t),
          sni_emit_extent(e, range->stride[item->depth + i]));
  }
  return map;
}

// offsets: of the address, the two strides and the map.
static void put_side(sni_emitter *e, const sni_product *p, LLVMValueRef gemm, sni_factor *factor,
                     const own_loops *loops, const size_t offsets[4]) {
  const sni_contract_item *c = &sni_item_at(e, p->nest.contract)->as.contract;
  factor->map = NULL;
  if (sni_contract_has_map(e->tree, c, factor->access)) {
    const sni_extent *strides = sni_tree_accesses(e->tree)[factor->access].stride;
    LLVMValueRef begin = begin_of(e, loops, factor->access, strides);
    factor->map = put_map(e, p, factor, loops);
    put(e, gemm, offsets[0], sni_ir_element_address(e, factor->element, factor->base, begin));
    put(e, gemm, offsets[3], factor->map);
    return;
  }
  put(e, gemm, offsets[3], LLVMConstNull(e->type_pointer));
  LLVMValueRef own = sni_emit_extent(e, factor->stride);
  LLVMValueRef first = loops->count ? loops->spans[0].first : sni_ir_i64(e, 0);
  LLVMValueRef at =
      sni_ir_element_address(e, factor->element, factor->base, sni_ir_mul(e, first, own));
  put(e, gemm, offsets[0], at);
  put(e, gemm, offsets[1], bytes_of(e, factor->dtype, own));
  put(e, gemm, offsets[2], bytes_of(e, factor->dtype, sni_emit_extent(e, factor->k_stride)));
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
  put(e, gemm, FIELD(a_dtype), sni_ir_i64(e, p->left.dtype));
  put(e, gemm, FIELD(b_dtype), sni_ir_i64(e, p->right.dtype));
  put(e, gemm, FIELD(m), LLVMBuildSub(e->builder, rows.last, rows.first, ""));
  put(e, gemm, FIELD(n), LLVMBuildSub(e->builder, columns.last, columns.first, ""));
  put(e, gemm, FIELD(k), p->k_extent);
  put(e, gemm, FIELD(segment), sni_ir_i64(e, c->segment));
  put(e, gemm, FIELD(goes_on), sni_ir_i64(e, p->from != SNI_NO_VALUE));
  put(e, gemm, FIELD(row_bytes), sni_ir_i64(e, SNI_PRODUCT_ROW_BYTES));
  const own_loops left = {p->n_row_loops, p->row_loops, p->n_row_loops > 1 ? p->row_spans : &rows,
                          p->row_lengths};
  const own_loops right = {1, &p->columns, &columns, NULL};
  put_side(e, p, gemm, &p->left, &left, a);
  put_side(e, p, gemm, &p->right, &right, b);
  put(e, gemm, FIELD(c), null);
  put(e, gemm, FIELD(scratch),
      sni_ir_element_address(e, e->type_i8, e->scratch, sni_ir_i64(e, own)));
  put(e, gemm, FIELD(team),
      get(e, e->scratch, offsetof(sni_scratch_header, team), e->type_pointer));
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
  const int depth = sni_product_depth(e, p->nest.contract);
  for (int d = 0; d < depth; d++)
    if (!sni_extent_equal(a->stride[d], b->stride[d])) return false;
  for (uint32_t r = a->first_range; r < a->first_range + (uint32_t)a->n_ranges; r++) {
    const sni_extent *strides = sni_tree_ranges(e->tree)[r].stride;
    if (sni_extent_varies(sni_stride_along(e, p->from, strides, sni_product_depth(e, p->rows))) ||
        sni_extent_varies(sni_stride_along(e, p->from, strides, sni_product_depth(e, p->columns))))
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

// Whether rows lie at one distance from each other, though several loops count them.
static bool rows_are_even(const sni_emitter *e, const sni_product *p, uint32_t access) {
  const sni_extent *strides = sni_tree_accesses(e->tree)[access].stride;
  for (int i = p->n_row_loops - 1; i > 0; i--) {
    const uint32_t loop = p->row_loops[i], around = p->row_loops[i - 1];
    const sni_extent inner = sni_stride_along(e, access, strides, sni_product_depth(e, loop));
    const sni_extent outer = sni_stride_along(e, access, strides, sni_product_depth(e, around));
    const int64_t n = sni_tree_known_iterations(e->tree, loop);
    const sni_schedule *schedule = &sni_tree_schedule(e->tree)[loop];
    int64_t all = 0;
    if (n < 0 || (schedule->grid && schedule->grain < n) || inner.param >= 0 || outer.param >= 0 ||
        __builtin_mul_overflow(n, inner.value, &all) || all != outer.value)
      return false;
  }
  return true;
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
  const int depth = sni_product_depth(e, p->columns);
  if (access->index != SNI_NO_VALUE || access->n_ranges || e->held[access->buffer])
    return SNI_NO_VALUE;
  if (!sni_extent_is(sni_stride_along(e, store->access, access->stride, depth), 1) ||
      !rows_are_even(e, p, store->access))
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
  sni_set_panel(e, p);
  sni_set_row(e, p, rows.first, 0);
  LLVMValueRef offset = sni_ir_add(e, e->offsets[store], sni_ir_i64(e, e->displacements[store]));
  LLVMValueRef base = sni_buffer_address(e, access->buffer);
  const sni_extent row = sni_stride_along(e, store, access->stride, sni_product_depth(e, p->rows));
  put(e, gemm, FIELD(c), sni_ir_element_address(e, p->element, base, offset));
  put(e, gemm, FIELD(c_row), bytes_of(e, p->dtype, sni_emit_extent(e, row)));
  if (p->from != SNI_NO_VALUE) put(e, gemm, FIELD(goes_on), goes_on(e, p));
  call(e, offsetof(sni_host_calls, gemm_run), e->type_void, gemm);
  release_call(e, p, gemm);
}

// What the rectangle's sums go on from.
static void fill_tile(sni_emitter *e, sni_product *p) {
  sni_loop loop;
  LLVMValueRef count = LLVMBuildSub(e->builder, p->row_last, p->row_first, ""), sums[sni_max_group];
  sni_set_panel(e, p);
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), count, sni_ir_i64(e, 1), 0);
  sni_emit_from(e, p, sni_ir_add(e, p->row_first, loop.index), 0, sums);
  sni_store_tile(e, p, loop.index, 1, sums);
  sni_loop_end(e, &loop, NULL);
}

typedef void (*part_function)(sni_emitter *e, sni_product *p);

static void finish_tile(sni_emitter *e, sni_product *p) {
  sni_emit_from_tile(e, p, p->row_first, LLVMBuildSub(e->builder, p->row_last, p->row_first, ""));
}

// Panels of the rectangle: of two vectors, then of one, with a mask.
static void for_panels(sni_emitter *e, sni_product *p, LLVMValueRef sums, sni_span columns,
                       bool whole, part_function run) {
  const int64_t width = (int64_t)called_vectors * e->lanes;
  LLVMValueRef end = sni_ir_add(e, columns.last, sni_ir_i64(e, 1 - width));
  sni_loop loop;
  sni_loop_begin(e, &loop, columns.first, end, sni_ir_i64(e, width), 0);
  sni_begin_panel(e, p, loop.index, called_vectors);
  p->tile = sni_ir_element_address(e, p->element, sums,
                                   LLVMBuildSub(e->builder, loop.index, columns.first, ""));
  run(e, p);
  sni_loop_end(e, &loop, NULL);
  if (whole) return;
  sni_loop_begin(e, &loop, loop.last_index, columns.last, sni_ir_i64(e, e->lanes), 0);
  sni_begin_panel(e, p, loop.index, 1);
  sni_set_masks(e, p, columns.last, true);
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

void sni_emit_called(sni_emitter *e, sni_product *p, sni_span rows, sni_span columns) {
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
