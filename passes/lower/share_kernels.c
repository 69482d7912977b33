// Kernels that are the same but for numbers become one kernel, which gets these numbers as
// parameters: the pieces of a concat, the steps of a loop whose constants change. Code is made once
// for all of them instead of once for each.
//
// Only offsets of loads and stores and constants of plain arithmetic become parameters, and only
// where many kernels differ in them: each costs an instruction of a call, and what backends make of
// a known number.
//
// Invariant: what is computed stays, bits included.
#include "codegen/kernel/rewrite_tree.h"
#include "passes/lower/group.h"

#include <stdlib.h>

enum {
  least_kernels = 8,  // that differ
  most_places = 64,   // in which they differ
};

// The commands of one outline: a kernel without its numbers.
typedef struct outline_class {
  const sni_tree *outline;
  uint64_t hash;
  uint32_t first, last, count;  // commands, linked by sharing.next
} outline_class;

// A number of a kernel that differs from kernel to kernel.
typedef struct place {
  bool is_offset;
  uint32_t number;  // access, or instruction (CONST)
  uint32_t param;
} place;

typedef struct sharing {
  sni_lowering *l;
  sni_arena scratch;
  outline_class *classes;
  uint32_t n_classes, n_slots;
  uint32_t *slots;  // open addressing over classes: number + 1
  uint32_t *next;   // per command
  place places[most_places];
  uint32_t n_places, n_params;
} sharing;

// ---- outlines

static bool is_plain(sni_kop op) {
  return op == SNI_KOP_ADD || op == SNI_KOP_SUB || op == SNI_KOP_MUL || op == SNI_KOP_FMA ||
         op == SNI_KOP_MAX || op == SNI_KOP_MIN || op == SNI_KOP_EQ || op == SNI_KOP_LT ||
         op == SNI_KOP_LE || op == SNI_KOP_SELECT;
}

// may[i]: instruction i is a constant of plain arithmetic alone.
static void find_constants(const sni_tree *tree, bool *may) {
  const sni_tree_inst *insts = sni_tree_insts(tree);
  const sni_tree_access *accesses = sni_tree_accesses(tree);
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    may[i] = insts[i].op == SNI_KOP_CONST && insts[i].dtype != SN_BOOL;
    for (int o = 0; o < sni_kop_infos[insts[i].op].operands; o++)
      if (!is_plain((sni_kop)insts[i].op)) may[insts[i].operands[o]] = false;
  }
  for (uint32_t i = 0; i < tree->n_accesses; i++) {
    if (accesses[i].index != SNI_NO_VALUE) may[accesses[i].index] = false;
    if (accesses[i].otherwise != SNI_NO_VALUE) may[accesses[i].otherwise] = false;
  }
}

static bool has_offset(const sni_tree *tree, uint32_t inst) {
  const sni_tree_inst *i = &sni_tree_insts(tree)[inst];
  return sni_kop_has_access((sni_kop)i->op) && sni_tree_accesses(tree)[i->access].offset.param < 0;
}

// A copy whose numbers are 0; *out_may: as above.
static sn_status make_outline(sharing *s, const sni_tree *tree, sni_tree **out_outline,
                              bool **out_may) {
  sni_tree *copy = sni_arena_copy(&s->scratch, tree, tree->bytes);
  *out_may = SNI_ARENA_ARRAY(&s->scratch, bool, tree->n_insts);
  if (!copy || !*out_may) return sni_fail_memory(s->l->diag, tree->bytes, "a kernel");
  find_constants(tree, *out_may);
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    sni_tree_inst *inst = &sni_tree_insts(copy)[i];
    if ((*out_may)[i]) inst->imm.words[0] = 0;
    if (has_offset(tree, i)) sni_tree_accesses(copy)[inst->access].offset.value = 0;
  }
  *out_outline = copy;
  return SN_OK;
}

static sn_status add_command(sharing *s, uint32_t command) {
  sni_tree *outline;
  bool *may;
  SNI_TRY(make_outline(s, s->l->commands[command].kernel, &outline, &may));
  const uint64_t hash = sni_tree_hash(outline, true);
  uint32_t at = (uint32_t)hash & (s->n_slots - 1);
  for (; s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
    outline_class *c = &s->classes[s->slots[at] - 1];
    if (c->hash != hash || !sni_tree_equal(c->outline, outline, true) ||
        strcmp(sni_tree_name(c->outline), sni_tree_name(outline)) != 0)
      continue;
    s->next[c->last] = command;
    c->last = command;
    c->count++;
    return SN_OK;
  }
  s->classes[s->n_classes++] = (outline_class){outline, hash, command, command, 1};
  s->slots[at] = s->n_classes;
  return SN_OK;
}

// ---- numbers

static int64_t bits_of(const sni_tree_inst *constant) {
  if (constant->dtype != SN_F32) return constant->imm.words[0];  // the bits of a double are its own
  const float value = (float)constant->imm.f;
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static int64_t number_at(const sni_tree *tree, const place *p) {
  return p->is_offset ? sni_tree_accesses(tree)[p->number].offset.value
                      : bits_of(&sni_tree_insts(tree)[p->number]);
}

// Equal in every kernel of the class.
static bool is_same(const sharing *s, const outline_class *c, const place *a, const place *b) {
  uint32_t command = c->first;
  for (uint32_t i = 0; i < c->count; i++, command = s->next[command]) {
    const sni_tree *kernel = s->l->commands[command].kernel;
    if (number_at(kernel, a) != number_at(kernel, b)) return false;
  }
  return true;
}

static bool varies(const sharing *s, const outline_class *c, const place *p) {
  const int64_t number = number_at(s->l->commands[c->first].kernel, p);
  uint32_t command = c->first;
  for (uint32_t i = 0; i < c->count; i++, command = s->next[command])
    if (number_at(s->l->commands[command].kernel, p) != number) return true;
  return false;
}

// Places with the same number in each kernel share a parameter: what is read and written at equal
// elements must be seen to be. False: too many.
static bool add_place(sharing *s, const outline_class *c, place p) {
  if (!varies(s, c, &p)) return true;
  if (s->n_places == most_places) return false;
  p.param = s->n_params;
  for (uint32_t i = 0; i < s->n_places; i++)
    if (s->places[i].is_offset == p.is_offset && is_same(s, c, &s->places[i], &p))
      p.param = s->places[i].param;
  if (p.param == s->n_params) s->n_params++;
  s->places[s->n_places++] = p;
  return true;
}

static sn_status find_places(sharing *s, const outline_class *c, bool *out_few) {
  const sni_tree *kernel = s->l->commands[c->first].kernel;
  sni_tree *outline;
  bool *may;
  SNI_TRY(make_outline(s, kernel, &outline, &may));
  s->n_places = 0;
  s->n_params = kernel->n_params;
  *out_few = true;
  for (uint32_t i = 0; i < kernel->n_insts && *out_few; i++) {
    if (may[i]) *out_few = add_place(s, c, (place){false, i, 0});
    if (has_offset(kernel, i))
      *out_few = *out_few && add_place(s, c, (place){true, sni_tree_insts(kernel)[i].access, 0});
  }
  return SN_OK;
}

static int compare_hashes(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static sn_status count_kernels(sharing *s, const outline_class *c, uint32_t *out_count) {
  uint64_t *hashes = SNI_ARENA_ARRAY(&s->scratch, uint64_t, c->count);
  if (!hashes) return sni_fail_memory(s->l->diag, c->count * sizeof(*hashes), "kernels");
  uint32_t command = c->first;
  for (uint32_t i = 0; i < c->count; i++, command = s->next[command])
    hashes[i] = sni_tree_hash(s->l->commands[command].kernel, true);
  qsort(hashes, c->count, sizeof(*hashes), compare_hashes);
  *out_count = 1;
  for (uint32_t i = 1; i < c->count; i++) *out_count += hashes[i] != hashes[i - 1];
  return SN_OK;
}

// ---- the kernel of all

static uint32_t put(sni_tree_builder *b, sni_kop op, sn_dtype dtype, sn_dtype source, uint32_t a) {
  return sni_tree_add_inst(
      b,
      (sni_tree_inst){
          .op = (uint16_t)op, .dtype = (uint8_t)dtype, .source = (uint8_t)source, .operands = {a}});
}

static bool put_param(sni_tree_rewriter *r, uint32_t number, const sni_tree_inst *inst,
                      uint32_t *out_value) {
  const sharing *s = r->user;
  const place *p = NULL;
  for (uint32_t i = 0; i < s->n_places && !p; i++)
    if (!s->places[i].is_offset && s->places[i].number == number) p = &s->places[i];
  if (!p) return false;
  const sn_dtype dtype = (sn_dtype)inst->dtype;
  *out_value = sni_tree_add_inst(&r->b, (sni_tree_inst){.op = SNI_KOP_PARAM,
                                                        .dtype = dtype == SN_I32 ? SN_I32 : SN_I64,
                                                        .imm.size = sni_extent_param(p->param)});
  if (dtype == SN_F32) *out_value = put(&r->b, SNI_KOP_CAST, SN_I32, SN_I64, *out_value);
  if (dtype == SN_F32 || dtype == SN_F64)
    *out_value = put(&r->b, SNI_KOP_BITCAST, dtype, dtype == SN_F32 ? SN_I32 : SN_I64, *out_value);
  return true;
}

static sn_status make_kernel(sharing *s, const sni_tree *like, sni_tree **out_kernel) {
  sni_lowering *l = s->l;
  sni_tree *copy = sni_arena_copy(&s->scratch, like, like->bytes);
  if (!copy) return sni_fail_memory(l->diag, like->bytes, "a kernel");
  for (uint32_t i = 0; i < s->n_places; i++)
    if (s->places[i].is_offset)
      sni_tree_accesses(copy)[s->places[i].number].offset = sni_extent_param(s->places[i].param);
  sni_tree_rewriter r = {.replace = put_param, .user = s};
  SNI_TRY(sni_tree_rewrite_begin(&r, copy, l->arena, l->diag));
  return sni_tree_rewrite_finish(&r, out_kernel);
}

// Not interned: nothing else looks for these.
static sn_status number_ref(sni_lowering *l, int64_t number, sni_size_ref *out_ref) {
  *out_ref = number;
  if (number >= 0) return SN_OK;
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->sizes, &l->sizes_capacity, l->n_sizes + 1,
                         sizeof *l->sizes));
  l->sizes[l->n_sizes] = (sni_size_expression){SNI_SIZE_NUMBER, number, 0};
  *out_ref = -(int64_t)l->n_sizes++ - 1;
  return SN_OK;
}

static sn_status replace_kernel(sharing *s, sni_plan_command *command, const sni_tree *kernel) {
  sni_size_ref *params = SNI_ARENA_ARRAY(s->l->arena, sni_size_ref, s->n_params);
  if (!params) return sni_fail_memory(s->l->diag, s->n_params * sizeof(*params), "a kernel");
  const uint32_t n = command->kernel->n_params;
  if (n) memcpy(params, command->params, n * sizeof(*params));
  for (uint32_t i = 0, next = n; i < s->n_places; i++) {
    if (s->places[i].param != next) continue;  // another place gave it
    SNI_TRY(number_ref(s->l, number_at(command->kernel, &s->places[i]), &params[next++]));
  }
  command->kernel = kernel;
  command->params = params;
  command->n_params = s->n_params;
  return SN_OK;
}

static sn_status share_class(sharing *s, const outline_class *c) {
  uint32_t kernels = 0;
  bool few = false;
  sni_tree *kernel;
  SNI_TRY(count_kernels(s, c, &kernels));
  if (kernels < least_kernels) return SN_OK;
  SNI_TRY(find_places(s, c, &few));
  if (!few) return SN_OK;
  SNI_TRY(make_kernel(s, s->l->commands[c->first].kernel, &kernel));
  uint32_t command = c->first;
  for (uint32_t i = 0; i < c->count; i++, command = s->next[command])
    SNI_TRY(replace_kernel(s, &s->l->commands[command], kernel));
  return SN_OK;
}

static sn_status share(sharing *s) {
  const uint32_t n = s->l->n_commands;
  s->n_slots = 16;
  while (s->n_slots < 2 * n) s->n_slots *= 2;
  s->classes = SNI_ARENA_ARRAY(&s->scratch, outline_class, n);
  s->slots = SNI_ARENA_ARRAY(&s->scratch, uint32_t, s->n_slots);
  s->next = SNI_ARENA_ARRAY(&s->scratch, uint32_t, n);
  if (!s->classes || !s->slots || !s->next)
    return sni_fail_memory(s->l->diag, n * sizeof(*s->classes), "kernels");
  for (uint32_t i = 0; i < n; i++)
    if (s->l->commands[i].kernel) SNI_TRY(add_command(s, i));
  for (uint32_t i = 0; i < s->n_classes; i++)
    if (s->classes[i].count >= least_kernels) SNI_TRY(share_class(s, &s->classes[i]));
  return SN_OK;
}

sn_status sni_share_kernels(sni_lowering *l) {
  if (l->n_commands < least_kernels) return SN_OK;
  sharing s = {.l = l};
  sni_arena_init(&s.scratch, l->arena->allocator);
  const sn_status status = share(&s);
  sni_arena_deinit(&s.scratch);
  return status;
}
