// Groups that repeat: the blocks of a network, the updates of its variables. One that is equal to an
// earlier group in all that a kernel is made of gets that one's kernel, with arguments of its own;
// nothing is built for it.
//
// What a kernel is made of is written down as words: the group's axes, and every node that building it
// may reach, from the members up to what is loaded, each with its op, type, attributes, constants and
// place among the members; nodes and buffers by the order in which they come up, so that f(a, a) is
// told from f(a, b). All words are compared, a hash alone decides nothing.
//
// Invariant: building reads nothing of a graph that is not among the words (build_nests.c and what it
// calls), so equal words make equal kernels.
#include "passes/lower/body.h"
#include "passes/lower/fuse_groups.h"

#include <string.h>

// A group that has been built.
typedef struct built {
  uint64_t hash;
  const uint64_t *words;
  const sni_fate *kept;       // per node: what became of it here; NONE: nothing
  const uint32_t *arguments;  // per slot of the command: number among the group's slots
  uint32_t n_words, n_nodes, command;
} built;

struct sni_same_groups {
  sni_lowering *l;
  sni_arena *arena;
  built *items;
  uint32_t count, capacity;
  uint32_t *table;  // open addressing: number of the item + 1
  uint32_t n_table;
  // of the group at hand
  uint32_t group;
  uint64_t *words;
  sni_node_id *nodes;
  uint32_t *slots;
  uint32_t n_words, n_nodes, n_slots, words_capacity, nodes_capacity, slots_capacity;
  uint32_t *node_number, *slot_number;  // + 1, valid where the item of this number is the node
};

sn_status sni_same_groups_create(sni_lowering *l, sni_arena *arena, sni_same_groups **out) {
  sni_same_groups *s = SNI_ARENA_NEW(arena, sni_same_groups);
  *out = s;
  if (!s) return sni_fail_memory(l->diag, sizeof *s, "groups alike");
  s->l = l;
  s->arena = arena;
  s->n_table = 16;
  while (s->n_table < 2 * l->n_order) s->n_table *= 2;
  s->table = SNI_ARENA_ARRAY(arena, uint32_t, s->n_table);
  s->node_number = SNI_ARENA_ARRAY(arena, uint32_t, l->graph->n_nodes + 1);
  s->slot_number = SNI_ARENA_ARRAY(arena, uint32_t, l->n_slots + 1);
  if (!s->table || !s->node_number || !s->slot_number)
    return sni_fail_memory(l->diag, l->graph->n_nodes * sizeof(uint32_t), "groups alike");
  return SN_OK;
}

// ---- a group as words

static sn_status put(sni_same_groups *s, uint64_t word) {
  SNI_TRY(sni_arena_grow(s->arena, s->l->diag, (void **)&s->words, &s->words_capacity,
                         s->n_words + 1, sizeof *s->words));
  s->words[s->n_words++] = word;
  return SN_OK;
}

static sn_status put_slot(sni_same_groups *s, int32_t slot) {
  if (slot < 0) return put(s, 0);
  const uint32_t number = s->slot_number[slot];
  if (number >= s->n_slots || s->slots[number] != (uint32_t)slot) {
    SNI_TRY(sni_arena_grow(s->arena, s->l->diag, (void **)&s->slots, &s->slots_capacity,
                           s->n_slots + 1, sizeof *s->slots));
    s->slot_number[slot] = s->n_slots;
    s->slots[s->n_slots++] = (uint32_t)slot;
  }
  const uint64_t is_new_variable = s->l->slots[slot].kind == SNI_SLOT_NEW_VARIABLE;
  const uint64_t leaves = sni_leaves_the_caches(s->l, slot);
  return put(s, (uint64_t)s->slot_number[slot] << 3 | is_new_variable << 2 | leaves << 1 | 1);
}

static sn_status put_dims(sni_same_groups *s, const sni_dim *dims, int n) {
  for (int i = 0; i < n; i++) SNI_TRY(put(s, (uint64_t)dims[i]));
  return SN_OK;
}

static sn_status put_element(sni_same_groups *s, const sni_node *node) {
  uint64_t word = 0;
  memcpy(&word, node->data, sn_dtype_size(node->type.dtype));
  return put(s, word);
}

static sn_status put_selection(sni_same_groups *s, const sni_selection *selection) {
  for (int d = 0; d < SN_MAX_RANK; d++) SNI_TRY(put(s, (uint64_t)(selection->axis[d] + 1)));
  return SN_OK;
}

static bool is_numbered(const sni_same_groups *s, sni_node_id id) {
  const uint32_t number = s->node_number[id];
  return number < s->n_nodes && s->nodes[number] == id;
}

// Every node once; where it comes up again, its number. Depth of recursion: the region's, which fusion
// bounds.
static sn_status put_node(sni_same_groups *s, sni_node_id id) {
  const sni_lowering *l = s->l;
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_fusion_node *state = &l->nodes[id];
  if (is_numbered(s, id)) return put(s, (uint64_t)s->node_number[id] << 1 | 1);
  SNI_TRY(sni_arena_grow(s->arena, l->diag, (void **)&s->nodes, &s->nodes_capacity, s->n_nodes + 1,
                         sizeof *s->nodes));
  s->node_number[id] = s->n_nodes;
  s->nodes[s->n_nodes++] = id;
  const bool member = state->group == (int32_t)s->group;
  const bool loaded = state->materialised && !member;
  SNI_TRY(put(s, (uint64_t)node->type.rank << 40 | (uint64_t)node->type.dtype << 32 |
                     (uint64_t)state->materialised << 3 | (uint64_t)member << 2));
  SNI_TRY(put_dims(s, node->type.dims, node->type.rank));
  if (state->materialised) SNI_TRY(put_slot(s, state->slot));
  if (loaded) return SN_OK;
  if (member) SNI_TRY(put_selection(s, &state->selection));
  SNI_TRY(put(s, (uint64_t)node->op << 32 | (uint64_t)node->n_operands << 16 | node->n_attrs));
  SNI_TRY(put_dims(s, node->attrs, node->n_attrs));
  if (sni_is_constant(node)) SNI_TRY(put_element(s, node));
  for (int i = 0; i < node->n_operands; i++) SNI_TRY(put_node(s, node->operands[i]));
  return SN_OK;
}

static sn_status describe(sni_same_groups *s, uint32_t number) {
  const sni_group *g = &s->l->groups[number];
  s->group = number;
  s->n_words = s->n_nodes = s->n_slots = 0;
  SNI_TRY(put(s, (uint64_t)g->order << 32 | (uint64_t)(g->cut + 1) << 16 | (uint64_t)g->n_axes));
  SNI_TRY(put(s, g->inner));
  SNI_TRY(put(s, (uint64_t)g->chunk));
  SNI_TRY(put_dims(s, g->extent, g->n_axes));
  SNI_TRY(put(s, g->n_members));
  for (uint32_t m = 0; m < g->n_members; m++) SNI_TRY(put_node(s, g->members[m]));
  return g->contraction == SNI_NO_NODE ? SN_OK : put_node(s, g->contraction);
}

// ---- groups that have been built

// The place of the group at hand in the table.
static uint32_t *find(const sni_same_groups *s, uint64_t hash) {
  for (uint32_t at = (uint32_t)hash & (s->n_table - 1);; at = (at + 1) & (s->n_table - 1)) {
    if (!s->table[at]) return &s->table[at];
    const built *b = &s->items[s->table[at] - 1];
    if (b->hash == hash && b->n_words == s->n_words &&
        !memcmp(b->words, s->words, s->n_words * sizeof *s->words))
      return &s->table[at];
  }
}

static sn_status take_kernel(sni_same_groups *s, const built *b) {
  sni_lowering *l = s->l;
  sni_plan_command c = l->commands[b->command];
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, c.n_slots + 1);
  if (!slots) return sni_fail_memory(l->diag, c.n_slots * sizeof *slots, "a kernel");
  for (uint32_t i = 0; i < c.n_slots; i++) slots[i] = s->slots[b->arguments[i]];
  for (uint32_t i = 0; i < b->n_nodes; i++)
    if (b->kept[i] != SNI_FATE_NONE) l->nodes[s->nodes[i]].kept = b->kept[i];
  c.slots = slots;
  c.location = sni_graph_node(l->graph, s->nodes[0])->location;  // the first member's
  l->kernels[c.kernel_number].n_uses++;
  return sni_add_command(l, &c);
}

// The command's slots by their numbers in the group.
static sn_status number_arguments(sni_same_groups *s, built *b) {
  const sni_lowering *l = s->l;
  const sni_plan_command *c = &l->commands[b->command];
  uint32_t *arguments = SNI_ARENA_ARRAY(s->arena, uint32_t, c->n_slots + 1);
  if (!arguments) return sni_fail_memory(l->diag, c->n_slots * sizeof *arguments, "groups alike");
  for (uint32_t i = 0; i < c->n_slots; i++) {
    arguments[i] = s->slot_number[c->slots[i]];
    sni_assert(arguments[i] < s->n_slots && s->slots[arguments[i]] == c->slots[i]);  // in the words
  }
  b->arguments = arguments;
  return SN_OK;
}

// Builds the group and notes what building it did to others than its own command.
static sn_status build(sni_same_groups *s, sni_fate *kept) {
  sni_lowering *l = s->l;
  for (uint32_t i = 0; i < s->n_nodes; i++) {
    kept[i] = l->nodes[s->nodes[i]].kept;
    l->nodes[s->nodes[i]].kept = SNI_FATE_NONE;
  }
  SNI_TRY(sni_build_region(l, s->group));
  for (uint32_t i = 0; i < s->n_nodes; i++) {
    sni_fusion_node *state = &l->nodes[s->nodes[i]];
    const sni_fate before = kept[i];
    kept[i] = state->kept;
    if (state->kept == SNI_FATE_NONE) state->kept = before;
  }
  return SN_OK;
}

sn_status sni_build_or_reuse(sni_same_groups *s, uint32_t group) {
  sni_lowering *l = s->l;
  SNI_TRY(describe(s, group));
  const uint64_t hash = sni_hash_bytes(0x5a3e, s->words, s->n_words * sizeof *s->words);
  uint32_t *place = find(s, hash);
  if (*place) return take_kernel(s, &s->items[*place - 1]);
  const uint32_t n_slots = l->n_slots;
  sni_fate *kept = SNI_ARENA_ARRAY(s->arena, sni_fate, s->n_nodes + 1);
  if (!kept) return sni_fail_memory(l->diag, s->n_nodes * sizeof *kept, "groups alike");
  built b = {.hash = hash, .n_words = s->n_words, .n_nodes = s->n_nodes, .command = l->n_commands};
  SNI_TRY(build(s, kept));
  // It has a buffer of its own, or a message that names its own places.
  if (l->n_slots != n_slots || l->commands[b.command].fault) return SN_OK;
  b.kept = kept;
  b.words = sni_arena_copy(s->arena, s->words, s->n_words * sizeof *s->words);
  if (!b.words) return sni_fail_memory(l->diag, s->n_words * sizeof *s->words, "groups alike");
  SNI_TRY(number_arguments(s, &b));
  SNI_TRY(sni_arena_grow(s->arena, l->diag, (void **)&s->items, &s->capacity, s->count + 1,
                         sizeof *s->items));
  s->items[s->count++] = b;
  *place = s->count;
  return SN_OK;
}
