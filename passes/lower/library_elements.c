// Functions of elements that no arithmetic of kernels expresses, by runtime/gcd.c and runtime/gamma_gradient.c: a unit is a
// block of elements.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/gamma_gradient.h"
#include "runtime/gcd.h"

static sn_status plan_blocks(sni_lowering *l, const sni_node *node, const void *call, size_t bytes,
                             int64_t block, sni_plan_command *command) {
  const sni_type flat = {node->type.dtype, 1, {sni_type_size(l->dims, &node->type)}};
  SNI_TRY(sni_library_rows(l, command, &flat, 0, call, bytes, flat.dims, 1));
  ((int64_t *)(uintptr_t)command->grains)[0] = block;  // made for this command
  return SN_OK;
}

static double block_ns(const int64_t *params, int64_t block, double ns_of_element) {
  const double n = sni_library_known(params[0]);
  return ns_of_element * (n < (double)block ? n : (double)block);
}

static sn_status plan_gcd(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_gcd_call call = {node->type.dtype};
  return plan_blocks(l, node, &call, sizeof call, SNI_GCD_BLOCK, command);
}

static double gcd_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  return block_ns(params, SNI_GCD_BLOCK, 30);
}

static sn_status plan_gamma(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_gamma_gradient_call call = {node->type.dtype, node->attrs[0] != 0};
  return plan_blocks(l, node, &call, sizeof call, SNI_GAMMA_BLOCK, command);
}

static double gamma_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  return block_ns(params, SNI_GAMMA_BLOCK, 200);
}

const sni_library_op sni_library_gcd = {
    .name = "gcd", .symbol = "gcd", .plan = plan_gcd, .unit_ns = gcd_ns, .run = sni_gcd_run};
const sni_library_op sni_library_random_gamma_gradient = {.name = "random_gamma_gradient",
                                                          .symbol = "random_gamma_gradient",
                                                          .plan = plan_gamma,
                                                          .unit_ns = gamma_ns,
                                                          .run = sni_random_gamma_gradient_run};
