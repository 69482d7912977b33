// The table of symbolic dims: interning, symbols, unification with guards, evaluation.
//
// Invariant: equal expressions (sums of products with integer coefficients over symbols and
// functions) have equal canonical dims. Unifying solves a = b for one symbol and rebuilds every
// entry that uses it, so that sni_dim_equal stays one comparison; entries handed out earlier keep
// their ids and point to their canonical form. Dims are made by tracing and inference and become
// run-time sizes in passes/.
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
  for (uint32_t i = 0; i < table->n_entries; i++) {
    const sni_dim_expression *e = &table->entries[i].expression;
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

sni_dim sni_dim_intern(sni_dim_table *table, sni_dim_op op, sni_dim a, sni_dim b) {
  if (a == SNI_DIM_FAILED || b == SNI_DIM_FAILED) return SNI_DIM_FAILED;
  uint32_t weight = op == SNI_DIM_SYMBOL ? 1 : 1 + weight_of(table, a) + weight_of(table, b);
  if (weight > sni_dim_max_weight) return sni_dim_fail(table, SN_ERR_SHAPE);
  if (table->n_entries >= table->n_slots / 2 && !grow_slots(table))
    return sni_dim_fail(table, SN_ERR_MEMORY);
  uint32_t at = (uint32_t)hash_expression(op, a, b) & (table->n_slots - 1);
  for (; table->slots[at]; at = (at + 1) & (table->n_slots - 1)) {
    const sni_dim_expression *e = &table->entries[table->slots[at] - 1].expression;
    if (e->op == op && e->a == a && e->b == b) return -(sni_dim)table->slots[at];
  }
  if (sni_arena_grow(table->arena, NULL, (void **)&table->entries, &table->entries_capacity,
                     table->n_entries + 1, sizeof(sni_dim_entry)))
    return sni_dim_fail(table, SN_ERR_MEMORY);
  sni_dim dim = -(sni_dim)++table->n_entries;
  table->slots[at] = table->n_entries;
  *sni_dim_at(table, dim) = (sni_dim_entry){{op, a, b}, dim, weight};
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
  uint64_t hash = sni_hash_bytes(0, name, length);
  for (uint32_t i = 0; i < table->n_symbols; i++) {
    const sni_dim_symbol_info *symbol = &table->symbols[i];
    if (symbol->name_hash == hash && strlen(symbol->name) == length &&
        !memcmp(symbol->name, name, length))
      return (int)i;
  }
  return -1;
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
  sni_dim dim = sni_dim_intern(table, SNI_DIM_SYMBOL, (sni_dim)table->n_symbols, 0);
  if (dim == SNI_DIM_FAILED) return SN_ERR_MEMORY;
  table->symbols[table->n_symbols++] =
      (sni_dim_symbol_info){dim, hint < 0 ? -1 : hint, copy, sni_hash_bytes(0, copy, length)};
  *out_dim = dim;
  return SN_OK;
}

sn_status sni_dim_new_symbol(sni_dim_table *table, int64_t hint, sni_dim *out_dim) {
  return sni_dim_new_named(table, NULL, 0, hint, out_dim);
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

// ---- equality and unification
bool sni_dim_is_constant(const sni_dim_table *table, sni_dim dim, int64_t *out_value) {
  return sni_dim_decode(sni_dim_canonical(table, dim), out_value);
}

bool sni_dim_equal(const sni_dim_table *table, sni_dim a, sni_dim b) {
  if (a == SNI_DIM_FAILED || b == SNI_DIM_FAILED) return false;
  return a == b || (table && sni_dim_canonical(table, a) == sni_dim_canonical(table, b));
}

int sni_dim_guard_count(const sni_dim_table *table) {
  return (int)table->n_guards;
}

sni_dim_guard sni_dim_guard_at(const sni_dim_table *table, int i) {
  return table->guards[i];
}

bool sni_dim_guard_holds(const sni_dim_table *table, sni_dim_guard guard, const int64_t *symbols) {
  int64_t a = sni_dim_evaluate(table, guard.a, symbols);
  int64_t b = sni_dim_evaluate(table, guard.b, symbols);
  return guard.at_least ? a >= b : a == b;
}

static bool reserve_guard(sni_dim_table *table) {
  sn_status status =
      sni_arena_grow(table->arena, NULL, (void **)&table->guards, &table->guards_capacity,
                     table->n_guards + 1, sizeof(*table->guards));
  if (status) table->failure = SN_ERR_MEMORY;
  return !status;
}

bool sni_dim_require(sni_dim_table *table, sni_dim dim, int64_t least) {
  int64_t value;
  if (!sni_dim_valid(table, dim)) return false;
  if (sni_dim_is_constant(table, dim, &value)) return value >= least;
  if (least <= 0 && sni_dim_at(table, dim)->expression.op == SNI_DIM_SYMBOL) return true;
  value = sni_dim_hint(table, dim);
  if (value >= 0 && value < least) return false;
  for (uint32_t i = 0; i < table->n_guards; i++)
    if (table->guards[i].at_least && table->guards[i].a == dim && table->guards[i].b == least)
      return true;
  sni_dim bound = sni_dim_signed(table, least);
  if (bound == SNI_DIM_FAILED || !reserve_guard(table)) return false;
  table->guards[table->n_guards++] = (sni_dim_guard){dim, bound, true};
  return true;
}

static bool contains(const sni_dim_table *table, sni_dim dim, sni_dim symbol) {
  if (dim == symbol) return true;
  if (!sni_dim_is_reference(dim)) return false;
  const sni_dim_expression *e = &sni_dim_at(table, dim)->expression;
  if (e->op == SNI_DIM_SYMBOL) return false;
  return contains(table, e->a, symbol) || contains(table, e->b, symbol);
}

// Whether sum = 0 can be solved for term i: a bare symbol, nowhere else in the sum, whose
// coefficient divides all others.
static bool solvable(const sni_dim_table *table, const sni_dim_sum *sum, int i) {
  sni_dim symbol = sum->terms[i].product;
  if (!sni_dim_is_reference(symbol) || sni_dim_at(table, symbol)->expression.op != SNI_DIM_SYMBOL)
    return false;
  for (int k = 0; k < sum->n; k++) {
    if (k == i) continue;
    if (sum->terms[k].coefficient % sum->terms[i].coefficient) return false;
    if (contains(table, sum->terms[k].product, symbol)) return false;
  }
  return true;
}

static sni_dim rebuild(sni_dim_table *table, sni_dim dim) {
  sni_dim_expression e = sni_dim_at(table, dim)->expression;
  switch (e.op) {
    case SNI_DIM_ADD:
      return sni_dim_add(table, e.a, e.b);
    case SNI_DIM_MUL:
      return sni_dim_mul(table, e.a, e.b);
    case SNI_DIM_FLOOR_DIV:
      return sni_dim_floor_div(table, e.a, e.b);
    case SNI_DIM_MAX:
      return sni_dim_max(table, e.a, e.b);
    case SNI_DIM_MIN:
      return sni_dim_min(table, e.a, e.b);
    case SNI_DIM_SYMBOL:
    case SNI_DIM_CONSTANT:
      break;
  }
  return dim;
}

// Puts value in the place of symbol everywhere. First the entries that were their own canonical
// form, in order of creation (operands come before users), then those that pointed to such.
static bool substitute(sni_dim_table *table, sni_dim symbol, sni_dim value) {
  uint32_t n = table->n_entries;
  sni_dim_at(table, symbol)->canonical = value;
  for (uint32_t i = 0; i < n; i++) {
    sni_dim dim = -(sni_dim)(i + 1);
    if (table->entries[i].canonical != dim) continue;
    sni_dim built = rebuild(table, dim);
    if (built == SNI_DIM_FAILED) return false;
    table->entries[i].canonical = built;
  }
  for (uint32_t i = 0; i < n; i++)
    table->entries[i].canonical = sni_dim_canonical(table, table->entries[i].canonical);
  return true;
}

bool sni_dim_unify(sni_dim_table *table, sni_dim a, sni_dim b) {
  if (!sni_dim_valid(table, a) || !sni_dim_valid(table, b)) return false;
  if (sni_dim_equal(table, a, b)) return true;
  if (!table) return false;
  int64_t hint_a = sni_dim_hint(table, a), hint_b = sni_dim_hint(table, b), constant;
  if (hint_a >= 0 && hint_b >= 0 && hint_a != hint_b) return false;
  sni_dim difference = sni_dim_sub(table, a, b);
  if (difference == SNI_DIM_FAILED || sni_dim_is_constant(table, difference, &constant))
    return false;
  sni_dim_sum sum;
  sni_dim_split(table, difference, &sum);
  int chosen = sum.n - 1;  // of two symbols the one with the later name goes
  while (chosen >= 0 && !solvable(table, &sum, chosen)) chosen--;
  if (chosen < 0) return false;
  sni_dim symbol = sum.terms[chosen].product;
  int64_t divisor = -sum.terms[chosen].coefficient;
  memmove(&sum.terms[chosen], &sum.terms[chosen + 1],
          sizeof(sni_dim_term) * (size_t)(sum.n - chosen - 1));
  sum.n--;
  for (int i = 0; i < sum.n; i++) sum.terms[i].coefficient /= divisor;
  sni_dim value = sni_dim_build(table, &sum);
  if (value == SNI_DIM_FAILED) return false;
  if (sni_dim_is_constant(table, value, &constant) && constant < 0) return false;
  if (!reserve_guard(table)) return false;
  int64_t *hint = &table->symbols[sni_dim_at(table, symbol)->expression.a].hint;
  if (*hint < 0) *hint = sni_dim_hint(table, value);
  if (*hint >= 0 && sni_dim_is_reference(value) &&
      sni_dim_at(table, value)->expression.op == SNI_DIM_SYMBOL)
    table->symbols[sni_dim_at(table, value)->expression.a].hint = *hint;
  if (!substitute(table, symbol, value)) return false;
  table->guards[table->n_guards++] = (sni_dim_guard){a, b, false};
  return true;
}
