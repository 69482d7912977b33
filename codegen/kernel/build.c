// The builder of kernel IR: grows the arrays of a tree, then packs them into one block.
//
// Invariant: what leaves sni_tree_finish is in its one normal form, so that equal trees are equal
// bytes: fields that an operation does not use are empty, accesses and their ranges stand in the
// order of their uses, each used once, neighbouring instructions share one BLOCK. The first failure
// sticks; after it nothing is read from the arrays.
#include "codegen/kernel/tree_inside.h"
#include "runtime/scalar.h"

static void fail(sni_tree_builder *b, const char *rule) {
  if (!b->status)
    b->status = sni_fail(b->diag, SN_ERR_INTERNAL, "kernel %s: %s", b->name ? b->name : "?", rule);
}

static bool grow(sni_tree_builder *b, void *items, uint32_t *capacity, uint32_t count,
                 size_t size) {
  if (b->status) return false;
  if (count == SNI_NO_ITEM - 1)
    b->status = sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: too large", b->name);
  else
    b->status = sni_arena_grow(b->arena, b->diag, (void **)items, capacity, count + 1, size);
  return !b->status;
}

static sni_extent normal(sni_extent x) {
  return x.param < 0 ? sni_extent_constant(x.value) : sni_extent_param(x.param);
}

void sni_tree_begin(sni_tree_builder *b, sni_arena *arena, sni_diag *diag, const char *name) {
  *b = (sni_tree_builder){.arena = arena, .diag = diag, .name = name && *name ? name : "kernel"};
}

uint32_t sni_tree_add_buffer(sni_tree_builder *b, sni_tree_buffer buffer) {
  if (!grow(b, &b->buffers, &b->buffers_capacity, b->n_buffers, sizeof(*b->buffers)) ||
      !grow(b, &b->streamed, &b->streamed_capacity, b->n_buffers, sizeof(*b->streamed)))
    return 0;
  const bool global = buffer.space == SNI_SPACE_GLOBAL;
  b->streamed[b->n_buffers] = 0;
  b->buffers[b->n_buffers] = (sni_tree_buffer){
      .space = buffer.space,
      .dtype = buffer.dtype,
      .shared = global && buffer.shared,
      .scope = global ? SNI_NO_ITEM : buffer.scope,
      .elements = global ? 0 : buffer.elements,
  };
  return b->n_buffers++;
}

// ---- items

static uint32_t open_body(const sni_tree_builder *b) {
  return b->n_open ? b->open[b->n_open - 1] : SNI_NO_ITEM;
}

// Loops around what is added next.
static unsigned open_depth(const sni_tree_builder *b) {
  if (!b->n_open) return 0;
  const sni_item *body = &b->items[open_body(b)];
  return (unsigned)body->depth + (body->kind == SNI_ITEM_LOOP);
}

// NULL after a failure.
static sni_item *add_item(sni_tree_builder *b, sni_item_kind kind) {
  if (!grow(b, &b->items, &b->items_capacity, b->n_items, sizeof(*b->items)) ||
      !grow(b, &b->schedule, &b->schedule_capacity, b->n_items, sizeof(*b->schedule)))
    return NULL;
  sni_item *item = &b->items[b->n_items];
  memset(item, 0, sizeof(*item));
  item->kind = (uint16_t)kind;
  item->depth = (uint16_t)open_depth(b);
  item->end = b->n_items + 1;
  item->parent = open_body(b);
  b->schedule[b->n_items++] = (sni_schedule){.grain = 0};
  return item;
}

static bool open_item(sni_tree_builder *b) {
  if (b->n_open == SNI_COUNT_OF(b->open) && !b->status)
    b->status =
        sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: loops are nested too deep", b->name);
  if (!b->status) b->open[b->n_open++] = b->n_items - 1;
  return !b->status;
}

uint32_t sni_tree_open_loop(sni_tree_builder *b, sni_loop_item loop, sni_schedule schedule) {
  if (!b->status && open_depth(b) >= SNI_TREE_DEPTH) {
    b->status =
        sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: loops are nested too deep", b->name);
    return 0;
  }
  sni_item *item = add_item(b, SNI_ITEM_LOOP);
  if (!item) return 0;
  const bool reduces = loop.kind == SNI_LOOP_REDUCE, strip = loop.strip != SNI_NO_ITEM;
  item->as.loop = (sni_loop_item){
      .kind = loop.kind,
      .order = reduces ? loop.order : 0,
      .chunk = reduces ? loop.chunk : 0,
      .extent = normal(loop.extent),
      .strip = loop.strip,
      .axis = loop.axis,
      .whole = strip ? normal(loop.whole) : (sni_extent){0, 0},
  };
  b->schedule[b->n_items - 1] = (sni_schedule){
      .grain = schedule.grid ? schedule.grain : 0,
      .grid = schedule.grid != 0,
      .lanes = schedule.lanes != 0,
  };
  return open_item(b) ? b->n_items - 1 : 0;
}

uint32_t sni_tree_open_if(sni_tree_builder *b, uint32_t condition) {
  sni_item *item = add_item(b, SNI_ITEM_IF);
  if (!item) return 0;
  item->as.condition = condition;
  return open_item(b) ? b->n_items - 1 : 0;
}

void sni_tree_close(sni_tree_builder *b) {
  if (!b->status && !b->n_open) fail(b, "a body is closed that was not opened");
  if (!b->status) b->items[b->open[--b->n_open]].end = b->n_items;
}

void sni_tree_add_barrier(sni_tree_builder *b) {
  add_item(b, SNI_ITEM_BARRIER);
}

// ---- instructions

static void normalize_immediate(sni_tree_inst *inst) {
  const int64_t first = inst->imm.words[0];
  switch (sni_kop_immediate((sni_kop)inst->op)) {
    case SNI_IMMEDIATE_CONST:
      inst->imm.words[1] = 0;
      // What is no number keeps its bits.
      if (!sni_is_float((sn_dtype)inst->dtype) || inst->imm.f == inst->imm.f)
        inst->imm.i = sni_scalar_cast((sni_scalar){(sn_dtype)inst->dtype, {.i = first}},
                                      (sn_dtype)inst->dtype)
                          .i;
      break;
    case SNI_IMMEDIATE_SIZE:
      inst->imm.size = normal(inst->imm.size);
      break;
    case SNI_IMMEDIATE_COMBINER:
      inst->imm.words[1] = 0;
      break;
    case SNI_IMMEDIATE_NONE:
      memset(&inst->imm, 0, sizeof(inst->imm));
      break;
  }
}

static uint32_t put_inst(sni_tree_builder *b, sni_tree_inst inst) {
  if (!grow(b, &b->insts, &b->insts_capacity, b->n_insts, sizeof(*b->insts))) return 0;
  if (inst.op >= SNI_KOP_COUNT) {
    fail(b, "no such operation");
    return 0;
  }
  const sni_kop op = (sni_kop)inst.op;
  if (!sni_kop_has_source(op)) inst.source = 0;
  if (!sni_kop_has_loop(op)) inst.loop = 0;
  if (!sni_kop_has_access(op)) inst.access = 0;
  for (int i = sni_kop_infos[op].operands; i < 3; i++) inst.operands[i] = SNI_NO_VALUE;
  if (sni_kop_has_access(op) && inst.access >= b->n_accesses) fail(b, "an access does not exist");
  normalize_immediate(&inst);
  b->insts[b->n_insts] = inst;
  return b->n_insts++;
}

uint32_t sni_tree_add_inst(sni_tree_builder *b, sni_tree_inst inst) {
  if (b->status) return 0;
  const sni_item *last = b->n_items ? &b->items[b->n_items - 1] : NULL;
  if (!last || last->kind != SNI_ITEM_BLOCK || last->parent != open_body(b)) {
    sni_item *item = add_item(b, SNI_ITEM_BLOCK);
    if (!item) return 0;
    item->as.block.first = b->n_insts;
  }
  b->items[b->n_items - 1].as.block.count++;
  return put_inst(b, inst);
}

uint32_t sni_tree_add_contract(sni_tree_builder *b, sn_dtype dtype, sni_contract_item contract) {
  uint32_t accesses[3];
  for (int i = sni_contract_accesses(&contract, accesses); i-- > 0;)
    if (!b->status && accesses[i] >= b->n_accesses) fail(b, "an access does not exist");
  sni_item *item = add_item(b, SNI_ITEM_CONTRACT);
  if (!item) return 0;
  contract.inst = b->n_insts;
  if (contract.n_k > SNI_CONTRACT_AXES) {
    fail(b, "a contraction has too many axes");
    return 0;
  }
  for (uint32_t i = 0; i < contract.n_k; i++) contract.k[i] = normal(contract.k[i]);
  memset(contract.k + contract.n_k, 0, (SNI_CONTRACT_AXES - contract.n_k) * sizeof *contract.k);
  item->as.contract = contract;
  return put_inst(b, (sni_tree_inst){.op = SNI_KOP_CONTRACTION, .dtype = (uint8_t)dtype});
}

uint32_t sni_tree_add_access(sni_tree_builder *b, sni_tree_access access) {
  if (!grow(b, &b->accesses, &b->accesses_capacity, b->n_accesses, sizeof(*b->accesses))) return 0;
  if ((uint32_t)access.first_range + access.n_ranges > b->n_ranges)
    fail(b, "a range does not exist");
  b->accesses[b->n_accesses] = access;
  return b->n_accesses++;
}

uint32_t sni_tree_add_range(sni_tree_builder *b, sni_tree_range range) {
  if (!grow(b, &b->ranges, &b->ranges_capacity, b->n_ranges, sizeof(*b->ranges))) return 0;
  if (b->n_ranges == UINT16_MAX) {
    b->status = sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: too many ranges", b->name);
    return 0;
  }
  b->ranges[b->n_ranges] = range;
  return b->n_ranges++;
}

// ---- finish

// The accesses and ranges in order of use.
typedef struct collector {
  sni_tree_builder *b;
  sni_tree_access *accesses;
  sni_tree_range *ranges;
  uint32_t n_accesses, n_ranges, accesses_capacity, ranges_capacity;
} collector;

static void count_params(sni_tree_builder *b, const sni_extent *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (x[i].param >= UINT32_MAX)
      fail(b, "a parameter's number is too large");
    else if (x[i].param >= (int64_t)b->n_params)
      b->n_params = (uint32_t)x[i].param + 1;
  }
}

// Along `depth` loops; nothing along others.
static void copy_strides(sni_tree_builder *b, sni_extent *to, const sni_extent *from,
                         unsigned depth) {
  memset(to, 0, SNI_TREE_DEPTH * sizeof(*to));
  for (unsigned i = 0; i < depth; i++) to[i] = normal(from[i]);
  count_params(b, to, depth);
}

static uint32_t collect_access(collector *c, uint32_t number, unsigned depth) {
  sni_tree_builder *b = c->b;
  const sni_tree_access *from = &b->accesses[number];
  if (!grow(b, &c->accesses, &c->accesses_capacity, c->n_accesses, sizeof(*c->accesses))) return 0;
  if (c->n_ranges + from->n_ranges > UINT16_MAX)
    b->status = sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: too many ranges", b->name);
  sni_tree_access *to = &c->accesses[c->n_accesses];
  *to = *from;
  to->first_range = from->n_ranges ? (uint16_t)c->n_ranges : 0;
  to->offset = normal(from->offset);
  count_params(b, &to->offset, 1);
  copy_strides(b, to->stride, from->stride, depth);
  for (uint32_t i = 0; i < from->n_ranges; i++) {
    if (!grow(b, &c->ranges, &c->ranges_capacity, c->n_ranges, sizeof(*c->ranges))) return 0;
    const sni_tree_range *range = &b->ranges[from->first_range + i];
    sni_tree_range *copy = &c->ranges[c->n_ranges++];
    copy->extent = normal(range->extent);
    copy->offset = normal(range->offset);
    count_params(b, &copy->extent, 1);
    count_params(b, &copy->offset, 1);
    copy_strides(b, copy->stride, range->stride, depth);
  }
  return c->n_accesses++;
}

static void mark_use(sni_tree_builder *b, uint32_t access, bool read, bool written) {
  const uint32_t number = b->accesses[access].buffer;
  if (number >= b->n_buffers) {
    fail(b, "a buffer does not exist");
    return;
  }
  b->buffers[number].read |= read;
  b->buffers[number].written |= written;
}

static void collect(collector *c) {
  sni_tree_builder *b = c->b;
  for (uint32_t i = 0; i < b->n_items && !b->status; i++) {
    sni_item *item = &b->items[i];
    if (item->kind == SNI_ITEM_LOOP) {
      count_params(b, &item->as.loop.extent, 1);
      if (item->as.loop.strip != SNI_NO_ITEM) count_params(b, &item->as.loop.whole, 1);
    }
    if (item->kind == SNI_ITEM_CONTRACT) {
      sni_contract_item *contract = &item->as.contract;
      const unsigned depth = item->depth + contract->n_k;
      if (depth > SNI_TREE_DEPTH) {
        b->status =
            sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: loops are nested too deep", b->name);
        return;
      }
      count_params(b, contract->k, contract->n_k);
      uint32_t *const accesses[] = {&contract->lhs, &contract->rhs, &contract->from};
      for (int k = 0; k < 3 && *accesses[k] != SNI_NO_VALUE; k++) {
        mark_use(b, *accesses[k], true, false);
        *accesses[k] = collect_access(c, *accesses[k], depth);
      }
    }
    if (item->kind != SNI_ITEM_BLOCK) continue;
    for (uint32_t k = 0; k < item->as.block.count && !b->status; k++) {
      sni_tree_inst *inst = &b->insts[item->as.block.first + k];
      if (sni_kop_immediate((sni_kop)inst->op) == SNI_IMMEDIATE_SIZE)
        count_params(b, &inst->imm.size, 1);
      if (!sni_kop_has_access((sni_kop)inst->op)) continue;
      const bool store = sni_kop_is_store((sni_kop)inst->op);
      mark_use(b, inst->access, !store || inst->op == SNI_KOP_UPDATE, store);
      inst->access = collect_access(c, inst->access, item->depth);
    }
  }
}

// Room for `bytes` more in a block; its place, or UINT32_MAX where the block becomes too large.
static uint32_t place(size_t *at, uint32_t count, size_t size) {
  const size_t start = *at;
  size_t bytes, end;
  if (!sni_mul_size(count, size, &bytes) || !sni_add_size(start, bytes, &end) ||
      end > UINT32_MAX - 64)
    *at = UINT32_MAX;
  else
    *at = end;
  return start <= UINT32_MAX ? (uint32_t)start : UINT32_MAX;
}

static size_t round_up(size_t bytes) {
  return (bytes + 7) & ~(size_t)7;
}

static bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void copy_part(sni_tree *tree, uint32_t offset, const void *data, size_t bytes) {
  if (bytes) memcpy((char *)tree + offset, data, bytes);
}

// ---- scratch

typedef struct cursor {
  uint32_t root;  // of the buffer before
  bool mixed;     // a root came back: nothing is used again
  int64_t next, total;
} cursor;

// Where buffer number i belongs. Roots use the same memory one after the other, for a unit is of one
// root; false: it overflows.
static bool place_buffer(const sni_tree *tree, cursor *at, uint32_t i, int64_t *out_offset) {
  const sni_tree_buffer *buffer = &sni_tree_buffers(tree)[i];
  *out_offset = 0;
  if (buffer->space == SNI_SPACE_GLOBAL) return true;
  uint32_t root = buffer->scope;
  while (root < tree->n_items && sni_tree_items(tree)[root].parent != SNI_NO_ITEM)
    root = sni_tree_items(tree)[root].parent;
  if (root != at->root) {
    if (at->root != SNI_NO_ITEM && root < at->root) at->mixed = true;
    at->next = at->mixed ? at->total : 0;
    at->root = root;
  }
  int64_t bytes;
  *out_offset = at->next;
  if (buffer->elements < 0 ||
      __builtin_mul_overflow(buffer->elements, sni_tree_buffer_lanes(tree, i), &bytes) ||
      __builtin_mul_overflow(bytes, (int64_t)sn_dtype_size((sn_dtype)buffer->dtype), &bytes) ||
      __builtin_add_overflow(at->next, bytes, &at->next) || at->next > INT64_MAX / 2)
    return false;
  at->next = (at->next + 63) / 64 * 64;
  if (at->next > at->total) at->total = at->next;
  return true;
}

bool sni_tree_place_scratch(sni_tree *tree) {
  cursor at = {.root = SNI_NO_ITEM};
  for (uint32_t i = 0; i < tree->n_buffers; i++)
    if (!place_buffer(tree, &at, i, &sni_tree_buffers(tree)[i].offset)) return false;
  tree->scratch_bytes = at.total;
  return true;
}

bool sni_tree_scratch_is_placed(const sni_tree *tree) {
  cursor at = {.root = SNI_NO_ITEM};
  for (uint32_t i = 0; i < tree->n_buffers; i++) {
    int64_t offset;
    if (!place_buffer(tree, &at, i, &offset) || offset != sni_tree_buffers(tree)[i].offset)
      return false;
  }
  return tree->scratch_bytes == at.total;
}

static sn_status pack(const sni_tree_builder *b, const collector *c, sni_tree **out_tree) {
  sni_tree head = {.version = SNI_TREE_VERSION,
                   .n_params = b->n_params,
                   .n_buffers = b->n_buffers,
                   .n_items = b->n_items,
                   .n_insts = b->n_insts,
                   .n_accesses = c->n_accesses,
                   .n_ranges = c->n_ranges};
  size_t at = sizeof(head);
  const size_t name = strlen(b->name);
  head.buffers = place(&at, b->n_buffers, sizeof(sni_tree_buffer));
  head.items = place(&at, b->n_items, sizeof(sni_item));
  head.insts = place(&at, b->n_insts, sizeof(sni_tree_inst));
  head.accesses = place(&at, c->n_accesses, sizeof(sni_tree_access));
  head.ranges = place(&at, c->n_ranges, sizeof(sni_tree_range));
  head.semantic_bytes = place(&at, 0, 0);
  head.schedule = place(&at, b->n_items, sizeof(sni_schedule));
  head.streamed = place(&at, b->n_buffers, 1);
  head.schedule_bytes = place(&at, 0, 0);
  head.name = place(&at, name < UINT32_MAX - 1 ? (uint32_t)name + 1 : UINT32_MAX, 1);
  if (at >= UINT32_MAX - 64)
    return sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %.40s: too large", b->name);
  head.bytes = (uint32_t)round_up(at);
  for (uint32_t i = 0; i < b->n_insts; i++) head.faults |= b->insts[i].op == SNI_KOP_CHECK_INDEX;
  sni_tree *tree = sni_arena_alloc_zeroed(b->arena, head.bytes);
  if (!tree) return sni_fail_memory(b->diag, head.bytes, "a kernel");
  *tree = head;
  copy_part(tree, head.buffers, b->buffers, b->n_buffers * sizeof(*b->buffers));
  copy_part(tree, head.items, b->items, b->n_items * sizeof(*b->items));
  copy_part(tree, head.insts, b->insts, b->n_insts * sizeof(*b->insts));
  copy_part(tree, head.accesses, c->accesses, c->n_accesses * sizeof(*c->accesses));
  copy_part(tree, head.ranges, c->ranges, c->n_ranges * sizeof(*c->ranges));
  copy_part(tree, head.schedule, b->schedule, b->n_items * sizeof(*b->schedule));
  for (uint32_t i = 0; i < b->n_buffers; i++) sni_tree_streamed(tree)[i] = b->streamed[i] != 0;
  for (size_t i = 0; i < name; i++) sni_tree_name(tree)[i] = is_name(b->name[i]) ? b->name[i] : '_';
  *out_tree = tree;
  return SN_OK;
}

sn_status sni_tree_finish(sni_tree_builder *b, sni_tree **out_tree) {
  if (!b->status && b->n_open) fail(b, "a body is not closed");
  collector c = {.b = b};
  if (!b->status) collect(&c);
  if (b->status) return b->status;
  sni_tree *tree = NULL;
  SNI_TRY(pack(b, &c, &tree));
  if (!sni_tree_place_scratch(tree))
    return sni_fail(b->diag, SN_ERR_UNSUPPORTED, "kernel %s: its scratch is too large", b->name);
#if defined(SNI_DEBUG)
  SNI_TRY(sni_tree_verify(tree, tree->bytes, b->diag));
#endif
  *out_tree = tree;
  return SN_OK;
}
