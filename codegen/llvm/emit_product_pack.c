// Copies a panel of a product's right side into scratch memory, k by k, so that the loop over k
// reads whole vectors one behind the other: for right sides that are transposed, or so large that
// each k lies on another page.
//
// Invariant: columns outside the domain are never read; what their lanes hold in the panel is never
// stored.
#include "codegen/llvm/emit_product.h"

static LLVMValueRef panel_address(sni_emitter *e, const sni_product *p, LLVMValueRef k,
                                  LLVMValueRef column) {
  LLVMValueRef width = sni_ir_i64(e, (int64_t)p->group.count * e->lanes);
  return sni_ir_element_address(e, p->element, p->packed,
                                sni_ir_add(e, sni_ir_mul(e, k, width), column));
}

static LLVMValueRef source_address(sni_emitter *e, const sni_product *p, LLVMValueRef k,
                                   LLVMValueRef column) {
  LLVMValueRef offset =
      sni_ir_mul(e, sni_ir_add(e, p->k_first, k), sni_emit_extent(e, p->right.k_stride));
  LLVMValueRef across =
      sni_ir_mul(e, sni_ir_add(e, p->column, column), sni_emit_extent(e, p->right.stride));
  return sni_ir_element_address(e, p->element, p->right.base, sni_ir_add(e, offset, across));
}

// b is contiguous along its columns.
static void pack_contiguous(sni_emitter *e, sni_product *p) {
  sni_loop loop;
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), p->k_count, sni_ir_i64(e, 1), 0);
  for (int v = 0; v < p->group.count; v++) {
    LLVMValueRef column = sni_ir_i64(e, (int64_t)v * e->lanes);
    LLVMValueRef value = sni_emit_vector_load(
        e, p->vector, source_address(e, p, loop.index, column), p->group.mask[v]);
    sni_emit_vector_store(e, value, panel_address(e, p, loop.index, column), NULL);
  }
  sni_loop_end(e, &loop, NULL);
}

// Any strides: gathers, for k in [first, k_count), of the vector at `column`.
static void pack_gathered(sni_emitter *e, sni_product *p, LLVMValueRef first, LLVMValueRef column,
                          LLVMValueRef mask) {
  sni_loop loop;
  LLVMValueRef offsets = sni_emit_lane_offsets(e, p->right.stride, (unsigned)e->lanes);
  sni_loop_begin(e, &loop, first, p->k_count, sni_ir_i64(e, 1), 0);
  LLVMValueRef value =
      sni_emit_gather(e, p->vector, source_address(e, p, loop.index, column), offsets, mask);
  sni_emit_vector_store(e, value, panel_address(e, p, loop.index, column), NULL);
  sni_loop_end(e, &loop, NULL);
}

// In each 128-bit lane: {a0, b0, a1, b1} or {a2, b2, a3, b3}, in units of `unit` elements.
static LLVMValueRef unpack(sni_emitter *e, LLVMValueRef a, LLVMValueRef b, int per_lane, int unit,
                           bool high) {
  int lanes[sni_max_group];
  const int width = (int)sni_ir_width(LLVMTypeOf(a));
  for (int i = 0; i < width; i++) {
    const int lane = i / per_lane * per_lane, within = i % per_lane, piece = within / unit;
    const int source = (high ? per_lane / 2 : 0) + piece / 2 * unit + within % unit;
    lanes[i] = lane + source + (piece % 2 ? width : 0);
  }
  return sni_ir_shuffle(e, a, b, lanes, (unsigned)width);
}

// The 128-bit pieces at k of columns first, first + step, ... as one vector.
static LLVMValueRef load_pieces(sni_emitter *e, const sni_product *p, LLVMValueRef address,
                                int first, int step, int count) {
  LLVMTypeRef piece = LLVMVectorType(p->element, (unsigned)step);
  LLVMValueRef parts[sni_max_group];
  for (int i = 0; i < count; i++) {
    LLVMValueRef offset =
        sni_ir_mul(e, sni_ir_i64(e, first + i * step), sni_emit_extent(e, p->right.stride));
    LLVMValueRef at = sni_ir_element_address(e, p->element, address, offset);
    parts[i] = sni_emit_vector_load(e, piece, at, NULL);
  }
  for (; count > 1; count /= 2)
    for (int i = 0; i < count / 2; i++) parts[i] = sni_ir_concat(e, parts[2 * i], parts[2 * i + 1]);
  return parts[0];
}

// A whole vector's columns, contiguous along k: 4 (of 4 bytes) or 2 (of 8) k a turn, transposed within
// 128-bit lanes.
static void pack_transposed(sni_emitter *e, sni_product *p, LLVMValueRef column) {
  const int per_lane = sni_dtype_bytes(p->dtype) == 4 ? 4 : 2, pieces = e->lanes / per_lane;
  LLVMValueRef z[4], step = sni_ir_i64(e, per_lane);
  sni_loop loop;
  LLVMValueRef end = sni_ir_add(e, p->k_count, sni_ir_i64(e, 1 - per_lane));
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), end, step, 0);
  LLVMValueRef address = source_address(e, p, loop.index, column);
  for (int j = 0; j < per_lane; j++) z[j] = load_pieces(e, p, address, j, per_lane, pieces);
  LLVMValueRef low = unpack(e, z[0], z[1], per_lane, 1, false),
               high = unpack(e, z[0], z[1], per_lane, 1, true);
  LLVMValueRef result[4] = {low, high};
  if (per_lane == 4) {
    LLVMValueRef low2 = unpack(e, z[2], z[3], 4, 1, false),
                 high2 = unpack(e, z[2], z[3], 4, 1, true);
    result[0] = unpack(e, low, low2, 4, 2, false);
    result[1] = unpack(e, low, low2, 4, 2, true);
    result[2] = unpack(e, high, high2, 4, 2, false);
    result[3] = unpack(e, high, high2, 4, 2, true);
  }
  for (int j = 0; j < per_lane; j++)
    sni_emit_vector_store(e, result[j],
                          panel_address(e, p, sni_ir_add(e, loop.index, sni_ir_i64(e, j)), column),
                          NULL);
  sni_loop_end(e, &loop, NULL);
  int64_t count;
  if (!sni_ir_is_constant(p->k_count, &count) || count % per_lane != 0)
    pack_gathered(e, p, loop.last_index, column, NULL);
}

void sni_pack_right(sni_emitter *e, sni_product *p) {
  if (sni_extent_is(p->right.stride, 1)) {
    pack_contiguous(e, p);
    return;
  }
  const int64_t width = (int64_t)p->group.count * e->lanes;
  LLVMValueRef mask = p->group.mask[p->group.count - 1];
  LLVMValueRef columns = sni_ir_i64(e, width), lanes = sni_ir_i64(e, e->lanes);
  if (mask)
    columns = sni_ir_min(e, columns, LLVMBuildSub(e->builder, p->column_last, p->column, ""));
  sni_loop loop;  // over whole vectors: code for one
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), sni_ir_add(e, columns, sni_ir_i64(e, 1 - e->lanes)),
                 lanes, 0);
  if (sni_extent_is(p->right.k_stride, 1))
    pack_transposed(e, p, loop.index);
  else
    pack_gathered(e, p, sni_ir_i64(e, 0), loop.index, NULL);
  sni_loop_end(e, &loop, NULL);
  if (!mask) return;
  LLVMValueRef rest = loop.last_index;
  sni_loop_begin(e, &loop, rest, columns, lanes, 0);  // once, if at all
  mask = sni_emit_mask(e, LLVMBuildSub(e->builder, columns, loop.index, ""), (unsigned)e->lanes);
  pack_gathered(e, p, sni_ir_i64(e, 0), loop.index, mask);
  sni_loop_end(e, &loop, NULL);
}
