// The table of symbolic dims: interning, symbols, evaluation. Unification is in dims_unify.c.
//
// Invariant: equal expressions (sums of products with integer coefficients over symbols and
// functions) have equal canonical dims. Dims are made by tracing and inference and become run-time
// sizes in passes/, where each compilation interns into an overlay of the trace's table: that one
// is only read from then on, by any number of threads.
#include "graph/dims_internal.h"

#include <stdio.h>
#include <string.h>

sn_status sni_dim_table_create(sni_arena *arena, sni_diag *diag, sni_dim_table **out_table) {
  sni_dim_table *table = SNI_ARENA_NEW(arena, sni_dim_table);
  if (!table) return sni_fail_memory(diag, sizeof(*table), "the table of dims");
  table->arena = arena;
  *out_table = table;
  return SN_OK;
}

sn_status sni_dim_table_overlay(const sni_dim_table *parent, sni_arena *arena, sni_diag *diag,
                                sni_dim_table **out_table) {
  sni_dim_table *table = SNI_ARENA_NEW(arena, sni_dim_table);
  if (!table) return sni_fail_memory(diag, sizeof(*table), "the table of dims");
  *table = (sni_dim_table){.arena = arena,
                           .parent = parent,
                           .n_parent = parent->n_entries,
                           .n_entries = parent->n_entries,
                           .symbols = parent->symbols,
                           .n_symbols = parent->n_symbols,
                           .symbol_slots = parent->symbol_slots,
                           .n_symbol_slots = parent->n_symbol_slots,
                           .has_named_symbols = parent->has_named_symbols,
                           .n_late = parent->n_late,
                           .guards = parent->guards,
                           .n_guards = parent->n_guards};
  *out_table = table;
  return SN_OK;
}

bool sni_dim_valid(const sni_dim_table *table, sni_dim dim) {
  int64_t value;
  if (sni_dim_decode(dim, &value)) return true;
  return table && sni_dim_is_reference(dim) && -(dim + 1) < (int64_t)table->n_entries;
}

sni_dim sni_dim_fail(sni_dim_table *table, sn_status why) {
  if (table) table->failure = why;
  return SNI_DIM_FAILED;
}

// ---- interning
static uint64_t hash_expression(sni_dim_op op, sni_dim a, sni_dim b) {
  return sni_hash_mix(sni_hash_mix(sni_hash_mix(0, (uint64_t)op), (uint64_t)a), (uint64_t)b);
}

static bool grow_slots(sni_dim_table *table) {
  uint32_t n = table->n_slots ? table->n_slots * 2 : 64;
  uint32_t *slots = SNI_ARENA_ARRAY(table->arena, uint32_t, n);
  if (!slots) return false;
  for (uint32_t i = table->n_parent; i < table->n_entries; i++) {
    const sni_dim_expression *e = &sni_dim_at(table, -(sni_dim)(i + 1))->expression;
    uint32_t at = (uint32_t)hash_expression(e->op, e->a, e->b) & (n - 1);
    while (slots[at]) at = (at + 1) & (n - 1);
    slots[at] = i + 1;
  }
  table->slots = slots;
  table->n_slots = n;
  return true;
}

static uint32_t weight_of(const sni_dim_table *table, sni_dim dim) {
  return sni_dim_is_reference(dim) ? sni_dim_at(table, dim)->weight : 1;
}

// The entry in this table, and not one above it; 0: none. *out_at: its slot, or the free one.
static sni_dim find_own(const sni_dim_table *table, uint64_t hash, sni_dim_op op, sni_dim a,
                        sni_dim b, uint32_t *out_at) {
  if (!table->n_slots) return 0;
  uint32_t at = (uint32_t)hash & (table->n_slots - 1);
  for (; table->slots[at]; at = (at + 1) & (table->n_slots - 1)) {
    const sni_dim dim = -(sni_dim)table->slots[at];
    const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
    if (e->op == op && e->a == a && e->b == b) return dim;
  }
  *out_at = at;
  return 0;
}

// Of the tables below only what they held when the overlay was made.
static sni_dim find_below(const sni_dim_table *table, uint64_t hash, sni_dim_op op, sni_dim a,
                          sni_dim b) {
  uint32_t at;
  for (; table->parent; table = table->parent) {
    const sni_dim dim = find_own(table->parent, hash, op, a, b, &at);
    if (dim && -dim <= (sni_dim)table->n_parent) return dim;
  }
  return 0;
}

// Notes that `user` has the operand, for unification.
static bool add_user(sni_dim_table *table, sni_dim operand, uint32_t user) {
  if (!sni_dim_is_reference(operand)) return true;
  if (sni_arena_grow(table->arena, NULL, (void **)&table->links, &table->links_capacity,
                     table->n_links + 1, sizeof(*table->links)))
    return false;
  uint32_t *first = &sni_dim_at(table, operand)->users;
  table->links[table->n_links] = (sni_dim_link){user, *first};
  *first = ++table->n_links;
  return true;
}

sni_dim sni_dim_intern(sni_dim_table *table, sni_dim_op op, sni_dim a, sni_dim b) {
  if (a == SNI_DIM_FAILED || b == SNI_DIM_FAILED) return SNI_DIM_FAILED;
  uint32_t weight = op == SNI_DIM_SYMBOL ? 1 : 1 + weight_of(table, a) + weight_of(table, b);
  if (weight > sni_dim_max_weight) return sni_dim_fail(table, SN_ERR_SHAPE);
  const uint64_t hash = hash_expression(op, a, b);
  const uint32_t own = table->n_entries - table->n_parent;
  uint32_t at = 0;
  sni_dim dim = find_below(table, hash, op, a, b);
  if (dim) return dim;
  if (own >= table->n_slots / 2 && !grow_slots(table)) return sni_dim_fail(table, SN_ERR_MEMORY);
  dim = find_own(table, hash, op, a, b, &at);
  if (dim) return dim;
  if (sni_arena_grow(table->arena, NULL, (void **)&table->entries, &table->entries_capacity,
                     own + 1, sizeof(sni_dim_entry)))
    return sni_dim_fail(table, SN_ERR_MEMORY);
  // An overlay unifies nothing.
  if (!table->parent && op != SNI_DIM_SYMBOL &&
      (!add_user(table, a, table->n_entries) || !add_user(table, b, table->n_entries)))
    return sni_dim_fail(table, SN_ERR_MEMORY);
  table->slots[at] = ++table->n_entries;
  dim = -(sni_dim)table->n_entries;
  *sni_dim_at(table, dim) =
      (sni_dim_entry){.expression = {op, a, b}, .canonical = dim, .weight = weight};
  return dim;
}

sni_dim_expression sni_dim_expand(const sni_dim_table *table, sni_dim dim) {
  int64_t value;
  dim = sni_dim_canonical(table, dim);
  if (sni_dim_decode(dim, &value)) return (sni_dim_expression){SNI_DIM_CONSTANT, value, 0};
  return sni_dim_at(table, dim)->expression;
}

// ---- symbols
int sni_dim_find_symbol(const sni_dim_table *table, const char *name, size_t length) {
  if (!table->n_symbol_slots) return -1;
  const uint64_t hash = sni_hash_bytes(0, name, length);
  const uint32_t mask = table->n_symbol_slots - 1;
  for (uint32_t at = (uint32_t)hash & mask; table->symbol_slots[at]; at = (at + 1) & mask) {
    const sni_dim_symbol_info *symbol = &table->symbols[table->symbol_slots[at] - 1];
    if (symbol->name_hash == hash && strlen(symbol->name) == length &&
        !memcmp(symbol->name, name, length))
      return (int)table->symbol_slots[at] - 1;
  }
  return -1;
}

static void enter_symbol(uint32_t *slots, uint32_t n, uint64_t hash, uint32_t number) {
  uint32_t at = (uint32_t)hash & (n - 1);
  while (slots[at]) at = (at + 1) & (n - 1);
  slots[at] = number + 1;
}

static bool reserve_symbol_slot(sni_dim_table *table) {
  if (table->n_symbols < table->n_symbol_slots / 2) return true;
  const uint32_t n = table->n_symbol_slots ? table->n_symbol_slots * 2 : 16;
  uint32_t *slots = SNI_ARENA_ARRAY(table->arena, uint32_t, n);
  if (!slots) return false;
  for (uint32_t i = 0; i < table->n_symbols; i++)
    enter_symbol(slots, n, table->symbols[i].name_hash, i);
  table->symbol_slots = slots;
  table->n_symbol_slots = n;
  return true;
}

// B, C, ..., Z, S25, S26, ...; underscores behind it when parsing has taken that name.
static size_t default_name(const sni_dim_table *table, char *name, size_t capacity) {
  uint32_t i = table->n_symbols;
  int length = i < 25 ? snprintf(name, capacity, "%c", (char)('B' + (int)i))
                      : snprintf(name, capacity, "S%u", i);
  size_t end = (size_t)length;
  while (table->has_named_symbols && sni_dim_find_symbol(table, name, end) >= 0 &&
         end + 1 < capacity)
    name[end++] = '_';
  return end;
}

sn_status sni_dim_new_named(sni_dim_table *table, const char *name, size_t length, int64_t hint,
                            sni_dim *out_dim) {
  char made[sni_dim_max_name + 1];
  if (table->parent) return SN_ERR_INTERNAL;  // symbols are the trace's
  if (!name) {
    length = default_name(table, made, sizeof(made));
    name = made;
  } else {
    table->has_named_symbols = true;
  }
  char *copy = sni_arena_alloc(table->arena, length + 1);
  if (!copy) return SN_ERR_MEMORY;
  memcpy(copy, name, length);
  copy[length] = 0;
  SNI_TRY(sni_arena_grow(table->arena, NULL, (void **)&table->symbols, &table->symbols_capacity,
                         table->n_symbols + 1, sizeof(sni_dim_symbol_info)));
  if (!reserve_symbol_slot(table)) return SN_ERR_MEMORY;
  sni_dim dim = sni_dim_intern(table, SNI_DIM_SYMBOL, (sni_dim)table->n_symbols, 0);
  if (dim == SNI_DIM_FAILED) return SN_ERR_MEMORY;
  const uint64_t hash = sni_hash_bytes(0, copy, length);
  enter_symbol(table->symbol_slots, table->n_symbol_slots, hash, table->n_symbols);
  table->symbols[table->n_symbols++] =
      (sni_dim_symbol_info){dim, hint < 0 ? -1 : hint, false, copy, hash};
  *out_dim = dim;
  return SN_OK;
}

sn_status sni_dim_new_symbol(sni_dim_table *table, int64_t hint, sni_dim *out_dim) {
  return sni_dim_new_named(table, NULL, 0, hint, out_dim);
}

sn_status sni_dim_new_late(sni_dim_table *table, sni_dim *out_dim) {
  SNI_TRY(sni_dim_new_symbol(table, -1, out_dim));
  sni_dim_make_late(table, *out_dim);
  return SN_OK;
}

void sni_dim_make_late(sni_dim_table *table, sni_dim symbol) {
  const int number = sni_dim_bare_symbol(table, symbol);
  if (number < 0 || table->symbols[number].late) return;
  table->symbols[number].late = true;
  table->n_late++;
}

bool sni_dim_is_late(const sni_dim_table *table, int symbol) {
  return table->symbols[symbol].late;
}

int sni_dim_late_count(const sni_dim_table *table) {
  return table ? (int)table->n_late : 0;
}

int sni_dim_bare_symbol(const sni_dim_table *table, sni_dim dim) {
  if (!sni_dim_is_reference(dim)) return -1;
  const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
  return e->op == SNI_DIM_SYMBOL ? (int)e->a : -1;
}

bool sni_dim_is_made_late(const sni_dim_table *table, sni_dim dim) {
  return sni_dim_has_late(table, sni_dim_canonical(table, dim));
}

sni_dim sni_dim_unified(const sni_dim_table *table, sni_dim dim) {
  return sni_dim_canonical(table, dim);
}

void sni_dim_mark_symbols(const sni_dim_table *table, sni_dim dim, bool as_written, bool *marks) {
  if (!as_written) dim = sni_dim_canonical(table, dim);
  if (!sni_dim_is_reference(dim)) return;
  const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
  if (e->op == SNI_DIM_SYMBOL) {
    marks[e->a] = true;
    return;
  }
  sni_dim_mark_symbols(table, e->a, as_written, marks);
  sni_dim_mark_symbols(table, e->b, as_written, marks);
}

bool sni_dim_has_late(const sni_dim_table *table, sni_dim dim) {
  if (!table || !table->n_late || !sni_dim_is_reference(dim)) return false;
  const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
  if (e->op == SNI_DIM_SYMBOL) return table->symbols[e->a].late;
  return sni_dim_has_late(table, e->a) || sni_dim_has_late(table, e->b);
}

int sni_dim_symbol_count(const sni_dim_table *table) {
  return (int)table->n_symbols;
}

sni_dim sni_dim_symbol(const sni_dim_table *table, int i) {
  return table->symbols[i].dim;
}

// ---- evaluation
static int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

// symbols NULL: the hints. *bad: something overflowed or has no hint; the value is then
// meaningless.
static int64_t evaluate(const sni_dim_table *table, sni_dim dim, const int64_t *symbols,
                        bool *bad) {
  int64_t value = 0;
  if (sni_dim_decode(dim, &value)) return value;
  sni_dim_expression e = sni_dim_at(table, dim)->expression;
  if (e.op == SNI_DIM_SYMBOL) {
    value = symbols ? symbols[e.a] : table->symbols[e.a].hint;
    if (!symbols && value < 0) *bad = true;
    return value;
  }
  int64_t a = evaluate(table, e.a, symbols, bad), b = evaluate(table, e.b, symbols, bad);
  if (*bad) return 0;
  switch (e.op) {
    case SNI_DIM_ADD:
      *bad |= __builtin_add_overflow(a, b, &value);
      return value;
    case SNI_DIM_MUL:
      *bad |= __builtin_mul_overflow(a, b, &value);
      return value;
    case SNI_DIM_FLOOR_DIV:
      *bad |= b <= 0;
      return *bad ? 0 : floor_divide(a, b);
    case SNI_DIM_MAX:
      return a > b ? a : b;
    case SNI_DIM_MIN:
      return a < b ? a : b;
    case SNI_DIM_SYMBOL:
    case SNI_DIM_CONSTANT:
      break;
  }
  return 0;
}

int64_t sni_dim_evaluate(const sni_dim_table *table, sni_dim dim, const int64_t *symbols) {
  bool bad = false;
  int64_t value = evaluate(table, dim, symbols, &bad);
  return bad ? INT64_MAX : value;
}

int64_t sni_dim_hint(const sni_dim_table *table, sni_dim dim) {
  bool bad = !sni_dim_valid(table, dim);
  int64_t value = bad ? -1 : evaluate(table, dim, NULL, &bad);
  return bad || value < 0 ? -1 : value;
}

// ---- equality
bool sni_dim_is_constant(const sni_dim_table *table, sni_dim dim, int64_t *out_value) {
  return sni_dim_decode(sni_dim_canonical(table, dim), out_value);
}

bool sni_dim_equal(const sni_dim_table *table, sni_dim a, sni_dim b) {
  if (a == SNI_DIM_FAILED || b == SNI_DIM_FAILED) return false;
  return a == b || (table && sni_dim_canonical(table, a) == sni_dim_canonical(table, b));
}
