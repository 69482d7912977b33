// Interiors: of a loop in vectors whose loads stand under ranges (a pad, a stencil), the iterations for
// which all of these hold. They run without a question; what is before and behind runs a vector at a
// time, its lanes masked.
//
// Invariant: every iteration runs once, in the interior only if all ranges of all its loads hold. Place:
// emit_lanes.c runs the loops, emit_access.c asks whether ranges are known to hold.
#include "codegen/llvm/emit_walk.h"

enum { least_turns = 8 };  // of a known extent: the borders of shorter loops would be most of them

static bool only_blocks(const sni_emitter *e, uint32_t item) {
  for (uint32_t i = item + 1; i < sni_item_at(e, item)->end; i++)
    if (sni_item_at(e, i)->kind != SNI_ITEM_BLOCK) return false;
  return true;
}

static const sni_tree_range *range_at(const sni_emitter *e, const sni_tree_access *access, int r) {
  return &sni_tree_ranges(e->tree)[access->first_range + r];
}

// Ranges that move by one iteration each, or not at all; of a load that is not one piece among several:
// of those there is always one whose ranges do not hold.
static bool is_simple(const sni_emitter *e, uint32_t number, int depth, bool *out_varies) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
  if (access->n_ranges && inst->op != SNI_KOP_LOAD) return false;
  const uint32_t other = access->n_ranges ? access->otherwise : SNI_NO_VALUE;
  if (other != SNI_NO_VALUE && sni_kop_has_access((sni_kop)sni_inst_at(e, other)->op)) return false;
  for (int r = 0; r < access->n_ranges; r++) {
    const sni_extent stride =
        sni_stride_along(e, inst->access, range_at(e, access, r)->stride, depth);
    if (!sni_extent_is(stride, 0) && !sni_extent_is(stride, 1)) return false;
    *out_varies |= sni_extent_is(stride, 1);
  }
  return true;
}

bool sni_has_interior(const sni_emitter *e, uint32_t item, int64_t step) {
  const sni_extent extent = sni_item_at(e, item)->as.loop.extent;
  const int depth = sni_item_at(e, item)->depth;
  bool varies = false;
  if (!only_blocks(e, item) || (extent.param < 0 && extent.value < least_turns * step))
    return false;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++)
    if (sni_kop_has_access((sni_kop)sni_inst_at(e, i)->op) && !is_simple(e, i, depth, &varies))
      return false;
  return varies;
}

// 0 <= form + index < extent for index in [-negated first, last).
typedef struct bounds {
  LLVMValueRef negated_first, last, all;  // all: i1, what does not vary holds; NULL: it does
} bounds;

static void add_range(sni_emitter *e, const sni_tree_access *access, int r, int depth, bounds *b) {
  const uint32_t number = (uint32_t)(access - sni_tree_accesses(e->tree));
  const sni_tree_range *range = range_at(e, access, r);
  LLVMValueRef form = e->forms[access->first_range + r], size = sni_emit_extent(e, range->extent);
  if (sni_extent_is(sni_stride_along(e, number, range->stride, depth), 0)) {
    LLVMValueRef holds = LLVMBuildICmp(e->builder, LLVMIntULT, form, size, "");
    b->all = b->all ? LLVMBuildAnd(e->builder, b->all, holds, "") : holds;
    return;
  }
  b->negated_first = sni_ir_min(e, b->negated_first, form);
  b->last = sni_ir_min(e, b->last, LLVMBuildSub(e->builder, size, form, ""));
}

sni_span sni_find_interior(sni_emitter *e, uint32_t item, sni_span span, int64_t step) {
  const int depth = sni_item_at(e, item)->depth;
  LLVMValueRef zero = sni_ir_i64(e, 0);
  bounds b = {.negated_first = LLVMBuildSub(e->builder, zero, span.first, ""), .last = span.last};
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    if (!sni_kop_has_access((sni_kop)sni_inst_at(e, i)->op)) continue;
    const sni_tree_access *access = &sni_tree_accesses(e->tree)[sni_inst_at(e, i)->access];
    for (int r = 0; r < access->n_ranges; r++) add_range(e, access, r, depth, &b);
  }
  // Whole turns from the first iteration on, so that streamed stores stay aligned.
  LLVMValueRef skipped = LLVMBuildAdd(e->builder, b.negated_first, span.first, "");
  skipped = LLVMBuildSub(e->builder, sni_ir_i64(e, step - 1), skipped, "");
  skipped = LLVMBuildAnd(e->builder, skipped, sni_ir_i64(e, -step), "");
  sni_span inside = {sni_ir_add(e, span.first, skipped), b.last};
  if (b.all) inside.last = sni_ir_select(e, b.all, inside.last, span.first);
  inside.first = sni_ir_min(e, inside.first, span.last);
  return inside;
}
