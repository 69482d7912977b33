// Strings in order by runtime/string_rows.c.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/string_rows.h"

#include <math.h>

static const double ns_of_pair = 8, ns_of_comparison = 6;

static sn_status plan_compare(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type flat = {node->type.dtype, 1, {sni_type_size(l->dims, &node->type)}};
  SNI_TRY(sni_library_rows(l, command, &flat, 0, &flat.dtype, sizeof(flat.dtype), flat.dims, 1));
  ((int64_t *)(uintptr_t)command->grains)[0] = SNI_STRING_BLOCK;  // made for this command
  return SN_OK;
}

static double compare_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  const double n = sni_library_known(params[0]);
  return ns_of_pair * (n < SNI_STRING_BLOCK ? n : SNI_STRING_BLOCK);
}

static sn_status plan_rank(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *type = &node->type;
  const sni_dim n = type->dims[type->rank - 1];
  const sni_dim work =
      sni_dim_add(l->dims, sni_dim_mul_constant(l->dims, n, SNI_STRING_RANK_BYTES), 64);
  SNI_TRY(sni_library_rows(l, command, type, 1, &type->dtype, sizeof(type->dtype),
                           (sni_dim[]){n, work}, 2));
  return sni_library_work(l, command, type, 1, work);
}

static double rank_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  const double n = sni_library_known(params[0]);
  return ns_of_comparison * n * (n > 1 ? log2(n) : 1);
}

const sni_library_op sni_library_string_compare = {.name = "string_compare",
                                                   .symbol = "string_compare",
                                                   .plan = plan_compare,
                                                   .unit_ns = compare_ns,
                                                   .run = sni_string_compare_run};
const sni_library_op sni_library_string_rank = {.name = "string_rank",
                                                .symbol = "string_rank",
                                                .plan = plan_rank,
                                                .unit_ns = rank_ns,
                                                .run = sni_string_rank_run};
