// Cursors of flattening: each access gets a pointer slot that the loops around move, and each of
// its ranges a number that they move likewise.
//
// Invariant: an access has one use, so nothing but the loops around it moves its cursor. Memory that
// is kept per lane lies element by element, `block` lanes side by side, and does not move along the
// lanes.
#include "codegen/interp/flatten.h"

static bool is_zero(sni_extent x) {
  return sni_extent_is(x, 0);
}

static void add_move(sni_flattener *t, const sni_open_move **list, uint32_t target, uint32_t size) {
  sni_open_move *made = SNI_ARENA_NEW(t->arena, sni_open_move);
  if (!made) {
    if (!t->status) t->status = sni_fail_memory(t->diag, sizeof(*made), "an interpreter");
    return;
  }
  *made = (sni_open_move){*list, {target, size}};
  *list = made;
}

// ---- making one

static void make_forms(sni_flattener *t, const sni_tree_access *access) {
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = &sni_tree_ranges(t->tree)[access->first_range + i];
    sni_form form = {.offset = sni_flatten_size(t, range->offset, 1, false),
                     .extent = sni_flatten_size(t, range->extent, 1, false)};
    if (t->lanes_item != SNI_NO_ITEM)
      form.lanes = sni_flatten_size(t, range->stride[t->items[t->lanes_item].depth], 1, false);
    if (t->fold_item != SNI_NO_ITEM)
      form.along = sni_flatten_size(t, range->stride[t->items[t->fold_item].depth], 1, false);
    if (sni_flatten_grow(t, (void **)&t->forms, &t->forms_capacity, t->n_forms + 1, sizeof(form)))
      t->forms[t->n_forms++] = form;
  }
}

static sni_flat_cursor make_cursor(sni_flattener *t, const sni_tree_access *access) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(t->tree)[access->buffer];
  const sn_dtype dtype = (sn_dtype)buffer->dtype;
  const int64_t size = (int64_t)sn_dtype_size(dtype);
  const bool global = buffer->space == SNI_SPACE_GLOBAL;
  sni_flat_cursor cursor = {.first_form = t->n_forms,
                            .per_lane = sni_flatten_is_per_lane(t, access->buffer)};
  cursor.made = (sni_cursor){
      .slot = sni_flatten_slot(t, dtype, SNI_HOME_NONE, 0),
      .buffer = global ? access->buffer : SNI_NO_VALUE,
      .offset = sni_flatten_size(t, access->offset, size, cursor.per_lane),
      .base = access->buffer,  // of scratch: homes.c knows where
  };
  if (t->lanes_item != SNI_NO_ITEM) {
    const sni_extent lanes =
        cursor.per_lane ? sni_extent_constant(1) : access->stride[t->items[t->lanes_item].depth];
    cursor.lanes = sni_flatten_size(t, lanes, size, false);
  }
  if (t->fold_item != SNI_NO_ITEM)
    cursor.along = sni_flatten_size(t, access->stride[t->items[t->fold_item].depth], size, false);
  make_forms(t, access);
  return cursor;
}

static void move_along(sni_flattener *t, const sni_tree_access *access,
                       const sni_flat_cursor *cursor, uint32_t depth) {
  const int64_t size =
      (int64_t)sn_dtype_size((sn_dtype)sni_tree_buffers(t->tree)[access->buffer].dtype);
  sni_open_loop *loop = &t->open[depth];
  const bool lane = cursor->per_lane && loop->item == t->lanes_item;
  if (!is_zero(access->stride[depth]) && !lane)
    add_move(t, &loop->moves, cursor->made.slot,
             sni_flatten_size(t, access->stride[depth], size, cursor->per_lane));
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const sni_extent stride = sni_tree_ranges(t->tree)[access->first_range + i].stride[depth];
    if (!is_zero(stride))
      add_move(t, &loop->forms, cursor->first_form + i, sni_flatten_size(t, stride, 1, false));
  }
}

sni_flat_cursor sni_flatten_cursor(sni_flattener *t, uint32_t number, uint32_t apart) {
  const sni_tree_access *access = &sni_tree_accesses(t->tree)[number];
  const sni_flat_cursor cursor = make_cursor(t, access);
  for (uint32_t depth = 0; depth + apart < t->depth; depth++) move_along(t, access, &cursor, depth);
  if (sni_flatten_grow(t, (void **)&t->cursors, &t->cursors_capacity, t->n_cursors + 1,
                       sizeof(cursor)))
    t->cursors[t->n_cursors++] = cursor;
  return cursor;
}

bool sni_flatten_varies(const sni_flattener *t, uint32_t access) {
  const sni_tree_access *a = &sni_tree_accesses(t->tree)[access];
  if (t->lanes_item == SNI_NO_ITEM) return false;
  const uint32_t depth = t->items[t->lanes_item].depth;
  bool varies = sni_flatten_is_per_lane(t, a->buffer) || !is_zero(a->stride[depth]);
  for (uint32_t i = 0; i < a->n_ranges; i++)
    varies |= !is_zero(sni_tree_ranges(t->tree)[a->first_range + i].stride[depth]);
  return varies;
}

// ---- moves of a loop that is over

static sni_flat_list pack_moves(sni_flattener *t, const sni_open_move *move) {
  const uint32_t first = t->n_moves;
  for (; move; move = move->next)
    if (sni_flatten_grow(t, (void **)&t->moves, &t->moves_capacity, t->n_moves + 1,
                         sizeof(*t->moves)))
      t->moves[t->n_moves++] = move->move;
  return (sni_flat_list){first, t->n_moves - first};
}

void sni_flatten_close_moves(sni_flattener *t, const sni_open_loop *loop, sni_node *node) {
  node->moves = pack_moves(t, loop->moves);
  node->forms = pack_moves(t, loop->forms);
}
