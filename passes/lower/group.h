// Fusion groups: what fuse_groups.c and chain_groups.c decide and build_nests.c turns into kernels. Private to the
// lowering (lower_graph.c).
#ifndef SNI_PASSES_GROUP_H
#define SNI_PASSES_GROUP_H

#include "passes/lower/lower.h"

// A number known now (symbolic == 0), or the value of a symbolic dim.
#ifndef SNI_MAX_AXES
#define SNI_MAX_AXES 10
#endif

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
  SNI_GROUP_FUSED,    // one kernel: element-wise members, reductions, at most one contraction
  SNI_GROUP_PIECES,   // a result made by several kernels, or a copy (no members)
  SNI_GROUP_LIBRARY,  // one library call
  SNI_GROUP_CONTROL,  // one control op and its results
  SNI_GROUP_CHAIN,    // one kernel: products and rows that hand strips of rows to each other
} sni_group_kind;

// How the sums of a group run (those whose order is part of the value), or all of it.
typedef enum sni_group_order {
  SNI_GROUP_ANY,
  SNI_GROUP_ROWS,     // in 64 lanes along the inner axis
  SNI_GROUP_COLUMNS,  // one after the other, for many results at once
  // There are no sums but cumulations: all elements of the one inner axis are computed one after the
  // other, from the first on or from the last.
  SNI_GROUP_FORWARD,
  SNI_GROUP_BACKWARD,
} sni_group_order;

enum {
  SNI_PIECES_FUSED = 4,        // most pieces of a value that is read in place
  SNI_PRODUCT_SEGMENT = 1024,  // of a product's k: part of the value, so never to be tuned
  SNI_MOST_PARTS = 8,          // of a chain
};

// A value that one part of a chain leaves for others, in scratch.
typedef struct sni_waiting {
  sni_node_id node;
  int part;
  int64_t elements;  // of a strip
} sni_waiting;

typedef struct sni_group {
  sni_group_kind kind;
  sni_group_order order;
  int32_t merged_into;  // -1: alive
  int n_axes;
  sni_dim extent[SNI_MAX_AXES];
  uint32_t inner;  // bit per axis that is reduced, or that lies inside the one cut into chunks
  int8_t cut;      // axis whose chunks are summed, the last of the outer ones; -1: none
  int64_t chunk;   // of it
  sni_node_id contraction;
  sni_node_id *members;  // descending ids
  uint32_t n_members, members_capacity;
  struct sni_placement *first_placement, *last_placement;
  uint32_t visited;  // stamp of the path search
  sni_node_id copy_source;
  int32_t copy_slot;
  // of a chain
  struct sni_group *parts;
  int n_parts;
  const sni_waiting *waiting;
  uint32_t n_waiting;
  // of a part of one: its outer axes in the order that all parts share, `cut` being the last
  int8_t outer[SNI_MAX_AXES];
  int n_outer;
  bool strip;     // the cut is one into strips alone: their rows are independent
  bool sums;      // the product goes on from strip to strip: its k are the rows of one
  bool in_order;  // of a chain: some part does
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
  struct sni_placement *next;           // of the node
  struct sni_placement *next_of_group;  // that it was made for, or that that one merged into
} sni_placement;

typedef struct sni_fusion_node {
  int32_t group;  // member of, or -1
  bool reachable;
  bool materialised;     // has a buffer
  bool forced;           // needs a buffer whatever fusion does
  bool special_use;      // some reader needs the buffer itself
  uint8_t piece;         // computed into its place by what alone reads it: no buffer, no group. How
                         // many such results of pieces it lies in
  float inline_ns;       // of recomputing an element from buffers
  uint8_t inline_loads;  // saturates
  sni_selection selection;    // of a member
  sni_placement *placements;  // where it is computed: its operands are read from there
  sni_placement *readers;     // where it is read
  int32_t slot;               // plan_buffers.c; -1
  sni_node_id result;   // of a control node: its last RESULT node; of a RESULT: the one before it
  int32_t part, waits;  // of a chain: which; which of its waiting values, or -1
  int32_t level_group;  // build_nests.c: the group that `level` was worked out for; -1
  int16_t level;
  sni_why why;    // fusion's reason
  sni_fate kept;  // keep_rows.c
  bool stored;    // build_nests.c has written its store
  bool checked;   // build_special.c: a command has checked its indices
} sni_fusion_node;

#define SNI_ALONE UINT32_MAX

// A kernel on its way from build_tree.c to share_kernels.c.
typedef struct sni_built_kernel {
  sni_tree *tree;
  uint32_t n_uses;  // commands
  // plan_buffers.c: the newest kernel that was made of this one by marking buffers as shared; of one
  // that was: the one before it, and what was marked. SNI_ALONE: none.
  uint32_t variant, before, marked[2];
} sni_built_kernel;

typedef struct sni_same_groups sni_same_groups;

typedef struct sni_lowering {
  const sni_graph *graph;
  const sni_lower_options *options;
  sni_budget budget;
  sni_arena *arena;
  sni_arena *scratch;  // of the group at hand: forgotten with the next one
  sni_diag *diag;
  sni_dim_table *dims;
  sni_fusion_node *nodes;  // per graph node
  sni_group *groups;
  uint32_t n_groups, groups_capacity;
  uint32_t stamp;
  sni_node_id *search_stack;  // search_paths.c
  uint32_t search_capacity;
  // results of later steps
  uint32_t *order;  // groups in the order of execution
  uint32_t n_order;
  sni_plan *plan;
  sni_plan_command *commands;
  uint32_t n_commands, commands_capacity;
  sni_built_kernel *kernels;  // until share_kernels.c
  uint32_t n_kernels, kernels_capacity;
  // Per command: the last of those that become one command with it; SNI_ALONE. NULL: not known yet.
  uint32_t *list_of;
  sni_slot *slots;
  uint32_t n_slots, slots_capacity;
  sni_size_expression *sizes;
  uint32_t n_sizes, sizes_capacity;
  sni_dim *size_dims;  // dim that each size was made from
  uint32_t size_dims_capacity;
  uint32_t *size_slots;  // open addressing by dim: number of the size + 1
  uint32_t n_size_slots;
} sni_lowering;

// ---- index_map.c
static inline sni_linear sni_linear_number(int64_t number) {
  return (sni_linear){number, 0};
}
sni_linear sni_linear_dim(sni_dim dim);
bool sni_linear_is(sni_linear x, int64_t number);
bool sni_linear_equal(sni_linear a, sni_linear b);
bool sni_index_map_equal(const sni_index_map *a, const sni_index_map *b);
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
// The pieces of a PIECES op: operand i lies in the result from start[d] on, every step-th element of
// dim d; what no piece covers is the fill, a scalar. SNI_NO_NODE: they cover everything.
int sni_piece_count(const sni_node *node);
sni_node_id sni_piece_fill(const sni_node *node);
int64_t sni_piece_step(const sni_node *node, int d);
void sni_first_piece(const sni_node *node, sni_linear *start);
// From the start of this piece to that of the next.
void sni_next_piece(const sni_lowering *l, const sni_node *node, int piece, sni_linear *start);

// ---- fuse_groups.c
sn_status sni_fuse_groups(sni_lowering *l);
// The node whose value `id` shows: itself, or what a chain of views (not materialised ones) reads.
sni_node_id sni_view_base(const sni_lowering *l, sni_node_id id);

static inline bool sni_group_cumulates(const sni_group *group) {
  return group->order >= SNI_GROUP_FORWARD;
}

static inline int32_t sni_live_group(const sni_lowering *l, int32_t group) {
  while (group >= 0 && l->groups[group].merged_into >= 0) group = l->groups[group].merged_into;
  return group;
}

// ---- verify_groups.c
// After sni_fuse_groups. Errors: SN_ERR_INTERNAL, saying which value is read where it does not lie.
sn_status sni_verify_groups(sni_lowering *l);

// ---- chain_groups.c
// After the groups are known to be sound. Parts of a chain are no groups any more.
sn_status sni_chain_groups(sni_lowering *l);

// ---- search_paths.c
// Whether a way from one of these groups up its operands leaves them all and comes back. *steps:
// nodes that the search may still look at; when they are used up the answer is yes.
sn_status sni_leaves_and_returns(sni_lowering *l, const int32_t *groups, int n, uint32_t *stamps,
                                 uint64_t *steps, bool *out_found);
// The same of groups a and b, while nodes are decided consumers first; b < 0: of a and the node at hand,
// which is the one being decided. stamps: one per node, of this lowering.
sn_status sni_has_external_path(sni_lowering *l, int32_t a, int32_t b, sni_node_id at_hand,
                                uint32_t *stamps, bool *out_found);

// ---- schedule_groups.c
sn_status sni_schedule_groups(sni_lowering *l);

// ---- build_tree.c
// An output that is larger than what the caches keep until somebody reads it.
bool sni_leaves_the_caches(const sni_lowering *l, int32_t slot);
sn_status sni_add_command(sni_lowering *l, const sni_plan_command *command);
sn_status sni_add_kernel(sni_lowering *l, sni_tree *tree, uint32_t *out_number);
static inline bool sni_same_kernel(const sni_lowering *l, uint32_t a, uint32_t b) {
  const sni_tree *x = l->commands[a].kernel, *y = l->commands[b].kernel;
  return x == y || sni_tree_equal(x, y, true);
}

// ---- same_groups.c
// Once the groups have slots and an order; lives in arena.
sn_status sni_same_groups_create(sni_lowering *l, sni_arena *arena, sni_same_groups **out);
// The command of a FUSED group, with the kernel of an equal one where there is one.
sn_status sni_build_or_reuse(sni_same_groups *s, uint32_t group);

// ---- plan_buffers.c
sn_status sni_assign_slots(sni_lowering *l);    // before kernels: a slot per materialised node
void sni_find_first_in_place(sni_lowering *l);  // of the plan; after the commands are joined
sn_status sni_share_buffers(sni_lowering *l);   // after kernels: lifetimes, in-place updates
void sni_measure_lifetimes(sni_lowering *l);    // again, when commands have moved
// A buffer that kernels alone know of, as large as a value of this type.
sn_status sni_add_temporary(sni_lowering *l, const sni_type *type, int32_t *out_slot);
sn_status sni_intern_size(sni_lowering *l, sni_dim dim, sni_size_ref *out_ref);

sn_status sni_intern_number(sni_lowering *l, int64_t number, sni_size_ref *out_ref);

// ---- join_commands.c
// Which commands become one: sets list_of. class_of: commands of equal numbers below n_classes have
// kernels that may become one; SNI_ALONE: none like it.
sn_status sni_plan_lists(sni_lowering *l, const uint32_t *class_of, uint32_t n_classes);
// Makes the lists, as far as their kernels have become one. verify: prove the new order.
sn_status sni_join_commands(sni_lowering *l, bool verify);

// ---- match_scalars.c
// Whether the kernel `general`, of one loop over the grid, computes with an extent of 1 what `scalar`
// does, with the same arguments.
bool sni_is_at_one(const sni_tree *general, const sni_tree *scalar);
// A copy of the kernel with that extent.
sn_status sni_make_at_one(const sni_tree *general, sni_arena *arena, sni_diag *diag,
                          sni_tree **out);

// ---- lower_graph.c
// The plan's sizes under the hints of their dims; <= 0: not known.
sn_status sni_hint_sizes(sni_lowering *l, sni_arena *arena, const int64_t **out_sizes);

// ---- share_kernels.c
// After sni_share_buffers, as the buffers' flags belong to the kernels. Plans the lists.
sn_status sni_share_kernels(sni_lowering *l);

// ---- build_special.c
// Whether a command of the group may find an index out of range; not those whose indices are known
// from the beginning, which a command before all groups checks.
bool sni_group_checks(const sni_lowering *l, const sni_group *group);

// ---- explain_values.c
sn_status sni_explain_values(sni_lowering *l, const sni_plan_value **out_values);

// ---- build_values.c
// Makes the dims that only a run knows -1, and lists their sizes: for messages of faults.
sn_status sni_hide_dims(sni_lowering *l, sni_type *type, sni_size_ref *sizes, int *io_count);

// ---- build_control.c
sn_status sni_build_control(sni_lowering *l, sni_node_id id);

// ---- library.c
sn_status sni_build_library(sni_lowering *l, sni_node_id id);

#endif
