// Greatest common divisors by runtime/gcd.c: a unit is a block of elements.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/gcd.h"

static const double ns_of_element = 30;

static sn_status plan(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_gcd_call call = {node->type.dtype};
  const sni_type flat = {call.dtype, 1, {sni_type_size(l->dims, &node->type)}};
  SNI_TRY(sni_library_rows(l, command, &flat, 0, &call, sizeof call, flat.dims, 1));
  ((int64_t *)(uintptr_t)command->grains)[0] = SNI_GCD_BLOCK;  // made for this command
  return SN_OK;
}

static double unit_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  const double n = sni_library_known(params[0]);
  return ns_of_element * (n < SNI_GCD_BLOCK ? n : SNI_GCD_BLOCK);
}

const sni_library_op sni_library_gcd = {
    .name = "gcd", .symbol = "gcd", .plan = plan, .unit_ns = unit_ns, .run = sni_gcd_run};
