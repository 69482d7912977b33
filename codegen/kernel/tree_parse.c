// The parser of what tree_print.c writes. It drives the builder, so what comes out has the normal
// form, and the verifier has the last word.
//
// Hostile text is expected: no recursion, memory bounded by the text's length. Every failure but
// memory is SN_ERR_SYNTAX and starts with line:column.
#include "codegen/kernel/tree_text.h"
#include "runtime/scalar.h"

// What the text says and the builder works out for itself.
typedef struct stated {
  const char *at;
  bool read, written;
  uint32_t scope;  // number of a loop
} stated;

typedef struct parser {
  sni_tree_reader r;
  sni_diag inner;  // of builder and verifier: their messages get a place
  sni_tree_builder b;
  uint32_t *loops;  // item of each loop, by number
  uint32_t n_loops, loops_capacity;
  stated *buffers;
  uint32_t buffers_capacity;
  uint32_t n_params;
  bool faults;
} parser;

// A failure that builder or verifier described in p->inner.
static sn_status fail_inner(const parser *p, const char *at, sn_status status) {
  if (status == SN_ERR_MEMORY)
    return sni_fail_memory(p->r.diag, (size_t)(p->r.end - p->r.text), "parsing a kernel");
  return sni_tree_fail_at(&p->r, at, "%s", p->inner.text);
}

// ---- loops around

static uint32_t open_body(const parser *p) {
  return p->b.n_open ? p->b.open[p->b.n_open - 1] : SNI_NO_ITEM;
}

static uint32_t open_depth(const parser *p) {
  if (!p->b.n_open) return 0;
  const sni_item *body = &p->b.items[open_body(p)];
  return body->depth + (body->kind == SNI_ITEM_LOOP ? 1u : 0u);
}

// i<number> of a loop whose body is open.
static sn_status read_loop(parser *p, uint32_t *out_item) {
  uint32_t number = 0;
  sni_tree_skip_space(&p->r);
  const char *at = p->r.cursor;
  SNI_TRY(sni_tree_read_numbered(&p->r, 'i', "a loop", &number));
  for (uint32_t i = 0; number < p->n_loops && i < p->b.n_open; i++) {
    *out_item = p->loops[number];
    if (p->b.open[i] == *out_item) return SN_OK;
  }
  return sni_tree_fail_at(&p->r, at, "no loop i%u around", number);
}

// ---- accesses

typedef struct form {
  sni_extent offset, stride[SNI_TREE_DEPTH];
  bool has_offset, has_stride[SNI_TREE_DEPTH];
  uint32_t index;
} form;

// The loop at the cursor, or the axis of a contraction's k (it has n_k of them), whose stride is `factor`.
static sn_status read_factor(parser *p, uint32_t n_k, sni_extent factor, form *out) {
  static const char *const names[SNI_CONTRACT_AXES] = {"k0", "k1", "k2", "k3"};
  const char *at = p->r.cursor;
  uint32_t axis = 0, loop = 0, depth;
  while (axis < n_k && !sni_tree_accept_word(&p->r, n_k == 1 ? "k" : names[axis])) axis++;
  if (axis < n_k) {
    depth = open_depth(p) + axis;
  } else {
    SNI_TRY(read_loop(p, &loop));
    depth = p->b.items[loop].depth;
  }
  if (depth >= SNI_TREE_DEPTH) return sni_tree_fail_at(&p->r, at, "loops are nested too deep");
  if (out->has_stride[depth])
    return sni_tree_fail_at(&p->r, at, "a second stride along the same loop");
  out->has_stride[depth] = true;
  out->stride[depth] = factor;
  return SN_OK;
}

// A term: number, p0, 3*i0, p0*i0, i0, %4; behind its sign.
static sn_status read_term(parser *p, uint32_t n_k, bool minus, form *out) {
  sni_tree_skip_space(&p->r);
  const char *at = p->r.cursor;
  const char c = p->r.cursor < p->r.end ? *p->r.cursor : 0;
  if (c == '%') {
    if (minus || out->index != SNI_NO_VALUE)
      return sni_tree_fail_at(&p->r, at, "expected one index, added");
    return sni_tree_read_value(&p->r, &out->index);
  }
  sni_extent factor = sni_extent_constant(minus ? -1 : 1);
  if (c == 'i' || c == 'k') return read_factor(p, n_k, factor, out);
  if (c == 'p') {
    if (minus) return sni_tree_fail_at(&p->r, at, "a parameter cannot be subtracted");
    SNI_TRY(sni_tree_read_extent(&p->r, &factor));
  } else {
    SNI_TRY(sni_tree_read_signed(&p->r, minus, &factor.value));
  }
  if (sni_tree_accept(&p->r, '*')) {
    sni_tree_skip_space(&p->r);
    return read_factor(p, n_k, factor, out);
  }
  if (out->has_offset) return sni_tree_fail_at(&p->r, at, "a second offset");
  out->has_offset = true;
  out->offset = factor;
  return SN_OK;
}

static sn_status read_form(parser *p, uint32_t n_k, form *out) {
  *out = (form){.offset = sni_extent_constant(0), .index = SNI_NO_VALUE};
  for (int i = 0; i < SNI_TREE_DEPTH; i++) out->stride[i] = sni_extent_constant(0);
  bool minus = sni_tree_accept(&p->r, '-');
  for (;;) {
    SNI_TRY(read_term(p, n_k, minus, out));
    minus = sni_tree_next_is(&p->r, '-');
    if (!minus && !sni_tree_next_is(&p->r, '+')) return SN_OK;
    p->r.cursor++;
  }
}

static sn_status read_range(parser *p, uint32_t n_k) {
  form f;
  sni_tree_range range = {.extent = sni_extent_constant(0)};
  uint32_t zero = 1;
  SNI_TRY(sni_tree_read_u32(&p->r, &zero));
  if (zero) return sni_tree_fail_at(&p->r, p->r.cursor - 1, "a range begins with 0");
  SNI_TRY(sni_tree_expect(&p->r, '<'));
  SNI_TRY(sni_tree_expect(&p->r, '='));
  SNI_TRY(read_form(p, n_k, &f));
  if (f.index != SNI_NO_VALUE) return sni_tree_fail_at(&p->r, p->r.cursor, "a range has no index");
  SNI_TRY(sni_tree_expect(&p->r, '<'));
  SNI_TRY(sni_tree_read_extent(&p->r, &range.extent));
  range.offset = f.offset;
  memcpy(range.stride, f.stride, sizeof(range.stride));
  sni_tree_add_range(&p->b, range);
  return SN_OK;
}

// b0[form] where 0 <= form < extent and ... else %3
static sn_status read_access(parser *p, uint32_t n_k, uint32_t *out_access) {
  form f;
  uint32_t buffer = 0;
  sni_tree_skip_space(&p->r);
  const char *at = p->r.cursor;
  SNI_TRY(sni_tree_read_numbered(&p->r, 'b', "a buffer", &buffer));
  if (buffer >= p->b.n_buffers) return sni_tree_fail_at(&p->r, at, "no buffer b%u", buffer);
  SNI_TRY(sni_tree_expect(&p->r, '['));
  SNI_TRY(read_form(p, n_k, &f));
  SNI_TRY(sni_tree_expect(&p->r, ']'));
  sni_tree_access access = {.buffer = buffer,
                            .index = f.index,
                            .otherwise = SNI_NO_VALUE,
                            .first_range = (uint16_t)p->b.n_ranges,
                            .offset = f.offset};
  memcpy(access.stride, f.stride, sizeof(access.stride));
  for (bool more = sni_tree_accept_word(&p->r, "where"); more;
       more = sni_tree_accept_word(&p->r, "and")) {
    SNI_TRY(read_range(p, n_k));
    access.n_ranges++;
  }
  if (sni_tree_accept_word(&p->r, "else")) SNI_TRY(sni_tree_read_value(&p->r, &access.otherwise));
  *out_access = sni_tree_add_access(&p->b, access);
  return SN_OK;
}

// ---- instructions

static sn_status read_constant(parser *p, sni_tree_inst *inst) {
  if (sni_is_float((sn_dtype)inst->dtype)) {
    SNI_TRY(sni_tree_read_float(&p->r, &inst->imm.f));
    const double kept = sni_scalar_of((sn_dtype)inst->dtype, inst->imm.f).f;
    return kept - kept == 0 || inst->imm.f - inst->imm.f != 0
               ? SN_OK
               : sni_tree_fail_at(&p->r, p->r.cursor, "the constant does not fit its dtype");
  }
  const bool minus = sni_tree_accept(&p->r, '-');
  SNI_TRY(sni_tree_read_signed(&p->r, minus, &inst->imm.i));
  const int64_t i = inst->imm.i;
  const sni_scalar value = {(sn_dtype)inst->dtype, {.i = i}};
  const bool fits = sni_scalar_cast(value, value.dtype).i == i;
  return fits ? SN_OK : sni_tree_fail_at(&p->r, p->r.cursor, "the constant does not fit its dtype");
}

static sni_kop op_by_name(const char *word, size_t length) {
  int op = SNI_KOP_NONE + 1;
  while (op < SNI_KOP_COUNT && !sni_tree_word_is(word, length, sni_kop_infos[op].name)) op++;
  return op == SNI_KOP_CONTRACTION ? SNI_KOP_COUNT : (sni_kop)op;
}

static sn_status read_immediate(parser *p, sni_tree_inst *inst) {
  const char *word;
  switch (sni_kop_immediate((sni_kop)inst->op)) {
    case SNI_IMMEDIATE_NONE:
      break;
    case SNI_IMMEDIATE_CONST:
      return read_constant(p, inst);
    case SNI_IMMEDIATE_SIZE:
      if (inst->op == SNI_KOP_CHECK_INDEX) SNI_TRY(sni_tree_expect_word(&p->r, "below"));
      return sni_tree_read_extent(&p->r, &inst->imm.size);
    case SNI_IMMEDIATE_COMBINER: {
      const size_t length = sni_tree_read_word(&p->r, &word);
      inst->imm.combiner = op_by_name(word, length);
      return inst->imm.combiner < SNI_KOP_COUNT
                 ? SN_OK
                 : sni_tree_fail_at(&p->r, word, "expected a combiner");
    }
  }
  return SN_OK;
}

// Behind the operation's name.
static sn_status read_operation(parser *p, sni_tree_inst *inst) {
  const sni_kop op = (sni_kop)inst->op;
  sn_dtype source = SN_BOOL;
  SNI_TRY(read_immediate(p, inst));
  if (sni_kop_has_loop(op)) SNI_TRY(read_loop(p, &inst->loop));
  if (sni_kop_has_access(op)) SNI_TRY(read_access(p, 0, &inst->access));
  if (sni_kop_is_store(op)) {
    SNI_TRY(sni_tree_expect(&p->r, '='));
    if (!p->b.status) inst->dtype = p->b.buffers[p->b.accesses[inst->access].buffer].dtype;
  }
  if (sni_kop_has_source(op)) SNI_TRY(sni_tree_read_dtype(&p->r, &source));
  inst->source = (uint8_t)source;
  for (int i = 0; i < sni_kop_infos[op].operands; i++) {
    if (i) SNI_TRY(sni_tree_expect(&p->r, ','));
    SNI_TRY(sni_tree_read_value(&p->r, &inst->operands[i]));
  }
  sni_tree_add_inst(&p->b, *inst);
  return SN_OK;
}

// Behind "contract".
static sn_status read_contract(parser *p, sn_dtype dtype) {
  sni_contract_item contract = sni_contract_along(sni_extent_constant(0));
  SNI_TRY(sni_tree_expect_word(&p->r, "k"));
  SNI_TRY(sni_tree_read_extent(&p->r, &contract.k[0]));
  while (sni_tree_accept(&p->r, ',')) {
    if (contract.n_k == SNI_CONTRACT_AXES)
      return sni_tree_fail_at(&p->r, p->r.cursor, "k has too many axes");
    SNI_TRY(sni_tree_read_extent(&p->r, &contract.k[contract.n_k++]));
  }
  if (sni_tree_accept_word(&p->r, "segment")) SNI_TRY(sni_tree_read_u32(&p->r, &contract.segment));
  SNI_TRY(sni_tree_expect_word(&p->r, "of"));
  SNI_TRY(read_access(p, contract.n_k, &contract.lhs));
  SNI_TRY(sni_tree_expect_word(&p->r, "times"));
  SNI_TRY(read_access(p, contract.n_k, &contract.rhs));
  if (sni_tree_accept_word(&p->r, "from")) SNI_TRY(read_access(p, contract.n_k, &contract.from));
  sni_tree_add_contract(&p->b, dtype, contract);
  return SN_OK;
}

// %3 f32 = ...
static sn_status read_definition(parser *p) {
  sni_tree_inst inst = {.op = SNI_KOP_NONE};
  uint32_t number = 0;
  sn_dtype dtype = SN_BOOL;
  const char *at = p->r.cursor, *word;
  SNI_TRY(sni_tree_read_value(&p->r, &number));
  if (number != p->b.n_insts) return sni_tree_fail_at(&p->r, at, "expected %%%u", p->b.n_insts);
  SNI_TRY(sni_tree_read_dtype(&p->r, &dtype));
  SNI_TRY(sni_tree_expect(&p->r, '='));
  const size_t length = sni_tree_read_word(&p->r, &word);
  if (sni_tree_word_is(word, length, "contract")) return read_contract(p, dtype);
  const sni_kop op = op_by_name(word, length);
  if (op == SNI_KOP_COUNT || sni_kop_is_store(op))
    return sni_tree_fail_at(&p->r, word, "expected an operation with a value");
  inst.op = (uint16_t)op;
  inst.dtype = (uint8_t)dtype;
  return read_operation(p, &inst);
}

// ---- items

// Behind '@'.
static sn_status read_schedule(parser *p, sni_schedule *schedule) {
  schedule->grid = sni_tree_accept_word(&p->r, "grid");
  if (schedule->grid) {
    SNI_TRY(sni_tree_expect_word(&p->r, "grain"));
    sni_tree_skip_space(&p->r);
    SNI_TRY(sni_tree_read_signed(&p->r, false, &schedule->grain));
  }
  schedule->lanes = sni_tree_accept_word(&p->r, "lanes");
  return SN_OK;
}

// Behind "loop".
static sn_status read_loop_item(parser *p) {
  sni_loop_item loop = {.strip = SNI_NO_ITEM};
  sni_schedule schedule = {.grain = 0};
  uint32_t number = 0;
  int kind = 0, order = 0;
  sni_tree_skip_space(&p->r);
  const char *at = p->r.cursor;
  SNI_TRY(sni_tree_read_numbered(&p->r, 'i', "a loop", &number));
  if (number != p->n_loops) return sni_tree_fail_at(&p->r, at, "expected i%u", p->n_loops);
  SNI_TRY(
      sni_tree_read_choice(&p->r, sni_loop_kind_names, SNI_LOOP_KINDS, "a kind of loop", &kind));
  SNI_TRY(sni_tree_read_extent(&p->r, &loop.extent));
  if (kind == SNI_LOOP_REDUCE) {
    SNI_TRY(sni_tree_expect_word(&p->r, "order"));
    SNI_TRY(sni_tree_read_choice(&p->r, sni_order_names, SNI_ORDERS, "an order", &order));
    if (sni_tree_accept_word(&p->r, "chunk")) SNI_TRY(sni_tree_read_u32(&p->r, &loop.chunk));
  }
  if (sni_tree_accept_word(&p->r, "strip")) {
    SNI_TRY(read_loop(p, &loop.strip));
    SNI_TRY(sni_tree_expect_word(&p->r, "whole"));
    SNI_TRY(sni_tree_read_extent(&p->r, &loop.whole));
  }
  if (sni_tree_accept_word(&p->r, "axis")) SNI_TRY(sni_tree_read_u32(&p->r, &loop.axis));
  if (sni_tree_accept(&p->r, '@')) SNI_TRY(read_schedule(p, &schedule));
  SNI_TRY(sni_tree_expect(&p->r, '{'));
  loop.kind = (uint16_t)kind;
  loop.order = (uint16_t)order;
  const uint32_t item = sni_tree_open_loop(&p->b, loop, schedule);
  if (p->b.status) return fail_inner(p, at, p->b.status);
  const sn_status status = sni_arena_grow(p->b.arena, &p->inner, (void **)&p->loops,
                                          &p->loops_capacity, p->n_loops + 1, sizeof(*p->loops));
  if (status) return fail_inner(p, at, status);
  p->loops[p->n_loops++] = item;
  return SN_OK;
}

static sn_status read_item(parser *p) {
  sni_tree_inst store = {.op = SNI_KOP_NONE};
  uint32_t condition = 0;
  const char *word;
  if (sni_tree_next_is(&p->r, '%')) return read_definition(p);
  const size_t length = sni_tree_read_word(&p->r, &word);
  if (sni_tree_word_is(word, length, "loop")) return read_loop_item(p);
  if (sni_tree_word_is(word, length, "if")) {
    SNI_TRY(sni_tree_read_value(&p->r, &condition));
    SNI_TRY(sni_tree_expect(&p->r, '{'));
    sni_tree_open_if(&p->b, condition);
    return SN_OK;
  }
  if (sni_tree_word_is(word, length, "barrier")) {
    sni_tree_add_barrier(&p->b);
    return SN_OK;
  }
  const sni_kop op = op_by_name(word, length);
  if (op == SNI_KOP_COUNT || !sni_kop_is_store(op))
    return sni_tree_fail_at(&p->r, word, "expected a loop, an instruction or '}'");
  store.op = (uint16_t)op;
  return read_operation(p, &store);
}

// b2 f32 row[10] in i0 read write shared @ stream
static sn_status read_buffer(parser *p) {
  sni_tree_buffer buffer = {.scope = SNI_NO_ITEM};
  stated said = {.at = p->r.cursor, .scope = SNI_NO_ITEM};
  uint32_t number = 0;
  sn_dtype dtype = SN_BOOL;
  int space = 0;
  SNI_TRY(sni_tree_read_numbered(&p->r, 'b', "a buffer", &number));
  if (number != p->b.n_buffers)
    return sni_tree_fail_at(&p->r, said.at, "expected b%u", p->b.n_buffers);
  SNI_TRY(sni_tree_read_dtype(&p->r, &dtype));
  SNI_TRY(sni_tree_read_choice(&p->r, sni_space_names, SNI_SPACES, "global, row or local", &space));
  if (space != SNI_SPACE_GLOBAL) {
    SNI_TRY(sni_tree_expect(&p->r, '['));
    sni_tree_skip_space(&p->r);
    SNI_TRY(sni_tree_read_signed(&p->r, false, &buffer.elements));
    SNI_TRY(sni_tree_expect(&p->r, ']'));
    SNI_TRY(sni_tree_expect_word(&p->r, "in"));
    SNI_TRY(sni_tree_read_numbered(&p->r, 'i', "a loop", &said.scope));
  }
  said.read = sni_tree_accept_word(&p->r, "read");
  said.written = sni_tree_accept_word(&p->r, "write");
  if (space == SNI_SPACE_GLOBAL) buffer.shared = sni_tree_accept_word(&p->r, "shared");
  buffer.dtype = (uint8_t)dtype;
  buffer.space = (uint8_t)space;
  sni_tree_add_buffer(&p->b, buffer);
  if (sni_tree_accept(&p->r, '@')) {
    SNI_TRY(sni_tree_expect_word(&p->r, "stream"));
    if (!p->b.status) p->b.streamed[number] = 1;
  }
  const sn_status status = sni_arena_grow(p->b.arena, &p->inner, (void **)&p->buffers,
                                          &p->buffers_capacity, number + 1, sizeof(*p->buffers));
  if (status) return fail_inner(p, said.at, status);
  p->buffers[number] = said;
  return SN_OK;
}

static sn_status read_items(parser *p) {
  sni_tree_skip_space(&p->r);
  while (sni_tree_next_is(&p->r, 'b') && p->r.end - p->r.cursor > 1 &&
         sni_tree_is_digit(p->r.cursor[1]) && !p->b.status) {
    SNI_TRY(read_buffer(p));
    sni_tree_skip_space(&p->r);
  }
  for (;;) {
    sni_tree_skip_space(&p->r);
    const char *at = p->r.cursor;
    if (p->b.status) return fail_inner(p, at, p->b.status);
    if (!sni_tree_accept(&p->r, '}')) {
      SNI_TRY(read_item(p));
    } else {
      if (!p->b.n_open) return SN_OK;
      sni_tree_close(&p->b);
    }
    if (p->b.status) return fail_inner(p, at, p->b.status);
  }
}

// ---- the whole

static sn_status check_stated(const parser *p, const sni_tree *tree) {
  for (uint32_t i = 0; i < tree->n_buffers; i++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(tree)[i];
    const stated *said = &p->buffers[i];
    if (buffer->read != said->read || buffer->written != said->written)
      return sni_tree_fail_at(&p->r, said->at, "b%u is%s read and%s written", i,
                              buffer->read ? "" : " not", buffer->written ? "" : " not");
  }
  if (tree->n_params != p->n_params)
    return sni_tree_fail_at(&p->r, p->r.text, "there are %u parameters", tree->n_params);
  if ((tree->faults != 0) != p->faults)
    return sni_tree_fail_at(&p->r, p->r.text, "it has %s", tree->faults ? "checks" : "no checks");
  return SN_OK;
}

static sn_status read_kernel(parser *p, const char **out_name, size_t *out_length) {
  SNI_TRY(sni_tree_expect_word(&p->r, "kernel"));
  *out_length = sni_tree_read_word(&p->r, out_name);
  if (!*out_length) return sni_tree_fail_at(&p->r, p->r.cursor, "expected a name");
  if (sni_tree_accept_word(&p->r, "params")) SNI_TRY(sni_tree_read_u32(&p->r, &p->n_params));
  p->faults = sni_tree_accept_word(&p->r, "faults");
  return sni_tree_expect(&p->r, '{');
}

sn_status sni_tree_parse(sni_arena *arena, sni_diag *diag, const char *text, size_t length,
                         sni_tree **out_tree) {
  parser p = {.r = {text, text, text + length, diag}};
  const char *word = NULL;
  size_t word_length = 0;
  SNI_TRY(read_kernel(&p, &word, &word_length));
  char *name = sni_arena_alloc(arena, word_length + 1);
  if (!name) return sni_fail_memory(diag, length, "parsing a kernel");
  memcpy(name, word, word_length);
  name[word_length] = 0;
  sni_tree_begin(&p.b, arena, &p.inner, name);
  p.b.n_params = p.n_params;
  SNI_TRY(read_items(&p));
  for (uint32_t i = 0; i < p.b.n_buffers; i++) {
    if (p.b.buffers[i].space == SNI_SPACE_GLOBAL) continue;
    if (p.buffers[i].scope >= p.n_loops)
      return sni_tree_fail_at(&p.r, p.buffers[i].at, "no loop i%u", p.buffers[i].scope);
    p.b.buffers[i].scope = p.loops[p.buffers[i].scope];
  }
  sni_tree_skip_space(&p.r);
  if (p.r.cursor != p.r.end) return sni_tree_fail_at(&p.r, p.r.cursor, "text behind the kernel");
  sni_tree *tree = NULL;
  sn_status status = sni_tree_finish(&p.b, &tree);
  if (!status) status = sni_tree_verify(tree, tree->bytes, &p.inner);
  if (status) return fail_inner(&p, p.r.cursor, status);
  SNI_TRY(check_stated(&p, tree));
  *out_tree = tree;
  return SN_OK;
}
