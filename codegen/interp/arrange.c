// First step of flattening: a copy of the tree whose schedule says how the interpreter runs it.
// Contractions that can be run in tiles get their lanes along n, or along m where there are very
// few columns, since vectors along n would stay empty then. Sequential loops of plain blocks get
// lanes where steps keep the order of their stores, and of what they carry (scans.c). Short rows and
// reductions inside a loop with lanes are folded into it (folds.c).
//
// Invariant: nothing of the meaning changes, bits included. What has no lanes here is run one index
// after the other, and contractions that are not tiled as a loop over k.
#include "codegen/interp/flatten.h"

enum { narrow = 4 };  // columns

static bool contains(const sni_flattener *t, uint32_t loop, uint32_t item) {
  return loop < item && item < t->items[loop].end;
}

bool sni_flatten_may_meet(const sni_flattener *t, uint32_t a, uint32_t b) {
  const sni_tree_buffer *buffers = sni_tree_buffers(t->tree);
  return a == b || (buffers[a].shared && buffers[b].shared);
}

static uint32_t buffer_of(const sni_flattener *t, uint32_t access) {
  return sni_tree_accesses(t->tree)[access].buffer;
}

// Instruction `number` reads or writes memory that may meet the buffer.
bool sni_flatten_accesses(const sni_flattener *t, uint32_t number, uint32_t buffer) {
  const sni_tree_inst *inst = &t->all[number];
  if (sni_kop_has_access((sni_kop)inst->op))
    return sni_flatten_may_meet(t, buffer_of(t, inst->access), buffer);
  if (inst->op != SNI_KOP_CONTRACTION) return false;
  const sni_contract_item *c = &t->items[t->facts[number].item].as.contract;
  uint32_t accesses[3];
  bool meets = false;
  for (int i = sni_contract_accesses(c, accesses); i-- > 0;)
    meets |= sni_flatten_may_meet(t, buffer_of(t, accesses[i]), buffer);
  return meets;
}

// ---- lanes

// A store of a sequential loop is in order when it is the one instruction that touches its memory,
// directly in the loop: the lanes of one step are in order.
static bool store_in_order(const sni_flattener *t, uint32_t loop, uint32_t store) {
  if (t->items[t->facts[store].item].parent != loop) return false;
  for (uint32_t i = 0; i < t->tree->n_insts; i++)
    if (i != store && contains(t, loop, t->facts[i].item) &&
        sni_flatten_accesses(t, i, buffer_of(t, t->all[store].access)))
      return false;
  return true;
}

static bool may_have_lanes(sni_flattener *t, uint32_t loop) {
  if (t->items[loop].as.loop.kind != SNI_LOOP_SEQUENTIAL) return false;
  for (uint32_t i = loop + 1; i < t->items[loop].end; i++)
    if (t->items[i].kind != SNI_ITEM_BLOCK) return false;
  for (uint32_t i = 0; i < t->tree->n_insts; i++) {
    const sni_kop op = (sni_kop)t->all[i].op;
    if (t->items[t->facts[i].item].parent != loop) continue;
    if (op == SNI_KOP_REDUCE) return false;
    if (sni_kop_is_store(op) && !store_in_order(t, loop, i)) return false;
  }
  return sni_flatten_find_scans(t, loop);
}

// No loop around has lanes, or one that runs once and may as well do without.
static bool lanes_are_free(const sni_flattener *t, uint32_t loop) {
  const uint32_t around = t->item_facts[loop].lanes;
  if (around == SNI_NO_ITEM) return true;
  const sni_loop_item *of = &t->items[around].as.loop;
  return around != loop && of->kind == SNI_LOOP_PARALLEL && sni_extent_is(of->extent, 1);
}

// ---- products

// The operand is the same before the loop m as in it.
static bool operand_stays(const sni_flattener *t, uint32_t m, uint32_t access) {
  const uint32_t buffer = buffer_of(t, access);
  for (uint32_t i = 0; i < t->tree->n_insts; i++)
    if (sni_kop_is_store((sni_kop)t->all[i].op) && contains(t, m, t->facts[i].item) &&
        sni_flatten_may_meet(t, buffer_of(t, t->all[i].access), buffer))
      return false;
  return true;
}

// The loop m around a contraction whose rows may be computed in any order and before all else, or
// SNI_NO_ITEM.
static uint32_t tiled_loop(const sni_flattener *t, uint32_t contract) {
  const uint32_t n = t->items[contract].parent, m = t->items[n].parent;
  const uint32_t around = t->items[m].parent;
  if (t->items[n].end != t->items[m].end) return SNI_NO_ITEM;
  for (uint32_t i = m + 1; i < n; i++)
    if (t->items[i].kind != SNI_ITEM_BLOCK || t->item_facts[i].effects) return SNI_NO_ITEM;
  if (around != SNI_NO_ITEM && t->item_facts[around].lanes != SNI_NO_ITEM) return SNI_NO_ITEM;
  const sni_contract_item *c = &t->items[contract].as.contract;
  return operand_stays(t, m, c->lhs) && operand_stays(t, m, c->rhs) ? m : SNI_NO_ITEM;
}

static bool is_narrow(const sni_flattener *t, uint32_t m, uint32_t n) {
  const sni_extent rows = t->items[m].as.loop.extent, columns = t->items[n].as.loop.extent;
  return columns.param < 0 && columns.value <= narrow &&
         (rows.param >= 0 || rows.value > columns.value);
}

// Nothing in the body of n stands in the way of lanes along `lanes`: no lanes of its own, no
// condition that differs from lane to lane.
static bool body_fits(const sni_flattener *t, uint32_t n, uint32_t lanes) {
  for (uint32_t i = n + 1; i < t->items[n].end; i++) {
    if (sni_tree_schedule(t->tree)[i].lanes) return false;
    if (t->items[i].kind == SNI_ITEM_IF &&
        t->facts[t->items[i].as.condition].varies >> t->items[lanes].depth & 1)
      return false;
  }
  return true;
}

// A contraction of several axes has no steps of its own: lanes of a loop around n go to n, where they
// may.
static void bring_lanes(sni_flattener *t, uint32_t contract) {
  const uint32_t n = t->items[contract].parent;
  sni_schedule *schedule = sni_tree_schedule(t->tree);
  for (uint32_t i = t->items[n].parent; i != SNI_NO_ITEM; i = t->items[i].parent)
    schedule[i].lanes = false;
  schedule[n].lanes = body_fits(t, n, n);
}

// All contractions of one loop n go together.
static bool choose_tile(sni_flattener *t, uint32_t contract) {
  const uint32_t n = t->items[contract].parent;
  uint32_t m = SNI_NO_ITEM;
  for (uint32_t i = n + 1; i < t->items[n].end; i++) {
    if (t->items[i].kind != SNI_ITEM_CONTRACT) continue;
    if (t->items[i].parent == n) m = tiled_loop(t, i);
    if (t->items[i].parent != n || m == SNI_NO_ITEM) return false;
  }
  const uint32_t lanes = is_narrow(t, m, n) ? m : n;
  if (!body_fits(t, n, lanes)) return false;
  sni_schedule *schedule = sni_tree_schedule(t->tree);
  t->tiled[m] = true;
  schedule[m].lanes = lanes == m;
  schedule[n].lanes = lanes == n;
  return true;
}

// ---- the copy

static void *allocate(sni_flattener *t, size_t count, size_t size) {
  void *items = t->status ? NULL : sni_arena_alloc_zeroed(t->arena, count * size);
  if (!items && !t->status) t->status = sni_fail_memory(t->diag, count * size, "an interpreter");
  return items;
}

void sni_flatten_arrange(sni_flattener *t, const sni_tree *expanded) {
  sni_tree *tree = sni_arena_copy(t->arena, expanded, expanded->bytes);
  if (!tree) t->status = sni_fail_memory(t->diag, expanded->bytes, "an interpreter");
  t->facts = allocate(t, expanded->n_insts, sizeof(*t->facts));
  t->item_facts = allocate(t, expanded->n_items, sizeof(*t->item_facts));
  t->tiled = allocate(t, expanded->n_items, sizeof(*t->tiled));
  t->folds = allocate(t, expanded->n_items, sizeof(*t->folds));
  t->scan_at = allocate(t, expanded->n_insts, sizeof(*t->scan_at));
  if (t->status) return;
  t->tree = tree;
  t->items = sni_tree_items(tree);
  t->all = sni_tree_insts(tree);
  sni_tree_find_facts(tree, t->facts, t->item_facts);
  sni_schedule *schedule = sni_tree_schedule(tree);
  bool changed = false;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    if (t->items[i].kind != SNI_ITEM_CONTRACT) continue;
    const bool tiled = choose_tile(t, i), several = t->items[i].as.contract.n_k > 1;
    if (!tiled && several) bring_lanes(t, i);
    changed |= tiled || several;
  }
  for (uint32_t i = 0; i < tree->n_items; i++) {
    if (t->items[i].kind != SNI_ITEM_LOOP || !lanes_are_free(t, i) || !may_have_lanes(t, i))
      continue;
    const uint32_t around = t->item_facts[i].lanes;
    if (around != SNI_NO_ITEM) schedule[around].lanes = false;
    schedule[i].lanes = changed = true;
  }
  if (changed) sni_tree_find_facts(tree, t->facts, t->item_facts);
  sni_flatten_find_folds(t);
}
