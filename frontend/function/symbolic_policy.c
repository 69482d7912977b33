// Which dims of a new trace are symbolic: those that have varied in their group, are marked, or are unknown in
// the function's specs, but for those that a trace has used as numbers.
//
// Where a program with symbols cannot serve, the dims that keep it from serving become constant.
#include "frontend/function/specialise.h"

#include <string.h>

sn_tensor *(sn_mark_dim)(sn_tensor *t, int axis) {
  sn_tensor *failed;
  char text[SNI_TENSOR_NAME];
  SNI_ENTERED context = sni_begin("sn_mark_dim", &t, 1, &failed);
  if (!context) return failed;
  const int at = axis < 0 ? axis + t->type.rank : axis;
  if (at < 0 || at >= t->type.rank)
    return sni_error(context, SN_ERR_SHAPE, "sn_mark_dim: axis %d is out of range for %s", axis,
                     sni_describe(t, text));
  if (t->kind == SNI_TENSOR_EAGER) t->marked |= (uint8_t)(1u << at);
  return t;
}

void sni_choose_symbolic(sni_trace_plan *p, sni_shape_group *group) {
  const sn_function *function = p->function;
  for (int i = 0; i < function->n_inputs; i++) {
    const sni_type *type = &p->keys[i].type;
    p->symbolic[i] = 0;
    if (p->keys[i].kind != SNI_INPUT_TENSOR) continue;
    for (int d = 0; d < type->rank; d++) {
      if (type->dims[d] != group->keys[i].type.dims[d]) group->varied[i] |= (uint8_t)(1u << d);
      if (function->specs && function->specs[i].shape.dims[d] == SN_UNKNOWN)
        p->symbolic[i] |= (uint8_t)(1u << d);
    }
    if (!function->specs && !function->static_shapes) p->symbolic[i] = group->varied[i];
    if (!function->specs && p->inputs) p->symbolic[i] |= p->inputs[i]->marked;
    p->symbolic[i] &= (uint8_t)~group->pinned[i];
  }
}

static void mark_symbols(const sni_dim_table *dims, sni_dim dim, bool *marks) {
  sni_dim_expression e = sni_dim_expand(dims, dim);
  if (e.op == SNI_DIM_CONSTANT) return;
  if (e.op == SNI_DIM_SYMBOL) {
    marks[e.a] = true;
    return;
  }
  mark_symbols(dims, e.a, marks);
  mark_symbols(dims, e.b, marks);
}

// That a size is 0 or 1 says nothing of others: it was that of the inputs then.
static bool is_of_a_small_size(const sni_dim_table *dims, const sni_dim_guard *guard) {
  int64_t value;
  return !guard->at_least && sni_dim_is_constant(dims, guard->a, &value) && value <= 1;
}

void sni_unblock(sni_trace_plan *p, const sn_program *blocking, const int64_t *symbols,
                 bool *marks) {
  const sni_dim_table *dims = blocking->graph->dims;
  memset(marks, 0, blocking->n_input_symbols * sizeof(*marks));
  for (uint32_t g = 0; g < blocking->n_guards; g++) {
    const sni_dim_guard *guard = &blocking->guards[g];
    if (sni_dim_guard_holds(dims, *guard, symbols) || is_of_a_small_size(dims, guard)) continue;
    // As written: a unified symbol would expand to what it was unified with.
    for (uint32_t s = 0; s < blocking->n_input_symbols; s++)
      if (sni_dim_symbol(dims, (int)s) == guard->a || sni_dim_symbol(dims, (int)s) == guard->b)
        marks[s] = true;
    mark_symbols(dims, guard->a, marks);
    mark_symbols(dims, guard->b, marks);
  }
  bool ones = false;
  for (uint32_t s = 0; s < blocking->n_input_symbols; s++) ones |= marks[s] && symbols[s] == 1;
  for (int i = 0; i < blocking->n_inputs; i++)
    for (int d = 0; d < blocking->keys[i].type.rank; d++) {
      int32_t s = blocking->keys[i].symbol[d];
      if (s >= 0 && marks[s] && (!ones || symbols[s] == 1)) p->symbolic[i] &= (uint8_t) ~(1u << d);
    }
}

bool sni_retreat(sni_trace_plan *p) {
  bool changed = false;
  for (int all = 0; all < 2 && !changed; all++)
    for (int i = 0; i < p->function->n_inputs; i++)
      for (int d = 0; d < p->keys[i].type.rank; d++) {
        if (!(p->symbolic[i] >> d & 1) || (!all && p->keys[i].type.dims[d] != 1)) continue;
        p->symbolic[i] &= (uint8_t) ~(1u << d);
        changed = true;
      }
  return changed;
}

// The condition that says that symbol number s is a number.
static sni_pin pin_of(const sn_program *program, int s) {
  const sni_dim symbol = sni_dim_symbol(program->graph->dims, s);
  for (uint32_t g = 0; g < program->n_guards; g++) {
    const sni_dim_guard *guard = &program->guards[g];
    if (!guard->at_least && (guard->a == symbol || guard->b == symbol))
      return (sni_pin){guard->op, guard->file, guard->line};
  }
  return (sni_pin){NULL, NULL, 0};
}

void sni_note_trace(const sni_trace_plan *p, sni_shape_group *group, const sn_program *program) {
  const sni_dim_table *dims = program->graph->dims;
  group->traced = true;
  for (int i = 0; i < p->function->n_inputs; i++) {
    const sni_input_key *key = &program->keys[i];
    int64_t value;
    group->last[i] = p->keys[i].type;
    // A 1 that was stretched, or a sum of none or one, says nothing of other sizes.
    for (int d = 0; d < key->type.rank; d++) {
      if (key->symbol[d] < 0 || !sni_dim_is_constant(dims, key->type.dims[d], &value) || value <= 1)
        continue;
      group->pinned[i] |= (uint8_t)(1u << d);
      group->pins[i * SN_MAX_RANK + d] = pin_of(program, key->symbol[d]);
    }
  }
}
