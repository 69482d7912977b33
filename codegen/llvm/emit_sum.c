// Accumulators of REDUCE: opened before the loop that it names, fed where it stands, combined
// behind that loop. Chunked loops run in pieces (emit_pieces.c).
//
// Invariant: the order of codegen/kernel/tree.h. Places and lanes that no element reached hold the
// identity, and combining with it changes no bit, so missing ones are left out. Accumulators travel
// as values where they are few, and lie in the function's frame where they are many.
#include "codegen/llvm/emit_sum.h"

enum { longest_unrolled = 256 };  // instructions of these turns

static LLVMTypeRef memory_type(const sni_emitter *e, LLVMTypeRef type) {
  return sni_ir_element(type) == e->type_i1 ? sni_ir_like(type, e->type_i8) : type;
}

int64_t sni_sum_memory_bytes(const sni_emitter *e, const struct sni_sum *sum) {
  const int64_t lanes = (int64_t)sni_ir_width(sum->type);
  return lanes * (int64_t)sni_dtype_bytes((sn_dtype)sni_inst_at(e, sum->number)->dtype);
}

static const sni_tree_inst *inst_of(const sni_emitter *e, const struct sni_sum *sum) {
  return sni_inst_at(e, sum->number);
}

static LLVMValueRef identity_of(sni_emitter *e, const struct sni_sum *sum) {
  return sni_reduce_identity(e, inst_of(e, sum), sum->type);
}

LLVMValueRef sni_sum_combine(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef a,
                             LLVMValueRef b) {
  return sni_reduce_combine(e, inst_of(e, sum), a, b);
}

static LLVMValueRef finish(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef total) {
  return sni_reduce_finish(e, inst_of(e, sum), total);
}

// ---- accumulators in memory: [place][width] from `base` on
LLVMValueRef sni_sum_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base,
                          LLVMValueRef place, LLVMValueRef u) {
  LLVMValueRef at = sni_ir_add(e, sni_ir_mul(e, place, sni_ir_i64(e, sum->width)), u);
  LLVMValueRef bytes = sni_ir_mul(e, at, sni_ir_i64(e, sni_sum_memory_bytes(e, sum)));
  return sni_ir_element_address(e, e->type_i8, base, bytes);
}

LLVMValueRef sni_sum_read_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef address) {
  const sn_dtype dtype = (sn_dtype)sni_inst_at(e, sum->number)->dtype;
  return sni_from_memory(e, dtype,
                         sni_emit_vector_load(e, memory_type(e, sum->type), address, NULL));
}

void sni_sum_write_cell(sni_emitter *e, LLVMValueRef address, LLVMValueRef value) {
  sni_emit_vector_store(e, sni_to_memory(e, value), address, NULL);
}

void sni_sum_fill_cells(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base, int places) {
  sni_loop loop;
  LLVMValueRef identity = identity_of(e, sum), zero = sni_ir_i64(e, 0);
  sni_loop_begin(e, &loop, zero, sni_ir_i64(e, (int64_t)places * sum->width), sni_ir_i64(e, 1), 0);
  sni_sum_write_cell(e, sni_sum_cell(e, sum, base, zero, loop.index), identity);
  sni_loop_end(e, &loop, NULL);
}

void sni_sum_add_to_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef address,
                         LLVMValueRef value) {
  sni_sum_write_cell(e, address,
                     sni_sum_combine(e, sum, sni_sum_read_cell(e, sum, address), value));
}

// place[l] = sni_sum_combine(place[l], place[l + w]) for w = 32, 16, ..., 1: leaves the total in place 0.
void sni_sum_combine_cells(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base,
                           int places) {
  if (places == 1) return;
  sni_loop across, down;
  sni_loop_begin(e, &across, sni_ir_i64(e, 0), sni_ir_i64(e, sum->width), sni_ir_i64(e, 1), 0);
  for (int w = SNI_REDUCE_LANES / 2; w > 0; w /= 2) {
    const int count = places - w < w ? places - w : w;
    if (count <= 0) continue;
    sni_loop_begin(e, &down, sni_ir_i64(e, 0), sni_ir_i64(e, count), sni_ir_i64(e, 1), 0);
    LLVMValueRef other = sni_ir_add(e, down.index, sni_ir_i64(e, w));
    sni_sum_add_to_cell(e, sum, sni_sum_cell(e, sum, base, down.index, across.index),
                        sni_sum_read_cell(e, sum, sni_sum_cell(e, sum, base, other, across.index)));
    sni_loop_end(e, &down, NULL);
  }
  sni_loop_end(e, &across, NULL);
}

// ---- opening
bool sni_sum_by_lanes(const sni_emitter *e, uint32_t innermost) {
  return sni_tree_schedule(e->tree)[innermost].lanes;
}

static int places_of(const sni_emitter *e, uint32_t innermost) {
  const sni_loop_item *loop = &sni_item_at(e, innermost)->as.loop;
  if (sni_sum_by_lanes(e, innermost) || loop->order != SNI_ORDER_LANES) return 1;
  int64_t most = SNI_REDUCE_LANES;
  if (loop->extent.param < 0 && loop->extent.value < most) most = loop->extent.value;
  if (loop->chunk && loop->chunk < most) most = loop->chunk;
  return most < 1 ? 1 : (int)most;
}

bool sni_sums_by_place(const sni_emitter *e, uint32_t item) {
  for (uint32_t s = 0; s < e->n_sums; s++)
    if (e->sums[s].innermost == item && e->sums[s].places > 1 && !e->sums[s].memory) return true;
  return false;
}

int sni_most_places(const sni_emitter *e, uint32_t item) {
  int most = 1;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    if (sni_inst_at(e, i)->op != SNI_KOP_REDUCE) continue;
    const int places = places_of(e, sni_loop_of(e, e->inst_facts[i].item));
    if (places > most) most = places;
  }
  return most;
}

static bool fits_registers(const sni_emitter *e, const struct sni_sum *sum) {
  const int64_t turns = sni_tree_known_iterations(e->tree, sum->innermost);
  const int64_t insts = sni_end_inst(e, sum->innermost) - sni_first_inst(e, sum->innermost);
  if (sni_sum_by_lanes(e, sum->innermost) &&
      (sni_rolls(e, sum->innermost) || sni_strip_vectors(e, sum->innermost)))
    return false;
  if (sum->places == 1) return sum->width <= sni_max_group;
  return turns == sum->places && sum->places * sum->width <= sni_most_by_place &&
         turns * insts <= longest_unrolled;
}

static struct sni_sum describe(sni_emitter *e, uint32_t number, const sni_group *group) {
  const uint32_t innermost = sni_loop_of(e, e->inst_facts[number].item);
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMTypeRef element = sni_ir_type(e, (sn_dtype)inst->dtype);
  struct sni_sum sum = {.number = number, .innermost = innermost, .width = 1, .type = element};
  sum.places = places_of(e, innermost);
  sum.one_each = sum.places > 1 && inst->loop == innermost &&
                 sni_item_at(e, e->inst_facts[number].item)->parent == innermost &&
                 sni_tree_known_iterations(e->tree, innermost) == sum.places;
  if (sni_sum_by_lanes(e, innermost)) {
    const int lanes = e->item_lanes[innermost];
    sum.width = SNI_REDUCE_LANES / lanes;
    sum.by_strips = inst->loop == innermost && sni_strip_vectors(e, innermost);
    sum.type = LLVMVectorType(element, (unsigned)lanes);
  } else if (e->is_vector[number]) {
    sum.width = group->count;
    sum.first_vector = group->first;
    sum.type = LLVMVectorType(element, (unsigned)e->lanes);
  }
  return sum;
}

void sni_sum_start_sum(sni_emitter *e, struct sni_sum *sum) {
  if (sum->memory) {
    if (!sum->one_each && !sum->by_strips) sni_sum_fill_cells(e, sum, sum->memory, sum->places);
    return;
  }
  LLVMValueRef identity = identity_of(e, sum);
  for (int i = 0; i < sum->places * sum->width; i++) e->values[sum->number].vector[i] = identity;
}

// Values that travel round together: beyond what is sensible the rest lies in memory.
static int carried_values(const sni_emitter *e) {
  int count = 0;
  for (uint32_t s = 0; s < e->n_sums; s++)
    if (!e->sums[s].memory) count += e->sums[s].places * e->sums[s].width;
  return count;
}

static uint32_t open_sums(sni_emitter *e, uint32_t item, const sni_group *group) {
  const uint32_t first = e->n_sums;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op != SNI_KOP_REDUCE || inst->loop != item) continue;
    struct sni_sum sum = describe(e, i, group);
    if (!fits_registers(e, &sum) || carried_values(e) + sum.places * sum.width > sni_max_carried)
      sum.memory = sni_frame_take(e, sum.places * sum.width * sni_sum_memory_bytes(e, &sum));
    e->sums[e->n_sums++] = sum;
  }
  for (uint32_t s = first; s < e->n_sums; s++) sni_sum_start_sum(e, &e->sums[s]);
  return first;
}

// ---- feeding
static struct sni_sum *sum_of(sni_emitter *e, uint32_t number) {
  uint32_t s = e->n_sums;
  while (s > 0 && e->sums[s - 1].number != number) s--;
  return s ? &e->sums[s - 1] : NULL;
}

static LLVMValueRef fed(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef total,
                        LLVMValueRef element, LLVMValueRef mask) {
  const bool fresh = total == identity_of(e, sum);  // constants are unique
  LLVMValueRef next = fresh ? element : sni_sum_combine(e, sum, total, element);
  return mask ? sni_ir_select(e, mask, next, total) : next;
}

static LLVMValueRef place_now(sni_emitter *e, const struct sni_sum *sum) {
  if (sum->places == 1) return sni_ir_i64(e, 0);
  const sni_loop_item *loop = &sni_item_at(e, sum->innermost)->as.loop;
  LLVMValueRef index = e->indices[sni_item_at(e, sum->innermost)->depth];
  // Pieces begin at multiples of the chunk.
  if (loop->chunk % SNI_REDUCE_LANES)
    index = LLVMBuildURem(e->builder, index, sni_ir_i64(e, loop->chunk), "");
  return LLVMBuildAnd(e->builder, index, sni_ir_i64(e, SNI_REDUCE_LANES - 1), "");
}

// Which accumulator of a place vector u of the group feeds: in lanes the one of its elements % 64.
static LLVMValueRef accumulator_of(sni_emitter *e, const struct sni_sum *sum,
                                   const sni_group *group, int u) {
  if (!sni_sum_by_lanes(e, sum->innermost)) return sni_ir_i64(e, u - sum->first_vector);
  LLVMValueRef vector = LLVMBuildUDiv(e->builder, group->index[u], sni_ir_i64(e, e->lanes), "");
  return LLVMBuildAnd(e->builder, vector, sni_ir_i64(e, sum->width - 1), "");
}

static void take_in_memory(sni_emitter *e, const struct sni_sum *sum, int vector, LLVMValueRef at,
                           LLVMValueRef mask) {
  LLVMValueRef element = sni_operand(e, sni_inst_at(e, sum->number)->operands[0], vector);
  LLVMValueRef address = sni_sum_cell(e, sum, sum->memory, place_now(e, sum), at);
  if (sum->one_each) {
    sni_sum_write_cell(e, address, element);
    return;
  }
  LLVMValueRef total = sni_sum_read_cell(e, sum, address);
  sni_sum_write_cell(e, address, fed(e, sum, total, element, mask));
}

void sni_take_sum(sni_emitter *e, uint32_t number, const sni_group *group) {
  const struct sni_sum *sum = sum_of(e, number);
  if (!sum) {
    sni_fail_emission(e, "kernel %s: a reduction outside its loop", e->name);
    return;
  }
  const bool lanes = sni_sum_by_lanes(e, sum->innermost);
  const bool vector = LLVMGetTypeKind(sum->type) == LLVMVectorTypeKind;
  const int first = vector ? group->first : 0, end = vector ? first + group->count : 1;
  int64_t place = 0;
  if (!sum->memory) sni_ir_is_constant(place_now(e, sum), &place);
  LLVMValueRef *totals = &e->values[number].vector[place * sum->width];
  for (int u = first; u < end; u++) {
    LLVMValueRef mask = lanes ? group->mask[u] : NULL;
    const int at = vector ? u - sum->first_vector : 0;
    if (sum->memory) {
      LLVMValueRef accumulator = vector ? accumulator_of(e, sum, group, u) : sni_ir_i64(e, at);
      take_in_memory(e, sum, vector ? u : -1, accumulator, mask);
      continue;
    }
    LLVMValueRef element = sni_operand(e, sni_inst_at(e, number)->operands[0], vector ? u : -1);
    totals[at] = fed(e, sum, totals[at], element, mask);
  }
}

// ---- strips
void sni_begin_strip(sni_emitter *e, uint32_t item, LLVMValueRef first, int vectors) {
  LLVMValueRef zero = sni_ir_i64(e, 0);
  for (uint32_t s = 0; s < e->n_sums; s++) {
    struct sni_sum *sum = &e->sums[s];
    if (sum->innermost != item) continue;
    LLVMValueRef *values = e->values[sum->number].vector;
    for (int u = 0; u < vectors; u++) {
      LLVMValueRef at = sni_ir_add(e, first, sni_ir_i64(e, u));
      values[u] = sum->by_strips
                      ? identity_of(e, sum)
                      : sni_sum_read_cell(e, sum, sni_sum_cell(e, sum, sum->memory, zero, at));
    }
    sum->strip_memory = sum->memory;
    sum->memory = NULL;
    sum->width = vectors;
  }
}

void sni_end_strip(sni_emitter *e, uint32_t item, LLVMValueRef first) {
  LLVMValueRef zero = sni_ir_i64(e, 0);
  for (uint32_t s = 0; s < e->n_sums; s++) {
    struct sni_sum *sum = &e->sums[s];
    if (sum->innermost != item) continue;
    const int vectors = sum->width;
    sum->memory = sum->strip_memory;
    sum->width = SNI_REDUCE_LANES / e->lanes;
    for (int u = 0; u < vectors; u++) {
      LLVMValueRef at = sni_ir_add(e, first, sni_ir_i64(e, u));
      sni_sum_write_cell(e, sni_sum_cell(e, sum, sum->memory, zero, at),
                         e->values[sum->number].vector[u]);
    }
  }
}

// ---- closing: the totals, `width` of them, or one scalar of 64 lanes
void sni_sum_combine_places(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *all) {
  for (int w = SNI_REDUCE_LANES / 2; w > 0; w /= 2)
    for (int p = 0; p < w && p + w < sum->places; p++)
      for (int u = 0; u < sum->width; u++)
        all[p * sum->width + u] =
            sni_sum_combine(e, sum, all[p * sum->width + u], all[(p + w) * sum->width + u]);
}

void sni_sum_totals_of(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *out) {
  LLVMValueRef all[sni_max_group];
  LLVMValueRef zero = sni_ir_i64(e, 0);
  const int count = sum->memory ? sum->width : sum->places * sum->width;
  if (sum->memory) sni_sum_combine_cells(e, sum, sum->memory, sum->places);
  for (int i = 0; i < count; i++)
    all[i] = sum->memory ? sni_sum_read_cell(
                               e, sum, sni_sum_cell(e, sum, sum->memory, zero, sni_ir_i64(e, i)))
                         : e->values[sum->number].vector[i];
  if (!sum->memory) sni_sum_combine_places(e, sum, all);
  if (sni_sum_by_lanes(e, sum->innermost)) {
    const int lanes = e->lanes;
    e->lanes = e->item_lanes[sum->innermost];
    out[0] = sni_reduce_lanes(e, inst_of(e, sum), all, sum->width);
    e->lanes = lanes;
    return;
  }
  for (int u = 0; u < sum->width; u++) out[u] = finish(e, sum, all[u]);
}

void sni_sum_set_total(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *totals) {
  if (!e->is_vector[sum->number]) {
    sni_set_scalar(e, sum->number, totals[0]);
    return;
  }
  for (int u = 0; u < sum->width; u++)
    sni_set_vector(e, sum->number, sum->first_vector + u, totals[u]);
}

static void release_sums(sni_emitter *e, uint32_t first) {
  for (uint32_t s = first; s < e->n_sums; s++)
    if (e->sums[s].memory) sni_frame_release(e, e->sums[s].memory);
  e->n_sums = first;
}

// ---- loops
void sni_emit_summed(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                     sni_run_span run) {
  LLVMValueRef totals[sni_max_group];
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  const uint32_t first = open_sums(e, item, group);
  const bool one_piece = loop->extent.param < 0 && loop->extent.value <= (int64_t)loop->chunk;
  if (loop->chunk && !one_piece && e->n_sums > first) {
    sni_emit_pieces(e, item, span, group, run, first);
  } else {
    run(e, item, span, group);
    for (uint32_t s = first; s < e->n_sums; s++) {
      sni_sum_totals_of(e, &e->sums[s], totals);
      sni_sum_set_total(e, &e->sums[s], totals);
    }
  }
  release_sums(e, first);
}
