// Dims as text: "32", "B", "2*B+1", "(B+1)*C", "div(B+1,2)", "max(B,C)", "min(B,C)"; and the parser
// of that.
//
// Invariant: parsing what was formatted gives an equal dim, and formatting that gives the same
// text. Recursion in both is bounded by sni_dim_max_weight.
#include "graph/dims_internal.h"

#include <stdio.h>
#include <string.h>

// ---- formatting
typedef struct writer {
  char *buffer;
  size_t capacity, length;  // length: of the whole text, also where it does not fit
} writer;

static void put(writer *w, const char *text) {
  for (; *text; text++, w->length++)
    if (w->length + 1 < w->capacity) w->buffer[w->length] = *text;
}

static void put_integer(writer *w, int64_t value) {
  char digits[24];
  snprintf(digits, sizeof(digits), "%lld", (long long)value);
  put(w, digits);
}

static void put_sum(const sni_dim_table *table, sni_dim dim, writer *w);

static void put_function(const sni_dim_table *table, const char *name, sni_dim_expression e,
                         writer *w) {
  put(w, name);
  put(w, "(");
  put_sum(table, e.a, w);
  put(w, ",");
  put_sum(table, e.b, w);
  put(w, ")");
}

static void put_product(const sni_dim_table *table, sni_dim dim, writer *w) {
  sni_dim_expression e = sni_dim_at(table, dim)->expression;
  switch (e.op) {
    case SNI_DIM_SYMBOL:
      put(w, table->symbols[e.a].name);
      break;
    case SNI_DIM_MUL:
      put_product(table, e.a, w);
      put(w, "*");
      put_product(table, e.b, w);
      break;
    case SNI_DIM_ADD:
      put(w, "(");
      put_sum(table, dim, w);
      put(w, ")");
      break;
    case SNI_DIM_FLOOR_DIV:
      put_function(table, "div", e, w);
      break;
    case SNI_DIM_MAX:
      put_function(table, "max", e, w);
      break;
    case SNI_DIM_MIN:
      put_function(table, "min", e, w);
      break;
    case SNI_DIM_CONSTANT:
      break;
  }
}

static void put_term(const sni_dim_table *table, sni_dim_term term, writer *w) {
  if (term.product == 1) {
    put_integer(w, term.coefficient);
    return;
  }
  if (term.coefficient == -1) {
    put(w, "-");
  } else if (term.coefficient != 1) {
    put_integer(w, term.coefficient);
    put(w, "*");
  }
  put_product(table, term.product, w);
}

static void put_sum(const sni_dim_table *table, sni_dim dim, writer *w) {
  if (sni_dim_is_reference(dim)) {
    sni_dim_expression e = sni_dim_at(table, dim)->expression;
    if (e.op == SNI_DIM_ADD) {
      sni_dim_term term = sni_dim_term_of(table, e.b);
      put_sum(table, e.a, w);
      if (term.coefficient >= 0) put(w, "+");
      put_term(table, term, w);
      return;
    }
  }
  put_term(table, sni_dim_term_of(table, dim), w);
}

size_t sni_dim_format(const sni_dim_table *table, sni_dim dim, char *buffer, size_t capacity) {
  writer w = {buffer, capacity, 0};
  if (sni_dim_valid(table, dim))
    put_sum(table, sni_dim_canonical(table, dim), &w);
  else
    put(&w, "?");
  if (capacity) buffer[w.length < capacity ? w.length : capacity - 1] = 0;
  return w.length;
}

size_t sni_dim_guard_format(const sni_dim_table *table, sni_dim_guard guard, const int64_t *symbols,
                            char *buffer, size_t capacity) {
  const long long a = sni_dim_evaluate(table, guard.a, symbols);
  const long long b = sni_dim_evaluate(table, guard.b, symbols);
  char is[80], must[80];
  int length;
  int64_t most;
  sni_dim_format(table, guard.a, is, sizeof(is));
  sni_dim_format(table, guard.b, must, sizeof(must));
  if (guard.at_least && sni_dim_is_constant(table, guard.a, &most))
    length = snprintf(buffer, capacity, "a size of %lld or less, but it is %lld", a, b);
  else if (guard.at_least)
    length = snprintf(buffer, capacity, "a size of %lld or more, but it is %lld", b, a);
  else if (!strcmp(is, must) && !sni_dim_is_constant(table, guard.a, &most))  // unified since
    length = snprintf(buffer, capacity, "two sizes to be equal, but they are %lld and %lld", a, b);
  else if (!strcmp(is, must))  // a size that the trace pinned
    length = snprintf(buffer, capacity, "two sizes to be %s, but they are %lld and %lld", is, a, b);
  else
    length = snprintf(buffer, capacity, "%s == %s, but they are %lld and %lld", is, must, a, b);
  return length < 0 ? 0 : (size_t)length;
}

// ---- parsing
typedef struct reader {
  sni_dim_table *table;
  const char *cursor, *end;
  int depth;
} reader;

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(reader *r) {
  while (r->cursor < r->end && (*r->cursor == ' ' || *r->cursor == '\t')) r->cursor++;
}

static bool accept(reader *r, char c) {
  skip_blanks(r);
  if (r->cursor == r->end || *r->cursor != c) return false;
  r->cursor++;
  return true;
}

// A failed operation is too large a number, or no memory.
static sn_status checked(const reader *r, sni_dim dim) {
  if (dim != SNI_DIM_FAILED) return SN_OK;
  return r->table->failure == SN_ERR_MEMORY ? SN_ERR_MEMORY : SN_ERR_SYNTAX;
}

static sn_status read_sum(reader *r, sni_dim *out_dim);

static sn_status read_integer(reader *r, int64_t *out_value) {
  skip_blanks(r);
  if (r->cursor == r->end || !is_digit(*r->cursor)) return SN_ERR_SYNTAX;
  int64_t value = 0;
  for (; r->cursor < r->end && is_digit(*r->cursor); r->cursor++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *r->cursor - '0', &value))
      return SN_ERR_SYNTAX;
  *out_value = value;
  return SN_OK;
}

// div(sum, integer), max(sum, sum), min(sum, sum), behind the opening parenthesis.
static sn_status read_function(reader *r, const char *name, sni_dim *out_dim) {
  sni_dim a, b;
  SNI_TRY(read_sum(r, &a));
  if (!accept(r, ',')) return SN_ERR_SYNTAX;
  if (*name == 'd') {
    int64_t divisor;
    SNI_TRY(read_integer(r, &divisor));
    *out_dim = sni_dim_floor_div(r->table, a, divisor);
  } else {
    SNI_TRY(read_sum(r, &b));
    *out_dim = name[1] == 'a' ? sni_dim_max(r->table, a, b) : sni_dim_min(r->table, a, b);
  }
  SNI_TRY(checked(r, *out_dim));
  return accept(r, ')') ? SN_OK : SN_ERR_SYNTAX;
}

static sn_status read_name(reader *r, sni_dim *out_dim) {
  const char *name = r->cursor;
  while (r->cursor < r->end && (is_letter(*r->cursor) || is_digit(*r->cursor))) r->cursor++;
  size_t length = (size_t)(r->cursor - name);
  static const char functions[3][4] = {"div", "max", "min"};
  for (size_t i = 0; i < SNI_COUNT_OF(functions); i++)
    if (length == 3 && !memcmp(name, functions[i], 3))
      return accept(r, '(') ? read_function(r, functions[i], out_dim) : SN_ERR_SYNTAX;
  if (length > sni_dim_max_name) return SN_ERR_SYNTAX;
  int symbol = sni_dim_find_symbol(r->table, name, length);
  if (symbol >= 0) {
    *out_dim = sni_dim_symbol(r->table, symbol);
    return SN_OK;
  }
  if (r->table->n_symbols >= sni_dim_max_parsed) return SN_ERR_SYNTAX;
  return sni_dim_new_named(r->table, name, length, -1, out_dim);
}

static sn_status read_factor(reader *r, sni_dim *out_dim) {
  skip_blanks(r);
  if (r->cursor == r->end) return SN_ERR_SYNTAX;
  if (is_letter(*r->cursor)) return read_name(r, out_dim);
  if (!accept(r, '(')) return read_integer(r, out_dim);
  SNI_TRY(read_sum(r, out_dim));
  return accept(r, ')') ? SN_OK : SN_ERR_SYNTAX;
}

static int term_count(const sni_dim_table *table, sni_dim dim) {
  int n = 1;
  dim = sni_dim_canonical(table, dim);
  while (sni_dim_is_reference(dim) && sni_dim_at(table, dim)->expression.op == SNI_DIM_ADD) {
    dim = sni_dim_at(table, dim)->expression.a;
    n++;
  }
  return n;
}

// A product of sums that was too long to multiply out has factors whose two longest are too long
// together. Taking the longest first finds that out at once and keeps the form.
static sn_status read_term(reader *r, sni_dim *out_dim) {
  sni_dim factors[sni_dim_max_factors + 1], factor;
  int lengths[sni_dim_max_factors + 1], n = 0;
  do {
    if (n == (int)SNI_COUNT_OF(factors)) return SN_ERR_SYNTAX;
    SNI_TRY(read_factor(r, &factor));
    int length = term_count(r->table, factor), at = n++;
    for (; at > 0 && lengths[at - 1] < length; at--) {
      factors[at] = factors[at - 1];
      lengths[at] = lengths[at - 1];
    }
    factors[at] = factor;
    lengths[at] = length;
  } while (accept(r, '*'));
  *out_dim = factors[0];
  for (int i = 1; i < n; i++) {
    *out_dim = sni_dim_mul(r->table, *out_dim, factors[i]);
    SNI_TRY(checked(r, *out_dim));
  }
  return SN_OK;
}

static sn_status read_sum(reader *r, sni_dim *out_dim) {
  if (r->depth == sni_dim_max_weight) return SN_ERR_SYNTAX;
  r->depth++;
  *out_dim = 0;
  bool minus = accept(r, '-');
  do {
    sni_dim term;
    SNI_TRY(read_term(r, &term));
    *out_dim =
        minus ? sni_dim_sub(r->table, *out_dim, term) : sni_dim_add(r->table, *out_dim, term);
    SNI_TRY(checked(r, *out_dim));
  } while (accept(r, '+') ? (minus = false, true) : (minus = accept(r, '-')));
  r->depth--;
  return SN_OK;
}

sn_status sni_dim_parse(sni_dim_table *table, const char **cursor, const char *end,
                        sni_dim *out_dim) {
  reader r = {table, *cursor, end, 0};
  sn_status status = read_sum(&r, out_dim);
  *cursor = r.cursor;
  return status;
}
