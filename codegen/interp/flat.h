// What the interpreter runs: a tree of loops made flat. Nodes in pre-order (a node's body is the
// nodes behind it, up to `end`), lists of steps, and pointer slots. Made by arrange.c (which loops
// run in blocks), hazards.c (which values are mere pointers), emit.c (steps), flatten.c (nodes) and
// homes.c (where values live), packed by pack.c; run by walk.c (nodes), execute.c (steps),
// combine.c (reductions) and contract.c (products).
//
//   slots    each value has a pointer slot: where its elements (or its one element) are now. The
//            slot of an access is a cursor: the address of the element at the current indices of
//            the loops. Loops move the cursors; a load of neighbouring elements is the cursor
//            itself and costs no step. Other values have a fixed place: a constant, a register of
//            `block` elements, or a cell of one element.
//   lanes    a LANES loop runs `n` elements at a time, and everything inside it for all n of them.
//   folds    a FOLD loop inside it runs `k` iterations at a time: its steps work on rectangles of
//            n x k elements (arrange.c says which loops; docs/adr/030). A register holds one row for
//            each lane, or (REDUCE loops) one row of lanes for each iteration.
//   sizes    all integers that addresses need, resolved at the start of a call if there are
//            parameters.
#ifndef SNI_CODEGEN_INTERP_FLAT_H
#define SNI_CODEGEN_INTERP_FLAT_H

#include "codegen/interp/blocks.h"
#include "codegen/interp/interp.h"
#include "codegen/kernel/tree.h"
#include "runtime/gemm/gemm.h"

#define SNI_NO_DEPTH UINT8_MAX

typedef enum sni_flat_kind {
  SNI_FLAT_CALL,           // function over the block
  SNI_FLAT_CALL_ONE,       // function over one element
  SNI_FLAT_POINT_INDEXED,  // slot dst = cursor + the one index in slot b
  SNI_FLAT_LOAD,           // register dst = access, of any stride; b: SNI_NO_VALUE or an index
  SNI_FLAT_LOAD_RANGED,    // slot dst = access or register a, filled up from the element in slot c
  SNI_FLAT_STORE,          // access = a; b: SNI_NO_VALUE or an index
  SNI_FLAT_UPDATE,         // access = access combined with a, in order; b: SNI_NO_VALUE or an index
  SNI_FLAT_STREAM,         // cursor = a, around the caches
  SNI_FLAT_COPY,           // register, cell or cursor dst = a
  SNI_FLAT_SPLAT,          // register or cursor dst = the one element in slot a
  SNI_FLAT_INDEX,          // register or cell dst = index of a loop
  SNI_FLAT_CHECK,          // register or cell dst = a clamped
  SNI_FLAT_ACROSS,         // reduction over the lanes: accumulate a, element i to lane i % 64
  SNI_FLAT_PRODUCT,        // register dst = a row of products
  SNI_FLAT_ALONG,          // reduction along a loop: accumulate a in number index % 64
  SNI_FLAT_SCAN,           // register or cursor dst = what is carried behind each element
  SNI_FLAT_SPREAD,         // register dst = a rectangle of the one value for each lane in a
  SNI_FLAT_FOLD,           // reduction along a FOLD loop: accumulate the rows of a
} sni_flat_kind;

// [first, first + count).
typedef struct sni_flat_list {
  uint32_t first, count;
} sni_flat_list;

enum {                       // sni_flat_step.flags
  SNI_FLAT_ONE = 1,          // over one element instead of the block
  SNI_FLAT_ONE_INDEX = 2,    // slot b holds one index for the whole block
  SNI_FLAT_ONE_ELSE = 4,     // LOAD_RANGED: slot c holds one element
  SNI_FLAT_MAY_POINT = 8,    // loads: neighbouring elements need no copy
  SNI_FLAT_RANGED = 16,      // stores: has forms
  SNI_FLAT_LANES = 32,       // INDEX: of the loop with lanes
  SNI_FLAT_LANE_INDEX = 32,  // slot b holds one index for each lane of a rectangle
  SNI_FLAT_LANE = 64,        // over one element for each lane of a rectangle
  SNI_FLAT_RECTANGLE = 128,  // elements have places along the lanes and along the FOLD loop
};

typedef struct sni_flat_step {
  uint8_t kind, dtype, flags;
  uint8_t depth;          // INDEX: of the loop; UPDATE: sni_combiner_number; rectangles: sni_layout
  uint32_t dst, a, b, c;  // slots
  uint32_t number;        // cursor (a slot); or number of a reduction or product
  uint32_t size;          // number of: the stride along the lanes; the size of a CHECK
  uint32_t along;         // number of: the stride along the FOLD loop
  union {
    sni_block_function function;
    sni_flat_list forms;  // of ranges
  } as;
} sni_flat_step;

typedef enum sni_node_kind {
  SNI_NODE_STEPS,    // steps [first, first + count)
  SNI_NODE_LOOP,     // one index after the other
  SNI_NODE_LANES,    // `step` indices at a time
  SNI_NODE_FOLD,     // in a LANES loop: `step` indices at a time, for each lane
  SNI_NODE_IF,       // body where the bool in slot `first` is true
  SNI_NODE_PRODUCT,  // a loop m around a LANES loop n that holds contractions: in tiles
} sni_node_kind;

typedef struct sni_node {
  uint8_t kind;
  uint8_t depth;  // of a loop
  uint8_t strip;  // depth of the loop that counts the pieces, or SNI_NO_DEPTH
  bool grid;      // runs the pieces of the units at hand
  bool simple;    // the body is one STEPS node
  bool row;       // LANES: all that it does is one reduction ACROSS
  uint32_t end;
  uint32_t first, count;       // STEPS; IF: slot; PRODUCT: of products
  uint32_t inner;              // PRODUCT: node of the loop n; its own is m
  bool turned;                 // PRODUCT: lanes along m
  uint32_t extent, whole;      // numbers of sizes
  uint32_t step;               // LANES, FOLD: iterations at a time
  uint32_t chunk;              // reductions are cut into pieces of that many iterations
  sni_flat_list moves, forms;  // what varies along the loop
  sni_flat_list reductions, carries;
} sni_node;

// A cursor or form that moves by sizes[size] with each iteration.
typedef struct sni_move {
  uint32_t target, size;
} sni_move;

typedef struct sni_cursor {
  uint32_t slot;
  uint32_t buffer;  // GLOBAL; SNI_NO_VALUE: scratch
  uint32_t offset;  // number of a size, bytes
  size_t base;      // byte offset in scratch
} sni_cursor;

// A range's affine form.
typedef struct sni_form {
  uint32_t offset, extent, lanes;  // numbers of sizes; lanes: stride along the lanes
  uint32_t along;                  // stride along the FOLD loop
} sni_form;

// How elements of a rectangle lie in a register.
typedef enum sni_layout {
  SNI_LANE_ROWS,  // a row for each lane
  SNI_FOLD_ROWS,  // a row for each iteration of the FOLD loop
} sni_layout;

typedef enum sni_flat_reduction_kind {
  SNI_REDUCE_ACROSS,  // over the lanes: 64 accumulators of one element each, side by side
  SNI_REDUCE_ALONG,   // one accumulator, of one element or of a block
  SNI_REDUCE_SPREAD,  // up to 64 accumulators, each of one element or of a block
} sni_flat_reduction_kind;

typedef struct sni_flat_reduction {
  uint8_t kind, dtype, combiner;  // combiner: sni_combiner_number
  bool one;                       // the same for all elements of a block
  bool flat;                      // pieces are not cut again
  bool goes_on;                   // `identity` has an element for each of the block
  bool folded;                    // accumulators lie n elements apart
  uint8_t depth;                  // SPREAD: of the innermost loop
  uint32_t slot;                  // accumulators; the first becomes the result
  uint32_t identity, zero;        // slots of one element each
  uint32_t alone;                 // in the place of identity where the extent is 1
  uint32_t extent;                // number of a size: of the innermost loop
  uint32_t pitch;                 // bytes from one accumulator to the next
  uint32_t width;                 // accumulators
  uint32_t chunk;                 // 0: none. Else results of pieces go up levels of accumulators:
  uint32_t levels;                // above the first
  size_t level_bytes, store;      // of a level; byte offset of the levels in scratch
  size_t counts;                  // byte offset of one i64 per level in scratch
  sni_block_function combine;     // element by element
  sni_fold_function fold;
  sni_block_function finish;  // + 0.0 of float sums; NULL: nothing to do
} sni_flat_reduction;

typedef struct sni_carry {
  uint32_t carry, yield, start;  // slots. carry and yield change places with each iteration
  uint8_t dtype;
  bool one;        // one element
  bool one_start;  // the first value is one element
} sni_carry;

// What a loop in sequence carries, where it runs in blocks.
typedef struct sni_flat_scan {
  uint32_t state, before;  // slots: of one element; of a block, before each, or SNI_NO_VALUE
  sni_scan_function function;
} sni_flat_scan;

// A CONTRACT under a PRODUCT node.
typedef struct sni_operand {
  uint8_t dtype;
  uint32_t slot;                  // cursor at m = n = k = 0
  uint32_t own;                   // numbers of sizes: strides along its own loop
  uint32_t k[SNI_CONTRACT_AXES];  // and along the axes of k
  uint32_t n_k;
  sni_flat_list forms;
  uint32_t
      form_moves;  // of form i: moves [form_moves + (1 + n_k) i] along its own loop, then along k
  size_t ranges;   // byte offset in scratch of their sni_gemm_range
} sni_operand;

// The lanes run along the columns: the loop n, or m where n is very short. For a PRODUCT step the one
// row is kept in a register.
typedef struct sni_product {
  uint8_t dtype;
  sni_operand rows, columns;      // lhs and rhs, or the other way round
  sni_operand from;               // its own loop is the columns', k the rows'
  bool goes_on;                   // there is a `from`
  uint32_t k[SNI_CONTRACT_AXES];  // numbers of sizes: extents
  uint32_t n_k;
  uint32_t slot;    // of the row of products
  int64_t segment;  // 0: none
  size_t products;  // byte offset in scratch of its tile, where there are several
} sni_product;

enum { SNI_FLAT_SUMS_BYTES = 1024 };  // of a row of sums that are used together

// Sizes and places that the products of a program share.
typedef struct sni_tiles {
  int64_t rows;      // of the tiles of several products under the same loops
  size_t row_bytes;  // of these: whole cache lines
  size_t gemm;       // byte offset in scratch
} sni_tiles;

typedef enum sni_flat_place_kind {
  SNI_FLAT_CONSTANT,
  SNI_FLAT_SCRATCH,
  SNI_FLAT_SIZE
} sni_flat_place_kind;
typedef struct sni_flat_place {
  sni_flat_place_kind kind;
  uint32_t slot;
  size_t offset;  // number of the constant or size; byte offset in scratch
} sni_flat_place;

// value, or params[param] * value.
typedef struct sni_flat_size {
  int64_t value, param;
} sni_flat_size;

typedef struct sni_root {
  uint32_t first;  // node: STEPS before the root; the root's own node follows
  uint32_t node;
  uint32_t end_cursor, end_form;  // of this root and those before it
  uint32_t n_grid;
  uint32_t extents[SNI_TREE_DEPTH];  // numbers of sizes
  int64_t grains[SNI_TREE_DEPTH];
} sni_root;

typedef struct sni_flat_code {
  sni_interp_code head;
  const sni_blocks *blocks;
  bool dynamic, streams;
  uint32_t block;  // elements of a register
  uint32_t n_roots, n_places, n_sizes;
  const sni_root *roots;
  const sni_node *nodes;
  const sni_flat_step *steps;
  const sni_move *moves;
  const sni_flat_reduction *reductions;
  const sni_carry *carries;
  const sni_flat_scan *scans;
  const sni_cursor *cursors;
  const sni_form *forms;
  const sni_product *products;
  const sni_flat_place *places;
  const sni_flat_size *size_sources;
  const int64_t *sizes;  // when nothing is dynamic
  const uint64_t *constants;
  sni_tiles tiles;
  size_t slot_table, form_table, size_table;  // byte offsets in scratch
} sni_flat_code;

// sni_interp_prepare with loops of the caller's choice.
sn_status sni_interp_prepare_with(const sni_tree *expanded, const sni_blocks *blocks,
                                  sni_allocator *allocator, sni_diag *diag,
                                  sni_interp_code **out_code);

// State of one call.
typedef struct sni_flat_frame {
  const sni_flat_code *code;
  const int64_t *sizes;
  char **slots;
  int64_t *forms;
  char *scratch;
  void *const *buffers;
  bool stopped;                                         // given up: a fault
  size_t lanes, fold;                                   // of the rectangle at hand
  int64_t index[SNI_TREE_DEPTH + 1];                    // of the lanes: of the first
  int64_t first[SNI_TREE_DEPTH], last[SNI_TREE_DEPTH];  // of grid loops
} sni_flat_frame;

static const size_t sni_flat_size_of[SN_DTYPE_COUNT] = {
#define SNI_X(name, text, bytes, ctype) [SN_##name] = bytes,
    SN_DTYPE_LIST(SNI_X)
#undef SNI_X
};

void sni_flat_execute(sni_flat_frame *f, uint32_t first, uint32_t count, size_t block);
void sni_flat_walk(sni_flat_frame *f, uint32_t first, uint32_t end, size_t n);
void sni_flat_product_row(const sni_flat_frame *f, uint32_t product, size_t n);
void sni_flat_product_run(sni_flat_frame *f, const sni_node *node);
// How often a loop runs and where: [first, last).
void sni_flat_bounds(const sni_flat_frame *f, const sni_node *loop, int64_t *first, int64_t *last);
// Moves what varies along a loop by so many iterations.
void sni_flat_move(const sni_flat_frame *f, const sni_node *loop, int64_t iterations);

// ---- steps over rectangles (rectangles.c)
void sni_rectangle_load(const sni_flat_frame *f, const sni_flat_step *s);
void sni_rectangle_store(const sni_flat_frame *f, const sni_flat_step *s);
void sni_rectangle_spread(const sni_flat_frame *f, const sni_flat_step *s);
void sni_rectangle_index(const sni_flat_frame *f, const sni_flat_step *s);
void sni_rectangle_fold(const sni_flat_frame *f, const sni_flat_step *s);

// ---- reductions, of n lanes
void sni_flat_begin(const sni_flat_frame *f, const sni_node *loop, size_t n);
void sni_flat_flush(const sni_flat_frame *f, const sni_node *loop, size_t n);  // a piece is over
void sni_flat_end(const sni_flat_frame *f, const sni_node *loop, size_t n);
// All of a loop whose node is a `row`, of n elements in one piece.
void sni_flat_row(const sni_flat_frame *f, const sni_node *loop, size_t n);

#endif
