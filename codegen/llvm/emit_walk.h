// The walk over a kernel (codegen/kernel/tree.h): what its files share on top of emit.h.
//
//   emit_kernel.c      signature, roots, units
//   plan_kernel.c      what is known beforehand: vectors, lanes, buffers in registers, products
//   emit_flow.c        kernels of the bodies of a branch or loop, and what is around them, as one function
//   emit_carries.c     what such a loop carries round
//   emit_loop.c        items, loops one iteration at a time, IF, values carried round
//   emit_beside.c      turns of a short loop, side by side
//   emit_lanes.c       loops in vectors: turns, tails, interleaving
//   emit_interior.c    where the ranges of such a loop are known to hold
//   emit_product.h     shared by the files of products
//   emit_sum.c         accumulators of REDUCE
//   emit_pieces.c      pieces of chunked reductions
//   emit_value.c       one instruction on a group of vectors
//   emit_access.c      addresses, ranges, ROW buffers, loads
//   emit_store.c       stores, index checks
//   emit_rows.c        short rows below lanes, transposed
//   emit_product.c     CONTRACT with the loops m and n: panels, rows, epilogue
//   emit_product_called.c  those whose sums runtime/gemm makes
//   emit_product_k.c   CONTRACT: the loop over k
//
// Where the walk stands is in the emitter: indices of the loops that are open, offsets of the
// accesses at these indices, open sums. A value outside a loop dominates it: nothing is moved.
#ifndef SNI_CODEGEN_LLVM_EMIT_WALK_H
#define SNI_CODEGEN_LLVM_EMIT_WALK_H

#include "codegen/flow.h"
#include "codegen/kernel/contraction.h"
#include "codegen/llvm/emit.h"

// Iterations [first, last) of a loop.
typedef struct sni_span {
  LLVMValueRef first, last;
} sni_span;

// The accumulators of a REDUCE while its loops run. Element i of its innermost loop goes to place
// i % places; a place has `width` accumulators: one a vector of the group, or of the 64 lanes.
struct sni_sum {
  uint32_t number;     // the instruction
  uint32_t innermost;  // the loop that holds it
  int places, width;
  int first_vector;     // of the group, that is accumulator 0 of a place
  bool one_each;        // exactly one element goes to each place
  bool by_strips;       // its loop runs by strips: each accumulator is written before it is read
  LLVMTypeRef type;     // of one accumulator
  LLVMValueRef memory;  // [place][width] of the type in memory; NULL: values[number].vector
  LLVMValueRef strip_memory;  // within a strip: what `memory` is outside
};

// Rows of equal length, one below each lane of the loop `rows`, which several accesses may read or one
// stores.
typedef struct sni_row_block {
  uint32_t access;  // the first of them
  uint32_t rows;    // item
  int columns;
  bool stored;
  bool own;           // a buffer of the row's own: neither read nor stored
  bool written_out;   // all loops over the columns are
  bool in_registers;  // of the turn at hand: vectors, else memory; [vector of the group][column]
  LLVMValueRef vectors[sni_max_group];
  LLVMValueRef memory;
} sni_row_block;

struct sni_undo {
  LLVMValueRef *slot, old;
};

struct sni_area {
  LLVMValueRef memory;
  int64_t bytes;
  bool taken;
};

// Values that travel round a loop or through a branch: each lies in a slot of the emitter.
typedef struct sni_carried_value {
  LLVMValueRef *slot, initial, phi;
  uint32_t yield;  // YIELD that gives the next value; SNI_NO_VALUE: what lies in the slot
  int vector;      // -1: the scalar
} sni_carried_value;
typedef struct sni_carried {
  sni_carried_value *values;
  uint32_t count, capacity;
} sni_carried;

static inline sni_item *sni_item_at(const sni_emitter *e, uint32_t item) {
  return &sni_tree_items(e->tree)[item];
}
static inline const sni_tree_inst *sni_inst_at(const sni_emitter *e, uint32_t number) {
  return &sni_tree_insts(e->tree)[number];
}
// Instructions [sni_first_inst(item), sni_end_inst(item)) stand in an item.
static inline uint32_t sni_first_inst(const sni_emitter *e, uint32_t item) {
  return e->first_inst[item];
}
static inline uint32_t sni_end_inst(const sni_emitter *e, uint32_t item) {
  return e->first_inst[sni_item_at(e, item)->end];
}
static inline bool sni_item_holds(const sni_emitter *e, uint32_t item, uint32_t number) {
  return number >= sni_first_inst(e, item) && number < sni_end_inst(e, item);
}

// Strides (of an access or one of its ranges) along the loop at `depth`; -1: none.
static inline sni_extent sni_stride_along(const sni_emitter *e, uint32_t access,
                                          const sni_extent *strides, int depth) {
  const bool there = depth >= 0 && depth < e->access_depth[access];
  return there ? strides[depth] : sni_extent_constant(0);
}

// ---- plan_kernel.c
// false: out of memory
bool sni_plan_kernel(sni_emitter *e);
uint32_t sni_loop_of(const sni_emitter *e, uint32_t item);  // the innermost LOOP it is or stands in
int sni_count_operations(const sni_emitter *e, uint32_t item);
int sni_count_live(const sni_emitter *e, uint32_t item);
int sni_choose_interleave(const sni_emitter *e, uint32_t item);

// ---- emit_kernel.c
bool sni_emit_kernel(sni_emitter *e, const sni_tree *tree, const char *symbol);
// All units of a kernel where the builder is, inside of a function that has begun.
typedef struct sni_arguments {
  LLVMValueRef *buffers, *params;
  uint32_t n_buffers;
  LLVMValueRef units, scratch;  // at least one unit
  // Per buffer, or NULL: what its only element is (NULL: not known); and after the kernel, what it has stored there, where that
  // is the case whatever its loops do.
  LLVMValueRef *known, *stored;
} sni_arguments;
bool sni_emit_kernel_inside(sni_emitter *e, const sni_tree *tree, const sni_arguments *arguments);
// A function of the kernels' signature; the builder is in its entry block, where areas of the frame go.
void sni_begin_function(sni_emitter *e, const char *symbol);
void sni_end_function(sni_emitter *e);
// ---- emit_flow.c
bool sni_emit_flow(sni_emitter *e, const sni_flow *flow, const char *symbol);
// Memory of the function's frame, free again after sni_frame_release.
LLVMValueRef sni_frame_take(sni_emitter *e, int64_t bytes);
void sni_frame_release(sni_emitter *e, LLVMValueRef memory);
// Sets the fault and leaves the function.
void sni_give_up_if(sni_emitter *e, LLVMValueRef fails);
// A CHECK_INDEX that finds out about an empty range itself: others were asked before the units.
bool sni_checks_in_place(const sni_emitter *e, uint32_t number);

// ---- emit_loop.c
void sni_emit_items(sni_emitter *e, uint32_t first, uint32_t end, const sni_group *group);
sni_span sni_loop_span(sni_emitter *e, uint32_t item);
// All iterations of span, one at a time.
void sni_emit_turns(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group);
// Offsets of the accesses inside item at `index` of it. sni_leave takes back what was entered since
// the mark. lanes: it is the first index of a group.
uint32_t sni_mark(const sni_emitter *e);
void sni_enter(sni_emitter *e, uint32_t item, LLVMValueRef index, bool lanes);
// The same of a CONTRACT at `index` of k.
void sni_enter_contract(sni_emitter *e, uint32_t item, LLVMValueRef index);
void sni_leave(sni_emitter *e, uint32_t mark);
void sni_carry_sums(sni_emitter *e, sni_carried *c, uint32_t item);
void sni_carry_begin(sni_emitter *e, sni_carried *c, const sni_loop *loop);
void sni_carry_end(sni_emitter *e, sni_carried *c, sni_loop *loop);  // ends the loop, too

// ---- emit_beside.c
// How many turns of a loop that is written out are emitted side by side.
int sni_turns_beside(const sni_emitter *e, uint32_t item, const sni_group *group);
// Turns [start, start + turns) of it.
void sni_emit_beside(sni_emitter *e, uint32_t item, int64_t start, int turns,
                     const sni_group *group);

// ---- emit_lanes.c
void sni_emit_lanes(sni_emitter *e, uint32_t item, sni_span span);
void sni_begin_vectors(sni_emitter *e, uint32_t item, int lanes, int depth);
void sni_end_vectors(sni_emitter *e);
// Whether a loop that reduces in lanes takes fewer than 64 of them a turn, its accumulators in memory.
bool sni_rolls(const sni_emitter *e, uint32_t item);
// 0, or vectors of a strip: the loop takes all whole turns of a few of the 64 lanes, then of the next
// ones, so that accumulators which do not fit the registers together do so one strip after the other.
int sni_strip_vectors(const sni_emitter *e, uint32_t item);

// ---- emit_interior.c
// Whether there may be iterations of a loop in vectors in which all ranges hold, and others.
bool sni_has_interior(const sni_emitter *e, uint32_t item, int64_t step);
// Those of span, from a turn of `step` (a power of two) iterations on.
sni_span sni_find_interior(sni_emitter *e, uint32_t item, sni_span span, int64_t step);

// ---- emit_sum.c
// Runs the loop's iterations in any cut: `run` does those of a span.
typedef void (*sni_run_span)(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group);
void sni_emit_summed(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group,
                     sni_run_span run);
void sni_take_sum(sni_emitter *e, uint32_t number, const sni_group *group);
// Between these the accumulators [first, first + vectors) of the sums that a lanes loop feeds, which
// lie in memory, are values.
void sni_begin_strip(sni_emitter *e, uint32_t item, LLVMValueRef first, int vectors);
void sni_end_strip(sni_emitter *e, uint32_t item, LLVMValueRef first);
// 64-lane order without lanes: whether sums of a loop lie in registers, which takes its turns written
// out; and the most places of a REDUCE in an item.
bool sni_sums_by_place(const sni_emitter *e, uint32_t item);
int sni_most_places(const sni_emitter *e, uint32_t item);
enum { sni_most_by_place = 32 };  // accumulators of one REDUCE in registers

// ---- emit_value.c
void sni_emit_block(sni_emitter *e, uint32_t item, const sni_group *group);
void sni_emit_value(sni_emitter *e, uint32_t number, const sni_group *group);

// ---- emit_access.c
bool sni_extent_varies(sni_extent stride);
void sni_emit_load(sni_emitter *e, uint32_t number, const sni_group *group);
void sni_emit_store(sni_emitter *e, uint32_t number, const sni_group *group);
void sni_emit_update(sni_emitter *e, uint32_t number, const sni_group *group);
void sni_emit_check_index(sni_emitter *e, uint32_t number, const sni_group *group);
// The elements of an access as vectors of the group, [first, first + count), splats where they do
// not vary along the lanes; without a group one scalar, out[0].
void sni_emit_elements(sni_emitter *e, uint32_t access, const sni_group *group, LLVMValueRef *out);
LLVMValueRef sni_buffer_address(sni_emitter *e, uint32_t buffer);
// Before the turns of a lanes loop: whether its streamed stores are aligned.
void sni_test_streams(sni_emitter *e, uint32_t item, LLVMValueRef first);
LLVMValueRef sni_to_memory(sni_emitter *e, LLVMValueRef value);
LLVMValueRef sni_from_memory(sni_emitter *e, sn_dtype dtype, LLVMValueRef value);

// ---- emit_rows.c
void sni_plan_rows(sni_emitter *e);
// Around the body of a turn of a lanes loop.
void sni_begin_rows(sni_emitter *e, uint32_t item, const sni_group *group);
void sni_end_rows(sni_emitter *e, uint32_t item, const sni_group *group);
void sni_load_column(sni_emitter *e, uint32_t number, const sni_group *group);
void sni_store_column(sni_emitter *e, uint32_t number, const sni_group *group);
// Whether a turn's work is in the columns of rows: those are chains enough.
bool sni_rows_fill_turn(const sni_emitter *e, uint32_t item);

// ---- emit_product.c
// An m loop of a product, or an n loop of a product of one row.
bool sni_is_product(const sni_emitter *e, uint32_t item);
bool sni_is_called(const sni_emitter *e, uint32_t item);  // one that runtime/gemm sums
void sni_emit_product(sni_emitter *e, uint32_t item);
// A CONTRACT elsewhere: one loop over k.
void sni_emit_contract(sni_emitter *e, uint32_t item, const sni_group *group);

#endif
