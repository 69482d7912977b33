// Fourth step of flattening: items become nodes, in the order of the tree, and with them what hangs
// on loops: reductions, carried values, pieces, products.
//
// Invariant: what a loop must have before its body runs (accumulators, carried values) is made when
// the loop is opened, from the instructions that name it, so it lies side by side.
#include "codegen/interp/flatten.h"

// ---- nodes

static uint32_t add_node(sni_flattener *t, sni_node_kind kind) {
  t->last_steps = SNI_NO_VALUE;
  if (!sni_flatten_grow(t, (void **)&t->nodes, &t->nodes_capacity, t->n_nodes + 1,
                        sizeof(*t->nodes)))
    return 0;
  t->nodes[t->n_nodes] =
      (sni_node){.kind = (uint8_t)kind, .strip = SNI_NO_DEPTH, .end = t->n_nodes + 1};
  return t->n_nodes++;
}

static void close_node(sni_flattener *t, uint32_t number) {
  t->last_steps = SNI_NO_VALUE;
  if (t->status) return;
  sni_node *node = &t->nodes[number];
  node->end = t->n_nodes;
  const sni_node *body = node + 1;
  node->simple = node->end == number + 2 && body->kind == SNI_NODE_STEPS;
}

// Steps [first, n_steps) run here.
static void add_steps(sni_flattener *t, uint32_t first) {
  if (first == t->n_steps || t->status) return;
  if (t->last_steps == SNI_NO_VALUE) {
    const uint32_t node = add_node(t, SNI_NODE_STEPS);
    if (t->status) return;
    t->nodes[node].first = first;
    t->last_steps = node;
  }
  t->nodes[t->last_steps].count = t->n_steps - t->nodes[t->last_steps].first;
}

// ---- reductions

static uint32_t innermost_loop(const sni_flattener *t, uint32_t item) {
  do item = t->items[item].parent;
  while (t->items[item].kind != SNI_ITEM_LOOP);
  return item;
}

static sni_block_function combine_function(const sni_flattener *t, sni_kop combiner,
                                           sn_dtype dtype) {
  if (dtype == SN_BOOL) combiner = combiner == SNI_KOP_MAX ? SNI_KOP_OR : SNI_KOP_AND;
  return t->blocks->op[combiner][dtype][0];
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// Levels that it takes to come from so many elements to one; param: any number of them.
static uint32_t levels_of(sni_extent extent, int64_t chunk) {
  uint32_t levels = 0;
  int64_t count = extent.param < 0 ? extent.value : INT64_MAX;
  for (; count > 1; levels++) count = count / chunk + (count % chunk != 0);
  return levels;
}

static void add_reduction(sni_flattener *t, sni_flat_reduction r) {
  if (sni_flatten_grow(t, (void **)&t->reductions, &t->reductions_capacity, t->n_reductions + 1,
                       sizeof(r)))
    t->reductions[t->n_reductions++] = r;
}

static sni_flat_reduction_kind kind_of(bool lanes, bool across) {
  if (across) return SNI_REDUCE_ACROSS;
  return lanes ? SNI_REDUCE_SPREAD : SNI_REDUCE_ALONG;
}

// Where the accumulators are.
static uint32_t accumulator_slot(sni_flattener *t, const sni_flat_reduction *r) {
  const sn_dtype dtype = (sn_dtype)r->dtype;
  if (r->kind == SNI_REDUCE_ACROSS)
    return sni_flatten_slot(t, dtype, SNI_HOME_CELLS, SNI_REDUCE_LANES);
  if (r->kind == SNI_REDUCE_SPREAD && !r->folded)
    return sni_flatten_slot(t, dtype, r->one ? SNI_HOME_CELLS : SNI_HOME_REGISTERS, r->width);
  const uint32_t slot = sni_flatten_home(t, dtype, !r->one);
  if (!t->status) t->slots[slot].early = true;
  return slot;
}

static void make_reduction(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const sn_dtype dtype = (sn_dtype)inst->dtype;
  const sni_kop combiner = (sni_kop)inst->imm.combiner;
  const uint32_t item = t->facts[number].item, inner = innermost_loop(t, item);
  const sni_loop_item *loop = &t->items[inner].as.loop;
  const bool lanes = loop->order == SNI_ORDER_LANES, is_constant = loop->extent.param < 0;
  sni_flat_reduction r = {
      .kind = (uint8_t)kind_of(lanes, t->item_facts[item].lanes == inner),
      .dtype = (uint8_t)dtype,
      .combiner = (uint8_t)sni_combiner_number(combiner),
      .one = !t->facts[number].lanes,
      .depth = (uint8_t)t->items[inner].depth,
      .identity = sni_flatten_constant(t, dtype, sni_flatten_identity(combiner, dtype)),
      .alone = sni_flatten_constant(t, dtype, sni_flatten_identity(combiner, dtype)),
      .zero = sni_flatten_constant(t, dtype, 0),
      .extent = sni_flatten_size(t, loop->extent, 1, false),
      .width = lanes ? SNI_REDUCE_LANES : 1,
      .combine = combine_function(t, combiner, dtype),
      .fold = t->blocks->reduce->fold[sni_combiner_number(combiner)][dtype],
      .folded = t->folds[inner],
  };
  if (loop->chunk && !(is_constant && loop->extent.value <= loop->chunk)) {
    r.chunk = loop->chunk;
    r.levels = levels_of(loop->extent, loop->chunk);
    r.width = (uint32_t)least(r.width, loop->chunk);
  }
  if (is_constant && loop->extent.value < r.width)
    r.width = loop->extent.value > 1 ? (uint32_t)loop->extent.value : 1;
  if (sni_is_float(dtype) && combiner == SNI_KOP_ADD)
    r.finish = t->blocks->op[SNI_KOP_ADD][dtype][SNI_FORM_B];
  r.slot = accumulator_slot(t, &r);
  t->values[number].slot = r.slot;
  t->values[number].number = t->n_reductions;
  add_reduction(t, r);
}

// ---- carried values

static void make_carry(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const uint32_t value = inst->operands[1], start = t->all[value].operands[0];
  const bool vector = t->facts[value].lanes;
  const sni_carry carry = {
      .carry = sni_flatten_home(t, (sn_dtype)inst->dtype, vector),
      .yield = sni_flatten_home(t, (sn_dtype)inst->dtype, vector),
      .start = t->values[t->values[start].root].slot,
      .dtype = inst->dtype,
      .one = !vector,
      .one_start = !t->facts[t->values[start].root].lanes,
  };
  if (!sni_flatten_grow(t, (void **)&t->carries, &t->carries_capacity, t->n_carries + 1,
                        sizeof(carry)))
    return;
  t->carries[t->n_carries++] = carry;
  t->slots[carry.carry].early = t->slots[carry.yield].early = true;
  t->slots[carry.yield].holder = carry.carry;  // either register may hold the last value
  t->values[value].slot = carry.carry;
  t->values[number].slot = carry.yield;
}

// One that is scanned: its state is one element, and goes on from block to block.
static void make_scan(sni_flattener *t, uint32_t yield) {
  const sn_dtype dtype = (sn_dtype)t->all[yield].dtype;
  const uint32_t value = t->all[yield].operands[1], next = t->all[yield].operands[0];
  const uint32_t start = t->values[t->all[value].operands[0]].root;
  const uint32_t state = sni_flatten_home(t, dtype, false);
  const sni_carry carry = {.carry = state,
                           .yield = state,
                           .start = t->values[start].slot,
                           .dtype = (uint8_t)dtype,
                           .one = true,
                           .one_start = true};
  if (!sni_flatten_grow(t, (void **)&t->carries, &t->carries_capacity, t->n_carries + 1,
                        sizeof(carry)))
    return;
  t->carries[t->n_carries++] = carry;
  sni_flat_scan *scan = &t->scans[t->scan_at[yield] - 1];
  const sni_reduce_blocks *reduce = t->blocks->reduce;
  const sni_kop op = (sni_kop)t->all[next].op;
  scan->state = state;
  scan->function =
      op == SNI_KOP_SELECT ? reduce->recur[dtype] : reduce->scan[sni_combiner_number(op)][dtype];
  if (sni_flatten_shows_carry(t, yield)) scan->before = sni_flatten_home(t, dtype, true);
  t->values[value].slot = scan->before;
  t->values[yield].slot = state;
}

// ---- loops

static void flatten_items(sni_flattener *t, uint32_t first, uint32_t end);

static void open_loop(sni_flattener *t, uint32_t item, uint32_t number) {
  const sni_loop_item *loop = &t->items[item].as.loop;
  t->open[t->depth++] = (sni_open_loop){.item = item, .node = number};
  const uint32_t extent = sni_flatten_size(t, loop->extent, 1, false);
  const bool strip = loop->strip != SNI_NO_ITEM;
  const uint32_t whole = strip ? sni_flatten_size(t, loop->whole, 1, false) : 0;
  const uint32_t first_reduction = t->n_reductions, first_carry = t->n_carries;
  for (uint32_t i = 0; i < t->tree->n_insts && !t->status; i++) {
    const bool mine =
        t->facts[i].item > item && t->facts[i].item < t->items[item].end && t->all[i].loop == item;
    if (mine && t->all[i].op == SNI_KOP_REDUCE) make_reduction(t, i);
    if (mine && t->all[i].op == SNI_KOP_YIELD) {
      if (t->scan_at[i])
        make_scan(t, i);
      else
        make_carry(t, i);
    }
  }
  if (t->status) return;
  sni_node *node = &t->nodes[number];
  if (t->folds[item]) node->step = (uint32_t)sni_flatten_fold_step(t, item);
  node->depth = (uint8_t)t->items[item].depth;
  node->grid = sni_tree_schedule(t->tree)[item].grid;
  node->extent = extent;
  node->whole = whole;
  if (strip) node->strip = (uint8_t)t->items[loop->strip].depth;
  node->reductions = (sni_flat_list){first_reduction, t->n_reductions - first_reduction};
  node->carries = (sni_flat_list){first_carry, t->n_carries - first_carry};
  for (uint32_t i = first_reduction; i < t->n_reductions; i++)
    if (t->reductions[i].chunk) node->chunk = t->reductions[i].chunk;
  if (sni_tree_schedule(t->tree)[item].lanes) t->lanes_item = item;
  if (t->folds[item]) t->fold_item = item;
}

static void close_loop(sni_flattener *t) {
  const sni_open_loop *loop = &t->open[--t->depth];
  sni_node closed = {0};
  sni_flatten_close_moves(t, loop, &closed);
  close_node(t, loop->node);
  if (t->lanes_item == loop->item) t->lanes_item = SNI_NO_ITEM;
  if (t->fold_item == loop->item) t->fold_item = SNI_NO_ITEM;
  if (t->status) return;
  t->nodes[loop->node].moves = closed.moves;
  t->nodes[loop->node].forms = closed.forms;
}

// ---- contractions

// Depths: own of its loop, k of n_k axes from there on. apart: loops that do not move the operand's
// cursor.
static sni_operand make_operand(sni_flattener *t, uint32_t number, uint32_t own, uint32_t k,
                                uint32_t n_k, uint32_t apart) {
  const sni_tree_access *access = &sni_tree_accesses(t->tree)[number];
  const sn_dtype dtype = (sn_dtype)sni_tree_buffers(t->tree)[access->buffer].dtype;
  const int64_t size = (int64_t)sn_dtype_size(dtype);
  const sni_flat_cursor cursor = sni_flatten_cursor(t, number, apart);
  sni_operand operand = {
      .dtype = (uint8_t)dtype,
      .slot = cursor.made.slot,
      .own = sni_flatten_size(t, access->stride[own], size, false),
      .n_k = n_k,
      .forms = {cursor.first_form, access->n_ranges},
      .form_moves = t->n_moves,
  };
  for (uint32_t i = 0; i < n_k; i++)
    operand.k[i] = sni_flatten_size(t, access->stride[k + i], size, false);
  for (uint32_t i = 0; i < (1 + n_k) * access->n_ranges; i++) {
    const uint32_t range = i / (1 + n_k), along = i % (1 + n_k);
    const sni_extent *stride = sni_tree_ranges(t->tree)[access->first_range + range].stride;
    const uint32_t step = sni_flatten_size(t, stride[along ? k + along - 1 : own], 1, false);
    if (sni_flatten_grow(t, (void **)&t->moves, &t->moves_capacity, t->n_moves + 1,
                         sizeof(*t->moves)))
      t->moves[t->n_moves++] = (sni_move){cursor.first_form + range, step};
  }
  return operand;
}

// tiled: the PRODUCT node around computes it beforehand; else a step does, row by row.
static void add_product(sni_flattener *t, uint32_t contract, bool tiled) {
  const sni_contract_item *c = &t->items[contract].as.contract;
  const uint32_t depth = t->items[contract].depth, apart = tiled ? 2 : 0;
  const sn_dtype dtype = (sn_dtype)t->all[c->inst].dtype;
  const sni_operand lhs = make_operand(t, c->lhs, depth - 2, depth, c->n_k, apart);
  const sni_operand rhs = make_operand(t, c->rhs, depth - 1, depth, c->n_k, apart);
  const bool turned = t->open[t->depth - 2].item == t->lanes_item, one = !t->facts[c->inst].lanes;
  const sni_flat_home home = tiled ? SNI_HOME_NONE : one ? SNI_HOME_CELL : SNI_HOME_REGISTER;
  sni_product product = {
      .dtype = (uint8_t)dtype,
      .rows = turned ? rhs : lhs,
      .columns = turned ? lhs : rhs,
      .n_k = c->n_k,
      .slot = sni_flatten_slot(t, dtype, home, 0),
      .segment = c->segment,
  };
  for (uint32_t i = 0; i < c->n_k; i++) product.k[i] = sni_flatten_size(t, c->k[i], 1, false);
  if (c->from != SNI_NO_VALUE) {
    product.goes_on = true;
    product.from =
        make_operand(t, c->from, depth - (turned ? 2 : 1), depth - (turned ? 1 : 2), 1, apart);
  }
  t->values[c->inst].slot = product.slot;
  if (!tiled) {
    const uint32_t first = t->n_steps;
    sni_flatten_product_step(t, t->n_products, product.slot, one);
    add_steps(t, first);
  }
  if (sni_flatten_grow(t, (void **)&t->products, &t->products_capacity, t->n_products + 1,
                       sizeof(product)))
    t->products[t->n_products++] = product;
}

// A contraction of one axis as a loop over k, element by element or vector by vector.
static void flatten_sum(sni_flattener *t, uint32_t item) {
  const sni_contract_item *c = &t->items[item].as.contract;
  const sn_dtype dtype = (sn_dtype)t->all[c->inst].dtype;
  const bool cut = c->segment && (c->k[0].param >= 0 || c->k[0].value > c->segment);
  sni_flat_reduction r = {
      .kind = SNI_REDUCE_ALONG,
      .dtype = (uint8_t)dtype,
      .one = !t->facts[c->inst].lanes,
      .flat = true,
      .depth = (uint8_t)t->items[item].depth,
      .identity = sni_flatten_constant(t, dtype, 0),
      .alone = sni_flatten_constant(t, dtype, sni_flatten_identity(SNI_KOP_ADD, dtype)),
      .zero = sni_flatten_constant(t, dtype, 0),
      .extent = sni_flatten_size(t, c->k[0], 1, false),
      .width = 1,
      .chunk = cut ? c->segment : 0,
      .levels = cut,
      .combine = t->blocks->op[SNI_KOP_ADD][dtype][0],
  };
  r.slot = accumulator_slot(t, &r);
  t->values[c->inst].slot = r.slot;
  uint32_t first = t->n_steps;
  if (c->from != SNI_NO_VALUE) {
    r.identity = r.alone =
        sni_flatten_load(t, c->from, r.one ? SNI_SHAPE_ONE : SNI_SHAPE_BLOCK, false);
    r.goes_on = true;
    add_steps(t, first);
  }
  add_reduction(t, r);
  const uint32_t number = add_node(t, SNI_NODE_LOOP);
  first = t->n_steps;
  if (t->status) return;
  sni_node *node = &t->nodes[number];
  node->depth = r.depth;
  node->extent = r.extent;
  node->chunk = r.chunk;
  node->reductions = (sni_flat_list){t->n_reductions - 1, 1};
  t->open[t->depth++] = (sni_open_loop){.item = item, .node = number};
  sni_flatten_multiply(t, c->inst, r.slot);
  add_steps(t, first);
  close_loop(t);
}

// ---- items

static bool is_tiled(const sni_flattener *t, uint32_t loop) {
  return loop != SNI_NO_ITEM && t->tiled[loop];
}

static void flatten_contract(sni_flattener *t, uint32_t item) {
  const uint32_t n = t->items[item].parent;
  const bool tiled = is_tiled(t, t->items[n].parent);
  if (tiled || n == t->lanes_item || t->items[item].as.contract.n_k > 1)
    add_product(t, item, tiled);
  else
    flatten_sum(t, item);
}

static void flatten_loop(sni_flattener *t, uint32_t item) {
  const bool lanes = sni_tree_schedule(t->tree)[item].lanes, tiled = t->tiled[item];
  const uint32_t products = t->n_products;
  const uint32_t number = add_node(t, tiled            ? SNI_NODE_PRODUCT
                                      : lanes          ? SNI_NODE_LANES
                                      : t->folds[item] ? SNI_NODE_FOLD
                                                       : SNI_NODE_LOOP);
  open_loop(t, item, number);
  if (!t->status && is_tiled(t, t->items[item].parent))
    t->nodes[t->open[t->depth - 2].node].inner = number;
  flatten_items(t, item + 1, t->items[item].end);
  if (!t->status && tiled) {
    sni_node *node = &t->nodes[number];
    node->turned = lanes;
    node->first = products;
    node->count = t->n_products - products;
  }
  close_loop(t);
}

static void flatten_if(sni_flattener *t, uint32_t item) {
  const uint32_t condition = t->values[t->items[item].as.condition].root;
  const uint32_t number = add_node(t, SNI_NODE_IF);
  if (!t->status) t->nodes[number].first = t->values[condition].slot;
  flatten_items(t, item + 1, t->items[item].end);
  close_node(t, number);
}

static void flatten_items(sni_flattener *t, uint32_t first, uint32_t end) {
  for (uint32_t i = first; i < end && !t->status; i = t->items[i].end) {
    const sni_item *item = &t->items[i];
    const uint32_t steps = t->n_steps;
    switch ((sni_item_kind)item->kind) {
      case SNI_ITEM_LOOP:
        flatten_loop(t, i);
        break;
      case SNI_ITEM_BLOCK:
        for (uint32_t k = 0; k < item->as.block.count; k++)
          sni_flatten_inst(t, item->as.block.first + k);
        add_steps(t, steps);
        break;
      case SNI_ITEM_CONTRACT:
        flatten_contract(t, i);
        break;
      case SNI_ITEM_IF:
        flatten_if(t, i);
        break;
      case SNI_ITEM_BARRIER:
      case SNI_ITEM_KINDS:
        break;
    }
  }
}

// ---- roots

// The grid of a root: the chain of loops from it on that are marked so.
static void find_grid(sni_flattener *t, uint32_t item, sni_root *root) {
  const sni_schedule *schedule = sni_tree_schedule(t->tree);
  while (schedule[item].grid) {
    root->extents[root->n_grid] = sni_flatten_size(t, t->items[item].as.loop.extent, 1, false);
    root->grains[root->n_grid++] = schedule[item].grain;
    uint32_t inner = item + 1;
    while (inner < t->items[item].end && t->items[inner].kind != SNI_ITEM_LOOP)
      inner = t->items[inner].end;
    if (inner >= t->items[item].end) return;
    item = inner;
  }
}

void sni_flatten_nodes(sni_flattener *t) {
  const sni_tree *tree = t->tree;
  t->last_steps = t->per_lane_block = SNI_NO_VALUE;
  t->lanes_item = t->fold_item = SNI_NO_ITEM;
  sni_root root = {0};
  for (uint32_t i = 0; i < tree->n_items && !t->status; i = t->items[i].end) {
    const uint32_t node = t->n_nodes;
    flatten_items(t, i, t->items[i].end);
    if (t->items[i].kind != SNI_ITEM_LOOP || t->status) continue;
    find_grid(t, i, &root);
    root.node = node;
    root.end_cursor = t->n_cursors;
    root.end_form = t->n_forms;
    if (sni_flatten_grow(t, (void **)&t->roots, &t->roots_capacity, t->n_roots + 1, sizeof(root)))
      t->roots[t->n_roots++] = root;
    root = (sni_root){.first = t->n_nodes};
  }
}
