// What the files of the fusion decision share; kernel building needs some of it as well.
#ifndef SNI_PASSES_FUSE_GROUPS_H
#define SNI_PASSES_FUSE_GROUPS_H

#include "passes/lower/group.h"

// Never has a buffer of its own: written into the kernels that read it.
bool sni_is_inline_constant(const sni_node *node);
// A pad or concat that its readers can read through: loads under conditions.
bool sni_is_conditional(const sni_lowering *l, const sni_node *node);

// ---- mark_buffers.c
sn_status sni_mark_buffers(sni_lowering *l);
bool sni_is_view(sni_op op);
// Computed element by element by a fused kernel.
bool sni_is_element_op(const sni_lowering *l, const sni_node *node);
// Somebody needs the value in memory.
void sni_force(sni_lowering *l, sni_node_id id);
// Better computed by each reader than stored.
bool sni_is_cheap(const sni_lowering *l, sni_node_id id);

// ---- placements.c
enum { SNI_MAX_READERS = 8 };
// The groups that read a value, and how.
typedef struct sni_reader_summary {
  sni_placement items[SNI_MAX_READERS];
  int count;
  bool overflow;  // more than SNI_MAX_READERS groups
} sni_reader_summary;

sni_group_order sni_group_order_of(const sni_lowering *l, const sni_node *node);
sn_status sni_add_group(sni_lowering *l, sni_group_kind kind, uint32_t *out_group);
sn_status sni_add_member(sni_lowering *l, uint32_t group, sni_node_id id,
                         const sni_selection *selection);
// A group of its own for a node: one axis per dim that is not 1.
sn_status sni_open_group(sni_lowering *l, sni_node_id id);
// Dims that a node's selection speaks about: a reduction's are its operand's.
const sni_type *sni_iteration_type(const sni_lowering *l, sni_node_id id);
bool sni_reduces_dim(const sni_node *node, int d);
// Carries a selection from a view to what it views. False: not a selection any more.
bool sni_select_through(sni_lowering *l, sni_node_id view, const sni_selection *from,
                        sni_selection *to);
// Hands a reader's placement on to the base of its operand.
sn_status sni_place_operand(sni_lowering *l, const sni_placement *reader, sni_node_id operand);
void sni_summarise_readers(sni_lowering *l, sni_node_id id, sni_reader_summary *out);
uint32_t sni_selection_mask(const sni_selection *selection, int rank);
// Distinct axes, all non-unit dims selected, extents equal.
bool sni_selection_fits(const sni_lowering *l, const sni_group *group, const sni_type *type,
                        const sni_selection *selection);
// But for those of extent 1, which a contraction of one row brings along.
uint32_t sni_all_axes(const sni_group *group);
// Renames the axes of `from` by `axis_map` and moves its members into `into`. After this nothing
// speaks in the axes of `from`: neither what is still to be decided nor what members are read at.
sn_status sni_merge_groups(sni_lowering *l, int32_t into, int32_t from, const int8_t *axis_map);

// Whether the value ends a product that the kernel of its reader cannot hold.
bool sni_ends_another_product(const sni_lowering *l, sni_node_id id, const sni_placement *p);

// ---- build_control.c
sn_status sni_open_control(sni_lowering *l, sni_node_id id);

#endif
