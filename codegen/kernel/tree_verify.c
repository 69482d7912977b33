// The verifier of trees: everything that tree.h promises, on any bytes. This file: the block, its
// buffers, the nesting of items, loops and their schedule.
//
// Invariant: nothing is followed before it is checked. Items come in pre-order and every reference
// goes to what was checked before, so one pass is enough and nothing can be circular. A failure is
// SN_ERR_INTERNAL naming item or instruction.
#include "codegen/kernel/tree_verifier.h"

enum { max_open = 2 * SNI_TREE_DEPTH + 4 };

static const char *const item_names[SNI_ITEM_KINDS] = {"loop", "block", "contract", "if",
                                                       "barrier"};

static sn_status fail(const sni_tree_verifier *v, const char *rule) {
  return sni_fail(v->diag, SN_ERR_INTERNAL, "kernel block: %s", rule);
}

sn_status sni_tree_fail_item(const sni_tree_verifier *v, const char *rule) {
  const uint16_t kind = v->items[v->item].kind;
  return sni_fail(v->diag, SN_ERR_INTERNAL, "kernel %s: item %u (%s): %s", sni_tree_name(v->tree),
                  v->item, kind < SNI_ITEM_KINDS ? item_names[kind] : "?", rule);
}

static sn_status fail_buffer(const sni_tree_verifier *v, uint32_t buffer, const char *rule) {
  return sni_fail(v->diag, SN_ERR_INTERNAL, "kernel %s: buffer %u: %s", sni_tree_name(v->tree),
                  buffer, rule);
}

bool sni_tree_extent_ok(const sni_tree_verifier *v, sni_extent x) {
  return x.param < 0 ? x.param == -1 : x.param < (int64_t)v->tree->n_params && x.value == 0;
}

bool sni_tree_extent_counts(const sni_tree_verifier *v, sni_extent x) {
  return sni_tree_extent_ok(v, x) && x.value >= 0;
}

bool sni_tree_is_zero_bytes(const void *data, size_t bytes) {
  const unsigned char *c = data;
  for (size_t i = 0; i < bytes; i++)
    if (c[i]) return false;
  return true;
}

// ---- the block

// Room for count things of `size` bytes from *at on.
static bool skip(uint64_t *at, uint32_t count, uint64_t size) {
  *at += count * size;
  return *at <= UINT32_MAX;
}

static bool layout_ok(const sni_tree *t) {
  uint64_t at = sizeof(*t);
  bool ok = t->buffers == at && skip(&at, t->n_buffers, sizeof(sni_tree_buffer));
  ok = ok && t->items == at && skip(&at, t->n_items, sizeof(sni_item));
  ok = ok && t->insts == at && skip(&at, t->n_insts, sizeof(sni_tree_inst));
  ok = ok && t->accesses == at && skip(&at, t->n_accesses, sizeof(sni_tree_access));
  ok = ok && t->ranges == at && skip(&at, t->n_ranges, sizeof(sni_tree_range));
  ok = ok && t->semantic_bytes == at;
  ok = ok && t->schedule == at && skip(&at, t->n_items, sizeof(sni_schedule));
  ok = ok && t->streamed == at && skip(&at, t->n_buffers, 1);
  return ok && t->schedule_bytes == at && t->name == at && at < t->bytes;
}

static bool name_ok(const sni_tree *t) {
  const char *name = sni_tree_name(t);
  const size_t room = t->bytes - t->name;
  size_t n = 0;
  while (n < room && ((name[n] >= 'a' && name[n] <= 'z') || (name[n] >= 'A' && name[n] <= 'Z') ||
                      (name[n] >= '0' && name[n] <= '9') || name[n] == '_'))
    n++;
  return n > 0 && n < room && room - n <= 8 && sni_tree_is_zero_bytes(name + n, room - n);
}

static sn_status verify_header(const sni_tree_verifier *v, size_t bytes) {
  const sni_tree *t = v->tree;
  if ((uintptr_t)t % 8) return fail(v, "it is not aligned to 8 bytes");
  if (bytes < sizeof(*t)) return fail(v, "it is shorter than its header");
  if (t->version != SNI_TREE_VERSION) return fail(v, "it has another version");
  if (t->bytes != bytes || bytes % 8) return fail(v, "its length is wrong");
  if (!layout_ok(t)) return fail(v, "its parts do not lie one behind the other");
  if (!name_ok(t)) return fail(v, "its name is no name");
  if (t->reserved) return fail(v, "a reserved field is not 0");
  return SN_OK;
}

// ---- buffers

static sn_status verify_buffer(const sni_tree_verifier *v, uint32_t i) {
  const sni_tree_buffer *b = &v->buffers[i];
  if (b->space >= SNI_SPACES) return fail_buffer(v, i, "no such space");
  if (!sni_is_kernel_dtype(b->dtype)) return fail_buffer(v, i, "no such dtype");
  if (b->read > 1 || b->written > 1 || b->shared > 1 || sni_tree_streamed(v->tree)[i] > 1)
    return fail_buffer(v, i, "a flag is neither 0 nor 1");
  if (b->reserved2 || !sni_tree_is_zero_bytes(b->reserved, sizeof(b->reserved)))
    return fail_buffer(v, i, "a reserved field is not 0");
  if (b->space == SNI_SPACE_GLOBAL) {
    if (b->scope != SNI_NO_ITEM || b->elements || b->offset)
      return fail_buffer(v, i, "an argument has a scope or a size");
    if (sni_tree_streamed(v->tree)[i] && !b->written)
      return fail_buffer(v, i, "it is streamed but not written");
    return SN_OK;
  }
  if (b->shared || sni_tree_streamed(v->tree)[i])
    return fail_buffer(v, i, "scratch is shared or streamed");
  if (b->scope >= v->tree->n_items || v->items[b->scope].kind != SNI_ITEM_LOOP)
    return fail_buffer(v, i, "its scope is no loop");
  return b->elements < 0 ? fail_buffer(v, i, "its size is negative") : SN_OK;
}

// Whether the flags say what the instructions do.
static sn_status verify_flags(const sni_tree_verifier *v, uint32_t buffer) {
  bool read = false, written = false;
  for (uint32_t i = 0; i < v->tree->n_items; i++) {
    const sni_item *item = &v->items[i];
    if (item->kind != SNI_ITEM_CONTRACT) continue;
    const sni_tree_access *accesses = sni_tree_accesses(v->tree);
    uint32_t used[3];
    for (int k = sni_contract_accesses(&item->as.contract, used); k-- > 0;)
      read |= accesses[used[k]].buffer == buffer;
  }
  for (uint32_t i = 0; i < v->tree->n_insts; i++) {
    const sni_kop op = (sni_kop)v->insts[i].op;
    if (!sni_kop_has_access(op)) continue;
    if (sni_tree_accesses(v->tree)[v->insts[i].access].buffer != buffer) continue;
    written |= sni_kop_is_store(op);
    read |= op != SNI_KOP_STORE;
  }
  const sni_tree_buffer *b = &v->buffers[buffer];
  if (b->read == read && b->written == written) return SN_OK;
  return fail_buffer(v, buffer, "its flags do not say how it is used");
}

// ---- items

// Whether the bytes of `as` behind the fields of the item's kind are 0.
static bool rest_is_zero(const sni_item *item) {
  static const size_t sizes[SNI_ITEM_KINDS] = {sizeof(sni_loop_item), sizeof(sni_block_item),
                                               sizeof(sni_contract_item), sizeof(uint32_t), 0};
  const size_t size = sizes[item->kind];
  return sni_tree_is_zero_bytes(item->as.bytes + size, sizeof(item->as.bytes) - size);
}

static bool is_around(const sni_tree_verifier *v, uint32_t loop, uint32_t item) {
  return loop < item && v->items[loop].kind == SNI_ITEM_LOOP && item < v->items[loop].end;
}

static sn_status verify_strip(const sni_tree_verifier *v, const sni_loop_item *loop) {
  if (loop->strip == SNI_NO_ITEM) {
    return sni_tree_is_zero_bytes(&loop->whole, sizeof(loop->whole))
               ? SN_OK
               : sni_tree_fail_item(v, "it is no strip but has a whole");
  }
  if (!is_around(v, loop->strip, v->item))
    return sni_tree_fail_item(v, "its strip is no loop around it");
  if (v->schedule[loop->strip].lanes)
    return sni_tree_fail_item(v, "its end may differ from lane to lane");
  if (!sni_tree_extent_counts(v, loop->whole))
    return sni_tree_fail_item(v, "its whole is negative or has no parameter");
  const sni_extent pieces = v->items[loop->strip].as.loop.extent;
  int64_t all;
  if (__builtin_mul_overflow(pieces.value, loop->extent.value, &all))
    return sni_tree_fail_item(v, "its pieces overflow");
  return SN_OK;
}

static sn_status verify_loop(const sni_tree_verifier *v) {
  const sni_loop_item *loop = &v->items[v->item].as.loop;
  if (loop->kind >= SNI_LOOP_KINDS) return sni_tree_fail_item(v, "no such kind of loop");
  if (loop->order >= SNI_ORDERS) return sni_tree_fail_item(v, "no such order");
  if (loop->kind != SNI_LOOP_REDUCE && (loop->order || loop->chunk))
    return sni_tree_fail_item(v, "it does not reduce but has an order or a chunk");
  if (loop->chunk == 1 || (loop->order == SNI_ORDER_LANES && loop->chunk % SNI_REDUCE_LANES))
    return sni_tree_fail_item(v, "its chunk is too small or no multiple of the lanes");
  if (!sni_tree_extent_counts(v, loop->extent))
    return sni_tree_fail_item(v, "its extent is negative or has no parameter");
  return verify_strip(v, loop);
}

// The grid is a chain of loops from a root on, with BLOCKs beside it at most.
static sn_status verify_grid(const sni_tree_verifier *v) {
  const sni_item *item = &v->items[v->item];
  const sni_loop_item *loop = &item->as.loop;
  if (v->schedule[v->item].grain < 1) return sni_tree_fail_item(v, "its grain is less than 1");
  if (loop->kind != SNI_LOOP_PARALLEL || loop->strip != SNI_NO_ITEM)
    return sni_tree_fail_item(v, "a grid loop is not parallel, or a strip");
  if (item->parent == SNI_NO_ITEM) return SN_OK;
  const sni_item *around = &v->items[item->parent];
  if (around->kind != SNI_ITEM_LOOP || !v->schedule[item->parent].grid)
    return sni_tree_fail_item(v, "the loop around a grid loop is none");
  if (item->end != around->end) return sni_tree_fail_item(v, "something follows a grid loop");
  if (v->item > item->parent + 2 ||
      (v->item == item->parent + 2 && v->items[v->item - 1].kind != SNI_ITEM_BLOCK))
    return sni_tree_fail_item(v, "more than a block stands before a grid loop");
  for (uint32_t i = 0; v->item == item->parent + 2 && i < v->items[v->item - 1].as.block.count;
       i++) {
    const sni_kop op = (sni_kop)v->insts[v->items[v->item - 1].as.block.first + i].op;
    if (sni_kop_is_store(op) || op == SNI_KOP_CHECK_INDEX || op == SNI_KOP_REDUCE)
      return sni_tree_fail_item(v, "an effect stands before a grid loop");
  }
  return SN_OK;
}

static sn_status verify_schedule(const sni_tree_verifier *v) {
  const sni_schedule *s = &v->schedule[v->item];
  const sni_item *item = &v->items[v->item];
  if (item->kind != SNI_ITEM_LOOP) {
    return sni_tree_is_zero_bytes(s, sizeof(*s))
               ? SN_OK
               : sni_tree_fail_item(v, "it is no loop but has a schedule");
  }
  if (s->grid > 1 || s->lanes > 1 || !sni_tree_is_zero_bytes(s->reserved, sizeof(s->reserved)))
    return sni_tree_fail_item(v, "its schedule is malformed");
  if (!s->grid && s->grain) return sni_tree_fail_item(v, "it is no grid loop but has a grain");
  if (s->grid) SNI_TRY(verify_grid(v));
  if (!s->lanes) return SN_OK;
  const bool runs =
      item->as.loop.kind == SNI_LOOP_PARALLEL ||
      (item->as.loop.kind == SNI_LOOP_REDUCE && item->as.loop.order == SNI_ORDER_LANES);
  if (!runs) return sni_tree_fail_item(v, "its iterations have an order that lanes break");
  for (uint32_t i = item->parent; i != SNI_NO_ITEM; i = v->items[i].parent)
    if (v->schedule[i].lanes) return sni_tree_fail_item(v, "a loop around it has lanes already");
  return SN_OK;
}

// What may stand at the top level, and in which order. before: the item before, or SNI_NO_ITEM.
static sn_status verify_top(const sni_tree_verifier *v, uint32_t before) {
  const uint16_t kind = v->items[v->item].kind;
  const uint16_t last = before == SNI_NO_ITEM ? (uint16_t)SNI_ITEM_BARRIER : v->items[before].kind;
  const bool end = v->items[v->item].end == v->tree->n_items;
  if (kind == SNI_ITEM_IF || kind == SNI_ITEM_CONTRACT)
    return sni_tree_fail_item(v, "it stands in no loop");
  if (kind == SNI_ITEM_BARRIER && (last != SNI_ITEM_LOOP || end))
    return sni_tree_fail_item(v, "it does not stand between two roots");
  if (kind == SNI_ITEM_BLOCK && end) return sni_tree_fail_item(v, "no root follows it");
  return SN_OK;
}

// Iterations of a grid loop that holds another one belong to several units: they own no scratch.
static sn_status verify_scope(const sni_tree_verifier *v, uint32_t buffer) {
  const uint32_t scope = v->buffers[buffer].scope;
  if (scope == SNI_NO_ITEM || !v->schedule[scope].grid) return SN_OK;
  for (uint32_t i = scope + 1; i < v->items[scope].end; i = v->items[i].end)
    if (v->schedule[i].grid) return fail_buffer(v, buffer, "its scope is spread over units");
  return SN_OK;
}

typedef struct bodies {
  uint32_t open[max_open];
  uint32_t last[max_open + 1];  // item before, in each body; [0]: at the top level
  uint32_t count;
} bodies;

// Kind, place and extent of the item at hand.
static sn_status verify_place(const sni_tree_verifier *v, bodies *b) {
  const sni_item *item = &v->items[v->item];
  while (b->count && v->items[b->open[b->count - 1]].end == v->item) b->count--;
  const uint32_t parent = b->count ? b->open[b->count - 1] : SNI_NO_ITEM;
  const uint32_t limit = b->count ? v->items[parent].end : v->tree->n_items;
  unsigned depth = 0;
  if (b->count) depth = (unsigned)v->items[parent].depth + (v->items[parent].kind == SNI_ITEM_LOOP);
  if (item->kind >= SNI_ITEM_KINDS) return sni_tree_fail_item(v, "no such kind");
  if (item->reserved || !rest_is_zero(item))
    return sni_tree_fail_item(v, "an unused field is not 0");
  if (item->parent != parent) return sni_tree_fail_item(v, "its parent is wrong");
  if (item->depth != depth) return sni_tree_fail_item(v, "its depth is wrong");
  const bool body = item->kind == SNI_ITEM_LOOP || item->kind == SNI_ITEM_IF;
  if (item->end <= v->item || item->end > limit || (!body && item->end != v->item + 1))
    return sni_tree_fail_item(v, "its end is wrong");
  const uint32_t before = b->last[b->count];
  if (item->kind == SNI_ITEM_BLOCK && before != SNI_NO_ITEM &&
      v->items[before].kind == SNI_ITEM_BLOCK)
    return sni_tree_fail_item(v, "it follows another block");
  if (item->kind == SNI_ITEM_BARRIER && b->count)
    return sni_tree_fail_item(v, "it stands in a loop");
  if (item->kind == SNI_ITEM_LOOP && depth >= SNI_TREE_DEPTH)
    return sni_tree_fail_item(v, "loops are nested too deep");
  if (!b->count) SNI_TRY(verify_top(v, before));
  b->last[b->count] = v->item;
  if (!body) return SN_OK;
  if (b->count == max_open) return sni_tree_fail_item(v, "bodies are nested too deep");
  b->open[b->count++] = v->item;
  b->last[b->count] = SNI_NO_ITEM;
  return SN_OK;
}

static sn_status verify_items(sni_tree_verifier *v) {
  bodies b = {.last = {SNI_NO_ITEM}};
  bool root = false;
  for (v->item = 0; v->item < v->tree->n_items; v->item++) {
    const sni_item *item = &v->items[v->item];
    SNI_TRY(verify_place(v, &b));
    switch ((sni_item_kind)item->kind) {
      case SNI_ITEM_LOOP:
        root = true;
        SNI_TRY(verify_loop(v));
        break;
      case SNI_ITEM_BLOCK:
        SNI_TRY(sni_tree_verify_block(v));
        break;
      case SNI_ITEM_CONTRACT:
        SNI_TRY(sni_tree_verify_contract(v));
        break;
      case SNI_ITEM_IF:
        SNI_TRY(sni_tree_verify_condition(v));
        break;
      case SNI_ITEM_BARRIER:
      case SNI_ITEM_KINDS:
        break;
    }
    SNI_TRY(verify_schedule(v));
  }
  return root ? SN_OK : fail(v, "it has no root");
}

// Units of a root of constant extents fit an i64, and so do those of all roots together.
static sn_status verify_units(const sni_tree_verifier *v) {
  int64_t all = 0, units = 1;
  for (uint32_t i = 0; i < v->tree->n_items; i++) {
    const sni_item *item = &v->items[i];
    if (item->kind != SNI_ITEM_LOOP) continue;
    if (item->parent == SNI_NO_ITEM) {
      if (__builtin_add_overflow(all, units, &all)) return fail(v, "its units overflow");
      units = 1;
    }
    if (!v->schedule[i].grid || item->as.loop.extent.param >= 0) continue;
    const int64_t extent = item->as.loop.extent.value, grain = v->schedule[i].grain;
    if (__builtin_mul_overflow(units, extent / grain + (extent % grain != 0), &units))
      return fail(v, "its units overflow");
  }
  return __builtin_add_overflow(all, units, &all) ? fail(v, "its units overflow") : SN_OK;
}

sn_status sni_tree_verify(const sni_tree *tree, size_t bytes, sni_diag *diag) {
  sni_tree_verifier v = {.tree = tree, .diag = diag};
  SNI_TRY(verify_header(&v, bytes));
  v.items = sni_tree_items(tree);
  v.insts = sni_tree_insts(tree);
  v.buffers = sni_tree_buffers(tree);
  v.schedule = sni_tree_schedule(tree);
  for (uint32_t i = 0; i < tree->n_buffers; i++) SNI_TRY(verify_buffer(&v, i));
  SNI_TRY(verify_items(&v));
  if (v.inst != tree->n_insts) return fail(&v, "an instruction belongs to no block");
  if (v.next_access != tree->n_accesses) return fail(&v, "an access is not used");
  if (v.next_range != tree->n_ranges) return fail(&v, "a range is not used");
  if (tree->faults != v.faults) return fail(&v, "its flag for faults is wrong");
  for (uint32_t i = 0; i < tree->n_buffers; i++) {
    SNI_TRY(verify_flags(&v, i));
    SNI_TRY(verify_scope(&v, i));
  }
  if (!sni_tree_scratch_is_placed(tree)) return fail(&v, "its scratch is not laid out");
  return verify_units(&v);
}
