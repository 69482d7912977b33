// The translation of a tree into a flat program: state shared by arrange.c, hazards.c, emit.c,
// flatten.c, homes.c and pack.c, in the order in which they run. Everything lives in an arena that
// dies with it.
#ifndef SNI_CODEGEN_INTERP_FLATTEN_H
#define SNI_CODEGEN_INTERP_FLATTEN_H

#include "codegen/interp/flat.h"
#include "codegen/kernel/facts.h"

// What is known about an instruction, beside its facts.
typedef struct sni_flat_value {
  uint32_t root;    // the value itself, or what COPY and BITCAST pass on
  uint32_t last;    // number of the last instruction that may run before the value's last use
  uint32_t direct;  // number of the store whose memory the value is computed into, or SNI_NO_VALUE
  uint32_t slot;
  uint32_t number;  // of the reduction
  bool copied;      // a load whose memory is overwritten before its last use
  uint32_t pitch;   // a load that is the memory itself, row by row: number of a size; SNI_NO_VALUE
} sni_flat_value;

typedef enum sni_flat_home {
  SNI_HOME_NONE,
  SNI_HOME_REGISTER,
  SNI_HOME_CELL,
  SNI_HOME_CELLS,      // `count` elements of its own
  SNI_HOME_REGISTERS,  // `count` blocks of its own
  SNI_HOME_CONSTANT,
  SNI_HOME_SIZE,
} sni_flat_home;

// What is known about a pointer slot.
typedef struct sni_flat_slot {
  uint8_t dtype, home;
  bool early;  // in use before the step that first names it
  uint32_t count;
  uint32_t first, last;  // steps between which a register is in use
  uint32_t holder;       // a slot whose register is in use while this one is, or SNI_NO_VALUE
  size_t offset;         // of the home: in scratch, or number of the constant or size
} sni_flat_slot;

// A size, and whether it counts elements that lie `block` apart.
typedef struct sni_flat_scaled {
  sni_flat_size size;
  bool per_lane;
} sni_flat_scaled;

// A move of an open loop, in a list that grows backwards.
typedef struct sni_open_move {
  const struct sni_open_move *next;
  sni_move move;
} sni_open_move;

typedef struct sni_flat_cursor {
  uint32_t first_form;
  uint32_t lanes, along;  // numbers of the strides along the lanes and the folded loop
  bool per_lane;          // the buffer holds its elements per lane
  sni_cursor made;
} sni_flat_cursor;

// A loop that is being made: its node, and what will move along it.
typedef struct sni_open_loop {
  uint32_t item, node;
  const sni_open_move *moves, *forms;
} sni_open_loop;

// What a value has elements for.
typedef enum sni_flat_shape {
  SNI_SHAPE_ONE,
  SNI_SHAPE_BLOCK,  // the lanes; in a FOLD loop the rectangle
  SNI_SHAPE_LANES,  // in a FOLD loop: the lanes alone
} sni_flat_shape;

typedef struct sni_flattener {
  const sni_tree *tree;  // as it was arranged
  const sni_item *items;
  const sni_tree_inst *all;  // instructions
  const sni_blocks *blocks;
  sni_arena *arena;
  sni_diag *diag;
  sn_status status;
  sni_inst_facts *facts;
  sni_item_facts *item_facts;
  bool *tiled;        // per item: a loop m whose products are run in tiles
  uint8_t *folds;     // per item: 1 + sni_layout of a loop that is folded; 0: it is not
  uint32_t *scan_at;  // per instruction: 1 + number of the scan that it is a part of; 0: none
  sni_flat_value *values;

  // arrays that grow
  sni_node *nodes;
  uint32_t n_nodes, nodes_capacity;
  sni_flat_step *steps;
  uint32_t n_steps, steps_capacity;
  sni_move *moves;
  uint32_t n_moves, moves_capacity;
  sni_flat_reduction *reductions;
  uint32_t n_reductions, reductions_capacity;
  sni_carry *carries;
  uint32_t n_carries, carries_capacity;
  sni_flat_scan *scans;
  uint32_t n_scans, scans_capacity;
  sni_flat_cursor *cursors;
  uint32_t n_cursors, cursors_capacity;
  sni_form *forms;
  uint32_t n_forms, forms_capacity;
  sni_product *products;
  uint32_t n_products, products_capacity;
  sni_root *roots;
  uint32_t n_roots, roots_capacity;
  sni_flat_slot *slots;
  uint32_t n_slots, slots_capacity;
  uint64_t *constants;
  uint32_t n_constants, constants_capacity;
  sni_flat_scaled *sizes;
  uint32_t n_sizes, sizes_capacity;

  // the place that is being made
  sni_open_loop open[SNI_TREE_DEPTH + 1];
  uint32_t depth;
  uint32_t last_steps;  // node of the steps that end here, or SNI_NO_VALUE
  uint32_t lanes_item;  // the loop with lanes around, or SNI_NO_ITEM
  uint32_t fold_item;   // the folded loop around, or SNI_NO_ITEM

  bool dynamic, streams;
  uint32_t per_lane_block;  // slot of the constant that is `block`, or SNI_NO_VALUE

  // by homes.c
  uint32_t block;
  sni_tiles tiles;
  size_t scratch_bytes, slot_table, form_table, size_table;
} sni_flattener;

// Elements are `element_size` each; false (status is set) when memory is exhausted.
bool sni_flatten_grow(sni_flattener *t, void **items, uint32_t *capacity, uint32_t wanted,
                      size_t element_size);

// ---- arrange.c: fills tree, facts, tiled
void sni_flatten_arrange(sni_flattener *t, const sni_tree *expanded);
// May the two buffers be the same memory?
bool sni_flatten_may_meet(const sni_flattener *t, uint32_t a, uint32_t b);
// Does the instruction read or write memory that may meet the buffer?
bool sni_flatten_accesses(const sni_flattener *t, uint32_t number, uint32_t buffer);

// ---- scans.c
// Whether all that the loop carries can be scanned in blocks; marks it then.
bool sni_flatten_find_scans(sni_flattener *t, uint32_t loop);
// Whether the step is made here: where all that it reads is known.
bool sni_flatten_is_scan(const sni_flattener *t, uint32_t number);
// Whether anything but the step uses the CARRY.
bool sni_flatten_shows_carry(const sni_flattener *t, uint32_t yield);
// Its CARRY, and the up to 3 values that it reads.
void sni_flatten_scan(sni_flattener *t, uint32_t next, uint32_t *out_carry, uint32_t *operands,
                      int *n);

// ---- folds.c
// Chooses the loops.
void sni_flatten_find_folds(sni_flattener *t);
// The folded loop that holds the block, or SNI_NO_ITEM.
uint32_t sni_flatten_fold_around(const sni_flattener *t, uint32_t item);
// As the instructions in `fold` see it (SNI_NO_ITEM: those in no folded loop).
sni_flat_shape sni_flatten_shape(const sni_flattener *t, uint32_t value, uint32_t fold);
// Most iterations at a time.
int64_t sni_flatten_fold_step(const sni_flattener *t, uint32_t fold);

// ---- hazards.c: fills values but for their slots
void sni_flatten_hazards(sni_flattener *t);
bool sni_flatten_is_per_lane(const sni_flattener *t, uint32_t buffer);
// Neighbouring elements along the lanes, or in the order of the rectangle of `fold`?
bool sni_flatten_is_dense(const sni_flattener *t, uint32_t access, uint32_t lanes_item,
                          uint32_t fold);

// ---- emit.c: steps
void sni_flatten_inst(sni_flattener *t, uint32_t number);
// Slot of what the access loads; copied: not a mere pointer.
uint32_t sni_flatten_load(sni_flattener *t, uint32_t access, sni_flat_shape shape, bool copied);
void sni_flatten_product_step(sni_flattener *t, uint32_t product, uint32_t slot, bool one);
void sni_flatten_multiply(sni_flattener *t, uint32_t number, uint32_t accumulator);
uint32_t sni_flatten_slot(sni_flattener *t, sn_dtype dtype, sni_flat_home home, uint32_t count);
uint32_t sni_flatten_home(sni_flattener *t, sn_dtype dtype, bool vector);
uint32_t sni_flatten_constant(sni_flattener *t, sn_dtype dtype, uint64_t bits);
uint64_t sni_flatten_identity(sni_kop combiner, sn_dtype dtype);
// Number of a size in the table, value (or parameter) times scale.
uint32_t sni_flatten_size(sni_flattener *t, sni_extent extent, int64_t scale, bool per_lane);

// ---- cursors.c
// The cursor of an access, which is asked for once: where it is used. `apart`: that many of the
// innermost open loops do not move it.
sni_flat_cursor sni_flatten_cursor(sni_flattener *t, uint32_t access, uint32_t apart);
// Does what the access loads differ from lane to lane?
bool sni_flatten_varies(const sni_flattener *t, uint32_t access);
void sni_flatten_close_moves(sni_flattener *t, const sni_open_loop *loop, sni_node *node);

// ---- flatten.c: fills nodes, roots and all that hangs on them
void sni_flatten_nodes(sni_flattener *t);

// ---- homes.c: homes of slots, block, scratch
void sni_flatten_homes(sni_flattener *t);

// ---- pack.c
sn_status sni_flatten_pack(const sni_flattener *t, sni_allocator *allocator, sni_interp_code **out);

#endif
