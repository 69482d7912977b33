// What dims.c, dims_unify.c, dims_normal.c and dims_text.c share: the table of interned symbolic expressions.
//
// An expression is stored in normal form: a sum ADD(ADD(t0, t1), t2) of terms in the order of
// sni_dim_compare, the constant last; a term MUL(product, coefficient), or the bare product for
// coefficient 1; a product MUL(MUL(f0, f1), f2) of factors in the same order. Factors are symbols,
// FLOOR_DIV, MAX, MIN, and sums whose expansion would have too many terms.
//
// Negative constants are no entries: a constant v in [-2^61, -1] is the dim v - 2^62, with or
// without a table.
#ifndef SNI_GRAPH_DIMS_INTERNAL_H
#define SNI_GRAPH_DIMS_INTERNAL_H

#include "graph/type.h"

enum {
  sni_dim_max_terms = 64,     // of a sum
  sni_dim_max_expanded = 16,  // terms that a product of sums is multiplied out into
  sni_dim_max_factors = 16,   // of a product
  sni_dim_max_weight = 512,   // nodes of an expression written as a tree: bounds every recursion
  sni_dim_max_name = 63,      // bytes of a symbol's name
  sni_dim_max_parsed = 4096,  // symbols that parsing may make
};

typedef struct sni_dim_entry {
  sni_dim_expression expression;
  sni_dim canonical;  // the equal dim without unified symbols; itself if it has none
  uint32_t weight;
  // Numbers count from 1; 0: none.
  uint32_t guard;       // that dim >= b
  uint32_t most_guard;  // the same of an upper bound
  uint32_t users;       // the first link to an entry that has this one as operand
  uint32_t
      aliases;  // the first entry that has this one as canonical form; they go on by next_alias
  uint32_t next_alias;
  uint32_t stamp;  // of the walk that met it last
} sni_dim_entry;

typedef struct sni_dim_link {
  uint32_t user;  // counted from 0
  uint32_t next;
} sni_dim_link;

typedef struct sni_dim_symbol_info {
  sni_dim dim;
  int64_t hint;  // -1: unknown
  bool late;
  const char *name;
  uint64_t name_hash;
} sni_dim_symbol_info;

struct sni_dim_table {
  sni_arena *arena;
  // An overlay: the first n_parent entries are those of parent, which no longer changes; symbols
  // and guards are its arrays.
  const sni_dim_table *parent;
  uint32_t n_parent;
  sni_dim_entry *entries;  // the table's own, from number n_parent on
  uint32_t n_entries, entries_capacity;
  uint32_t *slots;  // open addressing; number of an own entry + 1, 0: free
  uint32_t n_slots;
  sni_dim_link *links;
  uint32_t n_links, links_capacity;
  uint32_t *work;  // entries to rebuild
  uint32_t work_capacity, stamp;
  sni_dim_symbol_info *symbols;
  uint32_t n_symbols, symbols_capacity;
  uint32_t *symbol_slots;  // by name; open addressing; symbol number + 1, 0: free
  uint32_t n_symbol_slots;
  sni_dim_guard *guards;
  uint32_t n_guards, guards_capacity;
  sni_dim_guard *late_guards;
  uint32_t n_late_guards, late_guards_capacity, n_taken;
  uint32_t n_late;         // symbols
  bool settles;            // sni_dim_settle does something
  bool has_named_symbols;  // parsing made some: default names may collide with theirs
  sn_status failure;  // why the latest SNI_DIM_FAILED came about: SN_ERR_MEMORY or SN_ERR_SHAPE
};

// One term of a sum: coefficient * product; product 1 is the constant term.
typedef struct sni_dim_term {
  int64_t coefficient;
  sni_dim product;
} sni_dim_term;
typedef struct sni_dim_sum {
  int n;
  sni_dim_term terms[sni_dim_max_terms];
} sni_dim_sum;

// Constants, without looking at unified symbols.
static inline bool sni_dim_decode(sni_dim dim, int64_t *out_value) {
  const int64_t zero = -((int64_t)1 << 62);
  if (dim >= 0) {
    *out_value = dim;
    return true;
  }
  if (dim >= zero || dim < zero - ((int64_t)1 << 61)) return false;
  *out_value = dim - zero;
  return true;
}
static inline bool sni_dim_is_reference(sni_dim dim) {
  return dim < 0 && dim >= -(int64_t)UINT32_MAX;
}
static inline sni_dim_entry *sni_dim_at(const sni_dim_table *table, sni_dim reference) {
  const uint32_t number = (uint32_t) - (reference + 1);
  while (number < table->n_parent) table = table->parent;
  return &table->entries[number - table->n_parent];
}
static inline sni_dim sni_dim_canonical(const sni_dim_table *table, sni_dim dim) {
  return table && sni_dim_is_reference(dim) ? sni_dim_at(table, dim)->canonical : dim;
}

// Whether a late symbol is in it.
bool sni_dim_has_late(const sni_dim_table *table, sni_dim dim);
// Notes why and returns SNI_DIM_FAILED.
sni_dim sni_dim_fail(sni_dim_table *table, sn_status why);
// The entry op(a, b), made if there is none.
sni_dim sni_dim_intern(sni_dim_table *table, sni_dim_op op, sni_dim a, sni_dim b);
// Symbol of that name or -1. A new symbol of that name (copied); NULL: the default name of its
// number.
int sni_dim_find_symbol(const sni_dim_table *table, const char *name, size_t length);
sn_status sni_dim_new_named(sni_dim_table *table, const char *name, size_t length, int64_t hint,
                            sni_dim *out_dim);
// Total order that depends on structure and symbol names alone, so that a printed and parsed
// expression keeps its form.
int sni_dim_compare(const sni_dim_table *table, sni_dim a, sni_dim b);
// Terms of a canonical dim, and back.
void sni_dim_split(const sni_dim_table *table, sni_dim dim, sni_dim_sum *out_sum);
sni_dim sni_dim_build(sni_dim_table *table, const sni_dim_sum *sum);
// The term at dim, which is not a sum.
sni_dim_term sni_dim_term_of(const sni_dim_table *table, sni_dim dim);

#endif
