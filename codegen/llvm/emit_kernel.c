// One tree's function: signature, roots by their ranges of units, the loop over units with an
// odometer for the pieces of the grid loops. Or the same inside of another function (emit_flow.c).
//
// Invariant: the emitted function is a sni_kernel_function: no external symbol, nothing called but what
// the table of host calls has, nothing written but the stored buffers, scratch and a frame whose size
// is known here.
#include "codegen/llvm/emit_walk.h"

#include <stdlib.h>
#include <string.h>

LLVMValueRef sni_emit_extent(sni_emitter *e, sni_extent extent) {
  return extent.param < 0 ? sni_ir_i64(e, extent.value) : e->params[extent.param];
}

// ---- the frame
static LLVMValueRef new_memory(sni_emitter *e, int64_t bytes) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
  LLVMValueRef first = LLVMGetFirstInstruction(e->entry);
  if (first)
    LLVMPositionBuilderBefore(e->builder, first);
  else
    LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMTypeRef type = LLVMArrayType(e->type_i8, (unsigned)bytes);
  LLVMValueRef memory = LLVMBuildAlloca(e->builder, type, "");
  LLVMSetAlignment(memory, 64);
  LLVMPositionBuilderAtEnd(e->builder, here);
  return memory;
}

LLVMValueRef sni_frame_take(sni_emitter *e, int64_t bytes) {
  for (uint32_t i = 0; i < e->n_areas; i++) {
    if (e->areas[i].taken || e->areas[i].bytes < bytes) continue;
    e->areas[i].taken = true;
    return e->areas[i].memory;
  }
  if (e->n_areas == e->areas_capacity) {
    const uint32_t capacity = e->areas_capacity ? 2 * e->areas_capacity : 16;
    struct sni_area *areas = realloc(e->areas, capacity * sizeof(*areas));
    if (!areas) {
      sni_fail_emission(e, "out of memory");
      return LLVMGetPoison(e->type_pointer);
    }
    e->areas = areas;
    e->areas_capacity = capacity;
  }
  e->areas[e->n_areas] = (struct sni_area){new_memory(e, bytes), bytes, true};
  return e->areas[e->n_areas++].memory;
}

void sni_frame_release(sni_emitter *e, LLVMValueRef memory) {
  for (uint32_t i = 0; i < e->n_areas; i++)
    if (e->areas[i].memory == memory) e->areas[i].taken = false;
}

// ---- the function
static void add_attribute(sni_emitter *e, const char *name, const char *value) {
  LLVMAttributeRef attribute = LLVMCreateStringAttribute(e->context, name, (unsigned)strlen(name),
                                                         value, (unsigned)strlen(value));
  LLVMAddAttributeAtIndex(e->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

static void add_enum_attribute(sni_emitter *e, LLVMAttributeIndex index, const char *name) {
  const unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(e->function, index, LLVMCreateEnumAttribute(e->context, kind, 0));
}

void sni_begin_function(sni_emitter *e, const char *symbol) {
  LLVMTypeRef types[6] = {e->type_pointer, e->type_pointer, e->type_pointer,
                          e->type_i64,     e->type_i64,     e->type_pointer};
  e->function = LLVMAddFunction(e->module, symbol, LLVMFunctionType(e->type_void, types, 6, false));
  const char *bits = e->vector_bits == 512 ? "512" : e->vector_bits == 256 ? "256" : "128";
  add_attribute(e, "prefer-vector-width", bits);
  add_attribute(e, "min-legal-vector-width", bits);
  add_attribute(e, "no-builtins", "");
  add_enum_attribute(e, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind");
  add_enum_attribute(e, 6, "noalias");  // scratch
  e->entry = sni_ir_block(e, "entry");
  e->n_areas = e->areas_capacity = 0;
  e->areas = NULL;
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
}

void sni_end_function(sni_emitter *e) {
  LLVMBuildRetVoid(e->builder);
  free(e->areas);
  e->areas = NULL;
}

static LLVMValueRef load_argument(sni_emitter *e, LLVMTypeRef type, unsigned array,
                                  uint32_t number) {
  LLVMValueRef address =
      sni_ir_element_address(e, type, LLVMGetParam(e->function, array), sni_ir_i64(e, number));
  LLVMValueRef value = LLVMBuildLoad2(e->builder, type, address, "");
  LLVMSetMetadata(value, LLVMGetMDKindIDInContext(e->context, "invariant.load", 14),
                  LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, NULL, 0)));
  return value;
}

static void load_buffer(sni_emitter *e, uint32_t access) {
  const uint32_t buffer = sni_tree_accesses(e->tree)[access].buffer;
  if (e->buffers[buffer] || sni_tree_buffers(e->tree)[buffer].space != SNI_SPACE_GLOBAL) return;
  e->buffers[buffer] = load_argument(e, e->type_pointer, 1, buffer);
}

// Addresses of the buffers that an item uses: of many roots, each loads its own.
static void load_buffers(sni_emitter *e, uint32_t item) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (sni_kop_has_access((sni_kop)inst->op)) load_buffer(e, inst->access);
    if (inst->op != SNI_KOP_CONTRACTION) continue;
    uint32_t accesses[3];
    const sni_item *contract = sni_item_at(e, e->inst_facts[i].item);
    const int n = sni_contract_accesses(&contract->as.contract, accesses);
    for (int k = 0; k < n; k++) load_buffer(e, accesses[k]);
  }
}

static void forget_buffers(sni_emitter *e) {
  if (e->is_inside) return;
  memset(e->buffers, 0, e->tree->n_buffers * sizeof(*e->buffers));
}

static void start_offsets(sni_emitter *e) {
  for (uint32_t i = 0; i < e->tree->n_params && !e->is_inside; i++)
    e->params[i] = load_argument(e, e->type_i64, 2, i);
  for (uint32_t i = 0; i < e->tree->n_accesses; i++)
    e->offsets[i] = sni_emit_extent(e, sni_tree_accesses(e->tree)[i].offset);
  for (uint32_t i = 0; i < e->tree->n_ranges; i++)
    e->forms[i] = sni_emit_extent(e, sni_tree_ranges(e->tree)[i].offset);
}

// ---- the grid of a root
typedef struct grid {
  uint32_t loops[SNI_TREE_DEPTH];
  LLVMValueRef pieces[SNI_TREE_DEPTH];
  LLVMValueRef piece[SNI_TREE_DEPTH];  // of the unit at hand; NULL: the only one
  int count;
  int moving[SNI_TREE_DEPTH], n_moving;  // positions of the loops with more than one piece
} grid;

static LLVMValueRef loop_pieces(sni_emitter *e, uint32_t loop) {
  const sni_extent extent = sni_item_at(e, loop)->as.loop.extent;
  const int64_t grain = sni_tree_schedule(e->tree)[loop].grain;
  if (extent.param < 0) return sni_ir_i64(e, extent.value / grain + (extent.value % grain != 0));
  LLVMValueRef size = e->params[extent.param];
  if (grain == 1) return size;
  LLVMValueRef up = LLVMBuildAdd(e->builder, size, sni_ir_i64(e, grain - 1), "");
  return LLVMBuildUDiv(e->builder, up, sni_ir_i64(e, grain), "");
}

static void find_grid(sni_emitter *e, uint32_t root, grid *g) {
  const sni_schedule *schedule = sni_tree_schedule(e->tree);
  uint32_t item = root;
  int64_t constant;
  g->count = g->n_moving = 0;
  while (sni_item_at(e, item)->kind == SNI_ITEM_LOOP && schedule[item].grid) {
    const int i = g->count++;
    g->loops[i] = item;
    g->pieces[i] = loop_pieces(e, item);
    g->piece[i] = NULL;
    if (!sni_ir_is_constant(g->pieces[i], &constant) || constant > 1) g->moving[g->n_moving++] = i;
    const uint32_t end = sni_item_at(e, item)->end;
    for (item++; item < end && sni_item_at(e, item)->kind == SNI_ITEM_BLOCK;) item++;
    if (item >= end) break;
  }
}

// Units of the root.
static LLVMValueRef grid_units(sni_emitter *e, const grid *g) {
  LLVMValueRef units = sni_ir_i64(e, 1);
  for (int i = 0; i < g->count; i++) units = sni_ir_mul(e, units, g->pieces[i]);
  return units;
}

// The iterations that a piece of a grid loop covers.
static sni_span piece_span(sni_emitter *e, uint32_t loop, LLVMValueRef piece) {
  const sni_extent extent = sni_item_at(e, loop)->as.loop.extent;
  const int64_t grain = sni_tree_schedule(e->tree)[loop].grain;
  LLVMValueRef size = sni_emit_extent(e, extent);
  if (!piece) return (sni_span){sni_ir_i64(e, 0), size};
  sni_span span = {sni_ir_mul(e, piece, sni_ir_i64(e, grain)), NULL};
  if (grain == 1) return span;  // just the one
  span.last = LLVMBuildAdd(e->builder, span.first, sni_ir_i64(e, grain), "");
  if (extent.param >= 0 || extent.value % grain != 0) span.last = sni_ir_min(e, span.last, size);
  return span;
}

static void emit_unit(sni_emitter *e, uint32_t root, const grid *g) {
  for (int i = 0; i < g->count; i++)
    e->spans[g->loops[i]] = piece_span(e, g->loops[i], g->piece[i]);
  sni_emit_items(e, root, sni_item_at(e, root)->end, NULL);
}

static void start_odometer(sni_emitter *e, const grid *g, LLVMValueRef begin, LLVMValueRef *now) {
  LLVMValueRef rest = begin;
  for (int i = g->n_moving - 1; i > 0; i--) {
    now[i] = LLVMBuildURem(e->builder, rest, g->pieces[g->moving[i]], "");
    rest = LLVMBuildUDiv(e->builder, rest, g->pieces[g->moving[i]], "");
  }
  now[0] = rest;
}

static void advance_odometer(sni_emitter *e, const grid *g, LLVMValueRef *next) {
  LLVMValueRef carry = sni_ir_i64(e, 1);
  for (int i = g->n_moving - 1; i >= 0; i--) {
    LLVMValueRef sum = LLVMBuildAdd(e->builder, g->piece[g->moving[i]], carry, "");
    next[i] = sum;
    if (i == 0) break;
    LLVMValueRef wraps = LLVMBuildICmp(e->builder, LLVMIntEQ, sum, g->pieces[g->moving[i]], "");
    next[i] = sni_ir_select(e, wraps, sni_ir_i64(e, 0), sum);
    carry = LLVMBuildZExt(e->builder, wraps, e->type_i64, "");
  }
}

static void emit_units(sni_emitter *e, uint32_t root, grid *g, sni_span units) {
  LLVMValueRef now[SNI_TREE_DEPTH], next[SNI_TREE_DEPTH];
  sni_loop loop;
  start_odometer(e, g, units.first, now);
  const int carried = g->n_moving > 1 ? g->n_moving : 0;  // a single loop's piece is the unit
  for (int i = 0; i < carried; i++) loop.initial[i] = now[i];
  sni_loop_begin(e, &loop, units.first, units.last, sni_ir_i64(e, 1), carried);
  for (int i = 0; i < g->n_moving; i++)
    g->piece[g->moving[i]] = carried ? loop.carried[i] : loop.index;
  emit_unit(e, root, g);
  if (carried) advance_odometer(e, g, next);
  sni_loop_end(e, &loop, next);
}

// ---- rectangles of units: the larger what a called product sees at once, the less it copies

// The last two loops of the grid are rows and columns of a called product.
static bool has_rectangles(const sni_emitter *e, const grid *g) {
  if (g->count < 2 || !g->n_moving) return false;
  for (int i = g->count - 2; i >= 0; i--) {
    sni_contraction_nest nest;
    if (!sni_is_called(e, g->loops[i])) continue;
    return sni_contraction_nest_find(e->tree, g->loops[i], &nest) &&
           nest.m == g->loops[g->count - 2];
  }
  return false;
}

// Piece by piece, what unit `unit` is.
static void set_pieces(sni_emitter *e, grid *g, LLVMValueRef unit) {
  for (int i = g->n_moving - 1; i >= 0; i--) {
    LLVMValueRef pieces = g->pieces[g->moving[i]];
    g->piece[g->moving[i]] = i ? LLVMBuildURem(e->builder, unit, pieces, "") : unit;
    if (i) unit = LLVMBuildUDiv(e->builder, unit, pieces, "");
  }
}

// The span of `count` pieces of a grid loop.
static void set_span(sni_emitter *e, const grid *g, int number, LLVMValueRef count) {
  const uint32_t loop = g->loops[number];
  LLVMValueRef grain = sni_ir_i64(e, sni_tree_schedule(e->tree)[loop].grain),
               first = g->piece[number];
  if (!first) return;
  LLVMValueRef last = sni_ir_mul(e, LLVMBuildAdd(e->builder, first, count, ""), grain);
  e->spans[loop].first = sni_ir_mul(e, first, grain);
  e->spans[loop].last =
      sni_ir_min(e, last, sni_emit_extent(e, sni_item_at(e, loop)->as.loop.extent));
}

// From `unit` on: all columns of as many rows as there are, or some columns of one piece of rows. Gives
// the number of units.
static LLVMValueRef set_rectangle(sni_emitter *e, grid *g, LLVMValueRef unit, LLVMValueRef last) {
  const int m = g->count - 2, n = g->count - 1;
  LLVMValueRef zero = sni_ir_i64(e, 0), one = sni_ir_i64(e, 1);
  LLVMValueRef left = LLVMBuildSub(e->builder, last, unit, "");
  set_pieces(e, g, unit);
  LLVMValueRef row = g->piece[m] ? g->piece[m] : zero, column = g->piece[n] ? g->piece[n] : zero;
  LLVMValueRef rows = sni_ir_min(e, LLVMBuildUDiv(e->builder, left, g->pieces[n], ""),
                                 LLVMBuildSub(e->builder, g->pieces[m], row, ""));
  LLVMValueRef starts = LLVMBuildICmp(e->builder, LLVMIntEQ, column, zero, "");
  LLVMValueRef some = LLVMBuildICmp(e->builder, LLVMIntSGT, rows, zero, "");
  LLVMValueRef whole = LLVMBuildAnd(e->builder, starts, some, "");
  LLVMValueRef rest = sni_ir_min(e, left, LLVMBuildSub(e->builder, g->pieces[n], column, ""));
  rows = sni_ir_select(e, whole, rows, one);
  LLVMValueRef columns = sni_ir_select(e, whole, g->pieces[n], rest);
  for (int i = 0; i < g->count; i++)
    e->spans[g->loops[i]] = piece_span(e, g->loops[i], g->piece[i]);
  set_span(e, g, m, rows);
  set_span(e, g, n, columns);
  return LLVMBuildMul(e->builder, rows, columns, "");
}

static void emit_rectangles(sni_emitter *e, uint32_t root, grid *g, sni_span units) {
  LLVMValueRef slot = sni_frame_take(e, sizeof(int64_t));
  LLVMBasicBlockRef head = sni_ir_block(e, "units"), body = sni_ir_block(e, "unit"),
                    after = sni_ir_block(e, "after");
  LLVMBuildStore(e->builder, units.first, slot);
  LLVMBuildBr(e->builder, head);
  LLVMPositionBuilderAtEnd(e->builder, head);
  LLVMValueRef unit = LLVMBuildLoad2(e->builder, e->type_i64, slot, "");
  LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLT, unit, units.last, "");
  LLVMBuildCondBr(e->builder, more, body, after);
  LLVMPositionBuilderAtEnd(e->builder, body);
  LLVMValueRef count = set_rectangle(e, g, unit, units.last);
  sni_emit_items(e, root, sni_item_at(e, root)->end, NULL);
  LLVMBuildStore(e->builder, LLVMBuildAdd(e->builder, unit, count, ""), slot);
  LLVMBuildBr(e->builder, head);
  LLVMPositionBuilderAtEnd(e->builder, after);
  sni_frame_release(e, slot);
}

static bool has_lane_buffers(const sni_emitter *e, uint32_t root) {
  for (uint32_t b = 0; b < e->tree->n_buffers; b++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[b];
    if (buffer->space != SNI_SPACE_GLOBAL && buffer->scope >= root &&
        buffer->scope < sni_item_at(e, root)->end)
      return true;
  }
  return false;
}

// One loop in pieces, which runs in vectors: neighbouring units are one range.
static bool is_one_range(const sni_emitter *e, uint32_t root, const grid *g) {
  if (g->n_moving != 1 || has_lane_buffers(e, root)) return false;
  for (int i = 0; i < g->count; i++) {
    if (sni_is_product(e, g->loops[i])) return false;
    if (i != g->moving[0] && !sni_extent_is(sni_item_at(e, g->loops[i])->as.loop.extent, 1))
      return false;
  }
  return sni_tree_schedule(e->tree)[g->loops[g->moving[0]]].lanes;
}

static void emit_range(sni_emitter *e, uint32_t root, const grid *g, sni_span units) {
  const uint32_t loop = g->loops[g->moving[0]];
  LLVMValueRef grain = sni_ir_i64(e, sni_tree_schedule(e->tree)[loop].grain);
  for (int i = 0; i < g->count; i++) e->spans[g->loops[i]] = piece_span(e, g->loops[i], NULL);
  sni_span span = {sni_ir_mul(e, units.first, grain), sni_ir_mul(e, units.last, grain)};
  span.last = sni_ir_min(e, span.last, e->spans[loop].last);
  e->spans[loop] = span;
  sni_emit_items(e, root, sni_item_at(e, root)->end, NULL);
}

// ---- indices into nothing: there is no element to clamp to, so nothing may be loaded or stored
void sni_give_up_if(sni_emitter *e, LLVMValueRef fails) {
  LLVMBasicBlockRef fault = sni_ir_block(e, "empty"), go_on = sni_ir_block(e, "go_on");
  LLVMBuildCondBr(e->builder, fails, fault, go_on);
  LLVMPositionBuilderAtEnd(e->builder, fault);
  LLVMBuildStore(e->builder, sni_ir_i64(e, 1), e->scratch);
  if (!e->exit) e->exit = sni_ir_block(e, "exit");
  LLVMBuildBr(e->builder, e->exit);
  LLVMPositionBuilderAtEnd(e->builder, go_on);
}

bool sni_checks_in_place(const sni_emitter *e, uint32_t number) {
  uint32_t at = e->inst_facts[number].item;
  while (at != SNI_NO_ITEM && sni_item_at(e, at)->kind != SNI_ITEM_IF)
    at = sni_item_at(e, at)->parent;
  return at != SNI_NO_ITEM || e->item_facts[e->inst_facts[number].item].root == SNI_NO_ITEM;
}

// Before the units: a check runs if the loops around it do. What stands in a branch gives up there.
static void check_nothing(sni_emitter *e, uint32_t number) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  if (sni_checks_in_place(e, number)) return;
  if (inst->imm.size.param < 0 && inst->imm.size.value > 0) return;
  LLVMValueRef zero = sni_ir_i64(e, 0), size = sni_emit_extent(e, inst->imm.size);
  LLVMValueRef fails = LLVMBuildICmp(e->builder, LLVMIntSLE, size, zero, "");
  for (uint32_t at = e->inst_facts[number].item; at != SNI_NO_ITEM;
       at = sni_item_at(e, at)->parent) {
    const sni_item *item = sni_item_at(e, at);
    if (item->kind != SNI_ITEM_LOOP) continue;
    const sni_extent extent = item->as.loop.extent, whole = item->as.loop.whole;
    LLVMValueRef runs = LLVMBuildICmp(e->builder, LLVMIntSGT, sni_emit_extent(e, extent), zero, "");
    fails = LLVMBuildAnd(e->builder, fails, runs, "");
    if (item->as.loop.strip == SNI_NO_ITEM) continue;
    runs = LLVMBuildICmp(e->builder, LLVMIntSGT, sni_emit_extent(e, whole), zero, "");
    fails = LLVMBuildAnd(e->builder, fails, runs, "");
  }
  sni_give_up_if(e, fails);
}

static void check_empty(sni_emitter *e, uint32_t root) {
  for (uint32_t i = sni_first_inst(e, root); e->tree->faults && i < sni_end_inst(e, root); i++)
    if (sni_inst_at(e, i)->op == SNI_KOP_CHECK_INDEX) check_nothing(e, i);
}

// ---- roots
static void emit_root(sni_emitter *e, uint32_t root, sni_span units, grid *g) {
  load_buffers(e, root);
  check_empty(e, root);
  if (has_rectangles(e, g))
    emit_rectangles(e, root, g, units);
  else if (is_one_range(e, root, g))
    emit_range(e, root, g, units);
  else if (g->n_moving)
    emit_units(e, root, g, units);
  else
    emit_unit(e, root, g);
}

// A root among several: [base, base + units) of all units, as far as they are asked for.
static void emit_root_part(sni_emitter *e, uint32_t root, LLVMValueRef *base) {
  grid g;
  find_grid(e, root, &g);
  LLVMValueRef next = sni_ir_add(e, *base, grid_units(e, &g)), first, last;
  LLVMValueRef later = LLVMBuildICmp(e->builder, LLVMIntSGT, e->begin, *base, "");
  first = sni_ir_select(e, later, e->begin, *base);
  last = sni_ir_min(e, e->end, next);
  LLVMBasicBlockRef some = sni_ir_block(e, "root"), after = sni_ir_block(e, "after");
  LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, first, last, ""), some, after);
  LLVMPositionBuilderAtEnd(e->builder, some);
  const sni_span units = {LLVMBuildSub(e->builder, first, *base, ""),
                          LLVMBuildSub(e->builder, last, *base, "")};
  emit_root(e, root, units, &g);
  forget_buffers(e);
  LLVMBuildBr(e->builder, after);
  LLVMPositionBuilderAtEnd(e->builder, after);
  *base = next;
}

static void emit_roots(sni_emitter *e) {
  const sni_tree *tree = e->tree;
  uint32_t roots = 0;
  LLVMValueRef base = sni_ir_i64(e, 0);
  for (uint32_t i = 0; i < tree->n_items; i = sni_item_at(e, i)->end)
    roots += sni_item_at(e, i)->kind == SNI_ITEM_LOOP;
  for (uint32_t i = 0; i < tree->n_items; i = sni_item_at(e, i)->end) {
    if (sni_item_at(e, i)->kind == SNI_ITEM_BLOCK) {
      load_buffers(e, i);
      sni_emit_block(e, i, NULL);
      if (roots > 1) forget_buffers(e);
    } else if (sni_item_at(e, i)->kind == SNI_ITEM_LOOP && roots > 1) {
      emit_root_part(e, i, &base);
    } else if (sni_item_at(e, i)->kind == SNI_ITEM_LOOP) {
      grid g;
      find_grid(e, i, &g);
      emit_root(e, i, (sni_span){e->begin, e->end}, &g);
    }
  }
}

static void end_kernel(sni_emitter *e) {
  if (e->exit) {
    LLVMBuildBr(e->builder, e->exit);
    LLVMMoveBasicBlockAfter(e->exit, LLVMGetInsertBlock(e->builder));
    LLVMPositionBuilderAtEnd(e->builder, e->exit);
  }
  if (e->non_temporal) sni_ir_intrinsic(e, "llvm.x86.sse.sfence", NULL, 0, NULL, 0);
}

// ---- memory
static bool allocate(sni_emitter *e) {
  const sni_tree *t = e->tree;
  const size_t insts = t->n_insts + 1u, items = t->n_items + 1u;
  e->buffers = calloc(t->n_buffers + 1u, sizeof(*e->buffers));
  e->held = calloc(t->n_buffers + 1u, sizeof(*e->held));
  e->params = calloc(t->n_params + 1u, sizeof(*e->params));
  e->offsets = calloc(t->n_accesses + 1u, sizeof(*e->offsets));
  e->displacements = calloc(t->n_accesses + 1u, sizeof(*e->displacements));
  e->aligned = calloc(t->n_accesses + 1u, sizeof(*e->aligned));
  e->access_depth = calloc(t->n_accesses + 1u, sizeof(*e->access_depth));
  e->row_blocks = calloc(t->n_accesses + 1u, sizeof(*e->row_blocks));
  e->row_block = calloc(t->n_accesses + 1u, sizeof(*e->row_block));
  e->forms = calloc(t->n_ranges + 1u, sizeof(*e->forms));
  e->values = calloc(insts, sizeof(*e->values));
  e->vectors = calloc(insts * sni_max_group, sizeof(*e->vectors));
  e->is_vector = calloc(insts, sizeof(*e->is_vector));
  e->early = calloc(insts, sizeof(*e->early));
  e->needs_splat = calloc(insts, sizeof(*e->needs_splat));
  e->inst_facts = calloc(insts, sizeof(*e->inst_facts));
  e->sums = calloc(insts, sizeof(*e->sums));
  e->item_facts = calloc(items, sizeof(*e->item_facts));
  e->first_inst = calloc(items, sizeof(*e->first_inst));
  e->item_lanes = calloc(items, sizeof(*e->item_lanes));
  e->straight = calloc(items, sizeof(*e->straight));
  e->product = calloc(items, sizeof(*e->product));
  e->spans = calloc(items, sizeof(*e->spans));
  e->written_out = calloc(items, sizeof(*e->written_out));
  if (!e->buffers || !e->held || !e->params || !e->offsets || !e->displacements || !e->aligned ||
      !e->access_depth || !e->forms || !e->values || !e->vectors || !e->is_vector || !e->early ||
      !e->needs_splat || !e->inst_facts || !e->sums || !e->item_facts || !e->first_inst ||
      !e->item_lanes || !e->straight || !e->product || !e->spans || !e->row_blocks ||
      !e->row_block || !e->written_out)
    return false;
  for (uint32_t i = 0; i < t->n_insts; i++)
    e->values[i].vector = &e->vectors[(size_t)i * sni_max_group];
  return true;
}

static void release(sni_emitter *e) {
  for (uint32_t b = 0; e->held && b < e->tree->n_buffers; b++) free((void *)e->held[b]);
  void *const all[] = {
      e->buffers,    e->held,         e->params,     e->offsets,   e->displacements,
      e->aligned,    e->forms,        e->values,     e->vectors,   e->is_vector,
      e->early,      e->needs_splat,  e->inst_facts, e->sums,      e->item_facts,
      e->first_inst, e->item_lanes,   e->straight,   e->product,   e->spans,
      e->undo,       e->access_depth, e->row_blocks, e->row_block, e->written_out};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) free(all[i]);
}

static bool begin_kernel(sni_emitter *e, const sni_tree *tree) {
  e->tree = tree;
  e->name = sni_tree_name(tree);
  e->non_temporal = false;
  e->lanes_depth = -1;
  e->lanes = 0;
  e->n_sums = e->n_undo = e->undo_capacity = 0;
  e->undo = NULL;
  e->exit = NULL;
  return (allocate(e) && sni_plan_kernel(e)) || sni_fail_emission(e, "out of memory");
}

bool sni_emit_kernel(sni_emitter *e, const sni_tree *tree, const char *symbol) {
  e->is_inside = false;
  e->known = e->stored = NULL;
  if (begin_kernel(e, tree)) {
    sni_begin_function(e, symbol);
    e->begin = LLVMGetParam(e->function, 3);
    e->end = LLVMGetParam(e->function, 4);
    e->scratch = LLVMGetParam(e->function, 5);
    start_offsets(e);
    emit_roots(e);
    end_kernel(e);
    sni_end_function(e);
  }
  release(e);
  return !e->error[0];
}

bool sni_emit_kernel_inside(sni_emitter *e, const sni_tree *tree, const sni_arguments *arguments) {
  e->is_inside = true;
  e->known = arguments->known;
  e->stored = arguments->stored;
  e->first_block = LLVMGetInsertBlock(e->builder);
  if (begin_kernel(e, tree)) {
    e->begin = sni_ir_i64(e, 0);
    e->end = arguments->units;
    e->scratch = arguments->scratch;
    memcpy(e->buffers, arguments->buffers, arguments->n_buffers * sizeof(*e->buffers));
    memcpy(e->params, arguments->params, tree->n_params * sizeof(*e->params));
    start_offsets(e);
    emit_roots(e);
    end_kernel(e);
  }
  release(e);
  return !e->error[0];
}
