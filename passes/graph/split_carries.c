// A carry of a few elements that a loop's body takes apart is as many scalar carries: of x' = stack(f(x[0], x[1]), g(x[0], x[1]))
// all is one kernel of scalars, where the array would be put together and taken apart in memory several times a step.
//
//   analyse   per body the values that may become scalars: of few elements, made element by element, and read so or one element
//             at a time; the carries that are such before and after a step
//   rewrite   bodies with scalar parameters and results; the loop with elements of the first values, whose results are put
//             together again
//
// Invariant: each element is computed by the same operations from the same operands.
#include "graph/control.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

#include <string.h>

enum { most_elements = 8, most_operands = 8, most_operations = 512, most_viewed = 1 << 24 };

// ---- shapes
// Of known dims; -1: others, or too many.
static int count_elements(const sni_graph *graph, const sni_type *type) {
  int64_t n = 1, dim;
  for (int d = 0; d < type->rank; d++) {
    if (!sni_dim_is_constant(graph->dims, type->dims[d], &dim) || dim > most_elements) return -1;
    n *= dim;
  }
  return n >= 1 && n <= most_elements ? (int)n : -1;
}

static int dim_of(const sni_graph *graph, const sni_type *type, int d) {
  int64_t dim = 0;
  sni_dim_is_constant(graph->dims, type->dims[d], &dim);
  return (int)dim;
}

static void indices_of(const sni_graph *graph, const sni_type *type, int element, int *index) {
  for (int d = type->rank - 1; d >= 0; d--) {
    index[d] = element % dim_of(graph, type, d);
    element /= dim_of(graph, type, d);
  }
}

static int element_at(const sni_graph *graph, const sni_type *type, const int *index) {
  int element = 0;
  for (int d = 0; d < type->rank; d++) element = element * dim_of(graph, type, d) + index[d];
  return element;
}

static bool are_countable(const sni_graph *graph, const sni_node *node) {
  for (int k = 0; k < node->n_operands; k++) {
    const sni_type *type = sni_graph_type(graph, node->operands[k]);
    int64_t n = 1, dim;
    for (int d = 0; d < type->rank; d++)
      if (!sni_dim_is_constant(graph->dims, type->dims[d], &dim) ||
          __builtin_mul_overflow(n, dim, &n) || n > most_viewed)
        return false;
  }
  return true;
}

// Whether each element is one of the operands', or made of one of each.
static bool goes_by_element(const sni_graph *graph, const sni_node *node) {
  const sni_op_class op_class = sni_op_infos[node->op].op_class;
  int64_t number;
  if (!are_countable(graph, node)) return false;
  if (sni_is_concat(node)) return node->n_operands <= most_elements;
  if (op_class == SNI_CLASS_POINTWISE)
    return node->n_attrs == 0 && node->n_operands <= most_operands;
  if (op_class != SNI_CLASS_VIEW || sni_op_infos[node->op].operands != 1 || sni_is_pad(node))
    return false;
  for (int i = 0; i < node->n_attrs; i++)
    if (!sni_dim_is_constant(graph->dims, node->attrs[i], &number)) return false;
  return true;
}

// Attributes of a slice may be negative.
static int number_of(const sni_graph *graph, sni_dim attr) {
  int64_t number = 0;
  sni_dim_is_constant(graph->dims, attr, &number);
  return (int)number;
}

// The element of an operand, *out_operand, that element `element` of a view or concat is.
static int viewed_element(const sni_graph *graph, const sni_node *node, int element,
                          int *out_operand) {
  int index[SN_MAX_RANK] = {0}, from[SN_MAX_RANK] = {0};
  *out_operand = 0;
  if (sni_is_reshape(node)) return element;
  indices_of(graph, &node->type, element, index);
  if (sni_is_concat(node)) {
    const int axis = (int)node->attrs[0];
    const sni_type *piece = sni_graph_type(graph, node->operands[0]);
    while (index[axis] >= dim_of(graph, piece, axis)) {
      index[axis] -= dim_of(graph, piece, axis);
      piece = sni_graph_type(graph, node->operands[++*out_operand]);
    }
    return element_at(graph, piece, index);
  }
  for (int d = 0; d < node->type.rank; d++) {
    const int to = sni_viewed_dim(graph, node, d);
    if (to < 0) continue;
    from[to] = index[d];
    if (sni_is_slice(node))
      from[to] = number_of(graph, node->attrs[d]) +
                 index[d] * number_of(graph, node->attrs[node->type.rank + d]);
  }
  return element_at(graph, sni_graph_type(graph, node->operands[0]), from);
}

// ---- analysis
typedef struct body_facts {
  const sni_graph *graph;
  bool *split;  // per node: it is its elements
  bool *apart;  // per node: something takes one of these
} body_facts;

typedef struct loop_facts {
  int n_carries;
  bool *split;    // per carry; NULL: none is
  int *elements;  // per carry
  int *first;     // per carry, and one behind: its first number among the new ones
  body_facts bodies[2];
  int n_bodies;
} loop_facts;

static int carry_of(const sni_parameter *p) {
  return p->kind == SNI_PARAMETER_VARIABLE ? (int)p->index : -1;
}

static void begin_body(const loop_facts *l, body_facts *b) {
  for (uint32_t id = 0; id < b->graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(b->graph, id);
    const bool has_elements = count_elements(b->graph, &node->type) > 1;
    b->split[id] = has_elements && !sni_is_parameter(node) && goes_by_element(b->graph, node);
  }
  for (uint32_t p = 0; p < b->graph->n_parameters; p++) {
    const int carry = carry_of(&b->graph->parameters[p]);
    b->split[b->graph->parameters[p].node] = carry >= 0 && l->split[carry];
  }
}

// What reads a value that is its elements: such a value too, or one of a single element.
static bool drop_by_readers(body_facts *b) {
  bool changed = false;
  for (uint32_t id = b->graph->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(b->graph, id);
    const bool one = count_elements(b->graph, &node->type) == 1 && goes_by_element(b->graph, node);
    if (b->split[id] || one) continue;
    for (int k = 0; k < node->n_operands; k++) {
      changed |= b->split[node->operands[k]];
      b->split[node->operands[k]] = false;
    }
  }
  return changed;
}

static bool set(bool *flag, bool value) {
  const bool changed = *flag != value;
  *flag = value;
  return changed;
}

// Carries are split where they are so at both ends of the step, and in the condition.
static bool agree_on_carries(loop_facts *l, body_facts *b) {
  bool changed = false;
  for (uint32_t p = 0; p < b->graph->n_parameters; p++) {
    const sni_parameter *parameter = &b->graph->parameters[p];
    if (parameter->kind != SNI_PARAMETER_VARIABLE) continue;
    const bool both = l->split[parameter->index] && b->split[parameter->node];
    changed |= set(&l->split[parameter->index], both);
    changed |= set(&b->split[parameter->node], both);
  }
  for (uint32_t r = 0; r < b->graph->n_results; r++) {
    const sni_result *result = &b->graph->results[r];
    if (result->variable < 0) continue;
    const bool both = l->split[result->variable] && b->split[result->node];
    changed |= set(&l->split[result->variable], both);
    if (!both) changed |= set(&b->split[result->node], false);
  }
  return changed;
}

// ---- what is gained
static bool spread(const body_facts *b, sni_node_id x, sni_node_id y) {
  if (!b->split[x] || !b->split[y] || b->apart[x] == b->apart[y]) return false;
  b->apart[x] = b->apart[y] = true;
  return true;
}

static bool spread_to(const body_facts *b, bool *carry_apart, sni_node_id x, int32_t carry) {
  if (carry < 0 || !b->split[x] || b->apart[x] == carry_apart[carry]) return false;
  b->apart[x] = carry_apart[carry] = true;
  return true;
}

// Marks values that something takes an element of, and those that have to be elements with them.
static bool spread_in_body(const body_facts *b, bool *carry_apart) {
  bool changed = false;
  for (uint32_t id = 0; id < b->graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(b->graph, id);
    for (int k = 0; k < node->n_operands; k++) {
      const sni_node_id operand = node->operands[k];
      if (sni_is_slice(node) && !b->split[id] && b->split[operand] && !b->apart[operand])
        changed = b->apart[operand] = true;
      changed |= spread(b, id, operand);
    }
  }
  for (uint32_t p = 0; p < b->graph->n_parameters; p++)
    changed |=
        spread_to(b, carry_apart, b->graph->parameters[p].node, carry_of(&b->graph->parameters[p]));
  for (uint32_t r = 0; r < b->graph->n_results; r++)
    changed |= spread_to(b, carry_apart, b->graph->results[r].node, b->graph->results[r].variable);
  return changed;
}

// Carries that nothing takes apart stay vectors, and so do all where the body would become much larger.
static void keep_gains(loop_facts *l, bool *carry_apart) {
  int operations = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < l->n_bodies; i++) changed |= spread_in_body(&l->bodies[i], carry_apart);
  }
  for (int i = 0; i < l->n_bodies; i++)
    for (uint32_t id = 0; id < l->bodies[i].graph->n_nodes; id++) {
      l->bodies[i].split[id] = l->bodies[i].split[id] && l->bodies[i].apart[id];
      if (l->bodies[i].split[id])
        operations += count_elements(l->bodies[i].graph, sni_graph_type(l->bodies[i].graph, id));
    }
  for (int i = 0; i < l->n_carries; i++)
    l->split[i] = l->split[i] && carry_apart[i] && operations <= most_operations;
}

static bool any_split(const loop_facts *l) {
  for (int i = 0; i < l->n_carries; i++)
    if (l->split[i]) return true;
  return false;
}

static void find_split(loop_facts *l) {
  for (int i = 0; i < l->n_bodies; i++) begin_body(l, &l->bodies[i]);
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < l->n_bodies; i++) {
      changed |= drop_by_readers(&l->bodies[i]);
      changed |= agree_on_carries(l, &l->bodies[i]);
    }
  }
}

static sn_status analyse(const sni_graph *graph, const sni_node *node, sni_arena *arena,
                         loop_facts *l) {
  const sni_control c = sni_control_of(node);
  if (c.kind == SNI_CONTROL_COND || c.kind == SNI_CONTROL_CUSTOM || !c.n_carries) return SN_OK;
  l->n_carries = c.n_carries;
  l->n_bodies = node->n_bodies;
  l->elements = SNI_ARENA_ARRAY(arena, int, c.n_carries);
  l->first = SNI_ARENA_ARRAY(arena, int, c.n_carries + 1);
  bool *split = SNI_ARENA_ARRAY(arena, bool, c.n_carries);
  bool *carry_apart = SNI_ARENA_ARRAY(arena, bool, c.n_carries);
  if (!l->elements || !l->first || !split || !carry_apart)
    return sni_fail_memory(graph->diag, (size_t)c.n_carries, "a loop");
  l->split = split;
  for (int i = 0; i < c.n_carries; i++) {
    const sni_type *type = sni_graph_type(graph, node->operands[c.first_carry + i]);
    l->elements[i] = count_elements(graph, type);
    split[i] =
        l->elements[i] > 1 && i < c.n_carries - c.n_variables && !sni_is_complex(type->dtype);
  }
  for (int i = 0; i < l->n_bodies; i++) {
    l->bodies[i].graph = node->bodies[i];
    l->bodies[i].split = SNI_ARENA_ARRAY(arena, bool, node->bodies[i]->n_nodes + 1);
    l->bodies[i].apart = SNI_ARENA_ARRAY(arena, bool, node->bodies[i]->n_nodes + 1);
    if (!l->bodies[i].split || !l->bodies[i].apart)
      return sni_fail_memory(graph->diag, node->bodies[i]->n_nodes, "a loop");
  }
  find_split(l);
  keep_gains(l, carry_apart);
  if (!any_split(l)) l->split = NULL;
  for (int i = 0, n = 0; i <= c.n_carries; i++) {
    l->first[i] = n;
    if (i < c.n_carries) n += l->split && l->split[i] ? l->elements[i] : 1;
  }
  return SN_OK;
}

// ---- elements
// Element `element` of a whole value, as a scalar.
static sni_node_id take_element(sni_build *b, sni_node_id x, int element) {
  const sni_type type = sni_build_type(b, x);
  const sni_type scalar = sni_type_make(type.dtype, 0, NULL);
  int index[SN_MAX_RANK] = {0};
  sni_dim starts[SN_MAX_RANK], sizes[SN_MAX_RANK];
  int64_t steps[SN_MAX_RANK];
  if (b->status || !type.rank) return x;
  indices_of(b->graph, &type, element, index);
  for (int d = 0; d < type.rank; d++) {
    starts[d] = index[d];
    sizes[d] = steps[d] = 1;
  }
  return sni_build_reshape(b, sni_build_slice(b, x, starts, steps, sizes), &scalar);
}

static sni_node_id put_together(sni_build *b, const sni_node_id *elements, const sni_type *type,
                                int n) {
  const sni_type one = sni_type_make(type->dtype, 1, (sni_dim[]){1});
  sni_node_id parts[most_elements];
  for (int i = 0; i < n; i++) parts[i] = sni_build_reshape(b, elements[i], &one);
  return sni_build_reshape(b, sni_build_concat(b, parts, n, 0), type);
}

// ---- bodies
typedef struct body_copy {
  const loop_facts *loop;
  const body_facts *facts;
  sni_build build;
  sni_node_id *map;       // per node that is not split
  sni_node_id *elements;  // most_elements per node that is; SNI_NO_NODE: not made yet
} body_copy;

static sni_node_id element_of(body_copy *c, sni_node_id id, int element);

static sni_node_id make_element(body_copy *c, sni_node_id id, int element) {
  const sni_node *node = sni_graph_node(c->facts->graph, id);
  sni_node_id operands[most_operands];
  const sni_type declared = sni_type_make(node->type.dtype, 0, NULL);
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) {
    int operand;
    const int viewed = viewed_element(c->facts->graph, node, element, &operand);
    return element_of(c, node->operands[operand], viewed);
  }
  for (int k = 0; k < node->n_operands; k++)
    operands[k] = element_of(c, node->operands[k], element);
  c->build.location = node->location;
  return sni_build_node(&c->build, node->op, operands, node->n_operands, NULL, 0,
                        sni_op_converts(node->op) ? &declared : NULL);
}

// Values are a few operations deep in elements: each was made before what reads it.
static sni_node_id element_of(body_copy *c, sni_node_id id, int element) {
  sni_node_id *made = &c->elements[(size_t)id * most_elements + (size_t)element];
  if (c->build.status) return SNI_NO_NODE;
  if (!c->facts->split[id]) {
    const sni_type *type = sni_graph_type(c->facts->graph, id);
    if (count_elements(c->facts->graph, type) < 0)
      return take_element(&c->build, c->map[id], element);
    if (*made == SNI_NO_NODE) *made = take_element(&c->build, c->map[id], element);
  } else if (*made == SNI_NO_NODE) {
    *made = make_element(c, id, element);
  }
  return *made;
}

static sni_node_id whole_of(body_copy *c, sni_node_id id) {
  const sni_type *type = sni_graph_type(c->facts->graph, id);
  sni_node_id elements[most_elements];
  const int n = count_elements(c->facts->graph, type);
  if (!c->facts->split[id]) return c->map[id];
  for (int i = 0; i < n; i++) elements[i] = element_of(c, id, i);
  return put_together(&c->build, elements, type, n);
}

static sn_status add_parameter(body_copy *c, const sni_parameter *p) {
  const sni_node *node = sni_graph_node(c->facts->graph, p->node);
  const bool is_carry = p->kind == SNI_PARAMETER_VARIABLE;
  const uint32_t index = is_carry ? (uint32_t)c->loop->first[p->index] : p->index;
  if (!c->facts->split[p->node])
    return sni_graph_add_parameter(c->build.graph, &node->type, p->kind, index, node->name,
                                   &c->map[p->node]);
  const sni_type scalar = sni_type_make(node->type.dtype, 0, NULL);
  for (int i = 0; i < c->loop->elements[p->index]; i++)
    SNI_TRY(sni_graph_add_parameter(c->build.graph, &scalar, p->kind, index + (uint32_t)i,
                                    node->name,
                                    &c->elements[(size_t)p->node * most_elements + (size_t)i]));
  return SN_OK;
}

static bool is_of_element(const body_copy *c, const sni_node *node) {
  bool any = false;
  for (int k = 0; k < node->n_operands; k++) any |= c->facts->split[node->operands[k]];
  return any;
}

static sn_status copy_node(body_copy *c, sni_node_id id) {
  const sni_node *node = sni_graph_node(c->facts->graph, id);
  c->build.location = node->location;
  if (c->facts->split[id]) {
    for (int i = 0; i < count_elements(c->facts->graph, &node->type); i++) element_of(c, id, i);
    return c->build.status;
  }
  if (is_of_element(c, node)) {  // of a single element
    c->map[id] = sni_build_reshape(&c->build, make_element(c, id, 0), &node->type);
    return c->build.status;
  }
  return sni_graph_add_copy(c->build.graph, node, c->map, &c->map[id]);
}

static sn_status add_results(body_copy *c) {
  const sni_graph *from = c->facts->graph;
  for (uint32_t r = 0; r < from->n_results; r++) {
    const int32_t carry = from->results[r].variable;
    const sni_node_id id = from->results[r].node;
    if (carry < 0 || !c->loop->split[carry]) {
      const sni_node_id whole = whole_of(c, id);
      SNI_TRY(c->build.status);
      SNI_TRY(sni_graph_add_result(c->build.graph, whole, carry < 0 ? -1 : c->loop->first[carry]));
      continue;
    }
    for (int i = 0; i < c->loop->elements[carry]; i++) {
      const sni_node_id element = element_of(c, id, i);
      SNI_TRY(c->build.status);
      SNI_TRY(sni_graph_add_result(c->build.graph, element, c->loop->first[carry] + i));
    }
  }
  return c->build.status;
}

static sn_status copy_body(const loop_facts *loop, const body_facts *facts, sni_graph *outer,
                           sni_graph **out_body) {
  const sni_graph *from = facts->graph;
  const size_t n = from->n_nodes + 1u;
  body_copy c = {.loop = loop, .facts = facts};
  c.map = SNI_ARENA_ARRAY(outer->arena, sni_node_id, n);
  c.elements = SNI_ARENA_ARRAY(outer->arena, sni_node_id, n * most_elements);
  if (!c.map || !c.elements) return sni_fail_memory(outer->diag, n * sizeof(*c.map), "a loop");
  memset(c.elements, 0xff, n * most_elements * sizeof(*c.elements));
  SNI_TRY(sni_graph_create(outer->arena, outer->diag, from->name, outer->dims, out_body));
  c.build = sni_build_make(*out_body, (sni_location){0});
  for (uint32_t p = 0; p < from->n_parameters; p++)
    SNI_TRY(add_parameter(&c, &from->parameters[p]));
  for (uint32_t id = 0; id < from->n_nodes; id++)
    if (!sni_is_parameter(sni_graph_node(from, id))) SNI_TRY(copy_node(&c, id));
  return add_results(&c);
}

// ---- the loop
typedef struct facts {
  const loop_facts *loops;  // per node of the old graph
} facts;

static const loop_facts *split_loop(const sni_rewrite *r, sni_node_id old) {
  const loop_facts *l = &((const facts *)r->facts)->loops[old];
  return l->split ? l : NULL;
}

static sni_node_id split_control(sni_rewrite *r, const sni_node *node) {
  const loop_facts *l = split_loop(r, r->at);
  const sni_control c = sni_control_of(node);
  sni_build *b = &r->build;
  sni_graph *bodies[2];
  sni_dim attrs[8];
  sni_node_id id = SNI_NO_NODE;
  if (!l || node->attrs[0] != l->n_carries) return SNI_NO_NODE;  // the second time it is done
  const int n_new = l->first[l->n_carries], n_operands = node->n_operands + n_new - l->n_carries;
  sni_node_id *operands = SNI_ARENA_ARRAY(r->to->arena, sni_node_id, n_operands + 1);
  if (!operands) b->status = sni_fail_memory(r->to->diag, (size_t)n_operands, "a loop");
  for (int i = 0; i < l->n_bodies && !b->status; i++)
    b->status = copy_body(l, &l->bodies[i], r->to, &bodies[i]);
  if (b->status) return SNI_NO_NODE;
  int n = 0;
  for (int k = 0; k < node->n_operands; k++) {
    const int carry = k - c.first_carry;
    const bool split = carry >= 0 && carry < l->n_carries && l->split[carry];
    for (int i = 0; i < (split ? l->elements[carry] : 1); i++)
      operands[n++] = split ? take_element(b, node->operands[k], i) : node->operands[k];
  }
  memcpy(attrs, node->attrs, node->n_attrs * sizeof(*attrs));
  attrs[0] = n_new;
  if (!b->status)
    b->status = sni_graph_add_control(r->to, node->op, operands, n, attrs, node->n_attrs, bodies,
                                      l->n_bodies, node->location, &id);
  return b->status ? SNI_NO_NODE : id;
}

static sni_node_id result_of(sni_build *b, sni_node_id control, int number) {
  sni_node_id id = SNI_NO_NODE;
  if (!b->status) b->status = sni_graph_add_control_result(b->graph, control, number, &id);
  return id;
}

static sni_node_id split_result(sni_rewrite *r, const sni_node *node) {
  const sni_node *old = sni_graph_node(r->from, r->at);
  const loop_facts *l = sni_is_result(old) ? split_loop(r, old->operands[0]) : NULL;
  if (!l || node->attrs[0] != old->attrs[0]) return SNI_NO_NODE;  // the second time it is done
  const int number = (int)old->attrs[0];
  const sni_node_id control = node->operands[0];
  if (number >= l->n_carries)
    return result_of(&r->build, control, number - l->n_carries + l->first[l->n_carries]);
  if (!l->split[number])
    return l->first[number] == number ? SNI_NO_NODE
                                      : result_of(&r->build, control, l->first[number]);
  sni_node_id elements[most_elements];
  const sni_type type = node->type;
  for (int i = 0; i < l->elements[number]; i++)
    elements[i] = result_of(&r->build, control, l->first[number] + i);
  return r->build.status ? SNI_NO_NODE
                         : put_together(&r->build, elements, &type, l->elements[number]);
}

static sni_node_id split(sni_rewrite *r, const sni_node *node) {
  if (sni_is_result(node)) return split_result(r, node);
  return sni_is_control(node) ? split_control(r, node) : SNI_NO_NODE;
}

sn_status sni_split_carries_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed) {
  const sni_rewrite_rule rules[] = {split};
  bool any = false;
  *out_graph = (sni_graph *)(uintptr_t)graph;
  *out_changed = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) any |= graph->nodes[i].n_bodies > 0;
  if (!any) return SN_OK;
  loop_facts *loops = SNI_ARENA_ARRAY(graph->arena, loop_facts, graph->n_nodes);
  if (!loops) return sni_fail_memory(graph->diag, graph->n_nodes * sizeof *loops, "loops");
  any = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    if (!graph->nodes[i].n_bodies) continue;
    SNI_TRY(analyse(graph, &graph->nodes[i], graph->arena, &loops[i]));
    any |= loops[i].split != NULL;
  }
  if (!any) return SN_OK;
  const facts f = {loops};
  return sni_rewrite_once(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1, .facts = &f},
                          out_graph, out_changed);
}

sn_status sni_split_carries(const sni_graph *graph, sni_graph **out_graph) {
  bool changed;
  return sni_split_carries_once(graph, out_graph, &changed);
}
