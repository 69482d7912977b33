// The body of a kernel as a store: expressions, each in the nest where it belongs, and what has been
// emitted already.
//
// Invariant: a node emitted at one index map and under the same conditions is emitted once per nest,
// or once per body if it does not vary along inner axes.
#include "passes/lower/body.h"

#include <string.h>

enum { math_cost = 30, slow_cost = 4, most_cost = 1000 };

sn_status sni_body_init(sni_body *b, sni_lowering *l, int32_t group, sni_node_id named) {
  memset(b, 0, sizeof *b);
  b->l = l;
  b->group = group;
  b->nest = SNI_NO_NEST;
  b->cut = -1;
  b->contraction = b->active_otherwise = SNI_NO_VALUE;
  const sni_node *node = sni_graph_node(l->graph, named);
  b->location = node->location;
  b->op_name = b->name = sni_op_infos[node->op].name;
  return SN_OK;
}

sni_expression sni_body_blank(sni_kop op, sn_dtype dtype) {
  sni_expression v = {.op = op,
                      .dtype = dtype,
                      .source = dtype,
                      .nest = SNI_NO_NEST,
                      .slot = -1,
                      .row = -1,
                      .index = SNI_NO_VALUE,
                      .otherwise = SNI_NO_VALUE};
  for (int i = 0; i < 3; i++) v.operands[i] = SNI_NO_VALUE;
  return v;
}

static int own_cost(const sni_expression *v) {
  if (sni_kop_infos[v->op].math) return math_cost;
  return v->op == SNI_KOP_DIV || v->op == SNI_KOP_SQRT || v->op == SNI_KOP_REM ? slow_cost : 1;
}

// Where the expression belongs, and what it would cost elsewhere.
static void place(sni_body *b, sni_expression *v) {
  const uint32_t used[5] = {v->operands[0], v->operands[1], v->operands[2], v->index, v->otherwise};
  int cost = own_cost(v);
  for (int i = 0; i < 5; i++) {
    if (used[i] == SNI_NO_VALUE) continue;
    const sni_expression *operand = &b->values[used[i]];
    if (operand->axes & sni_body_inner(b)) cost += operand->cost;
  }
  v->cost = (uint16_t)(cost > most_cost ? most_cost : cost);
  v->wanted = b->nest;
  if (v->op == SNI_KOP_REDUCE || (v->axes & sni_body_inner(b))) v->nest = b->nest;
}

sn_status sni_body_add(sni_body *b, const sni_expression *value, uint32_t *out) {
  SNI_TRY(sni_arena_grow(b->l->scratch, b->l->diag, (void **)&b->values, &b->values_capacity,
                         b->n_values + 1, sizeof *b->values));
  b->values[b->n_values] = *value;
  place(b, &b->values[b->n_values]);
  *out = b->n_values++;
  return SN_OK;
}

sn_status sni_body_add_integer(sni_body *b, sn_dtype dtype, int64_t number, uint32_t *out) {
  sni_expression v = sni_body_blank(SNI_KOP_CONST, dtype);
  v.as.i = number;
  return sni_body_add(b, &v, out);
}

sn_status sni_body_add_zero(sni_body *b, sn_dtype dtype, uint32_t *out) {
  if (!sni_is_float(dtype)) return sni_body_add_integer(b, dtype, 0, out);
  sni_expression v = sni_body_blank(SNI_KOP_CONST, dtype);
  v.as.f = 0;
  return sni_body_add(b, &v, out);
}

sn_status sni_body_add_size(sni_body *b, sn_dtype dtype, sni_linear size, uint32_t *out) {
  if (size.symbolic == 0) return sni_body_add_integer(b, dtype, size.number, out);
  sni_expression v = sni_body_blank(SNI_KOP_PARAM, dtype);
  v.as.size = size;
  return sni_body_add(b, &v, out);
}

// ---- memo

static uint64_t memo_hash(sni_node_id node, uint32_t scope, const sni_linear *at, uint32_t n) {
  uint64_t h = sni_hash_mix(sni_hash_mix(0x51, node), scope);
  for (uint32_t i = 0; i < n; i++)
    h = sni_hash_mix(h, (uint64_t)at[i].number * 31 + (uint64_t)at[i].symbolic);
  return h;
}

// NULL: the table is empty.
static sni_memo *memo_slot(const sni_memo_table *table, sni_node_id node, uint32_t scope,
                           const sni_index_map *map) {
  const uint32_t n = (uint32_t)(map->rank * (map->n_axes + 1));
  if (!table->capacity) return NULL;
  for (uint64_t h = memo_hash(node, scope, map->at, n);; h++) {
    sni_memo *m = &table->items[h & (table->capacity - 1)];
    if (!m->at) return m;
    if (m->node != node || m->scope != scope || m->n_at != n) continue;
    bool same = true;
    for (uint32_t i = 0; i < n && same; i++) same = sni_linear_equal(m->at[i], map->at[i]);
    if (same) return m;
  }
}

static sn_status memo_reserve(sni_body *b, sni_memo_table *table) {
  if ((table->count + 1) * 2 <= table->capacity) return SN_OK;
  const sni_memo_table old = *table;
  table->capacity = old.capacity ? old.capacity * 2 : 32;
  table->items = SNI_ARENA_ARRAY(b->l->scratch, sni_memo, table->capacity);
  if (!table->items)
    return sni_fail_memory(b->l->diag, table->capacity * sizeof *table->items, "a kernel");
  for (uint32_t i = 0; i < old.capacity; i++) {
    const sni_memo *m = &old.items[i];
    if (!m->at) continue;
    uint64_t h = memo_hash(m->node, m->scope, m->at, m->n_at);
    while (table->items[h & (table->capacity - 1)].at) h++;
    table->items[h & (table->capacity - 1)] = *m;
  }
  return SN_OK;
}

static uint32_t scope_of(const sni_body *b) {
  return b->active_count ? b->active_first << 8 | b->active_count : 0;
}

static const sni_linear no_dims[1];

sn_status sni_memo_put(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t value) {
  sni_memo_table *table =
      b->values[value].nest == SNI_NO_NEST || b->values[value].op == SNI_KOP_REDUCE ? &b->memo
                                                                                    : &b->nest_memo;
  SNI_TRY(memo_reserve(b, table));
  sni_memo *m = memo_slot(table, id, scope_of(b), map);
  if (!m->at) table->count++;
  *m = (sni_memo){id, scope_of(b), map->rank ? map->at : no_dims,
                  (uint32_t)(map->rank * (map->n_axes + 1)), value};
  return SN_OK;
}

bool sni_memo_get(const sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out) {
  const sni_memo_table *tables[] = {&b->nest_memo, &b->memo};
  for (int i = 0; i < 2; i++) {
    const sni_memo *m = memo_slot(tables[i], id, scope_of(b), map);
    if (!m || !m->at) continue;
    *out = m->value;
    return true;
  }
  return false;
}
