// Fusion groups: what fuse_groups.c decides and build_kernel.c turns into kernels. Private to the
// lowering (lower_graph.c).
#ifndef SNI_PASSES_GROUP_H
#define SNI_PASSES_GROUP_H

#include "passes/lower/lower.h"

// A number known now (symbolic == 0), or the value of a symbolic dim.
typedef struct sni_linear {
  int64_t number;
  sni_dim symbolic;
} sni_linear;

// The dims of a node as affine functions of a group's axes: dim d = at[d][0] + sum over axes of
// index * at[d][1 + axis].
typedef struct sni_index_map {
  int rank, n_axes;
  sni_linear *at;  // rank * (n_axes + 1), row-major
} sni_index_map;

typedef enum sni_group_kind {
  SNI_GROUP_FUSED,    // one kernel: pointwise members, reductions, at most one contraction
  SNI_GROUP_CONCAT,   // one copy kernel per operand
  SNI_GROUP_PAD,      // a fill and a copy
  SNI_GROUP_SCATTER,  // a copy and a serial accumulation
  SNI_GROUP_BLAS,     // one library call
  SNI_GROUP_COPY,     // a result that is a parameter, a constant or another result: no members
} sni_group_kind;

typedef struct sni_group {
  sni_group_kind kind;
  int32_t merged_into;  // -1: alive
  int n_axes;
  sni_dim extent[SNI_MAX_AXES];
  uint32_t inner;  // bit per axis that is reduced
  sni_node_id contraction;
  sni_node_id *members;  // descending ids
  uint32_t n_members, members_capacity;
  uint32_t visited;  // stamp of the path search
  sni_node_id copy_source;
  int32_t copy_slot;
} sni_group;

// Which axis of its group each dim of a member's iteration space is (its operand's dims for a
// reduction); -1: a dim of 1.
typedef struct sni_selection {
  int8_t axis[SN_MAX_RANK];
} sni_selection;

// One use of a node inside a group. A node read at different places of one group has several.
typedef struct sni_placement {
  int32_t group;
  bool selected;  // the dims are plain axes: `selection` holds them
  sni_selection selection;
  struct sni_placement *next;
} sni_placement;

typedef struct sni_fusion_node {
  int32_t group;  // member of, or -1
  bool reachable;
  bool materialised;    // has a buffer
  bool forced;          // needs a buffer whatever fusion does
  bool special_use;     // some reader needs the buffer itself
  uint8_t inline_cost;  // of recomputing it from buffers; saturates
  uint8_t inline_loads;
  sni_selection selection;    // of a member
  sni_placement *placements;  // where it is computed: its operands are read from there
  sni_placement *readers;     // where it is read
  int32_t slot;               // plan_buffers.c; -1
} sni_fusion_node;

typedef struct sni_lowering {
  const sni_graph *graph;
  const sni_lower_options *options;
  sni_arena *arena;
  sni_diag *diag;
  sni_dim_table *dims;
  sni_fusion_node *nodes;  // per graph node
  sni_group *groups;
  uint32_t n_groups, groups_capacity;
  uint32_t stamp;
  // results of later steps
  uint32_t *order;  // groups in the order of execution
  uint32_t n_order;
  sni_plan *plan;
  sni_plan_command *commands;
  uint32_t n_commands, commands_capacity;
  sni_slot *slots;
  uint32_t n_slots, slots_capacity;
  sni_size_expression *sizes;
  uint32_t n_sizes, sizes_capacity;
  sni_dim *size_dims;  // dim that each size was made from
  uint32_t size_dims_capacity;
} sni_lowering;

// ---- index_map.c
static inline sni_linear sni_linear_number(int64_t number) {
  return (sni_linear){number, 0};
}
sni_linear sni_linear_dim(sni_dim dim);
bool sni_linear_is(sni_linear x, int64_t number);
bool sni_linear_equal(sni_linear a, sni_linear b);
sni_linear sni_linear_add(sni_dim_table *dims, sni_linear a, sni_linear b);
sni_linear sni_linear_mul(sni_dim_table *dims, sni_linear a, sni_linear b);
sn_status sni_index_map_create(sni_lowering *l, int rank, int n_axes, sni_index_map *out);
// Map of operand 0 of the view `node`, given the node's map. False: not affine (an opaque reshape).
sn_status sni_index_map_through(sni_lowering *l, sni_node_id view, const sni_index_map *map,
                                sni_index_map *out, bool *out_affine);
typedef enum sni_reshape_kind {
  SNI_RESHAPE_UNITS,   // adds or drops dims of 1
  SNI_RESHAPE_SPLIT,   // splits dims: affine
  SNI_RESHAPE_OPAQUE,  // merges dims: readable only where it lies in memory
} sni_reshape_kind;
sni_reshape_kind sni_classify_reshape(sni_lowering *l, const sni_type *in, const sni_type *out);

// ---- fuse_groups.c
sn_status sni_fuse_groups(sni_lowering *l);
// The node whose value `id` shows: itself, or what a chain of views (not materialised ones) reads.
sni_node_id sni_view_base(const sni_lowering *l, sni_node_id id);

static inline int32_t sni_live_group(const sni_lowering *l, int32_t group) {
  while (group >= 0 && l->groups[group].merged_into >= 0) group = l->groups[group].merged_into;
  return group;
}

// ---- verify_groups.c
// After sni_fuse_groups. Errors: SN_ERR_INTERNAL, saying which value is read where it does not lie.
sn_status sni_verify_groups(sni_lowering *l);

// ---- search_paths.c
// at_hand: the node being decided, the target when to < 0. stamps: one per node, of this lowering.
sn_status sni_has_external_path(sni_lowering *l, int32_t from, int32_t to, sni_node_id at_hand,
                                uint32_t *stamps, bool *out_found);

// ---- schedule_groups.c
sn_status sni_schedule_groups(sni_lowering *l);

// ---- plan_buffers.c
sn_status sni_assign_slots(sni_lowering *l);   // before kernels: a slot per materialised node
sn_status sni_share_buffers(sni_lowering *l);  // after kernels: lifetimes, in-place updates
sn_status sni_intern_size(sni_lowering *l, sni_dim dim, sni_size_ref *out_ref);

// ---- build_kernel.c
sn_status sni_build_group(sni_lowering *l, uint32_t group);
// ---- build_blas.c
sn_status sni_build_blas(sni_lowering *l, sni_node_id id);

// Emission: one kernel being built. Values are in SSA order; nothing is staged yet.
typedef struct sni_draft_value {
  sni_kernel_inst inst;  // operands: draft values; access: own field below
  sni_linear offset;     // LOAD, STORE
  sni_linear *stride;    // LOAD, STORE: per axis
  uint32_t index;        // LOAD, STORE: value added to the address, or SNI_NO_VALUE
  int32_t slot;          // LOAD, STORE
  sni_linear size;       // PARAM, CHECK_INDEX
} sni_draft_value;

typedef struct sni_draft_memo {
  sni_node_id node;
  const sni_linear *at;
  uint32_t n_at;
  uint32_t value;
} sni_draft_memo;

typedef struct sni_draft {
  sni_lowering *l;
  int32_t group;  // -1: a helper kernel of a concat, pad or scatter
  int n_outer, n_inner;
  sni_linear extent[SNI_MAX_AXES];
  int8_t axis_number[SNI_MAX_AXES];  // of each axis of the group; -1: none
  sni_draft_value *values;
  uint32_t n_values, values_capacity;
  sni_draft_memo *memo;  // open addressing
  uint32_t memo_count, memo_capacity;
  bool contraction;
  uint32_t lhs, rhs;  // draft LOADs of the contraction
  sni_linear k_extent, lhs_k_stride, rhs_k_stride;
  bool serial;
  sni_location location;
  const char *op_name;
  const char *fault;  // message of an index out of range; NULL: cannot happen
  const char *name;
} sni_draft;

// ---- shape_axes.c: drops and merges axes, chooses the vector axis and the grains.
enum { SNI_AXIS_DROPPED = -1, SNI_AXIS_MERGED = -2 };
typedef struct sni_axes_plan {
  int n_outer, n_inner;
  sni_linear extent[SNI_MAX_AXES];
  int64_t grain[SNI_MAX_AXES];
  bool vector_inner;
  // Draft axis whose stride the new axis has; -1: an axis of 1 without strides.
  int8_t from[SNI_MAX_AXES];
  // New axis of each draft axis; dropped: of extent 1; merged: into the next one that stayed.
  int8_t to[SNI_MAX_AXES];
} sni_axes_plan;
sn_status sni_choose_axes(sni_draft *draft, sni_axes_plan *out);

// ---- finish_kernel.c: stages, accesses, sizes; appends the command.
sn_status sni_stage_values(sni_draft *draft);

#endif
