// Loops in sequence that run in blocks all the same: where what an iteration hands to the next is a
// running sum, product, maximum or minimum, or a linear recurrence, one step goes through a block of
// elements in order, and all else in the loop works on whole blocks.
//
// Invariant: the elements and their order are those of the loop. A CARRY is known only behind the step, so
// nothing before it may use it. Part of the first step of flattening (arrange.c), and of the third.
#include "codegen/interp/flatten.h"

// What is recognised. next is what the YIELD takes on.
typedef struct scan {
  uint32_t carry, yield, next;
  uint32_t product, sum;  // of a recurrence: instructions of the step; else SNI_NO_VALUE
  uint32_t a, b, cut;     // values; SNI_NO_VALUE
} scan;

static bool is_op(const sni_flattener *t, uint32_t number, sni_kop op) {
  return t->all[number].op == op;
}

// The other operand of a commutative operation on `value`, or SNI_NO_VALUE.
static uint32_t other_operand(const sni_tree_inst *inst, uint32_t value) {
  if (inst->operands[0] == inst->operands[1]) return SNI_NO_VALUE;
  if (inst->operands[0] == value) return inst->operands[1];
  return inst->operands[1] == value ? inst->operands[0] : SNI_NO_VALUE;
}

// next = select(cut, b, carry * a + b)
static bool match_recurrence(const sni_flattener *t, scan *s) {
  const sni_tree_inst *next = &t->all[s->next];
  if (!sni_is_float((sn_dtype)next->dtype)) return false;
  s->cut = next->operands[0];
  s->b = next->operands[1];
  s->sum = next->operands[2];
  if (!is_op(t, s->sum, SNI_KOP_ADD)) return false;
  s->product = other_operand(&t->all[s->sum], s->b);
  if (s->product == SNI_NO_VALUE || !is_op(t, s->product, SNI_KOP_MUL)) return false;
  s->a = other_operand(&t->all[s->product], s->carry);
  return s->a != SNI_NO_VALUE;
}

static bool match(const sni_flattener *t, scan *s) {
  const sni_tree_inst *next = &t->all[s->next];
  switch ((int)next->op) {
    case SNI_KOP_ADD:
    case SNI_KOP_MUL:
      s->a = other_operand(next, s->carry);
      return s->a != SNI_NO_VALUE;
    case SNI_KOP_MAX:
    case SNI_KOP_MIN:
      s->a = next->operands[1];
      return next->operands[0] == s->carry && s->a != s->carry;
    case SNI_KOP_SELECT:
      return match_recurrence(t, s);
    default:
      return false;
  }
}

// Whether instruction `number` stands in the loop, and belongs to no other scan.
static bool is_free(const sni_flattener *t, uint32_t loop, uint32_t number) {
  return number == SNI_NO_VALUE ||
         (t->items[t->facts[number].item].parent == loop && !t->scan_at[number]);
}

// Whether the instruction uses the value, as an operand or in an address.
static bool reads(const sni_flattener *t, uint32_t number, uint32_t value) {
  const sni_tree_inst *inst = &t->all[number];
  if (value == SNI_NO_VALUE) return false;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    if (inst->operands[i] == value) return true;
  if (!sni_kop_has_access((sni_kop)inst->op)) return false;
  const sni_tree_access *access = &sni_tree_accesses(t->tree)[inst->access];
  return access->index == value || access->otherwise == value;
}

// Whether nothing but the step uses the carry before the step is done, or what lies inside it at all.
static bool is_private(const sni_flattener *t, const scan *s) {
  for (uint32_t i = 0; i < t->tree->n_insts; i++) {
    if (i == s->next || i == s->product || i == s->sum || i == s->yield) continue;
    if (reads(t, i, s->product) || reads(t, i, s->sum)) return false;
    if (i < s->next && reads(t, i, s->carry)) return false;
  }
  return s->b != s->carry && s->cut != s->carry;
}

static bool find_scan(const sni_flattener *t, uint32_t loop, uint32_t yield, scan *s) {
  *s = (scan){.carry = t->all[yield].operands[1],
              .yield = yield,
              .next = t->all[yield].operands[0],
              .product = SNI_NO_VALUE,
              .sum = SNI_NO_VALUE,
              .a = SNI_NO_VALUE,
              .b = SNI_NO_VALUE,
              .cut = SNI_NO_VALUE};
  return is_free(t, loop, s->next) && match(t, s) && is_free(t, loop, s->product) &&
         is_free(t, loop, s->sum) && is_private(t, s);
}

static void mark(sni_flattener *t, const scan *s) {
  if (!sni_flatten_grow(t, (void **)&t->scans, &t->scans_capacity, t->n_scans + 1,
                        sizeof(*t->scans)))
    return;
  t->scans[t->n_scans++] = (sni_flat_scan){.state = SNI_NO_VALUE, .before = SNI_NO_VALUE};
  t->scan_at[s->next] = t->n_scans;
  t->scan_at[s->yield] = t->n_scans;
  if (s->product != SNI_NO_VALUE) t->scan_at[s->product] = t->scan_at[s->sum] = t->n_scans;
}

bool sni_flatten_find_scans(sni_flattener *t, uint32_t loop) {
  const sni_extent extent = t->items[loop].as.loop.extent;
  const bool turns = extent.param >= 0 || extent.value > 1;  // else nothing varies along it
  const uint32_t before = t->n_scans;
  bool all = true;
  for (uint32_t i = 0; i < t->tree->n_insts && all; i++) {
    scan s;
    if (t->all[i].loop != loop || !is_op(t, i, SNI_KOP_YIELD)) continue;
    all = turns && find_scan(t, loop, i, &s);
    if (all) mark(t, &s);
  }
  if (all && !t->status) return true;
  for (uint32_t i = 0; i < t->tree->n_insts; i++)
    if (t->scan_at[i] > before) t->scan_at[i] = 0;
  t->n_scans = before;
  return false;
}

// The values that the step reads beside the carry, in the order of the function's operands.
static int operands_of(const sni_flattener *t, uint32_t next, uint32_t carry, uint32_t *out) {
  scan s = {.carry = carry, .next = next};
  match(t, &s);
  out[0] = s.a;
  if (!is_op(t, next, SNI_KOP_SELECT)) return 1;
  out[1] = s.b;
  out[2] = s.cut;
  return 3;
}

static uint32_t yield_of(const sni_flattener *t, uint32_t next) {
  uint32_t yield = next + 1;
  while (!is_op(t, yield, SNI_KOP_YIELD) || t->scan_at[yield] != t->scan_at[next]) yield++;
  return yield;
}

void sni_flatten_scan(sni_flattener *t, uint32_t next, uint32_t *out_carry, uint32_t *operands,
                      int *n) {
  *out_carry = t->all[yield_of(t, next)].operands[1];
  *n = operands_of(t, next, *out_carry, operands);
}

bool sni_flatten_shows_carry(const sni_flattener *t, uint32_t yield) {
  const uint32_t carry = t->all[yield].operands[1];
  for (uint32_t i = 0; i < t->tree->n_insts; i++)
    if (t->scan_at[i] != t->scan_at[yield] && reads(t, i, carry)) return true;
  return false;
}

bool sni_flatten_is_scan(const sni_flattener *t, uint32_t number) {
  if (!t->scan_at[number] || is_op(t, number, SNI_KOP_YIELD)) return false;
  return t->all[yield_of(t, number)].operands[0] == number;
}
