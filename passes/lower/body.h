// The body of a kernel between fusion and K: what a region computes, as expressions over the
// region's axes, each in the loop nest that needs it.
//
//   body.c          expressions and where they belong; what has been emitted already
//   build_values.c  nodes become expressions; views become addresses
//   build_nests.c   a region becomes nests: reductions and stores by level
//   build_cumulations.c  what one iteration hands to the next
//   keep_rows.c     what nests keep for later ones
//   build_special.c copies, concat, pad, scatter
//   choose_axes.c   which axes merge, which loop runs in lanes, how large a unit is
//   build_tree.c    expressions become K; the command that runs it
//
//   axes   [0, n_outer) are the loops around everything; [n_outer, n_outer + n_inner) those of the
//          nest at hand. An expression that varies along an inner axis belongs to its nest; others
//          belong to the body and are computed before the first nest that wants them.
//   cut    an axis whose chunks are summed is two outer axes, the last ones: `cut` counts chunks, cut + 1
//          the elements of one, in sequence. A product that sums over the strips has the first of them
//          alone: the elements are its k.
#ifndef SNI_PASSES_BODY_H
#define SNI_PASSES_BODY_H

#include "codegen/kernel/tree.h"
#include "passes/lower/group.h"

enum {
  SNI_NO_NEST = -1,
  SNI_ROW_CHUNK = 1024,       // elements of a chunk of a sum along the last axis: a rule of bits
  SNI_COLUMN_CHUNK = 64,      // along another one
  SNI_SHORT_ROW = 16,         // elements of rows that are vectorised over the rows
  SNI_SHORT_ROW_LANES = 256,  // such rows in a unit
};

// 0 <= offset + sum of index * stride < extent
typedef struct sni_condition {
  sni_linear extent, offset;
  sni_linear *stride;  // per axis
} sni_condition;

typedef struct sni_expression {
  sni_kop op;
  sn_dtype dtype, source;
  uint16_t axes;   // bit per axis that it varies along
  int32_t nest;    // whose inner axes these are; SNI_NO_NEST: none
  int32_t wanted;  // first nest that uses it (of expressions without a nest)
  uint16_t cost;   // of computing it anew in another nest, in simple operations; saturates
  uint32_t operands[3];
  // LOAD, STORE, UPDATE, and the sides of a contraction
  int32_t slot;        // of the plan, or -1
  int32_t row;         // of the body's rows, or -1
  bool kept;           // reads what an earlier nest of this body wrote
  uint32_t index;      // value added to the address, or SNI_NO_VALUE
  uint32_t otherwise;  // of a load with conditions
  uint32_t first_condition, n_conditions;
  sni_linear offset;
  sni_linear *stride;  // per axis
  union {
    double f;  // CONST
    int64_t i;
    struct {
      int axis;              // INDEX
      const sni_linear *of;  // per axis: coefficients of the sum that it is a term of
    } index;
    sni_linear size;  // PARAM, CHECK_INDEX
    struct {
      sni_kop combiner;  // REDUCE, UPDATE
      bool ordered;      // the order of its elements is part of the value
      sni_order order;
      uint32_t chunk;
    } sum;
    struct {
      uint32_t lhs, rhs;    // expressions that are sides: their strides go on with those along k
      uint32_t from;        // what the sum goes on from, or SNI_NO_VALUE
      uint32_t segment;     // of k, whose sums are added in order; 0: one
      const sni_linear *k;  // extents of its axes
      uint32_t n_k;
    } product;
  } as;
} sni_expression;

// Loops inside the outer ones, one after the other.
typedef struct sni_nest {
  int n_axes;  // inner axes; 0: instructions of the body alone
  bool reduces, stores;
  bool carries;  // one loop, in sequence
  // by choose_axes.c: the loops in the end
  int n_loops;
  sni_linear extent[SNI_MAX_AXES];
  int8_t from[SNI_MAX_AXES];  // axis (number in the body) whose strides a loop has; -1: none
  int8_t to[SNI_MAX_AXES];    // loop of each inner axis; SNI_AXIS_*
} sni_nest;

enum { SNI_AXIS_DROPPED = -1, SNI_AXIS_MERGED = -2 };

// Memory of values of inner axes that one nest computes and later ones read: a row of the unit, or,
// where rows are too long or of unknown size, a slot as large as the whole value.
typedef struct sni_row {
  sn_dtype dtype;
  int64_t elements;  // of a row
  int32_t slot;      // -1: a row
  const sni_type *type;
  int32_t last_read;  // nest
  int32_t until;      // nest that stores a result there; INT32_MAX: none
  bool taken;         // that has been done
  int32_t holds;      // of the wholes; -1
} sni_row;

typedef struct sni_memo {
  sni_node_id node;
  uint32_t scope;  // conditions that it was made under
  const sni_linear *at;
  uint32_t n_at, value;
} sni_memo;
typedef struct sni_memo_table {  // open addressing
  sni_memo *items;
  uint32_t count, capacity;
} sni_memo_table;

// A node as the nest that computed it first has it, whole.
typedef struct sni_whole {
  sni_node_id node;
  uint32_t value;
  int32_t nest, row;  // row: of the body's, or -1; SNI_ROW_LOST: it was there
  const sni_index_map *map;
} sni_whole;
enum { SNI_ROW_LOST = -2 };

typedef struct sni_body {
  sni_lowering *l;
  int32_t group;            // -1: none
  int32_t part;             // of a chain
  const sni_group *source;  // the group, or the part
  int n_outer, n_inner;
  sni_linear extent[SNI_MAX_AXES];
  int8_t axis_number[SNI_MAX_AXES];  // of each axis of the group; -1: none
  sni_expression *values;
  uint32_t n_values, values_capacity;
  sni_condition *conditions;
  uint32_t n_conditions, conditions_capacity;
  uint32_t active_first, active_count;  // conditions under which loads are made now
  uint32_t active_otherwise;            // what such a load gives elsewhere; SNI_NO_VALUE: 0
  sni_nest *nests;
  uint32_t n_nests, nests_capacity;
  int32_t nest;   // at hand
  sni_row *rows;  // the first ones are the chain's waiting values
  uint32_t n_rows, rows_capacity;
  int64_t row_bytes;
  sni_whole *wholes;
  uint32_t n_wholes, wholes_capacity;
  sni_memo_table memo, nest_memo;
  uint32_t contraction;     // value, or SNI_NO_VALUE
  int cut;                  // axis; -1: none
  sni_linear chunk, whole;  // elements of a chunk, of the axis
  bool sums;                // a product that goes on from strip to strip
  bool columns;             // lanes run along an outer axis: sums are in sequence
  bool backward;            // the inner axis runs from its end
  bool sequential;          // the outer loops run in order (stores that collide)
  sni_location location;
  const char *op_name;
  const char *fault;  // message of an index out of range, as sni_command; NULL: cannot happen
  const sni_size_ref *fault_sizes;
  int n_fault_sizes;
  const sni_node *flat_index;  // the latest that the fault's message tells of; NULL: none
  const char *name;
} sni_body;

// ---- body.c
sn_status sni_body_init(sni_body *b, sni_lowering *l, int32_t group, sni_node_id named);
sn_status sni_body_add(sni_body *b, const sni_expression *value, uint32_t *out);
sni_expression sni_body_blank(sni_kop op, sn_dtype dtype);
sn_status sni_body_add_integer(sni_body *b, sn_dtype dtype, int64_t number, uint32_t *out);
sn_status sni_body_add_zero(sni_body *b, sn_dtype dtype, uint32_t *out);
sn_status sni_body_add_size(sni_body *b, sn_dtype dtype, sni_linear size, uint32_t *out);
// offset + sum of index * coefficient, as i64. at: per axis of the body, in the arena.
sn_status sni_body_add_affine(sni_body *b, sni_linear offset, const sni_linear *at, uint32_t *out);
// Node `id` at map, under the conditions at hand. False: not emitted yet, or in another nest.
bool sni_memo_get(const sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out);
sn_status sni_memo_put(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t value);
static inline int sni_body_axes(const sni_body *b) {
  return b->n_outer + b->n_inner;
}
static inline uint16_t sni_body_inner(const sni_body *b) {
  return (uint16_t)(((1u << b->n_inner) - 1) << b->n_outer);
}
// ---- build_values.c
sn_status sni_body_add_op(sni_body *b, sni_kop op, sn_dtype dtype, sn_dtype source, uint32_t x,
                          uint32_t y, uint32_t z, uint32_t *out);
// The value of node `id` at map (over the node's dims, in the body's axes).
sn_status sni_body_emit(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out);
// Address of an element of row-major memory of `type` whose index is given by map, from first_dim
// on.
sn_status sni_body_address(sni_body *b, const sni_type *type, const sni_index_map *map,
                           int first_dim, sni_expression *v);
// ---- build_products.c
// The contraction `id` at map, its result's.
sn_status sni_body_contract(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out);

// ---- build_values.c, again
// 0 <= at < extent, at a map's row; among the body's conditions.
sn_status sni_body_add_condition(sni_body *b, const sni_linear *at, sni_dim extent);
sn_status sni_body_store(sni_body *b, int32_t slot, const sni_type *type, const sni_index_map *map,
                         uint32_t value);
// Makes a REDUCE the value of node `id` at map.
sn_status sni_body_add_reduce(sni_body *b, sni_node_id id, const sni_index_map *map,
                              const sni_expression *reduce);
// The checked row of a gather or scatter, in elements: index * stride.
sn_status sni_body_checked_row(sni_body *b, sni_node_id indices, const sni_index_map *map,
                               const sni_type *table, uint32_t *out);
sn_status sni_body_describe_fault(sni_body *b, const sni_node *node);
// ---- orders.c
// Whether the order of the elements of a reduction is part of its value (float sums and products),
// and which it is. Decided by the op, its axes and its dtype alone.
bool sni_reduction_order(const sni_lowering *l, const sni_node *node, sni_order *out_order,
                         uint32_t *out_chunk);
static inline bool sni_body_owns(const sni_body *b, const sni_fusion_node *state) {
  return b->group >= 0 && state->group == b->group && state->part == b->part;
}
static inline bool sni_body_is_chained(const sni_body *b) {
  return b->source && b->source->n_outer > 0;
}
// A value of a chain that waits in scratch: as an address of its row in the strip.
sn_status sni_body_waiting_address(sni_body *b, sni_node_id id, const sni_index_map *map,
                                   sni_expression *v);
// ---- build_cumulations.c
// A step of a cumulation, at hand where its index map says.
sn_status sni_body_cumulate(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out);
// ---- build_nests.c
sn_status sni_build_region(sni_lowering *l, uint32_t group);
// Where the result of a member lies, by the body's axes; the nest that stores it.
sn_status sni_body_result_map(sni_body *b, sni_node_id id, sni_index_map *out);
int sni_body_level(sni_body *b, sni_node_id id);
// ---- keep_rows.c
// Whether the nest at hand should read a value that an earlier nest has; that keeps it then.
// *out_value: the load.
sn_status sni_body_reuse(sni_body *b, sni_node_id id, const sni_index_map *map, bool *out_found,
                         uint32_t *out_value);
// is_load: the value is in memory already.
sn_status sni_body_remember(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t value,
                            bool is_load);
// A result is written to `slot`: what was kept there is gone.
void sni_body_take_back(sni_body *b, int32_t slot);
// ---- build_special.c
sn_status sni_build_special(sni_lowering *l, uint32_t group);
// Before all groups: checks the indices of scatters that are known from the beginning, where
// variables are updated.
sn_status sni_check_scatters(sni_lowering *l);

// ---- choose_axes.c
typedef struct sni_axes_plan {
  int n_outer;
  sni_linear extent[SNI_MAX_AXES];
  int64_t grain[SNI_MAX_AXES];
  bool inner_lanes;  // the last loop of each nest has lanes; else the last outer loop
  bool no_lanes;     // nor that one
  int8_t from[SNI_MAX_AXES], to[SNI_MAX_AXES];
} sni_axes_plan;
sn_status sni_choose_axes(sni_body *b, sni_axes_plan *out);

// ---- build_tree.c
// One kernel of one body, or of the parts of a chain, which share their outer axes up to the cut.
sn_status sni_build_tree(sni_body *bodies, int n);

#endif
