// The parser of the form that text.h shows. Type rules are those of construction: each line becomes
// a node through the same code.
//
// Hostile text is expected: no recursion but in dims and bodies (bounded), memory bounded by the text's
// length, symbols are never unified. Every failure but memory is SN_ERR_SYNTAX and starts with
// line:column.
#include "graph/control.h"
#include "graph/dims_internal.h"
#include "graph/infer.h"
#include "graph/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct value_name {
  const char *text;  // in the source; NULL: free slot
  uint32_t length;
  sni_node_id node;
} value_name;

typedef struct parser {
  const char *text, *cursor, *end;
  const sni_graph *root;  // the outermost one
  sni_graph *graph;
  sni_diag *diag;     // the caller's
  sni_diag inner;     // of the graph while parsing: its messages get a place
  value_name *names;  // open addressing
  uint32_t n_names, names_capacity;
  const char *counted;  // up to here the text has `lines` ends of lines
  int lines;
  sni_node_id *operands;  // of the node being read
  uint32_t operands_capacity;
  int depth;  // of bodies in one another
} parser;

enum { most_nested_bodies = 32, most_bodies = 1024 };

// ---- failures
static sn_status fail_at(const parser *p, const char *at, const char *format, ...) SNI_PRINTF(3, 4);
static sn_status fail_at(const parser *p, const char *at, const char *format, ...) {
  char detail[1100];
  int line = 1, column = 1;
  for (const char *c = p->text; c < at; c++) {
    column = *c == '\n' ? 1 : column + 1;
    line += *c == '\n';
  }
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof(detail), format, arguments);
  va_end(arguments);
  return sni_fail(p->diag, SN_ERR_SYNTAX, "%d:%d: %s", line, column, detail);
}

static sn_status fail_memory(const parser *p) {
  return sni_fail_memory(p->diag, (size_t)(p->end - p->text), "parsing a graph");
}

// A failure that the graph, or one around it, described in the parser's own diag.
static sn_status fail_inner(const parser *p, const char *at, sn_status status) {
  return status == SN_ERR_MEMORY ? fail_memory(p) : fail_at(p, at, "%s", p->graph->diag->text);
}

// Of the node whose line begins at `at`; no earlier one is asked for later.
static sni_location location_of(parser *p, const char *at) {
  for (; p->counted < at; p->counted++) p->lines += *p->counted == '\n';
  return (sni_location){.file = SNI_TEXT_FILE, .line = p->lines + 1};
}

// ---- tokens
static void skip_space(parser *p) {
  while (p->cursor < p->end) {
    char c = *p->cursor;
    if (c == '/' && p->end - p->cursor > 1 && p->cursor[1] == '/') {
      const char *stop = memchr(p->cursor, '\n', (size_t)(p->end - p->cursor));
      p->cursor = stop ? stop : p->end;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      p->cursor++;
    } else {
      return;
    }
  }
}

static bool accept(parser *p, char c) {
  skip_space(p);
  if (p->cursor == p->end || *p->cursor != c) return false;
  p->cursor++;
  return true;
}

static sn_status expect(parser *p, char c) {
  return accept(p, c) ? SN_OK : fail_at(p, p->cursor, "expected '%c'", c);
}

// A run of letters, digits, '_' and '.'; its length, 0 if there is none.
static size_t read_word(parser *p, const char **out_word) {
  skip_space(p);
  *out_word = p->cursor;
  while (p->cursor < p->end && sni_text_is_name(*p->cursor)) p->cursor++;
  return (size_t)(p->cursor - *out_word);
}

static bool word_is(const char *word, size_t length, const char *wanted) {
  return length == strlen(wanted) && !memcmp(word, wanted, length);
}

static sn_status expect_word(parser *p, const char *wanted) {
  const char *word;
  size_t length = read_word(p, &word);
  return word_is(word, length, wanted) ? SN_OK : fail_at(p, word, "expected '%s'", wanted);
}

static sn_status read_number(parser *p, uint32_t greatest, uint32_t *out_value) {
  const char *word;
  size_t length = read_word(p, &word);
  uint64_t value = 0;
  bool fits = length > 0;
  for (size_t i = 0; i < length && fits; i++) {
    fits = word[i] >= '0' && word[i] <= '9';
    value = value * 10 + (uint64_t)(word[i] - '0');
    fits = fits && value <= greatest;
  }
  *out_value = (uint32_t)value;
  return fits ? SN_OK : fail_at(p, word, "expected a number up to %u", greatest);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// A quoted string behind the opening quote; the copy is in the arena.
static sn_status read_string(parser *p, const char **out_string) {
  const char *begin = p->cursor, *stop = begin;
  while (stop < p->end && *stop != '"' && *stop != '\n') stop += 1 + (*stop == '\\');
  if (stop >= p->end || *stop != '"') return fail_at(p, begin, "a string without end");
  char *copy = sni_arena_alloc(p->graph->arena, (size_t)(stop - begin) + 1);
  if (!copy) return fail_memory(p);
  size_t n = 0;
  for (const char *c = begin; c < stop; c++) {
    char value = *c;
    if (value == '\\') {
      value = *++c;
      if (value == 'x') {
        int high = stop - c > 2 ? hex_digit(c[1]) : -1, low = high < 0 ? -1 : hex_digit(c[2]);
        if (low < 0) return fail_at(p, c, "expected two hexadecimal digits");
        value = (char)(high * 16 + low);
        c += 2;
      } else if (value != '"' && value != '\\') {
        return fail_at(p, c, "unknown escape");
      }
    }
    if (!value) return fail_at(p, c, "a string cannot hold a zero byte");
    copy[n++] = value;
  }
  copy[n] = 0;
  p->cursor = stop + 1;
  *out_string = copy;
  return SN_OK;
}

// ---- names of values
static value_name *find_name(const parser *p, const char *text, size_t length) {
  uint32_t mask = p->names_capacity - 1;
  uint32_t at = (uint32_t)sni_hash_bytes(0, text, length) & mask;
  while (p->names[at].text &&
         (p->names[at].length != length || memcmp(p->names[at].text, text, length) != 0))
    at = (at + 1) & mask;
  return &p->names[at];
}

static bool grow_names(parser *p) {
  value_name *old = p->names;
  uint32_t old_capacity = p->names_capacity, capacity = old_capacity ? old_capacity * 2 : 64;
  value_name *names = SNI_ARENA_ARRAY(p->graph->arena, value_name, capacity);
  if (!names) return false;
  p->names = names;
  p->names_capacity = capacity;
  for (uint32_t i = 0; i < old_capacity; i++)
    if (old[i].text) *find_name(p, old[i].text, old[i].length) = old[i];
  return true;
}

// %name
static sn_status read_value(parser *p, const char **out_name, size_t *out_length) {
  SNI_TRY(expect(p, '%'));
  const char *percent = p->cursor - 1;
  *out_length = read_word(p, out_name);
  if (!*out_length || *out_name != percent + 1 || *out_length > UINT16_MAX)
    return fail_at(p, percent, "expected the name of a value");
  return SN_OK;
}

static sn_status read_use(parser *p, sni_node_id *out_node) {
  const char *name;
  size_t length;
  SNI_TRY(read_value(p, &name, &length));
  const value_name *found = find_name(p, name, length);
  if (!found->text)
    return fail_at(p, name - 1, "%%%.*s is not defined before", (int)(length < 64 ? length : 64),
                   name);
  *out_node = found->node;
  return SN_OK;
}

// ---- types and attributes
static sn_status read_dim(parser *p, sni_dim *out_dim) {
  skip_space(p);
  sn_status status = sni_dim_parse(p->graph->dims, &p->cursor, p->end, out_dim);
  if (!status) return SN_OK;
  return status == SN_ERR_MEMORY ? fail_memory(p) : fail_at(p, p->cursor, "malformed dim");
}

// [dim, ...]: at most SN_MAX_RANK of them.
static sn_status read_dims(parser *p, sni_dim *dims, int *out_count) {
  int n = 0;
  SNI_TRY(expect(p, '['));
  while (!accept(p, ']')) {
    if (n) SNI_TRY(expect(p, ','));
    if (n == SN_MAX_RANK) return fail_at(p, p->cursor, "more than %d dims", SN_MAX_RANK);
    SNI_TRY(read_dim(p, &dims[n++]));
  }
  *out_count = n;
  return SN_OK;
}

static sn_status read_type(parser *p, sni_type *out_type) {
  const char *word;
  size_t length = read_word(p, &word);
  int dtype = 0;
  while (dtype < SN_DTYPE_COUNT && !word_is(word, length, sn_dtype_name((sn_dtype)dtype))) dtype++;
  if (dtype == SN_DTYPE_COUNT) {
    if (!word_is(word, length, sn_dtype_name(SN_STRING)))
      return fail_at(p, word, "expected a dtype");
    dtype = SN_STRING;
  }
  *out_type = (sni_type){.dtype = (sn_dtype)dtype};
  return read_dims(p, out_type->dims, &out_type->rank);
}

// {name=dim, name=[dim, ...]} as the op's schema says.
static sn_status read_attributes(parser *p, sni_op op, sni_dim *attrs, int *out_count) {
  sni_schema_field fields[sni_schema_max];
  int n = sni_schema_fields(sni_op_infos[op].attributes, fields), lists = 0, first = 0;
  *out_count = 0;
  if (!n) return SN_OK;
  SNI_TRY(expect(p, '{'));
  for (int i = 0; i < n; i++) {
    const char *word;
    if (i) SNI_TRY(expect(p, ','));
    size_t length = read_word(p, &word);
    if (length != (size_t)fields[i].length || memcmp(word, fields[i].name, length) != 0)
      return fail_at(p, word, "expected attribute '%.*s'", fields[i].length, fields[i].name);
    SNI_TRY(expect(p, '='));
    if (!fields[i].list) {
      SNI_TRY(read_dim(p, &attrs[(*out_count)++]));
      continue;
    }
    int count;
    SNI_TRY(read_dims(p, attrs + *out_count, &count));
    if (!lists++) first = count;
    if (count != first) return fail_at(p, word, "the lists have different lengths");
    *out_count += count;
  }
  return expect(p, '}');
}

// ---- nodes
// Moves over a constant's literal, whose dtype comes behind it.
static sn_status skip_literal(parser *p, const char **out_begin, const char **out_end) {
  skip_space(p);
  *out_begin = p->cursor;
  if (p->cursor < p->end && *p->cursor == '[') {
    const char *stop = memchr(p->cursor, ']', (size_t)(p->end - p->cursor));
    if (!stop) return fail_at(p, p->cursor, "a list without end");
    p->cursor = stop + 1;
  } else {
    while (p->cursor < p->end &&
           (sni_text_is_name(*p->cursor) || *p->cursor == '+' || *p->cursor == '-'))
      p->cursor++;
  }
  *out_end = p->cursor;
  return *out_end > *out_begin ? SN_OK : fail_at(p, *out_begin, "expected a literal");
}

// ["name"] : type
static sn_status read_tail(parser *p, const char **out_name, sni_type *out_type) {
  *out_name = NULL;
  if (accept(p, '"')) SNI_TRY(read_string(p, out_name));
  SNI_TRY(expect(p, ':'));
  return read_type(p, out_type);
}

static sn_status read_parameter(parser *p, const char *line, sni_node_id *out_id) {
  const char *word, *name;
  uint32_t index;
  sni_type type;
  int kind = 0;
  size_t length = read_word(p, &word);
  while (kind < 3 && !word_is(word, length, sni_text_parameter_kinds[kind])) kind++;
  if (kind == 3) return fail_at(p, word, "expected input, variable or capture");
  SNI_TRY(read_number(p, UINT32_MAX, &index));
  SNI_TRY(read_tail(p, &name, &type));
  sn_status status =
      sni_graph_add_parameter(p->graph, &type, (sni_parameter_kind)kind, index, name, out_id);
  if (status) return fail_inner(p, line, status);
  p->graph->nodes[*out_id].location = location_of(p, line);
  return SN_OK;
}

static sn_status read_constant(parser *p, const char *line, sni_node_id *out_id) {
  const char *begin = NULL, *end = NULL, *name, *error, *at;
  sni_type type;
  void *data;
  SNI_TRY(skip_literal(p, &begin, &end));
  SNI_TRY(read_tail(p, &name, &type));
  // The type must be sound before its size can be compared with the literal's.
  sni_type checked;
  sn_status status =
      sni_infer(&p->inner, p->graph->dims, SNI_OP_CONSTANT, NULL, 0, NULL, 0, &type, &checked);
  if (status) return fail_inner(p, line, status);
  status = sni_text_read_elements(p->graph->arena, begin, end, &type, &data, &error, &at);
  if (status) return status == SN_ERR_MEMORY ? fail_memory(p) : fail_at(p, at, "%s", error);
  status = sni_graph_add_constant(p->graph, &type, data, location_of(p, line), out_id);
  if (status) return fail_inner(p, line, status);
  p->graph->nodes[*out_id].name = name;
  return SN_OK;
}

static sn_status read_graph(parser *p);

// A graph of its own, over the same dims.
static sn_status read_body(parser *p, sni_graph **out_body) {
  parser inner = *p;
  inner.depth++;
  inner.names = NULL;
  inner.operands = NULL;
  inner.n_names = inner.names_capacity = inner.operands_capacity = 0;
  if (inner.depth > most_nested_bodies)
    return fail_at(p, p->cursor, "bodies are nested deeper than %d", most_nested_bodies);
  if (sni_graph_create(p->graph->arena, p->graph->diag, NULL, p->graph->dims, &inner.graph) ||
      !grow_names(&inner))
    return fail_memory(p);
  SNI_TRY(read_graph(&inner));
  p->cursor = inner.cursor;
  p->counted = inner.counted;
  p->lines = inner.lines;
  *out_body = inner.graph;
  return SN_OK;
}

static sn_status read_bodies(parser *p, sni_graph ***out_bodies, int *out_n) {
  sni_graph **bodies = NULL;
  uint32_t n = 0, capacity = 0;
  SNI_TRY(expect(p, '['));
  do {
    if (n == most_bodies) return fail_at(p, p->cursor, "more than %d bodies", most_bodies);
    if (sni_arena_grow(p->graph->arena, NULL, (void **)&bodies, &capacity, n + 1, sizeof(*bodies)))
      return fail_memory(p);
    SNI_TRY(read_body(p, &bodies[n++]));
  } while (accept(p, ','));
  *out_bodies = bodies;
  *out_n = (int)n;
  return expect(p, ']');
}

static sn_status append(parser *p, sni_op op, int n, const sni_dim *attrs, int n_attrs,
                        sni_graph *const *bodies, int n_bodies, const sni_type *type,
                        sni_location location, sni_node_id *out_id) {
  if (n_bodies)
    return sni_graph_add_control(p->graph, op, p->operands, n, attrs, n_attrs, bodies, n_bodies,
                                 location, out_id);
  return sni_graph_append(p->graph, false, op, p->operands, n, attrs, n_attrs, type, location,
                          out_id);
}

static bool is_dim_of_input(const parser *p, sni_dim dim) {
  for (uint32_t i = 0; i < p->root->n_parameters; i++) {
    const sni_type *type = sni_graph_type(p->root, p->root->parameters[i].node);
    for (int d = 0; d < type->rank; d++)
      if (sni_dim_equal(p->root->dims, type->dims[d], dim)) return true;
  }
  return false;
}

static sn_status read_operation(parser *p, const char *line, sni_op op, sni_node_id *out_id) {
  sni_dim attrs[sni_schema_max * SN_MAX_RANK];
  int n_attrs;
  uint32_t n = 0;
  const char *name;
  sni_type type;
  sni_graph **bodies = NULL;
  int n_bodies = 0;
  SNI_TRY(expect(p, '('));
  while (!accept(p, ')')) {
    if (n) SNI_TRY(expect(p, ','));
    if (n == UINT16_MAX) return fail_at(p, p->cursor, "too many operands");
    if (sni_arena_grow(p->graph->arena, NULL, (void **)&p->operands, &p->operands_capacity, n + 1,
                       sizeof(*p->operands)))
      return fail_memory(p);
    SNI_TRY(read_use(p, &p->operands[n++]));
  }
  SNI_TRY(read_attributes(p, op, attrs, &n_attrs));
  const sni_location location = location_of(p, line);
  if (sni_op_infos[op].lowering == SNI_LOWERING_CONTROL)
    SNI_TRY(read_bodies(p, &bodies, &n_bodies));
  SNI_TRY(read_tail(p, &name, &type));
  sn_status status =
      append(p, op, (int)n, attrs, n_attrs, bodies, n_bodies, &type, location, out_id);
  if (status) return fail_inner(p, line, status);
  p->graph->nodes[*out_id].name = name;
  if (op == SNI_OP_EXTENT && !is_dim_of_input(p, attrs[0]))
    sni_dim_make_late(p->graph->dims, attrs[0]);
  return SN_OK;
}

// %name = ...
static sn_status read_line(parser *p) {
  const char *value = NULL, *word, *line = p->cursor;
  size_t value_length = 0, length;
  sni_node_id id = SNI_NO_NODE;
  SNI_TRY(read_value(p, &value, &value_length));
  SNI_TRY(expect(p, '='));
  length = read_word(p, &word);
  sni_op op = sni_op_by_name(word, length);
  if (op == SNI_OP_COUNT && !length) return fail_at(p, word, "expected the name of an op");
  if (op == SNI_OP_COUNT)
    return fail_at(p, word, "expected the name of an op, not \"%.*s\"",
                   (int)(length > 40 ? 40 : length), word);
  if (p->n_names >= p->names_capacity / 2 && !grow_names(p)) return fail_memory(p);
  if (find_name(p, value, value_length)->text)
    return fail_at(p, value - 1, "%%%.*s is defined twice",
                   (int)(value_length < 64 ? value_length : 64), value);
  if (op == SNI_OP_PARAMETER)
    SNI_TRY(read_parameter(p, line, &id));
  else if (op == SNI_OP_CONSTANT)
    SNI_TRY(read_constant(p, line, &id));
  else
    SNI_TRY(read_operation(p, line, op, &id));
  *find_name(p, value, value_length) = (value_name){value, (uint32_t)value_length, id};
  p->n_names++;
  return SN_OK;
}

// return %a, var 0 = %b
static sn_status read_results(parser *p) {
  SNI_TRY(expect_word(p, "return"));
  bool first = true;
  while (!accept(p, '}')) {
    uint32_t variable = UINT32_MAX;
    sni_node_id id = SNI_NO_NODE;
    if (!first) SNI_TRY(expect(p, ','));
    first = false;
    skip_space(p);
    if (p->cursor < p->end && *p->cursor != '%') {
      SNI_TRY(expect_word(p, "var"));
      SNI_TRY(read_number(p, INT32_MAX, &variable));
      SNI_TRY(expect(p, '='));
    }
    SNI_TRY(read_use(p, &id));
    sn_status status = sni_graph_add_result(p->graph, id, (int32_t)variable);
    if (status) return fail_inner(p, p->cursor, status);
  }
  return SN_OK;
}

static sn_status read_graph(parser *p) {
  SNI_TRY(expect_word(p, "func"));
  if (accept(p, '@')) {
    if (accept(p, '"')) {
      SNI_TRY(read_string(p, &p->graph->name));
    } else {
      const char *word;
      size_t length = read_word(p, &word);
      if (!length) return fail_at(p, word, "expected a name");
      char *copy = sni_arena_alloc(p->graph->arena, length + 1);
      if (!copy) return fail_memory(p);
      memcpy(copy, word, length);
      copy[length] = 0;
      p->graph->name = copy;
    }
  }
  SNI_TRY(expect(p, '{'));
  for (;;) {
    skip_space(p);
    if (p->cursor == p->end || *p->cursor != '%') break;
    SNI_TRY(read_line(p));
  }
  return read_results(p);
}

static sn_status read_text(parser *p) {
  SNI_TRY(read_graph(p));
  skip_space(p);
  if (p->cursor != p->end) return fail_at(p, p->cursor, "text behind the graph");
  sn_status status = sni_graph_verify(p->graph);
  return status ? fail_inner(p, p->cursor, status) : SN_OK;
}

sn_status sni_graph_parse(sni_arena *arena, sni_diag *diag, const char *text, size_t length,
                          sni_graph **out_graph) {
  parser p = {.text = text, .cursor = text, .counted = text, .end = text + length, .diag = diag};
  sni_diag_clear(&p.inner);
  SNI_TRY(sni_graph_create(arena, diag, NULL, NULL, &p.graph));
  if (!grow_names(&p)) return fail_memory(&p);
  p.graph->diag = &p.inner;
  p.root = p.graph;
  sn_status status = read_text(&p);
  p.graph->diag = diag;
  if (status) return status;
  *out_graph = p.graph;
  return SN_OK;
}
