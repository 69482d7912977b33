// Kernels that differ in numbers alone become one, which takes these numbers as parameters: the
// updates of variables of many sizes, the pieces of a concat, the steps of a loop with a constant of
// its own. One is compiled then instead of many.
//
// In a list (join_commands.c) two kernels are enough, and in one of four parts short extents vary
// too: one that is known late costs 3 ns, a kernel more milliseconds of compilation.
//
// Invariant: only numbers that a kernel's code does not gain from are taken: extents of grid loops
// that are long, offsets, strides along grid loops outside the lanes, constants of simple
// operations. Nothing that runs computes another bit.
#include "codegen/kernel/tree_copy.h"
#include "passes/lower/group.h"

#include <string.h>

enum {
  long_extent = 512,     // iterations from which it does not matter that their number is known late
  most_new_params = 64,  // of a kernel
  most_tries = 4096,     // comparisons of kernels of one element with others
  least_kernels = 4      // that differ: each number that is known late costs a little
};
static const int64_t taken = INT64_MIN + 0x51a9e;  // stands for a number that was taken

// A number of a tree. at: bytes from its beginning, of a sni_extent or of an instruction's immediate.
typedef struct place {
  uint32_t at;
  uint32_t inst;  // of a constant; SNI_NO_VALUE: a sni_extent
  int32_t param;  // number of the new parameter; -1: all kernels have one value
} place;

typedef struct place_list {
  place *items;
  uint32_t count, capacity;
} place_list;

typedef struct sharer {
  sni_lowering *l;
  sni_arena scratch;
  bool *short_too;  // per command: its short extents may vary; NULL: all may
  bool *simple;     // per instruction: nobody depends on its being constant
  uint32_t simple_capacity;
  char *skeleton;  // of the kernel at hand
  uint32_t skeleton_capacity;
  place_list places;  // of the kernel at hand
  struct use *uses;   // see use_of
} sharer;

// ---- the numbers of one tree
static sn_status add_place(sharer *s, place_list *list, const sni_tree *tree, const void *at,
                           uint32_t inst) {
  SNI_TRY(sni_arena_grow(&s->scratch, s->l->diag, (void **)&list->items, &list->capacity,
                         list->count + 1, sizeof *list->items));
  const uint32_t offset = (uint32_t)((const char *)at - (const char *)tree);
  list->items[list->count++] = (place){offset, inst, -1};
  return SN_OK;
}

static sn_status find_simple(sharer *s, const sni_tree *tree) {
  const sni_tree_inst *insts = sni_tree_insts(tree);
  SNI_TRY(sni_arena_grow(&s->scratch, s->l->diag, (void **)&s->simple, &s->simple_capacity,
                         tree->n_insts + 1, sizeof *s->simple));
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    s->simple[i] = insts[i].op == SNI_KOP_CONST && insts[i].dtype != SN_BOOL &&
                   sni_is_compute((sn_dtype)insts[i].dtype);
    for (int o = 0; o < sni_kop_infos[insts[i].op].operands; o++)
      if (sni_kop_infos[insts[i].op].math) s->simple[insts[i].operands[o]] = false;
  }
  return SN_OK;
}

// bit d: the loop at depth d is a grid loop that does not run in lanes.
static uint32_t outer_depths(const sni_tree *tree) {
  uint32_t depths = 0;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    const sni_schedule *schedule = &sni_tree_schedule(tree)[i];
    if (schedule->grid && !schedule->lanes) depths |= 1u << sni_tree_items(tree)[i].depth;
  }
  return depths;
}

static sn_status add_numbers(sharer *s, place_list *list, const sni_tree *tree,
                             const sni_extent *offset, const sni_extent *stride, uint32_t depths) {
  if (offset->param < 0) SNI_TRY(add_place(s, list, tree, offset, SNI_NO_VALUE));
  for (int d = 0; d < SNI_TREE_DEPTH; d++)
    if ((depths >> d & 1) && stride[d].param < 0 && stride[d].value != 0)
      SNI_TRY(add_place(s, list, tree, &stride[d], SNI_NO_VALUE));
  return SN_OK;
}

static sn_status find_places(sharer *s, const sni_tree *tree, int64_t least_extent,
                             place_list *out) {
  const uint32_t depths = outer_depths(tree);
  out->count = 0;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    const sni_extent *extent = &sni_tree_items(tree)[i].as.loop.extent;
    if (sni_tree_schedule(tree)[i].grid && extent->param < 0 && extent->value >= least_extent)
      SNI_TRY(add_place(s, out, tree, extent, SNI_NO_VALUE));
  }
  for (uint32_t i = 0; i < tree->n_accesses; i++) {
    const sni_tree_access *a = &sni_tree_accesses(tree)[i];
    SNI_TRY(add_numbers(s, out, tree, &a->offset, a->stride, depths));
  }
  for (uint32_t i = 0; i < tree->n_ranges; i++) {
    const sni_tree_range *r = &sni_tree_ranges(tree)[i];
    SNI_TRY(add_numbers(s, out, tree, &r->offset, r->stride, depths));
    if (r->extent.param < 0) SNI_TRY(add_place(s, out, tree, &r->extent, SNI_NO_VALUE));
  }
  SNI_TRY(find_simple(s, tree));
  for (uint32_t i = 0; i < tree->n_insts; i++)
    if (s->simple[i]) SNI_TRY(add_place(s, out, tree, &sni_tree_insts(tree)[i].imm.words[0], i));
  return SN_OK;
}

static int64_t *number_at(const sni_tree *tree, const place *p) {
  return (int64_t *)(void *)((char *)(uintptr_t)tree + p->at);
}

// A lanes loop over the grid has a grain of its own, which its extent may have bounded.
static bool has_free_grain(const sni_tree *tree, uint32_t item, int64_t least_extent) {
  const sni_loop_item *loop = &sni_tree_items(tree)[item].as.loop;
  const sni_schedule *schedule = &sni_tree_schedule(tree)[item];
  return schedule->grid && schedule->lanes && loop->extent.param < 0 &&
         loop->extent.value >= least_extent;
}

// One loop over the grid: of the operations on each element a short extent changes no more than a
// masked end.
static bool is_plain(const sni_tree *tree) {
  uint32_t n_loops = 0, n_grid = 0;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    n_loops += sni_tree_items(tree)[i].kind == SNI_ITEM_LOOP;
    n_grid += sni_tree_schedule(tree)[i].grid;
  }
  return n_loops == 1 && n_grid == 1;
}

static bool varies(const sharer *s, uint32_t command) {
  return !s->short_too || s->short_too[command];
}

static int64_t least_extent_of(const sharer *s, uint32_t command) {
  return varies(s, command) && is_plain(s->l->commands[command].kernel) ? 1 : long_extent;
}

static bool may_share(const sni_plan_command *c) {
  if (!c->kernel) return false;
  for (uint32_t i = 0; i < c->kernel->n_items; i++)
    if (sni_tree_items(c->kernel)[i].kind == SNI_ITEM_CONTRACT) return false;
  return true;
}

// ---- kernels alike
// The tree without the numbers that may be taken; until the next call.
static sn_status make_skeleton(sharer *s, uint32_t command, const sni_tree **out) {
  const sni_tree *tree = s->l->commands[command].kernel;
  const int64_t least_extent = least_extent_of(s, command);
  SNI_TRY(sni_arena_grow(&s->scratch, s->l->diag, (void **)&s->skeleton, &s->skeleton_capacity,
                         tree->bytes, 1));
  sni_tree *skeleton = (sni_tree *)(void *)s->skeleton;
  memcpy(skeleton, tree, tree->bytes);
  for (uint32_t i = 0; i < tree->n_items; i++)
    if (has_free_grain(tree, i, least_extent)) sni_tree_schedule(skeleton)[i].grain = 1;
  SNI_TRY(find_places(s, tree, least_extent, &s->places));
  for (uint32_t i = 0; i < s->places.count; i++) *number_at(skeleton, &s->places.items[i]) = taken;
  *out = skeleton;
  return SN_OK;
}

typedef struct command_list {
  uint32_t *items;
  uint32_t count, capacity;
} command_list;

typedef struct family {
  const sni_tree *skeleton;
  uint64_t hash;
  command_list members;
  command_list kernels;  // the first member of each kernel; what is done for one is done for all
  uint32_t changes;      // members that are not like the one before
  bool joins;            // some are in lists
} family;

// A kernel as commands run it that agree on what may vary.
typedef struct use {
  uint32_t family;  // number + 1; 0: not known yet; SNI_ALONE: none
  uint32_t number;  // in the family's kernels
} use;

static use *use_of(const sharer *s, uint32_t command) {
  return &s->uses[2 * s->l->commands[command].kernel_number + varies(s, command)];
}

static sn_status add_command(sharer *s, command_list *list, uint32_t command) {
  SNI_TRY(sni_arena_grow(&s->scratch, s->l->diag, (void **)&list->items, &list->capacity,
                         list->count + 1, sizeof *list->items));
  list->items[list->count++] = command;
  return SN_OK;
}

// By skeletons: number + 1.
typedef struct family_table {
  family *families;
  uint32_t count, n_slots;
  uint32_t *slots;
} family_table;

static sn_status find_family(sharer *s, family_table *t, uint32_t command, use *out) {
  const sni_tree *skeleton = NULL;
  SNI_TRY(make_skeleton(s, command, &skeleton));
  const uint64_t hash = sni_tree_hash(skeleton, true);
  uint32_t at = (uint32_t)hash & (t->n_slots - 1);
  for (; t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
    const family *f = &t->families[t->slots[at] - 1];
    if (f->hash == hash && sni_tree_equal(f->skeleton, skeleton, true)) break;
  }
  if (!t->slots[at]) {
    skeleton = sni_arena_copy(&s->scratch, skeleton, skeleton->bytes);
    if (!skeleton) return sni_fail_memory(s->l->diag, sizeof *skeleton, "kernels alike");
    t->families[t->count] = (family){.skeleton = skeleton, .hash = hash};
    t->slots[at] = ++t->count;
  }
  family *f = &t->families[t->slots[at] - 1];
  *out = (use){t->slots[at], f->kernels.count};
  return add_command(s, &f->kernels, command);
}

static sn_status find_families(sharer *s, family *families, uint32_t *out_count) {
  const sni_lowering *l = s->l;
  family_table t = {.families = families, .n_slots = 16};
  while (t.n_slots < 2 * l->n_commands) t.n_slots *= 2;
  t.slots = SNI_ARENA_ARRAY(&s->scratch, uint32_t, t.n_slots);
  s->uses = SNI_ARENA_ARRAY(&s->scratch, use, 2 * (size_t)l->n_kernels + 1);
  if (!t.slots || !s->uses)
    return sni_fail_memory(l->diag, l->n_kernels * sizeof(use), "kernels alike");
  for (uint32_t c = 0; c < l->n_commands; c++) {
    if (!l->commands[c].kernel) continue;
    use *u = use_of(s, c);
    if (!u->family && !may_share(&l->commands[c])) u->family = SNI_ALONE;
    if (!u->family) SNI_TRY(find_family(s, &t, c, u));
    if (u->family == SNI_ALONE) continue;
    family *f = &families[u->family - 1];
    SNI_TRY(add_command(s, &f->members, c));
    const uint32_t before = f->members.items[f->members.count > 1 ? f->members.count - 2 : 0];
    f->changes += !sni_same_kernel(l, before, c);
    f->joins |= l->list_of && l->list_of[c] != SNI_ALONE;
  }
  *out_count = t.count;
  return SN_OK;
}

// ---- one kernel for a family
typedef struct number_list {
  int64_t *values;  // [place][kernel]
  uint32_t n_kernels;
} number_list;

static bool same_numbers(const number_list *n, uint32_t a, uint32_t b) {
  const size_t bytes = n->n_kernels * sizeof *n->values;
  return !memcmp(n->values + (size_t)a * n->n_kernels, n->values + (size_t)b * n->n_kernels, bytes);
}

static bool is_constant(const number_list *n, uint32_t place_number) {
  const int64_t *values = n->values + (size_t)place_number * n->n_kernels;
  for (uint32_t k = 1; k < n->n_kernels; k++)
    if (values[k] != values[0]) return false;
  return true;
}

// The bits that a constant is made of; other numbers as they are.
static int64_t number_of(const sni_tree *tree, const place *p) {
  if (p->inst == SNI_NO_VALUE) return *number_at(tree, p);
  const sni_tree_inst *inst = &sni_tree_insts(tree)[p->inst];
  if (inst->dtype != SN_F32) return inst->imm.words[0];
  const float f = (float)inst->imm.f;
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

static sn_status read_numbers(sharer *s, const family *f, place_list *places, number_list *out) {
  out->n_kernels = f->kernels.count;
  for (uint32_t k = 0; k < f->kernels.count; k++) {
    const uint32_t command = f->kernels.items[k];
    const sni_tree *tree = s->l->commands[command].kernel;
    SNI_TRY(find_places(s, tree, least_extent_of(s, command), k ? &s->places : places));
    if (k == 0) {
      out->values =
          SNI_ARENA_ARRAY(&s->scratch, int64_t, (size_t)places->count * out->n_kernels + 1);
      if (!out->values) return sni_fail_memory(s->l->diag, places->count, "kernels alike");
    }
    for (uint32_t p = 0; p < places->count; p++)
      out->values[(size_t)p * out->n_kernels + k] = number_of(tree, &places->items[p]);
  }
  return SN_OK;
}

// Gives parameters to what differs; what differs alike has one. Gives their count.
static uint32_t choose_params(place_list *places, const number_list *numbers, uint32_t first) {
  uint32_t count = 0;
  for (uint32_t p = 0; p < places->count; p++) {
    place *here = &places->items[p];
    if (is_constant(numbers, p)) continue;
    for (uint32_t q = 0; q < p && here->param < 0; q++)
      if (places->items[q].param >= 0 && same_numbers(numbers, p, q))
        here->param = places->items[q].param;
    if (here->param < 0) here->param = (int32_t)(first + count++);
  }
  return count;
}

// A constant becomes the parameter that has its bits.
static bool replace_constant(sni_tree_copier *copy, uint32_t number) {
  const place_list *places = copy->user;
  const sni_tree_inst *inst = &sni_tree_insts(copy->tree)[number];
  const place *found = NULL;
  if (inst->op != SNI_KOP_CONST) return false;
  for (uint32_t i = 0; i < places->count && !found; i++) {
    const place *p = &places->items[i];
    if (p->inst == number && p->param >= 0) found = p;
  }
  if (!found) return false;
  const bool is_narrow = inst->dtype == SN_F32 || inst->dtype == SN_I32;
  sni_tree_inst param = {.op = SNI_KOP_PARAM, .dtype = SN_I64};
  param.imm.size = sni_extent_param(found->param);
  uint32_t value = sni_tree_add_inst(&copy->build, param);
  if (is_narrow)
    value = sni_tree_add_inst(
        &copy->build,
        (sni_tree_inst){
            .op = SNI_KOP_CAST, .dtype = SN_I32, .source = SN_I64, .operands = {value}});
  if (sni_is_float((sn_dtype)inst->dtype))
    value = sni_tree_add_inst(&copy->build, (sni_tree_inst){.op = SNI_KOP_BITCAST,
                                                            .dtype = inst->dtype,
                                                            .source = is_narrow ? SN_I32 : SN_I64,
                                                            .operands = {value}});
  copy->values[number] = value;
  return true;
}

static sn_status make_general(sharer *s, const family *f, place_list *places, uint32_t n_params,
                              sni_tree **out) {
  sni_lowering *l = s->l;
  const sni_tree *first = l->commands[f->kernels.items[0]].kernel;
  sni_tree *tree = sni_arena_copy(&s->scratch, first, first->bytes);
  if (!tree) return sni_fail_memory(l->diag, first->bytes, "kernels alike");
  for (uint32_t i = 0; i < places->count; i++) {
    const place *p = &places->items[i];
    if (p->param < 0 || p->inst != SNI_NO_VALUE) continue;
    const sni_extent extent = sni_extent_param(p->param);
    memcpy((char *)tree + p->at, &extent, sizeof extent);
  }
  for (uint32_t k = 1; k < f->kernels.count; k++) {
    const sni_schedule *schedule = sni_tree_schedule(l->commands[f->kernels.items[k]].kernel);
    for (uint32_t i = 0; i < tree->n_items; i++)
      if (schedule[i].grain > sni_tree_schedule(tree)[i].grain)
        sni_tree_schedule(tree)[i].grain = schedule[i].grain;
  }
  sni_tree_copier copier = {.replace = replace_constant, .user = places};
  SNI_TRY(sni_tree_copy_begin(&copier, tree, l->arena, l->diag));
  copier.build.n_params = n_params;
  SNI_TRY(sni_tree_copy_finish(&copier, out));
  return SN_OK;
}

static sn_status adapt_command(sharer *s, sni_plan_command *c, const sni_tree *general,
                               const place_list *places, const number_list *numbers,
                               uint32_t number) {
  sni_lowering *l = s->l;
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, general->n_params + 1);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, SNI_MAX_AXES);
  if (!params || !grains) return sni_fail_memory(l->diag, general->n_params, "kernels alike");
  if (c->n_params) memcpy(params, c->params, c->n_params * sizeof *params);
  for (uint32_t p = 0; p < places->count; p++) {
    const int64_t value = numbers->values[(size_t)p * numbers->n_kernels + number];
    if (places->items[p].param >= 0)
      SNI_TRY(sni_intern_number(l, value, &params[places->items[p].param]));
  }
  uint32_t axis = 0;
  for (uint32_t i = 0; i < general->n_items; i++) {
    const sni_schedule *schedule = &sni_tree_schedule(general)[i];
    if (schedule->grid && axis < c->n_extents) grains[axis++] = schedule->grain;
  }
  c->kernel = general;
  c->params = params;
  c->n_params = general->n_params;
  c->grains = grains;
  return SN_OK;
}

static sn_status share_family(sharer *s, const family *f) {
  place_list places = {0};
  number_list numbers = {0};
  sni_tree *general = NULL;
  sni_plan_command *commands = s->l->commands;
  const uint32_t before = commands[f->kernels.items[0]].n_params;
  SNI_TRY(read_numbers(s, f, &places, &numbers));
  const uint32_t count = choose_params(&places, &numbers, before);
  if (count > most_new_params) return SN_OK;
  SNI_TRY(make_general(s, f, &places, before + count, &general));
  for (uint32_t k = 0; k < f->kernels.count; k++)
    SNI_TRY(adapt_command(s, &commands[f->kernels.items[k]], general, &places, &numbers, k));
  for (uint32_t m = 0; m < f->members.count; m++) {
    sni_plan_command *c = &commands[f->members.items[m]];
    const sni_plan_command *first =
        &commands[f->kernels.items[use_of(s, f->members.items[m])->number]];
    c->kernel = first->kernel;
    c->params = first->params;
    c->n_params = first->n_params;
    c->grains = first->grains;
  }
  return SN_OK;
}

// ---- lists
static bool is_scalar(const sni_tree *tree) {
  for (uint32_t i = 0; i < tree->n_items; i++)
    if (sni_tree_schedule(tree)[i].grid &&
        !sni_extent_is(sni_tree_items(tree)[i].as.loop.extent, 1))
      return false;
  return is_plain(tree);
}

// Kernels of one element, and those of many that they may be compared with: families.
typedef struct scalar_matcher {
  const family *families;
  uint32_t *generals;
  uint32_t n_generals, n_tries;
  uint32_t *class_of;           // per command
  const sni_tree **general_of;  // per command
} scalar_matcher;

static void match_family(const sharer *s, scalar_matcher *m, const family *f) {
  const sni_plan_command *commands = s->l->commands;
  for (uint32_t g = 0; g < m->n_generals; g++) {
    const sni_tree *general = commands[m->families[m->generals[g]].kernels.items[0]].kernel;
    for (uint32_t k = 0; k < f->kernels.count; k++) {
      const uint32_t c = f->kernels.items[k];
      if (m->n_tries++ >= most_tries) return;
      if (m->general_of[c] || !sni_is_at_one(general, commands[c].kernel)) continue;
      m->general_of[c] = general;
      m->class_of[c] = m->generals[g];
    }
  }
}

// Kernels of one element join the class of others that would compute the same of one: general_of is
// the first of those.
static sn_status match_scalars(sharer *s, const family *families, uint32_t count,
                               uint32_t *class_of, const sni_tree **general_of) {
  const sni_lowering *l = s->l;
  scalar_matcher m = {families,  SNI_ARENA_ARRAY(&s->scratch, uint32_t, count + 1), 0, 0, class_of,
                      general_of};
  if (!m.generals) return sni_fail_memory(l->diag, count, "kernels alike");
  for (uint32_t f = 0; f < count; f++) {
    const sni_tree *kernel = l->commands[families[f].kernels.items[0]].kernel;
    if (!is_scalar(kernel) && is_plain(kernel)) m.generals[m.n_generals++] = f;
  }
  for (uint32_t i = 0; i < count; i++) {
    const family *f = &families[i];
    if (!is_scalar(l->commands[f->kernels.items[0]].kernel)) continue;
    match_family(s, &m, f);
    for (uint32_t k = 0; k < f->members.count; k++) {
      const uint32_t c = f->members.items[k], first = f->kernels.items[use_of(s, c)->number];
      general_of[c] = general_of[first];
      class_of[c] = class_of[first];
    }
  }
  return SN_OK;
}

// Those that are in a list with others become what the others are. made: per family, of one element;
// number + 1.
static sn_status replace_scalars(sharer *s, const sni_tree *const *general_of,
                                 const uint32_t *class_of, uint32_t count) {
  sni_lowering *l = s->l;
  bool *mixed = SNI_ARENA_ARRAY(&s->scratch, bool, l->n_commands);  // by the last of a list
  uint32_t *made = SNI_ARENA_ARRAY(&s->scratch, uint32_t, count + 1);
  if (!mixed || !made) return sni_fail_memory(l->diag, l->n_commands, "kernels alike");
  for (uint32_t c = 0; c < l->n_commands; c++)
    if (l->list_of[c] != SNI_ALONE && !general_of[c]) mixed[l->list_of[c]] = true;
  for (uint32_t c = 0; c < l->n_commands; c++) {
    if (!general_of[c] || !s->short_too[c] || !mixed[l->list_of[c]]) continue;
    uint32_t *number = &made[class_of[c]];
    if (!*number) {
      sni_tree *tree = NULL;
      SNI_TRY(sni_make_at_one(general_of[c], l->arena, l->diag, &tree));
      SNI_TRY(sni_add_kernel(l, tree, number));
      ++*number;
    }
    l->commands[c].kernel_number = *number - 1;
    l->commands[c].kernel = l->kernels[*number - 1].tree;
  }
  return SN_OK;
}

// In lists of enough parts.
static sn_status vary_short_extents(sharer *s) {
  const sni_lowering *l = s->l;
  uint32_t *n_parts = SNI_ARENA_ARRAY(&s->scratch, uint32_t, l->n_commands);  // by the last
  s->short_too = SNI_ARENA_ARRAY(&s->scratch, bool, l->n_commands);
  if (!n_parts || !s->short_too) return sni_fail_memory(l->diag, l->n_commands, "kernels alike");
  for (uint32_t c = 0; c < l->n_commands; c++)
    if (l->list_of[c] != SNI_ALONE) n_parts[l->list_of[c]]++;
  for (uint32_t c = 0; c < l->n_commands; c++)
    s->short_too[c] = l->list_of[c] != SNI_ALONE && n_parts[l->list_of[c]] >= least_kernels;
  return SN_OK;
}

static sn_status plan_lists(sharer *s, const family *families, uint32_t count) {
  const uint32_t n = s->l->n_commands;
  uint32_t *class_of = SNI_ARENA_ARRAY(&s->scratch, uint32_t, n);
  const sni_tree **general_of = SNI_ARENA_ARRAY(&s->scratch, const sni_tree *, n);
  if (!class_of || !general_of) return sni_fail_memory(s->l->diag, n, "kernels alike");
  for (uint32_t c = 0; c < n; c++) class_of[c] = SNI_ALONE;
  for (uint32_t f = 0; f < count; f++)
    for (uint32_t m = 0; m < families[f].members.count; m++)
      class_of[families[f].members.items[m]] = f;
  SNI_TRY(match_scalars(s, families, count, class_of, general_of));
  SNI_TRY(sni_plan_lists(s->l, class_of, count));
  SNI_TRY(vary_short_extents(s));
  return replace_scalars(s, general_of, class_of, count);
}

static sn_status share(sharer *s) {
  uint32_t count = 0;
  family *families = SNI_ARENA_ARRAY(&s->scratch, family, s->l->n_commands);
  if (!families) return sni_fail_memory(s->l->diag, s->l->n_commands, "kernels alike");
  SNI_TRY(find_families(s, families, &count));  // as if all were in lists
  SNI_TRY(plan_lists(s, families, count));
  SNI_TRY(find_families(s, families, &count));
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t least = families[i].joins ? 2 : least_kernels;
    if (families[i].changes + 1 >= least) SNI_TRY(share_family(s, &families[i]));
  }
  return SN_OK;
}

sn_status sni_share_kernels(sni_lowering *l) {
  sharer s = {.l = l};
  if (l->n_commands < 2) return SN_OK;
  sni_arena_init(&s.scratch, l->arena->allocator);
  const sn_status status = share(&s);
  sni_arena_deinit(&s.scratch);
  return status;
}
