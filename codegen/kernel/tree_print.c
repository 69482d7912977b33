// Trees as text; tree_parse.c reads it back to the same bytes.
//
//   kernel softmax params 1 {
//     b0 f32 global read
//     b1 f32 global write @ stream
//     b2 f32 row[10] in i0 read write
//     loop i0 parallel p0 @ grid grain 1 {
//       loop i1 reduce 10 order lanes chunk 1024 axis 1 @ lanes {
//         %0 f32 = load b0[10*i0 + i1]
//         %1 f32 = reduce max i1 %0
//         store b2[i1] = %0
//       }
//       ...
//
// Loops have their numbers in pre-order, values those of their instructions. What depends on the
// target stands behind '@'. The tree must be sound.
#include "codegen/kernel/tree_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct printer {
  const sni_tree *tree;
  sni_text *text;
  const sni_item *items;
  const sni_tree_inst *insts;
  const sni_schedule *schedule;
  uint32_t item;                          // at hand
  uint32_t loops[SNI_TREE_DEPTH];         // numbers of the loops around, by depth
  uint32_t n_loops;                       // so far, in pre-order
  uint32_t open[2 * SNI_TREE_DEPTH + 4];  // ends of the bodies that are open
  uint32_t n_open;
} printer;

const char *const sni_loop_kind_names[SNI_LOOP_KINDS] = {"parallel", "reduce", "sequential"};
const char *const sni_order_names[SNI_ORDERS] = {"sequential", "lanes"};
const char *const sni_space_names[SNI_SPACES] = {"global", "row", "local"};

// ---- numbers

static void add_extent(sni_text *text, sni_extent x) {
  if (x.param < 0)
    sni_text_add(text, "%" PRId64, x.value);
  else
    sni_text_add(text, "p%" PRId64, x.param);
}

// Digits that read back to the same number, with a '.' whatever the locale.
static void add_float(sni_text *text, double value) {
  char digits[64], shown[64];
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  if (isnan(value)) {
    sni_text_add(text, "nan:%016" PRIx64, bits);
  } else if (isinf(value)) {
    sni_text_add(text, value < 0 ? "-inf" : "inf");
  } else {
    for (int precision = 6; precision <= 17; precision += precision == 6 ? 3 : 8) {
      double again;
      size_t n = 0;
      snprintf(digits, sizeof(digits), "%.*g", precision, value);
      for (const char *c = digits; *c; c++) {
        const bool digit = (*c >= '0' && *c <= '9') || *c == '-' || *c == '+' || *c == 'e';
        if (digit)
          shown[n++] = *c;
        else if (!n || shown[n - 1] != '.')  // a locale's point may be several bytes
          shown[n++] = '.';
      }
      shown[n] = 0;
      if (sni_tree_parse_float(shown, n, &again) && again == value) break;
    }
    sni_text_add(text, "%s", shown);
  }
}

static void add_loop(const printer *p, uint32_t loop) {
  sni_text_add(p->text, "i%" PRIu32, p->loops[p->items[loop].depth]);
}

// ---- accesses

// `sign` and then the number without its own.
static void add_number(sni_text *text, bool first, int64_t value, const char *behind) {
  const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  sni_text_add(text, "%s", first ? value < 0 ? "-" : "" : value < 0 ? " - " : " + ");
  if (!*behind)
    sni_text_add(text, "%" PRIu64, size);
  else if (size != 1)
    sni_text_add(text, "%" PRIu64 "*", size);
  sni_text_add(text, "%s", behind);
}

// The loop of this depth, or an axis of a contraction's k.
static void add_index_name(const printer *p, unsigned d, char *name, size_t size) {
  const sni_item *item = &p->items[p->item];
  if (d < item->depth)
    snprintf(name, size, "i%" PRIu32, p->loops[d]);
  else if (item->as.contract.n_k == 1)
    snprintf(name, size, "k");
  else
    snprintf(name, size, "k%u", d - item->depth);
}

// Number of terms that were added.
static int add_form(const printer *p, const sni_extent *stride, unsigned depth, sni_extent offset) {
  int terms = 0;
  for (unsigned d = 0; d < depth; d++) {
    char name[16];
    add_index_name(p, d, name, sizeof name);
    if (stride[d].param >= 0)
      sni_text_add(p->text, "%sp%" PRId64 "*%s", terms ? " + " : "", stride[d].param, name);
    else if (stride[d].value)
      add_number(p->text, !terms, stride[d].value, name);
    terms += stride[d].param >= 0 || stride[d].value;
  }
  if (offset.param >= 0)
    sni_text_add(p->text, "%sp%" PRId64, terms ? " + " : "", offset.param);
  else if (offset.value)
    add_number(p->text, !terms, offset.value, "");
  return terms + (offset.param >= 0 || offset.value);
}

static void add_access(const printer *p, uint32_t number, unsigned depth) {
  const sni_tree_access *access = &sni_tree_accesses(p->tree)[number];
  sni_text_add(p->text, "b%" PRIu32 "[", access->buffer);
  int terms = add_form(p, access->stride, depth, access->offset);
  if (access->index != SNI_NO_VALUE)
    sni_text_add(p->text, "%s%%%" PRIu32, terms ? " + " : "", access->index);
  else if (!terms)
    sni_text_add(p->text, "0");
  sni_text_add(p->text, "]");
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = &sni_tree_ranges(p->tree)[access->first_range + i];
    sni_text_add(p->text, i ? " and 0 <= " : " where 0 <= ");
    if (!add_form(p, range->stride, depth, range->offset)) sni_text_add(p->text, "0");
    sni_text_add(p->text, " < ");
    add_extent(p->text, range->extent);
  }
  if (access->otherwise != SNI_NO_VALUE)
    sni_text_add(p->text, " else %%%" PRIu32, access->otherwise);
}

// ---- instructions

static void add_immediate(const printer *p, const sni_tree_inst *inst) {
  switch (sni_kop_immediate((sni_kop)inst->op)) {
    case SNI_IMMEDIATE_NONE:
      break;
    case SNI_IMMEDIATE_CONST:
      sni_text_add(p->text, " ");
      if (sni_is_float((sn_dtype)inst->dtype))
        add_float(p->text, inst->imm.f);
      else
        sni_text_add(p->text, "%" PRId64, inst->imm.i);
      break;
    case SNI_IMMEDIATE_SIZE:
      sni_text_add(p->text, inst->op == SNI_KOP_CHECK_INDEX ? " below " : " ");
      add_extent(p->text, inst->imm.size);
      break;
    case SNI_IMMEDIATE_COMBINER:
      sni_text_add(p->text, " %s", sni_kop_infos[inst->imm.combiner].name);
      break;
  }
}

static void add_indent(const printer *p) {
  for (uint32_t i = 0; i <= p->n_open; i++) sni_text_add(p->text, "  ");
}

static void add_value(const printer *p, uint32_t number) {
  sni_text_add(p->text, "%%%" PRIu32 " %s = ", number,
               sn_dtype_name((sn_dtype)p->insts[number].dtype));
}

static void add_inst(const printer *p, uint32_t number) {
  const sni_tree_inst *inst = &p->insts[number];
  const sni_kop op = (sni_kop)inst->op;
  add_indent(p);
  if (!sni_kop_is_store(op)) add_value(p, number);
  sni_text_add(p->text, "%s", sni_kop_infos[op].name);
  add_immediate(p, inst);
  if (sni_kop_has_loop(op)) {
    sni_text_add(p->text, " ");
    add_loop(p, inst->loop);
  }
  if (sni_kop_has_access(op)) {
    sni_text_add(p->text, " ");
    add_access(p, inst->access, p->items[p->item].depth);
    if (sni_kop_is_store(op)) sni_text_add(p->text, " =");
  }
  if (sni_kop_has_source(op)) sni_text_add(p->text, " %s", sn_dtype_name((sn_dtype)inst->source));
  for (int i = 0; i < sni_kop_infos[op].operands; i++)
    sni_text_add(p->text, "%s%%%" PRIu32, i ? ", " : " ", inst->operands[i]);
  sni_text_add(p->text, "\n");
}

static void add_contract(const printer *p, const sni_item *item) {
  const sni_contract_item *contract = &item->as.contract;
  const unsigned depth = item->depth + contract->n_k;
  add_indent(p);
  add_value(p, contract->inst);
  sni_text_add(p->text, "contract k ");
  for (uint32_t i = 0; i < contract->n_k; i++) {
    if (i) sni_text_add(p->text, ", ");
    add_extent(p->text, contract->k[i]);
  }
  if (contract->segment) sni_text_add(p->text, " segment %" PRIu32, contract->segment);
  sni_text_add(p->text, " of ");
  add_access(p, contract->lhs, depth);
  sni_text_add(p->text, " times ");
  add_access(p, contract->rhs, depth);
  if (contract->from != SNI_NO_VALUE) {
    sni_text_add(p->text, " from ");
    add_access(p, contract->from, depth);
  }
  sni_text_add(p->text, "\n");
}

// ---- items

static void add_loop_item(printer *p, const sni_item *item) {
  const sni_loop_item *loop = &item->as.loop;
  const sni_schedule *schedule = &p->schedule[p->item];
  p->loops[item->depth] = p->n_loops++;
  add_indent(p);
  sni_text_add(p->text, "loop i%" PRIu32 " %s ", p->loops[item->depth],
               sni_loop_kind_names[loop->kind]);
  add_extent(p->text, loop->extent);
  if (loop->kind == SNI_LOOP_REDUCE)
    sni_text_add(p->text, " order %s", sni_order_names[loop->order]);
  if (loop->chunk) sni_text_add(p->text, " chunk %" PRIu32, loop->chunk);
  if (loop->strip != SNI_NO_ITEM) {
    sni_text_add(p->text, " strip ");
    add_loop(p, loop->strip);
    sni_text_add(p->text, " whole ");
    add_extent(p->text, loop->whole);
  }
  if (loop->axis) sni_text_add(p->text, " axis %" PRIu32, loop->axis);
  if (schedule->grid || schedule->lanes) sni_text_add(p->text, " @");
  if (schedule->grid) sni_text_add(p->text, " grid grain %" PRId64, schedule->grain);
  if (schedule->lanes) sni_text_add(p->text, " lanes");
}

static void add_item(printer *p) {
  const sni_item *item = &p->items[p->item];
  switch ((sni_item_kind)item->kind) {
    case SNI_ITEM_LOOP:
      add_loop_item(p, item);
      break;
    case SNI_ITEM_BLOCK:
      for (uint32_t i = 0; i < item->as.block.count; i++) add_inst(p, item->as.block.first + i);
      return;
    case SNI_ITEM_CONTRACT:
      add_contract(p, item);
      return;
    case SNI_ITEM_IF:
      add_indent(p);
      sni_text_add(p->text, "if %%%" PRIu32, item->as.condition);
      break;
    case SNI_ITEM_BARRIER:
      add_indent(p);
      sni_text_add(p->text, "barrier\n");
      return;
    case SNI_ITEM_KINDS:
      return;
  }
  sni_text_add(p->text, " {\n");
  p->open[p->n_open++] = item->end;
}

static void close_bodies(printer *p) {
  while (p->n_open && p->open[p->n_open - 1] == p->item) {
    p->n_open--;
    add_indent(p);
    sni_text_add(p->text, "}\n");
  }
}

// Number of loop `item` in pre-order.
static uint32_t loop_number(const sni_tree *tree, uint32_t item) {
  uint32_t number = 0;
  for (uint32_t i = 0; i < item; i++) number += sni_tree_items(tree)[i].kind == SNI_ITEM_LOOP;
  return number;
}

static void add_buffer(const printer *p, uint32_t number) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(p->tree)[number];
  sni_text_add(p->text, "  b%" PRIu32 " %s %s", number, sn_dtype_name((sn_dtype)buffer->dtype),
               sni_space_names[buffer->space]);
  if (buffer->space != SNI_SPACE_GLOBAL)
    sni_text_add(p->text, "[%" PRId64 "] in i%" PRIu32, buffer->elements,
                 loop_number(p->tree, buffer->scope));
  sni_text_add(p->text, "%s%s%s%s\n", buffer->read ? " read" : "", buffer->written ? " write" : "",
               buffer->shared ? " shared" : "",
               sni_tree_streamed(p->tree)[number] ? " @ stream" : "");
}

void sni_tree_print(const sni_tree *tree, sni_text *text) {
  printer p = {
      .tree = tree,
      .text = text,
      .items = sni_tree_items(tree),
      .insts = sni_tree_insts(tree),
      .schedule = sni_tree_schedule(tree),
  };
  sni_text_add(text, "kernel %s", sni_tree_name(tree));
  if (tree->n_params) sni_text_add(text, " params %" PRIu32, tree->n_params);
  sni_text_add(text, "%s {\n", tree->faults ? " faults" : "");
  for (uint32_t i = 0; i < tree->n_buffers; i++) add_buffer(&p, i);
  for (p.item = 0; p.item < tree->n_items; p.item++) {
    close_bodies(&p);
    add_item(&p);
  }
  close_bodies(&p);
  sni_text_add(text, "}\n");
}
