// Pieces of a chunked reduction. Level 0 holds the totals of the last piece of the loop; level l > 0
// takes the totals of pieces of the level below as elements, one after the other, and counts them.
// Each sum lies there as [place][width]; totals end in place 0.
//
// Invariant: what goes on between levels is the same for all sums of one kind: it stands in two
// functions of the module, which run once a piece and once a loop for each sum.
#include "codegen/llvm/emit_sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  greatest_level_bits = 48,  // log2 of more iterations than any loop runs
  name_characters = 128,     // of a function
  most_few = 16              // pieces that are combined in straight code
};

typedef struct levels {
  struct sni_sum sum;    // as it lies in a level
  int n;                 // levels but level 0
  int64_t chunk, bytes;  // of a level
  LLVMValueRef memory, counts;
} levels;

static struct sni_sum level_sum(const sni_emitter *e, const struct sni_sum *sum, int64_t chunk) {
  struct sni_sum of = *sum;
  const sni_loop_item *loop = &sni_item_at(e, sum->innermost)->as.loop;
  of.places = 1;
  if (loop->order == SNI_ORDER_LANES)
    of.places = chunk < SNI_REDUCE_LANES ? (int)chunk : SNI_REDUCE_LANES;
  if (sni_sum_by_lanes(e, sum->innermost)) of.type = sni_ir_element(sum->type);
  if (sni_sum_by_lanes(e, sum->innermost)) of.width = 1;
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

static LLVMValueRef level_base(sni_emitter *e, const levels *l, LLVMValueRef level) {
  LLVMValueRef at = sni_ir_mul(e, level, sni_ir_i64(e, l->bytes));
  return sni_ir_element_address(e, e->type_i8, l->memory, at);
}

static LLVMValueRef count_address(sni_emitter *e, const levels *l, LLVMValueRef level) {
  return sni_ir_element_address(e, e->type_i64, l->counts, level);
}

static LLVMValueRef read_count(sni_emitter *e, const levels *l, LLVMValueRef level) {
  return LLVMBuildLoad2(e->builder, e->type_i64, count_address(e, l, level), "");
}

static void open_levels(sni_emitter *e, uint32_t item, const struct sni_sum *sum, levels *l) {
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  *l = (levels){.sum = level_sum(e, sum, loop->chunk), .chunk = loop->chunk};
  l->n = count_levels(loop->extent, l->chunk);
  l->bytes = sni_sum_memory_bytes(e, &l->sum) * l->sum.places * l->sum.width;
  l->bytes = (l->bytes + 63) / 64 * 64;
  l->memory = sni_frame_take(e, l->bytes * (l->n + 1));
  l->counts = sni_frame_take(e, 8 * (l->n + 1));
  sni_loop clear;
  sni_loop_begin(e, &clear, sni_ir_i64(e, 0), sni_ir_i64(e, l->n + 1), sni_ir_i64(e, 1), 0);
  LLVMBuildStore(e->builder, sni_ir_i64(e, 0), count_address(e, l, clear.index));
  sni_loop_end(e, &clear, NULL);
}

static void close_levels(sni_emitter *e, const levels *l) {
  sni_frame_release(e, l->memory);
  sni_frame_release(e, l->counts);
}

static void clear_if_fresh(sni_emitter *e, const levels *l, LLVMValueRef level,
                           LLVMValueRef count) {
  LLVMBasicBlockRef clear = sni_ir_block(e, "clear"), add = sni_ir_block(e, "add");
  LLVMValueRef fresh = LLVMBuildICmp(e->builder, LLVMIntEQ, count, sni_ir_i64(e, 0), "");
  LLVMBuildCondBr(e->builder, fresh, clear, add);
  LLVMPositionBuilderAtEnd(e->builder, clear);
  sni_sum_fill_cells(e, &l->sum, level_base(e, l, level), l->sum.places);
  LLVMBuildBr(e->builder, add);
  LLVMPositionBuilderAtEnd(e->builder, add);
}

// The totals of `level` become an element of the level above; gives how many that has now.
static LLVMValueRef raise(sni_emitter *e, const levels *l, LLVMValueRef level) {
  LLVMValueRef zero = sni_ir_i64(e, 0), one = sni_ir_i64(e, 1);
  LLVMValueRef above = sni_ir_add(e, level, one), count = read_count(e, l, above);
  clear_if_fresh(e, l, above, count);
  LLVMValueRef place = LLVMBuildAnd(e->builder, count, sni_ir_i64(e, SNI_REDUCE_LANES - 1), "");
  const struct sni_sum *sum = &l->sum;
  LLVMValueRef from = level_base(e, l, level), to = level_base(e, l, above);
  for (int u = 0; u < sum->width; u++) {
    LLVMValueRef at = sni_ir_i64(e, u);
    sni_sum_add_to_cell(e, sum, sni_sum_cell(e, sum, to, sum->places == 1 ? zero : place, at),
                        sni_sum_read_cell(e, sum, sni_sum_cell(e, sum, from, zero, at)));
  }
  count = LLVMBuildAdd(e->builder, count, one, "");
  LLVMBuildStore(e->builder, count, count_address(e, l, above));
  return count;
}

// Leaves the totals of a level's elements in its place 0. The level is empty then.
static void total_level(sni_emitter *e, const levels *l, LLVMValueRef level) {
  sni_sum_combine_cells(e, &l->sum, level_base(e, l, level), l->sum.places);
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

// ---- functions of the module
typedef struct outside {
  LLVMValueRef function;
  LLVMBasicBlockRef block;
} outside;

static LLVMTypeRef function_type(sni_emitter *e, bool rest) {
  LLVMTypeRef parameters[3] = {e->type_pointer, e->type_pointer, e->type_i64};
  return LLVMFunctionType(rest ? e->type_i64 : e->type_void, parameters, rest ? 3 : 2, false);
}

// The function for sums of this kind; *out_new: its body is to be written, the builder is in it.
static LLVMValueRef function_of(sni_emitter *e, const levels *l, bool rest, bool *out_new,
                                outside *out) {
  const sni_tree_inst *inst = sni_inst_at(e, l->sum.number);
  char name[name_characters];
  *out_new = false;
  snprintf(name, sizeof(name), "%s.%lld.%d.%d.%u.%d.%d", rest ? "rest" : "raise",
           (long long)l->chunk, (int)inst->imm.combiner, (int)inst->dtype,
           sni_ir_width(l->sum.type), l->sum.width, l->sum.places);
  LLVMValueRef function = LLVMGetNamedFunction(e->module, name);
  if (!function) {
    function = LLVMAddFunction(e->module, name, function_type(e, rest));
    static const char *const attributes[] = {"nounwind", "noinline"};
    for (int i = 0; i < 2; i++) {
      const unsigned kind = LLVMGetEnumAttributeKindForName(attributes[i], strlen(attributes[i]));
      LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                              LLVMCreateEnumAttribute(e->context, kind, 0));
    }
    LLVMSetLinkage(function, LLVMInternalLinkage);
    *out = (outside){e->function, LLVMGetInsertBlock(e->builder)};
    *out_new = true;
    e->function = function;
    LLVMPositionBuilderAtEnd(e->builder, sni_ir_block(e, ""));
  }
  return function;
}

static void leave_function(sni_emitter *e, const outside *outer) {
  e->function = outer->function;
  LLVMPositionBuilderAtEnd(e->builder, outer->block);
}

static void call_raise(sni_emitter *e, const levels *l) {
  bool is_new;
  outside outer;
  LLVMValueRef function = function_of(e, l, false, &is_new, &outer);
  if (is_new) {
    levels inside = *l;
    inside.memory = LLVMGetParam(function, 0);
    inside.counts = LLVMGetParam(function, 1);
    raise_complete(e, &inside);
    LLVMBuildRetVoid(e->builder);
    leave_function(e, &outer);
  }
  LLVMValueRef arguments[2] = {l->memory, l->counts};
  LLVMBuildCall2(e->builder, function_type(e, false), function, arguments, 2, "");
}

static LLVMValueRef call_rest(sni_emitter *e, const levels *l, LLVMValueRef pieces) {
  bool is_new;
  outside outer;
  LLVMValueRef function = function_of(e, l, true, &is_new, &outer);
  if (is_new) {
    levels inside = *l;
    inside.memory = LLVMGetParam(function, 0);
    inside.counts = LLVMGetParam(function, 1);
    LLVMBuildRet(e->builder, raise_rest(e, &inside, LLVMGetParam(function, 2)));
    leave_function(e, &outer);
  }
  LLVMValueRef arguments[3] = {l->memory, l->counts, pieces};
  return LLVMBuildCall2(e->builder, function_type(e, true), function, arguments, 3, "");
}

// ---- the loop
static void emit_piece(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                       sni_run_span run, uint32_t first, const levels *all) {
  LLVMValueRef totals[sni_max_group], zero = sni_ir_i64(e, 0);
  for (uint32_t s = first; s < e->n_sums; s++) sni_sum_start_sum(e, &e->sums[s]);
  run(e, item, span, group);
  for (uint32_t s = first; s < e->n_sums; s++) {
    const levels *l = &all[s - first];
    sni_sum_totals_of(e, &e->sums[s], totals);
    for (int u = 0; u < l->sum.width; u++)
      sni_sum_write_cell(
          e, sni_sum_cell(e, &l->sum, level_base(e, l, zero), zero, sni_ir_i64(e, u)), totals[u]);
    call_raise(e, l);
  }
}

// The pieces of a loop: one at least, as an empty one gives the identity.
static LLVMValueRef count_pieces(sni_emitter *e, sni_span span, int64_t chunk) {
  LLVMValueRef pieces = LLVMBuildAdd(e->builder, span.last, sni_ir_i64(e, chunk - 1), "");
  pieces = LLVMBuildUDiv(e->builder, pieces, sni_ir_i64(e, chunk), "");
  LLVMValueRef none = LLVMBuildICmp(e->builder, LLVMIntEQ, pieces, sni_ir_i64(e, 0), "");
  return sni_ir_select(e, none, sni_ir_i64(e, 1), pieces);
}

static void emit_many(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                      sni_run_span run, uint32_t first) {
  const int64_t chunk = sni_item_at(e, item)->as.loop.chunk;
  LLVMValueRef totals[sni_max_group], zero = sni_ir_i64(e, 0), size = sni_ir_i64(e, chunk);
  const uint32_t count = e->n_sums - first;
  levels *all = calloc(count + 1u, sizeof(*all));
  sni_loop loop;
  if (!all) {
    (void)sni_fail_emission(e, "out of memory");
    return;
  }
  for (uint32_t s = 0; s < count; s++) open_levels(e, item, &e->sums[first + s], &all[s]);
  LLVMValueRef pieces = count_pieces(e, span, chunk);
  sni_loop_begin(e, &loop, zero, pieces, sni_ir_i64(e, 1), 0);
  sni_span piece = {sni_ir_mul(e, loop.index, size), NULL};
  piece.last = sni_ir_min(e, sni_ir_add(e, piece.first, size), span.last);
  emit_piece(e, item, piece, group, run, first, all);
  sni_loop_end(e, &loop, NULL);
  for (uint32_t s = 0; s < count; s++) {
    const levels *l = &all[s];
    LLVMValueRef base = level_base(e, l, call_rest(e, l, pieces));
    for (int u = 0; u < l->sum.width; u++)
      totals[u] =
          sni_sum_read_cell(e, &l->sum, sni_sum_cell(e, &l->sum, base, zero, sni_ir_i64(e, u)));
    sni_sum_set_total(e, &l->sum, totals);
    close_levels(e, l);
  }
  free(all);
}

// ---- few pieces: their totals wait side by side and are combined straight, as they are one piece of the
// next level
static int64_t known_pieces(const sni_emitter *e, uint32_t item) {
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  if (loop->extent.param >= 0) return -1;
  return loop->extent.value / loop->chunk + (loop->extent.value % loop->chunk != 0);
}

static void combine_few(sni_emitter *e, const struct sni_sum *sum, int pieces, bool in_lanes,
                        LLVMValueRef base) {
  LLVMValueRef all[most_few * sni_max_group];
  for (int p = 0; p < pieces; p++)
    for (int u = 0; u < sum->width; u++)
      all[p * sum->width + u] =
          sni_sum_read_cell(e, sum, sni_sum_cell(e, sum, base, sni_ir_i64(e, p), sni_ir_i64(e, u)));
  if (in_lanes) {
    struct sni_sum places = *sum;
    places.places = pieces;
    sni_sum_combine_places(e, &places, all);
  }
  for (int p = 1; p < pieces && !in_lanes; p++)
    for (int u = 0; u < sum->width; u++)
      all[u] = sni_sum_combine(e, sum, all[u], all[p * sum->width + u]);
  sni_sum_set_total(e, sum, all);
}

static void emit_few(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                     sni_run_span run, uint32_t first, int pieces) {
  const sni_loop_item *of = &sni_item_at(e, item)->as.loop;
  const uint32_t count = e->n_sums - first;
  sni_loop loop;
  LLVMValueRef totals[sni_max_group], size = sni_ir_i64(e, of->chunk);
  struct sni_sum *sums = calloc(count + 1u, sizeof(*sums));
  LLVMValueRef *base = calloc(count + 1u, sizeof(*base));
  for (uint32_t s = 0; s < count && sums && base; s++) {
    sums[s] = level_sum(e, &e->sums[first + s], of->chunk);
    base[s] = sni_frame_take(e, pieces * sums[s].width * sni_sum_memory_bytes(e, &sums[s]));
  }
  if (!sums || !base) {
    sni_fail_emission(e, "out of memory");
    free(sums);
    free(base);
    return;
  }
  sni_loop_begin(e, &loop, sni_ir_i64(e, 0), sni_ir_i64(e, pieces), sni_ir_i64(e, 1), 0);
  sni_span piece = {sni_ir_mul(e, loop.index, size), NULL};
  piece.last = sni_ir_add(e, piece.first, size);
  if (of->extent.value % (int64_t)of->chunk) piece.last = sni_ir_min(e, piece.last, span.last);
  for (uint32_t s = 0; s < count; s++) sni_sum_start_sum(e, &e->sums[first + s]);
  run(e, item, piece, group);
  for (uint32_t s = 0; s < count; s++) {
    sni_sum_totals_of(e, &e->sums[first + s], totals);
    for (int u = 0; u < sums[s].width; u++)
      sni_sum_write_cell(e, sni_sum_cell(e, &sums[s], base[s], loop.index, sni_ir_i64(e, u)),
                         totals[u]);
  }
  sni_loop_end(e, &loop, NULL);
  for (uint32_t s = 0; s < count; s++) {
    combine_few(e, &sums[s], pieces, of->order == SNI_ORDER_LANES, base[s]);
    sni_frame_release(e, base[s]);
  }
  free(sums);
  free(base);
}

void sni_emit_pieces(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                     sni_run_span run, uint32_t first) {
  const int64_t pieces = known_pieces(e, item);
  const bool one_level = pieces <= (int64_t)sni_item_at(e, item)->as.loop.chunk;
  if (pieces > 0 && pieces <= most_few && one_level)
    emit_few(e, item, span, group, run, first, (int)pieces);
  else
    emit_many(e, item, span, group, run, first);
}
