// Sorting along the last axis by runtime/sort_rows.c: a unit is a row, a search's a block of the values.
//
// Work space is as large as a row, whatever the elements are; rows that are short for certain need none.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/sort_rows.h"

#include <math.h>

static const double ns_of_sort = 8, ns_of_argsort = 12, ns_of_top_k = 1.5, ns_of_step = 4;

static sn_status plan_rows(sni_lowering *l, const sni_node *node, sni_plan_command *command,
                           int work_bytes) {
  const sni_type *type = sni_graph_type(l->graph, node->operands[0]);
  const sni_dim n = type->dims[type->rank - 1], work = sni_dim_mul_constant(l->dims, n, work_bytes);
  const sni_sort_call call = {type->dtype, node->attrs[0] != 0, false};
  int64_t size;
  SNI_TRY(sni_library_rows(l, command, type, 1, &call, sizeof call, (sni_dim[]){n, work}, 2));
  const bool is_short = sni_dim_is_constant(l->dims, n, &size) && size <= SNI_SHORT_ROW;
  // A row is aligned as its elements have to be.
  return sni_library_work(l, command, type, 1, is_short ? 0 : work);
}

static sn_status plan_sort(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  return plan_rows(l, node, command, sni_sort_work_bytes(node->type.dtype));
}

static sn_status plan_argsort(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sn_dtype dtype = sni_graph_type(l->graph, node->operands[0])->dtype;
  return plan_rows(l, node, command, sni_argsort_work_bytes(dtype));
}

// Room for all elements, or for some times k.
static sn_status plan_top_k(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *type = sni_graph_type(l->graph, node->operands[0]);
  const sni_dim n = type->dims[type->rank - 1], k = node->attrs[0];
  const int64_t some = k > INT32_MAX / 4 ? k : 4 * k;
  const sni_dim room =
      sni_dim_min(l->dims, n, some < SNI_TOP_K_CANDIDATES ? SNI_TOP_K_CANDIDATES : some);
  const sni_dim work = sni_dim_mul_constant(l->dims, room, sni_argsort_work_bytes(type->dtype));
  const sni_sort_call call = {type->dtype, true, false};
  SNI_TRY(
      sni_library_rows(l, command, type, 1, &call, sizeof call, (sni_dim[]){n, work, k, room}, 4));
  return sni_library_work(l, command, type, 1, work);
}

static sn_status plan_search(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *a = sni_graph_type(l->graph, node->operands[0]), *b = &node->type;
  const sni_dim n = a->dims[a->rank - 1], m = b->dims[b->rank - 1];
  const sni_sort_call call = {a->dtype, false, node->attrs[0] != 0};
  SNI_TRY(sni_library_rows(l, command, b, 0, &call, sizeof call, (sni_dim[]){n, m}, 2));
  int64_t *grains = (int64_t *)(uintptr_t)command->grains;  // made for this command
  grains[b->rank - 1] = SNI_SEARCH_BLOCK;
  return SN_OK;
}

static double sort_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)vector_bits;
  const sni_sort_call *c = call;
  return sni_library_known(params[0]) * ns_of_sort * (sn_dtype_size(c->dtype) > 4 ? 2 : 1);
}
static double argsort_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)vector_bits;
  const sni_sort_call *c = call;
  return sni_library_known(params[0]) * ns_of_argsort * (sn_dtype_size(c->dtype) > 4 ? 3 : 1);
}
static double top_k_ns(const void *call, const int64_t *params, int vector_bits) {
  const double sorted = argsort_ns(call, params + 3, vector_bits);
  return sni_library_known(params[0]) * ns_of_top_k + sorted;
}
static double search_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  const double n = sni_library_known(params[0]), steps = n > 1 ? 1 + ceil(log2(n)) : 1;
  const double m = sni_library_known(params[1]);
  return (m < SNI_SEARCH_BLOCK ? m : SNI_SEARCH_BLOCK) * steps * ns_of_step;
}

const sni_library_op sni_library_sort = {
    .name = "sort", .symbol = "sort", .plan = plan_sort, .unit_ns = sort_ns, .run = sni_sort_run};
const sni_library_op sni_library_argsort = {.name = "argsort",
                                            .symbol = "argsort",
                                            .plan = plan_argsort,
                                            .unit_ns = argsort_ns,
                                            .run = sni_argsort_run};
const sni_library_op sni_library_top_k = {.name = "top_k",
                                          .symbol = "top_k",
                                          .plan = plan_top_k,
                                          .unit_ns = top_k_ns,
                                          .run = sni_top_k_run};
const sni_library_op sni_library_search_sorted = {.name = "search_sorted",
                                                  .symbol = "search_sorted",
                                                  .plan = plan_search,
                                                  .unit_ns = search_ns,
                                                  .run = sni_search_sorted_run};
