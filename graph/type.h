// Types: a dtype and dims. A dim is a constant (>= 0) or, negative, a reference into a table of
// symbolic expressions.
#ifndef SNI_GRAPH_TYPE_H
#define SNI_GRAPH_TYPE_H

#include "runtime/arena.h"
#include "runtime/dtype.h"

#include <sinter/tensor.h>

// The largest step of a slice, either way, and number of elements between two in a pad.
#define SNI_STEP_MAX ((int64_t)1 << 61)

// >= 0: the size itself. < 0: opaque, an expression of the graph's sni_dim_table or a negative
// number (sni_dim_signed).
typedef int64_t sni_dim;

typedef struct sni_type {
  sn_dtype dtype;
  int rank;
  sni_dim dims[SN_MAX_RANK];
} sni_type;

typedef enum sni_dim_op {
  SNI_DIM_SYMBOL,     // a: symbol number
  SNI_DIM_ADD,        // a + b
  SNI_DIM_MUL,        // a * b
  SNI_DIM_FLOOR_DIV,  // a / b rounded down, b > 0 constant
  SNI_DIM_MAX,        // max(a, b)
  SNI_DIM_MIN,        // min(a, b)
  SNI_DIM_CONSTANT,   // a, as a plain integer (sni_dim_expand)
} sni_dim_op;

typedef struct sni_dim_expression {
  sni_dim_op op;
  sni_dim a, b;  // operands
} sni_dim_expression;

// Interned symbolic expressions: equal expressions have equal dims. Symbols that an op forces to be
// equal are unified. A negative number is no expression: sni_dim_signed makes it and
// sni_dim_is_constant reads it, with or without a table.

typedef struct sni_dim_table sni_dim_table;

sn_status sni_dim_table_create(sni_arena *arena, sni_diag *diag, sni_dim_table **out_table);
// A table on top of parent, which must outlive it and change no more: new expressions go into the
// overlay, dims of parent mean the same in both. It makes no symbols, and unifies and requires
// nothing that parent does not know: such calls fail.
sn_status sni_dim_table_overlay(const sni_dim_table *parent, sni_arena *arena, sni_diag *diag,
                                sni_dim_table **out_table);
// A new symbol. hint: its value at trace time, or -1. *out_dim names it.
sn_status sni_dim_new_symbol(sni_dim_table *table, int64_t hint, sni_dim *out_dim);
int sni_dim_symbol_count(const sni_dim_table *table);
// The same of a late symbol (graph/late.h), whose number a run finds out. What holds such a one to another size is no
// guard of calls but checked by the run.
sn_status sni_dim_new_late(sni_dim_table *table, sni_dim *out_dim);
// Of a symbol that a text has named.
void sni_dim_make_late(sni_dim_table *table, sni_dim symbol);
bool sni_dim_is_late(const sni_dim_table *table, int symbol);
int sni_dim_late_count(const sni_dim_table *table);
// Its number where the dim was made as a symbol, whatever it was unified with since; -1: it was not.
int sni_dim_bare_symbol(const sni_dim_table *table, sni_dim dim);
// Whether a late symbol is in it.
bool sni_dim_is_made_late(const sni_dim_table *table, sni_dim dim);
// What unification has made of it.
sni_dim sni_dim_unified(const sni_dim_table *table, sni_dim dim);
// Marks the symbols that the dim is made of; as_written: before unification.
void sni_dim_mark_symbols(const sni_dim_table *table, sni_dim dim, bool as_written, bool *marks);
// The dim that names symbol number i.
sni_dim sni_dim_symbol(const sni_dim_table *table, int i);
int64_t sni_dim_hint(const sni_dim_table *table, sni_dim dim);  // value under the hints; -1 unknown
// Declares two dims equal by solving for a symbol (B = C, B = 32, 10*B = 320, B = 2*C). False when
// that cannot hold (constants or hints that differ) or no symbol can be isolated. Afterwards
// sni_dim_equal(a, b), also for expressions made before, and the pair is listed as a guard that
// each call must satisfy.
bool sni_dim_unify(sni_dim_table *table, sni_dim a, sni_dim b);
// Declares dim >= least. False when that cannot hold (a constant or a hint below it). What is not
// certain is listed as a guard.
bool sni_dim_require(sni_dim_table *table, sni_dim dim, int64_t least);
// The same for dim <= most.
bool sni_dim_require_most(sni_dim_table *table, sni_dim dim, int64_t most);
// Whether that is certain: a constant, or what a guard says.
bool sni_dim_is_at_least(const sni_dim_table *table, sni_dim dim, int64_t least);
// From now on sni_dim_settle holds dims to what their hints say; without it, or without a hint, it
// does nothing.
void sni_dim_table_settle(sni_dim_table *table);
// The order of a sum, and of cotangents behind a broadcast, asks whether dim is 1: a dim whose hint is 0 or 1 becomes that number, of any
// other a guard says that it is at least 2.
void sni_dim_settle(sni_dim_table *table, sni_dim dim);
// What the numbers of each call must satisfy: a == b, or a >= b.
typedef struct sni_dim_guard {
  sni_dim a, b;
  bool at_least;
  // Whose call it came from, in static storage; NULL: nobody has said.
  const char *op, *file;
  int line;
} sni_dim_guard;
// Guards from number `first` on that have no line come from this call.
void sni_dim_label_guards(sni_dim_table *table, int first, const char *op, const char *file,
                          int line);
int sni_dim_guard_count(const sni_dim_table *table);
// The oldest condition on late symbols that nobody has taken yet. False: there is none.
bool sni_dim_has_late_guard(const sni_dim_table *table);
bool sni_dim_take_late_guard(sni_dim_table *table, sni_dim_guard *out_guard);
sni_dim_guard sni_dim_guard_at(const sni_dim_table *table, int i);
bool sni_dim_guard_holds(const sni_dim_table *table, sni_dim_guard guard, const int64_t *symbols);
// "B == C, but they are 3 and 1", as snprintf does: what is broken for these values.
size_t sni_dim_guard_format(const sni_dim_table *table, sni_dim_guard guard, const int64_t *symbols,
                            char *buffer, size_t capacity);
// table may be NULL for constants.
bool sni_dim_equal(const sni_dim_table *table, sni_dim a, sni_dim b);
// Arithmetic, folded and interned. An exhausted arena gives SNI_DIM_FAILED, which all of them
// accept.
#define SNI_DIM_FAILED INT64_MIN
sni_dim sni_dim_add(sni_dim_table *table, sni_dim a, sni_dim b);
sni_dim sni_dim_add_constant(sni_dim_table *table, sni_dim a, int64_t b);
sni_dim sni_dim_sub(sni_dim_table *table, sni_dim a, sni_dim b);
sni_dim sni_dim_mul(sni_dim_table *table, sni_dim a, sni_dim b);
sni_dim sni_dim_mul_constant(sni_dim_table *table, sni_dim a, int64_t b);
sni_dim sni_dim_floor_div(sni_dim_table *table, sni_dim a, int64_t b);
sni_dim sni_dim_max(sni_dim_table *table, sni_dim a, sni_dim b);
sni_dim sni_dim_min(sni_dim_table *table, sni_dim a, sni_dim b);
sni_dim sni_dim_signed(sni_dim_table *table, int64_t value);  // a constant that may be negative
bool sni_dim_is_constant(const sni_dim_table *table, sni_dim dim, int64_t *out_value);
// A constant or a reference into the table.
bool sni_dim_valid(const sni_dim_table *table, sni_dim dim);
// The expression at dim after unification, for walkers: a constant is {SNI_DIM_CONSTANT, its value,
// 0}; a symbol is {SNI_DIM_SYMBOL, its number, 0}; otherwise a and b are dims.
sni_dim_expression sni_dim_expand(const sni_dim_table *table, sni_dim dim);
// Value when symbol i is symbols[i]; INT64_MAX when that overflows. Safe for any dim of the table.
// Thread-safe on a table that no longer grows.
int64_t sni_dim_evaluate(const sni_dim_table *table, sni_dim dim, const int64_t *symbols);
// Writes "32", "B", "2*B+1" as snprintf does.
size_t sni_dim_format(const sni_dim_table *table, sni_dim dim, char *buffer, size_t capacity);
// Parses what sni_dim_format writes; new symbol names make new symbols. *cursor moves past it.
sn_status sni_dim_parse(sni_dim_table *table, const char **cursor, const char *end,
                        sni_dim *out_dim);

// ---- types
sni_type sni_type_make(sn_dtype dtype, int rank, const sni_dim *dims);
bool sni_type_equal(const sni_dim_table *dims, const sni_type *a, const sni_type *b);
bool sni_shape_equal(const sni_dim_table *dims, const sni_type *a, const sni_type *b);
bool sni_type_is_static(const sni_type *type);
// Number of elements as a dim; of a static type with a NULL table.
sni_dim sni_type_size(sni_dim_table *dims, const sni_type *type);
size_t sni_type_bytes(const sni_type *type);  // of a static type
// "f32[32,10]", as snprintf does.
size_t sni_type_format(const sni_dim_table *dims, const sni_type *type, char *buffer,
                       size_t capacity);
// What is said of an index out of range in op(table, indices, ...), in every mode. A dim of -1 is "?":
// of the indices, of the table, and of the table's dim 0 once more, in this order.
// The same of an op that finds places by the indices along n axes; sizes < 0 are written as '?'.
void sni_axes_fault_format(const char *op, const sni_dim *axes, const sni_dim *sizes, int n,
                           char *buffer, size_t capacity);
void sni_index_fault_format(const char *op, const sni_type *table, const sni_type *indices,
                            char *buffer, size_t capacity);

// A set of dtypes for messages: "a number", "a float", "bool or an integer"; else "f32 or f64".
void sni_dtypes_format(uint32_t dtypes, char *buffer, size_t capacity);

#endif
