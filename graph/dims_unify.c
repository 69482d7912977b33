// Unification of symbolic dims, and what each call must satisfy for it.
//
// Unifying solves a = b for one symbol and rebuilds the entries that contain it, so that
// sni_dim_equal stays one comparison; entries handed out earlier keep their ids and point to their
// canonical form. The cost is that of the entries that contain the symbol, however large the table
// is. Invariant: a canonical form is its own; every other entry is in the list of aliases of its.
#include "graph/dims_internal.h"
#include "runtime/sort.h"

#include <string.h>

// ---- guards
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

void sni_dim_label_guards(sni_dim_table *table, int first, const char *op, const char *file,
                          int line) {
  for (uint32_t i = (uint32_t)first; i < table->n_guards; i++) {
    sni_dim_guard *guard = &table->guards[i];
    if (guard->file) continue;
    guard->op = op;
    guard->file = file;
    guard->line = line;
  }
}

static bool reserve_guard(sni_dim_table *table) {
  sn_status status =
      sni_arena_grow(table->arena, NULL, (void **)&table->guards, &table->guards_capacity,
                     table->n_guards + 1, sizeof(*table->guards));
  if (status) table->failure = SN_ERR_MEMORY;
  return !status;
}

// ---- what a run checks
static bool reserve_late_guard(sni_dim_table *table) {
  sn_status status =
      sni_arena_grow(table->arena, NULL, (void **)&table->late_guards, &table->late_guards_capacity,
                     table->n_late_guards + 1, sizeof(*table->late_guards));
  if (status) table->failure = SN_ERR_MEMORY;
  return !status;
}

static bool require_late(sni_dim_table *table, sni_dim greater, sni_dim less) {
  if (table->parent || less == SNI_DIM_FAILED || greater == SNI_DIM_FAILED ||
      !reserve_late_guard(table))
    return false;
  table->late_guards[table->n_late_guards++] =
      (sni_dim_guard){.a = greater, .b = less, .at_least = true};
  return true;
}

bool sni_dim_has_late_guard(const sni_dim_table *table) {
  return table->n_taken < table->n_late_guards;
}

bool sni_dim_take_late_guard(sni_dim_table *table, sni_dim_guard *out_guard) {
  if (table->n_taken == table->n_late_guards) return false;
  *out_guard = table->late_guards[table->n_taken++];
  return true;
}

// What unification has made of it, where its symbols may be late: these are no symbols of a call.
static sni_dim as_of_now(const sni_dim_table *table, sni_dim dim) {
  return table && table->n_late ? sni_dim_canonical(table, dim) : dim;
}

// One guard per dim: a higher bound takes the place of a lower one.
bool sni_dim_require(sni_dim_table *table, sni_dim dim, int64_t least) {
  int64_t value;
  dim = as_of_now(table, dim);
  if (!sni_dim_valid(table, dim)) return false;
  if (sni_dim_is_constant(table, dim, &value)) return value >= least;
  if (least <= 0 && sni_dim_at(table, dim)->expression.op == SNI_DIM_SYMBOL) return true;
  const uint32_t listed = sni_dim_at(table, dim)->guard;
  if (listed && sni_dim_decode(table->guards[listed - 1].b, &value) && value >= least) return true;
  value = sni_dim_hint(table, dim);
  if ((value >= 0 && value < least) || table->parent) return false;
  if (sni_dim_has_late(table, dim)) return require_late(table, dim, sni_dim_signed(table, least));
  const sni_dim bound = sni_dim_signed(table, least);
  if (bound == SNI_DIM_FAILED) return false;
  if (listed) {
    table->guards[listed - 1].b = bound;
    return true;
  }
  if (!reserve_guard(table)) return false;
  table->guards[table->n_guards++] = (sni_dim_guard){.a = dim, .b = bound, .at_least = true};
  sni_dim_at(table, dim)->guard = table->n_guards;
  return true;
}

// One guard per dim: a lower bound takes the place of a higher one.
bool sni_dim_require_most(sni_dim_table *table, sni_dim dim, int64_t most) {
  int64_t value;
  dim = as_of_now(table, dim);
  if (!sni_dim_valid(table, dim)) return false;
  if (sni_dim_is_constant(table, dim, &value)) return value <= most;
  const uint32_t listed = sni_dim_at(table, dim)->most_guard;
  if (listed && sni_dim_decode(table->guards[listed - 1].a, &value) && value <= most) return true;
  if (sni_dim_hint(table, dim) > most || table->parent) return false;
  if (sni_dim_has_late(table, dim)) return require_late(table, sni_dim_signed(table, most), dim);
  const sni_dim bound = sni_dim_signed(table, most);
  if (bound == SNI_DIM_FAILED) return false;
  if (listed) {
    table->guards[listed - 1].a = bound;
    return true;
  }
  if (!reserve_guard(table)) return false;
  table->guards[table->n_guards++] = (sni_dim_guard){.a = bound, .b = dim, .at_least = true};
  sni_dim_at(table, dim)->most_guard = table->n_guards;
  return true;
}

bool sni_dim_is_at_least(const sni_dim_table *table, sni_dim dim, int64_t least) {
  int64_t value;
  if (!sni_dim_valid(table, dim)) return false;
  if (sni_dim_is_constant(table, dim, &value)) return value >= least;
  const uint32_t listed = sni_dim_at(table, dim)->guard;
  return listed && sni_dim_decode(table->guards[listed - 1].b, &value) && value >= least;
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

// Makes `to`, its own canonical form, that of dim and of all that had dim as theirs.
static void set_canonical(sni_dim_table *table, sni_dim dim, sni_dim to) {
  sni_dim_entry *entry = sni_dim_at(table, dim), *last = entry;
  entry->canonical = to;
  entry->next_alias = entry->aliases;  // they follow it into the list of `to`
  entry->aliases = 0;
  while (last->next_alias) {
    last = sni_dim_at(table, -(sni_dim)last->next_alias);
    last->canonical = to;
  }
  if (!sni_dim_is_reference(to)) return;
  sni_dim_entry *target = sni_dim_at(table, to);
  last->next_alias = target->aliases;
  target->aliases = (uint32_t)-dim;
}

static bool comes_before(const void *user, uint32_t a, uint32_t b) {
  (void)user;
  return a < b;
}

// Lists the entries in use that contain the symbol, in order of creation: operands come before
// users. What is no longer its own canonical form is used by nothing that is.
static bool list_users(sni_dim_table *table, sni_dim symbol, uint32_t *out_count) {
  uint32_t count = 0;
  const uint32_t stamp = ++table->stamp;
  for (uint32_t next = 0, link = sni_dim_at(table, symbol)->users;;) {
    for (; link; link = table->links[link - 1].next) {
      const uint32_t user = table->links[link - 1].user;
      sni_dim_entry *entry = sni_dim_at(table, -(sni_dim)user - 1);
      if (entry->stamp == stamp || entry->canonical != -(sni_dim)user - 1) continue;
      entry->stamp = stamp;
      if (sni_arena_grow(table->arena, NULL, (void **)&table->work, &table->work_capacity,
                         count + 1, sizeof(*table->work)))
        return false;
      table->work[count++] = user;
    }
    if (next == count) break;
    link = sni_dim_at(table, -(sni_dim)table->work[next++] - 1)->users;
  }
  sni_sort(table->work, count, comes_before, NULL);
  *out_count = count;
  return true;
}

// Puts value in the place of symbol everywhere.
static bool substitute(sni_dim_table *table, sni_dim symbol, sni_dim value) {
  uint32_t count;
  if (!list_users(table, symbol, &count)) {
    sni_dim_fail(table, SN_ERR_MEMORY);
    return false;
  }
  set_canonical(table, symbol, value);
  for (uint32_t i = 0; i < count; i++) {
    const sni_dim dim = -(sni_dim)table->work[i] - 1;
    const sni_dim built = sni_dim_canonical(table, rebuild(table, dim));
    if (built == SNI_DIM_FAILED) return false;
    if (built != dim) set_canonical(table, dim, built);
  }
  return true;
}

static int youngest_late(const sni_dim_table *table, sni_dim dim) {
  for (int i = (int)table->n_symbols; i-- > 0;)
    if (table->symbols[i].late && contains(table, dim, table->symbols[i].dim)) return i;
  return -1;
}

// Late sizes that no symbol can be isolated of (a reshape to pairs): the one that is an expression becomes the other.
static bool unify_expressions(sni_dim_table *table, sni_dim a, sni_dim b) {
  a = sni_dim_canonical(table, a);
  b = sni_dim_canonical(table, b);
  if (!sni_dim_is_reference(a) || sni_dim_at(table, a)->expression.op == SNI_DIM_SYMBOL) {
    const sni_dim other = a;
    a = b;
    b = other;
  }
  if (!sni_dim_is_reference(a) || sni_dim_at(table, a)->expression.op == SNI_DIM_SYMBOL ||
      youngest_late(table, a) < 0 || youngest_late(table, b) > youngest_late(table, a) ||
      contains(table, b, a) || !reserve_late_guard(table))
    return false;
  if (!substitute(table, a, b)) return false;
  table->late_guards[table->n_late_guards++] = (sni_dim_guard){.a = a, .b = b};
  return true;
}

// The term whose symbol is the one to go; -1: there is none. What is known later becomes what is known before: else
// the number of a symbol would be wanted before a run has it.
static int choose_term(const sni_dim_table *table, sni_dim difference, const sni_dim_sum *sum) {
  const int late = table->n_late ? youngest_late(table, difference) : -1;
  int chosen = sum->n - 1;  // of two symbols the one with the later name goes
  while (chosen >= 0 && (!solvable(table, sum, chosen) ||
                         (late >= 0 && sum->terms[chosen].product != table->symbols[late].dim)))
    chosen--;
  return chosen;
}

bool sni_dim_unify(sni_dim_table *table, sni_dim a, sni_dim b) {
  if (!sni_dim_valid(table, a) || !sni_dim_valid(table, b)) return false;
  if (sni_dim_equal(table, a, b)) return true;
  if (!table || table->parent) return false;
  int64_t hint_a = sni_dim_hint(table, a), hint_b = sni_dim_hint(table, b), constant;
  if (hint_a >= 0 && hint_b >= 0 && hint_a != hint_b) return false;
  sni_dim difference = sni_dim_sub(table, a, b);
  if (difference == SNI_DIM_FAILED || sni_dim_is_constant(table, difference, &constant))
    return false;
  sni_dim_sum sum;
  sni_dim_split(table, difference, &sum);
  const int chosen = choose_term(table, difference, &sum);
  if (chosen < 0) return unify_expressions(table, a, b);
  sni_dim symbol = sum.terms[chosen].product;
  int64_t divisor = -sum.terms[chosen].coefficient;
  memmove(&sum.terms[chosen], &sum.terms[chosen + 1],
          sizeof(sni_dim_term) * (size_t)(sum.n - chosen - 1));
  sum.n--;
  for (int i = 0; i < sum.n; i++) sum.terms[i].coefficient /= divisor;
  sni_dim value = sni_dim_build(table, &sum);
  if (value == SNI_DIM_FAILED) return false;
  if (sni_dim_is_constant(table, value, &constant) && constant < 0) return false;
  a = as_of_now(table, a);
  b = as_of_now(table, b);
  const bool late = sni_dim_has_late(table, symbol);
  if (!(late ? reserve_late_guard(table) : reserve_guard(table))) return false;
  int64_t *hint = &table->symbols[sni_dim_at(table, symbol)->expression.a].hint;
  if (*hint < 0) *hint = sni_dim_hint(table, value);
  if (*hint >= 0 && sni_dim_is_reference(value) &&
      sni_dim_at(table, value)->expression.op == SNI_DIM_SYMBOL)
    table->symbols[sni_dim_at(table, value)->expression.a].hint = *hint;
  if (!substitute(table, symbol, value)) return false;
  const sni_dim_guard guard = {.a = a, .b = b};
  if (late)
    table->late_guards[table->n_late_guards++] = guard;
  else
    table->guards[table->n_guards++] = guard;
  return true;
}

// ---- sizes of one
void sni_dim_table_settle(sni_dim_table *table) {
  table->settles = true;
}

// Of an expression that no symbol can be isolated of: it is that number all the same.
static void settle_at(sni_dim_table *table, sni_dim dim, int64_t value) {
  const sni_dim expression = sni_dim_canonical(table, dim);
  if (sni_dim_unify(table, dim, value) || table->parent || !reserve_guard(table)) return;
  if (substitute(table, expression, value))
    table->guards[table->n_guards++] = (sni_dim_guard){.a = expression, .b = value};
}

void sni_dim_settle(sni_dim_table *table, sni_dim dim) {
  int64_t value;
  if (!table || !table->settles || sni_dim_is_constant(table, dim, &value)) return;
  const int64_t hint = sni_dim_hint(table, dim);
  if (hint >= 2)
    sni_dim_require(table, dim, 2);
  else if (hint >= 0)
    settle_at(table, dim, hint);
}
