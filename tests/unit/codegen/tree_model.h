// A model of trees for tests: one element at a time, in plain scalar C, straight from the rules in
// codegen/kernel/tree.h. Slow on purpose; backends must agree with it to the bit (any NaN equals any
// NaN). It ends the test where a tree breaks what no verifier can see: an address outside its
// buffer, scratch that is read before it is written.
#ifndef SNI_TESTS_TREE_MODEL_H
#define SNI_TESTS_TREE_MODEL_H

#include "codegen/kernel/facts.h"
#include "tests/unit/codegen/model_scalars.h"

#include <stdio.h>

// What a REDUCE has been given since its loop began.
typedef struct tree_elements {
  model_value *values;
  int64_t *at;  // index of the innermost reduced loop
  size_t count, capacity;
} tree_elements;

typedef struct tree_model {
  const sni_tree *tree;
  const sni_item *items;
  const sni_tree_inst *insts;
  void *const *buffers;
  const size_t *elements;  // of each GLOBAL buffer; NULL: not known
  const int64_t *params;
  model_value *values;
  model_value *carried;    // by CARRY: what it gives in the next iteration
  tree_elements *reduced;  // by REDUCE
  int64_t *index, *trips;  // by loop
  int64_t *first, *limit;  // by grid loop: its piece in this unit
  bool *owns, *gives;      // by loop: it owns scratch; results are visible behind it
  char **scratch;          // by ROW and LOCAL buffer
  bool **written;          // and element
  bool fault, gave_up;
} tree_model;

typedef struct tree_result {
  bool fault;
  bool gave_up;  // memory may hold anything
} tree_result;

static void tree_require(bool holds, const char *what, uint32_t number) {
  if (holds) return;
  fprintf(stderr, "the model cannot run this tree: %s (%u)\n", what, number);
  abort();
}

// ---- memory

static int64_t tree_form(const tree_model *m, const sni_extent *stride, sni_extent offset,
                         uint32_t item, int64_t k) {
  const unsigned depth = m->items[item].depth;
  int64_t at = sni_extent_value(offset, m->params);
  const sni_contract_item *c = &m->items[item].as.contract;
  for (uint32_t a = m->items[item].kind == SNI_ITEM_CONTRACT ? c->n_k : 0; a-- > 0;) {
    int64_t extent = a ? sni_extent_value(c->k[a], m->params) : INT64_MAX;
    if (!extent) extent = 1;  // there is no k
    at += k % extent * sni_extent_value(stride[depth + a], m->params);
    k /= extent;
  }
  for (uint32_t i = m->items[item].parent; i != SNI_NO_ITEM; i = m->items[i].parent)
    if (m->items[i].kind == SNI_ITEM_LOOP)
      at += m->index[i] * sni_extent_value(stride[m->items[i].depth], m->params);
  return at;
}

static bool tree_in_ranges(const tree_model *m, const sni_tree_access *access, uint32_t item,
                           int64_t k) {
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = &sni_tree_ranges(m->tree)[access->first_range + i];
    const int64_t at = tree_form(m, range->stride, range->offset, item, k);
    if (at < 0 || at >= sni_extent_value(range->extent, m->params)) return false;
  }
  return true;
}

// The element's address; store: it is written from now on.
static char *tree_address(const tree_model *m, uint32_t number, uint32_t item, int64_t k,
                          bool store) {
  const sni_tree_access *access = &sni_tree_accesses(m->tree)[number];
  const sni_tree_buffer *buffer = &sni_tree_buffers(m->tree)[access->buffer];
  int64_t at = tree_form(m, access->stride, access->offset, item, k);
  if (access->index != SNI_NO_VALUE) at += m->values[access->index].i64;
  const int64_t size = (int64_t)sn_dtype_size((sn_dtype)buffer->dtype);
  if (buffer->space == SNI_SPACE_GLOBAL) {
    const bool inside = !m->elements || (at >= 0 && at < (int64_t)m->elements[access->buffer]);
    tree_require(inside, "an access leaves its buffer", number);
    return (char *)m->buffers[access->buffer] + at * size;
  }
  tree_require(at >= 0 && at < buffer->elements, "an access leaves its scratch", number);
  tree_require(store || m->written[access->buffer][at], "scratch is read before it is written",
               number);
  m->written[access->buffer][at] = true;
  return m->scratch[access->buffer] + at * size;
}

// ---- reductions

static model_value tree_combine(const sni_tree_inst *inst, model_value a, model_value b) {
  return model_op((sni_kop)inst->imm.combiner, (sn_dtype)inst->dtype, a, b,
                  (model_value){.i64 = 0});
}

// Elements [begin, end) of the list, which stand at `at` - first of their piece.
static model_value tree_reduce_piece(const sni_tree_inst *inst, bool lanes,
                                     const model_value *values, const int64_t *at, size_t count,
                                     int64_t first) {
  model_value lane[SNI_REDUCE_LANES];
  for (int l = 0; l < SNI_REDUCE_LANES; l++)
    lane[l] = model_identity((sni_kop)inst->imm.combiner, (sn_dtype)inst->dtype);
  for (size_t i = 0; i < count; i++) {
    model_value *to = &lane[lanes ? (at[i] - first) % SNI_REDUCE_LANES : 0];
    *to = tree_combine(inst, *to, values[i]);
  }
  for (int w = SNI_REDUCE_LANES / 2; lanes && w > 0; w /= 2)
    for (int l = 0; l < w; l++) lane[l] = tree_combine(inst, lane[l], lane[l + w]);
  return lane[0];
}

// A row of n places, of which the list holds those that were reached, in order.
static model_value tree_reduce_row(const sni_tree_inst *inst, bool lanes, int64_t chunk,
                                   const model_value *values, const int64_t *at, size_t count,
                                   int64_t n) {
  if (!chunk || n <= chunk) return tree_reduce_piece(inst, lanes, values, at, count, 0);
  const int64_t pieces = n / chunk + (n % chunk != 0);
  model_value *results = calloc((size_t)pieces, sizeof(*results));
  int64_t *places = calloc((size_t)pieces, sizeof(*places));
  size_t next = 0;
  for (int64_t p = 0; p < pieces; p++) {
    const size_t begin = next;
    while (next < count && at[next] < (p + 1) * chunk) next++;
    results[p] =
        tree_reduce_piece(inst, lanes, values + begin, at + begin, next - begin, p * chunk);
    places[p] = p;
  }
  const model_value y =
      tree_reduce_row(inst, lanes, chunk, results, places, (size_t)pieces, pieces);
  free(results);
  free(places);
  return y;
}

static uint32_t tree_innermost(const tree_model *m, uint32_t item) {
  while (m->items[item].kind != SNI_ITEM_LOOP) item = m->items[item].parent;
  return item;
}

static void tree_add_element(tree_model *m, uint32_t number, uint32_t item) {
  tree_elements *e = &m->reduced[number];
  if (e->count == e->capacity) {
    e->capacity = 2 * e->capacity + 16;
    e->values = realloc(e->values, e->capacity * sizeof(*e->values));
    e->at = realloc(e->at, e->capacity * sizeof(*e->at));
  }
  e->values[e->count] = m->values[m->insts[number].operands[0]];
  e->at[e->count++] = m->index[tree_innermost(m, item)];
}

static void tree_finish_reduce(tree_model *m, uint32_t number) {
  const sni_tree_inst *inst = &m->insts[number];
  const sni_loop_item *loop = &m->items[inst->loop].as.loop;
  const tree_elements *e = &m->reduced[number];
  const model_value y = tree_reduce_row(inst, loop->order == SNI_ORDER_LANES, loop->chunk,
                                        e->values, e->at, e->count, m->trips[inst->loop]);
  const bool add = sni_is_float((sn_dtype)inst->dtype) && inst->imm.combiner == SNI_KOP_ADD;
  m->values[number] = add ? tree_combine(inst, y, (model_value){.i64 = 0}) : y;
}

// ---- contractions

static model_value tree_factor(const tree_model *m, uint32_t access, uint32_t item, int64_t k,
                               sn_dtype dtype) {
  const sni_tree_access *a = &sni_tree_accesses(m->tree)[access];
  const sn_dtype stored = (sn_dtype)sni_tree_buffers(m->tree)[a->buffer].dtype;
  if (!tree_in_ranges(m, a, item, k)) return (model_value){.i64 = 0};
  const char *at = tree_address(m, access, item, k, false);
  if (sni_dtype_bytes(stored) == sni_dtype_bytes(dtype)) return model_load(at, dtype);
  return model_cast(stored, dtype, model_load(at, stored));
}

static model_value tree_contract(const tree_model *m, uint32_t item) {
  const sni_contract_item *c = &m->items[item].as.contract;
  const sn_dtype dtype = (sn_dtype)m->insts[c->inst].dtype;
  int64_t n = 1;
  for (uint32_t a = 0; a < c->n_k; a++) n *= sni_extent_value(c->k[a], m->params);
  const int64_t step = c->segment ? c->segment : n;
  const bool goes_on = c->from != SNI_NO_VALUE;
  model_value total = {.i64 = 0};
  if (goes_on) total = tree_factor(m, c->from, item, 0, dtype);
  for (int64_t begin = 0; begin < n; begin += step) {
    model_value sum = n == 1 && sni_is_float(dtype) ? model_identity(SNI_KOP_ADD, dtype)
                                                    : (model_value){.i64 = 0};
    if (goes_on) sum = total;
    for (int64_t k = begin; k < n && k < begin + step; k++) {
      const model_value a = tree_factor(m, c->lhs, item, k, dtype),
                        b = tree_factor(m, c->rhs, item, k, dtype);
      if (sni_is_float(dtype))
        sum = model_op(SNI_KOP_FMA, dtype, a, b, sum);
      else
        sum = model_op(SNI_KOP_ADD, dtype, sum, model_op(SNI_KOP_MUL, dtype, a, b, sum), sum);
    }
    total = begin ? model_op(SNI_KOP_ADD, dtype, total, sum, sum) : sum;
  }
  return total;
}

// ---- instructions

static model_value tree_check_index(tree_model *m, const sni_tree_inst *inst, model_value a) {
  const int64_t end = sni_extent_value(inst->imm.size, m->params);
  m->fault |= a.i64 < 0 || a.i64 >= end;
  m->gave_up |= end <= 0;
  return (model_value){.i64 = a.i64 < 0 || end <= 0 ? 0 : a.i64 >= end ? end - 1 : a.i64};
}

static model_value tree_updated(const sni_tree_inst *inst, model_value old, model_value a) {
  const sni_kop combiner = (sni_kop)inst->imm.combiner;
  return combiner == SNI_KOP_COPY ? a : model_op(combiner, (sn_dtype)inst->dtype, old, a, a);
}

static void tree_store(const tree_model *m, const sni_tree_inst *inst, uint32_t item,
                       model_value a) {
  const sn_dtype dtype = (sn_dtype)inst->dtype;
  if (!tree_in_ranges(m, &sni_tree_accesses(m->tree)[inst->access], item, 0)) return;
  char *to = tree_address(m, inst->access, item, 0, inst->op == SNI_KOP_STORE);
  if (inst->op == SNI_KOP_UPDATE) a = tree_updated(inst, model_load(to, dtype), a);
  memcpy(to, &a, sn_dtype_size(dtype));
}

static void tree_run_inst(tree_model *m, uint32_t number, uint32_t item) {
  const sni_tree_inst *inst = &m->insts[number];
  const sn_dtype dtype = (sn_dtype)inst->dtype, source = (sn_dtype)inst->source;
  model_value v[3] = {{.i64 = 0}, {.i64 = 0}, {.i64 = 0}};
  model_value *y = &m->values[number];
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) v[i] = m->values[inst->operands[i]];
  switch ((int)inst->op) {
    case SNI_KOP_CONST:
      *y = model_constant(dtype, inst->imm.f, inst->imm.i);
      break;
    case SNI_KOP_PARAM:
      *y = model_cast(SN_I64, dtype,
                      (model_value){.i64 = sni_extent_value(inst->imm.size, m->params)});
      break;
    case SNI_KOP_INDEX:
      *y = model_cast(SN_I64, dtype, (model_value){.i64 = m->index[inst->loop]});
      break;
    case SNI_KOP_LOAD: {
      const sni_tree_access *access = &sni_tree_accesses(m->tree)[inst->access];
      *y = tree_in_ranges(m, access, item, 0)
               ? model_load(tree_address(m, inst->access, item, 0, false), dtype)
               : m->values[access->otherwise];
      break;
    }
    case SNI_KOP_STORE:
    case SNI_KOP_UPDATE:
      tree_store(m, inst, item, v[0]);
      break;
    case SNI_KOP_REDUCE:
      tree_add_element(m, number, item);
      break;
    case SNI_KOP_CARRY:
      *y = m->index[inst->loop] ? m->carried[number] : v[0];
      break;
    case SNI_KOP_YIELD:
      m->carried[inst->operands[1]] = v[0];
      break;
    case SNI_KOP_CHECK_INDEX:
      *y = tree_check_index(m, inst, v[0]);
      break;
    case SNI_KOP_EQ:
    case SNI_KOP_LT:
    case SNI_KOP_LE:
      *y = (model_value){.b = model_compare((sni_kop)inst->op, source, v[0], v[1])};
      break;
    case SNI_KOP_SELECT:
      *y = v[0].b ? v[1] : v[2];
      break;
    case SNI_KOP_CAST:
      *y = model_cast(source, dtype, v[0]);
      break;
    case SNI_KOP_BITCAST:
      *y = v[0];
      break;
    default:
      *y = model_op((sni_kop)inst->op, dtype, v[0], v[1], v[2]);
      break;
  }
}

// ---- items

static void tree_run_body(tree_model *m, uint32_t begin, uint32_t end);

static int64_t tree_trips(const tree_model *m, const sni_loop_item *loop) {
  const int64_t extent = sni_extent_value(loop->extent, m->params);
  if (loop->strip == SNI_NO_ITEM) return extent;
  const int64_t rest = sni_extent_value(loop->whole, m->params) - extent * m->index[loop->strip];
  return rest < extent ? rest : extent;
}

static void tree_run_loop(tree_model *m, uint32_t item) {
  const bool grid = sni_tree_schedule(m->tree)[item].grid;
  int64_t begin = 0, end = tree_trips(m, &m->items[item].as.loop);
  if (grid) begin = m->first[item];
  if (grid && m->limit[item] < end) end = m->limit[item];
  m->trips[item] = end;
  for (uint32_t i = 0; m->gives[item] && i < m->tree->n_insts; i++)
    if (m->insts[i].op == SNI_KOP_REDUCE && m->insts[i].loop == item) m->reduced[i].count = 0;
  for (int64_t i = begin; i < end && !m->gave_up; i++) {
    for (uint32_t b = 0; m->owns[item] && b < m->tree->n_buffers; b++) {
      const sni_tree_buffer *buffer = &sni_tree_buffers(m->tree)[b];
      if (buffer->scope == item) memset(m->written[b], 0, (size_t)buffer->elements);
    }
    m->index[item] = i;
    tree_run_body(m, item + 1, m->items[item].end);
  }
  for (uint32_t i = 0; m->gives[item] && i < m->tree->n_insts; i++) {
    const sni_tree_inst *inst = &m->insts[i];
    if (inst->op == SNI_KOP_REDUCE && inst->loop == item) tree_finish_reduce(m, i);
    if (inst->op != SNI_KOP_YIELD || inst->loop != item) continue;
    const uint32_t carry = inst->operands[1];
    m->values[i] = end > begin ? m->carried[carry] : m->values[m->insts[carry].operands[0]];
  }
}

static void tree_run_body(tree_model *m, uint32_t begin, uint32_t end) {
  for (uint32_t i = begin; i < end && !m->gave_up; i = m->items[i].end) {
    const sni_item *item = &m->items[i];
    switch ((sni_item_kind)item->kind) {
      case SNI_ITEM_LOOP:
        tree_run_loop(m, i);
        break;
      case SNI_ITEM_BLOCK:
        for (uint32_t k = 0; k < item->as.block.count && !m->gave_up; k++)
          tree_run_inst(m, item->as.block.first + k, i);
        break;
      case SNI_ITEM_CONTRACT:
        m->values[item->as.contract.inst] = tree_contract(m, i);
        break;
      case SNI_ITEM_IF:
        if (m->values[item->as.condition].b) tree_run_body(m, i + 1, item->end);
        break;
      case SNI_ITEM_BARRIER:
      case SNI_ITEM_KINDS:
        break;
    }
  }
}

// One unit of a root, by its number among those: the grid loops' pieces, innermost fastest.
static void tree_run_unit(tree_model *m, uint32_t root, int64_t unit) {
  for (uint32_t i = m->items[root].end; i-- > root;) {
    const sni_schedule *schedule = &sni_tree_schedule(m->tree)[i];
    if (!schedule->grid) continue;
    const int64_t extent = sni_extent_value(m->items[i].as.loop.extent, m->params);
    const int64_t pieces = extent / schedule->grain + (extent % schedule->grain != 0);
    m->first[i] = unit % pieces * schedule->grain;
    m->limit[i] = schedule->grain < extent - m->first[i] ? m->first[i] + schedule->grain : extent;
    unit /= pieces;
  }
  for (uint32_t i = 0; i < root; i = m->items[i].end)
    if (m->items[i].kind == SNI_ITEM_BLOCK) tree_run_body(m, i, m->items[i].end);
  tree_run_loop(m, root);
}

static void tree_model_allocate(tree_model *m) {
  const uint32_t n = m->tree->n_insts + 1, n_items = m->tree->n_items + 1,
                 n_buffers = m->tree->n_buffers + 1;
  m->values = calloc(n, sizeof(*m->values));
  m->carried = calloc(n, sizeof(*m->carried));
  m->reduced = calloc(n, sizeof(*m->reduced));
  m->index = calloc(n_items, sizeof(*m->index));
  m->trips = calloc(n_items, sizeof(*m->trips));
  m->first = calloc(n_items, sizeof(*m->first));
  m->limit = calloc(n_items, sizeof(*m->limit));
  m->owns = calloc(n_items, sizeof(*m->owns));
  m->gives = calloc(n_items, sizeof(*m->gives));
  for (uint32_t i = 0; i < m->tree->n_insts; i++)
    if (m->insts[i].op == SNI_KOP_REDUCE || m->insts[i].op == SNI_KOP_YIELD)
      m->gives[m->insts[i].loop] = true;
  m->scratch = calloc(n_buffers, sizeof(*m->scratch));
  m->written = calloc(n_buffers, sizeof(*m->written));
  for (uint32_t i = 0; i < m->tree->n_buffers; i++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(m->tree)[i];
    if (buffer->space == SNI_SPACE_GLOBAL) continue;
    m->owns[buffer->scope] = true;
    m->scratch[i] = calloc((size_t)buffer->elements + 1, sn_dtype_size((sn_dtype)buffer->dtype));
    m->written[i] = calloc((size_t)buffer->elements + 1, sizeof(bool));
  }
}

static void tree_model_free(tree_model *m) {
  for (uint32_t i = 0; i < m->tree->n_insts; i++) {
    free(m->reduced[i].values);
    free(m->reduced[i].at);
  }
  for (uint32_t i = 0; i < m->tree->n_buffers; i++) {
    free(m->scratch[i]);
    free(m->written[i]);
  }
  free(m->values);
  free(m->carried);
  free(m->reduced);
  free(m->index);
  free(m->trips);
  free(m->first);
  free(m->limit);
  free(m->owns);
  free(m->gives);
  free(m->scratch);
  free(m->written);
}

// Runs units [begin, end). elements: of each GLOBAL buffer, or NULL.
static SNI_UNUSED tree_result tree_model_units(const sni_tree *tree, void *const *buffers,
                                               const size_t *elements, const int64_t *params,
                                               int64_t begin, int64_t end) {
  tree_model m = {.tree = tree,
                  .items = sni_tree_items(tree),
                  .insts = sni_tree_insts(tree),
                  .buffers = buffers,
                  .elements = elements,
                  .params = params};
  tree_model_allocate(&m);
  int64_t before = 0;
  for (uint32_t i = 0; i < tree->n_items && !m.gave_up; i = m.items[i].end) {
    if (m.items[i].kind != SNI_ITEM_LOOP) continue;
    const int64_t units = sni_tree_units(tree, i, params);
    for (int64_t unit = 0; unit < units && !m.gave_up; unit++)
      if (before + unit >= begin && before + unit < end) tree_run_unit(&m, i, unit);
    before += units;
  }
  const tree_result result = {m.fault, m.gave_up};
  tree_model_free(&m);
  return result;
}

static SNI_UNUSED tree_result tree_model_run(const sni_tree *tree, void *const *buffers,
                                             const size_t *elements, const int64_t *params) {
  return tree_model_units(tree, buffers, elements, params, 0, INT64_MAX);
}

#endif
