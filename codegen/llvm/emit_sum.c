// Accumulators of REDUCE: opened before the loop that it names, fed where it stands, combined
// behind that loop. Chunked loops run in pieces, whose results are elements of a level above.
//
// Invariant: the order of codegen/kernel/tree.h. Places and lanes that no element reached hold the
// identity, and combining with it changes no bit, so missing ones are left out. Accumulators travel
// as values where they are few, and lie in the function's frame where they are many.
#include "codegen/llvm/emit_walk.h"

#include <stdlib.h>

enum {
  longest_unrolled = 256,   // instructions of these turns
  greatest_level_bits = 48  // log2 of more iterations than any loop runs
};

static LLVMTypeRef memory_type(const sni_emitter *e, LLVMTypeRef type) {
  return sni_ir_element(type) == e->type_i1 ? sni_ir_like(type, e->type_i8) : type;
}

static int64_t memory_bytes(const sni_emitter *e, const struct sni_sum *sum) {
  const int64_t lanes = (int64_t)sni_ir_width(sum->type);
  return lanes * (int64_t)sni_dtype_bytes((sn_dtype)sni_inst_at(e, sum->number)->dtype);
}

static const sni_tree_inst *inst_of(const sni_emitter *e, const struct sni_sum *sum) {
  return sni_inst_at(e, sum->number);
}

static LLVMValueRef identity_of(sni_emitter *e, const struct sni_sum *sum) {
  return sni_reduce_identity(e, inst_of(e, sum), sum->type);
}

static LLVMValueRef combine(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef a,
                            LLVMValueRef b) {
  return sni_reduce_combine(e, inst_of(e, sum), a, b);
}

static LLVMValueRef finish(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef total) {
  return sni_reduce_finish(e, inst_of(e, sum), total);
}

// ---- accumulators in memory: [place][width] from `base` on
static LLVMValueRef cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base,
                         LLVMValueRef place, LLVMValueRef u) {
  LLVMValueRef at = sni_ir_add(e, sni_ir_mul(e, place, sni_ir_i64(e, sum->width)), u);
  LLVMValueRef bytes = sni_ir_mul(e, at, sni_ir_i64(e, memory_bytes(e, sum)));
  return sni_ir_element_address(e, e->type_i8, base, bytes);
}

static LLVMValueRef read_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef address) {
  const sn_dtype dtype = (sn_dtype)sni_inst_at(e, sum->number)->dtype;
  return sni_from_memory(e, dtype,
                         sni_emit_vector_load(e, memory_type(e, sum->type), address, NULL));
}

static void write_cell(sni_emitter *e, LLVMValueRef address, LLVMValueRef value) {
  sni_emit_vector_store(e, sni_to_memory(e, value), address, NULL);
}

static void fill_cells(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base, int places) {
  sni_loop loop;
  LLVMValueRef identity = identity_of(e, sum), zero = sni_ir_i64(e, 0);
  sni_loop_begin(e, &loop, zero, sni_ir_i64(e, (int64_t)places * sum->width), sni_ir_i64(e, 1), 0);
  write_cell(e, cell(e, sum, base, zero, loop.index), identity);
  sni_loop_end(e, &loop, NULL);
}

static void add_to_cell(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef address,
                        LLVMValueRef value) {
  write_cell(e, address, combine(e, sum, read_cell(e, sum, address), value));
}

// place[l] = combine(place[l], place[l + w]) for w = 32, 16, ..., 1: leaves the total in place 0.
static void combine_cells(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef base,
                          int places) {
  if (places == 1) return;
  sni_loop across, down;
  sni_loop_begin(e, &across, sni_ir_i64(e, 0), sni_ir_i64(e, sum->width), sni_ir_i64(e, 1), 0);
  for (int w = SNI_REDUCE_LANES / 2; w > 0; w /= 2) {
    const int count = places - w < w ? places - w : w;
    if (count <= 0) continue;
    sni_loop_begin(e, &down, sni_ir_i64(e, 0), sni_ir_i64(e, count), sni_ir_i64(e, 1), 0);
    LLVMValueRef other = sni_ir_add(e, down.index, sni_ir_i64(e, w));
    add_to_cell(e, sum, cell(e, sum, base, down.index, across.index),
                read_cell(e, sum, cell(e, sum, base, other, across.index)));
    sni_loop_end(e, &down, NULL);
  }
  sni_loop_end(e, &across, NULL);
}

// ---- opening
static bool by_lanes(const sni_emitter *e, uint32_t innermost) {
  return sni_tree_schedule(e->tree)[innermost].lanes;
}

static int places_of(const sni_emitter *e, uint32_t innermost) {
  const sni_loop_item *loop = &sni_item_at(e, innermost)->as.loop;
  if (by_lanes(e, innermost) || loop->order != SNI_ORDER_LANES) return 1;
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
  if (by_lanes(e, innermost)) {
    const int lanes = e->item_lanes[innermost];
    sum.width = SNI_REDUCE_LANES / lanes;
    sum.type = LLVMVectorType(element, (unsigned)lanes);
  } else if (e->is_vector[number]) {
    sum.width = group->count;
    sum.first_vector = group->first;
    sum.type = LLVMVectorType(element, (unsigned)e->lanes);
  }
  return sum;
}

static void start_sum(sni_emitter *e, struct sni_sum *sum) {
  if (sum->memory) {
    if (!sum->one_each) fill_cells(e, sum, sum->memory, sum->places);
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
      sum.memory = sni_frame_take(e, sum.places * sum.width * memory_bytes(e, &sum));
    e->sums[e->n_sums++] = sum;
  }
  for (uint32_t s = first; s < e->n_sums; s++) start_sum(e, &e->sums[s]);
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
  LLVMValueRef next = fresh ? element : combine(e, sum, total, element);
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

static void take_in_memory(sni_emitter *e, const struct sni_sum *sum, int vector, int at,
                           LLVMValueRef mask) {
  LLVMValueRef element = sni_operand(e, sni_inst_at(e, sum->number)->operands[0], vector);
  LLVMValueRef address = cell(e, sum, sum->memory, place_now(e, sum), sni_ir_i64(e, at));
  if (sum->one_each) {
    write_cell(e, address, element);
    return;
  }
  LLVMValueRef total = read_cell(e, sum, address);
  write_cell(e, address, fed(e, sum, total, element, mask));
}

void sni_take_sum(sni_emitter *e, uint32_t number, const sni_group *group) {
  const struct sni_sum *sum = sum_of(e, number);
  if (!sum) {
    sni_fail_emission(e, "kernel %s: a reduction outside its loop", e->name);
    return;
  }
  const bool lanes = by_lanes(e, sum->innermost);
  const bool vector = LLVMGetTypeKind(sum->type) == LLVMVectorTypeKind;
  const int first = vector ? group->first : 0, end = vector ? first + group->count : 1;
  int64_t place = 0;
  if (!sum->memory) sni_ir_is_constant(place_now(e, sum), &place);
  LLVMValueRef *totals = &e->values[number].vector[place * sum->width];
  for (int u = first; u < end; u++) {
    LLVMValueRef mask = lanes ? group->mask[u] : NULL;
    const int at = vector ? u - sum->first_vector : 0;
    if (sum->memory) {
      take_in_memory(e, sum, vector ? u : -1, at, mask);
      continue;
    }
    LLVMValueRef element = sni_operand(e, sni_inst_at(e, number)->operands[0], vector ? u : -1);
    totals[at] = fed(e, sum, totals[at], element, mask);
  }
}

// ---- closing: the totals, `width` of them, or one scalar of 64 lanes
static void combine_places(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *all) {
  for (int w = SNI_REDUCE_LANES / 2; w > 0; w /= 2)
    for (int p = 0; p < w && p + w < sum->places; p++)
      for (int u = 0; u < sum->width; u++)
        all[p * sum->width + u] =
            combine(e, sum, all[p * sum->width + u], all[(p + w) * sum->width + u]);
}

static void totals_of(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *out) {
  LLVMValueRef all[sni_max_group];
  LLVMValueRef zero = sni_ir_i64(e, 0);
  const int count = sum->memory ? sum->width : sum->places * sum->width;
  if (sum->memory) combine_cells(e, sum, sum->memory, sum->places);
  for (int i = 0; i < count; i++)
    all[i] = sum->memory ? read_cell(e, sum, cell(e, sum, sum->memory, zero, sni_ir_i64(e, i)))
                         : e->values[sum->number].vector[i];
  if (!sum->memory) combine_places(e, sum, all);
  if (by_lanes(e, sum->innermost)) {
    const int lanes = e->lanes;
    e->lanes = e->item_lanes[sum->innermost];
    out[0] = sni_reduce_lanes(e, inst_of(e, sum), all, sum->width);
    e->lanes = lanes;
    return;
  }
  for (int u = 0; u < sum->width; u++) out[u] = finish(e, sum, all[u]);
}

static void set_total(sni_emitter *e, const struct sni_sum *sum, LLVMValueRef *totals) {
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

// ---- pieces. Level 0 holds the totals of the last piece of the loop; level l > 0 takes the totals of
// pieces of the level below as elements, one after the other, and counts them. Each sum lies there
// as [place][width]; totals end in place 0.
typedef struct levels {
  struct sni_sum *sums;  // as they lie in a level
  uint32_t count;
  int n;                 // levels but level 0
  int64_t chunk, bytes;  // of a level, all sums together
  LLVMValueRef memory, counts;
} levels;

static struct sni_sum level_sum(const sni_emitter *e, const struct sni_sum *sum, int64_t chunk) {
  struct sni_sum of = *sum;
  const sni_loop_item *loop = &sni_item_at(e, sum->innermost)->as.loop;
  of.places = 1;
  if (loop->order == SNI_ORDER_LANES)
    of.places = chunk < SNI_REDUCE_LANES ? (int)chunk : SNI_REDUCE_LANES;
  if (by_lanes(e, sum->innermost)) of.type = sni_ir_element(sum->type);
  if (by_lanes(e, sum->innermost)) of.width = 1;
  return of;
}

// Until one element is left, which has a level of its own.
static int count_levels(sni_extent extent, int64_t chunk) {
  int64_t left = extent.param < 0 ? extent.value : (int64_t)1 << greatest_level_bits;
  int n = 1;
  for (left = left / chunk + (left % chunk != 0); left > 1; n++)
    left = left / chunk + (left % chunk != 0);
  return n;
}

static int64_t level_bytes(const sni_emitter *e, const struct sni_sum *sum) {
  return (memory_bytes(e, sum) * sum->places * sum->width + 63) / 64 * 64;
}

static LLVMValueRef level_base(sni_emitter *e, const levels *l, LLVMValueRef level, uint32_t s) {
  int64_t before = 0;
  for (uint32_t i = 0; i < s; i++) before += level_bytes(e, &l->sums[i]);
  LLVMValueRef at = sni_ir_mul(e, level, sni_ir_i64(e, l->bytes));
  return sni_ir_element_address(e, e->type_i8, l->memory, sni_ir_add(e, at, sni_ir_i64(e, before)));
}

static LLVMValueRef count_address(sni_emitter *e, const levels *l, LLVMValueRef level) {
  return sni_ir_element_address(e, e->type_i64, l->counts, level);
}

static LLVMValueRef read_count(sni_emitter *e, const levels *l, LLVMValueRef level) {
  return LLVMBuildLoad2(e->builder, e->type_i64, count_address(e, l, level), "");
}

static bool open_levels(sni_emitter *e, uint32_t item, uint32_t first, levels *l) {
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  *l = (levels){.count = e->n_sums - first, .chunk = loop->chunk};
  l->n = count_levels(loop->extent, l->chunk);
  l->sums = calloc(l->count + 1u, sizeof(*l->sums));
  if (!l->sums) return sni_fail_emission(e, "out of memory");
  for (uint32_t s = 0; s < l->count; s++) {
    l->sums[s] = level_sum(e, &e->sums[first + s], l->chunk);
    l->bytes += level_bytes(e, &l->sums[s]);
  }
  l->memory = sni_frame_take(e, l->bytes * (l->n + 1));
  l->counts = sni_frame_take(e, 8 * (l->n + 1));
  sni_loop clear;
  sni_loop_begin(e, &clear, sni_ir_i64(e, 0), sni_ir_i64(e, l->n + 1), sni_ir_i64(e, 1), 0);
  LLVMBuildStore(e->builder, sni_ir_i64(e, 0), count_address(e, l, clear.index));
  sni_loop_end(e, &clear, NULL);
  return true;
}

static void close_levels(sni_emitter *e, levels *l) {
  sni_frame_release(e, l->memory);
  sni_frame_release(e, l->counts);
  free(l->sums);
}

static void clear_if_fresh(sni_emitter *e, const levels *l, LLVMValueRef level,
                           LLVMValueRef count) {
  LLVMBasicBlockRef clear = sni_ir_block(e, "clear"), add = sni_ir_block(e, "add");
  LLVMValueRef fresh = LLVMBuildICmp(e->builder, LLVMIntEQ, count, sni_ir_i64(e, 0), "");
  LLVMBuildCondBr(e->builder, fresh, clear, add);
  LLVMPositionBuilderAtEnd(e->builder, clear);
  for (uint32_t s = 0; s < l->count; s++)
    fill_cells(e, &l->sums[s], level_base(e, l, level, s), l->sums[s].places);
  LLVMBuildBr(e->builder, add);
  LLVMPositionBuilderAtEnd(e->builder, add);
}

// The totals of `level` become an element of the level above; gives how many that has now.
static LLVMValueRef raise(sni_emitter *e, const levels *l, LLVMValueRef level) {
  LLVMValueRef zero = sni_ir_i64(e, 0), one = sni_ir_i64(e, 1);
  LLVMValueRef above = sni_ir_add(e, level, one), count = read_count(e, l, above);
  clear_if_fresh(e, l, above, count);
  LLVMValueRef place = LLVMBuildAnd(e->builder, count, sni_ir_i64(e, SNI_REDUCE_LANES - 1), "");
  for (uint32_t s = 0; s < l->count; s++) {
    const struct sni_sum *sum = &l->sums[s];
    LLVMValueRef from = level_base(e, l, level, s), to = level_base(e, l, above, s);
    for (int u = 0; u < sum->width; u++) {
      LLVMValueRef at = sni_ir_i64(e, u);
      add_to_cell(e, sum, cell(e, sum, to, sum->places == 1 ? zero : place, at),
                  read_cell(e, sum, cell(e, sum, from, zero, at)));
    }
  }
  count = LLVMBuildAdd(e->builder, count, one, "");
  LLVMBuildStore(e->builder, count, count_address(e, l, above));
  return count;
}

// Leaves the totals of a level's elements in its place 0. The level is empty then.
static void total_level(sni_emitter *e, const levels *l, LLVMValueRef level) {
  for (uint32_t s = 0; s < l->count; s++)
    combine_cells(e, &l->sums[s], level_base(e, l, level, s), l->sums[s].places);
  LLVMBuildStore(e->builder, sni_ir_i64(e, 0), count_address(e, l, level));
}

// From level 0 up, as long as pieces become complete.
static void raise_complete(sni_emitter *e, const levels *l) {
  LLVMValueRef zero = sni_ir_i64(e, 0);
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder), up = sni_ir_block(e, "up"),
                    full = sni_ir_block(e, "full"), after = sni_ir_block(e, "after");
  LLVMBuildBr(e->builder, up);
  LLVMPositionBuilderAtEnd(e->builder, up);
  LLVMValueRef level = LLVMBuildPhi(e->builder, e->type_i64, "");
  LLVMValueRef count = raise(e, l, level);
  LLVMValueRef complete = LLVMBuildICmp(e->builder, LLVMIntEQ, count, sni_ir_i64(e, l->chunk), "");
  LLVMBuildCondBr(e->builder, complete, full, after);
  LLVMPositionBuilderAtEnd(e->builder, full);
  LLVMValueRef above = LLVMBuildAdd(e->builder, level, sni_ir_i64(e, 1), "");
  total_level(e, l, above);
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, up);
  LLVMAddIncoming(level, &zero, &before, 1);
  LLVMAddIncoming(level, &above, &latch, 1);
  LLVMPositionBuilderAtEnd(e->builder, after);
}

static void unless_empty(sni_emitter *e, const levels *l, LLVMValueRef level, bool up) {
  LLVMBasicBlockRef some = sni_ir_block(e, "rest"), after = sni_ir_block(e, "after");
  LLVMValueRef count = read_count(e, l, level);
  LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntNE, count, sni_ir_i64(e, 0), ""),
                  some, after);
  LLVMPositionBuilderAtEnd(e->builder, some);
  total_level(e, l, level);
  if (up) raise(e, l, level);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
}

// What is left in incomplete pieces goes up, until a level has one piece. Gives the level whose
// place 0 holds the result. pieces: of the loop, one at least.
static LLVMValueRef raise_rest(sni_emitter *e, const levels *l, LLVMValueRef pieces) {
  LLVMValueRef one = sni_ir_i64(e, 1), chunk = sni_ir_i64(e, l->chunk);
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder), head = sni_ir_block(e, "head"),
                    body = sni_ir_block(e, "body"), last = sni_ir_block(e, "last");
  LLVMBuildBr(e->builder, head);
  LLVMPositionBuilderAtEnd(e->builder, head);
  LLVMValueRef level = LLVMBuildPhi(e->builder, e->type_i64, "");
  LLVMValueRef left = LLVMBuildPhi(e->builder, e->type_i64, "");
  LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntSGT, left, chunk, ""), body, last);
  LLVMPositionBuilderAtEnd(e->builder, body);
  unless_empty(e, l, level, true);
  LLVMValueRef above = LLVMBuildAdd(e->builder, level, one, "");
  LLVMValueRef up = LLVMBuildAdd(e->builder, left, sni_ir_i64(e, l->chunk - 1), "");
  up = LLVMBuildUDiv(e->builder, up, chunk, "");
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder);
  LLVMBuildBr(e->builder, head);
  LLVMAddIncoming(level, &one, &before, 1);
  LLVMAddIncoming(level, &above, &latch, 1);
  LLVMAddIncoming(left, &pieces, &before, 1);
  LLVMAddIncoming(left, &up, &latch, 1);
  LLVMPositionBuilderAtEnd(e->builder, last);
  // A piece that was complete has gone up already.
  LLVMValueRef gone =
      LLVMBuildICmp(e->builder, LLVMIntEQ, read_count(e, l, level), sni_ir_i64(e, 0), "");
  unless_empty(e, l, level, false);
  return LLVMBuildAdd(e->builder, level, LLVMBuildZExt(e->builder, gone, e->type_i64, ""), "");
}

static void emit_piece(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                       sni_run_span run, uint32_t first, const levels *l) {
  LLVMValueRef totals[sni_max_group];
  for (uint32_t s = first; s < e->n_sums; s++) start_sum(e, &e->sums[s]);
  run(e, item, span, group);
  for (uint32_t s = first; s < e->n_sums; s++) {
    const struct sni_sum *sum = &l->sums[s - first];
    LLVMValueRef zero = sni_ir_i64(e, 0), base = level_base(e, l, zero, s - first);
    totals_of(e, &e->sums[s], totals);
    for (int u = 0; u < sum->width; u++)
      write_cell(e, cell(e, sum, base, zero, sni_ir_i64(e, u)), totals[u]);
  }
  raise_complete(e, l);
}

static void emit_pieces(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                        sni_run_span run, uint32_t first) {
  levels l;
  sni_loop loop;
  LLVMValueRef totals[sni_max_group], zero = sni_ir_i64(e, 0), one = sni_ir_i64(e, 1);
  if (!open_levels(e, item, first, &l)) return;
  LLVMValueRef size = sni_ir_i64(e, l.chunk);
  LLVMValueRef pieces = LLVMBuildAdd(e->builder, span.last, sni_ir_i64(e, l.chunk - 1), "");
  pieces = LLVMBuildUDiv(e->builder, pieces, size, "");
  LLVMValueRef none = LLVMBuildICmp(e->builder, LLVMIntEQ, pieces, zero, "");
  pieces = sni_ir_select(e, none, one, pieces);  // an empty one gives the identity
  sni_loop_begin(e, &loop, zero, pieces, one, 0);
  sni_span piece = {sni_ir_mul(e, loop.index, size), NULL};
  piece.last = sni_ir_min(e, sni_ir_add(e, piece.first, size), span.last);
  emit_piece(e, item, piece, group, run, first, &l);
  sni_loop_end(e, &loop, NULL);
  LLVMValueRef level = raise_rest(e, &l, pieces);
  for (uint32_t s = 0; s < l.count; s++) {
    LLVMValueRef base = level_base(e, &l, level, s);
    for (int u = 0; u < l.sums[s].width; u++)
      totals[u] = read_cell(e, &l.sums[s], cell(e, &l.sums[s], base, zero, sni_ir_i64(e, u)));
    set_total(e, &l.sums[s], totals);
  }
  close_levels(e, &l);
}

// ---- loops
void sni_emit_summed(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                     sni_run_span run) {
  LLVMValueRef totals[sni_max_group];
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  const uint32_t first = open_sums(e, item, group);
  const bool one_piece = loop->extent.param < 0 && loop->extent.value <= (int64_t)loop->chunk;
  if (loop->chunk && !one_piece && e->n_sums > first) {
    emit_pieces(e, item, span, group, run, first);
  } else {
    run(e, item, span, group);
    for (uint32_t s = first; s < e->n_sums; s++) {
      totals_of(e, &e->sums[s], totals);
      set_total(e, &e->sums[s], totals);
    }
  }
  release_sums(e, first);
}
