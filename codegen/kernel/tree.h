// Kernel IR (K) as a program of loops: one relocatable block of memory. Copying is memcpy, equality
// memcmp; caches, the plugin boundary and files use the same bytes.
//
//   items    a tree in pre-order: item i's body is the items (i, end). Top level: roots, each a
//            LOOP with the BLOCK before it, if there is one (without effects: each call may run it
//            again), and BARRIERs between phases. Effects are stores, checks and reductions.
//              LOOP      runs its body for index 0 .. extent - 1
//              BLOCK     instructions [first, first + count)
//              CONTRACT  one instruction (CONTRACTION): a sum of products over its own indices k
//              IF        runs its body where a bool value is true
//              BARRIER   top level only: what comes after sees all that came before
//   depth    of a loop: the number of loops around it. Strides belong to loops by depth: an access
//            in a body of depth d has strides [0, d) for the loops around it, outermost first.
//   values   instruction number i defines value i; numbers ascend with the items. A value is
//            visible behind its definition, inside the body that directly holds its block, and
//            deeper. REDUCE and YIELD are visible behind the loop that they name, in the body that
//            holds this loop.
//   loops    PARALLEL    iterations are independent
//            REDUCE      independent but for the REDUCEs inside
//            SEQUENTIAL  one after the other; the only kind that may hold CARRY, YIELD, UPDATE
//                        (CARRY and its one YIELD directly in the body, not deeper)
//   strips   A loop with `strip` is the inner half of an axis cut into pieces: `strip` is the item
//            of a loop around it that counts the pieces, extent the length of a piece, `whole` the
//            axis. It runs min(extent, whole - extent * index of the strip) times. `strip` has no
//            lanes.
//   sums     A REDUCE names a loop: this one and those between it and the REDUCE are the reduced
//            loops, all of kind REDUCE and of one order.
//            Order SEQUENTIAL: elements one after the other, from the identity.
//            Order LANES: element i of the innermost of the reduced loops goes to lane i % 64; each
//            lane accumulates from the identity over the reduced loops in their order; then
//            lane[l] = combine(lane[l], lane[l + w]) for w = 32, 16, ..., 1.
//            chunk > 0 (either order; the REDUCE is over that one loop): the loop is cut into
//            pieces of that many elements; each piece is reduced as said, and the piece results,
//            taken as a row of their own, are reduced by the same rule with the same chunk, until
//            one is left. (Lowering uses 1024 for LANES, 64 for SEQUENTIAL. At least 2; of LANES a
//            multiple of 64.)
//            The identity of a float sum is -0.0, and the final result has +0.0 added.
//   NaN      Any NaN is as good as any other: sign and payload of one that an operation gives are
//            open. What moves values (LOAD, STORE, COPY, SELECT, BITCAST, CARRY, YIELD) keeps its
//            bits.
//   spaces   GLOBAL  an argument of the kernel
//            ROW     scratch owned by one iteration of the loop `scope` (on a GPU: shared memory)
//            LOCAL   the same, small enough for registers when its indices are constants
//            ROW and LOCAL hold nothing at the start of an iteration of their scope.
//   ranges   An access with ranges reaches memory only where 0 <= form < extent for all of them;
//            elsewhere a LOAD gives the value `otherwise`, a STORE does nothing and an operand of a
//            CONTRACT is 0.
//   faults   CHECK_INDEX sets sni_scratch_header.fault and clamps. Where there is nothing to clamp
//            to, the kernel gives up: it sets the fault and need not store anything.
//
// Behind this semantic part of the block lies a schedule, one entry per item, for one target: how
// the loops are run. It never changes what is computed, bits included.
//   units    The grid of a root: the chain of LOOPs from the root on that are marked `grid`. Loop g
//            is cut into ceil(extent / grain) pieces; a unit is one piece of each. Units of a root
//            are numbered row-major, the innermost grid loop fastest; roots follow one another.
//            A kernel function runs units [begin, end), which lie in one phase. Grid loops are
//            PARALLEL and no strips; their bodies hold BLOCKs without effects and then one LOOP,
//            until the chain ends.
//   lanes    The loop runs in vectors: PARALLEL, or REDUCE of order LANES; at most one loop on each
//            way from root to leaf, and of several reduced loops the innermost alone. A REDUCE loop
//            of order LANES that has no lanes keeps 64 accumulators (element i: number i % 64), in
//            memory or, with a short constant extent, in registers: in scalar code, and inside a
//            lanes loop (short rows, vectorised over the rows), where each is a vector.
#ifndef SNI_CODEGEN_TREE_H
#define SNI_CODEGEN_TREE_H

#include "codegen/kernel/kops.h"
#include "runtime/arena.h"
#include "runtime/kernel_call.h"

#include <string.h>

#define SNI_TREE_VERSION 5      // of the block's layout and meaning; part of every key
#define SNI_TREE_DEPTH 12       // most loops around an instruction, axes of k included
#define SNI_CONTRACT_AXES 4     // most axes of k
#define SNI_CONTRACT_RANGES 16  // most ranges of an access of a contraction
#define SNI_REDUCE_LANES 64
#define SNI_NO_VALUE UINT32_MAX
#define SNI_NO_ITEM UINT32_MAX

// No struct below has padding: blocks are compared byte by byte. Unused fields are 0 in all bytes
// (strides along loops that are not there too), unused references SNI_NO_VALUE or SNI_NO_ITEM.
// Accesses and ranges stand in the order of the instructions that use them, each used once; no BLOCK
// is empty or follows another directly. sni_tree_finish sees to all this.

// A number known when the kernel is built (param < 0) or given at run time: params[param] (value 0
// then).
typedef struct sni_extent {
  int64_t value;
  int64_t param;
} sni_extent;
static inline sni_extent sni_extent_constant(int64_t value) {
  return (sni_extent){value, -1};
}
static inline sni_extent sni_extent_param(int64_t param) {
  return (sni_extent){0, param};
}
static inline bool sni_extent_is(sni_extent x, int64_t value) {
  return x.param < 0 && x.value == value;
}
static inline bool sni_extent_equal(sni_extent a, sni_extent b) {
  return a.value == b.value && a.param == b.param;
}
static inline int64_t sni_extent_value(sni_extent x, const int64_t *params) {
  return x.param < 0 ? x.value : params[x.param];
}

typedef enum sni_item_kind {
  SNI_ITEM_LOOP,
  SNI_ITEM_BLOCK,
  SNI_ITEM_CONTRACT,
  SNI_ITEM_IF,
  SNI_ITEM_BARRIER,
  SNI_ITEM_KINDS
} sni_item_kind;

typedef enum sni_loop_kind {
  SNI_LOOP_PARALLEL,
  SNI_LOOP_REDUCE,
  SNI_LOOP_SEQUENTIAL,
  SNI_LOOP_KINDS
} sni_loop_kind;

typedef enum sni_order { SNI_ORDER_SEQUENTIAL, SNI_ORDER_LANES, SNI_ORDERS } sni_order;

typedef struct sni_loop_item {
  uint16_t kind;   // sni_loop_kind
  uint16_t order;  // sni_order; of REDUCE
  uint32_t chunk;  // of REDUCE; 0: none
  sni_extent extent;
  uint32_t strip;  // item; SNI_NO_ITEM
  uint32_t axis;   // identity of the axis that is walked: equal numbers, equal axes. For people and
                   // the verifier's messages; no backend needs it
  sni_extent whole;  // of a loop with a strip
} sni_loop_item;

typedef struct sni_block_item {
  uint32_t first, count;
} sni_block_item;

// y = sum over k of lhs * rhs: one fma per k, in order of k, from +0.0; where k's extent is 1, from
// -0.0: the product itself. Integers wrap. lhs, rhs are accesses to the dtype of the instruction or, each
// by itself, to a storage dtype that computes in it, whose elements are converted first (exactly; those of
// u32 and u64 are bits).
// k may have several axes: it counts them row-major, its extent is the product of theirs, and the
// stride along axis i is the one at the item's own depth + i. The item stands directly in the loop n,
// that directly in the loop m, both PARALLEL. lhs does not vary along n, rhs not along m, nor do their
// ranges; no index, no otherwise.
// With `from` the sum goes on from what is read there instead (0 outside its ranges, which may be
// along any loop around): so it may run piece by piece. Then there are no segments.
// Start from sni_contract_along.
typedef struct sni_contract_item {
  uint32_t inst;
  uint32_t lhs, rhs;  // accesses
  uint32_t segment;   // > 0: k is cut into pieces of that many; piece sums are added in order,
                      // starting with the first one's
  sni_extent k[SNI_CONTRACT_AXES];
  uint32_t n_k;
  uint32_t from;  // access, which does not vary along k; SNI_NO_VALUE
} sni_contract_item;

static inline sni_contract_item sni_contract_along(sni_extent k) {
  return (sni_contract_item){.k = {k}, .n_k = 1, .from = SNI_NO_VALUE};
}
// All of k; -1: not known when the kernel is built.
static inline int64_t sni_contract_known_k(const sni_contract_item *c) {
  int64_t all = 1;
  for (uint32_t i = 0; i < c->n_k; i++)
    if (c->k[i].param >= 0 || __builtin_mul_overflow(all, c->k[i].value, &all)) return -1;
  return all;
}
// The accesses of a CONTRACT in their order; gives their number.
static inline int sni_contract_accesses(const sni_contract_item *c, uint32_t out[3]) {
  out[0] = c->lhs;
  out[1] = c->rhs;
  out[2] = c->from;
  return c->from == SNI_NO_VALUE ? 2 : 3;
}

typedef struct sni_item {
  uint16_t kind;    // sni_item_kind
  uint16_t depth;   // loops around it
  uint32_t end;     // first item behind the body; i + 1 where there is none
  uint32_t parent;  // item; SNI_NO_ITEM at the top level
  uint32_t reserved;
  union {
    sni_loop_item loop;
    sni_block_item block;
    sni_contract_item contract;
    uint32_t condition;  // IF: bool value, the same for all lanes
    char bytes[88];
  } as;
} sni_item;

typedef struct sni_tree_inst {
  uint16_t op;     // sni_kop
  uint8_t dtype;   // of the value (of the stored value)
  uint8_t source;  // dtype of operand a where the operation says so; else 0
  uint32_t operands[3];
  uint32_t access;  // LOAD, STORE, UPDATE; else 0
  uint32_t loop;    // INDEX, REDUCE, CARRY, YIELD: item of a loop around; else 0. CARRY, YIELD: the
                    // innermost one
  union {
    double f;          // CONST of a float dtype
    int64_t i;         // CONST of an integer or bool dtype
    sni_extent size;   // PARAM, CHECK_INDEX
    int64_t combiner;  // REDUCE, UPDATE: sni_kop
    int64_t words[2];
  } imm;
} sni_tree_inst;

// offset + sum over the loops around of index * stride[depth] (+ the value `index`, i64).
// Start from sni_tree_access_to.
typedef struct sni_tree_access {
  uint32_t buffer;
  uint32_t index;      // value, in elements; SNI_NO_VALUE
  uint32_t otherwise;  // value of a LOAD outside the ranges; SNI_NO_VALUE
  uint16_t first_range, n_ranges;
  sni_extent offset;
  sni_extent stride[SNI_TREE_DEPTH];  // in elements; may be 0 or negative
} sni_tree_access;

// 0 <= offset + sum of index * stride[depth] < extent
typedef struct sni_tree_range {
  sni_extent extent, offset;
  sni_extent stride[SNI_TREE_DEPTH];
} sni_tree_range;

static inline sni_tree_access sni_tree_access_to(uint32_t buffer) {
  sni_tree_access access = {.buffer = buffer, .index = SNI_NO_VALUE, .otherwise = SNI_NO_VALUE};
  access.offset.param = -1;
  for (int i = 0; i < SNI_TREE_DEPTH; i++) access.stride[i].param = -1;
  return access;
}
static inline sni_tree_range sni_tree_range_below(sni_extent extent) {
  sni_tree_range range = {.extent = extent};
  range.offset.param = -1;
  for (int i = 0; i < SNI_TREE_DEPTH; i++) range.stride[i].param = -1;
  return range;
}

typedef enum sni_space { SNI_SPACE_GLOBAL, SNI_SPACE_ROW, SNI_SPACE_LOCAL, SNI_SPACES } sni_space;

typedef struct sni_tree_buffer {
  uint8_t space;  // sni_space
  uint8_t dtype;
  uint8_t read, written;  // bool
  // GLOBAL: may be the same memory as another buffer of this kernel, read and written at equal
  // elements (in place).
  uint8_t shared;
  uint8_t reserved[3];
  uint32_t scope;  // ROW, LOCAL: LOOP item; SNI_NO_ITEM
  uint32_t reserved2;
  // ROW, LOCAL; of each lane where the scope is a loop with lanes or inside one: then there is room
  // for sni_tree_buffer_lanes (facts.h) lanes
  int64_t elements;
  int64_t offset;  // ROW, LOCAL: bytes behind the scratch header (sni_tree_finish)
} sni_tree_buffer;

// How an item is run.
typedef struct sni_schedule {
  int64_t grain;        // grid loops: iterations of a unit, >= 1; else 0
  uint8_t grid, lanes;  // bool
  uint8_t reserved[6];
} sni_schedule;

// Offsets are bytes from the start of the block.
typedef struct sni_tree {
  uint32_t version, bytes;
  uint32_t semantic_bytes;  // from `n_params` on, up to here: text, equality, hash
  uint32_t schedule_bytes;  // up to here: keys of code
  uint32_t n_params, n_buffers, n_items, n_insts, n_accesses, n_ranges;
  uint32_t buffers, items, insts, accesses, ranges;
  uint32_t faults;        // has CHECK_INDEX
  int64_t scratch_bytes;  // of ROW and LOCAL buffers
  // behind semantic_bytes
  uint32_t schedule;  // offset of n_items sni_schedule
  uint32_t streamed;  // offset of n_buffers bytes: written once and larger than the cache
  uint32_t name;      // offset of the name: letters, digits, '_'; for people
  uint32_t reserved;
} sni_tree;

#define SNI_TREE_PART(type, name)                                  \
  static inline type *sni_tree_##name(const sni_tree *tree) {      \
    return (type *)(void *)((char *)(uintptr_t)tree + tree->name); \
  }
SNI_TREE_PART(sni_tree_buffer, buffers)
SNI_TREE_PART(sni_item, items)
SNI_TREE_PART(sni_tree_inst, insts)
SNI_TREE_PART(sni_tree_access, accesses)
SNI_TREE_PART(sni_tree_range, ranges)
SNI_TREE_PART(sni_schedule, schedule)
SNI_TREE_PART(uint8_t, streamed)
SNI_TREE_PART(char, name)
#undef SNI_TREE_PART

// ---- building (build.c). Grows in an arena; the first failure sticks and is returned by finish.
typedef struct sni_tree_builder {
  sni_arena *arena;
  sni_diag *diag;
  sn_status status;
  const char *name;
  sni_item *items;
  sni_schedule *schedule;
  sni_tree_inst *insts;
  sni_tree_access *accesses;
  sni_tree_range *ranges;
  sni_tree_buffer *buffers;
  uint8_t *streamed;
  uint32_t n_items, n_insts, n_accesses, n_ranges, n_buffers;
  uint32_t n_params;  // at least so many; raised to what is used
  uint32_t items_capacity, schedule_capacity, insts_capacity, accesses_capacity, ranges_capacity,
      buffers_capacity, streamed_capacity;
  uint32_t open[2 * SNI_TREE_DEPTH + 4];  // items whose bodies are being built, outermost first
  uint32_t n_open;
} sni_tree_builder;

// name is borrowed until sni_tree_finish. A streamed buffer: set b->streamed[its number].
void sni_tree_begin(sni_tree_builder *b, sni_arena *arena, sni_diag *diag, const char *name);
// Numbers of what was added. After a failure any number may come back.
uint32_t sni_tree_add_buffer(sni_tree_builder *b, sni_tree_buffer buffer);
// Opens a body: what follows goes inside until sni_tree_close.
uint32_t sni_tree_open_loop(sni_tree_builder *b, sni_loop_item loop, sni_schedule schedule);
uint32_t sni_tree_open_if(sni_tree_builder *b, uint32_t condition);
void sni_tree_close(sni_tree_builder *b);
void sni_tree_add_barrier(sni_tree_builder *b);
// Appends to the BLOCK that is the last item of the open body, or to a new one.
uint32_t sni_tree_add_inst(sni_tree_builder *b, sni_tree_inst inst);
// A CONTRACT item and its instruction; gives the value.
uint32_t sni_tree_add_contract(sni_tree_builder *b, sn_dtype dtype, sni_contract_item contract);
uint32_t sni_tree_add_access(sni_tree_builder *b, sni_tree_access access);
// Ranges of one access are added one after the other, before it.
uint32_t sni_tree_add_range(sni_tree_builder *b, sni_tree_range range);
// Lays out ROW and LOCAL buffers, sets read, written, faults, and packs everything into one block
// of the arena. SNI_DEBUG: verified. Errors: SN_ERR_MEMORY; what stuck; SN_ERR_UNSUPPORTED: too
// deep or too large.
sn_status sni_tree_finish(sni_tree_builder *b, sni_tree **out_tree);

// ---- use
// Of one root (numbered in order) or, SNI_NO_ITEM, of all; params: run-time sizes.
int64_t sni_tree_units(const sni_tree *tree, uint32_t root_item, const int64_t *params);
// Every rule above, hostile bytes included: tree points to `bytes` readable bytes. Errors:
// SN_ERR_INTERNAL naming item or instruction.
sn_status sni_tree_verify(const sni_tree *tree, size_t bytes, sni_diag *diag);
void sni_tree_print(const sni_tree *tree, sni_text *text);
// Errors: SN_ERR_SYNTAX with line:column; SN_ERR_MEMORY. The result is verified.
sn_status sni_tree_parse(sni_arena *arena, sni_diag *diag, const char *text, size_t length,
                         sni_tree **out_tree);
// Of the semantic part alone, or with the schedule (as a key of code). Names never count.
uint64_t sni_tree_hash(const sni_tree *tree, bool schedule);
bool sni_tree_equal(const sni_tree *a, const sni_tree *b, bool schedule);
// A copy in the arena in which MATH operations are CORE ones.
sn_status sni_tree_expand(const sni_tree *tree, sni_arena *arena, sni_diag *diag,
                          sni_tree **out_tree);
// The same, but for the operations that `keeps` says.
typedef bool (*sni_expand_keeps)(sni_kop op, sn_dtype dtype);
sn_status sni_tree_expand_but(const sni_tree *tree, sni_expand_keeps keeps, sni_arena *arena,
                              sni_diag *diag, sni_tree **out_tree);

#endif
