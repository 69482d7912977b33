// From a public op to its execution: a node of the open trace, or a run at once (eager.c) that open
// tapes note down.
//
// Composed ops are chains of these calls, so they are the same in both modes. A message about
// pointwise operands is made here, in the terms of the caller's operands; what the graph's
// inference says beyond that is passed on under the public op's name.
#include "frontend/ops/compose.h"
#include "frontend/program/nonfinite.h"
#include "graph/late.h"

enum { few = 8 };  // operands that need no allocation

// ---- checks of pointwise operands
static const char *name_of(const sn_context *context, sni_op op) {
  return context->frame.op ? context->frame.op : sni_op_infos[op].name;
}

static bool check_dtypes(sn_context *context, sni_op op, const sni_type *const *types, int n) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME], expected[64];
  const char *name = name_of(context, op);
  uint32_t allowed = sni_op_infos[op].dtypes;
  if (!(allowed >> types[0]->dtype & 1)) {
    sni_dtypes_format(allowed, expected, sizeof(expected));
    sni_describe_type(context, types[0], a);
    if (n > 1)
      sni_error(context, SN_ERR_DTYPE, "%s: operand #0 is %s, expected %s (operand #1 is %s)", name,
                a, expected, sni_describe_type(context, types[1], b));
    else
      sni_error(context, SN_ERR_DTYPE, "%s: operand #0 is %s, expected %s", name, a, expected);
    return false;
  }
  int reference = op == SNI_OP_SELECT ? 1 : 0;
  for (int i = reference + 1; i < n; i++) {
    if (types[i]->dtype == types[reference]->dtype) continue;
    sni_error(context, SN_ERR_DTYPE, "%s: operand #%d is %s, expected %s like operand #%d %s", name,
              i, sni_describe_type(context, types[i], a), sn_dtype_name(types[reference]->dtype),
              reference, sni_describe_type(context, types[reference], b));
    return false;
  }
  return true;
}

bool sni_check_pointwise(sn_context *context, sni_op op, const sni_type *const *types, int n,
                         sni_type *out_shape) {
  if (!check_dtypes(context, op, types, n)) return false;
  *out_shape = *types[0];
  for (int i = 1; i < n; i++) {
    sni_type joined;
    if (!sni_broadcast_shapes(NULL, sni_context_dims(context), NULL, out_shape, types[i],
                              &joined)) {
      *out_shape = joined;
      continue;
    }
    char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
    sni_error(context, SN_ERR_SHAPE,
              "%s: operand #%d is %s, which does not broadcast with %s%s: dims, from the last one "
              "on, must be equal or 1",
              name_of(context, op), i, sni_describe_type(context, types[i], a),
              i == 1 ? "operand #0 " : "the operands before it, together ",
              sni_describe_type(context, out_shape, b));
    return false;
  }
  return true;
}

// ---- tracing
typedef struct id_list {
  sni_node_id few_ids[few];
  sni_node_id *ids;
  int n;
} id_list;

static bool ids_init(id_list *list, sn_context *context, int n) {
  list->n = n;
  list->ids = list->few_ids;
  if (n <= few) return true;
  list->ids = sni_alloc(&context->family->allocator, sizeof(sni_node_id) * (size_t)n);
  if (list->ids) return true;
  sni_error_from(context, sni_fail_memory(&context->diag, sizeof(sni_node_id) * (size_t)n, "ids"),
                 NULL);
  return false;
}

static void ids_deinit(id_list *list, sn_context *context) {
  if (list->ids != list->few_ids)
    sni_free(&context->family->allocator, list->ids, sizeof(sni_node_id) * (size_t)list->n);
}

static sn_status broadcast_node(sni_graph *graph, const sni_type *shape, sni_node_id *id) {
  sni_type type = *shape;
  type.dtype = sni_graph_type(graph, *id)->dtype;
  if (sni_shape_equal(graph->dims, &type, sni_graph_type(graph, *id))) return SN_OK;
  return sni_graph_add(graph, SNI_OP_BROADCAST, id, 1, NULL, 0, &type, (sni_location){0}, id);
}

static sn_status operand_nodes(sn_context *context, sn_tensor *const *operands, id_list *list) {
  for (int i = 0; i < list->n; i++)
    SNI_TRY(sni_trace_node(context->trace, operands[i], &list->ids[i]));
  return SN_OK;
}

// A node that may fail remembers what messages call it.
static sn_status name_node(sn_context *context, sni_op op, sni_location *out_location) {
  sni_arena *arena = sni_trace_graph(context->trace)->arena;
  out_location->op = sni_name_op(context, name_of(context, op), arena);
  return out_location->op ? SN_OK : sni_fail_memory(&context->diag, 64, "the name of an op");
}

// What the op has said of late sizes becomes nodes, with its name.
static sn_status add_requirements(sn_context *context, sni_op op) {
  sni_graph *graph = sni_trace_graph(context->trace);
  sni_location location = {0};
  if (!sni_dim_has_late_guard(graph->dims)) return SN_OK;
  SNI_TRY(name_node(context, op, &location));
  return sni_add_requirements(graph, location);
}

static sn_tensor *add_node(sn_context *context, sni_op op, const id_list *list,
                           const sni_dim *attrs, int n_attrs, const sni_type *declared) {
  sni_graph *graph = sni_trace_graph(context->trace);
  sni_node_id id;
  sni_location location = {0};
  sn_status status = sni_op_may_fail(op) ? name_node(context, op, &location) : SN_OK;
  if (!status)
    status = sni_graph_add(graph, op, list->ids, list->n, attrs, n_attrs, declared, location, &id);
  if (!status) status = add_requirements(context, op);
  if (status) return sni_error_from(context, status, graph->diag);
  sn_tensor *t = sni_tensor_traced(context, context->trace, id);
  return t ? t : &context->error_tensor;
}

static sn_tensor *emit_traced(sn_context *context, sni_op op, sn_tensor *const *operands, int n,
                              const sni_dim *attrs, int n_attrs, const sni_type *declared) {
  id_list list;
  if (!ids_init(&list, context, n)) return &context->error_tensor;
  sn_status status = operand_nodes(context, operands, &list);
  sn_tensor *t = status ? sni_error_from(context, status, sni_trace_graph(context->trace)->diag)
                        : add_node(context, op, &list, attrs, n_attrs, declared);
  ids_deinit(&list, context);
  return t;
}

// Type of a cast's or bitcast's result: the shape that the operand has, the dtype declared.
static const sni_type *declared_of(const sni_type *declared, const sni_type *shape,
                                   sni_type *storage) {
  if (!declared) return NULL;
  *storage = *shape;
  storage->dtype = declared->dtype;
  return storage;
}

static sn_tensor *pointwise_traced(sn_context *context, sni_op op, sn_tensor *const *operands,
                                   int n, const sni_type *declared) {
  id_list list = {.n = n};
  list.ids = list.few_ids;
  sni_graph *graph = sni_trace_graph(context->trace);
  sn_status status = operand_nodes(context, operands, &list);
  if (status) return sni_error_from(context, status, graph->diag);
  sni_type shape, storage;
  const sni_type *types[few] = {NULL};
  sni_type copies[few];  // adding nodes moves the graph's
  for (int i = 0; i < n; i++) {
    copies[i] = *sni_graph_type(graph, list.ids[i]);
    types[i] = &copies[i];
  }
  if (!sni_check_pointwise(context, op, types, n, &shape)) return &context->error_tensor;
  for (int i = 0; i < n; i++) {
    status = broadcast_node(graph, &shape, &list.ids[i]);
    if (status) return sni_error_from(context, status, graph->diag);
  }
  return add_node(context, op, &list, NULL, 0, declared_of(declared, &shape, &storage));
}

// ---- both modes
static inline bool all_ok(sn_context *context, sni_op op, sn_tensor *const *operands, int n) {
  for (int i = 0; i < n; i++) {
    const sn_tensor *t = operands[i];
    // What comes from a public op's operands was checked there in full.
    bool plain = t && (t->kind == SNI_TENSOR_EAGER || t->kind == SNI_TENSOR_VARIABLE ||
                       (t->kind == SNI_TENSOR_TRACED && t->trace == context->trace));
    if (!plain && !sni_operand_ok(context, name_of(context, op), i, t)) return false;
  }
  return true;
}

static sn_tensor *noted(sn_context *context, sni_op op, sn_tensor *const *operands, int n,
                        const sni_dim *attrs, int n_attrs, const sni_type *declared,
                        sn_tensor *result) {
  if (result->kind == SNI_TENSOR_ERROR || !sni_record_wants(context->record, operands, n))
    return result;
  sni_record_op(context, op, operands, n, attrs, n_attrs, declared, result);
  return context->diag.status ? &context->error_tensor : result;
}

sn_tensor *sni_emit(sn_context *context, sni_op op, sn_tensor *const *operands, int n_operands,
                    const sni_dim *attrs, int n_attrs, const sni_type *declared) {
  if (!all_ok(context, op, operands, n_operands)) return &context->error_tensor;
  if (context->trace)
    return emit_traced(context, op, operands, n_operands, attrs, n_attrs, declared);
  sn_tensor *t = sni_eager_emit(context, op, operands, n_operands, attrs, n_attrs, declared);
  if (context->debug_nonfinite) t = sni_checked_tensor(context, operands, n_operands, t);
  if (!context->record) return t;
  return noted(context, op, operands, n_operands, attrs, n_attrs, declared, t);
}

sn_tensor *sni_emit_pointwise(sn_context *context, sni_op op, sn_tensor *const *operands,
                              int n_operands, const sni_type *declared) {
  sni_assert(n_operands >= 1 && n_operands <= few);
  if (!all_ok(context, op, operands, n_operands)) return &context->error_tensor;
  if (context->trace) return pointwise_traced(context, op, operands, n_operands, declared);
  sni_type storage;
  if (declared) declared = declared_of(declared, &operands[0]->type, &storage);
  sn_tensor *t = sni_eager_emit(context, op, operands, n_operands, NULL, 0, declared);
  if (context->debug_nonfinite) t = sni_checked_tensor(context, operands, n_operands, t);
  if (!context->record) return t;
  return noted(context, op, operands, n_operands, NULL, 0, declared, t);
}
