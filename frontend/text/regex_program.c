// Compiles a tree to a program. Each node's code is one run that is entered at its start and left at its end, so that sequences
// need no jumps and repetitions are copies. Three loops over the nodes: sizes from the leaves up, places from the root down, code
// from the leaves up. Nothing recurses, and the size is known before anything is made.
#include "frontend/text/regex_program.h"

#include <stdlib.h>
#include <string.h>

// What RE2 lets a pattern have in its 8 MB; its instructions are not quite ours, so that patterns near it may be judged otherwise.
#define MAX_WEIGHT 698994
#define MAX_SIZE (1 << 20)

typedef struct class_use {
  int32_t first, n;  // the ranges
  snt_class_code code;
} class_use;

typedef struct compiler {
  const snt_tree *tree;
  snt_program *program;
  bool reverse;
  int64_t *weights;  // of nodes' code in RE2's instructions
  int64_t *sizes;
  int32_t *places;  // -1: the node is left out
  int32_t *uses;    // of class nodes: their code
  class_use *classes;
  size_t n_classes, class_capacity;
  int64_t class_weight;  // of all of them, used or not
} compiler;

static int64_t times(int64_t count, int64_t size) {
  return size > INT32_MAX || count * size > INT32_MAX ? INT32_MAX : count * size;
}

static bool same_ranges(const snt_tree *tree, const class_use *use, const snt_node *node) {
  return use->n == node->b && memcmp(tree->ranges + use->first, tree->ranges + node->a,
                                     (size_t)node->b * sizeof(snt_range)) == 0;
}

// Classes that are the same share their code; only recent ones are looked at.
static sn_status use_class(compiler *c, size_t at) {
  const snt_node *node = &c->tree->nodes[at];
  for (size_t i = c->n_classes; i-- > 0 && c->n_classes - i < 64;) {
    if (!same_ranges(c->tree, &c->classes[i], node)) continue;
    c->uses[at] = (int32_t)i;
    return SN_OK;
  }
  sn_status status =
      snt_grow((void **)&c->classes, &c->class_capacity, c->n_classes + 1, sizeof(class_use));
  if (status) return status;
  class_use *use = &c->classes[c->n_classes];
  *use = (class_use){.first = node->a, .n = node->b};
  status =
      snt_class_compile(c->tree->ranges + node->a, node->b, c->reverse, c->program, &use->code);
  if (status) return status;
  c->uses[at] = (int32_t)c->n_classes++;
  c->class_weight += use->code.weight;
  return c->class_weight < 4 * MAX_WEIGHT ? SN_OK : SN_ERR_SYNTAX;
}

// Copies of the operand of a repetition, and splits between them.
static int64_t copies(const snt_node *node) {
  return node->b < 0 ? (node->a > 1 ? node->a : 1) : node->b;
}
static int64_t splits(const snt_node *node) {
  return node->b < 0 ? (node->a ? 1 : 2) : node->b - node->a;
}

static int64_t operands_of(const snt_node *node) {
  switch ((snt_node_kind)node->kind) {
    case SNT_CONCAT:
    case SNT_ALTERNATE:
      return node->a;
    case SNT_CAPTURE:
    case SNT_REPEAT:
      return 1;
    default:
      return 0;
  }
}

static int64_t sum_operands(const compiler *c, const int64_t *of, size_t at) {
  int64_t sum = 0, k = (int64_t)at - 1;
  for (int64_t n = operands_of(&c->tree->nodes[at]); n > 0; n--) {
    sum += of[k];
    k = c->tree->nodes[k].first - 1;
  }
  return sum < INT32_MAX ? sum : INT32_MAX;
}

static int64_t own_size(const compiler *c, const snt_node *node, int64_t operands) {
  uint8_t bytes[4];
  switch ((snt_node_kind)node->kind) {
    case SNT_EMPTY:
      return 0;
    case SNT_LITERAL:
      return (int64_t)snt_rune_encode((uint32_t)node->a, bytes);
    case SNT_CAPTURE:
      return operands + (c->reverse ? 0 : 2);
    case SNT_ALTERNATE:
      return operands + 2 * ((int64_t)node->a - 1);
    case SNT_REPEAT:
      return times(copies(node), operands) + splits(node);
    case SNT_CONCAT:
      return operands;
    case SNT_CLASS:
    case SNT_ANY_BYTE:
    case SNT_ASSERT:
      break;
  }
  return 1;
}

static sn_status measure(compiler *c) {
  for (size_t i = 0; i < c->tree->n_nodes; i++) {
    const snt_node *node = &c->tree->nodes[i];
    c->weights[i] = own_size(c, node, sum_operands(c, c->weights, i));
    c->sizes[i] = own_size(c, node, sum_operands(c, c->sizes, i));
    if (node->kind != SNT_CLASS || node->b == 0) continue;
    sn_status status = use_class(c, i);
    if (status) return status;
    c->weights[i] = c->classes[c->uses[i]].code.weight;
    c->sizes[i] = c->classes[c->uses[i]].code.n;
  }
  const size_t root = c->tree->n_nodes - 1;
  const bool fits = c->reverse || c->weights[root] < MAX_WEIGHT;
  return fits && c->sizes[root] < MAX_SIZE ? SN_OK : SN_ERR_SYNTAX;
}

// Operands of a sequence stand in order, or reversed; those of alternatives with a split before and a jump behind.
static void place_operands(compiler *c, size_t at) {
  const snt_node *node = &c->tree->nodes[at];
  const int64_t n = operands_of(node);
  const bool either = node->kind == SNT_ALTERNATE, back = node->kind == SNT_CONCAT && c->reverse;
  int64_t k = (int64_t)at - 1;
  int64_t end = c->places[at] + c->sizes[at], begin = c->places[at];
  for (int64_t i = n; i > 0; i--) {
    if (back) {
      c->places[k] = (int32_t)begin;
      begin += c->sizes[k];
    } else {
      if (either && i < n) end--;
      end -= c->sizes[k];
      c->places[k] = (int32_t)end;
      if (either && i < n) end--;
    }
    k = c->tree->nodes[k].first - 1;
  }
}

// From the root down. The operand of a repetition is put where its first copy will be.
static void place(compiler *c) {
  const size_t n = c->tree->n_nodes;
  for (size_t i = 0; i < n; i++) c->places[i] = -1;
  c->places[n - 1] = 0;
  for (size_t i = n; i-- > 0;) {
    const snt_node *node = &c->tree->nodes[i];
    const int32_t at = c->places[i];
    if (at < 0) continue;
    if (node->kind == SNT_CONCAT || node->kind == SNT_ALTERNATE)
      place_operands(c, i);
    else if (node->kind == SNT_CAPTURE)
      c->places[i - 1] = at + !c->reverse;
    else if (node->kind == SNT_REPEAT && node->b != 0)
      c->places[i - 1] = at + (node->a == 0);
  }
}

static snt_instruction split(int64_t at, int64_t liked, int64_t other, bool swap) {
  const int32_t x = (int32_t)(liked - at), y = (int32_t)(other - at);
  return (snt_instruction){.op = SNT_OP_SPLIT, .x = swap ? y : x, .y = swap ? x : y};
}

static void emit_literal(compiler *c, snt_instruction *code, uint32_t rune) {
  uint8_t bytes[4];
  const size_t n = snt_rune_encode(rune, bytes);
  for (size_t i = 0; i < n; i++) {
    const uint8_t byte = bytes[c->reverse ? n - 1 - i : i];
    code[i] = (snt_instruction){SNT_OP_BYTE, byte, byte, 1, 0};
  }
}

// split L1: operand, jump; split L2: operand, jump; ... operand.
static void emit_alternatives(compiler *c, size_t at) {
  const snt_node *node = &c->tree->nodes[at];
  snt_instruction *code = c->program->code;
  const int32_t end = c->places[at] + (int32_t)c->sizes[at];
  int64_t k = (int64_t)at - 1;
  for (int32_t i = node->a; i > 0; i--) {
    const int32_t begin = c->places[k], behind = begin + (int32_t)c->sizes[k];
    if (i < node->a) {
      code[behind] = (snt_instruction){.op = SNT_OP_JUMP, .x = end - behind};
      code[begin - 1] = split(begin - 1, begin, behind + 1, false);
    }
    k = c->tree->nodes[k].first - 1;
  }
}

// n copies, then (x (x ...)?)? or a loop. x* is (x+)? where x can match nothing, so that this ends the loop; elsewhere it has one
// split, to which x leads back: what the instructions share decides what loops in loops like.
static void emit_repeat(compiler *c, size_t at) {
  const snt_node *node = &c->tree->nodes[at];
  snt_instruction *code = c->program->code;
  const int64_t size = c->sizes[at - 1], end = c->places[at] + c->sizes[at], n = copies(node);
  const snt_instruction *operand = code + c->places[at - 1];
  int64_t pc = c->places[at];
  for (int64_t i = 0; i < n; i++) {
    if (i >= node->a) {
      code[pc] = split(pc, pc + 1, end, node->lazy);
      pc++;
    }
    if (code + pc != operand && size) memcpy(code + pc, operand, (size_t)size * sizeof(*code));
    pc += size;
  }
  if (node->b >= 0) return;
  if (node->a == 0 && !node[-1].nullable)
    code[pc] = (snt_instruction){.op = SNT_OP_JUMP, .x = (int32_t)(-size - 1)};
  else
    code[pc] = split(pc, pc - size, pc + 1, node->lazy);
}

static snt_assertion mirrored(snt_assertion which) {
  switch (which) {
    case SNT_TEXT_BEGIN:
      return SNT_TEXT_END;
    case SNT_TEXT_END:
      return SNT_TEXT_BEGIN;
    case SNT_LINE_BEGIN:
      return SNT_LINE_END;
    case SNT_LINE_END:
      return SNT_LINE_BEGIN;
    case SNT_WORD_EDGE:
    case SNT_NO_WORD_EDGE:
      break;
  }
  return which;
}

static void emit_class(compiler *c, size_t at, snt_instruction *code) {
  if (c->tree->nodes[at].b == 0) {
    *code = (snt_instruction){.op = SNT_OP_FAIL};
    return;
  }
  const snt_class_code *own = &c->classes[c->uses[at]].code;
  memcpy(code, own->code, (size_t)own->n * sizeof(*code));
}

static void emit_save(compiler *c, size_t at) {
  if (c->reverse) return;
  const int32_t slot = 2 * c->tree->nodes[at].a, begin = c->places[at];
  c->program->code[begin] = (snt_instruction){.op = SNT_OP_SAVE, .x = slot};
  c->program->code[begin + c->sizes[at] - 1] = (snt_instruction){.op = SNT_OP_SAVE, .x = slot + 1};
}

static void emit_assertion(compiler *c, snt_instruction *code, snt_assertion which) {
  c->program->asserts = true;
  *code =
      (snt_instruction){.op = SNT_OP_ASSERT, .x = (int32_t)(c->reverse ? mirrored(which) : which)};
}

static void emit(compiler *c) {
  for (size_t i = 0; i < c->tree->n_nodes; i++) {
    if (c->places[i] < 0) continue;
    const snt_node *node = &c->tree->nodes[i];
    snt_instruction *code = c->program->code + c->places[i];
    switch ((snt_node_kind)node->kind) {
      case SNT_EMPTY:
      case SNT_CONCAT:
        break;
      case SNT_LITERAL:
        emit_literal(c, code, (uint32_t)node->a);
        break;
      case SNT_CLASS:
        emit_class(c, i, code);
        break;
      case SNT_ANY_BYTE:
        *code = (snt_instruction){SNT_OP_BYTE, 0, 255, 1, 0};
        break;
      case SNT_ASSERT:
        emit_assertion(c, code, (snt_assertion)node->a);
        break;
      case SNT_CAPTURE:
        emit_save(c, i);
        break;
      case SNT_ALTERNATE:
        emit_alternatives(c, i);
        break;
      case SNT_REPEAT:
        if (node->b != 0) emit_repeat(c, i);
        break;
    }
  }
}

static void mark(bool edges[257], int low, int high) {
  edges[low] = edges[high + 1] = true;
}

static void classify_bytes(snt_program *program) {
  bool edges[257] = {0};
  for (int pc = 0; pc < program->n; pc++) {
    const snt_instruction *i = &program->code[pc];
    if (i->op == SNT_OP_BYTE) mark(edges, i->low, i->high);
  }
  for (size_t i = 0; i < program->n_intervals; i++)
    mark(edges, program->intervals[i].low, program->intervals[i].high);
  if (program->asserts) {
    static const char groups[][2] = {{'\n', '\n'}, {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    for (size_t i = 0; i < sizeof(groups) / 2; i++) mark(edges, groups[i][0], groups[i][1]);
  }
  int at = 0;
  for (int byte = 0; byte < 256; byte++) {
    if (byte && edges[byte]) at++;
    program->byte_class[byte] = (uint8_t)at;
    program->class_byte[at] = (uint8_t)byte;
  }
  program->byte_classes = at + 1;
}

static sn_status allocate(compiler *c) {
  const size_t n = c->tree->n_nodes;
  c->weights = malloc(n * sizeof(int64_t));
  c->sizes = malloc(n * sizeof(int64_t));
  c->places = malloc(n * sizeof(int32_t));
  c->uses = malloc(n * sizeof(int32_t));
  return c->weights && c->sizes && c->places && c->uses ? SN_OK : SN_ERR_MEMORY;
}

static void deinit(compiler *c) {
  for (size_t i = 0; i < c->n_classes; i++) free(c->classes[i].code.code);
  free(c->classes);
  free(c->weights);
  free(c->sizes);
  free(c->places);
  free(c->uses);
}

static sn_status generate(compiler *c) {
  const int64_t size = c->sizes[c->tree->n_nodes - 1];
  c->program->code = calloc((size_t)size + 1, sizeof(snt_instruction));
  if (!c->program->code) return SN_ERR_MEMORY;
  c->program->n = (int)size + 1;
  place(c);
  emit(c);
  c->program->code[size] = (snt_instruction){.op = SNT_OP_MATCH};
  classify_bytes(c->program);
  return SN_OK;
}

sn_status snt_program_compile(const snt_tree *tree, bool reverse, snt_program *out) {
  compiler c = {.tree = tree, .program = out, .reverse = reverse};
  *out = (snt_program){0};
  sn_status status = allocate(&c);
  if (!status) status = measure(&c);
  if (!status) status = generate(&c);
  deinit(&c);
  if (status) snt_program_deinit(out);
  return status;
}

void snt_program_deinit(snt_program *program) {
  free(program->code);
  free(program->intervals);
  *program = (snt_program){0};
}
